//! Columns of few distinct values as chunks of a Parquet file.
//!
//! A cell knows each of its codes by number, and most counts are small. The writer of the library wants texts and counts, and looks up again
//! for every row which number a value has among the distinct ones, which was a third of the time that writing cubes took. So pages of numbers
//! are made here: what the format calls the hybrid of run lengths and packed bits,
//! <https://parquet.apache.org/docs/file-format/data-pages/encodings/>. All else that makes a file is left to the library.

use std::io::{self, Read, Write};

use bytes::{Buf, Bytes};
use parquet::{
    basic::{Compression, Encoding, ZstdLevel},
    column::{
        page::{CompressedPage, Page, PageWriter},
        writer::ColumnCloseResult,
    },
    errors::Result as ParquetResult,
    file::{
        metadata::ColumnChunkMetaData,
        reader::{ChunkReader, Length},
        writer::{SerializedPageWriter, SerializedRowGroupWriter, TrackedWrite},
    },
    schema::types::ColumnDescPtr,
};
use zstd::bulk::Compressor;

use crate::error::{Error, Result};

/// One column while it grows. It must not be nullable or nested.
pub(super) struct NumberedColumn {
    description: ColumnDescPtr,
    sink: TrackedWrite<Chunk>,
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

impl NumberedColumn {
    /// Begins a column of texts with those that its numbers stand for.
    pub fn of_texts<'a>(description: ColumnDescPtr, texts: impl Iterator<Item = &'a str>, level: ZstdLevel) -> Result<Self> {
        let (mut plain, mut count) = (Vec::new(), 0);
        for text in texts {
            plain.extend_from_slice(&(text.len() as u32).to_le_bytes());
            plain.extend_from_slice(text.as_bytes());
            count += 1;
        }
        Self::new(description, plain, count, level)
    }

    /// Begins a column of whole numbers of 32 bits with the values that its numbers stand for.
    pub fn of_values(description: ColumnDescPtr, values: &[u32], level: ZstdLevel) -> Result<Self> {
        Self::new(description, values.iter().flat_map(|value| value.to_le_bytes()).collect(), values.len() as u32, level)
    }

    fn new(description: ColumnDescPtr, plain: Vec<u8>, count: u32, level: ZstdLevel) -> Result<Self> {
        let mut column = Self {
            description,
            sink: TrackedWrite::new(Chunk(Vec::new())),
            compressor: Compressor::new(level.compression_level()).map_err(|error| failed(&error))?,
            level,
            width: (u32::BITS - count.saturating_sub(1).leading_zeros()).max(1),
            numbers: 0,
            uncompressed: 0,
            rows: 0,
            page: plain,
        };
        column.write(|buf| Page::DictionaryPage { buf, num_values: count, encoding: Encoding::PLAIN, is_sorted: false })?;
        column.numbers = column.bytes();
        Ok(column)
    }

    /// Adds rows by the numbers of their values.
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

    /// Bytes that the column takes so far.
    pub fn bytes(&self) -> u64 {
        self.sink.bytes_written() as u64
    }

    /// Makes the column the next one of a row group, whose file must have no index of pages.
    pub fn finish<W: Write + Send>(self, group: &mut SerializedRowGroupWriter<'_, W>) -> Result<()> {
        let chunk = self.sink.into_inner()?;
        let metadata = ColumnChunkMetaData::builder(self.description)
            .set_compression(Compression::ZSTD(self.level))
            .set_encodings(vec![Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY])
            .set_num_values(self.rows as i64)
            .set_total_compressed_size(chunk.len() as i64)
            .set_total_uncompressed_size(self.uncompressed as i64)
            .set_dictionary_page_offset(Some(0))
            .set_data_page_offset(self.numbers as i64)
            .build()?;
        let closed = ColumnCloseResult {
            bytes_written: chunk.len(),
            rows_written: self.rows,
            metadata,
            bloom_filter: None,
            column_index: None,
            offset_index: None,
        };
        Ok(group.append_column(&chunk, closed)?)
    }
}

