//! What stands between the operators of a statement, so that none of them makes or keeps more than the bound of memory allows.
//!
//! | before | because | so |
//! |---|---|---|
//! | joins | a row is written once for each row that it meets | rows must not be wide |
//! | `UNNEST` | a row is written once for each value of its list | it is given few rows at a time |
//! | window functions | they keep their input without counting it, and write a text of it for each row | both are counted here |

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
    physical_expr::{
        PhysicalExpr,
        aggregate::AggregateFunctionExpr,
        window::{PlainAggregateWindowExpr, SlidingAggregateWindowExpr, WindowExpr},
    },
    physical_plan::{
        ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, ReplaceChildrenOptions,
        coop::CooperativeExec,
        unnest::UnnestExec,
        windows::{BoundedWindowAggExec, WindowAggExec},
    },
};
use futures::{Stream, StreamExt};

use super::{
    allowed_functions::is_long,
    bounded_aggregate::GATHERING,
    bounded_function::{longest_value, value_bytes},
};

/// Bytes that a batch may have that a join or `UNNEST` makes.
const MOST_OF_BATCH: u64 = 16 << 20;
/// Rows that `UNNEST` may make at once.
const MOST_UNNESTED: u64 = 64 << 10;

/// What a node does with the rows that pass.
#[derive(Debug, Clone)]
enum Bound {
    /// Refuses wide rows.
    Narrow,
    /// Hands on as many rows at a time as these lists have few values.
    FewAtATime(Vec<usize>),
    /// Counts all of them as held until the end, with what these functions write for each.
    Counted(Vec<Written>),
}

/// A window function with texts or lists as results.
#[derive(Debug, Clone)]
struct Written {
    function: Arc<dyn WindowExpr>,
    /// Whether a result may be all values together, not one of them.
    is_gathered: bool,
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
    let functions = node
        .downcast_ref::<WindowAggExec>()
        .map(WindowAggExec::window_expr)
        .or_else(|| node.downcast_ref::<BoundedWindowAggExec>().map(BoundedWindowAggExec::window_expr))?;
    let written = functions.iter().filter(|function| function.field().is_ok_and(|field| is_long(field.data_type())));
    Some(Bound::Counted(
        written.map(|function| Written { function: Arc::clone(function), is_gathered: is_gathered(&**function) }).collect(),
    ))
}

fn is_gathered(function: &dyn WindowExpr) -> bool {
    let plain = || function.as_any().downcast_ref().map(PlainAggregateWindowExpr::get_aggregate_expr);
    let sliding = || function.as_any().downcast_ref().map(SlidingAggregateWindowExpr::get_aggregate_expr);
    plain().or_else(sliding).map(AggregateFunctionExpr::fun).is_some_and(|function| GATHERING.contains(&function.name()))
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
        Ok(Box::pin(BoundedRows { input, bound: self.bound.clone(), rows, held, counted: Counted::default(), left: None }))
    }
}

struct BoundedRows {
    input: SendableRecordBatchStream,
    bound: Bound,
    /// Rows of a batch.
    rows: u64,
    held: MemoryReservation,
    counted: Counted,
    /// What is handed on a few rows at a time.
    left: Option<RecordBatch>,
}

/// What is known of the rows that have passed.
#[derive(Debug, Default)]
struct Counted {
    bytes: u64,
    rows: u64,
    /// The longest that each of the functions may write for a row.
    longest: Vec<u64>,
}

impl Counted {
    fn add(&mut self, batch: &RecordBatch, written: &[Written]) -> PlanResult<()> {
        self.bytes = batch.columns().iter().map(value_bytes).fold(self.bytes, u64::saturating_add);
        self.rows += batch.num_rows() as u64;
        self.longest.resize(written.len(), 0);
        for (longest, Written { function, is_gathered }) in self.longest.iter_mut().zip(written) {
            let values = function.evaluate_args(batch)?;
            *longest = if *is_gathered {
                values.iter().map(value_bytes).fold(*longest, u64::saturating_add)
            } else {
                values.iter().map(longest_value).fold(*longest, u64::max)
            };
        }
        Ok(())
    }

    fn all_bytes(&self) -> usize {
        let each = self.longest.iter().copied().fold(0, u64::saturating_add);
        let all = self.bytes.saturating_add(self.rows.saturating_mul(each));
        usize::try_from(all).unwrap_or(usize::MAX)
    }
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
        let Self { bound, held, counted, .. } = self;
        match bound {
            Bound::Narrow => {
                let widest: u64 = batch.columns().iter().map(longest_value).fold(0, u64::saturating_add);
                if widest.saturating_mul(self.rows) > MOST_OF_BATCH {
                    return exec_err!("rows of {widest} bytes are joined; expected at most {}", MOST_OF_BATCH / self.rows);
                }
                Ok(batch)
            }
            Bound::Counted(written) => {
                counted.add(&batch, written)?;
                held.try_resize(counted.all_bytes())?;
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
