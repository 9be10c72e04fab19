//! Tiny registers at random, made such that what could go wrong in protecting them often does: few households of each size, totals large
//! enough to be published, tables that share margins, corrections of a person or two.

use cacah::{
    register::{Dimension, HeadPair, Links, Members, MembersLink, StructuralZero, Table, Unit, ZeroSide},
    worlds::{GroupRule, Reach, Rule},
};

use super::{
    changes,
    random::Random,
    register::{Person, Register, Revision, SIZE, Tree, dimension, flat, table},
};

/// Ages of people, and for each the age group of heads that it belongs to.
const AGE_CLASSES: [[u32; 3]; 2] = [[0, 0, 1], [0, 1, 1]];

/// The fewest members of each size.
const SIZES: [&[u32]; 6] = [&[1, 2, 3], &[1, 2, 3], &[1, 2], &[1, 3], &[1, 2, 4], &[1, 3, 4]];
/// Likelihoods of one member, two, and so on.
const LIKELY_MEMBERS: [&[usize]; 5] = [&[3, 3, 2, 1, 1], &[2, 4, 1], &[1, 1, 1, 1, 1, 1], &[5, 1, 3], &[1, 4, 4, 1]];

/// What is drawn before the people are.
pub struct Plan {
    /// Base leaves of each dimension.
    leaves: Vec<usize>,
    /// The age group of heads, the age that it follows from, and its classes.
    head_age: Option<(usize, usize, Vec<u32>)>,
    /// Likelihood of each village.
    villages: Vec<usize>,
    /// Dimensions, beside the region, in which all members are what their head is.
    pub shared: Vec<usize>,
    /// Most members of a household.
    pub largest: usize,
    /// Likelihood of each number of members, from 1.
    sizes: Vec<usize>,
}

/// Everything of a register but its people.
struct Definitions {
    dimensions: Vec<Dimension>,
    tables: Vec<Table>,
    links: Links,
    sizes: Vec<Members>,
    zeros: Vec<StructuralZero>,
}

/// The register of a seed.
pub fn register(seed: u64) -> Register {
    let mut random = Random::new(seed);
    let Definitions { dimensions, tables, links, sizes, zeros } = definitions(&mut random);
    let mut register = Register { seed, dimensions, tables, sizes, zeros, links, revisions: Vec::new() };
    let plan = plan(&mut random, &register);
    let people = people(&mut random, &register, &plan);
    let rule = rule(&mut random, &register);
    let last = register.tables.len();
    let count = 1 + random.weighted(&[45, 35, 20]);
    // A table that comes later must not be the only one of its unit: links are declared for tables that are there.
    let last_is_extra = last > 1 && register.tables[..last - 1].iter().any(|table| table.unit == register.tables[last - 1].unit);
    let first = if count > 1 && last_is_extra && random.chance(20) { last - 1 } else { last };
    register.revisions.push(Revision { people, tables: first, rule });
    for _ in 1..count {
        let before = register.revisions.last().expect("there is one already");
        let people = changes::correct(&mut random, &register, &plan, &before.people);
        let rule = if random.chance(5) { self::rule(&mut random, &register) } else { before.rule.clone() };
        register.revisions.push(Revision { people, tables: last, rule });
    }
    register
}

fn regions(random: &mut Random) -> Dimension {
    let villages = ["V1", "V2", "V3"];
    match random.weighted(&[35, 25, 25, 10, 5]) {
        0 => dimension("region", &["country", "village"], &flat_nodes(&villages[..2])),
        1 => dimension("region", &["country", "village"], &flat_nodes(&villages)),
        2 => {
            let nodes =
                [("T", None, 0), ("D1", Some(0), 1), ("V1", Some(1), 2), ("V2", Some(1), 2), ("D2", Some(0), 1), ("V3", Some(4), 2)];
            dimension("region", &["country", "district", "village"], &nodes)
        }
        // A village that is a district of its own.
        3 => {
            let nodes = [("T", None, 0), ("D1", Some(0), 1), ("V1", Some(1), 2), ("V2", Some(1), 2), ("V3", Some(0), 1)];
            dimension("region", &["country", "district", "village"], &nodes)
        }
        _ => {
            let nodes = [("T", None, 0), ("D1", Some(0), 1), ("V1", Some(1), 2), ("D2", Some(0), 1), ("V2", Some(3), 2)];
            dimension("region", &["country", "district", "village"], &nodes)
        }
    }
}

