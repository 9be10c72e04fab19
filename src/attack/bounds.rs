//! Ranges of all unknowns, and how rows narrow them one by one until none does.

use super::{
    history::{History, Reason},
    narrow::{End, NO_LIMIT, Ranges, narrow},
    rows::{Row, RowId, RowKey, System},
};

/// No upper limit, in the form in which ranges are kept.
const ENDLESS: u32 = u32::MAX;
/// Rounds in which the rows of unknowns that became narrower are gone through again; each takes what was found one row further.
const ROUNDS: usize = 500;

/// The ranges of all unknowns.
#[derive(Debug, Clone)]
pub(super) struct Bounds {
    low: Vec<u32>,
    high: Vec<u32>,
}

impl Bounds {
    /// Of counts nothing is known but that they are not negative.
    pub fn new(unknowns: usize) -> Self {
        Self { low: vec![0; unknowns], high: vec![ENDLESS; unknowns] }
    }

    /// Whether only one value is left.
    pub fn is_determined(&self, unknown: u32) -> bool {
        self.low[unknown as usize] == self.high[unknown as usize]
    }

    /// One end of a range, perhaps [`NO_LIMIT`].
    pub fn end(&self, unknown: u32, end: End) -> i64 {
        match end {
            End::Low => self.low(unknown),
            End::High => self.high(unknown),
        }
    }

    /// Sets an end, in the form in which ranges are kept: what does not fit is no limit.
    pub fn put(&mut self, unknown: u32, end: End, value: i64) {
        match end {
            End::Low => self.low[unknown as usize] = value.clamp(0, i64::from(ENDLESS - 1)) as u32,
            End::High => self.high[unknown as usize] = u32::try_from(value.max(0)).unwrap_or(ENDLESS),
        }
    }
}

impl Ranges for Bounds {
    fn low(&self, unknown: u32) -> i64 {
        i64::from(self.low[unknown as usize])
    }

    fn high(&self, unknown: u32) -> i64 {
        match self.high[unknown as usize] {
            ENDLESS => NO_LIMIT,
            high => i64::from(high),
        }
    }

    fn set(&mut self, unknown: u32, end: End, value: i64, _: RowId) {
        self.put(unknown, end, value);
    }
}

/// A row that leaves nothing of an unknown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Conflict {
    pub row: RowId,
}

/// What narrowing came to.
#[derive(Debug, Default)]
pub(super) struct Narrowed {
    /// Rounds that it took.
    pub rounds: u64,
    /// Whether no row narrows anything any more.
    pub is_settled: bool,
    /// Rows that leave nothing.
    pub conflicts: Vec<Conflict>,
}

/// Narrows all ranges.
pub(super) struct Narrowing<'s, 'a> {
    system: &'s System<'a>,
    bounds: &'s mut Bounds,
    history: &'s mut History,
    /// Unknowns that became narrower and whose rows are to be gone through.
    changed: Vec<u32>,
    is_changed: Vec<bool>,
    /// Whether people and households are joined.
    is_linked: bool,
    result: Narrowed,
}

impl Ranges for Narrowing<'_, '_> {
    fn low(&self, unknown: u32) -> i64 {
        self.bounds.low(unknown)
    }

    fn high(&self, unknown: u32) -> i64 {
        self.bounds.high(unknown)
    }

    fn set(&mut self, unknown: u32, end: End, value: i64, row: RowId) {
        let (low, high) = (self.low(unknown), self.high(unknown));
        if (end == End::Low && value > high) || (end == End::High && value < low) {
            // What crosses is left as it was, so that nothing is concluded from nonsense.
            self.result.conflicts.push(Conflict { row });
            return;
        }
        self.bounds.put(unknown, end, value);
        if self.bounds.high(unknown) != high || self.bounds.low(unknown) != low {
            self.history.push(unknown, end, value, Reason::Row(row));
            self.note(unknown);
        }
    }
}

impl<'s, 'a> Narrowing<'s, 'a> {
    /// Nothing is joined before [`Narrowing::join`] says so.
    pub fn new(system: &'s System<'a>, bounds: &'s mut Bounds, history: &'s mut History) -> Self {
        let is_changed = vec![false; system.cells.unknowns()];
        Self { system, bounds, history, changed: Vec::new(), is_changed, is_linked: false, result: Narrowed::default() }
    }

    /// From now on rows that join people and households are gone through, too.
    pub fn join(&mut self) {
        self.is_linked = true;
    }

    /// Goes through all sums. `broken` takes the cell above each sum of known cells that does not add up.
    pub fn all_sums(&mut self, broken: impl FnMut(u32)) {
        let system = self.system;
        system.sums(|id, row| self.narrow(id, row), broken);
    }

    /// Goes through all rows that join people and households.
    pub fn all_links(&mut self) {
        let mut row = Row::default();
        for at in (0..self.system.links.len() as u32).filter(|at| self.system.links.is_active(*at)) {
            let id = RowId::link(at);
            self.system.read(id, &mut row);
            self.narrow(id, &row);
        }
    }

    /// Notes that an unknown became narrower.
    pub fn note(&mut self, unknown: u32) {
        if !self.is_changed[unknown as usize] {
            self.is_changed[unknown as usize] = true;
            self.changed.push(unknown);
        }
    }

    /// Goes through the rows of what became narrower, again and again.
    pub fn settle(mut self) -> Narrowed {
        let (mut row, mut rows) = (Row::default(), Vec::new());
        while !self.changed.is_empty() && self.result.rounds < ROUNDS as u64 {
            self.result.rounds += 1;
            let changed = std::mem::take(&mut self.changed);
            for unknown in changed {
                self.is_changed[unknown as usize] = false;
                rows.clear();
                let is_linked = self.is_linked;
                self.system.rows_of(unknown, |id| {
                    if is_linked || matches!(id.key(), RowKey::Sum { .. }) {
                        rows.push(id)
                    }
                });
                for &id in &rows {
                    self.system.read(id, &mut row);
                    self.narrow(id, &row);
                }
            }
        }
        self.result.is_settled = self.changed.is_empty();
        self.result
    }

    fn narrow(&mut self, id: RowId, row: &Row) {
        narrow(&row.terms, row.relation, row.constant, id, self);
    }
}
