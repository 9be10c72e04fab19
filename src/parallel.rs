//! Work on many items by all cores.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use crate::error::{Error, Result};

/// What is behind a lock. It stays of use where a thread has panicked that held it: nothing here is left half changed across a panic, and
/// the panic is told where the thread is waited for.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Works on items, as many at a time as there are cores; what comes of them is in the order of the items. Once one has failed no other
/// is begun.
///
/// # Errors
/// The error of an item that failed.
pub fn each<T: Send, R: Send>(items: impl Iterator<Item = T> + Send, work: impl Fn(T) -> Result<R> + Sync) -> Result<Vec<R>> {
    let next = Mutex::new(items.enumerate());
    let failed = AtomicBool::new(false);
    let worker = || {
        let mut done = Vec::new();
        // A poisoned lock means that another thread panicked; that is told below.
        while !failed.load(Ordering::Relaxed)
            && let Some((at, item)) = next.lock().ok().and_then(|mut next| next.next())
        {
            done.push((at, work(item).inspect_err(|_| failed.store(true, Ordering::Relaxed))?));
        }
        Ok(done)
    };
    let panicked = |_| Err(Error::Internal("a thread that works on a part of it panicked".into()));
    let done = thread::scope(|scope| {
        let workers: Vec<_> = (0..thread::available_parallelism().map_or(1, usize::from)).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap_or_else(panicked)).collect::<Vec<_>>()
    });
    let mut done: Vec<(usize, R)> = done.into_iter().collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
    done.sort_by_key(|(at, _)| *at);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[test]
    fn results_stand_in_the_order_of_the_items() {
        assert_eq!(each(0..1000u64, |item| Ok(item * item)).unwrap(), (0..1000).map(|item| item * item).collect::<Vec<_>>());
        assert_eq!(each(std::iter::empty::<u8>(), Ok).unwrap(), [0u8; 0]);
    }

    #[test]
    fn a_failure_ends_the_work() {
        let begun = AtomicUsize::new(0);
        let outcome = each(0..1_000_000u32, |item| {
            begun.fetch_add(1, Ordering::Relaxed);
            if item == 5 { Err(Error::Input("five".into())) } else { Ok(()) }
        });
        assert_eq!(outcome.unwrap_err().to_string(), "five");
        assert!(begun.into_inner() < 1_000_000);
    }
}
