//! Text in the languages of a register.

use serde::{Deserialize, Serialize};

/// A text in each language of the register, in the order in which the register lists its languages.
///
/// A text that is the same in all of them (the name of a village) is held once.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Label(Vec<String>);

impl Label {
    /// A text for each language, in the register's order.
    pub fn new(texts: Vec<String>) -> Self {
        Self(texts)
    }

    /// The same text in every language.
    pub fn same(text: impl Into<String>) -> Self {
        Self(vec![text.into()])
    }

    /// The text in the language with this position; the first language stands in for one that is missing.
    pub fn text(&self, language: usize) -> &str {
        self.0.get(language).or_else(|| self.0.first()).map_or("", String::as_str)
    }

    /// Every text, for searching.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}
