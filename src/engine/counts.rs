//! Counts of many cells in little memory.
//!
//! The finest cells of a population are tens of millions, and most of them count a handful of people. What they take is touched at random, and
//! touching memory for the first time is dearer than counting; so a cell has a byte, and a table holds what runs over. A byte is 0 only
//! where nothing was counted: what goes beyond 255 begins anew at 1.

use std::ops::Range;

use rustc_hash::FxHashMap;

/// Counts of the cells of a dense array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// For each cell what is left of its count, 1 to 255; 0 where nothing was counted.
    low: Vec<u8>,
    /// How many times 255 must be added; never 0.
    over: FxHashMap<u32, u32>,
}

/// Counts of cells that follow each other, as they are handed on.
#[derive(Debug, Clone, Copy)]
pub struct CountSlice<'a> {
    /// For each cell what is left of its count.
    pub low: &'a [u8],
    /// Cells by their place in `low`, ascending, and how many times 255 must be added.
    pub over: &'a [[u32; 2]],
}

/// Cells that are looked at together: where none was counted nothing is added, so that memory behind it is not touched.
const BLOCK: usize = 256;

/// How many times 255 fits a count that has something left.
const MOST_TIMES: u32 = u32::MAX / u8::MAX as u32 - 1;

/// Cells that are looked at as one number.
const WORD: usize = size_of::<u64>();

/// Whether no cell of a block was counted. Without an early end, so that it is a few vectors joined.
fn empty(block: &[u8]) -> bool {
    block.iter().fold(0, |bits, low| bits | low) == 0
}

/// Counts that grow: nothing else is between the processor and its cells.
pub struct Tally<'a> {
    low: &'a mut [u8],
    over: &'a mut FxHashMap<u32, u32>,
}

