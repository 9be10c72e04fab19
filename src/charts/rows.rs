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
    figure::Drawn,
    options::Wishes,
    plan::{ChartKind, MOST_CATEGORIES, MOST_SERIES},
};
use crate::{
    error::Result,
    words::{self, Message, Tongue},
};

/// A column of rows.
#[derive(Debug, Clone)]
pub struct RowColumn {
    /// Its name, for programs.
    pub name: String,
    /// Its name for people.
    pub label: String,
    /// Unit of its numbers; what has none is no number to be drawn.
    pub unit: Option<String>,
    /// The column that says why there is no number in this one.
    pub status: Option<String>,
    /// `text`, `integer`, `number` or `boolean`.
    pub kind: &'static str,
}

/// Rows, and what is said of them.
#[derive(Debug, Clone)]
pub struct Rows {
    /// What they are called.
    pub title: String,
    /// What they were asked for.
    pub subtitle: String,
    /// What to know when reading them.
    pub notes: Vec<String>,
    /// Where they come from.
    pub source: String,
    /// Their columns.
    pub columns: Vec<RowColumn>,
    /// The rows themselves.
    pub batches: Vec<RecordBatch>,
}

/// The columns of numbers that are drawn: those asked for, or all that share the unit of the first.
fn drawn<'r>(rows: &'r Rows, wanted: &[String], most: usize) -> std::result::Result<Vec<&'r RowColumn>, Message> {
    let numbers: Vec<&RowColumn> =
        rows.columns.iter().filter(|column| column.unit.is_some() && matches!(column.kind, "integer" | "number")).collect();
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

/// Draws rows; `wanted` names the columns whose numbers are drawn.
///
/// # Errors
/// The inner error where the rows do not suit the chart.
pub fn draw_rows(
    rows: &Rows,
    kind: ChartKind,
    wanted: &[String],
    wishes: &Wishes,
    tongue: Tongue,
) -> Result<std::result::Result<Drawn, Message>> {
    if !matches!(kind, ChartKind::Bars | ChartKind::Ranking) {
        return Ok(Err((&words::ROWS_AS_BARS).into()));
    }
    let most = if kind == ChartKind::Ranking { 1 } else { MOST_SERIES };
    let columns = match drawn(rows, wanted, most) {
        Ok(columns) => columns,
        Err(refused) => return Ok(Err(refused)),
    };
    // The name of a row stands in the last text before its numbers.
    let at = |name: &str| rows.columns.iter().position(|column| column.name == name);
    let first = columns.first().and_then(|column| at(&column.name)).unwrap_or(0);
    let statuses: Vec<&str> = rows.columns.iter().filter_map(|column| column.status.as_deref()).collect();
    let name = (0..first).rev().find(|&at| rows.columns[at].kind == "text" && !statuses.contains(&rows.columns[at].name.as_str()));
    let Some(name) = name else { return Ok(Err((&words::ROWS_AS_BARS).into())) };
    let mut categories: Vec<String> = Vec::new();
    let mut series: Vec<Series> = columns.iter().map(|column| Series { label: column.label.clone(), values: Vec::new() }).collect();
    for batch in &rows.batches {
        let names = cast(batch.column(name), &DataType::Utf8)?;
        categories.extend((0..batch.num_rows()).map(|row| names.as_string::<i32>().value(row).to_owned()));
        for (column, series) in columns.iter().zip(&mut series) {
            let Some(place) = at(&column.name) else { continue };
            let numbers = cast(batch.column(place), &DataType::Float64)?;
            let numbers = numbers.as_primitive::<Float64Type>();
            let status = match column.status.as_deref().and_then(at) {
                Some(at) => Some(cast(batch.column(at), &DataType::Utf8)?),
                None => None,
            };
            let value = |row: usize| {
                if numbers.is_valid(row) {
                    return Value::Number(numbers.value(row));
                }
                match status.as_ref().filter(|status| status.is_valid(row)).map(|status| status.as_string::<i32>().value(row)) {
                    Some("c") => Value::Suppressed,
                    Some("z") => Value::Impossible,
                    _ => Value::Unavailable,
                }
            };
            series.values.extend((0..batch.num_rows()).map(value));
        }
    }
    let mut places = None;
    if kind == ChartKind::Ranking {
        places = Some(rank(&mut categories, &mut series, wishes));
    }
    if categories.is_empty() || categories.len() > MOST_CATEGORIES {
        let refused = words::CHART_TOO_MANY.with(rows.columns[name].name.as_str()).and(categories.len() as u64).and(MOST_CATEGORIES as u64);
        return Ok(Err(if categories.is_empty() { (&words::NO_ROWS).into() } else { refused }));
    }
    let said = categories.iter().zip(&series[0].values).take(60).map(|(name, value)| match value {
        Value::Number(number) => format!("{name}: {number}"),
        Value::Suppressed => format!("{name}: [c]"),
        _ => format!("{name}: –"),
    });
    let description = said.collect::<Vec<_>>().join("; ");
    let mut subtitle: Vec<&str> = vec![&rows.subtitle];
    if series.len() == 1 {
        subtitle.insert(0, &columns[0].label);
    }
    // Whoever gives a chart a title of his own does not take away what it shows.
    if wishes.options.title.is_some() {
        subtitle.insert(0, &rows.title);
    }
    subtitle.retain(|text| !text.is_empty());
    let bars = Bars {
        texts: Texts {
            title: wishes.options.title.clone().unwrap_or_else(|| rows.title.clone()),
            subtitle: subtitle.join(" · "),
            notes: rows.notes.clone(),
            source: rows.source.clone(),
        },
        categories,
        stacking: if series.len() > 1 { wishes.options.stacking } else { Stacking::Grouped },
        series,
        places,
        unit: columns[0].unit.clone().unwrap_or_default(),
    };
    let mut style = wishes.style(tongue);
    style.decimals = usize::from(columns.iter().any(|column| column.kind == "number"));
    let mut document = String::new();
    let outcome = bars.draw(&mut document, &style);
    Ok(outcome.map(|(size, title)| Drawn { document, size, title, description }).map_err(|problem| words::NO_CHART.with(problem)))
}

/// Puts rows in order and gives their places; what has no number has no place.
fn rank(categories: &mut Vec<String>, series: &mut [Series], wishes: &Wishes) -> Vec<usize> {
    let Some(only) = series.first_mut() else { return Vec::new() };
    let named = std::mem::take(categories).into_iter().zip(&only.values);
    let mut ranked: Vec<(String, f64)> = named.filter_map(|(name, value)| Some((name, value.number()?))).collect();
    ranked.sort_by(|a, b| if wishes.options.lowest { a.1.total_cmp(&b.1) } else { b.1.total_cmp(&a.1) });
    let places = ranked.iter().map(|(_, number)| 1 + ranked.iter().take_while(|(_, other)| other != number).count()).collect::<Vec<_>>();
    ranked.truncate(wishes.options.places);
    only.values = ranked.iter().map(|(_, number)| Value::Number(*number)).collect();
    *categories = ranked.into_iter().map(|(name, _)| name).collect();
    places.into_iter().take(categories.len()).collect()
}
