//! How large an answer would be: `tables/{id}/estimate` takes what `tables/{id}/data` takes, and tells cells, withheld cells and bytes.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, RawQuery},
    http::HeaderMap,
    response::Response,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Shared,
    data::{Asked, posted, understand, write_in_pieces},
    noted::{Recorded, read_cells},
    parameters::Parameters,
    problem::Problem,
    px,
    seen::Seen,
};
use crate::{
    error::Error,
    formats::Context,
    tables::{CellStatus, Request},
};

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Estimate<'a> {
    table_id: &'a str,
    output_format: &'static str,
    cells: u64,
    max_data_cells: u64,
    /// Whether one answer may hold them; if not, nothing more is known.
    fits: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    suppressed_cells: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    impossible_cells: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unavailable_cells: Option<u64>,
    /// Bytes of the answer before compression.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
}

pub async fn get(
    Seen(shared): Seen,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Recorded<Response>, Problem> {
    let parameters = Parameters::parse(query.as_deref());
    estimate(&shared, &id, &parameters, &parameters.request(), &headers).await
}

pub async fn post(
    Seen(shared): Seen,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Recorded<Response>, Problem> {
    let request = posted(&shared, body).await?;
    estimate(&shared, &id, &Parameters::parse(query.as_deref()), &request, &headers).await
}

async fn estimate(
    shared: &Arc<Shared>,
    id: &str,
    parameters: &Parameters,
    request: &Request,
    headers: &HeaderMap,
) -> Result<Recorded<Response>, Problem> {
    let Asked { table, language, format, query, .. } = understand(shared, id, parameters, request, headers, u64::MAX).await?;
    let fits = query.cells <= shared.most_cells;
    let mut estimate = Estimate {
        table_id: &shared.library.tables[table].table.id,
        output_format: format.name(),
        cells: query.cells,
        max_data_cells: shared.most_cells,
        fits,
        suppressed_cells: None,
        impossible_cells: None,
        unavailable_cells: None,
        bytes: None,
    };
    if fits {
        let needed = query.needed(&shared.library);
        let context = Context { library: Arc::clone(&shared.library), language, base: shared.base(headers) };
        let answer = read_cells(Arc::clone(shared), query);
        let counted = async move {
            let document = answer.await?.try_map(|answer| {
                let counts = [CellStatus::Suppressed, CellStatus::Impossible, CellStatus::Unavailable].map(|status| answer.count(status));
                Ok::<_, Error>((counts, format.document(context, answer)?))
            })?;
            // Written as it would be, a piece at a time, and thrown away: nothing else knows the length.
            let mut bytes = 0;
            let counts = write_in_pieces(document, |piece| {
                bytes += piece.len() as u64;
                Ok(())
            });
            Ok(counts.await?.map(|counts| (counts, bytes)))
        };
        let counted = shared.engine.compute_cells(needed, counted).await?;
        return counted.try_map(|([suppressed, impossible, unavailable], bytes)| {
            estimate.suppressed_cells = Some(suppressed);
            estimate.impossible_cells = Some(impossible);
            estimate.unavailable_cells = Some(unavailable);
            estimate.bytes = Some(bytes);
            px::fresh(&estimate)
        });
    }
    px::fresh(&estimate).map(Recorded::without_cells)
}
