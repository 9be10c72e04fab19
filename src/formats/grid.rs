//! A table as part of a page: rows in any order, shaded if somebody wishes, some rows at a time.
//!
//! What has one category only is told above the table ([`Grid::fixed`]) instead of in every row. Where a row belongs in an order,
//! and which shade a cell has, follows from published numbers alone: what has none stands last and has no shade.

use std::{ops::Range, sync::Arc};

use maud::{Markup, html};

use super::{
    Context,
    about::{About, marked},
    layout::{Layout, Line, Side},
    numbers::written,
    options::Texts,
};
use crate::{
    tables::{Answer, CellStatus, Variable},
    words::{self, Tongue},
};

/// Shades of cells.
const SHADES: usize = 5;

/// By which column rows stand in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// The column, from 0.
    pub column: usize,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// A table on a page.
pub struct Grid {
    answer: Arc<Answer>,
    tongue: Tongue,
    stub: Vec<Shown>,
    heading: Vec<Shown>,
    stub_lines: Vec<Line>,
    heading_lines: Vec<Line>,
    /// Name of the contents, for a table of one column.
    value: String,
    fixed: Vec<String>,
    columns: usize,
    rows: Vec<usize>,
    /// For each column the least numbers of all shades but the first; empty: nothing is shaded.
    shades: Vec<Vec<i64>>,
}

/// A variable that varies: its categories, and how deep each lies below others that are shown.
struct Shown {
    variable: Variable,
    side: Side,
    depths: Vec<u8>,
}

fn sides(shown: &[Shown]) -> Vec<&Side> {
    shown.iter().map(|shown| &shown.side).collect()
}

impl Grid {
    /// A table of an answer.
    pub fn new(context: &Context, answer: Arc<Answer>, texts: Texts, order: Option<Order>, shaded: bool) -> Self {
        let library = &context.library;
        let query = &answer.query;
        let layout = Layout::new(context, query);
        let entry = &library.tables[query.table];
        let mut fixed = Vec::new();
        // Where nothing varies down the page, the first variable there names the rows.
        let named = layout.stub.iter().all(|side| side.len() == 1).then(|| query.stub.first().copied()).flatten();
        let mut varying = |sides: Vec<Side>, variables: &[Variable]| -> Vec<Shown> {
            let mut shown = Vec::new();
            for (side, &variable) in sides.into_iter().zip(variables) {
                if side.len() == 1 && Some(variable) != named {
                    fixed.push(side.labels.get(0).to_owned());
                } else {
                    let depths = match variable {
                        Variable::Axis(axis) => depths(&library.parents(query, axis), side.len()),
                        _ => vec![0; side.len()],
                    };
                    shown.push(Shown { variable, side, depths });
                }
            }
            shown
        };
        let stub = varying(layout.stub, &query.stub);
        let heading = varying(layout.heading, &query.heading);
        let content = query.contents.first().copied().unwrap_or(0);
        let columns = heading.iter().map(|shown| shown.side.len()).product::<usize>().max(1);
        let mut grid = Self {
            tongue: library.tongue(context.language),
            stub_lines: lines_of(&stub, texts),
            heading_lines: lines_of(&heading, texts),
            value: library.contents(entry, content).1.text(context.language).to_owned(),
            stub,
            heading,
            fixed,
            columns,
            rows: (0..answer.statuses.len() / columns).collect(),
            shades: Vec::new(),
            answer,
        };
        if let Some(order) = order.filter(|order| order.column < columns) {
            grid.sort(order);
        }
        if shaded {
            grid.shades = (0..columns).map(|column| grid.bounds(column)).collect();
        }
        grid
    }

