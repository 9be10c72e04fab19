//! What an address of the explorer says, made fit: a choice that no longer suits another is not an error of the reader's.

use super::super::{Page, address, texts};
use crate::{
    charts::{CHART_KINDS, ChartKind, has_pyramid},
    formats::{Order, Texts},
    tables::{
        CONTENTS, Chosen, CodeListKind, Expression, Library, Query, Request, Selection, TIME, TableEntry, Variable, default_selection,
        joined, resolve,
    },
    words::{Message, Phrase},
};

/// A way to look at a selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    Table,
    Chart(ChartKind),
}

impl View {
    pub fn id(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Chart(kind) => kind.id(),
        }
    }

    pub fn label(self) -> &'static Phrase {
        match self {
            Self::Table => &texts::TABLE,
            Self::Chart(kind) => texts::of_chart(kind),
        }
    }

    /// Those that suit a table.
    pub fn all(page: &Page, state: &State) -> Vec<Self> {
        let library = &page.shared.library;
        let entry = &library.tables[state.table];
        let suits = |kind: ChartKind| match kind {
            ChartKind::Pyramid => has_pyramid(library, entry),
            ChartKind::Map => entry.region(library).is_some(),
            ChartKind::Lines => entry.span.len() > 1,
            ChartKind::Heat => entry.axes.len() > 1,
            ChartKind::Bars | ChartKind::Ranking => true,
        };
        let charts = CHART_KINDS.iter().filter_map(|id| ChartKind::parse(id)).filter(|kind| suits(*kind)).map(View::Chart);
        std::iter::once(Self::Table).chain(charts).collect()
    }
}

/// Parameters of charts that the explorer keeps.
pub const CHART_OPTIONS: [&str; 7] = ["stacking", "share", "compare", "method", "lowest", "places", "zero"];

/// What an address says.
pub struct State {
    pub table: usize,
    /// The selection as it was written, complete, with heading and stub.
    pub request: Request,
    /// What it means; `None` where it cannot be understood.
    pub query: Option<Query>,
    /// Why it cannot.
    pub problem: Option<Message>,
    /// Codes that were pasted and that there are not.
    pub unknown: Vec<String>,
    pub view: View,
    pub labels: Texts,
    pub shaded: bool,
    pub order: Option<Order>,
    /// The first row that is shown.
    pub from: usize,
}

impl State {
    pub fn read(page: &Page, table: usize) -> Self {
        let library = &page.shared.library;
        let entry = &library.tables[table];
        let parameters = &page.parameters;
        let mut request = parameters.request();
        choose_levels(page, entry, &mut request);
        let unknown = paste(page, entry, &mut request);
        let mut selections = merged(library, entry, request.selections);
        if selections.is_empty() {
            selections = default_selection(library, entry);
        } else {
            for (variable, value) in [(CONTENTS, entry.table.contents.code.clone()), (TIME, "top(1)".to_owned())] {
                match selections.iter_mut().find(|one| one.variable.eq_ignore_ascii_case(variable)) {
                    Some(one) if one.values.is_empty() => one.values.push(value),
                    Some(_) => {}
                    None => selections.push(Selection { variable: variable.to_owned(), codelist: None, values: vec![value] }),
                }
            }
        }
        for selection in &mut selections {
            refit(library, entry, selection);
        }
        let placed = std::mem::take(&mut request.heading);
        let stub = std::mem::take(&mut request.stub);
        request.selections = selections;
        let resolved = resolve(library, table, &request, u64::MAX);
        let (query, problem) = match resolved {
            Ok(query) => {
                (request.stub, request.heading) = places(library, entry, &query, &stub, &placed);
                match resolve(library, table, &request, u64::MAX) {
                    Ok(query) => (Some(query), None),
                    Err(error) => (None, Some(error.detail)),
                }
            }
            Err(error) => (None, Some(error.detail)),
        };
        let order = parameters.get("sort").and_then(|text| {
            let (column, descending) = text.strip_suffix("-desc").map_or((text, false), |column| (column, true));
            Some(Order { column: column.parse().ok()?, descending })
        });
        let mut state = Self {
            table,
            request,
            query,
            problem,
            unknown,
            view: View::Table,
            labels: match parameters.get("labels") {
                Some("code") => Texts::Codes,
                Some("both") => Texts::Both,
                _ => Texts::Names,
            },
            shaded: parameters.get("shade") == Some("on"),
            order,
            from: parameters.get("from").and_then(|text| text.parse().ok()).unwrap_or(0),
        };
        let wanted = parameters.get("view").unwrap_or("");
        state.view = View::all(page, &state).into_iter().find(|view| view.id() == wanted).unwrap_or(View::Table);
        state
    }

