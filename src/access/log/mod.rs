//! The log of every access to data: written before the answer, and chained so that no record can be changed, taken out or moved.
//!
//! ```text
//! request ── keep ──> writer: number, chain, append, flush to disk ──> answer
//!                        │ all that wait are flushed together
//!                        ├── file full ──> compressed Parquet, the chain carried over
//!                        └── every so many records and minutes ──> checkpoint, signed: beside the log and to a witness
//! ```
//!
//! A line is `number TAB record TAB chain`, where the chain is the HMAC-SHA-256 of the line's beginning and of the chain before it, with a key
//! that is derived from that of the database. Whoever can write the files but has no key can forge no record.
//!
//! A log that is cut off at its end is a sound one, only shorter. Against that stand a file `head`, sealed with the same key, which finds
//! whoever has no key and no older copy of it; and checkpoints, signed by another key and known to a witness elsewhere, which find anybody.

mod checkpoint;
mod checkpointer;
mod compress;
mod evidence;
mod files;
mod record;
mod search;
mod signing;
mod verify;
mod witness;
mod writer;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chrono::Utc;
use ring::hmac;
use tokio::sync::{mpsc, oneshot, watch};

pub use checkpointer::CheckpointSettings;
pub use evidence::{Attested, Evidence};
pub use files::whole;
pub use record::{NAMED_REGIONS, Record};
pub use search::{Search, is_refusal, newest, records};
pub use signing::{PublicKey, SigningKey};
pub use verify::{Kept, Verified, verify};
pub use witness::{CheckpointFigures, Witness, must_lie_elsewhere};
pub use writer::free;

use self::checkpointer::Checkpointer;
use super::{
    changes::{self, Changing},
    database::Database,
};
use crate::error::{Error, Result};

/// Records that wait at a time; those who come when there is no room wait until there is.
const WAITING: usize = 4096;

/// How long the end of a service waits until the witness knows how far the log came.
const FAREWELL: Duration = Duration::from_secs(5);

/// The keys of a log, derived from that of its database.
#[derive(Clone)]
pub struct LogKeys {
    chain: hmac::Key,
    head: hmac::Key,
}

impl LogKeys {
    /// Those of a database.
    pub fn of(database: &Database) -> Self {
        Self { chain: database.secret.chain(), head: database.secret.head() }
    }
}

/// Whether the head of the log of a database must have a seal: since a program that seals it has written the log.
pub fn is_sealed(database: &Database) -> Result<bool> {
    database
        .read(|connection| connection.query_row("SELECT count(*) FROM setting WHERE name = 'sealed log'", [], |row| row.get::<_, u32>(0)))
        .map(|found| found > 0)
}

/// Somebody who may have a record before long: the writer flushes once for all who are coming, as long as none of them is late.
#[derive(Debug)]
pub struct Coming(Arc<AtomicUsize>);

impl Drop for Coming {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A record on its way to disk.
struct Waiting {
    text: Vec<u8>,
    /// He counts as coming until his record is on disk.
    _coming: Option<Coming>,
    done: oneshot::Sender<std::result::Result<(), Arc<str>>>,
}

/// A log that is being written.
#[derive(Debug)]
pub struct Log {
    writer: mpsc::Sender<Waiting>,
    finishing: mpsc::Sender<oneshot::Sender<u64>>,
    coming: Arc<AtomicUsize>,
    figures: Option<Arc<CheckpointFigures>>,
}

impl Log {
    /// Goes on with the log in a folder, or begins one; it is written on the runtime of whoever calls.
    ///
    /// # Errors
    /// Where another process writes it, where it cannot be written, where its end is not what was written, or where it does not come as far as
    /// its checkpoints say.
    pub(super) fn open(folder: &Path, database: &Database, checkpoints: Option<CheckpointSettings>) -> Result<Self> {
        let (writer, waiting) = mpsc::channel(WAITING);
        let (finishing, asked) = mpsc::channel(1);
        let (newest, to_tell) = watch::channel(None);
        let witness = checkpoints.as_ref().and_then(|settings| settings.witness().cloned());
        let figures = checkpoints.as_ref().map(|_| Arc::new(CheckpointFigures::new(witness.is_some())));
        let checkpointer = checkpoints
            .zip(figures.clone())
            .map(|(settings, figures)| Checkpointer::new(settings, database.secret.name(), folder, newest, figures));
        let mut state = writer::Writer::open(folder, LogKeys::of(database), is_sealed(database)?, checkpointer)?;
        database.write(|transaction| {
            // Now that it has a seal, it must have one for good.
            transaction.execute("INSERT OR IGNORE INTO setting (name, value) VALUES ('sealed log', 'yes')", [])?;
            if state.begins_anew {
                let what = "begun anew: the one before was taken away or put aside";
                let change = Changing { by: "service", subject: "setting", subject_id: "log", what, reason: "", until: None };
                changes::record(transaction, &change, Utc::now())?;
            }
            Ok(Ok(()))
        })?;
        if state.begins_anew {
            tracing::warn!(folder = %folder.display(), "the log of accesses begins anew: the one before was taken away or put aside");
        }
        state.begin_checkpoints()?;
        let coming = Arc::default();
        tokio::spawn(state.run(waiting, asked, Arc::clone(&coming)));
        if let Some((witness, figures)) = witness.zip(figures.clone()) {
            tokio::spawn(witness::keep_telling(witness, to_tell, figures));
        }
        Ok(Self { writer, finishing, coming, figures })
    }

