//! Who lives when: families and people as pure functions of a seed and of numbers.
//!
//! ```text
//! Village ── family number k (..., -1, 0, 1, ...): one wedding every `step` days, for ever
//!    └── its children, each with a role: the son founds family k + sons, the daughter joins family k + daughters,
//!        the third and the fourth, where they are born, leave the country, live alone or stay at home
//! ```
//!
//! Nothing is stored and nothing is simulated step by step: whoever asks for a day gets the people who are alive on it,
//! and on another day the same people, older, married, widowed, moved, born or dead. The population neither grows nor
//! shrinks, because each family founds one. Births of each role are spread evenly over time, so that an identity number
//! made of the birth date and the family's number is unique.
//!
//! All arithmetic is on integers: the same seed gives the same people on every machine.

use std::ops::Range;

use rand::Rng;
use rand_pcg::Pcg64Mcg;

use super::calendar::Calendar;

/// Person-days that one family adds to the register over all time; measured, and held by a test.
const DAYS_PER_FAMILY: i64 = 64_690;
/// Fractions of a day that family numbers are spread in.
const FRACTION: u32 = 20;
/// The longest that members of a family stay in the register after its turn: 104 years.
const FAMILY_DAYS: i32 = 38_000;
/// Days from a family's turn to the births at each place among siblings, and how far births are shuffled around that.
const PLACES: [i32; 4] = [1165, 2565, 3965, 5365];
const SHUFFLE_DAYS: i64 = 548;
/// Days between a family's turn and those of its son and daughter: they are 19 to 34 and 18 to 30 then.
const SON_DAYS: i64 = 12_784;
const DAUGHTER_DAYS: i64 = 11_140;
/// The most years by which the rounding to lineages may shift a wedding, twice.
const LINEAGE_DAYS: i64 = 1461;
const MOST_LINEAGES: i64 = 128;

/// Ages that 0/32, 1/32, ... of those who have grown up do not exceed; women live three years longer.
const LIFESPANS: [u8; 33] =
    [38, 46, 50, 53, 55, 57, 59, 61, 62, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 82, 83, 85, 87, 89, 92, 101];

/// A child's part in the life of the village.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Founds a family as husband.
    Son,
    /// Founds a family as wife.
    Daughter,
    /// Born to four families in five.
    Third,
    /// Born to two families in five.
    Fourth,
}

/// For each of nine kinds of families the place among the siblings of son, daughter, third and fourth.
const SIBLINGS: [[u8; 4]; 9] =
    [[0, 1, 2, 3], [1, 0, 2, 3], [0, 2, 1, 3], [2, 0, 1, 3], [1, 2, 0, 3], [2, 1, 0, 3], [3, 0, 1, 2], [3, 1, 0, 2], [3, 2, 0, 1]];

/// Somebody's whole life, in days from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person {
    /// Day of birth.
    pub birth: i32,
    /// First day without the person.
    pub death: i32,
    /// Day on which the person leaves the register for another country.
    pub leaves: i32,
    /// Day from which the person lives alone.
    pub alone: i32,
    /// Whether it is a woman.
    pub female: bool,
    /// Random bits for names, careers and the like.
    pub draws: u64,
}

impl Person {
    fn here(&self, day: i32) -> bool {
        self.birth <= day && day < self.death && day < self.leaves
    }

    fn alive(&self, day: i32) -> bool {
        day < self.death
    }
}

/// Marital status, numbered as in the register's list of four.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marital {
    /// Belum kawin.
    Never,
    /// Kawin.
    Married,
    /// Cerai hidup.
    Divorced,
    /// Cerai mati.
    Widowed,
}

/// Relation to the head, numbered as in the register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Kepala keluarga.
    Head = 1,
    /// Suami.
    Husband = 2,
    /// Istri.
    Wife = 3,
    /// Anak.
    Child = 4,
    /// Orang tua.
    Parent = 7,
    /// Mertua.
    ParentInLaw = 8,
    /// Famili lain.
    Relative = 9,
}

