//! Corrections: what was published of the period before cannot be taken back.
//!
//! Whoever holds all revisions knows every cell that any of them publishes, wherever the count has not changed, and knows which counts have
//! not. A world of a new revision is therefore one of the others too. Some of them are *copies*: the same changes are made there, so that no
//! changed cell may be published there, whatever it counts. In the others nothing is changed, so that no cell may change that counts the
//! same there as in the new revision or in a copy. Which of them are copies is tried in turn, see [`Way`].
//!
//! A small count of an earlier revision that has changed since needs worlds beside the new revision too. Where none of those that were made
//! for it holds any more, the new revision withholds the cell and makes new ones: it *demands* them.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use super::{
    Protected,
    frame::{Frame, Kind, Layout},
    links::{self, Facts},
};
use crate::{
    error::{Error, Result},
    register::{CoveringTable, Dimension, SharedCells, Status},
    worlds::{Census, Certificate, Change, Counted, Earlier, GroupCertificate, Rule, TRUE_WORLD, UnawareCertificate},
};

/// The most revisions that stand beside each other.
const MOST_REVISIONS: usize = 15;
/// Up to so many revisions each choice of copies is tried; beyond, only all, none, each alone, and all but one.
const MOST_CHOICES: usize = 4;

/// A way of making worlds beside earlier revisions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Way {
    /// The bit of [`Layout::locks`] of cells that may not change.
    pub lock: u32,
    /// A bit for each earlier revision in which the same changes are made.
    pub copies: u32,
    /// Whether it need be possible only to those who do not know how many people live outside of counted households.
    pub unaware: bool,
}

/// Choices of copies among so many revisions, as bits: the most copies first, because small counts are mostly the same in all.
fn choices(revisions: usize) -> Vec<u32> {
    let all = (1u32 << revisions) - 1;
    let mut choices: Vec<u32> = if revisions <= MOST_CHOICES {
        (0..=all).collect()
    } else {
        let single = (0..revisions).map(|revision| 1 << revision);
        [all, 0].into_iter().chain(single.clone()).chain(single.map(|one| all & !one)).collect()
    };
    choices.sort_by_key(|copies| std::cmp::Reverse(copies.count_ones()));
    choices
}

/// Earlier revisions as the frame of the new one sees them.
pub struct Revisions<'e, 'a> {
    earlier: &'e [Earlier<'a>],
    /// For each revision the number there of each changeable table of the new one.
    tables: Vec<Vec<Option<usize>>>,
    /// For each revision whether the new one has all cells that it counted, so that the same changes can be made there.
    is_whole: Vec<bool>,
}

