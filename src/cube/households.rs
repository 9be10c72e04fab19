//! People who share a household key become households: head and size.

use std::sync::Arc;

use bytemuck::{Pod, Zeroable};
use rustc_hash::FxHashMap;

use crate::{
    error::Result,
    storage::{Repeats, Scratch, Spill, SpillWriter, spread},
};

/// Some members of one household. Negative numbers take members off again.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Members {
    household: u64,
    /// Exclusive or over the packed codes of the heads among them: with one head left it is that head's.
    head: u64,
    members: i32,
    heads: i32,
}

/// A household with exactly one head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HouseholdRecord {
    /// Packed codes of the head.
    pub head: u64,
    /// Number of members.
    pub members: u32,
}

/// How many households could and could not be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct HouseholdSummary {
    /// With exactly one head: counted.
    pub counted: u64,
    /// Without a head among the accepted records: not counted.
    pub without_head: u64,
    /// With several heads: not counted.
    pub several_heads: u64,
}

impl std::ops::AddAssign for HouseholdSummary {
    fn add_assign(&mut self, other: Self) {
        self.counted += other.counted;
        self.without_head += other.without_head;
        self.several_heads += other.several_heads;
    }
}

/// All households of a snapshot.
#[derive(Debug)]
pub struct Households {
    spill: Arc<Spill<Members>>,
}

impl Households {
    /// Starts empty.
    pub fn new(scratch: &Arc<Scratch>) -> Self {
        Self { spill: Arc::new(Spill::new(scratch)) }
    }

    /// A writer for one thread.
    pub fn writer(&self) -> HouseholdWriter {
        HouseholdWriter { writer: SpillWriter::new(&self.spill), run: Members::zeroed() }
    }

    /// Takes the entries of one partition out.
    pub fn take(&self, partition: usize) -> Result<Vec<Vec<Members>>> {
        self.spill.take(partition)
    }
}

/// The households of one partition.
///
/// The members of a household mostly stand together and are one entry; only households that may have several go
/// through a table.
pub fn group(entries: &[Vec<Members>], repeats: &mut Repeats) -> (Vec<HouseholdRecord>, HouseholdSummary) {
    let count = entries.iter().map(Vec::len).sum();
    repeats.reset(count);
    for entry in entries.iter().flatten() {
        repeats.meet(spread(entry.household));
    }
    let mut summary = HouseholdSummary::default();
    let mut records = Vec::with_capacity(count);
    let mut several: FxHashMap<u64, Members> = FxHashMap::default();
    for entry in entries.iter().flatten() {
        if repeats.may_repeat(spread(entry.household)) {
            let group = several.entry(entry.household).or_insert_with(Members::zeroed);
            group.head ^= entry.head;
            group.members += entry.members;
            group.heads += entry.heads;
        } else {
            records.extend(summary.sort(entry));
        }
    }
    records.extend(several.values().filter_map(|group| summary.sort(group)));
    (records, summary)
}

impl HouseholdSummary {
    /// Sorts a whole household in: one to be counted comes back as its record.
    fn sort(&mut self, group: &Members) -> Option<HouseholdRecord> {
        match group.heads {
            _ if group.members <= 0 => return None,
            1 => {
                self.counted += 1;
                return Some(HouseholdRecord { head: group.head, members: group.members as u32 });
            }
            heads if heads < 1 => self.without_head += 1,
            _ => self.several_heads += 1,
        }
        None
    }
}

/// One thread's writer: gathers neighbours of one household, who usually stand together, into one entry.
pub struct HouseholdWriter {
    writer: SpillWriter<Members>,
    run: Members,
}

impl HouseholdWriter {
    /// Adds a member; `head` are the packed codes if the member is the head.
    #[inline]
    pub fn add(&mut self, household: u64, head: Option<u64>) -> Result<()> {
        if self.run.household != household || self.run.members == 0 {
            self.flush()?;
            self.run.household = household;
        }
        self.run.members += 1;
        if let Some(packed) = head {
            self.run.head ^= packed;
            self.run.heads += 1;
        }
        Ok(())
    }

    /// Takes a member off again.
    pub fn remove(&mut self, household: u64, head: Option<u64>) -> Result<()> {
        let entry = Members { household, head: head.unwrap_or(0), members: -1, heads: -i32::from(head.is_some()) };
        self.writer.push(spread(household), entry)
    }

    fn flush(&mut self) -> Result<()> {
        let run = std::mem::replace(&mut self.run, Members::zeroed());
        if run.members > 0 { self.writer.push(spread(run.household), run) } else { Ok(()) }
    }

    /// Hands over what is still gathered.
    pub fn finish(&mut self) -> Result<()> {
        self.flush()?;
        self.writer.finish()
    }
}
