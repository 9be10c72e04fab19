//! What a chart asks of a table: the selection of a client, filled up with what the kind of chart needs.

use super::draw::{bars::Stacking, classes::Method};
use crate::{
    register::{PyramidParts, Role},
    tables::{
        CONTENTS, Chosen, Fault, Library, Query, Request, RequestError, Selection, TIME, TableEntry, UnionDimension, Variable, resolve,
    },
    words::{self, Message},
};

/// A kind of chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChartKind {
    /// Ages upwards, one side for each sex.
    Pyramid,
    /// A bar for each category.
    Bars,
    /// A line over periods for each category.
    Lines,
    /// Categories in order of their numbers.
    Ranking,
    /// A table shaded by its numbers.
    Heat,
    /// Regions in the colour of their class.
    Map,
}

/// Names of the kinds.
pub const CHART_KINDS: [&str; 6] = ["pyramid", "bars", "lines", "ranking", "heat", "map"];

const KINDS: [ChartKind; 6] = [ChartKind::Pyramid, ChartKind::Bars, ChartKind::Lines, ChartKind::Ranking, ChartKind::Heat, ChartKind::Map];

impl ChartKind {
    /// Reads the name of a kind.
    pub fn parse(name: &str) -> Option<Self> {
        CHART_KINDS.iter().position(|known| known.eq_ignore_ascii_case(name)).map(|at| KINDS[at])
    }

    /// Its name.
    pub fn id(self) -> &'static str {
        CHART_KINDS[self as usize]
    }
}

/// Categories of one chart that can be told apart by colour.
pub const MOST_SERIES: usize = 8;
/// Categories that can still be read one below the other.
pub const MOST_CATEGORIES: usize = 200;
/// Columns of a shaded table that find room.
pub const MOST_COLUMNS: usize = 60;
/// Cells that one chart may need.
const MOST_CELLS: u64 = 50_000;

/// Classes of a map or a shaded table, if nobody says how many.
pub const CLASS_COUNT: usize = 5;

/// What a chart shows beside the choice of its numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct ChartOptions {
    /// How bars stand.
    pub stacking: Stacking,
    /// Whether a pyramid shows parts of a hundred.
    pub share: bool,
    /// Places of a ranking.
    pub places: usize,
    /// Whether a ranking begins with the least.
    pub lowest: bool,
    /// Classes of maps and shaded tables.
    pub method: Method,
    /// Whether the axis of lines begins at zero.
    pub from_zero: bool,
    /// A variable and another code of it, with which a pyramid is compared.
    pub compare: Option<(String, String)>,
    /// What stands for the title.
    pub title: Option<String>,
}

impl Default for ChartOptions {
    fn default() -> Self {
        Self {
            stacking: Stacking::Grouped,
            share: false,
            places: 10,
            lowest: false,
            method: Method::Quantile(CLASS_COUNT),
            from_zero: false,
            compare: None,
            title: None,
        }
    }
}

/// The queries behind a chart.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What kind of chart.
    pub kind: ChartKind,
    /// The numbers.
    pub query: Query,
    /// Those that are compared with.
    pub other: Option<Query>,
    /// The total of which parts are shown.
    pub whole: Option<Query>,
    /// The total of what is compared with, likewise.
    pub other_whole: Option<Query>,
}

pub fn illegal(detail: impl Into<Message>) -> RequestError {
    RequestError { fault: Fault::Chart, detail: detail.into() }
}

/// Works out what a chart needs, without reading a cell.
///
/// # Errors
/// Says what is wrong with the selection, or why this kind of chart cannot show it.
pub fn plan(library: &Library, table: usize, kind: ChartKind, request: &Request, options: &ChartOptions) -> Result<Plan, RequestError> {
    let entry = &library.tables[table];
    let planner = Planner { library, entry };
    let filled = planner.filled(kind, request)?;
    let query = resolve(library, table, &filled, MOST_CELLS)?;
    planner.fits(kind, &query)?;
    let (mut other, mut whole, mut other_whole) = (None, None, None);
    if kind == ChartKind::Pyramid {
        let compared = options.compare.as_ref().map(|(variable, code)| replaced(&filled, variable, code));
        // Comparing with itself would say nothing.
        other = compared.as_ref().map(|request| resolve(library, table, request, MOST_CELLS)).transpose()?.filter(|other| *other != query);
        if options.share {
            let total = |request: &Request| planner.total(request).and_then(|request| resolve(library, table, &request, MOST_CELLS));
            whole = Some(total(&filled)?);
            other_whole = compared.as_ref().filter(|_| other.is_some()).map(total).transpose()?;
        }
    }
    Ok(Plan { kind, query, other, whole, other_whole })
}

/// Axes of the ages and of the sides of a pyramid, and what they are.
pub fn pyramid_axes<'l>(library: &'l Library, entry: &TableEntry) -> Result<(usize, usize, &'l PyramidParts), RequestError> {
    let axis = |id: &str| entry.axes.iter().position(|axis| library.dimensions[axis.dimension].id == id);
    let found = library.register.charts.pyramid.as_ref().and_then(|parts| Some((axis(&parts.ages)?, axis(&parts.sides)?, parts)));
    found.ok_or_else(|| illegal(words::NO_PYRAMID.with(entry.table.id.as_str())))
}

/// Whether a population pyramid can be drawn of a table.
pub fn has_pyramid(library: &Library, entry: &TableEntry) -> bool {
    pyramid_axes(library, entry).is_ok()
}

/// The same request with another code of one variable.
fn replaced(request: &Request, variable: &str, code: &str) -> Request {
    let mut request = request.clone();
    request.selections.retain(|one| !one.variable.eq_ignore_ascii_case(variable));
    request.selections.push(Selection { variable: variable.to_owned(), codelist: None, values: vec![code.to_owned()] });
    request
}

