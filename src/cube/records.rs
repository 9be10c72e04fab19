//! One pass over a snapshot: people, then repeated identities taken off, then households.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
};

use arrow::{
    array::{ArrayRef, RecordBatch, UInt32Array},
    datatypes::{DataType, Field, Schema, SchemaRef},
};
use chrono::NaiveDate;
use futures::StreamExt;
use tokio::runtime::Handle;

pub use super::households::HouseholdSummary;
use super::households::{HouseholdRecord, HouseholdWriter, Households};
use crate::{
    classify::{Classifier, ClassifyWorker, Coded, Duplicate, Identities, IdentityWriter, Position, Reason, RejectSummary, Rejects},
    engine::{BatchSource, CellCounter, Engine},
    error::{Error, Result},
    ingest::{Feed, Progress, Snapshot, Worker},
    register::{Definitions, Period, Source, Unit},
    storage::{PARTITIONS, Repeats, Scratch},
};

/// What a build needs to know beside definitions and snapshot.
#[derive(Debug, Clone)]
pub struct BuildOptions {
    /// The period counted.
    pub period: Period,
    /// Files or folders of the snapshot.
    pub inputs: Vec<String>,
    /// For each dimension with several codings the one that the snapshot uses.
    pub codings: HashMap<String, String>,
    /// Share of records (0 to 1) beyond which rejects stop the run.
    pub max_rejects: f64,
    /// Take a snapshot that looks like one of another period.
    pub accept_period: bool,
    /// Folder for what does not fit in memory.
    pub scratch: PathBuf,
    /// Bytes of identities and households to hold in memory.
    pub memory: usize,
}

/// What came out of counting a snapshot.
#[derive(Debug)]
pub struct Built {
    /// For each table the counts of its leaf cells.
    pub cubes: Vec<Vec<u32>>,
    /// Records read.
    pub read: u64,
    /// Records counted.
    pub accepted: u64,
    /// Counts of rejects.
    pub rejected: RejectSummary,
    /// The list of rejects other than duplicates.
    pub rejects: Rejects,
    /// Records that repeat an identity: where, and where it stands first.
    pub duplicates: Vec<(Position, Position)>,
    /// Names of the snapshot's files, as positions refer to them.
    pub files: Vec<String>,
    /// Households, if the register has any.
    pub households: Option<HouseholdSummary>,
}

impl Built {
    /// Records rejected.
    pub fn rejected(&self) -> u64 {
        self.rejected.values().sum()
    }
}

