//! Numbers for people, and the places of ticks.

use crate::words::Tongue;

/// A number with so many decimals, in groups of three digits.
pub fn written(value: f64, decimals: usize, tongue: Tongue) -> String {
    let (group, point) = tongue.signs();
    let plain = format!("{:.decimals$}", value.abs());
    let (whole, rest) = plain.split_once('.').unwrap_or((&plain, ""));
    let mut text = String::new();
    // What is rounded to zero has no sign.
    if value < 0.0 && plain.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
        text.push('−');
    }
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            text.push(char::from(group));
        }
        text.push(digit);
    }
    if !rest.is_empty() {
        text.push(char::from(point));
        text.push_str(rest);
    }
    text
}

/// Places of ticks over a range: multiples of 1, 2 or 5 times a power of ten, about so many, the outermost at or beyond the ends.
pub fn ticks(low: f64, high: f64, about: usize) -> Vec<f64> {
    let (low, high) = if high > low { (low, high) } else { (low, low + 1.0) };
    let raw = (high - low) / about.max(1) as f64;
    let power = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|times| times * power).find(|step| *step >= raw * 0.999).unwrap_or(10.0 * power);
    let (first, last) = ((low / step + 1e-9).floor() as i64, (high / step - 1e-9).ceil() as i64);
    // A product of fractions ends in digits that mean nothing.
    (first..=last).map(|at| (at as f64 * step * 1e9).round() / 1e9).collect()
}

/// Decimals that ticks need to differ.
pub fn tick_decimals(ticks: &[f64]) -> usize {
    let step = ticks.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
    (0..6).find(|&decimals| (step * 10f64.powi(decimals) - (step * 10f64.powi(decimals)).round()).abs() < 1e-6).unwrap_or(0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_each_language_does() {
        let check = |value: f64, decimals: usize, english: &str, other: &str| {
            assert_eq!(written(value, decimals, Tongue::English), english);
            assert_eq!(written(value, decimals, Tongue::Indonesian), other);
        };
        check(0.0, 0, "0", "0");
        check(1234567.0, 0, "1,234,567", "1.234.567");
        check(-1234.56, 1, "−1,234.6", "−1.234,6");
        check(-0.01, 1, "0.0", "0,0");
        check(999.96, 1, "1,000.0", "1.000,0");
    }

    #[test]
    fn ticks_are_round_and_cover_the_range() {
        let check = |low: f64, high: f64, expect: &[f64]| assert_eq!(ticks(low, high, 5), expect, "{low} to {high}");
        check(0.0, 100.0, &[0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        check(0.0, 7.0, &[0.0, 2.0, 4.0, 6.0, 8.0]);
        check(-3.0, 8.0, &[-5.0, 0.0, 5.0, 10.0]);
        check(0.0, 0.0, &[0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
        assert_eq!(tick_decimals(&[0.0, 0.25, 0.5]), 2);
        assert_eq!(tick_decimals(&[0.0, 500.0]), 0);
    }
}
