//! The report on use of a semester: for administrators of everybody, for reporters of their own institution.

use std::collections::BTreeMap;

use axum::{
    body::Body,
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use chrono::{Datelike as _, NaiveDate, Utc};
use maud::{Markup, html};

use super::{Desk, Field, SignedIn, choice, given, headed, refused, semester, shown, texts};
use crate::{
    access::{Duty, Role},
    register::Period,
    serve::{
        noted,
        portal::{Page, account, onward::onward},
        problem::Problem,
    },
    usage::{Item, MANY, Sheet, Usage},
    words,
};

/// Semesters that are offered, the present one first.
const SEMESTERS: usize = 8;
/// Width and height of the picture of days.
const PICTURE: (u32, u32) = (960, 150);

/// Whose report, of which semester.
struct Asked {
    desk: Desk,
    period: Period,
    /// The institution that is asked for, or the only one that may be.
    institution: Option<String>,
}

fn asked(from: SignedIn) -> Result<Asked, Problem> {
    let SignedIn { page, whole, caller, session } = from;
    let get = |name: &str| page.parameters.get(name).filter(|text| !text.is_empty());
    let institution = match caller.role {
        Role::Administrator => get("institution").map(str::to_owned),
        Role::Reporter => Some(caller.institution.clone()),
        Role::Reader => return Err(Problem::new(StatusCode::FORBIDDEN, "Not a reporter", &texts::ONLY_REPORTERS)),
    };
    let now = semester(Utc::now());
    let period = get("period").and_then(|text| text.parse().ok()).unwrap_or(now);
    noted::note_act(format!("report on use {period} {}", institution.as_deref().unwrap_or("*")));
    Ok(Asked { desk: Desk { page, whole, caller, session }, period, institution })
}

async fn gathered(asked: &Asked) -> Result<Usage, Problem> {
    let (period, institution) = (asked.period, asked.institution.clone());
    asked.desk.with(move |access| Usage::gather(access, period, institution.as_deref(), Utc::now())).await
}

/// `GET /usage`
pub async fn usage(from: SignedIn) -> Result<Response, Problem> {
    report(&asked(from)?, StatusCode::OK, &html! {}).await
}

async fn report(asked: &Asked, status: StatusCode, said: &Markup) -> Result<Response, Problem> {
    let usage = gathered(asked).await?;
    let Asked { desk, period, institution } = asked;
    let page = &desk.page;
    let mut total = usage.total();
    total.merge(&usage.open);
    let title = usage.title(page.tongue);
    let now = semester(Utc::now());
    let semesters: Vec<String> =
        std::iter::successors(Some(now), |period| Some(period.previous())).take(SEMESTERS).map(|period| period.to_string()).collect();
    let own = period.to_string();
    let here = |file: &str| page.link(file, &[("period", own.as_str()), ("institution", institution.as_deref().unwrap_or(""))]);
    let chosen: Option<&crate::usage::InstitutionUsage> = usage.institutions.first().filter(|_| usage.institutions.len() == 1);
    let main = html! {
        (said)
        p.lead { (page.say(&texts::USAGE_LEAD)) }
        form.filters method="get" action=(page.link("/usage", &[])) {
            @if page.language != 0 { input type="hidden" name="lang" value=(page.lang()); }
            div { (choice("period", page.say(&texts::PERIOD), semesters.iter().map(|period| (period.as_str(), period.as_str())), &own)) }
            @if desk.caller.role == Role::Administrator { div { (Field { id: "institution", label: page.say(&texts::INSTITUTION), kind: "text", value: institution.as_deref().unwrap_or(""), required: false }.shown()) } }
            button.main type="submit" { (page.say(&texts::SHOW)) }
        }
        p.no-print { a.button href=(here("/usage/report.xlsx")) { (page.say(&texts::WORKBOOK)) } " " a.button href=(here("/usage/report.csv")) { "CSV" } }
        @if !total.days.is_empty() {
            section {
                h2 { (page.say(&texts::PER_DAY)) }
                (picture(page, *period, &total.days))
                h3 { (page.say(&texts::PEAK_DAYS)) }
                ol { @for (day, count) in total.peak_days(5) { li { (words::day(day, page.tongue)) ": " (page.count(count)) } } }
            }
        }
        @for sheet in usage.sheets(page.tongue) {
            @if !(sheet.rows.is_empty() || sheet.id == "days") { section { h2 { (sheet.name) } (table(desk, &sheet)) } }
        }
        @if let Some(one) = chosen && matches!(one.duty, Duty::Due(_) | Duty::Overdue(_)) {
            section.no-print {
                h2 { (page.say(&texts::FILE_REPORT)) }
                form.sign-in.card method="post" action=(here("/usage")) {
                    (desk.token())
                    (Field { id: "note", label: page.say(&texts::FILE_NOTE), kind: "text", value: "", required: true }.shown())
                    button type="submit" { (page.say(&texts::FILE_REPORT)) }
                }
            }
        }
    };
    if desk.caller.role == Role::Administrator {
        return Ok(desk.shown(&title, "/usage", status, &main));
    }
    let done = page.parameters.get("done").is_some();
    let main = html! { h1 { (title) } @if done { p.note role="status" { (page.say(&texts::DONE)) } } (main) };
    Ok(shown(page, &title, &main, status))
}

/// A table of the report, with names for codes where the register has them.
fn table(desk: &Desk, sheet: &Sheet) -> Markup {
    let page = &desk.page;
    let library = &desk.whole.library;
    let named = |text: &str| match sheet.id {
        "tables" => library.table(text).map(|entry| entry.table.label.text(page.language).to_owned()),
        "regions" if text == MANY => Some(page.say(&texts::MANY).to_owned()),
        "regions" => Some(desk.region(Some(text))),
        _ => None,
    };
    let cell = |at: usize, item: &Item| match item {
        Item::Count(count) => html! { td.amount { (page.count(*count)) } },
        Item::Day(day) => html! { td { (words::day(*day, page.tongue)) } },
        Item::Text(text) if at == 1 => html! { td { (named(text).unwrap_or_else(|| text.clone())) } },
        Item::Text(text) => html! { td { (text) } },
        Item::Nothing => html! { td {} },
    };
    let rows: Vec<Markup> = sheet.rows.iter().map(|row| html! { @for (at, item) in row.iter().enumerate() { (cell(at, item)) } }).collect();
    let is_count = |at: usize| sheet.rows.iter().any(|row| matches!(row[at], Item::Count(_)));
    let headings = html! { @for (at, column) in sheet.columns.iter().enumerate() { th.amount[is_count(at)] scope="col" { (column) } } };
    headed(page, sheet.name, &headings, &rows)
}

/// A bar for each day of the semester. The same figures are in the files.
fn picture(page: &Page, period: Period, days: &BTreeMap<NaiveDate, u64>) -> Markup {
    let (width, height) = PICTURE;
    let (first, last) = (period.first_date(), period.reference_date());
    let all = (last - first).num_days().unsigned_abs() as u32 + 1;
    let most = days.values().copied().max().unwrap_or(1).max(1);
    let step = f64::from(width) / f64::from(all);
    let (foot, head) = (18.0, 14.0);
    let bars = days.iter().map(|(day, count)| {
        let at = (*day - first).num_days() as f64 * step;
        let tall = (*count as f64 / most as f64 * (f64::from(height) - foot - head)).max(1.0);
        (at, f64::from(height) - foot - tall, tall, format!("{}: {}", words::day(*day, page.tongue), page.count(*count)))
    });
    let months = (0..all).filter_map(|at| first.checked_add_days(chrono::Days::new(u64::from(at)))).filter(|day| day.day() == 1);
    let label = format!("{}, {first} – {last}", page.say(&texts::PER_DAY));
    html! {
        svg.days viewBox={ "0 0 " (width) " " (height) } role="img" aria-label=(label) {
            line x1="0" x2=(width) y1=(f64::from(height) - foot) y2=(f64::from(height) - foot) class="axis" {}
            text x="0" y="10" { (page.count(most)) }
            @for month in months {
                @let x = f64::from((month - first).num_days() as i32) * step;
                line x1=(format!("{x:.1}")) x2=(format!("{x:.1}")) y1=(f64::from(height) - foot) y2=(f64::from(height) - foot + 4.0) class="axis" {}
                text x=(format!("{:.1}", x + 2.0)) y=(height - 4) { (month.format("%Y-%m")) }
            }
            @for (x, y, tall, told) in bars {
                rect x=(format!("{x:.1}")) y=(format!("{y:.1}")) width=(format!("{:.1}", (step - 0.6).max(0.8))) height=(format!("{tall:.1}")) { title { (told) } }
            }
        }
    }
}

/// `GET /usage/report.csv` and `GET /usage/report.xlsx`
pub async fn usage_file(Path(file): Path<String>, from: SignedIn) -> Result<Response, Problem> {
    let asked = asked(from)?;
    let usage = gathered(&asked).await?;
    let tongue = asked.desk.page.tongue;
    let (media, ending, written) = match file.as_str() {
        "report.csv" => ("text/csv; charset=utf-8", "csv", usage.csv()?),
        "report.xlsx" => {
            let media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
            (media, "xlsx", asked.desk.with(move |_| usage.workbook(tongue)).await?)
        }
        _ => return Err(crate::serve::edge::nowhere().await),
    };
    let name = format!("usage-{}-{}.{ending}", asked.period, asked.institution.as_deref().unwrap_or("all"));
    let headers = [(header::CONTENT_TYPE, media), (header::CACHE_CONTROL, "no-store")];
    let mut response = (headers, Body::from(written)).into_response();
    if let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// `POST /usage`
pub async fn file_report(from: SignedIn, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let asked = asked(from)?;
    let fields = account::own_fields(&asked.desk.whole, &asked.desk.session, &headers, body).await?;
    let (note, by, period) = (given(&fields, "note"), asked.desk.caller.user_id.clone(), asked.period);
    let code = asked.institution.clone().unwrap_or_default();
    let done = asked.desk.try_with(move |access| access.file_report(&code, period, &note, &by, Utc::now())).await?;
    match done {
        Ok(()) => {
            let pairs = [
                ("period", asked.period.to_string()),
                ("institution", asked.institution.clone().unwrap_or_default()),
                ("done", "1".into()),
            ];
            let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
            Ok(onward(&asked.desk.page.link("/usage", &pairs)))
        }
        Err(error) => {
            let (status, said) = refused(error)?;
            report(&asked, status, &said).await
        }
    }
}
