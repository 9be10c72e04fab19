//! Named queries: a form for what each takes, and its rows.

use std::sync::Arc;

use axum::{
    extract::Path,
    http::{HeaderMap, Uri},
    response::Response,
};
use maud::{Markup, html};

use super::{
    Page, Section,
    choices::{Choices, options_of},
    download, filters,
    frame::{crumbs, frame, sentence},
    panels, respond, texts,
};
use crate::{
    charts::{ChartKind, kinds_of_rows, numbers},
    formats::ROWS_FORMATS,
    serve::{noted::Recorded, problem::Problem, seen::Seen},
    sql::Named,
    tables::CellStatus,
};

/// What an address says of the picture.
const CHART: [&str; 2] = ["chart", "columns"];

/// `GET /queries`
pub async fn named_queries(Seen(shared): Seen, uri: Uri, headers: HeaderMap) -> Result<Recorded<Response>, Problem> {
    respond(&shared, &uri, &headers, list).await
}

async fn list(page: Page) -> Result<Markup, Problem> {
    let shared = Arc::clone(&page.shared);
    let title = page.say(&texts::QUERIES);
    let main = html! {
        h1 { (title) }
        p.lead { (page.say(&texts::QUERIES_LEAD)) }
        h2.visually-hidden { (title) }
        ul.cards {
            @for query in shared.sql.queries() {
                li.card {
                    span.tag { (query.audience.text(page.language)) }
                    h3 { a href=(page.link(&format!("/queries/{}", query.name), &[])) { (query.title.text(page.language)) } }
                    p { (query.description.text(page.language)) }
                }
            }
        }
    };
    Ok(frame(&page, title, Section::Queries, &main))
}

