//! Cell files: rows by number, straight from the pages that hold them.
//!
//! A released table has one row for each cell, in the order of the cell numbers, so that a cell is found by arithmetic:
//!
//! ```text
//! numbers ─> row ranges ─> Parquet scan of one file, with the rows as its access plan ─> pages that hold them
//! ```
//!
//! No statement is planned and no value compared. What a request costs is the opening of a scan and the pages it touches.
//! The footer and the page index are read once, when the catalogue is opened, and kept. No cell is read before the whole file was compared with
//! its digest ([`Standing`]); the footer that is kept is compared with that of the verified file then.

use std::{fs::File, ops::Range, os::unix::fs::FileExt, sync::Arc};

use arrow::{
    array::{Array, AsArray, RecordBatch},
    datatypes::{DataType, UInt32Type},
};
use bytes::Bytes;
use datafusion::{
    common::Result as DataFusionResult,
    datasource::{
        listing::PartitionedFile,
        physical_plan::{
            FileScanConfigBuilder, ParquetSource,
            parquet::{ParquetFileReaderFactory, ParquetRowSelection},
        },
        source::DataSource,
        table_schema::TableSchema,
    },
    execution::SendableRecordBatchStream,
    physical_plan::metrics::ExecutionPlanMetricsSet,
};
use futures::{FutureExt, StreamExt, future::BoxFuture};
use parquet::{
    arrow::{
        arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, RowSelection},
        async_reader::{AsyncFileReader, MetadataFetch},
    },
    errors::{ParquetError, Result as ParquetResult},
    file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader},
};
use tokio::runtime::Handle;

use super::{
    ServingEngine,
    standing::{Standing, Standings, compare},
};
use crate::{
    error::{Error, Result},
    storage::{CachedFile, FileDigest, ReadCache, Stamp, Store},
};

/// One table of one release, open for reading.
#[derive(Debug)]
pub struct CellFile {
    file: PartitionedFile,
    schema: TableSchema,
    /// Positions of the columns `value` and `status`.
    columns: Vec<usize>,
    pages: Arc<Pages>,
    rows: u64,
    digest: FileDigest,
}

/// What every scan of a file shares: its footer and page index, and where its bytes come from.
#[derive(Debug)]
struct Pages {
    metadata: Arc<ParquetMetaData>,
    bytes: PageSource,
    standing: Arc<Standings>,
}

/// Cells in the order asked for, a batch at a time.
pub struct CellStream {
    batches: SendableRecordBatchStream,
}

/// Some cells.
#[derive(Debug, Default)]
pub struct CellBatch {
    /// The published numbers; 0 where there is a status.
    pub values: Vec<u32>,
    /// The status of each cell as the release writes it, `c` or `z`; 0 where the number is published.
    pub statuses: Vec<u8>,
}

impl CellFile {
    pub(super) async fn open(
        store: &Store,
        cache: Option<&Arc<ReadCache>>,
        io: &Handle,
        path: &str,
        rows: u64,
        digest: &FileDigest,
    ) -> Result<Self> {
        let damaged = |problem: String| Error::Input(format!("{store}/{path} {problem}; restore the release from a copy"));
        let Some(stored) = store.stat(path).await? else {
            return Err(damaged("is missing, though the manifest names it".into()));
        };
        let mut file = PartitionedFile::new(String::new(), stored.bytes);
        file.object_meta.location = store.path(path);
        let local = match store.local(path) {
            Some(path) => Some(Arc::new(File::open(&path).map_err(|error| Error::storage(path.display().to_string(), error))?)),
            None => None,
        };
        let standing = Arc::new(Standings::new(format!("{store}/{path}"), digest.clone()));
        let bytes = match local {
            Some(local) => PageSource::Local(local, Arc::clone(&standing)),
            None => PageSource::Remote { file: Arc::new(CachedFile::new(store, &stored)), cache: cache.cloned(), io: io.clone() },
        };
        let metadata = footer(bytes.clone(), stored.bytes).await.map_err(|error| damaged(format!("is no cell file: {error}")))?;
        let metadata = Arc::new(metadata);
        let schema = Arc::clone(ArrowReaderMetadata::try_new(Arc::clone(&metadata), ArrowReaderOptions::new())?.schema());
        let column = |name: &str, fits: fn(&DataType) -> bool| {
            let found = schema.column_with_name(name).filter(|(_, field)| fits(field.data_type()));
            found.map(|(at, _)| at).ok_or_else(|| damaged(format!("has no column '{name}' of the expected type")))
        };
        let text = |kind: &DataType| matches!(kind, DataType::Dictionary(_, value) if **value == DataType::Utf8) || *kind == DataType::Utf8;
        let columns = vec![column("value", |kind| *kind == DataType::UInt32)?, column("status", text)?];
        let found = metadata.file_metadata().num_rows().unsigned_abs();
        if found != rows {
            return Err(damaged(format!("has {found} rows, its code lists make {rows} cells")));
        }
        let file = file.with_arrow_schema(Arc::clone(&schema));
        let pages = Arc::new(Pages { metadata, bytes, standing });
        Ok(Self { file, schema: schema.into(), columns, pages, rows, digest: digest.clone() })
    }

