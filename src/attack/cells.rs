//! Which cells are unknown, and which of them are one number.
//!
//! All cells of all tables of all publications stand behind one numbering, as a `u32` each: a count, or the number of an unknown. A cell
//! that several tables show, or several revisions with the same count, is known as soon as one of them publishes it, and is one unknown
//! otherwise.

use std::{collections::HashMap, sync::Arc};

use super::{
    Failure,
    csr::Csr,
    input::{CellRef, Facts},
    sets::Sets,
};
use crate::{
    error::Error,
    register::{Axis, Shape, Status, Table, Unit},
};

/// The bit that marks an unknown.
const UNKNOWN: u32 = 1 << 31;
/// No position on another axis; no count.
const NONE: u32 = u32::MAX;

/// What is known of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Its count.
    Known(u32),
    /// The number of the unknown that it is.
    Unknown(u32),
}

/// A table, with what it takes to walk along its axes.
#[derive(Debug)]
pub(super) struct IndexedTable<'a> {
    pub publication: u16,
    /// Number within its publication, as in [`CellRef::table`].
    pub number: u16,
    pub is_joint: bool,
    pub table: &'a Table,
    pub shape: &'a Shape,
    /// Position in [`Facts::dimensions`] of the dimension of each axis.
    pub dimensions: Vec<usize>,
    /// For each axis the positions right below each position.
    pub children: Vec<Arc<Csr>>,
    /// Number of its first cell among all cells.
    pub first: u32,
}

impl IndexedTable<'_> {
    /// The cell at these nodes (positions in their dimensions), dimensions that are not named at their total; `None` if the table does
    /// not show it. The number is one among all cells.
    pub fn find(&self, nodes: &[(usize, u32)]) -> Option<u32> {
        if nodes.iter().any(|(dimension, node)| *node != 0 && !self.dimensions.contains(dimension)) {
            return None;
        }
        let mut cell = 0;
        for ((axis, stride), dimension) in self.shape.axes.iter().zip(&self.shape.strides).zip(&self.dimensions) {
            if let Some((_, node)) = nodes.iter().find(|(named, node)| named == dimension && *node != 0) {
                cell += axis.nodes.binary_search(node).ok()? as u64 * stride;
            }
        }
        Some(self.first + cell as u32)
    }
}

/// All cells of all tables.
#[derive(Debug)]
pub(super) struct Cells<'a> {
    tables: Vec<IndexedTable<'a>>,
    states: Vec<u32>,
    /// For each unknown the cells that it is, as numbers among all cells.
    places: Csr,
}

impl<'a> Cells<'a> {
    /// Numbers the unknowns.
    pub fn new(facts: &Facts<'a>) -> Result<Self, Failure> {
        let tables = index(facts)?;
        let mut states = states(facts, &tables)?;
        let unknowns = merge(facts, &tables, &mut states)?;
        let places = Csr::group(unknowns, states.iter().zip(0u32..).filter_map(|(&state, cell)| Some((unknown_of(state)?, cell))));
        Ok(Self { tables, states, places })
    }

    /// The tables.
    pub fn tables(&self) -> &[IndexedTable<'a>] {
        &self.tables
    }

    /// Number of unknowns.
    pub fn unknowns(&self) -> usize {
        self.places.len()
    }

    /// The states of all cells, for loops that cannot do with [`Cells::state`]: see [`unknown_of`].
    pub fn states(&self) -> &[u32] {
        &self.states
    }

    /// What is known of a cell.
    pub fn state(&self, cell: u32) -> State {
        let state = self.states[cell as usize];
        unknown_of(state).map_or(State::Known(state), State::Unknown)
    }

    /// The cells that an unknown is, as numbers among all cells.
    pub fn places(&self, unknown: u32) -> &[u32] {
        self.places.of(unknown)
    }

    /// The table that a cell belongs to.
    pub fn table_of(&self, cell: u32) -> &IndexedTable<'a> {
        let at = self.tables.partition_point(|table| table.first <= cell);
        &self.tables[at - 1]
    }

    /// A cell as others name it.
    pub fn reference(&self, cell: u32) -> CellRef {
        let table = self.table_of(cell);
        CellRef { publication: table.publication, table: table.number, cell: cell - table.first }
    }

    /// The number among all cells of a cell; `None` if there is no such cell.
    pub fn number(&self, cell: CellRef) -> Option<u32> {
        let at = self.tables.binary_search_by_key(&(cell.publication, cell.table), |table| (table.publication, table.number)).ok()?;
        let table = &self.tables[at];
        (u64::from(cell.cell) < table.shape.cells).then(|| table.first + cell.cell)
    }
}

