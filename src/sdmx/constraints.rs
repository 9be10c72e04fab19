//! Which codes there are numbers for: of a table as a whole, and within a query.

use std::collections::BTreeSet;

use super::{
    artefacts::{Artefact, References},
    components::{CONTENTS, FREQ, TIME_PERIOD, Text},
    message::texts,
    names::{Names, VERSION, encode},
    refusal::{Refusal, short},
    selection::{Key, select},
    structures::{Items, Reach, Writer},
    window::Window,
    xml::Xml,
};
use crate::{
    tables::{Chosen, Library, Query, Variable},
    words,
};

/// What the parameter `mode` may be.
pub const MODES: [&str; 2] = ["exact", "available"];

/// What a content constraint says of a table: its frequency, its periods, and of each axis that does not show all of its dimension
/// which codes it shows.
pub fn content(xml: &mut Xml<'_>, writer: &Writer<'_>, table: usize) {
    let library = writer.names.library;
    let entry = &library.tables[table];
    attachment(xml, writer, table);
    xml.element("str:CubeRegion", &[("include", "true")], |xml| {
        values(xml, FREQ, [library.register.frequency.sdmx()].into_iter());
        for (at, axis) in entry.axes.iter().enumerate() {
            let dimension = &library.dimensions[axis.dimension];
            if axis.nodes.len() < dimension.nodes.len() {
                let codes = axis.nodes.iter().map(|&node| dimension.nodes[node as usize].code.as_str());
                values(xml, writer.names.axis(table, at), codes);
            }
        }
        periods(xml, library, &entry.span);
    });
}

fn attachment(xml: &mut Xml<'_>, writer: &Writer<'_>, table: usize) {
    xml.element("str:ConstraintAttachment", &[], |xml| {
        xml.element("str:Dataflow", &[], |xml| writer.reference(xml, Artefact::Flow(table)));
    });
}

fn values<'c>(xml: &mut Xml<'_>, dimension: &str, codes: impl Iterator<Item = &'c str>) {
    xml.element("com:KeyValue", &[("id", dimension)], |xml| {
        for code in codes {
            xml.text("com:Value", &[], &encode(code));
        }
    });
}

/// The time from the first to the last of some releases, in days, because many readers know no other times in a constraint.
fn periods(xml: &mut Xml<'_>, library: &Library, releases: &[usize]) {
    let period = |release: Option<&usize>| release.map(|&release| library.releases[release].manifest.period);
    let (Some(first), Some(last)) = (period(releases.first()), period(releases.last())) else { return };
    let start = first.previous().reference_date().succ_opt().unwrap_or_default();
    xml.element("com:KeyValue", &[("id", TIME_PERIOD)], |xml| {
        xml.element("com:TimeRange", &[], |xml| {
            xml.text("com:StartPeriod", &[("isInclusive", "true")], &start.to_string());
            xml.text("com:EndPeriod", &[("isInclusive", "true")], &last.reference_date().to_string());
        });
    });
}

/// A query for the codes that there are numbers for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Availability {
    /// What is asked about.
    pub query: Query,
    /// The dimension that is wanted; `None`: all.
    component: Option<String>,
    references: References,
}

impl Availability {
    /// Reads a query. With `mode=available` every dimension is answered for as if nothing were chosen of it, and since every
    /// combination of codes has a cell, what is chosen of the others does not matter then.
    ///
    /// # Errors
    /// Where nothing fits, or there is no such dimension or mode.
    pub fn parse(
        names: &Names<'_>,
        table: usize,
        key: &Key,
        window: &Window,
        component: &str,
        mode: &str,
        references: References,
    ) -> Result<Self, Refusal> {
        let key = match mode.to_ascii_lowercase().as_str() {
            "" | "exact" => key,
            "available" => &Key::all(),
            _ => return Err(Refusal::choice("mode", mode, &MODES)),
        };
        let query = select(names, table, key, window, u64::MAX)?;
        let axes = (0..query.axes.len()).map(|axis| names.axis(table, axis));
        let known: Vec<&str> = std::iter::once(FREQ).chain(axes).chain([CONTENTS, TIME_PERIOD]).collect();
        let component = match component {
            "" | "all" => None,
            wanted => match known.iter().find(|id| id.eq_ignore_ascii_case(wanted)) {
                Some(id) => Some((*id).to_owned()),
                None => {
                    let flow = names.flows[table].as_str();
                    let detail = words::NO_DIMENSION.with(flow).and(short(wanted)).and(words::THERE_IS.with(known.join(", ")));
                    return Err(Refusal::no_results(detail));
                }
            },
        };
        Ok(Self { query, component, references })
    }

