//! `cacah log`

use anyhow::Result;

use super::say::say;
use crate::{
    access::{Access, Kept, Search},
    cli::{LogAction, LogArgs, LogShow},
};

/// Runs the command.
pub fn log(args: &LogArgs) -> Result<()> {
    let access = Access::existing(&args.database)?;
    match &args.action {
        LogAction::Verify => {
            let found = access.verify_log()?;
            match found.span {
                Some((first, last)) => {
                    say!("{} records in {} files, from {first} to {last}: all are what was written", found.records, found.files);
                }
                None => say!("{} holds no record yet", access.log_folder().display()),
            }
        }
        LogAction::Show(wanted) => show(&access, wanted)?,
    }
    Ok(())
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
