//! People who share a household key become households, however far apart they stand in the snapshot.
//!
//! Neighbours of one household leave one entry, spread over partitions by a hash of the key; a partition at a time, those of one hash are
//! brought together ([`group`]). A process that has the [`crate::classify::RecordLog`] needs little of an entry: members who stand together, as nearly all
//! do, lie together in the log, so that an entry tells no more than that they are there ([`Detail::Lone`]). Workers that share
//! nothing with whoever reads their entries tell the codes of all members ([`Detail::Every`]).

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use crate::{
    error::{Error, Result},
    storage::{BITS_BESIDE, Repeats, Scratch, Spill, SpillWriter, beside, hash_beside, partition_of, spread},
};

/// What an entry tells of the members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// The codes of one who stands alone; of neighbours how many they are.
    Lone,
    /// The codes of all.
    Every,
}

/// Most members that one entry tells of.
const MOST: usize = 255;

/// Entries as they are spilled: the hash with the number of members beside it (-1: one is taken off again), the packed codes of the first
/// member, and of each other member by what bits they differ from the first: each number of 64 bits as two words, differences as one.
type Word = u32;

fn halves(number: u64) -> [Word; 2] {
    [number as u32, (number >> 32) as u32]
}

fn joined(halves: [Word; 2]) -> u64 {
    u64::from(halves[0]) | u64::from(halves[1]) << 32
}

/// An entry that is read.
struct Entry<'a> {
    /// The hash of the household, as [`Repeats`] take it.
    hash: u64,
    members: i32,
    /// Packed codes of the first member; `None` where they lie in the log.
    first: Option<u64>,
    differences: &'a [Word],
}

impl<'a> Entry<'a> {
    /// Takes the next entry off a piece.
    fn next(words: &mut &'a [Word], detail: Detail) -> Result<Option<Self>> {
        let Some((key, rest)) = words.split_first_chunk() else { return end_of(words) };
        let key = joined(*key);
        let members = (key as i32) << (u32::BITS - BITS_BESIDE) >> (u32::BITS - BITS_BESIDE);
        let others = if detail == Detail::Every { (members - 1).max(0) as usize } else { 0 };
        let has_codes = detail == Detail::Every || members.abs() == 1;
        let (mut first, mut rest) = (None, rest);
        if has_codes {
            let Some((code, behind)) = rest.split_first_chunk() else { return end_of(words) };
            (first, rest) = (Some(joined(*code)), behind);
        }
        let Some((differences, behind)) = rest.split_at_checked(others) else { return end_of(words) };
        *words = behind;
        Ok(Some(Self { hash: hash_beside(key), members, first, differences }))
    }

    /// Adds the codes of all members whom the entry tells of.
    fn extend(&self, codes: &mut Vec<u64>) {
        if let Some(first) = self.first {
            codes.push(first);
            codes.extend(self.differences.iter().map(|&difference| first ^ u64::from(difference)));
        }
    }
}

fn end_of<T>(words: &[Word]) -> Result<Option<T>> {
    if words.is_empty() { Ok(None) } else { Err(Error::Input("entries of households are cut off; count the snapshot again".into())) }
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
    /// People who belong to counted households.
    #[serde(default)]
    pub members: u64,
}

impl std::ops::AddAssign for HouseholdSummary {
    fn add_assign(&mut self, other: Self) {
        self.counted += other.counted;
        self.without_head += other.without_head;
        self.several_heads += other.several_heads;
        self.members += other.members;
    }
}

impl HouseholdSummary {
    /// Sorts a whole household in, by the codes of its members: one to be counted comes back as its record.
    pub fn sort(&mut self, codes: &[u64], is_head: impl Fn(u64) -> bool) -> Option<HouseholdRecord> {
        let mut heads = codes.iter().filter(|&&code| is_head(code));
        match (heads.next(), heads.next()) {
            (Some(&head), None) => {
                self.counted += 1;
                self.members += codes.len() as u64;
                return Some(HouseholdRecord { head, members: codes.len() as u32 });
            }
            (None, _) => self.without_head += 1,
            (Some(_), Some(_)) => self.several_heads += 1,
        }
        None
    }
}