    /// A text that no two queries share that have different answers.
    pub fn key(&self, library: &Library) -> String {
        format!("{} {:?} {:?}", self.query.fingerprint(library), self.component, self.references)
    }
}

/// The message that answers such a query: the codes, how many series and observations they make, and the structures wanted beside.
/// A code counts if one of the chosen periods knows it.
pub fn available(names: &Names<'_>, wanted: &Availability, base: &str) -> Vec<u8> {
    let library = names.library;
    let query = &wanted.query;
    let own = Artefact::Constraint(query.table);
    let mut beside = Artefact::with_references(library, &BTreeSet::from([own]), wanted.references);
    beside.retain(|artefact| artefact.kind() != own.kind());
    let writer = Writer { names, base, reach: Reach::default(), asked: BTreeSet::new(), items: Items::default() };
    writer.with_constraint(&beside, |xml, writer| {
        let id = format!("CR_{}", names.flows[query.table]);
        let urn = format!("urn:sdmx:org.sdmx.infomodel.registry.ContentConstraint={}:{id}({VERSION})", names.agency);
        let attributes = [("id", id.as_str()), ("urn", &urn), ("agencyID", &names.agency), ("version", VERSION), ("type", "Actual")];
        xml.element("str:ContentConstraint", &attributes, |xml| {
            let axes: Vec<(&str, Vec<&str>)> =
                (0..query.axes.len()).map(|axis| (names.axis(query.table, axis), known_codes(names, query, axis))).collect();
            let measures = library.categories(query, Variable::Contents, 0);
            let series: u64 = axes.iter().map(|(_, codes)| codes.len() as u64).product::<u64>() * measures.len() as u64;
            xml.element("com:Annotations", &[], |xml| {
                for (id, count) in [("series_count", series), ("obs_count", series * query.releases.len() as u64)] {
                    xml.element("com:Annotation", &[("id", id)], |xml| {
                        xml.text("com:AnnotationTitle", &[], &count.to_string()).text("com:AnnotationType", &[], "sdmx_metrics");
                    });
                }
            });
            texts(xml, "com:Name", library, Text::Label(&library.tables[query.table].table.label));
            attachment(xml, writer, query.table);
            xml.element("str:CubeRegion", &[("include", "true")], |xml| {
                let is_wanted = |id: &str| wanted.component.as_deref().is_none_or(|component| component == id);
                if is_wanted(FREQ) {
                    values(xml, FREQ, [library.register.frequency.sdmx()].into_iter());
                }
                for (id, codes) in axes.into_iter().filter(|(id, _)| is_wanted(id)) {
                    values(xml, id, codes.into_iter());
                }
                if is_wanted(CONTENTS) {
                    values(xml, CONTENTS, measures.iter().map(|measure| measure.code));
                }
                if is_wanted(TIME_PERIOD) {
                    periods(xml, library, &query.releases);
                }
            });
        });
    })
}

/// The chosen codes of an axis that some chosen period knows.
fn known_codes<'n>(names: &Names<'n>, query: &Query, axis: usize) -> Vec<&'n str> {
    let dimension = &names.library.dimensions[names.library.tables[query.table].axes[axis].dimension];
    let Chosen::Nodes { nodes, .. } = &query.axes[axis] else { return Vec::new() };
    let known = |node: &&u32| query.releases.iter().any(|&release| dimension.in_release(release, **node).is_some());
    nodes.iter().filter(known).map(|&node| dimension.nodes[node as usize].code.as_str()).collect()
}
