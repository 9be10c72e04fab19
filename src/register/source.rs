//! Where a dimension's values come from: which columns of a snapshot, written how.

use std::collections::HashMap;

use chrono::{Datelike, NaiveDate};
use rustc_hash::FxHashMap;

use crate::digits::eight_digits;

/// How the value of a dimension is read from a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// A column that holds a code or a text.
    Code {
        /// The column.
        column: String,
        /// The ways in which registers number the values. Where there are several, digits alone say nothing.
        codings: Vec<Coding>,
        /// [`normalise`]d text to base leaf.
        texts: HashMap<String, u32>,
    },
    /// A column that holds a birth date.
    Age {
        /// The column.
        column: String,
        /// The ways in which a date may be written.
        formats: Vec<DateFormat>,
        /// The earliest birth date that is believed.
        earliest: NaiveDate,
        /// Base leaf by completed years; the last one is open.
        leaves: Vec<u32>,
    },
    /// Columns that together hold a region code.
    Region {
        /// The parts, in order.
        parts: Vec<RegionPart>,
        /// Code of a base leaf, digits only, to base leaf.
        leaves: FxHashMap<u64, u32>,
    },
    /// The number of people in the household; there is no such column.
    HouseholdSize {
        /// Base leaf by members; the first is for none, the last one is open.
        leaves: Vec<u32>,
    },
}

impl Source {
    /// The columns that the values are read from; none where the members of households are counted.
    pub fn columns(&self) -> Vec<&str> {
        match self {
            Self::Code { column, .. } | Self::Age { column, .. } => vec![column],
            Self::Region { parts, .. } => parts.iter().map(|part| part.column.as_str()).collect(),
            Self::HouseholdSize { .. } => Vec::new(),
        }
    }

    /// Whether values of this and of another dimension tell of each other, because both are read from the same.
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::HouseholdSize { .. }, Self::HouseholdSize { .. }) => true,
            _ => self.columns().iter().any(|column| other.columns().contains(column)),
        }
    }
}

/// For each base leaf of one dimension of ages that of another, where the first always tells the second. Both are given as in [`Source::Age`].
/// A base leaf that no age leads to has none.
pub fn coarser_ages(fine: &[u32], coarse: &[u32]) -> Option<Vec<Option<u32>>> {
    let of = |leaves: &[u32], years: usize| leaves.get(years).or(leaves.last()).copied();
    let mut found: Vec<Option<u32>> = vec![None; fine.iter().max().map_or(0, |&most| most as usize + 1)];
    // Beyond the last year each stays in its open category.
    for years in 0..fine.len().max(coarse.len()) {
        let (fine, coarse) = (of(fine, years)?, of(coarse, years)?);
        if *found[fine as usize].get_or_insert(coarse) != coarse {
            return None;
        }
    }
    Some(found)
}

/// One way of numbering values.
#[derive(Debug, Clone, PartialEq)]
pub struct Coding {
    /// Name by which an operator chooses it.
    pub id: String,
    /// Number to base leaf.
    pub codes: HashMap<u64, u32>,
}

/// One column of a region code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionPart {
    /// The column.
    pub column: String,
    /// How many digits it adds to the code, with leading zeros.
    pub digits: u32,
}

/// The order of a date's fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOrder {
    /// 2024-06-30
    YearMonthDay,
    /// 30-06-2024
    DayMonthYear,
    /// 06/30/2024
    MonthDayYear,
}

/// One way of writing a date: four digits of year, two of month and day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateFormat {
    /// The order of the fields.
    pub order: DateOrder,
    /// What stands between them; `None`: nothing.
    pub separator: Option<u8>,
}

impl DateFormat {
    /// Reads a format such as `YYYY-MM-DD`, `DD/MM/YYYY` or `YYYYMMDD`.
    pub fn parse(text: &str) -> Option<Self> {
        let separator = text.bytes().find(|byte| !byte.is_ascii_alphabetic());
        let mark = separator.map(|byte| (byte as char).to_string()).unwrap_or_default();
        let order = [
            (["YYYY", "MM", "DD"], DateOrder::YearMonthDay),
            (["DD", "MM", "YYYY"], DateOrder::DayMonthYear),
            (["MM", "DD", "YYYY"], DateOrder::MonthDayYear),
        ]
        .into_iter()
        .find(|(fields, _)| fields.join(&mark) == text)?
        .1;
        Some(Self { order, separator })
    }

    /// Reads a date written in this format; `None` where the text is anything else or no day of the calendar.
    #[inline]
    pub fn read(self, text: &[u8]) -> Option<DateKey> {
        let gap = usize::from(self.separator.is_some());
        if text.len() != 8 + 2 * gap {
            return None;
        }
        // Where year, month and day begin, and the two separators.
        let (year, month, day, gaps) = match self.order {
            DateOrder::YearMonthDay => (0, 4 + gap, 6 + 2 * gap, [4, 6 + gap]),
            DateOrder::DayMonthYear => (4 + 2 * gap, 2 + gap, 0, [2, 4 + gap]),
            DateOrder::MonthDayYear => (4 + 2 * gap, 0, 2 + gap, [2, 4 + gap]),
        };
        if let Some(separator) = self.separator
            && gaps.iter().any(|&at| text[at] != separator)
        {
            return None;
        }
        let year = u64::from(u32::from_le_bytes(*text[year..].first_chunk()?));
        let two = |at: usize| Some(u64::from(u16::from_le_bytes(*text[at..].first_chunk()?)));
        let number = eight_digits((year | two(month)? << 32 | two(day)? << 48).to_le_bytes())? as u32;
        DateKey::new(number / 10_000, number / 100 % 100, number % 100)
    }
}

