//! A made-up snapshot of Indonesia's register, to try the program with. Nobody in it is a real person.
//!
//! ```no_run
//! use cacah::{register::Definitions, sample};
//!
//! # fn example(definitions: &Definitions) -> cacah::error::Result<()> {
//! let options = sample::Options {
//!     period: "2024-S1".parse().expect("a semester"),
//!     persons: 300_000,
//!     seed: 1,
//!     dirty: 0.005,
//!     out: "snapshot.parquet".into(),
//! };
//! let summary = sample::write(&options, definitions, &mut |records| eprintln!("{records}"))?;
//! println!("{} records, {} of them bad", summary.records, summary.flawed());
//! # Ok(())
//! # }
//! ```
//!
//! The villages are those of the definitions' region reference: a larger reference makes a larger country. Village by
//! village people are worked out from the seed and written, so memory does not grow with their number. The same seed and
//! number of persons give the same people in every period: older, wedded, moved, born or dead in between. The numbers
//! are plausible, not true: nothing should be concluded from them about anybody or any place.
//!
//! This is the one module that knows Indonesia; the engine does not.

mod calendar;
mod careers;
mod files;
mod flaws;
mod people;
mod places;
mod records;
mod rows;
#[cfg(test)]
mod tests;
mod texts;

use std::{
    collections::BTreeMap,
    fs,
    ops::Range,
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

pub use files::Format;
pub use flaws::Flaw;
pub use texts::OCCUPATIONS;

use crate::{
    error::{Error, Result},
    register::{Definitions, Period},
};
use calendar::Calendar;
use files::{Shared, SnapshotWriter};
use places::Places;
use records::Recorder;
use texts::Texts;

/// What to make up.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The period; people are as of its last day.
    pub period: Period,
    /// About how many people, within a few per cent.
    pub persons: u64,
    /// Another seed, other people.
    pub seed: u64,
    /// Share of bad records, 0 to 1.
    pub dirty: f64,
    /// A file whose name ends as its [`Format`] does, or a folder for one Parquet file per regency: a path that ends
    /// in a separator or is a folder already.
    pub out: PathBuf,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Records, bad ones included.
    pub records: u64,
    /// Bad records by what is wrong with them.
    pub flaws: BTreeMap<Flaw, u64>,
    /// The files, in order.
    pub files: Vec<PathBuf>,
}

impl Summary {
    /// Bad records.
    pub fn flawed(&self) -> u64 {
        self.flaws.values().sum()
    }
}

/// Where the records go.
enum Target<'a> {
    File(&'a Path, Format),
    Folder(&'a Path),
}

/// Writes a snapshot; `progress` is told after every village how many records there are.
///
/// # Errors
///
/// [`Error::Input`] for an output whose name has no known ending, for regions that are not Indonesia's, for too few or
/// too many people; [`Error::Storage`] where a file cannot be written. Files that are not complete are removed.
pub fn write(options: &Options, definitions: &Definitions, progress: &mut dyn FnMut(u64)) -> Result<Summary> {
    let target = target(&options.out)?;
    if !(0.0..=1.0).contains(&options.dirty) {
        return Err(Error::Input(format!("{} is no share of bad records; expected a number from 0 to 1", options.dirty)));
    }
    let places = Places::new(definitions, options.seed, options.persons)?;
    let texts = Texts::new(&places.regencies);
    let shared = Shared::new(&texts);
    let calendar = Calendar::new(options.period.reference_date());
    let world = World { places: &places, texts: &texts, shared: &shared, calendar: &calendar, dirty: options.dirty };
    match target {
        Target::File(path, format) => world.file(path, format, 0..places.places.len(), progress),
        Target::Folder(folder) => world.folder(folder, progress),
    }
}

/// What all files of a sample share.
#[derive(Clone, Copy)]
struct World<'a> {
    places: &'a Places,
    texts: &'a Texts,
    shared: &'a Shared,
    calendar: &'a Calendar,
    dirty: f64,
}

impl World<'_> {
    /// Writes the people of some villages to a file; `progress` is told after every village how many records there are in it.
    fn file(&self, path: &Path, format: Format, villages: Range<usize>, progress: &mut dyn FnMut(u64)) -> Result<Summary> {
        let mut recorder = Recorder::new(self.places, self.texts, self.calendar, self.dirty);
        let mut writer = SnapshotWriter::create(path, format, self.shared)?;
        let mut records = 0;
        for village in villages {
            records += recorder.village(village, &mut writer)?;
            progress(records);
        }
        recorder.flush(&mut writer, 1)?;
        writer.finish()?;
        Ok(Summary { records, flaws: recorder.flaws, files: vec![path.to_owned()] })
    }

    /// Writes a file for each regency, on all cores: while one is flushed to disk, another one is made.
    fn folder(&self, folder: &Path, progress: &mut dyn FnMut(u64)) -> Result<Summary> {
        fs::create_dir_all(folder).map_err(|error| Error::storage(format!("cannot make the folder {}", folder.display()), error))?;
        let ends = self.places.places.chunk_by(|one, other| one.regency == other.regency).scan(0, |end, villages| {
            *end += villages.len();
            Some(*end - villages.len()..*end)
        });
        let regencies: Vec<Range<usize>> = ends.collect();
        let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
        let (more, records) = mpsc::channel::<u64>();
        let work = |more: mpsc::Sender<u64>| -> Result<Vec<(usize, Summary)>> {
            let mut done = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(villages) = regencies.get(at).filter(|_| !stopped.load(Ordering::Relaxed)) else { return Ok(done) };
                let code = self.places.regencies[self.places.places[villages.start].regency].code;
                let path = folder.join(format!("{code}{}", Format::Parquet.ending()));
                let mut before = 0;
                let mut tell = |records: u64| {
                    // Nobody listens any more where another file has failed.
                    let _ = more.send(records - before);
                    before = records;
                };
                let written = self.file(&path, Format::Parquet, villages.clone(), &mut tell);
                done.push((at, written.inspect_err(|_| stopped.store(true, Ordering::Relaxed))?));
            }
        };
        let done: Vec<Result<Vec<(usize, Summary)>>> = thread::scope(|scope| {
            let cores = thread::available_parallelism().map_or(1, usize::from);
            let workers: Vec<_> = (0..cores.min(regencies.len())).map(|_| (more.clone(), &work)).collect();
            let workers: Vec<_> = workers.into_iter().map(|(more, work)| scope.spawn(move || work(more))).collect();
            drop(more);
            let mut sum = 0;
            for records in records {
                sum += records;
                progress(sum);
            }
            let panicked = |_| Err(Error::Internal("a thread that makes up people panicked".to_owned()));
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(panicked)).collect()
        });
        let mut files = done.into_iter().collect::<Result<Vec<_>>>()?.concat();
        files.sort_by_key(|(at, _)| *at);
        let mut summary = Summary::default();
        for (_, file) in files {
            summary.records += file.records;
            summary.files.extend(file.files);
            for (flaw, records) in file.flaws {
                *summary.flaws.entry(flaw).or_default() += records;
            }
        }
        Ok(summary)
    }
}

fn target(out: &Path) -> Result<Target<'_>> {
    if out.as_os_str().to_string_lossy().ends_with(['/', std::path::MAIN_SEPARATOR]) || out.is_dir() {
        return Ok(Target::Folder(out));
    }
    match Format::of(out) {
        Some(format) => Ok(Target::File(out, format)),
        None => {
            let endings = Format::ALL.map(Format::ending).join(", ");
            Err(Error::Input(format!("{} has no known ending; expected one of {endings}, or a folder ending in /", out.display())))
        }
    }
}
