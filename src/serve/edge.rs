//! What happens around every request: limits, the log line, figures, cross-origin headers, problem bodies, panics.

use std::{
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    panic::AssertUnwindSafe,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use axum::{
    body::{Body, HttpBody},
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use chrono::Utc;
use futures::FutureExt;
use tokio::sync::OwnedSemaphorePermit;

use super::{
    Shared,
    limits::{Peer, Refusal},
    noted::{self, Noted, Recorded},
    paced_body::SpooledBody,
    parameters::Parameters,
    portal,
    problem::Problem,
    renewal::Current,
    request_body::UploadGuard,
    sdmx,
    who::{self, Asking, Barred},
};
use crate::{
    access::{Coming, Record, is_refusal},
    error::Error,
    storage::Spool,
    tables::fingerprint,
    words::{self, Tongue},
};

/// How long an answer may be used without asking again: a correction must reach readers soon, and asking costs next to nothing.
const CACHE: &str = "public, max-age=60";
/// The same where not everybody sees the same: kept by browsers alone, and asked for again whenever it is used.
const OWN_CACHE: &str = "private, no-cache";

/// Wraps every request: lets it in, names it, answers it, counts it.
pub async fn around(State(current): State<Current>, request: Request, next: Next) -> Response {
    let shared = current.get();
    let mut seen = Arc::clone(&shared);
    let started = Instant::now();
    let (method, uri, id) = (request.method().clone(), request.uri().clone(), request_id());
    let asked = request.headers().clone();
    let peer = request.extensions().get::<ConnectInfo<Peer>>().map(|info| info.0);
    let (path, client) = (uri.path(), peer.map(|peer| peer.client(&asked, &shared.trusted)));
    // Routes name series of figures; addresses, of which there may be any number, would not do.
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let mut under_way = UnderWay { shared: &shared, route: &route, method: method.as_str(), status: StatusCode::REQUEST_TIMEOUT, started };
    shared.metrics.begin();
    let mut response = if method == Method::OPTIONS {
        StatusCode::NO_CONTENT.into_response()
    } else {
        match let_in(&shared, client, started, request).await {
            Ok((request, _place)) => {
                // A panic is a bug of ours; it costs this answer, not the connection or the service.
                let answered = AssertUnwindSafe(answer(&shared, &mut seen, client, &id, request, next)).catch_unwind().await;
                let internal = |_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal error", &words::FAILED).into_response();
                wait_to_be_sent(shared.engine.spool(), answered.unwrap_or_else(internal)).await
            }
            Err(NotLetIn::Problem(problem)) => problem.into_response(),
            Err(NotLetIn::Refusal(refusal)) => {
                shared.metrics.refuse(if refusal == Refusal::Busy { "places" } else { "rate" });
                let response = refusal.into_response();
                match refusal {
                    // The refusals that follow say nothing new, and would let anybody fill the log.
                    Refusal::TooOften { first: true, .. } => {
                        let told = Told { shared: &shared, method: &method, uri: &uri, client, id: &id };
                        told.keep(&Asking::default(), Vec::new(), response, None).await
                    }
                    _ => response,
                }
            }
        }
    };
    let status = response.status();
    let problem = response.extensions_mut().remove::<Problem>();
    // What the router refuses by itself (a path that is no UTF-8) becomes a problem here.
    let is_page = response.headers().get(header::CONTENT_TYPE).is_some_and(|media| media == portal::frame::MEDIA);
    let unexplained = (status.is_client_error() || status.is_server_error()) && problem.is_none() && !is_page;
    if unexplained {
        response = Problem::new(status, "Illegal request", &words::NOT_UNDERSTOOD).into_response();
    }
    if let Some(problem) = problem.or_else(|| response.extensions_mut().remove::<Problem>()) {
        if portal::is_page(path, &asked) {
            response = portal::problem_page(&seen, &uri, &asked, &problem);
        } else if sdmx::is_below(path) {
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(sdmx::ERROR));
            *response.body_mut() = Body::from(sdmx::error_body(&shared.library, &problem));
        } else {
            *response.body_mut() = Body::from(problem.body(path, shared.tongue(uri.query())));
        }
    }
    if shared.access.is_some() {
        keep_private(response.headers_mut());
    }
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("etag, content-disposition, retry-after, x-request-id, x-record-id"),
    );
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    name_answer(headers, &asked, &id);
    if shared.is_secure() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    if method == Method::OPTIONS {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, POST"));
        let allowed = "content-type, if-none-match, authorization, x-request-id";
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(allowed));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    }
    under_way.status = response.status();
    let (status, micros) = (response.status().as_u16(), started.elapsed().as_micros() as u64);
    tracing::info!(%method, path, status, micros, id = id.to_str().unwrap_or(""), "answered");
    response
}

