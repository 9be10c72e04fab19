//! The files of a log: each named by the number of its first record.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::error::{Error, Result};

/// Ending of files that are being written, and of those that are done.
pub const OPEN: &str = "log";
pub const DONE: &str = "parquet";
/// The file that tells how far the log had come.
pub const HEAD: &str = "head";

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

fn unhex(text: &[u8]) -> Option<[u8; CHAIN]> {
    let text = std::str::from_utf8(text).ok().filter(|text| text.len() == 2 * CHAIN && text.is_ascii())?;
    let mut bytes = [0; CHAIN];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

/// What the file says of how far the log had come: the number of a record, and its chain.
pub fn head(folder: &Path) -> Option<(u64, [u8; CHAIN])> {
    let text = fs::read_to_string(folder.join(HEAD)).ok()?;
    let (number, chain) = text.trim().split_once(' ')?;
    Some((number.parse().ok()?, unhex(chain.as_bytes())?))
}

/// Every file of a log with its name, the head first; none where there is no log.
pub fn whole(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let head = Some(folder.join(HEAD)).filter(|head| head.exists());
    let all = head.into_iter().chain(files(folder)?.into_iter().map(|file| file.path));
    Ok(all.filter_map(|path| Some((path.file_name()?.to_str()?.to_owned(), path))).collect())
}
