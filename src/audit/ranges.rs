//! The attack that everybody can run ([`crate::attack`]), told beside what is published what only the strongest attacker knows, and the truth
//! beside what it finds.
//!
//! That attacker holds every revision, and knows of each place how many people live there in no counted household, and of each count whether
//! a correction touched it. Of every small count, every count from too few households and every small group in one category, of every revision,
//! his range must reach as far as the rule of that revision promises.
//!
//! That a place has at least so many people as live there outside of households he knows before anything is published. Whoever does not know it
//! must not learn it: where that excuses the lower end of a range, an attacker who knows nothing of people outside must find it open.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicBool, Ordering},
};

use rustc_hash::FxHashSet;

use super::{Fault, Report, revision::Revision};
use crate::{
    attack::{
        self, CellRef, Effort, Facts, Failure, Findings, JointTable, MembersAt, Outside, PeopleOutside, Publication, PublishedTable, Range,
        attack_public,
    },
    register::{Dimension, MembersLink, Status},
    worlds::{Census, Counted},
};

/// Attacks a release together with all that is published of the period already, and notes every range that falls short.
pub fn check(new: &Revision<'_>, earlier: &[Revision<'_>], effort: &Effort, report: &mut Report) {
    let comparable = |earlier: &&Revision<'_>| have_same_nodes(earlier.census.dimensions, new.census.dimensions);
    let revisions: Vec<&Revision<'_>> = earlier.iter().filter(comparable).chain([new]).collect();
    report.revisions_apart = (earlier.len() + 1 - revisions.len()) as u64;
    report.revisions = revisions.len() as u64;
    let publications: Vec<Publication<'_>> = revisions.iter().map(|revision| revision.publication()).collect();
    let count = |cell: CellRef| {
        let counted = revisions[usize::from(cell.publication)].census.tables.get(usize::from(cell.table))?;
        counted.counts.get(cell.cell as usize)
    };
    // Of tables that are never published nobody knows what a correction did to them.
    let same_count = |a: CellRef, b: CellRef| count(a).is_some_and(|of_a| count(b) == Some(of_a));
    let census = &new.census;
    let knows_more = AtomicBool::new(revisions.len() > 1);
    let outside = |at: MembersAt<'_>| {
        let link = census.links.members.get(usize::from(at.link));
        let people = link.and_then(|link| revisions[usize::from(at.publication)].people_outside(link, at.nodes));
        if people != Some(PeopleOutside::exactly(0)) {
            knows_more.store(true, Ordering::Relaxed);
        }
        people
    };
    let facts = |outside| Facts {
        publications: &publications,
        dimensions: census.dimensions,
        links: census.links,
        outside,
        same_count: &same_count,
    };
    let Some(findings) = attacked(&facts(Outside::Known(&outside)), effort) else { return report.fault(Fault::Unchecked, 0, 0) };
    report.attack = *findings.statistics();
    let mut found = Narrowed { report, findings: &findings, seen: FxHashSet::default(), excused: Vec::new() };
    for (publication, revision) in revisions.iter().enumerate() {
        revision.compare(publication, census, &mut found);
    }
    let excused = found.excused;
    drop(findings);
    let public = if knows_more.load(Ordering::Relaxed) {
        caught(|| {
            let (dimensions, links) = (census.dimensions, census.links);
            attack_public(&publications, dimensions, links, Outside::Nobody, effort, &|_, _, _| {}, |_, findings, _| *findings.statistics())
        })
    } else {
        // Everything that this attacker was told everybody assumes.
        Some(report.attack)
    };
    match public {
        Some(statistics) => report.attack_public = statistics,
        None => report.fault(Fault::Unchecked, 0, 0),
    }
    if excused.is_empty() {
        return;
    }
    let Some(findings) = attacked(&facts(Outside::Unknown), effort) else { return report.fault(Fault::Unchecked, 0, 0) };
    report.attack_unaware = Some(*findings.statistics());
    let mut found = Narrowed { report, findings: &findings, seen: FxHashSet::default(), excused: Vec::new() };
    for Excused { cell, low, named } in excused {
        if found.range(cell).low > u64::from(low) {
            found.note(cell, named);
        }
    }
}

/// What an attack finds that is told some facts.
fn attacked<'a>(facts: &Facts<'a>, effort: &Effort) -> Option<Findings<'a>> {
    caught(|| attack::attack(facts, effort, &|_, _, _| {}))
}

/// What comes of an attack. One that fails or panics has found nothing, and must not pass for one that found nothing wrong.
fn caught<T>(attack: impl FnOnce() -> Result<T, Failure>) -> Option<T> {
    catch_unwind(AssertUnwindSafe(attack)).ok()?.ok()
}

