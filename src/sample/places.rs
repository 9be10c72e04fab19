//! Where the sample's people live: the villages of the definitions' region reference.

use std::collections::HashMap;

use super::{
    people::{Village, mix},
    texts::Habits,
};
use crate::{
    error::{Error, Result},
    register::{Definitions, RegionPart, Source},
};

/// The columns of the region code and their digits; the sample knows no other kind of code.
const PARTS: [(&str, u32); 4] = [("NO_PROP", 2), ("NO_KAB", 2), ("NO_KEC", 2), ("NO_KEL", 4)];

/// Fewer people than this do not make a village in which families are found for everybody.
const FEWEST: u64 = 60;

/// Last digits of identity numbers begin here. Real ones are counted up from 1 each day and rarely come so far, so the
/// numbers of living people are not hit.
pub const FIRST_SERIAL: u32 = 1000;
const SERIALS: u32 = 10_000 - FIRST_SERIAL;

/// Parts in a thousand that belong to the religions 1 to 7, by province; the last line is for all others.
const RELIGIONS: [(u8, [u16; 7]); 14] = [
    (11, [987, 8, 1, 1, 3, 0, 0]),
    (12, [668, 266, 40, 1, 23, 1, 1]),
    (34, [929, 24, 44, 1, 1, 0, 1]),
    (51, [101, 16, 9, 866, 6, 1, 1]),
    (53, [97, 362, 538, 1, 0, 0, 2]),
    (61, [602, 117, 222, 1, 50, 6, 2]),
    (62, [742, 169, 33, 50, 3, 0, 3]),
    (71, [322, 627, 45, 4, 1, 0, 1]),
    (81, [528, 395, 70, 4, 0, 0, 3]),
    (91, [270, 660, 67, 1, 1, 0, 1]),
    (92, [380, 540, 78, 1, 1, 0, 0]),
    (95, [20, 900, 80, 0, 0, 0, 0]),
    (31, [838, 86, 39, 2, 34, 1, 0]),
    (0, [890, 62, 26, 8, 12, 1, 1]),
];

/// A regency or city.
#[derive(Debug, Clone)]
pub struct Regency {
    /// Province and regency: 3401.
    pub code: u32,
    /// Name as it stands in the column of birthplaces: `BANTUL`.
    pub birthplace: String,
    /// How its offices write things.
    pub habits: Habits,
    /// Parts in a thousand of each religion, summed up.
    religions: [u16; 7],
}

impl Regency {
    /// The register code of a religion, from random bits.
    pub fn religion(&self, bits: u64) -> u8 {
        let draw = (bits % u64::from(self.religions[6])) as u16;
        self.religions.iter().position(|sum| draw < *sum).map_or(1, |at| at as u8 + 1)
    }

    /// Whether people of a religion bear Balinese names.
    pub fn balinese(&self, religion: u8) -> bool {
        self.code / 100 == 51 && religion == 4
    }
}

/// A village with people.
#[derive(Debug, Clone)]
pub struct Place {
    /// Everybody who was ever born here.
    pub village: Village,
    /// Province, regency, district and village as their columns hold them.
    pub parts: [i32; 4],
    /// First six digits of identity numbers.
    pub district: i64,
    /// Postal code.
    pub postal: i32,
    /// Position among the regencies.
    pub regency: usize,
    /// Town or country.
    pub town: bool,
    /// Random bits of the village.
    pub seed: u64,
    /// First and number of the last digits that identity numbers given out here may have.
    pub serials: (u32, u32),
}

/// Villages with people, in the order of their codes, and their regencies.
#[derive(Debug)]
pub struct Places {
    /// Villages.
    pub places: Vec<Place>,
    /// Regencies and cities.
    pub regencies: Vec<Regency>,
}

