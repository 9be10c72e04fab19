//! What was published when, how far it can be trusted, and how people are protected in it.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    http::{HeaderMap, HeaderValue, Uri, header},
    response::{IntoResponse, Response},
};
use maud::{Markup, html};

use super::{Page, Section, frame::frame, respond, texts};
use crate::{
    formats::written,
    serve::{problem::Problem, seen::Seen},
    words,
};

/// `GET /releases`
pub async fn releases(Seen(shared): Seen, uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    respond(&shared, &uri, &headers, make).await
}

async fn make(page: Page) -> Result<Markup, Problem> {
    let shared = Arc::clone(&page.shared);
    let library = &shared.library;
    let title = page.say(&texts::RELEASES);
    let main = html! {
        h1 { (title) }
        p.lead { (page.say(&texts::RELEASES_LEAD)) " " a href=(page.link("/method", &[])) { (page.say(&texts::METHOD)) } }
        section {
            h2 id="calendar" { (page.say(&texts::CALENDAR)) }
            div.scroll tabindex="0" role="region" aria-label=(page.say(&texts::CALENDAR)) {
                table.plain {
                    caption.visually-hidden { (page.say(&texts::CALENDAR)) }
                    thead { tr {
                        th scope="col" { (words::PERIODS.text(page.tongue)) }
                        th scope="col" { (page.say(&texts::REFERENCE_DAY)) }
                        th scope="col" { (page.say(&texts::PUBLISHED_ON)) }
                        th scope="col" { (page.say(&texts::REVISION)) }
                    } }
                    tbody {
                        @if let (Some(next), Some(newest)) = (library.next_update(), library.releases.last()) {
                            tr {
                                th scope="row" { (words::period(newest.manifest.period.next(), page.tongue)) }
                                td { (words::day(newest.manifest.period.next().reference_date(), page.tongue)) }
                                td { (page.say(&texts::DUE)) " " (words::day(next.date_naive(), page.tongue)) }
                                td { "–" }
                            }
                        }
                        @for (at, release) in library.releases.iter().enumerate().rev() {
                            tr {
                                th scope="row" { a href={ "#r" (at) } { (library.period_label(at, page.language)) } }
                                td { (words::day(release.manifest.period.reference_date(), page.tongue)) }
                                td { (words::day(release.written.date_naive(), page.tongue)) }
                                td { (release.manifest.revision) }
                            }
                        }
                    }
                }
            }
            ul.actions { li { a href=(page.link("/releases/calendar.ics", &[])) { (page.say(&texts::AS_CALENDAR)) } } }
        }
        @for (at, release) in library.releases.iter().enumerate().rev() {
            section.card id={ "r" (at) } {
                h2 { (library.period_label(at, page.language)) }
                @if let Some(correction) = &release.manifest.correction { p.note { strong { (page.say(&texts::CORRECTION)) ": " } (correction) } }
                dl {
                    dt { (page.say(&texts::RELEASE)) } dd { code { (release.folder) } }
                    dt { (page.say(&texts::DIGEST)) } dd { code { (release.sha256) } }
                    dt { (page.say(&texts::VINTAGE)) } dd { (release.manifest.vintage) }
                    dt { (page.say(&texts::TABLES)) } dd { (release.manifest.tables.len()) }
                }
                div.panels {
                    div.w6 { h3 { (page.say(&texts::QUALITY)) } (quality(&page, at)) }
                    div.w6 { h3 { (page.say(&texts::CONFIDENTIALITY)) } (audit(&page, at)) }
                }
            }
        }
    };
    Ok(frame(&page, title, Section::Releases, &main))
}

/// Tenths of a thousandth for people.
fn per_thousand(page: &Page, share: f64) -> String {
    written((share * 10.0).round() as i64, 1, page.tongue)
}

