//! The plain data that protection hands over and the audit checks: the rule, counted tables, alternative worlds and
//! certificates.
//!
//! An *alternative world* is a set of whole-number changes to the finest counts of all tables. A
//! *certificate* names, for one primary cell, a world in which the cell is small and one in which it is large. Many
//! certificates share a world. Everything here holds true values and stays in the confidential store.

use serde::{Deserialize, Serialize};

use crate::register::{Dimension, Links, Shape, Status, Table, Unit, ZeroMask};

/// How far an attacker's range of a primary cell must reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// From 1 to one below the threshold: what the rule itself tells.
    Rule,
    /// From 0 to the threshold: not even that the cell is small can be proven.
    Beyond,
}

/// The small-group rule: no group smaller than `below` may be seen to lie in one category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRule {
    /// Groups with fewer members than this are small; 10 is usual.
    pub below: u32,
    /// Identifiers of the sensitive dimensions.
    pub dimensions: Vec<String>,
}

/// What makes a cell primary and what its certificate must show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Counts of 1 to one below this are primary.
    pub threshold: u32,
    /// How far the range of a primary must reach.
    pub reach: Reach,
    /// The small-group rule, if it applies.
    pub group: Option<GroupRule>,
    /// From how many households a published count of people comes at least; 1: from any.
    #[serde(default = "one")]
    pub contributors: u32,
}

fn one() -> u32 {
    1
}

/// Share of a count, in percent, by which the range of a cell with too few contributors must reach beyond it: the p% rule for a cell with one
/// contributor (Hundepool et al., "Statistical Disclosure Control", Wiley 2012, 4.2.2).
const SAFETY_PERCENT: u32 = 20;

impl Rule {
    /// The default rule: the threshold alone, without sensitive dimensions and for any number of contributors.
    pub fn threshold(threshold: u32) -> Self {
        Self { threshold, reach: Reach::Rule, group: None, contributors: 1 }
    }

    /// How far down and up the range of a primary of this count must reach: a small count's from [`Rule::low`] to [`Rule::high`], that of a
    /// count from too few contributors from where it could be any small count to a fifth beyond itself.
    pub fn goals(&self, count: u32) -> (u32, u32) {
        if self.is_small(count) || count == 0 {
            return (self.low(), self.high());
        }
        (self.threshold.saturating_sub(1), count.saturating_add(count.saturating_mul(SAFETY_PERCENT).div_ceil(100)))
    }

    /// Whether a count is primary by the threshold.
    pub fn is_small(&self, count: u32) -> bool {
        count > 0 && count < self.threshold
    }

    /// The largest value that the low world of a primary may give it.
    pub fn low(&self) -> u32 {
        match self.reach {
            Reach::Rule => 1,
            Reach::Beyond => 0,
        }
    }

    /// The smallest value that the high world of a primary may give it.
    pub fn high(&self) -> u32 {
        match self.reach {
            Reach::Rule => self.threshold.saturating_sub(1),
            Reach::Beyond => self.threshold,
        }
    }
}

/// A table with the counts of all its cells, numbered as its [`Shape`] says.
#[derive(Debug, Clone, Copy)]
pub struct Counted<'a> {
    /// The table.
    pub table: &'a Table,
    /// The numbering of its cells.
    pub shape: &'a Shape,
    /// Its structural zeros.
    pub zeros: &'a ZeroMask,
    /// The true count of every cell.
    pub counts: &'a [u32],
    /// Numbers, ascending, of the cells that come from fewer households than [`Rule::contributors`] asks for.
    pub few: &'a [u32],
}

/// Everything that was counted of one period, as protection and audit take it: one system of sums over all tables and units.
#[derive(Debug, Clone, Copy)]
pub struct Census<'a> {
    /// The tables that are published.
    pub tables: &'a [Counted<'a>],
    /// Tables of which nothing is published, that alternative worlds must fill all the same: see [`crate::register::joint_tables`].
    pub joint: &'a [Counted<'a>],
    /// Members of counted households, one table for each of [`Links::members`].
    pub members: &'a [Counted<'a>],
    /// What people and households tell of each other.
    pub links: &'a Links,
    /// All dimensions.
    pub dimensions: &'a [Dimension],
}

impl<'a> Census<'a> {
    /// Tables that worlds change, as [`Change::table`] numbers them: the published ones, then the joint ones.
    pub fn changeable(&self) -> impl Iterator<Item = &'a Counted<'a>> + Clone {
        self.tables.iter().chain(self.joint)
    }

    /// A table by its number, published or joint.
    pub fn table(&self, at: usize) -> Option<&'a Counted<'a>> {
        self.tables.get(at).or_else(|| self.joint.get(at - self.tables.len()))
    }

    /// Whether any table is of this unit.
    pub fn has(&self, unit: Unit) -> bool {
        self.tables.iter().any(|counted| counted.table.unit == unit)
    }
}

/// A revision of the same period that is published already: what it shows cannot be taken back.
#[derive(Debug, Clone, Copy)]
pub struct Earlier<'a> {
    /// What was counted then.
    pub census: Census<'a>,
    /// Statuses of the cells of each of its tables.
    pub statuses: &'a [Vec<Status>],
    /// The rule that it was protected by.
    pub rule: &'a Rule,
    /// What proves its protection.
    pub proof: &'a Proof,
}

