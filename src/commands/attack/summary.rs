//! What an attack found, for people.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{
    load::{Group, name},
    ranges::RangeRow,
};
use crate::{
    attack::{Facts, Findings, Method, Statistics, Unchanged},
    cli::OutsideArg,
    cube::grouped,
    register::{Dimension, Role},
};

/// Widths of ranges that are told apart: the largest of each, and what they are called.
const WIDTHS: [(u64, &str); 6] =
    [(0, "a single one"), (1, "two"), (3, "three or four"), (9, "five to ten"), (99, "eleven to a hundred"), (u64::MAX, "more")];

/// Counts of ranges by table, level and width.
#[derive(Default)]
pub struct Summary {
    tables: BTreeMap<(u32, usize, usize), Losses>,
    widths: [u64; WIDTHS.len()],
    endless: u64,
    undecided: u64,
    perhaps_small: u64,
}

/// What stands in the way of saying that nothing is given away.
#[derive(Debug, Clone, Copy, Default)]
pub struct Doubt {
    withheld: u64,
    /// Withheld cells whose ranges may be wider than what is published allows.
    undecided: u64,
    /// Those of them whose counts may be small, without that being seen yet.
    perhaps_small: u64,
    /// Ends of ranges at which a search in whole numbers gave up.
    in_fractions: u64,
    /// Whether anything else was given up or not begun.
    is_broken_off: bool,
    out_of_time: bool,
    too_large: bool,
}

impl Doubt {
    /// Adds that of another group.
    pub fn add(&mut self, other: &Self) {
        self.withheld += other.withheld;
        self.undecided += other.undecided;
        self.perhaps_small += other.perhaps_small;
        self.in_fractions += other.in_fractions;
        self.is_broken_off |= other.is_broken_off;
        self.out_of_time |= other.out_of_time;
        self.too_large |= other.too_large;
    }

    /// What is to be said of it, if anything.
    pub fn text(&self) -> Option<String> {
        let mut said = Vec::new();
        if self.undecided > 0 {
            said.push(format!(
                "{} of {} not decided, {} of which may be small; their ranges hold, but may be wider than what is published allows",
                grouped(self.undecided),
                number_of(self.withheld, "withheld cell was", "withheld cells were"),
                grouped(self.perhaps_small)
            ));
        } else if self.is_broken_off {
            said.push(format!(
                "not everything was tried, which leaves none of {} undecided",
                number_of(self.withheld, "withheld cell", "withheld cells")
            ));
        }
        if self.in_fractions > 0 {
            said.push(format!("{} decided in fractions, not in whole numbers", number_of(self.in_fractions, "end was", "ends were")));
        }
        let cures = [(self.out_of_time, "a longer --time-budget"), (self.too_large, "a larger --exact")];
        let cures: Vec<&str> = cures.into_iter().filter(|(helps, _)| *helps).map(|(_, cure)| cure).collect();
        if !cures.is_empty() && !said.is_empty() {
            said.push(format!("{} may decide more", cures.join(" or ")));
        }
        (!said.is_empty()).then(|| said.join("; "))
    }
}

/// A number of things: what they are called where it is one, and otherwise.
pub fn number_of(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { many })
}

/// Withheld cells of a table and a level of regions.
#[derive(Debug, Clone, Copy, Default)]
struct Losses {
    withheld: u64,
    determined: u64,
    given_away: u64,
}

/// Whether a range gives away a small count: it lies among the counts that are small without being all of them, or is one of them.
pub fn is_given_away(low: u64, high: Option<u64>, threshold: u32) -> bool {
    let most = u64::from(threshold).saturating_sub(1);
    high.is_some_and(|high| low >= 1 && high <= most && (low == high || (low, high) != (1, most)))
}

