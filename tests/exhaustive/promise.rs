//! The promise of the rule, kept or not kept for thousands of tiny registers.

use super::{
    generator::register,
    knowledge::Shown,
    oracle::{Effort, Verdict, judge},
    publishing::{Omission, publish, publish_blindly},
    register::Register,
    report::describe,
    seeds::{each, seeds},
};

/// What was found about some registers.
#[derive(Debug, Default)]
struct Tally {
    registers: usize,
    revisions: usize,
    refused: usize,
    ends: usize,
    undecided: usize,
    known_before: usize,
    searches: usize,
    steps: u64,
    programs: u64,
    broken: Vec<u64>,
}

impl Tally {
    fn add(&mut self, register: &Register, shown: &[Shown], verdict: &Verdict) {
        self.registers += 1;
        self.revisions += shown.len();
        self.ends += verdict.goals;
        self.undecided += verdict.undecided;
        self.known_before += verdict.known_before;
        self.searches += verdict.searches;
        self.steps += verdict.steps;
        self.programs += verdict.programs;
        if !verdict.violations.is_empty() {
            self.broken.push(register.seed);
        }
    }

    /// Whether so few ends are undecided that nothing can hide among them.
    fn is_decided(&self) -> bool {
        self.undecided * 2_000 <= self.ends
    }
}

/// Every revision protected, audited and published; then everything that anybody can know of all of them together.
#[test]
fn no_range_is_narrower_than_promised() {
    let outcomes = each(seeds(2_000), |seed| {
        let register = register(seed);
        let published = publish(&register, Omission::Nothing);
        let verdict = published.as_ref().map(|published| judge(&register, &published.shown, Effort::default())).unwrap_or_default();
        (register, published, verdict)
    });
    let (mut tally, mut failed, mut worst) = (Tally::default(), Vec::new(), None);
    for (register, published, verdict) in &outcomes {
        let published = match published {
            Ok(published) => published,
            Err(error) => {
                failed.push((register.seed, error));
                continue;
            }
        };
        tally.add(register, &published.shown, verdict);
        tally.refused += published.refused;
        if !verdict.violations.is_empty() && worst.is_none_or(|(other, _, _)| size(register) < size(other)) {
            worst = Some((register, published, verdict));
        }
    }
    println!("{tally:?}");
    if let [(register, Ok(published), verdict)] = &outcomes[..] {
        // One register was asked for by its seed: whoever did wants to see it.
        println!("{}", describe(register, &published.shown, verdict));
    } else if let Some((register, published, verdict)) = worst {
        println!("the smallest register of which a promise is broken:\n{}", describe(register, &published.shown, verdict));
    }
    if let Some((seed, error)) = failed.first() {
        println!(
            "{} registers are not protected at all; seed {seed}: {error}\n{}",
            failed.len(),
            describe(&register(*seed), &[], &Verdict::default())
        );
    }
    assert!(tally.broken.is_empty() && failed.is_empty(), "{} broken, {} not protected", tally.broken.len(), failed.len());
    assert!(tally.is_decided(), "too many ends are undecided");
}

/// How much there is to read of a register.
fn size(register: &Register) -> usize {
    register.revisions.iter().map(|of| of.people.len()).sum::<usize>() * register.tables.len()
}

#[test]
fn silence_keeps_every_promise() {
    let mut tally = Tally::default();
    for (register, shown, verdict) in each(seeds(1_000), |seed| {
        let register = register(seed);
        let shown = publish_blindly(&register, true);
        let verdict = judge(&register, &shown, Effort::default());
        (register, shown, verdict)
    }) {
        assert!(verdict.violations.is_empty(), "{}", describe(&register, &shown, &verdict));
        tally.add(&register, &shown, &verdict);
    }
    println!("{tally:?}");
    assert!(tally.is_decided(), "{tally:?}");
}

#[test]
fn withholding_primaries_alone_breaks_most_promises() {
    let broken = each(seeds(200), |seed| {
        let register = register(seed);
        !judge(&register, &publish_blindly(&register, false), Effort { hasty: true, ..Effort::default() }).violations.is_empty()
    });
    let count = broken.iter().filter(|broken| **broken).count();
    println!("{count} of {} registers", broken.len());
    assert!(2 * count >= broken.len());
}
