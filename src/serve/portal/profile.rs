//! The profile of a region: what is known of it, what lies in it, what became of it.

use std::sync::Arc;

use axum::{
    extract::Path,
    http::{HeaderMap, StatusCode, Uri},
    response::Response,
};
use maud::{Markup, html};

use super::{
    Page, Section, filters,
    frame::{crumbs, frame},
    panels::panel,
    respond, texts,
};
use crate::{
    dashboards::Place,
    register::Role,
    serve::{noted::Recorded, problem::Problem, seen::Seen},
    tables::{Fault, Request, RequestError, Selection, UnionDimension},
};

/// Regions in a list of those below, at most; more are searched for.
const LISTED: usize = 120;

/// `GET /regions/{code}`
pub async fn profile(Seen(shared): Seen, Path(code): Path<String>, uri: Uri, headers: HeaderMap) -> Result<Recorded<Response>, Problem> {
    respond(&shared, &uri, &headers, async |page| make(page, &code).await).await
}

async fn make(page: Page, code: &str) -> Result<Markup, Problem> {
    let shared = Arc::clone(&page.shared);
    let library = &shared.library;
    let found = library.regions().and_then(|dimension| Some((dimension, dimension.find(code)?)));
    let Some((dimension, node)) = found else {
        let geo = library.dimensions.iter().position(|dimension| dimension.role == Role::Geo);
        if let Some(detail) = geo.and_then(|geo| library.outside(geo, code)) {
            return Err(RequestError { fault: Fault::OutOfScope, detail }.into());
        }
        let shown: String = code.chars().take(60).collect();
        return Err(Problem::new(StatusCode::NOT_FOUND, "Non-existent region", texts::NO_REGION.with(shown)));
    };
    let described = &dimension.nodes[node as usize];
    let name = described.label.text(page.language);
    let to = |node: u32| page.link(&format!("/regions/{}", dimension.nodes[node as usize].code), &[]);
    let way: Vec<(String, String)> = dimension
        .path(node)
        .into_iter()
        .map(|above| (dimension.nodes[above as usize].label.text(page.language).to_owned(), to(above)))
        .collect();
    let mut parts = Vec::new();
    let mut form = html! {};
    if let Some(dashboard) = shared.dashboards.at(Place::Profile) {
        let given = filters::given(&page, dashboard, &[("region", &described.code)])?;
        form = filters::form(&page, &page.path, &dashboard.filters, &given.pairs, &["region"], &[]);
        for (at, one) in dashboard.panels.iter().enumerate() {
            parts.push(panel(&page, dashboard, one, at + 1, &given).await?);
        }
    }
    let below = dimension.children(node);
    let main = html! {
        (crumbs(page.say(&texts::WAY), &way))
        h1 { (name) }
        p.lead {
            (dimension.levels[usize::from(described.level)].label.text(page.language)) " · " (page.say(&texts::CODE)) " " code { (described.code) }
            @if let Some(official) = described.official.as_ref().filter(|official| **official != described.code) { " (" (official) ")" }
        }
        @let events = events(&page, dimension, node);
        @if !events.is_empty() { div.note { p { strong { (page.say(&texts::CHANGES)) } } ul { @for event in events { li { (event) } } } } }
        (form)
        h2.visually-hidden { (page.say(&texts::FIGURES)) }
        div.panels { @for part in &parts { (part) } }
        @if !below.is_empty() {
            section aria-labelledby="below" {
                h2 id="below" { (page.say(&texts::LIES_IN)) " " (name) }
                ul.chips {
                    @for &part in below.iter().take(LISTED) { li { a.button.small href=(to(part)) { (dimension.nodes[part as usize].label.text(page.language)) } } }
                }
                p { a href=(page.link("/compare", &[("region", &compared(dimension, node, &below))])) { (page.say(&texts::COMPARE_THESE)) } }
            }
        }
        section aria-labelledby="tables" {
            h2 id="tables" { (page.say(&texts::TABLES_WITH)) " " (name) }
            ul {
                @for (at, entry) in library.tables.iter().enumerate() {
                    @if !entry.discontinued && entry.axes.iter().any(|axis| library.dimensions[axis.dimension].id == dimension.id && axis.nodes.binary_search(&node).is_ok()) {
                        li { a href=(super::panels::explored(&page, at, &in_region(dimension, &described.code), "table")) { (entry.table.label.text(page.language)) } }
                    }
                }
            }
        }
    };
    Ok(frame(&page, name, Section::Regions, &main))
}

/// A table's default selection in one region.
fn in_region(dimension: &UnionDimension, code: &str) -> Request {
    let selection = Selection { variable: dimension.variable.clone(), codelist: None, values: vec![code.to_owned()] };
    Request { selections: vec![selection], ..Request::default() }
}

/// The first regions below one, to be compared.
fn compared(dimension: &UnionDimension, node: u32, below: &[u32]) -> String {
    let chosen = below.iter().take(super::compare::MOST - 1).chain([&node]);
    chosen.map(|&part| dimension.nodes[part as usize].code.as_str()).collect::<Vec<_>>().join(",")
}

/// What became of a region from one release to the next.
fn events(page: &Page, dimension: &UnionDimension, node: u32) -> Vec<String> {
    let library = &page.shared.library;
    let mut events = Vec::new();
    for after in 1..library.releases.len() {
        let before = after - 1;
        let period = library.period_label(after, page.language);
        let event = match (dimension.in_release(before, node), dimension.in_release(after, node)) {
            (None, Some(_)) => Some(&texts::IS_NEW),
            (Some(_), None) => Some(&texts::IS_GONE),
            (Some(_), Some(_)) if dimension.lost_parts(node, before, after) => Some(&texts::LOST_PARTS),
            _ => None,
        };
        events.extend(event.map(|event| event.with(period).text(page.tongue)));
    }
    events
}
