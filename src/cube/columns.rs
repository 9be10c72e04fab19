//! Columns of codes as chunks of a Parquet file.
//!
//! A cell knows each of its codes by number. The writer for Arrow arrays wants texts, and looks up again for every row which number a text
//! has among the distinct ones, which was a third of the time that writing cubes took. So pages of numbers are made here: what the format
//! calls the hybrid of run lengths and packed bits, <https://parquet.apache.org/docs/file-format/data-pages/encodings/>. All else that makes
//! a file is left to the library.

use std::io::Write;

use bytes::Bytes;
use parquet::{
    basic::{Compression, Encoding, ZstdLevel},
    column::{
        page::{CompressedPage, Page, PageWriter},
        writer::ColumnCloseResult,
    },
    file::{
        metadata::ColumnChunkMetaData,
        writer::{SerializedPageWriter, SerializedRowGroupWriter, TrackedWrite},
    },
    schema::types::ColumnDescPtr,
};
use zstd::bulk::Compressor;

use crate::error::{Error, Result};

/// One column of codes while it grows. It must not be nullable or nested.
pub(super) struct CodeColumn {
    description: ColumnDescPtr,
    sink: TrackedWrite<Vec<u8>>,
    compressor: Compressor<'static>,
    level: ZstdLevel,
    /// Bits of a number.
    width: u32,
    /// Where the pages of numbers begin.
    numbers: u64,
    uncompressed: usize,
    rows: u64,
    page: Vec<u8>,
}

impl CodeColumn {
    /// Begins a column with the texts that its numbers stand for.
    pub fn new<'a>(description: ColumnDescPtr, codes: impl Iterator<Item = &'a str>, level: ZstdLevel) -> Result<Self> {
        let (mut texts, mut count) = (Vec::new(), 0u32);
        for code in codes {
            texts.extend_from_slice(&(code.len() as u32).to_le_bytes());
            texts.extend_from_slice(code.as_bytes());
            count += 1;
        }
        let mut column = Self {
            description,
            sink: TrackedWrite::new(Vec::new()),
            compressor: Compressor::new(level.compression_level()).map_err(|error| failed(&error))?,
            level,
            width: (u32::BITS - count.saturating_sub(1).leading_zeros()).max(1),
            numbers: 0,
            uncompressed: 0,
            rows: 0,
            page: texts,
        };
        column.write(|buf| Page::DictionaryPage { buf, num_values: count, encoding: Encoding::PLAIN, is_sorted: false })?;
        column.numbers = column.sink.bytes_written() as u64;
        Ok(column)
    }

    /// Adds rows by the numbers of their codes.
    pub fn push(&mut self, numbers: &[u32]) -> Result<()> {
        self.page.clear();
        encode(numbers, self.width, &mut self.page);
        self.rows += numbers.len() as u64;
        self.write(|buf| Page::DataPage {
            buf,
            num_values: numbers.len() as u32,
            encoding: Encoding::RLE_DICTIONARY,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        })
    }

    fn write(&mut self, page: impl FnOnce(Bytes) -> Page) -> Result<()> {
        let compressed = self.compressor.compress(&self.page).map_err(|error| failed(&error))?;
        let page = CompressedPage::new(page(compressed.into()), self.page.len());
        self.uncompressed += SerializedPageWriter::new(&mut self.sink).write_page(page)?.uncompressed_size;
        Ok(())
    }

    /// Makes the column the next one of a row group, whose file must have no index of pages.
    pub fn finish<W: Write + Send>(self, group: &mut SerializedRowGroupWriter<'_, W>) -> Result<()> {
        let bytes = self.sink.into_inner()?;
        let metadata = ColumnChunkMetaData::builder(self.description)
            .set_compression(Compression::ZSTD(self.level))
            .set_encodings(vec![Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY])
            .set_num_values(self.rows as i64)
            .set_total_compressed_size(bytes.len() as i64)
            .set_total_uncompressed_size(self.uncompressed as i64)
            .set_dictionary_page_offset(Some(0))
            .set_data_page_offset(self.numbers as i64)
            .build()?;
        let closed = ColumnCloseResult {
            bytes_written: bytes.len() as u64,
            rows_written: self.rows,
            metadata,
            bloom_filter: None,
            column_index: None,
            offset_index: None,
        };
        Ok(group.append_column(&Bytes::from(bytes), closed)?)
    }
}

