//! Errors as clients of PostgreSQL know them: a code of five characters, and a text.

use pgwire::error::{ErrorInfo, PgWireError};

use crate::engine::SqlError;

/// Somebody may not come in.
pub const BAD_AUTHORIZATION: &str = "28000";
/// More than reading is asked for.
pub const READ_ONLY: &str = "25006";
/// Something that there is not.
pub const UNSUPPORTED: &str = "0A000";
/// A setting that is not there.
pub const NO_SETTING: &str = "42704";
/// A setting cannot have that value.
pub const NO_SUCH_VALUE: &str = "22023";
/// An earlier statement of the transaction failed.
pub const ABORTED: &str = "25P02";

/// Words that begin statements which PostgreSQL itself refuses in a transaction that may only read.
const WRITING: [&str; 14] = [
    "INSERT", "UPDATE", "DELETE", "MERGE", "CREATE", "DROP", "ALTER", "TRUNCATE", "COPY", "GRANT", "REVOKE", "COMMENT", "VACUUM", "REFRESH",
];

/// An error that ends a statement and leaves the connection in use.
pub fn refuse(code: &str, message: impl Into<String>) -> PgWireError {
    PgWireError::UserError(Box::new(ErrorInfo::new("ERROR".into(), code.into(), message.into())))
}

/// An error of a statement.
pub fn refusal(error: SqlError) -> PgWireError {
    let message = error.to_string();
    match error {
        SqlError::NotReading(what) => refuse(if WRITING.contains(&what.as_str()) { READ_ONLY } else { UNSUPPORTED }, message),
        SqlError::TooLong(_) => refuse("57014", message),
        SqlError::Busy => refuse("53300", message),
        SqlError::TooManyRows(_) => refuse("54000", format!("{message}; ask for fewer, with WHERE or LIMIT")),
        SqlError::TooManyBytes(_) => refuse("54000", format!("{message}; ask for less, with WHERE or LIMIT")),
        SqlError::TooMuchMemory => refuse("53200", message),
        SqlError::Failed(error) => {
            // What went wrong inside stays inside, as it does over HTTP.
            tracing::error!(%error, "a statement failed");
            refuse("XX000", "the service failed to answer; its log says why")
        }
        SqlError::Wrong(_) => refuse(class(&message), message),
    }
}

/// The code that fits a text of the engine, which has kinds of errors of its own.
fn class(message: &str) -> &'static str {
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if has(&["table '", "not found"]) && message.contains("table '") {
        "42P01"
    } else if has(&["No field named", "Schema error"]) {
        "42703"
    } else if has(&["Invalid function", "No function matches"]) {
        "42883"
    } else if has(&["Cannot cast", "Cast error", "cast"]) {
        "22P02"
    } else if has(&["not allowed", "DML not supported", "DDL not supported", "Statement not supported"]) {
        READ_ONLY
    } else if has(&["Divide by zero", "division by zero"]) {
        "22012"
    } else {
        "42601"
    }
}
