//! `cacah serve`

use std::{collections::BTreeSet, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Result;

use super::{files_in, say::say};
use crate::{
    access::Access,
    cli::Serve,
    engine::{SCHEMA, ServingSettings},
    release::Trust,
    serve::{Application, Rate, ServeSettings, TlsFiles, signals},
    storage::Store,
    tables::Scope,
};

/// Runs the command until it is asked to end.
pub async fn serve(args: Serve) -> Result<()> {
    let open = open_to_all(&args.public);
    // Where everything is open to all nobody has to sign in, unless there are users already.
    let needs_users = open.as_ref().is_none_or(|open| !open.is_whole()) || args.database.exists();
    let access = if needs_users { Some(Arc::new(Access::open(&args.database)?)) } else { None };
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
        metrics: args.metrics,
        refresh: (args.refresh > 0).then(|| Duration::from_secs(args.refresh)),
        queries: files_in(args.queries.as_deref())?,
        dashboards: files_in(args.dashboards.as_deref())?,
        postgres: args.sql,
        access,
        trust: Trust::read(&args.trust)?,
        open,
        engine: ServingSettings { threads: args.threads, ..ServingSettings::default() },
        ..ServeSettings::default()
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