/// One table of an earlier revision, with statuses if it was published.
type OldTable<'o, 'a> = (&'o Counted<'a>, Option<&'o [Status]>);

/// Where the cells of a table of the new revision stand in an earlier one.
enum Old<'o, 'a> {
    Same(OldTable<'o, 'a>),
    Shared(Vec<(SharedCells, OldTable<'o, 'a>)>),
}

impl Old<'_, '_> {
    /// What a cell counted, and whether it is fixed there; `None` if it was not counted.
    fn at(&self, cell: u32) -> Option<(u32, bool)> {
        let read = |(counted, statuses): &OldTable<'_, '_>, cell: usize| (counted.counts[cell], is_fixed(counted, *statuses, cell));
        match self {
            Self::Same(table) => Some(read(table, cell as usize)),
            Self::Shared(tables) => tables.iter().find_map(|(cells, table)| Some(read(table, cells.cell(cell.into())? as usize))),
        }
    }
}

impl<'e, 'a> Revisions<'e, 'a> {
    /// Finds the tables of earlier revisions in the new one.
    ///
    /// # Errors
    /// An earlier revision with other dimensions, links or axes, or with a table that the new one lacks.
    pub fn new(census: &Census<'_>, earlier: &'e [Earlier<'a>]) -> Result<Self> {
        if earlier.len() > MOST_REVISIONS {
            return Err(Error::Conflict(format!(
                "{} revisions are published already; at most {MOST_REVISIONS} can be kept in view",
                earlier.len()
            )));
        }
        let (mut tables, mut is_whole) = (Vec::with_capacity(earlier.len()), Vec::with_capacity(earlier.len()));
        for (revision, Earlier { census: before, .. }) in (1..).zip(earlier) {
            for old in before.tables {
                let new = census.tables.iter().find(|new| new.table.id == old.table.id);
                let cure = "publish it with the next period, or with the tables and regions of the earlier revisions";
                match new {
                    None => {
                        return Err(Error::Conflict(format!(
                            "revision {revision} publishes the table '{}', which the correction lacks, so that the two cannot be protected together; {cure}",
                            old.table.id
                        )));
                    }
                    Some(new) if !is_same_table(new, census.dimensions, old, before.dimensions) => {
                        return Err(Error::Conflict(format!(
                            "the table '{}' has other categories or regions in revision {revision}, so that the two cannot be protected together; {cure}",
                            old.table.id
                        )));
                    }
                    Some(_) => {}
                }
            }
            if before.links != census.links {
                return Err(Error::Conflict(format!(
                    "revision {revision} links people and households in another way; keep links.toml as it was"
                )));
            }
            let place = |new: &Counted<'_>| before.changeable().position(|old| old.table.id == new.table.id && old.shape == new.shape);
            tables.push(census.changeable().map(place).collect());
            let own = census.changeable().map(|counted| (counted.table, counted.shape));
            is_whole.push(before.changeable().all(|old| CoveringTable::find(own.clone(), (old.table, old.shape)).is_some()));
        }
        Ok(Self { earlier, tables, is_whole })
    }

    fn old_table(&self, revision: usize, at: usize) -> Option<OldTable<'e, 'a>> {
        let Earlier { census, statuses, .. } = &self.earlier[revision];
        Some((census.table(at)?, statuses.get(at).map(Vec::as_slice)))
    }

    /// Where the cells of a table stand in an earlier revision.
    fn old(&self, revision: usize, table: usize, new: &Counted<'_>) -> Old<'e, 'a> {
        let same = self.tables[revision].get(table).copied().flatten().and_then(|at| self.old_table(revision, at));
        same.map_or_else(
            || {
                let old = (0..).map_while(|at| self.old_table(revision, at));
                let shared = |old: OldTable<'e, 'a>| Some((SharedCells::new((new.table, new.shape), (old.0.table, old.0.shape))?, old));
                Old::Shared(old.filter_map(shared).collect())
            },
            Old::Same,
        )
    }

    /// By table of the new revision and earlier revision where its cells stand there.
    fn all_old(&self, census: &Census<'_>) -> Vec<Vec<Old<'e, 'a>>> {
        let of_table =
            |(table, new): (usize, &Counted<'_>)| (0..self.earlier.len()).map(|revision| self.old(revision, table, new)).collect();
        census.changeable().enumerate().map(of_table).collect()
    }

    /// What links are worked out from in an earlier revision.
    #[expect(clippy::type_complexity, reason = "two closures that are used at once")]
    fn facts<'s>(
        &'s self,
        frame: &'s Frame<'_>,
        old: &'s [Vec<Old<'e, 'a>>],
        revision: usize,
    ) -> (impl Fn(usize, usize) -> Option<i64> + 's, impl Fn(usize, u32, &[(usize, u32)]) -> Option<i64> + 's) {
        let count = move |table: usize, index: usize| {
            let layout = &frame.tables[table];
            let cell = layout.cell(index / layout.inner, index % layout.inner);
            old[layout.input][revision].at(cell).map(|(count, _)| i64::from(count))
        };
        let members = move |link: usize, spine_node: u32, nodes: &[(usize, u32)]| {
            links::members_at(frame, self.earlier[revision].census.members.get(link)?, spine_node, nodes)
        };
        (count, members)
    }

    /// Locks what earlier revisions know, and lets nothing be taken that one of them lacks.
    pub fn lock(&self, frame: &mut Frame<'_>, census: &Census<'_>) -> Result<()> {
        let revisions = self.earlier.len();
        if revisions == 0 {
            return Ok(());
        }
        let copied = |copies: &u32| (0..revisions).all(|revision| copies >> revision & 1 == 0 || self.is_whole[revision]);
        frame.ways = (0u32..)
            .zip(choices(revisions).into_iter().filter(copied))
            .map(|(at, copies)| Way { lock: 1 << at, copies, unaware: false })
            .collect();
        let old = self.all_old(census);
        for revision in 0..revisions {
            let rooms: Vec<Option<(Vec<u32>, Vec<u32>)>> = {
                let (count, members) = self.facts(frame, &old, revision);
                let facts = Facts { count: &count, members: &members };
                frame.rules.iter().map(|rule| rule.rooms(frame, &facts).zip(rule.relief(frame, &facts))).collect()
            };
            let layouts = frame.tables.iter_mut().filter(|layout| layout.kind == Kind::Link);
            for (layout, rooms) in layouts.zip(rooms) {
                if let Some((rooms, reliefs)) = rooms {
                    let spare = layout.spare.get_or_insert_with(|| layout.counts.to_vec());
                    spare.iter_mut().zip(rooms).for_each(|(spare, room)| *spare = (*spare).min(room));
                    layout.relief.iter_mut().zip(reliefs).for_each(|(relief, there)| *relief = (*relief).min(there));
                }
            }
        }
        let ways = frame.ways.clone();
        for layout in frame.tables.iter_mut().filter(|layout| layout.kind != Kind::Link) {
            lock_table(layout, &old[layout.input], &ways);
        }
        Ok(())
    }

    /// Takes over what earlier revisions prove of primaries that are not shown open at their ends: where hardly anything has changed, the worlds
    /// that were published once are still possible, if the new revision withholds what they change.
    pub fn adopt(&self, frame: &Frame<'_>, census: &Census<'_>, rule: &Rule, open_ends: Vec<(u16, u32)>, protected: &mut Protected) {
        // A world says nothing of tables that its revision did not have.
        let complete: Vec<usize> = (0..self.earlier.len()).filter(|&revision| !self.tables[revision].contains(&None)).collect();
        for (table, cell) in open_ends {
            if !complete.iter().any(|&revision| self.adopt_from(revision, frame, census, rule, (table, cell), protected)) {
                protected.unprotected.push((table, cell));
            }
        }
        protected.proof.certificates.sort_unstable();
    }

    fn adopt_from(
        &self,
        revision: usize,
        frame: &Frame<'_>,
        census: &Census<'_>,
        rule: &Rule,
        (table, cell): (u16, u32),
        protected: &mut Protected,
    ) -> bool {
        let proof = self.earlier[revision].proof;
        let Some(old) = self.tables[revision].get(usize::from(table)).copied().flatten() else { return false };
        let is_here = |of: u16, at: u32| usize::from(of) == old && at == cell;
        let found = proof.certificate(old as u16, cell).zip(census.table(table.into()));
        let Some((certificate, counted)) = found else { return false };
        // What more is asked of a cell than its two ends is not taken over.
        if proof.groups.iter().any(|own| is_here(own.table, own.cell)) || proof.unaware.iter().any(|own| is_here(own.table, own.cell)) {
            return false;
        }
        let count = counted.counts[cell as usize];
        let (low, high) = rule.goals(count);
        let mut adopted = [Vec::new(), Vec::new()];
        for (world, adopted) in [certificate.low, certificate.high].into_iter().zip(&mut adopted) {
            let same = |change: Change| {
                let table = self.new_table(revision, change.table.into())?;
                Some(Change { table: table as u16, ..change })
            };
            let Some(changes) = proof.worlds.world(world).map(same).collect::<Option<Vec<Change>>>() else { return false };
            *adopted = changes;
            adopted.sort_unstable();
        }
        let reached = adopted.each_ref().map(|changes| i64::from(count) + change_of(counted, table.into(), cell, changes));
        if reached[0] > i64::from(low) || reached[1] < i64::from(high) {
            return false;
        }
        let mut withheld = Vec::new();
        adopted.iter().for_each(|changes| withheld.extend(withhold(census, changes, &mut protected.statuses)));
        let new = 1 << self.earlier.len();
        let worlds = Worlds::new(self, frame, census, &protected.statuses);
        let holds = |world: u32| world == TRUE_WORLD || worlds.copies(revision, world).iter().any(|copies| copies & new != 0);
        if !holds(certificate.low) || !holds(certificate.high) {
            withheld.into_iter().for_each(|(table, cell)| protected.statuses[table][cell] = Status::Published);
            return false;
        }
        let mut number =
            |changes: &[Change]| if changes.is_empty() { TRUE_WORLD } else { protected.proof.worlds.push(changes.iter().copied()) };
        let (low, high) = (number(&adopted[0]), number(&adopted[1]));
        protected.proof.certificates.push(Certificate { table, cell, low, high });
        true
    }

    /// Small counts of earlier revisions that no world shows open any more beside the new one.
    pub fn unproven(&self, frame: &Frame<'_>, census: &Census<'_>, statuses: &[Vec<Status>], now: &Rule, proven: &Proven<'_>) -> Vec<Open> {
        let mut open = Vec::new();
        let mut worlds = Worlds::new(self, frame, census, statuses);
        for (revision, Earlier { census: before, rule, proof, .. }) in self.earlier.iter().enumerate() {
            for certificate in &proof.certificates {
                let (Some(old), Some(table)) = (before.table(certificate.table.into()), self.new_table(revision, certificate.table.into()))
                else {
                    continue;
                };
                let Some(new) = census.table(table) else { continue };
                let (table, cell, count) = (table as u16, certificate.cell, old.counts[certificate.cell as usize]);
                if !is_primary(rule, old, cell) {
                    continue;
                }
                let (low, high) = rule.goals(count);
                let demand =
                    Demand { down: (low as i32 - count as i32).min(0), up: (high as i32 - count as i32).max(0), copies: 1 << revision };
                // What counts the same now is proven for both at once, if as much is asked of it.
                let asks_more = now.goals(count).0 > low || now.goals(count).1 < high;
                let is_same = new.counts[cell as usize] == count && !asks_more && (proven.primary)(table, cell, None);
                if !is_same && !(proven.primary)(table, cell, Some(&demand)) && !worlds.show(revision, table, cell, &demand) {
                    open.push(Open { table, cell, demand: Some(demand) });
                }
            }
            let count_is_same = |table: usize, old: u16, cell: u32| {
                let both = census.table(table).zip(before.table(old.into()));
                both.is_some_and(|(new, old)| new.counts[cell as usize] == old.counts[cell as usize])
            };
            for group in &proof.groups {
                let Some(table) = self.new_table(revision, group.table.into()) else { continue };
                let is_proven =
                    count_is_same(table, group.table, group.cell) && (proven.group)(&GroupCertificate { table: table as u16, ..*group });
                if !is_proven && !worlds.holds(revision, group.world) {
                    open.push(Open { table: table as u16, cell: group.cell, demand: None });
                }
            }
            for &UnawareCertificate { table: old, cell, world } in &proof.unaware {
                let Some(table) = self.new_table(revision, old.into()) else { continue };
                let is_proven = count_is_same(table, old, cell) && (proven.unaware)(table as u16, cell);
                if !is_proven && !worlds.holds(revision, world) {
                    open.push(Open { table: table as u16, cell, demand: None });
                }
            }
        }
        open
    }

    fn new_table(&self, revision: usize, old: usize) -> Option<usize> {
        self.tables[revision].iter().position(|at| *at == Some(old))
    }
}

/// What the new revision proves already.
pub struct Proven<'p> {
    /// Whether there is a certificate for a cell, as far as an earlier revision demands.
    pub primary: &'p dyn Fn(u16, u32, Option<&Demand>) -> bool,
    /// Whether there is one for a small group.
    pub group: &'p dyn Fn(&GroupCertificate) -> bool,
    /// Whether there is one for those who do not know how many people live outside of counted households.
    pub unaware: &'p dyn Fn(u16, u32) -> bool,
}

/// What an earlier revision asks of a cell that has changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// By how much a world must take from it.
    pub down: i32,
    /// By how much a world must add to it.
    pub up: i32,
    /// Revisions, as bits, in which the world must make the same changes.
    pub copies: u32,
}

