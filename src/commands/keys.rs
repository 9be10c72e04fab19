//! `cacah keys`, and the key that other commands sign with.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::say::say;
use crate::{
    cli::{KeyArgs, KeysAction, KeysArgs, KeysSign},
    cube::Confidential,
    release::{
        MANIFEST, MANIFEST_SIGNATURE, PUBLIC_KEY, ReleaseKey, SECRET_KEY, Signature, Signed, StoredRelease, Trust, list_stored, verify_file,
    },
    storage::Store,
};

/// Folder of the confidential store in which a key lies, if it lies nowhere else.
const FOLDER: &str = "keys";

/// The folder for keys of a confidential store, if it is a local one.
fn folder(confidential: &Store) -> Option<PathBuf> {
    confidential.local(FOLDER)
}

/// The key to sign with: the one that is named, or the one in its usual place; `None` where there is none.
pub fn signing_key(confidential: &Store, args: &KeyArgs) -> Result<Option<ReleaseKey>> {
    if let Some(file) = &args.sign_with {
        let key = ReleaseKey::read(file)?;
        return key.map(Some).with_context(|| format!("there is no key {}; 'cacah keys make' makes one", file.display()));
    }
    let Some(folder) = folder(confidential) else { return Ok(None) };
    Ok(ReleaseKey::read(&folder.join(SECRET_KEY))?)
}

/// Makes the usual key of a confidential store, which has none.
pub fn make_usual_key(confidential: &Store) -> Result<ReleaseKey> {
    let folder = folder(confidential).with_context(|| format!("{confidential} is no local folder; name one with --out"))?;
    Ok(ReleaseKey::make_in(&folder)?)
}

/// Runs `cacah keys`.
pub async fn keys(args: KeysArgs) -> Result<()> {
    match args.action {
        KeysAction::Make(args) => {
            let confidential = Store::open(&args.stores.confidential())?;
            let (key, place, typed) = match &args.out {
                Some(out) => (ReleaseKey::make_in(out)?, out.clone(), format!(" --sign-with {}", out.join(SECRET_KEY).display())),
                None => (make_usual_key(&confidential)?, folder(&confidential).unwrap_or_default(), String::new()),
            };
            say!("key {} made", key.public().id());
            say!("  {}  signs releases; keep it here, and a copy in a safe", place.join(SECRET_KEY).display());
            say!("  {}  for everybody who serves or reads releases", place.join(PUBLIC_KEY).display());
            say!("next: cacah release PERIOD{typed}{}", args.stores.typed());
            Ok(())
        }
        KeysAction::Sign(args) => sign(args).await,
    }
}

async fn sign(args: KeysSign) -> Result<()> {
    let confidential = Store::open(&args.stores.confidential())?;
    let store = Store::open(&args.stores.releases())?;
    let Some(key) = signing_key(&confidential, &args.key)? else {
        bail!("there is no key to sign with; make one with 'cacah keys make', or name it with --sign-with");
    };
    let confidential = Confidential::new(confidential);
    let trust = Trust::new(vec![key.public().clone()]);
    let _hold = store.hold()?;
    let all = list_stored(&store).await?;
    if let Some(unknown) = args.periods.iter().find(|period| !all.iter().any(|release| release.manifest.period == **period)) {
        bail!("{store} holds no release of {unknown}");
    }
    let is_wanted = |release: &&StoredRelease| args.periods.is_empty() || args.periods.contains(&release.manifest.period);
    let is_unsigned = |release: &&StoredRelease| {
        Signature::check_file(release.signature.as_deref(), Signed::Manifest, &release.folder, &release.text, &trust).is_err()
    };
    let (mut signed, mut before) = (0, 0);
    for release in all.iter().filter(is_wanted) {
        if !is_unsigned(&release) {
            before += 1;
            continue;
        }
        check_ours(&confidential, &store, release).await?;
        let signature = Signature::of(Signed::Manifest, &release.folder, &release.text, &key).text();
        store.write(&format!("{}/{MANIFEST_SIGNATURE}", release.folder), signature.into_bytes()).await?;
        say!("{} signed with key {}", release.folder, key.public().id());
        signed += 1;
    }
    say!("{signed} releases signed, {before} were signed already");
    Ok(())
}

/// Refuses to sign what this confidential side has not proven, or what was changed since.
async fn check_ours(confidential: &Confidential, store: &Store, release: &StoredRelease) -> Result<()> {
    let StoredRelease { folder, manifest, .. } = release;
    let proof = confidential.proof_manifest(manifest.period, manifest.revision).await?;
    let proof =
        proof.with_context(|| format!("{folder} is not signed: the confidential side has no proof of it, so that it may be anybody's"))?;
    if manifest.folder() != *folder || proof.cells != manifest.cells() || manifest.tables.len() != proof.cells.len() {
        bail!("{folder} is not signed: {store}/{folder}/{MANIFEST} names other cells than were proven; restore the release from a copy");
    }
    for (file, digest) in &manifest.files {
        verify_file(store, folder, file, digest).await?;
    }
    Ok(())
}
