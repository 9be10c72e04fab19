//! A selection as a table, or as a chart with the table it was drawn from behind it.

use std::sync::Arc;

use maud::{Markup, html};

use super::{
    super::{
        Page,
        choices::{Choices, options_of},
        frame::{crumbs, sentence},
        panels, texts,
    },
    choice::counted,
    state::{State, View},
};
use crate::{
    charts::{ChartKind, Wishes, has_ground, plan, suited},
    formats::{Context, Grid},
    register::Role,
    serve::problem::Problem,
    tables::{CellStatus, Chosen, Query, Request, Variable},
    words,
};

/// Cells of a table that may be looked at; more are for downloads.
const MOST_CELLS: u64 = 200_000;
/// Cells that are shown at once; more follow when somebody comes to them.
const AT_ONCE: usize = 1_000;

/// What is shown of a selection.
pub struct Shown {
    pub toolbar: Markup,
    pub body: Markup,
    /// Cells, and those of them that are withheld.
    pub counted: Option<(u64, u64)>,
    /// The picture that is shown, and what it is asked for with.
    pub chart: Option<(ChartKind, Vec<(String, String)>)>,
}

/// Shows a selection.
pub async fn view(page: &Page, state: &State) -> Result<Shown, Problem> {
    let nothing = Shown { toolbar: html! {}, body: html! {}, counted: None, chart: None };
    let Some(query) = &state.query else { return Ok(nothing) };
    match state.view {
        View::Table => table(page, state, query).await,
        View::Chart(kind) => Ok(chart(page, state, query, kind)),
    }
}

async fn table(page: &Page, state: &State, query: &Query) -> Result<Shown, Problem> {
    let toolbar = table_tools(page, state, query);
    if query.cells > MOST_CELLS.min(page.shared.most_cells) {
        let body = html! { p.note id="summary" { (texts::TOO_LARGE_TO_SHOW.with(page.count(query.cells)).and(page.count(MOST_CELLS.min(page.shared.most_cells))).text(page.tongue)) } };
        return Ok(Shown { toolbar, body, counted: None, chart: None });
    }
    let answer = page.cells(query.clone()).await?;
    let withheld = answer.count(CellStatus::Suppressed);
    let context = page.context();
    let (labels, order, shaded) = (state.labels, state.order, state.shaded);
    let cells = query.cells;
    let grid = {
        let (context, answer) = (context.clone(), Arc::clone(&answer));
        page.shared.engine.compute(async move { Ok(Grid::new(&context, answer, labels, order, shaded)) }).await?
    };
    let body = grid_page(page, state, &context, &grid, cells, withheld);
    Ok(Shown { toolbar, body, counted: Some((cells, withheld)), chart: None })
}

fn grid_page(page: &Page, state: &State, context: &Context, grid: &Grid, cells: u64, withheld: u64) -> Markup {
    let library = &page.shared.library;
    let entry = &library.tables[state.table];
    let size = (AT_ONCE / grid.columns().max(1)).max(10);
    let from = state.from.min(grid.rows());
    let to = (from + size).min(grid.rows());
    let next = (to < grid.rows()).then(|| state.address(page, &[("from", Some(&to.to_string()))]));
    let sorted = |column: usize| {
        let (state_of, wanted) = match state.order {
            Some(order) if order.column == column && order.descending => (Some("descending"), format!("{column}")),
            Some(order) if order.column == column => (Some("ascending"), String::new()),
            _ => (None, format!("{column}-desc")),
        };
        (state.address(page, &[("sort", Some(wanted.as_str()).filter(|text| !text.is_empty())), ("from", None)]), state_of)
    };
    let drill = |variable: Variable, category: usize| drilled(page, state, variable, category);
    let title = entry.table.label.text(page.language);
    html! {
        (upward(page, state))
        p.muted id="summary" { (counted(page, cells, withheld)) }
        div.scroll tabindex="0" role="region" aria-label=(title) {
            table data-grid=(if next.is_some() || from > 0 { "long" } else { "short" }) {
                caption { (title) @if !grid.fixed().is_empty() { span.muted { " · " (grid.fixed().join(" · ")) } } }
                (grid.head(&sorted))
                tbody { (grid.body(from..to, &drill)) }
            }
            @if let Some(next) = &next {
                p.more data-next=(next) { a href=(next) { (texts::MORE_ROWS.with(page.count((grid.rows() - to) as u64)).text(page.tongue)) } }
            }
        }
        (panels::legend(&grid.legend(context)))
        @if from > 0 { p { a href=(state.address(page, &[("from", None)])) { (page.say(&texts::FROM_FIRST_ROW)) } } }
    }
}

