//! The catalogs and functions by which clients of PostgreSQL find out what there is.

use std::{collections::BTreeSet, ops::ControlFlow, sync::Arc};

use arrow::{
    array::{ArrayRef, AsArray, Int32Array, ListBuilder, StringArray, StringBuilder},
    datatypes::{DataType, Field},
};
use datafusion::{
    common::ScalarValue,
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, create_udf},
    prelude::SessionContext,
    sql::sqlparser::{
        ast::{Expr, SelectItem, SetExpr, Statement, Value, visit_expressions, visit_expressions_mut},
        dialect::PostgreSqlDialect,
        parser::{Parser, ParserError},
    },
};
use datafusion_pg_catalog::pg_catalog::{PgCatalogSchemaProvider, PgCatalogStaticTables, context::EmptyContextProvider, setup_pg_catalog};

use super::sql::SCHEMA;
use crate::error::{Error, Result};

/// Clients read the version of PostgreSQL out of this, and take it for what they may ask.
const VERSION: &str = concat!("PostgreSQL 16.6 (cacah ", env!("CARGO_PKG_VERSION"), ")");

/// The types that values may have, with their numbers in `pg_type`.
const TYPES: [(&str, i32); 17] = [
    ("bool", 16),
    ("bytea", 17),
    ("int8", 20),
    ("int2", 21),
    ("int4", 23),
    ("text", 25),
    ("oid", 26),
    ("json", 114),
    ("float4", 700),
    ("float8", 701),
    ("varchar", 1043),
    ("date", 1082),
    ("timestamp", 1114),
    ("timestamptz", 1184),
    ("numeric", 1700),
    ("uuid", 2950),
    ("jsonb", 3802),
];

/// What clients ask of sequences, comments, indexes, views and settings of storage, of which there are none.
const NOTHING: [&str; 7] =
    ["obj_description", "col_description", "shobj_description", "pg_get_indexdef", "pg_get_viewdef", "pg_get_ruledef", "current_setting"];

/// The catalogs that are the same for everybody: types, functions, operators of PostgreSQL. They are megabytes.
pub(super) type StaticCatalogs = Arc<PgCatalogStaticTables>;

/// Adds `pg_catalog` to a session, with our schema as the one that is searched; gives what sessions of other tables share of it.
pub(super) fn install(context: &SessionContext) -> Result<StaticCatalogs> {
    setup_pg_catalog(context, SCHEMA, EmptyContextProvider).map_err(|error| *error)?;
    let catalogs = Arc::new(PgCatalogStaticTables::try_new()?);
    share(context, &catalogs)?;
    context.register_udf(constant("version", VERSION));
    context.register_udf(constant("current_schema", SCHEMA));
    context.register_udf(constant("current_catalog", SCHEMA));
    context.register_udf(schemas());
    context.register_udf(to_regtype());
    context.register_udf(like_pattern());
    NOTHING.into_iter().for_each(|name| context.register_udf(ScalarUDF::new_from_impl(Nothing::new(name))));
    Ok(catalogs)
}

/// Adds `pg_catalog` to a session that has the functions of another one.
pub(super) fn share(context: &SessionContext, catalogs: &StaticCatalogs) -> Result<()> {
    let tables = Arc::clone(context.state_ref().read().catalog_list());
    let schema = PgCatalogSchemaProvider::try_new(tables, Arc::clone(catalogs), EmptyContextProvider)?;
    let catalog = context.catalog(SCHEMA).ok_or_else(|| Error::Internal("a session without its catalog".into()))?;
    catalog.register_schema("pg_catalog", Arc::new(schema))?;
    Ok(())
}

fn constant(name: &str, text: &'static str) -> ScalarUDF {
    let give = move |_: &[ColumnarValue]| Ok(ColumnarValue::Scalar(ScalarValue::Utf8(Some(text.to_owned()))));
    create_udf(name, Vec::new(), DataType::Utf8, Volatility::Stable, Arc::new(give))
}

