//! The portal: pages for people, read as a browser without scripts reads them.

mod dashboards;
mod pages;
mod tables;

use std::sync::OnceLock;

use cacah::{register::FileSources, serve::ServeSettings};

use super::{
    Service,
    client::{Reply, request},
    serving, settings, sql,
};

/// A dashboard with a panel of every kind.
pub const EVERYTHING: &str = r#"
title = { id = "Semua & lain", en = "Everything & more" }
description = { id = "Satu dari setiap jenis", en = "One of every kind" }
audience = { id = "Semua orang", en = "Everyone" }

[[filter]]
name = "region"
label = { id = "Wilayah", en = "Region" }
kind = "region"
default = "first"

[[filter]]
name = "period"
label = { id = "Periode", en = "Period" }
kind = "period"
default = "newest"

[[panel]]
show = "number"
title = { id = "Penduduk", en = "People" }
table = "people"
select = { Region = "$region", Tid = "$period" }
change = true

[[panel]]
show = "number"
title = { id = "Rasio", en = "Ratio" }
table = "people"
select = { Region = "$region", Tid = "$period", ContentsCode = "sex-ratio" }

[[panel]]
show = "chart"
chart = "pyramid"
table = "people"
select = { Region = "$region", Tid = "$period" }
options = { compare = "Region:$region.parent" }
title = { id = "Piramida", en = "Pyramid" }
note = { id = "Catatan piramida", en = "A note on the pyramid" }

[[panel]]
show = "chart"
chart = "bars"
query = "people"
parameters = { period = "$period" }

[[panel]]
show = "table"
table = "people"
select = { Region = "$region,children($region)", Age = "*", Tid = "$period" }
codelist = { Age = "agg_age_halves" }
stub = ["Region"]
title = { id = "Paruh", en = "Halves" }

[[panel]]
show = "table"
query = "people"
parameters = { period = "$period.before" }

[[panel]]
show = "quality"
[[panel]]
show = "audit"

[[panel]]
show = "text"
text = [{ id = "Paragraf <satu>", en = "Paragraph <one>" }]
"#;

/// What pages of their own show: the same panels at another place.
fn at(place: &str) -> String {
    EVERYTHING.replace("[[filter]]\nname = \"region\"", &format!("place = \"{place}\"\n\n[[filter]]\nname = \"region\""))
}

pub fn files(files: &[(&str, &str)]) -> FileSources {
    FileSources::Given(files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect())
}

/// A service with queries and dashboards that fit its register.
pub fn portal() -> &'static Service {
    static PORTAL: OnceLock<Service> = OnceLock::new();
    PORTAL.get_or_init(|| {
        let (home, profile, comparison) = (at("home"), at("profile"), at("comparison"));
        let dashboards =
            files(&[("everything.toml", EVERYTHING), ("home.toml", &home), ("profile.toml", &profile), ("comparison.toml", &comparison)]);
        serving(&ServeSettings { queries: sql::shared_queries(), dashboards, ..settings() })
    })
}

/// Asks as a browser asks for a page.
pub fn page(path: &str) -> Reply {
    request(portal().address, "GET", path, &[("accept", "text/html,application/xhtml+xml,*/*;q=0.8")], b"")
}

/// What a page says to people: its text without markup, spaces as one.
pub fn said(reply: &Reply) -> String {
    let mut text = String::new();
    for (at, part) in reply.text().split('<').enumerate() {
        let words = if at == 0 { part } else { part.split_once('>').map_or("", |(_, words)| words) };
        text.push_str(words);
        text.push(' ');
    }
    unescaped(&text).split_whitespace().collect::<Vec<_>>().join(" ")
}

pub fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// Addresses that a page leads to, by the attribute that holds them.
pub fn addresses(reply: &Reply, attribute: &str) -> Vec<String> {
    reply.text().split(&format!(" {attribute}=\"")).skip(1).map(|rest| unescaped(rest.split('"').next().unwrap())).collect()
}

/// The rows of the first table of a page with a caption: for each row the texts of its cells, heads that span several rows repeated.
pub fn rows(reply: &Reply) -> Vec<Vec<String>> {
    let table = reply.text().split("<tbody>").nth(1).and_then(|rest| rest.split("</tbody>").next()).expect("the page has a table");
    let mut rows = Vec::new();
    // Heads that reach into the rows below: how many rows are left, and the text.
    let mut reaching: Vec<(usize, String)> = Vec::new();
    for row in table.split("<tr>").skip(1) {
        let mut cells: Vec<String> = Vec::new();
        let mut next: Vec<(usize, String)> =
            reaching.iter().filter(|(left, _)| *left > 0).map(|(left, text)| (left - 1, text.clone())).collect();
        cells.extend(next.iter().map(|(_, text)| text.clone()));
        for cell in row.split("<t").skip(1) {
            let (tag, rest) = cell.split_once('>').unwrap();
            let text = rest.split("</t").next().unwrap();
            let text: String = text
                .split('<')
                .enumerate()
                .map(|(at, part)| if at == 0 { part } else { part.split_once('>').map_or("", |(_, words)| words) })
                .collect();
            let span =
                tag.split("rowspan=\"").nth(1).and_then(|rest| rest.split('"').next()).map_or(1, |span| span.parse::<usize>().unwrap());
            if span > 1 {
                next.push((span - 1, unescaped(&text)));
            }
            cells.push(unescaped(text.trim()));
        }
        reaching = next;
        rows.push(cells);
    }
    rows
}
