//! Styles, scripts and typefaces of the pages, packaged with the program.

use std::sync::LazyLock;

use axum::{
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{
    charts::{WEB_REGULAR, WEB_SEMI_BOLD},
    serve::{edge, problem::Problem},
    tables::fingerprint,
    words,
};

/// Name, media type, content.
type Asset = (&'static str, &'static str, &'static [u8]);

static ASSETS: [Asset; 6] = [
    ("portal.css", "text/css; charset=utf-8", include_bytes!("assets/portal.css")),
    ("portal.js", "text/javascript; charset=utf-8", include_bytes!("assets/portal.js")),
    ("theme.js", "text/javascript; charset=utf-8", include_bytes!("assets/theme.js")),
    ("icon.svg", "image/svg+xml", include_bytes!("assets/icon.svg")),
    ("inter-regular.woff2", "font/woff2", WEB_REGULAR),
    ("inter-semibold.woff2", "font/woff2", WEB_SEMI_BOLD),
];

static DIGESTS: LazyLock<Vec<String>> = LazyLock::new(|| ASSETS.iter().map(|(_, _, bytes)| fingerprint(std::iter::once(*bytes))).collect());

/// The address of an asset, which changes with its content, so that browsers may keep it for ever.
pub fn versioned(name: &str) -> String {
    let at = ASSETS.iter().position(|(known, ..)| *known == name);
    format!("/assets/{name}?v={}", at.map_or("", |at| &DIGESTS[at][..12]))
}

/// `GET /assets/{name}`
pub async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let Some(at) = ASSETS.iter().position(|(known, ..)| *known == name) else {
        return Err(Problem::new(StatusCode::NOT_FOUND, "Not found", &words::NOTHING_HERE));
    };
    let (_, media, bytes) = ASSETS[at];
    let tag = DIGESTS[at].as_str();
    let mut response = if edge::is_known(&headers, tag) {
        edge::unchanged(tag)
    } else {
        let mut response = ([(header::CONTENT_TYPE, media)], bytes).into_response();
        edge::keep(&mut response, tag);
        response
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    Ok(response)
}