impl Summary {
    /// What was not decided, beside all that was found.
    pub fn doubt(&self, statistics: &Statistics) -> Doubt {
        let Statistics { undecided, unproven, out_of_time, panicked, is_settled, .. } = *statistics;
        Doubt {
            withheld: self.tables.values().map(|losses| losses.withheld).sum(),
            undecided: self.undecided,
            perhaps_small: self.perhaps_small,
            in_fractions: statistics.searches_undecided,
            is_broken_off: !is_settled || undecided + unproven + out_of_time + panicked > 0,
            out_of_time: out_of_time > 0,
            too_large: statistics.too_large > 0,
        }
    }

    /// Adds a range.
    pub fn add(&mut self, row: &RangeRow<'_>, facts: &Facts<'_>, threshold: u32) {
        let table = usize::from(row.cell.table);
        let losses = self.tables.entry((row.revision, table, level(facts, row))).or_default();
        losses.withheld += 1;
        losses.determined += u64::from(row.is_determined());
        let is_given_away = is_given_away(row.range.low, row.range.high, threshold);
        losses.given_away += u64::from(is_given_away);
        if !row.is_determined() && matches!(row.range.method, Method::Propagation | Method::Window) {
            let is_perhaps_small = threshold > 1 && row.range.low < u64::from(threshold) && !is_given_away;
            self.undecided += 1;
            self.perhaps_small += u64::from(is_perhaps_small);
        }
        match row.range.high {
            Some(high) => {
                let width = WIDTHS.iter().position(|(most, _)| high - row.range.low <= *most);
                self.widths[width.unwrap_or(WIDTHS.len() - 1)] += 1;
            }
            None => self.endless += 1,
        }
    }

    /// Cells whose small counts are given away.
    pub fn given_away(&self) -> u64 {
        self.tables.values().map(|losses| losses.given_away).sum()
    }

    /// Writes all down.
    pub fn text(&self, group: &Group, facts: &Facts<'_>, findings: &Findings<'_>, outside: OutsideArg, unchanged: &Unchanged) -> String {
        let mut text = String::new();
        let total: Losses = self.tables.values().fold(Losses::default(), |sum, losses| Losses {
            withheld: sum.withheld + losses.withheld,
            determined: sum.determined + losses.determined,
            given_away: sum.given_away + losses.given_away,
        });
        let mut line = |written: std::fmt::Arguments<'_>| {
            let _ = writeln!(text, "{written}");
        };
        let revisions: Vec<String> = group.revisions.iter().map(|revision| name(revision.manifest.revision)).collect();
        line(format_args!(
            "{} {}: {}, {} determined exactly, {}",
            group.period,
            revisions.join(", "),
            number_of(total.withheld, "withheld cell", "withheld cells"),
            grouped(total.determined),
            number_of(total.given_away, "small count given away", "small counts given away")
        ));
        line(format_args!(""));
        line(format_args!("{}", meaning(group)));
        line(format_args!(""));
        for assumption in assumptions(group, findings, outside, unchanged) {
            line(format_args!("{assumption}"));
        }
        line(format_args!(""));
        line(format_args!("{:<4} {:<24} {:<10} {:>12} {:>12} {:>12}", "rev", "table", "level", "withheld", "determined", "given away"));
        for (&(revision, table, level), losses) in &self.tables {
            let at = group.revisions.iter().find(|known| known.manifest.revision == revision);
            let id = at.and_then(|revision| revision.manifest.tables.get(table)).map_or("", |released| released.table.id.as_str());
            let level = regions(facts).and_then(|regions| regions.levels.get(level)).map_or("", |level| level.id.as_str());
            line(format_args!(
                "{:<4} {id:<24} {level:<10} {:>12} {:>12} {:>12}",
                format!("r{revision}"),
                grouped(losses.withheld),
                grouped(losses.determined),
                grouped(losses.given_away)
            ));
        }
        line(format_args!(""));
        line(format_args!("Withheld cells by how many values their ranges leave:"));
        for (name, count) in WIDTHS.iter().map(|(_, name)| *name).zip(self.widths).chain([("no limit", self.endless)]) {
            line(format_args!("  {name:<20} {:>12}", grouped(count)));
        }
        line(format_args!(""));
        for written in systems(findings.statistics()) {
            line(format_args!("{written}"));
        }
        if let Some(doubt) = self.doubt(findings.statistics()).text() {
            line(format_args!("Not decided: {doubt}."));
        }
        text
    }
}

