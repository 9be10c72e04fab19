//! Who asks, from what he shows: a session or a key.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, params};

use super::{
    Access, Institution, Role, State, User,
    keys::is_key,
    seconds, secrets,
    sign_in::{IDLE, LONGEST},
    today,
};
use crate::{error::Result, tables::Scope};

/// How long what is known of somebody is believed without looking: a suspension by another process takes so long to hold.
const FRESH: Duration = Duration::from_secs(1);
/// Callers who are known at a time.
const MOST_KNOWN: usize = 10_000;
/// Seconds after which it is written down that a session is still in use.
const SEEN_EVERY: i64 = 60;

/// Somebody who was identified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// His user id.
    pub user_id: String,
    /// His name.
    pub name: String,
    /// The code of his institution.
    pub institution: String,
    /// What he may do beside reading.
    pub role: Role,
    /// What he may see.
    pub scope: Scope,
    /// By what he was recognised: `session` or the name of his key.
    pub by: String,
    /// What the forms of his session carry; empty for keys, which fill in no forms.
    pub form_token: String,
}

/// What somebody shows to be recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who<'a> {
    /// The token of a session.
    Session(&'a str),
    /// A key.
    Key(&'a str),
}

/// Why somebody is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Nobody knows the session or key, or it has ended.
    Unknown,
    /// The user is not active.
    Suspended,
    /// His institution is suspended, or its agreement does not hold today.
    Institution,
}

/// What was found of somebody, and when.
type Found = (Instant, std::result::Result<Caller, Refused>);

/// Callers who were identified a moment ago.
#[derive(Debug, Default)]
pub struct Known(HashMap<Vec<u8>, Found>);

impl Access {
    /// Finds who shows a session or a key.
    ///
    /// # Errors
    /// Where the database cannot be read; the inner error where he is not let in.
    pub fn identify(&self, who: Who<'_>, now: DateTime<Utc>) -> Result<std::result::Result<Caller, Refused>> {
        let (token, is_session) = match who {
            Who::Session(token) => (token, true),
            Who::Key(key) if is_key(key) => (key, false),
            Who::Key(_) => return Ok(Err(Refused::Unknown)),
        };
        let digest = secrets::digest(token);
        let lock = || self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((at, found)) = lock().0.get(&digest)
            && at.elapsed() < FRESH
        {
            return Ok(found.clone());
        }
        let found = self.look_up(&digest, is_session, now)?;
        let mut known = lock();
        if known.0.len() >= MOST_KNOWN {
            known.0.retain(|_, (at, _)| at.elapsed() < FRESH);
        }
        if known.0.len() < MOST_KNOWN {
            known.0.insert(digest, (Instant::now(), found.clone()));
        }
        Ok(found)
    }

    /// Looks anew at whoever comes next.
    pub(super) fn forget(&self) {
        self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner).0.clear();
    }

    fn look_up(&self, digest: &[u8], is_session: bool, now: DateTime<Utc>) -> Result<std::result::Result<Caller, Refused>> {
        let at = seconds(now);
        let read = |row: &rusqlite::Row<'_>| {
            let user = User::read(row)?;
            let width = User::COLUMNS.split(',').count();
            Ok((user, Institution::read(row, width)?, row.get::<_, String>(width + 10)?))
        };
        let columns = format!("{}, {}", User::COLUMNS, Institution::COLUMNS);
        let of = "JOIN user ON user.id = shown.user JOIN institution ON institution.id = user.institution WHERE shown.digest = ?1";
        let found = self.database.read(|connection| {
            if is_session {
                let sql = format!("SELECT {columns}, 'session' FROM session AS shown {of} AND shown.seen > ?2 AND shown.began > ?3");
                connection.prepare_cached(&sql)?.query_row(params![digest, at - IDLE, at - LONGEST], read).optional()
            } else {
                let sql = format!("SELECT {columns}, shown.name FROM key AS shown {of} AND shown.ends > ?2 AND shown.revoked IS NULL");
                connection.prepare_cached(&sql)?.query_row(params![digest, at], read).optional()
            }
        })?;
        let Some((user, institution, by)) = found else { return Ok(Err(Refused::Unknown)) };
        if let Err(refused) = stands(&user, &institution, now) {
            return Ok(Err(refused));
        }
        let form_token = if is_session { self.database.secret.form_token(digest) } else { String::new() };
        if is_session {
            self.database.write(|transaction| {
                let sql = "UPDATE session SET seen = ?1 WHERE digest = ?2 AND seen < ?1 - ?3";
                transaction.prepare_cached(sql)?.execute(params![at, digest, SEEN_EVERY])?;
                Ok(Ok(()))
            })?;
        }
        Ok(Ok(Caller {
            user_id: user.called(),
            name: user.request.name.clone(),
            scope: institution.scope(user.request.region.as_deref()),
            institution: institution.code,
            role: user.request.role,
            by,
            form_token,
        }))
    }

    /// Whether a form was sent by the session that it was made for.
    pub fn is_own_form(&self, session: &str, given: &str) -> bool {
        self.database.secret.is_form_token(&secrets::digest(session), given)
    }
}

/// Whether a user and his institution may use the service today. A suspension ends with its last day.
fn stands(user: &User, institution: &Institution, now: DateTime<Utc>) -> std::result::Result<(), Refused> {
    let day = today(now);
    if !institution.stands(day) {
        return Err(Refused::Institution);
    }
    match user.state {
        State::Active => Ok(()),
        State::Suspended if user.until.is_some_and(|until| until < day) => Ok(()),
        _ => Err(Refused::Suspended),
    }
}
