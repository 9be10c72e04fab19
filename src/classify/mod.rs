//! Raw fields become small integer codes; what cannot be understood becomes a reject with its reason.
//!
//! ```text
//! Classifier::new(definitions, period, codings)     what to look for, compiled once
//!     .worker()                                     caches of one thread
//!     worker.classify(chunk)                        Coded: columns of codes, identifiers, positions; and rejects
//! ```
//!
//! A code is the number of a base leaf of its dimension ([`crate::register::Axis`]). Columns are worked off one after
//! the other; a value that is no code leaves a mark above [`MARKS`] in its column, and only chunks with marks take the
//! slower way record by record. Every record is accepted or rejected for exactly one reason: the first in the order
//! region, identity, household, dimensions, impossible combination.

mod ages;
mod codes;
mod identity;
mod keys;
mod positions;
mod record_log;
mod regions;
mod rejects;
mod values;

use std::{collections::HashMap, sync::Arc};

pub use identity::{Duplicate, Identities, IdentityWriter, Seen, SeenIdentity, repetitions};
pub use positions::{Position, Positions};
pub use record_log::{ChunkRecords, RecordLog, RecordLogWriter};
pub use rejects::{Reason, RejectCount, RejectSummary, Rejects, add_counts};

use crate::{
    error::{Error, Result},
    ingest::{Chunk, Records},
    register::{Coding, DateKey, Definitions, Key, Period, Role, Source, coarser_ages},
    storage::spread,
};
use ages::{AgeReader, AgeRule};
use codes::CodeReader;
use rejects::Segment;
use values::Column;

/// Codes from here on are no codes but [`Reason`]s.
pub(crate) const MARKS: u32 = 0xffff_ff00;
/// Keys from here on are no keys but [`Reason`]s.
pub(crate) const KEY_MARKS: u64 = 0xffff_ffff_ffff_ff00;

/// Where one code lies among all codes of a record that are packed into one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PackedField {
    shift: u32,
    width: u32,
}

impl PackedField {
    /// The code in a packed record.
    #[inline]
    pub fn of(self, packed: u64) -> u32 {
        (packed >> self.shift & ((1u64 << self.width) - 1)) as u32
    }
}

/// One dimension that records are classified by.
#[derive(Debug)]
struct Classified {
    /// Position in [`Definitions::dimensions`].
    dimension: usize,
    /// Positions in [`Classifier::columns`].
    columns: Vec<usize>,
    rule: Rule,
    /// Where the code lies in a packed record.
    field: PackedField,
    /// For each base leaf the impossible combinations (one bit each) that it is part of.
    zeros: Vec<u64>,
}

#[derive(Debug)]
enum Rule {
    Code {
        codings: Vec<Coding>,
        texts: HashMap<String, u32>,
    },
    Age(AgeRule),
    /// Follows from the codes of an earlier dimension, by its position, that is read from the same column.
    AgeOf {
        earlier: usize,
        codes: Vec<u32>,
    },
    Region {
        digits: Vec<u32>,
        leaves: rustc_hash::FxHashMap<u64, u32>,
    },
}

/// Definitions compiled for the snapshot of one period.
#[derive(Debug)]
pub struct Classifier {
    columns: Vec<String>,
    dimensions: Vec<Classified>,
    identity: Option<(usize, Key)>,
    household: Option<(usize, Key)>,
    /// Which of the dimensions is the region.
    region: Option<usize>,
    /// Node of the region's report level above each base leaf, for the quality report.
    report_nodes: Vec<u32>,
    zero_ids: Vec<String>,
    zero_mask: u64,
}

/// Codes of the accepted records of one chunk.
#[derive(Debug, Default)]
pub struct Coded {
    /// One column for each of [`Classifier::dimensions`].
    pub codes: Vec<Vec<u32>>,
    /// Identity of each record; empty if the register has none.
    pub identities: Vec<u64>,
    /// Household of each record; empty if the register has none.
    pub households: Vec<u64>,
    /// Where the records stand.
    pub positions: Positions,
    /// All codes of each record in one number ([`Classifier::unpack`]).
    pub packed: Vec<u64>,
    /// Newest believable birth date met.
    pub newest_birth: Option<DateKey>,
}

