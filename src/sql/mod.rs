//! Tables as SQL sees them, and the queries that have a name.
//!
//! ```text
//! Library ──> Sql                 once for each state of the releases: tidy tables, dimensions, functions, queries planned
//! name, parameters ──> bind ──> Bound ──> run ──> Rows
//! ```
//!
//! Every cell of every table is a row, totals included: `period`, then for each axis its code, its names, its level and
//! the code above it, then `value` and `status`. Conditions on a period or on one axis choose nodes before anything is read, so
//! that a query for a district costs what its cells cost.
//!
//! **Invariant:** rows come from [`answer`](crate::tables::answer) alone, which knows published cells only. A shipped query
//! adds up by `published_sum`, which gives nothing where a part is withheld.

mod bind;
mod dimension;
mod functions;
mod header;
mod named;
mod parameter;
mod scan;
mod table;

use std::{collections::BTreeSet, sync::Arc};

use datafusion::{catalog::TableProvider, common::tree_node::TreeNodeRecursion, logical_expr::LogicalPlan};

pub use bind::{BindError, Bound};
pub(crate) use header::{Header, ParameterFile, Texts};
pub use named::{Codes, Named, ResultColumn};
pub use parameter::{Parameter, ParameterKind};

use self::{dimension::DimensionColumns, table::TidyTable};
use crate::{
    engine::{ServingEngine, SqlParts, SqlSession, SqlSettings},
    error::Result,
    register::{FileSources, shipped_queries},
    tables::Library,
};

/// Everything that SQL may ask of one state of the releases.
#[derive(Debug)]
pub struct Sql {
    library: Arc<Library>,
    dimensions: Dimensions,
    session: SqlSession,
    queries: Vec<Named>,
}

/// Every dimension of a library as columns.
type Dimensions = Arc<Vec<Arc<DimensionColumns>>>;

impl Sql {
    /// Makes the tables of a library known to SQL and plans the named queries.
    ///
    /// # Errors
    /// Where a query is wrong: says file, line and what was expected.
    pub async fn open(library: &Arc<Library>, engine: &Arc<ServingEngine>, queries: &FileSources, settings: SqlSettings) -> Result<Self> {
        let dimensions = columns_of(library);
        let parts = SqlParts {
            tables: tables(library, engine, &dimensions)?,
            functions: functions::scalars(),
            aggregates: functions::aggregates(),
        };
        let session = SqlSession::new(engine, parts, settings)?;
        Self::plan(library, dimensions, session, queries).await
    }

    /// The same for a part of the library, with the queries that fit it and within the same bounds.
    ///
    /// # Errors
    /// Where the tables cannot be made known.
    pub async fn part(&self, library: &Arc<Library>, engine: &Arc<ServingEngine>, queries: &FileSources) -> Result<Self> {
        // A country has a quarter of a million regions: who sees the names of all of them shares those columns.
        let is_same = Arc::ptr_eq(&library.dimensions, &self.library.dimensions);
        let dimensions = if is_same { Arc::clone(&self.dimensions) } else { columns_of(library) };
        let session = self.session.sibling(tables(library, engine, &dimensions)?)?;
        Self::plan(library, dimensions, session, &queries.fitting()).await
    }

    async fn plan(library: &Arc<Library>, dimensions: Dimensions, session: SqlSession, queries: &FileSources) -> Result<Self> {
        let (sources, given) = queries.files(shipped_queries);
        let queries = named::plan_all(&sources, given, library, &session).await?;
        Ok(Self { library: Arc::clone(library), dimensions, session, queries })
    }

    /// The named queries, by name.
    pub fn queries(&self) -> &[Named] {
        &self.queries
    }

    /// The query of a name, in whatever case it is written.
    pub fn query(&self, name: &str) -> Option<&Named> {
        self.queries.iter().find(|query| query.name.eq_ignore_ascii_case(name))
    }

    /// The session, for statements that clients write.
    pub fn session(&self) -> &SqlSession {
        &self.session
    }

    /// The library that the tables come from.
    pub fn library(&self) -> &Arc<Library> {
        &self.library
    }
}

fn columns_of(library: &Library) -> Dimensions {
    Arc::new(library.dimensions.iter().map(|dimension| Arc::new(DimensionColumns::new(library, dimension))).collect())
}

/// The tables and dimensions that statements may name.
fn tables(
    library: &Arc<Library>,
    engine: &Arc<ServingEngine>,
    dimensions: &[Arc<DimensionColumns>],
) -> Result<Vec<(String, Arc<dyn TableProvider>)>> {
    let mut tables: Vec<(String, Arc<dyn TableProvider>)> = Vec::new();
    for table in 0..library.tables.len() {
        let tidy = TidyTable::new(Arc::clone(library), Arc::clone(engine), table, dimensions)?;
        tables.push((name(&library.tables[table].table.id), Arc::new(tidy)));
    }
    for (columns, dimension) in dimensions.iter().zip(library.dimensions.iter()) {
        tables.push((format!("dim_{}", name(&dimension.id)), columns.table()?));
    }
    Ok(tables)
}

/// Identifiers of the tables whose cells a plan reads.
pub fn tables_read(library: &Library, plan: &LogicalPlan) -> Vec<String> {
    let mut read = BTreeSet::new();
    let found = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            read.extend(library.tables.iter().map(|entry| &entry.table.id).filter(|id| name(id) == scan.table_name.table()).cloned());
        }
        Ok(TreeNodeRecursion::Continue)
    });
    // The closure refuses nothing.
    found.map(|_| read.into_iter().collect()).unwrap_or_default()
}

/// An identifier of the register as a name in SQL, which would have to be quoted with a hyphen in it.
fn name(id: &str) -> String {
    id.replace(|char: char| !char.is_ascii_alphanumeric() && char != '_', "_").to_ascii_lowercase()
}