/// Somebody in a household.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// The person.
    pub person: Person,
    /// Family in which the person was born.
    pub family: i64,
    /// Role in that family.
    pub role: Role,
    /// Relation to the head of the household.
    pub relation: Relation,
    /// Marital status.
    pub marital: Marital,
}

/// People who share a family card. The head is the first.
#[derive(Debug, Clone)]
pub struct Household {
    /// The family.
    pub family: i64,
    /// 0 for the family itself, 1 for a divorced husband, 2 and 3 for children who live alone.
    pub kind: u8,
    members: Vec<Member>,
}

impl Household {
    /// A household without members, to be filled again and again.
    pub fn empty() -> Self {
        Self { family: 0, kind: 0, members: Vec::with_capacity(8) }
    }

    /// The members, the head first.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    fn begin(&mut self, family: i64, kind: u8) {
        (self.family, self.kind) = (family, kind);
        self.members.clear();
    }

    fn add(&mut self, person: Person, family: i64, role: Role, relation: Relation, marital: Marital) {
        self.members.push(Member { person, family, role, relation, marital });
    }
}

/// Where a family moves to, seen from its village.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// To the village after this one: one family in eight.
    Near,
    /// Across the country: one family in 64.
    Far,
}

impl Move {
    /// Families of which one moves.
    pub fn block(self) -> i64 {
        match self {
            Self::Near => 8,
            Self::Far => 64,
        }
    }
}

/// A village and everybody who was ever born in it.
#[derive(Debug, Clone)]
pub struct Village {
    seed: u64,
    /// Fractions of a day between two weddings.
    step: i64,
    phase: i64,
    /// Births are shuffled within blocks of this many families (a power of two), less one.
    shuffle: i64,
    sons: i64,
    daughters: i64,
    lineages: i64,
}

