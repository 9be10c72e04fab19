//! Panels of dashboards on a page: numbers, pictures, tables, each with ways to its data.

use std::sync::Arc;

use arrow::array::RecordBatch;
use maud::{Markup, html};

use super::{Page, address, download, texts};
use crate::{
    charts::{ChartKind, Rows, has_ground},
    dashboards::{Asked, Asking, Dashboard, Given, Number, Panel, Show, number},
    formats::{Context, Grid, Texts, rows_table},
    register::Label,
    serve::{
        noted::{read_cells, read_rows},
        problem::Problem,
    },
    sql::Named,
    tables::{Answer, Query, Request},
    words::{self, Message},
};

/// Pictures on narrow screens are drawn anew, so that their text can be read.
const NARROW: u32 = 420;

impl Page {
    /// The cells of a query.
    pub async fn cells(&self, query: Query) -> Result<Arc<Answer>, Problem> {
        let needed = query.needed(&self.shared.library);
        let answer = read_cells(Arc::clone(&self.shared), query);
        Ok(self.notes.take(self.shared.engine.compute_cells(needed, answer).await?))
    }

    pub fn context(&self) -> Context {
        Context { library: Arc::clone(&self.shared.library), language: self.language, base: format!("{}/api/v2", self.origin) }
    }
}

/// Address of a picture of a table or a query, with what is asked of it.
pub fn chart_address(page: &Page, kind: ChartKind, format: &str, pairs: &[(String, String)], theme: &str, width: u32) -> String {
    let width = width.to_string();
    let pairs = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let how = [("lang", page.lang()), ("theme", theme), ("width", width.as_str())].into_iter().filter(|(_, value)| !value.is_empty());
    address(&format!("/charts/{}.{format}", kind.id()), pairs.chain(how))
}

/// A picture in the reader's theme, drawn for wide and for narrow screens.
pub fn picture(page: &Page, kind: ChartKind, pairs: &[(String, String)], alt: &str, width: u32) -> Markup {
    let of = |theme: &str, width: u32| chart_address(page, kind, "svg", pairs, theme, width);
    let narrow = "(max-width: 40rem)";
    let dark = "(prefers-color-scheme: dark)";
    html! {
        picture {
            source srcset=(of("dark", NARROW)) media={ (narrow) " and " (dark) } data-theme="dark" data-media=(narrow);
            source srcset=(of("dark", width)) media=(dark) data-theme="dark" data-media="all";
            source srcset=(of("light", NARROW)) media=(narrow) data-theme="light" data-media=(narrow);
            img src=(of("light", width)) alt=(alt) loading="lazy";
        }
    }
}

/// The parameters by which a chart of a panel, or of the explorer, is asked for.
pub fn of_table(page: &Page, table: usize, request: &Request, options: &[(String, String)]) -> Vec<(String, String)> {
    let mut pairs = vec![("table".to_owned(), page.shared.library.tables[table].table.id.clone())];
    pairs.extend(request.pairs());
    pairs.extend(options.iter().cloned());
    pairs
}

/// A panel of a dashboard; `number` is its place, from 1.
pub async fn panel(page: &Page, dashboard: &Dashboard, panel: &Panel, number: usize, given: &Given) -> Result<Markup, Problem> {
    let shared = &page.shared;
    let title = panel.title.as_ref().map(|title| title.text(page.language));
    let asked = Asked::new(dashboard, panel, given, &shared.library, &shared.sql);
    let about = asked.as_ref().ok().map(|asked| about(page, asked, number));
    let inner = match asked {
        Err(reason) => nothing(page, title, &reason),
        Ok(asked) => match &panel.show {
            Show::Number { .. } => numbered(page, title.unwrap_or_default(), &asked).await?,
            Show::Chart { kind, .. } if !is_drawable(page, &asked, *kind).await? => nothing(page, title, &(&words::NO_OUTLINES).into()),
            Show::Chart { kind, .. } => pictured(page, title, *kind, &asked, panel.width),
            Show::Table => tabled(page, title, &asked).await?,
            Show::Quality => html! { (heading(title)) (super::releases::quality(page, release_of(page, given))) },
            Show::Audit => html! { (heading(title)) (super::releases::audit(page, release_of(page, given))) },
            Show::Text(paragraphs) => html! { (heading(title)) @for text in paragraphs { p { (text.text(page.language)) } } },
        },
    };
    let class = format!("card panel w{}", panel.width);
    Ok(html! {
        section class=(class) id={ "panel-" (number) } {
            (inner)
            @if let Some(note) = &panel.note { p.muted { (note.text(page.language)) } }
            @if let Some(about) = about { (about) }
        }
    })
}

