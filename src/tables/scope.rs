//! What somebody may see of a library: some of its regions, some of its tables.
//!
//! ```text
//! open to all: population, every region ─┐
//! granted: every table, region 34       ─┴─> Scopes ── within ──> population of every region, every other table of region 34
//! ```
//!
//! Scopes make a smaller library of the whole one. Everything that is answered is answered from a library, so that whatever
//! lists, searches, counts, draws or explains keeps within the scopes without knowing that there are any.
//!
//! A library has one list of regions: all that lie within any of the scopes. A table of which fewer may be seen than that is
//! narrowed (see [`narrow`](super::narrow)).
//!
//! **Invariant:** a scope chooses among published cells; which of them are suppressed was decided for everybody at once.
//! **Invariant:** whoever is granted more sees no less: the cells of a union are those of its parts, together.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use super::{
    codelists::{CodeList, CodeListKind},
    fingerprint,
    library::{AxisEntry, Library, Part, PartAxis, TableEntry},
    narrow::{Narrower, NodeRuns},
    search::Index,
    vintages::UnionDimension,
};
use crate::{
    register::Role,
    words::{self, Message},
};

/// Some regions and some tables.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Scope {
    /// The code of the region whose cells, with those of all within it and the totals above it, may be seen; `None`: of every region.
    pub region: Option<String>,
    /// Identifiers of the tables that may be seen; `None`: all.
    pub tables: Option<BTreeSet<String>>,
}

impl Scope {
    /// Whether something of a table may be seen.
    pub fn grants(&self, table: &str) -> bool {
        self.tables.as_ref().is_none_or(|tables| tables.contains(table))
    }

    /// Whether it leaves nothing out.
    pub fn is_whole(&self) -> bool {
        self.region.is_none() && self.tables.is_none()
    }
}

/// What somebody may see in all: whatever lies within any of some scopes.
///
/// There is one scope for each region, and what the scope of every region has is in no other, so that equal unions are equal values.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Scopes(Vec<Scope>);

impl FromIterator<Scope> for Scopes {
    fn from_iter<T: IntoIterator<Item = Scope>>(scopes: T) -> Self {
        let mut by_region: BTreeMap<Option<String>, Option<BTreeSet<String>>> = BTreeMap::new();
        for Scope { region, tables } in scopes {
            let known = by_region.entry(region).or_insert_with(|| Some(BTreeSet::new()));
            match (known, tables) {
                (Some(known), Some(tables)) => known.extend(tables),
                (known, _) => *known = None,
            }
        }
        match by_region.remove(&None::<String>) {
            Some(None) => Self(vec![Scope::default()]),
            None => Self(by_region.into_iter().map(|(region, tables)| Scope { region, tables }).collect()),
            Some(Some(everywhere)) => {
                let left = by_region.into_iter().filter_map(|(region, tables)| {
                    let tables = tables.map(|tables| &tables - &everywhere);
                    tables.as_ref().is_none_or(|tables| !tables.is_empty()).then_some(Scope { region, tables })
                });
                let mut scopes: Vec<Scope> = left.collect();
                scopes.insert(0, Scope { region: None, tables: Some(everywhere) });
                Self(scopes)
            }
        }
    }
}

impl From<Scope> for Scopes {
    fn from(scope: Scope) -> Self {
        std::iter::once(scope).collect()
    }
}

impl Scopes {
    /// Whether they leave nothing out.
    pub fn is_whole(&self) -> bool {
        self.0.iter().any(Scope::is_whole)
    }

    /// The regions of which something may be seen; `None`: every region.
    fn regions(&self) -> Option<BTreeSet<&str>> {
        together(self.0.iter())
    }

    /// The regions of which a table may be seen, `None` for every region; nothing where none of it may be.
    fn regions_of(&self, table: &str) -> Option<Option<BTreeSet<&str>>> {
        let granting = || self.0.iter().filter(|scope| scope.grants(table));
        granting().next().is_some().then(|| together(granting()))
    }

    /// A text that no two unions share.
    fn key(&self) -> String {
        let part = |text: &str| format!("{}:{text}", text.len());
        let of = |scope: &Scope| {
            let region = scope.region.as_deref().map_or_else(|| "*".to_owned(), part);
            let tables = scope.tables.as_ref().map_or_else(|| "*".to_owned(), |tables| tables.iter().map(|id| part(id)).collect());
            format!("{region} {tables}\n")
        };
        self.0.iter().map(of).collect()
    }
}

/// The regions of some scopes; `None`: every region.
fn together<'a>(scopes: impl Iterator<Item = &'a Scope>) -> Option<BTreeSet<&'a str>> {
    scopes.map(|scope| scope.region.as_deref()).collect()
}

