//! Functions of SQL whose results keep within a bound, however they are nested.
//!
//! What an expression makes of a batch of rows lies in memory that no pool counts. So each function that gives texts or lists is wrapped:
//! where its result may be longer than what it is given, the length is worked out before anything is made; and what was made is measured, so
//! that whatever is built on it starts from a bounded text again. The bound of a statement is shared out among its functions
//! ([`super::allowed_functions`]), because all of their results may be alive at the same time.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use arrow::{
    array::{Array, ArrayRef, AsArray, OffsetSizeTrait},
    datatypes::{DataType, FieldRef},
};
use datafusion::{
    common::{Result as PlanResult, ScalarValue, config::ConfigOptions, exec_err},
    logical_expr::{
        ColumnarValue, Documentation, Expr, ExpressionPlacement, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
        Volatility,
        interval_arithmetic::Interval,
        simplify::{ExprSimplifyResult, SimplifyContext},
        sort_properties::{ExprProperties, SortProperties},
    },
};

/// How long a result may be, compared with what a function is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Growth {
    /// At most so many times as long, or of a length of its own.
    Times(u64),
    /// As long as all of it together, with a list's share for each value.
    Sum,
    /// `repeat(text, n)`, `array_repeat(value, n)`.
    Repeat,
    /// `lpad(text, n, fill)`.
    Pad,
    /// `array_resize(list, n, value)`.
    Resize,
    /// `replace(text, from, to)`.
    Replace,
    /// `regexp_replace(text, pattern, replacement)`.
    RegexpReplace,
    /// `regexp_match(text, pattern)`: the text once for each group.
    RegexpMatch,
    /// `array_to_string(list, delimiter, null)`.
    Join,
    /// `string_to_array(text, delimiter)`: every byte may become a value.
    Split,
    /// `generate_series(from, to, step)` and `range`.
    Series,
    /// `array_replace(list, from, to)`: every value may become the new one.
    ReplaceValues,
}

/// The bytes that a value of a list takes beside its own.
const VALUE: u64 = 16;
/// The longest that a number, a date or a time is as a text.
const AS_TEXT: u64 = 64;

/// A function with a bound on its results.
#[derive(Debug)]
pub(super) struct BoundedFunction {
    inner: Arc<dyn ScalarUDFImpl>,
    growth: Growth,
    most: Most,
}

/// How much a function may make at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Most {
    /// Bytes for one batch of rows.
    pub batch: u64,
    /// Bytes of a constant, which is written once for each row as soon as it stands among the columns of a result.
    pub constant: u64,
}

impl Most {
    fn check(self, what: &str, bytes: u64, is_constant: bool) -> PlanResult<()> {
        let (most, made) = if is_constant { (self.constant, "a constant") } else { (self.batch, "a few rows at once") };
        if bytes <= most {
            return Ok(());
        }
        exec_err!("{what} could make {bytes} bytes of {made}; expected at most {most}: shorten what it is given")
    }
}

impl BoundedFunction {
    pub(super) fn wrap(function: &ScalarUDF, growth: Growth, most: Most) -> ScalarUDF {
        ScalarUDF::new_from_impl(Self { inner: Arc::clone(function.inner()), growth, most })
    }
}

impl PartialEq for BoundedFunction {
    fn eq(&self, other: &Self) -> bool {
        self.inner.name() == other.inner.name() && self.growth == other.growth && self.most == other.most
    }
}

impl Eq for BoundedFunction {}

impl Hash for BoundedFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.name().hash(state);
        self.most.hash(state);
    }
}

