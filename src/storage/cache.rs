//! What was read from an object store, kept on local disk up to a bound.
//!
//! Files that never change are kept in blocks. A block is a file of its own in the cache's folder: the SHA-256 of its content, and the
//! content. So a block that a crash cut short or left empty is not believed, and is fetched again. The bound holds for all blocks
//! together; what was not read for the longest time goes first. What cannot be kept, because the disk is full, is read all the same.

use std::{
    collections::BTreeMap,
    fs,
    io::{ErrorKind, Write},
    ops::Range,
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::{Bytes, BytesMut};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::{FileDigest, Hold, Store, StoredFile};
use crate::{
    error::{Error, Result},
    recent::Recent,
};

/// Bytes of a block: some pages of cells, and little to wait for.
const BLOCK: u64 = 256 << 10;
/// Bytes before the content of a block.
const HEAD: usize = 32;
/// Ending of a block's name; anything else in the folder is none of ours.
const ENDING: &str = "block";

/// Blocks on local disk.
#[derive(Debug)]
pub struct ReadCache {
    folder: PathBuf,
    bound: u64,
    /// For each block in the folder whether its content was held against its digest since the process began.
    kept: Mutex<Recent<bool>>,
    hits: AtomicU64,
    misses: AtomicU64,
    /// No other process counts on the same folder.
    _hold: Option<Hold>,
}

/// A file that never changes, as the cache knows it.
#[derive(Debug, Clone)]
pub struct CachedFile {
    store: Store,
    path: String,
    bytes: u64,
    /// Beginning of the names of its blocks.
    name: String,
}

impl CachedFile {
    /// A file of an object store.
    pub fn new(store: &Store, file: &StoredFile) -> Self {
        let name = FileDigest::of(store.identity(file).as_bytes()).sha256;
        Self { store: store.clone(), path: file.path.clone(), bytes: file.bytes, name }
    }

    /// Reads some parts, past any cache.
    pub async fn read(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.store.read_ranges(&self.path, ranges).await
    }
}

impl ReadCache {
    /// Opens a folder and takes over what an earlier process left there. `bound` is in bytes.
    ///
    /// # Errors
    /// [`Error::Conflict`] where another process uses the folder, [`Error::Storage`] where it cannot be read or made.
    pub fn open(folder: &Path, bound: u64) -> Result<Self> {
        let failed = |error: std::io::Error| Error::storage(folder.display().to_string(), error);
        let hold = Store::open(&folder.to_string_lossy())?.hold().map_err(|error| match error {
            Error::Conflict(_) => Error::Conflict(format!(
                "{}: another service reads through this folder; give each service a folder of its own",
                folder.display()
            )),
            error => error,
        })?;
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let meta = entry.metadata().map_err(failed)?;
            match name.rsplit_once('.') {
                Some((_, ENDING)) if meta.is_file() => found.push((meta.modified().map_err(failed)?, name, meta.len())),
                // What a process that was killed had not finished.
                Some((_, "part")) if meta.is_file() => fs::remove_file(entry.path()).map_err(failed)?,
                _ => {}
            }
        }
        found.sort_unstable();
        let mut kept = Recent::default();
        for (_, name, bytes) in found {
            kept.put(name, false, bytes);
        }
        let cache = Self {
            folder: folder.to_owned(),
            bound,
            kept: Mutex::new(kept),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            _hold: hold,
        };
        cache.shrink();
        Ok(cache)
    }

    /// Blocks found here, and blocks fetched.
    pub fn reads(&self) -> (u64, u64) {
        (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed))
    }

    /// Bytes of all blocks.
    pub fn bytes(&self) -> u64 {
        self.kept().weight()
    }

    fn kept(&self) -> MutexGuard<'_, Recent<bool>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads some parts of a file.
    pub async fn read(&self, file: &CachedFile, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let wanted = |range: &Range<u64>| if range.is_empty() { 0..0 } else { range.start / BLOCK..(range.end - 1) / BLOCK + 1 };
        let mut blocks: BTreeMap<u64, Option<Bytes>> = BTreeMap::new();
        for block in ranges.iter().flat_map(wanted) {
            blocks.entry(block).or_insert_with(|| self.find(&name_of(file, block)));
        }
        let missing: Vec<u64> = blocks.iter().filter(|(_, found)| found.is_none()).map(|(&block, _)| block).collect();
        self.hits.fetch_add((blocks.len() - missing.len()) as u64, Ordering::Relaxed);
        self.misses.fetch_add(missing.len() as u64, Ordering::Relaxed);
        let place = |block: u64| block * BLOCK..((block + 1) * BLOCK).min(file.bytes);
        if !missing.is_empty() {
            // The library fetches neighbours in one request.
            let places: Vec<Range<u64>> = missing.iter().map(|&block| place(block)).collect();
            let fetched = file.read(&places).await?;
            for (&block, bytes) in missing.iter().zip(fetched) {
                self.keep(&name_of(file, block), &bytes);
                blocks.insert(block, Some(bytes));
            }
        }
        let cut = |range: &Range<u64>| {
            let mut pieces = wanted(range).filter_map(|block| {
                let bytes = blocks.get(&block)?.as_ref()?;
                let begin = block * BLOCK;
                let from = range.start.saturating_sub(begin).min(bytes.len() as u64);
                let to = (range.end - begin).min(bytes.len() as u64);
                Some(bytes.slice(from as usize..to as usize))
            });
            let first = pieces.next().unwrap_or_default();
            let whole = match pieces.next() {
                None => first,
                Some(second) => {
                    let mut whole = BytesMut::from(first);
                    std::iter::once(second).chain(pieces).for_each(|piece| whole.extend_from_slice(&piece));
                    whole.freeze()
                }
            };
            let complete = whole.len() as u64 == range.end - range.start;
            complete.then_some(whole).ok_or_else(|| Error::storage(format!("{}/{}", file.store, file.path), "the file ends too early"))
        };
        ranges.iter().map(cut).collect()
    }

    /// A block that is here and whole.
    fn find(&self, name: &str) -> Option<Bytes> {
        let believed = *self.kept().get(name)?;
        let content = fs::read(self.folder.join(name)).ok().filter(|content| content.len() >= HEAD);
        let content = content.map(Bytes::from).filter(|content| believed || Sha256::digest(&content[HEAD..])[..] == content[..HEAD]);
        let Some(mut content) = content else {
            self.kept().remove(name);
            return None;
        };
        self.kept().put(name.to_owned(), true, content.len() as u64);
        Some(content.split_off(HEAD))
    }

    /// Keeps a block, whole or not at all.
    fn keep(&self, name: &str, bytes: &Bytes) {
        let write = || -> std::io::Result<()> {
            let mut file = tempfile::Builder::new().suffix(".part").tempfile_in(&self.folder)?;
            file.write_all(&Sha256::digest(bytes))?;
            file.write_all(bytes)?;
            NamedTempFile::persist(file, self.folder.join(name)).map_err(|error| error.error)?;
            Ok(())
        };
        match write() {
            Ok(()) => self.kept().put(name.to_owned(), true, (HEAD + bytes.len()) as u64),
            Err(error) => tracing::warn!("{}: what was read cannot be kept: {error}", self.folder.display()),
        }
        self.shrink();
    }

    fn shrink(&self) {
        let gone = self.kept().shrink(self.bound);
        for name in gone {
            match fs::remove_file(self.folder.join(name)) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    tracing::warn!("{}: a block cannot be removed: {error}", self.folder.display());
                }
                _ => {}
            }
        }
    }
}

