//! Records that a register should not hold, one kind for each reason to reject a record.

use std::fmt;

use serde::Serialize;

use super::{
    calendar::{NO_DAY, NOT_A_DAY},
    people::Marital,
    rows::{NumberColumn, Record},
    texts::{Habits, MISSING, TextColumn, Texts},
};

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flaw {
    /// A text that no code list knows.
    UnknownCode,
    /// A village that is not in the reference.
    UnknownRegion,
    /// Born after the reference date.
    BornAfter,
    /// Born before 1880.
    BornBefore,
    /// A birth date that is no day of the calendar. In Parquet, whose dates cannot be wrong, the field is empty.
    UnreadableDate,
    /// An identity number of fifteen digits.
    MalformedIdentity,
    /// The identity number of an earlier record.
    DuplicateIdentity,
    /// A needed field is empty.
    MissingField,
    /// Married or pensioned below the age of ten.
    Impossible,
}

impl Flaw {
    /// All of them, equally common.
    pub const ALL: [Self; 9] = [
        Self::UnknownCode,
        Self::UnknownRegion,
        Self::BornAfter,
        Self::BornBefore,
        Self::UnreadableDate,
        Self::MalformedIdentity,
        Self::DuplicateIdentity,
        Self::MissingField,
        Self::Impossible,
    ];
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownCode => "an unknown text",
            Self::UnknownRegion => "an unknown village",
            Self::BornAfter => "a birth after the reference date",
            Self::BornBefore => "a birth before 1880",
            Self::UnreadableDate => "an impossible birth date",
            Self::MalformedIdentity => "a malformed identity number",
            Self::DuplicateIdentity => "a repeated identity number",
            Self::MissingField => "an empty field",
            Self::Impossible => "an impossible combination",
        })
    }
}

/// 1 January 1800 and 31 December 1879.
const BEFORE: (i32, i32) = (-62_091, -32_873);

/// Spoils sound records.
#[derive(Debug)]
pub struct Spoiler {
    /// Records to spoil out of 2^32.
    share: u64,
    reference: i32,
    /// Identity of the latest sound record of this village.
    latest: i64,
    /// Identity of a sound record of the village before.
    of_village_before: i64,
}

impl Spoiler {
    /// Spoils this share of all records, 0 to 1, as of a reference date.
    pub fn new(share: f64, reference: i32) -> Self {
        let share = (share.clamp(0.0, 1.0) * 4_294_967_296.0) as u64;
        Self { share, reference, latest: i64::from(MISSING), of_village_before: i64::from(MISSING) }
    }

    /// Tells that the records of another village follow, and of a sound record in the village before.
    pub fn next_village(&mut self, before: Option<i64>) {
        (self.latest, self.of_village_before) = (i64::from(MISSING), before.unwrap_or(i64::from(MISSING)));
    }

    /// Whether a record with these random bits stays sound.
    pub fn is_spared(&self, bits: u64) -> bool {
        bits & 0xffff_ffff >= self.share
    }

    /// Spoils a record or leaves it sound, as random bits decide; says what is wrong now.
    pub fn pass(&mut self, record: &mut Record, bits: u64, texts: &Texts, habits: Habits) -> Option<Flaw> {
        if self.is_spared(bits) {
            self.latest = record.identity;
            return None;
        }
        let bits = bits >> 32;
        let mut flaw = Flaw::ALL[(bits % 9) as usize];
        let bits = bits / 9;
        let earlier = if bits & 1 == 0 { self.latest } else { self.of_village_before };
        if flaw == Flaw::DuplicateIdentity && earlier == i64::from(MISSING) {
            flaw = Flaw::MalformedIdentity;
        }
        let days = |most: i32| (bits >> 4) as i32 % most;
        match flaw {
            Flaw::UnknownCode => {
                let coded = [TextColumn::Sex, TextColumn::Religion, TextColumn::Marital, TextColumn::Relation, TextColumn::Occupation];
                let column = coded[(bits % 5) as usize];
                record.texts[column as usize] = texts.unknown(column);
            }
            Flaw::UnknownRegion => record.numbers[NumberColumn::Village as usize] = 9999,
            Flaw::BornAfter => record.birth = self.reference + 1 + days(300),
            Flaw::BornBefore => record.birth = BEFORE.1 - days(BEFORE.1 - BEFORE.0),
            Flaw::UnreadableDate => record.birth = NOT_A_DAY,
            Flaw::MalformedIdentity => record.identity /= 10,
            Flaw::DuplicateIdentity => record.identity = earlier,
            Flaw::MissingField => match bits % 9 {
                0 => record.identity = i64::from(MISSING),
                1 => record.card = i64::from(MISSING),
                2 => record.birth = NO_DAY,
                3 => record.texts[TextColumn::Sex as usize] = MISSING,
                4 => record.texts[TextColumn::Religion as usize] = MISSING,
                5 => record.texts[TextColumn::Marital as usize] = MISSING,
                6 => record.texts[TextColumn::Relation as usize] = MISSING,
                7 => record.texts[TextColumn::Occupation as usize] = MISSING,
                _ => record.numbers[NumberColumn::District as usize] = MISSING,
            },
            Flaw::Impossible => {
                record.birth = self.reference - 1000 - days(2300);
                if bits & 2 == 0 {
                    record.texts[TextColumn::Marital as usize] = habits.marital(Marital::Married, bits as i64);
                } else {
                    record.texts[TextColumn::Occupation as usize] = i32::from(super::careers::PENSIONER) - 1;
                }
            }
        }
        Some(flaw)
    }
}
