//! A made-up country over the shipped definitions, counted directly into cubes: every table comes from the same people.
//!
//! Sizes follow Indonesia's: villages log-normal around 2,600 people (urban ones larger), 102 to 24 villages a district.
//! Ages, marital states, occupations and religions have realistic shares with noise per village and regency, so that
//! small counts are as frequent as in a real register. Nothing here is true of anybody.

use cacah::{
    error::{Error, Result},
    register::{Definitions, Unit, shipped},
};

use super::synthetic::{Members, Owned};

/// A small generator (SplitMix64) whose numbers never change.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 up to 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// From 0 up to `below`.
    pub fn below(&mut self, below: usize) -> usize {
        (self.unit() * below as f64) as usize
    }

    /// Standard normal.
    pub fn normal(&mut self) -> f64 {
        let (a, b) = (self.unit().max(1e-12), self.unit());
        (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    }
}

/// Draws from fixed shares by table lookup.
#[derive(Debug, Clone)]
struct Shares(Vec<u16>);

impl Shares {
    fn new(weights: &[f64]) -> Self {
        const SLOTS: f64 = 4096.0;
        let sum: f64 = weights.iter().sum();
        let mut slots = Vec::with_capacity(4096);
        let mut reached = 0.0;
        for (at, weight) in weights.iter().enumerate() {
            reached += weight / sum * SLOTS;
            while (slots.len() as f64) + 0.5 < reached {
                slots.push(at as u16);
            }
        }
        while slots.len() < 4096 {
            slots.push(slots.last().copied().unwrap_or(0));
        }
        Self(slots)
    }

    fn draw(&self, random: &mut Random) -> usize {
        self.0[(random.bits() >> 52) as usize] as usize
    }
}

/// A region reference of so many provinces; about 13.5 regencies a province, 14 districts a regency, 11.5 villages a district.
pub fn regions(provinces: usize, seed: u64) -> String {
    let mut random = Random::new(seed);
    let mut text = String::from("code,name,level,parent\n");
    for province in 11..11 + provinces {
        text += &format!("{province},P{province},province,\n");
        for regency in 1..=6 + random.below(16) {
            text += &format!("{province}.{regency:02},R,regency,{province}\n");
            for district in 1..=5 + random.below(19) {
                text += &format!("{province}.{regency:02}.{district:02},D,district,{province}.{regency:02}\n");
                for village in 1..=4 + random.below(16) {
                    text += &format!(
                        "{province}.{regency:02}.{district:02}.{:04},V,village,{province}.{regency:02}.{district:02}\n",
                        2000 + village
                    );
                }
            }
        }
    }
    text
}

/// Makes the country: all shipped tables over `provinces` provinces with `people` times a village's usual size.
pub fn make(provinces: usize, people: f64, seed: u64) -> Result<(Definitions, Owned)> {
    make_over(&regions(provinces, seed), people, seed)
}

/// Makes a country over this region reference.
pub fn make_over(regions: &str, people: f64, seed: u64) -> Result<(Definitions, Owned)> {
    let definitions = Definitions::parse(&shipped(), Some(("regions.csv", regions)))?;
    let owned = count(&definitions, people, seed)?;
    Ok((definitions, owned))
}

fn missing(what: &str) -> Error {
    Error::Input(format!("the definitions have no {what}"))
}

