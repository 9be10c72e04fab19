//! The smallest and the largest value of every count, by trying all of them: nothing of the attack is used.

use std::collections::BTreeMap;

use microlp::{ComparisonOp, OptimizationDirection, Problem};

use super::register::Register;
use crate::{
    attack::CellRef,
    register::{Status, Unit},
};

/// Tolerance of the solver's numbers.
const NEAR: f64 = 1e-4;
/// Unknown counts of which everything is asked in real numbers.
const LARGEST: usize = 60;

/// What stands for a count: its unit, a revision, and its nodes other than totals.
type Name = (usize, bool, Vec<(String, u32)>);

/// Terms, whether they are equal to the constant or at most so much, and the constant.
type NaiveRow = (Vec<(usize, i64)>, bool, i64);

/// A system of rows `sum = constant` or `sum <= constant`.
pub struct Naive {
    variables: BTreeMap<Name, usize>,
    of_cell: BTreeMap<CellRef, usize>,
    rows: Vec<NaiveRow>,
    largest: i64,
}

impl Naive {
    /// Writes down all that is known. `outside`: whether nobody lives outside of households.
    pub fn new(register: &Register, nobody_outside: bool) -> Self {
        let mut naive = Self { variables: BTreeMap::new(), of_cell: BTreeMap::new(), rows: Vec::new(), largest: 0 };
        let shapes = register.shapes();
        let tables: Vec<_> = register.tables.iter().chain(&register.joint).collect();
        for cell in register.cells() {
            let (table, shape) = (tables[usize::from(cell.table)], &shapes[usize::from(cell.table)]);
            let positions = shape.coordinates(cell.cell.into());
            let nodes =
                table.axes.iter().zip(&shape.axes).zip(positions).map(|((of, axis), at)| (of.dimension.clone(), axis.nodes[at as usize]));
            let name = (usize::from(cell.publication), table.unit == Unit::Household, nodes.filter(|(_, node)| *node != 0).collect());
            let variable = naive.variable(name);
            naive.of_cell.insert(cell, variable);
            let revision = &register.revisions[usize::from(cell.publication)];
            if let Some(statuses) = revision.statuses.get(usize::from(cell.table))
                && statuses[cell.cell as usize] != Status::Suppressed
            {
                naive.rows.push((vec![(variable, 1)], true, i64::from(register.count(cell))));
            }
            naive.largest = naive.largest.max(i64::from(register.count(cell)));
        }
        let names: Vec<(Name, usize)> = naive.variables.iter().map(|(name, at)| (name.clone(), *at)).collect();
        // A count is the sum over the nodes below one of its own, wherever all of these are counts of some table.
        for (name, at) in &names {
            for dimension in &register.dimensions {
                let own = name.2.iter().find(|(id, _)| *id == dimension.id).map_or(0, |(_, node)| *node);
                let children: Vec<u32> =
                    (0..).zip(&dimension.nodes).filter(|(_, node)| node.parent == Some(own)).map(|(at, _)| at).collect();
                let below = children.iter().map(|child| {
                    let mut nodes: Vec<(String, u32)> = name.2.iter().filter(|(id, _)| *id != dimension.id).cloned().collect();
                    nodes.push((dimension.id.clone(), *child));
                    nodes.sort();
                    naive.variables.get(&(name.0, name.1, nodes)).map(|at| (*at, -1))
                });
                if let Some(below) = below.collect::<Option<Vec<_>>>().filter(|below| !below.is_empty()) {
                    naive.rows.push(([&[(*at, 1)][..], &below].concat(), true, 0));
                }
            }
        }
        naive.link(register, nobody_outside);
        // Revisions with the same count.
        for (a, at) in &names {
            for (b, other) in names.iter().filter(|(b, _)| b.0 > a.0 && (b.1, &b.2) == (a.1, &a.2)) {
                let value = |name: &Name| {
                    let (cell, _) = naive.of_cell.iter().find(|(_, variable)| **variable == naive.variables[name]).unwrap();
                    register.count(*cell)
                };
                if value(a) == value(b) {
                    naive.rows.push((vec![(*at, 1), (*other, -1)], true, 0));
                }
            }
        }
        naive
    }

    fn link(&mut self, register: &Register, nobody_outside: bool) {
        let get = |revision: usize, is_household: bool, nodes: &[(&str, u32)]| {
            let mut nodes: Vec<(String, u32)> =
                nodes.iter().filter(|(_, node)| *node != 0).map(|(id, node)| ((*id).to_owned(), *node)).collect();
            nodes.sort();
            self.variables.get(&(revision, is_household, nodes)).copied()
        };
        let nodes = |id: &str| register.dimensions.iter().find(|dimension| dimension.id == id).unwrap().nodes.len() as u32;
        let mut rows = Vec::new();
        for revision in 0..register.revisions.len() {
            for link in &register.links.members {
                for region in 0..nodes("region") {
                    let sizes = (1..nodes("size")).map(|size| get(revision, true, &[("region", region), ("size", size)]));
                    let (Some(people), Some(sizes)) = (get(revision, false, &[("region", region)]), sizes.collect::<Option<Vec<_>>>())
                    else {
                        continue;
                    };
                    let least = sizes.iter().zip(&link.members).map(|(at, members)| (*at, i64::from(members.least)));
                    rows.push((least.chain([(people, -1)]).collect(), false, 0));
                    if nobody_outside {
                        let most = sizes.iter().zip(&link.members).map(|(at, members)| (*at, -i64::from(members.most.unwrap())));
                        rows.push((most.chain([(people, 1)]).collect(), false, 0));
                    }
                }
            }
            if !register.links.heads.is_empty() {
                for (region, sex, faith) in product([nodes("region"), nodes("sex"), nodes("faith")]) {
                    let at = [("region", region), ("sex", sex), ("faith", faith)];
                    if let (Some(heads), Some(people)) = (get(revision, true, &at), get(revision, false, &at)) {
                        rows.push((vec![(heads, 1), (people, -1)], false, 0));
                    }
                }
            }
        }
        self.rows.extend(rows);
    }

