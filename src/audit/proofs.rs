//! Certificates: does every world keep what is published, in every revision, and does it show what it is there for?

use rustc_hash::FxHashSet;

use super::{Fault, Report, revision::Revision};
use crate::{
    register::{CoveringTable, Shape, Status},
    worlds::{Change, Counted, TRUE_WORLD},
};

/// A certificate's claim on a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Claim {
    world: u32,
    table: u16,
    cell: u32,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    Low,
    High,
    /// Position of the sensitive axis.
    Group(u16),
    /// The low end that the rule asks for, to those who do not know how many people live outside of counted households.
    Unaware,
}

/// Up to so many revisions each choice of copies is looked at.
const MOST_CHOICES: usize = 8;

/// All cells that a world changes, table by table.
type Changed = Vec<(usize, Vec<(u64, i64)>)>;

fn delta_of(changed: &Changed, table: usize, cell: u64) -> i64 {
    let cells = changed.iter().find(|(of, _)| *of == table).map(|(_, cells)| cells);
    cells.and_then(|cells| cells.binary_search_by_key(&cell, |(cell, _)| *cell).ok().map(|at| cells[at].1)).unwrap_or(0)
}

/// Checks every world and every certificate; time is linear in the size of the proofs. Primaries that have a certificate are ticked off.
///
/// The revisions are all of the period; the new one is the last.
pub fn check(revisions: &[&Revision<'_>], small: &mut [Vec<bool>], threads: usize, report: &mut Report) {
    let new = revisions.len() - 1;
    let checker = Checker { tables: places(revisions), revisions };
    revisions[new].find_missing(small, report);
    // Small counts of earlier revisions, to be ticked off as worlds show their ends.
    let mut open: Vec<Open> = (0..new).map(|revision| checker.open(revision)).collect();
    for made_in in 0..=new {
        let proof = checker.revisions[made_in].proof;
        let claims = checker.claims(made_in, (made_in == new).then_some(&mut *report));
        let worlds = proof.worlds.len() as u32;
        let parts = threads.max(1) as u32;
        let bound = |part: u32| (u64::from(worlds) * u64::from(part) / u64::from(parts)) as u32;
        let done: Vec<Option<(Report, Vec<Shown>)>> = std::thread::scope(|scope| {
            let (claims, checker) = (&claims, &checker);
            let work = |part: u32| {
                let mut report = Report::default();
                let mut shown = Vec::new();
                let (from, to) = (bound(part), bound(part + 1));
                let mut next = claims.partition_point(|claim| claim.world < from);
                for world in from..to {
                    let end = next + claims[next..].partition_point(|claim| claim.world == world);
                    checker.world(made_in, world, &claims[next..end], &mut report, &mut shown);
                    next = end;
                }
                (report, shown)
            };
            let handles: Vec<_> = (0..parts).map(|part| scope.spawn(move || work(part))).collect();
            handles.into_iter().map(|handle| handle.join().ok()).collect()
        });
        for part in done {
            let Some((part, shown)) = part else {
                // A thread that panicked has checked nothing, so that its part must not pass for clean.
                report.fault(Fault::Unchecked, 0, 0);
                continue;
            };
            // What earlier worlds fail to do is no fault as long as others do it.
            if made_in == new {
                report.merge(part);
            }
            for Shown { revision, table, cell, kind } in shown {
                open[revision].remove(&(table, cell, kind));
            }
        }
    }
    for (revision, open) in open.iter().enumerate() {
        let mut open: Vec<_> = open.iter().collect();
        open.sort_unstable();
        for &(table, cell, _) in open {
            let (table, cell) = checker.named_in(new, revision, usize::from(table), u64::from(cell));
            report.fault(Fault::EarlierNarrowed, table, cell);
        }
    }
}

/// Ends of primaries that no world has shown yet.
type Open = FxHashSet<(u16, u32, Kind)>;

/// An end of a primary of a revision that a world shows.
struct Shown {
    revision: usize,
    table: u16,
    cell: u32,
    kind: Kind,
}

/// For each two revisions, by table of the second: a table of the first that has all its cells. Joint tables come in other shapes where tables
/// were added.
fn places(revisions: &[&Revision<'_>]) -> Vec<Vec<Vec<Option<CoveringTable>>>> {
    let find = |from: &Revision<'_>, to: &Counted<'_>| {
        CoveringTable::find(from.census.changeable().map(|counted| (counted.table, counted.shape)), (to.table, to.shape))
    };
    let places = |from: &Revision<'_>, to: &&Revision<'_>| to.census.changeable().map(|table| find(from, table)).collect();
    revisions.iter().map(|from| revisions.iter().map(|to| places(from, to)).collect()).collect()
}

impl Revision<'_> {
    /// Finds primaries without a certificate: their own, or one of the same cell in another table.
    fn find_missing(&self, small: &mut [Vec<bool>], report: &mut Report) {
        let mut unaware: Vec<(u16, u32)> = self.proof.unaware.iter().map(|own| (own.table, own.cell)).collect();
        unaware.sort_unstable();
        for (table, small) in small.iter().enumerate() {
            for cell in (0..small.len()).filter(|&cell| small[cell] && self.is_floored(table, cell as u32)) {
                let positions = self.census.tables[table].shape.coordinates(cell as u64);
                let same = |other: usize| if other == table { Some(cell as u64) } else { self.linked.cell(table, other, &positions) };
                let is_proven = |other: usize| same(other).is_some_and(|same| unaware.binary_search(&(other as u16, same as u32)).is_ok());
                if !(0..=table).any(is_proven) {
                    report.fault(Fault::NoCertificate, table, cell as u64);
                }
            }
        }
        for certificate in &self.proof.certificates {
            let cells = small.get_mut(usize::from(certificate.table));
            if let Some(cell) = cells.and_then(|cells| cells.get_mut(certificate.cell as usize)) {
                *cell = false;
            }
        }
        for table in 0..self.census.tables.len() {
            for cell in 0..small[table].len() {
                if !small[table][cell] {
                    continue;
                }
                let positions = self.census.tables[table].shape.coordinates(cell as u64);
                // The cell stays unticked where it is first seen, so a tick elsewhere is a certificate or a chain to one.
                let is_ticked = |other: usize| self.linked.cell(table, other, &positions).is_some_and(|cell| !small[other][cell as usize]);
                if (0..table).any(is_ticked) {
                    small[table][cell] = false;
                } else {
                    report.fault(Fault::NoCertificate, table, cell as u64);
                }
            }
        }
        let mut proven: Vec<(u16, u32, u16)> = self.proof.groups.iter().map(|group| (group.table, group.cell, group.axis)).collect();
        proven.sort_unstable();
        for &(table, cell, axis) in &self.groups {
            let dimension = &self.census.tables[usize::from(table)].table.axes[usize::from(axis)].dimension;
            let positions = self.census.tables[usize::from(table)].shape.coordinates(u64::from(cell));
            let found = (0..=table).any(|other| {
                let at = self.census.tables[usize::from(other)].table.axes.iter().position(|axis| axis.dimension == *dimension);
                let same = if other == table { Some(u64::from(cell)) } else { self.linked.cell(table.into(), other.into(), &positions) };
                matches!((at, same), (Some(at), Some(same)) if proven.binary_search(&(other, same as u32, at as u16)).is_ok())
            });
            if !found {
                report.fault(Fault::NoCertificate, table.into(), u64::from(cell));
            }
        }
    }
}

struct Checker<'r, 'a> {
    revisions: &'r [&'r Revision<'a>],
    tables: Vec<Vec<Vec<Option<CoveringTable>>>>,
}

impl Checker<'_, '_> {
    /// What the certificates of a revision claim of its worlds, in the order of worlds. Certificates that are for nothing are faults
    /// where there is a report.
    fn claims(&self, made_in: usize, mut report: Option<&mut Report>) -> Vec<Claim> {
        let revision = &self.revisions[made_in];
        let proof = revision.proof;
        let mut claims = Vec::with_capacity(proof.certificates.len() * 2 + proof.groups.len());
        let known =
            |table: u16, cell: u32| revision.census.tables.get(usize::from(table)).is_some_and(|of| (cell as usize) < of.counts.len());
        let mut stray = |table: u16, cell: u32, is_group: bool, is_stray: bool| {
            if let Some(report) = report.as_deref_mut() {
                *(if is_group { &mut report.groups } else { &mut report.certificates }) += 1;
                if is_stray {
                    report.fault(Fault::StrayCertificate, table.into(), u64::from(cell));
                }
            }
            is_stray
        };
        for certificate in &proof.certificates {
            let (table, cell) = (certificate.table, certificate.cell);
            let worlds = [certificate.low, certificate.high];
            let is_stray = !known(table, cell) || worlds.iter().any(|&world| world as usize >= proof.worlds.len());
            if !stray(table, cell, false, is_stray) {
                claims.push(Claim { world: certificate.low, table, cell, kind: Kind::Low });
                claims.push(Claim { world: certificate.high, table, cell, kind: Kind::High });
            }
        }
        for certificate in &proof.groups {
            let (table, cell) = (certificate.table, certificate.cell);
            let axes = revision.census.tables.get(usize::from(table)).map_or(0, |counted| counted.shape.axes.len());
            let is_stray = !known(table, cell) || usize::from(certificate.axis) >= axes || certificate.world as usize >= proof.worlds.len();
            if !stray(table, cell, true, is_stray) {
                claims.push(Claim { world: certificate.world, table, cell, kind: Kind::Group(certificate.axis) });
            }
        }
        for certificate in &proof.unaware {
            let (table, cell) = (certificate.table, certificate.cell);
            let is_stray = !known(table, cell) || certificate.world as usize >= proof.worlds.len();
            if !stray(table, cell, false, is_stray) {
                claims.push(Claim { world: certificate.world, table, cell, kind: Kind::Unaware });
            }
        }
        claims.sort_unstable();
        claims
    }

    /// All ends of primaries of a revision, one table for each cell.
    fn open(&self, revision: usize) -> Open {
        let of = &self.revisions[revision];
        let mut open = Open::default();
        for (table, counted) in of.census.tables.iter().enumerate() {
            for cell in 0..counted.counts.len() as u32 {
                let (number, positions) = (table as u16, || counted.shape.coordinates(u64::from(cell)));
                if of.is_primary(table, cell) && !(0..table).any(|other| of.linked.cell(table, other, &positions()).is_some()) {
                    open.extend([(number, cell, Kind::Low), (number, cell, Kind::High)]);
                    open.extend(of.is_floored(table, cell).then_some((number, cell, Kind::Unaware)));
                }
            }
        }
        let owned = |table: u16, cell: u32, axis: u16| {
            let dimension = &of.census.tables[usize::from(table)].table.axes[usize::from(axis)].dimension;
            let positions = of.census.tables[usize::from(table)].shape.coordinates(u64::from(cell));
            let has = |other: usize| of.census.tables[other].table.axes.iter().any(|axis| axis.dimension == *dimension);
            !(0..usize::from(table)).any(|other| has(other) && of.linked.cell(table.into(), other, &positions).is_some())
        };
        let groups = of.groups.iter().copied().filter(|&(table, cell, axis)| owned(table, cell, axis));
        open.extend(groups.map(|(table, cell, axis)| (table, cell, Kind::Group(axis))));
        open
    }

    fn world(&self, made_in: usize, world: u32, claims: &[Claim], report: &mut Report, shown: &mut Vec<Shown>) {
        report.worlds += 1;
        let own = &self.revisions[made_in];
        let mut changes: Vec<Change> = own.proof.worlds.world(world).collect();
        if world == TRUE_WORLD && !changes.is_empty() {
            report.fault(Fault::WorldForm, 0, 0);
            return;
        }
        changes.sort_unstable();
        let faults = report.faults.clone();
        // A world that shows nothing to anybody else need be possible to the unaware alone.
        let unaware = !claims.is_empty() && claims.iter().all(|claim| claim.kind == Kind::Unaware);
        let Some(changed) = own.changed(&changes, unaware, report) else { return };
        // Choices of revisions in which it is the same world, nothing being changed in the others.
        let copies = self.copies(made_in, &changed, unaware);
        if copies.is_empty() {
            let (table, cell) = changed.first().map_or((0, 0), |(table, cells)| (*table, cells[0].0));
            report.fault(Fault::WorldEarlier, table, cell);
        }
        for claim in claims {
            let of_new = made_in + 1 == self.revisions.len();
            // A cell that has no primary count now is proven for an earlier revision alone.
            let is_own = matches!(claim.kind, Kind::Group(_)) || own.is_primary(claim.table.into(), claim.cell);
            if of_new && is_own && !own.shows(claim, &changed) {
                report.fault(Fault::WorldReach, claim.table.into(), u64::from(claim.cell));
            }
        }
        if report.faults != faults {
            return;
        }
        let is_same = |revision: &usize| copies.iter().any(|copies| copies >> revision & 1 == 1);
        for revision in (0..self.revisions.len() - 1).filter(is_same) {
            let there = self.there(made_in, revision, &changed);
            for claim in claims {
                let Some((table, cell)) = self.found_in(made_in, revision, claim.table.into(), claim.cell.into()) else { continue };
                let axis = |at: u16| {
                    let dimension = &self.revisions[made_in].table(claim.table.into())?.table.axes[usize::from(at)].dimension;
                    self.revisions[revision].table(table)?.table.axes.iter().position(|axis| axis.dimension == *dimension)
                };
                let kind = match claim.kind {
                    Kind::Group(at) => axis(at).map(|at| Kind::Group(at as u16)),
                    kind => Some(kind),
                };
                let Some(kind) = kind else { continue };
                let claim = Claim { table: table as u16, cell: cell as u32, kind, ..*claim };
                if self.revisions[revision].shows(&claim, &there) {
                    shown.push(Shown { revision, table: claim.table, cell: claim.cell, kind: claim.kind });
                }
            }
        }
    }

    /// A cell of one revision in the first published table of another that has it.
    fn found_in(&self, from: usize, to: usize, table: usize, cell: u64) -> Option<(usize, u64)> {
        let (of_from, of_to) = (&self.revisions[from], &self.revisions[to]);
        let positions = of_from.table(table)?.shape.coordinates(cell);
        let (there, cell) = (0..of_from.census.tables.len()).find_map(|other| {
            let same = if other == table { Some(cell) } else { of_from.linked.cell(table, other, &positions) }?;
            let counted = of_from.table(other)?;
            let there = of_to.census.tables.iter().position(|to| to.table.id == counted.table.id && to.shape == counted.shape)?;
            Some((there, same))
        })?;
        let positions = of_to.table(there)?.shape.coordinates(cell);
        let first = (0..there).find_map(|other| Some((other, of_to.linked.cell(there, other, &positions)?)));
        Some(first.unwrap_or((there, cell)))
    }

    /// A cell of an earlier revision as a later one names it.
    fn named_in(&self, later: usize, earlier: usize, table: usize, cell: u64) -> (usize, u64) {
        self.found_in(earlier, later, table, cell).unwrap_or((table, cell))
    }

    /// The changes of a world as another revision counts them.
    fn there(&self, made_in: usize, other: usize, changed: &Changed) -> Changed {
        if made_in == other {
            return changed.clone();
        }
        let table = |(to, place): (usize, &Option<CoveringTable>)| {
            let place = place.as_ref()?;
            let cells = &changed.iter().find(|(table, _)| *table == place.table)?.1;
            let mut cells: Vec<(u64, i64)> = cells.iter().filter_map(|&(cell, delta)| Some((place.cell(cell)?, delta))).collect();
            cells.sort_unstable();
            (!cells.is_empty()).then_some((to, cells))
        };
        self.tables[made_in][other].iter().enumerate().filter_map(table).collect()
    }

    /// Choices of revisions, as bits, in which a world may make the same changes while the others stay as they are: in those nothing may
    /// change that is published there, and nothing that changes may count the same in one of them and in one of the others.
    fn copies(&self, made_in: usize, changed: &Changed, unaware: bool) -> Vec<u64> {
        let revisions = self.revisions.len();
        // What a world does to tables that its own revision lacks nobody has worked out.
        let has_all = |other: usize| self.tables[made_in][other].iter().all(Option::is_some);
        let bears =
            |other: usize| other == made_in || has_all(other) && self.revisions[other].bears(&self.there(made_in, other, changed), unaware);
        let may_copy: Vec<usize> = (0..revisions).filter(|&other| bears(other)).collect();
        let others: Vec<usize> = may_copy.iter().copied().filter(|&other| other != made_in).collect();
        // All sets of revisions that may be copies, the one that the world was made in among them; of very many revisions only the largest.
        let sets = if others.len() <= MOST_CHOICES { 1u64 << others.len() } else { 1 };
        let chosen = (0..sets).map(|left_out| {
            let copies = others.iter().enumerate().filter(|(at, _)| left_out >> at & 1 == 0).map(|(_, other)| *other);
            copies.chain([made_in]).fold(0u64, |set, other| set | 1 << other)
        });
        let is_apart = |copies: &u64| {
            let (copies, left): (Vec<usize>, Vec<usize>) = (0..revisions).partition(|other| copies >> other & 1 == 1);
            copies.iter().all(|&copy| left.iter().all(|&other| self.differ(made_in, copy, other, changed)))
        };
        chosen.filter(is_apart).collect()
    }

    /// Whether all that a world changes counts otherwise in one revision than in another. Of tables that are never published nobody knows.
    fn differ(&self, made_in: usize, one: usize, other: usize, changed: &Changed) -> bool {
        let published = self.revisions[made_in].census.tables.len();
        let cells = changed
            .iter()
            .filter(|(table, _)| *table < published)
            .flat_map(|(table, cells)| cells.iter().map(move |(cell, _)| (*table, *cell)));
        let count = |revision: usize, table: usize, cell: u64| {
            let (table, cell) = self.found_in(made_in, revision, table, cell)?;
            Some(self.revisions[revision].census.tables.get(table)?.counts[cell as usize])
        };
        cells.into_iter().all(|(table, cell)| match (count(one, table, cell), count(other, table, cell)) {
            (Some(one), Some(other)) => one != other,
            _ => true,
        })
    }
}

impl Revision<'_> {
    /// All cells that the finest changes of a world change, with whatever is wrong with it; `None` if it is no world at all.
    fn changed(&self, changes: &[Change], unaware: bool, report: &mut Report) -> Option<Changed> {
        let twice = changes.windows(2).any(|pair| (pair[0].table, pair[0].cell) == (pair[1].table, pair[1].cell));
        let known = changes.iter().all(|change| self.table(change.table.into()).is_some_and(|of| (change.cell as usize) < of.counts.len()));
        if twice || !known {
            report.fault(Fault::WorldForm, 0, 0);
            return None;
        }
        let mut changed = Changed::new();
        for of_table in changes.chunk_by(|a, b| a.table == b.table) {
            let table = usize::from(of_table[0].table);
            let counted = self.table(table)?;
            let mut coordinates = Vec::new();
            for change in of_table {
                let cell = u64::from(change.cell);
                if !is_leaf(counted.shape, cell) {
                    report.fault(Fault::WorldForm, table, cell);
                }
                coordinates.clear();
                coordinates.extend(counted.shape.coordinates(cell));
                if counted.zeros.covers(&coordinates) {
                    report.fault(Fault::WorldZero, table, cell);
                }
                if i64::from(counted.counts[cell as usize]) + i64::from(change.delta) < 0 {
                    report.fault(Fault::WorldNegative, table, cell);
                }
            }
            let leaves = of_table.iter().map(|change| (u64::from(change.cell), i64::from(change.delta))).collect();
            changed.push((table, roll_up(counted.shape, leaves)));
        }
        changed.retain(|(_, cells)| !cells.is_empty());
        let tables = self.census.tables.len() + self.census.joint.len();
        for (table, cells) in &changed {
            for &(cell, change) in cells {
                if *table < self.census.tables.len() && self.statuses[*table][cell as usize] != Status::Suppressed {
                    report.fault(Fault::WorldPublished, *table, cell);
                }
                let positions = self.table(*table)?.shape.coordinates(cell);
                for other in (0..tables).filter(|other| other != table) {
                    if let Some(same) = self.linked.cell(*table, other, &positions)
                        && delta_of(&changed, other, same) != change
                    {
                        report.fault(Fault::WorldShared, other, same);
                    }
                }
            }
        }
        if let Some((table, cell)) = self.links.broken(&self.census, &changed, &|table, cell| delta_of(&changed, table, cell), unaware) {
            report.fault(Fault::WorldLink, table, cell);
        }
        Some(changed)
    }

    /// Whether the same changes are possible here: nothing changes that is published or cannot occur, nothing becomes negative, and no link breaks.
    fn bears(&self, changed: &Changed, unaware: bool) -> bool {
        let is_possible = |(table, cells): &(usize, Vec<(u64, i64)>)| {
            cells.iter().all(|&(cell, delta)| {
                let count = self.table(*table).map_or(0, |counted| counted.counts[cell as usize]);
                i64::from(count) + delta >= 0 && !self.is_fixed(*table, cell)
            })
        };
        changed.iter().all(is_possible)
            && self.links.broken(&self.census, changed, &|table, cell| delta_of(changed, table, cell), unaware).is_none()
    }

    /// Whether a world shows what is claimed of it.
    fn shows(&self, claim: &Claim, changed: &Changed) -> bool {
        let table = usize::from(claim.table);
        let Some(counted) = self.table(table) else { return false };
        let value = |cell: u64| i64::from(counted.counts[cell as usize]) + delta_of(changed, table, cell);
        let cell = u64::from(claim.cell);
        let (low, high) = self.rule.goals(counted.counts[cell as usize]);
        match claim.kind {
            Kind::Low => value(cell) <= i64::from(low) || value(cell) <= self.links.outside(&self.census, table, cell),
            Kind::Unaware => value(cell) <= i64::from(low),
            Kind::High => value(cell) >= i64::from(high),
            Kind::Group(at) => {
                let (axis, stride) = (&counted.shape.axes[usize::from(at)], counted.shape.strides[usize::from(at)]);
                let own = (cell / stride) as usize % axis.nodes.len();
                (0..axis.nodes.len()).any(|position| {
                    position != own
                        && axis.parents[position].is_some()
                        && axis.parents[position] == axis.parents[own]
                        && value((cell as i64 + (position as i64 - own as i64) * stride as i64) as u64) > 0
                })
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
