//! What a release tells of its making: shares of rejected records, and what the audit checked.

use std::collections::BTreeMap;

use serde::Deserialize;

/// File of what was accepted and rejected.
pub(super) const QUALITY: &str = "quality.json";
/// File of what the audit checked.
pub(super) const AUDIT: &str = "audit.json";

/// What became of the records of a snapshot, as far as the public is told.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct Quality {
    /// Records accepted of a thousand; nothing where that would tell a hidden total, or how few were rejected.
    #[serde(default)]
    pub accepted_per_thousand: Option<f64>,
    /// Records rejected of a thousand, by reason. A reason that is not here rejected none or few.
    #[serde(default)]
    pub rejected_per_thousand: BTreeMap<String, f64>,
}

/// What the audit of a release checked.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct AuditReport {
    /// Cells of all tables.
    pub cells: u64,
    /// Cells that are withheld.
    pub suppressed: u64,
    /// Kinds of checks.
    pub checked: Vec<String>,
    /// How the withheld cells hang together.
    #[serde(default)]
    pub system: System,
}

/// The withheld cells as the unknowns of a system of sums, and what the attack on it came to. Releases of earlier versions tell less.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct System {
    /// Revisions of the period that were attacked together.
    pub revisions: u64,
    /// Earlier revisions of other code lists, which were not.
    pub revisions_apart: u64,
    /// Unknowns.
    pub unknowns: u64,
    /// Parts that have nothing to do with each other.
    pub components: u64,
    /// Unknowns of the largest part.
    pub largest: u64,
    /// Unknowns whose exact ranges were asked for.
    pub solved: u64,
    /// Parts that are too large for that.
    pub too_large: u64,
    /// Smaller parts of these that were attacked by themselves.
    pub parts: u64,
    /// Windows: unknowns of these and what is around them.
    pub windows: u64,
    /// Unknowns that were attacked in smaller parts and windows.
    pub sampled: u64,
    /// Unknowns of too large parts that were attacked in neither.
    pub left_out: u64,
    /// Ends of ranges at which the solver gave up.
    pub undecided: u64,
    /// Ends that could be proven only in part.
    pub unproven: u64,
    /// Ends at which a search in whole numbers gave up.
    pub searches_undecided: u64,
    /// Systems that were not begun because time was up.
    pub out_of_time: u64,
    /// Systems at which the solver broke down.
    pub panicked: u64,
    /// Whether every range is the narrowest that there is in real numbers.
    pub is_complete: bool,
}

impl System {
    /// Ends of ranges that were left undecided.
    pub fn undecided_ends(&self) -> u64 {
        self.undecided + self.unproven + self.searches_undecided
    }

    /// Systems that were left undecided as a whole.
    pub fn undecided_systems(&self) -> u64 {
        self.out_of_time + self.panicked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_of_earlier_versions_are_read() {
        let text = r#"{ "cells": 9, "suppressed": 4, "checked": ["sums"], "system": { "components": 1, "largest": 4, "solved": 4, "unknowns": 4 } }"#;
        let report: AuditReport = serde_json::from_str(text).unwrap();
        assert_eq!((report.system.solved, report.system.undecided_ends(), report.system.undecided_systems()), (4, 0, 0));
    }
}
