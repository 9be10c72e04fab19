//! `cacah log`, as types.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::DATABASE;
use crate::access::Witness;

/// `cacah log`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cacah log verify
  cacah log keys --out /root/log-keys                            a pair of keys; then: cacah serve --log-key /root/log-keys/log.key
  cacah log verify --key log.pub --witness /mnt/auditor/witness.jsonl
  cacah log show --user TAX-34-0001
  cacah log show --refused --since 2024-12-01 --most 20

The log lies beside the database. Every access to data is in it before it is answered; if it cannot be written, nothing is answered.
Whether its end was cut off is known for sure by checkpoints that somebody else has kept: see --log-witness of 'cacah serve'.")]
pub struct Log {
    /// Database of institutions and users, beside which the log lies
    #[arg(long, value_name = "FILE", default_value = DATABASE, global = true)]
    pub database: PathBuf,
    /// What to do
    #[command(subcommand)]
    pub action: LogAction,
}

/// What `cacah log` does.
#[derive(Debug, Subcommand)]
pub enum LogAction {
    /// Go over every record: finds any that was changed, is missing or stands in another order
    Verify(LogVerify),
    /// Make the pair of keys by which checkpoints are signed and checked: log.key and log.pub
    Keys {
        /// Folder to write them to, elsewhere than the database; made if it is not there
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
    },
    /// Show records, the newest last
    Show(LogShow),
}

/// By what the log is gone over.
#[derive(Debug, Args)]
pub struct LogVerify {
    /// File of checkpoints that a witness has kept, as JSON lines or as a file of syslog: finds what was cut off the end; may be repeated
    #[arg(long, value_name = "FILE", requires = "key")]
    pub witness: Vec<PathBuf>,
    /// Public key by which checkpoints are checked; may be repeated where there were several
    #[arg(long, value_name = "FILE")]
    pub key: Vec<PathBuf>,
}

/// How `cacah serve` makes checkpoints of the log.
#[derive(Debug, Args)]
pub struct CheckpointArgs {
    /// Secret key by which checkpoints of the log are signed, made by 'cacah log keys', elsewhere than the database; or CACAH_LOG_KEY
    #[arg(long, value_name = "FILE")]
    pub log_key: Option<PathBuf>,
    /// Where checkpoints are told besides: a file, 'syslog', syslog+udp://HOST:PORT, syslog+tcp://HOST:PORT, syslog+unix:///SOCKET, or http(s)://HOST/PATH
    #[arg(long, value_name = "PLACE")]
    pub log_witness: Option<Witness>,
    /// Records after which there is a checkpoint
    #[arg(long, value_name = "RECORDS", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    pub checkpoint_records: u64,
    /// Minutes after which there is a checkpoint, if there are records
    #[arg(long, value_name = "MINUTES", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1440))]
    pub checkpoint_minutes: u64,
}

/// Which records are shown.
#[derive(Debug, Args)]
pub struct LogShow {
    /// Of this user
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// Of this institution
    #[arg(long, value_name = "CODE")]
    pub institution: Option<String>,
    /// Whose address or meaning holds this
    #[arg(long, value_name = "TEXT")]
    pub asked: Option<String>,
    /// Of this part of the service: api, sdmx, sql, chart, query, page or admin
    #[arg(long, value_name = "NAME")]
    pub surface: Option<String>,
    /// Before this day or moment, UTC
    #[arg(long, value_name = "DAY")]
    pub until: Option<String>,
    /// From this day on, or moment, as 2024-12-01 or 2024-12-01T08:00
    #[arg(long, value_name = "DAY")]
    pub since: Option<String>,
    /// Only what was refused
    #[arg(long)]
    pub refused: bool,
    /// Records, at most: the newest
    #[arg(long, default_value_t = 50)]
    pub most: usize,
    /// Whole records, as lines of JSON
    #[arg(long)]
    pub json: bool,
}
