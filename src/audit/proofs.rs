//! Certificates: does every world keep what is published, and does it show what it is there for?

use super::{Fault, Report, cells::Primaries, system::Linked};
use crate::{
    register::{Shape, Status},
    worlds::{Change, Counted, Proof, Rule, TRUE_WORLD},
};

/// A certificate's claim on a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Claim {
    world: u32,
    table: u16,
    cell: u32,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Low,
    High,
    /// Position of the sensitive axis.
    Group(u16),
}

/// Checks every world and every certificate; time is linear in the size of the proof. Primaries that have a certificate are ticked off.
#[expect(clippy::too_many_arguments, reason = "everything that a release consists of")]
pub fn check(
    tables: &[Counted<'_>],
    statuses: &[Vec<Status>],
    proof: &Proof,
    rule: &Rule,
    linked: &Linked,
    primaries: &mut Primaries,
    threads: usize,
    report: &mut Report,
) {
    let Primaries { small, groups } = primaries;
    let mut claims = Vec::with_capacity(proof.certificates.len() * 2 + proof.groups.len());
    let known = |table: u16, cell: u32| tables.get(table as usize).is_some_and(|counted| (cell as usize) < counted.counts.len());
    for certificate in &proof.certificates {
        report.certificates += 1;
        let (table, cell) = (certificate.table, certificate.cell);
        let worlds = [certificate.low, certificate.high];
        if !known(table, cell) || worlds.iter().any(|&world| world as usize >= proof.worlds.len()) {
            report.fault(Fault::StrayCertificate, table as usize, u64::from(cell));
            continue;
        }
        small[table as usize][cell as usize] = false;
        claims.push(Claim { world: certificate.low, table, cell, kind: Kind::Low });
        claims.push(Claim { world: certificate.high, table, cell, kind: Kind::High });
    }
    let mut proven = Vec::with_capacity(proof.groups.len());
    for certificate in &proof.groups {
        report.groups += 1;
        let (table, cell) = (certificate.table, certificate.cell);
        let has_axis = tables.get(table as usize).is_some_and(|counted| (certificate.axis as usize) < counted.shape.axes.len());
        if !known(table, cell) || !has_axis || certificate.world as usize >= proof.worlds.len() {
            report.fault(Fault::StrayCertificate, table as usize, u64::from(cell));
            continue;
        }
        proven.push((table, cell, certificate.axis));
        claims.push(Claim { world: certificate.world, table, cell, kind: Kind::Group(certificate.axis) });
    }
    proven.sort_unstable();
    missing(tables, linked, small, groups, &proven, report);
    claims.sort_unstable();

    let worlds = proof.worlds.len() as u32;
    let parts = threads.max(1) as u32;
    let bounds: Vec<(u32, u32)> = (0..parts)
        .map(|part| {
            (
                (u64::from(worlds) * u64::from(part) / u64::from(parts)) as u32,
                (u64::from(worlds) * u64::from(part + 1) / u64::from(parts)) as u32,
            )
        })
        .collect();
    let (claims, checker) = (&claims, &Checker { tables, statuses, rule, linked });
    let reports: Vec<Report> = std::thread::scope(|scope| {
        let handles: Vec<_> = bounds
            .into_iter()
            .map(|(from, to)| {
                scope.spawn(move || {
                    let mut report = Report::default();
                    let mut next = claims.partition_point(|claim| claim.world < from);
                    for world in from..to {
                        let end = next + claims[next..].partition_point(|claim| claim.world == world);
                        checker.world(world, proof, &claims[next..end], &mut report);
                        next = end;
                    }
                    report
                })
            })
            .collect();
        // A thread that panicked has checked nothing, so that its part must not pass for clean.
        handles
            .into_iter()
            .map(|handle| {
                handle.join().unwrap_or_else(|_| {
                    let mut failed = Report::default();
                    failed.fault(Fault::WorldForm, 0, 0);
                    failed
                })
            })
            .collect()
    });
    for part in reports {
        report.merge(part);
    }
}

/// Finds primaries without a certificate: their own, or one of the same cell in another table.
fn missing(
    tables: &[Counted<'_>],
    linked: &Linked,
    small: &mut [Vec<bool>],
    groups: &[(u16, u32, u16)],
    proven: &[(u16, u32, u16)],
    report: &mut Report,
) {
    for table in 0..tables.len() {
        for cell in 0..small[table].len() {
            if !small[table][cell] {
                continue;
            }
            let positions = tables[table].shape.coordinates(cell as u64);
            // The cell stays unticked where it is first seen, so a tick elsewhere is a certificate or a chain to one.
            let elsewhere = (0..table).any(|other| linked.cell(table, other, &positions).is_some_and(|cell| !small[other][cell as usize]));
            if elsewhere {
                small[table][cell] = false;
            } else {
                report.fault(Fault::NoCertificate, table, cell as u64);
            }
        }
    }
    for &(table, cell, axis) in groups {
        let dimension = &tables[table as usize].table.axes[axis as usize].dimension;
        let positions = tables[table as usize].shape.coordinates(u64::from(cell));
        let found = (0..=table).any(|other| {
            let at = tables[other as usize].table.axes.iter().position(|axis| axis.dimension == *dimension);
            let same = if other == table { Some(u64::from(cell)) } else { linked.cell(table as usize, other as usize, &positions) };
            matches!((at, same), (Some(at), Some(same)) if proven.binary_search(&(other, same as u32, at as u16)).is_ok())
        });
        if !found {
            report.fault(Fault::NoCertificate, table as usize, u64::from(cell));
        }
    }
}

struct Checker<'a> {
    tables: &'a [Counted<'a>],
    statuses: &'a [Vec<Status>],
    rule: &'a Rule,
    linked: &'a Linked,
}

