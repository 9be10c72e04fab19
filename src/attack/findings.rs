//! What an attack found: ranges, and the lines that prove them.

use super::{
    bounds::Bounds,
    cells::State,
    history::{Entry, History, Reason, Step, multiplier},
    input::CellRef,
    links::LinkKind,
    narrow::{End, NO_LIMIT, Ranges},
    rows::{Row, RowId, RowKey, System},
    statistics::Statistics,
};

/// How a range was found, and what that says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// The count is published, in another table or another revision.
    Published,
    /// By single rows, one after the other. The range may be wider than what is published allows, unless it is one number.
    Propagation,
    /// By linear programs over the rows around the cell. The range may be wider than what is published allows.
    Window,
    /// By linear programs over everything that has to do with the cell: the narrowest range in real numbers, rounded inward.
    Program,
    /// The narrowest range in whole numbers: counts that agree with all that is published take both ends.
    Whole,
}

impl Method {
    /// Identifier in files.
    pub fn id(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Propagation => "propagation",
            Self::Window => "window",
            Self::Program => "program",
            Self::Whole => "whole",
        }
    }
}

/// What is known of a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Smallest value.
    pub low: u64,
    /// Largest value; `None` if there is no limit.
    pub high: Option<u64>,
    /// How it was found.
    pub method: Method,
}

/// Kinds of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKind {
    /// `cell - cells right below it along an axis = 0`.
    Sum,
    /// `sum of least members x households - people <= -people outside`, those that are known.
    MembersLeast,
    /// `people - sum of most members x households <= people outside`.
    MembersMost,
    /// `households - people where their heads are <= 0`.
    Head,
}

impl RowKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Sum, Self::MembersLeast, Self::MembersMost, Self::Head];

    /// Identifier in files.
    pub fn id(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::MembersLeast => "members-least",
            Self::MembersMost => "members-most",
            Self::Head => "head",
        }
    }
}

/// The name of a row, by which anybody finds it in what is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowName {
    /// Kind.
    pub kind: RowKind,
    /// The cell that is the sum; the people; the households.
    pub cell: CellRef,
    /// The number of the axis along which it is a sum, or of the link of members; 0 for heads.
    pub by: u16,
}

/// What a line of a proof does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineStep {
    /// Proves an end of a range.
    Bound,
    /// Supposes one, until it is refuted.
    Suppose,
    /// Proves the opposite of what was supposed last and not refuted yet, since it led to a range of which nothing is left.
    Conclude,
}

impl LineStep {
    /// Identifier in files.
    pub fn id(self) -> &'static str {
        match self {
            Self::Bound => "bound",
            Self::Suppose => "suppose",
            Self::Conclude => "conclude",
        }
    }
}

/// A line of a proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it does.
    pub step: LineStep,
    /// The count that it speaks of, by one of its cells.
    pub cell: CellRef,
    /// The end of its range.
    pub end: End,
    /// The value of that end; below 0 where a supposition leads to nonsense.
    pub value: i64,
    /// Rows and multipliers; empty but for [`LineStep::Bound`].
    pub rows: Vec<(RowName, i64)>,
}

/// What an attack found.
#[derive(Debug)]
pub struct Findings<'a> {
    system: System<'a>,
    bounds: Bounds,
    methods: Vec<Method>,
    statistics: Statistics,
    history: History,
    /// Positions of the entries of the history that proofs need, ascending.
    entries: Vec<u32>,
    /// The number of the first line of each, and the number of lines.
    lines: Vec<u32>,
}

impl<'a> Findings<'a> {
    pub(super) fn new(system: System<'a>, bounds: Bounds, methods: Vec<Method>, history: History, statistics: Statistics) -> Self {
        let needed = history.needed(&system);
        let entries: Vec<u32> = (0..).zip(needed).filter(|(_, needed)| *needed).map(|(at, _)| at).collect();
        let mut lines = Vec::with_capacity(entries.len() + 1);
        let mut next = 0;
        for &at in &entries {
            lines.push(next);
            next += match history.entry(at as usize).reason {
                Reason::Cases(steps) => history.cases(steps).len() as u32 + 1,
                Reason::Row(_) | Reason::Combination(_) => 1,
            };
        }
        lines.push(next);
        Self { system, bounds, methods, statistics, history, entries, lines }
    }

