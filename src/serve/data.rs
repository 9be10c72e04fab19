//! The cells of a table: `tables/{id}/data`.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use futures::{StreamExt, stream};

use super::{
    Shared, edge,
    parameters::{Parameters, selection_body},
    problem::Problem,
};
use crate::{
    formats::{Context, Document, Format},
    tables::{Answer, Query, Request, answer, resolve},
    words,
};

/// Answers of up to this many cells are finished before they are sent, and may be kept; larger ones stream.
const FINISHED_AT_ONCE: u64 = 65_536;

/// Requests of more than so many bytes or codes are taken apart where answers are computed, not where connections are served.
const LONG_BODY: usize = 64 << 10;
pub const MANY_CODES: usize = 1000;

/// A body beyond the limit is read up to so many times the limit and thrown away, so that its sender hears why.
const HEARD_OUT: usize = 8;

pub async fn get(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let parameters = Parameters::parse(query.as_deref());
    let request = parameters.request();
    data(&shared, &id, &parameters, &request, &headers).await
}

pub async fn post(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let body = read(body, shared.most_body).await?;
    let parameters = Parameters::parse(query.as_deref());
    let request = if body.len() > LONG_BODY {
        shared.engine.compute(async move { Ok(selection_body(&body)) }).await??
    } else {
        selection_body(&body)?
    };
    data(&shared, &id, &parameters, &request, &headers).await
}

async fn read(body: Body, most: usize) -> Result<Vec<u8>, Problem> {
    let mut pieces = body.into_data_stream();
    let mut read = Vec::new();
    let mut total = 0usize;
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| Problem::parameter("Illegal request body", words::BODY_BREAKS_OFF.with(error.to_string())))?;
        total = total.saturating_add(piece.len());
        if total <= most {
            read.extend_from_slice(&piece);
        } else if total > most.saturating_mul(HEARD_OUT) {
            break;
        }
    }
    if total > most {
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "Request body too large", words::BODY_TOO_LONG.with(most as u64)));
    }
    Ok(read)
}

async fn data(
    shared: &Arc<Shared>,
    id: &str,
    parameters: &Parameters,
    request: &Request,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let table = shared.table(id)?;
    let language = shared.language(parameters)?;
    let format = Format::parse(parameters.get("outputFormat").unwrap_or(""), &parameters.list("outputFormatParams"))
        .map_err(|detail| Problem::parameter("Unsupported output format", detail))?;
    let query = if request.selections.iter().map(|selection| selection.values.len()).sum::<usize>() > MANY_CODES {
        let (shared_there, request) = (Arc::clone(shared), request.clone());
        let resolved = async move { Ok(resolve(&shared_there.library, table, &request, shared_there.most_cells)) };
        shared.engine.compute(resolved).await??
    } else {
        resolve(&shared.library, table, request, shared.most_cells)?
    };
    let context = Context { library: Arc::clone(&shared.library), language, base: shared.base(headers) };
    let tag = format!("{}-{}-{language}", query.fingerprint(&shared.library), format.key());
    if edge::is_known(headers, &tag) {
        return Ok(edge::unchanged(&tag));
    }
    let key = format!("{tag} {}", context.base);
    let body = match shared.finished.get(&key) {
        Some(finished) => Body::from(finished),
        None => compute(shared, query, key, move |answer| format.document(context, answer)).await?,
    };
    let mut response = edge::whole(format.media_type(), body, &tag);
    let name = format!("inline; filename=\"{}.{}\"", shared.library.tables[table].table.id, format.ending());
    if let Ok(name) = HeaderValue::from_str(&name) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// Answers a query and writes it down, at once or piece by piece; what is finished at once is kept under a key.
pub async fn compute(
    shared: &Arc<Shared>,
    query: Query,
    key: String,
    document: impl FnOnce(Arc<Answer>) -> Box<dyn Document> + Send + 'static,
) -> Result<Body, Problem> {
    let Some(admission) = shared.engine.admit(query.cells) else {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "Busy", &words::BUSY));
    };
    let cells = query.cells;
    let answer = answer(Arc::clone(&shared.library), Arc::clone(&shared.engine), query);
    if cells > FINISHED_AT_ONCE {
        let answer = Arc::new(shared.engine.compute(answer).await?);
        let mut document = Some(document(answer));
        let pieces = shared.engine.produce(move || {
            let mut piece = Vec::new();
            if !document.as_mut()?.fill(&mut piece) {
                document = None;
            }
            Some(Bytes::from(piece))
        })?;
        // The admission lives as long as the stream, and with it the numbers.
        let stream = stream::unfold((pieces, admission), |(mut pieces, admission)| async move {
            let piece = pieces.recv().await?;
            Some((Ok::<_, std::convert::Infallible>(piece), (pieces, admission)))
        });
        return Ok(Body::from_stream(stream));
    }
    let finished = shared
        .engine
        .compute(async move {
            let mut document = document(Arc::new(answer.await?));
            Ok(finish(&mut *document))
        })
        .await?;
    shared.finished.put(key, finished.clone());
    Ok(Body::from(finished))
}

fn finish(document: &mut dyn Document) -> Bytes {
    let mut whole = Vec::with_capacity(16 << 10);
    while document.fill(&mut whole) {}
    whole.shrink_to_fit();
    whole.into()
}
