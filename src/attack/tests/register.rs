//! Tiny registers for tests: lists of people and households, tables of them, and what is published.

use crate::{
    attack::{CellRef, Effort, Facts, Failure, Findings, JointTable, Outside, Publication, PublishedTable, attack},
    register::{
        Contents, Dimension, HeadPair, Label, Level, Links, Members, MembersLink, Node, Role, Shape, Status, Table, TableAxis, Unit,
    },
};

/// A fixed sequence of numbers that looks random.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, below: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % u64::from(below)) as u32
    }

    pub fn happens(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }
}

/// A dimension: `parents[i]` is the node above node `i + 1`, whose level is one below it.
pub fn dimension(id: &str, role: Role, parents: &[u32]) -> Dimension {
    let label = Label::same;
    let mut nodes = vec![Node { code: "T".into(), label: label("T"), parent: None, level: 0, official: None, area: None }];
    for (at, &parent) in parents.iter().enumerate() {
        let level = nodes[parent as usize].level + 1;
        nodes.push(Node { code: format!("{id}{}", at + 1), label: label("-"), parent: Some(parent), level, official: None, area: None });
    }
    let depth = nodes.iter().map(|node| node.level).max().unwrap();
    let level = |at: u8| Level { id: format!("L{at}"), label: label("-") };
    Dimension {
        id: id.into(),
        variable: id.into(),
        label: label(id),
        role,
        sensitive: false,
        levels: (0..=depth).map(level).collect(),
        nodes,
        groupings: Vec::new(),
    }
}

/// A table over some dimensions, each down to a level.
pub fn table(id: &str, unit: Unit, axes: &[(&str, u8)]) -> Table {
    let label = || Label::same("-");
    let axis = |(dimension, level): &(&str, u8)| TableAxis { dimension: (*dimension).into(), level: format!("L{level}") };
    Table {
        id: id.into(),
        label: label(),
        description: label(),
        subject: label(),
        unit,
        contents: Contents { code: "n".into(), label: label(), unit: label() },
        axes: axes.iter().map(axis).collect(),
        notes: Vec::new(),
    }
}

/// One revision: for each table the counts of its cells and what is said of them.
#[derive(Debug, Clone)]
pub struct Revision {
    pub counts: Vec<Vec<u32>>,
    pub statuses: Vec<Vec<Status>>,
    /// True counts of the joint tables.
    pub joint: Vec<Vec<u32>>,
}

/// A register with everything that is published of it.
#[derive(Debug)]
pub struct Register {
    pub dimensions: Vec<Dimension>,
    pub tables: Vec<Table>,
    pub joint: Vec<Table>,
    pub links: Links,
    pub revisions: Vec<Revision>,
}

impl Register {
    pub fn shape(&self, table: &Table) -> Shape {
        Shape::new(table, &self.dimensions).unwrap()
    }

    pub fn shapes(&self) -> Vec<Shape> {
        self.tables.iter().chain(&self.joint).map(|table| self.shape(table)).collect()
    }

    pub fn publications<'a>(&'a self, shapes: &'a [Shape], revisions: &'a [Revision]) -> Vec<Publication<'a>> {
        let publication = |revision: &'a Revision| {
            let shown = self.tables.iter().zip(shapes).zip(revision.statuses.iter().zip(&revision.counts));
            let tables = shown.map(|((table, shape), (statuses, counts))| PublishedTable { table, shape, statuses, counts });
            let joint = self.joint.iter().zip(&shapes[self.tables.len()..]);
            let joint = joint.map(|(table, shape)| JointTable { table, shape, zeros: None });
            Publication { tables: tables.collect(), joint: joint.collect() }
        };
        revisions.iter().map(publication).collect()
    }

    /// The true count of a cell.
    pub fn count(&self, cell: CellRef) -> u32 {
        let revision = &self.revisions[usize::from(cell.publication)];
        let at = usize::from(cell.table);
        revision.counts.get(at).unwrap_or_else(|| &revision.joint[at - revision.counts.len()])[cell.cell as usize]
    }

    /// Attacks it, knowing which cells of two revisions have the same count, and hands facts and findings on.
    pub fn attacked<R>(
        &self,
        outside: Outside<'_>,
        effort: &Effort,
        then: impl FnOnce(&Facts<'_>, Result<Findings<'_>, Failure>) -> R,
    ) -> R {
        let shapes = self.shapes();
        let mut published = self.revisions.clone();
        // Nobody may look at what is withheld.
        for revision in &mut published {
            for (counts, statuses) in revision.counts.iter_mut().zip(&revision.statuses) {
                counts.iter_mut().zip(statuses).filter(|(_, status)| **status == Status::Suppressed).for_each(|(count, _)| *count = 4_242);
            }
        }
        let publications = self.publications(&shapes, &published);
        let same_count = |a: CellRef, b: CellRef| self.count(a) == self.count(b);
        let facts =
            Facts { publications: &publications, dimensions: &self.dimensions, links: &self.links, outside, same_count: &same_count };
        then(&facts, attack(&facts, effort, &|_, _, _| {}))
    }

    /// All cells of all tables of all revisions, joint ones included.
    pub fn cells(&self) -> Vec<CellRef> {
        let mut cells = Vec::new();
        for publication in 0..self.revisions.len() as u16 {
            for (table, shape) in (0..).zip(self.shapes()) {
                cells.extend((0..shape.cells as u32).map(|cell| CellRef { publication, table, cell }));
            }
        }
        cells
    }
}

/// A person: a base leaf of each dimension of people. A household: its members, the first of which is the head.
type Household = Vec<Vec<u32>>;

