//! CSV: one line a cell, one column a variable, then the number and its status.
//!
//! ```text
//! Region,Sex,ContentsCode,Tid,value,status
//! 3171,F,persons,2024-S1,1203,
//! 3172,F,persons,2024-S1,,c
//! ```

use std::sync::Arc;

use super::{
    Context, Document, PIECE,
    about::About,
    layout::{Odometer, Strings},
    options::Options,
    push_number,
    tidy::{Tidy, TidyVariable},
};
use crate::{error::Result, spreadsheet::field, tables::Answer};

/// What a text begins with to say that it is in UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// An answer being written as CSV.
pub struct Csv {
    answer: Arc<Answer>,
    separator: char,
    /// Title and heading, until they are written.
    head: Option<String>,
    /// For each variable its categories as fields, each with its separator behind.
    fields: Vec<Strings>,
    /// Which category of each variable comes next.
    at: Odometer,
    cell: usize,
}

impl Csv {
    pub fn new(context: &Context, answer: Arc<Answer>, options: Options) -> Self {
        let separator = options.separator.char();
        let tidy = Tidy::new(context, &answer, options.texts);
        let mut head = String::new();
        if options.byte_order_mark {
            head.push(BYTE_ORDER_MARK);
        }
        if options.title {
            head.push_str(&field(About::new(context, &answer.query).title(), separator));
            head.push('\n');
        }
        for heading in tidy.variables.iter().flat_map(|variable| &variable.columns).map(|(heading, _)| heading) {
            head.push_str(&field(heading, separator));
            head.push(separator);
        }
        head.push_str(&field(tidy.value, separator));
        head.push(separator);
        head.push_str(&field(tidy.status, separator));
        head.push('\n');
        let fields: Vec<_> = tidy.variables.iter().map(|variable| fields(variable, separator)).collect();
        Self { separator, head: Some(head), at: Odometer::new(fields.iter().map(Strings::len).collect()), fields, cell: 0, answer }
    }

    fn line(&mut self, out: &mut Vec<u8>) {
        for (field, at) in self.fields.iter().zip(self.at.at()) {
            out.extend_from_slice(field.get(*at).as_bytes());
        }
        match self.answer.statuses[self.cell].mark() {
            None => {
                push_number(out, self.answer.values[self.cell], self.answer.decimals(self.cell));
                out.push(self.separator as u8);
            }
            Some(mark) => {
                out.push(self.separator as u8);
                out.extend_from_slice(mark.as_bytes());
            }
        }
        out.push(b'\n');
        self.cell += 1;
        self.at.step();
    }
}

impl Document for Csv {
    fn fill(&mut self, out: &mut Vec<u8>) -> Result<bool> {
        let start = out.len();
        if let Some(head) = self.head.take() {
            out.extend_from_slice(head.as_bytes());
        }
        while self.cell < self.answer.statuses.len() {
            if out.len() - start >= PIECE {
                return Ok(true);
            }
            self.line(out);
        }
        Ok(false)
    }
}

/// A variable's categories as fields, each with its separator behind.
fn fields(variable: &TidyVariable, separator: char) -> Strings {
    let mut fields = Strings::default();
    let mut written = String::new();
    for at in 0..variable.categories {
        written.clear();
        for (_, texts) in &variable.columns {
            written.push_str(&field(texts.get(at), separator));
            written.push(separator);
        }
        fields.push(&written);
    }
    fields
}
