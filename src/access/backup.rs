//! Copies of everything that access hangs on: the database, its key and the log, in one folder, and back again.
//!
//! ```text
//! access.sqlite, access.key, log/   <── every file's SHA-256 ──  manifest.json, written last
//! ```

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    Access,
    changes::{Changing, record},
    database::key_path,
    log,
};
use crate::{
    error::{Error, Result},
    storage::FileDigest,
};

const DATABASE: &str = "access.sqlite";
const KEY: &str = "access.key";
const LOG: &str = "log";
const MANIFEST: &str = "manifest.json";

/// What stands in a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// When it was made.
    pub at: DateTime<Utc>,
    /// Size and SHA-256 of each file, by its place in the folder.
    files: BTreeMap<String, FileDigest>,
}

impl Backup {
    /// How many files it has.
    pub fn files(&self) -> usize {
        self.files.len()
    }
}

fn failed(doing: &str, path: &Path, error: io::Error) -> Error {
    Error::storage(format!("{doing} {}", path.display()), error)
}

/// Copies a file for its owner alone, to disk, and tells its digest.
fn copy(from: &Path, to: &Path) -> io::Result<FileDigest> {
    let (mut source, mut target) = (File::open(from)?, File::create_new(to)?);
    target.set_permissions(fs::Permissions::from_mode(0o600))?;
    io::copy(&mut source, &mut target)?;
    target.sync_all()?;
    digest(to)
}

fn digest(path: &Path) -> io::Result<FileDigest> {
    Ok(FileDigest::of(&fs::read(path)?))
}

/// A folder for its owner alone.
fn folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

impl Access {
    /// Copies database, key and log into a new folder, while the service goes on. The folder is there as a whole or not at all. It opens
    /// everything that its original does: keep it as safe.
    ///
    /// # Errors
    /// Where the folder is there already, or something cannot be copied.
    pub fn back_up(&self, to: &Path, now: DateTime<Utc>) -> Result<Backup> {
        if to.exists() {
            return Err(Error::Conflict(format!("{}: it is there already; name a new folder for each copy", to.display())));
        }
        let half = to.with_extension("half");
        if half.exists() {
            fs::remove_dir_all(&half).map_err(|error| failed("clearing what an interrupted copy left in", &half, error))?;
        }
        folder(&half.join(LOG)).map_err(|error| failed("making", &half, error))?;
        let mut files = BTreeMap::new();
        // Head and checkpoints come first: a log may have come further than they say, but never less far.
        for (name, from) in log::whole(&self.log_folder())? {
            let place = format!("{LOG}/{name}");
            let digest = copy(&from, &half.join(&place)).map_err(|error| failed("copying", &from, error))?;
            files.insert(place, digest);
        }
        let database = half.join(DATABASE);
        self.database.read(|connection| connection.execute("VACUUM INTO ?", [database.to_string_lossy()]))?;
        let sealed = fs::set_permissions(&database, fs::Permissions::from_mode(0o600)).and_then(|()| File::open(&database)?.sync_all());
        sealed
            .and_then(|()| digest(&database))
            .map(|digest| files.insert(DATABASE.into(), digest))
            .map_err(|error| failed("copying to", &database, error))?;
        let key = key_path(self.path());
        let copied = copy(&key, &half.join(KEY)).map_err(|error| failed("copying", &key, error))?;
        files.insert(KEY.into(), copied);
        let backup = Backup { at: now, files };
        let text = serde_json::to_vec_pretty(&backup).map_err(|error| Error::Internal(error.to_string()))?;
        let manifest = half.join(MANIFEST);
        let written = File::create_new(&manifest).and_then(|mut file| file.write_all(&text).and_then(|()| file.sync_all()));
        written.and_then(|()| fs::rename(&half, to)).map_err(|error| failed("writing", &manifest, error))?;
        Ok(backup)
    }

