//! Reading what an attacker may read of releases: manifests, code lists and cells.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use bytes::Bytes;

use crate::{
    attack::{JointTable, Publication, PublishedTable},
    register::{Dimension, Links, Period, Shape, Status, Table, Unit, joint_tables},
    release::{Manifest, list, read_cells, read_whole},
    storage::Store,
};

/// A release and the SHA-256 of its manifest.
pub type Published = (Manifest, String);

/// The releases of a store by period, oldest revision first; never empty.
pub struct Known(BTreeMap<Period, Vec<Published>>);

impl Known {
    /// The revisions of a period, oldest first.
    pub fn revisions(&self, period: Period) -> &[Published] {
        self.0.get(&period).map_or(&[], Vec::as_slice)
    }
}

/// Revisions of a period that are attacked together.
pub struct PlannedGroup {
    /// The period.
    pub period: Period,
    /// Folder for the results, below that of all.
    pub folder: String,
    /// The revisions, oldest first.
    pub releases: Vec<Published>,
    /// What should be known of how they were chosen.
    pub notes: Vec<String>,
}

/// Finds the releases in a store; where there are none it says what was named instead, and what to name.
pub async fn known(store: &Store) -> Result<Known> {
    if let Some(folder) = store.local("") {
        if folder.is_file() {
            bail!("'{store}' is a file; name the folder that holds releases, such as warehouse/releases");
        }
        if !folder.exists() {
            bail!("there is no folder '{store}'; name the folder (or s3:// address) that holds releases, such as warehouse/releases");
        }
    }
    let mut by_period: BTreeMap<Period, Vec<Published>> = BTreeMap::new();
    for (manifest, digest) in list(store).await? {
        by_period.entry(manifest.period).or_default().push((manifest, digest));
    }
    if by_period.is_empty() {
        bail!("{}", nothing_in(store).await);
    }
    for releases in by_period.values_mut() {
        releases.sort_by_key(|(manifest, _)| manifest.revision);
    }
    Ok(Known(by_period))
}

async fn holds_releases(store: &Store) -> bool {
    list(store).await.is_ok_and(|releases| !releases.is_empty())
}

/// What is in a place that holds no release, and what to name instead.
async fn nothing_in(store: &Store) -> String {
    if holds_releases(&store.below("releases")).await {
        let shown = store.to_string();
        return format!("'{store}' holds no release itself, but the folder in it does: name '{}/releases'", shown.trim_end_matches('/'));
    }
    if let Some((above, period)) = around(store)
        && let Ok(other) = Store::open(&above)
        && holds_releases(&other).await
    {
        return format!("'{store}' is a folder of the single period {period}: name '{above}' and choose it with --period {period}");
    }
    if store.local("").and_then(|folder| fs::read_dir(folder).ok()).is_some_and(|mut entries| entries.next().is_none()) {
        return format!("'{store}' is empty; publish there with 'cacah release', or name the folder that holds releases");
    }
    format!("there is no release in '{store}'; name a folder or an s3:// address that holds releases, such as warehouse/releases")
}

/// The folder that a place lies in and the period that it is called by, if it is the folder of a period or of a revision in one.
fn around(store: &Store) -> Option<(String, Period)> {
    let shown = store.to_string();
    let named = PathBuf::from(shown.trim_end_matches('/'));
    let is_alone = named.parent().is_none_or(|above| above.as_os_str().is_empty());
    let place = match store.local("") {
        // '.' and the like have no name of their own, and a name alone does not say what it lies in.
        Some(whole) if is_alone || named.file_name() != whole.file_name() => whole,
        _ => named,
    };
    let period = |path: &Path| path.file_name()?.to_str()?.parse::<Period>().ok();
    let (folder, period) = place.ancestors().take(2).find_map(|path| Some((path, period(path)?)))?;
    let above = folder.parent().map(|above| above.display().to_string())?;
    Some((if above.is_empty() { ".".into() } else { above }, period))
}