struct Planner<'a> {
    library: &'a Library,
    entry: &'a TableEntry,
}

impl Planner<'_> {
    fn dimension(&self, axis: usize) -> &UnionDimension {
        &self.library.dimensions[self.entry.axes[axis].dimension]
    }

    /// The same request for all ages and both sides of a pyramid together.
    fn total(&self, request: &Request) -> Result<Request, RequestError> {
        let (ages, sides, _) = pyramid_axes(self.library, self.entry)?;
        let summed = [ages, sides].map(|axis| &self.dimension(axis).variable);
        let kept = request.selections.iter().filter(|one| !summed.iter().any(|variable| one.variable.eq_ignore_ascii_case(variable)));
        Ok(Request { selections: kept.cloned().collect(), ..Request::default() })
    }

    /// The request with a choice of everything that this kind of chart needs and the client did not choose.
    fn filled(&self, kind: ChartKind, request: &Request) -> Result<Request, RequestError> {
        let mut request = request.clone();
        let chosen = |request: &Request, variable: &str| request.selections.iter().any(|one| one.variable.eq_ignore_ascii_case(variable));
        let choose = |request: &mut Request, variable: &str, codelist: Option<String>, values: &[&str]| {
            if !chosen(request, variable) {
                let values = values.iter().map(|&value| value.to_owned()).collect();
                request.selections.push(Selection { variable: variable.to_owned(), codelist, values });
            }
        };
        choose(&mut request, CONTENTS, None, &[&self.entry.table.contents.code]);
        let nothing =
            request.selections.iter().all(|one| one.variable.eq_ignore_ascii_case(CONTENTS) || one.variable.eq_ignore_ascii_case(TIME));
        choose(&mut request, TIME, None, &[if kind == ChartKind::Lines { "*" } else { "top(1)" }]);
        let list = |axis: usize, level: u8| (self.dimension(axis).variable.as_str(), self.dimension(axis).valueset(level));
        match kind {
            ChartKind::Pyramid => {
                let (ages, sides, parts) = pyramid_axes(self.library, self.entry)?;
                let (variable, codelist) = list(ages, self.entry.axes[ages].level);
                choose(&mut request, variable, Some(codelist), &["*"]);
                choose(&mut request, &self.dimension(sides).variable, None, &[&parts.codes[0], &parts.codes[1]]);
            }
            ChartKind::Map | ChartKind::Ranking => {
                if let Some(axis) = self.entry.region(self.library)
                    && (kind == ChartKind::Map || nothing)
                {
                    let (variable, codelist) = list(axis, 1.min(self.entry.axes[axis].level));
                    choose(&mut request, variable, Some(codelist), &["*"]);
                }
            }
            ChartKind::Bars | ChartKind::Heat => {
                if nothing && let Some(axis) = (0..self.entry.axes.len()).find(|&axis| self.dimension(axis).role != Role::Geo) {
                    let (variable, codelist) = list(axis, self.entry.axes[axis].level);
                    choose(&mut request, variable, Some(codelist), &["*"]);
                }
            }
            ChartKind::Lines => {}
        }
        Ok(request)
    }

    /// Whether a kind of chart can show as many variables as vary.
    fn fits(&self, kind: ChartKind, query: &Query) -> Result<(), RequestError> {
        let varying = varying(query);
        let named = |variables: &[Variable]| {
            variables
                .iter()
                .map(|&variable| format!("{} {}", self.library.variable_code(self.entry, variable), query.size(variable)))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let expect = |right: bool, needs: &'static words::Phrase| {
            let there = if varying.is_empty() { "–".to_owned() } else { named(&varying) };
            if right { Ok(()) } else { Err(illegal(words::CHART_NEEDS.with(kind.id()).and(Message::from(needs)).and(there))) }
        };
        let region = self.entry.region(self.library).map(Variable::Axis);
        match kind {
            ChartKind::Pyramid => {
                let (ages, sides, _) = pyramid_axes(self.library, self.entry)?;
                let right = varying.iter().all(|variable| [Variable::Axis(ages), Variable::Axis(sides)].contains(variable));
                expect(right && query.size(Variable::Axis(sides)) == 2 && query.size(Variable::Axis(ages)) > 1, &words::NEEDS_PYRAMID)
            }
            ChartKind::Bars => expect((1..=2).contains(&varying.len()), &words::NEEDS_ONE_OR_TWO),
            ChartKind::Heat => expect(varying.len() == 2, &words::NEEDS_TWO),
            ChartKind::Ranking => expect(varying.len() == 1, &words::NEEDS_ONE),
            ChartKind::Lines => {
                let others = varying.iter().filter(|variable| **variable != Variable::Time).count();
                expect(others <= 1, &words::NEEDS_PERIODS)
            }
            ChartKind::Map => expect(varying.iter().all(|variable| Some(*variable) == region) && region.is_some(), &words::NEEDS_REGIONS),
        }
    }
}

/// The variables of a query that have more than one category.
pub fn varying(query: &Query) -> Vec<Variable> {
    query.variables().filter(|&variable| query.size(variable) > 1).collect()
}

/// Which of the categories chosen of a variable are not the sum of others that are chosen too.
pub fn parts(library: &Library, query: &Query, variable: Variable) -> Vec<usize> {
    let count = query.size(variable);
    let mut whole = vec![false; count];
    if let Variable::Axis(axis) = variable
        && let Chosen::Nodes { .. } = &query.axes[axis]
    {
        for parent in library.parents(query, axis).into_iter().flatten() {
            whole[parent] = true;
        }
    }
    (0..count).filter(|&at| !whole[at]).collect()
}
