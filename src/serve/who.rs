//! Who asks, and what he therefore sees.
//!
//! ```text
//! cookie or Authorization ──> Caller ──> what he is granted, and what is open to all ──> the part of the service that he sees
//! neither ─────────────────────────────> what is open to all; where nothing is: sign in
//! ```

use std::{collections::BTreeSet, net::IpAddr, sync::Arc};

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use chrono::Utc;

use super::{
    Shared,
    parameters::Parameters,
    portal,
    problem::{OUT_OF_SCOPE, Problem},
    seen::Audience,
};
use crate::{
    access::{Access, Caller, Refused, Who},
    tables::{Scope, Scopes},
    words,
};

/// Addresses that are answered whoever asks: they show no cell.
const OPEN: [&str; 6] = ["/assets/", "/sign-in", "/healthz", "/readyz", "/api/openapi.json", "/method"];
/// The session of a browser. The name with the mark is one that nothing but this very host can have set, over TLS.
const COOKIES: [&str; 2] = ["cacah_session", "__Host-cacah_session"];

/// Somebody who asks.
#[derive(Clone, Default)]
pub struct Asking {
    /// Who it is, if he was identified.
    pub caller: Option<Arc<Caller>>,
    /// The token of his session, if it was by that.
    pub session: Option<String>,
    /// The address that he asks from.
    pub client: Option<IpAddr>,
}

/// Why an answer is none.
pub enum Barred {
    /// He has to sign in first.
    SignIn,
    /// Something is wrong with what he showed.
    Problem(Problem),
}

impl Caller {
    /// How pages are made for him.
    pub fn audience(&self) -> Audience {
        Audience { role: Some(self.role), sees_as: self.sees_as.clone() }
    }
}

/// Name of the cookie that holds the session.
pub fn cookie_name(secure: bool) -> &'static str {
    COOKIES[usize::from(secure)]
}

/// The token of a session among the cookies of a request.
fn session(headers: &HeaderMap, secure: bool) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
    let mut own = all.filter_map(|pair| pair.trim().split_once('=')).filter(|(name, _)| *name == cookie_name(secure));
    own.next().map(|(_, token)| token).filter(|token| !token.is_empty())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let given = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = given.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

/// Finds out who asks.
pub async fn identify(access: &Arc<Access>, headers: &HeaderMap, secure: bool, client: Option<IpAddr>) -> Result<Asking, Barred> {
    let nobody = Asking { client, ..Asking::default() };
    let (who, session) = match (bearer(headers), session(headers, secure)) {
        (Some(key), _) => (Who::Key(key), None),
        (None, Some(token)) => (Who::Session(token), Some(token.to_owned())),
        (None, None) => return Ok(nobody),
    };
    match access.identify(who, Utc::now()).await.map_err(|error| Barred::Problem(error.into()))? {
        Ok(caller) => Ok(Asking { caller: Some(caller), session, client }),
        // A session that has ended is that of somebody who has to sign in again.
        Err(_) if session.is_some() => Ok(nobody),
        Err(Refused::Unknown) => Err(Barred::Problem(unauthorized())),
        Err(Refused::Suspended) => Err(Barred::Problem(Problem::new(StatusCode::FORBIDDEN, "Suspended", &words::USER_SUSPENDED))),
        Err(Refused::Institution) => Err(Barred::Problem(Problem::new(StatusCode::FORBIDDEN, "Suspended", &words::NO_AGREEMENT))),
    }
}

/// The problem of somebody who shows nothing by which he could be known.
pub fn unauthorized() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "Unauthorized", &words::SIGN_IN_FIRST)
}

impl Shared {
    /// What somebody may see who is granted something: that, and what everybody may.
    pub fn reach(&self, granted: &Scope) -> Scopes {
        self.open.iter().chain([granted]).cloned().collect()
    }

    /// What somebody sees of the service.
    pub async fn seen_by(self: &Arc<Self>, asking: &Asking, path: &str) -> Result<Arc<Self>, Barred> {
        let Some(_) = &self.access else { return Ok(Arc::clone(self)) };
        let scopes = match &asking.caller {
            Some(caller) => self.reach(&caller.granted),
            None => match &self.open {
                Some(open) => open.clone().into(),
                None if OPEN.iter().any(|open| path.starts_with(open)) => Scope { region: None, tables: Some(BTreeSet::new()) }.into(),
                None => return Err(Barred::SignIn),
            },
        };
        let audience = asking.caller.as_ref().map_or_else(Audience::default, |caller| caller.audience());
        self.within(&scopes, &audience).await.map_err(|error| Barred::Problem(error.into()))
    }
}

/// Where somebody who has to sign in is sent: to the form, if a person asks; a program is told how to show its key.
pub fn way_in(uri: &Uri, method: &Method, headers: &HeaderMap) -> axum::response::Response {
    use axum::response::IntoResponse as _;
    if portal::is_page(uri.path(), headers) && method == Method::GET {
        let to = uri.path_and_query().and_then(|address| portal::onward::own_address(address.as_str())).unwrap_or_else(|| "/".to_owned());
        let parameters = Parameters::parse(uri.query());
        let lang = parameters.get("lang").filter(|lang| !lang.is_empty()).map(|lang| ("lang", lang));
        let address = portal::address("/sign-in", [("to", to.as_str())].into_iter().chain(lang));
        if let Ok(location) = HeaderValue::from_str(&address) {
            return (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response();
        }
    }
    let mut response = unauthorized().into_response();
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"cacah\""));
    response
}

/// Whether nothing but the lack of a sign-in keeps somebody from an answer.
pub fn would_signing_in_help(asking: &Asking, problem: Option<&Problem>) -> bool {
    asking.caller.is_none() && problem.is_some_and(|problem| problem.title == OUT_OF_SCOPE || problem.status == StatusCode::UNAUTHORIZED)
}
