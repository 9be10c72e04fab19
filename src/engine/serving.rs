//! The engine that serves: one session for the life of the process, and a queue for the threads that compute.
//!
//! Requests arrive on the caller's runtime, which must stay free to accept, read and write. Whatever computes runs on the
//! engine's threads:
//!
//! ```text
//! caller's runtime                      the engine's threads
//! compute(future) ── waits for a turn ──> future runs
//!        <──────────── result ───────────┘
//! dropped ─────────── aborts ───────────> future stops at its next await
//! ```
//!
//! Files in an object store are fetched on the caller's runtime, so that a busy core never delays the network. Local files
//! are read where they are needed: a page in the operating system's cache comes sooner than a change of threads.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicUsize, Ordering},
    },
};

use datafusion::{
    execution::{TaskContext, object_store::ObjectStoreUrl, runtime_env::RuntimeEnvBuilder},
    prelude::{SessionConfig, SessionContext},
};
use tokio::{
    runtime::Handle,
    sync::{AcquireError, Semaphore},
};

use super::{Engine, cells::CellFile};
use crate::{
    error::{Error, Result},
    parallel::lock,
    storage::{FileDigest, ReadCache, Spool, SpoolBounds, Store},
};

/// How much of the machine serving may take.
#[derive(Debug, Clone, Copy)]
pub struct ServingSettings {
    /// Threads that compute; as many requests do so at the same time. 0 takes one for each core.
    pub threads: usize,
    /// Bytes that running plans may hold together.
    pub memory: usize,
    /// Cells that the answers being computed may have together.
    pub cells: u64,
    /// Whether a cell file that was not compared with its digest yet is so when it is read. Otherwise reading it is refused until somebody has
    /// done so ([`ServingEngine::verify`]): no request waits for a whole file.
    pub verifies_when_asked: bool,
}

impl Default for ServingSettings {
    /// Every core; 512 MiB; 16 million cells, which are 144 MB; files are verified when they are read.
    fn default() -> Self {
        Self { threads: 0, memory: 512 << 20, cells: 16_000_000, verifies_when_asked: true }
    }
}

/// Reads releases and computes answers.
#[derive(Debug)]
pub struct ServingEngine {
    engine: Engine,
    store: Store,
    cache: Option<Arc<ReadCache>>,
    /// Where what was computed waits for whoever asked.
    spool: Spool,
    pub(super) address: ObjectStoreUrl,
    pub(super) task: Arc<TaskContext>,
    io: Handle,
    turns: Arc<Semaphore>,
    /// Turns of long answers: fewer than there are threads, so that short ones never wait for long ones alone.
    long_turns: Arc<Semaphore>,
    /// Long answers that wait or are computed.
    long: AtomicUsize,
    /// Room for answers, in units of [`UNIT`] cells.
    room: Arc<Semaphore>,
    /// Cells that there is room for.
    most: u64,
    pub(super) verifies_when_asked: bool,
    /// Files that are open, by path: another state of the releases shares them, and what is known of them.
    files: Mutex<HashMap<String, Weak<CellFile>>>,
}

/// Cells are admitted in units of so many.
const UNIT: u64 = 1024;
/// Answers of more cells are long: they wait for turns of their own, and are not kept for others.
pub const LONG_ANSWER: u64 = 65_536;
/// Long answers that may wait for their turns.
const MOST_LONG: usize = 256;

/// A long answer that waits or is computed.
struct LongGuard<'a>(&'a AtomicUsize);

impl Drop for LongGuard<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl ServingEngine {
    /// An engine over a store of releases. Call it on the runtime that shall do the fetching.
    ///
    /// # Errors
    /// Where there is no runtime, or threads cannot be started.
    pub fn new(store: &Store, settings: ServingSettings) -> Result<Self> {
        let spool = Spool::new(std::env::temp_dir(), SpoolBounds::default());
        Self::with_disk(store, None, spool, settings)
    }

