//! The descriptive part of PxWebApi v2: configuration, tables, metadata, default selections, code lists.

use std::sync::{Arc, atomic::Ordering};

use axum::{
    extract::{Path, RawQuery},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use chrono::Utc;
use serde::Serialize;
use url::form_urlencoded;
use utoipa::ToSchema;

use super::{
    Shared,
    documents::Writer,
    edge,
    noted::Recorded,
    parameters::Parameters,
    problem::{OUT_OF_SCOPE, Problem, WITHDRAWN},
    saved,
    seen::Seen,
};
use crate::{
    formats::{self, Context},
    release::Withdrawn,
    tables::{Listing, Request, Selection, default_selection as default_selection_of, everything, list, resolve},
    words,
};

const JSON: &str = "application/json; charset=utf-8";

/// Tables on a page, if the client does not say.
const PAGE: u32 = 100;

type Answer = Result<Response, Problem>;
/// A document that may be kept.
type KeptAnswer = Result<Recorded<Response>, Problem>;

impl Shared {
    /// The position of a table.
    pub fn table(&self, id: &str) -> Result<usize, Problem> {
        let tables = &self.library.tables;
        tables.iter().position(|entry| entry.table.id.eq_ignore_ascii_case(id)).ok_or_else(|| {
            if let Some(detail) = self.library.not_granted(id) {
                return Problem::new(StatusCode::FORBIDDEN, OUT_OF_SCOPE, detail);
            }
            if let Some(detail) = self.library.withdrawn_table(id) {
                return Problem::new(StatusCode::GONE, WITHDRAWN, detail);
            }
            let there = tables.iter().map(|entry| entry.table.id.as_str()).collect::<Vec<_>>().join(", ");
            Problem::no_table(words::NO_TABLE.with(id.chars().take(60).collect::<String>()).and(words::THERE_IS.with(there)))
        })
    }

    /// The position of the language that a client asks for.
    pub fn language(&self, parameters: &Parameters) -> Result<usize, Problem> {
        let asked = parameters.get("lang");
        self.library.language(asked).ok_or_else(|| {
            let there = self.library.register.languages.iter().map(|language| language.id.as_str()).collect::<Vec<_>>().join(", ");
            let asked: String = asked.unwrap_or("").chars().take(40).collect();
            Problem::parameter("Unsupported language", words::NO_LANGUAGE.with(asked).and(words::THERE_IS.with(there)))
        })
    }

    fn writer(&self, parameters: &Parameters, headers: &HeaderMap) -> Result<Writer<'_>, Problem> {
        Ok(Writer { shared: self, language: self.language(parameters)?, base: self.base(headers) })
    }
}

pub async fn config(Seen(shared): Seen, RawQuery(query): RawQuery, headers: HeaderMap) -> Answer {
    let parameters = Parameters::parse(query.as_deref());
    fresh(&shared.writer(&parameters, &headers)?.config())
}

pub async fn tables(Seen(shared): Seen, RawQuery(query): RawQuery, headers: HeaderMap) -> Answer {
    let parameters = Parameters::parse(query.as_deref());
    let writer = shared.writer(&parameters, &headers)?;
    let past_days = parameters.get("pastDays").is_some_and(|text| !text.is_empty());
    let listing = Listing {
        query: parameters.get("query").unwrap_or("").to_owned(),
        past_days: if past_days { Some(parameters.number("pastDays", 1)?) } else { None },
        discontinued: parameters.flag("includeDiscontinued")?,
        page: parameters.number("pageNumber", 1)?,
        size: parameters.number("pageSize", PAGE)?,
    };
    let page = list(&shared.library, &listing, Utc::now())?;
    let kept = ["query", "pastDays", "includeDiscontinued"].into_iter().filter_map(|name| Some((name, parameters.get(name)?)));
    let mut search = form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish();
    if !search.is_empty() {
        search.push('&');
    }
    fresh(&writer.tables(&page, &search))
}

pub async fn table(Seen(shared): Seen, Path(id): Path<String>, RawQuery(query): RawQuery, headers: HeaderMap) -> KeptAnswer {
    let parameters = Parameters::parse(query.as_deref());
    let table = shared.table(&id)?;
    let (language, base) = (shared.language(&parameters)?, shared.base(&headers));
    let tag = shared.tag(&["table", &id, &base, &language.to_string()]);
    let write = move |shared: &Shared| json(&Writer { shared, language, base }.table(&shared.library.tables[table]));
    lasting(&shared, &headers, tag, write).await
}

pub async fn metadata(Seen(shared): Seen, Path(id): Path<String>, RawQuery(query): RawQuery, headers: HeaderMap) -> KeptAnswer {
    let parameters = Parameters::parse(query.as_deref());
    let table = shared.table(&id)?;
    let language = shared.language(&parameters)?;
    let codelists: Vec<Selection> =
        parameters.codelists().into_iter().filter(|list| list.codelist.as_ref().is_some_and(|id| !id.is_empty())).collect();
    let saved = parameters.get("savedQuery").filter(|name| !name.is_empty()).map(saved::request).transpose()?;
    let query = if let Some(saved) = saved {
        resolve(&shared.library, table, &saved, u64::MAX)?
    } else if parameters.flag("defaultSelection")? {
        resolve(&shared.library, table, &Request::default(), u64::MAX)?
    } else {
        everything(&shared.library, table, &codelists)?
    };
    let context = Context { library: Arc::clone(&shared.library), language, base: shared.base(&headers) };
    let tag = shared.tag(&["metadata", &query.fingerprint(&shared.library), &context.base, &language.to_string()]);
    lasting(&shared, &headers, tag, move |_| Ok(formats::metadata(&context, &query))).await
}

