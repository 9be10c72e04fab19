//! Cells that come from few households as a Parquet file.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, AsArray, RecordBatch, UInt8Array, UInt32Array},
    datatypes::{DataType, Field, Schema, UInt8Type, UInt32Type},
};
use bytes::Bytes;
use parquet::{
    arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder},
    basic::{Compression, Encoding, ZstdLevel},
    file::properties::{EnabledStatistics, WriterProperties},
    schema::types::ColumnPath,
};

use super::FewHouseholds;
use crate::{
    error::{Error, Result},
    register::MOST_CONTRIBUTORS,
};

const CELL: &str = "cell";
const HOUSEHOLDS: &str = "households";

/// Writes the cells of one table.
pub fn write_contributors(few: &FewHouseholds) -> Result<Bytes> {
    let fields = [Field::new(CELL, DataType::UInt32, false), Field::new(HOUSEHOLDS, DataType::UInt8, false)];
    let schema = Arc::new(Schema::new(fields.to_vec()));
    // Cells ascend, so that from one to the next takes few bits.
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        .set_column_dictionary_enabled(ColumnPath::from(CELL), false)
        .set_column_encoding(ColumnPath::from(CELL), Encoding::DELTA_BINARY_PACKED)
        .build();
    let mut file = ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), Some(properties))?;
    let cells: ArrayRef = Arc::new(few.iter().map(|(cell, _)| *cell).collect::<UInt32Array>());
    let households: ArrayRef = Arc::new(few.iter().map(|(_, households)| *households).collect::<UInt8Array>());
    file.write(&RecordBatch::try_new(schema, vec![cells, households])?)?;
    Ok(file.into_inner()?.into())
}

/// Reads the cells of a table that has this many.
///
/// # Errors
/// If the file was not written for such a table.
pub fn read_contributors(content: Bytes, cells: u64) -> Result<FewHouseholds> {
    let damaged = |what: &str| Error::Input(format!("not a list of cells from few households: {what}"));
    let mut few = FewHouseholds::new();
    for batch in ParquetRecordBatchReaderBuilder::try_new(content)?.build()? {
        let batch = batch?;
        let column = |name: &str| batch.column_by_name(name).ok_or_else(|| damaged("other columns"));
        let numbers = column(CELL)?.as_primitive_opt::<UInt32Type>().ok_or_else(|| damaged("cells of another type"))?;
        let households = column(HOUSEHOLDS)?.as_primitive_opt::<UInt8Type>().ok_or_else(|| damaged("households of another type"))?;
        few.extend(numbers.values().iter().copied().zip(households.values().iter().copied()));
    }
    if !few.is_sorted_by(|a, b| a.0 < b.0) || few.last().is_some_and(|(cell, _)| u64::from(*cell) >= cells) {
        return Err(damaged("cells that do not ascend, or that the table does not have"));
    }
    if !few.iter().all(|(_, households)| (1..MOST_CONTRIBUTORS).contains(&u32::from(*households))) {
        return Err(damaged("a number of households that is not few"));
    }
    Ok(few)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_come_back() {
        for few in [vec![], vec![(0, 1)], (0..100_000).map(|cell| (cell * 7 + cell % 5, (cell % 4 + 1) as u8)).collect()] {
            let written = write_contributors(&few).unwrap();
            assert_eq!(read_contributors(written.clone(), 1 << 20).unwrap(), few);
            assert_eq!(write_contributors(&few).unwrap(), written);
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for few in [vec![(3, 1), (3, 2)], vec![(3, 1), (2, 1)], vec![(9, 0)], vec![(9, 5)], vec![(10, 1)]] {
            assert!(read_contributors(write_contributors(&few).unwrap(), 10).is_err(), "{few:?}");
        }
        assert!(read_contributors(Bytes::from_static(b"nothing"), 10).is_err());
    }
}
