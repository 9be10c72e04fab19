//! Snapshot files become chunks of raw fields, read by many workers at once.
//!
//! ```text
//! Snapshot::open(inputs, needed columns)     find the files, look at every heading and footer
//!     .pieces()                              what can be read by itself
//!     .feed(pieces, io)                      what the workers share
//!     feed.worker().next()                   a chunk of some thousand records: text fields or Arrow columns
//! ```
//!
//! A worker takes whole files or row groups as long as there are any, then helps with the blocks of files that others
//! have begun: one large file keeps all workers busy, and so do five hundred small or compressed ones. Memory is a
//! block per worker and file in work, whatever the size of the snapshot. Fields that no definition needs are skipped:
//! names and addresses are never looked at.

mod columns;
mod files;
mod scan;
mod shape;
mod text;

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use futures::{StreamExt, stream::BoxStream};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

pub use columns::ColumnChunk;
pub use files::{Packing, SnapshotFile};
pub use shape::shape;
pub use text::TextChunk;

use crate::{
    error::{Error, Result},
    parallel::lock,
};
use columns::ColumnFile;
use text::TextReader;

/// Columns that a file lacks.
struct Shortfall<'a> {
    file: String,
    missing: &'a [&'a str],
    /// As it may be told.
    found: String,
}

impl From<Shortfall<'_>> for Error {
    fn from(Shortfall { file, missing, found }: Shortfall<'_>) -> Self {
        let (noun, them) = if missing.len() == 1 { ("column", "it") } else { ("columns", "them") };
        Self::Input(format!(
            "{file}: {noun} {} missing; the file has: {found}; add {them}, or name the right columns in the definitions",
            missing.join(", ")
        ))
    }
}

/// Names of columns for a message, the first of many.
fn told(columns: &[String]) -> String {
    columns.join(", ").chars().take(300).collect()
}

/// Records of one file, not yet classified.
#[derive(Debug)]
pub struct Chunk {
    /// Number of the file: its position in [`Snapshot::files`] of the whole.
    pub file: u32,
    /// The records.
    pub records: Records,
}

/// Records as they stand in a file.
#[derive(Debug)]
pub enum Records {
    /// Fields of text.
    Text(TextChunk),
    /// Arrow columns.
    Columns(ColumnChunk),
}

/// The files of a snapshot, looked at but not read.
#[derive(Debug)]
pub struct Snapshot {
    files: Vec<SnapshotFile>,
    /// Number of each file, by which positions refer to it.
    numbers: Vec<u32>,
    parquet: Vec<Option<Arc<ColumnFile>>>,
    needed: Vec<String>,
}

/// What can be read by itself: a text file, or a row group of a Parquet file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotPiece {
    /// Number of the file.
    pub file: u32,
    /// The row group.
    pub group: Option<usize>,
    /// Stored bytes that will be read of it.
    pub bytes: u64,
}

/// How far the reading has come. Shared with whoever draws the progress bar.
#[derive(Debug, Default, Clone)]
pub struct Progress {
    /// Stored bytes read so far.
    pub bytes: Arc<AtomicU64>,
    /// Stored bytes to read in all; 0 until they are known.
    pub total: Arc<AtomicU64>,
    /// Records read so far.
    pub records: Arc<AtomicU64>,
}

impl Snapshot {
    /// Finds the files behind the inputs and checks that each has the needed columns.
    pub async fn open(inputs: &[String], needed: Vec<String>, io: &Handle) -> Result<Self> {
        let files = files::discover(inputs).await?;
        let mut parquet = Vec::with_capacity(files.len());
        for file in &files {
            if file.packing == Packing::Parquet {
                parquet.push(Some(Arc::new(ColumnFile::open(file, &needed).await?)));
            } else {
                // Opened again when its turn comes; here only so that a wrong file stops the run at once.
                let source = file.clone();
                let (io, columns) = (io.clone(), needed.clone());
                let looked = tokio::task::spawn_blocking(move || {
                    TextReader::open(&source.name, source.open(&io, Arc::default())?, &columns).map(drop)
                });
                looked.await.map_err(|error| Error::Internal(error.to_string()))??;
                parquet.push(None);
            }
        }
        Ok(Self { numbers: (0..files.len() as u32).collect(), files, parquet, needed })
    }

    /// The same files, which are some of another snapshot's `all`: they get the numbers that they have there.
    ///
    /// # Errors
    /// [`Error::Input`] where one is not among them.
    pub fn within(mut self, all: &[String]) -> Result<Self> {
        for (file, number) in self.files.iter().zip(&mut self.numbers) {
            let at = all.iter().position(|name| *name == file.name);
            *number = at.ok_or_else(|| Error::Input(format!("{}: not one of the files that the snapshot began with", file.name)))? as u32;
        }
        Ok(self)
    }

    /// The files, in the order in which records are counted as first or repeated.
    pub fn files(&self) -> &[SnapshotFile] {
        &self.files
    }

    /// What can be read by itself, in the order of the snapshot.
    pub fn pieces(&self) -> Vec<SnapshotPiece> {
        let mut pieces = Vec::new();
        for ((&file, stored), parquet) in self.numbers.iter().zip(&self.files).zip(&self.parquet) {
            match parquet {
                Some(parquet) => pieces.extend((0..parquet.groups()).map(|group| SnapshotPiece {
                    file,
                    group: Some(group),
                    bytes: parquet.group_bytes(group),
                })),
                None => pieces.push(SnapshotPiece { file, group: None, bytes: stored.bytes }),
            }
        }
        pieces
    }