/// A library with the whole that it is a part of.
#[derive(Debug)]
pub(super) struct Whole {
    library: Arc<Library>,
    scopes: Scopes,
}

/// For each dimension that a scope makes smaller: which of its nodes stay, in order.
type Kept = Vec<Option<Vec<u32>>>;

impl Library {
    /// The part of the library that lies within some scopes. Regions that no release knows have nothing but the root above them.
    #[must_use]
    pub fn within(self: &Arc<Self>, scopes: &Scopes) -> Self {
        let regions = scopes.regions();
        let kept: Kept = self.dimensions.iter().map(|dimension| kept(dimension, regions.as_ref())).collect();
        let (dimensions, index) = if kept.iter().all(Option::is_none) {
            (Arc::clone(&self.dimensions), Arc::clone(&self.index))
        } else {
            let left = self.dimensions.iter().zip(&kept);
            let left: Vec<UnionDimension> =
                left.map(|(dimension, kept)| kept.as_ref().map_or_else(|| dimension.clone(), |kept| dimension.restricted(kept))).collect();
            let index = Arc::new(Index::new(&left));
            (Arc::new(left), index)
        };
        let (lists, moved) = self.codelists_within(&kept);
        let mut narrower = Narrower::new(&dimensions, lists);
        let mut tables = Vec::new();
        for entry in &self.tables {
            let Some(seen) = scopes.regions_of(&entry.table.id) else { continue };
            let entry = entry.within(&kept, &moved);
            tables.push(match seen {
                Some(seen) if regions.as_ref() != Some(&seen) => narrower.narrow(entry, &seen),
                _ => entry,
            });
        }
        let codelists = narrower.into_codelists();
        Self {
            register: self.register.clone(),
            releases: self.releases.clone(),
            withdrawn: Arc::clone(&self.withdrawn),
            index,
            codelists,
            tables,
            fingerprint: fingerprint([self.fingerprint.as_bytes(), scopes.key().as_bytes()].into_iter()),
            periods: self.periods.clone(),
            period_labels: self.period_labels.clone(),
            whole: Some(Whole { library: Arc::clone(self), scopes: scopes.clone() }),
            dimensions,
        }
    }

    /// The code lists that are left, and where each has moved. A group of which a part is out of sight cannot be added up.
    fn codelists_within(&self, kept: &Kept) -> (Vec<CodeList>, Vec<Option<usize>>) {
        let mut lists = Vec::new();
        let mut moved = Vec::with_capacity(self.codelists.len());
        for list in &self.codelists {
            let left = match (&list.kind, &kept[list.dimension]) {
                (CodeListKind::Valueset(nodes), Some(kept)) => {
                    let left = nodes.iter().filter_map(|node| kept.binary_search(node).ok()).map(|at| at as u32);
                    Some(CodeListKind::Valueset(Arc::new(left.collect())))
                }
                (CodeListKind::Aggregation(_), Some(_)) => None,
                (kind, None) => Some(kind.clone()),
            };
            moved.push(left.is_some().then_some(lists.len()));
            lists.extend(left.map(|kind| CodeList { kind, ..list.clone() }));
        }
        (lists, moved)
    }

    /// Why a code that does not stand here may not be asked for, if there is such a code at all.
    pub fn outside(&self, dimension: usize, code: &str) -> Option<Message> {
        let Whole { library, scopes } = self.whole.as_ref()?;
        let node = library.dimensions.get(dimension)?.find(code).filter(|_| self.dimensions[dimension].find(code).is_none())?;
        let code = library.dimensions[dimension].nodes[node as usize].code.as_str();
        Some(words::OUT_OF_SCOPE.with(code).and(named(&library.dimensions[dimension], &scopes.regions()?)))
    }

    /// Why a code may not be asked of a table, though there is such a code, and perhaps other tables may be asked for it.
    pub fn outside_of(&self, entry: &TableEntry, dimension: usize, code: &str) -> Option<Message> {
        if let Some(outside) = self.outside(dimension, code) {
            return Some(outside);
        }
        let Whole { library, scopes } = self.whole.as_ref()?;
        let seen = entry.seen(dimension)?;
        let node = self.dimensions[dimension].find(code).filter(|&node| !seen.contains(node))?;
        let code = self.dimensions[dimension].nodes[node as usize].code.as_str();
        let regions = scopes.regions_of(&entry.table.id)??;
        Some(words::OUT_OF_SCOPE_OF_TABLE.with(code).and(named(&library.dimensions[dimension], &regions)).and(entry.table.id.as_str()))
    }

    /// Why a table that does not stand here may not be asked for, if there is such a table at all.
    pub fn not_granted(&self, table: &str) -> Option<Message> {
        let entry = self.whole.as_ref()?.library.table(table)?;
        let there = self.tables.iter().map(|entry| entry.table.id.as_str()).collect::<Vec<_>>().join(", ");
        Some(words::NOT_GRANTED.with(entry.table.id.as_str()).and(there))
    }
}

