//! Stores of signed releases, sound and damaged.

use std::collections::BTreeMap;

use cacah::{
    error::Error,
    release::{Catalogue, Manifest, Report, Trust, verify, withdraw},
    storage::Store,
};
use chrono::NaiveDate;
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64;

use super::{key, publish, publish_world};
use crate::{common::assert_says, http::world::World};

/// Changes of one byte that are tried on a store; those of exports are in `exports`.
const CHANGES: usize = 7_000;

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2024, 12, 24).unwrap()
}

/// Files by their paths.
type Files = BTreeMap<String, Vec<u8>>;

/// All files of a store.
async fn files(store: &Store) -> Files {
    let mut files = BTreeMap::new();
    for file in store.list("").await.unwrap() {
        files.insert(file.path.clone(), store.read(&file.path).await.unwrap().unwrap().to_vec());
    }
    files
}

async fn manifest(store: &Store, folder: &str) -> Manifest {
    serde_json::from_slice(&store.read(&format!("{folder}/manifest.json")).await.unwrap().unwrap()).unwrap()
}

fn faults(report: &Report) -> String {
    report.faults.iter().map(|fault| format!("{} {}\n", fault.place, fault.problem)).collect()
}

async fn check(store: &Store, trust: &Trust) -> Report {
    verify(store, trust, &[]).await.unwrap()
}

#[tokio::test]
async fn releases_are_signed_and_name_what_was_published_before_them() {
    let (world, (key, trust)) = (World::new(), key());
    let folder = tempfile::tempdir().unwrap();
    let local = Store::open(folder.path().to_str().unwrap()).unwrap();
    let mut copies = Vec::new();
    for store in [local, Store::in_memory().unwrap()] {
        let published = publish_world(&world, &store, Some(&key)).await;
        let report = check(&store, &trust).await;
        assert!(report.sound && report.notes.is_empty(), "{} {:?}", faults(&report), report.notes);
        assert!(report.releases.iter().all(|release| release.signed_by.as_deref() == Some(key.public().id())));
        assert_eq!(report.last, [published[3].digest.clone()]);
        // In the order of publication, not of periods.
        let folders = ["2023-S2/r1", "2024-S1/r1", "2024-S1/r2", "2024-S2/r1"];
        for (at, folder) in folders.iter().enumerate() {
            let chain = manifest(&store, folder).await.chain.unwrap();
            let before: Vec<String> = published[..at].iter().rev().take(1).map(|before| before.digest.clone()).collect();
            assert_eq!(chain.follows, before, "{folder}");
            assert_eq!(chain.corrects, (at == 2).then(|| published[1].digest.clone()), "{folder}");
        }
        copies.push(files(&store).await);
    }
    // The same key and the same order give the same bytes, signatures and all.
    assert!(copies[0] == copies[1], "two stores differ");
}

#[tokio::test]
async fn a_period_that_is_published_late_follows_what_was_published_before_it() {
    let (world, (key, trust)) = (World::new(), key());
    let store = Store::in_memory().unwrap();
    let newer = publish(&world.counts[2], &store, None, Some(&key)).await;
    publish(&world.counts[0], &store, None, Some(&key)).await;
    assert_eq!(manifest(&store, "2023-S2/r1").await.chain.unwrap().follows, [newer.digest]);
    assert!(check(&store, &trust).await.sound);
    // What was published first is what a chain by periods would not miss.
    store.remove_folder("2024-S2/r1").await.unwrap();
    assert_says(
        &faults(&check(&store, &trust).await),
        &["2023-S2/r1 follows a release whose manifest has the SHA-256", "it was taken out"],
    );
    let refused = Catalogue::open_trusted(&store, &trust).await.unwrap_err().to_string();
    assert_says(&refused, &["it was taken out", "restore the releases from a copy"]);
    assert!(Catalogue::open(&store).await.is_ok(), "who trusts nobody asks for no chain");
}

