//! SDMX 2.1 REST: structures, data and availability below `/sdmx/2.1`.
//!
//! Which form data have is told by `Accept`, or by `format=` in the address where a client cannot send headers. Whoever asks for
//! nothing in particular gets generic SDMX-ML. Problems are SDMX errors in every language of the register.

use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::{Path, RawQuery},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};

use super::{
    Shared,
    data::{MANY_CODES, Written, compute},
    edge,
    noted::{Noted, Recorded},
    parameters::Parameters,
    problem::{OUT_OF_SCOPE, Problem},
    px::kept,
    seen::Seen,
};
use crate::{
    sdmx::{
        Availability, DataDetail, DataOptions, Detail, Format, Key, Names, ObservedBy, References, Refusal, RefusalKind, STRUCTURE,
        StructureQuery, Window, available, document, error, flow, select, structure_is_acceptable, structures,
    },
    tables::{Library, Query},
    words,
};

/// Where the interface begins.
pub const ROOT: &str = "/sdmx/2.1";
/// The media type of errors.
pub const ERROR: &str = "application/xml; charset=utf-8";

/// The parts of an address by name.
type Parts = HashMap<String, String>;

/// Whether an address belongs to the interface.
pub fn is_below(path: &str) -> bool {
    path.strip_prefix(ROOT).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The body of an error. The codes are those of the standard; what it has none for is an error of syntax.
pub fn error_body(library: &Library, problem: &Problem) -> Vec<u8> {
    let code = match problem.status.as_u16() {
        401 | 403 => 110,
        404 => 100,
        413 => 510,
        501 => 501,
        503 => 503,
        500.. => 500,
        _ => 140,
    };
    error(library, code, &problem.detail)
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let (status, title) = match refusal.kind {
            RefusalKind::OutOfScope => (StatusCode::FORBIDDEN, OUT_OF_SCOPE),
            RefusalKind::NoResults => (StatusCode::NOT_FOUND, "No results found"),
            RefusalKind::Syntax => (StatusCode::BAD_REQUEST, "Syntax error"),
            RefusalKind::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Response size exceeds service limit"),
            RefusalKind::NotAcceptable => (StatusCode::NOT_ACCEPTABLE, "Not acceptable"),
            RefusalKind::NotImplemented => (StatusCode::NOT_IMPLEMENTED, "Not implemented"),
        };
        Self::new(status, title, refusal.detail)
    }
}

fn part<'p>(parts: &'p Parts, name: &str, default: &'static str) -> &'p str {
    parts.get(name).map_or(default, String::as_str)
}

fn accept(headers: &HeaderMap) -> Option<String> {
    let values: Vec<&str> = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// Tells caches that the same address has several forms.
fn varies(mut response: Response) -> Response {
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    response
}

pub async fn structure(
    Seen(shared): Seen,
    Path(parts): Path<Parts>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Recorded<Response>, Problem> {
    let parameters = Parameters::parse(query.as_deref());
    let resource = part(&parts, "resource", "");
    structure_is_acceptable(accept(&headers).as_deref())?;
    let references = References::parse(parameters.get("references").unwrap_or(""))?;
    let detail = Detail::parse(parameters.get("detail").unwrap_or(""))?;
    let (ids, version) = (part(&parts, "id", "all"), part(&parts, "version", "latest"));
    let query =
        StructureQuery::parse(&Names::new(&shared.library), resource, ids, version, part(&parts, "item", "all"), references, detail)?;
    let base = format!("{}{ROOT}", shared.origin(&headers));
    let tag = shared.tag(&["sdmx", &format!("{query:?}"), &base]);
    let write = move |shared: &Shared| Ok(structures(&Names::new(&shared.library), &query, &base));
    Ok(kept(&shared, &headers, STRUCTURE, tag, write).await?.map(varies))
}

/// The query that a key means; long keys are taken apart where answers are computed.
async fn selected(shared: &Arc<Shared>, table: usize, key: &str, window: Window, most: u64) -> Result<Query, Problem> {
    let query = move |library: &Library, key: &str| {
        let names = Names::new(library);
        Key::parse(&names, table, key).and_then(|key| select(&names, table, &key, &window, most))
    };
    if key.bytes().filter(|byte| *byte == b'+').count() <= MANY_CODES {
        return Ok(query(&shared.library, key)?);
    }
    let (library, key) = (Arc::clone(&shared.library), key.to_owned());
    Ok(shared.engine.compute(async move { Ok(query(&library, &key)) }).await??)
}

pub async fn data(
    Seen(shared): Seen,
    Path(parts): Path<Parts>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Recorded<Response>, Problem> {
    let parameters = Parameters::parse(query.as_deref());
    let table = flow(&Names::new(&shared.library), part(&parts, "flow", ""))?;
    let options = DataOptions {
        format: Format::wanted(parameters.get("format"), parameters.get("labels"), accept(&headers).as_deref())?,
        detail: DataDetail::parse(parameters.get("detail").unwrap_or(""))?,
        by: ObservedBy::parse(parameters.get("dimensionAtObservation").unwrap_or(""))?,
    };
    if parameters.flag("includeHistory")? {
        return Err(Problem::new(StatusCode::NOT_IMPLEMENTED, "Not implemented", &words::NO_HISTORY));
    }
    let language = shared.language(&parameters)?;
    let window = Window::parse(|name| parameters.get(name))?;
    let query = selected(&shared, table, part(&parts, "key", "all"), window, shared.most_cells).await?;
    let tag = format!("{}-{}", query.fingerprint(&shared.library), shared.tag(&["sdmx", &options.key(), &language.to_string()]));
    if edge::is_known(&headers, &tag) {
        return Ok(Recorded::known(Noted::query(&shared.library, &query), varies(edge::unchanged(&tag))));
    }
    let body = match shared.finished.get(&tag) {
        Some(finished) => finished.map(Written::Whole),
        None => {
            let library = Arc::clone(&shared.library);
            compute(&shared, query, tag.clone(), move |answer| Ok(document(&library, answer, options, language))).await?
        }
    };
    let file = format!("{}.{}", shared.library.tables[table].table.id, options.format.ending());
    Ok(body.map(|body| {
        let mut response = body.response(options.format.media_type(), &tag);
        edge::call(&mut response, &file);
        varies(response)
    }))
}

pub async fn availability(
    Seen(shared): Seen,
    Path(parts): Path<Parts>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Recorded<Response>, Problem> {
    let parameters = Parameters::parse(query.as_deref());
    structure_is_acceptable(accept(&headers).as_deref())?;
    let table = flow(&Names::new(&shared.library), part(&parts, "flow", ""))?;
    let window = Window::parse(|name| parameters.get(name))?;
    let references = References::parse(parameters.get("references").unwrap_or(""))?;
    let names = Names::new(&shared.library);
    let key = Key::parse(&names, table, part(&parts, "key", "all"))?;
    let (component, mode) = (part(&parts, "component", "all"), parameters.get("mode").unwrap_or(""));
    let wanted = Availability::parse(&names, table, &key, &window, component, mode, references)?;
    let base = format!("{}{ROOT}", shared.origin(&headers));
    let tag = shared.tag(&["available", &wanted.key(&shared.library), &base]);
    let write = move |shared: &Shared| Ok(available(&Names::new(&shared.library), &wanted, &base));
    Ok(kept(&shared, &headers, STRUCTURE, tag, write).await?.map(varies))
}
