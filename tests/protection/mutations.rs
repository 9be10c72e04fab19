//! A good release, broken in one place at a time: the audit finds every break.

use cacah::{
    audit::{Effort, Fault, Report, audit},
    protect::{Protected, Settings, Trials, protect},
    register::Status,
    worlds::{GroupRule, Rule},
};

use super::country;
use super::synthetic::{Owned, census, narrowed};

fn rule() -> Rule {
    Rule { group: Some(GroupRule { below: 40, dimensions: vec!["religion".into()] }), ..Rule::threshold(5) }
}

/// Two regencies of a made-up country.
fn small(people: f64, seed: u64) -> Owned {
    let regions = country::regions(1, seed);
    let lines = regions.lines().filter(|line| !line.starts_with("11.") || line.starts_with("11.01") || line.starts_with("11.02"));
    let regions: String = lines.map(|line| format!("{line}\n")).collect();
    country::make_over(&regions, people, seed).unwrap().1
}

/// A province of small villages, so that everything that protection can meet occurs.
fn release() -> (Owned, Protected) {
    let mut owned = small(0.02, 7);
    // The tables of households and of religion and marital status are enough, and quick.
    for at in (0..owned.tables.len()).rev() {
        if !["households", "marital", "marital-age", "religion", "population"].contains(&owned.tables[at].id.as_str()) {
            owned.tables.remove(at);
            owned.shapes.remove(at);
            owned.zeros.remove(at);
            owned.counts.remove(at);
        }
    }
    let settings = Settings { trials: Trials::THOROUGH, ..Settings::new(rule()) };
    let protected = protect(&census(&owned.borrowed()), &settings, &[]).unwrap();
    (owned, protected)
}

fn run(owned: &Owned, protected: &Protected) -> Report {
    let effort = Effort { largest: 60, windows: 20, ..Effort::default() };
    audit(&census(&owned.borrowed()), &protected.statuses, &protected.proof, &rule(), &effort, &[]).unwrap()
}

/// Kinds of faults but for what the attack makes of them.
fn kinds(report: &Report) -> Vec<Fault> {
    report.faults.keys().copied().filter(|fault| *fault != Fault::Narrowed).collect()
}

fn position(owned: &Owned, id: &str) -> usize {
    owned.tables.iter().position(|table| table.id == id).unwrap()
}

/// A suppressed cell of a table, primary or secondary, that the table does not share with any other: a finest one.
fn pick(owned: &Owned, protected: &Protected, table: usize, primary: bool) -> usize {
    let shape = &owned.shapes[table];
    (0..owned.counts[table].len())
        .filter(|&cell| protected.statuses[table][cell] == Status::Suppressed && protected.primary[table][cell] == primary)
        .filter(|&cell| {
            let coordinates = shape.coordinates(cell as u64);
            coordinates.iter().zip(&shape.axes).all(|(position, axis)| axis.leaves.contains(position))
        })
        .nth(3)
        .unwrap()
}

