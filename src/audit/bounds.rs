//! Exact bounds of the unknowns of one component of the suppressed system.
//!
//! Each end of a range is held from both sides: from outside by what single sums allow, from inside by points of the
//! system that were seen, the true counts first. Where the two meet, the end is exact without a program. For the others
//! one linear program with all of them in its objective settles many, and what is left is asked for one by one; an
//! optimum is exact, and the point at which it lies is one more that was seen.

use microlp::{ComparisonOp, OptimizationDirection, Problem, SolveOutcome, Variable};

/// Tolerance of the solver's numbers.
const NEAR: f64 = 1e-6;

/// An equation: unknowns with their signs, and what they add up to.
#[derive(Debug, Clone, Default)]
pub struct Equation {
    /// Unknowns and their signs.
    pub terms: Vec<(u32, f64)>,
    /// Sum of the terms.
    pub known: f64,
}

/// An end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The smallest value.
    Low,
    /// The largest value.
    High,
}

impl End {
    /// Whether a value is as far out as a goal.
    pub fn is_reached(self, value: f64, goal: f64) -> bool {
        match self {
            Self::Low => value - NEAR <= goal,
            Self::High => value + NEAR >= goal,
        }
    }
}

/// Values that an unknown may have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// Smallest value.
    pub low: f64,
    /// Largest value, perhaps infinite.
    pub high: f64,
}

impl Range {
    /// What is known of any count.
    pub const COUNT: Self = Self { low: 0.0, high: f64::INFINITY };

    /// The range of one value.
    pub fn of(value: f64) -> Self {
        Self { low: value, high: value }
    }

    /// One end.
    pub fn end(&self, end: End) -> f64 {
        match end {
            End::Low => self.low,
            End::High => self.high,
        }
    }

    fn set(&mut self, end: End, value: f64) {
        match end {
            End::Low => self.low = value,
            End::High => self.high = value,
        }
    }

    fn take_in(&mut self, value: f64) {
        self.low = self.low.min(value);
        self.high = self.high.max(value);
    }
}

/// Narrows the ranges of the unknowns of one sum to what the others leave; tells whether one became narrower.
pub fn narrow(terms: &[(u32, f64)], known: f64, ranges: &mut [Range]) -> bool {
    // What the terms add up to at least and at most, and how many of them have no upper limit.
    let (mut least, mut most, mut endless_least, mut endless_most) = (0.0, 0.0, 0u32, 0u32);
    for &(unknown, sign) in terms {
        let Range { low, high } = ranges[unknown as usize];
        let (finite, endless) = if high.is_finite() { (high, 0) } else { (0.0, 1) };
        if sign > 0.0 {
            least += low;
            most += finite;
            endless_most += endless;
        } else {
            least -= finite;
            most -= low;
            endless_least += endless;
        }
    }
    let mut narrower = false;
    for &(unknown, sign) in terms {
        let range = &mut ranges[unknown as usize];
        let Range { low, high } = *range;
        let endless = u32::from(high.is_infinite());
        let finite = if endless == 1 { 0.0 } else { high };
        // Bounds of the sum of the other terms.
        let (others_least, others_most) = if sign > 0.0 {
            ((endless_least == 0).then_some(least - low), (endless_most == endless).then_some(most - finite))
        } else {
            ((endless_least == endless).then_some(least + finite), (endless_most == 0).then_some(most + low))
        };
        let (from, to) = if sign > 0.0 {
            (others_most.map(|most| known - most), others_least.map(|least| known - least))
        } else {
            (others_least.map(|least| least - known), others_most.map(|most| most - known))
        };
        if let Some(from) = from.filter(|&from| from > low) {
            range.low = from;
            narrower = true;
        }
        if let Some(to) = to.filter(|&to| to < high) {
            range.high = to;
            narrower = true;
        }
    }
    narrower
}

/// A component, or a part of one: its unknowns in ascending order, and its sums.
#[derive(Debug)]
pub struct System<'a> {
    unknowns: Vec<u32>,
    /// Equations over positions in `unknowns`.
    equations: Vec<Equation>,
    /// What single sums leave of each: bounds of the programs.
    allowed: Vec<Range>,
    /// The same, with ends that a program found.
    outer: Vec<Range>,
    /// What points that were seen span.
    inner: Vec<Range>,
    /// What whole-number points that were seen span.
    whole: Vec<Range>,
    work: &'a mut Work,
}

/// What it took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    /// Linear programs.
    pub programs: u64,
    /// Programs in whole numbers.
    pub whole_numbers: u64,
    /// Ends that the solver could not decide.
    pub undecided: u64,
}

