//! What an attacker knows, as rows over whole numbers: see the description of the [module](super).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cacah::register::{Status, Unit};

use super::{
    counting::{Tally, covers, people_outside, size_leaf},
    register::{Register, Tree, counted_households},
    solver::{Row, System, UNBOUNDED},
};

/// What is published of one revision.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Which of [`Register::revisions`] it is.
    pub revision: usize,
    /// Everything that was counted.
    pub tally: Tally,
    /// Status of every cell of every published table.
    pub statuses: Vec<Vec<Status>>,
}

/// What an attacker may be assumed to know beside what is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beside {
    /// Whether he knows what is published at all: without it, what he knows before.
    pub published: bool,
    /// Whether he reasons about lists, and not about the sums of each table alone; only for registers without households.
    pub lists: bool,
    /// Whether he knows how many people live outside of counted households, and where.
    pub outside: bool,
    /// Most of any finest combination of people or of households.
    pub most: i32,
}

/// The finest combinations of one revision and one unit.
#[derive(Debug, Clone)]
pub struct Base {
    /// The dimensions that are combined.
    pub dimensions: Vec<usize>,
    /// For each possible combination the leaves, in the order of the dimensions, and its unknown.
    pub cells: Vec<(Vec<u32>, u32)>,
}

/// All that is known of some revisions, as one system.
#[derive(Debug, Clone)]
pub struct Knowledge {
    /// Unknowns and rows.
    pub system: System,
    /// The unknown of each cell: revision (as shown), table, cell.
    pub cells: Vec<Vec<Vec<u32>>>,
    /// For each revision (as shown) the finest combinations of people and of households.
    pub bases: Vec<[Base; 2]>,
    /// For each revision the place of every counted household's members (leaves of the shared dimensions) with the people outside.
    pub outside: Vec<BTreeMap<Vec<u32>, i32>>,
}

/// What a cell is of: the nodes of its dimensions, without totals, in the order of the dimensions.
type Nodes = Vec<(usize, u32)>;
/// A cell of one revision, of people or of households.
type Key = (usize, bool, Nodes);

fn without_totals(nodes: &[(usize, u32)]) -> Nodes {
    let mut nodes: Nodes = nodes.iter().copied().filter(|(_, node)| *node != 0).collect();
    nodes.sort_unstable();
    nodes
}

struct Builder<'a> {
    register: &'a Register,
    trees: Vec<Tree>,
    beside: Beside,
    system: System,
    /// The unknown that an unknown is the same as.
    same: Vec<u32>,
    bases: Vec<[Base; 2]>,
    keys: HashMap<Key, u32>,
}

impl Base {
    /// The leaves of a combination, by dimension of the register; zero where it says nothing.
    pub fn leaves(&self, register: &Register, cell: &[u32]) -> Vec<u32> {
        let mut leaves = vec![0; register.dimensions.len()];
        self.dimensions.iter().zip(cell).for_each(|(&dimension, &leaf)| leaves[dimension] = leaf);
        leaves
    }
}

impl Knowledge {
    /// Of these revisions.
    pub fn new(register: &Register, shown: &[Shown], beside: Beside) -> Self {
        let mut builder = Builder {
            register,
            trees: register.dimensions.iter().map(Tree::new).collect(),
            beside,
            system: System::default(),
            same: Vec::new(),
            bases: Vec::new(),
            keys: HashMap::new(),
        };
        let mut outside = Vec::new();
        let mut cells = Vec::new();
        for (at, shown) in shown.iter().enumerate() {
            builder.add_bases(shown);
            cells.push(builder.add_tables(at, shown));
            outside.push(builder.add_links(at, shown));
        }
        builder.tie(shown, &cells);
        builder.finish(cells, outside)
    }
}

