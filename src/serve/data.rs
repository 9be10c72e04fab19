//! The cells of a table: `tables/{id}/data`.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, RawQuery},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use futures::{StreamExt, stream};

use super::{
    Shared, accept, edge,
    metrics::Origin,
    noted::{self, Noted},
    parameters::{Parameters, selection_body},
    problem::Problem,
    seen::Seen,
};
use crate::{
    engine::Admission,
    error::Result as Computed,
    formats::{Context, Document, Format},
    tables::{Answer, CellStatus, Query, Request, answer, resolve},
    words,
};

/// Answers of up to this many cells are finished before they are sent, and may be kept; larger ones stream.
const FINISHED_AT_ONCE: u64 = 65_536;

/// Requests of more than so many bytes or codes are taken apart where answers are computed, not where connections are served.
const LONG_BODY: usize = 64 << 10;
pub const MANY_CODES: usize = 1000;

/// A body beyond the limit is read up to so many times the limit and thrown away, so that its sender hears why.
const HEARD_OUT: usize = 8;

pub async fn get(Seen(shared): Seen, Path(id): Path<String>, RawQuery(query): RawQuery, headers: HeaderMap) -> Result<Response, Problem> {
    let parameters = Parameters::parse(query.as_deref());
    let request = parameters.request();
    data(&shared, &id, &parameters, &request, &headers).await
}

pub async fn post(
    Seen(shared): Seen,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let parameters = Parameters::parse(query.as_deref());
    let request = posted(&shared, body).await?;
    data(&shared, &id, &parameters, &request, &headers).await
}

/// The selection in the body of a POST.
pub(super) async fn posted(shared: &Shared, body: Body) -> Result<Request, Problem> {
    let body = read(body, shared.most_body).await?;
    if body.len() > LONG_BODY {
        return shared.engine.compute(async move { Ok(selection_body(&body)) }).await?;
    }
    selection_body(&body)
}

/// Room for the answer to a query, or the advice to come again.
pub(super) fn room(shared: &Shared, query: &Query) -> Result<Admission, Problem> {
    shared.engine.admit(query.needed(&shared.library)).ok_or_else(|| {
        shared.metrics.refuse("cells");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "Busy", &words::BUSY)
    })
}

/// A whole body of no more than so many bytes.
pub(super) async fn read(body: Body, most: usize) -> Result<Vec<u8>, Problem> {
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

/// What a request for cells means.
pub(super) struct Asked {
    pub table: usize,
    /// Position of the language.
    pub language: usize,
    pub format: Format,
    /// Whether the address names the format.
    pub named: bool,
    pub query: Query,
}

/// Works out what a request for up to so many cells means, without reading one.
pub(super) async fn understand(
    shared: &Arc<Shared>,
    id: &str,
    parameters: &Parameters,
    request: &Request,
    headers: &HeaderMap,
    most: u64,
) -> Result<Asked, Problem> {
    let table = shared.table(id)?;
    let language = shared.language(parameters)?;
    let named = parameters.get("outputFormat").filter(|name| !name.is_empty());
    let name = match named {
        Some(name) => name,
        None => accept::preferred(headers)?,
    };
    let format = Format::parse(name, &parameters.list("outputFormatParams"))
        .map_err(|detail| Problem::parameter("Unsupported output format", detail))?;
    let query = if request.selections.iter().map(|selection| selection.values.len()).sum::<usize>() > MANY_CODES {
        let (shared_there, request) = (Arc::clone(shared), request.clone());
        let resolved = async move { Ok(resolve(&shared_there.library, table, &request, most)) };
        shared.engine.compute(resolved).await??
    } else {
        resolve(&shared.library, table, request, most)?
    };
    format.fits(&query).map_err(|detail| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "Too large for the format", detail))?;
    Ok(Asked { table, language, format, named: named.is_some(), query })
}