/// `current_schemas`, which clients ask which names they may write without a schema.
fn schemas() -> ScalarUDF {
    let give = |_: &[ColumnarValue]| {
        let mut list = ListBuilder::new(StringBuilder::new());
        list.append_value([Some(SCHEMA), Some("pg_catalog"), Some("information_schema")]);
        Ok(ColumnarValue::Array(Arc::new(list.finish()) as ArrayRef))
    };
    let list = DataType::List(Arc::new(Field::new("item", DataType::Utf8, true)));
    create_udf("current_schemas", vec![DataType::Boolean], list, Volatility::Stable, Arc::new(give))
}

/// A function that has nothing to tell, whatever it is asked.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Nothing {
    name: &'static str,
    signature: Signature,
}

impl Nothing {
    fn new(name: &'static str) -> Self {
        Self { name, signature: Signature::variadic_any(Volatility::Stable) }
    }
}

impl ScalarUDFImpl for Nothing {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> datafusion::common::Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> datafusion::common::Result<ColumnarValue> {
        Ok(ColumnarValue::Scalar(ScalarValue::Utf8(None)))
    }
}

/// `to_regtype`, by which clients find out whether there is a type of a name.
fn to_regtype() -> ScalarUDF {
    let give = |columns: &[ColumnarValue]| {
        let columns = ColumnarValue::values_to_arrays(columns)?;
        let number = |name: Option<&str>| TYPES.iter().find(|(known, _)| Some(*known) == name).map(|(_, number)| *number);
        Ok(ColumnarValue::Array(Arc::new(columns[0].as_string::<i32>().iter().map(number).collect::<Int32Array>())))
    };
    create_udf("to_regtype", vec![DataType::Utf8], DataType::Int32, Volatility::Stable, Arc::new(give))
}

/// What columns here never have: defaults, sequences, collations. What is asked of these for a row is nothing, and asking it
/// row by row is more than the engine can plan.
const ABSENT: [&str; 4] = ["pg_attrdef", "pg_sequence", "pg_collation", "typcollation"];

/// Catalogues that are always empty, because tables here have no keys and no indexes.
const EMPTY: [&str; 2] = ["pg_constraint", "pg_index"];
/// What clients do with the keys of these catalogues and the engine cannot plan.
const TAKEN_APART: [&str; 2] = ["generate_subscripts(", "unnest("];

/// The same question with no rows for an answer, if it is one that takes the keys of empty catalogues apart. Its parameters stay.
fn without_rows(statement: &Statement) -> Option<Result<Statement, ParserError>> {
    let Statement::Query(query) = statement else { return None };
    let text = statement.to_string();
    let asks = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let SetExpr::Select(select) = query.body.as_ref() else { return None };
    if !asks(&EMPTY) || !asks(&TAKEN_APART) {
        return None;
    }
    let name = |item: &SelectItem| match item {
        SelectItem::ExprWithAlias { alias, .. } => alias.value.clone(),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => parts.last().map(|part| part.value.clone()).unwrap_or_default(),
        other => other.to_string(),
    };
    let columns: Vec<String> =
        select.projection.iter().map(|item| format!("CAST(NULL AS TEXT) AS \"{}\"", name(item).replace('"', ""))).collect();
    let mut parameters = BTreeSet::new();
    let _ = visit_expressions(statement, |expression| {
        if let Expr::Value(value) = expression
            && let Value::Placeholder(parameter) = &value.value
        {
            parameters.insert(parameter.clone());
        }
        ControlFlow::<()>::Continue(())
    });
    let kept: String = parameters.iter().map(|parameter| format!(" AND CAST({parameter} AS TEXT) IS NULL")).collect();
    let empty = format!("SELECT {} WHERE FALSE{kept}", columns.join(", "));
    Some(Parser::new(&PostgreSqlDialect {}).try_with_sql(&empty).and_then(|mut parser| parser.parse_statement()))
}

/// A column of `pg_class` about storage, which the engine's catalogue lacks.
const STORAGE: &str = "reloptions";

