//! A workbook: a cover, notes, and a sheet with the table.
//!
//! Where the numbers come from stands among the properties of the workbook, for people, and in the comment of the archive, with the seal.
//!
//! The sheet is written row by row into one temporary file, the finished workbook into another, from which it is read as it
//! is sent, so that memory holds one row. Nothing is sent before the workbook is whole.

use std::{
    fs::File,
    io::{self, BufWriter, Read as _, Seek as _, Write as _},
    os::unix::fs::FileExt as _,
};

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, Worksheet, XlsxError};

use super::{
    Context, Document, PIECE,
    about::{About, MARKED, marked},
    layout::{Layout, Line, Odometer, extent, lines, most_decimals, width},
    options::Options,
};
use crate::{
    error::{Error, Result},
    release::{NamedRelease, Sealer},
    tables::{Answer, Query},
    words::{self, Message},
};

/// The most rows and columns that a sheet has.
const MOST_ROWS: u64 = 1_048_576;
const MOST_COLUMNS: u64 = 16_384;
/// The most characters in a cell.
const MOST_TEXT: usize = 32_767;
/// Width of columns with texts and with numbers, in characters.
const WIDE: f64 = 28.0;
const NARROW: f64 = 14.0;

/// A workbook that waits to be sent.
pub struct Xlsx {
    file: File,
}

/// Whether a sheet can hold what a query asks for.
///
/// # Errors
/// Says how many rows and columns it has and what to do.
pub fn fits(query: &Query, options: Options) -> std::result::Result<(), Message> {
    let each = u64::from(options.texts.codes()) + u64::from(options.texts.names());
    let (rows, columns) = extent(query);
    let rows = rows + u64::from(options.title) + (query.heading.len() as u64 * each).max(1);
    let columns = columns + query.stub.len() as u64 * each;
    if rows <= MOST_ROWS && columns <= MOST_COLUMNS {
        return Ok(());
    }
    Err(words::TOO_LARGE_FOR_SHEET.with(rows).and(columns).and(MOST_ROWS).and(MOST_COLUMNS))
}

impl Xlsx {
    pub fn new(context: &Context, answer: &Answer, options: Options) -> Result<Self> {
        let mut workbook = Workbook::new();
        write(&mut workbook, context, answer, options).map_err(failed)?;
        let file = tempfile::tempfile().map_err(|error| Error::storage("a temporary file", error))?;
        let mut writer = BufWriter::with_capacity(PIECE, file);
        workbook.save_to_writer(&mut writer).map_err(failed)?;
        writer.flush().map_err(|error| Error::storage("a temporary file", error))?;
        let mut file = writer.into_inner().map_err(|error| Error::storage("a temporary file", error.into_error()))?;
        let told = About::new(context, &answer.query).provenance(super::Format::Xlsx(options));
        comment(&mut file, told).map_err(|error| Error::storage("a temporary file", error))?;
        file.rewind().map_err(|error| Error::storage("a temporary file", error))?;
        Ok(Self { file })
    }
}

impl Document for Xlsx {
    fn fill(&mut self, out: &mut Vec<u8>) -> Result<bool> {
        let read = (&mut self.file).take(PIECE as u64).read_to_end(out).map_err(|error| Error::storage("a temporary file", error))?;
        Ok(read > 0)
    }
}

/// Bytes of the end of an archive that has no comment.
const ARCHIVE_END: u64 = 22;

/// Gives an archive a comment, and seals the whole. A comment that is too long for an archive is left out.
fn comment(file: &mut File, comment: String) -> io::Result<()> {
    let (mut comment, length) = (comment.into_bytes(), file.seek(io::SeekFrom::End(0))?);
    let mut end = [0; ARCHIVE_END as usize];
    file.read_exact_at(&mut end, length.saturating_sub(ARCHIVE_END))?;
    let (Ok(size), true) = (u16::try_from(comment.len()), end.starts_with(b"PK\x05\x06") && end.ends_with(&[0, 0])) else { return Ok(()) };
    file.write_all_at(&size.to_le_bytes(), length - 2)?;
    let mut sealer = Sealer::default();
    let mut piece = vec![0; PIECE];
    file.rewind()?;
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            break;
        }
        sealer.add(&piece[..read]);
    }
    sealer.finish(&mut comment);
    file.write_all_at(&comment, length)
}

