//! Checks what protection made, trusting none of it, and attacks it.
//!
//! ```text
//! statuses  structural zeros, primaries withheld, sums, one status and one count for a shared cell    cells
//! proofs    every primary has two worlds that keep every published cell of every revision, and        proofs
//!           every link between people and households, and reach both ends                             links
//! attack    exact bounds of suppressed cells by linear programs, without looking at any certificate  attack
//! ```
//!
//! What leaves the audit is the size of what was checked and that nothing fell short, never a cell's own bounds. Nothing here is shared with the
//! protection but the data model in [`crate::worlds`].

mod attack;
mod bounds;
mod cells;
mod differences;
mod links;
mod proofs;
mod system;

pub use attack::Effort;
pub use differences::{Difference, differences};
pub use system::Linked;

use crate::{
    error::{Error, Result},
    register::Status,
    worlds::{Audited, Census, Counted, Earlier, Proof, Rule},
};

/// Kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// A published value is not the count, or a value stands where none may.
    Value,
    /// A cell is not the sum of the cells below it.
    Sum,
    /// A cell that several tables share has another count in one of them.
    SharedCount,
    /// A cell that several tables share has another status in one of them.
    SharedStatus,
    /// A structural zero has another status, another cell has that status, or a structural zero is not empty.
    StructuralZero,
    /// A primary cell is published.
    PrimaryPublished,
    /// A primary cell has no certificate.
    NoCertificate,
    /// A certificate is for a cell that is none, or names a world that is none.
    StrayCertificate,
    /// A world changes a cell that is no finest cell, or the same cell twice.
    WorldForm,
    /// A world changes a structural zero.
    WorldZero,
    /// A world makes a count negative.
    WorldNegative,
    /// A world changes a published cell.
    WorldPublished,
    /// A world changes a shared cell in one table and not alike in another.
    WorldShared,
    /// A world breaks a link: people and households do not fit each other in it.
    WorldLink,
    /// A world changes what an earlier revision publishes, or what counts the same there.
    WorldEarlier,
    /// A world does not show its primary at the end that its certificate says.
    WorldReach,
    /// A primary of an earlier revision has no world any more that stands beside this one.
    EarlierNarrowed,
    /// Something was not checked, because checking it failed.
    Unchecked,
    /// Linear programming narrows the range of a primary.
    Narrowed,
}

/// What an audit did and found. Confidential; [`Audited::report`] is what everybody may read of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Cells whose status, count and sums were checked, over all tables.
    pub cells: u64,
    /// Primary cells of the threshold rule, each shared cell once a table.
    pub primaries: u64,
    /// Cells that are suppressed.
    pub suppressed: u64,
    /// Worlds checked.
    pub worlds: u64,
    /// Certificates checked.
    pub certificates: u64,
    /// Certificates of the small-group rule checked.
    pub groups: u64,
    /// What the attack did.
    pub attack: attack::Attack,
    /// Faults by kind.
    pub faults: std::collections::BTreeMap<Fault, u64>,
    /// The first faults, for the confidential log: kind, table and cell.
    pub examples: Vec<(Fault, u16, u32)>,
}

impl Report {
    /// Whether nothing fell short.
    pub fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }

    /// What everybody may read of an audit. It follows from the rule and from what is suppressed alone: how many cells are
    /// primary, or how many programs it took to attack them, would tell of hidden values, if only a little.
    fn public(&self, rule: &Rule) -> serde_json::Value {
        let attack = &self.attack;
        serde_json::json!({
            "rule": rule,
            "cells": self.cells,
            "suppressed": self.suppressed,
            "checked": ["structural zeros", "statuses", "sums", "shared cells", "certificates", "alternative worlds", "linear programs"],
            "system": { "unknowns": attack.unknowns, "components": attack.components, "largest": attack.largest, "solved": attack.solved },
            "faults": self.faults,
        })
    }

    fn fault(&mut self, fault: Fault, table: usize, cell: u64) {
        *self.faults.entry(fault).or_default() += 1;
        if self.examples.len() < 100 {
            self.examples.push((fault, table as u16, cell as u32));
        }
    }

    fn merge(&mut self, other: Self) {
        self.worlds += other.worlds;
        for (fault, count) in other.faults {
            *self.faults.entry(fault).or_default() += count;
        }
        self.examples.extend(other.examples);
        self.examples.truncate(100);
    }
}

/// Audits a protected release: what was counted, the statuses and the proof of protection, beside all that is published of the period already.
pub fn audit(
    census: &Census<'_>,
    statuses: &[Vec<Status>],
    proof: &Proof,
    rule: &Rule,
    effort: &Effort,
    earlier: &[Earlier<'_>],
) -> Result<Report> {
    check_sizes(census.tables, statuses)?;
    for Earlier { census, statuses, .. } in earlier {
        check_sizes(census.tables, statuses)?;
    }
    let mut report = Report::default();
    let mut primaries = cells::check(census, statuses, rule, &mut report);
    proofs::check(census, statuses, proof, rule, earlier, &mut primaries, effort.threads, &mut report);
    if report.is_clean() {
        let linked = system::Linked::new(census.tables);
        attack::attack(census.tables, statuses, &primaries.groups, rule, &linked, effort, &mut report);
    }
    Ok(report)
}

/// Audits as [`audit`] does; what passes may be published, of what does not the report tells why.
pub fn certify(
    census: &Census<'_>,
    statuses: Vec<Vec<Status>>,
    proof: &Proof,
    rule: &Rule,
    effort: &Effort,
    earlier: &[Earlier<'_>],
) -> Result<std::result::Result<Audited, Report>> {
    let report = audit(census, &statuses, proof, rule, effort, earlier)?;
    if !report.is_clean() {
        return Ok(Err(report));
    }
    Ok(Ok(Audited::new(rule.clone(), statuses, report.public(rule))))
}

/// Compares what a release shows with the counts.
pub fn check_values(tables: &[Counted<'_>], statuses: &[Vec<Status>], values: &[Vec<Option<u32>>], report: &mut Report) {
    for (table, ((counted, statuses), values)) in tables.iter().zip(statuses).zip(values).enumerate() {
        for (cell, ((&count, &status), &value)) in counted.counts.iter().zip(statuses).zip(values).enumerate() {
            if value != (status == Status::Published).then_some(count) {
                report.fault(Fault::Value, table, cell as u64);
            }
        }
    }
}

/// Attacks a release without looking at certificates or checking anything else first.
pub fn attack_only(tables: &[Counted<'_>], statuses: &[Vec<Status>], rule: &Rule, effort: &Effort) -> Result<Report> {
    check_sizes(tables, statuses)?;
    let mut report = Report::default();
    let groups = cells::groups(tables, statuses, rule);
    attack::attack(tables, statuses, &groups, rule, &system::Linked::new(tables), effort, &mut report);
    Ok(report)
}

fn check_sizes(tables: &[Counted<'_>], statuses: &[Vec<Status>]) -> Result<()> {
    let sound = tables.len() == statuses.len()
        && tables
            .iter()
            .zip(statuses)
            .all(|(counted, statuses)| counted.counts.len() as u64 == counted.shape.cells && statuses.len() == counted.counts.len());
    if sound { Ok(()) } else { Err(Error::Input("counts, statuses and shapes of the tables differ in size".into())) }
}
