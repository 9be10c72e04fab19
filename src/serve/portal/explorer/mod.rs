//! The explorer: a table, what is chosen of it, and ways to look at that.
//!
//! [`state`] reads what the address says, [`choice`] offers what else there is to choose, [`views`] shows it.

mod choice;
mod regions;
mod state;
mod views;

use std::sync::Arc;

use axum::{
    extract::Path,
    http::{HeaderMap, Uri},
    response::Response,
};
use maud::{Markup, html};

use self::state::{State, View};
use super::{
    Page, Section, download,
    frame::{crumbs, frame, sentence},
    respond, texts,
};
use crate::{
    serve::{noted::Recorded, problem::Problem, seen::Seen},
    words,
};

/// `GET /tables/{id}`
pub async fn explorer(Seen(shared): Seen, Path(id): Path<String>, uri: Uri, headers: HeaderMap) -> Result<Recorded<Response>, Problem> {
    let table = shared.table(&id)?;
    respond(&shared, &uri, &headers, async |page| make(page, table).await).await
}

async fn make(page: Page, table: usize) -> Result<Markup, Problem> {
    let shared = Arc::clone(&page.shared);
    let library = &shared.library;
    let entry = &library.tables[table];
    let title = entry.table.label.text(page.language);
    let state = State::read(&page, table);
    let way = [(page.say(&texts::TABLES).to_owned(), page.link("/tables", &[]))];
    let shown = views::view(&page, &state).await?;
    let main = html! {
        (crumbs(page.say(&texts::WAY), &way))
        h1 { (title) }
        div id="work" {
            div.explorer {
                (choice::form(&page, &state, shown.counted))
                div {
                    @if let Some(problem) = &state.problem { div.alert role="alert" { p { (sentence(&problem.text(page.tongue))) } } }
                    @if !state.unknown.is_empty() {
                        div.alert role="alert" { p { (texts::PASTED_UNKNOWN.with(state.unknown.join(", ")).text(page.tongue)) } }
                    }
                    (notes(&page, &state, true))
                    (tabs(&page, &state))
                    (shown.toolbar)
                    (shown.body)
                    section { (download::menu(&page, &entry.table.id, &state.request, shown.chart.as_ref().map(|(kind, pairs)| (*kind, pairs.as_slice())))) }
                    div.foot {
                        section {
                            h2 { (page.say(&texts::SHARE)) }
                            ul.actions {
                                li { a href=(state.permalink(&page, None)) { (page.say(&texts::PERMALINK)) } }
                                @if let Some(pinned) = state.pinned(&page) { li { a href=(pinned) { (page.say(&texts::PERMALINK_FIXED)) } } }
                            }
                            h3 { (page.say(&texts::FOR_PROGRAMS)) }
                            (download::snippets(&page, &entry.table.id, &state.request))
                        }
                        section {
                            (notes(&page, &state, false))
                            h2 { (words::ABOUT.text(page.tongue)) }
                            p { (entry.table.description.text(page.language)) }
                            dl {
                                dt { (words::SOURCE.text(page.tongue)) } dd { (library.register.source.text(page.language)) }
                                dt { (words::UPDATED.text(page.tongue)) } dd { (words::day(entry.updated.date_naive(), page.tongue)) }
                                @if let Some(query) = &state.query {
                                    dt { (words::RELEASES.text(page.tongue)) }
                                    dd { @for (at, &release) in query.releases.iter().enumerate() { @if at > 0 { ", " } a href={ (page.link("/releases", &[])) "#r" (release) } { (library.releases[release].folder) } } }
                                    @for &content in &query.contents { @if let Some(measure) = library.measure(entry, content) {
                                        dt { (measure.label.text(page.language)) } dd { (measure.method.text(page.language)) }
                                    } }
                                }
                                dt { (page.say(&texts::METHOD_SHORT)) } dd { a href=(page.link("/method", &[])) { (page.say(&texts::METHOD)) } }
                            }
                        }
                    }
                }
            }
        }
    };
    Ok(frame(&page, title, Section::Tables, &main))
}

/// The ways to look at a selection.
fn tabs(page: &Page, state: &State) -> Markup {
    html! {
        nav aria-label=(page.say(&texts::VIEWS)) {
            ul.tabs {
                @for view in View::all(page, state) {
                    li { a id={ "view-" (view.id()) } href=(state.address(page, &[("view", Some(view.id())), ("from", None)])) data-swap aria-current=[(view == state.view).then_some("page")] { (page.say(view.label())) } }
                }
            }
        }
    }
}

/// The notes on what is chosen: those that nobody may overlook, or the others.
fn notes(page: &Page, state: &State, mandatory: bool) -> Markup {
    let library = &page.shared.library;
    let entry = &library.tables[state.table];
    let chosen = |note: &crate::register::Note| {
        let Some(node) = &note.node else { return true };
        let axis = entry.table.axes.iter().position(|axis| Some(&axis.dimension) == note.dimension.as_ref());
        axis.is_some_and(|axis| state.holds(library, axis, node))
    };
    let notes: Vec<&str> = entry
        .table
        .notes
        .iter()
        .filter(|note| note.mandatory == mandatory && chosen(note))
        .map(|note| note.text.text(page.language))
        .collect();
    html! {
        @if !notes.is_empty() {
            @if mandatory {
                div.note role="note" { p { strong { (page.say(&texts::MUST_KNOW)) } } ul { @for note in notes { li { (note) } } } }
            } @else {
                h2 { (words::NOTES.text(page.tongue)) }
                ul { @for note in notes { li { (note) } } }
            }
        }
    }
}
