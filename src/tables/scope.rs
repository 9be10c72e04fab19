//! What somebody may see of a library: some of its regions, some of its tables.
//!
//! A scope makes a smaller library of the whole one. Everything that is answered is answered from a library, so that whatever
//! lists, searches, counts, draws or explains keeps within the scope without knowing that there is one.
//!
//! **Invariant:** a scope chooses among published cells; which of them are suppressed was decided for everybody at once.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use super::{
    codelists::{CodeList, CodeListKind},
    fingerprint,
    library::{AxisEntry, Library, Part, PartAxis, TableEntry},
    search::Index,
    vintages::UnionDimension,
};
use crate::{
    register::Role,
    words::{self, Message},
};

/// Some regions and some tables.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Scope {
    /// The code of the region whose cells, with those of all within it and the totals above it, may be seen; `None`: of every region.
    pub region: Option<String>,
    /// Identifiers of the tables that may be seen; `None`: all.
    pub tables: Option<BTreeSet<String>>,
}

impl Scope {
    /// Whether it leaves nothing out.
    pub fn is_whole(&self) -> bool {
        self.region.is_none() && self.tables.is_none()
    }

    /// A text that no two scopes share.
    fn key(&self) -> String {
        let part = |text: &str| format!("{}:{text}", text.len());
        let region = self.region.as_deref().map_or_else(|| "*".to_owned(), part);
        let tables = self.tables.as_ref().map_or_else(|| "*".to_owned(), |tables| tables.iter().map(|id| part(id)).collect());
        format!("{region} {tables}")
    }
}

/// A library with the whole that it is a part of.
#[derive(Debug)]
pub(super) struct Whole {
    library: Arc<Library>,
    scope: Scope,
}

/// For each dimension that a scope makes smaller: which of its nodes stay, in order.
type Kept = Vec<Option<Vec<u32>>>;

impl Library {
    /// The part of the library that lies within a scope. Regions that no release knows have nothing but the root above them.
    #[must_use]
    pub fn within(self: &Arc<Self>, scope: &Scope) -> Self {
        let kept: Kept = self.dimensions.iter().map(|dimension| kept(dimension, scope.region.as_deref())).collect();
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
        let granted = |entry: &&TableEntry| scope.tables.as_ref().is_none_or(|tables| tables.contains(&entry.table.id));
        Self {
            register: self.register.clone(),
            releases: self.releases.clone(),
            withdrawn: Arc::clone(&self.withdrawn),
            index,
            dimensions,
            codelists: lists,
            tables: self.tables.iter().filter(granted).map(|entry| entry.within(&kept, &moved)).collect(),
            fingerprint: fingerprint([self.fingerprint.as_bytes(), scope.key().as_bytes()].into_iter()),
            periods: self.periods.clone(),
            period_labels: self.period_labels.clone(),
            whole: Some(Whole { library: Arc::clone(self), scope: scope.clone() }),
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
                    Some(CodeListKind::Valueset(left.collect()))
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
        let Whole { library, scope } = self.whole.as_ref()?;
        let there = library.dimensions.get(dimension)?;
        let own = self.dimensions[dimension].find(code);
        let node = there.find(code).filter(|_| own.is_none())?;
        let region = scope.region.as_deref().unwrap_or("");
        let named = there.find(region).map_or_else(|| region.to_owned(), |at| there.nodes[at as usize].label.text(0).to_owned());
        Some(words::OUT_OF_SCOPE.with(there.nodes[node as usize].code.as_str()).and(format!("{named} ({region})")))
    }

    /// Why a table that does not stand here may not be asked for, if there is such a table at all.
    pub fn not_granted(&self, table: &str) -> Option<Message> {
        let entry = self.whole.as_ref()?.library.table(table)?;
        let there = self.tables.iter().map(|entry| entry.table.id.as_str()).collect::<Vec<_>>().join(", ");
        Some(words::NOT_GRANTED.with(entry.table.id.as_str()).and(there))
    }
}

/// The nodes of a dimension that stay: a region with all below and all above it. `None`: every node.
fn kept(dimension: &UnionDimension, region: Option<&str>) -> Option<Vec<u32>> {
    let region = region.filter(|_| dimension.role == Role::Geo)?;
    let Some(node) = dimension.find(region) else { return Some(vec![0]) };
    Some(dimension.path(node).into_iter().chain(dimension.subtree(node)).collect())
}

impl TableEntry {
    fn within(&self, kept: &Kept, moved: &[Option<usize>]) -> Self {
        let axes = self.axes.iter().map(|axis| AxisEntry {
            dimension: axis.dimension,
            level: axis.level,
            nodes: match &kept[axis.dimension] {
                None => axis.nodes.clone(),
                Some(kept) => (0..).zip(kept).filter(|(_, node)| axis.nodes.binary_search(node).is_ok()).map(|(at, _)| at).collect(),
            },
            codelists: axis.codelists.iter().filter_map(|&list| moved[list]).collect(),
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
        let covers: HashMap<_, _> = self.covers.iter().filter_map(|(&list, covers)| Some((moved[list]?, covers.clone()))).collect();
        Self { stride: self.stride, places, covers: Arc::new(covers) }
    }
}
