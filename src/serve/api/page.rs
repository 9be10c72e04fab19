//! The description of the interface as a page for people. What programs read is where it comes from, so that both say the same.

use axum::http::Method;
use maud::{Markup, html};

use super::{
    Address, filled,
    operation::{AREAS, Kind, Parameter},
    parameters::of_address,
};
use crate::{
    serve::{
        Shared,
        portal::{Page, Section, frame::frame},
    },
    words::{self, Phrase, Tongue},
};

/// The whole page.
pub fn page(page: &Page, interface: &[Address]) -> Markup {
    let writer = Writer { shared: &page.shared, tongue: page.tongue, origin: &page.origin, language: page.lang() };
    let main = html! {
        div.api {
            h1 { (writer.say(&words::API_TITLE)) }
            p.lead { (writer.say(&words::API_ABOUT)) }
            p { a href={ "/api/openapi.json?lang=" (writer.language) } { (writer.say(&words::API_MACHINES)) } }
            nav aria-label=(writer.say(&words::API_TITLE)) { ul.chips { @for area in AREAS { li { a.button.small href={ "#" (area.id()) } { (writer.say(area.title())) } } } } }
            @for area in AREAS {
                section id=(area.id()) {
                    h2 { (writer.say(area.title())) }
                    @for address in interface.iter().filter(|address| address.operation.area == area) { (writer.address(address)) }
                }
            }
        }
    };
    frame(page, writer.say(&words::API_TITLE), Section::Interface, &main)
}

struct Writer<'a> {
    shared: &'a Shared,
    tongue: Tongue,
    origin: &'a str,
    language: &'a str,
}

impl Writer<'_> {
    fn say(&self, phrase: &Phrase) -> &'static str {
        phrase.text(self.tongue)
    }

    fn address(&self, address: &Address) -> Markup {
        let operation = address.operation;
        let behind = operation.query.iter().copied();
        let parameters: Vec<(&Parameter, &Phrase)> = of_address(&address.path)
            .into_iter()
            .map(|parameter| (parameter, &words::API_IN_ADDRESS))
            .chain(behind.map(|parameter| (parameter, &words::API_BEHIND)))
            .collect();
        html! {
            article.card {
                h3 { span class="method" { (address.method.as_str()) } " " code { (address.path) } }
                p { (self.say(&operation.summary)) "." @if let Some(detail) = &operation.detail { " " (coded(self.say(detail))) } }
                @if !parameters.is_empty() {
                    details {
                        summary { (self.say(&words::API_PARAMETER)) " (" (parameters.len()) ")" }
                        table.plain {
                            thead { tr {
                                th scope="col" { (self.say(&words::API_PARAMETER)) }
                                th scope="col" { (self.say(&words::API_WHERE)) }
                                th scope="col" { (self.say(&words::API_MEANING)) }
                            } }
                            tbody { @for (parameter, place) in parameters { tr {
                                th scope="row" { code { (parameter.name) @if matches!(parameter.kind, Kind::ByVariable) { "[" i { "Variable" } "]" } } }
                                td { (self.say(place)) }
                                td { (coded(self.say(&parameter.text))) (self.choices(parameter.kind)) }
                            } } }
                        }
                    }
                }
                @if operation.body.is_some() { p { (self.say(&words::API_BODY)) ":" } pre tabindex="0" { code { (filled(self.shared, operation.body_example)) } } }
                @if let Some(example) = self.example(address) {
                    p { (self.say(&words::API_TRY)) ": " a href=(example) { code { (example) } } }
                }
            }
        }
    }

    /// The values that there are to choose from.
    fn choices(&self, kind: Kind) -> Markup {
        let values = match kind {
            // Whoever writes keys knows dataflows from the list of tables.
            Kind::Flow => Vec::new(),
            kind => kind.values(self.shared),
        };
        html! { @for value in values { " " code { (value) } } }
    }

    /// An address that leads somewhere: one without anything to fill in but tables, queries and the like.
    fn example(&self, address: &Address) -> Option<String> {
        if address.method != Method::GET {
            return None;
        }
        let mut path = address.path.clone();
        for parameter in of_address(&address.path) {
            let value = match parameter.kind {
                // A query that needs nothing can be tried as it is.
                Kind::Query => {
                    self.shared.sql.queries().iter().find(|query| !query.parameters.iter().any(|one| one.required()))?.name.clone()
                }
                // Dataflows are where clients begin.
                Kind::Resource => "dataflow".to_owned(),
                // Every chart can be drawn of some table, bars of any.
                Kind::Chart => "bars.svg".to_owned(),
                Kind::Text if parameter.name != "id" || path.starts_with("/sdmx") => "all".to_owned(),
                kind => kind.values(self.shared).into_iter().next()?,
            };
            path = path.replace(&format!("{{{}}}", parameter.name), &value);
        }
        let mark = if address.operation.query.is_empty() { String::new() } else { format!("?lang={}", self.language) };
        let more = if address.operation.example.is_empty() {
            String::new()
        } else {
            format!("&{}", filled(self.shared, address.operation.example))
        };
        Some(format!("{}{path}{mark}{more}", self.origin))
    }
}

/// Text in which what stands between backquotes is code.
fn coded(text: &str) -> Markup {
    html! { @for (at, part) in text.split('`').enumerate() { @if at % 2 == 1 { code { (part) } } @else { (part) } } }
}
