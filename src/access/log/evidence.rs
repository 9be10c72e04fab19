//! Checkpoints as evidence: what is known of a log from what was signed of it, beside it and elsewhere.

use std::path::{Path, PathBuf};

use chrono::DateTime;

use super::{
    checkpoint::{Checkpoint, WitnessLine, lines},
    files::{CHAIN, CHECKPOINTS},
    signing::PublicKey,
};
use crate::error::{Error, Result};

/// Seconds by which a checkpoint may be late: a witness is told behind the answers, and asked again after a minute at most.
const GRACE: i64 = 120;

/// By what a log is gone over beside its own files.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// Keys that may have signed checkpoints; where there are none, signatures of those beside the log are not looked at.
    pub keys: Vec<PublicKey>,
    /// Files of checkpoints that somebody else has kept.
    pub witnesses: Vec<PathBuf>,
}

/// What was found of the checkpoints of one file: the log agrees with all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attested {
    /// The file.
    pub path: PathBuf,
    /// Checkpoints of this log.
    pub checkpoints: u64,
    /// Whether their signatures were looked at.
    pub signed: bool,
    /// Number of the last record that one covers, and when it was made.
    pub last: Option<(u64, String)>,
    /// Records behind that.
    pub behind: u64,
    /// Lines that are of other logs or no checkpoints at all.
    pub others: u64,
}

/// What a checkpoint says.
#[derive(Debug, Clone, Copy)]
struct Known {
    number: u64,
    chain: [u8; CHAIN],
    place: usize,
    line: usize,
}

struct Place {
    found: Attested,
    /// The checkpoint that covers most, and when the first record behind it was written.
    last: Option<Box<Checkpoint>>,
    first_behind: Option<String>,
}

/// Checkpoints, to be compared with a log record by record.
pub struct Expected {
    places: Vec<Place>,
    /// By number.
    known: Vec<Known>,
    next: usize,
}

impl Expected {
    /// Reads the checkpoints beside a log, and those of witnesses.
    ///
    /// # Errors
    /// Where a file of a witness cannot be read or has none of this log, and where a checkpoint is not what was signed.
    pub fn read(folder: &Path, log: &str, evidence: &Evidence) -> Result<Self> {
        if !evidence.witnesses.is_empty() && evidence.keys.is_empty() {
            return Err(Error::Input("name the public key of the log with --key FILE, by which what a witness has kept is checked".into()));
        }
        let mut expected = Self { places: Vec::new(), known: Vec::new(), next: 0 };
        let beside = folder.join(CHECKPOINTS);
        if beside.exists() {
            expected.add(&beside, log, evidence)?;
        }
        for path in &evidence.witnesses {
            let found = expected.add(path, log, evidence)?;
            if found.checkpoints == 0 {
                return Err(Error::Input(format!(
                    "{}: none of its {} lines is a checkpoint of this log ({log}); it is the witness of another log, or this log was put in \
                     the place of the one that it knows",
                    path.display(),
                    found.others
                )));
            }
        }
        expected.known.sort_by_key(|known| known.number);
        // Before the first record there is no chain.
        while let Some(known) = expected.known.get(expected.next).filter(|known| known.number == 0) {
            if known.chain != [0; CHAIN] {
                return Err(expected.wrong(known, "it speaks of no record and has the chain of one"));
            }
            expected.next += 1;
        }
        Ok(expected)
    }

