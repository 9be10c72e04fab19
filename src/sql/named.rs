//! Named queries: a statement with a header, checked and planned once.

use std::collections::HashSet;

use arrow::datatypes::{DataType, SchemaRef};
use datafusion::{
    common::{ParamValues, Result as PlanResult, ScalarValue, tree_node::TreeNode},
    logical_expr::{Expr, ExprSchemable, LogicalPlan, WindowFunctionDefinition},
};

use toml::Spanned;
use url::form_urlencoded;

use super::{
    header::{Header, HeaderFile},
    parameter::{Parameter, ParameterKind},
};
use crate::{
    engine::{SqlError, SqlSession},
    error::{Error, Result},
    register::{DefinitionError, Label, Role, Sources},
    tables::{Library, fingerprint},
};

/// Stands in every statement for the language that a reader asks for.
pub(super) const LANGUAGE: &str = "lang";
/// What a header calls the codes of periods.
const PERIOD: &str = "period";
/// Ending of files that hold queries.
const ENDING: &str = ".sql";

/// A query that has a name.
#[derive(Debug)]
pub struct Named {
    /// Its name: that of its file.
    pub name: String,
    /// What it is called.
    pub title: Label,
    /// What it tells.
    pub description: Label,
    /// Whom it was written for.
    pub audience: Label,
    /// What to know when reading its numbers.
    pub notes: Vec<Label>,
    /// What may be given.
    pub parameters: Vec<Parameter>,
    /// What it answers with.
    pub columns: Vec<ResultColumn>,
    /// Digest of its file.
    pub digest: String,
    /// Identifiers of the tables whose cells it reads.
    pub tables: Vec<String>,
    pub(super) plan: LogicalPlan,
}

impl Named {
    /// The address of its rows behind the one that everything begins with; `given` stands for its parameters.
    pub fn address(&self, given: &[String]) -> String {
        let pairs = self.parameters.iter().map(|parameter| parameter.name.as_str()).zip(given.iter().map(String::as_str));
        format!("queries/{}/data?{}", self.name, form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
    }

    /// The codes of regions among what was given for its parameters.
    pub fn regions_of<'a>(&'a self, library: &'a Library, given: &'a [String]) -> impl Iterator<Item = &'a str> {
        let is_place = |parameter: &Parameter| match parameter.kind {
            ParameterKind::Code(dimension, _) => library.dimensions[dimension].role == Role::Geo,
            _ => false,
        };
        self.parameters.iter().zip(given).filter(move |(parameter, _)| is_place(parameter)).map(|(_, code)| code.as_str())
    }
}

/// A column of a named query's answer.
#[derive(Debug, Clone)]
pub struct ResultColumn {
    /// Its name, for programs.
    pub name: String,
    /// Its name for people.
    pub label: Label,
    /// Unit of its numbers.
    pub unit: Option<Label>,
    /// The column that says why there is no number in this one.
    pub status: Option<String>,
    /// `text`, `integer`, `number` or `boolean`.
    pub kind: &'static str,
    /// What its codes are of, if it holds codes.
    pub codes: Option<Codes>,
}

/// What the codes in a column are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codes {
    /// The dimension with this position.
    Dimension(usize),
    /// Periods.
    Period,
}

/// Plans every query of a set; those that do not fit the register are left out unless they were `given` by the operator.
pub(super) async fn plan_all(sources: &Sources, given: bool, library: &Library, session: &SqlSession) -> Result<Vec<Named>> {
    let mut queries = Vec::new();
    for (file, text) in sources.iter().filter(|(file, _)| file.ends_with(ENDING)) {
        match plan(file, text, library, session).await {
            Ok(query) => queries.push(query),
            Err(error @ Error::Definition(_)) if !given => tracing::debug!(%error, "a shipped query does not fit this register"),
            Err(error) => return Err(error),
        }
    }
    Ok(queries)
}

