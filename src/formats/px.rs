//! PX-files of AXIS-VERSION 2013, as PxWin, PxWeb and pyaxis read them.
//!
//! ```text
//! STUB="region","sex";
//! HEADING="period";
//! VALUES("sex")="Male","Female";
//! CODES("sex")="L","P";
//! DATASYMBOL3="suppressed to protect people; ...";
//! DATA=
//! 1203 "..."
//! ```
//!
//! The format has no other signs for cells without a number than one to six dots, and readers fail at any other. What
//! cannot exist is `"."`, what is not available `".."`, what is suppressed `"..."`, each explained by its DATASYMBOL.

use std::sync::Arc;

use super::{
    Context, Document, PIECE,
    about::About,
    layout::{Layout, Side, most_decimals},
    push_number,
};
use crate::{
    error::Result,
    register::{Frequency, Period},
    tables::{Answer, CellStatus, Query, Variable},
};

/// Texts are broken off into another pair of quotation marks after so many bytes, because readers take lines of limited length.
const LINE: usize = 200;

/// An answer being written as a PX-file.
pub struct Px {
    answer: Arc<Answer>,
    /// Everything up to the numbers, until it is written.
    head: Option<Vec<u8>>,
    /// Numbers in a line.
    columns: usize,
    cell: usize,
}

impl Px {
    pub fn new(context: &Context, answer: Arc<Answer>) -> Self {
        let layout = Layout::new(context, &answer.query);
        let head = head(context, &answer, &layout);
        Self { head: Some(head), columns: layout.columns().max(1), cell: 0, answer }
    }
}

impl Document for Px {
    fn fill(&mut self, out: &mut Vec<u8>) -> Result<bool> {
        let end = out.len() + PIECE;
        if let Some(head) = self.head.take() {
            out.extend_from_slice(&head);
        }
        while self.cell < self.answer.statuses.len() {
            if out.len() >= end {
                return Ok(true);
            }
            match symbol(self.answer.statuses[self.cell]) {
                None => push_number(out, self.answer.values[self.cell], self.answer.decimals(self.cell)),
                Some((symbol, _)) => {
                    out.push(b'"');
                    out.extend_from_slice(symbol.as_bytes());
                    out.push(b'"');
                }
            }
            out.push(b' ');
            self.cell += 1;
            if self.cell.is_multiple_of(self.columns) {
                out.push(b'\n');
            }
        }
        out.extend_from_slice(b";\n");
        Ok(false)
    }
}

/// What stands for a status, and the keyword that explains it.
fn symbol(status: CellStatus) -> Option<(&'static str, &'static str)> {
    match status {
        CellStatus::Published => None,
        CellStatus::Impossible => Some((".", "DATASYMBOL1")),
        CellStatus::Unavailable => Some(("..", "DATASYMBOL2")),
        CellStatus::Suppressed => Some(("...", "DATASYMBOL3")),
    }
}

fn head(context: &Context, answer: &Answer, layout: &Layout) -> Vec<u8> {
    let query = &answer.query;
    let about = About::new(context, query);
    let table = &about.entry.table;
    let library = &context.library;
    let mut out = Keywords { out: Vec::new() };
    out.text("CHARSET", "ANSI");
    out.text("AXIS-VERSION", "2013");
    out.text("CODEPAGE", "utf-8");
    out.text("LANGUAGE", about.language());
    out.text("CREATION-DATE", &date(about));
    let decimals = most_decimals(answer);
    out.plain("DECIMALS", &decimals.to_string());
    out.plain("SHOWDECIMALS", &decimals.to_string());
    out.text("MATRIX", &table.id);
    out.text("SUBJECT-CODE", &about.entry.subject_code());
    out.text("SUBJECT-AREA", table.subject.text(context.language));
    out.text("TITLE", about.title());
    out.text("DESCRIPTION", about.title());
    let contents = table.contents.label.text(context.language);
    out.text("CONTENTS", contents);
    out.text("UNITS", table.contents.unit.text(context.language));
    for (keyword, sides) in [("STUB", &layout.stub), ("HEADING", &layout.heading)] {
        if !sides.is_empty() {
            out.list(keyword, None, sides.iter().map(|side| side.label.as_str()));
        }
    }
    let sides: Vec<(Variable, &Side)> = query.variables().zip(layout.stub.iter().chain(&layout.heading)).collect();
    for (variable, side) in &sides {
        if *variable == Variable::Contents {
            out.text("CONTVARIABLE", &side.label);
        }
    }
    for (_, side) in &sides {
        out.list("VALUES", Some(&side.label), side.labels.iter());
    }
    for (variable, side) in &sides {
        if *variable == Variable::Time {
            out.times(&side.label, library.register.frequency, periods(context, query));
        }
    }
    for (_, side) in &sides {
        out.list("CODES", Some(&side.label), side.codes.iter());
    }
    for (_, side) in &sides {
        out.text(&format!("VARIABLECODE({})", quoted(&side.label)), &side.code);
    }
    let mut before = 1;
    for (variable, side) in &sides {
        before *= side.len();
        if *variable == Variable::Contents {
            // Cells from one measure to the next.
            let stride = answer.statuses.len() / before.max(1);
            for (at, label) in side.labels.iter().enumerate() {
                out.text(&format!("LAST-UPDATED({})", quoted(label)), &date(about));
                out.text(&format!("UNITS({})", quoted(label)), table.contents.unit.text(context.language));
                let own = answer.decimals(at * stride);
                if own != decimals {
                    out.plain(&format!("PRECISION({},{})", quoted(&side.label), quoted(label)), &own.to_string());
                }
            }
        }
    }
    out.text("SOURCE", about.source());
    for status in [CellStatus::Impossible, CellStatus::Unavailable, CellStatus::Suppressed] {
        if let (Some((_, keyword)), Some((_, meaning))) = (symbol(status), about.mark(status)) {
            out.text(keyword, meaning);
        }
    }
    out.text("NOTE", &note(about));
    out.out.extend_from_slice(b"DATA=\n");
    out.out
}

