//! What workers do with records, on one machine or on many: classify, count, note; find repetitions.
//!
//! The first pass is a stream of batches of codes for each worker, which the engine counts ([`Engine::count`]); the second takes off what the
//! first should not have counted. The third is over households: see [`super::household_pass`].

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
};

use arrow::{
    array::{ArrayRef, RecordBatch, UInt32Array},
    datatypes::{DataType, Field, Schema, SchemaRef},
};
use futures::StreamExt;

use super::{
    contributors::PeopleTables,
    households::{HouseholdRecord, HouseholdWriter, Households},
    slabs::Slabs,
};
use crate::{
    classify::{
        Classifier, ClassifyWorker, Coded, Duplicate, Identities, IdentityWriter, Position, Reason, RecordLog, RecordLogWriter,
        RejectSummary, Rejects, SeenIdentity, repetitions,
    },
    engine::{BatchSource, CellCounter, Counts, Engine},
    error::{Error, Result},
    ingest::{Feed, Worker},
    parallel::lock,
    register::{Definitions, Period, Source, Table, Unit},
    storage::{PARTITIONS, Repeats, Spill, SpillWriter, partition_of, spread},
};

/// What is made of definitions for the snapshot of one period, once for all passes.
pub struct Compiled {
    pub classifier: Arc<Classifier>,
    /// Columns of codes, of people and of households.
    people_schema: SchemaRef,
    pub household_schema: SchemaRef,
    /// How the cubes of people and of households are counted; those that are published come first.
    people: Vec<CellCounter>,
    pub households: Vec<CellCounter>,
    /// How members of counted households are, by the head's codes.
    members: Vec<CellCounter>,
    /// For each cube of people, and of members, where the columns of its axes stand.
    people_columns: Vec<Vec<usize>>,
    member_columns: Vec<Vec<usize>>,
    /// The published tables of people, where somebody may ask from how many households their cells come.
    pub people_tables: Option<Arc<PeopleTables>>,
    /// Base leaves by members, for each dimension of household size.
    sizes: Vec<Vec<u32>>,
    /// Position of the relation to the head among the code columns, and which codes are heads.
    heads: Option<(usize, Vec<bool>)>,
    identity_column: String,
}

impl Compiled {
    pub fn new(definitions: &Definitions, period: Period, codings: &HashMap<String, String>) -> Result<Arc<Self>> {
        let classifier = Arc::new(Classifier::new(definitions, period, codings)?);
        let dimensions = classifier.dimensions();
        let field = |id: &str| Field::new(id, DataType::UInt32, false);
        let mut fields: Vec<Field> = dimensions.iter().map(|&at| field(&definitions.dimensions[at].id)).collect();
        let people_schema = Arc::new(Schema::new(fields.clone()));
        let mut sizes = Vec::new();
        for (dimension, source) in definitions.dimensions.iter().zip(&definitions.sources) {
            if let Source::HouseholdSize { leaves } = source {
                fields.push(field(&dimension.id));
                sizes.push(leaves.clone());
            }
        }
        let heads = definitions.household.as_ref().and_then(|household| {
            let at = dimensions.iter().position(|&at| at == household.relation)?;
            Some((at, household.heads.clone()))
        });
        let of_unit = |unit: Unit| definitions.counted_tables().filter(move |table| table.unit == unit);
        let counters = |unit: Unit| of_unit(unit).map(|table| counter(definitions, table)).collect::<Vec<_>>();
        let (people, households) = (counters(Unit::Person), counters(Unit::Household));
        let members: Vec<CellCounter> = definitions.members.iter().map(|table| counter(definitions, table)).collect();
        let position = |column: &String| Ok(people_schema.index_of(column)?);
        let positions = |counters: &[CellCounter]| -> Result<Vec<Vec<usize>>> {
            counters.iter().map(|counter| counter.columns.iter().map(position).collect()).collect()
        };
        let has_contributors = definitions.household.is_some() && definitions.tables.iter().any(|table| table.unit == Unit::Person);
        Ok(Arc::new(Self {
            people_columns: positions(&people)?,
            member_columns: positions(&members)?,
            people_schema,
            household_schema: Arc::new(Schema::new(fields)),
            people,
            households,
            members,
            people_tables: has_contributors.then(|| PeopleTables::new(definitions, &classifier).map(Arc::new)).transpose()?,
            sizes,
            heads,
            identity_column: definitions.identity.as_ref().map(|key| key.column.clone()).unwrap_or_default(),
            classifier,
        }))
    }
}

