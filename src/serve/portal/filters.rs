//! Choosing what a dashboard or a named query is asked for.

use chrono::Utc;
use maud::{Markup, html};

use super::{Page, texts};
use crate::{
    dashboards::{Dashboard, Given},
    serve::problem::Problem,
    sql::{Parameter, ParameterKind},
    tables::RequestError,
    words,
};

/// As many codes are offered as a list to choose from; more are searched by name.
const LISTED: usize = 60;

/// Codes may be given by name, as people do: `Sleman`, or `Sleman (3404)` as lists of suggestions write it.
pub fn code_of(page: &Page, parameter: &Parameter, given: &str) -> String {
    let ParameterKind::Code(dimension, levels) = &parameter.kind else { return given.to_owned() };
    let library = &page.shared.library;
    let within = given.trim().strip_suffix(')').and_then(|text| text.rsplit_once('(')).map(|(_, code)| code.trim());
    let known = |code: &str| parameter.read(code, library).is_ok();
    if let Some(code) = within.filter(|code| known(code)) {
        return code.to_owned();
    }
    if given.is_empty() || known(given) {
        return given.to_owned();
    }
    let nodes = &library.dimensions[*dimension].nodes;
    let found = library.find_nodes(*dimension, given, 200).into_iter().find(|&node| levels.contains(&nodes[node as usize].level));
    found.map_or_else(|| given.to_owned(), |node| nodes[node as usize].code.clone())
}

/// What the address gives for the filters of a dashboard; `fixed` stands before it.
pub fn given(page: &Page, dashboard: &Dashboard, fixed: &[(&str, &str)]) -> Result<Given, Problem> {
    let text = |filter: &Parameter| {
        let fixed = fixed.iter().find(|(name, _)| *name == filter.name).map(|(_, value)| *value);
        fixed.or_else(|| page.parameters.get(&filter.name)).map(|text| code_of(page, filter, text))
    };
    let texts: Vec<(String, String)> = dashboard.filters.iter().filter_map(|filter| Some((filter.name.clone(), text(filter)?))).collect();
    let get = |name: &str| texts.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let library = &page.shared.library;
    Given::read(&dashboard.filters, library, get).map_err(|detail| {
        let beyond = dashboard.filters.iter().find_map(|filter| filter.beyond(get(&filter.name)?, library));
        match beyond {
            Some((fault, detail)) => RequestError { fault, detail }.into(),
            None => Problem::parameter("Illegal parameter", detail),
        }
    })
}

/// A form of parameters with what stands for each; those of the address that are named in `keep` stay as they are.
pub fn form(page: &Page, action: &str, parameters: &[Parameter], values: &[(String, String)], leave: &[&str], keep: &[&str]) -> Markup {
    let kept = keep.iter().filter_map(|name| Some((name, page.parameters.get(name).filter(|text| !text.is_empty())?)));
    let value = |name: &str| values.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str());
    let shown: Vec<&Parameter> = parameters.iter().filter(|parameter| !leave.contains(&parameter.name.as_str())).collect();
    html! {
        @if !shown.is_empty() {
            form.filters method="get" action=(action) {
                @if page.language != 0 { input type="hidden" name="lang" value=(page.lang()); }
                @for (name, value) in kept { input type="hidden" name=(name) value=(value); }
                @for parameter in shown { div { (field(page, parameter, value(&parameter.name))) } }
                button.main type="submit" { (page.say(&texts::SHOW)) }
            }
        }
    }
}