#[test]
fn the_audit_finds_every_break() {
    let (mut owned, mut protected) = release();
    let clean = run(&owned, &protected);
    assert!(clean.is_clean(), "{:?} {:?}", clean.faults, clean.examples);
    assert!(clean.certificates > 1000 && clean.groups > 10 && clean.attack.solved_unknowns + clean.attack.window_unknowns > 0, "{clean:?}");
    let religion = position(&owned, "religion");

    // A published secondary.
    let cell = pick(&owned, &protected, religion, false);
    protected.statuses[religion][cell] = Status::Published;
    assert_eq!(kinds(&run(&owned, &protected)), [Fault::WorldPublished]);
    protected.statuses[religion][cell] = Status::Suppressed;

    // A published primary.
    let cell = pick(&owned, &protected, religion, true);
    protected.statuses[religion][cell] = Status::Published;
    assert!(kinds(&run(&owned, &protected)).contains(&Fault::PrimaryPublished));
    protected.statuses[religion][cell] = Status::Suppressed;

    // A changed count.
    let cell = (0..owned.counts[religion].len()).rev().find(|&cell| owned.counts[religion][cell] > 50).unwrap();
    owned.counts[religion][cell] += 1;
    assert!(kinds(&run(&owned, &protected)).contains(&Fault::Sum));
    owned.counts[religion][cell] -= 1;

    // A count that differs between tables.
    owned.counts[religion][0] += 1;
    assert!(kinds(&run(&owned, &protected)).contains(&Fault::SharedCount));
    owned.counts[religion][0] -= 1;

    // An altered world.
    let world = protected.proof.worlds.world(1).next().unwrap();
    for delta in [world.delta + 1, -1_000_000] {
        protected.proof.worlds.alter(0, delta);
        let report = run(&owned, &protected);
        assert!(kinds(&report).contains(&Fault::WorldPublished), "{:?}", report.faults);
        assert_eq!(delta < -1000, kinds(&report).contains(&Fault::WorldNegative));
    }
    protected.proof.worlds.alter(0, world.delta);

    // An altered, a missing, a stray certificate.
    let at = protected.proof.certificates.len() / 2;
    let kept = protected.proof.certificates[at];
    let count = owned.counts[kept.table as usize][kept.cell as usize];
    protected.proof.certificates[at].low = 0;
    protected.proof.certificates[at].high = 0;
    assert_eq!(kinds(&run(&owned, &protected)), [Fault::WorldReach], "{count}");
    protected.proof.certificates[at].low = u32::MAX;
    assert!(kinds(&run(&owned, &protected)).contains(&Fault::StrayCertificate));
    protected.proof.certificates.remove(at);
    assert_eq!(kinds(&run(&owned, &protected)), [Fault::NoCertificate]);
    protected.proof.certificates.insert(at, kept);
    let group = protected.proof.groups.pop().unwrap();
    assert_eq!(kinds(&run(&owned, &protected)), [Fault::NoCertificate]);
    protected.proof.groups.push(group);

    // A shared cell with two statuses.
    let (marital, ages) = (position(&owned, "marital"), position(&owned, "marital-age"));
    let cell = (0..owned.counts[ages].len())
        .find(|&cell| protected.statuses[ages][cell] == Status::Suppressed && owned.shapes[ages].coordinates(cell as u64)[2] == 0)
        .unwrap();
    protected.statuses[ages][cell] = Status::Published;
    let report = run(&owned, &protected);
    assert!(kinds(&report).contains(&Fault::SharedStatus), "{marital} {:?}", report.faults);
    protected.statuses[ages][cell] = Status::Suppressed;

    // A structural zero as slack: as if it were suppressed.
    let cell = protected.statuses[ages].iter().position(|status| *status == Status::Impossible).unwrap();
    protected.statuses[ages][cell] = Status::Suppressed;
    assert!(kinds(&run(&owned, &protected)).contains(&Fault::StructuralZero));
    protected.statuses[ages][cell] = Status::Impossible;
    // And a world that moves one.
    let mut worlds = protected.proof.worlds.clone();
    let change = cacah::worlds::Change { table: ages as u16, cell: cell as u32, delta: 1 };
    worlds.push([change].into_iter());
    std::mem::swap(&mut worlds, &mut protected.proof.worlds);
    assert!(kinds(&run(&owned, &protected)).contains(&Fault::WorldZero));
    std::mem::swap(&mut worlds, &mut protected.proof.worlds);

    assert!(run(&owned, &protected).is_clean());
}

#[test]
fn the_attack_alone_finds_what_primary_suppression_gives_away() {
    let (owned, mut protected) = release();
    for (table, statuses) in protected.statuses.iter_mut().enumerate() {
        for (cell, status) in statuses.iter_mut().enumerate() {
            if *status == Status::Suppressed && !protected.primary[table][cell] {
                *status = Status::Published;
            }
        }
    }
    let narrowed = narrowed(&owned, &protected.statuses, &rule());
    assert!(narrowed > 20, "{narrowed}");
}

#[test]
fn the_result_does_not_depend_on_threads() {
    let owned = small(0.02, 3);
    let mut settings = Settings::new(Rule::threshold(3));
    settings.threads = 1;
    let alone = protect(&census(&owned.borrowed()), &settings, &[]).unwrap();
    settings.threads = 3;
    let together = protect(&census(&owned.borrowed()), &settings, &[]).unwrap();
    assert_eq!(alone.statuses, together.statuses);
    assert_eq!(alone.proof, together.proof);
}

/// Worlds that a failed trial dropped once still counted as shown for other cells: the audit found them missing.
#[test]
fn a_dropped_trial_proves_nothing() {
    let regions = country::regions(1, 2);
    let lines = regions.lines().filter(|line| !line.starts_with("11.") || line.starts_with("11.01"));
    let regions: String = lines.map(|line| format!("{line}\n")).collect();
    let owned = country::make_over(&regions, 0.05, 2).unwrap().1;
    let trials = Trials { rounds: 2, worlds: 15 };
    let settings = Settings { trials, ..Settings::new(Rule::threshold(5)) };
    let protected = protect(&census(&owned.borrowed()), &settings, &[]).unwrap();
    let effort = Effort { largest: 60, windows: 20, ..Effort::default() };
    let report = audit(&census(&owned.borrowed()), &protected.statuses, &protected.proof, &settings.rule, &effort, &[]).unwrap();
    assert!(report.is_clean(), "{:?}", report.faults);
}
