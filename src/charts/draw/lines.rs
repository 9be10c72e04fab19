//! Lines over periods, named at their ends, with marks where a series is broken.

use super::{
    canvas::{Align, Canvas, Font, Point},
    frame::{AXIS, Entry, Frame, LABEL, MARK, Sign, Style, Texts, Value, mark, marks},
    numbers::{tick_decimals, ticks, written},
};
use crate::words;

/// Numbers of one kind, one for each period.
#[derive(Debug, Clone)]
pub struct Line {
    pub label: String,
    pub values: Vec<Value>,
    /// Periods before which what is counted changed, so that numbers before and after do not compare.
    pub breaks: Vec<usize>,
}

/// A chart of lines.
#[derive(Debug, Clone)]
pub struct Lines {
    pub texts: Texts,
    pub periods: Vec<String>,
    pub lines: Vec<Line>,
    /// Whether the axis begins at zero.
    pub from_zero: bool,
    /// What the numbers are.
    pub unit: String,
}

impl Lines {
    /// Draws it; gives its size and its name.
    pub fn draw(&self, document: &mut String, style: &Style) -> Result<((f64, f64), String), String> {
        let theme = style.theme;
        let everything = || self.lines.iter().flat_map(|line| line.values.iter().copied());
        let mut legend: Vec<Entry> = marks(everything().filter(|value| *value == Value::Suppressed), style.tongue);
        if self.lines.iter().any(|line| !line.breaks.is_empty()) {
            legend.push((Sign::Dashes(theme.muted()), words::CHART_BREAK.text(style.tongue).to_owned()));
        }
        let frame = Frame::new(&self.texts, legend, style, (style.width * 0.46).clamp(260.0, 560.0));
        let (size, body) = (frame.size(), frame.body());
        let canvas = Canvas::new(document, size.0, size.1);
        frame.draw(&canvas, theme);

        let numbers: Vec<f64> = everything().filter_map(Value::number).collect();
        let (low, high) =
            (numbers.iter().copied().fold(f64::INFINITY, f64::min), numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max));
        let (low, high) = if low.is_finite() { (low, high) } else { (0.0, 1.0) };
        let low = if self.from_zero { low.min(0.0) } else { low };
        // A line that does not move is drawn in the middle of a range that means something.
        let (low, high) = if high <= low { (low - (low.abs() * 0.05).max(0.5), high + (high.abs() * 0.05).max(0.5)) } else { (low, high) };
        let places = ticks(low, high, 5);
        let (low, high) = (places.first().copied().unwrap_or(0.0), places.last().copied().unwrap_or(1.0));
        let decimals = tick_decimals(&places);
        let widest = places.iter().map(|place| AXIS.width(&written(*place, decimals, style.tongue))).fold(0.0, f64::max);
        let names = self.lines.iter().map(|line| LABEL.width(&line.label)).fold(0.0, f64::max).min(body.width() * 0.3);
        let (left, right, top, foot) = (body.left + widest + 12.0, body.right - names - 16.0, body.top + 22.0, body.bottom - 28.0);
        let x = |at: usize| match self.periods.len() {
            0 | 1 => (left + right) / 2.0,
            count => left + 14.0 + (right - left - 28.0) * at as f64 / (count - 1) as f64,
        };
        let y = |value: f64| foot - (foot - top) * (value - low) / (high - low);

        canvas.text((body.left, body.top + 8.0), &self.unit, Font::plain(12.0), theme.muted(), Align::Start);
        for &place in &places {
            let color = if place == 0.0 { theme.axis() } else { theme.grid() };
            canvas.line(&[(left, y(place)), (right, y(place))], color, 1.0);
            canvas.text((left - 8.0, y(place) + 4.0), &written(place, decimals, style.tongue), AXIS, theme.muted(), Align::End);
        }
        let each = if self.periods.len() > 1 { x(1) - x(0) } else { right - left };
        let widest = self.periods.iter().map(|period| AXIS.width(period)).fold(1.0, f64::max) + 10.0;
        let every = (widest / each).ceil().max(1.0) as usize;
        for (at, period) in self.periods.iter().enumerate() {
            canvas.line(&[(x(at), foot), (x(at), foot + 4.0)], theme.axis(), 1.0);
            if (self.periods.len() - 1 - at).is_multiple_of(every) {
                canvas.text((x(at), foot + 19.0), period, AXIS, theme.muted(), Align::Middle);
            }
        }
        canvas.line(&[(left, foot), (right, foot)], theme.axis(), 1.0);

