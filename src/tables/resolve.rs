//! From a request to a query: every variable with the codes that it means.

use super::{
    codelists::CodeListKind,
    defaults,
    expression::{Codes, Expression, Unselected},
    library::{AxisEntry, Library, TableEntry, fingerprint},
    narrow::NodeRuns,
    request::{Fault, Request, RequestError, Selection, known, shown},
    vintages::UnionDimension,
};
use crate::{
    register::{Grouping, Period},
    words::{self, Message},
};

/// Code of the variable that names the measure.
pub const CONTENTS: &str = "ContentsCode";
/// Code of the variable that names the period.
pub const TIME: &str = "Tid";

/// A variable of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variable {
    /// An axis, by its position in the table.
    Axis(usize),
    /// The measure.
    Contents,
    /// The period.
    Time,
}

/// What is chosen of an axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// Nothing: the total.
    Eliminated,
    /// Nodes, as positions in the union dimension, in order.
    Nodes {
        /// The value set that they were chosen from, if any.
        codelist: Option<usize>,
        /// The nodes.
        nodes: Vec<u32>,
    },
    /// Groups of an aggregation, as positions in it, in order.
    Groups {
        /// The aggregation.
        codelist: usize,
        /// The groups.
        groups: Vec<u32>,
    },
}

/// A request with nothing left to interpret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Position of the table in [`Library::tables`].
    pub table: usize,
    /// What is chosen of each axis.
    pub axes: Vec<Chosen>,
    /// The categories of the contents: 0 is the count, the others count [`TableEntry::measures`] from 1.
    pub contents: Vec<usize>,
    /// The releases whose periods are chosen, oldest first.
    pub releases: Vec<usize>,
    /// Variables that vary in the stub, slowest first.
    pub stub: Vec<Variable>,
    /// Variables that vary in the heading, after those in the stub.
    pub heading: Vec<Variable>,
    /// Number of cells.
    pub cells: u64,
}

impl Query {
    /// Every variable that is not eliminated, in the order of the cells: the last varies fastest.
    pub fn variables(&self) -> impl Iterator<Item = Variable> + Clone + '_ {
        self.stub.iter().chain(&self.heading).copied()
    }

    /// Number of codes chosen of a variable.
    pub fn size(&self, variable: Variable) -> usize {
        match variable {
            Variable::Contents => self.contents.len(),
            Variable::Time => self.releases.len(),
            Variable::Axis(axis) => match &self.axes[axis] {
                Chosen::Eliminated => 1,
                Chosen::Nodes { nodes, .. } => nodes.len(),
                Chosen::Groups { groups, .. } => groups.len(),
            },
        }
    }

    /// Number of cells that must be held for the answer: a measure may need more than it fills.
    pub fn needed(&self, library: &Library) -> u64 {
        let entry = &library.tables[self.table];
        let measures = self.contents.iter().filter_map(|&content| library.measure(entry, content));
        let most = measures.map(|measure| measure.kind.nodes().count() as u64).max().unwrap_or(0);
        self.cells + self.cells / self.contents.len().max(1) as u64 * most
    }

    /// A digest that two requests share if and only if they mean the same answer from the same releases. It depends on no cell.
    pub fn fingerprint(&self, library: &Library) -> String {
        let mut text: Vec<u8> = Vec::new();
        let mut list = |mark: u8, codelist: Option<usize>, items: &mut dyn Iterator<Item = u32>| {
            text.push(mark);
            text.extend(codelist.map_or(u32::MAX, |at| at as u32).to_le_bytes());
            let start = text.len();
            text.extend([0; 4]);
            for item in items {
                text.extend(item.to_le_bytes());
            }
            let length = (text.len() - start) as u32;
            text[start..start + 4].copy_from_slice(&length.to_le_bytes());
        };
        for axis in &self.axes {
            match axis {
                Chosen::Eliminated => list(b'e', None, &mut std::iter::empty()),
                Chosen::Nodes { codelist, nodes } => list(b'n', *codelist, &mut nodes.iter().copied()),
                Chosen::Groups { codelist, groups } => list(b'g', Some(*codelist), &mut groups.iter().copied()),
            }
        }
        let place = |variable: &Variable| match variable {
            Variable::Axis(axis) => *axis as u32,
            Variable::Contents => u32::MAX,
            Variable::Time => u32::MAX - 1,
        };
        list(b'c', None, &mut self.contents.iter().map(|&at| at as u32));
        list(b't', None, &mut self.releases.iter().map(|&at| at as u32));
        list(b's', None, &mut self.stub.iter().map(place));
        list(b'h', None, &mut self.heading.iter().map(place));
        let id = library.tables[self.table].table.id.as_bytes();
        fingerprint([library.fingerprint.as_bytes(), id, text.as_slice()].into_iter())
    }
}

