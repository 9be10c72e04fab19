//! A component, or a part of one, small enough to be solved: its unknowns, its rows, and points that fulfil them.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::{
    bounds::Bounds,
    history::Step,
    narrow::{End, NO_LIMIT, Ranges, is_implied, narrow},
    rows::{Relation, Row, RowId, System},
};

/// Rows that one narrowing goes through at most, for each row of the subsystem. What is left then is narrowed by whoever asks next.
const PATIENCE: usize = 40;

/// A row over positions in [`Subsystem::unknowns`].
#[derive(Debug, Clone)]
pub(super) struct LocalRow {
    pub id: RowId,
    /// -1 where the signs of an equation were turned.
    pub sign: i64,
    pub relation: Relation,
    pub constant: i64,
    /// Where its terms stand.
    start: u32,
    end: u32,
}

/// A row on its way into a subsystem; rows that say the same stand side by side when they are sorted.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct FoundRow {
    terms: Vec<(u32, i64)>,
    relation: Relation,
    constant: i64,
    id: RowId,
    sign: i64,
}

/// Ranges of the unknowns of a subsystem, with what changed of them.
#[derive(Debug)]
struct LocalRanges {
    low: Vec<i64>,
    high: Vec<i64>,
    /// Ends as they were before each change.
    trail: Vec<(u32, End, i64)>,
    /// Changes and their rows, if they are to be told.
    told: Option<Vec<(u32, End, i64, RowId)>>,
}

impl Ranges for LocalRanges {
    fn low(&self, unknown: u32) -> i64 {
        self.low[unknown as usize]
    }

    fn high(&self, unknown: u32) -> i64 {
        self.high[unknown as usize]
    }

    fn set(&mut self, unknown: u32, end: End, value: i64, row: RowId) {
        let at = match end {
            End::Low => &mut self.low[unknown as usize],
            End::High => &mut self.high[unknown as usize],
        };
        self.trail.push((unknown, end, std::mem::replace(at, value)));
        if let Some(told) = &mut self.told {
            told.push((unknown, end, value, row));
        }
    }
}

/// Some unknowns and the rows that speak of them alone. Unknowns of which only one value is left are part of the constants.
#[derive(Debug)]
pub(super) struct Subsystem {
    unknowns: Vec<u32>,
    rows: Vec<LocalRow>,
    terms: Vec<(u32, i64)>,
    /// For each unknown the rows that it stands in.
    touching: Vec<Vec<u32>>,
    ranges: LocalRanges,
    queue: VecDeque<u32>,
    is_queued: Vec<bool>,
}

/// That nothing fulfils the rows under what was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Impossible;

