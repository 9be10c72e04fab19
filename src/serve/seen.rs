//! What one request sees of the service: the whole of it, or the part that lies within the scope of whoever asks.
//!
//! ```text
//! request ── who asks? ──> Scopes ── Views ──> Shared of these scopes ──> every handler, by `Seen`
//! ```
//!
//! A part has its own library, queries and dashboards, and its fingerprint differs from those of all others, so that neither tags nor
//! finished answers are ever those of another scope.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
};
use tokio::sync::Mutex;

use super::{
    Shared,
    problem::{OUT_OF_SCOPE, Problem},
    renewal::Current,
};
use crate::{access::Role, dashboards::Dashboards, error::Result, sql::Sql, tables::Scopes, words};

/// Parts that are kept at a time; what was asked for longest ago is made anew when it is needed again.
const MOST_VIEWS: usize = 64;

/// What a request sees. The edge has put it there before any handler runs.
pub struct Seen(pub Arc<Shared>);

impl FromRequestParts<Current> for Seen {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Current) -> std::result::Result<Self, Problem> {
        let seen = parts.extensions.get::<Arc<Shared>>().map(Arc::clone);
        // Without the edge nobody has asked who it is: then nothing may be seen.
        seen.map(Self).ok_or_else(|| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal error", &words::FAILED))
    }
}

/// What there is outside of a part, by name.
#[derive(Debug, Default)]
pub struct Beyond {
    pub queries: BTreeSet<String>,
    pub dashboards: BTreeSet<String>,
}

/// Refuses something that stands outside of a scope; `there` is what stands within it.
pub fn refused(beyond: &BTreeSet<String>, name: &str, there: &str) -> Option<Problem> {
    let found = beyond.iter().find(|known| known.eq_ignore_ascii_case(name))?;
    Some(Problem::new(StatusCode::FORBIDDEN, OUT_OF_SCOPE, words::NOT_GRANTED_NAMED.with(found.as_str()).and(there)))
}

/// The parts that were made of one state of the releases.
#[derive(Default)]
pub struct Views(Mutex<Vec<(View, Arc<Shared>)>>);

/// For whom pages are made, beside what they may show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Audience {
    /// What somebody who has signed in may do beside reading.
    pub role: Option<Role>,
    /// The user id of somebody as whom he looks at the service.
    pub sees_as: Option<String>,
}

/// What a part is of.
type View = (Scopes, Audience);

impl Shared {
    /// The part of the service that lies within some scopes, for an audience: their pages differ.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub async fn within(self: &Arc<Self>, scopes: &Scopes, audience: &Audience) -> Result<Arc<Self>> {
        let view = (scopes.clone(), audience.clone());
        let mut views = self.views.0.lock().await;
        if let Some(at) = views.iter().position(|(known, _)| *known == view) {
            let found = views.remove(at);
            let part = Arc::clone(&found.1);
            views.push(found);
            return Ok(part);
        }
        // What another audience sees of the same scopes is the same but for what stands around it.
        let same = if scopes.is_whole() { Some(self) } else { views.iter().find(|((known, _), _)| known == scopes).map(|(_, part)| part) };
        if let Some(same) = same {
            let part = Arc::new(Self { audience: audience.clone(), views: Arc::default(), ..Self::clone(same) });
            keep(&mut views, view, &part);
            return Ok(part);
        }
        let (whole, wanted) = (Arc::clone(&self.library), scopes.clone());
        let library = Arc::new(self.engine.compute(async move { Ok(whole.within(&wanted)) }).await?);
        let sql = Arc::new(self.sql.part(&library, &self.engine, &self.queries).await?);
        let dashboards = Arc::new(Dashboards::open(&library, &sql, &self.dashboard_files.fitting())?);
        let named = |sql: &Sql| sql.queries().iter().map(|query| query.name.clone()).collect::<BTreeSet<_>>();
        let listed = |dashboards: &Dashboards| dashboards.listed().map(|dashboard| dashboard.name.clone()).collect::<BTreeSet<_>>();
        let beyond =
            Arc::new(Beyond { queries: &named(&self.sql) - &named(&sql), dashboards: &listed(&self.dashboards) - &listed(&dashboards) });
        let (audience, views_of_it) = (audience.clone(), Arc::default());
        let part = Arc::new(Self { library, sql, dashboards, beyond, audience, views: views_of_it, ..Self::clone(self) });
        keep(&mut views, view, &part);
        Ok(part)
    }
}

fn keep(views: &mut Vec<(View, Arc<Shared>)>, view: View, part: &Arc<Shared>) {
    if views.len() >= MOST_VIEWS {
        views.remove(0);
    }
    views.push((view, Arc::clone(part)));
}
