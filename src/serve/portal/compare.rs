//! Up to five regions side by side.

use std::sync::Arc;

use axum::{
    http::{HeaderMap, Uri},
    response::Response,
};
use maud::{Markup, html};

use super::{
    Page, Section, filters,
    frame::frame,
    panels::{number_of, of_table, picture},
    respond, texts,
};
use crate::{
    dashboards::{Asked, Asking, Dashboard, Place, Show},
    serve::{noted::Recorded, problem::Problem, seen::Seen},
    sql::ParameterKind,
};

/// Regions that fit beside each other.
pub const MOST: usize = 5;

/// `GET /compare`
pub async fn compare(Seen(shared): Seen, uri: Uri, headers: HeaderMap) -> Result<Recorded<Response>, Problem> {
    respond(&shared, &uri, &headers, make).await
}

async fn make(page: Page) -> Result<Markup, Problem> {
    let shared = Arc::clone(&page.shared);
    let title = page.say(&texts::COMPARE);
    let Some(dashboard) = shared.dashboards.at(Place::Comparison) else {
        return Ok(frame(&page, title, Section::Regions, &html! { h1 { (title) } p { (page.say(&texts::PANEL_EMPTY)) } }));
    };
    let mut chosen: Vec<String> = Vec::new();
    let mut unknown: Vec<String> = Vec::new();
    let asked = asked(&page, dashboard);
    for text in &asked {
        match filters::given(&page, dashboard, &[("region", text)]) {
            Ok(given) => {
                let code = given.get("region").unwrap_or_default().to_owned();
                if !chosen.contains(&code) && chosen.len() < MOST {
                    chosen.push(code);
                }
            }
            // The period is everybody's fault.
            Err(problem) if filters::given(&page, dashboard, &[("region", "")]).is_err() => return Err(problem),
            Err(_) => unknown.push(text.chars().take(60).collect()),
        }
    }
    let all = if chosen.is_empty() { vec![String::new()] } else { chosen };
    let given = all.iter().map(|code| filters::given(&page, dashboard, &[("region", code)])).collect::<Result<Vec<_>, _>>()?;
    let codes: Vec<&str> = given.iter().map(|given| given.get("region").unwrap_or_default()).collect();
    let names: Vec<String> =
        given.iter().map(|given| filters::chosen(&page, &dashboard.filters, &given.pairs).into_iter().next().unwrap_or_default()).collect();
    let mut rows = Vec::new();
    let mut pictures = Vec::new();
    for panel in &dashboard.panels {
        let name = panel.title.as_ref().map_or("", |title| title.text(page.language));
        let mut cells = Vec::new();
        for (given, region) in given.iter().zip(&names) {
            let asked = Asked::new(dashboard, panel, given, &shared.library, &shared.sql);
            match (&panel.show, asked) {
                (Show::Number { .. }, Ok(asked)) => cells.push(number_of(&page, &asked).await?.map(|(number, _)| number)),
                (Show::Number { .. }, Err(_)) => cells.push(None),
                (Show::Chart { kind, .. }, Ok(asked)) => {
                    if let Asking::Cells { table, request, .. } = &asked.asking {
                        let alt = format!("{}: {region}", page.say(texts::of_chart(*kind)));
                        pictures.push(picture(&page, *kind, &of_table(&page, *table, request, &asked.options), &alt, 460));
                    }
                }
                _ => {}
            }
        }
        if matches!(panel.show, Show::Number { .. }) {
            rows.push((name, cells));
        }
    }
    let marks = marks(&page, rows.iter().flat_map(|(_, cells)| cells.iter().flatten().map(|number| number.status)));
    let without = |code: &str| codes.iter().copied().filter(|other| *other != code).collect::<Vec<_>>().join(",");
    let main = html! {
        h1 { (title) }
        p.lead { (page.say(&texts::COMPARE_LEAD)) }
        @if !unknown.is_empty() { div.alert role="alert" { @for text in &unknown { p { (texts::NO_REGION.with(text.as_str()).text(page.tongue)) } } } }
        (adding(&page, dashboard, &codes, &given[0].pairs))
        div.scroll tabindex="0" role="region" aria-label=(title) {
            table data-grid="rows" {
                caption.visually-hidden { (title) }
                thead { tr {
                    th.stub scope="col" { (page.say(&texts::FIGURE)) }
                    @for (code, name) in codes.iter().zip(&names) {
                        th scope="col" {
                            a href=(page.link(&format!("/regions/{code}"), &[])) { (name) }
                            @if codes.len() > 1 { a.remove href=(page.here(&[("region", Some(&without(code))), ("add", None)])) { "×" span.visually-hidden { (page.say(&texts::REMOVE)) " " (name) } } }
                        }
                    }
                } }
                tbody { @for (name, cells) in &rows {
                    tr {
                        th scope="row" { (name) }
                        @for cell in cells {
                            @match cell {
                                Some(number) => td class=[number.status.mark()] { (number.text) },
                                None => td { "–" },
                            }
                        }
                    }
                } }
            }
        }
        (super::panels::legend(&marks))
        div.panels { @for picture in &pictures { figure.card.w6 { (picture) } } }
    };
    Ok(frame(&page, title, Section::Regions, &main))
}