    /// This page with the selection as it was made fit and some parameters replaced.
    pub fn address(&self, page: &Page, changes: &[(&str, Option<&str>)]) -> String {
        let mut pairs = self.request.pairs();
        let kept = ["view", "labels", "shade", "sort", "from"].into_iter().chain(CHART_OPTIONS);
        pairs
            .extend(kept.filter_map(|name| Some((name.to_owned(), page.parameters.get(name).filter(|text| !text.is_empty())?.to_owned()))));
        if page.language != 0 {
            pairs.push(("lang".into(), page.lang().into()));
        }
        pairs.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed.eq_ignore_ascii_case(name)));
        pairs.extend(changes.iter().filter_map(|(name, value)| Some(((*name).to_owned(), (*value)?.to_owned()))));
        address(&page.path, pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }

    /// This page for whoever it is sent to; `periods` stand for those chosen.
    pub fn permalink(&self, page: &Page, periods: Option<&str>) -> String {
        let name = format!("valueCodes[{TIME}]");
        let changes: &[(&str, Option<&str>)] = if periods.is_some() { &[(&name, periods), ("from", None)] } else { &[("from", None)] };
        self.address(page, changes)
    }

    /// The same with its periods written out, if they were chosen by an expression that means others in future.
    pub fn pinned(&self, page: &Page) -> Option<String> {
        let library = &page.shared.library;
        let query = self.query.as_ref()?;
        let codes: Vec<String> = query.releases.iter().map(|&release| library.period(release).to_owned()).collect();
        let written = &self.request.selections.iter().find(|one| one.variable.eq_ignore_ascii_case(TIME))?.values;
        (*written != codes).then(|| self.permalink(page, Some(&joined(&codes))))
    }

    /// Whether a node of an axis is chosen.
    pub fn holds(&self, library: &Library, axis: usize, code: &str) -> bool {
        let dimension = &library.dimensions[library.tables[self.table].axes[axis].dimension];
        match self.query.as_ref().map(|query| &query.axes[axis]) {
            Some(Chosen::Nodes { nodes, .. }) => dimension.find(code).is_some_and(|node| nodes.binary_search(&node).is_ok()),
            _ => false,
        }
    }
}

/// What is said of each variable in one place, in the order of the table.
fn merged(library: &Library, entry: &TableEntry, selections: Vec<Selection>) -> Vec<Selection> {
    let mut merged: Vec<Selection> = Vec::new();
    for selection in selections {
        match merged.iter_mut().find(|known| known.variable.eq_ignore_ascii_case(&selection.variable)) {
            None => merged.push(selection),
            Some(known) => {
                known.values.extend(selection.values);
                known.codelist = known.codelist.take().or(selection.codelist);
            }
        }
    }
    for selection in &mut merged {
        selection.codelist = selection.codelist.take().filter(|list| !list.is_empty());
        let mut seen = std::collections::HashSet::new();
        selection.values.retain(|value| seen.insert(value.clone()));
    }
    merged.retain(|selection| !selection.values.is_empty() || selection.codelist.is_some());
    let place = |selection: &Selection| {
        library.variables(entry).position(|variable| library.variable_code(entry, variable).eq_ignore_ascii_case(&selection.variable))
    };
    merged.sort_by_key(|selection| place(selection).unwrap_or(usize::MAX));
    merged
}

/// Takes codes out of a choice that its code list does not have. A place that lies above the list's level stands for what lies in it.
fn refit(library: &Library, entry: &TableEntry, selection: &mut Selection) {
    let axis = entry.axes.iter().find(|axis| library.dimensions[axis.dimension].variable.eq_ignore_ascii_case(&selection.variable));
    let Some((axis, id)) = axis.zip(selection.codelist.as_deref()) else { return };
    let Some(list) = library.codelist_of(axis, id).map(|at| &library.codelists[at]) else { return };
    let dimension = &library.dimensions[axis.dimension];
    selection.values = std::mem::take(&mut selection.values)
        .into_iter()
        .filter_map(|value| {
            let Ok(Expression::Code(code)) = Expression::parse(&value) else { return Some(value) };
            match &list.kind {
                CodeListKind::Aggregation(grouping) => grouping.values.iter().any(|group| group.code == code).then_some(value),
                CodeListKind::Valueset(nodes) => {
                    let node = dimension.find(&code)?;
                    if nodes.binary_search(&node).is_ok() {
                        return Some(value);
                    }
                    (dimension.nodes[node as usize].level < list.level).then(|| format!("within({code})"))
                }
            }
        })
        .collect();
}