/// A day of the calendar as the number `YYYYMMDD`, which compares as days do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DateKey(u32);

impl DateKey {
    /// The key of a day; `None` if the calendar has no such day.
    #[inline]
    pub fn new(year: u32, month: u32, day: u32) -> Option<Self> {
        const DAYS: [u32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let longest = *DAYS.get(month.wrapping_sub(1) as usize)?;
        let leap = month == 2 && year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        (day >= 1 && day <= longest + u32::from(leap)).then_some(Self(year * 10_000 + month * 100 + day))
    }

    /// The key of a day counted from 1 January 1970; years before 0 become 0. After Howard Hinnant's `civil_from_days`.
    #[inline]
    pub fn from_days(days: i32) -> Self {
        let shifted = i64::from(days) + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self(year.clamp(0, 400_000) as u32 * 10_000 + (month * 100 + day) as u32)
    }

    /// Completed years from this day to a later one; the same as [`super::age_on`].
    #[inline]
    pub fn years_until(self, day: Self) -> u32 {
        let had_birthday = day.0 % 10_000 >= self.0 % 10_000;
        (day.0 / 10_000).saturating_sub(self.0 / 10_000 + u32::from(!had_birthday))
    }

    /// The number itself.
    pub fn number(self) -> u32 {
        self.0
    }

    /// The day with this number.
    pub fn date(self) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt((self.0 / 10_000) as i32, self.0 / 100 % 100, self.0 % 100)
    }
}

impl From<NaiveDate> for DateKey {
    fn from(date: NaiveDate) -> Self {
        // A year before 0 is as hopeless as year 0.
        Self(date.year().max(0) as u32 * 10_000 + date.month() * 100 + date.day())
    }
}

/// Text as it is compared: letters and digits only, upper case, so that `BELUM / TIDAK BEKERJA` is `belum/tidak bekerja`.
pub fn normalise(text: &str) -> String {
    text.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        let check = |format: &str, text: &str, expect: Option<&str>| {
            let date = DateFormat::parse(format).unwrap().read(text.as_bytes());
            assert_eq!(date, expect.map(|date| DateKey::from(date.parse::<NaiveDate>().unwrap())), "{format} {text}");
        };
        check("YYYY-MM-DD", "2024-02-29", Some("2024-02-29"));
        check("YYYY-MM-DD", "2023-02-29", None);
        check("YYYY-MM-DD", "2024/02/29", None);
        check("YYYY-MM-DD", "2024-2-29", None);
        check("DD-MM-YYYY", "29-02-2024", Some("2024-02-29"));
        check("MM/DD/YYYY", "02/29/2024", Some("2024-02-29"));
        check("YYYYMMDD", "20240229", Some("2024-02-29"));
        check("YYYYMMDD", "2024022x", None);
        assert_eq!(DateFormat::parse("YY-MM-DD"), None);
        assert_eq!(DateFormat::parse("YYYY-MM/DD"), None);
    }

    #[test]
    fn keys_agree_with_the_calendar() {
        let reference: NaiveDate = "2023-02-28".parse().unwrap();
        for days in 0..50_000 {
            let born = reference - chrono::Days::new(days);
            let key = DateKey::new(born.year() as u32, born.month(), born.day()).unwrap();
            assert_eq!(key.date(), Some(born));
            let epoch = NaiveDate::default();
            assert_eq!(DateKey::from_days(born.signed_duration_since(epoch).num_days() as i32), key);
            assert_eq!(key.years_until(reference.into()) as i32, super::super::age_on(born, reference), "{born}");
        }
        for (year, month, day) in [(2023, 2, 29), (1900, 2, 29), (2024, 13, 1), (2024, 0, 1), (2024, 4, 31), (2024, 1, 0)] {
            assert_eq!(DateKey::new(year, month, day), None);
        }
        assert!(DateKey::new(2000, 2, 29).is_some());
    }

    #[test]
    fn texts_are_compared_without_punctuation() {
        assert_eq!(normalise("Belum / Tidak Bekerja"), normalise("BELUM/TIDAK BEKERJA"));
        assert_eq!(normalise("väike"), "VÄIKE");
    }

    #[test]
    fn ages_that_tell_other_ages() {
        let told = |leaves: &[u32]| Some(leaves.iter().copied().map(Some).collect::<Vec<_>>());
        assert_eq!(coarser_ages(&[0, 1, 2, 3], &[0, 0, 1]), told(&[0, 0, 1, 1]));
        assert_eq!(coarser_ages(&[1, 1, 2], &[0]), Some(vec![None, Some(0), Some(0)]));
        assert_eq!(coarser_ages(&[0, 0, 1], &[0, 1]), None, "one and no years are one");
        assert_eq!(coarser_ages(&[0, 1], &[0, 1, 1, 2]), None, "what is open in one ends in the other");
        assert_eq!(coarser_ages(&[0, 1, 2], &[2, 1, 0]), told(&[2, 1, 0]));
    }
}
