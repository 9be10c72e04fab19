//! Horizontal bars: grouped, stacked, as parts of a hundred, and in order of size.

use super::{
    canvas::{Align, Area, Canvas, Font},
    frame::{AXIS, Entry, Frame, LABEL, Sign, Style, Texts, Value, mark, marks},
    numbers::{tick_decimals, ticks, written},
    theme::readable_on,
};
use crate::words;

/// How the bars of a category stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stacking {
    /// Side by side.
    Grouped,
    /// One behind the other.
    Stacked,
    /// One behind the other, of one length together.
    Full,
}

/// Numbers of one kind, one for each category.
#[derive(Debug, Clone)]
pub struct Series {
    pub label: String,
    pub values: Vec<Value>,
}

/// A chart of bars.
#[derive(Debug, Clone)]
pub struct Bars {
    pub texts: Texts,
    pub categories: Vec<String>,
    pub series: Vec<Series>,
    pub stacking: Stacking,
    /// Whether places in an order stand before the categories; for each category its place, from 1.
    pub places: Option<Vec<usize>>,
    /// What the numbers are.
    pub unit: String,
}

const INSIDE: Font = Font::plain(11.5);

impl Bars {
    /// Every value with the name of what it belongs to.
    pub fn named(&self) -> Vec<(String, Value)> {
        let several = self.series.len() > 1;
        let of = |series: &Series| {
            let name = |category: &String| if several { format!("{category}, {}", series.label) } else { category.clone() };
            self.categories.iter().map(name).zip(series.values.iter().copied()).collect::<Vec<_>>()
        };
        self.series.iter().flat_map(of).collect()
    }

    /// Draws it; gives its size and its name.
    pub fn draw(&self, document: &mut String, style: &Style) -> Result<((f64, f64), String), String> {
        let theme = style.theme;
        let everything = || self.series.iter().flat_map(|series| series.values.iter().copied());
        let mut legend: Vec<Entry> = if self.series.len() > 1 {
            self.series.iter().enumerate().map(|(at, series)| (Sign::Square(theme.category(at)), series.label.clone())).collect()
        } else {
            Vec::new()
        };
        legend.extend(marks(everything(), style.tongue));
        if self.stacking == Stacking::Full && everything().any(|value| value.number().is_none()) {
            legend.push((Sign::Hatch, words::CHART_NO_SHARES.text(style.tongue).to_owned()));
            legend.retain(|(sign, text)| *sign != Sign::Hatch || text == words::CHART_NO_SHARES.text(style.tongue));
        }
        let side_by_side = if self.stacking == Stacking::Grouped { self.series.len().max(1) } else { 1 };
        let thickness = if side_by_side == 1 { 24.0 } else { 15.0 * side_by_side as f64 + 12.0 };
        let frame = Frame::new(&self.texts, legend, style, thickness * self.categories.len() as f64 + 44.0);
        let (size, body) = (frame.size(), frame.body());
        let canvas = Canvas::new(document, size.0, size.1);
        frame.draw(&canvas, theme);
        if self.categories.is_empty() {
            canvas.text((body.left, body.top + 26.0), words::CHART_NOTHING.text(style.tongue), LABEL, theme.muted(), Align::Start);
            canvas.finish()?;
            return Ok((size, frame.title()));
        }

        let named: Vec<String> = match &self.places {
            Some(places) => self.categories.iter().zip(places).map(|(name, place)| format!("{place}. {name}")).collect(),
            None => self.categories.clone(),
        };
        let names = named.iter().map(|name| LABEL.width(name)).fold(0.0, f64::max).min(body.width() * 0.38);
        let (low, high) = self.reach();
        let ends = if self.stacking == Stacking::Full {
            vec![0.0, 20.0, 40.0, 60.0, 80.0, 100.0]
        } else {
            ticks(low, high, if body.width() < 600.0 { 3 } else { 6 })
        };
        let (low, high) = (ends.first().copied().unwrap_or(0.0), ends.last().copied().unwrap_or(1.0));
        let beside = if self.stacking == Stacking::Full {
            8.0
        } else {
            everything().filter_map(Value::number).map(|number| INSIDE.width(&style.number(number))).fold(0.0, f64::max) + 10.0
        };
        let (left, right, foot) = (body.left + names + 10.0, body.right - beside, body.bottom - 44.0);
        let x = |value: f64| left + (right - left) * (value - low) / (high - low);
        let row = (foot - body.top) / self.categories.len().max(1) as f64;

        let decimals = tick_decimals(&ends);
        for &place in &ends {
            canvas.line(&[(x(place), body.top), (x(place), foot)], theme.grid(), 1.0);
            canvas.text((x(place), foot + 18.0), &written(place, decimals, style.tongue), AXIS, theme.muted(), Align::Middle);
        }
        let unit = if self.stacking == Stacking::Full { words::CHART_PER_CENT.text(style.tongue) } else { &self.unit };
        canvas.text(((left + right) / 2.0, foot + 37.0), unit, Font::plain(12.0), theme.muted(), Align::Middle);

        let gap = (row * 0.14).clamp(0.5, 6.0);
        for (at, name) in named.iter().enumerate() {
            let (top, bottom) = (body.top + row * at as f64 + gap, body.top + row * (at + 1) as f64 - gap);
            if row >= 12.0 {
                canvas.text((left - 8.0, (top + bottom) / 2.0 + 4.5), &LABEL.fitted(name, names), LABEL, theme.text(), Align::End);
            }
            match self.stacking {
                Stacking::Grouped => {
                    let each = (bottom - top) / side_by_side as f64;
                    for (series, color) in
                        self.series.iter().zip((0..).map(|at| theme.category(at))).enumerate().map(|(at, pair)| ((at, pair.0), pair.1))
                    {
                        let (position, series) = series;
                        let area = (top + each * position as f64, top + each * (position + 1) as f64);
                        self.bar(&canvas, series.values[at], area, &x, color, style);
                    }
                }
                Stacking::Stacked | Stacking::Full => self.stack(&canvas, at, (top, bottom), &x, style),
            }
        }
        canvas.line(&[(x(low.max(0.0)), body.top), (x(low.max(0.0)), foot)], theme.axis(), 1.0);
        canvas.finish()?;
        Ok((size, frame.title()))
    }

