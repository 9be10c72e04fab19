//! What an attack took for granted, as a file: whoever checks its proofs takes the same for granted.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result, anyhow, bail};
use serde::{Deserialize, Serialize};

use super::{
    load::{self, Group},
    names::Names,
};
use crate::{
    attack::{Facts, Findings, Outside, RowKind, RowName, Unchanged},
    cli::OutsideArg,
    register::{Dimension, Period, Role},
};

/// Name of the file.
pub const FILE: &str = "assumptions.json";

/// The content of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assumptions {
    /// The period.
    pub period: String,
    /// The revisions, oldest first.
    pub revisions: Vec<u32>,
    /// SHA-256 of the manifest of each revision that was attacked, such as `r1`; absent in results of early versions of this program.
    #[serde(default)]
    pub manifests: BTreeMap<String, String>,
    /// Whether people live in no counted household: `none` or `unknown`.
    outside: String,
    /// Rows that do not hold though they follow from the links.
    contradicted: Vec<NamedRow>,
    /// Regions in which nothing is taken to differ between two revisions.
    unchanged: Vec<NamedRegions>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NamedRow {
    kind: String,
    revision: u32,
    table: String,
    row: u32,
    by: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NamedRegions {
    revisions: [u32; 2],
    /// Codes of regions; the only region there is, where there are none, has no code.
    regions: Vec<String>,
}

fn regions(dimensions: &[Dimension]) -> Option<&Dimension> {
    dimensions.iter().find(|dimension| dimension.role == Role::Geo)
}

impl Assumptions {
    /// What was taken for granted by an attack.
    pub fn new(
        group: &Group,
        facts: &Facts<'_>,
        findings: &Findings<'_>,
        names: &Names<'_>,
        outside: OutsideArg,
        unchanged: &Unchanged,
    ) -> Self {
        let regions = regions(facts.dimensions);
        let code = |region: u32| regions.map_or(String::new(), |regions| regions.nodes[region as usize].code.clone());
        let row = |row: RowName| NamedRow {
            kind: row.kind.id().into(),
            revision: names.revision(row.cell),
            table: names.table(row.cell).into(),
            row: row.cell.cell,
            by: names.by(row).into(),
        };
        let of_pair = |(first, second, unchanged): (u16, u16, Vec<u32>)| NamedRegions {
            revisions: [names.number(first), names.number(second)],
            regions: unchanged.into_iter().map(code).collect(),
        };
        Self {
            period: group.period.to_string(),
            revisions: group.revisions.iter().map(|revision| revision.manifest.revision).collect(),
            manifests: group.revisions.iter().map(|revision| (load::name(revision.manifest.revision), revision.digest.clone())).collect(),
            outside: if outside == OutsideArg::None { "none" } else { "unknown" }.into(),
            contradicted: findings.contradicted().map(row).collect(),
            unchanged: unchanged.regions().map(of_pair).collect(),
        }
    }

    /// Writes the file into a folder.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(FILE);
        fs::write(&path, serde_json::to_vec_pretty(self)?).with_context(|| format!("writing {}", path.display()))
    }

    /// Reads the file from a folder.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let text = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        let read: Self = serde_json::from_slice(&text).with_context(|| format!("{}: not what an attack wrote", path.display()))?;
        if !["none", "unknown"].contains(&read.outside.as_str()) {
            bail!("{}: expected 'none' or 'unknown' for 'outside', not '{}'", path.display(), read.outside);
        }
        Ok(read)
    }

    /// The period.
    pub fn period(&self) -> Result<Period> {
        self.period.parse().map_err(|error| anyhow!("{FILE}: {error}"))
    }

    /// What is assumed of people outside of households.
    pub fn outside(&self) -> Outside<'static> {
        if self.outside == "none" { Outside::Nobody } else { Outside::Unknown }
    }

    /// Rows that do not hold.
    pub fn given_up(&self, names: &Names<'_>) -> Result<Vec<RowName>> {
        let row = |row: &NamedRow| {
            let kind = RowKind::ALL.into_iter().find(|kind| kind.id() == row.kind)?;
            names.row(kind, names.cell(row.revision, &row.table, row.row)?, &row.by)
        };
        let found =
            self.contradicted.iter().map(|named| row(named).with_context(|| format!("{FILE} names a row that is not there: {named:?}")));
        found.collect()
    }

    /// Regions in which two revisions have the same counts, all by their positions.
    pub fn unchanged(&self, group: &Group) -> Result<Vec<(u16, u16, Vec<u32>)>> {
        let positions = regions(&group.dimensions).map(Dimension::positions).unwrap_or_default();
        let revision = |number: u32| {
            let found = self.revisions.iter().position(|known| *known == number);
            found.map(|at| at as u16).with_context(|| format!("{FILE} compares r{number}, which it does not have"))
        };
        let of_pair = |pair: &NamedRegions| {
            let position = |code: &String| {
                let found = if positions.is_empty() { Some(0) } else { positions.get(code.as_str()).copied() };
                found.with_context(|| format!("{FILE}: there is no region '{code}'"))
            };
            let regions = pair.regions.iter().map(position).collect::<Result<Vec<u32>>>()?;
            Ok((revision(pair.revisions[0])?, revision(pair.revisions[1])?, regions))
        };
        self.unchanged.iter().map(of_pair).collect()
    }
}
