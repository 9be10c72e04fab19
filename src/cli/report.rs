//! `cacah report`, as types.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::DATABASE;
use crate::{register::Period, usage::Thresholds};

/// `cacah report`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cacah report usage --period 2024-S1
  cacah report usage --period 2024-S1 --institution TAX --out tax-2024-S1.xlsx
  cacah report usage --period 2024-S1 --out usage.csv
  cacah report file TAX --period 2024-S1 --note 'letter S-12/2024'
  cacah report duties --period 2024-S1 --overdue
  cacah report hints --since 2024-12-01

Figures come from the log of accesses: what was answered, by whom, when. The same reports are pages of the service, for administrators
and, of their own institution, for reporters.")]
pub struct Report {
    /// Database of institutions and users, beside which the log lies
    #[arg(long, value_name = "FILE", default_value = DATABASE, global = true)]
    pub database: PathBuf,
    /// Who does this, as the record shall name him; the user of this machine if not given
    #[arg(long, value_name = "NAME", global = true)]
    pub by: Option<String>,
    /// What to do
    #[command(subcommand)]
    pub action: ReportAction,
}

/// What `cacah report` does.
#[derive(Debug, Subcommand)]
pub enum ReportAction {
    /// Tell how the service was used in a semester
    Usage(UsageArgs),
    /// File the report of an institution for a semester
    File {
        /// Code of the institution
        institution: String,
        /// Semester
        #[arg(long)]
        period: Period,
        /// What comes with it, such as the number of a letter
        #[arg(long)]
        note: String,
    },
    /// Tell who has filed the report for a semester and who has not
    Duties {
        /// Semester
        #[arg(long)]
        period: Period,
        /// Only those who should have filed it by now
        #[arg(long)]
        overdue: bool,
    },
    /// Tell what looks unusual in the log: bursts, crawls over many regions, nights, refusals
    Hints {
        /// From this day on, as offices date it; seven days back if not given
        #[arg(long, value_name = "DAY")]
        since: Option<chrono::NaiveDate>,
        /// Accesses of one user within a minute that are a burst
        #[arg(long, value_name = "COUNT", default_value_t = Thresholds::default().burst)]
        burst: u64,
        /// Different regions of one user on a day that are a crawl
        #[arg(long, value_name = "COUNT", default_value_t = Thresholds::default().crawl)]
        crawl: u64,
        /// Accesses of one user in a night that are many
        #[arg(long, value_name = "COUNT", default_value_t = Thresholds::default().night)]
        night: u64,
        /// Refusals of one user on a day that are many
        #[arg(long, value_name = "COUNT", default_value_t = Thresholds::default().refusals)]
        refusals: u64,
    },
}

/// Of what a report is made, and where it goes.
#[derive(Debug, Args)]
pub struct UsageArgs {
    /// Semester
    #[arg(long)]
    pub period: Period,
    /// Of this institution alone
    #[arg(long, value_name = "CODE")]
    pub institution: Option<String>,
    /// File to write, .csv or .xlsx; shown at the terminal if not given
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Language of the report: en or id
    #[arg(long, value_name = "LANGUAGE", default_value = "id", value_parser = ["en", "id"])]
    pub lang: String,
}
