//! The attack from beginning to end.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use super::{
    Effort, Failure, Progress, Stage,
    bounds::{Bounds, Narrowed, Narrowing},
    cells::Cells,
    components::{around, components, scatter},
    findings::{Findings, Method},
    history::{History, Reason},
    input::Facts,
    jobs::{Outcome, each},
    links::LinkRows,
    narrow::Ranges,
    rows::{Row, RowId, RowKey, System},
    settle::{Found, Settled, Sure, Wanted, is_possible, settle},
    statistics::Statistics,
    subsystem::Subsystem,
};

const NOT_A_SUM: &str = "published counts do not add up";
/// Largest value up to which a count may turn out to be small.
const SMALL: i64 = 20;
const NOTHING_FITS: &str = "no counts fulfil what is published";

/// Attacks what is published.
///
/// # Errors
/// [`Failure::Contradiction`] where no counts at all agree with what is published, though rows that join people and households have been
/// given up where they contradict it; [`Failure::Input`] where tables, code lists and links do not fit together.
pub fn attack<'a>(facts: &Facts<'a>, effort: &Effort, progress: &Progress<'_>) -> Result<Findings<'a>, Failure> {
    progress(Stage::Reading, 0, 0);
    let cells = Cells::new(facts)?;
    let links = LinkRows::new(facts, &cells)?;
    let mut attack = Attack { system: System { cells, links }, effort, progress };
    progress(Stage::Narrowing, 0, 0);
    let mut history = History::new(attack.system.cells.unknowns(), effort.proofs);
    let mut statistics = Statistics::default();
    let by_sums = attack.narrow_by_sums(&mut history, &mut statistics)?;
    let known = history.len();
    loop {
        let mut statistics = statistics;
        if let Some((bounds, methods)) = attack.assume(by_sums.clone(), &mut history, &mut statistics)? {
            attack.count_contradictions(&mut statistics);
            return Ok(Findings::new(attack.system, bounds, methods, history, statistics));
        }
        // Something that was assumed contradicts what is published, and was given up.
        history.truncate(known);
    }
}

struct Attack<'e, 'a> {
    system: System<'a>,
    effort: &'e Effort,
    progress: &'e Progress<'e>,
}

/// A subsystem that is to be solved.
struct Job {
    unknowns: Vec<u32>,
    /// Of these, the ones whose ranges are wanted; all if there are none.
    targets: Vec<u32>,
    wanted: Wanted,
}

