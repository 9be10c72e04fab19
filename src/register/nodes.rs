//! Reading the nodes of a dimension from a comma-separated file.

use std::{
    collections::{HashMap, HashSet},
    ops::Index,
};

use rustc_hash::FxHashMap;

use super::{DefinitionError, Label, Level, Node};

/// What one line of a node file says.
#[derive(Default)]
pub(super) struct Row {
    pub line: u64,
    pub level: u8,
    pub code: String,
    pub parent: String,
    pub label: Label,
    pub official: Option<String>,
    /// Area in hectares.
    pub area: Option<u64>,
    /// Smallest value (years, members) that belongs to the node.
    pub from: Option<u32>,
    /// Other ways in which registers write the node.
    pub texts: Vec<String>,
    /// For each coding of the file the numbers that mean the node.
    pub codings: Vec<Vec<u64>>,
}

/// What a line says of a node that is of use while definitions are read.
pub(super) struct Extra {
    pub line: u64,
    pub from: Option<u32>,
    pub texts: Vec<String>,
    pub codings: Vec<Vec<u64>>,
}

/// A parsed node file.
pub(super) struct NodeFile {
    /// In preorder, with parents as positions.
    pub nodes: Vec<Node>,
    /// One for each node.
    pub extras: Vec<Extra>,
    /// Names of the `coding:` columns.
    pub codings: Vec<String>,
}

/// Names of the columns of a region reference, in the order of preference.
pub(super) struct ReferenceColumns {
    pub code: Vec<String>,
    pub name: Vec<String>,
    pub parent: Vec<String>,
    pub level: Vec<String>,
    /// Square kilometres; the column may be missing.
    pub area: Vec<String>,
    /// How the level column writes each level, beside its own identifier.
    pub level_names: HashMap<String, String>,
    pub root: Row,
}

/// How lines that are remarks begin.
const REMARK: u8 = b'#';
/// Most characters of the name of a vintage.
const LONGEST_VINTAGE: usize = 80;

/// The fields of a line, without the spaces around them. The reader could trim them too, and would make a new record of every line.
struct Fields<'a>(&'a csv::StringRecord);

impl Index<usize> for Fields<'_> {
    type Output = str;

    fn index(&self, at: usize) -> &str {
        self.0[at].trim()
    }
}

struct Lines<'a> {
    file: &'a str,
    reader: csv::Reader<&'a [u8]>,
    headers: csv::StringRecord,
    record: csv::StringRecord,
}

impl<'a> Lines<'a> {
    fn open(file: &'a str, text: &'a str) -> Result<Self, DefinitionError> {
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::Headers)
            .comment(Some(REMARK))
            .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
        let headers = reader.headers().map_err(|error| Self::fault(file, &error))?.clone();
        Ok(Self { file, reader, headers, record: csv::StringRecord::new() })
    }

    /// The next line: its number, and its fields. One record is used again and again, because a country has 90,000 of them.
    fn next(&mut self) -> Result<Option<(u64, Fields<'_>)>, DefinitionError> {
        let more = self.reader.read_record(&mut self.record).map_err(|error| Self::fault(self.file, &error))?;
        Ok(more.then(|| (self.record.position().map_or(0, csv::Position::line), Fields(&self.record))))
    }

    fn fault(file: &str, error: &csv::Error) -> DefinitionError {
        let line = error.position().map_or(1, csv::Position::line);
        DefinitionError::new(file, line, format!("{error}; expected comma-separated lines under one heading line"))
    }

    fn column(&self, names: &[String]) -> Result<usize, DefinitionError> {
        names.iter().find_map(|name| self.headers.iter().position(|header| header == name)).ok_or_else(|| {
            let found = self.headers.iter().collect::<Vec<_>>().join(",");
            DefinitionError::new(self.file, 1, format!("expected a column '{}'; the heading is '{found}'", names.join("' or '")))
        })
    }

    fn optional(&self, name: &str) -> Option<usize> {
        self.headers.iter().position(|header| header == name)
    }
}

/// The vintage that a region reference names for itself, in a remark above its heading: `# vintage: NAME`.
pub(super) fn vintage<'a>(file: &str, text: &'a str) -> Result<Option<&'a str>, DefinitionError> {
    let remarks = text.trim_start_matches('\u{feff}').lines().map_while(|line| line.strip_prefix(char::from(REMARK)));
    for (line, remark) in (1..).zip(remarks) {
        if let Some(name) = remark.trim_start().strip_prefix("vintage:") {
            return match vintage_name(name) {
                Ok(name) => Ok(Some(name)),
                Err(problem) => Err(DefinitionError::new(file, line, problem)),
            };
        }
    }
    Ok(None)
}