impl Checker<'_> {
    fn world(&self, world: u32, proof: &Proof, claims: &[Claim], report: &mut Report) {
        report.worlds += 1;
        let mut changes: Vec<Change> = proof.worlds.world(world).collect();
        if world == TRUE_WORLD && !changes.is_empty() {
            report.fault(Fault::WorldForm, 0, 0);
            return;
        }
        changes.sort_unstable();
        let twice = changes.windows(2).any(|pair| (pair[0].table, pair[0].cell) == (pair[1].table, pair[1].cell));
        let known = changes
            .iter()
            .all(|change| self.tables.get(change.table as usize).is_some_and(|counted| (change.cell as usize) < counted.counts.len()));
        if twice || !known {
            report.fault(Fault::WorldForm, 0, 0);
            return;
        }
        // All changed cells of each table that has any.
        let mut changed: Vec<(usize, Vec<(u64, i64)>)> = Vec::new();
        for of_table in changes.chunk_by(|a, b| a.table == b.table) {
            let table = of_table[0].table as usize;
            let counted = &self.tables[table];
            for change in of_table {
                let cell = change.cell as usize;
                if !is_leaf(counted.shape, u64::from(change.cell)) {
                    report.fault(Fault::WorldForm, table, cell as u64);
                }
                if self.statuses[table][cell] == Status::Impossible {
                    report.fault(Fault::WorldZero, table, cell as u64);
                }
                if i64::from(counted.counts[cell]) + i64::from(change.delta) < 0 {
                    report.fault(Fault::WorldNegative, table, cell as u64);
                }
            }
            let leaves = of_table.iter().map(|change| (u64::from(change.cell), i64::from(change.delta))).collect();
            changed.push((table, roll_up(counted.shape, leaves)));
        }
        let delta = |table: usize, cell: u64| {
            let cells = changed.iter().find(|(of, _)| *of == table).map(|(_, cells)| cells)?;
            cells.binary_search_by_key(&cell, |(cell, _)| *cell).ok().map(|at| cells[at].1)
        };
        for (table, cells) in &changed {
            for &(cell, change) in cells {
                if self.statuses[*table][cell as usize] != Status::Suppressed {
                    report.fault(Fault::WorldPublished, *table, cell);
                }
                let positions = self.tables[*table].shape.coordinates(cell);
                for other in 0..self.tables.len() {
                    if other != *table
                        && let Some(same) = self.linked.cell(*table, other, &positions)
                        && delta(other, same) != Some(change)
                    {
                        report.fault(Fault::WorldShared, other, same);
                    }
                }
            }
        }
        for claim in claims {
            let table = claim.table as usize;
            let counted = &self.tables[table];
            let value = |cell: u64| i64::from(counted.counts[cell as usize]) + delta(table, cell).unwrap_or(0);
            let cell = u64::from(claim.cell);
            let shown = match claim.kind {
                Kind::Low => value(cell) <= i64::from(self.rule.low()),
                Kind::High => value(cell) >= i64::from(self.rule.high()),
                Kind::Group(at) => {
                    let (axis, stride) = (&counted.shape.axes[at as usize], counted.shape.strides[at as usize]);
                    let own = (cell / stride) as usize % axis.nodes.len();
                    (0..axis.nodes.len()).any(|position| {
                        position != own
                            && axis.parents[position].is_some()
                            && axis.parents[position] == axis.parents[own]
                            && value((cell as i64 + (position as i64 - own as i64) * stride as i64) as u64) > 0
                    })
                }
            };
            if !shown {
                report.fault(Fault::WorldReach, table, cell);
            }
        }
    }
}

fn is_leaf(shape: &Shape, cell: u64) -> bool {
    shape.axes.iter().zip(&shape.strides).all(|(axis, stride)| {
        let position = (cell / stride % axis.nodes.len() as u64) as u32;
        axis.leaves.binary_search(&position).is_ok()
    })
}

/// All cells that change when these leaf cells do, sorted, without those whose changes cancel.
fn roll_up(shape: &Shape, leaves: Vec<(u64, i64)>) -> Vec<(u64, i64)> {
    let mut cells = leaves;
    for (axis, &stride) in shape.axes.iter().zip(&shape.strides).rev() {
        let mut edge = cells.clone();
        while !edge.is_empty() {
            // A parent may be reached in several steps where the tree is ragged; sums do not mind.
            edge = edge
                .into_iter()
                .filter_map(|(cell, delta)| {
                    let position = cell / stride % axis.nodes.len() as u64;
                    let parent = axis.parents[position as usize]?;
                    Some((cell - (position - u64::from(parent)) * stride, delta))
                })
                .collect();
            merge(&mut edge);
            cells.extend_from_slice(&edge);
        }
        merge(&mut cells);
    }
    cells
}

fn merge(cells: &mut Vec<(u64, i64)>) {
    cells.sort_unstable_by_key(|(cell, _)| *cell);
    cells.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
    cells.retain(|(_, delta)| *delta != 0);
}