impl Subsystem {
    /// The subsystem of some unknowns, none of them determined, with every row whose undetermined unknowns are all among them.
    pub fn new(system: &System<'_>, bounds: &Bounds, mut unknowns: Vec<u32>) -> Self {
        unknowns.sort_unstable();
        let local: FxHashMap<u32, u32> = unknowns.iter().copied().zip(0..).collect();
        let mut ids = Vec::new();
        for &unknown in &unknowns {
            system.rows_of(unknown, |id| ids.push(id));
        }
        ids.sort_unstable();
        ids.dedup();
        let mut found: Vec<FoundRow> = Vec::with_capacity(ids.len());
        let mut row = Row::default();
        'rows: for id in ids {
            system.read(id, &mut row);
            let mut terms = Vec::with_capacity(row.terms.len());
            let mut constant = row.constant;
            for &(unknown, coefficient) in &row.terms {
                match local.get(&unknown) {
                    Some(&at) => terms.push((at, coefficient)),
                    None if bounds.is_determined(unknown) => constant -= coefficient * bounds.low(unknown),
                    None => continue 'rows,
                }
            }
            if is_implied(&row.terms, row.relation, row.constant, bounds) {
                continue;
            }
            terms.sort_unstable();
            let is_turned = row.relation == Relation::Equal && terms.first().is_some_and(|(_, coefficient)| *coefficient < 0);
            let sign = if is_turned { -1 } else { 1 };
            terms.iter_mut().for_each(|(_, coefficient)| *coefficient *= sign);
            found.push(FoundRow { terms, relation: row.relation, constant: constant * sign, id, sign });
        }
        // Tables that share cells share sums.
        found.sort_unstable();
        found.dedup_by(|a, b| (&a.terms, a.relation, a.constant) == (&b.terms, b.relation, b.constant));
        let mut rows = Vec::with_capacity(found.len());
        let mut terms = Vec::new();
        let mut touching = vec![Vec::new(); unknowns.len()];
        for FoundRow { terms: of_row, relation, constant, id, sign } in found {
            let start = terms.len() as u32;
            of_row.iter().for_each(|(at, _)| touching[*at as usize].push(rows.len() as u32));
            terms.extend(of_row);
            rows.push(LocalRow { id, sign, relation, constant, start, end: terms.len() as u32 });
        }
        let low = unknowns.iter().map(|unknown| bounds.low(*unknown)).collect();
        let high = unknowns.iter().map(|unknown| bounds.high(*unknown)).collect();
        let is_queued = vec![false; rows.len()];
        let ranges = LocalRanges { low, high, trail: Vec::new(), told: None };
        Self { unknowns, rows, terms, touching, ranges, queue: VecDeque::new(), is_queued }
    }

    /// The unknowns, ascending, by their numbers among all.
    pub fn unknowns(&self) -> &[u32] {
        &self.unknowns
    }

    /// The rows.
    pub fn rows(&self) -> &[LocalRow] {
        &self.rows
    }

    /// The terms of a row, over positions in [`Subsystem::unknowns`].
    pub fn terms(&self, row: &LocalRow) -> &[(u32, i64)] {
        &self.terms[row.start as usize..row.end as usize]
    }

    /// Number of unknowns.
    pub fn len(&self) -> usize {
        self.unknowns.len()
    }

    /// Smallest and largest value of an unknown as far as is known, the latter perhaps [`NO_LIMIT`].
    pub fn range(&self, at: u32) -> (i64, i64) {
        (self.ranges.low(at), self.ranges.high(at))
    }

    /// One end of it.
    pub fn end(&self, at: u32, end: End) -> i64 {
        match end {
            End::Low => self.ranges.low(at),
            End::High => self.ranges.high(at),
        }
    }

    /// Sets an end further in and narrows what follows. Steps that do so are added to `steps`, if they are wanted.
    pub fn set(&mut self, at: u32, end: End, value: i64, steps: Option<&mut Vec<Step>>) -> Result<(), Impossible> {
        self.ranges.set(at, end, value, RowId::link(0));
        self.queue_rows(at);
        self.narrow(steps)
    }

    /// Narrows by all rows.
    pub fn narrow_all(&mut self, steps: Option<&mut Vec<Step>>) -> Result<(), Impossible> {
        for row in 0..self.rows.len() as u32 {
            self.is_queued[row as usize] = true;
            self.queue.push_back(row);
        }
        self.narrow(steps)
    }

    /// A mark of how far things have come, for [`Subsystem::undo`].
    pub fn mark(&self) -> usize {
        self.ranges.trail.len()
    }

    /// Takes back what changed since a mark.
    pub fn undo(&mut self, mark: usize) {
        while self.ranges.trail.len() > mark {
            let Some((at, end, value)) = self.ranges.trail.pop() else { return };
            match end {
                End::Low => self.ranges.low[at as usize] = value,
                End::High => self.ranges.high[at as usize] = value,
            }
        }
    }

    /// Whether a point of whole numbers fulfils all rows.
    pub fn is_fulfilled_by(&self, point: &[i64]) -> bool {
        self.rows.iter().all(|row| {
            let sum: i64 = self.terms(row).iter().map(|(at, coefficient)| coefficient * point[*at as usize]).sum();
            match row.relation {
                Relation::Equal => sum == row.constant,
                Relation::AtMost => sum <= row.constant,
            }
        })
    }

    /// Looks for a point in whole numbers, each unknown in turn as far out as it comes at one end of its range; nothing is tried for long.
    /// Whatever it finds is taken back.
    pub fn dive(&mut self, wishes: impl Iterator<Item = (u32, End)>) -> Option<Vec<i64>> {
        let mark = self.mark();
        let found = self.descend(wishes);
        self.undo(mark);
        found
    }

    fn descend(&mut self, wishes: impl Iterator<Item = (u32, End)>) -> Option<Vec<i64>> {
        for (at, end) in wishes {
            let (low, high) = self.range(at);
            if low == high {
                continue;
            }
            let wanted = match end {
                End::High if high != NO_LIMIT => high,
                _ => low,
            };
            if self.is_possible_at(at, wanted) {
                continue;
            }
            let other = if wanted == low { high } else { low };
            let middle = if high == NO_LIMIT { low.saturating_mul(2).saturating_add(16) } else { low + (high - low) / 2 };
            if !self.is_possible_at(at, middle) && (other == NO_LIMIT || !self.is_possible_at(at, other)) {
                return None;
            }
        }
        let point: Vec<i64> = self.ranges.low.clone();
        self.is_fulfilled_by(&point).then_some(point)
    }

    /// Sets an unknown to a value, unless narrowing finds that impossible.
    fn is_possible_at(&mut self, at: u32, value: i64) -> bool {
        let (mark, (low, high)) = (self.mark(), self.range(at));
        let mut outcome = Ok(());
        if value > low {
            outcome = self.set(at, End::Low, value, None);
        }
        if outcome.is_ok() && value < high {
            outcome = if value < self.range(at).0 { Err(Impossible) } else { self.set(at, End::High, value, None) };
        }
        if outcome.is_err() {
            self.undo(mark);
        }
        outcome.is_ok()
    }

    fn queue_rows(&mut self, at: u32) {
        for &row in &self.touching[at as usize] {
            if !std::mem::replace(&mut self.is_queued[row as usize], true) {
                self.queue.push_back(row);
            }
        }
    }

    fn narrow(&mut self, steps: Option<&mut Vec<Step>>) -> Result<(), Impossible> {
        if steps.is_some() {
            self.ranges.told = Some(Vec::new());
        }
        let outcome = self.narrow_queued();
        let told = self.ranges.told.take().unwrap_or_default();
        if let Some(steps) = steps {
            let unknown = |at: u32| self.unknowns[at as usize];
            steps.extend(told.into_iter().map(|(at, end, value, row)| Step::Bound { unknown: unknown(at), end, value, row }));
        }
        outcome
    }

    fn narrow_queued(&mut self) -> Result<(), Impossible> {
        let mut left = PATIENCE * self.rows.len();
        while let Some(at) = self.queue.pop_front() {
            self.is_queued[at as usize] = false;
            let row = &self.rows[at as usize];
            let before = self.ranges.trail.len();
            let terms = &self.terms[row.start as usize..row.end as usize];
            let impossible = narrow(terms, row.relation, row.constant, row.id, &mut self.ranges);
            if impossible.is_some() || left == 0 {
                self.queue.drain(..).for_each(|row| self.is_queued[row as usize] = false);
                return impossible.map_or(Ok(()), |_| Err(Impossible));
            }
            left -= 1;
            for at in before..self.ranges.trail.len() {
                let (unknown, ..) = self.ranges.trail[at];
                self.queue_rows(unknown);
            }
        }
        Ok(())
    }
}
