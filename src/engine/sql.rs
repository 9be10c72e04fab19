//! SQL that only reads, within bounds.
//!
//! One session holds the tables that SQL may name, for as long as they are served:
//!
//! ```text
//! text ── parse ──> one statement ── plan, checked to read only ──> plan ── run ──> rows, in the spool
//! ```
//!
//! A statement has so much time until its last row is computed, so many rows and bytes, and all statements together so much memory: the
//! engine's pool counts what operators keep, [`super::bounded_rows`] what it does not count, and [`super::allowed_functions`] bounds what
//! expressions make of a batch. No operator spills to disk. Statements wait for turns of their own, so that a long one delays other
//! statements and never a table. Operators that meet every row with every other may work for minutes on one batch; each is made to yield
//! after some batches of output, because time can only be up where work pauses.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use arrow::datatypes::SchemaRef;
use datafusion::{
    catalog::{
        CatalogProvider, CatalogProviderList, MemoryCatalogProvider, MemoryCatalogProviderList, MemorySchemaProvider, TableProvider,
    },
    common::{DataFusionError, ParamValues, TableReference},
    execution::{
        SendableRecordBatchStream,
        context::SQLOptions,
        disk_manager::{DiskManagerBuilder, DiskManagerMode},
        runtime_env::RuntimeEnvBuilder,
        session_state::SessionStateBuilder,
    },
    logical_expr::{AggregateUDF, LogicalPlan, ScalarUDF},
    physical_plan::execute_stream,
    prelude::{SessionConfig, SessionContext},
    sql::{
        parser::Statement as EngineStatement,
        sqlparser::{
            ast::Statement,
            dialect::PostgreSqlDialect,
            parser::{Parser, ParserError},
        },
    },
};
use datafusion_pg_catalog::sql::PostgresCompatibilityParser;
use futures::StreamExt;
use tokio::sync::Semaphore;

use super::{
    ServingEngine,
    allowed_functions::{self, OwnFunctions},
    bounded_rows, guard,
    postgres::{self, StaticCatalogs},
    spooled_rows::{Rows, RowsWriter},
};
use crate::{
    error::{Error, Result},
    storage::SpoolWriter,
};

/// Name of the catalog and of the schema that hold the tables.
pub const SCHEMA: &str = "cacah";

/// Rows that operators hand on at a time.
const BATCH: usize = 2048;
/// The share of the memory for statements that operators may take for what they keep. What grows is counted when it has doubled; the rest is for
/// that, and for the batches between operators.
const POOLED: f64 = 0.5;

/// What statements may take.
#[derive(Debug, Clone, Copy)]
pub struct SqlSettings {
    /// Bytes that all statements under way may hold together.
    pub memory: usize,
    /// From the first turn of a statement to its last row.
    pub time: Duration,
    /// Rows of one result.
    pub rows: usize,
    /// Bytes of one result.
    pub bytes: u64,
}

impl Default for SqlSettings {
    /// 256 MiB, 10 seconds, 100,000 rows, 64 MiB of result.
    fn default() -> Self {
        Self { memory: 256 << 20, time: Duration::from_secs(10), rows: 100_000, bytes: 64 << 20 }
    }
}

/// Why a statement has no result.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// It does more than read.
    #[error("{0} is not allowed: statements may only read")]
    NotReading(String),
    /// It cannot be understood, names what is not there, or fails on its values.
    #[error("{0}")]
    Wrong(String),
    /// Its time is up.
    #[error("the statement took longer than {0:?}")]
    TooLong(Duration),
    /// Others take all turns.
    #[error("other statements are under way")]
    Busy,
    /// It has more rows than allowed.
    #[error("the result has more than {0} rows")]
    TooManyRows(usize),
    /// It has more bytes than allowed.
    #[error("the result has more than {0} bytes")]
    TooManyBytes(u64),
    /// It would hold more memory than there is for statements.
    #[error("the statement needs more memory than there is for statements")]
    TooMuchMemory,
    /// It is none of the statement's fault.
    #[error(transparent)]
    Failed(#[from] Error),
}

/// The tables and functions that statements may name.
#[derive(Debug, Default)]
pub struct SqlParts {
    /// Tables by name.
    pub tables: Vec<(String, Arc<dyn TableProvider>)>,
    /// Functions of a row.
    pub functions: Vec<ScalarUDF>,
    /// Functions of many rows.
    pub aggregates: Vec<AggregateUDF>,
}

/// Runs statements over tables that never change.
pub struct SqlSession {
    context: SessionContext,
    own: Arc<OwnFunctions>,
    catalogs: StaticCatalogs,
    dialect: Arc<PostgresCompatibilityParser>,
    engine: Arc<ServingEngine>,
    turns: Arc<Semaphore>,
    settings: SqlSettings,
}

