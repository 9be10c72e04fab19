//! From what a client gives to a query that can run.

use datafusion::common::{ParamValues, ScalarValue};

use super::{Named, Sql, named::LANGUAGE};
use crate::{
    engine::{Rows, SqlError},
    tables::Fault,
    words::{self, Message},
};

/// What a client gives for a named query is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct BindError {
    /// What, and what may be given.
    pub detail: Message,
    /// What is wrong, if it is not what was given: it lies outside of what the reader may see, or was withdrawn.
    pub fault: Option<Fault>,
}

impl From<Message> for BindError {
    fn from(detail: Message) -> Self {
        Self { detail, fault: None }
    }
}

/// A named query with a value for each of its parameters.
#[derive(Debug)]
pub struct Bound<'a> {
    /// The query.
    pub query: &'a Named,
    /// For each parameter of the query what stands for it, as the program writes it.
    pub given: Vec<String>,
    values: Vec<(String, ScalarValue)>,
}

impl Sql {
    /// Finds what stands for each parameter of a query, for a reader of the language with this position.
    ///
    /// # Errors
    /// Names the parameter, what was given, and what may be given.
    pub fn bind<'a>(&self, query: &'a Named, language: usize, pairs: &[(&str, &str)]) -> Result<Bound<'a>, BindError> {
        let library = self.library();
        if let Some((unknown, _)) =
            pairs.iter().find(|(name, _)| !query.parameters.iter().any(|known| known.name.eq_ignore_ascii_case(name)))
        {
            let there = query.parameters.iter().map(|parameter| parameter.name.as_str()).collect::<Vec<_>>().join(", ");
            return Err((words::NO_PARAMETER.with(query.name.as_str()).and(short(unknown)).and(words::THERE_IS.with(there))).into());
        }
        let mut bound = Bound { query, given: Vec::new(), values: Vec::new() };
        for parameter in &query.parameters {
            let mut given = pairs.iter().filter(|(name, _)| parameter.name.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim());
            let first = given.next().filter(|text| !text.is_empty());
            if given.next().is_some() {
                return Err(words::PARAMETER_TWICE.with(parameter.name.as_str()).into());
            }
            let Some(text) = first.map(str::to_owned).or_else(|| parameter.default_text(library)) else {
                return Err(words::PARAMETER_MISSING.with(parameter.name.as_str()).and(parameter.expected(library)).into());
            };
            let (value, text) = parameter.read(&text, library).map_err(|expected| match parameter.beyond(&text, library) {
                Some((fault, detail)) => BindError { detail, fault: Some(fault) },
                None => words::PARAMETER_IS.with(parameter.name.as_str()).and(short(&text)).and(expected).into(),
            })?;
            bound.given.push(text);
            bound.values.push((parameter.name.clone(), value));
        }
        let language = library.register.languages.get(language).map_or("", |language| language.id.as_str());
        bound.values.push((LANGUAGE.to_owned(), ScalarValue::Utf8View(Some(language.to_owned()))));
        Ok(bound)
    }

    /// Starts to run a query.
    pub async fn run(&self, bound: Bound<'_>) -> Result<Rows, SqlError> {
        let session = self.session();
        session.run(bound.query.plan.clone(), Some(ParamValues::from(bound.values)), session.settings()).await
    }
}

fn short(text: &str) -> String {
    text.chars().take(60).collect()
}
