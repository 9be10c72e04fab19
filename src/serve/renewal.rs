//! New releases, taken up while requests go on.
//!
//! ```text
//! survey the manifests ── unchanged ──> wait
//!        └── changed ──> open and check the whole catalogue beside the one that serves ──> exchange it in one step
//! ```
//!
//! A request holds what it found when it came ([`Shared`]) until its last byte is sent, so it never sees a mix. Whatever
//! is wrong with the new state (a damaged file, a release that is gone, a query that no longer fits, a store that does not answer) leaves the old one
//! in force; the log says why, and the next survey tries again: what was surveyed is remembered when all of it was taken up, not before.
//!
//! A withdrawal is obeyed whatever else is wrong. Its cells are closed where they are read, so that also a request under way or a statement
//! that was prepared before gets none of them.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, PoisonError, RwLock, atomic::Ordering},
    time::Duration,
};

use futures::FutureExt;

use super::{Shared, check_protection, verification::Verification};
use crate::{
    charts::Boundaries,
    dashboards::Dashboards,
    error::{Error, Result},
    release::{Catalogue, Trust, Withdrawn, survey, withdrawal_of},
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
    /// By whom releases must be signed.
    trust: Trust,
    /// What was last complained of, so that it is not said again at every look.
    complaint: String,
}

