//! What two revisions of a period tell of the few people in whom they differ.
//!
//! Whoever holds both knows the difference of every cell that both publish, and of whatever follows from those: where a total grew by 6
//! and one part of it by 5, the withheld parts together grew by 1. Differences are taken for a table of their own, whose cells may be
//! negative. What follows is worked out in three steps:
//!
//! ```text
//! cells    one open part of a sum, and a sum of known parts, are known too, again and again; so is what other tables know of a shared cell
//! rests    of every known cell what is left when all known cells within it are taken away, the outermost first: parts of parts along one
//!          axis, then of those that are left along the next one, in every order of the axes
//! links    people of a place, less sizes x households of known sizes, are sizes x households of the others
//! ```
//!
//! Sums of several rests are not looked at: each of them holds as many people or none, so that their sum holds no few.

use super::{links::LinkChecks, system::Linked};
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

/// By how much cells of a table differ; `None`: nobody knows.
type Known = Vec<Option<i32>>;

/// Finds the differences of fewer than `threshold` that follow from what two revisions publish.
pub fn differences(new: (&Census<'_>, &[Vec<Status>]), old: (&Census<'_>, &[Vec<Status>]), threshold: u32) -> Vec<Difference> {
    let tables: Vec<Counted<'_>> = new.0.tables.to_vec();
    let mut known: Vec<Known> = tables
        .iter()
        .zip(new.1)
        .map(|(counted, statuses)| {
            let before = old.0.tables.iter().position(|old| old.table.id == counted.table.id && old.shape == counted.shape);
            let Some(before) = before else { return vec![None; counted.counts.len()] };
            let pairs = counted.counts.iter().zip(old.0.tables[before].counts).zip(statuses.iter().zip(&old.1[before]));
            pairs
                .map(|((&now, &then), statuses)| match statuses {
                    (Status::Suppressed, _) | (_, Status::Suppressed) => None,
                    _ => Some(now.wrapping_sub(then).cast_signed()),
                })
                .collect()
        })
        .collect();
    if known.iter().flatten().all(|difference| difference.is_none_or(|difference| difference == 0)) {
        return Vec::new();
    }
    let links = LinkChecks::new(new.0);
    spread(new.0, &tables, &links, &mut known);
    let is_few = |difference: i64| difference != 0 && difference.unsigned_abs() < u64::from(threshold);
    let mut found = Vec::new();
    for (table, (counted, known)) in tables.iter().zip(&known).enumerate() {
        let cells = known.iter().enumerate().filter(|(_, difference)| difference.is_some_and(|difference| is_few(difference.into())));
        found.extend(cells.map(|(cell, _)| Difference { table, cell: cell as u64, in_parts: false }));
        rests(counted, known, &mut |cell, rest| {
            if is_few(rest) {
                found.push(Difference { table, cell, in_parts: true });
            }
        });
    }
    household_sums(new.0, &links, &known, &mut |HouseholdSum { table, all_sizes, rest, open }| {
        if open.len() > 1 && is_few(rest) {
            found.push(Difference { table, cell: all_sizes, in_parts: true });
        }
    });
    found.sort_unstable();
    found.dedup();
    found
}

