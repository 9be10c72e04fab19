//! The numbers of an exported file, with the codes or names that say of what they are, and nothing of the texts around them.

use std::io::Cursor;

use arrow::util::display::array_value_to_string;
use bytes::Bytes;
use calamine::{Reader as _, Xlsx};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::release::ExportFormat;

/// The numbers of a file, cell by cell; `None` where it holds none that can be read: pictures.
pub fn numbers(format: ExportFormat, file: &Bytes) -> Option<Vec<String>> {
    match format {
        ExportFormat::JsonStat => json_stat(file),
        ExportFormat::Parquet => parquet(file),
        ExportFormat::Xlsx => xlsx(file),
        ExportFormat::Svg | ExportFormat::Png | ExportFormat::Pdf => None,
    }
}

fn json_stat(file: &[u8]) -> Option<Vec<String>> {
    let document: Value = serde_json::from_slice(file).ok()?;
    let mut found = vec![document["id"].to_string(), document["size"].to_string(), document["status"].to_string()];
    for variable in document["id"].as_array()? {
        found.push(document["dimension"][variable.as_str()?]["category"]["index"].to_string());
    }
    found.extend(document["value"].as_array()?.iter().map(Value::to_string));
    Some(found)
}

fn parquet(file: &Bytes) -> Option<Vec<String>> {
    let mut found = Vec::new();
    for batch in ParquetRecordBatchReaderBuilder::try_new(file.clone()).ok()?.build().ok()? {
        let batch = batch.ok()?;
        for row in 0..batch.num_rows() {
            let cells = batch.columns().iter().map(|column| array_value_to_string(column, row).ok()).collect::<Option<Vec<String>>>()?;
            found.push(cells.join("\t"));
        }
    }
    Some(found)
}

fn xlsx(file: &Bytes) -> Option<Vec<String>> {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(file.clone())).ok()?;
    // The cover and the notes come first.
    let sheet = book.sheet_names().last()?.clone();
    let range = book.worksheet_range(&sheet).ok()?;
    Some(range.rows().map(|row| row.iter().map(ToString::to_string).collect::<Vec<_>>().join("\t")).collect())
}
