//! Answers that were written before: the same question, asked again, costs a look-up.
//!
//! Releases never change and the keys name them, so an answer stays right for as long as the process lives; only room is
//! scarce. What was asked for longest ago goes first.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;

use super::noted::{self, Noted};

/// Finished answers, up to a number of bytes.
#[derive(Debug)]
pub struct Finished {
    most: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    answers: HashMap<String, Answered>,
    /// Keys by when they were last asked for.
    order: BTreeMap<u64, String>,
    bytes: usize,
    clock: u64,
}

/// An answer, what was read for it, and when it was last asked for.
#[derive(Debug)]
struct Answered {
    bytes: Bytes,
    noted: Noted,
    asked: u64,
}

impl Finished {
    /// Room for so many bytes; 0 keeps nothing.
    pub fn new(most: usize) -> Self {
        Self { most, kept: Mutex::default() }
    }

    /// An answer that was kept. Whoever gets it has read what it was made from.
    pub fn get(&self, key: &str) -> Option<Bytes> {
        if self.most == 0 {
            return None;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let Kept { answers, order, clock, .. } = &mut *kept;
        let answer = answers.get_mut(key)?;
        *clock += 1;
        if let Some(key) = order.remove(&answer.asked) {
            order.insert(*clock, key);
        }
        answer.asked = *clock;
        noted::note(&answer.noted);
        Some(answer.bytes.clone())
    }

    /// Keeps an answer with what was read for it, unless it would take more than a quarter of the room.
    pub fn put(&self, key: String, answer: Bytes, noted: Noted) {
        if answer.len() > self.most / 4 {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = &mut *kept;
        kept.clock += 1;
        kept.bytes += answer.len();
        kept.order.insert(kept.clock, key.clone());
        if let Some(old) = kept.answers.insert(key, Answered { bytes: answer, noted, asked: kept.clock }) {
            kept.bytes -= old.bytes.len();
            kept.order.remove(&old.asked);
        }
        while kept.bytes > self.most
            && let Some((_, oldest)) = kept.order.pop_first()
        {
            kept.bytes -= kept.answers.remove(&oldest).map_or(0, |answer| answer.bytes.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_longest_ago_goes_first() {
        let finished = Finished::new(400);
        for key in ["a", "b", "c", "d"] {
            finished.put(key.into(), Bytes::from(vec![0; 100]), Noted::default());
        }
        assert!(finished.get("a").is_some());
        finished.put("e".into(), Bytes::from(vec![0; 100]), Noted::default());
        assert!(finished.get("b").is_none());
        assert!(["a", "c", "d", "e"].iter().all(|key| finished.get(key).is_some()));
        finished.put("huge".into(), Bytes::from(vec![0; 101]), Noted::default());
        assert!(finished.get("huge").is_none());
        finished.put("a".into(), Bytes::from(vec![1; 50]), Noted::default());
        assert_eq!(finished.get("a").map(|answer| answer.len()), Some(50));
        finished.put("f".into(), Bytes::from(vec![0; 50]), Noted::default());
        assert!(["a", "c", "d", "e", "f"].iter().all(|key| finished.get(key).is_some()));
    }

    #[test]
    fn no_room_keeps_nothing() {
        let finished = Finished::new(0);
        finished.put("a".into(), Bytes::new(), Noted::default());
        assert!(finished.get("a").is_none());
    }
}