impl ScalarUDFImpl for BoundedFunction {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn schema_name(&self, args: &[Expr]) -> PlanResult<String> {
        self.inner.schema_name(args)
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> PlanResult<DataType> {
        self.inner.return_type(types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> PlanResult<FieldRef> {
        self.inner.return_field_from_args(args)
    }

    fn is_strict(&self) -> bool {
        self.inner.is_strict()
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> PlanResult<ColumnarValue> {
        let given = Given::new(&args);
        self.most.check(self.inner.name(), self.growth.most_bytes(&given), given.is_constant())?;
        let made = self.inner.invoke_with_args(args)?;
        self.most.check(self.inner.name(), made_bytes(&made), matches!(made, ColumnarValue::Scalar(_)))?;
        Ok(made)
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        self.inner.with_updated_config(config).map(|updated| Self::wrap(&updated, self.growth, self.most))
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> PlanResult<ExprSimplifyResult> {
        // What a function makes of itself must keep within the bound too, and might not. Constants are worked out all the same.
        let _ = info;
        Ok(ExprSimplifyResult::Original(args))
    }

    fn conditional_arguments<'a>(&self, args: &'a [Expr]) -> Option<(Vec<&'a Expr>, Vec<&'a Expr>)> {
        self.inner.conditional_arguments(args)
    }

    fn short_circuits(&self) -> bool {
        self.inner.short_circuits()
    }

    fn evaluate_bounds(&self, input: &[&Interval]) -> PlanResult<Interval> {
        self.inner.evaluate_bounds(input)
    }

    fn propagate_constraints(&self, interval: &Interval, inputs: &[&Interval]) -> PlanResult<Option<Vec<Interval>>> {
        self.inner.propagate_constraints(interval, inputs)
    }

    fn output_ordering(&self, inputs: &[ExprProperties]) -> PlanResult<SortProperties> {
        self.inner.output_ordering(inputs)
    }

    fn preserves_lex_ordering(&self, inputs: &[ExprProperties]) -> PlanResult<bool> {
        self.inner.preserves_lex_ordering(inputs)
    }

    fn coerce_types(&self, types: &[DataType]) -> PlanResult<Vec<DataType>> {
        self.inner.coerce_types(types)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }

    fn placement(&self, args: &[ExpressionPlacement]) -> ExpressionPlacement {
        self.inner.placement(args)
    }
}

/// Hands on what it is given, if that is not too long: put around what is no function, such as `a || b`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Measured {
    signature: Signature,
    most: Most,
}

impl Measured {
    pub(super) fn function(most: Most) -> ScalarUDF {
        ScalarUDF::new_from_impl(Self { signature: Signature::any(1, Volatility::Immutable), most })
    }
}

impl ScalarUDFImpl for Measured {
    fn name(&self) -> &'static str {
        "measured"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> PlanResult<DataType> {
        Ok(types[0].clone())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> PlanResult<FieldRef> {
        Ok(Arc::clone(&args.arg_fields[0]))
    }

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> PlanResult<ColumnarValue> {
        let value = args.args.swap_remove(0);
        self.most.check("an expression", made_bytes(&value), matches!(value, ColumnarValue::Scalar(_)))?;
        Ok(value)
    }
}

/// What a function is given for one batch.
struct Given<'a> {
    args: &'a [ColumnarValue],
    rows: u64,
}

impl<'a> Given<'a> {
    fn new(args: &'a ScalarFunctionArgs) -> Self {
        let given = Self { args: &args.args, rows: args.number_rows as u64 };
        if given.is_constant() { Self { rows: 1, ..given } } else { given }
    }

    /// Whether it is the same for all rows.
    fn is_constant(&self) -> bool {
        self.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)))
    }

    /// Bytes of an argument over all rows.
    fn bytes(&self, at: usize) -> u64 {
        match self.args.get(at) {
            Some(ColumnarValue::Array(values)) => value_bytes(values),
            Some(ColumnarValue::Scalar(value)) => scalar_bytes(value).saturating_mul(self.rows),
            None => 0,
        }
    }

    /// Bytes of all arguments over all rows.
    fn all_bytes(&self) -> u64 {
        (0..self.args.len()).map(|at| self.bytes(at)).fold(0, u64::saturating_add)
    }

