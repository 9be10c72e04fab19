//! The service: PxWebApi v2 over HTTP, from released cells only.
//!
//! ```text
//! let application = Application::build(&Store::open("releases")?, &ServeSettings::default()).await?;
//! println!("http://{}/api/v2/tables", application.address());
//! application.run(signals()).await?;
//! ```
//!
//! This is the edge: addresses, parameters, caching, limits, shutdown. What a table says is worked out in
//! [`tables`](crate::tables), how it is written in [`formats`](crate::formats).
//!
//! **Invariant:** no arithmetic on cells and no query text here, and nothing that can reach the confidential store.

mod connection;
mod data;
mod documents;
mod edge;
mod finished;
mod page;
mod parameters;
mod postgres;
mod problem;
mod px;
mod queries;
mod renewal;

use std::{
    future::Future,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, middleware, routing::get};
use tokio::{net::TcpListener, sync::oneshot};

use self::{
    connection::Connections,
    finished::Finished,
    postgres::PostgresPort,
    renewal::{Current, Renewal},
};
use crate::{
    engine::{ServingEngine, ServingSettings, SqlSettings},
    error::{Error, Result},
    release::{Catalogue, Protection, survey},
    sql::{QuerySources, Sql},
    storage::Store,
    tables::Library,
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
    /// How often to look for new releases; `None`: never.
    pub refresh: Option<Duration>,
    /// How long a stop waits for answers under way.
    pub patience: Duration,
    /// What the engine may take of the machine.
    pub engine: ServingSettings,
    /// What statements of SQL may take.
    pub sql: SqlSettings,
    /// Where named queries come from.
    pub queries: QuerySources,
    /// Where to listen for clients of PostgreSQL, a loopback address; `None`: nowhere.
    pub postgres: Option<SocketAddr>,
}

impl Default for ServeSettings {
    /// Loopback on port 8080; a million cells an answer; bodies of 4 MiB; 64 MiB of finished answers; a look for new
    /// releases every 10 seconds; 30 seconds of patience.
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            public: None,
            most_cells: 1_000_000,
            most_body: 4 << 20,
            finished: 64 << 20,
            refresh: Some(Duration::from_secs(10)),
            patience: Duration::from_secs(30),
            engine: ServingSettings::default(),
            sql: SqlSettings::default(),
            queries: QuerySources::Shipped,
            postgres: None,
        }
    }
}

/// A service that listens already and answers once it runs.
pub struct Application {
    listener: TcpListener,
    address: SocketAddr,
    postgres: Option<PostgresPort>,
    patience: Duration,
    refresh: Option<Duration>,
    renewal: Renewal,
    current: Current,
}

/// What every request needs. It never changes: new releases make another one.
#[derive(Clone)]
struct Shared {
    library: Arc<Library>,
    engine: Arc<ServingEngine>,
    sql: Arc<Sql>,
    queries: Arc<QuerySources>,
    finished: Arc<Finished>,
    /// Scheme and host of our own addresses; `None`: as the client called us.
    public: Option<String>,
    address: SocketAddr,
    most_cells: u64,
    most_body: usize,
    stopping: Arc<AtomicBool>,
    /// Whether the store holds other releases that cannot be taken up.
    stale: Arc<AtomicBool>,
}

impl Application {
    /// Opens the releases of a store and begins to listen.
    ///
    /// # Errors
    /// Where there is no release or one is damaged, where a release is not protected well enough for the address, and where
    /// the address is taken.
    pub async fn build(store: &Store, settings: &ServeSettings) -> Result<Self> {
        let known = survey(store).await?;
        let catalogue = Catalogue::open(store).await?;
        check_protection(&catalogue, settings.address)?;
        let engine = Arc::new(ServingEngine::new(store, settings.engine)?);
        let library = Arc::new(Library::open(&catalogue, &engine).await?);
        let sql = Arc::new(Sql::open(&library, &engine, &settings.queries, settings.sql).await?);
        let taken = |error: std::io::Error| Error::Conflict(format!("cannot listen on {}: {error}; choose another port", settings.address));
        let listener = TcpListener::bind(settings.address).await.map_err(taken)?;
        let address = listener.local_addr().map_err(taken)?;
        let postgres = match settings.postgres {
            Some(address) => Some(PostgresPort::bind(address).await?),
            None => None,
        };
        tracing::info!(%address, releases = library.releases.len(), tables = library.tables.len(), "listening");
        let shared = Shared {
            library,
            engine,
            sql,
            queries: Arc::new(settings.queries.clone()),
            finished: Arc::new(Finished::new(settings.finished)),
            public: settings.public.as_ref().map(|address| address.trim_end_matches('/').to_owned()),
            address,
            most_cells: settings.most_cells,
            most_body: settings.most_body,
            stopping: Arc::default(),
            stale: Arc::default(),
        };
        Ok(Self {
            listener,
            address,
            postgres,
            patience: settings.patience,
            refresh: settings.refresh,
            renewal: Renewal::new(store, known),
            current: Current::new(Arc::new(shared)),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens for clients of PostgreSQL.
    pub fn postgres(&self) -> Option<SocketAddr> {
        self.postgres.as_ref().map(PostgresPort::address)
    }

    /// Answers until `shutdown` resolves; then accepts nothing new and finishes the answers under way, for as long as patience lasts.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let Self { listener, postgres, patience, refresh, renewal, current, .. } = self;
        let (stop, stopped) = oneshot::channel();
        let tongue = current.get().library.tongue(0);
        let stopping = Arc::clone(&current.get().stopping);
        let begin_stop = async move {
            shutdown.await;
            tracing::info!("stopping: answers under way are finished");
            stopping.store(true, Ordering::Relaxed);
            // Nobody listens any more once the server itself has ended.
            let _ = stop.send(());
        };
        let server = axum::serve(Connections { listener, tongue }, router(current.clone())).with_graceful_shutdown(begin_stop);
        let too_long = async move {
            match stopped.await {
                Ok(()) => tokio::time::sleep(patience).await,
                Err(_) => std::future::pending().await,
            }
        };
        let (asked, state) = (postgres, current.clone());
        let asking = async move {
            match asked {
                Some(port) => port.run(state).await,
                None => std::future::pending().await,
            }
        };
        let renewing = async move {
            match refresh {
                Some(every) => renewal.run(current, every).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            ended = server => ended.map_err(|error| Error::storage("serving", error))?,
            () = renewing => {}
            () = asking => {}
            () = too_long => tracing::warn!(?patience, "stopped with answers unfinished"),
        }
        tracing::info!("stopped");
        Ok(())
    }
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

fn router(current: Current) -> Router {
    let api = Router::new()
        .route("/config", get(px::config))
        .route("/tables", get(px::tables))
        .route("/tables/{id}", get(px::table))
        .route("/tables/{id}/metadata", get(px::metadata))
        .route("/tables/{id}/defaultselection", get(px::default_selection))
        .route("/tables/{id}/data", get(data::get).post(data::post))
        .route("/codelists/{id}", get(px::codelist))
        .route("/queries", get(queries::list))
        .route("/queries/{name}", get(queries::metadata))
        .route("/queries/{name}/data", get(queries::data))
        .fallback(edge::nowhere)
        .method_not_allowed_fallback(edge::no_such_method);
    Router::new()
        .nest("/api/v2", api)
        .route("/", get(page::home))
        .route("/healthz", get(px::healthy))
        .route("/readyz", get(px::ready))
        .fallback(edge::nowhere)
        .method_not_allowed_fallback(edge::no_such_method)
        .layer(middleware::from_fn_with_state(current.clone(), edge::around))
        .with_state(current)
}