/// The value of a button that chooses everything on the level of a code list that lies within a node.
pub fn level_button(codelist: &str, code: &str) -> String {
    format!("{codelist}:{code}")
}

/// Puts a whole level within a node in the place of what was chosen, where such a button was pressed.
fn choose_levels(page: &Page, entry: &TableEntry, request: &mut Request) {
    let library = &page.shared.library;
    for axis in &entry.axes {
        let variable = &library.dimensions[axis.dimension].variable;
        let Some((list, code)) = page.parameters.get(&format!("level[{variable}]")).and_then(|pressed| pressed.split_once(':')) else {
            continue;
        };
        request.selections.retain(|one| !one.variable.eq_ignore_ascii_case(variable));
        let values = vec![format!("within({code})")];
        request.selections.push(Selection { variable: variable.clone(), codelist: Some(list.to_owned()), values });
    }
}

/// Adds codes that were pasted: of whatever kind of writing, and separated by whatever separates.
fn paste(page: &Page, entry: &TableEntry, request: &mut Request) -> Vec<String> {
    let library = &page.shared.library;
    let mut unknown = Vec::new();
    for axis in &entry.axes {
        let dimension = &library.dimensions[axis.dimension];
        let Some(pasted) = page.parameters.get(&format!("paste[{}]", dimension.variable)) else { continue };
        let mut values = Vec::new();
        for code in
            pasted.split(|char: char| char.is_whitespace() || matches!(char, ',' | ';')).filter(|code| !code.is_empty()).take(10_000)
        {
            let official = || dimension.nodes.iter().position(|node| node.official.as_deref() == Some(code)).map(|at| at as u32);
            match dimension.find(code).or_else(official).filter(|node| axis.nodes.binary_search(node).is_ok()) {
                Some(node) => values.push(dimension.nodes[node as usize].code.clone()),
                None => unknown.push(code.chars().take(40).collect()),
            }
        }
        if !values.is_empty() {
            // A list pasted is meant as it is: a code list that lacks any of it gives way.
            for selection in request.selections.iter_mut().filter(|one| one.variable.eq_ignore_ascii_case(&dimension.variable)) {
                let list = selection.codelist.as_deref().and_then(|id| library.codelist_of(axis, id)).map(|at| &library.codelists[at].kind);
                let has = |node: &u32| matches!(list, Some(CodeListKind::Valueset(nodes)) if nodes.binary_search(node).is_ok());
                if !values.iter().all(|code| dimension.find(code).is_some_and(|node| has(&node))) {
                    selection.codelist = None;
                }
            }
            request.selections.push(Selection { variable: dimension.variable.clone(), codelist: None, values });
        }
    }
    unknown.truncate(20);
    unknown
}

/// Stub and heading: as they were placed, as far as that still holds; what has no place goes where it usually stands.
fn places(library: &Library, entry: &TableEntry, query: &Query, stub: &[String], heading: &[String]) -> (Vec<String>, Vec<String>) {
    let code = |variable: Variable| library.variable_code(entry, variable).to_owned();
    let present: Vec<String> = query.variables().map(code).collect();
    let mut seen: Vec<String> = Vec::new();
    let mut kept = |asked: &[String]| -> Vec<String> {
        let mut side = Vec::new();
        for name in asked {
            if let Some(name) = present.iter().find(|known| known.eq_ignore_ascii_case(name))
                && !seen.contains(name)
            {
                seen.push(name.clone());
                side.push(name.clone());
            }
        }
        side
    };
    let (mut stub, mut heading) = (kept(stub), kept(heading));
    // A region goes down the page, and so does what is long; a short list beside it goes across.
    let region = entry.region(library).map(Variable::Axis);
    let usual = stub.is_empty() && heading.is_empty();
    for variable in query.variables() {
        let name = code(variable);
        if stub.contains(&name) || heading.contains(&name) {
            continue;
        }
        let is_axis = matches!(variable, Variable::Axis(_));
        let several = query.variables().filter(|&other| matches!(other, Variable::Axis(_)) && query.size(other) > 1).count() > 1;
        let across = usual
            && is_axis
            && several
            && Some(variable) != region
            && query.size(variable) <= 6
            && !heading.iter().any(|other| entry_has(library, entry, other));
        if is_axis && !across { stub.push(name) } else { heading.push(name) }
    }
    if stub.is_empty() && !heading.is_empty() {
        stub.push(heading.remove(0));
    }
    (stub, heading)
}

/// Whether a code is that of an axis of the table.
fn entry_has(library: &Library, entry: &TableEntry, code: &str) -> bool {
    entry.axes.iter().any(|axis| library.dimensions[axis.dimension].variable == code)
}