fn regions<'a>(facts: &Facts<'a>) -> Option<&'a Dimension> {
    facts.dimensions.iter().find(|dimension| dimension.role == Role::Geo)
}

/// The level of the region of a cell; the first where its table has no regions.
fn level(facts: &Facts<'_>, row: &RangeRow<'_>) -> usize {
    let found = || {
        let regions = regions(facts)?;
        let (table, shape) = facts.table(row.cell.publication, row.cell.table)?;
        let at = table.axes.iter().position(|axis| axis.dimension == regions.id)?;
        let (axis, stride) = (&shape.axes[at], shape.strides[at]);
        let node = axis.nodes[(u64::from(row.cell.cell) / stride % axis.nodes.len() as u64) as usize];
        Some(usize::from(regions.nodes.get(node as usize)?.level))
    };
    found().unwrap_or(0)
}

/// What the numbers of the first line are.
fn meaning(group: &Group) -> String {
    let mut most: Vec<u32> = group.revisions.iter().map(|revision| revision.manifest.threshold.saturating_sub(1)).collect();
    most.dedup();
    let determined = "Determined exactly: what is published leaves a single value of the count.";
    let small = match most[..] {
        [0] => return format!("{determined} No count is small here, so that none can be given away."),
        [1] => "1".to_owned(),
        [most] => format!("1 to {most}"),
        _ => "1 to one below the threshold of its revision".into(),
    };
    format!(
        "{determined} Given away: what is published shows that the count is small ({small}) and, where that is several values, rules out \
         some of them. Zeros and larger counts may be determined exactly, but are not small, and none of those given away."
    )
}

/// Who is assumed to know what.
fn assumptions(group: &Group, findings: &Findings<'_>, outside: OutsideArg, unchanged: &Unchanged) -> Vec<String> {
    let statistics = findings.statistics();
    let places = |count: u64| number_of(count, "place", "places");
    let mut said = vec![
        "Assumed is somebody who reads what is published here, and nothing else: released files, code lists, and what is counted. Counts are \
         whole numbers from 0, and a count is the sum of the counts below it."
            .to_owned(),
    ];
    if !group.links.members.is_empty() {
        said.push("Members of a household all live where its head lives, and a household of a size has so many members.".into());
        said.push(match outside {
            OutsideArg::None => "Everybody is taken to live in one of the households that are counted (--outside none).".into(),
            OutsideArg::Unknown => "Any number of people may live outside of the households that are counted (--outside unknown).".into(),
        });
        if statistics.outside_contradicted > 0 {
            said.push(format!(
                "At {} (a region, or a group of people in one) published numbers show that this is not so, as where there are more people \
                 than the households there can have: there it is not assumed.",
                places(statistics.outside_contradicted)
            ));
        }
    }
    if !group.links.heads.is_empty() {
        said.push("The head of a household is one of the people counted at the same place.".into());
    }
    if statistics.links_contradicted > 0 {
        said.push(format!(
            "At {} published numbers of people and of households do not go together otherwise; nothing is assumed of them there.",
            places(statistics.links_contradicted)
        ));
    }
    for (first, second, regions) in unchanged.regions().filter(|(_, _, regions)| !regions.is_empty()) {
        let number = |at: u16| group.revisions.get(usize::from(at)).map_or(0, |revision| revision.manifest.revision);
        said.push(format!(
            "Withheld counts are taken to be the same in {} and {} in {}, where no published count has changed.",
            name(number(first)),
            name(number(second)),
            number_of(regions.len() as u64, "region", "regions")
        ));
    }
    said.extend(group.notes.iter().map(|note| format!("Note: {note}.")));
    said
}

