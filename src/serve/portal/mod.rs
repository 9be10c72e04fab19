//! The portal: pages for people, made on the server and readable without scripts.
//!
//! A page is a function of its address: everything that a reader chose stands in it, so that it can be kept, shared and gone
//! back to. Scripts ([`assets`]) only spare the reader waiting; forms and links do the same without them. Nothing on a page comes
//! from another server, and the browser is told so (`Content-Security-Policy`).
//!
//! ```text
//! /  /search  /tables  /tables/{id}  /regions/{code}  /compare  /dashboards  /queries  /releases  /method  /api
//! ```

mod account;
mod admin;
mod assets;
mod catalogue;
mod choices;
mod compare;
mod dashboards;
mod download;
mod explorer;
mod export;
mod filters;
pub mod frame;
mod home;
pub mod onward;
mod panels;
mod profile;
mod queries;
mod releases;
mod search;
pub mod texts;

use std::{future::Future, sync::Arc};

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use maud::{Markup, html};
use url::form_urlencoded;

pub use self::{
    account::{account, add_key, change_password, revoke_key, second_factor, sign_in, sign_in_form, sign_out},
    admin::{
        act_on_institution, act_on_user, add_institution, approve, changes, file_report, hints, institution, institutions, log, log_csv,
        overview, request_file, request_user, seeing_as, stop_seeing_as, usage, usage_file, user, users,
    },
    assets::asset,
    catalogue::catalogue,
    compare::compare,
    dashboards::{dashboard, dashboards},
    explorer::explorer,
    frame::Section,
    home::home,
    profile::profile,
    queries::{named_queries, named_query},
    releases::{calendar, method, releases},
    search::{search, suggest},
};
use super::{
    Shared, edge,
    noted::{PageNotes, Recorded},
    parameters::Parameters,
    problem::Problem,
    queries::digests,
};
use crate::words::{Phrase, Tongue};

/// What every page is made from: who asks for which address in which language.
pub struct Page {
    pub shared: Arc<Shared>,
    /// Position of the language.
    pub language: usize,
    pub tongue: Tongue,
    /// The address without what stands behind `?`.
    pub path: String,
    pub parameters: Parameters,
    /// Scheme and host of our own addresses.
    pub origin: String,
    /// What was read for it.
    pub notes: Arc<PageNotes>,
}

impl Page {
    pub fn new(shared: &Arc<Shared>, uri: &Uri, headers: &HeaderMap) -> Result<Self, Problem> {
        let parameters = Parameters::parse(uri.query());
        let language = shared.language(&parameters)?;
        Ok(Self {
            language,
            tongue: shared.library.tongue(language),
            path: own_path(uri),
            parameters,
            origin: shared.origin(headers),
            notes: Arc::default(),
            shared: Arc::clone(shared),
        })
    }

    /// The same page for a reader of another language.
    pub fn in_language(&self, language: usize) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            language,
            tongue: self.shared.library.tongue(language),
            path: self.path.clone(),
            parameters: self.parameters.clone(),
            origin: self.origin.clone(),
            notes: Arc::clone(&self.notes),
        }
    }

    pub fn say(&self, phrase: &Phrase) -> &'static str {
        phrase.text(self.tongue)
    }

    /// The ISO 639 code of the language.
    pub fn lang(&self) -> &str {
        self.shared.language_id(self.language)
    }

    /// An address of ours in the reader's language.
    pub fn link(&self, path: &str, pairs: &[(&str, &str)]) -> String {
        let given = pairs.iter().filter(|(_, value)| !value.is_empty()).copied();
        // The first language is the one of whoever says nothing.
        let lang = (self.language != 0).then(|| ("lang", self.lang()));
        address(path, given.chain(lang))
    }

    /// This page with some parameters replaced; `None` takes one away.
    pub fn here(&self, changes: &[(&str, Option<&str>)]) -> String {
        let kept = self
            .parameters
            .pairs()
            .filter(|(name, value)| !value.is_empty() && !changes.iter().any(|(changed, _)| changed.eq_ignore_ascii_case(name)));
        let changed = changes.iter().filter_map(|(name, value)| Some((*name, (*value)?)));
        address(&self.path, kept.chain(changed))
    }

    /// A number of ours for people.
    pub fn count(&self, number: u64) -> String {
        crate::formats::written(i64::try_from(number).unwrap_or(i64::MAX), 0, self.tongue)
    }
}

