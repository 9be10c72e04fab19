//! Whole numbers that keep linear rows: is there a solution, and one with a count at one end?
//!
//! First comes a depth-first search. At every step the ranges of all unknowns are narrowed by interval reasoning on every row until
//! nothing moves; then the numbers that are nearest to the truth within these ranges are tried. Where they break a row, one of its
//! unknowns has to give way: first it must, then it must not. Both cases together are all there are, so that the search misses nothing. A
//! bad choice near the root can cost for ever, so that the search starts again and again, with other choices and more steps.
//! What it does not settle is asked of linear programs: see [`super::programs`].

use super::{programs, random::Random};

/// `low <= sum of coefficient x unknown <= high`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Row {
    /// Unknown and coefficient.
    pub terms: Vec<(u32, i32)>,
    /// The least that the sum may be.
    pub low: i32,
    /// The most that it may be.
    pub high: i32,
}

/// No bound: larger than all sums, small enough that sums of it do not overflow.
pub const UNBOUNDED: i32 = 1 << 24;

/// The smallest and the largest number that an unknown may be.
pub type Range = [i32; 2];

/// Unknowns with their ranges, and rows over them.
#[derive(Debug, Clone, Default)]
pub struct System {
    /// The range of each unknown.
    pub ranges: Vec<Range>,
    /// For each unknown the number that is tried first.
    pub preferred: Vec<i32>,
    /// The rows.
    pub rows: Vec<Row>,
    rows_of: Vec<Vec<u32>>,
}

/// What a search has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A solution.
    Found(Vec<i32>),
    /// There is none.
    Impossible,
    /// The budget is used up.
    Undecided,
}

/// A solution must have this unknown within this range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// The unknown.
    pub unknown: u32,
    /// Its range.
    pub range: Range,
}

/// How much a search may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Steps of the depth-first search, over all its starts.
    pub steps: u32,
    /// Linear programs.
    pub programs: u32,
}

/// Steps of the first start of a search.
const FIRST_START: u32 = 60;

impl System {
    /// Adds an unknown.
    pub fn unknown(&mut self, range: Range, preferred: i32) -> u32 {
        self.ranges.push(range);
        self.preferred.push(preferred);
        (self.ranges.len() - 1) as u32
    }

    /// To be called when all rows are there.
    pub fn index(&mut self) {
        self.rows_of = vec![Vec::new(); self.ranges.len()];
        for (at, row) in (0..).zip(&self.rows) {
            for &(unknown, _) in &row.terms {
                self.rows_of[unknown as usize].push(at);
            }
        }
    }

    /// Narrows all ranges as far as interval reasoning goes.
    ///
    /// Returns whether a solution may be left.
    pub fn narrow(&mut self) -> bool {
        let mut narrowing = Narrowing::new(self);
        (0..self.rows.len()).for_each(|row| narrowing.enqueue(row as u32));
        let mut ranges = self.ranges.clone();
        let possible = narrowing.run(&mut ranges);
        self.ranges = ranges;
        possible
    }

    /// Looks for a solution within a bound; what was spent is taken off the budget.
    pub fn find(&self, bound: Bound, budget: &mut Budget) -> Answer {
        self.find_accepted(bound, budget, &mut |_| true)
    }

    /// Looks for a solution within a bound that a caller accepts, who is shown one after the other.
    pub fn find_accepted(&self, bound: Bound, budget: &mut Budget, accept: &mut dyn FnMut(&[i32]) -> bool) -> Answer {
        let mut search = Search::new(self, accept);
        let mut ranges = self.ranges.clone();
        if !search.narrowing.restrict(&mut ranges, bound) || !search.narrowing.run(&mut ranges) {
            return Answer::Impossible;
        }
        let mut start = FIRST_START;
        while budget.steps > 0 {
            search.steps = start.min(budget.steps);
            budget.steps -= search.steps;
            let found = search.descend(ranges.clone());
            budget.steps += search.steps;
            match found {
                Some(Some(solution)) => return Answer::Found(solution),
                Some(None) => return Answer::Impossible,
                None => search.start_again(),
            }
            start += start / 2;
        }
        programs::find(self, ranges, bound, &mut budget.programs, accept)
    }

