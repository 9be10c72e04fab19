//! Charts: a query becomes a picture.
//!
//! ```text
//! selection ── plan ──> queries ── tables::answer ──> answers ── figure ──> texts, numbers ── draw (plotters) ──> SVG ──> PNG, PDF
//! ```
//!
//! Every picture is drawn once, as SVG; PNG and PDF are made from that drawing, so that all three look the same. A number that
//! is withheld is a hatched mark of constant size: nothing about a picture depends on it.

mod boundaries;
mod draw;
mod figure;
mod ground;
mod options;
mod picture;
mod plan;
mod ranking;
mod rows;
mod suit;
mod telling;

pub use boundaries::{Boundaries, Matched};
pub use draw::theme::THEMES;
pub use options::{CLASSES, STACKINGS, Wishes};
pub use picture::{PICTURE_FORMATS, Picture, PictureFormat, WEB_REGULAR, WEB_SEMI_BOLD, address, in_one_order, provenance};
pub use plan::{CHART_KINDS, ChartKind, ChartOptions, Plan, has_pyramid, plan};
pub use rows::{Rows, kinds_of_rows, numbers, suits_rows};
pub use suit::suited;

use std::sync::Arc;

use draw::Drawn;
use figure::{Answers, draw};
pub use ground::has_ground;
use telling::source_line;

use crate::{
    engine::ServingEngine,
    error::Result,
    release::Provenance,
    tables::{Answer, CellStatus, Library, Query, RequestError, answer},
    words::Message,
};

impl Picture {
    fn of(drawn: Drawn, provenance: Provenance, suppressed: u64) -> Self {
        Self { drawn: drawn.document, size: drawn.size, title: drawn.title, description: drawn.description, provenance, suppressed }
    }
}

/// The line that says where the numbers of all releases come from.
pub fn figure_source(library: &Library, language: usize) -> String {
    source_line(library, language, 0..library.releases.len())
}

/// Draws rows; `wanted` names the columns whose numbers are drawn.
///
/// # Errors
/// Where rows cannot be read; the inner error where they do not suit the chart.
pub fn picture_of_rows(
    rows: &Rows<'_>,
    kind: ChartKind,
    wanted: &[String],
    wishes: &Wishes,
    provenance: Provenance,
) -> Result<Result<Picture, Message>> {
    Ok(rows.draw(kind, wanted, wishes)?.map(|drawn| Picture::of(drawn, provenance, 0)))
}

/// Draws what a plan asks for. Run it with [`ServingEngine::compute`].
///
/// # Errors
/// Where cells cannot be read; the inner error where the numbers do not suit the chart.
pub async fn picture(
    library: Arc<Library>,
    engine: Arc<ServingEngine>,
    plan: Plan,
    wishes: Wishes,
    language: usize,
    boundaries: Arc<Boundaries>,
    provenance: Provenance,
) -> Result<Result<Picture, RequestError>> {
    let ask = async |query: Option<&Query>| -> Result<Option<Arc<Answer>>> {
        let Some(query) = query else { return Ok(None) };
        Ok(Some(Arc::new(answer(Arc::clone(&library), Arc::clone(&engine), query.clone()).await?)))
    };
    let answers = Answers {
        main: Arc::new(answer(Arc::clone(&library), Arc::clone(&engine), plan.query.clone()).await?),
        other: ask(plan.other.as_ref()).await?,
        whole: ask(plan.whole.as_ref()).await?,
        other_whole: ask(plan.other_whole.as_ref()).await?,
    };
    let style = wishes.style(library.tongue(language));
    let drawn = draw(&library, &plan, &answers, &wishes.options, language, style, &boundaries);
    let suppressed = answers.main.count(CellStatus::Suppressed);
    Ok(drawn.map(|drawn| Picture::of(drawn, provenance, suppressed)))
}
