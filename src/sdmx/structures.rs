//! Structure messages.

use std::collections::BTreeSet;

use super::{
    artefacts::{Artefact, EVERY_KIND, Kind, List, References},
    codelists,
    components::{TIME_PERIOD, Text},
    constraints, datastructures,
    message::{header, namespaces, texts},
    names::{Names, VERSION},
    refusal::{Refusal, RefusalKind, short},
    xml::Xml,
};
use crate::{tables::Library, words};

/// What the parameter `detail` of structures may be.
pub const STRUCTURE_DETAILS: [&str; 6] =
    ["full", "allstubs", "allcompletestubs", "referencestubs", "referencecompletestubs", "referencepartial"];

/// How much is said of each structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Everything.
    Full,
    /// Of all only what they are called and where they are; `true`: also their descriptions.
    AllStubs(bool),
    /// The same of those that are referred to, everything of those that are asked for.
    ReferenceStubs(bool),
    /// Everything, but code lists only as far as the tables reach that are asked for.
    ReferencePartial,
}

impl Detail {
    /// Reads the parameter `detail`.
    ///
    /// # Errors
    /// Where it is none of the words of the standard.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        match text.to_ascii_lowercase().as_str() {
            "" | "full" => Ok(Self::Full),
            "allstubs" => Ok(Self::AllStubs(false)),
            "allcompletestubs" => Ok(Self::AllStubs(true)),
            "referencestubs" => Ok(Self::ReferenceStubs(false)),
            "referencecompletestubs" => Ok(Self::ReferenceStubs(true)),
            "referencepartial" => Ok(Self::ReferencePartial),
            _ => Err(Refusal::choice("detail", text, &STRUCTURE_DETAILS)),
        }
    }
}

/// Which items of a scheme are written; none named: all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Items(BTreeSet<String>);

impl Items {
    fn parse(text: &str) -> Self {
        let all = text.split('+').any(|item| item.is_empty() || item.eq_ignore_ascii_case("all"));
        Self(if all { BTreeSet::new() } else { text.split('+').map(str::to_owned).collect() })
    }

    /// Whether an item is among them.
    pub fn has(&self, id: &str) -> bool {
        self.0.is_empty() || self.0.contains(id)
    }
}

/// A query for structures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StructureQuery {
    asked: BTreeSet<Artefact>,
    items: Items,
    references: References,
    detail: Detail,
}

impl StructureQuery {
    /// Reads a query: a resource such as `dataflow` or `structure` (every kind), identifiers joined by `+` or `all`, a version,
    /// and of schemes the items that are wanted, likewise.
    ///
    /// # Errors
    /// Where there is no such structure, or the kind is not offered.
    pub fn parse(
        names: &Names<'_>,
        resource: &str,
        ids: &str,
        version: &str,
        items: &str,
        references: References,
        detail: Detail,
    ) -> Result<Self, Refusal> {
        let lower = resource.to_ascii_lowercase();
        let kind = Kind::of_resource(&lower);
        if kind.is_none() && lower != EVERY_KIND {
            let there = Kind::resources().chain([EVERY_KIND, "availableconstraint", "data"]).collect::<Vec<_>>().join(", ");
            let detail = words::NO_RESOURCE.with(short(resource)).and(words::THERE_IS.with(there));
            let of_the_standard = NOT_OFFERED.contains(&lower.as_str());
            return Err(Refusal::new(if of_the_standard { RefusalKind::NotImplemented } else { RefusalKind::Syntax }, detail));
        }
        let of_kind: Vec<Artefact> =
            Artefact::every(names.library).into_iter().filter(|artefact| kind.is_none_or(|kind| artefact.kind() == kind)).collect();
        let none = |text: &str| {
            let there = of_kind.iter().map(|artefact| artefact.id(names)).collect::<Vec<_>>().join(", ");
            Refusal::no_results(words::NO_STRUCTURE.with(lower.as_str()).and(short(text)).and(words::THERE_IS.with(there)))
        };
        if !version.split('+').any(|version| matches!(version, VERSION | "latest" | "all")) {
            return Err(none(version));
        }
        let wanted = |artefact: &&Artefact| {
            let id = artefact.id(names);
            ids.split('+').any(|wanted| wanted.eq_ignore_ascii_case("all") || wanted.eq_ignore_ascii_case(&id))
        };
        let mut asked: BTreeSet<Artefact> = of_kind.iter().filter(wanted).copied().collect();
        if asked.is_empty() {
            return Err(none(ids));
        }
        let chosen = Items::parse(items);
        if !chosen.0.is_empty() {
            asked.retain(|artefact| artefact.items(names).iter().any(|item| chosen.has(item)));
            if asked.is_empty() {
                return Err(Refusal::no_results(words::NO_ITEM.with(lower.as_str()).and(short(items))));
            }
        }
        Ok(Self { asked, items: chosen, references, detail })
    }
}

