//! Works out the ranges of the unknowns of one subsystem.
//!
//! Each end of a range is held from both sides: from outside by what rows allow, from inside by points that fulfil all rows. Where the two
//! meet, the end is exact. Points come from dives, which are cheap and whole by nature; ends that no dive reaches are asked of linear
//! programs, many at once first, then one by one; what then is reached by fractions only is searched for in whole numbers, if the
//! subsystem is small.

use std::{iter, time::Instant};

use super::{
    bounds::Bounds,
    history::{Combination, Step},
    narrow::{End, NO_LIMIT},
    program::{Optimum, is_near, optimum, proof, rounded_inward},
    rows::{RowId, System},
    search::{Search, search},
    statistics::Statistics,
    subsystem::{Impossible, Subsystem},
};

/// Halves that a search in whole numbers may try.
const PATIENCE: usize = 2_000;
/// Values that are refuted one after the other, from the end that a program found.
const REFUTED: usize = 64;

/// How an end was found, in the order of a subsystem's history.
#[derive(Debug, Clone)]
pub(super) enum Found {
    /// By a row.
    Row { unknown: u32, end: End, value: i64, row: RowId },
    /// By a combination of rows.
    Combination { unknown: u32, end: End, value: i64, rows: Combination },
    /// By cases.
    Cases { unknown: u32, end: End, value: i64, steps: Vec<Step> },
}

/// How sure the end of a range is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sure {
    /// It is one, but perhaps not the narrowest.
    Bound,
    /// It is the narrowest in real numbers, rounded inward.
    Exact,
    /// A point in whole numbers takes it.
    Whole,
}

/// What is wanted of a subsystem.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// Whether all rows of its unknowns are in it, so that its points are points of the whole system.
    pub is_complete: bool,
    /// Whether whole numbers are searched for.
    pub in_whole_numbers: bool,
    /// When ends that are open then are left undecided.
    pub deadline: Option<Instant>,
}

impl Wanted {
    fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}

/// What came of a subsystem.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// How sure both ends of the targets are.
    pub sure: Vec<(u32, Sure)>,
    /// How ends that became narrower were found, in order.
    pub found: Vec<Found>,
    /// What it took.
    pub statistics: Statistics,
    /// Whether nothing fulfils the rows.
    pub is_impossible: bool,
}

/// A subsystem that is being settled.
struct Settling<'s, 'a> {
    system: &'s System<'a>,
    bounds: &'s Bounds,
    subsystem: Subsystem,
    wanted: Wanted,
    /// For each unknown and end how sure it is.
    sure: Vec<[Sure; 2]>,
    /// Whether a point in whole numbers is known.
    has_point: bool,
    result: Settled,
}

/// Tells whether anything fulfils the rows of a subsystem in real numbers; `None` if the solver gave up.
pub(super) fn is_possible(subsystem: &mut Subsystem) -> Option<bool> {
    let count = subsystem.len() as u32;
    for end in [End::Low, End::High] {
        if subsystem.dive((0..count).map(|at| (at, end))).is_some() {
            return Some(true);
        }
    }
    match optimum(subsystem, &[], End::Low) {
        Optimum::At(..) | Optimum::Endless => Some(true),
        Optimum::Impossible => Some(false),
        Optimum::Undecided => None,
    }
}

/// Works out the ranges of some unknowns of a subsystem, given by their positions; the others serve to do so.
pub(super) fn settle(system: &System<'_>, bounds: &Bounds, subsystem: Subsystem, targets: &[u32], wanted: Wanted) -> Settled {
    let sure = vec![[Sure::Bound; 2]; subsystem.len()];
    let mut settling = Settling { system, bounds, subsystem, wanted, sure, has_point: false, result: Settled::default() };
    if settling.work(targets).is_err() {
        settling.result.is_impossible = true;
        return settling.result;
    }
    let of_both = |&at: &u32| {
        let (low, high) = settling.subsystem.range(at);
        let [of_low, of_high] = settling.sure[at as usize];
        // Of one value nothing else is left, if there is any at all.
        (settling.subsystem.unknowns()[at as usize], if low == high { Sure::Whole } else { of_low.min(of_high) })
    };
    settling.result.sure = targets.iter().map(of_both).collect();
    settling.result
}

