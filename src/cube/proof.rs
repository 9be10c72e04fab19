//! Proofs of protection in the confidential store.
//!
//! ```text
//! <period>/proofs/r<revision>/proof.json      the build and rule that were proven, digests of the files; written last
//! <period>/proofs/r<revision>/<proof>/worlds.parquet, certificates.parquet, groups.parquet, unaware.parquet, withheld.parquet
//! ```
//!
//! What was proven once may have been published, whether its release is in the store at hand or not: it may have been withdrawn, or lie in
//! another one. So a proof is never replaced by another, and it says which cells are withheld, so that whatever is published later can be
//! judged beside it.
//!
//! A build that a proof refers to stays for as long as the proof does, so that a release can be audited again from
//! files alone. Files of different proofs lie in folders of their own: of several publishers of a revision each keeps a proof
//! before it publishes, and none may spoil another's.

use std::{collections::BTreeMap, sync::Arc};

use arrow::{
    array::{ArrayRef, AsArray, Int32Array, RecordBatch, UInt32Array},
    datatypes::{Int32Type, UInt32Type},
};
use bytes::Bytes;
use parquet::{
    arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder},
    basic::{Compression, ZstdLevel},
    file::properties::WriterProperties,
};
use serde::{Deserialize, Serialize};

use super::store::{BuildManifest, Confidential};
use crate::{
    error::{Error, Result},
    register::{Period, Status},
    storage::{Created, FileDigest},
    worlds::{Certificate, Change, GroupCertificate, Proof, Rule, UnawareCertificate, Worlds},
};

/// Folder of a period's proofs, beside its builds.
pub(super) const PROOFS: &str = "proofs";
const WORLDS: &str = "worlds.parquet";
const CERTIFICATES: &str = "certificates.parquet";
const GROUPS: &str = "groups.parquet";
const UNAWARE: &str = "unaware.parquet";
const WITHHELD: &str = "withheld.parquet";
/// Rows written at a time.
const ROWS: usize = 1 << 20;

/// What was proven, and with what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofManifest {
    /// The build whose counts were protected.
    pub build: BuildManifest,
    /// The rule that was kept.
    pub rule: Rule,
    /// Number of alternative worlds, the true one included.
    pub worlds: u32,
    /// Folder of the files, below the revision's.
    pub proof: String,
    /// Files of the proof.
    pub files: BTreeMap<String, FileDigest>,
    /// Files of the cells that were proven, as they were to be published.
    pub cells: BTreeMap<String, FileDigest>,
}

impl ProofManifest {
    /// Whether this proves a build by a rule.
    pub fn is_of(&self, build: &BuildManifest, rule: &Rule) -> bool {
        self.build.build == build.build && self.rule == *rule
    }
}

/// What is about to be published of a build, and what proves that it may be.
#[derive(Debug, Clone, Copy)]
pub struct Proven<'p> {
    /// The build.
    pub build: &'p BuildManifest,
    /// The rule that was kept.
    pub rule: &'p Rule,
    /// Worlds and certificates.
    pub proof: &'p Proof,
    /// Statuses of the cells of each table.
    pub statuses: &'p [Vec<Status>],
    /// Digests of the files of cells.
    pub cells: &'p BTreeMap<String, FileDigest>,
}

impl Confidential {
    fn proof_folder(period: Period, revision: u32) -> String {
        format!("{period}/{PROOFS}/r{revision}")
    }

    /// Keeps the proof of a revision that is about to be published.
    ///
    /// # Errors
    /// That revision of other cells is proven already.
    pub async fn save_proof(&self, revision: u32, proven: &Proven<'_>) -> Result<()> {
        let Proven { build, rule, proof, statuses, cells } = *proven;
        let folder = Self::proof_folder(build.period, revision);
        let contents = [
            (WORLDS, write_worlds(&proof.worlds)?),
            (CERTIFICATES, write_certificates(proof)?),
            (GROUPS, write_groups(proof)?),
            (UNAWARE, write_unaware(proof)?),
            (WITHHELD, write_withheld(statuses)?),
        ];
        let internal = |error: serde_json::Error| Error::Internal(error.to_string());
        let files: BTreeMap<String, FileDigest> =
            contents.iter().map(|(name, content)| ((*name).to_owned(), FileDigest::of(content))).collect();
        let digest = FileDigest::of(&serde_json::to_vec(&files).map_err(internal)?).sha256;
        let own = digest[..16].to_owned();
        for (name, content) in contents {
            self.store().write(&format!("{folder}/{own}/{name}"), content).await?;
        }
        let worlds = proof.worlds.len() as u32;
        let manifest = ProofManifest { build: build.clone(), rule: rule.clone(), worlds, proof: own, files, cells: cells.clone() };
        let text = serde_json::to_vec_pretty(&manifest).map_err(internal)?;
        if self.store().create(&format!("{folder}/proof.json"), text).await? != Created::Other {
            return Ok(());
        }
        // Another run that publishes the same cells may have found other worlds for them, if it was another version of this program.
        match self.proof_manifest(build.period, revision).await? {
            Some(kept) if kept.is_of(build, rule) && kept.cells == *cells => Ok(()),
            _ => Err(Error::Conflict(format!(
                "r{revision} of {} is proven already with other cells, by other weights perhaps; what differs must be published as a \
                 correction (or, if nobody outside has ever seen those cells, remove {}/{folder} and try again)",
                build.period,
                self.store()
            ))),
        }
    }

