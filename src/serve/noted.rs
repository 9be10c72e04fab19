//! What was read of cells for a request, for the access log.
//!
//! ```text
//! cells, rows ──> Recorded<Answer> ── map ──> Recorded<Bytes> ── seal ──> Recorded<Response> ── release: the log has it ──> Response
//! ```
//!
//! What is made of cells stays within [`Recorded`] together with the note of what was read, and comes out in one way: once the log has taken the
//! record ([`Recorded::release`]). A handler that returns it sends an empty answer if nobody releases it. So no answer with cells can leave
//! without its record, whatever a handler forgets. This is the only file of the service that asks for cells.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    future::Future,
    sync::{Arc, Mutex},
};

use arrow::array::{AsArray as _, RecordBatch};
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::{Shared, problem::Problem};
use crate::{
    access::{Coming, Log, NAMED_REGIONS, Record},
    charts::{Picture, Plan, Wishes, picture},
    error::Result,
    parallel::lock,
    release::Provenance,
    sql::{Bound, Named},
    tables::{Answer, CellStatus, Library, Query, answer},
};

tokio::task_local! {
    static ACTS: RefCell<Vec<String>>;
}

/// What was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Noted {
    /// Each table, or query, with the codes that were chosen.
    pub means: Vec<String>,
    /// Identifiers of the tables.
    pub tables: BTreeSet<String>,
    /// Codes of the regions, the first of many.
    pub regions: BTreeSet<String>,
    /// How many regions were chosen, in the query that chose most.
    pub region_count: u64,
    /// Folders of the releases.
    pub releases: BTreeSet<String>,
    pub cells: u64,
    pub suppressed: u64,
}

impl Noted {
    /// A query of which the client has the answer already.
    pub fn query(library: &Library, query: &Query) -> Self {
        let regions = library.regions_of(query);
        Self {
            means: vec![library.summary(query)],
            tables: BTreeSet::from([library.tables[query.table].table.id.clone()]),
            regions: regions.iter().take(NAMED_REGIONS).map(|&code| code.to_owned()).collect(),
            region_count: regions.len() as u64,
            releases: query.releases.iter().map(|&release| library.releases[release].folder.clone()).collect(),
            cells: query.cells,
            suppressed: 0,
        }
    }

    /// An answer.
    pub fn answer(library: &Library, answer: &Answer) -> Self {
        Self { suppressed: answer.count(CellStatus::Suppressed), ..Self::query(library, &answer.query) }
    }

    /// The rows of a named query.
    pub fn rows(library: &Library, query: &Named, given: &[String], batches: &[RecordBatch]) -> Self {
        let numbers = || query.columns.iter().filter(|column| column.unit.is_some());
        let marks = |batch: &RecordBatch| {
            let statuses = numbers().filter_map(|column| batch.column_by_name(column.status.as_deref()?)?.as_string_view_opt());
            statuses.map(|texts| texts.iter().filter(|text| *text == CellStatus::Suppressed.mark()).count() as u64).sum::<u64>()
        };
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        let regions: BTreeSet<String> = query.regions_of(library, given).map(str::to_owned).collect();
        Self {
            means: vec![query.address(given)],
            tables: query.tables.iter().cloned().collect(),
            region_count: regions.len() as u64,
            regions,
            releases: library.releases.iter().map(|release| release.folder.clone()).collect(),
            cells: (rows * numbers().count()) as u64,
            suppressed: batches.iter().map(marks).sum(),
        }
    }

    /// A record with what was read in it, of nobody yet.
    pub fn record(self) -> Record {
        Record {
            means: self.means,
            tables: self.tables.into_iter().collect(),
            regions: self.regions.into_iter().take(NAMED_REGIONS).collect(),
            region_count: self.region_count,
            releases: self.releases.into_iter().collect(),
            cells: self.cells,
            suppressed: self.suppressed,
            ..Record::default()
        }
    }

    /// Bytes that this takes up in memory.
    pub fn bytes(&self) -> usize {
        let of = |text: &String| size_of::<String>() + text.capacity();
        let texts = self.means.iter().chain(&self.tables).chain(&self.regions).chain(&self.releases);
        size_of::<Self>() + texts.map(of).sum::<usize>()
    }

    fn add(&mut self, other: &Self) {
        self.means.extend(other.means.iter().cloned());
        self.tables.extend(other.tables.iter().cloned());
        self.regions.extend(other.regions.iter().cloned());
        self.region_count = self.region_count.max(other.region_count);
        self.releases.extend(other.releases.iter().cloned());
        self.cells += other.cells;
        self.suppressed += other.suppressed;
    }
}

/// Something that was made of cells, with the note of what was read for it.
#[derive(Debug, Clone)]
pub struct Recorded<T> {
    value: T,
    noted: Noted,
}

/// Reads the cells of a query. The future computes; it belongs on the threads of the engine.
///
/// # Errors
/// Where they cannot be read.
pub async fn read_cells(shared: Arc<Shared>, query: Query) -> Result<Recorded<Arc<Answer>>> {
    let found = answer(Arc::clone(&shared.library), Arc::clone(&shared.engine), query).await?;
    let noted = Noted::answer(&shared.library, &found);
    Ok(Recorded { value: Arc::new(found), noted })
}

/// Runs a named query.
///
/// # Errors
/// Where it fails, or goes beyond its bounds.
pub async fn read_rows(shared: &Shared, query: &Named, bound: Bound<'_>) -> std::result::Result<Recorded<Vec<RecordBatch>>, Problem> {
    let given = bound.given.clone();
    let (_, batches) = shared.sql.run(bound).await?.collect().await?;
    let noted = Noted::rows(&shared.library, query, &given, &batches);
    Ok(Recorded { value: batches, noted })
}

