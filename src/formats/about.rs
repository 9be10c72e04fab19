//! What documents say of a table besides its numbers.

use chrono::{DateTime, SecondsFormat, Utc};
use url::form_urlencoded::byte_serialize;

use super::{
    Context, Format,
    json::Json,
    jsonstat::{releases, selection},
};
use crate::{
    register::Note,
    release::{NamedRelease, Protection, Provenance},
    tables::{Answer, CellStatus, Chosen, Query, TableEntry, Variable},
    words::{self, Phrase, Tongue},
};

/// Addresses that are longer do not fit everywhere; the selection is then told in words alone.
const LONGEST_ADDRESS: usize = 2_000;
/// As many names of a selection are listed.
const LISTED: usize = 12;

/// The statuses that have a mark.
pub const MARKED: [CellStatus; 3] = [CellStatus::Suppressed, CellStatus::Impossible, CellStatus::Unavailable];

/// The position of a status in [`MARKED`]; `None` where there is a number.
pub fn marked(status: CellStatus) -> Option<usize> {
    MARKED.iter().position(|marked| *marked == status)
}

/// A table's texts in the language of a document.
#[derive(Clone, Copy)]
pub struct About<'a> {
    context: &'a Context,
    query: &'a Query,
    pub entry: &'a TableEntry,
}

impl<'a> About<'a> {
    pub fn new(context: &'a Context, query: &'a Query) -> Self {
        Self { context, query, entry: &context.library.tables[query.table] }
    }

    pub fn tongue(self) -> Tongue {
        self.context.library.tongue(self.context.language)
    }

