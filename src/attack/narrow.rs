//! What one row leaves of the ranges of its unknowns.

use super::rows::{Relation, RowId};

/// No upper limit.
pub(super) const NO_LIMIT: i64 = i64::MAX;

/// An end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// The smallest value.
    Low,
    /// The largest value.
    High,
}

impl End {
    /// Identifier in files.
    pub fn id(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::High => "high",
        }
    }

    /// The other end.
    pub(super) fn other(self) -> Self {
        match self {
            Self::Low => Self::High,
            Self::High => Self::Low,
        }
    }

    /// Whether a value is further in than another one.
    pub(super) fn is_inside(self, value: i64, than: i64) -> bool {
        match self {
            Self::Low => value > than,
            Self::High => value < than,
        }
    }

    /// The next value further in.
    pub(super) fn inward(self, value: i64) -> i64 {
        match self {
            Self::Low => value + 1,
            Self::High => value - 1,
        }
    }
}

/// Ranges of unknowns, which rows narrow.
pub(super) trait Ranges {
    /// The smallest value of an unknown.
    fn low(&self, unknown: u32) -> i64;
    /// The largest value of an unknown, or [`NO_LIMIT`].
    fn high(&self, unknown: u32) -> i64;
    /// Sets an end of a range further in, because of a row. The ends may cross: then nothing fulfils the rows.
    fn set(&mut self, unknown: u32, end: End, value: i64, row: RowId);
}

/// Narrows the range of each unknown of a row to what the others leave; values are whole numbers, so that ends are rounded inward.
/// Returns an unknown of which nothing is left, if there is one.
pub(super) fn narrow(terms: &[(u32, i64)], relation: Relation, constant: i64, row: RowId, ranges: &mut impl Ranges) -> Option<u32> {
    // What the terms add up to at least and at most, and how many of them have no limit there.
    let (mut least, mut endless_least, mut most, mut endless_most) = (0, 0u32, 0, 0u32);
    for &(unknown, coefficient) in terms {
        let (low, high) = (ranges.low(unknown), ranges.high(unknown));
        let (near, far) = if coefficient > 0 { (low, high) } else { (high, low) };
        match near {
            NO_LIMIT => endless_least += 1,
            near => least += coefficient * near,
        }
        match far {
            NO_LIMIT => endless_most += 1,
            far => most += coefficient * far,
        }
    }
    let is_equal = relation == Relation::Equal;
    if endless_least > 1 && (endless_most > 1 || !is_equal) {
        return None;
    }
    for &(unknown, coefficient) in terms {
        let (low, high) = (ranges.low(unknown), ranges.high(unknown));
        let (near, far) = if coefficient > 0 { (low, high) } else { (high, low) };
        // coefficient x unknown is at most the constant less what the others are at least,
        let at_most = match (endless_least, near) {
            (0, _) => Some(constant - (least - coefficient * near)),
            (1, NO_LIMIT) => Some(constant - least),
            _ => None,
        };
        // and in an equation at least the constant less what the others are at most.
        let at_least = match (endless_most, far) {
            _ if !is_equal => None,
            (0, _) => Some(constant - (most - coefficient * far)),
            (1, NO_LIMIT) => Some(constant - most),
            _ => None,
        };
        let (from, to) = if coefficient > 0 {
            (at_least.map(|value| ceiling(value, coefficient)), at_most.map(|value| value.div_euclid(coefficient)))
        } else {
            (at_most.map(|value| ceiling(-value, -coefficient)), at_least.map(|value| (-value).div_euclid(-coefficient)))
        };
        let from = from.filter(|from| *from > low);
        let to = to.filter(|to| *to < high);
        if let Some(from) = from {
            ranges.set(unknown, End::Low, from, row);
        }
        if let Some(to) = to {
            ranges.set(unknown, End::High, to, row);
        }
        if from.unwrap_or(low) > to.unwrap_or(high) {
            return Some(unknown);
        }
    }
    None
}

/// A quotient by a positive number, rounded up.
pub(super) fn ceiling(value: i64, divisor: i64) -> i64 {
    -(-value).div_euclid(divisor)
}

/// Whether a row says nothing beyond the ranges of its unknowns.
pub(super) fn is_implied(terms: &[(u32, i64)], relation: Relation, constant: i64, ranges: &impl Ranges) -> bool {
    let most = terms.iter().try_fold(0, |most, &(unknown, coefficient)| {
        let far = if coefficient > 0 { ranges.high(unknown) } else { ranges.low(unknown) };
        (far != NO_LIMIT).then(|| most + coefficient * far)
    });
    relation == Relation::AtMost && most.is_some_and(|most| most <= constant)
}