impl Settling<'_, '_> {
    fn work(&mut self, targets: &[u32]) -> Result<(), Impossible> {
        self.narrow(|subsystem, steps| subsystem.narrow_all(Some(steps)))?;
        self.dive(targets, Sure::Bound);
        for end in [End::High, End::Low] {
            self.ask_together(targets, end)?;
            for at in self.open(targets, end, Sure::Bound) {
                self.ask(at, end)?;
            }
        }
        // Programs have moved some ends to where whole numbers may reach.
        self.dive(targets, Sure::Exact);
        if self.wanted.in_whole_numbers {
            for end in [End::High, End::Low] {
                for &at in targets {
                    self.search(at, end)?;
                }
            }
        }
        Ok(())
    }

    /// Narrows by rows, and notes how.
    fn narrow(&mut self, narrow: impl FnOnce(&mut Subsystem, &mut Vec<Step>) -> Result<(), Impossible>) -> Result<(), Impossible> {
        let mut steps = Vec::new();
        let outcome = narrow(&mut self.subsystem, &mut steps);
        self.result.found.extend(steps.into_iter().filter_map(|step| match step {
            Step::Bound { unknown, end, value, row } => Some(Found::Row { unknown, end, value, row }),
            Step::Suppose { .. } | Step::Conclude { .. } => None,
        }));
        outcome
    }

    /// Targets whose end is not sure yet, or no more than a degree.
    fn open(&self, targets: &[u32], end: End, most: Sure) -> Vec<u32> {
        let is_open = |at: &u32| {
            let (low, high) = self.subsystem.range(*at);
            low < high && self.sure[*at as usize][end as usize] <= most
        };
        targets.iter().copied().filter(is_open).collect()
    }

    /// Looks for whole-number points that take the ends that are open.
    fn dive(&mut self, targets: &[u32], most: Sure) {
        let count = self.subsystem.len() as u32;
        for end in [End::High, End::Low] {
            let open = self.open(targets, end, most);
            for &at in &open {
                if self.sure[at as usize][end as usize] > most || self.subsystem.end(at, end) == NO_LIMIT {
                    continue;
                }
                // Others that are open are taken along; what serves is left at the other end first.
                for rest in [end.other(), end] {
                    let others = open.iter().filter(|other| **other != at).map(|other| (*other, end));
                    let rest = (0..count).map(|other| (other, rest));
                    if let Some(point) = self.subsystem.dive(iter::once((at, end)).chain(others).chain(rest)) {
                        self.take_in(&point);
                        break;
                    }
                }
            }
        }
    }

    /// Notes which ends a whole-number point takes.
    fn take_in(&mut self, point: &[i64]) {
        self.has_point = true;
        for (at, value) in (0..).zip(point) {
            for end in [End::Low, End::High] {
                if self.subsystem.end(at, end) == *value {
                    self.sure[at as usize][end as usize] = Sure::Whole;
                }
            }
        }
    }

    /// Notes which ends a point of a program takes.
    fn take_in_real(&mut self, point: &[f64]) {
        let whole: Vec<i64> = point.iter().map(|value| value.round() as i64).collect();
        let is_whole = point.iter().zip(&whole).all(|(value, whole)| is_near(*value, *whole as f64));
        if is_whole && self.subsystem.is_fulfilled_by(&whole) {
            return self.take_in(&whole);
        }
        for (at, value) in (0..).zip(point) {
            for end in [End::Low, End::High] {
                let (limit, sure) = (self.subsystem.end(at, end), &mut self.sure[at as usize][end as usize]);
                if limit != NO_LIMIT && is_near(*value, limit as f64) {
                    *sure = (*sure).max(Sure::Exact);
                }
            }
        }
    }