impl Coded {
    /// Number of accepted records.
    pub fn records(&self) -> usize {
        self.positions.records()
    }

    /// Each accepted record by its identity.
    pub fn seen(&self) -> impl Iterator<Item = SeenIdentity> + '_ {
        self.identities.iter().zip(self.positions.iter()).enumerate().map(|(at, (&identity, position))| SeenIdentity {
            hash: spread(identity),
            seen: Seen { position, packed: self.packed[at], household: self.households.get(at).copied().unwrap_or(0) },
        })
    }
}

/// Level of the region hierarchy by which quality is reported: the middle one (regencies of five levels).
pub fn report_level(levels: usize) -> u8 {
    (levels / 2) as u8
}

impl Classifier {
    /// Compiles definitions. `codings` chooses by dimension among several ways of numbering values.
    pub fn new(definitions: &Definitions, period: Period, codings: &HashMap<String, String>) -> Result<Self> {
        if definitions.zeros.len() > 64 {
            return Err(Error::Input("more than 64 impossible combinations are defined; merge some of them".into()));
        }
        for dimension in codings.keys() {
            if !matches!(definitions.dimension(dimension).map(|(at, _)| &definitions.sources[at]), Some(Source::Code { .. })) {
                return Err(Error::Input(format!("a coding is chosen for '{dimension}', which is no dimension read from a code column")));
            }
        }
        let mut columns: Vec<String> = Vec::new();
        let mut column = |name: &str| {
            columns.iter().position(|known| known == name).unwrap_or_else(|| {
                columns.push(name.to_owned());
                columns.len() - 1
            })
        };
        let identity = definitions.identity.as_ref().map(|key| (column(&key.column), key.clone()));
        let household = definitions.household.as_ref().map(|household| (column(&household.key.column), household.key.clone()));
        let mut dimensions: Vec<Classified> = Vec::new();
        for (at, dimension) in definitions.dimensions.iter().enumerate() {
            let in_tables = definitions.tables.iter().any(|table| table.axes.iter().any(|axis| axis.dimension == dimension.id));
            let in_zeros = definitions.zeros.iter().any(|zero| zero.sides.iter().any(|side| side.dimension == dimension.id));
            let of_heads = definitions.household.as_ref().is_some_and(|household| household.relation == at);
            if !(in_tables || in_zeros || of_heads) {
                continue;
            }
            let (used, rule) = match &definitions.sources[at] {
                Source::HouseholdSize { .. } => continue,
                Source::Code { column: name, codings: known, texts } => {
                    let mut chosen = known.clone();
                    if let Some(id) = codings.get(&dimension.id) {
                        chosen.retain(|coding| coding.id == *id);
                        if chosen.is_empty() {
                            let names = known.iter().map(|coding| coding.id.as_str()).collect::<Vec<_>>().join(", ");
                            return Err(Error::Input(format!(
                                "dimension '{}' has no coding '{id}'; expected one of {names}",
                                dimension.id
                            )));
                        }
                    }
                    (vec![column(name)], Rule::Code { codings: chosen, texts: texts.clone() })
                }
                Source::Age { column: name, formats, earliest, leaves } => {
                    let told_by = |(earlier, used): (usize, &Classified)| match &definitions.sources[used.dimension] {
                        Source::Age { column, formats: known, earliest: first, leaves: fine }
                            if (column, known, first) == (name, formats, earliest) =>
                        {
                            // Nobody is of an age that no number of years leads to.
                            let codes = coarser_ages(fine, leaves)?.into_iter().map(Option::unwrap_or_default).collect();
                            Some(Rule::AgeOf { earlier, codes })
                        }
                        _ => None,
                    };
                    let rule = dimensions.iter().enumerate().find_map(told_by);
                    let read = || Rule::Age(AgeRule::new(formats, *earliest, period.reference_date(), leaves));
                    (vec![column(name)], rule.unwrap_or_else(read))
                }
                Source::Region { parts, leaves } => {
                    let rule = Rule::Region { digits: parts.iter().map(|part| part.digits).collect(), leaves: leaves.clone() };
                    (parts.iter().map(|part| column(&part.column)).collect(), rule)
                }
            };
            let leaves = dimension.base_leaves().len();
            let width = usize::BITS - leaves.saturating_sub(1).leading_zeros();
            let zeros = (0..leaves)
                .map(|leaf| {
                    let bit = |zero: &crate::register::StructuralZero| {
                        zero.sides.iter().find(|side| side.dimension == dimension.id).is_none_or(|side| side.leaves[leaf])
                    };
                    definitions.zeros.iter().enumerate().fold(0, |bits, (at, zero)| bits | u64::from(bit(zero)) << at)
                })
                .collect();
            dimensions.push(Classified { dimension: at, columns: used, rule, field: PackedField { shift: 0, width }, zeros });
        }
        let region = dimensions.iter().position(|used| definitions.dimensions[used.dimension].role == Role::Geo);
        // The region stands highest, so that the packed codes of people who live in one place differ in few of the lower bits.
        let mut shift = 0;
        for at in (0..dimensions.len()).filter(|at| Some(*at) != region).chain(region) {
            dimensions[at].field.shift = shift;
            shift += dimensions[at].field.width;
        }
        if shift > 62 {
            return Err(Error::Input(format!(
                "the dimensions need {shift} bits a record, more than the 62 there are; use fewer or coarser dimensions"
            )));
        }
        let report_nodes = region.map_or_else(Vec::new, |at| {
            let dimension = &definitions.dimensions[dimensions[at].dimension];
            let level = report_level(dimension.levels.len());
            dimension.base_leaves().into_iter().map(|leaf| dimension.ancestor(leaf, level)).collect()
        });
        let zero_mask = match definitions.zeros.len() {
            64 => u64::MAX,
            count => (1 << count) - 1,
        };
        Ok(Self {
            columns,
            dimensions,
            identity,
            household,
            region,
            report_nodes,
            zero_ids: definitions.zeros.iter().map(|zero| zero.id.clone()).collect(),
            zero_mask,
        })
    }

