//! The equations and inequalities: how they are named, read and enumerated.
//!
//! ```text
//! sum            cell - cells right below it along one axis = 0           worked out from the structure of the table, never stored
//! members least  sum of least members x households - people <= -outside    see `links`
//! members most   people - sum of most members x households <= outside
//! head           households of heads at some nodes - people there <= 0
//! ```

use super::{
    cells::{Cells, IndexedTable, State, unknown_of},
    links::LinkRows,
};

/// Whether terms add up to a number, or to that number at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Relation {
    Equal,
    AtMost,
}

/// The name of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct RowId(u64);

/// What a [`RowId`] names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowKey {
    /// The sum below a cell along an axis of its table; the cell is numbered among all cells.
    Sum { axis: usize, parent: u32 },
    /// A row of [`LinkRows`].
    Link(u32),
}

const LINK: u64 = 1 << 40;

impl RowId {
    pub fn sum(axis: usize, parent: u32) -> Self {
        Self((axis as u64) << 32 | u64::from(parent))
    }

    pub fn link(at: u32) -> Self {
        Self(LINK | u64::from(at))
    }

    /// The name as a number below 2^41, and back.
    pub fn number(self) -> u64 {
        self.0
    }

    pub fn numbered(number: u64) -> Self {
        Self(number)
    }

    pub fn key(self) -> RowKey {
        match self.0 & LINK {
            0 => RowKey::Sum { axis: (self.0 >> 32) as usize, parent: self.0 as u32 },
            _ => RowKey::Link(self.0 as u32),
        }
    }
}

/// A row over unknowns: `sum of coefficient x unknown (= | <=) constant`. Known cells are part of the constant.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub terms: Vec<(u32, i64)>,
    pub relation: Relation,
    pub constant: i64,
}

impl Default for Row {
    fn default() -> Self {
        Self { terms: Vec::new(), relation: Relation::Equal, constant: 0 }
    }
}

impl Row {
    pub(super) fn add(&mut self, state: State, coefficient: i64) {
        match state {
            State::Known(count) => self.constant -= coefficient * i64::from(count),
            State::Unknown(unknown) => self.terms.push((unknown, coefficient)),
        }
    }
}

/// All rows of the facts.
#[derive(Debug)]
pub(super) struct System<'a> {
    pub cells: Cells<'a>,
    pub links: LinkRows,
}

impl System<'_> {
    /// Reads a row; one whose assumption was given up has no terms.
    pub fn read(&self, id: RowId, row: &mut Row) {
        row.terms.clear();
        row.constant = 0;
        match id.key() {
            RowKey::Sum { axis, parent } => {
                row.relation = Relation::Equal;
                let table = self.cells.table_of(parent);
                let (stride, nodes) = (table.shape.strides[axis] as u32, table.shape.axes[axis].nodes.len() as u32);
                let position = (parent - table.first) / stride % nodes;
                row.add(self.cells.state(parent), 1);
                for child in table.children[axis].of(position) {
                    row.add(self.cells.state(parent + (child - position) * stride), -1);
                }
            }
            RowKey::Link(at) => self.links.read(at, &self.cells, row),
        }
    }

    /// Calls `visit` for every row that an unknown stands in, perhaps more than once.
    pub fn rows_of(&self, unknown: u32, mut visit: impl FnMut(RowId)) {
        for &cell in self.cells.places(unknown) {
            let table = self.cells.table_of(cell);
            let within = cell - table.first;
            for (at, (axis, stride)) in table.shape.axes.iter().zip(&table.shape.strides).enumerate() {
                let stride = *stride as u32;
                let position = within / stride % axis.nodes.len() as u32;
                if !table.children[at].of(position).is_empty() {
                    visit(RowId::sum(at, cell));
                }
                if let Some(parent) = axis.parents[position as usize] {
                    visit(RowId::sum(at, cell - (position - parent) * stride));
                }
            }
        }
        for &link in self.links.touching(unknown) {
            if self.links.is_active(link) {
                visit(RowId::link(link));
            }
        }
    }

    /// Calls `visit` for every sum that has an unknown, and `broken` for each without that does not add up.
    pub fn sums(&self, mut visit: impl FnMut(RowId, &Row), mut broken: impl FnMut(u32)) {
        let mut row = Row::default();
        for table in self.cells.tables() {
            for axis in 0..table.shape.axes.len() {
                self.sums_along(table, axis, &mut row, &mut visit, &mut broken);
            }
        }
    }

    fn sums_along(
        &self,
        table: &IndexedTable<'_>,
        axis: usize,
        row: &mut Row,
        visit: &mut impl FnMut(RowId, &Row),
        broken: &mut impl FnMut(u32),
    ) {
        let states = self.cells.states();
        let (stride, nodes) = (table.shape.strides[axis] as u32, table.shape.axes[axis].nodes.len() as u32);
        let children = &table.children[axis];
        let end = table.first + table.shape.cells as u32;
        for block in (table.first..end).step_by((nodes * stride) as usize) {
            for position in (0..nodes).filter(|position| !children.of(*position).is_empty()) {
                for parent in block + position * stride..block + (position + 1) * stride {
                    let above = states[parent as usize];
                    let mut has_unknown = unknown_of(above).is_some();
                    let mut sum = 0u64;
                    for child in children.of(position) {
                        let state = states[(parent + (child - position) * stride) as usize];
                        has_unknown |= unknown_of(state).is_some();
                        sum += u64::from(state);
                    }
                    if has_unknown {
                        let id = RowId::sum(axis, parent);
                        self.read(id, row);
                        visit(id, row);
                    } else if sum != u64::from(above) {
                        broken(parent);
                    }
                }
            }
        }
    }
}