/// What random registers are like.
#[derive(Debug, Clone, Copy)]
pub struct Sort {
    pub revisions: u32,
    pub has_households: bool,
    pub has_joint: bool,
    /// Households in a village at most.
    pub households: u32,
}

/// A random register of a few villages, sexes and faiths, its households of up to three members, `sizes` of which the last is open.
pub fn random(random: &mut Random, sort: Sort) -> Register {
    let region: &[u32] = [&[0, 0][..], &[0, 0, 0], &[0, 1, 1, 0]][random.below(3) as usize];
    let faith: &[u32] = [&[0, 0][..], &[0, 0, 0]][random.below(2) as usize];
    let dimensions = vec![
        dimension("region", Role::Geo, region),
        dimension("sex", Role::Classification, &[0, 0]),
        dimension("faith", Role::Classification, faith),
        dimension("size", Role::Classification, &[0, 0, 0]),
    ];
    let finest = dimensions[0].finest();
    let person = |id: &str, axes: &[(&str, u8)]| table(id, Unit::Person, axes);
    let mut tables = match random.below(3) {
        0 => vec![person("a", &[("region", finest), ("sex", 1)])],
        1 => vec![person("a", &[("region", finest), ("sex", 1)]), person("b", &[("region", finest), ("faith", 1)])],
        _ => vec![person("a", &[("region", 1), ("sex", 1), ("faith", 1)]), person("b", &[("region", finest)])],
    };
    let mut links = Links::default();
    if sort.has_households {
        tables.push(match random.below(2) {
            0 => table("h", Unit::Household, &[("region", finest), ("size", 1)]),
            _ => table("h", Unit::Household, &[("region", 1), ("size", 1), ("sex", 1)]),
        });
        let member = |least: u32, most: u32| Members { least, most: Some(most) };
        let members = vec![member(1, 1), member(2, 2), member(3, 3 + random.below(2))];
        links.members.push(MembersLink { size: "size".into(), shared: vec!["region".into()], members });
        for id in ["region", "sex", "faith"] {
            let at = dimensions.iter().position(|dimension| dimension.id == id).unwrap();
            let classes = (0..dimensions[at].base_leaves().len() as u32).collect();
            links.heads.push(HeadPair { head: id.into(), person: id.into(), classes });
        }
    }
    let joint = if sort.has_joint { crate::register::joint_tables(&tables, &links, &dimensions) } else { Vec::new() };
    let mut register = Register { dimensions, tables, joint, links, revisions: Vec::new() };
    let mut households: Vec<Household> = Vec::new();
    for village in 0..register.dimensions[0].base_leaves().len() as u32 {
        for _ in 0..random.below(sort.households + 1) {
            let members = 1 + random.below(3);
            households.push((0..members).map(|_| vec![village, random.below(2), random.below(faith.len() as u32)]).collect());
        }
    }
    let withheld = 50 + random.below(50);
    for _ in 0..sort.revisions {
        let revision = register.publish(random, &households, withheld);
        register.revisions.push(revision);
        if random.happens(50) && !households.is_empty() {
            // Somebody is moved, and his household with him.
            let at = random.below(households.len() as u32) as usize;
            let village = random.below(register.dimensions[0].base_leaves().len() as u32);
            households[at].iter_mut().for_each(|person| person[0] = village);
        }
    }
    register
}

impl Register {
    fn publish(&self, random: &mut Random, households: &[Household], withheld: u32) -> Revision {
        let count = |table: &Table| {
            let shape = self.shape(table);
            let mut counts = vec![0u32; shape.cells as usize];
            let mut add = |leaves: &[u32]| {
                for cell in 0..shape.cells {
                    let within = shape.axes.iter().zip(shape.coordinates(cell)).zip(&table.axes).all(|((axis, position), of_axis)| {
                        let at = self.dimensions.iter().position(|dimension| dimension.id == of_axis.dimension).unwrap();
                        axis.bases[position as usize].contains(&leaves[at])
                    });
                    counts[cell as usize] += u32::from(within);
                }
            };
            for household in households {
                match table.unit {
                    Unit::Person => household.iter().for_each(|person| add(&[&person[..], &[0]].concat())),
                    Unit::Household => add(&[&household[0][..], &[household.len() as u32 - 1]].concat()),
                }
            }
            counts
        };
        let counts: Vec<Vec<u32>> = self.tables.iter().map(count).collect();
        // A cell that several tables show is mostly withheld in all of them.
        let mut chosen: std::collections::HashMap<(Unit, Vec<(String, u32)>), bool> = std::collections::HashMap::new();
        let mut statuses = Vec::new();
        for table in &self.tables {
            let shape = self.shape(table);
            let status = |cell: u64| {
                let named = |((axis, position), of_axis): ((&std::sync::Arc<crate::register::Axis>, u32), &TableAxis)| {
                    (of_axis.dimension.clone(), axis.nodes[position as usize])
                };
                let nodes = shape.axes.iter().zip(shape.coordinates(cell)).zip(&table.axes).map(named);
                let mut nodes: Vec<(String, u32)> = nodes.filter(|(_, node)| *node != 0).collect();
                nodes.sort();
                // All of the people and all of the households are published, so that every range is limited.
                let is_total = nodes.is_empty();
                let is_withheld = *chosen.entry((table.unit, nodes)).or_insert_with(|| !is_total && random.happens(withheld));
                if is_withheld && !random.happens(3) { Status::Suppressed } else { Status::Published }
            };
            statuses.push((0..shape.cells).map(status).collect());
        }
        Revision { counts, statuses, joint: self.joint.iter().map(count).collect() }
    }
}
