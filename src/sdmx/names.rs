//! What things are called in SDMX.
//!
//! Identifiers become names of XML attributes and parts of keys, so they are written in capitals, digits and `_`: table
//! `population-single-age` is dataflow `POPULATION_SINGLE_AGE`, variable `MaritalStatus` is dimension `MARITAL_STATUS`.
//!
//! Codes stay as they are, because definitions allow letters, digits, `_` and `-` only, all of which SDMX allows too. A code of a
//! measure may hold more; whatever would break a key is written as `$` and two hexadecimal digits, and read back.

use std::borrow::Cow;

use super::components::{FIRST, LAST, RESERVED, Text};
use crate::{
    register::Label,
    tables::{Library, Query},
};

/// The version of every structure. Structures grow with new releases, so none of them is final.
pub const VERSION: &str = "1.0";

/// The identifiers of everything in a library.
#[derive(Debug)]
pub struct Names<'a> {
    /// The tables that are named.
    pub library: &'a Library,
    /// The agency that maintains all structures.
    pub agency: String,
    /// For each table its dataflow.
    pub flows: Vec<String>,
    /// For each dimension of the library its identifier.
    pub dimensions: Vec<String>,
    /// Every subject, each once.
    pub subjects: Vec<Named<'a>>,
    /// Every unit of measure, each once.
    pub units: Vec<Named<'a>>,
}

/// An identifier with a name for people.
#[derive(Debug)]
pub struct Named<'a> {
    pub id: String,
    pub label: &'a Label,
}

impl<'a> Names<'a> {
    /// Names everything in a library.
    pub fn new(library: &'a Library) -> Self {
        let english = library.register.languages.iter().position(|language| language.id.eq_ignore_ascii_case("en")).unwrap_or(0);
        let named = |labels: Vec<&'a Label>| {
            let ids = distinct(labels.iter().map(|label| label.text(english)), &[]);
            ids.into_iter().zip(labels).map(|(id, label)| Named { id, label }).collect()
        };
        Self {
            library,
            agency: identifier(&library.register.agency),
            flows: distinct(library.tables.iter().map(|entry| entry.table.id.as_str()), &[]),
            dimensions: distinct(library.dimensions.iter().map(|dimension| dimension.variable.as_str()), &RESERVED),
            subjects: named(once(library.tables.iter().map(|entry| &entry.table.subject))),
            units: named(once(units(library))),
        }
    }

    /// The position of a table by its dataflow or its own identifier, in any case.
    pub fn table(&self, flow: &str) -> Option<usize> {
        let own = |id: &String| id.eq_ignore_ascii_case(flow);
        let found = self.flows.iter().position(own);
        found.or_else(|| self.library.tables.iter().position(|entry| own(&entry.table.id)))
    }

    /// The data structure of a table.
    pub fn structure(&self, table: usize) -> String {
        format!("DSD_{}", self.flows[table])
    }

    /// The dimension of a table's axis.
    pub fn axis(&self, table: usize, axis: usize) -> &str {
        &self.dimensions[self.library.tables[table].axes[axis].dimension]
    }

    /// Every component of any table, each once, with its name.
    pub(super) fn components(&self) -> Vec<(&str, Text<'_>)> {
        let axes = self.dimensions.iter().zip(self.library.dimensions.iter());
        let axes = axes.map(|(id, dimension)| (id.as_str(), Text::Label(&dimension.label)));
        let own = |(id, phrase): (&'static str, _)| (id, Text::Phrase(phrase));
        std::iter::once(own(FIRST)).chain(axes).chain(LAST.map(own)).collect()
    }

    /// The subject of a table.
    pub fn subject(&self, table: usize) -> &str {
        find(&self.subjects, &self.library.tables[table].table.subject)
    }

    /// For each measure that a query chooses its unit.
    pub fn units_of(&self, query: &Query) -> Vec<&str> {
        let entry = &self.library.tables[query.table];
        let unit = |&content: &usize| match self.library.measure(entry, content) {
            Some(measure) => &measure.unit,
            None => &entry.table.contents.unit,
        };
        query.contents.iter().map(|content| find(&self.units, unit(content))).collect()
    }
}

