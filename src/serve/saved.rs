//! Saved queries of PxWebApi v2: a query that others can ask by its name alone.
//!
//! A saved query is its own name: the query, written down, compressed, in letters that addresses may have. So there is nothing
//! to keep, to share between servers, to clean up or to lose, and nobody can fill a disk with them. Periods are kept as they were
//! written (`top(2)`, `from(2024-S1)`), so that a query grows or rolls on with new releases if it was meant to.

use std::io::Read;

use axum::{
    body::Body,
    extract::{Path, RawQuery},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use flate2::{
    Compression,
    read::{DeflateDecoder, DeflateEncoder},
};
use serde::{Deserialize, Serialize};

use super::{
    Shared, data,
    documents::Writer,
    noted::Recorded,
    parameters::{Parameters, TimeMode, ToSave, saved_body},
    problem::Problem,
    px,
    request_body::whole_body,
    seen::Seen,
};
use crate::{
    formats::Format,
    tables::{Query, Request, Selection, TIME, resolve},
    words,
};

/// Longest name of a saved query; longer ones would not fit the addresses that some proxies let pass.
const LONGEST: usize = 6_000;
/// Bytes of a saved query, written down, at most.
const MOST: u64 = 256 << 10;

/// A saved query as its name holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    #[serde(rename = "t")]
    pub table: String,
    #[serde(rename = "l")]
    pub language: String,
    #[serde(rename = "f", default, skip_serializing_if = "String::is_empty")]
    pub format: String,
    #[serde(rename = "o", default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// Variable, code list, values.
    #[serde(rename = "s", default, skip_serializing_if = "Vec::is_empty")]
    pub selections: Vec<(String, Option<String>, Vec<String>)>,
    #[serde(rename = "h", default, skip_serializing_if = "Vec::is_empty")]
    pub heading: Vec<String>,
    #[serde(rename = "b", default, skip_serializing_if = "Vec::is_empty")]
    pub stub: Vec<String>,
}

impl Saved {
    fn name(&self) -> Option<String> {
        let text = serde_json::to_vec(self).ok()?;
        let mut packed = Vec::new();
        DeflateEncoder::new(&text[..], Compression::best()).read_to_end(&mut packed).ok()?;
        Some(URL_SAFE_NO_PAD.encode(packed)).filter(|name| name.len() <= LONGEST)
    }

    fn parse(name: &str) -> Option<Self> {
        if name.len() > LONGEST {
            return None;
        }
        let packed = URL_SAFE_NO_PAD.decode(name).ok()?;
        let mut text = Vec::new();
        DeflateDecoder::new(&packed[..]).take(MOST + 1).read_to_end(&mut text).ok()?;
        if text.len() as u64 > MOST {
            return None;
        }
        serde_json::from_slice(&text).ok()
    }

    fn open(name: &str) -> Result<Self, Problem> {
        let unknown = || Problem::new(StatusCode::NOT_FOUND, "Saved query not found", &words::NO_SAVED_QUERY);
        Self::parse(name).ok_or_else(unknown)
    }

    /// What it asks for.
    pub fn request(&self) -> Request {
        let selection = |(variable, codelist, values): &(String, Option<String>, Vec<String>)| Selection {
            variable: variable.clone(),
            codelist: codelist.clone(),
            values: values.clone(),
        };
        Request { selections: self.selections.iter().map(selection).collect(), heading: self.heading.clone(), stub: self.stub.clone() }
    }
}

/// What the saved query of a name asks for.
pub fn request(name: &str) -> Result<Request, Problem> {
    Ok(Saved::open(name)?.request())
}

