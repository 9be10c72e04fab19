//! The service: the portal for people, PxWebApi v2 and SDMX for programs, from released cells only.
//!
//! ```text
//! let application = Application::build(&Store::open("releases")?, &ServeSettings::default()).await?;
//! println!("http://{}/api/v2/tables", application.address());
//! application.run(signals()).await?;
//! ```
//!
//! This is the edge: addresses, parameters, caching, limits, shutdown. What a table says is worked out in
//! [`tables`](crate::tables), how it is written in [`formats`](crate::formats) and [`sdmx`](crate::sdmx).
//!
//! **Invariant:** no arithmetic on cells and no query text here, and nothing that can reach the confidential store.

mod accept;
mod api;
mod charts;
mod connection;
mod connection_limits;
mod data;
mod documents;
mod edge;
mod estimate;
mod finished;
mod gate;
mod limits;
mod metrics;
mod noted;
mod paced_body;
mod parameters;
mod portal;
mod postgres;
mod problem;
mod px;
mod queries;
mod renewal;
mod request_body;
mod routes;
mod saved;
mod sdmx;
mod seen;
mod server;
mod tls;
mod verification;
mod who;

use std::{
    future::Future,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{net::TcpListener, sync::oneshot};

use self::{
    connection_limits::ConnectionRegistry,
    finished::Finished,
    limits::Limits,
    metrics::Metrics,
    postgres::PostgresPort,
    renewal::{Current, Renewal},
    request_body::Uploads,
    seen::{Audience, Beyond, Views},
    server::HttpServer,
    tls::Certificate,
    verification::Verification,
};
pub use connection_limits::ConnectionBounds;
pub use ipnet::IpNet;
pub use limits::Rate;
pub use tls::TlsFiles;

use crate::{
    access::{Access, CheckpointSettings, Log},
    charts::Boundaries,
    dashboards::Dashboards,
    engine::{ServingEngine, ServingSettings, SqlSettings},
    error::{Error, Result},
    register::FileSources,
    release::{Catalogue, Protection, Trust, survey},
    sql::Sql,
    storage::{ReadCache, Spool, SpoolBounds, Store},
    tables::{Library, Scope},
};

/// How to serve.
#[derive(Debug, Clone)]
pub struct ServeSettings {
    /// Where to listen; port 0 takes any free one.
    pub address: SocketAddr,
    /// Address under which clients know the service, such as `https://data.example.org`, if a proxy stands before it.
    pub public: Option<String>,
    /// The most cells that one answer may have.
    pub most_cells: u64,
    /// The most bytes that the body of a request may have.
    pub most_body: usize,
    /// Bytes of finished answers to keep; 0 keeps none.
    pub finished: usize,
    /// The certificate by which connections are encrypted; `None`: they are not, as behind a proxy that does so.
    pub tls: Option<TlsFiles>,
    /// Networks of proxies that are believed when they say for whom they ask.
    pub trusted: Vec<IpNet>,
    /// How often one client may ask.
    pub rate: Rate,
    /// Requests that are answered at a time; more are refused.
    pub at_once: usize,
    /// How many connections there may be.
    pub connections: ConnectionBounds,
    /// How much of what is computed may wait for clients to take it.
    pub spool: SpoolBounds,
    /// Where what waits on disk lies, in files without names.
    pub spool_folder: PathBuf,
    /// Where figures for monitoring are offered; `None`: nowhere.
    pub metrics: Option<SocketAddr>,
    /// How often to look for new releases; `None`: never.
    pub refresh: Option<Duration>,
    /// How long a stop waits for answers under way.
    pub patience: Duration,
    /// Who may see what; `None`: everybody everything.
    pub access: Option<Arc<Access>>,
    /// How checkpoints of the log of accesses are made; `None`: there are none.
    pub checkpoints: Option<CheckpointSettings>,
    /// What may be seen by people who have not signed in; `None`: nothing.
    pub open: Option<Scope>,
    /// By whom releases must be signed.
    pub trust: Trust,
    /// SHA-256 of the manifests of the releases to serve, in force or not; `None`: those in force.
    pub only: Option<Vec<String>>,
    /// Whether a cell file is verified when somebody asks for it, however long that takes; a service for many does not let them wait.
    pub verifies_when_asked: bool,
    /// Bytes of cells that are compared with their digests before the service listens; of more, each file is compared beside the answers before
    /// it is read.
    pub verified_first: u64,
    /// What the engine may take of the machine.
    pub engine: ServingSettings,
    /// Folder on local disk in which to keep what was read of an object store, and how many bytes; `None`: nothing is kept.
    pub read_cache: Option<(PathBuf, u64)>,
    /// What statements of SQL may take.
    pub sql: SqlSettings,
    /// Where named queries come from.
    pub queries: FileSources,
    /// Where dashboards come from.
    pub dashboards: FileSources,
    /// Where to listen for clients of PostgreSQL, a loopback address unless connections are encrypted; `None`: nowhere.
    pub postgres: Option<SocketAddr>,
}

impl Default for ServeSettings {
    /// Loopback on port 8080; a million cells an answer; bodies of 4 MiB; 64 MiB of finished answers; as many calls as a client
    /// likes, 1024 at a time from all, on 4096 connections, 1024 from one address; 64 MiB of answers that wait in memory and 4 GiB on disk; no figures; a look for new releases every 10 seconds; 30 seconds of patience.
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            public: None,
            most_cells: 1_000_000,
            most_body: 4 << 20,
            finished: 64 << 20,
            tls: None,
            trusted: Vec::new(),
            rate: Rate { calls: 0, window: Duration::from_secs(10) },
            at_once: 1024,
            connections: ConnectionBounds { total: 4096, per_address: 1024 },
            spool: SpoolBounds::default(),
            spool_folder: std::env::temp_dir(),
            metrics: None,
            refresh: Some(Duration::from_secs(10)),
            patience: Duration::from_secs(30),
            access: None,
            checkpoints: None,
            open: None,
            trust: Trust::default(),
            only: None,
            verifies_when_asked: false,
            verified_first: 64 << 20,
            engine: ServingSettings::default(),
            read_cache: None,
            sql: SqlSettings::default(),
            queries: FileSources::Shipped,
            dashboards: FileSources::Shipped,
            postgres: None,
        }
    }
}