    /// All proofs of a period, by revision.
    pub async fn proofs(&self, period: Period) -> Result<BTreeMap<u32, ProofManifest>> {
        let mut proofs = BTreeMap::new();
        for folder in self.store().folders(&format!("{period}/{PROOFS}")).await? {
            let Some(revision) = folder.strip_prefix('r').and_then(|number| number.parse().ok()) else { continue };
            if let Some(manifest) = self.proof_manifest(period, revision).await? {
                proofs.insert(revision, manifest);
            }
        }
        Ok(proofs)
    }

    /// What the proof of a revision refers to; `None` if there is no proof.
    pub async fn proof_manifest(&self, period: Period, revision: u32) -> Result<Option<ProofManifest>> {
        let path = format!("{}/proof.json", Self::proof_folder(period, revision));
        let Some(text) = self.store().read(&path).await? else { return Ok(None) };
        serde_json::from_slice(&text).map(Some).map_err(|error| Error::Input(format!("{}/{path}: damaged ({error})", self.store())))
    }

    /// Reads a proof, checked against its digests.
    pub async fn proof(&self, period: Period, revision: u32, manifest: &ProofManifest) -> Result<Proof> {
        let folder = format!("{}/{}", Self::proof_folder(period, revision), manifest.proof);
        let worlds = self.proof_file(&folder, WORLDS, manifest).await?;
        let certificates = self.proof_file(&folder, CERTIFICATES, manifest).await?;
        let groups = self.proof_file(&folder, GROUPS, manifest).await?;
        let unaware = self.proof_file(&folder, UNAWARE, manifest).await?;
        let damaged = |error: Error| Error::Input(format!("{}/{folder}: {error}", self.store()));
        let mut proof = Proof { worlds: read_worlds(&worlds, manifest.worlds).map_err(damaged)?, ..Proof::default() };
        read(&certificates, 4, |row| {
            proof.certificates.push(Certificate { table: small(row[0])?, cell: row[1], low: row[2], high: row[3] });
            Ok(())
        })
        .map_err(damaged)?;
        read(&groups, 4, |row| {
            proof.groups.push(GroupCertificate { table: small(row[0])?, cell: row[1], axis: small(row[2])?, world: row[3] });
            Ok(())
        })
        .map_err(damaged)?;
        read(&unaware, 3, |row| {
            proof.unaware.push(UnawareCertificate { table: small(row[0])?, cell: row[1], world: row[2] });
            Ok(())
        })
        .map_err(damaged)?;
        Ok(proof)
    }

    /// The withheld cells of a revision, by table and ascending.
    pub async fn withheld(&self, period: Period, revision: u32, manifest: &ProofManifest) -> Result<Vec<(u16, u32)>> {
        let folder = format!("{}/{}", Self::proof_folder(period, revision), manifest.proof);
        let content = self.proof_file(&folder, WITHHELD, manifest).await?;
        let mut withheld = Vec::new();
        read(&content, 2, |row| {
            withheld.push((small(row[0])?, row[1]));
            Ok(())
        })
        .map_err(|error| Error::Input(format!("{}/{folder}: {error}", self.store())))?;
        Ok(withheld)
    }

    async fn proof_file(&self, folder: &str, name: &str, manifest: &ProofManifest) -> Result<Bytes> {
        let path = format!("{folder}/{name}");
        let content = self.store().read(&path).await?.ok_or_else(|| Error::Input(format!("{}/{path}: missing", self.store())))?;
        if manifest.files.get(name) != Some(&FileDigest::of(&content)) {
            return Err(Error::Input(format!("{}/{path}: not what was proven", self.store())));
        }
        Ok(content)
    }
}

fn small(number: u32) -> Result<u16> {
    u16::try_from(number).map_err(|_| Error::Input(format!("{number} is no position of a table or axis")))
}

