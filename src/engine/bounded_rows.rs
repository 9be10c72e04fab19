//! What stands between the operators of a statement, so that none of them makes or keeps more than the bound of memory allows.
//!
//! | before | because | so |
//! |---|---|---|
//! | joins | a row is written once for each row that it meets | rows must not be wide |
//! | `UNNEST` | a row is written once for each value of its list | it is given few rows at a time |
//! | window functions | they keep their input without counting it | it is counted here |

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch},
    datatypes::{DataType, SchemaRef},
};
use datafusion::{
    common::{
        Result as PlanResult, exec_err, internal_err,
        tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion},
    },
    execution::{
        RecordBatchStream, SendableRecordBatchStream, TaskContext,
        memory_pool::{MemoryConsumer, MemoryReservation},
    },
    physical_expr::PhysicalExpr,
    physical_plan::{
        ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, ReplaceChildrenOptions,
        coop::CooperativeExec,
        unnest::UnnestExec,
        windows::{BoundedWindowAggExec, WindowAggExec},
    },
};
use futures::{Stream, StreamExt};

use super::bounded_function::{longest_value, value_bytes};

/// Bytes that a batch may have that a join or `UNNEST` makes.
const MOST_OF_BATCH: u64 = 16 << 20;
/// Rows that `UNNEST` may make at once.
const MOST_UNNESTED: u64 = 64 << 10;

/// What a node does with the rows that pass.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Bound {
    /// Refuses wide rows.
    Narrow,
    /// Hands on as many rows at a time as these lists have few values.
    FewAtATime(Vec<usize>),
    /// Counts all of them as held until the end.
    Counted,
}

/// Bounds the rows that pass.
#[derive(Debug, Clone)]
struct BoundedRowsExec {
    input: Arc<dyn ExecutionPlan>,
    bound: Bound,
}

/// Puts bounds into a plan, and makes operators with several inputs yield: their output may be endless though their inputs are not.
pub(super) fn bounded(plan: Arc<dyn ExecutionPlan>) -> PlanResult<Arc<dyn ExecutionPlan>> {
    plan.transform_up(|node| {
        let bound = match node.children().len() {
            0 => return Ok(Transformed::no(node)),
            1 => match bound_of(&*node) {
                Some(bound) => bound,
                None => return Ok(Transformed::no(node)),
            },
            _ => Bound::Narrow,
        };
        let yields = node.children().len() > 1;
        let children = node
            .children()
            .into_iter()
            .map(|child| -> Arc<dyn ExecutionPlan> { Arc::new(BoundedRowsExec { input: Arc::clone(child), bound: bound.clone() }) });
        let children = children.collect();
        let node = node.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))?;
        Ok(Transformed::yes(if yields { Arc::new(CooperativeExec::new(node)) } else { node }))
    })
    .data()
}

fn bound_of(node: &dyn ExecutionPlan) -> Option<Bound> {
    if let Some(unnest) = node.downcast_ref::<UnnestExec>() {
        return Some(Bound::FewAtATime(unnest.list_column_indices().iter().map(|list| list.index_in_input_schema).collect()));
    }
    (node.is::<WindowAggExec>() || node.is::<BoundedWindowAggExec>()).then_some(Bound::Counted)
}

impl DisplayAs for BoundedRowsExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BoundedRowsExec")
    }
}

impl ExecutionPlan for BoundedRowsExec {
    fn name(&self) -> &'static str {
        "BoundedRowsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> PlanResult<TreeNodeRecursion>,
    ) -> PlanResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> PlanResult<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.is_empty()) {
            (Some(input), true) => Ok(Arc::new(Self { input, bound: self.bound.clone() })),
            _ => internal_err!("bounded rows have one input"),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> PlanResult<SendableRecordBatchStream> {
        let rows = context.session_config().batch_size() as u64;
        let held = MemoryConsumer::new("window functions").register(context.memory_pool());
        let input = self.input.execute(partition, context)?;
        Ok(Box::pin(BoundedRows { input, bound: self.bound.clone(), rows, held, left: None }))
    }
}

struct BoundedRows {
    input: SendableRecordBatchStream,
    bound: Bound,
    /// Rows of a batch.
    rows: u64,
    held: MemoryReservation,
    /// What is handed on a few rows at a time.
    left: Option<RecordBatch>,
}

impl RecordBatchStream for BoundedRows {
    fn schema(&self) -> SchemaRef {
        self.input.schema()
    }
}

impl Stream for BoundedRows {
    type Item = PlanResult<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(batch) = self.left.take() {
            return Poll::Ready(Some(self.hand_on(batch)));
        }
        let Some(batch) = ready!(self.input.poll_next_unpin(cx)).transpose()? else { return Poll::Ready(None) };
        Poll::Ready(Some(self.hand_on(batch)))
    }
}

impl BoundedRows {
    fn hand_on(&mut self, batch: RecordBatch) -> PlanResult<RecordBatch> {
        match &self.bound {
            Bound::Narrow => {
                let widest: u64 = batch.columns().iter().map(longest_value).fold(0, u64::saturating_add);
                if widest.saturating_mul(self.rows) > MOST_OF_BATCH {
                    return exec_err!("rows of {widest} bytes are joined; expected at most {}", MOST_OF_BATCH / self.rows);
                }
                Ok(batch)
            }
            Bound::Counted => {
                let bytes: u64 = batch.columns().iter().map(value_bytes).sum();
                self.held.try_grow(bytes as usize)?;
                Ok(batch)
            }
            Bound::FewAtATime(lists) => {
                let width =
                    |row: usize| batch.columns().iter().map(|column| longest_value(&column.slice(row, 1))).fold(0, u64::saturating_add);
                let (mut rows, mut values, mut bytes) = (0, 0_u64, 0_u64);
                while rows < batch.num_rows() {
                    let made = lists.iter().map(|list| list_length(batch.column(*list), rows)).max().unwrap_or(1).max(1);
                    values = values.saturating_add(made);
                    bytes = bytes.saturating_add(made.saturating_mul(width(rows)));
                    if values > MOST_UNNESTED || bytes > MOST_OF_BATCH {
                        break;
                    }
                    rows += 1;
                }
                if rows == 0 && batch.num_rows() > 0 {
                    return exec_err!(
                        "a list of {values} values is taken apart beside wide columns; expected less than {MOST_OF_BATCH} bytes"
                    );
                }
                if rows < batch.num_rows() {
                    self.left = Some(batch.slice(rows, batch.num_rows() - rows));
                }
                Ok(batch.slice(0, rows))
            }
        }
    }
}

/// Values of a list in one row, lists within lists included.
fn list_length(column: &ArrayRef, row: usize) -> u64 {
    let values = match column.data_type() {
        DataType::List(_) => column.as_list::<i32>().value(row),
        DataType::LargeList(_) => column.as_list::<i64>().value(row),
        DataType::FixedSizeList(..) => column.as_fixed_size_list().value(row),
        _ => return 1,
    };
    let within = (0..values.len()).map(|at| list_length(&values, at)).sum::<u64>();
    within.max(values.len() as u64)
}
