//! The tables of people and their cells with few people, laid out for finding the cells in which members of a household are together.

use std::{iter, sync::Arc};

use crate::{
    classify::{Classifier, PackedField},
    cube::rollup::rollup_saturating,
    engine::Counts,
    error::{Error, Result},
    parallel,
    register::{Axis, Definitions, Dimension, MOST_CONTRIBUTORS, Shape, Unit},
};

/// Members of a household up to which they are looked at one by one; larger households are few and are added up cell by cell.
pub const SMALL_HOUSEHOLD: usize = 8;
/// The most people in a cell that come from fewer than [`MOST_CONTRIBUTORS`] such households.
pub const FEW_PEOPLE: u8 = (MOST_CONTRIBUTORS as usize - 1) as u8 * SMALL_HOUSEHOLD as u8;
/// Stands for the node above a root.
pub const NONE: u32 = u32::MAX;
/// Codes of which it is worked out beforehand where any two of them meet.
const MOST_TABULATED: usize = 256;
/// Codes that several dimensions may have together.
const MOST_COMBINED: usize = 64;

/// A dimension of people.
#[derive(Debug)]
pub struct PeopleDimension {
    /// Where its code lies in packed codes.
    pub field: PackedField,
    /// For each base leaf its node.
    leaves: Vec<u32>,
    /// For each node the one above it.
    parents: Vec<u32>,
}

impl PeopleDimension {
    fn new(field: PackedField, dimension: &Dimension) -> Self {
        let parents = dimension.nodes.iter().map(|node| node.parent.unwrap_or(NONE)).collect();
        Self { field, leaves: dimension.base_leaves(), parents }
    }

    /// Number of base leaves.
    pub fn codes(&self) -> usize {
        self.leaves.len()
    }

    /// The lowest node that two base leaves lie below, or are.
    pub fn meet(&self, a: u32, b: u32) -> u32 {
        let (mut a, mut b) = (self.leaves[a as usize], self.leaves[b as usize]);
        // In preorder whichever stands later cannot be above the other.
        while a != b {
            if a > b { a = self.parents[a as usize] } else { b = self.parents[b as usize] }
        }
        a
    }

    /// The node of a base leaf and all above it.
    pub fn above(&self, leaf: u32) -> impl Iterator<Item = u32> + '_ {
        iter::successors(Some(self.leaves[leaf as usize]), |&node| Some(self.parents[node as usize]).filter(|&node| node != NONE))
    }
}

/// An axis of a table of people.
#[derive(Debug)]
pub struct PeopleAxis {
    /// Position in [`PeopleTables::dimensions`].
    pub dimension: usize,
    /// For each base leaf of the dimension where it stands on the axis, or the node above it that does.
    pub leaves: Vec<u32>,
    /// The same for each node.
    pub places: Vec<u32>,
    /// For each place that of the node above it.
    pub parents: Vec<u32>,
    /// Cells from one place to the next.
    pub stride: u32,
}

impl PeopleAxis {
    /// A place and those of all nodes above it.
    pub fn above(&self, place: u32) -> impl Iterator<Item = u32> + '_ {
        iter::successors(Some(place), |&place| Some(self.parents[place as usize]).filter(|&place| place != NONE))
    }
}

/// A table of people.
#[derive(Debug)]
pub struct PeopleTable {
    /// How its cells are numbered.
    pub shape: Shape,
    /// The axis of the region, which members of a household mostly share. It comes first.
    pub region: PeopleAxis,
    /// All other axes.
    pub others: Vec<PeopleAxis>,
}

impl PeopleTable {
    /// All axes.
    pub fn axes(&self) -> impl Iterator<Item = &PeopleAxis> + Clone {
        iter::once(&self.region).chain(&self.others)
    }
}

/// A dimension, or several of few categories that are taken together, so that there is less to look up.
#[derive(Debug)]
pub struct Part {
    /// Position of each in [`PeopleTables::dimensions`].
    dimensions: Vec<usize>,
    /// Where the code of each lies, and by how much it counts in the code of all.
    fields: Vec<(PackedField, u32)>,
    /// Number of codes.
    codes: usize,
    /// For each two codes the combination of nodes where they meet, numbered like codes; worked out beforehand where they are few enough.
    meets: Option<Vec<u16>>,
}

