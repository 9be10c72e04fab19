//! Definitions as they were when a snapshot was counted.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{DefinitionError, Definitions, Sources};

/// What definitions were parsed from: keep it, and they can be parsed again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The files of the set.
    pub sources: Sources,
    /// Name and content of the region reference that replaces the set's own.
    pub regions: Option<(String, String)>,
    /// Name of the vintage that replaces the reference's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vintage: Option<String>,
}

impl Origin {
    /// Parses the definitions.
    ///
    /// # Errors
    /// Names file, line and what was expected.
    pub fn parse(&self) -> Result<Definitions, DefinitionError> {
        let definitions = Definitions::parse(&self.sources, self.regions.as_ref().map(|(name, text)| (name.as_str(), text.as_str())))?;
        Ok(match &self.vintage {
            Some(name) => definitions.with_vintage(name),
            None => definitions,
        })
    }
}

impl Definitions {
    /// The same definitions, with another name for the vintage of their regions.
    #[must_use]
    pub fn with_vintage(mut self, name: &str) -> Self {
        self.digest = hexadecimal(Sha256::new().chain_update(&self.digest).chain_update(name));
        name.clone_into(&mut self.vintage);
        self
    }
}

pub(super) fn hexadecimal(digest: Sha256) -> String {
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
