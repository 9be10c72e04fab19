//! Errors as clients see them: `application/problem+json`.
//!
//! Titles are spelled as PxWebApi spells them, mistakes included, and in no other language, because clients and logs look
//! for them. Details are for people, in the language that they asked in.

use std::fmt::Write as _;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    error::Error,
    tables::{Fault, RequestError},
    words::{self, Message, Tongue},
};

/// An error on its way to a client. The edge writes its body, since only the edge knows the address.
#[derive(Debug, Clone)]
pub struct Problem {
    pub status: StatusCode,
    pub title: &'static str,
    pub detail: Message,
}

/// What clients see of it.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Body<'a> {
    r#type: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    instance: &'a str,
}

impl Problem {
    pub fn new(status: StatusCode, title: &'static str, detail: impl Into<Message>) -> Self {
        Self { status, title, detail: detail.into() }
    }

    /// A parameter that cannot be understood.
    pub fn parameter(title: &'static str, detail: impl Into<Message>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, title, detail)
    }

    pub fn no_table(detail: Message) -> Self {
        RequestError { fault: Fault::NoTable, detail }.into()
    }

    /// The body for an address and a reader.
    pub fn body(&self, instance: &str, tongue: Tongue) -> Vec<u8> {
        let kind = if matches!(self.status.as_u16(), 400 | 404) { "Parameter error" } else { "about:blank" };
        let body = Body { r#type: kind, title: self.title, status: self.status.as_u16(), detail: &self.detail.text(tongue), instance };
        serde_json::to_vec(&body).unwrap_or_default()
    }

    /// A whole HTTP/1.1 response, for connections on which nothing more can be understood.
    pub fn raw(&self, tongue: Tongue) -> Vec<u8> {
        let body = self.body("", tongue);
        let mut head = String::new();
        let (code, reason) = (self.status.as_u16(), self.status.canonical_reason().unwrap_or("Error"));
        // Writing to a string cannot fail.
        let _ = write!(
            head,
            "HTTP/1.1 {code} {reason}\r\ncontent-type: {MEDIA}\r\ncontent-length: {}\r\naccess-control-allow-origin: *\r\nconnection: close\r\n\r\n",
            body.len()
        );
        [head.into_bytes(), body].concat()
    }
}

/// The title of what lies outside of what the reader may see.
pub const OUT_OF_SCOPE: &str = "Out of scope";

/// The title of what was withdrawn.
pub const WITHDRAWN: &str = "Withdrawn";

/// The media type of a problem.
pub const MEDIA: &str = "application/problem+json";

impl From<RequestError> for Problem {
    fn from(error: RequestError) -> Self {
        let (status, title) = match error.fault {
            Fault::NoTable => (StatusCode::NOT_FOUND, "Non-existent table"),
            Fault::OutOfScope => (StatusCode::FORBIDDEN, OUT_OF_SCOPE),
            Fault::Withdrawn => (StatusCode::GONE, WITHDRAWN),
            Fault::NoPage => (StatusCode::NOT_FOUND, "Non-existent page"),
            Fault::NoVariable => (StatusCode::BAD_REQUEST, "Non-existent variable"),
            Fault::NoCodeList => (StatusCode::BAD_REQUEST, "Non-existent codelist"),
            Fault::NoValue => (StatusCode::BAD_REQUEST, "Non-existent value"),
            Fault::Missing => (StatusCode::BAD_REQUEST, "Missing selection for mandantory variable"),
            Fault::Nothing => (StatusCode::BAD_REQUEST, "Illegal selection for mandantory variable"),
            Fault::Expression => (StatusCode::BAD_REQUEST, "Illegal selection expression"),
            Fault::Placement => (StatusCode::BAD_REQUEST, "Illegal placment"),
            Fault::Chart => (StatusCode::BAD_REQUEST, "Illegal chart"),
            Fault::TooMany => (StatusCode::BAD_REQUEST, "Too many cells selected"),
        };
        Self::new(status, title, error.detail)
    }
}

impl From<Error> for Problem {
    /// What went wrong inside stays inside: the log has it, the client learns only that it is not its fault.
    fn from(error: Error) -> Self {
        if let Error::Busy(what) = &error {
            tracing::warn!(what, "a request was put off");
            return Self::new(StatusCode::SERVICE_UNAVAILABLE, "Busy", &words::BUSY);
        }
        match error.refusal() {
            Some(Error::Withdrawn(_)) => return Self::new(StatusCode::GONE, WITHDRAWN, &words::WITHDRAWN_NOW),
            // Whoever verifies says in the log what is wrong, once.
            Some(_) => return Self::new(StatusCode::SERVICE_UNAVAILABLE, "Not verified", &words::NOT_VERIFIED),
            None => {}
        }
        tracing::error!(%error, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal error", &words::FAILED)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA));
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if self.status == StatusCode::NOT_ACCEPTABLE {
            response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
        }
        response.extensions_mut().insert(self);
        response
    }
}
