//! `cacah serve`

use std::{net::SocketAddr, time::Duration};

use anyhow::Result;

use super::{files_in, say::say};
use crate::{
    cli::Serve,
    engine::{SCHEMA, ServingSettings},
    serve::{Application, Rate, ServeSettings, signals},
    storage::Store,
};

/// Runs the command until it is asked to end.
pub async fn serve(args: Serve) -> Result<()> {
    let settings = ServeSettings {
        address: SocketAddr::new(args.bind, args.port),
        most_cells: args.max_cells,
        finished: args.cache << 20,
        rate: Rate { calls: args.max_calls, window: Duration::from_secs(args.time_window) },
        at_once: args.max_requests as usize,
        metrics: args.metrics,
        refresh: (args.refresh > 0).then(|| Duration::from_secs(args.refresh)),
        queries: files_in(args.queries.as_deref())?,
        dashboards: files_in(args.dashboards.as_deref())?,
        postgres: args.sql,
        engine: ServingSettings { threads: args.threads, ..ServingSettings::default() },
        ..ServeSettings::default()
    };
    let application = Application::build(&Store::open(&args.releases)?, &settings).await?;
    say!("serving {} at http://{}/ (Ctrl-C ends it); for programs: /api", args.releases, application.address());
    if let Some(address) = application.metrics_address() {
        say!("figures for Prometheus at http://{address}/metrics");
    }
    if let Some(address) = application.postgres() {
        say!("serving SQL; try: {}", psql(address));
    }
    application.run(signals()).await?;
    Ok(())
}

/// The line by which a person at the terminal asks.
pub fn psql(address: SocketAddr) -> String {
    format!("psql -h {} -p {} -U {SCHEMA} {SCHEMA} -c '\\dt'", address.ip(), address.port())
}
