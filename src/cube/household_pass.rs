//! The pass over households: each is brought together from where its members stand, and whole households are counted.
//!
//! ```text
//! in one process   entries   members who stand alone, and which households are scattered
//!                  log       neighbours; members of scattered households go to a pool
//!                  pool      the scattered households
//! of a cluster     slabs     all of them
//! ```
//!
//! The first three are gone through one after the other, each by all workers, and none tells a household that another tells.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use arrow::array::RecordBatch;
use futures::StreamExt;

use super::{
    contributors::{Contributors, LargeCells, Walker},
    households::{Detail, HouseholdRecord, HouseholdSummary, HouseholdWriter, Households, Scattered, Sorting, group},
    run::{Compiled, batch},
    slabs::Slabs,
};
use crate::{
    classify::{ChunkRecords, RecordLog},
    engine::{BatchSource, CountSlice, Counts, Engine},
    error::{Error, Result},
    parallel::lock,
    storage::{PARTITIONS, Repeats, Scratch, spread},
};

/// Where the members of all households are found.
pub enum HouseholdSource {
    /// In this process.
    Here(HouseholdsHere),
    /// In what others noted, of these partitions.
    Stored(Slabs, std::ops::Range<usize>),
}

/// What was noted of households in this process.
pub struct HouseholdsHere {
    entries: Arc<Households>,
    log: Arc<RecordLog>,
    scattered: Scattered,
    /// The members of scattered households.
    pool: Households,
}

impl HouseholdsHere {
    /// Takes what was noted, once all writers have finished.
    pub fn new(entries: &Arc<Households>, log: &Arc<RecordLog>, scratch: &Arc<Scratch>) -> Self {
        let pool = Households::new(scratch, Detail::Every);
        Self { entries: Arc::clone(entries), log: Arc::clone(log), scattered: Scattered::default(), pool }
    }
}

/// What is gone through at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Entries,
    Log,
    Pool,
    Stored,
}

/// Chunks of the log that are worked off together.
const CHUNKS: usize = 16;

impl HouseholdSource {
    fn stages(&self) -> &'static [Stage] {
        match self {
            Self::Here(_) => &[Stage::Entries, Stage::Log, Stage::Pool],
            Self::Stored(..) => &[Stage::Stored],
        }
    }

    /// Numbers of the pieces of a stage.
    fn pieces(&self, stage: Stage) -> std::ops::Range<usize> {
        match self {
            Self::Here(here) if stage == Stage::Log => 0..here.log.len().div_ceil(CHUNKS),
            Self::Here(_) => 0..PARTITIONS,
            Self::Stored(_, partitions) => partitions.clone(),
        }
    }
}

/// What was counted of households.
#[derive(Debug, Default)]
pub struct HouseholdCounts {
    /// Cubes of households.
    pub cubes: Vec<Counts>,
    /// Members of counted households, for each [`crate::register::Definitions::members`].
    pub members: Vec<Counts>,
    /// Households that could and could not be counted.
    pub summary: HouseholdSummary,
}

/// Counts all households.
///
/// `contributors`, where there are any, learn of every household whole.
pub async fn count_households(
    compiled: &Arc<Compiled>,
    engine: &Engine,
    source: &Arc<HouseholdSource>,
    workers: usize,
    contributors: Option<&Arc<Contributors>>,
) -> Result<HouseholdCounts> {
    let tally = Arc::new(Mutex::new(HouseholdCounts { members: compiled.no_members(), ..HouseholdCounts::default() }));
    let mut cubes: Vec<Counts> = Vec::new();
    for &stage in source.stages() {
        let task = || Task::Count(Box::new(Counting::new(compiled, contributors, &tally)));
        let workers = Worker::crew(compiled, source, stage, workers, task);
        if compiled.households.is_empty() {
            futures::future::try_join_all(workers.into_iter().map(|worker| engine.run(worker.all()))).await?;
            continue;
        }
        let sources = workers.into_iter().map(Worker::batches).collect();
        let of_stage = engine.count(Arc::clone(&compiled.household_schema), sources, &compiled.households).await?;
        if cubes.is_empty() {
            cubes = of_stage;
            continue;
        }
        for (cube, of_stage) in cubes.iter_mut().zip(of_stage) {
            add(cube, of_stage)?;
        }
    }
    let tally = Arc::try_unwrap(tally).map_err(|_| Error::Internal("a worker still counts households".into()))?;
    Ok(HouseholdCounts { cubes, ..tally.into_inner().unwrap_or_else(PoisonError::into_inner) })
}

