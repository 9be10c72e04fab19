//! What happens around every request: the log line, cross-origin headers, problem bodies, panics.

use std::{panic::AssertUnwindSafe, time::Instant};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::FutureExt;

use super::{Shared, parameters::Parameters, problem::Problem, renewal::Current, sdmx};
use crate::{
    tables::fingerprint,
    words::{self, Tongue},
};

/// How long an answer may be used without asking again: a correction must reach readers soon, and asking costs next to nothing.
const CACHE: &str = "public, max-age=60";

/// Wraps every request.
pub async fn around(State(current): State<Current>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let uri = request.uri().clone();
    let path = uri.path();
    let mut response = if method == Method::OPTIONS {
        StatusCode::NO_CONTENT.into_response()
    } else {
        // A panic is a bug of ours; it costs this answer, not the connection or the service.
        AssertUnwindSafe(next.run(request))
            .catch_unwind()
            .await
            .unwrap_or_else(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal error", &words::FAILED).into_response())
    };
    let status = response.status();
    let problem = response.extensions_mut().remove::<Problem>();
    // What the router refuses by itself (a path that is no UTF-8) becomes a problem here.
    let unexplained = (status.is_client_error() || status.is_server_error()) && problem.is_none();
    if let Some(problem) = problem.or_else(|| unexplained.then(|| Problem::new(status, "Illegal request", &words::NOT_UNDERSTOOD))) {
        let shared = current.get();
        response = problem.clone().into_response();
        if sdmx::is_below(path) {
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(sdmx::ERROR));
            *response.body_mut() = Body::from(sdmx::error_body(&shared.library, &problem));
        } else {
            *response.body_mut() = Body::from(problem.body(path, shared.tongue(uri.query())));
        }
    }
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("etag, content-disposition, retry-after"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if method == Method::OPTIONS {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, POST"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("content-type, if-none-match, authorization"));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    }
    tracing::info!(%method, path, status = response.status().as_u16(), micros = started.elapsed().as_micros() as u64, "answered");
    response
}

/// An address that leads nowhere.
pub async fn nowhere() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "Not found", &words::NOTHING_HERE)
}

/// A method that an address does not take.
pub async fn no_such_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", &words::NO_SUCH_METHOD)
}

impl Shared {
    /// The program's tongue for whoever sent this query string; the register's first language if it names none that there is.
    fn tongue(&self, query: Option<&str>) -> Tongue {
        let parameters = Parameters::parse(query);
        self.library.tongue(self.library.language(parameters.get("lang")).unwrap_or(0))
    }

    /// Address of the interface as this client should call it.
    pub fn base(&self, headers: &HeaderMap) -> String {
        format!("{}/api/v2", self.origin(headers))
    }

    /// Scheme and host by which this client should call us.
    pub fn origin(&self, headers: &HeaderMap) -> String {
        match &self.public {
            Some(public) => public.clone(),
            None => {
                let sound = |host: &&str| host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte));
                let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).filter(sound);
                format!("http://{}", host.map_or_else(|| self.address.to_string(), str::to_owned))
            }
        }
    }

    /// The tag of something that follows from the library and these pieces of a request alone.
    pub fn tag(&self, pieces: &[&str]) -> String {
        fingerprint(std::iter::once(self.library.fingerprint.as_bytes()).chain(pieces.iter().map(|piece| piece.as_bytes())))
    }
}

/// Whether the client has what this tag stands for.
pub fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(|known| {
        let known = known.trim();
        known == "*" || known.strip_prefix("W/").unwrap_or(known).trim_matches('"') == tag
    })
}

/// Headers that let clients and proxies keep an answer.
pub fn keep(response: &mut Response, tag: &str) {
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{tag}\"")) {
        headers.insert(header::ETAG, tag);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHE));
}

/// The answer to a client that has it already.
pub fn unchanged(tag: &str) -> Response {
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    keep(&mut response, tag);
    response
}

/// A whole answer.
pub fn whole(media: &'static str, body: impl Into<Body>, tag: &str) -> Response {
    let mut response = ([(header::CONTENT_TYPE, media)], body.into()).into_response();
    keep(&mut response, tag);
    response
}
