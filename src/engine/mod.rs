//! How plans run: the only place that makes a DataFusion session.
//!
//! Counting and serving hand batches or files in and get batches out; none of them names a session, because that part
//! of DataFusion changes every few weeks, and because one function has to decide where a plan runs.

mod allowed_functions;
mod bounded_aggregate;
mod bounded_function;
mod bounded_rows;
mod cells;
#[cfg(feature = "cluster")]
pub mod cluster;
mod count;
mod counts;
mod guard;
mod placement;
mod postgres;
mod serving;
mod spooled_rows;
mod sql;
mod standing;

pub use cells::{CellBatch, CellFile, CellStream};
pub use count::{BatchSource, CellCounter};
pub use counts::{CountSlice, Counts};
pub use guard::LONGEST_LITERAL;
pub use placement::{Placement, Scheduler};
pub use serving::{LONG_ANSWER, ServingEngine, ServingSettings};
pub use spooled_rows::Rows;
pub use sql::{SCHEMA, SqlError, SqlParts, SqlSession, SqlSettings};
pub use standing::Standing;

use std::{future::Future, sync::Arc};

use async_trait::async_trait;
use datafusion::{
    execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder},
    prelude::{SessionConfig, SessionContext},
};
use tokio::{
    runtime::{Builder, Handle, Runtime},
    task::JoinSet,
};

use crate::error::{Error, Result};

/// Those who do work elsewhere.
#[async_trait]
pub trait Crew: Send + Sync {
    /// Has each of some parts of a work folder worked off, by anybody, perhaps more than once. Ends when all are done, or one cannot be.
    /// Whether it is done, the folder tells.
    async fn work(&self, place: &str, parts: &[String]) -> Result<()>;
}

/// What a worker does for others.
#[async_trait]
pub trait Errand: Send + Sync {
    /// Works off a part of a work folder, and leaves there what came of it.
    ///
    /// # Errors
    /// What may be better the next time; everything else is a result.
    async fn run(&self, place: &str, part: &str) -> Result<()>;
}

/// Bytes of a thread's stack: plans are as deep as the expressions that people write. What is not used takes no memory.
const STACK: usize = 64 << 20;

/// Threads for CPU work, apart from those that talk to clients and stores, and what sessions share.
pub struct Engine {
    cpu: Option<Runtime>,
    threads: usize,
    environment: Arc<RuntimeEnv>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("threads", &self.threads).finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine with this many threads; 0 takes one for each core.
    pub fn new(threads: usize) -> Result<Self> {
        let threads = match threads {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            threads => threads,
        };
        let cpu = Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("cacah-cpu")
            .thread_stack_size(STACK)
            .enable_all()
            .build()
            .map_err(|error| Error::storage("starting threads", error))?;
        let environment = RuntimeEnvBuilder::new().build_arc()?;
        Ok(Self { cpu: Some(cpu), threads, environment })
    }

    /// Number of threads for CPU work.
    pub fn threads(&self) -> usize {
        self.threads
    }

    fn session(&self) -> SessionContext {
        let config = SessionConfig::new().with_target_partitions(self.threads).with_information_schema(false);
        SessionContext::new_with_config_rt(config, Arc::clone(&self.environment))
    }

    fn handle(&self) -> Result<&Handle> {
        self.cpu.as_ref().map(Runtime::handle).ok_or_else(|| Error::Internal("the engine is shut down".into()))
    }

    /// Runs work on the CPU threads. Dropping the future stops the work.
    pub async fn run<T: Send + 'static>(&self, work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
        let mut tasks = JoinSet::new();
        tasks.spawn_on(work, self.handle()?);
        match tasks.join_next().await {
            Some(Ok(result)) => result,
            Some(Err(error)) => Err(Error::Internal(format!("a worker stopped: {error}"))),
            None => Err(Error::Internal("a worker was lost".into())),
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // A runtime must not be dropped where it would block, which an async caller's thread is.
        if let Some(cpu) = self.cpu.take() {
            cpu.shutdown_background();
        }
    }
}