    /// What is known of checkpoints, if there are any.
    pub fn figures(&self) -> Option<Arc<CheckpointFigures>> {
        self.figures.clone()
    }

    /// Makes a last checkpoint, and waits a little until the witness knows of it. To be called when nothing is answered any more.
    pub async fn finish(&self) {
        let (done, covered) = oneshot::channel();
        let Some(figures) = &self.figures else { return };
        let told = async {
            if self.finishing.send(done).await.is_ok()
                && let Ok(number) = covered.await
                && figures.unwitnessed().is_some()
            {
                figures.told(number).await;
            }
        };
        if tokio::time::timeout(FAREWELL, told).await.is_err() {
            tracing::warn!(records = figures.unwitnessed(), "the witness of the log does not know of its last records");
        }
    }

    /// Tells the writer of somebody who may have a record before long.
    pub fn coming(&self) -> Coming {
        self.coming.fetch_add(1, Ordering::Relaxed);
        Coming(Arc::clone(&self.coming))
    }

    /// Keeps a record, that of somebody who was coming. Once this has succeeded it is on disk.
    ///
    /// # Errors
    /// Where it could not be written: then whatever it is of must not be answered.
    pub async fn keep(&self, record: &Record, coming: Option<Coming>) -> Result<()> {
        let text = serde_json::to_vec(record).map_err(|error| Error::Internal(error.to_string()))?;
        let (done, kept) = oneshot::channel();
        let failed = |problem: &dyn std::fmt::Display| Error::storage("writing the log of accesses", problem);
        self.writer.send(Waiting { text, _coming: coming, done }).await.map_err(|_| failed(&"its writer has ended"))?;
        kept.await.map_err(|_| failed(&"its writer has ended"))?.map_err(|error| failed(&error))
    }
}

#[cfg(test)]
mod attacks;

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use super::{files::files, writer::Writer, *};

    fn record(at: usize) -> Record {
        Record { at: format!("2024-12-01T00:00:{at:02}Z"), asked: format!("GET /{at}"), cells: at as u64, ..Record::default() }
    }

