//! The last resort: a world with some records more or fewer.
//!
//! Where no exchange within the tables can move a cell, whole records can: adding one changes a finest cell of every
//! table of its unit and everything above it, so the totals are withheld too. Where people and households then no longer fit each
//! other, further records make up for it: a household for a person who has none, a person for a household that lacks one,
//! a household of three that becomes one of four. It always works where nothing is published yet: nothing stands against
//! another household with its people, except where all combinations are structural zeros, and for taking one away there is at
//! least the one that is counted.
//!
//! Before that comes a *move*: what is added in one place is taken away in another, record for record, so that nothing changes in the nearest region
//! that holds both, nor above it.

use super::{
    family::{Family, IMPOSSIBLE, Overlay},
    frame::{Frame, Kind, NONE, Tree},
    plan::Target,
    revisions::Way,
};
use crate::register::Unit;

/// Steps by which a world is mended at most, for each record that is wanted: few are tried before many.
const MOST_STEPS: [usize; 4] = [2, 5, 10, 24];
/// Records that are tried at most, for each that is wanted.
const MOST_TRIALS: usize = 1000;
/// The same where records move, for each two places.
const MOST_TRIALS_OF_MOVES: usize = 100;
/// Other places that are tried at most within one region, spread over it.
const MOST_PLACES: usize = 24;
/// Places to move something to that are tried at most, where the target is no place itself.
const MOST_OWN_PLACES: usize = 4;

/// A record that is added or taken away: its node in every dimension.
#[derive(Debug, Clone)]
struct Record {
    unit: Unit,
    nodes: Vec<u32>,
    change: i32,
}

/// What may mend a world.
enum Step {
    /// One more or one fewer record at or below some nodes.
    Record(Record),
    /// A household at or below some nodes gets another size.
    Resize { household: Record, dimension: usize, size: u32 },
}

/// Adds or takes away records until the target has changed as wanted; `false` if that cannot be, with the overlay to be thrown
/// away. Only for the family of the whole tree.
pub fn change(family: &Family<'_>, overlay: &mut Overlay, target: &Target, way: Way) -> bool {
    let mut trials = usize::MAX;
    World::new(family, overlay, target, way, None).change(MOST_TRIALS, &mut trials)
}

/// Moves records from or to other places of a region, one that holds the target, until the target has changed as wanted. Of all moves that are found the
/// one that newly suppresses least, or `None`. `trials` are how many records may be tried still, in all.
pub fn moves(
    family: &Family<'_>,
    overlay: &mut Overlay,
    target: &Target,
    way: Way,
    within: u32,
    trials: &mut usize,
) -> Option<Vec<(u32, i32)>> {
    let tree = family.frame.spine_tree();
    let finest = family.frame.finest;
    let (mut own, mut all) = (Vec::new(), Vec::new());
    tree.leaves(target.node, finest, &mut own);
    tree.leaves(within, finest, &mut all);
    all.retain(|&place| !tree.is_within(place, target.node));
    let mut best: Option<(u32, Vec<(u32, i32)>)> = None;
    for &here in spread(&own, MOST_OWN_PLACES) {
        for &there in spread(&all, MOST_PLACES) {
            let is_done = World::new(family, overlay, target, way, Some(Pair::new(tree, here, there))).change(MOST_TRIALS_OF_MOVES, trials);
            let changes = overlay.take();
            if is_done {
                let price = family.price_of_new(&changes);
                if best.as_ref().is_none_or(|(least, _)| price < *least) {
                    best = Some((price, changes));
                }
            }
        }
    }
    best.map(|(_, changes)| changes)
}

/// Some of many, as far from each other as may be.
fn spread(all: &[u32], most: usize) -> impl Iterator<Item = &u32> {
    let step = all.len().div_ceil(most).max(1);
    all.iter().step_by(step)
}

/// Two places between which records move.
#[derive(Debug, Clone, Copy)]
struct Pair {
    places: [u32; 2],
    /// The nearest region that holds both: from there up nothing changes.
    apex: u32,
}

impl Pair {
    fn new(tree: &Tree, here: u32, there: u32) -> Self {
        Self { places: [here, there], apex: tree.parent[tree.last_without(here, there) as usize] }
    }
}

