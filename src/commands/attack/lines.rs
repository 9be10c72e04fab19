//! The lines of proofs as a file: one row for each row of the system that a line names.
//!
//! ```text
//! line  step   revision  table       row  end   value  kind           of_revision  of_table    of_row  by                     times
//! 0     bound  1         households  17   high  6      sum            1            households  12      region                 1
//! 1     bound  1         households  17   high  2      members-least  1            population  900     household-size:region  1
//! ```

use std::{fs::File, path::Path, sync::Arc};

use anyhow::{Context, Result, anyhow, bail};
use arrow::{
    array::{Array, AsArray, Int64Array, RecordBatch, StringArray, UInt32Array},
    datatypes::{DataType, Field, Int64Type, Schema, UInt32Type},
};
use parquet::{
    arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder},
    basic::{Compression, ZstdLevel},
    file::properties::WriterProperties,
};

use super::names::Names;
use crate::attack::{CellRef, End, Line, LineStep, RowKind, RowName};

/// Name of the file.
pub const FILE: &str = "derivation.parquet";
/// Rows that are written at a time.
const BATCH: usize = 64 * 1024;
const STEPS: [LineStep; 3] = [LineStep::Bound, LineStep::Suppose, LineStep::Conclude];

fn schema() -> Arc<Schema> {
    let text = |name: &str, is_nullable: bool| Field::new(name, DataType::Utf8, is_nullable);
    let number = |name: &str, is_nullable: bool| Field::new(name, DataType::UInt32, is_nullable);
    Arc::new(Schema::new(vec![
        number("line", false),
        text("step", false),
        number("revision", false),
        text("table", false),
        number("row", false),
        text("end", false),
        Field::new("value", DataType::Int64, false),
        text("kind", true),
        number("of_revision", true),
        text("of_table", true),
        number("of_row", true),
        text("by", true),
        Field::new("times", DataType::Int64, true),
    ]))
}

/// Opens a file of results, whose columns must be these.
pub fn open(path: &Path, columns: &Schema) -> Result<ParquetRecordBatchReaderBuilder<File>> {
    let shown = path.display();
    let file = File::open(path).with_context(|| format!("reading {shown}"))?;
    let opened = ParquetRecordBatchReaderBuilder::try_new(file);
    let builder = opened.with_context(|| format!("{shown} is damaged or no Parquet file; run 'cacah attack' again"))?;
    if *builder.schema().fields() != *columns.fields() {
        bail!("{shown} has other columns than an attack writes; run 'cacah attack' again");
    }
    Ok(builder)
}

/// Properties of files of results.
pub fn properties() -> Result<WriterProperties> {
    Ok(WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?)).build())
}

/// One row of the file.
struct Entry<'n> {
    line: u32,
    step: LineStep,
    cell: CellRef,
    end: End,
    value: i64,
    /// The row that is named, what it is called by, and its multiplier.
    row: Option<(RowName, &'n str, i64)>,
}

/// Writes lines in their order.
pub fn write(path: &Path, names: &Names<'_>, lines: impl Iterator<Item = Line>) -> Result<()> {
    let failed = || format!("writing {}", path.display());
    let schema = schema();
    let mut writer = ArrowWriter::try_new(File::create(path).with_context(failed)?, Arc::clone(&schema), Some(properties()?))?;
    let mut entries: Vec<Entry<'_>> = Vec::new();
    for (number, line) in (0..).zip(lines) {
        let Line { step, cell, end, value, rows } = line;
        let entry = |row| Entry { line: number, step, cell, end, value, row };
        if rows.is_empty() {
            entries.push(entry(None));
        }
        for (row, times) in rows {
            entries.push(entry(Some((row, names.by(row), times))));
        }
        if entries.len() >= BATCH {
            writer.write(&batch(&schema, names, &entries)?).with_context(failed)?;
            entries.clear();
        }
    }
    writer.write(&batch(&schema, names, &entries)?).with_context(failed)?;
    writer.close().with_context(failed)?;
    Ok(())
}

