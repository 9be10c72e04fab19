//! From an answer to a picture: which numbers go where, and what is said around them.

use std::{collections::HashMap, sync::Arc};

use super::{
    boundaries::Boundaries,
    draw::{
        bars::{Bars, Series, Stacking},
        classes::Method,
        frame::{Style, Texts, Value},
        heat::Heat,
        lines::{Line, Lines},
        map::{Ground, Map, Place},
        pyramid::{Pyramid, Side},
    },
    plan::{ChartKind, ChartOptions, MOST_CATEGORIES, MOST_SERIES, Plan, illegal, parts, pyramid_axes, varying},
    ranking::ranked,
};
use crate::{
    register::Tile,
    tables::{Answer, CellStatus, Chosen, Library, Query, RequestError, TableEntry, Variable},
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

/// A picture before it is written: drawing, size, name, numbers in words.
#[derive(Debug)]
pub struct Drawn {
    pub document: String,
    pub size: (f64, f64),
    pub title: String,
    pub description: String,
}

/// Numbers that are said in words, at most.
const MOST_SAID: usize = 60;

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
    let mut document = String::new();
    let named: Vec<(String, Value)>;
    let outcome = match plan.kind {
        ChartKind::Pyramid => {
            let pyramid = figure.pyramid(plan, answers)?;
            let one = |side: &Side| {
                side.values.iter().zip(&pyramid.ages).map(|(value, age)| (format!("{}, {age}", side.label), *value)).collect::<Vec<_>>()
            };
            named = pyramid.sides.iter().flat_map(one).collect();
            pyramid.draw(&mut document, &style)
        }
        ChartKind::Bars | ChartKind::Ranking => {
            let bars = if plan.kind == ChartKind::Bars { figure.bars()? } else { figure.ranking() };
            named = bars.named();
            bars.draw(&mut document, &style)
        }
        ChartKind::Lines => {
            let lines = figure.lines()?;
            let one = |line: &Line| {
                lines.periods.iter().map(|period| format!("{}, {period}", line.label)).zip(line.values.iter().copied()).collect::<Vec<_>>()
            };
            named = lines.lines.iter().flat_map(one).collect();
            lines.draw(&mut document, &style)
        }
        ChartKind::Heat => {
            let heat = figure.heat()?;
            let names = heat.rows.iter().flat_map(|row| heat.columns.iter().map(move |column| format!("{row}, {column}")));
            named = names.zip(heat.values.iter().copied()).collect();
            heat.draw(&mut document, &style)
        }
        ChartKind::Map => {
            let map = figure.map(boundaries)?;
            named = map.places.iter().map(|place| (place.label.clone(), place.value)).collect();
            map.draw(&mut document, &style)
        }
    };
    let (size, title) = outcome.map_err(|problem| illegal(words::NO_CHART.with(problem)))?;
    let description = said(&named, &style);
    Ok(Drawn { document, size, title, description })
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

    /// Places in different regions may share a name: each then tells the region in which it lies.
    fn told_apart(&self, variable: Variable, labels: Vec<String>) -> Vec<String> {
        let Variable::Axis(axis) = variable else { return labels };
        let Chosen::Nodes { nodes, .. } = &self.query.axes[axis] else { return labels };
        let dimension = &self.library.dimensions[self.entry.axes[axis].dimension];
        let mut count: HashMap<&str, usize> = HashMap::new();
        for label in &labels {
            *count.entry(label).or_default() += 1;
        }
        let above = |node: u32| dimension.nodes[node as usize].parent.filter(|&parent| parent != 0);
        let one = |(label, &node): (&String, &u32)| match above(node) {
            Some(parent) if count[label.as_str()] > 1 => {
                format!("{label}, {}", dimension.nodes[parent as usize].label.text(self.language))
            }
            _ => label.clone(),
        };
        labels.iter().zip(nodes).map(one).collect()
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
        let band = told.band.as_deref().and_then(|code| self.band(ages, &places, code));
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

    /// Which of the chosen ages lie below a node, and what that is called.
    fn band(&self, ages: Variable, places: &[usize], code: &str) -> Option<(usize, usize, String)> {
        let Variable::Axis(axis) = ages else { return None };
        let dimension = &self.library.dimensions[self.entry.axes[axis].dimension];
        let band = dimension.find(code)?;
        let Chosen::Nodes { nodes, .. } = &self.query.axes[axis] else { return None };
        let below = |mut node: u32| loop {
            if node == band {
                return true;
            }
            match dimension.nodes[node as usize].parent {
                Some(parent) => node = parent,
                None => return false,
            }
        };
        let within: Vec<usize> = (0..places.len()).filter(|&at| nodes.get(places[at]).is_some_and(|&node| below(node))).collect();
        Some((*within.first()?, *within.last()?, dimension.nodes[band as usize].label.text(self.language).to_owned()))
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
        let all = values.iter().filter(|value| value.number().is_some()).count();
        let withheld = values.iter().filter(|value| **value == Value::Suppressed).count();
        let mut notes = vec![words::CHART_RANKED.with(ranked.len() as u64).and(all as u64).text(self.tongue)];
        if withheld > 0 {
            notes.push(words::CHART_NOT_RANKED.with(withheld as u64).text(self.tongue));
        }
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

    /// The periods before which a region lost parts that it had: numbers before and after are of different places.
    fn breaks(&self, along: Option<Variable>, member: usize) -> Vec<usize> {
        let Some(axis) = self.entry.region(self.library) else { return Vec::new() };
        let Chosen::Nodes { nodes, .. } = &self.query.axes[axis] else { return Vec::new() };
        let node = if along == Some(Variable::Axis(axis)) { nodes.get(member) } else { nodes.first() };
        let Some(&node) = node else { return Vec::new() };
        let dimension = &self.library.dimensions[self.entry.axes[axis].dimension];
        let releases = &self.query.releases;
        (1..releases.len()).filter(|&at| dimension.lost_parts(node, releases[at - 1], releases[at])).collect()
    }

    fn heat(&self) -> Result<Heat, RequestError> {
        let (down, Some(across)) = self.sides() else { return Err(illegal(&words::NEEDS_TWO)) };
        self.few(down, self.query.size(down), MOST_CATEGORIES)?;
        self.few(across, self.query.size(across), 60)?;
        let cells = (0..self.query.size(down)).flat_map(|row| (0..self.query.size(across)).map(move |column| (row, column)));
        Ok(Heat {
            texts: self.texts(&[down, across], vec![self.method()]),
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
        let place = |at: usize| Place { label: categories[at].label.to_owned(), value: value(self.answer, &[(variable, at)]) };
        let outline = |&at: &usize| Some((at, boundaries.outline(categories[at].code)?));
        let (outlined, outlines): (Vec<usize>, Vec<_>) = chosen.iter().filter_map(outline).unzip();
        let mut notes = vec![self.method()];
        let missing =
            |shown: usize| (chosen.len() > shown).then(|| words::CHART_NO_PLACE.with((chosen.len() - shown) as u64).text(self.tongue));
        if !outlined.is_empty() {
            notes.extend(missing(outlined.len()));
            return Ok(Map {
                texts: self.texts(&[variable], notes),
                places: outlined.iter().map(|&at| place(at)).collect(),
                ground: Ground::Outlines(outlines),
                method: self.options.method.clone(),
            });
        }
        let tile = |at: usize| tile(self.library, self.entry, axis, categories[at].code);
        let (places, tiles): (Vec<usize>, Vec<(usize, usize, String)>) = chosen
            .iter()
            .filter_map(|&at| tile(at).map(|tile| (at, (usize::from(tile.column), usize::from(tile.row), tile.name.clone()))))
            .unzip();
        if places.is_empty() {
            return Err(illegal(&words::NO_OUTLINES));
        }
        notes.extend(missing(places.len()));
        Ok(Map {
            texts: self.texts(&[variable], notes),
            places: places.iter().map(|&at| place(at)).collect(),
            ground: Ground::Tiles(tiles),
            method: self.options.method.clone(),
        })
    }

    /// How classes were made.
    fn method(&self) -> String {
        let phrase = match self.options.method {
            Method::Quantile(_) => &words::CLASSES_QUANTILE,
            Method::Equal(_) => &words::CLASSES_EQUAL,
            Method::Fixed(_) => &words::CLASSES_FIXED,
        };
        self.say(phrase).to_owned()
    }
}

/// The tile of a region, if the register gives it one.
fn tile<'l>(library: &'l Library, entry: &TableEntry, axis: usize, code: &str) -> Option<&'l Tile> {
    let tiles = library.register.charts.tiles.as_ref()?;
    let has = tiles.dimension == library.dimensions[entry.axes[axis].dimension].id;
    tiles.tiles.iter().find(|tile| has && tile.code == code)
}

/// Whether what a plan asks for has somewhere to be drawn: for a map, whether any of its regions has an outline or a tile.
pub fn has_ground(library: &Library, plan: &Plan, boundaries: &Boundaries) -> bool {
    let entry = &library.tables[plan.query.table];
    if plan.kind != ChartKind::Map {
        return true;
    }
    entry.region(library).is_some_and(|axis| {
        let regions = library.categories(&plan.query, Variable::Axis(axis), 0);
        regions.iter().any(|region| boundaries.outline(region.code).is_some() || tile(library, entry, axis, region.code).is_some())
    })
}

/// The line that says where numbers come from, with their releases.
pub fn source_line(library: &Library, language: usize, releases: impl Iterator<Item = usize>) -> String {
    let tongue = library.tongue(language);
    let releases: Vec<&str> = releases.map(|release| library.releases[release].folder.as_str()).collect();
    let source = library.register.source.text(language);
    format!("{}: {source} · {}: {}", words::SOURCE.text(tongue), words::RELEASES.text(tongue), releases.join(", "))
}

/// Numbers in words.
pub fn said(numbers: &[(String, Value)], style: &Style) -> String {
    let one = |(name, value): &(String, Value)| match value {
        Value::Number(number) => format!("{name}: {}", style.number(*number)),
        Value::Suppressed => format!("{name}: [c]"),
        Value::Impossible => format!("{name}: [z]"),
        Value::Unavailable => format!("{name}: [x]"),
    };
    let text = numbers.iter().take(MOST_SAID).map(one).collect::<Vec<_>>().join("; ");
    match numbers.len().checked_sub(MOST_SAID) {
        None | Some(0) => text,
        Some(more) => words::AND_MORE.with(text).and(more as u64).text(style.tongue),
    }
}
