//! The attacker's arithmetic: how far do all published cells together pin down a suppressed one?
//!
//! Suppressed cells are unknowns, every sum over them is an equation, and equations that share unknowns form a
//! component: nothing outside a component tells anything about it. Small components are solved whole, cell by cell, by
//! linear programming; of larger ones samples are solved in a *window*, all equations within a few sums of the cell,
//! which is what an attacker with as much computer as we give him would do. A point of the polytope that puts a cell at
//! an end of its range settles that end, so one program with many cells in its objective settles many of them.
//! Where a point is not whole, the same is asked of whole numbers.

use std::{collections::VecDeque, sync::Mutex};

use microlp::{ComparisonOp, OptimizationDirection, Problem, SolveOutcome, Variable};
use rustc_hash::FxHashMap;

use super::{Fault, Report, system::Linked};
use crate::{
    register::Status,
    worlds::{Counted, Rule},
};

/// How much the attack may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effort {
    /// Threads of checks and attack.
    pub threads: usize,
    /// Unknowns of the largest component that is solved whole. Simplex steps grow with the square of it: at 300
    /// a program takes about 10 milliseconds, and single tables of 10,000 to 100,000 cells fall into components of 30 to 500.
    pub largest: usize,
    /// Unknowns of the largest component for which whole numbers are asked for.
    pub largest_whole: usize,
    /// Components solved whole at most; beyond that a fixed sample of them.
    pub components: usize,
    /// Primary cells of larger components that are attacked in a window, at least.
    pub samples: usize,
    /// One of so many of these cells is attacked, if that is more.
    pub one_in: usize,
}

