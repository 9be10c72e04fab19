//! Finds records that repeat an identity, exactly and with bounded memory.
//!
//! Every accepted record gets a number and leaves 12 bytes: its identity (less the bits that its partition says) and
//! its number, spread over partitions by identity. Identities that occur once, nearly all, are told apart by one bit
//! each ([`Repeats`]); only the rest are compared. What else must be known of a repetition (where it stands, its codes,
//! its household) lies chunk by chunk in the order of the snapshot, and is looked up for repetitions only. The record
//! that stands first in the snapshot stays, whichever thread met it first.

use std::sync::{
    Arc, Mutex, OnceLock, PoisonError,
    atomic::{AtomicU32, Ordering},
};

use bytemuck::{Pod, Zeroable};

use super::{Coded, Position, Positions};
use crate::{
    error::{Error, Result},
    storage::{Piece, Repeats, Scratch, Spill, SpillWriter, spread},
};

/// An accepted record, as far as it matters for taking it off again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Seen {
    /// Where the record stands.
    pub position: Position,
    /// Its codes ([`super::Classifier::unpack`]).
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

/// An accepted record with the hash of its identity: all that must be known of it where identities of several counts are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct SeenIdentity {
    /// Of the identity, by [`spread`].
    pub hash: u64,
    /// The record.
    pub seen: Seen,
}

/// The repetitions among records whose identities are of one partition, ordered as in the snapshot.
pub fn repetitions(records: &[SeenIdentity], repeats: &mut Repeats) -> Vec<Duplicate> {
    repeats.reset(records.len());
    for record in records {
        repeats.meet(record.hash);
    }
    let mut suspects: Vec<SeenIdentity> = records.iter().filter(|record| repeats.may_repeat(record.hash)).copied().collect();
    suspects.sort_unstable_by_key(|record| (record.hash, record.seen.position));
    let of_one_identity = suspects.chunk_by(|a, b| a.hash == b.hash);
    let mut duplicates: Vec<Duplicate> = of_one_identity
        .flat_map(|same| same[1..].iter().map(|record| Duplicate { record: record.seen, first: same[0].seen.position }))
        .collect();
    duplicates.sort_unstable_by_key(|duplicate| duplicate.record.position);
    duplicates
}

/// Identity and number of a record: 56 bits of the identity's hash, 32 of the number.
type Entry = [u32; 3];

fn entry(hash: u64, number: u32) -> Entry {
    [hash as u32, (hash >> 32) as u32 & 0x00ff_ffff | number << 24, number >> 8]
}

/// The hash without its top 8 bits, which are those of the partition, and the number.
fn parts(entry: Entry) -> (u64, u32) {
    (u64::from(entry[1] & 0x00ff_ffff) << 32 | u64::from(entry[0]), entry[1] >> 24 | entry[2] << 8)
}

/// Where the records of one chunk stand, and what is looked up of them.
#[derive(Debug)]
struct Kept {
    /// Number of the first record.
    first: u32,
    positions: Positions,
    /// Subtracted from all packed codes.
    base: u64,
    packed: Packed,
    /// Households: index of the first of neighbouring members, and the two halves of the household's number.
    households: Piece<[u32; 3]>,
}

/// Packed codes less the base: neighbours are of one region, so that they mostly fit half the bits.
#[derive(Debug)]
enum Packed {
    Narrow(Piece<u32>),
    Wide(Piece<u64>),
}

/// All identities of a snapshot.
#[derive(Debug)]
pub struct Identities {
    spill: Arc<Spill<Entry>>,
    scratch: Arc<Scratch>,
    next: AtomicU32,
    written: Mutex<Vec<Kept>>,
    /// All that was written, by number; from the first look on.
    kept: OnceLock<Vec<Kept>>,
}

impl Identities {
    /// Starts empty.
    pub fn new(scratch: &Arc<Scratch>) -> Self {
        Self {
            spill: Arc::new(Spill::new(scratch)),
            scratch: Arc::clone(scratch),
            next: AtomicU32::new(0),
            written: Mutex::default(),
            kept: OnceLock::new(),
        }
    }

