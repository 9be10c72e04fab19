//! Lists of people and households, made from counts alone: that they can be made is why counts may stand for lists.
//!
//! Place by place every household gets as its head somebody of whom pairs and shared dimensions tell the same, as many members as its size
//! asks for at least, then as many more as there are people who are not outside, up to what its size allows. Whoever is left is outside.

use std::collections::BTreeMap;

use super::{
    counting::people_outside,
    knowledge::{Base, Knowledge, Shown},
    register::{Person, Register},
};

/// A household that is being filled.
struct Filling {
    members: Vec<Person>,
    least: usize,
    most: usize,
}

/// People and households with the counts of a solution; an error says what cannot be made.
pub fn list(register: &Register, knowledge: &Knowledge, at: usize, shown: &Shown, numbers: &[i32]) -> Result<Vec<Person>, String> {
    let [people, households] = &knowledge.bases[at];
    let mut pool = Pool::new(register, people, numbers);
    if !register.has_households() {
        return Ok(pool.everybody().into_iter().enumerate().map(|(key, leaves)| loner(leaves, key as u32)).collect());
    }
    let link = &register.links.members[0];
    let shared: Vec<usize> = link.shared.iter().map(|id| register.dimension(id)).collect();
    let size = register.dimension(&link.size);
    let mut by_place: BTreeMap<Vec<u32>, Vec<Filling>> = BTreeMap::new();
    for (cell, unknown) in &households.cells {
        let household = households.leaves(register, cell);
        for _ in 0..numbers[*unknown as usize] {
            let mut head = pool.take(|candidate| is_head_of(register, candidate, &household)).ok_or("nobody is left to be a head")?;
            households.dimensions.iter().for_each(|&dimension| head[dimension] = household[dimension]);
            let place: Vec<u32> = shared.iter().map(|&dimension| head[dimension]).collect();
            let members = link.members[household[size] as usize];
            let most = members.most.map_or(usize::MAX, |most| most as usize);
            let head = Person { leaves: head, household: 0, is_head: true };
            by_place.entry(place).or_default().push(Filling { members: vec![head], least: members.least.max(1) as usize, most });
        }
    }
    let outside = people_outside(register, shown.revision);
    let mut list = Vec::new();
    for place in pool.places(&shared) {
        let mut fillings = by_place.remove(&place).unwrap_or_default();
        let is_here = |candidate: &[u32]| shared.iter().zip(&place).all(|(&dimension, leaf)| candidate[dimension] == *leaf);
        let mut here = Vec::new();
        while let Some(leaves) = pool.take(is_here) {
            here.push(leaves);
        }
        let loners = outside.get(&place).copied().unwrap_or(0) as usize;
        let mut members = here.split_off(loners.min(here.len())).into_iter();
        if here.len() < loners {
            return Err("fewer people than live outside households".to_owned());
        }
        for filling in &mut fillings {
            while filling.members.len() < filling.least {
                let leaves = members.next().ok_or("nobody is left to be a member")?;
                filling.members.push(Person { leaves, household: 0, is_head: false });
            }
        }
        for leaves in members {
            let filling = fillings.iter_mut().find(|filling| filling.members.len() < filling.most).ok_or("no household takes them")?;
            filling.members.push(Person { leaves, household: 0, is_head: false });
        }
        let first = list.iter().map(|person: &Person| person.household + 1).max().unwrap_or(0);
        let households = fillings.into_iter().map(|filling| filling.members).chain(here.into_iter().map(|leaves| vec![loner(leaves, 0)]));
        for (key, members) in (first..).zip(households) {
            list.extend(members.into_iter().map(|person| Person { household: key, ..person }));
        }
    }
    Ok(list)
}

/// Somebody of a household without a head.
fn loner(leaves: Vec<u32>, household: u32) -> Person {
    Person { leaves, household, is_head: false }
}

/// Whether somebody can be the head of a household, by the leaves of both.
pub fn is_head_of(register: &Register, person: &[u32], household: &[u32]) -> bool {
    let pairs = register
        .links
        .heads
        .iter()
        .all(|pair| pair.classes[person[register.dimension(&pair.person)] as usize] == household[register.dimension(&pair.head)]);
    let mut shared = register.links.members.iter().flat_map(|link| &link.shared).map(|id| register.dimension(id));
    pairs && shared.all(|dimension| household[dimension] == person[dimension])
}

/// People who are in no household yet, by their leaves.
struct Pool(Vec<(Vec<u32>, i32)>);

impl Pool {
    fn new(register: &Register, people: &Base, numbers: &[i32]) -> Self {
        Self(people.cells.iter().map(|(cell, unknown)| (people.leaves(register, cell), numbers[*unknown as usize])).collect())
    }

    fn take(&mut self, fits: impl Fn(&[u32]) -> bool) -> Option<Vec<u32>> {
        let (leaves, count) = self.0.iter_mut().find(|(leaves, count)| *count > 0 && fits(leaves))?;
        *count -= 1;
        Some(leaves.clone())
    }

    fn everybody(&mut self) -> Vec<Vec<u32>> {
        std::iter::from_fn(|| self.take(|_| true)).collect()
    }

    fn places(&self, shared: &[usize]) -> Vec<Vec<u32>> {
        let place = |(leaves, _): &(Vec<u32>, i32)| shared.iter().map(|&dimension| leaves[dimension]).collect();
        let mut places: Vec<Vec<u32>> = self.0.iter().map(place).collect();
        places.sort();
        places.dedup();
        places
    }
}