/// Checks the name of a vintage, such as `300.2.2-2430/2025`.
///
/// # Errors
/// Says what a name must look like.
pub fn vintage_name(text: &str) -> Result<&str, String> {
    let name = text.trim();
    let sound = (1..=LONGEST_VINTAGE).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if sound {
        Ok(name)
    } else {
        Err(format!("expected a name of 1 to {LONGEST_VINTAGE} characters in one line for the vintage of the regions"))
    }
}

fn level_of(file: &str, line: u64, text: &str, levels: &[Level]) -> Result<u8, DefinitionError> {
    levels.iter().position(|level| level.id == text).map(|at| at as u8).ok_or_else(|| {
        let known = levels.iter().map(|level| level.id.as_str()).collect::<Vec<_>>().join(", ");
        DefinitionError::new(file, line, format!("there is no level '{text}'; expected one of {known}"))
    })
}

/// Reads `level,code,parent,<language>...[,from][,texts][,coding:<id>...]`.
pub(super) fn read(file: &str, text: &str, levels: &[Level], languages: &[String]) -> Result<NodeFile, DefinitionError> {
    let mut lines = Lines::open(file, text)?;
    let level = lines.column(&["level".into()])?;
    let code = lines.column(&["code".into()])?;
    let parent = lines.column(&["parent".into()])?;
    let labels = languages.iter().map(|language| lines.column(std::slice::from_ref(language))).collect::<Result<Vec<_>, _>>()?;
    let from = lines.optional("from");
    let texts = lines.optional("texts");
    let (coding_names, coding_columns): (Vec<String>, Vec<usize>) =
        lines.headers.iter().enumerate().filter_map(|(at, header)| header.strip_prefix("coding:").map(|id| (id.to_owned(), at))).unzip();
    let mut rows = Vec::new();
    while let Some((line, record)) = lines.next()? {
        let number = |text: &str, what: &str| {
            text.parse::<u64>().map_err(|_| DefinitionError::new(file, line, format!("'{text}' is no {what}; expected a whole number")))
        };
        let list = |at: usize| record[at].split('|').map(str::trim).filter(|item| !item.is_empty());
        let from = match from.map(|at| &record[at]).filter(|text| !text.is_empty()) {
            Some(text) => Some(number(text, "smallest value")?.min(u64::from(u32::MAX)) as u32),
            None => None,
        };
        let codings = coding_columns
            .iter()
            .map(|&at| list(at).map(|item| number(item, "register code")).collect::<Result<Vec<_>, _>>())
            .collect::<Result<Vec<_>, _>>()?;
        rows.push(Row {
            line,
            level: level_of(file, line, &record[level], levels)?,
            code: record[code].to_owned(),
            parent: record[parent].to_owned(),
            label: Label::new(labels.iter().map(|&at| record[at].to_owned()).collect()),
            official: None,
            area: None,
            from,
            texts: texts.map(|at| list(at).map(str::to_owned).collect()).unwrap_or_default(),
            codings,
        });
    }
    arrange(file, rows, coding_names)
}

/// Reads a region reference: one line a region, codes with or without dots, children sorted by code.
pub(super) fn read_reference(file: &str, text: &str, levels: &[Level], columns: ReferenceColumns) -> Result<NodeFile, DefinitionError> {
    let mut lines = Lines::open(file, text)?;
    let code = lines.column(&columns.code)?;
    let name = lines.column(&columns.name)?;
    let parent = lines.column(&columns.parent)?;
    let level = lines.column(&columns.level)?;
    let area = columns.area.iter().find_map(|name| lines.optional(name));
    let root_code = columns.root.code.clone();
    let mut rows = Vec::with_capacity(text.lines().count() + 1);
    rows.push(columns.root);
    let plain = |text: &str| {
        let mut plain = text.to_owned();
        plain.retain(|char| char.is_ascii_alphanumeric());
        plain
    };
    while let Some((line, record)) = lines.next()? {
        let written = &record[level];
        let level = level_of(file, line, columns.level_names.get(written).map_or(written, String::as_str), levels)?;
        let code_text = &record[code];
        let plain_code = plain(code_text);
        let parent = plain(&record[parent]);
        rows.push(Row {
            line,
            level,
            official: (plain_code != code_text).then(|| code_text.to_owned()),
            code: plain_code,
            parent: if parent.is_empty() { root_code.clone() } else { parent },
            label: Label::same(&record[name]),
            area: area.map(|at| &record[at]).filter(|text| !text.is_empty()).map(|text| hectares(file, line, text)).transpose()?,
            from: None,
            texts: Vec::new(),
            codings: Vec::new(),
        });
    }
    rows[1..].sort_by(|a, b| a.code.cmp(&b.code));
    let mut read = arrange(file, rows, Vec::new())?;
    add_up_areas(&mut read.nodes);
    Ok(read)
}