/// Works out all cells that follow from known ones one by one.
fn spread(census: &Census<'_>, tables: &[Counted<'_>], links: &LinkChecks, known: &mut [Known]) {
    let linked = Linked::new(tables);
    for _ in 0..MOST_PASSES {
        let mut found: Vec<(usize, u64, i64)> = Vec::new();
        for (table, counted) in tables.iter().enumerate() {
            sums(counted, &known[table], &mut |parent, rest, open| {
                let value = match (known[table][parent], open) {
                    (None, []) => Some((parent, rest)),
                    (Some(all), [one]) => Some((*one, i64::from(all) - rest)),
                    _ => None,
                };
                found.extend(value.map(|(cell, value)| (table, cell as u64, value)));
            });
        }
        household_sums(census, links, known, &mut |HouseholdSum { table, rest, open, .. }| {
            if let [(cell, size)] = open
                && rest % size == 0
            {
                found.push((table, *cell, rest / size));
            }
        });
        let mut is_new = false;
        for (table, cell, value) in found {
            let difference = &mut known[table][cell as usize];
            if difference.is_none() {
                *difference = i32::try_from(value).ok();
                is_new |= difference.is_some();
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
}

/// For each node of each axis of a table the nodes right below it.
fn children(counted: &Counted<'_>) -> Vec<Vec<Vec<usize>>> {
    let of_axis = |parents: &[Option<u32>]| {
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); parents.len()];
        for (node, parent) in parents.iter().enumerate() {
            if let Some(parent) = parent {
                children[*parent as usize].push(node);
            }
        }
        children
    };
    counted.shape.axes.iter().map(|axis| of_axis(&axis.parents)).collect()
}

/// Visits every sum of a table: the cell, the sum of its parts that are known, and those that are not.
fn sums(counted: &Counted<'_>, known: &Known, visit: &mut dyn FnMut(usize, i64, &[usize])) {
    let mut open = Vec::new();
    for (children, &stride) in children(counted).iter().zip(&counted.shape.strides) {
        let (nodes, stride) = (children.len(), stride as usize);
        for block in (0..known.len()).step_by(nodes * stride) {
            for (parent, children) in children.iter().enumerate().filter(|(_, children)| !children.is_empty()) {
                for inner in 0..stride {
                    open.clear();
                    let mut rest = 0;
                    for child in children {
                        let cell = block + child * stride + inner;
                        match known[cell] {
                            Some(value) => rest += i64::from(value),
                            None => open.push(cell),
                        }
                    }
                    visit(block + parent * stride + inner, rest, &open);
                }
            }
        }
    }
}

/// Visits every known cell with open parts: by how much these differ in all that is not known of them, for every order of the axes.
fn rests(counted: &Counted<'_>, known: &Known, visit: &mut dyn FnMut(u64, i64)) {
    let within: Vec<i32> = known.iter().map(|difference| difference.unwrap_or(0)).collect();
    if within.iter().all(|difference| *difference == 0) {
        return;
    }
    let children = children(counted);
    let unused: Vec<usize> = (0..children.len()).collect();
    rests_beyond(counted, known, &children, &unused, &within, visit);
}

/// `within`: of each cell what is known within it along the axes that are used already.
fn rests_beyond(
    counted: &Counted<'_>,
    known: &Known,
    children: &[Vec<Vec<usize>>],
    unused: &[usize],
    within: &[i32],
    visit: &mut dyn FnMut(u64, i64),
) {
    for &axis in unused {
        let (children_of, stride) = (&children[axis], counted.shape.strides[axis] as usize);
        let mut next = within.to_vec();
        for block in (0..known.len()).step_by(children_of.len() * stride) {
            // Parents stand before their children.
            for (parent, children_of) in children_of.iter().enumerate().rev().filter(|(_, children)| !children.is_empty()) {
                for inner in 0..stride {
                    let cell = |node: usize| block + node * stride + inner;
                    let sum: i64 = children_of.iter().map(|&child| i64::from(next[cell(child)])).sum();
                    match known[cell(parent)] {
                        // What is known of a cell as a whole holds all that is known within it.
                        Some(all) if children_of.iter().any(|&child| known[cell(child)].is_none()) => {
                            visit(cell(parent) as u64, i64::from(all) - sum);
                        }
                        Some(_) => {}
                        None => next[cell(parent)] = i32::try_from(sum).unwrap_or(0),
                    }
                }
            }
        }
        let rest: Vec<usize> = unused.iter().copied().filter(|other| *other != axis).collect();
        rests_beyond(counted, known, children, &rest, &next, visit);
    }
}

/// A place where sizes of households are compared with people.
struct HouseholdSum<'s> {
    /// The table of households.
    table: usize,
    /// The cell of all its households.
    all_sizes: u64,
    /// By how much members in households of unknown numbers differ.
    rest: i64,
    /// Cells whose difference is not known, with the members of each of their households.
    open: &'s [(u64, i64)],
}

