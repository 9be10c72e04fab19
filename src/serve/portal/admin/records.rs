//! Looking into the log of accesses and into what was changed, and what looks unusual.

use axum::{
    body::Body,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use chrono::{DateTime, Days, NaiveDate, Utc};
use maud::{Markup, html};

use super::{Desk, Field, choice, listing, path_of, refused, texts};
use crate::{
    access::{Change, Kept, Search, begin_of, office_time},
    error::Error,
    serve::problem::Problem,
    spreadsheet::CsvWriter,
    usage::{self, Hint, Thresholds},
};

/// Records of a page, and of a file.
const SHOWN: usize = 200;
const WRITTEN: usize = 100_000;
/// Changes of a page.
const CHANGES: usize = 500;
/// Days that are looked back for hints.
const DAYS: u64 = 30;
/// Parts of the service, as the log names them.
const SURFACES: [&str; 7] = ["page", "api", "sdmx", "chart", "query", "sql", "admin"];

/// What a form looks for. Days are those of offices, both included.
fn search(desk: &Desk) -> Result<Search, Error> {
    let get = |name: &str| desk.page.parameters.get(name).filter(|text| !text.is_empty()).map(str::to_owned);
    let day = |name: &str| super::day(&desk.page.parameters, name);
    let after = |day: NaiveDate| day.checked_add_days(Days::new(1)).unwrap_or(day);
    Ok(Search {
        user: get("user"),
        institution: get("institution"),
        surface: get("surface"),
        asked: get("asked"),
        since: day("since")?.map(begin_of),
        until: day("before")?.map(|day| begin_of(after(day))),
        refused: get("refused").is_some(),
    })
}

fn at(text: &str) -> String {
    let local = DateTime::parse_from_rfc3339(text).map(|at| office_time(at.to_utc()).format("%Y-%m-%d %H:%M:%S").to_string());
    local.unwrap_or_else(|_| text.to_owned())
}

/// `GET /admin/log`
pub async fn log(desk: Desk) -> Result<Response, Problem> {
    let found = match search(&desk) {
        Ok(search) => desk.with(move |access| access.newest_records(&search, SHOWN)).await.map(Ok)?,
        Err(error) => Err(refused(error)?),
    };
    let (status, said, records) = match found {
        Ok(records) => (StatusCode::OK, html! {}, records),
        Err((status, said)) => (status, said, Vec::new()),
    };
    let page = &desk.page;
    let get = |name: &str| page.parameters.get(name).unwrap_or("").to_owned();
    let rows: Vec<Markup> = records.iter().rev().map(|kept| row(&desk, kept)).collect();
    let columns = [&texts::TIME, &texts::WHO, &texts::ADDRESS, &texts::WAY, &texts::OUTCOME, &texts::CELLS, &texts::ASKED]
        .map(|column| desk.say(column));
    let field = |id: &'static str, label, kind| {
        let value = get(id);
        html! { div { (Field { id, label: desk.say(label), kind, value: &value, required: false }.shown()) } }
    };
    let ways = std::iter::once(("", desk.say(&texts::EVERY))).chain(SURFACES.iter().map(|&way| (way, way)));
    let file = page.here(&[]).replacen("/admin/log", "/admin/log.csv", 1);
    let main = html! {
        (said)
        form.filters method="get" action=(page.link("/admin/log", &[])) {
            @if page.language != 0 { input type="hidden" name="lang" value=(page.lang()); }
            (field("user", &texts::USER_ID, "text")) (field("institution", &texts::INSTITUTION, "text"))
            div { (choice("surface", desk.say(&texts::WAY), ways, &get("surface"))) }
            (field("asked", &texts::HOLDS, "text")) (field("since", &texts::SINCE, "date")) (field("before", &texts::BEFORE, "date"))
            div { label.tick { input type="checkbox" name="refused" value="yes" checked[!get("refused").is_empty()]; " " (desk.say(&texts::REFUSED)) } }
            button.main type="submit" { (desk.say(&texts::SEARCH)) }
        }
        (listing(page, desk.say(&texts::LOG), &columns, &rows))
        @if rows.len() >= SHOWN { p { (texts::AND_MORE.with(SHOWN as u64).text(page.tongue)) } }
        p { a href=(file) { (desk.say(&texts::AS_CSV)) } }
    };
    Ok(desk.shown(desk.say(&texts::LOG), "/admin/log", status, &main))
}

fn row(desk: &Desk, kept: &Kept) -> Markup {
    let record = &kept.record;
    html! {
        td.nowrap { (at(&record.at)) }
        td { @if record.user.is_empty() { "–" } @else { a href=(desk.page.link(&path_of(&record.user), &[])) { (record.user) } " · " (record.by) } }
        td { (record.from) }
        td { (record.surface) }
        td class=[record.is_refused().then_some("refused")] { (record.status) }
        td.amount { (desk.page.count(record.cells)) @if record.suppressed > 0 { " (" (desk.page.count(record.suppressed)) " c)" } }
        td.asked { code { (record.asked) } @for means in &record.means { br; (means) } }
    }
}

