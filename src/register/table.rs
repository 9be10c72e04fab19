//! Tables: which dimensions are crossed, down to which level, and how their cells are numbered.

use std::{borrow::Borrow, ops::Range, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Axis, Dimension, Label};

/// What a table counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// People, each at the nodes of the own record.
    Person,
    /// Households, each at the nodes of its head's record and its size.
    Household,
}

/// What the numbers of a table are called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Code of the measure, such as `persons`.
    pub code: String,
    /// Name of the measure.
    pub label: Label,
    /// Name of the unit counted.
    pub unit: Label,
}

/// Something that readers of a table should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// What they should know.
    pub text: Label,
    /// Whether the numbers must not be shown without it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mandatory: bool,
    /// [`Dimension::id`] of the dimension that it is about; `None`: the whole table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimension: Option<String>,
    /// Code of the node of that dimension that it is about; `None`: all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
}

/// One dimension of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableAxis {
    /// [`Dimension::id`].
    pub dimension: String,
    /// Identifier of the finest level that the table shows.
    pub level: String,
}

/// A table: every combination of the nodes of its axes is one cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Identifier, such as `population`.
    pub id: String,
    /// Title for people.
    pub label: Label,
    /// A sentence on what the table holds.
    pub description: Label,
    /// Subject under which catalogues list the table.
    pub subject: Label,
    /// What is counted.
    pub unit: Unit,
    /// What the numbers are called.
    pub contents: Contents,
    /// The dimensions, first varying slowest.
    pub axes: Vec<TableAxis>,
    /// What readers should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
}

/// The numbering of a table's cells.
///
/// *Leaf cells* are the finest combinations, the ones that are counted; *cells* are all combinations of nodes, the
/// ones that are published. Both are numbered in mixed radix with the last axis varying fastest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// One axis for each of [`Table::axes`].
    pub axes: Vec<Arc<Axis>>,
    /// Distance between neighbours on each axis in the numbering of leaf cells.
    pub leaf_strides: Vec<u64>,
    /// Distance between neighbours on each axis in the numbering of cells.
    pub strides: Vec<u64>,
    /// Number of leaf cells.
    pub leaf_cells: u64,
    /// Number of cells.
    pub cells: u64,
}

/// Tables beyond this many cells are refused: their cell numbers would not fit the counting arrays.
pub const MOST_CELLS: u64 = 1 << 31;

/// Why a table's cells cannot be numbered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// An axis names a dimension that is not defined.
    #[error("there is no dimension '{0}'")]
    NoDimension(String),
    /// An axis names a level that its dimension lacks.
    #[error("dimension '{dimension}' has no level '{level}'; it has {known}")]
    NoLevel {
        /// The dimension.
        dimension: String,
        /// The level asked for.
        level: String,
        /// The levels there are.
        known: String,
    },
    /// More cells than can be numbered.
    #[error("more than {MOST_CELLS} cells; use coarser levels or fewer dimensions")]
    TooLarge,
}

impl Shape {
    /// Numbers the cells of a table over these dimensions.
    pub fn new(table: &Table, dimensions: &[Dimension]) -> Result<Self, ShapeError> {
        Self::of(spread(table, dimensions)?.into_iter().map(|(dimension, level)| Arc::new(dimension.axis(level))).collect())
    }

    /// Numbers the cells of a table with these axes.
    pub(super) fn of(axes: Vec<Arc<Axis>>) -> Result<Self, ShapeError> {
        let (leaf_strides, leaf_cells) = strides(axes.iter().map(|axis| axis.leaves.len()))?;
        let (strides, cells) = strides(axes.iter().map(|axis| axis.nodes.len()))?;
        Ok(Self { axes, leaf_strides, strides, leaf_cells, cells })
    }

