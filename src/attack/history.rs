//! How every end of every range came about: what a proof is made of.

use super::{
    narrow::{End, NO_LIMIT},
    rows::{Relation, Row, RowId, System},
};

/// Rows with their multipliers.
pub(super) type Combination = Vec<(RowId, i64)>;

/// A step of a proof by cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Supposes that an unknown is no further out than a value.
    Suppose { unknown: u32, end: End, value: i64 },
    /// An end that a row leaves under what is supposed.
    Bound { unknown: u32, end: End, value: i64, row: RowId },
    /// What was supposed last has led to a range of which nothing is left, so the opposite holds.
    Conclude { unknown: u32, end: End, value: i64 },
}

/// Why an end of a range holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// A row leaves no more.
    Row(RowId),
    /// A combination of rows, by its number.
    Combination(u32),
    /// Supposing the opposite leads to a contradiction: steps by their number. The first one supposes, the rest follows.
    Cases(u32),
}

const COMBINATION: u64 = 1 << 62;
const CASES: u64 = 1 << 63;

impl Reason {
    fn packed(self) -> u64 {
        match self {
            Self::Row(row) => row.number(),
            Self::Combination(at) => COMBINATION | u64::from(at),
            Self::Cases(at) => CASES | u64::from(at),
        }
    }

    fn unpacked(packed: u64) -> Self {
        match packed & (COMBINATION | CASES) {
            COMBINATION => Self::Combination(packed as u32),
            CASES => Self::Cases(packed as u32),
            _ => Self::Row(RowId::numbered(packed)),
        }
    }
}

/// Entries are numbered from 1; 0 is none.
const NONE: u32 = 0;

/// Ends of ranges in the order in which they were found.
#[derive(Debug, Default)]
pub(super) struct History {
    /// Whether anything is noted at all.
    is_kept: bool,
    /// Unknown and end of each entry.
    targets: Vec<u32>,
    values: Vec<u32>,
    /// See [`Reason::packed`]: there are as many entries as unknowns, and more.
    reasons: Vec<u64>,
    /// The entry before of the same unknown and end.
    previous: Vec<u32>,
    /// The last entry of each unknown and end.
    latest: Vec<u32>,
    combinations: Vec<Combination>,
    cases: Vec<Vec<Step>>,
}

fn target(unknown: u32, end: End) -> u32 {
    unknown << 1 | u32::from(end == End::High)
}

/// An entry as others see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub unknown: u32,
    pub end: End,
    pub value: i64,
    pub reason: Reason,
}

impl History {
    /// A history of some unknowns; one that is not kept notes nothing.
    pub fn new(unknowns: usize, is_kept: bool) -> Self {
        Self { is_kept, latest: if is_kept { vec![NONE; unknowns * 2] } else { Vec::new() }, ..Self::default() }
    }

