//! What the handlers of one request have read: cells, and what they are of. The edge keeps it in the log before the answer leaves.

use std::{cell::RefCell, collections::BTreeSet, future::Future};

use arrow::array::{AsArray as _, RecordBatch};

use crate::{
    sql::Named,
    tables::{Answer, CellStatus, Library, Query},
};

tokio::task_local! {
    static NOTED: RefCell<Noted>;
}

/// What was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Noted {
    /// Each table, or query, with the codes that were chosen.
    pub means: Vec<String>,
    /// Folders of the releases.
    pub releases: BTreeSet<String>,
    pub cells: u64,
    pub suppressed: u64,
}

impl Noted {
    /// A query of which the client has the answer already.
    pub fn query(library: &Library, query: &Query) -> Self {
        Self {
            means: vec![library.summary(query)],
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
            statuses.map(|texts| texts.iter().filter(|text| *text == Some("c")).count() as u64).sum::<u64>()
        };
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        Self {
            means: vec![query.address(given)],
            releases: library.releases.iter().map(|release| release.folder.clone()).collect(),
            cells: (rows * numbers().count()) as u64,
            suppressed: batches.iter().map(marks).sum(),
        }
    }

    fn add(&mut self, other: &Self) {
        self.means.extend(other.means.iter().cloned());
        self.releases.extend(other.releases.iter().cloned());
        self.cells += other.cells;
        self.suppressed += other.suppressed;
    }
}

/// Notes what was read for the request under way.
pub fn note(noted: &Noted) {
    // Outside of requests, as when a dashboard is tried at the start, nobody has read anything.
    let _ = NOTED.try_with(|all| all.borrow_mut().add(noted));
}

/// What has been read for the request under way.
pub fn so_far() -> Noted {
    NOTED.try_with(|all| all.borrow().clone()).unwrap_or_default()
}

/// Does something for a request, and tells what was read for it.
pub async fn noting<T>(work: impl Future<Output = T>) -> (T, Noted) {
    NOTED
        .scope(RefCell::default(), async move {
            let done = work.await;
            (done, so_far())
        })
        .await
}