/// What all workers of a run share.
struct Run {
    classifier: Arc<Classifier>,
    schema: SchemaRef,
    rejects: Rejects,
    identities: Option<Arc<Identities>>,
    households: Option<Households>,
    /// Position of the relation to the head among the code columns, and which codes are heads.
    heads: Option<(usize, Vec<bool>)>,
    newest_birth: AtomicU32,
    duplicates: Mutex<Vec<(Position, Position)>>,
    duplicate_summary: Mutex<RejectSummary>,
    identity_column: String,
    household_summary: Mutex<HouseholdSummary>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ingests, classifies and counts a snapshot.
pub async fn build(definitions: &Definitions, options: &BuildOptions, engine: &Engine, progress: Progress) -> Result<Built> {
    let classifier = Arc::new(Classifier::new(definitions, options.period, &options.codings)?);
    let io = Handle::current();
    let snapshot = Snapshot::open(&options.inputs, classifier.columns().to_vec(), &io).await?;
    let files: Vec<String> = snapshot.files().iter().map(|file| file.name.clone()).collect();
    let dimensions = classifier.dimensions();
    let fields = dimensions.iter().map(|&at| Field::new(&definitions.dimensions[at].id, DataType::UInt32, false)).collect::<Vec<_>>();
    let scratch = Arc::new(Scratch::new(&options.scratch, options.memory)?);
    let has_households = definitions.household.is_some() && definitions.tables.iter().any(|table| table.unit == Unit::Household);
    let run = Arc::new(Run {
        schema: Arc::new(Schema::new(fields)),
        rejects: Rejects::new(&options.scratch, files.clone())?,
        identities: definitions.identity.as_ref().map(|_| Arc::new(Identities::new(&scratch))),
        households: has_households.then(|| Households::new(&scratch)),
        heads: definitions.household.as_ref().and_then(|household| {
            let at = dimensions.iter().position(|&at| at == household.relation)?;
            Some((at, household.heads.clone()))
        }),
        newest_birth: AtomicU32::new(0),
        duplicates: Mutex::default(),
        duplicate_summary: Mutex::default(),
        identity_column: definitions.identity.as_ref().map(|key| key.column.clone()).unwrap_or_default(),
        household_summary: Mutex::default(),
        classifier,
    });

    let feed = snapshot.feed(io, progress.clone());
    let sources = (0..engine.threads()).map(|_| people(Arc::clone(&run), &feed)).collect();
    let mut people_counts = engine.count(Arc::clone(&run.schema), sources, counters(definitions, Unit::Person)).await?;
    let read = progress.records.load(Ordering::Relaxed);
    if read > u64::from(u32::MAX) {
        return Err(Error::Input(format!("the snapshot has {read} records; at most {} can be counted", u32::MAX)));
    }
    if let Some(promised) = snapshot.promised_records()
        && promised != read
    {
        return Err(Error::Internal(format!("the footers promise {promised} records, {read} were read")));
    }

    let next = Arc::new(AtomicUsize::new(0));
    let sources = (0..engine.threads()).map(|_| repeated(Arc::clone(&run), Arc::clone(&next))).collect();
    let repeated_counts = engine.count(Arc::clone(&run.schema), sources, counters(definitions, Unit::Person)).await?;
    for (counts, repeated) in people_counts.iter_mut().zip(&repeated_counts) {
        for (count, repeated) in counts.iter_mut().zip(repeated) {
            *count = count.checked_sub(*repeated).ok_or_else(|| Error::Internal("more duplicates than people in a cell".into()))?;
        }
    }

    let mut household_counts = Vec::new();
    if run.households.is_some() {
        let sizes = household_sizes(definitions);
        let mut fields: Vec<_> = run.schema.fields().iter().cloned().collect();
        fields.extend(sizes.iter().map(|(id, _)| Arc::new(Field::new(id, DataType::UInt32, false))));
        let schema = Arc::new(Schema::new(fields));
        let sizes = Arc::new(sizes);
        let next = Arc::new(AtomicUsize::new(0));
        let sources =
            (0..engine.threads()).map(|_| grouped(Arc::clone(&run), Arc::clone(&next), Arc::clone(&schema), Arc::clone(&sizes))).collect();
        household_counts = engine.count(schema, sources, counters(definitions, Unit::Household)).await?;
    }

    let (mut people_counts, mut household_counts) = (people_counts.into_iter(), household_counts.into_iter());
    let cubes = definitions
        .tables
        .iter()
        .map(|table| match table.unit {
            Unit::Person => people_counts.next(),
            Unit::Household => household_counts.next(),
        })
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| Error::Internal("a table was not counted".into()))?;

    let Ok(run) = Arc::try_unwrap(run) else {
        return Err(Error::Internal("a worker is still at work".into()));
    };
    let mut duplicates = run.duplicates.into_inner().unwrap_or_else(PoisonError::into_inner);
    duplicates.sort_unstable();
    let mut rejected = run.rejects.summary();
    for (key, count) in run.duplicate_summary.into_inner().unwrap_or_else(PoisonError::into_inner) {
        *rejected.entry(key).or_default() += count;
    }
    let lost: u64 = rejected.values().sum();
    let built = Built {
        cubes,
        read,
        accepted: read - lost,
        rejected,
        rejects: run.rejects,
        duplicates,
        files,
        households: has_households.then(|| *lock(&run.household_summary)),
    };
    check(definitions, options, &built, run.newest_birth.into_inner())?;
    Ok(built)
}

