//! The search: a few words, taken apart into regions, categories and tables.

use axum::{
    http::{HeaderMap, Uri},
    response::Response,
};
use chrono::Utc;
use maud::{Markup, html};
use serde::Serialize;

use super::{Page, Section, catalogue::card, frame::frame, respond, texts};
use crate::{
    register::Role,
    serve::{noted::Recorded, problem::Problem, px::fresh, seen::Seen},
    tables::{Listing, Request, Selection, TableEntry, list},
};

/// Results of one sort that are shown.
const SHOWN: usize = 30;
/// Suggestions while somebody types.
const SUGGESTED: usize = 9;

/// The field in which everything is searched for.
pub fn search_box(page: &Page, query: &str) -> Markup {
    html! {
        form.search role="search" method="get" action="/search" {
            @if page.language != 0 { input type="hidden" name="lang" value=(page.lang()); }
            label.visually-hidden for="search" { (page.say(&texts::SEARCH_ALL)) }
            input type="search" id="search" name="q" value=(query) placeholder=(page.say(&texts::SEARCH_ALL)) autocomplete="off" data-suggest="search";
            button.main type="submit" { (page.say(&texts::SEARCH)) }
            ul.suggestions hidden {}
        }
    }
}

/// A page that was found.
#[derive(Serialize)]
struct Hit {
    label: String,
    detail: String,
    href: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    code: String,
}

/// `GET /search`
pub async fn search(Seen(shared): Seen, uri: Uri, headers: HeaderMap) -> Result<Recorded<Response>, Problem> {
    respond(&shared, &uri, &headers, make).await
}

/// `GET /search/suggest`: for scripts, which offer it while somebody types.
pub async fn suggest(Seen(shared): Seen, uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    let page = Page::new(&shared, &uri, &headers)?;
    let query: String = page.parameters.get("q").unwrap_or("").chars().take(100).collect();
    let kind = page.parameters.get("kind").unwrap_or("search").to_owned();
    let library = &shared.library;
    let hits = match library.dimensions.iter().position(|dimension| dimension.id == kind) {
        Some(dimension) => {
            library.find_nodes(dimension, &query, SUGGESTED).into_iter().map(|node| node_hit(&page, dimension, node)).collect()
        }
        None => {
            let mut hits: Vec<Hit> = combined(&page, &query).into_iter().take(3).collect();
            hits.extend(regions(&page, &query).into_iter().take(SUGGESTED - hits.len()));
            let room = SUGGESTED.saturating_sub(hits.len());
            hits.extend(tables(&page, &query)?.into_iter().take(room).map(|entry| table_hit(&page, entry)));
            hits
        }
    };
    fresh(&hits)
}

async fn make(page: Page) -> Result<Markup, Problem> {
    let query: String = page.parameters.get("q").unwrap_or("").chars().take(100).collect();
    let (combined, regions, categories, tables) =
        (combined(&page, &query), regions(&page, &query), categories(&page, &query), tables(&page, &query)?);
    let none = combined.is_empty() && regions.is_empty() && categories.is_empty() && tables.is_empty();
    let part = |title, hits: &[Hit]| {
        html! {
            @if !hits.is_empty() {
                section { h2 { (page.say(title)) } ul { @for hit in hits { li { a href=(hit.href) { (hit.label) } " " span.muted { (hit.detail) } } } } }
            }
        }
    };
    let main = html! {
        h1 { (page.say(&texts::SEARCH)) }
        (search_box(&page, &query))
        @if query.is_empty() { p.muted { (page.say(&texts::SEARCH_HELP)) } }
        @else if none { p role="status" { (texts::NOTHING_FOUND.with(query.as_str()).text(page.tongue)) } p.muted { (page.say(&texts::SEARCH_HELP)) } }
        (part(&texts::BEST_TABLES, &combined))
        (part(&texts::REGIONS, &regions))
        (part(&texts::CATEGORIES, &categories))
        @if !tables.is_empty() { section { h2 { (page.say(&texts::TABLES)) } ul.cards { @for entry in tables { (card(&page, entry)) } } } }
    };
    Ok(frame(&page, page.say(&texts::SEARCH), Section::None, &main))
}

fn tables<'p>(page: &'p Page, query: &str) -> Result<Vec<&'p TableEntry>, Problem> {
    if query.is_empty() {
        return Ok(Vec::new());
    }
    let listing = Listing { query: query.to_owned(), past_days: None, discontinued: false, page: 1, size: SHOWN as u32 };
    Ok(list(&page.shared.library, &listing, Utc::now())?.tables)
}

