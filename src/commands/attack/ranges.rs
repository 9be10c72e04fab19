//! The ranges of withheld cells as files.

use std::{
    fs::File,
    io::BufWriter,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, bail};
use arrow::{
    array::{Array, AsArray, RecordBatch, StringArray, UInt32Array, UInt64Array},
    datatypes::{DataType, Field, Schema, SchemaRef, UInt32Type, UInt64Type},
};
use parquet::arrow::ArrowWriter;

use super::{
    lines::{open, properties},
    names::Names,
};
use crate::{
    attack::{CellRef, End, Facts, Findings, Range},
    cli::RangesFormat,
    register::Status,
    spreadsheet::CsvWriter,
};

/// Rows that are written at a time.
const BATCH: usize = 64 * 1024;
/// Name of the file of all ranges, as Parquet.
pub const PARQUET: &str = "ranges.parquet";
/// Name of the file of all ranges, as text.
pub const CSV: &str = "ranges.csv";
/// Name of the file of ranges that are a single count.
pub const DETERMINED: &str = "determined.csv";
const COLUMNS: [&str; 9] = ["revision", "table", "row", "cell", "low", "high", "method", "low_line", "high_line"];

/// The range of a withheld cell.
pub struct RangeRow<'a> {
    /// Number of the revision.
    pub revision: u32,
    /// Identifier of the table.
    pub table: &'a str,
    /// The cell.
    pub cell: CellRef,
    /// Its codes, joined by slashes.
    pub codes: String,
    /// What is known of its count.
    pub range: Range,
    /// The lines that prove its low and its high end.
    pub lines: [Option<u32>; 2],
}

impl RangeRow<'_> {
    /// Whether only one count is left.
    pub fn is_determined(&self) -> bool {
        self.range.high == Some(self.range.low)
    }
}