/// Where the numbers of a panel come from, what to know when reading them, and how to come back to them.
fn about(page: &Page, asked: &Asked, number: usize) -> Markup {
    let library = &page.shared.library;
    let text = |label: &Label| label.text(page.language).to_owned();
    let (notes, releases): (Vec<String>, Vec<usize>) = match &asked.asking {
        Asking::Nothing => return html! {},
        Asking::Cells { table, query, .. } => {
            let notes = library.tables[*table].table.notes.iter().filter(|note| note.node.is_none()).map(|note| text(&note.text));
            (notes.collect(), query.releases.clone())
        }
        Asking::Rows { name, .. } => {
            let notes = page.shared.sql.query(name).map(|query| query.notes.iter().map(text).collect());
            (notes.unwrap_or_default(), (0..library.releases.len()).collect())
        }
    };
    html! {
        details.about {
            summary { (page.say(&texts::SOURCE_AND_NOTES)) }
            p {
                (words::SOURCE.text(page.tongue)) ": " (library.register.source.text(page.language)) " · "
                (words::RELEASES.text(page.tongue)) ": "
                @for (at, &release) in releases.iter().enumerate() {
                    @if at > 0 { ", " }
                    a href={ (page.link("/releases", &[])) "#r" (release) } { (library.releases[release].folder) }
                }
            }
            @if !notes.is_empty() { ul { @for note in notes { li { (note) } } } }
            p { a href={ (page.here(&[])) "#panel-" (number) } { (page.say(&texts::PERMALINK)) } }
        }
    }
}

/// Whether the regions of a map have somewhere to lie.
pub async fn is_drawable(page: &Page, asked: &Asked, kind: ChartKind) -> Result<bool, Problem> {
    match &asked.asking {
        Asking::Cells { plan: Some(plan), .. } => Ok(has_ground(&page.shared.library, plan, &page.shared.boundaries)),
        Asking::Rows { name, pairs } if kind == ChartKind::Map => {
            let query = page.shared.named(name)?;
            Ok(answered(page, query, pairs).await?.of(page, query).have_ground()?)
        }
        _ => Ok(true),
    }
}

fn heading(title: Option<&str>) -> Markup {
    html! { @if let Some(title) = title { h3 { (title) } } }
}

/// The release of the period that was chosen; the newest where none was.
pub fn release_of(page: &Page, given: &Given) -> usize {
    let library = &page.shared.library;
    let period = given.pairs.iter().find_map(|(_, value)| (0..library.releases.len()).find(|&at| library.period(at) == value));
    period.unwrap_or(library.releases.len().saturating_sub(1))
}

fn nothing(page: &Page, title: Option<&str>, reason: &Message) -> Markup {
    html! { (heading(title)) p.muted { (page.say(&texts::PANEL_EMPTY)) " " (super::frame::sentence(&reason.text(page.tongue))) } }
}

/// The number of a panel, with its unit.
pub async fn number_of(page: &Page, asked: &Asked) -> Result<Option<(Number, String)>, Problem> {
    let Asking::Cells { table, query, .. } = &asked.asking else { return Ok(None) };
    let library = &page.shared.library;
    let entry = &library.tables[*table];
    let measure = query.contents.first().and_then(|&content| library.measure(entry, content));
    let unit = measure.map_or(&entry.table.contents.unit, |measure| &measure.unit).text(page.language).to_owned();
    let found = page.cells(query.clone()).await?;
    Ok(Some((number(&found, measure.is_none(), page.tongue), unit)))
}

