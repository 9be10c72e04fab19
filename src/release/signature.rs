//! What was signed: `manifest.sig` beside `manifest.json`, `withdrawal.sig` beside `withdrawal.json`.
//!
//! ```json
//! {"algorithm":"ed25519","key":"0f1e2d3c4b5a6978","signature":"…"}
//! ```
//!
//! A signature is one over a line that says what kind of document is signed, and the document's exact bytes, so that no document can be
//! taken for one of another kind. The file is written in one way only: a change of any byte of it is noticed.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::keys::{ReleaseKey, Trust};

/// What kind of document is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    /// The manifest of a release.
    Manifest,
    /// The withdrawal of a release.
    Withdrawal,
}

impl Signed {
    /// The line before the document.
    fn line(self) -> &'static str {
        match self {
            Self::Manifest => "cacah manifest v1\n",
            Self::Withdrawal => "cacah withdrawal v1\n",
        }
    }

    fn message(self, document: &[u8]) -> Vec<u8> {
        [self.line().as_bytes(), document].concat()
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
    /// Signs a document.
    pub fn of(kind: Signed, document: &[u8], key: &ReleaseKey) -> Self {
        let signature = STANDARD.encode(key.sign(&kind.message(document)));
        Self { algorithm: ALGORITHM.into(), key: key.public().id().to_owned(), signature }
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

    /// Checks that a trusted key has signed a document.
    ///
    /// # Errors
    /// Says what is wrong, as it follows the name of the document: "is signed with key ..., which is not trusted".
    pub fn check(&self, kind: Signed, document: &[u8], trust: &Trust) -> Result<(), String> {
        if self.algorithm != ALGORITHM {
            return Err(format!("is signed by '{}', which this program does not know", shown(&self.algorithm)));
        }
        let Some(key) = trust.key(&self.key) else {
            return Err(format!("is signed with key {}, which is not trusted (trusted: {})", shown(&self.key), trust.names()));
        };
        let signature = STANDARD.decode(&self.signature).unwrap_or_default();
        // What is decoded must be what was written: base64 knows several texts for the same bytes elsewhere.
        let is_one = STANDARD.encode(&signature) == self.signature && key.verifies(&kind.message(document), &signature);
        if is_one { Ok(()) } else { Err(format!("differs from what key {} has signed", key.id())) }
    }

    /// Checks the file of a signature against a document.
    ///
    /// # Errors
    /// As [`Signature::check`].
    pub fn check_file(file: Option<&[u8]>, kind: Signed, document: &[u8], trust: &Trust) -> Result<Self, String> {
        let Some(file) = file else { return Err(format!("is not signed (trusted: {})", trust.names())) };
        let Some(signature) = Self::parse(file) else { return Err("has a signature that was changed: its file is none of ours".into()) };
        signature.check(kind, document, trust)?;
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

    #[test]
    fn a_signature_is_of_one_document_of_one_kind_by_one_key() {
        let ((key, _), (other, _)) = (ReleaseKey::make().unwrap(), ReleaseKey::make().unwrap());
        let trust = Trust::new(vec![key.public().clone()]);
        let signature = Signature::of(Signed::Manifest, b"{}", &key);
        assert_eq!(Signature::parse(signature.text().as_bytes()).as_ref(), Some(&signature));
        assert_eq!(signature.check(Signed::Manifest, b"{}", &trust), Ok(()));
        let refused = |found: Result<(), String>, why: &str| assert!(found.clone().unwrap_err().contains(why), "{found:?}");
        refused(signature.check(Signed::Withdrawal, b"{}", &trust), "differs from what key");
        refused(signature.check(Signed::Manifest, b"{ }", &trust), "differs from what key");
        refused(Signature::of(Signed::Manifest, b"{}", &other).check(Signed::Manifest, b"{}", &trust), "which is not trusted");
        let stolen = Signature { key: key.public().id().into(), ..Signature::of(Signed::Manifest, b"{}", &other) };
        refused(stolen.check(Signed::Manifest, b"{}", &trust), "differs from what key");
        assert!(Signature::check_file(None, Signed::Manifest, b"{}", &trust).unwrap_err().contains("is not signed"));
    }

    #[test]
    fn a_change_of_any_byte_of_the_file_is_noticed() {
        let (key, _) = ReleaseKey::make().unwrap();
        let trust = Trust::new(vec![key.public().clone()]);
        let file = Signature::of(Signed::Manifest, b"{}", &key).text().into_bytes();
        assert!(Signature::check_file(Some(&file), Signed::Manifest, b"{}", &trust).is_ok());
        for at in 0..file.len() {
            for bit in 0..8 {
                let mut changed = file.clone();
                changed[at] ^= 1 << bit;
                assert!(Signature::check_file(Some(&changed), Signed::Manifest, b"{}", &trust).is_err(), "byte {at}, bit {bit}");
            }
        }
        for more in [&b" "[..], b"\n"] {
            assert!(Signature::check_file(Some(&[&file, more].concat()), Signed::Manifest, b"{}", &trust).is_err());
        }
    }
}
