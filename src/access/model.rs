//! Institutions and users, the states they pass through, and who may move them.
//!
//! ```text
//! requested ── approve ──> approved ── first sign-in ──> active
//!     │                       │  ^                        │  ^
//!     └──── remove ───────────┤  └──── reactivate ────────┤  │
//!                             └── suspend ──> suspended ──┘──┘
//! ```

use std::{collections::BTreeSet, str::FromStr};

use chrono::NaiveDate;
use rusqlite::Row;

use super::words_of;
use crate::{
    error::{Error, Result},
    tables::Scope,
};

words_of! {
    /// What kind of paper gives an institution access.
    Kind {
        /// A memorandum of understanding between the heads.
        Memorandum = "memorandum",
        /// A cooperation agreement that follows from it.
        Cooperation = "cooperation",
    }
}

words_of! {
    /// Where an institution stands.
    Standing {
        /// Its users may sign in, as long as its agreement holds.
        Active = "active",
        /// Nobody of it may sign in for the time being.
        Suspended = "suspended",
        /// Its agreement has ended for good.
        Ended = "ended",
    }
}

words_of! {
    /// Where a user stands.
    State {
        /// Asked for, but not decided.
        Requested = "requested",
        /// Has a user id and a one-time password.
        Approved = "approved",
        /// Has a password of his own.
        Active = "active",
        /// May not sign in for the time being.
        Suspended = "suspended",
        /// Gone; the record stays.
        Removed = "removed",
    }
}

words_of! {
    /// What a user may do beside reading.
    Role {
        /// Nothing.
        Reader = "reader",
        /// Sees the use of his institution and files its reports.
        Reporter = "reporter",
        /// Administers institutions and users.
        Administrator = "administrator",
    }
}

/// An institution that uses the statistics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Institution {
    /// The code with which its user ids begin.
    pub code: String,
    /// Its name.
    pub name: String,
    /// What kind of paper gives it access.
    pub kind: Kind,
    /// The number of that paper.
    pub agreement: String,
    /// The first day of it.
    pub valid_from: NaiveDate,
    /// The last day of it.
    pub valid_to: NaiveDate,
    /// Whether it owes a report on its use for each semester.
    pub reports: bool,
    /// Identifiers of the tables that it is granted; `None`: all.
    pub tables: Option<BTreeSet<String>>,
    /// Where it stands.
    pub standing: Standing,
    /// The last day of a suspension, if that is known.
    pub until: Option<NaiveDate>,
}

/// What is asked for with a new user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The code of his institution.
    pub institution: String,
    /// The code of his office's region; `None`: the whole country.
    pub region: Option<String>,
    /// What he may do beside reading.
    pub role: Role,
    /// His number as an employee.
    pub employee_number: String,
    /// His name.
    pub name: String,
    /// His position.
    pub position: String,
    /// The name that his institution's own systems know him by.
    pub local_id: String,
    /// His identity number, of which only a keyed digest is kept.
    pub identity: Option<String>,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The number of the record.
    pub id: i64,
    /// The user id, once it is issued.
    pub user_id: Option<String>,
    /// What was asked for; the identity number is not kept.
    pub request: Request,
    /// Who asked.
    pub requested_by: String,
    /// Where he stands.
    pub state: State,
    /// The last day of a suspension, if that is known.
    pub until: Option<NaiveDate>,
    /// Whether he has a second factor.
    pub second_factor: bool,
}

impl User {
    pub(super) const COLUMNS: &str = "user.id, user.user_id, institution.code, user.region, user.role, user.employee_number, user.name, \
                                      user.position, user.local_id, user.requested_by, user.state, user.until, user.totp_confirmed";

    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            user_id: row.get(1)?,
            request: Request {
                institution: row.get(2)?,
                region: row.get(3)?,
                role: parsed(row, 4)?,
                employee_number: row.get(5)?,
                name: row.get(6)?,
                position: row.get(7)?,
                local_id: row.get(8)?,
                identity: None,
            },
            requested_by: row.get(9)?,
            state: parsed(row, 10)?,
            until: day(row, 11)?,
            second_factor: row.get(12)?,
        })
    }

    /// What he is called: his user id, or what there is before one is issued.
    pub fn called(&self) -> String {
        self.user_id.clone().unwrap_or_else(|| format!("#{}", self.id))
    }
}

