//! Many independent jobs on some threads; one that panics is counted, and the others go on.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// What became of a job.
#[derive(Debug)]
pub(super) enum Outcome<R> {
    /// It was done.
    Done(R),
    /// It panicked.
    Panicked,
    /// It was not begun, because time was up.
    NotBegun,
}

/// Does jobs by their numbers, as long as `goes_on`; what becomes of each stands in the order of the numbers.
pub(super) fn each<R: Send>(
    count: usize,
    threads: usize,
    goes_on: impl Fn() -> bool + Sync,
    work: impl Fn(usize) -> R + Sync,
) -> Vec<Outcome<R>> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        while goes_on() {
            let job = next.fetch_add(1, Ordering::Relaxed);
            if job >= count {
                break;
            }
            let outcome = catch_unwind(AssertUnwindSafe(|| work(job)));
            done.push((job, outcome.map_or(Outcome::Panicked, Outcome::Done)));
        }
        done
    };
    let mut outcomes: Vec<Outcome<R>> = (0..count).map(|_| Outcome::NotBegun).collect();
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads.max(1)).map(|_| scope.spawn(worker)).collect();
        let own = worker();
        // A worker catches what panics, so that none is lost.
        for (job, outcome) in others.into_iter().flat_map(|other| other.join().unwrap_or_default()).chain(own) {
            outcomes[job] = outcome;
        }
    });
    outcomes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_counted_and_the_others_go_on() {
        let outcomes = each(
            100,
            3,
            || true,
            |job| {
                assert!(job != 41, "on purpose");
                job * 2
            },
        );
        for (job, outcome) in outcomes.iter().enumerate() {
            assert!(matches!(outcome, Outcome::Done(twice) if *twice == job * 2) || (job == 41 && matches!(outcome, Outcome::Panicked)));
        }
        let outcomes = each(3, 2, || false, |job| job);
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::NotBegun)));
    }
}
