//! What stands around every page.

use maud::{DOCTYPE, Markup, html};

use super::{Page, admin, assets, texts};
use crate::{access::Role, tables::listed, words};

/// The media type of pages.
pub const MEDIA: &str = "text/html; charset=utf-8";

/// The part of the portal to which a page belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    None,
    Home,
    Tables,
    Regions,
    Dashboards,
    Queries,
    Releases,
    Interface,
}

/// A whole page.
pub fn frame(page: &Page, title: &str, section: Section, main: &Markup) -> Markup {
    let library = &page.shared.library;
    let register = &library.register;
    let name = register.label.text(page.language);
    let sections = [
        (Section::Tables, "/tables", &texts::TABLES),
        (Section::Regions, "/compare", &texts::REGIONS),
        (Section::Dashboards, "/dashboards", &texts::DASHBOARDS),
        (Section::Queries, "/queries", &texts::QUERIES),
        (Section::Releases, "/releases", &texts::RELEASES),
        (Section::Interface, "/api", &texts::INTERFACE),
    ];
    // The entry's own page, or one that belongs to it.
    let current = |own: Section, path: &str| (own == section).then_some(if page.path == path { "page" } else { "true" });
    html! {
        (DOCTYPE)
        html lang=(page.lang()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) @if section != Section::Home { " · " (name) } }
                link rel="stylesheet" href=(assets::versioned("portal.css"));
                link rel="icon" href=(assets::versioned("icon.svg")) type="image/svg+xml";
                script src=(assets::versioned("theme.js")) {}
                script type="module" src=(assets::versioned("portal.js")) {}
            }
            body {
                a.skip href="#main" { (page.say(&texts::SKIP)) }
                header.top {
                    div.bar {
                        a.brand href=(page.link("/", &[])) aria-current=[(section == Section::Home).then_some("page")] { (mark()) (name) }
                        nav aria-label=(page.say(&texts::NAVIGATION)) {
                            ul {
                                @for (own, path, label) in sections {
                                    li { a href=(page.link(path, &[])) aria-current=[current(own, path)] { (page.say(label)) } }
                                }
                            }
                        }
                        div.tools {
                            @for other in register.languages.iter().filter(|other| other.id != page.lang()) {
                                a href=(page.here(&[("lang", Some(&other.id))])) lang=(other.id) hreflang=(other.id) data-lang=(other.id) { (other.label) }
                            }
                            @if page.shared.access.is_some() {
                                @match page.shared.audience.role {
                                    Some(Role::Administrator) => { a href=(page.link("/admin", &[])) { (page.say(&admin::texts::ADMIN)) } },
                                    Some(Role::Reporter) => { a href=(page.link("/usage", &[])) { (page.say(&admin::texts::USAGE)) } },
                                    Some(Role::Reader) | None => {},
                                }
                                @if page.shared.audience.role.is_some() { a href=(page.link("/account", &[])) { (page.say(&texts::ACCOUNT)) } }
                                @else { a href=(page.link("/sign-in", &[])) { (page.say(&texts::SIGN_IN)) } }
                            }
                            button type="button" id="theme" { (page.say(&texts::THEME)) }
                        }
                    }
                }
                @if let Some(other) = &page.shared.audience.sees_as {
                    aside.seeing-as aria-label=(page.say(&admin::texts::SEE_AS)) { (admin::texts::SEEING_AS.with(other.as_str()).text(page.tongue)) " " a href=(page.link("/admin/see-as", &[])) { (page.say(&admin::texts::SEE_AS_SELF)) } }
                }
                main id="main" tabindex="-1" {
                    @for note in withdrawn_notes(page) { div.alert role="alert" { p { (sentence(&note)) } } }
                    (main)
                }
                footer {
                    div.inner {
                        span { (words::SOURCE.text(page.tongue)) ": " (register.source.text(page.language)) }
                        @if let Some(contact) = &register.contact {
                            span { (contact.name) " · " a href={ "mailto:" (contact.mail) } { (contact.mail) } }
                        }
                        span { a href=(register.license) rel="license" { (words::LICENCE.text(page.tongue)) } }
                        span { a href=(page.link("/method", &[])) aria-current=[(page.path == "/method").then_some("page")] { (page.say(&texts::METHOD)) } }
                    }
                }
                div.visually-hidden id="live" aria-live="polite" {}
                div id="texts" hidden data-dark=(page.say(&texts::THEME_DARK)) data-light=(page.say(&texts::THEME_LIGHT))
                    data-cells=(page.say(&texts::CELLS)) data-counted=(page.say(&texts::COUNTED)) data-copied=(page.say(&texts::COPIED))
                    data-suggestions=(page.say(&texts::SUGGESTIONS)) {}
            }
        }
    }
}

/// What the address of a page names that was withdrawn: a link to it may be older than the withdrawal.
fn withdrawn_notes(page: &Page) -> Vec<String> {
    let library = &page.shared.library;
    // The explorer says so of its selection, where it says what else is wrong with it.
    if library.withdrawn.is_empty() || page.path.starts_with("/tables/") {
        return Vec::new();
    }
    let named = page.parameters.pairs().flat_map(|(_, value)| listed(value)).filter_map(|code| library.withdrawn_period(&code));
    let mut notes: Vec<String> = named.map(|note| note.text(page.tongue)).collect();
    notes.sort_unstable();
    notes.dedup();
    notes
}

/// The mark of the portal: bars of a population pyramid.
fn mark() -> Markup {
    html! {
        svg width="26" height="26" viewBox="0 0 26 26" aria-hidden="true" focusable="false" {
            g fill="currentColor" {
                rect x="9" y="2" width="8" height="4" rx="1" {}
                rect x="6" y="8" width="14" height="4" rx="1" {}
                rect x="3" y="14" width="20" height="4" rx="1" {}
                rect x="1" y="20" width="24" height="4" rx="1" opacity=".75" {}
            }
        }
    }
}

/// The way to a page, or up from a region.
pub fn crumbs(label: &str, way: &[(String, String)]) -> Markup {
    html! {
        nav.crumbs aria-label=(label) {
            ol { @for (label, href) in way { li { a href=(href) { (label) } } } }
        }
    }
}

/// A text as a sentence: with a capital at its beginning and a full stop.
pub fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let text: String = chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect());
    if text.ends_with(['.', '!', '?']) { text } else { format!("{text}.") }
}
