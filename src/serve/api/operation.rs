//! What is said of an address: for people, and for the document that programs read.

use utoipa::{
    ToSchema,
    openapi::{RefOr, Schema},
};

use crate::{
    charts::{CHART_KINDS, PICTURE_FORMATS},
    sdmx,
    serve::Shared,
    words::{self, Phrase},
};

/// A part of the interface, as the description is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Area {
    /// PxWebApi: which tables there are and what is in them.
    Tables,
    /// PxWebApi: cells.
    Data,
    /// PxWebApi: saved queries.
    Saved,
    /// Charts.
    Charts,
    /// Named queries.
    Queries,
    /// SDMX.
    Sdmx,
    /// The service itself.
    Service,
}

/// The parts of the interface, in order.
pub const AREAS: [Area; 7] = [Area::Tables, Area::Data, Area::Charts, Area::Saved, Area::Queries, Area::Sdmx, Area::Service];

impl Area {
    pub fn title(self) -> &'static Phrase {
        match self {
            Self::Tables => &words::AREA_TABLES,
            Self::Data => &words::AREA_DATA,
            Self::Saved => &words::AREA_SAVED,
            Self::Charts => &words::AREA_CHARTS,
            Self::Queries => &words::AREA_QUERIES,
            Self::Sdmx => &words::AREA_SDMX,
            Self::Service => &words::AREA_SERVICE,
        }
    }

    pub fn id(self) -> &'static str {
        match self {
            Self::Tables => "tables",
            Self::Data => "data",
            Self::Saved => "saved-queries",
            Self::Charts => "charts",
            Self::Queries => "named-queries",
            Self::Sdmx => "sdmx",
            Self::Service => "service",
        }
    }
}

/// What a parameter takes.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Any text.
    Text,
    /// A whole number from 1.
    Number,
    /// `true` or `false`.
    Flag,
    /// One of these.
    Choice(&'static [&'static str]),
    /// Several of these, separated by commas.
    Choices(&'static [&'static str]),
    /// Several texts, separated by commas.
    Texts,
    /// A text for each variable: `name[Region]=...`.
    ByVariable,
    /// A language of the register.
    Language,
    /// The name of a table.
    Table,
    /// The name of a code list.
    CodeList,
    /// The name of a named query.
    Query,
    /// The name of a dataflow of SDMX.
    Flow,
    /// A kind of structure of SDMX.
    Resource,
    /// A kind of chart with a format.
    Chart,
}

impl Kind {
    /// The values that there are to choose from, if it is a choice.
    pub fn values(self, shared: &Shared) -> Vec<String> {
        let library = &shared.library;
        match self {
            Self::Choice(values) | Self::Choices(values) => values.iter().map(|&value| value.to_owned()).collect(),
            Self::Language => library.register.languages.iter().map(|language| language.id.clone()).collect(),
            Self::Table => library.tables.iter().map(|entry| entry.table.id.clone()).collect(),
            Self::CodeList => library.codelist_ids().map(str::to_owned).collect(),
            Self::Query => shared.sql.queries().iter().map(|query| query.name.clone()).collect(),
            Self::Flow => sdmx::Names::new(library).flows,
            Self::Resource => sdmx::Kind::resources().chain([sdmx::EVERY_KIND]).map(str::to_owned).collect(),
            Self::Chart => CHART_KINDS.iter().flat_map(|kind| PICTURE_FORMATS.map(|format| format!("{kind}.{format}"))).collect(),
            Self::Text | Self::Number | Self::Flag | Self::Texts | Self::ByVariable => Vec::new(),
        }
    }
}

/// A parameter, in an address or behind it.
#[derive(Debug)]
pub struct Parameter {
    pub name: &'static str,
    pub text: Phrase,
    pub kind: Kind,
}

/// The schemas that a document needs, by name.
pub type Schemas = Vec<(String, RefOr<Schema>)>;

/// A document of JSON that code describes: its name, and what it consists of.
#[derive(Debug, Clone, Copy)]
pub struct Described {
    pub name: fn() -> String,
    pub gather: fn(&mut Schemas),
}

impl Described {
    pub const fn of<T: ToSchema>() -> Self {
        Self { name: name::<T>, gather: gather::<T> }
    }
}

fn name<T: ToSchema>() -> String {
    T::name().into_owned()
}

fn gather<T: ToSchema>(schemas: &mut Schemas) {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
}

/// What a successful answer is.
#[derive(Debug, Clone, Copy)]
pub enum Content {
    /// A document of JSON.
    Json(Described),
    /// The same, created anew: 201.
    Created(Described),
    /// JSON-stat 2.0 without cells.
    Metadata,
    /// The cells of a table in any format.
    Cells,
    /// The rows of a named query in any format.
    Rows,
    /// A structure message of SDMX-ML.
    SdmxStructure,
    /// Data of SDMX in any form.
    SdmxData,
    /// A picture in any format.
    Picture,
    /// The description of the interface.
    OpenApi,
}

/// An operation: an address with a method.
#[derive(Debug)]
pub struct Operation {
    /// Its name in clients that are made from the description.
    pub id: &'static str,
    pub area: Area,
    /// What it does, in a line.
    pub summary: Phrase,
    /// What else is to be known.
    pub detail: Option<Phrase>,
    /// Parameters behind the address.
    pub query: &'static [&'static Parameter],
    /// The body that it takes.
    pub body: Option<Described>,
    /// An example of a body.
    pub body_example: &'static str,
    pub content: Content,
    /// Whether the answer carries a tag by which it is not sent twice.
    pub tagged: bool,
    /// What may go wrong, besides what may go wrong everywhere.
    pub problems: &'static [u16],
    /// Something to try behind the address.
    pub example: &'static str,
}