/// Pages behind each other, each where it was first written: one piece of memory for all would be moved again and again while it grows.
#[derive(Clone)]
struct Chunk(Vec<Bytes>);

impl Write for Chunk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.push(Bytes::copy_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Length for Chunk {
    fn len(&self) -> u64 {
        self.0.iter().map(|piece| piece.len() as u64).sum()
    }
}

impl ChunkReader for Chunk {
    type T = ChunkRead;

    fn get_read(&self, start: u64) -> ParquetResult<ChunkRead> {
        let mut read = ChunkRead { first: Bytes::new(), others: self.0.clone().into_iter() };
        io::copy(&mut read.by_ref().take(start), &mut io::sink())?;
        Ok(read)
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        let mut bytes = vec![0; length];
        self.get_read(start)?.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}

/// What is still to be read of a [`Chunk`].
struct ChunkRead {
    first: Bytes,
    others: std::vec::IntoIter<Bytes>,
}

impl Read for ChunkRead {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.first.is_empty() {
            let Some(next) = self.others.next() else { return Ok(0) };
            self.first = next;
        }
        let count = into.len().min(self.first.len());
        self.first.copy_to_slice(&mut into[..count]);
        Ok(count)
    }
}

fn failed(error: &std::io::Error) -> Error {
    Error::Internal(format!("a page of a cube cannot be compressed: {error}"))
}

/// The numbers as runs of equal ones or as packed bits, whichever is shorter, behind the width of a number.
fn encode(numbers: &[u32], width: u32, out: &mut Vec<u8>) {
    let bytes = width.div_ceil(8) as usize;
    let changes: usize = numbers.iter().zip(numbers.iter().skip(1)).map(|(a, b)| usize::from(a != b)).sum();
    let runs = 1 + changes;
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
        array::{AsArray, RecordBatch},
        datatypes::{DataType, Field, Schema, UInt32Type},
    };
    use parquet::arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder};
    use proptest::prelude::*;

    use super::*;

    /// A file with a column of texts and one of the numbers of the texts.
    fn file(codes: &[String], pages: &[Vec<u32>]) -> Bytes {
        let fields = vec![Field::new("code", DataType::Utf8, false), Field::new("count", DataType::UInt32, false)];
        let (mut file, _) =
            ArrowWriter::try_new(Vec::new(), Arc::new(Schema::new(fields)), None).unwrap().into_serialized_writer().unwrap();
        let level = ZstdLevel::try_new(1).unwrap();
        let schema = file.schema_descr();
        let values: Vec<u32> = (0..codes.len() as u32).map(|number| number * 3).collect();
        let texts = NumberedColumn::of_texts(schema.column(0), codes.iter().map(String::as_str), level).unwrap();
        let mut columns = [texts, NumberedColumn::of_values(schema.column(1), &values, level).unwrap()];
        columns.iter_mut().for_each(|column| pages.iter().for_each(|numbers| column.push(numbers).unwrap()));
        let mut group = file.next_row_group().unwrap();
        columns.into_iter().for_each(|column| column.finish(&mut group).unwrap());
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
            let expected: Vec<(&str, u32)> = pages.iter().flatten().map(|&number| (codes[number as usize].as_str(), number * 3)).collect();
            let read = ParquetRecordBatchReaderBuilder::try_new(file(&codes, &pages)).unwrap().build().unwrap();
            let batches: Vec<_> = read.map(Result::unwrap).collect();
            let rows = |batch: &'_ RecordBatch| -> Vec<(String, u32)> {
                let counts = batch.column(1).as_primitive::<UInt32Type>().values();
                batch.column(0).as_string::<i32>().iter().flatten().map(str::to_owned).zip(counts.iter().copied()).collect()
            };
            let found: Vec<(String, u32)> = batches.iter().flat_map(rows).collect();
            let found: Vec<(&str, u32)> = found.iter().map(|(text, count)| (text.as_str(), *count)).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