/// Answers a request for cells.
pub(super) async fn data(
    shared: &Arc<Shared>,
    id: &str,
    parameters: &Parameters,
    request: &Request,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let asked = understand(shared, id, parameters, request, headers, shared.most_cells).await?;
    let (named, format, query) = (asked.named, asked.format, asked.query);
    let context = Context { library: Arc::clone(&shared.library), language: asked.language, base: shared.base(headers) };
    let tag = format!("{}-{}-{}", query.fingerprint(&shared.library), format.key(), asked.language);
    let cells = query.cells;
    if edge::is_known(headers, &tag) {
        shared.metrics.answer(Origin::Client, cells);
        noted::note(&Noted::query(&shared.library, &query));
        return Ok(varying(edge::unchanged(&tag), named));
    }
    let key = format!("{tag} {}", context.base);
    let body = match shared.finished.get(&key) {
        Some(finished) => {
            shared.metrics.answer(Origin::Finished, cells);
            Body::from(finished)
        }
        None => {
            let computed = compute(shared, query, key, move |answer| format.document(context, answer)).await?;
            shared.metrics.answer(Origin::Computed, cells);
            computed
        }
    };
    let mut response = edge::whole(format.media_type(), body, &tag);
    edge::call(&mut response, &format!("{}.{}", shared.library.tables[asked.table].table.id, format.ending()));
    Ok(varying(response, named))
}

/// Says that an answer depends on what the client accepts, unless the address names its format.
fn varying(mut response: Response, named: bool) -> Response {
    if !named {
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    }
    response
}

/// Answers a query and writes it down, at once or piece by piece; what is finished at once is kept under a key.
pub async fn compute(
    shared: &Arc<Shared>,
    query: Query,
    key: String,
    document: impl FnOnce(Arc<Answer>) -> Computed<Box<dyn Document>> + Send + 'static,
) -> Result<Body, Problem> {
    let admission = room(shared, &query)?;
    let cells = query.cells;
    let mut noted = Noted::query(&shared.library, &query);
    let answer = answer(Arc::clone(&shared.library), Arc::clone(&shared.engine), query);
    if cells > FINISHED_AT_ONCE {
        let begun = async move {
            let answer = Arc::new(answer.await?);
            Ok((answer.count(CellStatus::Suppressed), document(answer)?))
        };
        let (suppressed, begun) = shared.engine.compute(begun).await?;
        noted.suppressed = suppressed;
        noted::note(&noted);
        let mut document = Some(begun);
        let pieces = shared.engine.produce(move || {
            let mut piece = Vec::new();
            match document.as_mut()?.fill(&mut piece) {
                Ok(true) => {}
                Ok(false) => document = None,
                Err(error) => {
                    document = None;
                    return Some(Err(error));
                }
            }
            Some(Ok(Bytes::from(piece)))
        })?;
        // The admission lives as long as the stream, and with it the numbers. A stream that fails breaks off the connection, so
        // that nobody takes a part for the whole.
        let stream = stream::unfold((pieces, admission), |(mut pieces, admission)| async move {
            let piece = pieces.recv().await?;
            if let Err(error) = &piece {
                tracing::error!(%error, "an answer broke off");
            }
            Some((piece, (pieces, admission)))
        });
        return Ok(Body::from_stream(stream.fuse()));
    }
    let (suppressed, finished) = shared
        .engine
        .compute(async move {
            let answer = Arc::new(answer.await?);
            let suppressed = answer.count(CellStatus::Suppressed);
            let mut document = document(answer)?;
            Ok((suppressed, finish(&mut *document)?))
        })
        .await?;
    noted.suppressed = suppressed;
    noted::note(&noted);
    shared.finished.put(key, finished.clone(), noted);
    Ok(Body::from(finished))
}

fn finish(document: &mut dyn Document) -> Computed<Bytes> {
    let mut whole = Vec::with_capacity(16 << 10);
    while document.fill(&mut whole)? {}
    whole.shrink_to_fit();
    Ok(whole.into())
}
