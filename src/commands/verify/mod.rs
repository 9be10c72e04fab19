//! `cacah verify`

mod export;
mod numbers;

use anyhow::{Result, bail};

use super::say::say;
use crate::{
    cli::Verify,
    cube::grouped,
    release::{Report, Trust, verify as verify_store},
    storage::Store,
};

/// Runs the command.
pub async fn verify(args: Verify) -> Result<()> {
    let trust = Trust::read(&args.keys)?;
    let store = Store::open(&args.what)?;
    if store.local("").is_some_and(|place| place.is_file()) {
        return export::verify(&args, &trust).await;
    }
    if args.releases.is_some() {
        bail!("'{}' is no file; --releases names the store with which an exported file is compared", args.what);
    }
    let report = verify_store(&store, &trust, &args.last).await?;
    if args.json {
        say!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        tell(&report);
    }
    match report.faults.as_slice() {
        [] => Ok(()),
        [fault] => bail!("{}: {} {}", report.store, fault.place, fault.problem),
        faults => bail!("{}: {} faults", report.store, faults.len()),
    }
}

/// The report for people.
fn tell(report: &Report) {
    say!("{:<14} {:<18} {:>6} {:>10}  SHA-256 of the manifest", "release", "signed by", "files", "MB");
    for release in &report.releases {
        let signed_by = release.signed_by.as_deref().unwrap_or("nobody trusted");
        say!("{:<14} {signed_by:<18} {:>6} {:>10.1}  {}", release.release, release.files, release.bytes as f64 / 1e6, release.sha256);
        if let Some(withdrawn) = &release.withdrawn {
            say!("{:<14} withdrawn on {withdrawn}", "");
        }
    }
    for note in &report.notes {
        say!("note: {note}");
    }
    for fault in &report.faults {
        say!("FAULT: {} {}", fault.place, fault.problem);
    }
    if report.sound {
        let bytes: u64 = report.releases.iter().map(|release| release.bytes).sum();
        say!("{} releases, {} bytes: all are what was signed", report.releases.len(), grouped(bytes));
        say!("published last: {} (keep it: --last names it the next time)", report.last.join(" and "));
    }
}