fn flat_nodes<'a>(codes: &[&'a str]) -> Vec<(&'a str, Option<u32>, u8)> {
    [("T", None, 0)].into_iter().chain(codes.iter().map(|code| (*code, Some(0), 1))).collect()
}

/// Members by base leaf of a size dimension, and the dimension: the last size is open, unless everybody knows that it is not.
fn sizes(random: &mut Random) -> (Dimension, Vec<Members>) {
    let begins = *random.pick(&SIZES);
    let codes: Vec<String> = begins.iter().map(|least| format!("S{least}")).collect();
    let last = begins[begins.len() - 1];
    let largest = match random.weighted(&[40, 30, 30]) {
        0 => Some(last),
        1 => Some(last + 1 + random.below(3) as u32),
        _ => None,
    };
    let most = |at: usize| begins.get(at + 1).map_or(largest, |next| Some(next - 1));
    let members = begins.iter().enumerate().map(|(at, &least)| Members { least, most: most(at) }).collect();
    (flat(SIZE, &codes.iter().map(String::as_str).collect::<Vec<_>>()), members)
}

fn definitions(random: &mut Random) -> Definitions {
    let regions = regions(random);
    let levels: Vec<String> = regions.levels.iter().map(|level| level.id.clone()).collect();
    let attributes = attributes(random);
    let has_ages = attributes.iter().any(|attribute| attribute.id == "age");
    // What is said of heads is what is said of everybody, but that their ages are in fewer groups.
    let of_heads: Vec<&str> =
        attributes.iter().map(|attribute| if attribute.id == "age" { "head-age" } else { attribute.id.as_str() }).collect();
    let mut tables = people_tables(random, &attributes, &levels);
    let has_households = random.chance(90);
    if has_households {
        tables.extend(household_tables(random, &of_heads, &levels));
    }
    let (size, sizes) = sizes(random);
    let mut dimensions = vec![regions];
    dimensions.extend(attributes.iter().cloned());
    if has_ages {
        dimensions.push(flat("head-age", &["Y", "O"]));
    }
    let mut links = Links::default();
    if has_households {
        links = self::links(random, &dimensions, &tables, &sizes);
        dimensions.push(size);
    }
    let zeros = if attributes.len() > 1 && random.chance(20) { vec![zero(random, &attributes)] } else { Vec::new() };
    Definitions { dimensions, tables, links, sizes, zeros }
}

/// What is said of everybody. Two attributes at most: every further one multiplies what has to be looked at.
fn attributes(random: &mut Random) -> Vec<Dimension> {
    let faiths = ["A", "B", "C"];
    let count = if random.chance(50) { 2 } else { 3 };
    let mut attributes = vec![flat("sex", &["M", "F"]), flat("faith", &faiths[..count])];
    if random.chance(25) {
        attributes.push(flat("age", &["Y", "M", "O"]));
    }
    while attributes.len() > 2 || attributes.len() > 1 && random.chance(20) {
        attributes.swap_remove(random.below(attributes.len()));
    }
    attributes
}

/// Everything that tables of both units tell of each other; sometimes all of a household are of one faith.
fn links(random: &mut Random, dimensions: &[Dimension], tables: &[Table], sizes: &[Members]) -> Links {
    let shows = |unit: Unit, id: &str| tables.iter().any(|table| table.unit == unit && table.axes.iter().any(|axis| axis.dimension == id));
    let mut shared = vec!["region".to_owned()];
    if shows(Unit::Person, "faith") && shows(Unit::Household, "faith") && random.chance(10) {
        shared.push("faith".to_owned());
    }
    let members = MembersLink { size: SIZE.to_owned(), shared, members: sizes.to_vec() };
    let mut heads = Vec::new();
    for head in dimensions.iter().filter(|head| shows(Unit::Household, &head.id)) {
        let (person, classes) = match head.id.as_str() {
            "head-age" => ("age", random.pick(&AGE_CLASSES).to_vec()),
            id => (id, (0..Tree::new(head).leaves.len() as u32).collect()),
        };
        if shows(Unit::Person, person) {
            heads.push(HeadPair { head: head.id.clone(), person: person.to_owned(), classes });
        }
    }
    Links { members: vec![members], heads }
}