impl Places {
    /// Spreads about `persons` people over the villages of the definitions.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] where the regions are not Indonesian ones, or the people too few or too many for them.
    pub fn new(definitions: &Definitions, seed: u64, persons: u64) -> Result<Self> {
        let codes = village_codes(definitions)?;
        if persons < FEWEST {
            return Err(Error::Input(format!("a sample of {persons} people is too small; expected at least {FEWEST}")));
        }
        // Every n-th village only, where there would be less than a hamlet's people for each.
        let stride = (codes.len() as u64 * FEWEST).div_ceil(persons).max(1) as usize;
        let settled: Vec<&(u64, String)> = codes.iter().step_by(stride).collect();
        let weights: Vec<u64> = settled.iter().map(|(code, _)| weight(*code, mix(seed, *code))).collect();
        let total: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();

        let mut in_district: HashMap<u64, u32> = HashMap::new();
        for (code, _) in &settled {
            *in_district.entry(code / 10_000).or_default() += 1;
        }
        let mut before: HashMap<u64, u32> = HashMap::new();
        let mut places = Vec::with_capacity(settled.len());
        let mut regencies: Vec<Regency> = Vec::new();
        let mut sum = 0u128;
        for ((code, regency_name), weight) in settled.into_iter().zip(weights) {
            let upto = |sum: u128| (u128::from(persons) * sum / total) as u64;
            let people = upto(sum + u128::from(weight)) - upto(sum);
            sum += u128::from(weight);
            let seed = mix(seed, *code);
            let village = Village::new(seed, people);
            let room = SERIALS / in_district[&(code / 10_000)];
            if village.births_a_day() * 2 + 2 > u64::from(room / 4) {
                return Err(Error::Input(format!(
                    "{persons} people are too many for {} villages: identity numbers would run out; give a larger region reference or fewer people",
                    codes.len()
                )));
            }
            let position = before.entry(code / 10_000).or_default();
            let regency_code = (code / 1_000_000) as u32;
            if regencies.last().is_none_or(|last| last.code != regency_code) {
                regencies.push(regency(regency_code, regency_name, seed));
            }
            places.push(Place {
                village,
                parts: parts(*code),
                district: (code / 10_000) as i64,
                postal: postal(*code),
                regency: regencies.len() - 1,
                town: is_town(*code),
                seed,
                serials: (FIRST_SERIAL + *position * room, room),
            });
            *position += 1;
        }
        Ok(Self { places, regencies })
    }
}

/// Codes of all villages in order, each with the name of its regency.
fn village_codes(definitions: &Definitions) -> Result<Vec<(u64, String)>> {
    let regions = definitions.sources.iter().zip(&definitions.dimensions).find_map(|(source, dimension)| match source {
        Source::Region { parts, leaves } => Some((parts, leaves, dimension)),
        _ => None,
    });
    let fits = |parts: &[RegionPart]| parts.iter().map(|part| (part.column.as_str(), part.digits)).eq(PARTS);
    let Some((_, leaves, dimension)) = regions.filter(|(parts, _, _)| fits(parts)) else {
        let expected = PARTS.map(|(column, digits)| format!("{column} ({digits} digits)")).join(", ");
        return Err(Error::Input(format!(
            "the sample is a snapshot of Indonesia's register; expected definitions whose regions come from {expected}"
        )));
    };
    let base = dimension.base_leaves();
    let regency = dimension.levels.len().saturating_sub(3) as u8;
    let mut codes: Vec<(u64, String)> = leaves
        .iter()
        .map(|(code, leaf)| {
            let mut node = &dimension.nodes[base[*leaf as usize] as usize];
            while let Some(parent) = node.parent.filter(|_| node.level > regency) {
                node = &dimension.nodes[parent as usize];
            }
            (*code, node.label.text(0).to_owned())
        })
        .collect();
    codes.sort_unstable();
    if codes.is_empty() {
        return Err(Error::Input("the region reference has no villages; expected some with codes of ten digits".to_owned()));
    }
    Ok(codes)
}

fn parts(code: u64) -> [i32; 4] {
    [(code / 100_000_000) as i32, (code / 1_000_000 % 100) as i32, (code / 10_000 % 100) as i32, (code % 10_000) as i32]
}

/// Cities, and those villages that the register calls kelurahan.
fn is_town(code: u64) -> bool {
    code / 1_000_000 % 100 >= 71 || code / 1000 % 10 == 1
}

/// Relative number of people: a long tail, towns larger.
fn weight(code: u64, bits: u64) -> u64 {
    let tail = 100 + 50_000 / (20 + bits % 1000);
    let town = if code / 1000 % 10 == 1 { 5 } else { 2 };
    let city = if code / 1_000_000 % 100 >= 71 { 3 } else { 2 };
    tail * town * city
}

fn postal(code: u64) -> i32 {
    let [province, regency, district, _] = parts(code);
    let zone = match province {
        34 => 55,
        51 => 80,
        31 => 10,
        other => other,
    };
    zone * 1000 + regency % 10 * 100 + district
}

fn regency(code: u32, name: &str, seed: u64) -> Regency {
    let upper = name.to_uppercase();
    let short = ["KABUPATEN ADMINISTRASI ", "KOTA ADMINISTRASI ", "KABUPATEN ", "KOTA ", "KAB. ADM. ", "KAB. "]
        .iter()
        .find_map(|kind| upper.strip_prefix(kind))
        .unwrap_or(&upper);
    let shares = RELIGIONS.iter().find(|(province, _)| u32::from(*province) == code / 100).unwrap_or(&RELIGIONS[RELIGIONS.len() - 1]).1;
    let mut religions = shares;
    for at in 1..religions.len() {
        religions[at] += religions[at - 1];
    }
    Regency { code, birthplace: short.to_owned(), habits: Habits::new(mix(seed, 2)), religions }
}
