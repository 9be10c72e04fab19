//! Charts: `/charts/{kind}.{svg|png|pdf}` takes what data take, and what is to be drawn of it.

use std::sync::Arc;

use axum::{
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::Bytes;

use super::{Shared, data::room, edge, metrics::Origin, parameters::Parameters, problem::Problem};
use crate::{
    charts::{CHART_KINDS, ChartKind, PICTURE_FORMATS, PictureFormat, Plan, Provenance, Wishes, picture, plan},
    formats::{Context, address},
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
    let language = shared.language(&parameters)?;
    let table = shared.table(parameters.get("table").unwrap_or(""))?;
    let wishes = Wishes::parse(|name| parameters.get(name)).map_err(|detail| Problem::parameter("Illegal parameter", detail))?;
    let pixels = wishes.width * wishes.height.unwrap_or(wishes.width) * wishes.scale * wishes.scale;
    if format == PictureFormat::Png && pixels > MOST_PIXELS {
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "Picture too large", words::TOO_MANY_PIXELS.with(MOST_PIXELS as u64)));
    }
    let plan = plan(&shared.library, table, kind, &parameters.request(), &wishes.options)?;
    let tag = tag(&shared, &plan, format, &wishes, language);
    if edge::is_known(&headers, &tag) {
        shared.metrics.answer(Origin::Client, plan.query.cells);
        return Ok(edge::unchanged(&tag));
    }
    let context = Context { library: Arc::clone(&shared.library), language, base: shared.base(&headers) };
    let key = format!("{tag} {}", context.base);
    let cells = plan.query.cells;
    let body = match shared.finished.get(&key) {
        Some(finished) => {
            shared.metrics.answer(Origin::Finished, cells);
            finished
        }
        None => {
            let admission = room(&shared, &plan.query)?;
            let provenance = provenance(&context, &plan);
            let there = Arc::clone(&shared);
            let drawn = shared
                .engine
                .compute(async move {
                    let (library, engine) = (Arc::clone(&there.library), Arc::clone(&there.engine));
                    let scale = wishes.scale;
                    let boundaries = Arc::clone(&there.boundaries);
                    let drawn = picture(library, engine, plan, wishes, language, boundaries, provenance).await?;
                    Ok(match drawn {
                        Ok(picture) => Ok(Bytes::from(picture.write(format, scale)?)),
                        Err(refused) => Err(refused),
                    })
                })
                .await??;
            drop(admission);
            shared.metrics.answer(Origin::Computed, cells);
            shared.finished.put(key, drawn.clone());
            drawn
        }
    };
    let mut response = edge::whole(format.media_type(), body, &tag);
    let name = format!("inline; filename=\"{}-{}.{}\"", shared.library.tables[table].table.id, kind.id(), format.ending());
    if let Ok(name) = HeaderValue::from_str(&name) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// Changes with everything that the picture depends on.
fn tag(shared: &Shared, plan: &Plan, format: PictureFormat, wishes: &Wishes, language: usize) -> String {
    let library = &shared.library;
    let queries = [Some(&plan.query), plan.other.as_ref(), plan.wholes.as_ref().map(|(whole, _)| whole)];
    let prints: Vec<String> = queries.into_iter().flatten().map(|query| query.fingerprint(library)).collect();
    let wishes = format!("{wishes:?}");
    shared.tag(&["chart", plan.kind.id(), format.ending(), &prints.join(" "), &wishes, &language.to_string(), shared.boundaries.digest()])
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
