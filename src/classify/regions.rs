//! Reads region codes from one or several columns.

use arrow::array::{Array, ArrowPrimitiveType, PrimitiveArray};
use rustc_hash::FxHashMap;

use super::{
    MARKS, Reason,
    values::{Column, Value, trimmed},
};
use crate::digits::digits;

/// Reads the columns; tells whether there are marks.
///
/// Snapshots are mostly sorted by region, so a record is first compared with the one before it, field by field as
/// they stand; only where they differ are the fields read.
pub(super) fn read(columns: &[Column<'_>], digits_of: &[u32], records: usize, leaves: &FxHashMap<u64, u32>, out: &mut Vec<u32>) -> bool {
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
    let numbers: Option<Vec<&[i64]>> =
        columns.iter().map(|column| if let Column::Numbers(array) = column { without_gaps(array) } else { None }).collect();
    let narrow: Option<Vec<&[i32]>> =
        columns.iter().map(|column| if let Column::Narrow(array) = column { without_gaps(array) } else { None }).collect();
    let places: Vec<usize> = columns.iter().filter_map(|column| if let Column::Text(_, at) = column { Some(*at) } else { None }).collect();
    match (columns, numbers, narrow) {
        (_, Some(numbers), _) => runs(records, |a, b| numbers.iter().all(|column| column[a] == column[b]), read, out),
        (_, _, Some(numbers)) => runs(records, |a, b| numbers.iter().all(|column| column[a] == column[b]), read, out),
        ([Column::Text(chunk, first), ..], ..) if places.len() == columns.len() && chunk.adjacent(&places) => {
            let last = places[places.len() - 1];
            runs(records, |a, b| chunk.stretch(*first, last, a) == chunk.stretch(*first, last, b), read, out)
        }
        _ => runs(records, |a, b| columns.iter().all(|column| column.same(a, b)), read, out),
    }
}

fn without_gaps<T: ArrowPrimitiveType>(array: &PrimitiveArray<T>) -> Option<&[T::Native]> {
    (array.null_count() == 0).then(|| array.values().as_ref())
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
