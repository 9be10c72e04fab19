//! Patterns: which cells change together.
//!
//! A change is a product. In every inner dimension but one it follows a fixed *pattern*: an exchange between two nodes,
//! which leaves everything from their common ancestor upwards alone, or a single open node, which runs up to the total.
//! In the last dimension, the *free* one, and along the spine it follows a path that [`super::search`] finds. A product
//! of signed whole numbers is a difference of whole records, so tables that share a cell see it change alike.
//!
//! Households of some sizes cannot stand against those of one other size where that would move people in or out: there several sizes
//! stand against each other, one of two and one of four against two of three, see [`Choice::Combination`].

use std::ops::Range;

use super::{
    family::{Family, IMPOSSIBLE, Overlay, Place, SUPPRESSED},
    frame::{Frame, InnerAxis, Kind, Layout, NONE},
    revisions::Way,
};
use crate::register::Unit;

/// Cost of cells that may not be suppressed or do not allow the change.
pub const NEVER: u32 = u32::MAX / 8;
/// Costs from here on mean that something new is suppressed; below it paths only count their length.
pub const NEW: u32 = 1000;
/// Patterns of one free dimension that are searched at most, cheapest first.
const MOST_PLANS: usize = 8;
/// Partners that an exchange tries at most, cheapest first.
const MOST_PARTNERS: usize = 4;
/// Combinations that are tried at most beside them.
const MOST_COMBINATIONS: usize = 6;
/// Stands for the free dimension where no table has any.
pub const NOTHING: usize = usize::MAX;

/// One cell of a column, in every row where the table has one.
#[derive(Debug, Clone, Copy)]
pub struct PlanCell {
    /// Position in [`Frame::tables`].
    pub table: u32,
    /// Inner offset.
    pub inner: u32,
    /// Its change when the column's is one.
    pub sign: i32,
}

/// Patterns of all inner dimensions with the columns of the free one.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The cells of all columns.
    pub cells: Vec<PlanCell>,
    /// Where each column's cells lie; the last column is the total.
    pub columns: Vec<Range<u32>>,
    /// The column of the target.
    pub target: usize,
    /// Finest spine level of the tables that change.
    pub cut: u8,
}

impl Plan {
    /// The column that is the sum of the others.
    pub fn total(&self) -> usize {
        self.columns.len() - 1
    }
}

/// What is to change and by how much.
#[derive(Debug, Clone)]
pub struct Target {
    /// The cell.
    pub place: Place,
    /// Its spine node.
    pub node: u32,
    /// Its inner nodes by dimension.
    pub nodes: Vec<u32>,
    /// The change wanted.
    pub delta: i32,
}

/// Nodes of one dimension and how they change.
type Pattern = Vec<(u32, i32)>;

/// What stands against the target's node in one dimension.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Choice {
    /// Another node.
    Partner(u32),
    /// Several siblings that keep both the number of households and that of people: each with its change, the target's included.
    Combination(Pattern),
    /// Nothing: what is above changes too.
    Open,
}

/// A table that shows nodes below the one that is looked at, with its signed inner offsets in all other dimensions.
struct Finer<'f> {
    table: u32,
    axis: &'f InnerAxis,
    list: Vec<(u32, i32)>,
}

/// What costs are worked out from.
#[derive(Debug, Clone, Copy)]
pub struct Look<'f, 'a> {
    /// The cells.
    pub family: &'f Family<'a>,
    /// The world so far.
    pub overlay: &'f Overlay,
    /// A cell that may not be used.
    pub banned: u32,
    /// Whether cells may be newly suppressed.
    pub may_suppress: bool,
    /// The way in which the world is made.
    pub way: Way,
}

impl<'f, 'a> Look<'f, 'a> {
    /// Any cell may be used and newly suppressed.
    pub fn new(family: &'f Family<'a>, overlay: &'f Overlay) -> Self {
        Self { family, overlay, banned: NONE, may_suppress: true, way: Way::default() }
    }

    /// Cost of changing these cells in the row of a spine node by `delta` times their sign; [`NEVER`] if that cannot be.
    pub fn cost(&self, node: u32, cells: &[PlanCell], delta: i32) -> u32 {
        self.cost_below(node, cells, delta, NEVER)
    }

