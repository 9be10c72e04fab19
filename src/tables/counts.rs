//! From a query to counts: reads the cells of each period and adds up what groups ask for.
//!
//! A *lane* is one axis of one release: the places to read, ascending, and for each the offsets in the answer that it counts
//! towards. Crossing the lanes of all axes, widest stride first, meets the rows of the cell file in their order, so that
//! rows stream in while the answer fills up, however the answer orders its variables.

use std::ops::Range;

use futures::future::try_join_all;

use super::{
    library::{BEYOND, Library, Part, PartAxis},
    resolve::{Chosen, Query, Variable},
    status::CellStatus,
    vintages::ABSENT,
};
use crate::{
    engine::{CellBatch, CellStream, ServingEngine},
    error::{Error, Result},
};

/// The published counts that a query means; what else it asks for of the contents is left to [`derive`](super::derive).
#[derive(Debug)]
pub(super) struct Counts {
    /// The counts in the order of [`Query::variables`], with one category of the contents; 0 where the status is other than published.
    pub values: Vec<i64>,
    /// The statuses, in the same order.
    pub statuses: Vec<CellStatus>,
}

/// Rows this close together are read as one range: skipping costs more than passing over.
const GAP: u64 = 64;

// What the cells that make up a cell of the answer are. A single cell has one of these, a sum may have several.
const PUBLISHED: u8 = 1;
const IMPOSSIBLE: u8 = 2;
const SUPPRESSED: u8 = 4;
const UNAVAILABLE: u8 = 8;
/// A category that this period does not know: no other reason matters beside it.
const UNKNOWN: u8 = 16;

/// The numbers of one period, in the order of the answer without its time variable.
struct Block {
    values: Vec<i64>,
    marks: Vec<u8>,
}

struct Lane {
    stride: u64,
    places: Vec<u32>,
    /// For each place the first of its offsets; one more at the end.
    starts: Vec<usize>,
    offsets: Vec<usize>,
}

/// How one axis lies in a block.
#[derive(Clone, Copy)]
struct Extent {
    size: usize,
    stride: usize,
}

/// Reads the counts of a query whose contents are one category.
///
/// # Errors
/// Where a cell file cannot be read, or holds what no release may hold.
pub(super) async fn counts(library: &Library, engine: &ServingEngine, query: &Query) -> Result<Counts> {
    let entry = &library.tables[query.table];
    let (extents, count) = extents(query);
    let blocks = query.releases.iter().map(|&release| {
        let part = entry.parts[release].as_ref();
        block(engine, part, query, &extents, count)
    });
    let blocks = try_join_all(blocks).await?;
    let Block { mut values, marks } = interleave(query, blocks);
    let mut statuses = Vec::with_capacity(marks.len());
    for mark in &marks {
        statuses.push(status(*mark)?);
    }
    for (value, status) in values.iter_mut().zip(&statuses) {
        if *status != CellStatus::Published {
            *value = 0;
        }
    }
    Ok(Counts { values, statuses })
}

#[inline]
fn status(mark: u8) -> Result<CellStatus> {
    Ok(match mark {
        0 => return Err(Error::Internal("a cell of an answer was never filled".into())),
        _ if mark & UNKNOWN != 0 => CellStatus::Impossible,
        _ if mark & UNAVAILABLE != 0 => CellStatus::Unavailable,
        _ if mark & SUPPRESSED != 0 => CellStatus::Suppressed,
        _ if mark & PUBLISHED != 0 => CellStatus::Published,
        _ => CellStatus::Impossible,
    })
}

/// How each axis lies in the block of one period, and the number of cells of a block.
fn extents(query: &Query) -> (Vec<Extent>, usize) {
    let mut extents = vec![Extent { size: 1, stride: 0 }; query.axes.len()];
    let mut stride = 1;
    let variables: Vec<Variable> = query.variables().collect();
    for variable in variables.into_iter().rev() {
        if let Variable::Axis(axis) = variable {
            let size = query.size(variable);
            extents[axis] = Extent { size, stride };
            stride *= size;
        }
    }
    (extents, stride)
}