/// Works out what a request means, without reading a cell. An empty request means the default selection.
///
/// # Errors
/// Says what is wrong, what there is instead, and for a selection of more than `most` cells which variable to narrow.
pub fn resolve(library: &Library, table: usize, request: &Request, most: u64) -> Result<Query, RequestError> {
    let entry = &library.tables[table];
    let resolver = Resolver { library, entry };
    let default;
    let selections = if request.selections.is_empty() {
        default = defaults::selection(library, entry);
        &default
    } else {
        &request.selections
    };
    let merged = resolver.merge(selections)?;
    let of = |variable: Variable| merged.iter().find(|(at, _)| *at == variable).map(|(_, selection)| selection);
    let mut axes = Vec::with_capacity(entry.axes.len());
    for at in 0..entry.axes.len() {
        axes.push(resolver.axis(at, of(Variable::Axis(at)))?);
    }
    let contents = resolver.mandatory(Variable::Contents, of(Variable::Contents), &Contents { library, entry })?;
    let contents: Vec<usize> = contents.into_iter().map(|at| at as usize).collect();
    let periods = Periods { library, span: &entry.span };
    let chosen = resolver.mandatory(Variable::Time, of(Variable::Time), &periods)?;
    let releases: Vec<usize> = chosen.into_iter().map(|at| entry.span[at as usize]).collect();

    let mut query = Query { table, axes, contents, releases, stub: Vec::new(), heading: Vec::new(), cells: 0 };
    let mut present: Vec<Variable> = (0..query.axes.len()).filter(|&at| query.axes[at] != Chosen::Eliminated).map(Variable::Axis).collect();
    present.extend([Variable::Contents, Variable::Time]);
    (query.stub, query.heading) = resolver.place(request, &present)?;
    let sizes: Vec<u64> = present.iter().map(|&variable| query.size(variable) as u64).collect();
    let cells: u128 = sizes.iter().map(|&size| u128::from(size)).product();
    if cells > u128::from(most) {
        let parts: Vec<String> =
            present.iter().zip(&sizes).map(|(&variable, size)| format!("{} {size}", resolver.code(variable))).collect();
        let widest = present.iter().zip(&sizes).max_by_key(|(_, size)| **size).map_or("", |(&variable, _)| resolver.code(variable));
        let detail = words::TOO_MANY_CELLS.with(cells.to_string()).and(parts.join(" x ")).and(most).and(widest);
        return Err(RequestError::new(Fault::TooMany, detail));
    }
    query.cells = cells as u64;
    Ok(query)
}

/// Every code of every variable, as metadata shows a table; `codelists` replaces the nodes of the variables it names.
pub fn everything(library: &Library, table: usize, codelists: &[Selection]) -> Result<Query, RequestError> {
    let entry = &library.tables[table];
    let all = |variable: &str| Selection { variable: variable.into(), codelist: None, values: vec!["*".into()] };
    let axes = entry.axes.iter().map(|axis| library.dimensions[axis.dimension].variable.as_str());
    let mut selections: Vec<Selection> = axes.chain([CONTENTS, TIME]).map(all).collect();
    for selection in codelists {
        let chosen = selections.iter_mut().find(|known| known.variable.eq_ignore_ascii_case(&selection.variable));
        match chosen {
            Some(chosen) => chosen.codelist.clone_from(&selection.codelist),
            None => selections.push(selection.clone()),
        }
    }
    resolve(library, table, &Request { selections, ..Request::default() }, u64::MAX)
}

