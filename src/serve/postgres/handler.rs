//! One connection: its statements, simple and prepared.

use std::{fmt::Debug, net::IpAddr, sync::Arc};

use arrow::array::RecordBatch;
use arrow_pg::datatypes::{arrow_schema_to_pg_fields, df::deserialize_parameters, encode_recordbatch, into_pg_type};
use async_trait::async_trait;
use datafusion::{arrow::datatypes::DataType, common::ParamValues, logical_expr::LogicalPlan, sql::sqlparser::ast::Statement};
use futures::{Sink, SinkExt, StreamExt, stream};
use pgwire::{
    api::{
        ClientInfo, ClientPortalStore, ConnectionGuard, ConnectionHandle, ConnectionManager, METADATA_USER, PgWireConnectionState,
        PidSecretKeyGenerator, RandomPidSecretKeyGenerator, Type,
        auth::{
            DefaultServerParameterProvider, StartupHandler, finish_authentication, protocol_negotiation,
            save_startup_parameters_to_metadata,
        },
        portal::{Format, Portal},
        query::{ExtendedQueryHandler, SimpleQueryHandler},
        results::{
            DataRowEncoder, DescribePortalResponse, DescribeStatementResponse, FieldFormat, FieldInfo, QueryResponse, Response, Tag,
        },
        stmt::{QueryParser, StoredStatement},
        store::PortalStore,
    },
    error::{PgWireError, PgWireResult},
    messages::{PgWireBackendMessage, PgWireFrontendMessage, response::TransactionStatus, simplequery::Query, startup::Authentication},
};

use super::{
    reader::{Asked, Given, Reader},
    refusal::{ABORTED, BAD_AUTHORIZATION, NO_SUCH_VALUE, UNSUPPORTED, refusal, refuse},
    session::{SERVER_VERSION, Said, Settings},
};
use crate::{
    engine::{LONGEST_LITERAL, Rows, SCHEMA, SqlError, SqlSettings},
    serve::{
        Shared,
        connection_limits::{ConnectionState, RequestGuard},
        edge::own_id,
        paced_body::SendProgress,
        renewal::Current,
    },
    sql::tables_read,
};

/// Rows that one statement may give: a client that reads more is copying tables, and those are published as files.
const MOST_ROWS: usize = 1_000_000;
/// Bytes of them, likewise.
const MOST_BYTES: u64 = 256 << 20;

/// Answers the statements of one connection.
pub struct Handler {
    reader: Arc<Reader>,
    manager: Arc<ConnectionManager>,
    numbers: Arc<RandomPidSecretKeyGenerator>,
    parser: Arc<Planner>,
    settings: Arc<Settings>,
    connection: Arc<ConnectionState>,
}

/// A statement that was understood.
#[derive(Clone)]
pub enum Prepared {
    /// It reads, from the state of the releases that it was planned with.
    Read(Arc<Shared>, Box<LogicalPlan>, Arc<Asked>),
    /// It is about the connection.
    Session(Box<Statement>),
}

/// Understands statements.
pub struct Planner {
    reader: Arc<Reader>,
    connection: Arc<ConnectionState>,
}

impl Handler {
    pub fn new(
        current: Current,
        from: IpAddr,
        manager: Arc<ConnectionManager>,
        numbers: Arc<RandomPidSecretKeyGenerator>,
        connection: Arc<ConnectionState>,
    ) -> Self {
        let reader = Arc::new(Reader::new(current, from));
        let parser = Arc::new(Planner { reader: Arc::clone(&reader), connection: Arc::clone(&connection) });
        Self { reader, manager, numbers, parser, settings: Arc::default(), connection }
    }

