//! The catalogue: which tables there are, found by words.

use std::sync::Arc;

use axum::{
    http::{HeaderMap, Uri},
    response::Response,
};
use chrono::Utc;
use maud::{Markup, html};

use super::{Page, Section, frame::frame, respond, texts};
use crate::{
    serve::{noted::Recorded, problem::Problem, seen::Seen},
    tables::{Listing, TableEntry, list},
    words,
};

/// `GET /tables`
pub async fn catalogue(Seen(shared): Seen, uri: Uri, headers: HeaderMap) -> Result<Recorded<Response>, Problem> {
    respond(&shared, &uri, &headers, make).await
}

async fn make(page: Page) -> Result<Markup, Problem> {
    let shared = Arc::clone(&page.shared);
    let library = &shared.library;
    let query = page.parameters.get("q").unwrap_or("").to_owned();
    let subject = page.parameters.get("subject").unwrap_or("").to_owned();
    let listing = Listing { query: query.clone(), past_days: None, discontinued: true, page: 1, size: 1000 };
    let found = list(library, &listing, Utc::now())?;
    let mut subjects: Vec<(String, &str, usize)> = Vec::new();
    for entry in &found.tables {
        let code = entry.subject_code();
        match subjects.iter_mut().find(|(known, ..)| *known == code) {
            Some((.., count)) => *count += 1,
            None => subjects.push((code, entry.table.subject.text(page.language), 1)),
        }
    }
    let shown: Vec<&TableEntry> =
        found.tables.iter().copied().filter(|entry| subject.is_empty() || entry.subject_code() == subject).collect();
    let main = html! {
        h1 { (page.say(&texts::CATALOGUE)) }
        form.filters role="search" method="get" action="/tables" {
            @if page.language != 0 { input type="hidden" name="lang" value=(page.lang()); }
            @if !subject.is_empty() { input type="hidden" name="subject" value=(subject); }
            div { label for="q" { (page.say(&texts::SEARCH_TABLES)) } input type="search" id="q" name="q" value=(query); }
            button.main type="submit" { (page.say(&texts::SEARCH)) }
        }
        nav aria-label=(page.say(&texts::SUBJECTS)) {
            ul.chips {
                li { a.button.small.on[subject.is_empty()] href=(page.here(&[("subject", None)])) { (page.say(&texts::ALL_SUBJECTS)) " " (found.total) } }
                @for (code, label, count) in &subjects {
                    li { a.button.small.on[*code == subject] href=(page.here(&[("subject", Some(code))])) aria-current=[(*code == subject).then_some("true")] { (label) " " (count) } }
                }
            }
        }
        p.muted role="status" { (texts::SHOWN_OF.with(shown.len() as u64).and(library.tables.len() as u64).text(page.tongue)) }
        h2.visually-hidden { (page.say(&texts::TABLES)) }
        ul.cards {
            @for entry in shown { (card(&page, entry)) }
        }
    };
    Ok(frame(&page, page.say(&texts::CATALOGUE), Section::Tables, &main))
}

/// A table in a line or two.
pub fn card(page: &Page, entry: &TableEntry) -> Markup {
    let library = &page.shared.library;
    let label = |release: Option<&usize>| release.map_or("", |&release| library.period_label(release, page.language));
    let lowest = entry.region(library).map(|axis| {
        let axis = &entry.axes[axis];
        library.dimensions[axis.dimension].levels[usize::from(axis.level)].label.text(page.language)
    });
    html! {
        li.card {
            span.tag { (entry.table.subject.text(page.language)) }
            h3 { a href=(page.link(&format!("/tables/{}", entry.table.id), &[])) { (entry.table.label.text(page.language)) } }
            p { (entry.table.description.text(page.language)) }
            ul.facts {
                li { (label(entry.span.first())) @if entry.span.len() > 1 { " – " (label(entry.span.last())) } }
                @if let Some(lowest) = lowest { li { (page.say(&texts::DOWN_TO)) " " (lowest.to_lowercase()) } }
                li { (texts::CELLS.with(page.count(entry.cells())).text(page.tongue)) }
                li { (words::UPDATED.text(page.tongue)) " " (words::day(entry.updated.date_naive(), page.tongue)) }
                @if entry.discontinued { li { (page.say(&texts::DISCONTINUED)) } }
            }
        }
    }
}
