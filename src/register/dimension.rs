//! Dimensions: trees of nodes that every table is crossed from.

use std::{collections::HashMap, ops::Range};

use serde::{Deserialize, Serialize};

use super::Label;

/// What a dimension means to clients that treat places and time apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Places.
    Geo,
    /// Any other classification.
    Classification,
}

/// One layer of a hierarchy, such as districts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// Identifier, such as `district`.
    pub id: String,
    /// Name for people.
    pub label: Label,
}

/// One place in a hierarchy: a country, a district, an age band, "female".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Code, unique within the dimension over all levels.
    pub code: String,
    /// Name for people.
    pub label: Label,
    /// Position of the node above; `None` for the root.
    pub parent: Option<u32>,
    /// Position in [`Dimension::levels`].
    pub level: u8,
    /// The code as the authority writes it, where that differs (`31.71` for `3171`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub official: Option<String>,
    /// Area of a place in hectares (0.01 square kilometres), where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<u64>,
}

/// A second way to group the nodes of a dimension, such as health target groups over ages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grouping {
    /// Identifier, unique over all dimensions.
    pub id: String,
    /// Name for people.
    pub label: Label,
    /// The groups, in order.
    pub values: Vec<Group>,
}

/// One group of a [`Grouping`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Code, unique within the grouping.
    pub code: String,
    /// Name for people.
    pub label: Label,
    /// Codes of the nodes that add up to the group.
    pub nodes: Vec<String>,
}

/// A dimension: one tree of nodes, in preorder (a node stands before its children, siblings in their listed order).
///
/// Because of that order the leaves below any node are neighbours, which rolling up and slicing rely on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dimension {
    /// Identifier used by definitions, such as `age`.
    pub id: String,
    /// Variable code that clients see, such as `Age`.
    pub variable: String,
    /// Name for people.
    pub label: Label,
    /// Place or classification.
    pub role: Role,
    /// Whether it harms people to be known to belong to one of its categories: of no small group may be seen that all of it does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
    /// Layers, coarsest first; the first holds only the root.
    pub levels: Vec<Level>,
    /// Every node in preorder; the first is the root, the total.
    pub nodes: Vec<Node>,
    /// Other groupings of the nodes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groupings: Vec<Grouping>,
}

impl Dimension {
    /// The position of a level.
    pub fn level(&self, id: &str) -> Option<u8> {
        self.levels.iter().position(|level| level.id == id).map(|at| at as u8)
    }

    /// The finest level.
    pub fn finest(&self) -> u8 {
        (self.levels.len() - 1) as u8
    }

    /// Code to position, for all nodes.
    pub fn positions(&self) -> HashMap<&str, u32> {
        self.nodes.iter().enumerate().map(|(at, node)| (node.code.as_str(), at as u32)).collect()
    }

    /// The dimension cut off below a level: what a table that goes down to this level sees.
    pub fn axis(&self, level: u8) -> Axis {
        let count = self.nodes.len();
        // One past the last descendant of each node, from the back, because a subtree ends where its last child's does.
        let mut ends: Vec<u32> = (1..=count as u32).collect();
        let mut cut = vec![true; count];
        for at in (0..count).rev() {
            let node = &self.nodes[at];
            if let Some(parent) = node.parent {
                ends[parent as usize] = ends[parent as usize].max(ends[at]);
                if node.level <= level {
                    cut[parent as usize] = false;
                }
            }
        }
        let has_children: Vec<bool> = (0..count).map(|at| ends[at] as usize > at + 1).collect();
        let mut nodes = Vec::new();
        let mut leaves = Vec::new();
        let mut axis_leaf_at = vec![0u32; count + 1];
        let mut base_leaf_at = vec![0u32; count + 1];
        let mut base_to_leaf = Vec::new();
        let mut bases = 0;
        for (at, node) in self.nodes.iter().enumerate() {
            axis_leaf_at[at] = leaves.len() as u32;
            base_leaf_at[at] = bases;
            if node.level <= level {
                nodes.push(at as u32);
                if cut[at] {
                    leaves.push((nodes.len() - 1) as u32);
                }
            }
            if !has_children[at] {
                bases += 1;
                base_to_leaf.push((leaves.len() - 1) as u32);
            }
        }
        axis_leaf_at[count] = leaves.len() as u32;
        base_leaf_at[count] = bases;
        let spans = nodes
            .iter()
            .map(|&at| {
                let end = ends[at as usize] as usize;
                axis_leaf_at[at as usize]..axis_leaf_at[end]
            })
            .collect();
        let bases = nodes.iter().map(|&at| base_leaf_at[at as usize]..base_leaf_at[ends[at as usize] as usize]).collect();
        let mut positions = vec![0u32; count];
        for (position, &at) in nodes.iter().enumerate() {
            positions[at as usize] = position as u32;
        }
        let parents = nodes.iter().map(|&at| self.nodes[at as usize].parent.map(|parent| positions[parent as usize])).collect();
        Axis { nodes, parents, leaves, spans, bases, base_to_leaf }
    }

