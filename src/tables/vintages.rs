//! One dimension over all releases: the union of code lists that differ between periods.
//!
//! Regions split, merge and are recoded. A table over all periods shows every category that any of them knows, by code: the
//! newest code list gives order and names, and what is gone stands behind the sibling it once followed.
//!
//! ```text
//! 2024-S1   total > A, B, C      2024-S2   total > A, C, D      union   total > A, B, C, D
//! ```

use std::collections::HashMap;

use crate::register::{Dimension, Label, Level, Node, Role};

/// Stands for "this period's code list has no such node".
pub(super) const ABSENT: u32 = u32::MAX;

/// A dimension as it is over all releases.
#[derive(Debug, Clone)]
pub struct UnionDimension {
    /// Identifier.
    pub id: String,
    /// Variable code.
    pub variable: String,
    /// Name.
    pub label: Label,
    /// Place or classification.
    pub role: Role,
    /// Layers, coarsest first.
    pub levels: Vec<Level>,
    /// Every node in preorder; the first is the root.
    pub nodes: Vec<Node>,
    /// Code to position.
    positions: HashMap<String, u32>,
    /// Position by lower-case code, for codes that are not written in lower case.
    folded: HashMap<String, u32>,
    /// For each release, if it has the dimension, the position there of each node, or [`ABSENT`].
    in_release: Vec<Option<Vec<u32>>>,
    /// Where some nodes are out of sight: node, release before, release after, between which a node lost parts that are not seen.
    broken: Vec<(u32, usize, usize)>,
}

/// A node while the union is put together.
struct Draft {
    node: Node,
    parent: Option<usize>,
    children: Vec<usize>,
}

impl UnionDimension {
    /// Puts the code lists of all releases together, oldest first; `None` where no release has one.
    pub fn new(vintages: &[Option<&Dimension>]) -> Option<Self> {
        let newest = vintages.iter().rev().find_map(|vintage| *vintage)?;
        let mut drafts: Vec<Draft> = Vec::with_capacity(newest.nodes.len());
        let mut by_code: HashMap<&str, usize> = HashMap::with_capacity(newest.nodes.len());
        let mut placed: Vec<Option<Vec<usize>>> = vec![None; vintages.len()];
        for (release, vintage) in vintages.iter().enumerate().rev() {
            let Some(vintage) = vintage else { continue };
            let levels: Vec<u8> = vintage.levels.iter().map(|level| newest.level(&level.id).unwrap_or(newest.finest())).collect();
            let mut drafted: Vec<usize> = Vec::with_capacity(vintage.nodes.len());
            let mut last_child: HashMap<u32, usize> = HashMap::new();
            for (at, node) in vintage.nodes.iter().enumerate() {
                let known = if at == 0 && !drafts.is_empty() { Some(0) } else { by_code.get(node.code.as_str()).copied() };
                let draft = known.unwrap_or_else(|| {
                    let parent = node.parent.map(|parent| drafted[parent as usize]);
                    let draft = drafts.len();
                    if let Some(parent) = parent {
                        let before = node.parent.and_then(|parent| last_child.get(&parent));
                        let siblings = &mut drafts[parent].children;
                        let place =
                            before.and_then(|before| siblings.iter().position(|sibling| sibling == before)).map_or(0, |place| place + 1);
                        siblings.insert(place, draft);
                    }
                    let node = Node { level: levels[usize::from(node.level)], ..node.clone() };
                    drafts.push(Draft { node, parent, children: Vec::new() });
                    draft
                });
                by_code.insert(&node.code, draft);
                if let Some(parent) = node.parent {
                    last_child.insert(parent, draft);
                }
                drafted.push(draft);
            }
            placed[release] = Some(drafted);
        }
        let by_code: HashMap<String, usize> = by_code.into_iter().map(|(code, draft)| (code.to_owned(), draft)).collect();
        Some(Self::arrange(newest, &drafts, &by_code, placed))
    }

    fn arrange(newest: &Dimension, drafts: &[Draft], by_code: &HashMap<String, usize>, placed: Vec<Option<Vec<usize>>>) -> Self {
        let mut order = Vec::with_capacity(drafts.len());
        let mut stack = vec![0];
        while let Some(at) = stack.pop() {
            order.push(at);
            stack.extend(drafts[at].children.iter().rev());
        }
        let mut moved = vec![ABSENT; drafts.len()];
        for (to, &from) in order.iter().enumerate() {
            moved[from] = to as u32;
        }
        let in_release = placed
            .into_iter()
            .map(|placed| {
                placed.map(|placed| {
                    let mut positions = vec![ABSENT; order.len()];
                    for (there, draft) in placed.into_iter().enumerate() {
                        positions[moved[draft] as usize] = there as u32;
                    }
                    positions
                })
            })
            .collect();
        let nodes: Vec<Node> =
            order.iter().map(|&at| Node { parent: drafts[at].parent.map(|parent| moved[parent]), ..drafts[at].node.clone() }).collect();
        let positions: HashMap<String, u32> = by_code.iter().map(|(code, &draft)| (code.clone(), moved[draft])).collect();
        let fold = |(code, &at): (&String, &u32)| {
            let lower = code.to_ascii_lowercase();
            (lower != *code).then_some((lower, at))
        };
        Self {
            id: newest.id.clone(),
            variable: newest.variable.clone(),
            label: newest.label.clone(),
            role: newest.role,
            levels: newest.levels.clone(),
            folded: positions.iter().filter_map(fold).collect(),
            nodes,
            positions,
            in_release,
            broken: Vec::new(),
        }
    }