/// Number of the world in which nothing changes: the true counts.
pub const TRUE_WORLD: u32 = 0;

/// One changed finest cell of a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// Position of the table in the release; joint tables come behind.
    pub table: u16,
    /// Number of the cell in its table's [`Shape`].
    pub cell: u32,
    /// By how much its count differs from the true one.
    pub delta: i32,
}

/// Alternative worlds, one behind the other; number 0 is the true one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worlds {
    /// Where each world's changes begin; one more entry than worlds.
    starts: Vec<u64>,
    tables: Vec<u16>,
    cells: Vec<u32>,
    deltas: Vec<i32>,
}

impl Default for Worlds {
    fn default() -> Self {
        Self { starts: vec![0, 0], tables: Vec::new(), cells: Vec::new(), deltas: Vec::new() }
    }
}

impl Worlds {
    /// Number of worlds, the true one included.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether there is no world but the true one.
    pub fn is_empty(&self) -> bool {
        self.len() == 1
    }

    /// Number of changes over all worlds.
    pub fn changes(&self) -> usize {
        self.cells.len()
    }

    /// Adds a world and returns its number.
    pub fn push(&mut self, changes: impl Iterator<Item = Change>) -> u32 {
        for change in changes {
            self.tables.push(change.table);
            self.cells.push(change.cell);
            self.deltas.push(change.delta);
        }
        self.starts.push(self.cells.len() as u64);
        (self.starts.len() - 2) as u32
    }

    /// The changes of a world; none if there is no such world.
    pub fn world(&self, number: u32) -> impl Iterator<Item = Change> + '_ {
        let at = number as usize;
        let range = match (self.starts.get(at), self.starts.get(at + 1)) {
            (Some(&start), Some(&end)) => start as usize..end as usize,
            _ => 0..0,
        };
        range.map(|at| Change { table: self.tables[at], cell: self.cells[at], delta: self.deltas[at] })
    }

    /// Changes one entry, for tests that break certificates on purpose.
    pub fn alter(&mut self, at: usize, delta: i32) {
        if let Some(entry) = self.deltas.get_mut(at) {
            *entry = delta;
        }
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.starts.len() * 8 + self.cells.len() * (2 + 4 + 4)
    }
}

/// Proof that the release does not narrow the range of one primary cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Certificate {
    /// Position of the table in the release; a cell that several tables share is proven for the first of them.
    pub table: u16,
    /// Number of the cell.
    pub cell: u32,
    /// World in which the cell is at most what [`Rule::goals`] says.
    pub low: u32,
    /// World in which the cell is at least that.
    pub high: u32,
}

/// Proof that a small group may have members in more than one category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GroupCertificate {
    /// Position of the table in the release.
    pub table: u16,
    /// The cell of the category that holds the whole group.
    pub cell: u32,
    /// Position, in the table's axes, of the sensitive dimension.
    pub axis: u16,
    /// World in which another category of the group is not empty.
    pub world: u32,
}

/// Proof that a place could have as few people as [`Rule::goals`] asks for all that those can tell who do not know how many people there live
/// outside of counted households: whoever knows sees that it cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UnawareCertificate {
    /// Position of the table in the release.
    pub table: u16,
    /// The cell that counts everybody in the place.
    pub cell: u32,
    /// World in which the cell is at most what the rule asks; there anybody may live outside of counted households.
    pub world: u32,
}

/// A protected release that the audit let pass. Only the audit makes one, and only from one are cells published.
#[derive(Debug)]
pub struct Audited {
    rule: Rule,
    statuses: Vec<Vec<Status>>,
    report: serde_json::Value,
}

impl Audited {
    /// For the audit alone; `tests/architecture.rs` holds that.
    pub(crate) fn new(rule: Rule, statuses: Vec<Vec<Status>>, report: serde_json::Value) -> Self {
        Self { rule, statuses, report }
    }

    /// The rule that was kept.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// Statuses of the cells of each table.
    pub fn statuses(&self) -> &[Vec<Status>] {
        &self.statuses
    }

    /// What was checked, for everybody to read; nothing of any cell, and nothing that depends on a hidden value.
    pub fn report(&self) -> &serde_json::Value {
        &self.report
    }
}

/// Everything that proves the protection of a release.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proof {
    /// The worlds.
    pub worlds: Worlds,
    /// One certificate for every primary cell, but for small groups in one category; ascending.
    pub certificates: Vec<Certificate>,
    /// One for every small group in one category.
    pub groups: Vec<GroupCertificate>,
    /// One for every primary that is known to be larger than the rule asks by those who know how many people live outside of households.
    pub unaware: Vec<UnawareCertificate>,
}

impl Proof {
    /// The certificate of a cell, if there is one for this table.
    pub fn certificate(&self, table: u16, cell: u32) -> Option<Certificate> {
        let found = self.certificates.binary_search_by_key(&(table, cell), |certificate| (certificate.table, certificate.cell));
        found.ok().map(|at| self.certificates[at])
    }
}