impl Demand {
    /// Both at once.
    pub fn join(self, other: Self) -> Self {
        Self { down: self.down.min(other.down), up: self.up.max(other.up), copies: self.copies | other.copies }
    }
}

/// A primary that is not shown open.
#[derive(Debug)]
pub struct Open {
    /// Number of the table.
    pub table: u16,
    /// Number of the cell.
    pub cell: u32,
    /// What it would take; nothing helps where a small group lies in one category or where the unaware would learn something.
    pub demand: Option<Demand>,
}

/// Which worlds of earlier revisions still hold, worked out where somebody asks.
struct Worlds<'w, 'e, 'a> {
    revisions: &'w Revisions<'e, 'a>,
    frame: &'w Frame<'w>,
    /// Where cells of the new revision stand in earlier ones.
    old: Vec<Vec<Old<'e, 'a>>>,
    /// What each revision counted and published; the new one is the last.
    all: Vec<(Census<'w>, &'w [Vec<Status>])>,
    /// By revision and world: choices of copies, as bits, with which it holds.
    sound: FxHashMap<(usize, u32), Vec<u32>>,
}

/// All cells that a world changes, by table of the revision that it was made in.
type Changed = Vec<(usize, FxHashMap<u64, i64>)>;

impl<'w, 'e, 'a> Worlds<'w, 'e, 'a> {
    fn new(revisions: &'w Revisions<'e, 'a>, frame: &'w Frame<'w>, census: &Census<'w>, statuses: &'w [Vec<Status>]) -> Self {
        let mut all: Vec<(Census<'w>, &'w [Vec<Status>])> =
            revisions.earlier.iter().map(|earlier| (earlier.census, earlier.statuses)).collect();
        all.push((*census, statuses));
        Self { revisions, frame, old: revisions.all_old(census), all, sound: FxHashMap::default() }
    }

