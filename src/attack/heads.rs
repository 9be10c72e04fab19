//! The head of a household is one of the people: which cells of people make up where heads stand.

use std::{borrow::Cow, collections::HashMap, ops::Range, rc::Rc};

use super::{Failure, cells::IndexedTable, input::Facts};
use crate::error::Error;

/// Cells of people that one row may add up.
const LARGEST_COVER: usize = 4_096;

/// Works out the rows of the heads of one publication.
pub(super) struct HeadRows<'f, 'a> {
    people: &'f [&'f IndexedTable<'a>],
    pairs: Vec<Pair<'f>>,
    /// Covers by the number of the pair and the lengths of the two axes, which say at which levels they are cut.
    covers: HashMap<(usize, usize, usize), Rc<Covers>>,
}

/// A dimension of heads and one of people, as positions in [`Facts::dimensions`].
struct Pair<'f> {
    head: usize,
    person: usize,
    /// For each base leaf of the dimension of people that of the dimension of heads.
    classes: Cow<'f, [u32]>,
    /// All base leaves of the dimension of people.
    total: Range<u32>,
}

/// For each position on an axis of heads the fewest positions on an axis of people that make up the same base leaves. Axes are given by the
/// base leaves of their nodes, in preorder.
struct Covers {
    ranges: Vec<Option<Range<u32>>>,
    positions: Vec<u32>,
}

impl Covers {
    fn of(&self, position: u32) -> Option<&[u32]> {
        self.ranges[position as usize].as_ref().map(|range| &self.positions[range.start as usize..range.end as usize])
    }
}

impl<'f, 'a> HeadRows<'f, 'a> {
    /// Finds the dimensions that are paired.
    pub fn new(facts: &'f Facts<'a>, people: &'f [&'f IndexedTable<'a>]) -> Result<Self, Failure> {
        let find = |id: &String| facts.dimensions.iter().position(|dimension| dimension.id == *id);
        let mut pairs = Vec::new();
        for pair in &facts.links.heads {
            // A dimension without a code list is one that no table shows.
            let (Some(head), Some(person)) = (find(&pair.head), find(&pair.person)) else { continue };
            let (heads, persons) = (facts.dimensions[head].base_leaves().len(), facts.dimensions[person].base_leaves().len());
            // The same dimension twice needs no classes, and those of other regions do not matter.
            let classes: Cow<'_, [u32]> = if head == person { (0..persons as u32).collect() } else { Cow::Borrowed(&pair.classes) };
            if classes.len() != persons || classes.iter().any(|class| *class as usize >= heads) {
                let problem = format!(
                    "the link of heads by '{}' to people by '{}' does not fit the code lists; take both from the same definitions",
                    pair.head, pair.person
                );
                return Err(Error::Input(problem).into());
            }
            pairs.push(Pair { head, person, classes, total: 0..persons as u32 });
        }
        Ok(Self { people, pairs, covers: HashMap::new() })
    }

    /// Calls `visit` for each place where heads of a table of households can be compared with people: with the cell of the households,
    /// and the terms of `households - people <= 0`, all cells as numbers among all cells.
    pub fn visit(&mut self, households: &IndexedTable<'_>, mut visit: impl FnMut(u32, &[(u32, i32)])) {
        // Without pairs nobody says that heads are people at all.
        if self.pairs.is_empty() {
            return;
        }
        // One axis for each dimension of people; all others stay at their total.
        let mut paired: Vec<(usize, usize)> = Vec::new();
        for (axis, dimension) in households.dimensions.iter().enumerate() {
            let found = self.pairs.iter().position(|pair| pair.head == *dimension);
            if let Some(at) = found.filter(|&at| !paired.iter().any(|(_, other)| self.pairs[*other].person == self.pairs[at].person)) {
                paired.push((axis, at));
            }
        }
        let choices: Vec<Choice<'_, '_>> = self.people.iter().map(|table| self.choice(households, table, &paired)).collect();
        let mut positions = vec![0; paired.len()];
        let mut terms = Vec::new();
        loop {
            let size = |choice: &Choice<'_, '_>| choice.size(&positions).filter(|size| *size <= LARGEST_COVER);
            let best = choices.iter().filter_map(|choice| Some((size(choice)?, choice))).min_by_key(|(size, _)| *size);
            if let Some((_, choice)) = best {
                let offset: u64 =
                    paired.iter().zip(&positions).map(|((axis, _), at)| u64::from(*at) * households.shape.strides[*axis]).sum();
                let cell = households.first + offset as u32;
                terms.clear();
                terms.push((cell, 1));
                choice.add(&positions, choice.table.first, &mut terms);
                visit(cell, &terms);
            }
            // The next combination of positions, the last axis first.
            let lengths = paired.iter().map(|(axis, _)| households.shape.axes[*axis].nodes.len() as u32);
            let next = positions.iter_mut().zip(lengths).rev().find_map(|(position, length)| {
                *position = (*position + 1) % length;
                (*position != 0).then_some(())
            });
            if next.is_none() {
                return;
            }
        }
    }

