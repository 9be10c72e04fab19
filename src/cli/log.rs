//! `cacah log`, as types.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::DATABASE;

/// `cacah log`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cacah log verify
  cacah log show --user TAX-34-0001
  cacah log show --refused --since 2024-12-01 --most 20

The log lies beside the database. Every access to data is in it before it is answered; if it cannot be written, nothing is answered.")]
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
    Verify,
    /// Show records, the newest last
    Show(LogShow),
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
