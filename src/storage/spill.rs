//! Fixed-size entries spread over partitions, in memory up to a bound and in one unnamed file beyond it.
//!
//! Grouping by a key that has as many values as there are people cannot hold them all. Spread by a hash of the key,
//! each partition holds every entry of its keys and is small enough to be worked off by itself. The file has no name
//! in the file system, so nothing is left behind however the process ends.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use bytemuck::Pod;

use crate::error::{Error, Result};

/// Number of partitions. At 290 million entries of 32 bytes one holds 36 MB.
pub const PARTITIONS: usize = 256;
/// Bytes that a writer gathers for one partition before it hands them over.
const GATHER: usize = 16 << 10;

/// Entries by partition.
#[derive(Debug)]
pub struct Spill<T> {
    partitions: Vec<Mutex<Partition<T>>>,
    file: File,
    end: AtomicU64,
    held: AtomicUsize,
    bound: usize,
}

#[derive(Debug)]
struct Partition<T> {
    held: Vec<Vec<T>>,
    /// Offset in the file and number of entries.
    spilled: Vec<(u64, usize)>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(error: std::io::Error) -> Error {
    Error::storage("spilling to the scratch folder (--scratch DIR names another)", error)
}

/// The partition of a key.
pub fn partition_of(key: u64) -> usize {
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as usize
}

impl<T: Pod> Spill<T> {
    /// Starts empty. `bound` is the number of bytes to hold in memory before entries go to a file in `scratch`.
    pub fn new(scratch: &Path, bound: usize) -> Result<Self> {
        let file = tempfile::tempfile_in(scratch).map_err(|error| Error::storage(scratch.display().to_string(), error))?;
        let partitions = (0..PARTITIONS).map(|_| Mutex::new(Partition { held: Vec::new(), spilled: Vec::new() })).collect();
        Ok(Self { partitions, file, end: AtomicU64::new(0), held: AtomicUsize::new(0), bound })
    }

    fn hand_over(&self, partition: usize, entries: &mut Vec<T>) -> Result<()> {
        let bytes = std::mem::size_of_val(entries.as_slice());
        if self.held.fetch_add(bytes, Ordering::Relaxed) + bytes <= self.bound {
            let fresh = Vec::with_capacity(entries.capacity());
            lock(&self.partitions[partition]).held.push(std::mem::replace(entries, fresh));
        } else {
            self.held.fetch_sub(bytes, Ordering::Relaxed);
            let at = self.end.fetch_add(bytes as u64, Ordering::Relaxed);
            self.file.write_all_at(bytemuck::cast_slice(entries), at).map_err(failed)?;
            lock(&self.partitions[partition]).spilled.push((at, entries.len()));
            entries.clear();
        }
        Ok(())
    }

    /// Takes the entries of a partition out, piece by piece in no particular order.
    pub fn drain(&self, partition: usize, mut visit: impl FnMut(&[T]) -> Result<()>) -> Result<()> {
        let Partition { held, spilled } =
            std::mem::replace(&mut *lock(&self.partitions[partition]), Partition { held: Vec::new(), spilled: Vec::new() });
        for entries in held {
            visit(&entries)?;
            self.held.fetch_sub(std::mem::size_of_val(entries.as_slice()), Ordering::Relaxed);
        }
        let mut entries: Vec<T> = Vec::new();
        for (at, count) in spilled {
            entries.resize(count, T::zeroed());
            self.file.read_exact_at(bytemuck::cast_slice_mut(&mut entries), at).map_err(failed)?;
            visit(&entries)?;
        }
        Ok(())
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

    /// Adds an entry to the partition of its key.
    #[inline]
    pub fn push(&mut self, key: u64, entry: T) -> Result<()> {
        let partition = partition_of(key);
        let gathered = &mut self.gathered[partition];
        gathered.push(entry);
        if gathered.len() == self.most {
            self.spill.hand_over(partition, gathered)?;
        }
        Ok(())
    }

    /// Hands over what is still gathered.
    pub fn finish(&mut self) -> Result<()> {
        for (partition, gathered) in self.gathered.iter_mut().enumerate() {
            if !gathered.is_empty() {
                self.spill.hand_over(partition, gathered)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_in_memory_or_on_disk() {
        let scratch = tempfile::tempdir().unwrap();
        for bound in [0, 64 << 10, usize::MAX] {
            let spill: Arc<Spill<u64>> = Arc::new(Spill::new(scratch.path(), bound).unwrap());
            std::thread::scope(|scope| {
                for half in 0..2u64 {
                    let spill = Arc::clone(&spill);
                    scope.spawn(move || {
                        let mut writer = SpillWriter::new(&spill);
                        for key in (0..200_000).filter(|key| key % 2 == half) {
                            writer.push(key, key).unwrap();
                        }
                        writer.finish().unwrap();
                    });
                }
            });
            let mut found = Vec::new();
            for partition in 0..PARTITIONS {
                let before = found.len();
                spill.drain(partition, |entries| Ok(found.extend_from_slice(entries))).unwrap();
                assert!(found[before..].iter().all(|&key| partition_of(key) == partition));
            }
            found.sort_unstable();
            assert_eq!(found, (0..200_000).collect::<Vec<u64>>());
        }
    }
}