/// What is to be done once a record is placed; `false`: it leads nowhere.
type Then<'t, 'w, 'f, 'a> = dyn FnMut(&mut World<'w, 'f, 'a>, &Record) -> bool + 't;

struct World<'w, 'f, 'a> {
    family: &'f Family<'a>,
    overlay: &'w mut Overlay,
    way: Way,
    /// Where records move, if they do no more than that.
    pair: Option<Pair>,
    /// Changes so far, to be taken back where they lead nowhere.
    changes: Vec<(u32, i32)>,
    /// The cell that is to change, and by how much.
    target: (u32, i32),
    /// What changes it.
    wanted: Record,
    /// By how much it has changed, of which nothing may be lost.
    reached: i32,
    /// Steps that may still be tried.
    trials: usize,
}

impl<'w, 'f, 'a> World<'w, 'f, 'a> {
    fn new(family: &'f Family<'a>, overlay: &'w mut Overlay, target: &Target, way: Way, pair: Option<Pair>) -> Self {
        let mut nodes = target.nodes.clone();
        nodes[family.frame.spine] = target.node;
        let wanted = Record { unit: family.frame.tables[target.place.table].unit, nodes, change: target.delta.signum() };
        let target = (family.number(target.place), target.delta);
        Self { family, overlay, way, pair, changes: Vec::new(), target, wanted, reached: 0, trials: 0 }
    }

    /// Changes the target as wanted, with so many trials for each record that is wanted, and no more than there are left in all.
    fn change(&mut self, trials: usize, left: &mut usize) -> bool {
        let wanted = self.wanted.clone();
        MOST_STEPS.iter().any(|&steps| {
            let most = (trials * self.target.1.unsigned_abs() as usize).min(*left);
            self.trials = most;
            let is_reached = self.reach(&wanted, steps);
            *left -= most - self.trials;
            is_reached
        })
    }

    fn frame(&self) -> &'a Frame<'a> {
        self.family.frame
    }

    /// Changes record after record until the target has changed as wanted, another one where those after it find none.
    fn reach(&mut self, wanted: &Record, steps: usize) -> bool {
        let now = self.overlay.get(self.target.0).abs();
        if now >= self.target.1.abs() {
            return true;
        }
        let before = std::mem::replace(&mut self.reached, now + 1);
        let is_reached = self.place_below(wanted, &mut |world, _| world.mend(steps) && world.reach(wanted, steps));
        if !is_reached {
            self.reached = before;
        }
        is_reached
    }

    fn left(&self, number: u32) -> i32 {
        self.family.spare(number, self.way) + self.overlay.get(number)
    }

    fn take_back(&mut self, length: usize) {
        while self.changes.len() > length {
            if let Some((number, change)) = self.changes.pop() {
                self.overlay.add(number, -change);
            }
        }
    }

    /// Adds a record somewhere at or below its nodes, where what follows succeeds.
    fn place_below(&mut self, record: &Record, then: &mut Then<'_, 'w, 'f, 'a>) -> bool {
        let Some(Pair { places, .. }) = self.pair else { return self.is_possible(record) && self.descend(&mut record.clone(), then) };
        let spine = self.frame().spine;
        let is_below = |place: &u32| self.family.frame.spine_tree().is_within(*place, record.nodes[spine]);
        places.into_iter().filter(is_below).any(|place| {
            let mut record = record.clone();
            record.nodes[spine] = place;
            self.is_possible(&record) && self.descend(&mut record, then)
        })
    }

    /// What is taken away in the other place where a record is added in one, or the other way round.
    fn mirror(&self, record: &Record) -> Option<Record> {
        let [here, there] = self.pair?.places;
        let mut mirror = Record { change: -record.change, ..record.clone() };
        let node = &mut mirror.nodes[self.frame().spine];
        *node = if *node == here { there } else { here };
        Some(mirror)
    }

    /// Goes down from node to node until all dimensions are at leaves, back where that leads nowhere.
    fn descend(&mut self, record: &mut Record, then: &mut Then<'_, 'w, 'f, 'a>) -> bool {
        let frame = self.frame();
        let is_inner = |dimension: &usize| !frame.trees[*dimension].children[record.nodes[*dimension] as usize].is_empty();
        let Some(dimension) = (0..record.nodes.len()).filter(|dimension| self.matters(record.unit, *dimension)).find(is_inner) else {
            let length = self.changes.len();
            self.trials = self.trials.saturating_sub(1);
            let is_done = self.place(record) && then(self, record);
            if !is_done {
                self.take_back(length);
            }
            return is_done;
        };
        let node = record.nodes[dimension];
        for &child in &frame.trees[dimension].children[node as usize] {
            record.nodes[dimension] = child;
            if self.trials > 0 && self.is_possible(record) && self.descend(record, then) {
                return true;
            }
        }
        record.nodes[dimension] = node;
        false
    }

