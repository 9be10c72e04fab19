//! Withdrawing a release: `withdrawal.json` beside its manifest, signed in the same way.
//!
//! A release is never changed, and what was published may have been copied. So a withdrawal takes nothing away: it says that nobody may use the
//! numbers any more, and why. The revision before does not come back, because its correction said that it was wrong.

use bytes::Bytes;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    keys::{ReleaseKey, Trust},
    signature::{Signature, Signed},
    stored::{MANIFEST, StoredRelease, WITHDRAWAL, WITHDRAWAL_SIGNATURE, by_release, read},
};
use crate::{
    error::{Error, Result},
    register::Period,
    storage::{Created, Store},
    words::Tongue,
};

/// The longest reason, in characters.
const LONGEST: usize = 2_000;
/// Version of the layout.
const LAYOUT: u32 = 1;

/// That a release must not be used any more, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawal {
    /// Version of this layout.
    pub format: u32,
    /// The period of the release.
    pub period: Period,
    /// The revision.
    pub revision: u32,
    /// SHA-256 of its manifest.
    pub manifest: String,
    /// Why, for everybody.
    pub reason: String,
    /// The same in Indonesian, if it was given apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_id: Option<String>,
    /// The day of the withdrawal, `YYYY-MM-DD`.
    pub date: String,
}

impl Withdrawal {
    /// Reads a withdrawal that lies in the folder of a release.
    pub(super) fn parse(text: &[u8], folder: &str, manifest: &str) -> Result<Self, String> {
        let withdrawal: Self =
            serde_json::from_slice(text).map_err(|error| format!("not a withdrawal that this program can read: {error}"))?;
        let place = format!("{}/r{}", withdrawal.period, withdrawal.revision);
        if withdrawal.format != LAYOUT {
            return Err(format!("layout {}, this program reads {LAYOUT}", withdrawal.format));
        }
        if place != folder || withdrawal.manifest != manifest {
            return Err(format!("withdraws another release than the one beside it ({place}, {})", withdrawal.manifest));
        }
        if withdrawal.day().is_none() {
            return Err(format!("'{}' is no day", withdrawal.date));
        }
        Ok(withdrawal)
    }

    /// Why, in a language.
    pub fn reason(&self, tongue: Tongue) -> &str {
        match tongue {
            Tongue::Indonesian => self.reason_id.as_deref().unwrap_or(&self.reason),
            Tongue::English => &self.reason,
        }
    }

    /// The day of the withdrawal.
    pub fn day(&self) -> Option<NaiveDate> {
        self.date.parse().ok()
    }
}

/// The withdrawal of a release, if there is one that may be believed. One that may not is none: opening the catalogue says what is wrong with it.
///
/// # Errors
/// Where the store cannot be read.
pub async fn withdrawal_of(store: &Store, folder: &str, manifest: &str, trust: &Trust) -> Result<Option<Withdrawal>> {
    let Some(text) = store.read(&format!("{folder}/{WITHDRAWAL}")).await? else { return Ok(None) };
    let Ok(withdrawal) = Withdrawal::parse(&text, folder, manifest) else { return Ok(None) };
    if !trust.is_needed() {
        return Ok(Some(withdrawal));
    }
    let signature = store.read(&format!("{folder}/{WITHDRAWAL_SIGNATURE}")).await?;
    let is_signed = Signature::check_file(signature.as_deref(), Signed::Withdrawal, folder, &text, trust).is_ok();
    Ok(is_signed.then_some(withdrawal))
}

/// The release that is to be withdrawn. Nothing else of the store is read: what is wrong with other releases must not keep one on the air.
async fn find(store: &Store, period: Period, revision: Option<u32>) -> Result<StoredRelease> {
    let folders = by_release(store.list("").await?).0;
    let there: Vec<(Period, u32)> = folders.iter().filter(|(_, files)| files.contains_key(MANIFEST)).map(|(place, _)| *place).collect();
    let is_wanted = |place: &&(Period, u32)| place.0 == period && revision.is_none_or(|revision| place.1 == revision);
    if let Some(place) = there.iter().rfind(is_wanted)
        && let Some(files) = folders.get(place)
        && let Some(release) = read(store, *place, &files[MANIFEST], |name| files.contains_key(name)).await?
    {
        return Ok(release);
    }
    let there = there.iter().map(|(period, revision)| format!("{period}/r{revision}")).collect::<Vec<_>>().join(", ");
    let wanted = revision.map_or_else(|| period.to_string(), |revision| format!("{period}/r{revision}"));
    Err(Error::NotFound(format!("{store} holds no release {wanted} that could be withdrawn; it has {there}")))
}

/// Withdraws a revision of a period, the last one if none is named. One that is withdrawn already stays as it is, unless the key has not signed
/// its withdrawal: then the new one takes its place.
///
/// # Errors
/// [`Error::NotFound`] where there is no such release, [`Error::Conflict`] where it is withdrawn already or the reason says nothing.
pub async fn withdraw(
    store: &Store,
    period: Period,
    revision: Option<u32>,
    (reason, reason_id): (&str, Option<&str>),
    day: NaiveDate,
    key: Option<&ReleaseKey>,
) -> Result<Withdrawal> {
    let sound = |reason: &str| !reason.trim().is_empty() && reason.chars().count() <= LONGEST;
    if !sound(reason) || reason_id.is_some_and(|reason| !sound(reason)) {
        return Err(Error::Conflict(format!("a withdrawal needs a reason that people can read, of at most {LONGEST} characters")));
    }
    let _hold = store.hold()?;
    let release = find(store, period, revision).await?;
    let trust = key.map(|key| Trust::new(vec![key.public().clone()]));
    if let Some(there) = &release.withdrawal {
        let is_ours = trust.as_ref().is_none_or(|trust| {
            Signature::check_file(there.signature.as_deref(), Signed::Withdrawal, &release.folder, &there.text, trust).is_ok()
        });
        if is_ours {
            return Err(Error::Conflict(format!(
                "{} was withdrawn on {} already: {}",
                release.folder, there.withdrawal.date, there.withdrawal.reason
            )));
        }
    }
    let withdrawal = Withdrawal {
        format: LAYOUT,
        period,
        revision: release.manifest.revision,
        manifest: release.sha256.clone(),
        reason: reason.trim().to_owned(),
        reason_id: reason_id.map(|reason| reason.trim().to_owned()),
        date: day.to_string(),
    };
    let text = Bytes::from(serde_json::to_vec_pretty(&withdrawal).map_err(|error| Error::Internal(error.to_string()))?);
    let path = |name: &str| format!("{}/{name}", release.folder);
    // The signature first: whoever sees a withdrawal sees that it is one.
    match key {
        Some(key) => {
            store
                .write(&path(WITHDRAWAL_SIGNATURE), Signature::of(Signed::Withdrawal, &release.folder, &text, key).text().into_bytes())
                .await?
        }
        None => store.remove(&path(WITHDRAWAL_SIGNATURE)).await?,
    }
    if release.withdrawal.is_some() {
        store.write(&path(WITHDRAWAL), text).await?;
    } else if store.create(&path(WITHDRAWAL), text).await? == Created::Other {
        return Err(Error::Conflict(format!("somebody else has just withdrawn {}; look at it before trying again", release.folder)));
    }
    Ok(withdrawal)
}
