//! Snapshots, cubes and releases in an object store are the same, byte by byte, as in local folders.
//!
//! The store is an S3 service in this process (see `service`); the program reaches it over HTTP, told by the usual `AWS_` variables alone.

mod conformance;
mod faults;
pub mod service;

use std::{
    collections::BTreeSet,
    fs,
    process::Stdio,
    time::{Duration, Instant},
};

use object_store::local::LocalFileSystem;

use self::service::{Files, OFFICE, REGISTER, S3};
use crate::{
    common::{assert_says, regions, succeed},
    support::{Server, ask},
};

/// Two districts, one in each of two provinces.
const REGIONS: [&str; 2] = ["34.71.01", "51.71.01"];
/// Makes up people in the test's regions, see [`REGIONS`].
fn sample<'a>(period: &'a str, persons: &'a str, seed: &'a str, out: &'a str) -> [&'a str; 11] {
    ["sample", "--period", period, "--persons", persons, "--seed", seed, "--regions", "regions.csv", "--out", out]
}

#[track_caller]
pub fn assert_same(left: &Files, right: &Files) {
    assert_eq!(left.keys().collect::<Vec<_>>(), right.keys().collect::<Vec<_>>());
    for (path, content) in left {
        assert!(right[path] == *content, "{path} differs");
    }
}