fn name_of(file: &CachedFile, block: u64) -> String {
    format!("{}-{block}.{ENDING}", file.name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::runtime::Runtime;

    use super::*;

    fn content(bytes: usize) -> Vec<u8> {
        (0..bytes).map(|at| (at / 7 % 251) as u8).collect()
    }

    async fn stored(store: &Store, path: &str, bytes: usize) -> CachedFile {
        store.write(path, content(bytes)).await.unwrap();
        CachedFile::new(store, &store.stat(path).await.unwrap().unwrap())
    }

    async fn part(cache: &ReadCache, file: &CachedFile, range: Range<u64>) -> Result<Bytes> {
        cache.read(file, std::slice::from_ref(&range)).await.map(|mut found| found.remove(0))
    }

    fn size(folder: &Path) -> u64 {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn what_is_read_is_what_the_store_holds(
            bytes in 0..5 * BLOCK as usize,
            bound in prop::sample::select(vec![0, BLOCK + 100, 3 * BLOCK, u64::MAX]),
            asked in prop::collection::vec(prop::collection::vec((0f64..1.0, 0f64..1.0), 0..4), 0..8),
        ) {
            let folder = tempfile::tempdir().unwrap();
            Runtime::new().unwrap().block_on(async {
                let store = Store::in_memory().unwrap();
                let file = stored(&store, "cells", bytes).await;
                let cache = ReadCache::open(folder.path(), bound).unwrap();
                let all = content(bytes);
                for ranges in asked {
                    let at = |share: f64| (share * bytes as f64) as u64;
                    let ranges: Vec<Range<u64>> =
                        ranges.into_iter().map(|(a, b)| at(a.min(b))..at(a.max(b))).collect();
                    let found = cache.read(&file, &ranges).await.unwrap();
                    for (range, found) in ranges.iter().zip(&found) {
                        assert_eq!(found[..], all[range.start as usize..range.end as usize]);
                    }
                    assert!(cache.bytes() <= bound && size(folder.path()) == cache.bytes());
                }
            });
        }
    }

    #[tokio::test]
    async fn blocks_outlive_the_process_and_damaged_ones_are_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::in_memory().unwrap();
        let file = stored(&store, "cells", 3 * BLOCK as usize).await;
        let all = content(3 * BLOCK as usize);
        let whole = 0..3 * BLOCK;
        let cache = ReadCache::open(folder.path(), u64::MAX).unwrap();
        assert!(matches!(ReadCache::open(folder.path(), u64::MAX), Err(Error::Conflict(_))));
        part(&cache, &file, whole.clone()).await.unwrap();
        assert_eq!(cache.reads(), (0, 3));
        drop(cache);

        let block = |number: u64| folder.path().join(name_of(&file, number));
        fs::write(block(0), []).unwrap();
        let mut spoilt = fs::read(block(1)).unwrap();
        spoilt[HEAD + 5] ^= 1;
        fs::write(block(1), spoilt).unwrap();
        fs::write(folder.path().join("begun.part"), "half").unwrap();
        fs::write(folder.path().join("letter.txt"), "somebody's").unwrap();
        let cache = ReadCache::open(folder.path(), u64::MAX).unwrap();
        assert_eq!(part(&cache, &file, whole.clone()).await.unwrap(), all);
        assert_eq!(cache.reads(), (1, 2));
        assert_eq!(part(&cache, &file, whole).await.unwrap(), all);
        assert_eq!(cache.reads(), (4, 2));
        assert!(!folder.path().join("begun.part").exists() && folder.path().join("letter.txt").exists());

        // Another file under the same name is another file.
        let replaced = stored(&store, "cells", 2 * BLOCK as usize).await;
        assert_ne!(replaced.name, file.name);
    }

    #[tokio::test]
    async fn what_was_not_read_for_the_longest_time_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::in_memory().unwrap();
        let file = stored(&store, "cells", 4 * BLOCK as usize).await;
        let cache = ReadCache::open(folder.path(), 2 * (BLOCK + HEAD as u64)).unwrap();
        for block in [0, 1, 0, 2, 0] {
            part(&cache, &file, block * BLOCK..block * BLOCK + 1).await.unwrap();
        }
        assert_eq!(cache.reads(), (2, 3));
        let there = |block: u64| folder.path().join(name_of(&file, block)).exists();
        assert_eq!([0, 1, 2].map(there), [true, false, true]);
    }

    #[tokio::test]
    async fn a_folder_that_takes_nothing_stops_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::in_memory().unwrap();
        let file = stored(&store, "cells", 100).await;
        let cache = ReadCache::open(&folder.path().join("cache"), u64::MAX).unwrap();
        fs::remove_dir(folder.path().join("cache")).unwrap();
        assert_eq!(part(&cache, &file, 10..20).await.unwrap(), content(100)[10..20]);
        assert!(part(&cache, &file, 90..101).await.is_err());
    }
}
