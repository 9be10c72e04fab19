//! SQL for clients of PostgreSQL: the wire protocol.
//!
//! ```text
//! connection ── text ──> statements ── session.rs: SET, SHOW, BEGIN, ... ──> answered here
//!                             └────── SELECT ──> sql::Sql ──> rows, encoded as they come
//! ```
//!
//! Whoever must sign in gives his password or a key: over a connection that is encrypted, or from this machine alone. Whatever is no
//! reading is refused before it is planned, and what is read are the tidy tables of [`crate::sql`], made of published cells.

mod handler;
mod reader;
mod refusal;
mod session;

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use pgwire::{
    api::{
        ConnectionManager, PgWireServerHandlers, RandomPidSecretKeyGenerator,
        auth::StartupHandler,
        cancel::{CancelHandler, DefaultCancelHandler},
        query::{ExtendedQueryHandler, SimpleQueryHandler},
    },
    tokio::process_socket,
};
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use self::handler::Handler;
use super::{
    connection_limits::{ConnectionBounds, ConnectionRegistry},
    renewal::Current,
};
use crate::{
    access::network,
    error::{Error, Result},
};

/// Connections at a time, in all and from one address. Where there are more, those go first that have not signed in, then those that rest.
const CONNECTIONS: ConnectionBounds = ConnectionBounds { total: 200, per_address: 100 };
/// How long a connection may rest between two statements: pools keep theirs for long.
const IDLE: Duration = Duration::from_secs(3600);

/// A port that listens already and answers once it runs.
pub struct PostgresPort {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
}

impl PostgresPort {
    /// Begins to listen.
    ///
    /// # Errors
    /// Where others than this machine could reach the address and connections are not encrypted, or it is taken.
    pub async fn bind(address: SocketAddr, tls: Option<Arc<ServerConfig>>) -> Result<Self> {
        if tls.is_none() && !address.ip().is_loopback() {
            return Err(Error::Conflict(format!(
                "passwords would cross the network unencrypted, so SQL is not served at {address}; take a loopback address such as 127.0.0.1:5433, or give a certificate"
            )));
        }
        let taken = |error: std::io::Error| Error::Conflict(format!("cannot listen on {address}: {error}; choose another port"));
        let listener = TcpListener::bind(address).await.map_err(taken)?;
        let address = listener.local_addr().map_err(taken)?;
        tracing::info!(%address, "listening for clients of PostgreSQL");
        Ok(Self { listener, address, tls: tls.map(TlsAcceptor::from) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until it is dropped.
    pub async fn run(self, current: Current) {
        let manager = Arc::new(ConnectionManager::new());
        let numbers = Arc::new(RandomPidSecretKeyGenerator::default());
        let registry = ConnectionRegistry::new(CONNECTIONS, IDLE);
        loop {
            let (socket, peer) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Too many open files, most likely: others must close first.
                    tracing::warn!(%error, "a connection of a client of PostgreSQL could not be taken");
                    registry.displace(Instant::now());
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            // Where all others are being answered there is no room, and a client that is closed at once tries again.
            let Some(guard) = registry.admit(network(peer.ip()), false, Instant::now()) else { continue };
            let state = Arc::clone(guard.state());
            let handler = Handler::new(current.clone(), peer.ip(), Arc::clone(&manager), Arc::clone(&numbers), Arc::clone(&state));
            let handlers = Handlers { handler: Arc::new(handler), manager: Arc::clone(&manager) };
            let tls = self.tls.clone();
            let metrics = Arc::clone(&current.get().metrics);
            tokio::spawn(async move {
                tokio::select! {
                    ended = process_socket(socket, tls, handlers) => if let Err(error) = ended {
                        tracing::debug!(%error, "a connection of a client of PostgreSQL broke off");
                    },
                    reason = state.watch() => {
                        tracing::debug!(%peer, reason = reason.id(), "a connection of a client of PostgreSQL was closed");
                        metrics.close(reason.id());
                    }
                }
                drop(guard);
            });
        }
    }
}

/// What one connection needs.
struct Handlers {
    handler: Arc<Handler>,
    manager: Arc<ConnectionManager>,
}

impl PgWireServerHandlers for Handlers {
    fn simple_query_handler(&self) -> Arc<impl SimpleQueryHandler> {
        Arc::clone(&self.handler)
    }

    fn extended_query_handler(&self) -> Arc<impl ExtendedQueryHandler> {
        Arc::clone(&self.handler)
    }

    fn startup_handler(&self) -> Arc<impl StartupHandler> {
        Arc::clone(&self.handler)
    }

    fn cancel_handler(&self) -> Arc<impl CancelHandler> {
        Arc::new(DefaultCancelHandler::new(Arc::clone(&self.manager)))
    }
}