#[test]
fn releases_on_s3_are_the_same_as_in_folders() {
    let (s3, folder) = (S3::start(), tempfile::tempdir().unwrap());
    let here = folder.path();
    let local = LocalFileSystem::new_with_prefix(here).unwrap();
    fs::create_dir(here.join("delivered")).unwrap();
    fs::write(here.join("regions.csv"), regions(&REGIONS)).unwrap();
    let snapshots = ["delivered/a.csv", "delivered/b.csv.gz", "delivered/c.parquet", "delivered/regencies/"];
    for snapshot in snapshots {
        succeed(&sample("2024-S1", "8000", "5", snapshot), here);
    }
    let delivered = s3.files(&local, "delivered");
    assert!(delivered.len() > snapshots.len(), "the last of the snapshots is several files: {:?}", delivered.keys());
    s3.deliver(&delivered.into_iter().map(|(path, content)| (format!("delivered/{path}"), content)).collect());

    let mut cells: Option<Files> = None;
    for (number, snapshot) in snapshots.into_iter().enumerate() {
        let (in_folder, on_s3) = (format!("warehouse-{number}"), format!("s3://{OFFICE}/warehouse-{number}"));
        let delivered = format!("s3://{REGISTER}/{snapshot}");
        let mut listed = Vec::new();
        for (snapshot, warehouse) in [(snapshot, &in_folder), (delivered.as_str(), &on_s3)] {
            s3.succeed(&["build", snapshot, "--period", "2024-S1", "--warehouse", warehouse, "--regions", "regions.csv"], here);
            s3.succeed(&["release", "2024-S1", "--warehouse", warehouse], here);
            listed.push(s3.succeed(&["releases", "--releases", &format!("{warehouse}/releases")], here));
        }
        assert_says(&listed[0], &["2024-S1", "r1", "certified"]);
        assert_eq!(listed[0], listed[1]);

        let mut files = s3.files(&local, &format!("{in_folder}/releases"));
        assert!(files.contains_key("2024-S1/r1/manifest.json"), "{:?}", files.keys());
        assert_same(&files, &s3.files(&s3.bucket(OFFICE), &format!("warehouse-{number}/releases")));

        files.retain(|path, _| path.contains("/cells/"));
        assert!(files.len() > 5, "{:?}", files.keys());
        match &cells {
            Some(first) => assert_same(first, &files),
            None => cells = Some(files),
        }
    }

    let again = s3.program().args(["release", "2024-S1", "--warehouse", &format!("s3://{OFFICE}/warehouse-0")]).output().unwrap();
    assert!(!again.status.success());
    assert_says(&String::from_utf8_lossy(&again.stderr), &["2024-S1 is published already"]);

    // A service on S3 takes up what is published while it runs.
    let mut serve = s3.program();
    let (releases, warehouse) = (format!("s3://{OFFICE}/warehouse-1/releases"), format!("s3://{OFFICE}/warehouse-1"));
    let server = Server::start(serve.args(["serve", "--public", "*", "--refresh", "1", "--releases", &releases]).current_dir(here));
    succeed(&sample("2024-S2", "8000", "5", "later.csv"), here);
    s3.succeed(&["build", "later.csv", "--period", "2024-S2", "--warehouse", &warehouse, "--regions", "regions.csv"], here);
    s3.succeed(&["release", "2024-S2", "--warehouse", &warehouse], here);
    let patience = Instant::now();
    while !server.get("/readyz").contains("2024-S2/r1") {
        assert!(patience.elapsed() < Duration::from_secs(30), "still {}", server.get("/readyz"));
        std::thread::sleep(Duration::from_millis(50));
    }
    drop(server);

    let question = "/api/v2/tables/population/data?outputFormat=csv\
                    &valuecodes[Region]=*&valuecodes[Age]=*&valuecodes[ContentsCode]=*&valuecodes[Tid]=*";
    let on_store = format!("s3://{OFFICE}/warehouse-0/releases");
    let releases = ["warehouse-0/releases".to_owned(), on_store.clone()];
    let [in_folder, on_s3] = releases.map(|releases| {
        let mut serve = s3.program();
        Server::start(serve.args(["serve", "--public", "*", "--releases", &releases]).current_dir(here)).get(question)
    });
    assert!(in_folder.lines().count() > 200 && in_folder.lines().any(|line| line.ends_with(",c")));
    assert!(in_folder == on_s3, "the service answers differently from s3://");

    // Services side by side know nothing of each other: behind a proxy nobody can tell which of them answers.
    let one_of_many = || {
        let mut serve = s3.program();
        let public = ["serve", "--public", "*", "--public-address", "https://data.example.org", "--releases", &on_store];
        Server::start(serve.args(public).current_dir(here))
    };
    let (first, second) = (one_of_many(), one_of_many());
    for path in
        [question, "/api/v2/tables/population/metadata", "/api/v2/tables", "/tables/population", "/charts/pyramid.svg?table=population"]
    {
        let answer = |server: &Server| {
            let answer = ask(server.address.trim_start_matches("http://"), path);
            let of_this_one = |line: &&str| !["x-request-id:", "date:", "server-timing:"].iter().any(|name| line.starts_with(name));
            answer.lines().filter(of_this_one).collect::<Vec<_>>().join("\n")
        };
        let answers = [&first, &second].map(answer);
        assert!(answers[0].starts_with("HTTP/1.1 200") && answers[0].contains("etag: ") == (path != "/api/v2/tables"), "{}", answers[0]);
        assert_eq!(answers[0], answers[1]);
    }
    drop((first, second));

    // What was read once is read from local disk the next time, also by the next process, and no more is kept than was allowed.
    let cached = || {
        let mut serve = s3.program();
        let kept = ["--read-cache", "kept", "--read-cache-size", "2", "--cache", "0", "--metrics", "127.0.0.1:0"];
        Server::start(serve.args(["serve", "--public", "*", "--releases", &on_store]).args(kept).current_dir(here))
    };
    s3.faults.plan(service::Fault::Count);
    let server = cached();
    assert!(server.get(question) == in_folder);
    assert!(s3.faults.plan(service::Fault::Count) > 0, "the first time it is fetched");
    assert!(server.get(question) == in_folder);
    assert_eq!(s3.faults.plan(service::Fault::Count), 0, "the second time it is not");
    drop(server);
    let server = cached();
    assert!(server.get(question) == in_folder);
    assert_eq!(s3.faults.plan(service::Fault::Nothing), 0, "nor by the next process");
    let size: u64 = fs::read_dir(here.join("kept")).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    assert!(size > 1000 && size <= 2 << 20, "{size}");
    let mut second = s3.program();
    let second = second.args(["serve", "--public", "*", "--port", "0", "--releases", &on_store, "--read-cache", "kept"]);
    let second = second.current_dir(here).output().unwrap();
    assert_says(&String::from_utf8_lossy(&second.stderr), &["another service reads through this folder"]);
    drop(server);
}

