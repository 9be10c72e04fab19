//! Ways to take data away: formats, addresses, lines of code.

use maud::{Markup, html};

use super::{Page, address, texts};
use crate::{
    charts::ChartKind,
    formats,
    tables::{Query, Request},
};

/// Formats of tables with their options, and what they are called.
const FORMATS: [(&str, &str, &str); 9] = [
    ("xlsx", "", "Excel (XLSX)"),
    ("csv", "UseTexts,IncludeBom,SeparatorSemicolon", "CSV ;"),
    ("csv", "UseTexts", "CSV ,"),
    ("csv", "UseCodesAndTexts", "CSV , (+ kode/code)"),
    ("px", "", "PX"),
    ("json-stat2", "", "JSON-stat 2.0"),
    ("parquet", "UseCodesAndTexts", "Parquet"),
    ("arrow", "UseCodesAndTexts", "Arrow"),
    ("html", "", "HTML"),
];

/// The address of a query's numbers in a format, in the reader's language; `None` where it would be too long.
pub fn of_query(page: &Page, query: &Query, format: &str) -> Option<String> {
    // Addresses on pages begin at the root, whatever the reader calls us.
    let options = if format == "csv" { "&outputFormatParams=UseCodesAndTexts" } else { "" };
    formats::address(&page.context(), query, format)
        .map(|address| format!("{}{options}", address.strip_prefix(&page.origin).unwrap_or(&address)))
}

/// The address of a request's numbers.
fn data_address(page: &Page, table: &str, what: &str, request: &Request, format: &str, options: &str) -> String {
    let pairs = request.pairs();
    let pairs = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let how = [("outputFormat", format), ("outputFormatParams", options)].into_iter().filter(|(_, value)| !value.is_empty());
    address(&format!("/api/v2/tables/{table}/{what}"), std::iter::once(("lang", page.lang())).chain(pairs).chain(how))
}

/// The address of a named query's rows.
pub fn rows_address(page: &Page, name: &str, pairs: &[(String, String)], format: &str) -> String {
    let pairs = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    address(&format!("/api/v2/queries/{name}/data"), std::iter::once(("lang", page.lang())).chain(pairs).chain([("outputFormat", format)]))
}

/// The menu of downloads of a table; sizes are filled in when it is opened.
pub fn menu(page: &Page, table: &str, request: &Request, picture: Option<(ChartKind, &[(String, String)])>) -> Markup {
    html! {
        details.menu id="downloads" {
            summary { (page.say(&texts::DOWNLOAD)) }
            div.card {
                table.plain {
                    caption.visually-hidden { (page.say(&texts::DOWNLOAD)) }
                    thead { tr { th scope="col" { (page.say(&texts::FORMAT)) } th.n scope="col" { (page.say(&texts::SIZE)) } } }
                    tbody {
                        @if let Some((kind, pairs)) = picture {
                            @for format in ["svg", "png", "pdf"] {
                                tr {
                                    th scope="row" { a href=(super::panels::chart_address(page, kind, format, pairs, "print", 960)) download { (page.say(texts::of_chart(kind))) " (" (format.to_uppercase()) ")" } }
                                    td.n { "–" }
                                }
                            }
                        }
                        @for (format, options, label) in FORMATS {
                            tr {
                                th scope="row" { a href=(data_address(page, table, "data", request, format, options)) download { (label) } }
                                td.n data-size=(data_address(page, table, "estimate", request, format, options)) { "–" }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Lines by which programs ask for the same numbers.
pub fn snippets(page: &Page, table: &str, request: &Request) -> Markup {
    let csv = format!("{}{}", page.origin, data_address(page, table, "data", request, "csv", "UseTexts"));
    let json = format!("{}{}", page.origin, data_address(page, table, "data", request, "json-stat2", ""));
    let lines = [
        ("curl", format!("curl -g \"{csv}\" -o {table}.csv")),
        ("Python", format!("import pandas as pd\n\ndata = pd.read_csv(\"{csv}\")")),
        ("Python (pyjstat)", format!("from pyjstat import pyjstat\n\ndata = pyjstat.Dataset.read(\"{json}\").write(\"dataframe\")")),
        ("R", format!("data <- read.csv(\"{csv}\")")),
        (
            "Excel (Power Query)",
            format!(
                "let\n    Source = Csv.Document(Web.Contents(\"{csv}\"), [Delimiter=\",\", Encoding=65001]),\n    Data = Table.PromoteHeaders(Source)\nin\n    Data"
            ),
        ),
    ];
    html! {
        @for (at, (name, line)) in lines.iter().enumerate() {
            details {
                summary { (name) }
                pre tabindex="0" { code id={ "code-" (at) } { (line) } }
                button.small type="button" data-copy={ "code-" (at) } { (page.say(&texts::COPY)) span.visually-hidden { " – " (name) } }
            }
        }
    }
}
