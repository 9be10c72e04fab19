//! Code lists: other ways to choose from a variable than node by node.
//!
//! *Value sets* pick one level of a hierarchy (`vs_region_district`: all districts). *Aggregations* group nodes
//! (`agg_age_health`: infants, toddlers, ...); a group's number is the sum of published cells.

use std::sync::Arc;

use super::vintages::UnionDimension;
use crate::register::{Dimension, Grouping, Label};

/// Stands for "this release cannot make up the group".
pub(super) type Cover = Option<Vec<u32>>;

/// What a code list does.
#[derive(Debug, Clone)]
pub enum CodeListKind {
    /// Picks nodes: positions in the union dimension, in order.
    Valueset(Arc<Vec<u32>>),
    /// Groups nodes.
    Aggregation(Grouping),
}

/// A code list of a dimension.
#[derive(Debug, Clone)]
pub struct CodeList {
    /// Identifier over all dimensions.
    pub id: String,
    /// Name.
    pub label: Label,
    /// Position of the dimension in the library.
    pub dimension: usize,
    /// The level that a value set picks; the coarsest one for an aggregation.
    pub level: u8,
    /// What it does.
    pub kind: CodeListKind,
}

impl CodeList {
    /// Every code list of a dimension: one value set a level, then the groupings of the newest release that has it.
    pub(super) fn all(at: usize, dimension: &UnionDimension, newest: &Dimension) -> Vec<Self> {
        let valuesets = dimension.levels.iter().enumerate().map(|(level, described)| Self {
            id: dimension.valueset(level as u8),
            label: described.label.clone(),
            dimension: at,
            level: level as u8,
            kind: CodeListKind::Valueset(Arc::new(dimension.frontier(level as u8))),
        });
        let aggregations = newest.groupings.iter().map(|grouping| Self {
            id: format!("agg_{}_{}", dimension.id, grouping.id),
            label: grouping.label.clone(),
            dimension: at,
            level: 0,
            kind: CodeListKind::Aggregation(grouping.clone()),
        });
        valuesets.chain(aggregations).collect()
    }

    /// Number of codes.
    pub fn count(&self) -> usize {
        match &self.kind {
            CodeListKind::Valueset(nodes) => nodes.len(),
            CodeListKind::Aggregation(grouping) => grouping.values.len(),
        }
    }
}

/// For each group the fewest nodes of an axis that make it up exactly: a single one where the group is a node already, so that
/// its published number is read instead of added up. `None` where the release lacks a node of the group or shows it too coarsely.
pub(super) fn covers(grouping: &Grouping, dimension: &Dimension, level: u8) -> Vec<Cover> {
    let axis = dimension.axis(level);
    let finest = dimension.axis(dimension.finest());
    let positions = dimension.positions();
    let cover = |codes: &[String]| -> Cover {
        let mut wanted = vec![false; finest.leaves.len()];
        for code in codes {
            // On the finest axis every node of the dimension has its own place, in the same order.
            let bases = &finest.bases[*positions.get(code.as_str())? as usize];
            wanted[bases.start as usize..bases.end as usize].fill(true);
        }
        let mut chosen = Vec::new();
        let mut done = 0;
        for (at, bases) in axis.bases.iter().enumerate() {
            let (start, end) = (bases.start as usize, bases.end as usize);
            // In preorder the widest node over a leaf comes first.
            if start >= done && end > start && wanted[start..end].iter().all(|&leaf| leaf) {
                chosen.push(at as u32);
                done = end;
            }
        }
        let covered: usize = chosen.iter().map(|&at| axis.bases[at as usize].len()).sum();
        (covered > 0 && covered == wanted.iter().filter(|&&leaf| leaf).count()).then_some(chosen)
    };
    grouping.values.iter().map(|group| cover(&group.nodes)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::register::{Group, Level, Node, Role};

    /// T > C(0 1 2) | A(3 4) | O, bands on level 1, years on level 2.
    fn ages() -> Dimension {
        let level = |id: &str| Level { id: id.into(), label: Label::same(id) };
        let node =
            |code: &str, parent, level| Node { code: code.into(), label: Label::same(code), parent, level, official: None, area: None };
        Dimension {
            id: "age".into(),
            variable: "Age".into(),
            label: Label::same("age"),
            role: Role::Classification,
            sensitive: false,
            levels: vec![level("total"), level("band"), level("year")],
            nodes: vec![
                node("T", None, 0),
                node("C", Some(0), 1),
                node("0", Some(1), 2),
                node("1", Some(1), 2),
                node("2", Some(1), 2),
                node("A", Some(0), 1),
                node("3", Some(5), 2),
                node("4", Some(5), 2),
                node("O", Some(0), 1),
            ],
            groupings: Vec::new(),
        }
    }

    fn cover(codes: &str, level: u8) -> Option<String> {
        let group = Group { code: "g".into(), label: Label::same("g"), nodes: codes.split(' ').map(str::to_owned).collect() };
        let grouping = Grouping { id: "g".into(), label: Label::same("g"), values: vec![group] };
        let ages = ages();
        let axis = ages.axis(level);
        let found = covers(&grouping, &ages, level).remove(0)?;
        Some(found.iter().map(|&at| ages.nodes[axis.nodes[at as usize] as usize].code.as_str()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn groups_are_made_of_the_widest_nodes() {
        assert_eq!(cover("0 1", 2).as_deref(), Some("0 1"));
        assert_eq!(cover("0 1 2", 2).as_deref(), Some("C"));
        assert_eq!(cover("2 1 0 3", 2).as_deref(), Some("C 3"));
        assert_eq!(cover("C A O", 2).as_deref(), Some("T"));
        assert_eq!(cover("0 1 2 O", 1).as_deref(), Some("C O"));
    }

    #[test]
    fn groups_that_an_axis_cannot_make_up() {
        assert_eq!(cover("0 1", 1), None);
        assert_eq!(cover("C 9", 2), None);
    }
}