    /// The ISO 639 code of the language.
    pub fn language(self) -> &'a str {
        language_id(self.context)
    }

    pub fn title(self) -> &'a str {
        self.entry.table.label.text(self.context.language)
    }

    pub fn description(self) -> &'a str {
        self.entry.table.description.text(self.context.language)
    }

    pub fn source(self) -> &'a str {
        self.context.library.register.source.text(self.context.language)
    }

    /// The address of the licence.
    pub fn license(self) -> &'a str {
        &self.context.library.register.license
    }

    /// When the newest of the numbers were published.
    fn updated(self) -> String {
        moment(self.entry.updated)
    }

    /// The names of the periods.
    fn periods(self) -> Vec<&'a str> {
        self.query.releases.iter().map(|&release| self.context.library.period_label(release, self.context.language)).collect()
    }

    /// The releases that the numbers come from, such as `2024-S1/r1`.
    pub fn releases(self) -> Vec<&'a str> {
        self.query.releases.iter().map(|&release| self.context.library.releases[release].folder.as_str()).collect()
    }

    /// What a reader must know of the answer.
    fn notes(self, answer: &Answer) -> Vec<String> {
        notes(self.context, self.query, Some(&|status| answer.statuses.contains(&status)))
    }

    /// The mark of a status as people see it, `[c]`, and what it means; published cells have none.
    pub fn mark(self, status: CellStatus) -> Option<(String, &'static str)> {
        let note = meaning(status)?.text(self.tongue());
        Some((format!("[{}]", status.mark()?), note.split_once(" = ").map_or(note, |(_, meaning)| meaning)))
    }

    /// The marks that occur, each with its meaning.
    pub fn legend(self, answer: &Answer) -> Vec<(String, &'static str)> {
        MARKED.into_iter().filter(|status| answer.statuses.contains(status)).filter_map(|status| self.mark(status)).collect()
    }

    /// What must be known of the table and its releases, whatever their cells hold.
    pub fn warnings(self) -> Vec<String> {
        notes(self.context, self.query, Some(&|_| false))
    }

    /// What a reader should know who gets the table without this service: names and texts. `format` is that of the document.
    pub fn lines(self, format: &str) -> Vec<(String, String)> {
        let line = |name: &'static Phrase, text: String| (name.text(self.tongue()).to_owned(), text);
        let mut lines = vec![
            line(&words::SOURCE, self.source().to_owned()),
            line(&words::PERIODS, self.periods().join(", ")),
            line(&words::RELEASES, self.releases().join(", ")),
            line(&words::UPDATED, self.updated()),
            line(&words::LICENCE, self.license().to_owned()),
        ];
        let selection = words::SELECTION.text(self.tongue());
        lines.extend(self.selection().into_iter().map(|(variable, chosen)| (format!("{selection}: {variable}"), chosen)));
        lines.extend(self.address(format).map(|address| line(&words::ADDRESS, address)));
        lines
    }

    /// The name of each variable and, in words, what is chosen of it.
    fn selection(self) -> Vec<(&'a str, String)> {
        let library = &self.context.library;
        let chosen = |variable: Variable| {
            let categories = library.categories(self.query, variable, self.context.language);
            let names: Vec<&str> = categories.iter().take(LISTED).map(|category| category.label).collect();
            let rest = categories.len() - names.len();
            let list = names.join(", ");
            let text = if rest > 0 { words::AND_MORE.with(list).and(rest as u64).text(self.tongue()) } else { list };
            (library.variable_label(self.entry, variable, self.context.language), text)
        };
        library.variables(self.entry).map(chosen).collect()
    }

    /// Where a file of a format comes from, as it says itself; not sealed yet.
    pub fn provenance(self, format: Format) -> String {
        let address = self.address_within(&format.asked(), usize::MAX).unwrap_or_default();
        let releases = self.query.releases.iter().map(|&release| &self.context.library.releases[release]);
        Provenance::new(address, self.language().to_owned(), self.source().to_owned(), releases).text()
    }

    /// The releases that the numbers come from, as files name them.
    pub fn named_releases(self) -> Vec<NamedRelease> {
        self.query.releases.iter().map(|&release| NamedRelease::from(&self.context.library.releases[release])).collect()
    }

    /// The address at which the same numbers may be had, in the given format; `None` where it would be too long.
    fn address(self, format: &str) -> Option<String> {
        self.address_within(format, LONGEST_ADDRESS)
    }

    /// The same with so many characters at most.
    fn address_within(self, format: &str, longest: usize) -> Option<String> {
        let library = &self.context.library;
        let code = |variable: Variable| library.variable_code(self.entry, variable);
        let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let mut address = format!("{}/tables/{}/data?lang={}", self.context.base, encoded(&self.entry.table.id), self.language());
        for variable in library.variables(self.entry) {
            let mut codelist = None;
            let mut all = false;
            if let Variable::Axis(axis) = variable {
                match &self.query.axes[axis] {
                    Chosen::Eliminated => continue,
                    Chosen::Nodes { codelist: list, nodes } => {
                        codelist = *list;
                        all = list.is_none() && *nodes == *self.entry.axes[axis].nodes;
                    }
                    Chosen::Groups { codelist: list, .. } => codelist = Some(*list),
                }
            }
            if let Some(list) = codelist {
                address.push_str(&format!("&codelist[{}]={}", encoded(code(variable)), encoded(&library.codelists[list].id)));
            }
            address.push_str(&format!("&valueCodes[{}]=", encoded(code(variable))));
            if all {
                address.push('*');
                continue;
            }
            for (at, category) in library.categories(self.query, variable, self.context.language).iter().enumerate() {
                if at > 0 {
                    address.push(',');
                }
                address.push_str(&encoded(category.code));
                if address.len() > longest {
                    return None;
                }
            }
        }
        for (name, variables) in [("heading", &self.query.heading), ("stub", &self.query.stub)] {
            if !variables.is_empty() {
                let codes: Vec<String> = variables.iter().map(|&variable| encoded(code(variable))).collect();
                address.push_str(&format!("&{name}={}", codes.join(",")));
            }
        }
        address.push_str(&format!("&outputFormat={format}"));
        (address.len() <= longest).then_some(address)
    }

    /// What programs are told in the metadata of a file: keys and values.
    pub fn facts(self, answer: &Answer) -> Vec<(&'static str, String)> {
        let mut query = Vec::new();
        Json::new(&mut query).object(|body| {
            releases(body, self.context, self.query);
            selection(body, self.context, self.query, self.entry);
        });
        vec![
            ("table", self.entry.table.id.clone()),
            ("title", self.title().to_owned()),
            ("source", self.source().to_owned()),
            ("language", self.language().to_owned()),
            ("updated", self.updated()),
            ("license", self.license().to_owned()),
            ("notes", self.notes(answer).join("\n")),
            ("releases", self.releases().join(" ")),
            ("query", String::from_utf8_lossy(&query).into_owned()),
        ]
    }
}

