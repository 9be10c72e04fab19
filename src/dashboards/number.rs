//! One number of a table, with its change since the period before.

use crate::{
    formats::written,
    tables::{Answer, CellStatus},
    words::Tongue,
};

/// A number for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// The number; a mark where there is none.
    pub text: String,
    /// Why there is none.
    pub status: CellStatus,
    /// What became of it since the period before, if both are published.
    pub change: Option<Change>,
}

/// What became of a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The difference: of counts in per cent, of other numbers in their own unit.
    pub text: String,
    /// -1: it fell; 0: it is the same; 1: it rose.
    pub sign: i64,
    /// Whether it is in per cent.
    pub relative: bool,
}

/// The last number of an answer of one or two periods; `is_count` says that its change is told in per cent.
pub fn number(answer: &Answer, is_count: bool, tongue: Tongue) -> Number {
    let last = answer.values.len().saturating_sub(1);
    let status = answer.statuses.get(last).copied().unwrap_or(CellStatus::Unavailable);
    let text = match status.mark() {
        Some(mark) => format!("[{mark}]"),
        None => written(answer.values[last], answer.decimals(last), tongue),
    };
    let both = answer.statuses.len() == 2 && answer.statuses.iter().all(|status| *status == CellStatus::Published);
    let change = if both {
        change(answer.values[0], answer.values[1], if is_count { None } else { Some(answer.decimals(last)) }, tongue)
    } else {
        None
    };
    Number { text, status, change }
}

/// The difference of two numbers: in per cent of the first with one decimal, or in their own unit with so many decimals.
fn change(before: i64, now: i64, decimals: Option<u8>, tongue: Tongue) -> Option<Change> {
    let value = match decimals {
        Some(_) => now - before,
        None if before <= 0 => return None,
        // Tenths of a per cent, to the nearest.
        None => {
            let (difference, before) = (i128::from(now) - i128::from(before), i128::from(before));
            i64::try_from((difference * 2000 + before * difference.signum()) / (2 * before)).ok()?
        }
    };
    let sign = value.signum();
    let mark = if sign > 0 { "+" } else { "" };
    Some(Change { text: format!("{mark}{}", written(value, decimals.unwrap_or(1), tongue)), sign, relative: decimals.is_none() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_told_in_per_cent_or_in_the_unit() {
        let check = |before: i64, now: i64, decimals: Option<u8>, expect: Option<(&str, i64)>| {
            let change = change(before, now, decimals, Tongue::English);
            assert_eq!(change.as_ref().map(|change| (change.text.as_str(), change.sign)), expect, "{before} {now}");
        };
        check(200, 201, None, Some(("+0.5", 1)));
        check(200, 199, None, Some(("−0.5", -1)));
        check(3000, 3001, None, Some(("0.0", 0)));
        check(3000, 2000, None, Some(("−33.3", -1)));
        check(0, 5, None, None);
        check(664, 669, Some(1), Some(("+0.5", 1)));
        check(664, 650, Some(1), Some(("−1.4", -1)));
        check(664, 664, Some(1), Some(("0.0", 0)));
    }
}