    /// Whether anything is noted.
    pub fn is_kept(&self) -> bool {
        self.is_kept
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    pub fn push(&mut self, unknown: u32, end: End, value: i64, reason: Reason) {
        if !self.is_kept {
            return;
        }
        let target = target(unknown, end);
        self.targets.push(target);
        self.values.push(value as u32);
        self.reasons.push(reason.packed());
        self.previous.push(self.latest[target as usize]);
        self.latest[target as usize] = self.targets.len() as u32;
    }

    /// Notes an end that a combination of rows proves.
    pub fn push_combination(&mut self, unknown: u32, end: End, value: i64, rows: Combination) {
        self.push(unknown, end, value, Reason::Combination(self.combinations.len() as u32));
        self.combinations.push(rows);
    }

    /// Notes an end whose opposite some steps refute.
    pub fn push_cases(&mut self, unknown: u32, end: End, value: i64, steps: Vec<Step>) {
        self.push(unknown, end, value, Reason::Cases(self.cases.len() as u32));
        self.cases.push(steps);
    }

    /// Forgets all but the first entries.
    pub fn truncate(&mut self, length: usize) {
        while self.targets.len() > length {
            let (Some(target), Some(previous)) = (self.targets.pop(), self.previous.pop()) else { return };
            self.latest[target as usize] = previous;
            match self.reasons.pop().map(Reason::unpacked) {
                Some(Reason::Combination(at)) => self.combinations.truncate(at as usize),
                Some(Reason::Cases(at)) => self.cases.truncate(at as usize),
                _ => {}
            }
            self.values.pop();
        }
    }

    /// The position of the last entry of an end; `None` if there is none.
    pub fn latest(&self, unknown: u32, end: End) -> Option<u32> {
        self.latest.get(target(unknown, end) as usize).filter(|entry| **entry != NONE).map(|entry| entry - 1)
    }

    /// An entry by its position.
    pub fn entry(&self, at: usize) -> Entry {
        let target = self.targets[at];
        let end = if target & 1 == 0 { End::Low } else { End::High };
        Entry { unknown: target >> 1, end, value: i64::from(self.values[at]), reason: Reason::unpacked(self.reasons[at]) }
    }

    /// The rows of a combination.
    pub fn combination(&self, at: u32) -> &[(RowId, i64)] {
        &self.combinations[at as usize]
    }

    /// The steps of a proof by cases.
    pub fn cases(&self, at: u32) -> &[Step] {
        &self.cases[at as usize]
    }

    /// Marks the entries that the last entry of every unknown's ends is derived from.
    pub fn needed(&self, system: &System<'_>) -> Vec<bool> {
        let mut needed = vec![false; self.len()];
        for &last in &self.latest {
            if last != NONE {
                needed[last as usize - 1] = true;
            }
        }
        self.trace(system, &mut needed, 0);
        needed
    }

    /// Marks, of the entries from a position on, all that marked ones are derived from.
    pub fn trace(&self, system: &System<'_>, needed: &mut [bool], from: usize) {
        let mut latest = self.latest.clone();
        let mut row = Row::default();
        for at in (from..self.len()).rev() {
            latest[self.targets[at] as usize] = self.previous[at];
            if needed[at] {
                self.visit_sources(&self.entry(at), system, &mut row, &mut |unknown, end| {
                    let source = latest[target(unknown, end) as usize] as usize;
                    if source > from {
                        needed[source - 1] = true;
                    }
                });
            }
        }
    }

    /// Marks the last entries of the ends that a row draws on.
    pub fn mark_sources(&self, row: &Row, needed: &mut [bool]) {
        for source in row.terms.iter().flat_map(|(unknown, _)| [target(*unknown, End::Low), target(*unknown, End::High)]) {
            let last = self.latest[source as usize] as usize;
            if last > 0 {
                needed[last - 1] = true;
            }
        }
    }

    /// Calls `visit` with every end that an entry may draw on.
    fn visit_sources(&self, entry: &Entry, system: &System<'_>, row: &mut Row, visit: &mut dyn FnMut(u32, End)) {
        match entry.reason {
            Reason::Row(id) => {
                system.read(id, row);
                let sign = multiplier(row, entry.unknown, entry.end);
                for (unknown, coefficient) in row.terms.iter().filter(|(unknown, _)| *unknown != entry.unknown) {
                    visit(*unknown, if coefficient * sign > 0 { End::Low } else { End::High });
                }
            }
            Reason::Combination(at) => {
                let (coefficients, _) = combine(self.combination(at), system, row);
                for (unknown, coefficient) in coefficients.into_iter().filter(|(unknown, _)| *unknown != entry.unknown) {
                    visit(unknown, if coefficient > 0 { End::Low } else { End::High });
                }
            }
            Reason::Cases(at) => {
                for step in self.cases(at) {
                    match step {
                        Step::Bound { row: id, .. } => {
                            system.read(*id, row);
                            for (unknown, _) in &row.terms {
                                visit(*unknown, End::Low);
                                visit(*unknown, End::High);
                            }
                        }
                        Step::Suppose { unknown, .. } | Step::Conclude { unknown, .. } => {
                            visit(*unknown, End::Low);
                            visit(*unknown, End::High);
                        }
                    }
                }
            }
        }
    }
}

/// By which number a row is multiplied to give an end of one of its unknowns: inequalities as they stand, equations either way.
pub(super) fn multiplier(row: &Row, unknown: u32, end: End) -> i64 {
    let coefficient = row.terms.iter().find(|(other, _)| *other == unknown).map_or(0, |(_, coefficient)| *coefficient);
    let is_as_it_stands = row.relation == Relation::AtMost || (coefficient > 0) == (end == End::High);
    if is_as_it_stands { 1 } else { -1 }
}

/// Adds up rows times their multipliers: the coefficient of each unknown that does not vanish, ascending, and what they add up to at most.
pub(super) fn combine(rows: &[(RowId, i64)], system: &System<'_>, row: &mut Row) -> (Vec<(u32, i128)>, i128) {
    let (mut terms, mut constant): (Vec<(u32, i128)>, i128) = (Vec::new(), 0);
    for &(id, times) in rows {
        system.read(id, row);
        constant += i128::from(row.constant) * i128::from(times);
        terms.extend(row.terms.iter().map(|(unknown, coefficient)| (*unknown, i128::from(*coefficient) * i128::from(times))));
    }
    terms.sort_unstable_by_key(|(unknown, _)| *unknown);
    terms.dedup_by(|next, sum| {
        let is_same = next.0 == sum.0;
        if is_same {
            sum.1 += next.1;
        }
        is_same
    });
    terms.retain(|(_, coefficient)| *coefficient != 0);
    (terms, constant)
}

/// The end of an unknown's range that a combination of rows leaves, given the ranges of the others; `None` if it leaves all open.
pub(super) fn implied(
    (terms, constant): &(Vec<(u32, i128)>, i128),
    unknown: u32,
    end: End,
    range: impl Fn(u32) -> (i64, i64),
) -> Option<i64> {
    let mut rest = *constant;
    let mut own = 0;
    for &(other, coefficient) in terms {
        if other == unknown {
            own = coefficient;
            continue;
        }
        let (low, high) = range(other);
        let near = if coefficient > 0 { low } else { high };
        if near == NO_LIMIT {
            return None;
        }
        rest -= coefficient * i128::from(near);
    }
    let value = match end {
        End::High if own > 0 => rest.div_euclid(own),
        End::Low if own < 0 => -(rest.div_euclid(-own)),
        _ => return None,
    };
    i64::try_from(value).ok()
}
