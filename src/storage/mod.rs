//! Where bytes live: a local folder or an object store, behind one door.
//!
//! ```text
//! Store::open("warehouse/releases")        a folder
//! Store::open("s3://office/releases")      a bucket; credentials and endpoint from AWS_* variables
//! ```
//!
//! Publication rests on two promises that both kinds keep: a file appears whole or not at all, and
//! [`Store::create`] lets exactly one writer win. A folder keeps a third: [`Store::hold`] keeps other publishers out.

mod cache;
mod digest;
mod folder;
mod scratch;
mod spill;
mod spool;
mod stamp;

use std::{
    collections::HashMap,
    fmt,
    fs::{self, File, TryLockError},
    io,
    ops::Range,
    path::{Component, Path as LocalPath, PathBuf},
    sync::{Arc, LazyLock, Mutex},
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{
    ObjectStore, ObjectStoreExt, PutMode, PutPayload, WriteMultipart,
    aws::AmazonS3Builder,
    local::LocalFileSystem,
    memory::InMemory,
    path::{Path, PathPart},
};
use tokio::io::AsyncReadExt;
use url::Url;

pub use cache::{CachedFile, ReadCache};
pub use digest::{Digester, FileDigest};
pub use folder::{read_folder, read_text};
pub use scratch::{Piece, Scratch};
pub use spill::{BITS_BESIDE, PARTITIONS, Repeats, Spill, SpillWriter, beside, hash_beside, partition_of, spread};
pub use spool::{Spool, SpoolBounds, SpoolWriter, Spooled, SpooledContent};
pub use stamp::Stamp;

use crate::{
    error::{Error, Result},
    parallel::lock,
};

/// Pieces of an upload: S3 wants at least 5 MiB each.
const PIECE: usize = 8 << 20;
/// How often something is tried that the library does not try again by itself, because it cannot know what came of it.
const TRIES: usize = 3;

/// A folder of files, local or in an object store.
#[derive(Clone)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    base: Path,
    /// Root of the object store as DataFusion knows it, such as `s3://office`.
    root: Url,
    /// The address as the operator wrote it.
    shown: String,
}

/// Keeps other writers out of a store for as long as it lives, also when the process is killed: then the system lets go.
#[derive(Debug)]
pub struct Hold {
    folder: File,
}

impl Drop for Hold {
    fn drop(&mut self) {
        // Closing the file would not be enough while a child process that is just being started has it too. There is
        // nothing to do about an error, and closing follows.
        let _ = self.folder.unlock();
    }
}

/// What came of creating a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// It is there now, and was not before.
    New,
    /// It was there already, with the same content.
    Same,
    /// There is one with other content, which stays.
    Other,
}

