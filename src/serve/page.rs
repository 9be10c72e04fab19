//! The front page: which tables there are, with addresses to try. Plain HTML, readable without anything else.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    extract::{RawQuery, State},
    http::header,
    response::{IntoResponse, Response},
};

use super::{Shared, parameters::Parameters, problem::Problem};
use crate::words;

/// The media type of pages.
pub const MEDIA: &str = "text/html; charset=utf-8";

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}li{margin:.7rem 0}";

pub async fn home(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    let language = shared.language(&Parameters::parse(query.as_deref()))?;
    let library = &shared.library;
    let register = &library.register;
    let id = register.languages.get(language).map_or("", |language| language.id.as_str());
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _ = write!(
        page,
        "<!doctype html><html lang=\"{id}\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style><h1>{title}</h1><p>{source}</p><ul>",
        title = escaped(register.label.text(language)),
        source = escaped(register.source.text(language)),
    );
    for entry in &library.tables {
        let table = &entry.table;
        let address = format!("/api/v2/tables/{}", table.id);
        let _ = write!(
            page,
            "<li><strong>{label}</strong><br>{description}<br><a href=\"{address}/data?lang={id}&amp;outputFormat=csv&amp;outputFormatParams=UseTexts\">CSV</a>, \
             <a href=\"{address}/data?lang={id}&amp;outputFormat=json-stat2\">JSON-stat</a>, <a href=\"{address}/metadata?lang={id}\">{metadata}</a>",
            label = escaped(table.label.text(language)),
            description = escaped(table.description.text(language)),
            metadata = words::METADATA.text(library.tongue(language)),
        );
    }
    page.push_str("</ul><p>");
    for language in &register.languages {
        let _ = write!(page, "<a href=\"/?lang={0}\" lang=\"{0}\">{1}</a> ", language.id, escaped(&language.label));
    }
    let headers = [(header::CONTENT_TYPE, MEDIA), (header::CACHE_CONTROL, "no-cache")];
    Ok((headers, page).into_response())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
