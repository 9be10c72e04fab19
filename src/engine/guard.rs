//! What a text of SQL must keep to before anybody takes it apart.
//!
//! Planning and computing go down an expression as deep as it is, and a string is as long as what it is made of, times the
//! rows of a batch. Neither is seen by the bounds of memory and time. Both are bounded by what is counted here: by texts without
//! long chains of operators, without long literals, and with few joins of strings. What functions can make strings long by
//! themselves is not there at all ([`UNBOUNDED`]).

use datafusion::sql::sqlparser::{
    dialect::PostgreSqlDialect,
    keywords::Keyword,
    tokenizer::{Token, Tokenizer},
};

use super::SqlError;

/// The longest statement, in bytes.
const LONGEST: usize = 64 << 10;
/// The longest literal, in bytes.
pub const LONGEST_LITERAL: usize = 1000;
/// Operators and words that may make an expression one level deeper.
const MOST_STEPS: usize = 1000;
/// Each may double the length of a string.
const MOST_JOINS: usize = 6;

/// Functions whose result may be any number of times as long as what they are given.
pub(super) const UNBOUNDED: [&str; 25] = [
    "array_append",
    "array_cat",
    "array_concat",
    "array_prepend",
    "array_push_back",
    "array_push_front",
    "array_repeat",
    "array_resize",
    "concat",
    "concat_ws",
    "generate_series",
    "list_append",
    "list_cat",
    "list_concat",
    "list_prepend",
    "list_push_back",
    "list_push_front",
    "list_repeat",
    "list_resize",
    "lpad",
    "range",
    "regexp_replace",
    "repeat",
    "replace",
    "rpad",
];

/// Checks a text.
///
/// # Errors
/// Says what is too long, or that the text cannot be cut into words.
pub(super) fn check(text: &str) -> Result<(), SqlError> {
    if text.len() > LONGEST {
        return Err(SqlError::Wrong(format!("the statement has {} bytes; expected at most {LONGEST}", text.len())));
    }
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize().map_err(|error| SqlError::Wrong(error.to_string()))?;
    let (mut steps, mut joins) = (0, 0);
    for token in &tokens {
        steps += usize::from(deepens(token));
        joins += usize::from(*token == Token::StringConcat);
        if literal(token) > LONGEST_LITERAL {
            return Err(SqlError::Wrong(format!("a literal has more than {LONGEST_LITERAL} bytes")));
        }
    }
    if steps > MOST_STEPS {
        return Err(SqlError::Wrong(format!(
            "the statement has {steps} operators; expected at most {MOST_STEPS}; IN (...) takes lists of any length"
        )));
    }
    if joins > MOST_JOINS {
        return Err(SqlError::Wrong(format!("the statement joins strings {joins} times; expected at most {MOST_JOINS}")));
    }
    Ok(())
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
        assert!(!fits("SELECT a || a || a || a || a || a || a || a"));
        assert!(!fits(&" ".repeat(70_000)));
        assert!(!fits("SELECT 'open"));
    }
}