#[test]
fn a_new_build_on_s3_replaces_the_one_before() {
    let (s3, folder) = (S3::start(), tempfile::tempdir().unwrap());
    let warehouse = format!("s3://{OFFICE}/deep/below");
    let mut builds = BTreeSet::new();
    for seed in ["1", "2"] {
        succeed(&["sample", "--period", "2024-S1", "--persons", "5000", "--seed", seed, "--out", "snapshot.csv"], folder.path());
        s3.succeed(&["build", "snapshot.csv", "--period", "2024-S1", "--warehouse", &warehouse], folder.path());
        let kept = s3.files(&s3.bucket(OFFICE), "deep/below/confidential/2024-S1");
        let manifest: serde_json::Value = serde_json::from_slice(&kept["build.json"]).unwrap();
        let folders: BTreeSet<&str> = kept.keys().filter_map(|path| Some(path.split_once('/')?.0)).collect();
        assert_eq!(folders, BTreeSet::from([manifest["build"].as_str().unwrap()]));
        builds.insert(manifest["build"].as_str().unwrap().to_owned());
    }
    assert_eq!(builds.len(), 2, "other people make another build");
}

#[test]
fn of_several_publishers_on_s3_one_wins() {
    let (s3, folder) = (S3::start(), tempfile::tempdir().unwrap());
    fs::write(folder.path().join("regions.csv"), regions(&REGIONS)).unwrap();
    succeed(&sample("2024-S1", "3000", "1", "snapshot.csv"), folder.path());
    for (round, thresholds) in [["5", "5", "5"], ["5", "7", "5"], ["5", "6", "7"]].into_iter().enumerate() {
        let warehouse = format!("s3://{OFFICE}/race-{round}");
        let build = ["build", "snapshot.csv", "--period", "2024-S1", "--warehouse", &warehouse, "--regions", "regions.csv"];
        s3.succeed(&build, folder.path());
        let running = thresholds.map(|threshold| {
            let mut command = s3.program();
            command.args(["release", "2024-S1", "--warehouse", &warehouse, "--threshold", threshold]).current_dir(folder.path());
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
        });
        let outcomes = running.map(|child| child.wait_with_output().expect("the program ends"));
        // Publishers of the very same bytes win together.
        let won: BTreeSet<&str> =
            outcomes.iter().zip(thresholds).filter(|(outcome, _)| outcome.status.success()).map(|(_, threshold)| threshold).collect();
        assert_eq!(won.len(), 1, "{outcomes:?}");
        for loser in outcomes.iter().filter(|outcome| !outcome.status.success()) {
            let told = String::from_utf8_lossy(&loser.stderr);
            let reasons = ["is proven already", "somebody else is publishing", "somebody else has just published", "is published already"];
            assert!(reasons.iter().any(|reason| told.contains(reason)) && !told.contains("panicked"), "{told}");
        }
        let files = s3.files(&s3.bucket(OFFICE), &format!("race-{round}/releases/2024-S1/r1"));
        let manifest: serde_json::Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
        let named = manifest["files"].as_object().unwrap();
        assert_eq!(named.len() + 1, files.len(), "{:?}", files.keys());
        for (file, digest) in named {
            let found = cacah::storage::FileDigest::of(&files[file]);
            assert_eq!(digest["sha256"], found.sha256, "{file}");
        }
        // Nobody can be kept out of an object store, but losers have left the winner's proof alone.
        assert_says(&s3.succeed(&["audit", "2024-S1", "--warehouse", &warehouse], folder.path()), &["no fault found"]);
    }
}

#[test]
fn a_refused_key_is_told_with_the_place() {
    let (s3, folder) = (S3::start(), tempfile::tempdir().unwrap());
    let output = s3
        .program()
        .env("AWS_SECRET_ACCESS_KEY", "guessed")
        .args(["build", "s3://register/delivered/a.csv", "--period", "2024-S1"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert_says(&String::from_utf8_lossy(&output.stderr), &["error: ", "s3://register/delivered/a.csv", "SignatureDoesNotMatch"]);
}
