//! The order of publication, as the manifests tell it: each names those that were published last before it.
//!
//! ```text
//! 2024-S1/r1 <── 2024-S2/r1 <── 2024-S1/r2 <── 2025-S1/r1     named by nobody yet: published last
//! ```
//!
//! A release that is taken out leaves a name to which nothing answers, unless it was published last: that is told only by whoever remembers it
//! (`cacah verify --last`, a service that runs, the confidential side). In a folder publishers wait for each other. In an object store two of different
//! periods may look at the same moment, though each looks again just before its manifest: then both follow the same release, which is a *fork*. It
//! does no harm, `cacah verify` names it, and the next publication names both.

use std::collections::{BTreeMap, BTreeSet};

use super::{manifest::Chain, stored::StoredRelease};
use crate::register::Period;

type Releases = BTreeMap<(Period, u32), StoredRelease>;

/// Digests of the manifests that no other one names as published before it, in their order.
pub fn published_last<'a>(releases: impl Iterator<Item = &'a StoredRelease> + Clone) -> Vec<&'a StoredRelease> {
    let named: BTreeSet<&str> = releases.clone().flat_map(|release| release.manifest.named()).collect();
    let mut last: Vec<&StoredRelease> = releases.filter(|release| !named.contains(release.sha256.as_str())).collect();
    last.sort_by(|one, other| one.sha256.cmp(&other.sha256));
    last
}

/// What stands before a release that is about to be published.
pub(super) fn chain_of(known: &Releases, period: Period, revision: u32) -> Chain {
    // Whoever finds just what it has to say has published it, so its own release is none of those before it.
    let before = known.iter().filter(|(place, _)| **place != (period, revision)).map(|(_, release)| release);
    let corrected = known.range((period, 0)..(period, revision)).next_back();
    Chain {
        follows: published_last(before.clone()).into_iter().map(|release| release.sha256.clone()).collect(),
        corrects: corrected.map(|(_, release)| release.sha256.clone()),
        withdrawn: before.filter(|release| release.withdrawal.is_some()).map(|release| release.folder.clone()).collect(),
    }
}

/// What does not fit together, each with the folder of the release that tells it.
pub fn broken_links(known: &Releases) -> Vec<(String, String)> {
    let there: BTreeSet<&str> = known.values().map(|release| release.sha256.as_str()).collect();
    let mut found = Vec::new();
    for (&(period, revision), release) in known {
        let mut fault = |problem: String| found.push((release.folder.clone(), problem));
        for missing in release.manifest.named().collect::<BTreeSet<_>>().into_iter().filter(|digest| !there.contains(digest)) {
            fault(format!("follows a release whose manifest has the SHA-256 {missing}, and which is not here: it was taken out"));
        }
        let Some(chain) = &release.manifest.chain else { continue };
        let before = known.range((period, 0)..(period, revision)).next_back();
        if let Some((_, before)) = before.filter(|(_, before)| chain.corrects.as_ref() != Some(&before.sha256)) {
            fault(format!("does not name {}, the revision before it", before.folder));
        }
    }
    found.extend(missing_withdrawals(known));
    found
}

/// Withdrawals that later releases name, and that are not here.
pub fn missing_withdrawals(known: &Releases) -> Vec<(String, String)> {
    let named = known.values().flat_map(|release| {
        let chain = release.manifest.chain.iter().flat_map(|chain| &chain.withdrawn);
        chain.map(move |withdrawn| (withdrawn, &release.folder))
    });
    let is_missing = |folder: &String| known.values().any(|release| release.folder == *folder && release.withdrawal.is_none());
    let missing: BTreeMap<&String, &String> = named.filter(|(folder, _)| is_missing(folder)).collect();
    let told = |(folder, by): (&String, &String)| {
        (folder.clone(), format!("was withdrawn, as {by} says, but its withdrawal is not here: it was taken out"))
    };
    missing.into_iter().map(told).collect()
}

/// Releases that were published without knowing of each other: they follow the same one.
pub fn forks(known: &Releases) -> Vec<Vec<&str>> {
    let mut followers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for release in known.values() {
        let Some(chain) = &release.manifest.chain else { continue };
        let follows = chain.follows.iter().map(String::as_str);
        let first = chain.follows.is_empty().then_some("");
        for digest in follows.chain(first) {
            followers.entry(digest).or_default().push(&release.folder);
        }
    }
    let mut found: Vec<Vec<&str>> = followers.into_values().filter(|followers| followers.len() > 1).collect();
    found.sort_unstable();
    found.dedup();
    found
}
