//! Checking a store of releases from its files and public keys alone, as `cacah verify` does.
//!
//! Nothing here stops at the first fault: the report says all that is wrong, and where.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{
    chain::{broken_links, forks, published_last},
    keys::Trust,
    manifest::Manifest,
    signature::{Signature, Signed},
    stored::{MANIFEST, OF_A_FOLDER, StoredRelease, WITHDRAWAL, by_release, read},
};
use crate::{
    error::Result,
    register::Period,
    storage::{Store, StoredFile},
};

/// Folders of a store that belong to no release, and are signed by nobody: outlines for maps.
const BESIDE: &str = "boundaries/";
/// The most files that one note names.
const NAMED: usize = 5;

/// What came of checking a store.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The store.
    pub store: String,
    /// Ids of the keys that were trusted.
    pub keys: Vec<String>,
    /// Whether nothing is wrong.
    pub sound: bool,
    /// The releases, by period and revision.
    pub releases: Vec<Checked>,
    /// What is wrong.
    pub faults: Vec<Fault>,
    /// What is not wrong, and should be known.
    pub notes: Vec<String>,
    /// SHA-256 of the manifests that were published last: whoever remembers them can tell later that nothing was taken out behind them.
    pub last: Vec<String>,
}

/// A release that was checked.
#[derive(Debug, Clone, Serialize)]
pub struct Checked {
    /// Its folder.
    pub release: String,
    /// SHA-256 of its manifest.
    pub sha256: String,
    /// Id of the trusted key that signed it, if one has.
    pub signed_by: Option<String>,
    /// Files that its manifest names.
    pub files: usize,
    /// Bytes of these.
    pub bytes: u64,
    /// Why it was withdrawn, if a trusted key says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<String>,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The folder or file.
    pub place: String,
    /// What is wrong with it.
    pub problem: String,
}

/// Checks every signature, the chain, every file and what else lies there. `remembered` are digests of manifests that must be there.
///
/// # Errors
/// Where the store cannot be read; whatever is wrong with what is in it stands in the report.
pub async fn verify(store: &Store, trust: &Trust, remembered: &[String]) -> Result<Report> {
    let (folders, others) = by_release(store.list("").await?);
    let mut report = Report {
        store: store.to_string(),
        keys: trust.keys().iter().map(|key| key.id().to_owned()).collect(),
        sound: false,
        releases: Vec::new(),
        faults: Vec::new(),
        notes: Vec::new(),
        last: Vec::new(),
    };
    let mut known: BTreeMap<(Period, u32), StoredRelease> = BTreeMap::new();
    for (place, files) in &folders {
        if let Some(release) = report.folder(store, *place, files, trust).await? {
            known.insert(*place, release);
        }
    }
    if known.is_empty() && report.faults.is_empty() {
        report.fault(&store.to_string(), "holds no release");
    }
    for (folder, problem) in broken_links(&known) {
        report.fault(&folder, &problem);
    }
    for followers in forks(&known) {
        report.notes.push(format!(
            "{} were published at the same moment, without knowing of each other; the next publication names them all",
            followers.join(" and ")
        ));
    }
    let unchained =
        known.values().filter(|release| release.manifest.chain.is_none()).map(|release| release.folder.as_str()).collect::<Vec<_>>();
    if !unchained.is_empty() {
        report.notes.push(format!("made by an early version, which did not name what was published before: {}", unchained.join(", ")));
    }
    report.last = published_last(known.values()).into_iter().map(|release| release.sha256.clone()).collect();
    for digest in remembered.iter().filter(|digest| !known.values().any(|release| release.sha256 == **digest)) {
        report.fault(
            &store.to_string(),
            &format!("no longer holds the release whose manifest has the SHA-256 {digest}: it was taken out or changed"),
        );
    }
    let beside: Vec<&str> = others.iter().map(|file| file.path.as_str()).filter(|path| !path.starts_with(BESIDE)).collect();
    if !beside.is_empty() {
        report.notes.push(format!("belongs to no release, and is signed by nobody: {}", some(&beside)));
    }
    if others.iter().any(|file| file.path.starts_with(BESIDE)) {
        report.notes.push(format!("outlines for maps in {BESIDE} are signed by nobody"));
    }
    report.sound = report.faults.is_empty();
    Ok(report)
}

