//! All tables, laid out for protection.
//!
//! One dimension, the *spine* (in practice the region), divides the work: the cells below one spine node are one piece
//! of memory in every table. A cell is a spine node, its *row*, and an *inner* offset that numbers the combination of
//! all other dimensions.
//!
//! Beside the tables that are published stand those that never are: joint tables, which hold alternative worlds to what a list of
//! records could be, and the rooms of links, see [`super::links`], which hold people and households to each other.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use super::{
    family::IMPOSSIBLE,
    links::{self, Combinations, Facts, LinkRule},
    prices,
    revisions::{Demand, Way},
    settings::Settings,
};
use crate::{
    error::{Error, Result},
    register::{Dimension, Unit},
    worlds::{Census, Counted, Rule},
};

/// Marks a node that a table does not have.
pub const NONE: u32 = u32::MAX;

/// A dimension's tree, down to the finest level that any table shows.
#[derive(Debug)]
pub struct Tree {
    /// Identifier of the dimension.
    pub id: String,
    /// The node above; [`NONE`] for the root.
    pub parent: Vec<u32>,
    /// Level of each node.
    pub level: Vec<u8>,
    /// Nodes directly below each node.
    pub children: Vec<Vec<u32>>,
    /// One past the last node below each node.
    pub end: Vec<u32>,
}

impl Tree {
    fn new(dimension: &Dimension, finest: u8) -> Self {
        let count = dimension.nodes.len();
        let parent: Vec<u32> = dimension.nodes.iter().map(|node| node.parent.unwrap_or(NONE)).collect();
        let level: Vec<u8> = dimension.nodes.iter().map(|node| node.level).collect();
        let mut children = vec![Vec::new(); count];
        let mut end: Vec<u32> = (1..=count as u32).collect();
        for at in (1..count).rev() {
            let above = parent[at] as usize;
            end[above] = end[above].max(end[at]);
        }
        for at in 1..count {
            if level[at] <= finest {
                children[parent[at] as usize].push(at as u32);
            }
        }
        Self { id: dimension.id.clone(), parent, level, children, end }
    }

    /// Whether a node has nothing below it down to a level.
    pub fn is_leaf(&self, node: u32, cut: u8) -> bool {
        // Siblings share a level, so the first child speaks for all.
        self.children[node as usize].first().is_none_or(|&child| self.level[child as usize] > cut)
    }

    /// The nodes at or below a node that have nothing below them down to a level.
    pub fn leaves(&self, node: u32, cut: u8, into: &mut Vec<u32>) {
        if self.is_leaf(node, cut) {
            into.push(node);
            return;
        }
        for &child in &self.children[node as usize] {
            self.leaves(child, cut, into);
        }
    }

    /// The last node on the way up from a node before their common ancestor, which is neither of the two.
    pub fn last_without(&self, node: u32, other: u32) -> u32 {
        let mut last = node;
        while !self.is_within(other, self.parent[last as usize]) {
            last = self.parent[last as usize];
        }
        last
    }

    /// Whether `node` is `above` or lies below it.
    pub fn is_within(&self, node: u32, above: u32) -> bool {
        node >= above && node < self.end[above as usize]
    }
}

/// One inner axis of a table.
#[derive(Debug, Clone)]
pub struct InnerAxis {
    /// Distance of neighbours in the inner numbering.
    pub stride: u32,
    /// Node of the dimension to position on the axis; [`NONE`] below the cut.
    pub position: Vec<u32>,
    /// Position on the axis to node of the dimension.
    pub nodes: Vec<u32>,
    /// Finest level of the axis.
    pub cut: u8,
    /// How often a record at each node counts; `None`: once.
    pub weights: Option<Vec<i32>>,
}

/// How records of one unit change a table.
#[derive(Debug)]
pub struct View {
    /// Inner axes by position in [`Frame::trees`]; `None` for the spine and for dimensions that the table lacks.
    pub axes: Vec<Option<InnerAxis>>,
    /// 1 if a further record adds to the cells, -1 if it takes from them.
    pub sign: i32,
}

/// What a table is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It is published.
    Published,
    /// It is never published, but must be filled by every world.
    Joint,
    /// Its cells are what one unit leaves room for in the other.
    Link,
}