/// How many records of a release were accepted and rejected.
pub fn quality(page: &Page, release: usize) -> Markup {
    let Some(quality) = page.shared.library.releases.get(release).and_then(|release| release.quality.as_ref()) else {
        return html! { p.muted { (page.say(&texts::NOT_TOLD)) } };
    };
    let Some(accepted) = quality.accepted_per_thousand else { return html! { p.muted { (page.say(&texts::QUALITY_HIDDEN)) } } };
    html! {
        p { (texts::ACCEPTED.with(per_thousand(page, accepted)).text(page.tongue)) }
        @if !quality.rejected_per_thousand.is_empty() {
            table.plain {
                caption { (page.say(&texts::REJECTED)) }
                thead { tr { th scope="col" { (page.say(&texts::REASON)) } th.n scope="col" { (page.say(&texts::PER_THOUSAND)) } } }
                tbody {
                    @for (reason, share) in &quality.rejected_per_thousand {
                        tr { th scope="row" { (texts::of_reason(reason).map_or(reason.as_str(), |phrase| page.say(phrase))) } td.n { (per_thousand(page, *share)) } }
                    }
                }
            }
        }
        p.muted { (page.say(&texts::QUALITY_ROUNDED)) }
    }
}

/// How a release is protected, and what was checked.
pub fn audit(page: &Page, release: usize) -> Markup {
    let Some(release) = page.shared.library.releases.get(release) else { return html! {} };
    let Some(audit) = &release.audit else { return html! { p.muted { (page.say(&texts::NOT_TOLD)) } } };
    let system = &audit.system;
    let share = if audit.cells > 0 { (audit.suppressed as f64 / audit.cells as f64 * 1000.0).round() as i64 } else { 0 };
    html! {
        p { (texts::WITHHELD.with(page.count(audit.suppressed)).and(page.count(audit.cells)).and(written(share, 1, page.tongue)).text(page.tongue)) }
        dl.tall {
            dt { (page.say(&texts::SMALL_COUNTS)) } dd { "1–" (release.manifest.threshold.saturating_sub(1)) }
            dt { (page.say(&texts::CHECKED)) }
            dd { ul { @for check in &audit.checked { li { (texts::of_check(check).map_or(check.as_str(), |phrase| page.say(phrase))) } } } }
            dt { (page.say(&texts::FAULTS)) } dd { (page.say(&texts::NO_FAULTS)) }
            dt { (page.say(&texts::SOLVED)) } dd { (texts::OF.with(page.count(system.solved)).and(page.count(system.unknowns)).text(page.tongue)) }
            @if system.sampled > 0 { dt { (page.say(&texts::SAMPLED)) } dd { (page.count(system.sampled)) } }
            @if system.revisions > 1 { dt { (page.say(&texts::ATTACKED_TOGETHER)) } dd { (page.count(system.revisions)) } }
            @if system.left_out + system.undecided_ends() + system.undecided_systems() > 0 {
                dt { (page.say(&texts::LEFT_TO_PROOFS)) }
                dd { (texts::LEFT_UNDECIDED.with(page.count(system.left_out)).and(page.count(system.undecided_ends())).and(page.count(system.undecided_systems())).text(page.tongue)) }
            }
        }
    }
}

/// `GET /releases/calendar.ics`: what is due and what was published, for calendars.
pub async fn calendar(Seen(shared): Seen, uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    let page = Page::new(&shared, &uri, &headers)?;
    let library = &shared.library;
    let name = library.register.label.text(page.language);
    let mut events: Vec<(chrono::NaiveDate, String)> = library
        .releases
        .iter()
        .enumerate()
        .map(|(at, release)| (release.written.date_naive(), library.period_label(at, page.language).to_owned()))
        .collect();
    if let (Some(next), Some(newest)) = (library.next_update(), library.releases.last()) {
        events.push((next.date_naive(), words::period(newest.manifest.period.next(), page.tongue)));
    }
    let mut text = String::from("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//cacah//releases//EN\r\n");
    for (day, period) in events {
        // RFC 5545 asks that commas, semicolons and backslashes be escaped. Writing to a string cannot fail.
        let escaped = |text: &str| text.replace('\\', "\\\\").replace(',', "\\,").replace(';', "\\;");
        let day = day.format("%Y%m%d");
        let _ = write!(
            text,
            "BEGIN:VEVENT\r\nUID:{}-{}\r\nDTSTAMP:{day}T000000Z\r\nDTSTART;VALUE=DATE:{day}\r\nSUMMARY:{}: {}\r\nURL:{}/releases\r\nEND:VEVENT\r\n",
            period.replace(' ', "-"),
            library.register.id,
            escaped(name),
            escaped(&period),
            page.origin
        );
    }
    text.push_str("END:VCALENDAR\r\n");
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/calendar; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    Ok((headers, text).into_response())
}

