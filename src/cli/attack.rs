//! `cacah attack`, as types.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use super::threads_or_cores;
use crate::{attack::Effort, register::Period};

/// `cacah attack`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cacah attack warehouse/releases
  cacah attack s3://public/releases --period 2024-S1 --period 2024-S2 --out /tmp/attack --time-budget 1h
  cacah attack warehouse/releases --period 2024-S1 --revision 1 --no-proofs
  cacah attack warehouse/releases --outside unknown              without assuming that everybody lives in a household
  cacah attack old/releases --definitions shipped                releases that do not say how people and households are linked
  cacah attack warehouse/releases --check attack                 check the proofs of an earlier attack, in whole numbers

Works out from published files alone how far they pin down each withheld count: all tables, people and households, and all revisions of a
period are one system. Writes for each period ranges (ranges), counts that are given away altogether (determined.csv), the proof of every
bound (derivation.parquet) and a summary. Ends with an error where a small count is given away.")]
pub struct Attack {
    /// Release store: a folder or an s3:// address
    #[arg(value_name = "RELEASES")]
    pub releases: String,
    /// Period to attack, such as 2024-S1; may be repeated; all if not given
    #[arg(long = "period", value_name = "PERIOD")]
    pub periods: Vec<Period>,
    /// Revision to attack by itself; all revisions of a period together if not given
    #[arg(long, value_name = "REVISION")]
    pub revision: Option<u32>,
    /// Folder for the results; those of an earlier attack are replaced
    #[arg(long, value_name = "DIR", default_value = "attack")]
    pub out: PathBuf,
    /// Withheld counts that may hang together where the exact range of each is worked out; of larger systems parts are
    #[arg(long, value_name = "COUNTS", default_value_t = Effort::default().largest)]
    pub exact: usize,
    /// When to begin with no further part of a system, such as 90s, 10m or 2h; what was not begun is told
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration)]
    pub time_budget: Duration,
    /// Threads; 0 takes one for each core
    #[arg(long, default_value_t = 0)]
    pub threads: usize,
    /// People who live in no counted household: `none`, as most attackers would assume, or `unknown`
    #[arg(long, value_enum, default_value_t = OutsideArg::None)]
    pub outside: OutsideArg,
    /// Forms of the ranges
    #[arg(long = "format", value_name = "FORMATS", value_enum, value_delimiter = ',', default_values_t = [RangesFormat::Csv, RangesFormat::Parquet])]
    pub formats: Vec<RangesFormat>,
    /// Keep no proofs
    #[arg(long)]
    pub no_proofs: bool,
    /// Definitions whose links between people and households are taken where releases have none: a folder, or `shipped`
    #[arg(long, value_name = "DIR")]
    pub definitions: Option<String>,
    /// Check the proofs of an earlier attack in this folder instead
    #[arg(long, value_name = "DIR", conflicts_with_all = ["out", "exact", "time_budget", "outside", "formats", "no_proofs", "revision"])]
    pub check: Option<PathBuf>,
}

/// What is assumed of people who live in no counted household.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutsideArg {
    /// There are none.
    None,
    /// There may be any number.
    Unknown,
}

/// A form of the ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RangesFormat {
    /// Comma-separated text.
    Csv,
    /// Parquet.
    Parquet,
}

impl Attack {
    /// Threads to work on.
    pub fn threads(&self) -> usize {
        threads_or_cores(self.threads)
    }
}

/// A number of seconds, minutes or hours.
fn duration(text: &str) -> Result<Duration, String> {
    let expected = || "expected a time such as 90s, 10m or 2h".to_owned();
    let (number, seconds) = match text.char_indices().next_back() {
        Some((at, 's')) => (&text[..at], 1),
        Some((at, 'm')) => (&text[..at], 60),
        Some((at, 'h')) => (&text[..at], 3_600),
        _ => return Err(expected()),
    };
    let number: u64 = number.parse().map_err(|_| expected())?;
    // A year is more than anybody waits, and adds up without overflow.
    number.checked_mul(seconds).filter(|seconds| *seconds <= 365 * 86_400).map(Duration::from_secs).ok_or_else(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let check = |text: &str, expect: u64| assert_eq!(duration(text), Ok(Duration::from_secs(expect)), "{text}");
        check("0s", 0);
        check("90s", 90);
        check("10m", 600);
        check("2h", 7_200);
        for wrong in ["", "10", "m", "-1m", "1.5h", "10 m", "10d", "99999999999999999999h", "18446744073709551615h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
