//! The functions that statements may call, each with what is known of the length of its results.
//!
//! Whatever is not on this list is refused by name: a function that comes with a new version of the engine is looked at before anybody may
//! call it. The list is applied to plans, not to texts, so that what the planner makes of `ARRAY[...]`, `||` or `[...]` is held to it as well.

use std::{collections::BTreeSet, sync::Arc};

use arrow::datatypes::DataType;
use datafusion::{
    common::{
        Result as PlanResult, plan_err,
        tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion},
    },
    logical_expr::{
        Expr, ExprSchemable, LogicalPlan, Operator, WindowFunctionDefinition, expr::ScalarFunction, expr_rewriter::NamePreserver,
        utils::merge_schema,
    },
};

use super::{
    bounded_aggregate::{BoundedAggregate, GATHERING},
    bounded_function::{BoundedFunction, Growth, Measured, Most},
};

/// Bytes that all expressions of a statement together may make of one batch of rows, and bounds of what a single one may.
const ALL: u64 = 64 << 20;
const MOST_OF_ONE: u64 = 4 << 20;
const LEAST_OF_ONE: u64 = 64 << 10;
/// Bytes of all constants together that a statement may make: as many as a text of it may have literals.
const ALL_CONSTANTS: u64 = 64 << 10;
/// Expressions that the planner writes out twice (`coalesce`, `BETWEEN`), one within another.
const MOST_DOUBLED: usize = 10;

/// What is known of a function.
#[derive(Debug, Clone, Copy)]
enum Class {
    /// Its results are numbers, dates or the like, or the planner replaces it by something that is looked at.
    Plain,
    /// Its results are texts or lists.
    Bounded(Growth),
}

const SAME: Class = Class::Bounded(Growth::Times(1));

/// What a function is known for; `None` if it may not be called.
fn class(name: &str) -> Option<Class> {
    use Growth::*;
    Some(match name {
        // Numbers.
        "abs" | "acos" | "acosh" | "asin" | "asinh" | "atan" | "atan2" | "atanh" | "cbrt" | "ceil" | "cos" | "cosh" | "cot" | "degrees"
        | "exp" | "factorial" | "floor" | "gcd" | "isnan" | "iszero" | "lcm" | "ln" | "log" | "log10" | "log2" | "nanvl" | "pi" | "pow"
        | "power" | "radians" | "rand" | "random" | "round" | "signum" | "sin" | "sinh" | "sqrt" | "tan" | "tanh" | "trunc" => Class::Plain,
        // Dates and times.
        "current_date"
        | "current_time"
        | "current_timestamp"
        | "date_bin"
        | "date_part"
        | "date_trunc"
        | "datepart"
        | "datetrunc"
        | "from_unixtime"
        | "make_date"
        | "make_time"
        | "now"
        | "to_date"
        | "to_local_time"
        | "to_time"
        | "to_timestamp"
        | "to_timestamp_micros"
        | "to_timestamp_millis"
        | "to_timestamp_nanos"
        | "to_timestamp_seconds"
        | "to_unixtime"
        | "today" => Class::Plain,
        "to_char" | "date_format" => Class::Bounded(Times(32)),
        // Texts that are told of in numbers.
        "ascii" | "bit_length" | "character_length" | "char_length" | "contains" | "ends_with" | "find_in_set" | "instr" | "length"
        | "levenshtein" | "octet_length" | "position" | "regexp_count" | "regexp_instr" | "regexp_like" | "starts_with" | "strpos" => {
            Class::Plain
        }
        // Texts that stay as long, or become shorter.
        "btrim" | "left" | "ltrim" | "md5" | "nullif" | "reverse" | "right" | "rtrim" | "split_part" | "substr" | "substr_index"
        | "substring" | "substring_index" | "trim" | "sha224" | "sha256" | "sha384" | "sha512" | "decode" | "chr" | "to_hex" | "uuid"
        | "arrow_typeof" => SAME,
        // A letter of another case, or in the place of another, may take more bytes.
        "initcap" | "lower" | "upper" => Class::Bounded(Times(3)),
        "translate" | "encode" => Class::Bounded(Times(4)),
        "concat" | "concat_ws" | "overlay" | "make_array" | "make_list" | "array_append" | "array_concat" | "array_cat"
        | "array_prepend" | "array_push_back" | "array_push_front" | "list_append" | "list_cat" | "list_concat" | "list_prepend"
        | "list_push_back" | "list_push_front" | "array_union" | "list_union" => Class::Bounded(Sum),
        "repeat" | "array_repeat" | "list_repeat" => Class::Bounded(Repeat),
        "lpad" | "rpad" => Class::Bounded(Pad),
        "array_resize" | "list_resize" => Class::Bounded(Resize),
        "replace" => Class::Bounded(Replace),
        "regexp_replace" => Class::Bounded(RegexpReplace),
        "regexp_match" => Class::Bounded(RegexpMatch),
        "array_to_string" | "array_join" | "list_to_string" | "list_join" => Class::Bounded(Join),
        "string_to_array" | "string_to_list" => Class::Bounded(Split),
        "generate_series" | "range" => Class::Bounded(Series),
        "array_replace" | "array_replace_n" | "array_replace_all" | "list_replace" | "list_replace_n" | "list_replace_all" => {
            Class::Bounded(ReplaceValues)
        }
        // Lists that are told of in numbers, or become shorter.
        "array_has" | "array_has_all" | "array_has_any" | "array_contains" | "list_has" | "list_contains" | "list_has_all"
        | "list_has_any" | "arrays_overlap" | "array_length" | "list_length" | "array_ndims" | "list_ndims" | "array_position"
        | "list_position" | "array_indexof" | "list_indexof" | "cardinality" | "empty" | "array_empty" | "list_empty" => Class::Plain,
        "array_any_value" | "list_any_value" | "array_dims" | "list_dims" | "array_distinct" | "list_distinct" | "array_element"
        | "array_extract" | "list_element" | "list_extract" | "array_except" | "list_except" | "array_intersect" | "list_intersect"
        | "array_max" | "list_max" | "array_min" | "list_min" | "array_pop_back" | "array_pop_front" | "list_pop_back"
        | "list_pop_front" | "array_positions" | "list_positions" | "array_remove" | "array_remove_n" | "array_remove_all"
        | "list_remove" | "list_remove_n" | "list_remove_all" | "array_reverse" | "list_reverse" | "array_slice" | "list_slice"
        | "array_sort" | "list_sort" | "flatten" => SAME,
        // Choices among values. The planner writes some of them as CASE.
        "coalesce" | "ifnull" | "nvl" | "nvl2" => Class::Plain,
        "greatest" | "least" => SAME,
        _ => return None,
    })
}

