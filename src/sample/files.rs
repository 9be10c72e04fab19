//! Snapshot files: CSV, plain or packed, and Parquet. A file has its name only once it is complete.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use flate2::{Compression as GzipLevel, write::GzEncoder};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::properties::{EnabledStatistics, WriterProperties},
    schema::types::ColumnPath,
};

use super::{
    calendar::Calendar,
    records::Sink,
    rows::{ArrowColumns, COLUMNS, Column, Rows},
    texts::{MISSING, TextColumn, Texts},
};
use crate::{
    error::{Error, Result},
    spreadsheet::push_field,
};

/// How a snapshot file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `.csv`
    Csv,
    /// `.csv.gz`
    CsvGzip,
    /// `.csv.zst`
    CsvZstd,
    /// `.parquet`
    Parquet,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Csv, Self::CsvGzip, Self::CsvZstd, Self::Parquet];

    /// The end of the file's name.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Csv => ".csv",
            Self::CsvGzip => ".csv.gz",
            Self::CsvZstd => ".csv.zst",
            Self::Parquet => ".parquet",
        }
    }

    /// The format that a file's name ends with.
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.to_str()?.to_ascii_lowercase();
        Self::ALL.into_iter().find(|format| name.ends_with(format.ending()))
    }
}

/// Rows of a Parquet row group: small enough to share a file out among cores.
const GROUP_ROWS: usize = 256 * 1024;

/// What all files of a snapshot share.
#[derive(Debug)]
pub struct Shared {
    columns: ArrowColumns,
    /// For each text column the texts as CSV fields.
    fields: [Fields; TextColumn::ALL.len()],
}

impl Shared {
    /// Prepares the texts for both kinds of files.
    pub fn new(texts: &Texts) -> Self {
        Self { columns: ArrowColumns::new(texts), fields: TextColumn::ALL.map(|column| Fields::new(texts.column(column))) }
    }
}

/// A file being written.
pub struct SnapshotWriter<'a> {
    shared: &'a Shared,
    draft: PathBuf,
    path: PathBuf,
    body: Option<Body>,
    line: Vec<u8>,
}

enum Body {
    Plain(File),
    Gzip(GzEncoder<BufWriter<File>>),
    Zstd(zstd::Encoder<'static, File>),
    Parquet(Encoder),
}

/// A thread that encodes Parquet, which takes longer than making people up.
struct Encoder {
    batches: SyncSender<RecordBatch>,
    thread: JoinHandle<Result<File>>,
}

impl Encoder {
    fn start(file: File, path: PathBuf, schema: SchemaRef) -> Self {
        let (batches, inbox) = sync_channel::<RecordBatch>(2);
        let encode = move || {
            let mut writer = ArrowWriter::try_new(file, schema, Some(properties()))?;
            for batch in inbox {
                writer.write(&batch)?;
            }
            writer.into_inner()
        };
        let thread = thread::spawn(move || encode().map_err(|error: ParquetError| cannot_write(&path, error)));
        Self { batches, thread }
    }

    /// Waits until everything is encoded.
    fn finish(self) -> Result<File> {
        drop(self.batches);
        self.thread.join().unwrap_or_else(|_| Err(Error::Internal("the thread that encodes the sample panicked".to_owned())))
    }
}

impl<'a> SnapshotWriter<'a> {
    /// Begins a file beside the place where it will stand.
    pub fn create(path: &Path, format: Format, shared: &'a Shared) -> Result<Self> {
        let mut draft = path.as_os_str().to_owned();
        draft.push(".part");
        let draft = PathBuf::from(draft);
        let failed = |error: std::io::Error| cannot_write(path, error);
        let file = File::create(&draft).map_err(failed)?;
        let body = match format {
            Format::Csv => Body::Plain(file),
            Format::CsvGzip => Body::Gzip(GzEncoder::new(BufWriter::new(file), GzipLevel::fast())),
            Format::CsvZstd => Body::Zstd(zstd::Encoder::new(file, 1).map_err(failed)?),
            Format::Parquet => Body::Parquet(Encoder::start(file, path.to_owned(), Arc::clone(&shared.columns.schema))),
        };
        let mut writer = Self { shared, draft, path: path.to_owned(), body: Some(body), line: Vec::new() };
        let heading = COLUMNS.map(|(name, _)| name).join(",") + "\n";
        writer.put(heading.as_bytes())?;
        Ok(writer)
    }

    /// Completes the file and gives it its name.
    pub fn finish(mut self) -> Result<()> {
        let file = self.close();
        file.and_then(|file| file.sync_all().and_then(|()| fs::rename(&self.draft, &self.path)).map_err(|error| self.failed(error)))
            .inspect_err(|_| self.remove_draft())
    }

