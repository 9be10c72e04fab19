//! A count in parts, by workers that share nothing but a store.
//!
//! ```text
//! work/<job>/job.json                 what is counted: definitions, options, files, and which of their pieces make a part
//!            people-0007.json         a part is done; beside it .cubes, .rejects, .identities, .households
//!            repeats-0003.json        the same for some partitions of all identities
//!            people.cells             final counts of the tables of people
//!            households-0003.json     the same for some partitions of all households; beside it .cubes, .contributors
//!            large.json               cells of many people that may come from few households, if there are any
//!            large-0003.json          the same partitions once more, for those cells
//! ```
//!
//! Each part is a pure function of the job and of earlier parts, and its `.json` is written last. So a part may be begun by several
//! workers, given up and begun again, and whoever waits sees nothing of it but time. What is wrong with the snapshot is a result
//! too; only what may be better the next time (a store that does not answer) is an error of the worker's.

use std::{
    collections::HashMap,
    io::Write,
    path::PathBuf,
    sync::{Arc, Mutex, atomic::Ordering},
};

use async_trait::async_trait;
use bytemuck::Pod;
use serde::{Deserialize, Serialize};
use tokio::{runtime::Handle, sync::OnceCell};

use super::{
    HouseholdSummary,
    contributors::{Contributors, FewCells, LargeCells, LargeCount, PeopleTables},
    household_pass::{HouseholdSource, count_households, recount_households},
    households::{Detail, Households},
    run::{Compiled, Entries, Noting, Run},
    slabs::{self, Slabs},
};
use crate::{
    classify::{Position, RejectCount, Rejects, SeenIdentity},
    engine::{CountSlice, Counts, Engine, Errand},
    error::{Error, Result},
    ingest::{Progress, Snapshot, SnapshotPiece},
    parallel::lock,
    register::{Definitions, Origin, Period},
    storage::{PARTITIONS, Scratch, Spill, Store},
};

/// Parts of a pass over partitions.
const SHARES: usize = 16;
/// zstd: cubes of a part are mostly zeros.
const LEVEL: i32 = 1;

/// The passes; the last only where there are cells that it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    People,
    Repeats,
    Households,
    Large,
}

impl Pass {
    fn id(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Repeats => "repeats",
            Self::Households => "households",
            Self::Large => "large",
        }
    }

    /// Names of the pass's parts.
    pub(super) fn parts(self, job: &Job) -> Vec<String> {
        let count = if self == Self::People { job.people.len() } else { SHARES };
        (0..count).map(|number| format!("{}-{number:04}", self.id())).collect()
    }

    fn of(part: &str) -> Option<(Self, usize)> {
        let (id, number) = part.split_once('-')?;
        let pass = [Self::People, Self::Repeats, Self::Households, Self::Large].into_iter().find(|pass| pass.id() == id)?;
        Some((pass, number.parse().ok()?))
    }
}

/// What is counted.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Job {
    /// Version of the program: others would do it otherwise.
    pub version: String,
    pub period: Period,
    pub codings: HashMap<String, String>,
    pub origin: Origin,
    /// Names of all files of the snapshot.
    pub files: Vec<String>,
    /// For each part of the first pass what it reads.
    pub people: Vec<Vec<SnapshotPiece>>,
}

/// What a part stores of a cube: of counts those that are not zero and all between, of repetitions the cells.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct KeptCube {
    /// The first cell whose count is stored.
    first: usize,
    /// How many cells are.
    cells: usize,
    /// How many of them run over ([`CountSlice::over`]).
    over: usize,
}

/// The program's version as a job tells it.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Where a work folder tells what is counted.
pub(super) const JOB: &str = "job.json";
/// Where it tells how many people the leaf cells of each published table have, as [`FewCells::leaves`].
pub(super) const PEOPLE: &str = "people.cells";
/// Where it tells which cells of many people may come from few households.
pub(super) const LARGE: &str = "large.json";

