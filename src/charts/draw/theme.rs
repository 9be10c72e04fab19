//! Colours. Those of categories can be told apart by people who do not see all colours (Okabe and Ito, "Color universal design",
//! 2008), those of classes grow darker evenly, so that they also print in grey.

use plotters::style::RGBColor;

use super::canvas::Color;

/// What a picture is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// White paper.
    #[default]
    Print,
    /// A bright screen.
    Light,
    /// A dark screen.
    Dark,
}

/// Names of the themes, the default first.
pub const THEMES: [&str; 3] = ["print", "light", "dark"];

const CATEGORIES: [Color; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(213, 94, 0),
    RGBColor(86, 180, 233),
    RGBColor(120, 94, 160),
    RGBColor(140, 140, 140),
];

const CATEGORIES_ON_DARK: [Color; 8] = [
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
    RGBColor(60, 190, 150),
    RGBColor(224, 145, 190),
    RGBColor(240, 120, 50),
    RGBColor(160, 205, 245),
    RGBColor(175, 150, 215),
    RGBColor(165, 165, 165),
];

/// From little to much: yellow, green, blue.
const RAMP: [Color; 7] = [
    RGBColor(246, 248, 200),
    RGBColor(204, 235, 197),
    RGBColor(146, 214, 190),
    RGBColor(88, 184, 195),
    RGBColor(47, 140, 190),
    RGBColor(30, 92, 160),
    RGBColor(17, 48, 110),
];

/// From far below to far above: orange, white, violet.
const DIVERGING: [Color; 3] = [RGBColor(179, 88, 6), RGBColor(243, 243, 243), RGBColor(84, 39, 136)];

impl Theme {
    /// Reads the name of a theme.
    pub fn parse(name: &str) -> Option<Self> {
        let at = THEMES.iter().position(|known| known.eq_ignore_ascii_case(name))?;
        [Self::Print, Self::Light, Self::Dark].get(at).copied()
    }

    fn dark(self) -> bool {
        self == Self::Dark
    }

    pub fn background(self) -> Color {
        match self {
            Self::Print => RGBColor(255, 255, 255),
            Self::Light => RGBColor(252, 252, 253),
            Self::Dark => RGBColor(21, 24, 28),
        }
    }

    pub fn text(self) -> Color {
        if self.dark() { RGBColor(232, 234, 237) } else { RGBColor(22, 25, 29) }
    }

    /// Text of less weight.
    pub fn muted(self) -> Color {
        if self.dark() { RGBColor(168, 174, 182) } else { RGBColor(84, 91, 100) }
    }

    pub fn grid(self) -> Color {
        if self.dark() { RGBColor(52, 57, 64) } else { RGBColor(224, 227, 231) }
    }

    pub fn axis(self) -> Color {
        RGBColor(120, 127, 135)
    }

    /// A band that is marked behind everything else.
    pub fn band(self) -> Color {
        if self.dark() { RGBColor(34, 40, 48) } else { RGBColor(241, 244, 248) }
    }

    /// The mark of what has no number.
    pub fn hatch(self) -> Color {
        if self.dark() { RGBColor(150, 156, 164) } else { RGBColor(125, 131, 139) }
    }

    /// Ground of what there are no numbers for.
    pub fn empty(self) -> Color {
        if self.dark() { RGBColor(44, 49, 56) } else { RGBColor(235, 237, 240) }
    }

    /// The colour of a category; there are eight.
    pub fn category(self, at: usize) -> Color {
        let colors = if self.dark() { CATEGORIES_ON_DARK } else { CATEGORIES };
        colors[at % colors.len()]
    }

    /// The colour of what lies below zero, from next to it (0) to far from it (1).
    pub fn below(self, share: f64) -> Color {
        mix(DIVERGING[1], DIVERGING[0], share)
    }

    /// The colour of what lies above zero.
    pub fn above(self, share: f64) -> Color {
        mix(DIVERGING[1], DIVERGING[2], share)
    }

    /// The colour of one of several classes, from the least to the most.
    pub fn class(self, at: usize, classes: usize) -> Color {
        let ramp = RAMP;
        if classes < 2 {
            return ramp[ramp.len() / 2 + 1];
        }
        let place = at.min(classes - 1) * (ramp.len() - 1);
        let (below, rest) = (place / (classes - 1), place % (classes - 1));
        mix(ramp[below], ramp[(below + 1).min(ramp.len() - 1)], rest as f64 / (classes - 1) as f64)
    }
}

/// A colour between two others.
pub fn mix(from: Color, to: Color, share: f64) -> Color {
    let between = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * share).round() as u8;
    RGBColor(between(from.0, to.0), between(from.1, to.1), between(from.2, to.2))
}

/// Black or white, whichever is easier to read on a ground (relative luminance of WCAG 2.2).
pub fn readable_on(ground: Color) -> Color {
    let part = |value: u8| {
        let value = f64::from(value) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    let luminance = 0.2126 * part(ground.0) + 0.7152 * part(ground.1) + 0.0722 * part(ground.2);
    if (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) { RGBColor(16, 18, 22) } else { RGBColor(255, 255, 255) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_reach_from_end_to_end() {
        for classes in 2..=9 {
            assert_eq!(Theme::Print.class(0, classes), RAMP[0]);
            assert_eq!(Theme::Print.class(classes - 1, classes), RAMP[6]);
        }
        assert_eq!((Theme::Print.below(0.0), Theme::Print.above(0.0)), (DIVERGING[1], DIVERGING[1]));
    }

    #[test]
    fn text_can_be_read_on_every_class() {
        assert_eq!(readable_on(RAMP[0]), RGBColor(16, 18, 22));
        assert_eq!(readable_on(RAMP[6]), RGBColor(255, 255, 255));
    }
}
