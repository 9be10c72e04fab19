//! Work on a cluster of Apache Ballista.
//!
//! The plan that is sent is a scan of files that are not there yet, one for each part, and nothing else: it is made of nodes that
//! any scheduler knows, so that the scheduler needs to know nothing of us. A worker is an executor with an [`engine`](worker) that sees by the mark in
//! the schema that the files are parts of a work folder, and instead of reading them does what makes them. So who schedules, retries,
//! and finds out that a worker is lost is Ballista; what is done and where its results lie is ours.

mod client;
mod scheduler;
mod worker;

pub use client::Ballista;
pub use scheduler::schedule;
pub use worker::{WorkerSettings, serve_work};

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};

/// Key in a schema's metadata: the work folder whose parts are scanned.
const WORK: &str = "cacah.work";

/// Stands around what a worker has to say of an error, which is told within others on its way.
const FENCE: &str = "¦";

/// What is known of a part when it is done: its name.
fn schema(place: &str) -> SchemaRef {
    let fields = vec![Field::new("part", DataType::Utf8, false)];
    Arc::new(Schema::new_with_metadata(fields, [(WORK.to_owned(), place.to_owned())].into()))
}
