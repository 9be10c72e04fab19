//! Reads identifiers of digits as numbers below 2^60: there are fewer identifiers of up to 18 digits, even where 0123 and 123 are two.

use arrow::array::Array;

use super::{
    KEY_MARKS, Reason,
    values::{Column, Value, trimmed},
};
use crate::{
    digits::{digits, eight_digits},
    register::Key,
};

/// Reads a column; tells whether it holds marks.
pub(super) fn read(column: &Column<'_>, records: usize, key: &Key, out: &mut Vec<u64>) -> bool {
    let mark = |reason: Reason| KEY_MARKS | u64::from(reason.mark() as u8);
    // Where the length may vary, the identifiers of a length are numbered behind all shorter ones.
    let shorter = |length: usize| (key.least..).take_while(|&digits| digits < length as u32).map(|digits| 10u64.pow(digits)).sum::<u64>();
    let with_length = |number: u64, length: usize| if key.least == key.most { number } else { number + shorter(length) };
    let (least, most) = (key.least as usize, key.most as usize);
    let has_sixteen = (least..=most).contains(&16);
    let plain = |text: &[u8]| {
        if text.len() == 16
            && has_sixteen
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
    let fewest = if key.least == 1 { 0 } else { 10u64.pow(key.least - 1) };
    let range = fewest..10u64.pow(key.most);
    let number = |number: i64| match u64::try_from(number) {
        Ok(number) if range.contains(&number) => with_length(number, number.checked_ilog10().unwrap_or(0) as usize + 1),
        _ => mark(Reason::MalformedKey),
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
