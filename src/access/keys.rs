//! Keys for programs: shown once, kept as a digest, with a name and an end.

use chrono::{DateTime, Duration, Utc};
use rusqlite::{OptionalExtension, params};

use super::{
    Access, State,
    changes::{Changing, record},
    model::text,
    seconds, secrets,
    users::find,
};
use crate::error::{Error, Result};

/// How keys begin, so that whoever finds one somewhere knows what it opens.
const MARK: &str = "cacah_";
/// Days for which a key holds, at most.
const MOST_DAYS: i64 = 366;
/// Keys of a user that hold, at most.
const MOST_KEYS: i64 = 20;

/// A key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The number of the record.
    pub id: i64,
    /// The user whose it is.
    pub user_id: String,
    /// The name that he gave it.
    pub name: String,
    /// When it was made.
    pub made: DateTime<Utc>,
    /// When it ends.
    pub ends: DateTime<Utc>,
    /// Whether it was revoked.
    pub revoked: bool,
}

/// Whether a text is meant as a key.
pub fn is_key(text: &str) -> bool {
    text.starts_with(MARK)
}

impl Access {
    /// Makes a key for a user and gives its secret, which is kept nowhere.
    ///
    /// # Errors
    /// Where he may not sign in, the name is taken, or it would hold for more than a year.
    pub fn add_key(&self, user: &str, name: &str, days: i64, by: &str, now: DateTime<Utc>) -> Result<(Key, String)> {
        text("name", name)?;
        if !(1..=MOST_DAYS).contains(&days) {
            return Err(Error::Input(format!("a key holds for 1 to {MOST_DAYS} days, not for {days}")));
        }
        let (token, _) = secrets::token()?;
        let secret = format!("{MARK}{token}");
        let ends = now + Duration::days(days);
        let key = self.database.write(|transaction| {
            let Some(user) = find(transaction, user)?.filter(|user| user.state == State::Active) else {
                return Ok(Err(Error::Conflict(format!("'{user}' is no active user and can have no key"))));
            };
            let held: i64 = transaction.query_row(
                "SELECT count(*) FROM key WHERE user = ? AND revoked IS NULL AND ends > ?",
                params![user.id, seconds(now)],
                |row| row.get(0),
            )?;
            if held >= MOST_KEYS {
                return Ok(Err(Error::Conflict(format!("{} has {held} keys; revoke one first", user.called()))));
            }
            let taken: Option<i64> = transaction
                .query_row("SELECT id FROM key WHERE user = ? AND name = ?", params![user.id, name], |row| row.get(0))
                .optional()?;
            if taken.is_some() {
                return Ok(Err(Error::Conflict(format!("{} has or had a key '{name}'; choose another name", user.called()))));
            }
            transaction.execute(
                "INSERT INTO key (user, name, digest, made, ends) VALUES (?, ?, ?, ?, ?)",
                params![user.id, name, secrets::digest(&secret), seconds(now), seconds(ends)],
            )?;
            let id = transaction.last_insert_rowid();
            let subject = format!("{}/{name}", user.called());
            let what = format!("made, ends {}", ends.format("%Y-%m-%d"));
            record(transaction, &Changing { by, subject: "key", subject_id: &subject, what: &what, reason: "", until: None }, now)?;
            Ok(Ok(Key { id, user_id: user.called(), name: name.to_owned(), made: now, ends, revoked: false }))
        })?;
        Ok((key, secret))
    }

    /// The keys of a user; of all users if none is named.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn keys(&self, user: Option<&str>) -> Result<Vec<Key>> {
        let sql =
            "SELECT key.id, user.user_id, key.name, key.made, key.ends, key.revoked IS NOT NULL FROM key JOIN user ON user.id = key.user
                   WHERE ?1 IS NULL OR user.user_id = ?1 ORDER BY key.id";
        self.database.read(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let moment = |seconds: i64| DateTime::from_timestamp(seconds, 0).unwrap_or_default();
            let read = |row: &rusqlite::Row<'_>| {
                Ok(Key {
                    id: row.get(0)?,
                    user_id: row.get(1)?,
                    name: row.get(2)?,
                    made: moment(row.get(3)?),
                    ends: moment(row.get(4)?),
                    revoked: row.get(5)?,
                })
            };
            statement.query_map([user], read)?.collect()
        })
    }

    /// Revokes a key of a user at once.
    ///
    /// # Errors
    /// Where he has no such key that holds.
    pub fn revoke_key(&self, user: &str, name: &str, by: &str, reason: &str, now: DateTime<Utc>) -> Result<()> {
        self.of_user(user, |transaction, found| {
            let revoked = transaction.execute(
                "UPDATE key SET revoked = ?1 WHERE user = ?2 AND name = ?3 AND revoked IS NULL",
                params![seconds(now), found.id, name],
            )?;
            if revoked == 0 {
                return Ok(Err(Error::NotFound(format!("{user} has no key '{name}' that holds"))));
            }
            let subject = format!("{}/{name}", found.called());
            record(transaction, &Changing { by, subject: "key", subject_id: &subject, what: "revoked", reason, until: None }, now)?;
            Ok(Ok(()))
        })
    }
}