/// Spreads the bits of two numbers over one (the finalizer of splitmix64).
pub fn mix(a: u64, b: u64) -> u64 {
    let mut mixed = a ^ b.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

impl Village {
    /// A village that holds about so many people at any time.
    pub fn new(seed: u64, persons: u64) -> Self {
        let step = (DAYS_PER_FAMILY << FRACTION) / i64::try_from(persons.max(1)).unwrap_or(i64::MAX);
        let step = step.max(1);
        let within = |days: i64| ((days << FRACTION) / step).max(1);
        let shuffled = within(SHUFFLE_DAYS);
        let lineages = within(LINEAGE_DAYS).min(MOST_LINEAGES);
        let lineages = 1 << lineages.ilog2();
        let generations = |days: i64| (within(days) + lineages / 2).max(lineages) / lineages * lineages;
        Self {
            seed,
            step,
            phase: (mix(seed, 1) % step as u64) as i64,
            shuffle: (1 << shuffled.ilog2()) - 1,
            sons: generations(SON_DAYS),
            daughters: generations(DAUGHTER_DAYS),
            lineages,
        }
    }

    /// The most births of one role on a day.
    pub fn births_a_day(&self) -> u64 {
        ((1 << FRACTION) / self.step) as u64 + 1
    }

    /// Numbers of the families of which anybody can be in the register on a day.
    pub fn families(&self, day: i32) -> Range<i64> {
        self.first_from(day - FAMILY_DAYS)..self.first_from(day + 1)
    }

    fn first_from(&self, day: i32) -> i64 {
        ((i64::from(day) << FRACTION) - self.phase + self.step - 1).div_euclid(self.step)
    }

    /// The day on which a family takes its turn and gets its card; it weds within the year.
    pub fn turn(&self, family: i64) -> i32 {
        ((self.phase + family * self.step) >> FRACTION) as i32
    }

    /// Random bits of a family.
    pub fn bits(&self, family: i64) -> u64 {
        mix(self.seed, family as u64)
    }

    /// Random bits that a family shares with those who descend from it in the male line.
    pub fn lineage(&self, family: i64) -> u64 {
        mix(self.seed ^ 0x6c69_6e65, family.rem_euclid(self.lineages) as u64)
    }

    /// The place among the siblings, and the number of the birth among all births of that place.
    fn birth(&self, family: i64, bits: u64, role: Role) -> (u8, i64) {
        let place = SIBLINGS[(((bits & 0xff) * 9) >> 8) as usize][role as usize];
        let block = family & !self.shuffle;
        let turned = mix(self.seed ^ u64::from(place), block as u64) as i64;
        // An odd factor makes the shuffle one to one within the block.
        let number = block | ((family.wrapping_mul(2 * i64::from(place) + 5).wrapping_add(turned)) & self.shuffle);
        (place, number)
    }

    /// The place among the siblings that a child with a role has or would have.
    pub fn place(&self, family: i64, role: Role) -> u8 {
        self.birth(family, self.bits(family), role).0
    }

    /// A number for a birth that no other birth in the village on a day with the same digits has: 0 to below `room`.
    pub fn serial(&self, family: i64, role: Role, calendar: &Calendar, birth: i32, room: u32) -> u32 {
        let (place, number) = self.birth(family, self.bits(family), role);
        self.within_century(number, room / 4, calendar.day(birth).century) * 4 + u32::from(place)
    }

    /// The same for a family card, issued on the family's turn.
    pub fn card(&self, family: i64, kind: u8, calendar: &Calendar, room: u32) -> u32 {
        self.within_century(family, room / 4, calendar.day(self.turn(family)).century) * 4 + u32::from(kind)
    }

    /// Numbers of the same day of two centuries end up far apart.
    fn within_century(&self, number: i64, room: u32, century: u8) -> u32 {
        let room = i64::from(room.max(1));
        let a_century = (36_525 << FRACTION) / self.step;
        let shift = (room / 2 - a_century).rem_euclid(room);
        (number + i64::from(century) * shift).rem_euclid(room) as u32
    }

    /// The child of a family with a role, whether or not it is born yet.
    pub fn child(&self, family: i64, role: Role) -> Option<Person> {
        let bits = self.bits(family);
        let mut rng = Pcg64Mcg::new((u128::from(bits) << 64) | (u128::from(mix(bits, role as u64)) << 1));
        let life = rng.next_u64();
        let draws = rng.next_u64();
        let birth = {
            let (place, number) = self.birth(family, bits, role);
            self.turn(number) + PLACES[usize::from(place)]
        };
        let chance = (life >> 16) & 0xff;
        let founds = match role {
            Role::Son | Role::Daughter => true,
            Role::Third if chance < 205 => false,
            Role::Fourth if chance < 102 => false,
            Role::Third | Role::Fourth => return None,
        };
        let female = if founds { role == Role::Daughter } else { (life >> 24) & 1 == 1 };
        let mut person =
            Person { birth, death: birth + lifespan(life as u16, female, founds), leaves: i32::MAX, alone: i32::MAX, female, draws };
        if !founds {
            let grown = birth + 6940 + ((((life >> 33) & 0xfff) * 2922) >> 12) as i32;
            match (life >> 25) & 0xff {
                0..226 => person.leaves = grown,
                226..230 => person.alone = grown,
                _ => {}
            }
        }
        Some(person)
    }

    fn founder(&self, family: i64, role: Role) -> Option<(Person, i64)> {
        let born = family - if role == Role::Son { self.sons } else { self.daughters };
        Some((self.child(born, role)?, born))
    }

    /// The day on which a family weds.
    fn wedding(&self, family: i64) -> i32 {
        self.turn(family) + ((((self.bits(family) >> 8) & 0x1ff) * 365) >> 9) as i32
    }

    /// Whether and where to a family has moved by a day.
    pub fn moved(&self, family: i64, day: i32) -> Option<Move> {
        let direction =
            [Move::Near, Move::Far].into_iter().find(|direction| self.mover(*direction, family.div_euclid(direction.block())) == family)?;
        let delay = ((self.bits(family) >> 37) & 0x1fff) as i32;
        (self.wedding(family) + delay <= day).then_some(direction)
    }

    /// The family of a block that moves in this direction at some time; where it is also one that moves near, it moves near.
    pub fn mover(&self, direction: Move, block: i64) -> i64 {
        let size = direction.block();
        block * size + (mix(self.seed ^ size as u64, block as u64) as i64).rem_euclid(size)
    }

    /// What has become of a family by a day; `None` before its wedding.
    pub fn family(&self, number: i64, day: i32) -> Option<Family> {
        let wedding = self.wedding(number);
        if wedding > day {
            return None;
        }
        let bits = self.bits(number);
        let (husband, husband_from) = self.founder(number, Role::Son)?;
        let (wife, wife_from) = self.founder(number, Role::Daughter)?;
        let parted = wedding + 400 + ((bits >> 24) & 0x1fff) as i32;
        let divorced = (bits >> 17) & 0x7f < 4 && parted <= day && husband.alive(parted) && wife.alive(parted);
        Some(Family { number, bits, husband, husband_from, wife, wife_from, divorced })
    }

    /// Whether the son of a family takes in the last one of his parents, and later his unmarried siblings: 31 in 32 do.
    fn takes_in(bits: u64) -> bool {
        (bits >> 58) & 31 != 0
    }

    /// Whether the son of a family, by a day, has a home that takes in those who are left of it: he or his widow lives there,
    /// not divorced, and has not joined a son of theirs.
    fn has_room(&self, family: &Family, day: i32) -> bool {
        Self::takes_in(family.bits)
            && self
                .family(family.number + self.sons, day)
                .is_some_and(|home| (home.husband.alive(day) || home.wife.alive(day)) && !home.divorced && !self.joined(&home, day))
    }

    /// Whether the last one of a couple has joined the household of their son.
    fn joined(&self, family: &Family, day: i32) -> bool {
        !family.divorced && family.husband.alive(day) != family.wife.alive(day) && self.has_room(family, day)
    }

    /// The child of a family with a role, if it lives at home on a day or would, were there still a home.
    fn at_home(&self, family: i64, role: Role, day: i32) -> Option<Person> {
        let married = match role {
            Role::Son => self.wedding(family + self.sons) <= day,
            Role::Daughter => self.wedding(family + self.daughters) <= day,
            Role::Third | Role::Fourth => false,
        };
        self.child(family, role).filter(|child| !married && child.here(day) && day < child.alone)
    }

    /// Fills in the people of a family who live together; nobody may be left.
    pub fn fill_home(&self, family: &Family, day: i32, home: &mut Household) {
        let Family { number, husband, husband_from, wife, wife_from, divorced, bits } = *family;
        home.begin(number, 0);
        let joined = self.joined(family, day);
        let wife_here = wife.alive(day) && !joined;
        let husband_here = husband.alive(day) && !joined && !(divorced && wife.alive(day));
        let parted = if divorced { Marital::Divorced } else { Marital::Widowed };
        match (husband_here, wife_here) {
            // One wife in 64 is the head.
            (true, true) if (bits >> 52) & 0x3f == 0 => {
                home.add(wife, wife_from, Role::Daughter, Relation::Head, Marital::Married);
                home.add(husband, husband_from, Role::Son, Relation::Husband, Marital::Married);
            }
            (true, true) => {
                home.add(husband, husband_from, Role::Son, Relation::Head, Marital::Married);
                home.add(wife, wife_from, Role::Daughter, Relation::Wife, Marital::Married);
            }
            // A divorced father comes back to his children when their mother is dead.
            (true, false) => home.add(husband, husband_from, Role::Son, Relation::Head, parted),
            (false, true) => home.add(wife, wife_from, Role::Daughter, Relation::Head, parted),
            (false, false) => {}
        }
        let parents = home.members.len();
        for role in [Role::Son, Role::Daughter, Role::Third, Role::Fourth] {
            if let Some(child) = self.at_home(number, role, day) {
                home.add(child, number, role, if parents > 0 { Relation::Child } else { Relation::Relative }, Marital::Never);
            }
        }
        home.members[parents..].sort_unstable_by_key(|child| child.person.birth);
        if parents == 0 && !home.members.is_empty() {
            if self.has_room(family, day) {
                home.members.clear();
            } else {
                home.members[0].relation = Relation::Head;
            }
        }
        if parents > 0 && !divorced && Self::takes_in(self.bits(husband_from)) {
            self.take_in(husband_from, day, home);
        }
    }

    /// Adds those who are left of a family to the home of its son: the last one of the parents, and unmarried siblings whose
    /// parents are dead or come with them.
    fn take_in(&self, from: i64, day: i32, home: &mut Household) {
        let Some(old) = self.family(from, day) else { return };
        let (husband, wife) = (old.husband.alive(day), old.wife.alive(day));
        if husband && wife || old.divorced && (husband || wife) {
            return;
        }
        if husband || wife {
            let relation = if home.members[0].person.female { Relation::ParentInLaw } else { Relation::Parent };
            if husband {
                home.add(old.husband, old.husband_from, Role::Son, relation, Marital::Widowed);
            } else {
                home.add(old.wife, old.wife_from, Role::Daughter, relation, Marital::Widowed);
            }
        }
        if self.turn(from) < day - FAMILY_DAYS {
            // On their own they would be in the register no longer, and whoever has left does not come back.
            return;
        }
        for role in [Role::Daughter, Role::Third, Role::Fourth] {
            if let Some(sibling) = self.at_home(from, role, day) {
                home.add(sibling, from, role, Relation::Relative, Marital::Never);
            }
        }
    }

    /// Fills in somebody who has left the family for a household of one: kind 1 to 3. Nobody may be there.
    pub fn fill_single(&self, family: &Family, kind: u8, day: i32, home: &mut Household) {
        home.begin(family.number, kind);
        match kind {
            1 if family.divorced && family.husband.alive(day) && family.wife.alive(day) => {
                home.add(family.husband, family.husband_from, Role::Son, Relation::Head, Marital::Divorced);
            }
            2 | 3 => {
                let role = if kind == 2 { Role::Third } else { Role::Fourth };
                if let Some(child) = self.child(family.number, role).filter(|child| child.here(day) && child.alone <= day) {
                    home.add(child, family.number, role, Relation::Head, Marital::Never);
                }
            }
            _ => {}
        }
    }
}

/// A family on a day.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    number: i64,
    bits: u64,
    husband: Person,
    husband_from: i64,
    wife: Person,
    wife_from: i64,
    divorced: bool,
}

/// Days between birth and death, from 16 random bits. Founders of families reach an age at which they have wedded.
fn lifespan(draw: u16, female: bool, founds: bool) -> i32 {
    let draw = i32::from(draw);
    if !founds {
        match draw {
            // One in 25 dies before the fifth birthday, most of these soon after birth.
            0..2621 => return (draw * draw / 2621) * 1826 / 2621,
            2621..3932 => return 1826 + (draw - 2621) * 12_783 / 1311,
            _ => {}
        }
    }
    let at = (draw >> 11) as usize;
    let (from, to) = (i32::from(LIFESPANS[at]), i32::from(LIFESPANS[at + 1]));
    let years = from * 2048 + (to - from) * (draw & 0x7ff) + if female { 3 * 2048 } else { 0 };
    (i64::from(years) * 1461 / (4 * 2048)) as i32
}