fn some(names: &[&str]) -> String {
    let more = names.len().saturating_sub(NAMED);
    let named = names[..names.len() - more].join(", ");
    if more > 0 { format!("{named} and {more} more") } else { named }
}

impl Report {
    fn fault(&mut self, place: &str, problem: &str) {
        self.faults.push(Fault { place: place.to_owned(), problem: problem.to_owned() });
    }

    /// Checks what lies in the folder of a release; what can be read of it takes its place in the chain.
    async fn folder(
        &mut self,
        store: &Store,
        place: (Period, u32),
        files: &BTreeMap<String, StoredFile>,
        trust: &Trust,
    ) -> Result<Option<StoredRelease>> {
        let folder = format!("{}/r{}", place.0, place.1);
        let Some(manifest) = files.get(MANIFEST) else {
            let left: Vec<&str> = files.keys().map(String::as_str).collect();
            let problem = format!(
                "has no manifest, so that it is no release, but holds {}: a publication that was not finished, or a release \
                                   whose manifest was taken out",
                some(&left)
            );
            self.fault(&folder, &problem);
            return Ok(None);
        };
        let release = match read(store, place, manifest, |name| files.contains_key(name)).await {
            Ok(Some(release)) => release,
            Ok(None) => return Ok(None),
            Err(crate::error::Error::Input(problem)) => {
                self.fault(&folder, &problem);
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let Manifest { files: named, .. } = &release.manifest;
        if release.manifest.folder() != folder {
            self.fault(&format!("{folder}/{MANIFEST}"), &format!("is of {}: it was moved", release.manifest.folder()));
        }
        let signature = Signature::check_file(release.signature.as_deref(), Signed::Manifest, &folder, &release.text, trust);
        let signed_by = match signature {
            Ok(signature) => Some(signature.key),
            Err(problem) => {
                self.fault(&format!("{folder}/{MANIFEST}"), &problem);
                None
            }
        };
        let mut withdrawn = None;
        if let Some(stored) = &release.withdrawal {
            match Signature::check_file(stored.signature.as_deref(), Signed::Withdrawal, &folder, &stored.text, trust) {
                Ok(_) => withdrawn = Some(format!("{}: {}", stored.withdrawal.date, stored.withdrawal.reason)),
                Err(problem) => self.fault(&format!("{folder}/{WITHDRAWAL}"), &problem),
            }
        }
        for (file, digest) in named {
            let path = format!("{folder}/{file}");
            match store.digest(&path).await? {
                // Numbers that nobody may use any more need not be kept.
                None if withdrawn.is_some() => {}
                None => self.fault(&path, "is missing"),
                Some(found) if found != *digest => self.fault(&path, "differs from its digest in the manifest"),
                Some(_) => {}
            }
        }
        let tables = release.manifest.tables.iter().map(|table| &table.file).chain(release.manifest.codelists.values());
        for file in tables.filter(|file| !named.contains_key(*file)).collect::<BTreeSet<_>>() {
            self.fault(&format!("{folder}/{MANIFEST}"), &format!("has no digest of {file}"));
        }
        for file in files.keys().filter(|file| !named.contains_key(*file) && !OF_A_FOLDER.contains(&file.as_str())) {
            self.fault(&format!("{folder}/{file}"), "is not named by the manifest");
        }
        // A signature of nothing.
        if files.contains_key(super::stored::WITHDRAWAL_SIGNATURE) && release.withdrawal.is_none() {
            let problem = "signs a withdrawal that is not here: it was taken out, or 'cacah withdraw' was stopped";
            self.fault(&format!("{folder}/{}", super::stored::WITHDRAWAL_SIGNATURE), problem);
        }
        self.releases.push(Checked {
            release: folder,
            sha256: release.sha256.clone(),
            signed_by,
            files: named.len(),
            bytes: named.values().map(|file| file.bytes).sum(),
            withdrawn,
        });
        Ok(Some(release))
    }
}
