//! Reading a dashboard from its file.
//!
//! ```text
//! title = { id = "...", en = "..." }
//!
//! [[filter]]                              as parameters of named queries
//! name = "region"
//! kind = "region"
//! default = "first"
//!
//! [[panel]]
//! show = "number"                         number, chart, table, quality, audit, text
//! table = "population"                    or: query = "bank-market", parameters = { region = "$region" }
//! select = { Region = "$region", Age = "Y15T64", ContentsCode = "share-age" }
//! ```
//!
//! What is not selected is taken at its total, the period is the newest and the contents are counts.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::{Asked, Dashboard, Given, Panel, Place, Show, Source};
use crate::{
    charts::{CHART_KINDS, ChartKind},
    register::{DefinitionError, Label},
    sql::{Header, Parameter, ParameterFile, Sql, Texts},
    tables::{CONTENTS, Library, TIME, fingerprint, listed},
    words::Tongue,
};

/// Ending of files that hold dashboards.
pub const ENDING: &str = ".toml";

/// Columns of a wide page.
const COLUMNS: u8 = 12;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DashboardFile {
    title: Texts,
    description: Texts,
    audience: Texts,
    #[serde(default)]
    place: Place,
    #[serde(default)]
    filter: Vec<ParameterFile>,
    panel: Vec<PanelFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PanelFile {
    show: Spanned<Kind>,
    title: Option<Texts>,
    note: Option<Texts>,
    width: Option<Spanned<u8>>,
    table: Option<Spanned<String>>,
    #[serde(default)]
    select: BTreeMap<String, Values>,
    #[serde(default)]
    codelist: BTreeMap<String, String>,
    #[serde(default)]
    heading: Vec<String>,
    #[serde(default)]
    stub: Vec<String>,
    query: Option<Spanned<String>>,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
    chart: Option<Spanned<String>>,
    #[serde(default)]
    options: BTreeMap<String, String>,
    #[serde(default)]
    change: bool,
    #[serde(default)]
    text: Vec<Texts>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Number,
    Chart,
    Table,
    Quality,
    Audit,
    Text,
}

/// Codes and expressions: as in an address, or one by one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Values {
    Text(String),
    List(Vec<String>),
}

/// Reads a dashboard and tries its panels. Those that do not fit are faults if it is `strict`, else left out.
pub fn read(file: &str, text: &str, strict: bool, library: &Library, sql: &Sql) -> Result<Dashboard, DefinitionError> {
    let header = Header::plain(file, text, &library.register.languages);
    let parsed: DashboardFile = header.parse()?;
    let mut filters: Vec<Parameter> = Vec::new();
    for filter in &parsed.filter {
        if filters.iter().any(|known| known.name == *filter.name.get_ref()) {
            return header.fault(&filter.name, format!("filter '{}' is there twice", filter.name.get_ref()));
        }
        if filter.default.is_none() {
            return header.fault(&filter.name, "expected a default, so that the dashboard shows something at once");
        }
        filters.push(Parameter::new(filter, &header, library)?);
    }
    ask(&mut filters, &parsed, library, sql);
    let name = file.rsplit('/').next().unwrap_or(file).trim_end_matches(ENDING).to_owned();
    let mut dashboard = Dashboard {
        title: header.label(&parsed.title)?,
        description: header.label(&parsed.description)?,
        audience: header.label(&parsed.audience)?,
        place: parsed.place,
        digest: fingerprint(std::iter::once(text.as_bytes())),
        name,
        filters,
        panels: Vec::new(),
    };
    if dashboard.place != Place::Own && dashboard.filters.first().is_none_or(|filter| filter.name != "region") {
        return header.fault(&parsed.title, "expected a first filter named 'region', which a dashboard at this place is shown for");
    }
    let given = match Given::read(&dashboard.filters, library, |_| None) {
        Ok(given) => given,
        Err(problem) => return header.fault(&parsed.title, problem.to_string()),
    };
    for file in &parsed.panel {
        let tried = read_panel(&header, file, library, sql).and_then(|panel| match Asked::new(&dashboard, &panel, &given, library, sql) {
            Ok(_) => Ok(panel),
            Err(problem) => {
                let problem = problem.text(Tongue::English);
                header.fault(&file.show, format!("the panel shows nothing with the defaults of the filters: {problem}"))
            }
        });
        match tried {
            Ok(panel) => dashboard.panels.push(panel),
            Err(error) if !strict => tracing::debug!(%error, "a shipped panel does not fit this register"),
            Err(error) => return Err(error),
        }
    }
    if dashboard.panels.is_empty() {
        return header.fault(&parsed.title, "expected a panel that shows something");
    }
    Ok(dashboard)
}

/// Tells filters which tables are asked for what is chosen. Where none of the panels shows more regions than its reader is granted, no
/// other can be chosen; a part of another page is shown for every region that the page is of, and says of which it has no numbers.
fn ask(filters: &mut [Parameter], file: &DashboardFile, library: &Library, sql: &Sql) {
    let asked: Vec<Vec<&String>> =
        file.panel.iter().map(|panel| tables_of(panel, library, sql)).filter(|tables| !tables.is_empty()).collect();
    let is_narrowed = |id: &&String| library.table(id).is_some_and(|entry| entry.axes.iter().any(|axis| axis.seen.is_some()));
    let is_bound = file.place == Place::Own && !asked.is_empty() && asked.iter().all(|tables| tables.iter().any(is_narrowed));
    for filter in filters {
        filter.asks(asked.iter().flatten().copied(), is_bound, library);
    }
}