/// One field of a form.
pub fn field(page: &Page, parameter: &Parameter, value: &str) -> Markup {
    let library = &page.shared.library;
    let id = format!("f-{}", parameter.name);
    let label = html! { label for=(id) { (parameter.label.text(page.language)) @if parameter.required() { " *" } } };
    let options: Option<Vec<(String, String)>> = match &parameter.kind {
        ParameterKind::Period => Some(
            (0..library.releases.len())
                .rev()
                .map(|at| (library.period(at).to_owned(), library.period_label(at, page.language).to_owned()))
                .collect(),
        ),
        ParameterKind::Text(values) if !values.is_empty() => Some(values.iter().map(|value| (value.clone(), value.clone())).collect()),
        ParameterKind::Code(dimension, _) => {
            let codes: Vec<&str> = parameter.codes(library).take(LISTED + 1).collect();
            let dimension = &library.dimensions[*dimension];
            let least =
                codes.iter().filter_map(|code| dimension.find(code)).map(|at| dimension.nodes[at as usize].level).min().unwrap_or(0);
            let one = |code: &&str| {
                let node = &dimension.nodes[dimension.find(code)? as usize];
                let indent = "\u{2003}".repeat(usize::from(node.level - least));
                Some(((*code).to_owned(), format!("{indent}{}", node.label.text(page.language))))
            };
            (codes.len() <= LISTED).then(|| codes.iter().filter_map(one).collect())
        }
        _ => None,
    };
    if let Some(options) = options {
        return html! {
            (label)
            select id=(id) name=(parameter.name) {
                @if parameter.required() && value.is_empty() { option value="" { "–" } }
                @for (code, text) in options { option value=(code) selected[code == value] { (text) } }
            }
        };
    }
    match &parameter.kind {
        ParameterKind::Code(dimension, levels) => {
            let dimension_at = *dimension;
            let dimension = &library.dimensions[dimension_at];
            let name = |node: u32| {
                format!("{} ({})", dimension.nodes[node as usize].label.text(page.language), dimension.nodes[node as usize].code)
            };
            let at = dimension.find(value);
            let near: Vec<u32> =
                at.map_or_else(Vec::new, |at| dimension.path(at).into_iter().chain([at]).chain(dimension.children(at)).collect());
            let offered = near.into_iter().filter(|&node| levels.contains(&dimension.nodes[node as usize].level)).take(LISTED);
            let list = format!("{id}-list");
            html! {
                (label)
                input type="text" id=(id) name=(parameter.name) list=(list) value=(at.map_or_else(|| value.to_owned(), name)) data-suggest=(dimension.id) autocomplete="off" spellcheck="false";
                datalist id=(list) { @for node in offered { option value=(name(node)) {} } }
            }
        }
        ParameterKind::Integer(from, to) => {
            html! { (label) input type="number" id=(id) name=(parameter.name) value=(value) min=(from) max=(to); }
        }
        ParameterKind::Number(from, to) => {
            html! { (label) input type="number" step="any" id=(id) name=(parameter.name) value=(value) min=(from) max=(to); }
        }
        _ => {
            html! { (label) input type="text" id=(id) name=(parameter.name) value=(value) placeholder=(parameter.expected(library).text(page.tongue)); }
        }
    }
}

/// The names of what was chosen, for the heading of a page.
pub fn chosen(page: &Page, parameters: &[Parameter], values: &[(String, String)]) -> Vec<String> {
    let library = &page.shared.library;
    let one = |(parameter, (_, value)): (&Parameter, &(String, String))| match &parameter.kind {
        ParameterKind::Code(dimension, _) => {
            let dimension = &library.dimensions[*dimension];
            dimension.find(value).map_or_else(|| value.clone(), |at| dimension.nodes[at as usize].label.text(page.language).to_owned())
        }
        ParameterKind::Period => {
            let at = (0..library.releases.len()).find(|&at| library.period(at) == value);
            at.map_or_else(|| value.clone(), |at| library.period_label(at, page.language).to_owned())
        }
        _ => format!("{}: {value}", parameter.label.text(page.language)),
    };
    parameters.iter().zip(values).map(one).collect()
}

/// The newest release in words: what period, when published, when the next is due.
pub fn banner(page: &Page) -> Markup {
    let library = &page.shared.library;
    let Some(newest) = library.releases.len().checked_sub(1) else { return html! {} };
    let release = &library.releases[newest];
    html! {
        p.banner {
            strong { (library.period_label(newest, page.language)) }
            span { (page.say(&texts::PUBLISHED_ON)) " " (words::day(release.written.date_naive(), page.tongue)) }
            @if release.manifest.revision > 1 { span { (page.say(&texts::REVISION)) " " (release.manifest.revision) } }
            @if let Some(next) = library.next_update().filter(|next| *next > Utc::now()) {
                span { (page.say(&texts::NEXT_RELEASE)) " " (words::day(next.date_naive(), page.tongue)) }
            }
            a href=(page.link("/releases", &[])) { (page.say(&texts::ABOUT_RELEASES)) }
        }
    }
}
