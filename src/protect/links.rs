//! The room that people and households leave each other, as tables whose cells must not become negative.
//!
//! ```text
//! members - sum of least x households       people beyond the least that households of these sizes hold      >= 0
//! sum of most x households - members        people whom households of these sizes could hold besides         >= 0
//! people of a head's sex and age - heads    people who are no heads                                          >= 0
//! ```
//!
//! Members are people less those outside of counted households, whose number is taken to be known and to stay as it is. So a further
//! person in a village adds one to the first cell and takes one from the second; a household of three people that becomes one of four
//! takes one from the first and adds one to the second. With these cells in their way, people and households move as if they
//! were one system: the cells are never published, cost nothing, and are only looked at where they would run out.

use rustc_hash::FxHashMap;

use super::frame::{Frame, InnerAxis, Kind, Layout, NONE, Tree, View};
use crate::{
    register::{Dimension, MembersLink, Unit},
    worlds::{Census, Counted},
};

/// Stands for the most members of a household where nobody knows a limit.
const ENDLESS: u32 = 100_000;
/// The most room that is told: more is as good.
const PLENTY: i64 = i32::MAX as i64 / 4;

/// What the room in links is worked out from, of one revision or of a world of it.
pub struct Facts<'f> {
    /// The count at an index of a table of the frame, if it was counted.
    pub count: &'f dyn Fn(usize, usize) -> Option<i64>,
    /// Members of counted households by link, at a spine node and at nodes of other shared dimensions.
    pub members: &'f MembersOf<'f>,
}

/// Members by link, spine node and nodes of other dimensions.
pub type MembersOf<'f> = dyn Fn(usize, u32, &[(usize, u32)]) -> Option<i64> + 'f;

/// How the room in one table of links is worked out.
#[derive(Debug)]
pub enum LinkRule {
    /// What households of the sizes that they have must hold or could hold.
    Room(Room),
    /// Heads among people.
    Heads(Heads),
}

impl LinkRule {
    /// Finds all links between the tables of a frame.
    pub fn all(frame: &Frame<'_>, census: &Census<'_>) -> Vec<Self> {
        let rooms =
            census.links.members.iter().enumerate().flat_map(|(at, link)| {
                [false, true].into_iter().filter_map(move |most| Room::new(frame, census.dimensions, (at, link), most))
            });
        let mut found: Vec<Self> = rooms.map(Self::Room).collect();
        let mut heads: Vec<Heads> = Vec::new();
        for (table, layout) in frame.tables.iter().enumerate().filter(|(_, layout)| layout.unit == Unit::Household) {
            for (other, people) in frame.tables.iter().enumerate().filter(|(_, layout)| layout.unit == Unit::Person) {
                heads.extend(Heads::new(frame, census, (table, layout), (other, people)));
            }
        }
        // Those that compare most first, so that others which add nothing are left out.
        heads.sort_by_key(|heads| (std::cmp::Reverse(heads.pairs.len()), std::cmp::Reverse(heads.cut), heads.table, heads.people));
        let mut kept: Vec<Heads> = Vec::new();
        for heads in heads {
            if !kept.iter().any(|other| other.implies(&heads)) {
                kept.push(heads);
            }
        }
        found.extend(kept.into_iter().map(Self::Heads));
        found
    }

    /// Finest spine level of its rows.
    fn cut(&self) -> u8 {
        match self {
            Self::Room(room) => room.cut,
            Self::Heads(heads) => heads.cut,
        }
    }

    /// Inner cells of a row.
    fn inner(&self) -> usize {
        match self {
            Self::Room(room) => room.shared.iter().map(|shared| shared.leaves.len()).product(),
            Self::Heads(heads) => heads.pairs.iter().map(|pair| pair.classes.len()).product(),
        }
    }

    /// Spine node and inner offset of all cells, row by row.
    fn cells(&self, frame: &Frame<'_>) -> impl Iterator<Item = (u32, usize)> {
        let (_, spine_nodes) = rows(frame.spine_tree(), self.cut());
        let inner = self.inner();
        spine_nodes.into_iter().flat_map(move |node| (0..inner).map(move |inner| (node, inner)))
    }

