//! Statuses, sums and shared cells.

use super::{Fault, Report, revision::Revision};
use crate::{
    register::Status,
    worlds::{Counted, Rule},
};

/// A small group that lies in one category: table, cell of the category, axis of the sensitive dimension.
pub type SmallGroup = (u16, u32, u16);

/// Checks every cell of every table by itself and against the other tables; for each table and cell whether it is primary by its count or its
/// contributors.
pub fn check(revision: &Revision<'_>, report: &mut Report) -> Vec<Vec<bool>> {
    let Revision { census, statuses, rule, linked, .. } = revision;
    let mut primaries = Vec::with_capacity(census.tables.len());
    for (table, (counted, statuses)) in census.tables.iter().zip(*statuses).enumerate() {
        report.cells += counted.counts.len() as u64;
        let mut small = vec![false; counted.counts.len()];
        let mut coordinates = vec![0u32; counted.shape.axes.len()];
        for (cell, (&count, &status)) in counted.counts.iter().zip(statuses).enumerate() {
            let impossible = !counted.zeros.is_empty() && counted.zeros.covers(&coordinates);
            advance(&mut coordinates, counted);
            if impossible != (status == Status::Impossible) || impossible && count != 0 {
                report.fault(Fault::StructuralZero, table, cell as u64);
            }
            report.suppressed += u64::from(status == Status::Suppressed);
            small[cell] = rule.is_small(count);
        }
        for &cell in counted.few {
            if let Some(small) = small.get_mut(cell as usize) {
                *small = true;
            }
        }
        for cell in (0..small.len()).filter(|&cell| small[cell]) {
            report.primaries += 1;
            if statuses[cell] == Status::Published {
                report.fault(Fault::PrimaryPublished, table, cell as u64);
            }
        }
        primaries.push(small);
    }
    for &(table, cell, _) in &revision.groups {
        if statuses[table as usize][cell as usize] == Status::Published {
            report.fault(Fault::PrimaryPublished, table as usize, u64::from(cell));
        }
    }
    let tables: Vec<Counted<'_>> = census.changeable().copied().collect();
    for (table, counted) in tables.iter().enumerate() {
        sums(table, counted, report);
    }
    for a in 0..tables.len() {
        for b in a + 1..tables.len() {
            if !linked.is_linked(a, b) {
                continue;
            }
            linked.shared(a, b, &mut |first, second| {
                if tables[a].counts[first as usize] != tables[b].counts[second as usize] {
                    report.fault(Fault::SharedCount, b, second);
                }
                // Whether a combination cannot occur is known from all tables alike, so that status is shared too.
                let status = |table: usize, cell: u64| statuses.get(table).map(|statuses| statuses[cell as usize]);
                if status(b, second).is_some_and(|status_of_b| status(a, first) != Some(status_of_b)) {
                    report.fault(Fault::SharedStatus, b, second);
                }
            });
        }
    }
    primaries
}

/// Steps to the positions of the next cell.
fn advance(coordinates: &mut [u32], counted: &Counted<'_>) {
    for (position, axis) in coordinates.iter_mut().zip(&counted.shape.axes).rev() {
        *position += 1;
        if (*position as usize) < axis.nodes.len() {
            return;
        }
        *position = 0;
    }
}

/// Every cell is the sum of those directly below it, along each axis.
fn sums(table: usize, counted: &Counted<'_>, report: &mut Report) {
    for (axis, &stride) in counted.shape.axes.iter().zip(&counted.shape.strides) {
        let (nodes, stride) = (axis.nodes.len(), stride as usize);
        let mut has_children = vec![false; nodes];
        for parent in axis.parents.iter().flatten() {
            has_children[*parent as usize] = true;
        }
        for (block, counts) in counted.counts.chunks_exact(nodes * stride).enumerate() {
            let mut sums = vec![0u64; nodes * stride];
            for (node, parent) in axis.parents.iter().enumerate() {
                let Some(parent) = parent else { continue };
                for inner in 0..stride {
                    sums[*parent as usize * stride + inner] += u64::from(counts[node * stride + inner]);
                }
            }
            for (at, &sum) in sums.iter().enumerate() {
                if has_children[at / stride] && sum != u64::from(counts[at]) {
                    report.fault(Fault::Sum, table, (block * nodes * stride + at) as u64);
                }
            }
        }
    }
}

/// Finds the small groups that lie in one category, in every table.
pub fn groups(tables: &[Counted<'_>], statuses: &[Vec<Status>], rule: &Rule) -> Vec<SmallGroup> {
    let mut found = Vec::new();
    let Some(group) = &rule.group else { return found };
    for (table, (counted, statuses)) in tables.iter().zip(statuses).enumerate() {
        for (at, (table_axis, axis)) in counted.table.axes.iter().zip(&counted.shape.axes).enumerate() {
            if !group.dimensions.contains(&table_axis.dimension) {
                continue;
            }
            let stride = counted.shape.strides[at];
            for (cell, &count) in counted.counts.iter().enumerate() {
                if count == 0 || count >= group.below {
                    continue;
                }
                let position = (cell as u64 / stride) as usize % axis.nodes.len();
                let Some(parent) = axis.parents[position] else { continue };
                let above = cell as u64 - (position as u64 - u64::from(parent)) * stride;
                // Where no other category can occur, everybody knows it.
                let other = (0..axis.nodes.len()).any(|other| {
                    let cell = (cell as i64 + (other as i64 - position as i64) * stride as i64) as usize;
                    other != position && axis.parents[other] == Some(parent) && statuses[cell] != Status::Impossible
                });
                if counted.counts[above as usize] == count && other {
                    found.push((table as u16, cell as u32, at as u16));
                }
            }
        }
    }
    found
}
