//! What two revisions of a period tell of the few people in whom they differ.
//!
//! Whoever holds both knows the difference of every cell that both publish, and of whatever follows from those: where a total grew by 6
//! and one part of it by 5, the withheld parts together grew by 1. Differences are taken for a table of their own, whose cells may be
//! negative. What follows is worked out step by step:
//!
//! ```text
//! cells    one open part of a sum, and a sum of known parts, are known too, again and again; so is what other tables know of a shared cell
//! rests    of every known cell what is left when all known cells within it are taken away, the outermost first: parts of parts along one
//!          axis, then of those that are left along the next one, in every order of the axes; or of each part along the axis by which most of
//!          it is known
//! unions   the same for several open nodes as if they were a single one
//! links    people of a place, less sizes x households of known sizes, are sizes x households of the others
//! ```
//!
//! Sums of several rests are not looked at: each of them holds as many people or none, so that their sum holds no few. That nothing else follows is
//! no theorem: of 30,000 small tables of up to three axes, compared with all sums of finest cells that follow from what is known, none showed
//! few people whom this does not find.

use std::{borrow::Cow, collections::BTreeSet};

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
    let children: Vec<Vec<Vec<Vec<usize>>>> = tables.iter().map(children).collect();
    spread(new.0, &tables, &children, &links, &mut known);
    let is_few = |difference: i64| difference != 0 && difference.unsigned_abs() < u64::from(threshold);
    let grids: Vec<Grid<'_>> =
        tables.iter().zip(&children).zip(&known).map(|((counted, children), known)| Grid::new(counted, children, known)).collect();
    let mut found = Vec::new();
    for (table, grid) in grids.iter().enumerate() {
        let cells = grid.known.iter().enumerate().filter(|(_, difference)| difference.is_some_and(|difference| is_few(difference.into())));
        found.extend(cells.map(|(cell, _)| Difference { table, cell: cell as u64, in_parts: false }));
        grid.rests(&mut |cell, rest| {
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
    // What takes more to find is sought where nothing else stands in the way.
    for (table, grid) in grids.iter().enumerate().filter(|(_, grid)| !grid.is_the_same()) {
        if !found.is_empty() {
            break;
        }
        let mut visit = |cell: u64, rest: i64| {
            if is_few(rest) {
                found.push(Difference { table, cell, in_parts: true });
            }
        };
        grid.smallest_rests(&mut visit);
        grid.in_unions(&mut visit);
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Works out all cells that follow from known ones one by one.
fn spread(census: &Census<'_>, tables: &[Counted<'_>], children: &[Vec<Vec<Vec<usize>>>], links: &LinkChecks, known: &mut [Known]) {
    let linked = Linked::new(tables);
    for _ in 0..MOST_PASSES {
        let mut found: Vec<(usize, u64, i64)> = Vec::new();
        for (table, counted) in tables.iter().enumerate() {
            let following = Grid::new(counted, &children[table], &known[table]).following();
            found.extend(following.into_iter().map(|(cell, value)| (table, cell as u64, value)));
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

/// Differences of the cells of a table, or of a part of one.
struct Grid<'c> {
    /// For each axis, of each node those right below it, which stand behind it.
    children: Vec<&'c [Vec<usize>]>,
    strides: Vec<usize>,
    known: Cow<'c, Known>,
    /// Which cell of the table each of them is told as; `None`: as itself.
    told_as: Option<Vec<u64>>,
}

impl<'c> Grid<'c> {
    fn new(counted: &Counted<'_>, children: &'c [Vec<Vec<usize>>], known: &'c Known) -> Self {
        Self {
            children: children.iter().map(Vec::as_slice).collect(),
            strides: counted.shape.strides.iter().map(|stride| *stride as usize).collect(),
            known: Cow::Borrowed(known),
            told_as: None,
        }
    }

    fn name(&self, cell: usize) -> u64 {
        self.told_as.as_ref().map_or(cell as u64, |told_as| told_as[cell])
    }

    /// Visits every cell that has others right below it along an axis, with these.
    fn each_parent(&self, axis: usize, visit: &mut dyn FnMut(usize, &mut dyn Iterator<Item = usize>)) {
        let (children, stride) = (self.children[axis], self.strides[axis]);
        for block in (0..self.known.len()).step_by(children.len() * stride) {
            // The deepest come first.
            for (parent, children) in children.iter().enumerate().rev().filter(|(_, children)| !children.is_empty()) {
                for first in block..block + stride {
                    visit(first + parent * stride, &mut children.iter().map(|child| first + child * stride));
                }
            }
        }
    }

    /// Cells that follow from single sums, with their differences.
    fn following(&self) -> Vec<(usize, i64)> {
        let (mut found, mut open) = (Vec::new(), Vec::new());
        for axis in 0..self.children.len() {
            self.each_parent(axis, &mut |parent, children| {
                open.clear();
                let mut rest = 0;
                for child in children {
                    match self.known[child] {
                        Some(value) => rest += i64::from(value),
                        None => open.push(child),
                    }
                }
                found.extend(match (self.known[parent], &open[..]) {
                    (None, []) => Some((parent, rest)),
                    (Some(all), [one]) => Some((*one, i64::from(all) - rest)),
                    _ => None,
                });
            });
        }
        found
    }

    /// Whether nothing that is known differs.
    fn is_the_same(&self) -> bool {
        self.known.iter().all(|difference| difference.is_none_or(|difference| difference == 0))
    }

    /// Visits every known cell with open parts: by how much these differ in all that is not known of them, for every order of the axes.
    fn rests(&self, visit: &mut dyn FnMut(u64, i64)) {
        if !self.is_the_same() {
            let within: Vec<i32> = self.known.iter().map(|difference| difference.unwrap_or(0)).collect();
            let unused: Vec<usize> = (0..self.children.len()).collect();
            self.rests_beyond(&unused, &within, visit);
        }
    }

    /// `within`: of each cell what is known within it along the axes that are used already.
    fn rests_beyond(&self, unused: &[usize], within: &[i32], visit: &mut dyn FnMut(u64, i64)) {
        for &axis in unused {
            let mut next = within.to_vec();
            self.each_parent(axis, &mut |parent, children| {
                let (mut sum, mut is_open) = (0, false);
                for child in children {
                    sum += i64::from(next[child]);
                    is_open |= self.known[child].is_none();
                }
                match self.known[parent] {
                    // What is known of a cell as a whole holds all that is known within it.
                    Some(all) if is_open => visit(self.name(parent), i64::from(all) - sum),
                    Some(_) => {}
                    None => next[parent] = i32::try_from(sum).unwrap_or(0),
                }
            });
            let rest: Vec<usize> = unused.iter().copied().filter(|other| *other != axis).collect();
            self.rests_beyond(&rest, &next, visit);
        }
    }

    /// The same with as much taken away as possible: of each cell along whichever axis most of it is known.
    fn smallest_rests(&self, visit: &mut dyn FnMut(u64, i64)) {
        let leaves = |children: &&[Vec<usize>]| {
            let mut leaves = vec![1u64; children.len()];
            for (node, below) in children.iter().enumerate().rev().filter(|(_, below)| !below.is_empty()) {
                leaves[node] = below.iter().map(|child| leaves[*child]).sum();
            }
            leaves
        };
        let leaves: Vec<Vec<u64>> = self.children.iter().map(leaves).collect();
        let node = |cell: usize, axis: usize| cell / self.strides[axis] % self.children[axis].len();
        // How many finest cells are known within each cell, and by how much these differ. What is below a cell stands behind it.
        let mut within = vec![(0u64, 0i64); self.known.len()];
        for cell in (0..self.known.len()).rev() {
            for axis in 0..self.children.len() {
                let own = node(cell, axis);
                let below = || self.children[axis][own].iter().map(|child| cell + (child - own) * self.strides[axis]);
                let sum = below().fold((0, 0), |(leaves, sum), child| (leaves + within[child].0, sum + within[child].1));
                match self.known[cell] {
                    Some(all) if below().any(|child| self.known[child].is_none()) => visit(self.name(cell), i64::from(all) - sum.1),
                    None if sum.0 > within[cell].0 => within[cell] = sum,
                    _ => {}
                }
            }
            if let Some(all) = self.known[cell] {
                within[cell] = ((0..self.children.len()).map(|axis| leaves[axis][node(cell, axis)]).product(), i64::from(all));
            }
        }
    }

    /// Tables with one axis less, in which several nodes right below one are taken for a single node: all those that are open together somewhere,
    /// and differ there.
    fn unions(&self) -> Vec<Grid<'c>> {
        let mut grids = Vec::new();
        if self.children.len() == 1 {
            return grids;
        }
        for axis in 0..self.children.len() {
            let (children, stride) = (self.children[axis], self.strides[axis]);
            let lines = || (0..self.known.len()).step_by(children.len() * stride).flat_map(move |block| block..block + stride);
            for (parent, below) in children.iter().enumerate().filter(|(_, below)| !below.is_empty()) {
                let at = |line: usize, node: usize| self.known[line + node * stride].map(i64::from);
                let mut unions: BTreeSet<Vec<usize>> = BTreeSet::new();
                for line in lines() {
                    let known: i64 = below.iter().filter_map(|child| at(line, *child)).sum();
                    if at(line, parent).is_some_and(|all| all != known) {
                        unions.insert(below.iter().copied().filter(|child| at(line, *child).is_none()).collect());
                    }
                }
                // A single node needs no union, and all of them together are the one above.
                for union in unions.into_iter().filter(|union| (2..below.len()).contains(&union.len())) {
                    let sum = |line: usize, nodes: &mut dyn Iterator<Item = &usize>| nodes.map(|node| at(line, *node)).sum::<Option<i64>>();
                    let difference = |line: usize| {
                        let others = || sum(line, &mut below.iter().filter(|child| !union.contains(child)));
                        let all = sum(line, &mut union.iter()).or_else(|| Some(at(line, parent)? - others()?));
                        all.and_then(|all| i32::try_from(all).ok())
                    };
                    let axes = (0..self.children.len()).filter(|other| *other != axis);
                    grids.push(Grid {
                        children: axes.clone().map(|other| self.children[other]).collect(),
                        strides: axes
                            .map(|other| self.strides[other] / if self.strides[other] > stride { children.len() } else { 1 })
                            .collect(),
                        known: Cow::Owned(lines().map(difference).collect()),
                        told_as: Some(lines().map(|line| self.name(line + parent * stride)).collect()),
                    });
                }
            }
        }
        grids
    }

    /// Visits what is known of unions, and of unions in these.
    fn in_unions(&self, visit: &mut dyn FnMut(u64, i64)) {
        for mut grid in self.unions() {
            for _ in 0..MOST_PASSES {
                let following = grid.following();
                let known = grid.known.to_mut();
                let is_new = following.iter().any(|(cell, _)| known[*cell].is_none());
                following.into_iter().for_each(|(cell, value)| known[cell] = known[cell].or(i32::try_from(value).ok()));
                if !is_new {
                    break;
                }
            }
            for (cell, difference) in grid.known.iter().enumerate() {
                difference.iter().for_each(|difference| visit(grid.name(cell), i64::from(*difference)));
            }
            grid.rests(visit);
            grid.smallest_rests(visit);
            grid.in_unions(visit);
        }
    }
}

/// For each axis of a table, of each node those right below it.
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

    /// By how much finest cells of small tables differ, what is published of these, and whether few people follow from it: some finest cells
    /// whose sum is a sum of published ones, which are not several such sums, differ by fewer than 5 together.
    struct Small {
        dimensions: Vec<Dimension>,
        withheld: Vec<usize>,
        differences: Vec<i32>,
        shows_few: bool,
        /// The same for any such sum, be it several or not.
        shows_few_in_any: bool,
    }

    impl Small {
        fn random(random: &mut impl rand::Rng) -> Option<Self> {
            const TREES: [&[Option<u32>]; 4] = [
                &[None, Some(0), Some(0)],
                &[None, Some(0), Some(0), Some(0)],
                &[None, Some(0), Some(1), Some(1), Some(0)],
                &[None, Some(0), Some(1), Some(1), Some(0), Some(4), Some(4)],
            ];
            let mut below = |most: u32| random.next_u32() % most;
            let trees: Vec<&[Option<u32>]> = (0..1 + below(3)).map(|_| TREES[below(4) as usize]).collect();
            let is_leaf = |tree: &[Option<u32>], node: usize| !tree.contains(&Some(node as u32));
            let mut cells = vec![Vec::new()];
            for tree in &trees {
                cells = cells
                    .iter()
                    .flat_map(|cell: &Vec<usize>| (0..tree.len()).map(move |node| [cell.as_slice(), &[node]].concat()))
                    .collect();
            }
            let leaves: Vec<&Vec<usize>> =
                cells.iter().filter(|cell| cell.iter().zip(&trees).all(|(node, tree)| is_leaf(tree, *node))).collect();
            if leaves.len() > 9 {
                return None;
            }
            let holds = |cell: &[usize], leaf: &[usize]| {
                cell.iter().zip(leaf).zip(&trees).all(|((&cell, &leaf), tree)| {
                    let mut above = std::iter::successors(Some(leaf), |node| tree[*node].map(|parent| parent as usize));
                    above.any(|node| node == cell)
                })
            };
            let rate = 1 + below(4);
            let withheld: Vec<usize> = (1..cells.len()).filter(|_| below(5) < rate).collect();
            let differences: Vec<i32> =
                leaves.iter().map(|_| [0, 0, 0, 6, 7, -6, -7, 1][below(if rate > 2 { 8 } else { 7 }) as usize]).collect();
            // What adds up from published cells, by elimination modulo a prime.
            const PRIME: i64 = 1_000_003;
            let inverse = |number: i64| {
                let (mut power, mut result, mut exponent) = (number, 1, PRIME - 2);
                while exponent > 0 {
                    if exponent % 2 == 1 {
                        result = result * power % PRIME;
                    }
                    (power, exponent) = (power * power % PRIME, exponent / 2);
                }
                result
            };
            let mut basis: Vec<(usize, Vec<i64>)> = Vec::new();
            let reduced = |basis: &[(usize, Vec<i64>)], mut row: Vec<i64>| {
                for (pivot, of_basis) in basis {
                    let times = row[*pivot];
                    row.iter_mut().zip(of_basis).for_each(|(number, of_basis)| *number = (*number - times * of_basis).rem_euclid(PRIME));
                }
                row
            };
            for (_, cell) in cells.iter().enumerate().filter(|(at, _)| !withheld.contains(at)) {
                let row = reduced(&basis, leaves.iter().map(|leaf| i64::from(holds(cell, leaf))).collect());
                if let Some(pivot) = row.iter().position(|number| *number != 0) {
                    let times = inverse(row[pivot]);
                    basis.push((pivot, row.into_iter().map(|number| number * times % PRIME).collect()));
                }
            }
            let follows = |set: u32| {
                reduced(&basis, (0..leaves.len()).map(|at| i64::from(set >> at & 1)).collect()).iter().all(|number| *number == 0)
            };
            let sets: Vec<u32> = (1..1 << leaves.len()).filter(|set| follows(*set)).collect();
            let is_few = |set: &&u32| {
                let sum: i32 =
                    differences.iter().enumerate().filter(|(at, _)| **set >> at & 1 == 1).map(|(_, difference)| difference).sum();
                sum != 0 && sum.abs() < 5
            };
            let is_single = |set: &&u32| !sets.iter().any(|part| part & **set == *part && part != *set && sets.contains(&(**set ^ part)));
            let (shows_few, shows_few_in_any) =
                (sets.iter().filter(is_few).any(|set| is_single(&set)), sets.iter().any(|set| is_few(&set)));
            let dimensions = trees.iter().enumerate().map(|(at, tree)| dimension(&format!("axis{at}"), tree)).collect();
            Some(Self { dimensions, withheld, differences, shows_few, shows_few_in_any })
        }
    }

    #[test]
    fn whatever_shows_few_people_is_found_in_small_tables() {
        let mut random = rand_pcg::Pcg64Mcg::new(5);
        let (mut few, mut none) = (0, 0);
        for _ in 0..3000 {
            let Some(small) = Small::random(&mut random) else { continue };
            let before = vec![50; small.differences.len()];
            let now: Vec<u32> = small.differences.iter().map(|difference| 50u32.saturating_add_signed(*difference)).collect();
            let found = found(&small.dimensions, &before, &now, &small.withheld);
            assert!(!small.shows_few || !found.is_empty(), "{:?} {:?} {:?}", small.dimensions, small.withheld, small.differences);
            assert!(small.shows_few_in_any || found.is_empty(), "{found:?}: {:?} {:?}", small.withheld, small.differences);
            *(if small.shows_few { &mut few } else { &mut none }) += 1;
        }
        assert!(few > 100 && none > 100, "{few} and {none}");
    }
}
