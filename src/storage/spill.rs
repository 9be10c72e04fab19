//! Entries spread over partitions by a key.
//!
//! Grouping by a key that has as many values as there are people cannot hold them all at once in tables that are fast
//! to look up. Spread by a hash of the key, each partition holds every entry of its keys and is small enough to be
//! worked off by itself, within the caches of a core.

use std::sync::{Arc, Mutex};

use bytemuck::Pod;

use super::scratch::{Piece, Scratch};
use crate::{error::Result, parallel::lock};

/// Number of partitions. At 290 million entries one holds 1.1 million.
pub const PARTITIONS: usize = 256;
/// Bytes that a writer gathers for one partition before it hands them over.
const GATHER: usize = 16 << 10;

/// A hash from which a key below 2^60 can be worked back: equal hashes mean equal keys. Its top 8 bits choose the partition, its
/// lowest 4 are 0.
#[inline]
pub fn spread(key: u64) -> u64 {
    key.wrapping_mul(0x9e37_79b9_7f4a_7c15) << 4
}

/// The partition of a hash.
#[inline]
pub fn partition_of(hash: u64) -> usize {
    (hash >> 56) as usize
}

/// Bits that [`beside`] has room for: those of the partition and the lowest of a hash.
pub const BITS_BESIDE: u32 = 12;

/// A hash without the bits of its partition, and something else beside it.
#[inline]
pub fn beside(hash: u64, rest: u64) -> u64 {
    hash << 8 | rest
}

/// The hash that something stands beside.
#[inline]
pub fn hash_beside(entry: u64) -> u64 {
    entry >> BITS_BESIDE << 4
}

/// Entries by partition.
#[derive(Debug)]
pub struct Spill<T> {
    partitions: Vec<Mutex<Vec<Piece<T>>>>,
    scratch: Arc<Scratch>,
}

impl<T: Pod> Spill<T> {
    /// Starts empty.
    pub fn new(scratch: &Arc<Scratch>) -> Self {
        Self { partitions: (0..PARTITIONS).map(|_| Mutex::default()).collect(), scratch: Arc::clone(scratch) }
    }

    fn hand_over(&self, partition: usize, entries: &mut Vec<T>) -> Result<()> {
        let piece = self.scratch.keep(entries)?;
        lock(&self.partitions[partition]).push(piece);
        Ok(())
    }

    /// Takes the entries of a partition out, in no particular order.
    pub fn take(&self, partition: usize) -> Result<Vec<Vec<T>>> {
        let pieces = std::mem::take(&mut *lock(&self.partitions[partition]));
        pieces.into_iter().map(|piece| self.scratch.take(piece)).collect()
    }

    /// Copies the entries of a partition, which stay, in no particular order.
    pub fn look(&self, partition: usize) -> Result<Vec<Vec<T>>> {
        lock(&self.partitions[partition]).iter().map(|piece| self.scratch.look(piece, 0, usize::MAX)).collect()
    }
}

/// One thread's writer into a [`Spill`]. What it has gathered counts once [`SpillWriter::finish`] is called.
#[derive(Debug)]
pub struct SpillWriter<T> {
    spill: Arc<Spill<T>>,
    gathered: Vec<Vec<T>>,
    most: usize,
}

impl<T: Pod> SpillWriter<T> {
    /// A writer for one thread.
    pub fn new(spill: &Arc<Spill<T>>) -> Self {
        let most = (GATHER / size_of::<T>().max(1)).max(1);
        Self { spill: Arc::clone(spill), gathered: (0..PARTITIONS).map(|_| Vec::with_capacity(most)).collect(), most }
    }

    /// Whether the next entry of a partition begins a piece: pieces come out as they went in.
    #[inline]
    pub fn begins(&self, partition: usize) -> bool {
        self.gathered[partition].is_empty()
    }

    /// Ends a piece of a partition.
    pub fn end(&mut self, partition: usize) -> Result<()> {
        let gathered = &mut self.gathered[partition];
        if gathered.is_empty() { Ok(()) } else { self.spill.hand_over(partition, gathered) }
    }

    /// Adds an entry to a partition, that of its key's hash ([`spread`]).
    #[inline(always)]
    pub fn push(&mut self, partition: usize, entry: T) -> Result<()> {
        let gathered = &mut self.gathered[partition];
        gathered.push(entry);
        if gathered.len() >= self.most { self.full(partition) } else { Ok(()) }
    }

    /// Adds entries to a partition that come out in one piece, in this order.
    #[inline]
    pub fn push_together(&mut self, partition: usize, entries: &[T]) -> Result<()> {
        if self.gathered[partition].len() + entries.len() > self.most {
            self.full(partition)?;
        }
        self.gathered[partition].extend_from_slice(entries);
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn full(&mut self, partition: usize) -> Result<()> {
        self.end(partition)?;
        self.gathered[partition].reserve_exact(self.most);
        Ok(())
    }

    /// Hands over what is still gathered.
    pub fn finish(&mut self) -> Result<()> {
        (0..self.gathered.len()).try_for_each(|partition| self.end(partition))
    }
}

/// Tells which keys of one partition may occur more than once, without holding any of them: a bit for each of many
/// groups of keys says that the group was met, another one that it was met again.
///
/// Nearly all identities occur once, so that looking up all of them in a table would be work for nothing.
#[derive(Debug, Default)]
pub struct Repeats {
    met: Vec<u64>,
    again: Vec<u64>,
    bits: u32,
}

impl Repeats {
    /// Bits for each key: with 16, one in 16 keys shares its bit with another.
    const BITS_PER_KEY: usize = 16;