    /// The room in a cell; `None` where not all was counted that it is worked out from.
    fn room(&self, frame: &Frame<'_>, spine_node: u32, inner: usize, facts: &Facts<'_>) -> Option<i64> {
        match self {
            Self::Room(room) => room.room(frame, spine_node, inner, facts),
            Self::Heads(heads) => heads.room(frame, spine_node, inner, facts),
        }
    }

    /// The room in all cells, row by row; `None` where not all was counted.
    pub fn rooms(&self, frame: &Frame<'_>, facts: &Facts<'_>) -> Option<Vec<u32>> {
        // Where a household is larger than anybody would believe, what there is must be believed.
        self.cells(frame).map(|(node, inner)| Some(self.room(frame, node, inner, facts)?.clamp(0, PLENTY) as u32)).collect()
    }

    /// How much more room there is in all cells, row by row, to those who know of nobody outside of counted households: whoever is there could
    /// live in one, and of anybody the households lack they know nothing. Empty for links that are the same to them.
    pub fn relief(&self, frame: &Frame<'_>, facts: &Facts<'_>) -> Option<Vec<u32>> {
        let Self::Room(room) = self else { return Some(Vec::new()) };
        self.cells(frame).map(|(node, inner)| Some(room.relief(frame, node, inner, facts)?.clamp(0, PLENTY) as u32)).collect()
    }

    /// Whether those who know of nobody outside of counted households know of the link.
    pub fn is_known_to_unaware(&self) -> bool {
        !matches!(self, Self::Room(room) if room.most)
    }

    /// Whether a world leaves room in all rows of some spine nodes, given the facts with and without its changes.
    pub fn holds(&self, frame: &Frame<'_>, spine_nodes: &[u32], before: &Facts<'_>, after: &Facts<'_>) -> bool {
        let is_row = |node: &u32| {
            let tree = frame.spine_tree();
            tree.level[*node as usize] <= self.cut() && tree.is_leaf(*node, self.cut())
        };
        spine_nodes.iter().filter(|node| is_row(node)).all(|&node| {
            (0..self.inner()).all(|inner| match (self.room(frame, node, inner, before), self.room(frame, node, inner, after)) {
                (Some(before), Some(after)) => after >= before.min(0),
                (None, _) => true,
                (Some(_), None) => false,
            })
        })
    }

    /// The table of room, to stand at a position of the frame.
    pub fn layout<'a>(&self, frame: &Frame<'a>, (counts, relief): (Vec<u32>, Vec<u32>), at: usize) -> Option<Layout<'a>> {
        let (row, spine_nodes) = rows(frame.spine_tree(), self.cut());
        let views = match self {
            Self::Room(room) => room.views(frame)?,
            Self::Heads(heads) => heads.views(frame),
        };
        Some(Layout::link(at, self.cut(), row, spine_nodes, self.inner(), views, (counts, relief)))
    }
}

/// People outside of counted households are known to be there, whatever is published: by table of people and index of the cell that counts
/// everybody in a place, where there are any.
pub fn outside(frame: &Frame<'_>, census: &Census<'_>) -> FxHashMap<(usize, usize), u32> {
    let mut found = FxHashMap::default();
    for (link, members) in census.links.members.iter().zip(census.members) {
        let tree_of = |id: &str| frame.trees.iter().position(|tree| tree.id == id);
        let Some(shared) = link.shared.iter().map(|id| tree_of(id)).collect::<Option<Vec<usize>>>() else { continue };
        let people = frame.tables.iter().enumerate().filter(|(_, layout)| layout.kind == Kind::Published && layout.unit == Unit::Person);
        for (table, layout) in people {
            // All nodes of the shared dimensions that the table has; the others are at their totals.
            let mut places: Vec<Vec<(usize, u32)>> = vec![Vec::new()];
            for &dimension in shared.iter().filter(|&&dimension| dimension != frame.spine) {
                let Some(axis) = &layout.axes()[dimension] else { continue };
                let with = |place: &Vec<(usize, u32)>, &node: &u32| place.iter().copied().chain([(dimension, node)]).collect::<Vec<_>>();
                places = places.iter().flat_map(|place| axis.nodes.iter().map(move |node| with(place, node))).collect();
            }
            let rows = if shared.contains(&frame.spine) { layout.spine_nodes.as_slice() } else { &[0] };
            for &spine_node in rows {
                for place in &places {
                    let Some(index) = layout.index(spine_node, place.iter().copied()) else { continue };
                    let members = members_at(frame, members, spine_node, place).unwrap_or(0);
                    let outside = i64::from(layout.counts[index]) - members;
                    if outside > 0 {
                        found.insert((table, index), outside as u32);
                    }
                }
            }
        }
    }
    found
}

