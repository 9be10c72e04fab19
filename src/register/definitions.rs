//! Definitions: the text files that tell the engine which register it counts.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde::{Deserialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    Axis, Charts, Contents, Dimension, Frequency, Label, Links, Measure, Note, Role, Shape, Source, StructuralZero, Table, TableAxis, Unit,
    ZeroSide, charts,
    dimensions::dimension,
    links, measures, nodes,
    notes::{NoteFile, concerns, notes},
    origin::hexadecimal,
};

/// The files of a set of definitions: path with forward slashes to content.
pub type Sources = BTreeMap<String, String>;

/// Where files come from that an operator may replace: named queries, dashboards.
#[derive(Debug, Clone, Default)]
pub enum FileSources {
    /// The program: those that do not fit the register are left out.
    #[default]
    Shipped,
    /// The operator: each must fit, or the service does not start.
    Given(Sources),
    /// The operator, for somebody who sees less: those that do not fit what he sees are left out.
    Fitting(Sources),
}

impl FileSources {
    /// The files, and whether each must fit the register.
    pub fn files(&self, shipped: impl FnOnce() -> Sources) -> (Sources, bool) {
        match self {
            Self::Shipped => (shipped(), false),
            Self::Given(sources) => (sources.clone(), true),
            Self::Fitting(sources) => (sources.clone(), false),
        }
    }

    /// The same files, of which each need not fit.
    #[must_use]
    pub fn fitting(&self) -> Self {
        match self {
            Self::Shipped => Self::Shipped,
            Self::Given(sources) | Self::Fitting(sources) => Self::Fitting(sources.clone()),
        }
    }
}

/// What is wrong with a definition file, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {problem}")]
pub struct DefinitionError {
    /// The file, as named in the set.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// What is wrong and what was expected.
    pub problem: String,
}

impl DefinitionError {
    /// A fault at a line of a file.
    pub fn new(file: &str, line: u64, problem: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, problem: problem.into() }
    }
}

/// A language of a register.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, Deserialize)]
pub struct Language {
    /// ISO 639 code.
    pub id: String,
    /// Its own name for itself.
    pub label: String,
}

/// A column that holds an identifier of digits only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The column.
    pub column: String,
    /// Fewest digits.
    pub least: u32,
    /// Most digits.
    pub most: u32,
}

/// Whom readers may ask.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// Name of a person or an office.
    pub name: String,
    /// Mail address.
    pub mail: String,
    /// Telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// How people form households.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Household {
    /// The column that people of one household share.
    pub key: Key,
    /// Position in [`Definitions::dimensions`] of the relation to the head.
    pub relation: usize,
    /// For each base leaf of that dimension whether it means the head.
    pub heads: Vec<bool>,
}

