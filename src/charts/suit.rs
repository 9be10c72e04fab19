//! What of a selection a kind of chart can show.
//!
//! Somebody who looks at a table of four variables and turns to a chart has not chosen for that chart. So what it shows is the
//! selection as far as its kind goes: the variables that vary most fitly vary, the others are taken at one code, their total if it
//! was chosen. The picture's own subtitle says which.

use super::plan::{ChartKind, MOST_CATEGORIES, MOST_COLUMNS, MOST_SERIES, pyramid_axes};
use crate::tables::{CONTENTS, Chosen, CodeListKind, Library, Query, Request, Selection, TIME, TableEntry, Variable};

/// The request by which a kind of chart shows as much of a query as it can.
pub fn suited(library: &Library, query: &Query, kind: ChartKind) -> Request {
    let suit = Suit { library, entry: &library.tables[query.table], query };
    let region = suit.entry.region(library);
    let place = |several: bool| match region {
        Some(axis) if several && query.size(Variable::Axis(axis)) > 1 => Some(suit.axis(axis, MOST_CATEGORIES * 5)),
        Some(axis) => Some(if several { suit.below(axis) } else { suit.axis(axis, 1) }),
        None => None,
    };
    let mut selections = vec![suit.contents()];
    let mut vary: Vec<Variable> = Vec::new();
    match kind {
        ChartKind::Pyramid => {
            // Ages and sides are filled in by the plan, whole.
            if let Ok((ages, sides, _)) = pyramid_axes(library, suit.entry) {
                vary.extend([Variable::Axis(ages), Variable::Axis(sides)]);
            }
            selections.push(suit.time(1));
        }
        ChartKind::Lines => {
            let along = suit.varying().into_iter().find(|&variable| matches!(variable, Variable::Axis(_)));
            if let Some(Variable::Axis(axis)) = along {
                selections.push(suit.axis(axis, MOST_SERIES));
                vary.extend(along);
            }
            selections.push(Selection { variable: TIME.into(), codelist: None, values: vec!["*".into()] });
        }
        ChartKind::Map | ChartKind::Ranking => {
            let widest = suit
                .varying()
                .into_iter()
                .filter(|variable| matches!(variable, Variable::Axis(_)))
                .max_by_key(|&variable| query.size(variable));
            match (region, widest) {
                (Some(axis), _) if kind == ChartKind::Map || widest.is_none_or(|widest| widest == Variable::Axis(axis)) => {
                    selections.extend(place(true));
                    vary.push(Variable::Axis(axis));
                }
                (_, Some(Variable::Axis(axis))) => {
                    selections.push(suit.axis(axis, MOST_CATEGORIES * 5));
                    vary.push(Variable::Axis(axis));
                }
                _ => {}
            }
            selections.push(suit.time(1));
        }
        ChartKind::Bars | ChartKind::Heat => {
            let mut axes: Vec<usize> = suit
                .varying()
                .into_iter()
                .filter_map(|variable| if let Variable::Axis(axis) = variable { Some(axis) } else { None })
                .collect();
            let wanted = if kind == ChartKind::Heat { 2 } else { 1 };
            let others = (0..suit.entry.axes.len()).filter(|axis| Some(*axis) != region && !axes.contains(axis)).collect::<Vec<_>>();
            axes.truncate(2);
            let chosen = axes.len();
            axes.extend(others.into_iter().take(wanted.max(chosen) - chosen));
            axes.truncate(2);
            // The longer one goes down, the shorter one has colours or columns.
            axes.sort_by_key(|&axis| std::cmp::Reverse(suit.count(axis)));
            for (at, &axis) in axes.iter().enumerate() {
                let most = match (kind, at) {
                    (_, 0) => MOST_CATEGORIES,
                    (ChartKind::Bars, _) => MOST_SERIES,
                    _ => MOST_COLUMNS,
                };
                selections.push(if query.size(Variable::Axis(axis)) > 1 { suit.axis(axis, most) } else { suit.whole(axis) });
                vary.push(Variable::Axis(axis));
            }
            selections.push(suit.time(1));
        }
    }
    for axis in (0..suit.entry.axes.len()).filter(|&axis| !vary.contains(&Variable::Axis(axis))) {
        if query.axes[axis] != Chosen::Eliminated {
            selections.push(if Some(axis) == region { place(false).unwrap_or_else(|| suit.axis(axis, 1)) } else { suit.axis(axis, 1) });
        }
    }
    Request { selections, ..Request::default() }
}

