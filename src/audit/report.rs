//! What an audit found, and what everybody may read of it.

use crate::{attack::Statistics, worlds::Rule};

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
    /// The attack narrows the range of a primary.
    Narrowed,
}

/// What an audit did and found. Confidential; [`crate::worlds::Audited::report`] is what everybody may read of it.
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
    /// Revisions that were attacked together, the new one among them.
    pub revisions: u64,
    /// Earlier revisions of other code lists, whose counts the attack cannot compare with these.
    pub revisions_apart: u64,
    /// What the attack did, and what it left undecided.
    pub attack: Statistics,
    /// The same of an attacker who knows nothing of people outside of households, if any range called for him. Whether one did depends on hidden
    /// counts, so that nobody is told.
    pub attack_unaware: Option<Statistics>,
    /// The same of an attacker who knows what is published, and nothing else: everybody may read it, because everybody can find it out.
    pub attack_public: Statistics,
    /// What was looked at.
    pub checked: Vec<&'static str>,
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

    /// What everybody may read of an audit: how much the attack does that everybody can run, and what it leaves undecided. What the strongest
    /// attacker's system looks like tells whether hidden counts differ between revisions, and how many cells are primary does not follow from
    /// what is published either: neither is told, but for systems at which the solver broke down or that were not begun in time.
    pub(super) fn public(&self, rule: &Rule) -> serde_json::Value {
        let attack = &self.attack_public;
        let all = || [Some(&self.attack), self.attack_unaware.as_ref(), Some(attack)].into_iter().flatten();
        let (out_of_time, panicked): (u64, u64) = (all().map(|attack| attack.out_of_time).sum(), all().map(|attack| attack.panicked).sum());
        serde_json::json!({
            "rule": rule,
            "cells": self.cells,
            "suppressed": self.suppressed,
            "checked": self.checked,
            "system": {
                "revisions": self.revisions,
                "revisions_apart": self.revisions_apart,
                "unknowns": attack.unknowns,
                "components": attack.components,
                "largest": attack.largest,
                // Counts of which one value is left belong to no component, and their range is as exact as can be.
                "solved": attack.solved_unknowns + attack.determined_by_rows,
                "too_large": attack.too_large,
                "parts": attack.parts,
                "windows": attack.windows,
                "sampled": attack.parts_unknowns + attack.window_unknowns,
                "left_out": attack.left_out,
                "undecided": attack.undecided,
                "unproven": attack.unproven,
                "searches_undecided": attack.searches_undecided,
                "out_of_time": out_of_time,
                "panicked": panicked,
                "is_complete": attack.is_complete() && out_of_time + panicked == 0,
            },
            "faults": self.faults,
        })
    }

    pub(super) fn fault(&mut self, fault: Fault, table: usize, cell: u64) {
        *self.faults.entry(fault).or_default() += 1;
        if self.examples.len() < 100 {
            self.examples.push((fault, table as u16, cell as u32));
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.worlds += other.worlds;
        for (fault, count) in other.faults {
            *self.faults.entry(fault).or_default() += count;
        }
        self.examples.extend(other.examples);
        self.examples.truncate(100);
    }
}
