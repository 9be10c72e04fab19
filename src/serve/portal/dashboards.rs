//! Dashboards on pages of their own, and as one file to take away.

use std::sync::Arc;

use axum::{
    extract::Path,
    http::{HeaderMap, StatusCode, Uri},
    response::Response,
};
use maud::{Markup, html};

use super::{
    Page, Section, export, filters,
    frame::{crumbs, frame},
    panels::panel,
    respond, texts,
};
use crate::{
    dashboards::Dashboard,
    serve::{
        Shared,
        noted::Recorded,
        problem::Problem,
        seen::{Seen, refused},
    },
    words,
};

/// `GET /dashboards`
pub async fn dashboards(Seen(shared): Seen, uri: Uri, headers: HeaderMap) -> Result<Recorded<Response>, Problem> {
    respond(&shared, &uri, &headers, list).await
}

async fn list(page: Page) -> Result<Markup, Problem> {
    let title = page.say(&texts::DASHBOARDS);
    let main = html! {
        h1 { (title) }
        p.lead { (page.say(&texts::DASHBOARDS_LEAD)) }
        h2.visually-hidden { (title) }
        (cards(&page))
    };
    Ok(frame(&page, title, Section::Dashboards, &main))
}

/// The dashboards, each in a line or two.
pub fn cards(page: &Page) -> Markup {
    html! {
        ul.cards {
            @for dashboard in page.shared.dashboards.listed() {
                li.card {
                    span.tag { (dashboard.audience.text(page.language)) }
                    h3 { a href=(page.link(&format!("/dashboards/{}", dashboard.name), &[])) { (dashboard.title.text(page.language)) } }
                    p { (dashboard.description.text(page.language)) }
                }
            }
        }
    }
}

/// The dashboard of a name.
fn found<'s>(shared: &'s Shared, name: &str) -> Result<&'s Dashboard, Problem> {
    shared.dashboards.find(name).ok_or_else(|| {
        let there = shared.dashboards.listed().map(|dashboard| dashboard.name.as_str()).collect::<Vec<_>>().join(", ");
        if let Some(problem) = refused(&shared.beyond.dashboards, name, &there) {
            return problem;
        }
        let shown: String = name.chars().take(60).collect();
        Problem::new(StatusCode::NOT_FOUND, "Non-existent dashboard", texts::NO_DASHBOARD.with(shown).and(words::THERE_IS.with(there)))
    })
}

/// `GET /dashboards/{name}`, and `{name}.zip` for what it shows as files
pub async fn dashboard(Seen(shared): Seen, Path(name): Path<String>, uri: Uri, headers: HeaderMap) -> Result<Recorded<Response>, Problem> {
    if let Some(name) = name.strip_suffix(".zip") {
        return export::archive(Page::new(&shared, &uri, &headers)?, found(&shared, name)?).await;
    }
    respond(&shared, &uri, &headers, async |page| one(page, &name).await).await
}

async fn one(page: Page, name: &str) -> Result<Markup, Problem> {
    let shared = Arc::clone(&page.shared);
    let dashboard = found(&shared, name)?;
    let given = filters::given(&page, dashboard, &[])?;
    let mut parts = Vec::new();
    for (at, one) in dashboard.panels.iter().enumerate() {
        parts.push(panel(&page, dashboard, one, at + 1, &given).await?);
    }
    let title = dashboard.title.text(page.language);
    let way = [(page.say(&texts::DASHBOARDS).to_owned(), page.link("/dashboards", &[]))];
    let pairs: Vec<(&str, &str)> = given.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let main = html! {
        (crumbs(page.say(&texts::WAY), &way))
        h1 { (title) }
        p.lead { (dashboard.description.text(page.language)) }
        (filters::form(&page, &page.path, &dashboard.filters, &given.pairs, &[], &[]))
        h2 { (filters::chosen(&page, &dashboard.filters, &given.pairs).join(" · ")) }
        div.panels { @for part in &parts { (part) } }
        ul.actions {
            li { a href=(page.link(&format!("/dashboards/{}.zip", dashboard.name), &pairs)) download { (page.say(&texts::WHOLE_AS_ZIP)) } }
            li { a href=(page.link(&format!("/dashboards/{}", dashboard.name), &pairs)) { (page.say(&texts::PERMALINK)) } }
            li.muted { (page.say(&texts::PRINT_HINT)) }
        }
    };
    Ok(frame(&page, title, Section::Dashboards, &main))
}
