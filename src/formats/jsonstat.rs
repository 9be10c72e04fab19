//! JSON-stat 2.0 with the extensions of PxWebApi, and what those leave out.
//!
//! Clients have their own ways of reading the standard, so this is its safest dialect: `category.index` is an object in
//! order, `value` is dense with nulls, `status` is sparse and absent where every number is published. `extension.query` says
//! what was selected, summed away and from which releases, which PxWebApi itself does not tell. The extension of an answer comes last: it ends with
//! the seal over everything before it.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Context, Document, Format, PIECE,
    about::{About, language_id, marks_and_warnings, moment, notes_on, notes_on_nodes},
    json::Json,
    push_number,
};
use crate::{
    error::Result,
    register::{Measure, MeasureKind, Note, Role},
    release::{NamedRelease, Sealer},
    tables::{Answer, CellStatus, Chosen, CodeListKind, Library, Query, TableEntry, Variable},
    words,
};

/// An answer being written as JSON-stat.
pub struct JsonStat {
    context: Context,
    answer: Arc<Answer>,
    stage: Stage,
    sealer: Sealer,
}

#[derive(Clone, Copy)]
enum Stage {
    Head,
    /// Values from this cell on.
    Values(usize),
    /// Statuses from this cell on; whether one was written before.
    Statuses(usize, bool),
    Extension,
}

impl JsonStat {
    pub fn new(context: Context, answer: Arc<Answer>) -> Self {
        Self { context, answer, stage: Stage::Head, sealer: Sealer::default() }
    }
}

impl Document for JsonStat {
    fn fill(&mut self, out: &mut Vec<u8>) -> Result<bool> {
        let start = out.len();
        let more = self.write(out);
        if more {
            self.sealer.add(&out[start..]);
        } else {
            self.sealer.finish(&mut out[start..]);
        }
        Ok(more)
    }
}

impl JsonStat {
    /// Appends the next piece; false where it was the last.
    fn write(&mut self, out: &mut Vec<u8>) -> bool {
        let (values, statuses) = (&self.answer.values, &self.answer.statuses);
        let end = out.len() + PIECE;
        loop {
            match self.stage {
                Stage::Head => {
                    out.push(b'{');
                    let present = |status: CellStatus| statuses.contains(&status);
                    head(&mut Json::new(out), &self.context, &self.answer.query, Some(&present));
                    out.extend_from_slice(b",\"value\":[");
                    self.stage = Stage::Values(0);
                }
                Stage::Values(mut cell) => {
                    while cell < values.len() && out.len() < end {
                        if cell > 0 {
                            out.push(b',');
                        }
                        match statuses[cell] {
                            CellStatus::Published => push_number(out, values[cell], self.answer.decimals(cell)),
                            _ => out.extend_from_slice(b"null"),
                        }
                        cell += 1;
                    }
                    self.stage = Stage::Values(cell);
                    if cell == values.len() {
                        out.push(b']');
                        self.stage = Stage::Statuses(0, false);
                    }
                }
                Stage::Statuses(mut cell, mut any) => {
                    while cell < statuses.len() && out.len() < end {
                        if let Some(mark) = statuses[cell].mark() {
                            out.extend_from_slice(if any { b"," } else { b",\"status\":{" });
                            any = true;
                            out.push(b'"');
                            out.extend_from_slice(itoa::Buffer::new().format(cell).as_bytes());
                            out.extend_from_slice(b"\":\"");
                            out.extend_from_slice(mark.as_bytes());
                            out.push(b'"');
                        }
                        cell += 1;
                    }
                    self.stage = Stage::Statuses(cell, any);
                    if cell == statuses.len() {
                        out.extend_from_slice(if any { b"}" } else { b"" });
                        self.stage = Stage::Extension;
                    }
                }
                Stage::Extension => {
                    let present = |status: CellStatus| statuses.contains(&status);
                    // A piece may begin here, where nothing before it tells that a comma is due.
                    let mut tail = vec![b'{'];
                    extension(&mut Json::new(&mut tail), &self.context, &self.answer.query, Some(&present));
                    tail[0] = b',';
                    out.extend_from_slice(&tail);
                    out.push(b'}');
                    return false;
                }
            }
            if out.len() >= end {
                return true;
            }
        }
    }
}

/// A table's metadata: the same document over everything that the query names, without a number.
pub fn metadata(context: &Context, query: &Query) -> Vec<u8> {
    let mut out = vec![b'{'];
    head(&mut Json::new(&mut out), context, query, None);
    extension(&mut Json::new(&mut out), context, query, None);
    out.extend_from_slice(b",\"value\":[]}");
    out
}

