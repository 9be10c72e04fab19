//! Codes become counts: one pass over the snapshot for all finest cubes.
//!
//! ```text
//! build(plan, ...)    1. chunks -> codes -> every cube of people; identities and households noted on the side
//!                     2. repeated identities -> counted the same way and taken off again
//!                     3. households -> codes of their heads and size -> every cube of households
//! rollup(cube)        every combination of nodes, added up from the finest cells
//! ```
//!
//! **Invariant**: marginals are never counted, only added up, so they always agree with the cells below them.

mod households;
mod proof;
mod quality;
mod records;
mod rollup;
mod store;

pub use proof::ProofManifest;
pub use quality::{PublicQuality, Quality, ReasonCount, RegionQuality, grouped};
pub use records::{BuildOptions, Built, HouseholdSummary, build};
pub use rollup::rollup;
pub use store::{BuildManifest, Confidential, read_cube};
