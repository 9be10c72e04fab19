//! Whole numbers: whether an unknown can have a value, by trying the halves of ranges and narrowing, with a record of why not.

use super::{
    history::Step,
    narrow::{End, NO_LIMIT},
    subsystem::{Impossible, Subsystem},
};

/// What a search came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Search {
    /// A point in whole numbers that fulfils all rows.
    Found(Vec<i64>),
    /// There is none.
    Refuted,
    /// There was too much to try.
    GaveUp,
}

/// Searches for a point at which an unknown is as far out as an end of its range. If there is none, the steps that refute it are returned
/// too, the first of which supposes that it is. `patience` is the number of halves that may be tried.
pub(super) fn search(subsystem: &mut Subsystem, at: u32, end: End, patience: usize) -> (Search, Vec<Step>) {
    let value = subsystem.end(at, end);
    let unknown = subsystem.unknowns()[at as usize];
    let mut steps = vec![Step::Suppose { unknown, end: end.other(), value }];
    let mark = subsystem.mark();
    let mut left = patience;
    let outcome = match subsystem.set(at, end.other(), value, Some(&mut steps)) {
        Ok(()) => descend(subsystem, &mut left, &mut steps),
        Err(Impossible) => Search::Refuted,
    };
    subsystem.undo(mark);
    (outcome, steps)
}

/// Searches within the present ranges.
fn descend(subsystem: &mut Subsystem, left: &mut usize, steps: &mut Vec<Step>) -> Search {
    loop {
        let open = (0..subsystem.len() as u32).filter(|at| {
            let (low, high) = subsystem.range(*at);
            low < high
        });
        let width = |at: &u32| {
            let (low, high) = subsystem.range(*at);
            if high == NO_LIMIT { NO_LIMIT } else { high - low }
        };
        let Some(at) = open.min_by_key(width) else {
            let point: Vec<i64> = (0..subsystem.len() as u32).map(|at| subsystem.range(at).0).collect();
            // Where narrowing lost patience, a point may have been overlooked to be none.
            return if subsystem.is_fulfilled_by(&point) { Search::Found(point) } else { Search::GaveUp };
        };
        if *left == 0 || width(&at) == NO_LIMIT {
            return Search::GaveUp;
        }
        *left -= 1;
        let unknown = subsystem.unknowns()[at as usize];
        let (low, high) = subsystem.range(at);
        let middle = low + (high - low) / 2;
        let mark = subsystem.mark();
        steps.push(Step::Suppose { unknown, end: End::High, value: middle });
        let lower = match subsystem.set(at, End::High, middle, Some(steps)) {
            Ok(()) => descend(subsystem, left, steps),
            Err(Impossible) => Search::Refuted,
        };
        if lower != Search::Refuted {
            return lower;
        }
        subsystem.undo(mark);
        steps.push(Step::Conclude { unknown, end: End::Low, value: middle + 1 });
        if subsystem.set(at, End::Low, middle + 1, Some(steps)).is_err() {
            return Search::Refuted;
        }
    }
}
