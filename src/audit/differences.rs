//! What two revisions of a period tell of the few people in whom they differ.
//!
//! Whoever holds both knows the difference of every cell that both publish, and of whatever follows from those by sums: where a total grew by 6
//! and one part of it by 5, the withheld parts together grew by 1. Differences are taken for a table of their own, whose cells may be
//! negative; what single sums leave open is taken to be open.

use super::system::Linked;
use crate::{
    register::Status,
    worlds::{Census, Counted},
};

/// A difference of fewer people than the threshold that follows from what both revisions publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// Number of the table in the new revision.
    pub table: usize,
    /// The cell; where several parts of it differ together, the cell that they are parts of.
    pub cell: u64,
    /// Whether it is the sum of withheld parts of the cell that differs, and not the cell itself.
    pub in_parts: bool,
}

/// Times that all sums are gone through; each takes what was found one sum further.
const MOST_PASSES: usize = 20;

/// Finds the differences of fewer than `threshold` that follow from what two revisions publish.
pub fn differences(new: (&Census<'_>, &[Vec<Status>]), old: (&Census<'_>, &[Vec<Status>]), threshold: u32) -> Vec<Difference> {
    let tables: Vec<Counted<'_>> = new.0.tables.to_vec();
    let linked = Linked::new(&tables);
    let mut known: Vec<Vec<Option<i64>>> = tables
        .iter()
        .zip(new.1)
        .map(|(counted, statuses)| {
            let before = old.0.tables.iter().position(|old| old.table.id == counted.table.id && old.shape == counted.shape);
            let Some(before) = before else { return vec![None; counted.counts.len()] };
            let pairs = counted.counts.iter().zip(old.0.tables[before].counts).zip(statuses.iter().zip(&old.1[before]));
            pairs
                .map(|((&now, &then), statuses)| match statuses {
                    (Status::Suppressed, _) | (_, Status::Suppressed) => None,
                    _ => Some(i64::from(now) - i64::from(then)),
                })
                .collect()
        })
        .collect();
    for _ in 0..MOST_PASSES {
        let mut is_new = false;
        for (table, counted) in tables.iter().enumerate() {
            let mut found: Vec<(usize, i64)> = Vec::new();
            sums(counted, &known[table], &mut |parent, rest, open| {
                let value = match (known[table][parent], open) {
                    (None, []) => Some((parent, rest)),
                    (Some(all), [one]) => Some((*one, all - rest)),
                    _ => None,
                };
                found.extend(value);
            });
            for (cell, value) in found {
                is_new |= known[table][cell].is_none();
                known[table][cell] = Some(value);
            }
        }
        for a in 0..tables.len() {
            for b in a + 1..tables.len() {
                let (first, second) = known.split_at_mut(b);
                if linked.is_linked(a, b) {
                    linked.shared(a, b, &mut |cell_of_a, cell_of_b| {
                        let (of_a, of_b) = (&mut first[a][cell_of_a as usize], &mut second[0][cell_of_b as usize]);
                        is_new |= of_a.is_some() != of_b.is_some();
                        *of_a = of_a.or(*of_b);
                        *of_b = of_b.or(*of_a);
                    });
                }
            }
        }
        if !is_new {
            break;
        }
    }
    let is_few = |difference: i64| difference != 0 && difference.unsigned_abs() < u64::from(threshold);
    let mut found = Vec::new();
    for (table, counted) in tables.iter().enumerate() {
        let cells = known[table].iter().enumerate().filter(|(_, difference)| difference.is_some_and(is_few));
        found.extend(cells.map(|(cell, _)| Difference { table, cell: cell as u64, in_parts: false }));
        sums(counted, &known[table], &mut |parent, rest, open| {
            if open.len() > 1 && known[table][parent].is_some_and(|all| is_few(all - rest)) {
                found.push(Difference { table, cell: parent as u64, in_parts: true });
            }
        });
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Visits every sum of a table: the cell, the sum of its parts that are known, and those that are not.
fn sums(counted: &Counted<'_>, known: &[Option<i64>], visit: &mut dyn FnMut(usize, i64, &[usize])) {
    let mut open = Vec::new();
    for (axis, &stride) in counted.shape.axes.iter().zip(&counted.shape.strides) {
        let (nodes, stride) = (axis.nodes.len(), stride as usize);
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); nodes];
        for (node, parent) in axis.parents.iter().enumerate() {
            if let Some(parent) = parent {
                children[*parent as usize].push(node);
            }
        }
        for block in (0..known.len()).step_by(nodes * stride) {
            for (parent, children) in children.iter().enumerate().filter(|(_, children)| !children.is_empty()) {
                for inner in 0..stride {
                    open.clear();
                    let mut rest = 0;
                    for child in children {
                        let cell = block + child * stride + inner;
                        match known[cell] {
                            Some(value) => rest += value,
                            None => open.push(cell),
                        }
                    }
                    visit(block + parent * stride + inner, rest, &open);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::register::{Dimension, Label, Level, Links, Node, Role, Shape, Table, TableAxis, Unit, ZeroMask};

    fn dimension(id: &str, leaves: usize) -> Dimension {
        let node = |code: String, parent| Node {
            label: Label::same(&code),
            code,
            parent,
            level: u8::from(parent.is_some()),
            official: None,
            area: None,
        };
        Dimension {
            id: id.into(),
            variable: id.into(),
            label: Label::same(id),
            role: Role::Classification,
            sensitive: false,
            levels: ["total", id].map(|level| Level { id: level.into(), label: Label::same(level) }).into(),
            nodes: [node("T".into(), None)].into_iter().chain((0..leaves).map(|leaf| node(format!("{id}{leaf}"), Some(0)))).collect(),
            groupings: Vec::new(),
        }
    }

    /// One table of a single dimension: its total and parts, with those that are withheld, before and now.
    fn found(before: &[u32], now: &[u32], withheld_before: &[usize], withheld_now: &[usize]) -> Vec<(u64, bool)> {
        let dimensions = [dimension("part", now.len())];
        let axes = vec![TableAxis { dimension: "part".into(), level: "part".into() }];
        let contents = crate::register::Contents { code: String::new(), label: Label::same(""), unit: Label::same("") };
        let (id, label) = ("t".to_owned(), Label::same(""));
        let (description, subject) = (label.clone(), label.clone());
        let table = Table { id, label, description, subject, unit: Unit::Person, contents, axes, notes: Vec::new() };
        let shape = Shape::new(&table, &dimensions).unwrap();
        let zeros = ZeroMask::new(&table, &shape, &[]);
        let all = |parts: &[u32]| [&[parts.iter().sum()], parts].concat();
        let statuses = |withheld: &[usize]| {
            vec![
                (0..=now.len())
                    .map(|cell| if withheld.contains(&cell) { Status::Suppressed } else { Status::Published })
                    .collect::<Vec<_>>(),
            ]
        };
        let (counts_now, counts_before, links) = (all(now), all(before), Links::default());
        let counted = |counts| [Counted { table: &table, shape: &shape, zeros: &zeros, counts, few: &[] }];
        let (now, before) = (counted(&counts_now), counted(&counts_before));
        fn census<'a>(tables: &'a [Counted<'a>], links: &'a Links, dimensions: &'a [Dimension]) -> Census<'a> {
            Census { tables, joint: &[], members: &[], links, dimensions }
        }
        let (statuses_now, statuses_before) = (statuses(withheld_now), statuses(withheld_before));
        let found =
            differences((&census(&now, &links, &dimensions), &statuses_now), (&census(&before, &links, &dimensions), &statuses_before), 5);
        found.into_iter().map(|found| (found.cell, found.in_parts)).collect()
    }

    #[test]
    fn differences_are_found_in_all_that_follows() {
        // Both publish it.
        assert_eq!(found(&[20, 30, 40], &[20, 31, 49], &[], &[]), [(2, false)]);
        // A total that grew by 6 beside a part that grew by 5.
        assert_eq!(found(&[20, 3, 4], &[25, 3, 5], &[2, 3], &[2, 3]), [(0, true)]);
        // The total tells of it too where everything else is known.
        assert_eq!(found(&[20, 30, 40], &[20, 30, 41], &[], &[]), [(0, false), (3, false)]);
        // Nothing that differs, and what differs by many, is nothing to find.
        assert_eq!(found(&[20, 30, 40], &[20, 30, 40], &[1, 2], &[1, 2]), []);
        assert_eq!(found(&[20, 30, 40], &[20, 50, 60], &[], &[]), []);
    }
}
