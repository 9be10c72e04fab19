//! Finding records in a log. Files whose times cannot fit are not read.

use std::path::Path;

use memchr::{memchr, memmem::Finder};
use parquet::{
    arrow::arrow_reader::ParquetRecordBatchReaderBuilder,
    file::{metadata::ParquetMetaData, statistics::Statistics},
};

use super::{
    Record,
    files::{LogFile, files, line},
    verify::{Kept, lines},
};
use crate::error::{Error, Result};

/// Which records are looked for. What is not given does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Search {
    /// Of this user.
    pub user: Option<String>,
    /// Of this institution.
    pub institution: Option<String>,
    /// Of this part of the service.
    pub surface: Option<String>,
    /// Whose address or meaning holds this.
    pub asked: Option<String>,
    /// At this moment or later: the beginning of a time in RFC 3339, UTC.
    pub since: Option<String>,
    /// Before this moment.
    pub until: Option<String>,
    /// Only what was refused.
    pub refused: bool,
}

/// Whether a status of an answer says that somebody may not have what he asked for.
pub fn is_refusal(status: u16) -> bool {
    matches!(status, 401 | 403 | 429)
}

impl Record {
    /// Whether somebody was refused what he asked for.
    pub fn is_refused(&self) -> bool {
        is_refusal(self.status)
    }

    /// Whether cells were given.
    pub fn is_access(&self) -> bool {
        self.status < 400 && !self.tables.is_empty()
    }
}

impl Search {
    fn finds(&self, record: &Record) -> bool {
        let is = |given: &Option<String>, value: &str| given.as_ref().is_none_or(|given| given.eq_ignore_ascii_case(value));
        let holds = |text: &String| record.asked.contains(text) || record.means.iter().any(|means| means.contains(text));
        is(&self.user, &record.user)
            && is(&self.institution, &record.institution)
            && is(&self.surface, &record.surface)
            && self.asked.as_ref().is_none_or(holds)
            && self.since.as_ref().is_none_or(|since| record.at.as_str() >= since.as_str())
            && self.until.as_ref().is_none_or(|until| record.at.as_str() < until.as_str())
            && (!self.refused || record.is_refused())
    }

    /// Whether a file may hold what is looked for, as far as its summary tells.
    pub(super) fn may_be_in(&self, file: &LogFile) -> bool {
        if !file.done || (self.since.is_none() && self.until.is_none()) {
            return true;
        }
        let opened = std::fs::File::open(&file.path).ok().and_then(|file| ParquetRecordBatchReaderBuilder::try_new(file).ok());
        let Some((first, last)) = opened.and_then(|reader| span(reader.metadata())) else { return true };
        self.since.as_ref().is_none_or(|since| last.as_str() >= since.as_str()) && self.until.as_ref().is_none_or(|until| first < *until)
    }
}

/// The first and the last moment of a file.
fn span(metadata: &ParquetMetaData) -> Option<(String, String)> {
    let schema = metadata.file_metadata().schema_descr();
    let at = schema.columns().iter().position(|column| column.name() == "at")?;
    let mut span: Option<(String, String)> = None;
    for group in metadata.row_groups() {
        let Some(Statistics::ByteArray(statistics)) = group.column(at).statistics() else { return None };
        let text = |bytes: Option<&parquet::data_type::ByteArray>| Some(bytes?.as_utf8().ok()?.to_owned());
        let (first, last) = (text(statistics.min_opt())?, text(statistics.max_opt())?);
        span = Some(match span {
            Some((before, after)) => (before.min(first), after.max(last)),
            None => (first, last),
        });
    }
    span
}

/// Passes over lines that cannot hold what is looked for, without taking them apart.
struct Sieve<'a> {
    texts: Vec<[Finder<'static>; 2]>,
    since: Option<&'a [u8]>,
    until: Option<&'a [u8]>,
}

impl<'a> Sieve<'a> {
    fn new(search: &'a Search) -> Self {
        // Codes and user ids are written as they are typed, or in capital letters.
        let codes = [&search.user, &search.institution].into_iter().flatten();
        let finder = |text: &str| Finder::new(text.as_bytes()).into_owned();
        let bytes = |text: &'a Option<String>| text.as_ref().map(String::as_bytes);
        Self {
            texts: codes.map(|text| [finder(text), finder(&text.to_ascii_uppercase())]).collect(),
            since: bytes(&search.since),
            until: bytes(&search.until),
        }
    }

    fn lets_through(&self, line: &[u8]) -> bool {
        /// How every record begins, behind its number.
        const AT: &[u8] = b"\t{\"at\":\"";
        let begin = memchr(b'\t', line).filter(|&at| line[at..].starts_with(AT)).map(|at| at + AT.len());
        let Some(at) = begin.and_then(|begin| line[begin..].split(|byte| *byte == b'"').next()) else { return true };
        self.since.is_none_or(|since| at >= since)
            && self.until.is_none_or(|until| at < until)
            && self.texts.iter().all(|forms| forms.iter().any(|text| text.find(line).is_some()))
    }
}

fn found_in(file: &LogFile, search: &Search, each: &mut dyn FnMut(Kept)) -> Result<()> {
    let sieve = Sieve::new(search);
    lines(file, &mut |at, text| {
        if !sieve.lets_through(text) {
            return Ok(());
        }
        let wrong = |problem: &dyn std::fmt::Display| Error::Input(format!("{}:{at}: {problem}", file.path.display()));
        let found = line(text).ok_or_else(|| wrong(&"the line is no record"))?;
        let record: Record = serde_json::from_slice(found.record).map_err(|error| wrong(&error))?;
        if search.finds(&record) {
            each(Kept { number: found.number, record });
        }
        Ok(())
    })
}

/// Calls something for every record that is looked for, the oldest first.
///
/// # Errors
/// Where a file cannot be read.
pub fn records(folder: &Path, search: &Search, mut each: impl FnMut(Kept)) -> Result<()> {
    for file in files(folder)?.iter().filter(|file| search.may_be_in(file)) {
        found_in(file, search, &mut each)?;
    }
    Ok(())
}

/// The newest records that are looked for, so many at most, the newest last.
///
/// # Errors
/// Where a file cannot be read.
pub fn newest(folder: &Path, search: &Search, most: usize) -> Result<Vec<Kept>> {
    let mut found: Vec<Kept> = Vec::new();
    for file in files(folder)?.iter().rev().filter(|file| search.may_be_in(file)) {
        let mut here = Vec::new();
        found_in(file, search, &mut |kept| {
            // Not all of a file is held, only twice as much as is wanted.
            if here.len() >= 2 * most.max(1) {
                here.drain(..here.len() - most);
            }
            here.push(kept);
        })?;
        here.append(&mut found);
        found = here.split_off(here.len().saturating_sub(most));
        if found.len() >= most {
            break;
        }
    }
    Ok(found)
}
