//! Random small linked tables: no primary's range is narrower than promised, by exhaustive search over whole numbers.

use std::collections::HashMap;

use cacah::{
    audit::{Effort, audit},
    protect::{Protected, Settings, protect},
    register::{Dimension, Status, StructuralZero, Unit, ZeroSide},
    worlds::{GroupRule, Reach, Rule},
};

use super::country::Random;
use super::synthetic::{Owned, census, dimension, sums, table};

/// A random tree with up to three levels below the total.
fn tree(random: &mut Random, id: &str, widest: usize, deepest: usize) -> Dimension {
    let mut nodes = vec![("T".to_owned(), None, 0u8)];
    let levels = ["total", "one", "two", "three"];
    fn grow(random: &mut Random, nodes: &mut Vec<(String, Option<u32>, u8)>, at: u32, level: u8, deepest: u8, widest: usize) {
        let children = if level == 1 { 1 + random.below(widest) } else { random.below(widest + 1) };
        // Siblings share a level; a level may be left out, which makes the tree ragged.
        let on = if level < deepest && random.below(5) == 0 { level + 1 } else { level };
        for child in 0..children {
            let next = nodes.len() as u32;
            let code = format!("{}.{child}", nodes[at as usize].0);
            nodes.push((code, Some(at), on));
            if on < deepest {
                grow(random, nodes, next, on + 1, deepest, widest);
            }
        }
    }
    let deepest = 1 + random.below(deepest);
    grow(random, &mut nodes, 0, 1, deepest as u8, widest);
    dimension(id, &levels[..=deepest], nodes)
}

fn case(seed: u64) -> Owned {
    let mut random = Random::new(seed);
    let dimensions =
        vec![tree(&mut random, "region", 3, 3), tree(&mut random, "a", 3, 2), tree(&mut random, "b", 2, 2), tree(&mut random, "c", 3, 1)];
    let mut tables = Vec::new();
    for at in 0..1 + random.below(3) {
        let mut axes = Vec::new();
        for dimension in &dimensions {
            if random.below(10) < if dimension.id == "region" { 9 } else { 6 } {
                let level = &dimension.levels[random.below(dimension.levels.len())];
                axes.push((dimension.id.clone(), level.id.clone()));
            }
        }
        if axes.is_empty() {
            axes.push(("region".to_owned(), "total".to_owned()));
        }
        if random.below(4) == 0 {
            let last = axes.len() - 1;
            axes.swap(0, last);
        }
        let axes: Vec<(&str, &str)> = axes.iter().map(|(dimension, level)| (dimension.as_str(), level.as_str())).collect();
        let unit = if random.below(6) == 0 { Unit::Household } else { Unit::Person };
        tables.push(table(&format!("t{at}"), &axes, unit));
    }
    let bases: Vec<usize> = dimensions.iter().map(|dimension| dimension.base_leaves().len()).collect();
    let mut zeros = Vec::new();
    if random.below(2) == 0 {
        let mut side = |at: usize| ZeroSide {
            dimension: dimensions[at].id.clone(),
            // Never the whole dimension: that would be a rule on the others alone.
            leaves: (0..bases[at]).map(|leaf| leaf + 1 < bases[at] && (leaf == 0 || random.below(3) == 0)).collect(),
        };
        zeros.push(StructuralZero { id: "zero".into(), sides: vec![side(1), side(2)] });
    }
    let shapes: Vec<_> = tables.iter().map(|table| cacah::register::Shape::new(table, &dimensions).unwrap()).collect();
    let mut leaves: Vec<Vec<u32>> = shapes.iter().map(|shape| vec![0; shape.leaf_cells as usize]).collect();
    let skew = 1 + random.below(3);
    for unit in [Unit::Person, Unit::Household] {
        for _ in 0..random.below(60) {
            let draw = |random: &mut Random, count: usize| (0..skew).map(|_| random.below(count)).min().unwrap();
            let person: Vec<usize> = bases.iter().map(|&count| draw(&mut random, count)).collect();
            let barred = zeros.iter().any(|zero| {
                zero.sides.iter().all(|side| side.leaves[person[dimensions.iter().position(|d| d.id == side.dimension).unwrap()]])
            });
            if barred {
                continue;
            }
            for ((table, shape), leaves) in tables.iter().zip(&shapes).zip(&mut leaves) {
                if table.unit == unit {
                    let at = |axis: &cacah::register::TableAxis| dimensions.iter().position(|d| d.id == axis.dimension).unwrap();
                    let leaf: u64 = table
                        .axes
                        .iter()
                        .zip(&shape.axes)
                        .zip(&shape.leaf_strides)
                        .map(|((table_axis, axis), stride)| u64::from(axis.base_to_leaf[person[at(table_axis)]]) * stride)
                        .sum();
                    leaves[leaf as usize] += 1;
                }
            }
        }
    }
    Owned::new(dimensions, tables, &zeros, leaves).unwrap()
}

/// All sums over suppressed cells, in whole numbers, with shared cells as one unknown.
struct Attack {
    unknowns: HashMap<(usize, u64), usize>,
    equations: Vec<(Vec<(usize, i64)>, i64)>,
    count: usize,
}