/// Finds out who asks, and lets the handlers answer from what he sees.
async fn answer(
    shared: &Arc<Shared>,
    seen: &mut Arc<Shared>,
    client: Option<IpAddr>,
    id: &HeaderValue,
    mut request: Request,
    next: Next,
) -> Response {
    let (method, uri, headers) = (request.method().clone(), request.uri().clone(), request.headers().clone());
    if is_watched(uri.path()) {
        // Whoever watches over the service must not wait for accounts, or for a part of the service to be made.
        request.extensions_mut().insert(Arc::clone(shared));
        return next.run(request).await;
    }
    let asking = match &shared.access {
        None => Ok(Asking::default()),
        Some(access) => who::identify(access, &headers, shared.is_secure(), client).await,
    };
    let entered = match asking {
        Ok(asking) => shared.seen_by(&asking, uri.path()).await.map(|seen| (asking, seen)),
        Err(barred) => Err(barred),
    };
    // He counts as coming until his record is on disk, or until there is none.
    let coming = shared.log.as_ref().map(|log| log.coming());
    let told = Told { shared, method: &method, uri: &uri, client, id };
    let (asking, part) = match entered {
        Ok(entered) => entered,
        Err(barred) => {
            let (refused, response) = match barred {
                Barred::SignIn => (who::unauthorized(), Some(who::way_in(&uri, &method, &headers))),
                Barred::Problem(problem) => (problem, None),
            };
            // The log tells that he was refused, also where he is shown the form.
            let refused = told.keep(&Asking::default(), Vec::new(), refused.into_response(), coming).await;
            return if refused.status().is_server_error() { refused } else { response.unwrap_or(refused) };
        }
    };
    *seen = part;
    if let Some(caller) = &asking.caller
        && let Err(refusal) = shared.limits.count_user(&caller.user_id, Instant::now())
    {
        shared.metrics.refuse("rate");
        return told.keep(&asking, Vec::new(), refusal.into_response(), coming).await;
    }
    request.extensions_mut().insert(Arc::clone(seen));
    request.extensions_mut().insert(asking.clone());
    let (response, acts) = noted::noting(next.run(request)).await;
    let response = match noted::sealed(response) {
        Ok(recorded) => told.release(&asking, acts, recorded, coming).await,
        Err(response) => told.keep(&asking, acts, *response, coming).await,
    };
    let response = if method == Method::HEAD { headed(response) } else { response };
    if shared.access.is_some() && who::would_signing_in_help(&asking, response.extensions().get::<Problem>()) {
        return who::way_in(&uri, &method, &headers);
    }
    response
}

/// What the log is told of a request beside what was read for it.
struct Told<'a> {
    shared: &'a Shared,
    method: &'a Method,
    uri: &'a Uri,
    client: Option<IpAddr>,
    id: &'a HeaderValue,
}

impl Told<'_> {
    /// Hands out an answer with cells once the log has its record.
    async fn release(&self, asking: &Asking, acts: Vec<String>, recorded: Recorded<Response>, coming: Option<Coming>) -> Response {
        let record = |noted: Noted, response: &Response| self.record(asking, noted, response);
        let released = recorded.release(self.shared.log.as_deref(), acts, record, coming).await;
        released.unwrap_or_else(|error| not_recorded(&error))
    }

    /// Keeps a record of an answer without cells: of whatever was done by it, and of every one that was refused what it asked for.
    async fn keep(&self, asking: &Asking, acts: Vec<String>, response: Response, coming: Option<Coming>) -> Response {
        let Some(log) = &self.shared.log else { return response };
        if acts.is_empty() && !is_refusal(response.status().as_u16()) {
            return response;
        }
        let record = self.record(asking, Noted { means: acts, ..Noted::default() }, &response);
        match log.keep(&record, coming).await {
            Ok(()) => response,
            Err(error) => not_recorded(&error),
        }
    }

    /// What is kept of a request.
    fn record(&self, asking: &Asking, noted: Noted, response: &Response) -> Record {
        /// Bytes of an address that are kept.
        const LONGEST: usize = 4_000;
        let status = response.status();
        let path = self.uri.path();
        let surface = match path {
            _ if path.starts_with("/api/v2/queries/") => "query",
            _ if path.starts_with("/api/") => "api",
            _ if path.starts_with("/sdmx/") => "sdmx",
            _ if path.starts_with("/charts/") => "chart",
            _ if path.starts_with("/admin") => "admin",
            _ => "page",
        };
        let asked = self.uri.path_and_query().map_or("", |address| address.as_str());
        let asked = &asked[..asked.floor_char_boundary(LONGEST)];
        let format = response.headers().get(header::CONTENT_TYPE).and_then(|media| media.to_str().ok());
        Record {
            request: self.id.to_str().unwrap_or("").to_owned(),
            from: self.client.map_or_else(String::new, |client| client.to_string()),
            surface: surface.to_owned(),
            asked: format!("{} {asked}", self.method),
            format: format.unwrap_or("").to_owned(),
            status: status.as_u16(),
            ..noted.record().of(asking.caller.as_deref(), Utc::now())
        }
    }
}

