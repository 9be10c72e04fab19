//! `cacah log`

use std::collections::VecDeque;

use anyhow::Result;

use super::say::say;
use crate::{
    access::{Access, Kept},
    cli::{LogAction, LogArgs, LogShow},
};

/// Runs the command.
pub fn log(args: &LogArgs) -> Result<()> {
    let access = Access::open(&args.database)?;
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
    let mut newest: VecDeque<Kept> = VecDeque::new();
    access.log_records(|kept| {
        if is_wanted(&kept, wanted) {
            if newest.len() >= wanted.most {
                newest.pop_front();
            }
            newest.push_back(kept);
        }
    })?;
    for Kept { number, record } in newest {
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

fn is_wanted(kept: &Kept, wanted: &LogShow) -> bool {
    let record = &kept.record;
    let is = |given: &Option<String>, value: &str| given.as_ref().is_none_or(|given| given.eq_ignore_ascii_case(value));
    let holds = |text: &String| record.asked.contains(text) || record.means.iter().any(|means| means.contains(text));
    is(&wanted.user, &record.user)
        && is(&wanted.institution, &record.institution)
        && wanted.asked.as_ref().is_none_or(holds)
        && wanted.since.as_ref().is_none_or(|since| record.at.as_str() >= since.as_str())
        && (!wanted.refused || matches!(record.status, 401 | 403))
}
