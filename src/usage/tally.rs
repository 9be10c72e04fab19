//! Counts of accesses, which add up.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate};

use crate::access::{Record, office_time};

/// What stands in the place of regions where an access named more than are kept.
pub const MANY: &str = "*";

/// How often what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Accesses by which cells were given.
    pub accesses: u64,
    /// Cells that were given.
    pub cells: u64,
    /// Those of them that are suppressed.
    pub suppressed: u64,
    /// Accesses that were refused.
    pub refused: u64,
    /// Accesses by day, as offices date it.
    pub days: BTreeMap<NaiveDate, u64>,
    /// Accesses by user id.
    pub users: BTreeMap<String, u64>,
    /// Accesses by identifier of the table.
    pub tables: BTreeMap<String, u64>,
    /// Accesses by code of the region; [`MANY`] of those that asked for many regions at once.
    pub regions: BTreeMap<String, u64>,
    /// Accesses by media type of the answer, without its parameters.
    pub formats: BTreeMap<String, u64>,
    /// Accesses by the part of the service that was asked.
    pub surfaces: BTreeMap<String, u64>,
}

fn count(counts: &mut BTreeMap<String, u64>, name: &str) {
    match counts.get_mut(name) {
        Some(count) => *count += 1,
        None => drop(counts.insert(name.to_owned(), 1)),
    }
}

impl Tally {
    /// Counts one record.
    pub fn add(&mut self, record: &Record) {
        self.refused += u64::from(record.is_refused());
        if !record.is_access() {
            return;
        }
        self.accesses += 1;
        self.cells += record.cells;
        self.suppressed += record.suppressed;
        if let Ok(at) = DateTime::parse_from_rfc3339(&record.at) {
            *self.days.entry(office_time(at.to_utc()).date()).or_default() += 1;
        }
        if !record.user.is_empty() {
            count(&mut self.users, &record.user);
        }
        count(&mut self.surfaces, &record.surface);
        let format = record.format.split(';').next().unwrap_or("").trim();
        if !format.is_empty() {
            count(&mut self.formats, format);
        }
        for table in &record.tables {
            count(&mut self.tables, table);
        }
        if record.region_count > record.regions.len() as u64 {
            count(&mut self.regions, MANY);
        } else {
            for region in &record.regions {
                count(&mut self.regions, region);
            }
        }
    }

    /// Counts what another has counted.
    pub fn merge(&mut self, other: &Self) {
        self.accesses += other.accesses;
        self.cells += other.cells;
        self.suppressed += other.suppressed;
        self.refused += other.refused;
        for (day, more) in &other.days {
            *self.days.entry(*day).or_default() += more;
        }
        let counts = [
            (&mut self.users, &other.users),
            (&mut self.tables, &other.tables),
            (&mut self.regions, &other.regions),
            (&mut self.formats, &other.formats),
            (&mut self.surfaces, &other.surfaces),
        ];
        for (own, others) in counts {
            for (name, more) in others {
                *own.entry(name.clone()).or_default() += more;
            }
        }
    }

    /// The busiest days, the busiest first.
    pub fn peak_days(&self, most: usize) -> Vec<(NaiveDate, u64)> {
        let mut days: Vec<_> = self.days.iter().map(|(day, count)| (*day, *count)).collect();
        days.sort_by_key(|(day, count)| (std::cmp::Reverse(*count), *day));
        days.truncate(most);
        days
    }
}

/// The names that were asked for most, the most asked for first.
pub fn ranked(counts: &BTreeMap<String, u64>) -> Vec<(&str, u64)> {
    let mut ranked: Vec<_> = counts.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    ranked.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    ranked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(at: &str, table: &str, regions: &[&str], region_count: u64, status: u16) -> Record {
        Record {
            at: at.into(),
            user: "TAX-34-0001".into(),
            surface: "api".into(),
            format: "text/csv; charset=utf-8".into(),
            tables: vec![table.into()],
            regions: regions.iter().map(|&code| code.to_owned()).collect(),
            region_count,
            cells: 10,
            suppressed: 1,
            status,
            ..Record::default()
        }
    }

    #[test]
    fn counts_add_up() {
        let records = [
            // Eleven at night in London is the next morning in Jakarta.
            record("2024-03-01T23:00:00.000Z", "labour", &["34"], 1, 200),
            record("2024-03-02T01:00:00.000Z", "labour", &["34", "3404"], 2, 304),
            record("2024-03-05T01:00:00.000Z", "population", &["34"], 400, 200),
            record("2024-03-05T01:00:00.000Z", "population", &["51"], 1, 403),
            Record { tables: Vec::new(), ..record("2024-03-05T01:00:00.000Z", "", &[], 0, 200) },
        ];
        let mut all = Tally::default();
        let mut parts = [Tally::default(), Tally::default()];
        for (at, record) in records.iter().enumerate() {
            all.add(record);
            parts[at % 2].add(record);
        }
        assert_eq!((all.accesses, all.cells, all.suppressed, all.refused), (3, 30, 3, 1));
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert_eq!(all.peak_days(9), [(day("2024-03-02"), 2), (day("2024-03-05"), 1)]);
        assert_eq!(ranked(&all.regions), [("34", 2), (MANY, 1), ("3404", 1)]);
        assert_eq!(ranked(&all.formats), [("text/csv", 3)]);
        let [mut merged, second] = parts;
        merged.merge(&second);
        assert_eq!(merged, all);
    }
}
