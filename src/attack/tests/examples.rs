//! Registers made by hand, of which everybody can work out what is given away.

use super::register::{Register, Revision, dimension, table};
use crate::{
    attack::{CellRef, Checker, Effort, Failure, Method, Outside, PeopleOutside, Range, Unchanged},
    register::{HeadPair, Links, Members, MembersLink, Role, Status, Table, Unit},
};

fn effort() -> Effort {
    Effort { threads: 1, proofs: true, ..Effort::default() }
}

fn cell(table: u16, cell: u32) -> CellRef {
    CellRef { publication: 0, table, cell }
}

/// A revision from its counts, of which those that are not told are withheld.
fn revision(tables: &[&[Option<u32>]]) -> Revision {
    let status = |count: &Option<u32>| if count.is_some() { Status::Published } else { Status::Suppressed };
    Revision {
        counts: tables.iter().map(|counts| counts.iter().map(|count| count.unwrap_or(0)).collect()).collect(),
        statuses: tables.iter().map(|counts| counts.iter().map(status).collect()).collect(),
        joint: Vec::new(),
    }
}

fn register(tables: Vec<Table>, links: Links, revisions: Vec<Revision>) -> Register {
    let dimensions = vec![
        dimension("region", Role::Geo, &[0, 0, 0, 0, 0, 0]),
        dimension("size", Role::Classification, &[0, 0, 0, 0]),
        dimension("age", Role::Classification, &[0, 1, 1, 0, 4, 4]),
        dimension("head-age", Role::Classification, &[0, 0]),
    ];
    Register { dimensions, tables, joint: Vec::new(), links, revisions }
}

/// Sizes 1, 2, 3 and from 4 on, of which nobody knows a limit unless there is one.
fn members(limit: Option<u32>) -> Links {
    let size = |least: u32, most: Option<u32>| Members { least, most };
    let members = vec![size(1, Some(1)), size(2, Some(2)), size(3, Some(3)), size(4, limit)];
    Links { members: vec![MembersLink { size: "size".into(), shared: vec!["region".into()], members }], heads: Vec::new() }
}

/// Ranges of some cells of a register, after all its proofs were checked.
fn ranges(register: &Register, outside: Outside<'_>, cells: &[CellRef]) -> Vec<(u64, Option<u64>)> {
    register.attacked(outside, &effort(), |facts, findings| {
        let findings = findings.unwrap();
        let mut checker = Checker::new(facts, findings.contradicted()).unwrap();
        findings.lines().for_each(|line| checker.line(&line).unwrap());
        let range = |cell: &CellRef| {
            let Range { low, high, .. } = findings.range(*cell).unwrap();
            assert_eq!(checker.range(*cell).unwrap(), (low, high));
            (low, high)
        };
        cells.iter().map(range).collect()
    })
}

/// A village of 610 people: 2 households of one, 4 of two, 80 of three and 90 of four, of which those of one and two are withheld, and those
/// of the country with them.
fn village_of_610() -> (Register, [CellRef; 2]) {
    let tables = vec![table("people", Unit::Person, &[("region", 1)]), table("households", Unit::Household, &[("region", 1), ("size", 1)])];
    let all = |sizes: [u32; 4]| [Some(sizes.iter().sum()), Some(sizes[0]), Some(sizes[1]), Some(sizes[2]), Some(sizes[3])];
    let some = |sizes: [u32; 4]| [Some(sizes.iter().sum()), None, None, Some(sizes[2]), Some(sizes[3])];
    let other = [200, 300, 250, 100];
    let total = [2 + 5 * 200, 4 + 5 * 300, 80 + 5 * 250, 90 + 5 * 100];
    let households = [some(total), some([2, 4, 80, 90]), all(other), all(other), all(other), all(other), all(other)].concat();
    let people = [610 + 5 * 1_950, 610, 1_950, 1_950, 1_950, 1_950, 1_950].map(Some);
    let register = register(tables, members(Some(4)), vec![revision(&[&people, &households])]);
    // Sizes 1 and 2 of the village.
    (register, [cell(1, 6), cell(1, 7)])
}

#[test]
fn sizes_follow_from_people_and_households() {
    let (register, cells) = village_of_610();
    let found = ranges(&register, Outside::Nobody, &cells);
    assert_eq!(found, [(2, Some(2)), (4, Some(4))]);
    // Without the link each is anything that the others leave.
    let apart = Register { links: Links::default(), ..register };
    assert_eq!(ranges(&apart, Outside::Nobody, &cells), [(0, Some(6)), (0, Some(6))]);
    // Households of four may be larger than four, so that the smaller ones may have fewer members in all.
    let open = Register { links: members(None), ..apart };
    assert_eq!(ranges(&open, Outside::Nobody, &cells), [(2, Some(6)), (0, Some(4))]);
    // If people may live outside, households may have fewer members too.
    let closed = Register { links: members(Some(4)), ..open };
    assert_eq!(ranges(&closed, Outside::Unknown, &cells), [(2, Some(6)), (0, Some(4))]);
    // If it is known how many do, everything is.
    let known = |at: crate::attack::MembersAt<'_>| Some(PeopleOutside::exactly(i64::from(at.nodes[0] < 2)));
    let found = ranges(&closed, Outside::Known(&known), &cells);
    assert_eq!(found, [(3, Some(3)), (3, Some(3))], "609 people live in 176 households");
}