/// Identifiers of the tables that the numbers of a panel come from.
fn tables_of<'a>(panel: &PanelFile, library: &'a Library, sql: &'a Sql) -> Vec<&'a String> {
    match (&panel.table, &panel.query) {
        (Some(id), _) => library.table(id.get_ref()).map(|entry| &entry.table.id).into_iter().collect(),
        (None, Some(name)) => sql.query(name.get_ref()).map(|query| query.tables.iter().collect()).unwrap_or_default(),
        (None, None) => Vec::new(),
    }
}

fn read_panel(header: &Header<'_>, file: &PanelFile, library: &Library, sql: &Sql) -> Result<Panel, DefinitionError> {
    let kind = *file.show.get_ref();
    let has_numbers = matches!(kind, Kind::Number | Kind::Chart | Kind::Table);
    let says = [
        ("chart", file.chart.is_some(), kind == Kind::Chart),
        ("options", !file.options.is_empty(), kind == Kind::Chart),
        ("change", file.change, kind == Kind::Number),
        ("text", !file.text.is_empty(), kind == Kind::Text),
        ("table", file.table.is_some(), has_numbers && file.query.is_none()),
        ("query", file.query.is_some(), matches!(kind, Kind::Chart | Kind::Table)),
        ("select", !file.select.is_empty(), file.table.is_some()),
        ("codelist", !file.codelist.is_empty(), file.table.is_some()),
        ("heading", !file.heading.is_empty(), file.table.is_some()),
        ("stub", !file.stub.is_empty(), file.table.is_some()),
        ("parameters", !file.parameters.is_empty(), file.query.is_some()),
    ];
    if let Some((key, ..)) = says.iter().find(|(_, said, fits)| *said && !fits) {
        return header.fault(&file.show, format!("a panel of this kind has no '{key}'"));
    }
    let title: Option<Label> = file.title.as_ref().map(|title| header.label(title)).transpose()?;
    let source = match (&file.table, &file.query) {
        (Some(id), None) => Some(of_table(header, file, id, library)?),
        (None, Some(name)) => match sql.query(name.get_ref()) {
            Some(query) => Some(Source::Query { name: query.name.clone(), pairs: file.parameters.clone().into_iter().collect() }),
            None => return header.fault(name, format!("there is no query '{}'", name.get_ref())),
        },
        _ if !has_numbers => None,
        _ => return header.fault(&file.show, "expected 'table' or 'query'"),
    };
    let show = match kind {
        Kind::Number if title.is_none() => return header.fault(&file.show, "expected the title of the number"),
        Kind::Number => Show::Number { change: file.change },
        Kind::Table => Show::Table,
        Kind::Quality => Show::Quality,
        Kind::Audit => Show::Audit,
        Kind::Text if file.text.is_empty() => return header.fault(&file.show, "expected 'text', a list of paragraphs"),
        Kind::Text => Show::Text(file.text.iter().map(|text| header.label(text)).collect::<Result<_, _>>()?),
        Kind::Chart => {
            let Some(chart) = &file.chart else {
                return header.fault(&file.show, format!("expected 'chart', one of {}", CHART_KINDS.join(", ")));
            };
            let Some(kind) = ChartKind::parse(chart.get_ref()) else {
                return header.fault(chart, format!("there is no chart '{}'; expected one of {}", chart.get_ref(), CHART_KINDS.join(", ")));
            };
            Show::Chart { kind, options: file.options.clone().into_iter().collect() }
        }
    };
    let usual = match kind {
        Kind::Number => 3,
        Kind::Chart => 6,
        Kind::Table | Kind::Quality | Kind::Audit | Kind::Text => COLUMNS,
    };
    let width = match &file.width {
        Some(width) if !(2..=COLUMNS).contains(width.get_ref()) => {
            return header.fault(width, format!("expected a width of 2 to {COLUMNS} columns"));
        }
        Some(width) => *width.get_ref(),
        None => usual,
    };
    let note = file.note.as_ref().map(|note| header.label(note)).transpose()?;
    Ok(Panel { title, note, width, show, source })
}

fn of_table(header: &Header<'_>, file: &PanelFile, id: &Spanned<String>, library: &Library) -> Result<Source, DefinitionError> {
    let Some(table) = library.tables.iter().position(|entry| entry.table.id.eq_ignore_ascii_case(id.get_ref())) else {
        let there = library.tables.iter().map(|entry| entry.table.id.as_str()).collect::<Vec<_>>().join(", ");
        return header.fault(id, format!("there is no table '{}'; there is {there}", id.get_ref()));
    };
    let mut select: Vec<(String, Option<String>, Vec<String>)> = Vec::new();
    for (variable, values) in &file.select {
        let values = match values {
            Values::Text(text) => listed(text),
            Values::List(list) => list.clone(),
        };
        select.push((variable.clone(), file.codelist.get(variable).cloned(), values));
    }
    for (variable, codelist) in file.codelist.iter().filter(|(variable, _)| !file.select.contains_key(*variable)) {
        select.push((variable.clone(), Some(codelist.clone()), Vec::new()));
    }
    let has = |select: &[(String, Option<String>, Vec<String>)], name: &str| {
        select.iter().any(|(variable, ..)| variable.eq_ignore_ascii_case(name))
    };
    let contents = library.tables[table].table.contents.code.clone();
    // Charts fill in what they need of these by themselves.
    if file.chart.is_none() {
        for (name, value) in [(TIME, "top(1)".to_owned()), (CONTENTS, contents)] {
            if !has(&select, name) {
                select.push((name.to_owned(), None, vec![value]));
            }
        }
    }
    Ok(Source::Table { table, select, heading: file.heading.clone(), stub: file.stub.clone() })
}
