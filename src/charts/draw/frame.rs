//! What stands around every picture: title, subtitle, legend, notes, source.

use super::{
    canvas::{Align, Area, Canvas, Color, Font},
    numbers::written,
    theme::Theme,
};
use crate::words::{self, Tongue};

/// A number to be drawn, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    Number(f64),
    /// Withheld to protect people: a mark of constant size.
    Suppressed,
    /// It cannot occur.
    Impossible,
    /// There is none.
    Unavailable,
}

impl Value {
    pub fn number(self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(number),
            _ => None,
        }
    }
}

/// What is said around a picture.
#[derive(Debug, Clone, Default)]
pub struct Texts {
    pub title: String,
    pub subtitle: String,
    /// What to know when reading the picture.
    pub notes: Vec<String>,
    /// Where the numbers come from, with their release.
    pub source: String,
}

impl Texts {
    /// What is said around a picture that is called by its own title, if somebody gives it one. That does not take away what the
    /// picture shows: the usual title then stands below.
    pub fn new(own: Option<&str>, title: String, mut details: Vec<String>, notes: Vec<String>, source: String) -> Self {
        let title = match own {
            Some(own) => {
                details.insert(0, title);
                own.to_owned()
            }
            None => title,
        };
        Self { title, subtitle: details.join(" · "), notes, source }
    }
}

/// How a picture is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    pub theme: Theme,
    pub tongue: Tongue,
    /// Width in pixels.
    pub width: f64,
    /// Height in pixels, if the picture shall not choose one.
    pub height: Option<f64>,
    /// Decimals of the numbers.
    pub decimals: usize,
}

impl Style {
    pub fn number(&self, value: f64) -> String {
        written(value, self.decimals, self.tongue)
    }
}

/// The sign of an entry of a legend.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sign {
    Square(Color),
    Line(Color),
    Dashes(Color),
    Hatch,
    Dot,
}

/// An entry of a legend.
pub type Entry = (Sign, String);

/// The entries for what has no number, as far as it occurs.
pub fn marks(values: impl Iterator<Item = Value>, tongue: Tongue) -> Vec<Entry> {
    let (mut suppressed, mut missing) = (false, false);
    for value in values {
        suppressed |= value == Value::Suppressed;
        missing |= matches!(value, Value::Unavailable | Value::Impossible);
    }
    let mut entries = Vec::new();
    if suppressed {
        entries.push((Sign::Hatch, words::CHART_SUPPRESSED.text(tongue).to_owned()));
    }
    if missing {
        entries.push((Sign::Dot, words::CHART_MISSING.text(tongue).to_owned()));
    }
    entries
}

const TITLE: Font = Font::bold(20.0);
const SUBTITLE: Font = Font::plain(14.0);
const LEGEND: Font = Font::plain(12.5);
const NOTE: Font = Font::plain(11.0);
const MARGIN: f64 = 24.0;
const SIGN: f64 = 13.0;

/// Labels of axes and values.
pub const LABEL: Font = Font::plain(12.5);
/// Names of axes.
pub const AXIS: Font = Font::plain(11.5);

/// The frame of a picture, laid out.
pub struct Frame<'t> {
    texts: &'t Texts,
    legend: Vec<Entry>,
    title: Vec<String>,
    subtitle: Vec<String>,
    rows: Vec<Vec<usize>>,
    foot: Vec<String>,
    width: f64,
    height: f64,
}

impl<'t> Frame<'t> {
    /// Lays out what stands around a body of such a height, or of what a given height of the whole leaves.
    pub fn new(texts: &'t Texts, legend: Vec<Entry>, style: &Style, body: f64) -> Self {
        let inner = style.width - 2.0 * MARGIN;
        let mut rows: Vec<Vec<usize>> = Vec::new();
        let mut x = f64::INFINITY;
        for (at, (_, text)) in legend.iter().enumerate() {
            let width = SIGN + 6.0 + LEGEND.width(text);
            if x + width > inner {
                rows.push(Vec::new());
                x = 0.0;
            }
            if let Some(row) = rows.last_mut() {
                row.push(at);
            }
            x += width + 20.0;
        }
        let notes = texts.notes.iter().flat_map(|note| NOTE.wrapped(note, inner, 3));
        let foot = notes.chain(NOTE.wrapped(&texts.source, inner, 3)).collect();
        let (title, subtitle) = (TITLE.wrapped(&texts.title, inner, 3), SUBTITLE.wrapped(&texts.subtitle, inner, 3));
        let mut frame = Self { texts, legend, title, subtitle, rows, foot, width: style.width, height: 0.0 };
        let around = frame.above() + frame.below();
        frame.height = style.height.map_or(around + body, |height| height.max(around + 80.0));
        frame
    }

