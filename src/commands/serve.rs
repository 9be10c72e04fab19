//! `cacah serve`

use std::{collections::BTreeSet, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::{Result, bail};

use super::{files_in, say::say};
use crate::{
    access::{Access, CheckpointSettings},
    cli::{CheckpointArgs, Serve},
    engine::{SCHEMA, ServingSettings},
    release::Trust,
    serve::{Application, ConnectionBounds, Rate, ServeSettings, TlsFiles, signals},
    storage::{SpoolBounds, Store},
    tables::Scope,
};

/// Runs the command until it is asked to end.
pub async fn serve(args: Serve) -> Result<()> {
    let open = open_to_all(&args.public);
    // Where everything is open to all nobody has to sign in, unless there are users already.
    let needs_users = open.as_ref().is_none_or(|open| !open.is_whole()) || args.database.exists();
    let access = if needs_users { Some(Arc::new(Access::open(&args.database)?)) } else { None };
    let defaults = ServeSettings::default();
    let checkpoints = checkpoints(args.checkpoints, access.as_ref().map(|access| access.path()))?;
    let settings = ServeSettings {
        address: SocketAddr::new(args.bind, args.port),
        most_cells: args.max_cells,
        finished: args.cache << 20,
        read_cache: args.read_cache.map(|folder| (folder, args.read_cache_size << 20)),
        public: args.public_address,
        tls: args.tls_certificate.zip(args.tls_key).map(|(certificate, key)| TlsFiles { certificate, key }),
        trusted: args.trusted_proxies,
        rate: Rate { calls: args.max_calls, window: Duration::from_secs(args.time_window) },
        at_once: args.max_requests as usize,
        connections: ConnectionBounds { total: args.max_connections as usize, per_address: args.max_connections_per_address as usize },
        spool: SpoolBounds { disk: args.spool_size << 20, ..defaults.spool },
        spool_folder: args.spool.unwrap_or_else(|| defaults.spool_folder.clone()),
        metrics: args.metrics,
        refresh: (args.refresh > 0).then(|| Duration::from_secs(args.refresh)),
        queries: files_in(args.queries.as_deref())?,
        dashboards: files_in(args.dashboards.as_deref())?,
        postgres: args.sql,
        access,
        checkpoints,
        trust: Trust::read(&args.trust)?,
        open,
        engine: ServingSettings { threads: args.threads, ..ServingSettings::default() },
        ..defaults
    };
    let application = Application::build(&Store::open(&args.releases)?, &settings).await?;
    say!("serving {} at {}/ (Ctrl-C ends it); for programs: /api", args.releases, application.origin());
    if let Some(address) = application.metrics_address() {
        say!("figures for Prometheus at http://{address}/metrics");
    }
    if let Some(address) = application.postgres() {
        say!("serving SQL; try: {}", psql(address, SCHEMA));
    }
    application.run(signals()).await?;
    Ok(())
}

/// How checkpoints of the log beside a database are made, if they are.
fn checkpoints(args: CheckpointArgs, database: Option<&Path>) -> Result<Option<CheckpointSettings>> {
    /// Names the key where `--log-key` does not.
    const VARIABLE: &str = "CACAH_LOG_KEY";
    let is_asked_for = args.log_key.is_some() || args.log_witness.is_some();
    let Some(database) = database else {
        if is_asked_for {
            bail!(
                "there is no log to be signed: everything is open to everybody, and there is no database of users; name one with --database"
            );
        }
        return Ok(None);
    };
    let Some(key) = args.log_key.or_else(|| std::env::var_os(VARIABLE).map(Into::into)) else {
        if is_asked_for {
            bail!(
                "--log-witness needs a key by which checkpoints are signed: name it with --log-key or {VARIABLE}; 'cacah log keys' makes one"
            );
        }
        tracing::info!("the log of accesses has no checkpoints (--log-key, --log-witness): its end rests on this machine alone");
        return Ok(None);
    };
    let every = (args.checkpoint_records, Duration::from_secs(60 * args.checkpoint_minutes));
    Ok(Some(CheckpointSettings::new(&key, args.log_witness, every, database)?))
}

/// What may be seen without signing in.
fn open_to_all(tables: &[String]) -> Option<Scope> {
    let named: BTreeSet<String> = tables.iter().map(|table| table.trim().to_owned()).filter(|table| !table.is_empty()).collect();
    if named.contains("*") {
        return Some(Scope::default());
    }
    (!named.is_empty()).then_some(Scope { region: None, tables: Some(named) })
}

/// The line by which a person at the terminal asks.
pub fn psql(address: SocketAddr, user: &str) -> String {
    format!("psql -h {} -p {} -U {user} {SCHEMA} -c '\\dt'", address.ip(), address.port())
}