/// Everything before the numbers. `present` tells which statuses occur; metadata has no numbers and so no statuses.
fn head(json: &mut Json<'_>, context: &Context, query: &Query, present: Option<&dyn Fn(CellStatus) -> bool>) {
    let library = &context.library;
    let entry = &library.tables[query.table];
    let code = |variable: Variable| library.variable_code(entry, variable);
    let language = context.language;
    let table = format!("{}/tables/{}", context.base, entry.table.id);
    json.text("version", "2.0").text("class", "dataset").text("label", entry.table.label.text(language));
    json.text("source", library.register.source.text(language)).text("updated", &moment(entry.updated));
    json.key("link").object(|links| {
        links.key("describedby").array(|list| {
            list.object(|link| {
                link.text("type", "application/json").text("href", &format!("{table}/metadata?lang={}", language_id(context)));
            });
        });
    });
    let own = marks_and_warnings(context, query, present);
    let noted: Vec<&Note> = notes_on(context, query, None).collect();
    json.texts("note", own.iter().copied().chain(noted.iter().map(|note| note.text.text(language))));
    let role = |wanted: Role| {
        query.variables().filter(
            move |variable| matches!(variable, Variable::Axis(axis) if library.dimensions[entry.axes[*axis].dimension].role == wanted),
        )
    };
    json.key("role").object(|roles| {
        roles.texts("time", query.variables().filter(|variable| *variable == Variable::Time).map(code));
        roles.texts("geo", role(Role::Geo).map(code));
        roles.texts("metric", query.variables().filter(|variable| *variable == Variable::Contents).map(code));
    });
    json.texts("id", query.variables().map(code));
    json.key("size").array(|sizes| {
        for variable in query.variables() {
            sizes.number(query.size(variable) as u64);
        }
    });
    json.key("dimension").object(|dimensions| {
        for variable in query.variables() {
            dimensions.key(code(variable)).object(|body| dimension(body, context, query, entry, variable));
        }
    });
}

/// What there is to say of an answer, or of a table, beyond the standard.
fn extension(json: &mut Json<'_>, context: &Context, query: &Query, present: Option<&dyn Fn(CellStatus) -> bool>) {
    let library = &context.library;
    let entry = &library.tables[query.table];
    let language = context.language;
    let code = |variable: Variable| library.variable_code(entry, variable);
    let about = About::new(context, query);
    let own = marks_and_warnings(context, query, present);
    let noted: Vec<&Note> = notes_on(context, query, None).collect();
    json.key("extension").object(|extension| {
        extension.key("px").object(|px| {
            px.text("tableid", &entry.table.id).text("matrix", &entry.table.id).key("decimals").number(decimals(library, query));
            px.text("language", language_id(context)).text("contents", entry.table.contents.label.text(language));
            px.text("description", entry.table.description.text(language)).key("descriptiondefault").boolean(false);
            px.text("subject-code", &entry.subject_code()).text("subject-area", entry.table.subject.text(language));
            px.key("aggregallowed").boolean(true);
            px.text("updateFrequency", words::frequency(library.register.frequency).text(library.tongue(language)));
            if let Some(next) = library.next_update() {
                px.text("nextUpdate", &moment(next));
            }
            if let Some(contact) = &library.register.contact {
                px.text("contact", &contact.name);
            }
            px.texts("heading", query.heading.iter().copied().map(code)).texts("stub", query.stub.iter().copied().map(code));
        });
        mandatory(extension, "noteMandatory", own.len(), &noted);
        if let Some(contact) = &library.register.contact {
            extension.key("contact").array(|contacts| {
                contacts.object(|body| {
                    body.text("name", &contact.name).text("mail", &contact.mail);
                    body.text("phone", contact.phone.as_deref().unwrap_or("")).text("organization", &library.register.agency);
                    let raw = [Some(contact.name.as_str()), contact.phone.as_deref(), Some(&contact.mail)];
                    body.text("raw", &raw.into_iter().flatten().collect::<Vec<_>>().join(", "));
                });
            });
        }
        let (first, last) = entry.periods(library);
        for (key, period) in [("firstPeriod", first), ("lastPeriod", last)] {
            if let Some(period) = period {
                extension.text(key, &period.to_string());
            }
        }
        extension.key("discontinued").boolean(entry.discontinued);
        extension.text("frequency", library.register.frequency.sdmx());
        if let Some(newest) = about.named_releases().last() {
            extension.key("release").object(|body| named_release(body, newest));
        }
        releases(extension, context, query);
        if present.is_some() {
            extension.key("query").object(|body| selection(body, context, query, entry));
            extension.key("provenance").raw(&about.provenance(Format::JsonStat));
        }
    });
}

