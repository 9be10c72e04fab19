//! One piece of the work: the cells below one spine node, in every table.

use std::ops::Range;

use super::{
    frame::{Frame, NONE},
    revisions::Way,
};
use crate::worlds::Rule;

/// The cell is withheld.
pub const SUPPRESSED: u8 = 1;
/// The cell is withheld by a rule, not to protect another.
pub const PRIMARY: u8 = 2;
/// The cell cannot occur.
pub const IMPOSSIBLE: u8 = 4;
/// Some world shows the primary at the low end.
pub const LOW: u8 = 8;
/// Some world shows the primary at the high end.
pub const HIGH: u8 = 16;
/// The cell holds all of a small group, and no world shows otherwise yet.
pub const GROUP: u8 = 64;
/// A finished piece of work relies on the suppression.
pub const LOCKED: u8 = 32;
/// The primary counts everybody in a place with people outside of counted households, and no world shows yet that it could be as small as the
/// rule asks to those who do not know of them.
pub const UNAWARE: u8 = 128;

/// The rows of one table that belong to a family.
#[derive(Debug)]
pub struct Slice<'a> {
    /// Number of the first row.
    pub first_row: usize,
    /// Counts of the rows.
    pub counts: &'a [u32],
    /// What may be taken away from the rows' cells.
    pub spare: &'a [u32],
    /// What more may be taken away in the eyes of those who know of nobody outside of counted households; empty where that is nothing.
    pub relief: &'a [u32],
    /// Ways of making worlds that may not change the rows' cells; empty where nothing is published yet.
    pub locks: &'a [u32],
    /// What suppressing each of the rows' cells would cost.
    pub prices: &'a [u32],
    /// Marks of the rows' cells.
    pub marks: &'a mut [u8],
    /// Family-wide number of the first cell.
    pub base: u32,
}

impl Slice<'_> {
    /// What may be taken away from a cell.
    #[inline]
    pub fn spare(&self, index: usize, unaware: bool) -> i32 {
        let relief = if unaware { self.relief.get(index).copied().unwrap_or(0) } else { 0 };
        self.spare[index] as i32 + relief as i32
    }
}

/// A spine node with everything below it; its own cells belong to it only if `open`.
#[derive(Debug)]
pub struct Family<'a> {
    /// The layout of all tables.
    pub frame: &'a Frame<'a>,
    /// The spine node.
    pub top: u32,
    /// Whether changes may run through the node's own cells: only the last piece of work, over the whole tree, may.
    pub open: bool,
    /// One slice a table.
    pub slices: Vec<Slice<'a>>,
    /// For each table and spine node, counted from the top, where its row starts in the slice; [`NONE`]: no row here.
    pub starts: Vec<Vec<u32>>,
    /// Number of cells.
    pub cells: u32,
}

/// A cell of a family: table, row counted from the slice's first, inner offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Position in [`Frame::tables`].
    pub table: usize,
    /// Row of the table.
    pub row: usize,
    /// Inner offset.
    pub inner: usize,
}

/// The rows of a table that a family covers.
pub fn rows(frame: &Frame<'_>, table: usize, top: u32, open: bool) -> Range<usize> {
    let layout = &frame.tables[table];
    let first = if open { top } else { top + 1 };
    let end = frame.spine_tree().end[top as usize];
    // Rows are in the order of the spine's nodes.
    let start = layout.spine_nodes.partition_point(|&node| node < first);
    start..layout.spine_nodes.partition_point(|&node| node < end).max(start)
}

impl<'a> Family<'a> {
    /// A family over these marks, one slice of them a table, as [`rows`] cuts them.
    pub fn new(frame: &'a Frame<'a>, top: u32, open: bool, marks: Vec<&'a mut [u8]>) -> Self {
        let mut base = 0;
        let slices = marks
            .into_iter()
            .enumerate()
            .map(|(table, marks)| {
                let layout = &frame.tables[table];
                let rows = rows(frame, table, top, open);
                let cells = rows.start * layout.inner..rows.end * layout.inner;
                let slice = Slice {
                    first_row: rows.start,
                    counts: &layout.counts[cells.clone()],
                    spare: &layout.spare.as_deref().unwrap_or(&layout.counts)[cells.clone()],
                    relief: if layout.relief.is_empty() { &[] } else { &layout.relief[cells.clone()] },
                    locks: if layout.locks.is_empty() { &[] } else { &layout.locks[cells.clone()] },
                    prices: &layout.prices[cells],
                    marks,
                    base,
                };
                base += slice.counts.len() as u32;
                slice
            })
            .collect();
        let nodes = top as usize..frame.spine_tree().end[top as usize] as usize;
        let start = |table: usize, node: usize| {
            let layout = &frame.tables[table];
            let row = layout.row[node];
            let covered = row != NONE && (open || node > top as usize);
            if covered { (row as usize - rows(frame, table, top, open).start) as u32 * layout.inner as u32 } else { NONE }
        };
        let starts = (0..frame.tables.len()).map(|table| nodes.clone().map(|node| start(table, node)).collect()).collect();
        Self { frame, top, open, slices, starts, cells: base }
    }

    /// Index within the slice of a table's cell; the row must lie in the family.
    #[inline]
    pub fn index(&self, place: Place) -> usize {
        (place.row - self.slices[place.table].first_row) * self.frame.tables[place.table].inner + place.inner
    }

    /// Family-wide number of a cell.
    #[inline]
    pub fn number(&self, place: Place) -> u32 {
        self.slices[place.table].base + self.index(place) as u32
    }