#[tokio::test]
async fn a_release_that_is_taken_out_is_missed() {
    let (world, (key, trust)) = (World::new(), key());
    for (gone, folder) in ["2023-S2/r1", "2024-S1/r1", "2024-S1/r2", "2024-S2/r1"].into_iter().enumerate() {
        let store = Store::in_memory().unwrap();
        let published = publish_world(&world, &store, Some(&key)).await;
        store.remove_folder(folder).await.unwrap();
        let report = check(&store, &trust).await;
        // The one that was published last is missed by those who remember it.
        assert_eq!(report.sound, gone == 3, "{folder}");
        let remembered = verify(&store, &trust, &[published[3].digest.clone()]).await.unwrap();
        assert!(!remembered.sound, "{folder}");
        // The manifest alone.
        let store = Store::in_memory().unwrap();
        publish_world(&world, &store, Some(&key)).await;
        store.remove(&format!("{folder}/manifest.json")).await.unwrap();
        assert_says(&faults(&check(&store, &trust).await), &[folder, "has no manifest"]);
    }
}

#[tokio::test]
async fn publishers_of_two_periods_who_race_make_a_fork_that_is_told_and_joined() {
    let (world, (key, trust)) = (World::new(), key());
    let [first, second, third] = &world.counts[..] else { unreachable!() };
    // Who has begun earlier looks again before the end, and follows who was quicker.
    let store = Store::in_memory().unwrap();
    let mut slow = first.draft(&store, None).await.unwrap();
    slow.sign_with(&key);
    let quick = publish(second, &store, None, Some(&key)).await;
    first.finish(slow).await.unwrap();
    assert_eq!(manifest(&store, "2023-S2/r1").await.chain.unwrap().follows, [quick.digest]);
    assert!(check(&store, &trust).await.notes.is_empty());
    // Two that could not know of each other: each published where the other was not, as if in the same moment.
    let (one, other) = (Store::in_memory().unwrap(), Store::in_memory().unwrap());
    let a = publish(first, &one, None, Some(&key)).await;
    let b = publish(second, &other, None, Some(&key)).await;
    for (path, content) in files(&other).await {
        one.write(&path, content).await.unwrap();
    }
    let report = check(&one, &trust).await;
    assert!(report.sound, "{}", faults(&report));
    assert_says(&report.notes.join("\n"), &["2023-S2/r1 and 2024-S1/r1 were published at the same moment"]);
    assert_eq!(report.last.len(), 2);
    publish(third, &one, None, Some(&key)).await;
    let mut both = vec![a.digest, b.digest];
    both.sort();
    assert_eq!(manifest(&one, "2024-S2/r1").await.chain.unwrap().follows, both);
    assert!(check(&one, &trust).await.sound && check(&one, &trust).await.last.len() == 1);
    one.remove_folder("2023-S2/r1").await.unwrap();
    assert!(!check(&one, &trust).await.sound);
}