    /// Categories of variables that have one only.
    pub fn fixed(&self) -> &[String] {
        &self.fixed
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Number of columns with numbers.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The marks that occur in the table, with their meaning.
    pub fn legend(&self, context: &Context) -> Vec<(String, &'static str)> {
        About::new(context, &self.answer.query).legend(&self.answer)
    }

    fn number(&self, row: usize, column: usize) -> Option<i64> {
        let cell = row * self.columns + column;
        (self.answer.statuses[cell] == CellStatus::Published).then(|| self.answer.values[cell])
    }

    fn sort(&mut self, order: Order) {
        let mut rows = std::mem::take(&mut self.rows);
        // A stable sort: what has no number keeps its place among its like, whatever it hides.
        rows.sort_by(|&a, &b| match (self.number(a, order.column), self.number(b, order.column)) {
            (Some(a), Some(b)) if order.descending => b.cmp(&a),
            (Some(a), Some(b)) => a.cmp(&b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        });
        self.rows = rows;
    }

    fn bounds(&self, column: usize) -> Vec<i64> {
        let mut numbers: Vec<i64> = (0..self.rows.len()).filter_map(|row| self.number(row, column)).collect();
        numbers.sort_unstable();
        (1..SHADES).filter_map(|shade| numbers.get(numbers.len() * shade / SHADES).copied()).collect()
    }

    fn is_reordered(&self) -> bool {
        !self.rows.is_sorted()
    }

    /// The heading. `link` gives each column an address that puts rows in its order, and the order in which they are.
    pub fn head(&self, link: &dyn Fn(usize) -> (String, Option<&'static str>)) -> Markup {
        let depth = self.heading_lines.len().max(1);
        let heading = sides(&self.heading);
        let last = self.heading_lines.len().saturating_sub(1);
        html! {
            thead {
                @for at in 0..depth {
                    tr {
                        @if at == 0 {
                            @if self.stub_lines.is_empty() { td rowspan=[(depth > 1).then_some(depth)] {} }
                            @for line in &self.stub_lines {
                                th.stub scope="col" rowspan=[(depth > 1).then_some(depth)] { (capital(name(*line, &sides(&self.stub)))) }
                            }
                        }
                        @match self.heading_lines.get(at) {
                            None => (self.column_head(0, &self.value, link)),
                            Some(line) => {
                                @let repeated = product(&heading[..line.side]);
                                @let span = product(&heading[line.side + 1..]);
                                @for place in 0..repeated * heading[line.side].len() {
                                    @let text = text(*line, &heading, place % heading[line.side].len());
                                    @if at == last && span == 1 { (self.column_head(place, text, link)) }
                                    @else { th scope="colgroup" colspan=[(span > 1).then_some(span)] { (text) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn column_head(&self, column: usize, text: &str, link: &dyn Fn(usize) -> (String, Option<&'static str>)) -> Markup {
        let (address, order) = link(column);
        html! { th scope="col" aria-sort=[order] { a href=(address) data-swap rel="nofollow" { (text) } } }
    }

    /// Some of the rows. `drill` gives a category of a variable an address that shows what lies below it.
    pub fn body(&self, wanted: Range<usize>, drill: &dyn Fn(Variable, usize) -> Option<String>) -> Markup {
        let end = wanted.end.min(self.rows.len());
        let rows = &self.rows[wanted.start.min(end)..end];
        let sizes: Vec<usize> = self.stub.iter().map(|shown| shown.side.len()).collect();
        let places: Vec<Vec<usize>> = rows.iter().map(|&row| place(row, &sizes)).collect();
        // Rows in an order of their own have no neighbours that they share heads with.
        let joined = !self.is_reordered();
        let begins = |at: usize, side: usize| !joined || at == 0 || places[at][..=side] != places[at - 1][..=side];
        let last = self.stub.len().saturating_sub(1);
        html! {
            @for (at, &row) in rows.iter().enumerate() {
                tr {
                    @for line in &self.stub_lines {
                        @if line.side == last || begins(at, line.side) {
                            @let shown = &self.stub[line.side];
                            @let category = places[at][line.side];
                            @let span = if line.side == last { 1 } else { (at + 1..rows.len()).take_while(|&next| !begins(next, line.side)).count() + 1 };
                            @let class = (!line.codes && shown.depths[category] > 0).then(|| format!("d{}", shown.depths[category]));
                            th scope=(if span > 1 { "rowgroup" } else { "row" }) rowspan=[(span > 1).then_some(span)] class=[class] {
                                @let text = text(*line, &sides(&self.stub), category);
                                @match if line.codes { None } else { drill(shown.variable, category) } {
                                    Some(address) => a href=(address) data-swap { (text) },
                                    None => (text),
                                }
                            }
                        }
                    }
                    @if self.stub_lines.is_empty() { th scope="row" { (words::VALUE.text(self.tongue)) } }
                    @for column in 0..self.columns { (self.cell(row, column)) }
                }
            }
        }
    }

    fn cell(&self, row: usize, column: usize) -> Markup {
        let cell = row * self.columns + column;
        let status = self.answer.statuses[cell];
        if marked(status).is_some() {
            let mark = status.mark().unwrap_or_default();
            return html! { td class=(mark) { "[" (mark) "]" } };
        }
        let value = self.answer.values[cell];
        let shade = self
            .shades
            .get(column)
            .filter(|bounds| bounds.len() + 1 == SHADES)
            .map(|bounds| bounds.iter().filter(|bound| value >= **bound).count());
        html! { td class=[shade.map(|shade| format!("s{shade}"))] { (written(value, self.answer.decimals(cell), self.tongue)) } }
    }
}

fn lines_of(shown: &[Shown], texts: Texts) -> Vec<Line> {
    (0..shown.len())
        .flat_map(|side| [true, false].map(|codes| Line { side, codes }))
        .filter(|line| if line.codes { texts.codes() } else { texts.names() })
        .collect()
}

fn name<'s>(line: Line, sides: &[&'s Side]) -> &'s str {
    if line.codes { &sides[line.side].code } else { &sides[line.side].label }
}

fn text<'s>(line: Line, sides: &[&'s Side], category: usize) -> &'s str {
    let side = sides[line.side];
    if line.codes { side.codes.get(category) } else { side.labels.get(category) }
}

fn product(sides: &[&Side]) -> usize {
    sides.iter().map(|side| side.len()).product()
}

/// The category of each variable in a row, the last variable varying fastest.
fn place(mut row: usize, sizes: &[usize]) -> Vec<usize> {
    let mut places = vec![0; sizes.len()];
    for (place, size) in places.iter_mut().zip(sizes).rev() {
        (*place, row) = (row % size, row / size);
    }
    places
}

/// How many of the categories shown lie above each.
fn depths(parents: &[Option<usize>], count: usize) -> Vec<u8> {
    let mut depths = vec![0u8; count];
    for (at, parent) in parents.iter().enumerate() {
        depths[at] = parent.map_or(0, |parent| depths[parent].saturating_add(1).min(5));
    }
    depths
}

/// A text as it stands at the beginning of a line.
fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
