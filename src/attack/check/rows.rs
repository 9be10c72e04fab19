//! What a row says, worked out from its name.

use std::{borrow::Cow, collections::HashMap, ops::Range};

use rustc_hash::FxHashSet;

use super::{
    super::{
        findings::{RowKind, RowName},
        input::{CellRef, Facts, MembersAt, Outside, PeopleOutside},
    },
    refuse,
    tables::{Count, ShownTable, Tables},
};
use crate::{
    error::Result,
    register::{Axis, Dimension, Links, Unit},
};

/// A row over cells: `sum of coefficient x cell (= | <=) constant`.
pub(super) struct CellRow {
    pub terms: Vec<(CellRef, i128)>,
    pub constant: i128,
    pub is_inequality: bool,
}

/// Knows what rows say.
pub(super) struct Rows<'a> {
    links: &'a Links,
    outside: Outside<'a>,
    dimensions: &'a [Dimension],
    given_up: FxHashSet<RowName>,
    heads: Vec<Pair<'a>>,
    /// For each dimension and number of nodes of an axis, the positions right below each position.
    children: HashMap<(usize, usize), Vec<Vec<u32>>>,
}

/// Dimensions of heads and of people that say the same, by their numbers.
struct Pair<'a> {
    head: usize,
    person: usize,
    /// For each base leaf of the second the base leaf of the first.
    classes: Cow<'a, [u32]>,
    /// Whether classes ascend, so that the leaves of some of them are neighbours.
    is_sorted: bool,
}

impl<'a> Rows<'a> {
    pub fn new(facts: &Facts<'a>, given_up: impl IntoIterator<Item = RowName>) -> Result<Self> {
        let number = |id: &String| facts.dimensions.iter().position(|dimension| dimension.id == *id);
        for link in &facts.links.members {
            let size = number(&link.size).map(|at| facts.dimensions[at].base_leaves().len());
            if size.is_some_and(|size| size != link.members.len()) {
                return refuse(format!("the link of '{}' does not fit its code list", link.size));
            }
        }
        let mut heads = Vec::new();
        for pair in &facts.links.heads {
            let (Some(head), Some(person)) = (number(&pair.head), number(&pair.person)) else { continue };
            let (heads_leaves, leaves) = (facts.dimensions[head].base_leaves().len(), facts.dimensions[person].base_leaves().len());
            let classes: Cow<'_, [u32]> = if head == person { (0..leaves as u32).collect() } else { Cow::Borrowed(&pair.classes) };
            if classes.len() != leaves || classes.iter().any(|class| *class as usize >= heads_leaves) {
                return refuse(format!("the link of '{}' to '{}' does not fit the code lists", pair.head, pair.person));
            }
            heads.push(Pair { head, person, is_sorted: classes.is_sorted(), classes });
        }
        Ok(Self {
            links: facts.links,
            outside: facts.outside,
            dimensions: facts.dimensions,
            given_up: given_up.into_iter().collect(),
            heads,
            children: HashMap::new(),
        })
    }

    fn dimension(&self, id: &str) -> Option<usize> {
        self.dimensions.iter().position(|dimension| dimension.id == id)
    }

    /// What a row says.
    ///
    /// # Errors
    /// [`crate::error::Error::Input`] where there is no such row, or it does not hold.
    pub fn row(&mut self, name: RowName, tables: &mut Tables<'a>) -> Result<CellRow> {
        match name.kind {
            RowKind::Sum => self.sum(name, tables),
            RowKind::MembersLeast | RowKind::MembersMost => self.members(name, tables),
            RowKind::Head => self.head(name, tables),
        }
    }

    fn children(&mut self, dimension: usize, axis: &Axis) -> &Vec<Vec<u32>> {
        self.children.entry((dimension, axis.nodes.len())).or_insert_with(|| {
            let mut children = vec![Vec::new(); axis.nodes.len()];
            for (at, parent) in (0..).zip(&axis.parents) {
                if let Some(parent) = parent {
                    children[*parent as usize].push(at);
                }
            }
            children
        })
    }

