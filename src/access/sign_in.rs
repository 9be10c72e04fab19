//! Signing in: password, second factor, sessions.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, params};

use super::{
    Access, Institution, State,
    changes::{Changing, record},
    seconds, secrets, today,
    users::find,
};
use crate::error::{Error, Result};

/// Wrong attempts that cost nothing; from then on each doubles the time until the next.
const FREE_FAILURES: i64 = 5;
/// Seconds of the first lock, and the most.
const LOCK: (i64, i64) = (30, 3600);
/// Characters of a password, at least and at most.
const PASSWORD: std::ops::RangeInclusive<usize> = 12..=128;
/// Seconds without a request after which a session ends, and after which it ends in any case.
pub(super) const IDLE: i64 = 2 * 3600;
pub(super) const LONGEST: i64 = 12 * 3600;
/// Random bytes of a second factor.
const SEED: usize = 20;

/// What somebody gives to sign in.
#[derive(Clone)]
pub struct Attempt<'a> {
    /// The user id.
    pub user_id: &'a str,
    /// The password.
    pub password: &'a str,
    /// The code of the second factor, if there is one.
    pub code: Option<&'a str>,
    /// What becomes the password, where the one given may be used once only.
    pub new_password: Option<&'a str>,
}

/// A session that has begun.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// What the browser keeps: whoever has it is the user.
    pub token: String,
    /// The user id.
    pub user_id: String,
}

/// What came of an attempt.
#[derive(PartialEq, Eq)]
pub enum SignedIn {
    /// It succeeded.
    Yes(Session),
    /// User id or password is wrong, or he may not sign in: which of these is not told.
    No,
    /// Too many attempts were wrong; seconds until the next is looked at.
    Locked(u64),
    /// The password is right, but has to be changed first.
    ChangeFirst,
    /// The new password is none; says why.
    BadPassword(PasswordFault),
    /// The password is right, and the code of the second factor is missing or wrong.
    SecondFactor,
}

/// Why something cannot become a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordFault {
    /// Too few or too many characters.
    Length,
    /// It is the one-time password, or holds the user id, or is one character again and again.
    Guessable,
}

struct Stored {
    id: i64,
    state: String,
    password: Option<String>,
    must_change: bool,
    password_until: Option<i64>,
    failures: i64,
    locked_until: i64,
    totp: Option<Vec<u8>>,
    totp_confirmed: bool,
    totp_last: i64,
}

impl Access {
    /// Signs in. Takes tens of milliseconds of a processor: run it where answers are not waited for.
    ///
    /// # Errors
    /// Where the database cannot be read or written.
    pub fn sign_in(&self, attempt: &Attempt<'_>, now: DateTime<Utc>) -> Result<SignedIn> {
        self.end_suspensions(now)?;
        let stored = self.stored(attempt.user_id)?;
        let at = seconds(now);
        if let Some(stored) = &stored
            && stored.locked_until > at
        {
            return Ok(SignedIn::Locked((stored.locked_until - at) as u64));
        }
        let is_right = secrets::verify(attempt.password, stored.as_ref().and_then(|stored| stored.password.as_deref()));
        let Some(stored) = stored else { return Ok(SignedIn::No) };
        let in_time = stored.password_until.is_none_or(|until| until > at);
        let may = matches!(stored.state.as_str(), "approved" | "active") && in_time && self.may_enter(attempt.user_id, now)?;
        if !(is_right && may) {
            self.failed(&stored, at)?;
            return Ok(SignedIn::No);
        }
        let mut step = stored.totp_last;
        if stored.totp_confirmed {
            let seed = stored.totp.as_deref().and_then(|sealed| self.database.secret.open(sealed));
            let given = attempt.code.unwrap_or("");
            match seed.and_then(|seed| secrets::matching_step(&seed, given, at.unsigned_abs(), stored.totp_last.unsigned_abs())) {
                Some(found) => step = found.cast_signed(),
                None => {
                    if !given.is_empty() {
                        self.failed(&stored, at)?;
                    }
                    return Ok(SignedIn::SecondFactor);
                }
            }
        }
        let changed = match (stored.must_change, attempt.new_password) {
            (true, None | Some("")) => return Ok(SignedIn::ChangeFirst),
            (true, Some(new)) => match fault(new, attempt.password, attempt.user_id) {
                Some(fault) => return Ok(SignedIn::BadPassword(fault)),
                None => Some(secrets::hash(new)?),
            },
            (false, _) => None,
        };
        let (token, digest) = secrets::token()?;
        self.database.write(|transaction| {
            if let Some(hashed) = changed {
                transaction.execute(
                    "UPDATE user SET password = ?, must_change = 0, password_until = NULL, state = 'active' WHERE id = ?",
                    params![hashed, stored.id],
                )?;
                let subject = attempt.user_id;
                let what = "password chosen";
                record(transaction, &Changing { by: subject, subject: "user", subject_id: subject, what, reason: "", until: None }, now)?;
            }
            transaction.execute("UPDATE user SET failures = 0, locked_until = 0, totp_last = ? WHERE id = ?", params![step, stored.id])?;
            transaction.execute("DELETE FROM session WHERE seen < ? OR began < ?", params![at - IDLE, at - LONGEST])?;
            transaction
                .execute("INSERT INTO session (digest, user, began, seen) VALUES (?, ?, ?, ?)", params![digest, stored.id, at, at])?;
            Ok(Ok(()))
        })?;
        let user_id = self.user(attempt.user_id)?.called();
        Ok(SignedIn::Yes(Session { token, user_id }))
    }