    /// Whether records of a unit have anything to say in a dimension.
    fn matters(&self, unit: Unit, dimension: usize) -> bool {
        dimension == self.frame().spine
            || self.frame().tables.iter().any(|layout| layout.axes_for(unit).is_some_and(|axes| axes[dimension].is_some()))
    }

    /// Whether a record would take back from the target what must not be lost.
    fn undoes(&self, record: &Record) -> bool {
        let trees = &self.frame().trees;
        let within = || record.nodes.iter().zip(&self.wanted.nodes).zip(trees).all(|((&node, &of), tree)| tree.is_within(node, of));
        record.unit == self.wanted.unit
            && record.change != self.wanted.change
            && self.overlay.get(self.target.0).abs() <= self.reached
            && within()
    }

    /// Whether the finest cells at or above the record's nodes could change with it.
    fn is_possible(&self, record: &Record) -> bool {
        self.may_change(record) && self.mirror(record).is_none_or(|mirror| self.may_change(&mirror))
    }

    fn may_change(&self, record: &Record) -> bool {
        if self.undoes(record) {
            return false;
        }
        let tables = (0..self.frame().tables.len()).filter(|&table| {
            let layout = &self.frame().tables[table];
            layout.kind != Kind::Link && layout.unit == record.unit
        });
        tables.filter_map(|table| self.nearest(table, &record.nodes)).all(|number| {
            self.family.mark(number) & IMPOSSIBLE == 0 && self.left(number) + record.change >= 0 && !self.family.is_locked(number, self.way)
        })
    }

    /// The finest cell of a table at or above these nodes.
    fn nearest(&self, table: usize, nodes: &[u32]) -> Option<u32> {
        let frame = self.frame();
        let layout = &frame.tables[table];
        let mut inner = 0;
        for (dimension, &node) in nodes.iter().enumerate() {
            if let Some(axis) = &layout.axes()[dimension] {
                let mut node = node;
                while axis.position[node as usize] == NONE {
                    node = frame.trees[dimension].parent[node as usize];
                }
                inner += axis.position[node as usize] * axis.stride;
            }
        }
        let mut node = nodes[frame.spine];
        while layout.row[node as usize] == NONE {
            node = frame.spine_tree().parent[node as usize];
        }
        if self.pair.is_some_and(|pair| node <= pair.apex) {
            return None;
        }
        let start = self.family.starts[table][(node - self.family.top) as usize];
        (start != NONE).then(|| self.family.slices[table].base + start + inner)
    }

    /// Adds a record whose nodes are leaves, to every cell that holds it, and takes away what it is exchanged for.
    fn place(&mut self, record: &Record) -> bool {
        let length = self.changes.len();
        let mirrored = self.mirror(record).map(|mirror| self.cells(&mirror));
        for (number, change) in self.cells(record).into_iter().chain(mirrored.into_iter().flatten()) {
            self.overlay.add(number, change);
            self.changes.push((number, change));
            let is_room = self.frame().tables[self.family.locate(number).0].kind == Kind::Link;
            let is_sound = self.family.mark(number) & IMPOSSIBLE == 0 && !self.family.is_locked(number, self.way) && self.left(number) >= 0;
            if !is_room && !is_sound {
                self.take_back(length);
                return false;
            }
        }
        true
    }

    /// All cells that a record changes.
    fn cells(&self, record: &Record) -> Vec<(u32, i32)> {
        let frame = self.frame();
        let mut found = Vec::new();
        for (table, layout) in frame.tables.iter().enumerate() {
            let Some(view) = &layout.views[record.unit as usize] else { continue };
            let mut cells = vec![(0u32, record.change * view.sign)];
            for (dimension, &leaf) in record.nodes.iter().enumerate() {
                let Some(axis) = &view.axes[dimension] else { continue };
                let tree = &frame.trees[dimension];
                let above = std::iter::successors(Some(leaf), |&node| Some(tree.parent[node as usize]).filter(|&parent| parent != NONE));
                let steps: Vec<(u32, i32)> = above.filter_map(|node| axis.step(node)).collect();
                cells = cells
                    .iter()
                    .flat_map(|&(cell, change)| steps.iter().map(move |&(step, times)| (cell + step, change * times)))
                    .collect();
            }
            let mut node = record.nodes[frame.spine];
            let end = self.pair.map_or(NONE, |pair| pair.apex);
            while node != end {
                let start = self.family.starts[table][(node - self.family.top) as usize];
                if start != NONE {
                    found.extend(cells.iter().map(|&(cell, change)| (self.family.slices[table].base + start + cell, change)));
                }
                node = frame.spine_tree().parent[node as usize];
            }
        }
        found
    }

