//! Counting as a DataFusion plan: `SELECT count_cells(region, sex, age, ...) FROM records`.
//!
//! The function adds up many cubes at once. The cells of all of them lie in one dense array, one cube behind the
//! other. For each code of a column a *row* holds by how many cells it moves in every cube; the rows of a record's
//! codes added up are the cells to increment, one a cube. Adding rows is adding vectors, so that a further cube costs
//! little more than its increment. The plan is partial aggregation on every partition and one list of what they counted,
//! with nothing shuffled, which any engine that speaks DataFusion plans can distribute. Memory is partitions x cells x 4
//! bytes at most, whatever the number of records.
//!
//! Measured against `GROUP BY` over the same codes one function a cube was 4 to 5 times as fast; all cubes in one
//! function are again 2 to 3 times as fast as nine functions.

use std::{
    fmt,
    hash::{Hash, Hasher},
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use arrow::{
    array::{Array, ArrayRef, AsArray, BinaryViewArray, BinaryViewBuilder, RecordBatch},
    buffer::Buffer,
    compute::concat,
    datatypes::{DataType, Field, FieldRef, SchemaRef, UInt32Type},
};
use datafusion::{
    catalog::streaming::StreamingTable,
    common::{Result as PlanResult, ScalarValue, exec_err, utils::SingleRowListArrayBuilder},
    execution::TaskContext,
    logical_expr::{
        Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility, col,
        function::{AccumulatorArgs, StateFieldsArgs},
    },
    physical_plan::{SendableRecordBatchStream, stream::RecordBatchStreamAdapter, streaming::PartitionStream},
};
use futures::stream::BoxStream;

use super::Engine;
use crate::error::{Error, Result};

/// The records of one partition, as batches of `UInt32` codes.
pub type BatchSource = BoxStream<'static, Result<RecordBatch>>;

/// How records move the cell number of one cube.
#[derive(Debug, Clone)]
pub struct CellCounter {
    /// Name of the cube.
    pub name: String,
    /// Names of the code columns, one for each axis.
    pub columns: Vec<String>,
    /// For each axis and code the number of cells by which it moves.
    pub moves: Vec<Vec<u32>>,
    /// Number of cells.
    pub cells: usize,
}

/// Cubes that one function counts, eight vectors at most; more are counted by further functions in the same pass.
const MOST_CUBES: usize = 32;
/// Cubes that one vector of numbers covers, the last vector being filled up with cubes that nothing moves.
const LANES: usize = 4;

impl Engine {
    /// Counts all records of all partitions into all cubes, in one pass.
    pub async fn count(&self, schema: SchemaRef, partitions: Vec<BatchSource>, counters: &[CellCounter]) -> Result<Vec<Vec<u32>>> {
        if counters.is_empty() {
            return Ok(Vec::new());
        }
        let session = self.session();
        let partitions = partitions
            .into_iter()
            .map(|source| Arc::new(Partition { schema: Arc::clone(&schema), source: Mutex::new(Some(source)) }) as Arc<dyn PartitionStream>)
            .collect();
        let table = StreamingTable::try_new(schema, partitions)?;
        let plans = counters.chunks(MOST_CUBES).map(CountPlan::new).collect::<Result<Vec<_>>>()?;
        let call = |(at, plan): (usize, &CountPlan)| {
            let columns = plan.columns.iter().map(|name| col(format!("\"{name}\""))).collect();
            AggregateUDF::new_from_impl(CountCells::new(at, plan.clone())).call(columns)
        };
        let plan = session.read_table(Arc::new(table))?.aggregate(Vec::new(), plans.iter().enumerate().map(call).collect::<Vec<_>>())?;
        let batches = self.run(async move { plan.collect().await.map_err(unwrap_source) }).await?;
        let batch =
            batches.into_iter().find(|batch| batch.num_rows() == 1).ok_or_else(|| Error::Internal("counting gave no row".into()))?;
        let mut cubes = Vec::with_capacity(counters.len());
        for (plan, column) in plans.iter().zip(batch.columns()) {
            let parts = Parts::of(column, plan.cells()).ok_or_else(|| Error::Internal("counting gave no array".into()))?;
            for range in plan.starts.windows(2) {
                let (parts, cells) = (parts.clone(), range[0] as usize..range[1] as usize);
                cubes.push(self.run(async move { Ok(parts.sum(cells)) }));
            }
        }
        futures::future::try_join_all(cubes).await
    }
}

impl CellCounter {
    /// The cell of a record with these codes, one for each axis.
    pub fn cell(&self, codes: impl Iterator<Item = u32>) -> u32 {
        self.moves.iter().zip(codes).map(|(moves, code)| moves[code as usize]).sum()
    }
}

/// What was counted, by each worker for itself: dense arrays of all cells, cut into segments that share the worker's memory.
///
/// They travel through the plan as a list of [`BinaryViewArray`] elements, because those are handed on without being copied. Each is most
/// of the memory of a count, most of it never written to, as people of one region share their cells; so they are added up only where
/// they leave the plan, cube by cube on all cores.
#[derive(Debug, Clone)]
struct Parts {
    segments: BinaryViewArray,
    /// Segments of one worker.
    each: usize,
}

impl Parts {
    /// Cells of one segment: its bytes must be numbered by 32 bits.
    const SEGMENT: usize = 1 << 24;
    /// Cells that are looked at together: where none was counted nothing is added, so that memory behind it is not touched.
    const BLOCK: usize = 1024;

    /// How parts are handed on.
    fn list_type() -> DataType {
        DataType::List(Arc::new(Field::new_list_field(DataType::BinaryView, true)))
    }

    /// The counts of one worker.
    fn segments(counts: Vec<u32>) -> PlanResult<ArrayRef> {
        let buffer = Buffer::from_vec(counts);
        let mut segments = BinaryViewBuilder::new();
        let bytes = Self::SEGMENT * size_of::<u32>();
        for from in (0..buffer.len()).step_by(bytes) {
            let length = bytes.min(buffer.len() - from);
            let block = segments.append_block(buffer.slice_with_length(from, length));
            segments.try_append_view(block, 0, length as u32)?;
        }
        Ok(Arc::new(segments.finish()))
    }

    /// The parts in a column that was handed on.
    fn of(column: &ArrayRef, cells: usize) -> Option<Self> {
        let segments = column.as_list_opt::<i32>()?.values().as_binary_view_opt()?.clone();
        let each = cells.div_ceil(Self::SEGMENT);
        let length = |at: usize| (cells - at % each * Self::SEGMENT).min(Self::SEGMENT) * size_of::<u32>();
        let whole = segments.iter().enumerate().all(|(at, segment)| segment.is_some_and(|segment| segment.len() == length(at)));
        (whole && segments.len().is_multiple_of(each.max(1))).then_some(Self { segments, each })
    }

    /// The sum of all parts for some of the cells.
    fn sum(&self, cells: Range<usize>) -> Vec<u32> {
        let mut sums = vec![0u32; cells.len()];
        for (at, segment) in self.segments.iter().flatten().enumerate() {
            let first = at % self.each * Self::SEGMENT;
            let (counts, _) = segment.as_chunks::<4>();
            let from = cells.start.clamp(first, first + counts.len());
            let to = cells.end.clamp(first, first + counts.len());
            if from == to {
                continue;
            }
            let sums = &mut sums[from - cells.start..to - cells.start];
            for (sums, counts) in sums.chunks_mut(Self::BLOCK).zip(counts[from - first..to - first].chunks(Self::BLOCK)) {
                if counts.iter().fold(0, |bits, count| bits | u32::from_ne_bytes(*count)) != 0 {
                    for (sum, count) in sums.iter_mut().zip(counts) {
                        *sum += u32::from_ne_bytes(*count);
                    }
                }
            }
        }
        sums
    }
}

/// Where the cells of several cubes lie, and how codes move among them.
#[derive(Debug, Clone)]
struct CountPlan {
    /// Names of the code columns that any cube needs.
    columns: Vec<String>,
    /// First cell of each cube, and the number of cells.
    starts: Vec<u32>,
    /// Cubes with those that fill the last group of lanes.
    width: usize,
    /// For each column the rows of its codes, each of `width` numbers.
    rows: Arc<Vec<Vec<u32>>>,
}

impl CountPlan {
    fn new(counters: &[CellCounter]) -> Result<Self> {
        let mut starts = vec![0u32];
        for counter in counters {
            let end = u32::try_from(counter.cells).ok().and_then(|cells| starts[starts.len() - 1].checked_add(cells));
            starts.push(end.ok_or_else(|| {
                Error::Input(format!(
                    "the tables up to {} have more than {} cells; use coarser levels or fewer tables",
                    counter.name,
                    u32::MAX
                ))
            })?);
        }
        let width = counters.len().next_multiple_of(LANES);
        let mut columns: Vec<String> = Vec::new();
        let mut rows: Vec<Vec<u32>> = Vec::new();
        for (lane, counter) in counters.iter().enumerate() {
            for (name, moves) in counter.columns.iter().zip(&counter.moves) {
                let at = columns.iter().position(|known| known == name).unwrap_or_else(|| {
                    columns.push(name.clone());
                    rows.push(vec![0; moves.len() * width]);
                    columns.len() - 1
                });
                if rows[at].len() != moves.len() * width {
                    return Err(Error::Internal(format!("column {name} has different codes in cube {}", counter.name)));
                }
                for (row, &cells) in rows[at].chunks_exact_mut(width).zip(moves) {
                    row[lane] += cells;
                }
            }
        }
        Ok(Self { columns, starts, width, rows: Arc::new(rows) })
    }

    fn cells(&self) -> usize {
        self.starts.last().map_or(0, |&cells| cells as usize)
    }
}

/// Errors of our own sources travel through DataFusion in a box; they come out as they went in.
fn unwrap_source(error: datafusion::error::DataFusionError) -> Error {
    use datafusion::error::DataFusionError;
    match error {
        DataFusionError::External(inner) => match inner.downcast::<Error>() {
            Ok(ours) => *ours,
            Err(other) => Error::Engine(DataFusionError::External(other)),
        },
        DataFusionError::Context(_, inner) => unwrap_source(*inner),
        DataFusionError::Shared(shared) => match Arc::try_unwrap(shared) {
            Ok(inner) => unwrap_source(inner),
            Err(shared) => Error::Engine(DataFusionError::Shared(shared)),
        },
        other => Error::Engine(other),
    }
}

struct Partition {
    schema: SchemaRef,
    /// Handed out once: records can be read only once.
    source: Mutex<Option<BatchSource>>,
}

impl fmt::Debug for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Partition")
    }
}