/// One table.
#[derive(Debug)]
pub struct Layout<'a> {
    /// Number of the table in the census; none for links.
    pub input: usize,
    /// What it is there for.
    pub kind: Kind,
    /// What is counted; links belong to both units.
    pub unit: Unit,
    /// Inner cells a row.
    pub inner: usize,
    /// Finest spine level of the table.
    pub cut: u8,
    /// Spine node to row; [`NONE`] below the cut.
    pub row: Vec<u32>,
    /// Row to spine node.
    pub spine_nodes: Vec<u32>,
    /// Position in the table's own axes of each dimension of the frame.
    pub table_axes: Vec<Option<usize>>,
    /// How people and households change it.
    pub views: [Option<View>; 2],
    /// For each inner offset a bit for every table that has it, if it has the row.
    pub inner_tables: Vec<u64>,
    /// For each row a bit for every table that has it, if it has the inner cell.
    pub row_tables: Vec<u64>,
    /// A bit for every table before this one.
    pub earlier: u64,
    /// For each inner offset whether all its nodes are leaves of their axes.
    pub inner_leaf: Vec<bool>,
    /// What suppressing each cell would cost, in thousandths; nothing where an earlier table owns it.
    pub prices: Vec<u32>,
    /// Counts in this layout.
    pub counts: Cow<'a, [u32]>,
    /// What every revision can spare of each cell, where there are several; else the counts.
    pub spare: Option<Vec<u32>>,
    /// What more may be taken away from each cell in the eyes of those who know of nobody outside of counted households; empty where that is
    /// nothing.
    pub relief: Vec<u32>,
    /// Which ways of making worlds may not change a cell, see [`super::revisions`]; empty where nothing is published yet.
    pub locks: Vec<u32>,
    /// What earlier revisions ask of cells that have changed since.
    pub demands: FxHashMap<u32, Demand>,
    /// Cells, in this layout, that come from too few households.
    pub few: Vec<u32>,
    spine_stride: u64,
    inner_cells: Vec<u64>,
}

impl<'a> Layout<'a> {
    /// A table of room that one unit leaves in another.
    pub fn link(
        at: usize,
        cut: u8,
        row: Vec<u32>,
        spine_nodes: Vec<u32>,
        inner: usize,
        views: [Option<View>; 2],
        (counts, relief): (Vec<u32>, Vec<u32>),
    ) -> Self {
        Self {
            input: usize::MAX,
            kind: Kind::Link,
            unit: Unit::Person,
            inner,
            cut,
            row_tables: vec![1 << at; spine_nodes.len()],
            row,
            spine_nodes,
            table_axes: Vec::new(),
            views,
            inner_tables: vec![1 << at; inner],
            earlier: 0,
            inner_leaf: vec![true; inner],
            prices: vec![0; counts.len()],
            counts: Cow::Owned(counts),
            spare: None,
            relief,
            locks: Vec::new(),
            demands: FxHashMap::default(),
            few: Vec::new(),
            spine_stride: 0,
            inner_cells: Vec::new(),
        }
    }

    /// Number of a cell in its table's shape.
    pub fn cell(&self, row: usize, inner: usize) -> u32 {
        (row as u64 * self.spine_stride + self.inner_cells[inner]) as u32
    }

    /// Index of the cell with this number in its table's shape.
    pub fn index_of(&self, cell: u32) -> Option<usize> {
        if self.spine_stride as usize == self.inner {
            return Some(cell as usize);
        }
        (0..self.counts.len()).find(|index| self.cell(index / self.inner, index % self.inner) == cell)
    }

    /// The inner axes as records of the table's own unit move along them.
    pub fn axes(&self) -> &[Option<InnerAxis>] {
        self.axes_for(self.unit).unwrap_or_default()
    }

    /// The inner axes as records of a unit move along them; `None` if they do not change the table.
    pub fn axes_for(&self, unit: Unit) -> Option<&[Option<InnerAxis>]> {
        self.views[unit as usize].as_ref().map(|view| view.axes.as_slice())
    }

    /// The node of each inner dimension at an inner offset; the root where the table lacks the dimension.
    pub fn nodes(&self, inner: u32, into: &mut Vec<u32>) {
        into.clear();
        into.extend(
            self.axes().iter().map(|axis| axis.as_ref().map_or(0, |axis| axis.nodes[(inner / axis.stride) as usize % axis.nodes.len()])),
        );
    }