struct Resolver<'a> {
    library: &'a Library,
    entry: &'a TableEntry,
}

impl<'a> Resolver<'a> {
    fn dimension(&self, axis: usize) -> &'a UnionDimension {
        &self.library.dimensions[self.entry.axes[axis].dimension]
    }

    fn code(&self, variable: Variable) -> &'a str {
        match variable {
            Variable::Axis(axis) => &self.dimension(axis).variable,
            Variable::Contents => CONTENTS,
            Variable::Time => TIME,
        }
    }

    fn variables(&self) -> impl Iterator<Item = Variable> + Clone + use<> {
        (0..self.entry.axes.len()).map(Variable::Axis).chain([Variable::Contents, Variable::Time])
    }

    fn variable(&self, code: &str) -> Option<Variable> {
        self.variables().find(|&variable| self.code(variable).eq_ignore_ascii_case(code))
    }

    /// Puts together what is said of the same variable in several places.
    fn merge(&self, selections: &[Selection]) -> Result<Vec<(Variable, Selection)>, RequestError> {
        let mut merged: Vec<(Variable, Selection)> = Vec::new();
        for selection in selections {
            let Some(variable) = self.variable(&selection.variable) else {
                let there = known(&selection.variable, self.variables().map(|variable| self.code(variable)));
                let detail = words::NO_VARIABLE.with(self.entry.table.id.as_str()).and(shown(&selection.variable)).and(there);
                return Err(RequestError::new(Fault::NoVariable, detail));
            };
            match merged.iter_mut().find(|(at, _)| *at == variable) {
                None => merged.push((variable, selection.clone())),
                Some((_, known)) => {
                    if known.codelist.is_some() && selection.codelist.is_some() && known.codelist != selection.codelist {
                        let detail = words::TWO_CODE_LISTS.with(self.code(variable));
                        return Err(RequestError::new(Fault::NoCodeList, detail));
                    }
                    known.values.extend(selection.values.iter().cloned());
                    known.codelist = known.codelist.take().or_else(|| selection.codelist.clone());
                }
            }
        }
        Ok(merged)
    }

    fn axis(&self, at: usize, selection: Option<&Selection>) -> Result<Chosen, RequestError> {
        let Some(selection) = selection else { return Ok(Chosen::Eliminated) };
        let (entry, dimension) = (&self.entry.axes[at], self.dimension(at));
        let variable = Variable::Axis(at);
        let Some(id) = selection.codelist.as_deref().filter(|id| !id.is_empty()) else {
            if selection.values.is_empty() {
                return Ok(Chosen::Eliminated);
            }
            let nodes = Nodes { dimension, nodes: &entry.nodes, seen: entry.seen.as_deref() };
            let chosen = self.choose(variable, &selection.values, &nodes)?;
            return Ok(Chosen::Nodes { codelist: None, nodes: chosen.into_iter().map(|at| entry.nodes[at as usize]).collect() });
        };
        let codelist = self.fitting(entry, variable, id)?;
        let everything = ["*".to_owned()];
        let values = if selection.values.is_empty() { &everything[..] } else { &selection.values };
        match &self.library.codelists[codelist].kind {
            CodeListKind::Valueset(list) => {
                let chosen = self.choose(variable, values, &Nodes { dimension, nodes: list, seen: entry.seen.as_deref() })?;
                Ok(Chosen::Nodes { codelist: Some(codelist), nodes: chosen.into_iter().map(|at| list[at as usize]).collect() })
            }
            CodeListKind::Aggregation(grouping) => {
                Ok(Chosen::Groups { codelist, groups: self.choose(variable, values, &Groups(grouping))? })
            }
        }
    }

    fn fitting(&self, entry: &AxisEntry, variable: Variable, id: &str) -> Result<usize, RequestError> {
        self.library.codelist_of(entry, id).ok_or_else(|| {
            let there = known(id, entry.codelists.iter().map(|&at| self.library.codelists[at].id.as_str()));
            let problem = if self.library.codelist(id).is_some() { &words::CODE_LIST_DOES_NOT_FIT } else { &words::NO_CODE_LIST_FOR };
            let detail = problem.with(shown(id)).and(self.code(variable)).and(self.entry.table.id.as_str()).and(there);
            RequestError::new(Fault::NoCodeList, detail)
        })
    }

    fn mandatory(&self, variable: Variable, selection: Option<&Selection>, codes: &dyn Codes) -> Result<Vec<u32>, RequestError> {
        let code = self.code(variable);
        let Some(selection) = selection else {
            return Err(RequestError::new(Fault::Missing, words::NOT_SELECTED.with(code)));
        };
        if let Some(id) = selection.codelist.as_deref().filter(|id| !id.is_empty()) {
            return Err(RequestError::new(Fault::NoCodeList, words::NO_CODE_LISTS.with(shown(id)).and(code)));
        }
        if selection.values.is_empty() {
            return Err(RequestError::new(Fault::Nothing, words::NOTHING_SELECTED.with(code)));
        }
        self.choose(variable, &selection.values, codes)
    }

    /// The positions that expressions mean, in order and each once.
    fn choose(&self, variable: Variable, values: &[String], codes: &dyn Codes) -> Result<Vec<u32>, RequestError> {
        let mut chosen = Vec::new();
        for value in values {
            let result = Expression::parse(value).and_then(|expression| expression.select(codes, &mut chosen));
            if let Err(unselected) = result {
                return Err(self.unselected(variable, value, &unselected, codes));
            }
        }
        if !chosen.is_sorted_by(|a, b| a < b) {
            chosen.sort_unstable();
            chosen.dedup();
        }
        Ok(chosen)
    }

    fn unselected(&self, variable: Variable, value: &str, unselected: &Unselected, codes: &dyn Codes) -> RequestError {
        let (name, value) = (self.code(variable), shown(value));
        let there = |asked: &str| known(asked, (0..codes.count()).map(|at| codes.code(at)));
        match unselected {
            Unselected::Malformed => RequestError::new(Fault::Expression, words::NO_EXPRESSION.with(value).and(name)),
            Unselected::NoCode(code) => {
                let finer = match variable {
                    Variable::Axis(axis) => self.dimension(axis).find(code).is_some(),
                    _ => false,
                };
                if variable == Variable::Time
                    && let Some(withdrawn) = self.library.withdrawn_period(code)
                {
                    return RequestError::new(Fault::Withdrawn, withdrawn);
                }
                if let Variable::Axis(axis) = variable
                    && let Some(outside) = self.library.outside_of(self.entry, self.entry.axes[axis].dimension, code)
                {
                    return RequestError::new(Fault::OutOfScope, outside);
                }
                let problem = if finer { &words::NO_CODE_HERE } else { &words::NO_CODE };
                RequestError::new(Fault::NoValue, problem.with(name).and(shown(code)).and(there(code)))
            }
            Unselected::Nothing => {
                let there = there(&value);
                RequestError::new(Fault::NoValue, words::MATCHES_NOTHING.with(value).and(name).and(there))
            }
        }
    }

    /// Stub and heading. Who names only one leaves the rest to the other; who names both names all.
    fn place(&self, request: &Request, present: &[Variable]) -> Result<(Vec<Variable>, Vec<Variable>), RequestError> {
        let is_axis = |variable: &Variable| matches!(variable, Variable::Axis(_));
        if request.heading.is_empty() && request.stub.is_empty() {
            return Ok(present.iter().partition(|variable| is_axis(variable)));
        }
        let refuse = |problem: Message| {
            let there = present.iter().map(|&variable| self.code(variable)).collect::<Vec<_>>().join(", ");
            Err(RequestError::new(Fault::Placement, problem.and(there)))
        };
        let mut placed: [Vec<Variable>; 2] = [Vec::new(), Vec::new()];
        for (side, code) in request.stub.iter().map(|code| (0, code)).chain(request.heading.iter().map(|code| (1, code))) {
            let found = if code.eq_ignore_ascii_case("TIME") { Some(Variable::Time) } else { self.variable(code) };
            let Some(variable) = found.filter(|variable| present.contains(variable)) else {
                return refuse(words::NOT_AMONG_SELECTED.with(shown(code)));
            };
            if placed.iter().flatten().any(|known| *known == variable) {
                return refuse(words::PLACED_TWICE.with(self.code(variable)));
            }
            placed[side].push(variable);
        }
        let rest: Vec<Variable> =
            present.iter().copied().filter(|variable| !placed.iter().flatten().any(|known| known == variable)).collect();
        let [mut stub, mut heading] = placed;
        match (request.stub.is_empty(), request.heading.is_empty()) {
            (true, _) => stub = rest,
            (_, true) => heading = rest,
            _ => {
                if let Some(&forgotten) = rest.first() {
                    return refuse(words::PLACED_NOWHERE.with(self.code(forgotten)));
                }
            }
        }
        Ok((stub, heading))
    }
}

