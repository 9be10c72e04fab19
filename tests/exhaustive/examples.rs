//! Releases made by hand, with what they give away: the holes that the oracle is there to find.

use cacah::{
    audit::{self, Fault, audit},
    register::{HeadPair, Links, Members, MembersLink, Status, Unit},
    worlds::{Earlier, Proof, Rule},
};

use super::{
    counting::{Borrowed, Reason, Tally},
    knowledge::Shown,
    oracle::{Effort, End, Violation, judge},
    publishing::{Omission, told},
    register::{Person, Register, Revision, SIZE, dimension, flat, table},
};

/// Villages by their households of one, two, three and four people.
fn villages(households: &[[u32; 4]], rule: &Rule) -> Register {
    let codes: Vec<String> = (1..=households.len()).map(|village| format!("V{village}")).collect();
    let nodes: Vec<(&str, Option<u32>, u8)> =
        [("T", None, 0)].into_iter().chain(codes.iter().map(|code| (code.as_str(), Some(0), 1))).collect();
    let sizes: Vec<Members> = (1..=4).map(|size| Members { least: size, most: Some(size) }).collect();
    let members = MembersLink { size: SIZE.to_owned(), shared: vec!["region".to_owned()], members: sizes.clone() };
    let region = HeadPair { head: "region".to_owned(), person: "region".to_owned(), classes: (0..households.len() as u32).collect() };
    let mut people = Vec::new();
    let mut key = 0;
    for (village, sizes) in (0..).zip(households) {
        for (members, &count) in (1..).zip(sizes) {
            for _ in 0..count {
                people.extend((0..members).map(|member| Person { leaves: vec![village, 0], household: key, is_head: member == 0 }));
                key += 1;
            }
        }
    }
    Register {
        seed: 0,
        dimensions: vec![dimension("region", &["country", "village"], &nodes), flat(SIZE, &["S1", "S2", "S3", "S4"])],
        tables: vec![
            table("people", Unit::Person, &[("region", "village")]),
            table("households", Unit::Household, &[("region", "village"), (SIZE, SIZE)]),
        ],
        sizes,
        zeros: Vec::new(),
        links: Links { members: vec![members], heads: vec![region] },
        revisions: vec![Revision { people, tables: 2, rule: rule.clone() }],
    }
}

/// A revision of which these cells are withheld: table, codes of the nodes.
fn shown(register: &Register, revision: usize, withheld: &[(usize, &[&str])]) -> Shown {
    let tally = Tally::new(register, revision, register.revisions[revision].rule.contributors);
    let statuses = tally.tables.iter().enumerate().map(|(table, counts)| {
        let status = |nodes: &Vec<(usize, u32)>| {
            let codes: Vec<&str> = nodes.iter().map(|&(at, node)| register.dimensions[at].nodes[node as usize].code.as_str()).collect();
            if withheld.contains(&(table, codes.as_slice())) { Status::Suppressed } else { Status::Published }
        };
        counts.nodes.iter().map(status).collect()
    });
    Shown { revision, statuses: statuses.collect(), tally }
}

/// What is narrowed: the count of the cell, what it should be able to be, how near to that it comes.
fn narrowed(register: &Register, shown: &[Shown]) -> Vec<(u32, End, i32)> {
    let verdict = judge(register, shown, Effort::default());
    assert_eq!(verdict.undecided, 0);
    let mut found: Vec<(u32, End, i32)> = verdict
        .violations
        .iter()
        .map(|violation| match violation {
            Violation::Narrowed(goal, nearest) => (shown[goal.shown].tally.tables[goal.table].counts[goal.cell], goal.end, *nearest),
            other => panic!("{other:?}"),
        })
        .collect();
    found.sort_by_key(|(count, end, _)| (*count, matches!(end, End::AtLeast(_))));
    found
}

/// How many counts the attack of the audit finds narrowed, of revisions that nobody has proven anything about.
fn found_by_the_audit(register: &Register, shown: &[Shown]) -> u64 {
    let borrowed: Vec<Borrowed<'_>> = shown.iter().map(|shown| Borrowed::new(&shown.tally)).collect();
    let proof = Proof::default();
    let of = |at: usize| Earlier {
        census: borrowed[at].census(register),
        statuses: &shown[at].statuses,
        rule: &register.revisions[shown[at].revision].rule,
        proof: &proof,
    };
    let earlier: Vec<Earlier<'_>> = (0..shown.len() - 1).map(of).collect();
    let Earlier { census, statuses, rule, proof } = of(shown.len() - 1);
    let report = audit(&census, statuses, proof, rule, &audit::Effort::default(), &earlier).unwrap();
    assert!(report.attack.is_complete() && report.attack.unknowns > 0, "{:?}", report.attack);
    report.faults.get(&Fault::Narrowed).copied().unwrap_or(0)
}