    /// A writer for one thread.
    pub fn writer(self: &Arc<Self>) -> IdentityWriter {
        IdentityWriter { spill: SpillWriter::new(&self.spill), all: Arc::clone(self) }
    }

    /// The repetitions within one partition, ordered as in the snapshot. Takes the partition's entries out, once all
    /// writers have finished.
    pub fn duplicates(&self, partition: usize, repeats: &mut Repeats) -> Result<Vec<Duplicate>> {
        let entries = self.spill.take(partition)?;
        repeats.reset(entries.iter().map(Vec::len).sum());
        for &entry in entries.iter().flatten() {
            repeats.meet(parts(entry).0);
        }
        let mut suspects: Vec<(u64, u32)> =
            entries.iter().flatten().map(|&entry| parts(entry)).filter(|(hash, _)| repeats.may_repeat(*hash)).collect();
        suspects.sort_unstable();
        let mut duplicates = Vec::new();
        for same in suspects.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
            let mut stand: Vec<(Position, u32)> =
                same.iter().map(|&(_, number)| Ok((self.position(number)?, number))).collect::<Result<_>>()?;
            stand.sort_unstable();
            let first = stand[0].0;
            for &(position, number) in &stand[1..] {
                let (packed, household) = self.look_up(number)?;
                duplicates.push(Duplicate { record: Seen { position, packed, household }, first });
            }
        }
        duplicates.sort_unstable_by_key(|duplicate| duplicate.record.position);
        Ok(duplicates)
    }

    /// The chunk of a record, and the record's index in it.
    fn find(&self, number: u32) -> Result<(&Kept, u32)> {
        let kept = self.kept.get_or_init(|| {
            let mut kept = std::mem::take(&mut *self.written.lock().unwrap_or_else(PoisonError::into_inner));
            kept.sort_unstable_by_key(|kept| kept.first);
            kept
        });
        let at = kept.partition_point(|kept| kept.first <= number);
        let chunk = at.checked_sub(1).and_then(|at| kept.get(at)).ok_or_else(|| lost(number))?;
        Ok((chunk, number - chunk.first))
    }

    fn position(&self, number: u32) -> Result<Position> {
        let (chunk, index) = self.find(number)?;
        chunk.positions.get(index).ok_or_else(|| lost(number))
    }

    /// Packed codes and household of a record.
    fn look_up(&self, number: u32) -> Result<(u64, u64)> {
        let (chunk, index) = self.find(number)?;
        let packed = match &chunk.packed {
            Packed::Narrow(piece) => self.scratch.look(piece, index as usize, 1)?.first().map(|&packed| u64::from(packed)),
            Packed::Wide(piece) => self.scratch.look(piece, index as usize, 1)?.first().copied(),
        };
        let households = self.scratch.look(&chunk.households, 0, usize::MAX)?;
        let at = households.partition_point(|[first, ..]| *first <= index);
        let household = at.checked_sub(1).map_or(0, |at| u64::from(households[at][2]) << 32 | u64::from(households[at][1]));
        Ok((chunk.base + packed.ok_or_else(|| lost(number))?, household))
    }
}

fn lost(number: u32) -> Error {
    Error::Internal(format!("record number {number} was not kept"))
}

/// One thread's writer of identities.
#[derive(Debug)]
pub struct IdentityWriter {
    spill: SpillWriter<Entry>,
    all: Arc<Identities>,
}

