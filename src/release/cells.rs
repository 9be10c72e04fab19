//! The cells of one table as a Parquet file: one row a cell, in the order of cell numbers.
//!
//! The serving side finds a cell's row by arithmetic and reads only the pages that hold it. The code columns are there
//! for everybody else who opens the file; they repeat so regularly that they cost almost nothing.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, DictionaryArray, Int8Array, Int32Array, RecordBatch, StringArray, UInt32Array},
    datatypes::{DataType, Field, Int8Type, Schema, UInt32Type},
};
use bytes::Bytes;
use parquet::{
    arrow::{ArrowWriter, ProjectionMask, arrow_reader::ParquetRecordBatchReaderBuilder},
    basic::{Compression, ZstdLevel},
    file::properties::{EnabledStatistics, WriterProperties},
    schema::types::ColumnPath,
};

use crate::{
    error::{Error, Result},
    register::{Dimension, Shape, Status, Table},
};

/// Rows of a page: what one request for a village decodes at least.
const PAGE_ROWS: usize = 2 * 1024;
/// Rows of a row group.
const GROUP_ROWS: usize = 128 * 1024;

/// Writes a table's cells. A cell that is not published gets no value, whatever `counts` says.
pub fn write_cells(table: &Table, dimensions: &[Dimension], shape: &Shape, counts: &[u32], statuses: &[Status]) -> Result<Bytes> {
    if counts.len() as u64 != shape.cells || statuses.len() != counts.len() {
        return Err(Error::Internal(format!("table {} has {} cells instead of {}", table.id, counts.len(), shape.cells)));
    }
    let mut fields = Vec::new();
    let mut codes: Vec<ArrayRef> = Vec::new();
    for (table_axis, axis) in table.axes.iter().zip(&shape.axes) {
        let dimension = dimensions
            .iter()
            .find(|dimension| dimension.id == table_axis.dimension)
            .ok_or_else(|| Error::Internal(format!("no dimension {}", table_axis.dimension)))?;
        let text = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        fields.push(Field::new(&dimension.variable, text, false));
        let nodes = axis.nodes.iter().map(|&node| dimension.nodes[node as usize].code.as_str());
        codes.push(Arc::new(StringArray::from_iter_values(nodes)));
    }
    fields.push(Field::new("value", DataType::UInt32, true));
    fields.push(Field::new("status", DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8)), true));
    let schema = Arc::new(Schema::new(fields));
    let marks = [Status::Suppressed, Status::Impossible];
    let mark_texts: ArrayRef = Arc::new(StringArray::from_iter_values(marks.iter().filter_map(|status| status.mark())));
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(PAGE_ROWS)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Page)
        // Counts hardly repeat; a dictionary of them would have to be read for every page asked for.
        .set_column_dictionary_enabled(ColumnPath::from("value"), false)
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), Some(properties))?;
    for start in (0..counts.len()).step_by(GROUP_ROWS) {
        let end = (start + GROUP_ROWS).min(counts.len());
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
        for ((axis, &stride), codes) in shape.axes.iter().zip(&shape.strides).zip(&codes) {
            let nodes = axis.nodes.len() as u64;
            let keys = Int32Array::from_iter_values((start as u64..end as u64).map(|cell| (cell / stride % nodes) as i32));
            columns.push(Arc::new(DictionaryArray::try_new(keys, Arc::clone(codes))?));
        }
        let values = counts[start..end].iter().zip(&statuses[start..end]);
        columns.push(Arc::new(UInt32Array::from_iter(values.map(|(&count, &status)| (status == Status::Published).then_some(count)))));
        let keys = statuses[start..end].iter().map(|status| marks.iter().position(|mark| mark == status).map(|at| at as i8));
        columns.push(Arc::new(DictionaryArray::try_new(Int8Array::from_iter(keys), Arc::clone(&mark_texts))?));
        writer.write(&RecordBatch::try_new(Arc::clone(&schema), columns)?)?;
    }
    Ok(writer.into_inner()?.into())
}

/// Value and status of every cell of a table's file. A cell with neither a value nor a known mark is refused.
pub fn read_cells(content: Bytes, cells: u64) -> Result<(Vec<Option<u32>>, Vec<Status>)> {
    let damaged = || Error::Input("not the cells of a release: other columns, values or marks; restore the file".into());
    let builder = ParquetRecordBatchReaderBuilder::try_new(content)?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), ["value", "status"]);
    let (mut values, mut statuses) = (Vec::new(), Vec::new());
    for batch in builder.with_projection(mask).with_batch_size(GROUP_ROWS).build()? {
        let batch = batch?;
        let value = batch.column_by_name("value").and_then(|column| column.as_primitive_opt::<UInt32Type>()).ok_or_else(damaged)?;
        let status = batch.column_by_name("status").ok_or_else(damaged)?;
        let status = status.as_any().downcast_ref::<DictionaryArray<Int8Type>>().ok_or_else(damaged)?;
        let marks = status.values().as_string_opt::<i32>().ok_or_else(damaged)?;
        for (value, key) in value.iter().zip(status.keys()) {
            let mark = key.and_then(|key| usize::try_from(key).ok()).filter(|&key| key < marks.len()).map(|key| marks.value(key));
            let known = [Status::Published, Status::Suppressed, Status::Impossible].into_iter().find(|status| status.mark() == mark);
            let status = known.filter(|status| value.is_some() == (*status == Status::Published)).ok_or_else(damaged)?;
            values.push(value);
            statuses.push(status);
        }
    }
    if values.len() as u64 == cells { Ok((values, statuses)) } else { Err(damaged()) }
}
