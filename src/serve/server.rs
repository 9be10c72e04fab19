//! The port for HTTP: takes connections, encrypts them, bounds them, and watches over them while requests are answered.
//!
//! ```text
//! accept ─ a place? ─ TLS ─ HTTP/1.1 or HTTP/2 ─ router
//!              └──────── watched: no request, rests too long, takes no answer ──> closed
//! ```

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Request, StatusCode},
};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto::Builder,
        graceful::{GracefulShutdown, Watcher},
    },
};
use ipnet::IpNet;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustls::ServerConfig;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tower_service::Service as _;

use super::{
    connection::{Connection, Stream},
    connection_limits::{ConnectionGuard, ConnectionRegistry, FIRST},
    limits::{Peer, is_trusted},
    metrics::Metrics,
    paced_body::PacedBody,
    problem::Problem,
};
use crate::{
    access::network,
    words::{self, Tongue},
};

/// How long the head of a request may take, counted from the end of the answer before it.
const HEAD: Duration = Duration::from_secs(30);
/// How long a connection may rest between two requests; with HTTP/1 no longer than a head may take.
pub const IDLE: Duration = Duration::from_secs(75);
/// Bytes of a head, and of an answer between us and the socket.
const BUFFER: usize = 128 << 10;
/// Answers under way on one connection of HTTP/2.
const STREAMS: u32 = 64;
/// Bytes that the system takes from us before the client has room for them: what lies there tells nothing of how fast it reads.
const UNSENT: u32 = 128 << 10;
/// How long the port rests when the system has no room for another connection.
const REST: Duration = Duration::from_millis(50);

/// The port for HTTP.
pub struct HttpServer {
    pub listener: TcpListener,
    pub tls: Option<Arc<ServerConfig>>,
    pub registry: Arc<ConnectionRegistry>,
    /// Networks of proxies, behind each address of which there are many clients.
    pub trusted: Arc<[IpNet]>,
    pub metrics: Arc<Metrics>,
    /// What is said to those whose language cannot be learnt.
    pub tongue: Tongue,
}

/// What every connection is served with.
struct Serving {
    builder: Builder<TokioExecutor>,
    router: Router,
    tls: Option<TlsAcceptor>,
    metrics: Arc<Metrics>,
    tongue: Tongue,
}

impl HttpServer {
    /// Answers until `shutdown` resolves, then finishes the answers under way.
    pub async fn run(self, router: Router, shutdown: impl Future<Output = ()>) {
        let serving = Arc::new(Serving {
            builder: builder(),
            router,
            tls: self.tls.map(TlsAcceptor::from),
            metrics: Arc::clone(&self.metrics),
            tongue: self.tongue,
        });
        let connections = GracefulShutdown::new();
        let mut shutdown = pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = &mut shutdown => break,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) if is_of_the_connection(&error) => continue,
                Err(error) => {
                    // Too many open files, most likely: others must close first.
                    tracing::warn!(%error, "a connection could not be taken");
                    self.registry.displace(Instant::now());
                    tokio::time::sleep(REST).await;
                    continue;
                }
            };
            let address = peer.ip().to_canonical();
            let admitted = self.registry.admit(network(address), is_trusted(&self.trusted, address), Instant::now());
            self.metrics.connections(self.registry.count());
            match admitted {
                Some(guard) => drop(tokio::spawn(connect(Arc::clone(&serving), stream, peer, guard, connections.watcher()))),
                None => serving.refuse(&stream),
            }
        }
        drop(self.listener);
        connections.shutdown().await;
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(BUFFER);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_send_buf_size(BUFFER)
        .keep_alive_interval(HEAD)
        .keep_alive_timeout(FIRST);
    builder
}

/// Files that a service has open beside its connections.
const OTHER_FILES: u64 = 512;

/// Has the system allow as many open files as connections need; many systems allow 1,024 unless they are asked for more.
pub fn raise_open_files(connections: usize) {
    let wanted = connections as u64 + OTHER_FILES;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return;
    }
    let allowed = limit.maximum.map_or(wanted, |most| most.min(wanted));
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(allowed), maximum: limit.maximum }) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    } else if allowed < wanted {
        tracing::warn!(
            allowed,
            wanted,
            "the system allows fewer open files than --max-connections needs; connections beyond that are closed"
        );
    }
}

/// Whether an error is of the one connection that was to be taken.
fn is_of_the_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

/// Serves one connection to its end.
async fn connect(serving: Arc<Serving>, stream: TcpStream, peer: SocketAddr, guard: ConnectionGuard, watcher: Watcher) {
    let state = Arc::clone(guard.state());
    tokio::select! {
        () = serving.serve(stream, peer, &guard, watcher) => {}
        reason = state.watch() => {
            tracing::debug!(%peer, reason = reason.id(), "a connection was closed");
            serving.metrics.close(reason.id());
        }
    }
    serving.metrics.connections(guard.close());
}

impl Serving {
    async fn serve(&self, stream: TcpStream, peer: SocketAddr, guard: &ConnectionGuard, watcher: Watcher) {
        prepare(&stream);
        let stream = match &self.tls {
            None => Stream::Plain(stream),
            Some(acceptor) => match acceptor.accept(stream).await {
                Ok(stream) => Stream::Encrypted(Box::new(stream)),
                Err(error) => return tracing::debug!(%error, "a connection was not encrypted"),
            },
        };
        let io = TokioIo::new(Connection::new(stream, self.tongue));
        let (router, state) = (self.router.clone(), Arc::clone(guard.state()));
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(Peer(peer)));
            let (mut router, under_way) = (router.clone(), state.begin_request());
            async move {
                let response = router.call(request).await?;
                Ok::<_, Infallible>(response.map(|body| Body::new(PacedBody::new(body, under_way))))
            }
        });
        let connection = watcher.watch(self.builder.serve_connection(io, service).into_owned());
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection broke off");
        }
    }

    /// Tells whoever cannot be taken on, where that can be told without waiting.
    fn refuse(&self, stream: &TcpStream) {
        self.metrics.close("refused");
        if self.tls.is_none() {
            let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "Busy", &words::BUSY);
            // Whatever does not fit into an empty socket is not waited for.
            let _ = stream.try_write(&problem.raw(self.tongue));
        }
    }
}

/// Answers go out in one piece, because waiting for more to fill a packet would only delay them; and what the client does not take stays
/// with us.
fn prepare(stream: &TcpStream) {
    let lowest = SockRef::from(stream).set_tcp_notsent_lowat(UNSENT);
    if let Err(error) = stream.set_nodelay(true).and(lowest) {
        tracing::debug!(%error, "a connection keeps its own delays");
    }
}
