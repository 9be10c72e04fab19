//! A file that is full becomes one of Parquet, with the chain carried over.

use std::{
    borrow::Cow,
    fs::{self, File},
    io::{BufRead as _, BufReader},
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, RecordBatch, StringBuilder, UInt64Array},
    datatypes::{DataType, Field, Schema},
};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    file::properties::{EnabledStatistics, WriterProperties},
};
use serde::Deserialize;

use super::files::{DONE, LINE, LogFile, line};
use crate::error::{Error, Result};

/// What the files are searched by.
#[derive(Deserialize)]
struct Columns<'a> {
    #[serde(borrow)]
    at: Cow<'a, str>,
    #[serde(borrow)]
    user: Cow<'a, str>,
    #[serde(borrow)]
    surface: Cow<'a, str>,
}

/// Puts a file of Parquet in the place of one of lines: the same records with their chain, and columns to search by. It goes piece by
/// piece, because requests are being answered on the same cores and out of the same memory.
pub fn compress(file: &LogFile) -> Result<()> {
    /// Records of a piece.
    const PIECE: usize = 2048;
    let failed = |error: &dyn std::fmt::Display| Error::storage(format!("compressing {}", file.path.display()), error);
    let mut reader = BufReader::new(File::open(&file.path).map_err(|error| failed(&error))?);
    let texts = ["at", "user", "surface", LINE].map(|name| Field::new(name, DataType::Utf8, false));
    let schema = Arc::new(Schema::new([vec![Field::new("number", DataType::UInt64, false)], texts.to_vec()].concat()));
    let settings = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        // No line is like another, and nobody looks for one by its first bytes.
        .set_column_dictionary_enabled(LINE.into(), false)
        .set_column_statistics_enabled(LINE.into(), EnabledStatistics::None)
        .build();
    let done = file.path.with_extension(DONE);
    let half = file.path.with_extension("half");
    let mut writer = ArrowWriter::try_new(File::create(&half).map_err(|error| failed(&error))?, Arc::clone(&schema), Some(settings))?;
    let mut text = String::new();
    loop {
        let mut numbers = Vec::with_capacity(PIECE);
        let [mut at, mut users, mut surfaces, mut lines]: [StringBuilder; 4] = Default::default();
        while numbers.len() < PIECE {
            text.clear();
            if reader.read_line(&mut text).map_err(|error| failed(&error))? == 0 {
                break;
            }
            let text = text.trim_end_matches('\n');
            let found = line(text.as_bytes()).ok_or_else(|| failed(&"a line that is none"))?;
            let columns: Columns<'_> = serde_json::from_slice(found.record).map_err(|error| failed(&error))?;
            numbers.push(found.number);
            at.append_value(columns.at);
            users.append_value(columns.user);
            surfaces.append_value(columns.surface);
            lines.append_value(text);
        }
        if numbers.is_empty() {
            break;
        }
        let texts = [at, users, surfaces, lines].map(|mut column| Arc::new(column.finish()) as ArrayRef);
        let columns = std::iter::once(Arc::new(UInt64Array::from(numbers)) as ArrayRef).chain(texts).collect();
        writer.write(&RecordBatch::try_new(Arc::clone(&schema), columns)?)?;
    }
    writer.into_inner()?.sync_all().map_err(|error| failed(&error))?;
    fs::rename(&half, &done).and_then(|()| fs::remove_file(&file.path)).map_err(|error| failed(&error))
}
