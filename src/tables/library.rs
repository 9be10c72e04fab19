//! The library: every table over all periods, ready to answer.
//!
//! It is made once from a [`Catalogue`] and never changes; a request is answered from it and from the cell files it holds open.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Days, NaiveTime, Utc};
use sha2::{Digest, Sha256};

use super::{
    codelists::{self, CodeList, CodeListKind, Cover},
    derive,
    narrow::NodeRuns,
    scope::{Scope, Whole},
    search::Index,
    vintages::{ABSENT, UnionDimension},
};
use crate::{
    engine::{CellFile, ServingEngine},
    error::{Error, Result},
    register::{Dimension, Language, Measure, MeasureKind, Period, Role, Shape, Table},
    release::{Catalogue, Edition, Register, Release, ReleasedTable, Withdrawn},
    words::{self, Message, Part as Spoken, Tongue},
};

/// Stands for "the node exists in that period, but the table did not show it".
pub(super) const BEYOND: u32 = u32::MAX - 1;

/// Every table over all periods.
#[derive(Debug)]
pub struct Library {
    /// The register, as its newest release describes it.
    pub register: Register,
    /// The releases in force, oldest period first.
    pub releases: Vec<Edition>,
    /// The periods that are not in force because their last revision was withdrawn, oldest first.
    pub withdrawn: Arc<[Withdrawn]>,
    /// Every dimension; parts that hold every region share them.
    pub dimensions: Arc<Vec<UnionDimension>>,
    /// Every code list; behind them those of tables of which not every region may be seen, under the same names.
    pub codelists: Vec<CodeList>,
    /// Every table, in the order of the newest release, then those that it no longer has.
    pub tables: Vec<TableEntry>,
    /// Digest of the manifests of all releases and of the program's version: whatever is made from the library changes with it.
    pub fingerprint: String,
    /// Names of nodes by their words.
    pub(super) index: Arc<Index>,
    /// What it is a part of, if it is not the whole.
    pub(super) whole: Option<Whole>,
    /// Period of each release, written out.
    pub(super) periods: Vec<String>,
    /// For each language the name of each release's period.
    pub(super) period_labels: Vec<Vec<String>>,
}

/// A table over all periods.
#[derive(Debug)]
pub struct TableEntry {
    /// The definition in the newest release that has the table.
    pub table: Table,
    /// Its axes, in order.
    pub axes: Vec<AxisEntry>,
    /// The releases that the table spans: from the first to the last that has it.
    pub span: Vec<usize>,
    /// When the newest of its cells were published.
    pub updated: DateTime<Utc>,
    /// Whether the newest release no longer has it.
    pub discontinued: bool,
    /// Positions, among the register's measures, of those that the table has.
    pub measures: Vec<usize>,
    /// For each release its part, if it has one.
    pub(super) parts: Vec<Option<Part>>,
}

/// One axis of a table.
#[derive(Debug)]
pub struct AxisEntry {
    /// Position of the dimension in [`Library::dimensions`].
    pub dimension: usize,
    /// The finest level that the table shows.
    pub level: u8,
    /// The nodes on the axis, in order.
    pub nodes: Arc<Vec<u32>>,
    /// Positions in [`Library::codelists`] of the code lists that fit the axis.
    pub codelists: Vec<usize>,
    /// The nodes of the dimension of which the table may be seen, on the axis or not; `None`: every node.
    pub seen: Option<Arc<NodeRuns>>,
}

/// One table in one release.
#[derive(Debug)]
pub(super) struct Part {
    pub file: Arc<CellFile>,
    /// For each axis of the entry.
    pub axes: Vec<PartAxis>,
}

/// One axis of one table in one release.
#[derive(Debug)]
pub(super) struct PartAxis {
    /// Distance between neighbours in the numbering of cells.
    pub stride: u64,
    /// For each node of the union dimension its place on the axis, [`ABSENT`] or [`BEYOND`].
    pub places: Arc<Vec<u32>>,
    /// For each aggregation that fits, the places that make up each group.
    pub covers: Arc<Covers>,
    /// The nodes that may be seen; `None`: every node.
    pub seen: Option<Arc<NodeRuns>>,
}

/// For the values of a code list that are sums: the nodes that cover each.
pub type Covers = HashMap<usize, Vec<Cover>>;
/// One axis of one release: release, dimension, level.
type AxisKey = (usize, usize, u8);