/// Puts the blocks of all periods where the time variable places them.
fn interleave(query: &Query, mut blocks: Vec<Block>) -> Block {
    if blocks.len() == 1 {
        return blocks.remove(0);
    }
    let inner: usize =
        query.variables().skip_while(|variable| *variable != Variable::Time).skip(1).map(|variable| query.size(variable)).product();
    let count = blocks.first().map_or(0, |block| block.values.len());
    let mut whole = Block { values: Vec::with_capacity(count * blocks.len()), marks: Vec::with_capacity(count * blocks.len()) };
    for start in (0..count).step_by(inner) {
        for block in &blocks {
            whole.values.extend_from_slice(&block.values[start..start + inner]);
            whole.marks.extend_from_slice(&block.marks[start..start + inner]);
        }
    }
    whole
}

async fn block(engine: &ServingEngine, part: Option<&Part>, query: &Query, extents: &[Extent], count: usize) -> Result<Block> {
    let mut block = Block { values: vec![0; count], marks: vec![0; count] };
    let Some(part) = part else {
        block.marks.fill(UNAVAILABLE);
        return Ok(block);
    };
    let mut lanes = Vec::with_capacity(part.axes.len());
    for ((axis, chosen), extent) in part.axes.iter().zip(&query.axes).zip(extents) {
        lanes.push(lane(axis, chosen, *extent, &mut block.marks));
    }
    lanes.sort_by_key(|lane| std::cmp::Reverse(lane.stride));
    let Some((inner, outer)) = lanes.split_last() else {
        return Err(Error::Internal("a table without axes".into()));
    };
    if lanes.iter().any(|lane| lane.places.is_empty()) {
        return Ok(block);
    }

    let mut ranges: Vec<Range<u64>> = Vec::new();
    let mut at = vec![0; outer.len()];
    loop {
        let base = base(outer, &at);
        for &place in &inner.places {
            let row = base + u64::from(place) * inner.stride;
            match ranges.last_mut() {
                Some(last) if row <= last.end + GAP => last.end = row + 1,
                _ => ranges.push(row..row + 1),
            }
        }
        if !step(outer, &mut at) {
            break;
        }
    }
    let mut cursor = Cursor::new(engine.read(&part.file, ranges.iter().cloned()).await?, &ranges);
    let mut targets: Vec<usize> = Vec::new();
    at.fill(0);
    loop {
        let base = base(outer, &at);
        targets.clear();
        targets.push(0);
        for (lane, &at) in outer.iter().zip(&at) {
            widen(&mut targets, lane.offsets_of(at));
        }
        for (place, &number) in inner.places.iter().enumerate() {
            let wanted = cursor.index(base + u64::from(number) * inner.stride);
            if wanted >= cursor.end() {
                cursor.advance(wanted).await?;
            }
            let (value, mark) = cursor.cell(wanted)?;
            for target in &targets {
                for offset in inner.offsets_of(place) {
                    block.values[target + offset] += value;
                    block.marks[target + offset] |= mark;
                }
            }
        }
        if !step(outer, &mut at) {
            return Ok(block);
        }
    }
}

/// The row at which the innermost lane begins.
fn base(outer: &[Lane], at: &[usize]) -> u64 {
    outer.iter().zip(at).map(|(lane, &at)| u64::from(lane.places[at]) * lane.stride).sum()
}

/// Moves to the next combination of places, the last lane fastest; false after the last one.
fn step(outer: &[Lane], at: &mut [usize]) -> bool {
    for (lane, at) in outer.iter().zip(at).rev() {
        *at += 1;
        if *at < lane.places.len() {
            return true;
        }
        *at = 0;
    }
    false
}

/// Every sum of a target and an offset.
fn widen(targets: &mut Vec<usize>, offsets: &[usize]) {
    if let [offset] = offsets {
        targets.iter_mut().for_each(|target| *target += offset);
    } else {
        *targets = targets.iter().flat_map(|target| offsets.iter().map(move |offset| target + offset)).collect();
    }
}

impl Lane {
    #[inline]
    fn offsets_of(&self, place: usize) -> &[usize] {
        &self.offsets[self.starts[place]..self.starts[place + 1]]
    }
}

