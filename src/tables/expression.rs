//! Selection expressions: short ways to name many codes.
//!
//! ```text
//! *              every code            top(3)   top(3,1)     the first three, after skipping one
//! 31*  *01  ?    patterns              bottom(3)             the last three
//! from(b)  to(b)  range(a,b)           everything from, up to, between, both ends included
//! children(b)      within(b)           what lies right below a code; the code and all that lies below it
//! ```
//!
//! On a time variable the newest period counts as the first, so that `top(2)` are the last two semesters.

use std::fmt;

/// What a client wrote in place of a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// A code.
    Code(String),
    /// Codes that match a pattern: `*` stands for any characters, `?` for one.
    Pattern(String),
    /// The first codes.
    Top {
        /// How many.
        count: usize,
        /// How many to skip before.
        offset: usize,
    },
    /// The last codes.
    Bottom {
        /// How many.
        count: usize,
        /// How many to skip behind.
        offset: usize,
    },
    /// A code and all that follow.
    From(String),
    /// A code and all that precede.
    To(String),
    /// Two codes and all between.
    Range(String, String),
    /// The codes right below one in its hierarchy.
    Children(String),
    /// A code and everything below it in its hierarchy.
    Within(String),
}

/// An ordered list of codes from which expressions select.
pub trait Codes {
    /// How many there are.
    fn count(&self) -> usize;
    /// The code at a position.
    fn code(&self, at: usize) -> &str;
    /// The position of a code, in whatever case it is written.
    fn find(&self, code: &str) -> Option<usize>;
    /// Whether the last code counts as the first: so it is with time.
    fn newest_first(&self) -> bool {
        false
    }
    /// Where a code that is not in the list would stand, if that can be said: so it is with time.
    fn place(&self, _code: &str) -> Option<usize> {
        None
    }
    /// The positions of the codes right below a code, or of itself and all below it; the code need not be in the list.
    fn below(&self, _code: &str, _all: bool) -> Result<Vec<u32>, Unselected> {
        Err(Unselected::Malformed)
    }
}

/// Why an expression selects nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unselected {
    /// It is none of the known forms.
    Malformed,
    /// It names a code that is not in the list.
    NoCode(String),
    /// It is sound, but nothing fits it.
    Nothing,
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(text) | Self::Pattern(text) => f.write_str(text),
            Self::Top { count, offset } => write!(f, "top({count},{offset})"),
            Self::Bottom { count, offset } => write!(f, "bottom({count},{offset})"),
            Self::From(code) => write!(f, "from({code})"),
            Self::To(code) => write!(f, "to({code})"),
            Self::Range(first, last) => write!(f, "range({first},{last})"),
            Self::Children(code) => write!(f, "children({code})"),
            Self::Within(code) => write!(f, "within({code})"),
        }
    }
}

impl Expression {
    /// Reads an expression; names of functions may be written in any case.
    pub fn parse(text: &str) -> Result<Self, Unselected> {
        let text = text.trim();
        if let Some(inner) = text.strip_suffix(')')
            && let Some((name, arguments)) = inner.split_once('(')
        {
            let arguments: Vec<&str> = arguments.split(',').map(str::trim).collect();
            let number = |text: &str| text.parse::<usize>().map_err(|_| Unselected::Malformed);
            return match (name.trim().to_ascii_lowercase().as_str(), arguments.as_slice()) {
                ("top", [count]) => Ok(Self::Top { count: number(count)?, offset: 0 }),
                ("top", [count, offset]) => Ok(Self::Top { count: number(count)?, offset: number(offset)? }),
                ("bottom", [count]) => Ok(Self::Bottom { count: number(count)?, offset: 0 }),
                ("bottom", [count, offset]) => Ok(Self::Bottom { count: number(count)?, offset: number(offset)? }),
                ("from", [code]) if !code.is_empty() => Ok(Self::From((*code).into())),
                ("to", [code]) if !code.is_empty() => Ok(Self::To((*code).into())),
                ("children", [code]) if !code.is_empty() => Ok(Self::Children((*code).into())),
                ("within", [code]) if !code.is_empty() => Ok(Self::Within((*code).into())),
                ("range", [first, last]) if !first.is_empty() && !last.is_empty() => Ok(Self::Range((*first).into(), (*last).into())),
                _ => Err(Unselected::Malformed),
            };
        }
        match text {
            "" => Err(Unselected::Malformed),
            _ if text.contains(['(', ')', '[', ']', ',']) => Err(Unselected::Malformed),
            _ if text.contains(['*', '?']) => Ok(Self::Pattern(text.into())),
            _ => Ok(Self::Code(text.into())),
        }
    }

