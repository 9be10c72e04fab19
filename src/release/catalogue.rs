//! The catalogue: what a store of releases holds.
//!
//! ```text
//! 2024-S1/r1/manifest.json     a release, superseded by its correction
//! 2024-S1/r2/manifest.json     a release
//! 2024-S2/r1/cells/...         no release: a publication that stopped before its manifest
//! ```
//!
//! [`published`] lists every release, [`Catalogue::open`] keeps the last revision of each period with its code lists.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use super::{FORMAT, Manifest};
use crate::{
    error::{Error, Result},
    register::{Dimension, Period},
    storage::Store,
};

/// A release as its manifest describes it.
#[derive(Debug, Clone)]
pub struct Published {
    /// The folder below the store, such as `2024-S1/r1`.
    pub folder: String,
    /// The manifest.
    pub manifest: Manifest,
    /// SHA-256 of the manifest, in hexadecimal.
    pub sha256: String,
    /// When the manifest was written, which is when the release began to exist.
    pub written: DateTime<Utc>,
}

/// A release with the code lists that its cells are numbered by.
#[derive(Debug, Clone)]
pub struct Release {
    /// The release.
    pub published: Published,
    /// Its dimensions.
    pub dimensions: Vec<Dimension>,
}

/// The releases in force: the last revision of each period of one register.
#[derive(Debug, Clone)]
pub struct Catalogue {
    releases: Vec<Release>,
}

/// The part of a manifest that every version of the layout has.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

/// Every release of a store, by period and revision. Folders that are no periods, and revisions without a manifest, are none.
///
/// # Errors
/// A manifest that cannot be read, that this program does not know how to read, or that lies in the wrong folder.
pub async fn published(store: &Store) -> Result<Vec<Published>> {
    let mut found = Vec::new();
    for name in store.folders("").await? {
        let Ok(period) = name.parse::<Period>() else { continue };
        for folder in store.folders(&name).await? {
            let Some(revision) = folder.strip_prefix('r').and_then(|number| number.parse::<u32>().ok()) else { continue };
            let folder = format!("{name}/{folder}");
            let path = format!("{folder}/manifest.json");
            let (Some(bytes), Some(file)) = (store.read(&path).await?, store.stat(&path).await?) else { continue };
            let Version { format } = parse(store, &path, &bytes)?;
            if format != FORMAT {
                return Err(Error::Input(format!(
                    "{store}/{path} has layout {format}, this program reads layout {FORMAT}; use the program's version that wrote it"
                )));
            }
            let manifest: Manifest = parse(store, &path, &bytes)?;
            if manifest.period != period || manifest.revision != revision {
                return Err(Error::Input(format!(
                    "{store}/{path} describes {} revision {}, which belongs into {}/r{}; move the folder back",
                    manifest.period, manifest.revision, manifest.period, manifest.revision
                )));
            }
            found.push(Published { folder, manifest, sha256: hexadecimal(&bytes), written: file.written });
        }
    }
    found.sort_by_key(|release| (release.manifest.period, release.manifest.revision));
    Ok(found)
}

impl Catalogue {
    /// Opens the releases in force.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no release, [`Error::Conflict`] where releases are of different registers, and
    /// [`Error::Input`] where a file is damaged.
    pub async fn open(store: &Store) -> Result<Self> {
        let mut latest: BTreeMap<Period, Published> = BTreeMap::new();
        for release in published(store).await? {
            latest.insert(release.manifest.period, release);
        }
        let Some(newest) = latest.values().next_back() else {
            return Err(Error::NotFound(format!("there is no release in '{store}'; publish one with 'cacah release' or name another folder")));
        };
        let (register, newest) = (newest.manifest.register.clone(), newest.folder.clone());
        let mut releases = Vec::with_capacity(latest.len());
        for release in latest.into_values() {
            let other = &release.manifest.register;
            let same = other.id == register.id && other.frequency == register.frequency;
            // Labels are kept by position, so a release may lack languages that came later but may not order them differently.
            if !same || !register.languages.iter().map(|l| &l.id).zip(&other.languages).all(|(a, b)| *a == b.id) {
                return Err(Error::Conflict(format!(
                    "'{store}' holds releases of different registers or languages ({} and {newest}); keep each register in a folder of its own",
                    release.folder
                )));
            }
            releases.push(Release { dimensions: code_lists(store, &release).await?, published: release });
        }
        Ok(Self { releases })
    }

    /// The releases, oldest period first; never empty.
    pub fn releases(&self) -> &[Release] {
        &self.releases
    }
}

async fn code_lists(store: &Store, release: &Published) -> Result<Vec<Dimension>> {
    let mut dimensions = Vec::with_capacity(release.manifest.codelists.len());
    for file in release.manifest.codelists.values() {
        let path = format!("{}/{file}", release.folder);
        let Some(bytes) = store.read(&path).await? else {
            return Err(Error::Input(format!("{store}/{path} is missing, though the manifest names it; restore the release from a copy")));
        };
        if release.manifest.files.get(file).is_some_and(|digest| digest.sha256 != hexadecimal(&bytes)) {
            return Err(Error::Input(format!("{store}/{path} differs from its digest in the manifest; restore the release from a copy")));
        }
        dimensions.push(parse(store, &path, &bytes)?);
    }
    Ok(dimensions)
}

fn parse<T: DeserializeOwned>(store: &Store, path: &str, bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| Error::Input(format!("{store}/{path}: {error}; restore the release from a copy")))
}

fn hexadecimal(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
