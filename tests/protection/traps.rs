//! Traps that protection and audit must not fall into, by name.

use cacah::{
    audit::{Effort, Report, audit},
    protect::{Protected, Settings, protect},
    register::{Dimension, Status, StructuralZero, Table, Unit, ZeroSide},
    worlds::{GroupRule, Reach, Rule},
};

use super::synthetic::{Owned, census, dimension, flat, narrowed, sums, table};

fn codes(codes: &[&str]) -> Vec<String> {
    codes.iter().map(|code| (*code).to_owned()).collect()
}

/// country > two districts > villages as many as given.
fn regions(villages: [usize; 2]) -> Dimension {
    let mut nodes = vec![("T".to_owned(), None, 0)];
    for (district, villages) in villages.into_iter().enumerate() {
        let at = nodes.len() as u32;
        nodes.push((format!("d{district}"), Some(0), 1));
        nodes.extend((0..villages).map(|village| (format!("d{district}v{village}"), Some(at), 2)));
    }
    dimension("region", &["country", "district", "village"], nodes)
}

fn region_by(other: &str, level: &str) -> Table {
    table(other, &[("region", level), (other, other)], Unit::Person)
}

fn run(owned: &Owned, rule: &Rule) -> (Protected, Report) {
    let protected = protect(&census(&owned.borrowed()), &Settings::new(rule.clone()), &[]).unwrap();
    let report = audit(&census(&owned.borrowed()), &protected.statuses, &protected.proof, rule, &Effort::default(), &[]).unwrap();
    assert!(report.is_clean(), "{:?} {:?}", report.faults, report.examples);
    (protected, report)
}

/// Every sum has no suppressed cell or at least two.
fn no_sum_has_one_gap(owned: &Owned, protected: &Protected) {
    for (at, shape) in owned.shapes.iter().enumerate() {
        for (cell, parts) in sums(shape) {
            let members = parts.into_iter().chain([cell]);
            let gaps = members.filter(|&member| protected.statuses[at][member as usize] == Status::Suppressed).count();
            assert!(gaps != 1, "table {at} cell {cell}");
        }
    }
}

#[test]
fn a_total_with_one_suppressed_child() {
    let owned = Owned::new(
        vec![regions([3, 3]), flat("sex", &codes(&["m", "f"]))],
        vec![region_by("sex", "village")],
        &[],
        vec![vec![3, 40, 50, 60, 70, 80, 90, 95, 85, 75, 65, 55]],
    )
    .unwrap();
    let (protected, _) = run(&owned, &Rule::threshold(5));
    no_sum_has_one_gap(&owned, &protected);
    let suppressed = protected.statuses[0].iter().filter(|status| **status == Status::Suppressed).count();
    assert_eq!(suppressed, 4, "the cell and the three corners that complete its square");
}

#[test]
fn two_linked_tables_are_protected_together() {
    // District by religion is in both; a village table alone would protect d0 by its own means and contradict the other.
    let dimensions = vec![regions([2, 2]), flat("sex", &codes(&["m", "f"])), flat("religion", &codes(&["a", "b", "c"]))];
    let tables = vec![
        table("fine", &[("region", "village"), ("religion", "religion")], Unit::Person),
        table("wide", &[("region", "district"), ("sex", "sex"), ("religion", "religion")], Unit::Person),
    ];
    let owned = Owned::new(
        dimensions,
        tables,
        &[],
        vec![vec![40, 2, 20, 60, 1, 30, 50, 10, 20, 40, 10, 20], vec![50, 2, 25, 50, 1, 25, 45, 10, 20, 45, 10, 20]],
    )
    .unwrap();
    let (protected, _) = run(&owned, &Rule::threshold(5));
    no_sum_has_one_gap(&owned, &protected);
    for (fine, wide) in [(1, 0), (4, 1)] {
        // District d0 or d1 by religion, both sexes.
        let row = if wide == 0 { 1 } else { 4 };
        for religion in 0..4 {
            let in_fine = protected.statuses[0][row * 4 + religion];
            let in_wide = protected.statuses[1][(1 + wide) * 12 + religion];
            assert_eq!(in_fine, in_wide, "{fine}");
        }
    }
}

#[test]
fn suppressed_zeros_may_be_anything() {
    // All other cells of the row and column are zero: only zeros are left to hide behind.
    let owned = Owned::new(
        vec![regions([2, 2]), flat("job", &codes(&["a", "b"]))],
        vec![region_by("job", "village")],
        &[],
        vec![vec![2, 0, 0, 0, 0, 0, 0, 0]],
    )
    .unwrap();
    let (protected, report) = run(&owned, &Rule { reach: Reach::Beyond, ..Rule::threshold(5) });
    no_sum_has_one_gap(&owned, &protected);
    assert!(report.attack.solved_unknowns > 0);
}