/// Puts what clients write into words that the engine knows: patterns with an escape of their own choice
/// (`LIKE 'a/_%' ESCAPE '/'`), and questions for what is not there.
pub(super) fn rewrite(statement: &mut Statement) -> Result<(), ParserError> {
    if let Some(empty) = without_rows(statement) {
        *statement = empty?;
        return Ok(());
    }
    let mut failed = Ok(());
    let _ = visit_expressions_mut(statement, |expression| {
        match expression {
            Expr::Like { escape_char, pattern, .. } | Expr::ILike { escape_char, pattern, .. } => {
                if let Some(escape) = escape_char.take() {
                    let call = format!("like_pattern(CAST({pattern} AS TEXT), {escape})");
                    match Parser::new(&PostgreSqlDialect {}).try_with_sql(&call).and_then(|mut parser| parser.parse_expr()) {
                        Ok(call) => **pattern = call,
                        Err(error) => failed = Err(error),
                    }
                }
            }
            Expr::CompoundIdentifier(parts) if parts.last().is_some_and(|part| part.value == STORAGE) => {
                *expression = Expr::value(Value::Null);
            }
            Expr::Subquery(asked) => {
                let asked = asked.to_string();
                if ABSENT.iter().any(|absent| asked.contains(absent)) {
                    *expression = Expr::value(Value::Null);
                }
            }
            _ => {}
        }
        ControlFlow::<()>::Continue(())
    });
    failed
}

/// `like_pattern(pattern, escape)`: the same pattern with the backslash as its escape.
fn like_pattern() -> ScalarUDF {
    let give = |columns: &[ColumnarValue]| {
        let columns = ColumnarValue::values_to_arrays(columns)?;
        let (patterns, escapes) = (columns[0].as_string::<i32>(), columns[1].as_string::<i32>());
        let plain = patterns.iter().zip(escapes).map(|(pattern, escape)| Some(with_backslashes(pattern?, escape?)));
        Ok(ColumnarValue::Array(Arc::new(plain.collect::<StringArray>())))
    };
    create_udf("like_pattern", vec![DataType::Utf8, DataType::Utf8], DataType::Utf8, Volatility::Immutable, Arc::new(give))
}

fn with_backslashes(pattern: &str, escape: &str) -> String {
    let escape = escape.chars().next();
    let mut plain = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(char) = chars.next() {
        if Some(char) == escape {
            plain.push('\\');
            plain.extend(chars.next());
        } else if char == '\\' {
            plain.push_str("\\\\");
        } else {
            plain.push(char);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_for_keys_have_no_rows() {
        let rewritten = |text: &str| {
            let mut statements = Parser::parse_sql(&PostgreSqlDialect {}, text).unwrap();
            rewrite(&mut statements[0]).unwrap();
            statements[0].to_string()
        };
        let asked = "SELECT a.conrelid, min(a.x) AS \"least\" FROM (SELECT unnest(i.indkey) AS k FROM pg_index i WHERE i.x = $1) AS a WHERE a.y = $2";
        let expected = "SELECT CAST(NULL AS TEXT) AS \"conrelid\", CAST(NULL AS TEXT) AS \"least\" WHERE false \
             AND CAST($1 AS TEXT) IS NULL AND CAST($2 AS TEXT) IS NULL";
        assert_eq!(rewritten(asked), expected);
        for other in ["SELECT unnest(ARRAY[1, 2])", "SELECT * FROM pg_index"] {
            assert_eq!(rewritten(other), other);
        }
    }

    #[test]
    fn escapes_become_backslashes() {
        let check = |pattern: &str, escape: &str, expect: &str| assert_eq!(with_backslashes(pattern, escape), expect, "{pattern}");
        check("pg/_%", "/", r"pg\_%");
        check("a//b", "/", r"a\/b");
        check(r"a\b", "/", r"a\\b");
        check(r"a\_", r"\", r"a\_");
        check("plain%", "", "plain%");
    }
}
