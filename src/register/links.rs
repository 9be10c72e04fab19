//! Links between units: what tables of people tell of households, and the other way round.
//!
//! ```text
//! people of a region  =  sum over sizes of size x households  +  members beyond the open size  +  people outside
//! households of a head's sex and age  <=  people of that sex and age
//! ```
//!
//! The first is a [`MembersLink`], the second follows from [`HeadPair`]s: the head of a household is one of the people. Tables of
//! both units are therefore one system, for whoever protects it and for whoever attacks it. Links are declared in `links.toml`;
//! what that file leaves out is worked out from the definitions, so that no register is without them unless somebody says so.

use serde::{Deserialize, Serialize};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    Dimension, Role, Source, Table, Unit,
    definitions::{DefinitionError, Parsed, Text},
    source::coarser_ages,
};

/// Fewest and most members of a household in one category of a size dimension; `None`: nobody knows a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    /// Fewest members.
    pub least: u32,
    /// Most members.
    pub most: Option<u32>,
}

/// The people of a region are the members of its households.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembersLink {
    /// [`Dimension::id`] of the household size.
    pub size: String,
    /// Identifiers of the dimensions in which all members of a household stand where its head stands.
    pub shared: Vec<String>,
    /// Members by base leaf of the size dimension.
    pub members: Vec<Members>,
}

/// A dimension of household heads, and the dimension of people that says the same of everybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadPair {
    /// [`Dimension::id`] in tables of households.
    pub head: String,
    /// [`Dimension::id`] in tables of people; the same dimension or one that is read from the same column.
    pub person: String,
    /// For each base leaf of the dimension of people the base leaf of the dimension of heads. The same dimension twice needs none, and has
    /// none in manifests, where it would be a list of all villages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<u32>,
}

/// All links of a register.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Links {
    /// Sizes times households make people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<MembersLink>,
    /// Heads are people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heads: Vec<HeadPair>,
}

impl Links {
    /// Whether nothing is linked.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty() && self.heads.is_empty()
    }

    /// The same links without classes that follow from the dimensions, as manifests hold them.
    #[must_use]
    pub fn abridged(&self) -> Self {
        let mut links = self.clone();
        links.heads.iter_mut().filter(|pair| pair.head == pair.person).for_each(|pair| pair.classes.clear());
        links
    }
}

/// What `links.toml` says; `None`: it does not say it.
#[derive(Default)]
struct LinksFile {
    members: Option<Vec<MembersFile>>,
    heads: Option<Vec<(Spanned<String>, Spanned<String>)>>,
}

struct MembersFile {
    size: Spanned<String>,
    shared: Vec<Spanned<String>>,
    largest: Option<Spanned<u32>>,
}

/// Reads `links.toml`, or works the links out where there is no such file.
///
/// # Errors
/// A link that the definitions cannot mean, with file, line and cure.
pub(super) fn read(text: Option<&Text<'_>>, parsed: &[Parsed], tables: &[Table], has_households: bool) -> Result<Links, DefinitionError> {
    let Some(text) = text else { return Ok(implied(parsed, tables)) };
    let file = links_file(text, parsed)?;
    if !has_households {
        return text.fault(0, "links join people and households; expected a [household] section in register.toml, or no links.toml");
    }
    let mut links = implied(parsed, tables);
    if let Some(declared) = file.members {
        links.members = declared.into_iter().map(|link| members(text, link, parsed, tables)).collect::<Result<_, _>>()?;
    }
    if let Some(pairs) = file.heads {
        let pair = |(head, person)| head_pair(text, &head, &person, parsed, tables);
        links.heads = pairs.into_iter().map(pair).collect::<Result<_, _>>()?;
    }
    Ok(links)
}

const MEMBERS_CURE: &str = "write [[members]] with two brackets, one for each link, and below it size, shared and largest";
const HEADS_CURE: &str = "write a line [heads] with one pair of brackets, and below it pairs such as region = \"region\"";