    /// Index of the cell at a spine node and at nodes of some dimensions, the others being at their totals; `None` if the table does not
    /// have it.
    pub fn index(&self, spine_node: u32, nodes: impl IntoIterator<Item = (usize, u32)>) -> Option<usize> {
        let row = *self.row.get(spine_node as usize)?;
        let mut inner = 0;
        for (dimension, node) in nodes {
            match self.axes().get(dimension)? {
                Some(axis) if axis.position[node as usize] != NONE => inner += axis.position[node as usize] * axis.stride,
                None if node == 0 => {}
                _ => return None,
            }
        }
        (row != NONE).then(|| row as usize * self.inner + inner as usize)
    }

    /// Whether this table is the first of those that have the cell.
    #[inline]
    pub fn owns(&self, row: usize, inner: usize) -> bool {
        self.inner_tables[inner] & self.row_tables[row] & self.earlier == 0
    }

    /// Whether the cell stands in no table that is published.
    pub fn is_hidden(&self, row: usize, inner: usize) -> bool {
        match self.kind {
            Kind::Published => false,
            Kind::Link => true,
            // Published tables come before joint ones.
            Kind::Joint => self.owns(row, inner),
        }
    }
}

/// All tables.
#[derive(Debug)]
pub struct Frame<'a> {
    /// Every dimension that some table has.
    pub trees: Vec<Tree>,
    /// Position of the spine in [`Frame::trees`].
    pub spine: usize,
    /// Finest spine level of any table.
    pub finest: u8,
    /// The tables: published ones, joint ones, links.
    pub tables: Vec<Layout<'a>>,
    /// Positions in [`Frame::trees`] of the sensitive dimensions.
    pub sensitive: Vec<usize>,
    /// Groups of fewer members than this are small.
    pub small_group: u32,
    /// Ways of making a world beside earlier revisions, the preferred one first.
    pub ways: Vec<Way>,
    /// By dimension and node: changes of siblings that keep both households and people, see [`super::links::combinations`].
    combinations: Combinations,
    /// How the room in each table of links is worked out, in their order.
    pub rules: Vec<LinkRule>,
    /// People outside of counted households, by table and index of the cell that counts everybody in a place.
    pub outside: FxHashMap<(usize, usize), u32>,
}

/// The most tables that can be protected together: each has a bit.
const MOST_TABLES: usize = 64;

