//! Delimiter-separated text: heading, blocks of whole records, fields of the columns that are needed.

use std::{
    collections::HashMap,
    io::{self, Read},
    sync::Arc,
};

use super::{
    Shortfall,
    scan::{self, Borders, PADDING},
    shape, told,
};
use crate::error::{Error, Result};

/// Bytes of one block. About what the second-level cache of a core holds beside the counting arrays.
const BLOCK: usize = 1 << 20;
/// Delimiters that a heading may use.
const DELIMITERS: [u8; 4] = *b",;\t|";

/// A block of records of one file. Fields are cut out when they are asked for, because most never are.
#[derive(Debug, Default)]
pub struct TextChunk {
    bytes: Vec<u8>,
    separators: Vec<u32>,
    /// For each record the number of separators before it.
    firsts: Vec<u32>,
    /// Position of each needed column among the separators of a record.
    needed: Vec<u32>,
    /// Whether fields may be enclosed in quotes.
    quoted: bool,
    /// Line of each record in its file, from 1.
    pub lines: Vec<u64>,
    /// Records that do not have as many fields as the heading: line, fields found.
    pub misshapen: Vec<(u64, usize)>,
}

impl TextChunk {
    /// Number of records that could be cut into fields.
    pub fn records(&self) -> usize {
        self.lines.len()
    }

    #[inline(always)]
    fn span(&self, column: usize, record: usize) -> (usize, usize) {
        let at = (self.firsts[record] + self.needed[column]) as usize;
        let mut start = if at == 0 { 0 } else { self.separators[at - 1] as usize + 1 };
        let mut end = self.separators[at] as usize;
        if self.bytes[end] == b'\n' && end > start && self.bytes[end - 1] == b'\r' {
            end -= 1;
        }
        if self.quoted && self.bytes[start] == b'"' && end >= start + 2 {
            start += 1;
            end -= 1;
        }
        (start, end)
    }

    /// A field's bytes, quotes removed.
    #[inline(always)]
    pub fn field(&self, column: usize, record: usize) -> &[u8] {
        let (start, end) = self.span(column, record);
        &self.bytes[start..end]
    }

    /// A field's bytes, and behind them all bytes of the block: a reader may load more than the field and mask it.
    #[inline(always)]
    pub fn field_within(&self, column: usize, record: usize) -> (&[u8], &[u8]) {
        let (start, end) = self.span(column, record);
        (&self.bytes[start..end], &self.bytes[start..])
    }

    /// Everything from the first byte of one column to the last byte of another, quotes and delimiters included.
    #[inline(always)]
    pub fn stretch(&self, first: usize, last: usize, record: usize) -> &[u8] {
        let from = (self.firsts[record] + self.needed[first]) as usize;
        let start = if from == 0 { 0 } else { self.separators[from - 1] as usize + 1 };
        &self.bytes[start..self.separators[(self.firsts[record] + self.needed[last]) as usize] as usize]
    }

    /// Whether these columns stand side by side in this order.
    pub fn adjacent(&self, columns: &[usize]) -> bool {
        columns.windows(2).all(|pair| self.needed[pair[0]] + 1 == self.needed[pair[1]])
    }
}

/// A block of whole records, not yet cut.
pub struct Block {
    bytes: Vec<u8>,
    length: usize,
    first_line: u64,
    regular: bool,
    layout: Arc<Layout>,
}

/// What the heading of a file says.
#[derive(Debug)]
pub struct Layout {
    /// Name of the file, for messages.
    name: String,
    delimiter: u8,
    /// Number of columns.
    columns: usize,
    /// Position of each needed column.
    needed: Vec<usize>,
}

/// Reads one file block by block.
pub struct TextReader {
    source: Box<dyn Read + Send>,
    layout: Arc<Layout>,
    /// What was read behind the last whole record.
    rest: Vec<u8>,
    /// Line on which the next record begins.
    line: u64,
    ended: bool,
}