fn zero(random: &mut Random, attributes: &[Dimension]) -> StructuralZero {
    let mut side = |dimension: &Dimension| {
        let leaves = Tree::new(dimension).leaves.len();
        let mut impossible = vec![false; leaves];
        impossible[random.below(leaves)] = true;
        ZeroSide { dimension: dimension.id.clone(), leaves: impossible }
    };
    let sides = attributes[..2].iter().map(&mut side).collect();
    StructuralZero { id: "zero".to_owned(), sides }
}

fn people_tables(random: &mut Random, attributes: &[Dimension], levels: &[String]) -> Vec<Table> {
    let finest = levels[levels.len() - 1].as_str();
    let ids: Vec<&str> = attributes.iter().map(|attribute| attribute.id.as_str()).collect();
    let mut axes: Vec<Vec<(&str, &str)>> = Vec::new();
    if let [a, b] = ids[..]
        && random.chance(40)
    {
        // Three tables of two dimensions, of which each pair shares a margin: sums can all be right where no list is.
        axes = vec![vec![("region", finest), (a, a)], vec![("region", finest), (b, b)], vec![(a, a), (b, b)]];
        if random.chance(40) {
            axes.remove(random.below(3));
        }
    } else {
        for _ in 0..1 + random.below(2) {
            let mut of_table: Vec<(&str, &str)> = Vec::new();
            if axes.is_empty() || random.chance(80) {
                of_table.push(("region", if random.chance(75) { finest } else { levels[random.below(levels.len())].as_str() }));
            }
            of_table.extend(ids.iter().filter(|_| random.chance(60)).map(|id| (*id, *id)));
            if of_table.is_empty() {
                of_table.push((ids[0], ids[0]));
            }
            axes.push(of_table);
        }
    }
    if !axes.iter().flatten().any(|(dimension, _)| *dimension == "region") {
        axes[0].insert(0, ("region", finest));
    }
    if random.chance(10) {
        axes[0].reverse();
    }
    axes.iter().enumerate().map(|(at, axes)| table(&format!("people-{at}"), Unit::Person, axes)).collect()
}

fn household_tables(random: &mut Random, of_heads: &[&str], levels: &[String]) -> Vec<Table> {
    let finest = levels[levels.len() - 1].as_str();
    let mut axes: Vec<Vec<(&str, &str)>> = Vec::new();
    for at in 0..1 + random.weighted(&[70, 30]) {
        let level = if random.chance(75) { finest } else { levels[random.below(levels.len())].as_str() };
        let mut of_table = vec![("region", level)];
        if random.chance(50) {
            let head = *random.pick(of_heads);
            of_table.push((head, head));
        }
        if at == 0 || random.chance(70) {
            of_table.push((SIZE, SIZE));
        }
        axes.push(of_table);
    }
    axes.iter().enumerate().map(|(at, axes)| table(&format!("households-{at}"), Unit::Household, axes)).collect()
}

