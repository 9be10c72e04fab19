//! Which cells are published, and which are one count.

use rustc_hash::FxHashMap;

use super::super::input::{CellRef, Facts, SameCount};
use crate::{
    error::{Error, Result},
    register::{Axis, Shape, Status, Table, Unit},
};

/// A count as a checker sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    /// It is published.
    Known(u32),
    /// It is not; the first cell that shows it stands for it.
    Unknown(CellRef),
}

/// A table of one publication.
pub(super) struct ShownTable<'a> {
    pub publication: u16,
    pub number: u16,
    pub unit: Unit,
    pub shape: &'a Shape,
    /// For each axis the number of its dimension.
    pub dimensions: Vec<usize>,
    published: Option<(&'a [Status], &'a [u32])>,
    zeros: Option<&'a crate::register::ZeroMask>,
}

impl ShownTable<'_> {
    /// The node of each dimension that a cell is not at the total of.
    pub fn nodes(&self, cell: u32) -> Vec<(usize, u32)> {
        let axes = self.dimensions.iter().zip(self.shape.axes.iter().zip(&self.shape.strides));
        let node = |(dimension, (axis, stride)): (&usize, (&std::sync::Arc<Axis>, &u64))| {
            (*dimension, axis.nodes[(u64::from(cell) / stride % axis.nodes.len() as u64) as usize])
        };
        axes.map(node).filter(|(_, node)| *node != 0).collect()
    }

    /// The cell at some nodes, all other dimensions at their total.
    pub fn cell(&self, nodes: &[(usize, u32)]) -> Option<CellRef> {
        let mut cell = 0;
        for (dimension, node) in nodes.iter().filter(|(_, node)| *node != 0) {
            let axis = self.dimensions.iter().position(|shown| shown == dimension)?;
            let position = self.shape.axes[axis].nodes.binary_search(node).ok()?;
            cell += position as u64 * self.shape.strides[axis];
        }
        Some(CellRef { publication: self.publication, table: self.number, cell: cell as u32 })
    }

    /// The count of a cell, if it is published or cannot be but 0.
    fn known(&self, cell: u32) -> Option<u32> {
        match self.published {
            Some((statuses, counts)) => match statuses[cell as usize] {
                Status::Published => Some(counts[cell as usize]),
                Status::Impossible => Some(0),
                Status::Suppressed => None,
            },
            None => self.zeros.filter(|zeros| zeros.covers(&self.shape.coordinates(u64::from(cell)))).map(|_| 0),
        }
    }
}

/// All tables of all publications.
pub(super) struct Tables<'a> {
    tables: Vec<ShownTable<'a>>,
    same_count: &'a SameCount<'a>,
    /// What was found of cells that are withheld.
    withheld: FxHashMap<CellRef, Count>,
}

impl<'a> Tables<'a> {
    pub fn new(facts: &Facts<'a>) -> Result<Self> {
        let mut tables = Vec::new();
        for (publication, shown) in (0..).zip(facts.publications) {
            let published = shown.tables.iter().map(|table| (table.table, table.shape, Some((table.statuses, table.counts)), None));
            let joint = shown.joint.iter().map(|table| (table.table, table.shape, None, table.zeros));
            for (number, (table, shape, published, zeros)) in (0..).zip(published.chain(joint)) {
                let is_whole =
                    |(statuses, counts): &(&[Status], &[u32])| statuses.len() as u64 == shape.cells && counts.len() == statuses.len();
                if !published.as_ref().is_none_or(is_whole) {
                    return Err(Error::Input(format!("table {} has another number of cells than its code lists", table.id)));
                }
                let dimensions = dimensions(facts, table)?;
                tables.push(ShownTable { publication, number, unit: table.unit, shape, dimensions, published, zeros });
            }
        }
        Ok(Self { tables, same_count: facts.same_count, withheld: FxHashMap::default() })
    }

    /// The tables of a publication and unit, published ones first.
    pub fn of(&self, publication: u16, unit: Unit) -> impl Iterator<Item = &ShownTable<'a>> + Clone {
        self.tables.iter().filter(move |table| table.publication == publication && table.unit == unit)
    }

    /// The table of a cell.
    pub fn table(&self, cell: CellRef) -> Result<&ShownTable<'a>> {
        let found = self.tables.iter().find(|table| (table.publication, table.number) == (cell.publication, cell.table));
        let found = found.filter(|table| u64::from(cell.cell) < table.shape.cells);
        found.ok_or_else(|| Error::Input("there is no such cell".into()))
    }

    /// What is known of a cell.
    pub fn count(&mut self, cell: CellRef) -> Result<Count> {
        if let Some(known) = self.table(cell)?.known(cell.cell) {
            return Ok(Count::Known(known));
        }
        if let Some(count) = self.withheld.get(&cell) {
            return Ok(*count);
        }
        let cells = self.same_cells(cell)?;
        let mut count = None;
        for &same in &cells {
            match (self.table(same)?.known(same.cell), count) {
                (Some(known), Some(other)) if known != other => {
                    return Err(Error::Input("two tables or revisions publish different counts of one cell".into()));
                }
                (Some(known), _) => count = Some(known),
                (None, _) => {}
            }
        }
        let first = cells.iter().min().copied().unwrap_or(cell);
        let count = count.map_or(Count::Unknown(first), Count::Known);
        for same in cells {
            self.withheld.insert(same, count);
        }
        Ok(count)
    }

    /// All cells that show the same count as a cell, that cell included.
    fn same_cells(&self, cell: CellRef) -> Result<Vec<CellRef>> {
        let table = self.table(cell)?;
        let nodes = table.nodes(cell.cell);
        let mut left: Vec<CellRef> =
            self.tables.iter().filter(|other| other.unit == table.unit).filter_map(|other| other.cell(&nodes)).collect();
        left.retain(|other| *other != cell);
        let mut same = vec![cell];
        let mut next = 0;
        while let Some(&one) = same.get(next) {
            next += 1;
            let (joined, others) =
                left.into_iter().partition(|other| other.publication == one.publication || (self.same_count)(one, *other));
            left = others;
            same.extend::<Vec<CellRef>>(joined);
        }
        Ok(same)
    }
}

fn dimensions(facts: &Facts<'_>, table: &Table) -> Result<Vec<usize>> {
    let number = |axis: &crate::register::TableAxis| facts.dimensions.iter().position(|dimension| dimension.id == axis.dimension);
    let found: Option<Vec<usize>> = table.axes.iter().map(number).collect();
    found.ok_or_else(|| Error::Input(format!("table {} names a dimension of which there is no code list", table.id)))
}