/// Reads square kilometres, with a point or a comma before the decimals.
fn hectares(file: &str, line: u64, text: &str) -> Result<u64, DefinitionError> {
    // The land of the Earth has 149 million square kilometres.
    match text.replace(',', ".").parse::<f64>() {
        Ok(area) if (0.0..=149e6).contains(&area) => Ok((area * 100.0).round() as u64),
        _ => Err(DefinitionError::new(file, line, format!("'{text}' is no area; expected square kilometres such as 48.13"))),
    }
}

/// Gives places without an area of their own that of the places right below them, if all of those have one.
fn add_up_areas(nodes: &mut [Node]) {
    let mut sums: Vec<Option<u64>> = vec![None; nodes.len()];
    let mut gaps = vec![false; nodes.len()];
    // Preorder: what lies below a node stands behind it.
    for at in (0..nodes.len()).rev() {
        if nodes[at].area.is_none() && !gaps[at] {
            nodes[at].area = sums[at];
        }
        if let Some(parent) = nodes[at].parent {
            match nodes[at].area {
                Some(area) => sums[parent as usize] = Some(sums[parent as usize].unwrap_or(0) + area),
                None => gaps[parent as usize] = true,
            }
        }
    }
}

/// Puts rows into preorder and checks that they form one tree whose siblings share a level.
fn arrange(file: &str, mut rows: Vec<Row>, codings: Vec<String>) -> Result<NodeFile, DefinitionError> {
    let fault = |line: u64, problem: String| Err(DefinitionError::new(file, line, problem));
    let mut positions = FxHashMap::with_capacity_and_hasher(rows.len(), Default::default());
    for (at, row) in rows.iter().enumerate() {
        let sound = row.code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        if row.code.is_empty() || !sound {
            return fault(row.line, format!("'{}' is no code; expected letters, digits, '_' and '-' only", row.code));
        }
        if positions.insert(row.code.as_str(), at).is_some() {
            return fault(row.line, format!("code '{}' stands here a second time; codes are unique over all levels", row.code));
        }
    }
    let mut root = None;
    // For each row its first and its last child, and the sibling behind it.
    let mut children: Vec<Option<(usize, usize)>> = vec![None; rows.len()];
    let mut siblings: Vec<Option<usize>> = vec![None; rows.len()];
    for (at, row) in rows.iter().enumerate() {
        if row.parent.is_empty() {
            if row.level != 0 || root.replace(at).is_some() {
                return fault(
                    row.line,
                    format!("'{}' has no parent; expected exactly one node without a parent, on the first level", row.code),
                );
            }
            continue;
        }
        let Some(&parent) = positions.get(row.parent.as_str()) else {
            return fault(row.line, format!("the parent '{}' of '{}' is not in the file", row.parent, row.code));
        };
        if rows[parent].level >= row.level {
            return fault(row.line, format!("'{}' must lie on a finer level than its parent '{}'", row.code, row.parent));
        }
        match children[parent] {
            Some((first, _)) if rows[first].level != row.level => {
                return fault(row.line, format!("'{}' and its sibling '{}' must lie on the same level", row.code, rows[first].code));
            }
            Some((first, last)) => {
                siblings[last] = Some(at);
                children[parent] = Some((first, at));
            }
            None => children[parent] = Some((at, at)),
        }
    }
    let Some(root) = root else {
        return fault(1, "expected one node without a parent: the total".into());
    };
    // Levels only grow downwards, so there is no cycle and everything hangs below the root.
    let mut order = Vec::with_capacity(rows.len());
    let mut stack = vec![root];
    while let Some(at) = stack.pop() {
        order.push(at);
        // What is below goes before what is behind.
        stack.extend(siblings[at]);
        stack.extend(children[at].map(|(first, _)| first));
    }
    let mut moved = vec![0u32; rows.len()];
    for (to, &from) in order.iter().enumerate() {
        moved[from] = to as u32;
    }
    let parents: Vec<Option<u32>> = order.iter().map(|&at| positions.get(rows[at].parent.as_str()).map(|&parent| moved[parent])).collect();
    let (mut nodes, mut extras) = (Vec::with_capacity(order.len()), Vec::with_capacity(order.len()));
    for (&at, parent) in order.iter().zip(parents) {
        let Row { line, level, code, label, official, area, from, texts, codings, .. } = std::mem::take(&mut rows[at]);
        nodes.push(Node { code, label, parent, level, official, area });
        extras.push(Extra { line, from, texts, codings });
    }
    Ok(NodeFile { nodes, extras, codings })
}

/// Whether every code in a list occurs once.
pub(super) fn first_repeated<'a>(codes: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = HashSet::new();
    codes.into_iter().find(|code| !seen.insert(*code))
}
