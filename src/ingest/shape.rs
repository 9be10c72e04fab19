//! What may be said of a value that was refused: its shape, never its text.
//!
//! Where the columns of a file are shifted, any of them may hold a name, an address or an identity number. The shape tells an operator what
//! went wrong (a date where a code should be, two words where one is, a digit too few), and nothing of the person; whoever may read the
//! snapshot finds the text itself at the line that stands beside.
//!
//! ```text
//! 34010101           digits(8)
//! SITI AMINAH        letters(2-4) space letters(5-9)
//! 1980-01-01         digits(4) sign digits(2) sign digits(2)
//! ```

use std::fmt::Write as _;

/// Runs that are told of one value.
const MOST_RUNS: usize = 8;
/// Digits that are counted: lengths of numbers tell a kind of number, not a person.
const MOST_DIGITS: usize = 20;
/// Bounds of the classes into which lengths fall that might tell a name from another.
const CLASSES: [(usize, &str); 4] = [(1, "1"), (4, "2-4"), (9, "5-9"), (19, "10-19")];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Run {
    Letters,
    Digits,
    Space,
    Signs,
}

impl Run {
    fn of(char: char) -> Self {
        match char {
            _ if char.is_alphabetic() => Self::Letters,
            _ if char.is_ascii_digit() => Self::Digits,
            _ if char.is_whitespace() => Self::Space,
            _ => Self::Signs,
        }
    }
}

fn class(length: usize) -> &'static str {
    CLASSES.iter().find(|(most, _)| length <= *most).map_or("20+", |(_, class)| class)
}

/// The shape of a text.
pub fn shape(bytes: &[u8]) -> String {
    let Ok(text) = std::str::from_utf8(bytes) else { return format!("bytes({}) not UTF-8", class(bytes.len())) };
    if text.is_empty() {
        return "empty".into();
    }
    let mut runs: Vec<(Run, usize)> = Vec::new();
    for char in text.chars() {
        let run = Run::of(char);
        if let Some((last, length)) = runs.last_mut()
            && *last == run
        {
            *length += 1;
            continue;
        }
        if runs.len() > MOST_RUNS {
            break;
        }
        runs.push((run, 1));
    }
    let mut shape = String::new();
    for (at, (run, length)) in runs.into_iter().enumerate() {
        if at > 0 {
            shape.push(' ');
        }
        if at == MOST_RUNS {
            shape.push_str("...");
            break;
        }
        // Writing into a String cannot fail.
        let _ = match run {
            Run::Letters => write!(shape, "letters({})", class(length)),
            Run::Digits if length > MOST_DIGITS => write!(shape, "digits({MOST_DIGITS}+)"),
            Run::Digits => write!(shape, "digits({length})"),
            Run::Space => write!(shape, "space"),
            Run::Signs if length == 1 => write!(shape, "sign"),
            Run::Signs => write!(shape, "signs({})", class(length)),
        };
    }
    shape
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shapes() {
        let check = |text: &str, expect: &str| assert_eq!(shape(text.as_bytes()), expect, "{text}");
        check("", "empty");
        check("7", "digits(1)");
        check("3401010000000001", "digits(16)");
        check("SITI AMINAH", "letters(2-4) space letters(5-9)");
        check("1980-01-01", "digits(4) sign digits(2) sign digits(2)");
        check("JL. MERDEKA 1", "letters(2-4) sign space letters(5-9) space digits(1)");
        check("=HYPERLINK(\"a\")", "sign letters(5-9) signs(2-4) letters(1) signs(2-4)");
        check("a b c d e f", "letters(1) space letters(1) space letters(1) space letters(1) space ...");
        check("Ünal", "letters(2-4)");
        check(&"9".repeat(30), "digits(20+)");
        assert_eq!(shape(b"\xffSLAM"), "bytes(5-9) not UTF-8");
    }

    proptest! {
        /// Whatever letters and digits a text has, another with others in their places has the same shape.
        #[test]
        fn a_shape_tells_no_letter_and_no_digit(text in "[A-Za-z0-9 .=@-]{0,30}", letter in "[A-Z]", digit in "[0-9]") {
            let other: String = text
                .chars()
                .map(|char| match char {
                    _ if char.is_ascii_alphabetic() => letter.clone(),
                    _ if char.is_ascii_digit() => digit.clone(),
                    other => other.to_string(),
                })
                .collect();
            prop_assert_eq!(shape(text.as_bytes()), shape(other.as_bytes()));
        }
    }
}