async fn numbered(page: &Page, title: &str, asked: &Asked) -> Result<Markup, Problem> {
    let Some((number, unit)) = number_of(page, asked).await? else { return Ok(html! {}) };
    let Asking::Cells { table, request, .. } = &asked.asking else { return Ok(html! {}) };
    let meaning = texts::of_status(number.status).map(|phrase| page.say(phrase));
    Ok(html! {
        h3 { (title) }
        p.number title=[meaning] { (number.text) " " small { (unit) } }
        @if let Some(meaning) = meaning { p.muted { (meaning) } }
        @if let Some(change) = &number.change {
            p.change {
                span.up[change.sign > 0].down[change.sign < 0] {
                    b { (change.text) @if change.relative { " %" } }
                }
                " " span.muted { (page.say(&texts::SINCE_BEFORE)) }
            }
        }
        ul.actions {
            li { a href=(explored(page, *table, request, "table")) { (page.say(&texts::AS_TABLE)) span.visually-hidden { " – " (title) } } }
            @if let Some(data) = data_of(page, asked, "csv") { li { a href=(data) download { "CSV" span.visually-hidden { " – " (title) } } } }
        }
    })
}

/// The explorer, with a selection.
pub fn explored(page: &Page, table: usize, request: &Request, view: &str) -> String {
    let pairs = request.pairs();
    let mut pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    if view != "table" {
        pairs.push(("view", view));
    }
    page.link(&format!("/tables/{}", page.shared.library.tables[table].table.id), &pairs)
}

/// What a picture of a panel is asked for with; it tells its title itself, wherever it is taken.
pub fn chart_pairs(page: &Page, asked: &Asked, title: Option<&str>) -> Option<Vec<(String, String)>> {
    let mut options = asked.options.clone();
    options.extend(title.map(|title| ("title".to_owned(), title.to_owned())));
    match &asked.asking {
        Asking::Cells { table, request, .. } => Some(of_table(page, *table, request, &options)),
        Asking::Rows { name, pairs } => Some([vec![("query".to_owned(), name.clone())], pairs.clone(), options].concat()),
        Asking::Nothing => None,
    }
}

/// The address of a panel's numbers in a format.
pub fn data_of(page: &Page, asked: &Asked, format: &str) -> Option<String> {
    match &asked.asking {
        Asking::Cells { query, .. } => download::of_query(page, query, format),
        Asking::Rows { name, pairs } => Some(download::rows_address(page, name, pairs, format)),
        Asking::Nothing => None,
    }
}

fn pictured(page: &Page, title: Option<&str>, kind: ChartKind, asked: &Asked, width: u8) -> Markup {
    let named = title.unwrap_or_else(|| page.say(texts::of_chart(kind)));
    let Some(pairs) = chart_pairs(page, asked, title) else { return html! {} };
    let table = match &asked.asking {
        Asking::Cells { table, request, .. } => explored(page, *table, request, kind.id()),
        Asking::Rows { name, pairs } => query_page(page, name, pairs),
        Asking::Nothing => return html! {},
    };
    let about = html! { span.visually-hidden { " – " (named) } };
    html! {
        @if let Some(title) = title { h3.visually-hidden { (title) } }
        figure { (picture(page, kind, &pairs, named, if width > 6 { 960 } else { 620 })) }
        ul.actions {
            li { a href=(table) { (page.say(&texts::AS_TABLE)) (about) } }
            @for format in ["svg", "png", "pdf"] {
                li { a href=(chart_address(page, kind, format, &pairs, "print", 960)) download { (format.to_uppercase()) (about) } }
            }
            @if let Some(data) = data_of(page, asked, "csv") { li { a href=(data) download { "CSV" (about) } } }
        }
    }
}