    /// The same, but [`NEVER`] also where the cost is not below a limit.
    #[inline]
    pub fn cost_below(&self, node: u32, cells: &[PlanCell], delta: i32, limit: u32) -> u32 {
        let family = self.family;
        let Some(local) = node.checked_sub(family.top) else { return NEVER };
        let is_true = self.overlay.is_empty();
        let (mut table, mut start) = (u32::MAX, NONE);
        let mut sum = 0;
        for cell in cells {
            // A column's cells lie table by table.
            if cell.table != table {
                table = cell.table;
                start = family.starts[table as usize][local as usize];
            }
            if start == NONE {
                continue;
            }
            let slice = &family.slices[table as usize];
            let index = (start + cell.inner) as usize;
            let mark = slice.marks[index];
            if mark & IMPOSSIBLE != 0 || self.way.lock != 0 && slice.locks.get(index).is_some_and(|locks| locks & self.way.lock != 0) {
                return NEVER;
            }
            let number = slice.base + index as u32;
            let before = if is_true { 0 } else { self.overlay.get(number) };
            let change = cell.sign * delta;
            if change < 0 && slice.spare(index, self.way.unaware) + before + change < 0 || number == self.banned {
                return NEVER;
            }
            if mark & SUPPRESSED != 0 || before != 0 {
                sum += 1;
            } else if self.may_suppress {
                sum += slice.prices[index];
                if sum >= limit {
                    return NEVER;
                }
            } else {
                return NEVER;
            }
        }
        sum
    }
}

/// Makes the plans that may serve a target, by free dimension.
#[derive(Debug)]
pub struct Planner<'f, 'a> {
    look: Look<'f, 'a>,
    target: &'f Target,
    /// Dimensions in which the target is not a total.
    crossed: Vec<usize>,
    /// What the target counts.
    unit: Unit,
}

impl<'f, 'a> Planner<'f, 'a> {
    /// For this target.
    pub fn new(look: Look<'f, 'a>, target: &'f Target) -> Self {
        let spine = look.family.frame.spine;
        let crossed = (0..target.nodes.len()).filter(|&dimension| dimension != spine && target.nodes[dimension] != 0).collect();
        Self { look, target, crossed, unit: look.family.frame.tables[target.place.table].unit }
    }

