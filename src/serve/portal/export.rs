//! A whole dashboard as one file: what its links lead to, with captions, and a page to print, in every language.

use std::{io::Write as _, sync::Arc};

use axum::{
    body::{Body, to_bytes},
    extract::{Path, RawQuery},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{
    Page, filters,
    panels::{self, number_of},
    texts,
};
use crate::{
    charts::figure_source,
    dashboards::{Asked, Asking, Dashboard, Given, Panel, Show},
    error::Error,
    formats::{Grid, Texts},
    serve::{charts, data, noted::Recorded, problem::Problem, queries, seen::Seen},
    words,
};

/// How a printed page looks; it stands in the page itself, which lies beside its pictures in a folder.
const STYLE: &str = include_str!("assets/print.css");
/// Bytes of one part, at most: what the service itself lets pass.
const MOST: usize = 64 << 20;

/// One panel in one language.
struct Part {
    title: String,
    note: Option<String>,
    /// Files that belong to it.
    files: Vec<String>,
    shown: Markup,
}

/// The file of a dashboard, as it was chosen.
pub async fn archive(page: Page, dashboard: &Dashboard) -> Result<Recorded<Response>, Problem> {
    let shared = Arc::clone(&page.shared);
    let given = filters::given(&page, dashboard, &[])?;
    let mut files: Vec<(String, Bytes)> = Vec::new();
    for language in 0..shared.library.register.languages.len() {
        let page = page.in_language(language);
        let mut parts = Vec::new();
        for (at, panel) in dashboard.panels.iter().enumerate() {
            parts.push(part(&page, dashboard, panel, &given, at + 1, &mut files).await?);
        }
        let lang = page.lang();
        files.push((format!("index.{lang}.html"), printed(&page, dashboard, &given, &parts).into_string().into()));
        files.push((format!("captions.{lang}.txt"), captions(&page, dashboard, &given, &parts).into()));
    }
    let name = dashboard.name.clone();
    let packed = shared.engine.compute(async move { pack(&name, &files) }).await?;
    let chosen = given.pairs.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join("-");
    let mut response = (
        [
            (header::CONTENT_TYPE, HeaderValue::from_static("application/zip")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        ],
        Body::from(packed),
    )
        .into_response();
    if let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"{}-{chosen}.zip\"", dashboard.name)) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(page.notes.seal(response))
}

fn pack(folder: &str, files: &[(String, Bytes)]) -> crate::error::Result<Bytes> {
    let failed = |error: zip::result::ZipError| Error::Internal(format!("a dashboard that cannot be packed: {error}"));
    let mut writer = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        // Pictures of pixels and workbooks are packed already.
        let packed = [".png", ".xlsx"].iter().any(|ending| name.ends_with(ending));
        let method = if packed { CompressionMethod::Stored } else { CompressionMethod::Deflated };
        writer.start_file(format!("{folder}/{name}"), SimpleFileOptions::default().compression_method(method)).map_err(failed)?;
        writer.write_all(bytes).map_err(|error| failed(error.into()))?;
    }
    Ok(writer.finish().map_err(failed)?.into_inner().into())
}

/// What an address of ours answers: the same bytes that a reader gets who follows the link.
async fn fetch(page: &Page, address: &str) -> Result<Bytes, Problem> {
    let shared = &page.shared;
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let (seen, query, headers) = (Seen(Arc::clone(shared)), RawQuery(Some(query.to_owned())), HeaderMap::new());
    let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let named = |path: &str| last(path.trim_end_matches("/data"));
    let response = if path.starts_with("/charts/") {
        charts::chart(seen, Path(last(path)), query, headers).await?
    } else if path.starts_with("/api/v2/queries/") {
        queries::data(seen, Path(named(path)), query, headers).await?
    } else {
        data::get(seen, Path(named(path)), query, headers).await?
    };
    let broken = |error: axum::Error| Error::Internal(format!("a part of a dashboard broke off: {error}"));
    Ok(to_bytes(page.notes.take(response).into_body(), MOST).await.map_err(broken)?)
}

