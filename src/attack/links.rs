//! Rows that join people and households: see [`crate::register::Links`].
//!
//! Every such row holds only as far as the register is what the definitions say, and some hold only under an assumption on people in no
//! counted household. A row that what is published contradicts is therefore given up, and counted.

use super::{
    Failure,
    cells::{Cells, IndexedTable, State},
    csr::Csr,
    heads::HeadRows,
    input::{Facts, MembersAt, Outside, PeopleOutside},
    rows::{Relation, Row},
};
use crate::{
    error::Error,
    register::{MembersLink, Unit},
};

/// More members than any household has; a limit beyond it is none.
const MOST_MEMBERS: u32 = 1_000_000;

/// What a link says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum LinkKind {
    /// Households have at least so many members in all.
    MembersLeast,
    /// Households have at most so many members in all, and the rest is known.
    MembersMost,
    /// Heads are people.
    Head,
}

#[derive(Debug, Clone)]
pub(super) struct LinkRow {
    pub kind: LinkKind,
    /// Position in [`crate::register::Links::members`]; nothing for heads.
    pub link: u16,
    /// The people, or the households whose heads are people; numbered among all cells.
    pub cell: u32,
    /// People outside that are counted on.
    outside: i64,
    /// Whether the row holds only if as many people live outside as is assumed.
    pub is_assumed: bool,
    terms: std::ops::Range<u32>,
    is_active: bool,
}

#[derive(Debug, Default)]
pub(super) struct LinkRows {
    rows: Vec<LinkRow>,
    /// Cells, numbered among all cells, and their coefficients.
    terms: Vec<(u32, i32)>,
    /// For each unknown the rows that it stands in.
    touching: Csr,
    /// Rows that were given up.
    contradicted: Vec<u32>,
}

impl LinkRows {
    /// Works out the rows of all publications that have an unknown, or that published cells contradict by themselves.
    pub fn new(facts: &Facts<'_>, cells: &Cells<'_>) -> Result<Self, Failure> {
        let mut rows = Self::default();
        for publication in 0..facts.publications.len() as u16 {
            let of_unit = |unit: Unit| -> Vec<&IndexedTable<'_>> {
                cells.tables().iter().filter(|table| table.publication == publication && table.table.unit == unit).collect()
            };
            let (people, households) = (of_unit(Unit::Person), of_unit(Unit::Household));
            for (number, link) in facts.links.members.iter().enumerate() {
                MembersRows { facts, cells, people: &people, households: &households, publication, number: number as u16, link }
                    .add(&mut rows)?;
            }
            let mut heads = HeadRows::new(facts, &people)?;
            for table in &households {
                heads.visit(table, |cell, terms| rows.push(LinkKind::Head, 0, cell, 0, terms, cells));
            }
        }
        let pairs = rows.rows.iter().zip(0u32..).flat_map(|(row, at)| {
            let of_row = &rows.terms[row.terms.start as usize..row.terms.end as usize];
            of_row.iter().filter_map(move |(cell, _)| match cells.state(*cell) {
                State::Unknown(unknown) => Some((unknown, at)),
                State::Known(_) => None,
            })
        });
        rows.touching = Csr::group(cells.unknowns(), pairs);
        Ok(rows)
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// A row.
    pub fn row(&self, at: u32) -> &LinkRow {
        &self.rows[at as usize]
    }

    /// Whether a row is held to be true.
    pub fn is_active(&self, at: u32) -> bool {
        self.rows[at as usize].is_active
    }

    /// Rows that an unknown stands in.
    pub fn touching(&self, unknown: u32) -> &[u32] {
        self.touching.of(unknown)
    }

    /// Rows that were given up, in part at least.
    pub fn contradicted(&self) -> &[u32] {
        &self.contradicted
    }

    pub(super) fn read(&self, at: u32, cells: &Cells<'_>, row: &mut Row) {
        row.relation = Relation::AtMost;
        let link = &self.rows[at as usize];
        if !link.is_active {
            return;
        }
        row.constant = match link.kind {
            LinkKind::MembersLeast => -link.outside,
            LinkKind::MembersMost => link.outside,
            LinkKind::Head => 0,
        };
        for &(cell, coefficient) in &self.terms[link.terms.start as usize..link.terms.end as usize] {
            row.add(cells.state(cell), i64::from(coefficient));
        }
    }

    /// Gives up what some rows assume, because it contradicts what is published: where there are rows that assume how many people live
    /// outside, that assumption, else the rows as such.
    pub fn give_up(&mut self, rows: &[u32]) {
        let assumes = |at: &&u32| {
            let row = &self.rows[**at as usize];
            row.is_active && row.is_assumed && (row.kind == LinkKind::MembersMost || row.outside > 0)
        };
        let outside: Vec<u32> = rows.iter().filter(assumes).copied().collect();
        for &at in if outside.is_empty() { rows } else { &outside } {
            let row = &mut self.rows[at as usize];
            if !row.is_active {
                continue;
            }
            if row.kind == LinkKind::MembersLeast && row.outside > 0 {
                row.outside = 0;
            } else {
                row.is_active = false;
            }
            self.contradicted.push(at);
        }
        self.contradicted.sort_unstable();
        self.contradicted.dedup();
    }

