//! Tables with one line a cell: the columns of CSV, Parquet and Arrow.

use super::{
    Context,
    layout::{Layout, Side, Strings},
    options::Texts,
};
use crate::{
    tables::Answer,
    words::{self, Tongue},
};

/// A variable as columns: its codes, its names, or both.
pub struct TidyVariable {
    /// Number of categories.
    pub categories: usize,
    /// The heading of each column, with what it shows of each category.
    pub columns: Vec<(String, Strings)>,
}

/// The columns of a table with one line a cell.
pub struct Tidy {
    pub variables: Vec<TidyVariable>,
    /// Heading of the numbers.
    pub value: &'static str,
    /// Heading of the statuses.
    pub status: &'static str,
}

impl Tidy {
    pub fn new(context: &Context, answer: &Answer, texts: Texts) -> Self {
        let Layout { stub, heading } = Layout::new(context, &answer.query);
        let variable = |side: Side| {
            let categories = side.len();
            let label = match texts {
                Texts::Codes => None,
                Texts::Names => Some(side.label),
                Texts::Both => Some(format!("{}_label", side.code)),
            };
            let codes = texts.codes().then_some((side.code, side.codes));
            TidyVariable { categories, columns: codes.into_iter().chain(label.map(|label| (label, side.labels))).collect() }
        };
        // Programs read codes, and look for the same two headings in every language; people read names.
        let tongue = if texts.codes() { Tongue::English } else { context.library.tongue(context.language) };
        Self {
            variables: stub.into_iter().chain(heading).map(variable).collect(),
            value: words::VALUE.text(tongue),
            status: words::STATUS.text(tongue),
        }
    }
}