/// What came of a part, beside the files that lie with it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Outcome {
    /// What is wrong with the snapshot; then there is nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    pub read: u64,
    pub newest_birth: u32,
    pub rejected: Vec<RejectCount>,
    pub duplicates: Vec<(Position, Position)>,
    pub counted: HouseholdSummary,
    /// What is stored of each cube.
    pub cubes: Vec<KeptCube>,
    /// What is stored of the members beyond the first of each household, for each table of people.
    pub repeats: Vec<KeptCube>,
    /// Shares of large households in cells of many people: table, cell, members.
    pub shares: Vec<[u32; 3]>,
    /// Cells of many people that may come from few households, with what was counted in them.
    pub large: Vec<LargeCount>,
    /// See [`slabs::write`].
    pub identities: Vec<u64>,
    pub households: Vec<u64>,
}

/// Lists as they lie in memory (little-endian), compressed.
fn pack<'a>(lists: impl Iterator<Item = &'a [u8]>) -> Result<Vec<u8>> {
    let failed = |error: std::io::Error| Error::Internal(format!("counts cannot be compressed: {error}"));
    let mut out = zstd::Encoder::new(Vec::new(), LEVEL).map_err(failed)?;
    for list in lists {
        out.write_all(list).map_err(failed)?;
    }
    out.finish().map_err(failed)
}

fn damaged() -> Error {
    Error::Input("the counts of a part are damaged; count the snapshot again".into())
}

fn unpack(packed: &[u8]) -> Result<Vec<u8>> {
    zstd::decode_all(packed).map_err(|_| damaged())
}

/// Takes a list of this many entries off what was packed.
fn next_list<T: Pod>(packed: &mut &[u8], count: usize) -> Result<Vec<T>> {
    let list;
    (list, *packed) = packed.split_at_checked(count.saturating_mul(size_of::<T>())).ok_or_else(damaged)?;
    Ok(bytemuck::pod_collect_to_vec(list))
}

/// Adds counts that a part left to those of other parts.
pub(super) fn add_packed(cubes: &mut [Counts], outcome: &Outcome, packed: &[u8]) -> Result<()> {
    if outcome.cubes.len() != cubes.len() {
        return Err(damaged());
    }
    let packed = unpack(packed)?;
    let mut rest = packed.as_slice();
    for (cube, kept) in cubes.iter_mut().zip(&outcome.cubes) {
        let low: Vec<u8> = next_list(&mut rest, kept.cells)?;
        let over: Vec<[u32; 2]> = next_list(&mut rest, kept.over)?;
        cube.add(kept.first, CountSlice { low: &low, over: &over }).ok_or_else(damaged)?;
    }
    if rest.is_empty() { Ok(()) } else { Err(damaged()) }
}

/// Adds the cells of repetitions that a part found to those of other parts.
pub(super) fn extend_packed(cells: &mut [Vec<u32>], outcome: &Outcome, packed: &[u8]) -> Result<()> {
    let packed = unpack(packed)?;
    let mut rest = packed.as_slice();
    for (cells, kept) in cells.iter_mut().zip(&outcome.cubes) {
        cells.extend(next_list::<u32>(&mut rest, kept.cells)?);
    }
    if rest.is_empty() { Ok(()) } else { Err(damaged()) }
}

/// The leaf cells of tables of people for those who go through households.
pub(super) fn pack_people(leaves: &[Vec<u8>]) -> Result<Vec<u8>> {
    pack(leaves.iter().map(Vec::as_slice))
}

fn unpack_people(tables: &PeopleTables, packed: &[u8]) -> Result<Vec<Vec<u8>>> {
    let packed = unpack(packed)?;
    let mut rest = packed.as_slice();
    let leaves = tables.tables.iter().map(|table| next_list(&mut rest, table.shape.leaf_cells as usize)).collect::<Result<_>>()?;
    if rest.is_empty() { Ok(leaves) } else { Err(damaged()) }
}

/// What a part counted of members beyond the first of each household.
fn pack_repeats(repeats: &[Vec<u8>]) -> Result<(Vec<KeptCube>, Vec<u8>)> {
    let ends = |repeats: &Vec<u8>| {
        let first = repeats.iter().position(|&count| count > 0).unwrap_or(0);
        first..repeats.iter().rposition(|&count| count > 0).map_or(0, |last| last + 1)
    };
    let ends: Vec<std::ops::Range<usize>> = repeats.iter().map(ends).collect();
    let kept = ends.iter().map(|ends| KeptCube { first: ends.start, cells: ends.len(), over: 0 }).collect();
    Ok((kept, pack(repeats.iter().zip(ends).map(|(repeats, ends)| &repeats[ends]))?))
}

