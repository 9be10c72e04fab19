//! The rules by which institutions come, change and go.

use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    Access, Institution, Standing,
    changes::{Changing, record},
    model::text,
};
use crate::error::{Error, Result};

impl Institution {
    fn check(&self) -> Result<()> {
        if self.code.is_empty() || self.code.len() > 12 || !self.code.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        {
            return Err(Error::Input(format!("code '{}': expected 1 to 12 capital letters and digits", self.code)));
        }
        text("name", &self.name)?;
        text("agreement", &self.agreement)?;
        if self.valid_to < self.valid_from {
            return Err(Error::Input(format!("the agreement ends on {} before it begins on {}", self.valid_to, self.valid_from)));
        }
        match &self.tables {
            Some(tables) if tables.is_empty() => {
                Err(Error::Input("tables: expected at least one table, or none named to grant all".into()))
            }
            _ => Ok(()),
        }
    }

    fn tables_text(&self) -> Option<String> {
        self.tables.as_ref().and_then(|tables| serde_json::to_string(tables).ok())
    }
}

/// The institution with a code.
pub(super) fn find(connection: &Connection, code: &str) -> rusqlite::Result<Option<(i64, Institution)>> {
    let sql = format!("SELECT {}, institution.id FROM institution WHERE code = ?", Institution::COLUMNS);
    connection.prepare_cached(&sql)?.query_row([code], |row| Ok((row.get(10)?, Institution::read(row, 0)?))).optional()
}

pub(super) fn missing(code: &str) -> Error {
    Error::NotFound(format!("there is no institution '{code}'; 'cacah access institutions' lists those that there are"))
}

impl Access {
    /// Every institution, by code.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn institutions(&self) -> Result<Vec<Institution>> {
        let sql = format!("SELECT {} FROM institution ORDER BY code", Institution::COLUMNS);
        self.database.read(|connection| connection.prepare_cached(&sql)?.query_map([], |row| Institution::read(row, 0))?.collect())
    }

    /// The institution with a code.
    ///
    /// # Errors
    /// Where there is none.
    pub fn institution(&self, code: &str) -> Result<Institution> {
        let found = self.database.read(|connection| find(connection, code))?;
        found.map(|(_, institution)| institution).ok_or_else(|| missing(code))
    }

    /// Adds an institution.
    ///
    /// # Errors
    /// Where a field is wrong or the code is taken.
    pub fn add_institution(&self, institution: &Institution, by: &str, reason: &str, now: DateTime<Utc>) -> Result<()> {
        institution.check()?;
        self.database.write(|transaction| {
            if find(transaction, &institution.code)?.is_some() {
                return Ok(Err(Error::Conflict(format!("there is an institution '{}' already; change it instead", institution.code))));
            }
            transaction.execute(
                "INSERT INTO institution (code, name, kind, agreement, valid_from, valid_to, reports, tables, state)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'active')",
                params![
                    institution.code,
                    institution.name,
                    institution.kind.word(),
                    institution.agreement,
                    institution.valid_from.to_string(),
                    institution.valid_to.to_string(),
                    institution.reports,
                    institution.tables_text()
                ],
            )?;
            let what = format!("added under {} until {}", institution.agreement, institution.valid_to);
            record(transaction, &changing(&institution.code, by, &what, reason, None), now)?;
            Ok(Ok(()))
        })?;
        self.forget();
        Ok(())
    }

    /// Puts a new agreement, name, duty or grant in the place of the old ones; the code and where it stands stay.
    ///
    /// # Errors
    /// Where a field is wrong or there is no such institution.
    pub fn change_institution(&self, institution: &Institution, by: &str, reason: &str, now: DateTime<Utc>) -> Result<()> {
        institution.check()?;
        text("reason", reason)?;
        self.database.write(|transaction| {
            let Some((id, before)) = find(transaction, &institution.code)? else { return Ok(Err(missing(&institution.code))) };
            transaction.execute(
                "UPDATE institution SET name = ?, kind = ?, agreement = ?, valid_from = ?, valid_to = ?, reports = ?, tables = ? WHERE id = ?",
                params![
                    institution.name,
                    institution.kind.word(),
                    institution.agreement,
                    institution.valid_from.to_string(),
                    institution.valid_to.to_string(),
                    institution.reports,
                    institution.tables_text(),
                    id
                ],
            )?;
            let what = format!("changed; it was: {before:?}");
            record(transaction, &changing(&institution.code, by, &what, reason, None), now)?;
            Ok(Ok(()))
        })?;
        self.forget();
        Ok(())
    }

    /// Suspends an institution until a day, takes it up again, or ends it; its users can no longer sign in unless it is active.
    ///
    /// # Errors
    /// Where there is no such institution, it has ended, or no reason is given.
    pub fn put_institution(
        &self,
        code: &str,
        standing: Standing,
        until: Option<NaiveDate>,
        by: &str,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<()> {
        text("reason", reason)?;
        self.database.write(|transaction| {
            let Some((id, before)) = find(transaction, code)? else { return Ok(Err(missing(code))) };
            if before.standing == Standing::Ended || before.standing == standing {
                let stands = before.standing.word();
                return Ok(Err(Error::Conflict(format!("institution '{code}' is {stands}, and cannot become {}", standing.word()))));
            }
            let until = until.filter(|_| standing == Standing::Suspended);
            let day = until.map(|day| day.to_string());
            transaction.execute("UPDATE institution SET state = ?, until = ? WHERE id = ?", params![standing.word(), day, id])?;
            if standing != Standing::Active {
                transaction.execute("DELETE FROM session WHERE user IN (SELECT id FROM user WHERE institution = ?)", [id])?;
            }
            record(transaction, &changing(&before.code, by, standing.word(), reason, until), now)?;
            Ok(Ok(()))
        })?;
        self.forget();
        Ok(())
    }
}

fn changing<'a>(code: &'a str, by: &'a str, what: &'a str, reason: &'a str, until: Option<NaiveDate>) -> Changing<'a> {
    Changing { by, subject: "institution", subject_id: code, what, reason, until }
}