impl TextReader {
    /// Opens a text: reads its heading and finds the needed columns in it.
    pub fn open(name: &str, mut source: Box<dyn Read + Send>, needed: &[String]) -> Result<Self> {
        let mut start = vec![0; BLOCK];
        let read = fill(&mut source, &mut start).map_err(|error| unreadable(name, 1, &error))?;
        let ended = read < BLOCK;
        start.truncate(read);
        if start.is_empty() {
            return Err(Error::Input(format!("{name}: the file is empty; expected a heading line and one line a person")));
        }
        if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) {
            return Err(Error::Input(format!("{name}: the text is UTF-16; save it as UTF-8")));
        }
        if start.starts_with(&[0xef, 0xbb, 0xbf]) {
            start.drain(..3);
        }
        let heading = match memchr::memchr(b'\n', &start) {
            Some(end) => end + 1,
            None if ended => start.len(),
            None => return Err(too_long(name, 1)),
        };
        if memchr::memchr(0, &start[..heading]).is_some() || std::str::from_utf8(&start[..heading]).is_err() {
            return Err(Error::Input(format!("{name}, line 1: not a text file; expected CSV (also .gz, .zst) in UTF-8, or Parquet")));
        }
        let layout = Layout::read(name, &start[..heading], needed)?;
        let rest = start.split_off(heading);
        Ok(Self { source, layout: Arc::new(layout), rest, line: 2, ended })
    }

    /// The next block of whole records; `None` at the end of the file. The buffer of `spent` is used again.
    pub fn next(&mut self, spent: &mut TextChunk) -> Result<Option<Block>> {
        let layout = &self.layout;
        // A buffer keeps its length from block to block, so that nothing is cleared only to be overwritten.
        let mut bytes = std::mem::take(&mut spent.bytes);
        bytes.resize(BLOCK + PADDING + 1, 0);
        let mut length = self.rest.len();
        bytes[..length].copy_from_slice(&self.rest);
        self.rest.clear();
        if !self.ended {
            let free = &mut bytes[length..BLOCK];
            let wanted = free.len();
            let read = fill(&mut self.source, free).map_err(|error| unreadable(&layout.name, self.line, &error))?;
            self.ended = read < wanted;
            length += read;
        }
        if length == 0 {
            return Ok(None);
        }
        if self.ended && bytes[length - 1] != b'\n' {
            bytes[length] = b'\n';
            length += 1;
        }
        let survey = scan::survey(&bytes, length, layout.delimiter);
        if survey.end < length && (self.ended || survey.end == 0) {
            let line = self.line + survey.lines;
            return Err(if survey.open {
                Error::Input(format!("{}, line {line}: a quotation mark opens here and is never closed", layout.name))
            } else {
                too_long(&layout.name, line)
            });
        }
        self.rest.extend_from_slice(&bytes[survey.end..length]);
        let block = Block { bytes, length: survey.end, first_line: self.line, regular: survey.regular, layout: Arc::clone(layout) };
        self.line += survey.lines;
        Ok(Some(block))
    }
}

/// Reads until all of `bytes` is filled or the source ends; tells how many were read.
fn fill(source: &mut dyn Read, bytes: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < bytes.len() {
        match source.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn unreadable(name: &str, line: u64, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            Error::Input(format!("{name}: the compressed file is truncated (after about line {line}); transfer it again"))
        }
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
            Error::Input(format!("{name}: the compressed file is damaged (after about line {line}): {error}; transfer it again"))
        }
        // zstd reports a frame that ends early as an error of its own.
        io::ErrorKind::Other if error.to_string().contains("incomplete frame") => {
            Error::Input(format!("{name}: the compressed file is truncated (after about line {line}); transfer it again"))
        }
        _ => Error::storage(name, error),
    }
}

fn too_long(name: &str, line: u64) -> Error {
    Error::Input(format!("{name}, line {line}: a line of more than {} KiB; expected one line a person", BLOCK >> 10))
}

/// Whether a first line names any of the columns that are needed.
fn is_heading(line: &[u8], needed: &[String]) -> bool {
    /// What may stand between the names, also where it is no delimiter that we take.
    const BETWEEN: &[u8] = b",;\t|^:~\"\r\n";
    let names = line.split(|byte| BETWEEN.contains(byte)).map(<[u8]>::trim_ascii);
    names.into_iter().any(|name| needed.iter().any(|wanted| wanted.as_bytes().eq_ignore_ascii_case(name)))
}

