//! Finds records that repeat an identity, exactly and with bounded memory.
//!
//! Every accepted record leaves an entry: its identity, where it stands, its codes and its household. Entries are
//! spread over partitions by identity; a partition holds every entry of its identities, so a hash table over one
//! partition finds all repetitions. The record that stands first in the snapshot stays, whichever thread met it first.

use std::{path::Path, sync::Arc};

use bytemuck::{Pod, Zeroable};

use super::Position;
use crate::{
    error::Result,
    storage::{Spill, SpillWriter},
};

/// What is remembered of an accepted record until duplicates are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Seen {
    /// The identity.
    pub identity: u64,
    /// Where the record stands.
    pub position: Position,
    /// Its codes ([`super::Classifier::pack`]).
    pub packed: u64,
    /// Its household; 0 without households.
    pub household: u64,
}

/// A record that repeats the identity of an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duplicate {
    /// The record that is rejected.
    pub record: Seen,
    /// Where the identity stands first.
    pub first: Position,
}

/// All identities of a snapshot.
#[derive(Debug)]
pub struct Identities {
    spill: Arc<Spill<Seen>>,
}

impl Identities {
    /// Starts empty; beyond `bound` bytes entries go to a file in `scratch`.
    pub fn new(scratch: &Path, bound: usize) -> Result<Self> {
        Ok(Self { spill: Arc::new(Spill::new(scratch, bound)?) })
    }

    /// A writer for one thread.
    pub fn writer(&self) -> SpillWriter<Seen> {
        SpillWriter::new(&self.spill)
    }

    /// The repetitions within one partition, ordered as in the snapshot. Takes the partition's entries out.
    pub fn duplicates(&self, partition: usize) -> Result<Vec<Duplicate>> {
        let mut table = Table::default();
        let mut repeated = Vec::new();
        self.spill.drain(partition, |entries| {
            for entry in entries {
                repeated.extend(table.keep_first(*entry));
            }
            Ok(())
        })?;
        let mut duplicates: Vec<Duplicate> = repeated
            .into_iter()
            .map(|record| Duplicate { record, first: table.first(record.identity).unwrap_or(record.position) })
            .collect();
        duplicates.sort_unstable_by_key(|duplicate| duplicate.record.position);
        Ok(duplicates)
    }
}

/// Open addressing over entries: the first of each identity met so far.
#[derive(Default)]
struct Table {
    entries: Vec<Seen>,
    /// Position in `entries` plus one; 0 where a slot is free. The length is a power of two.
    slots: Vec<u32>,
}

impl Table {
    fn slot(&self, identity: u64) -> usize {
        // The top bits chose the partition; the ones below them choose the slot.
        let mask = self.slots.len() - 1;
        let mut slot = (identity.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16) as usize & mask;
        while self.slots[slot] != 0 && self.entries[self.slots[slot] as usize - 1].identity != identity {
            slot = (slot + 1) & mask;
        }
        slot
    }

    /// Remembers an entry; gives back the later one if its identity is known.
    fn keep_first(&mut self, entry: Seen) -> Option<Seen> {
        if (self.entries.len() + 1) * 2 > self.slots.len() {
            self.slots = vec![0; (self.slots.len() * 2).max(1 << 10)];
            for at in 0..self.entries.len() {
                let slot = self.slot(self.entries[at].identity);
                self.slots[slot] = at as u32 + 1;
            }
        }
        let slot = self.slot(entry.identity);
        match self.slots[slot] {
            0 => {
                self.entries.push(entry);
                self.slots[slot] = self.entries.len() as u32;
                None
            }
            known => {
                let kept = &mut self.entries[known as usize - 1];
                if kept.position <= entry.position { Some(entry) } else { Some(std::mem::replace(kept, entry)) }
            }
        }
    }

    fn first(&self, identity: u64) -> Option<Position> {
        if self.slots.is_empty() {
            return None;
        }
        match self.slots[self.slot(identity)] {
            0 => None,
            known => Some(self.entries[known as usize - 1].position),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::storage::PARTITIONS;

    proptest! {
        #[test]
        fn the_first_in_the_snapshot_stays(identities in prop::collection::vec(0u64..50, 0..200), seed in any::<u64>()) {
            let scratch = tempfile::tempdir().unwrap();
            let all = Identities::new(scratch.path(), if seed % 2 == 0 { 0 } else { usize::MAX }).unwrap();
            let mut order: Vec<usize> = (0..identities.len()).collect();
            order.sort_by_key(|&at| (at as u64 ^ seed).wrapping_mul(0x2545_f491_4f6c_dd1d));
            let mut writer = all.writer();
            for at in order {
                let seen = Seen { identity: identities[at], position: Position::new(0, at as u64 + 1), packed: 7, household: 0 };
                writer.push(seen.identity, seen).unwrap();
            }
            writer.finish().unwrap();
            let mut found: Vec<(u64, u64)> = (0..PARTITIONS)
                .flat_map(|partition| all.duplicates(partition).unwrap())
                .map(|duplicate| (duplicate.record.position.line(), duplicate.first.line()))
                .collect();
            found.sort_unstable();
            let mut expected = Vec::new();
            for (at, identity) in identities.iter().enumerate() {
                let first = identities.iter().position(|other| other == identity).unwrap();
                if first < at {
                    expected.push((at as u64 + 1, first as u64 + 1));
                }
            }
            prop_assert_eq!(found, expected);
        }
    }
}
