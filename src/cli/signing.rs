//! `cacah keys`, `cacah verify` and `cacah withdraw`, as types.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::StoreArgs;
use crate::register::Period;

/// `cacah keys`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cacah keys make                                   into the folder keys of the confidential side
  cacah keys make --out /media/safe/keys            elsewhere: then 'cacah release --sign-with /media/safe/keys/release.key'
  cacah keys sign                                   what was published before there was a key

release.key stays on the confidential side, and a copy of it in a safe: without it nothing can be published that services with --trust serve.
release.pub is for everybody who serves or reads: for 'cacah serve --trust' and 'cacah verify --key', from a place that is not the store.")]
pub struct Keys {
    /// What to do
    #[command(subcommand)]
    pub action: KeysAction,
}

/// What `cacah keys` does.
#[derive(Debug, Subcommand)]
pub enum KeysAction {
    /// Make a key that signs releases: release.key and release.pub
    Make(KeysMake),
    /// Sign releases that are not signed yet, after comparing each with its proof
    Sign(KeysSign),
}

/// `cacah keys make`
#[derive(Debug, Args)]
pub struct KeysMake {
    /// Folder to write to; the folder keys of the confidential store if not given
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub stores: StoreArgs,
}

/// `cacah keys sign`
#[derive(Debug, Args)]
pub struct KeysSign {
    /// Semester whose releases are signed, such as 2024-S1; may be repeated; all if not given
    #[arg(value_name = "PERIOD")]
    pub periods: Vec<Period>,
    #[command(flatten)]
    pub key: KeyArgs,
    #[command(flatten)]
    pub stores: StoreArgs,
}

/// What is signed with.
#[derive(Debug, Clone, Default, Args)]
pub struct KeyArgs {
    /// Secret key to sign with; release.key in the folder keys of the confidential store, if there is one and none is given
    #[arg(long, value_name = "FILE")]
    pub sign_with: Option<PathBuf>,
}

/// `cacah verify`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cacah verify warehouse/releases --key release.pub
  cacah verify s3://public/releases --key release.pub --key older.pub --json
  cacah verify warehouse/releases --key release.pub --last 3f5e...    that nothing was taken out behind a release that is remembered
  cacah verify population.xlsx --key release.pub --releases s3://public/releases

Needs no service and no confidential side. Checks the signature of every manifest and withdrawal, that every release which another one names as
published before it is there, every file against its digest, and that nothing else lies in the folders of releases. Ends with an error where
anything is wrong.

That the newest release was taken out does not show in what is left: keep what is said of the release that was published last, and name it
with --last the next time. It is the SHA-256 of its manifest.

Of an exported file (JSON-stat, Parquet, XLSX, SVG, PNG, PDF) it says from which release the file comes, whether a trusted key signed that release, and
whether a byte of the file was changed by accident. Whether the numbers are the released ones needs --releases: then the file is made again and
compared, byte for byte or, where another version of the program made it, number by number.")]
pub struct Verify {
    /// Release store (a folder or an s3:// address), or an exported file
    #[arg(value_name = "RELEASES|FILE")]
    pub what: String,
    /// Public key that is trusted, as 'cacah keys make' writes it to release.pub; may be repeated
    #[arg(long = "key", value_name = "FILE", required = true)]
    pub keys: Vec<PathBuf>,
    /// SHA-256 of a manifest that must be there; may be repeated
    #[arg(long, value_name = "SHA256")]
    pub last: Vec<String>,
    /// Release store with which an exported file is compared
    #[arg(long, value_name = "PLACE")]
    pub releases: Option<String>,
    /// Folder of named queries (.sql) that replace the built-in ones, for charts of such queries
    #[arg(long, value_name = "DIR", requires = "releases")]
    pub queries: Option<PathBuf>,
    /// Report as JSON
    #[arg(long)]
    pub json: bool,
}

/// `cacah withdraw`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cacah withdraw 2024-S1 --reason \"regency 3404 was counted twice\"
  cacah withdraw 2024-S1 --revision 1 --reason \"...\" --reason-id \"kabupaten 3404 terhitung dua kali\"

A release that is withdrawn stays in the store with its withdrawal, so that everybody can see that there was one and why it must not be used. Services
that run stop serving it within --refresh seconds, say why, and do not serve it after a restart. The revision before it does not come back,
because its correction said that it was wrong: publish the next one with 'cacah release PERIOD --correction REASON'. What was published may have been
copied, so a withdrawn release still counts in the protection of every later one, and in 'cacah attack'. Its files other than manifest.json,
manifest.sig, withdrawal.json and withdrawal.sig may be removed.")]
pub struct Withdraw {
    /// Semester of the release
    pub period: Period,
    /// Revision; the last one if not given
    #[arg(long)]
    pub revision: Option<u32>,
    /// Why, for everybody to read
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// The same in Indonesian, where --reason is in another language
    #[arg(long, value_name = "TEXT")]
    pub reason_id: Option<String>,
    #[command(flatten)]
    pub key: KeyArgs,
    #[command(flatten)]
    pub stores: StoreArgs,
}