    fn sum(&mut self, name: RowName, tables: &Tables<'a>) -> Result<CellRow> {
        let table = tables.table(name.cell)?;
        let at = usize::from(name.by);
        let (Some(axis), Some(&stride)) = (table.shape.axes.get(at), table.shape.strides.get(at)) else {
            return refuse("the table has no such axis".into());
        };
        let position = u64::from(name.cell.cell) / stride % axis.nodes.len() as u64;
        let first = u64::from(name.cell.cell) - position * stride;
        let below = &self.children(table.dimensions[at], axis)[position as usize];
        if below.is_empty() {
            return refuse("nothing lies below the cell along that axis".into());
        }
        let child = |child: &u32| (CellRef { cell: (first + u64::from(*child) * stride) as u32, ..name.cell }, -1);
        Ok(CellRow { terms: [(name.cell, 1)].into_iter().chain(below.iter().map(child)).collect(), constant: 0, is_inequality: false })
    }

    fn members(&self, name: RowName, tables: &mut Tables<'a>) -> Result<CellRow> {
        let Some(link) = self.links.members.get(usize::from(name.by)) else { return refuse("there is no such link".into()) };
        let people = tables.table(name.cell)?;
        let nodes = people.nodes(name.cell.cell);
        let shared: Option<Vec<usize>> = link.shared.iter().map(|id| self.dimension(id)).collect();
        let (Some(size), Some(shared)) = (self.dimension(&link.size), shared) else {
            return refuse("the link names a dimension of which there is no code list".into());
        };
        if people.unit != Unit::Person || nodes.iter().any(|(dimension, _)| !shared.contains(dimension)) {
            return refuse("members are compared with people by the dimensions that they share alone".into());
        }
        let leaves = self.dimensions[size].base_leaves();
        let sizes = tables.of(name.cell.publication, Unit::Household).find_map(|table| {
            let at = |leaf: &u32| table.cell(&[&nodes[..], &[(size, *leaf)]].concat());
            leaves.iter().map(at).collect::<Option<Vec<CellRef>>>()
        });
        let Some(sizes) = sizes else { return refuse("no table shows households by size there".into()) };
        let at: Vec<u32> =
            shared.iter().map(|dimension| nodes.iter().find(|(other, _)| other == dimension).map_or(0, |(_, node)| *node)).collect();
        let mut outside = match self.outside {
            Outside::Nobody => Some(PeopleOutside::exactly(0)),
            Outside::Unknown => None,
            Outside::Known(known) => known(MembersAt { publication: name.cell.publication, link: name.by, nodes: &at }),
        };
        if self.given_up.contains(&name) {
            // What is given up of known people outside is that they are so many.
            match outside {
                Some(PeopleOutside { least: 1.., .. }) if name.kind == RowKind::MembersLeast => outside = None,
                _ => return refuse("the row contradicts what is published".into()),
            }
        }
        let mut row = CellRow { terms: Vec::new(), constant: 0, is_inequality: true };
        if name.kind == RowKind::MembersLeast {
            row.terms.push((name.cell, -1));
            row.terms.extend(sizes.into_iter().zip(&link.members).map(|(cell, members)| (cell, i128::from(members.least))));
            row.constant = -i128::from(outside.map_or(0, |outside| outside.least));
            return Ok(row);
        }
        let Some(outside) = outside else { return refuse("nobody knows how many people live outside of households".into()) };
        row.constant = i128::from(outside.most);
        row.terms.push((name.cell, 1));
        for (cell, members) in sizes.into_iter().zip(&link.members) {
            match members.most {
                Some(most) => row.terms.push((cell, -i128::from(most))),
                None if tables.count(cell)? == Count::Known(0) => {}
                None => return refuse("there may be households of any size".into()),
            }
        }
        Ok(row)
    }