    /// Whether this is the file that a release names, as it lies in the store by now.
    pub(super) async fn is_still(&self, store: &Store, path: &str, rows: u64, digest: &FileDigest) -> bool {
        let is_there = match &self.pages.bytes {
            PageSource::Local(own, _) => {
                let there = store.local(path).and_then(|path| File::open(path).ok()).and_then(|file| Stamp::of(&file).ok());
                there.is_some() && there == Stamp::of(own).ok()
            }
            PageSource::Remote { file, .. } => {
                matches!(store.stat(path).await, Ok(Some(there)) if file.is(store, &there))
            }
        };
        is_there && self.rows == rows && self.digest == *digest && matches!(self.standing(), Standing::Unverified | Standing::Sound)
    }

    /// Whether it may be read.
    pub fn standing(&self) -> Standing {
        self.pages.standing.get()
    }

    /// Lets nobody read it any more, whoever has it open.
    pub fn withdraw(&self) {
        self.pages.standing.withdraw();
    }

    /// What its release says that it is.
    pub fn digest(&self) -> &FileDigest {
        &self.digest
    }

    /// Compares all of it with its digest, unless that has been done.
    ///
    /// # Errors
    /// [`Error::NotVerified`] where it differs, [`Error::Withdrawn`] where it is withdrawn, and where it cannot be read.
    pub(super) async fn verify(&self) -> Result<()> {
        let standing = &self.pages.standing;
        let _turn = standing.turn.lock().await;
        if standing.get() != Standing::Unverified {
            return standing.check();
        }
        let (is_sound, stamp) = match &self.pages.bytes {
            PageSource::Local(file, _) => {
                let (file, digest) = (Arc::clone(file), self.digest.clone());
                let compared = tokio::task::spawn_blocking(move || compare(&file, &digest));
                let stamp = compared.await.map_err(|error| Error::Internal(error.to_string()))??;
                (stamp.is_some(), stamp)
            }
            PageSource::Remote { file, cache, io } => {
                let (file, cache, digest) = (Arc::clone(file), cache.clone(), self.digest.clone());
                let verified = io.spawn(async move { file.verify(cache.as_deref(), &digest).await });
                (verified.await.map_err(|error| Error::Internal(error.to_string()))??, None)
            }
        };
        // The footer was read before anything was known of the file.
        standing.stamp(stamp);
        let is_sound =
            is_sound && footer(self.pages.bytes.clone(), self.digest.bytes).await.is_ok_and(|found| found == *self.pages.metadata);
        standing.verified(is_sound);
        standing.check()
    }

    /// Number of cells.
    pub fn rows(&self) -> u64 {
        self.rows
    }
}

impl ServingEngine {
    /// Starts to read rows, given as ranges that ascend and do not overlap. Nothing is read before the first batch is asked for.
    ///
    /// # Errors
    /// [`Error::NotVerified`] and [`Error::Withdrawn`] where the file may not be read.
    pub async fn read(&self, cells: &CellFile, ranges: impl Iterator<Item = Range<u64>>) -> Result<CellStream> {
        if self.verifies_when_asked && cells.standing() == Standing::Unverified {
            cells.verify().await?;
        }
        cells.pages.standing.check()?;
        let ranges = ranges.map(|range| range.start as usize..range.end as usize);
        let rows = RowSelection::from_consecutive_ranges(ranges, cells.rows as usize);
        let factory: Arc<dyn ParquetFileReaderFactory> = Arc::clone(&cells.pages) as _;
        // A source per scan: its metrics are shared by all of its clones and would grow with every request.
        let source = ParquetSource::new(cells.schema.clone()).with_parquet_file_reader_factory(factory);
        let scan = FileScanConfigBuilder::new(self.address.clone(), Arc::new(source))
            .with_projection_indices(Some(cells.columns.clone()))?
            .with_file(cells.file.clone().with_extension(ParquetRowSelection::new(rows)))
            .build();
        // Opened as it is: the plan node around it would only work out properties for an optimiser that nobody asks.
        let batches = scan.open(0, Arc::clone(&self.task))?;
        Ok(CellStream { batches })
    }
}

impl CellStream {
    /// The next cells; `None` after the last.
    pub async fn next(&mut self) -> Result<Option<CellBatch>> {
        match self.batches.next().await {
            Some(batch) => Ok(Some(cells(&batch?)?)),
            None => Ok(None),
        }
    }
}

