//! Arrow's stream of batches: one row a cell.

use std::{collections::HashMap, sync::Arc};

use arrow::{datatypes::Schema, error::ArrowError, ipc::writer::StreamWriter};

use super::{Context, Document, PIECE, about::About, columns::Columns, options::Texts};
use crate::{
    error::{Error, Result},
    tables::Answer,
};

/// An answer being written as a stream of batches.
pub struct ArrowStream {
    columns: Columns,
    /// Its bytes are taken away as they come.
    writer: StreamWriter<Vec<u8>>,
}

impl ArrowStream {
    pub fn new(context: &Context, answer: &Arc<Answer>, texts: Texts) -> Result<Self> {
        let columns = Columns::new(context, Arc::clone(answer), texts);
        let facts = About::new(context, &answer.query).facts(answer);
        let facts: HashMap<String, String> = facts.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let schema = Schema::new_with_metadata(columns.schema().fields().clone(), facts);
        let writer = StreamWriter::try_new(Vec::new(), &schema).map_err(|error| failed(&error))?;
        Ok(Self { columns, writer })
    }
}

fn failed(error: &ArrowError) -> Error {
    Error::Internal(format!("an answer cannot be written as Arrow: {error}"))
}

impl Document for ArrowStream {
    fn fill(&mut self, out: &mut Vec<u8>) -> Result<bool> {
        let end = out.len() + PIECE;
        loop {
            let batch = self.columns.next()?;
            match &batch {
                Some(batch) => self.writer.write(batch),
                None => self.writer.finish(),
            }
            .map_err(|error| failed(&error))?;
            out.append(self.writer.get_mut());
            if batch.is_none() {
                return Ok(false);
            }
            if out.len() >= end {
                return Ok(true);
            }
        }
    }
}
