//! A surface to draw on: plotters' SVG with a tenth of a pixel as its unit, and the fonts that are packaged with the program.
//!
//! plotters counts in whole units. Ten of them are a pixel here, so that thin lines are thin and bars end where their values do.

use std::{cell::RefCell, sync::LazyLock};

use ab_glyph::{Font as _, FontRef, PxScale, ScaleFont};
use plotters::{
    coord::Shift,
    prelude::{Circle, DrawingArea, EmptyElement, IntoDrawingArea, PathElement, Polygon, Rectangle, SVGBackend},
    style::{
        Color as _, FontFamily, FontStyle, RGBColor, ShapeStyle, TextStyle,
        text_anchor::{HPos, Pos, VPos},
    },
};

/// Units of plotters to a pixel.
const FINE: f64 = 10.0;
/// What plotters' SVG divides sizes of fonts by.
const PLOTTERS_POINTS: f64 = 1.24;
/// Where plotters' SVG puts the base line below a point, in sizes of the font.
const ABOVE: f64 = 0.76;

/// The family of all texts. Readers without it see a face of like width.
pub const FAMILY: &str = "Inter, 'Helvetica Neue', Arial, sans-serif";
/// The face of plain text.
pub const REGULAR: &[u8] = include_bytes!("../fonts/Inter-Regular.ttf");
/// The face of titles.
pub const SEMI_BOLD: &[u8] = include_bytes!("../fonts/Inter-SemiBold.ttf");

static FACES: LazyLock<Option<[FontRef<'static>; 2]>> =
    LazyLock::new(|| Some([FontRef::try_from_slice(REGULAR).ok()?, FontRef::try_from_slice(SEMI_BOLD).ok()?]));

/// A colour.
pub type Color = RGBColor;

/// A place on the surface, in pixels from its upper left corner.
pub type Point = (f64, f64);

/// A part of the surface, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Area {
    pub fn width(self) -> f64 {
        self.right - self.left
    }

    pub fn height(self) -> f64 {
        self.bottom - self.top
    }
}

/// Size and weight of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Font {
    pub size: f64,
    pub bold: bool,
}

impl Font {
    pub const fn plain(size: f64) -> Self {
        Self { size, bold: false }
    }

    pub const fn bold(size: f64) -> Self {
        Self { size, bold: true }
    }

    /// How wide a text is, in pixels.
    pub fn width(self, text: &str) -> f64 {
        let Some(faces) = &*FACES else { return text.chars().count() as f64 * self.size * 0.55 };
        let face = &faces[usize::from(self.bold)];
        // A font's size in SVG is that of its em; the crate counts in heights of lines.
        let height = f64::from(face.height_unscaled()) / f64::from(face.units_per_em().unwrap_or(1000.0)) * self.size;
        let scaled = face.as_scaled(PxScale::from(height as f32));
        let mut before = None;
        let mut width = 0.0;
        for char in text.chars() {
            let glyph = scaled.glyph_id(char);
            if let Some(before) = before {
                width += scaled.kern(before, glyph);
            }
            width += scaled.h_advance(glyph);
            before = Some(glyph);
        }
        f64::from(width)
    }

    /// A text, cut where it is wider than so many pixels.
    pub fn fitted(self, text: &str, width: f64) -> String {
        if self.width(text) <= width {
            return text.to_owned();
        }
        let mut cut: String = text.to_owned();
        while cut.pop().is_some() {
            let short = format!("{}…", cut.trim_end());
            if self.width(&short) <= width {
                return short;
            }
        }
        String::new()
    }

    /// A text in lines of no more than so many pixels; at most so many lines, the last of which is cut.
    pub fn wrapped(self, text: &str, width: f64, most: usize) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        let mut line = String::new();
        let mut words = text.split_whitespace().peekable();
        while let Some(word) = words.peek() {
            let longer = if line.is_empty() { (*word).to_owned() } else { format!("{line} {word}") };
            if line.is_empty() || self.width(&longer) <= width {
                line = longer;
                words.next();
                continue;
            }
            if lines.len() + 1 == most {
                let rest: Vec<&str> = words.collect();
                lines.push(self.fitted(&format!("{line} {}", rest.join(" ")), width));
                return lines;
            }
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            lines.push(self.fitted(&line, width));
        }
        lines
    }
}

/// Which end of a text stands at its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Start,
    Middle,
    End,
}

/// A surface under work.
pub struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
    failed: RefCell<Option<String>>,
}

impl<'a> Canvas<'a> {
    /// A surface of so many pixels that becomes a document in a string.
    pub fn new(document: &'a mut String, width: f64, height: f64) -> Self {
        let size = ((width * FINE) as u32, (height * FINE) as u32);
        Self { area: SVGBackend::with_string(document, size).into_drawing_area(), failed: RefCell::new(None) }
    }

    /// Ends the document.
    ///
    /// # Errors
    /// Whatever plotters first complained of.
    pub fn finish(self) -> Result<(), String> {
        self.keep(self.area.present());
        self.failed.into_inner().map_or(Ok(()), Err)
    }

    fn keep<T, E: std::fmt::Display>(&self, outcome: Result<T, E>) {
        if let Err(error) = outcome {
            self.failed.borrow_mut().get_or_insert_with(|| error.to_string());
        }
    }

    pub fn rect(&self, area: Area, color: Color) {
        let corners = [fine((area.left, area.top)), fine((area.right, area.bottom))];
        self.keep(self.area.draw(&Rectangle::new(corners, color.filled())));
    }

