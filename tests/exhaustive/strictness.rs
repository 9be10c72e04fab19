//! What the rule of contributors itself tells: that the people of a published cell come from several households.
//!
//! That there are so many households that can have anybody of it is a row over numbers of households, and nearly all that matters. Protection that
//! does not reckon with it leaves about 1 % of all ends closed, in one of 12 registers. Where it does, what else follows for lists closes
//! 5 of 10,000 ends for two contributors and 20 of 10,000 for three, in places of a handful of households (`CASES=4000`).

use std::collections::BTreeMap;

use super::{
    generator::register,
    guided::publish_guided,
    oracle::{Contributors, Effort, judge},
    publishing::Omission,
    seeds::{each, seeds},
};

/// Ends of ranges that are closed, with the registers that have any.
#[derive(Debug, Default, Clone, Copy)]
struct Closed {
    ends: usize,
    registers: usize,
}

/// What was found for one number of contributors.
#[derive(Debug, Default, Clone, Copy)]
struct Figures {
    registers: usize,
    ends: usize,
    /// By the numbers of households, where protection does not reckon with them.
    by_households: Closed,
    /// By lists, where protection reckons with the numbers of households.
    by_lists: Closed,
    undecided: usize,
}

fn figures(seed: u64) -> Option<(u32, Figures)> {
    let register = register(seed);
    let contributors = register.revisions[0].rule.contributors;
    let cells: usize = super::publishing::tallies(&register).iter().flat_map(|tally| &tally.tables).map(|counts| counts.counts.len()).sum();
    if contributors < 2 || register.links.members.is_empty() || cells > 120 {
        return None;
    }
    let look = |known: Contributors, judged: Contributors| {
        let published = publish_guided(&register, Omission::Nothing, known);
        let verdict = judge(&register, &published.shown, Effort { contributors: judged, ..Effort::default() });
        let closed = Closed { ends: verdict.violations.len(), registers: usize::from(!verdict.violations.is_empty()) };
        (verdict, closed)
    };
    let (_, by_households) = look(Contributors::Ignored, Contributors::Households);
    let (verdict, by_lists) = look(Contributors::Households, Contributors::Lists);
    Some((contributors, Figures { registers: 1, ends: verdict.goals, by_households, by_lists, undecided: verdict.undecided }))
}

#[test]
fn what_the_number_of_contributors_tells() {
    let mut by_contributors: BTreeMap<u32, Figures> = BTreeMap::new();
    for (contributors, more) in each(seeds(400), figures).into_iter().flatten() {
        let all = by_contributors.entry(contributors).or_default();
        all.registers += more.registers;
        all.ends += more.ends;
        all.undecided += more.undecided;
        for (closed, more) in [(&mut all.by_households, more.by_households), (&mut all.by_lists, more.by_lists)] {
            closed.ends += more.ends;
            closed.registers += more.registers;
        }
    }
    for (contributors, figures) in &by_contributors {
        println!("{contributors} contributors: {figures:?}");
        assert!((figures.by_lists.ends + figures.undecided) * 200 <= figures.ends, "lists tell more than numbers of households");
    }
}