#[tokio::test]
async fn what_is_not_signed_or_does_not_belong_is_told() {
    let (world, (key, trust)) = (World::new(), key());
    let (_, others) = super::key();
    let store = Store::in_memory().unwrap();
    publish_world(&world, &store, Some(&key)).await;
    assert_says(&faults(&check(&store, &others).await), &["2024-S2/r1/manifest.json is signed with key", "which is not trusted"]);
    let all = files(&store).await;
    let tampered = async |change: &dyn Fn(&mut Files)| {
        let mut files = all.clone();
        change(&mut files);
        let store = Store::in_memory().unwrap();
        for (path, content) in files {
            store.write(&path, content).await.unwrap();
        }
        (faults(&check(&store, &trust).await), Catalogue::open_trusted(&store, &trust).await)
    };
    let (told, opened) = tampered(&|files| _ = files.remove("2024-S2/r1/manifest.sig")).await;
    assert_says(&told, &["2024-S2/r1/manifest.json is not signed"]);
    assert!(matches!(opened, Err(Error::Conflict(_))));
    let (told, _) = tampered(&|files| _ = files.insert("2024-S2/r1/cells/more.parquet".into(), b"more".into())).await;
    assert_says(&told, &["2024-S2/r1/cells/more.parquet is not named by the manifest"]);
    let (told, _) = tampered(&|files| _ = files.remove("2024-S2/r1/cells/people.parquet")).await;
    assert_says(&told, &["2024-S2/r1/cells/people.parquet is missing"]);
    // A whole release under another name, with its signature.
    let (told, opened) = tampered(&|files| {
        let copied: Vec<(String, Vec<u8>)> = files
            .iter()
            .filter(|(path, _)| path.starts_with("2024-S2/r1/"))
            .map(|(path, content)| (path.replace("/r1/", "/r2/"), content.clone()))
            .collect();
        files.extend(copied);
    })
    .await;
    assert_says(&told, &["2024-S2/r2/manifest.json is of 2024-S2/r1: it was moved", "2024-S2/r2/manifest.json differs from what key"]);
    assert!(opened.is_err());
    // A release that nobody signed, beside signed ones.
    let unsigned = Store::in_memory().unwrap();
    publish(&world.counts[0], &unsigned, None, Some(&key)).await;
    publish(&world.counts[2], &unsigned, None, None).await;
    let refused = Catalogue::open_trusted(&unsigned, &trust).await.unwrap_err().to_string();
    assert_says(&refused, &["2024-S2/r1/manifest.json is not signed", "cacah keys sign"]);
    assert_eq!(Catalogue::open(&unsigned).await.unwrap().releases().len(), 2);
}

#[tokio::test]
async fn a_withdrawn_release_is_out_of_force_and_its_predecessor_with_it() {
    let (world, (key, trust)) = (World::new(), key());
    let store = Store::in_memory().unwrap();
    publish_world(&world, &store, Some(&key)).await;
    let reason = ("counted twice", Some("terhitung dua kali"));
    let s1 = "2024-S1".parse().unwrap();
    withdraw(&store, s1, None, reason, day(), Some(&key)).await.unwrap();
    let report = check(&store, &trust).await;
    assert!(report.sound, "{}", faults(&report));
    assert_eq!(report.releases[2].withdrawn.as_deref(), Some("2024-12-24: counted twice"));
    let catalogue = Catalogue::open_trusted(&store, &trust).await.unwrap();
    let folders: Vec<&str> = catalogue.releases().iter().map(|release| release.edition.folder.as_str()).collect();
    assert_eq!(folders, ["2023-S2/r1", "2024-S2/r1"]);
    let [withdrawn] = catalogue.withdrawn() else { panic!("{:?}", catalogue.withdrawn()) };
    assert_eq!((withdrawn.folder().as_str(), withdrawn.superseded.len()), ("2024-S1/r2", 1));
    // Once is enough; a reason must say something; what is not there cannot be withdrawn.
    let again = withdraw(&store, s1, None, reason, day(), Some(&key)).await.unwrap_err().to_string();
    assert_says(&again, &["2024-S1/r2 was withdrawn on 2024-12-24 already: counted twice"]);
    assert!(withdraw(&store, s1, Some(1), (" ", None), day(), Some(&key)).await.is_err());
    let nothing = withdraw(&store, s1, Some(7), reason, day(), Some(&key)).await.unwrap_err().to_string();
    assert_says(&nothing, &["holds no release 2024-S1/r7", "2024-S1/r1, 2024-S1/r2"]);
    // A superseded revision is marked, and nothing else changes.
    withdraw(&store, s1, Some(1), ("wrong toys", None), day(), Some(&key)).await.unwrap();
    assert_eq!(
        Catalogue::open_trusted(&store, &trust).await.unwrap().withdrawn()[0].superseded[0].withdrawal.as_ref().unwrap().reason,
        "wrong toys"
    );
    // The next publication of the period is in force; the very same cells may come back if the withdrawal was a mistake.
    publish(&world.counts[1], &store, Some("it was right after all"), Some(&key)).await;
    let catalogue = Catalogue::open_trusted(&store, &trust).await.unwrap();
    assert_eq!(catalogue.releases()[1].edition.folder, "2024-S1/r3");
    assert!(catalogue.withdrawn().is_empty() && catalogue.releases()[1].edition.superseded[1].withdrawal.is_some());
    // It names what was withdrawn before it, so that a withdrawal cannot be taken out again, whoever is trusted.
    store.remove("2024-S1/r2/withdrawal.json").await.unwrap();
    store.remove("2024-S1/r2/withdrawal.sig").await.unwrap();
    assert_says(&faults(&check(&store, &trust).await), &["2024-S1/r2 was withdrawn, as 2024-S1/r3 says, but its withdrawal is not here"]);
    assert!(matches!(Catalogue::open(&store).await, Err(Error::Conflict(_))));
}