impl std::fmt::Debug for SqlSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqlSession").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl SqlSession {
    /// A session over these tables, with the catalogs by which clients of PostgreSQL find them.
    pub fn new(engine: &Arc<ServingEngine>, parts: SqlParts, settings: SqlSettings) -> Result<Self> {
        let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
        let environment =
            RuntimeEnvBuilder::new().with_memory_limit(settings.memory, POOLED).with_disk_manager_builder(disk).build_arc()?;
        let config = SessionConfig::new()
            .with_target_partitions(1)
            .with_batch_size(BATCH)
            .with_information_schema(true)
            .with_default_catalog_and_schema(SCHEMA, SCHEMA)
            .set_str("datafusion.sql_parser.dialect", "PostgreSQL");
        let context = SessionContext::new_with_config_rt(config, environment);
        let built_in = functions(&context);
        let catalogs = postgres::install(&context)?;
        parts.functions.into_iter().for_each(|function| context.register_udf(function));
        parts.aggregates.into_iter().for_each(|function| context.register_udaf(function));
        let is_own = |(name, at): &(String, usize)| built_in.get(name) != Some(at);
        let own = OwnFunctions(functions(&context).into_iter().filter(is_own).map(|(name, _)| name).collect());
        let session = Self {
            context,
            own: Arc::new(own),
            catalogs,
            dialect: Arc::new(PostgresCompatibilityParser::new()),
            engine: Arc::clone(engine),
            turns: Arc::new(Semaphore::new(engine.threads().max(2))),
            settings,
        };
        session.with_tables(parts.tables)
    }

    /// A session over other tables, with the same functions. Both together hold no more memory and have no more turns than one.
    pub fn sibling(&self, tables: Vec<(String, Arc<dyn TableProvider>)>) -> Result<Self> {
        let catalog = MemoryCatalogProvider::new();
        catalog.register_schema(SCHEMA, Arc::new(MemorySchemaProvider::new()))?;
        let catalogs = MemoryCatalogProviderList::new();
        catalogs.register_catalog(SCHEMA.to_owned(), Arc::new(catalog));
        let state = SessionStateBuilder::new_from_existing(self.context.state()).with_catalog_list(Arc::new(catalogs)).build();
        let context = SessionContext::new_with_state(state);
        postgres::share(&context, &self.catalogs)?;
        let session = Self {
            context,
            own: Arc::clone(&self.own),
            catalogs: Arc::clone(&self.catalogs),
            dialect: Arc::clone(&self.dialect),
            engine: Arc::clone(&self.engine),
            turns: Arc::clone(&self.turns),
            settings: self.settings,
        };
        session.with_tables(tables)
    }

    fn with_tables(self, tables: Vec<(String, Arc<dyn TableProvider>)>) -> Result<Self> {
        for (name, table) in tables {
            self.context.register_table(TableReference::bare(name), table)?;
        }
        Ok(self)
    }

    /// The bounds that hold where a statement is not given others.
    pub fn settings(&self) -> SqlSettings {
        self.settings
    }

    /// Takes a text apart into statements as SQL is written for PostgreSQL, with what its clients ask of its catalogs put
    /// into words that the engine understands.
    pub async fn parse(&self, text: &str) -> Result<Vec<Statement>, SqlError> {
        guard::check(text)?;
        let (dialect, text) = (Arc::clone(&self.dialect), text.to_owned());
        let parsed = async move {
            let mut statements = dialect.parse(&text)?;
            statements.iter_mut().try_for_each(postgres::rewrite)?;
            Ok(statements)
        };
        self.engine.run(async move { Ok(parsed.await) }).await?.map_err(|error: ParserError| wrong(&error.into()))
    }

    /// Plans the one statement of a text, in which `$name` stands for a value that is given later.
    pub async fn prepare(&self, text: &str) -> Result<LogicalPlan, SqlError> {
        guard::check(text)?;
        let text = text.to_owned();
        let parsed = self.engine.run(async move { Ok(Parser::parse_sql(&PostgreSqlDialect {}, &text)) }).await?;
        let mut parsed = parsed.map_err(|error: ParserError| wrong(&error.into()))?;
        match (parsed.pop().map(Box::new), parsed.len()) {
            (Some(statement), 0) => self.plan(statement).await,
            (_, others) => Err(SqlError::Wrong(format!("expected one statement, found {}", others + usize::from(others > 0)))),
        }
    }

    /// Plans a statement that reads.
    pub async fn plan(&self, statement: Box<Statement>) -> Result<LogicalPlan, SqlError> {
        let reads = match &*statement {
            Statement::Query(_) => true,
            // With ANALYZE it would run, and tell of it what a result does not.
            Statement::Explain { analyze, statement, .. } => !analyze && matches!(**statement, Statement::Query(_)),
            _ => false,
        };
        if !reads {
            // Writing it out goes as deep as it is, for which other threads have no room.
            return Err(SqlError::NotReading(self.engine.run(async move { Ok(first_word(&statement)) }).await?));
        }
        let (context, own) = (self.context.clone(), Arc::clone(&self.own));
        let planned = self.engine.run(Box::pin(async move {
            if let Err(error) = guard::check_shape(&statement) {
                return Ok(Err(DataFusionError::Plan(error)));
            }
            let planned = context.state().statement_to_plan(EngineStatement::Statement(statement)).await;
            Ok(planned.and_then(|plan| {
                let reading = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
                guard::check_size(&plan)?;
                reading.verify_plan(&plan)?;
                allowed_functions::bounded(plan, &own)
            }))
        }));
        let planned = tokio::time::timeout(self.settings.time, planned).await.map_err(|_| SqlError::TooLong(self.settings.time))?;
        planned?.map_err(SqlError::from)
    }

    /// The columns that a plan gives, once its placeholders are filled; tries everything short of running it.
    pub async fn describe(&self, plan: &LogicalPlan, values: ParamValues) -> Result<SchemaRef, SqlError> {
        let plan = plan.clone().with_param_values(values)?;
        let context = self.context.clone();
        let planned =
            self.engine.run(Box::pin(async move { Ok(context.state().create_physical_plan(&plan).await.map(|plan| plan.schema())) }));
        planned.await?.map_err(SqlError::from)
    }

    /// Runs a plan, its placeholders filled. Its rows wait in the engine's spool: what it took of memory and turns is free again when they are
    /// there. Dropping the future stops it.
    ///
    /// # Errors
    /// Where the statement fails, or goes beyond its bounds.
    pub async fn run(&self, plan: LogicalPlan, values: Option<ParamValues>, settings: SqlSettings) -> Result<Rows, SqlError> {
        let until = Instant::now() + settings.time;
        let turn = tokio::time::timeout_at(until.into(), Arc::clone(&self.turns).acquire_owned()).await;
        let turn = turn.map_err(|_| SqlError::Busy)?.map_err(|error| Error::Internal(error.to_string()))?;
        let (context, spool) = (self.context.clone(), self.engine.spool().write());
        let running = self.engine.run(Box::pin(async move {
            let begin = async {
                let state = context.state();
                let plan = match values {
                    Some(values) => plan.with_param_values(values)?,
                    None => plan,
                };
                let physical = bounded_rows::bounded(state.create_physical_plan(&plan).await?)?;
                execute_stream(physical, state.task_ctx())
            };
            Ok(match begin.await {
                Ok(stream) => written(stream, spool, settings).await,
                Err(error) => Err(error.into()),
            })
        }));
        let ran = tokio::time::timeout_at(until.into(), running).await.map_err(|_| SqlError::TooLong(settings.time))?;
        drop(turn);
        ran?
    }
}