/// Goes through all households once more, for cells of many people. They must have been counted before.
pub async fn recount_households(
    compiled: &Arc<Compiled>,
    engine: &Engine,
    source: &Arc<HouseholdSource>,
    workers: usize,
    cells: &Arc<LargeCells>,
) -> Result<()> {
    for &stage in source.stages() {
        let workers = Worker::crew(compiled, source, stage, workers, || Task::Recount(Arc::clone(cells)));
        futures::future::try_join_all(workers.into_iter().map(|worker| engine.run(worker.all()))).await?;
    }
    Ok(())
}

/// Adds counts of the same cells.
pub fn add(sum: &mut Counts, counts: Counts) -> Result<()> {
    let (low, over) = counts.into_parts();
    sum.add(0, CountSlice { low: &low, over: &over }).ok_or_else(|| Error::Internal("more households than can be counted".into()))
}

/// One worker's part of a stage.
struct Worker {
    source: Arc<HouseholdSource>,
    stage: Stage,
    next: Arc<AtomicUsize>,
    repeats: Repeats,
    records: ChunkRecords,
    visitor: Visitor,
}

impl Worker {
    fn crew(compiled: &Arc<Compiled>, source: &Arc<HouseholdSource>, stage: Stage, workers: usize, task: impl Fn() -> Task) -> Vec<Self> {
        let next = Arc::new(AtomicUsize::new(source.pieces(stage).start));
        let worker = |_| {
            let task = task();
            let pool = match (&**source, &task) {
                (HouseholdSource::Here(here), Task::Count(_)) if stage != Stage::Pool => Some(here.pool.writer()),
                _ => None,
            };
            Self {
                source: Arc::clone(source),
                stage,
                next: Arc::clone(&next),
                repeats: Repeats::default(),
                records: ChunkRecords::default(),
                visitor: Visitor { compiled: Arc::clone(compiled), task, pool, marks: Vec::new() },
            }
        };
        (0..workers).map(worker).collect()
    }

    /// Works off the next piece; `None` when there is none, and what was found has been handed over.
    async fn step(&mut self) -> Result<Option<()>> {
        let piece = self.next.fetch_add(1, Ordering::Relaxed);
        let Self { source, repeats, records, visitor, .. } = self;
        if piece >= source.pieces(self.stage).end {
            visitor.finish()?;
            return Ok(None);
        }
        match (&**source, self.stage) {
            (HouseholdSource::Stored(slabs, _), _) => group(&slabs.read(piece).await?, piece, None, repeats, visitor)?,
            (HouseholdSource::Here(here), Stage::Log) => {
                for chunk in piece * CHUNKS..(piece + 1) * CHUNKS {
                    here.log.read(chunk, records)?;
                    visitor.neighbours(records, &here.scattered)?;
                }
            }
            (HouseholdSource::Here(here), Stage::Pool) => group(&here.pool.look(piece)?, piece, None, repeats, visitor)?,
            (HouseholdSource::Here(here), _) => group(&here.entries.look(piece)?, piece, Some(&here.scattered), repeats, visitor)?,
        }
        Ok(Some(()))
    }

    async fn all(mut self) -> Result<()> {
        while self.step().await?.is_some() {}
        Ok(())
    }

    /// The households found, as batches of codes.
    fn batches(self) -> BatchSource {
        futures::stream::try_unfold(self, |mut worker| async move {
            match worker.step().await? {
                Some(()) => Ok(Some((worker.visitor.batch()?, worker))),
                None => Ok(None),
            }
        })
        .boxed()
    }
}

/// What is done with a household.
enum Task {
    Count(Box<Counting>),
    Recount(Arc<LargeCells>),
}