/// Entries of all households of a snapshot.
#[derive(Debug)]
pub struct Households {
    spill: Arc<Spill<Word>>,
    detail: Detail,
}

impl Households {
    /// Starts empty.
    pub fn new(scratch: &Arc<Scratch>, detail: Detail) -> Self {
        Self { spill: Arc::new(Spill::new(scratch)), detail }
    }

    /// A writer for one thread.
    pub fn writer(&self) -> HouseholdWriter {
        HouseholdWriter { writer: SpillWriter::new(&self.spill), detail: self.detail, words: Vec::new() }
    }

    /// Copies the entries of one partition.
    pub fn look(&self, partition: usize) -> Result<Vec<Vec<Word>>> {
        self.spill.look(partition)
    }

    /// Takes the entries of one partition out.
    pub fn take(&self, partition: usize) -> Result<Vec<Vec<Word>>> {
        self.spill.take(partition)
    }
}

/// One thread's writer of entries.
#[derive(Debug)]
pub struct HouseholdWriter {
    writer: SpillWriter<Word>,
    detail: Detail,
    words: Vec<Word>,
}

impl HouseholdWriter {
    /// Adds the people of a chunk, each with household key and packed codes.
    pub fn add(&mut self, households: &[u64], packed: &[u64]) -> Result<()> {
        let mut first = 0;
        for same in households.chunk_by(|a, b| a == b) {
            let behind = first + same.len();
            self.push(spread(same[0]), &packed[first..behind])?;
            first = behind;
        }
        Ok(())
    }

    /// Adds members of one household, by its hash ([`spread`]) and their packed codes.
    pub fn push(&mut self, hash: u64, codes: &[u64]) -> Result<()> {
        match self.detail {
            Detail::Lone => codes.chunks(MOST).try_for_each(|codes| match codes {
                [code] => self.lone(hash, 1, *code),
                codes => self.writer.push_together(partition_of(hash), &halves(key(hash, codes.len() as i32))),
            }),
            // Members from far apart have an entry each: their codes differ in more bits than a word has.
            Detail::Every => {
                codes.chunk_by(|a, b| a >> u32::BITS == b >> u32::BITS).flat_map(|near| near.chunks(MOST)).try_for_each(|codes| {
                    self.words.clear();
                    self.words.extend_from_slice(&halves(key(hash, codes.len() as i32)));
                    self.words.extend_from_slice(&halves(codes[0]));
                    self.words.extend(codes[1..].iter().map(|code| (code ^ codes[0]) as u32));
                    self.writer.push_together(partition_of(hash), &self.words)
                })
            }
        }
    }

    /// Takes a member off again, by the hash of the household and the packed codes of the member.
    pub fn remove(&mut self, hash: u64, code: u64) -> Result<()> {
        self.lone(hash, -1, code)
    }

    fn lone(&mut self, hash: u64, members: i32, code: u64) -> Result<()> {
        let ([a, b], [c, d]) = (halves(key(hash, members)), halves(code));
        self.writer.push_together(partition_of(hash), &[a, b, c, d])
    }

    /// Hands over what is still gathered.
    pub fn finish(&mut self) -> Result<()> {
        self.writer.finish()
    }
}

fn key(hash: u64, members: i32) -> u64 {
    beside(hash, u64::from(members as u32) & ((1 << BITS_BESIDE) - 1))
}

/// Marks of households whose members stand in several places, some of them together: neither the entries nor a place in the log tell all
/// of them. A bit for many hashes, so that others are marked with them; all of one bit are of one partition.
#[derive(Debug)]
pub struct Scattered {
    bits: Vec<AtomicU64>,
}

/// Bits of a hash that choose its mark.
const MARK_BITS: u32 = 24;

impl Default for Scattered {
    fn default() -> Self {
        Self { bits: std::iter::repeat_with(AtomicU64::default).take((1 << MARK_BITS) / 64).collect() }
    }
}