fn plan(random: &mut Random, register: &Register) -> Plan {
    let leaves: Vec<usize> = register.dimensions.iter().map(|dimension| Tree::new(dimension).leaves.len()).collect();
    let at = |id: &str| register.dimensions.iter().position(|dimension| dimension.id == id);
    let pair = register.links.heads.iter().find(|pair| pair.head == "head-age");
    let classes = pair.map_or_else(|| AGE_CLASSES[0].to_vec(), |pair| pair.classes.clone());
    let head_age = at("head-age").zip(at("age")).map(|(head, person)| (head, person, classes));
    let link = register.links.members.first();
    let shared = link.iter().flat_map(|link| &link.shared).filter(|id| *id != "region").map(|id| register.dimension(id)).collect();
    let most = link.and_then(|link| link.members.last()).and_then(|last| last.most);
    let largest = most.unwrap_or(5 + random.below(3) as u32) as usize;
    let villages = (0..leaves[0]).map(|_| 1 + random.below(6)).collect();
    Plan { leaves, head_age, villages, shared, largest, sizes: random.pick(&LIKELY_MEMBERS).to_vec() }
}

fn rule(random: &mut Random, register: &Register) -> Rule {
    let threshold = 2 + random.weighted(&[40, 35, 15, 10]) as u32;
    let reach = if random.chance(25) { Reach::Beyond } else { Reach::Rule };
    let contributors = if register.has_households() { 1 + random.weighted(&[30, 50, 20]) as u32 } else { 1 };
    let has_faith = register.dimensions.iter().any(|dimension| dimension.id == "faith");
    let group = (has_faith && random.chance(25))
        .then(|| GroupRule { below: threshold + random.below(7) as u32, dimensions: vec!["faith".to_owned()] });
    Rule { threshold, reach, group, contributors }
}

impl Plan {
    /// Somebody in a village, of a household.
    pub fn person(&self, random: &mut Random, register: &Register, village: u32, head: Option<&Person>) -> Person {
        for _ in 0..50 {
            let mut leaves: Vec<u32> = self.leaves.iter().map(|&count| random.below(count).min(random.below(count + 1)) as u32).collect();
            if let Some(head) = head {
                // Families are of one faith, mostly.
                for (at, dimension) in register.dimensions.iter().enumerate() {
                    if self.shared.contains(&at) || dimension.id == "faith" && random.chance(75) {
                        leaves[at] = head.leaves[at];
                    }
                }
            }
            leaves[0] = village;
            if let Some((head, person, classes)) = &self.head_age {
                leaves[*head] = classes[leaves[*person] as usize];
            }
            if !is_impossible(register, &leaves) {
                return Person { leaves, household: 0, is_head: false };
            }
        }
        // Whatever the head is can occur, and so can his double.
        let head = head.expect("a zero leaves most combinations possible");
        Person { leaves: head.leaves.clone(), household: 0, is_head: false }
    }

    /// A household in a village; with a head, or nobody, or two people who say so.
    pub fn household(&self, random: &mut Random, register: &Register, village: u32, key: u32, heads: usize) -> Vec<Person> {
        let members = (1 + random.weighted(&self.sizes)).clamp(heads.max(1), self.largest.max(heads));
        let head = self.person(random, register, village, None);
        let mut people = vec![head.clone()];
        while people.len() < members {
            people.push(self.person(random, register, village, Some(&head)));
        }
        for (at, person) in people.iter_mut().enumerate() {
            person.household = key;
            person.is_head = at < heads;
        }
        people
    }

    /// A village at random.
    pub fn village(&self, random: &mut Random) -> u32 {
        random.weighted(&self.villages) as u32
    }
}

/// Whether a combination of base leaves cannot occur.
pub fn is_impossible(register: &Register, leaves: &[u32]) -> bool {
    let on_side = |side: &ZeroSide| side.leaves[leaves[register.dimension(&side.dimension)] as usize];
    register.zeros.iter().any(|zero| zero.sides.iter().all(on_side))
}

fn people(random: &mut Random, register: &Register, plan: &Plan) -> Vec<Person> {
    let wanted = 8 + random.below(18);
    let with_others = random.chance(20);
    let mut people = Vec::new();
    for key in 0..2 + random.below(9).max(random.below(9)) as u32 {
        if key >= 2 && people.len() >= wanted {
            break;
        }
        let heads = if with_others && key > 0 && random.chance(20) { *random.pick(&[0, 0, 2]) } else { 1 };
        let village = plan.village(random);
        people.extend(plan.household(random, register, village, key, heads));
    }
    people
}