impl Institution {
    pub(super) const COLUMNS: &str = "institution.code, institution.name, institution.kind, institution.agreement, institution.valid_from, \
                                      institution.valid_to, institution.reports, institution.tables, institution.state, institution.until";

    /// Reads it from the columns that begin at a position.
    pub(super) fn read(row: &Row<'_>, from: usize) -> rusqlite::Result<Self> {
        let tables: Option<String> = row.get(from + 7)?;
        let unreadable =
            |error: serde_json::Error| rusqlite::Error::FromSqlConversionFailure(from + 7, rusqlite::types::Type::Text, Box::new(error));
        Ok(Self {
            code: row.get(from)?,
            name: row.get(from + 1)?,
            kind: parsed(row, from + 2)?,
            agreement: row.get(from + 3)?,
            valid_from: day(row, from + 4)?.unwrap_or_default(),
            valid_to: day(row, from + 5)?.unwrap_or_default(),
            reports: row.get(from + 6)?,
            tables: tables.map(|tables| serde_json::from_str(&tables).map_err(unreadable)).transpose()?,
            standing: parsed(row, from + 8)?,
            until: day(row, from + 9)?,
        })
    }

    /// Whether its users may use the service on a day. A suspension ends with its last day.
    pub fn stands(&self, day: NaiveDate) -> bool {
        let is_open = match self.standing {
            Standing::Active => true,
            Standing::Suspended => self.until.is_some_and(|until| until < day),
            Standing::Ended => false,
        };
        is_open && (self.valid_from..=self.valid_to).contains(&day)
    }

    /// What its users are granted whose office is in a region.
    pub fn granted(&self, region: Option<&str>) -> Scope {
        Scope { region: region.map(str::to_owned), tables: self.tables.clone() }
    }
}

/// A word of the database as one of ours.
fn parsed<T: FromStr<Err = Error>>(row: &Row<'_>, at: usize) -> rusqlite::Result<T> {
    let text: String = row.get(at)?;
    text.parse().map_err(|error: Error| rusqlite::Error::FromSqlConversionFailure(at, rusqlite::types::Type::Text, Box::new(error)))
}

fn day(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<NaiveDate>> {
    let text: Option<String> = row.get(at)?;
    let unreadable =
        |error: chrono::ParseError| rusqlite::Error::FromSqlConversionFailure(at, rusqlite::types::Type::Text, Box::new(error));
    text.map(|text| text.parse().map_err(unreadable)).transpose()
}

impl Request {
    /// Checks what needs no look at the database.
    ///
    /// # Errors
    /// Says which field is wrong and what was expected.
    pub fn check(&self) -> Result<()> {
        let fields = [
            ("institution", &self.institution),
            ("employee_number", &self.employee_number),
            ("name", &self.name),
            ("position", &self.position),
            ("local_id", &self.local_id),
        ];
        for (name, value) in fields {
            text(name, value)?;
        }
        if let Some(identity) = &self.identity
            && !(identity.len() == 16 && identity.bytes().all(|byte| byte.is_ascii_digit()))
        {
            return Err(Error::Input("identity: expected an identity number of 16 digits".into()));
        }
        Ok(())
    }
}

/// A field that must be filled in, in moderation.
pub(super) fn text(name: &str, value: &str) -> Result<()> {
    /// Characters of a field, at most.
    const LONGEST: usize = 200;
    match value.trim() {
        "" => Err(Error::Input(format!("{name}: expected something to stand here"))),
        text if text.chars().count() > LONGEST => Err(Error::Input(format!("{name}: expected at most {LONGEST} characters"))),
        text if text.chars().any(char::is_control) => Err(Error::Input(format!("{name}: expected no control characters"))),
        _ => Ok(()),
    }
}

/// Why an office cannot be in a region, whose level is known if there is such a region: its position and its name. Offices are where the
/// finest level is divided, not within its parts.
pub fn office_fault(code: &str, level: Option<(u8, &str)>, finest: u8) -> Option<String> {
    let Some((position, level)) = level else { return Some(format!("there is no region '{code}' in the newest release")) };
    (position >= finest).then(|| format!("region {code} is of level {level}; an office is of a coarser level"))
}