impl Layout {
    fn read(name: &str, heading: &[u8], needed: &[String]) -> Result<Self> {
        let split = |delimiter: u8| -> Vec<String> {
            let mut reader = csv::ReaderBuilder::new().has_headers(false).delimiter(delimiter).trim(csv::Trim::All).from_reader(heading);
            let record = reader.records().next().and_then(std::result::Result::ok).unwrap_or_default();
            record.iter().map(str::to_owned).collect()
        };
        let position = |columns: &[String], wanted: &str| columns.iter().position(|column| column.eq_ignore_ascii_case(wanted));
        let (delimiter, columns) = DELIMITERS
            .into_iter()
            .map(|delimiter| (delimiter, split(delimiter)))
            .max_by_key(|(_, columns)| (needed.iter().filter(|wanted| position(columns, wanted).is_some()).count(), columns.len()))
            .unwrap_or((b',', Vec::new()));
        // The first line of a file without a heading is a person, of whom nothing is told.
        let has_heading = is_heading(heading, needed);
        let found = |columns: &[String]| {
            if has_heading {
                return told(columns);
            }
            let shapes: Vec<String> = columns.iter().map(|column| shape(column.as_bytes())).collect();
            format!("no heading but a line of the form {}", told(&shapes))
        };
        if columns.len() < 2 {
            return Err(Error::Input(format!(
                "{name}, line 1: no delimiter found; expected the columns of a snapshot separated by comma, semicolon or tab; the file has: {}",
                found(&columns)
            )));
        }
        if delimiter == b'|' {
            return Err(Error::Input(format!(
                "{name}, line 1: the columns are separated by '|'; expected comma, semicolon or tab; the file has: {}",
                found(&columns)
            )));
        }
        let mut at = HashMap::new();
        for column in &columns {
            if has_heading && !column.is_empty() && at.insert(column.to_ascii_lowercase(), ()).is_some() {
                return Err(Error::Input(format!("{name}, line 1: column '{column}' stands there twice; expected each once")));
            }
        }
        let missing: Vec<&str> = needed.iter().filter(|wanted| position(&columns, wanted).is_none()).map(String::as_str).collect();
        if !missing.is_empty() {
            return Err(Shortfall { file: format!("{name}, line 1"), missing: &missing, found: found(&columns) }.into());
        }
        let needed = needed.iter().filter_map(|wanted| position(&columns, wanted)).collect();
        Ok(Self { name: name.to_owned(), delimiter, columns: columns.len(), needed })
    }
}

impl Block {
    /// Cuts the block into records; the buffers of `chunk` are used again.
    pub fn cut(self, chunk: &mut TextChunk) -> Result<()> {
        chunk.firsts.clear();
        chunk.lines.clear();
        chunk.misshapen.clear();
        if self.regular {
            self.cut_regular(chunk);
            Ok(())
        } else {
            self.cut_irregular(chunk)
        }
    }

    fn cut_regular(self, chunk: &mut TextChunk) {
        let Self { bytes, length, first_line, layout, .. } = self;
        let mut borders = Borders { separators: std::mem::take(&mut chunk.separators), records: Vec::new() };
        scan::borders(&bytes, length, layout.delimiter, &mut borders);
        let mut before = 0;
        for (at, &upto) in borders.records.iter().enumerate() {
            let (found, first) = ((upto - before) as usize, before);
            before = upto;
            let line = first_line + at as u64;
            if found == layout.columns {
                chunk.lines.push(line);
                chunk.firsts.push(first);
            } else if found > 1 || !is_blank(&bytes, &borders, first as usize) {
                chunk.misshapen.push((line, found));
            }
        }
        chunk.separators = borders.separators;
        chunk.bytes = bytes;
        chunk.needed = layout.needed.iter().map(|&column| column as u32).collect();
        chunk.quoted = true;
    }

    /// Rewrites the block without quotes and unneeded columns, so that it can be read like any other.
    fn cut_irregular(self, chunk: &mut TextChunk) -> Result<()> {
        let layout = &self.layout;
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(layout.delimiter)
            .terminator(csv::Terminator::Any(b'\n'))
            .from_reader(&self.bytes[..self.length]);
        let mut bytes = Vec::with_capacity(self.length + PADDING);
        chunk.separators.clear();
        chunk.needed = (0..layout.needed.len() as u32).collect();
        chunk.quoted = false;
        let mut record = csv::ByteRecord::new();
        let failed = |error: csv::Error| Error::Internal(format!("a block of {} cannot be cut: {error}", layout.name));
        while reader.read_byte_record(&mut record).map_err(failed)? {
            let line = self.first_line + record.position().map_or(0, |position| position.line() - 1);
            if record.len() != layout.columns {
                if record.len() > 1 || record.get(0).is_some_and(|field| field != b"\r" && !field.is_empty()) {
                    chunk.misshapen.push((line, record.len()));
                }
                continue;
            }
            chunk.lines.push(line);
            chunk.firsts.push(chunk.separators.len() as u32);
            for &column in &layout.needed {
                let field = record.get(column).unwrap_or_default();
                bytes.extend_from_slice(field.strip_suffix(b"\r").unwrap_or(field));
                chunk.separators.push(bytes.len() as u32);
                bytes.push(0);
            }
        }
        bytes.resize(bytes.len() + PADDING, 0);
        chunk.bytes = bytes;
        Ok(())
    }
}

fn is_blank(bytes: &[u8], borders: &Borders, first: usize) -> bool {
    let start = if first == 0 { 0 } else { borders.separators[first - 1] as usize + 1 };
    bytes[start..borders.separators[first] as usize].iter().all(|byte| *byte == b'\r')
}