/// Takes the file apart value by value, so that each that is wrong is told with its cure.
fn links_file(text: &Text<'_>, parsed: &[Parsed]) -> Result<LinksFile, DefinitionError> {
    let mut file = LinksFile::default();
    for (key, value) in text.tree()? {
        let at = key.span().start;
        match (&**key.get_ref(), value.into_inner()) {
            ("members", DeValue::Array(links)) => {
                let mut declared = Vec::with_capacity(links.len());
                for link in links {
                    let at = link.span().start;
                    match link.into_inner() {
                        DeValue::Table(keys) => declared.push(members_file(text, at, keys, parsed)?),
                        _ => return text.fault(at, MEMBERS_CURE),
                    }
                }
                file.members = Some(declared);
            }
            ("members", _) => return text.fault(at, MEMBERS_CURE),
            ("heads", DeValue::Table(keys)) => {
                let mut pairs: Vec<(Spanned<String>, Spanned<String>)> = Vec::with_capacity(keys.len());
                for (head, person) in keys {
                    let expected = "expected the dimension of people that says the same of everybody, in quotes, as in region = \"region\"";
                    let person = name(text, &person, expected)?;
                    pairs.push((Spanned::new(head.span(), head.into_inner().into_owned()), person));
                }
                pairs.sort();
                file.heads = Some(pairs);
            }
            ("heads", _) => return text.fault(at, HEADS_CURE),
            (other, _) => return text.fault(at, format!("nothing is called '{other}' here; either {MEMBERS_CURE}; or {HEADS_CURE}")),
        }
    }
    Ok(file)
}

fn members_file(text: &Text<'_>, at: usize, keys: DeTable<'_>, parsed: &[Parsed]) -> Result<MembersFile, DefinitionError> {
    let ids = |is_wanted: &dyn Fn(&Parsed) -> bool| {
        let ids: Vec<&str> = parsed.iter().filter(|parsed| is_wanted(parsed)).map(|parsed| parsed.dimension.id.as_str()).collect();
        if ids.is_empty() { "none".to_owned() } else { ids.join(", ") }
    };
    let size_cure = format!(
        "expected size = \"...\", the dimension of household sizes; this register has: {}",
        ids(&|parsed: &Parsed| matches!(parsed.source, Source::HouseholdSize { .. }))
    );
    let shared_cure = format!(
        "expected shared = [\"...\"], the dimensions in which all members of a household stand where its head stands; this register has \
         regions: {}",
        ids(&|parsed: &Parsed| parsed.dimension.role == Role::Geo)
    );
    let (mut size, mut shared, mut largest) = (None, None, None);
    for (key, value) in keys {
        match (&**key.get_ref(), value.get_ref()) {
            ("size", _) => size = Some(name(text, &value, &size_cure)?),
            ("shared", DeValue::Array(ids)) => {
                shared = Some(ids.iter().map(|id| name(text, id, &shared_cure)).collect::<Result<Vec<_>, _>>()?);
            }
            ("shared", _) => return text.fault(value.span().start, shared_cure),
            ("largest", number) => {
                let number = number.as_integer().and_then(|number| u32::from_str_radix(number.as_str(), number.radix()).ok());
                let Some(number) = number else {
                    let problem = "expected a whole number such as 40, without quotes: the most members that a household can have";
                    return text.fault(value.span().start, problem);
                };
                largest = Some(Spanned::new(value.span(), number));
            }
            (other, _) => {
                let problem = format!("a link of members has no '{other}'; expected size, shared and, if there is a limit, largest");
                return text.fault(key.span().start, problem);
            }
        }
    }
    let Some(size) = size else { return text.fault(at, size_cure) };
    let Some(shared) = shared else { return text.fault(at, shared_cure) };
    Ok(MembersFile { size, shared, largest })
}

