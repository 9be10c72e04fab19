//! Reading the files of dimensions.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use rustc_hash::FxHashMap;
use serde::Deserialize;
use toml::Spanned;

use super::{
    Coding, DateFormat, Dimension, Group, Grouping, Level, Node, RegionPart, Role, Source,
    definitions::{DefinitionError, Parsed, Sources, Text},
    nodes::{self, Extra, ReferenceColumns, Row},
    normalise,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DimensionFile {
    id: String,
    variable: String,
    label: Spanned<BTreeMap<String, String>>,
    #[serde(default)]
    sensitive: bool,
    level: Spanned<Vec<LevelFile>>,
    nodes: Option<Spanned<String>>,
    reference: Option<ReferenceFile>,
    source: Spanned<SourceFile>,
    #[serde(default)]
    grouping: Vec<GroupingFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LevelFile {
    id: String,
    label: Spanned<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReferenceFile {
    file: Spanned<String>,
    code: Vec<String>,
    name: Vec<String>,
    parent: Vec<String>,
    level: Vec<String>,
    #[serde(default)]
    area: Vec<String>,
    #[serde(default)]
    level_names: HashMap<String, String>,
    root: RootFile,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RootFile {
    code: String,
    label: Spanned<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "kebab-case")]
enum SourceFile {
    Code { column: String },
    Age { column: String, formats: Vec<String>, earliest: String },
    Region { parts: Vec<PartFile> },
    HouseholdSize {},
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PartFile {
    column: String,
    digits: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupingFile {
    id: Spanned<String>,
    label: Spanned<BTreeMap<String, String>>,
    values: Vec<GroupFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupFile {
    code: String,
    label: Spanned<BTreeMap<String, String>>,
    nodes: Vec<Spanned<String>>,
}

pub(super) fn dimension(
    text: &Text<'_>,
    sources: &Sources,
    regions: Option<(&str, &str)>,
    vintage: &mut String,
) -> Result<Parsed, DefinitionError> {
    let file: DimensionFile = text.parse()?;
    let levels = file
        .level
        .get_ref()
        .iter()
        .map(|level| Ok(Level { id: level.id.clone(), label: text.label(&level.label)? }))
        .collect::<Result<Vec<_>, DefinitionError>>()?;
    if levels.len() > 16 || levels.is_empty() {
        return text.fault(file.level.span().start, "expected between 1 and 16 levels");
    }
    if let Some(id) = nodes::first_repeated(levels.iter().map(|level| level.id.as_str())) {
        return text.fault(file.level.span().start, format!("level '{id}' is named twice"));
    }
    let beside = |name: &Spanned<String>| {
        let folder = text.file.rsplit_once('/').map_or("", |(folder, _)| folder);
        let path = format!("{folder}/{}", name.get_ref());
        match sources.get_key_value(&path) {
            Some(found) => Ok(found),
            None => text.fault(name.span().start, format!("there is no file '{path}'")),
        }
    };
    let languages: Vec<String> = text.languages.iter().map(|language| language.id.clone()).collect();
    let (role, node_file, read) = match (&file.nodes, file.reference) {
        (Some(name), None) => {
            let (path, content) = beside(name)?;
            (Role::Classification, path.clone(), nodes::read(path, content, &levels, &languages)?)
        }
        (None, Some(reference)) => {
            let root = Row {
                line: 1,
                level: 0,
                code: reference.root.code,
                parent: String::new(),
                label: text.label(&reference.root.label)?,
                official: None,
                area: None,
                from: None,
                texts: Vec::new(),
                codings: Vec::new(),
            };
            let columns = ReferenceColumns {
                code: reference.code,
                name: reference.name,
                parent: reference.parent,
                level: reference.level,
                area: reference.area,
                level_names: reference.level_names,
                root,
            };
            let (path, content) = match regions {
                Some((path, content)) => (path.to_owned(), content),
                None => beside(&reference.file).map(|(path, content)| (path.clone(), content.as_str()))?,
            };
            let name = path.rsplit('/').next().unwrap_or(&path);
            let name = nodes::vintage(&path, content)?.unwrap_or(name.strip_suffix(".csv").unwrap_or(name));
            name.clone_into(vintage);
            let read = nodes::read_reference(&path, content, &levels, columns)?;
            (Role::Geo, path, read)
        }
        _ => return text.fault(0, "expected either 'nodes' (a file of nodes) or a [reference] section (a file of regions)"),
    };
    let dimension = Dimension {
        id: file.id,
        variable: file.variable,
        label: text.label(&file.label)?,
        role,
        sensitive: file.sensitive,
        levels,
        nodes: read.nodes,
        groupings: Vec::new(),
    };
    let axis = dimension.axis(dimension.finest());
    let base_leaves = dimension.base_leaves();
    let mut by_code: Vec<u32> = (0..dimension.nodes.len() as u32).collect();
    by_code.sort_by_key(|&at| dimension.nodes[at as usize].code.as_str());
    let lines = NodeLines { file: &node_file, nodes: &dimension.nodes, extras: &read.extras, codings: &read.codings };
    let source = source(text, file.source, &lines, &base_leaves)?;
    let mut parsed = Parsed { bases: axis.bases, dimension, source, by_code };
    for grouping in &file.grouping {
        let mut values = Vec::new();
        for group in &grouping.values {
            parsed.disjoint(text, &group.nodes)?;
            values.push(Group {
                code: group.code.clone(),
                label: text.label(&group.label)?,
                nodes: group.nodes.iter().map(|code| code.get_ref().clone()).collect(),
            });
        }
        if let Some(code) = nodes::first_repeated(values.iter().map(|group| group.code.as_str())) {
            return text.fault(grouping.id.span().start, format!("group '{code}' is named twice"));
        }
        parsed.dimension.groupings.push(Grouping { id: grouping.id.get_ref().clone(), label: text.label(&grouping.label)?, values });
    }
    Ok(parsed)
}

/// The nodes of a dimension and what else their file says.
struct NodeLines<'a> {
    file: &'a str,
    nodes: &'a [Node],
    extras: &'a [Extra],
    codings: &'a [String],
}

fn source(text: &Text<'_>, file: Spanned<SourceFile>, read: &NodeLines<'_>, base_leaves: &[u32]) -> Result<Source, DefinitionError> {
    let at = file.span().start;
    let node_file = read.file;
    let leaf_rows = || base_leaves.iter().enumerate().map(|(leaf, &at)| (leaf as u32, &read.nodes[at as usize], &read.extras[at as usize]));
    let leaf_extras = || leaf_rows().map(|(leaf, _, extra)| (leaf, extra));
    Ok(match file.into_inner() {
        SourceFile::Code { column } => {
            let mut texts = HashMap::new();
            let mut codings: Vec<Coding> = read.codings.iter().map(|id| Coding { id: id.clone(), codes: HashMap::new() }).collect();
            if codings.is_empty() {
                codings.push(Coding { id: "code".into(), codes: HashMap::new() });
            }
            for (leaf, node, extra) in leaf_rows() {
                for written in node.label.texts().chain(extra.texts.iter().map(String::as_str)) {
                    if let Some(other) = texts.insert(normalise(written), leaf)
                        && other != leaf
                    {
                        let problem = format!("'{written}' stands for two nodes; expected each text to mean one");
                        return Err(DefinitionError::new(node_file, extra.line, problem));
                    }
                }
                let numbers: Vec<Vec<u64>> =
                    if read.codings.is_empty() { vec![node.code.parse().into_iter().collect()] } else { extra.codings.clone() };
                for (coding, numbers) in codings.iter_mut().zip(numbers) {
                    for number in numbers {
                        if coding.codes.insert(number, leaf).is_some() {
                            let problem = format!("code {number} of coding '{}' stands for two nodes", coding.id);
                            return Err(DefinitionError::new(node_file, extra.line, problem));
                        }
                    }
                }
            }
            Source::Code { column, codings, texts }
        }
        SourceFile::Age { column, formats, earliest } => {
            let mut read_formats = Vec::new();
            for format in &formats {
                match DateFormat::parse(format) {
                    Some(format) => read_formats.push(format),
                    None => {
                        return text
                            .fault(at, format!("'{format}' is no date format; expected one such as YYYY-MM-DD, DD/MM/YYYY, YYYYMMDD"));
                    }
                }
            }
            let Ok(earliest) = earliest.parse::<NaiveDate>() else {
                return text.fault(at, format!("'{earliest}' is no date; expected one such as 1880-01-01"));
            };
            Source::Age { column, formats: read_formats, earliest, leaves: thresholds(node_file, leaf_extras())? }
        }
        SourceFile::HouseholdSize {} => Source::HouseholdSize { leaves: thresholds(node_file, leaf_extras())? },
        SourceFile::Region { parts } => {
            let digits: u32 = parts.iter().map(|part| part.digits).sum();
            if digits > 18 {
                return text.fault(at, "expected region codes of at most 18 digits");
            }
            let finest = read.nodes.iter().map(|node| node.level).max();
            let mut leaves = FxHashMap::with_capacity_and_hasher(base_leaves.len(), Default::default());
            for (leaf, node, extra) in leaf_rows() {
                match node.code.parse::<u64>() {
                    Ok(code) if node.code.len() == digits as usize => {
                        leaves.insert(code, leaf);
                    }
                    // A region above the finest level without anything below it: nobody can be recorded there.
                    _ if Some(node.level) < finest => {}
                    _ => {
                        let problem = format!("'{}' is no region code; expected {digits} digits", node.code);
                        return Err(DefinitionError::new(node_file, extra.line, problem));
                    }
                }
            }
            let parts = parts.into_iter().map(|part| RegionPart { column: part.column, digits: part.digits }).collect();
            Source::Region { parts, leaves }
        }
    })
}

/// Value (years, members) to base leaf, from each leaf's smallest value; the last leaf is open.
fn thresholds<'a>(file: &str, leaves: impl Iterator<Item = (u32, &'a Extra)>) -> Result<Vec<u32>, DefinitionError> {
    let mut starts = Vec::new();
    for (leaf, extra) in leaves {
        match extra.from {
            Some(from) if from <= 1000 => starts.push((from, leaf, extra.line)),
            _ => return Err(DefinitionError::new(file, extra.line, "expected a smallest value between 0 and 1000 in the column 'from'")),
        }
    }
    starts.sort_unstable();
    if let Some(pair) = starts.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(DefinitionError::new(file, pair[1].2, format!("two nodes begin at {}", pair[1].0)));
    }
    let last = starts.last().map_or(0, |start| start.0);
    let mut values = Vec::with_capacity(last as usize + 1);
    let mut at = 0;
    for value in 0..=last {
        while at + 1 < starts.len() && starts[at + 1].0 <= value {
            at += 1;
        }
        values.push(starts[at].1);
    }
    Ok(values)
}
