//! The catalogue: the releases in force.
//!
//! ```text
//! 2024-S1/r1    superseded by its correction
//! 2024-S1/r2    in force
//! 2024-S2/r1    in force
//! ```

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;

use super::{
    Manifest,
    publish::manifests,
    reports::{AUDIT, AuditReport, QUALITY, Quality},
};
use crate::{
    error::{Error, Result},
    register::{Dimension, Period},
    storage::{FileDigest, Store, StoredFile},
};

/// A release as its manifest describes it.
#[derive(Debug, Clone)]
pub struct Edition {
    /// The folder below the store, such as `2024-S1/r1`.
    pub folder: String,
    /// The manifest.
    pub manifest: Manifest,
    /// SHA-256 of the manifest, in hexadecimal: the release's identity.
    pub sha256: String,
    /// When the manifest was written, which is when the release began to exist.
    pub written: DateTime<Utc>,
    /// What became of the records of the snapshot; nothing in releases of early versions of this program.
    pub quality: Option<Quality>,
    /// What the audit checked, likewise.
    pub audit: Option<AuditReport>,
    /// The revisions of the period before this one, oldest first.
    pub superseded: Vec<Superseded>,
}

/// A revision that its correction has superseded: its cells are not served any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Superseded {
    /// 1 for the first publication of the period.
    pub revision: u32,
    /// Why it was made; absent for the first.
    pub correction: Option<String>,
    /// SHA-256 of its manifest, in hexadecimal.
    pub sha256: String,
    /// When its manifest was written.
    pub written: DateTime<Utc>,
}

/// A release with the code lists that its cells are numbered by.
#[derive(Debug, Clone)]
pub struct Release {
    /// The release.
    pub edition: Edition,
    /// Its dimensions; releases with the same code list share it.
    pub dimensions: Vec<Arc<Dimension>>,
}

/// The last revision of each period of one register.
#[derive(Debug, Clone)]
pub struct Catalogue {
    releases: Vec<Release>,
}

impl Catalogue {
    /// Opens the releases in force.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no release, [`Error::Conflict`] where releases are of different registers, and
    /// [`Error::Input`] where a file is damaged.
    pub async fn open(store: &Store) -> Result<Self> {
        let mut latest: BTreeMap<Period, Edition> = BTreeMap::new();
        for ((period, revision), (manifest, sha256)) in manifests(store).await? {
            let folder = format!("{period}/r{revision}");
            let path = format!("{folder}/manifest.json");
            let gone = || Error::storage(format!("{store}/{path}"), "it has just disappeared");
            let written = store.stat(&path).await?.ok_or_else(gone)?.written;
            let superseded = latest.remove(&period).map_or_else(Vec::new, Edition::superseded);
            latest.insert(period, Edition { folder, manifest, sha256, written, quality: None, audit: None, superseded });
        }
        let Some(newest) = latest.values().next_back() else {
            return Err(Error::NotFound(format!(
                "there is no release in '{store}'; publish one with 'cacah release' or name another folder"
            )));
        };
        let (register, newest) = (newest.manifest.register.clone(), newest.folder.clone());
        let mut releases = Vec::with_capacity(latest.len());
        let mut known = HashMap::new();
        for mut edition in latest.into_values() {
            let other = &edition.manifest.register;
            let same = other.id == register.id && other.frequency == register.frequency;
            // Labels are kept by position, so a release may lack languages that came later but may not order them differently.
            if !same || !register.languages.iter().map(|l| &l.id).zip(&other.languages).all(|(a, b)| *a == b.id) {
                return Err(Error::Conflict(format!(
                    "'{store}' holds releases of different registers or languages ({} and {newest}); keep each register in a folder of its own",
                    edition.folder
                )));
            }
            edition.quality = report(store, &edition, QUALITY).await?;
            edition.audit = report(store, &edition, AUDIT).await?;
            releases.push(Release { dimensions: code_lists(store, &edition, &mut known).await?, edition });
        }
        Ok(Self { releases })
    }

    /// The releases, oldest period first; never empty.
    pub fn releases(&self) -> &[Release] {
        &self.releases
    }
}

/// The manifests in a store, without opening them: as long as this stays equal, nothing was published or withdrawn.
///
/// # Errors
/// Where the store cannot be listed.
pub async fn survey(store: &Store) -> Result<Vec<StoredFile>> {
    let mut files = store.list("").await?;
    files.retain(|file| file.path.split('/').count() == 3 && file.path.ends_with("/manifest.json"));
    Ok(files)
}

impl Edition {
    /// The revisions before the one that supersedes this one.
    fn superseded(self) -> Vec<Superseded> {
        let Manifest { revision, correction, .. } = self.manifest;
        let own = Superseded { revision, correction, sha256: self.sha256, written: self.written };
        self.superseded.into_iter().chain([own]).collect()
    }

    /// Reads every file of the release and compares it with its digest.
    ///
    /// # Errors
    /// [`Error::Input`] where a file is missing or differs.
    pub async fn verify(&self, store: &Store) -> Result<()> {
        for (file, digest) in &self.manifest.files {
            read_whole(store, &self.folder, file, Some(digest)).await?;
        }
        Ok(())
    }
}

/// Reads a file that the manifest in a folder names, and compares it with its digest if there is one.
///
/// # Errors
/// [`Error::Input`] where the file is missing or differs.
pub async fn read_whole(store: &Store, folder: &str, file: &str, digest: Option<&FileDigest>) -> Result<Bytes> {
    let path = format!("{folder}/{file}");
    let Some(bytes) = store.read(&path).await? else {
        return Err(Error::Input(format!("{store}/{path} is missing, though the manifest names it; restore the release from a copy")));
    };
    if digest.is_some_and(|digest| *digest != FileDigest::of(&bytes)) {
        return Err(Error::Input(format!("{store}/{path} differs from its digest in the manifest; restore the release from a copy")));
    }
    Ok(bytes)
}

/// A report that a release has, if its manifest names it.
async fn report<T: DeserializeOwned>(store: &Store, edition: &Edition, file: &str) -> Result<Option<T>> {
    let Some(digest) = edition.manifest.files.get(file) else { return Ok(None) };
    let bytes = read_whole(store, &edition.folder, file, Some(digest)).await?;
    let damaged = |error| Error::Input(format!("{store}/{}/{file}: {error}; restore the release from a copy", edition.folder));
    serde_json::from_slice(&bytes).map(Some).map_err(damaged)
}

/// The code lists of a release; those with a digest that is `known` are not taken apart again.
async fn code_lists(store: &Store, edition: &Edition, known: &mut HashMap<FileDigest, Arc<Dimension>>) -> Result<Vec<Arc<Dimension>>> {
    let mut dimensions = Vec::with_capacity(edition.manifest.codelists.len());
    for file in edition.manifest.codelists.values() {
        let digest = edition.manifest.files.get(file);
        let bytes = read_whole(store, &edition.folder, file, digest).await?;
        if let Some(same) = digest.and_then(|digest| known.get(digest)) {
            dimensions.push(Arc::clone(same));
            continue;
        }
        let damaged = |error| Error::Input(format!("{store}/{}/{file}: {error}; restore the release from a copy", edition.folder));
        let dimension = Arc::new(serde_json::from_slice(&bytes).map_err(damaged)?);
        known.extend(digest.map(|digest| (digest.clone(), Arc::clone(&dimension))));
        dimensions.push(dimension);
    }
    Ok(dimensions)
}
