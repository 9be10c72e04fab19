//! The tables of one unit, laid out for protection.
//!
//! One dimension, the *spine* (in practice the region), divides the work: the cells below one spine node are one piece
//! of memory in every table. A cell is a spine node, its *row*, and an *inner* offset that numbers the combination of
//! all other dimensions.

use std::borrow::Cow;

use super::{family::IMPOSSIBLE, prices, settings::Settings};
use crate::{
    register::{Dimension, Unit},
    worlds::Counted,
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

    /// Whether `node` is `above` or lies below it.
    pub fn is_within(&self, node: u32, above: u32) -> bool {
        node >= above && node < self.end[above as usize]
    }
}

/// One inner axis of a table.
#[derive(Debug)]
pub struct InnerAxis {
    /// Distance of neighbours in the inner numbering.
    pub stride: u32,
    /// Node of the dimension to position on the axis; [`NONE`] below the cut.
    pub position: Vec<u32>,
    /// Position on the axis to node of the dimension.
    pub nodes: Vec<u32>,
    /// Finest level of the axis.
    pub cut: u8,
}

/// One table of the unit.
#[derive(Debug)]
pub struct Layout<'a> {
    /// Position of the table in the release.
    pub input: usize,
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
    /// Inner axes by position in [`Frame::trees`]; `None` for the spine and for dimensions that the table lacks.
    pub axes: Vec<Option<InnerAxis>>,
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
    spine_stride: u64,
    inner_cells: Vec<u64>,
}

impl Layout<'_> {
    /// Number of a cell in its table's shape.
    pub fn cell(&self, row: usize, inner: usize) -> u32 {
        (row as u64 * self.spine_stride + self.inner_cells[inner]) as u32
    }

    /// The node of each inner dimension at an inner offset; the root where the table lacks the dimension.
    pub fn nodes(&self, inner: u32, into: &mut Vec<u32>) {
        into.clear();
        into.extend(
            self.axes.iter().map(|axis| axis.as_ref().map_or(0, |axis| axis.nodes[(inner / axis.stride) as usize % axis.nodes.len()])),
        );
    }

    /// Whether this table is the first of those that have the cell.
    #[inline]
    pub fn owns(&self, row: usize, inner: usize) -> bool {
        self.inner_tables[inner] & self.row_tables[row] & self.earlier == 0
    }
}

/// All tables of one unit.
#[derive(Debug)]
pub struct Frame<'a> {
    /// Every dimension that some table has.
    pub trees: Vec<Tree>,
    /// Position of the spine in [`Frame::trees`].
    pub spine: usize,
    /// Finest spine level of any table.
    pub finest: u8,
    /// The tables.
    pub tables: Vec<Layout<'a>>,
    /// Positions in [`Frame::trees`] of the sensitive dimensions.
    pub sensitive: Vec<usize>,
    /// Groups of fewer members than this are small.
    pub small_group: u32,
}

impl<'a> Frame<'a> {
    /// Lays out the tables of one unit; `None` if there are none.
    pub fn new(tables: &[Counted<'a>], dimensions: &[Dimension], unit: Unit, settings: &Settings) -> Option<Self> {
        let weights = &settings.weights;
        let chosen: Vec<usize> = (0..tables.len()).filter(|&at| tables[at].table.unit == unit).collect();
        // The spine is in most tables and, among those, the largest.
        let uses = |id: &str| chosen.iter().filter(|&&at| tables[at].table.axes.iter().any(|axis| axis.dimension == id)).count();
        let used: Vec<&Dimension> = dimensions.iter().filter(|dimension| uses(&dimension.id) > 0).collect();
        if chosen.is_empty() {
            return None;
        }
        let group = settings.rule.group.as_ref();
        let is_sensitive = |id: &str| group.is_some_and(|group| group.dimensions.iter().any(|of| of == id));
        // Where there is nothing to divide by, a tree of one node stands in.
        let spine = (0..used.len())
            .filter(|&at| !is_sensitive(&used[at].id))
            .max_by_key(|&at| (uses(&used[at].id), used[at].nodes.len(), std::cmp::Reverse(at)))
            .unwrap_or(used.len());
        let level_in = |table: usize, id: &str| {
            let axis = tables[table].table.axes.iter().find(|axis| axis.dimension == id)?;
            dimensions.iter().find(|dimension| dimension.id == id)?.level(&axis.level)
        };
        let finest_of = |id: &str| chosen.iter().filter_map(|&table| level_in(table, id)).max().unwrap_or(0);
        let mut trees: Vec<Tree> = used.iter().map(|dimension| Tree::new(dimension, finest_of(&dimension.id))).collect();
        if spine == used.len() {
            trees.push(Tree { id: String::new(), parent: vec![NONE], level: vec![0], children: vec![Vec::new()], end: vec![1] });
        }
        let finest = finest_of(&trees[spine].id);
        let cuts: Vec<Vec<Option<u8>>> = chosen.iter().map(|&table| trees.iter().map(|tree| level_in(table, &tree.id)).collect()).collect();
        // Bits of the tables that have a node of a dimension.
        let having = |dimension: usize, node: u32| -> u64 {
            let level = trees[dimension].level[node as usize];
            (0..chosen.len())
                .filter(|&table| node == 0 || cuts[table][dimension].is_some_and(|cut| level <= cut))
                .fold(0, |bits, table| bits | 1 << table)
        };
        let layouts = chosen
            .iter()
            .enumerate()
            .map(|(at, &input)| {
                let Counted { table, shape, counts, .. } = tables[input];
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
                    axes[dimension] = Some(InnerAxis { stride: inner as u32, position, nodes: axis.nodes.clone(), cut });
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
                let counts = if in_order {
                    Cow::Borrowed(counts)
                } else {
                    (0..rows as u64)
                        .flat_map(|row| inner_cells.iter().map(move |cell| counts[(row * spine_stride + cell) as usize]))
                        .collect()
                };
                let mut layout = Layout {
                    input,
                    inner,
                    cut: cuts[at][spine].unwrap_or(0),
                    row_tables: spine_nodes.iter().map(|&node| having(spine, node)).collect(),
                    earlier: (1 << at) - 1,
                    row,
                    spine_nodes,
                    table_axes: trees.iter().map(|tree| table.axes.iter().position(|axis| axis.dimension == tree.id)).collect(),
                    axes,
                    inner_tables: Vec::new(),
                    inner_leaf: Vec::new(),
                    prices: Vec::new(),
                    counts,
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
                        bits &= having(dimension, node);
                        if let Some(axis) = &layout.axes[dimension] {
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
        };
        let ids: Vec<&str> = chosen.iter().map(|&at| tables[at].table.id.as_str()).collect();
        let levels: Vec<&str> = used.get(spine).map_or_else(Vec::new, |spine| spine.levels.iter().map(|level| level.id.as_str()).collect());
        for (at, prices) in prices::prices(&frame, &ids, &levels, weights).into_iter().enumerate() {
            frame.tables[at].prices = prices;
        }
        Some(frame)
    }

    /// If the cell at this index of whole rows holds all of a small group along an inner dimension: the other categories.
    pub fn group(&self, table: usize, index: usize, counts: &[u32], marks: &[u8], dimension: usize) -> Option<Vec<usize>> {
        let count = counts[index];
        if count == 0 || count >= self.small_group {
            return None;
        }
        let axis = self.tables[table].axes[dimension].as_ref()?;
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

    /// The spine's tree.
    pub fn spine_tree(&self) -> &Tree {
        &self.trees[self.spine]
    }
}
