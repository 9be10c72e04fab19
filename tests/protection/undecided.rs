//! What the attack of an audit does not decide is counted, and what fails is a fault.

use std::time::Instant;

use cacah::{
    audit::{Effort, Fault, audit, certify},
    protect::{Settings, protect},
    register::{Status, Unit},
    worlds::{Proof, Rule},
};

use super::{
    country::Random,
    synthetic::{Owned, census, flat, table},
};

/// One table with many small counts.
fn owned() -> Owned {
    let codes = |count: usize| (0..count).map(|at| at.to_string()).collect::<Vec<_>>();
    let mut random = Random::new(5);
    let leaves = (0..20 * 30).map(|_| random.below(40) as u32).collect();
    let tables = vec![table("t", &[("row", "row"), ("column", "column")], Unit::Person)];
    Owned::new(vec![flat("row", &codes(20)), flat("column", &codes(30))], tables, &[], vec![leaves]).unwrap()
}

/// What `audit.json` says of the system after an attack that may do so much.
fn told(effort: &Effort) -> serde_json::Value {
    let (owned, rule) = (owned(), Rule::threshold(5));
    let protected = protect(&census(&owned.borrowed()), &Settings::new(rule.clone()), &[]).unwrap();
    let audited = certify(&census(&owned.borrowed()), protected.statuses, &protected.proof, &rule, effort, &[]).unwrap();
    audited.expect("every small count has its certificate").report()["system"].clone()
}

#[test]
fn what_is_left_undecided_is_counted() {
    let whole = told(&Effort { largest: usize::MAX, ..Effort::default() });
    assert_eq!((&whole["solved"], &whole["is_complete"]), (&whole["unknowns"], &true.into()), "{whole}");
    let number = |told: &serde_json::Value, what: &str| told[what].as_u64().unwrap();

    let none = told(&Effort { largest: 10, windows: 0, ..Effort::default() });
    assert_eq!((number(&none, "left_out") + number(&none, "solved"), &none["is_complete"]), (number(&none, "unknowns"), &false.into()));
    assert!(number(&none, "left_out") > 50, "{none}");

    let some = told(&Effort { largest: 10, windows: 2, window: 50, ..Effort::default() });
    assert!(number(&some, "windows") == 2 && number(&some, "sampled") > 1, "{some}");
    assert!(number(&some, "left_out") < number(&none, "left_out"), "{some}");

    let late = told(&Effort { deadline: Some(Instant::now()), ..Effort::default() });
    assert!(number(&late, "out_of_time") > 0 && late["is_complete"] == false, "{late}");
}

#[test]
fn an_attack_that_fails_is_no_attack_that_finds_nothing() {
    // Not every number that fits a table fits the attack.
    let owned = Owned::new(vec![flat("row", &["0".into()])], vec![table("t", &[("row", "row")], Unit::Person)], &[], vec![vec![1 << 31]]);
    let owned = owned.unwrap();
    let statuses = vec![vec![Status::Published; 2]];
    let rule = Rule::threshold(5);
    let report = audit(&census(&owned.borrowed()), &statuses, &Proof::default(), &rule, &Effort::default(), &[]).unwrap();
    assert_eq!(report.faults.keys().collect::<Vec<_>>(), [&Fault::Unchecked]);
}