impl Part {
    fn new(chosen: &[usize], dimensions: &[PeopleDimension]) -> Self {
        let mut new = Self { dimensions: chosen.to_vec(), fields: Vec::new(), codes: 1, meets: None };
        for &at in chosen {
            new.fields.push((dimensions[at].field, new.codes as u32));
            new.codes *= dimensions[at].leaves.len();
        }
        if new.codes <= MOST_TABULATED && new.nodes(dimensions) <= usize::from(u16::MAX) {
            let codes = new.codes as u32;
            let pairs = (0..codes).flat_map(|a| (0..codes).map(move |b| (a, b)));
            new.meets = Some(pairs.map(|(a, b)| new.climb(a, b, dimensions) as u16).collect());
        }
        new
    }

    /// Its code in packed codes.
    #[inline]
    pub fn code(&self, packed: u64) -> u32 {
        self.fields.iter().map(|(field, factor)| field.of(packed) * factor).sum()
    }

    /// Number of the combination of nodes where two codes meet.
    #[inline]
    pub fn meet(&self, a: u32, b: u32, dimensions: &[PeopleDimension]) -> usize {
        match &self.meets {
            Some(meets) => usize::from(meets[a as usize * self.codes + b as usize]),
            None => self.climb(a, b, dimensions),
        }
    }

    fn climb(&self, mut a: u32, mut b: u32, dimensions: &[PeopleDimension]) -> usize {
        let (mut node, mut factor) = (0, 1);
        for &at in &self.dimensions {
            let (dimension, codes) = (&dimensions[at], dimensions[at].leaves.len() as u32);
            node += factor * dimension.meet(a % codes, b % codes) as usize;
            factor *= dimension.parents.len();
            (a, b) = (a / codes, b / codes);
        }
        node
    }

    /// Number of combinations of nodes.
    fn nodes(&self, dimensions: &[PeopleDimension]) -> usize {
        self.dimensions.iter().map(|&at| dimensions[at].parents.len()).product()
    }

    /// For each dimension of a combination of `counts` the number of its own, such as a code or a node.
    fn apart(&self, mut number: usize, count: impl Fn(usize) -> usize) -> impl Iterator<Item = (usize, usize)> {
        self.dimensions.iter().map(move |&at| {
            let (rest, own) = (number / count(at), number % count(at));
            number = rest;
            (at, own)
        })
    }
}

/// Cells of a region in tables that are looked at together: a bit each.
pub type Bits = [u64; 4];
const BITS: usize = 256;

/// Tables of one kind of regions that have few cells in each.
#[derive(Debug)]
pub struct NarrowTables {
    /// Position of each, and its first bit.
    tables: Vec<(usize, usize)>,
    /// For each bit the table, and the cell within the region.
    pub cells: Vec<(usize, u32)>,
    /// For each of [`PeopleTables::parts`] and each code the cells of those who have it. Somebody is in the cells that are his by all parts.
    pub masks: Vec<Vec<Bits>>,
}

/// Tables that a row covers.
pub const LANES: usize = 8;

/// Tables of which cells are worked out together: by rows that hold by how many cells something moves in each of them, as in
/// [`crate::engine::Engine::count`].
#[derive(Debug)]
pub struct WideTables {
    /// Their positions; at most as many as [`LANES`].
    pub tables: Vec<usize>,
    /// For each of [`PeopleTables::parts`] the rows of the finest places of its codes.
    pub leaves: Vec<Vec<[u32; LANES]>>,
    /// For each of [`PeopleTables::parts`] the rows of its combinations of nodes.
    pub nodes: Vec<Vec<[u32; LANES]>>,
}

/// All published tables of people.
#[derive(Debug, Default)]
pub struct PeopleTables {
    /// The tables, in their order.
    pub tables: Vec<PeopleTable>,
    /// Their dimensions.
    pub dimensions: Vec<PeopleDimension>,
    /// Dimensions of regions.
    pub regions: Vec<usize>,
    /// All other dimensions.
    pub parts: Vec<Part>,
    /// Tables that have few cells in each region.
    pub narrow: Vec<NarrowTables>,
    /// All other tables.
    pub wide: Vec<WideTables>,
}

