//! What a text of SQL must keep to before anybody takes it apart.
//!
//! Planning and computing go down an expression as deep as it is, and a statement in which every `WITH` reads the one before it twice is
//! written out into as many tables as two has powers. Neither is seen by the bounds of memory and time. Both are bounded by what is counted
//! here: texts have no long chains of operators and no long literals, and statements read few tables once they are written out.

use std::{collections::HashMap, ops::ControlFlow};

use datafusion::{
    common::{Result as PlanResult, plan_err, tree_node::TreeNodeRecursion},
    logical_expr::LogicalPlan,
    sql::sqlparser::{
        ast::{Expr, GroupByExpr, Ident, ObjectName, Query, Select, SetExpr, Statement, Visit, Visitor},
        dialect::PostgreSqlDialect,
        keywords::Keyword,
        tokenizer::{Token, Tokenizer},
    },
};

use super::SqlError;

/// The longest statement, in bytes.
const LONGEST: usize = 64 << 10;
/// The longest literal, in bytes.
pub const LONGEST_LITERAL: usize = 1000;
/// Operators and words that may make an expression one level deeper.
const MOST_STEPS: usize = 1000;
/// Tables that a query reads, each as often as it is read once all `WITH` are written out.
const MOST_TABLES: usize = 200;
/// Steps of a plan once all `WITH` are written out.
const MOST_NODES: usize = 4000;
/// Groupings of one `GROUP BY` with `CUBE`, `ROLLUP` or `GROUPING SETS`.
const MOST_GROUPINGS: usize = 64;

/// Checks a text.
///
/// # Errors
/// Says what is too long, or that the text cannot be cut into words.
pub(super) fn check(text: &str) -> Result<(), SqlError> {
    if text.len() > LONGEST {
        return Err(SqlError::Wrong(format!("the statement has {} bytes; expected at most {LONGEST}", text.len())));
    }
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize().map_err(|error| SqlError::Wrong(error.to_string()))?;
    let mut steps = 0;
    for token in &tokens {
        steps += usize::from(deepens(token));
        if literal(token) > LONGEST_LITERAL {
            return Err(SqlError::Wrong(format!("a literal has more than {LONGEST_LITERAL} bytes")));
        }
    }
    if steps > MOST_STEPS {
        return Err(SqlError::Wrong(format!(
            "the statement has {steps} operators; expected at most {MOST_STEPS}; IN (...) takes lists of any length"
        )));
    }
    Ok(())
}

/// Checks what a statement is written out into, before it is planned: the planner does so for each part of a `WITH`, read or not. Says what there is
/// too much of.
pub(super) fn check_shape(statement: &Statement) -> Result<(), String> {
    let mut shape = Shape::default();
    let _ = statement.visit(&mut shape);
    let Shape { tables, groupings, .. } = shape;
    if tables > MOST_TABLES {
        return Err(format!("the statement reads {tables} tables once every WITH is written out; expected at most {MOST_TABLES}"));
    }
    if groupings > MOST_GROUPINGS {
        return Err(format!("CUBE, ROLLUP or GROUPING SETS make {groupings} groupings; expected at most {MOST_GROUPINGS}"));
    }
    Ok(())
}

/// What is counted in a statement.
#[derive(Default)]
struct Shape {
    /// The queries around what is looked at, the innermost last.
    around: Vec<OpenQuery>,
    /// The most tables that one query reads.
    tables: usize,
    /// The most groupings of one `GROUP BY`.
    groupings: usize,
}

/// A query that is being looked at.
#[derive(Default)]
struct OpenQuery {
    /// The parts of its `WITH` that were not looked at yet, by where they lie.
    parts: HashMap<*const Query, String>,
    /// How many tables each of the others reads.
    known: HashMap<String, usize>,
    /// Tables that it reads itself.
    tables: usize,
}

fn lower(name: &Ident) -> String {
    name.value.to_ascii_lowercase()
}

impl Visitor for Shape {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let parts = query.with.iter().flat_map(|with| &with.cte_tables);
        let parts = parts.map(|part| (std::ptr::from_ref(&*part.query), lower(&part.alias.name))).collect();
        self.around.push(OpenQuery { parts, ..OpenQuery::default() });
        if let SetExpr::Select(select) = &*query.body {
            self.look_at(select);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
        let name = name.0.last().and_then(|part| part.as_ident()).map(lower).unwrap_or_default();
        let tables = self.around.iter().rev().find_map(|query| query.known.get(&name)).copied().unwrap_or(1);
        if let Some(own) = self.around.last_mut() {
            own.tables = own.tables.saturating_add(tables);
        }
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let tables = self.around.pop().map_or(0, |done| done.tables);
        self.tables = self.tables.max(tables);
        if let Some(outer) = self.around.last_mut() {
            match outer.parts.remove(&std::ptr::from_ref(query)) {
                Some(name) => _ = outer.known.insert(name, tables),
                None => outer.tables = outer.tables.saturating_add(tables),
            }
        }
        ControlFlow::Continue(())
    }
}

impl Shape {
    fn look_at(&mut self, select: &Select) {
        let GroupByExpr::Expressions(groups, _) = &select.group_by else { return };
        let groupings = |group: &Expr| match group {
            Expr::Cube(sets) => 1_usize.checked_shl(sets.len() as u32).unwrap_or(usize::MAX),
            Expr::Rollup(sets) => sets.len() + 1,
            Expr::GroupingSets(sets) => sets.len(),
            _ => 1,
        };
        self.groupings = self.groupings.max(groups.iter().map(groupings).fold(1, usize::saturating_mul));
    }
}