impl Default for Effort {
    fn default() -> Self {
        Self { threads: 2, largest: 300, largest_whole: 40, components: 50_000, samples: 250, one_in: 200 }
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
    /// Primary cells whose range was attacked with a whole component.
    pub attacked: u64,
    /// Primary cells whose range was attacked in a window.
    pub sampled: u64,
    /// Linear programs.
    pub programs: u64,
    /// Ends of ranges asked for in whole numbers.
    pub whole_numbers: u64,
    /// Ends that the solver could not decide.
    pub undecided: u64,
}

impl Attack {
    fn merge(&mut self, other: &Self) {
        self.whole += other.whole;
        self.attacked += other.attacked;
        self.sampled += other.sampled;
        self.programs += other.programs;
        self.whole_numbers += other.whole_numbers;
        self.undecided += other.undecided;
    }
}

/// An equation: the first unknown (if any) is the sum of the others plus what is published.
#[derive(Debug, Clone, Default)]
struct Equation {
    terms: Vec<(u32, f64)>,
    known: f64,
}

const NONE: u32 = u32::MAX;
/// Tolerance of the solver's numbers.
const NEAR: f64 = 1e-6;

struct Unknowns {
    /// For each table and cell the unknown, or [`NONE`].
    of: Vec<Vec<u32>>,
    /// A table and cell of each unknown.
    place: Vec<(u16, u32)>,
}

/// Attacks a release.
pub fn attack(tables: &[Counted<'_>], statuses: &[Vec<Status>], rule: &Rule, linked: &Linked, effort: &Effort, report: &mut Report) {
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
    let is_primary = |unknown: u32| {
        let (table, cell) = unknowns.place[unknown as usize];
        rule.is_small(tables[table as usize].counts[cell as usize])
    };
    let mut targets: Vec<u32> = (0..count as u32)
        .filter(|&unknown| is_primary(unknown) && sizes[roots_of(&roots, unknown) as usize] as usize > effort.largest)
        .collect();
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

    let solver = Solver { rule, tables, unknowns: &unknowns, effort };
    let jobs = small.len() + targets.len();
    let next = Mutex::new(0..jobs);
    let found = Mutex::new((Attack::default(), Vec::new()));
    let work = || {
        while let Some(job) = next.lock().ok().and_then(|mut next| next.next()) {
            let (done, narrowed) = match targets.get(job.wrapping_sub(small.len())) {
                Some(&target) => solver.window(target, &large, &touching),
                None => solver.whole(&components[job]),
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
    let (done, mut narrowed) = found.into_inner().unwrap_or_default();
    report.attack.merge(&done);
    narrowed.sort_unstable();
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

struct Solver<'a> {
    rule: &'a Rule,
    tables: &'a [Counted<'a>],
    unknowns: &'a Unknowns,
    effort: &'a Effort,
}

impl Solver<'_> {
    /// Attacks all primaries of a component.
    fn whole(&self, equations: &[Equation]) -> (Attack, Vec<u32>) {
        let mut cells: Vec<u32> = equations.iter().flat_map(|equation| equation.terms.iter().map(|(unknown, _)| *unknown)).collect();
        cells.sort_unstable();
        cells.dedup();
        let primaries: Vec<u32> = cells.iter().copied().filter(|&unknown| self.rule.is_small(self.count(unknown))).collect();
        let (mut attack, narrowed) = self.solve(equations, &cells, &primaries);
        attack.whole = 1;
        attack.attacked = primaries.len() as u64;
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
                if inside.len() > self.effort.largest {
                    break 'grow;
                }
            }
        }
        near.sort_unstable();
        near.dedup();
        let chosen: Vec<Equation> = near.iter().map(|&at| equations[at as usize].clone()).collect();
        let mut cells: Vec<u32> = chosen.iter().flat_map(|equation| equation.terms.iter().map(|(unknown, _)| *unknown)).collect();
        cells.sort_unstable();
        cells.dedup();
        let (mut attack, narrowed) = self.solve(&chosen, &cells, &[target]);
        attack.sampled = 1;
        (attack, narrowed)
    }

    fn count(&self, unknown: u32) -> u32 {
        let (table, cell) = self.unknowns.place[unknown as usize];
        self.tables[table as usize].counts[cell as usize]
    }

    /// Asks for both ends of the ranges of some cells; returns those that are narrower than the rule promises.
    fn solve(&self, equations: &[Equation], cells: &[u32], targets: &[u32]) -> (Attack, Vec<u32>) {
        let mut attack = Attack::default();
        let mut narrowed = Vec::new();
        let whole = cells.len() <= self.effort.largest_whole;
        for high in [true, false] {
            // The true counts show some ends already; they are as good a point as any.
            let mut open: Vec<u32> = targets.iter().copied().filter(|&cell| !self.is_shown(f64::from(self.count(cell)), high)).collect();
            // All at once, while that settles something.
            while open.len() > 1 {
                attack.programs += 1;
                let Some((point, is_whole)) = program(equations, cells, &open, high, false) else { break };
                if whole && !is_whole {
                    break;
                }
                let before = open.len();
                open.retain(|&cell| !cells.binary_search(&cell).is_ok_and(|at| self.is_shown(point[at], high)));
                if open.len() == before {
                    break;
                }
            }
            for cell in open {
                attack.programs += 1;
                let at = cells.binary_search(&cell).unwrap_or(0);
                match bound(equations, cells, cell, high, false) {
                    Bound::Unbounded => {}
                    Bound::Undecided => attack.undecided += 1,
                    Bound::Point(point, is_whole) => {
                        if !self.is_shown(point[at], high) {
                            narrowed.push(cell);
                        } else if whole && !is_whole {
                            attack.whole_numbers += 1;
                            match bound(equations, cells, cell, high, true) {
                                Bound::Point(point, _) if !self.is_shown(point[at], high) => narrowed.push(cell),
                                Bound::Undecided => attack.undecided += 1,
                                _ => {}
                            }
                        }
                    }
                }
            }
        }
        narrowed.sort_unstable();
        narrowed.dedup();
        (attack, narrowed)
    }

    fn is_shown(&self, value: f64, high: bool) -> bool {
        if high { value + NEAR >= f64::from(self.rule.high()) } else { value - NEAR <= f64::from(self.rule.low()) }
    }
}

enum Bound {
    Point(Vec<f64>, bool),
    Unbounded,
    Undecided,
}

fn program(equations: &[Equation], cells: &[u32], objective: &[u32], high: bool, whole: bool) -> Option<(Vec<f64>, bool)> {
    match solve(equations, cells, objective, high, whole) {
        Bound::Point(point, is_whole) => Some((point, is_whole)),
        _ => None,
    }
}

fn bound(equations: &[Equation], cells: &[u32], cell: u32, high: bool, whole: bool) -> Bound {
    solve(equations, cells, &[cell], high, whole)
}

fn solve(equations: &[Equation], cells: &[u32], objective: &[u32], high: bool, whole: bool) -> Bound {
    let mut problem = Problem::new(if high { OptimizationDirection::Maximize } else { OptimizationDirection::Minimize });
    let variables: Vec<Variable> = cells
        .iter()
        .map(|cell| {
            let weight = if objective.contains(cell) { 1.0 } else { 0.0 };
            if whole { problem.add_integer_var(weight, (0, i32::MAX)) } else { problem.add_var(weight, (0.0, f64::INFINITY)) }
        })
        .collect();
    for equation in equations {
        let terms: Vec<(Variable, f64)> = equation
            .terms
            .iter()
            .filter_map(|(unknown, sign)| cells.binary_search(unknown).ok().map(|at| (variables[at], *sign)))
            .collect();
        problem.add_constraint(terms.as_slice(), ComparisonOp::Eq, equation.known);
    }
    match problem.solve() {
        Ok(SolveOutcome::Solution(solution)) => {
            let point: Vec<f64> = variables.iter().map(|&variable| solution.var_value(variable)).collect();
            let is_whole = point.iter().all(|value| (value - value.round()).abs() < NEAR);
            Bound::Point(point, is_whole)
        }
        Err(microlp::Error::Unbounded) => Bound::Unbounded,
        Ok(SolveOutcome::Interrupted(_)) | Err(_) => Bound::Undecided,
    }
}
