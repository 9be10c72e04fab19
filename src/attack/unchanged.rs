//! Which cells a correction left as they were, as the public sees it.
//!
//! The public does not know which withheld counts differ between two revisions. It sees in which regions no published cell differs, and
//! takes it that nobody there was touched. Where that leads to a contradiction, the regions in question are taken to have changed.

use std::sync::Arc;

use super::input::{CellRef, Publication};
use crate::register::{Axis, Dimension, Role, Shape, Status, Table};

/// Regions in which two revisions are taken to have the same counts.
#[derive(Debug, Clone)]
pub struct Unchanged {
    /// For each revision and table the axis of regions and the distance of neighbours on it; without one all cells are of the first region.
    axes: Vec<Vec<Option<RegionAxis>>>,
    pairs: Vec<Pair>,
}

#[derive(Debug, Clone)]
struct RegionAxis {
    axis: Arc<Axis>,
    stride: u64,
}

#[derive(Debug, Clone)]
struct Pair {
    first: u16,
    second: u16,
    /// For each region.
    is_unchanged: Vec<bool>,
}

impl Unchanged {
    /// Compares revisions: unchanged are regions in which both publish some cell and no such cell differs.
    pub fn between(publications: &[Publication<'_>], dimensions: &[Dimension]) -> Self {
        let mut unchanged = Self::all_changed(publications, dimensions);
        for at in 0..unchanged.pairs.len() {
            let Pair { first, second, .. } = unchanged.pairs[at];
            let mut differs = vec![false; unchanged.pairs[at].is_unchanged.len()];
            for (cell, _, is_same) in compared(publications, first, second) {
                let region = unchanged.region(cell);
                unchanged.pairs[at].is_unchanged[region] = true;
                differs[region] |= !is_same;
            }
            let regions = unchanged.pairs[at].is_unchanged.iter_mut().zip(differs);
            regions.for_each(|(is_unchanged, differs)| *is_unchanged &= !differs);
        }
        unchanged
    }

    /// Takes over which regions are unchanged between pairs of revisions, by their positions.
    pub fn given(
        publications: &[Publication<'_>],
        dimensions: &[Dimension],
        regions: impl IntoIterator<Item = (u16, u16, Vec<u32>)>,
    ) -> Self {
        let mut unchanged = Self::all_changed(publications, dimensions);
        for (first, second, regions) in regions {
            for pair in unchanged.pairs.iter_mut().filter(|pair| (pair.first, pair.second) == (first, second)) {
                for region in &regions {
                    if let Some(is_unchanged) = pair.is_unchanged.get_mut(*region as usize) {
                        *is_unchanged = true;
                    }
                }
            }
        }
        unchanged
    }

    fn all_changed(publications: &[Publication<'_>], dimensions: &[Dimension]) -> Self {
        let regions = dimensions.iter().find(|dimension| dimension.role == Role::Geo);
        let axis = |(table, shape): (&Table, &Shape)| {
            let at = table.axes.iter().position(|axis| regions.is_some_and(|regions| regions.id == axis.dimension))?;
            Some(RegionAxis { axis: Arc::clone(&shape.axes[at]), stride: shape.strides[at] })
        };
        let of_tables = |publication: &Publication<'_>| {
            let shown = publication.tables.iter().map(|table| axis((table.table, table.shape)));
            shown.chain(publication.joint.iter().map(|table| axis((table.table, table.shape)))).collect()
        };
        let count = regions.map_or(1, |regions| regions.nodes.len());
        let pairs = (0..publications.len() as u16).flat_map(|second| (0..second).map(move |first| (first, second)));
        Self {
            axes: publications.iter().map(of_tables).collect(),
            pairs: pairs.map(|(first, second)| Pair { first, second, is_unchanged: vec![false; count] }).collect(),
        }
    }

    /// Whether two cells of different revisions, at the same nodes, are taken to have the same count.
    pub fn is_same(&self, a: CellRef, b: CellRef) -> bool {
        let (first, second) = (a.publication.min(b.publication), a.publication.max(b.publication));
        let pair = self.pairs.iter().find(|pair| (pair.first, pair.second) == (first, second));
        pair.is_some_and(|pair| pair.is_unchanged[self.region(a)])
    }

    /// Takes it that the regions of some cells have changed; `false` if that is taken for granted already.
    pub fn mark_changed(&mut self, cells: &[CellRef]) -> bool {
        let mut is_news = false;
        for &cell in cells {
            let region = self.region(cell);
            for pair in &mut self.pairs {
                is_news |= std::mem::replace(&mut pair.is_unchanged[region], false);
            }
        }
        is_news
    }

    /// Takes it that everything has changed; `false` if that is taken for granted already.
    pub fn mark_all_changed(&mut self) -> bool {
        let mut is_news = false;
        for region in self.pairs.iter_mut().flat_map(|pair| &mut pair.is_unchanged) {
            is_news |= std::mem::replace(region, false);
        }
        is_news
    }

    /// For each pair of revisions the regions that are taken to be unchanged, by their positions.
    pub fn regions(&self) -> impl Iterator<Item = (u16, u16, Vec<u32>)> {
        self.pairs.iter().map(|pair| {
            let regions = (0..).zip(&pair.is_unchanged).filter(|(_, is_unchanged)| **is_unchanged).map(|(region, _)| region);
            (pair.first, pair.second, regions.collect())
        })
    }

    /// A cell that two revisions publish with different counts though its region is taken to be unchanged.
    pub fn contradiction(&self, publications: &[Publication<'_>]) -> Option<CellRef> {
        self.pairs.iter().find_map(|pair| {
            let mut differing = compared(publications, pair.first, pair.second).filter(|(_, _, is_same)| !is_same);
            differing.find(|(a, b, _)| self.is_same(*a, *b)).map(|(a, _, _)| a)
        })
    }

    fn region(&self, cell: CellRef) -> usize {
        let axis = self.axes[usize::from(cell.publication)].get(usize::from(cell.table)).and_then(Option::as_ref);
        axis.map_or(0, |RegionAxis { axis, stride }| {
            axis.nodes[(u64::from(cell.cell) / stride % axis.nodes.len() as u64) as usize] as usize
        })
    }
}

/// Cells that two revisions both publish in tables of the same axes, and whether their counts are the same.
fn compared<'p>(publications: &'p [Publication<'_>], first: u16, second: u16) -> impl Iterator<Item = (CellRef, CellRef, bool)> + use<'p> {
    let of = |publication: u16| (0..).zip(&publications[usize::from(publication)].tables);
    let pairs = of(first).flat_map(move |one| of(second).map(move |other| (one, other)));
    let pairs = pairs.filter(|((_, one), (_, other))| one.table.unit == other.table.unit && one.table.axes == other.table.axes);
    pairs.flat_map(move |((table, one), (other_table, other))| {
        let cells = (0..).zip(one.statuses.iter().zip(one.counts)).zip(other.statuses.iter().zip(other.counts));
        let both = cells.filter(|((_, (status, _)), (other, _))| **status == Status::Published && **other == Status::Published);
        both.map(move |((cell, (_, count)), (_, other))| {
            let a = CellRef { publication: first, table, cell };
            (a, CellRef { publication: second, table: other_table, cell }, count == other)
        })
    })
}
