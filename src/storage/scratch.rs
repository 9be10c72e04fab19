//! Working memory with a bound: what does not fit goes to unnamed files.
//!
//! The files have no names in the file system, so nothing is left behind however the process ends. There are several because the system
//! lets one thread at a time write to a file.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::Path,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
};

use bytemuck::Pod;

use crate::error::{Error, Result};

/// A bound on memory and the files for what is beyond it.
#[derive(Debug)]
pub struct Scratch {
    /// Each with where it ends.
    files: Vec<(File, AtomicU64)>,
    held: AtomicUsize,
    bound: usize,
}

/// Entries that a [`Scratch`] keeps.
#[derive(Debug)]
pub enum Piece<T> {
    /// In memory.
    Held(Vec<T>),
    /// In a file.
    Spilled {
        /// Which of the files.
        file: usize,
        /// Where they begin in it.
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

/// Files at most.
const MOST_FILES: usize = 16;

thread_local! {
    /// Tells threads apart, so that each mostly has a file of its own.
    static LANE: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed)
    };
}

fn failed(error: io::Error) -> Error {
    Error::storage("spilling to the scratch folder (--scratch DIR names another)", error)
}

impl Scratch {
    /// Starts empty. `bound` is the number of bytes to hold in memory before entries go to a file in `folder`.
    pub fn new(folder: &Path, bound: usize) -> Result<Self> {
        let count = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_FILES);
        let file = || tempfile::tempfile_in(folder).map(|file| (file, AtomicU64::new(0)));
        let files = (0..count).map(|_| file()).collect::<io::Result<_>>();
        let files = files.map_err(|error| Error::storage(folder.display().to_string(), error))?;
        Ok(Self { files, held: AtomicUsize::new(0), bound })
    }

    /// Keeps entries; leaves `entries` empty, with its room where they went to a file.
    pub fn keep<T: Pod>(&self, entries: &mut Vec<T>) -> Result<Piece<T>> {
        let bytes = size_of_val(entries.as_slice());
        if self.held.fetch_add(bytes, Ordering::Relaxed) + bytes <= self.bound {
            return Ok(Piece::Held(std::mem::take(entries)));
        }
        self.held.fetch_sub(bytes, Ordering::Relaxed);
        let number = LANE.with(|lane| lane % self.files.len());
        let (file, end) = &self.files[number];
        let at = end.fetch_add(bytes as u64, Ordering::Relaxed);
        file.write_all_at(bytemuck::cast_slice(entries), at).map_err(failed)?;
        let piece = Piece::Spilled { file: number, at, count: entries.len() };
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
            Piece::Spilled { file, at, count } => {
                let mut entries = vec![T::zeroed(); count];
                self.files[file].0.read_exact_at(bytemuck::cast_slice_mut(&mut entries), at).map_err(failed)?;
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
            Piece::Spilled { file, at, .. } => {
                let mut entries = vec![T::zeroed(); count];
                let offset = at + (first * size_of::<T>()) as u64;
                self.files[*file].0.read_exact_at(bytemuck::cast_slice_mut(&mut entries), offset).map_err(failed)?;
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
