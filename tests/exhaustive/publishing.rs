//! Publishes the revisions of a tiny register one after the other, as an operator would, or with something left out on purpose.

use cacah::{
    register::Status,
    worlds::{Census, Earlier, Proof, Rule},
};

use super::{
    counting::{Borrowed, Counts, Tally, primaries},
    knowledge::Shown,
    protecting::{Outcome, protect_revision},
    register::Register,
};

/// What protection is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Omission {
    /// It is told everything.
    Nothing,
    /// That the people of a place are the members of its households.
    Members,
    /// That heads are people.
    Heads,
    /// Both, so that each unit is protected by itself.
    Links,
    /// Which tables have to be filled beside those that are published.
    Joint,
    /// All that was published before.
    Earlier,
    /// What was published before the revision before.
    EarlierButOne,
    /// The last of the contributors that the rule asks for.
    Contributor,
    /// That the threshold is one higher.
    Threshold,
}

impl Omission {
    /// How many of some revisions that were published before are forgotten.
    pub fn forgets(self, earlier: usize) -> usize {
        match self {
            Self::Earlier => earlier,
            Self::EarlierButOne => earlier.saturating_sub(1),
            _ => 0,
        }
    }
}

/// What became of a register.
#[derive(Debug, Default)]
pub struct Published {
    /// The revisions that were published.
    pub shown: Vec<Shown>,
    /// How many were refused.
    pub refused: usize,
}

/// A revision with all that [`Earlier`] borrows.
struct Accepted {
    revision: usize,
    statuses: Vec<Vec<Status>>,
    proof: Proof,
    rule: Rule,
}

/// Protects and publishes every revision of a register; an error tells which one went wrong, and how.
pub fn publish(register: &Register, omission: Omission) -> Result<Published, String> {
    let told = told(register, omission);
    let tallies = tallies(register);
    let told_tallies = self::tallies(&told);
    let borrowed: Vec<Borrowed<'_>> = told_tallies.iter().map(Borrowed::new).collect();
    let census = |revision: usize| -> Census<'_> {
        let census = borrowed[revision].census(&told);
        if omission == Omission::Joint { Census { joint: &[], ..census } } else { census }
    };
    let mut accepted: Vec<Accepted> = Vec::new();
    let mut published = Published::default();
    for (revision, of) in told.revisions.iter().enumerate() {
        let earlier: Vec<Earlier<'_>> = accepted[omission.forgets(accepted.len())..]
            .iter()
            .map(|Accepted { revision, statuses, proof, rule }| Earlier { census: census(*revision), statuses, rule, proof })
            .collect();
        match protect_revision(&census(revision), &of.rule, &earlier).map_err(|error| format!("revision {revision}: {error}"))? {
            Outcome::Protected { statuses, proof } => accepted.push(Accepted { revision, statuses, proof, rule: of.rule.clone() }),
            Outcome::Refused => published.refused += 1,
        }
    }
    published.shown = accepted
        .into_iter()
        .map(|Accepted { revision, statuses, .. }| Shown { revision, tally: tallies[revision].clone(), statuses })
        .collect();
    Ok(published)
}

/// A register as protection is told of it.
pub fn told(register: &Register, omission: Omission) -> Register {
    let mut told = register.clone();
    match omission {
        Omission::Members => told.links.members.clear(),
        Omission::Heads => told.links.heads.clear(),
        Omission::Links => told.links = Default::default(),
        Omission::Contributor => {
            told.revisions.iter_mut().for_each(|of| of.rule.contributors = of.rule.contributors.saturating_sub(1).max(1))
        }
        Omission::Threshold => told.revisions.iter_mut().for_each(|of| of.rule.threshold -= 1),
        Omission::Nothing | Omission::Joint | Omission::Earlier | Omission::EarlierButOne => {}
    }
    told
}

/// Counts every revision.
pub fn tallies(register: &Register) -> Vec<Tally> {
    let count = |(revision, of): (usize, &super::register::Revision)| Tally::new(register, revision, of.rule.contributors);
    register.revisions.iter().enumerate().map(count).collect()
}

/// Publishes all revisions with a pattern that takes no thought: nothing but primaries withheld, or everything.
pub fn publish_blindly(register: &Register, everything: bool) -> Vec<Shown> {
    let blindly = |(revision, tally): (usize, Tally)| {
        let rule = &register.revisions[revision].rule;
        Shown { revision, statuses: tally.tables.iter().map(|counts| blind_statuses(counts, rule, everything)).collect(), tally }
    };
    tallies(register).into_iter().enumerate().map(blindly).collect()
}

/// Statuses of a table that take no thought: primaries withheld, or everything.
pub fn blind_statuses(counts: &Counts, rule: &Rule, everything: bool) -> Vec<Status> {
    let status = |&impossible: &bool| match impossible {
        true => Status::Impossible,
        false if everything => Status::Suppressed,
        false => Status::Published,
    };
    let mut statuses: Vec<Status> = counts.impossible.iter().map(status).collect();
    for (cell, _) in primaries(counts, rule) {
        statuses[cell] = Status::Suppressed;
    }
    statuses
}