impl Scattered {
    fn place(hash: u64) -> (usize, u64) {
        let place = hash >> (u64::BITS - MARK_BITS);
        ((place / 64) as usize, 1 << (place % 64))
    }

    fn mark(&self, hash: u64) {
        let (word, bit) = Self::place(hash);
        self.bits[word].fetch_or(bit, Ordering::Relaxed);
    }

    /// Whether the household of a hash ([`spread`]) is marked.
    pub fn is_marked(&self, hash: u64) -> bool {
        let (word, bit) = Self::place(hash);
        self.bits[word].load(Ordering::Relaxed) & bit != 0
    }
}

/// What to do with the households of a partition.
pub trait Sorting {
    /// All members are known, by their packed codes; there is at least one.
    fn whole(&mut self, codes: &[u64]) -> Result<()>;
    /// A household is marked as scattered: its members lie in the log, but for this one, who was taken off again.
    fn removed(&mut self, hash: u64, code: u64) -> Result<()>;
}

/// Sorts the households of one partition. Those of neighbours whose entry is the only one come not up: they lie together in the log.
///
/// Nearly all households have one entry, so that only those that may have several ([`Repeats`]) are sorted by hash.
pub fn group(
    entries: &[Vec<Word>],
    partition: usize,
    marks: Option<&Scattered>,
    repeats: &mut Repeats,
    sorting: &mut impl Sorting,
) -> Result<()> {
    let detail = if marks.is_some() { Detail::Lone } else { Detail::Every };
    let hash_of = |entry: &Entry<'_>| (partition as u64) << 56 | entry.hash;
    let is_marked = |hash: u64| marks.is_some_and(|marks| marks.is_marked(hash));
    // As many as there could be.
    repeats.reset(entries.iter().map(|piece| piece.len() / 2).sum::<usize>());
    for piece in entries {
        let mut words = piece.as_slice();
        while let Some(entry) = Entry::next(&mut words, detail)? {
            repeats.meet(entry.hash);
        }
    }
    let mut suspects: Vec<(u64, &[Word])> = Vec::new();
    for piece in entries {
        let mut words = piece.as_slice();
        let mut from = words;
        while let Some(entry) = Entry::next(&mut words, detail)? {
            if repeats.may_repeat(entry.hash) {
                suspects.push((hash_of(&entry), &from[..from.len() - words.len()]));
            }
            from = words;
        }
    }
    suspects.sort_unstable_by_key(|(hash, _)| *hash);
    let read = |mut words: &'_ [Word]| Entry::next(&mut words, detail).map(|entry| entry.map(|entry| (entry.members, entry.first)));
    if let Some(marks) = marks {
        for same in suspects.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
            if same.iter().any(|(_, words)| matches!(read(words), Ok(Some((_, None))))) {
                marks.mark(same[0].0);
            }
        }
    }
    let mut codes = Vec::new();
    for piece in entries {
        let mut words = piece.as_slice();
        while let Some(entry) = Entry::next(&mut words, detail)? {
            if entry.first.is_some() && !repeats.may_repeat(entry.hash) && !is_marked(hash_of(&entry)) {
                codes.clear();
                entry.extend(&mut codes);
                sorting.whole(&codes)?;
            }
        }
    }
    for same in suspects.chunk_by(|a, b| a.0 == b.0) {
        let hash = same[0].0;
        codes.clear();
        let mut taken_off = Vec::new();
        for &(_, mut words) in same {
            let Some(entry) = Entry::next(&mut words, detail)? else { continue };
            match (entry.members, entry.first) {
                (..0, Some(code)) => taken_off.push(code),
                _ => entry.extend(&mut codes),
            }
        }
        if is_marked(hash) {
            taken_off.into_iter().try_for_each(|code| sorting.removed(hash, code))?;
            continue;
        }
        for code in taken_off {
            let at = codes.iter().position(|&known| known == code);
            codes.swap_remove(at.ok_or_else(|| Error::Internal("a member was taken off a household that it is not in".into()))?);
        }
        if !codes.is_empty() {
            sorting.whole(&codes)?;
        }
    }
    Ok(())
}