    /// The same, with a cache on local disk for what is read of an object store, and room for what waits to be sent.
    ///
    /// # Errors
    /// As [`ServingEngine::new`].
    pub fn with_disk(store: &Store, cache: Option<Arc<ReadCache>>, spool: Spool, settings: ServingSettings) -> Result<Self> {
        let io = Handle::try_current().map_err(|error| Error::Internal(error.to_string()))?;
        let engine = Engine::new(settings.threads)?;
        let environment = RuntimeEnvBuilder::new().with_memory_limit(settings.memory, 1.0).build_arc()?;
        // Each scan reads the one file it is given; shared work queues would only add locks.
        let config = SessionConfig::new()
            .with_target_partitions(1)
            .with_batch_size(8192)
            .set_bool("datafusion.execution.enable_file_stream_work_stealing", false);
        let session = SessionContext::new_with_config_rt(config, environment);
        let (root, objects) = store.registration();
        session.register_object_store(&root, objects);
        Ok(Self {
            store: store.clone(),
            cache,
            spool,
            address: ObjectStoreUrl::parse(root.as_str())?,
            task: session.task_ctx(),
            io,
            turns: Arc::new(Semaphore::new(engine.threads() + 1)),
            long_turns: Arc::new(Semaphore::new(engine.threads().saturating_sub(1).max(1))),
            long: AtomicUsize::new(0),
            room: Arc::new(Semaphore::new(units(settings.cells) as usize)),
            most: settings.cells,
            verifies_when_asked: settings.verifies_when_asked,
            files: Mutex::default(),
            engine,
        })
    }

    /// Opens a cell file: reads its footer and page index, which stay in memory from then on. A file that is open already is shared.
    ///
    /// # Errors
    /// [`Error::Input`] where the file is missing, no cell file, or has other than `rows` rows.
    pub async fn open(&self, path: &str, rows: u64, digest: &FileDigest) -> Result<Arc<CellFile>> {
        let known = lock(&self.files).get(path).and_then(Weak::upgrade);
        if let Some(known) = known
            && known.is_still(&self.store, path, rows, digest).await
        {
            return Ok(known);
        }
        let opened = Arc::new(CellFile::open(&self.store, self.cache.as_ref(), &self.io, path, rows, digest).await?);
        let mut files = lock(&self.files);
        files.retain(|_, file| file.strong_count() > 0);
        files.insert(path.to_owned(), Arc::downgrade(&opened));
        Ok(opened)
    }

    /// Compares a cell file with its digest, on the engine's threads and beside the answers: from then on it may be read.
    ///
    /// # Errors
    /// [`Error::NotVerified`] where it differs, and where it cannot be read.
    pub async fn verify(&self, file: &Arc<CellFile>) -> Result<()> {
        let file = Arc::clone(file);
        self.engine.run(async move { file.verify().await }).await
    }

    /// Computes an answer that holds so many cells, once it has its turn and they have room. Dropping the returned future stops it.
    ///
    /// # Errors
    /// [`Error::Busy`] where very many long answers wait already, and whatever the work fails with.
    pub async fn compute_cells<T: Send + 'static>(&self, cells: u64, work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
        let closed = |error: AcquireError| Error::Internal(error.to_string());
        let long = if cells > LONG_ANSWER {
            let waiting = self.long.fetch_add(1, Ordering::Relaxed);
            let guard = LongGuard(&self.long);
            if waiting >= MOST_LONG {
                return Err(Error::Busy("many long answers wait to be computed".into()));
            }
            Some((guard, Arc::clone(&self.long_turns).acquire_owned().await.map_err(closed)?))
        } else {
            None
        };
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(closed)?;
        // Whoever has a turn asks for no more room than this, so that nobody waits for himself.
        let room = Arc::clone(&self.room).acquire_many_owned(units(cells.min(self.most))).await.map_err(closed)?;
        let result = self.engine.run(work).await;
        drop((room, turn, long));
        result
    }

    /// Runs a computation on the engine's threads, once it has its turn. Dropping the returned future stops it.
    pub async fn compute<T: Send + 'static>(&self, work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|error| Error::Internal(error.to_string()))?;
        let result = self.engine.run(work).await;
        drop(turn);
        result
    }

    /// Where what was computed waits for whoever asked.
    pub fn spool(&self) -> &Spool {
        &self.spool
    }

    /// Number of threads that compute.
    pub fn threads(&self) -> usize {
        self.engine.threads()
    }

    /// Runs work on the engine's threads that waits for no turn. Dropping the future stops it.
    pub(super) async fn run<T: Send + 'static>(&self, work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
        self.engine.run(work).await
    }
}

fn units(cells: u64) -> u32 {
    u32::try_from(cells.div_ceil(UNIT)).unwrap_or(u32::MAX).max(1)
}
