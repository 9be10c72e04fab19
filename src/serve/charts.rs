//! Charts: `/charts/{kind}.{svg|png|pdf}` takes what data of tables and of named queries take, and how they are to be drawn.

use std::sync::Arc;

use arrow::array::RecordBatch;
use axum::{
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use url::form_urlencoded;

use super::{Shared, data::room, edge, metrics::Origin, parameters::Parameters, problem::Problem};
use crate::{
    charts::{
        CHART_KINDS, ChartKind, PICTURE_FORMATS, PictureFormat, Plan, Provenance, RowColumn, Rows, Wishes, picture, picture_of_rows, plan,
    },
    formats::{Context, address},
    sql::{Named, ResultColumn},
    words,
};

/// Pixels of one picture, at most.
const MOST_PIXELS: f64 = 40e6;

/// `GET /charts/{kind}.{format}`
pub async fn chart(
    State(shared): State<Arc<Shared>>,
    Path(file): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let parameters = Parameters::parse(query.as_deref());
    let known = file.rsplit_once('.').and_then(|(kind, format)| Some((ChartKind::parse(kind)?, PictureFormat::parse(format)?)));
    let Some((kind, format)) = known else {
        let there = format!("{} · {}", CHART_KINDS.join(", "), PICTURE_FORMATS.join(", "));
        let detail = words::NO_CHART_KIND.with(file.chars().take(40).collect::<String>()).and(there);
        return Err(Problem::new(StatusCode::NOT_FOUND, "Non-existent chart", detail));
    };
    let wishes = Wishes::parse(|name| parameters.get(name)).map_err(|detail| Problem::parameter("Illegal parameter", detail))?;
    let pixels = wishes.width * wishes.height.unwrap_or(wishes.width) * wishes.scale * wishes.scale;
    if format == PictureFormat::Png && pixels > MOST_PIXELS {
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "Picture too large", words::TOO_MANY_PIXELS.with(MOST_PIXELS as u64)));
    }
    let asked = Asked { kind, format, language: shared.language(&parameters)?, wishes };
    match parameters.get("query").filter(|name| !name.is_empty()) {
        Some(name) => of_query(&shared, name, &parameters, asked, &headers).await,
        None => of_table(&shared, &parameters, asked, &headers).await,
    }
}

/// What is to be drawn, and how.
struct Asked {
    kind: ChartKind,
    format: PictureFormat,
    language: usize,
    wishes: Wishes,
}

impl Asked {
    /// The answer that holds a picture.
    fn response(&self, name: &str, body: Bytes, tag: &str) -> Response {
        let mut response = edge::whole(self.format.media_type(), body, tag);
        let name = format!("inline; filename=\"{name}-{}.{}\"", self.kind.id(), self.format.ending());
        if let Ok(name) = HeaderValue::from_str(&name) {
            response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
        }
        response
    }

    /// A text that no two wishes share.
    fn key(&self) -> String {
        format!("{} {} {} {:?}", self.kind.id(), self.format.ending(), self.language, self.wishes)
    }
}

/// A chart of a table.
async fn of_table(shared: &Arc<Shared>, parameters: &Parameters, asked: Asked, headers: &HeaderMap) -> Result<Response, Problem> {
    let table = shared.table(parameters.get("table").unwrap_or(""))?;
    let plan = plan(&shared.library, table, asked.kind, &parameters.request(), &asked.wishes.options)?;
    let tag = tag(shared, &plan, &asked);
    let cells = plan.query.cells;
    if edge::is_known(headers, &tag) {
        shared.metrics.answer(Origin::Client, cells);
        return Ok(edge::unchanged(&tag));
    }
    let context = Context { library: Arc::clone(&shared.library), language: asked.language, base: shared.base(headers) };
    let key = format!("{tag} {}", context.base);
    let body = match shared.finished.get(&key) {
        Some(finished) => {
            shared.metrics.answer(Origin::Finished, cells);
            finished
        }
        None => {
            let admission = room(shared, &plan.query)?;
            let provenance = provenance(&context, &plan);
            let (there, wishes, language, format) = (Arc::clone(shared), asked.wishes.clone(), asked.language, asked.format);
            let drawing = async move {
                let (library, engine) = (Arc::clone(&there.library), Arc::clone(&there.engine));
                let scale = wishes.scale;
                let drawn = picture(library, engine, plan, wishes, language, Arc::clone(&there.boundaries), provenance).await?;
                Ok(match drawn {
                    Ok(picture) => Ok(Bytes::from(picture.write(format, scale)?)),
                    Err(refused) => Err(refused),
                })
            };
            let drawn = shared.engine.compute(drawing).await??;
            drop(admission);
            shared.metrics.answer(Origin::Computed, cells);
            shared.finished.put(key, drawn.clone());
            drawn
        }
    };
    Ok(asked.response(&shared.library.tables[table].table.id, body, &tag))
}

