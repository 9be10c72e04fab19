//! Services over signed releases: whom they trust, what they do when a release is withdrawn, what they verify before they serve it.

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use cacah::{
    engine::{ServingEngine, ServingSettings},
    error::Error,
    register::FileSources,
    release::{Catalogue, ReleaseKey, Trust, withdraw},
    serve::{Application, ServeSettings},
    storage::Store,
    tables::{Library, Request, Selection, answer, resolve},
};
use chrono::NaiveDate;
use serde_json::{Value, json};

use super::{key, publish, publish_world};
use crate::{
    common::assert_says,
    http::{
        client::{Reply, request},
        settings,
        toyland::{OLD_REGIONS, definitions},
        world::{Count, World},
    },
};

/// All people of a period, counted.
fn people(period: &str) -> String {
    format!("/api/v2/tables/people/data?lang=en&valueCodes[ContentsCode]=persons&valueCodes[Tid]={period}")
}

/// How often services look for releases.
const OFTEN: Option<Duration> = Some(Duration::from_millis(5));

/// A service in its own folder of releases.
struct Running {
    address: SocketAddr,
}

impl Running {
    async fn start(store: &Store, more: ServeSettings) -> Self {
        let application = Application::build(store, &more).await.unwrap();
        let address = application.address();
        tokio::spawn(application.run(std::future::pending()));
        Self { address }
    }

    async fn ask_with(&self, path: &str, headers: &'static [(&'static str, &'static str)]) -> Reply {
        let (address, path) = (self.address, path.to_owned());
        tokio::task::spawn_blocking(move || request(address, "GET", &path, headers, b"")).await.unwrap()
    }

    async fn ask(&self, path: &str) -> Reply {
        self.ask_with(path, &[]).await
    }

    /// A page, as browsers ask for it.
    async fn page(&self, path: &str) -> Reply {
        self.ask_with(path, &[("accept", "text/html")]).await
    }

