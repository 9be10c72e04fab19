//! Finds records that repeat an identity, exactly and with bounded memory.
//!
//! Every accepted record gets a number and leaves 8 bytes: its identity (less the bits that its partition says) and how far
//! it is behind the record before, spread over partitions by identity. Identities that occur once, nearly all, are told apart
//! by one bit each ([`Repeats`]); only the rest are compared. What else must be known of a repetition (where it stands, its codes,
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
    storage::{BITS_BESIDE, PARTITIONS, Piece, Repeats, Scratch, Spill, SpillWriter, beside, hash_beside, partition_of, spread},
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

/// An identity of a partition and which record has it, in 8 bytes: the 52 bits of the identity's hash below those of the partition, and
/// how many records of the same writer lie between this one and the entry before it. The first entry of a piece is the number of the
/// record that the next one counts from.
type Entry = u64;

/// How far an entry is behind the one before: 256 records on average, as many as there are partitions.
fn distance_of(entry: Entry) -> u64 {
    entry & ((1 << BITS_BESIDE) - 1)
}

/// The entries of a piece without the first.
fn hashes(piece: &[Entry]) -> impl Iterator<Item = u64> + '_ {
    piece.iter().skip(1).map(|&entry| hash_beside(entry))
}

/// Hashes and numbers of the records in a piece.
fn numbered(piece: &[Entry]) -> impl Iterator<Item = (u64, u64)> + '_ {
    let (first, entries) = piece.split_first().map_or((0, piece), |(&first, entries)| (first, entries));
    entries.iter().scan(first, |number, &entry| {
        *number += distance_of(entry);
        Some((hash_beside(entry), *number))
    })
}

/// Where the records of one chunk stand, and what is looked up of them.
#[derive(Debug)]
struct Kept {
    /// Number of the first record: in its upper half the writer, in the lower one the writer's records before it.
    first: u64,
    positions: Positions,
    /// Subtracted from all packed codes.
    base: u64,
    packed: Packed,
    /// For neighbours of one household its number and, in the lowest 4 bits, how many they are less 1.
    households: Piece<u64>,
}

/// Neighbours of one household that an entry can tell.
const NEIGHBOURS: u64 = 16;

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
    /// Number of writers.
    writers: AtomicU32,
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
            writers: AtomicU32::new(0),
            written: Mutex::default(),
            kept: OnceLock::new(),
        }
    }

    /// A writer for one thread.
    pub fn writer(self: &Arc<Self>) -> IdentityWriter {
        let next = u64::from(self.writers.fetch_add(1, Ordering::Relaxed)) << 32;
        IdentityWriter { spill: SpillWriter::new(&self.spill), all: Arc::clone(self), next, last: Box::new([0; PARTITIONS]) }
    }

    /// The repetitions within one partition, ordered as in the snapshot. Takes the partition's entries out, once all
    /// writers have finished.
    pub fn duplicates(&self, partition: usize, repeats: &mut Repeats) -> Result<Vec<Duplicate>> {
        let pieces = self.spill.take(partition)?;
        repeats.reset(pieces.iter().map(Vec::len).sum());
        pieces.iter().flat_map(|piece| hashes(piece)).for_each(|hash| repeats.meet(hash));
        let all = pieces.iter().flat_map(|piece| numbered(piece));
        let mut suspects: Vec<(u64, u64)> = all.filter(|&(hash, _)| repeats.may_repeat(hash)).collect();
        suspects.sort_unstable();
        let mut duplicates = Vec::new();
        for same in suspects.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
            let mut stand: Vec<(Position, u64)> =
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
    fn find(&self, number: u64) -> Result<(&Kept, u32)> {
        let kept = self.kept.get_or_init(|| {
            let mut kept = std::mem::take(&mut *self.written.lock().unwrap_or_else(PoisonError::into_inner));
            kept.sort_unstable_by_key(|kept| kept.first);
            kept
        });
        let at = kept.partition_point(|kept| kept.first <= number);
        let chunk = at.checked_sub(1).and_then(|at| kept.get(at)).ok_or_else(|| lost(number))?;
        Ok((chunk, u32::try_from(number - chunk.first).map_err(|_| lost(number))?))
    }

    fn position(&self, number: u64) -> Result<Position> {
        let (chunk, index) = self.find(number)?;
        chunk.positions.get(index).ok_or_else(|| lost(number))
    }

    /// Packed codes and household of a record.
    fn look_up(&self, number: u64) -> Result<(u64, u64)> {
        let (chunk, index) = self.find(number)?;
        let packed = match &chunk.packed {
            Packed::Narrow(piece) => self.scratch.look(piece, index as usize, 1)?.first().map(|&packed| u64::from(packed)),
            Packed::Wide(piece) => self.scratch.look(piece, index as usize, 1)?.first().copied(),
        };
        let households = self.scratch.look(&chunk.households, 0, usize::MAX)?;
        let mut behind = 0;
        let of_index = |&&household: &&u64| {
            behind += household % NEIGHBOURS + 1;
            behind > u64::from(index)
        };
        let household = households.iter().find(of_index).map_or(0, |household| household / NEIGHBOURS);
        Ok((chunk.base + packed.ok_or_else(|| lost(number))?, household))
    }
}