    /// What some numbers contradict: the first unknown that is out of its range, or the first row.
    pub fn contradiction(&self, numbers: &[i32]) -> Option<String> {
        let outside = self.ranges.iter().zip(numbers).position(|(range, number)| !(range[0]..=range[1]).contains(number));
        if let Some(at) = outside {
            return Some(format!("{} is not in {:?}", numbers[at], self.ranges[at]));
        }
        let row = self.rows.iter().find(|row| row.excess(numbers) != 0)?;
        Some(format!("{row:?} over {:?}", row.terms.iter().map(|&(unknown, _)| numbers[unknown as usize]).collect::<Vec<_>>()))
    }
}

impl Row {
    /// By how much some numbers make the sum too large, or, as a negative number, too small.
    pub fn excess(&self, numbers: &[i32]) -> i32 {
        let sum = self.sum(numbers);
        if sum > self.high { sum - self.high } else { (sum - self.low).min(0) }
    }

    fn sum(&self, numbers: &[i32]) -> i32 {
        self.terms.iter().map(|&(unknown, factor)| factor * numbers[unknown as usize]).sum()
    }

    fn is_broken_by(&self, sum: i32) -> i32 {
        (sum - self.high).max(self.low - sum).max(0)
    }
}

/// Interval reasoning on rows that wait for it.
pub struct Narrowing<'a> {
    system: &'a System,
    queue: Vec<u32>,
    queued: Vec<bool>,
}

impl<'a> Narrowing<'a> {
    /// Nothing waits yet.
    pub fn new(system: &'a System) -> Self {
        Self { system, queue: Vec::new(), queued: vec![false; system.rows.len()] }
    }

    fn enqueue(&mut self, row: u32) {
        if !std::mem::replace(&mut self.queued[row as usize], true) {
            self.queue.push(row);
        }
    }

    /// Narrows one range; whether anything is left of it.
    pub fn restrict(&mut self, ranges: &mut [Range], bound: Bound) -> bool {
        let system = self.system;
        let range = &mut ranges[bound.unknown as usize];
        let narrowed = [range[0].max(bound.range[0]), range[1].min(bound.range[1])];
        if narrowed != *range {
            *range = narrowed;
            system.rows_of[bound.unknown as usize].iter().for_each(|&row| self.enqueue(row));
        }
        narrowed[0] <= narrowed[1]
    }

    /// Works off all rows that wait; whether a solution may be left.
    pub fn run(&mut self, ranges: &mut [Range]) -> bool {
        while let Some(row) = self.queue.pop() {
            self.queued[row as usize] = false;
            if !self.narrow_row(row, ranges) {
                self.queue.drain(..).for_each(|row| self.queued[row as usize] = false);
                return false;
            }
        }
        true
    }

    fn narrow_row(&mut self, at: u32, ranges: &mut [Range]) -> bool {
        let system = self.system;
        let row = &system.rows[at as usize];
        let ends = |range: Range, factor: i32| {
            let ends = range.map(|end| factor * end);
            if factor > 0 { ends } else { [ends[1], ends[0]] }
        };
        let (mut least, mut most) = (0, 0);
        for &(unknown, factor) in &row.terms {
            let [low, high] = ends(ranges[unknown as usize], factor);
            least += low;
            most += high;
        }
        if least > row.high || most < row.low {
            return false;
        }
        if least >= row.low && most <= row.high {
            return true;
        }
        for &(unknown, factor) in &row.terms {
            let range = ranges[unknown as usize];
            let [low, high] = ends(range, factor);
            // What the others leave for this one.
            let (from, to) = (row.low - (most - high), row.high - (least - low));
            let allowed = if factor > 0 {
                [-(-from).div_euclid(factor), to.div_euclid(factor)]
            } else {
                [-to.div_euclid(-factor), (-from).div_euclid(-factor)]
            };
            let narrowed = [range[0].max(allowed[0]), range[1].min(allowed[1])];
            if narrowed[0] > narrowed[1] {
                return false;
            }
            if narrowed == range {
                continue;
            }
            ranges[unknown as usize] = narrowed;
            let [new_low, new_high] = ends(narrowed, factor);
            least += new_low - low;
            most += new_high - high;
            // Where every coefficient is one, a row has nothing to add to its own result.
            let others = system.rows_of[unknown as usize].iter().filter(|&&other| other != at || factor.abs() > 1);
            others.for_each(|&other| self.enqueue(other));
        }
        true
    }
}