fn name(text: &Text<'_>, value: &Spanned<DeValue<'_>>, expected: &str) -> Result<Spanned<String>, DefinitionError> {
    match value.get_ref().as_str() {
        Some(name) => Ok(Spanned::new(value.span(), name.to_owned())),
        None => text.fault(value.span().start, expected),
    }
}

fn find<'p>(text: &Text<'_>, id: &Spanned<String>, parsed: &'p [Parsed]) -> Result<&'p Parsed, DefinitionError> {
    match parsed.iter().find(|parsed| parsed.dimension.id == *id.get_ref()) {
        Some(found) => Ok(found),
        None => {
            let known = parsed.iter().map(|parsed| parsed.dimension.id.as_str()).collect::<Vec<_>>().join(", ");
            text.fault(id.span().start, format!("there is no dimension '{}'; expected one of {known}", id.get_ref()))
        }
    }
}

fn is_shown(tables: &[Table], unit: Unit, dimension: &str) -> bool {
    tables.iter().any(|table| table.unit == unit && table.axes.iter().any(|axis| axis.dimension == dimension))
}

fn members(text: &Text<'_>, link: MembersFile, parsed: &[Parsed], tables: &[Table]) -> Result<MembersLink, DefinitionError> {
    let size = find(text, &link.size, parsed)?;
    let Source::HouseholdSize { leaves } = &size.source else {
        let problem = format!(
            "the categories of '{}' are no numbers of members; expected a dimension whose [source] is of the kind household-size",
            link.size.get_ref()
        );
        return text.fault(link.size.span().start, problem);
    };
    if link.shared.is_empty() {
        return text
            .fault(link.size.span().start, "expected in 'shared' at least one dimension, such as the region, that all members share");
    }
    for shared in &link.shared {
        let found = find(text, shared, parsed)?;
        if matches!(found.source, Source::HouseholdSize { .. }) {
            return text.fault(shared.span().start, format!("'{}' is no dimension of people", shared.get_ref()));
        }
        for (unit, name) in [(Unit::Person, "people"), (Unit::Household, "households")] {
            if !is_shown(tables, unit, shared.get_ref()) {
                let problem = format!("no table of {name} shows '{}', so that nothing can be linked by it; leave it out", shared.get_ref());
                return text.fault(shared.span().start, problem);
            }
        }
    }
    let open = leaves.len().saturating_sub(1) as u32;
    if let Some(largest) = &link.largest
        && *largest.get_ref() < open
    {
        let problem =
            format!("the largest household has {} members, but a size begins at {open}; expected at least that", largest.get_ref());
        return text.fault(largest.span().start, problem);
    }
    Ok(MembersLink {
        size: size.dimension.id.clone(),
        shared: link.shared.into_iter().map(Spanned::into_inner).collect(),
        members: members_by_leaf(leaves, size.dimension.base_leaves().len(), link.largest.map(Spanned::into_inner)),
    })
}

/// Fewest and most members of each base leaf, from the leaf of each number of members; the last is open.
fn members_by_leaf(leaf_of: &[u32], leaves: usize, largest: Option<u32>) -> Vec<Members> {
    let mut members = vec![Members { least: u32::MAX, most: Some(0) }; leaves];
    // Nobody makes no household, whatever category that would be.
    for (number, &leaf) in (0u32..).zip(leaf_of).skip(1) {
        let of_leaf = &mut members[leaf as usize];
        of_leaf.least = of_leaf.least.min(number);
        of_leaf.most = Some(number);
    }
    if let Some(&open) = leaf_of.last() {
        members[open as usize].most = largest;
        if leaf_of.len() == 1 {
            members[open as usize].least = 1;
        }
    }
    for of_leaf in members.iter_mut().filter(|of_leaf| of_leaf.least == u32::MAX) {
        *of_leaf = Members { least: 0, most: Some(0) };
    }
    members
}