fn lost(number: u64) -> Error {
    Error::Internal(format!("record number {number} was not kept"))
}

/// One thread's writer of identities.
#[derive(Debug)]
pub struct IdentityWriter {
    spill: SpillWriter<Entry>,
    all: Arc<Identities>,
    /// Number of the next record.
    next: u64,
    /// For each partition the number of its last record.
    last: Box<[u64; PARTITIONS]>,
}

impl IdentityWriter {
    /// Notes the accepted records of a chunk.
    pub fn note(&mut self, coded: &Coded) -> Result<()> {
        if coded.records() == 0 {
            return Ok(());
        }
        let first = self.next;
        self.next += coded.records() as u64;
        if (self.next - 1) >> 32 != first >> 32 {
            return Err(Error::Input(format!("the snapshot has more than {} records; count it in parts", u32::MAX)));
        }
        for (number, &identity) in (first..).zip(&coded.identities) {
            let hash = spread(identity);
            let partition = partition_of(hash);
            let mut distance = number - self.last[partition];
            if distance >> BITS_BESIDE > 0 {
                self.spill.end(partition)?;
            }
            if self.spill.begins(partition) {
                self.spill.push(partition, number)?;
                distance = 0;
            }
            self.spill.push(partition, beside(hash, distance))?;
            self.last[partition] = number;
        }
        let mut households: Vec<u64> = Vec::new();
        for same in coded.households.chunk_by(|a, b| a == b) {
            households.extend(same.chunks(NEIGHBOURS as usize).map(|same| same[0] * NEIGHBOURS + (same.len() - 1) as u64));
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

    #[test]
    fn records_of_a_piece_keep_hash_and_number() {
        let hash = |identity: u64| spread(identity) & (u64::MAX >> 8);
        let most = (1u64 << 60) - 1;
        let piece = [7 << 32, beside(spread(most), 0), beside(spread(5), 4095), beside(spread(5), 1)];
        let expected = [(hash(most), 7 << 32), (hash(5), (7 << 32) + 4095), (hash(5), (7 << 32) + 4096)];
        assert_eq!(numbered(&piece).collect::<Vec<_>>(), expected);
        assert_eq!(hashes(&piece).collect::<Vec<_>>(), expected.map(|(hash, _)| hash));
        assert!(numbered(&[]).next().is_none());
    }

    /// A partition that is met seldom, and households of any size.
    #[test]
    fn distances_may_be_long() {
        let folder = tempfile::tempdir().unwrap();
        let all = Arc::new(Identities::new(&Arc::new(Scratch::new(folder.path(), usize::MAX).unwrap())));
        let of_one_partition = |partition: usize| (1u64..).filter(move |&identity| partition_of(spread(identity)) == partition);
        let mut identities: Vec<u64> = of_one_partition(3).take(30_000).collect();
        let seldom = [0, 4095, 8191, 20_000, 29_999];
        for (at, identity) in seldom.into_iter().zip(of_one_partition(9).take(2).cycle()) {
            identities[at] = identity;
        }
        let household = |at: usize| (at / 1000) as u64;
        let mut writer = all.writer();
        let position = |at: usize| Position::new(0, at as u64 + 1);
        for records in (0..30_000).collect::<Vec<usize>>().chunks(12_345) {
            let coded = Coded {
                identities: records.iter().map(|&at| identities[at]).collect(),
                households: records.iter().map(|&at| household(at)).collect(),
                positions: records.iter().map(|&at| position(at)).collect(),
                packed: records.iter().map(|&at| at as u64).collect(),
                ..Coded::default()
            };
            writer.note(&coded).unwrap();
        }
        writer.finish().unwrap();
        let mut repeats = Repeats::default();
        let found: Vec<Vec<Duplicate>> = (0..PARTITIONS).map(|partition| all.duplicates(partition, &mut repeats).unwrap()).collect();
        let duplicate = |at: usize, first: usize| Duplicate {
            record: Seen { position: position(at), packed: at as u64, household: household(at) },
            first: position(first),
        };
        assert_eq!(found[9], [duplicate(8191, 0), duplicate(20_000, 4095), duplicate(29_999, 0)]);
        assert_eq!(found.iter().map(Vec::len).sum::<usize>(), 3);
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
                    records[partition_of(seen.hash)].push(seen);
                }
            }
            let mut found: Vec<Duplicate> = records.iter().flat_map(|records| repetitions(records, &mut repeats)).collect();
            found.sort_unstable_by_key(|duplicate| duplicate.record.position);
            prop_assert_eq!(found, expected);
        }
    }
}
