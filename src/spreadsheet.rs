//! Comma-separated text in which nothing becomes a formula, whichever spreadsheet opens it.
//!
//! A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula, and a formula may call programs and send what stands
//! beside it elsewhere (CSV injection). Names of files and regions, addresses that people asked for and codes of institutions come from
//! outside. So every text of a CSV file that the program writes goes through [`field`]; numbers, which are made here, need not.
//!
//! ```text
//! =HYPERLINK("http://evil.example")   ->  "'=HYPERLINK(""http://evil.example"")"
//! Wates;=1+1                          ->  Wates;'=1+1
//! ```
//!
//! The second line is for spreadsheets that expect another separator, as they do where the comma stands within numbers: they cut fields
//! where we did not, so that a formula may also begin behind a separator within a field.

use std::{
    borrow::Cow,
    io::{self, Write},
};

/// What formulas begin with, in either width.
const STARTS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
/// Where a spreadsheet may begin another cell.
const SEPARATORS: [char; 6] = [',', ';', '|', '\t', '\n', '\r'];
/// What makes a spreadsheet take a cell for a text.
const TEXT_MARK: char = '\'';

/// Whether a cell that begins like this may be taken for a formula: quotation marks before it fall away when another separator is expected.
fn is_formula(cell: &str) -> bool {
    cell.trim_start_matches('"').starts_with(STARTS)
}

/// The text, marked as a text wherever a spreadsheet might take it for a formula.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if !text.contains(STARTS) && !text.starts_with(['\t', '\r', '\n']) {
        return text.into();
    }
    // Spaces and invisible signs at the beginning are dropped by some programs.
    let visible =
        text.trim_start_matches(|char: char| char.is_whitespace() || char.is_control() || matches!(char, '\u{feff}' | '\u{200b}'));
    let marked_at_start = is_formula(visible) || text.starts_with(['\t', '\r', '\n']);
    let is_marked = |(at, separator): &(usize, &str)| is_formula(&text[at + separator.len()..]);
    let places: Vec<usize> = text.match_indices(SEPARATORS).filter(is_marked).map(|(at, separator)| at + separator.len()).collect();
    if !marked_at_start && places.is_empty() {
        return text.into();
    }
    let mut marked = String::with_capacity(text.len() + 1 + places.len());
    if marked_at_start {
        marked.push(TEXT_MARK);
    }
    let mut from = 0;
    for place in places {
        marked.push_str(&text[from..place]);
        marked.push(TEXT_MARK);
        from = place;
    }
    marked.push_str(&text[from..]);
    marked.into()
}

/// A text as a field: harmless, and in quotation marks if it needs them.
pub fn field(text: &str, separator: char) -> Cow<'_, str> {
    let text = harmless(text);
    let needs_quotes = text.contains([separator, '"', '\n', '\r']);
    if needs_quotes { format!("\"{}\"", text.replace('"', "\"\"")).into() } else { text }
}

/// Appends a field of a comma-separated line.
pub fn push_field(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(field(text, ',').as_bytes());
}

/// Writes comma-separated lines of texts.
#[derive(Debug)]
pub struct CsvWriter<W> {
    out: W,
    line: Vec<u8>,
}

impl<W: Write> CsvWriter<W> {
    /// Writes to `out`, which should be buffered.
    pub fn new(out: W) -> Self {
        Self { out, line: Vec::new() }
    }

    /// Writes a line.
    ///
    /// # Errors
    /// Where `out` cannot be written.
    pub fn record<T: AsRef<str>>(&mut self, fields: impl IntoIterator<Item = T>) -> io::Result<()> {
        self.line.clear();
        for (at, field) in fields.into_iter().enumerate() {
            if at > 0 {
                self.line.push(b',');
            }
            push_field(&mut self.line, field.as_ref());
        }
        self.line.push(b'\n');
        self.out.write_all(&self.line)
    }

    /// Writes out what is buffered, and gives back where it was written.
    ///
    /// # Errors
    /// Where `out` cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The cells of a line as a program sees them that expects a separator and knows quotation marks.
    fn cells(line: &str, separator: u8) -> Vec<String> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(line.as_bytes());
        reader.records().flat_map(|record| record.unwrap().iter().map(str::to_owned).collect::<Vec<_>>()).collect()
    }

    #[test]
    fn formulas_become_texts() {
        let check = |text: &str, expect: &str| assert_eq!(harmless(text), expect, "{text:?}");
        check("=1+1", "'=1+1");
        check("+62 811", "'+62 811");
        check("-2+3+cmd|' /C calc'!A0", "'-2+3+cmd|' /C calc'!A0");
        check("@SUM(1+9)*cmd|' /C calc'!A0", "'@SUM(1+9)*cmd|' /C calc'!A0");
        check("＝1+1", "'＝1+1");
        check("  =1+1", "'  =1+1");
        check("\t=1+1", "'\t'=1+1");
        check("\u{feff}=1+1", "'\u{feff}=1+1");
        check("\"=1+1", "'\"=1+1");
        check("Wates;=1+1", "Wates;'=1+1");
        check("Wates\n@x", "Wates\n'@x");
        check("Wates;\"=1+1", "Wates;'\"=1+1");
    }

    #[test]
    fn other_texts_stay_as_they_are() {
        for text in ["", "Wates", "0-4 tahun", "a=b", "GET /api/v2/tables?lang=en&x=-1", "A+B", "x@y.example", "SELECT a, -1", "–"] {
            assert!(matches!(harmless(text), Cow::Borrowed(same) if same == text), "{text:?}");
        }
    }

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        let check = |text: &str, separator: char, expect: &str| assert_eq!(field(text, separator), expect, "{text:?}");
        check("Elm, lower", ',', "\"Elm, lower\"");
        check("Elm, lower", ';', "Elm, lower");
        check("Birch \"upper\"", ',', "\"Birch \"\"upper\"\"\"");
        check("=HYPERLINK(\"x\",\"y\")", ',', "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\"");
        let mut writer = CsvWriter::new(Vec::new());
        writer.record(["a", "b"]).unwrap();
        writer.record(["1,5", "@x"]).unwrap();
        assert_eq!(writer.finish().unwrap(), b"a,b\n\"1,5\",'@x\n");
    }

    proptest! {
        /// Whichever separator a program expects, no cell of what we write begins like a formula.
        #[test]
        fn no_cell_begins_like_a_formula(
            texts in prop::collection::vec("[-=+@＝,;|\"'\t\n\r a1]{0,8}", 1..4),
            separator in prop::sample::select(vec![b',', b';', b'\t', b'|']),
        ) {
            let mut writer = CsvWriter::new(Vec::new());
            writer.record(&texts).unwrap();
            let line = String::from_utf8(writer.finish().unwrap()).unwrap();
            for cell in cells(&line, separator) {
                prop_assert!(!cell.starts_with(STARTS), "{cell:?} of {line:?} cut at {:?}", char::from(separator));
            }
        }

        /// Nothing is lost: with the marks taken away the text is there again.
        #[test]
        fn a_reader_of_commas_gets_the_text(text in "[^'\r]{0,12}") {
            let mut writer = CsvWriter::new(Vec::new());
            // Readers take a mark of byte order away at the very beginning of a file.
            writer.record(["before", text.as_str(), "behind"]).unwrap();
            let line = String::from_utf8(writer.finish().unwrap()).unwrap();
            let found = cells(&line, b',');
            prop_assert_eq!(found[1].replace('\'', ""), text);
            prop_assert_eq!(&found[2], "behind");
        }
    }
}
