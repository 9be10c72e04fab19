//! Digits to numbers.

/// Digits to a number; `None` for anything else or more digits than a `u64` surely holds.
#[inline(always)]
pub fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 18 {
        return None;
    }
    let mut number = 0u64;
    let mut sound = true;
    for &byte in text {
        let digit = byte.wrapping_sub(b'0');
        sound &= digit < 10;
        number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
    }
    sound.then_some(number)
}

/// Eight digits to a number with three multiplications, as in Daniel Lemire's "Quickly parsing eight digits" (2018); `None` for any other text.
#[inline(always)]
pub fn eight_digits(text: [u8; 8]) -> Option<u64> {
    let word = u64::from_le_bytes(text);
    let below = word.wrapping_sub(0x3030_3030_3030_3030);
    if (word.wrapping_add(0x4646_4646_4646_4646) | below) & 0x8080_8080_8080_8080 != 0 {
        return None;
    }
    let pairs = below.wrapping_mul(10).wrapping_add(below >> 8);
    let low = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(0x000f_4240_0000_0064);
    let high = (pairs >> 16 & 0x0000_00ff_0000_00ff).wrapping_mul(0x0000_2710_0000_0001);
    Some(low.wrapping_add(high) >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_digits() {
        assert_eq!(digits(b"0042"), Some(42));
        assert_eq!(digits(b""), None);
        assert_eq!(digits(b"4 2"), None);
        assert_eq!(digits(b"1234567890123456789"), None);
    }

    #[test]
    fn eight_digits_are_digits() {
        assert_eq!(eight_digits(*b"12345678"), Some(12_345_678));
        assert_eq!(eight_digits(*b"00000009"), Some(9));
        for bad in [*b"1234567:", *b"/2345678", *b"1234 678", *b"\xff2345678"] {
            assert_eq!(eight_digits(bad), None);
        }
    }
}