struct Search<'a> {
    system: &'a System,
    accept: &'a mut dyn FnMut(&[i32]) -> bool,
    narrowing: Narrowing<'a>,
    /// Steps that are left.
    steps: u32,
    /// Differences between choices that are taken for none: zero at first.
    noise: usize,
    random: Random,
}

impl<'a> Search<'a> {
    fn new(system: &'a System, accept: &'a mut dyn FnMut(&[i32]) -> bool) -> Self {
        Self { system, accept, narrowing: Narrowing::new(system), steps: 0, noise: 1, random: Random::new(1) }
    }

    fn start_again(&mut self) {
        self.noise = 4;
    }

    /// A solution within some ranges, that there is none, or `None`: nobody knows.
    fn descend(&mut self, mut ranges: Vec<Range>) -> Option<Option<Vec<i32>>> {
        if !self.narrowing.run(&mut ranges) {
            return Some(None);
        }
        self.steps = self.steps.checked_sub(1)?;
        let nearest = |(range, wanted): (&Range, &i32)| *wanted.max(&range[0]).min(&range[1]);
        let numbers: Vec<i32> = ranges.iter().zip(&self.system.preferred).map(nearest).collect();
        let (unknown, upwards) = match self.who_gives_way(&ranges, &numbers) {
            Some(choice) => choice,
            None if (self.accept)(&numbers) => return Some(Some(numbers)),
            // Whatever else there is differs from this one somewhere.
            None => match (0..ranges.len()).filter(|&at| ranges[at][0] < ranges[at][1]).min_by_key(|&at| ranges[at][1] - ranges[at][0]) {
                Some(at) => (at as u32, numbers[at] < ranges[at][1]),
                None => return Some(None),
            },
        };
        let number = numbers[unknown as usize];
        let [low, high] = ranges[unknown as usize];
        let halves = if upwards { [[number + 1, high], [low, number]] } else { [[low, number - 1], [number, high]] };
        for range in halves {
            let mut ranges = ranges.clone();
            if self.narrowing.restrict(&mut ranges, Bound { unknown, range })
                && let Some(found) = self.descend(ranges)?
            {
                return Some(Some(found));
            }
        }
        Some(None)
    }

    /// An unknown of a broken row that can mend it, and whether it has to be larger; `None` if no row is broken.
    fn who_gives_way(&mut self, ranges: &[Range], numbers: &[i32]) -> Option<(u32, bool)> {
        let is_open = |(unknown, _): &&(u32, i32)| ranges[*unknown as usize][0] < ranges[*unknown as usize][1];
        let broken = self.system.rows.iter().map(|row| (row, row.excess(numbers))).filter(|(_, excess)| *excess != 0);
        let (row, excess) = broken.min_by_key(|(row, _)| row.terms.iter().filter(is_open).count())?;
        let mut best = None;
        for &(unknown, factor) in &row.terms {
            let upwards = (excess < 0) == (factor > 0);
            let (number, [low, high]) = (numbers[unknown as usize], ranges[unknown as usize]);
            if if upwards { number < high } else { number > low } {
                let damage = self.damage(numbers, unknown, if upwards { 1 } else { -1 }) + self.random.below(self.noise) as i32;
                if best.is_none_or(|(least, _)| damage < least) {
                    best = Some((damage, (unknown, upwards)));
                }
            }
        }
        // Interval reasoning leaves no broken row without an unknown that can mend it.
        best.map(|(_, choice)| choice)
    }

    /// By how much more the rows of an unknown are broken when it moves.
    fn damage(&self, numbers: &[i32], unknown: u32, by: i32) -> i32 {
        let rows = self.system.rows_of[unknown as usize].iter().map(|&row| &self.system.rows[row as usize]);
        rows.map(|row| {
            let factor = row.terms.iter().find(|(other, _)| *other == unknown).map_or(0, |(_, factor)| *factor);
            let sum = row.sum(numbers);
            row.is_broken_by(sum + factor * by) - row.is_broken_by(sum)
        })
        .sum()
    }
}