    /// The same dimension with some of its nodes only: in order, each after the one above it.
    #[must_use]
    pub(super) fn restricted(&self, kept: &[u32]) -> Self {
        let moved = |node: u32| kept.binary_search(&node).ok().map(|at| at as u32);
        let only = |positions: &HashMap<String, u32>| positions.iter().filter_map(|(code, &at)| Some((code.clone(), moved(at)?))).collect();
        let nodes = kept.iter().map(|&at| {
            let node = &self.nodes[at as usize];
            Node { parent: node.parent.and_then(moved), ..node.clone() }
        });
        let in_release = |positions: &Vec<u32>| kept.iter().map(|&at| positions[at as usize]).collect();
        let releases = self.in_release.len();
        let pairs = (0..releases).flat_map(|before| (before + 1..releases).map(move |after| (before, after)));
        let is_whole = |at: u32| self.children(at).iter().all(|child| kept.binary_search(child).is_ok());
        let broken = |(at, &node): (usize, &u32)| {
            let lost = pairs.clone().filter(move |&(before, after)| self.lost_parts(node, before, after));
            lost.map(move |(before, after)| (at as u32, before, after))
        };
        Self {
            id: self.id.clone(),
            variable: self.variable.clone(),
            label: self.label.clone(),
            role: self.role,
            levels: self.levels.clone(),
            nodes: nodes.collect(),
            positions: only(&self.positions),
            folded: only(&self.folded),
            in_release: self.in_release.iter().map(|positions| positions.as_ref().map(in_release)).collect(),
            broken: kept.iter().enumerate().filter(|(_, node)| !is_whole(**node)).flat_map(broken).collect(),
        }
    }

    /// Identifier of the value set of a level.
    pub fn valueset(&self, level: u8) -> String {
        format!("vs_{}_{}", self.id, self.levels[usize::from(level)].id)
    }

    /// The position of a code, in whatever case it is written; the exact spelling wins.
    pub fn find(&self, code: &str) -> Option<u32> {
        let lower = || code.to_ascii_lowercase();
        let found = self.positions.get(code).or_else(|| self.folded.get(&lower())).or_else(|| self.positions.get(&lower()));
        found.copied()
    }

    /// The position of a node in a release's own code list; `None` where the release has no such dimension or node.
    pub fn in_release(&self, release: usize, node: u32) -> Option<u32> {
        let positions = self.in_release.get(release)?.as_ref()?;
        positions.get(node as usize).copied().filter(|&at| at != ABSENT)
    }

    /// Whether a node had parts in one release that are no longer among its parts in another, as when a region is divided.
    pub fn lost_parts(&self, node: u32, before: usize, after: usize) -> bool {
        if self.broken.contains(&(node, before, after)) {
            return true;
        }
        if self.in_release(before, node).is_none() || self.in_release(after, node).is_none() {
            return false;
        }
        self.children(node).into_iter().any(|part| self.in_release(before, part).is_some() && self.in_release(after, part).is_none())
    }

    /// A node and everything below it: in preorder they stand together.
    pub fn subtree(&self, node: u32) -> std::ops::Range<u32> {
        let level = self.nodes[node as usize].level;
        let behind = self.nodes[node as usize + 1..].iter().position(|other| other.level <= level);
        node..behind.map_or(self.nodes.len() as u32, |behind| node + 1 + behind as u32)
    }

    /// The nodes right below a node, in order.
    pub fn children(&self, node: u32) -> Vec<u32> {
        self.subtree(node).filter(|&below| self.nodes[below as usize].parent == Some(node)).collect()
    }

    /// The nodes above a node, from the root down.
    pub fn path(&self, node: u32) -> Vec<u32> {
        let mut path: Vec<u32> =
            std::iter::successors(self.nodes[node as usize].parent, |&above| self.nodes[above as usize].parent).collect();
        path.reverse();
        path
    }

    /// The nodes down to a level, in order.
    pub fn down_to(&self, level: u8) -> Vec<u32> {
        self.nodes_where(|node| node.level <= level)
    }

    /// The frontier of a level: the nodes on it and, where a branch ends above it, the last nodes of that branch.
    pub fn frontier(&self, level: u8) -> Vec<u32> {
        let mut inner = vec![false; self.nodes.len()];
        for node in self.nodes.iter().filter(|node| node.level <= level) {
            if let Some(parent) = node.parent {
                inner[parent as usize] = true;
            }
        }
        let mut at = 0;
        self.nodes_where(|node| {
            let ends = node.level <= level && !inner[at];
            at += 1;
            ends
        })
    }

