//! Compares what all lists that agree with the publications leave of every small count with what the rule promises.

use std::collections::HashSet;

use cacah::register::Status;

use super::{
    contributors::{self, can_contribute},
    counting::{Reason, primaries, siblings},
    knowledge::{Beside, Knowledge, Shown},
    register::Register,
    solver::{Answer, Bound, Budget, UNBOUNDED},
};

/// What must be possible for a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goal {
    /// Position among the revisions shown.
    pub shown: usize,
    /// Position of the table.
    pub table: usize,
    /// Number of the cell.
    pub cell: usize,
    /// Why it is protected.
    pub reason: Reason,
    /// What some list must give it.
    pub end: End,
}

/// One end of a range that must stay open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// At most this.
    AtMost(i32),
    /// At least this.
    AtLeast(i32),
    /// Somebody of the group in one of the other categories.
    Elsewhere,
}

/// A promise that is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// A cell is published that must not be: revision, table, cell.
    Published(usize, usize, usize, Reason),
    /// A cell is called impossible and is not, or the other way round.
    Impossible(usize, usize, usize),
    /// No list reaches this end; the nearest that any reaches, or the truth if it was not looked for.
    Narrowed(Goal, i32),
}

/// What was found about one register.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Promises that are not kept.
    pub violations: Vec<Violation>,
    /// Ends looked at.
    pub goals: usize,
    /// Ends for which some search ran out of steps.
    pub undecided: usize,
    /// Ends that not even silence would leave open, because of what everybody is assumed to know beforehand.
    pub known_before: usize,
    /// Searches.
    pub searches: usize,
    /// Steps that they took.
    pub steps: u64,
    /// Linear programs that they took.
    pub programs: u64,
}

/// How the oracle works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// What one search may do.
    pub budget: Budget,
    /// What is known of the households that published people come from.
    pub contributors: Contributors,
    /// Whether sums alone are reasoned about, as if no list had to agree with all tables; for registers without households.
    pub sums_alone: bool,
    /// Whether the first promise that is not kept is enough.
    pub hasty: bool,
}

/// What an attacker makes of the rule that a published count of people comes from several households.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contributors {
    /// Nothing.
    Ignored,
    /// Where people of a published cell can be at all there are so many households, or people outside of them.
    Households,
    /// Everything: only lists in which the people of every published cell come from so many households.
    Lists,
}

impl Default for Effort {
    fn default() -> Self {
        Self { budget: Budget { steps: 1_500, programs: 200 }, contributors: Contributors::Ignored, sums_alone: false, hasty: false }
    }
}

/// Everything that the rule promises of some revisions.
pub fn goals(register: &Register, shown: &[Shown]) -> Vec<Goal> {
    let mut goals = Vec::new();
    for (at, of) in shown.iter().enumerate() {
        let rule = &register.revisions[of.revision].rule;
        for (table, counts) in of.tally.tables.iter().enumerate() {
            for (cell, reason) in primaries(counts, rule) {
                let (low, high) = rule.goals(counts.counts[cell]);
                let ends = match reason {
                    Reason::Small | Reason::Few => vec![End::AtMost(low as i32), End::AtLeast(high as i32)],
                    Reason::Group(_) => vec![End::Elsewhere],
                };
                goals.extend(ends.into_iter().map(|end| Goal { shown: at, table, cell, reason, end }));
            }
        }
    }
    goals
}

/// Counts of which no list is looked for any more when so many have none.
const MOST_REFUTED: usize = 300;

/// Is shown every solution that proves that an end can be reached.
pub type Witness<'a> = &'a mut dyn FnMut(&Knowledge, &[i32]);

/// Compares everything that the rule promises of some revisions, published together, with what their lists leave open.
pub fn judge(register: &Register, shown: &[Shown], effort: Effort) -> Verdict {
    judge_before(register, shown, effort, &mut |_, _| {})
}

/// Judges before a witness, who sees every solution that the verdict rests on.
pub fn judge_before(register: &Register, shown: &[Shown], effort: Effort, witness: Witness<'_>) -> Verdict {
    let mut judge = Judge { register, shown, effort, verdict: Verdict::default() };
    judge.look_at_statuses();
    judge.look_at_ranges(witness);
    judge.verdict
}

