//! Finds worlds for the primaries of one family and suppresses what they need.

use rustc_hash::FxHashMap;

use super::{
    family::{Family, GROUP, HIGH, LOCKED, LOW, LocalWorld, Overlay, PRIMARY, SUPPRESSED, UNAWARE},
    frame::{NONE, Tree},
    plan::{Look, NEVER, NEW, Plan, Planner, Target},
    records,
    revisions::Way,
    search::{Search, Step, apply},
    settings::Settings,
};

/// Of so many records, in one family, it is tried whether they can move: a second or so.
const MOST_MOVED: usize = 20_000;

/// Buffers that a thread keeps from family to family.
#[derive(Debug, Default)]
pub struct Scratch {
    search: Search,
    overlay: Overlay,
}

/// One family while its worlds are being made.
#[derive(Debug)]
pub struct Work<'w, 'a> {
    /// The cells.
    pub family: &'w mut Family<'a>,
    pub settings: &'w Settings,
    scratch: &'w mut Scratch,
    /// The worlds found.
    pub worlds: Vec<LocalWorld>,
    /// For each world the primaries, and which end of their range, that it shows.
    pub credits: Vec<Vec<Want>>,
    /// For each primary and end the worlds that show it.
    pub supports: FxHashMap<Want, Vec<u32>>,
    /// For each secondary of this family the living worlds that change it.
    pub users: FxHashMap<u32, Vec<u32>>,
    /// Cost of all secondaries of this family.
    pub total: u64,
    /// What is wanted beside the ends of ranges, with the cells that could show it: small groups in one category with the other categories, and
    /// primaries that must not be told to those who are unaware of people outside of households.
    others: Vec<(Want, Vec<u32>)>,
    /// A cell that is on trial: no new world may change it.
    pub banned: u32,
    /// Whether worlds are sought that would replace others: where there is none at once, there is no need for one.
    pub replacing: bool,
    /// How the world that is being made stands beside earlier revisions.
    way: Way,
    /// Records of which it may still be tried whether they can move.
    trials: usize,
}

/// What a world is to show: a cell and what about it.
pub type Want = (u32, Show);

/// What a world can show of a primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Show {
    /// The low end of its range.
    Low,
    /// The high end of its range.
    High,
    /// That its group, along this dimension of the frame, has members in another category too.
    Group(u8),
    /// To those who do not know how many people live outside of counted households: the low end that the rule asks for.
    Unaware,
}

impl<'w, 'a> Work<'w, 'a> {
    /// Starts on a family.
    pub fn new(family: &'w mut Family<'a>, settings: &'w Settings, scratch: &'w mut Scratch) -> Self {
        scratch.overlay.fit(family.cells);
        Self {
            family,
            settings,
            scratch,
            worlds: Vec::new(),
            credits: Vec::new(),
            supports: FxHashMap::default(),
            users: FxHashMap::default(),
            total: 0,
            others: Vec::new(),
            banned: NONE,
            replacing: false,
            way: Way::default(),
            trials: MOST_MOVED,
        }
    }

    /// Ends of primaries that nothing shows yet, in order of cells.
    pub fn wants(&self) -> Vec<Want> {
        let mut wants = Vec::new();
        for (table, slice) in self.family.slices.iter().enumerate() {
            let layout = &self.family.frame.tables[table];
            for (index, &mark) in slice.marks.iter().enumerate() {
                if mark & PRIMARY == 0 || mark & (LOW | HIGH) == LOW | HIGH {
                    continue;
                }
                if !layout.owns(slice.first_row + index / layout.inner, index % layout.inner) {
                    continue;
                }
                let number = slice.base + index as u32;
                if mark & HIGH == 0 {
                    wants.push((number, Show::High));
                }
                if mark & LOW == 0 {
                    wants.push((number, Show::Low));
                }
            }
        }
        wants.extend(self.others.iter().map(|(want, _)| *want).filter(|want| !self.supports.contains_key(want)));
        wants
    }