    /// Columns that a snapshot must have.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Positions in [`Definitions::dimensions`] of the columns of [`Coded::codes`].
    pub fn dimensions(&self) -> Vec<usize> {
        self.dimensions.iter().map(|used| used.dimension).collect()
    }

    /// Where the code of a dimension of the definitions lies in a packed record; `None` if records are not classified by it.
    pub fn field(&self, dimension: usize) -> Option<PackedField> {
        self.dimensions.iter().find(|used| used.dimension == dimension).map(|used| used.field)
    }

    /// Names of the impossible combinations, for the reject list.
    pub(crate) fn zero_ids(&self) -> &[String] {
        &self.zero_ids
    }

    /// The code of the dimension at this position of [`Classifier::dimensions`] in a packed record.
    pub fn unpack(&self, packed: u64, at: usize) -> u32 {
        self.dimensions[at].field.of(packed)
    }

    /// Node of the report level in which a packed record lies; `None` without a region dimension.
    pub fn report_node(&self, packed: u64) -> Option<u32> {
        self.region.map(|at| self.report_nodes[self.unpack(packed, at) as usize])
    }

    /// What one thread needs to classify.
    pub fn worker(self: &Arc<Self>) -> ClassifyWorker {
        let readers = self
            .dimensions
            .iter()
            .map(|used| match &used.rule {
                Rule::Code { codings, .. } => Reader::Code(CodeReader::new(codings.len())),
                Rule::Age(_) => Reader::Age(AgeReader::default()),
                Rule::AgeOf { .. } => Reader::AgeOf,
                Rule::Region { .. } => Reader::Region,
            })
            .collect();
        ClassifyWorker { classifier: Arc::clone(self), readers }
    }
}

enum Reader {
    Code(CodeReader),
    Age(AgeReader),
    AgeOf,
    Region,
}

/// One thread's part in classifying: caches of values met before.
pub struct ClassifyWorker {
    classifier: Arc<Classifier>,
    readers: Vec<Reader>,
}