/// What the reader wrote: codes or names.
fn asked(page: &Page, dashboard: &Dashboard) -> Vec<String> {
    let mut asked = page.parameters.list("region");
    // What is added may be a name with a comma in it.
    asked.extend(page.parameters.get("add").filter(|text| !text.is_empty()).map(str::to_owned));
    if asked.is_empty() {
        // The whole and its first parts, so that there is something to see.
        let library = &page.shared.library;
        if let Some(filter) = dashboard.filters.first()
            && let ParameterKind::Code(dimension, _) = filter.kind
        {
            let dimension = &library.dimensions[dimension];
            let codes = std::iter::once(0).chain(dimension.children(0)).map(|node| &dimension.nodes[node as usize].code);
            asked.extend(codes.filter(|code| filter.shows(code, library)).take(3).cloned());
        }
    }
    asked
}

/// The form by which one more is added.
fn adding(page: &Page, dashboard: &Dashboard, codes: &[&str], pairs: &[(String, String)]) -> Markup {
    let empty: Vec<(String, String)> =
        pairs.iter().map(|(name, value)| (name.clone(), if name == "region" { String::new() } else { value.clone() })).collect();
    let Some(region) = dashboard.filters.iter().find(|filter| filter.name == "region") else { return html! {} };
    let variable = match &region.kind {
        ParameterKind::Code(dimension, _) => page.shared.library.dimensions[*dimension].id.as_str(),
        _ => "",
    };
    html! {
        form.filters method="get" action="/compare" {
            @if page.language != 0 { input type="hidden" name="lang" value=(page.lang()); }
            input type="hidden" name="region" value=(codes.join(","));
            @if codes.len() < MOST {
                div {
                    label for="add" { (page.say(&texts::ADD_REGION)) }
                    input type="text" id="add" name="add" list="add-list" data-suggest=(variable) autocomplete="off" spellcheck="false";
                    datalist id="add-list" {}
                }
            }
            @for filter in dashboard.filters.iter().filter(|filter| filter.name != "region") { div { (filters::field(page, filter, empty.iter().find(|(name, _)| *name == filter.name).map_or("", |(_, value)| value))) } }
            button.main type="submit" { (page.say(&texts::SHOW)) }
        }
    }
}

/// The marks among some statuses, with their meaning.
fn marks(page: &Page, statuses: impl Iterator<Item = crate::tables::CellStatus>) -> Vec<(String, &'static str)> {
    let mut marks: Vec<(String, &'static str)> = Vec::new();
    for status in statuses {
        if let (Some(mark), Some(meaning)) = (status.mark(), texts::of_status(status)) {
            let mark = format!("[{mark}]");
            if !marks.iter().any(|(known, _)| *known == mark) {
                marks.push((mark, page.say(meaning)));
            }
        }
    }
    marks
}
