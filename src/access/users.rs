//! The rules by which users come, change and go.

use chrono::{DateTime, Duration, NaiveDate, Utc};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{
    Access, Listed, Request, State, User,
    changes::{Changing, record},
    institutions::{find as institution, missing as no_institution},
    model::text,
    seconds, secrets,
    sign_in::{IDLE, LONGEST},
};
use crate::error::{Error, Result};

/// Days for which a one-time password holds.
const ONE_TIME_DAYS: i64 = 14;
/// The setting by which nobody may approve what he asked for himself.
const FOUR_EYES: &str = "four-eyes";
/// The setting by which administrators need a second factor for the pages on which they administer.
const SECOND_FACTOR: &str = "second-factor";

/// What is handed to a user when he is approved: shown once, kept nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handover {
    /// The user.
    pub user: User,
    /// His one-time password.
    pub password: String,
    /// The last day on which it can be used.
    pub until: NaiveDate,
}

/// The user with a user id, or with the number of his record written as `#12`.
pub(super) fn find(connection: &Connection, name: &str) -> rusqlite::Result<Option<User>> {
    let number: Option<i64> = name.strip_prefix('#').and_then(|number| number.parse().ok());
    let sql = format!(
        "SELECT {} FROM user JOIN institution ON institution.id = user.institution WHERE user.user_id = ?1 OR user.id = ?2",
        User::COLUMNS
    );
    connection.prepare_cached(&sql)?.query_row(params![name, number], User::read).optional()
}

pub(super) fn missing(name: &str) -> Error {
    Error::NotFound(format!("there is no user '{name}'; 'cacah access users' lists those that there are"))
}

/// Closes every way in that a user has.
fn shut_out(transaction: &Transaction<'_>, id: i64, now: DateTime<Utc>) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM session WHERE user = ?", [id])?;
    transaction.execute("UPDATE key SET revoked = ?1 WHERE user = ?2 AND revoked IS NULL", params![seconds(now), id])?;
    Ok(())
}

impl Access {
    /// Changes something of a user, wholly or not at all; whoever is identified from then on is looked at anew.
    pub(super) fn of_user<T>(&self, name: &str, change: impl FnOnce(&Transaction<'_>, User) -> rusqlite::Result<Result<T>>) -> Result<T> {
        let changed = self.database.write(|transaction| match find(transaction, name)? {
            Some(user) => change(transaction, user),
            None => Ok(Err(missing(name))),
        })?;
        self.forget();
        Ok(changed)
    }

    /// Users, in the order in which they were asked for; of one institution if it is named.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn users(&self, institution: Option<&str>) -> Result<Vec<User>> {
        let sql = format!(
            "SELECT {} FROM user JOIN institution ON institution.id = user.institution WHERE ?1 IS NULL OR institution.code = ?1 ORDER BY user.id",
            User::COLUMNS
        );
        self.database.read(|connection| connection.prepare_cached(&sql)?.query_map([institution], User::read)?.collect())
    }

    /// A user by his user id, or by the number of his record as `#12`.
    ///
    /// # Errors
    /// Where there is none.
    pub fn user(&self, name: &str) -> Result<User> {
        self.database.read(|connection| find(connection, name))?.ok_or_else(|| missing(name))
    }

