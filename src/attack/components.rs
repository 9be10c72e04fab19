//! Which unknowns hang together, and what lies around one of them.

use rustc_hash::FxHashSet;

use super::{
    bounds::Bounds,
    csr::Csr,
    narrow::is_implied,
    rows::{Row, RowId, System},
    sets::Sets,
};

/// Sets of undetermined unknowns that rows join; nothing outside a set tells anything about it.
pub(super) fn components(system: &System<'_>, bounds: &Bounds, takes_part: impl Fn(u32) -> bool) -> Csr {
    let count = system.cells.unknowns();
    let mut sets = Sets::new(count);
    let mut join = |row: &Row| {
        let is_open = |unknown: &u32| !bounds.is_determined(*unknown);
        let mut open = row.terms.iter().map(|(unknown, _)| *unknown).filter(is_open);
        if !open.clone().all(&takes_part) || is_implied(&row.terms, row.relation, row.constant, bounds) {
            return;
        }
        let Some(first) = open.next() else { return };
        for other in open {
            sets.join(first, other);
        }
    };
    system.sums(|_, row| join(row), |_| {});
    let mut row = Row::default();
    for at in (0..system.links.len() as u32).filter(|at| system.links.is_active(*at)) {
        system.read(RowId::link(at), &mut row);
        join(&row);
    }
    // The smallest unknown stands for its set, so that components are in the order of their first unknowns.
    let is_open = |unknown: u32| !bounds.is_determined(unknown) && takes_part(unknown);
    let mut numbers = vec![0u32; count];
    let mut components = 0;
    for unknown in (0..count as u32).filter(|unknown| is_open(*unknown)) {
        let root = sets.find(unknown);
        if root == unknown {
            numbers[unknown as usize] = components;
            components += 1;
        }
        numbers[unknown as usize] = numbers[root as usize];
    }
    let open = (0..count as u32).filter(|unknown| is_open(*unknown));
    Csr::group(components as usize, open.map(|unknown| (numbers[unknown as usize], unknown)))
}

/// The unknowns within a few rows of one, nearest first, up to a number of them.
pub(super) fn around(system: &System<'_>, bounds: &Bounds, seed: u32, most: usize) -> Vec<u32> {
    let mut found = vec![seed];
    let mut known: FxHashSet<u32> = FxHashSet::from_iter([seed]);
    let (mut row, mut rows, mut next) = (Row::default(), Vec::new(), 0);
    while let Some(&unknown) = found.get(next) {
        next += 1;
        rows.clear();
        system.rows_of(unknown, |id| rows.push(id));
        for &id in &rows {
            system.read(id, &mut row);
            for &(other, _) in &row.terms {
                if bounds.is_determined(other) || !known.insert(other) {
                    continue;
                }
                found.push(other);
                if found.len() >= most {
                    return found;
                }
            }
        }
    }
    found
}

/// A scattered order of numbers that is the same in every run.
pub(super) fn scatter(number: u32) -> u32 {
    number.wrapping_mul(2_654_435_761).rotate_left(16)
}