struct Counting {
    /// Households to be counted.
    found: Vec<HouseholdRecord>,
    summary: HouseholdSummary,
    members: Vec<Counts>,
    contributors: Option<(Arc<Contributors>, Walker)>,
    /// Where all workers add up.
    tally: Arc<Mutex<HouseholdCounts>>,
}

impl Counting {
    fn new(compiled: &Arc<Compiled>, contributors: Option<&Arc<Contributors>>, tally: &Arc<Mutex<HouseholdCounts>>) -> Self {
        let walker = |contributors: &Arc<Contributors>| (Arc::clone(contributors), Walker::new(contributors));
        Self {
            found: Vec::new(),
            summary: HouseholdSummary::default(),
            members: compiled.no_members(),
            contributors: contributors.map(walker),
            tally: Arc::clone(tally),
        }
    }

    fn household(&mut self, compiled: &Compiled, codes: &[u64]) {
        if let Some((_, walker)) = &mut self.contributors {
            walker.household(codes);
        }
        if let Some(record) = self.summary.sort(codes, |code| compiled.is_head(code)) {
            for (counts, cell) in self.members.iter_mut().zip(compiled.member_cells(record.head)) {
                counts.tally().add(cell, record.members);
            }
            self.found.push(record);
        }
    }

    fn finish(&mut self) -> Result<()> {
        if let Some((contributors, walker)) = self.contributors.take() {
            contributors.add_large(walker);
        }
        let mut tally = lock(&self.tally);
        tally.summary += std::mem::take(&mut self.summary);
        tally.members.iter_mut().zip(self.members.drain(..)).try_for_each(|(sum, counts)| add(sum, counts))
    }
}

/// What a worker does with the households that it meets.
struct Visitor {
    compiled: Arc<Compiled>,
    task: Task,
    pool: Option<HouseholdWriter>,
    /// Which households of a chunk are scattered.
    marks: Vec<bool>,
}

impl Visitor {
    /// Goes through the records of a chunk. Who stands alone is among the entries.
    fn neighbours(&mut self, records: &ChunkRecords, scattered: &Scattered) -> Result<()> {
        let mut rest = records.packed.as_slice();
        // All marks first: each is far from the last, so that the processor waits for many of them at a time.
        self.marks.clear();
        self.marks.extend(records.households.iter().map(|(household, _)| scattered.is_marked(spread(*household))));
        for (at, &(household, count)) in records.households.iter().enumerate() {
            let codes;
            (codes, rest) = rest.split_at_checked(count).ok_or_else(|| Error::Internal("a chunk has fewer records than members".into()))?;
            if self.marks[at] {
                let hash = spread(household);
                self.pool.as_mut().map_or(Ok(()), |pool| pool.push(hash, codes))?;
            } else if count > 1 {
                self.whole(codes)?;
            }
        }
        Ok(())
    }

    /// Columns of codes of the households to be counted that were found since the last batch.
    fn batch(&mut self) -> Result<RecordBatch> {
        let Self { compiled, task, .. } = self;
        let Task::Count(counting) = task else { return Err(Error::Internal("nothing is counted when households are recounted".into())) };
        let records = std::mem::take(&mut counting.found);
        let columns = compiled.household_codes(&records);
        batch(&compiled.household_schema, columns)
    }

    fn finish(&mut self) -> Result<()> {
        if let Some(pool) = &mut self.pool {
            pool.finish()?;
        }
        match &mut self.task {
            Task::Count(counting) => counting.finish(),
            Task::Recount(_) => Ok(()),
        }
    }
}

impl Sorting for Visitor {
    fn whole(&mut self, codes: &[u64]) -> Result<()> {
        let compiled = &self.compiled;
        match (&mut self.task, &compiled.people_tables) {
            (Task::Count(counting), _) => counting.household(compiled, codes),
            (Task::Recount(cells), Some(tables)) => cells.household(codes, tables),
            (Task::Recount(_), None) => {}
        }
        Ok(())
    }

    fn removed(&mut self, hash: u64, code: u64) -> Result<()> {
        self.pool.as_mut().map_or(Ok(()), |pool| pool.remove(hash, code))
    }
}
