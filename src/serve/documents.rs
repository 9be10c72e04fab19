//! The JSON documents of PxWebApi v2 other than data: configuration, lists of tables, code lists, selections.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Shared, saved::Saved};
use crate::{
    formats::FORMATS,
    tables::{CodeList, CodeListKind, Page, Selection, TableEntry},
};

/// Version of PxWebApi that the service speaks.
const API_VERSION: &str = "2.3.2";

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Config<'a> {
    api_version: &'static str,
    app_version: &'static str,
    languages: Vec<Language<'a>>,
    default_language: &'a str,
    max_data_cells: u64,
    /// 0: there is no limit.
    max_calls_per_time_window: u32,
    time_window: u32,
    license: &'a str,
    source_references: Vec<SourceReference<'a>>,
    default_data_format: &'static str,
    data_formats: [&'static str; FORMATS.len()],
    features: [Feature; 1],
}

#[derive(Serialize, ToSchema)]
struct Language<'a> {
    id: &'a str,
    label: &'a str,
}

#[derive(Serialize, ToSchema)]
struct SourceReference<'a> {
    language: &'a str,
    text: &'a str,
}

#[derive(Serialize, ToSchema)]
struct Feature {
    id: &'static str,
    params: [Parameter; 1],
}

#[derive(Serialize, ToSchema)]
#[schema(as = FeatureParameter)]
struct Parameter {
    key: &'static str,
    value: &'static str,
}

#[derive(Serialize, ToSchema)]
pub struct Link {
    rel: &'static str,
    hreflang: String,
    href: String,
}

#[derive(Serialize, ToSchema)]
pub struct Tables<'a> {
    language: &'a str,
    tables: Vec<Table<'a>>,
    page: PageInfo,
    links: Vec<Link>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    page_number: u32,
    page_size: u32,
    total_elements: usize,
    total_pages: u32,
    links: Vec<Link>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Table<'a> {
    language: &'a str,
    r#type: &'static str,
    id: &'a str,
    label: &'a str,
    description: &'a str,
    sort_code: &'a str,
    updated: String,
    first_period: Option<String>,
    last_period: Option<String>,
    category: &'static str,
    variable_names: Vec<&'a str>,
    discontinued: bool,
    source: &'a str,
    subject_code: String,
    time_unit: &'static str,
    paths: [[PathElement<'a>; 1]; 1],
    links: Vec<Link>,
}

#[derive(Serialize, ToSchema)]
struct PathElement<'a> {
    id: String,
    label: &'a str,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DefaultSelection<'a> {
    language: &'a str,
    selection: Vec<Chosen>,
    placement: Placement<'a>,
    links: Vec<Link>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Chosen {
    variable_code: String,
    codelist: Option<String>,
    value_codes: Vec<String>,
}

impl From<Selection> for Chosen {
    fn from(selection: Selection) -> Self {
        Self { variable_code: selection.variable, codelist: selection.codelist, value_codes: selection.values }
    }
}

#[derive(Serialize, ToSchema)]
struct Placement<'a> {
    heading: Vec<&'a str>,
    stub: Vec<&'a str>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CodeList)]
pub struct CodeListDocument<'a> {
    id: &'a str,
    label: &'a str,
    language: &'a str,
    languages: Vec<&'a str>,
    r#type: &'static str,
    elimination: bool,
    elimination_value_code: &'a str,
    values: Vec<Value<'a>>,
    links: Vec<Link>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Value<'a> {
    code: &'a str,
    label: &'a str,
    value_map: Vec<&'a str>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SavedDocument<'a> {
    language: &'a str,
    id: &'a str,
    saved_query: SavedQuery<'a>,
    links: Vec<Link>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SavedQuery<'a> {
    id: &'a str,
    table_id: &'a str,
    language: &'a str,
    output_format: &'a str,
    output_format_params: &'a [String],
    selection: SavedSelection<'a>,
}

#[derive(Serialize, ToSchema)]
struct SavedSelection<'a> {
    selection: Vec<Chosen>,
    placement: Placement<'a>,
}

#[derive(Serialize, ToSchema)]
pub struct SelectionDocument<'a> {
    language: &'a str,
    #[serde(flatten)]
    selection: SavedSelection<'a>,
    links: Vec<Link>,
}

/// Writes documents for one client: in its language, with addresses as it calls us.
pub struct Writer<'a> {
    pub shared: &'a Shared,
    pub language: usize,
    pub base: String,
}

