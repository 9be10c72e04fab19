//! Which part of a correction could be left out, so that the rest can be published.
//!
//! What stands in the way are cells: small counts that would be given away, or that would change by few people. If nothing that they count
//! is changed, they are as they were. So each cell asks for the regions in which the correction changes what it counts, as fine as its table
//! shows them; where others show finer ones, for those in which all that overlaps with it may have changed. Where nothing of that is changed, what is
//! next to it is: the same is asked of the cells above.

use std::collections::BTreeSet;

use super::protection::cell_nodes;
use crate::{
    cube::grouped,
    register::{Definitions, Dimension, Role},
    worlds::{Census, Counted, Earlier},
};

/// So many regions are named.
const NAMED: usize = 10;

/// Says which regions a correction could leave as they are published, for the sake of some cells.
pub fn leave_out(
    definitions: &Definitions,
    census: &Census<'_>,
    earlier: &[Earlier<'_>],
    cells: impl Iterator<Item = (usize, u64)>,
) -> String {
    const NEXT_PERIOD: &str = "let it take effect with the next period";
    let Some(regions) = definitions.dimensions.iter().find(|dimension| dimension.role == Role::Geo) else { return NEXT_PERIOD.into() };
    let correction = Correction::new(regions, census, earlier);
    let mut parts: Vec<u32> = cells.flat_map(|(table, cell)| correction.nearest(table, cell)).collect();
    parts.sort_unstable();
    parts.dedup();
    let all = parts.clone();
    let above = |region: u32| std::iter::successors(regions.nodes[region as usize].parent, |&node| regions.nodes[node as usize].parent);
    parts.retain(|&region| !above(region).any(|above| all.binary_search(&above).is_ok()));
    if parts.is_empty() {
        return NEXT_PERIOD.into();
    }
    let names = parts.iter().take(NAMED).map(|&region| {
        let node = &regions.nodes[region as usize];
        format!("{} ({})", node.code, node.label.text(0))
    });
    let names = names.collect::<Vec<_>>().join(", ");
    let more = parts.len().saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {} more regions", grouped(more as u64)) };
    let is_left_out = |region: u32| std::iter::once(region).chain(above(region)).any(|region| parts.binary_search(&region).is_ok());
    if correction.changed().all(is_left_out) {
        return format!("that is so in {names}{more}, and elsewhere the correction changes nothing: {NEXT_PERIOD}");
    }
    format!(
        "leave out what the correction changes in {names}{more} (put the records of these regions back as they were, and build again), or \
         {NEXT_PERIOD}"
    )
}

/// What a correction changes, region by region.
struct Correction<'c, 'a> {
    regions: &'c Dimension,
    tables: Vec<Table<'c, 'a>>,
}

/// A table of the correction beside the same table of earlier revisions.
struct Table<'c, 'a> {
    counted: &'c Counted<'a>,
    before: Vec<&'c [u32]>,
    /// Position of the axis of regions.
    place: Option<usize>,
    /// Whether it shows regions as finely as any table.
    is_finest: bool,
}

impl Table<'_, '_> {
    fn differs(&self, cell: u64) -> bool {
        let cell = cell as usize;
        self.before.iter().any(|before| before[cell] != self.counted.counts[cell])
    }
}

impl<'c, 'a> Correction<'c, 'a> {
    fn new(regions: &'c Dimension, census: &'c Census<'a>, earlier: &'c [Earlier<'a>]) -> Self {
        let place = |counted: &Counted<'_>| counted.table.axes.iter().position(|axis| axis.dimension == regions.id);
        let fineness = |counted: &Counted<'_>| place(counted).map_or(0, |at| counted.shape.axes[at].nodes.len());
        let finest = census.tables.iter().map(fineness).max().unwrap_or(0);
        let table = |counted: &'c Counted<'a>| {
            let of_revision = |earlier: &'c Earlier<'a>| {
                let same = |before: &&Counted<'_>| before.table.id == counted.table.id && before.shape == counted.shape;
                earlier.census.tables.iter().find(same).map(|before| before.counts)
            };
            let before = earlier.iter().filter_map(of_revision).collect();
            Table { counted, before, place: place(counted), is_finest: fineness(counted) == finest }
        };
        Self { regions, tables: census.tables.iter().map(table).collect() }
    }

    /// The finest regions in which anything is changed, some perhaps more than once.
    fn changed(&self) -> impl Iterator<Item = u32> {
        self.tables.iter().filter(|table| table.is_finest).flat_map(|table| {
            let place = table.place.map(|place| (&table.counted.shape.axes[place], table.counted.shape.strides[place]));
            place.into_iter().flat_map(move |(axis, stride)| {
                let differing = (0..table.counted.shape.cells).filter(|cell| table.differs(*cell));
                let positions = differing.map(move |cell| (cell / stride % axis.nodes.len() as u64) as u32);
                positions.filter(|position| axis.leaves.binary_search(position).is_ok()).map(|position| axis.nodes[position as usize])
            })
        })
    }

    /// The regions in which the correction changes what a cell counts, or else what those count that are the nearest above it and change in fewest.
    fn nearest(&self, table: usize, cell: u64) -> Vec<u32> {
        let Table { counted, place, .. } = &self.tables[table];
        let mut cells = BTreeSet::from([cell]);
        while !cells.is_empty() {
            let found = cells.iter().map(|cell| self.regions(table, *cell)).filter(|regions| !regions.is_empty());
            if let Some(fewest) = found.min_by_key(Vec::len) {
                return fewest;
            }
            let above = |cell: u64| {
                let axes = counted.shape.axes.iter().zip(&counted.shape.strides).enumerate();
                let axes = axes.filter(|(at, _)| Some(*at) != *place);
                axes.filter_map(move |(_, (axis, stride))| {
                    let position = (cell / stride % axis.nodes.len() as u64) as u32;
                    Some(cell - u64::from(position - axis.parents[position as usize]?) * stride)
                })
            };
            cells = cells.iter().flat_map(|cell| above(*cell)).collect();
        }
        Vec::new()
    }

    /// The regions in which the correction changes what a cell counts; where it changes nothing of that, those around it.
    fn regions(&self, table: usize, cell: u64) -> Vec<u32> {
        let of = &self.tables[table];
        let Some(place) = of.place else { return Vec::new() };
        let (axis, stride) = (&of.counted.shape.axes[place], of.counted.shape.strides[place]);
        let own = (cell / stride % axis.nodes.len() as u64) as u32;
        let cell_at = |position: u32| cell - u64::from(own) * stride + u64::from(position) * stride;
        let around = std::iter::successors(Some(own), |&position| axis.parents[position as usize]);
        let mut changed = around.map(|position| {
            let span = &axis.spans[position as usize];
            let leaves = axis.leaves[span.start as usize..span.end as usize].iter().copied();
            leaves.filter(|&leaf| of.differs(cell_at(leaf))).collect::<Vec<u32>>()
        });
        let Some(changed) = changed.find(|changed| !changed.is_empty()) else { return Vec::new() };
        changed.into_iter().flat_map(|leaf| self.finer(of, cell_at(leaf), axis.nodes[leaf as usize])).collect()
    }

    /// The finest regions within one in which all tables that show them may have changed with a cell, or else any of them; that region where no
    /// table does.
    fn finer(&self, of: &Table<'_, '_>, cell: u64, region: u32) -> Vec<u32> {
        if of.is_finest {
            return vec![region];
        }
        let unit = of.counted.table.unit;
        let finest: Vec<&Table<'_, '_>> = self.tables.iter().filter(|table| table.is_finest && table.counted.table.unit == unit).collect();
        let Some((first, place)) = finest.first().and_then(|first| Some((*first, first.place?))) else { return vec![region] };
        let axis = &first.counted.shape.axes[place];
        let Ok(position) = axis.nodes.binary_search(&region) else { return vec![region] };
        let span = &axis.spans[position];
        let leaves = &axis.leaves[span.start as usize..span.end as usize];
        let within: Vec<u32> = leaves.iter().map(|&leaf| axis.nodes[leaf as usize]).collect();
        let may_differ = |table: &&Table<'_, '_>, region: u32| self.may_differ(table, region, of, cell);
        let in_all = |region: &u32| finest.iter().all(|table| may_differ(table, *region));
        let in_any = |region: &u32| finest.iter().any(|table| may_differ(table, *region));
        let mut found: Vec<u32> = within.iter().copied().filter(in_all).collect();
        if found.is_empty() {
            found = within.into_iter().filter(in_any).collect();
        }
        if found.is_empty() { vec![region] } else { found }
    }

    /// Whether a table shows that anything has changed in a region which overlaps with what a cell of another table counts.
    fn may_differ(&self, table: &Table<'_, '_>, region: u32, of: &Table<'_, '_>, cell: u64) -> bool {
        let positions = of.counted.shape.coordinates(cell);
        let mut cells = vec![0u64];
        for (at, (axis, stride)) in table.counted.shape.axes.iter().zip(&table.counted.shape.strides).enumerate() {
            let id = &table.counted.table.axes[at].dimension;
            let same = of.counted.table.axes.iter().position(|axis| axis.dimension == *id);
            let counted_there = same.map(|same| &of.counted.shape.axes[same].bases[positions[same] as usize]);
            let overlaps = |leaf: &&u32| {
                let bases = &axis.bases[**leaf as usize];
                counted_there.is_none_or(|there| bases.start < there.end && there.start < bases.end)
            };
            let chosen: Vec<u64> = if *id == self.regions.id {
                axis.nodes.binary_search(&region).ok().map(|position| position as u64).into_iter().collect()
            } else {
                axis.leaves.iter().filter(overlaps).map(|leaf| u64::from(*leaf)).collect()
            };
            cells = cells.iter().flat_map(|cell| chosen.iter().map(move |position| cell + position * stride)).collect();
        }
        cells.into_iter().any(|cell| table.differs(cell))
    }
}

/// A cell as people name it.
pub fn name(definitions: &Definitions, census: &Census<'_>, (table, cell): (usize, u64)) -> String {
    let counted = &census.tables[table];
    let codes: Vec<&str> = cell_nodes(definitions, counted, cell).map(|node| node.code.as_str()).collect();
    format!("{}/{}", counted.table.id, codes.join("/"))
}
