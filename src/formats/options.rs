//! Options of formats, as PxWebApi names them.

use crate::words::{self, Message};

/// How categories are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Texts {
    /// Codes.
    Codes,
    /// Names.
    Names,
    /// Codes and names, each on its own.
    Both,
}

impl Texts {
    /// Whether codes are written.
    pub fn codes(self) -> bool {
        self != Self::Names
    }

    /// Whether names are written.
    pub fn names(self) -> bool {
        self != Self::Codes
    }
}

/// What stands between the fields of CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separator {
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// A tabulator.
    Tab,
    /// A space.
    Space,
}

impl Separator {
    pub(super) fn char(self) -> char {
        match self {
            Self::Comma => ',',
            Self::Semicolon => ';',
            Self::Tab => '\t',
            Self::Space => ' ',
        }
    }
}

/// What was chosen for a format; a format that lacks an option leaves it as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How categories are written.
    pub texts: Texts,
    /// What stands between fields.
    pub separator: Separator,
    /// Whether the table's title stands in a line of its own before the heading.
    pub title: bool,
    /// Whether the text begins with a byte-order mark, by which spreadsheets know UTF-8.
    pub byte_order_mark: bool,
}

/// Options that say how categories are written.
const TEXTS: [&str; 3] = ["UseCodes", "UseTexts", "UseCodesAndTexts"];
const TITLE: &str = "IncludeTitle";

/// The options of formats whose lines are cells.
pub(super) const OF_COLUMNS: &[&str] = &TEXTS;
/// The options of formats for people.
pub(super) const OF_SHEETS: &[&str] = &[TEXTS[0], TEXTS[1], TEXTS[2], TITLE];
/// The options of CSV.
pub const OF_CSV: &[&str] = &[TEXTS[0], TEXTS[1], TEXTS[2], TITLE, "SeparatorTab", "SeparatorSpace", "SeparatorSemicolon", "IncludeBom"];

impl Options {
    /// The names by which these options of a format are asked for, where `texts` is what it writes if nothing is asked for.
    pub(super) fn names(self, texts: Texts) -> Vec<&'static str> {
        let own = match self.texts {
            _ if self.texts == texts => None,
            Texts::Codes => Some(TEXTS[0]),
            Texts::Names => Some(TEXTS[1]),
            Texts::Both => Some(TEXTS[2]),
        };
        let separator = match self.separator {
            Separator::Comma => None,
            Separator::Tab => Some("SeparatorTab"),
            Separator::Space => Some("SeparatorSpace"),
            Separator::Semicolon => Some("SeparatorSemicolon"),
        };
        let others = [self.title.then_some(TITLE), self.byte_order_mark.then_some("IncludeBom")];
        [own, separator].into_iter().chain(others).flatten().collect()
    }

    /// Reads the options of a format by name, in any case; the last of two that contradict each other counts.
    ///
    /// # Errors
    /// Names what was asked for and what there is.
    pub(super) fn parse(format: &'static str, known: &[&str], texts: Texts, options: &[String]) -> Result<Self, Message> {
        let mut chosen = Self { texts, separator: Separator::Comma, title: false, byte_order_mark: false };
        for option in options {
            match known.iter().find(|known| known.eq_ignore_ascii_case(option)) {
                Some(&"UseCodes") => chosen.texts = Texts::Codes,
                Some(&"UseTexts") => chosen.texts = Texts::Names,
                Some(&"UseCodesAndTexts") => chosen.texts = Texts::Both,
                Some(&TITLE) => chosen.title = true,
                Some(&"SeparatorTab") => chosen.separator = Separator::Tab,
                Some(&"SeparatorSpace") => chosen.separator = Separator::Space,
                Some(&"SeparatorSemicolon") => chosen.separator = Separator::Semicolon,
                Some(&"IncludeBom") => chosen.byte_order_mark = true,
                _ => {
                    let option: String = option.chars().take(40).collect();
                    return Err(words::NO_FORMAT_OPTION.with(format).and(option).and(known.join(", ")));
                }
            }
        }
        Ok(chosen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(known: &[&str], options: &[&str]) -> Result<Options, Message> {
        let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
        Options::parse("csv", known, Texts::Codes, &options)
    }

    #[test]
    fn the_last_of_two_options_counts() {
        let chosen = parse(OF_CSV, &["usetexts", "SEPARATORTAB", "UseCodesAndTexts", "includebom"]).unwrap();
        assert_eq!((chosen.texts, chosen.separator), (Texts::Both, Separator::Tab));
        assert!(chosen.byte_order_mark && !chosen.title);
    }

    #[test]
    fn options_are_named_as_they_are_read() {
        for options in [&[][..], &["UseCodesAndTexts", "SeparatorTab", "IncludeTitle", "IncludeBom"], &["UseTexts", "SeparatorSemicolon"]] {
            let chosen = parse(OF_CSV, options).unwrap();
            assert_eq!(parse(OF_CSV, &chosen.names(Texts::Codes)).unwrap(), chosen);
        }
    }

    #[test]
    fn every_format_has_its_own_options() {
        for option in OF_CSV {
            assert!(parse(OF_CSV, &[option]).is_ok(), "{option} is known but not read");
            assert_eq!(parse(OF_COLUMNS, &[option]).is_ok(), option.starts_with("Use"), "{option}");
        }
        let refused = parse(OF_SHEETS, &["SeparatorTab"]).unwrap_err().to_string();
        assert!(refused.contains("'SeparatorTab'") && refused.contains("UseCodesAndTexts, IncludeTitle"), "{refused}");
    }
}