    /// Tables of the target's unit with their axes; rooms of links among them.
    fn tables(&self) -> impl Iterator<Item = (usize, &'a Layout<'a>, &'a [Option<InnerAxis>])> + '_ {
        let frame = self.frame();
        let seen = move |(at, layout): (usize, &'a Layout<'a>)| layout.axes_for(self.unit).map(|axes| (at, layout, axes));
        frame.tables.iter().enumerate().filter_map(seen).filter(|(at, ..)| self.is_present(*at))
    }

    fn frame(&self) -> &'a Frame<'a> {
        self.look.family.frame
    }

    /// Dimensions that can be free, the one with most choice first.
    pub fn free_dimensions(&self) -> Vec<usize> {
        let frame = self.frame();
        let mut found: Vec<(usize, usize)> = Vec::new();
        for (dimension, tree) in frame.trees.iter().enumerate() {
            if dimension == frame.spine {
                continue;
            }
            let useful = self.tables().any(|(_, layout, axes)| {
                layout.kind != Kind::Link && axes[dimension].is_some() && self.crossed.iter().all(|&crossed| axes[crossed].is_some())
            });
            if !useful {
                continue;
            }
            let node = self.target.nodes[dimension];
            let siblings = if node == 0 { tree.children[0].len() } else { tree.children[tree.parent[node as usize] as usize].len() };
            found.push((siblings, dimension));
        }
        found.sort_by_key(|&(siblings, dimension)| (std::cmp::Reverse(siblings), dimension));
        let mut free: Vec<usize> = found.into_iter().map(|(_, dimension)| dimension).collect();
        // In tables of places alone people can only come and go. Combinations need no other dimension beside the places.
        if free.is_empty() || self.crossed.iter().any(|&dimension| !frame.combinations(dimension, self.target.nodes[dimension]).is_empty())
        {
            free.push(NOTHING);
        }
        free
    }

    /// Whether a table has rows in the family.
    fn is_present(&self, table: usize) -> bool {
        !self.look.family.slices[table].counts.is_empty()
    }

    /// The fixed patterns with this dimension free, by what they at least cost: for every other crossed dimension what stands against the
    /// target's node.
    pub fn choices(&self, free: usize) -> Vec<(u32, Vec<Choice>)> {
        let frame = self.frame();
        let mut choices: Vec<(u32, Vec<Choice>)> = vec![(0, Vec::new())];
        let mut most = MOST_PLANS;
        for &dimension in self.crossed.iter().filter(|&&dimension| dimension != free) {
            let tree = &frame.trees[dimension];
            let node = self.target.nodes[dimension];
            // Siblings first; where there are too few, cousins, which take what stands between them and their common ancestor.
            let mut options: Vec<(u32, Choice)> = Vec::new();
            let (mut above, mut climb, mut reached) = (tree.parent[node as usize], 0u32, node);
            while above != NONE {
                if options.len() < MOST_PARTNERS {
                    let mut others = Vec::new();
                    self.peers(dimension, above, reached, 0, &mut others);
                    options.extend(others.into_iter().map(|(cost, partner)| (climb.saturating_add(cost), Choice::Partner(partner))));
                    options.retain(|(cost, _)| *cost < NEVER);
                }
                climb = climb.saturating_add(self.cell_cost(dimension, above, 1));
                reached = above;
                above = tree.parent[above as usize];
            }
            options.push((climb, Choice::Open));
            options.retain(|(cost, _)| *cost < NEVER);
            options.sort_unstable();
            options.truncate(MOST_PARTNERS);
            let combinations = frame.combinations(dimension, node).iter();
            let cost = |combination: &Pattern| {
                let others = combination.iter().filter(|(other, _)| *other != node);
                others.fold(0u32, |sum, &(other, change)| sum.saturating_add(self.cell_cost(dimension, other, change)))
            };
            let mut combinations: Vec<(u32, Choice)> =
                combinations.map(|found| (cost(found), Choice::Combination(found.clone()))).filter(|(cost, _)| *cost < NEVER).collect();
            combinations.sort_unstable();
            combinations.truncate(MOST_COMBINATIONS);
            most += combinations.len();
            options.extend(combinations);
            choices = choices
                .iter()
                .flat_map(|(sum, choice)| {
                    let extended = |option: &Choice| choice.iter().cloned().chain([option.clone()]).collect::<Vec<_>>();
                    options.iter().map(move |(cost, option)| (sum + cost, extended(option)))
                })
                .collect();
        }
        choices.sort_by_key(|(cost, _)| *cost);
        choices.truncate(most);
        choices
    }

    /// Nodes below `above`, but not at or below `without`, that could stand against the target's, with what they and all
    /// between them and `above` cost.
    fn peers(&self, dimension: usize, above: u32, without: u32, cost: u32, into: &mut Vec<(u32, u32)>) {
        let tree = &self.frame().trees[dimension];
        let level = tree.level[self.target.nodes[dimension] as usize];
        for &child in tree.children[above as usize].iter().filter(|&&child| child != without) {
            let cost = cost.saturating_add(self.cell_cost(dimension, child, -1));
            if cost >= NEVER {
                continue;
            }
            if tree.is_leaf(child, level) {
                into.push((cost, child));
            } else {
                self.peers(dimension, child, NONE, cost, into);
            }
        }
    }

    /// Cost of the target's own cell with another node in one dimension.
    fn cell_cost(&self, dimension: usize, node: u32, sign: i32) -> u32 {
        let Place { table, inner, .. } = self.target.place;
        let Some(axis) = &self.frame().tables[table].axes()[dimension] else { return NEVER };
        let (own, other) = (axis.position[self.target.nodes[dimension] as usize], axis.position[node as usize]);
        if own == NONE || other == NONE {
            return NEVER;
        }
        let inner = (inner as i64 + (i64::from(other) - i64::from(own)) * i64::from(axis.stride)) as u32;
        self.look.cost(self.target.node, &[PlanCell { table: table as u32, inner, sign }], self.target.delta)
    }

    /// The plan for a choice of [`Planner::choices`], unless its target alone costs `bound`. `wide`: columns are all leaves,
    /// not only siblings.
    pub fn plan(&self, free: usize, wide: bool, choice: &[Choice], bound: u32) -> Option<Plan> {
        let others: Vec<usize> = self.crossed.iter().copied().filter(|&dimension| dimension != free).collect();
        let frame = self.frame();
        // By dimension: up to where the pattern runs, that node excluded, and the last node below it.
        let stops: Vec<(u32, u32)> = others
            .iter()
            .zip(choice)
            .map(|(&dimension, choice)| {
                let tree = &frame.trees[dimension];
                let node = self.target.nodes[dimension];
                let last = match choice {
                    Choice::Open => return (NONE, 0),
                    Choice::Combination(_) => node,
                    Choice::Partner(partner) => tree.last_without(node, *partner),
                };
                (tree.parent[last as usize], last)
            })
            .collect();
        // Tables that lack an exchanged dimension, or see both partners as one node, do not change.
        let sees = |layout: &Layout<'_>, axis: &Option<InnerAxis>, last: u32| match axis {
            None => last == 0,
            Some(axis) => layout.kind == Kind::Link || axis.position[last as usize] != NONE,
        };
        let relevant: Vec<usize> = self
            .tables()
            .filter(|(_, layout, axes)| others.iter().zip(&stops).all(|(&dimension, &(_, last))| sees(layout, &axes[dimension], last)))
            .map(|(table, ..)| table)
            .collect();
        let spine_cut = relevant.iter().map(|&table| frame.tables[table].cut).max()?;
        let axis_of = |table: usize, dimension: usize| frame.tables[table].axes_for(self.unit).and_then(|axes| axes[dimension].as_ref());
        let cut_of =
            |dimension: usize| relevant.iter().filter_map(|&table| axis_of(table, dimension)).map(|axis| axis.cut).max().unwrap_or(0);
        // Start with the target's own nodes, then go down to leaves dimension by dimension, each time the cheapest way.
        let mut patterns: Vec<Pattern> = self.target.nodes.iter().map(|&node| vec![(node, 1)]).collect();
        for (&dimension, choice) in others.iter().zip(choice) {
            match choice {
                Choice::Open => {}
                Choice::Partner(partner) => patterns[dimension].push((*partner, -1)),
                Choice::Combination(combination) => patterns[dimension].clone_from(combination),
            }
        }
        for dimension in 0..patterns.len() {
            if dimension == frame.spine || dimension == free {
                continue;
            }
            let cut = cut_of(dimension);
            let heads = std::mem::take(&mut patterns[dimension]);
            let stop = others.iter().position(|&other| other == dimension).map_or(NONE, |at| stops[at].0);
            for (head, change) in heads {
                let leaf = self.cheapest_leaf(&relevant, &patterns, dimension, head, cut, change)?;
                let chain = chain(frame, dimension, leaf, stop);
                patterns[dimension].extend(chain.map(|node| (node, change)));
            }
        }
        if free == NOTHING {
            let mut plan = Plan { cut: spine_cut, ..Plan::default() };
            for &table in &relevant {
                let list = self.product(table, &patterns, free);
                plan.cells.extend(list.iter().map(|&(inner, sign)| PlanCell { table: table as u32, inner, sign }));
            }
            plan.columns = vec![0..0, 0..plan.cells.len() as u32];
            plan.target = 1;
            return (self.look.cost_below(self.target.node, &plan.cells, self.target.delta, bound) < bound).then_some(plan);
        }
        // Columns of the free dimension.
        let tree = &frame.trees[free];
        let cut = cut_of(free);
        let own = self.target.nodes[free];
        let above = if own == 0 || wide { 0 } else { tree.parent[own as usize] };
        let mut heads = Vec::new();
        if wide {
            tree.leaves(0, cut, &mut heads);
            if own != 0 {
                heads.retain(|&leaf| !tree.is_within(leaf, own));
                heads.push(own);
            }
        } else {
            heads.extend(tree.children[above as usize].iter().filter(|&&child| tree.level[child as usize] <= cut));
        }
        let lists: Vec<(usize, Vec<(u32, i32)>)> = relevant.iter().map(|&table| (table, self.product(table, &patterns, free))).collect();
        let target = if own == 0 { heads.len() } else { heads.iter().position(|&head| head == own)? };
        let column = |column: usize, cells: &mut Vec<PlanCell>| {
            let (leaf, stop) = match heads.get(column) {
                Some(&head) => {
                    let sign = if column == target { 1 } else { -1 };
                    (self.cheapest_leaf(&relevant, &patterns, free, head, cut, sign)?, above)
                }
                None => (above, NONE),
            };
            for (table, list) in &lists {
                match axis_of(*table, free) {
                    Some(axis) => {
                        for node in chain(frame, free, leaf, stop) {
                            let Some((step, times)) = axis.step(node) else { continue };
                            cells.extend(list.iter().map(|&(inner, sign)| PlanCell {
                                table: *table as u32,
                                inner: inner + step,
                                sign: sign * times,
                            }));
                        }
                    }
                    None if column == heads.len() => {
                        cells.extend(list.iter().map(|&(inner, sign)| PlanCell { table: *table as u32, inner, sign }));
                    }
                    None => {}
                }
            }
            Some(())
        };
        // Most plans fail here already: their first step is too dear.
        let mut first = Vec::new();
        column(target, &mut first)?;
        if self.look.cost_below(self.target.node, &first, self.target.delta, bound) >= bound {
            return None;
        }
        let mut plan = Plan { cut: spine_cut, target, ..Plan::default() };
        for at in 0..=heads.len() {
            let start = plan.cells.len() as u32;
            if at == target {
                plan.cells.extend_from_slice(&first);
            } else {
                column(at, &mut plan.cells)?;
            }
            plan.columns.push(start..plan.cells.len() as u32);
        }
        Some(plan)
    }

