//! Which cells of the tables are one cell.

use crate::{register::SharedCells, worlds::Counted};

/// For each table, which of its nodes each other table of the same unit has too.
#[derive(Debug)]
pub struct Linked {
    /// `pairs[a][b]`: how table `a`'s cells are found in table `b`; `None`: another unit.
    pairs: Vec<Vec<Option<SharedCells>>>,
}

impl Linked {
    /// Links all tables.
    pub fn new(tables: &[Counted<'_>]) -> Self {
        let pair = |first: &Counted<'_>, second: &Counted<'_>| SharedCells::new((first.table, first.shape), (second.table, second.shape));
        Self { pairs: tables.iter().map(|first| tables.iter().map(|second| pair(first, second)).collect()).collect() }
    }

    /// The number in table `b` of the cell of table `a` at these positions; `None` if `b` does not have it.
    pub fn cell(&self, a: usize, b: usize, positions: &[u32]) -> Option<u64> {
        self.pairs[a][b].as_ref()?.at(positions)
    }

    /// Whether two tables are of one unit.
    pub fn is_linked(&self, a: usize, b: usize) -> bool {
        self.pairs[a][b].is_some()
    }

    /// Calls `visit` with the numbers of every cell that two tables share.
    pub fn shared(&self, a: usize, b: usize, visit: &mut dyn FnMut(u64, u64)) {
        if let Some(pair) = &self.pairs[a][b] {
            pair.each(visit);
        }
    }
}
