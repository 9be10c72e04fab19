//! What people and households tell of each other, checked for the counts of a world.
//!
//! ```text
//! sum of least x households  <=  members  <=  sum of most x households      at nodes of the shared dimensions
//! heads  <=  people of the same sex, age, ...                               at nodes of the head's dimensions
//! ```

use std::ops::Range;

use crate::{
    register::{Axis, Dimension, HeadPair, Members, MembersLink, Role, Table, Unit},
    worlds::{Census, Counted},
};

/// By how much a cell of a table differs from the true count.
pub type DeltaOf<'d> = dyn Fn(usize, u64) -> i64 + 'd;

/// The inequalities between the units of one census.
#[derive(Debug)]
pub struct LinkChecks {
    members: Vec<MembersCheck>,
    heads: Vec<HeadsCheck>,
}

/// Sizes times households beside people.
#[derive(Debug)]
struct MembersCheck {
    link: usize,
    /// Tables of people.
    people: Vec<(usize, SharedAxes)>,
    /// Tables of households that show all sizes: the axis of sizes, and the position there of each size.
    households: Vec<(usize, SharedAxes, usize, Vec<u32>)>,
    shared: usize,
}

/// For each axis of a table which shared dimension it is.
type SharedAxes = Vec<Option<usize>>;

fn shared_axes(link: &MembersLink, table: &Table) -> SharedAxes {
    table.axes.iter().map(|axis| link.shared.iter().position(|id| *id == axis.dimension)).collect()
}

/// Heads in a table of households beside people in a table of people.
#[derive(Debug)]
struct HeadsCheck {
    households: usize,
    people: usize,
    pairs: Vec<PairCheck>,
}

/// A dimension that both tables have.
#[derive(Debug)]
struct PairCheck {
    /// Axis of heads.
    head: usize,
    /// Axis of people.
    person: usize,
    /// For each position of heads the positions of people that make it up, if there are such.
    made_of: Vec<Option<Vec<u32>>>,
    /// For each position of people the positions of heads that it is part of.
    part_of: Vec<Vec<u32>>,
}

/// A place where sizes of households are compared with people.
pub struct Place<'p> {
    /// Table and cell of the people.
    pub people: (usize, u64),
    /// The table of households.
    pub households: usize,
    /// Its cell of all sizes.
    pub all_sizes: u64,
    /// Its cells of each size, with the members of a household.
    pub sizes: &'p [(u64, Members)],
}

/// A link that does not hold: table and cell of an example.
pub type Broken = (usize, u64);

/// Where what was counted contradicts a link by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradictions {
    /// Position in [`crate::register::Links::members`]; `None`: the heads.
    pub link: Option<usize>,
    /// Places with households where the counts can be compared at all.
    pub compared: usize,
    /// Those where households have more members, or heads, than people live there.
    pub people: Contradicted,
    /// Those where all households together have more members than their sizes allow; nowhere in what is said of heads.
    pub sizes: Contradicted,
}

/// Places that contradict a link. A place is a region, of any level; everything is one place for a link that knows no regions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contradicted {
    /// How many there are.
    pub places: usize,
    /// Codes of one of the finest.
    pub example: Option<String>,
}

/// Compares what was counted with what each link says of it, at all nodes.
pub fn contradictions(census: &Census<'_>) -> Vec<Contradictions> {
    let checks = LinkChecks::new(census);
    let members = checks.members.iter().filter_map(|check| check.contradictions(census));
    members.chain(checks.contradicted_heads(census)).collect()
}

impl LinkChecks {
    /// Finds where the tables of a census are linked.
    pub fn new(census: &Census<'_>) -> Self {
        let tables: Vec<&Counted<'_>> = census.changeable().collect();
        let of_unit = |unit: Unit| (0..tables.len()).filter(|&table| tables[table].table.unit == unit).collect::<Vec<_>>();
        let (people, households) = (of_unit(Unit::Person), of_unit(Unit::Household));
        let members = (0..census.links.members.len()).map(|link| MembersCheck::new(census, link, &tables, &people, &households)).collect();
        let mut heads = Vec::new();
        for &of_heads in &households {
            let of_heads = people.iter().filter_map(|&of_people| HeadsCheck::new(census, &tables, of_heads, of_people));
            let mut of_heads: Vec<HeadsCheck> = of_heads.collect();
            // Those that compare most come first; among them the smallest table.
            of_heads.sort_by_key(|check| (std::cmp::Reverse(check.pairs.len()), tables[check.people].shape.cells, check.people));
            heads.extend(of_heads);
        }
        Self { members, heads }
    }

