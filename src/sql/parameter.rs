//! Parameters of named queries: what may be given, and what it becomes.

use datafusion::common::ScalarValue;

use super::header::{Header, Kind, ParameterFile};
use crate::{
    register::{DefinitionError, Label, Node, Role},
    tables::{Fault, Library, NodeRuns, TableEntry},
    words::{self, Message},
};

/// The longest text, in characters.
const LONGEST: usize = 200;
/// Codes that an error names at most.
const SHOWN: usize = 12;
/// Names of defaults that are found when they are needed.
const NEWEST: &str = "newest";
const PREVIOUS: &str = "previous";
const FIRST: &str = "first";

/// One parameter of a named query.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its name, as addresses and the statement write it.
    pub name: String,
    /// Its name for people.
    pub label: Label,
    /// What may be given.
    pub kind: ParameterKind,
    /// What stands where nothing is given; if there is none the parameter must be given.
    default: Option<String>,
    /// Identifiers of the tables that are asked for what is given, of which not every region may be seen.
    narrowed: Vec<String>,
    /// Whether nothing but what all of those tables show may be given; else it is only what stands first.
    is_bound: bool,
}

/// What may be given for a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum ParameterKind {
    /// One of these; anything of moderate length if there are none.
    Text(Vec<String>),
    /// A whole number within bounds.
    Integer(i64, i64),
    /// A number within bounds.
    Number(f64, f64),
    /// A period that there is a release of.
    Period,
    /// A code of the dimension with this position, on one of these levels.
    Code(usize, Vec<u8>),
}

impl ParameterKind {
    /// What it is called in documents.
    pub fn id(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Integer(..) => "integer",
            Self::Number(..) => "number",
            Self::Period => "period",
            Self::Code(..) => "code",
        }
    }
}

