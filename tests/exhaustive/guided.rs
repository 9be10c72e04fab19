//! A protection that the oracle itself leads: cells are withheld until it has nothing to complain of, and given back as long as it has not.
//!
//! It is slow and knows nothing of its own. What it leaves is as much as can be published, so that a fact that it was not told of shows at
//! once: this is how the oracle is tested, whatever the real protection withholds to spare.

use cacah::register::Status;

use super::{
    counting::primaries,
    knowledge::Shown,
    oracle::{Contributors, Effort, Violation, judge},
    publishing::{Omission, Published, blind_statuses, tallies, told},
    random::Random,
    register::Register,
};

/// Publishes every revision of a register as openly as the oracle allows, if it is not told everything.
pub fn publish_guided(register: &Register, omission: Omission, contributors: Contributors) -> Published {
    let told = told(register, omission);
    let mut random = Random::new(register.seed);
    let mut published = Published::default();
    for (revision, tally) in tallies(register).into_iter().enumerate() {
        let kept = omission.forgets(published.shown.len());
        let earlier = published.shown[kept..].to_vec();
        let rule = &told.revisions[revision].rule;
        let statuses: Vec<Vec<Status>> = tally.tables.iter().map(|counts| blind_statuses(counts, rule, false)).collect();
        let fixed: Vec<Vec<usize>> =
            tally.tables.iter().map(|counts| primaries(counts, rule).into_iter().map(|(cell, _)| cell).collect()).collect();
        let mut guided = Guided {
            told: &told,
            effort: Effort { hasty: true, contributors, sums_alone: omission == Omission::Joint, ..Effort::default() },
            shown: [earlier, vec![Shown { revision, tally, statuses }]].concat(),
        };
        if guided.withhold(&mut random) {
            guided.give_back(&mut random, &fixed);
            published.shown.extend(guided.shown.pop());
        } else {
            published.refused += 1;
        }
    }
    published
}

struct Guided<'a> {
    told: &'a Register,
    effort: Effort,
    /// The last one is still to be published.
    shown: Vec<Shown>,
}

impl Guided<'_> {
    /// Cells of the last revision that have a status.
    fn with(&self, status: Status) -> Vec<(usize, usize)> {
        let statuses = self.shown.last().into_iter().flat_map(|shown| shown.statuses.iter().enumerate());
        let cells = statuses.flat_map(|(table, statuses)| statuses.iter().enumerate().map(move |(cell, of)| (table, cell, *of)));
        cells.filter(|(_, _, of)| *of == status).map(|(table, cell, _)| (table, cell)).collect()
    }

    fn set(&mut self, (table, cell): (usize, usize), status: Status) {
        if let Some(shown) = self.shown.last_mut() {
            shown.statuses[table][cell] = status;
        }
    }

    /// Withholds cells until every promise is kept; whether that can be.
    fn withhold(&mut self, random: &mut Random) -> bool {
        loop {
            let verdict = judge(self.told, &self.shown, self.effort);
            if verdict.violations.is_empty() && verdict.undecided == 0 {
                return true;
            }
            let narrowed = verdict.violations.iter().find_map(|violation| match violation {
                Violation::Narrowed(goal, _) if goal.shown + 1 == self.shown.len() => Some((goal.table, goal.cell)),
                _ => None,
            });
            let open = self.with(Status::Published);
            let near: Vec<(usize, usize)> =
                open.iter().copied().filter(|&cell| narrowed.is_some_and(|of| self.is_near(of, cell))).collect();
            let from = if near.is_empty() || random.chance(20) { &open } else { &near };
            if from.is_empty() {
                return false;
            }
            self.set(*random.pick(from), Status::Suppressed);
        }
    }

    /// Whether two cells of a table differ on one axis alone.
    fn is_near(&self, (table, cell): (usize, usize), (of, other): (usize, usize)) -> bool {
        let Some(shown) = self.shown.last() else { return false };
        let nodes = &shown.tally.tables[table].nodes;
        table == of && nodes[cell].iter().zip(&nodes[other]).filter(|(a, b)| a != b).count() == 1
    }

    /// Publishes again, in an order at random, what need not be withheld.
    fn give_back(&mut self, random: &mut Random, fixed: &[Vec<usize>]) {
        let mut cells = self.with(Status::Suppressed);
        cells.retain(|(table, cell)| !fixed[*table].contains(cell));
        while !cells.is_empty() {
            let cell = cells.swap_remove(random.below(cells.len()));
            self.set(cell, Status::Published);
            let verdict = judge(self.told, &self.shown, self.effort);
            if !verdict.violations.is_empty() || verdict.undecided > 0 {
                self.set(cell, Status::Suppressed);
            }
        }
    }
}
