//! What people may say of a chart, by name: in addresses and on the command line alike.

use super::{
    draw::{
        bars::Stacking,
        classes::Method,
        frame::Style,
        theme::{THEMES, Theme},
    },
    plan::{CLASS_COUNT, ChartOptions, MOST_CATEGORIES},
};
use crate::words::{self, Message, Tongue};

/// Widths and heights that a picture may have, in pixels.
const SIZES: std::ops::RangeInclusive<f64> = 240.0..=4000.0;
/// Pixels of a PNG for each of the picture's own.
const SCALES: std::ops::RangeInclusive<f64> = 0.5..=4.0;

/// Ways in which bars stand.
pub const STACKINGS: [&str; 3] = ["grouped", "stacked", "full"];
/// Ways to make classes.
pub const CLASSES: [&str; 3] = ["quantile", "equal", "fixed"];

/// Everything that is said of a chart beside the choice of its numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Wishes {
    pub options: ChartOptions,
    pub theme: Theme,
    pub width: f64,
    pub height: Option<f64>,
    /// Pixels of a PNG for each of the picture's own.
    pub scale: f64,
}

impl Wishes {
    /// Reads them from parameters by name.
    ///
    /// # Errors
    /// Says which parameter is wrong and what was expected.
    pub fn parse<'p>(get: impl Fn(&'static str) -> Option<&'p str>) -> Result<Self, Message> {
        let given = |name: &'static str| get(name).filter(|text| !text.is_empty());
        let choice = |name: &'static str, choices: &[&str]| match given(name) {
            None => Ok(0),
            Some(text) => choices
                .iter()
                .position(|known| known.eq_ignore_ascii_case(text))
                .ok_or_else(|| words::NO_CHOICE.with(name).and(short(text)).and(choices.join(", "))),
        };
        let number =
            |name: &'static str, default: f64, range: &std::ops::RangeInclusive<f64>| match given(name) {
                None => Ok(default),
                Some(text) => text.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
                    words::NOT_WITHIN.with(name).and(short(text)).and(range.start().to_string()).and(range.end().to_string())
                }),
            };
        let flag = |name: &'static str| match given(name).unwrap_or("false").to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            other => Err(words::NO_FLAG.with(name).and(short(other))),
        };
        let usual = ChartOptions::default();
        let classes = number("classes", CLASS_COUNT as f64, &(2.0..=9.0))? as usize;
        let method = match (choice("method", &CLASSES)?, given("bounds")) {
            (_, Some(bounds)) => Method::Fixed(bounds_of(bounds)?),
            (0, None) => Method::Quantile(classes),
            (1, None) => Method::Equal(classes),
            _ => return Err(words::NO_BOUNDS.with("")),
        };
        let compare = match given("compare") {
            None => None,
            Some(text) => match text.split_once(':') {
                Some((variable, code)) => Some((variable.trim().to_owned(), code.trim().to_owned())),
                None => return Err(words::NO_COMPARE.with(short(text))),
            },
        };
        let options = ChartOptions {
            stacking: [Stacking::Grouped, Stacking::Stacked, Stacking::Full][choice("stacking", &STACKINGS)?],
            share: flag("share")?,
            places: number("places", usual.places as f64, &(1.0..=MOST_CATEGORIES as f64))? as usize,
            lowest: flag("lowest")?,
            method,
            from_zero: flag("zero")?,
            compare,
            title: given("title").map(|title| title.chars().filter(|char| !char.is_control()).take(200).collect()),
        };
        let theme = [Theme::Print, Theme::Light, Theme::Dark][choice("theme", &THEMES)?];
        let height = number("height", 0.0, &SIZES).map(|height| (height > 0.0).then_some(height))?;
        Ok(Self { options, theme, width: number("width", 960.0, &SIZES)?, height, scale: number("scale", 2.0, &SCALES)? })
    }

    /// How the picture is drawn for readers of a language.
    pub fn style(&self, tongue: Tongue) -> Style {
        Style { theme: self.theme, tongue, width: self.width, height: self.height, decimals: 0 }
    }
}

fn bounds_of(text: &str) -> Result<Vec<f64>, Message> {
    let parsed: Option<Vec<f64>> = text.split(',').map(|bound| bound.trim().parse().ok().filter(|bound: &f64| bound.is_finite())).collect();
    parsed.filter(|bounds| bounds.len() <= 8).ok_or_else(|| words::NO_BOUNDS.with(short(text)))
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&'static str, &'static str)]) -> Result<Wishes, String> {
        let get = |name: &'static str| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        Wishes::parse(get).map_err(|message| message.text(Tongue::English))
    }

    #[test]
    fn what_is_not_said_is_as_usual() {
        let wishes = read(&[]).unwrap();
        assert_eq!((wishes.options, wishes.width, wishes.height), (ChartOptions::default(), 960.0, None));
    }

    #[test]
    fn wrong_wishes_are_told() {
        let check = |name: &'static str, value: &'static str, says: &str| {
            let error = read(&[(name, value)]).unwrap_err();
            assert!(error.contains(name) && error.contains(says), "{name}={value}: {error}");
        };
        check("width", "1e9", "between 240 and 4000");
        check("width", "NaN", "between 240 and 4000");
        check("theme", "pink", "print, light, dark");
        check("stacking", "up", "grouped, stacked, full");
        check("share", "maybe", "true or false");
        check("compare", "34", "Region:34");
        check("bounds", "1,x", "bounds");
        assert_eq!(read(&[("bounds", "1, 2.5")]).unwrap().options.method, Method::Fixed(vec![1.0, 2.5]));
    }
}