/// A file in a [`Store`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Path below the store.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// When it was written.
    pub written: DateTime<Utc>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({})", self.shown)
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl Store {
    /// Opens a local path or an `s3://bucket/prefix` address. A local folder need not exist yet.
    pub fn open(address: &str) -> Result<Self> {
        if let Some((scheme, _)) = address.split_once("://") {
            if scheme != "s3" {
                return Err(Error::Input(format!("'{address}': expected a local path or an s3:// address")));
            }
            let url = Url::parse(address).map_err(|error| Error::Input(format!("'{address}' is no address: {error}")))?;
            let base = Path::from_url_path(url.path()).map_err(|error| Error::Input(format!("'{address}' is no address: {error}")))?;
            let root = Url::parse(&format!("s3://{}", url.host_str().unwrap_or_default()))
                .map_err(|error| Error::Input(format!("'{address}' is no address: {error}")))?;
            let objects = bucket(address, &root)?;
            return Ok(Self { objects, base, root, shown: address.trim_end_matches('/').to_owned() });
        }
        let absolute = absolute(LocalPath::new(address)).map_err(|error| Error::storage(address, error))?;
        let base = Path::from_absolute_path(&absolute).map_err(|error| Error::Input(format!("'{address}' is no path: {error}")))?;
        let objects = LocalFileSystem::new().with_automatic_cleanup(false);
        let root = Url::parse("file:///").map_err(|error| Error::Internal(error.to_string()))?;
        Ok(Self { objects: Arc::new(objects), base, root, shown: address.to_owned() })
    }

    /// An empty store that lasts as long as the process, for tests: it behaves as object stores do.
    ///
    /// # Errors
    /// None that a caller could cause.
    pub fn in_memory() -> Result<Self> {
        Self::over(Arc::new(InMemory::new()), "memory:///")
    }

    /// A store on an object store that was opened elsewhere, whole. `root` is its address for the engine; only that of a local
    /// file system may begin with `file`.
    ///
    /// # Errors
    /// [`Error::Input`] where the address is none.
    pub fn over(objects: Arc<dyn ObjectStore>, root: &str) -> Result<Self> {
        let root = Url::parse(root).map_err(|error| Error::Input(format!("'{root}' is no address: {error}")))?;
        let shown = root.as_str().trim_end_matches(['/', ':']).to_owned();
        Ok(Self { objects, base: Path::default(), root, shown })
    }

    /// Keeps other writers that ask for it out of the store. `None` where that is not possible: in object stores.
    ///
    /// # Errors
    /// [`Error::Conflict`] where somebody else holds the store, [`Error::Storage`] where the folder cannot be made.
    pub fn hold(&self) -> Result<Option<Hold>> {
        let Some(folder) = self.local("") else { return Ok(None) };
        let failed = |error: std::io::Error| Error::storage(&self.shown, error);
        fs::create_dir_all(&folder).map_err(failed)?;
        let opened = File::open(&folder).map_err(failed)?;
        match opened.try_lock() {
            Ok(()) => Ok(Some(Hold { folder: opened })),
            Err(TryLockError::WouldBlock) => {
                Err(Error::Conflict(format!("somebody else is publishing in {self} at this moment; try again when that has ended")))
            }
            // A file system without locks: conditional writes must do, as in object stores.
            Err(TryLockError::Error(_)) => Ok(None),
        }
    }

    /// The store one folder further down.
    pub fn below(&self, folder: &str) -> Self {
        Self { base: self.path(folder), shown: format!("{}/{folder}", self.shown), ..self.clone() }
    }

    /// The object store underneath and its root address, for the engine's registry.
    pub fn registration(&self) -> (Url, Arc<dyn ObjectStore>) {
        (self.root.clone(), Arc::clone(&self.objects))
    }

    /// The path of a file within the object store underneath.
    pub fn path(&self, path: &str) -> Path {
        // As it is written: others list it so. Only what can be no name is written in another way.
        let part = |part| PathPart::parse(part).unwrap_or_else(|_| PathPart::from(part));
        path.split('/').filter(|part| !part.is_empty()).fold(self.base.clone(), |base, name| base.join(part(name)))
    }

    /// The store's address for other processes: that of a folder is its whole path.
    pub fn address(&self) -> String {
        self.local("").map_or_else(|| self.shown.clone(), |folder| folder.display().to_string())
    }

    /// Where a file lies in the local file system, if it does.
    pub fn local(&self, path: &str) -> Option<PathBuf> {
        let mut address = self.root.clone();
        if address.scheme() != "file" {
            return None;
        }
        address.path_segments_mut().ok()?.pop_if_empty().extend(self.path(path).parts());
        address.to_file_path().ok()
    }

    /// What tells a file of this store from every other one, also from one that takes its place.
    pub fn identity(&self, file: &StoredFile) -> String {
        format!("{}{} {} {}", self.root, self.path(&file.path), file.bytes, file.written.timestamp_nanos_opt().unwrap_or_default())
    }

    fn failed(&self, path: &str, error: impl fmt::Display) -> Error {
        Error::storage(format!("{}/{path}", self.shown), error)
    }

    /// Reads a file; `None` where there is none.
    pub async fn read(&self, path: &str) -> Result<Option<Bytes>> {
        match self.objects.get(&self.path(path)).await {
            Ok(found) => Ok(Some(found.bytes().await.map_err(|error| self.failed(path, error))?)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed(path, error)),
        }
    }

    /// Reads the first bytes of a file, fewer where it is shorter.
    pub async fn read_start(&self, path: &str, length: u64) -> Result<Bytes> {
        let size = self.objects.head(&self.path(path)).await.map_err(|error| self.failed(path, error))?.size;
        let length = length.min(size);
        if length == 0 {
            return Ok(Bytes::new());
        }
        self.objects.get_range(&self.path(path), 0..length).await.map_err(|error| self.failed(path, error))
    }

    /// Reads some parts of a file at once.
    pub async fn read_ranges(&self, path: &str, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.objects.get_ranges(&self.path(path), ranges).await.map_err(|error| self.failed(path, error))
    }

    /// Reads a file in pieces as they arrive.
    pub async fn stream(&self, path: &str) -> Result<BoxStream<'static, Result<Bytes>>> {
        let found = self.objects.get(&self.path(path)).await.map_err(|error| self.failed(path, error))?;
        let context = format!("{}/{path}", self.shown);
        Ok(found.into_stream().map_err(move |error| Error::storage(context.clone(), error)).boxed())
    }

    /// Size and digest of a file, read in pieces; `None` where there is none.
    pub async fn digest(&self, path: &str) -> Result<Option<FileDigest>> {
        let found = match self.objects.get(&self.path(path)).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(self.failed(path, error)),
        };
        let (mut pieces, mut digester) = (found.into_stream(), Digester::default());
        while let Some(piece) = pieces.try_next().await.map_err(|error| self.failed(path, error))? {
            digester.add(&piece);
        }
        Ok(Some(digester.finish()))
    }

    /// Writes a file, replacing what is there.
    pub async fn write(&self, path: &str, content: impl Into<PutPayload>) -> Result<()> {
        self.objects.put(&self.path(path), content.into()).await.map_err(|error| self.failed(path, error))?;
        Ok(())
    }

    /// Writes a file unless there is one. Where an object store's answer gets lost on its way, the file may already be there at the
    /// next try, and where it fails, it may have been written all the same: then what is there is what was to be written.
    pub async fn create(&self, path: &str, content: impl Into<Bytes>) -> Result<Created> {
        let content: Bytes = content.into();
        let mut tries = 1;
        loop {
            let outcome = self.objects.put_opts(&self.path(path), content.clone().into(), PutMode::Create.into()).await;
            let error = match outcome {
                Ok(_) => return Ok(Created::New),
                Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => {
                    let same = self.read(path).await? == Some(content);
                    return Ok(if same { Created::Same } else { Created::Other });
                }
                Err(error) => error,
            };
            match self.read(path).await {
                Ok(Some(there)) if there == content => return Ok(Created::New),
                Ok(None) if tries < TRIES => tries += 1,
                _ => return Err(self.failed(path, error)),
            }
        }
    }

    /// Copies a local file into the store with flat memory.
    pub async fn upload(&self, path: &str, from: &LocalPath) -> Result<()> {
        let local = |error: std::io::Error| Error::storage(from.display().to_string(), error);
        if tokio::fs::metadata(from).await.map_err(local)?.len() <= PIECE as u64 {
            return self.write(path, tokio::fs::read(from).await.map_err(local)?).await;
        }
        let mut tries = 1;
        loop {
            // The last step of an upload cannot be taken twice: where its answer got lost, all of it is done again.
            match self.upload_pieces(path, from).await {
                Err(_) if tries < TRIES => tries += 1,
                outcome => return outcome,
            }
        }
    }

    async fn upload_pieces(&self, path: &str, from: &LocalPath) -> Result<()> {
        let local = |error: std::io::Error| Error::storage(from.display().to_string(), error);
        let mut file = tokio::fs::File::open(from).await.map_err(local)?;
        let started = self.objects.put_multipart(&self.path(path)).await.map_err(|error| self.failed(path, error))?;
        let mut upload = WriteMultipart::new_with_chunk_size(started, PIECE);
        let mut piece = vec![0; PIECE];
        loop {
            let read = file.read(&mut piece).await.map_err(local)?;
            if read == 0 {
                break;
            }
            upload.wait_for_capacity(2).await.map_err(|error| self.failed(path, error))?;
            upload.write(&piece[..read]);
        }
        upload.finish().await.map_err(|error| self.failed(path, error))?;
        Ok(())
    }

    /// Size and time of a file; `None` where there is none.
    pub async fn stat(&self, path: &str) -> Result<Option<StoredFile>> {
        match self.objects.head(&self.path(path)).await {
            Ok(meta) => Ok(Some(StoredFile { path: path.to_owned(), bytes: meta.size, written: meta.last_modified })),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed(path, error)),
        }
    }

    /// Every file below a folder, sorted by path.
    pub async fn list(&self, folder: &str) -> Result<Vec<StoredFile>> {
        let prefix = self.path(folder);
        let found: Vec<_> = match self.objects.list(Some(&prefix)).try_collect().await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => Vec::new(),
            Err(error) => return Err(self.failed(folder, error)),
        };
        let mut files: Vec<StoredFile> = found
            .into_iter()
            .filter_map(|meta| {
                let below: Vec<_> = meta.location.prefix_match(&self.base)?.collect();
                let path = below.iter().map(|part| part.as_ref()).collect::<Vec<&str>>().join("/");
                Some(StoredFile { path, bytes: meta.size, written: meta.last_modified })
            })
            .collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    /// Names of the folders directly below a folder, sorted.
    pub async fn folders(&self, folder: &str) -> Result<Vec<String>> {
        let prefix = self.path(folder);
        let found = match self.objects.list_with_delimiter(Some(&prefix)).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(self.failed(folder, error)),
        };
        let mut names: Vec<String> =
            found.common_prefixes.iter().filter_map(|path| path.parts().next_back().map(|part| part.as_ref().to_owned())).collect();
        names.sort();
        Ok(names)
    }

    /// Removes a file; one that is gone already is no error.
    pub async fn remove(&self, path: &str) -> Result<()> {
        match self.objects.delete(&self.path(path)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed(path, error)),
        }
    }

    /// Removes every file below a folder.
    pub async fn remove_folder(&self, folder: &str) -> Result<()> {
        for file in self.list(folder).await? {
            self.remove(&file.path).await?;
        }
        if let (Some(folder), Some(base)) = (self.local(folder), self.local("")) {
            remove_empty(&folder);
            // And what stood around it, if nothing else does so now.
            let above = folder.ancestors().skip(1).take_while(|above| *above != base && above.starts_with(&base));
            above.into_iter().take_while(|above| fs::remove_dir(above).is_ok()).for_each(drop);
        }
        Ok(())
    }
}

