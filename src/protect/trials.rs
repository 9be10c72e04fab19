//! Makes do with fewer secondaries: worlds are dropped where cheaper ones can be found.
//!
//! The first worlds are made when there is little to lean on. At the end of a family's work there is more, so that many of
//! them can be had with less newly suppressed.

use rustc_hash::FxHashSet;

use super::{
    certify::{Want, Work},
    frame::NONE,
    plan::NEVER,
    settings::Trials,
};

/// How often every world is made anew: more hardly finds anything.
const REWORKS: u32 = 2;

impl Work<'_, '_> {
    /// Suppresses less, as hard as the settings say.
    pub fn improve(&mut self) {
        for _ in 0..REWORKS {
            self.rework();
        }
        let Trials { rounds, worlds } = self.settings.trials;
        for round in 0..rounds {
            // The last round only takes what costs less: it gathers in what the slack has let go.
            let slack = if round + 1 < rounds { self.settings.slack } else { 0 };
            self.reduce(round, worlds as usize, u64::from(slack));
        }
        self.prune();
    }

    /// The family's secondaries in the order of trial.
    fn secondaries(&self, round: u32) -> Vec<u32> {
        let mut found: Vec<u32> = self.users.keys().copied().filter(|&number| self.family.owns(number)).collect();
        // Scattered anew in every round: in a fixed order the trials run into the same dead ends.
        let scatter = |number: u32| number.wrapping_add(round.wrapping_mul(7919)).wrapping_mul(2_654_435_761);
        found.sort_unstable_by_key(|&number| (scatter(number), number));
        found
    }

    /// Makes every world anew that alone needs some secondary: at the end there is more to lean on than at its time.
    fn rework(&mut self) {
        for world in 0..self.worlds.len() as u32 {
            if !self.worlds[world as usize].alive {
                continue;
            }
            let alone = |number: &u32| self.users.get(number).is_some_and(|users| users.len() == 1);
            if self.worlds[world as usize].changes.iter().any(|(number, _)| alone(number)) {
                self.replace(&[world], 0);
            }
        }
    }

    /// Puts secondaries that few worlds need to the test: without them, can these worlds be replaced at no greater cost? A
    /// little more is allowed if there is slack: pattern after pattern that costs about the same leads out of dead ends.
    fn reduce(&mut self, round: u32, most_worlds: usize, slack: u64) {
        let mut tried = FxHashSet::default();
        for number in self.secondaries(round) {
            let Some(users) = self.users.get(&number).filter(|users| users.len() <= most_worlds).cloned() else { continue };
            if slack > 0 {
                // Else the same would be found again, and be within the slack.
                self.banned = number;
                self.replace(&users, slack);
                self.banned = NONE;
            } else if users.len() > 1 && tried.insert(users.clone()) {
                self.replace(&users, 0);
            }
        }
    }

    /// Drops worlds if others can be found, for all that only these show, with less suppressed or at most so much more.
    fn replace(&mut self, old: &[u32], slack: u64) {
        let before = self.total;
        let first_new = self.worlds.len();
        self.replacing = true;
        for &world in old {
            self.retire(world);
        }
        let mut wants: Vec<Want> = old.iter().flat_map(|&world| self.credits[world as usize].iter().copied()).collect();
        wants.sort_unstable();
        wants.dedup();
        wants.retain(|&want| !self.is_shown(want));
        let sound = wants.into_iter().all(|want| {
            if self.is_shown(want) {
                return true;
            }
            let budget = (before + slack).saturating_sub(self.total).min(u64::from(NEVER)) as u32;
            self.certify(want, budget) && self.total < before + slack
        });
        self.replacing = false;
        let dropped = if sound { old.to_vec() } else { (first_new as u32..self.worlds.len() as u32).collect() };
        if !sound {
            dropped.iter().for_each(|&world| self.retire(world));
            old.iter().for_each(|&world| self.revive(world));
        }
        dropped.into_iter().for_each(|world| self.forget(world));
    }

    /// Retires worlds whose every credit some other world has too, the largest first.
    fn prune(&mut self) {
        let mut order: Vec<u32> = (0..self.worlds.len() as u32).filter(|&world| self.worlds[world as usize].alive).collect();
        order.sort_by_key(|&world| {
            let (changes, credits) = (self.worlds[world as usize].changes.len(), self.credits[world as usize].len());
            (credits, std::cmp::Reverse(changes), world)
        });
        for world in order {
            self.worlds[world as usize].alive = false;
            let needed = self.credits[world as usize].iter().any(|&want| !self.is_shown(want));
            self.worlds[world as usize].alive = true;
            if !needed {
                self.retire(world);
                self.forget(world);
            }
        }
    }
}
