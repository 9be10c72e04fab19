//! New releases, taken up while requests go on.
//!
//! ```text
//! survey the manifests ── unchanged ──> wait
//!        └── changed ──> open and check the whole catalogue beside the one that serves ──> exchange it in one step
//! ```
//!
//! A request holds what it found when it came ([`Shared`]) until its last byte is sent, so it never sees a mix. Whatever
//! is wrong with the new state (a damaged file, a release withdrawn, a store that does not answer) leaves the old one in
//! force; the log says why, and the next survey tries again.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, PoisonError, RwLock, atomic::Ordering},
    time::Duration,
};

use futures::FutureExt;

use super::{Shared, check_protection};
use crate::{
    charts::Boundaries,
    dashboards::Dashboards,
    error::{Error, Result},
    release::{Catalogue, survey},
    sql::Sql,
    storage::{Store, StoredFile},
    tables::Library,
};

/// What requests see at this moment.
#[derive(Clone)]
pub struct Current(Arc<RwLock<Arc<Shared>>>);

impl Current {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self(Arc::new(RwLock::new(shared)))
    }

    pub(super) fn get(&self) -> Arc<Shared> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, shared: Arc<Shared>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = shared;
    }
}

/// Watches a store of releases.
pub struct Renewal {
    store: Store,
    /// The manifests that the current state was made from.
    known: Vec<StoredFile>,
    /// The files of outlines, likewise.
    outlines: Vec<StoredFile>,
    /// What was last complained of, so that it is not said again at every look.
    complaint: String,
}

impl Renewal {
    /// Watches for what differs from `known` and `outlines`, which were surveyed before the current state was opened.
    pub fn new(store: &Store, known: Vec<StoredFile>, outlines: Vec<StoredFile>) -> Self {
        Self { store: store.clone(), known, outlines, complaint: String::new() }
    }

    /// Looks again and again. Dropping the future ends it at its next await.
    pub async fn run(mut self, current: Current, every: Duration) {
        loop {
            tokio::time::sleep(every).await;
            let shared = current.get();
            // A bug here must not end the service either.
            let looked = AssertUnwindSafe(self.look(&shared)).catch_unwind().await;
            let stale = match looked.unwrap_or_else(|_| Err(Error::Internal("looking for new releases panicked".into()))) {
                Ok(None) => false,
                Ok(Some(renewed)) => {
                    let folders =
                        |shared: &Shared| shared.library.releases.iter().map(|release| release.folder.clone()).collect::<Vec<_>>();
                    tracing::info!(before = ?folders(&shared), now = ?folders(&renewed), "serving other releases");
                    renewed.metrics.releases(renewed.library.releases.len());
                    current.set(Arc::new(renewed));
                    false
                }
                Err(error) => {
                    let complaint = error.to_string();
                    if complaint != self.complaint {
                        tracing::error!(%error, "the releases have changed but cannot be taken up; what was served before is served on");
                        self.complaint = complaint;
                    }
                    true
                }
            };
            if !stale {
                self.complaint.clear();
            }
            shared.stale.store(stale, Ordering::Relaxed);
        }
    }

    /// The state that the store asks for by now, if it is another one.
    async fn look(&mut self, shared: &Shared) -> Result<Option<Shared>> {
        let (found, outlines) = (survey(&self.store).await?, Boundaries::survey(&self.store).await?);
        let boundaries = if outlines == self.outlines { None } else { Some(Arc::new(Boundaries::load(&self.store).await?)) };
        let redrawn = boundaries.map(|boundaries| Shared { boundaries, views: Arc::default(), ..shared.clone() });
        if found == self.known {
            self.outlines = outlines;
            return Ok(redrawn);
        }
        let catalogue = Catalogue::open(&self.store).await?;
        for served in &shared.library.releases {
            let period = served.manifest.period;
            let left = catalogue.releases().iter().find(|release| release.edition.manifest.period == period);
            if left.is_none_or(|left| left.edition.manifest.revision < served.manifest.revision) {
                return Err(Error::Conflict(format!(
                    "release {} has been withdrawn; start the service anew to serve what is left without it",
                    served.folder
                )));
            }
        }
        check_protection(&catalogue, shared.address)?;
        let is_served = |sha256: &str| shared.library.releases.iter().any(|served| served.sha256 == sha256);
        for release in catalogue.releases().iter().filter(|release| !is_served(&release.edition.sha256)) {
            release.edition.verify(&self.store).await?;
        }
        let library = open(catalogue, shared).await?;
        self.known = found;
        self.outlines = outlines;
        if library.fingerprint == shared.library.fingerprint {
            return Ok(redrawn);
        }
        let library = Arc::new(library);
        let sql = Sql::open(&library, &shared.engine, &shared.queries, shared.sql.session().settings()).await?;
        let dashboards = Arc::new(Dashboards::open(&library, &sql, &shared.dashboard_files)?);
        let views = Arc::default();
        Ok(Some(Shared { library, sql: Arc::new(sql), dashboards, views, ..redrawn.unwrap_or_else(|| shared.clone()) }))
    }
}

/// Opens the library away from the threads that answer: for a whole country it takes a while.
async fn open(catalogue: Catalogue, shared: &Shared) -> Result<Library> {
    let (engine, handle) = (Arc::clone(&shared.engine), tokio::runtime::Handle::current());
    let opened = tokio::task::spawn_blocking(move || handle.block_on(Library::open(&catalogue, &engine)));
    opened.await.map_err(|error| Error::Internal(error.to_string()))?
}