impl Parameter {
    pub(crate) fn new(file: &ParameterFile, header: &Header<'_>, library: &Library) -> Result<Self, DefinitionError> {
        let label = header.label(&file.label)?;
        let name = file.name.get_ref();
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_') {
            return header.fault(&file.name, format!("'{name}' is no name of a parameter; expected small letters, digits and _"));
        }
        if RESERVED.contains(&name.to_ascii_lowercase().as_str()) {
            return header.fault(&file.name, format!("'{name}' has a meaning of its own; choose another name"));
        }
        let says = [
            ("dimension", file.dimension.is_some(), file.kind.get_ref() == &Kind::Code),
            ("levels", !file.levels.is_empty(), matches!(file.kind.get_ref(), Kind::Code | Kind::Region)),
            ("values", !file.values.is_empty(), file.kind.get_ref() == &Kind::Text),
            ("from", file.from.is_some(), matches!(file.kind.get_ref(), Kind::Integer | Kind::Number)),
            ("to", file.to.is_some(), matches!(file.kind.get_ref(), Kind::Integer | Kind::Number)),
        ];
        if let Some((key, ..)) = says.iter().find(|(_, said, fits)| *said && !fits) {
            return header.fault(&file.kind, format!("a parameter of this kind has no '{key}'"));
        }
        let kind = match file.kind.get_ref() {
            Kind::Text => ParameterKind::Text(file.values.clone()),
            Kind::Period => ParameterKind::Period,
            Kind::Integer | Kind::Number => {
                let (Some(from), Some(to)) = (file.from, file.to) else {
                    return header.fault(&file.kind, "expected the bounds 'from' and 'to' of the number");
                };
                if !(from <= to && from.abs() < 1e15 && to.abs() < 1e15) {
                    return header.fault(&file.kind, format!("there is no number from {from} to {to}"));
                }
                match file.kind.get_ref() {
                    Kind::Integer => ParameterKind::Integer(from.ceil() as i64, to.floor() as i64),
                    _ => ParameterKind::Number(from, to),
                }
            }
            Kind::Region | Kind::Code => code(file, header, library)?,
        };
        let default = match &file.default {
            None => None,
            Some(value) => {
                let text = match value.get_ref() {
                    toml::Value::String(text) => text.clone(),
                    toml::Value::Integer(number) => number.to_string(),
                    toml::Value::Float(number) => number.to_string(),
                    _ => return header.fault(value, "expected a text or a number"),
                };
                Some((text, value))
            }
        };
        let mut parameter = Self { name: name.clone(), label, kind, default: None, narrowed: Vec::new(), is_bound: false };
        if let Some((text, at)) = default {
            parameter.default = Some(text.clone());
            let found = parameter.default_text(library).unwrap_or_default();
            if let Err(expected) = parameter.read(&found, library) {
                return header.fault(at, format!("'{text}' is no default of {name}; expected {expected}"));
            }
        }
        Ok(parameter)
    }

    /// Says which tables are asked for what is given. Of some of them fewer regions may be seen than there are: then the default is a
    /// code that all of them show and, where it `is_bound`, so is whatever may be given.
    pub(crate) fn asks<'t>(&mut self, tables: impl IntoIterator<Item = &'t String>, is_bound: bool, library: &Library) {
        let ParameterKind::Code(dimension, _) = self.kind else { return };
        let is_narrowed = |id: &&String| library.table(id).is_some_and(|entry| entry.seen(dimension).is_some());
        self.narrowed = tables.into_iter().filter(is_narrowed).cloned().collect();
        self.narrowed.sort();
        self.narrowed.dedup();
        self.is_bound = is_bound;
    }

    fn narrowed<'l>(&'l self, library: &'l Library) -> impl Iterator<Item = &'l TableEntry> {
        self.narrowed.iter().filter_map(|id| library.table(id))
    }

    /// The nodes that each of the tables shows that do not show all.
    fn seen<'l>(&'l self, library: &'l Library) -> Vec<&'l NodeRuns> {
        match self.kind {
            ParameterKind::Code(dimension, _) => self.narrowed(library).filter_map(|entry| entry.seen(dimension)).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether it must be given.
    pub fn required(&self) -> bool {
        self.default.is_none()
    }

    /// What stands for it at present where nothing is given.
    pub fn default_text(&self, library: &Library) -> Option<String> {
        let default = self.default.as_deref()?;
        let found = match (&self.kind, default) {
            (ParameterKind::Period, NEWEST) => library.releases.len().checked_sub(1).map(|at| library.period(at)),
            // Where there is only one period there is none before it: comparing it with itself says so without an error.
            (ParameterKind::Period, PREVIOUS) => library.releases.len().checked_sub(1).map(|at| library.period(at.saturating_sub(1))),
            (ParameterKind::Code(..), FIRST) => self.codes_seen(library).next().or_else(|| self.codes(library).next()),
            (ParameterKind::Code(..), code) if !self.shows(code, library) => self.codes_seen(library).next().or(Some(code)),
            _ => Some(default),
        };
        found.map(str::to_owned)
    }

    /// Whether every table that is asked for what is given shows something of a code.
    pub fn shows(&self, code: &str, library: &Library) -> bool {
        let ParameterKind::Code(dimension, _) = self.kind else { return true };
        let found = library.dimensions[dimension].find(code);
        self.seen(library).iter().all(|seen| found.is_some_and(|node| seen.contains(node)))
    }

    /// Why a code may not be given that others may give, or a period that there once was.
    pub fn beyond(&self, given: &str, library: &Library) -> Option<(Fault, Message)> {
        match self.kind {
            ParameterKind::Code(dimension, _) => {
                let outside = library.outside(dimension, given).or_else(|| {
                    let mut bounds = self.narrowed(library).filter(|_| self.is_bound);
                    bounds.find_map(|entry| library.outside_of(entry, dimension, given))
                });
                outside.map(|detail| (Fault::OutOfScope, detail))
            }
            ParameterKind::Period => library.withdrawn_period(given).map(|detail| (Fault::Withdrawn, detail)),
            _ => None,
        }
    }

    /// Something that may be given, to try the query with.
    pub(super) fn sample(&self, library: &Library) -> ScalarValue {
        let default = self.default_text(library).and_then(|text| self.read(&text, library).ok());
        default.map(|(value, _)| value).unwrap_or_else(|| match &self.kind {
            ParameterKind::Text(values) => text(values.first().map_or("", String::as_str)),
            ParameterKind::Integer(from, _) => ScalarValue::Int64(Some(*from)),
            ParameterKind::Number(from, _) => ScalarValue::Float64(Some(*from)),
            ParameterKind::Period => text(library.period(0)),
            ParameterKind::Code(..) => text(self.codes(library).next().unwrap_or("")),
        })
    }

    /// The value that a text means, and the text as the program writes it.
    ///
    /// # Errors
    /// What was expected.
    pub fn read(&self, given: &str, library: &Library) -> Result<(ScalarValue, String), Message> {
        let found = match &self.kind {
            ParameterKind::Text(values) if values.is_empty() => (given.chars().count() <= LONGEST).then(|| given.to_owned()),
            ParameterKind::Text(values) => values.iter().find(|value| value.eq_ignore_ascii_case(given)).cloned(),
            ParameterKind::Integer(from, to) => {
                let number = given.parse().ok().filter(|number| (from..=to).contains(&number));
                return number
                    .map(|number: i64| (ScalarValue::Int64(Some(number)), number.to_string()))
                    .ok_or_else(|| self.expected(library));
            }
            ParameterKind::Number(from, to) => {
                let number = given.parse().ok().filter(|number| (from..=to).contains(&number));
                return number
                    .map(|number: f64| (ScalarValue::Float64(Some(number)), number.to_string()))
                    .ok_or_else(|| self.expected(library));
            }
            ParameterKind::Period => (0..library.releases.len())
                .map(|at| library.period(at))
                .find(|period| period.eq_ignore_ascii_case(given))
                .map(str::to_owned),
            ParameterKind::Code(dimension, levels) => {
                let dimension = &library.dimensions[*dimension];
                // Codes of places are known in two spellings, and both are given.
                let official = || dimension.nodes.iter().position(|node| node.official.as_deref() == Some(given)).map(|at| at as u32);
                let seen = if self.is_bound { self.seen(library) } else { Vec::new() };
                let found = dimension.find(given).or_else(official).filter(|&at| seen.iter().all(|seen| seen.contains(at)));
                let node = found.map(|at| &dimension.nodes[at as usize]);
                node.filter(|node| levels.contains(&node.level)).map(|node| node.code.clone())
            }
        };
        found.map(|found| (text(&found), found)).ok_or_else(|| self.expected(library))
    }

    /// What may be given, for people.
    pub fn expected(&self, library: &Library) -> Message {
        match &self.kind {
            ParameterKind::Text(values) if values.is_empty() => words::EXPECTED_TEXT.with(LONGEST as u64),
            ParameterKind::Text(values) => words::EXPECTED_ONE_OF.with(values.join(", ")),
            ParameterKind::Integer(from, to) => words::EXPECTED_INTEGER.with(from.to_string()).and(to.to_string()),
            ParameterKind::Number(from, to) => words::EXPECTED_NUMBER.with(from.to_string()).and(to.to_string()),
            ParameterKind::Period => {
                words::EXPECTED_ONE_OF.with((0..library.releases.len()).map(|at| library.period(at)).collect::<Vec<_>>().join(", "))
            }
            ParameterKind::Code(dimension, levels) => {
                let dimension = &library.dimensions[*dimension];
                let levels = levels.iter().filter_map(|&level| dimension.levels.get(usize::from(level))).map(|level| level.id.as_str());
                let codes: Vec<&str> = self.codes(library).take(SHOWN + 1).collect();
                let such = if codes.len() > SHOWN { &words::EXPECTED_CODE_SUCH_AS } else { &words::EXPECTED_CODE };
                such.with(dimension.variable.as_str())
                    .and(levels.collect::<Vec<_>>().join(", "))
                    .and(codes[..codes.len().min(SHOWN)].join(", "))
            }
        }
    }

    /// The codes that may be given, in order.
    pub fn codes<'a>(&'a self, library: &'a Library) -> impl Iterator<Item = &'a str> {
        self.codes_within(library, if self.is_bound { self.seen(library) } else { Vec::new() })
    }

    /// The codes of which every table shows something, in order.
    fn codes_seen<'a>(&'a self, library: &'a Library) -> impl Iterator<Item = &'a str> {
        self.codes_within(library, self.seen(library))
    }

    fn codes_within<'a>(&'a self, library: &'a Library, seen: Vec<&'a NodeRuns>) -> impl Iterator<Item = &'a str> {
        let (dimension, levels) = match &self.kind {
            ParameterKind::Code(dimension, levels) => (Some(&library.dimensions[*dimension]), levels.as_slice()),
            _ => (None, &[][..]),
        };
        let nodes = dimension.map_or(&[][..], |dimension| &dimension.nodes);
        let may = move |(at, node): &(u32, &Node)| levels.contains(&node.level) && seen.iter().all(|seen| seen.contains(*at));
        (0..).zip(nodes).filter(may).map(|(_, node)| node.code.as_str())
    }
}

