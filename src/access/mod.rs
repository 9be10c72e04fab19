//! Who may see what: institutions under agreement, their users, their keys.
//!
//! ```text
//! cacah access ...  ─┐                              ┌─ sign in ──> session ─┐
//! administration    ─┴─> rules ──> SQLite ──────────┴─ key ─────────────────┴─ identify ──> Caller (granted scope) ──> serve
//! ```
//!
//! Whoever asks is identified once, at the edge; what he is granted is a [`Scope`](crate::tables::Scope), and the rest of the program knows
//! no users. Every change is kept with who, when and why.

mod attempts;
mod backup;
mod bulk;
mod changes;
mod database;
mod handover;
mod identify;
mod institutions;
mod keys;
mod log;
mod model;
mod reports;
mod secrets;
mod sign_in;
mod users;

use std::{
    path::{Path, PathBuf},
    sync::Mutex,
};

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, Utc};

pub use attempts::network;
pub use backup::Backup;
pub use bulk::{COLUMNS as REQUEST_COLUMNS, Listed, MOST_BYTES as MOST_REQUEST_BYTES, read_requests};
pub use changes::Change;
pub use database::key_path;
pub use handover::{handover_page, handover_records};
pub use identify::{Caller, Refused, Who};
pub use keys::{Key, is_key};
pub use log::{
    Attested, CheckpointFigures, CheckpointSettings, Coming, Evidence, Kept, Log, NAMED_REGIONS, PublicKey, Record, Search, SigningKey,
    Verified, Witness, is_refusal, must_lie_elsewhere,
};
pub use model::{Institution, Kind, Request, Role, Standing, State, User, office_fault};
pub use reports::{Duty, Filed};
pub use secrets::one_time_password;
pub use sign_in::{Attempt, PasswordChange, PasswordFault, Session, SignedIn};
pub use users::Handover;

use self::{database::Database, identify::Known};
use crate::error::{Error, Result};

/// Declares words that the database, the command line and people share.
macro_rules! words_of {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// Every word, in order.
            pub const WORDS: &[&str] = &[$($word),+];

            /// The word for it.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::error::Error;

            fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    other => Err($crate::error::Error::Input(format!("'{other}' is none of {}", Self::WORDS.join(", ")))),
                }
            }
        }
    };
}
use words_of;

/// Everything about access.
#[derive(Debug)]
pub struct Access {
    database: Database,
    known: Mutex<Known>,
}

impl Access {
    /// Opens the database in a file, and makes it if there is none. Its key lies beside it (see [`key_path`]).
    ///
    /// # Errors
    /// Where the file is no such database, or its key is missing.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self { database: Database::open(path)?, known: Mutex::default() })
    }

    /// Opens the database in a file that is there already.
    ///
    /// # Errors
    /// Where there is none, it is no such database, or its key is missing.
    pub fn existing(path: &Path) -> Result<Self> {
        if !path.exists() {
            return Err(Error::NotFound(format!(
                "{}: there is no such database; name it with --database, or make one with 'cacah access add-institution'",
                path.display()
            )));
        }
        Self::open(path)
    }

    /// Where the log of accesses lies.
    pub fn log_folder(&self) -> PathBuf {
        self.path().with_extension("log")
    }

    /// Goes on with the log of accesses, with checkpoints if it is said how they are made.
    ///
    /// # Errors
    /// Where another process writes it, it cannot be written, or it does not come as far as it had come.
    pub fn begin_log(&self, checkpoints: Option<CheckpointSettings>) -> Result<Log> {
        Log::open(&self.log_folder(), &self.database, checkpoints)
    }

    /// Goes over every record of the log of accesses.
    ///
    /// # Errors
    /// Names the first place at which a record was changed, is missing, or stands in another order.
    pub fn verify_log(&self) -> Result<Verified> {
        self.verify_log_by(&Evidence::default())
    }

    /// The same, by keys and by what witnesses have kept.
    ///
    /// # Errors
    /// Where any of it does not agree with the log besides.
    pub fn verify_log_by(&self, evidence: &Evidence) -> Result<Verified> {
        log::verify(&self.log_folder(), &self.database, evidence)
    }

    /// Whether there is a log of accesses.
    ///
    /// # Errors
    /// Where its folder cannot be read.
    pub fn has_log(&self) -> Result<bool> {
        log::whole(&self.log_folder()).map(|files| !files.is_empty())
    }

    /// Calls something for every record of the log that is looked for, the oldest first.
    ///
    /// # Errors
    /// Where a file of it cannot be read.
    pub fn log_records(&self, search: &Search, each: impl FnMut(Kept)) -> Result<()> {
        if self.log_folder().exists() { log::records(&self.log_folder(), search, each) } else { Ok(()) }
    }

    /// The newest records of the log that are looked for, so many at most, the newest last.
    ///
    /// # Errors
    /// Where a file of it cannot be read.
    pub fn newest_records(&self, search: &Search, most: usize) -> Result<Vec<Kept>> {
        if self.log_folder().exists() { log::newest(&self.log_folder(), search, most) } else { Ok(Vec::new()) }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.database.path()
    }
}

/// Seconds since 1970.
fn seconds(now: DateTime<Utc>) -> i64 {
    now.timestamp()
}

/// Hours by which the clock of offices is ahead of UTC: they work by the time of the west of the country.
const AHEAD: chrono::Duration = chrono::Duration::hours(7);

/// The same moment by the clock of offices.
pub fn office_time(now: DateTime<Utc>) -> NaiveDateTime {
    (now + AHEAD).naive_utc()
}

/// The moment at which a day begins in offices, as the log writes it.
pub fn begin_of(day: NaiveDate) -> String {
    (day.and_time(NaiveTime::MIN).and_utc() - AHEAD).to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The day on which deadlines end.
fn today(now: DateTime<Utc>) -> NaiveDate {
    office_time(now).date()
}
