//! What a connection says about itself: settings and transactions, which change nothing that others see.

use std::{collections::BTreeMap, sync::Mutex, time::Duration};

use datafusion::sql::sqlparser::ast::{Set, Statement};
use pgwire::error::PgWireError;

use super::refusal::{NO_SETTING, NO_SUCH_VALUE, READ_ONLY, refuse};
use crate::{engine::SCHEMA, parallel::lock};

/// The settings that clients ask of and may set, with what holds at first.
const SETTINGS: [(&str, &str); 26] = [
    ("application_name", ""),
    ("bytea_output", "hex"),
    ("client_encoding", "UTF8"),
    ("client_min_messages", "notice"),
    ("datestyle", "ISO, MDY"),
    ("default_transaction_isolation", "read committed"),
    ("default_transaction_read_only", "on"),
    ("extra_float_digits", "1"),
    ("geqo", "on"),
    ("idle_in_transaction_session_timeout", "0"),
    ("integer_datetimes", "on"),
    ("intervalstyle", "postgres"),
    ("jit", "off"),
    ("lock_timeout", "0"),
    ("max_identifier_length", "63"),
    ("row_security", "on"),
    ("search_path", SCHEMA),
    ("server_encoding", "UTF8"),
    ("server_version", SERVER_VERSION),
    ("server_version_num", "160006"),
    ("session_authorization", SCHEMA),
    ("standard_conforming_strings", "on"),
    ("statement_timeout", "0"),
    ("timezone", "UTC"),
    ("transaction_isolation", "read committed"),
    ("transaction_read_only", "on"),
];

/// The version of PostgreSQL whose clients are served.
pub const SERVER_VERSION: &str = "16.6";

/// What a statement that is not sent to the engine is answered with.
pub enum Said {
    /// Done.
    Done(&'static str),
    /// A transaction begins.
    Begin(&'static str),
    /// A transaction ends.
    End(&'static str),
    /// One row of one text, under a name.
    Shown(String, String),
}

/// The settings of one connection.
#[derive(Debug, Default)]
pub struct Settings(Mutex<BTreeMap<String, String>>);

impl Settings {
    /// The value of a setting.
    pub fn get(&self, name: &str) -> Option<String> {
        let kept = lock(&self.0);
        let known = SETTINGS.iter().find(|(known, _)| *known == name)?.1;
        Some(kept.get(name).cloned().unwrap_or_else(|| known.to_owned()))
    }

    fn set(&self, name: &str, value: &str) -> Result<(), PgWireError> {
        if !SETTINGS.iter().any(|(known, _)| *known == name) {
            return Err(refuse(NO_SETTING, format!("unrecognized configuration parameter \"{name}\"")));
        }
        if matches!(name, "default_transaction_read_only" | "transaction_read_only")
            && !matches!(value.to_ascii_lowercase().as_str(), "on" | "true" | "1")
        {
            return Err(refuse(READ_ONLY, "transactions may only read"));
        }
        if name == "statement_timeout" && duration(value).is_none() {
            return Err(refuse(NO_SUCH_VALUE, format!("invalid value for parameter \"statement_timeout\": \"{value}\"")));
        }
        lock(&self.0).insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    /// How long a statement may take, at most `most`.
    pub fn time(&self, most: Duration) -> Duration {
        let set = self.get("statement_timeout").and_then(|text| duration(&text)).filter(|time| !time.is_zero());
        set.map_or(most, |time| time.min(most))
    }

    /// Answers a statement about the connection; `None` if it is about something else.
    pub fn answer(&self, statement: &Statement) -> Option<Result<Said, PgWireError>> {
        Some(Ok(match statement {
            Statement::StartTransaction { begin, .. } => Said::Begin(if *begin { "BEGIN" } else { "START TRANSACTION" }),
            Statement::Commit { .. } => Said::End("COMMIT"),
            Statement::Rollback { savepoint: None, .. } => Said::End("ROLLBACK"),
            Statement::Rollback { .. } => Said::Done("ROLLBACK"),
            Statement::Savepoint { .. } => Said::Done("SAVEPOINT"),
            Statement::ReleaseSavepoint { .. } => Said::Done("RELEASE"),
            Statement::Deallocate { .. } => Said::Done("DEALLOCATE"),
            Statement::Discard { .. } => Said::Done("DISCARD ALL"),
            Statement::Close { .. } => Said::Done("CLOSE CURSOR"),
            Statement::Reset(_) => {
                lock(&self.0).clear();
                Said::Done("RESET")
            }
            Statement::ShowVariable { variable } => {
                let words: Vec<String> = variable.iter().map(|part| part.value.to_ascii_lowercase()).collect();
                return Some(self.show(&words.join(" ")));
            }
            Statement::Set(set) => return Some(self.take(set).map(|()| Said::Done("SET"))),
            _ => return None,
        }))
    }

    fn show(&self, name: &str) -> Result<Said, PgWireError> {
        let name = match name {
            "transaction isolation level" => "transaction_isolation",
            "time zone" => "timezone",
            name => name,
        };
        match self.get(name) {
            Some(value) => Ok(Said::Shown(name.to_owned(), value)),
            None => Err(refuse(NO_SETTING, format!("unrecognized configuration parameter \"{name}\""))),
        }
    }

    fn take(&self, set: &Set) -> Result<(), PgWireError> {
        let plain = |text: String| text.trim_matches('\'').to_owned();
        match set {
            Set::SingleAssignment { variable, values, .. } => {
                let value = values.iter().map(|value| plain(value.to_string())).collect::<Vec<_>>().join(", ");
                self.set(&variable.to_string().to_ascii_lowercase().replace('"', ""), &value)
            }
            Set::SetTimeZone { value, .. } => self.set("timezone", &plain(value.to_string())),
            Set::SetNames { charset_name, .. } => self.set("client_encoding", &charset_name.value),
            Set::SetTransaction { .. } => match set.to_string().to_ascii_uppercase().contains("READ WRITE") {
                true => Err(refuse(READ_ONLY, "transactions may only read")),
                false => Ok(()),
            },
            other => Err(refuse(NO_SETTING, format!("\"{other}\" is not allowed: there is no such setting"))),
        }
    }
}

/// A time as PostgreSQL writes it: milliseconds, or with a unit.
fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    Some(match text[digits..].trim() {
        "" | "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "min" => Duration::from_secs(number.checked_mul(60)?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        let check = |text: &str, expect: Option<u64>| assert_eq!(duration(text), expect.map(Duration::from_millis), "{text}");
        check("0", Some(0));
        check("250", Some(250));
        check("5s", Some(5000));
        check(" 2 min", Some(120_000));
        check("soon", None);
        check("", None);
        check("-1", None);
    }

    #[test]
    fn no_client_gives_itself_more_time() {
        let settings = Settings::default();
        let most = Duration::from_secs(10);
        assert_eq!(settings.time(most), most);
        settings.set("statement_timeout", "1s").unwrap();
        assert_eq!(settings.time(most), Duration::from_secs(1));
        settings.set("statement_timeout", "60min").unwrap();
        assert_eq!(settings.time(most), most);
        assert!(settings.set("statement_timeout", "soon").is_err());
        assert!(settings.set("datafusion.execution.batch_size", "1").is_err());
    }
}
