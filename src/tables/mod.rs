//! Tables over all periods: what they offer, what a request means, and its numbers.
//!
//! ```text
//! Catalogue ──> Library            once: vintages joined, cell files open
//! Request ────> resolve ──> Query  every variable with its codes, nothing left to interpret
//! Query ──────> answer ──> Answer  numbers and statuses, from published cells only
//! ```
//!
//! **Invariant:** nothing here, and nothing that uses it, can reach a count that was not released. A number that stands in an
//! answer is a released cell, a sum of released cells, or worked out from such; with a suppressed part it is suppressed.

mod answer;
mod catalogue;
mod codelists;
mod counts;
mod defaults;
mod derive;
mod describe;
mod expression;
mod library;
mod narrow;
mod request;
mod resolve;
mod scope;
mod search;
mod status;
mod vintages;

pub use answer::{Answer, answer};
pub use catalogue::{Listing, Page, list};
pub use codelists::{CodeList, CodeListKind};
pub use defaults::selection as default_selection;
pub use describe::Category;
pub use expression::{Codes, Expression, Unselected};
pub use library::{AxisEntry, Library, TableEntry, fingerprint, withdrawal};
pub use narrow::NodeRuns;
pub use request::{Fault, Request, RequestError, Selection, joined, listed};
pub use resolve::{CONTENTS, Chosen, Query, TIME, Variable, everything, resolve};
pub use scope::{Scope, Scopes};
pub use search::Understood;
pub use status::CellStatus;
pub use vintages::UnionDimension;
