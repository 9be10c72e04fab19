//! Several publishers at once, and what a release is called.

use std::{collections::BTreeMap, fs, path::Path, process::Stdio};

use cacah::{
    error::Error,
    release::{Catalogue, Manifest, Published},
    storage::{FileDigest, Store},
};
use futures::future::join_all;
use tokio::sync::Barrier;

use crate::{
    common::{assert_says, fail, forget_proofs, people, program, snapshot, succeed},
    http::world::{Count, World},
    support::Server,
};

/// What publishers that did not win may be told.
const CONFLICTS: [&str; 5] = [
    "is proven already",
    "somebody else is publishing",
    "somebody else has just published",
    "is published already",
    "is there already with other content",
];

/// Lets counts be published at the same time, each of them once all have begun, and gives back what came of each.
async fn race(store: &Store, counts: &[&Count]) -> Vec<Result<Published, Error>> {
    let begun = Barrier::new(counts.len());
    join_all(counts.iter().map(async |count| {
        let draft = count.draft(store, None).await;
        begun.wait().await;
        count.finish(draft?).await
    }))
    .await
}

/// Asserts that one publisher won, or several with the same bytes, that the others were told why they did not, and that the release is whole.
async fn assert_one_winner(store: &Store, outcomes: Vec<Result<Published, Error>>) -> Published {
    let mut winners = Vec::new();
    for outcome in outcomes {
        match outcome {
            Ok(published) => winners.push(published),
            Err(Error::Conflict(told)) => assert!(CONFLICTS.iter().any(|text| told.contains(text)), "{told}"),
            Err(other) => panic!("{other}"),
        }
    }
    let winner = winners.pop().expect("somebody wins");
    assert!(winners.iter().all(|other| *other == winner), "{winner:?} {winners:?}");
    let catalogue = Catalogue::open(store).await.unwrap();
    let [release] = catalogue.releases() else { panic!("{} releases", catalogue.releases().len()) };
    assert_eq!(release.edition.sha256, winner.digest);
    release.edition.verify(store).await.unwrap();
    let listed: Vec<String> = store.list("").await.unwrap().into_iter().map(|file| file.path).collect();
    let folder = &release.edition.folder;
    let mut named: Vec<String> = release.edition.manifest.files.keys().map(|file| format!("{folder}/{file}")).collect();
    named.push(format!("{folder}/manifest.json"));
    named.sort();
    assert_eq!(listed, named, "the release has other files than its manifest names");
    winner
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_several_publishers_one_wins() {
    let world = World::new();
    let right = &world.counts[1];
    let wrong = right.wrong();
    let folder = tempfile::tempdir().unwrap();
    for round in 0..20 {
        let local = Store::open(folder.path().join(round.to_string()).to_str().unwrap()).unwrap();
        for store in [local, Store::in_memory().unwrap()] {
            // The same numbers, and others.
            let counts: &[&Count] = if round % 2 == 0 { &[right, right, right] } else { &[right, &wrong, right] };
            let outcomes = race(&store, counts).await;
            assert_one_winner(&store, outcomes).await;
            // The race for the correction.
            let other = if round % 2 == 0 { &wrong } else { right };
            let before = Catalogue::open(&store).await.unwrap().releases()[0].edition.sha256.clone();
            let again = other.draft(&store, Some("counted again")).await.unwrap();
            match other.finish(again).await {
                Ok(published) => assert_eq!(published.revision, 2),
                // The wrong numbers had won, and here they are again.
                Err(error) => assert!(error.to_string().contains("with exactly these cells"), "{error}"),
            }
            let catalogue = Catalogue::open(&store).await.unwrap();
            let edition = &catalogue.releases()[0].edition;
            assert!(edition.sha256 == before || edition.manifest.revision == 2);
            edition.verify(&store).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_loser_takes_away_only_what_it_brought() {
    let world = World::new();
    let (many, few) = (&world.counts[0], &world.counts[1]);
    let store = Store::in_memory().unwrap();
    // The same period, but other tables than the winner has.
    let few = Count { period: many.period, ..few.wrong() };
    let mut winner = few.draft(&store, None).await.unwrap();
    let mut loser = many.draft(&store, None).await.unwrap();
    loser.document("extra.json", &"only here").unwrap();
    few.fill(&mut winner).unwrap();
    many.fill(&mut loser).unwrap();
    let published = winner.publish().await.unwrap();
    let told = loser.publish().await.unwrap_err();
    assert!(told.to_string().contains("with other content"), "{told}");
    assert_one_winner(&store, vec![Ok(published)]).await;
}

#[tokio::test]
async fn what_a_stopped_publisher_left_is_no_release() {
    let world = World::new();
    let (count, wrong) = (&world.counts[1], world.counts[1].wrong());
    let folder = tempfile::tempdir().unwrap();
    let local = Store::open(folder.path().to_str().unwrap()).unwrap();
    for store in [local, Store::in_memory().unwrap()] {
        let mut stopped = wrong.draft(&store, None).await.unwrap();
        wrong.fill(&mut stopped).unwrap();
        assert_eq!(store.list("2024-S1").await.unwrap(), [], "what nothing proves yet is there already");
        // Stopped when all was there but the manifest.
        stopped.publish().await.unwrap();
        store.remove("2024-S1/r1/manifest.json").await.unwrap();
        assert!(matches!(Catalogue::open(&store).await, Err(Error::NotFound(_))));
        let draft = count.draft(&store, None).await.unwrap();
        let outcome = count.finish(draft).await;
        let published = if store.to_string() == "memory" {
            // Nobody can tell whether the other one is still at it.
            let told = outcome.unwrap_err().to_string();
            assert_says(&told, &["memory/2024-S1/r1/audit.json", "somebody else is publishing 2024-S1/r1", "remove memory/2024-S1/r1/"]);
            store.remove_folder("2024-S1/r1").await.unwrap();
            let draft = count.draft(&store, None).await.unwrap();
            count.finish(draft).await.unwrap()
        } else {
            outcome.unwrap()
        };
        assert_one_winner(&store, vec![Ok(published)]).await;
    }
}

/// A folder in which 2024-S1 has been counted.
fn counted() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("s.csv"), snapshot(&people(200))).unwrap();
    succeed(&["build", "s.csv", "--period", "2024-S1"], folder.path());
    folder
}

#[test]
fn of_two_commands_one_wins() {
    let folder = counted();
    for round in 0..5 {
        let releases = format!("releases-{round}");
        forget_proofs(folder.path(), "2024-S1");
        let start = |threshold: &str| {
            let args = ["release", "2024-S1", "--releases", &releases, "--threshold", threshold];
            program().args(args).current_dir(folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let running = ["5", "7", "5"].map(start);
        let outcomes = running.map(|child| child.wait_with_output().unwrap());
        assert!(outcomes.iter().any(|outcome| outcome.status.success()), "{outcomes:?}");
        for loser in outcomes.iter().filter(|outcome| !outcome.status.success()) {
            let told = String::from_utf8_lossy(&loser.stderr);
            assert!(CONFLICTS.iter().any(|text| told.contains(text)) && !told.contains("panicked"), "{told}");
        }
        let release = folder.path().join(&releases).join("2024-S1/r1");
        let manifest: Manifest = serde_json::from_slice(&fs::read(release.join("manifest.json")).unwrap()).unwrap();
        for (file, digest) in &manifest.files {
            assert_eq!(FileDigest::of(&fs::read(release.join(file)).unwrap()), *digest, "{file}");
        }
        // Losers have left the winner's proof alone.
        let audited = succeed(&["audit", "2024-S1", "--releases", &releases], folder.path());
        assert_says(&audited, &["no fault found"]);
    }
}

#[test]
fn the_vintage_of_regions_is_shown_everywhere() {
    let folder = counted();
    let here = folder.path();
    let regions = "# vintage: from the file\ncode,name,level,parent\n34,Yogyakarta,province,\n34.01,Kulon Progo,regency,34\n\
                   34.01.01,Temon,district,34.01\n34.01.01.2001,Jangkaran,village,34.01.01\n";
    fs::write(here.join("regions-2024.csv"), regions).unwrap();
    fs::write(here.join("plain-2024.csv"), regions.split_once('\n').unwrap().1).unwrap();
    let cases: [(&[&str], &str); 4] = [
        (&[], "idn-area-data 4.0.1"),
        (&["--regions", "plain-2024.csv"], "plain-2024"),
        (&["--regions", "regions-2024.csv"], "from the file"),
        (&["--regions", "regions-2024.csv", "--vintage", "300.2.2-2430/2025"], "300.2.2-2430/2025"),
    ];
    for (number, (more, vintage)) in cases.into_iter().enumerate() {
        let mut manifests = BTreeMap::new();
        for copy in ["a", "b"] {
            let warehouse = format!("w{number}{copy}");
            succeed(&[&["build", "s.csv", "--period", "2024-S1", "--warehouse", &warehouse], more].concat(), here);
            succeed(&["release", "2024-S1", "--warehouse", &warehouse], here);
            manifests.insert(copy, fs::read(here.join(&warehouse).join("releases/2024-S1/r1/manifest.json")).unwrap());
        }
        assert!(manifests["a"] == manifests["b"], "the same input gives other bytes");
        let manifest: Manifest = serde_json::from_slice(&manifests["a"]).unwrap();
        assert_eq!(manifest.vintage, vintage);
        let releases = format!("w{number}a/releases");
        assert_says(&succeed(&["releases", "--releases", &releases], here), &["vintage", vintage]);
        let server = Server::start(program().args(["serve", "--public", "*", "--releases", &releases]).current_dir(here));
        let metadata: serde_json::Value = serde_json::from_str(&server.get("/api/v2/tables/population/metadata")).unwrap();
        assert_eq!(metadata["dimension"]["Region"]["extension"]["vintage"], vintage);
        assert_eq!(metadata["extension"]["releases"][0]["vintage"], vintage);
    }
    let error = fail(&["build", "s.csv", "--period", "2024-S1", "--vintage", " "], here);
    assert_says(&error, &["--vintage <NAME>", "expected a name of 1 to 80 characters"]);
}

/// The releases that a service says it serves.
fn served(server: &Server) -> serde_json::Value {
    serde_json::from_str::<serde_json::Value>(&server.get("/readyz")).unwrap()["releases"].clone()
}

#[test]
fn a_service_takes_up_what_a_command_publishes() {
    let folder = counted();
    let here: &Path = folder.path();
    succeed(&["release", "2024-S1"], here);
    let server = Server::start(program().args(["serve", "--public", "*", "--refresh", "1"]).current_dir(here));
    assert_eq!(served(&server), serde_json::json!(["2024-S1/r1"]));
    fs::write(here.join("s.csv"), snapshot(&people(220))).unwrap();
    succeed(&["build", "s.csv", "--period", "2024-S1"], here);
    succeed(&["release", "2024-S1", "--correction", "twenty people were late", "--accept-differences"], here);
    let patience = std::time::Instant::now();
    while served(&server) != serde_json::json!(["2024-S1/r2"]) {
        assert!(patience.elapsed().as_secs() < 20, "still {}", served(&server));
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

#[test]
fn a_language_that_the_program_does_not_speak_is_answered_in_english() {
    let folder = tempfile::tempdir().unwrap();
    let register = Path::new(env!("CARGO_MANIFEST_DIR")).join("data-samples/other-register");
    let part = |name: &str| register.join(name).to_string_lossy().into_owned();
    let (snapshot, definitions) = (part("snapshot-2024.csv"), part("definitions"));
    succeed(&["build", &snapshot, "--period", "2024", "--definitions", &definitions, "--max-rejects", "0.05"], folder.path());
    succeed(&["release", "2024"], folder.path());
    let server = Server::start(program().args(["serve", "--public", "*"]).current_dir(folder.path()));
    // Estonian is the first language of this register, and so the one for those who name none.
    let metadata: serde_json::Value = serde_json::from_str(&server.get("/api/v2/tables/RV01/metadata")).unwrap();
    assert_eq!(metadata["extension"]["px"]["language"], "et");
    assert_eq!(metadata["source"], "Näidisregister, välja mõeldud andmed");
    let label = |variable: &str| metadata["dimension"][variable]["label"].clone();
    assert_eq!((label("ContentsCode"), label("Tid")), ("contents".into(), "period".into()));
    assert_says(&metadata["note"].to_string(), &["c = suppressed to protect people"]);
    let refused = crate::support::ask(server.address.trim_start_matches("http://"), "/api/v2/tables/RV09?lang=et");
    assert_says(&refused, &["HTTP/1.1 404 ", "Non-existent table", "there is no table 'RV09'; there is RV01"]);
}