fn count(definitions: &Definitions, people: f64, seed: u64) -> Result<Owned> {
    let at = |id: &str| definitions.dimension(id).map(|(at, _)| at).ok_or_else(|| missing(id));
    let (region, sex, age, marital) = (at("region")?, at("sex")?, at("age")?, at("marital")?);
    let (occupation, religion, size) = (at("occupation")?, at("religion")?, at("household-size")?);
    // Ages of heads are classes of ages.
    let head_age = at("head-age")?;
    let classes = &definitions.links.heads.iter().find(|pair| pair.head == "head-age").ok_or_else(|| missing("ages of heads"))?.classes;
    let dimensions = &definitions.dimensions;
    let bases: Vec<Vec<u32>> = dimensions.iter().map(|dimension| dimension.base_leaves()).collect();
    let shapes: Vec<_> = definitions.tables.iter().map(|table| definitions.shape(table)).collect();
    let mut leaves: Vec<Vec<u32>> = shapes.iter().map(|shape| vec![0; shape.leaf_cells as usize]).collect();
    // Per table and axis: base leaf to distance in the leaf numbering.
    let steps: Vec<Vec<(usize, Vec<u64>)>> = definitions
        .tables
        .iter()
        .zip(&shapes)
        .map(|(table, shape)| {
            let axes = table.axes.iter().zip(&shape.axes).zip(&shape.leaf_strides);
            axes.map(|((table_axis, axis), stride)| {
                let dimension = definitions.dimension(&table_axis.dimension).map_or(0, |(at, _)| at);
                (dimension, axis.base_to_leaf.iter().map(|&leaf| u64::from(leaf) * stride).collect())
            })
            .collect()
        })
        .collect();
    let units: Vec<Unit> = definitions.tables.iter().map(|table| table.unit).collect();
    let code_of = |dimension: usize, base: usize| dimensions[dimension].nodes[bases[dimension][base] as usize].code.as_str();
    let mut random = Random::new(seed ^ 0x5eed);
    // Occupations: students, housekeeping, not working, farmers and labourers dominate; the other codes are ever rarer.
    let jobs: Vec<f64> = (0..bases[occupation].len())
        .map(|base| match code_of(occupation, base) {
            "09" => 12.0,
            "15" => 10.0,
            "88" => 14.0,
            "19" => 4.0,
            "99" => 1.0,
            "01" | "02" | "03" | "04" => 0.0,
            code => 3.0 / (1.0 + (code.parse::<f64>().unwrap_or(50.0) * 7.0) % 89.0).powf(1.3),
        })
        .collect();
    let by_code = |code: &str| (0..bases[occupation].len()).find(|&base| code_of(occupation, base) == code).unwrap_or(0);
    let (idle, keeping, student, pensioner) = (by_code("01"), by_code("02"), by_code("03"), by_code("04"));
    let faiths = [80.0, 7.0, 3.0, 2.0, 0.7, 0.05, 0.03];
    let mut faith = Shares::new(&faiths);
    let mut job = Shares::new(&jobs);
    let mut kin = 0;
    let mut place = vec![0usize; dimensions.len()];
    let mut members = vec![0; bases[region].len()];
    for village in 0..bases[region].len() {
        let node = bases[region][village];
        let district = dimensions[region].nodes[node as usize].parent.unwrap_or(0);
        if district != kin {
            kin = district;
            let tilt = (random.normal() * 1.5).exp();
            let noisy: Vec<f64> = faiths
                .iter()
                .enumerate()
                .map(|(at, share)| share * (random.normal() * 1.2).exp() * if at == 0 { 1.0 } else { tilt })
                .collect();
            faith = Shares::new(&noisy);
            job = Shares::new(&jobs.iter().map(|share| share * (random.normal() * 0.7).exp()).collect::<Vec<_>>());
        }
        let ages: Vec<f64> = (0..bases[age].len())
            .map(|year| {
                let year = year as f64;
                (if year < 55.0 { 1.7 } else { 1.7 * (-(year - 55.0) / 14.0).exp() }) * (random.normal() * 0.15).exp()
            })
            .collect();
        let ages = Shares::new(&ages);
        let inhabitants = ((2600.0 * people).ln() + 0.75 * random.normal()).exp() as usize + 30;
        for _ in 0..inhabitants {
            let years = ages.draw(&mut random);
            let male = random.bits() & 1 == 0;
            place[region] = village;
            place[sex] = usize::from(!male);
            place[age] = years;
            let chance = random.unit();
            let wed = ((years as f64 - 16.0) / 14.0).clamp(0.0, 0.93);
            place[marital] = if years < 17 || chance > wed {
                0
            } else if chance < wed * 0.03 {
                2
            } else if years > 40 && chance < wed * (0.03 + (years as f64 - 40.0) / if male { 400.0 } else { 100.0 }) {
                3
            } else {
                1
            };
            let chance = random.unit();
            place[occupation] = if years < 6 {
                idle
            } else if years < 16 || years < 23 && chance < 0.6 {
                if chance < 0.93 { student } else { idle }
            } else if years >= 60 && chance < 0.35 {
                if chance < 0.06 { pensioner } else { idle }
            } else if !male && chance < 0.5 {
                keeping
            } else if chance < 0.12 {
                idle
            } else {
                job.draw(&mut random)
            };
            place[religion] = faith.draw(&mut random);
            add(&mut leaves, &steps, &units, Unit::Person, &place);
            if years >= 18 && random.unit() < if male { 0.62 } else { 0.12 } {
                let drawn = (1.0 + 2.6 + 1.5 * random.normal()).round().max(1.0) as u32;
                // Members are people of the same village.
                if members[village] + drawn <= inhabitants as u32 {
                    place[size] = drawn.min(7) as usize - 1;
                    place[head_age] = classes[years] as usize;
                    members[village] += drawn;
                    add(&mut leaves, &steps, &units, Unit::Household, &place);
                }
            }
        }
    }
    let mut owned = Owned::new(dimensions.clone(), definitions.tables.clone(), &definitions.zeros, leaves)?;
    owned.links = definitions.links.clone();
    owned.members = definitions.members.iter().map(|table| Members::new(table.clone(), definitions.shape(table), &members)).collect();
    Ok(owned)
}

fn add(leaves: &mut [Vec<u32>], steps: &[Vec<(usize, Vec<u64>)>], units: &[Unit], unit: Unit, place: &[usize]) {
    for ((leaves, axes), of) in leaves.iter_mut().zip(steps).zip(units) {
        if *of == unit {
            let leaf: u64 = axes.iter().map(|(dimension, steps)| steps[place[*dimension]]).sum();
            leaves[leaf as usize] += 1;
        }
    }
}
