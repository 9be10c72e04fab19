//! What was published when, how far it can be trusted, and how people are protected in it.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    http::{HeaderMap, HeaderValue, Uri, header},
    response::{IntoResponse, Response},
};
use chrono::{Days, NaiveDate, Utc};
use maud::{Markup, html};

use super::{Page, Section, frame::frame, respond, respond_as_of, texts};
use crate::{
    formats::written,
    register::Period,
    release::{AuditReport, Edition, Superseded, Withdrawal, Withdrawn},
    serve::{noted::Recorded, problem::Problem, seen::Seen},
    words::{self, Phrase, Tongue},
};

/// By what anybody can attack what is published.
const ATTACK: &str = "cacah attack";

/// `GET /releases`
pub async fn releases(Seen(shared): Seen, uri: Uri, headers: HeaderMap) -> Result<Recorded<Response>, Problem> {
    // What is overdue is so from some day on.
    let today = Utc::now().date_naive();
    respond_as_of(&shared, &uri, &headers, &today.to_string(), |page| make(page, today)).await
}

async fn make(page: Page, today: NaiveDate) -> Result<Markup, Problem> {
    let shared = Arc::clone(&page.shared);
    let library = &shared.library;
    let title = page.say(&texts::RELEASES);
    let main = html! {
        h1 { (title) }
        p.lead { (page.say(&texts::RELEASES_LEAD)) " " a href=(page.link("/method", &[])) { (page.say(&texts::METHOD)) } }
        section {
            h2 id="calendar" { (page.say(&texts::CALENDAR)) }
            (timetable(&page, today))
            ul.actions { li { a href=(page.link("/releases/calendar.ics", &[])) { (page.say(&texts::AS_CALENDAR)) } } }
        }
        @for withdrawn in library.withdrawn.iter().rev() {
            section.card id={ "withdrawn-" (withdrawn.withdrawal.period) } {
                h2 { (words::period(withdrawn.withdrawal.period, page.tongue)) }
                div.alert role="note" { p { (page.say(if withdrawn.superseded.is_empty() { &texts::WITHDRAWN_FIRST } else { &texts::WITHDRAWN_PERIOD })) } }
                (revisions(&page, &words::period(withdrawn.withdrawal.period, page.tongue), withdrawn.withdrawal.period, &revisions_of_withdrawn(withdrawn)))
            }
        }
        @for (at, release) in library.releases.iter().enumerate().rev() {
            section.card id={ "r" (at) } {
                h2 { (library.period_label(at, page.language)) }
                (revisions(&page, library.period_label(at, page.language), release.manifest.period, &revisions_of(release)))
                ul.facts {
                    li { (page.say(&texts::VINTAGE)) ": " (release.manifest.vintage) }
                    li { (page.say(&texts::TABLES)) ": " (release.manifest.tables.len()) }
                }
                div.beside {
                    div { h3 { (page.say(&texts::QUALITY)) } (quality(&page, at)) }
                    @match &release.audit {
                        Some(audit) => {
                            div { h3 { (page.say(&texts::CONFIDENTIALITY)) } (protected(&page, release, audit)) }
                            div { h3 { (page.say(&texts::CHECKED)) } (checks(&page, audit)) }
                        },
                        None => { div { h3 { (page.say(&texts::CONFIDENTIALITY)) } p.muted { (page.say(&texts::NOT_TOLD)) } } },
                    }
                }
            }
        }
    };
    Ok(frame(&page, title, Section::Releases, &main))
}

