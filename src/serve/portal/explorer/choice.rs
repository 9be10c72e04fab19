//! What there is to choose: a part of the form for each variable.

use maud::{Markup, html};

use super::{
    super::{Page, texts},
    regions,
    state::State,
};
use crate::tables::{CONTENTS, Chosen, CodeListKind, TIME, Variable};

/// Lists of up to so many codes are shown whole; longer ones are walked through and searched.
pub const WHOLE: usize = 300;

/// The form. `counted` are the cells of the selection and those of them that are withheld.
pub fn form(page: &Page, state: &State, counted: Option<(u64, u64)>) -> Markup {
    let library = &page.shared.library;
    let entry = &library.tables[state.table];
    html! {
        form.choice.card method="get" action=(page.path) data-swap data-estimate={ "/api/v2/tables/" (entry.table.id) "/estimate" } aria-label=(page.say(&texts::CHOICE)) id="choice" {
            @for (name, value) in kept(page, state) { input type="hidden" name=(name) value=(value); }
            div.parts id="parts" data-keep-scroll {
                @for variable in library.variables(entry) {
                    @match variable {
                        Variable::Axis(axis) => (of_axis(page, state, axis)),
                        Variable::Contents => (contents(page, state)),
                        Variable::Time => (periods(page, state)),
                    }
                }
            }
            div.go {
                button.main type="submit" id="show" { (page.say(&texts::SHOW)) }
                span.counter aria-live="polite" { @if let Some((cells, withheld)) = counted { (self::counted(page, cells, withheld)) } }
            }
        }
    }
}

/// How many cells there are, and how many are withheld.
pub fn counted(page: &Page, cells: u64, withheld: u64) -> String {
    let share = if cells > 0 { (withheld as f64 / cells as f64 * 1000.0).round() as i64 } else { 0 };
    texts::COUNTED.with(page.count(cells)).and(format!("{} %", crate::formats::written(share, 1, page.tongue))).text(page.tongue)
}

/// What the form carries along.
fn kept(page: &Page, state: &State) -> Vec<(String, String)> {
    let mut kept: Vec<(String, String)> = Vec::new();
    for (name, list) in [("heading", &state.request.heading), ("stub", &state.request.stub)] {
        kept.extend(list.iter().map(|code| (name.to_owned(), code.clone())));
    }
    for name in ["view", "labels", "shade"].into_iter().chain(super::state::CHART_OPTIONS) {
        if let Some(value) = page.parameters.get(name).filter(|value| !value.is_empty()) {
            kept.push((name.to_owned(), value.to_owned()));
        }
    }
    if page.language != 0 {
        kept.push(("lang".into(), page.lang().into()));
    }
    kept
}

/// One variable that is folded together until somebody opens it.
pub fn part(page: &Page, code: &str, label: &str, chosen: usize, of: usize, open: bool, inner: &Markup) -> Markup {
    let state = if chosen == 0 {
        page.say(&texts::TOTAL).to_owned()
    } else {
        texts::OF.with(page.count(chosen as u64)).and(page.count(of as u64)).text(page.tongue)
    };
    html! {
        details id={ "v-" (code) } open[open] {
            summary { (label) span.muted { (state) } }
            (inner)
        }
    }
}

/// Boxes to tick.
pub fn boxes(page: &Page, code: &str, items: &[(String, String, u8, bool)], searched: bool) -> Markup {
    let id = format!("codes-{code}");
    html! {
        @if searched && items.len() > 8 {
            div.row {
                input type="search" aria-label={ (page.say(&texts::SEARCH_IN)) " " (code) } placeholder=(page.say(&texts::SEARCH)) data-filter=(id) autocomplete="off";
                button.small type="button" data-all=(id) { (page.say(&texts::ALL_NONE)) }
            }
        }
        ul.codes id=(id) data-keep-scroll {
            @for (value, text, depth, chosen) in items {
                li { label.(format!("d{}", depth.min(&5)))  { input type="checkbox" name={ "valueCodes[" (code) "]" } value=(value) checked[*chosen]; span { (text) } } }
            }
        }
    }
}