/// By dimension and node: nodes with their changes, several choices of them.
pub type Combinations = FxHashMap<(usize, u32), Vec<Vec<(u32, i32)>>>;

/// For each size of households the changes of it and of other sizes that keep the number of households and that of people: +1, -2, +1 for
/// sizes that are equally far apart, or +1, -1, -1, +1 for two pairs with the same sum.
pub fn combinations(frame: &Frame<'_>) -> Combinations {
    let mut found = FxHashMap::default();
    let views = frame.tables.iter().filter(|layout| layout.kind == Kind::Link).filter_map(|layout| layout.axes_for(Unit::Household));
    for (dimension, axis) in views.flat_map(|axes| axes.iter().enumerate()).filter_map(|(at, axis)| axis.as_ref().map(|axis| (at, axis))) {
        let Some(weights) = &axis.weights else { continue };
        let tree = &frame.trees[dimension];
        for siblings in &tree.children {
            // What a household of the open size holds at least stands for it; the room above is looked at when it is used.
            let sizes: Vec<(u32, i64)> = siblings
                .iter()
                .filter(|&&node| axis.position[node as usize] != NONE)
                .map(|&node| (node, i64::from(weights[node as usize])))
                .collect();
            for &target in &sizes {
                found.entry((dimension, target.0)).or_insert_with(|| combinations_of(target, &sizes));
            }
        }
    }
    found
}

fn combinations_of(target: (u32, i64), sizes: &[(u32, i64)]) -> Vec<Vec<(u32, i32)>> {
    let mut found = Vec::new();
    let (node, size) = target;
    let others = || sizes.iter().copied().filter(move |other| other.0 != node);
    for (second, of_second) in others() {
        for (third, of_third) in others().filter(|other| other.0 != second) {
            if size + of_third == 2 * of_second {
                found.push(vec![(node, 1), (second, -2), (third, 1)]);
            }
            if second < third && of_second + of_third == 2 * size {
                found.push(vec![(node, 2), (second, -1), (third, -1)]);
            }
            for (fourth, of_fourth) in others().filter(|other| other.0 != second && other.0 != third && second < other.0) {
                if size + of_third == of_second + of_fourth {
                    found.push(vec![(node, 1), (second, -1), (third, 1), (fourth, -1)]);
                }
            }
        }
    }
    found
}

/// The rows of a link: spine nodes that are finest down to a level.
fn rows(tree: &Tree, cut: u8) -> (Vec<u32>, Vec<u32>) {
    let nodes: Vec<u32> =
        (0..tree.parent.len() as u32).filter(|&node| tree.level[node as usize] <= cut && tree.is_leaf(node, cut)).collect();
    let mut row = vec![NONE; tree.parent.len()];
    for (at, &node) in nodes.iter().enumerate() {
        row[node as usize] = at as u32;
    }
    (row, nodes)
}

/// A dimension that both sides of a link have, down to the finest level on which both have it.
#[derive(Debug)]
struct Shared {
    /// Position in [`Frame::trees`].
    dimension: usize,
    leaves: Vec<u32>,
    cut: u8,
}

/// What households of the sizes that they have could hold more, or must hold less.
#[derive(Debug)]
pub struct Room {
    /// Position of the link.
    at: usize,
    link: MembersLink,
    most: bool,
    /// Positions in [`Frame::tables`] of a table of people, and of one of households that shows their sizes.
    people: usize,
    households: usize,
    cut: u8,
    /// Shared dimensions but for the spine.
    shared: Vec<Shared>,
    /// Position in [`Frame::trees`] of the size, and its base leaves.
    size: usize,
    sizes: Vec<u32>,
}

