//! What a named query says of itself: TOML in the lines `--! ...` at its top. Dashboards say the same in files of TOML.
//!
//! ```text
//! --! title = { id = "...", en = "..." }
//! --! [[parameter]]
//! --! name = "region"
//! --! kind = "code"
//! --! ...
//! SELECT ... WHERE region = $region
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, de::DeserializeOwned};
use toml::Spanned;

use crate::register::{DefinitionError, Label, Language};

/// How lines of a header begin.
const MARK: &str = "--!";

/// Texts by the identifier of their language.
pub type Texts = Spanned<BTreeMap<String, String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeaderFile {
    pub title: Texts,
    pub description: Texts,
    pub audience: Texts,
    #[serde(default)]
    pub notes: Vec<Texts>,
    #[serde(default)]
    pub parameter: Vec<ParameterFile>,
    pub column: Vec<ColumnFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParameterFile {
    pub name: Spanned<String>,
    pub label: Texts,
    pub kind: Spanned<Kind>,
    /// For codes: the dimension.
    pub dimension: Option<Spanned<String>>,
    /// For codes: the levels that may be named; all if there are none.
    #[serde(default)]
    pub levels: Vec<Spanned<String>>,
    /// For texts: what may be given.
    #[serde(default)]
    pub values: Vec<String>,
    /// For numbers: the least.
    pub from: Option<f64>,
    /// For numbers: the greatest.
    pub to: Option<f64>,
    /// What stands where nothing is given.
    pub default: Option<Spanned<toml::Value>>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Text,
    Integer,
    Number,
    Period,
    Region,
    Code,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ColumnFile {
    pub name: Spanned<String>,
    pub label: Texts,
    pub unit: Option<Texts>,
    /// The column that says why there is no number in this one.
    pub status: Option<Spanned<String>>,
    /// What the codes in this column are of: a dimension, or `period`.
    pub codes: Option<Spanned<String>>,
}

/// The text of a file with its header taken out of the comments, line for line.
pub struct Header<'a> {
    pub file: &'a str,
    languages: &'a [Language],
    toml: String,
    /// The first line behind the header.
    pub statement: u64,
}

impl<'a> Header<'a> {
    pub fn new(file: &'a str, text: &str, languages: &'a [Language]) -> Result<Self, DefinitionError> {
        let mut toml = String::new();
        let mut lines = 0;
        for line in text.lines().map_while(|line| line.strip_prefix(MARK)) {
            toml.push_str(line.strip_prefix(' ').unwrap_or(line));
            toml.push('\n');
            lines += 1;
        }
        if lines == 0 {
            return Err(DefinitionError::new(
                file,
                1,
                format!("expected a header of lines that begin with '{MARK}', such as {MARK} title = {{ ... }}"),
            ));
        }
        Ok(Self { file, languages, toml, statement: lines + 1 })
    }

    /// A file that consists of TOML and nothing else.
    pub fn plain(file: &'a str, text: &str, languages: &'a [Language]) -> Self {
        Self { file, languages, toml: text.to_owned(), statement: 0 }
    }

    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, DefinitionError> {
        toml::from_str(&self.toml).map_err(|error| {
            let line = error.span().map_or(1, |span| self.line(span.start));
            DefinitionError::new(self.file, line, error.message())
        })
    }

    fn line(&self, at: usize) -> u64 {
        self.toml.as_bytes()[..at.min(self.toml.len())].iter().filter(|byte| **byte == b'\n').count() as u64 + 1
    }

    /// A fault of something that stands in the header.
    pub fn fault<T, S>(&self, at: &Spanned<S>, problem: impl Into<String>) -> Result<T, DefinitionError> {
        Err(DefinitionError::new(self.file, self.line(at.span().start), problem))
    }

    /// A text in every language of the register.
    pub fn label(&self, texts: &Texts) -> Result<Label, DefinitionError> {
        let mut label = Vec::with_capacity(self.languages.len());
        for Language { id, .. } in self.languages {
            match texts.get_ref().get(id).filter(|text| !text.trim().is_empty()) {
                Some(text) => label.push(text.clone()),
                None => return self.fault(texts, format!("expected a text in language '{id}'")),
            }
        }
        match texts.get_ref().keys().find(|id| !self.languages.iter().any(|language| language.id == **id)) {
            Some(other) => self.fault(texts, format!("'{other}' is not one of the register's languages")),
            None => Ok(Label::new(label)),
        }
    }
}
