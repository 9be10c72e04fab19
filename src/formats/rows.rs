//! Rows of a named query as JSON, CSV, Parquet and Arrow.

use std::{collections::HashMap, io::Write as _, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch},
    compute::cast,
    datatypes::{DataType, Field, Float64Type, Int64Type, Schema, SchemaRef},
    ipc::writer::FileWriter,
};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    file::{metadata::KeyValue, properties::WriterProperties},
};

use super::json::{Json, push_string};
use crate::{
    error::{Error, Result},
    release::{Provenance, seal},
    spreadsheet::push_field,
    words::{self, Message},
};

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowsFormat {
    /// One object with columns and rows.
    Json,
    /// Comma-separated values under the names of the columns.
    Csv,
    /// Apache Parquet.
    Parquet,
    /// An Apache Arrow file.
    Arrow,
}

/// Names of the formats, the default first.
pub const ROWS_FORMATS: [&str; 4] = ["json", "csv", "parquet", "arrow"];

/// What is said of a column.
#[derive(Debug, Clone)]
pub struct ColumnText<'a> {
    /// Its name, for programs.
    pub name: &'a str,
    /// Its name for people.
    pub label: &'a str,
    /// Unit of its numbers.
    pub unit: Option<&'a str>,
    /// The column that says why there is no number in this one.
    pub status: Option<&'a str>,
    /// What it holds.
    pub kind: &'a str,
}

/// Rows, and what is said of them.
#[derive(Debug)]
pub struct RowsDocument<'a> {
    /// Name of the query.
    pub query: &'a str,
    /// What the query is called.
    pub title: &'a str,
    /// Language of the texts.
    pub language: &'a str,
    /// Parameters with what stood for them.
    pub parameters: Vec<(&'a str, &'a str)>,
    /// The releases that the numbers come from.
    pub releases: Vec<&'a str>,
    /// Where the numbers come from, for people.
    pub source: &'a str,
    /// What to know when reading the numbers.
    pub notes: Vec<&'a str>,
    /// The columns.
    pub columns: Vec<ColumnText<'a>>,
    /// The rows.
    pub batches: Vec<RecordBatch>,
}

impl RowsFormat {
    /// Reads the name of a format, in any case.
    ///
    /// # Errors
    /// Names what was asked for and what there is.
    pub fn parse(name: &str) -> Result<Self, Message> {
        Ok(match name.to_ascii_lowercase().as_str() {
            "" | "json" => Self::Json,
            "csv" => Self::Csv,
            "parquet" => Self::Parquet,
            "arrow" => Self::Arrow,
            _ => return Err(words::NO_FORMAT.with(name.chars().take(40).collect::<String>()).and(ROWS_FORMATS.join(", "))),
        })
    }

    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Parquet => "application/vnd.apache.parquet",
            Self::Arrow => "application/vnd.apache.arrow.file",
        }
    }

    /// Its name, which is also the ending of file names.
    pub fn id(self) -> &'static str {
        ROWS_FORMATS[self as usize]
    }

    /// Writes the whole document. Parquet also says where it comes from.
    pub fn write(self, document: &RowsDocument<'_>, provenance: &Provenance) -> Result<Vec<u8>> {
        let batches = document.batches.iter().map(plain).collect::<Result<Vec<_>>>()?;
        match self {
            Self::Json => Ok(json(document, &batches)),
            Self::Csv => Ok(csv(document, &batches)),
            Self::Parquet => parquet(document, &batches, provenance),
            Self::Arrow => arrow_file(document, &batches),
        }
    }
}

/// The same rows in the types that every reader knows: text, 64-bit numbers, truth.
pub(super) fn plain(batch: &RecordBatch) -> Result<RecordBatch> {
    let mut fields = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
        let kind = match field.data_type() {
            DataType::Boolean => DataType::Boolean,
            DataType::Float32 | DataType::Float64 => DataType::Float64,
            integer if integer.is_integer() => DataType::Int64,
            _ => DataType::Utf8,
        };
        arrays.push(cast(array, &kind)?);
        fields.push(Field::new(field.name(), kind, true));
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}

/// One value of a row.
pub(super) enum Cell<'a> {
    None,
    Integer(i64),
    Number(f64),
    Text(&'a str),
    Truth(bool),
}

pub(super) fn cell(array: &ArrayRef, row: usize) -> Cell<'_> {
    match array.data_type() {
        _ if array.is_null(row) => Cell::None,
        DataType::Int64 => Cell::Integer(array.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => {
            Some(array.as_primitive::<Float64Type>().value(row)).filter(|number| number.is_finite()).map_or(Cell::None, Cell::Number)
        }
        DataType::Boolean => Cell::Truth(array.as_boolean().value(row)),
        _ => Cell::Text(array.as_string::<i32>().value(row)),
    }
}

