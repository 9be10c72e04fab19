//! What one request sees of the service: the whole of it, or the part that lies within the scope of whoever asks.
//!
//! ```text
//! request ── who asks? ──> Scopes ── Views ──> Shared of these scopes ──> every handler, by `Seen`
//! ```
//!
//! A part has its own library, queries and dashboards, and its fingerprint differs from those of all others, so that neither tags nor
//! finished answers are ever those of another scope.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex},
};

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
};
use tokio::sync::OnceCell;

use super::{
    Shared,
    problem::{OUT_OF_SCOPE, Problem},
    renewal::Current,
};
use crate::{access::Role, dashboards::Dashboards, error::Result, parallel::lock, sql::Sql, tables::Scopes, words};

/// Parts that are kept at a time, more than there are regencies; the one that was used longest ago is made anew when it is needed again.
const MOST_VIEWS: usize = 1024;

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

/// The parts that were made of one state of the releases. Each is made once, and making one keeps nobody waiting who wants another.
#[derive(Default)]
pub struct Views(Mutex<KnownViews>);

#[derive(Default)]
struct KnownViews {
    views: HashMap<View, KnownView>,
    clock: u64,
}

struct KnownView {
    part: Arc<OnceCell<Arc<Shared>>>,
    /// When it was last used, in views looked up.
    used: u64,
}

impl Views {
    /// The place of a part, be it made or not.
    fn part(&self, view: View) -> Arc<OnceCell<Arc<Shared>>> {
        let mut known = lock(&self.0);
        let KnownViews { views, clock } = &mut *known;
        *clock += 1;
        let is_new = !views.contains_key(&view);
        if is_new && views.len() >= MOST_VIEWS {
            let oldest = views.iter().min_by_key(|(_, known)| known.used).map(|(view, _)| view.clone());
            oldest.map(|oldest| views.remove(&oldest));
        }
        let known = views.entry(view).or_insert_with(|| KnownView { part: Arc::default(), used: 0 });
        known.used = *clock;
        Arc::clone(&known.part)
    }
}

/// For whom pages are made, beside what they may show.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
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
        if scopes.is_whole() && *audience == Audience::default() {
            return Ok(Arc::clone(self));
        }
        let part = self.views.part((scopes.clone(), audience.clone()));
        let made = part.get_or_try_init(|| self.make_part(scopes, audience)).await?;
        Ok(Arc::clone(made))
    }

    async fn make_part(self: &Arc<Self>, scopes: &Scopes, audience: &Audience) -> Result<Arc<Self>> {
        if *audience != Audience::default() {
            // What another audience sees of the same scopes is the same but for what stands around it.
            let same = Box::pin(self.within(scopes, &Audience::default())).await?;
            return Ok(Arc::new(Self { audience: audience.clone(), views: Arc::default(), ..Self::clone(&same) }));
        }
        let (whole, wanted) = (Arc::clone(&self.library), scopes.clone());
        let library = Arc::new(self.engine.compute(async move { Ok(whole.within(&wanted)) }).await?);
        let sql = Arc::new(self.sql.part(&library, &self.engine, &self.queries).await?);
        let (of_part, sql_of_part, files) = (Arc::clone(&library), Arc::clone(&sql), self.dashboard_files.fitting());
        let dashboards = Arc::new(self.engine.compute(async move { Dashboards::open(&of_part, &sql_of_part, &files) }).await?);
        let named = |sql: &Sql| sql.queries().iter().map(|query| query.name.clone()).collect::<BTreeSet<_>>();
        let listed = |dashboards: &Dashboards| dashboards.listed().map(|dashboard| dashboard.name.clone()).collect::<BTreeSet<_>>();
        let beyond =
            Arc::new(Beyond { queries: &named(&self.sql) - &named(&sql), dashboards: &listed(&self.dashboards) - &listed(&dashboards) });
        Ok(Arc::new(Self { library, sql, dashboards, beyond, views: Arc::default(), ..Self::clone(self) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::Scope;

    #[test]
    fn parts_are_kept_up_to_a_number_and_the_oldest_goes() {
        let views = Views::default();
        let view = |region: usize| (Scopes::from(Scope { region: Some(region.to_string()), tables: None }), Audience::default());
        let first = views.part(view(0));
        for region in 1..MOST_VIEWS {
            views.part(view(region));
        }
        assert!(Arc::ptr_eq(&first, &views.part(view(0))), "it was used again");
        let second = views.part(view(1));
        views.part(view(2));
        views.part(view(MOST_VIEWS));
        assert!(Arc::ptr_eq(&second, &views.part(view(1))));
        assert_eq!(views.0.lock().unwrap().views.len(), MOST_VIEWS);
        assert!(!views.0.lock().unwrap().views.contains_key(&view(3)));
    }
}
