//! Names of variables and categories, for whoever writes a table down.

use super::{
    codelists::CodeListKind,
    library::{Library, TableEntry},
    resolve::{CONTENTS, Chosen, Query, TIME, Variable},
};
use crate::{
    register::{Label, Measure},
    words,
};

/// One category of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Category<'a> {
    /// Its code.
    pub code: &'a str,
    /// Its name.
    pub label: &'a str,
}

impl Library {
    /// What a query chooses, in short: table, and of each variable the codes, or how many if they are many.
    pub fn summary(&self, query: &Query) -> String {
        /// Codes that are named.
        const NAMED: usize = 12;
        let entry = &self.tables[query.table];
        let chosen = self.variables(entry).map(|variable| {
            let codes = self.categories(query, variable, 0);
            let text = match codes.len() {
                0 => "-".to_owned(),
                many if many > NAMED => format!("{}..{} ({many})", codes[0].code, codes[many - 1].code),
                _ => codes.iter().map(|category| category.code).collect::<Vec<_>>().join(","),
            };
            format!("{}={text}", self.variable_code(entry, variable))
        });
        format!("{}: {}", entry.table.id, chosen.collect::<Vec<_>>().join(" "))
    }

    /// The codes of the regions that a query chooses.
    pub fn regions_of(&self, query: &Query) -> Vec<&str> {
        let entry = &self.tables[query.table];
        let chosen = entry.region(self).map(|axis| self.categories(query, Variable::Axis(axis), 0)).unwrap_or_default();
        chosen.into_iter().map(|category| category.code).collect()
    }

    /// The code of a table's variable.
    pub fn variable_code(&self, entry: &TableEntry, variable: Variable) -> &str {
        match variable {
            Variable::Axis(axis) => &self.dimensions[entry.axes[axis].dimension].variable,
            Variable::Contents => CONTENTS,
            Variable::Time => TIME,
        }
    }

    /// The name of a table's variable.
    pub fn variable_label(&self, entry: &TableEntry, variable: Variable, language: usize) -> &str {
        match variable {
            Variable::Axis(axis) => self.dimensions[entry.axes[axis].dimension].label.text(language),
            Variable::Contents => words::CONTENTS.text(self.tongue(language)),
            Variable::Time => words::PERIOD.text(self.tongue(language)),
        }
    }

    /// Every variable of a table: its axes, the measure, the period.
    pub fn variables(&self, entry: &TableEntry) -> impl Iterator<Item = Variable> + use<> {
        (0..entry.axes.len()).map(Variable::Axis).chain([Variable::Contents, Variable::Time])
    }

    /// The measure behind a category of a table's contents; `None` of the count.
    pub fn measure(&self, entry: &TableEntry, content: usize) -> Option<&Measure> {
        self.register.measures.get(*entry.measures.get(content.checked_sub(1)?)?)
    }

    /// Code and name of a category of a table's contents.
    pub fn contents<'a>(&'a self, entry: &'a TableEntry, content: usize) -> (&'a str, &'a Label) {
        match self.measure(entry, content) {
            Some(measure) => (&measure.code, &measure.label),
            None => (&entry.table.contents.code, &entry.table.contents.label),
        }
    }

    /// The categories that a query chooses of a variable, in order; those of an eliminated one are its total.
    pub fn categories(&self, query: &Query, variable: Variable, language: usize) -> Vec<Category<'_>> {
        let entry = &self.tables[query.table];
        match variable {
            Variable::Contents => {
                let category = |&at: &usize| {
                    let (code, label) = self.contents(entry, at);
                    Category { code, label: label.text(language) }
                };
                query.contents.iter().map(category).collect()
            }
            Variable::Time => {
                let category = |&release: &usize| Category { code: self.period(release), label: self.period_label(release, language) };
                query.releases.iter().map(category).collect()
            }
            Variable::Axis(axis) => {
                let dimension = &self.dimensions[entry.axes[axis].dimension];
                let node = |&at: &u32| {
                    let node = &dimension.nodes[at as usize];
                    Category { code: &node.code, label: node.label.text(language) }
                };
                match &query.axes[axis] {
                    Chosen::Eliminated => vec![node(&0)],
                    Chosen::Nodes { nodes, .. } => nodes.iter().map(node).collect(),
                    Chosen::Groups { codelist, groups } => match &self.codelists[*codelist].kind {
                        CodeListKind::Valueset(_) => Vec::new(),
                        CodeListKind::Aggregation(grouping) => {
                            let group = |&at: &u32| {
                                let group = &grouping.values[at as usize];
                                Category { code: &group.code, label: group.label.text(language) }
                            };
                            groups.iter().map(group).collect()
                        }
                    },
                }
            }
        }
    }

    /// For each chosen node of an axis the position, among those chosen, of the nearest chosen node above it.
    pub fn parents(&self, query: &Query, axis: usize) -> Vec<Option<usize>> {
        let Chosen::Nodes { nodes, .. } = &query.axes[axis] else { return Vec::new() };
        let all = &self.dimensions[self.tables[query.table].axes[axis].dimension].nodes;
        // Preorder: what is above a node and was chosen is still on the path that ends at the node before it.
        let mut path: Vec<usize> = Vec::new();
        let mut parents = Vec::with_capacity(nodes.len());
        for (position, &node) in nodes.iter().enumerate() {
            let mut above = all[node as usize].parent;
            while let Some(&last) = path.last() {
                while above.is_some_and(|above| above > nodes[last]) {
                    above = above.and_then(|above| all[above as usize].parent);
                }
                if above == Some(nodes[last]) {
                    break;
                }
                path.pop();
            }
            parents.push(path.last().copied());
            path.push(position);
        }
        parents
    }
}