/// Names that addresses give a meaning of their own.
const RESERVED: [&str; 21] = [
    "lang",
    "outputformat",
    "outputformatparams",
    // What charts of the query are asked for with.
    "query",
    "table",
    "chart",
    "columns",
    "bounds",
    "classes",
    "compare",
    "height",
    "lowest",
    "method",
    "places",
    "scale",
    "share",
    "stacking",
    "theme",
    "title",
    "width",
    "zero",
];

fn text(text: &str) -> ScalarValue {
    ScalarValue::Utf8View(Some(text.to_owned()))
}

fn code(file: &ParameterFile, header: &Header<'_>, library: &Library) -> Result<ParameterKind, DefinitionError> {
    let found = match &file.dimension {
        Some(id) => library.dimensions.iter().position(|dimension| dimension.id == *id.get_ref()),
        None => library.dimensions.iter().position(|dimension| dimension.role == Role::Geo && *file.kind.get_ref() == Kind::Region),
    };
    let Some(at) = found else {
        let there = library.dimensions.iter().map(|dimension| dimension.id.as_str()).collect::<Vec<_>>().join(", ");
        return header.fault(&file.kind, format!("expected 'dimension' to be one of {there}"));
    };
    let dimension = &library.dimensions[at];
    let mut levels = Vec::new();
    for level in &file.levels {
        match dimension.levels.iter().position(|known| known.id == *level.get_ref()) {
            Some(level) => levels.push(level as u8),
            None => {
                let there = dimension.levels.iter().map(|level| level.id.as_str()).collect::<Vec<_>>().join(", ");
                return header.fault(level, format!("there is no level '{}'; expected one of {there}", level.get_ref()));
            }
        }
    }
    if levels.is_empty() {
        levels.extend(0..dimension.levels.len() as u8);
    }
    Ok(ParameterKind::Code(at, levels))
}
