//! From an answer to a picture: which numbers go where, and what is said around them.

use std::sync::Arc;

use super::{
    boundaries::Boundaries,
    draw::{
        bars::{Bars, Series, Stacking},
        frame::{Style, Texts, Value},
        heat::Heat,
        lines::{Line, Lines},
        map::{Map, Place},
        pyramid::{Pyramid, Side},
        {Drawing, Drawn},
    },
    ground::ground,
    plan::{ChartKind, ChartOptions, MOST_CATEGORIES, MOST_COLUMNS, MOST_SERIES, Plan, illegal, parts, pyramid_axes, varying},
    ranking::ranked,
    telling::{band, breaks, map_notes, method_note, ranking_notes, source_line, told_apart},
};
use crate::{
    tables::{Answer, CellStatus, Chosen, Library, Query, RequestError, TableEntry, UnionDimension, Variable},
    words::{self, Phrase, Tongue},
};

/// What a chart is drawn from: the answers to the queries of its plan.
#[derive(Debug, Clone)]
pub struct Answers {
    /// The numbers.
    pub main: Arc<Answer>,
    /// Those that are compared with.
    pub other: Option<Arc<Answer>>,
    /// The total of which parts are shown.
    pub whole: Option<Arc<Answer>>,
    /// The total of what is compared with, likewise.
    pub other_whole: Option<Arc<Answer>>,
}

/// Draws a chart.
///
/// # Errors
/// Where the numbers are too many for the kind of chart, or regions have no place on a map.
pub fn draw(
    library: &Library,
    plan: &Plan,
    answers: &Answers,
    options: &ChartOptions,
    language: usize,
    mut style: Style,
    boundaries: &Boundaries,
) -> Result<Drawn, RequestError> {
    let figure = Figure {
        library,
        entry: &library.tables[plan.query.table],
        query: &plan.query,
        answer: &answers.main,
        options,
        language,
        tongue: library.tongue(language),
    };
    style.decimals = if options.share && plan.kind == ChartKind::Pyramid { 1 } else { usize::from(answers.main.decimals(0)) };
    let drawing = match plan.kind {
        ChartKind::Pyramid => Drawing::Pyramid(figure.pyramid(plan, answers)?),
        ChartKind::Bars => Drawing::Bars(figure.bars()?),
        ChartKind::Ranking => Drawing::Bars(figure.ranking()),
        ChartKind::Lines => Drawing::Lines(figure.lines()?),
        ChartKind::Heat => Drawing::Heat(figure.heat()?),
        ChartKind::Map => Drawing::Map(figure.map(boundaries)?),
    };
    drawing.drawn(&style).map_err(illegal)
}

struct Figure<'a> {
    library: &'a Library,
    entry: &'a TableEntry,
    query: &'a Query,
    answer: &'a Answer,
    options: &'a ChartOptions,
    language: usize,
    tongue: Tongue,
}

/// The cell of an answer at these categories; the first of every other variable.
fn value(answer: &Answer, at: &[(Variable, usize)]) -> Value {
    let mut cell = 0;
    for variable in answer.query.variables() {
        let position = at.iter().find(|(other, _)| *other == variable).map_or(0, |(_, position)| *position);
        cell = cell * answer.query.size(variable) + position;
    }
    match answer.statuses.get(cell) {
        Some(CellStatus::Published) => Value::Number(answer.values[cell] as f64 / 10f64.powi(i32::from(answer.decimals(cell)))),
        Some(CellStatus::Suppressed) => Value::Suppressed,
        Some(CellStatus::Impossible) => Value::Impossible,
        Some(CellStatus::Unavailable) | None => Value::Unavailable,
    }
}

/// A name as it is written within a sentence; what begins with several capitals stays as it is.
fn within(name: &str) -> String {
    let mut chars = name.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => first.to_lowercase().chain(chars).collect(),
        _ => name.to_owned(),
    }
}

