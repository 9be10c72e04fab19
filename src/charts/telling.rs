//! What pictures tell beside their numbers: notes, names that are told apart, marked ages, breaks, the source.

use std::collections::HashMap;

use super::draw::{classes::Method, frame::Value};
use crate::{
    tables::{Library, UnionDimension},
    words::{self, Tongue},
};

/// What is said below a map: how classes were made, and how many regions have no place on it.
pub fn map_notes(method: &Method, missing: usize, tongue: Tongue) -> Vec<String> {
    let missing = (missing > 0).then(|| words::CHART_NO_PLACE.with(missing as u64).text(tongue));
    std::iter::once(method_note(method, tongue)).chain(missing).collect()
}

/// How classes were made.
pub fn method_note(method: &Method, tongue: Tongue) -> String {
    let phrase = match method {
        Method::Quantile(_) => &words::CLASSES_QUANTILE,
        Method::Equal(_) => &words::CLASSES_EQUAL,
        Method::Fixed(_) => &words::CLASSES_FIXED,
    };
    phrase.text(tongue).to_owned()
}

/// What is said below a ranking: how many of the categories it shows, and how many are withheld.
pub fn ranking_notes(values: &[Value], shown: usize, tongue: Tongue) -> Vec<String> {
    let all = values.iter().filter(|value| value.number().is_some()).count();
    let withheld = values.iter().filter(|value| **value == Value::Suppressed).count();
    let ranked = words::CHART_RANKED.with(shown as u64).and(all as u64).text(tongue);
    let withheld = (withheld > 0).then(|| words::CHART_NOT_RANKED.with(withheld as u64).text(tongue));
    std::iter::once(ranked).chain(withheld).collect()
}

/// Which of these nodes lie below one, from and to, and what that is called.
pub fn band(dimension: &UnionDimension, nodes: &[Option<u32>], code: &str, language: usize) -> Option<(usize, usize, String)> {
    let band = dimension.find(code)?;
    let within = dimension.subtree(band);
    let below = |node: &Option<u32>| node.is_some_and(|node| within.contains(&node));
    Some((nodes.iter().position(below)?, nodes.iter().rposition(below)?, dimension.nodes[band as usize].label.text(language).to_owned()))
}

/// Places in different regions may share a name: each then tells the region in which it lies.
pub fn told_apart(dimension: &UnionDimension, labels: &[String], nodes: &[Option<u32>], language: usize) -> Vec<String> {
    let mut count: HashMap<&str, usize> = HashMap::new();
    for label in labels {
        *count.entry(label).or_default() += 1;
    }
    let above = |node: u32| dimension.nodes[node as usize].parent.filter(|&parent| parent != 0);
    let one = |(label, node): (&String, &Option<u32>)| match node.and_then(above) {
        Some(parent) if count[label.as_str()] > 1 => format!("{label}, {}", dimension.nodes[parent as usize].label.text(language)),
        _ => label.clone(),
    };
    labels.iter().zip(nodes).map(one).collect()
}

/// The periods before which a region lost parts that it had: numbers before and after are of different places.
pub fn breaks(dimension: &UnionDimension, node: Option<u32>, releases: &[usize]) -> Vec<usize> {
    let Some(node) = node else { return Vec::new() };
    (1..releases.len()).filter(|&at| dimension.lost_parts(node, releases[at - 1], releases[at])).collect()
}

/// The line that says where numbers come from, with their releases.
pub fn source_line(library: &Library, language: usize, releases: impl Iterator<Item = usize>) -> String {
    let tongue = library.tongue(language);
    let releases: Vec<&str> = releases.map(|release| library.releases[release].folder.as_str()).collect();
    let source = library.register.source.text(language);
    format!("{}: {source} · {}: {}", words::SOURCE.text(tongue), words::RELEASES.text(tongue), releases.join(", "))
}