fn contents(page: &Page, state: &State) -> Markup {
    let library = &page.shared.library;
    let entry = &library.tables[state.table];
    let chosen = state.query.as_ref().map(|query| query.contents.clone()).unwrap_or_default();
    let items: Vec<(String, String, u8, bool)> = (0..=entry.measures.len())
        .map(|at| {
            let (code, label) = library.contents(entry, at);
            (code.to_owned(), label.text(page.language).to_owned(), 0, chosen.contains(&at))
        })
        .collect();
    part(page, CONTENTS, page.say(&texts::MEASURE), chosen.len(), items.len(), false, &boxes(page, CONTENTS, &items, false))
}

fn periods(page: &Page, state: &State) -> Markup {
    let library = &page.shared.library;
    let entry = &library.tables[state.table];
    let chosen = state.query.as_ref().map(|query| query.releases.clone()).unwrap_or_default();
    let items: Vec<(String, String, u8, bool)> = entry
        .span
        .iter()
        .rev()
        .map(|release| {
            (library.period(*release).to_owned(), library.period_label(*release, page.language).to_owned(), 0, chosen.contains(release))
        })
        .collect();
    part(page, TIME, page.say(&texts::PERIOD), chosen.len(), items.len(), false, &boxes(page, TIME, &items, true))
}

fn of_axis(page: &Page, state: &State, axis: usize) -> Markup {
    let library = &page.shared.library;
    let entry = &library.tables[state.table];
    let described = &entry.axes[axis];
    let dimension = &library.dimensions[described.dimension];
    let selection = state.request.selections.iter().find(|one| one.variable.eq_ignore_ascii_case(&dimension.variable));
    let list = selection.and_then(|one| one.codelist.as_deref()).and_then(|id| library.codelist_of(described, id));
    let chosen = state.query.as_ref().map(|query| &query.axes[axis]);
    let count = match chosen {
        None | Some(Chosen::Eliminated) => 0,
        Some(Chosen::Nodes { nodes, .. }) => nodes.len(),
        Some(Chosen::Groups { groups, .. }) => groups.len(),
    };
    let items: Vec<(String, String, u8, bool)> = match list.map(|at| &library.codelists[at].kind) {
        Some(CodeListKind::Aggregation(grouping)) => grouping
            .values
            .iter()
            .enumerate()
            .map(|(at, group)| {
                let is_chosen = matches!(chosen, Some(Chosen::Groups { groups, .. }) if groups.contains(&(at as u32)));
                (group.code.clone(), group.label.text(page.language).to_owned(), 0, is_chosen)
            })
            .collect(),
        other => {
            let nodes = if let Some(CodeListKind::Valueset(nodes)) = other { nodes } else { &described.nodes };
            // A level of it may be short, but somebody who walks through the whole keeps to the way of choosing.
            if described.nodes.len() > WHOLE {
                return regions::picker(page, state, axis, list, count, nodes.len());
            }
            let flat = other.is_some();
            let one = |&node: &u32| {
                let described = &dimension.nodes[node as usize];
                let is_chosen = matches!(chosen, Some(Chosen::Nodes { nodes, .. }) if nodes.binary_search(&node).is_ok());
                let depth = if flat { 0 } else { dimension.path(node).len() as u8 };
                (described.code.clone(), described.label.text(page.language).to_owned(), depth, is_chosen)
            };
            nodes.iter().map(one).collect()
        }
    };
    let inner = html! {
        (lists(page, &dimension.variable, &described.codelists, list))
        (boxes(page, &dimension.variable, &items, true))
    };
    part(page, &dimension.variable, dimension.label.text(page.language), count, items.len(), true, &inner)
}

/// The code lists of a variable.
pub fn lists(page: &Page, variable: &str, fitting: &[usize], list: Option<usize>) -> Markup {
    let library = &page.shared.library;
    html! {
        @if fitting.len() > 1 {
            label.visually-hidden for={ "list-" (variable) } { (page.say(&texts::CODE_LIST)) " " (variable) }
            select id={ "list-" (variable) } name={ "codelist[" (variable) "]" } data-submit {
                option value="" selected[list.is_none()] { (page.say(&texts::EVERY_LEVEL)) }
                @for &at in fitting {
                    option value=(library.codelists[at].id) selected[list == Some(at)] { (library.codelists[at].label.text(page.language)) }
                }
            }
        }
    }
}