impl PeopleTables {
    /// Lays out the tables of definitions for the records of a classifier.
    pub fn new(definitions: &Definitions, classifier: &Classifier) -> Result<Self> {
        let mut new = Self::default();
        // Where each dimension stands among those of the definitions.
        let mut known: Vec<usize> = Vec::new();
        for table in definitions.tables.iter().filter(|table| table.unit == Unit::Person) {
            let shape = definitions.shape(table);
            let mut axes = Vec::with_capacity(shape.axes.len());
            for ((table_axis, axis), &stride) in table.axes.iter().zip(&shape.axes).zip(&shape.strides) {
                let found = definitions.dimension(&table_axis.dimension);
                let found = found.and_then(|(at, dimension)| Some((at, dimension, classifier.field(at)?)));
                let (at, dimension, field) =
                    found.ok_or_else(|| Error::Internal(format!("people are not classified by {}", table_axis.dimension)))?;
                let number = known.iter().position(|&known| known == at).unwrap_or_else(|| {
                    new.dimensions.push(PeopleDimension::new(field, dimension));
                    known.push(at);
                    known.len() - 1
                });
                axes.push(PeopleAxis {
                    dimension: number,
                    leaves: axis.base_to_leaf.iter().map(|&leaf| axis.leaves[leaf as usize]).collect(),
                    places: places(axis, dimension),
                    parents: axis.parents.iter().map(|parent| parent.unwrap_or(NONE)).collect(),
                    stride: stride as u32,
                });
            }
            let mut axes = axes.into_iter();
            let region = axes.next().ok_or_else(|| Error::Internal(format!("table {} has no axis", table.id)))?;
            new.tables.push(PeopleTable { shape, region, others: axes.collect() });
        }
        new.regions = new.tables.iter().map(|table| table.region.dimension).collect();
        new.regions.sort_unstable();
        new.regions.dedup();
        new.parts = new.parts();
        new.divide();
        Ok(new)
    }

    /// Takes dimensions of few categories together.
    fn parts(&self) -> Vec<Part> {
        let mut others: Vec<usize> = self.tables.iter().flat_map(|table| &table.others).map(|axis| axis.dimension).collect();
        others.sort_unstable_by_key(|&at| (self.dimensions[at].leaves.len(), at));
        others.dedup();
        let (mut parts, mut together, mut codes) = (Vec::new(), Vec::new(), 1);
        for at in others {
            codes *= self.dimensions[at].leaves.len();
            if codes <= MOST_COMBINED { together.push(at) } else { parts.push(Part::new(&[at], &self.dimensions)) }
        }
        parts.push(Part::new(&together, &self.dimensions));
        parts
    }

    /// Tells tables that have few cells in each region from the others.
    fn divide(&mut self) {
        let mut groups: Vec<(usize, Vec<usize>)> = Vec::new();
        for (at, table) in self.tables.iter().enumerate() {
            let cells = table.region.stride as usize;
            let is_same = |other: usize| {
                let other = &self.tables[other].region;
                (other.dimension, other.parents.len()) == (table.region.dimension, table.region.parents.len())
            };
            match groups.iter_mut().find(|(bits, tables)| is_same(tables[0]) && bits + cells <= BITS) {
                Some((bits, tables)) => {
                    *bits += cells;
                    tables.push(at);
                }
                None if cells <= BITS => groups.push((cells, vec![at])),
                None => {}
            }
        }
        // One table alone is looked at as fast among the others.
        groups.retain(|(_, tables)| tables.len() > 1);
        self.narrow = groups.iter().map(|(_, tables)| self.narrow(tables)).collect();
        let wide: Vec<usize> = (0..self.tables.len()).filter(|at| !groups.iter().any(|(_, tables)| tables.contains(at))).collect();
        self.wide = wide.chunks(LANES).map(|tables| self.wide(tables)).collect();
    }

    fn narrow(&self, chosen: &[usize]) -> NarrowTables {
        let mut new = NarrowTables { tables: Vec::new(), cells: Vec::new(), masks: Vec::new() };
        for &at in chosen {
            new.tables.push((at, new.cells.len()));
            new.cells.extend((0..self.tables[at].region.stride).map(|cell| (at, cell)));
        }
        let mask = |part: &Part, code: usize| {
            let codes: Vec<(usize, usize)> = part.apart(code, |at| self.dimensions[at].leaves.len()).collect();
            // Whether somebody with these codes may be in a cell.
            let is_in = |&(at, cell): &(usize, u32)| {
                self.tables[at].others.iter().all(|axis| {
                    let place = cell / axis.stride % axis.parents.len() as u32;
                    let code = codes.iter().find(|(dimension, _)| *dimension == axis.dimension);
                    code.is_none_or(|&(_, code)| axis.above(axis.leaves[code]).any(|above| above == place))
                })
            };
            let mut mask = Bits::default();
            for bit in (0..new.cells.len()).filter(|&bit| is_in(&new.cells[bit])) {
                mask[bit / 64] |= 1 << (bit % 64);
            }
            mask
        };
        new.masks = self.parts.iter().map(|part| (0..part.codes).map(|code| mask(part, code)).collect()).collect();
        new
    }