/// Collects what tables and releases share while a library is made.
struct Binder<'a> {
    catalogue: &'a Catalogue,
    dimensions: &'a [UnionDimension],
    codelists: &'a [CodeList],
    measures: &'a [Measure],
    places: HashMap<AxisKey, Arc<Vec<u32>>>,
    covers: HashMap<AxisKey, Arc<Covers>>,
}

impl Library {
    /// Makes the library: joins the vintages of each dimension and opens every cell file.
    ///
    /// # Errors
    /// Where a file of a release is missing or damaged.
    pub async fn open(catalogue: &Catalogue, engine: &ServingEngine) -> Result<Self> {
        let releases = catalogue.releases();
        let Some(newest) = releases.last() else { return Self::of_nothing(catalogue) };
        let mut dimensions: Vec<UnionDimension> = Vec::new();
        let mut codelists = Vec::new();
        for id in releases.iter().rev().flat_map(|release| &release.dimensions).map(|dimension| &dimension.id) {
            if dimensions.iter().any(|known| known.id == *id) {
                continue;
            }
            let vintages: Vec<Option<&Dimension>> =
                releases.iter().map(|release| release.dimensions.iter().map(AsRef::as_ref).find(|dimension| dimension.id == *id)).collect();
            let (Some(union), Some(latest)) = (UnionDimension::new(&vintages), vintages.iter().rev().find_map(|vintage| *vintage)) else {
                continue;
            };
            codelists.extend(CodeList::all(dimensions.len(), &union, latest));
            dimensions.push(union);
        }
        let measures = &newest.edition.manifest.register.measures;
        let mut binder =
            Binder { catalogue, dimensions: &dimensions, codelists: &codelists, measures, places: HashMap::new(), covers: HashMap::new() };
        let mut tables: Vec<TableEntry> = Vec::new();
        for (at, release) in releases.iter().enumerate().rev() {
            for table in &release.edition.manifest.tables {
                if !tables.iter().any(|known| known.table.id == table.table.id) {
                    tables.push(binder.entry(at, &table.table, engine).await?);
                }
            }
        }
        let period = |release: &Release| release.edition.manifest.period;
        let register = &newest.edition.manifest.register;
        let labels =
            |language: &Language| releases.iter().map(|release| words::period(period(release), Tongue::of(&language.id))).collect();
        Ok(Self {
            period_labels: register.languages.iter().map(labels).collect(),
            register: newest.edition.manifest.register.clone(),
            fingerprint: state(catalogue),
            withdrawn: catalogue.withdrawn().into(),
            periods: releases.iter().map(|release| period(release).to_string()).collect(),
            releases: releases.iter().map(|release| release.edition.clone()).collect(),
            index: Arc::new(Index::new(&dimensions)),
            whole: None,
            dimensions: Arc::new(dimensions),
            codelists,
            tables,
        })
    }

    /// The library of releases that were all withdrawn: it has no table, and tells why.
    fn of_nothing(catalogue: &Catalogue) -> Result<Self> {
        if catalogue.withdrawn().is_empty() {
            return Err(Error::NotFound("there is no release".into()));
        }
        let register = catalogue.register();
        Ok(Self {
            register: register.clone(),
            releases: Vec::new(),
            withdrawn: catalogue.withdrawn().into(),
            dimensions: Arc::default(),
            codelists: Vec::new(),
            tables: Vec::new(),
            fingerprint: state(catalogue),
            index: Arc::new(Index::new(&[])),
            whole: None,
            periods: Vec::new(),
            period_labels: vec![Vec::new(); register.languages.len()],
        })
    }

    /// The cell files of the releases with these positions.
    pub fn cell_files(&self, is_wanted: impl Fn(usize) -> bool) -> Vec<Arc<CellFile>> {
        let parts = self.tables.iter().flat_map(|entry| entry.parts.iter().enumerate());
        let files = parts.filter(|(release, _)| is_wanted(*release)).filter_map(|(_, part)| part.as_ref());
        files.map(|part| Arc::clone(&part.file)).collect()
    }

    /// Why there are no numbers of a period that is asked for by its code, if they were withdrawn.
    pub fn withdrawn_period(&self, code: &str) -> Option<Message> {
        let found = self.withdrawn.iter().find(|withdrawn| withdrawn.withdrawal.period.to_string().eq_ignore_ascii_case(code))?;
        Some(words::WITHDRAWN_MEANS.with(withdrawal(found)))
    }

