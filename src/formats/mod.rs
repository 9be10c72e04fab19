//! Tables as documents: JSON-stat 2.0 and CSV, a piece at a time.
//!
//! A [`Document`] fills a buffer as often as it is asked to, so that an answer of any size is written with a buffer's memory
//! beside its numbers. Formats know tables, not how they travel.

mod csv;
mod json;
mod jsonstat;
mod rows;

use std::sync::Arc;

pub use csv::{CsvOptions, Separator, Texts};
pub use jsonstat::metadata;
pub use rows::{ColumnText, ROWS_FORMATS, RowsDocument, RowsFormat};

use crate::{
    tables::{Answer, Library},
    words::{self, Message},
};

/// Documents stop filling a buffer once it holds this many bytes.
pub const PIECE: usize = 64 << 10;

/// Appends a number that is given in units of its last decimal place: 123 with one place is `12.3`.
fn push_number(out: &mut Vec<u8>, value: i64, decimals: u8) {
    if decimals == 0 {
        out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
        return;
    }
    let one = 10u64.pow(u32::from(decimals));
    if value < 0 {
        out.push(b'-');
    }
    let (whole, part) = (value.unsigned_abs() / one, value.unsigned_abs() % one);
    out.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes());
    out.push(b'.');
    // The part with a one before it has as many digits as there are places, and one.
    out.extend_from_slice(&itoa::Buffer::new().format(part + one).as_bytes()[1..]);
}

/// A document being written.
pub trait Document: Send {
    /// Appends about [`PIECE`] bytes; false once everything has been written.
    fn fill(&mut self, out: &mut Vec<u8>) -> bool;
}

/// What a document says besides the numbers.
#[derive(Debug, Clone)]
pub struct Context {
    /// The tables.
    pub library: Arc<Library>,
    /// Position of the language.
    pub language: usize,
    /// Address below which the service's own addresses lie, such as `http://127.0.0.1:8080/api/v2`.
    pub base: String,
}

/// A data format with its options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON-stat 2.0.
    JsonStat,
    /// Comma-separated values, one line a cell.
    Csv(CsvOptions),
}

/// Names of the formats, the default first.
pub const FORMATS: [&str; 2] = ["json-stat2", "csv"];

impl Format {
    /// Reads the name of a format and its options, in any case.
    ///
    /// # Errors
    /// Names what was asked for and what there is.
    pub fn parse(name: &str, options: &[String]) -> Result<Self, Message> {
        match name.to_ascii_lowercase().as_str() {
            "" | "json-stat2" if options.is_empty() => Ok(Self::JsonStat),
            "" | "json-stat2" => Err(words::NO_FORMAT_OPTIONS.with("json-stat2").and(options.join(","))),
            "csv" => CsvOptions::parse(options).map(Self::Csv),
            _ => Err(words::NO_FORMAT.with(name.chars().take(40).collect::<String>()).and(FORMATS.join(", "))),
        }
    }

    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::JsonStat => "application/json; charset=utf-8",
            Self::Csv(_) => "text/csv; charset=utf-8",
        }
    }

    /// The ending of file names.
    pub fn ending(self) -> &'static str {
        match self {
            Self::JsonStat => "json",
            Self::Csv(_) => "csv",
        }
    }

    /// A short text that no two formats or choices of options share.
    pub fn key(self) -> String {
        match self {
            Self::JsonStat => "json-stat2".into(),
            Self::Csv(CsvOptions { texts, separator, title }) => format!("csv-{texts:?}-{separator:?}-{title}").to_lowercase(),
        }
    }

    /// Begins to write an answer.
    pub fn document(self, context: Context, answer: Arc<Answer>) -> Box<dyn Document> {
        match self {
            Self::JsonStat => Box::new(jsonstat::JsonStat::new(context, answer)),
            Self::Csv(options) => Box::new(csv::Csv::new(&context, answer, options)),
        }
    }
}