/// The address at which the numbers of a query may be had in a format; `None` where it would be too long.
pub fn address(context: &Context, query: &Query, format: &str) -> Option<String> {
    About::new(context, query).address(format)
}

/// A moment as the formats write it.
pub fn moment(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The ISO 639 code of a document's language.
pub fn language_id(context: &Context) -> &str {
    context.library.register.languages.get(context.language).map_or("", |language| language.id.as_str())
}

fn meaning(status: CellStatus) -> Option<&'static Phrase> {
    match status {
        CellStatus::Published => None,
        CellStatus::Suppressed => Some(&words::SUPPRESSED),
        CellStatus::Impossible => Some(&words::IMPOSSIBLE),
        CellStatus::Unavailable => Some(&words::UNAVAILABLE),
    }
}

/// What each mark means that occurs, and whether the release may leave the machine.
pub fn marks_and_warnings(context: &Context, query: &Query, present: Option<&dyn Fn(CellStatus) -> bool>) -> Vec<&'static str> {
    let occurs = |status: CellStatus| present.is_none_or(|present| present(status));
    let mut notes: Vec<&Phrase> = MARKED.into_iter().filter(|status| occurs(*status)).filter_map(meaning).collect();
    let manifests = query.releases.iter().map(|&release| &context.library.releases[release].manifest);
    if manifests.into_iter().any(|manifest| manifest.protection == Protection::PrimaryOnly) {
        notes.push(&words::PRIMARY_ONLY);
    }
    let tongue = context.library.tongue(context.language);
    notes.into_iter().map(|note| note.text(tongue)).collect()
}

/// The notes of a table that are about an axis, or about the whole table.
pub fn notes_on<'a>(context: &'a Context, query: &Query, axis: Option<usize>) -> impl Iterator<Item = &'a Note> + use<'a> {
    let table = &context.library.tables[query.table].table;
    let dimension = axis.map(|axis| table.axes[axis].dimension.as_str());
    table.notes.iter().filter(move |note| note.dimension.as_deref() == dimension)
}

/// The notes of an axis' nodes that a query chooses: the node's position among those chosen, and its notes.
pub fn notes_on_nodes<'a>(context: &'a Context, query: &Query, axis: usize) -> Vec<(usize, Vec<&'a Note>)> {
    let Chosen::Nodes { nodes, .. } = &query.axes[axis] else { return Vec::new() };
    let all = &context.library.dimensions[context.library.tables[query.table].axes[axis].dimension].nodes;
    let mut noted = Vec::new();
    for (position, &node) in nodes.iter().enumerate() {
        let notes: Vec<&Note> =
            notes_on(context, query, Some(axis)).filter(|note| note.node.as_ref() == Some(&all[node as usize].code)).collect();
        if !notes.is_empty() {
            noted.push((position, notes));
        }
    }
    noted
}

/// Everything that a reader must know, as one list.
fn notes(context: &Context, query: &Query, present: Option<&dyn Fn(CellStatus) -> bool>) -> Vec<String> {
    let (library, language) = (&context.library, context.language);
    let mut notes: Vec<String> = marks_and_warnings(context, query, present).into_iter().map(str::to_owned).collect();
    notes.extend(notes_on(context, query, None).map(|note| note.text.text(language).to_owned()));
    for axis in 0..query.axes.len() {
        let variable = Variable::Axis(axis);
        let label = library.variable_label(&library.tables[query.table], variable, language);
        let of_all = notes_on(context, query, Some(axis)).filter(|note| note.node.is_none());
        notes.extend(of_all.map(|note| format!("{label}: {}", note.text.text(language))));
        let categories = library.categories(query, variable, language);
        for (position, on_node) in notes_on_nodes(context, query, axis) {
            notes.extend(on_node.iter().map(|note| format!("{label}, {}: {}", categories[position].label, note.text.text(language))));
        }
    }
    notes
}
