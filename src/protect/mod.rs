//! Counts become statuses: which cells are published and which are withheld.
//!
//! So far only the primary rule: counts of 1 to one below the threshold are withheld. That alone hides little, because
//! a withheld count can be worked out from its neighbours and their total, so a release made of it is marked
//! `primary-only` and served on loopback alone.

use crate::register::{Shape, Status, ZeroMask};

/// Statuses of all cells of a table by the primary rule.
pub fn primary(shape: &Shape, zeros: &ZeroMask, counts: &[u32], threshold: u32) -> Vec<Status> {
    let mut statuses: Vec<Status> =
        counts.iter().map(|&count| if count > 0 && count < threshold { Status::Suppressed } else { Status::Published }).collect();
    if !zeros.is_empty() {
        for (cell, status) in statuses.iter_mut().enumerate() {
            if zeros.covers(&shape.coordinates(cell as u64)) {
                *status = Status::Impossible;
            }
        }
    }
    statuses
}