fn head_pair(
    text: &Text<'_>,
    head: &Spanned<String>,
    person: &Spanned<String>,
    parsed: &[Parsed],
    tables: &[Table],
) -> Result<HeadPair, DefinitionError> {
    let (of_heads, of_people) = (find(text, head, parsed)?, find(text, person, parsed)?);
    for (unit, name, id) in [(Unit::Household, "households", head), (Unit::Person, "people", person)] {
        if !is_shown(tables, unit, id.get_ref()) {
            let problem = format!("no table of {name} shows '{}', so that there is nothing to compare; leave the pair out", id.get_ref());
            return text.fault(id.span().start, problem);
        }
    }
    match classes(of_heads, of_people) {
        Some(classes) => Ok(HeadPair { head: head.get_ref().clone(), person: person.get_ref().clone(), classes }),
        None => {
            let problem = format!(
                "{}; leave this pair out, or write the same dimension on both sides, or two dimensions of ages from one column of birth \
                 dates, the second as fine as the first or finer",
                incomparable(of_heads, of_people)
            );
            text.fault(person.span().start, problem)
        }
    }
}

/// Why heads by one dimension say nothing of people by another.
fn incomparable(head: &Parsed, person: &Parsed) -> String {
    let what = |parsed: &Parsed| match &parsed.source {
        Source::Code { column, .. } => format!("codes in the column {column}"),
        Source::Age { column, .. } => format!("ages from the column {column}"),
        Source::Region { .. } => "regions".to_owned(),
        Source::HouseholdSize { .. } => "numbers of members".to_owned(),
    };
    let (of_heads, of_people) = (&head.dimension.id, &person.dimension.id);
    match (&head.source, &person.source) {
        (Source::Age { column, .. }, Source::Age { column: other, .. }) if column == other => format!(
            "heads by '{of_heads}' cannot be compared with people by '{of_people}': a category of '{of_people}' holds ages that \
             '{of_heads}' tells apart"
        ),
        _ => format!(
            "heads by '{of_heads}' ({}) cannot be compared with people by '{of_people}' ({}): the two do not say the same of a person",
            what(head),
            what(person)
        ),
    }
}

/// For each base leaf of a dimension of people the base leaf of a dimension of heads; `None` if the two cannot be compared.
fn classes(head: &Parsed, person: &Parsed) -> Option<Vec<u32>> {
    let leaves = person.dimension.base_leaves().len();
    if head.dimension.id == person.dimension.id {
        let is_size = matches!(head.source, Source::HouseholdSize { .. });
        return (!is_size).then(|| (0..leaves as u32).collect());
    }
    let (Source::Age { column, leaves: of_heads, .. }, Source::Age { column: other, leaves: of_people, .. }) =
        (&head.source, &person.source)
    else {
        return None;
    };
    if column != other {
        return None;
    }
    let mut classes = coarser_ages(of_people, of_heads)?;
    classes.resize(leaves, None);
    classes.into_iter().collect()
}

/// The links that follow from the definitions alone.
fn implied(parsed: &[Parsed], tables: &[Table]) -> Links {
    let mut links = Links::default();
    let of_heads: Vec<&Parsed> = parsed.iter().filter(|parsed| is_shown(tables, Unit::Household, &parsed.dimension.id)).collect();
    let of_people: Vec<&Parsed> = parsed.iter().filter(|parsed| is_shown(tables, Unit::Person, &parsed.dimension.id)).collect();
    let id = |parsed: &Parsed| parsed.dimension.id.clone();
    for head in &of_heads {
        if let Source::HouseholdSize { leaves } = &head.source {
            let is_shared = |parsed: &&&Parsed| parsed.dimension.role == Role::Geo && of_heads.iter().any(|other| id(other) == id(parsed));
            let shared: Vec<String> = of_people.iter().filter(is_shared).map(|parsed| id(parsed)).collect();
            if !shared.is_empty() {
                let members = members_by_leaf(leaves, head.dimension.base_leaves().len(), None);
                links.members.push(MembersLink { size: id(head), shared, members });
            }
            continue;
        }
        let same = of_people.iter().find(|person| id(person) == id(head));
        let person = same.or_else(|| of_people.iter().find(|person| classes(head, person).is_some()));
        if let Some(person) = person
            && let Some(classes) = classes(head, person)
        {
            links.heads.push(HeadPair { head: id(head), person: id(person), classes });
        }
    }
    links
}

