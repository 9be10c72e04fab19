//! Publishing: files first, the manifest last and only once.
//!
//! Nothing of a release is written before all of it is made, so that its proof can be kept first: what lies in a public place for a moment may
//! have been read.
//!
//! Of several publishers of one revision exactly one wins, and what it publishes is whole. A local folder lets one publisher
//! in at a time. In an object store all may write: nobody replaces a file that is there, so whoever finds one with
//! other content gives up, and nobody removes a file before there is a manifest, since another may build on it. Publishers
//! of the very same bytes win together.
//!
//! What stands before the release ([`super::chain`]) is looked up once more when only the manifest is left to write. The signature is written
//! before the manifest, which stays the last file: there is no moment at which a signed release is there without its signature.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;

use super::{
    FORMAT, Manifest, Protection, Register, ReleasedTable,
    chain::chain_of,
    keys::ReleaseKey,
    reports::AUDIT,
    signature::{Signature, Signed},
    stored::{MANIFEST, MANIFEST_SIGNATURE, stored},
    write_cells,
};
use crate::{
    error::{Error, Result},
    register::{Definitions, Period},
    storage::{Created, FileDigest, Hold, Store},
    worlds::{Audited, Counted},
};

/// A release in the making: it is filled with audited cells, gets its documents, then is published as a whole.
///
/// Cells come in by way of an [`Audited`] alone, which only the audit makes: there is no other way to publish.
#[derive(Debug)]
pub struct Draft<'a> {
    store: &'a Store,
    definitions: &'a Definitions,
    manifest: Manifest,
    /// Folder of the release below the store.
    folder: String,
    /// Manifest of the revision before, if this period has been published already.
    earlier: Option<Manifest>,
    /// Whether that revision is withdrawn.
    earlier_is_withdrawn: bool,
    /// What the manifest is signed with.
    key: Option<&'a ReleaseKey>,
    /// Keeps other publishers out, where that is possible.
    hold: Option<Hold>,
    /// All files but the manifest.
    contents: Vec<(String, Bytes)>,
    /// Files that were not there before.
    created: Vec<String>,
    /// Whether all but the manifest is made.
    complete: bool,
}

/// What publishing did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The period.
    pub period: Period,
    /// The revision.
    pub revision: u32,
    /// SHA-256 of the manifest: the release's identity.
    pub digest: String,
    /// Size of all files.
    pub bytes: u64,
    /// Number of cells of all tables.
    pub cells: u64,
    /// Id of the key that signed it.
    pub key: Option<String>,
}

fn json(value: &impl Serialize) -> Result<Bytes> {
    serde_json::to_vec_pretty(value).map(Into::into).map_err(|error| Error::Internal(error.to_string()))
}

impl<'a> Draft<'a> {
    /// Starts a release of a period. A period that has been published needs a reason for its correction.
    ///
    /// Revisions may have been published that are not in the store; `published` is the last one that is known to be, or 0.
    pub async fn start(
        store: &'a Store,
        definitions: &'a Definitions,
        period: Period,
        correction: Option<String>,
        published: u32,
    ) -> Result<Self> {
        let hold = store.hold()?;
        let known = stored(store).await?;
        let earlier = known.range((period, 0)..=(period, u32::MAX)).next_back().map(|(_, release)| release);
        let earlier_is_withdrawn = earlier.is_some_and(|earlier| earlier.withdrawal.is_some());
        let earlier = earlier.map(|earlier| earlier.manifest.clone());
        let revision = earlier.as_ref().map_or(0, |manifest| manifest.revision).max(published) + 1;
        match (revision, &correction) {
            (1, Some(_)) => return Err(Error::Conflict(format!("{period} has not been published yet; leave out --correction"))),
            (_, Some(reason)) if reason.trim().is_empty() => {
                return Err(Error::Conflict("a correction needs a reason that people can read".into()));
            }
            _ => {}
        }
        if let Some(other) = known.values().find(|release| release.manifest.register.id != definitions.id) {
            return Err(Error::Conflict(format!(
                "{store} holds releases of the register '{}', these are of '{}'; use another folder",
                other.manifest.register.id, definitions.id
            )));
        }
        let manifest = Manifest {
            format: FORMAT,
            register: Register::from(definitions),
            period,
            reference_date: period.reference_date().to_string(),
            revision,
            correction,
            protection: Protection::Certified,
            threshold: 0,
            rule: None,
            audit: None,
            vintage: definitions.vintage.clone(),
            definitions: definitions.digest.clone(),
            tables: Vec::new(),
            links: definitions.links.abridged(),
            codelists: BTreeMap::new(),
            files: BTreeMap::new(),
            chain: None,
            previous: None,
        };
        Ok(Self {
            store,
            definitions,
            manifest,
            folder: format!("{period}/r{revision}"),
            earlier,
            earlier_is_withdrawn,
            key: None,
            hold,
            contents: Vec::new(),
            created: Vec::new(),
            complete: false,
        })
    }

