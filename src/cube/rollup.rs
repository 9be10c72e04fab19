//! Adds finest cells up to every combination of nodes.

use crate::register::{Axis, Shape};

/// From the counts of leaf cells to the counts of all cells, numbered as [`Shape`] says.
///
/// Works axis by axis, the last first: a node's row is the sum of its children's rows.
pub fn rollup(shape: &Shape, leaves: &[u32]) -> Vec<u32> {
    add_up(shape, leaves.to_vec(), |sum, count| sum + count)
}

/// The same of counts of which the greatest number stands for more too.
pub fn rollup_saturating(shape: &Shape, leaves: Vec<u8>) -> Vec<u8> {
    add_up(shape, leaves, u8::saturating_add)
}

fn add_up<T: Copy + Default>(shape: &Shape, leaves: Vec<T>, add: impl Fn(T, T) -> T) -> Vec<T> {
    let mut counts = leaves;
    let mut inner = 1;
    for (at, axis) in shape.axes.iter().enumerate().rev() {
        let outer: usize = shape.axes[..at].iter().map(|axis| axis.leaves.len()).product();
        counts = expand(&counts, axis, outer, inner, &add);
        inner *= axis.nodes.len();
    }
    counts
}

fn expand<T: Copy + Default>(counts: &[T], axis: &Axis, outer: usize, inner: usize, add: &impl Fn(T, T) -> T) -> Vec<T> {
    let (leaves, nodes) = (axis.leaves.len(), axis.nodes.len());
    let mut expanded = vec![T::default(); outer * nodes * inner];
    for block in 0..outer {
        let from = &counts[block * leaves * inner..][..leaves * inner];
        let to = &mut expanded[block * nodes * inner..][..nodes * inner];
        for (leaf, &node) in axis.leaves.iter().enumerate() {
            to[node as usize * inner..][..inner].copy_from_slice(&from[leaf * inner..][..inner]);
        }
        // Preorder: going backwards, a node is complete before it is added to its parent.
        for node in (1..nodes).rev() {
            if let Some(parent) = axis.parents[node] {
                let (above, below) = to.split_at_mut(node * inner);
                let parent = &mut above[parent as usize * inner..][..inner];
                for (sum, count) in parent.iter_mut().zip(&below[..inner]) {
                    *sum = add(*sum, *count);
                }
            }
        }
    }
    expanded
}