    /// Whether worlds of any earlier revision show a small count of one of them open at both ends.
    fn show(&mut self, revision: usize, table: u16, cell: u32, demand: &Demand) -> bool {
        let mut ends = [demand.down == 0, demand.up == 0];
        for (other, Earlier { proof, census, .. }) in self.revisions.earlier.iter().enumerate() {
            let Some(at) = self.revisions.tables[other].get(usize::from(table)).copied().flatten() else { continue };
            let Some(certificate) = proof.certificate(at as u16, cell) else { continue };
            for (end, world) in [certificate.low, certificate.high].into_iter().enumerate() {
                if self.sound(other, world).iter().any(|copies| copies >> revision & 1 == 1) {
                    let changes: Vec<Change> = proof.worlds.world(world).collect();
                    let delta = census.table(at).map_or(0, |counted| change_of(counted, at, cell, &changes));
                    ends[end] |= if end == 0 { delta <= i64::from(demand.down) } else { delta >= i64::from(demand.up) };
                }
            }
        }
        ends == [true; 2]
    }

    fn holds(&mut self, revision: usize, world: u32) -> bool {
        !self.sound(revision, world).is_empty()
    }

    /// With which copies a world of an earlier revision is possible beside all others.
    fn sound(&mut self, revision: usize, world: u32) -> &[u32] {
        if !self.sound.contains_key(&(revision, world)) {
            let found = self.copies(revision, world);
            self.sound.insert((revision, world), found);
        }
        &self.sound[&(revision, world)]
    }

