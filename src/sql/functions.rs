//! Functions for numbers that may be withheld.
//!
//! SQL's own `sum` passes over what has no value, so that a sum with a withheld part would look like a smaller whole one.
//!
//! | function | gives |
//! |---|---|
//! | `published_sum(value, status)` | the sum; NULL as soon as a part is withheld or missing |
//! | `sum_status(value, status)` | the status of that sum: NULL, `x`, `c`, or `z` where no part can exist |
//! | `worst_status(status, ...)` | the status of what is made of single cells, each of which is needed: `x`, `c`, `z`, or NULL |
//! | `percent(part, whole)` | 100 part / whole with two decimals; NULL where either is, or the whole is 0 |
//! | `percent_status(status, whole_status, whole)` | the status of that: `z` where the whole is 0 |

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, Float64Array, StringViewArray},
    datatypes::{DataType, Field, FieldRef, Int64Type, UInt8Type},
};
use datafusion::{
    common::{Result as PlanResult, ScalarValue},
    logical_expr::{
        Accumulator, AggregateUDF, AggregateUDFImpl, ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
        function::{AccumulatorArgs, StateFieldsArgs},
    },
};

/// The functions of many rows.
pub(super) fn aggregates() -> Vec<AggregateUDF> {
    [Total::Sum, Total::Status].map(|total| AggregateUDF::new_from_impl(PublishedTotal::new(total))).into()
}

/// The functions of one row.
pub(super) fn scalars() -> Vec<ScalarUDF> {
    vec![
        ScalarUDF::new_from_impl(WorstStatus { signature: Signature::variadic(vec![DataType::Utf8View], Volatility::Immutable) }),
        ScalarUDF::new_from_impl(Percent {
            signature: Signature::exact(vec![DataType::Float64, DataType::Float64], Volatility::Immutable),
        }),
        ScalarUDF::new_from_impl(PercentStatus {
            signature: Signature::exact(vec![DataType::Utf8View, DataType::Utf8View, DataType::Float64], Volatility::Immutable),
        }),
    ]
}

// What parts of a sum are, as bits.
const PUBLISHED: u8 = 1;
const IMPOSSIBLE: u8 = 2;
const SUPPRESSED: u8 = 4;
const UNAVAILABLE: u8 = 8;

fn mark(value: Option<i64>, status: Option<&str>) -> u8 {
    match (value, status) {
        (Some(_), None | Some("")) => PUBLISHED,
        (_, Some("z")) => IMPOSSIBLE,
        (_, Some("c")) => SUPPRESSED,
        // No number and no reason: a row that an outer join found nothing for.
        _ => UNAVAILABLE,
    }
}

/// Which side of a sum is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Total {
    Sum,
    Status,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct PublishedTotal {
    total: Total,
    signature: Signature,
}

