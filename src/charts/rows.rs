//! Charts of rows: what a named query answers. Which of its columns a chart shows follows from what its header says of them.

use arrow::{
    array::{Array, AsArray, RecordBatch},
    compute::cast,
    datatypes::{DataType, Float64Type},
};

use super::{
    boundaries::Boundaries,
    draw::{
        bars::{Bars, Series, Stacking},
        frame::{Texts, Value},
        heat::Heat,
        lines::{Line, Lines},
        map::{Map, Place},
        pyramid::{Pyramid, Side},
        {Drawing, Drawn},
    },
    ground::{ground, is_placed},
    options::Wishes,
    plan::{CHART_KINDS, ChartKind, MOST_CATEGORIES, MOST_COLUMNS, MOST_SERIES},
    ranking::ranked,
    telling::{band, breaks, map_notes, method_note, ranking_notes, source_line, told_apart},
};
use crate::{
    error::Result,
    register::{PyramidParts, Role},
    sql::{Codes, Named, Parameter, ParameterKind, ResultColumn},
    tables::{Library, UnionDimension},
    words::{self, Message, Tongue},
};

/// The kinds of charts that show the rows of a query, if nobody says which of its columns.
pub fn kinds_of_rows(library: &Library, query: &Named) -> Vec<ChartKind> {
    CHART_KINDS.iter().filter_map(|id| ChartKind::parse(id)).filter(|&kind| suits_rows(library, query, kind, &[]).is_ok()).collect()
}

/// Whether a kind of chart shows the rows of a query, or these columns of it.
///
/// # Errors
/// Says what the kind of chart needs.
pub fn suits_rows(library: &Library, query: &Named, kind: ChartKind, wanted: &[String]) -> std::result::Result<(), Message> {
    Shape::new(library, query, kind, wanted).map(|_| ())
}

/// The columns of a query that one chart can show at once: numbers, which have a unit. What has none is of another sort, such as a
/// place in an order.
pub fn numbers(query: &Named) -> impl Iterator<Item = &ResultColumn> {
    query.columns.iter().filter(|column| column.unit.is_some() && matches!(column.kind, "integer" | "number"))
}

/// What a chart shows of the columns of a query.
struct Shape<'a> {
    /// The numbers, all of one unit unless they were asked for.
    numbers: Vec<&'a ResultColumn>,
    /// The column that names the rows, or for lines what each is of.
    names: Option<usize>,
    /// The column of codes that the kind of chart needs: periods, regions, ages.
    codes: usize,
}

impl<'a> Shape<'a> {
    fn new(library: &Library, query: &'a Named, kind: ChartKind, wanted: &[String]) -> std::result::Result<Self, Message> {
        let there: Vec<&ResultColumn> = numbers(query).collect();
        let all = || there.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ");
        let mut shown = Vec::new();
        for name in wanted {
            match there.iter().find(|column| column.name.eq_ignore_ascii_case(name)) {
                Some(column) => shown.push(*column),
                None => return Err(words::NO_NUMBERS.with(name.chars().take(40).collect::<String>()).and(all())),
            }
        }
        if shown.is_empty() {
            shown = there.iter().copied().filter(|column| Some(&column.unit) == there.first().map(|first| &first.unit)).collect();
        }
        let Some(first) = shown.first().and_then(|first| query.columns.iter().position(|column| column.name == first.name)) else {
            return Err(words::NO_NUMBERS.with("").and(all()));
        };
        let needs = |need: &'static words::Phrase| words::ROWS_NEED.with(kind.id()).and(Message::from(need)).and(all());
        let coded = |wanted: Codes| query.columns.iter().position(|column| column.codes == Some(wanted));
        let is_status = |name: &str| query.columns.iter().any(|column| column.status.as_deref() == Some(name));
        // The last text before the numbers.
        let named = |but: Option<usize>| {
            (0..first).rev().find(|&at| query.columns[at].kind == "text" && !is_status(&query.columns[at].name) && Some(at) != but)
        };
        let is_region = |at: &usize| match query.columns[*at].codes {
            Some(Codes::Dimension(dimension)) => library.dimensions[dimension].role == Role::Geo,
            Some(Codes::Period) | None => false,
        };
        let (names, codes) = match kind {
            ChartKind::Lines => {
                let periods = coded(Codes::Period).ok_or_else(|| needs(&words::ROWS_NEED_PERIODS))?;
                (named(Some(periods)), Some(periods))
            }
            ChartKind::Map => {
                let regions = (0..query.columns.len()).find(is_region).ok_or_else(|| needs(&words::ROWS_NEED_REGIONS))?;
                (Some(named(None).unwrap_or(regions)), Some(regions))
            }
            ChartKind::Pyramid => {
                let ages = pyramid(library).and_then(|(ages, _)| coded(Codes::Dimension(ages)));
                match ages {
                    Some(ages) if shown.len() == 2 => (Some(named(None).unwrap_or(ages)), Some(ages)),
                    _ => return Err(needs(&words::ROWS_NEED_AGES)),
                }
            }
            ChartKind::Heat if shown.len() < 2 => return Err(needs(&words::ROWS_NEED_TWO)),
            ChartKind::Bars | ChartKind::Ranking | ChartKind::Heat => (named(None), named(None)),
        };
        let codes = codes.ok_or_else(|| needs(&words::ROWS_NEED_NAMES))?;
        shown.truncate(match kind {
            ChartKind::Ranking | ChartKind::Map => 1,
            ChartKind::Lines if names.is_some() => 1,
            ChartKind::Bars | ChartKind::Lines | ChartKind::Pyramid => MOST_SERIES,
            ChartKind::Heat => MOST_COLUMNS,
        });
        Ok(Self { numbers: shown, names, codes })
    }
}