/// Adds what a part counted of them to what others did.
pub(super) fn add_repeats(sums: &mut [Vec<u8>], outcome: &Outcome, packed: &[u8]) -> Result<()> {
    if outcome.repeats.len() != sums.len() {
        return Err(damaged());
    }
    let packed = unpack(packed)?;
    let mut rest = packed.as_slice();
    for (sums, kept) in sums.iter_mut().zip(&outcome.repeats) {
        let counts: Vec<u8> = next_list(&mut rest, kept.cells)?;
        let cells = kept.first.checked_add(counts.len()).and_then(|end| sums.get_mut(kept.first..end)).ok_or_else(damaged)?;
        for (sum, count) in cells.iter_mut().zip(counts) {
            *sum = sum.checked_add(count).ok_or_else(damaged)?;
        }
    }
    if rest.is_empty() { Ok(()) } else { Err(damaged()) }
}

/// Where parts are worked off.
pub struct Workshop {
    engine: Engine,
    scratch: PathBuf,
    /// Bytes that a part may hold in memory.
    memory: usize,
    /// The last job that was seen: the parts of one follow each other.
    job: Mutex<Option<(String, Arc<Known>)>>,
}

/// A job with what is made of it once.
struct Known {
    job: Job,
    definitions: Definitions,
    compiled: Arc<Compiled>,
    /// From the first part on that goes through households.
    few: OnceCell<Arc<FewCells>>,
}

impl Known {
    /// The cells of few people of the published tables of people; `None` where nobody asks for contributors.
    async fn few_cells(&self, place: &Store) -> Result<Option<Arc<FewCells>>> {
        let Some(tables) = &self.compiled.people_tables else { return Ok(None) };
        let read = || async {
            let packed = place.read(PEOPLE).await?.ok_or_else(|| Error::storage(place.address(), format!("{PEOPLE} is not there")))?;
            Ok(Arc::new(FewCells::new(Arc::clone(tables), unpack_people(tables, &packed)?)?))
        };
        self.few.get_or_try_init(read).await.cloned().map(Some)
    }
}

impl Workshop {
    /// A workshop. `memory` are the bytes of identities and households that all its threads together hold before they go to `scratch`.
    pub fn new(engine: Engine, scratch: PathBuf, memory: usize) -> Self {
        let memory = memory / engine.threads().max(1);
        Self { engine, scratch, memory, job: Mutex::default() }
    }

    /// The job of a work folder; `None` where it is over.
    async fn job(&self, place: &Store) -> Result<Option<Arc<Known>>> {
        let address = place.address();
        if place.stat(JOB).await?.is_none() {
            return Ok(None);
        }
        let known = lock(&self.job).clone();
        if let Some((_, known)) = known.filter(|(known, _)| *known == address) {
            return Ok(Some(known));
        }
        let Some(text) = place.read(JOB).await? else { return Ok(None) };
        let version: Version = serde_json::from_slice(&text).map_err(|error| Error::Input(format!("{address}/{JOB}: {error}")))?;
        if version.version != VERSION {
            return Err(Error::Input(format!(
                "a worker runs cacah {VERSION} and was sent a job of cacah {}; run the same version everywhere",
                version.version
            )));
        }
        let job: Job = serde_json::from_slice(&text).map_err(|error| Error::Input(format!("{address}/{JOB}: {error}")))?;
        let definitions = job.origin.parse()?;
        let compiled = Compiled::new(&definitions, job.period, &job.codings)?;
        let known = Arc::new(Known { job, definitions, compiled, few: OnceCell::new() });
        *lock(&self.job) = Some((address, Arc::clone(&known)));
        Ok(Some(known))
    }