fn system(owned: &Owned, protected: &Protected) -> Attack {
    let mut keys: HashMap<(bool, Vec<(String, u32)>), usize> = HashMap::new();
    let mut attack = Attack { unknowns: HashMap::new(), equations: Vec::new(), count: 0 };
    for (at, (table, shape)) in owned.tables.iter().zip(&owned.shapes).enumerate() {
        for cell in 0..shape.cells {
            if protected.statuses[at][cell as usize] != Status::Suppressed {
                continue;
            }
            let key = shape
                .coordinates(cell)
                .into_iter()
                .zip(&table.axes)
                .zip(&shape.axes)
                .map(|((position, table_axis), axis)| (table_axis.dimension.clone(), axis.nodes[position as usize]))
                .filter(|(_, node)| *node != 0);
            let mut key: Vec<_> = key.collect();
            key.sort();
            let next = keys.len();
            let unknown = *keys.entry((table.unit == Unit::Person, key)).or_insert(next);
            attack.unknowns.insert((at, cell), unknown);
        }
    }
    attack.count = keys.len();
    for (at, shape) in owned.shapes.iter().enumerate() {
        for (cell, parts) in sums(shape) {
            let (mut terms, mut known) = (Vec::new(), 0);
            for (cell, sign) in [(cell, 1)].into_iter().chain(parts.into_iter().map(|part| (part, -1))) {
                match attack.unknowns.get(&(at, cell)) {
                    Some(&unknown) => terms.push((unknown, sign)),
                    None => known -= sign * i64::from(owned.counts[at][cell as usize]),
                }
            }
            if !terms.is_empty() {
                attack.equations.push((terms, known));
            }
        }
    }
    attack
}

/// Whether some whole-number world keeps the bounds; `None`: too many to look at.
fn exists(attack: &Attack, mut low: Vec<i64>, mut high: Vec<i64>, budget: &mut u32) -> Option<bool> {
    *budget = budget.checked_sub(1)?;
    loop {
        let mut changed = false;
        for (terms, known) in &attack.equations {
            let least: i64 = terms.iter().map(|&(at, sign)| if sign > 0 { low[at] } else { -high[at] }).sum();
            let most: i64 = terms.iter().map(|&(at, sign)| if sign > 0 { high[at] } else { -low[at] }).sum();
            if least > *known || most < *known {
                return Some(false);
            }
            for &(at, sign) in terms {
                // What the others leave for this one.
                let (own_least, own_most) = if sign > 0 { (low[at], high[at]) } else { (-high[at], -low[at]) };
                let (from, to) = (known - (most - own_most), known - (least - own_least));
                let (from, to) = if sign > 0 { (from, to) } else { (-to, -from) };
                if from > low[at] {
                    low[at] = from;
                    changed = true;
                }
                if to < high[at] {
                    high[at] = to;
                    changed = true;
                }
                if low[at] > high[at] {
                    return Some(false);
                }
            }
        }
        if !changed {
            break;
        }
    }
    let Some(at) = (0..attack.count).filter(|&at| low[at] < high[at]).min_by_key(|&at| high[at] - low[at]) else {
        return Some(true);
    };
    for value in low[at]..=high[at] {
        let (mut low, mut high) = (low.clone(), high.clone());
        low[at] = value;
        high[at] = value;
        if exists(attack, low, high, budget)? {
            return Some(true);
        }
    }
    Some(false)
}

fn check(seed: u64, rule: &Rule, tally: &mut (u32, u32)) {
    let owned = case(seed);
    let mut settings = Settings::new(rule.clone());
    settings.threads = 1 + (seed % 2) as usize;
    let protected = protect(&census(&owned.borrowed()), &settings, &[]).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    let effort = Effort { threads: 1, largest_whole: 60, ..Effort::default() };
    let report = audit(&census(&owned.borrowed()), &protected.statuses, &protected.proof, rule, &effort, &[]).unwrap();
    assert!(report.is_clean(), "seed {seed}: {:?} {:?}", report.faults, report.examples);
    let attack = system(&owned, &protected);
    let most: i64 = owned.counts.iter().flatten().map(|&count| i64::from(count)).max().unwrap_or(0) + 10;
    for (&(table, cell), &unknown) in &attack.unknowns {
        let count = owned.counts[table][cell as usize];
        if !rule.is_small(count) {
            continue;
        }
        for is_high in [false, true] {
            let (mut low, mut high) = (vec![0; attack.count], vec![most; attack.count]);
            if is_high {
                low[unknown] = i64::from(rule.high());
            } else {
                high[unknown] = i64::from(rule.low());
            }
            match exists(&attack, low, high, &mut 20_000) {
                Some(found) => {
                    tally.0 += 1;
                    assert!(found, "seed {seed}: table {table} cell {cell} with {count} cannot be {is_high}");
                }
                None => tally.1 += 1,
            }
        }
    }
}

#[test]
fn no_range_is_narrower_than_promised() {
    let cases: u64 = std::env::var("CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(2000);
    let mut tally = (0, 0);
    let only: Option<u64> = std::env::var("SEED").ok().and_then(|text| text.parse().ok());
    for seed in only.map_or(0..cases, |seed| seed..seed + 1) {
        let reach = if seed % 3 == 0 { Reach::Beyond } else { Reach::Rule };
        check(seed, &Rule { reach, ..Rule::threshold(2 + (seed % 4) as u32) }, &mut tally);
    }
    println!("{} ends found by search, {} given up", tally.0, tally.1);
    assert!(tally.0 > 20 * tally.1);
}

#[test]
fn small_groups_may_lie_in_several_categories() {
    for seed in 0..500 {
        let group = GroupRule { below: 6, dimensions: vec!["a".into(), "c".into()] };
        check(seed, &Rule { group: Some(group), ..Rule::threshold(3) }, &mut (0, 0));
    }
}
