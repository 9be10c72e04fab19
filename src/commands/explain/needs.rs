//! Which withheld counts need a cell that no rule withholds, how their alternative lists get as far as it, and what would open it.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter::successors,
    ops::Range,
};

use super::super::say::say;
use super::{Explained, Explanation, Place, names::number_of};
use crate::{
    cube::grouped,
    register::{Axis, Dimension, Role},
    worlds::{Counted, Reach},
};

/// So many primaries are named that need a secondary.
const NAMED: usize = 5;

/// What an alternative list shows of a primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Shown {
    Low,
    High,
    Group,
    Unaware,
}

/// A primary, and a list that proves it and changes the cell that is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Need {
    place: Place,
    shown: Shown,
    world: u32,
}

/// A cell, as it takes to tell which finest cells lie in it.
struct Within<'a> {
    table: usize,
    axes: Vec<(&'a Axis, u64, Range<u32>)>,
}

impl Within<'_> {
    fn holds(&self, cell: u64) -> bool {
        self.axes.iter().all(|(axis, stride, span)| {
            let inner = &axis.spans[(cell / stride) as usize % axis.nodes.len()];
            span.start <= inner.start && inner.end <= span.end
        })
    }
}

impl Explanation<'_> {
    /// Prints which primaries need a secondary, nearest first; `same` is that cell in every table that has it.
    pub fn tell_secondary(&self, asked: Place, same: &[Place]) {
        say!("secondary: no rule withholds it; it is withheld because small counts elsewhere could be worked out if it were published");
        let (lists, mut needs) = self.needs(same);
        let Some(&place) = same.first().filter(|_| !needs.is_empty()) else {
            say!("no list that is kept as a proof needs it any more; an earlier revision may withhold it");
            return;
        };
        let here = self.nodes(place);
        needs.sort_by_cached_key(|need| (self.distance(&self.nodes(need.place), &here), need.place));
        say!(
            "it differs in {}, needed for {} that a rule withholds:",
            number_of(lists, "alternative list of records", "alternative lists of records"),
            number_of(needs.len(), "count", "counts")
        );
        if let Some((at, geo)) = self.geo {
            let mut levels = BTreeMap::new();
            for need in &needs {
                let region = self.nodes(need.place)[at];
                *levels.entry(geo.nodes[region as usize].level).or_insert(0u64) += 1;
            }
            let levels = levels.into_iter().map(|(level, count)| format!("{} {}", geo.levels[usize::from(level)].id, grouped(count)));
            say!("by level of their region: {}", levels.collect::<Vec<_>>().join(", "));
        }
        say!("nearest first:");
        for need in needs.iter().take(NAMED) {
            self.tell_need(need, place, &here);
        }
        if needs.len() > NAMED {
            say!("and {}", number_of(needs.len() - NAMED, "other", "others"));
        }
        self.tell_openers(asked, &here, &needs);
    }

    /// How many lists change a cell, and the primaries that they prove, each once.
    fn needs(&self, same: &[Place]) -> (usize, Vec<Need>) {
        let Explained { counted, proof, .. } = *self.given;
        let within = |&(table, cell): &Place| {
            let shape = counted[table].shape;
            let axes = shape.axes.iter().zip(&shape.strides).zip(shape.coordinates(cell));
            let axes = axes.map(|((axis, &stride), position)| (&**axis, stride, axis.spans[position as usize].clone()));
            Within { table, axes: axes.collect() }
        };
        let same: Vec<Within<'_>> = same.iter().map(within).collect();
        // The changes of finest cells within it may cancel; the tables that have the cell agree on whether they do.
        let is_changed = |world: u32| {
            same.iter().any(|cell| {
                let changes = proof.worlds.world(world).filter(|change| usize::from(change.table) == cell.table);
                changes.filter(|change| cell.holds(change.cell.into())).map(|change| i64::from(change.delta)).sum::<i64>() != 0
            })
        };
        let changed: Vec<bool> = (0..proof.worlds.len() as u32).map(is_changed).collect();
        let mut needs = Vec::new();
        let mut add = |table: u16, cell: u32, shown: Shown, world: u32| {
            if changed.get(world as usize) == Some(&true) {
                needs.push(Need { place: (table.into(), cell.into()), shown, world });
            }
        };
        for proven in &proof.certificates {
            add(proven.table, proven.cell, Shown::Low, proven.low);
            add(proven.table, proven.cell, Shown::High, proven.high);
        }
        for proven in &proof.groups {
            add(proven.table, proven.cell, Shown::Group, proven.world);
        }
        for proven in &proof.unaware {
            add(proven.table, proven.cell, Shown::Unaware, proven.world);
        }
        needs.sort_unstable();
        needs.dedup_by_key(|need| need.place);
        (changed.iter().filter(|changed| **changed).count(), needs)
    }

    /// Prints a primary, and how its list gets from there to the cell that is explained.
    fn tell_need(&self, need: &Need, place: Place, here: &[u32]) {
        let Explained { counted, rule, .. } = *self.given;
        let count = counted[need.place.0].counts[need.place.1 as usize];
        let (least, most) = rule.goals(count);
        let shows = match need.shown {
            Shown::Low => format!("it is at most {least}"),
            Shown::High => format!("it is at least {most}"),
            Shown::Group => "another category of its group has members".to_owned(),
            Shown::Unaware => format!("it is at most {least}, for whoever does not know how many live there outside of counted households"),
        };
        say!("- {}  {}", grouped(count.into()), self.names.cell(need.place));
        say!("    protected by alternative list of records number {}, in which {shows}", need.world);
        let changed = self.changed(need.world);
        let Some((at, geo)) = self.geo else {
            say!("    it changes {}", number_of(changed.len(), "withheld count", "withheld counts"));
            return;
        };
        let mut by_region: BTreeMap<u32, Vec<(Place, i64)>> = BTreeMap::new();
        for (&cell, &delta) in &changed {
            by_region.entry(self.nodes(cell)[at]).or_default().push((cell, delta));
        }
        let region = self.nodes(need.place)[at];
        say!("    which changes, on the way from there to the cell asked for:");
        for node in way(geo, region, here[at]) {
            let name = self.names.node(geo, node);
            let nearest = |&&(cell, _): &&(Place, i64)| (cell != place, self.distance(&self.nodes(cell), here), cell);
            let cells = by_region.get(&node).map(Vec::as_slice).unwrap_or_default();
            let Some(&(cell, delta)) = cells.iter().min_by_key(nearest) else {
                say!("      {name}: no count of its own");
                continue;
            };
            let before = i64::from(counted[cell.0].counts[cell.1 as usize]);
            let which = if cell == place { "the cell asked for".to_owned() } else { self.names.cell(cell) };
            let among = if cells.len() > 1 { "among them " } else { "" };
            say!(
                "      {name}: {}, {among}{which}: {before} -> {}",
                number_of(cells.len(), "withheld count", "withheld counts"),
                before + delta
            );
        }
        let above = |node: u32| geo.nodes[node as usize].parent;
        let highest = successors(Some(region), |&node| above(node)).filter(|node| by_region.contains_key(node)).last();
        if let Some(top) = highest {
            let (name, closed) = (self.names.node(geo, top), above(top).map(|node| self.names.node(geo, node)));
            match (closed, top == region) {
                (Some(closed), true) => say!(
                    "    not further down: it is a count of {name} itself, which is made up for in other parts of {closed}, whose own counts stay \
                     as they are"
                ),
                (None, true) => {
                    say!("    not further down: it is a count of {name} itself, which is made up for in other categories there")
                }
                (Some(closed), false) => say!(
                    "    not further down: the smallest regions are tried first, and no list was found that leaves the counts of {name} itself as \
                     they are; those of {closed} itself stay"
                ),
                (None, false) => say!(
                    "    not further down: the smallest regions are tried first, and no list was found that leaves the counts of {name} itself as \
                     they are"
                ),
            }
        }
    }

    /// Prints what an operator may set so that a cell is published.
    fn tell_openers(&self, asked: Place, here: &[u32], needs: &[Need]) {
        let Explained { counted, rule, .. } = *self.given;
        let Counted { table: definition, .. } = counted[asked.0];
        let level = self.geo.filter(|(_, geo)| definition.axes.iter().any(|axis| axis.dimension == geo.id));
        let level = level.map(|(at, geo)| format!(":{}", geo.levels[usize::from(geo.nodes[here[at] as usize].level)].id));
        say!("what may open it in the release of another period (what is published stays as it is):");
        say!(
            "- `cacah release PERIOD --weight {}{}=10`: such cells are dearer to lose, and others are withheld instead where others do",
            definition.id,
            level.unwrap_or_default()
        );
        say!("- `--thorough`: each withheld cell is tried to be done without; takes some twenty times as long");
        say!("- fewer levels or categories where those counts lie: coarser tables in the definitions, for `cacah build --definitions`");
        let mut rules = BTreeSet::new();
        for Need { place: (table, cell), shown, .. } in needs {
            rules.insert(match shown {
                Shown::Group => "--small-group",
                _ if rule.is_small(counted[*table].counts[*cell as usize]) => "--threshold",
                _ if counted[*table].few.binary_search(&(*cell as u32)).is_ok() => "--contributors",
                // An earlier revision withholds it: no option changes that.
                _ => continue,
            });
        }
        for option in rules {
            say!("- a lower `{option}`: withholds less of people too, and so protects them less");
        }
        if rule.reach == Reach::Beyond {
            say!("- `--range rule` instead of `beyond`: leaves the ranges of small counts less open");
        }
    }

    /// The published cells that a list changes, and by how much; what several tables have stands in the first of them.
    fn changed(&self, world: u32) -> BTreeMap<Place, i64> {
        let Explained { counted, statuses, proof, .. } = *self.given;
        let mut changed = BTreeMap::new();
        for change in proof.worlds.world(world).filter(|change| usize::from(change.table) < statuses.len()) {
            let table = usize::from(change.table);
            let shape = counted[table].shape;
            let mut cells = vec![0u64];
            for ((axis, &stride), position) in shape.axes.iter().zip(&shape.strides).zip(shape.coordinates(change.cell.into())) {
                let upwards: Vec<u32> = successors(Some(position), |&at| axis.parents[at as usize]).collect();
                cells = cells.iter().flat_map(|&cell| upwards.iter().map(move |&at| cell + u64::from(at) * stride)).collect();
            }
            for cell in cells {
                *changed.entry((table, cell)).or_insert(0i64) += i64::from(change.delta);
            }
        }
        changed.retain(|&(table, cell), delta| {
            let is_in = |earlier: usize, positions: &[u32]| self.linked.cell(table, earlier, positions).is_some();
            let positions = counted[table].shape.coordinates(cell);
            *delta != 0 && !(0..table).any(|earlier| is_in(earlier, &positions))
        });
        changed
    }

    /// For each dimension the node at which a cell lies; a table without a dimension has its total.
    fn nodes(&self, (table, cell): Place) -> Vec<u32> {
        let Explained { definitions, counted, .. } = *self.given;
        let Counted { table: definition, shape, .. } = counted[table];
        let mut nodes = vec![0; definitions.dimensions.len()];
        for ((of, axis), position) in definition.axes.iter().zip(&shape.axes).zip(shape.coordinates(cell)) {
            if let Some((at, _)) = definitions.dimension(&of.dimension) {
                nodes[at] = axis.nodes[position as usize];
            }
        }
        nodes
    }

    /// How far apart two cells lie: the steps between their regions, then those between their other categories.
    fn distance(&self, from: &[u32], to: &[u32]) -> (usize, usize) {
        let (mut regions, mut others) = (0, 0);
        for (dimension, (&from, &to)) in self.given.definitions.dimensions.iter().zip(from.iter().zip(to)) {
            let steps = way(dimension, from, to).len() - 1;
            *(if dimension.role == Role::Geo { &mut regions } else { &mut others }) += steps;
        }
        (regions, others)
    }
}

