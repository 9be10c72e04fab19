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
    /// How hard is tried to do with fewer suppressed cells.
    pub trials: Trials,
    /// How much more a replacement may cost in all rounds of trials but the last, in thousandths of a plain cell.
    pub slack: u32,
}

/// Trials of secondaries, whether the release can do without; no rounds: none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trials {
    /// How often the secondaries are gone through.
    pub rounds: u32,
    /// Only those that at most so many worlds need: the more there are, the rarer all of them can be replaced.
    pub worlds: u32,
}

impl Trials {
    /// Most of what can be had, at about the cost of all the rest of the work.
    pub const USUAL: Self = Self { rounds: 1, worlds: 3 };
    /// Every secondary, several times: some six percent fewer of them in some twenty times the time.
    pub const THOROUGH: Self = Self { rounds: 4, worlds: u32::MAX };
}

impl Settings {
    /// Default settings with this rule.
    pub fn new(rule: Rule) -> Self {
        Self { rule, weights: Weights::default(), threads: 2, trials: Trials::USUAL, slack: 100 }
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
    /// Factor by table identifier; tables not named have 1. A cell that several tables have is as dear as in the dearest.
    pub tables: Vec<(String, f64)>,
    /// Factor on top of that by table identifier and level of its regions.
    pub levels: Vec<(String, String, f64)>,
}

impl Default for Weights {
    fn default() -> Self {
        Self { per_doubling: 30, zero: 200, per_region_level: 500, per_total: 2000, tables: Vec::new(), levels: Vec::new() }
    }
}

impl Weights {
    /// Refuses weights beyond which costs could not be added up.
    pub(super) fn check(&self) -> Result<()> {
        let tables = self.tables.iter().map(|(table, factor)| (table.clone(), *factor));
        let mut factors = tables.chain(self.levels.iter().map(|(table, level, factor)| (format!("{table}:{level}"), *factor)));
        let most = [self.per_doubling, self.zero, self.per_region_level, self.per_total].into_iter().max().unwrap_or(0);
        if most > 10_000 {
            return Err(Error::Input(format!("weight {most} is too large; expected at most 10000 thousandths of a cell")));
        }
        match factors.find(|(_, factor)| !(0.1..=100.0).contains(factor)) {
            Some((what, factor)) => Err(Error::Input(format!("weight {factor} of '{what}' is not between 0.1 and 100"))),
            None => Ok(()),
        }
    }
}