impl Compiled {
    /// Whether a record with these packed codes is the head of its household.
    pub fn is_head(&self, packed: u64) -> bool {
        self.heads.as_ref().is_some_and(|(at, heads)| heads[self.classifier.unpack(packed, *at) as usize])
    }

    /// For each cube of members the cell of a household, by the packed codes of its head.
    pub fn member_cells(&self, head: u64) -> impl Iterator<Item = u32> + '_ {
        let code = move |&at: &usize| self.classifier.unpack(head, at);
        self.members.iter().zip(&self.member_columns).map(move |(counter, columns)| counter.cell(columns.iter().map(code)))
    }

    /// Cubes of members that count nothing.
    pub fn no_members(&self) -> Vec<Counts> {
        self.members.iter().map(|counter| Counts::zeroed(counter.cells)).collect()
    }

    /// Codes of households, column by column: those of their heads, and their sizes.
    pub fn household_codes(&self, records: &[HouseholdRecord]) -> Vec<Vec<u32>> {
        let mut codes: Vec<Vec<u32>> = (0..self.people_schema.fields().len())
            .map(|at| records.iter().map(|record| self.classifier.unpack(record.head, at)).collect())
            .collect();
        let size = |leaves: &[u32], record: &HouseholdRecord| leaves[(record.members as usize).min(leaves.len() - 1)];
        codes.extend(self.sizes.iter().map(|leaves| records.iter().map(|record| size(leaves, record)).collect::<Vec<u32>>()));
        codes
    }
}

/// Whether households are counted at all.
pub fn has_households(definitions: &Definitions) -> bool {
    definitions.household.is_some() && definitions.tables.iter().any(|table| table.unit == Unit::Household)
}

/// What is noted of identities.
pub enum Noting {
    /// Nothing: the register has none, or they were noted before.
    Nothing,
    /// Enough to find repetitions within this process.
    Numbered(Arc<Identities>),
    /// All that others need to find repetitions.
    Whole(Arc<Spill<SeenIdentity>>),
}

/// What a worker of the first pass writes of identities.
enum NotingWriter {
    Nothing,
    Numbered(IdentityWriter),
    Whole(SpillWriter<SeenIdentity>),
}

impl Noting {
    /// What is enough to find repetitions within this process.
    pub fn numbered(&self) -> Option<Arc<Identities>> {
        if let Self::Numbered(identities) = self { Some(Arc::clone(identities)) } else { None }
    }

    fn writer(&self) -> NotingWriter {
        match self {
            Self::Nothing => NotingWriter::Nothing,
            Self::Numbered(identities) => NotingWriter::Numbered(identities.writer()),
            Self::Whole(spill) => NotingWriter::Whole(SpillWriter::new(spill)),
        }
    }
}

impl NotingWriter {
    /// Notes the identities of a chunk, the first of whose records has this number in the log.
    fn note(&mut self, coded: &Coded, first: u64) -> Result<()> {
        match self {
            Self::Nothing => Ok(()),
            Self::Numbered(writer) => writer.note(coded, first),
            Self::Whole(writer) => coded.seen().try_for_each(|seen| writer.push(partition_of(seen.hash), seen)),
        }
    }

    fn finish(&mut self) -> Result<()> {
        match self {
            Self::Nothing => Ok(()),
            Self::Numbered(writer) => writer.finish(),
            Self::Whole(writer) => writer.finish(),
        }
    }
}

/// Where what was noted lies, and which of its partitions are to be worked off.
pub struct Entries<T> {
    place: Place<T>,
    partitions: std::ops::Range<usize>,
}

enum Place<T> {
    Here(Arc<T>),
    Stored(Slabs),
}

impl<T> Entries<T> {
    /// Everything that was noted here.
    pub fn all(here: Arc<T>) -> Self {
        Self { place: Place::Here(here), partitions: 0..PARTITIONS }
    }

