//! The first page of administrators: what waits for them.

use axum::{http::StatusCode, response::Response};
use chrono::{Days, Utc};
use maud::html;

use super::{Desk, listing, path_of, records, semester, texts, users};
use crate::{
    access::{Duty, Search, State, begin_of, office_time},
    serve::problem::Problem,
    usage::{Thresholds, duty_text, hints},
};

/// Days of the log that are looked at for hints here, and changes that are shown.
const HINT_DAYS: u64 = 7;
const CHANGES: usize = 10;

/// `GET /admin`
pub async fn overview(desk: Desk) -> Result<Response, Problem> {
    let now = Utc::now();
    let today = office_time(now).date();
    let last = semester(now).previous();
    let (pending, late, odd, changes) = desk
        .with(move |access| {
            let mut pending = access.users(None)?;
            pending.retain(|user| user.state == State::Requested);
            let filed = access.reports(last)?;
            let duties = access.institutions()?.into_iter().map(|institution| {
                let duty = institution.duty(last, &filed, now);
                (institution, duty)
            });
            let late: Vec<_> = duties.filter(|(_, duty)| matches!(duty, Duty::Overdue(_))).collect();
            let search = Search { since: Some(begin_of(today - Days::new(HINT_DAYS))), ..Search::default() };
            let odd = hints(access, &search, Thresholds::default())?;
            Ok((pending, late, odd, access.changes(None, CHANGES)?))
        })
        .await?;
    let page = &desk.page;
    let late_rows: Vec<_> = late
        .iter()
        .map(|(institution, duty)| {
            let link = page.link(&format!("/admin/institutions/{}", institution.code), &[]);
            html! { th scope="row" { a href=(link) { (institution.code) } } td { (institution.name) } td { (duty_text(duty, page.tongue)) } }
        })
        .collect();
    let main = html! {
        section { h2 { (desk.say(&texts::PENDING)) } (users::pending(&desk, &pending)) }
        section {
            h2 { (desk.say(&texts::OVERDUE)) " · " (last) }
            (listing(page, desk.say(&texts::OVERDUE), &[desk.say(&texts::CODE), desk.say(&texts::NAME), desk.say(&texts::REPORT)], &late_rows))
        }
        section { h2 { (desk.say(&texts::HINTS)) } (records::hint_list(&desk, &odd)) }
        section {
            h2 { (desk.say(&texts::CHANGES)) }
            (records::change_list(&desk, &changes))
            p { a href=(page.link("/admin/changes", &[])) { (desk.say(&texts::CHANGES)) } " · " a href=(page.link(&path_of(&desk.caller.user_id), &[])) { (desk.caller.user_id) } }
        }
    };
    Ok(desk.shown(desk.say(&texts::ADMINISTRATION), "/admin", StatusCode::OK, &main))
}
