//! Exports that say from which release they come, and are sealed.

use std::{collections::BTreeMap, net::SocketAddr};

use bytes::Bytes;
use cacah::{
    release::{ExportFormat, ReleaseKey, Signature, Signed, read_export},
    serve::{Application, ServeSettings},
    storage::Store,
};
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64;

use super::{key, publish_world};
use crate::http::{client::request, settings, world::World};

/// Changes of one byte that are tried on all exports together; those of stores are in `store`.
const CHANGES: usize = 3_000;

/// What is exported, by the address below the service.
pub const EXPORTS: [(&str, ExportFormat); 10] = [
    (
        "/api/v2/tables/people/data?lang=en&valueCodes[Region]=*&valueCodes[Sex]=*&valueCodes[ContentsCode]=*&valueCodes[Tid]=*&outputFormat=json-stat2",
        ExportFormat::JsonStat,
    ),
    (
        "/api/v2/tables/people/data?lang=id&valueCodes[ContentsCode]=persons&valueCodes[Tid]=2024-S1&outputFormat=json-stat2",
        ExportFormat::JsonStat,
    ),
    (
        "/api/v2/tables/people/data?lang=en&valueCodes[Region]=*&valueCodes[ContentsCode]=persons&valueCodes[Tid]=2024-S2&outputFormat=parquet",
        ExportFormat::Parquet,
    ),
    (
        "/api/v2/tables/people/data?lang=en&valueCodes[Region]=*&valueCodes[Sex]=*&valueCodes[ContentsCode]=persons&valueCodes[Tid]=*&outputFormat=parquet&outputFormatParams=UseCodesAndTexts",
        ExportFormat::Parquet,
    ),
    (
        "/api/v2/tables/people/data?lang=en&valueCodes[Region]=*&valueCodes[ContentsCode]=persons&valueCodes[Tid]=*&outputFormat=xlsx",
        ExportFormat::Xlsx,
    ),
    (
        "/api/v2/tables/people/data?lang=id&valueCodes[Region]=*&valueCodes[ContentsCode]=persons&valueCodes[Tid]=*&outputFormat=xlsx&outputFormatParams=UseCodes,IncludeTitle",
        ExportFormat::Xlsx,
    ),
    ("/charts/bars.svg?lang=en&table=people&valueCodes[Sex]=*&valueCodes[Tid]=2024-S2", ExportFormat::Svg),
    ("/charts/lines.svg?lang=id&table=people&valueCodes[Region]=1101", ExportFormat::Svg),
    ("/charts/bars.png?lang=en&table=people&valueCodes[Sex]=*&valueCodes[Tid]=2024-S2&width=400", ExportFormat::Png),
    ("/charts/bars.pdf?lang=en&table=people&valueCodes[Sex]=*&valueCodes[Tid]=2024-S2", ExportFormat::Pdf),
];

/// A service over the whole world, signed or not.
async fn serve(world: &World, store: &Store, key: Option<&ReleaseKey>, more: ServeSettings) -> SocketAddr {
    publish_world(world, store, key).await;
    let application = Application::build(store, &more).await.unwrap();
    let address = application.address();
    tokio::spawn(application.run(std::future::pending()));
    address
}

async fn export(address: SocketAddr, path: &'static str) -> Bytes {
    let reply = tokio::task::spawn_blocking(move || request(address, "GET", path, &[], b"")).await.unwrap();
    assert_eq!(reply.status, 200, "{path}: {}", String::from_utf8_lossy(&reply.body));
    reply.body.into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exports_name_their_release_and_its_signature() {
    let (world, (key, trust)) = (World::new(), key());
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().to_str().unwrap()).unwrap();
    let address = Box::pin(serve(&world, &store, Some(&key), ServeSettings { trust: trust.clone(), ..settings() })).await;
    for (path, format) in EXPORTS {
        let file = export(address, path).await;
        let exported = read_export(&file).unwrap_or_else(|problem| panic!("{path} {problem}"));
        assert_eq!(exported.format, format, "{path}");
        assert!(exported.is_whole, "{path}");
        assert!(!exported.provenance.releases.is_empty(), "{path}");
        for release in &exported.provenance.releases {
            let signature = Signature::ed25519(release.key.as_ref().unwrap(), release.signature.as_ref().unwrap());
            assert_eq!(signature.check(Signed::Manifest, &release.id, &release.sha256, &trust), Ok(()), "{path}");
        }
        // The address that stands in a file answers with the same file.
        let own = exported.provenance.address.strip_prefix(&format!("http://{address}")).unwrap().to_owned();
        assert_eq!(export(address, own.leak()).await, file, "{path}");
    }
    // As the conventions have it.
    let document: serde_json::Value = serde_json::from_slice(&export(address, EXPORTS[1].0).await).unwrap();
    let release = &document["extension"]["release"];
    assert_eq!((&release["id"], &release["key"]), (&"2024-S1/r2".into(), &key.public().id().into()));
    assert!(release["signature"].as_str().is_some_and(|signature| signature.len() == 88) && release["sha256"].is_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exports_of_unsigned_releases_say_so_by_saying_nothing() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().to_str().unwrap()).unwrap();
    let address = Box::pin(serve(&world, &store, None, settings())).await;
    for (path, _) in EXPORTS {
        let exported = read_export(&export(address, path).await).unwrap();
        assert!(exported.is_whole && exported.provenance.releases.iter().all(|release| release.signature.is_none()), "{path}");
    }
}

/// One byte of one export, anywhere in it, thousands of times.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_any_byte_of_an_export_is_noticed() {
    let (world, (key, _)) = (World::new(), key());
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().to_str().unwrap()).unwrap();
    let address = Box::pin(serve(&world, &store, Some(&key), settings())).await;
    let mut files = BTreeMap::new();
    for (path, _) in EXPORTS {
        files.insert(path, export(address, path).await);
    }
    let mut random = Pcg64::seed_from_u64(2022);
    for round in 0..CHANGES {
        let (path, _) = EXPORTS[random.random_range(0..EXPORTS.len())];
        let mut changed = files[path].to_vec();
        let at = random.random_range(0..changed.len());
        changed[at] ^= random.random_range(1..=255u8);
        let found = read_export(&changed.into());
        assert!(found.is_err() || !found.unwrap().is_whole, "round {round}: byte {at} of {path}");
    }
    // The places that hold a seal together are tried byte by byte: the seal, what follows it, the end of the file.
    for (path, _) in EXPORTS {
        let file = &files[path];
        let seal = read_export(file).unwrap().provenance.seal;
        let start = file.windows(seal.len()).position(|window| window == seal.as_bytes()).unwrap() - 10;
        for at in (start..start + 90).chain(file.len() - 40..file.len()).filter(|at| *at < file.len()) {
            let mut changed = file.to_vec();
            changed[at] ^= 0x20;
            let found = read_export(&changed.into());
            assert!(found.is_err() || !found.unwrap().is_whole, "byte {at} of {path}");
        }
    }
}
