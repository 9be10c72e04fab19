//! Signing in: password, second factor, sessions. How often somebody may try: [`attempts`](super::attempts).
//!
//! **Invariant:** passwords are looked at outside of transactions, because that takes long; what then is done is done in one that begins
//! by asking whether everything is as it was. So what may be used once is used once, however many try at the same time.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    Access, Institution, State,
    changes::{Changing, record},
    seconds, secrets, today,
    users::find,
};
use crate::error::{Error, Result};

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
    /// The address that it comes from; `None`: it is made on this machine, not by a client.
    pub from: Option<IpAddr>,
    /// The user id.
    pub user_id: &'a str,
    /// The password.
    pub password: &'a str,
    /// The code of the second factor, if there is one.
    pub code: Option<&'a str>,
    /// What becomes the password, where the one given may be used once only.
    pub new_password: Option<&'a str>,
}

/// What somebody gives to change his password.
#[derive(Clone, Copy)]
pub struct PasswordChange<'a> {
    /// The user id.
    pub user_id: &'a str,
    /// The address that it comes from.
    pub from: Option<IpAddr>,
    /// The present password.
    pub old: &'a str,
    /// What becomes the password.
    pub new: &'a str,
    /// The token of the session that it is done in, which stays open.
    pub session: &'a str,
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
    /// Too many attempts were wrong, whether or not there is such a user; seconds until the next is looked at.
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

/// What is kept of a user for signing in.
struct Stored {
    id: i64,
    state: String,
    password: Option<String>,
    must_change: bool,
    password_until: Option<i64>,
    totp: Option<Vec<u8>>,
    totp_confirmed: bool,
    totp_last: i64,
}

impl Stored {
    /// Whether what was looked at before is what there is now, and may be used as before.
    fn has_same_password(&self, before: &Self) -> bool {
        let of = |stored: &Self| (stored.state.clone(), stored.password.clone(), stored.must_change, stored.password_until);
        of(self) == of(before)
    }

    /// Whether the second factor is as it was, and none of its codes was used since.
    fn has_same_factor(&self, before: &Self) -> bool {
        match (self.totp_confirmed, before.totp_confirmed) {
            (true, true) => (&self.totp, self.totp_last) == (&before.totp, before.totp_last),
            (now, then) => now == then,
        }
    }
}

impl Access {
    /// Signs in. Takes tens of milliseconds of a processor: run it where answers are not waited for.
    ///
    /// # Errors
    /// Where the database cannot be read or written.
    pub fn sign_in(&self, attempt: &Attempt<'_>, now: DateTime<Utc>) -> Result<SignedIn> {
        self.end_suspensions(now)?;
        let counted = match self.count_attempt(attempt.user_id, attempt.from, now)? {
            Ok(counted) => counted,
            Err(seconds) => return Ok(SignedIn::Locked(seconds)),
        };
        let at = seconds(now);
        let stored = self.stored(attempt.user_id)?;
        // Up to here, and if this says no, what is done does not depend on whether there is such a user.
        let is_right = secrets::verify(attempt.password, stored.as_ref().and_then(|stored| stored.password.as_deref()));
        let Some(stored) = stored.filter(|_| is_right) else { return Ok(SignedIn::No) };
        let in_time = stored.password_until.is_none_or(|until| until > at);
        if !(matches!(stored.state.as_str(), "approved" | "active") && in_time && self.may_enter(attempt.user_id, now)?) {
            return Ok(SignedIn::No);
        }
        let given = attempt.code.unwrap_or("");
        let Some(step) = self.step_of(&stored, given, at) else {
            if given.is_empty() {
                self.forgive(&counted)?;
            }
            return Ok(SignedIn::SecondFactor);
        };
        let changed = match (stored.must_change, attempt.new_password) {
            (true, None | Some("")) => {
                self.forgive(&counted)?;
                return Ok(SignedIn::ChangeFirst);
            }
            (true, Some(new)) => match fault(new, attempt.password, attempt.user_id) {
                Some(fault) => {
                    self.forgive(&counted)?;
                    return Ok(SignedIn::BadPassword(fault));
                }
                None => Some(secrets::hash(new)?),
            },
            (false, _) => None,
        };
        let (token, digest) = secrets::token()?;
        let refused = self.database.write(|transaction| {
            let found = stored_in(transaction, attempt.user_id)?;
            if !found.as_ref().is_some_and(|found| found.has_same_password(&stored)) {
                return Ok(Ok(Some(SignedIn::No)));
            }
            // Another attempt may have used the code in the meantime.
            if !found.is_some_and(|found| found.has_same_factor(&stored)) {
                return Ok(Ok(Some(SignedIn::SecondFactor)));
            }
            if let Some(hashed) = &changed {
                transaction.execute(
                    "UPDATE user SET password = ?, must_change = 0, password_until = NULL, state = 'active' WHERE id = ?",
                    params![hashed, stored.id],
                )?;
                let subject = attempt.user_id;
                let what = "password chosen";
                record(transaction, &Changing { by: subject, subject: "user", subject_id: subject, what, reason: "", until: None }, now)?;
            }
            counted.succeed(transaction)?;
            if stored.totp_confirmed {
                transaction.execute("UPDATE user SET totp_last = ? WHERE id = ?", params![step, stored.id])?;
            }
            transaction.execute("DELETE FROM session WHERE seen < ? OR began < ?", params![at - IDLE, at - LONGEST])?;
            transaction
                .execute("INSERT INTO session (digest, user, began, seen) VALUES (?, ?, ?, ?)", params![digest, stored.id, at, at])?;
            Ok(Ok(None))
        })?;
        if let Some(refused) = refused {
            return Ok(refused);
        }
        let user_id = self.user(attempt.user_id)?.called();
        Ok(SignedIn::Yes(Session { token, user_id }))
    }