    async fn people(&self, place: &Store, part: &str, known: &Known, number: usize) -> Result<Outcome> {
        let Known { job, definitions, compiled, .. } = known;
        let pieces = job.people.get(number).ok_or_else(|| Error::Internal(format!("the job has no part {part}")))?;
        let mut inputs: Vec<String> = pieces.iter().filter_map(|piece| job.files.get(piece.file as usize)).cloned().collect();
        inputs.dedup();
        let io = Handle::current();
        let scratch = Arc::new(Scratch::new(&self.scratch, self.memory)?);
        let snapshot = Snapshot::open(&inputs, compiled.classifier.columns().to_vec(), &io).await?.within(&job.files)?;
        let households = definitions.household.is_some().then(|| Arc::new(Households::new(&scratch, Detail::Every)));
        let identities = definitions.identity.as_ref().map(|_| Arc::new(Spill::<SeenIdentity>::new(&scratch)));
        let noting = identities.clone().map_or(Noting::Nothing, Noting::Whole);
        let rejects = Rejects::new(&self.scratch, job.files.clone())?;
        let run = Run::new(Arc::clone(compiled), rejects, noting, households.clone(), None);
        let progress = Progress::default();
        let feed = snapshot.feed(pieces, io, progress.clone())?;
        let cubes = run.count_people(&self.engine, &feed, 1).await?;

        let mut outcome = Outcome { read: progress.records.load(Ordering::Relaxed), ..Outcome::default() };
        if let Some(identities) = identities {
            let path = format!("{part}.identities");
            outcome.identities = slabs::write(place, &path, &self.scratch, |partition| identities.take(partition)).await?;
        }
        if let Some(households) = households {
            outcome.households = self.hand_over(place, part, &households).await?;
        }
        let found = run.finish()?;
        outcome.newest_birth = found.newest_birth;
        outcome.rejected = found.rejects.summary().into_iter().collect();
        let list = tempfile::NamedTempFile::new_in(&self.scratch).map_err(|error| Error::storage("writing the list of rejects", error))?;
        found.rejects.write_lines(&mut std::io::BufWriter::new(list.as_file()))?;
        place.upload(&format!("{part}.rejects"), list.path()).await?;
        leave_counts(place, part, outcome, cubes).await
    }

    async fn repeats(&self, place: &Store, part: &str, known: &Known, number: usize) -> Result<Outcome> {
        let Known { job, definitions, compiled, .. } = known;
        let slabs = self.slabs(place, job, &[Pass::People], "identities", |outcome| outcome.identities).await?;
        let scratch = Arc::new(Scratch::new(&self.scratch, self.memory)?);
        let households = definitions.household.is_some().then(|| Arc::new(Households::new(&scratch, Detail::Every)));
        let rejects = Rejects::new(&self.scratch, Vec::new())?;
        let run = Run::new(Arc::clone(compiled), rejects, Noting::Nothing, households.clone(), None);
        let cells = run.find_repeated(&self.engine, Entries::stored(slabs, share(number)), 1).await?;
        let mut outcome = Outcome {
            cubes: cells.iter().map(|cells| KeptCube { cells: cells.len(), ..KeptCube::default() }).collect(),
            ..Outcome::default()
        };
        if let Some(households) = households {
            outcome.households = self.hand_over(place, part, &households).await?;
        }
        let found = run.finish()?;
        outcome.rejected = found.repeated.into_iter().collect();
        outcome.duplicates = found.duplicates;
        place.write(&format!("{part}.cubes"), pack(cells.iter().map(|cells| bytemuck::cast_slice(cells)))?).await?;
        Ok(outcome)
    }

    async fn households(&self, place: &Store, part: &str, known: &Known, number: usize) -> Result<Outcome> {
        let source = self.stored_households(place, known, number).await?;
        let contributors = known.few_cells(place).await?.map(|few| Arc::new(Contributors::new(few)));
        let counted = count_households(&known.compiled, &self.engine, &source, 1, contributors.as_ref()).await?;
        let mut outcome = Outcome { counted: counted.summary, ..Outcome::default() };
        if let Some(contributors) = contributors {
            let still_used = || Error::Internal("a worker still counts contributors".into());
            let counted = Arc::try_unwrap(contributors).map_err(|_| still_used())?.into_counted();
            let packed;
            (outcome.repeats, packed) = pack_repeats(&counted.repeats)?;
            outcome.shares = counted.shares.into_sorted();
            place.write(&format!("{part}.contributors"), packed).await?;
        }
        leave_counts(place, part, outcome, counted.cubes.into_iter().chain(counted.members).collect()).await
    }

