//! A count by a crew of workers: what [`super::build`] does on one machine, with the same result to the last byte.

use std::{
    collections::BTreeSet,
    process,
    sync::{Arc, atomic::Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use chrono::Utc;
use futures::TryStreamExt;
use tokio::runtime::Handle;

use super::{
    BuildOptions, Built, HouseholdSummary,
    contributors::{Contributors, FewCells, FewHouseholds},
    household_pass::HouseholdCounts,
    parts::{self, JOB, Job, LARGE, Outcome, PEOPLE, Pass},
    records,
    run::{self, Compiled},
};
use crate::{
    classify::{Position, RejectSummary, Rejects, add_counts},
    engine::{Counts, Crew},
    error::{Error, Result},
    ingest::{Progress, Snapshot, SnapshotPiece},
    register::{Definitions, Origin, Table, Unit},
    storage::Store,
};

/// Where jobs lie in the confidential store.
const WORK: &str = "work";
/// Parts of the first pass, if the snapshot has as many pieces: enough for a small cluster of any, several for each core of a large one
/// where there is much to read, so that no core waits long for the last one.
const PARTS: std::ops::RangeInclusive<usize> = 16..=64;
/// Stored bytes for which a further part is worth what it costs: each has counts of its own for the whole country.
const WORTH: u64 = 64 << 20;
/// How often the work folder is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// How often what the crew did not do is asked for once more, when it has done something in the meantime.
const TRIES: usize = 3;
/// When people are told that nothing has come back yet.
const SILENCE: Duration = Duration::from_secs(30);
/// Nobody works at a job whose folder did not change for this long.
const ABANDONED: chrono::TimeDelta = chrono::TimeDelta::days(2);

/// Ingests, classifies and counts a snapshot by a crew, which needs to reach the snapshot and `store`, the confidential one.
pub async fn build_by(
    crew: &dyn Crew,
    store: &Store,
    definitions: &Definitions,
    origin: &Origin,
    options: &BuildOptions,
    progress: Progress,
) -> Result<Built> {
    if let Some(input) = options.inputs.iter().find(|input| !input.contains("://") && !input.starts_with('/')) {
        return Err(Error::Input(format!(
            "{input}: workers open it from elsewhere; give an s3:// address, or its whole path in a folder that all of them share"
        )));
    }
    let compiled = Compiled::new(definitions, options.period, &options.codings)?;
    let snapshot = Snapshot::open(&options.inputs, compiled.classifier.columns().to_vec(), &Handle::current()).await?;
    let pieces = snapshot.pieces();
    progress.total.store(pieces.iter().map(|piece| piece.bytes).sum(), Ordering::Relaxed);
    let job = Job {
        version: parts::VERSION.to_owned(),
        period: options.period,
        codings: options.codings.clone(),
        origin: origin.clone(),
        files: snapshot.files().iter().map(|file| file.name.clone()).collect(),
        people: divide(&pieces),
    };
    sweep(store).await?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let name = format!("{}-{:x}-{:x}", options.period, since.as_nanos(), process::id());
    let folder = format!("{WORK}/{name}");
    let place = store.below(&folder);
    let text = serde_json::to_vec(&job).map_err(|error| Error::Internal(error.to_string()))?;
    place.write(JOB, text).await?;
    let count = Count { crew, place, job, definitions, compiled, options, promised: snapshot.promised_records(), progress };
    let built = count.all().await;
    // Without the job workers leave what they have not begun. An error here must not hide what came before it.
    let removed = count.place.remove(JOB).await;
    let removed = removed.and(store.remove_folder(&folder).await);
    let built = built?;
    removed?;
    Ok(built)
}

/// Divides pieces into parts of about the same size that stand behind each other.
fn divide(pieces: &[SnapshotPiece]) -> Vec<Vec<SnapshotPiece>> {
    let total: u64 = pieces.iter().map(|piece| piece.bytes).sum();
    let count = ((total / WORTH) as usize).clamp(*PARTS.start(), *PARTS.end());
    let mut parts: Vec<Vec<SnapshotPiece>> = Vec::new();
    let (mut begun, mut last) = (0u64, usize::MAX);
    for piece in pieces {
        // The part in which the middle of the piece lies.
        let middle = u128::from(begun + piece.bytes / 2);
        let at = (middle * count as u128 / u128::from(total.max(1))) as usize;
        if at != last {
            parts.push(Vec::new());
            last = at;
        }
        parts.last_mut().into_iter().for_each(|part| part.push(*piece));
        begun += piece.bytes;
    }
    parts
}

/// Removes what processes left that were killed.
async fn sweep(store: &Store) -> Result<()> {
    let files = store.list(WORK).await?;
    let job_of = |path: &str| path.split('/').nth(1).map(str::to_owned);
    let alive: BTreeSet<String> =
        files.iter().filter(|file| Utc::now() - file.written < ABANDONED).filter_map(|file| job_of(&file.path)).collect();
    let left: BTreeSet<String> = files.iter().filter_map(|file| job_of(&file.path)).filter(|job| !alive.contains(job)).collect();
    for job in left {
        store.remove_folder(&format!("{WORK}/{job}")).await?;
    }
    Ok(())
}

/// One count under way.
struct Count<'a> {
    crew: &'a dyn Crew,
    place: Store,
    job: Job,
    definitions: &'a Definitions,
    compiled: Arc<Compiled>,
    options: &'a BuildOptions,
    promised: Option<u64>,
    progress: Progress,
}

impl Count<'_> {
    async fn all(&self) -> Result<Built> {
        let Self { definitions, options, .. } = self;
        let people = self.pass(Pass::People).await?;
        let read = people.iter().map(|outcome| outcome.read).sum();
        records::check_read(read, self.promised)?;
        let of_unit = |unit: Unit| definitions.counted_tables().filter(move |table| table.unit == unit);
        let mut people_counts = self.counts(Pass::People, of_unit(Unit::Person), &people).await?;
        let mut rejected = RejectSummary::new();
        add_counts(&mut rejected, people.iter().flat_map(|outcome| outcome.rejected.iter().cloned()));
        let mut duplicates = Vec::new();
        if definitions.identity.is_some() {
            let repeats = self.pass(Pass::Repeats).await?;
            let mut cells = vec![Vec::new(); people_counts.len()];
            self.packed(Pass::Repeats, "cubes", &repeats, |outcome, packed| parts::extend_packed(&mut cells, outcome, packed)).await?;
            records::take_off(&mut people_counts, &cells)?;
            for outcome in repeats {
                add_counts(&mut rejected, outcome.rejected);
                duplicates.extend(outcome.duplicates);
            }
            duplicates.sort_unstable();
        }
        let (mut counted, mut contributors) = (HouseholdCounts::default(), Vec::new());
        if definitions.household.is_some() {
            (counted, contributors) = self.households(&people_counts).await?;
        }
        let lost: u64 = rejected.values().sum();
        let built = Built {
            cubes: records::in_order_of_tables(definitions, people_counts, counted.cubes)?,
            members: counted.members,
            contributors,
            read,
            accepted: read.saturating_sub(lost),
            rejected,
            rejects: self.rejects().await?,
            duplicates,
            files: self.job.files.clone(),
            households: run::has_households(definitions).then_some(counted.summary),
        };
        let newest_birth = people.iter().map(|outcome| outcome.newest_birth).max().unwrap_or(0);
        records::check(definitions, options, &built, newest_birth)?;
        Ok(built)
    }

    /// Counts households and the contributors to the cells of people, whose final counts it is given.
    async fn households(&self, people: &[Counts]) -> Result<(HouseholdCounts, Vec<FewHouseholds>)> {
        let tables = self.compiled.people_tables.as_ref();
        let mut contributors = None;
        if let Some(tables) = tables {
            let leaves = FewCells::leaves(&people[..tables.tables.len()]);
            self.place.write(PEOPLE, parts::pack_people(&leaves)?).await?;
            contributors = Some(Contributors::new(Arc::new(FewCells::new(Arc::clone(tables), leaves)?)).into_counted());
        }
        let passed = self.pass(Pass::Households).await?;
        let definitions = self.definitions;
        let of_households = definitions.counted_tables().filter(|table| table.unit == Unit::Household);
        let mut cubes = self.counts(Pass::Households, of_households.clone().chain(&definitions.members), &passed).await?;
        let members = cubes.split_off(of_households.count());
        let mut summary = HouseholdSummary::default();
        passed.iter().for_each(|outcome| summary += outcome.counted);
        let counted = HouseholdCounts { cubes, members, summary };
        let (Some(tables), Some(mut contributors)) = (tables, contributors) else { return Ok((counted, Vec::new())) };
        let add = |outcome: &Outcome, packed: &[u8]| parts::add_repeats(&mut contributors.repeats, outcome, packed);
        self.packed(Pass::Households, "contributors", &passed, add).await?;
        passed.into_iter().for_each(|outcome| contributors.shares.extend(outcome.shares));
        let mut large = std::mem::take(&mut contributors.shares).cells(tables, people);
        if !large.is_empty() {
            let text = serde_json::to_vec(&large).map_err(|error| Error::Internal(error.to_string()))?;
            self.place.write(LARGE, text).await?;
            for outcome in self.pass(Pass::Large).await? {
                for (sum, of_part) in large.iter_mut().zip(outcome.large) {
                    sum.repeats += of_part.repeats;
                }
            }
        }
        Ok((counted, contributors.few_households(&large)?))
    }

    /// Has the crew do all parts of a pass.
    async fn pass(&self, pass: Pass) -> Result<Vec<Outcome>> {
        let parts = pass.parts(&self.job);
        let mut outcomes: Vec<Option<Outcome>> = parts.iter().map(|_| None).collect();
        let mut tries = 0;
        let mut reported = false;
        let started = tokio::time::Instant::now();
        loop {
            let missing: Vec<String> =
                parts.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_none()).map(|(part, _)| part.clone()).collect();
            if missing.is_empty() {
                return Ok(outcomes.into_iter().flatten().collect());
            }
            let address = self.place.address();
            let mut work = self.crew.work(&address, &missing);
            // What counts is what lies in the folder: a worker may be lost between its last part and its report.
            let ended = loop {
                tokio::select! {
                    ended = &mut work => break Some(ended),
                    () = tokio::time::sleep(LOOK) => {}
                }
                self.look(pass, &parts, &mut outcomes).await?;
                if outcomes.iter().all(Option::is_some) {
                    break None;
                }
                if !reported && outcomes.iter().all(Option::is_none) && started.elapsed() > SILENCE {
                    reported = true;
                    let told = SILENCE.as_secs();
                    tracing::warn!("no worker has finished anything for {told} s; are there workers, and do they reach {address}?");
                }
            };
            self.look(pass, &parts, &mut outcomes).await?;
            let left = outcomes.iter().filter(|outcome| outcome.is_none()).count();
            tries = if left < missing.len() { 1 } else { tries + 1 };
            match ended {
                _ if left == 0 => {}
                Some(Err(error)) if left == missing.len() || tries >= TRIES => return Err(error),
                _ if tries >= TRIES => {
                    return Err(Error::storage(&address, format!("the workers said that they were done, and {left} parts are not there")));
                }
                _ => {}
            }
        }
    }

    /// Reads what has come back since the last look.
    async fn look(&self, pass: Pass, parts: &[String], outcomes: &mut [Option<Outcome>]) -> Result<()> {
        let there: BTreeSet<String> = self.place.list("").await?.into_iter().map(|file| file.path).collect();
        for (at, (part, outcome)) in parts.iter().zip(outcomes).enumerate() {
            if outcome.is_some() || !there.contains(&format!("{part}.json")) {
                continue;
            }
            let Some(found) = parts::outcome(&self.place, part).await? else { continue };
            if let Some(problem) = found.failed {
                return Err(Error::Input(problem));
            }
            if pass == Pass::People {
                let bytes = self.job.people.get(at).into_iter().flatten().map(|piece| piece.bytes).sum();
                self.progress.bytes.fetch_add(bytes, Ordering::Relaxed);
                self.progress.records.fetch_add(found.read, Ordering::Relaxed);
            }
            *outcome = Some(found);
        }
        Ok(())
    }

    /// Adds up the counts of a pass.
    async fn counts<'t>(&self, pass: Pass, tables: impl Iterator<Item = &'t Table>, outcomes: &[Outcome]) -> Result<Vec<Counts>> {
        let mut cubes: Vec<Counts> = tables.map(|table| Counts::zeroed(self.definitions.shape(table).leaf_cells as usize)).collect();
        self.packed(pass, "cubes", outcomes, |outcome, packed| parts::add_packed(&mut cubes, outcome, packed)).await?;
        Ok(cubes)
    }

    /// Goes over what the parts of a pass left of some kind of counts.
    async fn packed(&self, pass: Pass, kind: &str, outcomes: &[Outcome], mut add: impl FnMut(&Outcome, &[u8]) -> Result<()>) -> Result<()> {
        for (part, outcome) in pass.parts(&self.job).iter().zip(outcomes) {
            let path = format!("{part}.{kind}");
            let packed = self.place.read(&path).await?.ok_or_else(|| Error::storage(self.place.to_string(), format!("{path} is gone")))?;
            add(outcome, &packed)?;
        }
        Ok(())
    }

    /// The list of rejects of all parts.
    async fn rejects(&self) -> Result<Rejects> {
        let rejects = Rejects::new(&self.options.scratch, Vec::new())?;
        for (part, pieces) in Pass::People.parts(&self.job).iter().zip(&self.job.people) {
            let first = pieces.first().map_or(0, |piece| piece.file);
            let mut lines = self.place.stream(&format!("{part}.rejects")).await?;
            while let Some(lines) = lines.try_next().await? {
                rejects.append(Position::new(first, 0), &lines)?;
            }
        }
        Ok(rejects)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_are_the_pieces_in_their_order(sizes in prop::collection::vec(0u64..1000, 0..300)) {
            let pieces: Vec<SnapshotPiece> =
                (0..).zip(&sizes).map(|(file, &bytes)| SnapshotPiece { file, group: None, bytes }).collect();
            let parts = divide(&pieces);
            prop_assert!(parts.iter().all(|part| !part.is_empty()));
            prop_assert!(parts.len() <= PARTS.start() + 1);
            let most = sizes.iter().max().copied().unwrap_or(0);
            let fair = sizes.iter().sum::<u64>() / *PARTS.start() as u64 + 1;
            prop_assert!(parts.iter().all(|part| part.iter().map(|piece| piece.bytes).sum::<u64>() <= fair + 2 * most));
            prop_assert_eq!(parts.concat(), pieces);
        }
    }
}