    fn head(&mut self, name: RowName, tables: &Tables<'a>) -> Result<CellRow> {
        let households = tables.table(name.cell)?;
        if households.unit != Unit::Household || self.given_up.contains(&name) {
            return refuse("it is no row that heads are people, or it contradicts what is published".into());
        }
        // For each dimension of people the base leaves where the heads are.
        let mut wanted: Vec<(usize, Vec<Range<u32>>)> = Vec::new();
        let axes = households.dimensions.iter().zip(households.shape.axes.iter().zip(&households.shape.strides));
        for (dimension, (axis, stride)) in axes {
            let position = (u64::from(name.cell.cell) / stride % axis.nodes.len() as u64) as usize;
            let pair = self.heads.iter().find(|pair| pair.head == *dimension);
            match pair.filter(|pair| !wanted.iter().any(|(person, _)| *person == pair.person)) {
                Some(pair) => wanted.push((pair.person, pair.leaves(&axis.bases[position]))),
                None if position == 0 => {}
                None => return refuse("heads are compared with people at the total of what people have not".into()),
            }
        }
        let mut best: Option<Vec<CellRef>> = None;
        for table in tables.of(name.cell.publication, Unit::Person) {
            let Some(cells) = self.cover(table, &wanted) else { continue };
            if best.as_ref().is_none_or(|best| cells.len() < best.len()) {
                best = Some(cells);
            }
        }
        let Some(best) = best else { return refuse("no table shows the people where the heads are".into()) };
        let terms = [(name.cell, 1)].into_iter().chain(best.into_iter().map(|cell| (cell, -1))).collect();
        Ok(CellRow { terms, constant: 0, is_inequality: true })
    }

    /// The fewest cells of a table that make up some base leaves of some dimensions.
    fn cover(&mut self, table: &ShownTable<'a>, wanted: &[(usize, Vec<Range<u32>>)]) -> Option<Vec<CellRef>> {
        let mut cells = vec![0u64];
        for (dimension, ranges) in wanted {
            let Some(at) = table.dimensions.iter().position(|shown| shown == dimension) else {
                let all = self.dimensions[*dimension].base_leaves().len() as u32;
                if ranges.len() == 1 && ranges[0] == (0..all) {
                    continue;
                }
                return None;
            };
            let (axis, stride) = (&table.shape.axes[at], table.shape.strides[at]);
            let mut positions = Vec::new();
            if !gather(axis, self.children(*dimension, axis), 0, ranges, &mut positions) {
                return None;
            }
            cells = cells.iter().flat_map(|cell| positions.iter().map(move |position| cell + u64::from(*position) * stride)).collect();
        }
        Some(cells.into_iter().map(|cell| CellRef { publication: table.publication, table: table.number, cell: cell as u32 }).collect())
    }
}

impl Pair<'_> {
    /// The base leaves of people whose class is in a range, as few ranges as possible, ascending.
    fn leaves(&self, wanted: &Range<u32>) -> Vec<Range<u32>> {
        if self.is_sorted {
            let start = self.classes.partition_point(|class| *class < wanted.start) as u32;
            let end = self.classes.partition_point(|class| *class < wanted.end) as u32;
            return (start < end).then_some(start..end).into_iter().collect();
        }
        let mut runs: Vec<Range<u32>> = Vec::new();
        for (at, _) in (0..).zip(&*self.classes).filter(|(_, class)| wanted.contains(class)) {
            match runs.last_mut() {
                Some(run) if run.end == at => run.end = at + 1,
                _ => runs.push(at..at + 1),
            }
        }
        runs
    }
}

/// Adds the coarsest positions at or below one that lie in some ranges of base leaves; `false` if one without anything below lies in them
/// in part.
fn gather(axis: &Axis, children: &[Vec<u32>], at: u32, wanted: &[Range<u32>], positions: &mut Vec<u32>) -> bool {
    let bases = &axis.bases[at as usize];
    let meets = |range: &&Range<u32>| range.start < bases.end && bases.start < range.end;
    let Some(range) = wanted.iter().find(meets) else { return true };
    if range.start <= bases.start && bases.end <= range.end {
        positions.push(at);
        return true;
    }
    let below = &children[at as usize];
    !below.is_empty() && below.iter().all(|child| gather(axis, children, *child, wanted, positions))
}