    /// The longest value of an argument.
    fn longest(&self, at: usize) -> u64 {
        match self.args.get(at) {
            Some(ColumnarValue::Array(values)) => longest_value(values),
            Some(ColumnarValue::Scalar(value)) => scalar_bytes(value),
            None => 0,
        }
    }

    /// The shortest text of an argument, at least one byte.
    fn shortest(&self, at: usize) -> u64 {
        match self.args.get(at) {
            // An empty text that is looked for is found nowhere, or between all others.
            Some(ColumnarValue::Scalar(value)) => scalar_bytes(value).max(1),
            _ => 1,
        }
    }

    /// The greatest number of an argument, as a length.
    fn number(&self, at: usize) -> u64 {
        let Some(arg) = self.args.get(at) else { return 0 };
        let numbers = match arg {
            ColumnarValue::Array(values) => Arc::clone(values),
            ColumnarValue::Scalar(value) => match value.to_array() {
                Ok(values) => values,
                Err(_) => return u64::MAX,
            },
        };
        let Ok(numbers) = arrow::compute::cast(&numbers, &DataType::Int64) else { return u64::MAX };
        let numbers = numbers.as_primitive::<arrow::datatypes::Int64Type>();
        arrow::compute::max(numbers).map_or(0, |most| most.max(0).unsigned_abs())
    }

    /// Values in a list argument, over all rows.
    fn values(&self, at: usize) -> u64 {
        match self.args.get(at) {
            Some(ColumnarValue::Array(values)) => list_values(values),
            Some(ColumnarValue::Scalar(value)) => value.to_array().map_or(u64::MAX, |one| list_values(&one).saturating_mul(self.rows)),
            None => 0,
        }
    }
}

impl Growth {
    /// An upper bound of the bytes of a result.
    fn most_bytes(self, given: &Given<'_>) -> u64 {
        let text = given.bytes(0);
        match self {
            // What is no longer than what was measured before is measured once it is made.
            Self::Times(0 | 1) => 0,
            Self::Times(times) => given.all_bytes().saturating_mul(times),
            Self::Sum => given.all_bytes().saturating_add(VALUE * given.rows * given.args.len() as u64),
            Self::Repeat => text.saturating_add(VALUE * given.rows).saturating_mul(given.number(1)),
            Self::Pad => given.rows.saturating_mul(given.number(1)).saturating_mul(4),
            Self::Resize => {
                let value = given.longest(2).saturating_add(VALUE);
                text.saturating_add(given.rows.saturating_mul(given.number(1)).saturating_mul(value))
            }
            Self::Replace => text.saturating_add((text / given.shortest(1) + given.rows).saturating_mul(given.longest(2))),
            Self::RegexpReplace => {
                // Each reference to a group may stand for the whole text.
                let replacement = given.longest(2);
                let found = text.saturating_add(given.rows);
                let references = if refers(&given.args[2]) { replacement.saturating_mul(given.longest(0)) } else { 0 };
                text.saturating_add(found.saturating_mul(replacement.saturating_add(references)))
            }
            Self::RegexpMatch => text.saturating_add(VALUE * given.rows).saturating_mul(1 + given.longest(1) / 2),
            Self::Join => {
                let each = AS_TEXT + given.longest(1) + given.longest(2);
                text.saturating_add(given.values(0).saturating_mul(each))
            }
            Self::Split => text.saturating_add(given.rows).saturating_mul(VALUE + 1),
            Self::Series => given.rows.saturating_mul(series(given)).saturating_mul(VALUE),
            Self::ReplaceValues => text.saturating_add(given.values(0).saturating_mul(given.longest(2) + VALUE)),
        }
    }
}

/// Whether a replacement may refer to groups.
fn refers(replacement: &ColumnarValue) -> bool {
    match replacement {
        ColumnarValue::Scalar(value) => value.try_as_str().flatten().is_none_or(|text| text.contains(['$', '\\'])),
        ColumnarValue::Array(_) => true,
    }
}