/// Where a local path leads from the root on. What `..` leads to depends on links, so those before it are followed.
///
/// # Errors
/// An empty path, or a link before `..` that cannot be followed.
pub fn absolute(path: &LocalPath) -> io::Result<PathBuf> {
    let mut found = PathBuf::new();
    for component in std::path::absolute(path)?.components() {
        if component != Component::ParentDir {
            found.push(component);
            continue;
        }
        found = match fs::canonicalize(&found) {
            // A folder need not exist yet.
            Err(error) if error.kind() == io::ErrorKind::NotFound => found,
            followed => followed?,
        };
        found.pop();
    }
    Ok(found)
}

/// The client of a bucket. There is one for the whole process, because it reads certificates and holds connections.
fn bucket(address: &str, root: &Url) -> Result<Arc<dyn ObjectStore>> {
    static BUCKETS: LazyLock<Mutex<HashMap<Url, Arc<dyn ObjectStore>>>> = LazyLock::new(Mutex::default);
    let mut buckets = lock(&BUCKETS);
    if let Some(known) = buckets.get(root) {
        return Ok(Arc::clone(known));
    }
    let made = AmazonS3Builder::from_env().with_url(address).build().map_err(|error| {
        Error::Input(format!("'{address}' cannot be opened: {error}; set AWS_ACCESS_KEY_ID and the other AWS_ variables"))
    })?;
    let made: Arc<dyn ObjectStore> = Arc::new(made);
    buckets.insert(root.clone(), Arc::clone(&made));
    Ok(made)
}

/// Removes a folder and those below it as far as nothing is in them. One that somebody has just written to stays, and so does one that
/// cannot be removed: it takes no room.
fn remove_empty(folder: &LocalPath) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_empty(&entry.path());
        }
    }
    let _ = fs::remove_dir(folder);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_is_that_of_what_a_link_leads_to() {
        let folder = tempfile::tempdir().unwrap();
        let folder = fs::canonicalize(folder.path()).unwrap();
        fs::create_dir_all(folder.join("far/deep")).unwrap();
        std::os::unix::fs::symlink(folder.join("far/deep"), folder.join("link")).unwrap();
        assert_eq!(absolute(&folder.join("link/../x.csv")).unwrap(), folder.join("far/x.csv"));
        assert_eq!(absolute(&folder.join("far/../x.csv")).unwrap(), folder.join("x.csv"));
        assert_eq!(absolute(&folder.join("not/there/../yet")).unwrap(), folder.join("not/yet"));
        assert_eq!(absolute(LocalPath::new("/../x")).unwrap(), LocalPath::new("/x"));
        let shown = format!("{}/link/../deep", folder.display());
        assert_eq!(Store::open(&shown).unwrap().local("file"), Some(folder.join("far/deep/file")));
    }
}