    pub fn line(&self, points: &[Point], color: Color, width: f64) {
        let path: Vec<(i32, i32)> = points.iter().map(|&point| fine(point)).collect();
        self.keep(self.area.draw(&PathElement::new(path, stroke(color, width))));
    }

    /// A line of strokes and gaps.
    pub fn dashes(&self, points: &[Point], color: Color, width: f64, stroke: f64, gap: f64) {
        let (mut drawn, mut done): (Vec<Point>, f64) = (Vec::new(), 0.0);
        for pair in points.windows(2) {
            let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
            let length = (x1 - x0).hypot(y1 - y0);
            let mut at = 0.0;
            while at < length {
                let within = done % (stroke + gap);
                let (on, left) = if within < stroke { (true, stroke - within) } else { (false, stroke + gap - within) };
                let to = (at + left).min(length);
                let place = |along: f64| (x0 + (x1 - x0) * along / length, y0 + (y1 - y0) * along / length);
                if on {
                    if drawn.is_empty() {
                        drawn.push(place(at));
                    }
                    drawn.push(place(to));
                }
                if !on || within + to - at >= stroke {
                    if drawn.len() > 1 {
                        self.line(&drawn, color, width);
                    }
                    drawn.clear();
                }
                done += to - at + 1e-9;
                at = to;
            }
        }
        if drawn.len() > 1 {
            self.line(&drawn, color, width);
        }
    }

    pub fn polygon(&self, points: &[Point], color: Color) {
        let path: Vec<(i32, i32)> = points.iter().map(|&point| fine(point)).collect();
        self.keep(self.area.draw(&Polygon::new(path, color.filled())));
    }

    pub fn dot(&self, center: Point, radius: f64, color: Color) {
        self.keep(self.area.draw(&Circle::new(fine(center), (radius * FINE).round() as u32, color.filled())));
    }

    /// A text whose base line goes through a point.
    pub fn text(&self, at: Point, text: &str, font: Font, color: Color, align: Align) {
        self.turned(at, text, font, color, align, false);
    }

    /// A text, read from below if it is turned.
    pub fn turned(&self, (x, y): Point, text: &str, font: Font, color: Color, align: Align, turned: bool) {
        if text.is_empty() {
            return;
        }
        let weight = if font.bold { FontStyle::Bold } else { FontStyle::Normal };
        let described = (FontFamily::Name(FAMILY), font.size * FINE * PLOTTERS_POINTS, weight);
        let hpos = match align {
            Align::Start => HPos::Left,
            Align::Middle => HPos::Center,
            Align::End => HPos::Right,
        };
        let mut style = TextStyle::from(described).color(&color).pos(Pos::new(hpos, VPos::Top));
        let above = ABOVE * font.size;
        let place = if turned {
            style = style.transform(plotters::style::FontTransform::Rotate270);
            (x - above, y)
        } else {
            (x, y - above)
        };
        self.keep(self.area.draw(&(EmptyElement::at(fine(place)) + plotters::element::Text::new(text.to_owned(), (0, 0), style))));
    }

    /// The mark of what has no number: slanting lines in a frame.
    pub fn hatch(&self, area: Area, color: Color) {
        let Area { left, top, right, bottom } = area;
        let (width, height) = (area.width(), area.height());
        let mut from = 3.0;
        while from < width + height {
            let start = (left + (from - height).max(0.0), top + from.min(height));
            let end = (left + from.min(width), top + (from - width).max(0.0));
            self.line(&[start, end], color, 0.9);
            from += 4.0;
        }
        self.line(&[(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], color, 0.9);
    }
}

fn fine((x, y): Point) -> (i32, i32) {
    ((x * FINE).round() as i32, (y * FINE).round() as i32)
}

fn stroke(color: Color, width: f64) -> ShapeStyle {
    ShapeStyle { color: color.to_rgba(), filled: false, stroke_width: (width * FINE).round().max(1.0) as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_measured_cut_and_wrapped() {
        let font = Font::plain(10.0);
        assert!((font.width("0000") - 4.0 * font.width("0")).abs() < 0.01);
        assert!(font.width("illness") < font.width("WWWWWWW"));
        assert!(Font::bold(10.0).width("text") > font.width("text"));
        assert_eq!(font.fitted("short", 100.0), "short");
        let cut = font.fitted("a text that is far too long", 60.0);
        assert!(cut.ends_with('…') && font.width(&cut) <= 60.0, "{cut}");
        let lines = font.wrapped("one two three four five six", 50.0, 9);
        assert!(lines.len() > 2 && lines.iter().all(|line| font.width(line) <= 50.0), "{lines:?}");
        assert_eq!(lines.join(" "), "one two three four five six");
        let few = font.wrapped("one two three four five six", 50.0, 2);
        assert!(few.len() == 2 && few[1].ends_with('…'), "{few:?}");
    }

    #[test]
    fn what_is_drawn_stands_in_the_document() {
        let mut document = String::new();
        let canvas = Canvas::new(&mut document, 100.0, 50.0);
        canvas.rect(Area { left: 1.0, top: 2.0, right: 3.5, bottom: 4.0 }, RGBColor(1, 2, 3));
        canvas.text((10.0, 20.0), "A & B", Font::plain(12.0), RGBColor(0, 0, 0), Align::Middle);
        canvas.finish().unwrap();
        assert!(document.contains("width=\"25\"") && document.contains("#010203"), "{document}");
        assert!(document.contains("A &amp; B") && document.contains("font-size=\"120"), "{document}");
    }
}