/// The path that somebody asked for, as pages may lead back to it: one that begins like the name of another server is none of ours.
fn own_path(uri: &Uri) -> String {
    onward::own_address(uri.path()).unwrap_or_else(|| "/".to_owned())
}

/// An address with its parameters; brackets and commas stay readable.
pub fn address<'p>(path: &str, pairs: impl Iterator<Item = (&'p str, &'p str)>) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let query =
        query.replace("%2C", ",").replace("%28", "(").replace("%29", ")").replace("%3A", ":").replace("%5B", "[").replace("%5D", "]");
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// What a browser may do with a page: show what comes from here, and send nothing elsewhere.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

fn secured(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Answers with a page that follows from its address and the state of the releases alone, and so need be made once only.
pub async fn respond<F>(
    shared: &Arc<Shared>,
    uri: &Uri,
    headers: &HeaderMap,
    make: impl FnOnce(Page) -> F,
) -> Result<Recorded<Response>, Problem>
where
    F: Future<Output = Result<Markup, Problem>>,
{
    respond_as_of(shared, uri, headers, "", make).await
}

/// The same for a page that says something else at another `time`.
async fn respond_as_of<F>(
    shared: &Arc<Shared>,
    uri: &Uri,
    headers: &HeaderMap,
    time: &str,
    make: impl FnOnce(Page) -> F,
) -> Result<Recorded<Response>, Problem>
where
    F: Future<Output = Result<Markup, Problem>>,
{
    let page = Page::new(shared, uri, headers)?;
    let audience = format!("{:?}", shared.audience);
    let known = [audience.as_str(), page.origin.as_str(), shared.boundaries.digest(), &digests(shared), shared.dashboards.digest(), time];
    let tag = shared.tag(&["page", uri.path(), uri.query().unwrap_or(""), &known.join(" ")]);
    if edge::is_known(headers, &tag) {
        return Ok(Recorded::without_cells(secured(edge::unchanged(&tag))));
    }
    let body = match shared.finished.get(&tag) {
        Some(finished) => finished,
        None => {
            let notes = Arc::clone(&page.notes);
            let made = Bytes::from(make(page).await?.into_string());
            let made = notes.seal(made);
            shared.finished.put(tag.clone(), &made);
            made
        }
    };
    Ok(body.map(|body| secured(edge::whole(frame::MEDIA, body, &tag))))
}

/// A page that nobody keeps.
fn shown(page: &Page, title: &str, main: &Markup, status: StatusCode) -> Response {
    let body = frame::frame(page, title, Section::None, main).into_string();
    secured((status, [(header::CONTENT_TYPE, frame::MEDIA), (header::CACHE_CONTROL, "no-store")], body).into_response())
}

/// Whether whoever asks for an address is shown problems as pages.
pub fn is_page(path: &str, headers: &HeaderMap) -> bool {
    let machines = ["/api/", "/sdmx/", "/charts/", "/assets/", "/healthz", "/readyz"];
    let reads = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|accept| accept.contains("text/html"));
    reads && !machines.iter().any(|prefix| path.starts_with(prefix))
}

/// A problem as a page.
pub fn problem_page(shared: &Arc<Shared>, uri: &Uri, headers: &HeaderMap, problem: &Problem) -> Response {
    let page = Page::new(shared, uri, headers).unwrap_or_else(|_| Page {
        shared: Arc::clone(shared),
        language: 0,
        tongue: shared.library.tongue(0),
        path: own_path(uri),
        parameters: Parameters::parse(None),
        origin: shared.origin(headers),
        notes: Arc::default(),
    });
    let title = match problem.status {
        StatusCode::FORBIDDEN => page.say(&texts::NOT_FOR_YOU),
        StatusCode::NOT_FOUND => page.say(&texts::NOT_HERE),
        StatusCode::GONE => page.say(&texts::WITHDRAWN_TITLE),
        status if status.is_server_error() => page.say(&texts::NOT_NOW),
        _ => page.say(&texts::NOT_UNDERSTOOD),
    };
    let main = html! {
        h1 { (title) }
        div.alert role="alert" { p { (frame::sentence(&problem.detail.text(page.tongue))) } }
        p { (page.say(&texts::NOT_HERE_HELP)) }
        (search::search_box(&page, ""))
        p { a href=(page.link("/tables", &[])) { (page.say(&texts::CATALOGUE)) } " · " a href=(page.link("/", &[])) { (page.say(&texts::HOME)) } }
    };
    shown(&page, title, &main, problem.status)
}
