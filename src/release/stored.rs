//! What a store holds of releases: manifests with their signatures and withdrawals, before anything is opened.
//!
//! ```text
//! 2024-S1/r1/manifest.json   manifest.sig     the release
//!            withdrawal.json  withdrawal.sig  why it must not be used any more
//! ```

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::{DateTime, Utc};

use super::{FORMAT, Manifest, withdrawal::Withdrawal};
use crate::{
    error::{Error, Result},
    register::Period,
    storage::{FileDigest, Store, StoredFile},
};

/// The manifest of a release: the last file that is written of it.
pub const MANIFEST: &str = "manifest.json";
/// Its signature, written before it.
pub const MANIFEST_SIGNATURE: &str = "manifest.sig";
/// Says that a release must not be used any more.
pub const WITHDRAWAL: &str = "withdrawal.json";
/// Its signature, written before it.
pub const WITHDRAWAL_SIGNATURE: &str = "withdrawal.sig";
/// Files of a release's folder that its manifest does not name.
pub const OF_A_FOLDER: [&str; 4] = [MANIFEST, MANIFEST_SIGNATURE, WITHDRAWAL, WITHDRAWAL_SIGNATURE];

/// A release as its store holds it.
#[derive(Debug, Clone)]
pub struct StoredRelease {
    /// The folder below the store.
    pub folder: String,
    /// The manifest.
    pub manifest: Manifest,
    /// The manifest as it is written.
    pub text: Bytes,
    /// SHA-256 of that.
    pub sha256: String,
    /// When the manifest was written.
    pub written: DateTime<Utc>,
    /// The file of the signature, if there is one.
    pub signature: Option<Bytes>,
    /// The withdrawal, if there is one.
    pub withdrawal: Option<StoredWithdrawal>,
}

/// A withdrawal as its store holds it.
#[derive(Debug, Clone)]
pub struct StoredWithdrawal {
    /// What it says.
    pub withdrawal: Withdrawal,
    /// As it is written.
    pub text: Bytes,
    /// The file of the signature, if there is one.
    pub signature: Option<Bytes>,
}

/// The folder of a release by its period and revision, if a path lies in one, and the rest of the path.
pub(super) fn placed(path: &str) -> Option<((Period, u32), &str)> {
    let (period, rest) = path.split_once('/')?;
    let (revision, file) = rest.split_once('/')?;
    let number: u32 = revision.strip_prefix('r')?.parse().ok()?;
    let found = (period.parse::<Period>().ok()?, number);
    // One folder has one name: "2024-S1/r01" is none of ours.
    (format!("{}/r{}", found.0, found.1) == path[..path.len() - file.len() - 1]).then_some((found, file))
}

/// The files in the folder of a release, by their names there.
pub(super) type FilesByName = BTreeMap<String, StoredFile>;

/// The files of a store by the release in whose folder they lie, by their name in it; those that lie in none come second.
pub(super) fn by_release(files: Vec<StoredFile>) -> (BTreeMap<(Period, u32), FilesByName>, Vec<StoredFile>) {
    let (mut releases, mut others) = (BTreeMap::<_, FilesByName>::new(), Vec::new());
    for file in files {
        match placed(&file.path) {
            Some((release, name)) => _ = releases.entry(release).or_default().insert(name.to_owned(), file),
            None => others.push(file),
        }
    }
    (releases, others)
}

/// Every release in a store, by period and revision.
///
/// # Errors
/// Where a manifest or a withdrawal is none.
pub(super) async fn stored(store: &Store) -> Result<BTreeMap<(Period, u32), StoredRelease>> {
    let mut found = BTreeMap::new();
    for (place, files) in by_release(store.list("").await?).0 {
        let Some(manifest) = files.get(MANIFEST) else { continue };
        if let Some(release) = read(store, place, manifest, |name| files.contains_key(name)).await? {
            found.insert(place, release);
        }
    }
    Ok(found)
}

/// Reads what a store holds of one release; `None` where it has just gone.
pub(super) async fn read(
    store: &Store,
    (period, revision): (Period, u32),
    manifest: &StoredFile,
    has: impl Fn(&str) -> bool,
) -> Result<Option<StoredRelease>> {
    let folder = format!("{period}/r{revision}");
    let Some(text) = store.read(&manifest.path).await? else { return Ok(None) };
    let beside = async |name: &str| if has(name) { store.read(&format!("{folder}/{name}")).await } else { Ok(None) };
    let written = manifest.written;
    let manifest = parse(&text).map_err(|problem| Error::Input(format!("{store}/{folder}/{MANIFEST}: {problem}")))?;
    let signature = beside(MANIFEST_SIGNATURE).await?;
    let sha256 = FileDigest::of(&text).sha256;
    let withdrawal = match beside(WITHDRAWAL).await? {
        Some(text) => {
            let withdrawal = Withdrawal::parse(&text, &folder, &sha256)
                .map_err(|problem| Error::Input(format!(
                    "{store}/{folder}/{WITHDRAWAL}: {problem}; restore it from a copy, or remove it if nobody of yours has withdrawn the release"
                )))?;
            Some(StoredWithdrawal { withdrawal, text, signature: beside(WITHDRAWAL_SIGNATURE).await? })
        }
        None => None,
    };
    Ok(Some(StoredRelease { folder, manifest, text, sha256, written, signature, withdrawal }))
}

/// Reads a manifest.
///
/// # Errors
/// Says what is wrong with it.
pub(super) fn parse(text: &[u8]) -> Result<Manifest, String> {
    let manifest: Manifest = serde_json::from_slice(text).map_err(|error| format!("not a manifest that this program can read: {error}"))?;
    if manifest.format != FORMAT {
        return Err(format!("layout {}, this program reads {FORMAT}", manifest.format));
    }
    Ok(manifest)
}

/// Every release in a store, by period and revision, with the digest of its manifest.
///
/// # Errors
/// Where a manifest is none.
pub async fn list(store: &Store) -> Result<Vec<(Manifest, String)>> {
    Ok(stored(store).await?.into_values().map(|release| (release.manifest, release.sha256)).collect())
}

/// Every release in a store as it is stored, withdrawn ones too, by period and revision.
///
/// # Errors
/// As [`list`].
pub async fn list_stored(store: &Store) -> Result<Vec<StoredRelease>> {
    Ok(stored(store).await?.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_has_one_folder() {
        let period: Period = "2024-S1".parse().unwrap();
        assert_eq!(placed("2024-S1/r12/cells/people.parquet"), Some(((period, 12), "cells/people.parquet")));
        for other in [
            "2024-S1/r01/manifest.json",
            "2024-S1/x1/manifest.json",
            "2024-S1/manifest.json",
            "boundaries/r1/manifest.json",
            "2024-s1/r1/x",
        ] {
            assert_eq!(placed(other), None, "{other}");
        }
    }
}
