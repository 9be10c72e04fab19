//! Which cells of few people the members of one household share.
//!
//! Numbers of people only grow on the way up from one cell to those that hold it. So wherever a cell has many people the way ends, and mostly it
//! ends where it begins. In tables that have few cells in a region, all cells of a member there are bits ([`NarrowTables`]), and which of
//! them an earlier member is in is one operation. In others only members whose finest cell has few people are looked at, each two of them from
//! the cell where they *meet*: on each axis the lowest node above both.

use std::sync::{Arc, atomic::Ordering};

use super::{
    Contributors,
    cells::{Bits, FEW_PEOPLE, LANES, NONE, NarrowTables, PeopleAxis, SMALL_HOUSEHOLD, WideTables},
    large::LargeShares,
};

/// Goes through the households of one thread.
pub struct Walker {
    contributors: Arc<Contributors>,
    /// Codes of the members of one household, for each part of their dimensions.
    codes: Vec<[u32; SMALL_HOUSEHOLD]>,
    /// Codes of the region of the last household, for each dimension of regions.
    region: Vec<u32>,
    /// First cells of that region in wide tables.
    starts: Vec<[u32; LANES]>,
    way: Way,
    large: LargeShares,
}

/// A household whose members are of one region.
#[derive(Clone, Copy)]
struct Together<'a> {
    contributors: &'a Contributors,
    members: &'a [u64],
    codes: &'a [[u32; SMALL_HOUSEHOLD]],
}

impl Walker {
    /// Starts with nothing.
    pub fn new(contributors: &Arc<Contributors>) -> Self {
        let tables = contributors.tables();
        Self {
            codes: vec![[0; SMALL_HOUSEHOLD]; tables.parts.len()],
            region: vec![u32::MAX; tables.regions.len()],
            starts: vec![[0; LANES]; tables.wide.len()],
            way: Way::default(),
            large: LargeShares::default(),
            contributors: Arc::clone(contributors),
        }
    }

    /// Counts, for each cell of few people, the members of a household in it beyond the first. They are given by their packed codes.
    pub fn household(&mut self, members: &[u64]) {
        let Self { contributors, codes, region, starts, way, large } = self;
        let Some((&first, others)) = members.split_first().filter(|(_, others)| !others.is_empty()) else { return };
        let tables = contributors.tables();
        let is_together = |&at: &usize| {
            let field = tables.dimensions[at].field;
            others.iter().all(|&packed| field.of(packed) == field.of(first))
        };
        if members.len() > SMALL_HOUSEHOLD || !tables.regions.iter().all(is_together) {
            return large.add(members, contributors);
        }
        for (part, codes) in tables.parts.iter().zip(codes.iter_mut()) {
            for (code, &packed) in codes.iter_mut().zip(members) {
                *code = part.code(packed);
            }
        }
        let mut code_of_region = tables.regions.iter().map(|&at| tables.dimensions[at].field.of(first));
        if !region.iter().all(|&known| code_of_region.next() == Some(known)) {
            region.iter_mut().zip(&tables.regions).for_each(|(code, &at)| *code = tables.dimensions[at].field.of(first));
            for (starts, wide) in starts.iter_mut().zip(&tables.wide) {
                for (start, &at) in starts.iter_mut().zip(&wide.tables) {
                    let axis = &tables.tables[at].region;
                    *start = axis.leaves[tables.dimensions[axis.dimension].field.of(first) as usize] * axis.stride;
                }
            }
        }
        let household = Together { contributors, members, codes };
        for (narrow, few) in tables.narrow.iter().zip(&contributors.few.narrow) {
            household.by_bits(narrow, few);
        }
        for (wide, starts) in tables.wide.iter().zip(starts.iter()) {
            household.by_pairs(wide, starts, way);
        }
    }

    /// What was found of large households.
    pub fn into_large(self) -> LargeShares {
        self.large
    }
}

