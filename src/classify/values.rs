//! One column of a chunk, text or Arrow, and its fields.

use arrow::{
    array::{Array, ArrayRef, AsArray, Date32Array, DictionaryArray, Int32Array, Int64Array, StringArray, StringViewArray},
    compute::cast,
    datatypes::{DataType, Date32Type, Int16Type, Int32Type, Int64Type, UInt16Type, UInt32Type},
};
use chrono::NaiveDate;

use super::MARKS;
use crate::{
    error::{Error, Result},
    ingest::{TextChunk, shape},
};

/// One column of a chunk.
pub(super) enum Column<'a> {
    Text(&'a TextChunk, usize),
    /// Texts, each distinct one once.
    Dictionary(DictionaryArray<Int32Type>, StringArray),
    Strings(&'a StringViewArray),
    Numbers(Int64Array),
    /// Numbers of 32 bits, left as they are: most registers have no others, and to widen them would double their memory.
    Narrow(Int32Array),
    Dates(Date32Array),
}

/// One field.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    Missing,
    Text(&'a [u8]),
    Number(i64),
    Date(NaiveDate),
}

impl<'a> Value<'a> {
    /// A text; an empty one is none.
    #[inline(always)]
    fn of(text: &'a [u8]) -> Self {
        if text.is_empty() { Self::Missing } else { Self::Text(text) }
    }
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
            DataType::Int32 => Self::Narrow(array.as_primitive::<Int32Type>().clone()),
            DataType::Int16 => Self::Narrow(array.as_primitive::<Int16Type>().unary(i32::from)),
            DataType::UInt32 => Self::Numbers(array.as_primitive::<UInt32Type>().unary(i64::from)),
            DataType::UInt16 => Self::Narrow(array.as_primitive::<UInt16Type>().unary(i32::from)),
            simple if simple.is_integer() || matches!(simple, DataType::Decimal128(_, 0)) => {
                Self::Numbers(cast(array, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
            }
            other => return Err(Error::Internal(format!("column {name} was read as {other}"))),
        })
    }

    pub fn value(&self, record: usize) -> Value<'_> {
        match self {
            Self::Text(chunk, column) => Value::of(chunk.field(*column, record)),
            Self::Dictionary(keys, values) => match keys.key(record) {
                Some(key) if !values.is_null(key) => Value::of(values.value(key).as_bytes()),
                _ => Value::Missing,
            },
            Self::Strings(array) if array.is_valid(record) => Value::of(array.value(record).as_bytes()),
            Self::Numbers(array) if array.is_valid(record) => Value::Number(array.value(record)),
            Self::Narrow(array) if array.is_valid(record) => Value::Number(array.value(record).into()),
            Self::Dates(array) if array.is_valid(record) => array.value_as_date(record).map_or(Value::Missing, Value::Date),
            _ => Value::Missing,
        }
    }

    /// Whether two fields hold the same for sure.
    pub fn same(&self, a: usize, b: usize) -> bool {
        match self {
            Self::Text(chunk, column) => chunk.field(*column, a) == chunk.field(*column, b),
            Self::Dictionary(keys, _) => keys.key(a) == keys.key(b),
            Self::Strings(array) => array.is_valid(a) && array.is_valid(b) && array.value(a) == array.value(b),
            Self::Numbers(array) => array.is_valid(a) && array.is_valid(b) && array.value(a) == array.value(b),
            Self::Narrow(array) => array.is_valid(a) && array.is_valid(b) && array.value(a) == array.value(b),
            Self::Dates(_) => false,
        }
    }

    /// What the list of rejects tells of the field. Any column may hold a name where the columns of a file are shifted, codes too.
    pub fn shape(&self, record: usize) -> String {
        match self.value(record) {
            Value::Missing => shape(b""),
            Value::Text(text) => shape(text),
            Value::Number(number) => shape(number.to_string().as_bytes()),
            Value::Date(_) => "date".into(),
        }
    }

    /// Turns every field into a code or mark, working on distinct texts once where the column keeps them apart.
    pub fn codes(&self, records: usize, out: &mut Vec<u32>, mut code: impl FnMut(Value<'_>) -> u32) -> bool {
        if let Self::Dictionary(keys, values) = self {
            let distinct: Vec<u32> =
                values.iter().map(|text| text.map_or(Value::Missing, |text| Value::of(text.as_bytes()))).map(&mut code).collect();
            if keys.null_count() == 0 {
                out.extend(keys.keys().values()[..records].iter().map(|&key| distinct[key as usize]));
            } else {
                let missing = code(Value::Missing);
                out.extend((0..records).map(|record| keys.key(record).map_or(missing, |key| distinct[key])));
            }
        } else if let Self::Text(chunk, column) = self {
            // The same as below, with the kind of the column looked at once.
            out.extend((0..records).map(|record| code(Value::of(chunk.field(*column, record)))));
        } else {
            out.extend((0..records).map(|record| code(self.value(record))));
        }
        out.iter().any(|&code| code >= MARKS)
    }
}

pub(super) fn trimmed(text: &[u8]) -> &[u8] {
    text.trim_ascii()
}