/// With n1 + n2 = 6 households and n1 + 2 n2 = 10 people left, two are of one person and four of two: people and households are one fact.
#[test]
fn people_tell_of_the_sizes_of_their_households() {
    let others = [30, 40, 50, 20];
    let register = villages(&[[2, 4, 80, 90], others, others], &Rule::threshold(5));
    let withheld: &[(usize, &[&str])] = &[(1, &["V1", "S1"]), (1, &["V1", "S2"]), (1, &["V2", "S1"]), (1, &["V2", "S2"])];
    let shown = [shown(&register, 0, withheld)];
    let expected = [(2, End::AtMost(1), 2), (2, End::AtLeast(4), 2), (4, End::AtMost(1), 4)];
    assert_eq!(narrowed(&register, &shown), expected);
    assert_eq!(found_by_the_audit(&register, &shown), 2);
    // Whoever does not see the link sees nothing wrong.
    assert_eq!(narrowed(&told(&register, Omission::Members), &shown), []);
    assert_eq!(found_by_the_audit(&told(&register, Omission::Links), &shown), 0);
    // With a third size withheld two households of two can be one of one and one of three.
    let more: &[(usize, &[&str])] = &[(1, &["V1", "S3"]), (1, &["V2", "S3"])];
    let shown = [self::shown(&register, 0, &[withheld, more].concat())];
    assert_eq!(narrowed(&register, &shown), []);
    assert_eq!(found_by_the_audit(&register, &shown), 0);
}

/// Six people of one household are no small count, and must not be published all the same.
#[test]
fn a_count_from_one_household_is_none_to_publish() {
    let mut register = villages(&[[20, 20, 20, 20], [0, 0, 0, 1]], &Rule { contributors: 2, ..Rule::threshold(3) });
    let withheld: &[(usize, &[&str])] = &[(1, &["V2", "T"]), (1, &["V2", "S4"]), (1, &["V1", "T"]), (1, &["V1", "S4"])];
    let open = [shown(&register, 0, withheld)];
    let verdict = judge(&register, &open, Effort::default());
    assert!(verdict.violations.contains(&Violation::Published(0, 0, 2, Reason::Few)), "{verdict:?}");
    register.revisions[0].rule.contributors = 1;
    let verdict = judge(&register, &open, Effort::default());
    assert!(!verdict.violations.iter().any(|violation| matches!(violation, Violation::Published(..))), "{verdict:?}");
}

/// The first revision tells of V3, the second of V2, the third of neither; any two of them leave V1 open, the three do not.
#[test]
fn revisions_tell_more_together_than_in_pairs() {
    // Households of one person, so that people are all there is.
    let revisions = [[3, 10, 11], [3, 12, 13], [3, 12, 11]];
    let mut register = villages(&[[0; 4]; 3], &Rule::threshold(5));
    register.tables.truncate(1);
    register.links = Links::default();
    register.revisions = revisions
        .iter()
        .map(|counts| {
            let people = villages(&counts.map(|count| [count, 0, 0, 0]), &Rule::threshold(5)).revisions.remove(0).people;
            Revision { people, tables: 1, rule: Rule::threshold(5) }
        })
        .collect();
    let withheld: [&[(usize, &[&str])]; 3] =
        [&[(0, &["V1"]), (0, &["V2"])], &[(0, &["V1"]), (0, &["V3"])], &[(0, &["V1"]), (0, &["V2"]), (0, &["V3"])]];
    let all: Vec<Shown> = (0..3).map(|revision| shown(&register, revision, withheld[revision])).collect();
    for left_out in 0..3 {
        let pair: Vec<Shown> = all.iter().filter(|of| of.revision != left_out).cloned().collect();
        assert_eq!(narrowed(&register, &pair), [], "without revision {left_out}");
        assert_eq!(found_by_the_audit(&register, &pair), 0, "without revision {left_out}");
    }
    let found = narrowed(&register, &all);
    assert!(found.contains(&(3, End::AtMost(1), 3)) && found.contains(&(3, End::AtLeast(4), 3)), "{found:?}");
    assert_eq!(found_by_the_audit(&register, &all), 1);
}

/// Of nine households of at most two and of three people in villages of five and thirteen one must be of three: no sum says so, but both
/// numbers are odd.
#[test]
fn whole_numbers_tell_more_than_sums() {
    let mut register = villages(&[[1, 2, 0, 0], [2, 1, 3, 0]], &Rule { reach: cacah::worlds::Reach::Beyond, ..Rule::threshold(4) });
    register.sizes = vec![Members { least: 1, most: Some(2) }, Members { least: 3, most: Some(3) }];
    register.links.members[0].members = register.sizes.clone();
    register.dimensions[1] = flat(SIZE, &["S1", "S3"]);
    register.tables[1] = table("households", Unit::Household, &[("region", "country"), (SIZE, SIZE)]);
    let shown = [shown(&register, 0, &[(1, &["T", "S1"]), (1, &["T", "S3"])])];
    assert_eq!(narrowed(&register, &shown), [(3, End::AtMost(0), 1)]);
    assert_eq!(found_by_the_audit(&register, &shown), 1);
}