    fn above(&self) -> f64 {
        let legend = if self.rows.is_empty() { 0.0 } else { self.rows.len() as f64 * 22.0 + 6.0 };
        MARGIN + self.title.len() as f64 * 26.0 + self.subtitle.len() as f64 * 20.0 + legend + 8.0
    }

    fn below(&self) -> f64 {
        14.0 + self.foot.len() as f64 * 16.0 + MARGIN - 8.0
    }

    /// Size of the whole picture.
    pub fn size(&self) -> (f64, f64) {
        (self.width, self.height.ceil())
    }

    /// Where the body is drawn.
    pub fn body(&self) -> Area {
        Area { left: MARGIN, top: self.above(), right: self.width - MARGIN, bottom: self.height - self.below() }
    }

    /// Draws ground, texts and legend.
    pub fn draw(&self, canvas: &Canvas<'_>, theme: Theme) {
        canvas.rect(Area { left: 0.0, top: 0.0, right: self.width, bottom: self.height.ceil() }, theme.background());
        let mut y = MARGIN - 6.0;
        for line in &self.title {
            y += 26.0;
            canvas.text((MARGIN, y), line, TITLE, theme.text(), Align::Start);
        }
        for line in &self.subtitle {
            y += 20.0;
            canvas.text((MARGIN, y), line, SUBTITLE, theme.muted(), Align::Start);
        }
        y += 6.0;
        for row in &self.rows {
            y += 22.0;
            let mut x = MARGIN;
            for &at in row {
                let (sign, text) = &self.legend[at];
                let area = Area { left: x, top: y - SIGN + 2.0, right: x + SIGN, bottom: y + 2.0 };
                let middle = (area.top + area.bottom) / 2.0;
                match *sign {
                    Sign::Square(color) => canvas.rect(area, color),
                    Sign::Line(color) => canvas.line(&[(area.left, middle), (area.right, middle)], color, 2.5),
                    Sign::Dashes(color) => canvas.dashes(&[(area.left, middle), (area.right, middle)], color, 1.8, 3.0, 2.0),
                    Sign::Hatch => canvas.hatch(area, theme.hatch()),
                    Sign::Dot => canvas.text((x + SIGN / 2.0, y), "–", LEGEND, theme.muted(), Align::Middle),
                }
                canvas.text((x + SIGN + 6.0, y), text, LEGEND, theme.text(), Align::Start);
                x += SIGN + 6.0 + LEGEND.width(text) + 20.0;
            }
        }
        let mut y = self.height - self.below() + 14.0;
        for line in &self.foot {
            y += 16.0;
            canvas.text((MARGIN, y - 4.0), line, NOTE, theme.muted(), Align::Start);
        }
    }

    /// What the picture is called, for those who cannot see it.
    pub fn title(&self) -> String {
        let Texts { title, subtitle, .. } = self.texts;
        if subtitle.is_empty() { title.clone() } else { format!("{title}. {subtitle}") }
    }
}

/// Side of the square that marks a number which is withheld, or stands for one that there is not.
pub const MARK: f64 = 11.0;

/// Draws what stands for a value without a number, its left edge at `x`, around the height `y`.
pub fn mark(canvas: &Canvas<'_>, value: Value, x: f64, y: f64, theme: Theme) {
    match value {
        Value::Suppressed => {
            canvas.hatch(Area { left: x, top: y - MARK / 2.0, right: x + MARK, bottom: y + MARK / 2.0 }, theme.hatch());
        }
        Value::Impossible | Value::Unavailable => canvas.text((x + MARK / 2.0, y + 4.0), "–", LABEL, theme.muted(), Align::Middle),
        Value::Number(_) => {}
    }
}