    /// Writes records one by one into files of so many bytes.
    fn written(folder: &Path, database: &Database, records: std::ops::Range<usize>, full: u64) {
        let (sender, waiting) = mpsc::channel(WAITING);
        let mut kept = Vec::new();
        for at in records {
            let (done, outcome) = oneshot::channel();
            sender.try_send(Waiting { text: serde_json::to_vec(&record(at)).unwrap(), _coming: None, done }).unwrap();
            kept.push(outcome);
        }
        drop(sender);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let writer = Writer::with_size(folder, LogKeys::of(database), true, None, full).unwrap();
            let writing = tokio::spawn(writer.run(waiting, mpsc::channel(1).1, Arc::default()));
            for outcome in kept {
                assert!(outcome.await.unwrap().is_ok());
            }
            writing.await.unwrap();
        });
    }

    struct World {
        _place: tempfile::TempDir,
        folder: PathBuf,
        database: Database,
    }

    /// Thirty records over several files, the last of them open.
    fn world() -> World {
        let place = tempfile::tempdir().unwrap();
        let database = Database::open(&place.path().join("access.sqlite")).unwrap();
        let folder = place.path().join("access.log");
        for begin in [0, 10, 20] {
            written(&folder, &database, begin..begin + 10, 1_000);
        }
        written(&folder, &database, 30..33, u64::MAX);
        World { _place: place, folder, database }
    }

    #[test]
    fn the_chain_goes_on_over_files_and_processes() {
        let World { folder, database, .. } = &world();
        let all = files(folder).unwrap();
        assert!(all.len() > 2 && all.iter().filter(|file| !file.done).count() == 1, "{all:?}");
        let verified = verify(folder, database, &Evidence::default()).unwrap();
        assert_eq!((verified.records, verified.span), (33, Some(("2024-12-01T00:00:00Z".into(), "2024-12-01T00:00:32Z".into()))));
        let mut seen = Vec::new();
        records(folder, &Search::default(), |kept| seen.push((kept.number, kept.record.cells))).unwrap();
        assert_eq!(seen, (0..33).map(|at| (at + 1, at)).collect::<Vec<_>>());
    }

    /// What `verify` says once somebody has done something to the files.
    fn tampered(tamper: impl FnOnce(&Path)) -> String {
        let World { folder, database, _place } = &world();
        tamper(folder);
        verify(folder, database, &Evidence::default()).unwrap_err().to_string()
    }

    fn rewritten(change: impl FnOnce(Vec<String>) -> Vec<String>) -> impl FnOnce(&Path) {
        move |folder| {
            let open = files(folder).unwrap().pop().unwrap();
            let lines = fs::read_to_string(&open.path).unwrap().lines().map(str::to_owned).collect();
            fs::write(&open.path, change(lines).iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
        }
    }

    #[test]
    fn whatever_is_done_to_records_is_found() {
        let says = |said: String, wanted: &str| assert!(said.contains(wanted), "no '{wanted}' in {said}");
        let changed = |mut lines: Vec<String>| {
            lines[1] = lines[1].replace("GET /31", "GET /99");
            lines
        };
        says(tampered(rewritten(changed)), "record 32 is not what was written");
        let without_middle = |mut lines: Vec<String>| {
            lines.remove(1);
            lines
        };
        says(tampered(rewritten(without_middle)), "record 33 stands where 32 was");
        let swapped = |mut lines: Vec<String>| {
            lines.swap(0, 1);
            lines
        };
        says(tampered(rewritten(swapped)), "record 32 stands where 31 was");
        let without_end = |mut lines: Vec<String>| {
            lines.pop();
            lines
        };
        says(tampered(rewritten(without_end)), "ends at record 32, but had come to record 33");
        says(tampered(|folder| fs::remove_file(&files(folder).unwrap()[1].path).unwrap()), "are missing before it");
        says(tampered(|folder| fs::remove_file(&files(folder).unwrap()[0].path).unwrap()), "records 1 to");
        // A log that was forged with another key.
        let forged = |folder: &Path| {
            let other = tempfile::tempdir().unwrap();
            let database = Database::open(&other.path().join("access.sqlite")).unwrap();
            fs::remove_dir_all(folder).unwrap();
            written(folder, &database, 0..33, u64::MAX);
        };
        says(tampered(forged), "record 1 is not what was written");
    }

    #[test]
    fn a_line_that_was_being_written_is_cut_off() {
        let World { folder, database, _place } = &world();
        let open = files(folder).unwrap().pop().unwrap();
        let sound = fs::read(&open.path).unwrap();
        fs::write(&open.path, [&sound[..], b"34\t{\"at\":"].concat()).unwrap();
        assert_eq!(verify(folder, database, &Evidence::default()).unwrap().records, 33);
        written(folder, database, 33..34, u64::MAX);
        assert_eq!(verify(folder, database, &Evidence::default()).unwrap().records, 34);
        // What was written in full and was changed since is not gone on with.
        let changed = String::from_utf8(fs::read(&open.path).unwrap()).unwrap().replace("GET /33", "GET /34");
        fs::write(&open.path, changed).unwrap();
        assert!(Writer::open(folder, LogKeys::of(database), true, None).is_err());
    }

    #[test]
    fn what_is_looked_for_is_found_over_files() {
        let World { folder, .. } = &world();
        let numbers = |search: &Search, most| newest(folder, search, most).unwrap().iter().map(|kept| kept.number).collect::<Vec<_>>();
        assert_eq!(numbers(&Search::default(), 4), [30, 31, 32, 33]);
        assert_eq!(numbers(&Search::default(), 100), (1..=33).collect::<Vec<_>>());
        let asked = Search { asked: Some("GET /1".into()), ..Search::default() };
        assert_eq!(numbers(&asked, 3), [18, 19, 20]);
        let time = |text: &str| Some(format!("2024-12-01T00:00:{text}Z"));
        let between = Search { since: time("29"), until: time("32"), ..Search::default() };
        assert_eq!(numbers(&between, 100), [30, 31, 32]);
        // Files are passed over by what they say of their times alone.
        let first = files(folder).unwrap().remove(0);
        assert!(first.done && !between.may_be_in(&first), "{first:?}");
        assert_eq!(numbers(&Search { refused: true, ..Search::default() }, 9), [0u64; 0]);
    }

    #[test]
    fn one_process_writes_at_a_time() {
        let World { folder, database, _place } = &world();
        let first = Writer::open(folder, LogKeys::of(database), true, None).unwrap();
        let second = Writer::open(folder, LogKeys::of(database), true, None).map(drop).unwrap_err().to_string();
        assert!(second.contains("another process"), "{second}");
        drop(first);
        Writer::open(folder, LogKeys::of(database), true, None).unwrap();
    }
}