    fn wide(&self, chosen: &[usize]) -> WideTables {
        let row = |places: &[(usize, usize)], place: fn(&PeopleAxis, usize) -> u32| -> [u32; LANES] {
            std::array::from_fn(|lane| {
                let axes = chosen.get(lane).into_iter().flat_map(|&at| &self.tables[at].others);
                let of_part = |axis: &PeopleAxis| places.iter().find(|(dimension, _)| *dimension == axis.dimension).map(|(_, own)| *own);
                axes.filter_map(|axis| Some(place(axis, of_part(axis)?) * axis.stride)).sum()
            })
        };
        let leaves = |part: &Part| {
            let codes = |at: usize| self.dimensions[at].leaves.len();
            let row = |code: usize| row(&part.apart(code, codes).collect::<Vec<_>>(), |axis, code| axis.leaves[code]);
            (0..part.codes).map(row).collect()
        };
        let nodes = |part: &Part| {
            let nodes = |at: usize| self.dimensions[at].parents.len();
            let row = |node: usize| row(&part.apart(node, nodes).collect::<Vec<_>>(), |axis, node| axis.places[node]);
            (0..part.nodes(&self.dimensions)).map(row).collect()
        };
        WideTables {
            tables: chosen.to_vec(),
            leaves: self.parts.iter().map(leaves).collect(),
            nodes: self.parts.iter().map(nodes).collect(),
        }
    }
}

/// For each node of a dimension where it stands on an axis, or the node above it that does.
fn places(axis: &Axis, dimension: &Dimension) -> Vec<u32> {
    let mut places = vec![NONE; dimension.nodes.len()];
    for (&node, place) in axis.nodes.iter().zip(0..) {
        places[node as usize] = place;
    }
    // A node stands behind the one above it.
    for node in 0..places.len() {
        if places[node] == NONE {
            places[node] = dimension.nodes[node].parent.map_or(0, |parent| places[parent as usize]);
        }
    }
    places
}

/// How many people the cells of all tables have, as far as they are few.
#[derive(Debug)]
pub struct FewCells {
    /// The tables.
    pub tables: Arc<PeopleTables>,
    /// For each table and cell the number of people; 255 stands for more too.
    pub people: Vec<Vec<u8>>,
    /// For each of [`PeopleTables::narrow`] and place of a region the cells that have few people.
    pub narrow: Vec<Vec<Bits>>,
}

impl NarrowTables {
    /// The axis of the regions that all of the tables have.
    pub fn region<'t>(&self, tables: &'t PeopleTables) -> &'t PeopleAxis {
        &tables.tables[self.tables[0].0].region
    }
}

impl FewCells {
    /// Adds up the leaf cells of each table, of which 255 people stand for more too.
    pub fn new(tables: Arc<PeopleTables>, leaves: Vec<Vec<u8>>) -> Result<Self> {
        let added = tables.tables.iter().zip(leaves);
        let people = parallel::each(added, |(table, leaves)| Ok(rollup_saturating(&table.shape, leaves)))?;
        let narrow = parallel::each(tables.narrow.iter(), |narrow| {
            let mut few = Vec::new();
            for &(at, first) in &narrow.tables {
                let cells = tables.tables[at].region.stride as usize;
                few.resize(people[at].len() / cells, Bits::default());
                for (row, bits) in people[at].chunks_exact(cells).zip(&mut few) {
                    for (bit, &people) in (first..).zip(row) {
                        bits[bit / 64] |= u64::from(people <= FEW_PEOPLE) << (bit % 64);
                    }
                }
            }
            Ok(few)
        })?;
        Ok(Self { tables, people, narrow })
    }

    /// The leaf cells of tables of people as [`FewCells::new`] takes them.
    pub fn leaves(counts: &[Counts]) -> Vec<Vec<u8>> {
        counts.iter().map(Counts::saturated).collect()
    }
}