/// What is due, what was published, and how long after it was due.
fn timetable(page: &Page, today: NaiveDate) -> Markup {
    let library = &page.shared.library;
    html! {
        div.scroll tabindex="0" role="region" aria-label=(page.say(&texts::CALENDAR)) {
            table.plain {
                caption.visually-hidden { (page.say(&texts::CALENDAR)) }
                thead { tr {
                    th scope="col" { (words::PERIODS.text(page.tongue)) }
                    th scope="col" { (page.say(&texts::REFERENCE_DAY)) }
                    th scope="col" { (page.say(&texts::PLANNED)) }
                    th scope="col" { (page.say(&texts::PUBLISHED_ON)) }
                    th scope="col" { (page.say(&texts::REVISION)) }
                } }
                tbody {
                    @if let (Some(next), Some(newest)) = (library.next_update(), library.releases.last()) {
                        @let period = newest.manifest.period.next();
                        @let due = next.date_naive();
                        tr {
                            th scope="row" { (words::period(period, page.tongue)) }
                            td.nowrap { (words::day(period.reference_date(), page.tongue)) }
                            td.nowrap { (words::day(due, page.tongue)) }
                            td.nowrap {
                                (page.say(&texts::NOT_YET))
                                @if let Some(days) = days_after(due, today) { div.late { (counted(page, &texts::OVERDUE_ONE, &texts::OVERDUE, days)) } }
                            }
                            td { "–" }
                        }
                    }
                    @for (at, release) in library.releases.iter().enumerate().rev() {
                        @let published = release.written.date_naive();
                        @let planned = planned(release);
                        @let first = release.superseded.first().map_or(published, |first| first.written.date_naive());
                        @let late = planned.and_then(|planned| days_after(planned, first));
                        tr {
                            th scope="row" { a href={ "#r" (at) } { (library.period_label(at, page.language)) } }
                            td.nowrap { (words::day(release.manifest.period.reference_date(), page.tongue)) }
                            td.nowrap { @if let Some(planned) = planned { (words::day(planned, page.tongue)) } @else { "–" } }
                            td.nowrap {
                                (words::day(first, page.tongue))
                                @if let Some(days) = late { div.muted { (counted(page, &texts::LATE_ONE, &texts::LATE, days)) } }
                            }
                            td.nowrap { (release.manifest.revision) @if release.manifest.revision > 1 { div.muted { (words::day(published, page.tongue)) } } }
                        }
                    }
                }
            }
        }
    }
}

/// The day for which the first publication of a release's period was planned.
fn planned(release: &Edition) -> Option<NaiveDate> {
    let manifest = &release.manifest;
    manifest.period.reference_date().checked_add_days(Days::new(u64::from(manifest.register.publication_days?)))
}

/// By how many days a day comes after another, if it does.
fn days_after(planned: NaiveDate, day: NaiveDate) -> Option<u64> {
    u64::try_from(day.signed_duration_since(planned).num_days()).ok().filter(|days| *days > 0)
}

/// A phrase about one day or about several.
fn counted(page: &Page, one: &'static Phrase, several: &'static Phrase, days: u64) -> String {
    if days == 1 { page.say(one).to_owned() } else { several.with(page.count(days)).text(page.tongue) }
}

/// A revision of a period.
struct Revision<'a> {
    number: u32,
    published: NaiveDate,
    correction: Option<&'a str>,
    sha256: &'a str,
    /// Whether it is the one that is served.
    in_force: bool,
    withdrawal: Option<&'a Withdrawal>,
}

/// Revisions that others have superseded, the newest first.
fn superseded(earlier: &[Superseded]) -> impl Iterator<Item = Revision<'_>> {
    earlier.iter().rev().map(|earlier| Revision {
        number: earlier.revision,
        published: earlier.written.date_naive(),
        correction: earlier.correction.as_deref(),
        sha256: &earlier.sha256,
        in_force: false,
        withdrawal: earlier.withdrawal.as_ref(),
    })
}

/// Every revision of a period of which none is in force, the newest first.
fn revisions_of_withdrawn(withdrawn: &Withdrawn) -> Vec<Revision<'_>> {
    let newest = Revision {
        number: withdrawn.withdrawal.revision,
        published: withdrawn.written.date_naive(),
        correction: withdrawn.correction.as_deref(),
        sha256: &withdrawn.withdrawal.manifest,
        in_force: false,
        withdrawal: Some(&withdrawn.withdrawal),
    };
    std::iter::once(newest).chain(superseded(&withdrawn.superseded)).collect()
}

/// Every revision of a release's period, the newest first.
fn revisions_of(release: &Edition) -> Vec<Revision<'_>> {
    let newest = Revision {
        number: release.manifest.revision,
        published: release.written.date_naive(),
        correction: release.manifest.correction.as_deref(),
        sha256: &release.sha256,
        in_force: true,
        withdrawal: None,
    };
    std::iter::once(newest).chain(superseded(&release.superseded)).collect()
}