impl Together<'_> {
    /// Goes through narrow tables.
    fn by_bits(self, narrow: &NarrowTables, few: &[Bits]) {
        let tables = self.contributors.tables();
        let region = narrow.region(tables);
        let code = tables.dimensions[region.dimension].field.of(self.members[0]);
        let home = region.leaves[code as usize];
        let mut met = Bits::default();
        for member in 0..self.members.len() {
            let mut cells = few[home as usize];
            for (masks, codes) in narrow.masks.iter().zip(self.codes) {
                let mask = &masks[codes[member] as usize];
                cells.iter_mut().zip(mask).for_each(|(cells, mask)| *cells &= mask);
            }
            let mut again: Bits = std::array::from_fn(|word| met[word] & cells[word]);
            met.iter_mut().zip(cells).for_each(|(met, cells)| *met |= cells);
            let mut place = home;
            while again != Bits::default() {
                for (word, mut bits) in again.into_iter().enumerate() {
                    while bits > 0 {
                        let (at, cell) = narrow.cells[word * 64 + bits.trailing_zeros() as usize];
                        let cell = place * tables.tables[at].region.stride + cell;
                        self.contributors.repeats[at][cell as usize].fetch_add(1, Ordering::Relaxed);
                        bits &= bits - 1;
                    }
                }
                place = region.parents[place as usize];
                if place == NONE {
                    break;
                }
                again.iter_mut().zip(&few[place as usize]).for_each(|(again, few)| *again &= few);
            }
        }
    }

    /// Goes through wide tables, in which the region begins at these cells.
    fn by_pairs(self, wide: &WideTables, starts: &[u32; LANES], way: &mut Way) {
        // For each member the tables in which the finest cell has few people, a bit each.
        let mut few = [0u8; SMALL_HOUSEHOLD];
        // The tables in which that is so of one member, and of two: only there somebody may meet another.
        let (mut once, mut twice) = (0, 0);
        for (member, few) in few.iter_mut().enumerate().take(self.members.len()) {
            let mut cells = *starts;
            for (rows, codes) in wide.leaves.iter().zip(self.codes) {
                move_by(&mut cells, &rows[codes[member] as usize]);
            }
            for (lane, (&cell, &at)) in cells.iter().zip(&wide.tables).enumerate() {
                *few |= u8::from(self.contributors.few.people[at][cell as usize] <= FEW_PEOPLE) << lane;
            }
            twice |= once & *few;
            once |= *few;
        }
        if twice == 0 {
            return;
        }
        for second in 1..self.members.len() {
            way.met.clear();
            for first in 0..second {
                let mut both = few[first] & few[second];
                if both == 0 {
                    continue;
                }
                let mut cells = *starts;
                let parts = self.contributors.tables().parts.iter().zip(self.codes);
                for ((part, codes), rows) in parts.zip(&wide.nodes) {
                    let node = part.meet(codes[first], codes[second], &self.contributors.tables().dimensions);
                    move_by(&mut cells, &rows[node]);
                }
                while both > 0 {
                    let lane = both.trailing_zeros() as usize;
                    both &= both - 1;
                    let (at, cell) = (wide.tables[lane], cells[lane]);
                    if self.contributors.few.people[at][cell as usize] <= FEW_PEOPLE {
                        way.begin(self, at, cell, first, second);
                    }
                }
            }
        }
    }
}

fn move_by(cells: &mut [u32; LANES], row: &[u32; LANES]) {
    for (cell, moved) in cells.iter_mut().zip(row) {
        *cell += moved;
    }
}

/// The way up from where two members meet.
#[derive(Debug, Default)]
struct Way {
    /// Place on each axis of the table.
    places: Vec<u32>,
    /// Tables and cells in which the second member has met an earlier one, and with each all above it that have few people.
    met: Vec<(usize, u32)>,
}

impl Way {
    /// Counts the second of two members in a cell where they meet and in those above it, unless an earlier member has made it count already.
    #[inline(never)]
    fn begin(&mut self, household: Together<'_>, table: usize, cell: u32, first: usize, second: usize) {
        if self.met.contains(&(table, cell)) {
            return;
        }
        let tables = household.contributors.tables();
        let place = |axis: &PeopleAxis| {
            let dimension = &tables.dimensions[axis.dimension];
            let code = |member: usize| dimension.field.of(household.members[member]);
            axis.places[dimension.meet(code(first), code(second)) as usize]
        };
        self.places.clear();
        self.places.extend(tables.tables[table].axes().map(place));
        self.up(household.contributors, table, cell, 0);
    }

    /// Goes to a cell, and from there up on this axis and those behind it: so every cell is reached by one way only.
    fn up(&mut self, contributors: &Contributors, table: usize, cell: u32, from: usize) {
        self.met.push((table, cell));
        contributors.repeats[table][cell as usize].fetch_add(1, Ordering::Relaxed);
        for (at, axis) in contributors.tables().tables[table].axes().enumerate().skip(from) {
            let place = self.places[at];
            let parent = axis.parents[place as usize];
            if parent == NONE {
                continue;
            }
            let above = cell - (place - parent) * axis.stride;
            if contributors.few.people[table][above as usize] <= FEW_PEOPLE && !self.met.contains(&(table, above)) {
                self.places[at] = parent;
                self.up(contributors, table, above, at);
                self.places[at] = place;
            }
        }
    }
}
