//! Counts of many cells in little memory.
//!
//! The finest cells of a population are tens of millions, and most of them count a handful of people. What they take is touched at random, and
//! touching memory for the first time is dearer than counting; so a cell has a byte, and a table holds what runs over.

use std::ops::Range;

use rustc_hash::FxHashMap;

/// Counts of the cells of a dense array.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// For each cell its count modulo 256.
    low: Vec<u8>,
    /// How many times 256 must be added; none of them 0.
    over: FxHashMap<u32, u32>,
}

/// Counts of cells that follow each other, as they are handed on.
#[derive(Debug, Clone, Copy)]
pub struct CountSlice<'a> {
    /// For each cell its count modulo 256.
    pub low: &'a [u8],
    /// Cells by their place in `low`, ascending, and how many times 256 must be added.
    pub over: &'a [[u32; 2]],
}

/// Cells that are looked at together: where none was counted nothing is added, so that memory behind it is not touched.
const BLOCK: usize = 1024;

impl Counts {
    /// This many cells that count nothing.
    pub fn zeroed(cells: usize) -> Self {
        Self { low: vec![0; cells], over: FxHashMap::default() }
    }

    /// Number of cells.
    pub fn cells(&self) -> usize {
        self.low.len()
    }

    /// Counts one more in a cell.
    ///
    /// # Panics
    /// If there is no such cell.
    #[inline]
    pub fn increment(&mut self, cell: u32) {
        let low = &mut self.low[cell as usize];
        *low = low.wrapping_add(1);
        if *low == 0 {
            self.run_over(cell, 1);
        }
    }

    #[cold]
    #[inline(never)]
    fn run_over(&mut self, cell: u32, times: u32) {
        *self.over.entry(cell).or_default() += times;
    }

    /// Counts one less in a cell; `None` if there is no such cell, or none was counted.
    pub fn decrement(&mut self, cell: u32) -> Option<()> {
        let low = self.low.get_mut(cell as usize)?;
        if *low == 0 {
            let times = self.over.get_mut(&cell)?;
            *times -= 1;
            if *times == 0 {
                self.over.remove(&cell);
            }
        }
        *low = low.wrapping_sub(1);
        Some(())
    }

    /// Adds counts of cells from `first` on; `None`, with nothing certain of the counts, if there are no such cells.
    pub fn add(&mut self, first: usize, counts: CountSlice<'_>) -> Option<()> {
        let end = first.checked_add(counts.low.len())?;
        let cells = self.low.get_mut(first..end)?;
        let mut over = Vec::new();
        for (at, (sums, counts)) in cells.chunks_mut(BLOCK).zip(counts.low.chunks(BLOCK)).enumerate() {
            if counts.iter().all(|&count| count == 0) {
                continue;
            }
            let mut any = false;
            for (sum, &count) in sums.iter_mut().zip(counts) {
                *sum = sum.wrapping_add(count);
                any |= *sum < count;
            }
            if any {
                let place = first + at * BLOCK;
                over.extend((place..).zip(sums.iter().zip(counts)).filter(|(_, (sum, count))| sum < count).map(|(cell, _)| [cell as u32, 1]));
            }
        }
        for &[cell, times] in counts.over {
            let cell = first + Some(cell as usize).filter(|&cell| cell < counts.low.len())?;
            over.push([cell as u32, times]);
        }
        for [cell, times] in over.into_iter().filter(|[_, times]| *times > 0) {
            self.run_over(cell, times);
        }
        Some(())
    }

    /// The cells that count anything, ascending, with their counts.
    pub fn filled(&self) -> impl Iterator<Item = (u32, u32)> {
        let mut over = self.sorted_over().into_iter().peekable();
        (0u32..).zip(&self.low).filter_map(move |(cell, &low)| {
            let high = over.next_if(|[at, _]| *at == cell).map_or(0, |[_, times]| times << 8);
            Some((cell, high | u32::from(low))).filter(|(_, count)| *count > 0)
        })
    }

    /// From the first cell that counts anything to behind the last.
    pub fn ends(&self) -> Range<usize> {
        let over = || self.over.keys().map(|&cell| cell as usize);
        let first = self.low.iter().position(|&low| low > 0).into_iter().chain(over()).min();
        let last = self.low.iter().rposition(|&low| low > 0).into_iter().chain(over()).max();
        first.unwrap_or(0)..last.map_or(0, |last| last + 1)
    }

    /// The sum of all cells.
    pub fn total(&self) -> u64 {
        let low: u64 = self.low.iter().map(|&low| u64::from(low)).sum();
        low + self.over.values().map(|&times| u64::from(times) << 8).sum::<u64>()
    }

    /// The bytes of all cells, and what must be added, as [`CountSlice`] has them.
    pub fn into_parts(self) -> (Vec<u8>, Vec<[u32; 2]>) {
        let over = self.sorted_over();
        (self.low, over)
    }

    fn sorted_over(&self) -> Vec<[u32; 2]> {
        let mut over: Vec<[u32; 2]> = self.over.iter().map(|(&cell, &times)| [cell, times]).collect();
        over.sort_unstable();
        over
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn counts_are_those_of_a_plain_map(
            parts in prop::collection::vec((0usize..20, prop::collection::vec((0u32..3000, 1u32..700), 0..40)), 1..4),
            less in prop::collection::vec((0u32..3000, 1u32..300), 0..10),
        ) {
            let mut sum = Counts::zeroed(3020);
            let mut expected: BTreeMap<u32, u32> = BTreeMap::new();
            for (first, cells) in parts {
                let mut part = Counts::zeroed(3000);
                for (cell, times) in cells {
                    (0..times).for_each(|_| part.increment(cell));
                    *expected.entry(cell + first as u32).or_default() += times;
                }
                prop_assert_eq!(part.cells(), 3000);
                let (low, over) = part.into_parts();
                prop_assert_eq!(sum.add(first, CountSlice { low: &low, over: &over }), Some(()));
            }
            for (cell, times) in less {
                for _ in 0..times {
                    let left = expected.get(&cell).copied().unwrap_or(0);
                    prop_assert_eq!(sum.decrement(cell).is_some(), left > 0);
                    expected.insert(cell, left.saturating_sub(1));
                }
            }
            expected.retain(|_, count| *count > 0);
            let ends = expected.first_key_value().zip(expected.last_key_value());
            prop_assert_eq!(sum.ends(), ends.map_or(0..0, |((&first, _), (&last, _))| first as usize..last as usize + 1));
            prop_assert_eq!(sum.total(), expected.values().map(|&count| u64::from(count)).sum::<u64>());
            prop_assert_eq!(sum.filled().collect::<Vec<_>>(), expected.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn cells_that_are_not_there_are_refused() {
        let mut counts = Counts::zeroed(4);
        assert_eq!(counts.decrement(4), None);
        assert_eq!(counts.decrement(3), None);
        assert_eq!(counts.add(1, CountSlice { low: &[1; 4], over: &[] }), None);
        assert_eq!(counts.add(usize::MAX, CountSlice { low: &[1], over: &[] }), None);
        assert_eq!(counts.add(0, CountSlice { low: &[1], over: &[[1, 1]] }), None);
    }
}