impl ClassifyWorker {
    /// Classifies a chunk; rejects go to `rejects`.
    ///
    /// Fails where going on would count wrongly: a column of the wrong type, or numbers that mean different things in
    /// the codings that the definitions know.
    pub fn classify(&mut self, chunk: &Chunk, rejects: &Rejects) -> Result<Coded> {
        let classifier = Arc::clone(&self.classifier);
        let (records, file) = match &chunk.records {
            Records::Text(text) => (text.records(), chunk.file),
            Records::Columns(columns) => (columns.batch.num_rows(), chunk.file),
        };
        let column = |at: usize| match &chunk.records {
            Records::Text(text) => Ok(Column::Text(text, at)),
            Records::Columns(columns) => Column::of(columns.batch.column(at), &classifier.columns[at]),
        };
        let mut coded = Coded { codes: Vec::with_capacity(classifier.dimensions.len()), ..Coded::default() };
        let mut marked = false;
        for (used, reader) in classifier.dimensions.iter().zip(&mut self.readers) {
            let mut codes = Vec::with_capacity(records);
            marked |= match (reader, &used.rule) {
                (Reader::Code(reader), Rule::Code { codings, texts }) => {
                    let name = &classifier.columns[used.columns[0]];
                    reader.read(&column(used.columns[0])?, records, codings, texts, name, &mut codes)?
                }
                (Reader::Age(reader), Rule::Age(rule)) => {
                    let marked = reader.read(&column(used.columns[0])?, records, rule, &mut codes);
                    coded.newest_birth = reader.newest;
                    marked
                }
                (Reader::AgeOf, Rule::AgeOf { earlier, codes: of }) => {
                    // What cannot be read is marked in the earlier dimension, and marked here for the same reason.
                    codes.extend(coded.codes[*earlier].iter().map(|&code| of.get(code as usize).copied().unwrap_or(code)));
                    false
                }
                (Reader::Region, Rule::Region { digits, leaves }) => {
                    let columns = used.columns.iter().map(|&at| column(at)).collect::<Result<Vec<_>>>()?;
                    regions::read(&columns, digits, records, leaves, &mut codes)
                }
                _ => return Err(Error::Internal("a reader does not fit its rule".into())),
            };
            coded.codes.push(codes);
        }
        if let Some((at, key)) = &classifier.identity {
            marked |= keys::read(&column(*at)?, records, key, &mut coded.identities);
        }
        if let Some((at, key)) = &classifier.household {
            marked |= keys::read(&column(*at)?, records, key, &mut coded.households);
        }
        coded.positions = match &chunk.records {
            Records::Text(text) => text.lines.iter().map(|&line| Position::new(file, line)).collect(),
            Records::Columns(columns) => Positions::behind(Position::new(file, columns.first_row), records),
        };
        let impossible = self.impossible(&coded, marked);
        let misshapen = match &chunk.records {
            Records::Text(text) => text.misshapen.as_slice(),
            Records::Columns(_) => &[],
        };
        if marked || impossible.is_some() || !misshapen.is_empty() {
            let mut segment = Segment::default();
            for &(line, found) in misshapen {
                segment.misshapen(Position::new(file, line), found);
            }
            self.sort_out(&mut coded, impossible.as_deref(), &column, &mut segment)?;
            rejects.add(segment)?;
        }
        coded.packed = vec![0; coded.records()];
        for (used, codes) in classifier.dimensions.iter().zip(&coded.codes) {
            for (packed, &code) in coded.packed.iter_mut().zip(codes) {
                *packed |= u64::from(code) << used.field.shift;
            }
        }
        Ok(coded)
    }