    /// Why there is no table that is asked for, if all releases that had it were withdrawn.
    pub fn withdrawn_table(&self, id: &str) -> Option<Message> {
        let had = |withdrawn: &&Withdrawn| withdrawn.tables.iter().any(|table| table.eq_ignore_ascii_case(id));
        let found = self.withdrawn.iter().rev().find(had)?;
        Some(words::WITHDRAWN_MEANS.with(withdrawal(found)))
    }

    /// Why there is nothing at all, if every release was withdrawn.
    pub fn withdrawn_wholly(&self) -> Option<Message> {
        let newest = self.withdrawn.last().filter(|_| self.releases.is_empty())?;
        Some(words::WITHDRAWN_MEANS.with(withdrawal(newest)))
    }

    /// The same library with more that was withdrawn: whatever is made from it changes. For the releases themselves to be gone it has to be opened
    /// anew.
    #[must_use]
    pub fn with_withdrawn(self: &Arc<Self>, more: &[Withdrawn]) -> Self {
        let withdrawn: Vec<Withdrawn> = self.withdrawn.iter().chain(more).cloned().collect();
        let digests = more.iter().map(|withdrawn| withdrawn.withdrawal.manifest.as_bytes());
        let fingerprint = fingerprint(std::iter::once(self.fingerprint.as_bytes()).chain(digests));
        Self { withdrawn: withdrawn.into(), fingerprint, whole: None, ..self.within(&Scope::default().into()) }
    }

    /// The table with an identifier, in whatever case it is written.
    pub fn table(&self, id: &str) -> Option<&TableEntry> {
        self.tables.iter().find(|entry| entry.table.id.eq_ignore_ascii_case(id))
    }

    /// The dimension that holds places.
    pub fn regions(&self) -> Option<&UnionDimension> {
        self.dimensions.iter().find(|dimension| dimension.role == Role::Geo)
    }

    /// The position of a code list; of several with the name, the one of all regions.
    pub fn codelist(&self, id: &str) -> Option<usize> {
        self.codelists.iter().position(|list| list.id.eq_ignore_ascii_case(id))
    }

    /// The position of the code list of a name that fits an axis.
    pub fn codelist_of(&self, axis: &AxisEntry, id: &str) -> Option<usize> {
        axis.codelists.iter().copied().find(|&at| self.codelists[at].id.eq_ignore_ascii_case(id))
    }

    /// The names of all code lists, each once.
    pub fn codelist_ids(&self) -> impl Iterator<Item = &str> {
        let first = |(at, list): &(usize, &CodeList)| self.codelist(&list.id) == Some(*at);
        self.codelists.iter().enumerate().filter(first).map(|(_, list)| list.id.as_str())
    }

    /// The period of a release, such as `2024-S1`.
    pub fn period(&self, release: usize) -> &str {
        self.periods.get(release).map_or("", String::as_str)
    }

    /// When the next period is expected to be published, if the register says how long that takes.
    pub fn next_update(&self) -> Option<DateTime<Utc>> {
        let newest = self.releases.last()?.manifest.period;
        let day = newest.next().reference_date() + Days::new(u64::from(self.register.publication_days?));
        Some(day.and_time(NaiveTime::MIN).and_utc())
    }

    /// The name of a release's period.
    pub fn period_label(&self, release: usize, language: usize) -> &str {
        self.period_labels.get(language).and_then(|labels| labels.get(release)).map_or("", String::as_str)
    }

    /// The program's own tongue for a language of the register.
    pub fn tongue(&self, language: usize) -> Tongue {
        self.register.languages.get(language).map_or(Tongue::English, |language| Tongue::of(&language.id))
    }

    /// The position of a language; the first one where none is named.
    pub fn language(&self, id: Option<&str>) -> Option<usize> {
        match id {
            None | Some("") => Some(0),
            Some(id) => self.register.languages.iter().position(|language| language.id.eq_ignore_ascii_case(id)),
        }
    }
}

impl AxisEntry {
    /// Whether the axis shows something of what lies right below a node.
    pub fn divides(&self, dimension: &UnionDimension, node: u32) -> bool {
        // What is on an axis stands there with all above it, so that the first one behind a node is its child if any of them is.
        let next = self.nodes.partition_point(|&other| other <= node);
        self.nodes.get(next).is_some_and(|&below| dimension.nodes[below as usize].parent == Some(node))
    }
}

impl TableEntry {
    /// The position of the axis whose dimension holds places.
    pub fn region(&self, library: &Library) -> Option<usize> {
        self.axes.iter().position(|axis| library.dimensions[axis.dimension].role == Role::Geo)
    }