    fn add(&mut self, path: &str, content: Bytes) {
        self.manifest.files.insert(path.to_owned(), FileDigest::of(&content));
        self.contents.push((path.to_owned(), content));
    }

    async fn write(&mut self, path: String, content: Bytes) -> Result<()> {
        let Self { store, folder, .. } = self;
        let whole = format!("{folder}/{path}");
        if self.hold.is_some() {
            return store.write(&whole, content).await;
        }
        match store.create(&whole, content).await? {
            Created::New => {
                self.created.push(path);
                Ok(())
            }
            Created::Same => Ok(()),
            Created::Other => Err(Error::Conflict(format!(
                "{store}/{whole} is there already with other content: somebody else is publishing {folder}, or was stopped while doing \
                 so; if nobody is, remove {store}/{folder}/ and try again"
            ))),
        }
    }

    /// Adds every table of the definitions, with the statuses that the audit let pass, and what it checked.
    pub fn fill(&mut self, counted: &[Counted<'_>], audited: &Audited) -> Result<()> {
        let tables = &self.definitions.tables;
        let same = counted.iter().map(|counted| &counted.table.id).eq(tables.iter().map(|table| &table.id));
        if !same || audited.statuses().len() != tables.len() {
            return Err(Error::Internal("other tables were audited than the definitions have".into()));
        }
        self.manifest.threshold = audited.rule().threshold;
        self.manifest.rule = Some(audited.rule().clone());
        self.document(AUDIT, audited.report())?;
        self.manifest.audit = self.manifest.files.get(AUDIT).map(|audit| audit.sha256.clone());
        for (counted, statuses) in counted.iter().zip(audited.statuses()) {
            let table = counted.table;
            let content = write_cells(table, &self.definitions.dimensions, counted.shape, counted.counts, statuses)?;
            let file = format!("cells/{}.parquet", table.id);
            self.add(&file, content);
            self.manifest.tables.push(ReleasedTable { table: table.clone(), cells: counted.shape.cells, file });
        }
        Ok(())
    }

    /// Has the release signed.
    pub fn sign_with(&mut self, key: &'a ReleaseKey) {
        self.key = Some(key);
    }

    /// Whether this corrects an earlier revision.
    pub fn is_correction(&self) -> bool {
        self.manifest.correction.is_some()
    }

    /// Digests of the files of cells.
    pub fn cells(&self) -> BTreeMap<String, FileDigest> {
        self.manifest.cells()
    }

    /// The revision that this becomes.
    pub fn revision(&self) -> u32 {
        self.manifest.revision
    }

    /// Adds a document such as `quality.json`.
    pub fn document(&mut self, name: &str, content: &impl Serialize) -> Result<()> {
        self.add(name, json(content)?);
        Ok(())
    }

    /// Adds the code lists, and refuses what need not or may not be published: only [`Draft::publish`] is left to do.
    pub fn complete(&mut self) -> Result<()> {
        if self.manifest.audit.is_none() {
            return Err(Error::Internal("nothing audited is to be published".into()));
        }
        for dimension in &self.definitions.dimensions {
            let used = self.manifest.tables.iter().any(|table| table.table.axes.iter().any(|axis| axis.dimension == dimension.id));
            if used {
                let file = format!("codelists/{}.json", dimension.id);
                self.add(&file, json(dimension)?);
                self.manifest.codelists.insert(dimension.id.clone(), file);
            }
        }
        if let Some(earlier) = &self.earlier {
            let (period, published) = (self.manifest.period, earlier.revision);
            let lists = |manifest: &Manifest| manifest.codelists.values().map(|file| manifest.files.get(file).cloned()).collect::<Vec<_>>();
            // What was withdrawn by mistake may be published again.
            let is_same = earlier.cells() == self.cells() && lists(earlier) == lists(&self.manifest);
            if is_same && !self.earlier_is_withdrawn {
                return Err(Error::Conflict(format!(
                    "{period} is published already as r{published}, with exactly these cells; there is nothing to publish"
                )));
            }
            if self.manifest.correction.is_none() {
                return Err(Error::Conflict(format!(
                    "{period} is published already as r{published}, with other cells; if this corrects it, say why with --correction"
                )));
            }
        }
        self.complete = true;
        Ok(())
    }

    /// Writes all files of a complete draft, and the manifest: from that moment the release exists. What fails midway leaves nothing behind
    /// but what others may be using.
    pub async fn publish(mut self) -> Result<Published> {
        if !self.complete {
            return Err(Error::Internal("an incomplete release is to be published".into()));
        }
        for (path, content) in std::mem::take(&mut self.contents) {
            if let Err(error) = self.write(path, content).await {
                // The first error is the one to tell.
                let _ = self.abandon().await;
                return Err(error);
            }
        }
        let text = match self.seal().await {
            Ok(text) => text,
            Err(error) => {
                let _ = self.abandon().await;
                return Err(error);
            }
        };
        let Manifest { period, revision, .. } = self.manifest;
        let digest = FileDigest::of(&text);
        let path = format!("{}/{MANIFEST}", self.folder);
        // Whoever finds there what he has to say has published it, even if an object store has lost its answer to that.
        if self.store.create(&path, text).await? == Created::Other {
            self.tidy().await?;
            return Err(Error::Conflict(format!("somebody else has just published {period} r{revision}; look at it before trying again")));
        }
        Ok(Published {
            period,
            revision,
            bytes: digest.bytes + self.manifest.files.values().map(|file| file.bytes).sum::<u64>(),
            digest: digest.sha256,
            cells: self.manifest.tables.iter().map(|table| table.cells).sum(),
            key: self.key.map(|key| key.public().id().to_owned()),
        })
    }

    /// Writes into the manifest what was published before it, and signs it: all but the manifest itself is then there.
    async fn seal(&mut self) -> Result<Bytes> {
        // Others may have published since this one was begun.
        let known = stored(self.store).await?;
        self.manifest.chain = Some(chain_of(&known, self.manifest.period, self.manifest.revision));
        let text = json(&self.manifest)?;
        if let Some(key) = self.key {
            let signature = Signature::of(Signed::Manifest, &self.folder, &text, key).text();
            self.write(MANIFEST_SIGNATURE.to_owned(), signature.into()).await?;
        } else if self.hold.is_some() {
            // What a publisher left that was stopped is no signature of this release.
            self.store.remove(&format!("{}/{MANIFEST_SIGNATURE}", self.folder)).await?;
        }
        Ok(text)
    }

    /// Removes what an unfinished release has written.
    async fn abandon(self) -> Result<()> {
        let path = format!("{}/{MANIFEST}", self.folder);
        if self.hold.is_none() {
            self.tidy().await
        } else if self.store.stat(&path).await?.is_none() {
            self.store.remove_folder(&self.folder).await
        } else {
            Ok(())
        }
    }

    /// Removes what this draft has added to a release that somebody else has published meanwhile.
    async fn tidy(&self) -> Result<()> {
        let Some(text) = self.store.read(&format!("{}/{MANIFEST}", self.folder)).await? else { return Ok(()) };
        let Ok(published) = serde_json::from_slice::<Manifest>(&text) else { return Ok(()) };
        for path in self.created.iter().filter(|path| !published.files.contains_key(*path)) {
            self.store.remove(&format!("{}/{path}", self.folder)).await?;
        }
        Ok(())
    }
}
