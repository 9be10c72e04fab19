//! Named queries: which there are, what they take, what they answer.

use std::sync::Arc;

use axum::{
    extract::{Path, RawQuery},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use bytes::Bytes;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Shared, edge,
    noted::{Noted, Recorded, read_rows},
    parameters::Parameters,
    problem::Problem,
    px::{json, lasting},
    seen::{Seen, refused},
};
use crate::{
    engine::SqlError,
    formats::{ColumnText, ROWS_FORMATS, RowsDocument, RowsFormat},
    release::Provenance,
    sql::{BindError, Codes, Named, Parameter, ParameterKind},
    tables::{RequestError, TIME},
    words,
};

/// Parameters that mean the same for every query.
const COMMON: [&str; 2] = ["lang", "outputFormat"];

#[derive(Serialize, ToSchema)]
pub struct QueryList<'a> {
    language: &'a str,
    queries: Vec<QueryLine<'a>>,
}

#[derive(Serialize, ToSchema)]
struct QueryLine<'a> {
    name: &'a str,
    title: &'a str,
    description: &'a str,
    audience: &'a str,
    metadata: String,
    data: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Query)]
#[serde(rename_all = "camelCase")]
pub struct QueryDocument<'a> {
    name: &'a str,
    language: &'a str,
    title: &'a str,
    description: &'a str,
    audience: &'a str,
    notes: Vec<&'a str>,
    source: &'a str,
    parameters: Vec<ParameterDocument<'a>>,
    columns: Vec<ColumnDocument<'a>>,
    output_formats: [&'static str; 4],
    data: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = QueryParameter)]
struct ParameterDocument<'a> {
    name: &'a str,
    label: &'a str,
    r#type: &'static str,
    required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<String>,
    expected: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<Vec<&'a str>>,
    /// The variable whose codes may be given.
    #[serde(skip_serializing_if = "Option::is_none")]
    variable: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    levels: Option<Vec<&'a str>>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = QueryColumn)]
struct ColumnDocument<'a> {
    name: &'a str,
    label: &'a str,
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'a str>,
    /// The variable whose codes the column holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    variable: Option<&'a str>,
}

type Answer = Result<Recorded<Response>, Problem>;

pub async fn list(Seen(shared): Seen, RawQuery(query): RawQuery, headers: HeaderMap) -> Answer {
    let language = shared.language(&Parameters::parse(query.as_deref()))?;
    let base = shared.base(&headers);
    let tag = shared.tag(&["queries", &digests(&shared), &base, &language.to_string()]);
    let write = move |shared: &Shared| {
        let id = shared.language_id(language);
        let queries = shared.sql.queries().iter().map(|query| line(query, language, id, &base)).collect();
        json(&QueryList { language: id, queries })
    };
    lasting(&shared, &headers, tag, write).await
}

pub async fn metadata(Seen(shared): Seen, Path(name): Path<String>, RawQuery(query): RawQuery, headers: HeaderMap) -> Answer {
    let language = shared.language(&Parameters::parse(query.as_deref()))?;
    let base = shared.base(&headers);
    let digest = &shared.named(&name)?.digest;
    let tag = shared.tag(&["query", digest, &name, &base, &language.to_string()]);
    let write = move |shared: &Shared| json(&shared.describe(shared.named(&name)?, language, &base));
    lasting(&shared, &headers, tag, write).await
}

