//! Population pyramids: ages upwards, one side for each sex.

use super::{
    canvas::{Align, Area, Canvas, Font},
    frame::{AXIS, Entry, Frame, LABEL, Sign, Style, Texts, Value, mark, marks},
    numbers::{tick_decimals, ticks, written},
};
use crate::words;

/// One side of a pyramid.
#[derive(Debug, Clone)]
pub struct Side {
    pub label: String,
    /// From the youngest up.
    pub values: Vec<Value>,
    /// What is compared with, drawn as an outline.
    pub other: Option<Vec<Value>>,
}

/// A pyramid.
#[derive(Debug, Clone)]
pub struct Pyramid {
    pub texts: Texts,
    /// Names of the ages, from the youngest up.
    pub ages: Vec<String>,
    pub sides: [Side; 2],
    /// What the outline stands for.
    pub other: Option<String>,
    /// The ages that are marked, from and to, and what they are.
    pub band: Option<(usize, usize, String)>,
    /// What the numbers are.
    pub unit: String,
}

impl Pyramid {
    /// Draws it; gives its size and its name.
    pub fn draw(&self, document: &mut String, style: &Style) -> Result<((f64, f64), String), String> {
        let theme = style.theme;
        let colors = [theme.category(0), theme.category(1)];
        let everything = || self.sides.iter().flat_map(|side| side.values.iter().chain(side.other.iter().flatten()).copied());
        let mut legend: Vec<Entry> = self.sides.iter().zip(colors).map(|(side, color)| (Sign::Square(color), side.label.clone())).collect();
        if let Some(other) = &self.other {
            legend.push((Sign::Line(theme.text()), other.clone()));
        }
        if let Some((_, _, label)) = &self.band {
            legend.push((Sign::Square(theme.band()), label.clone()));
        }
        legend.extend(marks(everything(), style.tongue));
        let row = (if self.ages.len() > 40 { 7.0 } else { 21.0 }) * (style.width / 960.0).clamp(0.7, 1.3);
        let frame = Frame::new(&self.texts, legend, style, row * self.ages.len() as f64 + 40.0);
        let (size, body) = (frame.size(), frame.body());
        let canvas = Canvas::new(document, size.0, size.1);
        frame.draw(&canvas, theme);

        // Names of single ages would run into each other: every fifth or tenth is enough.
        let row = (body.height() - 40.0) / self.ages.len().max(1) as f64;
        let every = [1, 5, 10, 20].into_iter().find(|every| *every as f64 * row >= 13.0).unwrap_or(20);
        let named = |at: usize| at.is_multiple_of(every);
        let widest = self.ages.iter().enumerate().filter(|(at, _)| named(*at)).map(|(_, age)| LABEL.width(age)).fold(0.0, f64::max);
        let middle = (body.left + body.right) / 2.0;
        let gap = (widest / 2.0 + 12.0).min(body.width() / 4.0);
        let most = everything().filter_map(Value::number).fold(0.0, f64::max);
        let places = ticks(0.0, most, if body.width() < 600.0 { 3 } else { 5 });
        let (most, decimals) = (places.last().copied().unwrap_or(1.0), tick_decimals(&places));
        // The outermost number stands half beyond the axis.
        let beyond = AXIS.width(&written(most, decimals, style.tongue)) / 2.0;
        let length = body.width() / 2.0 - gap - beyond;
        let foot = body.bottom - 40.0;
        let x =
            |side: usize, value: f64| if side == 0 { middle - gap - length * value / most } else { middle + gap + length * value / most };
        let top = |at: usize| foot - row * (at + 1) as f64;

        if let Some((from, to, _)) = self.band {
            canvas.rect(Area { left: body.left, top: top(to), right: body.right, bottom: top(from) + row }, theme.band());
        }
        for side in 0..2 {
            for &place in &places {
                canvas.line(&[(x(side, place), body.top), (x(side, place), foot)], theme.grid(), 1.0);
                canvas.text((x(side, place), foot + 18.0), &written(place, decimals, style.tongue), AXIS, theme.muted(), Align::Middle);
            }
        }
        let space = if row > 10.0 { 1.5 } else { 0.3 };
        for (side, color) in colors.into_iter().enumerate() {
            for (at, &value) in self.sides[side].values.iter().enumerate() {
                let center = top(at) + row / 2.0;
                match value {
                    Value::Number(number) => {
                        let (near, far) = (x(side, 0.0), x(side, number));
                        let area = Area { left: near.min(far), top: top(at) + space, right: near.max(far), bottom: top(at) + row - space };
                        canvas.rect(area, color);
                    }
                    other if row >= 7.0 => {
                        mark(&canvas, other, if side == 0 { x(0, 0.0) - 13.0 } else { x(1, 0.0) + 2.0 }, center, theme);
                    }
                    _ => {
                        let (left, right) =
                            if side == 0 { (x(0, 0.0) - 13.0, x(0, 0.0) - 2.0) } else { (x(1, 0.0) + 2.0, x(1, 0.0) + 13.0) };
                        canvas.hatch(Area { left, top: top(at), right, bottom: top(at) + row }, theme.hatch());
                    }
                }
            }
            self.outline(&canvas, side, style, &|at| (top(at), top(at) + row), &|value| x(side, value));
            canvas.line(&[(x(side, 0.0), body.top), (x(side, 0.0), foot)], theme.axis(), 1.0);
        }
        for (at, age) in self.ages.iter().enumerate().filter(|(at, _)| named(*at)) {
            canvas.text((middle, top(at) + row / 2.0 + 4.5), age, LABEL, theme.text(), Align::Middle);
        }
        for (side, at) in [(0, middle - gap - length / 2.0), (1, middle + gap + length / 2.0)] {
            let label = format!("{} ({})", self.sides[side].label, self.unit);
            canvas.text((at, foot + 36.0), &label, Font::plain(12.0), theme.muted(), Align::Middle);
        }
        canvas.text((middle, foot + 36.0), words::CHART_AGE.text(style.tongue), Font::plain(12.0), theme.muted(), Align::Middle);
        canvas.finish()?;
        Ok((size, frame.title()))
    }

    /// The stepped line of what is compared with; it has gaps where there are no numbers.
    fn outline(&self, canvas: &Canvas<'_>, side: usize, style: &Style, rows: &dyn Fn(usize) -> (f64, f64), x: &dyn Fn(f64) -> f64) {
        let Some(other) = &self.sides[side].other else { return };
        let mut steps = Vec::new();
        let draw = |steps: &mut Vec<(f64, f64)>| {
            if steps.len() > 1 {
                // A light edge keeps the line apart from the bars.
                canvas.line(steps, style.theme.background(), 3.4);
                canvas.line(steps, style.theme.text(), 1.5);
            }
            steps.clear();
        };
        for (at, value) in other.iter().enumerate() {
            match value.number() {
                Some(number) => {
                    let (top, bottom) = rows(at);
                    steps.extend([(x(number), bottom), (x(number), top)]);
                }
                None => draw(&mut steps),
            }
        }
        draw(&mut steps);
    }
}