impl PartitionStream for Partition {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        use futures::{StreamExt, TryStreamExt};
        let source = self.source.lock().unwrap_or_else(PoisonError::into_inner).take();
        let batches = match source {
            Some(source) => source.map_err(|error| datafusion::error::DataFusionError::External(Box::new(error))).boxed(),
            None => futures::stream::once(async { exec_err!("a partition of records was read twice") }).boxed(),
        };
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches))
    }
}

/// The aggregate function that counts the cubes of a [`CountPlan`].
#[derive(Debug)]
struct CountCells {
    plan: CountPlan,
    name: String,
    signature: Signature,
}

impl CountCells {
    fn new(at: usize, plan: CountPlan) -> Self {
        let signature = Signature::exact(vec![DataType::UInt32; plan.columns.len()], Volatility::Immutable);
        Self { name: format!("count_cells_{at}"), plan, signature }
    }
}

impl PartialEq for CountCells {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for CountCells {}

impl Hash for CountCells {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl AggregateUDFImpl for CountCells {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> PlanResult<DataType> {
        Ok(Parts::list_type())
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> PlanResult<Box<dyn Accumulator>> {
        Ok(Box::new(Cells { plan: self.plan.clone(), counts: Vec::new(), parts: Vec::new() }))
    }

    fn state_fields(&self, _: StateFieldsArgs<'_>) -> PlanResult<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new("cells", Parts::list_type(), false))])
    }
}

#[derive(Debug)]
struct Cells {
    plan: CountPlan,
    /// Made with the first records.
    counts: Vec<u32>,
    /// What others counted.
    parts: Vec<ArrayRef>,
}

impl Cells {
    /// Increments the cells of every record. The number of vectors in a row is a constant of the loop, so that it unrolls.
    fn count<const VECTORS: usize>(&mut self, columns: &[&[u32]]) {
        /// Records worked on together: adding up all rows before the first increment spares waiting for each sum.
        const TOGETHER: usize = 64;
        type Row<const VECTORS: usize> = [[u32; LANES]; VECTORS];
        let Self { plan, counts, .. } = self;
        if counts.is_empty() {
            *counts = vec![0; plan.cells()];
        }
        let cubes = plan.starts.len() - 1;
        let mut starts: Row<VECTORS> = [[0; LANES]; VECTORS];
        starts.as_flattened_mut()[..cubes].copy_from_slice(&plan.starts[..cubes]);
        let records = columns.iter().map(|column| column.len()).min().unwrap_or(0);
        let axes: Vec<(&[u32], &[Row<VECTORS>])> =
            columns.iter().zip(plan.rows.iter()).map(|(column, rows)| (*column, rows.as_chunks().0.as_chunks().0)).collect();
        let mut block = [starts; TOGETHER];
        for from in (0..records).step_by(TOGETHER) {
            let block = &mut block[..(records - from).min(TOGETHER)];
            block.fill(starts);
            for (codes, rows) in &axes {
                for (cells, &code) in block.iter_mut().zip(&codes[from..]) {
                    for (cells, moves) in cells.iter_mut().zip(&rows[code as usize]) {
                        for (cell, moved) in cells.iter_mut().zip(moves) {
                            *cell += moved;
                        }
                    }
                }
            }
            for cells in block {
                for &cell in &cells.as_flattened()[..cubes] {
                    counts[cell as usize] += 1;
                }
            }
        }
    }
}

impl Accumulator for Cells {
    fn update_batch(&mut self, values: &[ArrayRef]) -> PlanResult<()> {
        let columns: Vec<&[u32]> = values.iter().map(|array| array.as_primitive::<UInt32Type>().values().as_ref()).collect();
        match self.plan.width / LANES {
            1 => self.count::<1>(&columns),
            2 => self.count::<2>(&columns),
            3 => self.count::<3>(&columns),
            4 => self.count::<4>(&columns),
            5 => self.count::<5>(&columns),
            6 => self.count::<6>(&columns),
            7 => self.count::<7>(&columns),
            8 => self.count::<8>(&columns),
            _ => return exec_err!("{} cubes cannot be counted by one function", self.plan.width),
        }
        Ok(())
    }

    fn evaluate(&mut self) -> PlanResult<ScalarValue> {
        let mut parts = std::mem::take(&mut self.parts);
        if !self.counts.is_empty() || parts.is_empty() {
            parts.push(Parts::segments(std::mem::take(&mut self.counts))?);
        }
        let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
        Ok(SingleRowListArrayBuilder::new(concat(&parts)?).build_list_scalar())
    }

    fn size(&self) -> usize {
        size_of_val(self) + size_of_val(self.counts.as_slice()) + self.parts.iter().map(|part| part.get_array_memory_size()).sum::<usize>()
    }

    fn state(&mut self) -> PlanResult<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> PlanResult<()> {
        match states[0].as_list_opt::<i32>() {
            Some(parts) => self.parts.extend(parts.iter().flatten()),
            None => return exec_err!("partial counts are no list but {}", states[0].data_type()),
        }
        Ok(())
    }
}
