//! What looks unusual: hints for people who look further, no verdicts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Timelike as _};

use crate::{
    access::{Access, Record, Search, office_time},
    error::Result,
};

/// From when on something is unusual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// Accesses of one user within a minute.
    pub burst: u64,
    /// Different regions that one user reads on a day.
    pub crawl: u64,
    /// Accesses of one user in a night, from ten in the evening until five.
    pub night: u64,
    /// Refusals of one user, or of one address that nobody signed in from, on a day.
    pub refusals: u64,
}

impl Default for Thresholds {
    /// 300 accesses a minute, 500 regions a day, 50 accesses a night, 20 refusals a day.
    fn default() -> Self {
        Self { burst: 300, crawl: 500, night: 50, refusals: 20 }
    }
}

/// What is unusual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Oddity {
    /// Many accesses within a minute.
    Burst,
    /// Many different regions on a day.
    Crawl,
    /// Many accesses in a night.
    Night,
    /// Many refusals on a day.
    Refusals,
}

impl Oddity {
    /// Its name in lists for programs.
    pub fn id(self) -> &'static str {
        match self {
            Self::Burst => "burst",
            Self::Crawl => "crawl",
            Self::Night => "night",
            Self::Refusals => "refusals",
        }
    }
}

/// Something unusual that somebody did on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The day, as offices date it; that on which a night begins.
    pub day: NaiveDate,
    /// The user id, or the address of people who had not signed in.
    pub who: String,
    /// The code of his institution; empty of people who had not signed in.
    pub institution: String,
    /// What is unusual.
    pub oddity: Oddity,
    /// How often: accesses, regions or refusals.
    pub count: u64,
}

/// What one user did on a day.
#[derive(Default)]
struct Day {
    institution: String,
    minute: (u32, u64),
    busiest: u64,
    regions: BTreeSet<String>,
    most_regions: u64,
    night: u64,
    refusals: u64,
}

impl Day {
    fn add(&mut self, record: &Record, minute: u32, is_night: bool) {
        self.refusals += u64::from(record.is_refused());
        if !record.is_access() {
            return;
        }
        if self.minute.0 != minute {
            self.minute = (minute, 0);
        }
        self.minute.1 += 1;
        self.busiest = self.busiest.max(self.minute.1);
        self.regions.extend(record.regions.iter().cloned());
        self.most_regions = self.most_regions.max(record.region_count);
        self.night += u64::from(is_night);
    }

    fn oddities(&self, thresholds: Thresholds) -> impl Iterator<Item = (Oddity, u64)> {
        let regions = self.most_regions.max(self.regions.len() as u64);
        let found = [
            (Oddity::Burst, self.busiest, thresholds.burst),
            (Oddity::Crawl, regions, thresholds.crawl),
            (Oddity::Night, self.night, thresholds.night),
            (Oddity::Refusals, self.refusals, thresholds.refusals),
        ];
        found.into_iter().filter(|(_, count, from)| count >= from).map(|(oddity, count, _)| (oddity, count))
    }
}

#[derive(Default)]
struct Days(BTreeMap<NaiveDate, HashMap<String, Day>>);

impl Days {
    fn add(&mut self, record: &Record) {
        /// Hours that belong to a night: from the first in the evening, until the second in the morning.
        const NIGHT: (u32, u32) = (22, 5);
        let Ok(at) = DateTime::parse_from_rfc3339(&record.at) else { return };
        let at = office_time(at.to_utc());
        let is_night = at.hour() >= NIGHT.0 || at.hour() < NIGHT.1;
        // The small hours belong to the night that began the evening before.
        let day = if at.hour() < NIGHT.1 { at.date().pred_opt() } else { Some(at.date()) };
        let who = if record.user.is_empty() { &record.from } else { &record.user };
        let day = self.0.entry(day.unwrap_or(at.date())).or_default().entry(who.clone()).or_default();
        day.institution.clone_from(&record.institution);
        day.add(record, at.hour() * 60 + at.minute(), is_night);
    }

    fn hints(&self, thresholds: Thresholds) -> Vec<Hint> {
        let mut hints = Vec::new();
        for (&day, people) in &self.0 {
            for (who, did) in people {
                let hint = |(oddity, count)| Hint { day, who: who.clone(), institution: did.institution.clone(), oddity, count };
                hints.extend(did.oddities(thresholds).map(hint));
            }
        }
        hints.sort_by(|a, b| (b.day, &a.who, a.oddity).cmp(&(a.day, &b.who, b.oddity)));
        hints
    }
}

/// What looks unusual among the records that are looked for, the newest day first.
///
/// # Errors
/// Where the log cannot be read.
pub fn hints(access: &Access, search: &Search, thresholds: Thresholds) -> Result<Vec<Hint>> {
    let mut days = Days::default();
    access.log_records(search, |kept| days.add(&kept.record))?;
    Ok(days.hints(thresholds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(user: &str, at: &str, region: &str, regions: u64, status: u16) -> Record {
        Record {
            at: at.into(),
            user: user.into(),
            institution: "BANK".into(),
            from: "192.0.2.1".into(),
            tables: vec!["labour".into()],
            regions: vec![region.into()],
            region_count: regions,
            status,
            ..Record::default()
        }
    }

    #[test]
    fn what_is_unusual_is_told() {
        let thresholds = Thresholds { burst: 3, crawl: 4, night: 2, refusals: 2 };
        let found = |records: &[Record]| {
            let mut days = Days::default();
            records.iter().for_each(|record| days.add(record));
            days.hints(thresholds)
                .into_iter()
                .map(|hint| (hint.day.to_string(), hint.who, hint.oddity.id(), hint.count))
                .collect::<Vec<_>>()
        };
        let at = |minute: &str| format!("2024-03-01T03:{minute}:00.000Z");
        let told = |day: &str, who: &str, what: &'static str, count| (day.to_owned(), who.to_owned(), what, count);
        // Ten in the morning in Jakarta; three in one minute are a burst, three in three minutes are not.
        let steady: Vec<Record> = ["01", "02", "03"].map(|minute| access("a", &at(minute), "34", 1, 200)).into();
        assert_eq!(found(&steady), []);
        let burst: Vec<Record> = ["02"; 3].map(|minute| access("a", &at(minute), "34", 1, 200)).into();
        assert_eq!(found(&burst), [told("2024-03-01", "a", "burst", 3)]);
        // Regions one by one, or many at once.
        let crawl: Vec<Record> = ["1", "2", "3", "4"].map(|code| access("b", &at(&format!("1{code}")), code, 1, 200)).into();
        assert_eq!(found(&crawl), [told("2024-03-01", "b", "crawl", 4)]);
        assert_eq!(found(&[access("b", &at("00"), "1", 400, 200)]), [told("2024-03-01", "b", "crawl", 400)]);
        // Eleven in the evening and two in the morning are one night.
        let night = [access("c", "2024-03-01T16:00:00.000Z", "1", 1, 200), access("c", "2024-03-01T19:00:00.000Z", "1", 1, 200)];
        assert_eq!(found(&night), [told("2024-03-01", "c", "night", 2)]);
        let refused: Vec<Record> = ["02"; 2].map(|minute| access("", &at(minute), "34", 1, 401)).into();
        assert_eq!(found(&refused), [told("2024-03-01", "192.0.2.1", "refusals", 2)]);
    }
}
