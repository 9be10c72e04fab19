//! What a release says of itself: `manifest.json`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    register::{Charts, Contact, Definitions, Frequency, Label, Language, Links, Measure, Period, Table},
    storage::FileDigest,
    worlds::Rule,
};

/// How far a release is protected against disclosure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protection {
    /// Small counts are suppressed, but nothing keeps anyone from working them out: for loopback only. Earlier versions of
    /// this program published so; none does any more.
    PrimaryOnly,
    /// Enough is suppressed that nothing tells more of a small count than that it is small, and an audit has checked it.
    Certified,
}

impl Protection {
    /// Identifier in manifests and answers.
    pub fn id(self) -> &'static str {
        match self {
            Self::PrimaryOnly => "primary-only",
            Self::Certified => "certified",
        }
    }
}

/// The register that a release counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Register {
    /// Identifier.
    pub id: String,
    /// Name.
    pub label: Label,
    /// Agency that publishes.
    pub agency: String,
    /// Source line.
    pub source: Label,
    /// Address of the licence.
    pub license: String,
    /// Languages in the order of every [`Label`], the default first.
    pub languages: Vec<Language>,
    /// How often a snapshot is taken.
    pub frequency: Frequency,
    /// Whom readers may ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// Days from the reference date to the publication.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publication_days: Option<u32>,
    /// Numbers worked out from the counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measures: Vec<Measure>,
    /// What charts are drawn from.
    #[serde(default)]
    pub charts: Charts,
}

impl From<&Definitions> for Register {
    fn from(definitions: &Definitions) -> Self {
        Self {
            id: definitions.id.clone(),
            label: definitions.label.clone(),
            agency: definitions.agency.clone(),
            source: definitions.source.clone(),
            license: definitions.license.clone(),
            languages: definitions.languages.clone(),
            frequency: definitions.frequency,
            contact: definitions.contact.clone(),
            publication_days: definitions.publication_days,
            measures: definitions.measures.clone(),
            charts: definitions.charts.clone(),
        }
    }
}

/// One table of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleasedTable {
    /// The table's definition.
    #[serde(flatten)]
    pub table: Table,
    /// Number of cells, which is the number of rows of its file.
    pub cells: u64,
    /// The file that holds them, below the release's folder.
    pub file: String,
}

/// The manifest of a release. A release exists once its manifest does.
///
/// It holds no time of day, so that the same snapshot and definitions give the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this layout.
    pub format: u32,
    /// The register.
    pub register: Register,
    /// The period counted.
    pub period: Period,
    /// The day as of which people are counted, `YYYY-MM-DD`.
    pub reference_date: String,
    /// 1 for the first publication of a period, one more for each correction.
    pub revision: u32,
    /// Why this revision was made; absent for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction: Option<String>,
    /// How far the release is protected.
    pub protection: Protection,
    /// Counts from 1 to one below this are suppressed.
    pub threshold: u32,
    /// The rule that certified suppression keeps; absent where nothing is certified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// SHA-256 of `audit.json`, which says what was checked; absent where nothing is certified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<String>,
    /// Name of the region reference.
    pub vintage: String,
    /// SHA-256 of the definitions.
    pub definitions: String,
    /// The tables.
    pub tables: Vec<ReleasedTable>,
    /// What people and households tell of each other; absent in releases that were made before this was published.
    #[serde(default, skip_serializing_if = "Links::is_empty")]
    pub links: Links,
    /// Code list files by dimension.
    pub codelists: BTreeMap<String, String>,
    /// Every other file of the release.
    pub files: BTreeMap<String, FileDigest>,
    /// What was published before this; absent in releases of early versions of this program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<Chain>,
    /// In releases of early versions, SHA-256 of the manifest of the latest period before this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
}

/// What was published before a release. It holds the catalogue together: whatever is named here cannot be taken out unseen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// SHA-256 of the manifests that were published last, in the order of the digests: those that no other manifest named yet. Usually it
    /// is one; none for the first release, several where some were published at the same moment.
    pub follows: Vec<String>,
    /// SHA-256 of the manifest of the revision before, of the same period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrects: Option<String>,
    /// Folders of the releases that had been withdrawn.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub withdrawn: BTreeSet<String>,
}

impl Manifest {
    /// The folder of the release below its store, such as `2024-S1/r1`.
    pub fn folder(&self) -> String {
        format!("{}/r{}", self.period, self.revision)
    }

    /// Digests of the files of cells.
    pub fn cells(&self) -> BTreeMap<String, FileDigest> {
        let digest = |table: &ReleasedTable| Some((table.file.clone(), self.files.get(&table.file)?.clone()));
        self.tables.iter().filter_map(digest).collect()
    }

    /// Digests of all manifests that this one names.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        let chain = self.chain.iter().flat_map(|chain| chain.follows.iter().chain(&chain.corrects));
        chain.chain(&self.previous).map(String::as_str)
    }
}

/// Version of the layout that this program writes and reads.
pub const FORMAT: u32 = 1;