/// Most decimal places of the chosen contents.
fn decimals(library: &Library, query: &Query) -> u64 {
    let entry = &library.tables[query.table];
    let measures = query.contents.iter().filter_map(|&content| library.measure(entry, content));
    measures.map(|measure| u64::from(measure.decimals)).max().unwrap_or(0)
}

fn dimension(body: &mut Json<'_>, context: &Context, query: &Query, entry: &TableEntry, variable: Variable) {
    let library = &context.library;
    let language = context.language;
    let categories = library.categories(query, variable, language);
    body.text("label", library.variable_label(entry, variable, language));
    let axis = if let Variable::Axis(axis) = variable { Some(axis) } else { None };
    let noted: Vec<&Note> =
        axis.map_or_else(Vec::new, |axis| notes_on(context, query, Some(axis)).filter(|note| note.node.is_none()).collect());
    let on_nodes = axis.map_or_else(Vec::new, |axis| notes_on_nodes(context, query, axis));
    if !noted.is_empty() {
        body.texts("note", noted.iter().map(|note| note.text.text(language)));
    }
    body.key("category").object(|category| {
        if !on_nodes.is_empty() {
            category.key("note").object(|notes| {
                for (position, on_node) in &on_nodes {
                    notes.texts(categories[*position].code, on_node.iter().map(|note| note.text.text(language)));
                }
            });
        }
        category.key("index").object(|index| {
            for (position, category) in categories.iter().enumerate() {
                index.key(category.code).number(position as u64);
            }
        });
        category.key("label").object(|labels| {
            for category in &categories {
                labels.text(category.code, category.label);
            }
        });
        match variable {
            Variable::Axis(axis) => {
                let mut children: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
                for (child, parent) in library.parents(query, axis).into_iter().enumerate() {
                    if let Some(parent) = parent {
                        children.entry(parent).or_default().push(categories[child].code);
                    }
                }
                if !children.is_empty() {
                    category.key("child").object(|child| {
                        for (parent, codes) in children {
                            child.texts(categories[parent].code, codes);
                        }
                    });
                }
            }
            Variable::Contents => {
                category.key("unit").object(|units| {
                    for &content in &query.contents {
                        let measure = library.measure(entry, content);
                        let base = measure.map_or(&entry.table.contents.unit, |measure| &measure.unit);
                        units.key(library.contents(entry, content).0).object(|unit| {
                            unit.text("base", base.text(language));
                            unit.key("decimals").number(measure.map_or(0, |measure| u64::from(measure.decimals)));
                        });
                    }
                });
            }
            Variable::Time => {}
        }
    });
    body.key("extension").object(|extension| match variable {
        Variable::Axis(axis) => {
            axis_extension(extension, context, query, entry, axis);
            mandatory(extension, "noteMandatory", 0, &noted);
            let strict: Vec<_> = on_nodes.iter().filter(|(_, notes)| notes.iter().any(|note| note.mandatory)).collect();
            if !strict.is_empty() {
                extension.key("categoryNoteMandatory").object(|nodes| {
                    for (position, notes) in strict {
                        mandatory(nodes, categories[*position].code, 0, notes);
                    }
                });
            }
        }
        Variable::Contents => {
            extension.key("elimination").boolean(false).text("show", "value");
            let mut all = |key: &str, value: &dyn Fn(Option<&Measure>) -> Option<&'static str>| {
                extension.key(key).object(|values| {
                    for &content in &query.contents {
                        if let Some(value) = value(library.measure(entry, content)) {
                            values.text(library.contents(entry, content).0, value);
                        }
                    }
                });
            };
            all("refperiod", &|_| Some(words::LAST_DAY.text(library.tongue(language))));
            all("measuringType", &|measure| Some(measure.map_or("Stock", measuring_type)));
            all("priceType", &|_| Some("NotApplicable"));
            all("adjustment", &|_| Some("None"));
            // What a number is called where it stands without its table.
            extension.key("alternativeText").object(|texts| {
                for &content in &query.contents {
                    let (code, label) = library.contents(entry, content);
                    texts.text(code, &format!("{}: {}", entry.table.label.text(language), label.text(language)));
                }
            });
            extension.key("method").object(|methods| {
                for &content in &query.contents {
                    if let Some(measure) = library.measure(entry, content) {
                        methods.text(&measure.code, measure.method.text(language));
                    }
                }
            });
        }
        Variable::Time => {
            extension.key("elimination").boolean(false).text("show", "value");
            extension.text("frequency", library.register.frequency.sdmx());
            extension.key("referenceDates").object(|dates| {
                for &release in &query.releases {
                    dates.text(library.period(release), &library.releases[release].manifest.reference_date);
                }
            });
        }
    });
}