/// A service that listens already and answers once it runs.
pub struct Application {
    listener: TcpListener,
    address: SocketAddr,
    certificate: Option<Arc<Certificate>>,
    postgres: Option<PostgresPort>,
    patience: Duration,
    refresh: Option<Duration>,
    renewal: Renewal,
    current: Current,
    connections: ConnectionBounds,
    figures: Option<Figures>,
    verifies_when_asked: bool,
}

/// The address at which figures are offered, and what offers them.
type Figures = (SocketAddr, Pin<Box<dyn Future<Output = std::io::Result<()>> + Send>>);

/// What every request needs. It never changes: new releases make another one.
#[derive(Clone)]
struct Shared {
    library: Arc<Library>,
    boundaries: Arc<Boundaries>,
    engine: Arc<ServingEngine>,
    sql: Arc<Sql>,
    queries: Arc<FileSources>,
    dashboards: Arc<Dashboards>,
    dashboard_files: Arc<FileSources>,
    /// What lies outside of this part.
    beyond: Arc<Beyond>,
    finished: Arc<Finished>,
    /// Scheme and host of our own addresses; `None`: as the client called us.
    host: Option<String>,
    /// Whether connections are encrypted here.
    tls: bool,
    trusted: Arc<[IpNet]>,
    access: Option<Arc<Access>>,
    /// Where every access to data is kept before it is answered.
    log: Option<Arc<Log>>,
    /// What is open to all.
    open: Option<Scope>,
    /// Who looks at it.
    audience: Audience,
    address: SocketAddr,
    most_cells: u64,
    most_body: usize,
    limits: Arc<Limits>,
    uploads: Arc<Uploads>,
    metrics: Arc<Metrics>,
    stopping: Arc<AtomicBool>,
    /// Whether the store holds other releases that cannot be taken up.
    stale: Arc<AtomicBool>,
    /// Whether what is served is what was published.
    verification: Verification,
    /// The parts of this state that lie within a scope.
    views: Arc<Views>,
}

