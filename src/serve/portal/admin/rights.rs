//! What a user may see, before he has seen it: told, or shown by looking at the service as he does.

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use chrono::Utc;
use maud::{Markup, html};

use super::{Desk, Received, texts};
use crate::{
    access::{Institution, User},
    serve::{problem::Problem, seen::Audience},
};

/// Regions above an office that are named.
const ABOVE: &str = " · ";

/// What a user sees once he has signed in, what is open to everybody included: taken from the very part of the service that he would be
/// answered from.
pub async fn shown(desk: &Desk, user: &User, institution: &Institution) -> Result<Markup, Problem> {
    let scope = institution.granted(user.request.region.as_deref());
    let audience = Audience { role: Some(user.request.role), sees_as: None };
    let part = desk.whole.within(&desk.whole.reach(&scope), &audience).await?;
    let (page, language, library) = (&desk.page, desk.page.language, &part.library);
    let regions = library.regions();
    let place = regions.and_then(|regions| {
        let code = scope.region.as_deref()?;
        let at = regions.find(code)?;
        let above: Vec<&str> = regions.path(at).iter().map(|&node| regions.nodes[node as usize].label.text(language)).collect();
        let within = regions.subtree(at).len() as u64 - 1;
        let named = texts::SEES_REGION.with(desk.region(Some(code))).and(page.count(within)).and(above.join(ABOVE));
        Some(named.text(page.tongue))
    });
    let everywhere = || {
        let all = regions.map_or(0, |regions| regions.nodes.len() as u64);
        if scope.region.is_some() { desk.region(scope.region.as_deref()) } else { texts::SEES_ALL.with(page.count(all)).text(page.tongue) }
    };
    // What is open in every region is not named again among what is granted in one.
    let open = desk.whole.open.as_ref();
    let is_open = |id: &str| open.is_some_and(|open| open.grants(id));
    let named = |is_wanted: &dyn Fn(&str) -> bool| {
        let wanted = desk.whole.library.tables.iter().filter(|entry| is_wanted(&entry.table.id));
        wanted.map(|entry| entry.table.label.text(language)).collect::<Vec<_>>()
    };
    let granted_tables = named(&|id| library.table(id).is_some() && !is_open(id));
    let (open_tables, others) = (named(&is_open), named(&|id| library.table(id).is_none()));
    let queries: Vec<&str> = part.sql.queries().iter().map(|query| query.title.text(language)).collect();
    let dashboards: Vec<&str> = part.dashboards.listed().map(|dashboard| dashboard.title.text(language)).collect();
    let listed = |names: &[&str]| if names.is_empty() { desk.say(&texts::NOTHING).to_owned() } else { names.join("; ") };
    Ok(html! {
        dl.particulars {
            dt { (desk.say(&texts::REGION)) } dd { (place.unwrap_or_else(everywhere)) }
            dt { (desk.say(&texts::SEES_TABLES)) } dd { (listed(&granted_tables)) }
            @if open.is_some() { dt { (desk.say(&texts::SEES_OPEN)) } dd { (listed(&open_tables)) } }
            @if !others.is_empty() { dt { (desk.say(&texts::SEES_NOT)) } dd { (others.join("; ")) } }
            dt { (desk.say(&texts::SEES_QUERIES)) } dd { (listed(&queries)) }
            dt { (desk.say(&texts::SEES_DASHBOARDS)) } dd { (listed(&dashboards)) }
        }
    })
}

/// `GET /admin/see-as`
pub async fn seeing_as(desk: Desk) -> Result<Response, Problem> {
    let page = &desk.page;
    let main = match &desk.caller.sees_as {
        Some(other) => html! {
            p { (texts::SEEING_AS_LEAD.with(other.as_str()).text(page.tongue)) }
            form method="post" action=(page.link("/admin/see-as", &[])) { (desk.token()) button.main type="submit" { (desk.say(&texts::SEE_AS_SELF)) } }
        },
        None => html! { p { (desk.say(&texts::NOT_SEEING_AS)) } },
    };
    Ok(desk.shown(desk.say(&texts::SEE_AS), "/admin/see-as", StatusCode::OK, &main))
}

/// `POST /admin/see-as`
pub async fn stop_seeing_as(desk: Desk, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let Received { desk, .. } = desk.receive(&headers, body).await?;
    let (session, by) = (desk.session.clone(), desk.caller.user_id.clone());
    let other = desk.caller.sees_as.clone();
    desk.tells("see as oneself");
    desk.with(move |access| access.see_as(&session, None, &by, Utc::now())).await?;
    let back = other.map_or_else(|| "/admin".to_owned(), |other| super::path_of(&other));
    Ok(super::super::onward::onward(&desk.page.link(&back, &[])))
}