    fn variable(&mut self, mut name: Name) -> usize {
        name.2.sort();
        let next = self.variables.len();
        *self.variables.entry(name).or_insert(next)
    }

    /// The smallest and the largest value of each cell over all whole-number solutions; `None` if there is too much to try.
    pub fn whole(&self) -> Option<BTreeMap<CellRef, (i64, i64)>> {
        let count = self.variables.len();
        let mut ranges = vec![(0, self.largest); count];
        let mut found = vec![(i64::MAX, i64::MIN); count];
        let mut left = 5_000;
        self.tighten(&mut ranges).then_some(())?;
        self.search(&ranges, &mut found, &mut left)?;
        Some(self.of_cell.iter().map(|(cell, at)| (*cell, found[*at])).collect())
    }

    /// The range of each cell in real numbers, rounded inward;
    /// `None` if there are too many or the solver gives up.
    pub fn real(&self) -> Option<BTreeMap<CellRef, (i64, i64)>> {
        // Published counts as rows of their own are more than the solver can cope with.
        let published: BTreeMap<usize, i64> = self
            .rows
            .iter()
            .filter(|(terms, is_equal, _)| terms.len() == 1 && *is_equal)
            .map(|(terms, _, count)| (terms[0].0, *count))
            .collect();
        if self.variables.len() > published.len() + LARGEST {
            return None;
        }
        let optimum = |at: usize, direction: OptimizationDirection| {
            let mut problem = Problem::new(direction);
            let variable = |other: usize| {
                let limits = published.get(&other).map_or((0.0, f64::INFINITY), |count| (*count as f64, *count as f64));
                problem.add_var(f64::from(u8::from(other == at)), limits)
            };
            let variables: Vec<_> = (0..self.variables.len()).map(variable).collect();
            for (terms, is_equal, constant) in &self.rows {
                let count = |(at, coefficient): &(usize, i64)| Some(coefficient * published.get(at)?);
                let rest = constant - terms.iter().filter_map(count).sum::<i64>();
                let open = terms.iter().filter(|(at, _)| !published.contains_key(at));
                let terms: Vec<_> = open.map(|(at, coefficient)| (variables[*at], *coefficient as f64)).collect();
                if !terms.is_empty() {
                    problem.add_constraint(&terms[..], if *is_equal { ComparisonOp::Eq } else { ComparisonOp::Le }, rest as f64);
                }
            }
            Some(problem.solve().ok()?.into_solution().ok()?.var_value(variables[at]))
        };
        let mut known = BTreeMap::new();
        for at in 0..self.variables.len() {
            let low = (optimum(at, OptimizationDirection::Minimize)? - NEAR).ceil() as i64;
            known.insert(at, (low, (optimum(at, OptimizationDirection::Maximize)? + NEAR).floor() as i64));
        }
        Some(self.of_cell.iter().map(|(cell, at)| (*cell, known[at])).collect())
    }

    fn tighten(&self, ranges: &mut [(i64, i64)]) -> bool {
        let mut goes_on = true;
        while std::mem::take(&mut goes_on) {
            for (terms, is_equal, constant) in &self.rows {
                for sign in if *is_equal { &[1, -1][..] } else { &[1] } {
                    let least = |(at, coefficient): &(usize, i64)| {
                        let coefficient = coefficient * sign;
                        coefficient * if coefficient > 0 { ranges[*at].0 } else { ranges[*at].1 }
                    };
                    let slack = constant * sign - terms.iter().map(least).sum::<i64>();
                    if slack < 0 {
                        return false;
                    }
                    for (at, coefficient) in terms {
                        let (coefficient, (low, high)) = (coefficient * sign, ranges[*at]);
                        let narrower = if coefficient > 0 {
                            (low, high.min(low + slack / coefficient))
                        } else {
                            (low.max(high - slack / -coefficient), high)
                        };
                        goes_on |= narrower != (low, high);
                        ranges[*at] = narrower;
                    }
                }
            }
        }
        true
    }

    fn search(&self, ranges: &[(i64, i64)], found: &mut [(i64, i64)], left: &mut u32) -> Option<()> {
        *left = left.checked_sub(1)?;
        let open = (0..ranges.len()).filter(|at| ranges[*at].0 < ranges[*at].1);
        let Some(at) = open.min_by_key(|at| ranges[*at].1 - ranges[*at].0) else {
            for (found, (value, _)) in found.iter_mut().zip(ranges) {
                *found = (found.0.min(*value), found.1.max(*value));
            }
            return Some(());
        };
        for value in ranges[at].0..=ranges[at].1 {
            let mut ranges = ranges.to_vec();
            ranges[at] = (value, value);
            if self.tighten(&mut ranges) {
                self.search(&ranges, found, left)?;
            }
        }
        Some(())
    }
}

fn product(lengths: [u32; 3]) -> impl Iterator<Item = (u32, u32, u32)> {
    let [a, b, c] = lengths;
    (0..a).flat_map(move |first| (0..b).flat_map(move |second| (0..c).map(move |third| (first, second, third))))
}
