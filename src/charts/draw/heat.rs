//! Tables shaded by their numbers.

use super::{
    canvas::{Align, Area, Canvas, Font},
    classes::{Classes, Method},
    frame::{Frame, LABEL, Style, Texts, Value, mark, marks},
    theme::readable_on,
};

/// A shaded table.
#[derive(Debug, Clone)]
pub struct Heat {
    pub texts: Texts,
    pub rows: Vec<String>,
    pub columns: Vec<String>,
    /// Row by row.
    pub values: Vec<Value>,
    pub method: Method,
}

impl Heat {
    /// Draws it; gives its size and its name.
    pub fn draw(&self, document: &mut String, style: &Style) -> Result<((f64, f64), String), String> {
        let theme = style.theme;
        let numbers: Vec<f64> = self.values.iter().filter_map(|value| value.number()).collect();
        let classes = Classes::new(&self.method, &numbers);
        let mut legend = classes.entries(style);
        legend.extend(marks(self.values.iter().copied(), style.tongue));
        let inside = Font::plain(if self.columns.len() > 16 { 10.0 } else { 11.5 });
        let written = numbers.iter().map(|number| inside.width(&style.number(*number))).fold(0.0, f64::max);
        let heads = self.columns.iter().map(|column| LABEL.width(column)).fold(0.0, f64::max);
        let inner = style.width - 48.0;
        let names = self.rows.iter().map(|row| LABEL.width(row)).fold(0.0, f64::max).min(inner * 0.34);
        let column = (inner - names - 10.0) / self.columns.len().max(1) as f64;
        // Names that are wider than their columns are turned.
        let turned = heads > column - 6.0;
        let head = if turned { heads.min(150.0) + 10.0 } else { 24.0 };
        let frame = Frame::new(&self.texts, legend, style, head + 24.0 * self.rows.len() as f64);
        let (size, body) = (frame.size(), frame.body());
        let canvas = Canvas::new(document, size.0, size.1);
        frame.draw(&canvas, theme);

        let left = body.left + names + 10.0;
        let (top, row) = (body.top + head, (body.height() - head) / self.rows.len().max(1) as f64);
        for (at, name) in self.columns.iter().enumerate() {
            let middle = left + column * (at as f64 + 0.5);
            if turned && column >= 10.0 {
                canvas.turned((middle + 4.0, top - 6.0), &LABEL.fitted(name, 150.0), LABEL, theme.text(), Align::Start, true);
            } else if !turned {
                canvas.text((middle, top - 8.0), name, LABEL, theme.text(), Align::Middle);
            }
        }
        let fits = written + 4.0 <= column && row >= 13.0;
        for (at, name) in self.rows.iter().enumerate() {
            let (upper, middle) = (top + row * at as f64, top + row * (at as f64 + 0.5));
            if row >= 10.0 {
                canvas.text((left - 8.0, middle + 4.5), &LABEL.fitted(name, names), LABEL, theme.text(), Align::End);
            }
            for across in 0..self.columns.len() {
                let value = self.values[at * self.columns.len() + across];
                let x = left + column * across as f64;
                let area = Area { left: x, top: upper, right: x + column - 1.0, bottom: upper + row - 1.0 };
                match value {
                    Value::Number(number) => {
                        let color = classes.color(number, theme);
                        canvas.rect(area, color);
                        if fits {
                            let text = style.number(number);
                            canvas.text((x + column / 2.0, middle + 4.0), &text, inside, readable_on(color), Align::Middle);
                        }
                    }
                    other => {
                        canvas.rect(area, theme.empty());
                        if column >= 12.0 {
                            mark(&canvas, other, x + column / 2.0 - 5.5, middle, theme);
                        }
                    }
                }
            }
        }
        canvas.finish()?;
        Ok((size, frame.title()))
    }
}
