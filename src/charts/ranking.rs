//! The order of a ranking.

use super::{draw::frame::Value, plan::ChartOptions};

/// One place of a ranking.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranked {
    /// The place, from 1; equal numbers share one.
    pub place: usize,
    /// Which of the values has it.
    pub at: usize,
    /// The number.
    pub number: f64,
}

/// As many places as are wanted, from the first. What has no number has no place, and equal numbers keep their order.
pub fn ranked(values: &[Value], options: &ChartOptions) -> Vec<Ranked> {
    let mut numbers: Vec<(usize, f64)> = values.iter().enumerate().filter_map(|(at, value)| Some((at, value.number()?))).collect();
    numbers.sort_by(|a, b| if options.lowest { a.1.total_cmp(&b.1) } else { b.1.total_cmp(&a.1) });
    numbers.truncate(options.places);
    let mut ranked: Vec<Ranked> = Vec::with_capacity(numbers.len());
    for (at, number) in numbers {
        let place = ranked.last().filter(|before| before.number == number).map_or(ranked.len() + 1, |before| before.place);
        ranked.push(Ranked { place, at, number });
    }
    ranked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_share_a_place_and_what_has_none_has_no_place() {
        let values =
            [Value::Number(2.0), Value::Suppressed, Value::Number(5.0), Value::Number(5.0), Value::Unavailable, Value::Number(1.0)];
        let places = |options: &ChartOptions| ranked(&values, options).iter().map(|one| (one.place, one.at)).collect::<Vec<_>>();
        let usual = ChartOptions::default();
        assert_eq!(places(&usual), [(1, 2), (1, 3), (3, 0), (4, 5)]);
        assert_eq!(places(&ChartOptions { lowest: true, places: 3, ..usual }), [(1, 5), (2, 0), (3, 2)]);
    }
}