pub async fn data(
    Seen(shared): Seen,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Recorded<Response>, Problem> {
    let parameters = Parameters::parse(query.as_deref());
    let language = shared.language(&parameters)?;
    let format = RowsFormat::parse(parameters.get("outputFormat").unwrap_or(""))
        .map_err(|detail| Problem::parameter("Unsupported output format", detail))?;
    let query = shared.named(&name)?;
    let pairs: Vec<(&str, &str)> =
        parameters.pairs().filter(|(name, _)| !COMMON.iter().any(|common| common.eq_ignore_ascii_case(name))).collect();
    let bound = shared.sql.bind(query, language, &pairs)?;
    let given = bound.given.clone();
    let base = shared.base(&headers);
    let mut pieces = vec!["rows", query.name.as_str(), query.digest.as_str(), format.id(), shared.language_id(language), base.as_str()];
    pieces.extend(given.iter().map(String::as_str));
    let tag = shared.tag(&pieces);
    if edge::is_known(&headers, &tag) {
        return Ok(Recorded::known(Noted::rows(&shared.library, query, &given, &[]), edge::unchanged(&tag)));
    }
    let body = match shared.finished.get(&tag) {
        Some(kept) => kept,
        None => {
            let rows = read_rows(&shared, query, bound).await?;
            let (there, name) = (Arc::clone(&shared), query.name.clone());
            let write = async move {
                rows.try_map(|batches| {
                    let Some(query) = there.sql.query(&name) else { return Ok(Bytes::new()) };
                    let provenance = there.provenance(query, &given, language, &base);
                    format.write(&there.document(query, &given, language, batches), &provenance).map(Bytes::from)
                })
            };
            let written = shared.engine.compute(write).await?;
            shared.finished.put(tag.clone(), &written);
            written
        }
    };
    Ok(body.map(|body| {
        let mut response = edge::whole(format.media_type(), body, &tag);
        edge::call(&mut response, &format!("{}.{}", query.name, format.id()));
        response
    }))
}

fn line<'a>(query: &'a Named, language: usize, id: &str, base: &str) -> QueryLine<'a> {
    QueryLine {
        name: &query.name,
        title: query.title.text(language),
        description: query.description.text(language),
        audience: query.audience.text(language),
        metadata: format!("{base}/queries/{}?lang={id}", query.name),
        data: format!("{base}/queries/{}/data?lang={id}", query.name),
    }
}

/// Changes whenever a query does.
pub fn digests(shared: &Shared) -> String {
    shared.sql.queries().iter().map(|query| format!("{}:{}", query.name, query.digest)).collect::<Vec<_>>().join(" ")
}

impl Shared {
    pub fn named(&self, name: &str) -> Result<&Named, Problem> {
        self.sql.query(name).ok_or_else(|| {
            let there = self.sql.queries().iter().map(|query| query.name.as_str()).collect::<Vec<_>>().join(", ");
            if let Some(problem) = refused(&self.beyond.queries, name, &there) {
                return problem;
            }
            let detail = words::NO_QUERY.with(name.chars().take(60).collect::<String>()).and(words::THERE_IS.with(there));
            Problem::new(StatusCode::NOT_FOUND, "Non-existent query", detail)
        })
    }

    pub fn language_id(&self, language: usize) -> &str {
        self.library.register.languages.get(language).map_or("", |language| language.id.as_str())
    }