impl Figure<'_> {
    fn say(&self, phrase: &Phrase) -> &'static str {
        phrase.text(self.tongue)
    }

    fn labels(&self, variable: Variable) -> Vec<String> {
        let labels: Vec<String> =
            self.library.categories(self.query, variable, self.language).iter().map(|category| category.label.to_owned()).collect();
        self.told_apart(variable, labels)
    }

    fn told_apart(&self, variable: Variable, labels: Vec<String>) -> Vec<String> {
        match (self.dimension(variable), self.nodes(variable)) {
            (Some(dimension), nodes) if !nodes.is_empty() => told_apart(dimension, &labels, &nodes, self.language),
            _ => labels,
        }
    }

    fn dimension(&self, variable: Variable) -> Option<&UnionDimension> {
        match variable {
            Variable::Axis(axis) => Some(&self.library.dimensions[self.entry.axes[axis].dimension]),
            Variable::Contents | Variable::Time => None,
        }
    }

    /// The nodes that were chosen of a variable; none where groups were.
    fn nodes(&self, variable: Variable) -> Vec<Option<u32>> {
        match variable {
            Variable::Axis(axis) => match &self.query.axes[axis] {
                Chosen::Nodes { nodes, .. } => nodes.iter().copied().map(Some).collect(),
                Chosen::Eliminated | Chosen::Groups { .. } => Vec::new(),
            },
            Variable::Contents | Variable::Time => Vec::new(),
        }
    }

    /// What the numbers are: the unit of the measure.
    fn unit(&self) -> &str {
        match self.query.contents.first().and_then(|&content| self.library.measure(self.entry, content)) {
            Some(measure) => measure.unit.text(self.language),
            None => self.entry.table.contents.unit.text(self.language),
        }
    }

    /// Title, subtitle, notes and source. `shown` are the variables that the picture itself names.
    fn texts(&self, shown: &[Variable], notes: Vec<String>) -> Texts {
        let (library, entry) = (self.library, self.entry);
        let contents = self.query.contents.first().map_or("", |&content| library.contents(entry, content).1.text(self.language));
        let region = entry.region(library).map(Variable::Axis);
        // An axis of time says itself what it is.
        let named = shown.iter().filter(|variable| **variable != Variable::Time);
        let by: Vec<String> = named.map(|&variable| within(library.variable_label(entry, variable, self.language))).collect();
        let by = match by.split_last() {
            None => String::new(),
            Some((only, [])) => format!(" {} {only}", self.say(&words::CHART_BY)),
            Some((last, others)) => format!(" {} {} {} {last}", self.say(&words::CHART_BY), others.join(", "), self.say(&words::CHART_AND)),
        };
        let mut title = format!("{contents}{by}");
        let mut details: Vec<String> = Vec::new();
        for variable in library.variables(entry).filter(|variable| !shown.contains(variable) && *variable != Variable::Contents) {
            let labels = self.labels(variable);
            let Some(label) = labels.first() else { continue };
            if Some(variable) == region {
                title = format!("{title}: {label}");
            } else if !self.is_total(variable) {
                details.push(label.clone());
            }
        }
        if shown.contains(&Variable::Time) {
            let labels = self.labels(Variable::Time);
            if let (Some(first), Some(last)) = (labels.first(), labels.last()) {
                details.push(if first == last { first.clone() } else { format!("{first} – {last}") });
            }
        }
        let mandatory = entry.table.notes.iter().filter(|note| {
            let axis = entry.table.axes.iter().position(|axis| Some(&axis.dimension) == note.dimension.as_ref());
            note.mandatory
                && note.node.is_none()
                && (note.dimension.is_none() || axis.is_some_and(|axis| shown.contains(&Variable::Axis(axis))))
        });
        let notes = mandatory.map(|note| note.text.text(self.language).to_owned()).chain(notes).collect();
        let source = source_line(library, self.language, self.query.releases.iter().copied());
        Texts::new(self.options.title.as_deref(), title, details, notes, source)
    }

    /// Whether a variable stands at its total.
    fn is_total(&self, variable: Variable) -> bool {
        match variable {
            Variable::Axis(axis) => match &self.query.axes[axis] {
                Chosen::Eliminated => true,
                Chosen::Nodes { nodes, .. } => nodes[..] == [0],
                Chosen::Groups { .. } => false,
            },
            Variable::Contents | Variable::Time => false,
        }
    }

    fn pyramid(&self, plan: &Plan, answers: &Answers) -> Result<Pyramid, RequestError> {
        let (ages, sides, told) = pyramid_axes(self.library, self.entry)?;
        let (ages, sides) = (Variable::Axis(ages), Variable::Axis(sides));
        let places = parts(self.library, self.query, ages);
        let whole = |answer: &Option<Arc<Answer>>| answer.as_ref().map(|answer| value(answer, &[]));
        let (main_whole, other_whole) = (whole(&answers.whole), whole(&answers.other_whole));
        let values = |answer: &Answer, side: usize, whole: Option<Value>| -> Vec<Value> {
            let one = |&place: &usize| match (value(answer, &[(ages, place), (sides, side)]), whole) {
                (Value::Number(number), Some(Value::Number(whole))) if whole > 0.0 => Value::Number(100.0 * number / whole),
                (Value::Number(_), Some(_)) => Value::Unavailable,
                (value, _) => value,
            };
            places.iter().map(one).collect()
        };
        let names = self.labels(sides);
        let side = |at: usize| Side {
            label: names.get(at).cloned().unwrap_or_default(),
            values: values(self.answer, at, main_whole),
            other: answers.other.as_ref().map(|other| values(other, at, other_whole)),
        };
        let labels = self.labels(ages);
        let nodes = self.nodes(ages);
        let shown: Vec<Option<u32>> = places.iter().map(|&place| nodes.get(place).copied().flatten()).collect();
        let band =
            told.band.as_deref().zip(self.dimension(ages)).and_then(|(code, dimension)| band(dimension, &shown, code, self.language));
        let other = match (&self.options.compare, &plan.other) {
            (Some((variable, _)), Some(query)) => {
                let same = |one: &Variable| self.library.variable_code(self.entry, *one).eq_ignore_ascii_case(variable);
                let compared = self.library.variables(self.entry).find(same);
                compared.and_then(|variable| {
                    self.library.categories(query, variable, self.language).first().map(|category| category.label.to_owned())
                })
            }
            _ => None,
        };
        Ok(Pyramid {
            texts: self.texts(&[ages, sides], Vec::new()),
            ages: places.iter().map(|&place| labels[place].clone()).collect(),
            sides: [side(0), side(1)],
            other,
            band,
            unit: if self.options.share { self.say(&words::CHART_PER_CENT).to_owned() } else { self.unit().to_owned() },
        })
    }

    /// The variable whose categories stand apart, and the one whose categories have colours, if two vary.
    fn sides(&self) -> (Variable, Option<Variable>) {
        match varying(self.query)[..] {
            [] => (self.library.variables(self.entry).next().unwrap_or(Variable::Time), None),
            [one] => (one, None),
            [first, second, ..] => {
                let told = |variable| self.query.heading.contains(&variable);
                let second_is_series = match (told(first), told(second)) {
                    (true, false) => false,
                    (false, true) => true,
                    _ => self.query.size(second) <= self.query.size(first),
                };
                if second_is_series { (first, Some(second)) } else { (second, Some(first)) }
            }
        }
    }

    fn few(&self, variable: Variable, count: usize, most: usize) -> Result<(), RequestError> {
        if count <= most {
            return Ok(());
        }
        let code = self.library.variable_code(self.entry, variable);
        Err(illegal(words::CHART_TOO_MANY.with(code).and(count as u64).and(most as u64)))
    }

    fn bars(&self) -> Result<Bars, RequestError> {
        let (across, along) = self.sides();
        let whole = self.options.stacking != Stacking::Grouped;
        let all = |variable: Variable| (0..self.query.size(variable)).collect::<Vec<usize>>();
        // What is the sum of others may stand beside them, but not in one bar with them.
        let members = along.map(|along| if whole { parts(self.library, self.query, along) } else { all(along) });
        let categories = all(across);
        self.few(across, categories.len(), MOST_CATEGORIES)?;
        let labels = self.labels(across);
        let series = match (along, members) {
            (Some(along), Some(members)) => {
                self.few(along, members.len(), MOST_SERIES)?;
                let names = self.labels(along);
                let one = |member: &usize| Series {
                    label: names[*member].clone(),
                    values: categories.iter().map(|&at| value(self.answer, &[(across, at), (along, *member)])).collect(),
                };
                members.iter().map(one).collect()
            }
            _ => vec![Series { label: String::new(), values: categories.iter().map(|&at| value(self.answer, &[(across, at)])).collect() }],
        };
        Ok(Bars {
            texts: self.texts(&varying(self.query), Vec::new()),
            categories: labels,
            series,
            stacking: if along.is_some() { self.options.stacking } else { Stacking::Grouped },
            places: None,
            unit: self.unit().to_owned(),
        })
    }

    fn ranking(&self) -> Bars {
        let (across, _) = self.sides();
        let labels = self.labels(across);
        let members = parts(self.library, self.query, across);
        let values: Vec<Value> = members.iter().map(|&at| value(self.answer, &[(across, at)])).collect();
        let ranked = ranked(&values, self.options);
        let notes = ranking_notes(&values, ranked.len(), self.tongue);
        Bars {
            texts: self.texts(&[across], notes),
            categories: ranked.iter().map(|one| labels[members[one.at]].clone()).collect(),
            series: vec![Series { label: String::new(), values: ranked.iter().map(|one| Value::Number(one.number)).collect() }],
            stacking: Stacking::Grouped,
            places: Some(ranked.iter().map(|one| one.place).collect()),
            unit: self.unit().to_owned(),
        }
    }

    fn lines(&self) -> Result<Lines, RequestError> {
        let along = varying(self.query).into_iter().find(|variable| *variable != Variable::Time);
        let members: Vec<usize> = along.map_or(vec![0], |along| (0..self.query.size(along)).collect());
        if let Some(along) = along {
            self.few(along, members.len(), MOST_SERIES)?;
        }
        let names = match along {
            Some(along) => self.labels(along),
            None => vec![
                self.entry
                    .region(self.library)
                    .map(|axis| self.labels(Variable::Axis(axis)))
                    .and_then(|labels| labels.first().cloned())
                    .unwrap_or_default(),
            ],
        };
        let one = |&member: &usize| {
            let at = |period: usize| match along {
                Some(along) => value(self.answer, &[(along, member), (Variable::Time, period)]),
                None => value(self.answer, &[(Variable::Time, period)]),
            };
            Line {
                label: names[member].clone(),
                values: (0..self.query.releases.len()).map(at).collect(),
                breaks: self.breaks(along, member),
            }
        };
        let mut shown: Vec<Variable> = along.into_iter().collect();
        shown.push(Variable::Time);
        Ok(Lines {
            texts: self.texts(&shown, Vec::new()),
            periods: self.query.releases.iter().map(|&release| self.library.period(release).to_owned()).collect(),
            lines: members.iter().map(one).collect(),
            from_zero: self.options.from_zero,
            unit: self.unit().to_owned(),
        })
    }

    /// Breaks of a line: see [`breaks`].
    fn breaks(&self, along: Option<Variable>, member: usize) -> Vec<usize> {
        let Some(region) = self.entry.region(self.library).map(Variable::Axis) else { return Vec::new() };
        let nodes = self.nodes(region);
        let node = if along == Some(region) { nodes.get(member) } else { nodes.first() };
        self.dimension(region).map_or_else(Vec::new, |dimension| breaks(dimension, node.copied().flatten(), &self.query.releases))
    }

    fn heat(&self) -> Result<Heat, RequestError> {
        let (down, Some(across)) = self.sides() else { return Err(illegal(&words::NEEDS_TWO)) };
        self.few(down, self.query.size(down), MOST_CATEGORIES)?;
        self.few(across, self.query.size(across), MOST_COLUMNS)?;
        let cells = (0..self.query.size(down)).flat_map(|row| (0..self.query.size(across)).map(move |column| (row, column)));
        Ok(Heat {
            texts: self.texts(&[down, across], vec![method_note(&self.options.method, self.tongue)]),
            rows: self.labels(down),
            columns: self.labels(across),
            values: cells.map(|(row, column)| value(self.answer, &[(down, row), (across, column)])).collect(),
            method: self.options.method.clone(),
        })
    }

    fn map<'b>(&self, boundaries: &'b Boundaries) -> Result<Map<'b>, RequestError> {
        let Some(axis) = self.entry.region(self.library) else { return Err(illegal(words::NO_REGIONS.with(self.entry.table.id.as_str()))) };
        let variable = Variable::Axis(axis);
        let categories = self.library.categories(self.query, variable, self.language);
        let chosen = parts(self.library, self.query, variable);
        let codes: Vec<&str> = chosen.iter().map(|&at| categories[at].code).collect();
        let found = ground(self.library, self.entry.axes[axis].dimension, &codes, boundaries);
        let Some((placed, ground)) = found else { return Err(illegal(&words::NO_OUTLINES)) };
        let place = |at: usize| Place { label: categories[at].label.to_owned(), value: value(self.answer, &[(variable, at)]) };
        let notes = map_notes(&self.options.method, codes.len() - placed.len(), self.tongue);
        Ok(Map {
            texts: self.texts(&[variable], notes),
            places: placed.into_iter().map(|at| place(chosen[at])).collect(),
            ground,
            method: self.options.method.clone(),
        })
    }
}
