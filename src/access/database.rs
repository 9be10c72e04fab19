//! The database of accounts: one SQLite file, with the key that its digests need in a file beside it.

use std::{
    fs,
    io::{ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use super::secrets::Secret;
use crate::{
    error::{Error, Result},
    parallel::lock,
};

/// What brought each version of the database to the next; the file says which it has (`user_version`).
const MIGRATIONS: [&str; 3] = [include_str!("schema.sql"), include_str!("reports.sql"), include_str!("attempts.sql")];

/// How long a writer waits for another.
const PATIENCE: Duration = Duration::from_secs(10);

/// An open database.
pub struct Database {
    connection: Mutex<Connection>,
    /// What is read waits for nobody who writes.
    reading: Mutex<Connection>,
    /// The key of digests and encryption.
    pub secret: Secret,
    path: PathBuf,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Database {
    /// Opens the database of a file, and makes it and its key if there is none.
    ///
    /// # Errors
    /// Where the file is no such database, or one of a newer program, or its key is missing.
    pub fn open(path: &Path) -> Result<Self> {
        let fresh = !path.exists();
        if fresh {
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                fs::create_dir_all(folder).map_err(|error| failed(path, &error))?;
            }
            private(path).map_err(|error| failed(path, &error))?;
        }
        let secret = key(path, fresh)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = || Connection::open_with_flags(path, flags).map(Mutex::new).map_err(|error| failed(path, &error));
        let (connection, reading) = (open()?, open()?);
        let database = Self { connection, reading, secret, path: path.to_owned() };
        database.prepare().map_err(|error| failed(path, &error))??;
        // It waits for nobody who writes, but a copy of the database that it makes may have to wait for the disk.
        let waits = lock(&database.reading).busy_timeout(PATIENCE);
        waits.map_err(|error| failed(path, &error))?;
        Ok(database)
    }

    fn prepare(&self) -> rusqlite::Result<Result<()>> {
        let mut connection = self.lock();
        connection.busy_timeout(PATIENCE)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "secure_delete", true)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let version = version as usize;
        if version > MIGRATIONS.len() {
            let (path, ours) = (self.path.display(), MIGRATIONS.len());
            return Ok(Err(Error::Conflict(format!(
                "{path}: the database is of version {version}, this program knows {ours}; use the newer program, or restore an older copy"
            ))));
        }
        for migration in &MIGRATIONS[version..] {
            transaction.execute_batch(migration)?;
        }
        transaction.pragma_update(None, "user_version", MIGRATIONS.len() as u32)?;
        // The first key that the database was opened with is its own for good.
        transaction.execute("INSERT OR IGNORE INTO setting (name, value) VALUES ('key', ?)", [self.secret.name()])?;
        let own: String = transaction.query_row("SELECT value FROM setting WHERE name = 'key'", [], |row| row.get(0))?;
        if own != self.secret.name() {
            return Ok(Err(Error::Conflict(format!(
                "{}: the key beside it is that of another database; restore the two from the same copy",
                self.path.display()
            ))));
        }
        transaction.commit()?;
        Ok(Ok(()))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        lock(&self.connection)
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn read<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        read(&lock(&self.reading)).map_err(|error| failed(&self.path, &error))
    }

    /// Reads and writes, wholly or not at all.
    ///
    /// # Errors
    /// Where the database cannot be written; what was refused by `write` changes nothing.
    pub fn write<T>(&self, write: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<Result<T>>) -> Result<T> {
        let mut connection = self.lock();
        let all = || {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let outcome = write(&transaction)?;
            if outcome.is_ok() {
                transaction.commit()?;
            }
            Ok(outcome)
        };
        all().map_err(|error: rusqlite::Error| failed(&self.path, &error))?
    }
}

impl Database {
    /// Reads and writes unless somebody else is writing; says whether it was done.
    ///
    /// # Errors
    /// Where the database cannot be written.
    pub fn write_if_free(&self, write: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>) -> Result<bool> {
        let Ok(mut connection) = self.connection.try_lock() else { return Ok(false) };
        let all = |connection: &mut Connection| {
            connection.busy_timeout(Duration::ZERO)?;
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            write(&transaction)?;
            transaction.commit()
        };
        let done = all(&mut connection);
        connection.busy_timeout(PATIENCE).map_err(|error| failed(&self.path, &error))?;
        match done {
            Ok(()) => Ok(true),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(false),
            Err(error) => Err(failed(&self.path, &error)),
        }
    }
}

/// Where the key of a database lies.
pub fn key_path(database: &Path) -> PathBuf {
    database.with_extension("key")
}

/// The key beside a database; a new one where the database is new.
fn key(database: &Path, fresh: bool) -> Result<Secret> {
    let path = key_path(database);
    match fs::read(&path) {
        Ok(bytes) => Secret::from_bytes(&bytes).ok_or_else(|| {
            Error::Input(format!(
                "{}: expected a key of {} bytes; restore it from the copy made with the database",
                path.display(),
                Secret::LENGTH
            ))
        }),
        Err(error) if error.kind() == ErrorKind::NotFound && fresh => {
            let secret = Secret::new()?;
            let mut file = private(&path).map_err(|error| failed(&path, &error))?;
            file.write_all(secret.bytes()).and_then(|()| file.sync_all()).map_err(|error| failed(&path, &error))?;
            Ok(secret)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Err(Error::NotFound(format!(
            "{}: the key of the database is missing, without which nobody can sign in; restore it from the copy made with the database",
            path.display()
        ))),
        Err(error) => Err(failed(&path, &error)),
    }
}

/// A new file that its owner alone may read.
fn private(path: &Path) -> std::io::Result<fs::File> {
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn failed(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::Input(format!("{}: {error}", path.display()))
}