    /// The leaf below `head` whose chain of nodes costs least in the target's row.
    fn cheapest_leaf(&self, relevant: &[usize], patterns: &[Pattern], dimension: usize, head: u32, cut: u8, change: i32) -> Option<u32> {
        let frame = self.frame();
        let tree = &frame.trees[dimension];
        if tree.is_leaf(head, cut) {
            return Some(head);
        }
        // Only tables that show something below the head tell its leaves apart.
        let lists: Vec<Finer<'_>> = relevant
            .iter()
            .filter_map(|&table| Some((table, frame.tables[table].axes_for(self.unit)?[dimension].as_ref()?)))
            .filter(|(_, axis)| !tree.is_leaf(head, axis.cut))
            .map(|(table, axis)| Finer { table: table as u32, axis, list: self.product(table, patterns, dimension) })
            .collect();
        let mut leaves = Vec::new();
        tree.leaves(head, cut, &mut leaves);
        let mut best: Option<(u32, u32)> = None;
        for leaf in leaves {
            let least = best.map_or(u32::MAX, |(least, _)| least);
            let mut cost = 0u32;
            'cells: for Finer { table, axis, list } in &lists {
                for node in chain(frame, dimension, leaf, head) {
                    let Some((step, times)) = axis.step(node) else { continue };
                    for &(inner, by) in list {
                        let cell = PlanCell { table: *table, inner: inner + step, sign: by * times * change };
                        cost = cost.saturating_add(self.look.cost(self.target.node, &[cell], self.target.delta));
                        if cost >= least {
                            break 'cells;
                        }
                    }
                }
            }
            if cost < least {
                best = Some((cost, leaf));
            }
            if cost == 0 {
                break;
            }
        }
        best.map(|(_, leaf)| leaf)
    }

    /// Inner offsets of a table under the patterns of all dimensions but `free`, and how they change.
    fn product(&self, table: usize, patterns: &[Pattern], free: usize) -> Vec<(u32, i32)> {
        let frame = self.frame();
        let layout = &frame.tables[table];
        let Some(view) = &layout.views[self.unit as usize] else { return Vec::new() };
        let mut list = Vec::with_capacity(16);
        list.push((0u32, view.sign));
        for (dimension, pattern) in patterns.iter().enumerate() {
            if dimension == frame.spine || dimension == free {
                continue;
            }
            // Only an open pattern runs past a table that lacks the dimension; the others left the table out.
            let Some(axis) = &view.axes[dimension] else { continue };
            let before = list.len();
            let mut nodes = pattern.iter().filter_map(|&(node, change)| axis.step(node).map(|(step, times)| (step, times * change)));
            let Some((first_step, first_change)) = nodes.next() else {
                list.clear();
                return list;
            };
            for (step, by) in nodes {
                for at in 0..before {
                    let (inner, sign) = list[at];
                    list.push((inner + step, sign * by));
                }
            }
            for (inner, sign) in &mut list[..before] {
                *inner += first_step;
                *sign *= first_change;
            }
        }
        if layout.kind == Kind::Link {
            // Nodes that are held together are one cell here, and what leaves one for another does not change it.
            list.sort_unstable_by_key(|(inner, _)| *inner);
            list.dedup_by(|next, kept| {
                let same = next.0 == kept.0;
                if same {
                    kept.1 += next.1;
                }
                same
            });
            list.retain(|(_, sign)| *sign != 0);
        }
        list
    }
}

impl InnerAxis {
    /// How far a node moves the inner offset, and how often a record there counts; `None` if the axis does not have it.
    #[inline]
    pub fn step(&self, node: u32) -> Option<(u32, i32)> {
        let position = self.position[node as usize];
        let times = self.weights.as_ref().map_or(1, |weights| weights[node as usize]);
        (position != NONE).then(|| (position * self.stride, times))
    }
}

/// Nodes from a leaf upwards, `stop` excluded.
fn chain<'t>(frame: &'t Frame<'_>, dimension: usize, leaf: u32, stop: u32) -> impl Iterator<Item = u32> + 't {
    let tree = &frame.trees[dimension];
    let mut next = leaf;
    std::iter::from_fn(move || {
        if next == NONE || next == stop {
            return None;
        }
        let node = next;
        next = tree.parent[node as usize];
        Some(node)
    })
}
