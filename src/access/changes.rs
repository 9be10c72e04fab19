//! What was changed, by whom, when and why.

use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::{Connection, params};

use super::{Access, seconds};
use crate::error::Result;

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: DateTime<Utc>,
    /// By whom.
    pub by: String,
    /// What was changed: `institution`, `user`, `key` or `setting`.
    pub subject: String,
    /// Which one.
    pub subject_id: String,
    /// What became of it.
    pub what: String,
    /// Why.
    pub reason: String,
    /// Until when, if it is for a time.
    pub until: Option<String>,
}

/// A change that is being made.
pub(super) struct Changing<'a> {
    pub by: &'a str,
    pub subject: &'static str,
    pub subject_id: &'a str,
    pub what: &'a str,
    pub reason: &'a str,
    pub until: Option<NaiveDate>,
}

/// Keeps a change.
pub(super) fn record(connection: &Connection, change: &Changing<'_>, now: DateTime<Utc>) -> rusqlite::Result<()> {
    let sql = "INSERT INTO change (at, by, subject, subject_id, what, reason, until) VALUES (?, ?, ?, ?, ?, ?, ?)";
    let until = change.until.map(|day| day.to_string());
    connection.prepare_cached(sql)?.execute(params![
        seconds(now),
        change.by,
        change.subject,
        change.subject_id,
        change.what,
        change.reason,
        until
    ])?;
    Ok(())
}

impl Access {
    /// The newest changes, the newest first; of one subject if it is named.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn changes(&self, subject: Option<(&str, &str)>, most: usize) -> Result<Vec<Change>> {
        let (kind, id) = subject.unzip();
        let sql = "SELECT at, by, subject, subject_id, what, reason, until FROM change
                   WHERE ?1 IS NULL OR (subject = ?1 AND subject_id = ?2 COLLATE NOCASE) ORDER BY id DESC LIMIT ?3";
        self.database.read(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map(params![kind, id, most as i64], |row| {
                Ok(Change {
                    at: DateTime::from_timestamp(row.get(0)?, 0).unwrap_or_default(),
                    by: row.get(1)?,
                    subject: row.get(2)?,
                    subject_id: row.get(3)?,
                    what: row.get(4)?,
                    reason: row.get(5)?,
                    until: row.get(6)?,
                })
            })?;
            rows.collect()
        })
    }
}
