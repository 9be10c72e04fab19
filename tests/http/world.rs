//! A made-up country that counts itself three times, and what is true of it.
//!
//! Between the second and the third count regency 1102 is gone and 1103 and 1202 are new. The first count shows people by age
//! band only. The table `sparse` is missing from the second count, `gone` from all but the first. The second count was
//! corrected.
//!
//! Every release is protected, audited and published as `cacah release` does it. What a cell must say is then told by two
//! witnesses that know nothing of the service: people counted here one by one, and the release's own files.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use cacah::{
    audit::{Effort, certify},
    error::Result,
    protect::{Settings, protect},
    register::{Definitions, Links, Shape, ZeroMask},
    release::{Draft, Published},
    storage::Store,
    worlds::{Audited, Census, Counted, Rule},
};

use super::toyland::{NEW_REGIONS, OLD_REGIONS, definitions};
use crate::pipeline::cells;

pub const PERIODS: [&str; 3] = ["2023-S2", "2024-S1", "2024-S2"];
pub const THRESHOLD: u32 = 5;
/// Publications that make the world.
pub const STEPS: usize = 4;
/// People in one leaf of every dimension are fewer than this.
const CROWD: u64 = 40;

/// One count of the country.
pub struct Count {
    pub period: &'static str,
    pub definitions: Definitions,
    /// Other seeds, other numbers.
    pub seed: u64,
}

