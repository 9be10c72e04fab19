//! Audited cells become an immutable release; releases form a catalogue.

mod catalogue;
mod manifest;

pub use catalogue::{Catalogue, Published, Release, published};
pub use manifest::{FORMAT, FileDigest, Manifest, Protection, Register, ReleasedTable};
