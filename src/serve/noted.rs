//! What the handlers of one request have read: cells, and what they are of. The edge keeps it in the log before the answer leaves.

use std::{cell::RefCell, collections::BTreeSet, future::Future};

use arrow::array::{AsArray as _, RecordBatch};

use crate::{
    access::{NAMED_REGIONS, Record},
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

/// Notes what was read for the request under way.
pub fn note(noted: &Noted) {
    // Outside of requests, as when a dashboard is tried at the start, nobody has read anything.
    let _ = NOTED.try_with(|all| all.borrow_mut().add(noted));
}

/// Notes something that was done for the request under way, by which no cell was read.
pub fn note_act(act: String) {
    note(&Noted { means: vec![act], ..Noted::default() });
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
            (done, NOTED.with(RefCell::take))
        })
        .await
}
