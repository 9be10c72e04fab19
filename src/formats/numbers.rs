//! Numbers for people: digits in groups of three.

use super::push_number;
use crate::words::Tongue;

/// Appends a number, with a sign between groups of three digits and one before the decimals.
pub fn push_grouped(out: &mut Vec<u8>, value: i64, decimals: u8, (group, point): (u8, u8)) {
    let start = out.len();
    push_number(out, value, decimals);
    let point_at = out.len() - usize::from(decimals) - usize::from(decimals > 0);
    if decimals > 0 {
        out[point_at] = point;
    }
    let first = start + usize::from(value < 0);
    let mut at = point_at;
    while at > first + 3 {
        at -= 3;
        out.insert(at, group);
    }
}

/// A number in units of its last decimal place as a language writes it, with a true minus sign.
pub fn written(value: i64, decimals: u8, tongue: Tongue) -> String {
    let mut out = Vec::new();
    push_grouped(&mut out, value, decimals, tongue.signs());
    String::from_utf8_lossy(&out).replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stand_in_groups_of_three() {
        let check = |value: i64, decimals: u8, expect: &str| assert_eq!(written(value, decimals, Tongue::Indonesian), expect);
        check(0, 0, "0");
        check(-999, 0, "−999");
        check(-1000, 0, "−1.000");
        check(12345, 1, "1.234,5");
        check(-5, 2, "−0,05");
        check(-123_456_789, 2, "−1.234.567,89");
        check(1_234_567, 0, "1.234.567");
        assert_eq!(written(1_234_567, 1, Tongue::English), "123,456.7");
    }
}
