//! Functions of SQL that gather the values of many rows into one, `string_agg` and `array_agg`, with a bound on what they gather.
//!
//! What they keep is asked for from the pool of memory only once it is there, and it is written out several times before it leaves the
//! engine: as a text that is grown, as a value, as a column. So what they are given at once is bounded, what becomes of one group is bounded,
//! and everything kept is counted as often as it may lie in memory.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, BooleanArray},
    datatypes::{DataType, FieldRef},
};
use datafusion::{
    common::{Result as PlanResult, ScalarValue, exec_err},
    logical_expr::{
        Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, EmitTo, GroupsAccumulator, ReversedUDAF, Signature,
        function::{AccumulatorArgs, StateFieldsArgs},
        utils::AggregateOrderSensitivity,
    },
};

use super::bounded_function::{longest_value, value_bytes};

/// The functions that are bounded here.
pub(super) const GATHERING: [&str; 3] = ["array_agg", "listagg", "string_agg"];

/// Bytes that a group may gather, and that may come at once.
const MOST: usize = 8 << 20;
/// How often what is kept may lie in memory: where it is gathered, as it is grown, as a value and as a column.
const COPIES: usize = 4;

/// A function that gathers values, with a bound.
#[derive(Debug)]
pub(super) struct BoundedAggregate {
    inner: Arc<dyn AggregateUDFImpl>,
}

impl BoundedAggregate {
    pub(super) fn wrap(function: &AggregateUDF) -> AggregateUDF {
        AggregateUDF::new_from_shared_impl(Arc::new(Self { inner: Arc::clone(function.inner()) }))
    }
}

impl PartialEq for BoundedAggregate {
    fn eq(&self, other: &Self) -> bool {
        self.inner.dyn_eq(&*other.inner)
    }
}

impl Eq for BoundedAggregate {}

impl Hash for BoundedAggregate {
    fn hash<H: Hasher>(&self, mut state: &mut H) {
        self.inner.dyn_hash(&mut state);
    }
}

impl AggregateUDFImpl for BoundedAggregate {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> PlanResult<DataType> {
        self.inner.return_type(types)
    }

    fn is_nullable(&self) -> bool {
        self.inner.is_nullable()
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> PlanResult<Vec<FieldRef>> {
        self.inner.state_fields(args)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> PlanResult<Box<dyn Accumulator>> {
        Ok(Box::new(Bounded { inner: self.inner.accumulator(args)? }))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> PlanResult<Box<dyn Accumulator>> {
        Ok(Box::new(Bounded { inner: self.inner.create_sliding_accumulator(args)? }))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        self.inner.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> PlanResult<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Bounded { inner: self.inner.create_groups_accumulator(args)? }))
    }

    fn with_beneficial_ordering(self: Arc<Self>, is_ordered: bool) -> PlanResult<Option<Arc<dyn AggregateUDFImpl>>> {
        let ordered = Arc::clone(&self.inner).with_beneficial_ordering(is_ordered)?;
        Ok(ordered.map(|inner| Arc::new(Self { inner }) as _))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.inner.order_sensitivity()
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        match self.inner.reverse_expr() {
            ReversedUDAF::Reversed(other) => ReversedUDAF::Reversed(Arc::new(Self::wrap(&other))),
            other => other,
        }
    }

    fn coerce_types(&self, types: &[DataType]) -> PlanResult<Vec<DataType>> {
        self.inner.coerce_types(types)
    }

    fn default_value(&self, kind: &DataType) -> PlanResult<ScalarValue> {
        self.inner.default_value(kind)
    }

    fn supports_null_handling_clause(&self) -> bool {
        self.inner.supports_null_handling_clause()
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }
}

/// What gathers the values, of one group or of many.
#[derive(Debug)]
struct Bounded<T: ?Sized> {
    inner: Box<T>,
}

/// Refuses more than may be gathered.
fn check(bytes: usize) -> PlanResult<()> {
    if bytes > MOST {
        return exec_err!("{bytes} bytes of values are gathered into one; expected at most {MOST}: gather fewer or shorter ones");
    }
    Ok(())
}

fn bytes_of(values: &[ArrayRef]) -> usize {
    values.iter().map(value_bytes).sum::<u64>() as usize
}

impl Accumulator for Bounded<dyn Accumulator> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> PlanResult<()> {
        check(bytes_of(values))?;
        self.inner.update_batch(values)?;
        check(self.inner.size())
    }

    fn evaluate(&mut self) -> PlanResult<ScalarValue> {
        self.inner.evaluate()
    }

    fn size(&self) -> usize {
        self.inner.size().saturating_mul(COPIES)
    }

    fn state(&mut self) -> PlanResult<Vec<ScalarValue>> {
        self.inner.state()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> PlanResult<()> {
        self.inner.merge_batch(states)?;
        check(self.inner.size())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> PlanResult<()> {
        self.inner.retract_batch(values)
    }

    fn supports_retract_batch(&self) -> bool {
        self.inner.supports_retract_batch()
    }
}

impl GroupsAccumulator for Bounded<dyn GroupsAccumulator> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> PlanResult<()> {
        check(bytes_of(values))?;
        self.inner.update_batch(values, groups, filter, total_num_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> PlanResult<ArrayRef> {
        let made = self.inner.evaluate(emit_to)?;
        check(longest_value(&made) as usize)?;
        Ok(made)
    }

    fn state(&mut self, emit_to: EmitTo) -> PlanResult<Vec<ArrayRef>> {
        self.inner.state(emit_to)
    }

    fn merge_batch(&mut self, values: &[ArrayRef], groups: &[usize], total_num_groups: usize) -> PlanResult<()> {
        self.inner.merge_batch(values, groups, total_num_groups)
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> PlanResult<Vec<ArrayRef>> {
        self.inner.convert_to_state(values, filter)
    }

    fn size(&self) -> usize {
        self.inner.size().saturating_mul(COPIES)
    }
}