    /// How the cells of a table are numbered, without the rest of its shape: the distance between neighbours on each axis, and how many
    /// cells there are.
    ///
    /// # Errors
    /// As [`Shape::new`].
    pub fn numbering<D: Borrow<Dimension>>(table: &Table, dimensions: &[D]) -> Result<(Vec<u64>, u64), ShapeError> {
        strides(spread(table, dimensions)?.into_iter().map(|(dimension, level)| dimension.size(level)))
    }

    /// The node positions (on each axis) of a cell.
    pub fn coordinates(&self, cell: u64) -> Vec<u32> {
        self.axes.iter().zip(&self.strides).map(|(axis, stride)| (cell / stride % axis.nodes.len() as u64) as u32).collect()
    }
}

/// The dimension and the level of each axis of a table.
fn spread<'d, D: Borrow<Dimension>>(table: &Table, dimensions: &'d [D]) -> Result<Vec<(&'d Dimension, u8)>, ShapeError> {
    let find = |TableAxis { dimension, level }: &TableAxis| {
        let mut all = dimensions.iter().map(Borrow::borrow);
        let found = all.find(|candidate| candidate.id == *dimension).ok_or_else(|| ShapeError::NoDimension(dimension.clone()))?;
        let at = found.level(level).ok_or_else(|| ShapeError::NoLevel {
            dimension: dimension.clone(),
            level: level.clone(),
            known: found.levels.iter().map(|level| level.id.as_str()).collect::<Vec<_>>().join(", "),
        })?;
        Ok((found, at))
    };
    table.axes.iter().map(find).collect()
}

fn strides(sizes: impl DoubleEndedIterator<Item = usize> + ExactSizeIterator) -> Result<(Vec<u64>, u64), ShapeError> {
    let mut strides = vec![1; sizes.len()];
    let mut total = 1u64;
    for (at, size) in sizes.enumerate().rev().collect::<Vec<_>>() {
        strides[at] = total;
        total = total.checked_mul(size as u64).filter(|total| *total <= MOST_CELLS).ok_or(ShapeError::TooLarge)?;
    }
    Ok((strides, total))
}

/// A combination that cannot occur and that everybody knows cannot occur, such as married at the age of three.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StructuralZero {
    /// Identifier for messages.
    pub id: String,
    /// For each dimension named, the base leaves that cannot occur together with those of the others.
    pub sides: Vec<ZeroSide>,
}

/// One dimension's part in a [`StructuralZero`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZeroSide {
    /// [`Dimension::id`].
    pub dimension: String,
    /// For each base leaf whether it is part of the combination.
    pub leaves: Vec<bool>,
}

/// Tells which cells of one table are structural zeros.
#[derive(Debug, Clone)]
pub struct ZeroMask {
    /// For each rule that applies to the table: per axis which nodes lie wholly within it (`None`: any node).
    rules: Vec<Vec<Option<Vec<bool>>>>,
}

impl ZeroMask {
    /// Picks the rules that a table can show: those whose dimensions it all has.
    pub fn new(table: &Table, shape: &Shape, zeros: &[StructuralZero]) -> Self {
        let within =
            |bases: &Range<u32>, side: &ZeroSide| side.leaves[bases.start as usize..bases.end as usize].iter().all(|&in_rule| in_rule);
        let rules = zeros
            .iter()
            .filter(|zero| zero.sides.iter().all(|side| table.axes.iter().any(|axis| axis.dimension == side.dimension)))
            .map(|zero| {
                table
                    .axes
                    .iter()
                    .zip(&shape.axes)
                    .map(|(table_axis, axis)| {
                        let side = zero.sides.iter().find(|side| side.dimension == table_axis.dimension)?;
                        Some(axis.bases.iter().map(|bases| within(bases, side)).collect())
                    })
                    .collect()
            })
            .collect();
        Self { rules }
    }

    /// Whether no rule applies to the table at all.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether the cell at these node positions cannot occur.
    pub fn covers(&self, coordinates: &[u32]) -> bool {
        self.rules
            .iter()
            .any(|rule| rule.iter().zip(coordinates).all(|(side, &node)| side.as_ref().is_none_or(|nodes| nodes[node as usize])))
    }
}
