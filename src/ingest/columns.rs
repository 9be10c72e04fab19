//! Parquet snapshots: row groups as units of work, needed columns only.

use std::{ops::Range, sync::Arc};

use arrow::{
    array::RecordBatch,
    datatypes::{DataType, Field, Schema, SchemaRef},
};
use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture, stream::BoxStream};
use parquet::{
    arrow::{
        ParquetRecordBatchStreamBuilder, ProjectionMask,
        arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions},
        async_reader::AsyncFileReader,
    },
    errors::ParquetError,
    file::metadata::{ParquetMetaData, ParquetMetaDataReader},
};

use super::{Shortfall, files::SnapshotFile, told};
use crate::{
    error::{Error, Result},
    storage::Store,
};

/// Rows of one chunk.
const ROWS: usize = 4 * 1024;

/// Byte ranges of one stored file.
#[derive(Debug, Clone)]
struct StoredRanges {
    store: Store,
    path: String,
    size: u64,
}

impl StoredRanges {
    async fn fetch(&self, ranges: Vec<Range<u64>>) -> Result<Vec<Bytes>, ParquetError> {
        self.store.read_ranges(&self.path, &ranges).await.map_err(|error| ParquetError::External(Box::new(error)))
    }
}

impl AsyncFileReader for StoredRanges {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, ParquetError>> {
        async move { self.fetch(vec![range]).await?.pop().ok_or_else(|| ParquetError::EOF("no bytes".into())) }.boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, Result<Vec<Bytes>, ParquetError>> {
        self.fetch(ranges).boxed()
    }

    fn get_metadata<'a>(&'a mut self, _: Option<&'a ArrowReaderOptions>) -> BoxFuture<'a, Result<Arc<ParquetMetaData>, ParquetError>> {
        async move {
            let size = self.size;
            Ok(Arc::new(ParquetMetaDataReader::new().load_and_finish(self, size).await?))
        }
        .boxed()
    }
}

/// A Parquet file whose footer has been read.
#[derive(Debug)]
pub struct ColumnFile {
    file: SnapshotFile,
    reader: StoredRanges,
    metadata: ArrowReaderMetadata,
    /// Position of each needed column among the file's.
    needed: Vec<usize>,
    /// First row of each row group, from 1.
    first_rows: Vec<u64>,
}

/// Some rows of one file.
#[derive(Debug)]
pub struct ColumnChunk {
    /// The needed columns, in the order in which they were asked for.
    pub batch: RecordBatch,
    /// Row of the first one in its file, from 1.
    pub first_row: u64,
}

impl ColumnFile {
    /// Reads the footer and finds the needed columns.
    pub async fn open(file: &SnapshotFile, needed: &[String]) -> Result<Self> {
        let (store, path) = file.stored()?;
        let mut reader = StoredRanges { store, path, size: file.bytes };
        let name = &file.name;
        let damaged = |error: ParquetError| match error {
            ParquetError::External(error) => Error::storage(name, error),
            error => Error::Input(format!("{name}: not a readable Parquet file, perhaps truncated: {error}; transfer it again")),
        };
        let metadata = ArrowReaderMetadata::load_async(&mut reader, ArrowReaderOptions::new()).await.map_err(damaged)?;
        let schema = metadata.schema();
        let position = |wanted: &str| schema.fields().iter().position(|field| field.name().eq_ignore_ascii_case(wanted));
        let missing: Vec<&str> = needed.iter().filter(|wanted| position(wanted).is_none()).map(String::as_str).collect();
        if !missing.is_empty() {
            let found: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
            return Err(Shortfall { file: name.clone(), missing: &missing, found: told(&found) }.into());
        }
        let needed: Vec<usize> = needed.iter().filter_map(|wanted| position(wanted)).collect();
        let wished = wished_schema(schema, &needed, metadata.metadata(), name)?;
        let metadata = ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), ArrowReaderOptions::new().with_schema(wished))
            .map_err(damaged)?;
        let mut first_rows = Vec::new();
        let mut next = 1;
        for group in metadata.metadata().row_groups() {
            first_rows.push(next);
            next += group.num_rows() as u64;
        }
        Ok(Self { file: file.clone(), reader, metadata, needed, first_rows })
    }

    /// Number of row groups.
    pub fn groups(&self) -> usize {
        self.first_rows.len()
    }

    /// Number of rows that the footer promises.
    pub fn rows(&self) -> u64 {
        self.metadata.metadata().row_groups().iter().map(|group| group.num_rows() as u64).sum()
    }

    /// Compressed size of the needed columns of a row group.
    pub fn group_bytes(&self, group: usize) -> u64 {
        let columns = self.metadata.metadata().row_group(group).columns();
        self.needed.iter().filter_map(|&at| columns.get(at)).map(|column| column.compressed_size().max(0) as u64).sum()
    }

    /// Reads one row group.
    pub fn read(&self, group: usize) -> Result<BoxStream<'static, Result<ColumnChunk>>> {
        let name = self.file.name.clone();
        let damaged =
            move |error: ParquetError| Error::Input(format!("{name}: row group {group} cannot be read: {error}; transfer the file again"));
        let mask = ProjectionMask::roots(self.metadata.metadata().file_metadata().schema_descr(), self.needed.iter().copied());
        let stream = ParquetRecordBatchStreamBuilder::new_with_metadata(self.reader.clone(), self.metadata.clone())
            .with_row_groups(vec![group])
            .with_projection(mask)
            .with_batch_size(ROWS)
            .build()
            .map_err(damaged.clone())?;
        // The projection keeps the file's order of columns; the classifier wants the asked one.
        let mut sorted = self.needed.clone();
        sorted.sort_unstable();
        let order: Vec<usize> = self.needed.iter().filter_map(|at| sorted.iter().position(|sorted| sorted == at)).collect();
        let first = self.first_rows[group];
        let chunks = futures::stream::try_unfold((stream, first), move |(mut stream, row)| {
            let (damaged, order) = (damaged.clone(), order.clone());
            async move {
                let Some(batch) = futures::TryStreamExt::try_next(&mut stream).await.map_err(damaged)? else {
                    return Ok(None);
                };
                let rows = batch.num_rows() as u64;
                let batch = batch.project(&order)?;
                Ok(Some((ColumnChunk { batch, first_row: row }, (stream, row + rows))))
            }
        });
        Ok(Box::pin(chunks))
    }
}

/// Texts are read as dictionaries where the file keeps them so, because then each distinct one is classified once.
fn wished_schema(schema: &SchemaRef, needed: &[usize], metadata: &ParquetMetaData, name: &str) -> Result<SchemaRef> {
    let mut fields: Vec<Arc<Field>> = schema.fields().iter().cloned().collect();
    for &at in needed {
        let field = &schema.fields()[at];
        let kept_as_dictionary = metadata.row_groups().iter().all(|group| {
            group.columns().get(at).is_some_and(|column| {
                let plain_bytes = column.num_values().max(0) * 8;
                column.dictionary_page_offset().is_some() && column.uncompressed_size() < plain_bytes
            })
        });
        let wished = match field.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View if kept_as_dictionary => {
                DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
            }
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8View,
            DataType::Dictionary(..) => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
            simple if simple.is_integer() => simple.clone(),
            DataType::Decimal128(_, 0) | DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => field.data_type().clone(),
            other => {
                return Err(Error::Input(format!(
                    "{name}: column {} has the type {other}; expected text, a whole number or a date",
                    field.name()
                )));
            }
        };
        fields[at] = Arc::new(field.as_ref().clone().with_data_type(wished));
    }
    Ok(Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone())))
}
