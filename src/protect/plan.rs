//! Patterns: which cells change together.
//!
//! A change is a product. In every inner dimension but one it follows a fixed *pattern*: an exchange between two nodes,
//! which leaves everything from their common ancestor upwards alone, or a single open node, which runs up to the total.
//! In the last dimension, the *free* one, and along the spine it follows a path that [`super::search`] finds. A product
//! of signed whole numbers is a difference of whole records, so tables that share a cell see it change alike.

use std::ops::Range;

use super::{
    family::{Family, IMPOSSIBLE, Overlay, Place, SUPPRESSED},
    frame::{Frame, InnerAxis, NONE},
};

/// Cost of cells that may not be suppressed or do not allow the change.
pub const NEVER: u32 = u32::MAX / 8;
/// Costs from here on mean that something new is suppressed; below it paths only count their length.
pub const NEW: u32 = 1000;
/// Patterns of one free dimension that are searched at most, cheapest first.
const MOST_PLANS: usize = 8;
/// Partners that an exchange tries at most, cheapest first.
const MOST_PARTNERS: usize = 4;
/// Stands for the free dimension where no table has any.
pub const NOTHING: usize = usize::MAX;

/// One cell of a column, in every row where the table has one.
#[derive(Debug, Clone, Copy)]
pub struct PlanCell {
    /// Position in [`Frame::tables`].
    pub table: u32,
    /// Inner offset.
    pub inner: u32,
    /// Sign of its change when the column's is positive.
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

/// Signed nodes of one dimension.
type Pattern = Vec<(u32, i32)>;

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
}

