//! The oracle is checked itself: its search by enumeration, its reasoning by lists.

use std::collections::{BTreeMap, BTreeSet};

use cacah::register::{HeadPair, Links, Members, MembersLink, Status, Unit};

use super::{
    counting::{Tally, people_outside, size_leaf},
    generator::register,
    knowledge::{Beside, Knowledge, Shown},
    lists::list,
    oracle::{Effort, judge_before},
    plain::Plain,
    publishing::{publish_blindly, tallies},
    random::Random,
    register::{Person, Register, Revision, SIZE, Tree, counted_households, dimension, flat, table},
    seeds::{each, seeds},
    solver::{Answer, Bound, Budget, UNBOUNDED},
};

/// What a comparison with enumeration has come to.
#[derive(Debug, Default)]
struct Compared {
    registers: usize,
    solutions: u64,
    ends: usize,
    undecided: usize,
}

/// A release in which primaries are withheld and some other cells, at random: some solutions, but not too many.
fn half_open(register: &Register) -> Vec<Shown> {
    let mut shown = publish_blindly(register, false);
    let mut random = Random::new(register.seed);
    let share = random.below(60);
    for status in shown.iter_mut().flat_map(|of| &mut of.statuses).flatten() {
        if *status == Status::Published && random.chance(share) {
            *status = Status::Suppressed;
        }
    }
    shown
}

fn compare(seed: u64) -> Option<Compared> {
    let register = register(seed);
    let shown = half_open(&register);
    let open = Knowledge::new(&register, &shown, Beside { published: true, lists: true, outside: true, most: UNBOUNDED });
    let truth = open.bases.iter().flatten().flat_map(|base| &base.cells).map(|(_, unknown)| open.system.preferred[*unknown as usize]);
    let most = truth.max().unwrap_or(0) + 1;
    let plain = Plain::new(&register, &shown);
    let trees: Vec<Tree> = register.dimensions.iter().map(Tree::new).collect();
    let mut knowledge = Knowledge::new(&register, &shown, Beside { published: true, lists: true, outside: true, most });
    assert!(knowledge.system.narrow(), "seed {seed}");
    // The unknown of every withheld cell, its parts, and the ends of its range.
    let mut cells = Vec::new();
    for (at, of) in shown.iter().enumerate() {
        for (table, counts) in of.tally.tables.iter().enumerate() {
            for (cell, nodes) in counts.nodes.iter().enumerate() {
                if of.statuses[table][cell] == Status::Suppressed {
                    let parts = plain.parts(&trees, at, counts.table.unit, nodes);
                    cells.push((knowledge.cells[at][table][cell], parts, [i32::MAX, 0]));
                }
            }
        }
    }
    let mut compared = Compared { registers: 1, ..Compared::default() };
    let is_complete = plain.each_solution(most, 200_000, &mut |numbers| {
        compared.solutions += 1;
        for (_, parts, [low, high]) in &mut cells {
            let sum: i32 = parts.iter().map(|&part| numbers[part]).sum();
            (*low, *high) = (sum.min(*low), sum.max(*high));
        }
    });
    if !is_complete {
        return None;
    }
    assert!(compared.solutions > 0, "seed {seed}: not even the truth agrees with what is published");
    for (unknown, _, [low, high]) in cells {
        for (range, is_there) in [([0, low - 1], false), ([0, low], true), ([high, UNBOUNDED], true), ([high + 1, UNBOUNDED], false)] {
            compared.ends += 1;
            match knowledge.system.find(Bound { unknown, range }, &mut Effort::default().budget) {
                Answer::Found(numbers) => {
                    assert!(is_there, "seed {seed}: {range:?} of unknown {unknown}, which is {low} to {high}");
                    assert_eq!(knowledge.system.contradiction(&numbers), None, "seed {seed}");
                    assert!((range[0]..=range[1]).contains(&numbers[unknown as usize]), "seed {seed}");
                }
                Answer::Impossible => assert!(!is_there, "seed {seed}: not {range:?} of unknown {unknown}, which is {low} to {high}"),
                Answer::Undecided => compared.undecided += 1,
            }
        }
    }
    Some(compared)
}

