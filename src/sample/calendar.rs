//! Days as the writers need them, looked up instead of computed for every record.

use chrono::{Datelike, NaiveDate};

use crate::register::age_on;

/// Length of a date written as text.
pub const DATE_BYTES: usize = 10;

/// A number that stands for no day at all: the field is empty.
pub const NO_DAY: i32 = i32::MIN;

/// A number that stands for a text which is no day of the calendar.
pub const NOT_A_DAY: i32 = i32::MIN + 1;

/// What [`NOT_A_DAY`] is written as.
const NOT_A_DAY_TEXT: &[u8; DATE_BYTES] = b"1990-02-31";

/// Years that a calendar reaches back from its reference date; no one in the sample is older.
const YEARS: i32 = 125;

/// What is known of a day.
#[derive(Debug, Clone, Copy)]
pub struct Day {
    /// Day, month and year of the century as digits: 170898 for 17 August 1998, as identity numbers hold them.
    pub digits: u32,
    /// Completed years, on the reference date, of somebody born on the day.
    pub age: u8,
    /// The year divided by 100.
    pub century: u8,
    /// The date as `1998-08-17`.
    pub text: [u8; DATE_BYTES],
}

/// The days up to a reference date, counted from 1970-01-01.
#[derive(Debug)]
pub struct Calendar {
    /// The reference date.
    pub reference: i32,
    first: i32,
    days: Vec<Day>,
}

impl Calendar {
    /// The days before and on a reference date.
    pub fn new(reference: NaiveDate) -> Self {
        let last = from_epoch(reference);
        let first = last - YEARS * 366;
        let days = (first..=last).map(|day| describe(day, reference)).collect();
        Self { reference: last, first, days }
    }

    /// A day not after the reference date; the oldest known one stands in for those before it.
    pub fn day(&self, day: i32) -> &Day {
        let at = usize::try_from(day - self.first).unwrap_or(0).min(self.days.len() - 1);
        &self.days[at]
    }

    /// A day as snapshots write it. Any day, also one far away; `None` for [`NO_DAY`].
    pub fn text(&self, day: i32) -> Option<[u8; DATE_BYTES]> {
        match day {
            NO_DAY => None,
            NOT_A_DAY => Some(*NOT_A_DAY_TEXT),
            day if (self.first..=self.reference).contains(&day) => Some(self.day(day).text),
            day => Some(text(date(day))),
        }
    }
}

/// The number of a date.
pub fn from_epoch(date: NaiveDate) -> i32 {
    date.to_epoch_days()
}

fn date(day: i32) -> NaiveDate {
    NaiveDate::from_epoch_days(day).unwrap_or_default()
}

fn describe(day: i32, reference: NaiveDate) -> Day {
    let date = date(day);
    let digits = date.day() * 10_000 + date.month() * 100 + date.year().rem_euclid(100) as u32;
    let age = age_on(date, reference).clamp(0, 255) as u8;
    Day { digits, age, century: (date.year() / 100).clamp(0, 255) as u8, text: text(date) }
}

fn text(date: NaiveDate) -> [u8; DATE_BYTES] {
    let mut text = *b"0000-00-00";
    let mut put = |at: usize, digits: usize, mut number: u32| {
        for byte in text[at..at + digits].iter_mut().rev() {
            *byte = b'0' + (number % 10) as u8;
            number /= 10;
        }
    };
    put(0, 4, date.year().clamp(0, 9999) as u32);
    put(5, 2, date.month());
    put(8, 2, date.day());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_described() {
        let reference: NaiveDate = "2024-06-30".parse().unwrap();
        let calendar = Calendar::new(reference);
        let day = |text: &str| from_epoch(text.parse().unwrap());
        let check = |text: &str, digits: u32, age: u8| {
            let found = calendar.day(day(text));
            assert_eq!((found.digits, found.age, found.text.as_slice()), (digits, age, text.as_bytes()));
        };
        check("2024-06-30", 300_624, 0);
        check("1998-08-17", 170_898, 25);
        check("2004-02-29", 290_204, 20);
        check("1919-01-01", 10_119, 105);
        assert_eq!(calendar.text(day("1850-12-31")), Some(*b"1850-12-31"));
        assert_eq!(calendar.text(day("2025-01-01")), Some(*b"2025-01-01"));
        assert_eq!(calendar.text(NO_DAY), None);
        assert!(std::str::from_utf8(&calendar.text(NOT_A_DAY).unwrap()).unwrap().parse::<NaiveDate>().is_err());
    }
}
