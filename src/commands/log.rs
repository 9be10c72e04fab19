//! `cacah log`

use anyhow::Result;

use super::say::say;
use crate::{
    access::{Access, Attested, Evidence, Kept, PublicKey, Search, SigningKey, must_lie_elsewhere},
    cli::{LogAction, LogArgs, LogShow, LogVerify},
};

/// Runs the command.
pub fn log(args: &LogArgs) -> Result<()> {
    match &args.action {
        LogAction::Verify(by) => verify(&Access::existing(&args.database)?, by)?,
        LogAction::Keys { out } => {
            must_lie_elsewhere("folder of the keys", &out.join("log.key"), &args.database)?;
            let (secret, public) = SigningKey::create(out)?;
            say!("{}: the secret key, for 'cacah serve --log-key' alone", secret.display());
            say!("{}: the public key, for everybody who is to verify the log", public.display());
        }
        LogAction::Show(wanted) => show(&Access::existing(&args.database)?, wanted)?,
    }
    Ok(())
}

fn verify(access: &Access, by: &LogVerify) -> Result<()> {
    let keys = by.key.iter().map(|path| PublicKey::open(path)).collect::<Result<Vec<_>, _>>()?;
    let found = access.verify_log_by(&Evidence { keys, witnesses: by.witness.clone() })?;
    match found.span {
        Some((first, last)) => {
            say!("{} records in {} files, from {first} to {last}: all are what was written", found.records, found.files);
        }
        None => say!("{} holds no record yet", access.log_folder().display()),
    }
    for attested in &found.attested {
        told(attested);
    }
    if found.attested.iter().all(|attested| attested.checkpoints == 0) {
        say!(
            "there are no checkpoints: that nothing is missing at the end rests on this machine alone (see --log-witness of 'cacah serve')"
        );
    }
    Ok(())
}

fn told(Attested { path, checkpoints, signed, last, behind, others }: &Attested) {
    let Some((number, at)) = last else { return };
    let how = if *signed {
        "signed, and the log agrees with all of them"
    } else {
        "the log agrees with all of them; --key checks their signatures"
    };
    say!("{}: {checkpoints} checkpoints, {how}; the last is of record {number}, made on {at}", path.display());
    if *behind > 0 {
        say!("  {behind} records follow it, which the next one would cover");
    }
    if *others > 0 {
        say!("  {others} lines are no checkpoints of this log");
    }
}

fn show(access: &Access, wanted: &LogShow) -> Result<()> {
    let search = Search {
        user: wanted.user.clone(),
        institution: wanted.institution.clone(),
        surface: wanted.surface.clone(),
        asked: wanted.asked.clone(),
        since: wanted.since.clone(),
        until: wanted.until.clone(),
        refused: wanted.refused,
    };
    for Kept { number, record } in access.newest_records(&search, wanted.most)? {
        if wanted.json {
            say!("{}", serde_json::to_string(&record)?);
            continue;
        }
        let who = if record.user.is_empty() { "-" } else { record.user.as_str() };
        say!(
            "{number:>8}  {}  {who:<20} {:<6} {:>3} {:>9} cells {:>7} [c]  {}",
            record.at,
            record.surface,
            record.status,
            record.cells,
            record.suppressed,
            record.asked
        );
    }
    Ok(())
}
