//! Counts from the definition of a table: of every cell, whoever lies at or below its nodes.

use std::collections::{BTreeMap, BTreeSet};

use cacah::{
    register::{Shape, StructuralZero, Table, Unit, ZeroMask, member_tables},
    worlds::{Census, Counted, Rule},
};

use super::register::{Person, Register, Tree, counted_households};

/// What is counted in a table: base leaves by dimension of the register, and the household.
struct Record {
    leaves: Vec<u32>,
    household: u32,
    weight: u32,
}

/// A counted table.
#[derive(Debug, Clone)]
pub struct Counts {
    /// The table.
    pub table: Table,
    /// The numbering of its cells.
    pub shape: Shape,
    /// For each cell the node of each axis: position of the dimension, position of the node.
    pub nodes: Vec<Vec<(usize, u32)>>,
    /// The true count of every cell.
    pub counts: Vec<u32>,
    /// How many households the people of every cell come from; of a table of households the count.
    pub contributors: Vec<u32>,
    /// Cells that cannot occur.
    pub impossible: Vec<bool>,
    /// Numbers of the cells that come from fewer households than the rule asks for.
    few: Vec<u32>,
    zeros: ZeroMask,
}

/// Everything that is counted of one revision.
#[derive(Debug, Clone)]
pub struct Tally {
    /// The tables that are published.
    pub tables: Vec<Counts>,
    /// Joint tables of both units.
    pub joint: Vec<Counts>,
    /// Members of counted households.
    pub members: Vec<Counts>,
}

impl Tally {
    /// Counts one revision. Cells with fewer than `contributors` households are marked as such.
    pub fn new(register: &Register, revision: usize, contributors: u32) -> Self {
        let people = &register.revisions[revision].people;
        let published = register.tables_of(revision);
        let trees: Vec<Tree> = register.dimensions.iter().map(Tree::new).collect();
        let of = |table: &Table| count(register, &trees, people, table, contributors);
        let joint = cacah::register::joint_tables(published, &register.links, &register.dimensions);
        let members = member_tables(&register.links, published, &register.dimensions);
        let members = members.into_iter().map(|table| {
            let records = counted_households(people).into_iter().map(|household| Record {
                leaves: household.head.leaves.clone(),
                household: household.head.household,
                weight: household.members,
            });
            add_up(register, &trees, &records.collect::<Vec<_>>(), &table, 1)
        });
        Self { tables: published.iter().map(of).collect(), joint: joint.iter().map(of).collect(), members: members.collect() }
    }

    /// The tables as protection and audit take them.
    pub fn counted(of: &[Counts]) -> Vec<Counted<'_>> {
        of.iter().map(|Counts { table, shape, zeros, counts, few, .. }| Counted { table, shape, zeros, counts, few }).collect()
    }
}

/// Owns what a [`Census`] borrows.
pub struct Borrowed<'a> {
    tables: Vec<Counted<'a>>,
    joint: Vec<Counted<'a>>,
    members: Vec<Counted<'a>>,
}

impl<'a> Borrowed<'a> {
    /// Of a tally.
    pub fn new(tally: &'a Tally) -> Self {
        Self { tables: Tally::counted(&tally.tables), joint: Tally::counted(&tally.joint), members: Tally::counted(&tally.members) }
    }

    /// What protection takes.
    pub fn census<'b>(&'b self, register: &'b Register) -> Census<'b> {
        Census {
            tables: &self.tables,
            joint: &self.joint,
            members: &self.members,
            links: &register.links,
            dimensions: &register.dimensions,
        }
    }
}

fn count(register: &Register, trees: &[Tree], people: &[Person], table: &Table, contributors: u32) -> Counts {
    let records: Vec<Record> = match table.unit {
        Unit::Person => {
            people.iter().map(|person| Record { leaves: person.leaves.clone(), household: person.household, weight: 1 }).collect()
        }
        Unit::Household => counted_households(people)
            .into_iter()
            .map(|household| {
                let mut leaves = household.head.leaves.clone();
                if let Some(size) = register.size() {
                    leaves[size] = size_leaf(register, household.members);
                }
                Record { leaves, household: household.head.household, weight: 1 }
            })
            .collect(),
    };
    add_up(register, trees, &records, table, contributors)
}

/// The base leaf of the household size that so many members fall into.
pub fn size_leaf(register: &Register, members: u32) -> u32 {
    let leaf = register.sizes.iter().rposition(|size| size.least <= members && size.most != Some(0));
    leaf.expect("the smallest size begins at one member") as u32
}

