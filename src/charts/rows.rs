//! Charts of rows: what a named query answers, as bars or as a ranking.

use arrow::{
    array::{Array, AsArray, RecordBatch},
    compute::cast,
    datatypes::{DataType, Float64Type},
};

use super::{
    draw::{
        bars::{Bars, Series, Stacking},
        frame::{Texts, Value},
    },
    figure::{Drawn, said, source_line},
    options::Wishes,
    plan::{ChartKind, MOST_CATEGORIES, MOST_SERIES},
    ranking::ranked,
};
use crate::{
    error::Result,
    register::Role,
    sql::{Named, Parameter, ParameterKind, ResultColumn},
    tables::Library,
    words::{self, Message},
};

/// Numbers that can be drawn: what has no unit is a number of another sort, such as a place in an order.
fn numbers(query: &Named) -> impl Iterator<Item = &ResultColumn> {
    query.columns.iter().filter(|column| column.unit.is_some() && matches!(column.kind, "integer" | "number"))
}

/// Whether the rows of a query can be drawn: they have a name and a number behind it.
pub fn can_be_drawn(query: &Named) -> bool {
    let first = numbers(query).next().and_then(|column| query.columns.iter().position(|other| other.name == column.name));
    first.is_some_and(|first| query.columns[..first].iter().any(|column| column.kind == "text"))
}

/// What a named query answered.
#[derive(Debug)]
pub struct Rows<'a> {
    /// The tables that it reads.
    pub library: &'a Library,
    /// The query.
    pub query: &'a Named,
    /// What stood for its parameters.
    pub given: &'a [String],
    /// Position of the language.
    pub language: usize,
    /// The rows.
    pub batches: &'a [RecordBatch],
}