/// Writes rows of numbers as columns of these names.
fn write<const COLUMNS: usize>(names: [&str; COLUMNS], mut rows: impl Iterator<Item = [u32; COLUMNS]>) -> Result<Bytes> {
    let batch = |rows: &[[u32; COLUMNS]]| {
        let columns = names.iter().enumerate().map(|(at, name)| {
            let column: ArrayRef = match *name {
                "delta" => Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row[at].cast_signed()))),
                _ => Arc::new(UInt32Array::from_iter_values(rows.iter().map(|row| row[at]))),
            };
            (*name, column, false)
        });
        RecordBatch::try_from_iter_with_nullable(columns)
    };
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?)).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch(&[])?.schema(), Some(properties))?;
    loop {
        let some: Vec<[u32; COLUMNS]> = rows.by_ref().take(ROWS).collect();
        if some.is_empty() {
            return Ok(writer.into_inner()?.into());
        }
        writer.write(&batch(&some)?)?;
    }
}

fn write_worlds(worlds: &Worlds) -> Result<Bytes> {
    let row = |world: u32, change: Change| [world, u32::from(change.table), change.cell, change.delta.cast_unsigned()];
    let rows = (0..worlds.len() as u32).flat_map(|world| worlds.world(world).map(move |change| row(world, change)));
    write(["world", "table", "cell", "delta"], rows)
}

fn write_certificates(proof: &Proof) -> Result<Bytes> {
    let row = |certificate: &Certificate| [u32::from(certificate.table), certificate.cell, certificate.low, certificate.high];
    write(["table", "cell", "low", "high"], proof.certificates.iter().map(row))
}

fn write_groups(proof: &Proof) -> Result<Bytes> {
    let row = |group: &GroupCertificate| [u32::from(group.table), group.cell, u32::from(group.axis), group.world];
    write(["table", "cell", "axis", "world"], proof.groups.iter().map(row))
}

fn write_unaware(proof: &Proof) -> Result<Bytes> {
    let row = |own: &UnawareCertificate| [u32::from(own.table), own.cell, own.world];
    write(["table", "cell", "world"], proof.unaware.iter().map(row))
}

fn write_withheld(statuses: &[Vec<Status>]) -> Result<Bytes> {
    let cells =
        (0u32..).zip(statuses).flat_map(|(table, statuses)| (0u32..).zip(statuses).map(move |(cell, status)| (table, cell, status)));
    write(["table", "cell"], cells.filter(|(.., status)| **status == Status::Suppressed).map(|(table, cell, _)| [table, cell]))
}

/// Reads columns of numbers row by row; signed ones come as they lie in memory.
fn read(content: &Bytes, columns: usize, mut visit: impl FnMut(&[u32]) -> Result<()>) -> Result<()> {
    for batch in ParquetRecordBatchReaderBuilder::try_new(content.clone())?.with_batch_size(ROWS).build()? {
        let batch = batch?;
        let column = |array: &ArrayRef| match (array.as_primitive_opt::<UInt32Type>(), array.as_primitive_opt::<Int32Type>()) {
            (Some(numbers), _) => Some(numbers.values().to_vec()),
            (_, Some(numbers)) => Some(numbers.values().iter().map(|number| number.cast_unsigned()).collect()),
            _ => None,
        };
        let found: Option<Vec<Vec<u32>>> = batch.columns().iter().map(column).collect();
        let Some(found) = found.filter(|found| found.len() == columns) else {
            return Err(Error::Input("other columns than a proof has".into()));
        };
        let mut row = vec![0; columns];
        for at in 0..batch.num_rows() {
            row.iter_mut().zip(&found).for_each(|(number, column)| *number = column[at]);
            visit(&row)?;
        }
    }
    Ok(())
}

fn read_worlds(content: &Bytes, count: u32) -> Result<Worlds> {
    let mut worlds = Worlds::default();
    let mut changes: Vec<Change> = Vec::new();
    // World 0, the true one, is there from the start and changes nothing.
    let mut current = 0;
    let mut close = |changes: &mut Vec<Change>, from: u32, to: u32| {
        if from > 0 {
            worlds.push(changes.drain(..));
        }
        for _ in from + 1..to {
            worlds.push(std::iter::empty());
        }
    };
    read(content, 4, |row| {
        if row[0] != current {
            if row[0] < current || row[0] >= count {
                return Err(Error::Input("worlds out of order".into()));
            }
            close(&mut changes, current, row[0]);
            current = row[0];
        }
        changes.push(Change { table: small(row[1])?, cell: row[2], delta: row[3].cast_signed() });
        Ok(())
    })?;
    close(&mut changes, current, count);
    Ok(worlds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worlds_come_back_as_they_were() {
        let mut worlds = Worlds::default();
        let change = |cell, delta| Change { table: 3, cell, delta };
        worlds.push([change(7, -2), change(9, 2)].into_iter());
        worlds.push(std::iter::empty());
        worlds.push([change(1, 1)].into_iter());
        worlds.push(std::iter::empty());
        for worlds in [Worlds::default(), worlds] {
            let content = write_worlds(&worlds).unwrap();
            assert_eq!(read_worlds(&content, worlds.len() as u32).unwrap(), worlds);
        }
    }
}