/// Looks at the whole before anything is kept: enough accepted, of the right period, and nothing lost.
fn check(definitions: &Definitions, options: &BuildOptions, built: &Built, newest_birth: u32) -> Result<()> {
    let period = options.period;
    let share = |count: u64| count as f64 / (built.read.max(1)) as f64;
    let of_reason =
        |wanted: Reason| built.rejected.iter().filter(|((reason, ..), _)| *reason == wanted).map(|(_, count)| count).sum::<u64>();
    if built.read == 0 {
        return Err(Error::Input("the snapshot holds no record".into()));
    }
    let newest = NaiveDate::from_ymd_opt((newest_birth / 10_000) as i32, newest_birth / 100 % 100, newest_birth % 100);
    let born_after = of_reason(Reason::BornAfter);
    if !options.accept_period {
        let cure = "give the right --period, or --accept-period if the snapshot is as it should be";
        // Half a year of births is some 0.8 % of a population; stray wrong dates are far fewer.
        if born_after >= 3 && share(born_after) > 0.002 {
            return Err(Error::Input(format!(
                "the snapshot seems to be of a later period than {period}: {born_after} of {} people are born after {}; {cure}",
                built.read,
                period.reference_date()
            )));
        }
        if let Some(newest) = newest.filter(|_| built.accepted >= 1000)
            && newest <= period.previous().reference_date()
        {
            return Err(Error::Input(format!(
                "the snapshot seems to be of {} and not of {period}: nobody in it is born after {newest}; {cure}",
                Period::containing(newest, period.frequency())
            )));
        }
    }
    if share(built.rejected()) > options.max_rejects {
        let mut reasons: Vec<(u64, String)> = Vec::new();
        for ((reason, column, _), count) in &built.rejected {
            let name = if column.is_empty() { reason.id().to_owned() } else { format!("{} in {column}", reason.id()) };
            match reasons.iter_mut().find(|(_, known)| *known == name) {
                Some((sum, _)) => *sum += count,
                None => reasons.push((*count, name)),
            }
        }
        reasons.sort_by(|a, b| b.cmp(a));
        let most: Vec<String> = reasons.iter().take(3).map(|(count, name)| format!("{name} ({count})")).collect();
        return Err(Error::Input(format!(
            "{} of {} records are rejected, more than the {:.2} % that --max-rejects allows; most often: {}",
            built.rejected(),
            built.read,
            options.max_rejects * 100.0,
            most.join(", ")
        )));
    }
    for (table, cube) in definitions.tables.iter().zip(&built.cubes) {
        let people: u64 = cube.iter().map(|&count| u64::from(count)).sum();
        let expected = match table.unit {
            Unit::Person => built.accepted,
            Unit::Household => built.households.map_or(0, |summary| summary.counted),
        };
        if people != expected {
            return Err(Error::Internal(format!("table {} counts {people} instead of {expected}", table.id)));
        }
    }
    Ok(())
}

/// The cubes of one unit, as the engine counts them.
fn counters(definitions: &Definitions, unit: Unit) -> Vec<CellCounter> {
    let tables = definitions.tables.iter().filter(|table| table.unit == unit);
    let counter = |table: &crate::register::Table| {
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
    };
    tables.map(counter).collect()
}

/// Dimensions of household size: identifier, and base leaf by members.
fn household_sizes(definitions: &Definitions) -> Vec<(String, Vec<u32>)> {
    let sizes = definitions.dimensions.iter().zip(&definitions.sources).filter_map(|(dimension, source)| match source {
        Source::HouseholdSize { leaves } => Some((dimension.id.clone(), leaves.clone())),
        _ => None,
    });
    sizes.collect()
}

/// One thread's part of the first pass.
struct PeopleWorker {
    run: Arc<Run>,
    records: Worker,
    classify: ClassifyWorker,
    identities: Option<IdentityWriter>,
    households: Option<HouseholdWriter>,
}

