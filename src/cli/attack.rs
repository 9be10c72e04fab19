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
  cacah attack warehouse/releases --check attack                 check the results of an earlier attack, in whole numbers
  cacah attack warehouse/releases --check attack/2024-S1         those of one period

Works out from published files alone how far they pin down each withheld count: all tables, people and households, and all revisions of a
period are one system. Ends with an error where a small count is given away. Writes into a folder for each period (2024-S1; 2024-S1/r1+r2
where revisions have to be attacked apart):

  ranges.parquet, ranges.csv  a row for every withheld cell, the same in both forms (--format)
  determined.csv              those of which a single count is left (low = high), large ones too
  derivation.parquet          the proof: lines, each of which proves one end of one range
  assumptions.json            what the proof takes for granted, and digests of what was attacked
  summary.txt                 all of it for people, as it is printed

Columns of ranges and of determined.csv:

  revision, table, row, cell  which cell: its number in the table, and its codes
  low, high                   smallest and largest count left; high is empty: no limit is proven
  method                      how the range was found:
                                published: another table or revision publishes the count
                                propagation: by single rows; it may be wider than need be
                                window: by linear programs on a part; likewise
                                program: the narrowest in real numbers, rounded inward
                                whole: the narrowest in whole numbers
  low_line, high_line         the line in derivation.parquet that proves the end; empty: no need

--outside says what is assumed of people in none of the counted households, as in homes. none: there are none, so that the members of all
households of a place are all of its people, and sizes of households tell numbers of people and the other way round. unknown: there may be
any number of them, so that a place has at least the people that its households need, and perhaps more; that tells less.

--check reads the files of an earlier attack beside the releases that were attacked. It checks each line of derivation.parquet, that the
ranges name every withheld cell once with just what the lines prove, and that determined.csv holds those with a single count; the first
row that is wrong is named. It does not check summary.txt, and of the methods only which counts are published.")]
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
    /// When to stop, such as 90s, 10m or 2h; what is not decided by then is told
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration)]
    pub time_budget: Duration,
    /// Threads; 0 takes one for each core
    #[arg(long, default_value_t = 0)]
    pub threads: usize,
    /// People who live in none of the counted households: `none`, as most attackers would assume, or `unknown` (see below)
    #[arg(long, value_enum, default_value_t = OutsideArg::None)]
    pub outside: OutsideArg,
    /// Forms of the file of ranges
    #[arg(long = "format", value_name = "FORMATS", value_enum, value_delimiter = ',', default_values_t = [RangesFormat::Csv, RangesFormat::Parquet])]
    pub formats: Vec<RangesFormat>,
    /// Write no proofs (derivation.parquet); such results cannot be checked
    #[arg(long)]
    pub no_proofs: bool,
    /// Definitions whose links between people and households are taken where releases have none: a folder, or `shipped`
    #[arg(long, value_name = "DIR")]
    pub definitions: Option<String>,
    /// Check the results of an earlier attack instead: the folder that it wrote, or that of one period in it
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
