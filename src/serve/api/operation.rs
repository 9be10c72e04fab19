//! What is said of an address: for people, and for the document that programs read.

use utoipa::{
    ToSchema,
    openapi::{RefOr, Schema},
};

use crate::words::Phrase;

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
    /// A page for people.
    Page,
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