impl IdentityWriter {
    /// Notes the accepted records of a chunk.
    pub fn note(&mut self, coded: &Coded) -> Result<()> {
        let Ok(records) = u32::try_from(coded.records()) else {
            return Err(Error::Internal("a chunk has more records than can be numbered".into()));
        };
        if records == 0 {
            return Ok(());
        }
        let first = self.all.next.fetch_add(records, Ordering::Relaxed);
        if first.checked_add(records).is_none() {
            return Err(Error::Input(format!("the snapshot has more than {} records; count it in parts", u32::MAX)));
        }
        for (number, &identity) in (first..).zip(&coded.identities) {
            let hash = spread(identity);
            self.spill.push(hash, entry(hash, number))?;
        }
        let mut households: Vec<[u32; 3]> = Vec::new();
        let mut last = None;
        for (index, &household) in (0..).zip(&coded.households) {
            if last != Some(household) {
                households.push([index, household as u32, (household >> 32) as u32]);
            }
            last = Some(household);
        }
        let scratch = &self.all.scratch;
        let (least, most) = coded.packed.iter().fold((u64::MAX, 0), |(least, most), &packed| (least.min(packed), most.max(packed)));
        let packed = if most - least <= u64::from(u32::MAX) {
            Packed::Narrow(scratch.keep(&mut coded.packed.iter().map(|packed| (packed - least) as u32).collect())?)
        } else {
            Packed::Wide(scratch.keep(&mut coded.packed.iter().map(|packed| packed - least).collect())?)
        };
        let kept = Kept { first, positions: coded.positions.clone(), base: least, packed, households: scratch.keep(&mut households)? };
        self.all.written.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
        Ok(())
    }

    /// Hands over what is still gathered.
    pub fn finish(&mut self) -> Result<()> {
        self.spill.finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::storage::PARTITIONS;

    #[test]
    fn an_entry_holds_hash_and_number() {
        for (identity, number) in [(0, 0), (u64::MAX, u32::MAX), (3_171_011_201_900_001, 0x1234_5678)] {
            assert_eq!(parts(entry(spread(identity), number)), (spread(identity) & (u64::MAX >> 8), number));
        }
    }

    proptest! {
        #[test]
        fn the_first_in_the_snapshot_stays(
            identities in prop::collection::vec(0u64..50, 0..200),
            chunk in 1usize..40,
            wide in any::<bool>(),
            bound in prop::sample::select(vec![0, usize::MAX]),
            backwards in any::<bool>(),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let all = Arc::new(Identities::new(&Arc::new(Scratch::new(folder.path(), bound).unwrap())));
            // Every third line holds no accepted record.
            let line = |at: usize| at as u64 * 3 / 2 + 1;
            let packed = |at: usize| 1000 + at as u64 * if wide { 1 << 40 } else { 7 };
            let household = |at: usize| (at / 3) as u64 + (1 << 50);
            let mut chunks: Vec<Coded> = (0..identities.len()).collect::<Vec<_>>().chunks(chunk).map(|records| Coded {
                identities: records.iter().map(|&at| identities[at]).collect(),
                households: records.iter().map(|&at| household(at)).collect(),
                positions: records.iter().map(|&at| Position::new(0, line(at))).collect(),
                packed: records.iter().map(|&at| packed(at)).collect(),
                ..Coded::default()
            }).collect();
            if backwards {
                chunks.reverse();
            }
            let mut writers = [all.writer(), all.writer()];
            for (at, coded) in chunks.iter().enumerate() {
                writers[at % 2].note(coded).unwrap();
            }
            writers.iter_mut().for_each(|writer| writer.finish().unwrap());
            let mut repeats = Repeats::default();
            let mut found: Vec<Duplicate> =
                (0..PARTITIONS).flat_map(|partition| all.duplicates(partition, &mut repeats).unwrap()).collect();
            found.sort_unstable_by_key(|duplicate| duplicate.record.position);
            let mut expected = Vec::new();
            for (at, identity) in identities.iter().enumerate() {
                let first = identities.iter().position(|other| other == identity).unwrap();
                if first < at {
                    let record = Seen { position: Position::new(0, line(at)), packed: packed(at), household: household(at) };
                    expected.push(Duplicate { record, first: Position::new(0, line(first)) });
                }
            }
            prop_assert_eq!(&found, &expected);

            let mut records: Vec<Vec<SeenIdentity>> = vec![Vec::new(); PARTITIONS];
            for coded in &chunks {
                for seen in coded.seen() {
                    records[(seen.hash >> 56) as usize].push(seen);
                }
            }
            let mut found: Vec<Duplicate> = records.iter().flat_map(|records| repetitions(records, &mut repeats)).collect();
            found.sort_unstable_by_key(|duplicate| duplicate.record.position);
            prop_assert_eq!(found, expected);
        }
    }
}
