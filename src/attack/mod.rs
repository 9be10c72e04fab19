//! From published facts alone: proven bounds of withheld counts.
//!
//! Everything that is published of one period, of all tables, both units and all revisions, is one system of equations and inequalities over
//! unknown whole numbers. An attack works out what it leaves of each withheld count:
//!
//! ```text
//! cells        which cells are unknown, and which of them are one number
//! rows         sums along every axis; people and households (links, heads)
//! bounds       what rows leave of ranges one by one, until none narrows any more
//! components   what hangs together: up to a size it is solved whole, of larger ones windows are
//! settle       exact ranges by points (dives), linear programs (program) and searches in whole numbers (search)
//! derivation   the proof: lines that anybody can check in whole numbers, which `check` does
//! ```
//!
//! Only what is published goes in, so that the public may run it on any release, and the audit is this attack and the truth.
//!
//! # Proofs
//!
//! A [`Line`] proves one end of the range of one count. It names rows and multipliers. Added up, inequalities only with multipliers that are
//! not negative, they say that some counts times coefficients are a number at most. Every other count is replaced by the best end of its range
//! that an earlier line proves, or by 0; what is left is divided by the coefficient of the count in question and rounded inward. Bounds by
//! single rows are the rule; those of linear programs combine many (the multipliers are the solution of the dual); where whole numbers tell
//! more than fractions, a line supposes the opposite and those that follow lead to a contradiction.

mod bounds;
mod cells;
mod check;
mod components;
mod csr;
mod findings;
mod heads;
mod history;
mod input;
mod jobs;
mod links;
mod narrow;
mod program;
mod public;
mod rows;
mod run;
mod search;
mod sets;
mod settle;
mod statistics;
mod subsystem;
#[cfg(test)]
mod tests;
mod unchanged;

use std::time::Instant;

pub use check::Checker;
pub use findings::{Findings, Line, LineStep, Method, Range, RowKind, RowName};
pub use input::{CellRef, Facts, JointTable, MembersAt, Outside, OutsideOf, PeopleOutside, Publication, PublishedTable, SameCount};
pub use narrow::End;
pub use public::attack_public;
pub use run::attack;
pub use statistics::Statistics;
pub use unchanged::Unchanged;

use crate::error::Error;

/// How much an attack may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effort {
    /// Threads.
    pub threads: usize,
    /// Unknowns of the largest component that is solved whole.
    pub largest: usize,
    /// Unknowns of the largest component that is searched in whole numbers where programs reach an end by fractions only.
    pub largest_whole: usize,
    /// Unknowns of a window.
    pub window: usize,
    /// Windows at most; one takes some ten milliseconds, and tells of some twenty unknowns.
    pub windows: usize,
    /// When to begin no further subsystem.
    pub deadline: Option<Instant>,
    /// Whether proofs are kept.
    pub proofs: bool,
}

impl Default for Effort {
    fn default() -> Self {
        Self { threads: 2, largest: 300, largest_whole: 40, window: 300, windows: 2_000, deadline: None, proofs: false }
    }
}

/// What an attack is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Unknowns are numbered and rows found.
    Reading,
    /// Rows narrow ranges one by one.
    Narrowing,
    /// Components are solved.
    Components,
    /// Windows are solved.
    Windows,
}

/// Takes what an attack is doing, how much of it is done, and how much there is; 0: not known.
pub type Progress<'p> = dyn Fn(Stage, u64, u64) + Sync + 'p;

/// Why there are no findings.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// What is published contradicts itself, at these cells among others. Revisions do so where counts are held to be the same that
    /// differ; one revision alone only if it is damaged.
    #[error("{what}")]
    Contradiction {
        /// Cells of the row at which it showed.
        cells: Vec<CellRef>,
        /// What is wrong.
        what: &'static str,
    },
    /// What was given cannot be attacked.
    #[error(transparent)]
    Input(#[from] Error),
}

impl Failure {
    fn contradiction(cells: Vec<CellRef>, what: &'static str) -> Self {
        Self::Contradiction { cells, what }
    }
}
