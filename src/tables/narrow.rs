//! Tables of which fewer regions may be seen than of others.
//!
//! ```text
//! regions of the library   TOY > 11 > 1101, 1102 | 12 > 1201      a table of region 12 alone   TOY > 12 > 1201
//! ```
//!
//! The table keeps to the numbering of the library's regions, so that nothing of the size of a country is made anew for it: what
//! may be seen are a few runs of nodes, because a region and all below it stand together.
//!
//! **Invariant:** a cell of a node that may not be seen is not read, whoever asks for it ([`PartAxis::place`]).

use std::{collections::BTreeSet, ops::Range, sync::Arc};

use super::{
    codelists::{CodeList, CodeListKind},
    library::{AxisEntry, BEYOND, PartAxis, TableEntry},
    vintages::UnionDimension,
};
use crate::register::Role;

/// Some nodes of a dimension, as runs of neighbours in order, none of which touches another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRuns(Vec<Range<u32>>);

impl NodeRuns {
    /// Some regions with all below and all above them, the root in any case. Codes that the dimension does not have add nothing.
    pub(super) fn around(dimension: &UnionDimension, regions: &BTreeSet<&str>) -> Self {
        let found: Vec<u32> = regions.iter().filter_map(|region| dimension.find(region)).collect();
        let above = found.iter().flat_map(|&node| dimension.path(node)).chain([0]).map(|node| node..node + 1);
        let mut runs: Vec<Range<u32>> = above.chain(found.iter().map(|&node| dimension.subtree(node))).collect();
        runs.sort_unstable_by_key(|run| run.start);
        let mut joined: Vec<Range<u32>> = Vec::new();
        for run in runs {
            match joined.last_mut() {
                Some(last) if run.start <= last.end => last.end = last.end.max(run.end),
                _ => joined.push(run),
            }
        }
        Self(joined)
    }

    /// Whether a node is among them.
    pub fn contains(&self, node: u32) -> bool {
        let behind = self.0.partition_point(|run| run.start <= node);
        behind.checked_sub(1).is_some_and(|at| self.0[at].contains(&node))
    }

    /// All of them, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().flat_map(Clone::clone)
    }

    /// Those of a sorted list that are among them.
    fn of(&self, nodes: &[u32]) -> Arc<Vec<u32>> {
        Arc::new(nodes.iter().copied().filter(|&node| self.contains(node)).collect())
    }
}

/// What tables that show the same regions share.
struct Narrowed {
    dimension: usize,
    regions: BTreeSet<String>,
    seen: Arc<NodeRuns>,
    /// For value sets of the library where their smaller copies stand.
    copies: Vec<(usize, usize)>,
    /// For each level down to which tables go, the nodes that they show.
    nodes: Vec<(u8, Arc<Vec<u32>>)>,
}

/// Makes tables smaller, and the code lists that they then need.
pub(super) struct Narrower<'a> {
    dimensions: &'a [UnionDimension],
    codelists: Vec<CodeList>,
    known: Vec<Narrowed>,
}

impl<'a> Narrower<'a> {
    pub fn new(dimensions: &'a [UnionDimension], codelists: Vec<CodeList>) -> Self {
        Self { dimensions, codelists, known: Vec::new() }
    }

    /// A table of some regions only, with what lies below and above them.
    pub fn narrow(&mut self, mut entry: TableEntry, regions: &BTreeSet<&str>) -> TableEntry {
        for at in 0..entry.axes.len() {
            let axis = &mut entry.axes[at];
            if self.dimensions[axis.dimension].role != Role::Geo {
                continue;
            }
            let known = self.known(axis.dimension, regions);
            self.narrow_axis(known, axis);
            for part in entry.parts.iter_mut().flatten() {
                // Groups of regions are none of an axis of which a part is out of sight.
                let own = &part.axes[at];
                let seen = Some(Arc::clone(&self.known[known].seen));
                part.axes[at] = PartAxis { stride: own.stride, places: Arc::clone(&own.places), covers: Arc::default(), seen };
            }
        }
        entry
    }

    /// The code lists of the library, then the smaller ones of narrowed tables under the same names.
    pub fn into_codelists(self) -> Vec<CodeList> {
        self.codelists
    }

    fn known(&mut self, dimension: usize, regions: &BTreeSet<&str>) -> usize {
        let is_it = |known: &Narrowed| known.dimension == dimension && known.regions.iter().eq(regions.iter());
        self.known.iter().position(is_it).unwrap_or_else(|| {
            let seen = Arc::new(NodeRuns::around(&self.dimensions[dimension], regions));
            let regions = regions.iter().map(|&region| region.to_owned()).collect();
            self.known.push(Narrowed { dimension, regions, seen, copies: Vec::new(), nodes: Vec::new() });
            self.known.len() - 1
        })
    }

    fn narrow_axis(&mut self, known: usize, axis: &mut AxisEntry) {
        let narrowed = &mut self.known[known];
        axis.nodes = match narrowed.nodes.iter().find(|(level, _)| *level == axis.level) {
            Some((_, nodes)) => Arc::clone(nodes),
            None => {
                let nodes = narrowed.seen.of(&axis.nodes);
                narrowed.nodes.push((axis.level, Arc::clone(&nodes)));
                nodes
            }
        };
        let mut left = Vec::with_capacity(axis.codelists.len());
        for &list in &axis.codelists {
            let CodeListKind::Valueset(nodes) = &self.codelists[list].kind else { continue };
            let copy = match narrowed.copies.iter().find(|(of, _)| *of == list) {
                Some((_, copy)) => *copy,
                None => {
                    let kind = CodeListKind::Valueset(narrowed.seen.of(nodes));
                    let copy = CodeList { kind, ..self.codelists[list].clone() };
                    self.codelists.push(copy);
                    narrowed.copies.push((list, self.codelists.len() - 1));
                    self.codelists.len() - 1
                }
            };
            left.push(copy);
        }
        axis.codelists = left;
        axis.seen = Some(Arc::clone(&narrowed.seen));
    }
}

impl PartAxis {
    /// The place of a node on the axis, [`ABSENT`](super::vintages::ABSENT) or [`BEYOND`].
    #[inline]
    pub(super) fn place(&self, node: u32) -> u32 {
        match &self.seen {
            Some(seen) if !seen.contains(node) => BEYOND,
            _ => self.places[node as usize],
        }
    }
}

impl TableEntry {
    /// The nodes of a dimension of which the table may be seen, if these are not all.
    pub fn seen(&self, dimension: usize) -> Option<&NodeRuns> {
        self.axes.iter().find(|axis| axis.dimension == dimension)?.seen.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_hold_what_lies_in_them_and_nothing_beside() {
        let runs = NodeRuns(vec![0..1, 4..7, 9..10]);
        let within: Vec<u32> = (0..12).filter(|&node| runs.contains(node)).collect();
        assert_eq!(within, [0, 4, 5, 6, 9]);
        assert_eq!(runs.iter().collect::<Vec<_>>(), within);
        assert_eq!(*runs.of(&[1, 4, 6, 8, 9, 11]), [4, 6, 9]);
        assert!(!NodeRuns(Vec::new()).contains(0));
    }
}