fn batch(schema: &SchemaRef, codes: Vec<Vec<u32>>) -> Result<RecordBatch> {
    let columns = codes.into_iter().map(|codes| Arc::new(UInt32Array::from(codes)) as ArrayRef).collect();
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

fn people(run: Arc<Run>, feed: &Feed) -> BatchSource {
    let worker = PeopleWorker {
        records: feed.worker(),
        classify: run.classifier.worker(),
        identities: run.identities.as_ref().map(Identities::writer),
        households: run.households.as_ref().map(Households::writer),
        run,
    };
    futures::stream::try_unfold(worker, |mut worker| async move {
        match worker.records.next().await? {
            Some(chunk) => {
                let coded = worker.classify.classify(&chunk, &worker.run.rejects)?;
                worker.records.recycle(chunk);
                worker.note(&coded)?;
                let batch = batch(&worker.run.schema, coded.codes)?;
                Ok(Some((batch, worker)))
            }
            None => {
                if let Some(identities) = &mut worker.identities {
                    identities.finish()?;
                }
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
    /// Notes identities and households of accepted records.
    fn note(&mut self, coded: &Coded) -> Result<()> {
        if let Some(newest) = coded.newest_birth {
            self.run.newest_birth.fetch_max(newest.number(), Ordering::Relaxed);
        }
        if let Some(identities) = &mut self.identities {
            identities.note(coded)?;
        }
        if let (Some(households), Some((at, heads))) = (&mut self.households, &self.run.heads) {
            for ((&code, &packed), &household) in coded.codes[*at].iter().zip(&coded.packed).zip(&coded.households) {
                households.add(household, heads[code as usize].then_some(packed))?;
            }
        }
        Ok(())
    }
}

/// Takes the next partition until there are none.
fn next_partition(next: &AtomicUsize) -> Option<usize> {
    Some(next.fetch_add(1, Ordering::Relaxed)).filter(|&partition| partition < PARTITIONS)
}

fn repeated(run: Arc<Run>, next: Arc<AtomicUsize>) -> BatchSource {
    let writer = run.households.as_ref().map(Households::writer);
    futures::stream::try_unfold((run, next, writer, Repeats::default()), |(run, next, mut writer, mut repeats)| async move {
        let (Some(identities), Some(partition)) = (&run.identities, next_partition(&next)) else {
            if let Some(writer) = &mut writer {
                writer.finish()?;
            }
            return Ok(None);
        };
        let duplicates = identities.duplicates(partition, &mut repeats)?;
        let columns = run.schema.fields().len();
        let codes =
            (0..columns).map(|at| duplicates.iter().map(|found| run.classifier.unpack(found.record.packed, at)).collect()).collect();
        let mut summary = lock(&run.duplicate_summary);
        for Duplicate { record, .. } in &duplicates {
            let key = (Reason::Duplicate, run.identity_column.clone(), run.classifier.report_node(record.packed));
            *summary.entry(key).or_default() += 1;
            if let (Some(writer), Some((at, heads))) = (&mut writer, &run.heads) {
                let is_head = heads[run.classifier.unpack(record.packed, *at) as usize];
                writer.remove(record.household, is_head.then_some(record.packed))?;
            }
        }
        drop(summary);
        lock(&run.duplicates).extend(duplicates.iter().map(|found| (found.record.position, found.first)));
        let batch = batch(&run.schema, codes)?;
        Ok(Some((batch, (run, next, writer, repeats))))
    })
    .boxed()
}

fn grouped(run: Arc<Run>, next: Arc<AtomicUsize>, schema: SchemaRef, sizes: Arc<Vec<(String, Vec<u32>)>>) -> BatchSource {
    futures::stream::try_unfold((run, next, schema, sizes, Repeats::default()), |(run, next, schema, sizes, mut repeats)| async move {
        let (Some(households), Some(partition)) = (&run.households, next_partition(&next)) else { return Ok(None) };
        let (records, summary) = households.grouped(partition, &mut repeats)?;
        *lock(&run.household_summary) += summary;
        let mut codes: Vec<Vec<u32>> = (0..run.schema.fields().len())
            .map(|at| records.iter().map(|record| run.classifier.unpack(record.head, at)).collect())
            .collect();
        let size = |leaves: &[u32], record: &HouseholdRecord| leaves[(record.members as usize).min(leaves.len() - 1)];
        codes.extend(sizes.iter().map(|(_, leaves)| records.iter().map(|record| size(leaves, record)).collect::<Vec<u32>>()));
        let batch = batch(&schema, codes)?;
        Ok(Some((batch, (run, next, schema, sizes, repeats))))
    })
    .boxed()
}
