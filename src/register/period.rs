//! Reference periods: how often a register is counted, and on which day.

use std::{fmt, str::FromStr};

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

/// How many snapshots a register takes a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Frequency {
    /// Once, on 31 December: `2024`.
    Annual,
    /// Twice, on 30 June and 31 December: `2024-S1`, `2024-S2`.
    Semester,
    /// Four times, on the last day of each quarter: `2024-Q1`.
    Quarter,
    /// On the last day of each month: `2024-M01`.
    Month,
}

impl Frequency {
    /// Periods in a year.
    pub fn per_year(self) -> u32 {
        match self {
            Self::Annual => 1,
            Self::Semester => 2,
            Self::Quarter => 4,
            Self::Month => 12,
        }
    }

    /// The SDMX frequency code (`CL_FREQ`).
    pub fn sdmx(self) -> &'static str {
        match self {
            Self::Annual => "A",
            Self::Semester => "S",
            Self::Quarter => "Q",
            Self::Month => "M",
        }
    }

    /// The PxWebApi time unit; it knows no semester, which becomes `Other`.
    pub fn px(self) -> &'static str {
        match self {
            Self::Annual => "Annual",
            Self::Semester => "Other",
            Self::Quarter => "Quarterly",
            Self::Month => "Monthly",
        }
    }
}

/// One snapshot's period, such as the first semester of 2024. Its reference date is its last day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Period {
    year: i32,
    /// From 1 to [`Frequency::per_year`].
    part: u32,
    frequency: Frequency,
}

impl Period {
    /// How often periods like this one come.
    pub fn frequency(self) -> Frequency {
        self.frequency
    }

    /// The calendar year.
    pub fn year(self) -> i32 {
        self.year
    }

    /// Which part of the year, from 1 to [`Frequency::per_year`].
    pub fn part(self) -> u32 {
        self.part
    }

    /// The last day of the period: the day as of which people are counted.
    pub fn reference_date(self) -> NaiveDate {
        let last_month = self.part * 12 / self.frequency.per_year();
        let (year, month) = if last_month == 12 { (self.year + 1, 1) } else { (self.year, last_month + 1) };
        NaiveDate::from_ymd_opt(year, month, 1)
            .and_then(|first| first.pred_opt())
            .expect("a parsed period lies between the years 1000 and 9999")
    }

    /// The first day of the period.
    pub fn first_date(self) -> NaiveDate {
        self.previous().reference_date().succ_opt().expect("a parsed period lies between the years 1000 and 9999")
    }

    /// The period before this one.
    pub fn previous(self) -> Self {
        if self.part > 1 {
            Self { part: self.part - 1, ..self }
        } else {
            Self { year: self.year - 1, part: self.frequency.per_year(), ..self }
        }
    }

    /// The period after this one.
    pub fn next(self) -> Self {
        if self.part < self.frequency.per_year() {
            Self { part: self.part + 1, ..self }
        } else {
            Self { year: self.year + 1, part: 1, ..self }
        }
    }

    /// The period in which a day falls.
    pub fn containing(day: NaiveDate, frequency: Frequency) -> Self {
        let part = day.month0() * frequency.per_year() / 12 + 1;
        Self { year: day.year(), part, frequency }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, part, .. } = self;
        // Padded as a whole, so that lists of periods line up.
        f.pad(&match self.frequency {
            Frequency::Annual => format!("{year}"),
            Frequency::Semester => format!("{year}-S{part}"),
            Frequency::Quarter => format!("{year}-Q{part}"),
            Frequency::Month => format!("{year}-M{part:02}"),
        })
    }
}

/// Why a text is not a period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a period; write 2024-S1 for a semester, 2024 for a year, 2024-Q1 for a quarter, 2024-M01 for a month")]
pub struct NotAPeriod(String);

impl FromStr for Period {
    type Err = NotAPeriod;

    fn from_str(text: &str) -> Result<Self, NotAPeriod> {
        parse(text).ok_or_else(|| NotAPeriod(text.chars().take(40).collect()))
    }
}

fn parse(text: &str) -> Option<Period> {
    let (year, rest) = text.split_at_checked(4)?;
    if !year.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let year: i32 = year.parse().ok().filter(|year| *year >= 1000)?;
    let (frequency, part) = if rest.is_empty() {
        (Frequency::Annual, "1")
    } else {
        let (mark, part) = rest.split_at_checked(2)?;
        match mark {
            "-S" => (Frequency::Semester, part),
            "-Q" => (Frequency::Quarter, part),
            "-M" if part.len() == 2 => (Frequency::Month, part),
            _ => return None,
        }
    };
    if !part.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part: u32 = part.parse().ok()?;
    (1..=frequency.per_year()).contains(&part).then_some(Period { year, part, frequency })
}

impl Serialize for Period {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Completed years of life on a day.
///
/// Someone born on 29 February completes a year on 1 March of a common year; someone born on the day itself is 0.
pub fn age_on(born: NaiveDate, day: NaiveDate) -> i32 {
    let had_birthday = (day.month(), day.day()) >= (born.month(), born.day());
    day.year() - born.year() - i32::from(!had_birthday)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn reference_dates() {
        let check = |period: &str, date: &str| {
            let period: Period = period.parse().unwrap();
            assert_eq!(period.reference_date(), day(date));
            assert_eq!(Period::containing(day(date), period.frequency()), period);
            assert_eq!(period.next().previous(), period);
        };
        check("2024-S1", "2024-06-30");
        check("2024-S2", "2024-12-31");
        check("2024", "2024-12-31");
        check("2024-Q1", "2024-03-31");
        check("2024-M02", "2024-02-29");
    }

    #[test]
    fn text_that_is_no_period() {
        for text in ["", "2024-S3", "2024-S0", "24-S1", "2024S1", "2024-Q5", "2024-M1", "2024-M13", "2024-S+1", "20é4", "٢٠٢٤"] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
    }

    #[test]
    fn ages() {
        assert_eq!(age_on(day("2000-02-29"), day("2023-02-28")), 22);
        assert_eq!(age_on(day("2000-02-29"), day("2023-03-01")), 23);
        assert_eq!(age_on(day("2000-02-29"), day("2024-02-29")), 24);
        assert_eq!(age_on(day("2024-06-30"), day("2024-06-30")), 0);
        assert_eq!(age_on(day("2014-06-30"), day("2024-06-30")), 10);
        assert_eq!(age_on(day("2014-07-01"), day("2024-06-30")), 9);
    }
}