    /// Finds the small groups that have no world yet, and what must not be told to the unaware.
    fn find_others(&mut self) {
        let mut found = Vec::new();
        for (table, slice) in self.family.slices.iter().enumerate() {
            let layout = &self.family.frame.tables[table];
            for (index, &mark) in slice.marks.iter().enumerate() {
                if mark & (GROUP | UNAWARE) == 0 || !layout.owns(slice.first_row + index / layout.inner, index % layout.inner) {
                    continue;
                }
                let number = slice.base + index as u32;
                if mark & UNAWARE != 0 {
                    found.push(((number, Show::Unaware), vec![number]));
                }
                if mark & GROUP == 0 {
                    continue;
                }
                for &dimension in &self.family.frame.sensitive {
                    if let Some(others) = self.family.frame.group(table, index, slice.counts, slice.marks, dimension) {
                        let others = others.into_iter().map(|other| slice.base + other as u32).collect();
                        found.push(((number, Show::Group(dimension as u8)), others));
                    }
                }
            }
        }
        self.others = found;
    }

    /// By how much a world must change a primary to show an end of its range.
    fn distance(&self, want: Want) -> i32 {
        let (low, high) = self.family.goals(want.0, &self.settings.rule);
        match want.1 {
            Show::Low => low,
            Show::High => high,
            Show::Group(_) => 1,
            Show::Unaware => {
                let count = self.family.count(want.0);
                self.settings.rule.goals(count).0 as i32 - count as i32
            }
        }
    }

    /// Whether a want is still open.
    pub fn is_wanted(&self, want: Want) -> bool {
        let done = match want.1 {
            Show::Low => self.family.mark(want.0) & LOW,
            Show::High => self.family.mark(want.0) & HIGH,
            Show::Group(_) | Show::Unaware => u8::from(self.supports.contains_key(&want)),
        };
        done == 0
    }

    /// The changes that would satisfy a want, any of them.
    fn targets(&self, want: Want) -> Vec<Target> {
        match want.1 {
            Show::Low | Show::High => vec![self.target(want.0, self.distance(want))],
            Show::Group(_) | Show::Unaware => {
                let found = self.others.iter().find(|(of, _)| *of == want).map(|(_, others)| others.as_slice());
                found.unwrap_or_default().iter().map(|&other| self.target(other, self.distance(want))).collect()
            }
        }
    }

    fn target(&self, number: u32, delta: i32) -> Target {
        let place = self.family.place(number);
        let layout = &self.family.frame.tables[place.table];
        let mut nodes = Vec::new();
        layout.nodes(place.inner as u32, &mut nodes);
        Target { place, node: layout.spine_nodes[place.row], nodes, delta }
    }

    /// Finds a world for one end of a primary, newly suppressing less than `budget`. `false`: there is none that this
    /// family can see.
    pub fn certify(&mut self, want: Want, budget: u32) -> bool {
        self.targets(want).into_iter().any(|target| {
            self.ways(want).any(|way| {
                self.way = way;
                self.reach(&target, budget)
            })
        })
    }