#[test]
fn the_search_finds_what_enumeration_finds() {
    let mut all = Compared::default();
    for compared in each(seeds(600), compare).into_iter().flatten() {
        all.registers += compared.registers;
        all.solutions += compared.solutions;
        all.ends += compared.ends;
        all.undecided += compared.undecided;
    }
    println!("{all:?}");
    assert!(all.undecided * 10_000 <= all.ends, "{all:?}");
}

/// Programs alone, without any search before them, find the same.
#[test]
fn programs_find_what_the_search_finds() {
    let (mut ends, mut undecided) = (0, 0);
    for seed in seeds(60) {
        let register = register(seed);
        let shown = half_open(&register);
        let mut knowledge = Knowledge::new(&register, &shown, Beside { published: true, lists: true, outside: true, most: 60 });
        assert!(knowledge.system.narrow(), "seed {seed}");
        let withheld = knowledge.system.ranges.iter().enumerate().filter(|(_, range)| range[0] < range[1]);
        for (unknown, &[low, high]) in withheld.step_by(5) {
            for range in [[low, (low + high) / 2], [low.midpoint(high) + 1, high], [low, low], [high, high]] {
                let bound = Bound { unknown: unknown as u32, range };
                let search = knowledge.system.find(bound, &mut Budget { steps: 5_000, programs: 0 });
                let programs = knowledge.system.find(bound, &mut Budget { steps: 0, programs: 1_000 });
                ends += 1;
                match (&search, &programs) {
                    (Answer::Undecided, _) | (_, Answer::Undecided) => undecided += 1,
                    (Answer::Found(_), Answer::Found(_)) => {}
                    _ => assert_eq!(search, programs, "seed {seed}: {bound:?}"),
                }
            }
        }
    }
    println!("{ends} ends, {undecided} not compared");
    assert!(ends > 100 && undecided * 10 < ends);
}

/// How many people live outside of counted households, by place.
type Outside = BTreeMap<Vec<u32>, i32>;
/// One list, and the numbers of every list that has as many people outside.
type OneAndAll = (Vec<Person>, BTreeSet<Vec<i32>>);

/// Whoever lives outside counted households, where there are any.
fn outside(register: &Register, revision: usize) -> Outside {
    people_outside(register, revision).into_iter().filter(|(_, count)| *count > 0).collect()
}

/// Every solution that a verdict rests on is made a list of people and households, and counted again.
#[test]
fn there_are_lists_with_the_counts_of_every_solution() {
    let made: Vec<usize> = each(seeds(300), |seed| {
        let register = register(seed);
        let mut made = 0;
        for shown in [half_open(&register), publish_blindly(&register, true)] {
            judge_before(&register, &shown, Effort::default(), &mut |knowledge, numbers| {
                let mut other = register.clone();
                for (at, of) in shown.iter().enumerate() {
                    let people = list(&register, knowledge, at, of, numbers).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
                    other.revisions[of.revision].people = people;
                    made += 1;
                    assert_eq!(outside(&register, of.revision), outside(&other, of.revision), "seed {seed}");
                    let again = Tally::new(&other, of.revision, 1);
                    for (table, (before, now)) in of.tally.tables.iter().zip(&again.tables).enumerate() {
                        let solution: Vec<u32> =
                            knowledge.cells[at][table].iter().map(|&unknown| numbers[unknown as usize] as u32).collect();
                        assert_eq!(now.counts, solution, "seed {seed}: table {table}");
                        for (cell, status) in of.statuses[table].iter().enumerate() {
                            let is_kept = match status {
                                Status::Published => now.counts[cell] == before.counts[cell],
                                Status::Impossible => now.counts[cell] == 0,
                                Status::Suppressed => true,
                            };
                            assert!(is_kept, "seed {seed}: table {table} cell {cell}");
                        }
                    }
                }
            });
        }
        made
    });
    println!("{} lists", made.iter().sum::<usize>());
}

