//! What an attack found, for people.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{
    load::{Group, names},
    ranges::RangeRow,
};
use crate::{
    attack::{Facts, Findings, Statistics, Unchanged},
    cli::OutsideArg,
    cube::grouped,
    register::{Dimension, Role},
};

/// Widths of ranges that are told apart: the largest of each, and what they are called.
const WIDTHS: [(u64, &str); 6] = [(0, "one number"), (1, "two"), (3, "up to 4"), (9, "up to 10"), (99, "up to 100"), (u64::MAX, "more")];

/// Counts of ranges by table, level and width.
#[derive(Default)]
pub struct Summary {
    tables: BTreeMap<(u32, usize, usize), Losses>,
    widths: [u64; WIDTHS.len()],
    endless: u64,
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
    /// Adds a range.
    pub fn add(&mut self, row: &RangeRow<'_>, facts: &Facts<'_>, threshold: u32) {
        let table = usize::from(row.cell.table);
        let losses = self.tables.entry((row.revision, table, level(facts, row))).or_default();
        losses.withheld += 1;
        losses.determined += u64::from(row.is_determined());
        losses.given_away += u64::from(is_given_away(row.range.low, row.range.high, threshold));
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
        let manifests: Vec<_> = group.revisions.iter().map(|revision| revision.manifest.clone()).collect();
        let total: Losses = self.tables.values().fold(Losses::default(), |sum, losses| Losses {
            withheld: sum.withheld + losses.withheld,
            determined: sum.determined + losses.determined,
            given_away: sum.given_away + losses.given_away,
        });
        let mut line = |written: std::fmt::Arguments<'_>| {
            let _ = writeln!(text, "{written}");
        };
        line(format_args!(
            "{} {}: {} withheld cells, {} determined exactly, {} small counts given away",
            group.period,
            names(&manifests).join(", "),
            grouped(total.withheld),
            grouped(total.determined),
            grouped(total.given_away)
        ));
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
        let widths = WIDTHS.iter().zip(self.widths).map(|((_, name), count)| format!("{name} {}", grouped(count)));
        let widths: Vec<String> = widths.chain([format!("no limit {}", grouped(self.endless))]).collect();
        line(format_args!("Ranges by how many numbers are left: {}", widths.join(", ")));
        for written in systems(findings.statistics()) {
            line(format_args!("{written}"));
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

/// Who is assumed to know what.
fn assumptions(group: &Group, findings: &Findings<'_>, outside: OutsideArg, unchanged: &Unchanged) -> Vec<String> {
    let statistics = findings.statistics();
    let mut said = vec![
        "Assumed is somebody who reads what is published here, and nothing else: released files, code lists, and what is counted. Counts are \
         whole numbers from 0, and a count is the sum of the counts below it."
            .to_owned(),
    ];
    if !group.links.members.is_empty() {
        said.push("Members of a household all live where its head lives, and a household of a size has so many members.".into());
        said.push(match outside {
            OutsideArg::None => format!(
                "Everybody lives in a counted household; that cannot be at {} places, where it is not assumed.",
                grouped(statistics.outside_contradicted)
            ),
            OutsideArg::Unknown => "Any number of people may live in no counted household.".into(),
        });
    }
    if !group.links.heads.is_empty() {
        said.push("The head of a household is one of the people counted at the same place.".into());
    }
    if statistics.links_contradicted > 0 {
        said.push(format!(
            "People and households contradict each other otherwise at {} places, where nothing is assumed.",
            grouped(statistics.links_contradicted)
        ));
    }
    for (first, second, regions) in unchanged.regions() {
        let name = |at: u16| group.revisions.get(usize::from(at)).map_or(0, |revision| revision.manifest.revision);
        said.push(format!(
            "Between r{} and r{} no count has changed in {} regions, in which no published count has.",
            name(first),
            name(second),
            grouped(regions.len() as u64)
        ));
    }
    said.extend(group.notes.iter().map(|note| format!("Note: {note}.")));
    said
}

/// What was solved, and what was not.
fn systems(statistics: &Statistics) -> Vec<String> {
    let number = grouped;
    let Statistics { unknowns, components, largest, solved, solved_unknowns, too_large, too_large_unknowns, .. } = *statistics;
    let mut said = vec![format!(
        "{} unknown counts, joint tables included. Single rows leave one value of {}; the others make {} systems, the largest of {}. {} systems \
         of {} counts were solved whole.",
        number(unknowns),
        number(statistics.determined_by_rows),
        number(components),
        number(largest),
        number(solved),
        number(solved_unknowns)
    )];
    if too_large > 0 {
        said.push(format!(
            "{} systems of {} counts are too large for that (--exact): the ranges of their counts hold, and may be wider than what is published \
             allows. {} parts of {} counts were solved by themselves, and {} counts in {} windows; {} counts were in none.",
            number(too_large),
            number(too_large_unknowns),
            number(statistics.parts),
            number(statistics.parts_unknowns),
            number(statistics.window_unknowns),
            number(statistics.windows),
            number(statistics.left_out)
        ));
    }
    said.push(format!("{} linear programs, {} searches in whole numbers.", number(statistics.programs), number(statistics.searches)));
    let undecided = [
        (statistics.undecided, "ends of ranges at which the solver gave up"),
        (statistics.unproven, "ends that could be proven only in part"),
        (statistics.searches_undecided, "ends at which a search in whole numbers gave up"),
        (statistics.out_of_time, "systems or windows that were not begun in time (--time-budget)"),
        (statistics.panicked, "systems or windows at which the solver broke down"),
        (u64::from(!statistics.is_settled), "narrowing by single rows that was broken off"),
    ];
    let undecided: Vec<String> =
        undecided.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{} {what}", number(count))).collect();
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
