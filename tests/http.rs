//! The service over HTTP, against made-up releases whose every number is known.

pub mod access;
mod admin;
mod api;
mod caching;
mod catalogue;
mod charts;
pub mod client;
mod data;
mod documents;
mod downloads;
mod formats;
mod granted;
mod hidden;
mod lifecycle;
pub mod limits;
mod load;
mod measures;
mod portal;
mod renewal;
mod saved;
mod scenarios;
mod sdmx;
mod sign_in;
mod slow;
mod speed;
pub mod sql;
mod statistics;
mod tls;
pub mod toyland;
mod twins;
pub mod world;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::OnceLock,
};

use cacah::{
    serve::{Application, ServeSettings},
    storage::Store,
};
use client::{Reply, request};
use world::World;

/// A service that runs for as long as the tests do.
pub struct Service {
    pub address: SocketAddr,
    /// Where clients of PostgreSQL are listened to.
    pub port: Option<SocketAddr>,
    pub world: World,
}

/// The service that tests share: it serves the whole world and keeps finished answers.
pub fn service() -> &'static Service {
    static SERVICE: OnceLock<Service> = OnceLock::new();
    SERVICE.get_or_init(|| serving(&settings()))
}

/// A service over the whole world, for as long as the tests run.
pub fn serving(settings: &ServeSettings) -> Service {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new();
    let (address, port) = runtime.block_on(async {
        let store = Store::open(folder.path().to_str().unwrap()).unwrap();
        world.publish(&store).await;
        world.read_releases(folder.path());
        let application = Application::build(&store, settings).await.unwrap();
        let (address, port) = (application.address(), application.postgres());
        tokio::spawn(application.run(std::future::pending()));
        (address, port)
    });
    std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
    // Every cell file is open by now; the folder itself is needed no longer.
    drop(folder);
    Service { address, port, world }
}

/// Why a service cannot begin.
pub fn refuses(settings: &ServeSettings) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    runtime.block_on(async {
        let store = Store::open(folder.path().to_str().unwrap()).unwrap();
        World::new().publish(&store).await;
        Application::build(&store, settings).await.map(drop).unwrap_err().to_string()
    })
}

/// Loopback, any free port, a small limit so that it can be reached.
pub fn settings() -> ServeSettings {
    ServeSettings {
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        most_cells: 6_000,
        most_body: 100_000,
        refresh: None,
        ..ServeSettings::default()
    }
}

/// A GET below `/api/v2`.
pub fn get(path: &str) -> Reply {
    request(service().address, "GET", &format!("/api/v2{path}"), &[], b"")
}

/// A POST below `/api/v2`.
pub fn post(path: &str, body: &str) -> Reply {
    request(service().address, "POST", &format!("/api/v2{path}"), &[("content-type", "application/json")], body.as_bytes())
}
