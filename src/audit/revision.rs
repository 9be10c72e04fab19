//! One revision of a period, with all that is worked out of it once.

use super::{
    cells::{SmallGroup, groups},
    links::LinkChecks,
    system::Linked,
};
use crate::{
    register::Status,
    worlds::{Census, Counted, Earlier, Proof, Rule},
};

/// A revision under audit, or one that it must stand beside.
pub struct Revision<'a> {
    pub census: Census<'a>,
    pub statuses: &'a [Vec<Status>],
    pub rule: &'a Rule,
    pub proof: &'a Proof,
    /// Which of its cells, joint ones included, are one cell.
    pub linked: Linked,
    /// What people and households tell of each other.
    pub links: LinkChecks,
    /// Small groups that lie in one category.
    pub groups: Vec<SmallGroup>,
}

impl<'a> Revision<'a> {
    /// Of what was counted, published and proven.
    pub fn new(Earlier { census, statuses, rule, proof }: &Earlier<'a>) -> Self {
        let tables: Vec<Counted<'a>> = census.changeable().copied().collect();
        Self {
            census: *census,
            statuses,
            rule,
            proof,
            linked: Linked::new(&tables),
            links: LinkChecks::new(census),
            groups: groups(census.tables, statuses, rule),
        }
    }

    /// A table by its number, published or joint.
    pub fn table(&self, at: usize) -> Option<&'a Counted<'a>> {
        self.census.table(at)
    }

    /// Whether a cell cannot change: it is published, or structurally zero, which everybody knows of tables that are never published too.
    pub fn is_fixed(&self, table: usize, cell: u64) -> bool {
        let is_zero = |counted: &Counted<'_>| !counted.zeros.is_empty() && counted.zeros.covers(&counted.shape.coordinates(cell));
        match self.statuses.get(table) {
            Some(statuses) => statuses[cell as usize] != Status::Suppressed,
            None => self.table(table).is_some_and(is_zero),
        }
    }

    /// Whether a cell can be claimed to be withheld by the rule for its count.
    pub fn is_primary(&self, table: usize, cell: u32) -> bool {
        self.table(table)
            .is_some_and(|counted| self.rule.is_small(counted.counts[cell as usize]) || counted.few.binary_search(&cell).is_ok())
    }

    /// Whether those who know how many people live outside of counted households know of a primary that it cannot be as small as the rule asks.
    pub fn is_floored(&self, table: usize, cell: u32) -> bool {
        let low = |counted: &Counted<'_>| self.rule.goals(counted.counts[cell as usize]).0;
        self.table(table).is_some_and(|counted| self.links.outside(&self.census, table, cell.into()) > i64::from(low(counted)))
    }
}
