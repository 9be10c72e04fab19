//! Numbers worked out from published counts: shares, ratios, changes, medians.
//!
//! Each needs counts beside those that were asked for: of the node above, of the period before, of the bands of an age. They are
//! a query of their own, a *companion*, answered as any other, so that a derived number has nothing to stand on but published
//! cells; where one of them is withheld, so is the number.

use super::{
    counts::{Counts, counts},
    library::{Library, TableEntry},
    resolve::{Chosen, Query, Variable},
    status::CellStatus,
};
use crate::{
    engine::ServingEngine,
    error::Result,
    register::{Band, Measure, MeasureKind, Table, Unit},
};

/// Stands for a cell of which a companion has no counterpart.
const NOWHERE: usize = usize::MAX;

/// Whether a table has a measure; `positions` finds a node on the axis of a dimension, by its code.
pub(super) fn applies(measure: &Measure, table: &Table, positions: &dyn Fn(&str, &str) -> Option<u32>) -> bool {
    let is_counted = measure.counts.is_none_or(|unit: Unit| unit == table.unit);
    let has_nodes = measure.kind.dimension().is_none_or(|id| {
        table.axes.iter().any(|axis| axis.dimension == id) && measure.kind.nodes().all(|code| positions(id, code).is_some())
    });
    is_counted && has_nodes
}

/// Counts read beside those that a query asks for.
struct Companion {
    counts: Counts,
    /// For each cell of the query where its counterparts are counted from, or [`NOWHERE`].
    starts: Vec<usize>,
    /// Distances of the counterparts from there.
    parts: Vec<usize>,
    /// Whether a counterpart that cannot occur is a zero; otherwise there is nothing to compare with.
    zeros: bool,
}

/// Works a measure out for every cell of a query, whose counts are given.
pub(super) async fn derive(library: &Library, engine: &ServingEngine, query: &Query, base: &Counts, measure: &Measure) -> Result<Counts> {
    let entry = &library.tables[query.table];
    let deriver = Deriver { library, engine, entry, query };
    let scale = 10i128.pow(u32::from(measure.decimals));
    let axis = measure.kind.dimension().and_then(|id| entry.table.axes.iter().position(|axis| axis.dimension == id));
    // Per cent, and per square kilometre of so many hectares.
    let per_hundred = |count: i64, whole: &[i64]| quotient(i128::from(count) * 100 * scale, sum(whole));
    Ok(match (&measure.kind, axis) {
        (MeasureKind::Share { .. }, Some(axis)) => each(base, deriver.above(axis).await?.as_ref(), per_hundred),
        (MeasureKind::ShareOfRow, _) => each(base, deriver.totals(&query.heading).await?.as_ref(), per_hundred),
        (MeasureKind::ShareOfColumn, _) => each(base, deriver.totals(&query.stub).await?.as_ref(), per_hundred),
        (MeasureKind::Change, _) => {
            each(base, deriver.before().await?.as_ref(), |count, before| Some((i128::from(count) - sum(before)) * scale))
        }
        (MeasureKind::Growth, _) => each(base, deriver.before().await?.as_ref(), |count, before| {
            quotient((i128::from(count) - sum(before)) * 100 * scale, sum(before))
        }),
        (MeasureKind::Ratio { of, to, per, .. }, Some(axis)) => {
            let companion = deriver.nodes(axis, of.iter().chain(to).map(String::as_str)).await?;
            each(base, companion.as_ref(), |_, parts| {
                let (over, under) = parts.split_at(of.len());
                quotient(sum(over) * i128::from(*per) * scale, sum(under))
            })
        }
        (MeasureKind::Median { bands, .. }, Some(axis)) => {
            let companion = deriver.nodes(axis, bands.iter().map(|band| band.code.as_str())).await?;
            each(base, companion.as_ref(), |_, counts| median(bands, counts, scale))
        }
        (MeasureKind::Density { .. }, Some(axis)) => each(base, Some(&deriver.areas(axis)), per_hundred),
        _ => each(base, None, |_, _| None),
    })
}

/// Works every cell out from its own count and its counterparts; `None`: there is no such number.
fn each(base: &Counts, companion: Option<&Companion>, number: impl Fn(i64, &[i64]) -> Option<i128>) -> Counts {
    let mut derived = Counts { values: Vec::with_capacity(base.values.len()), statuses: Vec::with_capacity(base.values.len()) };
    let mut values = vec![0; companion.map_or(0, |companion| companion.parts.len())];
    for (cell, (&count, &own)) in base.values.iter().zip(&base.statuses).enumerate() {
        let counterparts = companion.filter(|companion| companion.starts[cell] != NOWHERE);
        let (value, status) = match (own, counterparts) {
            (CellStatus::Published, Some(companion)) => {
                let mut worst = CellStatus::Published;
                for (value, part) in values.iter_mut().zip(&companion.parts) {
                    let at = companion.starts[cell] + part;
                    *value = companion.counts.values[at];
                    worst = match (worst, companion.counts.statuses[at]) {
                        (CellStatus::Unavailable, _) | (_, CellStatus::Unavailable) => CellStatus::Unavailable,
                        (_, CellStatus::Impossible) if !companion.zeros => CellStatus::Unavailable,
                        (_, CellStatus::Suppressed) => CellStatus::Suppressed,
                        (worst, _) => worst,
                    };
                }
                let found = if worst == CellStatus::Published { number(count, &values) } else { None };
                match found.and_then(|found| i64::try_from(found).ok()) {
                    Some(value) => (value, CellStatus::Published),
                    None if worst == CellStatus::Published => (0, CellStatus::Unavailable),
                    None => (0, worst),
                }
            }
            (CellStatus::Published, None) => (0, CellStatus::Unavailable),
            (own, _) => (0, own),
        };
        derived.values.push(value);
        derived.statuses.push(status);
    }
    derived
}

