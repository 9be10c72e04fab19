//! Classes of numbers, for maps and shaded tables.

use super::{
    canvas::Color,
    frame::{Sign, Style},
    theme::Theme,
};

/// How numbers are put into classes.
#[derive(Debug, Clone, PartialEq)]
pub enum Method {
    /// Classes of about as many members each.
    Quantile(usize),
    /// Classes of the same width.
    Equal(usize),
    /// Classes with these bounds between them.
    Fixed(Vec<f64>),
}

impl Method {
    /// The same with half as many classes.
    fn halved(&self) -> Self {
        match self {
            Self::Quantile(classes) => Self::Quantile(classes.div_ceil(2)),
            Self::Equal(classes) => Self::Equal(classes.div_ceil(2)),
            Self::Fixed(bounds) => Self::Fixed(bounds.clone()),
        }
    }

    /// The bounds between classes of sorted numbers that lie between two ends.
    fn bounds(&self, sorted: &[f64], (low, high): (f64, f64)) -> Vec<f64> {
        let bounds: Vec<f64> = match self {
            Self::Quantile(classes) => (1..*classes).filter_map(|at| sorted.get(at * sorted.len() / classes).copied()).collect(),
            Self::Equal(classes) => (1..*classes).map(|at| low + (high - low) * at as f64 / *classes as f64).collect(),
            Self::Fixed(bounds) => return bounds.clone(),
        };
        bounds.into_iter().filter(|bound| *bound > low && *bound <= high).collect()
    }
}

/// Classes with the bounds between them.
#[derive(Debug, Clone, PartialEq)]
pub struct Classes {
    /// Least and greatest number.
    ends: (f64, f64),
    /// What a number must reach to be in the next class.
    bounds: Vec<f64>,
    /// The bound at zero, where there are numbers below and above.
    zero: Option<usize>,
}

impl Classes {
    /// Classes for numbers; as few as their variety allows.
    pub fn new(method: &Method, numbers: &[f64]) -> Self {
        let mut sorted: Vec<f64> = numbers.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (low, high) = (sorted.first().copied().unwrap_or(0.0), sorted.last().copied().unwrap_or(0.0));
        let both = low < 0.0 && high > 0.0;
        let mut bounds = match method {
            Method::Fixed(bounds) => bounds.clone(),
            // Less and more are told apart by colour, so that zero must lie between two classes.
            _ if both => {
                let (below, above) = sorted.split_at(sorted.partition_point(|number| *number < 0.0));
                let half = |numbers: &[f64], ends: (f64, f64)| method.halved().bounds(numbers, ends);
                [half(below, (low, 0.0)), vec![0.0], half(above, (0.0, high))].concat()
            }
            _ => method.bounds(&sorted, (low, high)),
        };
        bounds.sort_by(f64::total_cmp);
        bounds.dedup();
        let zero = bounds.iter().position(|bound| *bound == 0.0).filter(|_| both);
        Self { ends: (low, high), bounds, zero }
    }

    /// The class of a number, from 0.
    pub fn of(&self, number: f64) -> usize {
        self.bounds.partition_point(|bound| *bound <= number)
    }

    /// The colour of a number.
    pub fn color(&self, number: f64, theme: Theme) -> Color {
        self.color_of(self.of(number), theme)
    }

    fn color_of(&self, class: usize, theme: Theme) -> Color {
        let count = self.bounds.len() + 1;
        match self.zero {
            None => theme.class(class, count),
            Some(zero) if class <= zero => theme.below((zero + 1 - class) as f64 / (zero + 1) as f64),
            Some(zero) => theme.above((class - zero) as f64 / (count - 1 - zero) as f64),
        }
    }

    /// The entries of a legend, from the least on.
    pub fn entries(&self, style: &Style) -> Vec<(Sign, String)> {
        let count = self.bounds.len() + 1;
        let entry = |at: usize| {
            let color = self.color_of(at, style.theme);
            let from = if at == 0 { self.ends.0 } else { self.bounds[at - 1] };
            let to = self.bounds.get(at).copied().unwrap_or(self.ends.1);
            let text = match (at == 0 && self.ends.0 > to, at + 1 == count && from > self.ends.1) {
                // Nothing is as small, or as large, as a bound that somebody has fixed.
                (true, _) => format!("< {}", style.number(to)),
                (_, true) => format!("≥ {}", style.number(from)).replace('≥', ">"),
                _ if from == to => style.number(from),
                _ => format!("{} – {}", style.number(from), style.number(to)),
            };
            (Sign::Square(color), text)
        };
        (0..count).map(entry).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_fall_into_classes() {
        let numbers: Vec<f64> = (1..=10).map(f64::from).collect();
        let quantiles = Classes::new(&Method::Quantile(5), &numbers);
        assert_eq!(quantiles.bounds, [3.0, 5.0, 7.0, 9.0]);
        let mut members = [0; 5];
        numbers.iter().for_each(|number| members[quantiles.of(*number)] += 1);
        assert_eq!(members, [2; 5]);
        assert_eq!(Classes::new(&Method::Equal(3), &numbers).bounds, [4.0, 7.0]);
        assert_eq!(Classes::new(&Method::Fixed(vec![5.0]), &numbers).of(5.0), 1);
    }

    #[test]
    fn less_and_more_have_colours_of_their_own() {
        let classes = Classes::new(&Method::Quantile(4), &[-3.0, -1.0, 2.0, 4.0, 8.0]);
        assert_eq!((classes.bounds.as_slice(), classes.zero), (&[-1.0, 0.0, 4.0][..], Some(1)));
        let color = |number: f64| classes.color(number, Theme::Print);
        assert_eq!(color(-3.0), Theme::Print.below(1.0));
        assert_eq!(color(8.0), Theme::Print.above(1.0));
        assert!(color(-1.0).0 > color(-1.0).2 && color(2.0).2 > color(2.0).1, "orange below, violet above");
    }

    #[test]
    fn what_does_not_vary_has_one_class() {
        for numbers in [&[][..], &[4.0], &[4.0, 4.0, 4.0]] {
            assert_eq!(Classes::new(&Method::Quantile(5), numbers).bounds, [0.0; 0], "{numbers:?}");
        }
    }
}