#[test]
fn a_cell_whose_siblings_are_all_zero_takes_its_parent_with_it_or_hides_behind_zeros() {
    let owned = Owned::new(
        vec![regions([3, 3]), flat("job", &codes(&["a", "b", "c"]))],
        vec![region_by("job", "village")],
        &[],
        vec![vec![3, 0, 0, 0, 0, 0, 0, 0, 0, 20, 30, 40, 20, 30, 40, 20, 30, 40]],
    )
    .unwrap();
    let (protected, _) = run(&owned, &Rule::threshold(5));
    no_sum_has_one_gap(&owned, &protected);
}

#[test]
fn a_region_with_one_child_is_the_same_cell_twice() {
    let owned = Owned::new(
        vec![regions([1, 3]), flat("job", &codes(&["a", "b"]))],
        vec![region_by("job", "village")],
        &[],
        vec![vec![3, 30, 20, 30, 40, 25, 60, 70]],
    )
    .unwrap();
    let (protected, _) = run(&owned, &Rule::threshold(5));
    // The district says what its only village would.
    for job in 0..3 {
        assert_eq!(protected.statuses[0][3 + job], protected.statuses[0][6 + job]);
    }
    no_sum_has_one_gap(&owned, &protected);
}

#[test]
fn structural_zeros_are_no_slack() {
    let zero = StructuralZero {
        id: "child-married".into(),
        sides: vec![
            ZeroSide { dimension: "age".into(), leaves: vec![true, false, false] },
            ZeroSide { dimension: "marital".into(), leaves: vec![false, true] },
        ],
    };
    let dimensions =
        vec![regions([2, 2]), flat("age", &codes(&["child", "adult", "old"])), flat("marital", &codes(&["single", "married"]))];
    let tables = vec![table("marital", &[("region", "village"), ("age", "age"), ("marital", "marital")], Unit::Person)];
    let owned = Owned::new(
        dimensions,
        tables,
        &[zero],
        vec![vec![30, 0, 2, 40, 20, 20, 25, 0, 30, 35, 20, 10, 45, 0, 3, 41, 20, 22, 25, 0, 33, 35, 28, 10]],
    )
    .unwrap();
    let (protected, _) = run(&owned, &Rule::threshold(5));
    for world in 0..protected.proof.worlds.len() as u32 {
        for change in protected.proof.worlds.world(world) {
            assert_ne!(protected.statuses[0][change.cell as usize], Status::Impossible);
        }
    }
}

#[test]
fn a_small_group_in_one_category_may_be_mixed() {
    let owned = Owned::new(
        vec![regions([3, 3]), flat("religion", &codes(&["a", "b", "c"]))],
        vec![region_by("religion", "village")],
        &[],
        vec![vec![0, 7, 0, 60, 30, 20, 50, 40, 30, 55, 44, 33, 66, 77, 22, 11, 88, 99]],
    )
    .unwrap();
    let group = GroupRule { below: 10, dimensions: vec!["religion".into()] };
    let (protected, report) = run(&owned, &Rule { group: Some(group), ..Rule::threshold(5) });
    assert_eq!(report.groups, 1);
    let lone = 2 * 4 + 2;
    assert_eq!(protected.statuses[0][lone], Status::Suppressed);
    no_sum_has_one_gap(&owned, &protected);
    // Hidden is how many they are, but not that there is nobody else: the attack sees it.
    let all = vec![Status::Published; protected.statuses[0].len()];
    let hide = |hidden: &[usize]| {
        let mut statuses = all.clone();
        for &cell in hidden {
            statuses[cell] = Status::Suppressed;
        }
        let rule = Rule { group: Some(GroupRule { below: 10, dimensions: vec!["religion".into()] }), ..Rule::threshold(5) };
        narrowed(&owned, &[statuses], &rule)
    };
    let (total, neighbour) = (2 * 4, 3 * 4);
    assert_eq!(hide(&[lone, total, neighbour + 2, neighbour]), 1);
    assert_eq!(hide(&[lone, lone - 1, neighbour + 2, neighbour + 1]), 0);
}

#[test]
fn nothing_to_protect_suppresses_nothing() {
    let owned = Owned::new(
        vec![regions([2, 2]), flat("job", &codes(&["a", "b"]))],
        vec![region_by("job", "village")],
        &[],
        vec![vec![10, 20, 30, 40, 50, 60, 0, 0]],
    )
    .unwrap();
    let (protected, _) = run(&owned, &Rule::threshold(5));
    assert!(protected.statuses[0].iter().all(|status| *status == Status::Published));
}

#[test]
fn everybody_in_one_small_country_hides_the_total_too() {
    let owned =
        Owned::new(vec![regions([1, 1]), flat("job", &codes(&["a"]))], vec![region_by("job", "village")], &[], vec![vec![2, 0]]).unwrap();
    let (protected, _) = run(&owned, &Rule::threshold(5));
    assert_eq!(protected.statuses[0][0], Status::Suppressed);
}