    fn describe<'a>(&'a self, query: &'a Named, language: usize, base: &str) -> QueryDocument<'a> {
        let column = |column: &'a crate::sql::ResultColumn| ColumnDocument {
            name: &column.name,
            label: column.label.text(language),
            r#type: column.kind,
            unit: column.unit.as_ref().map(|unit| unit.text(language)),
            status: column.status.as_deref(),
            variable: column.codes.map(|codes| match codes {
                Codes::Dimension(dimension) => self.library.dimensions[dimension].variable.as_str(),
                Codes::Period => TIME,
            }),
        };
        QueryDocument {
            name: &query.name,
            language: self.language_id(language),
            title: query.title.text(language),
            description: query.description.text(language),
            audience: query.audience.text(language),
            notes: query.notes.iter().map(|note| note.text(language)).collect(),
            source: self.library.register.source.text(language),
            parameters: query.parameters.iter().map(|parameter| self.parameter(parameter, language)).collect(),
            columns: query.columns.iter().map(column).collect(),
            output_formats: ROWS_FORMATS,
            data: format!("{base}/queries/{}/data?lang={}", query.name, self.language_id(language)),
        }
    }

    fn parameter<'a>(&'a self, parameter: &'a Parameter, language: usize) -> ParameterDocument<'a> {
        let library = &self.library;
        let mut document = ParameterDocument {
            name: &parameter.name,
            label: parameter.label.text(language),
            r#type: parameter.kind.id(),
            required: parameter.required(),
            default: parameter.default_text(library),
            expected: parameter.expected(library).text(library.tongue(language)),
            from: None,
            to: None,
            values: None,
            variable: None,
            levels: None,
        };
        match &parameter.kind {
            ParameterKind::Text(values) => {
                document.values = (!values.is_empty()).then(|| values.iter().map(String::as_str).collect());
            }
            ParameterKind::Integer(from, to) => (document.from, document.to) = (Some(*from as f64), Some(*to as f64)),
            ParameterKind::Number(from, to) => (document.from, document.to) = (Some(*from), Some(*to)),
            ParameterKind::Period => document.values = Some((0..library.releases.len()).map(|at| library.period(at)).collect()),
            ParameterKind::Code(dimension, levels) => {
                let dimension = &library.dimensions[*dimension];
                document.variable = Some(&dimension.variable);
                document.levels = Some(levels.iter().map(|&level| dimension.levels[usize::from(level)].id.as_str()).collect());
            }
        }
        document
    }

    /// Where a Parquet file of a query's rows comes from.
    fn provenance(&self, query: &Named, given: &[String], language: usize, base: &str) -> Provenance {
        let id = self.language_id(language);
        let address = format!("{base}/{}&lang={id}&outputFormat={}", query.address(given), RowsFormat::Parquet.id());
        let source = self.library.register.source.text(language);
        Provenance::new(address, id.to_owned(), source.to_owned(), self.library.releases.iter())
    }

    pub fn document<'a>(
        &'a self,
        query: &'a Named,
        given: &'a [String],
        language: usize,
        batches: Vec<arrow::array::RecordBatch>,
    ) -> RowsDocument<'a> {
        let column = |column: &'a crate::sql::ResultColumn| ColumnText {
            name: &column.name,
            label: column.label.text(language),
            unit: column.unit.as_ref().map(|unit| unit.text(language)),
            status: column.status.as_deref(),
            kind: column.kind,
        };
        let tongue = self.library.tongue(language);
        let marks = [&words::SUPPRESSED, &words::IMPOSSIBLE, &words::UNAVAILABLE].map(|note| note.text(tongue));
        RowsDocument {
            query: &query.name,
            title: query.title.text(language),
            language: self.language_id(language),
            parameters: query.parameters.iter().zip(given).map(|(parameter, value)| (parameter.name.as_str(), value.as_str())).collect(),
            releases: self.library.releases.iter().map(|release| release.folder.as_str()).collect(),
            source: self.library.register.source.text(language),
            notes: query.notes.iter().map(|note| note.text(language)).chain(marks).collect(),
            columns: query.columns.iter().map(column).collect(),
            batches,
        }
    }
}

impl From<BindError> for Problem {
    fn from(error: BindError) -> Self {
        if let Some(fault) = error.fault {
            return RequestError { fault, detail: error.detail }.into();
        }
        Self::parameter("Illegal parameter", error.detail)
    }
}

impl From<SqlError> for Problem {
    fn from(error: SqlError) -> Self {
        const TOO_LARGE: &str = "Query too large";
        match error {
            SqlError::Failed(error) => error.into(),
            SqlError::NotReading(what) | SqlError::Wrong(what) => Self::parameter("Illegal parameter", words::QUERY_CANNOT.with(what)),
            SqlError::TooLong(time) => Self::new(StatusCode::SERVICE_UNAVAILABLE, TOO_LARGE, words::QUERY_TOO_LONG.with(time.as_secs())),
            SqlError::TooManyBytes(bytes) => Self::parameter(TOO_LARGE, words::QUERY_TOO_MANY_BYTES.with(bytes)),
            SqlError::TooManyRows(rows) => Self::parameter(TOO_LARGE, words::QUERY_TOO_MANY_ROWS.with(rows as u64)),
            SqlError::TooMuchMemory => Self::parameter(TOO_LARGE, &words::QUERY_TOO_MUCH_MEMORY),
            SqlError::Busy => Self::new(StatusCode::SERVICE_UNAVAILABLE, "Busy", &words::BUSY),
        }
    }
}
