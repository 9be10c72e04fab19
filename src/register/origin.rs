//! Definitions as they were when a snapshot was counted.

use serde::{Deserialize, Serialize};

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
