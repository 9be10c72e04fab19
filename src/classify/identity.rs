//! Finds records that repeat an identity, exactly and with bounded memory.
//!
//! Every accepted record has a number and leaves 8 bytes: its identity (less the bits that its partition says) and how far
//! it is behind the record before, spread over partitions by identity. Identities that occur once, nearly all, are told apart
//! by one bit each ([`Repeats`]); only the rest are compared. What else must be known of a repetition (where it stands, its codes,
//! its household) is looked up in the [`RecordLog`]. The record that stands first in the snapshot stays, whichever thread met it
//! first.

use std::sync::Arc;

use bytemuck::{Pod, Zeroable};

use super::{Coded, Position, RecordLog};
use crate::{
    error::Result,
    storage::{BITS_BESIDE, PARTITIONS, Repeats, Scratch, Spill, SpillWriter, beside, hash_beside, partition_of, spread},
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

/// All identities of a snapshot.
#[derive(Debug)]
pub struct Identities {
    spill: Arc<Spill<Entry>>,
    log: Arc<RecordLog>,
}

impl Identities {
    /// Starts empty. Records have the numbers that `log` gives them.
    pub fn new(scratch: &Arc<Scratch>, log: &Arc<RecordLog>) -> Self {
        Self { spill: Arc::new(Spill::new(scratch)), log: Arc::clone(log) }
    }

    /// A writer for one thread.
    pub fn writer(&self) -> IdentityWriter {
        IdentityWriter { spill: SpillWriter::new(&self.spill), last: Box::new([0; PARTITIONS]) }
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
                same.iter().map(|&(_, number)| Ok((self.log.position(number)?, number))).collect::<Result<_>>()?;
            stand.sort_unstable();
            let first = stand[0].0;
            for &(position, number) in &stand[1..] {
                let (packed, household) = self.log.look_up(number)?;
                duplicates.push(Duplicate { record: Seen { position, packed, household }, first });
            }
        }
        duplicates.sort_unstable_by_key(|duplicate| duplicate.record.position);
        Ok(duplicates)
    }
}

/// One thread's writer of identities.
#[derive(Debug)]
pub struct IdentityWriter {
    spill: SpillWriter<Entry>,
    /// For each partition the number of its last record.
    last: Box<[u64; PARTITIONS]>,
}

impl IdentityWriter {
    /// Notes the accepted records of a chunk, the first of which has this number.
    pub fn note(&mut self, coded: &Coded, first: u64) -> Result<()> {
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
    use crate::classify::ChunkRecords;

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
        let scratch = Arc::new(Scratch::new(folder.path(), usize::MAX).unwrap());
        let log = Arc::new(RecordLog::new(&scratch));
        let all = Identities::new(&scratch, &log);
        let of_one_partition = |partition: usize| (1u64..).filter(move |&identity| partition_of(spread(identity)) == partition);
        let mut identities: Vec<u64> = of_one_partition(3).take(30_000).collect();
        let seldom = [0, 4095, 8191, 20_000, 29_999];
        for (at, identity) in seldom.into_iter().zip(of_one_partition(9).take(2).cycle()) {
            identities[at] = identity;
        }
        let household = |at: usize| (at / 1000) as u64;
        let (mut writer, mut log_writer) = (all.writer(), log.writer());
        let position = |at: usize| Position::new(0, at as u64 + 1);
        for records in (0..30_000).collect::<Vec<usize>>().chunks(12_345) {
            let coded = Coded {
                identities: records.iter().map(|&at| identities[at]).collect(),
                households: records.iter().map(|&at| household(at)).collect(),
                positions: records.iter().map(|&at| position(at)).collect(),
                packed: records.iter().map(|&at| at as u64).collect(),
                ..Coded::default()
            };
            writer.note(&coded, log_writer.append(&coded).unwrap()).unwrap();
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
            let scratch = Arc::new(Scratch::new(folder.path(), bound).unwrap());
            let log = Arc::new(RecordLog::new(&scratch));
            let all = Identities::new(&scratch, &log);
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
            let mut writers = [(all.writer(), log.writer()), (all.writer(), log.writer())];
            for (at, coded) in chunks.iter().enumerate() {
                let (writer, log) = &mut writers[at % 2];
                writer.note(coded, log.append(coded).unwrap()).unwrap();
            }
            writers.iter_mut().for_each(|(writer, _)| writer.finish().unwrap());
            let mut logged = ChunkRecords::default();
            let (mut packed_codes, mut of_households) = (Vec::new(), Vec::new());
            for chunk in 0..log.len() {
                log.read(chunk, &mut logged).unwrap();
                packed_codes.extend_from_slice(&logged.packed);
                of_households.extend(logged.households.iter().flat_map(|&(household, count)| std::iter::repeat_n(household, count)));
            }
            let in_order_of_writers = (0..chunks.len()).step_by(2).chain((1..chunks.len()).step_by(2));
            let written: Vec<&Coded> = in_order_of_writers.map(|at| &chunks[at]).collect();
            prop_assert_eq!(packed_codes, written.iter().flat_map(|coded| coded.packed.clone()).collect::<Vec<_>>());
            prop_assert_eq!(of_households, written.iter().flat_map(|coded| coded.households.clone()).collect::<Vec<_>>());
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