    /// One program for all ends that are open, as long as that decides some.
    fn ask_together(&mut self, targets: &[u32], end: End) -> Result<(), Impossible> {
        let mut open = self.open(targets, end, Sure::Bound);
        while open.len() > 1 {
            match self.optimum(&open, end)? {
                Optimum::At(_, point) => self.take_in_real(&point),
                _ => return Ok(()),
            }
            let left = self.open(targets, end, Sure::Bound);
            if left.len() == open.len() {
                return Ok(());
            }
            open = left;
        }
        Ok(())
    }

    /// A program for one end.
    fn ask(&mut self, at: u32, end: End) -> Result<(), Impossible> {
        if self.sure[at as usize][end as usize] > Sure::Bound {
            return Ok(());
        }
        if self.wanted.is_late() {
            self.result.statistics.undecided += 1;
            return Ok(());
        }
        match self.optimum(&[at], end)? {
            Optimum::At(value, point) => {
                let (inward, known) = (rounded_inward(value, end), self.subsystem.end(at, end));
                let mut is_proven = true;
                if end.is_inside(inward, known) {
                    is_proven = self.move_in(at, end, inward)?;
                }
                self.take_in_real(&point);
                if is_proven {
                    let sure = &mut self.sure[at as usize][end as usize];
                    *sure = (*sure).max(Sure::Exact);
                }
            }
            // Whatever grows forever in real numbers does so in whole numbers, if there are any.
            Optimum::Endless => self.sure[at as usize][end as usize] = if self.has_point { Sure::Whole } else { Sure::Exact },
            Optimum::Impossible | Optimum::Undecided => {}
        }
        Ok(())
    }

    fn optimum(&mut self, objective: &[u32], end: End) -> Result<Optimum, Impossible> {
        self.result.statistics.programs += 1;
        let optimum = optimum(&self.subsystem, objective, end);
        match &optimum {
            Optimum::Impossible if !self.has_point => return Err(Impossible),
            // A point is known, so the solver is wrong.
            Optimum::Impossible => self.result.statistics.undecided += 1,
            Optimum::Undecided if objective.len() == 1 => self.result.statistics.undecided += 1,
            _ => {}
        }
        Ok(optimum)
    }

    /// Moves an end in to where a program found it, or as far as can be proven; tells whether that is all the way.
    fn move_in(&mut self, at: u32, end: End, wanted: i64) -> Result<bool, Impossible> {
        let Some((value, rows)) = proof(&self.subsystem, self.system, self.bounds, at, end, wanted) else {
            self.result.statistics.unproven += 1;
            return Ok(false);
        };
        self.result.statistics.unproven += u64::from(end.is_inside(wanted, value));
        let unknown = self.subsystem.unknowns()[at as usize];
        self.result.found.push(Found::Combination { unknown, end, value, rows });
        self.set(at, end, value)?;
        Ok(!end.is_inside(wanted, value))
    }

    fn set(&mut self, at: u32, end: End, value: i64) -> Result<(), Impossible> {
        if end.is_inside(value, self.subsystem.end(at, end.other())) {
            return Err(Impossible);
        }
        self.narrow(|subsystem, steps| subsystem.set(at, end, value, Some(steps)))
    }

    /// Moves an end in until a point in whole numbers takes it.
    fn search(&mut self, at: u32, end: End) -> Result<(), Impossible> {
        for _ in 0..REFUTED {
            let (low, high) = self.subsystem.range(at);
            if low == high || self.sure[at as usize][end as usize] == Sure::Whole || self.subsystem.end(at, end) == NO_LIMIT {
                return Ok(());
            }
            if self.wanted.is_late() {
                break;
            }
            self.result.statistics.searches += 1;
            match search(&mut self.subsystem, at, end, PATIENCE) {
                (Search::Found(point), _) => self.take_in(&point),
                (Search::Refuted, steps) => {
                    let value = end.inward(self.subsystem.end(at, end));
                    let unknown = self.subsystem.unknowns()[at as usize];
                    self.result.found.push(Found::Cases { unknown, end, value, steps });
                    self.set(at, end, value)?;
                }
                (Search::GaveUp, _) => break,
            }
        }
        self.result.statistics.searches_undecided += 1;
        Ok(())
    }
}
