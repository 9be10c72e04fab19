//! Which cells of the tables are one cell.

use crate::worlds::Counted;

/// For each table, which of its nodes each other table of the same unit has too.
#[derive(Debug)]
pub struct Linked {
    /// `axes[a][b]`: how table `a`'s cells are found in table `b`; `None`: another unit.
    pairs: Vec<Vec<Option<Pair>>>,
}

#[derive(Debug)]
struct Pair {
    /// For each axis of the first table and position on it the part of the cell number in the second table;
    /// `None`: the second table does not have the node.
    parts: Vec<Vec<Option<u64>>>,
}

impl Linked {
    /// Links all tables.
    pub fn new(tables: &[Counted<'_>]) -> Self {
        let pairs = tables.iter().map(|first| tables.iter().map(|second| Pair::new(first, second)).collect()).collect();
        Self { pairs }
    }

    /// The number in table `b` of the cell of table `a` at these positions; `None` if `b` does not have it.
    pub fn cell(&self, a: usize, b: usize, positions: &[u32]) -> Option<u64> {
        let pair = self.pairs[a][b].as_ref()?;
        pair.parts.iter().zip(positions).try_fold(0, |sum, (parts, &position)| Some(sum + parts[position as usize]?))
    }

    /// Whether two tables are of one unit.
    pub fn is_linked(&self, a: usize, b: usize) -> bool {
        self.pairs[a][b].is_some()
    }

    /// Calls `visit` with the numbers of every cell that two tables share.
    pub fn shared(&self, a: usize, b: usize, tables: &[Counted<'_>], visit: &mut dyn FnMut(u64, u64)) {
        let Some(pair) = self.pairs[a][b].as_ref() else { return };
        let choices: Vec<Vec<(u64, u64)>> = pair
            .parts
            .iter()
            .zip(&tables[a].shape.strides)
            .map(|(parts, stride)| {
                parts.iter().enumerate().filter_map(|(position, part)| part.map(|part| (position as u64 * stride, part))).collect()
            })
            .collect();
        walk(&choices, 0, 0, visit);
    }
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

impl Pair {
    fn new(first: &Counted<'_>, second: &Counted<'_>) -> Option<Self> {
        if first.table.unit != second.table.unit {
            return None;
        }
        let parts = first
            .table
            .axes
            .iter()
            .zip(&first.shape.axes)
            .map(|(table_axis, axis)| {
                let other = second.table.axes.iter().position(|other| other.dimension == table_axis.dimension);
                axis.nodes
                    .iter()
                    .enumerate()
                    .map(|(position, node)| match other {
                        // A table without the dimension has only its total, the first node.
                        None => (position == 0).then_some(0),
                        Some(at) => {
                            let found = second.shape.axes[at].nodes.binary_search(node).ok()?;
                            Some(found as u64 * second.shape.strides[at])
                        }
                    })
                    .collect()
            })
            .collect();
        // A node that the axis is cut at may be a finer node's place only if both name the same node, which they do.
        Some(Self { parts })
    }
}