impl Tally<'_> {
    /// Counts one more in a cell.
    ///
    /// # Panics
    /// If there is no such cell.
    #[inline(always)]
    pub fn increment(&mut self, cell: u32) {
        let low = &mut self.low[cell as usize];
        if *low == u8::MAX {
            *low = 1;
            self.run_over(cell);
        } else {
            *low += 1;
        }
    }

    #[cold]
    #[inline(never)]
    fn run_over(&mut self, cell: u32) {
        *self.over.entry(cell).or_default() += 1;
    }

    /// Counts so many more in a cell.
    ///
    /// # Panics
    /// If there is no such cell.
    #[inline]
    pub fn add(&mut self, cell: u32, count: u32) {
        let low = &mut self.low[cell as usize];
        let sum = u32::from(*low) + count % u32::from(u8::MAX);
        let mut times = count / u32::from(u8::MAX);
        *low = sum as u8;
        if sum > u32::from(u8::MAX) || sum == 0 && times > 0 {
            // A byte that is filled again begins at 1, and one that stays empty takes one of the 255.
            (*low, times) = if sum == 0 { (u8::MAX, times - 1) } else { ((sum - u32::from(u8::MAX)) as u8, times + 1) };
        }
        if times > 0 {
            *self.over.entry(cell).or_default() += times;
        }
    }
}

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
    pub fn increment(&mut self, cell: u32) {
        self.tally().increment(cell);
    }

    /// For counting many records.
    pub fn tally(&mut self) -> Tally<'_> {
        Tally { low: &mut self.low, over: &mut self.over }
    }

    /// Counts one less in a cell; `None` if there is no such cell, or none was counted.
    pub fn decrement(&mut self, cell: u32) -> Option<()> {
        let low = self.low.get_mut(cell as usize).filter(|low| **low > 0)?;
        *low -= 1;
        if *low == 0
            && let Some(times) = self.over.get_mut(&cell)
        {
            *low = u8::MAX;
            *times -= 1;
            if *times == 0 {
                self.over.remove(&cell);
            }
        }
        Some(())
    }

    /// Adds counts of cells from `first` on; `None`, with nothing certain of the counts, if there are no such cells or the sum is no count.
    pub fn add(&mut self, first: usize, counts: CountSlice<'_>) -> Option<()> {
        let end = first.checked_add(counts.low.len())?;
        let cells = self.low.get_mut(first..end)?;
        let mut run_over = |cell: usize, times: u32| {
            let sum = self.over.entry((first + cell) as u32).or_default();
            *sum = sum.checked_add(times).filter(|&sum| sum <= MOST_TIMES)?;
            Some(())
        };
        for (at, (sums, counts)) in cells.chunks_mut(BLOCK).zip(counts.low.chunks(BLOCK)).enumerate() {
            if empty(counts) {
                continue;
            }
            let mut before = [0; BLOCK];
            before[..sums.len()].copy_from_slice(sums);
            let mut any = false;
            for (sum, &count) in sums.iter_mut().zip(counts) {
                let (wrapped, ran_over) = sum.overflowing_add(count);
                *sum = wrapped + u8::from(ran_over);
                any |= ran_over;
            }
            if any {
                let ran_over = before.iter().zip(counts).map(|(before, count)| before.checked_add(*count).is_none());
                (at * BLOCK..).zip(ran_over).filter(|(_, ran_over)| *ran_over).try_for_each(|(cell, _)| run_over(cell, 1))?;
            }
        }
        for &[cell, times] in counts.over {
            counts.low.get(cell as usize).filter(|low| **low > 0 && times > 0)?;
            run_over(cell as usize, times)?;
        }
        Some(())
    }

    /// The cells that count anything, ascending, with their counts.
    pub fn filled(&self) -> impl Iterator<Item = (u32, u32)> {
        let (words, rest) = self.low.as_chunks::<WORD>();
        let mut last = [0; WORD];
        last[..rest.len()].copy_from_slice(rest);
        let mut words =
            words.iter().copied().chain([last]).map(u64::from_le_bytes).zip((0u32..).step_by(WORD)).filter(|(word, _)| *word > 0);
        let mut over = self.sorted_over().into_iter().peekable();
        let (mut word, mut first) = (0u64, 0);
        std::iter::from_fn(move || {
            if word == 0 {
                (word, first) = words.next()?;
            }
            let place = word.trailing_zeros() / u8::BITS;
            let low = word >> (place * u8::BITS) & u64::from(u8::MAX);
            word ^= low << (place * u8::BITS);
            let cell = first + place;
            let times = over.next_if(|[at, _]| *at == cell).map_or(0, |[_, times]| times);
            Some((cell, low as u32 + times * u32::from(u8::MAX)))
        })
    }

    /// For each cell its count; 255 stands for more too.
    pub fn saturated(&self) -> Vec<u8> {
        let mut counts = self.low.clone();
        self.over.keys().for_each(|&cell| counts[cell as usize] = u8::MAX);
        counts
    }

    /// Numbers among which every count is, ascending: the small ones up to the greatest of them, and those beyond that cells really have.
    pub fn values(&self) -> Vec<u32> {
        let most = self.low.iter().fold(0, |most, &low| most.max(low));
        let mut beyond: Vec<u32> =
            self.over.iter().map(|(&cell, &times)| u32::from(self.low[cell as usize]) + times * u32::from(u8::MAX)).collect();
        beyond.sort_unstable();
        beyond.dedup();
        (1..=u32::from(most)).chain(beyond).collect()
    }

    /// From the first cell that counts anything to behind the last.
    pub fn ends(&self) -> Range<usize> {
        let first = self.low.iter().position(|&low| low > 0).unwrap_or(0);
        first..self.low.iter().rposition(|&low| low > 0).map_or(0, |last| last + 1)
    }

    /// The sum of all cells.
    pub fn total(&self) -> u64 {
        let low: u64 = self.low.chunks(BLOCK).map(|block| u64::from(block.iter().map(|&low| u32::from(low)).sum::<u32>())).sum();
        low + self.over.values().map(|&times| u64::from(times) * u64::from(u8::MAX)).sum::<u64>()
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
                for (at, (cell, times)) in cells.into_iter().enumerate() {
                    if at % 2 == 0 { (0..times).for_each(|_| part.increment(cell)) } else { part.tally().add(cell, times) }
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
            let saturated = sum.saturated();
            prop_assert!((0..).zip(&saturated).all(|(cell, &count)| u32::from(count) == expected.get(&cell).map_or(0, |count| *count.min(&255))));
            let ends = expected.first_key_value().zip(expected.last_key_value());
            prop_assert_eq!(sum.ends(), ends.map_or(0..0, |((&first, _), (&last, _))| first as usize..last as usize + 1));
            let values = sum.values();
            prop_assert!(values.is_sorted_by(|a, b| a < b));
            prop_assert!(expected.values().all(|count| values.binary_search(count).is_ok()));
            prop_assert_eq!(sum.total(), expected.values().map(|&count| u64::from(count)).sum::<u64>());
            prop_assert_eq!(sum.filled().collect::<Vec<_>>(), expected.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let mut counts = Counts::zeroed(4);
        assert_eq!(counts.decrement(4), None);
        assert_eq!(counts.decrement(3), None);
        assert_eq!(counts.add(1, CountSlice { low: &[1; 4], over: &[] }), None);
        assert_eq!(counts.add(usize::MAX, CountSlice { low: &[1], over: &[] }), None);
        assert_eq!(counts.add(0, CountSlice { low: &[1], over: &[[1, 1]] }), None);
        assert_eq!(counts.add(0, CountSlice { low: &[0], over: &[[0, 1]] }), None);
        assert_eq!(counts.add(0, CountSlice { low: &[1], over: &[[0, 0]] }), None);
        let most = CountSlice { low: &[255], over: &[[0, MOST_TIMES]] };
        assert_eq!(Counts::zeroed(1).add(0, most), Some(()));
        let mut counts = Counts::zeroed(1);
        assert_eq!((counts.add(0, most), counts.add(0, most)), (Some(()), None));
    }
}