    async fn large(&self, place: &Store, known: &Known, number: usize) -> Result<Outcome> {
        let text = place.read(LARGE).await?.ok_or_else(|| Error::storage(place.address(), format!("{LARGE} is not there")))?;
        let large: Vec<LargeCount> = serde_json::from_slice(&text).map_err(|_| damaged())?;
        let Some(tables) = &known.compiled.people_tables else { return Ok(Outcome::default()) };
        let source = self.stored_households(place, known, number).await?;
        let cells = Arc::new(LargeCells::new(tables, &large));
        recount_households(&known.compiled, &self.engine, &source, 1, &cells).await?;
        let cells = Arc::try_unwrap(cells).map_err(|_| Error::Internal("a worker still counts contributors".into()))?;
        Ok(Outcome { large: cells.into_counts(), ..Outcome::default() })
    }

    /// The households of a share of the partitions.
    async fn stored_households(&self, place: &Store, known: &Known, number: usize) -> Result<Arc<HouseholdSource>> {
        let passes: &[Pass] = if known.definitions.identity.is_some() { &[Pass::People, Pass::Repeats] } else { &[Pass::People] };
        let slabs = self.slabs(place, &known.job, passes, "households", |outcome| outcome.households).await?;
        Ok(Arc::new(HouseholdSource::Stored(slabs, share(number))))
    }

    async fn hand_over(&self, place: &Store, part: &str, households: &Households) -> Result<Vec<u64>> {
        slabs::write(place, &format!("{part}.households"), &self.scratch, |partition| households.take(partition)).await
    }

    /// What the parts of earlier passes left.
    async fn slabs(&self, place: &Store, job: &Job, passes: &[Pass], kind: &str, of: impl Fn(Outcome) -> Vec<u64>) -> Result<Slabs> {
        let mut slabs = Vec::new();
        for part in passes.iter().flat_map(|pass| pass.parts(job)) {
            let outcome = outcome(place, &part).await?.ok_or_else(|| Error::storage(place.address(), format!("{part} is not done")))?;
            slabs.push((format!("{part}.{kind}"), of(outcome)));
        }
        Ok(Slabs::new(place.clone(), slabs))
    }
}

/// Keeps the counts of a part.
async fn leave_counts(place: &Store, part: &str, mut outcome: Outcome, cubes: Vec<Counts>) -> Result<Outcome> {
    let mut lists = Vec::new();
    for cube in cubes {
        let ends = cube.ends();
        let (low, over) = cube.into_parts();
        let over: Vec<[u32; 2]> = over.into_iter().map(|[cell, times]| [cell - ends.start as u32, times]).collect();
        outcome.cubes.push(KeptCube { first: ends.start, cells: ends.len(), over: over.len() });
        lists.push((low, ends, over));
    }
    let lists = lists.iter().flat_map(|(low, ends, over)| [&low[ends.clone()], bytemuck::cast_slice(over)]);
    place.write(&format!("{part}.cubes"), pack(lists)?).await?;
    Ok(outcome)
}

/// The only thing that a worker looks at in a job of another version.
#[derive(Deserialize)]
struct Version {
    version: String,
}

/// The partitions of a share.
fn share(number: usize) -> std::ops::Range<usize> {
    number * PARTITIONS / SHARES..(number + 1) * PARTITIONS / SHARES
}

/// What came of a part; `None` while it is not done.
pub(super) async fn outcome(place: &Store, part: &str) -> Result<Option<Outcome>> {
    let path = format!("{part}.json");
    let Some(text) = place.read(&path).await? else { return Ok(None) };
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|error| Error::Input(format!("{place}/{path}: damaged ({error}); count the snapshot again")))
}