/// The most values of one series.
fn series(given: &Given<'_>) -> u64 {
    let number = |at: usize| match given.args.get(at) {
        Some(ColumnarValue::Scalar(value)) => match value.cast_to(&DataType::Int64) {
            Ok(ScalarValue::Int64(Some(number))) => Some(i128::from(number)),
            _ => None,
        },
        _ => None,
    };
    // Of dates, and of what differs from row to row, nothing is worked out: such series are not made.
    let (from, to) = match given.args.len() {
        1 => (Some(0), number(0)),
        _ => (number(0), number(1)),
    };
    let step = if given.args.len() > 2 { number(2) } else { Some(1) };
    match (from, to, step) {
        (Some(from), Some(to), Some(step)) if step != 0 => u64::try_from(((to - from) / step).max(0) + 1).unwrap_or(u64::MAX),
        _ => u64::MAX,
    }
}

fn scalar_bytes(value: &ScalarValue) -> u64 {
    match value.try_as_str() {
        Some(text) => text.map_or(0, |text| text.len() as u64),
        None => value.to_array().map_or(u64::MAX, |one| value_bytes(&one)),
    }
}

/// Bytes that a result takes up.
fn made_bytes(made: &ColumnarValue) -> u64 {
    match made {
        ColumnarValue::Array(values) => value_bytes(values),
        ColumnarValue::Scalar(value) => scalar_bytes(value),
    }
}

/// Bytes of the values of an array, and of nothing that it shares with others beside them.
pub(super) fn value_bytes(values: &ArrayRef) -> u64 {
    fn of_list<O: OffsetSizeTrait>(values: &ArrayRef) -> u64 {
        let list = values.as_list::<O>();
        let (first, last) = (list.offsets()[0].as_usize(), list.offsets()[list.len()].as_usize());
        value_bytes(&list.values().slice(first, last - first)) + VALUE / 2 * list.len() as u64
    }
    let length = values.len() as u64;
    match values.data_type() {
        DataType::Utf8View => values.as_string_view().lengths().map(u64::from).sum::<u64>() + VALUE * length,
        DataType::BinaryView => values.as_binary_view().lengths().map(u64::from).sum::<u64>() + VALUE * length,
        DataType::Utf8 => span(values.as_string::<i32>().value_offsets()) + 4 * length,
        DataType::LargeUtf8 => span(values.as_string::<i64>().value_offsets()) + 8 * length,
        DataType::Binary => span(values.as_binary::<i32>().value_offsets()) + 4 * length,
        DataType::LargeBinary => span(values.as_binary::<i64>().value_offsets()) + 8 * length,
        DataType::List(_) => of_list::<i32>(values),
        DataType::LargeList(_) => of_list::<i64>(values),
        DataType::Struct(_) => values.as_struct().columns().iter().map(value_bytes).sum(),
        DataType::Dictionary(..) => {
            let dictionary = values.as_any_dictionary();
            longest_value(dictionary.values()).saturating_add(4).saturating_mul(length)
        }
        kind => match kind.primitive_width() {
            Some(width) => width as u64 * length,
            None => values.get_array_memory_size() as u64,
        },
    }
}

fn span<O: OffsetSizeTrait>(offsets: &[O]) -> u64 {
    match offsets {
        [first, .., last] => (last.as_usize() - first.as_usize()) as u64,
        _ => 0,
    }
}

/// Bytes of the longest value of an array.
pub(super) fn longest_value(values: &ArrayRef) -> u64 {
    fn widest<O: OffsetSizeTrait>(offsets: &[O]) -> u64 {
        offsets.windows(2).map(|pair| (pair[1].as_usize() - pair[0].as_usize()) as u64).max().unwrap_or(0)
    }
    match values.data_type() {
        DataType::Utf8View => values.as_string_view().lengths().max().unwrap_or(0).into(),
        DataType::BinaryView => values.as_binary_view().lengths().max().unwrap_or(0).into(),
        DataType::Utf8 => widest(values.as_string::<i32>().value_offsets()),
        DataType::LargeUtf8 => widest(values.as_string::<i64>().value_offsets()),
        DataType::Binary => widest(values.as_binary::<i32>().value_offsets()),
        DataType::LargeBinary => widest(values.as_binary::<i64>().value_offsets()),
        DataType::List(_) | DataType::LargeList(_) | DataType::Struct(_) => {
            (0..values.len()).map(|row| value_bytes(&values.slice(row, 1))).max().unwrap_or(0)
        }
        DataType::Dictionary(..) => longest_value(values.as_any_dictionary().values()),
        kind => kind.primitive_width().unwrap_or(1) as u64,
    }
}

