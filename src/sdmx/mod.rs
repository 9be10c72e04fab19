//! SDMX 2.1: the published tables as dataflows, with their structures, data and errors as SDMX-ML and SDMX-CSV.
//!
//! ```text
//! dataflow LABOUR ── structured by ──> DSD_LABOUR:  FREQ . REGION . SEX . AGE . OCCUPATION . CONTENTS   TIME_PERIOD
//! key      S.34+51.P..AGRI.            each dimension's codes, joined by '+'; an empty part means all of them
//! ```
//!
//! A table is a dataflow with a data structure of its own. Its axes are dimensions between `FREQ` and `CONTENTS`, the measures;
//! a code list holds all nodes of a dimension, and a content constraint says which of them a table shows. A period that
//! can be asked for is one that is released. What stands in a cell:
//!
//! | cell | `OBS_VALUE` | `OBS_STATUS` | `CONF_STATUS` |
//! |---|---|---|---|
//! | published | the number | `A` | `F` |
//! | suppressed | none | `Q` | `C` |
//! | cannot exist | none | `M` | `F` |
//! | not available | none | `O` | `F` |
//!
//! Texts stand in every document in all languages of the register. Nothing here knows how documents travel.
//!
//! **Invariant:** every document follows from the library and the query alone, clock included, so that equal questions to
//! equal releases have equal bytes.

mod artefacts;
mod codelists;
mod components;
mod constraints;
mod csv;
mod data;
mod datastructures;
mod generic;
mod media;
mod message;
mod names;
mod refusal;
mod selection;
mod specific;
mod structures;
mod window;
mod xml;

pub use artefacts::{Artefact, EVERY_KIND, Kind, List, REFERENCES, References};
pub use constraints::{Availability, MODES, available};
pub use data::{DATA_DETAILS, DataDetail, DataOptions, OBSERVED_BY, ObservedBy, document};
pub use media::{CsvVersion, FORMAT_NAMES, Format, LABELS, MEDIA, STRUCTURE, structure_is_acceptable};
pub use message::error;
pub use names::{Names, VERSION};
pub use refusal::{Refusal, RefusalKind};
pub use selection::{Key, flow, select};
pub use structures::{Detail, STRUCTURE_DETAILS, StructureQuery, structures};
pub use window::Window;
