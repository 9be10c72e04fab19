//! Reading what an attacker may read of releases: manifests, code lists and cells.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use bytes::Bytes;

use crate::{
    attack::{JointTable, Publication, PublishedTable},
    register::{Dimension, Links, Period, Shape, Status, Table, Unit, joint_tables},
    release::{Manifest, list, read_cells, read_whole},
    storage::Store,
};

/// Revisions of a period that are attacked together.
pub struct PlannedGroup {
    /// The period.
    pub period: Period,
    /// Folder for the results, below that of all.
    pub folder: String,
    /// The revisions, oldest first.
    pub manifests: Vec<Manifest>,
    /// What should be known of how they were chosen.
    pub notes: Vec<String>,
}

/// Chooses what is attacked together: the revisions of each period, as far as they have the same code lists.
pub async fn plan(store: &Store, periods: &[Period], revision: Option<u32>) -> Result<Vec<PlannedGroup>> {
    let mut by_period: BTreeMap<Period, Vec<Manifest>> = BTreeMap::new();
    for (manifest, _) in list(store).await? {
        by_period.entry(manifest.period).or_default().push(manifest);
    }
    if by_period.is_empty() {
        bail!("there is no release in '{store}'; name a folder or an s3:// address that holds releases");
    }
    if let Some(unknown) = periods.iter().find(|period| !by_period.contains_key(period)) {
        let known: Vec<String> = by_period.keys().map(Period::to_string).collect();
        bail!("{store} holds no release of {unknown}; it has {}", known.join(", "));
    }
    let mut planned = Vec::new();
    for (period, mut manifests) in by_period.into_iter().filter(|(period, _)| periods.is_empty() || periods.contains(period)) {
        if let Some(revision) = revision {
            let known: Vec<String> = manifests.iter().map(|manifest| format!("r{}", manifest.revision)).collect();
            manifests.retain(|manifest| manifest.revision == revision);
            if manifests.is_empty() {
                bail!("{store} holds no r{revision} of {period}; it has {}", known.join(", "));
            }
        }
        manifests.sort_by_key(|manifest| manifest.revision);
        let mut groups: Vec<Vec<Manifest>> = Vec::new();
        for manifest in manifests {
            match groups.iter_mut().find(|group| group.iter().all(|other| have_same_dimensions(other, &manifest))) {
                Some(group) => group.push(manifest),
                None => groups.push(vec![manifest]),
            }
        }
        let is_split = groups.len() > 1;
        for manifests in groups {
            let names = names(&manifests);
            let folder = if is_split { format!("{period}/{}", names.join("+")) } else { period.to_string() };
            let mut notes = Vec::new();
            if is_split {
                notes.push(format!("{} of {period} attacked apart: other revisions have other regions or categories", names.join(", ")));
            }
            planned.push(PlannedGroup { period, folder, manifests, notes });
        }
    }
    Ok(planned)
}

/// What revisions are called.
pub fn names(manifests: &[Manifest]) -> Vec<String> {
    manifests.iter().map(|manifest| format!("r{}", manifest.revision)).collect()
}

fn have_same_dimensions(a: &Manifest, b: &Manifest) -> bool {
    let digest = |manifest: &Manifest, file: &String| manifest.files.get(file).cloned();
    a.codelists.iter().all(|(dimension, file)| b.codelists.get(dimension).is_none_or(|other| digest(a, file) == digest(b, other)))
}

/// Revisions with their cells.
pub struct Group {
    /// The period.
    pub period: Period,
    /// The revisions, oldest first.
    pub revisions: Vec<Revision>,
    /// The dimensions of all their tables.
    pub dimensions: Vec<Dimension>,
    /// What people and households tell of each other.
    pub links: Links,
    /// What should be known of how they were read.
    pub notes: Vec<String>,
}

/// A revision with its cells.
pub struct Revision {
    /// Its manifest.
    pub manifest: Manifest,
    shapes: Vec<Shape>,
    statuses: Vec<Vec<Status>>,
    counts: Vec<Vec<u32>>,
    joint: Vec<(Table, Shape)>,
}

