//! Figures for monitoring, in the text format of OpenMetrics that Prometheus reads.
//!
//! They are offered at an address of their own, because how a service is used is nobody's business but its operator's.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use tokio::net::TcpListener;

use crate::{
    access::CheckpointFigures,
    error::{Error, Result},
    storage::ReadCache,
};

/// Seconds that separate quick answers from slow ones.
const SECONDS: [f64; 12] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 20.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    route: String,
    method: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

/// What is counted while a service runs.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Asked, Counter>,
    seconds: Family<Route, Histogram, fn() -> Histogram>,
    answers: Family<Kind, Counter>,
    refused: Family<Kind, Counter>,
    closed: Family<Kind, Counter>,
    connections: Gauge,
    cells: Counter,
    under_way: Gauge,
    releases: Gauge,
    cache: Option<Arc<ReadCache>>,
    cache_reads: Family<Kind, Counter>,
    cache_bytes: Gauge,
    log: Option<Arc<CheckpointFigures>>,
    checkpoints: Counter,
    witness_failures: Counter,
    unwitnessed: Gauge,
}

/// Where an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The client had it already.
    Client,
    /// It was finished before.
    Finished,
    /// It was worked out.
    Computed,
}

impl Metrics {
    /// Everything at zero. `cache` is the one through which releases are read, `log` what is known of checkpoints of the log of accesses.
    pub fn new(cache: Option<Arc<ReadCache>>, log: Option<Arc<CheckpointFigures>>) -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(SECONDS);
        let mut metrics = Self {
            registry: Registry::with_prefix("cacah"),
            requests: Family::default(),
            seconds: Family::new_with_constructor(histogram),
            answers: Family::default(),
            refused: Family::default(),
            closed: Family::default(),
            connections: Gauge::default(),
            cells: Counter::default(),
            under_way: Gauge::default(),
            releases: Gauge::default(),
            cache,
            cache_reads: Family::default(),
            cache_bytes: Gauge::default(),
            log,
            checkpoints: Counter::default(),
            witness_failures: Counter::default(),
            unwitnessed: Gauge::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("http_requests", "Requests by route, method and status", metrics.requests.clone());
        registry.register("http_seconds", "Seconds until an answer begins, by route", metrics.seconds.clone());
        registry.register("answers", "Answers with cells by where they came from", metrics.answers.clone());
        registry.register("refused", "Requests that were not let in, by reason", metrics.refused.clone());
        registry.register("connections_closed", "Connections that were closed or not let in, by reason", metrics.closed.clone());
        registry.register("connections", "Connections to the portal and its interfaces", metrics.connections.clone());
        registry.register("cells_served", "Cells in answers that were worked out or finished before", metrics.cells.clone());
        registry.register("requests_under_way", "Requests being answered", metrics.under_way.clone());
        registry.register("releases", "Releases in force", metrics.releases.clone());
        if metrics.cache.is_some() {
            registry.register(
                "read_cache_blocks",
                "Blocks of releases that were read, found on disk or fetched",
                metrics.cache_reads.clone(),
            );
            registry.register("read_cache_bytes", "Bytes of releases that are kept on disk", metrics.cache_bytes.clone());
        }
        if let Some(log) = &metrics.log {
            registry.register("log_checkpoints", "Checkpoints of the log of accesses that were signed", metrics.checkpoints.clone());
            if log.unwitnessed().is_some() {
                registry.register(
                    "log_witness_failures",
                    "Times that the witness of the log did not take a checkpoint",
                    metrics.witness_failures.clone(),
                );
                registry.register(
                    "log_unwitnessed_records",
                    "Records of the log that its witness does not know of",
                    metrics.unwitnessed.clone(),
                );
            }
        }
        metrics
    }

    /// A request comes in.
    pub fn begin(&self) {
        self.under_way.inc();
    }

    /// A request has been answered, or its client has gone.
    pub fn end(&self, route: &str, method: &str, status: StatusCode, took: Duration) {
        self.under_way.dec();
        // Words of clients must not become names of series: there may be any number of them.
        let known = ["GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH"].contains(&method);
        let method = if known { method.to_owned() } else { "other".to_owned() };
        self.requests.get_or_create(&Asked { route: route.to_owned(), method, status: status.as_u16() }).inc();
        self.seconds.get_or_create(&Route { route: route.to_owned() }).observe(took.as_secs_f64());
    }

    /// An answer with cells is given.
    pub fn answer(&self, from: Origin, cells: u64) {
        let kind = match from {
            Origin::Client => "client",
            Origin::Finished => "finished",
            Origin::Computed => "computed",
        };
        self.answers.get_or_create(&Kind { kind }).inc();
        if from != Origin::Client {
            self.cells.inc_by(cells);
        }
    }

    /// So many connections are open.
    pub fn connections(&self, count: usize) {
        self.connections.set(count as i64);
    }

    /// A connection is closed by us, or not let in.
    pub fn close(&self, reason: &'static str) {
        self.closed.get_or_create(&Kind { kind: reason }).inc();
    }

    /// A request is not let in: `rate` or `places`.
    pub fn refuse(&self, kind: &'static str) {
        self.refused.get_or_create(&Kind { kind }).inc();
    }

    /// So many releases are in force.
    pub fn releases(&self, count: usize) {
        self.releases.set(count as i64);
    }

    fn text(&self) -> Option<String> {
        if let Some(cache) = &self.cache {
            let (found, fetched) = cache.reads();
            for (kind, reads) in [("found", found), ("fetched", fetched)] {
                let counter = self.cache_reads.get_or_create(&Kind { kind });
                counter.inc_by(reads.saturating_sub(counter.get()));
            }
            self.cache_bytes.set(cache.bytes() as i64);
        }
        if let Some(log) = &self.log {
            for (counter, count) in [(&self.checkpoints, log.made()), (&self.witness_failures, log.failures())] {
                counter.inc_by(count.saturating_sub(counter.get()));
            }
            self.unwitnessed.set(log.unwitnessed().unwrap_or(0) as i64);
        }
        let mut text = String::new();
        encode(&mut text, &self.registry).ok().map(|()| text)
    }
}

/// Offers the figures; binds at once and answers once the future is polled.
///
/// # Errors
/// Where the address is taken.
pub async fn offer(address: SocketAddr, metrics: Arc<Metrics>) -> Result<(SocketAddr, impl Future<Output = std::io::Result<()>>)> {
    let taken = |error: std::io::Error| Error::Conflict(format!("cannot offer figures on {address}: {error}; choose another port"));
    let listener = TcpListener::bind(address).await.map_err(taken)?;
    let address = listener.local_addr().map_err(taken)?;
    let router = Router::new().route("/metrics", get(page)).with_state(metrics);
    Ok((address, axum::serve(listener, router).into_future()))
}

async fn page(State(metrics): State<Arc<Metrics>>) -> Response {
    match metrics.text() {
        Some(text) => ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response(),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