impl Builder<'_> {
    fn unknown(&mut self, range: [i32; 2], truth: i32) -> u32 {
        self.same.push(self.same.len() as u32);
        self.system.unknown(range, truth)
    }

    fn row(&mut self, terms: Vec<(u32, i32)>, low: i32, high: i32) {
        self.system.rows.push(Row { terms, low, high });
    }

    fn root(&self, mut unknown: u32) -> u32 {
        while self.same[unknown as usize] != unknown {
            unknown = self.same[unknown as usize];
        }
        unknown
    }

    /// Two unknowns are the same number.
    fn equal(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        if a != b {
            self.same[b as usize] = a;
            let [low, high] = self.system.ranges[b as usize];
            self.restrict(a, [low, high]);
        }
    }

    fn restrict(&mut self, unknown: u32, [low, high]: [i32; 2]) {
        let unknown = self.root(unknown) as usize;
        let range = &mut self.system.ranges[unknown];
        *range = [range[0].max(low), range[1].min(high)];
    }

    /// The dimensions that tell people or households apart: those of their tables and of the links.
    fn base_dimensions(&self, shown: &Shown, unit: Unit) -> Vec<usize> {
        let register = self.register;
        let tables = shown.tally.tables.iter().filter(|counts| counts.table.unit == unit);
        let mut found: BTreeSet<usize> =
            tables.flat_map(|counts| &counts.table.axes).map(|axis| register.dimension(&axis.dimension)).collect();
        if !register.has_households() {
            return found.into_iter().collect();
        }
        for pair in &register.links.heads {
            found.insert(register.dimension(if unit == Unit::Person { &pair.person } else { &pair.head }));
        }
        for link in &register.links.members {
            found.extend(link.shared.iter().map(|id| register.dimension(id)));
            if unit == Unit::Household {
                found.insert(register.dimension(&link.size));
            }
        }
        found.into_iter().collect()
    }

    fn add_bases(&mut self, shown: &Shown) {
        let register = self.register;
        let people = &register.revisions[shown.revision].people;
        let base = [Unit::Person, Unit::Household].map(|unit| {
            let dimensions = self.base_dimensions(shown, unit);
            let mut truth: HashMap<Vec<u32>, i32> = HashMap::new();
            let mut count = |leaves: &[u32]| *truth.entry(dimensions.iter().map(|&at| leaves[at]).collect()).or_default() += 1;
            match unit {
                Unit::Person => people.iter().for_each(|person| count(&person.leaves)),
                Unit::Household if register.has_households() => {
                    for household in counted_households(people) {
                        let mut leaves = household.head.leaves.clone();
                        if let Some(size) = register.size() {
                            leaves[size] = size_leaf(register, household.members);
                        }
                        count(&leaves);
                    }
                }
                Unit::Household => return Base { dimensions: Vec::new(), cells: Vec::new() },
            }
            let mut combinations = vec![Vec::new()];
            for &at in &dimensions {
                let leaves = 0..self.trees[at].leaves.len() as u32;
                combinations = combinations
                    .into_iter()
                    .flat_map(|start: Vec<u32>| leaves.clone().map(move |leaf| [start.as_slice(), &[leaf]].concat()))
                    .collect();
            }
            combinations.retain(|leaves| {
                let nodes: Vec<(usize, u32)> =
                    dimensions.iter().zip(leaves).map(|(&at, &leaf)| (at, self.trees[at].leaves[leaf as usize])).collect();
                !register.zeros.iter().any(|zero| covers(register, &self.trees, zero, &nodes))
            });
            let most = self.beside.most;
            let mut add = |leaves: Vec<u32>| {
                let count = truth.get(&leaves).copied().unwrap_or(0);
                let unknown = self.unknown([0, most], count);
                (leaves, unknown)
            };
            let cells = combinations.into_iter().map(&mut add).collect();
            Base { dimensions, cells }
        });
        self.bases.push(base);
    }

    fn base(&self, at: usize, is_household: bool) -> &Base {
        &self.bases[at][usize::from(is_household)]
    }

    /// The finest combinations at or below some nodes.
    fn below(&self, at: usize, is_household: bool, nodes: &[(usize, u32)]) -> Vec<u32> {
        let Base { dimensions, cells } = self.base(at, is_household);
        let lies_below = |leaves: &[u32]| {
            nodes.iter().all(|&(of, node)| {
                let position = dimensions.iter().position(|&dimension| dimension == of).expect("bases have the dimensions of all tables");
                self.trees[of].below[node as usize].contains(&leaves[position])
            })
        };
        cells.iter().filter(|(leaves, _)| lies_below(leaves)).map(|(_, unknown)| *unknown).collect()
    }

    /// The unknown that is the count at some nodes.
    fn sum(&mut self, at: usize, is_household: bool, nodes: &[(usize, u32)], by_base: bool) -> u32 {
        let nodes = without_totals(nodes);
        let parts = self.below(at, is_household, &nodes);
        let key = (at, is_household, nodes);
        let is_new = !self.keys.contains_key(&key);
        let truth = parts.iter().map(|&part| self.system.preferred[part as usize]).sum();
        let unknown = match self.keys.get(&key) {
            Some(&unknown) => unknown,
            None => self.unknown([0, UNBOUNDED.min(self.beside.most.saturating_mul(parts.len() as i32))], truth),
        };
        self.keys.insert(key, unknown);
        if !self.beside.lists {
            return unknown;
        }
        if by_base && parts.len() == 1 {
            self.equal(parts[0], unknown);
        } else if by_base || is_new && parts.is_empty() {
            let terms = [(unknown, -1)].into_iter().chain(parts.into_iter().map(|part| (part, 1))).collect();
            self.row(terms, 0, 0);
        }
        unknown
    }

    fn add_tables(&mut self, at: usize, shown: &Shown) -> Vec<Vec<u32>> {
        let mut all = Vec::new();
        for (counts, statuses) in shown.tally.tables.iter().zip(&shown.statuses) {
            let is_household = counts.table.unit == Unit::Household;
            let axes = || counts.shape.axes.iter().zip(&counts.shape.strides).map(|(axis, stride)| (axis, *stride as usize));
            let position = |cell: usize, (axis, stride): (&std::sync::Arc<cacah::register::Axis>, usize)| cell / stride % axis.nodes.len();
            let is_finest = |cell: usize| axes().all(|of| of.0.leaves.contains(&(position(cell, of) as u32)));
            let unknowns: Vec<u32> =
                (0..counts.counts.len()).map(|cell| self.sum(at, is_household, &counts.nodes[cell], is_finest(cell))).collect();
            for (cell, &unknown) in unknowns.iter().enumerate() {
                let count = counts.counts[cell] as i32;
                match statuses[cell] {
                    _ if !self.beside.published => {}
                    Status::Published => self.restrict(unknown, [count, count]),
                    Status::Impossible => self.restrict(unknown, [0, 0]),
                    Status::Suppressed => {}
                }
                for of in axes() {
                    let own = position(cell, of) as u32;
                    let children: Vec<usize> = (0..of.0.nodes.len()).filter(|&child| of.0.parents[child] == Some(own)).collect();
                    if let [child] = children[..] {
                        self.equal(unknowns[cell - own as usize * of.1 + child * of.1], unknown);
                    } else if !children.is_empty() {
                        let part = |child| (unknowns[cell - own as usize * of.1 + child * of.1], 1);
                        let terms = [(unknown, -1)].into_iter().chain(children.into_iter().map(part)).collect();
                        self.row(terms, 0, 0);
                    }
                }
            }
            all.push(unknowns);
        }
        all
    }

    /// Members of households and people outside make the people of every place; heads are people.
    fn add_links(&mut self, at: usize, shown: &Shown) -> BTreeMap<Vec<u32>, i32> {
        let register = self.register;
        if !register.has_households() {
            return BTreeMap::new();
        }
        let outside = people_outside(register, shown.revision);
        for link in &register.links.members {
            let shared: Vec<usize> = link.shared.iter().map(|id| register.dimension(id)).collect();
            let size = register.dimension(&link.size);
            for place in self.combinations(&shared) {
                let nodes: Vec<(usize, u32)> =
                    shared.iter().zip(&place).map(|(&of, &leaf)| (of, self.trees[of].leaves[leaf as usize])).collect();
                let people = self.sum(at, false, &nodes, true);
                let (mut least, mut most) = (vec![(people, 1)], vec![(people, 1)]);
                for (leaf, members) in link.members.iter().enumerate() {
                    let of_size = [nodes.as_slice(), &[(size, self.trees[size].leaves[leaf])]].concat();
                    let households = self.sum(at, true, &of_size, true);
                    if members.most == Some(0) {
                        self.restrict(households, [0, 0]);
                    }
                    // Nobody makes no household.
                    least.push((households, -(members.least.max(1) as i32)));
                    // Where sizes are open upwards one household can hold everybody.
                    most.push((households, -members.most.map_or(EVERYBODY, |most| most as i32)));
                }
                if self.beside.outside {
                    let outside = outside.get(&place).copied().unwrap_or(0);
                    self.row(least, outside, UNBOUNDED);
                    self.row(most, -UNBOUNDED, outside);
                } else {
                    self.row(least, 0, UNBOUNDED);
                }
            }
        }
        self.add_heads(at);
        outside
    }

    fn add_heads(&mut self, at: usize) {
        let register = self.register;
        // People who could be a head, by what pairs and shared dimensions tell of both.
        let mut pairs: Vec<(usize, usize, Vec<u32>)> = Vec::new();
        for pair in &register.links.heads {
            pairs.push((register.dimension(&pair.head), register.dimension(&pair.person), pair.classes.clone()));
        }
        for id in register.links.members.iter().flat_map(|link| &link.shared) {
            let shared = register.dimension(id);
            if !pairs.iter().any(|(head, _, _)| *head == shared) {
                pairs.push((shared, shared, (0..self.trees[shared].leaves.len() as u32).collect()));
            }
        }
        let [people, households] = self.bases[at].clone();
        let mut rows: BTreeMap<Vec<u32>, Vec<(u32, i32)>> = BTreeMap::new();
        for (leaves, unknown) in &households.cells {
            let leaf = |of: usize| leaves[households.dimensions.iter().position(|&dimension| dimension == of).expect("heads have it")];
            rows.entry(pairs.iter().map(|(head, _, _)| leaf(*head)).collect()).or_default().push((*unknown, -1));
        }
        for (leaves, unknown) in &people.cells {
            let leaf = |of: usize| leaves[people.dimensions.iter().position(|&dimension| dimension == of).expect("people have it")];
            let class = |(_, person, classes): &(usize, usize, Vec<u32>)| classes[leaf(*person) as usize];
            rows.entry(pairs.iter().map(class).collect()).or_default().push((*unknown, 1));
        }
        for (_, terms) in rows {
            if terms.iter().any(|(_, factor)| *factor < 0) {
                self.row(terms, 0, UNBOUNDED);
            }
        }
    }

    fn combinations(&self, dimensions: &[usize]) -> Vec<Vec<u32>> {
        dimensions.iter().fold(vec![Vec::new()], |all, &at| {
            let leaves = 0..self.trees[at].leaves.len() as u32;
            all.into_iter().flat_map(|start| leaves.clone().map(move |leaf| [start.as_slice(), &[leaf]].concat())).collect()
        })
    }

    /// What a correction has not touched is the same number before and after.
    fn tie(&mut self, shown: &[Shown], cells: &[Vec<Vec<u32>>]) {
        let mut alike: HashMap<(bool, Nodes, u32), u32> = HashMap::new();
        for (shown, cells) in shown.iter().zip(cells) {
            for (counts, cells) in shown.tally.tables.iter().zip(cells) {
                let is_household = counts.table.unit == Unit::Household;
                for ((nodes, &count), &cell) in counts.nodes.iter().zip(&counts.counts).zip(cells) {
                    let first = *alike.entry((is_household, without_totals(nodes), count)).or_insert(cell);
                    self.equal(first, cell);
                }
            }
        }
    }

    fn finish(self, cells: Vec<Vec<Vec<u32>>>, outside: Vec<BTreeMap<Vec<u32>, i32>>) -> Knowledge {
        let mut system = System::default();
        let mut number = vec![u32::MAX; self.same.len()];
        for unknown in 0..self.same.len() as u32 {
            if self.root(unknown) == unknown {
                number[unknown as usize] = system.unknown(self.system.ranges[unknown as usize], self.system.preferred[unknown as usize]);
            }
        }
        let renumber = |unknown: u32| number[self.root(unknown) as usize];
        let mut rows = BTreeSet::new();
        for Row { terms, low, high } in &self.system.rows {
            let mut merged: BTreeMap<u32, i32> = BTreeMap::new();
            for &(unknown, factor) in terms {
                *merged.entry(renumber(unknown)).or_default() += factor;
            }
            let terms: Vec<(u32, i32)> = merged.into_iter().filter(|(_, factor)| *factor != 0).collect();
            if !terms.is_empty() || !(*low..=*high).contains(&0) {
                rows.insert(Row { terms, low: *low, high: *high });
            }
        }
        system.rows = rows.into_iter().collect();
        system.index();
        let cells = cells.into_iter().map(|tables| tables.into_iter().map(|cells| cells.into_iter().map(renumber).collect()).collect());
        let bases = self.bases.iter().cloned().map(|bases| {
            bases.map(|base| Base {
                cells: base.cells.into_iter().map(|(leaves, unknown)| (leaves, renumber(unknown))).collect(),
                dimensions: base.dimensions,
            })
        });
        Knowledge { cells: cells.collect(), bases: bases.collect(), system, outside }
    }
}

/// More people than any system allows.
const EVERYBODY: i32 = 10_000;
