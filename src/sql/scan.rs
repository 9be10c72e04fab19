//! Reading the rows of a table, a block of cells at a time.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, StringViewArray, UInt32Array},
    compute::take,
    datatypes::SchemaRef,
};
use datafusion::{
    common::{DataFusionError, Result as PlanResult},
    execution::{SendableRecordBatchStream, TaskContext},
    physical_plan::{stream::RecordBatchStreamAdapter, streaming::PartitionStream},
};
use futures::stream;

use super::{
    dimension::DimensionColumns,
    table::{Column, TidyTable},
};
use crate::{
    engine::ServingEngine,
    error::Error,
    tables::{self, CellStatus, Library, Query, Variable, answer},
};

/// Cells of a block: enough that starting to read costs little beside reading, so few that memory does not count.
const BLOCK: usize = 8 << 10;

/// Which rows are wanted.
#[derive(Debug, Clone)]
pub(super) struct Chosen {
    /// For each axis nodes of the union dimension, ascending.
    pub nodes: Vec<Vec<u32>>,
    /// The releases whose periods are wanted.
    pub releases: Vec<usize>,
}

/// One reading of a table.
#[derive(Debug, Clone)]
pub(super) struct Scan {
    library: Arc<Library>,
    engine: Arc<ServingEngine>,
    axes: Vec<Arc<DimensionColumns>>,
    columns: Vec<Column>,
    schema: SchemaRef,
    everything: Query,
    chosen: Chosen,
    /// The axis that blocks cut; those before it stand still within a block.
    cut: usize,
    /// Nodes of that axis in a block.
    step: usize,
    /// Rows after which nobody asks for more.
    limit: usize,
}

/// Where a reading is.
struct Place {
    scan: Scan,
    /// Position in the releases.
    release: usize,
    /// For each axis up to the cut the position of its node, or of the first of the block.
    at: Vec<usize>,
    given: usize,
}

impl Scan {
    /// A reading of columns, given as positions in the table.
    pub fn new(table: &TidyTable, wanted: &[usize], chosen: Chosen, limit: Option<usize>) -> PlanResult<Self> {
        let limit = limit.unwrap_or(usize::MAX);
        let most = BLOCK.min(limit).max(1);
        // As many of the last axes as fit stand whole in every block.
        let mut cut = chosen.nodes.len();
        let mut whole = 1usize;
        while cut > 0 && whole.saturating_mul(chosen.nodes[cut - 1].len()) <= most {
            cut -= 1;
            whole = whole.saturating_mul(chosen.nodes[cut].len());
        }
        let (cut, step) = match cut {
            0 => (0, chosen.nodes.first().map_or(1, Vec::len).max(1)),
            cut => (cut - 1, (most / whole.max(1)).max(1)),
        };
        Ok(Self {
            library: Arc::clone(&table.library),
            engine: Arc::clone(&table.engine),
            axes: table.axes.clone(),
            columns: wanted.iter().map(|&at| table.columns[at]).collect(),
            schema: Arc::new(table.schema.project(wanted)?),
            everything: table.everything.clone(),
            chosen,
            cut,
            step,
            limit,
        })
    }

    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The nodes of every axis in the block at a place.
    fn block(&self, at: &[usize]) -> Vec<Vec<u32>> {
        let of = |(axis, nodes): (usize, &Vec<u32>)| match axis {
            axis if axis < self.cut => vec![nodes[at[axis]]],
            axis if axis == self.cut => nodes[at[axis]..(at[axis] + self.step).min(nodes.len())].to_vec(),
            _ => nodes.clone(),
        };
        self.chosen.nodes.iter().enumerate().map(of).collect()
    }

    async fn read(&self, release: usize, nodes: Vec<Vec<u32>>) -> Result<RecordBatch, Error> {
        let rows: usize = nodes.iter().map(Vec::len).product();
        let (values, statuses) = if self.columns.iter().any(|column| matches!(column, Column::Value | Column::Status)) {
            self.cells(release, &nodes, rows).await?
        } else {
            (Vec::new(), Vec::new())
        };
        let places: Vec<UInt32Array> = (0..nodes.len()).map(|axis| places(&nodes, axis)).collect();
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            arrays.push(match *column {
                Column::Period => {
                    let period = StringViewArray::from_iter_values([self.library.period(release)]);
                    take(&period, &UInt32Array::from_value(0, rows), None)?
                }
                Column::Axis(axis, told) => take(self.axes[axis].array(told), &places[axis], None)?,
                Column::Value => {
                    let number = |(value, status): (&i64, &CellStatus)| (*status == CellStatus::Published).then_some(*value);
                    Arc::new(values.iter().zip(&statuses).map(number).collect::<Int64Array>())
                }
                Column::Status => Arc::new(statuses.iter().map(|status| status.mark()).collect::<StringViewArray>()),
            });
        }
        let counted = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &counted)?)
    }

    async fn cells(&self, release: usize, nodes: &[Vec<u32>], rows: usize) -> Result<(Vec<i64>, Vec<CellStatus>), Error> {
        let mut query = self.everything.clone();
        query.axes = nodes.iter().map(|nodes| tables::Chosen::Nodes { codelist: None, nodes: nodes.clone() }).collect();
        query.releases = vec![release];
        query.stub = (0..nodes.len()).map(Variable::Axis).collect();
        query.heading = vec![Variable::Contents, Variable::Time];
        query.cells = rows as u64;
        let answered = answer(Arc::clone(&self.library), Arc::clone(&self.engine), query).await?;
        if answered.values.len() != rows || answered.decimals(0) != 0 {
            return Err(Error::Internal("a table's own measure is one count for each cell".into()));
        }
        Ok((answered.values, answered.statuses))
    }
}

/// For each row of a block the node of an axis; the last axis varies fastest.
fn places(nodes: &[Vec<u32>], axis: usize) -> UInt32Array {
    let outer: usize = nodes[..axis].iter().map(Vec::len).product();
    let inner: usize = nodes[axis + 1..].iter().map(Vec::len).product();
    let mut places = Vec::with_capacity(outer * nodes[axis].len() * inner);
    for _ in 0..outer {
        for &node in &nodes[axis] {
            places.extend(std::iter::repeat_n(node, inner));
        }
    }
    places.into()
}

impl Place {
    fn new(scan: Scan) -> Self {
        Self { at: vec![0; scan.cut + 1], release: 0, given: 0, scan }
    }

    /// The next block of rows.
    async fn next(mut self) -> Result<Option<(RecordBatch, Self)>, Error> {
        let Some(&release) = self.scan.chosen.releases.get(self.release) else { return Ok(None) };
        if self.given >= self.scan.limit || self.scan.chosen.nodes.iter().any(Vec::is_empty) {
            return Ok(None);
        }
        let batch = self.scan.read(release, self.scan.block(&self.at)).await?;
        self.given += batch.num_rows();
        self.advance();
        Ok(Some((batch, self)))
    }

    fn advance(&mut self) {
        for axis in (0..=self.scan.cut).rev() {
            self.at[axis] += if axis == self.scan.cut { self.scan.step } else { 1 };
            if self.at[axis] < self.scan.chosen.nodes[axis].len() {
                return;
            }
            self.at[axis] = 0;
        }
        self.release += 1;
    }
}

impl PartitionStream for Scan {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let outside = |error: Error| DataFusionError::External(Box::new(error));
        let rows = stream::try_unfold(Place::new(self.clone()), move |place| async move { place.next().await.map_err(outside) });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows))
    }
}