/// A region's own parts, when somebody chooses its name.
fn drilled(page: &Page, state: &State, variable: Variable, category: usize) -> Option<String> {
    let library = &page.shared.library;
    let Variable::Axis(axis) = variable else { return None };
    let described = &library.tables[state.table].axes[axis];
    let dimension = &library.dimensions[described.dimension];
    let Some(Chosen::Nodes { nodes, .. }) = state.query.as_ref().map(|query| &query.axes[axis]) else { return None };
    let node = *nodes.get(category)?;
    if dimension.role != Role::Geo || category == 0 && nodes.len() > 1 && dimension.nodes[nodes[1] as usize].parent == Some(node) {
        return None;
    }
    described.divides(dimension, node).then(|| to_region(page, state, &dimension.variable, &dimension.nodes[node as usize].code))
}

fn to_region(page: &Page, state: &State, variable: &str, code: &str) -> String {
    let (values, list) = (format!("valueCodes[{variable}]"), format!("codelist[{variable}]"));
    state.address(page, &[(&values, Some(&format!("{code},children({code})"))), (&list, None), ("from", None), ("sort", None)])
}

/// The way up from the region that is looked at.
fn upward(page: &Page, state: &State) -> Markup {
    let library = &page.shared.library;
    let entry = &library.tables[state.table];
    let Some(axis) = entry.region(library) else { return html! {} };
    let dimension = &library.dimensions[entry.axes[axis].dimension];
    let Some(Chosen::Nodes { nodes, .. }) = state.query.as_ref().map(|query| &query.axes[axis]) else { return html! {} };
    let way: Vec<(String, String)> = nodes
        .first()
        .map(|&first| dimension.path(first))
        .unwrap_or_default()
        .into_iter()
        .map(|node| {
            let node = &dimension.nodes[node as usize];
            (node.label.text(page.language).to_owned(), to_region(page, state, &dimension.variable, &node.code))
        })
        .collect();
    html! { @if !way.is_empty() { (crumbs(dimension.label.text(page.language), &way)) } }
}

/// A list in which an item has changed places with the one before it.
fn swapped(list: &[String], at: usize) -> Vec<String> {
    let mut list = list.to_vec();
    list.swap(at, at - 1);
    list
}

fn table_tools(page: &Page, state: &State, query: &Query) -> Markup {
    let address = |changes: &[(&str, Option<&str>)]| state.address(page, changes);
    let choices = Choices { page, address: &address, swap: true };
    let library = &page.shared.library;
    let entry = &library.tables[state.table];
    let sides = [
        (&texts::ROWS, &state.request.stub, &state.request.heading, "stub", "heading"),
        (&texts::COLUMNS, &state.request.heading, &state.request.stub, "heading", "stub"),
    ];
    let label = |code: &str| {
        let variable = library.variables(entry).find(|&variable| library.variable_code(entry, variable) == code);
        variable.map_or(code, |variable| library.variable_label(entry, variable, page.language)).to_owned()
    };
    let varies =
        |code: &str| library.variables(entry).any(|variable| library.variable_code(entry, variable) == code && query.size(variable) > 1);
    html! {
        div.toolbar {
            @for (title, own, other, name, across) in sides {
                fieldset {
                    legend { (page.say(title)) }
                    ul.chips {
                        @if !own.iter().any(|code| varies(code)) { li.muted { "–" } }
                        @for (at, code) in own.iter().enumerate().filter(|(_, code)| varies(code)) {
                            li.chip {
                                (label(code))
                                @if at > 0 {
                                    @let order = swapped(own, at);
                                    a id={ "before-" (code) } href=(state.address(page, &[(name, Some(&order.join(","))), ("sort", None), ("from", None)])) data-swap title=(page.say(&texts::MOVE_FIRST)) { "←" span.visually-hidden { (page.say(&texts::MOVE_FIRST)) ": " (label(code)) } }
                                }
                                @let rest = own.iter().filter(|one| *one != code).cloned().collect::<Vec<_>>().join(",");
                                @let moved = other.iter().chain([code]).cloned().collect::<Vec<_>>().join(",");
                                a id={ "move-" (code) } href=(state.address(page, &[(name, Some(rest.as_str()).filter(|rest| !rest.is_empty())), (across, Some(&moved)), ("sort", None), ("from", None)])) data-swap title=(page.say(&texts::MOVE_ACROSS)) { "⇄" span.visually-hidden { (page.say(&texts::MOVE_ACROSS)) ": " (label(code)) } }
                            }
                        }
                    }
                }
            }
        }
        div.toolbar {
            (choices.told(&texts::LABELS, "labels", &[("", &texts::NAMES), ("code", &texts::CODES), ("both", &texts::BOTH)]))
            (choices.told(&texts::SHADING, "shade", &[("", &texts::OFF), ("on", &texts::ON)]))
        }
    }
}

