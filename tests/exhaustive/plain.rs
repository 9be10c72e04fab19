//! Enumerates every solution, as plainly as can be: to check the search, and the reasoning that it rests on.
//!
//! Nothing is shared with [`super::knowledge`] and [`super::solver`]: unknowns are the finest combinations alone, every published cell is a
//! sum of them, and numbers are tried one after the other from zero.

use std::collections::BTreeMap;

use cacah::register::{Status, Unit};

use super::{
    counting::{covers, people_outside},
    knowledge::Shown,
    register::{Register, Tree},
};

/// People, or households, of one finest combination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Combination {
    /// Position among the revisions shown.
    pub shown: usize,
    /// People or households.
    pub unit: Unit,
    /// Base leaf by dimension.
    pub leaves: BTreeMap<usize, u32>,
}

/// `low <= sum of factor x number <= high`.
struct Fact {
    terms: Vec<(usize, i32)>,
    low: i32,
    high: i32,
}

/// All finest combinations of some revisions, and all that is known of their numbers.
pub struct Plain {
    /// The combinations: a solution has a number for each.
    pub combinations: Vec<Combination>,
    facts: Vec<Fact>,
}

const ANY: i32 = 1_000_000;

impl Plain {
    /// Of these revisions.
    pub fn new(register: &Register, shown: &[Shown]) -> Self {
        let trees: Vec<Tree> = register.dimensions.iter().map(Tree::new).collect();
        let mut plain = Self { combinations: Vec::new(), facts: Vec::new() };
        for (at, of) in shown.iter().enumerate() {
            for unit in [Unit::Person, Unit::Household] {
                plain.combine(register, &trees, at, of, unit);
            }
        }
        let mut cells = Vec::new();
        for (at, of) in shown.iter().enumerate() {
            for (table, counts) in of.tally.tables.iter().enumerate() {
                for (cell, nodes) in counts.nodes.iter().enumerate() {
                    let parts = plain.parts(&trees, at, counts.table.unit, nodes);
                    let count = counts.counts[cell] as i32;
                    if of.statuses[table][cell] == Status::Published {
                        plain.facts.push(Fact { terms: parts.iter().map(|&part| (part, 1)).collect(), low: count, high: count });
                    }
                    let meaning: BTreeMap<usize, u32> = nodes.iter().copied().filter(|(_, node)| *node != 0).collect();
                    cells.push((counts.table.unit, meaning, count, at, parts));
                }
            }
            plain.link(register, at, of);
        }
        for (unit, nodes, count, at, parts) in &cells {
            // The same cell, in another revision, with the same count.
            for other in cells.iter().filter(|other| other.3 > *at && (other.0, &other.1, other.2) == (*unit, nodes, *count)) {
                let terms = parts.iter().map(|&part| (part, 1)).chain(other.4.iter().map(|&part| (part, -1))).collect();
                plain.facts.push(Fact { terms, low: 0, high: 0 });
            }
        }
        plain
    }

    fn combine(&mut self, register: &Register, trees: &[Tree], at: usize, of: &Shown, unit: Unit) {
        let is_shown = |id: &str| {
            let mut tables = of.tally.tables.iter().filter(|counts| counts.table.unit == unit);
            tables.any(|counts| counts.table.axes.iter().any(|axis| axis.dimension == id))
        };
        let is_linked = |id: &str| {
            let in_heads = register.links.heads.iter().any(|pair| if unit == Unit::Person { pair.person == id } else { pair.head == id });
            let in_members = |link: &cacah::register::MembersLink| {
                link.shared.iter().any(|shared| shared == id) || unit == Unit::Household && link.size == id
            };
            in_heads || register.links.members.iter().any(in_members)
        };
        if unit == Unit::Household && !register.has_households() {
            return;
        }
        let mut all: Vec<BTreeMap<usize, u32>> = vec![BTreeMap::new()];
        for (dimension, tree) in trees.iter().enumerate() {
            let id = &register.dimensions[dimension].id;
            if is_shown(id) || is_linked(id) {
                let with = |leaves: BTreeMap<usize, u32>| {
                    (0..tree.leaves.len() as u32)
                        .map(move |leaf| leaves.iter().map(|(&at, &leaf)| (at, leaf)).chain([(dimension, leaf)]).collect())
                };
                all = all.into_iter().flat_map(with).collect();
            }
        }
        let is_possible = |leaves: &BTreeMap<usize, u32>| {
            let nodes: Vec<(usize, u32)> = leaves.iter().map(|(&at, &leaf)| (at, trees[at].leaves[leaf as usize])).collect();
            !register.zeros.iter().any(|zero| covers(register, trees, zero, &nodes))
        };
        self.combinations.extend(all.into_iter().filter(is_possible).map(|leaves| Combination { shown: at, unit, leaves }));
    }

    /// Positions of the combinations that lie at or below some nodes.
    pub fn parts(&self, trees: &[Tree], at: usize, unit: Unit, nodes: &[(usize, u32)]) -> Vec<usize> {
        let is_part = |combination: &Combination| {
            let lies_below = |&(of, node): &(usize, u32)| trees[of].below[node as usize].contains(&combination.leaves[&of]);
            combination.shown == at && combination.unit == unit && nodes.iter().all(lies_below)
        };
        (0..self.combinations.len()).filter(|&part| is_part(&self.combinations[part])).collect()
    }