/// `GET /method`
pub async fn method(Seen(shared): Seen, uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    respond(&shared, &uri, &headers, explain).await
}

async fn explain(page: Page) -> Result<Markup, Problem> {
    let shared = Arc::clone(&page.shared);
    let manifest = shared.library.releases.last().map(|release| &release.manifest);
    let threshold = manifest.map_or(5, |manifest| manifest.threshold);
    let contributors = manifest.and_then(|manifest| manifest.rule.as_ref()).map_or(1, |rule| rule.contributors);
    let title = page.say(&texts::METHOD);
    let register = &shared.library.register;
    let main = html! {
        h1 { (title) }
        p.lead { (page.say(&texts::METHOD_LEAD)) }
        div.panels {
            section.card.w6 { h2 { (page.say(&texts::METHOD_WHY)) } p { (texts::METHOD_WHY_TEXT.with(u64::from(threshold.saturating_sub(1))).text(page.tongue)) }
                @if contributors > 1 { p { (texts::METHOD_FEW.with(u64::from(contributors)).text(page.tongue)) } }
                p { (page.say(&texts::METHOD_SECOND)) } (example(&page)) p { (page.say(&texts::METHOD_EXAMPLE)) }
                h2 { (page.say(&texts::METHOD_MARKS)) }
                dl {
                    dt { "[c]" } dd { (page.say(&texts::MEANS_C)) }
                    dt { "[z]" } dd { (page.say(&texts::MEANS_Z)) }
                    dt { "[x]" } dd { (page.say(&texts::MEANS_X)) }
                }
            }
            section.card.w6 { h2 { (page.say(&texts::METHOD_PROOF)) } p { (page.say(&texts::METHOD_PROOF_TEXT)) } p { (page.say(&texts::METHOD_AUDIT)) } p { (page.say(&texts::METHOD_TRY)) }
                h2 { (page.say(&texts::METHOD_TOGETHER)) } p { (page.say(&texts::METHOD_TOGETHER_TEXT)) }
                h2 { (page.say(&texts::METHOD_LIMITS)) } p { (page.say(&texts::METHOD_LIMITS_TEXT)) }
            }
            section.card.w12 {
                h2 { (page.say(&texts::MEASURES)) }
                dl { @for measure in &register.measures { dt { (measure.label.text(page.language)) } dd { (measure.method.text(page.language)) } } }
            }
            section.card.w12 {
                h2 { (page.say(&texts::DEFINITIONS)) }
                dl {
                    @for dimension in shared.library.dimensions.iter() {
                        dt { (dimension.label.text(page.language)) }
                        dd {
                            @for (at, level) in dimension.levels.iter().enumerate().skip(1) {
                                @if at > 1 { " › " }
                                (level.label.text(page.language)) " (" (page.count(dimension.nodes.iter().filter(|node| usize::from(node.level) == at).count() as u64)) ")"
                            }
                        }
                    }
                }
            }
        }
    };
    Ok(frame(&page, title, Section::Releases, &main))
}

/// A table in which withholding one number would not do: made up, so that it tells of nobody.
fn example(page: &Page) -> Markup {
    let withheld = || html! { td.c { "[c]" } };
    let plain = |number: u64| html! { td { (page.count(number)) } };
    html! {
        table {
            caption { (page.say(&texts::EXAMPLE_CAPTION)) }
            thead { tr { th.stub scope="col" { (page.say(&texts::EXAMPLE_VILLAGE)) } th scope="col" { "A" } th scope="col" { "B" } th scope="col" { "C" } th scope="col" { (page.say(&texts::TOTAL)) } } }
            tbody {
                tr { th scope="row" { "1" } (withheld()) (withheld()) (plain(40)) (plain(61)) }
                tr { th scope="row" { "2" } (withheld()) (withheld()) (plain(25)) (plain(70)) }
                tr { th scope="row" { (page.say(&texts::TOTAL)) } (plain(31)) (plain(35)) (plain(65)) (plain(131)) }
            }
        }
    }
}