fn list_values(values: &ArrayRef) -> u64 {
    match values.data_type() {
        DataType::List(_) => {
            let list = values.as_list::<i32>();
            span(list.value_offsets()).max(list_values(&slice_of(list.values(), list.value_offsets())))
        }
        DataType::LargeList(_) => {
            let list = values.as_list::<i64>();
            span(list.value_offsets()).max(list_values(&slice_of(list.values(), list.value_offsets())))
        }
        _ => 0,
    }
}

fn slice_of<O: OffsetSizeTrait>(values: &ArrayRef, offsets: &[O]) -> ArrayRef {
    let first = offsets.first().map_or(0, |first| first.as_usize());
    values.slice(first, span(offsets) as usize)
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, ListArray, StringArray, StringViewArray};

    use super::*;

    fn text(values: &[&str]) -> ColumnarValue {
        ColumnarValue::Array(Arc::new(StringArray::from(values.to_vec())))
    }

    fn number(value: i64) -> ColumnarValue {
        ColumnarValue::Scalar(ScalarValue::Int64(Some(value)))
    }

    fn constant(value: &str) -> ColumnarValue {
        ColumnarValue::Scalar(ScalarValue::Utf8(Some(value.to_owned())))
    }

    fn most(growth: Growth, args: &[ColumnarValue]) -> u64 {
        growth.most_bytes(&Given { args, rows: 2 })
    }

    #[test]
    fn no_result_is_longer_than_was_worked_out() {
        let two = || text(&["abc", "de"]);
        assert!(most(Growth::Repeat, &[two(), number(1000)]) >= 5000);
        assert!(most(Growth::Pad, &[two(), number(1000), constant("é")]) >= 4000);
        assert!(most(Growth::Replace, &[two(), constant("a"), constant(&"x".repeat(100))]) >= 102);
        assert!(most(Growth::RegexpReplace, &[two(), constant("."), constant("$0$0")]) >= 10);
        assert!(most(Growth::Series, &[number(1), number(1_000_000)]) >= 8_000_000);
        assert_eq!(most(Growth::Series, &[two(), two()]), u64::MAX);
        assert!(most(Growth::Repeat, &[two(), number(i64::MAX)]) > 1 << 40);
        assert_eq!(most(Growth::Times(1), &[two()]), 0, "what does not grow is measured when it is made");
    }

    #[test]
    fn only_the_values_of_an_array_count() {
        let long: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(1000), "ab".into(), "cde".into()]));
        assert_eq!(value_bytes(&long.slice(1, 2)), 5 + 2 * 4);
        assert_eq!(longest_value(&long.slice(1, 2)), 3);
        let views: ArrayRef = Arc::new(StringViewArray::from(vec!["x".repeat(1000), "ab".into()]));
        assert_eq!((value_bytes(&views.slice(1, 1)), longest_value(&views)), (18, 1000));
        let numbers = [Some(vec![Some(1_i64), Some(2)]), Some(vec![Some(3)])];
        let lists: ArrayRef = Arc::new(ListArray::from_iter_primitive::<arrow::datatypes::Int64Type, _, _>(numbers));
        assert_eq!((list_values(&lists), list_values(&lists.slice(1, 1)), longest_value(&lists)), (3, 1, 24));
        let plain: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
        assert_eq!((value_bytes(&plain), list_values(&plain)), (24, 0));
    }
}