    /// Asks until an answer is as expected.
    async fn until(&self, path: &str, expected: impl Fn(&Reply) -> bool) -> Reply {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let reply = self.ask(path).await;
            if expected(&reply) {
                return reply;
            }
            assert!(Instant::now() < deadline, "still {} {}", reply.status, String::from_utf8_lossy(&reply.body));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn ready(&self) -> Value {
        self.ask("/readyz").await.json()
    }

    async fn until_stale(&self) {
        self.until("/readyz", |reply| reply.status == 200 && reply.json().get("stale").is_some()).await;
    }
}

fn trusting(trust: &Trust) -> ServeSettings {
    ServeSettings { trust: trust.clone(), refresh: OFTEN, ..settings() }
}

fn local(folder: &Path) -> Store {
    Store::open(folder.to_str().unwrap()).unwrap()
}

async fn withdrawn(store: &Store, period: &str, reason: &str, key: Option<&ReleaseKey>) {
    let day = NaiveDate::from_ymd_opt(2024, 12, 24).unwrap();
    withdraw(store, period.parse().unwrap(), None, (reason, Some("terhitung dua kali")), day, key).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_served_that_no_trusted_key_has_signed() {
    let (world, (key, trust)) = (World::new(), key());
    let folder = tempfile::tempdir().unwrap();
    let store = local(folder.path());
    publish(&world.counts[0], &store, None, Some(&key)).await;
    let service = Running::start(&store, trusting(&trust)).await;
    assert_eq!(service.ready().await["releases"], json!(["2023-S2/r1"]));
    // A release that is signed by nobody, or by somebody else, is not taken up.
    let (other, _) = super::key();
    for signer in [None, Some(&other)] {
        publish(&world.counts[2], &store, None, signer).await;
        service.until_stale().await;
        assert_eq!(service.ask(&people("2024-S2")).await.status, 400);
        assert_eq!(service.ready().await["releases"], json!(["2023-S2/r1"]));
        // Nor is it where the service begins.
        let refused = Application::build(&store, &trusting(&trust)).await.err().unwrap().to_string();
        assert_says(&refused, &["2024-S2/r1/manifest.json", if signer.is_none() { "is not signed" } else { "which is not trusted" }]);
        fs::remove_dir_all(folder.path().join("2024-S2")).unwrap();
        service.until("/readyz", |reply| reply.json().get("stale").is_none()).await;
    }
    // Either of two trusted keys will do.
    publish(&world.counts[2], &store, None, Some(&other)).await;
    let both = Trust::new(vec![other.public().clone(), key.public().clone()]);
    let service = Running::start(&store, trusting(&both)).await;
    assert_eq!(service.ready().await["releases"], json!(["2023-S2/r1", "2024-S2/r1"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_withdrawn_release_goes_off_the_air_and_stays_off() {
    let (world, (key, trust)) = (World::new(), key());
    let folder = tempfile::tempdir().unwrap();
    let store = local(folder.path());
    publish_world(&world, &store, Some(&key)).await;
    let service = Running::start(&store, trusting(&trust)).await;
    let (before, kept) = (service.ask(&people("2024-S1")).await, service.ask(&people("2024-S2")).await);
    assert!(before.status == 200 && kept.status == 200);
    withdrawn(&store, "2024-S1", "counted twice", Some(&key)).await;
    service.until(&people("2024-S1"), |reply| reply.status == 410).await;
    let restarted = Running::start(&store, trusting(&trust)).await;
    let restarted_without_trust = Running::start(&store, settings()).await;
    for service in [&service, &restarted, &restarted_without_trust] {
        let gone = service.ask(&people("2024-S1")).await.problem();
        assert_eq!((gone["status"].as_u64(), gone["title"].as_str()), (Some(410), Some("Withdrawn")));
        assert_says(gone["detail"].as_str().unwrap(), &["2024-S1/r2 was withdrawn on 2024-12-24: counted twice"]);
        let indonesian = service.ask(&people("2024-S1").replace("lang=en", "lang=id")).await.problem();
        assert_says(indonesian["detail"].as_str().unwrap(), &["2024-S1/r2 ditarik pada 2024-12-24: terhitung dua kali"]);
        // The other periods are what they were, and the first revision of this one does not come back.
        assert_eq!(service.ask(&people("2024-S2")).await.json()["value"], kept.json()["value"]);
        let ready = service.ready().await;
        assert_eq!((&ready["releases"], &ready["withdrawn"]), (&json!(["2023-S2/r1", "2024-S2/r1"]), &json!(["2024-S1/r2"])));
        let all = service.ask(&people("*")).await.json();
        assert_eq!(all["dimension"]["Tid"]["category"]["index"], json!({"2023-S2": 0, "2024-S2": 1}));
        // Pages that linked to it say so, and so does the list of releases.
        for path in ["/tables/people?lang=en&valueCodes[Tid]=2024-S1", "/?lang=en&period=2024-S1"] {
            let page = service.page(path).await;
            assert_eq!(page.status, 200, "{path}");
            assert_says(page.text(), &["2024-S1/r2 was withdrawn on 2024-12-24: counted twice"]);
        }
        let listed = service.page("/releases?lang=en").await;
        assert_says(listed.text(), &["withdrawn on 24 December 2024", "counted twice", "No revision of this period is in force"]);
        assert_eq!(service.ask("/charts/bars.svg?table=people&valueCodes[Sex]=*&valueCodes[Tid]=2024-S1").await.status, 410);
    }
    // What somebody has kept is not said to be still right.
    let tag: &'static str = before.header("etag").unwrap().to_owned().leak();
    let headers: &'static [(&str, &str)] = vec![("if-none-match", tag)].leak();
    assert_eq!(service.ask_with(&people("2024-S1"), headers).await.status, 410);
    // A correction is served again.
    publish(&world.counts[1], &store, Some("counted once"), Some(&key)).await;
    let again = service.until(&people("2024-S1"), |reply| reply.status == 200).await.json();
    assert_eq!(again["value"], before.json()["value"]);
    assert_eq!(again["extension"]["releases"][0]["id"], "2024-S1/r3");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_everything_is_withdrawn_the_service_says_so_and_nothing_else() {
    let (world, (key, trust)) = (World::new(), key());
    let folder = tempfile::tempdir().unwrap();
    let store = local(folder.path());
    publish(&world.counts[0], &store, None, Some(&key)).await;
    let service = Running::start(&store, trusting(&trust)).await;
    withdrawn(&store, "2023-S2", "counted twice", Some(&key)).await;
    service.until(&people("*"), |reply| reply.status == 410).await;
    let restarted = Running::start(&store, trusting(&trust)).await;
    for service in [&service, &restarted] {
        for path in [
            "/api/v2/tables",
            "/api/v2/tables/people/metadata",
            "/api/v2/queries",
            "/charts/bars.svg?table=people",
            "/sdmx/2.1/data/PEOPLE",
        ] {
            let gone = service.ask(path).await;
            assert_eq!(gone.status, 410, "{path}: {}", gone.text());
            assert_says(gone.text(), &["2023-S2/r1"]);
        }
        for path in ["/?lang=en", "/tables/people?lang=en", "/dashboards?lang=en"] {
            let page = service.page(path).await;
            assert_eq!(page.status, 410, "{path}");
            assert_says(page.text(), &["2023-S2/r1 was withdrawn on 2024-12-24: counted twice"]);
        }
        assert_says(service.page("/releases?lang=en").await.text(), &["counted twice", "No revision of this period is in force"]);
        assert_eq!(service.ready().await["releases"], json!([]));
    }
    // The next release is taken up.
    publish(&world.counts[2], &store, None, Some(&key)).await;
    for service in [&service, &restarted] {
        service.until(&people("*"), |reply| reply.status == 200).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_withdrawal_that_nobody_trusted_has_signed_takes_nothing_off_the_air() {
    let (world, (key, trust)) = (World::new(), key());
    let folder = tempfile::tempdir().unwrap();
    let store = local(folder.path());
    publish_world(&world, &store, Some(&key)).await;
    let service = Running::start(&store, trusting(&trust)).await;
    withdrawn(&store, "2024-S2", "says somebody", None).await;
    // It is told loudly, and served on; a service that begins wants to know what holds.
    service.until_stale().await;
    assert_eq!(service.ask(&people("2024-S2")).await.status, 200);
    let refused = Application::build(&store, &trusting(&trust)).await.err().unwrap().to_string();
    assert_says(&refused, &["2024-S2/r1/withdrawal.json is not signed"]);
    // Signed, it is obeyed.
    withdrawn(&store, "2024-S2", "say we", Some(&key)).await;
    service.until(&people("2024-S2"), |reply| reply.status == 410).await;
    // Taken out again, it is not forgotten by who has seen it.
    for file in ["withdrawal.json", "withdrawal.sig"] {
        fs::remove_file(folder.path().join("2024-S2/r1").join(file)).unwrap();
    }
    service.until_stale().await;
    assert_eq!(service.ask(&people("2024-S2")).await.status, 410);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_withdrawal_is_obeyed_whatever_else_is_wrong_with_the_store() {
    let (world, (key, trust)) = (World::new(), key());
    let folder = tempfile::tempdir().unwrap();
    let store = local(folder.path());
    publish_world(&world, &store, Some(&key)).await;
    let service = Running::start(&store, trusting(&trust)).await;
    assert_eq!(service.ask(&people("2024-S1")).await.status, 200);
    let kept = service.ask(&people("2024-S2")).await;
    fs::create_dir_all(folder.path().join("2025-S1/r1")).unwrap();
    fs::write(folder.path().join("2025-S1/r1/manifest.json"), "{").unwrap();
    service.until_stale().await;
    withdrawn(&store, "2024-S1", "counted twice", Some(&key)).await;
    service.until(&people("2024-S1"), |reply| reply.status == 410).await;
    assert_eq!(service.ask(&people("2024-S2")).await.json()["value"], kept.json()["value"]);
    service.until_stale().await;
    fs::remove_dir_all(folder.path().join("2025-S1")).unwrap();
    service.until("/readyz", |reply| reply.json().get("stale").is_none()).await;
    assert_says(&service.ask(&people("2024-S1")).await.problem()["detail"].to_string(), &["counted twice"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_withdrawn_is_closed_to_whoever_has_it_open() {
    let (world, (key, trust)) = (World::new(), key());
    let folder = tempfile::tempdir().unwrap();
    let store = local(folder.path());
    publish_world(&world, &store, Some(&key)).await;
    let engine = Arc::new(ServingEngine::new(&store, ServingSettings::default()).unwrap());
    let library = Arc::new(Library::open(&Catalogue::open_trusted(&store, &trust).await.unwrap(), &engine).await.unwrap());
    let request = Request {
        selections: [("ContentsCode", "persons"), ("Tid", "2024-S1")]
            .map(|(variable, code)| Selection { variable: variable.into(), codelist: None, values: vec![code.into()] })
            .into(),
        ..Request::default()
    };
    let table = library.tables.iter().position(|entry| entry.table.id == "people").unwrap();
    let query = resolve(&library, table, &request, 10).unwrap();
    let ask = || engine.compute(answer(Arc::clone(&library), Arc::clone(&engine), query.clone()));
    ask().await.unwrap();
    for file in library.cell_files(|release| library.period(release) == "2024-S1") {
        file.withdraw();
    }
    let refused = ask().await.unwrap_err();
    assert!(matches!(refused.refusal(), Some(Error::Withdrawn(_))), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_that_failed_is_tried_again_until_it_succeeds() {
    let folder = tempfile::tempdir().unwrap();
    let store = local(folder.path());
    let count = |tables: &[&'static str], seed| Count { period: "2023-S2", definitions: definitions(OLD_REGIONS, "band", tables), seed };
    count(&["people", "gone"], 1).publish(&store, None).await;
    let queries = FileSources::Given([("gone.sql".to_owned(), include_str!("gone.sql").to_owned())].into());
    let service = Running::start(&store, ServeSettings { queries, refresh: OFTEN, ..settings() }).await;
    // A correction without the table that the operator's query reads: sound in itself, but not to be taken up.
    count(&["people"], 2).publish(&store, Some("without")).await;
    service.until_stale().await;
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let ready = service.ready().await;
        assert_eq!((&ready["stale"], &ready["releases"]), (&json!(true), &json!(["2023-S2/r1"])), "it was forgotten");
    }
    // With the table it is taken up.
    count(&["people", "gone"], 3).publish(&store, Some("with")).await;
    service.until("/readyz", |reply| reply.json() == json!({"status": "ready", "releases": ["2023-S2/r3"]})).await;
}

/// Changes a bit of a cell.
fn flip(path: &Path) {
    let mut content = fs::read(path).unwrap();
    content[10] ^= 1;
    fs::write(path, content).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cells_are_compared_with_their_digests_before_they_are_served() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let store = local(folder.path());
    world.publish(&store).await;
    let damaged = folder.path().join("2024-S1/r2/cells/people.parquet");
    let sound = fs::read(&damaged).unwrap();
    flip(&damaged);
    // A small store is not served at all.
    let refused = Application::build(&store, &settings()).await.err().unwrap().to_string();
    assert_says(&refused, &["2024-S1/r2/cells/people.parquet differs from its digest in the manifest"]);
    // Of a large one nothing is read before it was compared, and nothing that differs; the rest is served.
    let large = ServeSettings { verified_first: 0, refresh: OFTEN, ..settings() };
    let service = Running::start(&store, large.clone()).await;
    service.until(&people("2024-S2"), |reply| reply.status == 200).await;
    let refused = service.until("/readyz", |reply| reply.status == 503 && reply.text().contains("Damaged")).await;
    assert_eq!(refused.header("retry-after"), Some("1"));
    let refused = service.ask(&people("2024-S1")).await;
    assert_eq!((refused.status, refused.problem()["title"].as_str().unwrap().to_owned()), (503, "Not verified".to_owned()));
    assert_eq!(service.ask("/healthz").await.status, 200);
    // Restored, it is served.
    fs::write(&damaged, sound).unwrap();
    service.until(&people("2024-S1"), |reply| reply.status == 200).await;
    service.until("/readyz", |reply| reply.status == 200 && reply.json().get("stale").is_none()).await;
    // Changed while it is served, behind a time that was set back: noticed by whoever reads it next.
    let written = fs::metadata(&damaged).unwrap().modified().unwrap();
    assert_eq!(service.ask(&format!("{}&valueCodes[Sex]=L", people("2024-S1"))).await.status, 200);
    flip(&damaged);
    fs::File::options().append(true).open(&damaged).unwrap().set_modified(written).unwrap();
    let asked = format!("{}&valueCodes[Sex]=P", people("2024-S1"));
    assert_eq!(service.ask(&asked).await.status, 503);
    assert_eq!(service.ask(&format!("{}&valueCodes[Sex]=P", people("2024-S2"))).await.status, 200);
}