    /// People outside of counted households in the place of a cell that counts everybody there: so many are known to be there before
    /// anything is published.
    pub fn outside(&self, census: &Census<'_>, table: usize, cell: u64) -> i64 {
        let Some(counted) = census.table(table) else { return 0 };
        let positions = counted.shape.coordinates(cell);
        let of_link = |check: &MembersCheck| {
            check.people.iter().any(|(of, _)| *of == table).then_some(())?;
            let members = check.members(census, &check.nodes(counted, table, &positions)?)?;
            Some(i64::from(counted.counts[cell as usize]) - members)
        };
        self.members.iter().filter_map(of_link).max().unwrap_or(0).max(0)
    }

    /// How many people live outside of counted households at nodes of the dimensions that a link shares, and how many seem to: where a household is
    /// larger than anybody would believe, its members must be somewhere. `None` where that was not counted.
    pub fn outside_at(&self, census: &Census<'_>, link: usize, nodes: &[u32]) -> Option<(i64, i64)> {
        let check = self.members.get(link)?;
        let (people, cell) = check.everybody(census, nodes)?;
        let members = check.members(census, nodes)?;
        let outside = i64::from(census.table(people)?.counts[cell as usize]) - members;
        let beyond = check.room(census, nodes, &|_, _| 0).map_or(0, |room| room.beyond(members));
        Some((outside, outside + beyond))
    }

    /// Visits every place where people are counted and households by size, by the table of households that shows most places.
    pub fn each_place(&self, census: &Census<'_>, visit: &mut dyn FnMut(Place<'_>)) {
        for check in &self.members {
            let places = |(table, shared, ..): &&(usize, SharedAxes, usize, Vec<u32>)| {
                let axes = census.table(*table).map_or(&[][..], |counted| &counted.shape.axes);
                axes.iter().zip(shared).filter(|(_, shared)| shared.is_some()).map(|(axis, _)| axis.nodes.len()).product::<usize>()
            };
            let Some((households, shared, at, positions)) = check.households.iter().max_by_key(places) else { continue };
            let Some(counted) = census.table(*households) else { continue };
            let members = &census.links.members[check.link].members;
            let mut sizes = Vec::new();
            for cell in places_of(counted, shared) {
                let nodes = check.nodes(counted, *households, &counted.shape.coordinates(cell));
                let Some(people) = nodes.and_then(|nodes| check.everybody(census, &nodes)) else { continue };
                sizes.clear();
                let of_size = |(&position, members): (&u32, &Members)| (cell + u64::from(position) * counted.shape.strides[*at], *members);
                sizes.extend(positions.iter().zip(members).map(of_size));
                visit(Place { people, households: *households, all_sizes: cell, sizes: &sizes });
            }
        }
    }

    /// The first link that a world breaks; `changed` are all cells of all tables that it changes. `unaware`: to those who do not know how many
    /// people live outside of counted households.
    pub fn broken(&self, census: &Census<'_>, changed: &[(usize, Vec<(u64, i64)>)], delta: &DeltaOf<'_>, unaware: bool) -> Option<Broken> {
        let mut at_nodes = Vec::new();
        for (table, cells) in changed {
            for &(cell, _) in cells {
                let Some(counted) = census.table(*table) else { continue };
                let positions = counted.shape.coordinates(cell);
                for (at, check) in self.members.iter().enumerate() {
                    at_nodes.extend(check.nodes(counted, *table, &positions).map(|nodes| (at, nodes, (*table, cell))));
                }
                let mut known = None;
                for check in &self.heads {
                    let holds = if check.households == *table {
                        // Once for each table of households: the others say the same of the same people.
                        if known == Some(check.households) {
                            continue;
                        }
                        let holds = check.holds_for_heads(census, &positions, delta);
                        known = holds.map(|_| check.households).or(known);
                        holds
                    } else if check.people == *table {
                        check.holds_for_people(census, &positions, delta)
                    } else {
                        None
                    };
                    if holds == Some(false) {
                        return Some((*table, cell));
                    }
                }
            }
        }
        at_nodes.sort_unstable();
        at_nodes.dedup_by(|next, kept| (next.0, &next.1) == (kept.0, &kept.1));
        at_nodes
            .into_iter()
            .find(|(at, nodes, _)| self.members[*at].holds(census, nodes, delta, unaware) == Some(false))
            .map(|(.., broken)| broken)
    }

    /// Where more households have heads of a kind than there are people of that kind.
    fn contradicted_heads(&self, census: &Census<'_>) -> Option<Contradictions> {
        let axes = |check: &HeadsCheck| positions(census, census.table(check.households)?.table.axes.iter().map(|axis| &axis.dimension));
        let first = axes(self.heads.first()?)?;
        let (mut compared, mut people) = (Places::new(census.dimensions, &first), Places::new(census.dimensions, &first));
        // What one table of people can tell the others need not.
        for checks in self.heads.chunk_by(|one, other| one.households == other.households) {
            let (counted, axes) = (census.table(checks[0].households)?, axes(&checks[0])?);
            for (cell, _) in (0u64..).zip(counted.counts).filter(|(_, heads)| **heads > 0) {
                let at = counted.shape.coordinates(cell);
                let Some(holds) = checks.iter().find_map(|check| check.holds_for_heads(census, &at, &|_, _| 0)) else { continue };
                let nodes = counted.shape.axes.iter().zip(&at).map(|(axis, &position)| axis.nodes[position as usize]);
                let place: Vec<(usize, u32)> = axes.iter().copied().zip(nodes).collect();
                compared.mark(&place);
                if !holds {
                    people.mark(&place);
                }
            }
        }
        Some(Contradictions { link: None, compared: compared.found.places, people: people.found, sizes: Contradicted::default() })
    }
}

