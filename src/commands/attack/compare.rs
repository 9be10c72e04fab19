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
    register::{Shape, Status, Table},
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
            return Ok(self.fault_of_published(cell, row));
        }
        let [low_line, high_line] = row.lines;
        let of_low = self.fault_of_line(cell, End::Low, (low > 0).then_some(low), low_line);
        Ok(of_low.or_else(|| self.fault_of_line(cell, End::High, high, high_line)))
    }

    /// What is wrong with a row that says that its count is published.
    fn fault_of_published(&self, cell: CellRef, row: &FileRow<'_>) -> Option<String> {
        if row.lines != [None, None] {
            return Some("says that its count is published, and yet names a line that proves it".into());
        }
        match self.published(cell) {
            None => Some("says that its count is published, but no other table or revision does so".into()),
            Some((other, count)) if (row.low, row.high) != (u64::from(count), Some(u64::from(count))) => {
                Some(format!("says {}, {} publishes {count}", range(row.low, row.high), self.describe(other)))
            }
            Some(_) => None,
        }
    }

    /// What is wrong with the line that a row names for an end of its range; `value` is `None` where that end needs no proof.
    fn fault_of_line(&self, cell: CellRef, end: End, value: Option<u64>, line: Option<u32>) -> Option<String> {
        let (name, file) = (end.id(), lines::FILE);
        let (value, number) = match (value, line) {
            (None, None) => return None,
            (None, Some(number)) => return Some(format!("names line {number} of {file} for its {name} end, which needs no proof")),
            (Some(value), None) => return Some(format!("names no line that proves its {name} end {value}")),
            (Some(value), Some(number)) => (value, number),
        };
        let Some(line) = self.proven.get(number as usize) else {
            return Some(format!("names line {number} of {file} for its {name} end; there is no such line"));
        };
        if line.is_supposed {
            return Some(format!("names line {number} of {file} for its {name} end; that line only holds within a proof by cases"));
        }
        let is_same = line.end == end && i128::from(line.value) == i128::from(value) && self.are_one_count(cell, line.cell);
        (!is_same).then(|| {
            let (what, of) = (self.describe(line.cell), line.end.id());
            format!("names line {number} of {file} for its {name} end {value}; that line proves the {of} end {} of {what}", line.value)
        })
    }

    fn are_one_count(&self, a: CellRef, b: CellRef) -> bool {
        a == b || self.same_cells(a).contains(&b)
    }

    /// A cell of the same count that is published, and the count.
    fn published(&self, cell: CellRef) -> Option<(CellRef, u32)> {
        self.same_cells(cell).into_iter().find_map(|same| {
            let table = self.facts.publications[usize::from(same.publication)].tables.get(usize::from(same.table))?;
            let at = same.cell as usize;
            match table.statuses.get(at)? {
                Status::Published => Some((same, *table.counts.get(at)?)),
                Status::Impossible => Some((same, 0)),
                Status::Suppressed => None,
            }
        })
    }

    /// All cells that show the same count as a cell, that cell included: those at the same nodes of its own revision, and of the revisions
    /// that are taken to have the same counts there.
    fn same_cells(&self, cell: CellRef) -> Vec<CellRef> {
        let mut same = vec![cell];
        let Some((table, shape)) = self.facts.table(cell.publication, cell.table) else { return same };
        let nodes = nodes(table, shape, cell.cell);
        let mut left = Vec::new();
        for (publication, shown) in (0..).zip(self.facts.publications) {
            for number in 0..(shown.tables.len() + shown.joint.len()) as u16 {
                let Some((other, shape)) = self.facts.table(publication, number).filter(|(other, _)| other.unit == table.unit) else {
                    continue;
                };
                left.extend(find(other, shape, &nodes).map(|cell| CellRef { publication, table: number, cell }));
            }
        }
        left.retain(|other| *other != cell);
        let mut next = 0;
        while let Some(&one) = same.get(next) {
            next += 1;
            let is_one = |other: &CellRef| other.publication == one.publication || (self.facts.same_count)(one, *other);
            same.extend(left.iter().copied().filter(is_one));
            left.retain(|other| !is_one(other));
        }
        same
    }
}

/// The nodes of a cell, by dimension, but for totals.
fn nodes<'t>(table: &'t Table, shape: &Shape, cell: u32) -> Vec<(&'t str, u32)> {
    let axes = table.axes.iter().zip(shape.axes.iter().zip(&shape.strides));
    let nodes = axes.map(|(named, (axis, stride))| {
        let position = u64::from(cell) / stride % axis.nodes.len() as u64;
        (named.dimension.as_str(), axis.nodes[position as usize])
    });
    nodes.filter(|(_, node)| *node != 0).collect()
}

/// The cell of a table at some nodes, all other dimensions at their total; `None` if the table does not show it.
fn find(table: &Table, shape: &Shape, nodes: &[(&str, u32)]) -> Option<u32> {
    let mut cell = 0;
    for (dimension, node) in nodes {
        let at = table.axes.iter().position(|axis| axis.dimension == *dimension)?;
        cell += shape.axes[at].nodes.binary_search(node).ok()? as u64 * shape.strides[at];
    }
    Some(cell as u32)
}

/// A range for people.
fn range(low: u64, high: Option<u64>) -> String {
    match high {
        Some(high) if high == low => format!("just {low}"),
        Some(high) => format!("{low} to {high}"),
        None => format!("{low} or more"),
    }
}
