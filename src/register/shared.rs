//! Which cells of two tables are one cell.

use super::{Shape, Table};

/// How the cells of one table are found in another one of the same unit: a cell with the same nodes is the same cell, and a table without a
/// dimension has only its total.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedCells {
    /// For each axis of the first table and position on it the part of the cell number in the second table, or [`LACKING`].
    parts: Vec<Vec<u64>>,
    /// Distance between neighbours on each axis of the first table.
    strides: Vec<u64>,
    /// Cells that both have.
    cells: u64,
}

/// A table among others that has all cells of one, and where they are found in that one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoveringTable {
    /// Position of the table among the others.
    pub table: usize,
    /// `None`: it is the same table.
    cells: Option<SharedCells>,
}

impl CoveringTable {
    /// Finds a table that has all cells of another: the same table, or a finer one.
    pub fn find<'t>(tables: impl Iterator<Item = (&'t Table, &'t Shape)> + Clone, of: (&Table, &Shape)) -> Option<Self> {
        let same = tables.clone().position(|(table, shape)| table.id == of.0.id && shape == of.1);
        let whole = |(table, from): (usize, (&Table, &Shape))| {
            let cells = SharedCells::new(from, of)?;
            cells.covers(of.1).then_some(Self { table, cells: Some(cells) })
        };
        same.map(|table| Self { table, cells: None }).or_else(|| tables.enumerate().find_map(whole))
    }

    /// The number in the covered table of a cell of this one; `None` if it does not have it.
    pub fn cell(&self, cell: u64) -> Option<u64> {
        self.cells.as_ref().map_or(Some(cell), |cells| cells.cell(cell))
    }
}

/// The second table does not have the node.
const LACKING: u64 = u64::MAX;

impl SharedCells {
    /// Between two tables over the same dimensions; `None` if they are of different units.
    pub fn new(from: (&Table, &Shape), to: (&Table, &Shape)) -> Option<Self> {
        if from.0.unit != to.0.unit {
            return None;
        }
        let part = |(table_axis, axis): (&super::TableAxis, &std::sync::Arc<super::Axis>)| -> Vec<u64> {
            let other = to.0.axes.iter().position(|other| other.dimension == table_axis.dimension);
            let position = |(position, node): (usize, &u32)| match other {
                None if position == 0 => 0,
                None => LACKING,
                Some(at) => to.1.axes[at].nodes.binary_search(node).map_or(LACKING, |found| found as u64 * to.1.strides[at]),
            };
            axis.nodes.iter().enumerate().map(position).collect()
        };
        let parts: Vec<Vec<u64>> = from.0.axes.iter().zip(&from.1.axes).map(part).collect();
        let cells = parts.iter().map(|parts| parts.iter().filter(|part| **part != LACKING).count() as u64).product();
        Some(Self { parts, strides: from.1.strides.clone(), cells })
    }

    /// The number in the second table of the cell at these positions of the first; `None` if it does not have it.
    pub fn at(&self, positions: &[u32]) -> Option<u64> {
        self.parts.iter().zip(positions).try_fold(0, |sum, (parts, &position)| add(sum, parts[position as usize]))
    }

    /// The number in the second table of a cell of the first; `None` if it does not have it.
    pub fn cell(&self, cell: u64) -> Option<u64> {
        let parts = self.parts.iter().zip(&self.strides);
        parts.into_iter().try_fold(0, |sum, (parts, stride)| add(sum, parts[(cell / stride) as usize % parts.len()]))
    }

    /// Whether the first table has every cell of the second.
    pub fn covers(&self, to: &Shape) -> bool {
        self.cells == to.cells
    }

    /// Calls `visit` with the numbers of every cell that both have.
    pub fn each(&self, visit: &mut dyn FnMut(u64, u64)) {
        let choices: Vec<Vec<(u64, u64)>> = self
            .parts
            .iter()
            .zip(&self.strides)
            .map(|(parts, stride)| {
                (0u64..).zip(parts).filter(|(_, part)| **part != LACKING).map(|(position, part)| (position * stride, *part)).collect()
            })
            .collect();
        walk(&choices, 0, 0, visit);
    }
}

fn add(sum: u64, part: u64) -> Option<u64> {
    (part != LACKING).then(|| sum + part)
}

fn walk(choices: &[Vec<(u64, u64)>], first: u64, second: u64, visit: &mut dyn FnMut(u64, u64)) {
    match choices.split_first() {
        None => visit(first, second),
        Some((axis, rest)) => {
            for (a, b) in axis {
                walk(rest, first + a, second + b, visit);
            }
        }
    }
}