/// What cannot be recorded is not answered.
fn not_recorded(error: &Error) -> Response {
    tracing::error!(%error, "an access could not be kept");
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "Not recorded", &words::NOT_RECORDED).into_response()
}

/// The answer to a client that wants to know only what its head would be.
fn headed(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    if let Some(length) = body.size_hint().exact() {
        head.headers.entry(header::CONTENT_LENGTH).or_insert(HeaderValue::from(length));
    }
    Response::from_parts(head, Body::empty())
}

/// What one person may see is not for caches that others share.
fn keep_private(headers: &mut HeaderMap) {
    match headers.get(header::CACHE_CONTROL).and_then(|kept| kept.to_str().ok()) {
        Some(CACHE) => drop(headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(OWN_CACHE))),
        // Styles and scripts are the same for everybody.
        Some(kept) if kept.ends_with("immutable") => return,
        _ => {}
    }
    headers.append(header::VARY, HeaderValue::from_static("authorization, cookie"));
}

/// Whether an address is one by which others watch over the service: it must answer when it is busy.
fn is_watched(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz")
}

/// What a request takes up while it is answered.
type Place = (UploadGuard, Option<OwnedSemaphorePermit>);

/// Why a request is not let in.
enum NotLetIn {
    Refusal(Refusal),
    Problem(Problem),
}

/// Lets a request in once all of it is there.
async fn let_in(shared: &Shared, client: Option<IpAddr>, now: Instant, request: Request) -> Result<(Request, Place), NotLetIn> {
    let is_watched = is_watched(request.uri().path());
    if !is_watched {
        shared.limits.count_address(client, now).map_err(NotLetIn::Refusal)?;
    }
    let (request, received) = shared.uploads.receive(request, client, shared.most_body).await.map_err(NotLetIn::Problem)?;
    let place = if is_watched { None } else { Some(shared.limits.admit().map_err(NotLetIn::Refusal)?) };
    Ok((request, (received, place)))
}

/// Marks a response whose body waits in a spool already.
#[derive(Debug, Clone, Copy)]
pub struct IsSpooled;

/// Bodies up to this length wait wherever they are: there are no more of them than connections.
const SHORT: u64 = 64 << 10;

/// Puts a body where it may wait for its client without taking up more memory than there is for that.
async fn wait_to_be_sent(spool: &Spool, response: Response) -> Response {
    let is_long = response.body().size_hint().exact().is_some_and(|length| length > SHORT);
    if !is_long || response.extensions().get::<IsSpooled>().is_some() {
        return response;
    }
    let (head, body) = response.into_parts();
    let kept = match axum::body::to_bytes(body, usize::MAX).await {
        Ok(body) => match spool.keep_in_memory(&body) {
            Some(kept) => Ok(kept),
            None => {
                let spool = spool.clone();
                let kept = tokio::task::spawn_blocking(move || spool.keep_on_disk(&body)).await;
                kept.unwrap_or_else(|stopped| Err(Error::Internal(stopped.to_string())))
            }
        },
        Err(error) => Err(Error::Internal(error.to_string())),
    };
    match kept {
        Ok(kept) => Response::from_parts(head, Body::new(SpooledBody::from(kept))),
        Err(error) => Problem::from(error).into_response(),
    }
}