fn failed(error: XlsxError) -> Error {
    match error {
        XlsxError::IoError(error) => Error::storage("a temporary file", error),
        error => Error::Internal(format!("an answer cannot be written as a workbook: {error}")),
    }
}

fn write(workbook: &mut Workbook, context: &Context, answer: &Answer, options: Options) -> std::result::Result<(), XlsxError> {
    let about = About::new(context, &answer.query);
    let tongue = about.tongue();
    // Not when the file was made: the same answer is the same file.
    let written = ExcelDateTime::from_timestamp(about.entry.updated.timestamp())?;
    let mut properties = DocProperties::new().set_title(about.title()).set_author(about.source()).set_creation_datetime(&written);
    for release in about.named_releases() {
        let NamedRelease { id, sha256, key, signature } = release;
        let signed = key.zip(signature).map_or_else(String::new, |(key, signature)| format!(" key {key} signature {signature}"));
        properties = properties.set_custom_property(format!("release {id}"), format!("sha256 {sha256}{signed}"));
    }
    workbook.set_properties(&properties);

    let (bold, wrapped) = (Format::new().set_bold(), Format::new().set_text_wrap().set_align(FormatAlign::Top));
    let cover = workbook.add_worksheet();
    cover.set_name(words::COVER.text(tongue))?;
    cover.set_column_width(0, WIDE)?.set_column_width(1, 4.0 * WIDE)?;
    let named = [(&words::TITLE, about.title()), (&words::DESCRIPTION, about.description())];
    let named = named.map(|(name, text)| (name.text(tongue).to_owned(), text.to_owned()));
    for (row, (name, text)) in (0..).zip(named.into_iter().chain(about.lines("xlsx"))) {
        cover.write_with_format(row, 0, short(&name), &bold)?.write_with_format(row, 1, short(&text), &wrapped)?;
    }

    let notes = workbook.add_worksheet();
    notes.set_name(words::NOTES.text(tongue))?;
    notes.set_column_width(0, NARROW)?.set_column_width(1, 4.0 * WIDE)?;
    let legend = about.legend(answer);
    let marked = legend.iter().map(|(mark, meaning)| (mark.as_str(), *meaning));
    let warnings = about.warnings();
    for (row, (mark, note)) in (0..).zip(marked.chain(warnings.iter().map(|warning| ("", warning.as_str())))) {
        notes.write_with_format(row, 0, mark, &bold)?.write_with_format(row, 1, short(note), &wrapped)?;
    }

    let sheet = workbook.add_worksheet_with_constant_memory()?;
    sheet.set_name(words::TABLE.text(tongue))?;
    table(sheet, context, answer, options)
}