impl Room {
    /// `None` where no table of people and no table of households have all that is shared.
    fn new(frame: &Frame<'_>, dimensions: &[Dimension], (at, link): (usize, &MembersLink), most: bool) -> Option<Self> {
        let tree_of = |id: &str| frame.trees.iter().position(|tree| tree.id == id);
        let size = tree_of(&link.size)?;
        let shared: Vec<usize> = link.shared.iter().map(|id| tree_of(id)).collect::<Option<_>>()?;
        let sizes = dimensions.iter().find(|dimension| dimension.id == link.size)?.base_leaves();
        let by_spine = shared.contains(&frame.spine);
        let inner_shared: Vec<usize> = shared.into_iter().filter(|&dimension| dimension != frame.spine).collect();
        // Of several tables of a unit that have all shared dimensions the one that has them finest.
        let best = |unit: Unit, has_rest: &dyn Fn(&Layout<'_>) -> bool| {
            let of_unit = frame.tables.iter().enumerate().filter(|(_, layout)| layout.kind != Kind::Link && layout.unit == unit);
            of_unit
                .filter(|(_, layout)| inner_shared.iter().all(|&dimension| layout.axes()[dimension].is_some()) && has_rest(layout))
                .max_by_key(|(at, layout)| {
                    let axes = inner_shared.iter().filter_map(|&dimension| layout.axes()[dimension].as_ref());
                    (layout.cut, axes.map(|axis| u32::from(axis.cut)).sum::<u32>(), std::cmp::Reverse(*at))
                })
        };
        let has_sizes = |layout: &Layout<'_>| {
            layout.axes()[size].as_ref().is_some_and(|axis| sizes.iter().all(|&leaf| axis.position[leaf as usize] != NONE))
        };
        let ((people_at, people), (households_at, households)) = (best(Unit::Person, &|_| true)?, best(Unit::Household, &has_sizes)?);
        let shared = inner_shared.into_iter().map(|dimension| {
            let cut = [people, households].iter().filter_map(|layout| layout.axes()[dimension].as_ref()).map(|axis| axis.cut).min()?;
            let mut leaves = Vec::new();
            frame.trees[dimension].leaves(0, cut, &mut leaves);
            Some(Shared { dimension, leaves, cut })
        });
        Some(Self {
            at,
            link: link.clone(),
            most,
            people: people_at,
            households: households_at,
            cut: if by_spine { people.cut.min(households.cut) } else { 0 },
            shared: shared.collect::<Option<_>>()?,
            size,
            sizes,
        })
    }

    /// People whom households hold at least or at most, for each household of a size.
    fn each(&self, size: usize) -> u32 {
        let members = self.link.members[size];
        if self.most { members.most.unwrap_or(ENDLESS) } else { members.least }
    }

    /// Nodes of the shared dimensions, but for the spine, of an inner cell.
    fn nodes(&self, inner: usize) -> Vec<(usize, u32)> {
        let (mut nodes, mut rest) = (Vec::new(), inner);
        for shared in self.shared.iter().rev() {
            nodes.push((shared.dimension, shared.leaves[rest % shared.leaves.len()]));
            rest /= shared.leaves.len();
        }
        nodes
    }

    fn relief(&self, frame: &Frame<'_>, spine_node: u32, inner: usize, facts: &Facts<'_>) -> Option<i64> {
        if self.most {
            return Some(PLENTY);
        }
        let nodes = self.nodes(inner);
        let (table, index) = self.everybody(frame, spine_node, &nodes)?;
        Some((facts.count)(table, index)? - (facts.members)(self.at, spine_node, &nodes)?)
    }

    fn room(&self, frame: &Frame<'_>, spine_node: u32, inner: usize, facts: &Facts<'_>) -> Option<i64> {
        let households = &frame.tables[self.households];
        let nodes = self.nodes(inner);
        let here = (facts.members)(self.at, spine_node, &nodes)?;
        let mut held = 0;
        for (size, &leaf) in self.sizes.iter().enumerate() {
            let cell = households.index(spine_node, nodes.iter().copied().chain([(self.size, leaf)]))?;
            held += i64::from(self.each(size)) * (facts.count)(self.households, cell)?;
        }
        Some(if self.most { held - here } else { here - held })
    }

    fn views(&self, frame: &Frame<'_>) -> Option<[Option<View>; 2]> {
        let mut axes: Vec<Option<InnerAxis>> = frame.trees.iter().map(|_| None).collect();
        let mut stride = 1;
        for shared in self.shared.iter().rev() {
            let mut position = vec![NONE; frame.trees[shared.dimension].parent.len()];
            for (at, &leaf) in shared.leaves.iter().enumerate() {
                position[leaf as usize] = at as u32;
            }
            axes[shared.dimension] = Some(InnerAxis { stride, position, nodes: shared.leaves.clone(), cut: shared.cut, weights: None });
            stride *= shared.leaves.len() as u32;
        }
        let mut of_households = axes.clone();
        let tree = &frame.trees[self.size];
        let (mut position, mut weights) = (vec![NONE; tree.parent.len()], vec![0; tree.parent.len()]);
        for (size, &leaf) in self.sizes.iter().enumerate() {
            position[leaf as usize] = 0;
            weights[leaf as usize] = self.each(size) as i32;
        }
        let cut = self.sizes.iter().map(|&leaf| tree.level[leaf as usize]).max()?;
        of_households[self.size] = Some(InnerAxis { stride: 1, position, nodes: Vec::new(), cut, weights: Some(weights) });
        let (person, household) = if self.most { (-1, 1) } else { (1, -1) };
        Some([Some(View { axes, sign: person }), Some(View { axes: of_households, sign: household })])
    }

    /// Index of the cell that counts everybody at a place in the table of people of this room.
    fn everybody(&self, frame: &Frame<'_>, spine_node: u32, nodes: &[(usize, u32)]) -> Option<(usize, usize)> {
        Some((self.people, frame.tables[self.people].index(spine_node, nodes.iter().copied())?))
    }
}