/// The unknown that a state stands for; `None` if the state is a count.
pub(super) fn unknown_of(state: u32) -> Option<u32> {
    (state & UNKNOWN != 0).then_some(state & !UNKNOWN)
}

fn index<'a>(facts: &Facts<'a>) -> Result<Vec<IndexedTable<'a>>, Failure> {
    let mut tables = Vec::new();
    let mut first = 0u64;
    // Axes of the same dimension and length are cut at the same level.
    let mut known: HashMap<(usize, usize), Arc<Csr>> = HashMap::new();
    for (publication, published) in facts.publications.iter().enumerate() {
        let shown = published.tables.iter().map(|table| (table.table, table.shape, false));
        let joint = published.joint.iter().map(|table| (table.table, table.shape, true));
        for (number, (table, shape, is_joint)) in shown.chain(joint).enumerate() {
            let mut dimensions = Vec::with_capacity(table.axes.len());
            let mut children = Vec::with_capacity(table.axes.len());
            for (table_axis, axis) in table.axes.iter().zip(&shape.axes) {
                let found = facts.dimensions.iter().position(|dimension| dimension.id == table_axis.dimension);
                let Some(at) = found else {
                    let problem =
                        format!("table {} names the dimension '{}', of which there is no code list", table.id, table_axis.dimension);
                    return Err(Error::Input(problem).into());
                };
                dimensions.push(at);
                children.push(Arc::clone(known.entry((at, axis.nodes.len())).or_insert_with(|| Arc::new(below(axis)))));
            }
            let start = first as u32;
            first += shape.cells;
            if first > u64::from(UNKNOWN) {
                return Err(Error::Input(format!("more than {UNKNOWN} cells; attack fewer revisions at once")).into());
            }
            let (publication, number) = (publication as u16, number as u16);
            tables.push(IndexedTable { publication, number, is_joint, table, shape, dimensions, children, first: start });
        }
    }
    Ok(tables)
}

/// For each position on an axis those right below it.
fn below(axis: &Axis) -> Csr {
    Csr::group(axis.nodes.len(), axis.parents.iter().zip(0u32..).filter_map(|(parent, at)| Some(((*parent)?, at))))
}

/// What each publication by itself says of its cells. Unknowns are numbered one by one.
fn states(facts: &Facts<'_>, tables: &[IndexedTable<'_>]) -> Result<Vec<u32>, Failure> {
    let cells = tables.last().map_or(0, |table| u64::from(table.first) + table.shape.cells);
    let mut states = Vec::with_capacity(cells as usize);
    let mut unknowns = 0;
    let mut unknown = || {
        unknowns += 1;
        UNKNOWN | (unknowns - 1)
    };
    for indexed in tables {
        let publication = &facts.publications[usize::from(indexed.publication)];
        let number = usize::from(indexed.number);
        if let Some(table) = publication.tables.get(number) {
            if table.statuses.len() as u64 != table.shape.cells || table.counts.len() != table.statuses.len() {
                return Err(Error::Input(format!("table {} has another number of cells than its code lists", table.table.id)).into());
            }
            for (status, &count) in table.statuses.iter().zip(table.counts) {
                states.push(match status {
                    Status::Published if count & UNKNOWN != 0 => {
                        return Err(Error::Input(format!("table {} has a count of {count}, more than can be", table.table.id)).into());
                    }
                    Status::Published => count,
                    Status::Impossible => 0,
                    Status::Suppressed => unknown(),
                });
            }
        } else {
            let zeros = publication.joint[number - publication.tables.len()].zeros.filter(|zeros| !zeros.is_empty());
            for cell in 0..indexed.shape.cells {
                let is_zero = zeros.is_some_and(|zeros| zeros.covers(&indexed.shape.coordinates(cell)));
                states.push(if is_zero { 0 } else { unknown() });
            }
        }
    }
    Ok(states)
}

/// How the cells of one table are found in another.
struct Counterpart {
    table: usize,
    /// For each axis of the first table the positions on the axis of the other one, [`NONE`] where it lacks the node, and the distance
    /// of neighbours there. Where the other table has no such axis, it shows the total alone.
    axes: Vec<Option<(Arc<Vec<u32>>, u64)>>,
}