    /// Adds the positions of the codes that the expression means.
    pub fn select(&self, codes: &dyn Codes, chosen: &mut Vec<u32>) -> Result<(), Unselected> {
        let count = codes.count();
        let before = chosen.len();
        let place = |code: &str| codes.find(code).or_else(|| codes.place(code)).ok_or_else(|| Unselected::NoCode(code.to_owned()));
        // One past the position of a code, or the place where it would stand.
        let past = |code: &str| match codes.find(code) {
            Some(at) => Ok(at + 1),
            None => codes.place(code).ok_or_else(|| Unselected::NoCode(code.to_owned())),
        };
        let span = match self {
            Self::Code(code) => {
                let at = codes.find(code).ok_or_else(|| Unselected::NoCode(code.clone()))?;
                at..at + 1
            }
            Self::Pattern(pattern) if pattern == "*" => 0..count,
            Self::Pattern(pattern) => {
                chosen.extend((0..count).filter(|&at| matches(pattern.as_bytes(), codes.code(at).as_bytes())).map(|at| at as u32));
                0..0
            }
            Self::Children(code) | Self::Within(code) => {
                chosen.extend(codes.below(code, matches!(self, Self::Within(_)))?);
                0..0
            }
            Self::Top { count: wanted, offset } => ends(count, *wanted, *offset, codes.newest_first()),
            Self::Bottom { count: wanted, offset } => ends(count, *wanted, *offset, !codes.newest_first()),
            Self::From(code) => place(code)?..count,
            Self::To(code) => 0..past(code)?,
            Self::Range(first, last) => {
                let (first, last) = if place(first)? <= place(last)? { (first, last) } else { (last, first) };
                place(first)?..past(last)?
            }
        };
        chosen.extend(span.map(|at| at as u32));
        if chosen.len() == before { Err(Unselected::Nothing) } else { Ok(()) }
    }
}

fn ends(count: usize, wanted: usize, offset: usize, from_behind: bool) -> std::ops::Range<usize> {
    let (skipped, reached) = (offset.min(count), offset.saturating_add(wanted).min(count));
    if from_behind { count - reached..count - skipped } else { skipped..reached }
}

/// Whether a text matches a pattern of `*` and `?`, whatever the case. Takes time proportional to the product of their lengths at worst.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                p += 1;
                retry = Some((p, t));
            }
            Some(&byte) if byte == b'?' || byte.eq_ignore_ascii_case(&text[t]) => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((star, from)) => {
                    retry = Some((star, from + 1));
                    p = star;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    struct List<'a>(&'a [&'a str], bool);

    impl Codes for List<'_> {
        fn count(&self) -> usize {
            self.0.len()
        }
        fn code(&self, at: usize) -> &str {
            self.0[at]
        }
        fn find(&self, code: &str) -> Option<usize> {
            self.0.iter().position(|known| known.eq_ignore_ascii_case(code))
        }
        fn newest_first(&self) -> bool {
            self.1
        }
        fn place(&self, code: &str) -> Option<usize> {
            (self.1 && code.starts_with("20")).then(|| self.0.iter().filter(|known| **known < code).count())
        }
    }

    fn select(expression: &str, list: &List<'_>) -> Result<String, Unselected> {
        let mut chosen = Vec::new();
        Expression::parse(expression)?.select(list, &mut chosen)?;
        Ok(chosen.iter().map(|&at| list.0[at as usize]).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn expressions_over_codes() {
        let list = List(&["0", "31", "3101", "3171", "F", "Fx"], false);
        let check = |expression: &str, expect: &str| assert_eq!(select(expression, &list).as_deref(), Ok(expect), "{expression}");
        check("31", "31");
        check("f", "F");
        check("*", "0 31 3101 3171 F Fx");
        check("31*", "31 3101 3171");
        check("*1", "31 3101 3171");
        check("*17*", "3171");
        check("3*1", "31 3101 3171");
        check("????", "3101 3171");
        check("f?", "Fx");
        check("?1", "31");
        check("top(2)", "0 31");
        check("TOP(2,1)", "31 3101");
        check("top(99)", "0 31 3101 3171 F Fx");
        check("bottom(2)", "F Fx");
        check("Bottom(2,1)", "3171 F");
        check("from(3171)", "3171 F Fx");
        check("to(31)", "0 31");
        check("range(31,3171)", "31 3101 3171");
        check("range(3171,31)", "31 3101 3171");
        check("range( 31 , f )", "31 3101 3171 F");
    }

    #[test]
    fn the_newest_period_is_the_first() {
        let list = List(&["2023-S1", "2023-S2", "2024-S1"], true);
        let check = |expression: &str, expect: &str| assert_eq!(select(expression, &list).as_deref(), Ok(expect), "{expression}");
        check("top(2)", "2023-S2 2024-S1");
        check("top(1,1)", "2023-S2");
        check("bottom(1)", "2023-S1");
        check("from(2023-S2)", "2023-S2 2024-S1");
        check("to(2023-S2)", "2023-S1 2023-S2");
        check("from(2020-S1)", "2023-S1 2023-S2 2024-S1");
        check("to(2030-S1)", "2023-S1 2023-S2 2024-S1");
        check("range(2022-S1,2023-S1)", "2023-S1");
        assert_eq!(select("from(2025-S1)", &list), Err(Unselected::Nothing));
    }

    #[test]
    fn expressions_that_select_nothing() {
        let list = List(&["0", "31"], false);
        for malformed in [
            "",
            " ",
            "top()",
            "top(x)",
            "top(-1)",
            "top(1,2,3)",
            "range(31)",
            "range(31,)",
            "from()",
            "nearest(3)",
            "range(31",
            "a,b",
            "[31]",
            // This list is no hierarchy.
            "children(31)",
            "within()",
        ] {
            assert_eq!(select(malformed, &list), Err(Unselected::Malformed), "{malformed}");
        }
        for nothing in ["9*", "???", "top(0)", "top(1,5)"] {
            assert_eq!(select(nothing, &list), Err(Unselected::Nothing), "{nothing}");
        }
        for unknown in ["99", "from(99)", "to(99)", "range(31,99)"] {
            assert_eq!(select(unknown, &list), Err(Unselected::NoCode("99".into())), "{unknown}");
        }
    }
}
