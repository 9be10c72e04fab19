//! People who share a household key become households: head and size.

use std::sync::Arc;

use bytemuck::{Pod, Zeroable};
use rustc_hash::FxHashMap;

use crate::{
    error::Result,
    storage::{Repeats, Scratch, Spill, SpillWriter, beside, hash_beside, partition_of, spread},
};

/// Some members of one household: how many they are, and how many of them are heads. Negative numbers take members off again.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Members {
    /// The household's hash ([`spread`]) without the bits of its partition, then 6 bits of the members and 6 of the heads, both with sign.
    key: u64,
    /// Exclusive or over the packed codes of the heads among them: with one head left it is that head's.
    head: u64,
}

/// Most members and heads that one entry tells.
const MOST: i32 = 31;

impl Members {
    fn new(household: u64, head: u64, members: i32, heads: i32) -> Self {
        Self { key: beside(spread(household), u64::from(members as u8 & 63) << 6 | u64::from(heads as u8 & 63)), head }
    }

    /// The hash of the household, as [`Repeats`] take it.
    fn hash(&self) -> u64 {
        hash_beside(self.key)
    }

    fn members(&self) -> i32 {
        i32::from((self.key >> 4) as i8 >> 2)
    }

    fn heads(&self) -> i32 {
        i32::from((self.key << 2) as i8 >> 2)
    }
}

/// Members of one household, however many.
#[derive(Debug, Clone, Copy, Default)]
struct Group {
    head: u64,
    members: i32,
    heads: i32,
}

impl From<&Members> for Group {
    fn from(entry: &Members) -> Self {
        Self { head: entry.head, members: entry.members(), heads: entry.heads() }
    }
}

impl std::ops::AddAssign for Group {
    fn add_assign(&mut self, other: Self) {
        self.head ^= other.head;
        self.members += other.members;
        self.heads += other.heads;
    }
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
        HouseholdWriter { writer: SpillWriter::new(&self.spill), household: 0, run: Group::default() }
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
        repeats.meet(entry.hash());
    }
    let mut summary = HouseholdSummary::default();
    let mut records = Vec::with_capacity(count);
    let mut several: FxHashMap<u64, Group> = FxHashMap::default();
    for entry in entries.iter().flatten() {
        if repeats.may_repeat(entry.hash()) {
            *several.entry(entry.hash()).or_default() += entry.into();
        } else {
            records.extend(summary.sort(entry.into()));
        }
    }
    records.extend(several.into_values().filter_map(|group| summary.sort(group)));
    (records, summary)
}

impl HouseholdSummary {
    /// Sorts a whole household in: one to be counted comes back as its record.
    fn sort(&mut self, group: Group) -> Option<HouseholdRecord> {
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
    household: u64,
    run: Group,
}

impl HouseholdWriter {
    /// Adds people who stand behind each other, each with the household, the packed codes, and whether they are a head's.
    pub fn add(&mut self, households: &[u64], packed: &[u64], heads: impl Fn(usize) -> bool) -> Result<()> {
        // The run is no field while it grows: it would be written in halves and read as a whole, for which processors wait.
        let (mut household, mut run) = (self.household, std::mem::take(&mut self.run));
        let mut first = 0;
        for same in households.chunk_by(|a, b| a == b).flat_map(|same| same.chunks(MOST as usize)) {
            let behind = first + same.len();
            let mut group = Group::default();
            for (at, packed) in (first..behind).zip(&packed[first..behind]) {
                let head = heads(at);
                // Without a branch: who is a head cannot be foreseen.
                group += Group { head: packed & u64::from(head).wrapping_neg(), members: 1, heads: i32::from(head) };
            }
            let has_room = run.members + group.members <= MOST && run.heads + group.heads <= MOST;
            if household != same[0] || !has_room {
                self.push(household, run)?;
                (household, run) = (same[0], Group::default());
            }
            run += group;
            first = behind;
        }
        (self.household, self.run) = (household, run);
        Ok(())
    }

    /// Takes a member off again.
    pub fn remove(&mut self, household: u64, head: Option<u64>) -> Result<()> {
        self.push(household, Group { head: head.unwrap_or(0), members: -1, heads: -i32::from(head.is_some()) })
    }

    #[inline]
    fn push(&mut self, household: u64, Group { head, members, heads }: Group) -> Result<()> {
        if members == 0 {
            return Ok(());
        }
        self.writer.push(partition_of(spread(household)), Members::new(household, head, members, heads))
    }

    /// Hands over what is still gathered.
    pub fn finish(&mut self) -> Result<()> {
        let run = std::mem::take(&mut self.run);
        self.push(self.household, run)?;
        self.writer.finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::storage::PARTITIONS;

    #[test]
    fn an_entry_holds_members_and_heads_of_either_sign() {
        for (members, heads) in [(1, 0), (1, 1), (MOST, MOST), (-1, 0), (-1, -1), (-32, -32)] {
            let entry = Members::new((1 << 60) - 1, u64::MAX, members, heads);
            assert_eq!((entry.members(), entry.heads(), entry.head), (members, heads, u64::MAX));
            assert_eq!(entry.hash(), spread((1 << 60) - 1) & (u64::MAX >> 8));
        }
    }

    proptest! {
        #[test]
        fn households_are_those_of_a_plain_map(
            runs in prop::collection::vec((0u64..40, 1usize..100, 0usize..40), 0..60),
            removed in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
            chunk in 1usize..500,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let households = Households::new(&Arc::new(Scratch::new(folder.path(), 0).unwrap()));
            let people: Vec<(u64, Option<u64>)> = runs
                .iter()
                .zip(0u64..)
                .flat_map(|(&(household, members, heads), run)| (0..members).map(move |at| (household, (at < heads).then_some(run << 32 | at as u64))))
                .collect();
            let mut left = people.clone();
            let mut writer = households.writer();
            for people in people.chunks(chunk) {
                let households: Vec<u64> = people.iter().map(|(household, _)| *household).collect();
                // Those who are no heads have codes too.
                let packed: Vec<u64> = people.iter().map(|(_, head)| head.unwrap_or(u64::MAX)).collect();
                writer.add(&households, &packed, |at| people[at].1.is_some()).unwrap();
            }
            for index in removed.iter().filter(|_| !people.is_empty()) {
                if !left.is_empty() {
                    let (household, head) = left.swap_remove(index.index(left.len()));
                    writer.remove(household, head).unwrap();
                }
            }
            writer.finish().unwrap();
            let mut expected: BTreeMap<u64, (u32, Vec<u64>)> = BTreeMap::new();
            for (household, head) in left {
                let group = expected.entry(household).or_default();
                group.0 += 1;
                group.1.extend(head);
            }
            let (mut found, mut summary, mut repeats) = (Vec::new(), HouseholdSummary::default(), Repeats::default());
            for partition in 0..PARTITIONS {
                let (records, of_partition) = group(&households.take(partition).unwrap(), &mut repeats);
                found.extend(records.iter().map(|record| (record.head, record.members)));
                summary += of_partition;
            }
            found.sort_unstable();
            let mut counted: Vec<(u64, u32)> =
                expected.values().filter(|(_, heads)| heads.len() == 1).map(|(members, heads)| (heads[0], *members)).collect();
            counted.sort_unstable();
            prop_assert_eq!(&found, &counted);
            let with = |wanted: fn(usize) -> bool| expected.values().filter(|(_, heads)| wanted(heads.len())).count() as u64;
            prop_assert_eq!((summary.without_head, summary.several_heads), (with(|heads| heads == 0), with(|heads| heads > 1)));
        }
    }
}