impl<'a> Frame<'a> {
    /// Lays out all tables.
    ///
    /// # Errors
    /// More tables than can be protected together, or a link that the tables contradict.
    pub fn new(census: &Census<'a>, settings: &Settings) -> Result<Self> {
        let tables: Vec<&Counted<'a>> = census.changeable().collect();
        if tables.len() > MOST_TABLES {
            return Err(Error::Input(format!("{} tables; at most {MOST_TABLES} can be protected together", tables.len())));
        }
        let dimensions = census.dimensions;
        // The spine is in most tables and, among those, the largest.
        let uses = |id: &str| tables.iter().filter(|counted| counted.table.axes.iter().any(|axis| axis.dimension == id)).count();
        let used: Vec<&Dimension> = dimensions.iter().filter(|dimension| uses(&dimension.id) > 0).collect();
        let group = settings.rule.group.as_ref();
        let is_sensitive = |id: &str| group.is_some_and(|group| group.dimensions.iter().any(|of| of == id));
        // One node of it must be the same to people and to households.
        let links = census.links;
        let is_translated = |id: &str| {
            links.members.iter().any(|link| link.size == id)
                || links.heads.iter().any(|pair| pair.head != pair.person && [&pair.head, &pair.person].into_iter().any(|of| of == id))
        };
        // Where there is nothing to divide by, a tree of one node stands in.
        let spine = (0..used.len())
            .filter(|&at| !is_sensitive(&used[at].id) && !is_translated(&used[at].id))
            .max_by_key(|&at| (uses(&used[at].id), used[at].nodes.len(), std::cmp::Reverse(at)))
            .unwrap_or(used.len());
        let level_in = |table: usize, id: &str| {
            let axis = tables[table].table.axes.iter().find(|axis| axis.dimension == id)?;
            dimensions.iter().find(|dimension| dimension.id == id)?.level(&axis.level)
        };
        let finest_of = |id: &str| (0..tables.len()).filter_map(|table| level_in(table, id)).max().unwrap_or(0);
        let mut trees: Vec<Tree> = used.iter().map(|dimension| Tree::new(dimension, finest_of(&dimension.id))).collect();
        if spine == used.len() {
            trees.push(Tree { id: String::new(), parent: vec![NONE], level: vec![0], children: vec![Vec::new()], end: vec![1] });
        }
        let finest = finest_of(&trees[spine].id);
        let cuts: Vec<Vec<Option<u8>>> =
            (0..tables.len()).map(|table| trees.iter().map(|tree| level_in(table, &tree.id)).collect()).collect();
        // Bits of the tables of a unit that have a node of a dimension.
        let having = |unit: Unit, dimension: usize, node: u32| -> u64 {
            let level = trees[dimension].level[node as usize];
            (0..tables.len())
                .filter(|&table| tables[table].table.unit == unit)
                .filter(|&table| node == 0 || cuts[table][dimension].is_some_and(|cut| level <= cut))
                .fold(0, |bits, table| bits | 1 << table)
        };
        let layouts = tables
            .iter()
            .enumerate()
            .map(|(at, &&Counted { table, shape, counts, few, .. })| {
                let mut axes: Vec<Option<InnerAxis>> = trees.iter().map(|_| None).collect();
                let (mut spine_axis, mut spine_stride) = (None, 0);
                let mut inner = 1usize;
                // Inner offsets keep the order of the table's axes, so that a table that starts with the spine is not copied.
                let mut inner_cells = vec![0u64];
                for ((table_axis, axis), &stride) in table.axes.iter().zip(&shape.axes).zip(&shape.strides).rev() {
                    let Some(dimension) = used.iter().position(|dimension| dimension.id == table_axis.dimension) else { continue };
                    if dimension == spine {
                        spine_axis = Some(axis);
                        spine_stride = stride;
                        continue;
                    }
                    let mut position = vec![NONE; trees[dimension].parent.len()];
                    for (position_at, &node) in axis.nodes.iter().enumerate() {
                        position[node as usize] = position_at as u32;
                    }
                    let cut = cuts[at][dimension].unwrap_or(0);
                    axes[dimension] = Some(InnerAxis { stride: inner as u32, position, nodes: axis.nodes.clone(), cut, weights: None });
                    let below = inner_cells;
                    inner_cells =
                        (0..axis.nodes.len() as u64).flat_map(|node| below.iter().map(move |cell| node * stride + cell)).collect();
                    inner *= axis.nodes.len();
                }
                let spine_nodes = spine_axis.map_or_else(|| vec![0], |axis| axis.nodes.clone());
                let mut row = vec![NONE; trees[spine].parent.len()];
                for (position, &node) in spine_nodes.iter().enumerate() {
                    row[node as usize] = position as u32;
                }
                let rows = spine_nodes.len();
                let in_order = spine_stride as usize == inner || rows == 1;
                let cells = || (0..rows as u64).flat_map(|row| inner_cells.iter().map(move |cell| (row * spine_stride + cell) as u32));
                let few = if in_order {
                    few.to_vec()
                } else {
                    let mut at: Vec<u32> =
                        (0u32..).zip(cells()).filter(|(_, cell)| few.binary_search(cell).is_ok()).map(|(at, _)| at).collect();
                    at.sort_unstable();
                    at
                };
                let counts = if in_order { Cow::Borrowed(counts) } else { cells().map(|cell| counts[cell as usize]).collect() };
                let unit = table.unit;
                let mut views = [None, None];
                views[unit as usize] = Some(View { axes, sign: 1 });
                let mut layout = Layout {
                    input: at,
                    kind: if at < census.tables.len() { Kind::Published } else { Kind::Joint },
                    unit,
                    inner,
                    cut: cuts[at][spine].unwrap_or(0),
                    row_tables: spine_nodes.iter().map(|&node| having(unit, spine, node)).collect(),
                    earlier: (1 << at) - 1,
                    row,
                    spine_nodes,
                    table_axes: trees.iter().map(|tree| table.axes.iter().position(|axis| axis.dimension == tree.id)).collect(),
                    views,
                    inner_tables: Vec::new(),
                    inner_leaf: Vec::new(),
                    prices: Vec::new(),
                    counts,
                    spare: None,
                    relief: Vec::new(),
                    locks: Vec::new(),
                    demands: FxHashMap::default(),
                    few,
                    spine_stride,
                    inner_cells,
                };
                let mut nodes = Vec::new();
                for offset in 0..inner as u32 {
                    layout.nodes(offset, &mut nodes);
                    let (mut bits, mut leaf) = (u64::MAX, true);
                    for (dimension, &node) in nodes.iter().enumerate() {
                        if dimension == spine {
                            continue;
                        }
                        bits &= having(unit, dimension, node);
                        if let Some(axis) = &layout.axes()[dimension] {
                            leaf &= trees[dimension].is_leaf(node, axis.cut);
                        }
                    }
                    layout.inner_tables.push(bits);
                    layout.inner_leaf.push(leaf);
                }
                layout
            })
            .collect();
        let sensitive = (0..trees.len()).filter(|&at| is_sensitive(&trees[at].id));
        let mut frame = Self {
            sensitive: sensitive.collect(),
            small_group: group.map_or(0, |group| group.below),
            trees,
            spine,
            finest,
            tables: layouts,
            ways: vec![Way::default()],
            combinations: FxHashMap::default(),
            outside: FxHashMap::default(),
            rules: Vec::new(),
        };
        let ids: Vec<&str> = tables.iter().map(|counted| counted.table.id.as_str()).collect();
        let levels: Vec<&str> = used.get(spine).map_or_else(Vec::new, |spine| spine.levels.iter().map(|level| level.id.as_str()).collect());
        for (at, prices) in prices::prices(&frame, &ids, &levels, &settings.weights).into_iter().enumerate() {
            frame.tables[at].prices = prices;
        }
        let rules = LinkRule::all(&frame, census);
        let count = |table: usize, index: usize| frame.tables[table].counts.get(index).map(|&count| i64::from(count));
        let members = |link: usize, spine_node: u32, nodes: &[(usize, u32)]| {
            census.members.get(link).and_then(|members| links::members_at(&frame, members, spine_node, nodes))
        };
        let mut links = Vec::new();
        for (at, rule) in rules.iter().enumerate() {
            let facts = Facts { count: &count, members: &members };
            let rooms = rule.rooms(&frame, &facts).zip(rule.relief(&frame, &facts));
            let rooms = rooms.ok_or_else(|| Error::Internal("a link is made of something that was not counted".into()))?;
            links.extend(rule.layout(&frame, rooms, frame.tables.len() + at));
        }
        if frame.tables.len() + links.len() > MOST_TABLES {
            return Err(Error::Input(format!(
                "{} tables and {} links between them; at most {MOST_TABLES} can be protected together",
                tables.len(),
                links.len()
            )));
        }
        frame.tables.extend(links);
        frame.rules = rules;
        frame.combinations = links::combinations(&frame);
        frame.outside = links::outside(&frame, census);
        frame.share_few();
        Ok(frame)
    }