/// The page of a named query with its parameters.
pub fn query_page(page: &Page, name: &str, pairs: &[(String, String)]) -> String {
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    page.link(&format!("/queries/{name}"), &pairs)
}

async fn tabled(page: &Page, title: Option<&str>, asked: &Asked) -> Result<Markup, Problem> {
    match &asked.asking {
        Asking::Cells { table, request, query, .. } => {
            let found = page.cells(query.clone()).await?;
            let context = page.context();
            let grid = Grid::new(&context, found, Texts::Names, None, false);
            let named = title.unwrap_or(page.shared.library.tables[*table].table.label.text(page.language));
            let nowhere = |_: usize| (explored(page, *table, request, "table"), None);
            Ok(html! {
                (heading(title))
                div.scroll tabindex="0" role="region" aria-label=(named) {
                    table data-grid="short" { caption.visually-hidden { (named) } (grid.head(&nowhere)) tbody { (grid.body(0..grid.rows(), &|_, _| None)) } }
                }
                (legend(&grid.legend(&context)))
                ul.actions {
                    li { a href=(explored(page, *table, request, "table")) { (page.say(&texts::AS_TABLE)) span.visually-hidden { " – " (named) } } }
                    @for format in ["csv", "xlsx"] {
                        @if let Some(data) = download::of_query(page, query, format) {
                            li { a href=(data) download { (format.to_uppercase()) span.visually-hidden { " – " (named) } } }
                        }
                    }
                }
            })
        }
        Asking::Rows { name, pairs } => {
            let rows = rows(page, name, pairs, title).await?;
            Ok(html! {
                (heading(title))
                div.scroll tabindex="0" role="region" aria-label=(title.unwrap_or(name)) { (rows) }
                ul.actions {
                    li { a href=(query_page(page, name, pairs)) { (page.say(&texts::AS_QUERY)) } }
                    li { a href=(download::rows_address(page, name, pairs, "csv")) download { "CSV" span.visually-hidden { " – " (title.unwrap_or(name)) } } }
                }
            })
        }
        Asking::Nothing => Ok(html! {}),
    }
}

/// The rows of a named query as a table.
pub async fn rows(page: &Page, name: &str, pairs: &[(String, String)], caption: Option<&str>) -> Result<Markup, Problem> {
    let query = page.shared.named(name)?;
    answered(page, query, pairs).await?.table(page, query, caption)
}

/// What a named query answered, and what stood for its parameters.
pub struct Answered {
    given: Vec<String>,
    batches: Vec<RecordBatch>,
}

/// Asks a named query.
pub async fn answered(page: &Page, query: &Named, pairs: &[(String, String)]) -> Result<Answered, Problem> {
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let bound = page.shared.sql.bind(query, page.language, &pairs)?;
    let given = bound.given.clone();
    let batches = page.notes.take(read_rows(&page.shared, query, bound).await?);
    Ok(Answered { given, batches })
}

impl Answered {
    /// The rows as charts see them.
    pub fn of<'a>(&'a self, page: &'a Page, query: &'a Named) -> Rows<'a> {
        let shared = &page.shared;
        let (library, boundaries) = (&shared.library, &shared.boundaries);
        Rows { library, query, given: &self.given, language: page.language, batches: &self.batches, boundaries }
    }

    /// The rows as a table.
    pub fn table(&self, page: &Page, query: &Named, caption: Option<&str>) -> Result<Markup, Problem> {
        let document = page.shared.document(query, &self.given, page.language, self.batches.clone());
        Ok(rows_table(&document, caption.unwrap_or(query.title.text(page.language)), page.tongue)?)
    }
}

/// The marks that occur, with their meaning.
pub fn legend(marks: &[(String, &'static str)]) -> Markup {
    html! {
        @if !marks.is_empty() {
            ul.legend {
                @for (mark, meaning) in marks {
                    li data-mark=(mark.trim_matches(['[', ']'])) { b { (mark) } " " (meaning) }
                }
            }
        }
    }
}