/// `GET /queries/{name}`
pub async fn named_query(
    Seen(shared): Seen,
    Path(name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Recorded<Response>, Problem> {
    respond(&shared, &uri, &headers, async |page| one(page, &name).await).await
}

async fn one(page: Page, name: &str) -> Result<Markup, Problem> {
    let shared = Arc::clone(&page.shared);
    let query = shared.named(name)?;
    let title = query.title.text(page.language);
    let own: Vec<(String, String)> = query
        .parameters
        .iter()
        .filter_map(|parameter| {
            let given = page.parameters.get(&parameter.name).filter(|text| !text.is_empty())?;
            Some((parameter.name.clone(), filters::code_of(&page, parameter, given)))
        })
        .collect();
    let borrowed: Vec<(&str, &str)> = own.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let missing = query.parameters.iter().any(|parameter| parameter.required() && !own.iter().any(|(name, _)| *name == parameter.name));
    // A form that nobody filled in yet is not at fault.
    let bound = if missing { None } else { Some(shared.sql.bind(query, page.language, &borrowed)) };
    let (values, problem) = match bound {
        None => (own.clone(), None),
        Some(Err(error)) => (own.clone(), Some(error.detail.text(page.tongue))),
        Some(Ok(bound)) => (query.parameters.iter().map(|parameter| parameter.name.clone()).zip(bound.given).collect(), None),
    };
    let defaults: Vec<(String, String)> = query
        .parameters
        .iter()
        .map(|parameter| {
            let value = values.iter().find(|(name, _)| *name == parameter.name).map(|(_, value)| value.clone());
            (parameter.name.clone(), value.or_else(|| parameter.default_text(&shared.library)).unwrap_or_default())
        })
        .collect();
    let answered = if missing || problem.is_some() { None } else { Some(panels::answered(&page, query, &values).await?) };
    let rows = answered.as_ref().map(|answered| answered.table(&page, query, None)).transpose()?;
    let drawn = match &answered {
        Some(answered) => pictured(&page, query, &values, answered.of(&page, query).have_ground()?),
        None => html! {},
    };
    let way = [(page.say(&texts::QUERIES).to_owned(), page.link("/queries", &[]))];
    let marks: Vec<(String, &str)> = [CellStatus::Suppressed, CellStatus::Impossible, CellStatus::Unavailable]
        .into_iter()
        .filter_map(|status| Some((format!("[{}]", status.mark()?), page.say(texts::of_status(status)?))))
        .collect();
    let main = html! {
        (crumbs(page.say(&texts::WAY), &way))
        h1 { (title) }
        p.lead { (query.description.text(page.language)) }
        (filters::form(&page, &page.path, &query.parameters, &defaults, &[], &CHART))
        @if let Some(problem) = &problem { div.alert role="alert" { p { (sentence(problem)) } } }
        @if missing { p.note { (page.say(&texts::FILL_IN)) } }
        @if let Some(rows) = &rows {
            div.scroll tabindex="0" role="region" aria-label=(title) { (rows) }
            // Only the marks that occur are explained.
            @let text = rows.0.as_str();
            (panels::legend(&marks.into_iter().filter(|(mark, _)| text.contains(mark.as_str())).collect::<Vec<_>>()))
            ul.actions {
                @for format in ROWS_FORMATS { li { a href=(download::rows_address(&page, &query.name, &values, format)) download { (format.to_uppercase()) } } }
            }
            @if !query.notes.is_empty() { div.note { ul { @for note in &query.notes { li { (note.text(page.language)) } } } } }
            (drawn)
        }
    };
    Ok(frame(&page, title, Section::Queries, &main))
}

/// The rows as a picture, with the kinds of charts and the columns to choose from.
fn pictured(page: &Page, query: &Named, values: &[(String, String)], on_map: bool) -> Markup {
    let mut kinds = kinds_of_rows(&page.shared.library, query);
    kinds.retain(|kind| *kind != ChartKind::Map || on_map);
    let usual = [ChartKind::Pyramid, ChartKind::Lines, ChartKind::Ranking].into_iter().find(|kind| kinds.contains(kind));
    let wanted = page.parameters.get("chart").and_then(ChartKind::parse).filter(|kind| kinds.contains(kind));
    let Some(kind) = wanted.or(usual) else { return html! {} };
    let given = |name: &str| Some((name.to_owned(), page.parameters.get(name).filter(|text| !text.is_empty())?.to_owned()));
    // The other kinds show several columns at once.
    let choosing = matches!(kind, ChartKind::Ranking | ChartKind::Map) && numbers(query).count() > 1;
    let mut pairs = vec![("query".to_owned(), query.name.clone())];
    pairs.extend(values.iter().cloned());
    pairs.extend(options_of(kind).iter().filter_map(|name| given(name)));
    pairs.extend(given("columns").filter(|_| choosing));
    let address = |changes: &[(&str, Option<&str>)]| format!("{}#chart", page.here(changes));
    let choices = Choices { page, address: &address, swap: false };
    let columns =
        numbers(query).enumerate().map(|(at, column)| (if at == 0 { "" } else { column.name.as_str() }, column.label.text(page.language)));
    html! {
        section id="chart" {
            h2 { (page.say(&texts::PICTURE)) }
            nav aria-label=(page.say(&texts::VIEWS)) {
                ul.tabs {
                    @for other in &kinds {
                        li { a href=(address(&[("chart", Some(other.id()))])) aria-current=[(*other == kind).then_some("page")] { (page.say(texts::of_chart(*other))) } }
                    }
                }
            }
            div.toolbar {
                @if choosing { (choices.of(&texts::MEASURE, "columns", columns)) }
                (choices.drawn(kind))
            }
            figure.chart-view.card {
                (panels::picture(page, kind, &pairs, query.title.text(page.language), 960))
                figcaption {
                    ul.actions {
                        @for format in ["svg", "png", "pdf"] { li { a href=(panels::chart_address(page, kind, format, &pairs, "print", 960)) download { (format.to_uppercase()) } } }
                    }
                }
            }
        }
    }
}
