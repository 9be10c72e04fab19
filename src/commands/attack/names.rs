//! What revisions, tables, axes and links are called in files of results.

use std::collections::HashMap;

use crate::attack::{CellRef, Facts, RowKind, RowName};

/// Names of everything that lines and ranges speak of, and what they stand for.
pub struct Names<'a> {
    /// The number of each revision.
    revisions: Vec<u32>,
    /// For each revision the identifiers of its tables, joint ones behind.
    tables: Vec<Vec<&'a str>>,
    /// For each revision and table the dimensions of its axes.
    axes: Vec<Vec<Vec<&'a str>>>,
    /// For each link of members what it is called: the dimension of sizes and those that members share.
    links: Vec<String>,
    by_table: HashMap<(u32, &'a str), (u16, u16)>,
}

impl<'a> Names<'a> {
    /// Names of some facts, whose revisions have these numbers.
    pub fn new(facts: &Facts<'a>, revisions: Vec<u32>) -> Self {
        let (mut tables, mut axes, mut by_table) = (Vec::new(), Vec::new(), HashMap::new());
        for (at, (publication, revision)) in (0..).zip(facts.publications.iter().zip(&revisions)) {
            let shown = publication.tables.iter().map(|table| table.table).chain(publication.joint.iter().map(|table| table.table));
            let all: Vec<_> = shown.collect();
            for (number, table) in (0..).zip(&all) {
                by_table.insert((*revision, table.id.as_str()), (at, number));
            }
            tables.push(all.iter().map(|table| table.id.as_str()).collect());
            axes.push(all.iter().map(|table| table.axes.iter().map(|axis| axis.dimension.as_str()).collect()).collect());
        }
        let links = facts.links.members.iter().map(|link| format!("{}:{}", link.size, link.shared.join("+"))).collect();
        Self { revisions, tables, axes, links, by_table }
    }

    /// The number of a revision by its position.
    pub fn number(&self, publication: u16) -> u32 {
        self.revisions[usize::from(publication)]
    }

    /// The number of the revision of a cell.
    pub fn revision(&self, cell: CellRef) -> u32 {
        self.number(cell.publication)
    }

    /// The identifier of the table of a cell.
    pub fn table(&self, cell: CellRef) -> &'a str {
        self.tables[usize::from(cell.publication)][usize::from(cell.table)]
    }

    /// A cell by the number of its revision, the identifier of its table and its row there.
    pub fn cell(&self, revision: u32, table: &str, row: u32) -> Option<CellRef> {
        let (publication, table) = *self.by_table.get(&(revision, table))?;
        Some(CellRef { publication, table, cell: row })
    }

    /// By what a row adds up: the dimension of a sum, the link of members, nothing for heads.
    pub fn by(&self, row: RowName) -> &str {
        let at = usize::from(row.by);
        match row.kind {
            RowKind::Sum => self.axes[usize::from(row.cell.publication)][usize::from(row.cell.table)][at],
            RowKind::MembersLeast | RowKind::MembersMost => &self.links[at],
            RowKind::Head => "",
        }
    }

    /// The row of a kind at a cell, by what it adds up.
    pub fn row(&self, kind: RowKind, cell: CellRef, by: &str) -> Option<RowName> {
        let number = match kind {
            RowKind::Sum => self.axes[usize::from(cell.publication)][usize::from(cell.table)].iter().position(|axis| *axis == by)?,
            RowKind::MembersLeast | RowKind::MembersMost => self.links.iter().position(|link| link == by)?,
            RowKind::Head => 0,
        };
        Some(RowName { kind, cell, by: number as u16 })
    }
}
