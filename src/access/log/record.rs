//! One access to data.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use crate::access::Caller;

/// What is kept of one access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Record {
    /// When, in RFC 3339 with milliseconds, UTC.
    pub at: String,
    /// The request's own name, which its answer bears too.
    pub request: String,
    /// The user id; empty for people who have not signed in.
    pub user: String,
    /// The code of his institution.
    pub institution: String,
    /// By what he was recognised: `session`, or `key` with the key's name.
    pub by: String,
    /// The address that the request came from.
    pub from: String,
    /// Which part of the service was asked: `api`, `sdmx`, `sql`, `chart`, `query`, `page`.
    pub surface: String,
    /// Method and address, or the statement.
    pub asked: String,
    /// What it meant: each table with the codes that were chosen.
    pub means: Vec<String>,
    /// Identifiers of the tables whose cells were read.
    pub tables: Vec<String>,
    /// Codes of the regions that were asked for; of many the first.
    pub regions: Vec<String>,
    /// How many regions were asked for.
    pub region_count: u64,
    /// The releases whose cells were read.
    pub releases: Vec<String>,
    /// Cells of the answer.
    pub cells: u64,
    /// Those of them that are suppressed.
    pub suppressed: u64,
    /// The media type of the answer.
    pub format: String,
    /// Status of the answer.
    pub status: u16,
}

/// Regions of one access that are kept by their codes.
pub const NAMED_REGIONS: usize = 12;

impl Record {
    /// The same with what is known of any access: when, and whose it is.
    #[must_use]
    pub fn of(self, caller: Option<&Caller>, now: DateTime<Utc>) -> Self {
        let told = |field: fn(&Caller) -> &String| caller.map_or_else(String::new, |caller| field(caller).clone());
        Self {
            at: now.to_rfc3339_opts(SecondsFormat::Millis, true),
            user: told(|caller| &caller.user_id),
            institution: told(|caller| &caller.institution),
            by: told(|caller| &caller.by),
            ..self
        }
    }
}