/// Calls `visit` for every withheld cell of every published table.
pub fn each(
    facts: &Facts<'_>,
    findings: &Findings<'_>,
    names: &Names<'_>,
    visit: &mut dyn FnMut(RangeRow<'_>) -> Result<()>,
) -> Result<()> {
    for (publication, published) in (0..).zip(facts.publications) {
        for (table, shown) in (0..).zip(&published.tables) {
            for (cell, _) in (0..).zip(shown.statuses).filter(|(_, status)| **status == Status::Suppressed) {
                let cell = CellRef { publication, table, cell };
                let Some(range) = findings.range(cell) else { bail!("internal error: {} was not attacked", facts.describe(cell)) };
                visit(RangeRow {
                    revision: names.revision(cell),
                    table: names.table(cell),
                    cell,
                    codes: facts.codes(cell),
                    range,
                    lines: [findings.line_of(cell, End::Low), findings.line_of(cell, End::High)],
                })?;
            }
        }
    }
    Ok(())
}

/// Files of ranges in the making.
pub struct RangesWriter {
    csv: Option<CsvFile>,
    determined: CsvFile,
    parquet: Option<ParquetFile>,
}

impl RangesWriter {
    /// Begins the files in a folder.
    pub fn create(folder: &Path, formats: &[RangesFormat]) -> Result<Self> {
        let has = |format: RangesFormat| formats.contains(&format);
        Ok(Self {
            csv: has(RangesFormat::Csv).then(|| CsvFile::create(folder.join(CSV))).transpose()?,
            determined: CsvFile::create(folder.join(DETERMINED))?,
            parquet: has(RangesFormat::Parquet).then(|| ParquetFile::create(folder.join(PARQUET))).transpose()?,
        })
    }

    /// Adds a range.
    pub fn write(&mut self, row: &RangeRow<'_>) -> Result<()> {
        if let Some(csv) = &mut self.csv {
            csv.write(row)?;
        }
        if row.is_determined() {
            self.determined.write(row)?;
        }
        self.parquet.as_mut().map_or(Ok(()), |parquet| parquet.write(row))
    }

    /// Ends the files.
    pub fn finish(self) -> Result<()> {
        self.csv.map_or(Ok(()), CsvFile::finish)?;
        self.determined.finish()?;
        self.parquet.map_or(Ok(()), ParquetFile::finish)
    }
}

struct CsvFile {
    path: PathBuf,
    writer: CsvWriter<BufWriter<File>>,
}

impl CsvFile {
    fn create(path: PathBuf) -> Result<Self> {
        let file = File::create(&path).with_context(|| format!("writing {}", path.display()))?;
        let mut writer = CsvWriter::new(BufWriter::new(file));
        writer.record(COLUMNS).with_context(|| format!("writing {}", path.display()))?;
        Ok(Self { path, writer })
    }

    fn write(&mut self, row: &RangeRow<'_>) -> Result<()> {
        let or_nothing = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
        let [low_line, high_line] = row.lines.map(|line| or_nothing(line.map(u64::from)));
        let (revision, number, low) = (row.revision.to_string(), row.cell.cell.to_string(), row.range.low.to_string());
        let high = or_nothing(row.range.high);
        let fields = [&revision, row.table, &number, &row.codes, &low, &high, row.range.method.id(), &low_line, &high_line];
        self.writer.record(fields).with_context(|| format!("writing {}", self.path.display()))
    }

    fn finish(self) -> Result<()> {
        self.writer.finish().map(drop).with_context(|| format!("writing {}", self.path.display()))
    }
}

#[derive(Default)]
struct Buffer {
    revision: Vec<u32>,
    table: Vec<String>,
    row: Vec<u32>,
    cell: Vec<String>,
    low: Vec<u64>,
    high: Vec<Option<u64>>,
    method: Vec<&'static str>,
    lines: [Vec<Option<u32>>; 2],
}

struct ParquetFile {
    path: PathBuf,
    schema: SchemaRef,
    writer: ArrowWriter<File>,
    buffer: Buffer,
}

fn schema() -> SchemaRef {
    let types = [
        DataType::UInt32,
        DataType::Utf8,
        DataType::UInt32,
        DataType::Utf8,
        DataType::UInt64,
        DataType::UInt64,
        DataType::Utf8,
        DataType::UInt32,
        DataType::UInt32,
    ];
    let field = |(name, kind): (&str, DataType)| Field::new(name, kind, ["high", "low_line", "high_line"].contains(&name));
    Arc::new(Schema::new(COLUMNS.into_iter().zip(types).map(field).collect::<Vec<_>>()))
}

impl ParquetFile {
    fn create(path: PathBuf) -> Result<Self> {
        let schema = schema();
        let file = File::create(&path).with_context(|| format!("writing {}", path.display()))?;
        let writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties()?))?;
        Ok(Self { path, schema, writer, buffer: Buffer::default() })
    }

    fn write(&mut self, row: &RangeRow<'_>) -> Result<()> {
        let buffer = &mut self.buffer;
        buffer.revision.push(row.revision);
        buffer.table.push(row.table.to_owned());
        buffer.row.push(row.cell.cell);
        buffer.cell.push(row.codes.clone());
        buffer.low.push(row.range.low);
        buffer.high.push(row.range.high);
        buffer.method.push(row.range.method.id());
        buffer.lines.iter_mut().zip(row.lines).for_each(|(lines, line)| lines.push(line));
        if buffer.row.len() >= BATCH { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        let Buffer { revision, table, row, cell, low, high, method, lines: [low_line, high_line] } = std::mem::take(&mut self.buffer);
        let batch = RecordBatch::try_new(
            Arc::clone(&self.schema),
            vec![
                Arc::new(UInt32Array::from(revision)),
                Arc::new(StringArray::from(table)),
                Arc::new(UInt32Array::from(row)),
                Arc::new(StringArray::from(cell)),
                Arc::new(UInt64Array::from(low)),
                Arc::new(UInt64Array::from(high)),
                Arc::new(StringArray::from(method)),
                Arc::new(UInt32Array::from(low_line)),
                Arc::new(UInt32Array::from(high_line)),
            ],
        )?;
        self.writer.write(&batch).with_context(|| format!("writing {}", self.path.display()))
    }

    fn finish(mut self) -> Result<()> {
        self.flush()?;
        self.writer.close().with_context(|| format!("writing {}", self.path.display()))?;
        Ok(())
    }
}

/// A row of a file of ranges, as it stands there.
pub struct FileRow<'a> {
    /// Number of the revision.
    pub revision: u32,
    /// Identifier of the table.
    pub table: &'a str,
    /// Number of the cell in the table.
    pub row: u32,
    /// Codes of the cell.
    pub codes: &'a str,
    /// Smallest count.
    pub low: u64,
    /// Largest count; `None` if there is no limit.
    pub high: Option<u64>,
    /// How the range was found.
    pub method: &'a str,
    /// The lines that prove the low and the high end.
    pub lines: [Option<u32>; 2],
}