struct Judge<'a> {
    register: &'a Register,
    shown: &'a [Shown],
    effort: Effort,
    verdict: Verdict,
}

/// The unknowns that a goal speaks of, each of which may reach it.
fn bounds(shown: &[Shown], knowledge: &Knowledge, goal: &Goal) -> Vec<Bound> {
    let cells = &knowledge.cells[goal.shown][goal.table];
    match goal.end {
        End::AtMost(value) => vec![Bound { unknown: cells[goal.cell], range: [0, value] }],
        End::AtLeast(value) => vec![Bound { unknown: cells[goal.cell], range: [value, UNBOUNDED] }],
        End::Elsewhere => {
            let Reason::Group(axis) = goal.reason else { return Vec::new() };
            let others = siblings(&shown[goal.shown].tally.tables[goal.table], goal.cell, axis);
            others.into_iter().map(|other| Bound { unknown: cells[other], range: [1, UNBOUNDED] }).collect()
        }
    }
}

impl Judge<'_> {
    fn look_at_statuses(&mut self) {
        for (at, of) in self.shown.iter().enumerate() {
            let rule = &self.register.revisions[of.revision].rule;
            for (table, (counts, statuses)) in of.tally.tables.iter().zip(&of.statuses).enumerate() {
                for (cell, reason) in primaries(counts, rule) {
                    if statuses[cell] != Status::Suppressed {
                        self.verdict.violations.push(Violation::Published(at, table, cell, reason));
                    }
                }
                for (cell, &impossible) in counts.impossible.iter().enumerate() {
                    if impossible != (statuses[cell] == Status::Impossible) {
                        self.verdict.violations.push(Violation::Impossible(at, table, cell));
                    }
                }
            }
        }
    }

    /// More people of one combination than any list needs that shows an end.
    fn ceiling(&self) -> i32 {
        let people = self.shown.iter().map(|of| self.register.revisions[of.revision].people.len()).max().unwrap_or(0) as i32;
        2 * people + 10
    }

    fn beside(&self) -> Beside {
        Beside { published: true, lists: !self.effort.sums_alone, outside: true, most: self.ceiling() }
    }

    fn knowledge(&self, beside: Beside) -> Knowledge {
        let mut knowledge = Knowledge::new(self.register, self.shown, beside);
        // The truth is the first solution. Were it none, everything could be shown of such a system.
        let contradiction = knowledge.system.contradiction(&knowledge.system.preferred);
        assert_eq!(contradiction, None, "the truth contradicts what is known of the register of seed {}", self.register.seed);
        let mut possible = knowledge.system.narrow();
        if beside.published && self.effort.contributors != Contributors::Ignored {
            contributors::add_rows(self.register, &mut knowledge, self.shown);
            possible &= knowledge.system.narrow();
        }
        assert!(possible, "nothing agrees with what is known of the register of seed {}", self.register.seed);
        knowledge
    }

    fn look_at_ranges(&mut self, witness: Witness<'_>) {
        let mut open = goals(self.register, self.shown);
        self.verdict.goals = open.len();
        let (knowledge, shown) = (self.knowledge(self.beside()), self.shown);
        let is_shown_by = |goal: &Goal, numbers: &[i32]| {
            bounds(shown, &knowledge, goal).iter().any(|bound| (bound.range[0]..=bound.range[1]).contains(&numbers[bound.unknown as usize]))
        };
        open.retain(|goal| !is_shown_by(goal, &knowledge.system.preferred));
        while let Some(goal) = open.pop() {
            if self.effort.hasty && (!self.verdict.violations.is_empty() || self.verdict.undecided > 0) {
                return;
            }
            match self.find(&knowledge, &goal) {
                Answer::Found(numbers) => {
                    witness(&knowledge, &numbers);
                    open.retain(|goal| !is_shown_by(goal, &numbers));
                }
                Answer::Undecided => self.verdict.undecided += 1,
                Answer::Impossible => self.look_closer(&knowledge, goal),
            }
        }
    }

    /// Looks for a list that shows a goal.
    fn find(&mut self, knowledge: &Knowledge, goal: &Goal) -> Answer {
        let Self { register, shown, effort: Effort { budget, contributors, .. }, verdict } = self;
        let mut answer = Answer::Impossible;
        for bound in bounds(shown, knowledge, goal) {
            let mut left = *budget;
            let (mut doubtful, mut refuted) = (false, HashSet::new());
            let mut accept = |numbers: &[i32]| {
                if *contributors != Contributors::Lists {
                    return true;
                }
                // A search that starts again comes by the same numbers again.
                if refuted.len() >= MOST_REFUTED || refuted.contains(numbers) {
                    doubtful |= refuted.len() >= MOST_REFUTED;
                    return false;
                }
                let found = can_contribute(register, knowledge, shown, numbers, *budget);
                doubtful |= found.is_none();
                if found != Some(true) {
                    refuted.insert(numbers.to_vec());
                }
                found == Some(true)
            };
            let found = knowledge.system.find_accepted(bound, &mut left, &mut accept);
            verdict.searches += 1;
            verdict.steps += u64::from(budget.steps - left.steps);
            verdict.programs += u64::from(budget.programs - left.programs);
            match found {
                Answer::Impossible if !doubtful => {}
                Answer::Impossible | Answer::Undecided => answer = Answer::Undecided,
                Answer::Found(_) => return found,
            }
        }
        answer
    }

    /// No list shows a goal: is it that the search does not look far enough, or that silence would not help either?
    fn look_closer(&mut self, knowledge: &Knowledge, goal: Goal) {
        let far = self.knowledge(Beside { most: 4 * self.ceiling(), ..self.beside() });
        match self.find(&far, &goal) {
            Answer::Found(_) => return,
            Answer::Undecided => return self.verdict.undecided += 1,
            Answer::Impossible => {}
        }
        let before = self.knowledge(Beside { published: false, ..self.beside() });
        match self.find(&before, &goal) {
            Answer::Found(_) => {
                let truth = self.shown[goal.shown].tally.tables[goal.table].counts[goal.cell] as i32;
                let reached = if self.effort.hasty { None } else { self.nearest(knowledge, &goal) };
                self.verdict.violations.push(Violation::Narrowed(goal, reached.unwrap_or(truth)));
            }
            Answer::Undecided => self.verdict.undecided += 1,
            Answer::Impossible => match (self.nearest(&before, &goal), self.nearest(knowledge, &goal)) {
                (Some(possible), Some(reached)) if possible == reached => self.look_as_a_stranger(goal, reached),
                (Some(_), Some(reached)) => self.verdict.violations.push(Violation::Narrowed(goal, reached)),
                _ => self.verdict.undecided += 1,
            },
        }
    }

    /// Who knows the people outside of households knows an end beforehand. Somebody who does not must not learn it from what is published.
    fn look_as_a_stranger(&mut self, goal: Goal, reached: i32) {
        // How many households contribute is reckoned with people outside, of whom he knows nothing.
        let effort = self.effort;
        self.effort.contributors = Contributors::Ignored;
        let stranger = self.knowledge(Beside { outside: false, ..self.beside() });
        let answer = self.find(&stranger, &goal);
        self.effort = effort;
        match answer {
            Answer::Found(_) => self.verdict.known_before += 1,
            Answer::Undecided => self.verdict.undecided += 1,
            Answer::Impossible => self.verdict.violations.push(Violation::Narrowed(goal, reached)),
        }
    }

    /// How near to a goal any list comes; `None` if steps run out.
    fn nearest(&mut self, knowledge: &Knowledge, goal: &Goal) -> Option<i32> {
        let truth = self.shown[goal.shown].tally.tables[goal.table].counts[goal.cell] as i32;
        // The true list is the last resort.
        let (tries, last): (Vec<(i32, End)>, i32) = match goal.end {
            End::AtMost(value) => ((value..truth).map(|value| (value, End::AtMost(value))).collect(), truth),
            End::AtLeast(value) => ((truth + 1..=value).rev().map(|value| (value, End::AtLeast(value))).collect(), truth),
            End::Elsewhere => (vec![(1, End::Elsewhere)], 0),
        };
        for (value, end) in tries {
            match self.find(knowledge, &Goal { end, ..goal.clone() }) {
                Answer::Found(_) => return Some(value),
                Answer::Impossible => {}
                Answer::Undecided => return None,
            }
        }
        Some(last)
    }
}