    fn add(&mut self, path: &Path, log: &str, evidence: &Evidence) -> Result<&Attested> {
        let signed = !evidence.keys.is_empty();
        let mut found = Attested { path: path.to_owned(), checkpoints: 0, signed, last: None, behind: 0, others: 0 };
        let mut last: Option<Box<Checkpoint>> = None;
        for (at, text) in lines(path)?.iter().enumerate() {
            let wrong = |problem: &str| Error::Input(format!("{}:{}: {problem}", path.display(), at + 1));
            let checkpoint = match WitnessLine::read(text).map_err(|problem| wrong(&problem))? {
                WitnessLine::Checkpoint(checkpoint) if checkpoint.log == log => checkpoint,
                _ => {
                    found.others += u64::from(!text.trim().is_empty());
                    continue;
                }
            };
            if signed {
                let key = evidence.keys.iter().find(|key| key.id() == checkpoint.key).ok_or_else(|| {
                    wrong(&format!("the checkpoint is signed by the key {}, which is none of those that --key names", checkpoint.key))
                })?;
                if !checkpoint.is_signed_by(key) {
                    return Err(wrong("the checkpoint is not what was signed"));
                }
            }
            let chain = checkpoint.chain().ok_or_else(|| wrong("the checkpoint has no chain"))?;
            self.known.push(Known { number: checkpoint.number, chain, place: self.places.len(), line: at + 1 });
            found.checkpoints += 1;
            if last.as_ref().is_none_or(|last| checkpoint.number >= last.number) {
                last = Some(checkpoint);
            }
        }
        found.last = last.as_ref().map(|last| (last.number, last.at.clone()));
        self.places.push(Place { found, last, first_behind: None });
        Ok(&self.places[self.places.len() - 1].found)
    }

    fn wrong(&self, known: &Known, problem: &str) -> Error {
        Error::Input(format!("{}:{}: {problem}", self.places[known.place].found.path.display(), known.line))
    }

    /// Compares with the next record of the log.
    ///
    /// # Errors
    /// Where a checkpoint says that another record stood there.
    pub fn compare(&mut self, number: u64, chain: &[u8; CHAIN], at: &str) -> Result<()> {
        while let Some(known) = self.known.get(self.next).filter(|known| known.number == number) {
            if known.chain != *chain {
                return Err(
                    self.wrong(known, &format!("record {number} of the log is not the one that was signed; the log was written anew"))
                );
            }
            self.next += 1;
        }
        for place in &mut self.places {
            if place.last.as_ref().is_some_and(|last| last.number + 1 == number) {
                place.first_behind = Some(at.to_owned());
            }
        }
        Ok(())
    }

    /// What was found once the log has ended, at a record that was written at a moment.
    ///
    /// # Errors
    /// Where the log had come further, and where it goes on for longer than it should without a checkpoint.
    pub fn end(self, number: u64, at: &str) -> Result<Vec<Attested>> {
        if let Some(known) = self.known.get(self.next) {
            let furthest = self.known.last().map_or(known.number, |known| known.number);
            let missing = furthest.saturating_sub(number);
            return Err(self.wrong(
                known,
                &format!(
                    "the log ends at record {number}, but had come to record {furthest}; the last {missing} records or more were taken away"
                ),
            ));
        }
        let mut all = Vec::new();
        for Place { mut found, last, first_behind } in self.places {
            if let Some(last) = &last {
                found.behind = number - last.number;
                let waited = first_behind.as_deref().map_or(0, |first| seconds_between(first, at));
                if waited > GRACE && (found.behind > last.records || waited > GRACE.saturating_add_unsigned(last.seconds)) {
                    return Err(Error::Input(format!(
                        "{}: the last checkpoint is of record {} and was made on {}, though one was due after {} records or {} seconds; {} \
                         records follow it. The service ran without its key or its witness, or the newest checkpoints were taken away",
                        found.path.display(),
                        last.number,
                        last.at,
                        last.records,
                        last.seconds,
                        found.behind
                    )));
                }
            }
            all.push(found);
        }
        Ok(all)
    }
}

/// Seconds from a moment to a later one, as the log writes them; 0 where they cannot be read.
fn seconds_between(from: &str, to: &str) -> i64 {
    let read = |text: &str| DateTime::parse_from_rfc3339(text).ok();
    read(from).zip(read(to)).map_or(0, |(from, to)| (to - from).num_seconds())
}