#[tokio::test]
async fn numbers_of_a_withdrawn_release_may_be_removed() {
    let (world, (key, trust)) = (World::new(), key());
    let store = Store::in_memory().unwrap();
    publish_world(&world, &store, Some(&key)).await;
    store.remove("2024-S1/r2/cells/people.parquet").await.unwrap();
    assert!(!check(&store, &trust).await.sound);
    withdraw(&store, "2024-S1".parse().unwrap(), None, ("told too much", None), day(), Some(&key)).await.unwrap();
    assert!(check(&store, &trust).await.sound);
    // Not where nobody who is trusted has withdrawn it.
    store.write("2024-S1/r2/withdrawal.sig", &b"{}"[..]).await.unwrap();
    let told = faults(&check(&store, &trust).await);
    assert_says(&told, &["2024-S1/r2/withdrawal.json has a signature that was changed", "2024-S1/r2/cells/people.parquet is missing"]);
}

#[tokio::test]
async fn a_withdrawal_that_nobody_signed_is_replaced_by_one_that_is_signed() {
    let (world, (key, trust)) = (World::new(), key());
    let store = Store::in_memory().unwrap();
    publish_world(&world, &store, Some(&key)).await;
    let period = "2024-S2".parse().unwrap();
    withdraw(&store, period, None, ("somebody says so", None), day(), None).await.unwrap();
    let refused = Catalogue::open_trusted(&store, &trust).await.unwrap_err().to_string();
    assert_says(&refused, &["2024-S2/r1/withdrawal.json is not signed", "if nobody of yours has withdrawn it, remove that file"]);
    // Who trusts nobody believes everybody.
    assert_eq!(Catalogue::open(&store).await.unwrap().releases().len(), 2);
    withdraw(&store, period, None, ("we say so", None), day(), Some(&key)).await.unwrap();
    let catalogue = Catalogue::open_trusted(&store, &trust).await.unwrap();
    assert_eq!(catalogue.withdrawn()[0].withdrawal.reason, "we say so");
}

/// One byte of one file, anywhere in a store, thousands of times.
#[tokio::test]
async fn a_change_of_any_byte_of_a_store_is_noticed() {
    let (world, (key, trust)) = (World::new(), key());
    let store = Store::in_memory().unwrap();
    publish(&world.counts[1].wrong(), &store, None, Some(&key)).await;
    publish(&world.counts[1], &store, Some("counted the toys"), Some(&key)).await;
    withdraw(&store, "2024-S1".parse().unwrap(), Some(1), ("wrong toys", Some("mainan keliru")), day(), Some(&key)).await.unwrap();
    assert!(check(&store, &trust).await.sound);
    let all: Vec<(String, Vec<u8>)> = files(&store).await.into_iter().collect();
    let mut random = Pcg64::seed_from_u64(22);
    for round in 0..CHANGES {
        // The small files that hold everything together are tried as often as the large ones.
        let (path, content) = &all[random.random_range(0..all.len())];
        let at = random.random_range(0..content.len());
        let mut changed = content.clone();
        changed[at] ^= random.random_range(1..=255u8);
        store.write(path, changed).await.unwrap();
        let report = check(&store, &trust).await;
        assert!(!report.sound, "round {round}: byte {at} of {path}");
        store.write(path, content.clone()).await.unwrap();
    }
    assert!(check(&store, &trust).await.sound);
}