/// Visits every place where it is known by how many people differ, and where all that differ live in households of a known size.
fn household_sums(census: &Census<'_>, links: &LinkChecks, known: &[Known], visit: &mut dyn FnMut(HouseholdSum<'_>)) {
    let mut open = Vec::new();
    links.each_place(census, &mut |place| {
        let (people, cell) = place.people;
        let Some(people) = known.get(people).and_then(|known| known[cell as usize]) else { return };
        let Some(of_sizes) = known.get(place.households) else { return };
        let mut rest = i64::from(people);
        open.clear();
        for (cell, members) in place.sizes {
            match (of_sizes[*cell as usize], members.most.filter(|most| *most == members.least)) {
                (Some(0), _) => {}
                (Some(difference), Some(size)) => rest -= i64::from(difference) * i64::from(size),
                (None, Some(0)) => {}
                (None, Some(size)) => open.push((*cell, i64::from(size))),
                // How many members of those differ nobody can tell.
                (_, None) => return,
            }
        }
        visit(HouseholdSum { table: place.households, all_sizes: place.all_sizes, rest, open: &open });
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::register::{Contents, Dimension, Label, Level, Links, Node, Role, Shape, Table, TableAxis, Unit, ZeroMask};

    /// A dimension whose nodes have these parents; the first one is the total.
    fn dimension(id: &str, parents: &[Option<u32>]) -> Dimension {
        let mut levels: Vec<u8> = Vec::new();
        for parent in parents {
            levels.push(parent.map_or(0, |parent| levels[parent as usize] + 1));
        }
        let node = |((at, parent), level): ((usize, &Option<u32>), &u8)| Node {
            label: Label::same(""),
            code: format!("{id}{at}"),
            parent: *parent,
            level: *level,
            official: None,
            area: None,
        };
        let deepest = levels.iter().copied().max().unwrap();
        Dimension {
            id: id.into(),
            variable: id.into(),
            label: Label::same(id),
            role: Role::Classification,
            sensitive: false,
            levels: (0..=deepest).map(|level| Level { id: format!("level-{level}"), label: Label::same("") }).collect(),
            nodes: parents.iter().enumerate().zip(&levels).map(node).collect(),
            groupings: Vec::new(),
        }
    }

    /// The differences of a table of some dimensions: counts of its finest cells in their order, before and now, and the cells that are
    /// withheld in both.
    fn found(dimensions: &[Dimension], before: &[u32], now: &[u32], withheld: &[usize]) -> Vec<(u64, bool)> {
        let axes = dimensions
            .iter()
            .map(|dimension| TableAxis { dimension: dimension.id.clone(), level: dimension.levels.last().unwrap().id.clone() });
        let contents = Contents { code: String::new(), label: Label::same(""), unit: Label::same("") };
        let label = || Label::same("");
        let table = Table {
            id: "t".into(),
            label: label(),
            description: label(),
            subject: label(),
            unit: Unit::Person,
            contents,
            axes: axes.collect(),
            notes: Vec::new(),
        };
        let shape = Shape::new(&table, dimensions).unwrap();
        let zeros = ZeroMask::new(&table, &shape, &[]);
        // A cell counts the leaves that are below it along every axis.
        let is_within = |axis: usize, mut node: u32, above: u32| loop {
            match shape.axes[axis].parents[node as usize] {
                _ if node == above => return true,
                Some(parent) => node = parent,
                None => return false,
            }
        };
        let all = |leaves: &[u32]| {
            let mut counts = vec![0; shape.cells as usize];
            for (cell, count) in counts.iter_mut().enumerate() {
                let above = shape.coordinates(cell as u64);
                let mut next = leaves.iter();
                for leaf in 0..shape.cells {
                    let positions = shape.coordinates(leaf);
                    if positions.iter().enumerate().all(|(axis, position)| shape.axes[axis].leaves.binary_search(position).is_ok()) {
                        let people = next.next().unwrap();
                        if positions.iter().zip(&above).enumerate().all(|(axis, (&node, &above))| is_within(axis, node, above)) {
                            *count += people;
                        }
                    }
                }
            }
            counts
        };
        let status = |cell| if withheld.contains(&cell) { Status::Suppressed } else { Status::Published };
        let statuses = vec![(0..shape.cells as usize).map(status).collect::<Vec<_>>()];
        let (counts_now, counts_before, links) = (all(now), all(before), Links::default());
        let counted = |counts| [Counted { table: &table, shape: &shape, zeros: &zeros, counts, few: &[] }];
        let (now, before) = (counted(&counts_now), counted(&counts_before));
        fn census<'a>(tables: &'a [Counted<'a>], links: &'a Links, dimensions: &'a [Dimension]) -> Census<'a> {
            Census { tables, joint: &[], members: &[], links, dimensions }
        }
        let found = differences((&census(&now, &links, dimensions), &statuses), (&census(&before, &links, dimensions), &statuses), 5);
        found.into_iter().map(|found| (found.cell, found.in_parts)).collect()
    }

    #[test]
    fn differences_are_found_in_single_sums() {
        let parts = [dimension("part", &[None, Some(0), Some(0), Some(0)])];
        // Both publish it.
        assert_eq!(found(&parts, &[20, 30, 40], &[20, 31, 49], &[]), [(2, false)]);
        // A total that grew by 6 beside a part that grew by 5.
        assert_eq!(found(&parts, &[25, 3, 5], &[20, 3, 4], &[2, 3]), [(0, true)]);
        // The total tells of it too where everything else is known.
        assert_eq!(found(&parts, &[20, 30, 41], &[20, 30, 40], &[]), [(0, false), (3, false)]);
        // Nothing that differs, and what differs by many, is nothing to find.
        assert_eq!(found(&parts, &[20, 30, 40], &[20, 30, 40], &[1, 2]), []);
        assert_eq!(found(&parts, &[20, 50, 60], &[20, 30, 40], &[]), []);
    }

    #[test]
    fn differences_are_found_below_what_is_withheld() {
        // T = A + B, A = a + b, B = c + d. A and B are withheld, a and c are not.
        let ages = [dimension("age", &[None, Some(0), Some(1), Some(1), Some(0), Some(4), Some(4)])];
        let withheld = [1, 3, 4, 6];
        // a and c grew by 10 each, and all by 21: b and d grew by 1 together.
        assert_eq!(found(&ages, &[20, 4, 20, 4], &[30, 5, 30, 4], &withheld), [(0, true)]);
        assert_eq!(found(&ages, &[20, 4, 20, 4], &[30, 4, 30, 4], &withheld), []);
    }

    #[test]
    fn differences_are_found_along_several_axes() {
        // Two axes of a total and three parts each: the first two rows and columns are withheld with their totals, but for one cell.
        let axis = |id| dimension(id, &[None, Some(0), Some(0), Some(0)]);
        let both = [axis("row"), axis("column")];
        let cell = |row: usize, column: usize| row * 4 + column;
        let mut withheld = vec![cell(1, 0), cell(2, 0), cell(1, 1), cell(2, 1), cell(2, 2), cell(0, 1), cell(0, 2)];
        withheld.sort_unstable();
        // The rows that are withheld grew by 9 together and their only known cell by 8: somebody came to one of the others.
        let (before, now) = ([4, 40, 50, 4, 4, 50, 30, 30, 30], [5, 48, 50, 4, 4, 50, 30, 30, 30]);
        let found = found(&both, &before, &now, &withheld);
        assert!(found.contains(&(0, true)), "{found:?}");
    }
}
