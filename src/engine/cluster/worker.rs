//! An executor of Ballista that works off parts.

use std::{
    fmt,
    net::{IpAddr, SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
};

use ballista_core::JobId;
use ballista_executor::{
    execution_engine::{DefaultExecutionEngine, ExecutionEngine, QueryStageExecutor},
    executor_process::{ExecutorProcessConfig, start_executor_process},
};
use datafusion::{
    arrow::{
        array::{RecordBatch, StringArray},
        datatypes::SchemaRef,
    },
    common::{
        Result as PlanResult, exec_err,
        tree_node::{Transformed, TreeNode, TreeNodeRecursion},
    },
    datasource::{physical_plan::FileScanConfig, source::DataSourceExec},
    error::DataFusionError,
    execution::TaskContext,
    physical_expr::{EquivalenceProperties, PhysicalExpr},
    physical_plan::{
        DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, SendableRecordBatchStream,
        execution_plan::{Boundedness, EmissionType},
        metrics::MetricsSet,
        stream::RecordBatchStreamAdapter,
    },
    prelude::SessionConfig,
};
use tokio::{runtime::Handle, task::JoinSet};

use super::{
    super::{Errand, Scheduler},
    FENCE, WORK, schema,
};
use crate::error::{Error, Result};

/// Seconds between two signs of life. Schedulers take a worker for lost after some of them, and cost is none.
const HEARTBEAT: u64 = 1;

/// How a worker stands in its cluster.
#[derive(Debug)]
pub struct WorkerSettings {
    /// Whose worker it is.
    pub scheduler: Scheduler,
    /// Address that it listens on.
    pub listen: IpAddr,
    /// Name or address by which others reach it; that which it listens on where none is given.
    pub advertise: Option<String>,
    /// Port for results, and one more for the scheduler; 0 takes what is free.
    pub ports: (u16, u16),
    /// Parts worked off at a time.
    pub threads: usize,
    /// Folder for what does not fit in memory.
    pub scratch: PathBuf,
}

/// Works until it is told to stop.
pub async fn serve_work(settings: WorkerSettings, errand: Arc<dyn Errand>) -> Result<()> {
    let folder = tempfile::Builder::new()
        .prefix("cacah-worker-")
        .tempdir_in(&settings.scratch)
        .map_err(|error| Error::storage(settings.scratch.display().to_string(), error))?;
    let port = |port| free_port(settings.listen, port);
    let scheduler = settings.scheduler.clone();
    let config = ExecutorProcessConfig {
        bind_host: settings.listen.to_string(),
        external_host: settings.advertise.or_else(|| Some(settings.listen.to_string())),
        port: port(settings.ports.0)?,
        grpc_port: port(settings.ports.1)?,
        scheduler_host: scheduler.host.clone(),
        scheduler_port: scheduler.port,
        vcores: settings.threads,
        executor_heartbeat_interval_seconds: HEARTBEAT,
        work_dir: Some(folder.path().display().to_string()),
        override_execution_engine: Some(Arc::new(PartEngine { errand, io: Handle::current(), inner: DefaultExecutionEngine::new() })),
        ..ExecutorProcessConfig::default()
    };
    start_executor_process(Arc::new(config)).await.map_err(|error| {
        Error::storage(
            format!("working for the scheduler at {scheduler}"),
            format!("{error}; start it first, `cacah scheduler` is one, and see that it can be reached from here"),
        )
    })
}

/// A port to listen on: the one that is wished for, or any that is free.
fn free_port(listen: IpAddr, wished: u16) -> Result<u16> {
    let address = SocketAddr::new(listen, wished);
    let taken = |error| Error::storage(format!("listening on {address}"), error);
    Ok(TcpListener::bind(address).and_then(|listener| listener.local_addr()).map_err(taken)?.port())
}

/// Puts [`Parts`] in the place of scans that bear our mark; everything else is done as Ballista does it.
struct PartEngine {
    errand: Arc<dyn Errand>,
    /// Where errands run: they talk to stores, and have threads of their own for what takes long.
    io: Handle,
    inner: DefaultExecutionEngine,
}

impl ExecutionEngine for PartEngine {
    fn create_query_stage_exec(
        &self,
        job_id: JobId,
        stage_id: usize,
        task_id: usize,
        global_output_partition_ids: Vec<usize>,
        plan: Arc<dyn ExecutionPlan>,
        work_dir: &str,
        config: &SessionConfig,
    ) -> PlanResult<Arc<dyn QueryStageExecutor>> {
        let plan = plan.transform_up(|node| {
            Ok(match Parts::of(&node, &self.errand, &self.io)? {
                Some(parts) => Transformed::yes(Arc::new(parts) as Arc<dyn ExecutionPlan>),
                None => Transformed::no(node),
            })
        })?;
        self.inner.create_query_stage_exec(job_id, stage_id, task_id, global_output_partition_ids, plan.data, work_dir, config)
    }
}

/// Parts to be worked off; each partition gives the names of its own when they are done.
struct Parts {
    errand: Arc<dyn Errand>,
    io: Handle,
    place: String,
    partitions: Vec<Vec<String>>,
    properties: Arc<PlanProperties>,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parts({}: {:?})", self.place, self.partitions)
    }
}

