//! Rows of a named query as a table on a page.

use maud::{Markup, html};

use super::{
    numbers::written,
    rows::{Cell, RowsDocument, cell, plain},
};
use crate::{error::Result, words::Tongue};

/// A table of rows. A number that is withheld is shown as its mark; the columns that say so are left out.
///
/// # Errors
/// Where rows have a type that nobody can write.
pub fn rows_table(document: &RowsDocument<'_>, caption: &str, tongue: Tongue) -> Result<Markup> {
    let columns = &document.columns;
    let is_status = |name: &str| columns.iter().any(|column| column.status == Some(name));
    let shown: Vec<usize> = (0..columns.len()).filter(|&at| !is_status(columns[at].name)).collect();
    let status = |at: usize| columns[at].status.and_then(|name| columns.iter().position(|column| column.name == name));
    let is_number = |at: usize| matches!(columns[at].kind, "integer" | "number");
    // The first text names the row, even if numbers stand before it.
    let name = shown.iter().copied().find(|&at| columns[at].kind == "text");
    let batches = document.batches.iter().map(plain).collect::<Result<Vec<_>>>()?;
    Ok(html! {
        table.plain data-grid="rows" {
            caption { (caption) }
            thead {
                tr {
                    @for &at in &shown {
                        th.n[is_number(at)] scope="col" {
                            (columns[at].label) @if let Some(unit) = columns[at].unit { " " span.muted { "(" (unit) ")" } }
                        }
                    }
                }
            }
            tbody {
                @for batch in &batches {
                    @for row in 0..batch.num_rows() {
                        tr {
                            @for &at in &shown {
                                @match cell(batch.column(at), row) {
                                    Cell::Integer(number) => td.n { (written(number, 0, tongue)) },
                                    Cell::Number(number) => td.n { (written((number * 10.0).round() as i64, 1, tongue)) },
                                    Cell::Truth(truth) => td { (truth) },
                                    Cell::Text(text) => @if Some(at) == name { th scope="row" { (text) } } @else { td { (text) } },
                                    Cell::None => {
                                        @let mark = status(at).map(|status| cell(batch.column(status), row));
                                        @match mark {
                                            Some(Cell::Text(mark @ ("c" | "z" | "x"))) => td.n.(mark) { "[" (mark) "]" },
                                            _ => td { "–" },
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    })
}