impl Application {
    /// Opens the releases of a store and begins to listen.
    ///
    /// # Errors
    /// Where there is no release or one is damaged, where a release is not protected well enough for the address, and where
    /// the address is taken.
    pub async fn build(store: &Store, settings: &ServeSettings) -> Result<Self> {
        let (known, outlines) = (survey(store).await?, Boundaries::survey(store).await?);
        let catalogue = match &settings.only {
            Some(only) => Catalogue::open_these(store, &settings.trust, only).await?,
            None => Catalogue::open_trusted(store, &settings.trust).await?,
        };
        check_protection(&catalogue, settings.address)?;
        let cache = settings.read_cache.as_ref().map(|(folder, bound)| read_cache(store, folder, *bound)).transpose()?;
        let spool = Spool::new(settings.spool_folder.clone(), settings.spool);
        let engine_settings = ServingSettings { verifies_when_asked: settings.verifies_when_asked, ..settings.engine };
        let engine = Arc::new(ServingEngine::with_disk(store, cache.clone(), spool, engine_settings)?);
        tempfile::tempfile_in(&settings.spool_folder)
            .map_err(|error| Error::storage(format!("{} (where long answers wait)", settings.spool_folder.display()), error))?;
        let library = Arc::new(Library::open(&catalogue, &engine).await?);
        let verification = Verification::of(&library);
        if verification.bytes() <= settings.verified_first && !settings.verifies_when_asked {
            verification.run(&engine).await?;
        }
        // Where everything was withdrawn nothing fits, and the service is there to say so.
        let is_empty = library.releases.is_empty();
        let [queries, dashboard_files] =
            [&settings.queries, &settings.dashboards].map(|files| if is_empty { files.fitting() } else { files.clone() });
        let sql = Arc::new(Sql::open(&library, &engine, &queries, settings.sql).await?);
        let dashboards = Arc::new(Dashboards::open(&library, &sql, &dashboard_files)?);
        for table in settings.open.iter().filter_map(|open| open.tables.as_ref()).flatten() {
            if library.table(table).is_none() && !is_empty {
                let there = library.tables.iter().map(|entry| entry.table.id.as_str()).collect::<Vec<_>>().join(", ");
                return Err(Error::Input(format!("there is no table '{table}' that could be open to all; there is {there}")));
            }
        }
        // Tables may be named in any case; scopes know them by their identifiers alone.
        let canonical = |table: &String| library.table(table).map(|entry| entry.table.id.clone());
        let open = settings.open.clone().map(|Scope { region, tables }| {
            let tables = tables.map(|tables| tables.iter().filter_map(canonical).collect());
            Scope { region, tables }
        });
        let certificate = settings.tls.as_ref().map(Certificate::read).transpose()?;
        let taken = |error: std::io::Error| Error::Conflict(format!("cannot listen on {}: {error}; choose another port", settings.address));
        let listener = TcpListener::bind(settings.address).await.map_err(taken)?;
        let address = listener.local_addr().map_err(taken)?;
        let postgres = match settings.postgres {
            Some(address) => {
                let tls = certificate.as_ref().map(|certificate| certificate.settings(&["postgresql"])).transpose()?;
                Some(PostgresPort::bind(address, tls).await?)
            }
            None => None,
        };
        tracing::info!(%address, releases = library.releases.len(), tables = library.tables.len(), "listening");
        let log = settings.access.as_ref().map(|access| access.begin_log(settings.checkpoints.clone()).map(Arc::new)).transpose()?;
        let metrics = Arc::new(Metrics::new(cache, log.as_ref().and_then(|log| log.figures())));
        metrics.releases(library.releases.len());
        let figures: Option<Figures> = match settings.metrics {
            Some(address) => {
                let (address, offered) = metrics::offer(address, Arc::clone(&metrics)).await?;
                Some((address, Box::pin(offered)))
            }
            None => None,
        };
        let boundaries = Arc::new(Boundaries::load(store).await?);
        tracing::info!(outlines = boundaries.len(), "for maps");
        let shared = Shared {
            library,
            boundaries,
            engine,
            sql,
            queries: Arc::new(settings.queries.clone()),
            dashboards,
            dashboard_files: Arc::new(settings.dashboards.clone()),
            beyond: Arc::default(),
            finished: Arc::new(Finished::new(settings.finished)),
            host: settings.public.as_ref().map(|address| address.trim_end_matches('/').to_owned()),
            tls: certificate.is_some(),
            trusted: settings.trusted.clone().into(),
            access: settings.access.clone(),
            log,
            open,
            audience: Audience::default(),
            address,
            most_cells: settings.most_cells,
            most_body: settings.most_body,
            limits: Arc::new(Limits::new(settings.rate, settings.at_once)),
            uploads: Arc::default(),
            metrics,
            stopping: Arc::default(),
            stale: Arc::default(),
            verification,
            views: Arc::default(),
        };
        Ok(Self {
            listener,
            address,
            certificate,
            postgres,
            patience: settings.patience,
            refresh: settings.refresh,
            renewal: Renewal::new(store, known, outlines, settings.trust.clone()),
            current: Current::new(Arc::new(shared)),
            connections: settings.connections,
            figures,
            verifies_when_asked: settings.verifies_when_asked,
        })
    }

