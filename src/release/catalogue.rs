//! The catalogue: the releases in force.
//!
//! ```text
//! 2024-S1/r1    superseded by its correction
//! 2024-S1/r2    in force
//! 2024-S2/r1    in force
//! 2025-S1/r1    superseded by its correction
//! 2025-S1/r2    withdrawn: the period is not in force, and r1, which r2 said was wrong, does not come back
//! ```

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;

use super::{
    Manifest, Register,
    chain::{broken_links, missing_withdrawals},
    keys::Trust,
    reports::{AUDIT, AuditReport, QUALITY, Quality},
    signature::{Signature, Signed},
    stored::{MANIFEST, OF_A_FOLDER, StoredRelease, WITHDRAWAL, placed, stored},
    withdrawal::Withdrawal,
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
    /// The signature of the manifest, if there is one; it was checked where there is somebody to trust.
    pub signature: Option<Signature>,
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
    /// Why it was withdrawn besides, if it was.
    pub withdrawal: Option<Withdrawal>,
}

/// A period that is not in force, because its last revision was withdrawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawn {
    /// Why, and which revision.
    pub withdrawal: Withdrawal,
    /// Why that revision was made; absent for the first.
    pub correction: Option<String>,
    /// When its manifest was written.
    pub written: DateTime<Utc>,
    /// Identifiers of the tables that it had.
    pub tables: Vec<String>,
    /// The revisions before it, oldest first.
    pub superseded: Vec<Superseded>,
}

impl Withdrawn {
    /// The folder of the release that was withdrawn.
    pub fn folder(&self) -> String {
        format!("{}/r{}", self.withdrawal.period, self.withdrawal.revision)
    }
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
    register: Register,
    releases: Vec<Release>,
    withdrawn: Vec<Withdrawn>,
}

impl Catalogue {
    /// Opens the releases in force, whoever has made them.
    ///
    /// # Errors
    /// As [`Catalogue::open_trusted`].
    pub async fn open(store: &Store) -> Result<Self> {
        Self::open_trusted(store, &Trust::default()).await
    }

    /// Opens the releases in force. Where there is somebody to trust, every manifest and withdrawal must be signed by them, and nothing that any of
    /// them names may be missing.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no release, [`Error::Conflict`] where releases are of different registers or not signed as they must be,
    /// and [`Error::Input`] where a file is damaged.
    pub async fn open_trusted(store: &Store, trust: &Trust) -> Result<Self> {
        Self::open_of(store, checked(store, trust).await?).await
    }

    /// Opens the releases with these manifests, whatever has superseded or withdrawn them.
    ///
    /// # Errors
    /// As [`Catalogue::open_trusted`].
    pub async fn open_these(store: &Store, trust: &Trust, manifests: &[String]) -> Result<Self> {
        let mut stored = checked(store, trust).await?;
        stored.retain(|_, release| manifests.contains(&release.sha256));
        for release in stored.values_mut() {
            release.withdrawal = None;
        }
        Self::open_of(store, stored).await
    }

    async fn open_of(store: &Store, stored: BTreeMap<(Period, u32), StoredRelease>) -> Result<Self> {
        let mut latest: BTreeMap<Period, (Edition, Option<Withdrawal>)> = BTreeMap::new();
        for ((period, _), release) in stored {
            let StoredRelease { folder, manifest, sha256, written, signature, withdrawal, .. } = release;
            if manifest.folder() != folder {
                return Err(Error::Input(format!(
                    "{store}/{folder}/{MANIFEST} is of {}, so that it does not belong there; restore the release from a copy",
                    manifest.folder()
                )));
            }
            let named = manifest.tables.iter().map(|table| &table.file).chain(manifest.codelists.values());
            if let Some(file) = named.into_iter().find(|file| !manifest.files.contains_key(*file)) {
                return Err(Error::Input(format!("{store}/{folder}/{MANIFEST} has no digest of {file}; restore the release from a copy")));
            }
            let superseded = latest.remove(&period).map_or_else(Vec::new, |(edition, withdrawal)| edition.superseded(withdrawal));
            let signature = signature.as_deref().and_then(Signature::parse);
            let edition = Edition { folder, manifest, sha256, written, signature, quality: None, audit: None, superseded };
            latest.insert(period, (edition, withdrawal.map(|stored| stored.withdrawal)));
        }
        let Some((newest, _)) = latest.values().next_back() else {
            return Err(Error::NotFound(format!(
                "there is no release in '{store}'; publish one with 'cacah release' or name another folder"
            )));
        };
        let (register, newest) = (newest.manifest.register.clone(), newest.folder.clone());
        let (mut releases, mut withdrawn) = (Vec::with_capacity(latest.len()), Vec::new());
        let mut known = HashMap::new();
        for (mut edition, withdrawal) in latest.into_values() {
            let other = &edition.manifest.register;
            let same = other.id == register.id && other.frequency == register.frequency;
            // Labels are kept by position, so a release may lack languages that came later but may not order them differently.
            if !same || !register.languages.iter().map(|l| &l.id).zip(&other.languages).all(|(a, b)| *a == b.id) {
                return Err(Error::Conflict(format!(
                    "'{store}' holds releases of different registers or languages ({} and {newest}); keep each register in a folder of its own",
                    edition.folder
                )));
            }
            if let Some(withdrawal) = withdrawal {
                withdrawn.push(edition.withdrawn(withdrawal));
                continue;
            }
            edition.quality = report(store, &edition, QUALITY).await?;
            edition.audit = report(store, &edition, AUDIT).await?;
            releases.push(Release { dimensions: code_lists(store, &edition, &mut known).await?, edition });
        }
        Ok(Self { register, releases, withdrawn })
    }

