//! What was signed: `manifest.sig` beside `manifest.json`, `withdrawal.sig` beside `withdrawal.json`.
//!
//! ```json
//! {"algorithm":"ed25519","key":"0f1e2d3c4b5a6978","signature":"…"}
//! ```
//!
//! What is signed is a text of three lines: what kind of document it is, the folder that it lies in, and the SHA-256 of its exact bytes.
//!
//! ```text
//! cacah manifest v1
//! 2024-S1/r1
//! 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//! ```
//!
//! So no document can be taken for one of another kind or moved to another folder, and a file that names a release by folder and digest (an export)
//! can be checked without the release. The file is written in one way only: a change of any byte of it is noticed.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::keys::{ReleaseKey, Trust};
use crate::storage::FileDigest;

/// What kind of document is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    /// The manifest of a release.
    Manifest,
    /// The withdrawal of a release.
    Withdrawal,
}

impl Signed {
    fn message(self, folder: &str, sha256: &str) -> Vec<u8> {
        let kind = match self {
            Self::Manifest => "cacah manifest v1",
            Self::Withdrawal => "cacah withdrawal v1",
        };
        format!("{kind}\n{folder}\n{sha256}\n").into_bytes()
    }
}

/// A signature as its file says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// `ed25519`.
    pub algorithm: String,
    /// Id of the key.
    pub key: String,
    /// 64 bytes in base64.
    pub signature: String,
}

/// The only algorithm there is.
const ALGORITHM: &str = "ed25519";

impl Signature {
    /// Signs a document that lies in the folder of a release.
    pub fn of(kind: Signed, folder: &str, document: &[u8], key: &ReleaseKey) -> Self {
        let signature = STANDARD.encode(key.sign(&kind.message(folder, &FileDigest::of(document).sha256)));
        Self { algorithm: ALGORITHM.into(), key: key.public().id().to_owned(), signature }
    }

    /// A signature as an exported file tells it.
    pub fn ed25519(key: &str, signature: &str) -> Self {
        Self { algorithm: ALGORITHM.into(), key: key.to_owned(), signature: signature.to_owned() }
    }

    /// The file.
    pub fn text(&self) -> String {
        // Three texts are always JSON.
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }

    /// Reads a file; `None` where it is not written as this program writes it.
    pub fn parse(file: &[u8]) -> Option<Self> {
        let parsed: Self = serde_json::from_slice(file).ok()?;
        (parsed.text().as_bytes() == file).then_some(parsed)
    }

    /// Checks that a trusted key has signed a document with this SHA-256 in the folder of a release.
    ///
    /// # Errors
    /// Says what is wrong, as it follows the name of the document: "is signed with key ..., which is not trusted".
    pub fn check(&self, kind: Signed, folder: &str, sha256: &str, trust: &Trust) -> Result<(), String> {
        if self.algorithm != ALGORITHM {
            return Err(format!("is signed by '{}', which this program does not know", shown(&self.algorithm)));
        }
        let Some(key) = trust.key(&self.key) else {
            return Err(format!("is signed with key {}, which is not trusted (trusted: {})", shown(&self.key), trust.names()));
        };
        let signature = STANDARD.decode(&self.signature).unwrap_or_default();
        // What is decoded must be what was written: base64 knows several texts for the same bytes elsewhere.
        let is_one = STANDARD.encode(&signature) == self.signature && key.verifies(&kind.message(folder, sha256), &signature);
        if is_one { Ok(()) } else { Err(format!("differs from what key {} has signed", key.id())) }
    }

    /// Checks the file of a signature against a document.
    ///
    /// # Errors
    /// As [`Signature::check`].
    pub fn check_file(file: Option<&[u8]>, kind: Signed, folder: &str, document: &[u8], trust: &Trust) -> Result<Self, String> {
        let Some(file) = file else { return Err(format!("is not signed (trusted: {})", trust.names())) };
        let Some(signature) = Self::parse(file) else { return Err("has a signature that was changed: its file is none of ours".into()) };
        signature.check(kind, folder, &FileDigest::of(document).sha256, trust)?;
        Ok(signature)
    }
}

/// The beginning of a text that somebody else may have written.
fn shown(text: &str) -> String {
    text.chars().filter(|char| char.is_ascii_graphic()).take(24).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOLDER: &str = "2024-S1/r1";

    #[test]
    fn a_signature_is_of_one_document_of_one_kind_in_one_place_by_one_key() {
        let ((key, _), (other, _)) = (ReleaseKey::make().unwrap(), ReleaseKey::make().unwrap());
        let trust = Trust::new(vec![key.public().clone()]);
        let sha256 = |document: &[u8]| FileDigest::of(document).sha256;
        let signature = Signature::of(Signed::Manifest, FOLDER, b"{}", &key);
        assert_eq!(Signature::parse(signature.text().as_bytes()).as_ref(), Some(&signature));
        let check = |signature: &Signature, kind, folder, document| signature.check(kind, folder, &sha256(document), &trust);
        assert_eq!(check(&signature, Signed::Manifest, FOLDER, b"{}"), Ok(()));
        let refused = |found: Result<(), String>, why: &str| assert!(found.clone().unwrap_err().contains(why), "{found:?}");
        refused(check(&signature, Signed::Withdrawal, FOLDER, b"{}"), "differs from what key");
        refused(check(&signature, Signed::Manifest, "2024-S1/r2", b"{}"), "differs from what key");
        refused(check(&signature, Signed::Manifest, FOLDER, b"{ }"), "differs from what key");
        let others = Signature::of(Signed::Manifest, FOLDER, b"{}", &other);
        refused(check(&others, Signed::Manifest, FOLDER, b"{}"), "which is not trusted");
        let stolen = Signature { key: key.public().id().into(), ..others };
        refused(check(&stolen, Signed::Manifest, FOLDER, b"{}"), "differs from what key");
        assert!(Signature::check_file(None, Signed::Manifest, FOLDER, b"{}", &trust).unwrap_err().contains("is not signed"));
    }

    #[test]
    fn a_change_of_any_byte_of_the_file_is_noticed() {
        let (key, _) = ReleaseKey::make().unwrap();
        let trust = Trust::new(vec![key.public().clone()]);
        let file = Signature::of(Signed::Manifest, FOLDER, b"{}", &key).text().into_bytes();
        let is_believed = |file: &[u8]| Signature::check_file(Some(file), Signed::Manifest, FOLDER, b"{}", &trust).is_ok();
        assert!(is_believed(&file));
        for at in 0..file.len() {
            for bit in 0..8 {
                let mut changed = file.clone();
                changed[at] ^= 1 << bit;
                assert!(!is_believed(&changed), "byte {at}, bit {bit}");
            }
        }
        for more in [&b" "[..], b"\n"] {
            assert!(!is_believed(&[&file, more].concat()));
        }
    }
}