/// Where a link looks for everybody at a place: table and index.
pub fn everybody(rules: &[LinkRule], frame: &Frame<'_>, link: usize, spine_node: u32, nodes: &[(usize, u32)]) -> Option<(usize, usize)> {
    rules.iter().find_map(|rule| match rule {
        LinkRule::Room(room) if room.at == link => room.everybody(frame, spine_node, nodes),
        _ => None,
    })
}

/// Members of counted households at nodes of the shared dimensions.
pub fn members_at(frame: &Frame<'_>, members: &Counted<'_>, spine_node: u32, nodes: &[(usize, u32)]) -> Option<i64> {
    let mut cell = 0;
    for ((table_axis, axis), stride) in members.table.axes.iter().zip(&members.shape.axes).zip(&members.shape.strides) {
        let dimension = frame.trees.iter().position(|tree| tree.id == table_axis.dimension)?;
        let at = nodes.iter().find(|(of, _)| *of == dimension).map_or(0, |(_, node)| *node);
        let node = if dimension == frame.spine { spine_node } else { at };
        cell += axis.nodes.binary_search(&node).ok()? as u64 * stride;
    }
    members.counts.get(cell as usize).map(|&count| i64::from(count))
}

/// Heads of households of one table beside the people of another.
#[derive(Debug)]
pub struct Heads {
    /// Positions in [`Frame::tables`].
    table: usize,
    people: usize,
    cut: u8,
    pairs: Vec<Pair>,
}

/// A dimension of heads beside one of people.
#[derive(Debug)]
struct Pair {
    head: usize,
    person: usize,
    /// Finest level of heads that is compared.
    level: u8,
    /// Nodes of heads, the finest on that level, each with the nodes of people that make it up.
    classes: Vec<(u32, Vec<u32>)>,
}

impl Heads {
    fn new(frame: &Frame<'_>, census: &Census<'_>, table: (usize, &Layout<'_>), people: (usize, &Layout<'_>)) -> Option<Self> {
        let tree_of = |id: &str| frame.trees.iter().position(|tree| tree.id == id);
        let mut pairs = Vec::new();
        for pair in &census.links.heads {
            let (Some(head), Some(person)) = (tree_of(&pair.head), tree_of(&pair.person)) else { continue };
            if head == frame.spine || person == frame.spine {
                continue;
            }
            let (Some(of_heads), Some(of_people)) = (&table.1.axes()[head], &people.1.axes()[person]) else { continue };
            let base = |dimension: usize| {
                let id = &frame.trees[dimension].id;
                census.dimensions.iter().find(|dimension| dimension.id == *id).map(|dimension| dimension.axis(dimension.finest()).bases)
            };
            let (Some(head_bases), Some(person_bases)) = (base(head), base(person)) else { continue };
            // As fine as people can be put together to the nodes of heads.
            let found = (1..=of_heads.cut).rev().find_map(|level| {
                let mut leaves = Vec::new();
                frame.trees[head].leaves(0, level, &mut leaves);
                let class = |leaf: u32| {
                    let wanted = &head_bases[leaf as usize];
                    let is_within =
                        |node: u32| person_bases[node as usize].clone().all(|base| wanted.contains(&pair.classes[base as usize]));
                    cover(
                        &frame.trees[person],
                        0,
                        of_people.cut,
                        &|node| person_bases[node as usize].clone().any(|base| wanted.contains(&pair.classes[base as usize])),
                        &is_within,
                    )
                    .map(|nodes| (leaf, nodes))
                };
                leaves.into_iter().map(class).collect::<Option<Vec<_>>>().map(|classes| Pair { head, person, level, classes })
            });
            pairs.extend(found);
        }
        let cut = if census.links.heads.iter().any(|pair| pair.head == pair.person && pair.head == frame.spine_tree().id) {
            table.1.cut.min(people.1.cut)
        } else {
            0
        };
        (!pairs.is_empty() || cut > 0).then_some(Self { table: table.0, people: people.0, cut, pairs })
    }