    /// The register, as the newest release describes it, in force or not.
    pub fn register(&self) -> &Register {
        &self.register
    }

    /// The releases in force, oldest period first; none where all were withdrawn.
    pub fn releases(&self) -> &[Release] {
        &self.releases
    }

    /// The periods that are not in force because their last revision was withdrawn, oldest first.
    pub fn withdrawn(&self) -> &[Withdrawn] {
        &self.withdrawn
    }
}

/// What a store holds, signed and whole as far as that is asked for.
async fn checked(store: &Store, trust: &Trust) -> Result<BTreeMap<(Period, u32), StoredRelease>> {
    let stored = stored(store).await?;
    if let Some((folder, problem)) = missing_withdrawals(&stored).into_iter().next() {
        return Err(Error::Conflict(format!("{store}/{folder} {problem}; restore {WITHDRAWAL} from a copy")));
    }
    if trust.is_needed() {
        for release in stored.values() {
            check_trusted(store, release, trust)?;
        }
        if let Some((folder, problem)) = broken_links(&stored).into_iter().next() {
            return Err(Error::Conflict(format!("{store}/{folder} {problem}; restore the releases from a copy")));
        }
    }
    Ok(stored)
}

/// Refuses a release that is not signed by a trusted key, or whose withdrawal is not: whoever can write to a store shall neither bring a release in
/// nor take one off the air. What to do about it is for the operator to say, not for the service to guess.
fn check_trusted(store: &Store, release: &StoredRelease, trust: &Trust) -> Result<()> {
    let folder = &release.folder;
    Signature::check_file(release.signature.as_deref(), Signed::Manifest, folder, &release.text, trust).map_err(|problem| {
        Error::Conflict(format!(
            "{store}/{folder}/{MANIFEST} {problem}; have the release signed on the confidential side with 'cacah keys sign', restore it from \
             a copy, or remove it if it is none of yours"
        ))
    })?;
    let Some(stored) = &release.withdrawal else { return Ok(()) };
    Signature::check_file(stored.signature.as_deref(), Signed::Withdrawal, folder, &stored.text, trust).map_err(|problem| {
        Error::Conflict(format!(
            "{store}/{folder}/{WITHDRAWAL} {problem}; if the release is to be withdrawn, say so with the trusted key ('cacah withdraw'); if \
             nobody of yours has withdrawn it, remove that file"
        ))
    })?;
    Ok(())
}

/// The manifests, withdrawals and signatures in a store, without opening them: as long as this stays equal, nothing was published or withdrawn.
///
/// # Errors
/// Where the store cannot be listed.
pub async fn survey(store: &Store) -> Result<Vec<StoredFile>> {
    let mut files = store.list("").await?;
    files.retain(|file| placed(&file.path).is_some_and(|(_, name)| OF_A_FOLDER.contains(&name)));
    Ok(files)
}

impl Edition {
    /// The revisions before the one that supersedes this one.
    fn superseded(self, withdrawal: Option<Withdrawal>) -> Vec<Superseded> {
        let Manifest { revision, correction, .. } = self.manifest;
        let own = Superseded { revision, correction, sha256: self.sha256, written: self.written, withdrawal };
        self.superseded.into_iter().chain([own]).collect()
    }

    /// What is left of the release when it is withdrawn.
    pub fn withdrawn(self, withdrawal: Withdrawal) -> Withdrawn {
        let Self { manifest, written, superseded, .. } = self;
        let tables = manifest.tables.into_iter().map(|released| released.table.id).collect();
        Withdrawn { withdrawal, correction: manifest.correction, written, tables, superseded }
    }

    /// Reads every file of the release and compares it with its digest.
    ///
    /// # Errors
    /// [`Error::Input`] where a file is missing or differs.
    pub async fn verify(&self, store: &Store) -> Result<()> {
        for (file, digest) in &self.manifest.files {
            verify_file(store, &self.folder, file, digest).await?;
        }
        Ok(())
    }
}

/// Compares a file of a release with its digest, in pieces.
///
/// # Errors
/// [`Error::Input`] where the file is missing or differs.
pub async fn verify_file(store: &Store, folder: &str, file: &str, digest: &FileDigest) -> Result<()> {
    match store.digest(&format!("{folder}/{file}")).await? {
        None => Err(missing(store, folder, file)),
        Some(found) if found != *digest => Err(differs(store, folder, file)),
        Some(_) => Ok(()),
    }
}

fn missing(store: &Store, folder: &str, file: &str) -> Error {
    Error::Input(format!("{store}/{folder}/{file} is missing, though the manifest names it; restore the release from a copy"))
}

fn differs(store: &Store, folder: &str, file: &str) -> Error {
    Error::Input(format!("{store}/{folder}/{file} differs from its digest in the manifest; restore the release from a copy"))
}

/// Reads a file that the manifest in a folder names, and compares it with its digest if there is one.
///
/// # Errors
/// [`Error::Input`] where the file is missing or differs.
pub async fn read_whole(store: &Store, folder: &str, file: &str, digest: Option<&FileDigest>) -> Result<Bytes> {
    let path = format!("{folder}/{file}");
    let Some(bytes) = store.read(&path).await? else { return Err(missing(store, folder, file)) };
    if digest.is_some_and(|digest| *digest != FileDigest::of(&bytes)) {
        return Err(differs(store, folder, file));
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