    async fn respond(&self, prepared: Prepared, values: Option<ParamValues>, format: &Format, failed: bool) -> PgWireResult<Response> {
        match prepared {
            Prepared::Session(statement) => {
                let said = self.settings.answer(&statement).unwrap_or_else(|| Err(refuse(UNSUPPORTED, "this is not supported")))?;
                match said {
                    Said::Begin(tag) => Ok(Response::TransactionStart(Tag::new(tag))),
                    Said::End(tag) => Ok(Response::TransactionEnd(Tag::new(tag))),
                    _ if failed => Err(aborted()),
                    Said::Done(tag) => Ok(Response::Execution(Tag::new(tag))),
                    Said::Shown(name, value) => shown(&name, &value, format.format_for(0)),
                }
            }
            Prepared::Read(..) if failed => Err(aborted()),
            Prepared::Read(shared, plan, asked) => {
                // What was prepared may be run by those alone who still may.
                self.reader.seen().await?;
                let session = shared.sql.session();
                let bounds = session.settings();
                let bounds = SqlSettings { time: self.settings.time(bounds.time), rows: MOST_ROWS, bytes: MOST_BYTES, ..bounds };
                let fields = Arc::new(arrow_schema_to_pg_fields(plan.schema().as_arrow(), format, None)?);
                let (reader, number, under_way) = (Arc::clone(&self.reader), own_id(), self.connection.begin_request());
                let rows = match session.run(*plan, values, bounds).await {
                    Ok(rows) => rows,
                    Err(error) => {
                        reader.keep_of(&asked, &number, &shared, Given::Nothing).await?;
                        return Err(refusal(error));
                    }
                };
                let progress = under_way.sends();
                let giving = Giving { reader, shared, asked, number, rows, any: false, progress, _under_way: under_way };
                Ok(Response::Query(encoded(fields, giving)))
            }
        }
    }
}

/// Whether a text begins with `ROLLBACK TO`.
fn goes_back(text: &str) -> bool {
    let words: Vec<String> = text.split_whitespace().take(3).map(str::to_ascii_uppercase).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    matches!(words[..], ["ROLLBACK", "TO", ..] | ["ROLLBACK", "WORK" | "TRANSACTION", "TO"])
}

fn aborted() -> PgWireError {
    refuse(ABORTED, "current transaction is aborted, commands ignored until end of transaction block")
}

fn shown(name: &str, value: &str, format: FieldFormat) -> PgWireResult<Response> {
    let fields = Arc::new(vec![FieldInfo::new(name.to_owned(), None, None, Type::TEXT, format)]);
    let mut row = DataRowEncoder::new(Arc::clone(&fields));
    row.encode_field(&value)?;
    let mut response = QueryResponse::new(fields, stream::iter([Ok(row.take_row())]));
    response.set_command_tag("SHOW");
    Ok(Response::Query(response))
}

/// Rows on their way to a client. What they are is kept in the log before they leave.
struct Giving {
    reader: Arc<Reader>,
    shared: Arc<Shared>,
    asked: Arc<Asked>,
    number: String,
    rows: Rows,
    /// Whether there were any yet.
    any: bool,
    /// How fast its client takes them.
    progress: Arc<SendProgress>,
    _under_way: RequestGuard,
}

impl Giving {
    async fn next(&mut self) -> PgWireResult<Option<RecordBatch>> {
        self.progress.wait_for_us();
        let found = self.rows.next().await;
        let given = match &found {
            Ok(Some(batch)) => Given::Rows(batch),
            Ok(None) if self.any => return Ok(None),
            Ok(None) => Given::NoRow,
            Err(_) => Given::Nothing,
        };
        self.any = true;
        self.reader.keep_of(&self.asked, &self.number, &self.shared, given).await?;
        if let Ok(Some(batch)) = &found {
            self.progress.hand_on(batch.get_array_memory_size() as u64);
        }
        found.map_err(|error| refusal(SqlError::Failed(error)))
    }
}

fn encoded(fields: Arc<Vec<FieldInfo>>, giving: Giving) -> QueryResponse {
    let columns = Arc::clone(&fields);
    let batches = stream::unfold(Some(giving), move |giving| {
        let columns = Arc::clone(&columns);
        async move {
            let mut giving = giving?;
            match giving.next().await {
                Ok(Some(batch)) => Some((encode_recordbatch(columns, batch).collect::<Vec<_>>(), Some(giving))),
                Ok(None) => None,
                Err(error) => Some((vec![Err(error)], None)),
            }
        }
    });
    QueryResponse::new(fields, batches.flat_map(stream::iter))
}

impl Planner {
    async fn understand(&self, statement: Box<Statement>, text: &str) -> PgWireResult<Prepared> {
        if Settings::default().answer(&statement).is_some() {
            return Ok(Prepared::Session(statement));
        }
        let _under_way = self.connection.begin_request();
        let shared = self.reader.seen().await?;
        match shared.sql.session().plan(statement).await {
            Ok(plan) => {
                let asked = Asked { text: text.to_owned(), tables: tables_read(&shared.library, &plan) };
                Ok(Prepared::Read(shared, Box::new(plan), Arc::new(asked)))
            }
            Err(error) => {
                let asked = Asked { text: text.to_owned(), tables: Vec::new() };
                self.reader.keep(&asked, &own_id(), &shared, Given::Nothing).await?;
                Err(refusal(error))
            }
        }
    }
}

