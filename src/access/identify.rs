//! Who asks, from what he shows: a session or a key.

use std::{
    collections::HashMap,
    sync::{Arc, MutexGuard},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, params};

use super::{
    Access, Institution, Role, State, User,
    changes::{Changing, record},
    keys::is_key,
    seconds, secrets,
    sign_in::{IDLE, LONGEST},
    today,
    users::{find, missing},
};
use crate::{
    error::{Error, Result},
    parallel::lock,
    tables::Scope,
};

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
    /// What he is granted, beside what everybody may see.
    pub granted: Scope,
    /// By what he was recognised: `session` or the name of his key.
    pub by: String,
    /// The user id of somebody as whom he looks at the service: then he sees what that one sees.
    pub sees_as: Option<String>,
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
type Found = (Instant, std::result::Result<Arc<Caller>, Refused>);

/// Callers who were identified a moment ago.
#[derive(Debug, Default)]
pub struct Known(HashMap<Vec<u8>, Found>);

impl Access {
    /// Finds who shows a session or a key. What was found a moment ago is given at once; anything else is looked up by a thread that may wait for
    /// the disk and for whoever writes.
    ///
    /// # Errors
    /// Where the database cannot be read; the inner error where he is not let in.
    pub async fn identify(self: &Arc<Self>, who: Who<'_>, now: DateTime<Utc>) -> Result<std::result::Result<Arc<Caller>, Refused>> {
        let (token, is_session) = match who {
            Who::Session(token) => (token, true),
            Who::Key(key) if is_key(key) => (key, false),
            Who::Key(_) => return Ok(Err(Refused::Unknown)),
        };
        let digest = secrets::digest(token);
        if let Some((at, found)) = self.known().0.get(&digest)
            && at.elapsed() < FRESH
        {
            return Ok(found.clone());
        }
        let access = Arc::clone(self);
        let looked_up = tokio::task::spawn_blocking(move || {
            let found = access.look_up(&digest, is_session, now)?.map(Arc::new);
            // Strangers may show any number of things that nobody knows: none of them is remembered.
            if found != Err(Refused::Unknown) {
                let mut known = access.known();
                if known.0.len() >= MOST_KNOWN {
                    known.0.retain(|_, (at, _)| at.elapsed() < FRESH);
                }
                if known.0.len() < MOST_KNOWN {
                    known.0.insert(digest, (Instant::now(), found.clone()));
                }
            }
            Ok(found)
        });
        looked_up.await.map_err(|stopped| Error::Internal(stopped.to_string()))?
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        lock(&self.known)
    }

    /// Looks anew at whoever comes next.
    pub(super) fn forget(&self) {
        self.known().0.clear();
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
        if is_session && self.is_long_seen(digest, at)? {
            // While somebody else writes it is left to the next request.
            self.database.write_if_free(|transaction| {
                transaction.prepare_cached("UPDATE session SET seen = ?1 WHERE digest = ?2")?.execute(params![at, digest]).map(drop)
            })?;
        }
        let other = if is_session && user.request.role == Role::Administrator { self.seen_as(digest)? } else { None };
        let by = other.as_ref().map_or(by.clone(), |(other, _)| format!("{by} as {}", other.called()));
        let (sees_as, granted) = match other {
            Some((other, his)) => (Some(other.called()), his.granted(other.request.region.as_deref())),
            None => (None, institution.granted(user.request.region.as_deref())),
        };
        Ok(Ok(Caller {
            user_id: user.called(),
            name: user.request.name.clone(),
            granted,
            sees_as,
            institution: institution.code,
            role: user.request.role,
            by,
            form_token,
        }))
    }

    /// Whether it was not written down for a while that a session is in use.
    fn is_long_seen(&self, digest: &[u8], at: i64) -> Result<bool> {
        let sql = "SELECT seen < ?2 - ?3 FROM session WHERE digest = ?1";
        let found = self
            .database
            .read(|connection| connection.prepare_cached(sql)?.query_row(params![digest, at, SEEN_EVERY], |row| row.get(0)).optional())?;
        Ok(found.unwrap_or(false))
    }

    /// As whom a session looks at the service, and the institution of that one.
    fn seen_as(&self, digest: &[u8]) -> Result<Option<(User, Institution)>> {
        let sql = format!(
            "SELECT {}, {} FROM session JOIN user ON user.id = session.sees_as JOIN institution ON institution.id = user.institution
             WHERE session.digest = ?",
            User::COLUMNS,
            Institution::COLUMNS
        );
        self.database.read(|connection| {
            let read = |row: &rusqlite::Row<'_>| Ok((User::read(row)?, Institution::read(row, User::COLUMNS.split(',').count())?));
            connection.prepare_cached(&sql)?.query_row([digest], read).optional()
        })
    }

    /// Lets an administrator look at the service as somebody else sees it, from this session on; `None`: as himself again. He stays who
    /// he is, and so the log names him.
    ///
    /// # Errors
    /// Where he is no administrator or there is no such user.
    pub fn see_as(&self, session: &str, other: Option<&str>, by: &str, now: DateTime<Utc>) -> Result<()> {
        let digest = secrets::digest(session);
        self.of_user(by, |transaction, own| {
            if own.request.role != Role::Administrator {
                return Ok(Err(Error::Conflict(format!("{by} is no administrator"))));
            }
            let other = match other {
                None => None,
                Some(name) => match find(transaction, name)? {
                    Some(user) => Some(user),
                    None => return Ok(Err(missing(name))),
                },
            };
            let sql = "UPDATE session SET sees_as = ?1 WHERE digest = ?2 AND user = ?3";
            transaction.execute(sql, params![other.as_ref().map(|other| other.id), digest, own.id])?;
            if let Some(other) = other {
                let name = other.called();
                let (subject, what) = ("user", "the service was looked at as this user sees it");
                record(transaction, &Changing { by, subject, subject_id: &name, what, reason: "", until: None }, now)?;
            }
            Ok(Ok(()))
        })
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
