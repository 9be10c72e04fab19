//! The attacker's arithmetic: how far do all published cells together pin down a suppressed one?
//!
//! Suppressed cells are unknowns, every sum over them is an equation, and equations that share unknowns form a
//! component: nothing outside a component tells anything about it. What single sums leave of a range is worked out for
//! every unknown. Of small components every unknown gets its exact range by linear programming; of larger ones primaries
//! are sampled and attacked in a *window*, all equations within a few sums of the cell, which is what an attacker with
//! as much computer as we give him would do. Where the points that show a range are not whole, the same is asked of whole numbers.

use std::{collections::VecDeque, sync::Mutex};

use rustc_hash::FxHashMap;

use super::{
    Fault, Report,
    bounds::{End, Equation, Range, System, Work, narrow},
    cells::SmallGroup,
    system::Linked,
};
use crate::{
    register::Status,
    worlds::{Counted, Rule},
};

/// How much the attack may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effort {
    /// Threads of checks and attack.
    pub threads: usize,
    /// Unknowns of the largest component that is solved whole. A program takes half a millisecond to five at 200 to 500 unknowns, and
    /// there is about one for every four unknowns: at 300 all of single tables of 10,000 cells is solved in less than a second, and
    /// 99 of 100 components of a country's release, with a third of its unknowns, in half a minute.
    pub largest: usize,
    /// Unknowns of the largest component for which whole numbers are asked for.
    pub largest_whole: usize,
    /// Unknowns of a window.
    pub window: usize,
    /// Components solved whole at most; beyond that a fixed sample of them.
    pub components: usize,
    /// Primary cells of larger components that are attacked in a window, at least.
    pub samples: usize,
    /// One of so many of these cells is attacked, if that is more.
    pub one_in: usize,
}

impl Default for Effort {
    fn default() -> Self {
        Self { threads: 2, largest: 300, window: 300, largest_whole: 40, components: 50_000, samples: 250, one_in: 200 }
    }
}

/// What the attack did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attack {
    /// Unknowns: suppressed cells, shared ones once.
    pub unknowns: u64,
    /// Components.
    pub components: u64,
    /// Unknowns of the largest component.
    pub largest: u64,
    /// Components solved whole.
    pub whole: u64,
    /// Unknowns of these components.
    pub solved: u64,
    /// Unknowns whose exact range was worked out: all of these but for ends that the solver could not decide.
    pub bounded: u64,
    /// Primary cells that were attacked in a window.
    pub sampled: u64,
    /// What it took.
    pub work: Work,
}

impl Attack {
    fn merge(&mut self, other: &Self) {
        self.whole += other.whole;
        self.solved += other.solved;
        self.bounded += other.bounded;
        self.sampled += other.sampled;
        self.work.programs += other.work.programs;
        self.work.whole_numbers += other.work.whole_numbers;
        self.work.undecided += other.work.undecided;
    }
}

const NONE: u32 = u32::MAX;
/// Times that all sums are gone through to narrow ranges; each takes what was found one sum further.
const PASSES: usize = 10;

struct Unknowns {
    /// For each table and cell the unknown, or [`NONE`].
    of: Vec<Vec<u32>>,
    /// A table and cell of each unknown.
    place: Vec<(u16, u32)>,
}