/// Whether two revisions have the same code lists, names aside.
fn have_same_nodes(one: &[Dimension], other: &[Dimension]) -> bool {
    let is_same = |one: &Dimension, other: &Dimension| {
        let nodes = one.nodes.iter().zip(&other.nodes);
        one.id == other.id
            && one.levels.iter().map(|level| &level.id).eq(other.levels.iter().map(|level| &level.id))
            && one.nodes.len() == other.nodes.len()
            && nodes.into_iter().all(|(one, other)| (&one.code, one.parent, one.level) == (&other.code, other.parent, other.level))
    };
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
}

/// A count whose lower end is closed to whoever knows of the people outside of households.
struct Excused {
    cell: CellRef,
    /// How far down its range must reach to all others.
    low: u32,
    /// Table and cell, as the new revision names them.
    named: (usize, u64),
}

/// Takes ranges that fall short, each count once.
struct Narrowed<'r, 'f> {
    report: &'r mut Report,
    findings: &'r Findings<'f>,
    seen: FxHashSet<u32>,
    excused: Vec<Excused>,
}

impl Narrowed<'_, '_> {
    fn range(&self, cell: CellRef) -> Range {
        // Every cell of every table that was attacked has one; of any other nothing is known.
        self.findings.range(cell).unwrap_or(Range { low: 0, high: None, method: attack::Method::Propagation })
    }

    /// Notes a cell by the name that the new revision has for it.
    fn note(&mut self, cell: CellRef, (table, number): (usize, u64)) {
        if self.findings.unknown(cell).is_none_or(|unknown| self.seen.insert(unknown)) {
            self.report.fault(Fault::Narrowed, table, number);
        }
    }
}

impl<'a> Revision<'a> {
    fn publication(&self) -> Publication<'a> {
        let published = |(counted, statuses): (&'a Counted<'a>, &'a Vec<Status>)| PublishedTable {
            table: counted.table,
            shape: counted.shape,
            statuses,
            counts: counted.counts,
        };
        let joint = |counted: &'a Counted<'a>| JointTable { table: counted.table, shape: counted.shape, zeros: Some(counted.zeros) };
        Publication {
            tables: self.census.tables.iter().zip(self.statuses).map(published).collect(),
            joint: self.census.joint.iter().map(joint).collect(),
        }
    }

    /// Compares what was found of this revision with what its rule promises.
    fn compare(&self, publication: usize, new: &Census<'_>, found: &mut Narrowed<'_, '_>) {
        for (table, (counted, statuses)) in self.census.tables.iter().zip(self.statuses).enumerate() {
            let named = new.tables.iter().position(|of_new| of_new.table.id == counted.table.id && of_new.shape == counted.shape);
            let reference = |cell: u32| CellRef { publication: publication as u16, table: table as u16, cell };
            let mut few = counted.few.iter().peekable();
            for (cell, (&count, &status)) in (0u32..).zip(counted.counts.iter().zip(statuses)) {
                let is_few = few.next_if(|few| **few == cell).is_some();
                // That a primary is published is a fault of its own.
                if status != Status::Suppressed || !(is_few || self.rule.is_small(count)) {
                    continue;
                }
                let range = found.range(reference(cell));
                let (low, high) = self.rule.goals(count);
                let (cell, place) = (reference(cell), (named.unwrap_or(table), u64::from(cell)));
                let is_open = range.low <= u64::from(low);
                let is_excused = || i64::try_from(range.low).is_ok_and(|low| low <= self.links.outside(&self.census, table, place.1));
                if range.high.is_some_and(|most| most < u64::from(high)) || !(is_open || is_excused()) {
                    found.note(cell, place);
                } else if !is_open {
                    found.excused.push(Excused { cell, low, named: place });
                }
            }
            for &(of, cell, axis) in self.groups.iter().filter(|(of, ..)| usize::from(*of) == table) {
                let (axis, stride) = (&counted.shape.axes[usize::from(axis)], counted.shape.strides[usize::from(axis)] as u32);
                let own = cell / stride % axis.nodes.len() as u32;
                let others = (0..axis.nodes.len() as u32)
                    .filter(|other| *other != own && axis.parents[*other as usize] == axis.parents[own as usize])
                    .map(|other| CellRef { table: of, ..reference(cell - own * stride + other * stride) });
                // All of the group may be elsewhere as soon as somebody may.
                if !others.map(|other| found.range(other).high).any(|high| high.is_none_or(|high| high > 0)) {
                    found.note(reference(cell), (named.unwrap_or(table), cell.into()));
                }
            }
        }
    }

    /// People in a place who live in no counted household; `None` where that was not counted.
    fn people_outside(&self, link: &MembersLink, nodes: &[u32]) -> Option<PeopleOutside> {
        let own = self.census.links.members.iter().position(|own| own == link)?;
        let (least, most) = self.links.outside_at(&self.census, own, nodes)?;
        Some(PeopleOutside { least, most })
    }
}