impl<'f, 'a> Look<'f, 'a> {
    /// Any cell may be used and newly suppressed.
    pub fn new(family: &'f Family<'a>, overlay: &'f Overlay) -> Self {
        Self { family, overlay, banned: NONE, may_suppress: true }
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
            if mark & IMPOSSIBLE != 0 {
                return NEVER;
            }
            let number = slice.base + index as u32;
            let before = if is_true { 0 } else { self.overlay.get(number) };
            let change = cell.sign * delta;
            if change < 0 && slice.counts[index] as i32 + before + change < 0 || number == self.banned {
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
}

impl<'f, 'a> Planner<'f, 'a> {
    /// For this target.
    pub fn new(look: Look<'f, 'a>, target: &'f Target) -> Self {
        let spine = look.family.frame.spine;
        let crossed = (0..target.nodes.len()).filter(|&dimension| dimension != spine && target.nodes[dimension] != 0).collect();
        Self { look, target, crossed }
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
            let useful = (0..frame.tables.len()).any(|table| {
                frame.tables[table].axes[dimension].is_some()
                    && self.is_present(table)
                    && self.crossed.iter().all(|&crossed| frame.tables[table].axes[crossed].is_some())
            });
            if !useful {
                continue;
            }
            let node = self.target.nodes[dimension];
            let siblings = if node == 0 { tree.children[0].len() } else { tree.children[tree.parent[node as usize] as usize].len() };
            found.push((siblings, dimension));
        }
        found.sort_by_key(|&(siblings, dimension)| (std::cmp::Reverse(siblings), dimension));
        if found.is_empty() {
            // Tables of places alone: people can only come and go.
            return vec![NOTHING];
        }
        found.into_iter().map(|(_, dimension)| dimension).collect()
    }

    /// Whether a table has rows in the family.
    fn is_present(&self, table: usize) -> bool {
        !self.look.family.slices[table].counts.is_empty()
    }

    /// The fixed patterns with this dimension free, by what they at least cost: for every other crossed dimension an
    /// exchange with a partner, or `None`: open.
    pub fn choices(&self, free: usize) -> Vec<(u32, Vec<Option<u32>>)> {
        let frame = self.frame();
        let mut choices: Vec<(u32, Vec<Option<u32>>)> = vec![(0, Vec::new())];
        for &dimension in self.crossed.iter().filter(|&&dimension| dimension != free) {
            let tree = &frame.trees[dimension];
            let node = self.target.nodes[dimension];
            // Siblings first; where there are too few, cousins, which take what stands between them and their common ancestor.
            let mut options: Vec<(u32, Option<u32>)> = Vec::new();
            let (mut above, mut climb, mut reached) = (tree.parent[node as usize], 0u32, node);
            while above != NONE {
                if options.len() < MOST_PARTNERS {
                    let mut others = Vec::new();
                    self.peers(dimension, above, reached, 0, &mut others);
                    options.extend(others.into_iter().map(|(cost, partner)| (climb.saturating_add(cost), Some(partner))));
                    options.retain(|(cost, _)| *cost < NEVER);
                }
                climb = climb.saturating_add(self.cell_cost(dimension, above, 1));
                reached = above;
                above = tree.parent[above as usize];
            }
            options.push((climb, None));
            options.retain(|(cost, _)| *cost < NEVER);
            options.sort_unstable_by_key(|&(cost, partner)| (cost, partner.unwrap_or(NONE)));
            options.truncate(MOST_PARTNERS);
            choices = choices
                .iter()
                .flat_map(|(sum, choice)| {
                    options.iter().map(move |&(cost, option)| (sum + cost, choice.iter().copied().chain([option]).collect::<Vec<_>>()))
                })
                .collect();
        }
        choices.sort_by_key(|(cost, _)| *cost);
        choices.truncate(MOST_PLANS);
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
        let Some(axis) = &self.frame().tables[table].axes[dimension] else { return NEVER };
        let (own, other) = (axis.position[self.target.nodes[dimension] as usize], axis.position[node as usize]);
        if own == NONE || other == NONE {
            return NEVER;
        }
        let inner = (inner as i64 + (i64::from(other) - i64::from(own)) * i64::from(axis.stride)) as u32;
        self.look.cost(self.target.node, &[PlanCell { table: table as u32, inner, sign }], self.target.delta)
    }

    /// The plan for a choice of [`Planner::choices`], unless its target alone costs `bound`. `wide`: columns are all leaves,
    /// not only siblings.
    pub fn plan(&self, free: usize, wide: bool, choice: &[Option<u32>], bound: u32) -> Option<Plan> {
        let others: Vec<usize> = self.crossed.iter().copied().filter(|&dimension| dimension != free).collect();
        let frame = self.frame();
        // By dimension: up to where the pattern runs, that node excluded, and the last node below it.
        let stops: Vec<(u32, u32)> = others
            .iter()
            .zip(choice)
            .map(|(&dimension, partner)| {
                let tree = &frame.trees[dimension];
                let mut last = self.target.nodes[dimension];
                let Some(partner) = *partner else { return (NONE, 0) };
                while !tree.is_within(partner, tree.parent[last as usize]) {
                    last = tree.parent[last as usize];
                }
                (tree.parent[last as usize], last)
            })
            .collect();
        // Tables that lack an exchanged dimension, or see both partners as one node, do not change.
        let relevant: Vec<usize> = (0..frame.tables.len())
            .filter(|&table| {
                self.is_present(table)
                    && others.iter().zip(&stops).all(|(&dimension, &(_, last))| {
                        frame.tables[table].axes[dimension].as_ref().map_or(last == 0, |axis| axis.position[last as usize] != NONE)
                    })
            })
            .collect();
        let spine_cut = relevant.iter().map(|&table| frame.tables[table].cut).max()?;
        let cut_of = |dimension: usize| {
            relevant.iter().filter_map(|&table| frame.tables[table].axes[dimension].as_ref().map(|axis| axis.cut)).max().unwrap_or(0)
        };
        // Start with the target's own nodes, then go down to leaves dimension by dimension, each time the cheapest way.
        let mut patterns: Vec<Pattern> = self.target.nodes.iter().map(|&node| vec![(node, 1)]).collect();
        for (&dimension, partner) in others.iter().zip(choice) {
            if let Some(partner) = partner {
                patterns[dimension].push((*partner, -1));
            }
        }
        for dimension in 0..patterns.len() {
            if dimension == frame.spine || dimension == free {
                continue;
            }
            let cut = cut_of(dimension);
            let heads = std::mem::take(&mut patterns[dimension]);
            let stop = others.iter().position(|&other| other == dimension).map_or(NONE, |at| stops[at].0);
            for (head, sign) in heads {
                let leaf = self.cheapest_leaf(&relevant, &patterns, dimension, head, cut, sign)?;
                let chain = chain(frame, dimension, leaf, stop);
                patterns[dimension].extend(chain.map(|node| (node, sign)));
            }
        }
        if free == NOTHING {
            let mut plan = Plan { cut: spine_cut, ..Plan::default() };
            for &table in &relevant {
                let list = product(frame, table, &patterns, free);
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
        let lists: Vec<(usize, Vec<(u32, i32)>)> = relevant.iter().map(|&table| (table, product(frame, table, &patterns, free))).collect();
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
                match &frame.tables[*table].axes[free] {
                    Some(axis) => {
                        for node in chain(frame, free, leaf, stop) {
                            let position = axis.position[node as usize];
                            if position == NONE {
                                continue;
                            }
                            let step = position * axis.stride;
                            cells.extend(list.iter().map(|&(inner, sign)| PlanCell { table: *table as u32, inner: inner + step, sign }));
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
    fn cheapest_leaf(&self, relevant: &[usize], patterns: &[Pattern], dimension: usize, head: u32, cut: u8, sign: i32) -> Option<u32> {
        let frame = self.frame();
        let tree = &frame.trees[dimension];
        if tree.is_leaf(head, cut) {
            return Some(head);
        }
        // Only tables that show something below the head tell its leaves apart.
        let lists: Vec<Finer<'_>> = relevant
            .iter()
            .filter_map(|&table| frame.tables[table].axes[dimension].as_ref().map(|axis| (table, axis)))
            .filter(|(_, axis)| !tree.is_leaf(head, axis.cut))
            .map(|(table, axis)| Finer { table: table as u32, axis, list: product(frame, table, patterns, dimension) })
            .collect();
        let mut leaves = Vec::new();
        tree.leaves(head, cut, &mut leaves);
        let mut best: Option<(u32, u32)> = None;
        for leaf in leaves {
            let least = best.map_or(u32::MAX, |(least, _)| least);
            let mut cost = 0u32;
            'cells: for Finer { table, axis, list } in &lists {
                for node in chain(frame, dimension, leaf, head) {
                    let position = axis.position[node as usize];
                    if position == NONE {
                        continue;
                    }
                    for &(inner, by) in list {
                        let cell = PlanCell { table: *table, inner: inner + position * axis.stride, sign: by * sign };
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

/// Signed inner offsets of a table under the patterns of all dimensions but `free`.
fn product(frame: &Frame<'_>, table: usize, patterns: &[Pattern], free: usize) -> Vec<(u32, i32)> {
    let mut list = Vec::with_capacity(16);
    list.push((0u32, 1i32));
    for (dimension, pattern) in patterns.iter().enumerate() {
        if dimension == frame.spine || dimension == free {
            continue;
        }
        // Only an open pattern runs past a table that lacks the dimension; the others left the table out.
        let Some(axis) = &frame.tables[table].axes[dimension] else { continue };
        let before = list.len();
        let mut nodes = pattern.iter().filter_map(|&(node, sign)| {
            let position = axis.position[node as usize];
            (position != NONE).then(|| (position * axis.stride, sign))
        });
        let Some((first_step, first_sign)) = nodes.next() else {
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
            *sign *= first_sign;
        }
    }
    list
}