/// Nodes of a dimension: those of an axis or of a value set.
struct Nodes<'a> {
    dimension: &'a UnionDimension,
    nodes: &'a [u32],
    /// Those of the dimension that may be seen; `None`: all.
    seen: Option<&'a NodeRuns>,
}

impl Codes for Nodes<'_> {
    fn count(&self) -> usize {
        self.nodes.len()
    }
    fn code(&self, at: usize) -> &str {
        &self.dimension.nodes[self.nodes[at] as usize].code
    }
    fn find(&self, code: &str) -> Option<usize> {
        self.nodes.binary_search(&self.dimension.find(code)?).ok()
    }
    fn below(&self, code: &str, all: bool) -> Result<Vec<u32>, Unselected> {
        let is_seen = |node: &u32| self.seen.is_none_or(|seen| seen.contains(*node));
        let above = self.dimension.find(code).filter(is_seen).ok_or_else(|| Unselected::NoCode(code.to_owned()))?;
        let span = self.dimension.subtree(above);
        let (first, last) = (self.nodes.partition_point(|&node| node < span.start), self.nodes.partition_point(|&node| node < span.end));
        let wanted = |at: &usize| all || self.dimension.nodes[self.nodes[*at] as usize].parent == Some(above);
        Ok((first..last).filter(wanted).map(|at| at as u32).collect())
    }
}