/// Attacks a release.
pub fn attack(
    tables: &[Counted<'_>],
    statuses: &[Vec<Status>],
    small_groups: &[SmallGroup],
    rule: &Rule,
    linked: &Linked,
    effort: &Effort,
    report: &mut Report,
) {
    let unknowns = unknowns(tables, statuses, linked);
    let count = unknowns.place.len();
    let mut roots: Vec<u32> = (0..count as u32).collect();
    equations(tables, &unknowns, &mut |members, _| {
        for pair in members.windows(2) {
            let (a, b) = (find(&mut roots, pair[0].0), find(&mut roots, pair[1].0));
            let (low, high) = (a.min(b), a.max(b));
            roots[high as usize] = low;
        }
    });
    let mut sizes = vec![0u32; count];
    for unknown in 0..count as u32 {
        sizes[find(&mut roots, unknown) as usize] += 1;
    }
    report.attack.unknowns = count as u64;
    report.attack.components = sizes.iter().filter(|&&size| size > 0).count() as u64;
    report.attack.largest = u64::from(sizes.iter().copied().max().unwrap_or(0));

    // Scattered choices that are the same in every run.
    let scatter = |number: u32| number.wrapping_mul(2_654_435_761).rotate_left(16);
    let mut small: Vec<u32> =
        (0..count as u32).filter(|&root| sizes[root as usize] > 0 && sizes[root as usize] as usize <= effort.largest).collect();
    small.sort_unstable_by_key(|&root| (scatter(root), root));
    small.truncate(effort.components);
    let chosen: FxHashMap<u32, usize> = small.iter().enumerate().map(|(at, &root)| (root, at)).collect();
    let ranges = ranges(tables, &unknowns);
    let groups = groups(tables, small_groups, &unknowns);
    let attacker = Attacker { rule, tables, unknowns: &unknowns, ranges: &ranges, groups: &groups, effort };
    let (mut narrowed, mut targets) = (Vec::new(), Vec::new());
    for unknown in 0..count as u32 {
        let promises = attacker.promises(unknown);
        if promises.is_empty() {
            continue;
        }
        let is_kept = |promise: &Promise| promise.cells.iter().any(|&cell| promise.is_kept_by(ranges[cell as usize].end(promise.end)));
        if !promises.iter().all(is_kept) {
            narrowed.push(unknown);
        }
        if sizes[roots_of(&roots, unknown) as usize] as usize > effort.largest {
            targets.push(unknown);
        }
    }
    targets.sort_unstable_by_key(|&unknown| (scatter(unknown), unknown));
    targets.truncate(effort.samples.max(targets.len() / effort.one_in.max(1)));

    let mut components: Vec<Vec<Equation>> = vec![Vec::new(); small.len()];
    let mut large: Vec<Equation> = Vec::new();
    equations(tables, &unknowns, &mut |members, known| {
        let root = roots_of(&roots, members[0].0);
        let equation = || Equation { terms: members.to_vec(), known };
        if let Some(&at) = chosen.get(&root) {
            components[at].push(equation());
        } else if !targets.is_empty() && sizes[root as usize] as usize > effort.largest {
            large.push(equation());
        }
    });
    let mut touching: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
    for (at, equation) in large.iter().enumerate() {
        for (unknown, _) in &equation.terms {
            touching.entry(*unknown).or_default().push(at as u32);
        }
    }

    let jobs = small.len() + targets.len();
    let next = Mutex::new(0..jobs);
    let found = Mutex::new((Attack::default(), Vec::new()));
    let work = || {
        while let Some(job) = next.lock().ok().and_then(|mut next| next.next()) {
            let (done, narrowed) = match targets.get(job.wrapping_sub(small.len())) {
                Some(&target) => attacker.window(target, &large, &touching),
                None => attacker.whole(&components[job]),
            };
            if let Ok(mut found) = found.lock() {
                found.0.merge(&done);
                found.1.extend(narrowed);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..effort.threads.max(1) {
            scope.spawn(work);
        }
        work();
    });
    let (done, fallen) = found.into_inner().unwrap_or_default();
    report.attack.merge(&done);
    narrowed.extend(fallen);
    narrowed.sort_unstable();
    narrowed.dedup();
    for unknown in narrowed {
        let (table, cell) = unknowns.place[unknown as usize];
        report.fault(Fault::Narrowed, table as usize, u64::from(cell));
    }
}

fn find(roots: &mut [u32], mut at: u32) -> u32 {
    while roots[at as usize] != at {
        roots[at as usize] = roots[roots[at as usize] as usize];
        at = roots[at as usize];
    }
    at
}

fn roots_of(roots: &[u32], mut at: u32) -> u32 {
    while roots[at as usize] != at {
        at = roots[at as usize];
    }
    at
}

/// Numbers the suppressed cells, shared ones once.
fn unknowns(tables: &[Counted<'_>], statuses: &[Vec<Status>], linked: &Linked) -> Unknowns {
    let mut unknowns = Unknowns { of: Vec::with_capacity(tables.len()), place: Vec::new() };
    for (table, statuses) in statuses.iter().enumerate() {
        let shape = tables[table].shape;
        let mut of = vec![NONE; statuses.len()];
        for (cell, _) in statuses.iter().enumerate().filter(|(_, status)| **status == Status::Suppressed) {
            let positions = shape.coordinates(cell as u64);
            let earlier = (0..table).find_map(|other| linked.cell(table, other, &positions).map(|same| unknowns.of[other][same as usize]));
            of[cell] = match earlier {
                Some(unknown) if unknown != NONE => unknown,
                _ => {
                    unknowns.place.push((table as u16, cell as u32));
                    unknowns.place.len() as u32 - 1
                }
            };
        }
        unknowns.of.push(of);
    }
    unknowns
}

/// Takes the unknowns of a sum with their signs, and what they add up to.
type Visit<'v> = dyn FnMut(&[(u32, f64)], f64) + 'v;

/// Visits every sum that has an unknown: the unknowns with their signs, and what they add up to.
fn equations(tables: &[Counted<'_>], unknowns: &Unknowns, visit: &mut Visit<'_>) {
    let mut members = Vec::new();
    for (counted, of) in tables.iter().zip(&unknowns.of) {
        for (axis, &stride) in counted.shape.axes.iter().zip(&counted.shape.strides) {
            let (nodes, stride) = (axis.nodes.len(), stride as usize);
            let mut children: Vec<Vec<usize>> = vec![Vec::new(); nodes];
            for (node, parent) in axis.parents.iter().enumerate() {
                if let Some(parent) = parent {
                    children[*parent as usize].push(node);
                }
            }
            for block in (0..of.len()).step_by(nodes * stride) {
                for (parent, children) in children.iter().enumerate().filter(|(_, children)| !children.is_empty()) {
                    for inner in 0..stride {
                        members.clear();
                        let mut known = 0.0;
                        let mut term = |cell: usize, sign: f64| {
                            if of[cell] == NONE {
                                known -= sign * f64::from(counted.counts[cell]);
                            } else {
                                members.push((of[cell], sign));
                            }
                        };
                        term(block + parent * stride + inner, 1.0);
                        for child in children {
                            term(block + child * stride + inner, -1.0);
                        }
                        if !members.is_empty() {
                            visit(&members, known);
                        }
                    }
                }
            }
        }
    }
}

/// What the sums leave of every unknown.
fn ranges(tables: &[Counted<'_>], unknowns: &Unknowns) -> Vec<Range> {
    let mut ranges = vec![Range::COUNT; unknowns.place.len()];
    for _ in 0..PASSES {
        let mut narrower = false;
        equations(tables, unknowns, &mut |members, known| narrower |= narrow(members, known, &mut ranges));
        if !narrower {
            break;
        }
    }
    ranges
}

/// For each small group in one category, by the unknown of that category, the unknowns of the other categories.
fn groups(tables: &[Counted<'_>], small_groups: &[SmallGroup], unknowns: &Unknowns) -> FxHashMap<u32, Vec<Vec<u32>>> {
    let mut groups: FxHashMap<u32, Vec<Vec<u32>>> = FxHashMap::default();
    for &(table, cell, at) in small_groups {
        let (of, shape) = (&unknowns.of[table as usize], tables[table as usize].shape);
        let (axis, stride) = (&shape.axes[at as usize], shape.strides[at as usize] as usize);
        let position = cell as usize / stride % axis.nodes.len();
        let first = cell as usize - position * stride;
        let others = (0..axis.nodes.len())
            .filter(|&other| other != position && axis.parents[other] == axis.parents[position])
            .map(|other| of[first + other * stride])
            .filter(|&unknown| unknown != NONE)
            .collect();
        groups.entry(of[cell as usize]).or_default().push(others);
    }
    groups
}

/// What the rule promises of a primary: one of some unknowns can come as far as a goal.
struct Promise {
    cells: Vec<u32>,
    end: End,
    goal: f64,
}

impl Promise {
    fn is_kept_by(&self, value: f64) -> bool {
        self.end.is_reached(value, self.goal)
    }
}

struct Attacker<'a> {
    rule: &'a Rule,
    tables: &'a [Counted<'a>],
    unknowns: &'a Unknowns,
    ranges: &'a [Range],
    /// For each small group in one category, by the unknown of that category, the unknowns of the others.
    groups: &'a FxHashMap<u32, Vec<Vec<u32>>>,
    effort: &'a Effort,
}

impl Attacker<'_> {
    /// Works out the ranges of all unknowns of a component, and finds primaries of which they tell too much.
    fn whole(&self, equations: &[Equation]) -> (Attack, Vec<u32>) {
        let mut attack = Attack { whole: 1, ..Attack::default() };
        let mut work = Work::default();
        let mut system = System::new(equations, self.ranges, |unknown| self.count(unknown), &mut work);
        system.settle();
        let unknowns = system.unknowns().to_vec();
        attack.bounded = unknowns.iter().filter(|&&unknown| system.exact(unknown).is_some()).count() as u64;
        let narrowed = unknowns.iter().copied().filter(|&unknown| self.is_narrowed(&mut system, unknown)).collect();
        attack.solved = unknowns.len() as u64;
        attack.work = work;
        (attack, narrowed)
    }

    /// Attacks one primary with the equations around it.
    fn window(&self, target: u32, equations: &[Equation], touching: &FxHashMap<u32, Vec<u32>>) -> (Attack, Vec<u32>) {
        let mut inside: FxHashMap<u32, ()> = FxHashMap::default();
        let mut queue = VecDeque::from([target]);
        inside.insert(target, ());
        let mut near: Vec<u32> = Vec::new();
        'grow: while let Some(unknown) = queue.pop_front() {
            for &at in touching.get(&unknown).map_or(&[][..], Vec::as_slice) {
                near.push(at);
                for (other, _) in &equations[at as usize].terms {
                    if inside.insert(*other, ()).is_none() {
                        queue.push_back(*other);
                    }
                }
                if inside.len() > self.effort.window {
                    break 'grow;
                }
            }
        }
        near.sort_unstable();
        near.dedup();
        let chosen: Vec<Equation> = near.iter().map(|&at| equations[at as usize].clone()).collect();
        let mut work = Work::default();
        let mut system = System::new(&chosen, self.ranges, |unknown| self.count(unknown), &mut work);
        let narrowed = if self.is_narrowed(&mut system, target) { vec![target] } else { Vec::new() };
        (Attack { sampled: 1, work, ..Attack::default() }, narrowed)
    }

    /// What the rule promises of an unknown; nothing unless it is primary.
    fn promises(&self, unknown: u32) -> Vec<Promise> {
        let mut promises = Vec::new();
        if self.rule.is_small(self.count(unknown)) {
            promises.push(Promise { cells: vec![unknown], end: End::Low, goal: f64::from(self.rule.low()) });
            promises.push(Promise { cells: vec![unknown], end: End::High, goal: f64::from(self.rule.high()) });
        }
        let others = self.groups.get(&unknown).into_iter().flatten();
        promises.extend(others.map(|others| Promise { cells: others.clone(), end: End::High, goal: 1.0 }));
        promises
    }

    /// Whether a system breaks a promise, in whole numbers too if it is small.
    fn is_narrowed(&self, system: &mut System<'_>, unknown: u32) -> bool {
        let asked = if system.unknowns().len() <= self.effort.largest_whole { &[false, true][..] } else { &[false] };
        self.promises(unknown)
            .iter()
            .any(|promise| asked.iter().any(|&whole| system.reaches(&promise.cells, promise.end, promise.goal, whole) == Some(false)))
    }

    fn count(&self, unknown: u32) -> u32 {
        let (table, cell) = self.unknowns.place[unknown as usize];
        self.tables[table as usize].counts[cell as usize]
    }
}