impl Renewal {
    /// Watches for what differs from `known` and `outlines`, which were surveyed before the current state was opened.
    pub fn new(store: &Store, known: Vec<StoredFile>, outlines: Vec<StoredFile>, trust: Trust) -> Self {
        Self { store: store.clone(), known, outlines, trust, complaint: String::new() }
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
                    take_up(&current, &shared, renewed);
                    false
                }
                Err(error) => {
                    let complaint = error.to_string();
                    if complaint != self.complaint {
                        tracing::error!(%error, "the releases have changed but cannot be taken up; what was served before is served on");
                        self.complaint = complaint;
                    }
                    match AssertUnwindSafe(self.without_withdrawn(&shared)).catch_unwind().await {
                        Ok(Ok(Some(renewed))) => take_up(&current, &shared, renewed),
                        Ok(Ok(None)) => {}
                        Ok(Err(error)) => tracing::error!(%error, "whether anything was withdrawn cannot be told"),
                        Err(_) => tracing::error!("looking for withdrawals panicked"),
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
        // A damaged file may have been restored, which no manifest tells.
        let is_damaged = shared.verification.is_damaged();
        if found == self.known && !is_damaged {
            self.outlines = outlines;
            return Ok(redrawn);
        }
        let catalogue = Catalogue::open_trusted(&self.store, &self.trust).await?;
        check_nothing_lost(&catalogue, shared)?;
        check_protection(&catalogue, shared.address)?;
        let loses = !catalogue.withdrawn().iter().all(|withdrawn| shared.library.withdrawn.contains(withdrawn));
        let library = open(catalogue, shared).await?;
        let verification = Verification::of(&library);
        verification.run(&shared.engine).await?;
        if library.fingerprint == shared.library.fingerprint && !is_damaged {
            self.known = found;
            self.outlines = outlines;
            return Ok(redrawn);
        }
        let library = Arc::new(library);
        let (sql, dashboards) = match questions(shared, &library, false).await {
            Ok(opened) => opened,
            // A query that needs what was withdrawn must not keep it on the air.
            Err(error) if loses => {
                tracing::error!(%error, "queries or dashboards that do not fit what is left after a withdrawal are not served");
                questions(shared, &library, true).await?
            }
            Err(error) => return Err(error),
        };
        self.known = found;
        self.outlines = outlines;
        let views = Arc::default();
        Ok(Some(Shared { library, sql, dashboards, verification, views, ..redrawn.unwrap_or_else(|| shared.clone()) }))
    }

    /// The state that is served without the releases that were withdrawn, where the store as a whole cannot be taken up; `None` where none was.
    async fn without_withdrawn(&self, shared: &Shared) -> Result<Option<Shared>> {
        let mut withdrawn: Vec<Withdrawn> = Vec::new();
        for edition in &shared.library.releases {
            let known = |known: &Withdrawn| known.withdrawal.manifest == edition.sha256;
            if shared.library.withdrawn.iter().any(known) {
                continue;
            }
            if let Some(withdrawal) = withdrawal_of(&self.store, &edition.folder, &edition.sha256, &self.trust).await? {
                withdrawn.push(edition.clone().withdrawn(withdrawal));
            }
        }
        if withdrawn.is_empty() {
            return Ok(None);
        }
        let library = Arc::new(shared.library.with_withdrawn(&withdrawn));
        let (sql, dashboards) = questions(shared, &library, true).await?;
        Ok(Some(Shared { library, sql, dashboards, views: Arc::default(), ..shared.clone() }))
    }
}

/// Serves another state from now on, and closes what was withdrawn with it.
fn take_up(current: &Current, shared: &Shared, renewed: Shared) {
    let folders = |shared: &Shared| shared.library.releases.iter().map(|release| release.folder.clone()).collect::<Vec<_>>();
    let withdrawn: Vec<String> = renewed.library.withdrawn.iter().map(Withdrawn::folder).collect();
    tracing::info!(before = ?folders(shared), now = ?folders(&renewed), ?withdrawn, "serving other releases");
    renewed.metrics.releases(renewed.library.releases.len());
    let is_withdrawn = |release: usize| {
        let sha256 = shared.library.releases.get(release).map(|release| &release.sha256);
        renewed.library.withdrawn.iter().any(|withdrawn| Some(&withdrawn.withdrawal.manifest) == sha256)
    };
    for file in shared.library.cell_files(is_withdrawn) {
        file.withdraw();
    }
    current.set(Arc::new(renewed));
}

/// Refuses a store in which something is gone without a word.
fn check_nothing_lost(catalogue: &Catalogue, shared: &Shared) -> Result<()> {
    let in_force = |period| catalogue.releases().iter().map(|release| &release.edition.manifest).find(|manifest| manifest.period == period);
    for served in &shared.library.releases {
        let (period, revision) = (served.manifest.period, served.manifest.revision);
        let is_newer = in_force(period).is_some_and(|manifest| manifest.revision >= revision);
        let said = |withdrawn: &Withdrawn| withdrawn.withdrawal.period == period && withdrawn.withdrawal.revision >= revision;
        if !is_newer && !catalogue.withdrawn().iter().any(said) {
            return Err(Error::Conflict(format!(
                "release {} is gone, and nobody has withdrawn it; restore it, or withdraw it with 'cacah withdraw', or start the service anew to \
                 serve what is left without it",
                served.folder
            )));
        }
    }
    for withdrawn in shared.library.withdrawn.iter() {
        let (period, revision) = (withdrawn.withdrawal.period, withdrawn.withdrawal.revision);
        if in_force(period).is_some_and(|manifest| manifest.revision <= revision) {
            return Err(Error::Conflict(format!("the withdrawal of {} is gone; restore withdrawal.json from a copy", withdrawn.folder())));
        }
    }
    Ok(())
}

/// Opens queries and dashboards over a library; if need be, those that fit it.
async fn questions(shared: &Shared, library: &Arc<Library>, fitting: bool) -> Result<(Arc<Sql>, Arc<Dashboards>)> {
    // Where everything was withdrawn nothing can fit.
    if fitting || library.releases.is_empty() {
        let sql = shared.sql.part(library, &shared.engine, &shared.queries).await?;
        let dashboards = Dashboards::open(library, &sql, &shared.dashboard_files.fitting())?;
        return Ok((Arc::new(sql), Arc::new(dashboards)));
    }
    let sql = Sql::open(library, &shared.engine, &shared.queries, shared.sql.session().settings()).await?;
    let dashboards = Dashboards::open(library, &sql, &shared.dashboard_files)?;
    Ok((Arc::new(sql), Arc::new(dashboards)))
}

/// Opens the library away from the threads that answer: for a whole country it takes a while.
async fn open(catalogue: Catalogue, shared: &Shared) -> Result<Library> {
    let (engine, handle) = (Arc::clone(&shared.engine), tokio::runtime::Handle::current());
    let opened = tokio::task::spawn_blocking(move || handle.block_on(Library::open(&catalogue, &engine)));
    opened.await.map_err(|error| Error::Internal(error.to_string()))?
}