impl<'a> Writer<'a> {
    fn id(&self, language: usize) -> &'a str {
        self.shared.library.register.languages.get(language).map_or("", |language| language.id.as_str())
    }

    fn link(&self, rel: &'static str, path: &str, language: usize) -> Link {
        let (id, mark) = (self.id(language), if path.contains('?') { '&' } else { '?' });
        Link { rel, hreflang: id.to_owned(), href: format!("{}{path}{mark}lang={id}", self.base) }
    }

    /// A link to the document itself and one for each other language.
    fn own_links(&self, path: &str) -> Vec<Link> {
        let others = (0..self.shared.library.register.languages.len()).filter(|&language| language != self.language);
        std::iter::once(self.link("self", path, self.language))
            .chain(others.map(|language| self.link("alternate", path, language)))
            .collect()
    }

    pub fn config(&self) -> Config<'a> {
        let register = &self.shared.library.register;
        let source = |(at, language): (usize, &'a crate::register::Language)| SourceReference {
            language: &language.id,
            text: register.source.text(at),
        };
        let rate = self.shared.limits.rate();
        Config {
            api_version: API_VERSION,
            app_version: env!("CARGO_PKG_VERSION"),
            languages: register.languages.iter().map(|language| Language { id: &language.id, label: &language.label }).collect(),
            default_language: self.id(0),
            max_data_cells: self.shared.most_cells,
            max_calls_per_time_window: rate.calls,
            time_window: if rate.calls == 0 { 0 } else { rate.window.as_secs() as u32 },
            license: &register.license,
            source_references: register.languages.iter().enumerate().map(source).collect(),
            default_data_format: FORMATS[0],
            data_formats: FORMATS,
            features: [Feature { id: "CORS", params: [Parameter { key: "enabled", value: "True" }] }],
        }
    }

    /// A page of tables; `search` is the rest of the address that asked for it.
    pub fn tables(&self, page: &Page<'a>, search: &str) -> Tables<'a> {
        let at = |rel: &'static str, number: u32| {
            self.link(rel, &format!("/tables?{search}pageNumber={number}&pageSize={}", page.size), self.language)
        };
        let around =
            [("first", (page.number > 1).then_some(1)), ("previous", page.previous()), ("next", page.next()), ("last", page.last())];
        let links = around.into_iter().filter_map(|(rel, number)| number.map(|number| at(rel, number))).collect();
        Tables {
            language: self.id(self.language),
            tables: page.tables.iter().map(|entry| self.table(entry)).collect(),
            page: PageInfo { page_number: page.number, page_size: page.size, total_elements: page.total, total_pages: page.pages, links },
            links: self.own_links("/tables"),
        }
    }

    pub fn table(&self, entry: &'a TableEntry) -> Table<'a> {
        let library = &self.shared.library;
        let table = &entry.table;
        let (first, last) = entry.periods(library);
        let path = format!("/tables/{}", table.id);
        let mut links = self.own_links(&path);
        links.push(self.link("metadata", &format!("{path}/metadata"), self.language));
        links.push(self.link("data", &format!("{path}/data"), self.language));
        Table {
            language: self.id(self.language),
            r#type: "Table",
            id: &table.id,
            label: table.label.text(self.language),
            description: table.description.text(self.language),
            sort_code: &table.id,
            updated: entry.updated.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            first_period: first.map(|period| period.to_string()),
            last_period: last.map(|period| period.to_string()),
            category: "public",
            variable_names: library.variables(entry).map(|variable| library.variable_label(entry, variable, self.language)).collect(),
            discontinued: entry.discontinued,
            source: library.register.source.text(self.language),
            subject_code: entry.subject_code(),
            time_unit: library.register.frequency.px(),
            paths: [[PathElement { id: entry.subject_code(), label: table.subject.text(self.language) }]],
            links,
        }
    }

    pub fn default_selection(
        &self,
        entry: &'a TableEntry,
        selection: Vec<Selection>,
        heading: Vec<&'a str>,
        stub: Vec<&'a str>,
    ) -> DefaultSelection<'a> {
        DefaultSelection {
            language: self.id(self.language),
            selection: selection.into_iter().map(Chosen::from).collect(),
            placement: Placement { heading, stub },
            links: self.own_links(&format!("/tables/{}/defaultselection", entry.table.id)),
        }
    }

    pub fn codelist(&self, list: &'a CodeList) -> CodeListDocument<'a> {
        let library = &self.shared.library;
        let dimension = &library.dimensions[list.dimension];
        let (kind, values) = match &list.kind {
            CodeListKind::Valueset(nodes) => {
                let nodes = nodes.iter().map(|&at| &dimension.nodes[at as usize]);
                let value = |node: &'a crate::register::Node| Value {
                    code: &node.code,
                    label: node.label.text(self.language),
                    value_map: vec![&node.code],
                };
                ("Valueset", nodes.map(value).collect())
            }
            CodeListKind::Aggregation(grouping) => {
                let value = |group: &'a crate::register::Group| Value {
                    code: &group.code,
                    label: group.label.text(self.language),
                    value_map: group.nodes.iter().map(String::as_str).collect(),
                };
                ("Aggregation", grouping.values.iter().map(value).collect())
            }
        };
        CodeListDocument {
            id: &list.id,
            label: list.label.text(self.language),
            language: self.id(self.language),
            languages: library.register.languages.iter().map(|language| language.id.as_str()).collect(),
            r#type: kind,
            elimination: true,
            elimination_value_code: dimension.nodes.first().map_or("", |root| root.code.as_str()),
            values,
            links: self.own_links(&format!("/codelists/{}", list.id)),
        }
    }

    pub fn saved(&self, name: &'a str, saved: &'a Saved) -> SavedDocument<'a> {
        SavedDocument {
            language: self.id(self.language),
            id: name,
            saved_query: SavedQuery {
                id: name,
                table_id: &saved.table,
                language: &saved.language,
                output_format: if saved.format.is_empty() { FORMATS[0] } else { &saved.format },
                output_format_params: &saved.options,
                selection: selection_of(saved),
            },
            links: self.saved_links(&format!("/savedqueries/{name}"), name),
        }
    }

    pub fn saved_selection(&self, name: &str, saved: &'a Saved) -> SelectionDocument<'a> {
        let links = self.saved_links(&format!("/savedqueries/{name}/selection"), name);
        SelectionDocument { language: self.id(self.language), selection: selection_of(saved), links }
    }

    fn saved_links(&self, own: &str, name: &str) -> Vec<Link> {
        let mut links = self.own_links(own);
        for (rel, path) in [("savedquery", ""), ("selection", "/selection"), ("data", "/data")] {
            links.push(self.link(rel, &format!("/savedqueries/{name}{path}"), self.language));
        }
        links
    }
}

fn selection_of(saved: &Saved) -> SavedSelection<'_> {
    SavedSelection {
        selection: saved.request().selections.into_iter().map(Chosen::from).collect(),
        placement: Placement {
            heading: saved.heading.iter().map(String::as_str).collect(),
            stub: saved.stub.iter().map(String::as_str).collect(),
        },
    }
}
