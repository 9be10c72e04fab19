//! What an attack did, and what it left undecided.

/// Counts of what was done. Nothing that was left undecided is missing here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Unknowns: withheld cells, those that are one number once, and cells of joint tables.
    pub unknowns: u64,
    /// Unknowns of which single rows leave one value.
    pub determined_by_rows: u64,
    /// Rounds in which rows narrowed ranges.
    pub rounds: u64,
    /// Whether rows narrow nothing any more; otherwise the last rounds were left out.
    pub is_settled: bool,
    /// Components: sets of undetermined unknowns that rows join.
    pub components: u64,
    /// Unknowns of the largest component.
    pub largest: u64,
    /// Components that were solved whole.
    pub solved: u64,
    /// Unknowns of these.
    pub solved_unknowns: u64,
    /// Components with too many unknowns.
    pub too_large: u64,
    /// Unknowns of these.
    pub too_large_unknowns: u64,
    /// Parts of these that were solved by themselves, without the joint tables that join them.
    pub parts: u64,
    /// Unknowns of these parts.
    pub parts_unknowns: u64,
    /// Windows: the rows around some unknowns of a component that is too large.
    pub windows: u64,
    /// Unknowns whose ranges were asked of a window.
    pub window_unknowns: u64,
    /// Linear programs.
    pub programs: u64,
    /// Ends of ranges that the solver gave up on.
    pub undecided: u64,
    /// Ends that a program found further in than could be proven; the proven ones are told.
    pub unproven: u64,
    /// Searches in whole numbers.
    pub searches: u64,
    /// Ends at which such a search found too much to try, so that programs have the last word.
    pub searches_undecided: u64,
    /// Unknowns of components that are too large of which neither a part nor a window was asked.
    pub left_out: u64,
    /// Subsystems that were not begun because time was up.
    pub out_of_time: u64,
    /// Subsystems at which the solver panicked.
    pub panicked: u64,
    /// Places where it cannot be that nobody lives in no counted household, or as many as was thought.
    pub outside_contradicted: u64,
    /// Places where people and households contradict each other otherwise.
    pub links_contradicted: u64,
}

impl Statistics {
    /// Adds what a subsystem took.
    pub(super) fn add(&mut self, other: &Self) {
        self.programs += other.programs;
        self.undecided += other.undecided;
        self.unproven += other.unproven;
        self.searches += other.searches;
        self.searches_undecided += other.searches_undecided;
    }

    /// Whether every range is the narrowest that programs over the whole system give.
    pub fn is_complete(&self) -> bool {
        let Self { is_settled, too_large, undecided, unproven, out_of_time, panicked, .. } = *self;
        is_settled && [too_large, undecided, unproven, out_of_time, panicked].iter().all(|count| *count == 0)
    }
}