fn table_hit(page: &Page, entry: &TableEntry) -> Hit {
    Hit {
        label: entry.table.label.text(page.language).to_owned(),
        detail: page.say(&texts::TABLE).to_owned(),
        href: page.link(&format!("/tables/{}", entry.table.id), &[]),
        code: String::new(),
    }
}

fn node_hit(page: &Page, dimension: usize, node: u32) -> Hit {
    let dimension = &page.shared.library.dimensions[dimension];
    let described = &dimension.nodes[node as usize];
    let above: Vec<&str> =
        dimension.path(node).into_iter().skip(1).rev().map(|above| dimension.nodes[above as usize].label.text(page.language)).collect();
    let level = dimension.levels[usize::from(described.level)].label.text(page.language);
    let href = if dimension.role == Role::Geo { page.link(&format!("/regions/{}", described.code), &[]) } else { String::new() };
    let detail = std::iter::once(level).chain(above).collect::<Vec<_>>().join(", ");
    Hit { label: described.label.text(page.language).to_owned(), detail, href, code: described.code.clone() }
}

/// Regions whose names hold the words.
fn regions(page: &Page, query: &str) -> Vec<Hit> {
    let library = &page.shared.library;
    let places = (0..library.dimensions.len()).filter(|&at| library.dimensions[at].role == Role::Geo);
    places.flat_map(|at| library.find_nodes(at, query, SHOWN).into_iter().map(move |node| node_hit(page, at, node))).collect()
}

/// Categories whose names hold the words, each with a table that shows it.
fn categories(page: &Page, query: &str) -> Vec<Hit> {
    let library = &page.shared.library;
    let mut hits = Vec::new();
    for at in (0..library.dimensions.len()).filter(|&at| library.dimensions[at].role != Role::Geo) {
        for node in library.find_nodes(at, query, 5) {
            let Some(entry) = library.tables_with(&[(at, node)]).into_iter().next() else { continue };
            let mut hit = node_hit(page, at, node);
            hit.href = preselected(page, entry, &[(at, node)]);
            hit.detail = format!("{} · {}", library.dimensions[at].label.text(page.language), entry.table.label.text(page.language));
            hits.push(hit);
        }
    }
    hits
}

/// Tables with everything that the words name chosen already.
fn combined(page: &Page, query: &str) -> Vec<Hit> {
    let library = &page.shared.library;
    let understood = library.understand(query);
    let classified = understood.nodes.iter().any(|(dimension, _)| library.dimensions[*dimension].role != Role::Geo);
    if !classified || understood.nodes.len() < 2 && !understood.rest.is_empty() {
        return Vec::new();
    }
    let names: Vec<&str> = understood
        .nodes
        .iter()
        .map(|(dimension, node)| library.dimensions[*dimension].nodes[*node as usize].label.text(page.language))
        .collect();
    let one = |entry: &TableEntry| Hit {
        label: names.join(" · "),
        detail: entry.table.label.text(page.language).to_owned(),
        href: preselected(page, entry, &understood.nodes),
        code: String::new(),
    };
    library.tables_with(&understood.nodes).into_iter().take(5).map(one).collect()
}

/// The explorer with nodes chosen: a region with what lies below it, so that there is something to compare.
fn preselected(page: &Page, entry: &TableEntry, nodes: &[(usize, u32)]) -> String {
    let library = &page.shared.library;
    let mut selections: Vec<Selection> = Vec::new();
    for axis in &entry.axes {
        let dimension = &library.dimensions[axis.dimension];
        let chosen = nodes.iter().find(|(at, _)| *at == axis.dimension).map(|(_, node)| *node);
        let is_place = dimension.role == Role::Geo;
        let values = match chosen {
            None if is_place => vec![dimension.nodes[0].code.clone(), format!("children({})", dimension.nodes[0].code)],
            None => continue,
            Some(node) => {
                let code = dimension.nodes[node as usize].code.clone();
                let shows_parts = axis.nodes.iter().any(|&other| dimension.nodes[other as usize].parent == Some(node));
                let parts = (is_place && shows_parts).then(|| format!("children({code})"));
                std::iter::once(code).chain(parts).collect()
            }
        };
        selections.push(Selection { variable: dimension.variable.clone(), codelist: None, values });
    }
    let table = library.tables.iter().position(|other| std::ptr::eq(other, entry)).unwrap_or(0);
    super::panels::explored(page, table, &Request { selections, ..Request::default() }, "table")
}
