//! A verifier of few lines of Python, which shares nothing with the program, comes to the same verdicts.

use std::{fs, path::Path, process::Command};

use bytes::Bytes;
use cacah::{
    release::{Signature, Signed, Trust, read_export, verify, withdraw},
    serve::{Application, ServeSettings},
    storage::Store,
};
use chrono::NaiveDate;
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64;

use super::{exports::EXPORTS, key, publish_world};
use crate::{
    clients::installed,
    http::{client::request, settings, world::World},
};

/// Changes of one byte of a store and of exports on which both pass judgement.
const CHANGES: usize = 40;

/// The verdict of Python.
fn python(key: &Path, what: &Path) -> bool {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/verify_releases.py");
    let output =
        Command::new(installed("CACAH_TEST_PYTHON")).arg(script).args([key, what]).env("PYTHONDONTWRITEBYTECODE", "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("FAULT: ") || said.contains("all is what was signed"), "{said}");
    output.status.success()
}

/// Ours on a store.
async fn store_is_sound(store: &Store, trust: &Trust) -> bool {
    verify(store, trust, &[]).await.unwrap().sound
}

/// Ours on an export, as far as it tells by itself.
fn export_is_sound(file: &[u8], trust: &Trust) -> bool {
    let Ok(exported) = read_export(&Bytes::copy_from_slice(file)) else { return false };
    let releases = &exported.provenance.releases;
    let is_signed = |release: &cacah::release::NamedRelease| {
        let (Some(key), Some(signature)) = (&release.key, &release.signature) else { return false };
        Signature::ed25519(key, signature).check(Signed::Manifest, &release.id, &release.sha256, trust).is_ok()
    };
    exported.is_whole && !releases.is_empty() && releases.iter().all(is_signed)
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_verifier_in_python_agrees() {
    let (world, (key, trust)) = (World::new(), key());
    let folder = tempfile::tempdir().unwrap();
    let (releases, public) = (folder.path().join("releases"), folder.path().join("release.pub"));
    fs::write(&public, format!("{}\n", key.public())).unwrap();
    let store = Store::open(releases.to_str().unwrap()).unwrap();
    publish_world(&world, &store, Some(&key)).await;
    let application = Application::build(&store, &ServeSettings { trust: trust.clone(), ..settings() }).await.unwrap();
    let address = application.address();
    tokio::spawn(application.run(std::future::pending()));
    let mut exports = Vec::new();
    for (path, _) in EXPORTS {
        let reply = tokio::task::spawn_blocking(move || request(address, "GET", path, &[], b"")).await.unwrap();
        assert_eq!(reply.status, 200, "{path}");
        exports.push(reply.body);
    }
    let day = NaiveDate::from_ymd_opt(2024, 12, 24).unwrap();
    withdraw(&store, "2024-S1".parse().unwrap(), Some(1), ("wrong toys", Some("mainan keliru")), day, Some(&key)).await.unwrap();
    let agree = async |what: &str| {
        let (ours, theirs) = (store_is_sound(&store, &trust).await, python(&public, &releases));
        assert_eq!(ours, theirs, "{what}: ours {ours}, theirs {theirs}");
        ours
    };
    assert!(agree("as it was published").await);
    let (other, _) = super::key();
    let other_public = folder.path().join("other.pub");
    fs::write(&other_public, format!("{}\n", other.public())).unwrap();
    assert!(!python(&other_public, &releases) && !store_is_sound(&store, &Trust::new(vec![other.public().clone()])).await);

    let mut random = Pcg64::seed_from_u64(7);
    let all = files(&releases);
    for _ in 0..CHANGES {
        let path = &all[random.random_range(0..all.len())];
        let sound = fs::read(path).unwrap();
        let mut changed = sound.clone();
        let at = random.random_range(0..changed.len());
        changed[at] ^= random.random_range(1..=255u8);
        fs::write(path, changed).unwrap();
        assert!(!agree(&format!("byte {at} of {}", path.display())).await);
        fs::write(path, sound).unwrap();
    }
    // Files that are gone, one after the other, and files that do not belong there.
    for path in all.iter().filter(|path| !path.starts_with(releases.join("2023-S2"))) {
        let sound = fs::read(path).unwrap();
        fs::remove_file(path).unwrap();
        agree(&format!("without {}", path.display())).await;
        fs::write(path, sound).unwrap();
    }
    for more in ["2024-S2/r1/more.txt", "2024-S2/r1/cells/more.parquet", "2024-S2/r2/cells/people.parquet"] {
        let path = releases.join(more);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "more").unwrap();
        assert!(!agree(more).await);
        fs::remove_file(&path).unwrap();
        let _ = fs::remove_dir(path.parent().unwrap());
    }
    let _ = fs::remove_dir_all(releases.join("2024-S2/r2"));
    assert!(agree("as it was").await);
    for release in ["2023-S2/r1", "2024-S1/r1", "2024-S1/r2", "2024-S2/r1"] {
        let aside = folder.path().join("aside");
        fs::rename(releases.join(release), &aside).unwrap();
        assert_eq!(agree(&format!("without {release}")).await, release == "2024-S2/r1");
        fs::rename(&aside, releases.join(release)).unwrap();
    }

    let file = folder.path().join("export");
    for (content, (path, _)) in exports.iter().zip(EXPORTS) {
        fs::write(&file, content).unwrap();
        assert!(python(&public, &file) && export_is_sound(content, &trust), "{path}");
        assert!(!python(&other_public, &file), "{path}");
        for _ in 0..CHANGES / EXPORTS.len() {
            let mut changed = content.clone();
            let at = random.random_range(0..changed.len());
            changed[at] ^= random.random_range(1..=255u8);
            fs::write(&file, &changed).unwrap();
            assert!(!python(&public, &file) && !export_is_sound(&changed, &trust), "byte {at} of {path}");
        }
    }
}