/// Writes down what a plan gives.
async fn written(mut stream: SendableRecordBatchStream, spool: SpoolWriter, settings: SqlSettings) -> Result<Rows, SqlError> {
    let mut writer = RowsWriter::new(stream.schema(), spool)?;
    let mut rows = 0;
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        rows += batch.num_rows();
        if rows > settings.rows {
            return Err(SqlError::TooManyRows(settings.rows));
        }
        if writer.write(&batch)? > settings.bytes {
            return Err(SqlError::TooManyBytes(settings.bytes));
        }
        // Time may be up, or whoever asked be gone.
        tokio::task::yield_now().await;
    }
    Ok(writer.finish()?)
}

/// All functions that there are by name, each with where it lies, by which it is told from another of the same name.
fn functions(context: &SessionContext) -> HashMap<String, usize> {
    let state = context.state();
    let scalars = state.scalar_functions().iter().map(|(name, function)| (name.clone(), Arc::as_ptr(function).addr()));
    let aggregates = state.aggregate_functions().iter().map(|(name, function)| (name.clone(), Arc::as_ptr(function).addr()));
    let windows = state.window_functions().iter().map(|(name, function)| (name.clone(), Arc::as_ptr(function).addr()));
    // Where a name is that of several kinds, the one that is called first is enough.
    windows.chain(aggregates).chain(scalars).collect()
}

/// What a statement does, such as `INSERT`.
fn first_word(statement: &Statement) -> String {
    let text = statement.to_string();
    text.split_whitespace().next().unwrap_or("this").to_ascii_uppercase()
}

fn wrong(error: &DataFusionError) -> SqlError {
    SqlError::Wrong(error.strip_backtrace())
}

impl From<DataFusionError> for SqlError {
    fn from(error: DataFusionError) -> Self {
        match error.find_root() {
            DataFusionError::ResourcesExhausted(_) => Self::TooMuchMemory,
            DataFusionError::ObjectStore(_) | DataFusionError::IoError(_) | DataFusionError::ParquetError(_) => {
                Self::Failed(Error::Engine(error))
            }
            DataFusionError::External(inner) if inner.is::<Error>() => Self::Failed(Error::Engine(error)),
            _ => wrong(&error),
        }
    }
}