fn cells(batch: &RecordBatch) -> Result<CellBatch> {
    let numbers = batch.column(0).as_primitive::<UInt32Type>();
    let column = batch.column(1);
    let mut statuses = vec![0; batch.num_rows()];
    let mark = |text: &str| text.bytes().next().unwrap_or(0);
    if column.null_count() < column.len() {
        if let Some(dictionary) = column.as_any_dictionary_opt() {
            let marks: Vec<u8> = dictionary.values().as_string::<i32>().iter().map(|text| text.map_or(0, mark)).collect();
            let keys = dictionary.normalized_keys();
            for (at, status) in statuses.iter_mut().enumerate() {
                if dictionary.keys().is_valid(at) {
                    *status = marks[keys[at]];
                }
            }
        } else if let Some(texts) = column.as_string_opt::<i32>() {
            for (status, text) in statuses.iter_mut().zip(texts) {
                *status = text.map_or(0, mark);
            }
        } else {
            return Err(Error::Internal(format!("a status column of type {}", column.data_type())));
        }
    }
    // What stands in the place of a null is anybody's guess, and a suppressed cell has no number anywhere.
    let mut values = numbers.values().to_vec();
    let mut unexplained = false;
    for (at, (value, status)) in values.iter_mut().zip(&statuses).enumerate() {
        if *status != 0 {
            *value = 0;
        } else {
            unexplained |= numbers.is_null(at);
        }
    }
    if unexplained {
        return Err(Error::Internal("a released cell has neither a number nor a status".into()));
    }
    Ok(CellBatch { values, statuses })
}

/// Where the bytes of a file come from.
#[derive(Debug, Clone)]
enum PageSource {
    /// An open local file, and whether it is still the one that was verified.
    Local(Arc<File>, Arc<Standings>),
    /// A file in an object store, fetched on the runtime `io`, by way of a cache where there is one.
    Remote { file: Arc<CachedFile>, cache: Option<Arc<ReadCache>>, io: Handle },
}

/// The footer and page index of a cell file.
async fn footer(mut bytes: PageSource, length: u64) -> ParquetResult<ParquetMetaData> {
    ParquetMetaDataReader::new()
        .with_column_index_policy(PageIndexPolicy::Skip)
        .with_offset_index_policy(PageIndexPolicy::Required)
        .load_and_finish(&mut bytes, length)
        .await
}

/// One scan's way to the pages.
struct PageReader {
    metadata: Arc<ParquetMetaData>,
    bytes: PageSource,
}

impl ParquetFileReaderFactory for Pages {
    fn create_reader(
        &self,
        _partition: usize,
        _file: PartitionedFile,
        _hint: Option<usize>,
        _metrics: &ExecutionPlanMetricsSet,
    ) -> DataFusionResult<Box<dyn AsyncFileReader + Send>> {
        Ok(Box::new(PageReader { metadata: Arc::clone(&self.metadata), bytes: self.bytes.clone() }))
    }
}

impl PageSource {
    fn read(&self, ranges: Vec<Range<u64>>) -> BoxFuture<'static, ParquetResult<Vec<Bytes>>> {
        match self {
            Self::Local(local, standing) => {
                let read = |range: &Range<u64>| {
                    let mut bytes = vec![0; (range.end - range.start) as usize];
                    local.read_exact_at(&mut bytes, range.start)?;
                    Ok(bytes.into())
                };
                let read = standing.reading(local, || ranges.iter().map(read).collect::<std::io::Result<Vec<Bytes>>>());
                let outside = |error: Error| ParquetError::External(Box::new(error));
                std::future::ready(read.map_err(outside).and_then(|read| Ok(read?))).boxed()
            }
            Self::Remote { file, cache, io } => {
                let (file, cache) = (Arc::clone(file), cache.clone());
                let fetched = io.spawn(async move { file.read(cache.as_deref(), &ranges).await });
                async move {
                    let outside = |error: Error| ParquetError::External(Box::new(error));
                    fetched.await.map_err(|error| ParquetError::External(Box::new(error)))?.map_err(outside)
                }
                .boxed()
            }
        }
    }

    fn read_one(&self, range: Range<u64>) -> BoxFuture<'static, ParquetResult<Bytes>> {
        let read = self.read(vec![range]);
        async move { read.await?.pop().ok_or_else(|| ParquetError::General("no bytes for a range".into())) }.boxed()
    }
}

impl MetadataFetch for &mut PageSource {
    fn fetch(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        self.read_one(range)
    }
}

impl AsyncFileReader for PageReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        self.bytes.read_one(range)
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        self.bytes.read(ranges)
    }

    fn get_metadata<'a>(&'a mut self, _options: Option<&'a ArrowReaderOptions>) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        std::future::ready(Ok(Arc::clone(&self.metadata))).boxed()
    }
}
