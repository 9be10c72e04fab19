//! A service that runs on while its releases change.

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use cacah::{
    serve::{Application, ServeSettings},
    storage::Store,
};
use serde_json::{Value, json};

use super::{
    client::request,
    settings,
    world::{STEPS, World},
};

/// Everything of a table, over all periods: an answer in which releases that do not belong together would show.
const ALL: &str = "/api/v2/tables/people/data?valueCodes[Region]=*&valueCodes[Sex]=*&valueCodes[Age]=*&valueCodes[ContentsCode]=persons&valueCodes[Tid]=*";

/// Starts a service on the current runtime.
async fn start(store: &Store, refresh: Option<Duration>) -> SocketAddr {
    // The same addresses in every answer, whichever port the service got.
    let settings = ServeSettings { refresh, public: Some("http://toyland".into()), ..settings() };
    let application = Application::build(store, &settings).await.unwrap();
    let address = application.address();
    tokio::spawn(application.run(std::future::pending()));
    address
}

async fn ask(address: SocketAddr, path: &'static str) -> (u16, String) {
    let reply = tokio::task::spawn_blocking(move || request(address, "GET", path, &[], b"")).await.unwrap();
    (reply.status, reply.text().to_owned())
}

/// Asks until an answer is as expected.
async fn until(address: SocketAddr, path: &'static str, expected: impl Fn(&str) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let (status, body) = ask(address, path).await;
        assert_eq!(status, 200, "{body}");
        if expected(&body) {
            return;
        }
        assert!(Instant::now() < deadline, "still {body}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn releases(document: &str) -> Value {
    serde_json::from_str::<Value>(document).unwrap()["releases"].clone()
}

fn stale(document: &str) -> bool {
    serde_json::from_str::<Value>(document).unwrap().get("stale").is_some()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_answer_is_of_the_old_or_the_new_state() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().to_str().unwrap()).unwrap();
    let world = World::new();
    world.publish_step(&store, 0).await;
    let address = start(&store, Some(Duration::from_millis(5))).await;

    let done = AtomicBool::new(false);
    let mut states = Vec::new();
    let seen: Vec<Vec<(u16, String)>> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut seen: Vec<(u16, String)> = Vec::new();
                    while !done.load(Ordering::Relaxed) {
                        let reply = request(address, "GET", ALL, &[], b"");
                        let answer = (reply.status, reply.text().to_owned());
                        if seen.last() != Some(&answer) {
                            seen.push(answer);
                        }
                    }
                    seen
                })
            })
            .collect();
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                for step in 0..STEPS {
                    if step > 0 {
                        world.publish_step(&store, step).await;
                    }
                    // What a service says that was started on this state.
                    let fresh = start(&store, None).await;
                    let (status, body) = ask(fresh, ALL).await;
                    assert_eq!(status, 200, "{body}");
                    let (_, ready) = ask(fresh, "/readyz").await;
                    until(address, "/readyz", |body| body == ready).await;
                    states.push(body);
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            });
        });
        done.store(true, Ordering::Relaxed);
        asking.into_iter().map(|asking| asking.join().unwrap()).collect()
    });
    for seen in seen {
        // Each thread saw a course of whole states, the last one in the end.
        let mut at = 0;
        for (status, body) in &seen {
            assert_eq!(*status, 200, "{body}");
            at += states[at..].iter().position(|state| state == body).unwrap_or_else(|| panic!("no state says {body}"));
        }
        assert_eq!(at, STEPS - 1);
        assert!(seen.len() > 1, "the thread never saw a change");
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_wrong_with_the_store_leaves_the_old_state_in_force() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().join("releases");
    let store = Store::open(here.to_str().unwrap()).unwrap();
    World::new().publish(&store).await;
    let address = start(&store, Some(Duration::from_millis(5))).await;
    let (_, before) = ask(address, ALL).await;
    let all = json!(["2023-S2/r1", "2024-S1/r2", "2024-S2/r1"]);
    let unharmed = async |what: &str| {
        until(address, "/readyz", stale).await;
        let ((status, body), (_, ready)) = (ask(address, ALL).await, ask(address, "/readyz").await);
        assert!(status == 200 && body == before, "{what}: {status} {body}");
        assert_eq!(releases(&ready), all, "{what}");
    };
    let healed = async || until(address, "/readyz", |body| !stale(body)).await;

    // The newest release, a correction, and everything are withdrawn.
    for withdrawn in ["2024-S2/r1", "2024-S1/r2", ""] {
        let aside = folder.path().join("aside");
        fs::rename(here.join(withdrawn), &aside).unwrap();
        unharmed(withdrawn).await;
        fs::rename(&aside, here.join(withdrawn)).unwrap();
        healed().await;
    }
    // A manifest that is none, and one of a register that does not belong here.
    fs::create_dir_all(here.join("2025-S1/r1")).unwrap();
    let manifest = fs::read_to_string(here.join("2024-S2/r1/manifest.json")).unwrap();
    for text in ["{".to_owned(), manifest.replace("toyland", "elsewhere").replace("2024-S2", "2025-S1")] {
        fs::write(here.join("2025-S1/r1/manifest.json"), text).unwrap();
        unharmed("a wrong manifest").await;
    }
    fs::remove_dir_all(here.join("2025-S1")).unwrap();
    healed().await;
    // A correction of which a cell file has one other bit: the manifest is sound, the numbers are not.
    let revision = here.join("2024-S2/r2");
    copy(&here.join("2024-S2/r1"), &folder.path().join("r2"));
    let cells = folder.path().join("r2/cells/people.parquet");
    let sound = fs::read(&cells).unwrap();
    let mut damaged = sound.clone();
    damaged[10] ^= 1;
    fs::write(&cells, damaged).unwrap();
    fs::write(folder.path().join("r2/manifest.json"), manifest.replace("\"revision\": 1", "\"revision\": 2")).unwrap();
    fs::rename(folder.path().join("r2"), &revision).unwrap();
    unharmed("a damaged cell file").await;
    // Mended, it is taken up.
    fs::write(revision.join("cells/people.parquet"), sound).unwrap();
    let corrected = json!(["2023-S2/r1", "2024-S1/r2", "2024-S2/r2"]);
    until(address, "/readyz", |body| !stale(body) && releases(body) == corrected).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn new_outlines_are_taken_up() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().to_str().unwrap()).unwrap();
    World::new().publish_step(&store, 0).await;
    let address = start(&store, Some(Duration::from_millis(5))).await;
    let map = "/charts/map.svg?table=people&valueCodes[Region]=1101&lang=en";
    let (status, refused) = ask(address, map).await;
    assert!(status == 400 && refused.contains("cacah boundaries add"), "{status} {refused}");
    fs::create_dir(folder.path().join("boundaries")).unwrap();
    let outlines = r#"{"outlines":{"1101":[[[1.0,1.0],[2.0,1.0],[2.0,2.0],[1.0,1.0]]]}}"#;
    fs::write(folder.path().join("boundaries").join("toy.json"), outlines).unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while ask(address, map).await.0 != 200 {
        assert!(Instant::now() < deadline, "the outlines are not taken up");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