/// Positions of dimensions, if all are there.
fn positions<'i>(census: &Census<'_>, ids: impl Iterator<Item = &'i String>) -> Option<Vec<usize>> {
    ids.map(|id| census.dimensions.iter().position(|dimension| dimension.id == *id)).collect()
}

/// Places that are marked, each counted once however many of its cells are.
struct Places<'d> {
    dimensions: &'d [Dimension],
    /// Position of the dimension whose nodes are the places.
    regions: Option<usize>,
    is_marked: Vec<bool>,
    /// Level of the example.
    level: u8,
    found: Contradicted,
}

impl<'d> Places<'d> {
    /// Of cells that have nodes of these dimensions.
    fn new(dimensions: &'d [Dimension], of_cells: &[usize]) -> Self {
        let regions = of_cells.iter().copied().find(|&at| dimensions[at].role == Role::Geo);
        let is_marked = vec![false; regions.map_or(1, |at| dimensions[at].nodes.len())];
        Self { dimensions, regions, is_marked, level: 0, found: Contradicted::default() }
    }

    /// Marks the place of a cell, given its nodes by dimension.
    fn mark(&mut self, nodes: &[(usize, u32)]) {
        let is_region = |dimension: usize| self.regions == Some(dimension);
        let place = nodes.iter().find(|(dimension, _)| is_region(*dimension)).map_or(0, |(_, node)| *node);
        let level = self.regions.map_or(0, |at| self.dimensions[at].nodes[place as usize].level);
        if std::mem::replace(&mut self.is_marked[place as usize], true) {
            return;
        }
        self.found.places += 1;
        if self.found.example.is_none() || level > self.level {
            // Totals say nothing, unless there is nothing else.
            let is_total = nodes.iter().all(|(_, node)| *node == 0);
            let named = nodes.iter().filter(|(dimension, node)| *node > 0 || is_total || self.regions == Some(*dimension));
            let codes = named.map(|(dimension, node)| self.dimensions[*dimension].nodes[*node as usize].code.as_str());
            self.found.example = Some(codes.collect::<Vec<_>>().join("/"));
            self.level = level;
        }
    }
}

