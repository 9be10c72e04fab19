//! The stricter question: is there a list with some counts in which the people of every published cell come from as many households as
//! the rule asks for?
//!
//! With the counts given, every household is there by itself: who is its head, how many it has of every combination of people, and whether
//! it has anybody of a published cell are whole numbers, and what they must keep are rows.

use std::collections::BTreeSet;

use cacah::register::{Status, Unit};

use super::{
    knowledge::{Knowledge, Shown},
    lists::is_head_of,
    register::{Register, Tree},
    solver::{Answer, Bound, Budget, Row, System, UNBOUNDED},
};

/// Adds what follows for the numbers of households: of those that can have anybody of a published cell there are so many, or people outside of
/// all households. A household can if it is where people of the cell can be at all, and if it has members beside its head or the head can
/// be of the cell.
pub fn add_rows(register: &Register, knowledge: &mut Knowledge, shown: &[Shown]) {
    let trees: Vec<Tree> = register.dimensions.iter().map(Tree::new).collect();
    let Some(link) = register.links.members.first() else { return };
    let shared: Vec<usize> = link.shared.iter().map(|id| register.dimension(id)).collect();
    let size = register.dimension(&link.size);
    for (at, of) in shown.iter().enumerate() {
        let least = register.revisions[of.revision].rule.contributors as i32;
        let [of_people, of_households] = &knowledge.bases[at];
        let can_be = |unknown: u32| knowledge.system.ranges[unknown as usize][1] > 0;
        let people: Vec<Vec<u32>> =
            of_people.cells.iter().filter(|(_, unknown)| can_be(*unknown)).map(|(cell, _)| of_people.leaves(register, cell)).collect();
        for nodes in published_cells(of) {
            let is_in = |leaves: &&Vec<u32>| nodes.iter().all(|&(of, node)| trees[of].below[node as usize].contains(&leaves[of]));
            let people: Vec<&Vec<u32>> = people.iter().filter(is_in).collect();
            let can_have = |cell: &[u32]| {
                let household = of_households.leaves(register, cell);
                let is_alone = link.members[household[size] as usize].most == Some(1);
                people.iter().any(|person| {
                    let is_here = shared.iter().all(|&dimension| person[dimension] == household[dimension]);
                    is_here && (!is_alone || is_head_of(register, person, &household))
                })
            };
            let place = |person: &&Vec<u32>| shared.iter().map(|&dimension| person[dimension]).collect();
            let places: BTreeSet<Vec<u32>> = people.iter().map(place).collect();
            let alone: i32 = places.iter().filter_map(|place| knowledge.outside[at].get(place)).sum();
            let households = of_households.cells.iter().filter(|(cell, _)| can_have(cell));
            let terms = households.map(|&(_, unknown)| (unknown, 1)).collect();
            knowledge.system.rows.push(Row { terms, low: least - alone, high: UNBOUNDED });
        }
    }
    knowledge.system.index();
}

/// Nodes of the published cells of people that are not empty.
fn published_cells(shown: &Shown) -> impl Iterator<Item = &Vec<(usize, u32)>> {
    let of_people = shown.tally.tables.iter().zip(&shown.statuses).filter(|(counts, _)| counts.table.unit == Unit::Person);
    of_people.flat_map(|(counts, statuses)| {
        let cells = counts.nodes.iter().zip(statuses).zip(&counts.counts);
        cells.filter(|((_, status), count)| **status == Status::Published && **count > 0).map(|((nodes, _), _)| nodes)
    })
}

/// Whether some counts can be those of such lists, revision by revision; `None`: nobody knows.
pub fn can_contribute(register: &Register, knowledge: &Knowledge, shown: &[Shown], numbers: &[i32], budget: Budget) -> Option<bool> {
    let mut undecided = false;
    for (at, of) in shown.iter().enumerate() {
        let Some(mut system) = system(register, knowledge, at, of, numbers) else { continue };
        if !system.narrow() {
            return Some(false);
        }
        // Any unknown will do: all that is asked is whether there is a solution.
        match system.find(Bound { unknown: 0, range: [0, UNBOUNDED] }, &mut budget.clone()) {
            Answer::Found(_) => {}
            Answer::Impossible => return Some(false),
            Answer::Undecided => undecided = true,
        }
    }
    (!undecided).then_some(true)
}

/// People of one combination: all their leaves, and how many there are.
struct People {
    leaves: Vec<u32>,
    count: i32,
}

/// One household: all its leaves, and how many members it has at least and at most.
struct Household {
    leaves: Vec<u32>,
    least: i32,
    most: i32,
}