    /// Number of nodes on the axis of a table that is cut off below a level.
    pub fn size(&self, level: u8) -> usize {
        self.nodes.iter().filter(|node| node.level <= level).count()
    }

    /// The node at or above `node` that lies on `level` or, where the tree skips that level, above it.
    pub fn ancestor(&self, mut node: u32, level: u8) -> u32 {
        while self.nodes[node as usize].level > level {
            match self.nodes[node as usize].parent {
                Some(parent) => node = parent,
                None => break,
            }
        }
        node
    }

    /// Positions of the finest nodes, in order; a record is classified to one of them.
    pub fn base_leaves(&self) -> Vec<u32> {
        // In preorder the first child of a node stands right behind it.
        let below = self.nodes.iter().skip(1).map(|node| node.parent).chain([None]);
        (0u32..).zip(below).filter(|(node, below)| *below != Some(*node)).map(|(node, _)| node).collect()
    }
}

/// A dimension as one table sees it: cut off below the table's level.
///
/// *Base leaves* are the dimension's finest nodes, *leaves* those of this axis; both are numbered in preorder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Axis {
    /// Positions in [`Dimension::nodes`] of the nodes of this axis, in preorder.
    pub nodes: Vec<u32>,
    /// For each node the position in [`Axis::nodes`] of the one above it.
    pub parents: Vec<Option<u32>>,
    /// Positions in [`Axis::nodes`] of those without a node below them on this axis.
    pub leaves: Vec<u32>,
    /// For each node the leaves at or below it.
    pub spans: Vec<Range<u32>>,
    /// For each node the base leaves at or below it.
    pub bases: Vec<Range<u32>>,
    /// For each base leaf the leaf that it falls into.
    pub base_to_leaf: Vec<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(code: &str, parent: Option<u32>, level: u8) -> Node {
        Node { code: code.into(), label: Label::same(code), parent, level, official: None, area: None }
    }

    fn level(id: &str) -> Level {
        Level { id: id.into(), label: Label::same(id) }
    }

    /// total > {child, adult, old}; child > {0, 1}; adult > {a}; old is ragged: it hangs below the total but counts as a band.
    fn ages() -> Dimension {
        Dimension {
            id: "age".into(),
            variable: "Age".into(),
            label: Label::same("age"),
            role: Role::Classification,
            sensitive: false,
            levels: vec![level("total"), level("group"), level("band"), level("year")],
            nodes: vec![
                node("T", None, 0),
                node("child", Some(0), 1),
                node("0", Some(1), 3),
                node("1", Some(1), 3),
                node("adult", Some(0), 1),
                node("a", Some(4), 2),
                node("2", Some(5), 3),
                node("3", Some(5), 3),
                node("old", Some(0), 1),
            ],
            groupings: Vec::new(),
        }
    }

    #[test]
    fn an_axis_covers_every_leaf_of_a_ragged_tree() {
        let band = ages().axis(2);
        assert_eq!(band.nodes, [0, 1, 4, 5, 8]);
        assert_eq!(band.leaves, [1, 3, 4]);
        assert_eq!(band.base_to_leaf, [0, 0, 1, 1, 2]);
        assert_eq!(band.spans, [0..3, 0..1, 1..2, 1..2, 2..3]);
        assert_eq!(band.bases, [0..5, 0..2, 2..4, 2..4, 4..5]);
    }

    #[test]
    fn the_coarsest_axis_is_the_total() {
        let total = ages().axis(0);
        assert_eq!(total.nodes, [0]);
        assert_eq!(total.leaves, [0]);
        assert_eq!(total.base_to_leaf, [0; 5]);
    }

    #[test]
    fn the_finest_axis_is_the_dimension() {
        let ages = ages();
        assert_eq!(ages.axis(3).nodes.len(), ages.nodes.len());
        assert_eq!(ages.base_leaves(), [2, 3, 6, 7, 8]);
    }
}
