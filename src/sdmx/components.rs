//! Dimensions, measure and attributes that every data structure has beside the axes of its table.

use crate::{
    register::Label,
    tables::{CellStatus, Library},
    words::{self, Phrase},
};

/// How often a register is counted.
pub const FREQ: &str = "FREQ";
/// Which of a table's measures a number is of.
pub const CONTENTS: &str = "CONTENTS";
/// The period.
pub const TIME_PERIOD: &str = "TIME_PERIOD";
/// The number.
pub const OBS_VALUE: &str = "OBS_VALUE";
/// Whether there is a number, and why not.
pub const OBS_STATUS: &str = "OBS_STATUS";
/// Whether a number is withheld to protect people.
pub const CONF_STATUS: &str = "CONF_STATUS";
/// The unit of a measure.
pub const UNIT_MEASURE: &str = "UNIT_MEASURE";
/// The decimal places of a measure.
pub const DECIMALS: &str = "DECIMALS";

/// Identifiers that no axis may have; `DATAFLOW` and its like are columns of SDMX-CSV.
pub const RESERVED: [&str; 12] = [
    FREQ,
    CONTENTS,
    TIME_PERIOD,
    OBS_VALUE,
    OBS_STATUS,
    CONF_STATUS,
    UNIT_MEASURE,
    DECIMALS,
    "DATAFLOW",
    "STRUCTURE",
    "STRUCTURE_ID",
    "ACTION",
];

/// A text in every language: the register's or the program's own.
#[derive(Debug, Clone, Copy)]
pub enum Text<'a> {
    Label(&'a Label),
    Phrase(&'static Phrase),
}

impl<'a> Text<'a> {
    pub fn text(self, library: &'a Library, language: usize) -> &'a str {
        match self {
            Self::Label(label) => label.text(language),
            Self::Phrase(phrase) => phrase.text(library.tongue(language)),
        }
    }
}

/// The component before the axes, with its name.
pub const FIRST: (&str, &Phrase) = (FREQ, &words::FREQUENCY);
/// The components behind them.
pub const LAST: [(&str, &Phrase); 7] = [
    (CONTENTS, &words::CONTENTS),
    (TIME_PERIOD, &words::PERIOD),
    (OBS_VALUE, &words::VALUE),
    (OBS_STATUS, &words::OBSERVATION_STATUS),
    (CONF_STATUS, &words::CONFIDENTIALITY),
    (UNIT_MEASURE, &words::UNIT_OF_MEASURE),
    (DECIMALS, &words::DECIMAL_PLACES),
];

/// Codes of `OBS_STATUS`.
pub const STATUSES: [(&str, &Phrase); 4] =
    [("A", &words::PUBLISHED), ("M", &words::CANNOT_EXIST), ("O", &words::NOT_AVAILABLE), ("Q", &words::WITHHELD)];
/// Codes of `CONF_STATUS`.
pub const CONFIDENTIALITIES: [(&str, &Phrase); 2] = [("F", &words::FREE), ("C", &words::CONFIDENTIAL)];

/// `OBS_STATUS` and `CONF_STATUS` of a cell.
pub fn flags(status: CellStatus) -> (&'static str, &'static str) {
    match status {
        CellStatus::Published => ("A", "F"),
        CellStatus::Suppressed => ("Q", "C"),
        CellStatus::Impossible => ("M", "F"),
        CellStatus::Unavailable => ("O", "F"),
    }
}