#[async_trait]
impl Errand for Workshop {
    async fn run(&self, place: &str, part: &str) -> Result<()> {
        let place = Store::open(place)?;
        let Some(known) = self.job(&place).await? else { return Ok(()) };
        if outcome(&place, part).await?.is_some() {
            return Ok(());
        }
        let done = match Pass::of(part) {
            Some((Pass::People, number)) => self.people(&place, part, &known, number).await,
            Some((Pass::Repeats, number)) => self.repeats(&place, part, &known, number).await,
            Some((Pass::Households, number)) => self.households(&place, part, &known, number).await,
            Some((Pass::Large, number)) => self.large(&place, &known, number).await,
            None => Err(Error::Internal(format!("'{part}' is no part of a count"))),
        };
        let outcome = match done {
            Ok(outcome) => outcome,
            // The same for every worker that tries.
            Err(error @ (Error::Input(_) | Error::Definition(_) | Error::NotFound(_) | Error::Conflict(_))) => {
                Outcome { failed: Some(error.to_string()), ..Outcome::default() }
            }
            Err(error) => return Err(error),
        };
        let text = serde_json::to_vec(&outcome).map_err(|error| Error::Internal(error.to_string()))?;
        place.write(&format!("{part}.json"), text).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_parts_add_up() {
        let counts = |cubes: &[Vec<(u32, u32)>]| -> Vec<Counts> {
            let mut counts: Vec<Counts> = [6, 4, 1].map(Counts::zeroed).into();
            for (counts, cells) in counts.iter_mut().zip(cubes) {
                cells.iter().for_each(|&(cell, count)| (0..count).for_each(|_| counts.increment(cell)));
            }
            counts
        };
        let first = counts(&[vec![(2, 3), (4, 256)], vec![], vec![(0, 7)]]);
        let second = counts(&[vec![(0, 1), (2, 600)], vec![(3, 9)], vec![]]);
        let mut cubes = counts(&[]);
        let place = Store::in_memory().unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        for part in [first, second] {
            let (outcome, packed) = runtime.block_on(async {
                let outcome = leave_counts(&place, "part", Outcome::default(), part).await.unwrap();
                (outcome, place.read("part.cubes").await.unwrap().unwrap())
            });
            add_packed(&mut cubes, &outcome, &packed).unwrap();
            let kept = |first, cells, over| KeptCube { first, cells, over };
            let whole = outcome.cubes.clone();
            let at_the_end = vec![whole[0], whole[1], KeptCube { first: 2, ..whole[2] }];
            let endless = vec![kept(0, usize::MAX, 0), whole[1], whole[2]];
            for wrong in [vec![], whole[..2].to_vec(), at_the_end, endless, vec![kept(0, 0, 0); 3]] {
                assert!(add_packed(&mut cubes.clone(), &Outcome { cubes: wrong, ..Outcome::default() }, &packed).is_err());
            }
        }
        assert_eq!(cubes, counts(&[vec![(0, 1), (2, 603), (4, 256)], vec![(3, 9)], vec![(0, 7)]]));
        assert!(add_packed(&mut cubes, &Outcome::default(), b"nothing").is_err());
    }

    #[test]
    fn repeats_of_parts_add_up() {
        let mut sums = vec![vec![0; 6], vec![0; 3], vec![0; 2]];
        for part in [[vec![0, 3, 0, 250, 0, 0], vec![0; 3], vec![7, 0]], [vec![1, 0, 0, 5, 0, 0], vec![0, 0, 9], vec![0, 1]]] {
            let (repeats, packed) = pack_repeats(&part).unwrap();
            let outcome = Outcome { repeats, ..Outcome::default() };
            add_repeats(&mut sums, &outcome, &packed).unwrap();
            let beyond = Outcome { repeats: vec![KeptCube { first: 4, ..outcome.repeats[0] }; 3], ..Outcome::default() };
            assert!(add_repeats(&mut sums.clone(), &beyond, &packed).is_err());
            assert!(add_repeats(&mut sums.clone(), &Outcome::default(), &packed).is_err());
        }
        assert_eq!(sums, [vec![1, 3, 0, 255, 0, 0], vec![0, 0, 9], vec![7, 1]]);
        let (repeats, packed) = pack_repeats(&[vec![0, 0, 0, 1, 0, 0], vec![], vec![]]).unwrap();
        assert!(add_repeats(&mut sums, &Outcome { repeats, ..Outcome::default() }, &packed).is_err(), "more than a byte holds");
    }

    #[test]
    fn shares_are_all_partitions() {
        let all: Vec<usize> = (0..SHARES).flat_map(share).collect();
        assert_eq!(all, (0..PARTITIONS).collect::<Vec<_>>());
        assert_eq!(Pass::of("repeats-0015"), Some((Pass::Repeats, 15)));
        assert_eq!(Pass::of("people"), None);
    }
}