    fn nodes_where(&self, mut wanted: impl FnMut(&Node) -> bool) -> Vec<u32> {
        self.nodes.iter().enumerate().filter(|(_, node)| wanted(node)).map(|(at, _)| at as u32).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a tree as `total>A>a1,a2|B`: the root, its children, and after `>` theirs.
    fn tree(text: &str) -> Dimension {
        let level = |id: &str| Level { id: id.into(), label: Label::same(id) };
        let node =
            |code: &str, parent, level| Node { code: code.into(), label: Label::same(code), parent, level, official: None, area: None };
        let (root, rest) = text.split_once('>').unwrap();
        let mut nodes = vec![node(root, None, 0)];
        for branch in rest.split('|') {
            let (code, children) = branch.split_once('>').unwrap_or((branch, ""));
            let at = nodes.len() as u32;
            nodes.push(node(code, Some(0), 1));
            nodes.extend(children.split(',').filter(|code| !code.is_empty()).map(|code| node(code, Some(at), 2)));
        }
        Dimension {
            id: "region".into(),
            variable: "Region".into(),
            label: Label::same("region"),
            role: Role::Geo,
            sensitive: false,
            levels: vec![level("country"), level("province"), level("regency")],
            nodes,
            groupings: Vec::new(),
        }
    }

    fn union(vintages: &[&str]) -> UnionDimension {
        let trees: Vec<Dimension> = vintages.iter().map(|text| tree(text)).collect();
        UnionDimension::new(&trees.iter().map(Some).collect::<Vec<_>>()).unwrap()
    }

    fn codes(union: &UnionDimension, nodes: &[u32]) -> String {
        nodes.iter().map(|&at| union.nodes[at as usize].code.as_str()).collect::<Vec<_>>().join(" ")
    }

    fn check_order(vintages: &[&str], expect: &str) -> UnionDimension {
        let union = union(vintages);
        assert_eq!(codes(&union, &union.down_to(9)), expect);
        for (at, node) in union.nodes.iter().enumerate() {
            assert!(node.parent.is_none_or(|parent| (parent as usize) < at && union.nodes[parent as usize].level < node.level));
        }
        union
    }

    #[test]
    fn what_is_gone_stands_behind_the_sibling_it_followed() {
        check_order(&["T>A|B|C", "T>A|C|D"], "T A B C D");
        check_order(&["T>A|B|C", "T>C|D"], "T A B C D");
        check_order(&["T>A>a1,a2,a3|B>b1", "T>A>a1,a3|B>b1,b2"], "T A a1 a2 a3 B b1 b2");
        check_order(&["T>A>a1|B>b1", "T>A>a1"], "T A a1 B b1");
        check_order(&["T>A|X", "T>A|Y", "T>A"], "T A X Y");
    }

    #[test]
    fn roots_of_different_codes_are_one_total() {
        let union = check_order(&["ALL>A", "T>A"], "T A");
        assert_eq!(union.find("ALL"), Some(0));
        assert_eq!(union.in_release(0, 0), Some(0));
    }

    #[test]
    fn positions_lead_back_to_each_release() {
        let union = union(&["T>A|B|C", "T>A|C|D"]);
        let of = |release, code| union.in_release(release, union.find(code).unwrap());
        assert_eq!([of(0, "A"), of(0, "B"), of(0, "C"), of(0, "D")], [Some(1), Some(2), Some(3), None]);
        assert_eq!([of(1, "A"), of(1, "B"), of(1, "C"), of(1, "D")], [Some(1), None, Some(2), Some(3)]);
        assert_eq!(union.in_release(2, 0), None);
    }

    #[test]
    fn a_frontier_reaches_to_the_end_of_short_branches() {
        let union = union(&["T>A>a1,a2|B"]);
        assert_eq!(codes(&union, &union.frontier(0)), "T");
        assert_eq!(codes(&union, &union.frontier(1)), "A B");
        assert_eq!(codes(&union, &union.frontier(2)), "a1 a2 B");
    }

    #[test]
    fn trees_are_walked_up_and_down() {
        let union = union(&["T>A>a1,a2|B|C>c1"]);
        let at = |code| union.find(code).unwrap();
        assert_eq!(codes(&union, &union.children(at("A"))), "a1 a2");
        assert_eq!(codes(&union, &union.children(0)), "A B C");
        assert_eq!(codes(&union, &union.children(at("B"))), "");
        assert_eq!(codes(&union, &union.subtree(at("A")).collect::<Vec<_>>()), "A a1 a2");
        assert_eq!(codes(&union, &union.subtree(at("C")).collect::<Vec<_>>()), "C c1");
        assert_eq!(codes(&union, &union.path(at("c1"))), "T C");
        assert_eq!(codes(&union, &union.path(0)), "");
    }

    #[test]
    fn codes_are_found_in_any_case() {
        let union = union(&["T>Ab|aB|cd"]);
        assert_eq!((union.find("Ab"), union.find("aB")), (Some(1), Some(2)));
        assert_eq!((union.find("t"), union.find("CD")), (Some(0), Some(3)));
        assert!(union.find("AB").is_some());
        assert_eq!(union.find("x"), None);
    }
}
