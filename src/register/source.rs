//! Where a dimension's values come from: which columns of a snapshot, written how.

use std::collections::HashMap;

use chrono::NaiveDate;

/// How the value of a dimension is read from a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// A column that holds a code or a text.
    Code {
        /// The column.
        column: String,
        /// The ways in which registers number the values. Where there are several, digits alone say nothing.
        codings: Vec<Coding>,
        /// [`normalise`]d text to base leaf.
        texts: HashMap<String, u32>,
    },
    /// A column that holds a birth date.
    Age {
        /// The column.
        column: String,
        /// The ways in which a date may be written.
        formats: Vec<DateFormat>,
        /// The earliest birth date that is believed.
        earliest: NaiveDate,
        /// Base leaf by completed years; the last one is open.
        leaves: Vec<u32>,
    },
    /// Columns that together hold a region code.
    Region {
        /// The parts, in order.
        parts: Vec<RegionPart>,
        /// Code of a base leaf, digits only, to base leaf.
        leaves: HashMap<u64, u32>,
    },
    /// The number of people in the household; there is no such column.
    HouseholdSize {
        /// Base leaf by members; the first is for none, the last one is open.
        leaves: Vec<u32>,
    },
}

/// One way of numbering values.
#[derive(Debug, Clone, PartialEq)]
pub struct Coding {
    /// Name by which an operator chooses it.
    pub id: String,
    /// Number to base leaf.
    pub codes: HashMap<u64, u32>,
}

/// One column of a region code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionPart {
    /// The column.
    pub column: String,
    /// How many digits it adds to the code, with leading zeros.
    pub digits: u32,
}

/// The order of a date's fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOrder {
    /// 2024-06-30
    YearMonthDay,
    /// 30-06-2024
    DayMonthYear,
    /// 06/30/2024
    MonthDayYear,
}

/// One way of writing a date: four digits of year, two of month and day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateFormat {
    /// The order of the fields.
    pub order: DateOrder,
    /// What stands between them; `None`: nothing.
    pub separator: Option<u8>,
}

impl DateFormat {
    /// Reads a format such as `YYYY-MM-DD`, `DD/MM/YYYY` or `YYYYMMDD`.
    pub fn parse(text: &str) -> Option<Self> {
        let separator = text.bytes().find(|byte| !byte.is_ascii_alphabetic());
        let mark = separator.map(|byte| (byte as char).to_string()).unwrap_or_default();
        let order = [
            (["YYYY", "MM", "DD"], DateOrder::YearMonthDay),
            (["DD", "MM", "YYYY"], DateOrder::DayMonthYear),
            (["MM", "DD", "YYYY"], DateOrder::MonthDayYear),
        ]
        .into_iter()
        .find(|(fields, _)| fields.join(&mark) == text)?
        .1;
        Some(Self { order, separator })
    }

    /// Reads a date written in this format; `None` where the text is anything else or no day of the calendar.
    pub fn read(self, text: &[u8]) -> Option<NaiveDate> {
        let gap = usize::from(self.separator.is_some());
        if text.len() != 8 + 2 * gap {
            return None;
        }
        let lengths = match self.order {
            DateOrder::YearMonthDay => [4, 2, 2],
            DateOrder::DayMonthYear | DateOrder::MonthDayYear => [2, 2, 4],
        };
        let mut fields = [0u32; 3];
        let mut at = 0;
        for (field, length) in fields.iter_mut().zip(lengths) {
            if at > 0 && gap == 1 {
                if Some(text[at]) != self.separator {
                    return None;
                }
                at += 1;
            }
            for &byte in &text[at..at + length] {
                if !byte.is_ascii_digit() {
                    return None;
                }
                *field = *field * 10 + u32::from(byte - b'0');
            }
            at += length;
        }
        let [year, month, day] = match self.order {
            DateOrder::YearMonthDay => fields,
            DateOrder::DayMonthYear => [fields[2], fields[1], fields[0]],
            DateOrder::MonthDayYear => [fields[2], fields[0], fields[1]],
        };
        NaiveDate::from_ymd_opt(year as i32, month, day)
    }
}

/// Text as it is compared: letters and digits only, upper case, so that `BELUM / TIDAK BEKERJA` is `belum/tidak bekerja`.
pub fn normalise(text: &str) -> String {
    text.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        let check = |format: &str, text: &str, expect: Option<&str>| {
            let date = DateFormat::parse(format).unwrap().read(text.as_bytes());
            assert_eq!(date, expect.map(|date| date.parse().unwrap()), "{format} {text}");
        };
        check("YYYY-MM-DD", "2024-02-29", Some("2024-02-29"));
        check("YYYY-MM-DD", "2023-02-29", None);
        check("YYYY-MM-DD", "2024/02/29", None);
        check("YYYY-MM-DD", "2024-2-29", None);
        check("DD-MM-YYYY", "29-02-2024", Some("2024-02-29"));
        check("MM/DD/YYYY", "02/29/2024", Some("2024-02-29"));
        check("YYYYMMDD", "20240229", Some("2024-02-29"));
        check("YYYYMMDD", "2024022x", None);
        assert_eq!(DateFormat::parse("YY-MM-DD"), None);
        assert_eq!(DateFormat::parse("YYYY-MM/DD"), None);
    }

    #[test]
    fn texts_are_compared_without_punctuation() {
        assert_eq!(normalise("Belum / Tidak Bekerja"), normalise("BELUM/TIDAK BEKERJA"));
        assert_eq!(normalise("väike"), "VÄIKE");
    }
}