/// A chart of a named query.
async fn of_query(
    shared: &Arc<Shared>,
    name: &str,
    parameters: &Parameters,
    asked: Asked,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let query = shared.named(name)?;
    let own = |given: &str| query.parameters.iter().any(|parameter| parameter.name.eq_ignore_ascii_case(given));
    let pairs: Vec<(&str, &str)> = parameters.pairs().filter(|(name, _)| own(name)).collect();
    let bound = shared.sql.bind(query, asked.language, &pairs)?;
    let given = bound.given.clone();
    let wanted = parameters.list("columns");
    let mut pieces = vec!["chart of rows", query.name.as_str(), query.digest.as_str()];
    pieces.extend(given.iter().map(String::as_str));
    pieces.extend(wanted.iter().map(String::as_str));
    let key = asked.key();
    pieces.push(&key);
    let tag = shared.tag(&pieces);
    if edge::is_known(headers, &tag) {
        return Ok(edge::unchanged(&tag));
    }
    let body = match shared.finished.get(&tag) {
        Some(finished) => finished,
        None => {
            let (_, batches) = shared.sql.run(bound).await?.collect().await?;
            let provenance = Provenance {
                query: format!("{}/queries/{}/data?{}", shared.base(headers), query.name, encoded(query, &given)),
                releases: shared.library.releases.iter().map(|release| (release.folder.clone(), release.sha256.clone())).collect(),
                language: shared.language_id(asked.language).to_owned(),
                source: shared.library.register.source.text(asked.language).to_owned(),
            };
            let rows = rows(shared, query, &given, asked.language, batches);
            let (kind, format, wishes) = (asked.kind, asked.format, asked.wishes.clone());
            let tongue = shared.library.tongue(asked.language);
            let drawing = async move {
                Ok(match picture_of_rows(&rows, kind, &wanted, &wishes, tongue, provenance)? {
                    Ok(picture) => Ok(Bytes::from(picture.write(format, wishes.scale)?)),
                    Err(refused) => Err(Problem::parameter("Illegal chart", refused)),
                })
            };
            let drawn = shared.engine.compute(drawing).await??;
            shared.finished.put(tag.clone(), drawn.clone());
            drawn
        }
    };
    Ok(asked.response(&query.name, body, &tag))
}

/// What a query was given, as it stands in an address.
fn encoded(query: &Named, given: &[String]) -> String {
    let pairs = query.parameters.iter().map(|parameter| parameter.name.as_str()).zip(given.iter().map(String::as_str));
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// The rows of a query with what is said of them.
fn rows(shared: &Shared, query: &Named, given: &[String], language: usize, batches: Vec<RecordBatch>) -> Rows {
    let library = &shared.library;
    let tongue = library.tongue(language);
    let column = |column: &ResultColumn| RowColumn {
        name: column.name.clone(),
        label: column.label.text(language).to_owned(),
        unit: column.unit.as_ref().map(|unit| unit.text(language).to_owned()),
        status: column.status.clone(),
        kind: column.kind,
    };
    let chosen = query.parameters.iter().zip(given).map(|(parameter, value)| format!("{}: {value}", parameter.label.text(language)));
    let releases: Vec<&str> = library.releases.iter().map(|release| release.folder.as_str()).collect();
    Rows {
        title: query.title.text(language).to_owned(),
        subtitle: chosen.collect::<Vec<_>>().join(" · "),
        notes: query.notes.iter().map(|note| note.text(language).to_owned()).collect(),
        source: format!(
            "{}: {} · {}: {}",
            words::SOURCE.text(tongue),
            library.register.source.text(language),
            words::RELEASES.text(tongue),
            releases.join(", ")
        ),
        columns: query.columns.iter().map(column).collect(),
        batches,
    }
}

/// Changes with everything that the picture depends on.
fn tag(shared: &Shared, plan: &Plan, asked: &Asked) -> String {
    let queries = [Some(&plan.query), plan.other.as_ref(), plan.wholes.as_ref().map(|(whole, _)| whole)];
    let prints: Vec<String> = queries.into_iter().flatten().map(|query| query.fingerprint(&shared.library)).collect();
    shared.tag(&["chart", &prints.join(" "), &asked.key(), shared.boundaries.digest()])
}

/// Where the picture comes from.
fn provenance(context: &Context, plan: &Plan) -> Provenance {
    let library = &context.library;
    let release = |&at: &usize| (library.releases[at].folder.clone(), library.releases[at].sha256.clone());
    Provenance {
        query: address(context, &plan.query, "csv")
            .unwrap_or_else(|| format!("{}/tables/{}", context.base, library.tables[plan.query.table].table.id)),
        releases: plan.query.releases.iter().map(release).collect(),
        language: library.register.languages.get(context.language).map_or_else(String::new, |language| language.id.clone()),
        source: library.register.source.text(context.language).to_owned(),
    }
}