        let mut ends: Vec<(f64, usize)> = Vec::new();
        for (at, line) in self.lines.iter().enumerate() {
            let color = theme.category(at);
            let mut run: Vec<Point> = Vec::new();
            for (period, value) in line.values.iter().enumerate() {
                let Some(number) = value.number() else {
                    self.stroke(&canvas, &mut run, color);
                    if *value == Value::Suppressed {
                        // What is withheld stands at the foot, wherever its number may lie.
                        mark(&canvas, *value, x(period) - MARK / 2.0, foot - MARK * (1.0 + 1.3 * at as f64), theme);
                    }
                    continue;
                };
                let point = (x(period), y(number));
                if line.breaks.contains(&period)
                    && let Some(&before) = run.last()
                {
                    self.stroke(&canvas, &mut run, color);
                    canvas.dashes(&[before, point], color, 1.4, 4.0, 3.5);
                    canvas.line(&[(x(period) - each / 2.0, top), (x(period) - each / 2.0, foot)], theme.grid(), 1.0);
                }
                run.push(point);
            }
            let last = line.values.iter().rposition(|value| value.number().is_some());
            self.stroke(&canvas, &mut run, color);
            for (period, value) in line.values.iter().enumerate() {
                if let Some(number) = value.number() {
                    canvas.dot((x(period), y(number)), 3.2, color);
                }
            }
            if let Some(number) = last.and_then(|last| line.values[last].number()) {
                ends.push((y(number), at));
            } else {
                ends.push((foot - MARK, at));
            }
        }
        for (place, at) in apart(ends, 15.0, top, foot) {
            let name = LABEL.fitted(&self.lines[at].label, names);
            canvas.text((right + 10.0, place + 4.5), &name, LABEL, darker(theme.category(at), style), Align::Start);
        }
        canvas.finish()?;
        Ok((size, frame.title()))
    }

    fn stroke(&self, canvas: &Canvas<'_>, run: &mut Vec<Point>, color: super::canvas::Color) {
        if run.len() > 1 {
            canvas.line(run, color, 2.2);
        }
        run.clear();
    }
}

/// A colour for text on the ground: light ones would be hard to read on paper.
fn darker(color: super::canvas::Color, style: &Style) -> super::canvas::Color {
    super::theme::mix(color, style.theme.text(), 0.35)
}

/// Moves labels apart that would cover each other, as little as possible.
fn apart(mut labels: Vec<(f64, usize)>, least: f64, top: f64, bottom: f64) -> Vec<(f64, usize)> {
    labels.sort_by(|a, b| a.0.total_cmp(&b.0));
    for at in 1..labels.len() {
        labels[at].0 = labels[at].0.max(labels[at - 1].0 + least);
    }
    // What was pushed out below goes up again.
    let mut limit = bottom;
    for label in labels.iter_mut().rev() {
        label.0 = label.0.min(limit).max(top);
        limit = label.0 - least;
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_keep_apart_and_within() {
        let moved = apart(vec![(10.0, 0), (11.0, 1), (12.0, 2), (99.0, 3)], 5.0, 0.0, 100.0);
        assert_eq!(moved, [(10.0, 0), (15.0, 1), (20.0, 2), (99.0, 3)]);
        let pushed = apart(vec![(98.0, 0), (99.0, 1), (100.0, 2)], 5.0, 0.0, 100.0);
        assert_eq!(pushed, [(90.0, 0), (95.0, 1), (100.0, 2)]);
    }
}