/// Two villages, two sexes, two sizes.
fn smallest(most: Option<u32>, with_sex: bool) -> Register {
    let region = dimension("region", &["country", "village"], &[("T", None, 0), ("V1", Some(0), 1), ("V2", Some(0), 1)]);
    let pair = |id: &str| HeadPair { head: id.to_owned(), person: id.to_owned(), classes: vec![0, 1] };
    let sizes = vec![Members { least: 1, most: Some(1) }, Members { least: 2, most }];
    let members = MembersLink { size: SIZE.to_owned(), shared: vec!["region".to_owned()], members: sizes.clone() };
    let of_heads: &[(&str, &str)] =
        if with_sex { &[("region", "village"), ("sex", "sex"), (SIZE, SIZE)] } else { &[("region", "village"), (SIZE, SIZE)] };
    Register {
        seed: 0,
        dimensions: vec![region, flat("sex", &["M", "F"]), flat(SIZE, &["S1", "S2"])],
        tables: vec![
            table("people", Unit::Person, &[("region", "village"), ("sex", "sex")]),
            table("households", Unit::Household, of_heads),
        ],
        sizes,
        zeros: Vec::new(),
        links: Links { members: vec![members], heads: if with_sex { vec![pair("region"), pair("sex")] } else { vec![pair("region")] } },
        revisions: vec![Revision { people: Vec::new(), tables: 2, rule: cacah::worlds::Rule::threshold(5) }],
    }
}

/// Every list of so many people: who they are, who lives with whom, who is a head.
fn every_list(count: usize, most: Option<u32>) -> Vec<Vec<Person>> {
    let mut lists: Vec<Vec<Person>> = vec![Vec::new()];
    for _ in 0..count {
        lists = lists
            .into_iter()
            .flat_map(|list| {
                let next = list.iter().map(|person| person.household + 1).max().unwrap_or(0);
                let choices =
                    (0..2).flat_map(move |village| (0..2).flat_map(move |sex| (0..=next).map(move |household| (village, sex, household))));
                choices
                    .flat_map(|(village, sex, household)| {
                        [false, true].map(|is_head| Person { leaves: vec![village, sex, 0], household, is_head })
                    })
                    .map(|person| list.iter().cloned().chain([person]).collect::<Vec<_>>())
                    .collect::<Vec<_>>()
            })
            .collect();
    }
    // Members of a counted household live in one village, and are as many as there can be.
    lists.retain(|list| {
        counted_households(list).iter().all(|household| {
            let mut mates = list.iter().filter(|person| person.household == household.head.household);
            mates.all(|mate| mate.leaves[0] == household.head.leaves[0]) && most.is_none_or(|most| household.members <= most.max(1))
        })
    });
    lists
}

/// What of counts may be is exactly what comes of lists.
#[test]
fn counts_that_agree_with_all_links_are_those_of_some_list() {
    for (most, with_sex) in [(Some(2), true), (Some(3), true), (None, true), (Some(2), false), (None, false)] {
        for count in 1..=4 {
            let mut register = smallest(most, with_sex);
            let mut by_outside: BTreeMap<Outside, OneAndAll> = BTreeMap::new();
            let plain = |register: &Register| {
                let tally = tallies(register).remove(0);
                let statuses = tally.tables.iter().map(|counts| vec![Status::Suppressed; counts.counts.len()]).collect();
                Plain::new(register, &[Shown { revision: 0, tally, statuses }])
            };
            let combinations = plain(&register).combinations;
            for list in every_list(count, most) {
                register.revisions[0].people = list.clone();
                let households: Vec<Vec<u32>> = counted_households(&list)
                    .iter()
                    .map(|household| vec![household.head.leaves[0], household.head.leaves[1], size_leaf(&register, household.members)])
                    .collect();
                let people: Vec<Vec<u32>> = list.iter().map(|person| person.leaves.clone()).collect();
                let numbers = combinations.iter().map(|combination| {
                    let of_unit = if combination.unit == Unit::Person { &people } else { &households };
                    of_unit.iter().filter(|leaves| combination.leaves.iter().all(|(&at, &leaf)| leaves[at] == leaf)).count() as i32
                });
                let numbers: Vec<i32> = numbers.collect();
                by_outside.entry(outside(&register, 0)).or_insert_with(|| (list, BTreeSet::new())).1.insert(numbers);
            }
            for (outside, (list, of_lists)) in by_outside {
                register.revisions[0].people = list;
                let mut of_counts = BTreeSet::new();
                let is_complete = plain(&register).each_solution(count as i32, 10_000_000, &mut |numbers| {
                    let people = combinations.iter().zip(numbers).filter(|(of, _)| of.unit == Unit::Person).map(|(_, number)| number);
                    if people.sum::<i32>() == count as i32 {
                        of_counts.insert(numbers.to_vec());
                    }
                });
                assert!(is_complete);
                assert_eq!(of_lists, of_counts, "{count} people, {outside:?} outside, most {most:?}");
            }
        }
    }
}