struct Suit<'a> {
    library: &'a Library,
    entry: &'a TableEntry,
    query: &'a Query,
}

impl Suit<'_> {
    fn varying(&self) -> Vec<Variable> {
        // In the order of the table, so that what varies does not depend on where it was placed.
        (0..self.entry.axes.len()).map(Variable::Axis).filter(|&variable| self.query.size(variable) > 1).collect()
    }

    /// Categories that an axis has in a chart: those chosen, or all on its finest level.
    fn count(&self, axis: usize) -> usize {
        let chosen = self.query.size(Variable::Axis(axis));
        let described = &self.entry.axes[axis];
        let dimension = &self.library.dimensions[described.dimension];
        if chosen > 1 {
            return chosen;
        }
        let finest = self.library.codelist_of(described, &dimension.valueset(described.level));
        finest.map_or_else(|| dimension.frontier(described.level).len(), |at| self.library.codelists[at].count())
    }

    fn variable(&self, axis: usize) -> String {
        self.library.dimensions[self.entry.axes[axis].dimension].variable.clone()
    }

    fn contents(&self) -> Selection {
        let content = self.query.contents.first().copied().unwrap_or(0);
        Selection { variable: CONTENTS.into(), codelist: None, values: vec![self.library.contents(self.entry, content).0.to_owned()] }
    }

    /// The newest of the periods.
    fn time(&self, most: usize) -> Selection {
        let newest = self.query.releases.iter().rev().take(most).map(|&release| self.library.period(release).to_owned());
        Selection { variable: TIME.into(), codelist: None, values: newest.collect() }
    }

    /// The first of the categories chosen of an axis; where only one is wanted, the total if it is among them.
    fn axis(&self, axis: usize, most: usize) -> Selection {
        let dimension = &self.library.dimensions[self.entry.axes[axis].dimension];
        let (codelist, values) = match &self.query.axes[axis] {
            Chosen::Eliminated => (None, vec![dimension.nodes[0].code.clone()]),
            Chosen::Nodes { codelist, nodes } => {
                let mut codes: Vec<String> = nodes.iter().map(|&node| dimension.nodes[node as usize].code.clone()).collect();
                // A total beside its parts is no part of a picture of the parts.
                if most > 1 && codes.len() > most && nodes.first() == Some(&0) {
                    codes.remove(0);
                }
                codes.truncate(most);
                (codelist.map(|at| self.library.codelists[at].id.clone()), codes)
            }
            Chosen::Groups { codelist, groups } => {
                let list = &self.library.codelists[*codelist];
                let CodeListKind::Aggregation(grouping) = &list.kind else { return Selection::default() };
                let codes = groups.iter().take(most).map(|&group| grouping.values[group as usize].code.clone()).collect();
                (Some(list.id.clone()), codes)
            }
        };
        Selection { variable: dimension.variable.clone(), codelist, values }
    }

    /// Every category on the finest level of an axis.
    fn whole(&self, axis: usize) -> Selection {
        let dimension = &self.library.dimensions[self.entry.axes[axis].dimension];
        Selection {
            variable: self.variable(axis),
            codelist: Some(dimension.valueset(self.entry.axes[axis].level)),
            values: vec!["*".into()],
        }
    }

    /// What lies right below the first place chosen; where nothing does, what lies beside it.
    fn below(&self, axis: usize) -> Selection {
        let dimension = &self.library.dimensions[self.entry.axes[axis].dimension];
        let node = match &self.query.axes[axis] {
            Chosen::Nodes { nodes, .. } => nodes.first().copied().unwrap_or(0),
            _ => 0,
        };
        let shown = |node: u32| self.entry.axes[axis].nodes.iter().any(|&other| dimension.nodes[other as usize].parent == Some(node));
        let above = if shown(node) { node } else { dimension.nodes[node as usize].parent.unwrap_or(node) };
        let code = &dimension.nodes[above as usize].code;
        Selection { variable: self.variable(axis), codelist: None, values: vec![format!("children({code})")] }
    }
}
