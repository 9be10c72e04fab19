//! The front page: main figures, a search, ways in for each audience.

use std::sync::Arc;

use axum::{
    http::{HeaderMap, Uri},
    response::Response,
};
use maud::{Markup, html};

use super::{Page, Section, dashboards::cards, filters, frame::frame, panels::panel, respond, search::search_box, texts};
use crate::{
    dashboards::Place,
    register::Role,
    serve::{noted::Recorded, problem::Problem, seen::Seen},
    tables::UnionDimension,
};

/// `GET /`
pub async fn home(Seen(shared): Seen, uri: Uri, headers: HeaderMap) -> Result<Recorded<Response>, Problem> {
    respond(&shared, &uri, &headers, make).await
}

async fn make(page: Page) -> Result<Markup, Problem> {
    let shared = Arc::clone(&page.shared);
    let register = &shared.library.register;
    let name = register.label.text(page.language);
    let mut figures = html! {};
    if let Some(home) = shared.dashboards.at(Place::Home) {
        let given = filters::given(&page, home, &[])?;
        let region = given.get("region").unwrap_or("");
        let place = filters::chosen(&page, &home.filters, &given.pairs).into_iter().next().unwrap_or_default();
        let mut parts = Vec::new();
        for (at, one) in home.panels.iter().enumerate() {
            parts.push(panel(&page, home, one, at + 1, &given).await?);
        }
        figures = html! {
            section aria-labelledby="figures" {
                h2 id="figures" { (home.title.text(page.language)) ": " (place) }
                (filters::form(&page, "/", &home.filters, &given.pairs, &[], &[]))
                div.panels { @for part in &parts { (part) } }
                p { a href=(page.link(&format!("/regions/{region}"), &[])) { (page.say(&texts::FULL_PROFILE)) " " (place) } }
            }
        };
    }
    let main = html! {
        (filters::banner(&page))
        h1 { (name) }
        p.lead { (page.say(&texts::HOME_LEAD)) }
        (search_box(&page, ""))
        p.muted { (page.say(&texts::SEARCH_EXAMPLE)) " " @for example in examples(&page) { a href=(page.link("/search", &[("q", &example)])) { (example) } " " } }
        (figures)
        section aria-labelledby="ways" {
            h2 id="ways" { (page.say(&texts::FOR_WHOM)) }
            (cards(&page))
        }
        section aria-labelledby="tables" {
            h2 id="tables" { (page.say(&texts::TABLES)) }
            ul.columns { @for entry in shared.library.tables.iter().filter(|entry| !entry.discontinued) {
                li { a href=(page.link(&format!("/tables/{}", entry.table.id), &[])) { (entry.table.label.text(page.language)) } }
            } }
        }
    };
    Ok(frame(&page, name, Section::Home, &main))
}

/// Something to search for: a part of the country, and a category that few other words would find.
fn examples(page: &Page) -> Vec<String> {
    let library = &page.shared.library;
    let Some(table) = library.tables.iter().find(|entry| entry.region(library).is_some()) else { return Vec::new() };
    let place = table.region(library).and_then(|axis| {
        let dimension = &library.dimensions[table.axes[axis].dimension];
        let shown = |node: &u32| table.axes[axis].nodes.binary_search(node).is_ok();
        dimension.children(0).into_iter().rfind(shown).map(|node| dimension.nodes[node as usize].label.text(page.language).to_lowercase())
    });
    let short = |dimension: &UnionDimension| {
        let names = dimension.nodes.iter().filter(|node| node.parent.is_some()).map(|node| node.label.text(page.language).to_lowercase());
        names.filter(|name| name.len() > 4 && name.chars().all(char::is_alphabetic)).min_by_key(String::len)
    };
    // The longer a list, the more often somebody searches in it.
    let mut classified: Vec<&UnionDimension> = library.dimensions.iter().filter(|dimension| dimension.role != Role::Geo).collect();
    classified.sort_by_key(|dimension| std::cmp::Reverse(dimension.nodes.len()));
    let category = classified.into_iter().find_map(short);
    let both = place.as_ref().zip(category).map(|(place, category)| format!("{category} {place}"));
    place.into_iter().chain(both).collect()
}
