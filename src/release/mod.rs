//! Audited cells become an immutable release; releases form a catalogue.

mod catalogue;
mod cells;
mod manifest;
mod publish;
mod reports;

pub use catalogue::{Catalogue, Edition, Release, Superseded, read_whole, survey};
pub use cells::{read_cells, write_cells};
pub use manifest::{FORMAT, Manifest, Protection, Register, ReleasedTable};
pub use publish::{Draft, Published, list};
pub use reports::{AuditReport, Quality, System};