/// Which notes of a list must be shown with the numbers, by their position; nothing where none must.
fn mandatory(json: &mut Json<'_>, key: &str, before: usize, notes: &[&Note]) {
    if notes.iter().any(|note| note.mandatory) {
        json.key(key).object(|positions| {
            for (at, _) in notes.iter().enumerate().filter(|(_, note)| note.mandatory) {
                positions.key(&(before + at).to_string()).boolean(true);
            }
        });
    }
}

/// PxWebApi's word for what a measure says of its period: its end, or what happened in it.
fn measuring_type(measure: &Measure) -> &'static str {
    match measure.kind {
        MeasureKind::Change | MeasureKind::Growth => "Flow",
        MeasureKind::Median { .. } => "Average",
        _ => "Other",
    }
}

fn axis_extension(extension: &mut Json<'_>, context: &Context, query: &Query, entry: &TableEntry, axis: usize) {
    let library = &context.library;
    let dimension = &library.dimensions[entry.axes[axis].dimension];
    let is_place = dimension.role == Role::Geo;
    extension.key("elimination").boolean(true);
    extension.text("eliminationValueCode", dimension.nodes.first().map_or("", |root| root.code.as_str()));
    // Places share names; other categories are clear without their codes.
    extension.text("show", if is_place { "code_value" } else { "value" });
    if is_place && let Some(newest) = query.releases.last() {
        extension.text("vintage", &library.releases[*newest].manifest.vintage);
    }
    if let Chosen::Nodes { codelist: Some(list), .. } | Chosen::Groups { codelist: list, .. } = &query.axes[axis] {
        extension.text("codelist", &library.codelists[*list].id);
    }
    // One client reads the one spelling, one the other.
    for key in ["codelists", "codeLists"] {
        extension.key(key).array(|lists| {
            for &at in &entry.axes[axis].codelists {
                let list = &library.codelists[at];
                let kind = match list.kind {
                    CodeListKind::Valueset(_) => "Valueset",
                    CodeListKind::Aggregation(_) => "Aggregation",
                };
                lists.object(|body| {
                    body.text("id", &list.id).text("label", list.label.text(context.language)).text("type", kind);
                    body.key("links").array(|links| {
                        links.object(|link| {
                            let address = format!("{}/codelists/{}?lang={}", context.base, list.id, language_id(context));
                            link.text("rel", "metadata").text("hreflang", language_id(context)).text("href", &address);
                        });
                    });
                });
            }
        });
    }
}

/// A release by which a reader may check where the numbers come from.
fn named_release(body: &mut Json<'_>, release: &NamedRelease) {
    body.text("id", &release.id).text("sha256", &release.sha256);
    if let (Some(key), Some(signature)) = (&release.key, &release.signature) {
        body.text("key", key).text("signature", signature);
    }
}

/// The releases that the numbers come from.
pub(super) fn releases(extension: &mut Json<'_>, context: &Context, query: &Query) {
    extension.key("releases").array(|list| {
        for &release in &query.releases {
            let edition = &context.library.releases[release];
            let manifest = &edition.manifest;
            list.object(|body| {
                named_release(body, &NamedRelease::from(edition));
                body.text("period", context.library.period(release)).key("revision").number(u64::from(manifest.revision));
                body.text("protection", manifest.protection.id())
                    .text("vintage", &manifest.vintage)
                    .text("referenceDate", &manifest.reference_date);
                body.text("updated", &moment(edition.written));
            });
        }
    });
}

/// The selection as it was understood: enough to ask for the same again.
pub(super) fn selection(body: &mut Json<'_>, context: &Context, query: &Query, entry: &TableEntry) {
    let library = &context.library;
    let code = |variable: Variable| library.variable_code(entry, variable);
    let eliminated = |variable: &Variable| matches!(variable, Variable::Axis(axis) if query.axes[*axis] == Chosen::Eliminated);
    body.key("selection").array(|list| {
        for variable in library.variables(entry).filter(|variable| !eliminated(variable)) {
            list.object(|part| {
                part.text("variableCode", code(variable));
                if let Variable::Axis(axis) = variable
                    && let Chosen::Nodes { codelist: Some(at), .. } | Chosen::Groups { codelist: at, .. } = &query.axes[axis]
                {
                    part.text("codelist", &library.codelists[*at].id);
                }
                let categories = library.categories(query, variable, context.language);
                part.texts("valueCodes", categories.iter().map(|category| category.code));
            });
        }
    });
    body.key("eliminated").array(|list| {
        for variable in library.variables(entry).filter(eliminated) {
            list.object(|part| {
                let total = library.categories(query, variable, context.language);
                part.text("variableCode", code(variable)).text("valueCode", total.first().map_or("", |total| total.code));
            });
        }
    });
    body.key("placement").object(|placement| {
        placement.texts("heading", query.heading.iter().copied().map(code)).texts("stub", query.stub.iter().copied().map(code));
    });
}
