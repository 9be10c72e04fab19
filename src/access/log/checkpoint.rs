//! Checkpoints: how far a log had come at a moment, signed.
//!
//! ```text
//! {"checkpoint":1,"log":"…","number":5000,"chain":"9f…","at":"2024-12-01T08:00:00Z","records":1000,"seconds":300,"key":"…","signature":"…"}
//! ```
//!
//! The chain of a record follows from all records before it, so that whoever has kept a checkpoint finds any of them changed or gone, whatever
//! has become of the machine on which the log lies and of the key of its chain. A checkpoint tells nothing of anybody.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use super::{
    files::{CHAIN, hex, unhex},
    signing::{PublicKey, SigningKey},
};
use crate::error::{Error, Result};

/// Version of the form.
const FORM: u32 = 1;
/// How a checkpoint begins, by which it is found in lines that have something else before it, as those of syslog.
const BEGIN: &str = "{\"checkpoint\":";
/// Bytes at the end of a file in which its last checkpoint is looked for.
const TAIL: u64 = 64 << 10;

/// How far a log had come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    #[serde(rename = "checkpoint")]
    form: u32,
    /// Which log: the name of its database's key.
    pub log: String,
    /// Number of the last record; 0 before the first one.
    pub number: u64,
    chain: String,
    /// When it was made.
    pub at: String,
    /// After so many records another one is made,
    pub records: u64,
    /// and after so many seconds.
    pub seconds: u64,
    /// Which key signed it.
    pub key: String,
    signature: String,
}

/// What a line of a witness is.
#[derive(Debug, PartialEq, Eq)]
pub enum WitnessLine {
    Checkpoint(Box<Checkpoint>),
    /// The beginning of a checkpoint whose writing was cut short.
    Unfinished,
    /// Something else, as another program's line in a file of syslog.
    Other,
}

impl WitnessLine {
    /// Reads a line.
    ///
    /// # Errors
    /// What is wrong with a checkpoint that cannot be read.
    pub fn read(line: &str) -> Result<Self, String> {
        let Some(begin) = line.find(BEGIN) else { return Ok(Self::Other) };
        let mut values = serde_json::Deserializer::from_str(&line[begin..]).into_iter();
        match values.next() {
            Some(Ok(checkpoint)) => Ok(Self::Checkpoint(Box::new(checkpoint))),
            Some(Err(error)) if !error.is_eof() => Err(format!("it is no checkpoint: {error}")),
            _ => Ok(Self::Unfinished),
        }
    }
}

impl Checkpoint {
    /// Signs how far a log has come.
    pub fn sign(key: &SigningKey, log: &str, end: (u64, &[u8; CHAIN]), every: (u64, u64), now: DateTime<Utc>) -> Self {
        let mut checkpoint = Self {
            form: FORM,
            log: log.to_owned(),
            number: end.0,
            chain: String::from_utf8_lossy(&hex(end.1)).into_owned(),
            at: now.to_rfc3339_opts(SecondsFormat::Secs, true),
            records: every.0,
            seconds: every.1,
            key: key.public().id(),
            signature: String::new(),
        };
        checkpoint.signature = URL_SAFE_NO_PAD.encode(key.sign(checkpoint.signed().as_bytes()));
        checkpoint
    }

    /// What is signed: every field but the signature, a line each.
    fn signed(&self) -> String {
        let Self { form, log, number, chain, at, records, seconds, key, signature: _ } = self;
        format!("cacah checkpoint\n{form}\n{log}\n{number}\n{chain}\n{at}\n{records}\n{seconds}\n{key}\n")
    }

    /// Whether a key signed it as it stands.
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        let signature = URL_SAFE_NO_PAD.decode(&self.signature).unwrap_or_default();
        self.form == FORM && key.has_signed(self.signed().as_bytes(), &signature)
    }

    /// The chain of its record.
    pub fn chain(&self) -> Option<[u8; CHAIN]> {
        unhex(self.chain.as_bytes())
    }

    /// As a line, without its end.
    pub fn line(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| Error::Internal(error.to_string()))
    }
}

/// Appends a line to a file and waits until it is on disk. What an interrupted writing left behind stays a line of its own.
pub fn append(path: &Path, line: &str) -> io::Result<()> {
    let is_new = !path.exists();
    let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    let mut text = String::with_capacity(line.len() + 2);
    if file.metadata()?.len() > 0 {
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            text.push('\n');
        }
    }
    text.push_str(line);
    text.push('\n');
    file.write_all(text.as_bytes())?;
    file.sync_data()?;
    if is_new {
        sync_folder_of(path)?;
    }
    Ok(())
}