    /// Some partitions of what others noted.
    pub fn stored(slabs: Slabs, partitions: std::ops::Range<usize>) -> Self {
        Self { place: Place::Stored(slabs), partitions }
    }
}

impl Entries<Identities> {
    async fn duplicates(&self, partition: usize, repeats: &mut Repeats) -> Result<Vec<Duplicate>> {
        match &self.place {
            Place::Here(identities) => identities.duplicates(partition, repeats),
            Place::Stored(slabs) => Ok(repetitions(&slabs.read::<SeenIdentity>(partition).await?.concat(), repeats)),
        }
    }
}

/// What all workers of a run share.
pub struct Run {
    compiled: Arc<Compiled>,
    rejects: Rejects,
    noting: Noting,
    households: Option<Arc<Households>>,
    log: Option<Arc<RecordLog>>,
    newest_birth: AtomicU32,
    duplicates: Mutex<Vec<(Position, Position)>>,
    duplicate_summary: Mutex<RejectSummary>,
}

/// What a run found beside its counts.
pub struct Found {
    /// Rejects other than duplicates.
    pub rejects: Rejects,
    /// Records that repeat an identity, and where it stands first; ordered as in the snapshot.
    pub duplicates: Vec<(Position, Position)>,
    /// Counts of those.
    pub repeated: RejectSummary,
    /// Newest believable birth date, as [`crate::register::DateKey::number`] tells it; 0 if there was none.
    pub newest_birth: u32,
}

impl Run {
    /// Starts a run. Accepted records go to `log`, if there is one.
    pub fn new(
        compiled: Arc<Compiled>,
        rejects: Rejects,
        noting: Noting,
        households: Option<Arc<Households>>,
        log: Option<Arc<RecordLog>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            compiled,
            rejects,
            noting,
            households,
            log,
            newest_birth: AtomicU32::new(0),
            duplicates: Mutex::default(),
            duplicate_summary: Mutex::default(),
        })
    }

    /// First pass: counts the people of a feed and notes identities and households.
    pub async fn count_people(self: &Arc<Self>, engine: &Engine, feed: &Feed, workers: usize) -> Result<Vec<Counts>> {
        let sources = (0..workers).map(|_| people(Arc::clone(self), feed)).collect();
        engine.count(Arc::clone(&self.compiled.people_schema), sources, &self.compiled.people).await
    }

    /// Second pass: finds the records that repeat an identity and takes them off their households. Gives for each cube of people the cells
    /// that they were counted in, one for each of them: they are so few that counting them would be work for nothing.
    pub async fn find_repeated(self: &Arc<Self>, engine: &Engine, entries: Entries<Identities>, workers: usize) -> Result<Vec<Vec<u32>>> {
        let next = Arc::new(AtomicUsize::new(entries.partitions.start));
        let entries = Arc::new(entries);
        let worker = |_| engine.run(repeated(Arc::clone(self), Arc::clone(&entries), Arc::clone(&next)));
        let mut cells: Vec<Vec<u32>> = vec![Vec::new(); self.compiled.people.len()];
        for found in futures::future::try_join_all((0..workers).map(worker)).await? {
            for (cells, found) in cells.iter_mut().zip(found) {
                cells.extend(found);
            }
        }
        // In an order that does not tell which worker came first.
        cells.iter_mut().for_each(|cells| cells.sort_unstable());
        Ok(cells)
    }

    /// What was found beside the counts, when all workers have ended.
    pub fn finish(self: Arc<Self>) -> Result<Found> {
        let Ok(run) = Arc::try_unwrap(self) else {
            return Err(Error::Internal("a worker is still at work".into()));
        };
        let mut duplicates = run.duplicates.into_inner().unwrap_or_else(PoisonError::into_inner);
        duplicates.sort_unstable();
        Ok(Found {
            rejects: run.rejects,
            duplicates,
            repeated: run.duplicate_summary.into_inner().unwrap_or_else(PoisonError::into_inner),
            newest_birth: run.newest_birth.into_inner(),
        })
    }
}