#[async_trait]
impl SimpleQueryHandler for Handler {
    async fn on_query<C>(&self, client: &mut C, query: Query) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        // Statements only read, so that going back to a savepoint mends a transaction in which one failed.
        if client.transaction_status() == TransactionStatus::Error && goes_back(&query.query) {
            client.set_transaction_status(TransactionStatus::Transaction);
        }
        self._on_query(client, query).await
    }

    async fn do_query<C>(&self, client: &mut C, text: &str) -> PgWireResult<Vec<Response>>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let mut failed = client.transaction_status() == TransactionStatus::Error;
        let statements = match self.reader.seen().await?.sql.session().parse(text).await {
            Ok(statements) => statements,
            Err(error) => return Ok(vec![Response::Error(Box::new(refusal(error).into()))]),
        };
        let mut responses = Vec::new();
        for statement in statements {
            let response = match self.parser.understand(Box::new(statement), text).await {
                Ok(prepared) => self.respond(prepared, None, &Format::UnifiedText, failed).await,
                Err(error) => Err(error),
            };
            match response {
                Ok(response) => {
                    failed &= !matches!(response, Response::TransactionEnd(_));
                    responses.push(response);
                }
                // What follows a failed statement in one text is not run.
                Err(error) => {
                    responses.push(Response::Error(Box::new(error.into())));
                    break;
                }
            }
        }
        Ok(responses)
    }
}

#[async_trait]
impl QueryParser for Planner {
    type Statement = Prepared;

    async fn parse_sql<C>(&self, _client: &C, text: &str, _types: &[Option<Type>]) -> PgWireResult<Option<Prepared>>
    where
        C: ClientInfo + Unpin + Send + Sync,
    {
        let mut statements = self.reader.seen().await?.sql.session().parse(text).await.map_err(refusal)?.into_iter().map(Box::new);
        match (statements.next(), statements.next()) {
            (None, _) => Ok(None),
            (Some(statement), None) => self.understand(statement, text).await.map(Some),
            _ => Err(refuse("42601", "cannot insert multiple commands into a prepared statement")),
        }
    }

    fn get_parameter_types(&self, prepared: &Prepared) -> PgWireResult<Vec<Type>> {
        parameter_types(prepared)?.iter().map(|kind| kind.as_ref().map_or(Ok(Type::UNKNOWN), into_pg_type)).collect()
    }

    fn get_result_schema(&self, prepared: &Prepared, format: Option<&Format>) -> PgWireResult<Vec<FieldInfo>> {
        let format = format.unwrap_or(&Format::UnifiedText);
        match prepared {
            Prepared::Read(_, plan, _) => arrow_schema_to_pg_fields(plan.schema().as_arrow(), format, None),
            Prepared::Session(statement) => match **statement {
                Statement::ShowVariable { ref variable } => {
                    let name = variable.iter().map(|part| part.value.to_ascii_lowercase()).collect::<Vec<_>>().join("_");
                    Ok(vec![FieldInfo::new(name, None, None, Type::TEXT, format.format_for(0))])
                }
                _ => Ok(Vec::new()),
            },
        }
    }
}

/// The types of `$1`, `$2`, ... as far as they follow from where they stand.
fn parameter_types(prepared: &Prepared) -> PgWireResult<Vec<Option<DataType>>> {
    let Prepared::Read(_, plan, _) = prepared else { return Ok(Vec::new()) };
    let found = plan.get_parameter_types().map_err(|error| refusal(error.into()))?;
    let mut types = Vec::new();
    for (name, kind) in found {
        let number = name.trim_start_matches('$').parse::<usize>().ok().filter(|number| (1..=MOST_PARAMETERS).contains(number));
        let Some(number) = number else {
            return Err(refuse("42P02", format!("there is no parameter {name}; expected $1, $2, ...")));
        };
        types.resize(types.len().max(number), None);
        types[number - 1] = kind;
    }
    Ok(types)
}

/// As many parameters as the protocol can count.
const MOST_PARAMETERS: usize = 65_535;

#[async_trait]
impl ExtendedQueryHandler for Handler {
    type Statement = Prepared;
    type QueryParser = Planner;