    /// The table and index within its slice of a family-wide number.
    #[inline]
    pub fn locate(&self, number: u32) -> (usize, usize) {
        let table = self.slices.partition_point(|slice| slice.base <= number) - 1;
        // Tables without rows here share their base with the next; the last of them is the one that has the cell.
        (table, (number - self.slices[table].base) as usize)
    }

    /// The cell with a family-wide number.
    pub fn place(&self, number: u32) -> Place {
        let (table, index) = self.locate(number);
        let inner = self.frame.tables[table].inner;
        Place { table, row: self.slices[table].first_row + index / inner, inner: index % inner }
    }

    /// The marks of a cell.
    #[inline]
    pub fn mark(&self, number: u32) -> u8 {
        let (table, index) = self.locate(number);
        self.slices[table].marks[index]
    }

    /// The count of a cell.
    #[inline]
    pub fn count(&self, number: u32) -> u32 {
        let (table, index) = self.locate(number);
        self.slices[table].counts[index]
    }

    /// What may be taken away from a cell in a way of making worlds.
    #[inline]
    pub fn spare(&self, number: u32, way: Way) -> i32 {
        let (table, index) = self.locate(number);
        self.slices[table].spare(index, way.unaware)
    }

    /// Whether a cell may be changed in a way of making worlds.
    #[inline]
    pub fn is_locked(&self, number: u32, way: Way) -> bool {
        let (table, index) = self.locate(number);
        self.slices[table].locks.get(index).is_some_and(|locks| locks & way.lock != 0)
    }

    /// By how much a world must change a primary at least, downwards and upwards.
    pub fn goals(&self, number: u32, rule: &Rule) -> (i32, i32) {
        let (table, index) = self.locate(number);
        let layout = &self.frame.tables[table];
        let at = (self.slices[table].first_row * layout.inner + index) as u32;
        let count = self.slices[table].counts[index];
        let is_own = rule.is_small(count) || layout.few.binary_search(&at).is_ok();
        let (low, high) = if is_own { self.frame.goals(table, at as usize, count, rule) } else { (count, count) };
        let (down, up) = ((low as i32 - count as i32).min(0), (high as i32 - count as i32).max(0));
        layout.demands.get(&at).map_or((down, up), |demand| (down.min(demand.down), up.max(demand.up)))
    }

    /// Ways of making worlds for a primary, the preferred one first.
    pub fn ways(&self, number: u32) -> impl Iterator<Item = Way> + use<'a> {
        let (table, index) = self.locate(number);
        let layout = &self.frame.tables[table];
        let at = (self.slices[table].first_row * layout.inner + index) as u32;
        let needed = layout.demands.get(&at).map_or(0, |demand| demand.copies);
        self.frame.ways.iter().copied().filter(move |way| way.copies & needed == needed)
    }

    /// Sets marks of a cell.
    #[inline]
    pub fn set(&mut self, number: u32, bits: u8) {
        let (table, index) = self.locate(number);
        self.slices[table].marks[index] |= bits;
    }

    /// Clears marks of a cell.
    #[inline]
    pub fn clear(&mut self, number: u32, bits: u8) {
        let (table, index) = self.locate(number);
        self.slices[table].marks[index] &= !bits;
    }

    /// Whether a cell is counted in this table and not in an earlier one.
    pub fn owns(&self, number: u32) -> bool {
        let Place { table, row, inner } = self.place(number);
        self.frame.tables[table].owns(row, inner)
    }

    /// What suppressing a cell would cost, in thousandths.
    #[inline]
    pub fn price(&self, number: u32) -> u32 {
        let (table, index) = self.locate(number);
        self.slices[table].prices[index]
    }

    /// What newly suppressing the cells of some changes would cost, in thousandths.
    pub fn price_of_new(&self, changes: &[(u32, i32)]) -> u32 {
        let new = changes.iter().filter(|(number, _)| self.mark(*number) & SUPPRESSED == 0);
        new.map(|&(number, _)| self.price(number)).sum()
    }
}

/// Changes on top of the true counts: the world that is being made.
#[derive(Debug, Default)]
pub struct Overlay {
    deltas: Vec<i32>,
    touched: Vec<u32>,
}

impl Overlay {
    /// Makes room for a family's cells.
    pub fn fit(&mut self, cells: u32) {
        if self.deltas.len() < cells as usize {
            self.deltas.resize(cells as usize, 0);
        }
    }

    /// The change of a cell.
    #[inline]
    pub fn get(&self, number: u32) -> i32 {
        self.deltas[number as usize]
    }

    /// Adds to the change of a cell.
    #[inline]
    pub fn add(&mut self, number: u32, delta: i32) {
        self.touched.push(number);
        self.deltas[number as usize] += delta;
    }

    /// Takes the changes out, sorted by cell, and starts anew.
    pub fn take(&mut self) -> Vec<(u32, i32)> {
        self.touched.sort_unstable();
        self.touched.dedup();
        let changes = self.touched.iter().map(|&number| (number, self.deltas[number as usize])).filter(|(_, delta)| *delta != 0).collect();
        for number in self.touched.drain(..) {
            self.deltas[number as usize] = 0;
        }
        changes
    }

    /// Whether nothing is changed yet.
    pub fn is_empty(&self) -> bool {
        self.touched.is_empty()
    }
}

/// A world of one family with all its changed cells, marginals included.
#[derive(Debug, Clone)]
pub struct LocalWorld {
    /// Family-wide numbers and changes, sorted.
    pub changes: Vec<(u32, i32)>,
    /// Whether it is still used.
    pub alive: bool,
}
