//! How plans run: the only place that makes a session or a physical plan.

mod cells;
mod serving;

pub use cells::{CellBatch, CellFile, CellStream};
pub use serving::{Admission, ServingEngine, ServingSettings};
