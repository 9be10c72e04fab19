//! The last resort: a world with some people more or fewer.
//!
//! Where no exchange within the tables can move a cell, whole records can: adding one changes a finest cell of every
//! table and everything above it, so the totals are withheld too. It always works: nothing stands against another
//! person, except where all combinations are structural zeros, and for taking one away there is at least the one who
//! is counted.

use super::{
    family::{Family, IMPOSSIBLE, Overlay, Place},
    frame::NONE,
    plan::Target,
};

/// Adds or takes away records below the target until it has changed as wanted. Only for the family of the whole tree.
pub fn change(family: &Family<'_>, overlay: &mut Overlay, target: &Target) -> bool {
    let mut start = target.nodes.clone();
    start[family.frame.spine] = target.node;
    let sign = target.delta.signum();
    for _ in 0..target.delta.abs() {
        let mut nodes = start.clone();
        if !is_possible(family, overlay, &nodes, sign) || !descend(family, overlay, &mut nodes, sign) {
            return false;
        }
        add(family, overlay, &nodes, sign);
    }
    true
}

/// Goes down from node to node until all dimensions are at leaves, back where that leads nowhere.
fn descend(family: &Family<'_>, overlay: &Overlay, nodes: &mut Vec<u32>, sign: i32) -> bool {
    let inner = (0..nodes.len()).find(|&dimension| !family.frame.trees[dimension].children[nodes[dimension] as usize].is_empty());
    let Some(dimension) = inner else { return true };
    let node = nodes[dimension];
    for &child in &family.frame.trees[dimension].children[node as usize] {
        nodes[dimension] = child;
        if is_possible(family, overlay, nodes, sign) && descend(family, overlay, nodes, sign) {
            return true;
        }
    }
    nodes[dimension] = node;
    false
}

/// Whether every table could have one more or one fewer at these nodes.
fn is_possible(family: &Family<'_>, overlay: &Overlay, nodes: &[u32], sign: i32) -> bool {
    (0..family.frame.tables.len()).all(|table| {
        let Some(place) = nearest(family, table, nodes) else { return true };
        let number = family.number(place);
        family.mark(number) & IMPOSSIBLE == 0 && family.count(number) as i32 + overlay.get(number) + sign >= 0
    })
}

/// The finest cell of a table at or above these nodes.
fn nearest(family: &Family<'_>, table: usize, nodes: &[u32]) -> Option<Place> {
    let frame = family.frame;
    let layout = &frame.tables[table];
    let mut inner = 0;
    for (dimension, &node) in nodes.iter().enumerate() {
        if let Some(axis) = &layout.axes[dimension] {
            let mut node = node;
            while axis.position[node as usize] == NONE {
                node = frame.trees[dimension].parent[node as usize];
            }
            inner += axis.position[node as usize] * axis.stride;
        }
    }
    let mut node = nodes[frame.spine];
    while layout.row[node as usize] == NONE {
        node = frame.spine_tree().parent[node as usize];
    }
    let row = layout.row[node as usize] as usize;
    // In an open family all rows are there.
    (!family.slices[table].counts.is_empty()).then_some(Place { table, row, inner: inner as usize })
}

fn add(family: &Family<'_>, overlay: &mut Overlay, leaves: &[u32], sign: i32) {
    let frame = family.frame;
    for (table, layout) in frame.tables.iter().enumerate() {
        let mut cells = vec![0u32];
        for (dimension, &leaf) in leaves.iter().enumerate() {
            let Some(axis) = &layout.axes[dimension] else { continue };
            let mut steps = Vec::new();
            let mut node = leaf;
            while node != NONE {
                if axis.position[node as usize] != NONE {
                    steps.push(axis.position[node as usize] * axis.stride);
                }
                node = frame.trees[dimension].parent[node as usize];
            }
            cells = cells.iter().flat_map(|cell| steps.iter().map(move |step| cell + step)).collect();
        }
        let mut node = leaves[frame.spine];
        while node != NONE {
            let start = family.starts[table][(node - family.top) as usize];
            if start != NONE {
                for cell in &cells {
                    overlay.add(family.slices[table].base + start + cell, sign);
                }
            }
            node = frame.spine_tree().parent[node as usize];
        }
    }
}