/// The places that an axis asks for. What this release does not have is marked in the block at once.
fn lane(axis: &PartAxis, chosen: &Chosen, extent: Extent, marks: &mut [u8]) -> Lane {
    let mut reads: Vec<(u32, usize)> = Vec::new();
    let mut missing = |position: usize, mark: u8| {
        let (start, row) = (position * extent.stride, extent.size * extent.stride);
        for cells in marks.chunks_mut(row) {
            cells[start..start + extent.stride].iter_mut().for_each(|cell| *cell |= mark);
        }
    };
    match chosen {
        Chosen::Eliminated => reads.push((axis.places[0], 0)),
        Chosen::Nodes { nodes, .. } => {
            for (position, &node) in nodes.iter().enumerate() {
                match axis.place(node) {
                    ABSENT => missing(position, UNKNOWN),
                    BEYOND => missing(position, UNAVAILABLE),
                    place => reads.push((place, position * extent.stride)),
                }
            }
        }
        Chosen::Groups { codelist, groups } => {
            let covers = axis.covers.get(codelist);
            for (position, &group) in groups.iter().enumerate() {
                match covers.and_then(|covers| covers.get(group as usize)).and_then(Option::as_ref) {
                    Some(places) => reads.extend(places.iter().map(|&place| (place, position * extent.stride))),
                    None => missing(position, UNAVAILABLE),
                }
            }
        }
    }
    reads.sort_unstable();
    let mut lane = Lane { stride: axis.stride, places: Vec::with_capacity(reads.len()), starts: Vec::new(), offsets: Vec::new() };
    for (place, offset) in reads {
        if lane.places.last() != Some(&place) {
            lane.places.push(place);
            lane.starts.push(lane.offsets.len());
        }
        lane.offsets.push(offset);
    }
    lane.starts.push(lane.offsets.len());
    lane
}

/// Looks up rows in a stream of cells, in ascending order. Rows are counted as they are read: *indexes* number the rows of
/// all ranges one after the other.
struct Cursor<'a> {
    stream: CellStream,
    ranges: &'a [Range<u64>],
    /// Index of the first row of `ranges`.
    first: u64,
    batch: CellBatch,
    /// Index of the first cell of `batch`.
    start: u64,
}

impl<'a> Cursor<'a> {
    fn new(stream: CellStream, ranges: &'a [Range<u64>]) -> Self {
        Self { stream, ranges, first: 0, batch: CellBatch::default(), start: 0 }
    }

    /// The index of a row, which must not lie before one that was asked for already.
    #[inline]
    fn index(&mut self, row: u64) -> u64 {
        while let [range, rest @ ..] = self.ranges {
            if row < range.end {
                return self.first + (row - range.start);
            }
            self.first += range.end - range.start;
            self.ranges = rest;
        }
        self.first
    }

    /// The index behind the batch at hand.
    #[inline]
    fn end(&self) -> u64 {
        self.start + self.batch.statuses.len() as u64
    }

    /// Reads on until an index is at hand.
    async fn advance(&mut self, index: u64) -> Result<()> {
        while index >= self.end() {
            self.start = self.end();
            self.batch = match self.stream.next().await? {
                Some(batch) => batch,
                None => return Err(Error::Internal("a cell file ended before the rows it was asked for".into())),
            };
        }
        Ok(())
    }

    /// The number at an index, 0 if it has none, and what the cell is.
    #[inline]
    fn cell(&self, index: u64) -> Result<(i64, u8)> {
        let at = (index - self.start) as usize;
        let mark = match self.batch.statuses[at] {
            0 => PUBLISHED,
            b'c' => SUPPRESSED,
            b'z' => IMPOSSIBLE,
            other => return Err(Error::Internal(format!("a released cell has the unknown status '{}'", other as char))),
        };
        Ok((i64::from(self.batch.values[at]), mark))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_what_its_worst_part_is() {
        let check = |mark: u8, expect: CellStatus| assert_eq!(status(mark).unwrap(), expect);
        check(PUBLISHED, CellStatus::Published);
        check(IMPOSSIBLE, CellStatus::Impossible);
        check(PUBLISHED | IMPOSSIBLE, CellStatus::Published);
        check(PUBLISHED | SUPPRESSED, CellStatus::Suppressed);
        check(SUPPRESSED | IMPOSSIBLE, CellStatus::Suppressed);
        check(UNAVAILABLE, CellStatus::Unavailable);
        check(UNAVAILABLE | UNKNOWN, CellStatus::Impossible);
        assert!(status(0).is_err());
    }
}