/// The nodes on the way from one to another: up to the one that holds both, and down again.
fn way(dimension: &Dimension, from: u32, to: u32) -> Vec<u32> {
    let above = |node: u32| dimension.nodes[node as usize].parent.unwrap_or(0);
    let (mut left, mut right) = (from, to);
    let (mut up, mut down) = (vec![from], Vec::new());
    // A node stands before those below it: the later of two is not above the other.
    while left != right {
        if left > right {
            left = above(left);
            up.push(left);
        } else {
            down.push(right);
            right = above(right);
        }
    }
    up.extend(down.into_iter().rev());
    up
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::register::{Definitions, shipped};

    #[test]
    fn a_way_leads_over_what_holds_both() {
        let definitions = Definitions::parse(&shipped(), None).unwrap();
        let (_, ages) = definitions.dimension("age").unwrap();
        let at = |code: &str| ages.positions()[code];
        let leads = |from: &str, to: &str| {
            let nodes = way(ages, at(from), at(to)).into_iter().map(|node| ages.nodes[node as usize].code.as_str());
            nodes.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(leads("Y3", "Y3"), "Y3");
        assert_eq!(leads("Y3", "T"), "Y3 Y0T4 Y0T14 T");
        assert_eq!(leads("T", "Y3"), "T Y0T14 Y0T4 Y3");
        assert_eq!(leads("Y3", "Y5"), "Y3 Y0T4 Y0T14 Y5T9 Y5");
    }
}