    /// A cell that comes from too few households does so in every table that has it, whether or not the rule applies to that table.
    fn share_few(&mut self) {
        let mut shared: Vec<Vec<u32>> = self.tables.iter().map(|layout| layout.few.clone()).collect();
        let mut nodes = Vec::new();
        for layout in self.tables.iter().filter(|layout| layout.kind == Kind::Published) {
            for &cell in &layout.few {
                layout.nodes(cell % layout.inner as u32, &mut nodes);
                let spine_node = layout.spine_nodes[cell as usize / layout.inner];
                for (other, shared) in self.tables.iter().zip(&mut shared) {
                    if other.kind != Kind::Link && other.unit == layout.unit {
                        let at =
                            (0..nodes.len()).filter(|&dimension| dimension != self.spine).map(|dimension| (dimension, nodes[dimension]));
                        shared.extend(other.index(spine_node, at).map(|index| index as u32));
                    }
                }
            }
        }
        for (layout, mut few) in self.tables.iter_mut().zip(shared) {
            few.sort_unstable();
            few.dedup();
            layout.few = few;
        }
    }

    /// If the cell at this index of whole rows holds all of a small group along an inner dimension: the other categories.
    pub fn group(&self, table: usize, index: usize, counts: &[u32], marks: &[u8], dimension: usize) -> Option<Vec<usize>> {
        let count = counts[index];
        if count == 0 || count >= self.small_group || self.tables[table].kind != Kind::Published {
            return None;
        }
        let axis = self.tables[table].axes()[dimension].as_ref()?;
        let position = index % self.tables[table].inner / axis.stride as usize % axis.nodes.len();
        let tree = &self.trees[dimension];
        let parent = tree.parent[axis.nodes[position] as usize];
        if parent == NONE {
            return None;
        }
        let at = |node: u32| index + axis.position[node as usize] as usize * axis.stride as usize - position * axis.stride as usize;
        if counts[at(parent)] != count {
            return None;
        }
        // Siblings share a level, so the axis has them all. Where no other category can occur, everybody knows it.
        let others = tree.children[parent as usize].iter().filter(|&&node| node != axis.nodes[position]).map(|&node| at(node));
        let others: Vec<usize> = others.filter(|&other| marks[other] & IMPOSSIBLE == 0).collect();
        (!others.is_empty()).then_some(others)
    }

