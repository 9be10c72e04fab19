//! The interface described: as OpenAPI for programs, as a page for people.
//!
//! An address is described where it is routed ([`routes`](super::routes)), so that there is none without a description, and what
//! documents consist of is derived from the types that they are written from. What a register has (tables, code lists,
//! languages, named queries with their parameters) is added when somebody asks.

mod openapi;
mod operation;
pub mod operations;
mod page;
mod parameters;

use std::sync::Arc;

use axum::{
    Extension,
    extract::RawQuery,
    http::{HeaderMap, Method, Uri},
    response::Response,
};

pub use operation::Operation;

use super::{Shared, noted::Recorded, parameters::Parameters, portal, problem::Problem, px::lasting, queries::digests, seen::Seen};

/// An address with a method, and what is said of it.
#[derive(Debug)]
pub struct Address {
    pub path: String,
    pub method: Method,
    pub operation: &'static Operation,
}

/// Every address of the interface, in the order in which it is described.
pub type Interface = Arc<Vec<Address>>;

/// Puts the first table in the place of `{table}`.
fn filled(shared: &Shared, text: &str) -> String {
    text.replace("{table}", shared.library.tables.first().map_or("", |entry| &entry.table.id))
}

/// `GET /api/openapi.json`
pub async fn document(
    Seen(shared): Seen,
    Extension(interface): Extension<Interface>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Recorded<Response>, Problem> {
    let language = shared.language(&Parameters::parse(query.as_deref()))?;
    let origin = shared.origin(&headers);
    let tag = shared.tag(&["openapi", &digests(&shared), &origin, &language.to_string()]);
    let write = move |shared: &Shared| openapi::document(shared, &interface, language, &origin);
    lasting(&shared, &headers, tag, write).await
}

/// `GET /api`
pub async fn page(
    Seen(shared): Seen,
    Extension(interface): Extension<Interface>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Recorded<Response>, Problem> {
    portal::respond(&shared, &uri, &headers, async |page| Ok(page::page(&page, &interface))).await
}