fn failed(error: &std::io::Error) -> Error {
    Error::Internal(format!("a page of a cube cannot be compressed: {error}"))
}

/// The numbers as runs of equal ones or as packed bits, whichever is shorter, behind the width of a number.
fn encode(numbers: &[u32], width: u32, out: &mut Vec<u8>) {
    let bytes = width.div_ceil(8) as usize;
    let runs = 1 + numbers.windows(2).filter(|pair| pair[0] != pair[1]).count();
    out.push(width as u8);
    if runs * (bytes + 2) < numbers.len() * width as usize / 8 {
        for run in numbers.chunk_by(|a, b| a == b) {
            length(run.len() << 1, out);
            out.extend_from_slice(&run[0].to_le_bytes()[..bytes]);
        }
        return;
    }
    // Packed bits come in groups of eight numbers; what fills the last group is not read.
    let groups = numbers.len().div_ceil(8);
    length(groups << 1 | 1, out);
    let filling = std::iter::repeat_n(0, groups * 8 - numbers.len());
    let (mut bits, mut count) = (0u64, 0);
    for number in numbers.iter().copied().chain(filling) {
        bits |= u64::from(number) << count;
        count += width;
        if count >= u32::BITS {
            out.extend_from_slice(&(bits as u32).to_le_bytes());
            bits >>= u32::BITS;
            count -= u32::BITS;
        }
    }
    out.extend_from_slice(&bits.to_le_bytes()[..count.div_ceil(8) as usize]);
}

/// A length in groups of seven bits, the lowest first.
fn length(mut value: usize, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::{
        array::AsArray,
        datatypes::{DataType, Field, Schema},
    };
    use parquet::arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder};
    use proptest::prelude::*;

    use super::*;

    fn file(codes: &[String], pages: &[Vec<u32>]) -> Bytes {
        let schema = Arc::new(Schema::new(vec![Field::new("code", DataType::Utf8, false)]));
        let (mut file, _) = ArrowWriter::try_new(Vec::new(), schema, None).unwrap().into_serialized_writer().unwrap();
        let level = ZstdLevel::try_new(1).unwrap();
        let mut column = CodeColumn::new(file.schema_descr().column(0), codes.iter().map(String::as_str), level).unwrap();
        pages.iter().for_each(|numbers| column.push(numbers).unwrap());
        let mut group = file.next_row_group().unwrap();
        column.finish(&mut group).unwrap();
        group.close().unwrap();
        file.into_inner().unwrap().into()
    }

    proptest! {
        #[test]
        fn the_library_reads_what_is_written_here(
            count in prop::sample::select(vec![1usize, 2, 3, 100, 256, 257, 70_000]),
            pages in prop::collection::vec((1usize..400, 1usize..60, any::<u32>()), 1..4),
        ) {
            let codes: Vec<String> = (0..count).map(|at| format!("{at:x}")).collect();
            // Runs of every length up to the one that is drawn.
            let pages: Vec<Vec<u32>> = pages
                .into_iter()
                .map(|(rows, run, seed)| (0..rows).map(|row| ((row / run) as u32).wrapping_mul(seed | 1) % count as u32).collect())
                .collect();
            let expected: Vec<&str> = pages.iter().flatten().map(|&number| codes[number as usize].as_str()).collect();
            let read = ParquetRecordBatchReaderBuilder::try_new(file(&codes, &pages)).unwrap().build().unwrap();
            let batches: Vec<_> = read.map(Result::unwrap).collect();
            let found: Vec<&str> = batches.iter().flat_map(|batch| batch.column(0).as_string::<i32>().iter().flatten()).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