/// Where people live who are in no counted household: by leaves of the shared dimensions.
pub fn people_outside(register: &Register, revision: usize) -> BTreeMap<Vec<u32>, i32> {
    let Some(link) = register.links.members.first() else { return BTreeMap::new() };
    let shared: Vec<usize> = link.shared.iter().map(|id| register.dimension(id)).collect();
    let place = |person: &Person| shared.iter().map(|&at| person.leaves[at]).collect::<Vec<_>>();
    let mut outside: BTreeMap<Vec<u32>, i32> = BTreeMap::new();
    let people = &register.revisions[revision].people;
    for person in people {
        *outside.entry(place(person)).or_default() += 1;
    }
    for household in counted_households(people) {
        *outside.entry(place(household.head)).or_default() -= household.members as i32;
    }
    outside
}

fn add_up(register: &Register, trees: &[Tree], records: &[Record], table: &Table, contributors: u32) -> Counts {
    let shape = Shape::new(table, &register.dimensions).expect("tables of tiny registers are sound");
    let dimensions: Vec<usize> = table.axes.iter().map(|axis| register.dimension(&axis.dimension)).collect();
    let (mut all_nodes, mut counts, mut impossible, mut distinct) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for cell in 0..shape.cells {
        let axes = dimensions.iter().zip(shape.axes.iter().zip(&shape.strides));
        let nodes: Vec<(usize, u32)> =
            axes.map(|(&dimension, (axis, stride))| (dimension, axis.nodes[(cell / stride) as usize % axis.nodes.len()])).collect();
        let is_in = |record: &&Record| nodes.iter().all(|&(at, node)| trees[at].below[node as usize].contains(&record.leaves[at]));
        let found: Vec<&Record> = records.iter().filter(is_in).collect();
        counts.push(found.iter().map(|record| record.weight).sum());
        distinct.push(found.iter().map(|record| record.household).collect::<BTreeSet<u32>>().len() as u32);
        impossible.push(register.zeros.iter().any(|zero| covers(register, trees, zero, &nodes)));
        all_nodes.push(nodes);
    }
    let is_few = |&cell: &u32| table.unit == Unit::Person && counts[cell as usize] > 0 && distinct[cell as usize] < contributors;
    let few = (0..counts.len() as u32).filter(is_few).collect();
    let zeros = ZeroMask::new(table, &shape, &register.zeros);
    Counts { table: table.clone(), shape, nodes: all_nodes, counts, contributors: distinct, impossible, few, zeros }
}

/// Whether all that lies below some nodes is impossible by one rule, as far as the nodes tell: whether all its dimensions are among them.
pub fn covers(register: &Register, trees: &[Tree], zero: &StructuralZero, nodes: &[(usize, u32)]) -> bool {
    zero.sides.iter().all(|side| {
        let dimension = register.dimension(&side.dimension);
        let node = nodes.iter().find(|(at, _)| *at == dimension);
        node.is_some_and(|&(_, node)| trees[dimension].below[node as usize].iter().all(|&leaf| side.leaves[leaf as usize]))
    })
}

/// Why a cell must not be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Its count is small.
    Small,
    /// Its people come from too few households.
    Few,
    /// It holds all of a small group; position of the axis in the table.
    Group(usize),
}

/// Every reason why cells of a table must not be published, with the cell.
pub fn primaries(counts: &Counts, rule: &Rule) -> Vec<(usize, Reason)> {
    let mut found = Vec::new();
    for (cell, &count) in counts.counts.iter().enumerate() {
        if count == 0 {
            continue;
        }
        if count < rule.threshold {
            found.push((cell, Reason::Small));
        } else if counts.table.unit == Unit::Person && counts.contributors[cell] < rule.contributors {
            found.push((cell, Reason::Few));
        }
        let Some(group) = rule.group.as_ref().filter(|group| count < group.below) else { continue };
        for (at, axis) in counts.table.axes.iter().enumerate() {
            let others = siblings(counts, cell, at);
            let whole: u32 = count + others.iter().map(|&other| counts.counts[other]).sum::<u32>();
            // Where nothing else can occur everybody knows it.
            if group.dimensions.contains(&axis.dimension) && whole == count && others.iter().any(|&other| !counts.impossible[other]) {
                found.push((cell, Reason::Group(at)));
            }
        }
    }
    found
}

/// Cells that differ from a cell in the node of one axis, which has the same parent; none for the total.
pub fn siblings(counts: &Counts, cell: usize, at: usize) -> Vec<usize> {
    let (axis, stride) = (&counts.shape.axes[at], counts.shape.strides[at] as usize);
    let own = cell / stride % axis.nodes.len();
    let Some(parent) = axis.parents[own] else { return Vec::new() };
    let alike = |&other: &usize| other != own && axis.parents[other] == Some(parent);
    (0..axis.nodes.len()).filter(alike).map(|other| cell - own * stride + other * stride).collect()
}