fn table(sheet: &mut Worksheet, context: &Context, answer: &Answer, options: Options) -> std::result::Result<(), XlsxError> {
    let about = About::new(context, &answer.query);
    let layout = Layout::new(context, &answer.query);
    let (stub, heading) = (lines(&layout.stub, options.texts), lines(&layout.heading, options.texts));
    let columns = layout.columns().max(1);
    let first = stub.len() as u16;
    let top = u32::from(options.title);
    let body = top + heading.len().max(1) as u32;
    for column in 0..first {
        sheet.set_column_width(column, WIDE)?;
    }
    for column in (first..).take(columns) {
        sheet.set_column_width(column, NARROW)?;
    }
    sheet.set_freeze_panes(body, first)?;

    let bold = Format::new().set_bold();
    let head = Format::new().set_bold().set_align(FormatAlign::Right);
    if options.title {
        sheet.write_with_format(0, 0, short(about.title()), &bold)?;
    }
    for row in top..body {
        if row + 1 == body {
            for (column, line) in (0..).zip(&stub) {
                sheet.write_with_format(row, column, short(line.name(&layout.stub)), &bold)?;
            }
        }
        match heading.get((row - top) as usize) {
            Some(&line) => {
                for (column, at) in (first..).zip(0..columns) {
                    sheet.write_with_format(row, column, short(column_head(&layout, line, at)), &head)?;
                }
            }
            None => _ = sheet.write_with_format(row, first, words::VALUE.text(about.tongue()), &head)?,
        }
    }

    let formats: Vec<Format> = (0..=most_decimals(answer)).map(|decimals| Format::new().set_num_format(number_format(decimals))).collect();
    let right = Format::new().set_align(FormatAlign::Right);
    let marks = MARKED.map(|status| about.mark(status).unwrap_or_default().0);
    let mut at = Odometer::over(&layout.stub);
    for (row, cells) in (body..).zip((0..answer.statuses.len()).step_by(columns)) {
        for (column, line) in (0..).zip(&stub) {
            sheet.write(row, column, short(line.text(&layout.stub, at.at()[line.side])))?;
        }
        for (column, cell) in (first..).zip(cells..cells + columns) {
            match marked(answer.statuses[cell]) {
                Some(mark) => sheet.write_with_format(row, column, &marks[mark], &right)?,
                None => {
                    let decimals = answer.decimals(cell);
                    let number = answer.values[cell] as f64 / 10f64.powi(i32::from(decimals));
                    sheet.write_with_format(row, column, number, &formats[usize::from(decimals)])?
                }
            };
        }
        at.step();
    }
    Ok(())
}

/// What stands above a column in a line of the heading.
fn column_head(layout: &Layout, line: Line, column: usize) -> &str {
    let heading = &layout.heading;
    let category = column / width(&heading[line.side + 1..]) % heading[line.side].len();
    line.text(heading, category)
}

/// How a program shows a number; the signs between digits follow its reader's language.
fn number_format(decimals: u8) -> String {
    match decimals {
        0 => "#,##0".into(),
        decimals => format!("#,##0.{}", "0".repeat(usize::from(decimals))),
    }
}

/// A text as far as a cell can hold it.
fn short(text: &str) -> &str {
    text.char_indices().nth(MOST_TEXT / 2).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        formats::Texts,
        tables::{Chosen, Variable},
    };

    #[test]
    fn what_a_sheet_cannot_hold_is_refused_before_it_is_made() {
        let options = |texts: Texts, title: bool| Options { title, ..Options::parse("xlsx", &[], texts, &[]).unwrap() };
        let query = |codes: u32, wide: bool| {
            let (stub, heading) = if wide { (Variable::Time, Variable::Axis(0)) } else { (Variable::Axis(0), Variable::Time) };
            let nodes = (0..codes).collect();
            let axes = vec![Chosen::Nodes { codelist: None, nodes }];
            Query {
                table: 0,
                axes,
                contents: vec![0],
                releases: vec![0],
                stub: vec![stub],
                heading: vec![heading],
                cells: u64::from(codes),
            }
        };
        let check = |codes: u32, wide: bool, options: Options, expect: bool| {
            assert_eq!(fits(&query(codes, wide), options).is_ok(), expect, "{codes} {wide} {options:?}");
        };
        check(1_048_575, false, options(Texts::Names, false), true);
        check(1_048_575, false, options(Texts::Names, true), false);
        check(1_048_575, false, options(Texts::Both, false), false);
        check(16_383, true, options(Texts::Codes, true), true);
        check(16_384, true, options(Texts::Codes, false), false);
        let detail = fits(&query(20_000, true), options(Texts::Codes, false)).unwrap_err().to_string();
        assert!(detail.contains("2 rows and 20001 columns") && detail.contains("take csv or parquet"), "{detail}");
    }

    #[test]
    fn numbers_keep_their_decimals() {
        assert_eq!((number_format(0).as_str(), number_format(2).as_str()), ("#,##0", "#,##0.00"));
    }

    #[test]
    fn texts_end_where_a_cell_does() {
        assert_eq!(short("Aceh"), "Aceh");
        // Cells are measured in units of UTF-16, of which a character has at most two.
        assert!(short(&"𝐀".repeat(MOST_TEXT)).encode_utf16().count() <= MOST_TEXT);
    }
}
