//! Audited cells become an immutable, signed release; releases form a catalogue.

mod catalogue;
mod cells;
mod chain;
mod exported;
mod keys;
mod manifest;
mod provenance;
mod publish;
mod reports;
mod signature;
mod stored;
mod verify;
mod withdrawal;

pub use catalogue::{Catalogue, Edition, Release, Superseded, Withdrawn, read_whole, survey, verify_file};
pub use cells::{read_cells, write_cells};
pub use exported::{ExportFormat, Exported, PngText, crc32, png_text, read_export};
pub use keys::{PUBLIC_KEY, PublicKey, ReleaseKey, SECRET_KEY, Trust};
pub use manifest::{Chain, FORMAT, Manifest, Protection, Register, ReleasedTable};
pub use provenance::{NamedRelease, Provenance, Sealer, place, seal};
pub use publish::{Draft, Published};
pub use reports::{AuditReport, Quality, System};
pub use signature::{Signature, Signed};
pub use stored::{MANIFEST, MANIFEST_SIGNATURE, StoredRelease, StoredWithdrawal, WITHDRAWAL, WITHDRAWAL_SIGNATURE, list, list_stored};
pub use verify::{Checked, Fault, Report, verify};
pub use withdrawal::{Withdrawal, withdraw, withdrawal_of};
