//! What the operator may set.

use crate::{
    error::{Error, Result},
    worlds::Rule,
};

/// Settings of a protection run.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// What is primary and what certificates must show.
    pub rule: Rule,
    /// What losing a cell costs.
    pub weights: Weights,
    /// Threads to work on; the result is the same for any number.
    pub threads: usize,
    /// How often each secondary is put to the test of whether it is needed.
    pub rounds: u32,
    /// Searches that all those tests together may take, shared out by size; about 10 microseconds each.
    pub searches: u64,
    /// How much more a replacement may cost in that test, in thousandths of a plain cell.
    pub slack: u32,
}

impl Settings {
    /// Default settings with this rule.
    pub fn new(rule: Rule) -> Self {
        Self { rule, weights: Weights::default(), threads: 2, rounds: 4, searches: 20_000_000, slack: 100 }
    }
}

/// What losing a published cell costs, in thousandths of a plain cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// Added for every doubling of the count, so that of two cells the smaller one goes.
    pub per_doubling: u32,
    /// Added for a count of zero: a cell that readers take for empty anyway protects less credibly.
    pub zero: u32,
    /// Added for every level that the region lies above the finest.
    pub per_region_level: u32,
    /// Added for every dimension that is a total.
    pub per_total: u32,
    /// Factor by table identifier; tables not named have 1.
    pub tables: Vec<(String, f64)>,
}

impl Default for Weights {
    fn default() -> Self {
        Self { per_doubling: 30, zero: 200, per_region_level: 100, per_total: 50, tables: Vec::new() }
    }
}

impl Weights {
    /// Refuses weights beyond which costs could not be added up.
    pub(super) fn check(&self) -> Result<()> {
        let most = [self.per_doubling, self.zero, self.per_region_level, self.per_total].into_iter().max().unwrap_or(0);
        if most > 10_000 {
            return Err(Error::Input(format!("weight {most} is too large; expected at most 10000 thousandths of a cell")));
        }
        match self.tables.iter().find(|(_, factor)| !(0.1..=100.0).contains(factor)) {
            Some((id, factor)) => Err(Error::Input(format!("weight {factor} of table '{id}' is not between 0.1 and 100"))),
            None => Ok(()),
        }
    }
}
