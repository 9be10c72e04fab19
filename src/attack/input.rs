//! What an attack is given: published facts, and what is assumed beside them.

use std::fmt;

use crate::register::{Dimension, Links, Shape, Status, Table, ZeroMask};

/// A table as one publication shows it.
#[derive(Debug, Clone, Copy)]
pub struct PublishedTable<'a> {
    /// The table.
    pub table: &'a Table,
    /// The numbering of its cells.
    pub shape: &'a Shape,
    /// What is said of each cell.
    pub statuses: &'a [Status],
    /// The count of each published cell. What stands here for other cells is never looked at.
    pub counts: &'a [u32],
}

/// A table of which nothing is published, though everybody knows that its cells are counts: see [`crate::register::joint_tables`].
#[derive(Debug, Clone, Copy)]
pub struct JointTable<'a> {
    /// The table.
    pub table: &'a Table,
    /// The numbering of its cells.
    pub shape: &'a Shape,
    /// Cells that cannot occur, where the definitions are known.
    pub zeros: Option<&'a ZeroMask>,
}

/// One revision of a period: everything that was published at once, of both units.
#[derive(Debug, Clone, Default)]
pub struct Publication<'a> {
    /// The published tables.
    pub tables: Vec<PublishedTable<'a>>,
    /// Joint tables of each unit.
    pub joint: Vec<JointTable<'a>>,
}

/// A cell of a table of a publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellRef {
    /// Position in [`Facts::publications`].
    pub publication: u16,
    /// Position in [`Publication::tables`]; joint tables come behind.
    pub table: u16,
    /// Number of the cell in the table's [`Shape`].
    pub cell: u32,
}

/// A place where sizes of households are compared with people.
#[derive(Debug, Clone, Copy)]
pub struct MembersAt<'n> {
    /// Position in [`Facts::publications`].
    pub publication: u16,
    /// Position in [`Links::members`].
    pub link: u16,
    /// For each of [`crate::register::MembersLink::shared`] the position of a node in its dimension.
    pub nodes: &'n [u32],
}

/// How many people in a place live in no counted household, as far as somebody knows; where both numbers are the same he knows it exactly.
/// They are below zero where households have more members than people live there, which contradicts the definitions and is counted all the
/// same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeopleOutside {
    /// So many at least.
    pub least: i64,
    /// So many at most.
    pub most: i64,
}

impl PeopleOutside {
    /// Nobody more and nobody less.
    pub fn exactly(people: i64) -> Self {
        Self { least: people, most: people }
    }
}

/// Tells how many people in a place live in no counted household; `None` where nobody knows.
pub type OutsideOf<'a> = dyn Fn(MembersAt<'_>) -> Option<PeopleOutside> + Sync + 'a;

/// What is assumed of people who live in no counted household.
#[derive(Clone, Copy)]
pub enum Outside<'a> {
    /// There are none.
    Nobody,
    /// Their number is known wherever the function tells one, and unknown elsewhere.
    Known(&'a OutsideOf<'a>),
    /// Nothing: there may be any number of them.
    Unknown,
}

impl fmt::Debug for Outside<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nobody => "Nobody",
            Self::Known(_) => "Known",
            Self::Unknown => "Unknown",
        })
    }
}

/// Tells whether two cells of different publications are known to have the same count. It is asked of cells with the same nodes only.
pub type SameCount<'a> = dyn Fn(CellRef, CellRef) -> bool + Sync + 'a;

/// Everything that is published of one period. It makes one system of equations and inequalities over the withheld counts.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The revisions, all over the same dimensions.
    pub publications: &'a [Publication<'a>],
    /// The dimensions.
    pub dimensions: &'a [Dimension],
    /// What people and households tell of each other.
    pub links: &'a Links,
    /// What is assumed of people in no counted household.
    pub outside: Outside<'a>,
    /// Which cells of two publications have the same count.
    pub same_count: &'a SameCount<'a>,
}

impl fmt::Debug for Facts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { publications, links, outside, .. } = self;
        f.debug_struct("Facts").field("publications", &publications.len()).field("links", links).field("outside", outside).finish()
    }
}

impl<'a> Facts<'a> {
    /// The table of a cell, published or joint, and its shape.
    pub fn table(&self, publication: u16, table: u16) -> Option<(&'a Table, &'a Shape)> {
        let publication = self.publications.get(usize::from(publication))?;
        let at = usize::from(table);
        let published = publication.tables.get(at).map(|table| (table.table, table.shape));
        published.or_else(|| publication.joint.get(at - publication.tables.len()).map(|table| (table.table, table.shape)))
    }

    /// The codes of a cell, one for each axis of its table, joined by slashes.
    pub fn codes(&self, cell: CellRef) -> String {
        let Some((table, shape)) = self.table(cell.publication, cell.table) else { return String::new() };
        let axes = table.axes.iter().zip(&shape.axes).zip(shape.coordinates(u64::from(cell.cell)));
        let code = |((table_axis, axis), position): ((&crate::register::TableAxis, &std::sync::Arc<crate::register::Axis>), u32)| {
            let dimension = self.dimensions.iter().find(|dimension| dimension.id == table_axis.dimension)?;
            Some(dimension.nodes.get(*axis.nodes.get(position as usize)? as usize)?.code.as_str())
        };
        axes.map(|axis| code(axis).unwrap_or("?")).collect::<Vec<_>>().join("/")
    }

    /// A cell as people name it: its table and its codes.
    pub fn describe(&self, cell: CellRef) -> String {
        let table = self.table(cell.publication, cell.table).map_or("?", |(table, _)| table.id.as_str());
        format!("{table}/{}", self.codes(cell))
    }
}