    /// Puts a copy in the place of a database. Sessions that were open when it was made are not open any more. What was changed since is
    /// lost: keys that were revoked hold again, suspensions do not.
    ///
    /// # Errors
    /// Where the copy is not whole, or there is a database already and it is not to be replaced; then it is left as it is. What is
    /// replaced is kept beside, under its name and the time.
    pub fn restore(from: &Path, database: &Path, replace: bool, by: &str, now: DateTime<Utc>) -> Result<(Self, Backup)> {
        let manifest = from.join(MANIFEST);
        let text = fs::read(&manifest).map_err(|error| failed("reading", &manifest, error))?;
        let backup: Backup = serde_json::from_slice(&text)
            .map_err(|error| Error::Input(format!("{}: it describes no copy: {error}", manifest.display())))?;
        for (name, expected) in &backup.files {
            let is_plain = Path::new(name).components().all(|part| matches!(part, std::path::Component::Normal(_)));
            let path = from.join(name);
            if !is_plain || digest(&path).map_err(|error| failed("reading", &path, error))? != *expected {
                return Err(Error::Input(format!("{}: it is not what was copied; take another copy", path.display())));
            }
        }
        let log_folder = database.with_extension("log");
        let beside = |ending: &str| database.with_extension(format!("sqlite{ending}"));
        let old: Vec<PathBuf> = [database.to_owned(), key_path(database), log_folder.clone(), beside("-wal"), beside("-shm")]
            .into_iter()
            .filter(|path| path.exists())
            .collect();
        if !replace && let Some(first) = old.first() {
            return Err(Error::Conflict(format!(
                "{}: it is there already; stop the service and say that it is to be replaced",
                first.display()
            )));
        }
        // Whoever still writes the log would go on writing what was moved away.
        log::free(&log_folder)?;
        for path in &old {
            let mut kept = path.clone().into_os_string();
            kept.push(now.format(".before-%Y%m%dT%H%M%SZ").to_string());
            fs::rename(path, &kept).map_err(|error| failed("putting aside", path, error))?;
        }
        folder(&log_folder).map_err(|error| failed("making", &log_folder, error))?;
        for name in backup.files.keys() {
            let to = match name.as_str() {
                DATABASE => database.to_owned(),
                KEY => key_path(database),
                other => log_folder.join(other.trim_start_matches("log/")),
            };
            copy(&from.join(name), &to).map_err(|error| failed("copying to", &to, error))?;
        }
        let access = Self::open(database)?;
        access.database.write(|transaction| {
            transaction.execute("DELETE FROM session", [])?;
            let what = format!("restored from the copy of {}", backup.at.format("%Y-%m-%d %H:%M:%S"));
            record(transaction, &Changing { by, subject: "setting", subject_id: "database", what: &what, reason: "", until: None }, now)?;
            Ok(Ok(()))
        })?;
        Ok((access, backup))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_that_was_touched_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let (original, copy, other) =
            (place.path().join("a/access.sqlite"), place.path().join("copy"), place.path().join("b/access.sqlite"));
        let access = Access::open(&original).unwrap();
        access.set_four_eyes(true, "tests", "two see more", Utc::now()).unwrap();
        let backup = access.back_up(&copy, Utc::now()).unwrap();
        assert_eq!(backup.files(), 2);
        assert!(access.back_up(&copy, Utc::now()).unwrap_err().to_string().contains("there already"));
        fs::create_dir(place.path().join("b")).unwrap();
        let key = fs::read(copy.join(KEY)).unwrap();
        fs::write(copy.join(KEY), [0; 32]).unwrap();
        let said = Access::restore(&copy, &other, false, "tests", Utc::now()).unwrap_err().to_string();
        assert!(said.contains("not what was copied") && !other.exists(), "{said}");
        fs::write(copy.join(KEY), key).unwrap();
        let (restored, _) = Access::restore(&copy, &other, false, "tests", Utc::now()).unwrap();
        assert!(restored.four_eyes().unwrap());
        assert!(Access::restore(&copy, &other, false, "tests", Utc::now()).unwrap_err().to_string().contains("there already"));
        // What is replaced stays beside.
        drop(restored);
        Access::restore(&copy, &other, true, "tests", Utc::now()).unwrap();
        let names: Vec<String> =
            fs::read_dir(place.path().join("b")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        assert!(names.iter().any(|name| name.starts_with("access.sqlite.before-")), "{names:?}");
    }

    #[test]
    fn another_key_is_noticed() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("access.sqlite");
        drop(Access::open(&path).unwrap());
        fs::write(key_path(&path), [7; 32]).unwrap();
        let said = Access::open(&path).unwrap_err().to_string();
        assert!(said.contains("another database"), "{said}");
    }
}
