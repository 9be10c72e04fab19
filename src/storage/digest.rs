//! What a stored file must contain.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Size and digest of one file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FileDigest {
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
}

impl FileDigest {
    /// The digest of these bytes.
    pub fn of(content: &[u8]) -> Self {
        let mut digester = Digester::default();
        digester.add(content);
        digester.finish()
    }
}

/// A digest in the making, for files that memory need not hold as a whole.
#[derive(Debug, Default)]
pub struct Digester {
    bytes: u64,
    sha256: Sha256,
}

impl Digester {
    /// Adds what comes next.
    pub fn add(&mut self, content: &[u8]) {
        self.bytes += content.len() as u64;
        self.sha256.update(content);
    }

    /// The digest of all that was added.
    pub fn finish(self) -> FileDigest {
        let sha256 = self.sha256.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        FileDigest { bytes: self.bytes, sha256 }
    }
}