impl MembersCheck {
    fn new(census: &Census<'_>, link: usize, tables: &[&Counted<'_>], people: &[usize], households: &[usize]) -> Self {
        let of_link = &census.links.members[link];
        let shared = |table: usize| shared_axes(of_link, tables[table].table);
        let sizes = |table: usize| {
            let at = tables[table].table.axes.iter().position(|axis| axis.dimension == of_link.size)?;
            let axis = &tables[table].shape.axes[at];
            // Each base leaf has a position of its own only where the table shows all sizes.
            let positions: Vec<u32> = axis.base_to_leaf.iter().map(|&leaf| axis.leaves[leaf as usize]).collect();
            let is_whole = positions.windows(2).all(|pair| pair[0] != pair[1]) && positions.len() == of_link.members.len();
            is_whole.then_some((at, positions))
        };
        Self {
            link,
            people: people.iter().map(|&table| (table, shared(table))).collect(),
            households: households.iter().filter_map(|&table| sizes(table).map(|(at, sizes)| (table, shared(table), at, sizes))).collect(),
            shared: of_link.shared.len(),
        }
    }

    /// Goes over all nodes at which members were counted.
    fn contradictions(&self, census: &Census<'_>) -> Option<Contradictions> {
        let counted = census.members.get(self.link)?;
        let link = &census.links.members[self.link];
        let own = shared_axes(link, counted.table);
        let shared = positions(census, link.shared.iter())?;
        let places = || Places::new(census.dimensions, &shared);
        let (mut compared, mut people, mut sizes) = (places(), places(), places());
        for (cell, &members) in (0u64..).zip(counted.counts).filter(|(_, members)| **members > 0) {
            let mut nodes = vec![0; self.shared];
            for ((axis, position), shared) in counted.shape.axes.iter().zip(counted.shape.coordinates(cell)).zip(&own) {
                if let Some(shared) = *shared {
                    nodes[shared] = axis.nodes[position as usize];
                }
            }
            let place: Vec<(usize, u32)> = shared.iter().copied().zip(nodes.iter().copied()).collect();
            let everybody = self.everybody(census, &nodes).and_then(|(table, cell)| Some(census.table(table)?.counts[cell as usize]));
            let most = self.room(census, &nodes, &|_, _| 0).and_then(|room| room.true_most);
            if everybody.is_some() || most.is_some() {
                compared.mark(&place);
            }
            if everybody.is_some_and(|everybody| members > everybody) {
                people.mark(&place);
            }
            if most.is_some_and(|most| i64::from(members) > most) {
                sizes.mark(&place);
            }
        }
        Some(Contradictions { link: Some(self.link), compared: compared.found.places, people: people.found, sizes: sizes.found })
    }

    /// The nodes of the shared dimensions at which a cell counts in this link; `None` if it does not.
    fn nodes(&self, counted: &Counted<'_>, table: usize, positions: &[u32]) -> Option<Vec<u32>> {
        let people = self.people.iter().find(|(of, _)| *of == table).map(|(_, shared)| (shared, None));
        let households = || self.households.iter().find(|(of, ..)| *of == table).map(|(_, shared, at, sizes)| (shared, Some((*at, sizes))));
        let (shared, sizes) = people.or_else(households)?;
        let mut nodes = vec![0; self.shared];
        for (at, (&position, shared)) in positions.iter().zip(shared).enumerate() {
            match (shared, sizes) {
                (Some(shared), _) => nodes[*shared] = counted.shape.axes[at].nodes[position as usize],
                (None, Some((of_sizes, sizes))) if of_sizes == at && sizes.contains(&position) => {}
                (None, _) if position == 0 => {}
                _ => return None,
            }
        }
        Some(nodes)
    }

    /// Members of counted households at these nodes.
    fn members(&self, census: &Census<'_>, nodes: &[u32]) -> Option<i64> {
        let counted = census.members.get(self.link)?;
        let link = &census.links.members[self.link];
        let own = shared_axes(link, counted.table);
        counted.counts.get(cell_at(counted, &own, nodes)? as usize).map(|&members| i64::from(members))
    }

    /// The cell that counts everybody at these nodes.
    fn everybody(&self, census: &Census<'_>, nodes: &[u32]) -> Option<(usize, u64)> {
        self.people.iter().find_map(|(table, shared)| Some((*table, cell_at(census.table(*table)?, shared, nodes)?)))
    }

    /// What the households at these nodes hold; `None` where their sizes were not counted.
    fn room(&self, census: &Census<'_>, nodes: &[u32], delta: &DeltaOf<'_>) -> Option<Room> {
        let (households, first, at, sizes) = self
            .households
            .iter()
            .find_map(|(table, shared, at, sizes)| Some((*table, cell_at(census.table(*table)?, shared, nodes)?, *at, sizes)))?;
        let of_sizes = census.table(households)?;
        let mut room = Room { least: 0, most: Some(0), true_most: Some(0) };
        for (members, &position) in census.links.members[self.link].members.iter().zip(sizes) {
            let cell = first + u64::from(position) * of_sizes.shape.strides[at];
            let before = i64::from(of_sizes.counts[cell as usize]);
            let now = before + delta(households, cell);
            room.least += i64::from(members.least) * now;
            let add = |sum: Option<i64>, households: i64| match members.most {
                Some(most) => sum.map(|sum| sum + i64::from(most) * households),
                None if households > 0 => None,
                None => sum,
            };
            (room.most, room.true_most) = (add(room.most, now), add(room.true_most, before));
        }
        Some(room)
    }

    /// Whether people and households fit each other at these nodes; `None` where one of them is not counted there.
    fn holds(&self, census: &Census<'_>, nodes: &[u32], delta: &DeltaOf<'_>, unaware: bool) -> Option<bool> {
        let (people, cell) = self.everybody(census, nodes)?;
        let room = self.room(census, nodes, delta)?;
        let members = self.members(census, nodes)?;
        if unaware {
            // Whoever is there may be a member, and whoever the households lack may not be one.
            let everybody = i64::from(census.table(people)?.counts[cell as usize]) + delta(people, cell);
            return Some(room.least <= everybody);
        }
        let now = members + delta(people, cell);
        Some(room.least <= now && room.most.is_none_or(|most| now <= most + room.beyond(members)))
    }
}

