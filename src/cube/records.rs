//! A count on this machine: people, then repeated identities taken off, then households; and the checks on the whole.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
};

use chrono::NaiveDate;
use tokio::runtime::Handle;

use super::{
    contributors::{Contributors, FewHouseholds, LargeCells},
    household_pass::{HouseholdCounts, HouseholdSource, HouseholdsHere, count_households, recount_households},
    households::{Detail, HouseholdSummary, Households},
    run::{self, Compiled, Entries, Noting, Run},
};
use crate::{
    classify::{Identities, Position, Reason, RecordLog, RejectSummary, Rejects, add_counts},
    engine::{Counts, Engine},
    error::{Error, Result},
    ingest::{Progress, Snapshot},
    register::{Definitions, Period, Unit},
    storage::Scratch,
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
    /// For each of [`Definitions::counted_tables`] the counts of its leaf cells.
    pub cubes: Vec<Counts>,
    /// For each of [`Definitions::members`] the counts of its leaf cells.
    pub members: Vec<Counts>,
    /// For each published table of people the cells that come from few households; empty if the register has none.
    pub contributors: Vec<FewHouseholds>,
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

/// Ingests, classifies and counts a snapshot.
pub async fn build(definitions: &Definitions, options: &BuildOptions, engine: &Engine, progress: Progress) -> Result<Built> {
    let io = Handle::current();
    let scratch = Arc::new(Scratch::new(&options.scratch, options.memory)?);
    let compiled = Compiled::new(definitions, options.period, &options.codings)?;
    let snapshot = Snapshot::open(&options.inputs, compiled.classifier.columns().to_vec(), &io).await?;
    let files: Vec<String> = snapshot.files().iter().map(|file| file.name.clone()).collect();
    let log = (definitions.identity.is_some() || definitions.household.is_some()).then(|| Arc::new(RecordLog::new(&scratch)));
    let noting = match &log {
        Some(log) if definitions.identity.is_some() => Noting::Numbered(Arc::new(Identities::new(&scratch, log))),
        _ => Noting::Nothing,
    };
    let identities = noting.numbered();
    let households = definitions.household.is_some().then(|| Arc::new(Households::new(&scratch, Detail::Lone)));
    let rejects = Rejects::new(&options.scratch, files.clone())?;
    let run = Run::new(Arc::clone(&compiled), rejects, noting, households.clone(), log.clone());

    let feed = snapshot.feed(&snapshot.pieces(), io, progress.clone())?;
    let mut people_counts = run.count_people(engine, &feed, engine.threads()).await?;
    let read = progress.records.load(Ordering::Relaxed);
    check_read(read, snapshot.promised_records())?;
    if let Some(identities) = identities {
        let repeated = run.find_repeated(engine, Entries::all(identities), engine.threads()).await?;
        take_off(&mut people_counts, &repeated)?;
    }
    let found = run.finish()?;
    let (mut counted, mut contributors) = (HouseholdCounts::default(), Vec::new());
    if let (Some(entries), Some(log)) = (households, log) {
        let source = Arc::new(HouseholdSource::Here(HouseholdsHere::new(&entries, &log, &scratch)));
        (counted, contributors) = households_here(&compiled, engine, &source, &people_counts).await?;
    }

    let cubes = in_order_of_tables(definitions, people_counts, counted.cubes)?;
    let mut rejected = found.rejects.summary();
    add_counts(&mut rejected, found.repeated);
    let lost: u64 = rejected.values().sum();
    let built = Built {
        cubes,
        members: counted.members,
        contributors,
        read,
        accepted: read - lost,
        rejected,
        rejects: found.rejects,
        duplicates: found.duplicates,
        files,
        households: run::has_households(definitions).then_some(counted.summary),
    };
    check(definitions, options, &built, found.newest_birth)?;
    Ok(built)
}

/// Third pass: counts households and the contributors to the cells of people, whose final counts it needs.
async fn households_here(
    compiled: &Arc<Compiled>,
    engine: &Engine,
    source: &Arc<HouseholdSource>,
    people: &[Counts],
) -> Result<(HouseholdCounts, Vec<FewHouseholds>)> {
    let workers = engine.threads();
    let Some(tables) = &compiled.people_tables else {
        return Ok((count_households(compiled, engine, source, workers, None).await?, Vec::new()));
    };
    let contributors = Arc::new(Contributors::of_counts(tables, people)?);
    let counted = count_households(compiled, engine, source, workers, Some(&contributors)).await?;
    let still_used = || Error::Internal("a worker still counts contributors".into());
    let mut repeats = Arc::try_unwrap(contributors).map_err(|_| still_used())?.into_counted();
    let mut large = std::mem::take(&mut repeats.shares).cells(tables, people);
    if !large.is_empty() {
        let cells = Arc::new(LargeCells::new(tables, &large));
        recount_households(compiled, engine, source, workers, &cells).await?;
        large = Arc::try_unwrap(cells).map_err(|_| still_used())?.into_counts();
    }
    Ok((counted, repeats.few_households(&large)?))
}

/// Holds the number of records against what cells can hold and what footers promise.
pub(super) fn check_read(read: u64, promised: Option<u64>) -> Result<()> {
    if read > u64::from(u32::MAX) {
        return Err(Error::Input(format!("the snapshot has {read} records; at most {} can be counted", u32::MAX)));
    }
    match promised {
        Some(promised) if promised != read => Err(Error::Internal(format!("the footers promise {promised} records, {read} were read"))),
        _ => Ok(()),
    }
}

/// Takes repetitions off cubes: of each cube the cells that they were counted in.
pub(super) fn take_off(cubes: &mut [Counts], repeated: &[Vec<u32>]) -> Result<()> {
    for (counts, repeated) in cubes.iter_mut().zip(repeated) {
        for &cell in repeated {
            counts.decrement(cell).ok_or_else(|| Error::Internal("more duplicates than people in a cell".into()))?;
        }
    }
    Ok(())
}

/// Cubes of people and of households in the order of [`Definitions::counted_tables`].
pub(super) fn in_order_of_tables(definitions: &Definitions, people: Vec<Counts>, households: Vec<Counts>) -> Result<Vec<Counts>> {
    let (mut people, mut households) = (people.into_iter(), households.into_iter());
    let of_unit = definitions.counted_tables().map(|table| match table.unit {
        Unit::Person => people.next(),
        Unit::Household => households.next(),
    });
    of_unit.collect::<Option<Vec<_>>>().ok_or_else(|| Error::Internal("a table was not counted".into()))
}

/// Looks at the whole before anything is kept: enough accepted, of the right period, and nothing lost.
pub(super) fn check(definitions: &Definitions, options: &BuildOptions, built: &Built, newest_birth: u32) -> Result<()> {
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
    let households = built.households.unwrap_or_default();
    let of_tables = definitions.counted_tables().zip(&built.cubes).map(|(table, cube)| match table.unit {
        Unit::Person => (table, cube, built.accepted),
        Unit::Household => (table, cube, households.counted),
    });
    let of_members = definitions.members.iter().zip(&built.members).map(|(table, cube)| (table, cube, households.members));
    for (table, cube, expected) in of_tables.chain(of_members) {
        let people = cube.total();
        if people != expected {
            return Err(Error::Internal(format!("table {} counts {people} instead of {expected}", table.id)));
        }
    }
    Ok(())
}