/// Regions by name and code.
fn named(dimension: &UnionDimension, regions: &BTreeSet<&str>) -> String {
    let one = |&region: &&str| {
        let name = dimension.find(region).map_or(region, |at| dimension.nodes[at as usize].label.text(0));
        format!("{name} ({region})")
    };
    regions.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The nodes of a dimension that stay: some regions with all below and all above them. `None`: every node.
fn kept(dimension: &UnionDimension, regions: Option<&BTreeSet<&str>>) -> Option<Vec<u32>> {
    let regions = regions.filter(|_| dimension.role == Role::Geo)?;
    Some(NodeRuns::around(dimension, regions).iter().collect())
}

impl TableEntry {
    fn within(&self, kept: &Kept, moved: &[Option<usize>]) -> Self {
        let axes = self.axes.iter().map(|axis| AxisEntry {
            dimension: axis.dimension,
            level: axis.level,
            nodes: match &kept[axis.dimension] {
                None => Arc::clone(&axis.nodes),
                Some(kept) => {
                    let left = (0..).zip(kept).filter(|(_, node)| axis.nodes.binary_search(node).is_ok());
                    Arc::new(left.map(|(at, _)| at).collect())
                }
            },
            codelists: axis.codelists.iter().filter_map(|&list| moved[list]).collect(),
            seen: None,
        });
        let part = |part: &Part| Part {
            file: Arc::clone(&part.file),
            axes: part.axes.iter().zip(&self.axes).map(|(own, axis)| own.within(kept[axis.dimension].as_deref(), moved)).collect(),
        };
        Self {
            table: self.table.clone(),
            axes: axes.collect(),
            span: self.span.clone(),
            updated: self.updated,
            discontinued: self.discontinued,
            measures: self.measures.clone(),
            parts: self.parts.iter().map(|found| found.as_ref().map(part)).collect(),
        }
    }
}

impl PartAxis {
    fn within(&self, kept: Option<&[u32]>, moved: &[Option<usize>]) -> Self {
        let places = match kept {
            None => Arc::clone(&self.places),
            Some(kept) => Arc::new(kept.iter().map(|&node| self.places[node as usize]).collect()),
        };
        let covers = if self.covers.keys().all(|&list| moved[list] == Some(list)) {
            Arc::clone(&self.covers)
        } else {
            let left = self.covers.iter().filter_map(|(&list, covers)| Some((moved[list]?, covers.clone())));
            Arc::new(left.collect::<HashMap<_, _>>())
        };
        Self { stride: self.stride, places, covers, seen: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads scopes such as `*: people bands; 12: *`, region before the colon, tables behind it.
    fn scopes(text: &str) -> Scopes {
        let all = |part: &str| part.trim() == "*";
        let one = |text: &str| {
            let (region, tables) = text.split_once(':').unwrap();
            Scope {
                region: (!all(region)).then(|| region.trim().to_owned()),
                tables: (!all(tables)).then(|| tables.split_whitespace().map(str::to_owned).collect()),
            }
        };
        text.split(';').map(one).collect()
    }

    #[test]
    fn unions_that_mean_the_same_are_the_same() {
        let same = |one: &str, other: &str| {
            let (one, other) = (scopes(one), scopes(other));
            assert_eq!(one, other);
            assert_eq!(one.key(), other.key());
        };
        same("*: people; *: bands", "*: bands people");
        same("12: people; *: people bands", "*: people bands");
        same("12: people sparse; *: people", "*: people; 12: sparse");
        same("12: *; *: *", "*: *");
        same("12: people; 12: *", "12: *");
        same("12: people; 11: bands", "11: bands; 12: people");
        assert_ne!(scopes("12: people").key(), scopes("12: people; 11: people").key());
        assert_ne!(scopes("*: people; 12: *"), scopes("*: people"));
    }

    #[test]
    fn a_union_grants_what_its_scopes_grant() {
        let union = scopes("*: people; 12: people bands; 11: bands sparse");
        let regions = |table: &str| union.regions_of(table).map(|regions| regions.map(|regions| regions.into_iter().collect::<Vec<_>>()));
        assert_eq!(regions("people"), Some(None));
        assert_eq!(regions("bands"), Some(Some(vec!["11", "12"])));
        assert_eq!(regions("sparse"), Some(Some(vec!["11"])));
        assert_eq!(regions("gone"), None);
        assert_eq!((union.regions(), union.is_whole()), (None, false));
        assert!(scopes("12: people; *: *").is_whole());
        assert_eq!(scopes("12: people; 11: bands").regions().map(|regions| regions.len()), Some(2));
    }
}
