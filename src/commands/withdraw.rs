//! `cacah withdraw`

use anyhow::Result;
use chrono::Utc;

use super::{keys::signing_key, say::say};
use crate::{cli::Withdraw, release, storage::Store};

/// Runs the command.
pub async fn withdraw(args: Withdraw) -> Result<()> {
    let store = Store::open(&args.stores.releases())?;
    let key = signing_key(&Store::open(&args.stores.confidential())?, &args.key)?;
    let reason = (args.reason.as_str(), args.reason_id.as_deref());
    let withdrawn = release::withdraw(&store, args.period, args.revision, reason, Utc::now().date_naive(), key.as_ref()).await?;
    let (period, revision) = (withdrawn.period, withdrawn.revision);
    match &key {
        Some(key) => say!("{period} r{revision} withdrawn, signed with key {}", key.public().id()),
        None => say!(
            "{period} r{revision} withdrawn, NOT SIGNED: services with --trust do not believe it, and say so; withdraw it again with --sign-with"
        ),
    }
    say!(
        "services that run stop serving it at their next look (--refresh); its cells may have been copied, so later releases are still protected beside it"
    );
    Ok(())
}
