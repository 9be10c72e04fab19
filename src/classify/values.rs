//! Reading codes, dates, regions and identifiers from fields of text or Arrow columns.

use std::collections::HashMap;

use arrow::{
    array::{Array, ArrayRef, AsArray, DictionaryArray, StringArray, StringViewArray},
    compute::cast,
    datatypes::{DataType, Date32Type, Int16Type, Int32Type, Int64Type, UInt16Type, UInt32Type},
};
use chrono::NaiveDate;
use rustc_hash::FxHashMap;

use super::{AgeRule, KEY_MARKS, MARKS, Reason};
use crate::{
    error::{Error, Result},
    ingest::TextChunk,
    register::{Coding, DateKey, Key, normalise},
};

/// One column of a chunk.
pub(super) enum Column<'a> {
    Text(&'a TextChunk, usize),
    /// Texts, each distinct one once.
    Dictionary(DictionaryArray<Int32Type>, StringArray),
    Strings(&'a StringViewArray),
    Numbers(arrow::array::Int64Array),
    Dates(arrow::array::Date32Array),
}

/// One field.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    Missing,
    Text(&'a [u8]),
    Number(i64),
    Date(NaiveDate),
}

impl<'a> Column<'a> {
    pub fn of(array: &'a ArrayRef, name: &str) -> Result<Self> {
        Ok(match array.data_type() {
            DataType::Dictionary(..) => {
                let dictionary = array.as_dictionary::<Int32Type>().clone();
                let values = dictionary.values().as_string::<i32>().clone();
                Self::Dictionary(dictionary, values)
            }
            DataType::Utf8View => Self::Strings(array.as_string_view()),
            DataType::Date32 => Self::Dates(array.as_primitive::<Date32Type>().clone()),
            DataType::Date64 | DataType::Timestamp(..) => Self::Dates(cast(array, &DataType::Date32)?.as_primitive::<Date32Type>().clone()),
            // Widened here and not by `cast`, which costs four times as much as all else that a column needs.
            DataType::Int64 => Self::Numbers(array.as_primitive::<Int64Type>().clone()),
            DataType::Int32 => Self::Numbers(array.as_primitive::<Int32Type>().unary(i64::from)),
            DataType::Int16 => Self::Numbers(array.as_primitive::<Int16Type>().unary(i64::from)),
            DataType::UInt32 => Self::Numbers(array.as_primitive::<UInt32Type>().unary(i64::from)),
            DataType::UInt16 => Self::Numbers(array.as_primitive::<UInt16Type>().unary(i64::from)),
            simple if simple.is_integer() || matches!(simple, DataType::Decimal128(_, 0)) => {
                Self::Numbers(cast(array, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
            }
            other => return Err(Error::Internal(format!("column {name} was read as {other}"))),
        })
    }

    fn value(&self, record: usize) -> Value<'_> {
        let text = |bytes: &'_ [u8]| if bytes.is_empty() { None } else { Some(bytes.len()) };
        match self {
            Self::Text(chunk, column) => {
                let bytes = chunk.field(*column, record);
                text(bytes).map_or(Value::Missing, |_| Value::Text(bytes))
            }
            Self::Dictionary(keys, values) => match keys.key(record) {
                Some(key) if !values.is_null(key) && !values.value(key).is_empty() => Value::Text(values.value(key).as_bytes()),
                _ => Value::Missing,
            },
            Self::Strings(array) if array.is_valid(record) && !array.value(record).is_empty() => {
                Value::Text(array.value(record).as_bytes())
            }
            Self::Numbers(array) if array.is_valid(record) => Value::Number(array.value(record)),
            Self::Dates(array) if array.is_valid(record) => array.value_as_date(record).map_or(Value::Missing, Value::Date),
            _ => Value::Missing,
        }
    }

    /// Whether two fields hold the same for sure.
    fn same(&self, a: usize, b: usize) -> bool {
        match self {
            Self::Text(chunk, column) => chunk.field(*column, a) == chunk.field(*column, b),
            Self::Dictionary(keys, _) => keys.key(a) == keys.key(b),
            Self::Strings(array) => array.is_valid(a) && array.is_valid(b) && array.value(a) == array.value(b),
            Self::Numbers(array) => array.is_valid(a) && array.is_valid(b) && array.value(a) == array.value(b),
            Self::Dates(_) => false,
        }
    }

    /// The field as people should see it in the reject list.
    pub fn show(&self, record: usize) -> String {
        match self.value(record) {
            Value::Missing => String::new(),
            Value::Text(text) => String::from_utf8_lossy(text).chars().take(60).collect(),
            Value::Number(number) => number.to_string(),
            Value::Date(date) => date.to_string(),
        }
    }

    /// Turns every field into a code or mark, working on distinct texts once where the column keeps them apart.
    fn codes(&self, records: usize, out: &mut Vec<u32>, mut code: impl FnMut(Value<'_>) -> u32) -> bool {
        if let Self::Dictionary(keys, values) = self {
            let distinct: Vec<u32> = values
                .iter()
                .map(|text| text.filter(|text| !text.is_empty()).map_or(Value::Missing, |text| Value::Text(text.as_bytes())))
                .map(&mut code)
                .collect();
            if keys.null_count() == 0 {
                out.extend(keys.keys().values()[..records].iter().map(|&key| distinct[key as usize]));
            } else {
                let missing = code(Value::Missing);
                out.extend((0..records).map(|record| keys.key(record).map_or(missing, |key| distinct[key])));
            }
        } else {
            out.extend((0..records).map(|record| code(self.value(record))));
        }
        out.iter().any(|&code| code >= MARKS)
    }
}

fn trimmed(text: &[u8]) -> &[u8] {
    text.trim_ascii()
}

/// Digits to a number; `None` for anything else or more digits than a `u64` surely holds.
#[inline(always)]
fn digits(text: &[u8]) -> Option<u64> {
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

/// Eight digits to a number with three multiplications, as in Daniel Lemire's "Quickly parsing eight digits" (2018).
#[inline(always)]
fn eight_digits(text: [u8; 8]) -> Option<u64> {
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

/// What tells one text of up to 32 bytes from another, and most longer ones: length, and four groups of eight bytes,
/// from the start and from the end, that overlap in short texts.
#[derive(Debug, Clone, Copy, Default)]
struct Print {
    length: u64,
    words: [u64; 4],
}

impl Print {
    /// Bytes up to which a print tells everything.
    const WHOLE: usize = 32;

    /// The print of a text, `within` being the text and whatever stands behind it.
    #[inline(always)]
    fn within(text: &[u8], within: &[u8]) -> Self {
        let length = text.len();
        if within.len() < length.max(Self::WHOLE) {
            return Self::of(text);
        }
        // No branch depends on the length, which changes from record to record in ways that no processor foresees.
        let word = |at: usize| within[at..].first_chunk().copied().map_or(0, u64::from_le_bytes);
        let keep = u64::MAX >> (64 - 8 * length.clamp(1, 8));
        let end = length.max(8) - 8;
        let words = [word(0), word(end.min(8)), word(end.max(8) - 8), word(end)];
        Self { length: length as u64, words: words.map(|word| word & keep) }
    }

    fn of(text: &[u8]) -> Self {
        let mut bytes = [0; Self::WHOLE];
        let length = text.len().min(Self::WHOLE);
        bytes[..length].copy_from_slice(&text[..length]);
        Self { length: text.len() as u64, ..Self::within(&bytes[..length], &bytes) }
    }

    #[inline(always)]
    fn same(&self, other: &Self) -> bool {
        let [a, b, c, d] = self.words;
        let [e, f, g, h] = other.words;
        (self.length ^ other.length) | (a ^ e) | (b ^ f) | (c ^ g) | (d ^ h) == 0
    }

    #[inline(always)]
    fn slot(&self) -> usize {
        let [a, b, c, d] = self.words;
        let mixed = (a ^ self.length).wrapping_add(b.rotate_left(23)).wrapping_add(c ^ d.rotate_left(11));
        (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - SLOTS.trailing_zeros())) as usize
    }
}

/// Slots of a [`CodeReader`]'s cache; a power of two.
const SLOTS: usize = 1024;

/// One text met before, in a cache line of its own.
#[derive(Clone, Default)]
#[repr(align(64))]
struct Slot {
    print: Print,
    code: u32,
    /// The whole text, where it is longer than its print tells.
    text: Option<Box<[u8]>>,
}

/// Reads codes and texts; remembers texts met before.
pub(super) struct CodeReader {
    /// An empty text is no text, so a slot with an empty print is free.
    slots: Vec<Slot>,
    ambiguous: bool,
}

impl CodeReader {
    pub fn new(codings: usize) -> Self {
        Self { slots: vec![Slot::default(); SLOTS], ambiguous: codings > 1 }
    }

    /// Reads a column; tells whether it holds marks.
    pub fn read(
        &mut self,
        column: &Column<'_>,
        records: usize,
        codings: &[Coding],
        texts: &HashMap<String, u32>,
        name: &str,
        out: &mut Vec<u32>,
    ) -> Result<bool> {
        let mut clash = None;
        let ambiguous = self.ambiguous;
        let mut number = |number: u64| {
            let mut meanings = codings.iter().filter_map(|coding| coding.codes.get(&number).copied());
            let Some(first) = meanings.next() else { return Reason::UnknownCode.mark() };
            if ambiguous && meanings.any(|meaning| meaning != first) {
                clash = Some(number);
            }
            first
        };
        let mut slow = |text: &[u8]| {
            let text = trimmed(text);
            if let Some(digits) = digits(text) {
                return number(digits);
            }
            match std::str::from_utf8(text) {
                Err(_) => Reason::NotUtf8.mark(),
                Ok("") => Reason::Missing.mark(),
                Ok(text) => texts.get(&normalise(text)).copied().unwrap_or(Reason::UnknownCode.mark()),
            }
        };
        let slots = &mut self.slots;
        let mut cached = |text: &[u8], print: Print| {
            if text.is_empty() {
                return Reason::Missing.mark();
            }
            let slot = &mut slots[print.slot()];
            if slot.print.same(&print) && (text.len() <= Print::WHOLE || slot.text.as_deref() == Some(text)) {
                return slot.code;
            }
            let code = slow(text);
            *slot = Slot { print, code, text: (text.len() > Print::WHOLE).then(|| text.into()) };
            code
        };
        let marked = if let Column::Text(chunk, at) = column {
            let mut marked = false;
            out.extend((0..records).map(|record| {
                let (text, within) = chunk.field_within(*at, record);
                let code = cached(text, Print::within(text, within));
                marked |= code >= MARKS;
                code
            }));
            marked
        } else {
            column.codes(records, out, |value| match value {
                Value::Missing => Reason::Missing.mark(),
                Value::Text(text) => cached(text, Print::of(text)),
                Value::Number(found) => u64::try_from(found).map_or(Reason::UnknownCode.mark(), |found| {
                    let mut text = itoa::Buffer::new();
                    let text = text.format(found).as_bytes();
                    cached(text, Print::of(text))
                }),
                Value::Date(_) => Reason::UnknownCode.mark(),
            })
        };
        match clash {
            None => Ok(marked),
            Some(number) => {
                let ids = codings.iter().map(|coding| coding.id.as_str()).collect::<Vec<_>>().join(" or ");
                Err(Error::Input(format!(
                    "column {name} holds the number {number}, which means different things in the codings {ids}; \
                     say which one the snapshot uses with --coding DIMENSION=CODING"
                )))
            }
        }
    }
}

/// Reads birth dates as ages.
#[derive(Default)]
pub(super) struct AgeReader {
    /// Newest believable birth date of the last column.
    pub newest: Option<DateKey>,
}

impl AgeReader {
    /// Reads a column; tells whether it holds marks.
    pub fn read(&mut self, column: &Column<'_>, records: usize, rule: &AgeRule, out: &mut Vec<u32>) -> bool {
        let mut newest = None;
        if let Column::Dates(array) = column
            && array.null_count() == 0
        {
            let mut newest_day = i32::MIN;
            out.extend(array.values()[..records].iter().map(|&day| {
                let code = rule.of_day(day);
                newest_day = if code < MARKS { newest_day.max(day) } else { newest_day };
                code
            }));
            self.newest = (newest_day > i32::MIN).then(|| DateKey::from_days(newest_day));
            return out.iter().any(|&code| code >= MARKS);
        }
        let mut age = |date: DateKey| {
            let code = rule.of(date);
            if code < MARKS {
                newest = newest.max(Some(date));
            }
            code
        };
        let parse = |text: &[u8]| rule.formats.iter().find_map(|format| format.read(text));
        let marked = column.codes(records, out, |value| match value {
            Value::Missing => Reason::Missing.mark(),
            Value::Date(date) => age(date.into()),
            Value::Text(text) => match parse(text).or_else(|| parse(trimmed(text))) {
                Some(date) => age(date),
                None if trimmed(text).is_empty() => Reason::Missing.mark(),
                None => Reason::UnreadableDate.mark(),
            },
            Value::Number(number) => {
                let mut digits = itoa::Buffer::new();
                parse(digits.format(number).as_bytes()).map_or(Reason::UnreadableDate.mark(), &mut age)
            }
        });
        self.newest = newest;
        marked
    }
}

/// Reads region codes from one or several columns.
pub(super) struct RegionReader;

impl RegionReader {
    /// Reads the columns; tells whether there are marks.
    ///
    /// Snapshots are mostly sorted by region, so a record is first compared with the one before it, field by field as
    /// they stand; only where they differ are the fields read.
    pub fn read(columns: &[Column<'_>], digits_of: &[u32], records: usize, leaves: &FxHashMap<u64, u32>, out: &mut Vec<u32>) -> bool {
        let read = |record: usize| {
            let (mut code, mut missing, mut bad) = (0u64, false, false);
            for (column, &width) in columns.iter().zip(digits_of) {
                let part = match column.value(record) {
                    Value::Missing => Err(Reason::Missing),
                    Value::Text(text) => part_of(text),
                    Value::Number(number) => u64::try_from(number).map_err(|_| Reason::UnknownRegion),
                    Value::Date(_) => Err(Reason::UnknownRegion),
                };
                let limit = 10u64.pow(width);
                match part {
                    Ok(part) if part < limit => code = code.wrapping_mul(limit).wrapping_add(part),
                    Err(Reason::Missing) => missing = true,
                    _ => bad = true,
                }
            }
            match leaves.get(&code) {
                _ if missing => Reason::Missing.mark(),
                Some(&leaf) if !bad => leaf,
                _ => Reason::UnknownRegion.mark(),
            }
        };
        let numbers: Option<Vec<&[i64]>> = columns
            .iter()
            .map(|column| match column {
                Column::Numbers(array) if array.null_count() == 0 => Some(array.values().as_ref()),
                _ => None,
            })
            .collect();
        let places: Vec<usize> =
            columns.iter().filter_map(|column| if let Column::Text(_, at) = column { Some(*at) } else { None }).collect();
        match (columns, numbers) {
            (_, Some(numbers)) => runs(records, |a, b| numbers.iter().all(|column| column[a] == column[b]), read, out),
            ([Column::Text(chunk, first), ..], _) if places.len() == columns.len() && chunk.adjacent(&places) => {
                let last = places[places.len() - 1];
                runs(records, |a, b| chunk.stretch(*first, last, a) == chunk.stretch(*first, last, b), read, out)
            }
            _ => runs(records, |a, b| columns.iter().all(|column| column.same(a, b)), read, out),
        }
    }
}

/// A part of a region code as a number.
fn part_of(text: &[u8]) -> Result<u64, Reason> {
    match trimmed(text) {
        [] => Err(Reason::Missing),
        bare => digits(bare).ok_or(Reason::UnknownRegion),
    }
}

/// Gives each record the code of the one before it where both are the same; tells whether there are marks.
fn runs(records: usize, same: impl Fn(usize, usize) -> bool, read: impl Fn(usize) -> u32, out: &mut Vec<u32>) -> bool {
    let (mut marked, mut code) = (false, 0);
    out.extend((0..records).map(|record| {
        if record == 0 || !same(record - 1, record) {
            code = read(record);
            marked |= code >= MARKS;
        }
        code
    }));
    marked
}

/// Reads identifiers of digits.
pub(super) struct KeyReader;

impl KeyReader {
    /// Reads a column; tells whether it holds marks.
    pub fn read(column: &Column<'_>, records: usize, key: &Key, out: &mut Vec<u64>) -> bool {
        let mark = |reason: Reason| KEY_MARKS | u64::from(reason.mark() as u8);
        // Where the length may vary, 0123 and 123 are two identifiers, so the length becomes part of the number.
        let with_length = |number: u64, length: usize| match key.most - key.least {
            0 => number,
            _ => number << 4 | (length - key.least as usize) as u64 & 15,
        };
        let plain = |text: &[u8]| {
            let (least, most) = (key.least as usize, key.most as usize);
            if text.len() == 16
                && least <= 16
                && most >= 16
                && let (Some(high), Some(low)) =
                    (text.first_chunk().copied().and_then(eight_digits), text.last_chunk().copied().and_then(eight_digits))
            {
                return with_length(high * 100_000_000 + low, 16);
            }
            let bare = trimmed(text);
            match digits(bare) {
                Some(number) if (least..=most).contains(&bare.len()) => with_length(number, bare.len()),
                _ if bare.is_empty() => mark(Reason::Missing),
                _ => mark(Reason::MalformedKey),
            }
        };
        // A number has lost its leading zeros, so that it is as long as its digits.
        let number = |number: i64| match u64::try_from(number) {
            Ok(number) => {
                let length = number.checked_ilog10().unwrap_or(0) + 1;
                if (key.least..=key.most).contains(&length) { with_length(number, length as usize) } else { mark(Reason::MalformedKey) }
            }
            Err(_) => mark(Reason::MalformedKey),
        };
        out.reserve(records);
        match column {
            Column::Text(chunk, at) => out.extend((0..records).map(|record| plain(chunk.field(*at, record)))),
            Column::Strings(array) if array.null_count() == 0 => {
                out.extend((0..records).map(|record| plain(array.value(record).as_bytes())));
            }
            Column::Numbers(array) if array.null_count() == 0 => out.extend(array.values()[..records].iter().map(|&found| number(found))),
            column => out.extend((0..records).map(|record| match column.value(record) {
                Value::Missing => mark(Reason::Missing),
                Value::Text(text) => plain(text),
                Value::Number(found) => number(found),
                Value::Date(_) => mark(Reason::MalformedKey),
            })),
        }
        out.iter().any(|&key| key >= KEY_MARKS)
    }
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
        assert_eq!(eight_digits(*b"12345678"), Some(12_345_678));
        assert_eq!(eight_digits(*b"00000009"), Some(9));
        for bad in [*b"1234567:", *b"/2345678", *b"1234 678", *b"\xff2345678"] {
            assert_eq!(eight_digits(bad), None);
        }
    }

    #[test]
    fn a_print_tells_texts_apart_up_to_its_length() {
        let text = b"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF";
        let follows = b"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF and whatever else stands behind it";
        for length in 1..=Print::WHOLE {
            let print = Print::of(&text[..length]);
            assert!(print.same(&Print::within(&text[..length], follows)), "{length}");
            for changed in 0..length {
                let mut other = text[..length].to_vec();
                other[changed] = b'-';
                assert!(!print.same(&Print::of(&other)), "{length} {changed}");
            }
        }
        assert!(!Print::of(b"A\0").same(&Print::of(b"A")));
        assert!(!Print::of(&[b'A'; 40]).same(&Print::of(&[b'A'; 41])));
    }
}
