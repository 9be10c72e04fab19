//! Which periods a query means.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, Utc, Weekday};

use super::refusal::{Refusal, short};
use crate::{tables::Library, words};

/// The part of a query that chooses periods.
///
/// A register is counted on the last day of a period, so a period lies between two times if that day does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Window {
    start: Option<NaiveDate>,
    end: Option<NaiveDate>,
    updated_after: Option<DateTime<Utc>>,
    first: Option<usize>,
    last: Option<usize>,
}

impl Window {
    /// Reads `startPeriod`, `endPeriod`, `updatedAfter`, `firstNObservations` and `lastNObservations`.
    ///
    /// # Errors
    /// Where one of them is no time or no number.
    pub fn parse<'p>(get: impl Fn(&'static str) -> Option<&'p str>) -> Result<Self, Refusal> {
        let given = |name: &'static str| get(name).filter(|text| !text.is_empty());
        let time = |name: &'static str| {
            let days = |text: &str| days(text).ok_or_else(|| Refusal::syntax(words::NO_TIME.with(name).and(short(text))));
            given(name).map(days).transpose()
        };
        let number = |name: &'static str| {
            let wrong = |text: &str| Refusal::syntax(words::NO_NUMBER.with(name).and(short(text)));
            given(name).map(|text| text.parse().ok().filter(|number| *number > 0).ok_or_else(|| wrong(text))).transpose()
        };
        let moment = |text: &str| moment(text).ok_or_else(|| Refusal::syntax(words::NO_MOMENT.with("updatedAfter").and(short(text))));
        Ok(Self {
            start: time("startPeriod")?.map(|(first, _)| first),
            end: time("endPeriod")?.map(|(_, last)| last),
            updated_after: given("updatedAfter").map(moment).transpose()?,
            first: number("firstNObservations")?,
            last: number("lastNObservations")?,
        })
    }

    /// The releases of a table that fit, oldest first. Every series has every period, so that its first observations are the first periods.
    pub(super) fn releases(&self, library: &Library, span: &[usize]) -> Vec<usize> {
        let fits = |release: &usize| {
            let edition = &library.releases[*release];
            let day = edition.manifest.period.reference_date();
            self.start.is_none_or(|start| start <= day)
                && self.end.is_none_or(|end| day <= end)
                && self.updated_after.is_none_or(|moment| edition.written > moment)
        };
        let fitting: Vec<usize> = span.iter().copied().filter(fits).collect();
        if self.first.is_none() && self.last.is_none() {
            return fitting;
        }
        let (first, last) = (self.first.unwrap_or(0), self.last.unwrap_or(0));
        let from_behind = fitting.len().saturating_sub(last);
        fitting.into_iter().enumerate().filter(|(at, _)| *at < first || *at >= from_behind).map(|(_, release)| release).collect()
    }
}

/// The first and the last day of a time: a year, a part of one, a day, a moment.
fn days(text: &str) -> Option<(NaiveDate, NaiveDate)> {
    let day = |day: NaiveDate| Some((day, day));
    if text.contains('T') && text.len() > 10 {
        return day(moment(text)?.date_naive());
    }
    let (year, rest) = text.split_at_checked(4)?;
    let year: i32 = year.bytes().all(|byte| byte.is_ascii_digit()).then(|| year.parse().ok())??;
    let months = |part: u32, length: u32| {
        let first = NaiveDate::from_ymd_opt(year, (part.checked_sub(1)?).checked_mul(length)?.checked_add(1)?, 1)?;
        Some((first, first.checked_add_months(Months::new(length))?.pred_opt()?))
    };
    let Some(rest) = rest.strip_prefix('-') else {
        return if rest.is_empty() { months(1, 12) } else { None };
    };
    if let Some((month, of_month)) = rest.split_once('-') {
        return day(NaiveDate::from_ymd_opt(year, number(month, 2)?, number(of_month, 2)?)?);
    }
    match rest.split_at_checked(1)? {
        ("A", part) => months(number(part, 1).filter(|part| *part == 1)?, 12),
        ("S", part) => months(number(part, 1)?, 6),
        ("T", part) => months(number(part, 1)?, 4),
        ("Q", part) => months(number(part, 1)?, 3),
        ("M", part) => months(number(part, 2)?, 1),
        ("W", part) => {
            let monday = NaiveDate::from_isoywd_opt(year, number(part, 2)?, Weekday::Mon)?;
            Some((monday, monday.checked_add_days(Days::new(6))?))
        }
        ("D", part) => day(NaiveDate::from_yo_opt(year, number(part, 3)?)?),
        _ => months(number(rest, 2)?, 1),
    }
}

/// A number of so many digits.
fn number(text: &str, digits: usize) -> Option<u32> {
    (text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// A moment, with or without an offset from universal time, or the beginning of a day.
fn moment(text: &str) -> Option<DateTime<Utc>> {
    // In a query string the plus sign of an offset means a space.
    let text = text.replace(' ', "+");
    let within = |moment: &DateTime<Utc>| (0..10_000).contains(&moment.year());
    let zoned = || DateTime::parse_from_rfc3339(&text).ok().map(|moment| moment.to_utc());
    let plain = || text.parse::<NaiveDateTime>().ok().map(|moment| moment.and_utc());
    let day = || Some(text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0)?.and_utc());
    zoned().or_else(plain).or_else(day).filter(within)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_every_notation() {
        let check = |text: &str, first: &str, last: &str| {
            let found = days(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((found.0.to_string().as_str(), found.1.to_string().as_str()), (first, last), "{text}");
        };
        check("2024", "2024-01-01", "2024-12-31");
        check("2024-A1", "2024-01-01", "2024-12-31");
        check("2024-S1", "2024-01-01", "2024-06-30");
        check("2024-S2", "2024-07-01", "2024-12-31");
        check("2024-T2", "2024-05-01", "2024-08-31");
        check("2024-Q1", "2024-01-01", "2024-03-31");
        check("2024-M02", "2024-02-01", "2024-02-29");
        check("2024-02", "2024-02-01", "2024-02-29");
        check("2024-W01", "2024-01-01", "2024-01-07");
        check("2024-D366", "2024-12-31", "2024-12-31");
        check("2024-06-30", "2024-06-30", "2024-06-30");
        check("2024-06-30T23:30:00 02:00", "2024-06-30", "2024-06-30");
    }

    #[test]
    fn what_is_no_time() {
        for text in
            ["", "24", "2024-", "2024-S3", "2024-S0", "2024-Q5", "2024-13", "2024-1", "2024-W54", "2024-06-31", "2024-x", "20é4", "2024é"]
        {
            assert_eq!(days(text), None, "{text}");
        }
    }

    #[test]
    fn moments() {
        let check =
            |text: &str, expect: &str| assert_eq!(moment(text).map(|moment| moment.to_rfc3339()).as_deref(), Some(expect), "{text}");
        check("2024-01-02T03:04:05Z", "2024-01-02T03:04:05+00:00");
        check("2024-01-02T03:04:05 07:00", "2024-01-01T20:04:05+00:00");
        check("2024-01-02T03:04:05", "2024-01-02T03:04:05+00:00");
        check("2024-01-02", "2024-01-02T00:00:00+00:00");
        assert_eq!(moment("yesterday"), None);
    }
}