    /// Makes people and households fit each other again.
    fn mend(&mut self, steps: usize) -> bool {
        let is_room = |number: u32| self.frame().tables[self.family.locate(number).0].kind == Kind::Link;
        let lacking = self.changes.iter().map(|(number, _)| *number).filter(|&number| is_room(number) && self.left(number) < 0);
        // Heads stand behind rooms, and say more of who is lacking: somebody of their sex and age makes up for any member.
        let Some(number) = lacking.max() else { return true };
        if steps == 0 {
            return false;
        }
        let before = self.left(number);
        let mut go_on = |world: &mut Self, _: &Record| {
            let is_kept = world.overlay.get(world.target.0) * world.target.1.signum() >= world.reached;
            is_kept && world.left(number) > before && world.mend(steps - 1)
        };
        for step in self.steps(number) {
            if self.trials == 0 {
                return false;
            }
            let is_mended = match step {
                Step::Record(record) => self.place_below(&record, &mut go_on),
                Step::Resize { household, dimension, size } => self.place_below(&household, &mut |world, taken| {
                    let mut resized = taken.clone();
                    resized.nodes[dimension] = size;
                    resized.change = -resized.change;
                    world.place(&resized) && go_on(world, &resized)
                }),
            };
            if is_mended {
                return true;
            }
        }
        false
    }

    /// What could give more room in a cell of a link.
    fn steps(&self, number: u32) -> Vec<Step> {
        let frame = self.frame();
        let (table, index) = self.family.locate(number);
        let layout = &frame.tables[table];
        let spine_node = layout.spine_nodes[self.family.slices[table].first_row + index / layout.inner];
        let inner = index % layout.inner;
        let mut steps = Vec::new();
        for unit in [Unit::Person, Unit::Household] {
            let Some(view) = &layout.views[unit as usize] else { continue };
            // The nodes that make up the cell, all combinations of them.
            let mut starts = vec![vec![0; frame.trees.len()]];
            starts[0][frame.spine] = spine_node;
            let mut sizes: Option<(usize, Vec<(u32, i32)>)> = None;
            for (dimension, axis) in view.axes.iter().enumerate() {
                let Some(axis) = axis else { continue };
                let nodes = (0u32..).zip(&axis.position).filter(|(_, position)| **position != NONE);
                if let Some(weights) = &axis.weights {
                    sizes = Some((dimension, nodes.map(|(node, _)| (node, weights[node as usize])).collect()));
                    continue;
                }
                let count = axis.position.iter().filter(|position| **position != NONE).max().map_or(1, |most| most + 1);
                let own = inner as u32 / axis.stride % count;
                let own: Vec<u32> = nodes.filter(|(_, position)| **position == own).map(|(node, _)| node).collect();
                starts = starts
                    .iter()
                    .flat_map(|start| {
                        own.iter().map(move |&node| {
                            let mut start = start.clone();
                            start[dimension] = node;
                            start
                        })
                    })
                    .collect();
            }
            for nodes in starts {
                let Some((dimension, sizes)) = &sizes else {
                    steps.push(Step::Record(Record { unit, nodes, change: view.sign }));
                    continue;
                };
                let at = |size: u32| {
                    let mut nodes = nodes.clone();
                    nodes[*dimension] = size;
                    nodes
                };
                for &(from, of_from) in sizes {
                    for &(to, _) in sizes.iter().filter(|(to, of_to)| *to != from && (of_to - of_from) * view.sign > 0) {
                        let household = Record { unit, nodes: at(from), change: -1 };
                        steps.push(Step::Resize { household, dimension: *dimension, size: to });
                    }
                }
                steps.extend(sizes.iter().map(|&(size, _)| Step::Record(Record { unit, nodes: at(size), change: view.sign })));
            }
        }
        steps
    }
}