/// Counts a request when it ends, be it because its client has gone.
struct UnderWay<'a> {
    shared: &'a Shared,
    route: &'a str,
    method: &'a str,
    status: StatusCode,
    started: Instant,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.shared.metrics.end(self.route, self.method, self.status, self.started.elapsed());
    }
}

/// The header by which a client or a proxy names a request, or learns our name for it.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The header that tells our name for a request to a client that has one of its own.
const RECORD_ID: HeaderName = HeaderName::from_static("x-record-id");

/// The name of a request in the log of accesses and in that of the service. It is always our own: a client may put anything into its name for
/// a request, somebody's name or identity number too, and what is in the log stays there.
fn request_id() -> HeaderValue {
    HeaderValue::from_str(&own_id()).unwrap_or(HeaderValue::from_static("none"))
}

/// Tells a client our name for its request, beside its own one if that is sound.
fn name_answer(answer: &mut HeaderMap, asked: &HeaderMap, id: &HeaderValue) {
    let sound = |id: &&HeaderValue| {
        let bytes = id.as_bytes();
        (1..=64).contains(&bytes.len()) && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
    };
    match asked.get(REQUEST_ID).filter(sound) {
        Some(given) => {
            answer.insert(REQUEST_ID, given.clone());
            answer.insert(RECORD_ID, id.clone());
        }
        None => drop(answer.insert(REQUEST_ID, id.clone())),
    }
}

/// A name of our own for a request.
pub fn own_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    static START: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0));
    format!("{:016x}-{}", *START, COUNT.fetch_add(1, Ordering::Relaxed))
}

/// An address that leads nowhere.
pub async fn nowhere() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "Not found", &words::NOTHING_HERE)
}

/// A method that an address does not take.
pub async fn no_such_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", &words::NO_SUCH_METHOD)
}

impl Shared {
    /// The program's tongue for whoever sent this query string; the register's first language if it names none that there is.
    fn tongue(&self, query: Option<&str>) -> Tongue {
        let parameters = Parameters::parse(query);
        self.library.tongue(self.library.language(parameters.get("lang")).unwrap_or(0))
    }

    /// Address of the interface as this client should call it.
    pub fn base(&self, headers: &HeaderMap) -> String {
        format!("{}/api/v2", self.origin(headers))
    }

    /// Whether clients come by TLS.
    pub fn is_secure(&self) -> bool {
        self.tls || self.host.as_ref().is_some_and(|host| host.starts_with("https://"))
    }

    /// Scheme and host by which this client should call us.
    pub fn origin(&self, headers: &HeaderMap) -> String {
        match &self.host {
            Some(host) => host.clone(),
            None => {
                let sound = |host: &&str| host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte));
                let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).filter(sound);
                let scheme = if self.tls { "https" } else { "http" };
                format!("{scheme}://{}", host.map_or_else(|| self.address.to_string(), str::to_owned))
            }
        }
    }

    /// The tag of something that follows from the library and these pieces of a request alone.
    pub fn tag(&self, pieces: &[&str]) -> String {
        fingerprint(std::iter::once(self.library.fingerprint.as_bytes()).chain(pieces.iter().map(|piece| piece.as_bytes())))
    }
}

/// Marks the tag of an answer that was compressed: its bytes are others, what it says is the same.
pub async fn weaken(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.headers().contains_key(header::CONTENT_ENCODING)
        && let Some(tag) = response.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok()).filter(|tag| tag.starts_with('"'))
        && let Ok(tag) = HeaderValue::from_str(&format!("W/{tag}"))
    {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// Whether the client has what this tag stands for.
pub fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(|known| {
        let known = known.trim();
        known == "*" || known.strip_prefix("W/").unwrap_or(known).trim_matches('"') == tag
    })
}

/// Headers that let clients and proxies keep an answer.
pub fn keep(response: &mut Response, tag: &str) {
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{tag}\"")) {
        headers.insert(header::ETAG, tag);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHE));
}

/// The answer to a client that has it already.
pub fn unchanged(tag: &str) -> Response {
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    keep(&mut response, tag);
    response
}

/// Says under which name an answer is best kept.
pub fn call(response: &mut Response, file: &str) {
    if let Ok(name) = HeaderValue::from_str(&format!("inline; filename=\"{file}\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
}

/// A whole answer.
pub fn whole(media: &'static str, body: impl Into<Body>, tag: &str) -> Response {
    let mut response = ([(header::CONTENT_TYPE, media)], body.into()).into_response();
    keep(&mut response, tag);
    response
}
