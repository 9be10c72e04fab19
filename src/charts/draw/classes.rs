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

/// Classes with the bounds between them.
#[derive(Debug, Clone, PartialEq)]
pub struct Classes {
    /// Least and greatest number.
    ends: (f64, f64),
    /// What a number must reach to be in the next class.
    bounds: Vec<f64>,
    diverging: bool,
}

impl Classes {
    /// Classes for numbers; as few as their variety allows.
    pub fn new(method: &Method, numbers: &[f64]) -> Self {
        let mut sorted: Vec<f64> = numbers.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (low, high) = (sorted.first().copied().unwrap_or(0.0), sorted.last().copied().unwrap_or(0.0));
        let mut bounds = match method {
            Method::Quantile(classes) => {
                (1..*classes).filter_map(|at| sorted.get(at * sorted.len() / classes).copied()).collect::<Vec<f64>>()
            }
            Method::Equal(classes) => (1..*classes).map(|at| low + (high - low) * at as f64 / *classes as f64).collect(),
            Method::Fixed(bounds) => bounds.clone(),
        };
        bounds.sort_by(f64::total_cmp);
        bounds.dedup();
        if !matches!(method, Method::Fixed(_)) {
            bounds.retain(|bound| *bound > low && *bound <= high);
        }
        Self { ends: (low, high), bounds, diverging: low < 0.0 && high > 0.0 }
    }

    /// The class of a number, from 0.
    pub fn of(&self, number: f64) -> usize {
        self.bounds.partition_point(|bound| *bound <= number)
    }

    /// The colour of a number.
    pub fn color(&self, number: f64, theme: Theme) -> Color {
        theme.class(self.of(number), self.bounds.len() + 1, self.diverging)
    }

    /// The entries of a legend, from the least on.
    pub fn entries(&self, style: &Style) -> Vec<(Sign, String)> {
        let count = self.bounds.len() + 1;
        let entry = |at: usize| {
            let color = style.theme.class(at, count, self.diverging);
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
    fn what_does_not_vary_has_one_class() {
        for numbers in [&[][..], &[4.0], &[4.0, 4.0, 4.0]] {
            assert_eq!(Classes::new(&Method::Quantile(5), numbers).bounds, [0.0; 0], "{numbers:?}");
        }
    }
}