#[test]
fn what_contradicts_the_published_is_given_up_there_alone() {
    let (mut register, cells) = village_of_610();
    // 140 people more, whom 176 households of four at most cannot hold.
    register.revisions[0].counts[0][1] += 140;
    register.revisions[0].counts[0][0] += 140;
    register.attacked(Outside::Nobody, &effort(), |facts, findings| {
        let findings = findings.unwrap();
        assert_eq!(findings.statistics().outside_contradicted, 2, "in the village and in the country");
        assert_eq!(findings.statistics().links_contradicted, 0);
        let given_up: Vec<String> = findings.contradicted().map(|row| facts.describe(row.cell)).collect();
        assert_eq!(given_up, ["people/T", "people/region1"]);
        let found = cells.map(|cell| findings.range(cell).unwrap());
        let ends = found.map(|range| (range.low, range.high));
        assert_eq!(ends, [(0, Some(6)), (0, Some(6))]);
    });
}

#[test]
fn published_counts_must_add_up() {
    let (mut register, _) = village_of_610();
    register.revisions[0].counts[1][0] += 1;
    register.attacked(Outside::Nobody, &effort(), |facts, findings| match findings {
        Err(Failure::Contradiction { cells, what }) => {
            assert_eq!((facts.describe(cells[0]).as_str(), what), ("households/T/T", "published counts do not add up"));
        }
        other => panic!("{other:?}"),
    });
}

#[test]
fn heads_are_no_more_than_the_people_of_their_age() {
    let tables = vec![
        table("people", Unit::Person, &[("region", 1), ("age", 2)]),
        table("heads", Unit::Household, &[("region", 1), ("head-age", 1)]),
    ];
    // Ages in two bands of two; heads are young (the first band) or old.
    let heads = [("region", "region", Vec::new()), ("head-age", "age", vec![0, 0, 1, 1])];
    let pair = |(head, person, classes): (&str, &str, Vec<u32>)| HeadPair { head: head.into(), person: person.into(), classes };
    let links = Links { members: Vec::new(), heads: heads.map(pair).to_vec() };
    let none = [Some(0), Some(0), Some(0)];
    let nobody = [Some(0); 7];
    // Region 1: 3 young people and 20 old; of 10 households it is withheld how many heads are young.
    let people = [Some(23), Some(3), Some(1), Some(2), Some(20), Some(10), Some(10)];
    let people = [people, people, nobody, nobody, nobody, nobody, nobody].concat();
    let heads = [[Some(10), None, None], [Some(10), None, None], none, none, none, none, none].concat();
    let linked = register(tables, links, vec![revision(&[&people, &heads])]);
    let cells = [cell(1, 4), cell(1, 5)];
    assert_eq!(ranges(&linked, Outside::Nobody, &cells), [(0, Some(3)), (7, Some(10))]);
    let apart = Register { links: Links::default(), ..linked };
    assert_eq!(ranges(&apart, Outside::Nobody, &cells), [(0, Some(10)), (0, Some(10))]);
    // Classes that do not fit the code lists.
    let links = Links { heads: vec![pair(("head-age", "age", vec![0, 0, 1, 2]))], ..Links::default() };
    Register { links, ..apart }.attacked(Outside::Nobody, &effort(), |_, findings| {
        assert!(findings.unwrap_err().to_string().contains("does not fit the code lists"));
    });
}

/// Three revisions of two numbers and their sum, which was never corrected: each publishes one of them or none.
fn three_revisions() -> Register {
    let mut register = register(vec![table("t", Unit::Person, &[("region", 1)])], Links::default(), Vec::new());
    register.dimensions[0] = dimension("region", Role::Geo, &[0, 0, 0]);
    // The counts are 10 = 4 + 5 + 1.
    let counts = vec![vec![10, 4, 5, 1]];
    let published = [[true, true, false, false], [true, false, true, false], [true, false, false, false]];
    let status = |shown: &bool| if *shown { Status::Published } else { Status::Suppressed };
    register.revisions = published
        .iter()
        .map(|shown| Revision { counts: counts.clone(), statuses: vec![shown.iter().map(status).collect()], joint: Vec::new() })
        .collect();
    register
}

