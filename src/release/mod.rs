//! Audited cells become an immutable release; releases form a catalogue.

mod manifest;

pub use manifest::{FORMAT, FileDigest, Manifest, Protection, Register, ReleasedTable};