/// Fewest and most members that households of these sizes hold; `None`: any number.
struct Room {
    least: i64,
    most: Option<i64>,
    /// The most that those hold who were counted.
    true_most: Option<i64>,
}

impl Room {
    /// Members whom those who were counted cannot hold: where a household is larger than anybody would believe, what there is must be believed.
    fn beyond(&self, members: i64) -> i64 {
        self.true_most.map_or(0, |most| (members - most).max(0))
    }
}

/// The cells of a table at all nodes of its shared axes, all others at their totals.
fn places_of(counted: &Counted<'_>, shared: &[Option<usize>]) -> Vec<u64> {
    let mut cells = vec![0];
    for ((axis, stride), _) in counted.shape.axes.iter().zip(&counted.shape.strides).zip(shared).filter(|(_, shared)| shared.is_some()) {
        cells = cells.iter().flat_map(|cell| (0..axis.nodes.len() as u64).map(move |position| cell + position * stride)).collect();
    }
    cells
}

/// The cell of a table at nodes of shared dimensions, all others at their totals.
fn cell_at(counted: &Counted<'_>, shared: &[Option<usize>], nodes: &[u32]) -> Option<u64> {
    let mut cell = 0;
    let mut used = vec![false; nodes.len()];
    for ((axis, stride), shared) in counted.shape.axes.iter().zip(&counted.shape.strides).zip(shared) {
        if let Some(shared) = *shared {
            cell += axis.nodes.binary_search(&nodes[shared]).ok()? as u64 * stride;
            used[shared] = true;
        }
    }
    nodes.iter().zip(used).all(|(&node, used)| used || node == 0).then_some(cell)
}

