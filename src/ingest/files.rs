//! Which files a snapshot consists of, and how to open them.

use std::{
    fmt, fs,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
};

use bytes::Bytes;
use futures::StreamExt;
use tokio::runtime::Handle;

use crate::{
    error::{Error, Result},
    storage::{Store, absolute},
};

/// How the content of a file is packed; told by its first bytes, whatever its name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Text as it is.
    Plain,
    /// Gzip, one or more members.
    Gzip,
    /// Zstandard, one or more frames.
    Zstd,
    /// A Parquet file.
    Parquet,
}

impl Packing {
    fn of(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [b'P', b'A', b'R', b'1', ..] => Self::Parquet,
            _ => Self::Plain,
        }
    }
}

/// One file of a snapshot.
#[derive(Debug, Clone)]
pub struct SnapshotFile {
    /// The file as people name it, in messages.
    pub name: String,
    /// Size as stored.
    pub bytes: u64,
    /// How it is packed.
    pub packing: Packing,
    place: Place,
}

#[derive(Clone)]
enum Place {
    Local(PathBuf),
    Remote(Store, String),
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) => write!(f, "{}", path.display()),
            Self::Remote(store, path) => write!(f, "{store}/{path}"),
        }
    }
}

/// Endings of the files that are taken from a folder.
const ENDINGS: [&str; 4] = [".csv", ".txt", ".tsv", ".parquet"];

fn is_snapshot_file(name: &str) -> bool {
    let name = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    let bare = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    !name.starts_with('.') && ENDINGS.iter().any(|ending| bare.ends_with(ending))
}

/// Finds the files behind the inputs, which are files, folders, or `s3://` addresses of either; sorted by name.
pub async fn discover(inputs: &[String]) -> Result<Vec<SnapshotFile>> {
    let mut files = Vec::new();
    for input in inputs {
        let before = files.len();
        if input.contains("://") {
            discover_remote(input, &mut files).await?;
        } else {
            discover_local(Path::new(input), true, &mut files)?;
        }
        if files.len() == before {
            return Err(Error::Input(format!(
                "{input}: no snapshot file found; expected files that end in .csv, .txt, .tsv (also .gz, .zst) or .parquet"
            )));
        }
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(pair) = files.windows(2).find(|pair| pair[0].name == pair[1].name) {
        return Err(Error::Input(format!("{}: given twice; name each file of the snapshot once", pair[0].name)));
    }
    Ok(files)
}

fn discover_local(path: &Path, named: bool, files: &mut Vec<SnapshotFile>) -> Result<()> {
    let name = path.display().to_string();
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Error::NotFound(format!("{name}: there is no such file or folder")),
        _ => Error::storage(&name, error),
    };
    let meta = fs::metadata(path).map_err(failed)?;
    if meta.is_dir() {
        for entry in fs::read_dir(path).map_err(failed)? {
            discover_local(&entry.map_err(failed)?.path(), false, files)?;
        }
    } else if named || is_snapshot_file(&name) {
        let mut start = Vec::with_capacity(4);
        fs::File::open(path).and_then(|file| file.take(4).read_to_end(&mut start)).map_err(failed)?;
        // A pipe or a device has no size; its bytes are counted as they come.
        let bytes = if meta.is_file() { meta.len() } else { 0 };
        files.push(SnapshotFile { name, bytes, packing: Packing::of(&start), place: Place::Local(path.to_owned()) });
    }
    Ok(())
}

async fn discover_remote(input: &str, files: &mut Vec<SnapshotFile>) -> Result<()> {
    let (bucket, path) = match input.splitn(4, '/').collect::<Vec<_>>()[..] {
        [scheme, "", bucket, path] => (format!("{scheme}//{bucket}"), path.trim_end_matches('/').to_owned()),
        _ => (input.trim_end_matches('/').to_owned(), String::new()),
    };
    let store = Store::open(&bucket)?;
    let found = match store.stat(&path).await {
        Ok(Some(file)) if !path.is_empty() => vec![file],
        _ => store.list(&path).await?.into_iter().filter(|file| is_snapshot_file(&file.path)).collect(),
    };
    for file in found {
        let start = store.read_start(&file.path, 4).await?;
        files.push(SnapshotFile {
            name: format!("{bucket}/{}", file.path),
            bytes: file.bytes,
            packing: Packing::of(&start),
            place: Place::Remote(store.clone(), file.path),
        });
    }
    Ok(())
}

/// Counts the bytes that pass, for the progress bar.
struct Counted<R> {
    inner: R,
    passed: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.passed.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Hands on what a task on the IO runtime fetches, a few pieces ahead.
struct Fetched {
    pieces: mpsc::Receiver<Result<Bytes>>,
    current: Bytes,
}

impl Read for Fetched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.pieces.recv() {
                Ok(piece) => self.current = piece.map_err(io::Error::other)?,
                Err(mpsc::RecvError) => return Ok(0),
            }
        }
        let taken = self.current.split_to(buffer.len().min(self.current.len()));
        buffer[..taken.len()].copy_from_slice(&taken);
        Ok(taken.len())
    }
}

impl SnapshotFile {
    /// Opens the unpacked content. `io` is a runtime whose threads are not the caller's, for remote files.
    pub fn open(&self, io: &Handle, passed: Arc<AtomicU64>) -> Result<Box<dyn Read + Send>> {
        let raw: Box<dyn Read + Send> = match &self.place {
            Place::Local(path) => {
                Box::new(Counted { inner: fs::File::open(path).map_err(|error| Error::storage(&self.name, error))?, passed })
            }
            Place::Remote(store, path) => {
                let (sender, pieces) = mpsc::sync_channel(4);
                let (store, path) = (store.clone(), path.clone());
                io.spawn(async move {
                    let mut stream = match store.stream(&path).await {
                        Ok(stream) => stream,
                        Err(error) => return drop(sender.send(Err(error))),
                    };
                    while let Some(piece) = stream.next().await {
                        let sender = sender.clone();
                        // The bounded channel blocks while the parser is behind, so this must not hold an IO thread.
                        let sent = tokio::task::spawn_blocking(move || sender.send(piece).is_ok()).await;
                        if !matches!(sent, Ok(true)) {
                            break;
                        }
                    }
                });
                Box::new(Counted { inner: Fetched { pieces, current: Bytes::new() }, passed })
            }
        };
        Ok(match self.packing {
            Packing::Plain | Packing::Parquet => raw,
            Packing::Gzip => Box::new(flate2::read::MultiGzDecoder::new(io::BufReader::with_capacity(1 << 18, raw))),
            Packing::Zstd => Box::new(zstd::Decoder::new(raw).map_err(|error| Error::storage(&self.name, error))?),
        })
    }

    /// The store that holds the file, and its path there, for readers that jump within it.
    pub fn stored(&self) -> Result<(Store, String)> {
        match &self.place {
            Place::Remote(store, path) => Ok((store.clone(), path.clone())),
            Place::Local(path) => {
                let path = absolute(path).map_err(|error| Error::storage(&self.name, error))?;
                Ok((Store::open("/")?, path.to_string_lossy().into_owned()))
            }
        }
    }
}