/// The dimension of the ages of pyramids, and what is told of them.
fn pyramid(library: &Library) -> Option<(usize, &PyramidParts)> {
    let parts = library.register.charts.pyramid.as_ref()?;
    Some((library.dimensions.iter().position(|dimension| dimension.id == parts.ages)?, parts))
}

/// The nodes of a dimension that a column names row by row.
type Nodes<'a> = (&'a UnionDimension, Vec<Option<u32>>);

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
    /// Where regions lie.
    pub boundaries: &'a Boundaries,
}

impl<'a> Rows<'a> {
    fn tongue(&self) -> Tongue {
        self.library.tongue(self.language)
    }

    fn texts_in(&self, column: usize) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for batch in self.batches {
            let texts = cast(batch.column(column), &DataType::Utf8)?;
            let texts = texts.as_string::<i32>();
            found.extend((0..batch.num_rows()).map(|row| if texts.is_valid(row) { texts.value(row).to_owned() } else { String::new() }));
        }
        Ok(found)
    }

    /// The dimension and the nodes of a column of codes.
    fn nodes(&self, column: usize) -> Result<Option<Nodes<'a>>> {
        let Some(Codes::Dimension(dimension)) = self.query.columns[column].codes else { return Ok(None) };
        let dimension = &self.library.dimensions[dimension];
        Ok(Some((dimension, self.texts_in(column)?.iter().map(|code| dimension.find(code)).collect())))
    }

    /// The codes that a column of names gives names to: its own, or those of the column before it.
    fn nodes_behind(&self, names: usize) -> Result<Option<Nodes<'a>>> {
        match (self.query.columns[names].codes, names.checked_sub(1)) {
            (None, Some(before)) => self.nodes(before),
            _ => self.nodes(names),
        }
    }

    /// What rows are called: codes by their label, names that are there twice with the region above.
    fn names(&self, column: usize) -> Result<Vec<String>> {
        let texts = self.texts_in(column)?;
        if self.query.columns[column].codes == Some(Codes::Period) {
            return Ok(texts.iter().map(|period| self.period_label(period)).collect());
        }
        let Some((dimension, nodes)) = self.nodes_behind(column)? else { return Ok(texts) };
        let label = |(text, node): (String, &Option<u32>)| match node {
            Some(node) if self.query.columns[column].codes.is_some() => {
                dimension.nodes[*node as usize].label.text(self.language).to_owned()
            }
            _ => text,
        };
        let labels: Vec<String> = texts.into_iter().zip(&nodes).map(label).collect();
        Ok(told_apart(dimension, &labels, &nodes, self.language))
    }

    fn release(&self, period: &str) -> Option<usize> {
        (0..self.library.releases.len()).find(|&at| self.library.period(at) == period)
    }

    fn period_label(&self, period: &str) -> String {
        self.release(period).map_or_else(|| period.to_owned(), |at| self.library.period_label(at, self.language).to_owned())
    }

    fn values(&self, column: &ResultColumn) -> Result<Vec<Value>> {
        let position = |name: &str| self.query.columns.iter().position(|column| column.name == name);
        let mut values = Vec::new();
        let Some(place) = position(&column.name) else { return Ok(values) };
        let status = column.status.as_deref().and_then(position);
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
        match &parameter.kind {
            ParameterKind::Code(dimension, _) => {
                let dimension = &self.library.dimensions[*dimension];
                let node = dimension.find(value).map(|at| &dimension.nodes[at as usize])?;
                let says = node.parent.is_some() || dimension.role == Role::Geo;
                says.then(|| node.label.text(self.language).to_owned())
            }
            ParameterKind::Period => self.release(value).map(|at| self.library.period_label(at, self.language).to_owned()),
            // How many rows there are is to be seen.
            ParameterKind::Integer(..) => None,
            ParameterKind::Text(_) | ParameterKind::Number(..) => Some(format!("{}: {value}", parameter.label.text(self.language))),
        }
    }

    /// What is said around the picture; `only` is the column that is drawn alone.
    fn texts(&self, wishes: &Wishes, only: Option<&ResultColumn>, notes: Vec<String>) -> Texts {
        let language = self.language;
        let chosen = self.query.parameters.iter().zip(self.given).filter_map(|(parameter, value)| self.told(parameter, value));
        let details = only.map(|column| column.label.text(language).to_owned()).into_iter().chain(chosen).collect();
        let notes = self.query.notes.iter().map(|note| note.text(language).to_owned()).chain(notes).collect();
        let source = source_line(self.library, language, 0..self.library.releases.len());
        Texts::new(wishes.options.title.as_deref(), self.query.title.text(language).to_owned(), details, notes, source)
    }

    /// Whether the regions of the rows have somewhere to lie on a map.
    ///
    /// # Errors
    /// Where the codes cannot be read.
    pub fn have_ground(&self) -> Result<bool> {
        let Ok(Shape { codes, .. }) = Shape::new(self.library, self.query, ChartKind::Map, &[]) else { return Ok(false) };
        let Some(Codes::Dimension(dimension)) = self.query.columns[codes].codes else { return Ok(false) };
        Ok(is_placed(self.library, dimension, self.texts_in(codes)?.iter().map(String::as_str), self.boundaries))
    }

    /// Draws the rows; `wanted` names the columns whose numbers are drawn.
    ///
    /// # Errors
    /// The inner error where the rows do not suit the chart.
    pub fn draw(&self, kind: ChartKind, wanted: &[String], wishes: &Wishes) -> Result<std::result::Result<Drawn, Message>> {
        let shape = match Shape::new(self.library, self.query, kind, wanted) {
            Ok(shape) => shape,
            Err(refused) => return Ok(Err(refused)),
        };
        if self.batches.iter().all(|batch| batch.num_rows() == 0) {
            return Ok(Err((&words::NO_ROWS).into()));
        }
        let mut style = wishes.style(self.tongue());
        style.decimals = usize::from(shape.numbers.iter().any(|column| column.kind == "number"));
        let drawing = match kind {
            ChartKind::Bars => self.bars(&shape, wishes)?.map(Drawing::Bars),
            ChartKind::Ranking => self.ranking(&shape, wishes)?.map(Drawing::Bars),
            ChartKind::Heat => self.heat(&shape, wishes)?.map(Drawing::Heat),
            ChartKind::Lines => self.lines(&shape, wishes)?.map(Drawing::Lines),
            ChartKind::Map => self.map(&shape, wishes)?.map(Drawing::Map),
            ChartKind::Pyramid => {
                style.decimals = usize::from(wishes.options.share);
                self.pyramid(&shape, wishes)?.map(Drawing::Pyramid)
            }
        };
        Ok(drawing.and_then(|drawing| drawing.drawn(&style)))
    }

    /// What the numbers of a picture are.
    fn unit(&self, shape: &Shape<'_>) -> String {
        let unit = shape.numbers.first().and_then(|column| column.unit.as_ref());
        unit.map_or_else(String::new, |unit| unit.text(self.language).to_owned())
    }

    /// The column that stands alone in a picture, which then names it.
    fn only(shape: &Shape<'a>) -> Option<&'a ResultColumn> {
        if let [only] = shape.numbers[..] { Some(only) } else { None }
    }

    fn series(&self, shape: &Shape<'_>) -> Result<Vec<Series>> {
        let one = |column: &&ResultColumn| Ok(Series { label: column.label.text(self.language).to_owned(), values: self.values(column)? });
        shape.numbers.iter().map(one).collect()
    }

    fn few(&self, column: usize, count: usize, most: usize) -> std::result::Result<(), Message> {
        let name = self.query.columns[column].name.as_str();
        if count <= most { Ok(()) } else { Err(words::CHART_TOO_MANY.with(name).and(count as u64).and(most as u64)) }
    }

    fn bars(&self, shape: &Shape<'a>, wishes: &Wishes) -> Result<std::result::Result<Bars, Message>> {
        let categories = self.names(shape.codes)?;
        let series = self.series(shape)?;
        let fits = self.few(shape.codes, categories.len(), MOST_CATEGORIES);
        Ok(fits.map(|()| Bars {
            texts: self.texts(wishes, Self::only(shape), Vec::new()),
            stacking: if series.len() > 1 { wishes.options.stacking } else { Stacking::Grouped },
            categories,
            series,
            places: None,
            unit: self.unit(shape),
        }))
    }

    fn ranking(&self, shape: &Shape<'a>, wishes: &Wishes) -> Result<std::result::Result<Bars, Message>> {
        let names = self.names(shape.codes)?;
        let values = self.values(shape.numbers[0])?;
        let ranked = ranked(&values, &wishes.options);
        Ok(Ok(Bars {
            texts: self.texts(wishes, Self::only(shape), ranking_notes(&values, ranked.len(), self.tongue())),
            categories: ranked.iter().map(|one| names[one.at].clone()).collect(),
            series: vec![Series { label: String::new(), values: ranked.iter().map(|one| Value::Number(one.number)).collect() }],
            stacking: Stacking::Grouped,
            places: Some(ranked.iter().map(|one| one.place).collect()),
            unit: self.unit(shape),
        }))
    }

    fn heat(&self, shape: &Shape<'a>, wishes: &Wishes) -> Result<std::result::Result<Heat, Message>> {
        let rows = self.names(shape.codes)?;
        let columns = self.series(shape)?;
        let method = &wishes.options.method;
        Ok(self.few(shape.codes, rows.len(), MOST_CATEGORIES).map(|()| Heat {
            texts: self.texts(wishes, None, vec![method_note(method, self.tongue())]),
            values: (0..rows.len()).flat_map(|row| columns.iter().map(move |column| column.values[row])).collect(),
            rows,
            columns: columns.into_iter().map(|column| column.label).collect(),
            method: method.clone(),
        }))
    }

    /// Lines over periods: one for each name, or one for each column of numbers where there is only one name.
    fn lines(&self, shape: &Shape<'a>, wishes: &Wishes) -> Result<std::result::Result<Lines, Message>> {
        let periods = self.texts_in(shape.codes)?;
        let mut releases: Vec<usize> = periods.iter().filter_map(|period| self.release(period)).collect();
        releases.sort_unstable();
        releases.dedup();
        let mut lines: Vec<Line> = Vec::new();
        // A number for each period; what no row tells is not there.
        let put = |line: &mut Line, row: usize, value: Value| {
            if let Some(at) = self.release(&periods[row]).and_then(|release| releases.binary_search(&release).ok()) {
                line.values[at] = value;
            }
        };
        let line = |label: String, breaks: Vec<usize>| Line { label, values: vec![Value::Unavailable; releases.len()], breaks };
        match shape.names {
            None => {
                let breaks = self.breaks(&releases);
                for column in self.series(shape)? {
                    let mut line = line(column.label, breaks.clone());
                    column.values.iter().enumerate().for_each(|(row, value)| put(&mut line, row, *value));
                    lines.push(line);
                }
            }
            Some(names) => {
                let behind = self.nodes_behind(names)?;
                let values = self.values(shape.numbers[0])?;
                for (row, name) in self.texts_in(names)?.into_iter().enumerate() {
                    let at = lines.iter().position(|line| line.label == name).unwrap_or_else(|| {
                        let breaks = behind.as_ref().map_or_else(Vec::new, |(dimension, nodes)| match dimension.role {
                            Role::Geo => breaks(dimension, nodes[row], &releases),
                            _ => Vec::new(),
                        });
                        lines.push(line(name, breaks));
                        lines.len() - 1
                    });
                    put(&mut lines[at], row, values[row]);
                }
            }
        }
        Ok(self.few(shape.names.unwrap_or(shape.codes), lines.len(), MOST_SERIES).map(|()| Lines {
            texts: self.texts(wishes, Self::only(shape), Vec::new()),
            periods: releases.iter().map(|&release| self.library.period(release).to_owned()).collect(),
            lines,
            from_zero: wishes.options.from_zero,
            unit: self.unit(shape),
        }))
    }

    /// Breaks of the region that was asked for.
    fn breaks(&self, releases: &[usize]) -> Vec<usize> {
        let region = |(parameter, value): (&Parameter, &String)| match parameter.kind {
            ParameterKind::Code(dimension, _) if self.library.dimensions[dimension].role == Role::Geo => {
                let dimension = &self.library.dimensions[dimension];
                Some(breaks(dimension, dimension.find(value), releases))
            }
            _ => None,
        };
        self.query.parameters.iter().zip(self.given).find_map(region).unwrap_or_default()
    }

    fn map(&self, shape: &Shape<'a>, wishes: &Wishes) -> Result<std::result::Result<Map<'a>, Message>> {
        let Some(Codes::Dimension(dimension)) = self.query.columns[shape.codes].codes else { return Ok(Err((&words::NO_OUTLINES).into())) };
        let codes = self.texts_in(shape.codes)?;
        let names = self.names(shape.names.unwrap_or(shape.codes))?;
        let values = self.values(shape.numbers[0])?;
        let borrowed: Vec<&str> = codes.iter().map(String::as_str).collect();
        let Some((placed, ground)) = ground(self.library, dimension, &borrowed, self.boundaries) else {
            return Ok(Err((&words::NO_OUTLINES).into()));
        };
        let method = &wishes.options.method;
        Ok(Ok(Map {
            texts: self.texts(wishes, Self::only(shape), map_notes(method, codes.len() - placed.len(), self.tongue())),
            places: placed.into_iter().map(|at| Place { label: names[at].clone(), value: values[at] }).collect(),
            ground,
            method: method.clone(),
        }))
    }

    fn pyramid(&self, shape: &Shape<'a>, wishes: &Wishes) -> Result<std::result::Result<Pyramid, Message>> {
        let (Some((dimension, nodes)), Some((_, parts))) = (self.nodes(shape.codes)?, pyramid(self.library)) else {
            return Ok(Err((&words::ROWS_NEED_AGES).into()));
        };
        let ages = self.names(shape.names.unwrap_or(shape.codes))?;
        let mut sides = self.series(shape)?;
        if wishes.options.share {
            let everything: Vec<Value> = sides.iter().flat_map(|side| side.values.iter().copied()).collect();
            // With a part withheld there is no whole that parts could be shares of.
            let known = everything.iter().all(|value| matches!(value, Value::Number(_) | Value::Impossible));
            let whole = known.then(|| everything.iter().filter_map(|value| value.number()).sum::<f64>()).filter(|whole| *whole > 0.0);
            for value in sides.iter_mut().flat_map(|side| &mut side.values) {
                if let Value::Number(number) = *value {
                    *value = whole.map_or(Value::Unavailable, |whole| Value::Number(100.0 * number / whole));
                }
            }
        }
        let mut sides = sides.into_iter().map(|side| Side { label: side.label, values: side.values, other: None });
        let (Some(left), Some(right)) = (sides.next(), sides.next()) else { return Ok(Err((&words::ROWS_NEED_AGES).into())) };
        Ok(self.few(shape.codes, ages.len(), MOST_CATEGORIES).map(|()| Pyramid {
            texts: self.texts(wishes, None, Vec::new()),
            ages,
            sides: [left, right],
            other: None,
            band: parts.band.as_deref().and_then(|code| band(dimension, &nodes, code, self.language)),
            unit: if wishes.options.share { words::CHART_PER_CENT.text(self.tongue()).to_owned() } else { self.unit(shape) },
        }))
    }
}