async fn part(
    page: &Page,
    dashboard: &Dashboard,
    panel: &Panel,
    given: &Given,
    number: usize,
    files: &mut Vec<(String, Bytes)>,
) -> Result<Part, Problem> {
    let shared = &page.shared;
    let title = panel.title.as_ref().map_or("", |title| title.text(page.language)).to_owned();
    let note = panel.note.as_ref().map(|note| note.text(page.language).to_owned());
    let mut part = Part { title, note, files: Vec::new(), shown: html! {} };
    let asked = match Asked::new(dashboard, panel, given, &shared.library, &shared.sql) {
        Ok(asked) => asked,
        Err(reason) => {
            part.shown = html! { p { (page.say(&texts::PANEL_EMPTY)) " " (reason.text(page.tongue)) } };
            return Ok(part);
        }
    };
    let lang = page.lang();
    let mut keep = async |name: String, address: &str| -> Result<(), Problem> {
        let bytes = fetch(page, address).await?;
        part.files.push(name.clone());
        files.push((name, bytes));
        Ok(())
    };
    if let Some(address) = panels::data_of(page, &asked, "csv") {
        keep(format!("data/{number:02}.{lang}.csv"), &address).await?;
    }
    if let Show::Chart { kind, .. } = &panel.show
        && panels::is_drawable(page, &asked, *kind).await?
        && let Some(pairs) = panels::chart_pairs(page, &asked, panel.title.as_ref().map(|title| title.text(page.language)))
    {
        for format in ["svg", "png", "pdf"] {
            let address = panels::chart_address(page, *kind, format, &pairs, "print", 960);
            keep(format!("pictures/{number:02}-{}.{lang}.{format}", kind.id()), &address).await?;
        }
    }
    part.shown = match &panel.show {
        Show::Chart { .. } => match part.files.iter().find(|name| name.ends_with(".svg")) {
            Some(name) => html! { img src=(name) alt=(part.title); },
            None => html! {},
        },
        Show::Number { .. } => match number_of(page, &asked).await? {
            Some((number, unit)) => html! { p.number { (number.text) " " small { (unit) } } },
            None => html! {},
        },
        Show::Table => table(page, &asked, &part.title).await?,
        Show::Quality => super::releases::quality(page, panels::release_of(page, given)),
        Show::Audit => super::releases::audit(page, panels::release_of(page, given)),
        Show::Text(paragraphs) => html! { @for text in paragraphs { p { (text.text(page.language)) } } },
    };
    Ok(part)
}

async fn table(page: &Page, asked: &Asked, title: &str) -> Result<Markup, Problem> {
    match &asked.asking {
        Asking::Cells { query, .. } => {
            let answer = page.cells(query.clone()).await?;
            let context = page.context();
            let grid = Grid::new(&context, answer, Texts::Names, None, false);
            let nowhere = |_: usize| (String::from("#"), None);
            Ok(html! {
                table { caption { (title) } (grid.head(&nowhere)) tbody { (grid.body(0..grid.rows(), &|_, _| None)) } }
                (panels::legend(&grid.legend(&context)))
            })
        }
        Asking::Rows { name, pairs } => panels::rows(page, name, pairs, Some(title)).await,
        Asking::Nothing => Ok(html! {}),
    }
}

/// A page for paper, complete in itself but for the pictures beside it.
fn printed(page: &Page, dashboard: &Dashboard, given: &Given, parts: &[Part]) -> Markup {
    let library = &page.shared.library;
    html! {
        (DOCTYPE)
        html lang=(page.lang()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (dashboard.title.text(page.language)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (dashboard.title.text(page.language)) }
                    p { (filters::chosen(page, &dashboard.filters, &given.pairs).join(" · ")) }
                }
                main { @for (panel, part) in dashboard.panels.iter().zip(parts) {
                    section class={ "w" (panel.width) } {
                        // A picture says its title itself.
                        @if !matches!(panel.show, Show::Chart { .. }) { h2 { (part.title) } }
                        (part.shown)
                        @if let Some(note) = &part.note { p.note { (note) } }
                    }
                } }
                footer { p { (figure_source(library, page.language)) } p { a href={ (page.origin) (page.here(&[])) } { (page.origin) (page.here(&[])) } } }
            }
        }
    }
}

/// What each file shows, in words.
fn captions(page: &Page, dashboard: &Dashboard, given: &Given, parts: &[Part]) -> String {
    let mut lines = vec![
        dashboard.title.text(page.language).to_owned(),
        filters::chosen(page, &dashboard.filters, &given.pairs).join(" · "),
        figure_source(&page.shared.library, page.language),
        format!("{}: {}{}", words::ADDRESS.text(page.tongue), page.origin, page.here(&[])),
        String::new(),
    ];
    for part in parts.iter().filter(|part| !part.files.is_empty()) {
        lines.push(part.title.clone());
        lines.extend(part.note.clone());
        lines.extend(part.files.iter().map(|name| format!("    {name}")));
        lines.push(String::new());
    }
    lines.join("\r\n")
}