    /// Records that the footers of Parquet files promise; `None` if any file is text.
    pub fn promised_records(&self) -> Option<u64> {
        self.parquet.iter().map(|file| file.as_ref().map(|file| file.rows())).sum()
    }

    /// Starts reading some of its [`Snapshot::pieces`]. `io` is the runtime that fetches remote files; workers must not run on its
    /// threads.
    ///
    /// # Errors
    /// [`Error::Input`] where a piece is not there: the snapshot was replaced since.
    pub fn feed(&self, pieces: &[SnapshotPiece], io: Handle, progress: Progress) -> Result<Feed> {
        progress.total.store(pieces.iter().map(|piece| piece.bytes).sum(), Ordering::Relaxed);
        let mut waiting = VecDeque::new();
        for piece in pieces {
            let at = self.numbers.iter().position(|&number| number == piece.file).unwrap_or(usize::MAX);
            waiting.push_back(match (self.parquet.get(at), piece.group) {
                (Some(Some(parquet)), Some(group)) if group < parquet.groups() => Unit::Group(piece.file, Arc::clone(parquet), group),
                (Some(None), None) => Unit::Text(piece.file, self.files[at].clone()),
                _ => return Err(Error::Input("the snapshot is not the one that was looked at first; count it again".into())),
            });
        }
        let shared = Shared { work: Mutex::new(Work { waiting, begun: Vec::new() }), needed: self.needed.clone(), io, progress };
        Ok(Feed { shared: Arc::new(shared) })
    }
}

enum Unit {
    Text(u32, SnapshotFile),
    Group(u32, Arc<ColumnFile>, usize),
}

/// A text in work; `None` once it is read to its end.
type Begun = Arc<Mutex<Option<TextReader>>>;

struct Work {
    waiting: VecDeque<Unit>,
    begun: Vec<(u32, Begun)>,
}

struct Shared {
    work: Mutex<Work>,
    needed: Vec<String>,
    io: Handle,
    progress: Progress,
}

/// A snapshot being read.
#[derive(Clone)]
pub struct Feed {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Feed")
    }
}

/// One of the workers that read a snapshot.
pub struct Worker {
    feed: Feed,
    current: Current,
    /// A chunk that is worked off, whose buffers can be used again.
    spent: TextChunk,
}

enum Current {
    Nothing,
    Text(u32, Begun),
    Group(u32, BoxStream<'static, Result<ColumnChunk>>),
}

impl Feed {
    /// One more worker.
    pub fn worker(&self) -> Worker {
        Worker { feed: self.clone(), current: Current::Nothing, spent: TextChunk::default() }
    }
}

impl Worker {
    /// The next records that no other worker has taken; `None` when all are.
    pub async fn next(&mut self) -> Result<Option<Chunk>> {
        loop {
            match &mut self.current {
                Current::Text(file, begun) => {
                    let file = *file;
                    let block = {
                        let mut reader = lock(begun);
                        let block = match reader.as_mut() {
                            Some(reader) => reader.next(&mut self.spent)?,
                            None => None,
                        };
                        if block.is_none() {
                            *reader = None;
                        }
                        block
                    };
                    if let Some(block) = block {
                        let mut chunk = std::mem::take(&mut self.spent);
                        block.cut(&mut chunk)?;
                        let records = chunk.records() + chunk.misshapen.len();
                        self.feed.shared.progress.records.fetch_add(records as u64, Ordering::Relaxed);
                        return Ok(Some(Chunk { file, records: Records::Text(chunk) }));
                    }
                    self.current = Current::Nothing;
                }
                Current::Group(file, stream) => {
                    let file = *file;
                    if let Some(chunk) = stream.next().await.transpose()? {
                        self.feed.shared.progress.records.fetch_add(chunk.batch.num_rows() as u64, Ordering::Relaxed);
                        return Ok(Some(Chunk { file, records: Records::Columns(chunk) }));
                    }
                    self.current = Current::Nothing;
                }
                Current::Nothing => match self.take_unit()? {
                    Some(current) => self.current = current,
                    None => return Ok(None),
                },
            }
        }
    }

    /// Takes a chunk back that is worked off. Its megabyte is warm in the cache and mapped; a fresh one would be neither.
    pub fn recycle(&mut self, chunk: Chunk) {
        if let Records::Text(text) = chunk.records {
            self.spent = text;
        }
    }

    fn take_unit(&self) -> Result<Option<Current>> {
        let shared = &self.feed.shared;
        let mut work = lock(&shared.work);
        match work.waiting.pop_front() {
            Some(Unit::Group(file, parquet, group)) => {
                shared.progress.bytes.fetch_add(parquet.group_bytes(group), Ordering::Relaxed);
                Ok(Some(Current::Group(file, parquet.read(group)?)))
            }
            Some(Unit::Text(at, file)) => {
                let source = file.open(&shared.io, Arc::clone(&shared.progress.bytes))?;
                let reader = TextReader::open(&file.name, source, &shared.needed)?;
                let begun = Arc::new(Mutex::new(Some(reader)));
                work.begun.push((at, Arc::clone(&begun)));
                Ok(Some(Current::Text(at, begun)))
            }
            None => {
                work.begun.retain(|(_, begun)| lock(begun).is_some());
                Ok(work.begun.last().map(|(at, begun)| Current::Text(*at, Arc::clone(begun))))
            }
        }
    }
}