async fn plan(file: &str, text: &str, library: &Library, session: &SqlSession) -> Result<Named> {
    let header = Header::new(file, text, &library.register.languages)?;
    let parsed: HeaderFile = header.parse()?;
    let name = file.rsplit('/').next().unwrap_or(file).trim_end_matches(ENDING).to_owned();
    let mut parameters: Vec<Parameter> = Vec::new();
    for parameter in &parsed.parameter {
        if parameters.iter().any(|known| known.name == *parameter.name.get_ref()) {
            return Ok(header.fault(&parameter.name, format!("parameter '{}' is there twice", parameter.name.get_ref()))?);
        }
        parameters.push(Parameter::new(parameter, &header, library)?);
    }
    let plan = session.prepare(text).await.map_err(|error| at_statement(&header, error))?;
    let behind = |problem: String| DefinitionError::new(file, header.statement, problem);
    let asked: HashSet<String> =
        plan.get_parameter_names().map_err(SqlError::from).map_err(|error| at_statement(&header, error))?.into_iter().collect();
    let asked: HashSet<&str> = asked.iter().map(|name| name.trim_start_matches('$')).collect();
    if let Some(unknown) = asked.iter().find(|name| **name != LANGUAGE && !parameters.iter().any(|known| known.name == **name)) {
        return Err(behind(format!("the header says nothing of ${unknown}")).into());
    }
    if let Some(unused) = parameters.iter().find(|parameter| !asked.contains(parameter.name.as_str())) {
        return Err(behind(format!("the statement never uses ${}", unused.name)).into());
    }
    if let Some(function) = passes_over(&plan).map_err(SqlError::from).map_err(|error| at_statement(&header, error))? {
        return Err(behind(format!(
            "{function} passes over withheld numbers, so that a part would look like the whole; use published_sum(value, status) \
             with sum_status(value, status), or the published number of the code above"
        ))
        .into());
    }
    let tables = super::tables_read(library, &plan);
    parameters.iter_mut().for_each(|parameter| parameter.asks(&tables, true, library));
    let mut values: Vec<(String, ScalarValue)> =
        parameters.iter().map(|parameter| (parameter.name.clone(), parameter.sample(library))).collect();
    values.push((LANGUAGE.into(), ScalarValue::Utf8View(library.register.languages.first().map(|language| language.id.clone()))));
    let schema = session.describe(&plan, ParamValues::from(values)).await.map_err(|error| at_statement(&header, error))?;
    let mut columns = Vec::new();
    for (at, column) in parsed.column.iter().enumerate() {
        let name = column.name.get_ref();
        let found = schema.fields().get(at).map(|field| field.name().as_str());
        if found != Some(name) {
            let found = found.map_or("no column".into(), |found| format!("'{found}'"));
            return Ok(header.fault(&column.name, format!("the statement gives {found} in the place of '{name}'"))?);
        }
        if let Some(status) = column.status.as_ref().filter(|status| schema.column_with_name(status.get_ref()).is_none()) {
            return Ok(header.fault(status, format!("the statement gives no column '{}'", status.get_ref()))?);
        }
        let kind = kind(&schema, at).ok_or_else(|| behind(format!("column '{name}' is neither text, number nor truth")))?;
        columns.push(ResultColumn {
            name: name.clone(),
            label: header.label(&column.label)?,
            unit: column.unit.as_ref().map(|unit| header.label(unit)).transpose()?,
            status: column.status.as_ref().map(|status| status.get_ref().clone()),
            kind,
            codes: column.codes.as_ref().map(|codes| codes_of(codes, kind, &header, library)).transpose()?,
        });
    }
    if let Some(more) = schema.fields().get(columns.len()) {
        return Err(behind(format!("the header says nothing of column '{}'", more.name())).into());
    }
    Ok(Named {
        title: header.label(&parsed.title)?,
        description: header.label(&parsed.description)?,
        audience: header.label(&parsed.audience)?,
        notes: parsed.notes.iter().map(|note| header.label(note)).collect::<Result<_, _>>()?,
        digest: fingerprint(std::iter::once(text.as_bytes())),
        tables,
        name,
        parameters,
        columns,
        plan,
    })
}

fn kind(schema: &SchemaRef, at: usize) -> Option<&'static str> {
    Some(match schema.field(at).data_type() {
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => "text",
        DataType::Boolean => "boolean",
        DataType::Float32 | DataType::Float64 => "number",
        integer if integer.is_integer() => "integer",
        _ => return None,
    })
}

fn codes_of(codes: &Spanned<String>, kind: &str, header: &Header<'_>, library: &Library) -> Result<Codes, DefinitionError> {
    if kind != "text" {
        return header.fault(codes, format!("codes are texts; this column is of the kind {kind}"));
    }
    if codes.get_ref() == PERIOD {
        return Ok(Codes::Period);
    }
    match library.dimensions.iter().position(|dimension| dimension.id == *codes.get_ref()) {
        Some(dimension) => Ok(Codes::Dimension(dimension)),
        None => {
            let there: Vec<&str> = library.dimensions.iter().map(|dimension| dimension.id.as_str()).collect();
            header.fault(codes, format!("'{}' has no codes; expected {PERIOD} or one of {}", codes.get_ref(), there.join(", ")))
        }
    }
}

/// The name of a function that counts what is withheld as nothing, if the plan has one.
fn passes_over(plan: &LogicalPlan) -> PlanResult<Option<String>> {
    /// These say how many or which rows there are, whatever their values, or know statuses.
    const SOUND: [&str; 4] = ["count", "published_sum", "sum_status", "first_value"];
    let mut found = None;
    plan.apply_with_subqueries(|node| {
        let inputs = node.inputs();
        node.apply_expressions(|expression| {
            expression.apply(|part| {
                let (name, arguments) = match part {
                    Expr::AggregateFunction(function) => (function.func.name(), &function.params.args),
                    Expr::WindowFunction(function) => match &function.fun {
                        WindowFunctionDefinition::AggregateUDF(aggregate) => (aggregate.name(), &function.params.args),
                        WindowFunctionDefinition::WindowUDF(_) => return Ok(datafusion::common::tree_node::TreeNodeRecursion::Continue),
                    },
                    _ => return Ok(datafusion::common::tree_node::TreeNodeRecursion::Continue),
                };
                let number = |argument: &Expr| {
                    let kind = inputs.iter().find_map(|input| argument.get_type(input.schema()).ok());
                    kind.is_none_or(|kind| kind.is_numeric() || kind == DataType::Null)
                };
                if !SOUND.contains(&name) && arguments.iter().any(number) {
                    found = Some(name.to_owned());
                }
                Ok(datafusion::common::tree_node::TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(found)
}

/// A fault of the statement, at the line that the parser names or where the statement begins.
fn at_statement(header: &Header<'_>, error: SqlError) -> Error {
    match error {
        SqlError::Failed(error) => error,
        error => {
            let text = error.to_string();
            let named = text.split("Line: ").nth(1).and_then(|rest| rest.split(|char: char| !char.is_ascii_digit()).next()?.parse().ok());
            DefinitionError::new(header.file, named.unwrap_or(header.statement), text).into()
        }
    }
}