pub async fn default_selection(Seen(shared): Seen, Path(id): Path<String>, RawQuery(query): RawQuery, headers: HeaderMap) -> KeptAnswer {
    let parameters = Parameters::parse(query.as_deref());
    let table = shared.table(&id)?;
    let (language, base) = (shared.language(&parameters)?, shared.base(&headers));
    let tag = shared.tag(&["default", &id, &base, &language.to_string()]);
    let write = move |shared: &Shared| {
        let (library, entry) = (&shared.library, &shared.library.tables[table]);
        let query = resolve(library, table, &Request::default(), u64::MAX)?;
        let codes = |variables: &[_]| variables.iter().map(|&variable| library.variable_code(entry, variable)).collect();
        let writer = Writer { shared, language, base };
        json(&writer.default_selection(entry, default_selection_of(library, entry), codes(&query.heading), codes(&query.stub)))
    };
    lasting(&shared, &headers, tag, write).await
}

pub async fn codelist(Seen(shared): Seen, Path(id): Path<String>, RawQuery(query): RawQuery, headers: HeaderMap) -> KeptAnswer {
    let parameters = Parameters::parse(query.as_deref());
    let Some(at) = shared.library.codelist(&id) else {
        let there = shared.library.codelist_ids().collect::<Vec<_>>().join(", ");
        let detail = words::NO_CODE_LIST.with(id.chars().take(60).collect::<String>()).and(words::THERE_IS.with(there));
        return Err(Problem::new(StatusCode::NOT_FOUND, "Non-existent codelist", detail));
    };
    let (language, base) = (shared.language(&parameters)?, shared.base(&headers));
    let tag = shared.tag(&["codelist", &id, &base, &language.to_string()]);
    let write = move |shared: &Shared| json(&Writer { shared, language, base }.codelist(&shared.library.codelists[at]));
    lasting(&shared, &headers, tag, write).await
}

/// That the service lives.
#[derive(Serialize, ToSchema)]
pub struct Health {
    status: &'static str,
}

/// That the service takes requests.
#[derive(Serialize, ToSchema)]
pub struct Readiness<'a> {
    status: &'static str,
    releases: Vec<&'a str>,
    /// Releases that are no longer served, because they were withdrawn.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    withdrawn: Vec<String>,
    /// Whether there are newer releases that cannot be taken up; the log says why.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stale: bool,
}

pub async fn healthy() -> Answer {
    let headers = [(header::CONTENT_TYPE, JSON), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, json(&Health { status: "ok" })?).into_response())
}

pub async fn ready(Seen(shared): Seen) -> Answer {
    if shared.stopping.load(Ordering::Relaxed) {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "Stopping", &words::STOPPING));
    }
    if let Some(problem) = shared.verification.problem() {
        return Err(problem);
    }
    let releases = shared.library.releases.iter().map(|release| release.folder.as_str()).collect();
    let withdrawn = shared.library.withdrawn.iter().map(Withdrawn::folder).collect();
    fresh(&Readiness { status: "ready", releases, withdrawn, stale: shared.stale.load(Ordering::Relaxed) })
}

/// A document that depends on more than the library: settings, the clock, what a client sent.
pub(super) fn fresh(document: &impl Serialize) -> Answer {
    let headers = [(header::CONTENT_TYPE, JSON), (header::CACHE_CONTROL, "no-cache")];
    Ok((headers, json(document)?).into_response())
}

/// A document of JSON that is [`kept`].
pub async fn lasting(
    shared: &Arc<Shared>,
    headers: &HeaderMap,
    tag: String,
    write: impl FnOnce(&Shared) -> Result<Vec<u8>, Problem> + Send + 'static,
) -> KeptAnswer {
    kept(shared, headers, JSON, tag, write).await
}

/// A document that follows from the library and its tag alone: kept once written. It may be as long as a country has places, so
/// it is written where answers are computed.
pub async fn kept(
    shared: &Arc<Shared>,
    headers: &HeaderMap,
    media: &'static str,
    tag: String,
    write: impl FnOnce(&Shared) -> Result<Vec<u8>, Problem> + Send + 'static,
) -> KeptAnswer {
    if edge::is_known(headers, &tag) {
        return Ok(Recorded::without_cells(edge::unchanged(&tag)));
    }
    let body = match shared.finished.get(&tag) {
        Some(kept) => kept,
        None => {
            let library = Arc::clone(shared);
            let written = shared.engine.compute(async move { Ok(write(&library)) }).await??;
            let written = Recorded::without_cells(Bytes::from(written));
            shared.finished.put(tag.clone(), &written);
            written
        }
    };
    Ok(body.map(|body| edge::whole(media, body, &tag)))
}

pub fn json(document: &impl Serialize) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(document).map_err(|error| crate::error::Error::Internal(error.to_string()).into())
}
