//! What losing each cell costs.

use super::{
    frame::{Frame, Kind, Layout},
    settings::Weights,
};

/// A plain cell.
const PLAIN: u32 = 1000;
/// No cell costs more, so that sums stay within bounds.
const MOST: u64 = 1_000_000;

/// Prices of the cells of every table, in thousandths of a plain cell; nothing where an earlier table owns the cell, or where it is never
/// published.
pub fn prices(frame: &Frame<'_>, ids: &[&str], levels: &[&str], weights: &Weights) -> Vec<Vec<u32>> {
    let tree = frame.spine_tree();
    let deepest = usize::from(frame.finest) + 1;
    // By table and level of the spine, in sixteenths.
    let factors: Vec<Vec<u64>> =
        ids.iter().map(|id| (0..deepest).map(|level| factor(weights, id, levels.get(level).copied())).collect()).collect();
    let is_even = factors.iter().flatten().all(|&factor| factor == 16);
    let table_prices = |layout: &Layout<'_>| {
        let inner: Vec<u32> = (0..layout.inner as u32).map(|offset| PLAIN + totals(layout, offset) * weights.per_total).collect();
        let mut prices = Vec::with_capacity(layout.counts.len());
        for (row, counts) in layout.counts.chunks_exact(layout.inner).enumerate() {
            let level = tree.level[layout.spine_nodes[row] as usize];
            let above = u32::from(frame.finest.saturating_sub(level)) * weights.per_region_level;
            prices.extend(counts.iter().enumerate().map(|(offset, &count)| {
                if layout.kind != Kind::Published || !layout.owns(row, offset) {
                    return 0;
                }
                let size = weights.per_doubling * (32 - (count + 1).leading_zeros()) + if count == 0 { weights.zero } else { 0 };
                let price = inner[offset] + above + size;
                if is_even {
                    return price;
                }
                let having = layout.inner_tables[offset] & layout.row_tables[row];
                let tables = (0..factors.len()).filter(|table| having >> table & 1 == 1);
                let factor = tables.map(|table| factors[table][usize::from(level)]).max().unwrap_or(16);
                (u64::from(price) * factor / 16).min(MOST) as u32
            }));
        }
        prices
    };
    frame.tables.iter().map(table_prices).collect()
}

fn factor(weights: &Weights, table: &str, level: Option<&str>) -> u64 {
    let of_table = weights.tables.iter().find(|(id, _)| id == table).map_or(1.0, |(_, factor)| *factor);
    let of_level = weights.levels.iter().find(|(id, of, _)| id == table && Some(of.as_str()) == level).map_or(1.0, |(.., factor)| *factor);
    (of_table * of_level * 16.0) as u64
}

/// In how many of the table's dimensions an inner offset is the total.
fn totals(layout: &Layout<'_>, offset: u32) -> u32 {
    let axes = layout.axes().iter().flatten();
    axes.filter(|axis| axis.nodes[(offset / axis.stride) as usize % axis.nodes.len()] == 0).count() as u32
}
