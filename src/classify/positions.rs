//! Where records stand.

use bytemuck::{Pod, Zeroable};
use serde::{Deserialize, Serialize};

/// Where a record stands: the file's position in the snapshot and the line (or row) in it, ordered like the snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Pod, Zeroable)]
#[repr(transparent)]
pub struct Position(u64);

impl Position {
    const LINE_BITS: u32 = 40;

    /// Packs file and line.
    pub fn new(file: u32, line: u64) -> Self {
        Self(u64::from(file) << Self::LINE_BITS | line)
    }

    /// The file's position in the snapshot.
    pub fn file(self) -> usize {
        (self.0 >> Self::LINE_BITS) as usize
    }

    /// The record so many lines further.
    pub fn plus(self, lines: u32) -> Self {
        Self(self.0 + u64::from(lines))
    }

    /// The line of a text, the row of a Parquet file; both from 1.
    pub fn line(self) -> u64 {
        self.0 & ((1 << Self::LINE_BITS) - 1)
    }
}

/// Where the records of a chunk stand. Nearly all stand right behind the one before, so that only the others are held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Positions {
    records: u32,
    /// Number of a record, and its position; those behind it follow line by line.
    runs: Vec<(u32, Position)>,
}

impl Positions {
    /// So many records, one behind the other.
    pub fn behind(first: Position, records: usize) -> Self {
        let runs = if records == 0 { Vec::new() } else { vec![(0, first)] };
        Self { records: records as u32, runs }
    }

    /// Number of records.
    pub fn records(&self) -> usize {
        self.records as usize
    }

    /// Where one of the records stands.
    pub fn get(&self, record: u32) -> Option<Position> {
        let at = self.runs.partition_point(|(first, _)| *first <= record).checked_sub(1)?;
        let (first, position) = self.runs[at];
        (record < self.records).then(|| position.plus(record - first))
    }

    /// Where each of the records stands.
    pub fn iter(&self) -> impl Iterator<Item = Position> {
        let ends = self.runs.iter().skip(1).map(|(first, _)| *first).chain([self.records]);
        self.runs.iter().zip(ends).flat_map(|(&(first, position), end)| (0..end - first).map(move |line| position.plus(line)))
    }
}

impl FromIterator<Position> for Positions {
    fn from_iter<T: IntoIterator<Item = Position>>(positions: T) -> Self {
        let (mut records, mut runs, mut expected) = (0, Vec::new(), None);
        for position in positions {
            if expected != Some(position) {
                runs.push((records, position));
            }
            expected = Some(position.plus(1));
            records += 1;
        }
        Self { records, runs }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn positions_come_back(gaps in prop::collection::vec(prop::sample::select(vec![1u64, 1, 1, 2, 7]), 0..60)) {
            let lines = gaps.iter().scan(0, |line, gap| { *line += gap; Some(*line) });
            let expected: Vec<Position> = lines.map(|line| Position::new(3, line)).collect();
            let positions: Positions = expected.iter().copied().collect();
            prop_assert_eq!(positions.records(), expected.len());
            prop_assert_eq!(positions.iter().collect::<Vec<_>>(), expected.clone());
            let each: Vec<Position> = (0..).map_while(|record| positions.get(record)).collect();
            prop_assert_eq!(each, expected);
            let whole = Positions::behind(Position::new(3, 9), gaps.len());
            prop_assert_eq!(whole.clone(), whole.iter().collect::<Positions>());
        }
    }
}