impl HeadsCheck {
    fn new(census: &Census<'_>, tables: &[&Counted<'_>], households: usize, people: usize) -> Option<Self> {
        let axis_of = |table: usize, id: &str| tables[table].table.axes.iter().position(|axis| axis.dimension == id);
        let pair = |pair: &HeadPair| {
            let (head, person) = (axis_of(households, &pair.head)?, axis_of(people, &pair.person)?);
            let (heads, persons) = (&tables[households].shape.axes[head], &tables[people].shape.axes[person]);
            let made_of: Vec<Option<Vec<u32>>> = if pair.head == pair.person {
                heads.nodes.iter().map(|node| persons.nodes.binary_search(node).ok().map(|at| vec![at as u32])).collect()
            } else {
                heads.bases.iter().map(|bases| cover(persons, bases, &pair.classes)).collect()
            };
            let mut part_of = vec![Vec::new(); persons.nodes.len()];
            for (at, positions) in (0u32..).zip(&made_of) {
                positions.iter().flatten().for_each(|&position| part_of[position as usize].push(at));
            }
            Some(PairCheck { head, person, made_of, part_of })
        };
        let pairs: Vec<PairCheck> = census.links.heads.iter().filter_map(pair).collect();
        (!pairs.is_empty()).then_some(Self { households, people, pairs })
    }

    /// Whether the heads at these positions of their table are people; `None` where nobody can tell.
    fn holds_for_heads(&self, census: &Census<'_>, positions: &[u32], delta: &DeltaOf<'_>) -> Option<bool> {
        let is_paired = |axis: usize| self.pairs.iter().any(|pair| pair.head == axis);
        if positions.iter().enumerate().any(|(axis, &position)| position != 0 && !is_paired(axis)) {
            return None;
        }
        self.holds(census, positions, delta)
    }

    /// Whether all heads that a cell of people is part of are people.
    fn holds_for_people(&self, census: &Census<'_>, positions: &[u32], delta: &DeltaOf<'_>) -> Option<bool> {
        let is_paired = |axis: usize| self.pairs.iter().any(|pair| pair.person == axis);
        if positions.iter().enumerate().any(|(axis, &position)| position != 0 && !is_paired(axis)) {
            return None;
        }
        let mut heads = vec![vec![0; census.table(self.households)?.shape.axes.len()]];
        for pair in &self.pairs {
            let found = &pair.part_of[positions[pair.person] as usize];
            heads = heads
                .iter()
                .flat_map(|positions| {
                    found.iter().map(move |&at| {
                        let mut positions = positions.clone();
                        positions[pair.head] = at;
                        positions
                    })
                })
                .collect();
        }
        let mut all = None;
        for positions in heads {
            all = all.max(self.holds(census, &positions, delta).map(|holds| !holds));
        }
        all.map(|broken| !broken)
    }

    fn holds(&self, census: &Census<'_>, positions: &[u32], delta: &DeltaOf<'_>) -> Option<bool> {
        let (of_heads, of_people) = (census.table(self.households)?, census.table(self.people)?);
        let mut heads = 0;
        let mut persons = vec![0u64];
        for (axis, &position) in positions.iter().enumerate() {
            heads += u64::from(position) * of_heads.shape.strides[axis];
        }
        for pair in &self.pairs {
            let made_of = pair.made_of[positions[pair.head] as usize].as_ref()?;
            let stride = of_people.shape.strides[pair.person];
            persons = persons.iter().flat_map(|cell| made_of.iter().map(move |&at| cell + u64::from(at) * stride)).collect();
        }
        let count = |counted: &Counted<'_>, table: usize, cell: u64| i64::from(counted.counts[cell as usize]) + delta(table, cell);
        let persons: i64 = persons.into_iter().map(|cell| count(of_people, self.people, cell)).sum();
        Some(count(of_heads, self.households, heads) <= persons)
    }
}