/// Makes sure that a new file is found again.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// The last checkpoint of a log in a file, if there is any.
///
/// # Errors
/// Where the file is there and cannot be read.
pub fn last(path: &Path, log: &str) -> Result<Option<Checkpoint>> {
    let failed = |error: io::Error| Error::storage(format!("reading {}", path.display()), error);
    let mut file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(failed)?,
    };
    let length = file.metadata().map_err(failed)?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL))).map_err(failed)?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail).map_err(failed)?;
    let text = String::from_utf8_lossy(&tail);
    Ok(text.lines().rev().find_map(|line| match WitnessLine::read(line) {
        Ok(WitnessLine::Checkpoint(checkpoint)) if checkpoint.log == log => Some(*checkpoint),
        _ => None,
    }))
}

/// Every line of a file with its number, from 1.
///
/// # Errors
/// Where the file cannot be read.
pub fn lines(path: &Path) -> Result<Vec<String>> {
    let bytes = fs::read(path)
        .map_err(|error| Error::Input(format!("{}: {error}; name the file in which the witness keeps checkpoints", path.display())))?;
    Ok(String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(place: &Path) -> SigningKey {
        SigningKey::open(&SigningKey::create(place).unwrap().0).unwrap()
    }

    #[test]
    fn every_change_of_a_checkpoint_is_noticed() {
        let place = tempfile::tempdir().unwrap();
        let key = key(place.path());
        let checkpoint = Checkpoint::sign(&key, "log", (17, &[7; CHAIN]), (1000, 300), DateTime::UNIX_EPOCH);
        let line = checkpoint.line().unwrap();
        assert!(checkpoint.is_signed_by(&key.public()) && line.starts_with(BEGIN), "{line}");
        assert_eq!(checkpoint.chain(), Some([7; CHAIN]));
        let read = |line: &str| match WitnessLine::read(line) {
            Ok(WitnessLine::Checkpoint(found)) => Some(*found),
            _ => None,
        };
        assert_eq!(read(&format!("<109>1 2024-12-01T08:00:00Z host cacah - - - {line}")), Some(checkpoint.clone()));
        for at in 0..line.len() {
            for other in [b'0', b'7', b'x', b'"'] {
                let mut bytes = line.clone().into_bytes();
                if bytes[at] == other {
                    continue;
                }
                bytes[at] = other;
                let changed = String::from_utf8(bytes).unwrap();
                // What can still be read says the same or is not signed.
                let found = read(&changed);
                assert!(found.is_none_or(|found| found == checkpoint || !found.is_signed_by(&key.public())), "{changed}");
            }
        }
        assert_eq!(WitnessLine::read(&line[..line.len() - 4]), Ok(WitnessLine::Unfinished));
        assert_eq!(WitnessLine::read("sshd: session opened"), Ok(WitnessLine::Other));
        assert!(WitnessLine::read("{\"checkpoint\":1,\"log\":3}").unwrap_err().contains("no checkpoint"));
    }

    #[test]
    fn lines_are_appended_behind_what_was_cut_short() {
        let place = tempfile::tempdir().unwrap();
        let key = key(place.path());
        let path = place.path().join("witness.jsonl");
        assert_eq!(last(&path, "log").unwrap(), None);
        let made = |log: &str, number| Checkpoint::sign(&key, log, (number, &[1; CHAIN]), (1, 1), DateTime::UNIX_EPOCH);
        append(&path, &made("log", 1).line().unwrap()).unwrap();
        append(&path, &made("log", 2).line().unwrap()).unwrap();
        append(&path, &made("other", 9).line().unwrap()).unwrap();
        let whole = fs::read(&path).unwrap();
        fs::write(&path, [&whole[..], b"{\"checkpoint\":1,\"lo"].concat()).unwrap();
        assert_eq!(last(&path, "log").unwrap(), Some(made("log", 2)));
        append(&path, &made("log", 3).line().unwrap()).unwrap();
        assert_eq!(last(&path, "log").unwrap(), Some(made("log", 3)));
        assert_eq!(lines(&path).unwrap().len(), 5);
    }
}