    fn copies(&self, made_in: usize, world: u32) -> Vec<u32> {
        let changes: Vec<Change> = self.revisions.earlier[made_in].proof.worlds.world(world).collect();
        let changed = changed_cells(&self.all[made_in].0, &changes);
        let unaware = self.revisions.earlier[made_in].proof.unaware.iter().any(|own| own.world == world);
        let may_copy: Vec<bool> = (0..self.all.len())
            .map(|other| other == made_in || self.may_copy(made_in, other, &changed) && self.is_linked(made_in, other, &changed, unaware))
            .collect();
        let own = 1 << made_in;
        let mut found: Vec<u32> = choices(self.all.len()).into_iter().filter(|copies| copies & own != 0).collect();
        found.retain(|copies| {
            let (copies, others): (Vec<usize>, Vec<usize>) = (0..self.all.len()).partition(|revision| copies >> revision & 1 == 1);
            copies.iter().all(|&copy| may_copy[copy] && others.iter().all(|&other| self.differ(made_in, copy, other, &changed)))
        });
        found
    }

    /// Whether the same changes are possible in another revision: all that it counted is told by the world, nothing changes that it publishes or
    /// that cannot occur there, and nothing becomes negative.
    fn may_copy(&self, made_in: usize, other: usize, changed: &Changed) -> bool {
        let ((own, _), (there, statuses)) = (&self.all[made_in], &self.all[other]);
        there.changeable().enumerate().all(|(at, counted)| {
            let tables = own.changeable().map(|counted| (counted.table, counted.shape));
            let Some(covering) = CoveringTable::find(tables, (counted.table, counted.shape)) else { return false };
            let Some((_, cells)) = changed.iter().find(|(table, _)| *table == covering.table) else { return true };
            cells.iter().filter_map(|(&cell, &delta)| Some((covering.cell(cell)? as usize, delta))).all(|(cell, delta)| {
                let is_fixed = is_fixed(counted, statuses.get(at).map(Vec::as_slice), cell);
                !is_fixed && i64::from(counted.counts[cell]) + delta >= 0
            })
        })
    }