    /// The first and the last period.
    pub fn periods(&self, library: &Library) -> (Option<Period>, Option<Period>) {
        let period = |release: Option<&usize>| release.map(|&at| library.releases[at].manifest.period);
        (period(self.span.first()), period(self.span.last()))
    }

    /// A short code for the subject, made from its name in the first language.
    pub fn subject_code(&self) -> String {
        let words = self.table.subject.text(0).split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty());
        words.map(str::to_lowercase).collect::<Vec<_>>().join("-")
    }

    /// Number of cells over all periods.
    pub fn cells(&self) -> u64 {
        self.axes.iter().map(|axis| axis.nodes.len() as u64).product::<u64>() * self.span.len() as u64
    }
}

impl Binder<'_> {
    /// Joins a table's parts; its definition comes from the release with the position `newest`.
    async fn entry(&mut self, newest: usize, table: &Table, engine: &ServingEngine) -> Result<TableEntry> {
        let mut axes = Vec::new();
        for axis in &table.axes {
            let found = self.dimensions.iter().position(|dimension| dimension.id == axis.dimension);
            let level = found.and_then(|at| self.dimensions[at].levels.iter().position(|level| level.id == axis.level));
            let (Some(dimension), Some(level)) = (found, level) else {
                return Err(Error::Input(format!(
                    "table '{}' needs dimension '{}' with level '{}', of which the release has no code list; restore it from a copy",
                    table.id, axis.dimension, axis.level
                )));
            };
            axes.push(AxisEntry {
                dimension,
                level: level as u8,
                nodes: Arc::new(self.dimensions[dimension].down_to(level as u8)),
                codelists: Vec::new(),
                seen: None,
            });
        }
        let mut parts = Vec::new();
        let mut updated = DateTime::<Utc>::MIN_UTC;
        for (at, release) in self.catalogue.releases().iter().enumerate() {
            let found = release.edition.manifest.tables.iter().find(|other| comparable(&other.table, table));
            match found {
                Some(found) => {
                    parts.push(Some(self.part(at, found, table, engine).await?));
                    updated = updated.max(release.edition.written);
                }
                None => parts.push(None),
            }
        }
        for (axis, part) in axes.iter_mut().zip(parts[newest].iter().flat_map(|part| &part.axes)) {
            let fits = |(at, list): (usize, &CodeList)| {
                let fits = match &list.kind {
                    CodeListKind::Valueset(_) => list.dimension == axis.dimension && list.level <= axis.level,
                    CodeListKind::Aggregation(_) => part.covers.get(&at).is_some_and(|covers| covers.iter().all(Option::is_some)),
                };
                fits.then_some(at)
            };
            axis.codelists = self.codelists.iter().enumerate().filter_map(fits).collect();
        }
        let has = |at: &usize| parts[*at].is_some();
        let (first, last) = ((0..parts.len()).find(has).unwrap_or(newest), (0..parts.len()).rev().find(has).unwrap_or(newest));
        let discontinued = last + 1 < parts.len();
        let place = |id: &str, code: &str| {
            let axis = axes.iter().find(|axis| self.dimensions[axis.dimension].id == id)?;
            let node = self.dimensions[axis.dimension].find(code)?;
            axis.nodes.binary_search(&node).ok().map(|at| at as u32)
        };
        let has_areas = axes.iter().any(|axis| self.dimensions[axis.dimension].nodes.iter().any(|node| node.area.is_some()));
        let measured = |measure: &Measure| {
            derive::applies(measure, table, &place) && (has_areas || !matches!(measure.kind, MeasureKind::Density { .. }))
        };
        let measures = self.measures.iter().enumerate().filter(|(_, measure)| measured(measure)).map(|(at, _)| at).collect();
        Ok(TableEntry { table: table.clone(), axes, span: (first..=last).collect(), updated, discontinued, measures, parts })
    }

    async fn part(&mut self, release: usize, found: &ReleasedTable, newest: &Table, engine: &ServingEngine) -> Result<Part> {
        let catalogue = self.catalogue;
        let there = &catalogue.releases()[release];
        let folder = &there.edition.folder;
        let damaged =
            |problem: String| Error::Input(format!("{folder}: table '{}': {problem}; restore the release from a copy", found.table.id));
        let (strides, cells) = Shape::numbering(&found.table, &there.dimensions).map_err(|error| damaged(error.to_string()))?;
        let digest =
            there.edition.manifest.files.get(&found.file).ok_or_else(|| damaged("the manifest has no digest of its file".into()))?;
        let file = engine.open(&format!("{folder}/{}", found.file), cells, digest).await?;
        let mut axes = Vec::new();
        for axis in &newest.axes {
            let at = found.table.axes.iter().position(|other| other.dimension == axis.dimension);
            let union = self.dimensions.iter().position(|dimension| dimension.id == axis.dimension);
            let dimension = there.dimensions.iter().find(|dimension| dimension.id == axis.dimension);
            let (Some(at), Some(union), Some(dimension)) = (at, union, dimension) else {
                return Err(damaged(format!("there is no dimension '{}'", axis.dimension)));
            };
            let level = dimension.level(&found.table.axes[at].level).unwrap_or(dimension.finest());
            // What follows from a code list is the same in every release that has it.
            let has = |release: &Release| release.dimensions.iter().any(|other| Arc::ptr_eq(other, dimension));
            let first = catalogue.releases().iter().position(has).unwrap_or(release);
            axes.push(PartAxis {
                stride: strides[at],
                places: self.places(first, union, dimension, level),
                covers: self.covers(first, union, dimension, level),
                seen: None,
            });
        }
        Ok(Part { file, axes })
    }

    fn places(&mut self, release: usize, union: usize, dimension: &Dimension, level: u8) -> Arc<Vec<u32>> {
        let all = &self.dimensions[union];
        let make = || {
            let mut on_axis = vec![BEYOND; dimension.nodes.len()];
            for (place, &at) in dimension.axis(level).nodes.iter().enumerate() {
                on_axis[at as usize] = place as u32;
            }
            let place = |node: usize| all.in_release(release, node as u32).map_or(ABSENT, |at| on_axis[at as usize]);
            Arc::new((0..all.nodes.len()).map(place).collect())
        };
        Arc::clone(self.places.entry((release, union, level)).or_insert_with(make))
    }

    fn covers(&mut self, release: usize, union: usize, dimension: &Dimension, level: u8) -> Arc<Covers> {
        let lists = self.codelists.iter().enumerate().filter(|(_, list)| list.dimension == union);
        let make = || {
            let cover = |(at, list): (usize, &CodeList)| match &list.kind {
                CodeListKind::Aggregation(grouping) => Some((at, codelists::covers(grouping, dimension, level))),
                CodeListKind::Valueset(_) => None,
            };
            Arc::new(lists.filter_map(cover).collect())
        };
        Arc::clone(self.covers.entry((release, union, level)).or_insert_with(make))
    }
}