/// The most cells of a joint table: beyond it the combination of all dimensions is too fine to be held.
pub const MOST_JOINT_CELLS: u64 = 1 << 21;

/// Tables that are counted but never published: each crosses all dimensions of one unit's tables as finely as any of them does, and those
/// that all members of a household share as finely as any table of either unit does.
///
/// Whoever reasons about lists of records, and not only about sums, reasons about their cells: there is a list of people that
/// agrees with several tables only if the joint table can be filled. A unit has one where it says more than a table that is published,
/// and where it has at most [`MOST_JOINT_CELLS`] cells.
pub fn joint_tables(tables: &[Table], links: &Links, dimensions: &[Dimension]) -> Vec<Table> {
    [Unit::Person, Unit::Household].into_iter().filter_map(|unit| joint_table(tables, links, dimensions, unit)).collect()
}

fn joint_table(tables: &[Table], links: &Links, dimensions: &[Dimension], unit: Unit) -> Option<Table> {
    let of_unit: Vec<&Table> = tables.iter().filter(|table| table.unit == unit).collect();
    let (first, name) = (of_unit.first()?, if unit == Unit::Person { "person" } else { "household" });
    let is_shared = |id: &str| links.members.iter().any(|link| link.shared.iter().any(|shared| shared == id));
    let mut axes: Vec<(&Dimension, u8)> = Vec::new();
    let shared = tables.iter().flat_map(|table| &table.axes).filter(|axis| is_shared(&axis.dimension));
    for axis in of_unit.iter().flat_map(|table| &table.axes).chain(shared) {
        let dimension = dimensions.iter().find(|dimension| dimension.id == axis.dimension)?;
        let level = dimension.level(&axis.level)?;
        match axes.iter_mut().find(|(known, _)| known.id == dimension.id) {
            Some((_, finest)) => *finest = level.max(*finest),
            None => axes.push((dimension, level)),
        }
    }
    let cells = axes.iter().try_fold(1u64, |cells, (dimension, level)| cells.checked_mul(dimension.size(*level) as u64))?;
    let axes: Vec<super::TableAxis> = axes
        .into_iter()
        .map(|(dimension, level)| super::TableAxis {
            dimension: dimension.id.clone(),
            level: dimension.levels[usize::from(level)].id.clone(),
        })
        .collect();
    let says_it = |table: &&&Table| axes.iter().all(|axis| table.axes.contains(axis));
    if cells > MOST_JOINT_CELLS || of_unit.iter().any(|table| says_it(&table)) {
        return None;
    }
    Some(Table { id: format!("joint.{name}"), axes, notes: Vec::new(), ..(*first).clone() })
}

/// For each [`MembersLink`] a table of the members of counted households, at the nodes where their heads stand. Never published.
pub fn member_tables(links: &Links, tables: &[Table], dimensions: &[Dimension]) -> Vec<Table> {
    let table = |(at, link): (usize, &MembersLink)| {
        let first = tables.iter().find(|table| table.unit == Unit::Household)?;
        let axis = |id: &String| {
            let dimension = dimensions.iter().find(|dimension| dimension.id == *id)?;
            let levels = tables.iter().flat_map(|table| &table.axes).filter(|axis| axis.dimension == *id);
            let finest = levels.filter_map(|axis| dimension.level(&axis.level)).max()?;
            Some(super::TableAxis { dimension: id.clone(), level: dimension.levels[usize::from(finest)].id.clone() })
        };
        let axes = link.shared.iter().map(axis).collect::<Option<Vec<_>>>()?;
        Some(Table { id: format!("members.{at}"), axes, notes: Vec::new(), ..first.clone() })
    };
    links.members.iter().enumerate().filter_map(table).collect()
}