impl DisplayAs for Parts {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl Parts {
    /// The parts that a node scans, if it does.
    fn of(node: &Arc<dyn ExecutionPlan>, errand: &Arc<dyn Errand>, io: &Handle) -> PlanResult<Option<Self>> {
        let Some(scan) = node.downcast_ref::<DataSourceExec>() else { return Ok(None) };
        let Some(place) = scan.schema().metadata().get(WORK).cloned() else { return Ok(None) };
        let Some(files) = scan.data_source().downcast_ref::<FileScanConfig>() else {
            return exec_err!("the parts of {place} are scanned in a way that this worker does not know");
        };
        let names = |group: &datafusion::datasource::physical_plan::FileGroup| {
            group.iter().filter_map(|file| file.object_meta.location.filename().map(str::to_owned)).collect()
        };
        let partitions: Vec<Vec<String>> = files.file_groups.iter().map(names).collect();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema(&place)),
            Partitioning::UnknownPartitioning(partitions.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Some(Self { errand: Arc::clone(errand), io: io.clone(), place, partitions, properties: Arc::new(properties) }))
    }
}

/// What may be better the next time is tried again by the scheduler, which knows it by this kind of error.
fn told(error: &Error) -> DataFusionError {
    let text = format!("{FENCE}{error}{FENCE}");
    match error {
        Error::Storage { .. } => DataFusionError::IoError(std::io::Error::other(text)),
        _ => DataFusionError::Execution(text),
    }
}

impl ExecutionPlan for Parts {
    fn name(&self) -> &'static str {
        "Parts"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> PlanResult<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> PlanResult<TreeNodeRecursion>,
    ) -> PlanResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn metrics(&self) -> Option<MetricsSet> {
        // The scheduler expects some of every node.
        Some(MetricsSet::new())
    }

    fn execute(&self, partition: usize, _: Arc<TaskContext>) -> PlanResult<SendableRecordBatchStream> {
        let Some(parts) = self.partitions.get(partition).cloned() else { return exec_err!("there is no partition {partition}") };
        let (errand, io, place, schema) = (Arc::clone(&self.errand), self.io.clone(), self.place.clone(), self.schema());
        let stream = RecordBatchStreamAdapter::new(self.schema(), futures::stream::once(work(errand, io, place, parts, schema)));
        Ok(Box::pin(stream))
    }
}

async fn work(errand: Arc<dyn Errand>, io: Handle, place: String, parts: Vec<String>, schema: SchemaRef) -> PlanResult<RecordBatch> {
    for part in &parts {
        let (errand, place, name) = (Arc::clone(&errand), place.clone(), part.clone());
        // A set, because a task that is cancelled must take its errand with it.
        let mut tasks = JoinSet::new();
        tasks.spawn_on(async move { errand.run(&place, &name).await }, &io);
        match tasks.join_next().await {
            Some(Ok(done)) => done.map_err(|error| told(&error))?,
            _ => return exec_err!("the worker stopped in the midst of {part}"),
        }
        tracing::info!("{part} done");
    }
    Ok(RecordBatch::try_new(schema, vec![Arc::new(StringArray::from_iter_values(parts))])?)
}