    /// The newest step of the second factor once a code was taken; `None` where the code is missing or wrong.
    fn step_of(&self, stored: &Stored, given: &str, at: i64) -> Option<i64> {
        if !stored.totp_confirmed {
            return Some(stored.totp_last);
        }
        let seed = self.database.secret.open(stored.totp.as_deref()?)?;
        secrets::matching_step(&seed, given, at.unsigned_abs(), stored.totp_last.unsigned_abs()).map(u64::cast_signed)
    }

    fn stored(&self, user_id: &str) -> Result<Option<Stored>> {
        self.database.read(|connection| stored_in(connection, user_id))
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
    pub fn change_password(&self, change: &PasswordChange<'_>, now: DateTime<Utc>) -> Result<SignedIn> {
        let PasswordChange { user_id, from, old, new, session } = *change;
        let counted = match self.count_attempt(user_id, from, now)? {
            Ok(counted) => counted,
            Err(seconds) => return Ok(SignedIn::Locked(seconds)),
        };
        let stored = self.stored(user_id)?;
        let is_right = secrets::verify(old, stored.as_ref().and_then(|stored| stored.password.as_deref()));
        let Some(stored) = stored.filter(|_| is_right) else { return Ok(SignedIn::No) };
        if let Some(fault) = fault(new, old, user_id) {
            self.forgive(&counted)?;
            return Ok(SignedIn::BadPassword(fault));
        }
        let hashed = secrets::hash(new)?;
        let is_changed = self.database.write(|transaction| {
            let sql = "UPDATE user SET password = ?1 WHERE id = ?2 AND password = ?3";
            if transaction.execute(sql, params![hashed, stored.id, stored.password])? == 0 {
                return Ok(Ok(false));
            }
            counted.succeed(transaction)?;
            transaction.execute("DELETE FROM session WHERE user = ? AND digest <> ?", params![stored.id, secrets::digest(session)])?;
            let what = "password changed";
            record(transaction, &Changing { by: user_id, subject: "user", subject_id: user_id, what, reason: "", until: None }, now)?;
            Ok(Ok(true))
        })?;
        if !is_changed {
            return Ok(SignedIn::No);
        }
        self.forget();
        Ok(SignedIn::Yes(Session { token: session.to_owned(), user_id: user_id.to_owned() }))
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
            let sql =
                "UPDATE user SET totp_confirmed = 1, totp_last = ?1 WHERE id = ?2 AND totp_confirmed = 0 AND totp = ?3 AND totp_last < ?1";
            if transaction.execute(sql, params![step.cast_signed(), stored.id, stored.totp])? == 0 {
                return Ok(Ok(false));
            }
            let what = "second factor confirmed";
            record(transaction, &Changing { by: user_id, subject: "user", subject_id: user_id, what, reason: "", until: None }, now)?;
            Ok(Ok(true))
        })
    }
}

fn stored_in(connection: &Connection, user_id: &str) -> rusqlite::Result<Option<Stored>> {
    let sql = "SELECT id, state, password, must_change, password_until, totp, totp_confirmed, totp_last FROM user WHERE user_id = ?";
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Stored {
            id: row.get(0)?,
            state: row.get(1)?,
            password: row.get(2)?,
            must_change: row.get(3)?,
            password_until: row.get(4)?,
            totp: row.get(5)?,
            totp_confirmed: row.get(6)?,
            totp_last: row.get(7)?,
        })
    };
    connection.prepare_cached(sql)?.query_row([user_id], read).optional()
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
