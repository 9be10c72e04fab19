//! Reads birth dates as ages on the reference date.

use arrow::array::Array;
use chrono::NaiveDate;

use super::{
    MARKS, Reason,
    values::{Column, Value, trimmed},
};
use crate::register::{DateFormat, DateKey};

/// What it takes to turn a birth date into an age.
#[derive(Debug)]
pub(super) struct AgeRule {
    formats: Vec<DateFormat>,
    earliest: DateKey,
    reference: DateKey,
    /// Base leaf by completed years; the last one is open.
    leaves: Vec<u32>,
    /// Days from 1 January 1970 to the earliest date.
    first_day: i32,
    /// Code of every day from the earliest date to the reference date: faster looked up than worked out.
    by_day: Vec<u32>,
}

impl AgeRule {
    pub fn new(formats: &[DateFormat], earliest: NaiveDate, reference: NaiveDate, leaves: &[u32]) -> Self {
        let first_day = earliest.to_epoch_days();
        let mut rule = Self {
            formats: formats.to_vec(),
            earliest: earliest.into(),
            reference: reference.into(),
            leaves: leaves.to_vec(),
            first_day,
            by_day: Vec::new(),
        };
        rule.by_day = (first_day..=reference.to_epoch_days()).map(|day| rule.of(DateKey::from_days(day))).collect();
        rule
    }

    /// The code of a birth date.
    #[inline]
    fn of(&self, born: DateKey) -> u32 {
        if born > self.reference {
            return Reason::BornAfter.mark();
        }
        if born < self.earliest {
            return Reason::BornBefore.mark();
        }
        let years = born.years_until(self.reference) as usize;
        self.leaves[years.min(self.leaves.len() - 1)]
    }

    /// The code of a birth date, given in days from 1 January 1970.
    #[inline]
    fn of_day(&self, born: i32) -> u32 {
        let outside = if born < self.first_day { Reason::BornBefore } else { Reason::BornAfter };
        self.by_day.get(born.wrapping_sub(self.first_day) as u32 as usize).copied().unwrap_or(outside.mark())
    }
}

/// Reads birth dates as ages.
#[derive(Default)]
pub(super) struct AgeReader {
    /// Newest believable birth date of the last column.
    pub newest: Option<DateKey>,
}

impl AgeReader {
    /// Reads a column; tells whether it holds marks.
    pub fn read(&mut self, column: &Column<'_>, records: usize, rule: &AgeRule, out: &mut Vec<u32>) -> bool {
        let mut newest = None;
        if let Column::Dates(array) = column {
            let mut newest_day = i32::MIN;
            let mut age = |day: i32| {
                let code = rule.of_day(day);
                newest_day = if code < MARKS { newest_day.max(day) } else { newest_day };
                code
            };
            let days = array.values()[..records].iter();
            match array.nulls().filter(|nulls| nulls.null_count() > 0) {
                None => out.extend(days.map(|&day| age(day))),
                Some(nulls) => {
                    let missing = Reason::Missing.mark();
                    out.extend(days.zip(nulls).map(|(&day, is_there)| if is_there { age(day) } else { missing }));
                }
            }
            self.newest = (newest_day > i32::MIN).then(|| DateKey::from_days(newest_day));
            return out.iter().any(|&code| code >= MARKS);
        }
        let mut age = |born: Result<DateKey, Reason>| {
            let code = born.map_or_else(Reason::mark, |date| rule.of(date));
            if code < MARKS {
                newest = newest.max(born.ok());
            }
            code
        };
        // Nearly all dates are written in the first format.
        let parse = |text: &[u8]| {
            let (first, others) = rule.formats.split_first()?;
            first.read(text).or_else(|| others.iter().find_map(|format| format.read(text)))
        };
        let read = |text: &[u8]| {
            let unreadable = || if trimmed(text).is_empty() { Reason::Missing } else { Reason::UnreadableDate };
            parse(text).or_else(|| parse(trimmed(text))).ok_or_else(unreadable)
        };
        let marked = column.codes(records, out, |value| {
            age(match value {
                Value::Missing => Err(Reason::Missing),
                Value::Date(date) => Ok(date.into()),
                Value::Text(text) => read(text),
                Value::Number(number) => read(itoa::Buffer::new().format(number).as_bytes()),
            })
        });
        self.newest = newest;
        marked
    }
}
