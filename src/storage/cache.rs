//! What was read from an object store, kept on local disk up to a bound.
//!
//! Files that never change are kept in blocks. A block is a file of its own in the cache's folder: the SHA-256 of its content, and the
//! content. So a block that a crash cut short or left empty is not believed, and is fetched again. The bound holds for all blocks
//! together; what was not read for the longest time goes first. What cannot be kept, because the disk is full, is read all the same.
//!
//! That a block fits its own head proves nothing against somebody who writes both. Once a file was compared with the digest that its release gives it
//! ([`CachedFile::verify`]), the digests of its blocks are held in memory, and no block is given away that differs: one on disk is fetched again,
//! one that the store gives is an error. A block is not gone over again as long as its file on disk has not been touched ([`Stamp`]).

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{ErrorKind, Read as _, Write},
    ops::Range,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::{Bytes, BytesMut};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::{Digester, FileDigest, Hold, Stamp, Store, StoredFile};
use crate::{
    error::{Error, Result},
    parallel::lock,
    recent::Recent,
};

/// Bytes of a block: some pages of cells, and little to wait for.
const BLOCK: u64 = 256 << 10;
/// Bytes before the content of a block.
const HEAD: usize = 32;
/// Blocks that are verified at a time.
const AT_ONCE: usize = 64;
/// Ending of a block's name; anything else in the folder is none of ours.
const ENDING: &str = "block";

/// Blocks on local disk.
#[derive(Debug)]
pub struct ReadCache {
    folder: PathBuf,
    bound: u64,
    /// For each block in the folder how its file was when its content was last held against its digest.
    kept: Mutex<Recent<Option<Believed>>>,
    hits: AtomicU64,
    misses: AtomicU64,
    /// No other process counts on the same folder.
    _hold: Option<Hold>,
}

/// That the content of a block is sound, as long as its file stays as it was.
#[derive(Debug, Clone, Copy)]
struct Believed {
    stamp: Stamp,
    /// Whether it was held against what its release says, and not against its own head alone.
    is_verified: bool,
}

/// SHA-256 of a block.
type BlockDigest = [u8; HEAD];

/// A file that never changes, as the cache knows it.
#[derive(Debug, Clone)]
pub struct CachedFile {
    store: Store,
    path: String,
    bytes: u64,
    /// Beginning of the names of its blocks.
    name: String,
    /// What its blocks are, once the whole file was compared with its digest.
    blocks: Arc<OnceLock<Vec<BlockDigest>>>,
}

impl CachedFile {
    /// A file of an object store.
    pub fn new(store: &Store, file: &StoredFile) -> Self {
        let name = FileDigest::of(store.identity(file).as_bytes()).sha256;
        Self { store: store.clone(), path: file.path.clone(), bytes: file.bytes, name, blocks: Arc::default() }
    }

    /// Whether a file that a store holds is this one.
    pub fn is(&self, store: &Store, file: &StoredFile) -> bool {
        self.name == Self::new(store, file).name
    }

    /// Reads some parts, by way of a cache where there is one. Once the file is verified nothing else is given than what was.
    ///
    /// # Errors
    /// Where the store cannot be read, or holds something else by now.
    pub async fn read(&self, cache: Option<&ReadCache>, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        match cache {
            // As long as nothing is known of its blocks, there is no need for whole ones.
            None if self.blocks.get().is_none() => self.store.read_ranges(&self.path, ranges).await,
            cache => self.read_blocks(cache, ranges).await,
        }
    }

