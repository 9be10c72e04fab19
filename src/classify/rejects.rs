//! Records that were not accepted: where they stand and why, and the shape of the value that was refused, never its text.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Write},
    os::unix::fs::FileExt,
    path::Path,
    sync::Mutex,
};

use serde::{Deserialize, Serialize};

use super::{MARKS, Position};
use crate::{
    error::{Error, Result},
    parallel::lock,
    spreadsheet::CsvWriter,
};

/// Why a record was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Reason {
    /// Not as many fields as the heading.
    FieldCount,
    /// A needed field is empty.
    Missing,
    /// A code or text that the definitions do not know.
    UnknownCode,
    /// A region that is not in the reference of the period.
    UnknownRegion,
    /// A needed field is not valid UTF-8.
    NotUtf8,
    /// An identifier that is not of the right number of digits.
    MalformedKey,
    /// A date in none of the known formats, or no day of the calendar.
    UnreadableDate,
    /// Born after the reference date.
    BornAfter,
    /// Born before the earliest date that is believed.
    BornBefore,
    /// A combination that cannot occur.
    Impossible,
    /// The identity stands earlier in the snapshot.
    Duplicate,
}

impl Reason {
    const ALL: [Self; 11] = [
        Self::FieldCount,
        Self::Missing,
        Self::UnknownCode,
        Self::UnknownRegion,
        Self::NotUtf8,
        Self::MalformedKey,
        Self::UnreadableDate,
        Self::BornAfter,
        Self::BornBefore,
        Self::Impossible,
        Self::Duplicate,
    ];

    /// Identifier in reports.
    pub fn id(self) -> &'static str {
        match self {
            Self::FieldCount => "wrong-number-of-fields",
            Self::Missing => "missing-field",
            Self::UnknownCode => "unknown-code",
            Self::UnknownRegion => "unknown-region",
            Self::NotUtf8 => "not-utf-8",
            Self::MalformedKey => "malformed-identifier",
            Self::UnreadableDate => "unreadable-date",
            Self::BornAfter => "born-after-reference-date",
            Self::BornBefore => "born-too-early",
            Self::Impossible => "impossible-combination",
            Self::Duplicate => "duplicate-identity",
        }
    }

    pub(super) fn mark(self) -> u32 {
        MARKS | self as u32
    }

    pub(super) fn from_mark(mark: u8) -> Self {
        Self::ALL.get(usize::from(mark)).copied().unwrap_or(Self::FieldCount)
    }
}

/// Counts of rejects: reason, column (or combination), region node.
pub type RejectSummary = BTreeMap<(Reason, String, Option<u32>), u64>;
/// One of them.
pub type RejectCount = ((Reason, String, Option<u32>), u64);

/// Adds counts of rejects to others.
pub fn add_counts(counts: &mut RejectSummary, more: impl IntoIterator<Item = RejectCount>) {
    for (key, count) in more {
        *counts.entry(key).or_default() += count;
    }
}

/// The rejects of one chunk.
#[derive(Debug, Default)]
pub(super) struct Segment {
    first: Option<Position>,
    rows: Vec<(Position, Reason, String, String)>,
    summary: RejectSummary,
}

impl Segment {
    pub fn misshapen(&mut self, position: Position, found: usize) {
        self.reject(position, Reason::FieldCount, "", &format!("{found} fields"), None);
    }

    /// `shape` is that of the value ([`crate::ingest::shape`]): it must tell nothing of a person, whatever stood in the column.
    pub fn reject(&mut self, position: Position, reason: Reason, column: &str, shape: &str, region: Option<u32>) {
        self.first = Some(self.first.map_or(position, |first| first.min(position)));
        self.rows.push((position, reason, column.to_owned(), shape.to_owned()));
        *self.summary.entry((reason, column.to_owned(), region)).or_default() += 1;
    }
}

/// Collects rejects on disk: memory holds one entry a chunk, whatever the number of rejects.
#[derive(Debug)]
pub struct Rejects {
    inner: Mutex<Inner>,
    names: Vec<String>,
}

#[derive(Debug)]
struct Inner {
    spill: File,
    end: u64,
    /// First position of a segment, and where it lies in the spill.
    segments: Vec<(Position, u64, u64)>,
    summary: RejectSummary,
}

impl Rejects {
    /// Starts a collection that spills into `scratch`; `names` are the snapshot's files.
    pub fn new(scratch: &Path, names: Vec<String>) -> Result<Self> {
        let spill = tempfile::tempfile_in(scratch).map_err(|error| Error::storage(scratch.display().to_string(), error))?;
        Ok(Self { inner: Mutex::new(Inner { spill, end: 0, segments: Vec::new(), summary: RejectSummary::new() }), names })
    }

    pub(super) fn add(&self, mut segment: Segment) -> Result<()> {
        let Some(first) = segment.first else { return Ok(()) };
        segment.rows.sort_by_key(|row| row.0);
        let mut writer = CsvWriter::new(Vec::new());
        let internal = |error: &dyn std::fmt::Display| Error::Internal(format!("a reject cannot be written: {error}"));
        for (position, reason, column, shape) in &segment.rows {
            let file = self.names.get(position.file()).map_or("", String::as_str);
            let line = position.line().to_string();
            writer.record([file, &line, reason.id(), column, shape]).map_err(|error| internal(&error))?;
        }
        let text = writer.finish().map_err(|error| internal(&error))?;
        self.append(first, &text)?;
        self.count(segment.summary);
        Ok(())
    }

    /// Adds lines of a list of rejects that stand behind each other. Those with an earlier `first` come first, and of the same one
    /// those that were added first.
    pub fn append(&self, first: Position, lines: &[u8]) -> Result<()> {
        let mut inner = lock(&self.inner);
        let at = inner.end;
        inner.spill.write_all_at(lines, at).map_err(|error| Error::storage("spilling rejects to the scratch folder", error))?;
        inner.end += lines.len() as u64;
        inner.segments.push((first, at, lines.len() as u64));
        Ok(())
    }

    /// Adds counts of rejects.
    fn count(&self, counts: RejectSummary) {
        add_counts(&mut lock(&self.inner).summary, counts);
    }

    /// Counts of the rejects so far.
    pub fn summary(&self) -> RejectSummary {
        lock(&self.inner).summary.clone()
    }

    /// Writes all rejects with a heading, ordered as in the snapshot, as comma-separated text.
    pub fn write(&self, out: &mut dyn Write) -> Result<()> {
        out.write_all(b"file,line,reason,column,shape\n").map_err(|error| Error::storage("writing the list of rejects", error))?;
        self.write_lines(out)
    }

    /// Writes all rejects without a heading.
    pub fn write_lines(&self, out: &mut dyn Write) -> Result<()> {
        let mut inner = lock(&self.inner);
        inner.segments.sort_unstable();
        let mut copy = || -> io::Result<()> {
            let mut buffer = Vec::new();
            for &(_, at, length) in &inner.segments {
                buffer.resize(length as usize, 0);
                inner.spill.read_exact_at(&mut buffer, at)?;
                out.write_all(&buffer)?;
            }
            out.flush()
        };
        copy().map_err(|error| Error::storage("writing the list of rejects", error))
    }
}