/// Chooses what is attacked together: the revisions of each period, as far as they have the same code lists.
pub fn plan(store: &Store, known: &Known, periods: &[Period], revision: Option<u32>) -> Result<Vec<PlannedGroup>> {
    if let Some(unknown) = periods.iter().find(|period| known.revisions(**period).is_empty()) {
        let held: Vec<String> = known.0.keys().map(Period::to_string).collect();
        bail!("{store} holds no release of {unknown}; it has {}", held.join(", "));
    }
    let mut planned = Vec::new();
    for (&period, releases) in known.0.iter().filter(|(period, _)| periods.is_empty() || periods.contains(period)) {
        let is_wanted = |release: &&Published| revision.is_none_or(|revision| release.0.revision == revision);
        let mut groups: Vec<Vec<Published>> = Vec::new();
        for release in releases.iter().filter(is_wanted) {
            match groups.iter_mut().find(|group| group.iter().all(|other| have_same_dimensions(&other.0, &release.0))) {
                Some(group) => group.push(release.clone()),
                None => groups.push(vec![release.clone()]),
            }
        }
        if let (Some(revision), true) = (revision, groups.is_empty()) {
            bail!("{store} holds no r{revision} of {period}; it has {}", names(releases).join(", "));
        }
        let is_split = groups.len() > 1;
        for releases in groups {
            let names = names(&releases);
            let folder = if is_split { format!("{period}/{}", names.join("+")) } else { period.to_string() };
            let mut notes = Vec::new();
            if is_split {
                notes.push(format!("{} of {period} attacked apart: other revisions have other regions or categories", names.join(", ")));
            }
            planned.push(PlannedGroup { period, folder, releases, notes });
        }
    }
    Ok(planned)
}

fn names(releases: &[Published]) -> Vec<String> {
    releases.iter().map(|(manifest, _)| name(manifest.revision)).collect()
}

/// What a revision is called.
pub fn name(revision: u32) -> String {
    format!("r{revision}")
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
    /// SHA-256 of the manifest.
    pub digest: String,
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
    let PlannedGroup { period, releases, mut notes, .. } = planned;
    let mut dimensions: BTreeMap<String, Dimension> = BTreeMap::new();
    for (manifest, _) in &releases {
        for (id, file) in manifest.codelists.iter().filter(|(id, _)| !dimensions.contains_key(*id)).collect::<Vec<_>>() {
            let content = read(store, manifest, file).await?;
            let damaged = || format!("{store}/{period}/r{}/{file}: not a code list; restore the release from a copy", manifest.revision);
            let dimension: Dimension = serde_json::from_slice(&content).with_context(damaged)?;
            dimensions.insert(id.clone(), dimension);
        }
    }
    let dimensions: Vec<Dimension> = dimensions.into_values().collect();
    let published = releases.iter().rev().map(|(manifest, _)| &manifest.links).find(|links| !links.is_empty());
    let links = published.or(given).cloned().unwrap_or_default();
    let has = |unit: Unit| releases.iter().flat_map(|(manifest, _)| &manifest.tables).any(|released| released.table.unit == unit);
    if links.is_empty() && has(Unit::Person) && has(Unit::Household) {
        notes.push(
            "people and households are attacked apart: the releases do not say how they are linked; --definitions names a set that does"
                .into(),
        );
    } else if published.is_none() && given.is_some() {
        notes.push("the links between people and households come from the definitions that were named, not from the releases".into());
    }
    let mut revisions = Vec::new();
    for release in releases {
        revisions.push(load_revision(store, release, &dimensions).await?);
    }
    Ok(Group { period, revisions, dimensions, links, notes })
}

async fn load_revision(store: &Store, (manifest, digest): Published, dimensions: &[Dimension]) -> Result<Revision> {
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
    Ok(Revision { manifest, digest, shapes, statuses, counts, joint })
}

/// Reads a file of a release and compares it with its digest, which it must have.
async fn read(store: &Store, manifest: &Manifest, file: &str) -> Result<Bytes> {
    let folder = format!("{}/r{}", manifest.period, manifest.revision);
    let no_digest = || format!("{store}/{folder}/manifest.json has no digest of {file}; restore the release from a copy");
    let digest = manifest.files.get(file).with_context(no_digest)?;
    Ok(read_whole(store, &folder, file, Some(digest)).await?)
}
