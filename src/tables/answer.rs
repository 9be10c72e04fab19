//! From a query to numbers: published counts, and what is worked out from them.

use std::sync::Arc;

use super::{
    counts::{Counts, counts},
    derive::derive,
    library::Library,
    resolve::{Query, Variable},
    status::CellStatus,
};
use crate::{engine::ServingEngine, error::Result};

/// A query with its numbers.
#[derive(Debug)]
pub struct Answer {
    /// What was asked.
    pub query: Query,
    /// The numbers in the order of [`Query::variables`], in units of the last decimal place of their measure
    /// ([`Self::decimals`]): 123 means 12.3 where there is one; 0 where the status is other than published.
    pub values: Vec<i64>,
    /// The statuses, in the same order.
    pub statuses: Vec<CellStatus>,
    /// Decimal places of each category of the contents.
    decimals: Vec<u8>,
    /// Cells from one category of the contents to the next.
    inner: usize,
}

impl Answer {
    /// Cells of a status.
    pub fn count(&self, status: CellStatus) -> u64 {
        self.statuses.iter().filter(|other| **other == status).count() as u64
    }

    /// Decimal places of a cell's number.
    pub fn decimals(&self, cell: usize) -> u8 {
        match self.decimals[..] {
            [decimals] => decimals,
            _ => self.decimals[cell / self.inner % self.decimals.len()],
        }
    }
}

/// Answers a query. Run it with [`ServingEngine::compute`].
///
/// # Errors
/// Where a cell file cannot be read, or holds what no release may hold.
pub async fn answer(library: Arc<Library>, engine: Arc<ServingEngine>, query: Query) -> Result<Answer> {
    let entry = &library.tables[query.table];
    let plain = Query { contents: vec![0], ..query.clone() };
    let base = counts(&library, &engine, &plain).await?;
    let mut derived = Vec::new();
    for &content in &query.contents {
        if let Some(measure) = library.measure(entry, content) {
            derived.push(derive(&library, &engine, &plain, &base, measure).await?);
        }
    }
    let decimals = query.contents.iter().map(|&content| library.measure(entry, content).map_or(0, |measure| measure.decimals)).collect();
    let behind = query.variables().skip_while(|variable| *variable != Variable::Contents).skip(1);
    let inner = behind.map(|variable| query.size(variable)).product();
    let mut next = derived.iter();
    let layers: Vec<&Counts> = query.contents.iter().filter_map(|&content| if content == 0 { Some(&base) } else { next.next() }).collect();
    let (values, statuses) = match layers[..] {
        [_] if derived.is_empty() => (base.values, base.statuses),
        _ => interleave(&layers, inner),
    };
    Ok(Answer { query, values, statuses, decimals, inner })
}

/// Puts the numbers of all categories of the contents where that variable places them.
fn interleave(layers: &[&Counts], inner: usize) -> (Vec<i64>, Vec<CellStatus>) {
    let count = layers.first().map_or(0, |layer| layer.values.len());
    let (mut values, mut statuses) = (Vec::with_capacity(count * layers.len()), Vec::with_capacity(count * layers.len()));
    for start in (0..count).step_by(inner.max(1)) {
        for layer in layers {
            values.extend_from_slice(&layer.values[start..start + inner]);
            statuses.extend_from_slice(&layer.statuses[start..start + inner]);
        }
    }
    (values, statuses)
}
