//! What may have to be known again of an accepted record: where it stands, its codes, and its household.
//!
//! It lies chunk by chunk in the order of the snapshot, so that writing it is copying and reading all of it is reading forwards. A record is
//! found by its number. Who repeats an identity is looked up one by one; households whose members stand together are read all at once.

use std::sync::{
    Arc, Mutex, OnceLock,
    atomic::{AtomicU32, Ordering},
};

use super::{Coded, Position, Positions};
use crate::{
    error::{Error, Result},
    parallel::lock,
    storage::{Piece, Scratch},
};

/// Neighbours of one household that an entry holds.
const NEIGHBOURS: u64 = 16;

/// One chunk.
#[derive(Debug)]
struct LoggedChunk {
    /// Number of the first record: in its upper half the writer, in the lower one the writer's records before it.
    first: u64,
    positions: Positions,
    /// Subtracted from all packed codes.
    base: u64,
    packed: Packed,
    /// For neighbours of one household its number and, in the lowest 4 bits, how many they are less 1.
    households: Piece<u64>,
}

/// Packed codes less the base: neighbours are of one region, so that they mostly fit half the bits.
#[derive(Debug)]
enum Packed {
    Narrow(Piece<u32>),
    Wide(Piece<u64>),
}

/// The accepted records of a snapshot.
#[derive(Debug)]
pub struct RecordLog {
    scratch: Arc<Scratch>,
    /// Number of writers.
    writers: AtomicU32,
    written: Mutex<Vec<LoggedChunk>>,
    /// All that was written, by number; from the first look on.
    chunks: OnceLock<Vec<LoggedChunk>>,
}

/// Codes and households of the records of a chunk.
#[derive(Debug, Default)]
pub struct ChunkRecords {
    /// Packed codes of each record ([`super::Classifier::unpack`]).
    pub packed: Vec<u64>,
    /// Households in the order of their records, each with how many of them stand behind each other. Neighbours are of different ones.
    pub households: Vec<(u64, usize)>,
}

impl RecordLog {
    /// Starts empty.
    pub fn new(scratch: &Arc<Scratch>) -> Self {
        Self { scratch: Arc::clone(scratch), writers: AtomicU32::new(0), written: Mutex::default(), chunks: OnceLock::new() }
    }

    /// A writer for one thread.
    pub fn writer(self: &Arc<Self>) -> RecordLogWriter {
        let next = u64::from(self.writers.fetch_add(1, Ordering::Relaxed)) << 32;
        RecordLogWriter { log: Arc::clone(self), next }
    }

    /// All chunks. Nothing is written from here on.
    fn chunks(&self) -> &[LoggedChunk] {
        self.chunks.get_or_init(|| {
            let mut chunks = std::mem::take(&mut *lock(&self.written));
            chunks.sort_unstable_by_key(|chunk| chunk.first);
            chunks
        })
    }

    /// Number of chunks, once all writers have ended.
    pub fn len(&self) -> usize {
        self.chunks().len()
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads a chunk, in place of what `records` held before.
    pub fn read(&self, chunk: usize, records: &mut ChunkRecords) -> Result<()> {
        records.packed.clear();
        records.households.clear();
        let Some(chunk) = self.chunks().get(chunk) else { return Ok(()) };
        match &chunk.packed {
            Packed::Narrow(piece) => {
                let packed = self.scratch.look(piece, 0, usize::MAX)?;
                records.packed.extend(packed.iter().map(|&packed| chunk.base + u64::from(packed)));
            }
            Packed::Wide(piece) => {
                let packed = self.scratch.look(piece, 0, usize::MAX)?;
                records.packed.extend(packed.iter().map(|&packed| chunk.base + packed));
            }
        }
        for entry in self.scratch.look(&chunk.households, 0, usize::MAX)? {
            let (household, members) = (entry / NEIGHBOURS, (entry % NEIGHBOURS + 1) as usize);
            match records.households.last_mut() {
                Some((last, count)) if *last == household => *count += members,
                _ => records.households.push((household, members)),
            }
        }
        Ok(())
    }

    /// The chunk of a record, and the record's index in it.
    fn find(&self, number: u64) -> Result<(&LoggedChunk, u32)> {
        let chunks = self.chunks();
        let at = chunks.partition_point(|chunk| chunk.first <= number);
        let chunk = at.checked_sub(1).and_then(|at| chunks.get(at)).ok_or_else(|| lost(number))?;
        Ok((chunk, u32::try_from(number - chunk.first).map_err(|_| lost(number))?))
    }

    /// Where a record stands.
    pub fn position(&self, number: u64) -> Result<Position> {
        let (chunk, index) = self.find(number)?;
        chunk.positions.get(index).ok_or_else(|| lost(number))
    }

    /// Packed codes and household of a record; household 0 without households.
    pub fn look_up(&self, number: u64) -> Result<(u64, u64)> {
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

/// One thread's writer of a [`RecordLog`].
#[derive(Debug)]
pub struct RecordLogWriter {
    log: Arc<RecordLog>,
    /// Number of the next record.
    next: u64,
}

impl RecordLogWriter {
    /// Adds the accepted records of a chunk; gives the number of the first of them, which the others follow.
    ///
    /// # Errors
    /// More records than numbers, or nowhere to write.
    pub fn append(&mut self, coded: &Coded) -> Result<u64> {
        let first = self.next;
        if coded.records() == 0 {
            return Ok(first);
        }
        self.next += coded.records() as u64;
        if (self.next - 1) >> 32 != first >> 32 {
            return Err(Error::Input(format!("the snapshot has more than {} records; count it in parts", u32::MAX)));
        }
        let mut households: Vec<u64> = Vec::new();
        for same in coded.households.chunk_by(|a, b| a == b) {
            households.extend(same.chunks(NEIGHBOURS as usize).map(|same| same[0] * NEIGHBOURS + (same.len() - 1) as u64));
        }
        let scratch = &self.log.scratch;
        let (least, most) = coded.packed.iter().fold((u64::MAX, 0), |(least, most), &packed| (least.min(packed), most.max(packed)));
        let packed = if most - least <= u64::from(u32::MAX) {
            Packed::Narrow(scratch.keep(&mut coded.packed.iter().map(|packed| (packed - least) as u32).collect())?)
        } else {
            Packed::Wide(scratch.keep(&mut coded.packed.iter().map(|packed| packed - least).collect())?)
        };
        let chunk =
            LoggedChunk { first, positions: coded.positions.clone(), base: least, packed, households: scratch.keep(&mut households)? };
        lock(&self.log.written).push(chunk);
        Ok(first)
    }
}