#[test]
fn revisions_tell_together_what_none_tells_alone() {
    let register = three_revisions();
    let of_last = |cell: u32| CellRef { publication: 2, table: 0, cell };
    register.attacked(Outside::Nobody, &effort(), |_, findings| {
        let findings = findings.unwrap();
        let found = [1, 2, 3].map(|cell| findings.range(of_last(cell)).unwrap());
        assert_eq!(found.map(|range| (range.low, range.high)), [(4, Some(4)), (5, Some(5)), (1, Some(1))]);
        assert_eq!(found.map(|range| range.method), [Method::Published, Method::Published, Method::Propagation]);
        assert_eq!(findings.sum([of_last(1), of_last(3)]), Some((5, Some(5))));
        assert_eq!(findings.sum([of_last(9)]), None);
    });
    for at in 0..3 {
        let alone = Register { revisions: vec![register.revisions[at].clone()], ..three_revisions() };
        alone.attacked(Outside::Nobody, &effort(), |_, findings| {
            let range = findings.unwrap().range(cell(0, 3)).unwrap();
            assert!(range.low == 0 && range.high >= Some(5), "revision {at}: {range:?}");
        });
    }
}

#[test]
fn the_public_takes_regions_to_be_unchanged_until_they_contradict_themselves() {
    let mut register = three_revisions();
    let shapes = register.shapes();
    let regions = |register: &Register| {
        let publications = register.publications(&shapes, &register.revisions);
        Unchanged::between(&publications, &register.dimensions).regions().collect::<Vec<_>>()
    };
    // Both publish the total alone, and the same.
    assert_eq!(regions(&register), [(0, 1, vec![0]), (0, 2, vec![0]), (1, 2, vec![0])]);
    register.revisions[2].statuses[0][2] = Status::Published;
    assert_eq!(regions(&register)[2], (1, 2, vec![0, 2]));
    register.revisions[2].counts[0] = vec![11, 4, 6, 1];
    assert_eq!(regions(&register)[1..], [(0, 2, vec![]), (1, 2, vec![])]);

    let publications = register.publications(&shapes, &register.revisions);
    let mut given = Unchanged::given(&publications, &register.dimensions, [(0, 1, vec![0, 1, 9]), (1, 2, vec![2])]);
    let (one, other) = (CellRef { publication: 0, table: 0, cell: 1 }, CellRef { publication: 1, table: 0, cell: 1 });
    assert!(given.is_same(one, other) && given.is_same(other, one));
    assert_eq!(given.contradiction(&publications), Some(CellRef { publication: 1, table: 0, cell: 2 }));
    assert!(given.mark_changed(&[one]) && !given.mark_changed(&[one]));
    assert!(!given.is_same(one, other));
}

/// Of a table with known margins a cell lies between what its row and column cannot hold elsewhere and the smaller of them (Frechet 1940).
#[test]
fn cells_of_a_table_have_the_bounds_of_frechet() {
    let mut numbers = super::register::Random::new(1);
    for case in 0..100 {
        let (rows, columns) = (2 + numbers.below(4), 2 + numbers.below(4));
        let inner: Vec<Vec<u32>> = (0..rows).map(|_| (0..columns).map(|_| numbers.below(7)).collect()).collect();
        let of_row = |row: usize| inner[row].iter().sum::<u32>();
        let of_column = |column: usize| inner.iter().map(|row| row[column]).sum::<u32>();
        let total: u32 = inner.iter().flatten().sum();
        let mut counts = vec![Some(total)];
        counts.extend((0..columns as usize).map(|column| Some(of_column(column))));
        for row in 0..rows as usize {
            counts.push(Some(of_row(row)));
            counts.extend((0..columns).map(|_| None));
        }
        let mut register = register(vec![table("t", Unit::Person, &[("a", 1), ("b", 1)])], Links::default(), vec![revision(&[&counts])]);
        register.dimensions = vec![
            dimension("a", Role::Classification, &vec![0; rows as usize]),
            dimension("b", Role::Classification, &vec![0; columns as usize]),
        ];
        for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
            let at = cell(0, (row + 1) * (columns + 1) + column + 1);
            let (in_row, in_column) = (of_row(row as usize), of_column(column as usize));
            let expect = (u64::from((in_row + in_column).saturating_sub(total)), Some(u64::from(in_row.min(in_column))));
            assert_eq!(ranges(&register, Outside::Nobody, &[at]), [expect], "case {case}, {row} {column}: {inner:?}");
        }
    }
}

#[test]
fn sums_without_a_known_total_have_no_limit() {
    // A total of two regions, one of which is published.
    let mut register =
        register(vec![table("t", Unit::Person, &[("region", 1)])], Links::default(), vec![revision(&[&[None, Some(3), None]])]);
    register.dimensions[0] = dimension("region", Role::Geo, &[0, 0]);
    assert_eq!(ranges(&register, Outside::Nobody, &[cell(0, 0), cell(0, 2)]), [(3, None), (0, None)]);
}
