//! Who reads over a connection, and what he therefore sees. He is looked at again with every statement, so that who is suspended reads no
//! further.

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::Instant,
};

use arrow::array::{AsArray as _, RecordBatch};
use chrono::Utc;
use pgwire::error::{PgWireError, PgWireResult};

use super::refusal::{BAD_AUTHORIZATION, refusal, refuse};
use crate::{
    access::{Access, Attempt, Caller, Record, SignedIn, Who, is_key},
    engine::{SCHEMA, SqlError},
    error::Error,
    serve::{Shared, renewal::Current, seen::Audience},
    tables::CellStatus,
};

/// No such user, or his password is wrong.
const BAD_PASSWORD: &str = "28P01";

/// What somebody has shown.
enum Shown {
    /// Nothing: he sees what is open to all.
    Nothing,
    Session(String),
    Key(String),
}

/// Whoever reads over a connection.
pub struct Reader {
    current: Current,
    from: IpAddr,
    shown: OnceLock<Shown>,
}

impl Reader {
    pub fn new(current: Current, from: IpAddr) -> Self {
        Self { current, from, shown: OnceLock::new() }
    }

    /// Whether connections are to be encrypted.
    pub fn wants_encryption(&self) -> bool {
        self.current.get().tls
    }

    /// Lets somebody in who gives a name only, if that is enough.
    pub fn enters_freely(&self, user: &str) -> bool {
        let shared = self.current.get();
        let free = shared.access.is_none() || (user == SCHEMA && shared.open.is_some());
        if free {
            // A connection that was let in stays who it was.
            let _ = self.shown.set(Shown::Nothing);
        }
        free
    }

    /// Lets somebody in by his password, or by a key in its place.
    pub async fn enter(&self, user: &str, password: &str) -> PgWireResult<()> {
        let wrong = || refuse(BAD_PASSWORD, "user id or password is wrong, or your access does not hold at present");
        let access = self.current.get().access.clone().ok_or_else(wrong)?;
        let shown = if is_key(password) {
            let caller = access.identify(Who::Key(password), Utc::now()).await.map_err(inside)?;
            if !caller.is_ok_and(|caller| caller.user_id.eq_ignore_ascii_case(user)) {
                return Err(wrong());
            }
            Shown::Key(password.to_owned())
        } else {
            let limits = Arc::clone(&self.current.get().limits);
            if limits.count_sign_in(Some(self.from), Instant::now()).is_err() {
                return Err(refuse(BAD_AUTHORIZATION, "too many attempts to sign in came from your address; try again later"));
            }
            let _turn = limits.hashing().await;
            let (user, password) = (user.to_owned(), password.to_owned());
            match signed_in(access, self.from, user, password).await? {
                SignedIn::Yes(session) => Shown::Session(session.token),
                SignedIn::Locked(seconds) => {
                    return Err(refuse(BAD_AUTHORIZATION, format!("too many attempts were wrong; try again in {seconds} seconds")));
                }
                SignedIn::ChangeFirst => return Err(refuse(BAD_AUTHORIZATION, "choose a password of your own in the portal first")),
                SignedIn::SecondFactor => {
                    return Err(refuse(BAD_AUTHORIZATION, "your account has a second factor; give a key instead of the password"));
                }
                SignedIn::No | SignedIn::BadPassword(_) => return Err(wrong()),
            }
        };
        let _ = self.shown.set(shown);
        Ok(())
    }

    /// What he sees at this moment.
    pub async fn seen(&self) -> PgWireResult<Arc<Shared>> {
        Ok(self.looked_at().await?.0)
    }

    /// The same for a statement that reads tables: what tables there are, and what is worked out without any, is no data.
    pub async fn keep_of(&self, statement: &Asked, number: &str, shared: &Shared, given: Given<'_>) -> PgWireResult<()> {
        if statement.tables.is_empty() { Ok(()) } else { self.keep(statement, number, shared, given).await }
    }

    /// Keeps in the log that he is about to be given rows, or none. Whoever may not read any more is refused here.
    pub async fn keep(&self, statement: &Asked, number: &str, shared: &Shared, given: Given<'_>) -> PgWireResult<()> {
        /// Characters of a statement that are kept.
        const LONGEST: usize = 4_000;
        let (_, caller) = self.looked_at().await?;
        let Some(log) = &shared.log else { return Ok(()) };
        let (cells, suppressed) = if let Given::Rows(rows) = given { counted(rows) } else { (0, 0) };
        let record = Record {
            request: number.to_owned(),
            from: self.from.to_string(),
            surface: "sql".to_owned(),
            asked: statement.text.chars().take(LONGEST).collect(),
            tables: statement.tables.clone(),
            releases: shared.library.releases.iter().map(|release| release.folder.clone()).collect(),
            cells,
            suppressed,
            status: if matches!(given, Given::Nothing) { 400 } else { 200 },
            ..Record::default()
        };
        log.keep(&record.of(caller.as_deref(), Utc::now()), None).await.map_err(inside)
    }

    async fn looked_at(&self) -> PgWireResult<(Arc<Shared>, Option<Arc<Caller>>)> {
        let shared = self.current.get();
        let Some(access) = &shared.access else { return Ok((shared, None)) };
        let ended = || refuse(BAD_AUTHORIZATION, "your access does not hold any more; connect again, or ask your institution why");
        let who = match self.shown.get() {
            Some(Shown::Session(token)) => Who::Session(token),
            Some(Shown::Key(key)) => Who::Key(key),
            Some(Shown::Nothing) => {
                let open = shared.open.clone().ok_or_else(ended)?;
                return Ok((shared.within(&open.into(), &Audience::default()).await.map_err(inside)?, None));
            }
            None => return Err(ended()),
        };
        let caller = access.identify(who, Utc::now()).await.map_err(inside)?.map_err(|_| ended())?;
        Ok((shared.within(&shared.reach(&caller.granted), &caller.audience()).await.map_err(inside)?, Some(caller)))
    }
}

/// A statement, as the log names it.
#[derive(Debug)]
pub struct Asked {
    pub text: String,
    /// Identifiers of the tables that it reads.
    pub tables: Vec<String>,
}

/// What somebody is about to be given.
#[derive(Debug, Clone, Copy)]
pub enum Given<'a> {
    /// Rows, of which more may follow.
    Rows(&'a RecordBatch),
    /// The end, before any row.
    NoRow,
    /// An error.
    Nothing,
}

/// Cells among some rows, and those of them that are suppressed.
fn counted(rows: &RecordBatch) -> (u64, u64) {
    let numbers = rows.schema_ref().fields().iter().filter(|field| field.data_type().is_numeric()).count();
    let statuses = rows.column_by_name("status").and_then(|column| column.as_string_view_opt());
    let suppressed = statuses.map_or(0, |texts| texts.iter().filter(|text| *text == CellStatus::Suppressed.mark()).count());
    ((rows.num_rows() * numbers.max(1)) as u64, suppressed as u64)
}

async fn signed_in(access: Arc<Access>, from: IpAddr, user: String, password: String) -> PgWireResult<SignedIn> {
    let attempt = move || {
        let given = Attempt { from: Some(from), user_id: &user, password: &password, code: None, new_password: None };
        access.sign_in(&given, Utc::now())
    };
    let done = tokio::task::spawn_blocking(attempt).await.map_err(|error| inside(Error::Internal(error.to_string())))?;
    done.map_err(inside)
}

/// What went wrong inside stays inside.
fn inside(error: Error) -> PgWireError {
    refusal(SqlError::Failed(error))
}