/// Functions of many rows that statements may call. What they keep is counted by the engine; what gathers values is bounded besides.
const AGGREGATES: [&str; 48] = [
    "approx_distinct",
    "approx_median",
    "approx_percentile_cont",
    "approx_percentile_cont_with_weight",
    "array_agg",
    "avg",
    "mean",
    "bit_and",
    "bit_or",
    "bit_xor",
    "bool_and",
    "bool_or",
    "every",
    "corr",
    "count",
    "covar",
    "covar_pop",
    "covar_samp",
    "first_value",
    "grouping",
    "last_value",
    "max",
    "median",
    "min",
    "nth_value",
    "percentile_cont",
    "quantile_cont",
    "regr_avgx",
    "regr_avgy",
    "regr_count",
    "regr_intercept",
    "regr_r2",
    "regr_slope",
    "regr_sxx",
    "regr_sxy",
    "regr_syy",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "string_agg",
    "sum",
    "var",
    "var_pop",
    "var_samp",
    "var_population",
    "var_sample",
    "listagg",
    "mode",
];

/// Functions of a row within others.
const WINDOWS: [&str; 11] =
    ["row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile", "lag", "lead", "first_value", "last_value", "nth_value"];

/// The names of functions that are ours, which are known to be bounded.
#[derive(Debug, Clone, Default)]
pub(super) struct OwnFunctions(pub(super) BTreeSet<String>);

