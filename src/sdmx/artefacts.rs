//! Structures: which there are, and which refer to which.
//!
//! ```text
//! categorisation ──> category scheme
//!        └───┐
//! constraint ─> dataflow ─> data structure ─> concept scheme, code lists
//! ```

use std::collections::BTreeSet;

use super::{
    codelists,
    components::{CONF_STATUS, CONTENTS, FREQ, OBS_STATUS, UNIT_MEASURE},
    names::Names,
    refusal::Refusal,
};
use crate::tables::Library;

/// A kind of structure. The order is that of the parts of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Who maintains structures.
    AgencyScheme,
    /// Tables.
    Dataflow,
    /// Subjects.
    CategoryScheme,
    /// Which table belongs to which subject.
    Categorisation,
    /// Code lists.
    Codelist,
    /// What components mean.
    ConceptScheme,
    /// Dimensions, measure and attributes of a table.
    DataStructure,
    /// Which codes a table shows.
    ContentConstraint,
}

/// A code list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum List {
    /// Frequencies.
    Frequency,
    /// All nodes of a dimension, by its position in the library.
    Dimension(usize),
    /// The measures of a table.
    Contents(usize),
    /// Whether there is a number.
    Status,
    /// Whether a number is withheld.
    Confidentiality,
    /// Units of measure.
    Unit,
}

/// A structure. Tables are meant by their position in the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Artefact {
    /// The one agency.
    Agencies,
    /// A table's dataflow.
    Flow(usize),
    /// The one scheme of subjects.
    Subjects,
    /// A table's place among the subjects.
    Categorisation(usize),
    /// A code list.
    Codelist(List),
    /// The one scheme of concepts.
    Concepts,
    /// A table's data structure.
    Structure(usize),
    /// The codes that a table shows.
    Constraint(usize),
}

/// Which structures are wanted beside those that a query names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum References {
    /// None.
    None,
    /// Those that refer to them.
    Parents,
    /// Those that refer to them, and what these refer to.
    ParentsAndSiblings,
    /// Those that they refer to.
    Children,
    /// Those that they refer to, directly or not.
    Descendants,
    /// Parents, siblings and descendants.
    All,
    /// Of all these one kind.
    Of(Kind),
}

/// What the parameter `references` may be, beside a kind.
pub const REFERENCES: [&str; 6] = ["none", "parents", "parentsandsiblings", "children", "descendants", "all"];
/// The resource that means structures of every kind.
pub const EVERY_KIND: &str = "structure";

/// Every kind with the resources that it is asked for by, its own first.
const RESOURCES: [(Kind, &[&str]); 8] = [
    (Kind::AgencyScheme, &["agencyscheme", "organisationscheme"]),
    (Kind::Dataflow, &["dataflow"]),
    (Kind::CategoryScheme, &["categoryscheme"]),
    (Kind::Categorisation, &["categorisation"]),
    (Kind::Codelist, &["codelist"]),
    (Kind::ConceptScheme, &["conceptscheme"]),
    (Kind::DataStructure, &["datastructure"]),
    (Kind::ContentConstraint, &["contentconstraint", "actualconstraint"]),
];

impl Kind {
    /// The kind that a resource is of.
    pub fn of_resource(resource: &str) -> Option<Self> {
        RESOURCES.iter().find(|(_, resources)| resources.contains(&resource)).map(|(kind, _)| *kind)
    }

    /// The resource that it is asked for by.
    pub fn resource(self) -> &'static str {
        RESOURCES[self as usize].1[0]
    }

    /// The resources of all kinds.
    pub fn resources() -> impl Iterator<Item = &'static str> {
        RESOURCES.iter().flat_map(|(_, resources)| resources.iter().copied())
    }
}

impl Artefact {
    /// Every structure that there is.
    pub fn every(library: &Library) -> BTreeSet<Self> {
        let lists = [List::Frequency, List::Status, List::Confidentiality, List::Unit];
        let tables = 0..library.tables.len();
        let of_tables = tables.flat_map(|at| {
            [Self::Flow(at), Self::Categorisation(at), Self::Structure(at), Self::Constraint(at), Self::Codelist(List::Contents(at))]
        });
        let dimensions = (0..library.dimensions.len()).map(List::Dimension);
        let lists = lists.into_iter().chain(dimensions).map(Self::Codelist);
        of_tables.chain(lists).chain([Self::Agencies, Self::Subjects, Self::Concepts]).collect()
    }

    /// What kind of structure it is.
    pub fn kind(self) -> Kind {
        match self {
            Self::Agencies => Kind::AgencyScheme,
            Self::Flow(_) => Kind::Dataflow,
            Self::Subjects => Kind::CategoryScheme,
            Self::Categorisation(_) => Kind::Categorisation,
            Self::Codelist(_) => Kind::Codelist,
            Self::Concepts => Kind::ConceptScheme,
            Self::Structure(_) => Kind::DataStructure,
            Self::Constraint(_) => Kind::ContentConstraint,
        }
    }

