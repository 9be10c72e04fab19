//! OpenAPI 3.1.

use axum::http::Method;
use serde_json::{Value, json};
use utoipa::{
    PartialSchema,
    openapi::{
        ComponentsBuilder, ContactBuilder, Content as Media, ContentBuilder, HttpMethod, InfoBuilder, ObjectBuilder, OpenApi,
        OpenApiBuilder, PathItem, PathsBuilder, Ref, RefOr, Required, ResponseBuilder, ResponsesBuilder, Schema, Server, Type,
        info::LicenseBuilder,
        path::{OperationBuilder, Parameter as Told, ParameterBuilder, ParameterIn, ParameterStyle},
        request_body::RequestBodyBuilder,
        schema::{AdditionalProperties, ArrayBuilder, SchemaType},
        tag::TagBuilder,
    },
};

use super::{
    Address, filled,
    operation::{AREAS, Area, Content, Described, Kind, Operation, Parameter, Schemas},
    parameters::of_address,
};
use crate::{
    charts::{PICTURE_FORMATS, PictureFormat},
    error::Error,
    formats::{FORMATS, Format, ROWS_FORMATS, RowsFormat},
    sdmx,
    serve::{
        Shared,
        problem::{self, Problem},
    },
    sql::{Named, ParameterKind},
    tables::{CONTENTS, TIME},
    words::{self, Phrase, Tongue},
};

const JSON: &str = "application/json";

/// The whole description, in a language, for clients who call us by an address.
pub fn document(shared: &Shared, interface: &[Address], language: usize, origin: &str) -> Result<Vec<u8>, Problem> {
    let described = Writer::new(shared, language).document(interface, origin);
    serde_json::to_vec(&described).map_err(|error| Error::Internal(error.to_string()).into())
}

struct Writer<'a> {
    shared: &'a Shared,
    language: usize,
    tongue: Tongue,
    schemas: Schemas,
}

impl<'a> Writer<'a> {
    fn new(shared: &'a Shared, language: usize) -> Self {
        Self { shared, language, tongue: shared.library.tongue(language), schemas: Schemas::new() }
    }

    fn say(&self, phrase: &Phrase) -> String {
        filled(self.shared, phrase.text(self.tongue))
    }

    fn document(mut self, interface: &[Address], origin: &str) -> OpenApi {
        let register = &self.shared.library.register;
        let mut paths = PathsBuilder::new();
        for address in interface {
            let parameters = of_address(&address.path).into_iter().map(|parameter| self.parameter(parameter, ParameterIn::Path));
            let parameters: Vec<Told> = parameters.collect();
            let id = match &address.path {
                // The standard lets parts of an address be left out; each way is an address of its own here.
                path if address.operation.area == Area::Sdmx => format!("{}{}", address.operation.id, path.matches('{').count()),
                _ => address.operation.id.to_owned(),
            };
            let operation = self.operation(address.operation, id, parameters, &[]);
            let method = if address.method == Method::POST { HttpMethod::Post } else { HttpMethod::Get };
            paths = paths.path(&address.path, PathItem::new(method, operation));
            if address.path == super::super::routes::QUERY_DATA {
                for query in self.shared.sql.queries() {
                    let item = PathItem::new(HttpMethod::Get, self.named(address.operation, query));
                    paths = paths.path(address.path.replace("{name}", &query.name), item);
                }
            }
        }
        let components = self.components();
        let info = InfoBuilder::new()
            .title(register.label.text(self.language))
            .version(env!("CARGO_PKG_VERSION"))
            .description(Some(format!("{}\n\n{}", register.source.text(self.language), self.say(&words::API_ABOUT))))
            .license(Some(LicenseBuilder::new().name(&register.license).url(Some(&register.license)).build()))
            .contact(
                register.contact.as_ref().map(|contact| ContactBuilder::new().name(Some(&contact.name)).email(Some(&contact.mail)).build()),
            );
        let tags = AREAS.map(|area| TagBuilder::new().name(area.id()).description(Some(self.say(area.title()))).build());
        OpenApiBuilder::new()
            .info(info.build())
            .servers(Some([Server::new(origin)]))
            .tags(Some(tags))
            .paths(paths)
            .components(Some(components))
            .build()
    }

