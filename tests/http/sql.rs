//! SQL over the world: tidy tables, named queries, the port for clients of PostgreSQL, and whoever means it ill.

mod generated;
mod hostile;
mod named;
mod port;
mod tidy;
pub mod wire;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, OnceLock},
    time::Duration,
};

use cacah::{
    engine::{ServingEngine, ServingSettings, SqlSettings},
    error::Result,
    register::FileSources,
    release::Catalogue,
    serve::{Application, ServeSettings},
    sql::Sql,
    storage::Store,
    tables::Library,
};

use super::{settings, world::World};

/// A query with every kind of parameter.
pub const PEOPLE: &str = r#"--! title = { id = "Penduduk", en = "People" }
--! description = { id = "Penduduk menurut kabupaten", en = "People by regency" }
--! audience = { id = "Semua", en = "Everyone" }
--! notes = [{ id = "Catatan", en = "A note" }]
--!
--! [[parameter]]
--! name = "region"
--! label = { id = "Provinsi", en = "Province" }
--! kind = "region"
--! levels = ["province"]
--! default = "first"
--!
--! [[parameter]]
--! name = "age"
--! label = { id = "Umur", en = "Age" }
--! kind = "code"
--! dimension = "age"
--! levels = ["total", "band"]
--! default = "T"
--!
--! [[parameter]]
--! name = "sex"
--! label = { id = "Jenis kelamin", en = "Sex" }
--! kind = "text"
--! values = ["T", "L", "P"]
--! default = "T"
--!
--! [[parameter]]
--! name = "period"
--! label = { id = "Periode", en = "Period" }
--! kind = "period"
--! default = "newest"
--!
--! [[parameter]]
--! name = "top"
--! label = { id = "Baris", en = "Rows" }
--! kind = "integer"
--! from = 1
--! to = 100
--! default = 10
--!
--! [[parameter]]
--! name = "above"
--! label = { id = "Lebih dari", en = "More than" }
--! kind = "number"
--! from = -1
--! to = 1e6
--! default = -1
--!
--! [[column]]
--! name = "region"
--! label = { id = "Kode", en = "Code" }
--!
--! [[column]]
--! name = "name"
--! label = { id = "Kabupaten", en = "Regency" }
--!
--! [[column]]
--! name = "people"
--! label = { id = "Penduduk", en = "People" }
--! unit = { id = "orang", en = "people" }
--! status = "status"
--!
--! [[column]]
--! name = "status"
--! label = { id = "Keterangan", en = "Status" }

SELECT region, CASE $lang WHEN 'en' THEN region_label_en ELSE region_label END AS name, value AS people, status
FROM people
WHERE region_parent = $region AND age = $age AND sex = $sex AND period = $period AND (value > $above OR value IS NULL)
ORDER BY region
LIMIT $top
"#;

/// A query that adds up, in a way that must not lose what is withheld.
const SUMS: &str = r#"--! title = { id = "Jumlah", en = "Sums" }
--! description = { id = "Jumlah tahun tunggal", en = "Sums of single years" }
--! audience = { id = "Semua", en = "Everyone" }
--!
--! [[column]]
--! name = "period"
--! label = { id = "Periode", en = "Period" }
--! [[column]]
--! name = "region"
--! label = { id = "Kode", en = "Code" }
--! [[column]]
--! name = "sex"
--! label = { id = "Jenis kelamin", en = "Sex" }
--! [[column]]
--! name = "total"
--! label = { id = "Jumlah", en = "Sum" }
--! status = "total_status"
--! [[column]]
--! name = "total_status"
--! label = { id = "Keterangan", en = "Status" }

SELECT period, region, sex, published_sum(value, status) AS total, sum_status(value, status) AS total_status
FROM people
WHERE age_level = 'year'
GROUP BY period, region, sex
ORDER BY period, region, sex
"#;

/// The world, with SQL over it.
pub struct Asked {
    pub address: SocketAddr,
    pub port: SocketAddr,
    pub sql: Sql,
    pub world: World,
    pub runtime: tokio::runtime::Runtime,
}

/// Little time and memory, so that both can be used up.
pub fn bounds() -> SqlSettings {
    SqlSettings { memory: 64 << 20, time: Duration::from_secs(3), rows: 2_000, bytes: 16 << 20 }
}

pub fn queries(files: &[(&str, &str)]) -> FileSources {
    FileSources::Given(files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect())
}

/// The queries that tests share.
pub fn shared_queries() -> FileSources {
    queries(&[("people.sql", PEOPLE), ("sums.sql", SUMS)])
}

/// The service that these tests share.
pub fn asked() -> &'static Asked {
    static ASKED: OnceLock<Asked> = OnceLock::new();
    ASKED.get_or_init(start)
}

/// A service of one's own, whose turns can be taken without others waiting.
pub fn start() -> Asked {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new();
    let (address, port, sql) = runtime.block_on(async {
        let store = Store::open(folder.path().to_str().unwrap()).unwrap();
        world.publish(&store).await;
        world.read_releases(folder.path());
        let given = shared_queries();
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let settings = ServeSettings { sql: bounds(), queries: given, postgres: Some(loopback), ..settings() };
        let application = Application::build(&store, &settings).await.unwrap();
        let (address, port) = (application.address(), application.postgres().unwrap());
        tokio::spawn(application.run(std::future::pending()));
        (address, port, open(&store, &queries(&[])).await.unwrap())
    });
    // Every cell file is open by now.
    drop(folder);
    Asked { address, port, sql, world, runtime }
}

/// SQL over the releases of a store.
pub async fn open(store: &Store, queries: &FileSources) -> Result<Sql> {
    let engine = Arc::new(ServingEngine::new(store, ServingSettings::default())?);
    let library = Arc::new(Library::open(&Catalogue::open(store).await?, &engine).await?);
    Sql::open(&library, &engine, queries, bounds()).await
}