    /// Writes what is still held back.
    fn close(&mut self) -> Result<File> {
        match self.body.take() {
            Some(Body::Plain(file)) => Ok(file),
            Some(Body::Gzip(encoder)) => encoder
                .finish()
                .and_then(|buffer| buffer.into_inner().map_err(std::io::IntoInnerError::into_error))
                .map_err(|error| self.failed(error)),
            Some(Body::Zstd(encoder)) => encoder.finish().map_err(|error| self.failed(error)),
            Some(Body::Parquet(encoder)) => encoder.finish(),
            None => Err(Error::Internal(format!("{} has been closed before", self.path.display()))),
        }
    }

    fn failed(&self, error: std::io::Error) -> Error {
        cannot_write(&self.path, error)
    }

    /// Whoever gives up leaves nothing behind that looks like a snapshot; nothing can be done if even that fails.
    fn remove_draft(&self) {
        let _ = fs::remove_file(&self.draft);
    }

    /// Writes bytes to a text file; Parquet has none.
    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.body {
            Some(Body::Plain(file)) => file.write_all(bytes),
            Some(Body::Gzip(encoder)) => encoder.write_all(bytes),
            Some(Body::Zstd(encoder)) => encoder.write_all(bytes),
            Some(Body::Parquet(_)) | None => Ok(()),
        }
        .map_err(|error| self.failed(error))
    }
}

impl Sink for SnapshotWriter<'_> {
    fn write(&mut self, rows: &mut Rows, calendar: &Calendar) -> Result<()> {
        if let Some(Body::Parquet(encoder)) = &self.body {
            let batch = rows.take_batch(&self.shared.columns)?;
            if encoder.batches.send(batch).is_err() {
                // It has stopped before its time: its error says why.
                let ended = self.close();
                self.remove_draft();
                return ended.map(drop);
            }
            return Ok(());
        }
        let mut lines = std::mem::take(&mut self.line);
        lines.clear();
        self.shared.lines(rows, calendar, &mut lines);
        rows.clear();
        self.put(&lines)?;
        self.line = lines;
        Ok(())
    }
}

impl Drop for SnapshotWriter<'_> {
    fn drop(&mut self) {
        if self.body.is_some() {
            // The encoder must have let go of the file before it can be removed everywhere.
            drop(self.close());
            self.remove_draft();
        }
    }
}

impl Shared {
    fn lines(&self, rows: &Rows, calendar: &Calendar, out: &mut Vec<u8>) {
        let mut digits = itoa::Buffer::new();
        for row in 0..rows.len() {
            for (_, column) in COLUMNS {
                match column {
                    Column::Identity | Column::Card => {
                        let number = if column == Column::Identity { rows.identity[row] } else { rows.card[row] };
                        if number != i64::from(MISSING) {
                            out.extend_from_slice(digits.format(number).as_bytes());
                        }
                    }
                    Column::Birth => {
                        if let Some(text) = calendar.text(rows.birth[row]) {
                            out.extend_from_slice(&text);
                        }
                    }
                    Column::Text(column) => out.extend_from_slice(self.fields[column as usize].field(rows.texts[column as usize][row])),
                    Column::Number(column) => {
                        let number = rows.numbers[column as usize][row];
                        if number != MISSING {
                            out.extend_from_slice(digits.format(number).as_bytes());
                        }
                    }
                }
                out.push(b',');
            }
            if let Some(last) = out.last_mut() {
                *last = b'\n';
            }
        }
    }
}

fn cannot_write(path: &Path, error: impl std::fmt::Display) -> Error {
    Error::storage(format!("cannot write {}", path.display()), error)
}

/// Texts as CSV fields, quoted where they must be.
#[derive(Debug)]
struct Fields {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Fields {
    fn new(texts: &[String]) -> Self {
        let mut fields = Self { bytes: Vec::new(), ends: Vec::with_capacity(texts.len()) };
        for text in texts {
            push_field(&mut fields.bytes, text);
            fields.ends.push(fields.bytes.len());
        }
        fields
    }

    fn field(&self, key: i32) -> &[u8] {
        match usize::try_from(key) {
            Ok(key) => &self.bytes[key.checked_sub(1).map_or(0, |before| self.ends[before])..self.ends[key]],
            Err(_) => b"",
        }
    }
}

fn properties() -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_created_by(concat!("cacah ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_statistics_enabled(EnabledStatistics::Chunk);
    for (name, column) in COLUMNS {
        let path = ColumnPath::from(name);
        properties = match column {
            // Nearly every value is another one: a dictionary would only be made to be thrown away.
            Column::Identity | Column::Card | Column::Birth => properties.set_column_dictionary_enabled(path, false),
            // Long runs of one number: compression takes them at a fraction of what a dictionary costs.
            Column::Number(_) => properties.set_column_dictionary_enabled(path, false),
            Column::Text(_) => properties.set_column_statistics_enabled(path, EnabledStatistics::None),
        };
    }
    properties.build()
}