    /// Changes of a node of households and of its siblings that keep both the number of households and that of people.
    pub fn combinations(&self, dimension: usize, node: u32) -> &[Vec<(u32, i32)>] {
        self.combinations.get(&(dimension, node)).map_or(&[], Vec::as_slice)
    }

    /// How far down and up the range of a primary of this count must reach; no further down than what is known of it before anything is
    /// published.
    pub fn goals(&self, table: usize, index: usize, count: u32, rule: &Rule) -> (u32, u32) {
        let (low, high) = rule.goals(count);
        (low.max(self.outside.get(&(table, index)).copied().unwrap_or(0)).min(count.max(low)), high)
    }

    /// Whether so much is known of a primary before anything is published that it cannot be as small as the rule asks.
    pub fn is_floored(&self, table: usize, index: usize, count: u32, rule: &Rule) -> bool {
        self.outside.contains_key(&(table, index)) && self.goals(table, index, count, rule).0 > rule.goals(count).0
    }

    /// The first table that has a cell of a published table, and its number there.
    pub fn owner(&self, table: u16, cell: u32) -> (u16, u32) {
        let find = || {
            let layout = self.tables.iter().find(|layout| layout.input == usize::from(table))?;
            let index = layout.index_of(cell)?;
            let (spine_node, mut nodes) = (layout.spine_nodes[index / layout.inner], Vec::new());
            layout.nodes((index % layout.inner) as u32, &mut nodes);
            let inner = || (0..nodes.len()).filter(|&dimension| dimension != self.spine).map(|dimension| (dimension, nodes[dimension]));
            let of_unit = self.tables.iter().filter(|other| other.kind != Kind::Link && other.unit == layout.unit);
            of_unit.into_iter().find_map(|other| {
                let index = other.index(spine_node, inner())?;
                Some((other.input as u16, other.cell(index / other.inner, index % other.inner)))
            })
        };
        find().unwrap_or((table, cell))
    }

    /// Whether it is already asked of a cell.
    pub fn meets(&self, table: u16, cell: u32, demand: &Demand) -> bool {
        let layout = self.tables.iter().find(|layout| layout.input == usize::from(table));
        let own = layout.and_then(|layout| layout.demands.get(&(layout.index_of(cell)? as u32)));
        own.is_some_and(|own| own.join(*demand) == *own)
    }

    /// Withholds a cell, in every table that has it, and has it changed as an earlier revision asks; `false` if that is asked for already.
    pub fn demand(&mut self, table: u16, cell: u32, demand: Demand) -> bool {
        if self.meets(table, cell, &demand) {
            return false;
        }
        let Some(layout) = self.tables.iter().find(|layout| layout.input == usize::from(table)) else { return false };
        let Some(index) = layout.index_of(cell) else { return false };
        let (spine_node, mut nodes) = (layout.spine_nodes[index / layout.inner], Vec::new());
        layout.nodes((index % layout.inner) as u32, &mut nodes);
        let (unit, spine) = (layout.unit, self.spine);
        for other in self.tables.iter_mut().filter(|other| other.kind != Kind::Link && other.unit == unit) {
            let inner = (0..nodes.len()).filter(|&dimension| dimension != spine).map(|dimension| (dimension, nodes[dimension]));
            if let Some(index) = other.index(spine_node, inner) {
                let own = other.demands.entry(index as u32).or_insert(demand);
                *own = own.join(demand);
            }
        }
        true
    }

    /// For a cell of a joint table the table that is published and has it too, and its index there.
    pub fn published_cell(&self, table: usize, index: usize) -> Option<(usize, usize)> {
        let layout = &self.tables[table];
        let (spine_node, mut nodes) = (layout.spine_nodes[index / layout.inner], Vec::new());
        layout.nodes((index % layout.inner) as u32, &mut nodes);
        let inner = || (0..nodes.len()).filter(|&dimension| dimension != self.spine).map(|dimension| (dimension, nodes[dimension]));
        let published = self.tables.iter().enumerate().filter(|(_, other)| other.kind == Kind::Published && other.unit == layout.unit);
        published.into_iter().find_map(|(at, other)| Some((at, other.index(spine_node, inner())?)))
    }

    /// The spine's tree.
    pub fn spine_tree(&self) -> &Tree {
        &self.trees[self.spine]
    }
}