fn batch(schema: &Arc<Schema>, names: &Names<'_>, entries: &[Entry<'_>]) -> Result<RecordBatch> {
    let all = || entries.iter();
    let rows = || entries.iter().map(|entry| entry.row.as_ref());
    let batch = RecordBatch::try_new(
        Arc::clone(schema),
        vec![
            Arc::new(UInt32Array::from_iter_values(all().map(|entry| entry.line))),
            Arc::new(StringArray::from_iter_values(all().map(|entry| entry.step.id()))),
            Arc::new(UInt32Array::from_iter_values(all().map(|entry| names.revision(entry.cell)))),
            Arc::new(StringArray::from_iter_values(all().map(|entry| names.table(entry.cell)))),
            Arc::new(UInt32Array::from_iter_values(all().map(|entry| entry.cell.cell))),
            Arc::new(StringArray::from_iter_values(all().map(|entry| entry.end.id()))),
            Arc::new(Int64Array::from_iter_values(all().map(|entry| entry.value))),
            Arc::new(StringArray::from_iter(rows().map(|row| row.map(|(name, ..)| name.kind.id())))),
            Arc::new(UInt32Array::from_iter(rows().map(|row| row.map(|(name, ..)| names.revision(name.cell))))),
            Arc::new(StringArray::from_iter(rows().map(|row| row.map(|(name, ..)| names.table(name.cell))))),
            Arc::new(UInt32Array::from_iter(rows().map(|row| row.map(|(name, ..)| name.cell.cell)))),
            Arc::new(StringArray::from_iter(rows().map(|row| row.map(|(_, by, _)| *by)))),
            Arc::new(Int64Array::from_iter(rows().map(|row| row.map(|(.., times)| *times)))),
        ],
    )?;
    Ok(batch)
}

/// Reads lines and hands them on one by one, in their order.
pub fn read(path: &Path, names: &Names<'_>, visit: &mut dyn FnMut(u32, Line) -> Result<()>) -> Result<()> {
    let shown = path.display();
    let builder = open(path, &schema())?;
    let mut begun: Option<(u32, Line)> = None;
    for batch in builder.with_batch_size(BATCH).build()? {
        let columns = Columns::of(&batch.with_context(|| format!("{shown} is damaged; run 'cacah attack' again"))?)?;
        for at in 0..columns.line.len() {
            let line = columns.line.value(at);
            let damaged = || anyhow!("{shown}: line {line} names something that is not there or is of an unknown kind");
            let (head, row) = columns.entry(at, names).ok_or_else(damaged)?;
            match &mut begun {
                Some((number, known)) if *number == line => {
                    let same = Line { rows: Vec::new(), ..known.clone() } == head;
                    known.rows.extend(row.filter(|_| same).ok_or_else(damaged).map(Some)?);
                }
                _ => {
                    if let Some((number, done)) = begun.replace((line, Line { rows: row.into_iter().collect(), ..head })) {
                        visit(number, done)?;
                    }
                }
            }
        }
    }
    begun.map_or(Ok(()), |(number, line)| visit(number, line))
}

/// The columns of a batch.
struct Columns {
    line: UInt32Array,
    step: StringArray,
    revision: UInt32Array,
    table: StringArray,
    row: UInt32Array,
    end: StringArray,
    value: Int64Array,
    kind: StringArray,
    of_revision: UInt32Array,
    of_table: StringArray,
    of_row: UInt32Array,
    by: StringArray,
    times: Int64Array,
}

impl Columns {
    fn of(batch: &RecordBatch) -> Result<Self> {
        let column = |name: &str| batch.column_by_name(name).with_context(|| format!("there is no column '{name}'"));
        let text = |name: &str| Ok::<_, anyhow::Error>(column(name)?.as_string::<i32>().clone());
        let number = |name: &str| Ok::<_, anyhow::Error>(column(name)?.as_primitive::<UInt32Type>().clone());
        let signed = |name: &str| Ok::<_, anyhow::Error>(column(name)?.as_primitive::<Int64Type>().clone());
        Ok(Self {
            line: number("line")?,
            step: text("step")?,
            revision: number("revision")?,
            table: text("table")?,
            row: number("row")?,
            end: text("end")?,
            value: signed("value")?,
            kind: text("kind")?,
            of_revision: number("of_revision")?,
            of_table: text("of_table")?,
            of_row: number("of_row")?,
            by: text("by")?,
            times: signed("times")?,
        })
    }

    /// What stands in a row of the file: a line without its rows, and the one that is named.
    fn entry(&self, at: usize, names: &Names<'_>) -> Option<(Line, Option<(RowName, i64)>)> {
        let step = STEPS.into_iter().find(|step| step.id() == self.step.value(at))?;
        let end = [End::Low, End::High].into_iter().find(|end| end.id() == self.end.value(at))?;
        let cell = names.cell(self.revision.value(at), self.table.value(at), self.row.value(at))?;
        let line = Line { step, cell, end, value: self.value.value(at), rows: Vec::new() };
        if self.kind.is_null(at) {
            return Some((line, None));
        }
        let kind = RowKind::ALL.into_iter().find(|kind| kind.id() == self.kind.value(at))?;
        let of_cell = names.cell(self.of_revision.value(at), self.of_table.value(at), self.of_row.value(at))?;
        Some((line, Some((names.row(kind, of_cell, self.by.value(at))?, self.times.value(at)))))
    }
}