/// Draws a chart of cells; the inner error says why it cannot be drawn. The future computes, as that of [`read_cells`].
///
/// # Errors
/// Where cells cannot be read, or a bug of ours keeps the chart from being drawn.
pub async fn read_picture(
    shared: Arc<Shared>,
    plan: Plan,
    wishes: Wishes,
    language: usize,
    provenance: Provenance,
) -> Result<std::result::Result<Recorded<Picture>, Problem>> {
    let noted = Noted::query(&shared.library, &plan.query);
    let (library, engine, boundaries) = (Arc::clone(&shared.library), Arc::clone(&shared.engine), Arc::clone(&shared.boundaries));
    Ok(match picture(library, engine, plan, wishes, language, boundaries, provenance).await? {
        Ok(drawn) => Ok(Recorded { noted: Noted { suppressed: drawn.suppressed, ..noted }, value: drawn }),
        Err(refused) => Err(refused.into()),
    })
}

impl<T> Recorded<T> {
    /// What follows from a query that was read for somebody before: a client has it already.
    pub fn known(noted: Noted, value: T) -> Self {
        Self { value, noted }
    }

    /// Something for which no cell was read.
    pub fn without_cells(value: T) -> Self {
        Self { value, noted: Noted::default() }
    }

    /// Something else that is made of it.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Recorded<U> {
        Recorded { value: make(self.value), noted: self.noted }
    }

    /// The same where making may fail.
    pub fn try_map<U, E>(self, make: impl FnOnce(T) -> std::result::Result<U, E>) -> std::result::Result<Recorded<U>, E> {
        Ok(Recorded { value: make(self.value)?, noted: self.noted })
    }

    /// Bytes that the note takes up in memory.
    pub fn note_bytes(&self) -> usize {
        self.noted.bytes()
    }
}

impl<T, E> Recorded<std::result::Result<T, E>> {
    /// What was made, or why it could not be.
    pub fn transpose(self) -> std::result::Result<Recorded<T>, E> {
        self.try_map(|made| made)
    }
}

impl Recorded<bytes::Bytes> {
    /// The length of what was made.
    pub fn length(&self) -> usize {
        self.value.len()
    }
}

impl Recorded<Response> {
    /// The answer, once the log has its record, if there is a log and cells were read; `acts` are things that were done besides.
    ///
    /// # Errors
    /// Where the log cannot keep the record: then there is no answer.
    pub async fn release(
        self,
        log: Option<&Log>,
        acts: Vec<String>,
        record: impl FnOnce(Noted, &Response) -> Record,
        coming: Option<Coming>,
    ) -> Result<Response> {
        let Self { value, mut noted } = self;
        noted.means.extend(acts);
        if let Some(log) = log
            && !noted.means.is_empty()
        {
            log.keep(&record(noted, &value), coming).await?;
        }
        Ok(value)
    }
}

/// An answer on its way to the edge.
#[derive(Clone)]
struct Sealed(Arc<Mutex<Option<Recorded<Response>>>>);

impl IntoResponse for Recorded<Response> {
    fn into_response(self) -> Response {
        let mut sealed = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        sealed.extensions_mut().insert(Sealed(Arc::new(Mutex::new(Some(self)))));
        sealed
    }
}

/// The answer that a handler has sealed; else the one that it gave openly.
pub fn sealed(mut response: Response) -> std::result::Result<Recorded<Response>, Box<Response>> {
    let sealed = response.extensions_mut().remove::<Sealed>();
    let recorded = sealed.and_then(|sealed| lock(&sealed.0).take());
    recorded.ok_or_else(|| Box::new(response))
}

/// What was read for one page: values are taken out here, and what is made of all of them is sealed with all notes.
#[derive(Debug, Default)]
pub struct PageNotes(Mutex<Noted>);

impl PageNotes {
    /// Takes a value out.
    pub fn take<T>(&self, recorded: Recorded<T>) -> T {
        lock(&self.0).add(&recorded.noted);
        recorded.value
    }

    /// Seals what was made of everything that was taken out.
    pub fn seal<T>(&self, value: T) -> Recorded<T> {
        Recorded { value, noted: std::mem::take(&mut *lock(&self.0)) }
    }
}

/// Notes something that was done for the request under way, by which no cell was read.
pub fn note_act(act: String) {
    if ACTS.try_with(|acts| acts.borrow_mut().push(act)).is_err() {
        tracing::error!("something was done outside of a request, and the log does not tell of it");
    }
}

/// Does something for a request, and tells what was done by it.
pub async fn noting<T>(work: impl Future<Output = T>) -> (T, Vec<String>) {
    ACTS.scope(RefCell::default(), async move {
        let done = work.await;
        (done, ACTS.with(RefCell::take))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_nobody_releases_is_empty() {
        let answer = || Recorded::known(Noted { means: vec!["cells".into()], ..Noted::default() }, "42".into_response());
        let sent = answer().into_response();
        assert_eq!(sent.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = axum::body::to_bytes(sent.into_body(), 100).await.unwrap();
        assert!(body.is_empty());
        let released =
            sealed(answer().into_response()).ok().unwrap().release(None, Vec::new(), |noted, _| noted.record(), None).await.unwrap();
        assert_eq!(axum::body::to_bytes(released.into_body(), 100).await.unwrap(), "42");
    }

    #[test]
    fn a_page_is_sealed_with_all_that_was_read_for_it() {
        let notes = PageNotes::default();
        for cells in [3, 4] {
            notes.take(Recorded::known(Noted { cells, means: vec![cells.to_string()], ..Noted::default() }, ()));
        }
        let Recorded { noted, .. } = notes.seal("page");
        assert_eq!((noted.cells, noted.means), (7, vec!["3".to_owned(), "4".to_owned()]));
    }
}
