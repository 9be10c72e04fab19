//! Codes become counts: one pass over the snapshot for all finest cubes.
//!
//! ```text
//! build(...)          1. chunks -> codes -> every cube of people; identities and households noted on the side
//!                     2. repeated identities -> counted the same way and taken off again
//!                     3. households -> codes of their heads and size -> every cube of households, and their members;
//!                        from how many households the people of a cell come, where they are few
//! build_by(crew, ...) the same, by workers elsewhere
//! rollup(cube)        every combination of nodes, added up from the finest cells
//! ```
//!
//! **Invariant**: marginals are never counted, only added up, so they always agree with the cells below them.

mod columns;
mod contributors;
mod distribute;
mod household_pass;
mod households;
mod parts;
mod proof;
mod quality;
mod records;
mod rollup;
mod run;
mod slabs;
mod store;

pub use contributors::FewHouseholds;
pub use distribute::build_by;
pub use households::HouseholdSummary;
pub use parts::Workshop;
pub use proof::{ProofManifest, Proven};
pub use quality::{PublicQuality, Quality, ReasonCount, RegionQuality, grouped};
pub use records::{BuildOptions, Built, build};
pub use rollup::rollup;
pub use store::{BuildManifest, Confidential, read_cube};