/// That a release was withdrawn, when and why.
pub fn withdrawal(withdrawn: &Withdrawn) -> Message {
    let said = &withdrawn.withdrawal;
    let day = said.day().map_or_else(|| said.date.clone(), |day| day.to_string());
    let reason = [Tongue::English, Tongue::Indonesian].map(|tongue| said.reason(tongue).to_owned());
    words::WITHDRAWN.with(withdrawn.folder()).and(day).and(Spoken::Written(reason))
}

/// A digest of the releases in force, of what was withdrawn, and of the program's version, because another version may write the same numbers in
/// another way.
fn state(catalogue: &Catalogue) -> String {
    let releases = catalogue.releases().iter().map(|release| release.edition.sha256.as_str());
    let superseded = catalogue.releases().iter().flat_map(|release| &release.edition.superseded).filter_map(|one| one.withdrawal.as_ref());
    let gone = catalogue.withdrawn().iter().map(|withdrawn| &withdrawn.withdrawal).chain(superseded);
    let told: Vec<String> = gone.map(|withdrawal| format!("{} {} {}", withdrawal.manifest, withdrawal.date, withdrawal.reason)).collect();
    fingerprint(releases.chain([env!("CARGO_PKG_VERSION")]).chain(told.iter().map(String::as_str)).map(str::as_bytes))
}

/// Whether two definitions of a table show the same thing, if perhaps in other detail: the same measure over the same dimensions.
fn comparable(a: &Table, b: &Table) -> bool {
    a.id == b.id
        && a.unit == b.unit
        && a.contents.code == b.contents.code
        && a.axes.len() == b.axes.len()
        && a.axes.iter().all(|axis| b.axes.iter().any(|other| other.dimension == axis.dimension))
}

/// A digest over pieces, in hexadecimal. Equal digests mean equal pieces.
pub fn fingerprint<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> String {
    let mut digest = Sha256::new();
    for piece in pieces {
        digest.update((piece.len() as u64).to_le_bytes());
        digest.update(piece);
    }
    digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