/// Checks how large a plan is once it is written out as a tree; says how large.
pub(super) fn check_size(plan: &LogicalPlan) -> PlanResult<()> {
    let size = size_of_tree(plan, &mut HashMap::new())?;
    if size > MOST_NODES {
        return plan_err!(
            "the statement is written out into {size} steps, because WITH is read again and again; expected at most {MOST_NODES}"
        );
    }
    Ok(())
}

/// Nodes of a plan whose shared parts are counted wherever they stand, though each is looked at once.
fn size_of_tree(plan: &LogicalPlan, known: &mut HashMap<*const LogicalPlan, usize>) -> PlanResult<usize> {
    if let Some(size) = known.get(&std::ptr::from_ref(plan)) {
        return Ok(*size);
    }
    let mut size = 1_usize;
    for input in plan.inputs() {
        size = size.saturating_add(size_of_tree(input, known)?);
    }
    plan.apply_subqueries(|subquery| {
        // The subquery itself lies where it is looked at; what it reads is shared.
        for input in subquery.inputs() {
            size = size.saturating_add(size_of_tree(input, known)?);
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    known.insert(std::ptr::from_ref(plan), size);
    Ok(size)
}

/// Whether a token may stand in a chain that makes an expression or a query deeper with every link.
fn deepens(token: &Token) -> bool {
    match token {
        Token::Word(word) => !matches!(word.keyword, Keyword::NoKeyword),
        Token::Number(..) | Token::Comma | Token::Period | Token::SemiColon | Token::Whitespace(_) | Token::LParen | Token::RParen => false,
        other => literal(other) == 0 && !matches!(other, Token::SingleQuotedString(_) | Token::Placeholder(_)),
    }
}

fn literal(token: &Token) -> usize {
    match token {
        Token::SingleQuotedString(text)
        | Token::DoubleQuotedString(text)
        | Token::NationalStringLiteral(text)
        | Token::EscapedStringLiteral(text)
        | Token::UnicodeStringLiteral(text)
        | Token::HexStringLiteral(text) => text.len(),
        Token::DollarQuotedString(text) => text.value.len(),
        Token::Number(text, _) => text.len(),
        Token::Word(word) => word.value.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::parser::Parser;

    use super::*;

    #[test]
    fn chains_are_short_and_lists_may_be_long() {
        let fits = |text: &str| check(text).is_ok();
        assert!(fits("SELECT a FROM t WHERE b = 'x' AND c > 1"));
        assert!(fits(&format!("SELECT a FROM t WHERE b IN ({}'z')", "'a', ".repeat(5000))));
        assert!(fits(&format!("SELECT {}1", "1 + ".repeat(900))));
        assert!(!fits(&format!("SELECT {}1", "1 + ".repeat(1100))));
        assert!(!fits(&format!("SELECT a FROM t WHERE {}true", "b OR ".repeat(1100))));
        assert!(!fits(&format!("SELECT a{} FROM t", "::text".repeat(1100))));
        assert!(!fits(&format!("SELECT a FROM t{}", " JOIN t".repeat(1100))));
        assert!(!fits(&format!("SELECT '{}'", "x".repeat(1001))));
        assert!(!fits(&format!("SELECT $q${}$q$", "x".repeat(1001))));
        assert!(!fits(&" ".repeat(70_000)));
        assert!(!fits("SELECT 'open"));
    }

    #[test]
    fn statements_are_not_written_out_without_end() {
        let shape = |text: &str| {
            let mut statements = Parser::parse_sql(&PostgreSqlDialect {}, text).unwrap();
            check_shape(&statements.remove(0))
        };
        let doubling = |times: usize| {
            let with = (1..=times).map(|at| format!("T{at} AS (SELECT 1 FROM t{0} a, t{0} b)", at - 1)).collect::<Vec<_>>().join(", ");
            format!("WITH t0 AS (SELECT 1 FROM p), {with} SELECT * FROM")
        };
        assert!(shape(&format!("{} t7", doubling(7))).is_ok());
        assert!(shape(&format!("{} t8", doubling(8))).unwrap_err().contains("256 tables"));
        // Whether it is read or not, and wherever it stands.
        assert!(shape(&format!("{} p", doubling(8))).is_err());
        assert!(shape(&format!("EXPLAIN {} p", doubling(60))).is_err());
        assert!(shape(&format!("SELECT (SELECT 1 FROM ({} t60) x)", doubling(60))).is_err());
        // As deep as may be written, which is looked at once.
        let deep = (0..40).fold("SELECT 1 FROM p".to_owned(), |within, at| format!("WITH d{at} AS ({within}) SELECT 1 FROM d{at}"));
        let looked_at = shape(&deep);
        assert_eq!(looked_at, Ok(()));
        assert!(shape("SELECT * FROM (WITH a AS (SELECT 1 FROM p, p q) SELECT * FROM a, a b) x").is_ok());
        assert!(shape("WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT 1 FROM r) SELECT * FROM r, r s").is_ok());
        assert!(shape("SELECT 1 FROM p GROUP BY CUBE (a, b, c, d, e, f)").is_ok());
        assert!(shape("SELECT 1 FROM p GROUP BY CUBE (a, b, c, d, e, f, g)").unwrap_err().contains("128 groupings"));
        assert!(shape("SELECT 1 WHERE EXISTS (SELECT 1 FROM p GROUP BY ROLLUP (a, b), CUBE (c, d, e, f, g, h))").is_err());
    }
}