    /// The least and the most that bars reach; zero is always within.
    fn reach(&self) -> (f64, f64) {
        let numbers = |at: usize| self.series.iter().filter_map(move |series| series.values[at].number());
        let ends = (0..self.categories.len()).map(|at| match self.stacking {
            Stacking::Grouped => (numbers(at).fold(0.0, f64::min), numbers(at).fold(0.0, f64::max)),
            _ => (0.0, numbers(at).sum()),
        });
        ends.fold((0.0, 0.0), |(low, high), (least, most): (f64, f64)| (low.min(least), high.max(most)))
    }

    fn bar(
        &self,
        canvas: &Canvas<'_>,
        value: Value,
        (top, bottom): (f64, f64),
        x: &dyn Fn(f64) -> f64,
        color: super::canvas::Color,
        style: &Style,
    ) {
        let middle = (top + bottom) / 2.0;
        let Value::Number(number) = value else {
            mark(canvas, value, x(0.0) + 3.0, middle, style.theme);
            return;
        };
        let (from, to) = (x(0.0).min(x(number)), x(0.0).max(x(number)));
        canvas.rect(Area { left: from, top: top + 0.5, right: to, bottom: bottom - 0.5 }, color);
        if bottom - top >= 11.0 {
            let text = style.number(number);
            let (at, align) = if number < 0.0 { (from - 5.0, Align::End) } else { (to + 5.0, Align::Start) };
            canvas.text((at, middle + 4.0), &text, INSIDE, style.theme.text(), align);
        }
    }

    fn stack(&self, canvas: &Canvas<'_>, at: usize, (top, bottom): (f64, f64), x: &dyn Fn(f64) -> f64, style: &Style) {
        let middle = (top + bottom) / 2.0;
        let values: Vec<Value> = self.series.iter().map(|series| series.values[at]).collect();
        let sum: f64 = values.iter().filter_map(|value| value.number()).sum();
        let full = self.stacking == Stacking::Full;
        // Parts of a whole that is not known have no length.
        if full && (sum <= 0.0 || values.iter().any(|value| matches!(value, Value::Suppressed | Value::Unavailable))) {
            mark(canvas, Value::Suppressed, x(0.0) + 3.0, middle, style.theme);
            return;
        }
        let mut from = 0.0;
        for (position, value) in values.iter().enumerate() {
            let Some(number) = value.number() else { continue };
            let length = if full { 100.0 * number / sum } else { number };
            let (left, right) = (x(from), x(from + length));
            let color = style.theme.category(position);
            canvas.rect(Area { left, top, right: (right - 0.8).max(left), bottom }, color);
            let text = if full { written(length, 0, style.tongue) } else { style.number(number) };
            if right - left > INSIDE.width(&text) + 8.0 && bottom - top >= 12.0 {
                canvas.text(((left + right) / 2.0, middle + 4.0), &text, INSIDE, readable_on(color), Align::Middle);
            }
            from += length;
        }
        if let Some(withheld) = values.iter().find(|value| **value == Value::Suppressed) {
            mark(canvas, *withheld, x(from) + 3.0, middle, style.theme);
        }
    }
}