/// Resources of the standard that there are not.
const NOT_OFFERED: [&str; 18] = [
    "metadatastructure",
    "metadataflow",
    "metadata",
    "hierarchicalcodelist",
    "structureset",
    "process",
    "reportingtaxonomy",
    "provisionagreement",
    "dataproviderscheme",
    "dataconsumerscheme",
    "organisationunitscheme",
    "allowedconstraint",
    "attachmentconstraint",
    "transformationscheme",
    "rulesetscheme",
    "userdefinedoperatorscheme",
    "customtypescheme",
    "namepersonalisationscheme",
];

/// How a structure is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Full,
    Stub { described: bool },
}

/// The message that answers a query. Addresses in it lie below `base`.
pub fn structures(names: &Names<'_>, query: &StructureQuery, base: &str) -> Vec<u8> {
    let library = names.library;
    let artefacts = Artefact::with_references(library, &query.asked, query.references);
    let extent = |artefact: &Artefact| match query.detail {
        Detail::AllStubs(described) => Extent::Stub { described },
        Detail::ReferenceStubs(described) if !query.asked.contains(artefact) => Extent::Stub { described },
        _ => Extent::Full,
    };
    let reach = Reach { tables: if query.detail == Detail::ReferencePartial { tables_of(&query.asked) } else { Vec::new() } };
    let writer = Writer { names, base, reach, asked: query.asked.clone(), items: query.items.clone() };
    writer.message(&artefacts, extent, |_, _| {})
}

/// The tables that structures belong to.
fn tables_of(artefacts: &BTreeSet<Artefact>) -> Vec<usize> {
    let table = |artefact: &Artefact| match artefact {
        Artefact::Flow(table) | Artefact::Structure(table) | Artefact::Constraint(table) | Artefact::Categorisation(table) => Some(*table),
        _ => None,
    };
    artefacts.iter().filter_map(table).collect()
}

/// How far down code lists are written: to what these tables show; to the end if there are none.
#[derive(Debug, Default)]
pub struct Reach {
    tables: Vec<usize>,
}

impl Reach {
    /// The finest level of a dimension that is written.
    pub fn level(&self, library: &Library, dimension: usize) -> Option<u8> {
        let axes = self.tables.iter().flat_map(|&table| &library.tables[table].axes);
        axes.filter(|axis| axis.dimension == dimension).map(|axis| axis.level).max()
    }
}

/// The elements that hold structures of a kind, a structure itself, and what it is called in references.
fn elements(kind: Kind) -> (&'static str, &'static str, &'static str, &'static str) {
    match kind {
        Kind::AgencyScheme => ("str:OrganisationSchemes", "str:AgencyScheme", "base", "AgencyScheme"),
        Kind::Dataflow => ("str:Dataflows", "str:Dataflow", "datastructure", "Dataflow"),
        Kind::CategoryScheme => ("str:CategorySchemes", "str:CategoryScheme", "categoryscheme", "CategoryScheme"),
        Kind::Categorisation => ("str:Categorisations", "str:Categorisation", "categoryscheme", "Categorisation"),
        Kind::Codelist => ("str:Codelists", "str:Codelist", "codelist", "Codelist"),
        Kind::ConceptScheme => ("str:Concepts", "str:ConceptScheme", "conceptscheme", "ConceptScheme"),
        Kind::DataStructure => ("str:DataStructures", "str:DataStructure", "datastructure", "DataStructure"),
        Kind::ContentConstraint => ("str:Constraints", "str:ContentConstraint", "registry", "ContentConstraint"),
    }
}

