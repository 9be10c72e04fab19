//! Making checkpoints while a log is written: when they are due, and where they go.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use chrono::Utc;
use tokio::{sync::watch, time::Instant};

use super::{
    checkpoint::{Checkpoint, append, last},
    files::{CHAIN, CHECKPOINTS},
    signing::SigningKey,
    witness::{CheckpointFigures, Witness, must_lie_elsewhere},
};
use crate::error::{Error, Result};

/// How checkpoints are made.
#[derive(Debug, Clone)]
pub struct CheckpointSettings {
    key: Arc<SigningKey>,
    witness: Option<Witness>,
    records: u64,
    every: Duration,
}

impl CheckpointSettings {
    /// Signs by the key of a file, after so many records and so much time with records, whichever comes first.
    ///
    /// # Errors
    /// Where the key cannot be read, or key or witness lie beside the database.
    pub fn new(key: &Path, witness: Option<Witness>, every: (u64, Duration), database: &Path) -> Result<Self> {
        must_lie_elsewhere("key of the log", key, database)?;
        if let Some(Witness::File(path)) = &witness {
            must_lie_elsewhere("file of the witness", path, database)?;
        }
        Ok(Self { key: Arc::new(SigningKey::open(key)?), witness, records: every.0.max(1), every: every.1.max(Duration::from_secs(1)) })
    }

    /// Where checkpoints are told beside the log.
    pub fn witness(&self) -> Option<&Witness> {
        self.witness.as_ref()
    }
}

/// Makes the checkpoints of a log.
pub struct Checkpointer {
    settings: CheckpointSettings,
    /// Name of the log.
    log: String,
    path: PathBuf,
    newest: watch::Sender<Option<Checkpoint>>,
    figures: Arc<CheckpointFigures>,
    /// Number of the last record that a checkpoint covers, and when the first one behind it was written.
    covered: u64,
    open_since: Option<Instant>,
}

impl Checkpointer {
    /// For the log in a folder.
    pub fn new(
        settings: CheckpointSettings,
        log: String,
        folder: &Path,
        newest: watch::Sender<Option<Checkpoint>>,
        figures: Arc<CheckpointFigures>,
    ) -> Self {
        Self { settings, log, path: folder.join(CHECKPOINTS), newest, figures, covered: 0, open_since: None }
    }

    /// Compares the end of the log with what was signed of it before, and signs where it stands now.
    ///
    /// # Errors
    /// Where the log does not come as far as was signed, or ends otherwise.
    pub fn begin(&mut self, number: u64, chain: &[u8; CHAIN]) -> Result<()> {
        let witness = match &self.settings.witness {
            Some(Witness::File(path)) => Some(path),
            _ => None,
        };
        for path in std::iter::once(&self.path).chain(witness) {
            if let Some(known) = last(path, &self.log)? {
                self.compare(&known, path, number, chain)?;
            }
        }
        self.comes_to(number);
        self.make(number, chain);
        Ok(())
    }

    fn compare(&self, known: &Checkpoint, path: &Path, number: u64, chain: &[u8; CHAIN]) -> Result<()> {
        let own = self.settings.key.public();
        let wrong = |problem: &str| {
            Err(Error::Input(format!(
                "{}: {problem}; 'cacah log verify' says more. Restore the log from a copy; if that is what was done, put this file aside and \
                 keep it, because it tells which records the copy lacks",
                path.display()
            )))
        };
        // Those of an earlier key are compared all the same; only `verify` is given that key.
        if known.key == own.id() && !known.is_signed_by(&own) {
            return wrong("its last checkpoint is not what was signed");
        }
        if known.number > number {
            return wrong(&format!(
                "the log ends at record {number}, but had come to record {} on {}; records were taken away",
                known.number, known.at
            ));
        }
        if known.number == number && known.chain() != Some(*chain) {
            return wrong(&format!("record {number} is not the one that was signed on {}", known.at));
        }
        Ok(())
    }

    /// The log has come to a record.
    pub fn comes_to(&mut self, number: u64) {
        self.figures.comes_to(number);
        if number > self.covered && self.open_since.is_none() {
            self.open_since = Some(Instant::now());
        }
    }

    /// When the next checkpoint is due, if there is anything to be covered by it.
    pub fn due(&self) -> Option<Instant> {
        self.open_since.map(|since| since + self.settings.every)
    }

    /// Whether a log that has come to a record needs a checkpoint now.
    pub fn is_due(&self, number: u64) -> bool {
        number >= self.covered + self.settings.records || self.due().is_some_and(|due| due <= Instant::now())
    }

    /// Whether there are records that no checkpoint covers.
    pub fn is_open(&self) -> bool {
        self.open_since.is_some()
    }

    /// Makes a checkpoint: on disk beside the log, and for the witness. What goes wrong with either keeps nobody from being answered.
    pub fn make(&mut self, number: u64, chain: &[u8; CHAIN]) {
        let CheckpointSettings { key, records, every, .. } = &self.settings;
        let checkpoint = Checkpoint::sign(key, &self.log, (number, chain), (*records, every.as_secs()), Utc::now());
        let written = checkpoint
            .line()
            .and_then(|line| append(&self.path, &line).map_err(|error| Error::storage(format!("writing {}", self.path.display()), error)));
        if let Err(error) = written {
            tracing::error!(%error, "a checkpoint of the log is not on disk; the witness is told it all the same");
        }
        (self.covered, self.open_since) = (number, None);
        self.figures.count_made();
        self.newest.send_replace(Some(checkpoint));
    }
}