    /// Ways of making worlds for a want, the preferred one first.
    fn ways(&self, want: Want) -> impl Iterator<Item = Way> + use<'a> {
        let unaware = want.1 == Show::Unaware;
        self.family.ways(want.0).map(move |way| Way { unaware, ..way })
    }

    /// By steps of one, because small steps find room where a large one has none; in one stride where steps get stuck.
    fn reach(&mut self, target: &Target, budget: u32) -> bool {
        let amount = target.delta.abs();
        let found = self.stepwise(target, budget).or_else(|| {
            let stride = (amount > 1 && !self.replacing).then(|| self.walk(target, budget)).flatten();
            stride.and_then(|(_, plan, walk)| self.changes(&plan, &walk, amount))
        });
        let Some(changes) = found else { return false };
        self.commit(changes);
        true
    }

    /// Records that move within the smallest region where that shows what is wanted, see [`super::records`].
    fn move_records(&mut self, want: Want) {
        for target in self.targets(want) {
            for way in self.ways(want) {
                self.way = way;
                let (tree, top) = (self.family.frame.spine_tree(), self.family.top);
                let above = |node: u32| (node > top).then(|| tree.parent[node as usize]);
                for within in std::iter::successors(above(target.node), |&node| above(node)) {
                    if let Some(changes) = records::moves(self.family, &mut self.scratch.overlay, &target, way, within, &mut self.trials) {
                        self.commit(changes);
                        return;
                    }
                }
            }
        }
    }

    /// The last resort, see [`super::records`].
    fn change_records(&mut self, want: Want) {
        for target in self.targets(want) {
            for way in self.ways(want) {
                self.way = way;
                let is_done = records::change(self.family, &mut self.scratch.overlay, &target, way);
                let changes = self.scratch.overlay.take();
                if is_done {
                    self.commit(changes);
                    return;
                }
            }
        }
    }

    /// Changes the target step by step, by one each where that is possible; the changes newly suppress less than `budget`, or `None`.
    fn stepwise(&mut self, target: &Target, budget: u32) -> Option<Vec<(u32, i32)>> {
        let mut left = budget;
        let one = Target { delta: target.delta.signum(), ..target.clone() };
        let number = self.family.number(target.place);
        let is_there = |overlay: &Overlay| overlay.get(number) * target.delta.signum() >= target.delta.abs();
        let mut last: Option<(u32, Plan, Vec<Step>)> = None;
        for _ in 0..target.delta.abs() {
            if is_there(&self.scratch.overlay) {
                break;
            }
            // The same way once more suppresses nothing new, so where it still has room there is nothing to look for.
            if let Some((_, plan, walk)) = &last {
                if apply(self.family, &mut self.scratch.overlay, plan, walk, 1, self.way) {
                    continue;
                }
                apply(self.family, &mut self.scratch.overlay, plan, walk, -1, self.way);
            }
            let found =
                self.walk(&one, left).filter(|(_, plan, walk)| apply(self.family, &mut self.scratch.overlay, plan, walk, 1, self.way));
            let Some((cost, ..)) = &found else {
                self.scratch.overlay.take();
                return None;
            };
            if *cost >= NEW {
                left = left.saturating_sub(*cost);
            }
            last = found;
        }
        let reached = is_there(&self.scratch.overlay);
        let changes = self.scratch.overlay.take();
        (reached && self.family.price_of_new(&changes) < budget).then_some(changes)
    }

    fn changes(&mut self, plan: &Plan, walk: &[Step], amount: i32) -> Option<Vec<(u32, i32)>> {
        let sound = apply(self.family, &mut self.scratch.overlay, plan, walk, amount, self.way);
        let changes = self.scratch.overlay.take();
        sound.then_some(changes)
    }

    /// The cheapest walk for a target over all plans.
    fn walk(&mut self, target: &Target, budget: u32) -> Option<(u32, Plan, Vec<Step>)> {
        let mut look = Look::new(self.family, &self.scratch.overlay);
        look.banned = self.banned;
        look.way = self.way;
        look.may_suppress = budget > NEW;
        let mut bound = budget.min(NEVER);
        let mut best: Option<(u32, Plan, Vec<Step>)> = None;
        let planner = Planner::new(look, target);
        let free = planner.free_dimensions();
        for wide in [false, true] {
            if wide && best.is_some() {
                break;
            }
            for &dimension in &free {
                let is_flat = |tree: &Tree| tree.children.iter().skip(1).all(Vec::is_empty);
                if wide && look.family.frame.trees.get(dimension).is_none_or(is_flat) {
                    continue;
                }
                for (least, choice) in planner.choices(dimension) {
                    if least >= bound {
                        break;
                    }
                    let Some(plan) = planner.plan(dimension, wide, &choice, bound) else { continue };
                    let found = self.scratch.search.walk(look, &plan, target, bound);
                    if let Some((cost, walk)) = found {
                        bound = cost;
                        best = Some((cost, plan, walk));
                    }
                    if bound < NEW {
                        return best;
                    }
                }
            }
        }
        best
    }

    /// Takes a world in: suppresses its cells and notes what it shows.
    fn commit(&mut self, changes: Vec<(u32, i32)>) {
        let world = self.worlds.len() as u32;
        let mut credits = Vec::new();
        for &(number, delta) in &changes {
            let mark = self.family.mark(number);
            if mark & PRIMARY == 0 || !self.family.owns(number) {
                continue;
            }
            let (low, high) = self.family.goals(number, &self.settings.rule);
            // What the true counts or a finished family show already is no credit of this world, nor what it shows in other revisions than
            // those that ask for it.
            let is_asked = self.family.ways(number).any(|way| way == self.way);
            let counts = |bit: u8, show: Show| is_asked && (mark & bit == 0 || self.supports.contains_key(&(number, show)));
            if delta <= low && counts(LOW, Show::Low) {
                credits.push((number, Show::Low));
            }
            if delta >= high && counts(HIGH, Show::High) {
                credits.push((number, Show::High));
            }
        }
        for (want, others) in &self.others {
            let change = |other: &u32| changes.binary_search_by_key(other, |(number, _)| *number).map_or(0, |at| changes[at].1);
            let is_shown = match want.1 {
                Show::Unaware => self.way.unaware && change(&want.0) <= self.distance(*want),
                _ => !self.way.unaware && others.iter().any(|other| change(other) > 0),
            };
            if is_shown {
                credits.push(*want);
            }
        }
        for &want in &credits {
            match want.1 {
                Show::Low => self.family.set(want.0, LOW),
                Show::High => self.family.set(want.0, HIGH),
                Show::Group(_) | Show::Unaware => {}
            }
            self.supports.entry(want).or_default().push(world);
        }
        self.worlds.push(LocalWorld { changes, alive: false });
        self.credits.push(credits);
        self.revive(world);
    }

    /// Puts a world to use.
    pub fn revive(&mut self, world: u32) {
        let changes = std::mem::take(&mut self.worlds[world as usize].changes);
        for &(number, _) in &changes {
            let mark = self.family.mark(number);
            if mark & (PRIMARY | LOCKED) != 0 {
                continue;
            }
            if mark & SUPPRESSED == 0 {
                self.family.set(number, SUPPRESSED);
                self.total += u64::from(self.family.price(number));
            }
            self.users.entry(number).or_default().push(world);
        }
        self.worlds[world as usize] = LocalWorld { changes, alive: true };
    }

    /// Takes a world out of use; secondaries that no other world changes are published again.
    pub fn retire(&mut self, world: u32) {
        let changes = std::mem::take(&mut self.worlds[world as usize].changes);
        for &(number, _) in &changes {
            let mark = self.family.mark(number);
            if mark & (PRIMARY | LOCKED) != 0 {
                continue;
            }
            if let Some(users) = self.users.get_mut(&number) {
                users.retain(|&user| user != world);
                if users.is_empty() {
                    self.users.remove(&number);
                    self.family.clear(number, SUPPRESSED);
                    self.total -= u64::from(self.family.price(number));
                }
            }
        }
        self.worlds[world as usize] = LocalWorld { changes, alive: false };
    }

    /// Drops a retired world for good. What only it has shown is wanted again.
    pub fn forget(&mut self, world: u32) {
        self.worlds[world as usize].changes = Vec::new();
        for want in std::mem::take(&mut self.credits[world as usize]) {
            if let Some(worlds) = self.supports.get_mut(&want) {
                worlds.retain(|&other| other != world);
                if !worlds.is_empty() {
                    continue;
                }
            }
            self.supports.remove(&want);
            match want.1 {
                Show::Low => self.family.clear(want.0, LOW),
                Show::High => self.family.clear(want.0, HIGH),
                Show::Group(_) | Show::Unaware => {}
            }
        }
    }

    /// Finds worlds for everything that this family can protect.
    pub fn run(&mut self) {
        self.find_others();
        for want in self.in_order() {
            if self.family.open && self.is_wanted(want) {
                self.move_records(want);
            }
            if self.is_wanted(want) {
                self.certify(want, NEVER);
            }
            if self.family.open && self.is_wanted(want) {
                self.change_records(want);
            }
        }
        self.improve();
    }

    /// Cells of which all that is wanted beside the ends of their range has a world.
    pub fn settled(&self) -> Vec<u32> {
        let open: Vec<u32> = self.others.iter().filter(|(want, _)| !self.is_shown(*want)).map(|(want, _)| want.0).collect();
        self.others.iter().map(|(want, _)| want.0).filter(|number| !open.contains(number)).collect()
    }

    /// Whether a living world shows a primary at an end.
    pub fn is_shown(&self, want: Want) -> bool {
        self.supports.get(&want).is_some_and(|worlds| worlds.iter().any(|&world| self.worlds[world as usize].alive))
    }

    /// The wants in the order of work: cells at many crossed dimensions first, because what they need serves others too,
    /// and among those the ones that must move furthest.
    fn in_order(&self) -> Vec<Want> {
        let mut wants = self.wants();
        let mut nodes = Vec::new();
        wants.sort_by_cached_key(|&want| {
            let place = self.family.place(want.0);
            self.family.frame.tables[place.table].nodes(place.inner as u32, &mut nodes);
            let crossed = nodes.iter().filter(|&&node| node != 0).count();
            let distance = self.targets(want).first().map_or(0, |target| target.delta.abs());
            std::cmp::Reverse((crossed, distance))
        });
        wants
    }
}