impl<'a> Attack<'_, 'a> {
    fn narrow_by_sums(&self, history: &mut History, statistics: &mut Statistics) -> Result<Bounds, Failure> {
        let mut bounds = Bounds::new(self.system.cells.unknowns());
        let mut broken = None;
        let mut narrowing = Narrowing::new(&self.system, &mut bounds, history);
        narrowing.all_sums(|cell| broken = broken.or(Some(cell)));
        let narrowed = narrowing.settle();
        if let Some(cell) = broken {
            return Err(Failure::contradiction(vec![self.system.cells.reference(cell)], NOT_A_SUM));
        }
        if let Some(conflict) = narrowed.conflicts.first() {
            return Err(self.contradiction(conflict.row));
        }
        statistics.rounds = narrowed.rounds;
        statistics.is_settled = narrowed.is_settled;
        Ok(bounds)
    }

    /// Adds what people and households tell of each other, and solves what is left. `None` where that contradicts what is published, so
    /// that some of it was given up and all has to be done again.
    fn assume(
        &mut self,
        mut bounds: Bounds,
        history: &mut History,
        statistics: &mut Statistics,
    ) -> Result<Option<(Bounds, Vec<Method>)>, Failure> {
        if self.system.links.len() > 0 {
            // To find out what is behind a contradiction takes a history, though perhaps nobody wants proofs.
            let mut own = (!history.is_kept()).then(|| History::new(self.system.cells.unknowns(), true));
            let history = own.as_mut().unwrap_or(history);
            let known = history.len();
            let mut narrowing = Narrowing::new(&self.system, &mut bounds, history);
            narrowing.join();
            narrowing.all_links();
            let narrowed = narrowing.settle();
            if !narrowed.conflicts.is_empty() {
                let links = self.links_behind(&narrowed, history, known);
                return self.give_up(&links, narrowed.conflicts[0].row).map(|()| None);
            }
            statistics.rounds += narrowed.rounds;
            statistics.is_settled &= narrowed.is_settled;
        }
        let count = self.system.cells.unknowns() as u32;
        statistics.unknowns = u64::from(count);
        statistics.determined_by_rows = (0..count).filter(|unknown| bounds.is_determined(*unknown)).count() as u64;
        let mut methods = vec![Method::Propagation; count as usize];
        let all = components(&self.system, &bounds, |_| true);
        let (mut small, mut is_large) = (Vec::new(), vec![false; count as usize]);
        for component in (0..all.len() as u32).map(|at| all.of(at)) {
            let size = component.len() as u64;
            statistics.components += 1;
            statistics.largest = statistics.largest.max(size);
            if component.len() <= self.effort.largest {
                let in_whole_numbers = component.len() <= self.effort.largest_whole;
                let wanted = Wanted { is_complete: true, in_whole_numbers, deadline: self.effort.deadline };
                small.push(Job { unknowns: component.to_vec(), targets: Vec::new(), wanted });
            } else {
                statistics.too_large += 1;
                statistics.too_large_unknowns += size;
                component.iter().for_each(|unknown| is_large[*unknown as usize] = true);
            }
        }
        drop(all);
        // Many small ones are decided in the time of a large one.
        small.sort_by_key(|job| job.unknowns.len());
        if !self.are_possible(&small, &bounds)? {
            return Ok(None);
        }
        let solved = self.solve(&small, &bounds, Stage::Components);
        if !self.take(&small, solved, &mut bounds, history, &mut methods, statistics)? {
            return Ok(None);
        }
        drop(small);
        if !self.look_into_large(&is_large, &mut bounds, history, &mut methods, statistics)? {
            return Ok(None);
        }
        Ok(Some((bounds, methods)))
    }

    /// Solves parts of components that are too large. `false` where something was given up.
    fn look_into_large(
        &mut self,
        is_large: &[bool],
        bounds: &mut Bounds,
        history: &mut History,
        methods: &mut [Method],
        statistics: &mut Statistics,
    ) -> Result<bool, Failure> {
        if !is_large.contains(&true) {
            return Ok(true);
        }
        let (before, known) = (bounds.clone(), history.len());
        let wanted = Wanted { is_complete: false, in_whole_numbers: false, deadline: self.effort.deadline };
        let cells = &self.system.cells;
        let is_published = |unknown: u32| cells.places(unknown).iter().any(|cell| !cells.table_of(*cell).is_joint);
        // Joint tables join what published tables leave apart.
        let published: Vec<bool> = is_large.iter().zip(0..).map(|(is_large, unknown)| *is_large && is_published(unknown)).collect();
        let mut jobs = Vec::new();
        let mut is_solved = vec![false; is_large.len()];
        if cells.tables().iter().any(|table| table.is_joint) {
            let parts = components(&self.system, bounds, |unknown| published[unknown as usize]);
            for part in (0..parts.len() as u32).map(|at| parts.of(at)).filter(|part| part.len() <= self.effort.largest) {
                part.iter().for_each(|unknown| is_solved[*unknown as usize] = true);
                jobs.push(Job { unknowns: part.to_vec(), targets: Vec::new(), wanted });
            }
        }
        let solved = self.solve(&jobs, bounds, Stage::Components);
        if !self.take(&jobs, solved, bounds, history, methods, statistics)? {
            return Ok(false);
        }
        jobs.clear();
        let mut rest: Vec<u32> = (0..is_large.len() as u32).filter(|unknown| published[*unknown as usize]).collect();
        // What might be seen to be small comes first, and otherwise what no part has told anything of.
        let may_be_small = |unknown: u32| bounds.high(unknown) <= SMALL;
        rest.sort_unstable_by_key(|unknown| (!may_be_small(*unknown), is_solved[*unknown as usize], scatter(*unknown), *unknown));
        let mut is_covered = vec![false; is_large.len()];
        let mut left = rest.iter();
        while jobs.len() < self.effort.windows
            && let Some(&seed) = left.find(|unknown| !is_covered[**unknown as usize] && !bounds.is_determined(**unknown))
        {
            // The seed and what stands in its rows: of those the window knows as much.
            let targets = self.neighbours(seed, |unknown| published[unknown as usize] && !is_covered[unknown as usize], bounds);
            targets.iter().for_each(|unknown| is_covered[*unknown as usize] = true);
            jobs.push(Job { unknowns: Vec::new(), targets, wanted });
        }
        let solved = self.solve(&jobs, bounds, Stage::Windows);
        if !self.take(&jobs, solved, bounds, history, methods, statistics)? {
            return Ok(false);
        }
        let is_left = |unknown: &&u32| methods[**unknown as usize] != Method::Window && !bounds.is_determined(**unknown);
        statistics.left_out = rest.iter().filter(is_left).count() as u64;
        let mut narrowing = Narrowing::new(&self.system, bounds, history);
        let is_narrower =
            |unknown: &u32| before.low(*unknown) != narrowing.low(*unknown) || before.high(*unknown) != narrowing.high(*unknown);
        let narrower: Vec<u32> = (0..is_large.len() as u32).filter(is_narrower).collect();
        narrower.iter().for_each(|unknown| narrowing.note(*unknown));
        let narrowed = narrowing.settle();
        statistics.is_settled &= narrowed.is_settled;
        statistics.rounds += narrowed.rounds;
        let Some(conflict) = narrowed.conflicts.first() else { return Ok(true) };
        let links = match history.is_kept() {
            true => self.links_behind(&narrowed, history, known),
            false => (0..).zip(is_large).filter(|(_, is_large)| **is_large).flat_map(|(unknown, _)| self.links_of(unknown)).collect(),
        };
        // Everything was proven, so that it is not the solver that is wrong.
        self.give_up(&links, conflict.row).map(|()| false)
    }

    /// An unknown, and the undetermined ones in its rows.
    fn neighbours(&self, seed: u32, takes_part: impl Fn(u32) -> bool, bounds: &Bounds) -> Vec<u32> {
        let (mut found, mut row, mut rows) = (vec![seed], Row::default(), Vec::new());
        self.system.rows_of(seed, |id| rows.push(id));
        for id in rows {
            self.system.read(id, &mut row);
            found.extend(row.terms.iter().map(|(unknown, _)| *unknown).filter(|unknown| !bounds.is_determined(*unknown)));
        }
        found.retain(|unknown| *unknown == seed || takes_part(*unknown));
        found.sort_unstable();
        found.dedup();
        // The seed comes first: around it the window is.
        found.sort_by_key(|unknown| *unknown != seed);
        found
    }

    fn goes_on(&self) -> bool {
        self.effort.deadline.is_none_or(|deadline| Instant::now() < deadline)
    }

    /// Whether something fulfils each component in which links could be wrong; `false` where something was given up.
    fn are_possible(&mut self, jobs: &[Job], bounds: &Bounds) -> Result<bool, Failure> {
        let is_linked = |job: &&Job| job.unknowns.iter().any(|unknown| self.links_of(*unknown).next().is_some());
        let linked: Vec<&Job> = jobs.iter().filter(is_linked).collect();
        let is_possible = |at: usize| is_possible(&mut Subsystem::new(&self.system, bounds, linked[at].unknowns.clone()));
        let outcomes = each(linked.len(), self.effort.threads, || self.goes_on(), is_possible);
        let impossible = linked.iter().zip(outcomes).filter(|(_, outcome)| matches!(outcome, Outcome::Done(Some(false))));
        let unknowns: Vec<u32> = impossible.flat_map(|(job, _)| job.unknowns.iter().copied()).collect();
        self.give_up_of(&unknowns)
    }

    fn solve(&self, jobs: &[Job], bounds: &Bounds, stage: Stage) -> Vec<Outcome<Settled>> {
        let done = AtomicU64::new(0);
        let work = |at: usize| {
            let job = &jobs[at];
            let unknowns = match job.targets.first() {
                Some(seed) => around(&self.system, bounds, *seed, self.effort.window.max(1)),
                None => job.unknowns.clone(),
            };
            let subsystem = Subsystem::new(&self.system, bounds, unknowns);
            let wanted = if job.targets.is_empty() { subsystem.unknowns() } else { &job.targets };
            let targets: Vec<u32> =
                wanted.iter().filter_map(|target| subsystem.unknowns().binary_search(target).ok()).map(|at| at as u32).collect();
            let settled = settle(&self.system, bounds, subsystem, &targets, job.wanted);
            (self.progress)(stage, done.fetch_add(1, Ordering::Relaxed) + 1, jobs.len() as u64);
            settled
        };
        each(jobs.len(), self.effort.threads, || self.goes_on(), work)
    }

    /// Takes over what came of subsystems; `false` where something was given up.
    fn take(
        &mut self,
        jobs: &[Job],
        solved: Vec<Outcome<Settled>>,
        bounds: &mut Bounds,
        history: &mut History,
        methods: &mut [Method],
        statistics: &mut Statistics,
    ) -> Result<bool, Failure> {
        let mut impossible = Vec::new();
        for (job, outcome) in jobs.iter().zip(solved) {
            let settled = match outcome {
                Outcome::Done(settled) => settled,
                Outcome::Panicked => {
                    statistics.panicked += 1;
                    continue;
                }
                Outcome::NotBegun => {
                    statistics.out_of_time += 1;
                    continue;
                }
            };
            statistics.add(&settled.statistics);
            if settled.is_impossible {
                match job.targets.first() {
                    Some(seed) => impossible.extend(around(&self.system, bounds, *seed, self.effort.window)),
                    None => impossible.extend(&job.unknowns),
                }
                continue;
            }
            let (subsystems, unknowns) = match (job.wanted.is_complete, job.targets.is_empty()) {
                (true, _) => (&mut statistics.solved, &mut statistics.solved_unknowns),
                (false, true) => (&mut statistics.parts, &mut statistics.parts_unknowns),
                (false, false) => (&mut statistics.windows, &mut statistics.window_unknowns),
            };
            *subsystems += 1;
            *unknowns += settled.sure.len() as u64;
            for (unknown, sure) in settled.sure {
                methods[unknown as usize] = match sure {
                    _ if !job.wanted.is_complete => Method::Window,
                    Sure::Whole => Method::Whole,
                    Sure::Exact => Method::Program,
                    Sure::Bound => Method::Propagation,
                };
            }
            settled.found.into_iter().for_each(|found| found.note(bounds, history));
        }
        self.give_up_of(&impossible)
    }

    fn links_of(&self, unknown: u32) -> impl Iterator<Item = u32> {
        self.system.links.touching(unknown).iter().copied().filter(|link| self.system.links.is_active(*link))
    }

    /// Links that have to do with some conflicts: those that ranges were narrowed by, from a position in the history on.
    fn links_behind(&self, narrowed: &Narrowed, history: &History, from: usize) -> Vec<u32> {
        let mut needed = vec![false; history.len()];
        let (mut links, mut row) = (Vec::new(), Row::default());
        let mut note = |id: RowId| {
            if let RowKey::Link(link) = id.key() {
                links.push(link);
            }
        };
        for conflict in &narrowed.conflicts {
            note(conflict.row);
            self.system.read(conflict.row, &mut row);
            history.mark_sources(&row, &mut needed);
        }
        history.trace(&self.system, &mut needed, from);
        for at in (from..history.len()).filter(|at| needed[*at]) {
            match history.entry(at).reason {
                Reason::Row(id) => note(id),
                Reason::Combination(rows) => history.combination(rows).iter().for_each(|(id, _)| note(*id)),
                Reason::Cases(_) => {}
            }
        }
        links
    }

    /// Gives up the links of some unknowns that cannot be as they say; `true` if there are no such unknowns.
    fn give_up_of(&mut self, unknowns: &[u32]) -> Result<bool, Failure> {
        let Some(&first) = unknowns.first() else { return Ok(true) };
        let links: Vec<u32> = unknowns.iter().flat_map(|unknown| self.links_of(*unknown)).collect();
        let mut rows = Vec::new();
        self.system.rows_of(first, |id| rows.push(id));
        self.give_up(&links, rows[0]).map(|()| false)
    }

    /// Gives up some links; where none of them is held to be true, what is published contradicts itself.
    fn give_up(&mut self, links: &[u32], row: RowId) -> Result<(), Failure> {
        if !links.iter().any(|link| self.system.links.is_active(*link)) {
            return Err(self.contradiction(row));
        }
        self.system.links.give_up(links);
        Ok(())
    }

    fn contradiction(&self, id: RowId) -> Failure {
        let mut row = Row::default();
        self.system.read(id, &mut row);
        let mut cells: Vec<u32> = row.terms.iter().flat_map(|(unknown, _)| self.system.cells.places(*unknown)).copied().collect();
        if let RowKey::Sum { parent, .. } = id.key() {
            cells.insert(0, parent);
        }
        Failure::contradiction(cells.into_iter().map(|cell| self.system.cells.reference(cell)).collect(), NOTHING_FITS)
    }

    fn count_contradictions(&self, statistics: &mut Statistics) {
        for &at in self.system.links.contradicted() {
            match self.system.links.row(at).is_assumed {
                true => statistics.outside_contradicted += 1,
                false => statistics.links_contradicted += 1,
            }
        }
    }
}

impl Found {
    /// Takes over an end, if it is further in than what is known by now.
    fn note(self, bounds: &mut Bounds, history: &mut History) {
        let (unknown, end, value) = match &self {
            Self::Row { unknown, end, value, .. }
            | Self::Combination { unknown, end, value, .. }
            | Self::Cases { unknown, end, value, .. } => (*unknown, *end, *value),
        };
        if !end.is_inside(value, bounds.end(unknown, end)) {
            return;
        }
        bounds.put(unknown, end, value);
        match self {
            Self::Row { row, .. } => history.push(unknown, end, value, Reason::Row(row)),
            Self::Combination { rows, .. } => history.push_combination(unknown, end, value, rows),
            Self::Cases { steps, .. } => history.push_cases(unknown, end, value, steps),
        }
    }
}
