//! An answer as batches of Arrow columns, for the formats that programs read: categories as dictionaries, the number, its status.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, DictionaryArray, Float64Array, Int8Array, Int32Array, Int64Array, RecordBatch, StringArray},
    datatypes::{DataType, Field, Int8Type, Int32Type, Schema, SchemaRef},
    error::ArrowError,
};

use super::{
    Context,
    about::{MARKED, marked},
    layout::most_decimals,
    options::Texts,
    tidy::Tidy,
};
use crate::{
    error::{Error, Result},
    tables::Answer,
};

/// Rows in one batch.
const ROWS: usize = 16_384;

/// A column with the same few texts again and again.
struct Texted {
    texts: ArrayRef,
    categories: usize,
    /// Cells from one category to the next.
    stride: usize,
}

/// An answer, batch by batch.
pub struct Columns {
    answer: Arc<Answer>,
    schema: SchemaRef,
    texted: Vec<Texted>,
    marks: ArrayRef,
    /// Whether every number is whole.
    whole: bool,
    cell: usize,
}

impl Columns {
    pub fn new(context: &Context, answer: Arc<Answer>, texts: Texts) -> Self {
        let tidy = Tidy::new(context, &answer, texts);
        let whole = most_decimals(&answer) == 0;
        let dictionary = |keys: DataType| DataType::Dictionary(Box::new(keys), Box::new(DataType::Utf8));
        let mut fields = Vec::new();
        let mut texted = Vec::new();
        let mut stride = answer.statuses.len();
        for variable in &tidy.variables {
            let categories = variable.categories;
            stride /= categories.max(1);
            for (heading, texts) in &variable.columns {
                fields.push(Field::new(heading, dictionary(DataType::Int32), false));
                texted.push(Texted { texts: Arc::new(StringArray::from_iter_values(texts.iter())), categories, stride });
            }
        }
        fields.push(Field::new(tidy.value, if whole { DataType::Int64 } else { DataType::Float64 }, true));
        fields.push(Field::new(tidy.status, dictionary(DataType::Int8), true));
        let marks: ArrayRef = Arc::new(StringArray::from_iter_values(MARKED.iter().filter_map(|status| status.mark())));
        Self { answer, schema: Arc::new(Schema::new(fields)), texted, marks, whole, cell: 0 }
    }

    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The next rows; `None` after the last ones.
    pub fn next(&mut self) -> Result<Option<RecordBatch>> {
        self.batch().map_err(|error| Error::Internal(format!("an answer makes no columns: {error}")))
    }

    fn batch(&mut self) -> std::result::Result<Option<RecordBatch>, ArrowError> {
        let rows = self.cell..self.answer.statuses.len().min(self.cell + ROWS);
        if rows.is_empty() {
            return Ok(None);
        }
        let answer = &self.answer;
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.texted.len() + 2);
        for column in &self.texted {
            let key = |cell: usize| (cell / column.stride % column.categories) as i32;
            let keys = Int32Array::from_iter_values(rows.clone().map(key));
            columns.push(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, Arc::clone(&column.texts))?));
        }
        let published = |cell: usize| marked(answer.statuses[cell]).is_none();
        columns.push(if self.whole {
            Arc::new(rows.clone().map(|cell| published(cell).then_some(answer.values[cell])).collect::<Int64Array>())
        } else {
            // Both are exact below 2^53, so that the quotient is the nearest number there is.
            let number = |cell: usize| answer.values[cell] as f64 / 10f64.powi(i32::from(answer.decimals(cell)));
            Arc::new(rows.clone().map(|cell| published(cell).then(|| number(cell))).collect::<Float64Array>())
        });
        let mark = |cell: usize| marked(answer.statuses[cell]).map(|at| at as i8);
        let keys = rows.clone().map(mark).collect::<Int8Array>();
        columns.push(Arc::new(DictionaryArray::<Int8Type>::try_new(keys, Arc::clone(&self.marks))?));
        self.cell = rows.end;
        RecordBatch::try_new(Arc::clone(&self.schema), columns).map(Some)
    }
}