impl Revision {
    /// What it publishes.
    pub fn publication(&self) -> Publication<'_> {
        let cells = self.shapes.iter().zip(&self.statuses).zip(&self.counts);
        let shown = self.manifest.tables.iter().zip(cells);
        Publication {
            tables: shown
                .map(|(released, ((shape, statuses), counts))| PublishedTable { table: &released.table, shape, statuses, counts })
                .collect(),
            joint: self.joint.iter().map(|(table, shape)| JointTable { table, shape, zeros: None }).collect(),
        }
    }
}

/// Reads the cells of revisions. `given` are links to be taken where the manifests have none.
pub async fn load(store: &Store, planned: PlannedGroup, given: Option<&Links>) -> Result<Group> {
    let PlannedGroup { period, manifests, mut notes, .. } = planned;
    let mut dimensions: BTreeMap<String, Dimension> = BTreeMap::new();
    for manifest in &manifests {
        for (id, file) in manifest.codelists.iter().filter(|(id, _)| !dimensions.contains_key(*id)).collect::<Vec<_>>() {
            let content = read(store, manifest, file).await?;
            let damaged = || format!("{store}/{period}/r{}/{file}: not a code list; restore the release from a copy", manifest.revision);
            let dimension: Dimension = serde_json::from_slice(&content).with_context(damaged)?;
            dimensions.insert(id.clone(), dimension);
        }
    }
    let dimensions: Vec<Dimension> = dimensions.into_values().collect();
    let published = manifests.iter().rev().map(|manifest| &manifest.links).find(|links| !links.is_empty());
    let links = published.or(given).cloned().unwrap_or_default();
    let has = |unit: Unit| manifests.iter().flat_map(|manifest| &manifest.tables).any(|released| released.table.unit == unit);
    if links.is_empty() && has(Unit::Person) && has(Unit::Household) {
        notes.push(
            "people and households are attacked apart: the releases do not say how they are linked; --definitions names a set that does"
                .into(),
        );
    } else if published.is_none() && given.is_some() {
        notes.push("the links between people and households come from the definitions that were named, not from the releases".into());
    }
    let mut revisions = Vec::new();
    for manifest in manifests {
        revisions.push(load_revision(store, manifest, &dimensions).await?);
    }
    Ok(Group { period, revisions, dimensions, links, notes })
}

async fn load_revision(store: &Store, manifest: Manifest, dimensions: &[Dimension]) -> Result<Revision> {
    let name = format!("{store}/{}/r{}", manifest.period, manifest.revision);
    let numbered = |table: &Table| Shape::new(table, dimensions).with_context(|| format!("{name}/manifest.json: table {}", table.id));
    let (mut shapes, mut statuses, mut counts) = (Vec::new(), Vec::new(), Vec::new());
    for released in &manifest.tables {
        let (table, file) = (&released.table, &released.file);
        let shape = numbered(table)?;
        if shape.cells != released.cells {
            bail!(
                "{name}/manifest.json: table {} has {} cells, its code lists make {}; restore the release from a copy",
                table.id,
                released.cells,
                shape.cells
            );
        }
        let content = read(store, &manifest, file).await?;
        let (values, of_cells) =
            tokio::task::block_in_place(|| read_cells(content, shape.cells)).with_context(|| format!("{name}/{file}"))?;
        counts.push(values.into_iter().map(Option::unwrap_or_default).collect());
        statuses.push(of_cells);
        shapes.push(shape);
    }
    let tables: Vec<Table> = manifest.tables.iter().map(|released| released.table.clone()).collect();
    let joint = joint_tables(&tables, &manifest.links, dimensions).into_iter().map(|table| numbered(&table).map(|shape| (table, shape)));
    let joint = joint.collect::<Result<_>>()?;
    Ok(Revision { manifest, shapes, statuses, counts, joint })
}

/// Reads a file of a release and compares it with its digest, which it must have.
async fn read(store: &Store, manifest: &Manifest, file: &str) -> Result<Bytes> {
    let folder = format!("{}/r{}", manifest.period, manifest.revision);
    let no_digest = || format!("{store}/{folder}/manifest.json has no digest of {file}; restore the release from a copy");
    let digest = manifest.files.get(file).with_context(no_digest)?;
    Ok(read_whole(store, &folder, file, Some(digest)).await?)
}
