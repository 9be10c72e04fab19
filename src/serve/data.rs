//! The cells of a table: `tables/{id}/data`.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, RawQuery},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::Bytes;

use super::{
    Shared, accept, edge,
    metrics::Origin,
    noted::{Noted, Recorded, read_cells},
    paced_body::SpooledBody,
    parameters::{Parameters, selection_body},
    problem::Problem,
    request_body::whole_body,
    seen::Seen,
};
use crate::{
    engine::LONG_ANSWER,
    error::{Error, Result as Computed},
    formats::{Context, Document, Format, PIECE},
    storage::Spooled,
    tables::{Answer, Query, Request, resolve},
};

/// Requests of more than so many bytes or codes are taken apart where answers are computed, not where connections are served.
const LONG_BODY: usize = 64 << 10;
pub const MANY_CODES: usize = 1000;

pub async fn get(
    Seen(shared): Seen,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Recorded<Response>, Problem> {
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
) -> Result<Recorded<Response>, Problem> {
    let parameters = Parameters::parse(query.as_deref());
    let request = posted(&shared, body).await?;
    data(&shared, &id, &parameters, &request, &headers).await
}

/// The selection in the body of a POST.
pub(super) async fn posted(shared: &Shared, body: Body) -> Result<Request, Problem> {
    let body = whole_body(body, shared.most_body).await?;
    if body.len() > LONG_BODY {
        return shared.engine.compute(async move { Ok(selection_body(&body)) }).await?;
    }
    selection_body(&body)
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
) -> Result<Recorded<Response>, Problem> {
    let asked = understand(shared, id, parameters, request, headers, shared.most_cells).await?;
    let (named, format, query) = (asked.named, asked.format, asked.query);
    let context = Context { library: Arc::clone(&shared.library), language: asked.language, base: shared.base(headers) };
    let tag = format!("{}-{}-{}", query.fingerprint(&shared.library), format.key(), asked.language);
    let cells = query.cells;
    if edge::is_known(headers, &tag) {
        shared.metrics.answer(Origin::Client, cells);
        return Ok(Recorded::known(Noted::query(&shared.library, &query), varying(edge::unchanged(&tag), named)));
    }
    let key = format!("{tag} {}", context.base);
    let body = match shared.finished.get(&key) {
        Some(finished) => {
            shared.metrics.answer(Origin::Finished, cells);
            finished.map(Written::Whole)
        }
        None => {
            let computed = compute(shared, query, key, move |answer| format.document(context, answer)).await?;
            shared.metrics.answer(Origin::Computed, cells);
            computed
        }
    };
    let file = format!("{}.{}", shared.library.tables[asked.table].table.id, format.ending());
    Ok(body.map(|body| {
        let mut response = body.response(format.media_type(), &tag);
        edge::call(&mut response, &file);
        varying(response, named)
    }))
}

/// An answer that was written down.
pub enum Written {
    /// In memory, where it may be kept for others.
    Whole(Bytes),
    /// Where it waits to be sent.
    Spooled(Spooled),
}

impl Written {
    /// The answer as a response.
    pub fn response(self, media: &'static str, tag: &str) -> Response {
        match self {
            Self::Whole(body) => edge::whole(media, body, tag),
            Self::Spooled(document) => {
                let mut response = edge::whole(media, Body::new(SpooledBody::from(document)), tag);
                response.extensions_mut().insert(edge::IsSpooled);
                response
            }
        }
    }
}

/// Says that an answer depends on what the client accepts, unless the address names its format.
fn varying(mut response: Response, named: bool) -> Response {
    if !named {
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    }
    response
}

/// Answers a query and writes it down. Short answers are kept under a key; long ones wait on disk until their clients have taken them, and
/// nobody waits with the cells in memory.
pub async fn compute(
    shared: &Arc<Shared>,
    query: Query,
    key: String,
    document: impl FnOnce(Arc<Answer>) -> Computed<Box<dyn Document>> + Send + 'static,
) -> Result<Recorded<Written>, Problem> {
    let (cells, needed) = (query.cells, query.needed(&shared.library));
    let answer = read_cells(Arc::clone(shared), query);
    if cells > LONG_ANSWER {
        let mut writer = shared.engine.spool().write();
        let written = async move {
            let document = answer.await?.try_map(|answer| Ok::<_, Error>(((), document(answer)?)))?;
            let written = write_in_pieces(document, |piece| writer.push(piece)).await?;
            Ok(written.map(|()| Written::Spooled(writer.finish())))
        };
        return Ok(shared.engine.compute_cells(needed, written).await?);
    }
    let finished = async move { answer.await?.try_map(|answer| finish(&mut *document(answer)?)) };
    let finished = shared.engine.compute_cells(needed, finished).await?;
    shared.finished.put(key, &finished);
    Ok(finished.map(Written::Whole))
}

/// Writes a document a piece at a time, and gives back what came with it. Between two pieces short answers have their turn, and whoever has gone
/// is noticed.
pub(super) async fn write_in_pieces<T>(
    document: Recorded<(T, Box<dyn Document>)>,
    mut take: impl FnMut(&[u8]) -> Computed<()>,
) -> Computed<Recorded<T>> {
    let (mut document, mut piece, mut goes_on) = (document, Vec::with_capacity(2 * PIECE), true);
    while goes_on {
        document = document.try_map(|(kept, mut document)| {
            goes_on = document.fill(&mut piece)?;
            Ok::<_, Error>((kept, document))
        })?;
        take(&piece)?;
        piece.clear();
        tokio::task::yield_now().await;
    }
    Ok(document.map(|(kept, _)| kept))
}

fn finish(document: &mut dyn Document) -> Computed<Bytes> {
    let mut whole = Vec::with_capacity(16 << 10);
    while document.fill(&mut whole)? {}
    whole.shrink_to_fit();
    Ok(whole.into())
}
