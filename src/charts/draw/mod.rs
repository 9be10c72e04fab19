//! Drawing: from numbers and texts to SVG, without knowing where they come from.

pub mod bars;
pub mod canvas;
pub mod classes;
pub mod frame;
pub mod heat;
pub mod lines;
pub mod map;
pub mod numbers;
pub mod pyramid;
pub mod theme;

use self::{
    bars::Bars,
    frame::{Style, Value},
    heat::Heat,
    lines::{Line, Lines},
    map::Map,
    pyramid::{Pyramid, Side},
};
use crate::words::{self, Message};

/// Numbers that are said in words, at most.
const MOST_SAID: usize = 60;

/// A picture before it is written: drawing, size, name, numbers in words.
#[derive(Debug)]
pub struct Drawn {
    pub document: String,
    pub size: (f64, f64),
    pub title: String,
    pub description: String,
}

/// What is to be drawn.
#[derive(Debug)]
pub enum Drawing<'b> {
    Pyramid(Pyramid),
    Bars(Bars),
    Lines(Lines),
    Heat(Heat),
    Map(Map<'b>),
}

impl Drawing<'_> {
    /// Draws it.
    ///
    /// # Errors
    /// Where it has no room.
    pub fn drawn(&self, style: &Style) -> Result<Drawn, Message> {
        let mut document = String::new();
        let outcome = match self {
            Self::Pyramid(pyramid) => pyramid.draw(&mut document, style),
            Self::Bars(bars) => bars.draw(&mut document, style),
            Self::Lines(lines) => lines.draw(&mut document, style),
            Self::Heat(heat) => heat.draw(&mut document, style),
            Self::Map(map) => map.draw(&mut document, style),
        };
        let (size, title) = outcome.map_err(|problem| words::NO_CHART.with(problem))?;
        Ok(Drawn { document, size, title, description: said(&self.named(), style) })
    }

    /// Every number with what it is of.
    fn named(&self) -> Vec<(String, Value)> {
        match self {
            Self::Pyramid(pyramid) => {
                let one = |side: &Side| {
                    let names = pyramid.ages.iter().map(|age| format!("{}, {age}", side.label));
                    names.zip(side.values.iter().copied()).collect::<Vec<_>>()
                };
                pyramid.sides.iter().flat_map(one).collect()
            }
            Self::Bars(bars) => bars.named(),
            Self::Lines(lines) => {
                let one = |line: &Line| {
                    let names = lines.periods.iter().map(|period| format!("{}, {period}", line.label));
                    names.zip(line.values.iter().copied()).collect::<Vec<_>>()
                };
                lines.lines.iter().flat_map(one).collect()
            }
            Self::Heat(heat) => {
                let names = heat.rows.iter().flat_map(|row| heat.columns.iter().map(move |column| format!("{row}, {column}")));
                names.zip(heat.values.iter().copied()).collect()
            }
            Self::Map(map) => map.places.iter().map(|place| (place.label.clone(), place.value)).collect(),
        }
    }
}

/// Numbers in words.
fn said(numbers: &[(String, Value)], style: &Style) -> String {
    let one = |(name, value): &(String, Value)| match value {
        Value::Number(number) => format!("{name}: {}", style.number(*number)),
        Value::Suppressed => format!("{name}: [c]"),
        Value::Impossible => format!("{name}: [z]"),
        Value::Unavailable => format!("{name}: [x]"),
    };
    let text = numbers.iter().take(MOST_SAID).map(one).collect::<Vec<_>>().join("; ");
    match numbers.len().checked_sub(MOST_SAID) {
        None | Some(0) => text,
        Some(more) => words::AND_MORE.with(text).and(more as u64).text(style.tongue),
    }
}
