//! Answers that were written before: the same question, asked again, costs a look-up.
//!
//! Releases never change and the keys name them, so an answer stays right for as long as the process lives; only room is
//! scarce. What was asked for longest ago goes first.

use std::sync::Mutex;

use bytes::Bytes;

use super::noted::Recorded;
use crate::{parallel::lock, recent::Recent};

/// Finished answers, up to a number of bytes.
#[derive(Debug)]
pub struct Finished {
    most: usize,
    /// Each with what was read for it.
    kept: Mutex<Recent<Recorded<Bytes>>>,
}

impl Finished {
    /// Room for so many bytes; 0 keeps nothing.
    pub fn new(most: usize) -> Self {
        Self { most, kept: Mutex::default() }
    }

    /// An answer that was kept. Whoever gets it has read what it was made from.
    pub fn get(&self, key: &str) -> Option<Recorded<Bytes>> {
        if self.most == 0 {
            return None;
        }
        lock(&self.kept).get(key).cloned()
    }

    /// Keeps an answer with what was read for it, unless it would take more than a quarter of the room.
    pub fn put(&self, key: String, answer: &Recorded<Bytes>) {
        let weight = weight(&key, answer);
        if weight > self.most as u64 / 4 {
            return;
        }
        let mut kept = lock(&self.kept);
        kept.put(key, answer.clone(), weight);
        kept.shrink(self.most as u64);
    }
}

/// Bytes that an answer takes up with all that is kept beside it: its key, which the cache has twice, and what was read for it.
fn weight(key: &str, answer: &Recorded<Bytes>) -> u64 {
    /// Of entries in the maps of the cache, and what the allocator adds to each piece.
    const ENTRY: usize = 256;
    (ENTRY + 2 * key.len() + answer.length() + answer.note_bytes()) as u64
}

#[cfg(test)]
mod tests {
    use super::{super::noted::Noted, *};

    fn answer(length: usize) -> Recorded<Bytes> {
        Recorded::without_cells(Bytes::from(vec![0; length]))
    }

    #[test]
    fn what_was_asked_for_longest_ago_goes_first() {
        let one = weight("a", &answer(100)) as usize;
        let finished = Finished::new(4 * one);
        for key in ["a", "b", "c", "d"] {
            finished.put(key.into(), &answer(100));
        }
        assert!(finished.get("a").is_some());
        finished.put("e".into(), &answer(100));
        assert!(finished.get("b").is_none());
        assert!(["a", "c", "d", "e"].iter().all(|key| finished.get(key).is_some()));
        finished.put("huge".into(), &answer(101));
        assert!(finished.get("huge").is_none());
        finished.put("a".into(), &answer(50));
        assert_eq!(finished.get("a").map(|answer| answer.length()), Some(50));
    }

    #[test]
    fn what_is_kept_beside_answers_counts() {
        let finished = Finished::new(100_000);
        let noted = Noted { means: vec!["x".repeat(1000)], ..Noted::default() };
        for at in 0..1000 {
            finished.put(format!("{at:0100}"), &Recorded::known(noted.clone(), Bytes::from_static(b"short")));
        }
        let kept = (0..1000).filter(|at| finished.get(&format!("{at:0100}")).is_some()).count();
        assert!((50..75).contains(&kept), "{kept} answers with 1.5 kB each beside them are kept in 100 kB");
    }

    #[test]
    fn no_room_keeps_nothing() {
        let finished = Finished::new(0);
        finished.put("a".into(), &answer(0));
        assert!(finished.get("a").is_none());
    }
}