fn json(document: &RowsDocument<'_>, batches: &[RecordBatch]) -> Vec<u8> {
    let mut out = Vec::with_capacity(16 << 10);
    Json::new(&mut out).object(|root| {
        root.text("query", document.query).text("title", document.title).text("language", document.language);
        root.key("parameters").object(|list| {
            for (name, value) in &document.parameters {
                list.text(name, value);
            }
        });
        root.texts("releases", document.releases.iter().copied()).text("source", document.source);
        root.texts("notes", document.notes.iter().copied());
        root.key("columns").array(|list| {
            for column in &document.columns {
                list.object(|one| {
                    one.text("name", column.name).text("label", column.label).text("type", column.kind);
                    for (key, text) in [("unit", column.unit), ("status", column.status)] {
                        if let Some(text) = text {
                            one.text(key, text);
                        }
                    }
                });
            }
        });
    });
    // The rows go in before the brace that closes the object.
    out.pop();
    out.extend_from_slice(b",\"rows\":[");
    let mut first = true;
    for batch in batches {
        for row in 0..batch.num_rows() {
            out.extend_from_slice(if first { b"[" } else { b",[" });
            first = false;
            for (at, array) in batch.columns().iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                match cell(array, row) {
                    Cell::Text(text) => push_string(&mut out, text),
                    Cell::None => out.extend_from_slice(b"null"),
                    other => push_number(&mut out, &other),
                }
            }
            out.push(b']');
        }
    }
    out.extend_from_slice(b"]}");
    out
}

fn csv(document: &RowsDocument<'_>, batches: &[RecordBatch]) -> Vec<u8> {
    let mut out = Vec::with_capacity(16 << 10);
    for (at, column) in document.columns.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        push_field(&mut out, column.name);
    }
    out.push(b'\n');
    for batch in batches {
        for row in 0..batch.num_rows() {
            for (at, array) in batch.columns().iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                match cell(array, row) {
                    Cell::Text(text) => push_field(&mut out, text),
                    other => push_number(&mut out, &other),
                }
            }
            out.push(b'\n');
        }
    }
    out
}

fn push_number(out: &mut Vec<u8>, cell: &Cell<'_>) {
    match cell {
        Cell::Integer(number) => out.extend_from_slice(itoa::Buffer::new().format(*number).as_bytes()),
        Cell::Truth(truth) => out.extend_from_slice(if *truth { b"true" } else { b"false" }),
        // Writing to a vector cannot fail.
        Cell::Number(number) => drop(write!(out, "{number}")),
        Cell::Text(_) | Cell::None => {}
    }
}

/// The columns with what is said of them, and of the whole, as metadata.
fn described(document: &RowsDocument<'_>, batches: &[RecordBatch]) -> SchemaRef {
    let plain = |at: usize, kind: &str| match batches.first() {
        Some(batch) => batch.schema().field(at).data_type().clone(),
        None => match kind {
            "integer" => DataType::Int64,
            "number" => DataType::Float64,
            "boolean" => DataType::Boolean,
            _ => DataType::Utf8,
        },
    };
    let field = |(at, column): (usize, &ColumnText<'_>)| {
        let told = [("label", Some(column.label)), ("unit", column.unit), ("status", column.status)];
        let metadata: HashMap<String, String> = told.iter().filter_map(|(key, text)| Some(((*key).into(), (*text)?.into()))).collect();
        Field::new(column.name, plain(at, column.kind), true).with_metadata(metadata)
    };
    let parameters = document.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
    let told = [
        ("query", document.query.to_owned()),
        ("title", document.title.to_owned()),
        ("parameters", parameters),
        ("releases", document.releases.join(" ")),
        ("source", document.source.to_owned()),
        ("notes", document.notes.join("\n")),
    ];
    let fields: Vec<Field> = document.columns.iter().enumerate().map(field).collect();
    Arc::new(Schema::new_with_metadata(fields, told.map(|(key, text)| (key.to_owned(), text)).into()))
}

fn parquet(document: &RowsDocument<'_>, batches: &[RecordBatch], provenance: &Provenance) -> Result<Vec<u8>> {
    let schema = described(document, batches);
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_created_by("cacah".into())
        .set_key_value_metadata(Some(vec![KeyValue::new("cacah".to_owned(), provenance.text())]))
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), Some(properties))?;
    for batch in batches {
        writer.write(&RecordBatch::try_new(Arc::clone(&schema), batch.columns().to_vec())?)?;
    }
    let mut file = writer.into_inner()?;
    seal(&mut file, None);
    Ok(file)
}

fn arrow_file(document: &RowsDocument<'_>, batches: &[RecordBatch]) -> Result<Vec<u8>> {
    let schema = described(document, batches);
    let mut writer = FileWriter::try_new(Vec::new(), &schema)?;
    for batch in batches {
        writer.write(&RecordBatch::try_new(Arc::clone(&schema), batch.columns().to_vec())?)?;
    }
    writer.into_inner().map_err(Error::from)
}
