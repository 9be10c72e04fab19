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
    plan::{Look, NEVER, Plan, Target},
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

/// Buffers of the search.
#[derive(Debug, Default)]
pub struct Search {
    cost: Vec<u32>,
    from: Vec<(u32, Step)>,
    stamp: Vec<u32>,
    now: u32,
    heap: BinaryHeap<Reverse<(u32, u32)>>,
    /// Arcs that were priced so far: a measure of work that does not depend on the machine.
    pub priced: u64,
}

const NOWHERE: Step = Step { node: NONE, column: 0, direction: 0 };

impl Search {
    /// The cheapest closed walk through the target below `bound`, target included, with its cost.
    pub fn walk(&mut self, look: Look<'_, '_>, plan: &Plan, target: &Target, bound: u32) -> Option<(u32, Vec<Step>)> {
        let family = look.family;
        let tree = family.frame.spine_tree();
        let columns = plan.columns.len() as u32;
        let total = plan.total() as u32;
        let first = family.top;
        let nodes = tree.end[first as usize] - first;
        let roof = nodes * columns;
        let points = roof as usize + 1;
        if self.cost.len() < points {
            self.cost.resize(points, 0);
            self.from.resize(points, (0, NOWHERE));
            self.stamp.resize(points, 0);
        }
        self.now = self.now.wrapping_add(1);
        if self.now == 0 {
            self.stamp.fill(0);
            self.now = 1;
        }
        self.heap.clear();
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
        let (start, goal) = if direction > 0 { (bottom, top) } else { (top, bottom) };
        let bound = bound - own;
        // The last step costs at least this much, so that a point may be that much nearer than the bound and still be hopeless.
        let mut last = NEVER;
        let mut consider = |node: u32, column: u32, direction: i32| {
            if node != target.node || column != plan.target as u32 {
                last = last.min(price(node, column, direction, bound.min(last)));
            }
        };
        if goal == roof {
            (0..columns).for_each(|column| consider(first, column, -1));
        } else {
            let node = first + goal / columns;
            if is_leaf(node) {
                (0..columns).for_each(|column| consider(node, column, 1));
            } else {
                let column = goal % columns;
                if node != first || family.open {
                    consider(node, column, 1);
                }
                tree.children[node as usize].iter().for_each(|&child| consider(child, column, -1));
            }
        }
        if last >= bound {
            return None;
        }

        self.stamp[start as usize] = self.now;
        self.cost[start as usize] = 0;
        self.from[start as usize] = (start, NOWHERE);
        self.heap.push(Reverse((0, start)));
        while let Some(Reverse((cost, point))) = self.heap.pop() {
            if cost > self.cost[point as usize] {
                continue;
            }
            if point == goal {
                let mut walk = vec![Step { node: target.node, column, direction }];
                let mut at = goal;
                while at != start {
                    let (before, step) = self.from[at as usize];
                    walk.push(step);
                    at = before;
                }
                return Some((own + cost, walk));
            }
            let reach = |to: u32, step: Step, search: &mut Self| {
                if step.node == target.node && step.column == column {
                    return;
                }
                let known = search.stamp[to as usize] == search.now;
                if known && search.cost[to as usize] <= cost {
                    return;
                }
                search.priced += 1;
                let left = bound.saturating_sub(cost).saturating_sub(if to == goal { 0 } else { last });
                let price = price(step.node, step.column, step.direction, left);
                let sum = cost.saturating_add(price);
                if price >= left || known && search.cost[to as usize] <= sum {
                    return;
                }
                search.stamp[to as usize] = search.now;
                search.cost[to as usize] = sum;
                search.from[to as usize] = (point, step);
                search.heap.push(Reverse((sum, to)));
            };
            if point == roof {
                for column in 0..columns {
                    let step = Step { node: first, column, direction: 1 };
                    reach(below(first, column), step, self);
                }
                continue;
            }
            let node = first + point / columns;
            if is_leaf(node) {
                if node == first && !family.open {
                    continue;
                }
                for column in 0..columns {
                    let step = Step { node, column, direction: -1 };
                    reach(above(node, column), step, self);
                }
                continue;
            }
            let column = point % columns;
            if node != first || family.open {
                reach(above(node, column), Step { node, column, direction: -1 }, self);
            }
            for &child in &tree.children[node as usize] {
                reach(below(child, column), Step { node: child, column, direction: 1 }, self);
            }
        }
        None
    }
}

/// Applies a walk to the world that is being made; `false` if a cell that it passes twice would fall below zero.
pub fn apply(family: &super::family::Family<'_>, overlay: &mut Overlay, plan: &Plan, walk: &[Step], amount: i32) -> bool {
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
    changed.into_iter().all(|number| family.count(number) as i32 + overlay.get(number) >= 0)
}