/// Writes structures.
pub struct Writer<'a> {
    pub names: &'a Names<'a>,
    /// Address below which structures are found.
    pub base: &'a str,
    pub reach: Reach,
    /// Structures of which only some items are written, and these.
    pub asked: BTreeSet<Artefact>,
    pub items: Items,
}

impl Writer<'_> {
    /// A message of structures, kind by kind in the order of the schema; `last` writes what stands behind those of their kind.
    fn message(
        &self,
        artefacts: &BTreeSet<Artefact>,
        extent: impl Fn(&Artefact) -> Extent,
        last: impl FnOnce(&mut Xml<'_>, &Self),
    ) -> Vec<u8> {
        let mut out = Vec::new();
        let library = self.names.library;
        let structure = ("xmlns:str", "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/structure");
        let updated = library.releases.iter().map(|release| release.written).max().unwrap_or_default();
        Xml::new(&mut out).declaration().element("mes:Structure", &namespaces(&[structure]), |xml| {
            header(xml, self.names, "STRUCTURES", updated, |_| {});
            xml.element("mes:Structures", &[], |xml| {
                let artefacts: Vec<Artefact> = artefacts.iter().copied().collect();
                for alike in artefacts.chunk_by(|one, other| one.kind() == other.kind()) {
                    xml.element(elements(alike[0].kind()).0, &[], |xml| {
                        for artefact in alike {
                            self.artefact(xml, *artefact, extent(artefact));
                        }
                    });
                }
                last(xml, self);
            });
        });
        out
    }

    /// A message of structures with a constraint of its own behind them.
    pub fn with_constraint(&self, artefacts: &BTreeSet<Artefact>, constraint: impl FnOnce(&mut Xml<'_>, &Self)) -> Vec<u8> {
        self.message(
            artefacts,
            |_| Extent::Full,
            |xml, writer| {
                xml.element("str:Constraints", &[], |xml| constraint(xml, writer));
            },
        )
    }

    fn artefact(&self, xml: &mut Xml<'_>, artefact: Artefact, extent: Extent) {
        let (_, element, package, class) = elements(artefact.kind());
        let id = artefact.id(self.names);
        // The list of agencies at the top belongs to the standard itself.
        let agency = if artefact == Artefact::Agencies { "SDMX" } else { &self.names.agency };
        let urn = format!("urn:sdmx:org.sdmx.infomodel.{package}.{class}={agency}:{id}({VERSION})");
        let mut attributes = vec![("id", id.as_str()), ("urn", &urn), ("agencyID", agency), ("version", VERSION)];
        let address = format!("{}/{}/{agency}/{id}/{VERSION}", self.base, artefact.kind().resource());
        match extent {
            Extent::Stub { .. } => attributes.extend([("isExternalReference", "true"), ("structureURL", address.as_str())]),
            Extent::Full => attributes.push(("isExternalReference", "false")),
        }
        let partial = match artefact {
            Artefact::Agencies => true,
            _ if extent == Extent::Full && self.asked.contains(&artefact) && !self.items.0.is_empty() => true,
            Artefact::Codelist(List::Dimension(dimension)) if extent == Extent::Full => {
                self.reach.level(self.names.library, dimension).is_some_and(|level| codelists::is_cut(self.names.library, dimension, level))
            }
            _ => false,
        };
        if partial {
            attributes.push(("isPartial", "true"));
        }
        if artefact.kind() == Kind::ContentConstraint {
            attributes.push(("type", "Actual"));
        }
        xml.element(element, &attributes, |xml| {
            let library = self.names.library;
            let (name, description) = self.describe(artefact);
            texts(xml, "com:Name", library, name);
            if let Some(description) = description.filter(|_| extent != Extent::Stub { described: false }) {
                texts(xml, "com:Description", library, description);
            }
            if extent == Extent::Full {
                self.content(xml, artefact);
            }
        });
    }

    /// The name of a structure, and what else is said of it.
    fn describe(&self, artefact: Artefact) -> (Text<'_>, Option<Text<'_>>) {
        let library = self.names.library;
        match artefact {
            Artefact::Agencies => (Text::Phrase(&words::AGENCIES), None),
            Artefact::Subjects => (Text::Phrase(&words::SUBJECTS), None),
            Artefact::Concepts => (Text::Phrase(&words::CONCEPTS), None),
            Artefact::Codelist(list) => (codelists::name(library, list), None),
            Artefact::Flow(table) => {
                let table = &library.tables[table].table;
                (Text::Label(&table.label), Some(Text::Label(&table.description)))
            }
            Artefact::Structure(table) | Artefact::Categorisation(table) | Artefact::Constraint(table) => {
                (Text::Label(&library.tables[table].table.label), None)
            }
        }
    }

    fn content(&self, xml: &mut Xml<'_>, artefact: Artefact) {
        let (names, library) = (self.names, self.names.library);
        let every = Items::default();
        let items = if self.asked.contains(&artefact) { &self.items } else { &every };
        match artefact {
            Artefact::Agencies => {
                xml.element("str:Agency", &[("id", &names.agency)], |xml| {
                    texts(xml, "com:Name", library, Text::Label(&library.register.label));
                });
            }
            Artefact::Flow(table) => {
                xml.element("str:Structure", &[], |xml| self.reference(xml, Artefact::Structure(table)));
            }
            Artefact::Subjects => {
                for subject in names.subjects.iter().filter(|subject| items.has(&subject.id)) {
                    xml.element("str:Category", &[("id", &subject.id)], |xml| {
                        texts(xml, "com:Name", library, Text::Label(subject.label));
                    });
                }
            }
            Artefact::Categorisation(table) => {
                xml.element("str:Source", &[], |xml| self.reference(xml, Artefact::Flow(table)));
                xml.element("str:Target", &[], |xml| self.item(xml, Artefact::Subjects, names.subject(table), "Category"));
            }
            Artefact::Codelist(list) => codelists::codes(xml, names, list, &self.reach, items),
            Artefact::Concepts => {
                for (id, name) in names.components().into_iter().filter(|(id, _)| items.has(id)) {
                    xml.element("str:Concept", &[("id", id)], |xml| {
                        texts(xml, "com:Name", library, name);
                        if id == TIME_PERIOD {
                            texts(xml, "com:Description", library, Text::Phrase(&words::LAST_DAY));
                        }
                    });
                }
            }
            Artefact::Structure(table) => datastructures::components(xml, self, table),
            Artefact::Constraint(table) => constraints::content(xml, self, table),
        }
    }

    /// A reference to a structure.
    pub fn reference(&self, xml: &mut Xml<'_>, artefact: Artefact) {
        let (_, _, package, class) = elements(artefact.kind());
        let id = artefact.id(self.names);
        let attributes =
            [("id", id.as_str()), ("version", VERSION), ("agencyID", &self.names.agency), ("package", package), ("class", class)];
        xml.empty("Ref", &attributes);
    }

    /// A reference to an item of a scheme.
    pub fn item(&self, xml: &mut Xml<'_>, scheme: Artefact, id: &str, class: &str) {
        let package = elements(scheme.kind()).2;
        let attributes = [
            ("id", id),
            ("maintainableParentID", &scheme.id(self.names)),
            ("maintainableParentVersion", VERSION),
            ("agencyID", &self.names.agency),
            ("package", package),
            ("class", class),
        ];
        xml.empty("Ref", &attributes);
    }
}