impl<'a> Rows<'a> {
    /// The columns of numbers that are drawn: those asked for, or all that share the unit of the first.
    fn drawn(&self, wanted: &[String], most: usize) -> std::result::Result<Vec<&'a ResultColumn>, Message> {
        let numbers: Vec<&ResultColumn> = numbers(self.query).collect();
        let there = || numbers.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ");
        let mut chosen = Vec::new();
        for name in wanted {
            match numbers.iter().find(|column| column.name.eq_ignore_ascii_case(name)) {
                Some(column) => chosen.push(*column),
                None => return Err(words::NO_NUMBERS.with(name.chars().take(40).collect::<String>()).and(there())),
            }
        }
        if chosen.is_empty() {
            chosen = numbers.iter().copied().filter(|column| Some(&column.unit) == numbers.first().map(|first| &first.unit)).collect();
        }
        chosen.truncate(most);
        if chosen.is_empty() { Err(words::NO_NUMBERS.with("").and(there())) } else { Ok(chosen) }
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.query.columns.iter().position(|column| column.name == name)
    }

    /// The column that names a row: the last text before its numbers.
    fn name(&self, numbers: &[&ResultColumn]) -> Option<usize> {
        let columns = &self.query.columns;
        let is_status = |name: &str| columns.iter().any(|column| column.status.as_deref() == Some(name));
        let first = numbers.first().and_then(|column| self.position(&column.name))?;
        (0..first).rev().find(|&at| columns[at].kind == "text" && !is_status(&columns[at].name))
    }

    fn names(&self, column: usize) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for batch in self.batches {
            let texts = cast(batch.column(column), &DataType::Utf8)?;
            names.extend((0..batch.num_rows()).map(|row| texts.as_string::<i32>().value(row).to_owned()));
        }
        Ok(names)
    }

    fn values(&self, column: &ResultColumn) -> Result<Vec<Value>> {
        let mut values = Vec::new();
        let Some(place) = self.position(&column.name) else { return Ok(values) };
        let status = column.status.as_deref().and_then(|status| self.position(status));
        for batch in self.batches {
            let numbers = cast(batch.column(place), &DataType::Float64)?;
            let numbers = numbers.as_primitive::<Float64Type>();
            let statuses = status.map(|status| cast(batch.column(status), &DataType::Utf8)).transpose()?;
            let value = |row: usize| {
                if numbers.is_valid(row) {
                    return Value::Number(numbers.value(row));
                }
                match statuses.as_ref().filter(|texts| texts.is_valid(row)).map(|texts| texts.as_string::<i32>().value(row)) {
                    Some("c") => Value::Suppressed,
                    Some("z") => Value::Impossible,
                    _ => Value::Unavailable,
                }
            };
            values.extend((0..batch.num_rows()).map(value));
        }
        Ok(values)
    }

    /// What stood for a parameter, as people say it; totals go without saying.
    fn told(&self, parameter: &Parameter, value: &str) -> Option<String> {
        let library = self.library;
        match &parameter.kind {
            ParameterKind::Code(dimension, _) => {
                let dimension = &library.dimensions[*dimension];
                let node = dimension.find(value).map(|at| &dimension.nodes[at as usize])?;
                let says = node.parent.is_some() || dimension.role == Role::Geo;
                says.then(|| node.label.text(self.language).to_owned())
            }
            ParameterKind::Period => {
                let at = (0..library.releases.len()).find(|&at| library.period(at) == value)?;
                Some(library.period_label(at, self.language).to_owned())
            }
            // How many rows there are is to be seen.
            ParameterKind::Integer(..) => None,
            ParameterKind::Text(_) | ParameterKind::Number(..) => Some(format!("{}: {value}", parameter.label.text(self.language))),
        }
    }

    /// What is said around the picture; `only` is the column that is drawn alone.
    fn texts(&self, wishes: &Wishes, only: Option<&ResultColumn>) -> Texts {
        let language = self.language;
        let chosen = self.query.parameters.iter().zip(self.given).filter_map(|(parameter, value)| self.told(parameter, value));
        let details = only.map(|column| column.label.text(language).to_owned()).into_iter().chain(chosen).collect();
        let notes = self.query.notes.iter().map(|note| note.text(language).to_owned()).collect();
        let source = source_line(self.library, language, 0..self.library.releases.len());
        Texts::new(wishes.options.title.as_deref(), self.query.title.text(language).to_owned(), details, notes, source)
    }

    /// Draws the rows; `wanted` names the columns whose numbers are drawn.
    ///
    /// # Errors
    /// The inner error where the rows do not suit the chart.
    pub fn draw(&self, kind: ChartKind, wanted: &[String], wishes: &Wishes) -> Result<std::result::Result<Drawn, Message>> {
        if !matches!(kind, ChartKind::Bars | ChartKind::Ranking) {
            return Ok(Err((&words::ROWS_AS_BARS).into()));
        }
        let columns = match self.drawn(wanted, if kind == ChartKind::Ranking { 1 } else { MOST_SERIES }) {
            Ok(columns) => columns,
            Err(refused) => return Ok(Err(refused)),
        };
        let Some(name) = self.name(&columns) else { return Ok(Err((&words::ROWS_AS_BARS).into())) };
        let mut categories = self.names(name)?;
        let mut series = Vec::with_capacity(columns.len());
        for column in &columns {
            series.push(Series { label: column.label.text(self.language).to_owned(), values: self.values(column)? });
        }
        let mut places = None;
        if kind == ChartKind::Ranking {
            let ranked = ranked(&series[0].values, &wishes.options);
            categories = ranked.iter().map(|one| categories[one.at].clone()).collect();
            series[0].values = ranked.iter().map(|one| Value::Number(one.number)).collect();
            places = Some(ranked.iter().map(|one| one.place).collect());
        }
        if categories.is_empty() {
            return Ok(Err((&words::NO_ROWS).into()));
        }
        if categories.len() > MOST_CATEGORIES {
            let column = self.query.columns[name].name.as_str();
            return Ok(Err(words::CHART_TOO_MANY.with(column).and(categories.len() as u64).and(MOST_CATEGORIES as u64)));
        }
        let mut style = wishes.style(self.library.tongue(self.language));
        style.decimals = usize::from(columns.iter().any(|column| column.kind == "number"));
        let stacking = if series.len() > 1 { wishes.options.stacking } else { Stacking::Grouped };
        let unit = columns[0].unit.as_ref().map_or_else(String::new, |unit| unit.text(self.language).to_owned());
        let texts = self.texts(wishes, (columns.len() == 1).then_some(columns[0]));
        let bars = Bars { texts, categories, series, stacking, places, unit };
        let mut document = String::new();
        let outcome = bars.draw(&mut document, &style);
        let description = said(&bars.named(), &style);
        Ok(outcome.map(|(size, title)| Drawn { document, size, title, description }).map_err(|problem| words::NO_CHART.with(problem)))
    }
}