    /// Whether people and households still fit each other in another revision if a world changes it too, perhaps only to those who are unaware
    /// of people outside of households.
    fn is_linked(&self, made_in: usize, other: usize, changed: &Changed, unaware: bool) -> bool {
        let frame = self.frame;
        let delta = |table: usize, index: usize| {
            let layout = &frame.tables[table];
            let at = self.revisions.tables[made_in].get(layout.input).copied().flatten()?;
            let cell = layout.cell(index / layout.inner, index % layout.inner);
            let cells = changed.iter().find(|(table, _)| *table == at);
            Some(cells.and_then(|(_, cells)| cells.get(&u64::from(cell)).copied()).unwrap_or(0))
        };
        // Where anything changes, as nodes of the spine.
        let mut spine_nodes: Vec<u32> = Vec::new();
        for layout in frame.tables.iter().filter(|layout| layout.kind != Kind::Link) {
            let at = self.revisions.tables[made_in].get(layout.input).copied().flatten();
            let cells = changed.iter().filter(|(table, _)| Some(*table) == at).flat_map(|(_, cells)| cells.keys());
            spine_nodes
                .extend(cells.filter_map(|&cell| layout.index_of(cell as u32)).map(|index| layout.spine_nodes[index / layout.inner]));
        }
        spine_nodes.sort_unstable();
        spine_nodes.dedup();
        let is_new = other == self.revisions.earlier.len();
        let own_count = |table: usize, index: usize| frame.tables[table].counts.get(index).map(|&count| i64::from(count));
        let members_of = |link: usize| self.all[other].0.members.get(link);
        let (old_count, _) = self.revisions.facts(frame, &self.old, if is_new { 0 } else { other });
        let count = |table: usize, index: usize| if is_new { own_count(table, index) } else { old_count(table, index) };
        let members = |link: usize, node: u32, nodes: &[(usize, u32)]| {
            if unaware {
                let (table, index) = links::everybody(&frame.rules, frame, link, node, nodes)?;
                return count(table, index);
            }
            links::members_at(frame, members_of(link)?, node, nodes)
        };
        let count_after = |table: usize, index: usize| Some(count(table, index)? + delta(table, index)?);
        let members_after = |link: usize, node: u32, nodes: &[(usize, u32)]| {
            let (table, index) = links::everybody(&frame.rules, frame, link, node, nodes)?;
            Some(members(link, node, nodes)? + delta(table, index)?)
        };
        let before = Facts { count: &count, members: &members };
        let after = Facts { count: &count_after, members: &members_after };
        let rules = frame.rules.iter().filter(|rule| !unaware || rule.is_known_to_unaware());
        rules.into_iter().all(|rule| rule.holds(frame, &spine_nodes, &before, &after))
    }

    /// Whether all that changes counts otherwise in one revision than in another.
    fn differ(&self, made_in: usize, one: usize, other: usize, changed: &Changed) -> bool {
        changed.iter().all(|(table, cells)| {
            let Some(own) = self.all[made_in].0.tables.get(*table) else { return true };
            let find = |revision: usize| {
                let mut tables = self.all[revision].0.tables.iter();
                tables.find(|counted| counted.table.id == own.table.id && counted.shape == own.shape)
            };
            let (Some(one), Some(other)) = (find(one), find(other)) else { return true };
            cells.keys().all(|&cell| one.counts[cell as usize] != other.counts[cell as usize])
        })
    }
}

/// Whether a cell cannot change in a revision: it is published, or structurally zero, which everybody knows of tables without statuses too.
fn is_fixed(counted: &Counted<'_>, statuses: Option<&[Status]>, cell: usize) -> bool {
    let is_zero = || !counted.zeros.is_empty() && counted.zeros.covers(&counted.shape.coordinates(cell as u64));
    statuses.map_or_else(is_zero, |statuses| statuses[cell] != Status::Suppressed)
}

/// All cells that some changes of finest cells change, the changes being in the order of tables.
fn changed_cells(census: &Census<'_>, changes: &[Change]) -> Changed {
    let of_table = |changes: &[Change]| {
        let table = usize::from(changes[0].table);
        let leaves: Vec<(u64, i64)> = changes.iter().map(|change| (u64::from(change.cell), i64::from(change.delta))).collect();
        Some((table, all_changes(census.table(table)?, &leaves)))
    };
    changes.chunk_by(|a, b| a.table == b.table).filter_map(of_table).collect()
}