    /// Whether nobody may approve what he asked for himself.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn four_eyes(&self) -> Result<bool> {
        self.database.read(|connection| Ok(setting(connection, FOUR_EYES)?.as_deref() == Some("on")))
    }

    /// Whether administrators need a second factor for the pages on which they administer.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn needs_second_factor(&self) -> Result<bool> {
        self.database.read(|connection| Ok(setting(connection, SECOND_FACTOR)?.as_deref() == Some("on")))
    }

    /// Says whether administrators need a second factor for the pages on which they administer.
    ///
    /// # Errors
    /// Where the database cannot be written.
    pub fn set_second_factor(&self, on: bool, by: &str, reason: &str, now: DateTime<Utc>) -> Result<()> {
        self.set(SECOND_FACTOR, on, by, reason, now)
    }

    /// Says whether nobody may approve what he asked for himself.
    ///
    /// # Errors
    /// Where the database cannot be written.
    pub fn set_four_eyes(&self, on: bool, by: &str, reason: &str, now: DateTime<Utc>) -> Result<()> {
        self.set(FOUR_EYES, on, by, reason, now)
    }

    fn set(&self, name: &'static str, on: bool, by: &str, reason: &str, now: DateTime<Utc>) -> Result<()> {
        text("reason", reason)?;
        let what = if on { "on" } else { "off" };
        self.database.write(|transaction| {
            transaction
                .execute("INSERT INTO setting (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2", [name, what])?;
            record(transaction, &Changing { by, subject: "setting", subject_id: name, what, reason, until: None }, now)?;
            Ok(Ok(()))
        })
    }

    /// Asks for users; all of them or, where one is wrong, none. `office` says why an office cannot be in a region.
    ///
    /// # Errors
    /// Names each request that is wrong by its line, and what was expected.
    pub fn request_users(
        &self,
        requests: &[Listed],
        office: &dyn Fn(&str) -> Option<String>,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<User>> {
        self.database.write(|transaction| {
            let (mut asked, mut wrong) = (Vec::new(), Vec::new());
            for listed in requests {
                if let Some(fault) = listed.request.region.as_deref().and_then(office) {
                    wrong.push(listed.fault(&fault));
                    continue;
                }
                match self.request_one(transaction, &listed.request, by, now)? {
                    Ok(user) => asked.push(user),
                    Err(error) => wrong.push(listed.fault(&error.to_string())),
                }
            }
            Ok(if wrong.is_empty() { Ok(asked) } else { Err(Error::Input(wrong.join("\n"))) })
        })
    }

    fn request_one(
        &self,
        transaction: &Transaction<'_>,
        request: &Request,
        by: &str,
        now: DateTime<Utc>,
    ) -> rusqlite::Result<Result<User>> {
        if let Err(error) = request.check() {
            return Ok(Err(error));
        }
        let Some((id, _)) = institution(transaction, &request.institution)? else { return Ok(Err(no_institution(&request.institution))) };
        let identity = request.identity.as_ref().map(|number| self.database.secret.identity(number));
        let twice = "SELECT user.id FROM user WHERE institution = ?1 AND state <> 'removed' AND (employee_number = ?2 OR identity = ?3)";
        let other: Option<i64> =
            transaction.prepare_cached(twice)?.query_row(params![id, request.employee_number, identity], |row| row.get(0)).optional()?;
        if let Some(other) = other {
            return Ok(Err(Error::Conflict(format!("'{}' is user #{other} already; change or remove him first", request.name))));
        }
        transaction
            .prepare_cached(
                "INSERT INTO user (institution, role, region, employee_number, name, position, local_id, identity, requested_by, state)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'requested')",
            )?
            .execute(params![
                id,
                request.role.word(),
                request.region,
                request.employee_number.trim(),
                request.name.trim(),
                request.position.trim(),
                request.local_id.trim(),
                identity,
                by
            ])?;
        let name = format!("#{}", transaction.last_insert_rowid());
        record(transaction, &changing(&name, by, "requested", "", None), now)?;
        Ok(find(transaction, &name)?.ok_or_else(|| missing(&name)))
    }

    /// Approves a request: issues a user id and a one-time password. `root` is the code of the whole country, which stands in the ids of
    /// those who have no region.
    ///
    /// # Errors
    /// Where the request has been decided already, or four eyes are asked for and these are the same two.
    pub fn approve(&self, name: &str, root: &str, by: &str, reason: &str, now: DateTime<Utc>) -> Result<Handover> {
        let four_eyes = self.four_eyes()?;
        let password = secrets::one_time_password()?;
        let hashed = secrets::hash(&password)?;
        let ends = now + Duration::days(ONE_TIME_DAYS);
        let user = self.of_user(name, |transaction, user| {
            if user.state != State::Requested {
                return Ok(Err(Error::Conflict(format!(
                    "{} is {}, not requested, and cannot be approved",
                    user.called(),
                    user.state.word()
                ))));
            }
            if four_eyes && user.requested_by.eq_ignore_ascii_case(by) {
                return Ok(Err(Error::Conflict(format!("{} was requested by {by}; somebody else must approve", user.called()))));
            }
            let region = user.request.region.as_deref().unwrap_or(root);
            let prefix = format!("{}-{region}-", user.request.institution);
            let taken: i64 = transaction.query_row(
                "SELECT coalesce(max(CAST(substr(user_id, ?1) AS INTEGER)), 0) FROM user WHERE substr(user_id, 1, ?1 - 1) = ?2",
                params![prefix.len() as i64 + 1, prefix],
                |row| row.get(0),
            )?;
            let user_id = format!("{prefix}{:04}", taken + 1);
            transaction.execute(
                "UPDATE user SET user_id = ?, state = 'approved', password = ?, must_change = 1, password_until = ? WHERE id = ?",
                params![user_id, hashed, seconds(ends), user.id],
            )?;
            record(transaction, &changing(&user_id, by, &format!("approved ({name})"), reason, None), now)?;
            Ok(find(transaction, &user_id)?.ok_or_else(|| missing(name)))
        })?;
        Ok(Handover { user, password, until: super::today(ends) })
    }

    /// Gives a user a new one-time password, for one who has lost his own. His sessions and keys end.
    ///
    /// # Errors
    /// Where he is neither approved nor active.
    pub fn reset_password(&self, name: &str, by: &str, reason: &str, now: DateTime<Utc>) -> Result<Handover> {
        text("reason", reason)?;
        let password = secrets::one_time_password()?;
        let hashed = secrets::hash(&password)?;
        let ends = now + Duration::days(ONE_TIME_DAYS);
        let user = self.of_user(name, |transaction, user| {
            if !matches!(user.state, State::Approved | State::Active) {
                return Ok(Err(Error::Conflict(format!("{} is {} and has no password", user.called(), user.state.word()))));
            }
            transaction.execute(
                "UPDATE user SET password = ?, must_change = 1, password_until = ?, totp = NULL, totp_confirmed = 0 WHERE id = ?",
                params![hashed, seconds(ends), user.id],
            )?;
            self.forget_attempts(transaction, &user.called())?;
            shut_out(transaction, user.id, now)?;
            record(transaction, &changing(&user.called(), by, "password reset", reason, None), now)?;
            Ok(Ok(user))
        })?;
        Ok(Handover { user, password, until: super::today(ends) })
    }

    /// Changes what a user is or sees: whatever of `request` differs from what there is.
    ///
    /// # Errors
    /// Where a field is wrong, or the institution would be another: then he is removed here and requested there.
    pub fn change_user(&self, name: &str, request: &Request, by: &str, reason: &str, now: DateTime<Utc>) -> Result<User> {
        text("reason", reason)?;
        request.check()?;
        self.of_user(name, |transaction, user| {
            if user.state == State::Removed {
                return Ok(Err(Error::Conflict(format!("{} is removed", user.called()))));
            }
            if user.request.institution != request.institution {
                return Ok(Err(Error::Conflict(format!(
                    "{} belongs to {}; remove him and request him anew",
                    user.called(),
                    user.request.institution
                ))));
            }
            transaction.execute(
                "UPDATE user SET role = ?, region = ?, employee_number = ?, name = ?, position = ?, local_id = ? WHERE id = ?",
                params![
                    request.role.word(),
                    request.region,
                    request.employee_number,
                    request.name,
                    request.position,
                    request.local_id,
                    user.id
                ],
            )?;
            let before = &user.request;
            let what =
                format!("changed; it was: {} in {}, {}", before.role.word(), before.region.as_deref().unwrap_or("all"), before.position);
            record(transaction, &changing(&user.called(), by, &what, reason, None), now)?;
            Ok(find(transaction, name)?.ok_or_else(|| missing(name)))
        })
    }

    /// Suspends a user until a day, or for as long as nobody takes him up again.
    ///
    /// # Errors
    /// Where he is neither approved nor active, or no reason is given.
    pub fn suspend(&self, name: &str, until: Option<NaiveDate>, by: &str, reason: &str, now: DateTime<Utc>) -> Result<()> {
        text("reason", reason)?;
        self.of_user(name, |transaction, user| {
            if !matches!(user.state, State::Approved | State::Active) {
                return Ok(Err(Error::Conflict(format!("{} is {} and cannot be suspended", user.called(), user.state.word()))));
            }
            let day = until.map(|day| day.to_string());
            transaction.execute("UPDATE user SET before = state, state = 'suspended', until = ? WHERE id = ?", params![day, user.id])?;
            transaction.execute("DELETE FROM session WHERE user = ?", [user.id])?;
            record(transaction, &changing(&user.called(), by, "suspended", reason, until), now)?;
            Ok(Ok(()))
        })
    }

    /// Takes a suspended user up again, in the state that he was in.
    ///
    /// # Errors
    /// Where he is not suspended, or no reason is given.
    pub fn reactivate(&self, name: &str, by: &str, reason: &str, now: DateTime<Utc>) -> Result<()> {
        text("reason", reason)?;
        self.of_user(name, |transaction, user| {
            if user.state != State::Suspended {
                return Ok(Err(Error::Conflict(format!("{} is {}, not suspended", user.called(), user.state.word()))));
            }
            transaction
                .execute("UPDATE user SET state = coalesce(before, 'approved'), before = NULL, until = NULL WHERE id = ?", [user.id])?;
            record(transaction, &changing(&user.called(), by, "reactivated", reason, None), now)?;
            Ok(Ok(()))
        })
    }

    /// How many sessions a user has that have not ended.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn sessions(&self, user: &User, now: DateTime<Utc>) -> Result<u64> {
        let sql = "SELECT count(*) FROM session WHERE user = ?1 AND seen > ?2 AND began > ?3";
        let since = [user.id, seconds(now) - IDLE, seconds(now) - LONGEST];
        self.database.read(|connection| connection.prepare_cached(sql)?.query_row(since, |row| row.get::<_, i64>(0))).map(i64::unsigned_abs)
    }

    /// Ends all sessions of a user.
    ///
    /// # Errors
    /// Where no reason is given.
    pub fn end_sessions(&self, name: &str, by: &str, reason: &str, now: DateTime<Utc>) -> Result<()> {
        text("reason", reason)?;
        self.of_user(name, |transaction, user| {
            transaction.execute("DELETE FROM session WHERE user = ?", [user.id])?;
            record(transaction, &changing(&user.called(), by, "sessions ended", reason, None), now)?;
            Ok(Ok(()))
        })
    }

    /// Removes a user, or refuses a request. His record stays; his password, sessions and keys go.
    ///
    /// # Errors
    /// Where he is removed already, or no reason is given.
    pub fn remove(&self, name: &str, by: &str, reason: &str, now: DateTime<Utc>) -> Result<()> {
        text("reason", reason)?;
        self.of_user(name, |transaction, user| {
            if user.state == State::Removed {
                return Ok(Err(Error::Conflict(format!("{} is removed already", user.called()))));
            }
            transaction.execute(
                "UPDATE user SET state = 'removed', before = NULL, until = NULL, password = NULL, totp = NULL, totp_confirmed = 0 WHERE id = ?",
                [user.id],
            )?;
            shut_out(transaction, user.id, now)?;
            self.forget_attempts(transaction, &user.called())?;
            record(transaction, &changing(&user.called(), by, "removed", reason, None), now)?;
            Ok(Ok(()))
        })
    }
}

fn setting(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    connection.prepare_cached("SELECT value FROM setting WHERE name = ?")?.query_row([name], |row| row.get(0)).optional()
}

fn changing<'a>(name: &'a str, by: &'a str, what: &'a str, reason: &'a str, until: Option<NaiveDate>) -> Changing<'a> {
    Changing { by, subject: "user", subject_id: name, what, reason, until }
}
