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
    sync::{Arc, Mutex, PoisonError, Weak},
};

use datafusion::{
    execution::{TaskContext, object_store::ObjectStoreUrl, runtime_env::RuntimeEnvBuilder},
    prelude::{SessionConfig, SessionContext},
};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
};

use super::{Engine, cells::CellFile};
use crate::{
    error::{Error, Result},
    storage::{FileDigest, ReadCache, Store},
};

/// How much of the machine serving may take.
#[derive(Debug, Clone, Copy)]
pub struct ServingSettings {
    /// Threads that compute; as many requests do so at the same time. 0 takes one for each core.
    pub threads: usize,
    /// Bytes that running plans may hold together.
    pub memory: usize,
    /// Cells that the answers under way may have together, from their first cell read to their last byte sent.
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
    pub(super) address: ObjectStoreUrl,
    pub(super) task: Arc<TaskContext>,
    io: Handle,
    turns: Arc<Semaphore>,
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

/// Room for one answer; given back when dropped.
#[derive(Debug)]
pub struct Admission {
    _room: OwnedSemaphorePermit,
}

impl ServingEngine {
    /// An engine over a store of releases. Call it on the runtime that shall do the fetching.
    ///
    /// # Errors
    /// Where there is no runtime, or threads cannot be started.
    pub fn new(store: &Store, settings: ServingSettings) -> Result<Self> {
        Self::with_cache(store, None, settings)
    }

    /// The same, with a cache on local disk for what is read of an object store.
    ///
    /// # Errors
    /// As [`ServingEngine::new`].
    pub fn with_cache(store: &Store, cache: Option<Arc<ReadCache>>, settings: ServingSettings) -> Result<Self> {
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
            address: ObjectStoreUrl::parse(root.as_str())?,
            task: session.task_ctx(),
            io,
            turns: Arc::new(Semaphore::new(engine.threads())),
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
        let known = self.files.lock().unwrap_or_else(PoisonError::into_inner).get(path).and_then(Weak::upgrade);
        if let Some(known) = known
            && known.is_still(&self.store, path, rows, digest).await
        {
            return Ok(known);
        }
        let opened = Arc::new(CellFile::open(&self.store, self.cache.as_ref(), &self.io, path, rows, digest).await?);
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
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

    /// Makes room for an answer of so many cells, or of all there is room for; `None` while others take too much of it.
    pub fn admit(&self, cells: u64) -> Option<Admission> {
        Arc::clone(&self.room).try_acquire_many_owned(units(cells.min(self.most))).ok().map(|room| Admission { _room: room })
    }

    /// Runs a computation on the engine's threads, once it has its turn. Dropping the returned future stops it.
    pub async fn compute<T: Send + 'static>(&self, work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|error| Error::Internal(error.to_string()))?;
        let result = self.engine.run(work).await;
        drop(turn);
        result
    }

    /// Number of threads that compute.
    pub fn threads(&self) -> usize {
        self.engine.threads()
    }

    /// Runs work on the engine's threads that waits for no turn. Dropping the future stops it.
    pub(super) async fn run<T: Send + 'static>(&self, work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
        self.engine.run(work).await
    }

    /// Lets work go on by itself on the engine's threads.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        self.engine.handle()?.spawn(work);
        Ok(())
    }

    /// Runs a producer of pieces on the engine's threads, at most two pieces ahead of whoever receives them. The producer
    /// gives `None` when it is done; it is dropped when nobody receives any more.
    pub fn produce<T: Send + 'static>(&self, mut producer: impl FnMut() -> Option<T> + Send + 'static) -> Result<mpsc::Receiver<T>> {
        let (sender, receiver) = mpsc::channel(2);
        self.engine.handle()?.spawn(async move {
            while let Some(piece) = producer() {
                if sender.send(piece).await.is_err() {
                    break;
                }
            }
        });
        Ok(receiver)
    }
}

fn units(cells: u64) -> u32 {
    u32::try_from(cells.div_ceil(UNIT)).unwrap_or(u32::MAX).max(1)
}
