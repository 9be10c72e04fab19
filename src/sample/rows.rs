//! A batch of records, column by column, on its way to a file.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, Date32Array, DictionaryArray, Int32Array, Int64Array, RecordBatch, StringArray},
    buffer::{NullBuffer, ScalarBuffer},
    datatypes::{DataType, Field, Int32Type, Schema, SchemaRef},
};

use super::{
    calendar::{NO_DAY, NOT_A_DAY},
    texts::{MISSING, TextColumn, Texts},
};
use crate::error::Result;

/// Records after which a batch is written.
pub const BATCH: usize = 32 * 1024;

/// The columns that hold small numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberColumn {
    /// NO_RT
    Rt,
    /// NO_RW
    Rw,
    /// NO_PROP
    Province,
    /// NO_KAB
    Regency,
    /// NO_KEC
    District,
    /// NO_KEL
    Village,
    /// KODE_POS
    Postal,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// NIK
    Identity,
    /// NO_KK
    Card,
    /// TGL_LHR
    Birth,
    /// A key into [`Texts`].
    Text(TextColumn),
    /// A number that is not negative.
    Number(NumberColumn),
}

/// The columns of a snapshot, in the order in which they are written.
pub const COLUMNS: [(&str, Column); 19] = [
    ("NIK", Column::Identity),
    ("NO_KK", Column::Card),
    ("NAMA_LGKP", Column::Text(TextColumn::Name)),
    ("TMPT_LHR", Column::Text(TextColumn::Birthplace)),
    ("TGL_LHR", Column::Birth),
    ("JENIS_KLMIN", Column::Text(TextColumn::Sex)),
    ("AGAMA", Column::Text(TextColumn::Religion)),
    ("STAT_KWN", Column::Text(TextColumn::Marital)),
    ("STAT_HBKEL", Column::Text(TextColumn::Relation)),
    ("JENIS_PKRJN", Column::Text(TextColumn::Occupation)),
    ("ALAMAT", Column::Text(TextColumn::Address)),
    ("NO_RT", Column::Number(NumberColumn::Rt)),
    ("NO_RW", Column::Number(NumberColumn::Rw)),
    ("DUSUN", Column::Text(TextColumn::Hamlet)),
    ("NO_PROP", Column::Number(NumberColumn::Province)),
    ("NO_KAB", Column::Number(NumberColumn::Regency)),
    ("NO_KEC", Column::Number(NumberColumn::District)),
    ("NO_KEL", Column::Number(NumberColumn::Village)),
    ("KODE_POS", Column::Number(NumberColumn::Postal)),
];

/// One record.
#[derive(Debug, Clone, Copy)]
pub struct Record {
    /// NIK; [`MISSING`] for none.
    pub identity: i64,
    /// NO_KK; [`MISSING`] for none.
    pub card: i64,
    /// TGL_LHR, see [`super::calendar`].
    pub birth: i32,
    /// Keys, [`MISSING`] for none.
    pub texts: [i32; TextColumn::ALL.len()],
    /// Numbers, [`MISSING`] for none.
    pub numbers: [i32; 7],
}

/// Some records.
#[derive(Debug, Default)]
pub struct Rows {
    /// NIK
    pub identity: Vec<i64>,
    /// NO_KK
    pub card: Vec<i64>,
    /// TGL_LHR
    pub birth: Vec<i32>,
    /// By [`TextColumn`].
    pub texts: [Vec<i32>; TextColumn::ALL.len()],
    /// By [`NumberColumn`].
    pub numbers: [Vec<i32>; 7],
}

impl Rows {
    /// Number of records.
    pub fn len(&self) -> usize {
        self.identity.len()
    }

    /// Adds a record.
    pub fn push(&mut self, record: &Record) {
        self.identity.push(record.identity);
        self.card.push(record.card);
        self.birth.push(record.birth);
        for (column, key) in self.texts.iter_mut().zip(record.texts) {
            column.push(key);
        }
        for (column, number) in self.numbers.iter_mut().zip(record.numbers) {
            column.push(number);
        }
    }

    /// Takes the records out as Arrow columns.
    pub fn take_batch(&mut self, columns: &ArrowColumns) -> Result<RecordBatch> {
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(COLUMNS.len());
        for (_, column) in COLUMNS {
            arrays.push(match column {
                Column::Identity => long(&mut self.identity),
                Column::Card => long(&mut self.card),
                Column::Birth => {
                    let days = std::mem::replace(&mut self.birth, Vec::with_capacity(BATCH));
                    let nulls = nulls(&days, |day| *day == NO_DAY || *day == NOT_A_DAY);
                    Arc::new(Date32Array::new(ScalarBuffer::from(days), nulls))
                }
                Column::Text(column) => {
                    let keys = int(&mut self.texts[column as usize]);
                    Arc::new(DictionaryArray::<Int32Type>::try_new(keys, Arc::clone(&columns.texts[column as usize]))?)
                }
                Column::Number(column) => Arc::new(int(&mut self.numbers[column as usize])),
            });
        }
        Ok(RecordBatch::try_new(Arc::clone(&columns.schema), arrays)?)
    }

    /// Forgets the records.
    pub fn clear(&mut self) {
        self.identity.clear();
        self.card.clear();
        self.birth.clear();
        self.texts.iter_mut().chain(&mut self.numbers).for_each(Vec::clear);
    }
}

/// What all batches of a snapshot share.
#[derive(Debug)]
pub struct ArrowColumns {
    /// The schema of a batch.
    pub schema: SchemaRef,
    texts: [ArrayRef; TextColumn::ALL.len()],
}

impl ArrowColumns {
    /// The texts as dictionaries.
    pub fn new(texts: &Texts) -> Self {
        let fields: Vec<Field> = COLUMNS
            .into_iter()
            .map(|(name, column)| {
                let kind = match column {
                    Column::Identity | Column::Card => DataType::Int64,
                    Column::Birth => DataType::Date32,
                    Column::Text(_) => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
                    Column::Number(_) => DataType::Int32,
                };
                Field::new(name, kind, true)
            })
            .collect();
        let texts = TextColumn::ALL.map(|column| Arc::new(StringArray::from_iter_values(texts.column(column))) as ArrayRef);
        Self { schema: Arc::new(Schema::new(fields)), texts }
    }
}

fn nulls<T>(values: &[T], missing: impl Fn(&T) -> bool) -> Option<NullBuffer> {
    values.iter().any(&missing).then(|| values.iter().map(|value| !missing(value)).collect())
}

fn long(values: &mut Vec<i64>) -> ArrayRef {
    let values = std::mem::replace(values, Vec::with_capacity(BATCH));
    let nulls = nulls(&values, |value| *value == i64::from(MISSING));
    Arc::new(Int64Array::new(ScalarBuffer::from(values), nulls))
}

fn int(values: &mut Vec<i32>) -> Int32Array {
    let values = std::mem::replace(values, Vec::with_capacity(BATCH));
    let nulls = nulls(&values, |value| *value == MISSING);
    Int32Array::new(ScalarBuffer::from(values), nulls)
}