/// The units of all counts and measures.
fn units(library: &Library) -> impl Iterator<Item = &Label> {
    let of_counts = library.tables.iter().map(|entry| &entry.table.contents.unit);
    of_counts.chain(library.register.measures.iter().map(|measure| &measure.unit))
}

fn find<'n>(all: &'n [Named<'_>], label: &Label) -> &'n str {
    all.iter().find(|named| named.label == label).map_or("", |named| named.id.as_str())
}

fn once<'a>(labels: impl Iterator<Item = &'a Label>) -> Vec<&'a Label> {
    let mut all: Vec<&Label> = Vec::new();
    for label in labels {
        if !all.contains(&label) {
            all.push(label);
        }
    }
    all
}

/// An identifier for each text; who comes later to the same one, or to a reserved one, gets a number behind it.
fn distinct<'t>(texts: impl Iterator<Item = &'t str>, reserved: &[&str]) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for text in texts {
        let plain = identifier(text);
        let numbered = (2..).map(|number| format!("{plain}_{number}"));
        let free = |id: &String| !ids.contains(id) && !reserved.contains(&id.as_str());
        let id = std::iter::once(plain.clone()).chain(numbered).find(free);
        ids.extend(id);
    }
    ids
}

/// A text as an identifier: `MaritalStatus` becomes `MARITAL_STATUS`.
fn identifier(text: &str) -> String {
    let mut id = String::with_capacity(text.len() + 4);
    let mut joint = false;
    for char in text.chars() {
        if joint && char.is_ascii_uppercase() {
            id.push('_');
        }
        joint = char.is_ascii_lowercase() || char.is_ascii_digit();
        id.push(if char.is_ascii_alphanumeric() { char.to_ascii_uppercase() } else { '_' });
    }
    if !id.starts_with(|first: char| first.is_ascii_uppercase()) {
        id.insert_str(0, "X_");
    }
    id
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'@')
}

/// A code as SDMX may write it.
pub fn encode(code: &str) -> Cow<'_, str> {
    if code.bytes().all(is_plain) {
        return Cow::Borrowed(code);
    }
    let byte = |byte: u8| if is_plain(byte) { char::from(byte).to_string() } else { format!("${byte:02X}") };
    Cow::Owned(code.bytes().map(byte).collect())
}

/// The code that was written so; `None` for what [`encode`] never writes.
pub fn decode(id: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(id.len());
    let mut rest = id.as_bytes();
    while let [first, after @ ..] = rest {
        if *first == b'$' {
            let (digits, after) = after.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = after;
        } else if is_plain(*first) {
            bytes.push(*first);
            rest = after;
        } else {
            return None;
        }
    }
    String::from_utf8(bytes).ok().filter(|code| !code.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::register::{Definitions, shipped};

    #[test]
    fn codes_that_break_keys_are_written_otherwise_and_read_back() {
        for (code, expect) in [("3471", "3471"), ("34.71", "34$2E71"), ("a+b$", "a$2Bb$24"), ("é", "$C3$A9"), ("Y_GE65", "Y_GE65")] {
            assert_eq!(encode(code), expect);
            assert_eq!(decode(expect).as_deref(), Some(code));
        }
        for wrong in ["", "a b", "$", "$2", "$GG", "a*", "$C3"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_code_of_the_shipped_definitions_stays_as_it_is() {
        let definitions = Definitions::parse(&shipped(), None).unwrap();
        let nodes = definitions.dimensions.iter().flat_map(|dimension| &dimension.nodes).map(|node| node.code.as_str());
        let counts = definitions.tables.iter().map(|table| table.contents.code.as_str());
        let measures = counts.chain(definitions.measures.iter().map(|measure| measure.code.as_str()));
        let mut codes = 0;
        for code in nodes.chain(measures) {
            assert_eq!(encode(code), code);
            codes += 1;
        }
        assert!(codes > 500);
    }

    #[test]
    fn identifiers_are_capitals_and_differ() {
        let ids = distinct(["MaritalStatus", "population-single-age", "2nd", "Freq", "maritalStatus", "é"].into_iter(), &["FREQ"]);
        assert_eq!(ids, ["MARITAL_STATUS", "POPULATION_SINGLE_AGE", "X_2ND", "FREQ_2", "MARITAL_STATUS_2", "X__"]);
    }
}