    /// Its identifier.
    pub fn id(self, names: &Names<'_>) -> String {
        match self {
            Self::Agencies => "AGENCIES".into(),
            Self::Flow(table) => names.flows[table].clone(),
            Self::Subjects => "SUBJECTS".into(),
            Self::Categorisation(table) => format!("CAT_{}", names.flows[table]),
            Self::Codelist(list) => list.id(names),
            Self::Concepts => "CONCEPTS".into(),
            Self::Structure(table) => names.structure(table),
            Self::Constraint(table) => format!("CC_{}", names.flows[table]),
        }
    }

    /// The identifiers of its items, if it is a scheme or a list.
    pub fn items(self, names: &Names<'_>) -> Vec<String> {
        match self {
            Self::Agencies => vec![names.agency.clone()],
            Self::Subjects => names.subjects.iter().map(|subject| subject.id.clone()).collect(),
            Self::Concepts => names.components().into_iter().map(|(id, _)| id.to_owned()).collect(),
            Self::Codelist(list) => codelists::ids(names, list),
            Self::Flow(_) | Self::Categorisation(_) | Self::Structure(_) | Self::Constraint(_) => Vec::new(),
        }
    }

    /// The structures that it refers to.
    fn children(self, library: &Library) -> Vec<Self> {
        match self {
            Self::Agencies | Self::Subjects | Self::Concepts | Self::Codelist(_) => Vec::new(),
            Self::Flow(table) => vec![Self::Structure(table)],
            Self::Categorisation(table) => vec![Self::Subjects, Self::Flow(table)],
            Self::Constraint(table) => vec![Self::Flow(table)],
            Self::Structure(table) => {
                let axes = library.tables[table].axes.iter().map(|axis| List::Dimension(axis.dimension));
                let others = [List::Frequency, List::Contents(table), List::Status, List::Confidentiality, List::Unit];
                axes.chain(others).map(Self::Codelist).chain([Self::Concepts]).collect()
            }
        }
    }

    /// These structures and those that a query wants beside them.
    pub fn with_references(library: &Library, asked: &BTreeSet<Self>, references: References) -> BTreeSet<Self> {
        let children = |of: &BTreeSet<Self>| of.iter().flat_map(|artefact| artefact.children(library)).collect::<BTreeSet<Self>>();
        let parents = || {
            let refers = |other: &Self| other.children(library).iter().any(|child| asked.contains(child));
            Self::every(library).into_iter().filter(refers).collect::<BTreeSet<Self>>()
        };
        let siblings = || children(&parents());
        let descendants = || {
            let mut all = children(asked);
            loop {
                let deeper: BTreeSet<Self> = children(&all).union(&all).copied().collect();
                if deeper.len() == all.len() {
                    return all;
                }
                all = deeper;
            }
        };
        let all = || parents().into_iter().chain(siblings()).chain(descendants());
        let beside: BTreeSet<Self> = match references {
            References::None => BTreeSet::new(),
            References::Parents => parents(),
            References::ParentsAndSiblings => parents().into_iter().chain(siblings()).collect(),
            References::Children => children(asked),
            References::Descendants => descendants(),
            References::All => all().collect(),
            References::Of(kind) => all().filter(|artefact| artefact.kind() == kind).collect(),
        };
        asked.union(&beside).copied().collect()
    }
}

impl List {
    /// Its identifier.
    pub fn id(self, names: &Names<'_>) -> String {
        let of = |component: &str| format!("CL_{component}");
        match self {
            Self::Frequency => of(FREQ),
            Self::Dimension(dimension) => of(&names.dimensions[dimension]),
            Self::Contents(table) => format!("CL_{CONTENTS}_{}", names.flows[table]),
            Self::Status => of(OBS_STATUS),
            Self::Confidentiality => of(CONF_STATUS),
            Self::Unit => of(UNIT_MEASURE),
        }
    }
}

impl References {
    /// Reads the parameter `references`.
    ///
    /// # Errors
    /// Where it is none of the words of the standard.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        Ok(match text.to_ascii_lowercase().as_str() {
            "" | "none" => Self::None,
            "parents" => Self::Parents,
            "parentsandsiblings" => Self::ParentsAndSiblings,
            "children" => Self::Children,
            "descendants" => Self::Descendants,
            "all" => Self::All,
            resource => match Kind::of_resource(resource) {
                Some(kind) => Self::Of(kind),
                None => {
                    let choices: Vec<&str> = REFERENCES.into_iter().chain(Kind::resources()).collect();
                    return Err(Refusal::choice("references", text, &choices));
                }
            },
        })
    }
}