    fn components(&mut self) -> utoipa::openapi::Components {
        self.need(Described::of::<problem::Body<'static>>());
        let mut components = ComponentsBuilder::new();
        for (name, schema) in self.schemas.drain(..) {
            components = components.schema(name, schema);
        }
        components.schema("JsonStat", json_stat()).schema("Rows", rows()).build()
    }

    /// A reference to a document, whose schemas go along.
    fn need(&mut self, described: Described) -> RefOr<Schema> {
        (described.gather)(&mut self.schemas);
        Ref::from_schema_name((described.name)()).into()
    }

    fn operation(&mut self, operation: &Operation, id: String, mut parameters: Vec<Told>, more: &[Told]) -> OperationBuilder {
        parameters.extend(operation.query.iter().map(|parameter| self.parameter(parameter, ParameterIn::Query)));
        parameters.extend_from_slice(more);
        let mut builder = OperationBuilder::new()
            .operation_id(Some(id))
            .tag(operation.area.id())
            .summary(Some(self.say(&operation.summary)))
            .description(operation.detail.as_ref().map(|detail| self.say(detail)))
            .parameters((!parameters.is_empty()).then_some(parameters))
            .responses(self.responses(operation));
        if let Some(body) = operation.body {
            let example: Option<Value> = serde_json::from_str(&filled(self.shared, operation.body_example)).ok();
            let content = ContentBuilder::new().schema(Some(self.need(body))).example(example).build();
            builder = builder.request_body(Some(RequestBodyBuilder::new().content(JSON, content).build()));
        }
        builder
    }

    /// The address that a named query has to itself.
    fn named(&mut self, operation: &Operation, query: &Named) -> OperationBuilder {
        let library = &self.shared.library;
        let own: Vec<Told> = query
            .parameters
            .iter()
            .map(|parameter| {
                let schema = match &parameter.kind {
                    ParameterKind::Text(values) if values.is_empty() => text(),
                    ParameterKind::Text(values) => choice(values.iter().map(String::as_str)),
                    ParameterKind::Integer(from, to) => number(Type::Integer).minimum(Some(*from as f64)).maximum(Some(*to as f64)),
                    ParameterKind::Number(from, to) => number(Type::Number).minimum(Some(*from)).maximum(Some(*to)),
                    ParameterKind::Period => choice((0..library.releases.len()).map(|at| library.period(at))),
                    // As many codes as a country has places would not help anybody.
                    ParameterKind::Code(..) => text(),
                };
                let default = parameter.default_text(library);
                let expected = parameter.expected(library).text(self.tongue);
                ParameterBuilder::new()
                    .name(&parameter.name)
                    .parameter_in(ParameterIn::Query)
                    .required(if parameter.required() { Required::True } else { Required::False })
                    .description(Some(format!("{}: {expected}", parameter.label.text(self.language))))
                    .schema(Some(schema))
                    .example(default.map(Value::String))
                    .build()
            })
            .collect();
        let mut builder = self.operation(operation, format!("query-{}", query.name), Vec::new(), &own);
        builder = builder.summary(Some(query.title.text(self.language)));
        builder.description(Some(query.description.text(self.language)))
    }

    fn parameter(&self, parameter: &Parameter, place: ParameterIn) -> Told {
        let library = &self.shared.library;
        let required = if place == ParameterIn::Path { Required::True } else { Required::False };
        let builder = ParameterBuilder::new()
            .name(parameter.name)
            .parameter_in(place)
            .required(required)
            .description(Some(self.say(&parameter.text)));
        let list = |items: ObjectBuilder, builder: ParameterBuilder| {
            // One parameter with commas within.
            builder.schema(Some(ArrayBuilder::new().items(items))).style(Some(ParameterStyle::Form)).explode(Some(false))
        };
        let builder = match parameter.kind {
            Kind::Text => builder.schema(Some(text())),
            Kind::Number => builder.schema(Some(number(Type::Integer).minimum(Some(1)).maximum(Some(u32::MAX)))),
            Kind::Flag => builder.schema(Some(number(Type::Boolean))),
            Kind::Choices(values) => list(choice(values.iter().copied()), builder),
            Kind::Texts => list(text(), builder),
            Kind::ByVariable => {
                let variables = library.dimensions.iter().map(|dimension| dimension.variable.as_str());
                let named = variables.chain([CONTENTS, TIME]).fold(ObjectBuilder::new(), |object, name| object.property(name, text()));
                builder
                    .schema(Some(named.additional_properties(Some(AdditionalProperties::FreeForm(false)))))
                    .style(Some(ParameterStyle::DeepObject))
                    .explode(Some(true))
            }
            Kind::Language => {
                let first = library.register.languages.first().map(|language| json!(language.id));
                builder.schema(Some(choice(parameter.kind.values(self.shared).iter().map(String::as_str)).default(first)))
            }
            one_of => builder.schema(Some(choice(one_of.values(self.shared).iter().map(String::as_str)))),
        };
        builder.build()
    }

    fn responses(&mut self, operation: &Operation) -> ResponsesBuilder {
        let (code, contents) = self.contents(operation.content);
        let mut good = ResponseBuilder::new().description(self.say(&words::API_ANSWER));
        for (media, content) in contents {
            good = good.content(media, content);
        }
        let mut responses = ResponsesBuilder::new().response(code, good);
        if operation.tagged {
            responses = responses.response("304", ResponseBuilder::new().description(self.say(&words::API_UNCHANGED)));
        }
        let schema = Ref::from_schema_name("Problem");
        // What can be not found can be withdrawn.
        let gone: &[u16] = if operation.problems.contains(&404) { &[410] } else { &[] };
        for code in [400].iter().chain(operation.problems).chain(gone).chain(&[429, 503]) {
            let meaning = match code {
                404 => &words::API_NOT_FOUND,
                406 => &words::API_NOT_ACCEPTABLE,
                410 => &words::API_WITHDRAWN,
                413 => &words::API_TOO_LARGE,
                429 => &words::API_TOO_OFTEN,
                503 => &words::API_BUSY,
                _ => &words::API_NOT_UNDERSTOOD,
            };
            let response = ResponseBuilder::new().description(self.say(meaning));
            let response = if operation.area == Area::Sdmx {
                response.content("application/xml", Media::new(Some(text())))
            } else {
                response.content(problem::MEDIA, Media::new(Some(schema.clone())))
            };
            responses = responses.response(code.to_string(), response);
        }
        responses
    }

    /// What an answer may be, by media type.
    fn contents(&mut self, content: Content) -> (&'static str, Vec<(&'static str, Media)>) {
        let bytes = || Media::new(Some(text()));
        let refer = |name: &str| Media::new(Some(Ref::from_schema_name(name)));
        match content {
            Content::Json(described) => ("200", vec![(JSON, Media::new(Some(self.need(described))))]),
            Content::Created(described) => ("201", vec![(JSON, Media::new(Some(self.need(described))))]),
            Content::Metadata => ("200", vec![(JSON, refer("JsonStat"))]),
            Content::OpenApi => ("200", vec![(JSON, Media::new(Some(ObjectBuilder::new())))]),
            Content::Picture => (
                "200",
                PICTURE_FORMATS.iter().filter_map(|name| PictureFormat::parse(name)).map(|format| (format.media_type(), bytes())).collect(),
            ),
            Content::SdmxStructure => ("200", vec![(bare(sdmx::STRUCTURE), bytes())]),
            Content::SdmxData => ("200", sdmx::MEDIA.map(|media| (bare(media), bytes())).into()),
            Content::Cells => {
                let formats = FORMATS.iter().filter_map(|name| Format::parse(name, &[]).ok());
                let media = |format: Format| match format {
                    Format::JsonStat => (JSON, refer("JsonStat")),
                    other => (bare(other.media_type()), bytes()),
                };
                ("200", formats.map(media).collect())
            }
            Content::Rows => {
                let formats = ROWS_FORMATS.iter().filter_map(|name| RowsFormat::parse(name).ok());
                let media = |format: RowsFormat| match format {
                    RowsFormat::Json => (JSON, refer("Rows")),
                    other => (bare(other.media_type()), bytes()),
                };
                ("200", formats.map(media).collect())
            }
        }
    }
}

