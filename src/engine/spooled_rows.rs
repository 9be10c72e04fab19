//! The rows of a result, written away as they are computed: no statement waits, with the memory of its plan, for a client that reads slowly.

use std::{
    io::{self, Read, Write},
    os::unix::fs::FileExt,
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, AsArray, RecordBatch},
    datatypes::{DataType, SchemaRef},
    error::ArrowError,
    ipc::{reader::StreamReader, writer::StreamWriter},
};

use crate::{
    error::{Error, Result},
    storage::{SpoolWriter, Spooled, SpooledContent},
};

/// Rows that are being computed.
pub(super) struct RowsWriter {
    schema: SchemaRef,
    writer: StreamWriter<Counted>,
}

/// The rows of a result, a batch at a time.
pub struct Rows {
    /// The columns.
    pub schema: SchemaRef,
    document: Arc<Spooled>,
    reader: Option<StreamReader<Source>>,
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("schema", &self.schema).finish_non_exhaustive()
    }
}

/// Where rows are written to, with what is told by errors that pass through Arrow.
struct Counted {
    spool: SpoolWriter,
    bytes: u64,
    failed: Option<Error>,
}

impl Write for Counted {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        match self.spool.push(piece) {
            Ok(()) => {
                self.bytes += piece.len() as u64;
                Ok(piece.len())
            }
            Err(error) => {
                let told = io::Error::other(error.to_string());
                self.failed = Some(error);
                Err(told)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl RowsWriter {
    pub(super) fn new(schema: SchemaRef, spool: SpoolWriter) -> Result<Self> {
        let writer = StreamWriter::try_new(Counted { spool, bytes: 0, failed: None }, &schema)?;
        Ok(Self { schema, writer })
    }

    /// Adds rows; gives back the bytes of all so far.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<u64> {
        let columns = batch.columns().iter().map(compact).collect();
        let written = RecordBatch::try_new(batch.schema(), columns).and_then(|batch| self.writer.write(&batch));
        self.check(written)?;
        Ok(self.writer.get_ref().bytes)
    }

    pub(super) fn finish(mut self) -> Result<Rows> {
        let finished = self.writer.finish();
        self.check(finished)?;
        let document = Arc::new(self.writer.into_inner()?.spool.finish());
        Ok(Rows { schema: self.schema, document, reader: None })
    }

    /// The error behind one of Arrow's, if it is ours.
    fn check(&mut self, done: std::result::Result<(), ArrowError>) -> Result<()> {
        done.map_err(|error| self.writer.get_mut().failed.take().unwrap_or_else(|| error.into()))
    }
}

/// The same values without what lies beside them in memory that they share with others.
fn compact(column: &ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::Utf8View => Arc::new(column.as_string_view().gc()),
        DataType::BinaryView => Arc::new(column.as_binary_view().gc()),
        _ => Arc::clone(column),
    }
}

impl Rows {
    /// The next rows; `None` after the last.
    ///
    /// # Errors
    /// Where they cannot be read any more, or had to give way because they were read very slowly.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let (document, reader) = (Arc::clone(&self.document), self.reader.take());
        let read = move || -> Result<_> {
            let mut reader = match reader {
                Some(reader) => reader,
                None => StreamReader::try_new(Source { at: 0, document }, None)?,
            };
            let batch = reader.next().transpose()?;
            Ok((reader, batch))
        };
        let read = match self.document.content()? {
            SpooledContent::Memory(_) => read(),
            SpooledContent::Disk(_) => tokio::task::spawn_blocking(read).await.map_err(|stopped| Error::Internal(stopped.to_string()))?,
        };
        let (reader, batch) = read?;
        self.reader = Some(reader);
        Ok(batch)
    }

    /// All rows.
    ///
    /// # Errors
    /// As [`Rows::next`].
    pub async fn collect(mut self) -> Result<(SchemaRef, Vec<RecordBatch>)> {
        let mut batches = Vec::new();
        while let Some(batch) = self.next().await? {
            batches.push(batch);
        }
        Ok((self.schema, batches))
    }
}

/// A document from its beginning to its end.
struct Source {
    at: u64,
    document: Arc<Spooled>,
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let at = self.at;
        let left = (self.document.bytes() - at).min(buffer.len() as u64) as usize;
        let (buffer, _) = buffer.split_at_mut(left);
        match self.document.content().map_err(io::Error::other)? {
            SpooledContent::Memory(document) => buffer.copy_from_slice(&document[at as usize..at as usize + left]),
            SpooledContent::Disk(file) => file.read_exact_at(buffer, at)?,
        }
        self.at += left as u64;
        self.document.advance(left as u64);
        Ok(left)
    }
}