    /// Where figures are offered, if they are.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.figures.as_ref().map(|(address, _)| *address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address for people, such as `http://127.0.0.1:8080`.
    pub fn origin(&self) -> String {
        let scheme = if self.certificate.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Where it listens for clients of PostgreSQL.
    pub fn postgres(&self) -> Option<SocketAddr> {
        self.postgres.as_ref().map(PostgresPort::address)
    }

    /// Answers until `shutdown` resolves; then accepts nothing new and finishes the answers under way, for as long as patience lasts.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let Self {
            listener, certificate, postgres, patience, refresh, renewal, current, connections, figures, verifies_when_asked, ..
        } = self;
        server::raise_open_files(connections.total);
        let (stop, stopped) = oneshot::channel();
        let shared = current.get();
        let stopping = Arc::clone(&shared.stopping);
        let log = shared.log.clone();
        let begin_stop = async move {
            shutdown.await;
            tracing::info!("stopping: answers under way are finished");
            stopping.store(true, Ordering::Relaxed);
            // Nobody listens any more once the server itself has ended.
            let _ = stop.send(());
        };
        let tls = certificate.as_ref().map(|certificate| certificate.settings(&["h2", "http/1.1"])).transpose()?;
        let renewing_certificate = if_any(certificate.map(Certificate::keep_up));
        let server = HttpServer {
            listener,
            tls,
            registry: ConnectionRegistry::new(connections, server::IDLE),
            trusted: Arc::clone(&shared.trusted),
            metrics: Arc::clone(&shared.metrics),
            tongue: shared.library.tongue(0),
        };
        drop(shared);
        let answering = server.run(routes::router(current.clone()), begin_stop);
        let too_long = async move {
            match stopped.await {
                Ok(()) => tokio::time::sleep(patience).await,
                Err(_) => std::future::pending().await,
            }
        };
        let asking = if_any(postgres.map(|port| port.run(current.clone())));
        let verifying = if_any((!verifies_when_asked).then(|| verification::keep_up(current.clone())));
        let renewing = if_any(refresh.map(|every| Box::pin(renewal.run(current, every))));
        let offering = if_any(figures.map(|(_, offered)| async move {
            if let Err(error) = offered.await {
                tracing::error!(%error, "figures for monitoring are no longer offered");
            }
            std::future::pending().await
        }));
        tokio::select! {
            () = offering => {}
            () = renewing_certificate => {}
            () = answering => {}
            () = verifying => {}
            () = renewing => {}
            () = asking => {}
            () = too_long => tracing::warn!(?patience, "stopped with answers unfinished"),
        }
        if let Some(log) = log {
            log.finish().await;
        }
        tracing::info!("stopped");
        Ok(())
    }
}

/// Work that goes on beside the answering; what there is not never ends.
async fn if_any(work: Option<impl Future<Output = ()>>) {
    match work {
        Some(work) => work.await,
        None => std::future::pending().await,
    }
}

/// Opens the folder in which to keep what was read of an object store.
fn read_cache(store: &Store, folder: &Path, bound: u64) -> Result<Arc<ReadCache>> {
    if store.local("").is_some() {
        return Err(Error::Input(format!("{store} is on local disk already; a folder for what was read is for releases on s3://")));
    }
    Ok(Arc::new(ReadCache::open(folder, bound)?))
}

/// Refuses to show to others what is not protected against them.
fn check_protection(catalogue: &Catalogue, address: SocketAddr) -> Result<()> {
    for release in catalogue.releases() {
        let edition = &release.edition;
        if edition.manifest.protection != Protection::Certified && !address.ip().is_loopback() {
            return Err(Error::Conflict(format!(
                "release {} has primary suppression only: small numbers are hidden, but some could be worked out from the others, \
                 so it may not leave this machine and {address} is refused; listen on a loopback address such as 127.0.0.1, or serve \
                 releases whose suppression is certified",
                edition.folder
            )));
        }
    }
    Ok(())
}

/// Resolves when the process is asked to end, by SIGINT (Ctrl-C) or SIGTERM.
pub async fn signals() {
    use tokio::signal::unix::{SignalKind, signal};
    let (interrupt, terminate) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    match (interrupt, terminate) {
        (Ok(mut interrupt), Ok(mut terminate)) => {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(%error, "signals cannot be heard; end the process to stop it");
            std::future::pending().await
        }
    }
}
