//! Large households, and cells of many people that come from few households all the same.
//!
//! A cell with more than [`FEW_PEOPLE`] comes from few households only if one of them is large and is a great part of it. Such households are
//! few, so that all cells that they have a share in are added up. The cells where the share is great enough are looked at once
//! more, with the members of all households ([`LargeCells`]); in most registers there are none.

use std::{
    ops::Range,
    sync::atomic::{AtomicU32, Ordering},
};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::{
    Contributors,
    cells::{FEW_PEOPLE, NONE, PeopleAxis, PeopleTable, PeopleTables},
};
use crate::{cube::rollup::rollup, engine::Counts, register::MOST_CONTRIBUTORS};

/// Households that a cell may come from to be of interest.
const FEW_HOUSEHOLDS: u32 = MOST_CONTRIBUTORS - 1;

/// For cells with more than [`FEW_PEOPLE`], by table and number, the most members that a large household has in them. A cell is here only if
/// so many may be a great part of it.
#[derive(Debug, Default)]
pub struct LargeShares(FxHashMap<(u32, u32), u32>);

impl LargeShares {
    /// Adds a household, by the packed codes of its members: counts its members beyond the first in cells of few people.
    pub(super) fn add(&mut self, members: &[u64], contributors: &Contributors) {
        let tables = contributors.tables();
        for (number, table) in tables.tables.iter().enumerate() {
            for (cell, count) in shares(table, tables, members).into_iter().filter(|(_, count)| *count > 1) {
                let people = contributors.few.people[number][cell as usize];
                if people <= FEW_PEOPLE {
                    // No more than the people in the cell.
                    contributors.repeats[number][cell as usize].fetch_add((count - 1) as u8, Ordering::Relaxed);
                } else if u32::from(people) <= count.saturating_mul(FEW_HOUSEHOLDS) {
                    self.keep(number as u32, cell, count);
                }
            }
        }
    }

    fn keep(&mut self, table: u32, cell: u32, count: u32) {
        let most = self.0.entry((table, cell)).or_default();
        *most = count.max(*most);
    }

    /// Adds what another thread or part found.
    pub fn extend(&mut self, other: impl IntoIterator<Item = [u32; 3]>) {
        other.into_iter().for_each(|[table, cell, count]| self.keep(table, cell, count));
    }

    /// Table, cell and members.
    pub fn into_sorted(self) -> Vec<[u32; 3]> {
        let mut all: Vec<[u32; 3]> = self.0.into_iter().map(|((table, cell), count)| [table, cell, count]).collect();
        all.sort_unstable();
        all
    }

    /// The cells in which a share is so great that they may come from few households, with the number of people in them. `counts` are
    /// the leaf cells of each table.
    pub fn cells(self, tables: &PeopleTables, counts: &[Counts]) -> Vec<LargeCount> {
        let mut found = Vec::new();
        for of_table in self.into_sorted().chunk_by(|a, b| a[0] == b[0]) {
            let number = of_table[0][0];
            let (Some(table), Some(counts)) = (tables.tables.get(number as usize), counts.get(number as usize)) else { continue };
            let mut leaves = vec![0; counts.cells()];
            counts.filled().for_each(|(cell, count)| leaves[cell as usize] = count);
            let people = rollup(&table.shape, &leaves);
            let with_people = of_table.iter().map(|&[_, cell, count]| (cell, count, people[cell as usize]));
            let great = with_people.filter(|(_, count, people)| *people <= count.saturating_mul(FEW_HOUSEHOLDS));
            found.extend(great.map(|(cell, _, people)| LargeCount { table: number, cell, people, repeats: 0 }));
        }
        found
    }
}

/// Cells of a table and how many of some people are in each, marginals included.
fn shares(table: &PeopleTable, tables: &PeopleTables, members: &[u64]) -> Vec<(u32, u32)> {
    let leaf = |packed: u64| {
        let place = |axis: &PeopleAxis| axis.leaves[tables.dimensions[axis.dimension].field.of(packed) as usize] * axis.stride;
        (table.axes().map(place).sum::<u32>(), 1)
    };
    let mut cells: Vec<(u32, u32)> = members.iter().map(|&packed| leaf(packed)).collect();
    merge(&mut cells);
    for axis in table.axes() {
        for at in 0..cells.len() {
            let (mut cell, count) = cells[at];
            let mut place = cell / axis.stride % axis.parents.len() as u32;
            while axis.parents[place as usize] != NONE {
                let parent = axis.parents[place as usize];
                cell -= (place - parent) * axis.stride;
                place = parent;
                cells.push((cell, count));
            }
        }
        merge(&mut cells);
    }
    cells
}