/// The households of one revision with all that they must keep; `None` if no published cell asks for several.
fn system(register: &Register, knowledge: &Knowledge, at: usize, shown: &Shown, numbers: &[i32]) -> Option<System> {
    let least = register.revisions[shown.revision].rule.contributors as i32;
    let link = register.links.members.first().filter(|_| least > 1)?;
    let [of_people, of_households] = &knowledge.bases[at];
    let shared: Vec<usize> = link.shared.iter().map(|id| register.dimension(id)).collect();
    let size = register.dimension(&link.size);
    let people: Vec<People> = of_people
        .cells
        .iter()
        .map(|(cell, unknown)| People { leaves: of_people.leaves(register, cell), count: numbers[*unknown as usize] })
        .filter(|people| people.count > 0)
        .collect();
    let mut households = Vec::new();
    for (cell, unknown) in &of_households.cells {
        let leaves = of_households.leaves(register, cell);
        let members = link.members[leaves[size] as usize];
        let most = members.most.map_or(UNBOUNDED / 4, |most| most as i32);
        for _ in 0..numbers[*unknown as usize] {
            households.push(Household { leaves: leaves.clone(), least: members.least.max(1) as i32, most });
        }
    }

    let mut system = System::default();
    // Whoever of a combination lives outside of all households, each alone: more households than that nobody can make of them.
    let alone: Vec<u32> = people.iter().map(|people| system.unknown([0, people.count], 0)).collect();
    let mut of_combination: Vec<Vec<(u32, i32)>> = alone.iter().map(|&unknown| vec![(unknown, 1)]).collect();
    // For each household and combination its members, and whether it is the head's.
    let mut members: Vec<Vec<(usize, u32)>> = Vec::new();
    for household in &households {
        let is_here = |people: &People| shared.iter().all(|&dimension| household.leaves[dimension] == people.leaves[dimension]);
        let (mut heads, mut others, mut found) = (Vec::new(), Vec::new(), Vec::new());
        for (combination, people) in people.iter().enumerate().filter(|(_, people)| is_here(people)) {
            let other = system.unknown([0, people.count], 0);
            others.push((other, 1));
            of_combination[combination].push((other, 1));
            found.push((combination, other));
            if is_head_of(register, &people.leaves, &household.leaves) {
                let head = system.unknown([0, 1], 0);
                heads.push((head, 1));
                of_combination[combination].push((head, 1));
                found.push((combination, head));
            }
        }
        system.rows.push(Row { terms: heads, low: 1, high: 1 });
        system.rows.push(Row { terms: others, low: household.least - 1, high: household.most - 1 });
        members.push(found);
    }
    for (terms, people) in of_combination.into_iter().zip(&people) {
        system.rows.push(Row { terms, low: people.count, high: people.count });
    }
    for (place, &count) in &knowledge.outside[at] {
        let is_here = |people: &People| shared.iter().zip(place).all(|(&dimension, leaf)| people.leaves[dimension] == *leaf);
        let terms = people.iter().zip(&alone).filter(|(people, _)| is_here(people)).map(|(_, &unknown)| (unknown, 1)).collect();
        system.rows.push(Row { terms, low: count, high: count });
    }
    let asks = ask_for_several(register, shown, &people, &alone, &members, least, &mut system);
    system.index();
    asks.then_some(system)
}

/// Adds a row for every published cell of people: so many households have somebody of it.
fn ask_for_several(
    register: &Register,
    shown: &Shown,
    people: &[People],
    alone: &[u32],
    members: &[Vec<(usize, u32)>],
    least: i32,
    system: &mut System,
) -> bool {
    let trees: Vec<Tree> = register.dimensions.iter().map(Tree::new).collect();
    let mut asked = false;
    for nodes in published_cells(shown) {
        asked = true;
        let is_in =
            |combination: usize| nodes.iter().all(|&(of, node)| trees[of].below[node as usize].contains(&people[combination].leaves[of]));
        let mut contributors: Vec<(u32, i32)> =
            (0..people.len()).filter(|&combination| is_in(combination)).map(|combination| (alone[combination], 1)).collect();
        for members in members {
            let has: Vec<(u32, i32)> = members.iter().filter(|(of, _)| is_in(*of)).map(|&(_, unknown)| (unknown, 1)).collect();
            if !has.is_empty() {
                let counts = system.unknown([0, 1], 1);
                contributors.push((counts, 1));
                system.rows.push(Row { terms: [has.as_slice(), &[(counts, -1)]].concat(), low: 0, high: UNBOUNDED });
            }
        }
        system.rows.push(Row { terms: contributors, low: least, high: UNBOUNDED });
    }
    asked
}
