//! Finds the cheapest path along which a target can change.
//!
//! With all patterns fixed (see [`super::plan`]), what is left is a table of spine nodes by columns, and that is a
//! network: the cell of a spine node and a column is an arc between "the column below the node above" and "the column
//! below the node", a leaf's cells all end in the leaf's own node, where the columns add up to the total. A closed walk
//! changes counts by whole numbers and leaves every sum outside the walk alone. The walk through the target that newly
//! suppresses least is a shortest path between the two ends of the target's arc.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{
    family::Overlay,
    frame::NONE,
    plan::{Look, Plan, Target},
    revisions::Way,
};

/// One step of a walk: the cells of a spine node and column, and the direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The spine node.
    pub node: u32,
    /// The column.
    pub column: u32,
    /// 1 downwards, -1 upwards.
    pub direction: i32,
}

/// One end of the search: how cheaply points are reached from the start, or the goal from them.
#[derive(Debug, Default)]
struct Side {
    cost: Vec<u32>,
    from: Vec<(u32, Step)>,
    stamp: Vec<u32>,
    heap: BinaryHeap<Reverse<(u32, u32)>>,
}

impl Side {
    fn begin(&mut self, at: u32, points: usize, now: u32) {
        if self.cost.len() < points {
            self.cost.resize(points, 0);
            self.from.resize(points, (0, NOWHERE));
            self.stamp.resize(points, 0);
        }
        self.heap.clear();
        self.note(at, 0, (at, NOWHERE), now);
    }

    fn note(&mut self, point: u32, cost: u32, from: (u32, Step), now: u32) {
        self.stamp[point as usize] = now;
        self.cost[point as usize] = cost;
        self.from[point as usize] = from;
        self.heap.push(Reverse((cost, point)));
    }

    /// What reaching a point costs, as far as is known.
    fn known(&self, point: u32, now: u32) -> Option<u32> {
        (self.stamp[point as usize] == now).then(|| self.cost[point as usize])
    }

    /// Cost of the nearest point that is still to be visited.
    fn nearest(&self) -> Option<u32> {
        self.heap.peek().map(|Reverse((cost, _))| *cost)
    }
}

/// Buffers of the search.
#[derive(Debug, Default)]
pub struct Search {
    sides: [Side; 2],
    now: u32,
}

const NOWHERE: Step = Step { node: NONE, column: 0, direction: 0 };

impl Search {
    /// The cheapest closed walk through the target below `bound`, target included, with its cost.
    ///
    /// It is looked for from both ends of the target's arc: where one of them has nowhere to go, that shows soon.
    pub fn walk(&mut self, look: Look<'_, '_>, plan: &Plan, target: &Target, bound: u32) -> Option<(u32, Vec<Step>)> {
        let family = look.family;
        let tree = family.frame.spine_tree();
        let columns = plan.columns.len() as u32;
        let total = plan.total() as u32;
        let first = family.top;
        let nodes = tree.end[first as usize] - first;
        let roof = nodes * columns;
        self.now = self.now.wrapping_add(1);
        if self.now == 0 {
            self.sides = Default::default();
            self.now = 1;
        }
        let now = self.now;
        let amount = target.delta.abs();
        let is_leaf = |node: u32| tree.is_leaf(node, plan.cut);
        let below = |node: u32, column: u32| if is_leaf(node) { (node - first) * columns } else { (node - first) * columns + column };
        let above = |node: u32, column: u32| {
            let parent = tree.parent[node as usize];
            if node == first || parent == NONE { roof } else { (parent - first) * columns + column }
        };
        let price = |node: u32, column: u32, direction: i32, limit: u32| {
            let range = &plan.columns[column as usize];
            let sign = if column == total { -1 } else { 1 };
            look.cost_below(node, &plan.cells[range.start as usize..range.end as usize], sign * direction * amount, limit)
        };
        let column = plan.target as u32;
        let sign = if column == total { -1 } else { 1 };
        let direction = sign * target.delta.signum();
        let own = price(target.node, column, direction, bound);
        if own >= bound {
            return None;
        }
        let (bottom, top) = (below(target.node, column), above(target.node, column));
        let ends = if direction > 0 { [bottom, top] } else { [top, bottom] };
        for (side, end) in self.sides.iter_mut().zip(ends) {
            side.begin(end, roof as usize + 1, now);
        }
        let mut best = bound - own;
        let mut meeting = None;
        while let (Some(near), Some(far)) = (self.sides[0].nearest(), self.sides[1].nearest()) {
            if near + far >= best {
                break;
            }
            let at = usize::from(self.sides[1].heap.len() < self.sides[0].heap.len());
            let other_nearest = if at == 0 { far } else { near };
            let [forward, backward] = &mut self.sides;
            let (side, other) = if at == 0 { (forward, backward) } else { (backward, forward) };
            let Some(Reverse((cost, point))) = side.heap.pop() else { break };
            if cost > side.cost[point as usize] {
                continue;
            }
            let mut reach = |to: u32, node: u32, column: u32, leaving: i32| {
                if node == target.node && column == plan.target as u32 || side.known(to, now).is_some_and(|known| known <= cost) {
                    return;
                }
                // From the goal the way is found backwards.
                let direction = if at == 0 { leaving } else { -leaving };
                let met = other.known(to, now);
                // What nobody has reached from the other end is no nearer to it than the nearest that is to be visited there.
                let left = best.saturating_sub(cost).saturating_sub(met.map_or(other_nearest, |met| met.min(other_nearest)));
                let price = price(node, column, direction, left);
                let sum = cost.saturating_add(price);
                if price >= left || side.known(to, now).is_some_and(|known| known <= sum) {
                    return;
                }
                side.note(to, sum, (point, Step { node, column, direction }), now);
                if let Some(met) = met.filter(|met| sum + met < best) {
                    best = sum + met;
                    meeting = Some(to);
                }
            };
            if point == roof {
                for column in 0..columns {
                    reach(below(first, column), first, column, 1);
                }
                continue;
            }
            let node = first + point / columns;
            if is_leaf(node) {
                if node == first && !family.open {
                    continue;
                }
                for column in 0..columns {
                    reach(above(node, column), node, column, -1);
                }
                continue;
            }
            let column = point % columns;
            if node != first || family.open {
                reach(above(node, column), node, column, -1);
            }
            for &child in &tree.children[node as usize] {
                reach(below(child, column), child, column, 1);
            }
        }
        let meeting = meeting?;
        let mut walk = vec![Step { node: target.node, column, direction }];
        for (side, end) in self.sides.iter().zip(ends) {
            let mut at = meeting;
            while at != end {
                let (before, step) = side.from[at as usize];
                walk.push(step);
                at = before;
            }
        }
        Some((own + best, walk))
    }
}

/// Applies a walk to the world that is being made; `false` if a cell that it passes twice would fall below zero.
pub fn apply(family: &super::family::Family<'_>, overlay: &mut Overlay, plan: &Plan, walk: &[Step], amount: i32, way: Way) -> bool {
    let total = plan.total() as u32;
    let mut changed = Vec::new();
    for step in walk {
        let sign = if step.column == total { -1 } else { 1 };
        let range = &plan.columns[step.column as usize];
        for cell in &plan.cells[range.start as usize..range.end as usize] {
            let table = cell.table as usize;
            let start = family.starts[table][(step.node - family.top) as usize];
            if start != NONE {
                let number = family.slices[table].base + start + cell.inner;
                overlay.add(number, cell.sign * sign * step.direction * amount);
                changed.push(number);
            }
        }
    }
    changed.into_iter().all(|number| family.spare(number, way) + overlay.get(number) >= 0)
}