    fn choice<'t>(&mut self, households: &IndexedTable<'_>, table: &'t IndexedTable<'a>, paired: &[(usize, usize)]) -> Choice<'t, 'a> {
        let of_pair = |&(axis, at): &(usize, usize)| {
            let (pair, heads) = (&self.pairs[at], &households.shape.axes[axis]);
            let shown = table.dimensions.iter().position(|dimension| *dimension == pair.person);
            // A table without the dimension shows its total alone.
            let total = std::slice::from_ref(&pair.total);
            let people = shown.map_or(total, |at| &table.shape.axes[at].bases);
            let covers = self.covers.entry((at, heads.nodes.len(), people.len()));
            let covers = Rc::clone(covers.or_insert_with(|| Rc::new(covers_of(&heads.bases, people, &pair.classes))));
            (covers, shown.map_or(0, |at| table.shape.strides[at] as u32))
        };
        Choice { table, axes: paired.iter().map(of_pair).collect() }
    }
}

/// A table of people, and how its cells make up those of households.
struct Choice<'t, 'a> {
    table: &'t IndexedTable<'a>,
    /// For each paired axis of households the covers, and the distance of neighbours on the axis of people.
    axes: Vec<(Rc<Covers>, u32)>,
}

impl Choice<'_, '_> {
    /// How many cells make up the heads at these positions; `None` if none do.
    fn size(&self, positions: &[u32]) -> Option<usize> {
        self.axes.iter().zip(positions).try_fold(1, |size, ((covers, _), at)| Some(size * covers.of(*at)?.len()))
    }

    fn add(&self, positions: &[u32], cell: u32, terms: &mut Vec<(u32, i32)>) {
        let Some((at, axes)) = positions.len().checked_sub(1).map(|last| (last, &self.axes)) else {
            return terms.push((cell, -1));
        };
        let (covers, stride) = &axes[at];
        for position in covers.of(positions[at]).unwrap_or_default() {
            self.add(&positions[..at], cell + position * stride, terms);
        }
    }
}

/// The cover of each position on an axis of heads.
fn covers_of(heads: &[Range<u32>], people: &[Range<u32>], classes: &[u32]) -> Covers {
    let mut covers = Covers { ranges: Vec::with_capacity(heads.len()), positions: Vec::new() };
    // Base leaves of people by their class: one run for each class if classes ascend, as they do in practice.
    let mut runs: Vec<(u32, Range<u32>)> = Vec::new();
    for (&class, at) in classes.iter().zip(0u32..) {
        match runs.last_mut() {
            Some((last, run)) if *last == class => run.end = at + 1,
            _ => runs.push((class, at..at + 1)),
        }
    }
    runs.sort_unstable_by_key(|(class, run)| (*class, run.start));
    for wanted in heads {
        let start = covers.positions.len() as u32;
        let within = runs.partition_point(|(class, _)| *class < wanted.start)..runs.partition_point(|(class, _)| *class < wanted.end);
        let mut leaves: Vec<Range<u32>> = runs[within].iter().map(|(_, run)| run.clone()).collect();
        leaves.sort_unstable_by_key(|run| run.start);
        leaves.dedup_by(|next, run| {
            let is_next = run.end == next.start;
            if is_next {
                run.end = next.end;
            }
            is_next
        });
        let is_covered = leaves.iter().all(|run| cover(people, run, &mut covers.positions));
        let end = covers.positions.len() as u32;
        covers.ranges.push((is_covered && end > start).then_some(start..end));
    }
    covers
}

/// Adds the coarsest nodes that make up some base leaves; `false` if a finest node lies in them in part.
fn cover(people: &[Range<u32>], wanted: &Range<u32>, positions: &mut Vec<u32>) -> bool {
    let mut covered = wanted.start;
    while covered < wanted.end {
        // In preorder nodes are sorted by their first leaf, and those with the same one from the coarsest to the finest.
        let fits = |bases: &Range<u32>| bases.start > covered || (bases.start == covered && bases.end <= wanted.end);
        let at = people.partition_point(|bases| !fits(bases));
        let Some(found) = people.get(at).filter(|bases| bases.start == covered) else { return false };
        positions.push(at as u32);
        covered = found.end;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn positions(heads: &[Range<u32>], people: &[Range<u32>], classes: &[u32]) -> Vec<Option<Vec<u32>>> {
        let covers = covers_of(heads, people, classes);
        (0..heads.len() as u32).map(|at| covers.of(at).map(<[u32]>::to_vec)).collect()
    }

    #[test]
    fn the_fewest_nodes_that_make_up_the_same_leaves() {
        // total > {young > {0, 1}, old > {2, 3}}
        let people = [0..4, 0..2, 0..1, 1..2, 2..4, 2..3, 3..4];
        // Heads of the same dimension, one node each.
        let expect: Vec<Option<Vec<u32>>> = (0..7).map(|at| Some(vec![at])).collect();
        assert_eq!(positions(&people, &people, &[0, 1, 2, 3]), expect);
        // Heads in three classes: 0 and 1, 2, 3.
        assert_eq!(
            positions(&[0..3, 0..2, 0..1, 1..2, 2..3], &people, &[0, 0, 1, 2]),
            [Some(vec![0]), Some(vec![1, 5]), Some(vec![1]), Some(vec![5]), Some(vec![6])]
        );
        // Classes that alternate.
        assert_eq!(positions(&[0..2, 0..1, 1..2], &people, &[0, 1, 0, 1]), [Some(vec![0]), Some(vec![2, 5]), Some(vec![3, 6])]);
        // People that are not told apart as finely as heads.
        assert_eq!(positions(&[0..2, 0..1, 1..2], &[0..4, 0..2, 2..4], &[0, 0, 0, 1]), [Some(vec![0]), None, None]);
    }
}
