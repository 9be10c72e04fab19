//! Where regions lie on a map: within their outlines, or on a tile for each where nobody installed any.

use super::{
    boundaries::Boundaries,
    draw::map::Ground,
    plan::{ChartKind, Plan},
};
use crate::{
    register::Tile,
    tables::{Library, Variable},
};

/// The tile of a region, if the register gives it one.
fn tile<'l>(library: &'l Library, dimension: usize, code: &str) -> Option<&'l Tile> {
    let tiles = library.register.charts.tiles.as_ref()?;
    let has = tiles.dimension == library.dimensions[dimension].id;
    tiles.tiles.iter().find(|tile| has && tile.code == code)
}

/// Which of the regions have a place, and where they lie. Nothing if none of them has one.
pub fn ground<'b>(library: &Library, dimension: usize, codes: &[&str], boundaries: &'b Boundaries) -> Option<(Vec<usize>, Ground<'b>)> {
    let outline = |(at, code): (usize, &&str)| Some((at, boundaries.outline(code)?));
    let (outlined, outlines): (Vec<usize>, Vec<_>) = codes.iter().enumerate().filter_map(outline).unzip();
    if !outlined.is_empty() {
        return Some((outlined, Ground::Outlines(outlines)));
    }
    let tiled = |(at, code): (usize, &&str)| {
        let tile = tile(library, dimension, code)?;
        Some((at, (usize::from(tile.column), usize::from(tile.row), tile.name.clone())))
    };
    let (places, tiles): (Vec<usize>, Vec<_>) = codes.iter().enumerate().filter_map(tiled).unzip();
    (!places.is_empty()).then_some((places, Ground::Tiles(tiles)))
}

/// Whether any of the regions has a place.
pub fn is_placed<'c>(library: &Library, dimension: usize, mut codes: impl Iterator<Item = &'c str>, boundaries: &Boundaries) -> bool {
    codes.any(|code| boundaries.outline(code).is_some() || tile(library, dimension, code).is_some())
}

/// Whether what a plan asks for has somewhere to be drawn: for a map, whether any of its regions has an outline or a tile.
pub fn has_ground(library: &Library, plan: &Plan, boundaries: &Boundaries) -> bool {
    let entry = &library.tables[plan.query.table];
    if plan.kind != ChartKind::Map {
        return true;
    }
    entry.region(library).is_some_and(|axis| {
        let regions = library.categories(&plan.query, Variable::Axis(axis), 0);
        is_placed(library, entry.axes[axis].dimension, regions.iter().map(|region| region.code), boundaries)
    })
}