    fn stored(&self, user_id: &str) -> Result<Option<Stored>> {
        let sql = "SELECT id, state, password, must_change, password_until, failures, locked_until, totp, totp_confirmed, totp_last
                   FROM user WHERE user_id = ?";
        self.database.read(|connection| {
            let read = |row: &rusqlite::Row<'_>| {
                Ok(Stored {
                    id: row.get(0)?,
                    state: row.get(1)?,
                    password: row.get(2)?,
                    must_change: row.get(3)?,
                    password_until: row.get(4)?,
                    failures: row.get(5)?,
                    locked_until: row.get(6)?,
                    totp: row.get(7)?,
                    totp_confirmed: row.get(8)?,
                    totp_last: row.get(9)?,
                })
            };
            connection.prepare_cached(sql)?.query_row([user_id], read).optional()
        })
    }

    /// Whether the institution of a user may use the service today.
    fn may_enter(&self, user_id: &str, now: DateTime<Utc>) -> Result<bool> {
        let sql = format!(
            "SELECT {} FROM user JOIN institution ON institution.id = user.institution WHERE user.user_id = ?",
            Institution::COLUMNS
        );
        let found =
            self.database.read(|connection| connection.prepare_cached(&sql)?.query_row([user_id], |row| Institution::read(row, 0)))?;
        Ok(found.stands(today(now)))
    }

    /// Takes up again whose suspension was for a time that is over.
    fn end_suspensions(&self, now: DateTime<Utc>) -> Result<()> {
        let day = today(now).to_string();
        let over = "SELECT user_id FROM user WHERE state = 'suspended' AND until < ?";
        let ended: Vec<String> =
            self.database.read(|connection| connection.prepare_cached(over)?.query_map([&day], |row| row.get(0))?.collect())?;
        if ended.is_empty() {
            return Ok(());
        }
        self.database.write(|transaction| {
            for user_id in &ended {
                let sql = "UPDATE user SET state = coalesce(before, 'approved'), before = NULL, until = NULL WHERE user_id = ?";
                transaction.execute(sql, [user_id])?;
                let (by, what, reason) = ("cacah", "reactivated", "the time of the suspension is over");
                record(transaction, &Changing { by, subject: "user", subject_id: user_id, what, reason, until: None }, now)?;
            }
            Ok(Ok(()))
        })
    }

    fn failed(&self, stored: &Stored, at: i64) -> Result<()> {
        let failures = stored.failures + 1;
        let beyond = failures - FREE_FAILURES;
        let wait = if beyond < 0 { 0 } else { LOCK.0.saturating_mul(1 << beyond.min(20)).min(LOCK.1) };
        let locked = if wait > 0 { at + wait } else { 0 };
        self.database.write(|transaction| {
            transaction.execute("UPDATE user SET failures = ?, locked_until = ? WHERE id = ?", params![failures, locked, stored.id])?;
            Ok(Ok(()))
        })
    }

    /// Ends a session.
    ///
    /// # Errors
    /// Where the database cannot be written.
    pub fn sign_out(&self, token: &str) -> Result<()> {
        self.database.write(|transaction| {
            transaction.execute("DELETE FROM session WHERE digest = ?", [secrets::digest(token)])?;
            Ok(Ok(()))
        })?;
        self.forget();
        Ok(())
    }

    /// Puts another password in the place of a user's own. His other sessions end.
    ///
    /// # Errors
    /// Where the database cannot be written.
    pub fn change_password(&self, user_id: &str, old: &str, new: &str, kept: &str, now: DateTime<Utc>) -> Result<SignedIn> {
        let Some(stored) = self.stored(user_id)? else { return Ok(SignedIn::No) };
        let at = seconds(now);
        if stored.locked_until > at {
            return Ok(SignedIn::Locked((stored.locked_until - at) as u64));
        }
        if !secrets::verify(old, stored.password.as_deref()) {
            self.failed(&stored, at)?;
            return Ok(SignedIn::No);
        }
        if let Some(fault) = fault(new, old, user_id) {
            return Ok(SignedIn::BadPassword(fault));
        }
        let hashed = secrets::hash(new)?;
        self.database.write(|transaction| {
            transaction.execute("UPDATE user SET password = ?, failures = 0 WHERE id = ?", params![hashed, stored.id])?;
            transaction.execute("DELETE FROM session WHERE user = ? AND digest <> ?", params![stored.id, secrets::digest(kept)])?;
            let what = "password changed";
            record(transaction, &Changing { by: user_id, subject: "user", subject_id: user_id, what, reason: "", until: None }, now)?;
            Ok(Ok(()))
        })?;
        self.forget();
        Ok(SignedIn::Yes(Session { token: kept.to_owned(), user_id: user_id.to_owned() }))
    }

    /// Gives a user the seed of a second factor, as authenticators read it; it counts once a code of it was confirmed.
    ///
    /// # Errors
    /// Where he has a second factor already or is not active.
    pub fn begin_second_factor(&self, user_id: &str) -> Result<String> {
        let seed: [u8; SEED] = secrets::random()?;
        let sealed = self.database.secret.seal(&seed)?;
        self.database.write(|transaction| {
            let user = find(transaction, user_id)?.filter(|user| user.state == State::Active && !user.second_factor);
            let Some(user) = user else {
                return Ok(Err(Error::Conflict(format!("'{user_id}' is no active user without a second factor"))));
            };
            transaction.execute("UPDATE user SET totp = ?, totp_confirmed = 0, totp_last = 0 WHERE id = ?", params![sealed, user.id])?;
            Ok(Ok(()))
        })?;
        Ok(secrets::base32(&seed))
    }

    /// Takes the second factor into use, if the code is of it.
    ///
    /// # Errors
    /// Where the database cannot be written.
    pub fn confirm_second_factor(&self, user_id: &str, code: &str, now: DateTime<Utc>) -> Result<bool> {
        let Some(stored) = self.stored(user_id)?.filter(|stored| !stored.totp_confirmed) else { return Ok(false) };
        let seed = stored.totp.as_deref().and_then(|sealed| self.database.secret.open(sealed));
        let found = seed.and_then(|seed| secrets::matching_step(&seed, code, seconds(now).unsigned_abs(), stored.totp_last.unsigned_abs()));
        let Some(step) = found else { return Ok(false) };
        self.database.write(|transaction| {
            transaction
                .execute("UPDATE user SET totp_confirmed = 1, totp_last = ? WHERE id = ?", params![step.cast_signed(), stored.id])?;
            let what = "second factor confirmed";
            record(transaction, &Changing { by: user_id, subject: "user", subject_id: user_id, what, reason: "", until: None }, now)?;
            Ok(Ok(true))
        })
    }
}

/// What speaks against a password.
fn fault(new: &str, old: &str, user_id: &str) -> Option<PasswordFault> {
    if !PASSWORD.contains(&new.chars().count()) {
        return Some(PasswordFault::Length);
    }
    let plain = new.to_lowercase();
    let first = plain.chars().next();
    let is_guessable = new == old || plain.contains(&user_id.to_lowercase()) || plain.chars().all(|char| Some(char) == first);
    is_guessable.then_some(PasswordFault::Guessable)
}
