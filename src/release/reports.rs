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

/// The withheld cells as the unknowns of a system of sums.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct System {
    /// Parts that have nothing to do with each other.
    #[serde(default)]
    pub components: u64,
    /// Unknowns of the largest part.
    #[serde(default)]
    pub largest: u64,
    /// Unknowns of parts whose exact ranges were worked out.
    #[serde(default)]
    pub solved: u64,
    /// Unknowns.
    #[serde(default)]
    pub unknowns: u64,
}
