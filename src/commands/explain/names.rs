//! What cells, regions and numbers are called when they are explained, and which cell an operator means.

use anyhow::{Context, Result, anyhow, bail};

use super::super::protection::cell_nodes;
use super::Place;
use crate::{
    cube::grouped,
    register::{Axis, Definitions, Dimension, Label, Node, Role, TableAxis, Unit},
    worlds::Counted,
};

/// So many codes are suggested for one that does not exist.
const SUGGESTED: usize = 8;

/// Names of everything, in English where the register has it.
pub struct Names<'a> {
    definitions: &'a Definitions,
    counted: &'a [Counted<'a>],
    /// So many tables are published; behind them come those that never are.
    published: usize,
    /// Position of the language.
    language: usize,
}

impl<'a> Names<'a> {
    /// Names for tables, the first so many of which are published.
    pub fn new(definitions: &'a Definitions, counted: &'a [Counted<'a>], published: usize) -> Self {
        let english = definitions.languages.iter().position(|language| language.id.eq_ignore_ascii_case("en"));
        Self { definitions, counted, published, language: english.unwrap_or(0) }
    }

    fn text<'l>(&self, label: &'l Label) -> &'l str {
        label.text(self.language)
    }

    /// A cell as `table/code/code`, and what its codes mean.
    pub fn cell(&self, (table, cell): Place) -> String {
        let counted = &self.counted[table];
        let nodes: Vec<&Node> = cell_nodes(self.definitions, counted, cell).collect();
        let codes = nodes.iter().map(|node| node.code.as_str()).collect::<Vec<_>>().join("/");
        let labels = nodes.iter().map(|node| self.text(&node.label)).collect::<Vec<_>>().join(", ");
        if table < self.published {
            return format!("{}/{codes}  ({labels})", counted.table.id);
        }
        let records = match counted.table.unit {
            Unit::Person => "people",
            Unit::Household => "households",
        };
        format!("{codes}  ({labels}), in the list of {records} that is never published")
    }

    /// A category of a dimension: its name, code and level.
    pub fn node(&self, dimension: &Dimension, node: u32) -> String {
        let Node { code, label, level, .. } = &dimension.nodes[node as usize];
        format!("{} ({code}, {})", self.text(label), dimension.levels[usize::from(*level)].id)
    }

    /// A dimension: its name and identifier.
    pub fn dimension(&self, id: &str) -> String {
        self.definitions.dimension(id).map_or_else(|| id.to_owned(), |(_, dimension)| format!("{} ({id})", self.text(&dimension.label)))
    }

    /// The cell that an operator names: a table and a code for each of its axes.
    pub fn find(&self, name: &str) -> Result<Place> {
        let mut parts = name.split('/');
        let id = parts.next().unwrap_or_default();
        let published = &self.counted[..self.published];
        let known = || published.iter().map(|counted| counted.table.id.as_str()).collect::<Vec<_>>().join(", ");
        let found = published.iter().position(|counted| counted.table.id == id);
        let table = found.with_context(|| format!("there is no table '{id}'; there are {}", known()))?;
        let Counted { table: definition, shape, .. } = self.counted[table];
        let codes: Vec<&str> = parts.collect();
        if codes.len() != definition.axes.len() {
            bail!(
                "'{name}' has {}, but {id} has {}; a cell is named {}",
                number_of(codes.len(), "code", "codes"),
                number_of(definition.axes.len(), "axis", "axes"),
                self.pattern(table)
            );
        }
        let mut cell = 0;
        for (at, code) in codes.into_iter().enumerate() {
            let id = &definition.axes[at].dimension;
            let Some((_, dimension)) = self.definitions.dimension(id) else { bail!("there is no dimension '{id}'") };
            let position = node_of(dimension, code).and_then(|node| shape.axes[at].nodes.binary_search(&node).ok());
            let Some(position) = position else { return Err(self.unknown(table, at, dimension, code)) };
            cell += position as u64 * shape.strides[at];
        }
        Ok((table, cell))
    }

    /// How the cells of a table are named.
    fn pattern(&self, table: usize) -> String {
        let definition = self.counted[table].table;
        let axes: Vec<&str> = definition.axes.iter().map(|axis| axis.dimension.as_str()).collect();
        format!("{}/{}", definition.id, axes.join("/").to_uppercase())
    }

    /// Why a code names nothing on an axis, and what could have been meant.
    fn unknown(&self, table: usize, at: usize, dimension: &Dimension, code: &str) -> anyhow::Error {
        let Counted { table: definition, shape, .. } = self.counted[table];
        let (id, axis) = (&definition.id, &shape.axes[at]);
        let start = format!("{id} has no {} '{code}' (axis {} of {})", dimension.id, at + 1, definition.axes.len());
        if let Some(node) = node_of(dimension, code) {
            let level = &definition.axes[at].level;
            return anyhow!("{start}: {} is finer than the table, which goes down to the level '{level}'", self.node(dimension, node));
        }
        let listed = |nodes: &[&Node]| {
            let named = nodes.iter().take(SUGGESTED).map(|node| format!("{} ({})", node.code, self.text(&node.label)));
            let more = if nodes.len() > SUGGESTED { ", ..." } else { "" };
            named.collect::<Vec<_>>().join(", ") + more
        };
        let near = near(dimension, axis, code);
        let suggested = if near.is_empty() {
            let all: Vec<&Node> = axis.nodes.iter().take(SUGGESTED + 1).map(|&node| &dimension.nodes[node as usize]).collect();
            format!("it has {}", listed(&all))
        } else {
            format!("near it: {}", listed(&near))
        };
        let is_elsewhere = |(other, axis): &(usize, &TableAxis)| {
            *other != at && self.definitions.dimension(&axis.dimension).is_some_and(|(_, dimension)| node_of(dimension, code).is_some())
        };
        match definition.axes.iter().enumerate().find(is_elsewhere) {
            Some((_, other)) => {
                anyhow!("{start}; {suggested}; it is a code of {}: a cell is named {}", other.dimension, self.pattern(table))
            }
            None => anyhow!("{start}; {suggested}"),
        }
    }
}

