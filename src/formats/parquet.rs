//! Parquet: one row a cell, written a row group at a time.

use std::sync::Arc;

use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    file::{metadata::KeyValue, properties::WriterProperties},
};

use super::{Context, Document, PIECE, about::About, columns::Columns, options::Texts};
use crate::{error::Result, tables::Answer};

/// Rows in a group: what is held in memory before it is written, in columns that are mostly repetition.
const GROUP: usize = 131_072;

/// An answer being written as Parquet.
pub struct Parquet {
    columns: Columns,
    /// Its bytes are taken away as they come.
    writer: Option<ArrowWriter<Vec<u8>>>,
}

impl Parquet {
    pub fn new(context: &Context, answer: &Arc<Answer>, texts: Texts) -> Result<Self> {
        let columns = Columns::new(context, Arc::clone(answer), texts);
        let facts = About::new(context, &answer.query).facts(answer);
        let facts = facts.into_iter().map(|(key, value)| KeyValue::new(key.to_owned(), value)).collect();
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(GROUP))
            .set_key_value_metadata(Some(facts))
            .build();
        let writer = ArrowWriter::try_new(Vec::new(), columns.schema(), Some(properties))?;
        Ok(Self { columns, writer: Some(writer) })
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
                    out.append(writer.inner_mut());
                    self.writer = None;
                    return Ok(false);
                }
            }
            out.append(writer.inner_mut());
            if out.len() >= end {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