    fn push(&mut self, kind: LinkKind, link: u16, cell: u32, outside: i64, terms: &[(u32, i32)], cells: &Cells<'_>) {
        let start = self.terms.len() as u32;
        self.terms.extend_from_slice(terms);
        let is_assumed = kind == LinkKind::MembersMost || outside > 0;
        self.rows.push(LinkRow { kind, link, cell, outside, is_assumed, terms: start..self.terms.len() as u32, is_active: true });
        let at = self.rows.len() as u32 - 1;
        let mut row = Row::default();
        self.read(at, cells, &mut row);
        if row.terms.is_empty() && row.constant >= 0 {
            self.rows.pop();
            self.terms.truncate(start as usize);
        } else if row.terms.is_empty() {
            self.give_up(&[at]);
        }
    }
}

/// The rows of one link of one publication.
struct MembersRows<'f, 'a> {
    facts: &'f Facts<'a>,
    cells: &'f Cells<'a>,
    people: &'f [&'f IndexedTable<'a>],
    households: &'f [&'f IndexedTable<'a>],
    publication: u16,
    number: u16,
    link: &'f MembersLink,
}

impl MembersRows<'_, '_> {
    fn add(&self, rows: &mut LinkRows) -> Result<(), Failure> {
        let find = |id: &String| self.facts.dimensions.iter().position(|dimension| dimension.id == *id);
        // A dimension without a code list is one that no table shows.
        let Some(size) = find(&self.link.size) else { return Ok(()) };
        let Some(shared) = self.link.shared.iter().map(find).collect::<Option<Vec<_>>>() else { return Ok(()) };
        let sizes = self.facts.dimensions[size].base_leaves();
        if sizes.len() != self.link.members.len() {
            let problem = format!(
                "the link of '{}' knows {} sizes, the code list has {}; take links and code lists from the same definitions",
                self.link.size,
                self.link.members.len(),
                sizes.len()
            );
            return Err(Error::Input(problem).into());
        }
        let mut nodes = Vec::new();
        self.visit(&shared, &mut nodes, &mut |nodes| self.add_at(size, &sizes, nodes, rows));
        Ok(())
    }

    /// Calls `visit` with every combination of nodes of some dimensions that a table of households shows.
    fn visit(&self, dimensions: &[usize], nodes: &mut Vec<(usize, u32)>, visit: &mut impl FnMut(&[(usize, u32)])) {
        let Some((&dimension, rest)) = dimensions.split_first() else { return visit(nodes) };
        let axes = self.households.iter().flat_map(|table| table.dimensions.iter().zip(&table.shape.axes));
        let finest = axes.filter(|(of_axis, _)| **of_axis == dimension).map(|(_, axis)| axis).max_by_key(|axis| axis.nodes.len());
        for node in finest.map_or(&[0][..], |axis| &axis.nodes) {
            nodes.push((dimension, *node));
            self.visit(rest, nodes, visit);
            nodes.pop();
        }
    }

    fn add_at(&self, size: usize, sizes: &[u32], nodes: &[(usize, u32)], rows: &mut LinkRows) {
        let Some(people) = self.people.iter().find_map(|table| table.find(nodes)) else { return };
        let mut at = nodes.to_vec();
        let of_sizes = |table: &&IndexedTable<'_>| {
            let mut of_size = |leaf: &u32| {
                at.truncate(nodes.len());
                at.push((size, *leaf));
                table.find(&at)
            };
            sizes.iter().map(&mut of_size).collect::<Option<Vec<u32>>>()
        };
        let Some(households) = self.households.iter().find_map(of_sizes) else { return };
        let outside = match self.facts.outside {
            Outside::Nobody => Some(PeopleOutside::exactly(0)),
            Outside::Unknown => None,
            Outside::Known(known) => {
                let nodes: Vec<u32> = nodes.iter().map(|(_, node)| *node).collect();
                known(MembersAt { publication: self.publication, link: self.number, nodes: &nodes })
            }
        };
        let members = households.iter().zip(&self.link.members);
        let mut least: Vec<(u32, i32)> = members
            .clone()
            .map(|(cell, members)| (*cell, members.least.min(MOST_MEMBERS) as i32))
            .filter(|(_, least)| *least > 0)
            .collect();
        least.push((people, -1));
        rows.push(LinkKind::MembersLeast, self.number, people, outside.map_or(0, |outside| outside.least), &least, self.cells);
        let Some(outside) = outside else { return };
        let mut most = vec![(people, 1)];
        for (&cell, members) in members {
            match members.most.filter(|most| *most <= MOST_MEMBERS) {
                Some(0) => {}
                Some(limit) => most.push((cell, -(limit as i32))),
                None if self.cells.state(cell) == State::Known(0) => {}
                None => return,
            }
        }
        rows.push(LinkKind::MembersMost, self.number, people, outside.most, &most, self.cells);
    }
}
