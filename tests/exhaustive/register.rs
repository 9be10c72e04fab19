//! Tiny registers: what is counted, the people of every revision, and the rule.

use std::collections::BTreeMap;

use cacah::{
    register::{Contents, Dimension, Label, Level, Links, Members, Node, Role, StructuralZero, Table, TableAxis, Unit},
    worlds::Rule,
};

/// One person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Person {
    /// For each dimension of the register the base leaf; that of the household size is not used.
    pub leaves: Vec<u32>,
    /// Key of the household.
    pub household: u32,
    /// Whether the record says that this is the head.
    pub is_head: bool,
}

/// The state of a register when it was published, or published again.
#[derive(Debug, Clone)]
pub struct Revision {
    /// Everybody.
    pub people: Vec<Person>,
    /// How many of [`Register::tables`] are published: later revisions may publish more.
    pub tables: usize,
    /// What it is protected by.
    pub rule: Rule,
}

/// A register small enough that everything that might be true of it can be looked at.
#[derive(Debug, Clone)]
pub struct Register {
    /// What it was made from.
    pub seed: u64,
    /// All dimensions.
    pub dimensions: Vec<Dimension>,
    /// All tables.
    pub tables: Vec<Table>,
    /// Fewest and most members by base leaf of the household size.
    pub sizes: Vec<Members>,
    /// Combinations that everybody knows to be impossible.
    pub zeros: Vec<StructuralZero>,
    /// What the tables of one unit tell of those of the other.
    pub links: Links,
    /// One or several revisions.
    pub revisions: Vec<Revision>,
}

/// A household with exactly one head: the only ones that are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Household<'a> {
    /// Its head.
    pub head: &'a Person,
    /// How many it has, the head included.
    pub members: u32,
}

impl Register {
    /// Position of a dimension.
    pub fn dimension(&self, id: &str) -> usize {
        self.dimensions.iter().position(|dimension| dimension.id == id).expect("tables and links name dimensions of the register")
    }

    /// Position of the household size, if any table shows it.
    pub fn size(&self) -> Option<usize> {
        self.dimensions.iter().position(|dimension| dimension.id == SIZE)
    }

    /// The tables that a revision publishes.
    pub fn tables_of(&self, revision: usize) -> &[Table] {
        &self.tables[..self.revisions[revision].tables]
    }

    /// Whether any table counts households.
    pub fn has_households(&self) -> bool {
        self.tables.iter().any(|table| table.unit == Unit::Household)
    }
}

/// The households of some people, by key: how many heads and members each has.
pub fn households(people: &[Person]) -> BTreeMap<u32, Vec<&Person>> {
    let mut households: BTreeMap<u32, Vec<&Person>> = BTreeMap::new();
    for person in people {
        households.entry(person.household).or_default().push(person);
    }
    households
}

/// Those with exactly one head.
pub fn counted_households<'p>(people: &'p [Person]) -> Vec<Household<'p>> {
    let household = |members: &Vec<&'p Person>| {
        let mut heads = members.iter().copied().filter(|member| member.is_head);
        match (heads.next(), heads.next()) {
            (Some(head), None) => Some(Household { head, members: members.len() as u32 }),
            _ => None,
        }
    };
    households(people).values().filter_map(household).collect()
}

/// Identifier of the household size.
pub const SIZE: &str = "size";

/// The leaves of a dimension and what lies below each node, worked out from the parents alone.
#[derive(Debug, Clone)]
pub struct Tree {
    /// Nodes without a node below them, in order: base leaves by number.
    pub leaves: Vec<u32>,
    /// For each node the numbers of the base leaves at or below it.
    pub below: Vec<Vec<u32>>,
}

impl Tree {
    /// Of a dimension.
    pub fn new(dimension: &Dimension) -> Self {
        let nodes = dimension.nodes.len() as u32;
        let is_leaf = |node: &u32| dimension.nodes.iter().all(|other| other.parent != Some(*node));
        let leaves: Vec<u32> = (0..nodes).filter(is_leaf).collect();
        let is_below = |leaf: u32, node: u32| {
            let mut at = Some(leaf);
            while let Some(step) = at {
                if step == node {
                    return true;
                }
                at = dimension.nodes[step as usize].parent;
            }
            false
        };
        let below = |node| (0..leaves.len() as u32).filter(|&leaf| is_below(leaves[leaf as usize], node)).collect();
        let below = (0..nodes).map(below).collect();
        Self { leaves, below }
    }
}

/// A dimension from (code, parent, level).
pub fn dimension(id: &str, levels: &[&str], nodes: &[(&str, Option<u32>, u8)]) -> Dimension {
    let node = |&(code, parent, level): &(&str, Option<u32>, u8)| Node {
        code: code.to_owned(),
        label: Label::same(code),
        parent,
        level,
        official: None,
        area: None,
    };
    Dimension {
        id: id.to_owned(),
        variable: id.to_owned(),
        label: Label::same(id),
        role: if id == "region" { Role::Geo } else { Role::Classification },
        sensitive: false,
        levels: levels.iter().map(|level| Level { id: (*level).to_owned(), label: Label::same(*level) }).collect(),
        nodes: nodes.iter().map(node).collect(),
        groupings: Vec::new(),
    }
}

/// A dimension of two levels: the total and its categories.
pub fn flat(id: &str, codes: &[&str]) -> Dimension {
    let nodes: Vec<_> = [("T", None, 0)].into_iter().chain(codes.iter().map(|code| (*code, Some(0), 1))).collect();
    dimension(id, &["total", id], &nodes)
}

/// A table from (dimension, level).
pub fn table(id: &str, unit: Unit, axes: &[(&str, &str)]) -> Table {
    Table {
        id: id.to_owned(),
        label: Label::same(id),
        description: Label::same(id),
        subject: Label::same("people"),
        unit,
        contents: Contents { code: "count".to_owned(), label: Label::same("count"), unit: Label::same("number") },
        axes: axes.iter().map(|(dimension, level)| TableAxis { dimension: (*dimension).to_owned(), level: (*level).to_owned() }).collect(),
        notes: Vec::new(),
    }
}