    /// Forgets everything and makes room for this many keys.
    pub fn reset(&mut self, keys: usize) {
        let size = (keys * Self::BITS_PER_KEY).next_power_of_two().max(64);
        self.bits = size.trailing_zeros();
        for words in [&mut self.met, &mut self.again] {
            words.clear();
            words.resize(size / 64, 0);
        }
    }

    /// Word and bit of a hash; its top 8 bits are the same for the whole partition.
    #[inline]
    fn place(&self, hash: u64) -> (usize, u64) {
        let place = (hash << 8) >> (64 - self.bits);
        ((place / 64) as usize, 1 << (place % 64))
    }

    /// Meets a key.
    #[inline]
    pub fn meet(&mut self, hash: u64) {
        let (word, bit) = self.place(hash);
        self.again[word] |= self.met[word] & bit;
        self.met[word] |= bit;
    }

    /// Whether the key may have been met more than once; `false` is certain.
    #[inline]
    pub fn may_repeat(&self, hash: u64) -> bool {
        let (word, bit) = self.place(hash);
        self.again[word] & bit != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_hashes_of_their_own() {
        // The inverse of the factor modulo 2^60 works the key back.
        let mut inverse = 0x9e37_79b9_7f4a_7c15u64;
        for _ in 0..6 {
            inverse = inverse.wrapping_mul(2u64.wrapping_sub(inverse.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        }
        for key in [0, 1, 3_171_011_201_900_001, 1_111_111_111_111_111_110, (1 << 60) - 1] {
            assert_eq!((spread(key) >> 4).wrapping_mul(inverse) & ((1 << 60) - 1), key);
        }
    }

    #[test]
    fn a_hash_has_room_beside_it() {
        for (key, rest) in [(0, 0), ((1 << 60) - 1, (1 << BITS_BESIDE) - 1), (3_171_011_201_900_001, 0xabc)] {
            let entry = beside(spread(key), rest);
            assert_eq!((hash_beside(entry), entry & ((1 << BITS_BESIDE) - 1)), (spread(key) & (u64::MAX >> 8), rest));
        }
    }

    #[test]
    fn nothing_is_lost_in_memory_or_on_disk() {
        let folder = tempfile::tempdir().unwrap();
        for bound in [0, 64 << 10, usize::MAX] {
            let spill: Arc<Spill<u64>> = Arc::new(Spill::new(&Arc::new(Scratch::new(folder.path(), bound).unwrap())));
            std::thread::scope(|scope| {
                for half in 0..2u64 {
                    let spill = Arc::clone(&spill);
                    scope.spawn(move || {
                        let mut writer = SpillWriter::new(&spill);
                        for key in (0..200_000).filter(|key| key % 2 == half) {
                            writer.push(partition_of(spread(key)), key).unwrap();
                        }
                        writer.finish().unwrap();
                    });
                }
            });
            let mut found = Vec::new();
            for partition in 0..PARTITIONS {
                let entries = spill.look(partition).unwrap().concat();
                assert_eq!(spill.take(partition).unwrap().concat(), entries);
                assert!(entries.iter().all(|&key| partition_of(spread(key)) == partition));
                found.extend(entries);
            }
            found.sort_unstable();
            assert_eq!(found, (0..200_000).collect::<Vec<u64>>());
        }
    }

    #[test]
    fn what_belongs_together_stays_together() {
        let folder = tempfile::tempdir().unwrap();
        for bound in [0, usize::MAX] {
            let spill: Arc<Spill<u32>> = Arc::new(Spill::new(&Arc::new(Scratch::new(folder.path(), bound).unwrap())));
            let mut writer = SpillWriter::new(&spill);
            // The length stands first; some are longer than a piece would be.
            let lists: Vec<Vec<u32>> = [1, 7, 4095, 2, 4096, 10_000, 1, 3000, 3000].map(|length| vec![length; length as usize]).into();
            lists.iter().for_each(|list| writer.push_together(9, list).unwrap());
            writer.finish().unwrap();
            let mut found = Vec::new();
            for piece in spill.take(9).unwrap() {
                let mut rest = piece.as_slice();
                while let Some(&length) = rest.first() {
                    let (list, behind) = rest.split_at(length as usize);
                    found.push(list.to_vec());
                    rest = behind;
                }
            }
            found.sort_unstable();
            let mut lists = lists;
            lists.sort_unstable();
            assert_eq!(found, lists);
        }
    }

    #[test]
    fn repeats_are_never_missed_and_seldom_suspected() {
        let mut repeats = Repeats::default();
        for keys in [0u64, 1, 10, 5000] {
            repeats.reset(keys as usize);
            let twice = |key: u64| key.is_multiple_of(50);
            for key in 0..keys {
                repeats.meet(spread(key) >> 8);
                if twice(key) {
                    repeats.meet(spread(key) >> 8);
                }
            }
            assert!((0..keys).filter(|&key| twice(key)).all(|key| repeats.may_repeat(spread(key) >> 8)));
            let suspected = (0..keys).filter(|&key| !twice(key) && repeats.may_repeat(spread(key) >> 8)).count();
            assert!(suspected as u64 <= keys / 8, "{suspected} of {keys}");
        }
    }
}
