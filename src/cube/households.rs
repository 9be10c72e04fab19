//! People who share a household key become households: head and size.

use std::{collections::hash_map::Entry, path::Path, sync::Arc};

use bytemuck::{Pod, Zeroable};
use rustc_hash::FxHashMap;

use crate::{
    error::Result,
    storage::{Spill, SpillWriter},
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
    /// Starts empty; beyond `bound` bytes entries go to a file in `scratch`.
    pub fn new(scratch: &Path, bound: usize) -> Result<Self> {
        Ok(Self { spill: Arc::new(Spill::new(scratch, bound)?) })
    }

    /// A writer for one thread.
    pub fn writer(&self) -> HouseholdWriter {
        HouseholdWriter { writer: SpillWriter::new(&self.spill), run: Members::zeroed() }
    }

    /// The households of one partition. Takes the partition's entries out.
    pub fn grouped(&self, partition: usize) -> Result<(Vec<HouseholdRecord>, HouseholdSummary)> {
        let mut groups: FxHashMap<u64, Members> = FxHashMap::default();
        self.spill.drain(partition, |entries| {
            for entry in entries {
                match groups.entry(entry.household) {
                    Entry::Vacant(vacant) => {
                        vacant.insert(*entry);
                    }
                    Entry::Occupied(mut known) => {
                        let known = known.get_mut();
                        known.head ^= entry.head;
                        known.members += entry.members;
                        known.heads += entry.heads;
                    }
                }
            }
            Ok(())
        })?;
        let mut summary = HouseholdSummary::default();
        let mut records = Vec::with_capacity(groups.len());
        for group in groups.into_values().filter(|group| group.members > 0) {
            match group.heads {
                1 => {
                    summary.counted += 1;
                    records.push(HouseholdRecord { head: group.head, members: group.members as u32 });
                }
                heads if heads < 1 => summary.without_head += 1,
                _ => summary.several_heads += 1,
            }
        }
        Ok((records, summary))
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
        self.writer.push(household, entry)
    }

    fn flush(&mut self) -> Result<()> {
        let run = std::mem::replace(&mut self.run, Members::zeroed());
        if run.members > 0 { self.writer.push(run.household, run) } else { Ok(()) }
    }

    /// Hands over what is still gathered.
    pub fn finish(&mut self) -> Result<()> {
        self.flush()?;
        self.writer.finish()
    }
}
