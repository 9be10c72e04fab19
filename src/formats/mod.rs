//! Tables as documents, a piece at a time: JSON-stat, CSV, Parquet, Arrow and PX for programs, HTML and workbooks for people.
//!
//! A [`Document`] fills a buffer as often as it is asked to, so that an answer of any size is written with a buffer's memory
//! beside its numbers. Formats know tables, not how they travel.

mod about;
mod arrow;
mod columns;
mod csv;
mod grid;
mod html;
mod json;
mod jsonstat;
mod layout;
mod numbers;
mod options;
mod parquet;
mod px;
mod rows;
mod rows_page;
mod tidy;
mod xlsx;

use std::sync::Arc;

pub use about::{About, address};
pub use grid::{Grid, Order};
pub use jsonstat::metadata;
pub use numbers::written;
pub use options::{OF_CSV as CSV_OPTIONS, Options, Separator, Texts};
pub use rows::{ColumnText, ROWS_FORMATS, RowsDocument, RowsFormat};
pub use rows_page::rows_table;

use crate::{
    error::Result,
    tables::{Answer, Library, Query},
    words::{self, Message},
};

/// Documents stop filling a buffer once it holds this many bytes.
pub const PIECE: usize = 64 << 10;

/// Appends a number that is given in units of its last decimal place: 123 with one place is `12.3`.
pub(crate) fn push_number(out: &mut Vec<u8>, value: i64, decimals: u8) {
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
    ///
    /// # Errors
    /// Where the document cannot be finished; what was written until then is worth nothing.
    fn fill(&mut self, out: &mut Vec<u8>) -> Result<bool>;
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
    Csv(Options),
    /// A workbook of Office Open XML.
    Xlsx(Options),
    /// A PX-file.
    Px,
    /// Parquet, one row a cell.
    Parquet(Options),
    /// Arrow's stream of batches, one row a cell.
    Arrow(Options),
    /// A page with one table.
    Html(Options),
}

/// Names of the formats, the default first.
pub const FORMATS: [&str; 7] = ["json-stat2", "csv", "xlsx", "px", "parquet", "arrow", "html"];

/// Formats by the media types that clients may ask for, the default first. PX-files have none that means them alone.
pub const MEDIA_TYPES: [(&str, &str); 6] = [
    ("json-stat2", "application/json"),
    ("csv", "text/csv"),
    ("html", "text/html"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("parquet", "application/vnd.apache.parquet"),
    ("arrow", "application/vnd.apache.arrow.stream"),
];

impl Format {
    /// Reads the name of a format and its options, in any case.
    ///
    /// # Errors
    /// Names what was asked for and what there is.
    pub fn parse(name: &str, options: &[String]) -> std::result::Result<Self, Message> {
        let none = |format: Self, name: &'static str| match options {
            [] => Ok(format),
            _ => Err(words::NO_FORMAT_OPTIONS.with(name).and(options.join(","))),
        };
        let read = |name, known, texts| Options::parse(name, known, texts, options);
        match name.to_ascii_lowercase().as_str() {
            "" | "json-stat2" => none(Self::JsonStat, "json-stat2"),
            "px" => none(Self::Px, "px"),
            "csv" => read("csv", options::OF_CSV, Texts::Codes).map(Self::Csv),
            "parquet" => read("parquet", options::OF_COLUMNS, Texts::Codes).map(Self::Parquet),
            "arrow" => read("arrow", options::OF_COLUMNS, Texts::Codes).map(Self::Arrow),
            // People read names.
            "xlsx" => read("xlsx", options::OF_SHEETS, Texts::Names).map(Self::Xlsx),
            "html" => read("html", options::OF_SHEETS, Texts::Names).map(Self::Html),
            _ => Err(words::NO_FORMAT.with(name.chars().take(40).collect::<String>()).and(FORMATS.join(", "))),
        }
    }

    /// The name by which it is asked for.
    pub fn name(self) -> &'static str {
        match self {
            Self::JsonStat => "json-stat2",
            Self::Csv(_) => "csv",
            Self::Xlsx(_) => "xlsx",
            Self::Px => "px",
            Self::Parquet(_) => "parquet",
            Self::Arrow(_) => "arrow",
            Self::Html(_) => "html",
        }
    }

    /// What stands in an address that asks for the format with its options.
    fn asked(self) -> String {
        let names = match self {
            Self::JsonStat | Self::Px => Vec::new(),
            Self::Csv(options) | Self::Parquet(options) | Self::Arrow(options) => options.names(Texts::Codes),
            Self::Xlsx(options) | Self::Html(options) => options.names(Texts::Names),
        };
        match names.as_slice() {
            [] => self.name().to_owned(),
            names => format!("{}&outputFormatParams={}", self.name(), names.join(",")),
        }
    }

    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::JsonStat => "application/json; charset=utf-8",
            Self::Csv(_) => "text/csv; charset=utf-8",
            Self::Xlsx(_) => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Px => "application/octet-stream",
            Self::Parquet(_) => "application/vnd.apache.parquet",
            Self::Arrow(_) => "application/vnd.apache.arrow.stream",
            Self::Html(_) => "text/html; charset=utf-8",
        }
    }

    /// The ending of file names.
    pub fn ending(self) -> &'static str {
        match self {
            Self::JsonStat => "json",
            Self::Csv(_) => "csv",
            Self::Xlsx(_) => "xlsx",
            Self::Px => "px",
            Self::Parquet(_) => "parquet",
            Self::Arrow(_) => "arrows",
            Self::Html(_) => "html",
        }
    }

    /// A short text that no two formats or choices of options share.
    pub fn key(self) -> String {
        match self {
            Self::JsonStat => "json-stat2".into(),
            Self::Px => "px".into(),
            Self::Csv(options) | Self::Xlsx(options) | Self::Parquet(options) | Self::Arrow(options) | Self::Html(options) => {
                let Options { texts, separator, title, byte_order_mark } = options;
                format!("{}-{texts:?}-{separator:?}-{title}-{byte_order_mark}", self.ending()).to_lowercase()
            }
        }
    }

    /// Whether the format can hold what a query asks for, without reading a cell.
    ///
    /// # Errors
    /// Says what is too much, and what to do.
    pub fn fits(self, query: &Query) -> std::result::Result<(), Message> {
        match self {
            Self::Xlsx(options) => xlsx::fits(query, options),
            _ => Ok(()),
        }
    }

    /// Begins to write an answer.
    ///
    /// # Errors
    /// Where the format needs a temporary file and cannot have it.
    pub fn document(self, context: Context, answer: Arc<Answer>) -> Result<Box<dyn Document>> {
        Ok(match self {
            Self::JsonStat => Box::new(jsonstat::JsonStat::new(context, answer)),
            Self::Csv(options) => Box::new(csv::Csv::new(&context, answer, options)),
            Self::Xlsx(options) => Box::new(xlsx::Xlsx::new(&context, &answer, options)?),
            Self::Px => Box::new(px::Px::new(&context, answer)),
            Self::Parquet(options) => Box::new(parquet::Parquet::new(&context, &answer, options)?),
            Self::Arrow(options) => Box::new(arrow::ArrowStream::new(&context, &answer, options.texts)?),
            Self::Html(options) => Box::new(html::Html::new(context, answer, options)),
        })
    }
}
