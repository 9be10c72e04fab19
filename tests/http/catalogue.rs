//! Stores that cannot be served, and what is said of them.

use std::{fs, net::SocketAddr, path::Path};

use cacah::{
    error::Error,
    release::Catalogue,
    serve::{Application, ServeSettings},
    storage::Store,
};

use super::{client::request, settings, world::World};

fn store(folder: &Path) -> Store {
    Store::open(folder.to_str().unwrap()).unwrap()
}

/// Publishes the world into a folder, with a space in its name because people have those.
async fn published(folder: &Path) -> Store {
    let store = store(&folder.join("my releases"));
    World::new().publish(&store).await;
    store
}

async fn refusal(store: &Store, settings: &ServeSettings) -> Error {
    match Application::build(store, settings).await {
        Ok(_) => panic!("it is served"),
        Err(error) => error,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_revision_of_each_period_is_in_force() {
    let folder = tempfile::tempdir().unwrap();
    let store = published(folder.path()).await;
    let stray = folder.path().join("my releases/2025-S1/r1/cells");
    fs::create_dir_all(&stray).unwrap();
    fs::write(stray.join("people.parquet"), "half a file").unwrap();
    fs::create_dir_all(folder.path().join("my releases/lost+found")).unwrap();
    let catalogue = Catalogue::open(&store).await.unwrap();
    let folders: Vec<&str> = catalogue.releases().iter().map(|release| release.edition.folder.as_str()).collect();
    assert_eq!(folders, ["2023-S2/r1", "2024-S1/r2", "2024-S2/r1"]);
    assert!(Application::build(&store, &settings()).await.is_ok());
}

#[tokio::test]
async fn an_empty_store_is_nothing_to_serve() {
    let folder = tempfile::tempdir().unwrap();
    let error = refusal(&store(folder.path()), &settings()).await;
    assert!(matches!(&error, Error::NotFound(text) if text.contains("there is no release") && text.contains("cacah release")), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn primary_suppression_stays_on_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    let store = published(folder.path()).await;
    let everywhere = ServeSettings { address: "0.0.0.0:0".parse().unwrap(), ..settings() };
    assert!(Application::build(&store, &everywhere).await.is_ok(), "certified releases may be shown to everybody");
    // As earlier versions wrote it of a release in which small counts alone were suppressed.
    let path = folder.path().join("my releases/2024-S1/r2/manifest.json");
    let mut manifest: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let fields = manifest.as_object_mut().unwrap();
    fields.insert("protection".into(), "primary-only".into());
    assert!(fields.remove("rule").is_some() && fields.remove("audit").is_some());
    fs::write(&path, manifest.to_string()).unwrap();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
        let settings = ServeSettings { address: address.parse::<SocketAddr>().unwrap(), ..settings() };
        let error = refusal(&store, &settings).await;
        let Error::Conflict(text) = &error else { panic!("{error}") };
        assert!(text.contains("primary suppression only") && text.contains(address) && text.contains("127.0.0.1"), "{text}");
    }
    // On this machine it is shown, and called what it is.
    let application = Application::build(&store, &settings()).await.unwrap();
    let address = application.address();
    tokio::spawn(application.run(std::future::pending()));
    let data = "/api/v2/tables/people/data?lang=en&valueCodes[ContentsCode]=persons&valueCodes[Tid]=2024-S1";
    let answer = tokio::task::spawn_blocking(move || request(address, "GET", data, &[], b"")).await.unwrap().json();
    assert!(answer["note"].to_string().contains("not for publication"), "{}", answer["note"]);
    assert_eq!(answer["extension"]["releases"][0]["protection"], "primary-only");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let store = published(folder.path()).await;
    let first = Application::build(&store, &settings()).await.unwrap();
    let error = refusal(&store, &ServeSettings { address: first.address(), ..settings() }).await;
    assert!(matches!(&error, Error::Conflict(text) if text.contains("cannot listen") && text.contains("another port")), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_releases_are_refused_by_file() {
    let check = async |file: &str, damage: fn(&Path), expect: &str| {
        let folder = tempfile::tempdir().unwrap();
        let store = published(folder.path()).await;
        damage(&folder.path().join("my releases").join(file));
        let error = refusal(&store, &settings()).await.to_string();
        assert!(error.contains(file) && error.contains(expect), "{error}");
    };
    let remove = |path: &Path| fs::remove_file(path).unwrap();
    let empty = |path: &Path| fs::write(path, "").unwrap();
    check("2024-S2/r1/cells/people.parquet", remove, "is missing").await;
    check("2024-S2/r1/cells/people.parquet", empty, "is no cell file").await;
    check("2024-S2/r1/codelists/age.json", remove, "is missing").await;
    check(
        "2024-S2/r1/codelists/age.json",
        |path| fs::write(path, fs::read(path).unwrap().to_ascii_uppercase()).unwrap(),
        "differs from its digest",
    )
    .await;
    check("2024-S2/r1/manifest.json", |path| fs::write(path, "{}").unwrap(), "manifest").await;
    let swap = |path: &Path| {
        let other = path.with_file_name("bands.parquet");
        fs::copy(other, path).map(|_| ()).unwrap();
    };
    check("2024-S2/r1/cells/people.parquet", swap, "cells").await;
}
