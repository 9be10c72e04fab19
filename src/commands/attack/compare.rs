//! Compares files of ranges row by row with what the lines of a proof prove.

use std::path::Path;

use anyhow::{Result, bail};

use super::{
    lines,
    names::Names,
    ranges::{self, FileRow},
};
use crate::{
    attack::{CellRef, Checker, End, Facts, Method},
    register::Status,
};

/// What rows may name as their method.
const METHODS: [Method; 5] = [Method::Published, Method::Propagation, Method::Window, Method::Program, Method::Whole];

/// What a line says of a count.
#[derive(Debug, Clone, Copy)]
pub struct Proven {
    /// The count, by one of its cells.
    pub cell: CellRef,
    /// The end of its range.
    pub end: End,
    /// The value of that end.
    pub value: i64,
    /// Whether that holds only as long as something is supposed.
    pub is_supposed: bool,
}

/// For each revision, table and cell whether its range is still to come.
type Left = Vec<Vec<Vec<bool>>>;

/// What is proven of every cell, to compare files with.
pub struct Comparison<'c, 'a> {
    facts: &'c Facts<'a>,
    names: &'c Names<'a>,
    checker: Checker<'a>,
    proven: Vec<Proven>,
}

impl<'c, 'a> Comparison<'c, 'a> {
    /// Compares with what a checker has checked, line by line.
    pub fn new(facts: &'c Facts<'a>, names: &'c Names<'a>, checker: Checker<'a>, proven: Vec<Proven>) -> Self {
        Self { facts, names, checker, proven }
    }

    /// Checks that a file has one row for every withheld cell, or every one of which a single count is left, and that each says just what
    /// is proven. Gives back the number of rows.
    pub fn file(&mut self, path: &Path, is_of_determined: bool) -> Result<u64> {
        let is_left = |statuses: &[Status]| statuses.iter().map(|status| *status == Status::Suppressed).collect();
        let publications = self.facts.publications.iter();
        let mut left: Left = publications.map(|shown| shown.tables.iter().map(|table| is_left(table.statuses)).collect()).collect();
        let mut rows = 0;
        ranges::read(path, &mut |row: &FileRow<'_>| {
            rows += 1;
            self.fault(row, &mut left, is_of_determined)
        })?;
        for (publication, tables) in (0..).zip(&left) {
            for (table, cells) in (0..).zip(tables) {
                for (cell, _) in (0..).zip(cells).filter(|(_, is_left)| **is_left) {
                    let cell = CellRef { publication, table, cell };
                    let (low, high) = self.checker.range(cell)?;
                    if !is_of_determined || high == Some(low) {
                        let (shown, what) = (path.display(), self.describe(cell));
                        bail!("{shown} lacks a row for {what}, proven to be {}; run 'cacah attack' again", range(low, high));
                    }
                }
            }
        }
        Ok(rows)
    }

    fn describe(&self, cell: CellRef) -> String {
        format!("r{} {}", self.names.revision(cell), self.facts.describe(cell))
    }

    /// What is wrong with a row; nothing if it says just what is proven, of a cell that is left.
    fn fault(&mut self, row: &FileRow<'_>, left: &mut Left, is_of_determined: bool) -> Result<Option<String>> {
        let fault = |what: String| Ok(Some(what));
        let Some(cell) = self.names.cell(row.revision, row.table, row.row) else {
            return fault("is of a table that the release does not have".into());
        };
        let (publication, table) = (usize::from(cell.publication), usize::from(cell.table));
        let is_left = left.get_mut(publication).and_then(|left| left.get_mut(table)).and_then(|left| left.get_mut(cell.cell as usize));
        let Some(is_left) = is_left else { return fault(format!("is of a cell, number {}, that the release does not have", row.row)) };
        let codes = self.facts.codes(cell);
        if codes != row.codes {
            return fault(format!("is of another cell than its number says: {} is {codes}", row.row));
        }
        if !std::mem::take(is_left) {
            let is_withheld = self.facts.publications[publication].tables[table].statuses[cell.cell as usize] == Status::Suppressed;
            let what = if is_withheld { "stands there for the second time" } else { "is of a cell that is not withheld" };
            return fault(what.into());
        }
        let (low, high) = self.checker.range(cell)?;
        if (row.low, row.high) != (low, high) {
            return fault(format!("says {}, proven is {}", range(row.low, row.high), range(low, high)));
        }
        if is_of_determined && high != Some(low) {
            return fault(format!("does not belong there: {} is more than one count", range(low, high)));
        }
        if !METHODS.iter().any(|method| method.id() == row.method) {
            return fault(format!("names a method '{}', which there is not", row.method));
        }
        if row.method == Method::Published.id() {
            return self.fault_of_published(cell, row);
        }
        let [low_line, high_line] = row.lines;
        match self.fault_of_line(cell, End::Low, (low > 0).then_some(low), low_line)? {
            None => self.fault_of_line(cell, End::High, high, high_line),
            fault => Ok(fault),
        }
    }

    /// What is wrong with a row that says that its count is published; that its range is that count is checked already.
    fn fault_of_published(&mut self, cell: CellRef, row: &FileRow<'_>) -> Result<Option<String>> {
        if row.lines != [None, None] {
            return Ok(Some("says that its count is published, and yet names a line that proves it".into()));
        }
        let is_published = self.checker.is_published(cell)?;
        Ok((!is_published).then(|| "says that its count is published, but no other table or revision does so".into()))
    }

    /// What is wrong with the line that a row names for an end of its range; `value` is `None` where that end needs no proof.
    fn fault_of_line(&mut self, cell: CellRef, end: End, value: Option<u64>, line: Option<u32>) -> Result<Option<String>> {
        let (name, file) = (end.id(), lines::FILE);
        let fault = |what: String| Ok(Some(what));
        let (value, number) = match (value, line) {
            (None, None) => return Ok(None),
            (None, Some(number)) => return fault(format!("names line {number} of {file} for its {name} end, which needs no proof")),
            (Some(value), None) => return fault(format!("names no line that proves its {name} end {value}")),
            (Some(value), Some(number)) => (value, number),
        };
        let Some(&line) = self.proven.get(number as usize) else {
            return fault(format!("names line {number} of {file} for its {name} end; there is no such line"));
        };
        if line.is_supposed {
            return fault(format!("names line {number} of {file} for its {name} end; that line only holds within a proof by cases"));
        }
        if line.end == end && i128::from(line.value) == i128::from(value) && self.checker.are_one_count(cell, line.cell)? {
            return Ok(None);
        }
        let (what, of) = (self.describe(line.cell), line.end.id());
        fault(format!("names line {number} of {file} for its {name} end {value}; that line proves the {of} end {} of {what}", line.value))
    }
}

/// A range for people.
fn range(low: u64, high: Option<u64>) -> String {
    match high {
        Some(high) if high == low => format!("just {low}"),
        Some(high) => format!("{low} to {high}"),
        None => format!("{low} or more"),
    }
}
