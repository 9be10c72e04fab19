//! From how many households the people of a cell come, exactly, wherever these are few.
//!
//! ```text
//! households of a cell  =  people of the cell  -  for each household its members in the cell beyond the first
//! ```
//!
//! So only households of which two members share a cell matter, and only in cells that can come from few households: those with few people
//! ([`cells`]), which the members of each household lead to ([`walk`]), and those with many, of which a large household is a great
//! part ([`large`]). It needs the final number of people of every cell, and each household whole.
//!
//! A household is whoever has the same household number, in whichever file the records stand and wherever these people live; whether it has a
//! head does not matter here. There is nobody without a number: such records are rejected. A number that strangers share, such as one that
//! stands for none, makes one household of them, so that more is withheld and never less.
//!
//! Memory is two bytes for each cell of the tables of people, marginals included.

mod cells;
mod file;
mod large;
mod walk;

use std::sync::{Arc, Mutex, PoisonError, atomic::AtomicU8};

pub use cells::{FewCells, PeopleTables};
pub use file::{read_contributors, write_contributors};
pub use large::{LargeCells, LargeCount, LargeShares};
pub use walk::Walker;

use crate::{
    engine::Counts,
    error::{Error, Result},
    parallel::lock,
    register::MOST_CONTRIBUTORS,
};

/// The cells of one table that come from few households: number of the cell, ascending, and of households.
///
/// Here is every cell whose households are fewer than [`MOST_CONTRIBUTORS`] and fewer than its people. Of a cell that is not here
/// at least as many households are known as it has people, or [`MOST_CONTRIBUTORS`] if these are fewer.
pub type FewHouseholds = Vec<(u32, u8)>;

/// What is counted of households while they are gone through.
#[derive(Debug)]
pub struct Contributors {
    few: Arc<FewCells>,
    /// For each table and cell of few people those beyond the first of each household.
    repeats: Vec<Vec<AtomicU8>>,
    shares: Mutex<LargeShares>,
}

impl Contributors {
    /// Starts with nothing counted.
    pub fn new(few: Arc<FewCells>) -> Self {
        let zeros = |people: &Vec<u8>| std::iter::repeat_with(AtomicU8::default).take(people.len()).collect();
        Self { repeats: few.people.iter().map(zeros).collect(), few, shares: Mutex::default() }
    }

    /// Starts with the final counts of the leaf cells of each table; there may be counts of others behind them.
    pub fn of_counts(tables: &Arc<PeopleTables>, counts: &[Counts]) -> Result<Self> {
        let leaves = FewCells::leaves(&counts[..tables.tables.len()]);
        Ok(Self::new(Arc::new(FewCells::new(Arc::clone(tables), leaves)?)))
    }

    /// The tables.
    pub fn tables(&self) -> &PeopleTables {
        &self.few.tables
    }

    /// Adds what a thread found of large households.
    pub fn add_large(&self, walker: Walker) {
        lock(&self.shares).extend(walker.into_large().into_sorted());
    }

    /// What was counted in cells of few people, and the shares of large households in others.
    pub fn into_counted(self) -> CountedRepeats {
        CountedRepeats {
            repeats: self.repeats.into_iter().map(|repeats| repeats.into_iter().map(AtomicU8::into_inner).collect()).collect(),
            shares: self.shares.into_inner().unwrap_or_else(PoisonError::into_inner),
            few: self.few,
        }
    }
}

/// What was counted when all households were gone through.
#[derive(Debug)]
pub struct CountedRepeats {
    /// The cells of few people.
    pub few: Arc<FewCells>,
    /// For each table and cell of few people those beyond the first of each household.
    pub repeats: Vec<Vec<u8>>,
    /// Shares of large households in cells of many people.
    pub shares: LargeShares,
}

impl CountedRepeats {
    /// The cells of each table that come from few households; `large` are those of many people, whose households were counted apart.
    ///
    /// # Errors
    /// If more members were counted than people, which would be a bug.
    pub fn few_households(&self, large: &[LargeCount]) -> Result<Vec<FewHouseholds>> {
        let impossible = || Error::Internal("more members of households than people in a cell".into());
        let mut all = Vec::new();
        for (number, (people, repeats)) in self.few.people.iter().zip(&self.repeats).enumerate() {
            let mut found = FewHouseholds::new();
            for (cell, (&people, &repeats)) in (0..).zip(people.iter().zip(repeats)).filter(|(_, (_, repeats))| **repeats > 0) {
                let households = people.checked_sub(repeats).filter(|&households| households > 0).ok_or_else(impossible)?;
                if u32::from(households) < MOST_CONTRIBUTORS {
                    found.push((cell, households));
                }
            }
            for large in large.iter().filter(|large| large.table as usize == number) {
                let households = large.people.checked_sub(large.repeats).filter(|&households| households > 0).ok_or_else(impossible)?;
                if households < MOST_CONTRIBUTORS {
                    found.push((large.cell, households as u8));
                }
            }
            found.sort_unstable();
            all.push(found);
        }
        Ok(all)
    }
}