/// The cube of a table, as the engine counts it.
fn counter(definitions: &Definitions, table: &Table) -> CellCounter {
    let shape = definitions.shape(table);
    let moves = shape
        .axes
        .iter()
        .zip(&shape.leaf_strides)
        .map(|(axis, &stride)| axis.base_to_leaf.iter().map(|&leaf| (u64::from(leaf) * stride) as u32).collect())
        .collect();
    CellCounter {
        name: table.id.clone(),
        columns: table.axes.iter().map(|axis| axis.dimension.clone()).collect(),
        moves,
        cells: shape.leaf_cells as usize,
    }
}

/// One thread's part of the first pass.
struct PeopleWorker {
    run: Arc<Run>,
    records: Worker,
    classify: ClassifyWorker,
    noting: NotingWriter,
    households: Option<HouseholdWriter>,
    log: Option<RecordLogWriter>,
}

/// Columns of codes as a batch.
pub fn batch(schema: &SchemaRef, codes: Vec<Vec<u32>>) -> Result<RecordBatch> {
    let columns = codes.into_iter().map(|codes| Arc::new(UInt32Array::from(codes)) as ArrayRef).collect();
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

fn people(run: Arc<Run>, feed: &Feed) -> BatchSource {
    let worker = PeopleWorker {
        records: feed.worker(),
        classify: run.compiled.classifier.worker(),
        noting: run.noting.writer(),
        households: run.households.as_deref().map(Households::writer),
        log: run.log.as_ref().map(RecordLog::writer),
        run,
    };
    futures::stream::try_unfold(worker, |mut worker| async move {
        match worker.records.next().await? {
            Some(chunk) => {
                let coded = worker.classify.classify(&chunk, &worker.run.rejects)?;
                worker.records.recycle(chunk);
                worker.note(&coded)?;
                let batch = batch(&worker.run.compiled.people_schema, coded.codes)?;
                Ok(Some((batch, worker)))
            }
            None => {
                worker.noting.finish()?;
                if let Some(households) = &mut worker.households {
                    households.finish()?;
                }
                Ok(None)
            }
        }
    })
    .boxed()
}

impl PeopleWorker {
    /// Notes accepted records, their identities and their households.
    fn note(&mut self, coded: &Coded) -> Result<()> {
        if let Some(newest) = coded.newest_birth {
            self.run.newest_birth.fetch_max(newest.number(), Ordering::Relaxed);
        }
        let first = self.log.as_mut().map_or(Ok(0), |log| log.append(coded))?;
        self.noting.note(coded, first)?;
        self.households.as_mut().map_or(Ok(()), |households| households.add(&coded.households, &coded.packed))
    }
}

/// Takes the next partition until there are none.
fn next_partition(next: &AtomicUsize, end: usize) -> Option<usize> {
    Some(next.fetch_add(1, Ordering::Relaxed)).filter(|&partition| partition < end)
}

/// One worker's part of the second pass.
async fn repeated(run: Arc<Run>, entries: Arc<Entries<Identities>>, next: Arc<AtomicUsize>) -> Result<Vec<Vec<u32>>> {
    let mut households = run.households.as_deref().map(Households::writer);
    let mut repeats = Repeats::default();
    let compiled = &run.compiled;
    let mut cells = vec![Vec::new(); compiled.people.len()];
    while let Some(partition) = next_partition(&next, entries.partitions.end) {
        let duplicates = entries.duplicates(partition, &mut repeats).await?;
        let mut summary = lock(&run.duplicate_summary);
        for Duplicate { record, .. } in &duplicates {
            let key = (Reason::Duplicate, compiled.identity_column.clone(), compiled.classifier.report_node(record.packed));
            *summary.entry(key).or_default() += 1;
            let code = |at: usize| compiled.classifier.unpack(record.packed, at);
            for ((cells, counter), columns) in cells.iter_mut().zip(&compiled.people).zip(&compiled.people_columns) {
                cells.push(counter.cell(columns.iter().map(|&at| code(at))));
            }
            if let Some(writer) = &mut households {
                writer.remove(spread(record.household), record.packed)?;
            }
        }
        drop(summary);
        lock(&run.duplicates).extend(duplicates.iter().map(|found| (found.record.position, found.first)));
    }
    if let Some(writer) = &mut households {
        writer.finish()?;
    }
    Ok(cells)
}