pub struct World {
    pub counts: Vec<Count>,
    /// What the files of the releases in force show: by period and table, codes joined by '/', value and mark.
    released: HashMap<(&'static str, String), Cells>,
}

type Cells = BTreeMap<String, (Option<u32>, Option<String>)>;

/// What must stand in a cell: a number, or the mark of a status.
pub type Truth = Result<u64, &'static str>;

/// The finest counts and marginals of every table, with what [`Counted`] borrows.
pub struct Tables {
    shapes: Vec<Shape>,
    zeros: Vec<ZeroMask>,
    counts: Vec<Vec<u32>>,
}

impl Tables {
    /// The tables as protection and audit take them.
    pub fn counted<'a>(&'a self, definitions: &'a Definitions) -> Vec<Counted<'a>> {
        let parts = definitions.tables.iter().zip(&self.shapes).zip(self.zeros.iter().zip(&self.counts));
        parts.map(|((table, shape), (zeros, counts))| Counted { table, shape, zeros, counts, few: &[] }).collect()
    }
}

impl World {
    pub fn new() -> Self {
        let count =
            |period, regions, age, seed, tables: &[&'static str]| Count { period, definitions: definitions(regions, age, tables), seed };
        Self {
            released: HashMap::new(),
            counts: vec![
                count(PERIODS[0], OLD_REGIONS, "band", 1, &["people", "bands", "sparse", "gone"]),
                count(PERIODS[1], OLD_REGIONS, "year", 2, &["people", "bands"]),
                count(PERIODS[2], NEW_REGIONS, "year", 3, &["people", "bands", "sparse"]),
            ],
        }
    }

    /// Publishes every count; the second one twice, because the first time it was wrong.
    pub async fn publish(&self, store: &Store) {
        for step in 0..STEPS {
            self.publish_step(store, step).await;
        }
    }

    /// One of the publications, in their order.
    pub async fn publish_step(&self, store: &Store, step: usize) {
        let [first, second, third] = &self.counts[..] else { unreachable!("there are three counts") };
        match step {
            0 => first.publish(store, None).await,
            1 => second.wrong().publish(store, None).await,
            2 => second.publish(store, Some("counted the toys")).await,
            _ => third.publish(store, None).await,
        }
    }

    /// Reads the releases in force, so that the world can tell what of the truth they may show.
    pub fn read_releases(&mut self, folder: &Path) {
        for count in &self.counts {
            let revision = if count.period == PERIODS[1] { "r2" } else { "r1" };
            for table in &count.definitions.tables {
                let file = folder.join(count.period).join(revision).join(format!("cells/{}.parquet", table.id));
                self.released.insert((count.period, table.id.clone()), cells(&file));
            }
        }
    }

    /// What the service must say of a cell. Axes that `codes` does not name stand at their total.
    ///
    /// People are counted anew. The release's file decides which numbers are withheld, and must keep to the rule: what is
    /// published is true, what is small is withheld, what cannot be is marked.
    pub fn truth(&self, period: &str, table: &str, codes: &[(&str, &str)]) -> Truth {
        let count = self.counts.iter().find(|count| count.period == period).unwrap();
        for (variable, code) in codes {
            let dimension = count.definitions.dimensions.iter().find(|dimension| dimension.variable == *variable).unwrap();
            if !dimension.nodes.iter().any(|node| node.code == *code) {
                return Err("z");
            }
        }
        let Some(found) = count.definitions.tables.iter().find(|known| known.id == table) else { return Err("x") };
        let mut inside: Vec<Vec<bool>> = Vec::new();
        for dimension in &count.definitions.dimensions {
            let code = codes
                .iter()
                .find(|(variable, _)| *variable == dimension.variable)
                .map_or(dimension.nodes[0].code.as_str(), |(_, code)| code);
            let at = dimension.positions()[code];
            if let Some(axis) = found.axes.iter().find(|axis| axis.dimension == dimension.id)
                && dimension.nodes[at as usize].level > dimension.level(&axis.level).unwrap()
            {
                return Err("x");
            }
            let leaves = dimension.base_leaves();
            inside.push(leaves.iter().map(|&leaf| dimension.ancestor(leaf, dimension.nodes[at as usize].level) == at).collect());
        }
        let impossible = codes.contains(&("Sex", "L")) && codes.contains(&("Age", "O"));
        let people = count.people(&inside);
        let dimension = |id: &str| count.definitions.dimension(id).unwrap().1;
        let axes = found.axes.iter().map(|axis| dimension(&axis.dimension));
        let key: Vec<&str> = axes
            .map(|dimension| {
                let chosen = codes.iter().find(|(variable, _)| *variable == dimension.variable);
                chosen.map_or(dimension.nodes[0].code.as_str(), |(_, code)| code)
            })
            .collect();
        let (value, mark) = &self.released[&(count.period, table.to_owned())][&key.join("/")];
        match mark.as_deref() {
            Some("z") => assert!(impossible && people == 0 && value.is_none(), "{period} {table} {codes:?}"),
            Some("c") => assert!(!impossible && value.is_none(), "{period} {table} {codes:?}"),
            mark => {
                assert_eq!((mark, *value), (None, Some(people)), "{period} {table} {codes:?}");
                assert!(!impossible && !(1..THRESHOLD).contains(&people), "{period} {table} {codes:?} is published");
            }
        }
        match mark.as_deref() {
            Some("z") => Err("z"),
            Some(_) => Err("c"),
            None => Ok(u64::from(people)),
        }
    }
}

/// The tables as one system, in which units are protected apart.
pub fn census<'a>(counted: &'a [Counted<'a>], definitions: &'a Definitions, links: &'a Links) -> Census<'a> {
    Census { tables: counted, joint: &[], members: &[], links, dimensions: &definitions.dimensions }
}

impl Count {
    /// The same count with other numbers.
    pub fn wrong(&self) -> Self {
        Self { period: self.period, definitions: self.definitions.clone(), seed: 99 }
    }

    /// People who live in one base leaf of each dimension.
    fn leaf(&self, leaves: &[usize]) -> u32 {
        let dimension = |id: &str| self.definitions.dimension(id).unwrap().0;
        let (sex, age) = (leaves[dimension("sex")], leaves[dimension("age")]);
        if sex == 0 && age == 4 {
            return 0;
        }
        let mut state = self.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for &leaf in leaves {
            state = (state ^ leaf as u64).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            state ^= state >> 29;
        }
        (state % CROWD) as u32
    }

    /// People in all combinations of the leaves marked, dimension by dimension.
    fn people(&self, inside: &[Vec<bool>]) -> u32 {
        let mut total = 0;
        let mut at = vec![0; inside.len()];
        loop {
            if at.iter().zip(inside).all(|(&leaf, marks)| marks[leaf]) {
                total += self.leaf(&at);
            }
            let mut turn = inside.len();
            loop {
                if turn == 0 {
                    return total;
                }
                turn -= 1;
                at[turn] += 1;
                if at[turn] < inside[turn].len() {
                    break;
                }
                at[turn] = 0;
            }
        }
    }

    /// Publishes this count.
    pub async fn publish(&self, store: &Store, correction: Option<&str>) {
        let draft = self.draft(store, correction).await.unwrap();
        self.finish(draft).await.unwrap();
    }

    /// Begins to publish this count.
    pub async fn draft<'a>(&'a self, store: &'a Store, correction: Option<&str>) -> Result<Draft<'a>> {
        Draft::start(store, &self.definitions, self.period.parse().unwrap(), correction.map(str::to_owned), 0).await
    }

    /// Publishes a draft of this count.
    pub async fn finish(&self, mut draft: Draft<'_>) -> Result<Published> {
        self.fill(&mut draft)?;
        draft.publish().await
    }

    /// Adds this count's tables to a draft, and whatever else a release has.
    pub fn fill(&self, draft: &mut Draft<'_>) -> Result<()> {
        let tables = self.tables();
        let counted = tables.counted(&self.definitions);
        draft.fill(&counted, &self.audited(&counted))?;
        draft.complete()
    }

    /// Counts every table.
    pub fn tables(&self) -> Tables {
        let shapes: Vec<Shape> = self.definitions.tables.iter().map(|table| self.definitions.shape(table)).collect();
        let of_each = || self.definitions.tables.iter().zip(&shapes);
        let zeros = of_each().map(|(table, shape)| ZeroMask::new(table, shape, &self.definitions.zeros)).collect();
        let counts = of_each().map(|(table, shape)| (0..shape.cells).map(|cell| self.cell(table, shape, cell)).collect()).collect();
        Tables { zeros, counts, shapes }
    }

    fn audited(&self, counted: &[Counted<'_>]) -> Audited {
        let rule = Rule::threshold(THRESHOLD);
        let settings = Settings { threads: 1, ..Settings::new(rule.clone()) };
        let links = Links::default();
        let census = census(counted, &self.definitions, &links);
        let protected = protect(&census, &settings, &[]).unwrap();
        let effort = Effort { threads: 1, largest: 60, windows: 5, ..Effort::default() };
        certify(&census, protected.statuses, &protected.proof, &rule, &effort, &[]).unwrap().unwrap()
    }

    fn cell(&self, table: &cacah::register::Table, shape: &Shape, cell: u64) -> u32 {
        let coordinates = shape.coordinates(cell);
        let inside: Vec<Vec<bool>> = self
            .definitions
            .dimensions
            .iter()
            .map(|dimension| {
                let leaves = dimension.base_leaves().len();
                match table.axes.iter().position(|axis| axis.dimension == dimension.id) {
                    None => vec![true; leaves],
                    Some(axis) => {
                        let bases = &shape.axes[axis].bases[coordinates[axis] as usize];
                        (0..leaves as u32).map(|leaf| bases.contains(&leaf)).collect()
                    }
                }
            })
            .collect();
        self.people(&inside)
    }
}
