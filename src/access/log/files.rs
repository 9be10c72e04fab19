//! The files of a log: each named by the number of its first record.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use ring::hmac;

use crate::error::{Error, Result};

/// Ending of files that are being written, and of those that are done.
pub const OPEN: &str = "log";
pub const DONE: &str = "parquet";
/// The file that tells how far the log had come.
pub const HEAD: &str = "head";
/// The file of checkpoints.
pub const CHECKPOINTS: &str = "checkpoints.jsonl";

/// The column of a compressed file that holds the lines.
pub const LINE: &str = "line";

/// Bytes of the chain.
pub const CHAIN: usize = 32;

/// One file of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    /// Number of its first record.
    pub first: u64,
    /// Whether it is compressed.
    pub done: bool,
    pub path: PathBuf,
}

/// Where the file lies that begins with a record.
pub fn path(folder: &Path, first: u64, ending: &str) -> PathBuf {
    folder.join(format!("{first:020}.{ending}"))
}

/// The files of a folder in order. Of a file that is there in both forms, as when compressing was interrupted, the compressed one counts.
pub fn files(folder: &Path) -> Result<Vec<LogFile>> {
    let failed = |error: std::io::Error| Error::storage(format!("listing {}", folder.display()), error);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
        let Some((stem, ending)) = name.split_once('.') else { continue };
        let (Ok(first), true) = (stem.parse(), [OPEN, DONE].contains(&ending)) else { continue };
        found.push(LogFile { first, done: ending == DONE, path });
    }
    found.sort_by_key(|file| (file.first, !file.done));
    found.dedup_by_key(|file| file.first);
    Ok(found)
}

/// A line, taken apart: number, what the chain goes over, record, chain.
pub struct Line<'a> {
    pub number: u64,
    pub signed: &'a [u8],
    pub record: &'a [u8],
    pub chain: [u8; CHAIN],
}

/// Takes a line apart, without its end.
pub fn line(bytes: &[u8]) -> Option<Line<'_>> {
    let last = bytes.iter().rposition(|byte| *byte == b'\t')?;
    let (signed, chain) = (&bytes[..last], &bytes[last + 1..]);
    let first = signed.iter().position(|byte| *byte == b'\t')?;
    let number = std::str::from_utf8(&signed[..first]).ok()?.parse().ok()?;
    Some(Line { number, signed, record: &signed[first + 1..], chain: unhex(chain)? })
}

/// Bytes in hexadecimal: once for every record, and so without the formatting machinery.
pub fn hex(bytes: &[u8; CHAIN]) -> [u8; 2 * CHAIN] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 2 * CHAIN];
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    text
}

/// What was written in hexadecimal.
pub fn unhex(text: &[u8]) -> Option<[u8; CHAIN]> {
    let text = std::str::from_utf8(text).ok().filter(|text| text.len() == 2 * CHAIN && text.is_ascii())?;
    let mut bytes = [0; CHAIN];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

/// What is known of how far a log had come.
pub enum Head {
    /// There is no such file, or nothing in it.
    Missing,
    /// Something else stands there.
    Unreadable,
    /// The number of a record, its chain, and the seal of both.
    Told { number: u64, chain: [u8; CHAIN], seal: Option<[u8; CHAIN]> },
}

/// Reads the head of a log.
///
/// # Errors
/// Where the file is there and cannot be read.
pub fn head(folder: &Path) -> Result<Head> {
    let path = folder.join(HEAD);
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Head::Missing),
        read => read.map_err(|error| Error::storage(format!("reading {}", path.display()), error))?,
    };
    Ok(if bytes.is_empty() { Head::Missing } else { Head::parse(&bytes).unwrap_or(Head::Unreadable) })
}

impl Head {
    /// The number of the record that it speaks of.
    pub fn number(&self) -> Option<u64> {
        match self {
            Self::Told { number, .. } => Some(*number),
            Self::Missing | Self::Unreadable => None,
        }
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut parts = text.trim().split(' ');
        let (number, chain) = (parts.next()?.parse().ok()?, unhex(parts.next()?.as_bytes())?);
        let seal = match parts.next() {
            Some(seal) => Some(unhex(seal.as_bytes())?),
            None => None,
        };
        parts.next().is_none().then_some(Self::Told { number, chain, seal })
    }

    fn sealed(number: u64, chain: &[u8; CHAIN]) -> Vec<u8> {
        [format!("{number:020} ").as_bytes(), &hex(chain)].concat()
    }

    /// What the file is to say.
    pub fn line(key: &hmac::Key, number: u64, chain: &[u8; CHAIN]) -> Vec<u8> {
        let sealed = Self::sealed(number, chain);
        let mut seal = [0; CHAIN];
        seal.copy_from_slice(hmac::sign(key, &sealed).as_ref());
        [&sealed[..], b" ", &hex(&seal), b"\n"].concat()
    }

    /// Compares with a log that ends at a record; `chain_of` tells the chain of the record that the head speaks of, if it is known.
    ///
    /// # Errors
    /// Where the head is missing though there are records, where somebody else wrote it, and where the log had come further.
    pub fn check(
        &self,
        folder: &Path,
        key: &hmac::Key,
        is_sealed: bool,
        end: u64,
        chain_of: &dyn Fn(u64) -> Option<[u8; CHAIN]>,
    ) -> Result<()> {
        let wrong = |problem: &str| {
            Err(Error::Input(format!(
                "{}: {problem}. Restore the log from a copy, or put the folder aside to begin another one",
                folder.display()
            )))
        };
        match self {
            Self::Missing if end == 0 && !is_sealed => Ok(()),
            Self::Missing if end == 0 => wrong("there was a log, of which nothing is there any more"),
            Self::Missing => wrong("the file 'head' is missing, which tells how far the log had come; records may have been taken away"),
            Self::Unreadable => wrong("the file 'head', which tells how far the log had come, is not what was written"),
            Self::Told { number, chain, seal } => {
                let holds = seal.is_some_and(|seal| hmac::verify(key, &Self::sealed(*number, chain), &seal).is_ok());
                // Versions of this program before the first sealed one wrote heads without a seal.
                if !holds && (is_sealed || seal.is_some()) {
                    return wrong("the file 'head', which tells how far the log had come, is not what was written");
                }
                let agrees = *number <= end && chain_of(*number).is_none_or(|known| known == *chain);
                if agrees {
                    return Ok(());
                }
                wrong(&format!("the log ends at record {end}, but had come to record {number}; records were taken away"))
            }
        }
    }
}

/// Every file of a log with its name, those first that tell how far it has come; none where there is no log.
pub fn whole(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let told = [HEAD, CHECKPOINTS].map(|name| folder.join(name)).into_iter().filter(|path| path.exists());
    let all = told.chain(files(folder)?.into_iter().map(|file| file.path));
    Ok(all.filter_map(|path| Some((path.file_name()?.to_str()?.to_owned(), path))).collect())
}