/// `POST /savedqueries`
pub async fn save(Seen(shared): Seen, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let to_save = saved_body(&whole_body(body, shared.most_body).await?)?;
    let table = shared.table(&to_save.table)?;
    let asked = Parameters::parse(to_save.language.as_ref().map(|language| format!("lang={language}")).as_deref());
    let language = shared.language(&asked)?;
    Format::parse(&to_save.format, &to_save.options).map_err(|detail| Problem::parameter("Unsupported output format", detail))?;
    let query = resolve(&shared.library, table, &to_save.request, shared.most_cells)?;
    let saved = written(&shared, &to_save, &query, language);
    let too_long = || Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "Query too long to be saved", &words::LONG_SAVED_QUERY);
    let name = saved.name().ok_or_else(too_long)?;
    let writer = Writer { shared: &shared, language, base: shared.base(&headers) };
    let location = format!("{}/savedqueries/{name}", writer.base);
    let mut response = px::fresh(&writer.saved(&name, &saved))?;
    *response.status_mut() = StatusCode::CREATED;
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// Writes a query down, its periods as their mode asks for.
fn written(shared: &Shared, to_save: &ToSave, query: &Query, language: usize) -> Saved {
    let library = &shared.library;
    let mut selections: Vec<(String, Option<String>, Vec<String>)> = to_save
        .request
        .selections
        .iter()
        .map(|selection| (selection.variable.clone(), selection.codelist.clone(), selection.values.clone()))
        .collect();
    let codes: Vec<String> = query.releases.iter().map(|&release| library.period(release).to_owned()).collect();
    let periods = match (to_save.time, codes.first()) {
        (Some(TimeMode::Fixed), _) => Some(codes),
        (Some(TimeMode::Growing), Some(first)) => Some(vec![format!("from({first})")]),
        (Some(TimeMode::Rolling), _) => Some(vec![format!("top({})", codes.len())]),
        _ => None,
    };
    if let Some(periods) = periods {
        // Without any selection the default one is meant, whose period is always the newest.
        if let Some((_, _, values)) = selections.iter_mut().find(|(variable, ..)| variable.eq_ignore_ascii_case(TIME)) {
            *values = periods;
        }
    }
    Saved {
        table: library.tables[query.table].table.id.clone(),
        language: library.register.languages.get(language).map_or_else(String::new, |language| language.id.clone()),
        format: to_save.format.clone(),
        options: to_save.options.clone(),
        selections,
        heading: to_save.request.heading.clone(),
        stub: to_save.request.stub.clone(),
    }
}

/// `GET /savedqueries/{id}`
pub async fn show(
    Seen(shared): Seen,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    described(&shared, &name, query.as_deref(), &headers, |writer, saved| px::fresh(&writer.saved(&name, saved)))
}

/// `GET /savedqueries/{id}/selection`
pub async fn selection(
    Seen(shared): Seen,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    described(&shared, &name, query.as_deref(), &headers, |writer, saved| px::fresh(&writer.saved_selection(&name, saved)))
}

fn described(
    shared: &Shared,
    name: &str,
    query: Option<&str>,
    headers: &HeaderMap,
    write: impl FnOnce(&Writer<'_>, &Saved) -> Result<Response, Problem>,
) -> Result<Response, Problem> {
    let saved = Saved::open(name)?;
    let parameters = with_defaults(query, &saved);
    shared.table(&saved.table)?;
    write(&Writer { shared, language: shared.language(&parameters)?, base: shared.base(headers) }, &saved)
}

/// `GET /savedqueries/{id}/data`
pub async fn answer(
    Seen(shared): Seen,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Recorded<Response>, Problem> {
    let saved = Saved::open(&name)?;
    let parameters = with_defaults(query.as_deref(), &saved);
    data::data(&shared, &saved.table, &parameters, &saved.request(), &headers).await
}

/// What the client says, and where it says nothing what was saved.
fn with_defaults(query: Option<&str>, saved: &Saved) -> Parameters {
    let mut parameters = Parameters::parse(query);
    let asks_for_format = parameters.get("outputFormat").is_some();
    parameters.default("lang", &saved.language);
    if !asks_for_format && !saved.format.is_empty() {
        parameters.default("outputFormat", &saved.format);
        parameters.default("outputFormatParams", &saved.options.join(","));
    }
    parameters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_holds_the_whole_query() {
        let saved = Saved {
            table: "people".into(),
            language: "en".into(),
            format: "csv".into(),
            options: vec!["UseTexts".into()],
            selections: vec![("Age".into(), Some("agg".into()), Vec::new()), ("Tid".into(), None, vec!["top(2)".into()])],
            heading: vec!["Tid".into()],
            stub: Vec::new(),
        };
        let name = saved.name().unwrap();
        assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
        assert_eq!(Saved::parse(&name), Some(saved));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for name in ["", "x", "%", "AAAA", &"A".repeat(7_000)] {
            assert_eq!(Saved::parse(name), None, "{name}");
        }
        // A few bytes that would become many.
        let mut packed = Vec::new();
        DeflateEncoder::new(&vec![b' '; 10 << 20][..], Compression::best()).read_to_end(&mut packed).unwrap();
        assert_eq!(Saved::parse(&URL_SAFE_NO_PAD.encode(packed)), None);
    }
}