/// The fewest positions of an axis of people that hold just the base leaves which are of these classes of heads.
fn cover(axis: &Axis, heads: &Range<u32>, classes: &[u32]) -> Option<Vec<u32>> {
    let is_wanted = |base: u32| heads.contains(&classes[base as usize]);
    let wanted = (0..classes.len() as u32).filter(|&base| is_wanted(base)).count();
    let is_within: Vec<bool> = axis.bases.iter().map(|bases| !bases.is_empty() && bases.clone().all(is_wanted)).collect();
    let outermost = (0..axis.nodes.len()).filter(|&at| is_within[at] && axis.parents[at].is_none_or(|parent| !is_within[parent as usize]));
    let found: Vec<u32> = outermost.map(|at| at as u32).collect();
    let held: usize = found.iter().map(|&at| axis.bases[at as usize].len()).sum();
    (held == wanted).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cube::rollup,
        register::{Contents, Label, Level, Links, Members, MembersLink, Node, Shape, Table, TableAxis, ZeroMask, member_tables},
    };

    fn dimension(id: &str, role: Role, codes: &[&str]) -> Dimension {
        let node = |code: &str, parent: Option<u32>| Node {
            code: code.into(),
            label: Label::same(code),
            parent,
            level: u8::from(parent.is_some()),
            official: None,
            area: None,
        };
        Dimension {
            id: id.into(),
            variable: id.into(),
            label: Label::same(id),
            role,
            sensitive: false,
            levels: ["total", id].map(|level| Level { id: level.into(), label: Label::same(level) }).into(),
            nodes: [node("T", None)].into_iter().chain(codes.iter().map(|code| node(code, Some(0)))).collect(),
            groupings: Vec::new(),
        }
    }

    fn table(id: &str, unit: Unit, axes: &[&str]) -> Table {
        let nothing = || Label::same("");
        Table {
            id: id.into(),
            label: nothing(),
            description: nothing(),
            subject: nothing(),
            unit,
            contents: Contents { code: String::new(), label: nothing(), unit: nothing() },
            axes: axes.iter().map(|axis| TableAxis { dimension: (*axis).into(), level: (*axis).into() }).collect(),
            notes: Vec::new(),
        }
    }

    /// Three villages: `a` has 10 households of two whose heads are men, `b` 5 women who live alone, `c` a household of five whose head is a man.
    /// People are given by village and sex.
    fn found(shared: &[&str], largest: u32, people: [u32; 6]) -> Vec<Contradictions> {
        let dimensions = [
            dimension("region", Role::Geo, &["a", "b", "c"]),
            dimension("sex", Role::Classification, &["m", "f"]),
            dimension("size", Role::Classification, &["1", "2", "GE3"]),
        ];
        let tables = [table("people", Unit::Person, &["region", "sex"]), table("homes", Unit::Household, &["region", "sex", "size"])];
        let homes = vec![0, 10, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 1, 0, 0, 0];
        let members = match shared {
            ["region", "sex"] => vec![20, 0, 0, 5, 5, 0],
            ["region"] => vec![20, 5, 5],
            _ => vec![25, 5],
        };
        let size = |least: u32, most: u32| Members { least, most: Some(most) };
        let pair = |id: &str| HeadPair { head: id.into(), person: id.into(), classes: Vec::new() };
        let links = Links {
            members: vec![MembersLink {
                size: "size".into(),
                shared: shared.iter().map(|id| (*id).to_owned()).collect(),
                members: vec![size(1, 1), size(2, 2), size(3, largest)],
            }],
            heads: vec![pair("region"), pair("sex")],
        };
        let of_members = member_tables(&links, &tables, &dimensions);
        let all: Vec<(&Table, Shape, Vec<u32>)> = tables
            .iter()
            .chain(&of_members)
            .zip([people.to_vec(), homes, members])
            .map(|(table, leaves)| {
                let shape = Shape::new(table, &dimensions).unwrap();
                let counts = rollup(&shape, &leaves);
                (table, shape, counts)
            })
            .collect();
        let zeros: Vec<ZeroMask> = all.iter().map(|(table, shape, _)| ZeroMask::new(table, shape, &[])).collect();
        let counted: Vec<Counted<'_>> =
            all.iter().zip(&zeros).map(|((table, shape, counts), zeros)| Counted { table, shape, zeros, counts, few: &[] }).collect();
        let (tables, members) = counted.split_at(2);
        contradictions(&Census { tables, joint: &[], members, links: &links, dimensions: &dimensions })
    }

    fn places(places: usize, example: &str) -> Contradicted {
        Contradicted { places, example: Some(example.into()) }
    }

    #[test]
    fn what_the_counts_contradict_is_found() {
        let people = [10, 10, 0, 5, 3, 2];
        let nowhere = Contradicted::default();
        let of_link = |people: Contradicted, sizes: Contradicted| Contradictions { link: Some(0), compared: 4, people, sizes };
        let heads = Contradictions { link: None, compared: 4, people: nowhere.clone(), sizes: nowhere.clone() };
        assert_eq!(found(&["region"], 5, people), [of_link(nowhere.clone(), nowhere.clone()), heads.clone()]);
        // The women of `a` and `c` do not live where men do who are heads.
        assert_eq!(found(&["region", "sex"], 5, people), [of_link(places(3, "a/m"), nowhere.clone()), heads.clone()]);
        // A household of five, and nobody believes in more than four.
        assert_eq!(found(&["region"], 4, people), [of_link(nowhere.clone(), places(2, "c")), heads.clone()]);
        // Whoever knows no regions has one place.
        let everywhere = Contradictions { compared: 1, ..of_link(places(1, "m"), nowhere.clone()) };
        assert_eq!(found(&["sex"], 5, people), [everywhere, heads.clone()]);
        // A woman who lives alone in `b` was not counted.
        let missing = found(&["region"], 5, [10, 10, 0, 4, 3, 2]);
        assert_eq!(missing[0], of_link(places(2, "b"), nowhere.clone()));
        assert_eq!(missing[1], Contradictions { people: places(1, "b"), ..heads });
    }
}