    fn link(&mut self, register: &Register, at: usize, of: &Shown) {
        if !register.has_households() {
            return;
        }
        let of_unit = |unit: Unit| {
            let combinations = self.combinations.iter().enumerate();
            combinations.filter(move |(_, combination)| (combination.shown, combination.unit) == (at, unit)).map(|(part, _)| part)
        };
        let mut facts = Vec::new();
        let outside = people_outside(register, of.revision);
        for link in &register.links.members {
            let (size, shared) = (register.dimension(&link.size), link.shared.iter().map(|id| register.dimension(id)).collect::<Vec<_>>());
            let place = |part: usize| shared.iter().map(|dimension| self.combinations[part].leaves[dimension]).collect::<Vec<u32>>();
            let mut places: Vec<Vec<u32>> = of_unit(Unit::Person).chain(of_unit(Unit::Household)).map(place).collect();
            places.sort();
            places.dedup();
            for here in places {
                let people = of_unit(Unit::Person).filter(|&part| place(part) == here).map(|part| (part, 1));
                let households = || of_unit(Unit::Household).filter(|&part| place(part) == here);
                let members = |part: usize| link.members[self.combinations[part].leaves[&size] as usize];
                let least = people.clone().chain(households().map(|part| (part, -(members(part).least.max(1) as i32)))).collect();
                let most =
                    people.chain(households().map(|part| (part, -members(part).most.map_or(ANY / 1000, |most| most as i32)))).collect();
                let alone = outside.get(&here).copied().unwrap_or(0);
                facts.push(Fact { terms: least, low: alone, high: ANY });
                facts.push(Fact { terms: most, low: -ANY, high: alone });
            }
        }
        // What is said of a head, and of anybody, in the same words.
        let said = |part: usize| -> Vec<u32> {
            let Combination { unit, leaves, .. } = &self.combinations[part];
            let of_pairs = register.links.heads.iter().map(|pair| match unit {
                Unit::Household => leaves[&register.dimension(&pair.head)],
                Unit::Person => pair.classes[leaves[&register.dimension(&pair.person)] as usize],
            });
            let of_places = register.links.members.iter().flat_map(|link| &link.shared).map(|id| leaves[&register.dimension(id)]);
            of_pairs.chain(of_places).collect()
        };
        let mut words: Vec<Vec<u32>> = of_unit(Unit::Household).map(said).collect();
        words.sort();
        words.dedup();
        for word in words {
            let people = of_unit(Unit::Person).filter(|&part| said(part) == word).map(|part| (part, 1));
            let heads = of_unit(Unit::Household).filter(|&part| said(part) == word).map(|part| (part, -1));
            facts.push(Fact { terms: people.chain(heads).collect(), low: 0, high: ANY });
        }
        self.facts.extend(facts);
    }

    /// Visits every solution in which no number is larger than `most`; whether that took no more than so many steps.
    pub fn each_solution(&self, most: i32, steps: u64, visit: &mut dyn FnMut(&[i32])) -> bool {
        let mut facts_of = vec![Vec::new(); self.combinations.len()];
        let mut rest = Vec::new();
        for (at, fact) in self.facts.iter().enumerate() {
            let (mut low, mut high) = (0, 0);
            for &(part, factor) in &fact.terms {
                facts_of[part].push((at, factor));
                low += (factor * most).min(0);
                high += (factor * most).max(0);
            }
            rest.push([low, high]);
        }
        let sums = vec![0; self.facts.len()];
        let mut walk = Walk { plain: self, facts_of, most, steps, sums, rest, numbers: Vec::new() };
        walk.go_on(visit)
    }
}

struct Walk<'a> {
    plain: &'a Plain,
    facts_of: Vec<Vec<(usize, i32)>>,
    most: i32,
    steps: u64,
    /// What each fact's numbers add up to so far.
    sums: Vec<i32>,
    /// What the others can add, at least and at most.
    rest: Vec<[i32; 2]>,
    numbers: Vec<i32>,
}

impl Walk<'_> {
    fn go_on(&mut self, visit: &mut dyn FnMut(&[i32])) -> bool {
        let at = self.numbers.len();
        if at == self.facts_of.len() {
            visit(&self.numbers);
            return true;
        }
        let Some(left) = self.steps.checked_sub(1) else { return false };
        self.steps = left;
        let facts = self.facts_of[at].clone();
        for &(fact, factor) in &facts {
            self.rest[fact][0] -= (factor * self.most).min(0);
            self.rest[fact][1] -= (factor * self.most).max(0);
        }
        let mut complete = true;
        for number in 0..=self.most {
            facts.iter().for_each(|&(fact, factor)| self.sums[fact] += factor * number);
            let can_hold = |&(fact, _): &(usize, i32)| {
                let Fact { low, high, .. } = self.plain.facts[fact];
                self.sums[fact] + self.rest[fact][0] <= high && self.sums[fact] + self.rest[fact][1] >= low
            };
            if facts.iter().all(can_hold) {
                self.numbers.push(number);
                complete &= self.go_on(visit);
                self.numbers.pop();
            }
            facts.iter().for_each(|&(fact, factor)| self.sums[fact] -= factor * number);
        }
        for &(fact, factor) in &facts {
            self.rest[fact][0] += (factor * self.most).min(0);
            self.rest[fact][1] += (factor * self.most).max(0);
        }
        complete
    }
}