    /// Whether what this compares tells whether the other holds.
    fn implies(&self, other: &Self) -> bool {
        let has = |pair: &Pair| self.pairs.iter().any(|own| own.head == pair.head && own.level >= pair.level);
        self.cut >= other.cut && other.pairs.iter().all(has)
    }

    fn room(&self, frame: &Frame<'_>, spine_node: u32, inner: usize, facts: &Facts<'_>) -> Option<i64> {
        let (households, people) = (&frame.tables[self.table], &frame.tables[self.people]);
        let mut rest = inner;
        let (mut head_nodes, mut person_nodes) = (Vec::new(), vec![Vec::new()]);
        for pair in self.pairs.iter().rev() {
            let (head, persons) = &pair.classes[rest % pair.classes.len()];
            rest /= pair.classes.len();
            head_nodes.push((pair.head, *head));
            person_nodes = person_nodes
                .iter()
                .flat_map(|nodes: &Vec<(usize, u32)>| {
                    persons.iter().map(move |&node| nodes.iter().copied().chain([(pair.person, node)]).collect())
                })
                .collect();
        }
        let mut room = -(facts.count)(self.table, households.index(spine_node, head_nodes)?)?;
        for nodes in person_nodes {
            room += (facts.count)(self.people, people.index(spine_node, nodes)?)?;
        }
        Some(room)
    }

    fn views(&self, frame: &Frame<'_>) -> [Option<View>; 2] {
        let (mut of_people, mut of_heads) = (Vec::new(), Vec::new());
        of_people.resize_with(frame.trees.len(), || None);
        of_heads.resize_with(frame.trees.len(), || None);
        let mut stride = 1;
        for pair in self.pairs.iter().rev() {
            let axis = |dimension: usize, nodes: &mut dyn Iterator<Item = (u32, u32)>| {
                let tree = &frame.trees[dimension];
                let (mut position, mut cut) = (vec![NONE; tree.parent.len()], 0);
                for (class, node) in nodes {
                    position[node as usize] = class;
                    cut = cut.max(tree.level[node as usize]);
                }
                Some(InnerAxis { stride, position, nodes: Vec::new(), cut, weights: None })
            };
            let classes = || pair.classes.iter().zip(0u32..);
            of_heads[pair.head] = axis(pair.head, &mut classes().map(|((head, _), class)| (class, *head)));
            of_people[pair.person] =
                axis(pair.person, &mut classes().flat_map(|((_, nodes), class)| nodes.iter().map(move |&node| (class, node))));
            stride *= pair.classes.len() as u32;
        }
        [Some(View { axes: of_people, sign: 1 }), Some(View { axes: of_heads, sign: -1 })]
    }
}

/// The fewest nodes, down to a level, that hold just what is wanted; `None` if a node on that level holds both.
fn cover(tree: &Tree, node: u32, cut: u8, touches: &dyn Fn(u32) -> bool, is_within: &dyn Fn(u32) -> bool) -> Option<Vec<u32>> {
    if !touches(node) {
        return Some(Vec::new());
    }
    if is_within(node) {
        return Some(vec![node]);
    }
    if tree.is_leaf(node, cut) {
        return None;
    }
    let mut found = Vec::new();
    for &child in &tree.children[node as usize] {
        found.extend(cover(tree, child, cut, touches, is_within)?);
    }
    Some(found)
}