/// `GET /admin/log.csv`
pub async fn log_csv(desk: Desk) -> Result<Response, Problem> {
    let search = search(&desk)?;
    let written = desk.with(move |access| written(&access.newest_records(&search, WRITTEN)?)).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"access-log.csv\""),
    ];
    Ok((headers, Body::from(written)).into_response())
}

fn written(records: &[Kept]) -> crate::error::Result<Vec<u8>> {
    let failed = |error: std::io::Error| Error::Internal(format!("a log that cannot be written: {error}"));
    let mut writer = CsvWriter::new(Vec::new());
    let columns = [
        "number",
        "at",
        "request",
        "user",
        "institution",
        "by",
        "from",
        "surface",
        "asked",
        "means",
        "tables",
        "regions",
        "region_count",
        "releases",
        "cells",
        "suppressed",
        "format",
        "status",
    ];
    writer.record(columns).map_err(failed)?;
    for Kept { number, record } in records {
        let (number, regions, cells) = (number.to_string(), record.region_count.to_string(), record.cells.to_string());
        let (suppressed, status) = (record.suppressed.to_string(), record.status.to_string());
        let lists = [&record.means, &record.tables, &record.regions, &record.releases].map(|list| list.join(" | "));
        let [means, tables, named, releases] = &lists;
        let fields = [
            &number,
            &record.at,
            &record.request,
            &record.user,
            &record.institution,
            &record.by,
            &record.from,
            &record.surface,
            &record.asked,
            means,
            tables,
            named,
            &regions,
            releases,
            &cells,
            &suppressed,
            &record.format,
            &status,
        ];
        writer.record(fields).map_err(failed)?;
    }
    writer.finish().map_err(failed)
}

/// `GET /admin/changes`
pub async fn changes(desk: Desk) -> Result<Response, Problem> {
    let changes = desk.with(|access| access.changes(None, CHANGES)).await?;
    Ok(desk.shown(desk.say(&texts::CHANGES), "/admin/changes", StatusCode::OK, &change_list(&desk, &changes)))
}

/// Changes in a table.
pub fn change_list(desk: &Desk, changes: &[Change]) -> Markup {
    let rows: Vec<Markup> = changes
        .iter()
        .map(|change| {
            let until = change.until.as_ref().map(|until| texts::UNTIL_DAY.with(until.as_str()).text(desk.page.tongue));
            html! {
                td.nowrap { (office_time(change.at).format("%Y-%m-%d %H:%M:%S")) }
                td { (change.by) }
                td { (change.subject_id) }
                td { (change.what) @if let Some(until) = until { " " (until) } }
                td { (change.reason) }
            }
        })
        .collect();
    let columns = [&texts::TIME, &texts::BY, &texts::SUBJECT, &texts::WHAT, &texts::WHY].map(|column| desk.say(column));
    listing(&desk.page, desk.say(&texts::CHANGES), &columns, &rows)
}

/// `GET /admin/hints`
pub async fn hints(desk: Desk) -> Result<Response, Problem> {
    let search = Search { since: Some(begin_of(office_time(Utc::now()).date() - Days::new(DAYS))), ..Search::default() };
    let usual = Thresholds::default();
    let found = desk.with(move |access| usage::hints(access, &search, usual)).await?;
    let lead = texts::HINTS_LEAD.with(DAYS).and(usual.burst).and(usual.crawl).and(usual.night).and(usual.refusals);
    let main = html! { p { (lead.text(desk.page.tongue)) } (hint_list(&desk, &found)) };
    Ok(desk.shown(desk.say(&texts::HINTS), "/admin/hints", StatusCode::OK, &main))
}

/// Hints in a table.
pub fn hint_list(desk: &Desk, hints: &[Hint]) -> Markup {
    let rows: Vec<Markup> = hints
        .iter()
        .map(|hint| {
            let day = hint.day.to_string();
            let named = if hint.institution.is_empty() { "" } else { hint.who.as_str() };
            let look = desk.page.link("/admin/log", &[("user", named), ("since", &day)]);
            html! {
                td.nowrap { (day) }
                td { (hint.who) }
                td { (hint.institution) }
                td { (desk.say(texts::oddity(hint.oddity))) }
                td.amount { (desk.page.count(hint.count)) }
                td { a href=(look) { (desk.say(&texts::LOOK)) span.visually-hidden { " " (hint.who) " " (day) } } }
            }
        })
        .collect();
    let columns = [&texts::DAY, &texts::WHO, &texts::INSTITUTION, &texts::WHAT, &texts::COUNT, &texts::LOG].map(|column| desk.say(column));
    listing(&desk.page, desk.say(&texts::HINTS), &columns, &rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Record;

    #[test]
    fn an_extract_of_the_log_has_no_formulas() {
        let record =
            Record { asked: "=HYPERLINK(1)".into(), by: "@key".into(), means: vec!["+1".into(), "-1".into()], ..Record::default() };
        let text = String::from_utf8(written(&[Kept { number: 7, record }]).unwrap()).unwrap();
        let row: Vec<&str> = text.lines().nth(1).unwrap().split(',').collect();
        assert_eq!((row[0], row[5], row[8], row[9]), ("7", "'@key", "'=HYPERLINK(1)", "'+1 | -1"));
    }
}
