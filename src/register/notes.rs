//! Reading notes for readers of tables.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::{
    Note, Table,
    definitions::{DefinitionError, Parsed, Text},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoteFile {
    pub text: Spanned<BTreeMap<String, String>>,
    #[serde(default)]
    mandatory: bool,
    dimension: Option<Spanned<String>>,
    node: Option<Spanned<String>>,
}

/// Whether what a note is about is in a table.
pub(super) fn concerns(note: &Note, table: &Table) -> bool {
    note.dimension.as_ref().is_none_or(|id| table.axes.iter().any(|axis| axis.dimension == *id))
}

/// Parses notes.
pub(super) fn notes(text: &Text<'_>, parsed: &[Parsed], files: &[NoteFile]) -> Result<Vec<Note>, DefinitionError> {
    let mut notes = Vec::with_capacity(files.len());
    for file in files {
        let found = match &file.dimension {
            None => None,
            Some(id) => match parsed.iter().find(|parsed| parsed.dimension.id == *id.get_ref()) {
                Some(found) => Some(found),
                None => return text.fault(id.span().start, format!("there is no dimension '{}'", id.get_ref())),
            },
        };
        match (&file.node, found) {
            (Some(node), Some(found)) => found.disjoint(text, std::slice::from_ref(node))?,
            (Some(node), None) => return text.fault(node.span().start, "expected the dimension of this node"),
            (None, _) => {}
        }
        notes.push(Note {
            text: text.label(&file.text)?,
            mandatory: file.mandatory,
            dimension: found.map(|found| found.dimension.id.clone()),
            node: file.node.as_ref().map(|node| node.get_ref().clone()),
        });
    }
    Ok(notes)
}