/// A media type without its parameters.
fn bare(media: &'static str) -> &'static str {
    media.split(';').next().unwrap_or(media)
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn number(kind: Type) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(kind)
}

fn choice<'a>(values: impl IntoIterator<Item = &'a str>) -> ObjectBuilder {
    text().enum_values(Some(values))
}

/// What a document of JSON-stat has.
fn json_stat() -> ObjectBuilder {
    let value = ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::Number, Type::Null]));
    let map = |inner: ObjectBuilder| ObjectBuilder::new().additional_properties(Some(AdditionalProperties::RefOr(inner.into())));
    ObjectBuilder::new()
        .property("version", choice(["2.0"]))
        .property("class", choice(["dataset"]))
        .property("label", String::schema())
        .property("source", String::schema())
        .property("updated", String::schema())
        .property("id", Vec::<String>::schema())
        .property("size", Vec::<u64>::schema())
        .property("role", ObjectBuilder::new())
        .property("dimension", map(ObjectBuilder::new()))
        .property("value", ArrayBuilder::new().items(value))
        .property("status", map(text()))
        .property("extension", ObjectBuilder::new())
        .required("version")
        .required("class")
        .required("id")
        .required("size")
        .required("dimension")
        .required("value")
}

/// What the rows of a named query have.
fn rows() -> ObjectBuilder {
    let column = ObjectBuilder::new()
        .property("name", String::schema())
        .property("label", String::schema())
        .property("type", String::schema())
        .property("unit", String::schema())
        .property("status", String::schema())
        .required("name")
        .required("label")
        .required("type");
    ["query", "title", "language", "source"]
        .into_iter()
        .fold(ObjectBuilder::new(), |object, name| object.property(name, String::schema()).required(name))
        .property("parameters", ObjectBuilder::new())
        .property("releases", Vec::<String>::schema())
        .property("notes", Vec::<String>::schema())
        .property("columns", ArrayBuilder::new().items(column))
        .property("rows", ArrayBuilder::new().items(ArrayBuilder::new()))
        .required("columns")
        .required("rows")
}