impl<'a> System<'a> {
    /// The system of some equations, starting from what is known of each unknown and from its true count.
    pub fn new(equations: &[Equation], ranges: &[Range], truth: impl Fn(u32) -> u32, work: &'a mut Work) -> Self {
        let mut unknowns: Vec<u32> = equations.iter().flat_map(|equation| equation.terms.iter().map(|(unknown, _)| *unknown)).collect();
        unknowns.sort_unstable();
        unknowns.dedup();
        let equations = equations
            .iter()
            .map(|equation| Equation {
                terms: equation
                    .terms
                    .iter()
                    .filter_map(|(unknown, sign)| Some((unknowns.binary_search(unknown).ok()? as u32, *sign)))
                    .collect(),
                known: equation.known,
            })
            .collect();
        let allowed: Vec<Range> = unknowns.iter().map(|&unknown| ranges[unknown as usize]).collect();
        let inner: Vec<Range> = unknowns.iter().map(|&unknown| Range::of(f64::from(truth(unknown)))).collect();
        Self { unknowns, equations, outer: allowed.clone(), allowed, whole: inner.clone(), inner, work }
    }

    /// The unknowns, ascending.
    pub fn unknowns(&self) -> &[u32] {
        &self.unknowns
    }

    /// Works out both ends of the ranges of all unknowns.
    pub fn settle(&mut self) {
        for end in [End::High, End::Low] {
            let mut open = self.open(end);
            while open.len() > 1 && self.ask(&open, end, false).is_some() {
                let left = self.open(end);
                if left.len() == open.len() {
                    break;
                }
                open = left;
            }
            for at in open {
                self.settle_end(at, end);
            }
        }
    }

    fn settle_end(&mut self, at: usize, end: End) {
        if let Some(value) = self.ask(&[at], end, false) {
            let value = snapped(value);
            self.outer[at].set(end, value);
            self.inner[at].set(end, value);
        }
    }

    /// The exact range of an unknown, as far as it was worked out.
    pub fn exact(&self, unknown: u32) -> Option<Range> {
        let at = self.at(unknown)?;
        (self.is_exact(at, End::Low) && self.is_exact(at, End::High)).then(|| self.inner[at])
    }

    /// Whether one of some unknowns can come as far as `goal`, in whole numbers or in any; `None` if the solver gave up.
    pub fn reaches(&mut self, unknowns: &[u32], end: End, goal: f64, whole: bool) -> Option<bool> {
        let all: Vec<usize> = unknowns.iter().filter_map(|&unknown| self.at(unknown)).collect();
        let seen = if whole { &self.whole } else { &self.inner };
        if all.iter().any(|&at| end.is_reached(seen[at].end(end), goal)) {
            return Some(true);
        }
        for at in all {
            if end.is_reached(self.outer[at].end(end), goal) && end.is_reached(self.ask(&[at], end, whole)?, goal) {
                return Some(true);
            }
        }
        Some(false)
    }

    fn at(&self, unknown: u32) -> Option<usize> {
        self.unknowns.binary_search(&unknown).ok()
    }

    fn is_exact(&self, at: usize, end: End) -> bool {
        let (outer, inner) = (self.outer[at].end(end), self.inner[at].end(end));
        outer == inner || (outer - inner).abs() < NEAR
    }

    fn open(&self, end: End) -> Vec<usize> {
        (0..self.unknowns.len()).filter(|&at| !self.is_exact(at, end)).collect()
    }

    /// The optimum of the sum of some unknowns, infinite if there is none; `None` if the solver gave up.
    fn ask(&mut self, objective: &[usize], end: End, whole: bool) -> Option<f64> {
        self.work.programs += u64::from(!whole);
        self.work.whole_numbers += u64::from(whole);
        let direction = if end == End::High { OptimizationDirection::Maximize } else { OptimizationDirection::Minimize };
        let mut problem = Problem::new(direction);
        let mut weights = vec![0.0; self.unknowns.len()];
        for &at in objective {
            weights[at] = 1.0;
        }
        let variables: Vec<Variable> = weights
            .into_iter()
            .zip(&self.allowed)
            .map(|(weight, &Range { low, high })| {
                if whole {
                    problem.add_integer_var(weight, (low.ceil() as i32, high.floor().min(f64::from(i32::MAX)) as i32))
                } else {
                    problem.add_var(weight, (low, high))
                }
            })
            .collect();
        for equation in &self.equations {
            let terms: Vec<(Variable, f64)> = equation.terms.iter().map(|&(at, sign)| (variables[at as usize], sign)).collect();
            problem.add_constraint(terms.as_slice(), ComparisonOp::Eq, equation.known);
        }
        match problem.solve() {
            Ok(SolveOutcome::Solution(solution)) => {
                let point: Vec<f64> = variables.iter().map(|&variable| solution.var_value(variable)).collect();
                let is_whole = point.iter().all(|&value| snapped(value) == value.round());
                for (at, &value) in point.iter().enumerate() {
                    self.inner[at].take_in(snapped(value));
                    if is_whole {
                        self.whole[at].take_in(snapped(value));
                    }
                }
                Some(objective.iter().map(|&at| point[at]).sum())
            }
            Err(microlp::Error::Unbounded) => Some(if end == End::High { f64::INFINITY } else { f64::NEG_INFINITY }),
            Ok(SolveOutcome::Interrupted(_)) | Err(_) => {
                self.work.undecided += 1;
                None
            }
        }
    }
}

