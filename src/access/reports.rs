//! The reports on use that institutions owe for each semester.

use chrono::{DateTime, Days, NaiveDate, Utc};
use rusqlite::params;

use super::{
    Access, Institution,
    changes::{Changing, record},
    institutions::{find, missing},
    model::text,
    seconds, today,
};
use crate::{
    error::{Error, Result},
    register::Period,
};

/// Days after the end of a semester in which its report is to be filed.
const DAYS: u64 = 31;

/// A report that was filed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filed {
    /// The code of the institution.
    pub institution: String,
    /// When.
    pub at: DateTime<Utc>,
    /// By whom.
    pub by: String,
    /// What was said with it, such as the number of the letter.
    pub note: String,
}

/// Where an institution stands with the report of a semester.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Duty {
    /// It owes none: it has no such duty, or its agreement did not hold then.
    None,
    /// It has filed it.
    Filed(Filed),
    /// It may be filed until this day.
    Due(NaiveDate),
    /// It should have been filed by this day.
    Overdue(NaiveDate),
}

impl Institution {
    /// Where it stands with the report of a semester, for which these were filed.
    pub fn duty(&self, period: Period, filed: &[Filed], now: DateTime<Utc>) -> Duty {
        if let Some(filed) = filed.iter().find(|filed| filed.institution == self.code) {
            return Duty::Filed(filed.clone());
        }
        let (first, last) = (period.first_date(), period.reference_date());
        if !self.reports || self.valid_to < first || self.valid_from > last {
            return Duty::None;
        }
        let due = last + Days::new(DAYS);
        if today(now) <= due { Duty::Due(due) } else { Duty::Overdue(due) }
    }
}

impl Access {
    /// What was filed for a semester, by code of institution.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn reports(&self, period: Period) -> Result<Vec<Filed>> {
        let sql = "SELECT institution.code, report.filed, report.by, report.note FROM report
                   JOIN institution ON institution.id = report.institution WHERE report.period = ? ORDER BY institution.code";
        self.database.read(|connection| {
            let read = |row: &rusqlite::Row<'_>| {
                let at = DateTime::from_timestamp(row.get(1)?, 0).unwrap_or_default();
                Ok(Filed { institution: row.get(0)?, at, by: row.get(2)?, note: row.get(3)? })
            };
            connection.prepare_cached(sql)?.query_map([period.to_string()], read)?.collect()
        })
    }

    /// Files the report of an institution for a semester.
    ///
    /// # Errors
    /// Where it is filed already, the semester has not ended, or nothing is said with it.
    pub fn file_report(&self, code: &str, period: Period, note: &str, by: &str, now: DateTime<Utc>) -> Result<()> {
        text("note", note)?;
        if today(now) <= period.reference_date() {
            return Err(Error::Conflict(format!("{period} ends on {}; its report is filed after that", period.reference_date())));
        }
        self.database.write(|transaction| {
            let Some((id, institution)) = find(transaction, code)? else { return Ok(Err(missing(code))) };
            let sql = "INSERT OR IGNORE INTO report (institution, period, filed, by, note) VALUES (?, ?, ?, ?, ?)";
            let filed = transaction.execute(sql, params![id, period.to_string(), seconds(now), by, note.trim()])?;
            if filed == 0 {
                return Ok(Err(Error::Conflict(format!("{} has filed its report for {period} already", institution.code))));
            }
            let what = format!("report for {period} filed");
            let change = Changing { by, subject: "institution", subject_id: &institution.code, what: &what, reason: note, until: None };
            record(transaction, &change, now)?;
            Ok(Ok(()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Kind, Standing};

    #[test]
    fn who_owes_what() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let at = |text: &str| day(text).and_hms_opt(12, 0, 0).unwrap().and_utc();
        let period: Period = "2024-S1".parse().unwrap();
        let institution = |reports, from: &str, to: &str| Institution {
            code: "TAX".into(),
            name: "Tax".into(),
            kind: Kind::Cooperation,
            agreement: "1".into(),
            valid_from: day(from),
            valid_to: day(to),
            reports,
            tables: None,
            standing: Standing::Active,
            until: None,
        };
        let owing = institution(true, "2024-06-30", "2025-01-01");
        assert_eq!(owing.duty(period, &[], at("2024-07-31")), Duty::Due(day("2024-07-31")));
        assert_eq!(owing.duty(period, &[], at("2024-08-01")), Duty::Overdue(day("2024-07-31")));
        assert_eq!(institution(false, "2024-01-01", "2025-01-01").duty(period, &[], at("2024-08-01")), Duty::None);
        assert_eq!(institution(true, "2024-07-01", "2025-01-01").duty(period, &[], at("2024-08-01")), Duty::None);
        assert_eq!(institution(true, "2023-01-01", "2023-12-31").duty(period, &[], at("2024-08-01")), Duty::None);
    }
}