/// Withholds what a world changes and is published yet; tells which cells these are, by table.
fn withhold(census: &Census<'_>, changes: &[Change], statuses: &mut [Vec<Status>]) -> Vec<(usize, usize)> {
    let mut withheld = Vec::new();
    for (table, changed) in changed_cells(census, changes) {
        let Some(statuses) = statuses.get_mut(table) else { continue };
        for cell in changed.into_keys().map(|cell| cell as usize).filter(|&cell| statuses[cell] == Status::Published).collect::<Vec<_>>() {
            statuses[cell] = Status::Suppressed;
            withheld.push((table, cell));
        }
    }
    withheld
}

/// By how much a world changes a cell.
fn change_of(counted: &Counted<'_>, table: usize, cell: u32, changes: &[Change]) -> i64 {
    let of_table = changes.iter().filter(|change| usize::from(change.table) == table);
    let leaves: Vec<(u64, i64)> = of_table.map(|change| (u64::from(change.cell), i64::from(change.delta))).collect();
    all_changes(counted, &leaves).get(&u64::from(cell)).copied().unwrap_or(0)
}

/// Whether a cell had to be withheld.
fn is_primary(rule: &Rule, counted: &Counted<'_>, cell: u32) -> bool {
    rule.is_small(counted.counts[cell as usize]) || counted.few.binary_search(&cell).is_ok()
}

fn is_same_table(new: &Counted<'_>, dimensions: &[Dimension], old: &Counted<'_>, before: &[Dimension]) -> bool {
    let is_same = |id: &str| {
        let find = |dimensions: &[Dimension]| dimensions.iter().position(|dimension| dimension.id == id);
        match (find(dimensions), find(before)) {
            (Some(new), Some(old)) => {
                let nodes = |dimension: &Dimension| dimension.nodes.iter().map(|node| (node.code.clone(), node.parent)).collect::<Vec<_>>();
                nodes(&dimensions[new]) == nodes(&before[old])
            }
            _ => false,
        }
    };
    new.table.axes == old.table.axes && new.shape == old.shape && new.table.axes.iter().all(|axis| is_same(&axis.dimension))
}

fn lock_table(layout: &mut Layout<'_>, old: &[Old<'_, '_>], ways: &[Way]) {
    let counts = match &layout.counts {
        Cow::Borrowed(counts) => *counts,
        Cow::Owned(counts) => counts.as_slice(),
    };
    let mut spare = counts.to_vec();
    let mut locks = vec![0; counts.len()];
    let mut there: Vec<Option<(u32, bool)>> = Vec::with_capacity(old.len());
    for (at, &count) in counts.iter().enumerate() {
        let cell = layout.cell(at / layout.inner, at % layout.inner);
        there.clear();
        there.extend(old.iter().map(|old| old.at(cell)));
        spare[at] = there.iter().flatten().fold(count, |least, (count, _)| least.min(*count));
        // Nobody knows what of a table that is never published is the same.
        let is_joint = layout.kind == Kind::Joint;
        let is_copy = |way: &Way, revision: usize| way.copies >> revision & 1 == 1;
        let changed = |way: &Way| {
            let copies = there.iter().enumerate().filter(|(revision, _)| is_copy(way, *revision)).filter_map(|(_, there)| *there);
            let mut copies = copies.chain([(count, false)]);
            let others = || there.iter().enumerate().filter(|(revision, _)| !is_copy(way, *revision)).filter_map(|(_, there)| *there);
            copies.any(|(own, is_fixed)| is_fixed || !is_joint && others().any(|(other, _)| other == own))
        };
        locks[at] = ways.iter().filter(|way| changed(way)).fold(0, |locks, way| locks | way.lock);
    }
    layout.spare = Some(spare);
    layout.locks = locks;
}

/// All cells of a table that change when some finest ones do.
fn all_changes(counted: &Counted<'_>, leaves: &[(u64, i64)]) -> FxHashMap<u64, i64> {
    let mut changes: FxHashMap<u64, i64> = leaves.iter().copied().collect();
    for (axis, &stride) in counted.shape.axes.iter().zip(&counted.shape.strides) {
        for (cell, delta) in changes.clone() {
            let position = (cell / stride % axis.nodes.len() as u64) as u32;
            let above = std::iter::successors(axis.parents[position as usize], |&parent| axis.parents[parent as usize]);
            for parent in above {
                *changes.entry(cell - u64::from(position - parent) * stride).or_default() += delta;
            }
        }
    }
    changes.retain(|_, delta| *delta != 0);
    changes
}