struct Groups<'a>(&'a Grouping);

impl Codes for Groups<'_> {
    fn count(&self) -> usize {
        self.0.values.len()
    }
    fn code(&self, at: usize) -> &str {
        &self.0.values[at].code
    }
    fn find(&self, code: &str) -> Option<usize> {
        let exact = self.0.values.iter().position(|group| group.code == code);
        exact.or_else(|| self.0.values.iter().position(|group| group.code.eq_ignore_ascii_case(code)))
    }
}

struct Contents<'a> {
    library: &'a Library,
    entry: &'a TableEntry,
}

impl Codes for Contents<'_> {
    fn count(&self) -> usize {
        1 + self.entry.measures.len()
    }
    fn code(&self, at: usize) -> &str {
        self.library.contents(self.entry, at).0
    }
    fn find(&self, code: &str) -> Option<usize> {
        (0..self.count()).find(|&at| self.code(at).eq_ignore_ascii_case(code))
    }
}

struct Periods<'a> {
    library: &'a Library,
    span: &'a [usize],
}

impl Periods<'_> {
    fn period(&self, at: usize) -> Period {
        self.library.releases[self.span[at]].manifest.period
    }
}

impl Codes for Periods<'_> {
    fn count(&self) -> usize {
        self.span.len()
    }
    fn code(&self, at: usize) -> &str {
        self.library.period(self.span[at])
    }
    fn find(&self, code: &str) -> Option<usize> {
        (0..self.span.len()).find(|&at| self.code(at).eq_ignore_ascii_case(code))
    }
    fn newest_first(&self) -> bool {
        true
    }
    fn place(&self, code: &str) -> Option<usize> {
        let period: Period = code.to_ascii_uppercase().parse().ok()?;
        (period.frequency() == self.library.register.frequency).then(|| (0..self.span.len()).filter(|&at| self.period(at) < period).count())
    }
}