impl PublishedTotal {
    fn new(total: Total) -> Self {
        Self { total, signature: Signature::exact(vec![DataType::Int64, DataType::Utf8View], Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for PublishedTotal {
    fn name(&self) -> &str {
        match self.total {
            Total::Sum => "published_sum",
            Total::Status => "sum_status",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> PlanResult<DataType> {
        Ok(match self.total {
            Total::Sum => DataType::Int64,
            Total::Status => DataType::Utf8View,
        })
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> PlanResult<Box<dyn Accumulator>> {
        Ok(Box::new(Parts { total: self.total, sum: 0, marks: 0 }))
    }

    fn state_fields(&self, _: StateFieldsArgs<'_>) -> PlanResult<Vec<FieldRef>> {
        let field = |name: &str, kind| Arc::new(Field::new(name, kind, false));
        Ok(vec![field("sum", DataType::Int64), field("marks", DataType::UInt8)])
    }
}

/// The parts of a sum so far.
#[derive(Debug)]
struct Parts {
    total: Total,
    sum: i64,
    marks: u8,
}

impl Accumulator for Parts {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> PlanResult<()> {
        for (value, status) in columns[0].as_primitive::<Int64Type>().iter().zip(columns[1].as_string_view()) {
            let mark = mark(value, status);
            self.marks |= mark;
            if mark == PUBLISHED {
                self.sum = self.sum.saturating_add(value.unwrap_or(0));
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> PlanResult<ScalarValue> {
        let status = match self.marks {
            0 => Some("x"),
            marks if marks & UNAVAILABLE != 0 => Some("x"),
            marks if marks & SUPPRESSED != 0 => Some("c"),
            marks if marks & PUBLISHED != 0 => None,
            _ => Some("z"),
        };
        Ok(match self.total {
            Total::Sum => ScalarValue::Int64(status.is_none().then_some(self.sum)),
            Total::Status => ScalarValue::Utf8View(status.map(str::to_owned)),
        })
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> PlanResult<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Int64(Some(self.sum)), ScalarValue::UInt8(Some(self.marks))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> PlanResult<()> {
        for (sum, marks) in states[0].as_primitive::<Int64Type>().iter().zip(states[1].as_primitive::<UInt8Type>()) {
            self.sum = self.sum.saturating_add(sum.unwrap_or(0));
            self.marks |= marks.unwrap_or(UNAVAILABLE);
        }
        Ok(())
    }
}

/// The worse of two statuses where both cells are needed.
fn worse<'a>(a: Option<&'a str>, b: Option<&'a str>) -> Option<&'a str> {
    let rank = |status: Option<&str>| match status {
        None => 0,
        Some("z") => 1,
        Some("c") => 2,
        Some(_) => 3,
    };
    if rank(b) > rank(a) { b } else { a }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct WorstStatus {
    signature: Signature,
}

impl ScalarUDFImpl for WorstStatus {
    fn name(&self) -> &str {
        "worst_status"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> PlanResult<DataType> {
        Ok(DataType::Utf8View)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> PlanResult<ColumnarValue> {
        let columns = arrays(&args)?;
        let statuses: Vec<&StringViewArray> = columns.iter().map(|column| column.as_string_view()).collect();
        let of = |row: usize| statuses.iter().map(|status| text(status, row)).fold(None, worse);
        Ok(ColumnarValue::Array(Arc::new((0..args.number_rows).map(of).collect::<StringViewArray>())))
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Percent {
    signature: Signature,
}

impl ScalarUDFImpl for Percent {
    fn name(&self) -> &str {
        "percent"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> PlanResult<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> PlanResult<ColumnarValue> {
        let columns = arrays(&args)?;
        let (parts, wholes) = (numbers(&columns[0]), numbers(&columns[1]));
        let share = |(part, whole): (Option<f64>, Option<f64>)| match (part, whole) {
            (Some(part), Some(whole)) if whole != 0.0 => Some((part * 10_000.0 / whole).round() / 100.0),
            _ => None,
        };
        Ok(ColumnarValue::Array(Arc::new(parts.iter().zip(wholes).map(share).collect::<Float64Array>())))
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct PercentStatus {
    signature: Signature,
}

impl ScalarUDFImpl for PercentStatus {
    fn name(&self) -> &str {
        "percent_status"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> PlanResult<DataType> {
        Ok(DataType::Utf8View)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> PlanResult<ColumnarValue> {
        let columns = arrays(&args)?;
        let (part, whole, number) = (columns[0].as_string_view(), columns[1].as_string_view(), numbers(&columns[2]));
        let of = |row: usize| match worse(text(part, row), text(whole, row)) {
            None if number.is_null(row) => Some("x"),
            None if number.value(row) == 0.0 => Some("z"),
            status => status,
        };
        Ok(ColumnarValue::Array(Arc::new((0..args.number_rows).map(of).collect::<StringViewArray>())))
    }
}

fn arrays(args: &ScalarFunctionArgs) -> PlanResult<Vec<ArrayRef>> {
    args.args.iter().map(|argument| argument.to_array(args.number_rows)).collect()
}

fn numbers(column: &ArrayRef) -> &Float64Array {
    column.as_primitive::<arrow::datatypes::Float64Type>()
}

/// The text of a row, if there is one that says something.
fn text(column: &StringViewArray, row: usize) -> Option<&str> {
    (column.is_valid(row) && !column.value(row).is_empty()).then(|| column.value(row))
}

#[cfg(test)]
mod tests {
    use arrow::array::Int64Array;

    use super::*;

    fn total(cells: &[(Option<i64>, Option<&str>)]) -> (Option<i64>, Option<String>) {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(cells.iter().map(|cell| cell.0).collect::<Int64Array>()),
            Arc::new(cells.iter().map(|cell| cell.1).collect::<StringViewArray>()),
        ];
        // Half of the parts come by themselves, half as the state of another accumulator.
        let evaluate = |total| {
            let (mut one, mut other) = (Parts { total, sum: 0, marks: 0 }, Parts { total, sum: 0, marks: 0 });
            let half = cells.len() / 2;
            let slice = |from, count| columns.iter().map(|column| column.slice(from, count)).collect::<Vec<_>>();
            one.update_batch(&slice(0, half)).unwrap();
            other.update_batch(&slice(half, cells.len() - half)).unwrap();
            let state: Vec<ArrayRef> = other.state().unwrap().iter().map(|value| value.to_array().unwrap()).collect();
            one.merge_batch(&state).unwrap();
            one.evaluate().unwrap()
        };
        match (evaluate(Total::Sum), evaluate(Total::Status)) {
            (ScalarValue::Int64(sum), ScalarValue::Utf8View(status)) => (sum, status),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_sum_is_what_its_worst_part_is() {
        let (five, zero) = ((Some(5), None), (Some(0), None));
        let (withheld, impossible, missing, unmatched) = ((None, Some("c")), (None, Some("z")), (None, Some("x")), (None, None));
        let check = |cells: &[_], sum: Option<i64>, status: Option<&str>| {
            assert_eq!(total(cells), (sum, status.map(str::to_owned)), "{cells:?}");
        };
        check(&[five, five, zero], Some(10), None);
        check(&[five, withheld], None, Some("c"));
        check(&[withheld, five, five, five], None, Some("c"));
        check(&[five, impossible], Some(5), None);
        check(&[impossible, impossible], None, Some("z"));
        check(&[five, missing, withheld], None, Some("x"));
        check(&[five, unmatched], None, Some("x"));
        check(&[], None, Some("x"));
    }

    #[test]
    fn every_cell_that_is_needed_counts() {
        assert_eq!(worse(None, None), None);
        assert_eq!(worse(None, Some("z")), Some("z"));
        assert_eq!(worse(Some("c"), Some("z")), Some("c"));
        assert_eq!(worse(Some("c"), Some("x")), Some("x"));
    }
}