/// The revisions of a period as a table; `label` is what the period is called.
fn revisions(page: &Page, label: &str, period: Period, revisions: &[Revision<'_>]) -> Markup {
    let name = format!("{}: {label}", page.say(&texts::REVISIONS));
    html! {
        div.scroll tabindex="0" role="region" aria-label=(name) {
            table.plain {
                caption.visually-hidden { (name) }
                thead { tr {
                    th scope="col" { (page.say(&texts::REVISION)) }
                    th scope="col" { (page.say(&texts::FORCE)) }
                    th scope="col" { (page.say(&texts::PUBLISHED_ON)) }
                    th scope="col" { (page.say(&texts::CORRECTION_REASON)) }
                    th scope="col" { (page.say(&texts::DIGEST)) }
                } }
                tbody {
                    @for revision in revisions {
                        tr {
                            th scope="row" { (revision.number) " " code.nowrap { (period) "/r" (revision.number) } }
                            td {
                                @if revision.in_force { strong { (page.say(&texts::IN_FORCE)) } }
                                @else if let Some(withdrawal) = revision.withdrawal {
                                    strong { (texts::WITHDRAWN_ON.with(day(withdrawal, page.tongue)).text(page.tongue)) } ": "
                                    q lang="" dir="auto" { (withdrawal.reason(page.tongue)) }
                                }
                                @else { (texts::SUPERSEDED.with(u64::from(revision.number) + 1).text(page.tongue)) }
                            }
                            td.nowrap { (words::day(revision.published, page.tongue)) }
                            td.long {
                                // In what language the operator wrote nobody has told us.
                                @if let Some(reason) = revision.correction { q lang="" dir="auto" { (reason) } }
                                @else if revision.number == 1 { (page.say(&texts::FIRST_PUBLICATION)) }
                                @else { "–" }
                            }
                            td.long { code { (revision.sha256) } }
                        }
                    }
                }
            }
        }
    }
}

/// The day of a withdrawal for people.
fn day(withdrawal: &Withdrawal, tongue: Tongue) -> String {
    withdrawal.day().map_or_else(|| withdrawal.date.clone(), |day| words::day(day, tongue))
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
    html! {
        (protected(page, release, audit))
        dl.tall { dt { (page.say(&texts::CHECKED)) } dd { (checks(page, audit)) } }
    }
}

/// How much of a release is withheld, and what an attack on it came to.
fn protected(page: &Page, release: &Edition, audit: &AuditReport) -> Markup {
    let system = &audit.system;
    let share = if audit.cells > 0 { (audit.suppressed as f64 / audit.cells as f64 * 1000.0).round() as i64 } else { 0 };
    let file = format!("{}/audit.json", release.folder);
    html! {
        p { (texts::WITHHELD.with(page.count(audit.suppressed)).and(page.count(audit.cells)).and(written(share, 1, page.tongue)).text(page.tongue)) }
        dl.tall {
            dt { (page.say(&texts::SMALL_COUNTS)) } dd.nowrap { "1–" (release.manifest.threshold.saturating_sub(1)) }
            dt { (page.say(&texts::FAULTS)) } dd { (page.say(&texts::NO_FAULTS)) }
            // Reports of early versions do not tell of the attack.
            @if system.revisions > 0 {
                dt { (page.say(&texts::ATTACKED)) }
                dd {
                    @if system.revisions > 1 { (texts::ATTACKED_TOGETHER.with(page.count(system.revisions)).text(page.tongue)) " " }
                    (page.say(&texts::ATTACK_FOUND)) " " code.nowrap { (ATTACK) } "."
                    @if system.left_out + system.undecided_ends() + system.undecided_systems() > 0 { " " (page.say(&texts::ATTACK_LEFT)) }
                    " " (texts::ATTACK_FILE.with(file).text(page.tongue))
                }
            }
        }
    }
}

/// What was checked before a release was published.
fn checks(page: &Page, audit: &AuditReport) -> Markup {
    html! { ul { @for check in &audit.checked { li { (texts::of_check(check).map_or(check.as_str(), |phrase| page.say(phrase))) } } } }
}

/// `GET /releases/calendar.ics`: what is due and what was published, for calendars.
pub async fn calendar(Seen(shared): Seen, uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    let page = Page::new(&shared, &uri, &headers)?;
    let library = &shared.library;
    let name = library.register.label.text(page.language);
    let mut events: Vec<(NaiveDate, String)> = library
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
pub async fn method(Seen(shared): Seen, uri: Uri, headers: HeaderMap) -> Result<Recorded<Response>, Problem> {
    respond(&shared, &uri, &headers, explain).await
}

async fn explain(page: Page) -> Result<Markup, Problem> {
    let shared = Arc::clone(&page.shared);
    let title = page.say(&texts::METHOD);
    let register = &shared.library.register;
    let manifest = shared.library.releases.last().map(|release| &release.manifest);
    let rule = manifest.and_then(|manifest| manifest.rule.as_ref());
    // The largest count that is small.
    let largest = manifest.map_or(4, |manifest| manifest.threshold.saturating_sub(1));
    let (low, high) = rule.map_or((1, largest), |rule| (rule.low(), rule.high()));
    let range = if low == 0 { &texts::METHOD_RANGE_BEYOND } else { &texts::METHOD_RANGE };
    let contributors = rule.map_or(1, |rule| rule.contributors);
    let group = rule.and_then(|rule| rule.group.as_ref());
    let sensitive: Vec<&str> = group.map_or_else(Vec::new, |group| {
        let known = shared.library.dimensions.iter().filter(|dimension| group.dimensions.contains(&dimension.id));
        known.map(|dimension| dimension.label.text(page.language)).collect()
    });
    let below = group.filter(|_| !sensitive.is_empty()).map(|group| group.below);
    // What the example withholds: one small count in a corner, and what follows from it and the sums around it.
    let small = u64::from(largest.clamp(1, 3));
    let withheld = texts::METHOD_EXAMPLE.with(small).and(21 - small).and(31 - small).and(14 + small);
    let main = html! {
        h1 { (title) }
        p.lead { (page.say(&texts::METHOD_LEAD)) " " a href="#limits" { (page.say(&texts::METHOD_LEAD_LIMITS)) } "." }
        div.panels {
            section.card.w6 { h2 { (page.say(&texts::METHOD_WHY)) } p { (texts::METHOD_WHY_TEXT.with(u64::from(largest)).text(page.tongue)) }
                p { (page.say(&texts::METHOD_SECOND)) } (example(&page)) p { (withheld.text(page.tongue)) }
                h2 { (page.say(&texts::METHOD_MARKS)) }
                dl {
                    dt { "[c]" } dd { (page.say(&texts::MEANS_C)) }
                    dt { "[z]" } dd { (page.say(&texts::MEANS_Z)) }
                    dt { "[x]" } dd { (page.say(&texts::MEANS_X)) }
                }
            }
            section.card.w6 { h2 { (page.say(&texts::METHOD_PROMISE)) }
                ul {
                    li { (range.with(u64::from(low)).and(u64::from(high)).text(page.tongue)) }
                    @if contributors > 1 { li { (texts::METHOD_FEW.with(u64::from(contributors)).and(u64::from(largest)).text(page.tongue)) } }
                    @if let Some(below) = below { li { (texts::METHOD_GROUP.with(sensitive.join(", ")).and(u64::from(below)).text(page.tongue)) } }
                }
                h2 { (page.say(&texts::METHOD_PROOF)) } p { (texts::METHOD_PROOF_TEXT.with(u64::from(low)).and(u64::from(high)).text(page.tongue)) } p { (page.say(&texts::METHOD_AUDIT)) }
                p { (page.say(&texts::METHOD_TRY)) " " code.nowrap { (ATTACK) } " " (page.say(&texts::METHOD_TRY_DOES)) }
                h2 { (page.say(&texts::METHOD_TOGETHER)) } p { (page.say(&texts::METHOD_TOGETHER_TEXT)) }
                h2 { (page.say(&texts::METHOD_CORRECTIONS)) } p { (page.say(&texts::METHOD_CORRECTIONS_TEXT)) }
            }
            section.card.w12 {
                h2 id="limits" { (page.say(&texts::METHOD_LIMITS)) }
                ul.columns {
                    @for limit in texts::LIMITS { li { (page.say(limit)) } }
                    @if contributors > 1 { @for limit in texts::LIMITS_OF_HOUSEHOLDS { li { (page.say(limit)) } } }
                }
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
    Ok(frame(&page, title, Section::None, &main))
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