/// A value, or the whole number that it is but for the solver's rounding.
fn snapped(value: f64) -> f64 {
    if (value - value.round()).abs() < NEAR { value.round() } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows and columns of a table, all its cells unknown.
    fn table(cells: &[&[u32]]) -> (Vec<Equation>, Vec<u32>) {
        let (rows, columns) = (cells.len(), cells[0].len());
        let truth: Vec<u32> = cells.concat();
        let sum = |members: Vec<usize>| Equation {
            known: members.iter().map(|&at| f64::from(truth[at])).sum(),
            terms: members.into_iter().map(|at| (at as u32, 1.0)).collect(),
        };
        let of_rows = (0..rows).map(|row| sum((0..columns).map(|column| row * columns + column).collect()));
        let of_columns = (0..columns).map(|column| sum((0..rows).map(|row| row * columns + column).collect()));
        (of_rows.chain(of_columns).collect(), truth)
    }

    fn settled(equations: &[Equation], truth: &[u32], work: &mut Work) -> Vec<Option<Range>> {
        let mut ranges = vec![Range::COUNT; truth.len()];
        while equations.iter().fold(false, |narrower, equation| narrow(&equation.terms, equation.known, &mut ranges) | narrower) {}
        let mut system = System::new(equations, &ranges, |unknown| truth[unknown as usize], work);
        system.settle();
        (0..truth.len() as u32).map(|unknown| system.exact(unknown)).collect()
    }

    /// Of a table with known margins a cell lies between what its row and column cannot hold elsewhere and the smaller of them
    /// (Frechet 1940).
    #[test]
    fn cells_of_a_table_have_the_bounds_of_frechet() {
        let mut state = 1u32;
        let mut random = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) % below
        };
        for case in 0..200 {
            let (rows, columns) = (2 + random(4) as usize, 2 + random(4) as usize);
            let cells: Vec<Vec<u32>> = (0..rows).map(|_| (0..columns).map(|_| random(7)).collect()).collect();
            let (equations, truth) = table(&cells.iter().map(Vec::as_slice).collect::<Vec<_>>());
            let total: u32 = truth.iter().sum();
            let mut work = Work::default();
            let found = settled(&equations, &truth, &mut work);
            for (at, range) in found.into_iter().enumerate() {
                let (row, column) = (equations[at / columns].known, equations[rows + at % columns].known);
                let expect = Range { low: (row + column - f64::from(total)).max(0.0), high: row.min(column) };
                assert_eq!(range, Some(expect), "cell {at} of case {case}: {cells:?}");
            }
            assert_eq!(work.undecided, 0);
        }
    }

    #[test]
    fn sums_with_an_unknown_total_go_on_for_ever() {
        // A total of two parts, one of which a second sum gives away.
        let equations =
            [Equation { terms: vec![(0, 1.0), (1, -1.0), (2, -1.0)], known: 0.0 }, Equation { terms: vec![(1, -1.0)], known: -3.0 }];
        let ranges = settled(&equations, &[7, 3, 4], &mut Work::default());
        assert_eq!(ranges[0], Some(Range { low: 3.0, high: f64::INFINITY }));
        assert_eq!(ranges[1], Some(Range::of(3.0)));
        assert_eq!(ranges[2], Some(Range::COUNT));
    }

    #[test]
    fn whole_numbers_reach_less_far_than_others() {
        // The first three are equal, and twice one of them and the fourth make 3.
        let pair = |a: u32, b: u32| Equation { terms: vec![(a, 1.0), (b, 1.0), (3, 1.0)], known: 3.0 };
        let equations = [pair(0, 1), pair(1, 2), pair(0, 2)];
        let ranges = vec![Range::COUNT; 4];
        let mut work = Work::default();
        let mut system = System::new(&equations, &ranges, |unknown| [1, 1, 1, 1][unknown as usize], &mut work);
        assert_eq!(system.reaches(&[0], End::High, 1.5, false), Some(true));
        assert_eq!(system.reaches(&[0], End::High, 1.5, true), Some(false));
        assert_eq!(system.reaches(&[0, 3], End::High, 3.0, true), Some(true));
        assert_eq!(system.reaches(&[0], End::Low, 0.0, true), Some(true));
        assert!(work.programs > 0 && work.whole_numbers > 0);
    }
}