/// Takes a row of a file of ranges, and tells what is wrong with it, if anything is.
pub type Judge<'j> = dyn FnMut(&FileRow<'_>) -> Result<Option<String>> + 'j;

/// Reads a file of ranges, Parquet or text by its name, up to the first row with which something is wrong.
pub fn read(path: &Path, judge: &mut Judge<'_>) -> Result<()> {
    if path.extension().is_some_and(|extension| extension == "csv") { read_csv(path, judge) } else { read_parquet(path, judge) }
}

/// Hands a row on; `place` is where it stands in its file.
fn hand_on(path: &Path, place: (&str, u64), row: &FileRow<'_>, judge: &mut Judge<'_>) -> Result<()> {
    let FileRow { revision, table, codes, .. } = row;
    let wrong = || format!("{}: {} {} (r{revision} {table}/{codes})", path.display(), place.0, place.1);
    match judge(row).with_context(wrong)? {
        Some(fault) => bail!("{} {fault}; a file was changed after the attack, so run 'cacah attack' again", wrong()),
        None => Ok(()),
    }
}

fn read_csv(path: &Path, judge: &mut Judge<'_>) -> Result<()> {
    let shown = path.display();
    let damaged = || format!("{shown} is damaged; run 'cacah attack' again");
    let mut reader = csv::Reader::from_path(path).with_context(|| format!("reading {shown}"))?;
    if reader.headers().with_context(damaged)?.iter().ne(COLUMNS) {
        bail!("{shown} has other columns than an attack writes ({}); run 'cacah attack' again", COLUMNS.join(","));
    }
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).with_context(damaged)? {
        let line = record.position().map_or(0, csv::Position::line);
        let field = |at: usize| record.get(at).unwrap_or_default();
        let number = |at: usize| -> Result<u64> {
            let wrong =
                || format!("{shown}: line {line}: column {} holds '{}', no number; run 'cacah attack' again", COLUMNS[at], field(at));
            field(at).parse::<u64>().with_context(wrong)
        };
        let short = |at: usize| -> Result<u32> {
            let wrong = || format!("{shown}: line {line}: {} is too large for column {}; run 'cacah attack' again", field(at), COLUMNS[at]);
            u32::try_from(number(at)?).with_context(wrong)
        };
        let high = if field(5).is_empty() { None } else { Some(number(5)?) };
        let of_end = |at: usize| -> Result<Option<u32>> { if field(at).is_empty() { Ok(None) } else { short(at).map(Some) } };
        let lines = [of_end(7)?, of_end(8)?];
        let (revision, row, low) = (short(0)?, short(2)?, number(4)?);
        let row = FileRow { revision, table: field(1), row, codes: field(3), low, high, method: field(6), lines };
        hand_on(path, ("line", line), &row, judge)?;
    }
    Ok(())
}

fn read_parquet(path: &Path, judge: &mut Judge<'_>) -> Result<()> {
    let mut number = 0;
    for batch in open(path, &schema())?.with_batch_size(BATCH).build()? {
        let batch = batch.with_context(|| format!("{} is damaged; run 'cacah attack' again", path.display()))?;
        let (revision, table) = (batch.column(0).as_primitive::<UInt32Type>(), batch.column(1).as_string::<i32>());
        let (row, codes) = (batch.column(2).as_primitive::<UInt32Type>(), batch.column(3).as_string::<i32>());
        let (low, high) = (batch.column(4).as_primitive::<UInt64Type>(), batch.column(5).as_primitive::<UInt64Type>());
        let method = batch.column(6).as_string::<i32>();
        let lines = [7, 8].map(|at| batch.column(at).as_primitive::<UInt32Type>());
        for at in 0..batch.num_rows() {
            number += 1;
            let row = FileRow {
                revision: revision.value(at),
                table: table.value(at),
                row: row.value(at),
                codes: codes.value(at),
                low: low.value(at),
                high: (!high.is_null(at)).then(|| high.value(at)),
                method: method.value(at),
                lines: lines.map(|line| (!line.is_null(at)).then(|| line.value(at))),
            };
            hand_on(path, ("row", number), &row, judge)?;
        }
    }
    Ok(())
}