    /// For each record the impossible combinations that it shows; `None` if no record shows any.
    fn impossible(&self, coded: &Coded, marked: bool) -> Option<Vec<u64>> {
        /// Records looked at together, so that what is in work stays in the nearest cache.
        const TOGETHER: usize = 512;
        let classifier = &self.classifier;
        if classifier.zero_mask == 0 {
            return None;
        }
        let sides: Vec<(&[u32], &[u64])> = classifier
            .dimensions
            .iter()
            .zip(&coded.codes)
            .filter(|(used, _)| used.zeros.iter().any(|&bits| bits != classifier.zero_mask))
            .map(|(used, codes)| (codes.as_slice(), used.zeros.as_slice()))
            .collect();
        let show = |from: usize, shown: &mut [u64]| {
            shown.fill(classifier.zero_mask);
            for (codes, zeros) in &sides {
                let codes = &codes[from..from + shown.len()];
                if marked {
                    for (shown, &code) in shown.iter_mut().zip(codes) {
                        *shown &= zeros.get(code as usize).copied().unwrap_or(0);
                    }
                } else {
                    for (shown, &code) in shown.iter_mut().zip(codes) {
                        *shown &= zeros[code as usize];
                    }
                }
            }
            shown.iter().any(|&bits| bits != 0)
        };
        let mut some = [0; TOGETHER];
        let any = (0..coded.records()).step_by(TOGETHER).any(|from| show(from, &mut some[..(coded.records() - from).min(TOGETHER)]));
        any.then(|| {
            let mut shown = vec![0; coded.records()];
            show(0, &mut shown);
            shown
        })
    }

    /// Takes the records that bear a mark out of `coded` and into `segment`.
    fn sort_out<'a>(
        &self,
        coded: &mut Coded,
        impossible: Option<&[u64]>,
        column: &dyn Fn(usize) -> Result<Column<'a>>,
        segment: &mut Segment,
    ) -> Result<()> {
        let classifier = &self.classifier;
        // Most records of a chunk are sound even where some are not: only those that bear a mark are looked at closely.
        let mut keep: Vec<bool> = match impossible {
            Some(shown) => shown.iter().map(|&bits| bits == 0).collect(),
            None => vec![true; coded.records()],
        };
        for codes in &coded.codes {
            for (keep, &code) in keep.iter_mut().zip(codes) {
                *keep &= code < MARKS;
            }
        }
        for keys in [&coded.identities, &coded.households] {
            for (keep, &key) in keep.iter_mut().zip(keys) {
                *keep &= key < KEY_MARKS;
            }
        }
        for (record, position) in coded.positions.iter().enumerate().filter(|(record, _)| !keep[*record]) {
            let region_code = classifier.region.map(|at| coded.codes[at][record]).filter(|&code| code < MARKS);
            let region = region_code.map(|code| classifier.report_nodes[code as usize]);
            let code_fault = |at: usize| {
                let used = &classifier.dimensions[at];
                let code = coded.codes[at][record];
                (code >= MARKS).then(|| (Reason::from_mark(code as u8), used.columns.clone()))
            };
            let fault = classifier
                .region
                .and_then(code_fault)
                .or_else(|| key_fault(&classifier.identity, &coded.identities, record))
                .or_else(|| key_fault(&classifier.household, &coded.households, record))
                .or_else(|| (0..classifier.dimensions.len()).find_map(code_fault));
            if let Some((reason, columns)) = fault {
                let names = columns.iter().map(|&at| classifier.columns[at].as_str()).collect::<Vec<_>>().join("+");
                let shapes = columns.iter().map(|&at| Ok(column(at)?.shape(record))).collect::<Result<Vec<_>>>()?;
                segment.reject(position, reason, &names, &shapes.join(" / "), region);
            } else if let Some(bits) = impossible.map(|shown| shown[record]).filter(|&bits| bits != 0) {
                let id = &classifier.zero_ids()[bits.trailing_zeros() as usize];
                segment.reject(position, Reason::Impossible, id, "", region);
            }
        }
        fn retain<T: Copy>(values: &mut Vec<T>, keep: &[bool]) {
            let mut at = 0;
            values.retain(|_| {
                at += 1;
                keep[at - 1]
            });
        }
        for codes in &mut coded.codes {
            retain(codes, &keep);
        }
        if !coded.identities.is_empty() {
            retain(&mut coded.identities, &keep);
        }
        if !coded.households.is_empty() {
            retain(&mut coded.households, &keep);
        }
        coded.positions = coded.positions.iter().zip(&keep).filter(|(_, keep)| **keep).map(|(position, _)| position).collect();
        Ok(())
    }
}

fn key_fault(key: &Option<(usize, Key)>, keys: &[u64], record: usize) -> Option<(Reason, Vec<usize>)> {
    let (column, _) = key.as_ref()?;
    let found = *keys.get(record)?;
    (found >= KEY_MARKS).then(|| (Reason::from_mark(found as u8), vec![*column]))
}
