//! Going over a log: what it holds, and whether all of it is what was written.

use std::{
    fs::{self, File},
    io::ErrorKind,
    path::Path,
};

use arrow::array::AsArray as _;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use ring::hmac;

use super::{
    LogKeys, Record,
    evidence::{Attested, Evidence, Expected},
    files::{CHAIN, DONE, LINE, LogFile, files, head, line},
    is_sealed,
    writer::chained,
};
use crate::{
    access::database::Database,
    error::{Error, Result},
};

/// What was found of a log that is sound.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// Records.
    pub records: u64,
    /// Files.
    pub files: usize,
    /// When the first and the last were written.
    pub span: Option<(String, String)>,
    /// What was found of checkpoints, beside the log and of witnesses.
    pub attested: Vec<Attested>,
}

/// A record with its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its number, from 1.
    pub number: u64,
    /// What it says.
    pub record: Record,
}

/// Calls something for each line of a file, in order, with its place.
pub fn lines(file: &LogFile, each: &mut dyn FnMut(usize, &[u8]) -> Result<()>) -> Result<()> {
    let failed = |error: &dyn std::fmt::Display| Error::storage(format!("reading {}", file.path.display()), error);
    if !file.done {
        let bytes = match fs::read(&file.path) {
            // It was compressed a moment ago.
            Err(error) if error.kind() == ErrorKind::NotFound && file.path.with_extension(DONE).exists() => {
                return lines(&LogFile { done: true, path: file.path.with_extension(DONE), ..file.clone() }, each);
            }
            read => read.map_err(|error| failed(&error))?,
        };
        // A last line without its end was being written; nobody was answered on it.
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let texts = bytes[..whole].split(|byte| *byte == b'\n').filter(|text| !text.is_empty());
        return texts.enumerate().try_for_each(|(at, text)| each(at + 1, text));
    }
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&file.path).map_err(|error| failed(&error))?)?.build()?;
    let mut at = 0;
    for batch in reader {
        let batch = batch?;
        let column = batch.column_by_name(LINE).and_then(|column| column.as_string_opt::<i32>());
        let column = column.ok_or_else(|| failed(&"it is no file of the log"))?;
        for text in column.iter() {
            at += 1;
            each(at, text.unwrap_or("").as_bytes())?;
        }
    }
    Ok(())
}

/// The chain over some files.
struct Walk<'a> {
    key: &'a hmac::Key,
    number: u64,
    chain: [u8; CHAIN],
}

impl Walk<'_> {
    fn over(&mut self, file: &LogFile, mut each: impl FnMut(u64, &[u8; CHAIN], &[u8]) -> Result<()>) -> Result<()> {
        let name = file.path.display();
        if file.first != self.number + 1 {
            return Err(Error::Input(format!("{name}: records {} to {} are missing before it", self.number + 1, file.first - 1)));
        }
        lines(file, &mut |at, text| {
            let wrong = |problem: String| Err(Error::Input(format!("{name}:{at}: {problem}")));
            let Some(found) = line(text) else { return wrong("the line is no record".into()) };
            if found.number != self.number + 1 {
                return wrong(format!(
                    "record {} stands where {} was; records are missing or in another order",
                    found.number,
                    self.number + 1
                ));
            }
            if found.chain != chained(self.key, &self.chain, found.signed) {
                return wrong(format!("record {} is not what was written", found.number));
            }
            (self.number, self.chain) = (found.number, found.chain);
            each(found.number, &found.chain, found.record)
        })
    }
}

/// Number and chain of the last record before the file that is being written.
pub fn end_before_last(all: &[LogFile]) -> Result<(u64, [u8; CHAIN])> {
    let open = all.last().is_some_and(|file| !file.done);
    let Some(before) = all.len().checked_sub(1 + usize::from(open)).map(|at| &all[at]) else { return Ok((0, [0; CHAIN])) };
    // The chain of the last record of a finished file is taken as it stands; `verify` goes over all of them.
    let mut end = (before.first.saturating_sub(1), [0; CHAIN]);
    lines(before, &mut |at, text| {
        let found = line(text).ok_or_else(|| Error::Input(format!("{}:{at}: the line is no record", before.path.display())))?;
        end = (found.number, found.chain);
        Ok(())
    })?;
    Ok(end)
}

/// Goes over every record of a log, and compares it with its head and with every checkpoint.
///
/// # Errors
/// Names the first place at which a record was changed, is missing, or stands in another order; tells where head or checkpoints are missing,
/// changed, or speak of another log.
pub fn verify(folder: &Path, database: &Database, evidence: &Evidence) -> Result<Verified> {
    let keys = LogKeys::of(database);
    let mut walk = Walk { key: &keys.chain, number: 0, chain: [0; CHAIN] };
    let mut verified = Verified::default();
    // Both come before the records, because the log may be written meanwhile: it may have come further than they say, but never less far.
    let told = head(folder)?;
    let mut expected = Expected::read(folder, &database.secret.name(), evidence)?;
    let mut chain_of_head = None;
    for file in files(folder)? {
        verified.files += 1;
        walk.over(&file, |number, chain, record| {
            if told.number() == Some(number) {
                chain_of_head = Some(*chain);
            }
            let record: Record = serde_json::from_slice(record).map_err(|error| Error::Input(format!("record {number}: {error}")))?;
            expected.compare(number, chain, &record.at)?;
            verified.records = number;
            let first = verified.span.take().map_or_else(|| record.at.clone(), |(first, _)| first);
            verified.span = Some((first, record.at));
            Ok(())
        })?;
    }
    told.check(folder, &keys.head, is_sealed(database)?, verified.records, &|_| chain_of_head)?;
    verified.attested = expected.end(verified.records, verified.span.as_ref().map_or("", |(_, last)| last))?;
    Ok(verified)
}