fn sum(parts: &[i64]) -> i128 {
    parts.iter().map(|&part| i128::from(part)).sum()
}

/// A quotient to the nearest whole number, halves away from zero; `None` of nothing.
fn quotient(over: i128, under: i128) -> Option<i128> {
    if under <= 0 {
        return None;
    }
    let (twice, around) = (2 * over, under * over.signum());
    Some((twice + around) / (2 * under))
}

/// The value that half of the counts do not exceed, by linear interpolation within its band (as in the United Nations'
/// "Principles and recommendations for population and housing censuses", revision 3); `None` where it lies in the open last band.
fn median(bands: &[Band], counts: &[i64], scale: i128) -> Option<i128> {
    let total = sum(counts);
    let mut below = 0;
    for (band, &count) in bands.iter().zip(counts) {
        let count = i128::from(count);
        if count > 0 && 2 * (below + count) >= total {
            let (from, to) = (i128::from(band.from), i128::from(band.to?));
            return quotient((from * 2 * count + (total - 2 * below) * (to - from)) * scale, 2 * count);
        }
        below += count;
    }
    None
}

struct Deriver<'a> {
    library: &'a Library,
    engine: &'a ServingEngine,
    entry: &'a TableEntry,
    query: &'a Query,
}

impl Deriver<'_> {
    /// Every cell at the node above it on an axis.
    async fn above(&self, axis: usize) -> Result<Option<Companion>> {
        let all = &self.library.dimensions[self.entry.axes[axis].dimension].nodes;
        let (nodes, moved) = match &self.query.axes[axis] {
            Chosen::Eliminated => return Ok(None),
            Chosen::Groups { groups, .. } => (vec![0], vec![0; groups.len()]),
            Chosen::Nodes { nodes, .. } => {
                let above = |&node: &u32| all[node as usize].parent;
                let mut parents: Vec<u32> = nodes.iter().filter_map(above).collect();
                parents.sort_unstable();
                parents.dedup();
                let moved = nodes.iter().map(|node| above(node).and_then(|node| parents.binary_search(&node).ok()).unwrap_or(NOWHERE));
                let moved = moved.collect();
                (parents, moved)
            }
        };
        if nodes.is_empty() {
            return Ok(None);
        }
        let other = self.with_nodes(axis, nodes);
        self.companion(other, &[(Variable::Axis(axis), moved)], vec![0], true).await.map(Some)
    }

    /// Every cell at the totals of those axes that are among some variables.
    async fn totals(&self, variables: &[Variable]) -> Result<Option<Companion>> {
        let mut other = self.query.clone();
        let mut moved = Vec::new();
        for &variable in variables {
            if let Variable::Axis(axis) = variable {
                moved.push((variable, vec![0; self.query.size(variable)]));
                other.axes[axis] = Chosen::Nodes { codelist: None, nodes: vec![0] };
            }
        }
        if moved.is_empty() {
            return Ok(None);
        }
        self.companion(other, &moved, vec![0], true).await.map(Some)
    }

    /// Every cell in the period before.
    async fn before(&self) -> Result<Option<Companion>> {
        let period = |release: usize| self.library.releases[release].manifest.period;
        let before = |&release: &usize| (0..self.library.releases.len()).find(|&other| period(other) == period(release).previous());
        let mut releases: Vec<usize> = self.query.releases.iter().filter_map(before).collect();
        releases.sort_unstable();
        releases.dedup();
        if releases.is_empty() {
            return Ok(None);
        }
        let place = |release: &usize| before(release).and_then(|other| releases.binary_search(&other).ok()).unwrap_or(NOWHERE);
        let moved = self.query.releases.iter().map(place).collect();
        let other = Query { releases, ..self.query.clone() };
        self.companion(other, &[(Variable::Time, moved)], vec![0], false).await.map(Some)
    }

    /// Some nodes of an axis, for every cell at that axis' total.
    async fn nodes<'c>(&self, axis: usize, codes: impl Iterator<Item = &'c str>) -> Result<Option<Companion>> {
        let dimension = &self.library.dimensions[self.entry.axes[axis].dimension];
        let wanted: Vec<u32> = codes.filter_map(|code| dimension.find(code)).collect();
        let mut nodes = wanted.clone();
        nodes.sort_unstable();
        nodes.dedup();
        let mut other = self.with_nodes(axis, nodes.clone());
        let variable = Variable::Axis(axis);
        let moved = match &self.query.axes[axis] {
            Chosen::Eliminated => {
                other.stub.insert(0, variable);
                Vec::new()
            }
            Chosen::Nodes { nodes, .. } => vec![(variable, nodes.iter().map(|&node| if node == 0 { 0 } else { NOWHERE }).collect())],
            Chosen::Groups { .. } => return Ok(None),
        };
        let behind = other.variables().skip_while(|other| *other != variable).skip(1);
        let stride: usize = behind.map(|variable| other.size(variable)).product();
        let parts = wanted.iter().filter_map(|node| nodes.binary_search(node).ok()).map(|at| at * stride).collect();
        self.companion(other, &moved, parts, true).await.map(Some)
    }

    /// The area of every cell's place, in hectares.
    fn areas(&self, axis: usize) -> Companion {
        let all = &self.library.dimensions[self.entry.axes[axis].dimension].nodes;
        let areas: Vec<Option<u64>> = match &self.query.axes[axis] {
            Chosen::Eliminated => vec![all[0].area],
            Chosen::Nodes { nodes, .. } => nodes.iter().map(|&node| all[node as usize].area).collect(),
            Chosen::Groups { groups, .. } => vec![None; groups.len()],
        };
        let known = |area: &Option<u64>| if area.is_some() { CellStatus::Published } else { CellStatus::Unavailable };
        let counts = Counts {
            statuses: areas.iter().map(known).collect(),
            values: areas.iter().map(|area| area.and_then(|area| i64::try_from(area).ok()).unwrap_or(0)).collect(),
        };
        // There is one for each place, whatever the other variables are.
        let others = self.query.variables().filter(|variable| *variable != Variable::Axis(axis));
        let moved: Vec<(Variable, Vec<usize>)> = others.map(|variable| (variable, vec![0; self.query.size(variable)])).collect();
        let starts = self.starts(&moved, |variable| if variable == Variable::Axis(axis) { self.query.size(variable) } else { 1 });
        Companion { counts, starts, parts: vec![0], zeros: true }
    }

    fn with_nodes(&self, axis: usize, nodes: Vec<u32>) -> Query {
        let mut other = self.query.clone();
        other.axes[axis] = Chosen::Nodes { codelist: None, nodes };
        other
    }

    /// Reads a companion. It has the variables of the query in the same order, and perhaps one before them; `moved` tells for
    /// each position of a variable its position there.
    async fn companion(&self, other: Query, moved: &[(Variable, Vec<usize>)], parts: Vec<usize>, zeros: bool) -> Result<Companion> {
        let starts = self.starts(moved, |variable| other.size(variable));
        Ok(Companion { counts: counts(self.library, self.engine, &other).await?, starts, parts, zeros })
    }

    /// Where the counterparts of every cell are counted from, in a companion whose variables have these sizes.
    fn starts(&self, moved: &[(Variable, Vec<usize>)], size: impl Fn(Variable) -> usize) -> Vec<usize> {
        let mut starts = vec![0];
        let mut stride = 1;
        let variables: Vec<Variable> = self.query.variables().collect();
        // From the last variable, which varies fastest: what is there already is repeated for each position of the one before.
        for &variable in variables.iter().rev() {
            let positions = moved.iter().find(|(other, _)| *other == variable).map(|(_, positions)| positions);
            let mut wider = Vec::with_capacity(starts.len() * self.query.size(variable));
            for position in 0..self.query.size(variable) {
                let place = positions.map_or(position, |positions| positions[position]);
                let shift = |&start: &usize| if place == NOWHERE || start == NOWHERE { NOWHERE } else { start + place * stride };
                wider.extend(starts.iter().map(shift));
            }
            starts = wider;
            stride *= size(variable);
        }
        starts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotients_are_rounded_to_the_nearest() {
        let check = |over, under, expect| assert_eq!(quotient(over, under), expect, "{over}/{under}");
        check(5, 2, Some(3));
        check(-5, 2, Some(-3));
        check(4, 3, Some(1));
        check(-4, 3, Some(-1));
        check(0, 7, Some(0));
        check(1, 0, None);
    }

    #[test]
    fn a_median_lies_within_its_band() {
        let band = |from, to| Band { code: String::new(), from, to };
        let bands = [band(0, Some(5)), band(5, Some(15)), band(15, None)];
        let check = |counts: [i64; 3], expect| assert_eq!(median(&bands, &counts, 10), expect, "{counts:?}");
        check([10, 0, 0], Some(25));
        check([5, 5, 0], Some(50));
        check([0, 10, 0], Some(100));
        check([1, 8, 1], Some(100));
        check([2, 4, 2], Some(100));
        check([0, 0, 3], None);
        check([0, 0, 0], None);
    }
}