/// A code without the dots and spaces that people write between its parts.
fn plain(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// The node that a code names; those of places may be written as the authority does, or with dots.
fn node_of(dimension: &Dimension, code: &str) -> Option<u32> {
    let position = |fits: &dyn Fn(&Node) -> bool| (0u32..).zip(&dimension.nodes).find(|(_, node)| fits(node)).map(|(at, _)| at);
    let exact = position(&|node| node.code == code);
    if exact.is_some() || dimension.role != Role::Geo {
        return exact;
    }
    let plain = plain(code);
    position(&|node| node.official.as_deref() == Some(code) || node.code == plain)
}

/// Nodes of an axis that an unknown code may have been meant for: those that are called so, else those whose codes begin alike, the codes of about
/// the same length first.
fn near<'d>(dimension: &'d Dimension, axis: &Axis, code: &str) -> Vec<&'d Node> {
    let all = || axis.nodes.iter().map(|&node| &dimension.nodes[node as usize]);
    let asked = code.to_lowercase();
    let called: Vec<&Node> = all().filter(|node| node.label.texts().any(|text| text.to_lowercase() == asked)).collect();
    if !called.is_empty() {
        return called;
    }
    let asked = if dimension.role == Role::Geo { plain(code) } else { code.to_owned() };
    let alike = |node: &Node| asked.chars().zip(node.code.chars()).take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count();
    let most = all().map(alike).max().unwrap_or(0);
    if most == 0 {
        return Vec::new();
    }
    let mut found: Vec<&Node> = all().filter(|node| alike(node) == most).collect();
    found.sort_by_key(|node| node.code.len().abs_diff(asked.len()));
    found
}

/// A number with what it counts.
pub fn number_of(count: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count as u64), if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::register::shipped;

    fn codes(found: &[&Node]) -> Vec<String> {
        found.iter().map(|node| node.code.clone()).collect()
    }

    #[test]
    fn codes_of_places_are_read_with_and_without_dots() {
        let definitions = Definitions::parse(&shipped(), None).unwrap();
        let (_, regions) = definitions.dimension("region").unwrap();
        let plain = node_of(regions, "3401012001").unwrap();
        assert_eq!(regions.nodes[plain as usize].official.as_deref(), Some("34.01.01.2001"));
        for written in ["34.01.01.2001", "34.01.012001", "34 01 01 2001"] {
            assert_eq!(node_of(regions, written), Some(plain), "{written}");
        }
        assert_eq!(node_of(regions, "ID"), Some(0));
        for nothing in ["", "...", "99.01", "34.01.01.2001.1"] {
            assert_eq!(node_of(regions, nothing), None, "{nothing}");
        }
        let (_, ages) = definitions.dimension("age").unwrap();
        assert!(node_of(ages, "Y0T4").is_some() && node_of(ages, "Y0.T4").is_none(), "only places are written with dots");
    }

    #[test]
    fn codes_that_do_not_exist_have_near_ones() {
        let definitions = Definitions::parse(&shipped(), None).unwrap();
        let (_, regions) = definitions.dimension("region").unwrap();
        let axis = regions.axis(regions.finest());
        let found = codes(&near(regions, &axis, "34.99"));
        assert_eq!(found[..2], ["3401", "3402"]);
        assert_eq!(codes(&near(regions, &axis, "temon"))[0], "340101");
        assert_eq!(codes(&near(regions, &axis, "XX")), Vec::<String>::new());
    }

    #[test]
    fn one_thing_is_not_several() {
        let said = [0, 1, 2, 1_234].map(|count| number_of(count, "axis", "axes"));
        assert_eq!(said, ["0 axes", "1 axis", "2 axes", "1 234 axes"]);
    }
}
