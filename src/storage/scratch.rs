//! Working memory with a bound: what does not fit goes to one unnamed file.
//!
//! The file has no name in the file system, so nothing is left behind however the process ends.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::Path,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
};

use bytemuck::Pod;

use crate::error::{Error, Result};

/// A bound on memory and the file for what is beyond it.
#[derive(Debug)]
pub struct Scratch {
    file: File,
    end: AtomicU64,
    held: AtomicUsize,
    bound: usize,
}

/// Entries that a [`Scratch`] keeps.
#[derive(Debug)]
pub enum Piece<T> {
    /// In memory.
    Held(Vec<T>),
    /// In the file.
    Spilled {
        /// Where they begin in the file.
        at: u64,
        /// Number of entries.
        count: usize,
    },
}

impl<T> Piece<T> {
    /// Number of entries.
    pub fn count(&self) -> usize {
        match self {
            Self::Held(entries) => entries.len(),
            Self::Spilled { count, .. } => *count,
        }
    }
}

fn failed(error: io::Error) -> Error {
    Error::storage("spilling to the scratch folder (--scratch DIR names another)", error)
}

impl Scratch {
    /// Starts empty. `bound` is the number of bytes to hold in memory before entries go to a file in `folder`.
    pub fn new(folder: &Path, bound: usize) -> Result<Self> {
        let file = tempfile::tempfile_in(folder).map_err(|error| Error::storage(folder.display().to_string(), error))?;
        Ok(Self { file, end: AtomicU64::new(0), held: AtomicUsize::new(0), bound })
    }

    /// Keeps entries; leaves `entries` empty and with as much room as before.
    pub fn keep<T: Pod>(&self, entries: &mut Vec<T>) -> Result<Piece<T>> {
        let bytes = size_of_val(entries.as_slice());
        if self.held.fetch_add(bytes, Ordering::Relaxed) + bytes <= self.bound {
            let room = Vec::with_capacity(entries.capacity());
            return Ok(Piece::Held(std::mem::replace(entries, room)));
        }
        self.held.fetch_sub(bytes, Ordering::Relaxed);
        let at = self.end.fetch_add(bytes as u64, Ordering::Relaxed);
        self.file.write_all_at(bytemuck::cast_slice(entries), at).map_err(failed)?;
        let piece = Piece::Spilled { at, count: entries.len() };
        entries.clear();
        Ok(piece)
    }

    /// Gives entries back and forgets them.
    pub fn take<T: Pod>(&self, piece: Piece<T>) -> Result<Vec<T>> {
        match piece {
            Piece::Held(entries) => {
                self.held.fetch_sub(size_of_val(entries.as_slice()), Ordering::Relaxed);
                Ok(entries)
            }
            Piece::Spilled { at, count } => {
                let mut entries = vec![T::zeroed(); count];
                self.file.read_exact_at(bytemuck::cast_slice_mut(&mut entries), at).map_err(failed)?;
                Ok(entries)
            }
        }
    }

    /// Copies entries of a piece that stays; fewer where the piece ends.
    pub fn look<T: Pod>(&self, piece: &Piece<T>, first: usize, count: usize) -> Result<Vec<T>> {
        let first = first.min(piece.count());
        let count = count.min(piece.count() - first);
        match piece {
            Piece::Held(entries) => Ok(entries[first..first + count].to_vec()),
            Piece::Spilled { at, .. } => {
                let mut entries = vec![T::zeroed(); count];
                let offset = at + (first * size_of::<T>()) as u64;
                self.file.read_exact_at(bytemuck::cast_slice_mut(&mut entries), offset).map_err(failed)?;
                Ok(entries)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_back_from_memory_and_file() {
        let folder = tempfile::tempdir().unwrap();
        for bound in [0, 4000, usize::MAX] {
            let scratch = Scratch::new(folder.path(), bound).unwrap();
            let pieces: Vec<Piece<u32>> =
                (0..10).map(|piece| scratch.keep(&mut (piece * 100..piece * 100 + 100).collect()).unwrap()).collect();
            let held = pieces.iter().filter(|piece| matches!(piece, Piece::Held(_))).count();
            assert_eq!(held, if bound == 0 { 0 } else { 10 });
            assert_eq!(scratch.look(&pieces[3], 98, 5).unwrap(), [398, 399]);
            assert!(scratch.look(&pieces[3], 200, 5).unwrap().is_empty());
            let all: Vec<u32> = pieces.into_iter().flat_map(|piece| scratch.take(piece).unwrap()).collect();
            assert_eq!(all, (0..1000).collect::<Vec<u32>>());
        }
    }

    #[test]
    fn the_bound_counts_what_is_held_now() {
        let folder = tempfile::tempdir().unwrap();
        let scratch = Scratch::new(folder.path(), 8).unwrap();
        let first = scratch.keep(&mut vec![1u64]).unwrap();
        let second = scratch.keep(&mut vec![2u64]).unwrap();
        assert!(matches!((&first, &second), (Piece::Held(_), Piece::Spilled { .. })));
        scratch.take(first).unwrap();
        assert!(matches!(scratch.keep(&mut vec![3u64]).unwrap(), Piece::Held(_)));
    }
}
