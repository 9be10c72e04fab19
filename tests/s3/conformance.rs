//! What the program asks of a store holds of a local folder, of memory and of S3 alike.

use std::{fs, ops::Range, sync::Arc};

use cacah::storage::{Created, Store};
use futures::{TryStreamExt, future::join_all};

use super::service::{OFFICE, S3};

async fn conforms(store: &Store) {
    let shown = store.to_string();
    let read = async |path: &str| store.read(path).await.unwrap().map(|bytes| bytes.to_vec());
    let paths = async |folder: &str| store.list(folder).await.unwrap().into_iter().map(|file| file.path).collect::<Vec<_>>();

    // What is not there.
    assert_eq!((read("no/such").await, store.stat("no/such").await.unwrap()), (None, None), "{shown}");
    assert!(paths("no").await.is_empty() && paths("").await.is_empty() && store.folders("").await.unwrap().is_empty(), "{shown}");
    store.remove("no/such").await.unwrap();
    store.remove_folder("no").await.unwrap();
    for told in [store.read_start("no/such", 4).await.err(), store.stream("no/such").await.err()] {
        assert!(told.unwrap().to_string().contains("no/such"), "{shown}");
    }

    // Writing replaces, creating does not.
    store.write("a/one", "first".as_bytes().to_vec()).await.unwrap();
    store.write("a/one", "second".as_bytes().to_vec()).await.unwrap();
    assert_eq!(read("a/one").await.as_deref(), Some(&b"second"[..]), "{shown}");
    let create = async |path: &str, content: &str| store.create(path, content.as_bytes().to_vec()).await.unwrap();
    assert_eq!((create("a/one", "third").await, create("a/one", "second").await), (Created::Other, Created::Same), "{shown}");
    assert_eq!(read("a/one").await.as_deref(), Some(&b"second"[..]), "{shown}");
    assert_eq!(create("a/two", "").await, Created::New, "{shown}");
    assert_eq!(read("a/two").await.as_deref(), Some(&b""[..]), "{shown}");
    let texts: Vec<String> = (0..12).map(|number| format!("of writer {number}")).collect();
    let won = join_all(texts.iter().map(|text| store.create("race/manifest.json", text.clone().into_bytes()))).await;
    let winners: Vec<usize> = won.into_iter().enumerate().filter_map(|(at, won)| (won.unwrap() == Created::New).then_some(at)).collect();
    assert_eq!(winners.len(), 1, "{shown}: {winners:?}");
    assert_eq!(read("race/manifest.json").await, Some(texts[winners[0]].clone().into_bytes()), "{shown}");

    // Parts, and what lies beyond the end.
    let digits: Vec<u8> = (0..100_000u32).map(|number| b'0' + (number % 10) as u8).collect();
    store.write("b/digits", digits.clone()).await.unwrap();
    assert_eq!(store.stat("b/digits").await.unwrap().unwrap().bytes, 100_000, "{shown}");
    for length in [0, 1, 99_999, 100_000, 1_000_000] {
        let expected = &digits[..digits.len().min(length as usize)];
        assert_eq!(store.read_start("b/digits", length).await.unwrap(), expected, "{shown}: {length}");
    }
    assert!(store.read_start("a/two", 10).await.unwrap().is_empty(), "{shown}");
    let ranges: [Range<u64>; 3] = [5..17, 99_990..100_000, 0..1];
    let parts = store.read_ranges("b/digits", &ranges).await.unwrap();
    let expected = ranges.map(|range| digits[range.start as usize..range.end as usize].to_vec());
    assert!(parts.iter().zip(&expected).all(|(part, expected)| part == expected), "{shown}");
    let streamed: Vec<_> = store.stream("b/digits").await.unwrap().try_collect().await.unwrap();
    assert_eq!(streamed.concat(), digits, "{shown}");

    // More than one part of an upload, the last of them a short one; and nothing at all.
    let folder = tempfile::tempdir().unwrap();
    let local = folder.path().join("large");
    for (bytes, name) in [((16 << 20) + 12_345, "large"), (8 << 20, "whole"), (0, "empty")] {
        let content: Vec<u8> = (0..bytes as u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        fs::write(&local, &content).unwrap();
        store.upload(&format!("c/{name}"), &local).await.unwrap();
        assert!(read(&format!("c/{name}")).await == Some(content), "{shown}: {name}");
    }

    // Names, folders, order.
    for name in ["d/z", "d/B", "d/a b", "d/é+%41", "d/deep/er/file", "d-not/below"] {
        store.write(name, name.as_bytes().to_vec()).await.unwrap();
        assert_eq!(read(name).await, Some(name.as_bytes().to_vec()), "{shown}: {name}");
    }
    assert_eq!(paths("d").await, ["d/B", "d/a b", "d/deep/er/file", "d/z", "d/é+%41"], "{shown}");
    assert_eq!(store.folders("").await.unwrap(), ["a", "b", "c", "d", "d-not", "race"], "{shown}");
    assert_eq!(store.folders("d").await.unwrap(), ["deep"], "{shown}");
    let below = store.below("d").below("deep");
    assert_eq!(below.list("").await.unwrap().into_iter().map(|file| file.path).collect::<Vec<_>>(), ["er/file"], "{shown}");
    assert_eq!(below.read("er/file").await.unwrap().unwrap(), "d/deep/er/file", "{shown}");
    store.remove("d/z").await.unwrap();
    store.remove_folder("d/deep").await.unwrap();
    assert_eq!(paths("d").await, ["d/B", "d/a b", "d/é+%41"], "{shown}");
    assert_eq!(paths("d-not").await, ["d-not/below"], "{shown}");
}

#[test]
fn stores_of_all_kinds_keep_the_same_promises() {
    let (s3, folder) = (S3::start(), tempfile::tempdir().unwrap());
    s3.runtime.block_on(async {
        conforms(&Store::open(folder.path().join("store").to_str().unwrap()).unwrap()).await;
        conforms(&Store::in_memory().unwrap()).await;
        let bucket = Store::over(Arc::new(s3.bucket(OFFICE)), "s3://office").unwrap();
        conforms(&bucket.below("some/prefix")).await;
    });
}