impl Counterpart {
    fn find(&self, positions: &[u32]) -> Option<u32> {
        let mut cell = 0;
        for (axis, &position) in self.axes.iter().zip(positions) {
            match axis {
                Some((map, stride)) => match map[position as usize] {
                    NONE => return None,
                    at => cell += u64::from(at) * stride,
                },
                None if position == 0 => {}
                None => return None,
            }
        }
        Some(cell as u32)
    }
}

fn counterparts(tables: &[IndexedTable<'_>]) -> Vec<Vec<Counterpart>> {
    let mut maps: HashMap<(usize, usize, usize), Arc<Vec<u32>>> = HashMap::new();
    let mut of_pair = |first: &IndexedTable<'_>, at: usize, second: &IndexedTable<'_>| {
        let axes = first.dimensions.iter().zip(&first.shape.axes).map(|(dimension, axis)| {
            let other = second.dimensions.iter().position(|other| other == dimension)?;
            let there = &second.shape.axes[other];
            let map = maps.entry((*dimension, axis.nodes.len(), there.nodes.len())).or_insert_with(|| {
                Arc::new(axis.nodes.iter().map(|node| there.nodes.binary_search(node).map_or(NONE, |at| at as u32)).collect())
            });
            Some((Arc::clone(map), second.shape.strides[other]))
        });
        Counterpart { table: at, axes: axes.collect() }
    };
    let unit = |table: &IndexedTable<'_>| -> Unit { table.table.unit };
    let others = |first: usize| {
        let same = tables.iter().enumerate().filter(move |(at, other)| *at != first && unit(other) == unit(&tables[first]));
        same.map(|(at, other)| of_pair(&tables[first], at, other)).collect::<Vec<_>>()
    };
    (0..tables.len()).map(others).collect()
}

/// Makes one unknown of cells that are one number, and none of those whose count another table or revision publishes; returns the
/// number of unknowns.
fn merge(facts: &Facts<'_>, tables: &[IndexedTable<'_>], states: &mut [u32]) -> Result<usize, Failure> {
    let count = states.iter().filter(|state| **state & UNKNOWN != 0).count();
    let mut roots = Roots { sets: Sets::new(count), counts: vec![NONE; count] };
    let reference = |at: usize, cell: u32| {
        let table = &tables[at];
        CellRef { publication: table.publication, table: table.number, cell: cell - table.first }
    };
    for (at, others) in counterparts(tables).iter().enumerate() {
        let table = &tables[at];
        let range = table.first..table.first + table.shape.cells as u32;
        for cell in range {
            let Some(unknown) = unknown_of(states[cell as usize]) else { continue };
            let positions = table.shape.coordinates(u64::from(cell - table.first));
            for other in others {
                let Some(found) = other.find(&positions) else { continue };
                let there = &tables[other.table];
                let (one, same) = (reference(at, cell), reference(other.table, found + there.first));
                if there.publication != table.publication && !(facts.same_count)(one, same) {
                    continue;
                }
                let agreed = match unknown_of(states[(found + there.first) as usize]) {
                    None => roots.set(unknown, states[(found + there.first) as usize]),
                    // Every pair comes by twice.
                    Some(same) if same < unknown => roots.join(unknown, same),
                    Some(_) => true,
                };
                if !agreed {
                    return Err(Failure::contradiction(vec![one, same], "two tables or revisions publish different counts of one cell"));
                }
            }
        }
    }
    let mut numbers = vec![NONE; count];
    let mut next = 0;
    for state in states.iter_mut().filter(|state| **state & UNKNOWN != 0) {
        let root = roots.sets.find(*state & !UNKNOWN) as usize;
        *state = match roots.counts[root] {
            NONE => {
                if numbers[root] == NONE {
                    numbers[root] = next;
                    next += 1;
                }
                UNKNOWN | numbers[root]
            }
            count => count,
        };
    }
    Ok(next as usize)
}

/// Sets of unknowns that are one number, with the count of each set where there is one.
struct Roots {
    sets: Sets,
    counts: Vec<u32>,
}

impl Roots {
    /// Notes a count; `false` if there is another one already.
    fn set(&mut self, at: u32, count: u32) -> bool {
        let root = self.sets.find(at) as usize;
        let known = self.counts[root];
        self.counts[root] = count;
        known == NONE || known == count
    }

    fn join(&mut self, a: u32, b: u32) -> bool {
        let (low, high) = self.sets.join(a, b);
        let count = self.counts[high as usize];
        low == high || count == NONE || self.set(low, count)
    }
}