/// What a reader must know; `#` begins another line.
fn note(about: About<'_>) -> String {
    let mut lines = vec![about.description().to_owned(), about.releases().join(" "), about.license().to_owned()];
    lines.extend(about.warnings());
    lines.join("#")
}

/// When the newest of the numbers were published, as PX-files write it.
fn date(about: About<'_>) -> String {
    about.entry.updated.format("%Y%m%d %H:%M").to_string()
}

fn periods(context: &Context, query: &Query) -> Vec<Period> {
    query.releases.iter().map(|&release| context.library.releases[release].manifest.period).collect()
}

/// Writes keywords, one after the other.
struct Keywords {
    out: Vec<u8>,
}

impl Keywords {
    fn plain(&mut self, keyword: &str, value: &str) {
        self.out.extend_from_slice(format!("{keyword}={value};\n").as_bytes());
    }

    fn text(&mut self, keyword: &str, text: &str) {
        self.out.extend_from_slice(keyword.as_bytes());
        self.out.push(b'=');
        let text = clean(text);
        let mut rest = text.as_str();
        while rest.len() > LINE {
            let cut = (1..=LINE).rev().find(|&at| rest.is_char_boundary(at) && rest.as_bytes()[at - 1] == b' ').unwrap_or(rest.len());
            let (line, after) = rest.split_at(cut);
            self.out.extend_from_slice(format!("\"{line}\"\n").as_bytes());
            rest = after;
        }
        self.out.extend_from_slice(format!("\"{rest}\";\n").as_bytes());
    }

    fn list<'t>(&mut self, keyword: &str, of: Option<&str>, texts: impl Iterator<Item = &'t str>) {
        self.out.extend_from_slice(keyword.as_bytes());
        if let Some(of) = of {
            self.out.extend_from_slice(format!("({})", quoted(of)).as_bytes());
        }
        self.out.push(b'=');
        let mut line = self.out.len();
        for (at, text) in texts.enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            if self.out.len() - line > LINE {
                self.out.push(b'\n');
                line = self.out.len();
            }
            self.out.extend_from_slice(quoted(text).as_bytes());
        }
        self.out.extend_from_slice(b";\n");
    }

    /// The periods of a variable, in the way in which programs count with them: `TLIST(H1),"20241"`.
    fn times(&mut self, of: &str, frequency: Frequency, periods: Vec<Period>) {
        let scale = match frequency {
            Frequency::Annual => "A1",
            Frequency::Semester => "H1",
            Frequency::Quarter => "Q1",
            Frequency::Month => "M1",
        };
        self.out.extend_from_slice(format!("TIMEVAL({})=TLIST({scale})", quoted(of)).as_bytes());
        for period in periods {
            let (year, part) = (period.year(), period.part());
            let time = match frequency {
                Frequency::Annual => format!(",\"{year}\""),
                Frequency::Semester | Frequency::Quarter => format!(",\"{year}{part}\""),
                Frequency::Month => format!(",\"{year}{part:02}\""),
            };
            self.out.extend_from_slice(time.as_bytes());
        }
        self.out.extend_from_slice(b";\n");
    }
}

/// A text without what the format cannot hold: it has no way to write a quotation mark within a text.
fn clean(text: &str) -> String {
    text.replace('"', "'").replace(['\r', '\n'], " ")
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", clean(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Keywords)) -> String {
        let mut keywords = Keywords { out: Vec::new() };
        write(&mut keywords);
        String::from_utf8(keywords.out).unwrap()
    }

    #[test]
    fn quotation_marks_cannot_end_a_text() {
        assert_eq!(written(|out| out.text("TITLE", "the \"big\"\none;")), "TITLE=\"the 'big' one;\";\n");
        let list = written(|out| out.list("VALUES", Some("a\"b"), ["\"", "x,y"].into_iter()));
        assert_eq!(list, "VALUES(\"a'b\")=\"'\",\"x,y\";\n");
    }

    #[test]
    fn long_texts_lose_nothing_when_they_are_broken_off() {
        for text in ["kata ".repeat(150), "é".repeat(500), format!("{} b", "a".repeat(300))] {
            let written = written(|out| out.text("NOTE", &text));
            let parts: String = written.trim_start_matches("NOTE=").trim_end_matches(";\n").replace("\"\n\"", "").replace('"', "");
            assert_eq!(parts, text);
            let longest = written.lines().map(str::len).max().unwrap();
            assert!(longest <= LINE + 10 || !text.contains(' ') || text.starts_with("aaa"), "{longest}");
        }
    }

    #[test]
    fn periods_are_written_as_programs_count_them() {
        let check = |frequency: Frequency, period: &str, expect: &str| {
            let written = written(|out| out.times("t", frequency, vec![period.parse().unwrap()]));
            assert_eq!(written, format!("TIMEVAL(\"t\")=TLIST({expect};\n"));
        };
        check(Frequency::Annual, "2024", "A1),\"2024\"");
        check(Frequency::Semester, "2024-S2", "H1),\"20242\"");
        check(Frequency::Quarter, "2024-Q3", "Q1),\"20243\"");
        check(Frequency::Month, "2024-M05", "M1),\"202405\"");
    }
}
