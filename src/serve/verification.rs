//! Comparing what is served with its digests, beside the answers.
//!
//! A small store is verified before the service listens. Of a large one nothing is read before its file is verified: until then its
//! addresses answer 503, and `/readyz` says how far it is. Afterwards a file that somebody touches is verified again.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use axum::http::StatusCode;

use super::{problem::Problem, renewal::Current};
use crate::{
    engine::{CellFile, ServingEngine, Standing},
    error::Result,
    tables::Library,
    words,
};

/// How often files are looked at that somebody may have touched.
const EVERY: Duration = Duration::from_millis(500);

/// The cell files of one state of the releases.
#[derive(Debug, Clone)]
pub struct Verification {
    files: Arc<[Arc<CellFile>]>,
}

impl Verification {
    pub fn of(library: &Library) -> Self {
        let mut seen = BTreeSet::new();
        let files = library.cell_files(|_| true).into_iter().filter(|file| seen.insert(Arc::as_ptr(file)));
        Self { files: files.collect() }
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.digest().bytes).sum()
    }

    /// Whether a file differs from what was published.
    pub fn is_damaged(&self) -> bool {
        self.files.iter().any(|file| file.standing() == Standing::Damaged)
    }

    /// Why the service is not ready, if it is not.
    pub fn problem(&self) -> Option<Problem> {
        if self.is_damaged() {
            return Some(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "Damaged", &words::DAMAGED));
        }
        let done = || self.files.iter().filter(|file| file.standing() != Standing::Unverified);
        let (verified, bytes) = (done().count(), done().map(|file| file.digest().bytes).sum::<u64>());
        if verified == self.files.len() {
            return None;
        }
        let detail =
            words::VERIFYING.with(verified as u64).and(self.files.len() as u64).and(bytes / 1_000_000).and(self.bytes() / 1_000_000);
        Some(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "Verifying", detail))
    }

    /// Verifies all files that are not verified.
    ///
    /// # Errors
    /// The first file that differs or cannot be read.
    pub async fn run(&self, engine: &ServingEngine) -> Result<()> {
        for file in self.files.iter().filter(|file| file.standing() == Standing::Unverified || file.standing() == Standing::Damaged) {
            engine.verify(file).await?;
        }
        Ok(())
    }
}

/// Verifies what is served, again and again: what was not verified at the start, and what somebody touches.
pub async fn keep_up(current: Current) {
    let mut complaint = String::new();
    loop {
        let shared = current.get();
        for file in shared.verification.files.iter().filter(|file| file.standing() == Standing::Unverified) {
            match shared.engine.verify(file).await {
                Ok(()) => complaint.clear(),
                Err(error) => {
                    let said = error.to_string();
                    if said != complaint {
                        tracing::error!(%error, "a cell file is not served");
                        complaint = said;
                    }
                }
            }
        }
        drop(shared);
        tokio::time::sleep(EVERY).await;
    }
}
