//! Corrections: people and households that are added, removed, changed or moved.

use super::{
    generator::{Plan, is_impossible},
    random::Random,
    register::{Person, Register, households},
};

/// People after a correction of one to three mistakes.
pub fn correct(random: &mut Random, register: &Register, plan: &Plan, before: &[Person]) -> Vec<Person> {
    let mut people = before.to_vec();
    for _ in 0..1 + random.weighted(&[60, 25, 15]) {
        mend(random, register, plan, &mut people);
    }
    people
}

fn mend(random: &mut Random, register: &Register, plan: &Plan, people: &mut Vec<Person>) {
    let next = people.iter().map(|person| person.household + 1).max().unwrap_or(0);
    if people.len() < 3 {
        let village = plan.village(random);
        return people.extend(plan.household(random, register, village, next, 1));
    }
    let one = random.below(people.len());
    match random.weighted(&[25, 20, 25, 15, 10, 5]) {
        // Somebody joins a household, as far as it may grow.
        0 => {
            let mate = people[one].clone();
            if households(people)[&mate.household].len() < plan.largest {
                let newcomer = plan.person(random, register, mate.leaves[0], Some(&mate));
                people.push(Person { household: mate.household, ..newcomer });
            }
        }
        // Somebody was never there. A head's household loses its head, which takes it out of the count.
        1 => {
            if !people[one].is_head || random.chance(20) {
                people.remove(one);
            }
        }
        // Somebody is somebody else. What is shared by a household stays.
        2 => {
            let mate = people[one].clone();
            let mut changed = plan.person(random, register, mate.leaves[0], Some(&mate));
            for &shared in &plan.shared {
                changed.leaves[shared] = mate.leaves[shared];
            }
            people[one] = Person { household: mate.household, is_head: mate.is_head, ..changed };
        }
        // A household moves.
        3 => {
            let (village, key) = (plan.village(random), people[one].household);
            people.iter_mut().filter(|person| person.household == key).for_each(|person| person.leaves[0] = village);
        }
        // A household was missing.
        4 => {
            let village = plan.village(random);
            people.extend(plan.household(random, register, village, next, 1));
        }
        // A household was never there.
        _ => {
            let key = people[one].household;
            people.retain(|person| person.household != key);
        }
    }
    debug_assert!(people.iter().all(|person| !is_impossible(register, &person.leaves)));
}
