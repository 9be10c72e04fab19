//! Releases that are signed: what is published, what a verifier notices, what a service serves, what an export says.

mod exports;
mod program;
mod python;
mod serving;
mod store;

use cacah::{
    release::{Published, ReleaseKey, Trust},
    storage::Store,
};

use crate::http::world::{Count, World};

/// A new key, and trust in it.
pub fn key() -> (ReleaseKey, Trust) {
    let (key, _) = ReleaseKey::make().unwrap();
    let trust = Trust::new(vec![key.public().clone()]);
    (key, trust)
}

/// Publishes a count, signed if there is a key.
pub async fn publish(count: &Count, store: &Store, correction: Option<&str>, key: Option<&ReleaseKey>) -> Published {
    let mut draft = count.draft(store, correction).await.unwrap();
    if let Some(key) = key {
        draft.sign_with(key);
    }
    count.finish(draft).await.unwrap()
}

/// Publishes the whole world: 2023-S2/r1, 2024-S1/r1, 2024-S1/r2 and 2024-S2/r1, in this order.
pub async fn publish_world(world: &World, store: &Store, key: Option<&ReleaseKey>) -> Vec<Published> {
    let [first, second, third] = &world.counts[..] else { unreachable!("there are three counts") };
    vec![
        publish(first, store, None, key).await,
        publish(&second.wrong(), store, None, key).await,
        publish(second, store, Some("counted the toys"), key).await,
        publish(third, store, None, key).await,
    ]
}
