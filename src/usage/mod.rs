//! How the service was used: a report for each institution and semester, and hints at what looks unusual. Both are read from the log of
//! accesses, so that they tell what was answered and nothing else.
//!
//! ```text
//! log ── semester ──> Tally of each institution ──> Usage ──> pages, CSV, workbook
//!  └──── last days ──> Hint
//! ```

mod hints;
mod tally;
mod written;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

pub use hints::{Hint, Oddity, Thresholds, hints};
pub use tally::{MANY, Tally, ranked};
pub use written::{Item, Sheet, duty_text};

use crate::{
    access::{Access, Duty, Institution, Search, State, begin_of},
    error::Result,
    register::Period,
};

/// How the service was used in a semester.
#[derive(Debug, Clone)]
pub struct Usage {
    /// The semester.
    pub period: Period,
    /// Each institution, by code.
    pub institutions: Vec<InstitutionUsage>,
    /// People who had not signed in.
    pub open: Tally,
    /// When this was gathered.
    pub at: DateTime<Utc>,
}

/// How one institution used the service.
#[derive(Debug, Clone)]
pub struct InstitutionUsage {
    /// The institution.
    pub institution: Institution,
    /// Accounts that it has, or had and were used in the semester.
    pub accounts: usize,
    /// User ids of accounts that were not used in the semester.
    pub unused: Vec<String>,
    /// User ids of accounts by which nobody has ever signed in.
    pub never: Vec<String>,
    /// What its users did.
    pub tally: Tally,
    /// Where it stands with its report.
    pub duty: Duty,
}

impl Usage {
    /// Gathers it from the log; of one institution alone if it is named.
    ///
    /// # Errors
    /// Where the database or the log cannot be read, or there is no such institution.
    pub fn gather(access: &Access, period: Period, institution: Option<&str>, now: DateTime<Utc>) -> Result<Self> {
        let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
        let search = Search {
            institution: institution.map(str::to_owned),
            since: Some(begin_of(period.first_date())),
            until: Some(begin_of(period.next().first_date())),
            ..Search::default()
        };
        access.log_records(&search, |kept| tallies.entry(kept.record.institution.clone()).or_default().add(&kept.record))?;
        let open = tallies.remove("").unwrap_or_default();
        let all = match institution {
            Some(code) => vec![access.institution(code)?],
            None => access.institutions()?,
        };
        let filed = access.reports(period)?;
        let mut institutions = Vec::new();
        for institution in all {
            let tally = tallies.remove(&institution.code).unwrap_or_default();
            let users = access.users(Some(&institution.code))?;
            let accounts = users.iter().filter_map(|user| Some((user.user_id.as_ref()?, user.state)));
            let is_used = |user_id: &String| tally.users.contains_key(user_id);
            let of_interest: Vec<(&String, State)> =
                accounts.filter(|(user_id, state)| *state != State::Removed || is_used(user_id)).collect();
            let named = |keep: &dyn Fn(&String, State) -> bool| {
                of_interest.iter().filter(|(user_id, state)| keep(user_id, *state)).map(|(user_id, _)| (*user_id).clone()).collect()
            };
            institutions.push(InstitutionUsage {
                accounts: of_interest.len(),
                unused: named(&|user_id, _| !is_used(user_id)),
                never: named(&|user_id, state| state == State::Approved && !is_used(user_id)),
                duty: institution.duty(period, &filed, now),
                tally,
                institution,
            });
        }
        Ok(Self { period, institutions, open, at: now })
    }

    /// What all institutions did together.
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        for institution in &self.institutions {
            total.merge(&institution.tally);
        }
        total
    }
}