    /// Compares the whole file with the digest that its release gives it, and remembers what its blocks are. Blocks on local disk spare the way to
    /// the store as long as the whole fits, and what is fetched for this is kept as long as nothing has to make room for it.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn verify(&self, cache: Option<&ReadCache>, digest: &FileDigest) -> Result<bool> {
        if digest.bytes != self.bytes {
            return Ok(false);
        }
        for cache in [cache, None].into_iter().skip(usize::from(cache.is_none())) {
            let (mut whole, mut blocks) = (Digester::default(), Vec::new());
            for first in (0..self.count()).step_by(AT_ONCE) {
                for (_, content) in self.blocks(cache, first..(first + AT_ONCE as u64).min(self.count())).await? {
                    whole.add(&content);
                    blocks.push(Sha256::digest(&content).into());
                }
            }
            if whole.finish() == *digest {
                // Whoever verified it at the same time found the same.
                let _ = self.blocks.set(blocks);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Number of blocks.
    fn count(&self) -> u64 {
        self.bytes.div_ceil(BLOCK)
    }

    fn place(&self, block: u64) -> Range<u64> {
        block * BLOCK..((block + 1) * BLOCK).min(self.bytes)
    }

    /// What a block must be, if that is known.
    fn expected(&self, block: u64) -> Option<&BlockDigest> {
        self.blocks.get()?.get(block as usize)
    }

    /// Some blocks that follow each other, from a cache or the store, and nobody counts them.
    async fn blocks(&self, cache: Option<&ReadCache>, wanted: Range<u64>) -> Result<BTreeMap<u64, Bytes>> {
        let find = |block| Some((block, cache?.find(&name_of(self, block), None)?));
        let mut found: BTreeMap<u64, Bytes> = wanted.clone().filter_map(find).collect();
        let missing: Vec<u64> = wanted.filter(|block| !found.contains_key(block)).collect();
        if !missing.is_empty() {
            let fetched = self.fetch(&missing).await?;
            if let Some(cache) = cache {
                for (block, content) in fetched.iter().filter(|(_, content)| cache.has_room(content)) {
                    cache.keep(&name_of(self, *block), content);
                }
            }
            found.extend(fetched);
        }
        Ok(found)
    }

    /// Blocks of the store, which are refused if they are others than were verified.
    async fn fetch(&self, blocks: &[u64]) -> Result<Vec<(u64, Bytes)>> {
        // The library fetches neighbours in one request.
        let places: Vec<Range<u64>> = blocks.iter().map(|&block| self.place(block)).collect();
        let fetched: Vec<(u64, Bytes)> = blocks.iter().copied().zip(self.store.read_ranges(&self.path, &places).await?).collect();
        let is_other =
            |(block, content): &&(u64, Bytes)| self.expected(*block).is_some_and(|digest| Sha256::digest(content)[..] != digest[..]);
        if fetched.iter().any(|found| is_other(&found)) {
            return Err(Error::Input(format!(
                "{}/{} was changed in the store since it was compared with its digest; restore the release from a copy",
                self.store, self.path
            )));
        }
        Ok(fetched)
    }

    async fn read_blocks(&self, cache: Option<&ReadCache>, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let wanted = |range: &Range<u64>| if range.is_empty() { 0..0 } else { range.start / BLOCK..(range.end - 1) / BLOCK + 1 };
        let mut blocks: BTreeMap<u64, Option<Bytes>> = BTreeMap::new();
        for block in ranges.iter().flat_map(wanted) {
            let find = || cache.and_then(|cache| cache.find(&name_of(self, block), self.expected(block)));
            blocks.entry(block).or_insert_with(find);
        }
        let missing: Vec<u64> = blocks.iter().filter(|(_, found)| found.is_none()).map(|(&block, _)| block).collect();
        if let Some(cache) = cache {
            cache.hits.fetch_add((blocks.len() - missing.len()) as u64, Ordering::Relaxed);
            cache.misses.fetch_add(missing.len() as u64, Ordering::Relaxed);
        }
        if !missing.is_empty() {
            for (block, bytes) in self.fetch(&missing).await? {
                if let Some(cache) = cache {
                    cache.keep(&name_of(self, block), &bytes);
                }
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
            complete.then_some(whole).ok_or_else(|| Error::storage(format!("{}/{}", self.store, self.path), "the file ends too early"))
        };
        ranges.iter().map(cut).collect()
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
            kept.put(name, None, bytes);
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

    fn kept(&self) -> MutexGuard<'_, Recent<Option<Believed>>> {
        lock(&self.kept)
    }

    /// A block that is here and whole; where it is known what it must be, nothing else.
    fn find(&self, name: &str, expected: Option<&BlockDigest>) -> Option<Bytes> {
        let believed = *self.kept().get(name)?;
        let Some((mut content, stamp)) = self.content(name) else {
            self.kept().remove(name);
            return None;
        };
        let is_believed = believed.is_some_and(|known| stamp == Some(known.stamp) && (known.is_verified || expected.is_none()));
        if !is_believed {
            let digest = Sha256::digest(&content[HEAD..]);
            if digest[..] != content[..HEAD] || expected.is_some_and(|expected| digest[..] != expected[..]) {
                self.kept().remove(name);
                return None;
            }
        }
        let believed = if is_believed { believed } else { stamp.map(|stamp| Believed { stamp, is_verified: expected.is_some() }) };
        self.kept().put(name.to_owned(), believed, content.len() as u64);
        Some(content.split_off(HEAD))
    }

    /// The content of a block's file, and how the file was all the time while it was read, if that can be told.
    fn content(&self, name: &str) -> Option<(Bytes, Option<Stamp>)> {
        let mut file = File::open(self.folder.join(name)).ok()?;
        let before = Stamp::of(&file).ok()?.settled();
        let mut content = Vec::new();
        file.read_to_end(&mut content).ok()?;
        let stamp = before.filter(|before| Stamp::of(&file).is_ok_and(|after| after == *before));
        (content.len() >= HEAD).then(|| (content.into(), stamp))
    }

    /// Whether a block can be kept without another having to go.
    fn has_room(&self, content: &Bytes) -> bool {
        self.bytes() + (HEAD + content.len()) as u64 <= self.bound
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
            // What was written is gone over when it is read: somebody else may be quicker.
            Ok(()) => self.kept().put(name.to_owned(), None, (HEAD + bytes.len()) as u64),
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
        file.read(Some(cache), std::slice::from_ref(&range)).await.map(|mut found| found.remove(0))
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
                    let found = file.read(Some(&cache), &ranges).await.unwrap();
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

    #[tokio::test]
    async fn what_was_verified_is_all_that_is_given_away() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::in_memory().unwrap();
        let all = content(3 * BLOCK as usize + 100);
        let file = stored(&store, "cells", all.len()).await;
        let whole = 0..all.len() as u64;
        let digest = FileDigest::of(&all);
        let cache = ReadCache::open(folder.path(), u64::MAX).unwrap();
        part(&cache, &file, whole.clone()).await.unwrap();
        // Somebody has changed a block together with its head: the file as a whole is still the store's.
        let forge = |number: u64| {
            let path = folder.path().join(name_of(&file, number));
            let mut block = fs::read(&path).unwrap();
            block[HEAD + 9] ^= 1;
            let head = Sha256::digest(&block[HEAD..]);
            block[..HEAD].copy_from_slice(&head);
            fs::write(&path, block).unwrap();
        };
        forge(1);
        assert!(!file.verify(Some(&cache), &FileDigest::of(b"other")).await.unwrap());
        assert!(file.verify(Some(&cache), &digest).await.unwrap());
        assert_eq!(part(&cache, &file, whole.clone()).await.unwrap(), all);
        // And again afterwards, when all blocks were read before.
        assert_eq!(part(&cache, &file, whole.clone()).await.unwrap(), all);
        forge(0);
        forge(2);
        assert_eq!(part(&cache, &file, whole.clone()).await.unwrap(), all);
        // The same without a cache, and when the store itself holds something else by now.
        assert_eq!(file.read(None, std::slice::from_ref(&whole)).await.unwrap()[0], all);
        let mut other = all.clone();
        other[5] ^= 1;
        store.write("cells", other).await.unwrap();
        for cache in [None, Some(&ReadCache::open(&folder.path().join("empty"), u64::MAX).unwrap())] {
            let refused = file.read(cache, std::slice::from_ref(&(0..10))).await.unwrap_err().to_string();
            assert!(refused.contains("was changed in the store"), "{refused}");
        }
        // What was verified is still on disk.
        assert_eq!(part(&cache, &file, whole).await.unwrap(), all);
    }
}
