//! Parquet: one row a cell, written a row group at a time.

use std::sync::Arc;

use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    file::{metadata::KeyValue, properties::WriterProperties},
};

use super::{Context, Document, Format, PIECE, about::About, columns::Columns, options::Options};
use crate::{error::Result, release::Sealer, tables::Answer};

/// Rows in a group: what is held in memory before it is written, in columns that are mostly repetition.
const GROUP: usize = 131_072;

/// An answer being written as Parquet.
pub struct Parquet {
    columns: Columns,
    /// Its bytes are taken away as they come.
    writer: Option<ArrowWriter<Vec<u8>>>,
    sealer: Sealer,
}

impl Parquet {
    pub fn new(context: &Context, answer: &Arc<Answer>, options: Options) -> Result<Self> {
        let columns = Columns::new(context, Arc::clone(answer), options.texts);
        let about = About::new(context, &answer.query);
        let told = [("cacah", about.provenance(Format::Parquet(options)))];
        let facts = about.facts(answer).into_iter().chain(told).map(|(key, value)| KeyValue::new(key.to_owned(), value)).collect();
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(GROUP))
            .set_key_value_metadata(Some(facts))
            .build();
        let writer = ArrowWriter::try_new(Vec::new(), columns.schema(), Some(properties))?;
        Ok(Self { columns, writer: Some(writer), sealer: Sealer::default() })
    }
}

impl Document for Parquet {
    fn fill(&mut self, out: &mut Vec<u8>) -> Result<bool> {
        let end = out.len() + PIECE;
        while let Some(writer) = &mut self.writer {
            match self.columns.next()? {
                Some(batch) => writer.write(&batch)?,
                None => {
                    writer.finish()?;
                    // What the file says of itself stands at its end.
                    self.sealer.finish(writer.inner_mut());
                    out.append(writer.inner_mut());
                    self.writer = None;
                    return Ok(false);
                }
            }
            self.sealer.add(writer.inner_mut());
            out.append(writer.inner_mut());
            if out.len() >= end {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