    fn query_parser(&self) -> Arc<Planner> {
        Arc::clone(&self.parser)
    }

    async fn do_query<C>(&self, client: &mut C, portal: &Portal<Prepared>, _most: usize) -> PgWireResult<Response>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Prepared>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let failed = client.transaction_status() == TransactionStatus::Error;
        let prepared = portal.statement.statement.clone();
        let types = parameter_types(&prepared)?;
        if portal.parameter_len() < types.len() {
            let (given, expected) = (portal.parameter_len(), types.len());
            return Err(refuse("08P01", format!("{given} parameters are given, the statement has {expected}")));
        }
        if portal.parameters.iter().flatten().any(|given| given.len() > LONGEST_LITERAL) {
            return Err(refuse(NO_SUCH_VALUE, format!("a parameter has more than {LONGEST_LITERAL} bytes")));
        }
        let kinds: Vec<Option<&DataType>> = types.iter().map(Option::as_ref).collect();
        let values = if kinds.is_empty() { None } else { Some(deserialize_parameters(portal, &kinds)?) };
        self.respond(prepared, values, &portal.result_column_format, failed).await
    }

    async fn do_describe_statement<C>(&self, _: &mut C, target: &StoredStatement<Prepared>) -> PgWireResult<DescribeStatementResponse>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Prepared>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let mut types = self.parser.get_parameter_types(&target.statement)?;
        for (kind, asked) in types.iter_mut().zip(&target.parameter_types) {
            if let Some(asked) = asked {
                kind.clone_from(asked);
            }
        }
        Ok(DescribeStatementResponse::new(types, self.parser.get_result_schema(&target.statement, None)?))
    }

    async fn do_describe_portal<C>(&self, _: &mut C, target: &Portal<Prepared>) -> PgWireResult<DescribePortalResponse>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Prepared>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let fields = self.parser.get_result_schema(&target.statement.statement, Some(&target.result_column_format))?;
        Ok(DescribePortalResponse::new(fields))
    }
}

#[async_trait]
impl StartupHandler for Handler {
    async fn on_startup<C>(&self, client: &mut C, message: PgWireFrontendMessage) -> PgWireResult<()>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        match message {
            PgWireFrontendMessage::Startup(ref startup) => {
                protocol_negotiation(client, startup).await?;
                save_startup_parameters_to_metadata(client, startup);
                if self.reader.wants_encryption() && !client.is_secure() {
                    return Err(refuse(BAD_AUTHORIZATION, "connections are encrypted here; connect with sslmode=require or stronger"));
                }
                if self.reader.enters_freely(user_of(client)) {
                    return self.begin(client).await;
                }
                client.set_state(PgWireConnectionState::AuthenticationInProgress);
                client.send(PgWireBackendMessage::Authentication(Authentication::CleartextPassword)).await?;
                Ok(())
            }
            PgWireFrontendMessage::PasswordMessageFamily(given) => {
                let given = given.into_password()?;
                // A password waits for its turn to be hashed; whoever has sent one is not idle meanwhile.
                let _signing_in = self.connection.begin_request();
                self.reader.enter(user_of(client), &given.password).await?;
                self.begin(client).await
            }
            _ => Ok(()),
        }
    }
}

/// The user that a client names.
fn user_of(client: &impl ClientInfo) -> &str {
    client.metadata().get(METADATA_USER).map_or("", String::as_str)
}

impl Handler {
    /// Begins to take statements.
    async fn begin<C>(&self, client: &mut C) -> PgWireResult<()>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let (number, key) = self.numbers.generate(client);
        client.set_pid_and_secret_key(number, key);
        // From now on it is not one of those that have not signed in.
        drop(self.connection.begin_request());
        // By these a request to cancel finds the statement under way.
        let (number, key) = client.pid_and_secret_key();
        let (handle, guard) = self.manager.register(number, key);
        client.session_extensions().insert::<Arc<ConnectionHandle>>(handle);
        client.session_extensions().insert::<ConnectionGuard>(guard);
        let mut told = DefaultServerParameterProvider::default();
        SERVER_VERSION.clone_into(&mut told.server_version);
        SCHEMA.clone_into(&mut told.search_path);
        told.is_superuser = false;
        told.default_transaction_read_only = true;
        finish_authentication(client, &told).await?;
        client.set_state(PgWireConnectionState::ReadyForQuery);
        Ok(())
    }
}