/// A plan whose functions are all known and bounded.
///
/// # Errors
/// Names a function that statements may not call.
pub(super) fn bounded(plan: LogicalPlan, own: &OwnFunctions) -> PlanResult<LogicalPlan> {
    let mut count = 0;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            doubled(expression, 0)?;
            expression.apply(|part| {
                count += u64::from(check(part, own)?);
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    if count == 0 {
        return Ok(plan);
    }
    let most = Most { batch: (ALL / count).clamp(LEAST_OF_ONE, MOST_OF_ONE), constant: ALL_CONSTANTS / count };
    let measured = Arc::new(Measured::function(most));
    plan.transform_up_with_subqueries(|node| {
        let names = NamePreserver::new(&node);
        // In a condition, results live no longer than it takes to compare them, and what stands around a column keeps it from choosing
        // what is read.
        let is_condition = matches!(node, LogicalPlan::Filter(_) | LogicalPlan::Join(_) | LogicalPlan::TableScan(_));
        let schema = merge_schema(&node.inputs());
        node.map_expressions(|expression| {
            let name = names.save(&expression);
            let rewritten = expression.transform_up(|part| {
                Ok(match part {
                    Expr::ScalarFunction(call) => match class(call.func.name()) {
                        Some(Class::Plain) => Transformed::no(Expr::ScalarFunction(call)),
                        Some(Class::Bounded(growth)) => Transformed::yes(wrapped(call, growth, most)),
                        None => Transformed::yes(wrapped(call, Growth::Times(1), most)),
                    },
                    Expr::BinaryExpr(ref operation) if operation.op == Operator::StringConcat => {
                        Transformed::yes(Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(&measured), vec![part])))
                    }
                    Expr::Cast(_) | Expr::TryCast(_) | Expr::Case(_)
                        if !is_condition && part.get_type(&schema).is_ok_and(|kind| is_long(&kind)) =>
                    {
                        Transformed::yes(Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(&measured), vec![part])))
                    }
                    Expr::AggregateFunction(mut call) if GATHERING.contains(&call.func.name()) => {
                        call.func = Arc::new(BoundedAggregate::wrap(&call.func));
                        Transformed::yes(Expr::AggregateFunction(call))
                    }
                    Expr::WindowFunction(mut call) => match &call.fun {
                        WindowFunctionDefinition::AggregateUDF(function) if GATHERING.contains(&function.name()) => {
                            call.fun = WindowFunctionDefinition::AggregateUDF(Arc::new(BoundedAggregate::wrap(function)));
                            Transformed::yes(Expr::WindowFunction(call))
                        }
                        _ => Transformed::no(Expr::WindowFunction(call)),
                    },
                    part => Transformed::no(part),
                })
            })?;
            Ok(rewritten.update_data(|expression| name.restore(expression)))
        })?
        .map_data(LogicalPlan::recompute_schema)
    })
    .data()
}

fn wrapped(call: ScalarFunction, growth: Growth, most: Most) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(BoundedFunction::wrap(&call.func, growth, most)), call.args))
}

/// Whether a part of an expression may be called, and has a result that is measured.
fn check(part: &Expr, own: &OwnFunctions) -> PlanResult<bool> {
    let refused = |name: &str| plan_err!("the function {name} is not available here");
    match part {
        Expr::ScalarFunction(call) => match class(call.func.name()) {
            Some(class) => Ok(matches!(class, Class::Bounded(_))),
            None if own.0.contains(call.func.name()) => Ok(true),
            None => refused(call.func.name()),
        },
        Expr::AggregateFunction(call) => {
            let name = call.func.name();
            if AGGREGATES.contains(&name) || own.0.contains(name) { Ok(GATHERING.contains(&name)) } else { refused(name) }
        }
        Expr::WindowFunction(call) => {
            let name = call.fun.name();
            let is_known = WINDOWS.contains(&name) || AGGREGATES.contains(&name) || own.0.contains(name);
            if is_known { Ok(GATHERING.contains(&name)) } else { refused(name) }
        }
        Expr::HigherOrderFunction(call) => refused(call.func.name()),
        Expr::BinaryExpr(operation) => Ok(operation.op == Operator::StringConcat),
        Expr::Cast(_) | Expr::TryCast(_) | Expr::Case(_) => Ok(true),
        _ => Ok(false),
    }
}

/// Refuses what the planner would write out too often: each of these stands there twice afterwards, and so does all within it.
fn doubled(expression: &Expr, depth: usize) -> PlanResult<()> {
    let is_doubled = match expression {
        Expr::Between(_) => true,
        Expr::ScalarFunction(call) => matches!(call.func.name(), "coalesce" | "ifnull" | "nvl" | "nvl2" | "nullif"),
        _ => false,
    };
    let depth = depth + usize::from(is_doubled);
    if depth > MOST_DOUBLED {
        return plan_err!("COALESCE and BETWEEN stand within each other more than {MOST_DOUBLED} deep");
    }
    expression.apply_children(|child| doubled(child, depth).map(|()| TreeNodeRecursion::Continue)).map(drop)
}

/// Whether values of a type may be of any length.
pub(super) fn is_long(kind: &DataType) -> bool {
    kind.is_nested()
        || matches!(
            kind,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Binary | DataType::LargeBinary | DataType::BinaryView
        )
}
