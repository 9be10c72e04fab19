//! Where an exported file comes from, as it says so itself, and whether it is still whole.
//!
//! ```json
//! {"cacah":"0.1.0","address":"https://…/api/v2/tables/population/data?…","query":"…","language":"en","source":"…",
//!  "releases":[{"id":"2024-S1/r1","sha256":"…","key":"…","signature":"…"}],"seal":"…"}
//! ```
//!
//! | format | where it stands |
//! |---|---|
//! | JSON-stat | `extension.provenance` |
//! | Parquet | key `cacah` of the file's metadata |
//! | XLSX | comment of the archive; the releases also among the custom properties, for people |
//! | SVG | `metadata` |
//! | PNG | text `Provenance` |
//! | PDF | a line `%cacah {…}` before the end |
//!
//! The **seal** is the SHA-256 of the file in which its own digits are zeros (and in PNG the checksum of its chunk): a change of any byte shows. It is no
//! signature, since everybody can seal anew what he has changed. What is signed is the release; whether the numbers are its own tells only who makes
//! the file again from it (`cacah verify FILE --releases`).

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::Edition;
use crate::storage::{Digester, FileDigest};

/// The digits in the place of a seal while it is worked out.
const UNSEALED: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// What stands before the digits of a seal.
const BEFORE: &str = "\"seal\":\"";

/// Where a file comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Version of the program that made it.
    pub cacah: String,
    /// The address that answers with the same file; empty where there is none.
    #[serde(default)]
    pub address: String,
    /// The address that answers with the numbers, if it is another one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub query: String,
    /// Language of the texts.
    pub language: String,
    /// Who published the numbers.
    pub source: String,
    /// The releases.
    pub releases: Vec<NamedRelease>,
    /// SHA-256 of the file in which these digits are zeros. It is the last, so that it is easily found.
    pub seal: String,
}

/// A release as a file names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedRelease {
    /// Its folder, such as `2024-S1/r1`.
    pub id: String,
    /// SHA-256 of its manifest.
    pub sha256: String,
    /// Id of the key that signed it, if it is signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The signature, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

impl From<&Edition> for NamedRelease {
    fn from(edition: &Edition) -> Self {
        let signature = edition.signature.as_ref();
        Self {
            id: edition.folder.clone(),
            sha256: edition.sha256.clone(),
            key: signature.map(|signature| signature.key.clone()),
            signature: signature.map(|signature| signature.signature.clone()),
        }
    }
}

impl Default for Provenance {
    fn default() -> Self {
        Self::new(String::new(), String::new(), String::new(), std::iter::empty())
    }
}

impl Provenance {
    /// Where a file comes from that is made at an address, in a language, of releases.
    pub fn new<'a>(address: String, language: String, source: String, releases: impl Iterator<Item = &'a Edition>) -> Self {
        Self {
            cacah: env!("CARGO_PKG_VERSION").to_owned(),
            address,
            query: String::new(),
            language,
            source,
            releases: releases.map(NamedRelease::from).collect(),
            seal: UNSEALED.to_owned(),
        }
    }

    /// As it stands in a file that is not sealed yet.
    pub fn text(&self) -> String {
        // Texts and lists of texts are always JSON.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Seals a file that has one place for it. Bytes in `exempt` count as zeros. A file without such a place is left as it is.
pub fn seal(file: &mut [u8], exempt: Option<&Range<usize>>) {
    let kept = exempt.map(|exempt| (exempt.clone(), file[exempt.clone()].to_vec()));
    if let Some(exempt) = exempt {
        file[exempt.clone()].fill(0);
    }
    Sealer::default().finish(file);
    if let Some((exempt, kept)) = kept {
        file[exempt].copy_from_slice(&kept);
    }
}

/// Seals a file that is written piece by piece, whose seal stands in the last piece.
#[derive(Debug, Default)]
pub struct Sealer {
    digester: Digester,
}

impl Sealer {
    /// A piece that is not the last.
    pub fn add(&mut self, piece: &[u8]) {
        self.digester.add(piece);
    }

    /// The last piece; its seal is written into it.
    pub fn finish(&mut self, piece: &mut [u8]) {
        self.digester.add(piece);
        let digest = std::mem::take(&mut self.digester).finish().sha256;
        if let Some(at) = place(piece) {
            piece[at].copy_from_slice(digest.as_bytes());
        }
    }
}

/// Where the digits of a seal stand that is not worked out yet: the last place that looks like one.
pub fn place(file: &[u8]) -> Option<Range<usize>> {
    let mark = [BEFORE.as_bytes(), UNSEALED.as_bytes()].concat();
    let start = memchr::memmem::rfind(file, &mark)? + BEFORE.len();
    Some(start..start + UNSEALED.len())
}

/// Whether a file has the seal that it says it has. Bytes in `exempt` count as zeros.
pub fn is_sealed(file: &[u8], seal: &str, exempt: Option<Range<usize>>) -> bool {
    let mark = [BEFORE.as_bytes(), seal.as_bytes()].concat();
    let mut places = memchr::memmem::find_iter(file, &mark);
    let (Some(at), None, true) = (places.next(), places.next(), seal.len() == UNSEALED.len()) else { return false };
    let mut unsealed = file.to_vec();
    unsealed[at + BEFORE.len()..at + mark.len()].fill(b'0');
    if let Some(exempt) = exempt {
        unsealed[exempt].fill(0);
    }
    FileDigest::of(&unsealed).sha256 == seal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_any_byte_breaks_the_seal() {
        let provenance = Provenance::new("/api".into(), "en".into(), "toys".into(), std::iter::empty());
        let mut file = format!("before {} after 0123", provenance.text()).into_bytes();
        let exempt = file.len() - 4..file.len();
        seal(&mut file, Some(&exempt));
        let text = String::from_utf8(file.clone()).unwrap();
        assert!(text.ends_with("0123"));
        let told: Provenance = serde_json::from_str(&text[7..text.find(" after").unwrap()]).unwrap();
        assert!(is_sealed(&file, &told.seal, Some(exempt.clone())) && !is_sealed(&file, &told.seal, None));
        for at in 0..exempt.start {
            let mut changed = file.clone();
            changed[at] ^= 1;
            // The digits that the file then says it has, where they are what was changed.
            let said = String::from_utf8_lossy(&changed).split_once(BEFORE).map_or(String::new(), |(_, rest)| rest[..64].to_owned());
            assert!(!is_sealed(&changed, &said, Some(exempt.clone())), "byte {at}");
        }
    }

    #[test]
    fn pieces_are_sealed_as_the_whole() {
        let text = Provenance::default().text();
        let mut whole = format!("one two {text}").into_bytes();
        seal(&mut whole, None);
        let mut sealer = Sealer::default();
        sealer.add(b"one ");
        sealer.add(b"two ");
        let mut last = text.into_bytes();
        sealer.finish(&mut last);
        assert_eq!([&b"one two "[..], &last].concat(), whole);
    }
}
