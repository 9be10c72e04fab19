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
    sync::Mutex,
};

pub use files::Format;
pub use flaws::Flaw;
pub use texts::OCCUPATIONS;

use crate::{
    error::{Error, Result},
    parallel,
    parallel::lock,
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
pub fn write(options: &Options, definitions: &Definitions, progress: &mut (dyn FnMut(u64) + Send)) -> Result<Summary> {
    let target = target(&options.out)?;
    if !(0.0..=1.0).contains(&options.dirty) {
        return Err(Error::Input(format!("{} is no share of bad records; expected a number from 0 to 1", options.dirty)));
    }
    let places = Places::new(definitions, options.seed, options.persons)?;
    let texts = Texts::new(&places.regencies);
    let shared = Shared::new(&texts);
    let calendar = Calendar::new(options.period.reference_date());
    let progress = Mutex::new((0, progress));
    let tell = |records: u64| {
        // Whoever panicked while he told of it will be heard of.
        let (sum, progress) = &mut *lock(&progress);
        *sum += records;
        progress(*sum);
    };
    let world = World { places: &places, texts: &texts, shared: &shared, calendar: &calendar, dirty: options.dirty, tell: &tell };
    match target {
        Target::File(path, format) => world.file(path, format, 0..places.places.len()),
        Target::Folder(folder) => world.folder(folder),
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
    /// Is told of the records of every village.
    tell: &'a (dyn Fn(u64) + Sync),
}

impl World<'_> {
    /// Writes the people of some villages to a file.
    fn file(&self, path: &Path, format: Format, villages: Range<usize>) -> Result<Summary> {
        let mut recorder = Recorder::new(self.places, self.texts, self.calendar, self.dirty);
        let mut writer = SnapshotWriter::create(path, format, self.shared)?;
        let mut records = 0;
        for village in villages {
            let more = recorder.village(village, &mut writer)?;
            records += more;
            (self.tell)(more);
        }
        recorder.flush(&mut writer, 1)?;
        writer.finish()?;
        Ok(Summary { records, flaws: recorder.flaws, files: vec![path.to_owned()] })
    }

    /// Writes a file for each regency, on all cores: while one is flushed to disk, another one is made.
    fn folder(&self, folder: &Path) -> Result<Summary> {
        fs::create_dir_all(folder).map_err(|error| Error::storage(format!("cannot make the folder {}", folder.display()), error))?;
        let regencies = self.places.places.chunk_by(|one, other| one.regency == other.regency).scan(0, |end, villages| {
            *end += villages.len();
            Some(*end - villages.len()..*end)
        });
        let files = parallel::each(regencies, |villages| {
            let code = self.places.regencies[self.places.places[villages.start].regency].code;
            self.file(&folder.join(format!("{code}{}", Format::Parquet.ending())), Format::Parquet, villages)
        })?;
        let mut summary = Summary::default();
        for file in files {
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