/// What was solved, and what was not.
fn systems(statistics: &Statistics) -> Vec<String> {
    let counts = |count: u64| number_of(count, "count", "counts");
    let systems = |count: u64| number_of(count, "system", "systems");
    let mut said = vec![format!(
        "{}, those of joint tables (which are not published) included. Single rows leave one value of {}. The others make {}, the largest of \
         {}; solved whole: {} of {} together.",
        number_of(statistics.unknowns, "unknown count", "unknown counts"),
        grouped(statistics.determined_by_rows),
        systems(statistics.components),
        counts(statistics.largest),
        systems(statistics.solved),
        counts(statistics.solved_unknowns)
    )];
    if statistics.too_large > 0 {
        said.push(format!(
            "Too large for that (--exact): {} of {} together; the ranges of their counts hold, and may be wider than what is published \
             allows. Solved by themselves: {} of {} together; in {}: {}; in none of these: {}.",
            systems(statistics.too_large),
            counts(statistics.too_large_unknowns),
            number_of(statistics.parts, "part", "parts"),
            counts(statistics.parts_unknowns),
            number_of(statistics.windows, "window", "windows"),
            counts(statistics.window_unknowns),
            counts(statistics.left_out)
        ));
    }
    said.push(format!(
        "{}; {} in whole numbers.",
        number_of(statistics.programs, "linear program", "linear programs"),
        number_of(statistics.searches, "search", "searches")
    ));
    let undecided = [
        (statistics.undecided, "end of a range at which the solver gave up", "ends of ranges at which the solver gave up"),
        (statistics.unproven, "end that could be proven only in part", "ends that could be proven only in part"),
        (
            statistics.searches_undecided,
            "end at which a search in whole numbers gave up",
            "ends at which a search in whole numbers gave up",
        ),
        (
            statistics.out_of_time,
            "system or window that was not begun in time (--time-budget)",
            "systems or windows that were not begun in time (--time-budget)",
        ),
        (statistics.panicked, "system or window at which the solver broke down", "systems or windows at which the solver broke down"),
    ];
    let undecided = undecided.into_iter().filter(|(count, ..)| *count > 0).map(|(count, one, many)| number_of(count, one, many));
    let unsettled = (!statistics.is_settled).then(|| "narrowing by single rows was broken off".to_owned());
    let undecided: Vec<String> = undecided.chain(unsettled).collect();
    said.push(match undecided.is_empty() {
        true => "Nothing else was left undecided.".into(),
        false => format!("Left undecided: {}.", undecided.join("; ")),
    });
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_is_not_several() {
        assert_eq!([0, 1, 2_000].map(|count| number_of(count, "system", "systems")), ["0 systems", "1 system", "2 000 systems"]);
    }

    #[test]
    fn what_was_not_decided_is_said() {
        let settled = Doubt { withheld: 1_234, too_large: true, ..Doubt::default() };
        assert_eq!(settled.text(), None);
        let broken_off = Doubt { withheld: 1, is_broken_off: true, ..Doubt::default() };
        assert_eq!(broken_off.text().unwrap(), "not everything was tried, which leaves none of 1 withheld cell undecided");
        let mut doubt = Doubt { withheld: 1_000, undecided: 12, perhaps_small: 3, out_of_time: true, ..Doubt::default() };
        doubt.add(&settled);
        doubt.in_fractions = 1;
        assert_eq!(
            doubt.text().unwrap(),
            "12 of 2 234 withheld cells were not decided, 3 of which may be small; their ranges hold, but may be wider than what is \
             published allows; 1 end was decided in fractions, not in whole numbers; a longer --time-budget or a larger --exact may decide \
             more"
        );
    }

    #[test]
    fn what_gives_a_small_count_away() {
        let check = |low: u64, high: Option<u64>, threshold: u32, expect: bool| {
            assert_eq!(is_given_away(low, high, threshold), expect, "{low} to {high:?} below {threshold}");
        };
        check(1, Some(4), 5, false);
        check(0, Some(4), 5, false);
        check(0, Some(0), 5, false);
        check(2, Some(4), 5, true);
        check(1, Some(3), 5, true);
        check(3, Some(3), 5, true);
        check(1, Some(5), 5, false);
        check(5, Some(5), 5, false);
        check(1, None, 5, false);
        check(1, Some(1), 2, true);
    }
}
