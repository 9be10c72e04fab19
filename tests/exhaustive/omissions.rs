//! Facts left out on purpose: protection is not told of something, and the oracle, which knows it, must find out.

use super::{
    generator::register,
    guided::publish_guided,
    oracle::{Contributors, Effort, Verdict, judge},
    publishing::{Omission, publish},
    register::Register,
    report::describe_violation,
    seeds::{each, seeds},
};

/// Most cells of a register that a guided protection is asked for: it judges once for every cell, or more often.
const MOST_CELLS: u64 = 60;

fn cells(register: &Register) -> u64 {
    let shape = |table| cacah::register::Shape::new(table, &register.dimensions).expect("tables of tiny registers are sound");
    register.tables.iter().map(|table| shape(table).cells).sum()
}

/// Whether a fact could make a difference at all.
fn may_matter(register: &Register, omission: Omission) -> bool {
    match omission {
        Omission::Nothing | Omission::Threshold => true,
        Omission::Members | Omission::Heads | Omission::Links => register.has_households(),
        // Sums alone are all that is left without lists; links speak of lists.
        Omission::Joint => !register.has_households(),
        Omission::Earlier => register.revisions.len() > 1,
        Omission::EarlierButOne => register.revisions.len() > 2,
        Omission::Contributor => register.revisions[0].rule.contributors > 1,
    }
}

/// A register in which an omission shows.
struct Found {
    seed: u64,
    what: String,
}

/// What protection led by the oracle makes of a register if something is left out; `None` if nothing can be left out.
fn guided(seed: u64, omission: Omission) -> Option<Option<Found>> {
    let register = register(seed);
    if cells(&register) > MOST_CELLS || !may_matter(&register, omission) {
        return None;
    }
    let published = publish_guided(&register, omission, Contributors::Ignored);
    let verdict = judge(&register, &published.shown, Effort::default());
    Some(first(seed, &verdict, |at| describe_violation(&register, &published.shown, &verdict.violations[at])))
}

fn first(seed: u64, verdict: &Verdict, describe: impl Fn(usize) -> String) -> Option<Found> {
    (!verdict.violations.is_empty()).then(|| Found { seed, what: describe(0) })
}

/// Led by an oracle that knows everything protection keeps every promise, and by one that forgets something it does not: what is
/// forgotten tells something of small counts, and the registers are such that it often does.
#[test]
fn whatever_is_forgotten_shows() {
    // Of a hundred registers that have what is forgotten, in how many it shows at least.
    let expected = [
        (Omission::Nothing, 0),
        (Omission::Members, 25),
        (Omission::Heads, 1),
        (Omission::Links, 25),
        (Omission::Joint, 1),
        (Omission::Earlier, 20),
        (Omission::EarlierButOne, 5),
        (Omission::Contributor, 10),
        (Omission::Threshold, 40),
    ];
    for (omission, percent) in expected {
        let tried: Vec<Option<Found>> = each(seeds(300), |seed| guided(seed, omission)).into_iter().flatten().collect();
        let found: Vec<&Found> = tried.iter().flatten().collect();
        let example = found.first().map(|found| format!("seed {}: {}", found.seed, found.what)).unwrap_or_default();
        println!("{omission:?} shows in {} of {} registers; {example}", found.len(), tried.len());
        assert!(found.len() * 100 >= percent * tried.len(), "{omission:?}");
        assert!(omission != Omission::Nothing || found.is_empty(), "{example}");
    }
}

/// The same of the program's own protection: of registers that it protects well when it is told everything, some must not be when it is
/// not. It withholds more than it has to, so that this takes more of them.
#[test]
fn protection_needs_every_fact() {
    let omissions = [
        Omission::Members,
        Omission::Heads,
        Omission::Joint,
        Omission::Earlier,
        Omission::EarlierButOne,
        Omission::Contributor,
        Omission::Threshold,
    ];
    let mut missed = Vec::new();
    for omission in omissions {
        match search(omission) {
            (tried, Some(found)) => {
                println!("{omission:?} shows in register {tried} of those that it may: seed {}: {}", found.seed, found.what)
            }
            (tried, None) => {
                println!("{omission:?} does not show in {tried} registers");
                // Lists beyond sums matter so rarely that what protection withholds to spare may hide it.
                if omission != Omission::Joint {
                    missed.push(omission);
                }
            }
        }
    }
    assert!(missed.is_empty(), "{missed:?}");
}

/// Registers a batch at a time, until an omission shows: how many there were, and the first.
fn search(omission: Omission) -> (usize, Option<Found>) {
    let all = seeds(3_000);
    let mut tried = 0;
    for start in all.clone().step_by(100) {
        let batch = start..(start + 100).min(all.end);
        for found in each(batch, |seed| unprotected(seed, omission)).into_iter().flatten() {
            tried += 1;
            if found.is_some() {
                return (tried, found);
            }
        }
    }
    (tried, None)
}

/// What comes of a register that the program protects without a fact; `None` if it has no such fact, or is not protected with it either.
fn unprotected(seed: u64, omission: Omission) -> Option<Option<Found>> {
    let register = register(seed);
    let matters = if omission == Omission::Joint { register.tables.len() > 2 } else { may_matter(&register, omission) };
    if !matters {
        return None;
    }
    let hasty = Effort { hasty: true, ..Effort::default() };
    let published = publish(&register, omission).ok()?;
    let verdict = judge(&register, &published.shown, hasty);
    let found = first(seed, &verdict, |at| describe_violation(&register, &published.shown, &verdict.violations[at]));
    if found.is_some() {
        let whole = publish(&register, Omission::Nothing).ok()?;
        if !judge(&register, &whole.shown, hasty).violations.is_empty() {
            return None;
        }
    }
    Some(found)
}