    /// What was done.
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// The range of a cell of any table, published or joint; `None` if there is no such cell.
    pub fn range(&self, cell: CellRef) -> Option<Range> {
        Some(match self.system.cells.state(self.system.cells.number(cell)?) {
            State::Known(count) => Range { low: u64::from(count), high: Some(u64::from(count)), method: Method::Published },
            State::Unknown(unknown) => {
                let (low, high) = (self.bounds.low(unknown), self.bounds.high(unknown));
                let high = (high != NO_LIMIT).then_some(high as u64);
                Range { low: low as u64, high, method: self.methods[unknown as usize] }
            }
        })
    }

    /// What the ranges of some cells leave of their sum: smallest and largest value, the latter `None` if there is no limit. `None` if one
    /// of the cells does not exist.
    pub fn sum(&self, cells: impl IntoIterator<Item = CellRef>) -> Option<(u64, Option<u64>)> {
        cells.into_iter().try_fold((0, Some(0)), |(low, high), cell| {
            let range = self.range(cell)?;
            Some((low + range.low, high.zip(range.high).map(|(sum, high)| sum + high)))
        })
    }

    /// The unknown that a cell is, by number: cells of the same number are one count. `None` if its count is published.
    pub fn unknown(&self, cell: CellRef) -> Option<u32> {
        match self.system.cells.state(self.system.cells.number(cell)?) {
            State::Known(_) => None,
            State::Unknown(unknown) => Some(unknown),
        }
    }

    /// Rows that were taken to be true at first, and given up because they contradict what is published.
    pub fn contradicted(&self) -> impl Iterator<Item = RowName> {
        self.system.links.contradicted().iter().map(|at| self.name(RowId::link(*at)))
    }

    /// The line that proves an end of the range of a cell; `None` where that end is known without a proof, or no proofs were kept.
    pub fn line_of(&self, cell: CellRef, end: End) -> Option<u32> {
        let latest = self.history.latest(self.unknown(cell)?, end)?;
        let at = self.entries.binary_search(&latest).ok()?;
        Some(self.lines[at + 1] - 1)
    }

    /// Number of lines.
    pub fn line_count(&self) -> u32 {
        self.lines.last().copied().unwrap_or(0)
    }

    /// The lines of all proofs, in order.
    pub fn lines(&self) -> impl Iterator<Item = Line> {
        let mut row = Row::default();
        self.entries.iter().flat_map(move |at| self.lines_of(self.history.entry(*at as usize), &mut row))
    }

    fn lines_of(&self, entry: Entry, row: &mut Row) -> Vec<Line> {
        let Entry { unknown, end, value, reason } = entry;
        match reason {
            Reason::Row(id) => vec![self.bound(unknown, end, value, id, row)],
            Reason::Combination(at) => {
                let rows = self.history.combination(at).iter().map(|(id, times)| (self.name(*id), *times)).collect();
                vec![Line { step: LineStep::Bound, cell: self.cell(unknown), end, value, rows }]
            }
            Reason::Cases(at) => {
                let steps = self.history.cases(at).iter().map(|step| match *step {
                    Step::Suppose { unknown, end, value } => self.step(LineStep::Suppose, unknown, end, value),
                    Step::Conclude { unknown, end, value } => self.step(LineStep::Conclude, unknown, end, value),
                    Step::Bound { unknown, end, value, row: id } => self.bound(unknown, end, value, id, row),
                });
                let conclusion = self.step(LineStep::Conclude, unknown, end, value);
                steps.chain([conclusion]).collect()
            }
        }
    }

    fn bound(&self, unknown: u32, end: End, value: i64, id: RowId, row: &mut Row) -> Line {
        self.system.read(id, row);
        let rows = vec![(self.name(id), multiplier(row, unknown, end))];
        Line { rows, ..self.step(LineStep::Bound, unknown, end, value) }
    }

    fn step(&self, step: LineStep, unknown: u32, end: End, value: i64) -> Line {
        Line { step, cell: self.cell(unknown), end, value, rows: Vec::new() }
    }

    fn cell(&self, unknown: u32) -> CellRef {
        self.system.cells.reference(self.system.cells.places(unknown)[0])
    }

    fn name(&self, id: RowId) -> RowName {
        let (kind, cell, by) = match id.key() {
            RowKey::Sum { axis, parent } => (RowKind::Sum, parent, axis as u16),
            RowKey::Link(at) => {
                let row = self.system.links.row(at);
                let kind = match row.kind {
                    LinkKind::MembersLeast => RowKind::MembersLeast,
                    LinkKind::MembersMost => RowKind::MembersMost,
                    LinkKind::Head => RowKind::Head,
                };
                (kind, row.cell, row.link)
            }
        };
        RowName { kind, cell: self.system.cells.reference(cell), by }
    }
}