/// Adds up what is of one cell.
fn merge(cells: &mut Vec<(u32, u32)>) {
    cells.sort_unstable_by_key(|(cell, _)| *cell);
    cells.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        kept.1 += if same { next.1 } else { 0 };
        same
    });
}

/// A cell of many people that may come from few households.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LargeCount {
    /// Number of the table among those of people.
    pub table: u32,
    /// Number of the cell.
    pub cell: u32,
    /// People in it.
    pub people: u32,
    /// People in it beyond the first of each household.
    pub repeats: u32,
}

/// Cells of many people that may come from few households, while households are gone through once more.
#[derive(Debug)]
pub struct LargeCells {
    cells: Vec<LargeCell>,
    /// Which of them are at a node of the dimension of a region.
    by_region: FxHashMap<(usize, u32), Vec<usize>>,
    /// Dimensions of regions, each with the base leaves that lie in any of the cells: most households live in none.
    regions: Vec<(usize, Vec<bool>)>,
}

#[derive(Debug)]
struct LargeCell {
    count: LargeCount,
    repeats: AtomicU32,
    /// Position of a dimension, and the codes that are in the cell.
    within: Vec<(usize, Range<u32>)>,
}

impl LargeCells {
    /// Starts with nothing counted.
    pub fn new(tables: &PeopleTables, counts: &[LargeCount]) -> Self {
        let regions = tables.regions.iter().map(|&at| (at, vec![false; tables.dimensions[at].codes()])).collect();
        let mut new = Self { cells: Vec::new(), by_region: FxHashMap::default(), regions };
        for &count in counts {
            let Some(table) = tables.tables.get(count.table as usize) else { continue };
            let places = table.shape.coordinates(count.cell.into());
            let axes = table.axes().zip(&table.shape.axes).zip(&places);
            let within: Vec<(usize, Range<u32>)> =
                axes.map(|((axis, shape), &place)| (axis.dimension, shape.bases[place as usize].clone())).collect();
            if let Some((dimension, codes)) = within.first()
                && let Some((_, touched)) = new.regions.iter_mut().find(|(at, _)| at == dimension)
            {
                touched[codes.start as usize..codes.end as usize].fill(true);
            }
            let region = (table.region.dimension, table.shape.axes[0].nodes[places[0] as usize]);
            new.by_region.entry(region).or_default().push(new.cells.len());
            new.cells.push(LargeCell { count, repeats: AtomicU32::new(0), within });
        }
        new
    }

    /// Counts, in each of the cells, the members of a household beyond the first. They are given by their packed codes.
    pub fn household(&self, members: &[u64], tables: &PeopleTables) {
        if members.len() < 2 {
            return;
        }
        let code = |packed: u64, dimension: usize| tables.dimensions[dimension].field.of(packed);
        for &(dimension, ref touched) in &self.regions {
            if !members.iter().any(|&packed| touched[code(packed, dimension) as usize]) {
                continue;
            }
            let mut nodes: Vec<u32> = Vec::new();
            let mut last = None;
            for &packed in members {
                let region = code(packed, dimension);
                if last.replace(region) != Some(region) {
                    nodes.extend(tables.dimensions[dimension].above(region));
                }
            }
            nodes.sort_unstable();
            nodes.dedup();
            for &at in nodes.iter().filter_map(|&node| self.by_region.get(&(dimension, node))).flatten() {
                let cell = &self.cells[at];
                let is_within = |packed: &&u64| cell.within.iter().all(|(axis, codes)| codes.contains(&code(**packed, *axis)));
                let count = members.iter().filter(is_within).count() as u32;
                cell.repeats.fetch_add(count.saturating_sub(1), Ordering::Relaxed);
            }
        }
    }

    /// What was counted, in the order of [`LargeCells::new`].
    pub fn into_counts(self) -> Vec<LargeCount> {
        self.cells.into_iter().map(|cell| LargeCount { repeats: cell.repeats.into_inner(), ..cell.count }).collect()
    }
}