/// Everything that the engine is told about a register.
#[derive(Debug, Clone, PartialEq)]
pub struct Definitions {
    /// Identifier of the register.
    pub id: String,
    /// Name of the register.
    pub label: Label,
    /// Identifier of the agency that publishes, as SDMX asks for it.
    pub agency: String,
    /// Source line for tables and charts.
    pub source: Label,
    /// Address of the licence.
    pub license: String,
    /// Whom readers may ask.
    pub contact: Option<Contact>,
    /// Days from the reference date to the publication, as readers are told to expect it.
    pub publication_days: Option<u32>,
    /// Languages, the default first.
    pub languages: Vec<Language>,
    /// How often a snapshot is taken.
    pub frequency: Frequency,
    /// The column that no two records may share.
    pub identity: Option<Key>,
    /// How people form households.
    pub household: Option<Household>,
    /// Every dimension.
    pub dimensions: Vec<Dimension>,
    /// Where the values of each of [`Definitions::dimensions`] come from.
    pub sources: Vec<Source>,
    /// Every table.
    pub tables: Vec<Table>,
    /// Combinations that cannot occur.
    pub zeros: Vec<StructuralZero>,
    /// What the tables of one unit tell of those of the other.
    pub links: Links,
    /// Whether nobody declared any of [`Definitions::links`]: there is no `links.toml`.
    pub implied_links: bool,
    /// Tables that are counted to protect the others and never published: see [`super::joint_tables`].
    pub joint: Vec<Table>,
    /// Members of households, one table for each of [`Links::members`]; counted like [`Definitions::joint`].
    pub members: Vec<Table>,
    /// From how many households a published count of people comes at least, unless the operator says otherwise.
    pub contributors: u32,
    /// Numbers worked out from published counts.
    pub measures: Vec<Measure>,
    /// What charts are drawn from.
    pub charts: Charts,
    /// Name of the region reference: as it names itself in a line `# vintage: NAME` above its heading, else its file's name.
    pub vintage: String,
    /// SHA-256 over all files, in hexadecimal.
    pub digest: String,
    /// The axes of all tables, by the dimension's position and the level. Those of a country's villages are worked out once.
    axes: HashMap<(usize, u8), Arc<Axis>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegisterFile {
    id: String,
    label: Spanned<BTreeMap<String, String>>,
    agency: String,
    source: Spanned<BTreeMap<String, String>>,
    license: String,
    frequency: Frequency,
    contact: Option<Contact>,
    publication_days: Option<u32>,
    #[serde(default)]
    note: Vec<NoteFile>,
    languages: Vec<Language>,
    identity: Option<KeyFile>,
    household: Option<HouseholdFile>,
    #[serde(default)]
    protection: ProtectionFile,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ProtectionFile {
    contributors: Spanned<u32>,
}

impl Default for ProtectionFile {
    fn default() -> Self {
        Self { contributors: Spanned::new(0..0, DEFAULT_CONTRIBUTORS) }
    }
}

/// From how many households a published count of people comes at least, where the definitions do not say.
const DEFAULT_CONTRIBUTORS: u32 = 2;
/// The most contributors that may be asked for: so many are told apart when people are counted.
pub const MOST_CONTRIBUTORS: u32 = 5;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    column: String,
    digits: Spanned<[u32; 2]>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HouseholdFile {
    column: String,
    digits: Spanned<[u32; 2]>,
    relation: Spanned<String>,
    heads: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableFile {
    id: Spanned<String>,
    label: Spanned<BTreeMap<String, String>>,
    description: Spanned<BTreeMap<String, String>>,
    subject: Spanned<BTreeMap<String, String>>,
    unit: Unit,
    contents: ContentsFile,
    axis: Spanned<Vec<AxisFile>>,
    #[serde(default)]
    note: Vec<NoteFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ContentsFile {
    code: String,
    label: Spanned<BTreeMap<String, String>>,
    unit: Spanned<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AxisFile {
    dimension: Spanned<String>,
    level: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ZerosFile {
    #[serde(default)]
    zero: Vec<ZeroFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ZeroFile {
    id: Spanned<String>,
    nodes: BTreeMap<Spanned<String>, Vec<Spanned<String>>>,
}

/// One file being parsed: turns byte positions into lines.
pub(super) struct Text<'a> {
    pub file: &'a str,
    text: &'a str,
    pub languages: &'a [Language],
}

impl<'a> Text<'a> {
    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T, DefinitionError> {
        toml::from_str(self.text).map_err(|error| {
            let line = error.span().map_or(1, |span| self.line(span.start));
            DefinitionError::new(self.file, line, error.message())
        })
    }

    /// The file as values that know where they stand, for whoever has more to say of a wrong one than of which type it is.
    pub(super) fn tree(&self) -> Result<DeTable<'a>, DefinitionError> {
        match DeTable::parse(self.text) {
            Ok(tree) => Ok(tree.into_inner()),
            Err(error) => self.fault(error.span().map_or(0, |span| span.start), error.message()),
        }
    }

    fn line(&self, at: usize) -> u64 {
        self.text.as_bytes()[..at.min(self.text.len())].iter().filter(|byte| **byte == b'\n').count() as u64 + 1
    }

    pub(super) fn fault<T>(&self, at: usize, problem: impl Into<String>) -> Result<T, DefinitionError> {
        Err(DefinitionError::new(self.file, self.line(at), problem))
    }

    pub(super) fn label(&self, texts: &Spanned<BTreeMap<String, String>>) -> Result<Label, DefinitionError> {
        let mut label = Vec::with_capacity(self.languages.len());
        for Language { id, .. } in self.languages {
            match texts.get_ref().get(id) {
                Some(text) => label.push(text.clone()),
                None => return self.fault(texts.span().start, format!("expected a text in language '{id}'")),
            }
        }
        if let Some(other) = texts.get_ref().keys().find(|id| !self.languages.iter().any(|language| language.id == **id)) {
            return self.fault(texts.span().start, format!("'{other}' is not one of the register's languages"));
        }
        Ok(Label::new(label))
    }

    fn key(&self, column: String, digits: &Spanned<[u32; 2]>) -> Result<Key, DefinitionError> {
        let [least, most] = *digits.get_ref();
        // Eighteen digits are the most that surely fit 64 bits beside the marks that ingest keeps there.
        if least == 0 || least > most || most > 18 {
            return self.fault(digits.span().start, "expected [fewest, most] digits between 1 and 18");
        }
        Ok(Key { column, least, most })
    }
}

/// A dimension with what it takes to resolve codes while the other files are parsed.
pub(super) struct Parsed {
    pub dimension: Dimension,
    pub source: Source,
    /// Positions of all nodes, ordered by their codes.
    pub by_code: Vec<u32>,
    /// Base leaves at or below each node.
    pub bases: Vec<std::ops::Range<u32>>,
}

impl Parsed {
    /// The position of the node with a code.
    pub fn position(&self, code: &str) -> Option<u32> {
        let at = self.by_code.binary_search_by_key(&code, |&at| self.dimension.nodes[at as usize].code.as_str());
        at.ok().map(|at| self.by_code[at])
    }

    /// Marks the base leaves below the nodes with these codes.
    fn leaves(&self, text: &Text<'_>, codes: &[Spanned<String>]) -> Result<Vec<bool>, DefinitionError> {
        let mut marks = vec![false; self.bases[0].len()];
        for code in codes {
            let Some(node) = self.position(code.get_ref()) else {
                return text.fault(code.span().start, format!("dimension '{}' has no node '{}'", self.dimension.id, code.get_ref()));
            };
            let range = &self.bases[node as usize];
            marks[range.start as usize..range.end as usize].fill(true);
        }
        Ok(marks)
    }

    /// Makes sure that there are nodes with these codes and that none lies below another.
    pub(super) fn disjoint(&self, text: &Text<'_>, codes: &[Spanned<String>]) -> Result<(), DefinitionError> {
        let mut covered: Vec<(std::ops::Range<u32>, &Spanned<String>)> = Vec::with_capacity(codes.len());
        for code in codes {
            match self.position(code.get_ref()) {
                Some(node) => covered.push((self.bases[node as usize].clone(), code)),
                None => {
                    return text.fault(code.span().start, format!("dimension '{}' has no node '{}'", self.dimension.id, code.get_ref()));
                }
            }
        }
        covered.sort_by_key(|(range, _)| (range.start, range.end));
        for pair in covered.windows(2) {
            let ((one, first), (other, second)) = (&pair[0], &pair[1]);
            if one.end > other.start {
                let (first, second) = if first.span().start < second.span().start { (first, second) } else { (second, first) };
                let problem = format!("'{}' and '{}' overlap; expected disjoint nodes", first.get_ref(), second.get_ref());
                return text.fault(second.span().start, problem);
            }
        }
        Ok(())
    }
}

impl Definitions {
    /// Parses a set of definition files. `regions` replaces the region reference that the set names: its name and content.
    pub fn parse(sources: &Sources, regions: Option<(&str, &str)>) -> Result<Self, DefinitionError> {
        let file = "register.toml";
        let text =
            sources.get(file).ok_or_else(|| DefinitionError::new(file, 1, "there is no such file; every set of definitions needs it"))?;
        let text_alone = Text { file, text, languages: &[] };
        contributors_in_their_place(&text_alone)?;
        let register: RegisterFile = text_alone.parse()?;
        let languages = register.languages;
        let text = Text { file, text, languages: &languages };
        if languages.is_empty() {
            return text.fault(0, "expected at least one [[languages]] entry");
        }

        let mut vintage = String::new();
        let mut parsed: Vec<Parsed> = Vec::new();
        for (file, content) in files_in(sources, "dimensions/", ".toml") {
            let text = Text { file, text: content, languages: &languages };
            let dimension = dimension(&text, sources, regions, &mut vintage)?;
            let duplicate = parsed.iter().any(|other| {
                other.dimension.id == dimension.dimension.id || other.dimension.variable.eq_ignore_ascii_case(&dimension.dimension.variable)
            });
            if duplicate {
                return text.fault(0, format!("another file defines the dimension '{}' or its variable", dimension.dimension.id));
            }
            let ids = |parsed: &Parsed| parsed.dimension.groupings.iter().map(|grouping| grouping.id.clone()).collect::<Vec<_>>();
            let mut groupings: Vec<String> = parsed.iter().flat_map(ids).collect();
            groupings.extend(ids(&dimension));
            if let Some(id) = nodes::first_repeated(groupings.iter().map(String::as_str)) {
                return text.fault(0, format!("grouping '{id}' is named twice; grouping ids are unique over all dimensions"));
            }
            parsed.push(dimension);
        }
        let find = |id: &str| parsed.iter().position(|candidate| candidate.dimension.id == id);

        let identity = register.identity.map(|key| text.key(key.column, &key.digits)).transpose()?;
        let household = match register.household {
            None => None,
            Some(household) => {
                let key = text.key(household.column, &household.digits)?;
                let Some(relation) = find(household.relation.get_ref()) else {
                    return text
                        .fault(household.relation.span().start, format!("there is no dimension '{}'", household.relation.get_ref()));
                };
                let heads = parsed[relation].leaves(&text, &household.heads)?;
                Some(Household { key, relation, heads })
            }
        };

        let dimensions: Vec<&Dimension> = parsed.iter().map(|parsed| &parsed.dimension).collect();
        let shared_notes = notes(&text, &parsed, &register.note)?;
        let mut tables: Vec<Table> = Vec::new();
        for (file, content) in files_in(sources, "tables/", ".toml") {
            let text = Text { file, text: content, languages: &languages };
            let mut table = table(&text, &parsed, &dimensions, &tables, household.as_ref())?;
            // What is true of the whole register stands before what is true of one table.
            let of_all: Vec<Note> = shared_notes.iter().filter(|note| concerns(note, &table)).cloned().collect();
            table.notes.splice(0..0, of_all);
            if tables.iter().any(|other| other.id == table.id) {
                return text.fault(0, format!("another file defines the table '{}'", table.id));
            }
            tables.push(table);
        }
        if tables.is_empty() {
            return Err(DefinitionError::new("tables/", 1, "expected at least one table file"));
        }

        let mut zeros = Vec::new();
        if let Some((file, content)) = sources.get_key_value("structural-zeros.toml") {
            let text = Text { file, text: content, languages: &languages };
            let file: ZerosFile = text.parse()?;
            for zero in file.zero {
                let mut sides = Vec::new();
                for (id, codes) in &zero.nodes {
                    let Some(at) = find(id.get_ref()) else {
                        return text.fault(id.span().start, format!("there is no dimension '{}'", id.get_ref()));
                    };
                    sides.push(ZeroSide { dimension: id.get_ref().clone(), leaves: parsed[at].leaves(&text, codes)? });
                }
                if sides.len() < 2 {
                    return text.fault(zero.id.span().start, "expected nodes of at least two dimensions");
                }
                zeros.push(StructuralZero { id: zero.id.into_inner(), sides });
            }
        }

        let linking = sources.get_key_value("links.toml");
        let linking = linking.map(|(file, content)| Text { file, text: content, languages: &languages });
        let implied_links = linking.is_none();
        let links = links::read(linking.as_ref(), &parsed, &tables, household.is_some())?;
        let contributors = *register.protection.contributors.get_ref();
        if !(1..=MOST_CONTRIBUTORS).contains(&contributors) {
            let problem = format!("expected between 1 and {MOST_CONTRIBUTORS} contributing households");
            return text.fault(register.protection.contributors.span().start, problem);
        }

        let measures = match sources.get_key_value("measures.toml") {
            Some((file, content)) => measures::read(&Text { file, text: content, languages: &languages }, &parsed, &tables)?,
            None => Vec::new(),
        };

        let charts = match sources.get_key_value("charts.toml") {
            Some((file, content)) => charts::read(&Text { file, text: content, languages: &languages }, &parsed)?,
            None => Charts::default(),
        };

        let mut hasher = Sha256::new();
        let chosen = sources.iter().map(|(name, content)| (name.as_str(), content.as_str()));
        for (name, content) in chosen.chain(regions) {
            hasher.update((name.len() as u64).to_le_bytes());
            hasher.update(name);
            hasher.update((content.len() as u64).to_le_bytes());
            hasher.update(content);
        }
        let digest = hexadecimal(hasher);

        let mut axes = HashMap::new();
        for axis in tables.iter().flat_map(|table| &table.axes) {
            if let Some(at) = find(&axis.dimension)
                && let Some(level) = parsed[at].dimension.level(&axis.level)
            {
                axes.entry((at, level)).or_insert_with(|| Arc::new(parsed[at].dimension.axis(level)));
            }
        }

        let (dimensions, sources): (Vec<Dimension>, Vec<Source>) =
            parsed.into_iter().map(|parsed| (parsed.dimension, parsed.source)).unzip();
        Ok(Self {
            joint: links::joint_tables(&tables, &links, &dimensions),
            members: links::member_tables(&links, &tables, &dimensions),
            links,
            implied_links,
            contributors,
            id: register.id,
            label: text.label(&register.label)?,
            agency: register.agency,
            source: text.label(&register.source)?,
            license: register.license,
            contact: register.contact,
            publication_days: register.publication_days,
            frequency: register.frequency,
            identity,
            household,
            dimensions,
            sources,
            tables,
            zeros,
            measures,
            charts,
            axes,
            vintage,
            digest,
            languages,
        })
    }

    /// Every table that is counted cell by cell: those that are published, then [`Definitions::joint`].
    pub fn counted_tables(&self) -> impl Iterator<Item = &Table> + Clone {
        self.tables.iter().chain(&self.joint)
    }

    /// The dimension with this identifier and its position.
    pub fn dimension(&self, id: &str) -> Option<(usize, &Dimension)> {
        self.dimensions.iter().enumerate().find(|(_, dimension)| dimension.id == id)
    }

    /// The numbering of a table's cells. Parsing has made sure that there is one.
    pub fn shape(&self, table: &Table) -> Shape {
        let axis = |axis: &TableAxis| {
            let (at, dimension) = self.dimension(&axis.dimension)?;
            self.axes.get(&(at, dimension.level(&axis.level)?)).cloned()
        };
        let axes: Option<Vec<Arc<Axis>>> = table.axes.iter().map(axis).collect();
        axes.and_then(|axes| Shape::of(axes).ok()).expect("the tables of parsed definitions have a shape")
    }
}

/// Makes sure that `contributors` stands where it is looked for, and is a number: elsewhere it would only be a key that nobody knows.
fn contributors_in_their_place(text: &Text<'_>) -> Result<(), DefinitionError> {
    let tree = text.tree()?;
    for (section, value) in &tree {
        let of_section: Vec<&DeTable<'_>> = match value.get_ref() {
            DeValue::Table(table) => vec![table],
            DeValue::Array(entries) => entries.iter().filter_map(|entry| entry.get_ref().as_table()).collect(),
            _ => Vec::new(),
        };
        let found = of_section.iter().find_map(|table| table.get_key_value("contributors"));
        let is_protection = section.get_ref() == "protection";
        let is_number = found.is_none_or(|(_, value)| value.get_ref().is_integer());
        match found {
            Some((_, value)) if is_protection && !is_number => {
                let problem =
                    format!("expected contributors = 2, or another whole number between 1 and {MOST_CONTRIBUTORS}, without quotes");
                return text.fault(value.span().start, problem);
            }
            Some((key, _)) if !is_protection => return misplaced(text, key.span().start, &format!("[{}]", section.get_ref())),
            _ => {}
        }
    }
    match tree.get_key_value("contributors") {
        Some((key, _)) => misplaced(text, key.span().start, "no section at all"),
        None => Ok(()),
    }
}

fn misplaced(text: &Text<'_>, at: usize, section: &str) -> Result<(), DefinitionError> {
    let problem = format!(
        "'contributors' stands under {section}, where it means nothing; move it below the line [protection], and if there is no such line, add \
         [protection] at the end of the file and put it below that"
    );
    text.fault(at, problem)
}

fn files_in<'a>(sources: &'a Sources, folder: &'a str, ending: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    sources
        .iter()
        .filter(move |(name, _)| name.starts_with(folder) && name.ends_with(ending))
        .map(|(name, content)| (name.as_str(), content.as_str()))
}

fn table(
    text: &Text<'_>,
    parsed: &[Parsed],
    dimensions: &[&Dimension],
    before: &[Table],
    household: Option<&Household>,
) -> Result<Table, DefinitionError> {
    let file: TableFile = text.parse()?;
    let id = file.id.get_ref();
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-') {
        return text.fault(file.id.span().start, format!("'{id}' is no table id; expected letters, digits, '_' and '-' only"));
    }
    if file.unit == Unit::Household && household.is_none() {
        return text.fault(file.id.span().start, "expected a [household] section in register.toml for a table of households");
    }
    let mut geos = 0;
    for axis in file.axis.get_ref() {
        let at = axis.dimension.span().start;
        let Some(found) = parsed.iter().find(|parsed| parsed.dimension.id == *axis.dimension.get_ref()) else {
            let known = dimensions.iter().map(|dimension| dimension.id.as_str()).collect::<Vec<_>>().join(", ");
            return text.fault(at, format!("there is no dimension '{}'; expected one of {known}", axis.dimension.get_ref()));
        };
        if matches!(found.source, Source::HouseholdSize { .. }) && file.unit == Unit::Person {
            return text.fault(at, "household size is known of households only; expected unit = \"household\"");
        }
        geos += usize::from(found.dimension.role == Role::Geo);
        // Categories of one column that overlap tell of each other, which sums along one tree do not show.
        let of_unit = before.iter().filter(|table| table.unit == file.unit).flat_map(|table| &table.axes).map(|axis| &axis.dimension);
        let others = of_unit.chain(file.axis.get_ref().iter().map(|axis| axis.dimension.get_ref()));
        let mut others =
            others.filter(|other| **other != found.dimension.id).filter_map(|other| parsed.iter().find(|p| p.dimension.id == *other));
        if let Some(other) = others.find(|other| found.source.overlaps(&other.source)) {
            let problem = format!(
                "'{}' and '{}' are read from the same column, or both are sizes of households, so that tables by one would tell of tables \
                 by the other; expected one of them, with a [[grouping]] for other categories",
                found.dimension.id, other.dimension.id
            );
            return text.fault(at, problem);
        }
    }
    // How many people are heads is how many households there are: nobody has linked the two.
    let source = |id: &str| parsed.iter().find(|parsed| parsed.dimension.id == id).map(|parsed| &parsed.source);
    let relation = household.and_then(|household| parsed.get(household.relation));
    let tells_heads = |id: &str| relation.zip(source(id)).is_some_and(|(relation, source)| relation.source.overlaps(source));
    let of_table = |table: &Table| table.unit == Unit::Person && table.axes.iter().any(|axis| tells_heads(&axis.dimension));
    let own = || file.unit == Unit::Person && file.axis.get_ref().iter().any(|axis| tells_heads(axis.dimension.get_ref()));
    let has_both = match file.unit {
        Unit::Household => before.iter().any(of_table),
        Unit::Person => own() && before.iter().any(|table| table.unit == Unit::Household),
    };
    if has_both {
        let problem = format!(
            "a table of people by '{}' tells how many heads there are, and with that how many households, which tables of households may \
             withhold; expected tables of households, or tables by that dimension, but not both",
            relation.map_or("", |relation| relation.dimension.id.as_str())
        );
        return text.fault(file.id.span().start, problem);
    }
    let axes = file.axis.get_ref();
    if let Some(id) = nodes::first_repeated(axes.iter().map(|axis| axis.dimension.get_ref().as_str())) {
        return text.fault(file.axis.span().start, format!("dimension '{id}' is crossed with itself"));
    }
    let leads = axes.first().is_some_and(|axis| dimensions.iter().any(|d| d.id == *axis.dimension.get_ref() && d.role == Role::Geo));
    if geos != 1 || !leads {
        return text.fault(file.axis.span().start, "expected exactly one region dimension, and that first");
    }
    let table = Table {
        id: id.clone(),
        label: text.label(&file.label)?,
        description: text.label(&file.description)?,
        subject: text.label(&file.subject)?,
        unit: file.unit,
        contents: Contents { code: file.contents.code, label: text.label(&file.contents.label)?, unit: text.label(&file.contents.unit)? },
        axes: axes.iter().map(|axis| TableAxis { dimension: axis.dimension.get_ref().clone(), level: axis.level.clone() }).collect(),
        notes: notes(text, parsed, &file.note)?,
    };
    if let Some((note, _)) = table.notes.iter().zip(&file.note).map(|(note, file)| (file, note)).find(|(_, note)| !concerns(note, &table)) {
        return text.fault(note.text.span().start, "this note is about a dimension that the table does not have");
    }
    match Shape::numbering(&table, dimensions) {
        Ok(_) => Ok(table),
        Err(error) => text.fault(file.axis.span().start, error.to_string()),
    }
}
