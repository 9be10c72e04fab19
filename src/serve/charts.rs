//! Charts: `/charts/{kind}.{svg|png|pdf}` takes what data of tables and of named queries take, and how they are to be drawn.

use std::sync::Arc;

use axum::{
    extract::{Path, RawQuery},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use bytes::Bytes;

use super::{
    Shared, edge,
    metrics::Origin,
    noted::{Noted, Recorded, read_picture, read_rows},
    parameters::Parameters,
    problem::Problem,
    seen::Seen,
};
use crate::{
    charts::{
        self, CHART_KINDS, ChartKind, PICTURE_FORMATS, Picture, PictureFormat, Plan, Rows, Wishes, picture_of_rows, plan, provenance,
    },
    error::{Error, Result as Computed},
    formats::{Context, address},
    tables::{Fault, RequestError},
    words,
};

/// `GET /charts/{kind}.{format}`
pub async fn chart(
    Seen(shared): Seen,
    Path(file): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Recorded<Response>, Problem> {
    let parameters = Parameters::parse(query.as_deref());
    let known = file.rsplit_once('.').and_then(|(kind, format)| Some((ChartKind::parse(kind)?, PictureFormat::parse(format)?)));
    let Some((kind, format)) = known else {
        let there = format!("{} · {}", CHART_KINDS.join(", "), PICTURE_FORMATS.join(", "));
        let detail = words::NO_CHART_KIND.with(file.chars().take(40).collect::<String>()).and(there);
        return Err(Problem::new(StatusCode::NOT_FOUND, "Non-existent chart", detail));
    };
    let wishes = Wishes::parse(|name| parameters.get(name)).map_err(|detail| Problem::parameter("Illegal parameter", detail))?;
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
        edge::call(&mut response, &format!("{name}-{}.{}", self.kind.id(), self.format.ending()));
        response
    }

    /// A text that no two wishes share.
    fn key(&self) -> String {
        format!("{} {} {} {:?}", self.kind.id(), self.format.ending(), self.language, self.wishes)
    }
}

/// A chart of a table.
async fn of_table(shared: &Arc<Shared>, parameters: &Parameters, asked: Asked, headers: &HeaderMap) -> Result<Recorded<Response>, Problem> {
    let table = shared.table(parameters.get("table").unwrap_or(""))?;
    let plan = plan(&shared.library, table, asked.kind, &parameters.request(), &asked.wishes.options)?;
    let tag = tag(shared, &plan, &asked, parameters);
    let cells = plan.query.cells;
    if edge::is_known(headers, &tag) {
        shared.metrics.answer(Origin::Client, cells);
        return Ok(Recorded::known(Noted::query(&shared.library, &plan.query), edge::unchanged(&tag)));
    }
    let context = Context { library: Arc::clone(&shared.library), language: asked.language, base: shared.base(headers) };
    let key = format!("{tag} {}", context.base);
    let body = match shared.finished.get(&key) {
        Some(finished) => {
            shared.metrics.answer(Origin::Finished, cells);
            finished
        }
        None => {
            let needed = plan.query.needed(&shared.library);
            let address = address(&context, &plan.query, "csv")
                .unwrap_or_else(|| format!("{}/tables/{}", context.base, shared.library.tables[table].table.id));
            let own = own_address(shared, parameters, &asked, headers);
            let provenance = provenance(&shared.library, asked.language, own, address, plan.query.releases.iter().copied());
            let (there, wishes, language, format) = (Arc::clone(shared), asked.wishes.clone(), asked.language, asked.format);
            let drawing = Box::pin(async move {
                let scale = wishes.scale;
                match read_picture(there, plan, wishes, language, provenance).await? {
                    Ok(picture) => match picture.try_map(|picture| file(&picture, format, scale)) {
                        Ok(drawn) => Ok(drawn.transpose()),
                        Err(error) => Err(error),
                    },
                    Err(refused) => Ok(Err(refused)),
                }
            });
            let drawn = shared.engine.compute_cells(needed, drawing).await??;
            shared.metrics.answer(Origin::Computed, cells);
            shared.finished.put(key, &drawn);
            drawn
        }
    };
    Ok(body.map(|body| asked.response(&shared.library.tables[table].table.id, body, &tag)))
}

/// A chart of a named query.
async fn of_query(
    shared: &Arc<Shared>,
    name: &str,
    parameters: &Parameters,
    asked: Asked,
    headers: &HeaderMap,
) -> Result<Recorded<Response>, Problem> {
    let query = shared.named(name)?;
    let own = |given: &str| query.parameters.iter().any(|parameter| parameter.name.eq_ignore_ascii_case(given));
    let pairs: Vec<(&str, &str)> = parameters.pairs().filter(|(name, _)| own(name)).collect();
    let bound = shared.sql.bind(query, asked.language, &pairs)?;
    let given = bound.given.clone();
    let wanted = parameters.list("columns");
    let mut pieces = vec!["chart of rows", query.name.as_str(), query.digest.as_str()];
    pieces.extend(given.iter().map(String::as_str));
    pieces.extend(wanted.iter().map(String::as_str));
    let key = asked.key() + &written(parameters);
    pieces.push(&key);
    pieces.push(shared.boundaries.digest());
    let tag = shared.tag(&pieces);
    if edge::is_known(headers, &tag) {
        return Ok(Recorded::known(Noted::rows(&shared.library, query, &given, &[]), edge::unchanged(&tag)));
    }
    let base = shared.base(headers);
    let kept = format!("{tag} {base}");
    let body = match shared.finished.get(&kept) {
        Some(finished) => finished,
        None => {
            let rows = read_rows(shared, query, bound).await?;
            let address = format!("{base}/{}", query.address(&given));
            let own = own_address(shared, parameters, &asked, headers);
            let provenance = provenance(&shared.library, asked.language, own, address, 0..shared.library.releases.len());
            let (there, name, language) = (Arc::clone(shared), query.name.clone(), asked.language);
            let (kind, format, wishes) = (asked.kind, asked.format, asked.wishes.clone());
            let drawing = async move {
                let query = match there.named(&name) {
                    Ok(query) => query,
                    Err(problem) => return Ok(Err(problem)),
                };
                let drawn = rows.try_map(|batches| {
                    let rows =
                        Rows { library: &there.library, query, given: &given, language, batches: &batches, boundaries: &there.boundaries };
                    match picture_of_rows(&rows, kind, &wanted, &wishes, provenance)? {
                        Ok(picture) => file(&picture, format, wishes.scale),
                        Err(refused) => Ok::<_, Error>(Err(RequestError { fault: Fault::Chart, detail: refused }.into())),
                    }
                });
                drawn.map(Recorded::transpose)
            };
            let drawn = shared.engine.compute(drawing).await??;
            shared.finished.put(kept, &drawn);
            drawn
        }
    };
    Ok(body.map(|body| asked.response(&query.name, body, &tag)))
}

/// The file of a picture, if it may be as large.
fn file(picture: &Picture, format: PictureFormat, scale: f64) -> Computed<Result<Bytes, Problem>> {
    match picture.fits(format, scale) {
        Ok(()) => Ok(Ok(picture.write(format, scale)?.into())),
        Err(refused) => Ok(Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "Picture too large", refused))),
    }
}

/// The parameters of an address in one order.
fn written(parameters: &Parameters) -> String {
    charts::in_one_order(parameters.pairs())
}

/// The address of a picture, which stands inside it.
fn own_address(shared: &Shared, parameters: &Parameters, asked: &Asked, headers: &HeaderMap) -> String {
    shared.origin(headers) + &charts::address(asked.kind, asked.format, parameters.pairs())
}

/// Changes with everything that the picture depends on.
fn tag(shared: &Shared, plan: &Plan, asked: &Asked, parameters: &Parameters) -> String {
    let queries = [Some(&plan.query), plan.other.as_ref(), plan.whole.as_ref()];
    let prints: Vec<String> = queries.into_iter().flatten().map(|query| query.fingerprint(&shared.library)).collect();
    shared.tag(&["chart", &prints.join(" "), &asked.key(), &written(parameters), shared.boundaries.digest()])
}
