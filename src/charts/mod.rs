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
mod options;
mod picture;
mod plan;
mod rows;

pub use boundaries::{Boundaries, Matched};
pub use draw::theme::THEMES;
pub use options::{CLASSES, STACKINGS, Wishes};
pub use picture::{PICTURE_FORMATS, Picture, PictureFormat, Provenance};
pub use plan::{CHART_KINDS, ChartKind, ChartOptions, Plan, plan};
pub use rows::{RowColumn, Rows};

use std::sync::Arc;

use figure::{Answers, Drawn, draw};

use crate::{
    engine::ServingEngine,
    error::Result,
    tables::{Answer, Library, Query, RequestError, answer},
    words::{Message, Tongue},
};

/// Draws rows; `wanted` names the columns whose numbers are drawn.
///
/// # Errors
/// Where rows cannot be read; the inner error where they do not suit the chart.
pub fn picture_of_rows(
    rows: &Rows,
    kind: ChartKind,
    wanted: &[String],
    wishes: &Wishes,
    tongue: Tongue,
    provenance: Provenance,
) -> Result<Result<Picture, Message>> {
    let drawn = rows::draw_rows(rows, kind, wanted, wishes, tongue)?;
    Ok(drawn.map(|drawn| finished(drawn, provenance)))
}

fn finished(drawn: Drawn, provenance: Provenance) -> Picture {
    Picture { drawn: drawn.document, size: drawn.size, title: drawn.title, description: drawn.description, provenance }
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
    let ask = async |query: &Query| -> Result<Arc<Answer>> {
        Ok(Arc::new(answer(Arc::clone(&library), Arc::clone(&engine), query.clone()).await?))
    };
    let main = ask(&plan.query).await?;
    let other = match &plan.other {
        Some(query) => Some(ask(query).await?),
        None => None,
    };
    let wholes = match &plan.wholes {
        Some((whole, other)) => {
            let other = match other {
                Some(query) => Some(ask(query).await?),
                None => None,
            };
            Some((ask(whole).await?, other))
        }
        None => None,
    };
    let answers = Answers { main, other, wholes };
    let style = wishes.style(library.tongue(language));
    let drawn = draw(&library, &plan, &answers, &wishes.options, language, style, &boundaries);
    Ok(drawn.map(|drawn| finished(drawn, provenance)))
}