fn chart(page: &Page, state: &State, query: &Query, kind: ChartKind) -> Shown {
    let library = &page.shared.library;
    let entry = &library.tables[state.table];
    let request = suited(library, query, kind);
    let options: Vec<(String, String)> = options_of(kind)
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), page.parameters.get(name).filter(|value| !value.is_empty())?.to_owned())))
        .collect();
    let get = |name: &'static str| options.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let drawn =
        Wishes::parse(get).and_then(|wishes| plan(library, state.table, kind, &request, &wishes.options).map_err(|error| error.detail));
    let drawn = drawn.and_then(|plan| {
        let has_ground = has_ground(library, &plan, &page.shared.boundaries);
        if has_ground { Ok(plan) } else { Err((&words::NO_OUTLINES).into()) }
    });
    let toolbar = chart_tools(page, state, query, kind);
    let plan = match drawn {
        Ok(plan) => plan,
        Err(reason) => {
            let body = html! { div.alert id="summary" { p { (sentence(&reason.text(page.tongue))) } } };
            return Shown { toolbar, body, counted: None, chart: None };
        }
    };
    let pairs = panels::of_table(page, state.table, &request, &options);
    let alt = format!("{}: {}", page.say(texts::of_chart(kind)), entry.table.label.text(page.language));
    // What is shown may be less, or more, than what was chosen: then the table of the picture is another one.
    let table = panels::explored(page, state.table, &behind(page, state, &plan.query), "table");
    let body = html! {
        figure.chart-view.card {
            (panels::picture(page, kind, &pairs, &alt, 960))
            figcaption id="summary" {
                ul.actions {
                    li { a href=(table) { (page.say(&texts::TABLE_OF_PICTURE)) } }
                    @for format in ["svg", "png", "pdf"] { li { a href=(panels::chart_address(page, kind, format, &pairs, "print", 960)) download { (format.to_uppercase()) } } }
                }
            }
        }
    };
    Shown { toolbar, body, counted: None, chart: Some((kind, pairs)) }
}

/// What a picture shows, as a selection.
fn behind(page: &Page, state: &State, query: &Query) -> Request {
    let library = &page.shared.library;
    let entry = &library.tables[state.table];
    let select = |variable: Variable| {
        let codes = library.categories(query, variable, page.language).iter().map(|category| category.code.to_owned()).collect();
        let codelist = match variable {
            Variable::Axis(axis) => match &query.axes[axis] {
                Chosen::Eliminated => return None,
                Chosen::Nodes { codelist, .. } => codelist.map(|at| library.codelists[at].id.clone()),
                Chosen::Groups { codelist, .. } => Some(library.codelists[*codelist].id.clone()),
            },
            Variable::Contents | Variable::Time => None,
        };
        Some(crate::tables::Selection { variable: library.variable_code(entry, variable).to_owned(), codelist, values: codes })
    };
    Request { selections: library.variables(entry).filter_map(select).collect(), ..Request::default() }
}

fn chart_tools(page: &Page, state: &State, query: &Query, kind: ChartKind) -> Markup {
    let address = |changes: &[(&str, Option<&str>)]| state.address(page, changes);
    let choices = Choices { page, address: &address, swap: true };
    let comparisons: Vec<(String, String)> = if kind == ChartKind::Pyramid { compared(page, state, query) } else { Vec::new() };
    html! {
        div.toolbar {
            (choices.drawn(kind))
            @if !comparisons.is_empty() {
                @let items = comparisons.iter().map(|(value, label)| (value.as_str(), label.as_str()));
                (choices.of(&texts::COMPARED_WITH, "compare", std::iter::once(("", page.say(&texts::NOTHING))).chain(items)))
            }
        }
    }
}

/// What a pyramid may be compared with: the region above, the period before.
fn compared(page: &Page, state: &State, query: &Query) -> Vec<(String, String)> {
    let library = &page.shared.library;
    let entry = &library.tables[state.table];
    let mut found = Vec::new();
    if let Some(axis) = entry.region(library)
        && let Chosen::Nodes { nodes, .. } = &query.axes[axis]
        && let Some(parent) = nodes.first().and_then(|&node| library.dimensions[entry.axes[axis].dimension].nodes[node as usize].parent)
    {
        let dimension = &library.dimensions[entry.axes[axis].dimension];
        let above = &dimension.nodes[parent as usize];
        found.push((format!("{}:{}", dimension.variable, above.code), above.label.text(page.language).to_owned()));
    }
    if let Some(before) = query.releases.last().and_then(|release| release.checked_sub(1)).filter(|before| entry.span.contains(before)) {
        found.push((format!("{}:{}", crate::tables::TIME, library.period(before)), library.period_label(before, page.language).to_owned()));
    }
    found
}
