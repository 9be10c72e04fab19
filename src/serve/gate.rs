//! What is answered where every release was withdrawn: why, and nothing else.

use std::sync::Arc;

use axum::{
    extract::Request,
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{
    Shared,
    problem::{Problem, WITHDRAWN},
};

/// Addresses that tell nothing of cells.
const OPEN: [&str; 11] = [
    "/releases",
    "/assets",
    "/healthz",
    "/readyz",
    "/sign-in",
    "/sign-out",
    "/account",
    "/admin",
    "/usage",
    "/api/openapi.json",
    "/api/v2/config",
];

/// Lets a request pass, unless there is nothing left to ask for.
pub async fn gate(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_open = OPEN.iter().any(|open| path.strip_prefix(open).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
    let seen = request.extensions().get::<Arc<Shared>>().filter(|_| !is_open);
    match seen.and_then(|seen| seen.library.withdrawn_wholly()) {
        Some(detail) => Problem::new(StatusCode::GONE, WITHDRAWN, detail).into_response(),
        None => next.run(request).await,
    }
}
