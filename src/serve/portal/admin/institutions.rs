//! Institutions and their agreements.

use std::collections::BTreeSet;

use axum::{
    body::Body,
    extract::Path,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use chrono::{NaiveDate, Utc};
use maud::{Markup, html};

use super::{Desk, Field, Received, act, choice, day, given, listing, records, refused, semester, texts, unknown_act, users, why};
use crate::{
    access::{Institution, Kind, Standing, office_time},
    error::{Error, Result as Outcome},
    serve::{parameters::Parameters, problem::Problem},
    usage::duty_text,
    words,
};

/// Changes that are shown of one institution.
const CHANGES: usize = 20;

/// `GET /admin/institutions`
pub async fn institutions(desk: Desk) -> Result<Response, Problem> {
    list(&desk, StatusCode::OK, &html! {}).await
}

async fn list(desk: &Desk, status: StatusCode, said: &Markup) -> Result<Response, Problem> {
    let now = Utc::now();
    let last = semester(now).previous();
    let (all, filed) = desk.with(move |access| Ok((access.institutions()?, access.reports(last)?))).await?;
    let page = &desk.page;
    let rows: Vec<Markup> = all
        .iter()
        .map(|institution| {
            let duty = institution.duty(last, &filed, now);
            html! {
                th scope="row" { a href=(page.link(&path(&institution.code), &[])) { (institution.code) } }
                td { (institution.name) }
                td { (institution.agreement) }
                td { (span(institution, page.tongue)) }
                td { (standing(desk, institution)) }
                td { (duty_text(&duty, page.tongue)) }
            }
        })
        .collect();
    let columns = [&texts::CODE, &texts::NAME, &texts::AGREEMENT, &texts::VALID, &texts::STANDING].map(|column| desk.say(column));
    let report = texts::REPORT_FOR.with(last.to_string()).text(page.tongue);
    let columns = [&columns[..], &[report.as_str()]].concat();
    let main = html! {
        (said)
        (listing(page, desk.say(&texts::INSTITUTIONS), &columns, &rows))
        section {
            h2 { (desk.say(&texts::ADD_INSTITUTION)) }
            form.sign-in.card method="post" action=(page.link("/admin/institutions", &[])) {
                (desk.token())
                (Field { id: "code", label: desk.say(&texts::CODE), kind: "text", value: "", required: true }.shown())
                (fields(desk, None))
                button.main type="submit" { (desk.say(&texts::ADD_INSTITUTION)) }
            }
        }
    };
    Ok(desk.shown(desk.say(&texts::INSTITUTIONS), "/admin/institutions", status, &main))
}

fn path(code: &str) -> String {
    format!("/admin/institutions/{code}")
}

fn span(institution: &Institution, tongue: words::Tongue) -> String {
    format!("{} – {}", words::day(institution.valid_from, tongue), words::day(institution.valid_to, tongue))
}

fn standing(desk: &Desk, institution: &Institution) -> String {
    let until = institution.until.map(|until| texts::UNTIL_DAY.with(words::day(until, desk.page.tongue)).text(desk.page.tongue));
    [Some(desk.say(texts::standing(institution.standing)).to_owned()), until].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// The fields of an institution, but for its code.
fn fields(desk: &Desk, known: Option<&Institution>) -> Markup {
    let text = |value: fn(&Institution) -> &String| known.map_or("", |known| value(known).as_str());
    let date = |value: fn(&Institution) -> NaiveDate| known.map_or_else(String::new, |known| value(known).to_string());
    let kinds = [Kind::Memorandum, Kind::Cooperation].map(|kind| (kind.word(), desk.say(texts::kind(kind))));
    let granted = |id: &str| known.and_then(|known| known.tables.as_ref()).is_some_and(|tables| tables.contains(id));
    html! {
        (Field { id: "name", label: desk.say(&texts::NAME), kind: "text", value: text(|known| &known.name), required: true }.shown())
        (choice("kind", desk.say(&texts::KIND), kinds.into_iter(), known.map_or(Kind::Cooperation, |known| known.kind).word()))
        (Field { id: "agreement", label: desk.say(&texts::AGREEMENT), kind: "text", value: text(|known| &known.agreement), required: true }.shown())
        (Field { id: "from", label: desk.say(&texts::FROM), kind: "date", value: &date(|known| known.valid_from), required: true }.shown())
        (Field { id: "to", label: desk.say(&texts::TO), kind: "date", value: &date(|known| known.valid_to), required: true }.shown())
        label.tick { input type="checkbox" name="reports" value="yes" checked[known.is_none_or(|known| known.reports)]; " " (desk.say(&texts::OWES_REPORTS)) }
        fieldset {
            legend { (desk.say(&texts::GRANTED)) }
            @for entry in &desk.whole.library.tables {
                label.tick { input type="checkbox" name="table" value=(entry.table.id) checked[granted(&entry.table.id)]; " " (entry.table.label.text(desk.page.language)) }
            }
        }
    }
}

/// An institution from a form.
fn read(desk: &Desk, code: &str, fields: &Parameters) -> Outcome<Institution> {
    let date = |name: &str| day(fields, name)?.ok_or_else(|| Error::Input(format!("{name}: expected a day")));
    let tables: BTreeSet<String> = fields.pairs().filter(|(name, _)| *name == "table").map(|(_, id)| id.to_owned()).collect();
    if let Some(unknown) = tables.iter().find(|id| desk.whole.library.table(id).is_none()) {
        return Err(Error::Input(format!("there is no table '{unknown}'")));
    }
    Ok(Institution {
        code: code.to_owned(),
        name: given(fields, "name"),
        kind: given(fields, "kind").parse()?,
        agreement: given(fields, "agreement"),
        valid_from: date("from")?,
        valid_to: date("to")?,
        reports: fields.get("reports") == Some("yes"),
        tables: (!tables.is_empty()).then_some(tables),
        standing: Standing::Active,
        until: None,
    })
}

/// `POST /admin/institutions`
pub async fn add_institution(desk: Desk, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let Received { desk, fields } = desk.receive(&headers, body).await?;
    let code = given(&fields, "code");
    desk.tells(&format!("add {code}"));
    let read = read(&desk, &code, &fields);
    let by = desk.caller.user_id.clone();
    let done = match read {
        Ok(institution) => desk.try_with(move |access| access.add_institution(&institution, &by, "agreement", Utc::now())).await?,
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => Ok(desk.done(&path(&code))),
        Err(error) => {
            let (status, said) = refused(error)?;
            list(&desk, status, &said).await
        }
    }
}

/// `GET /admin/institutions/{code}`
pub async fn institution(desk: Desk, Path(code): Path<String>) -> Result<Response, Problem> {
    one(&desk, &code, StatusCode::OK, &html! {}).await
}

async fn one(desk: &Desk, code: &str, status: StatusCode, said: &Markup) -> Result<Response, Problem> {
    let now = Utc::now();
    let today = office_time(now).date();
    let last = semester(now).previous();
    let name = code.to_owned();
    let (institution, people, changes, filed) = desk
        .with(move |access| {
            let institution = access.institution(&name)?;
            let people = access.users(Some(&institution.code))?;
            let changes = access.changes(Some(("institution", &institution.code)), CHANGES)?;
            Ok((institution, people, changes, access.reports(last)?))
        })
        .await?;
    let page = &desk.page;
    let action = page.link(&path(&institution.code), &[]);
    let duty = institution.duty(last, &filed, now);
    let tables = match &institution.tables {
        None => desk.say(&texts::EVERY).to_owned(),
        Some(tables) => tables.iter().cloned().collect::<Vec<_>>().join(", "),
    };
    let is_suspended = institution.standing == Standing::Suspended;
    let main = html! {
        (said)
        dl.particulars {
            dt { (desk.say(&texts::NAME)) } dd { (institution.name) }
            dt { (desk.say(texts::kind(institution.kind))) } dd { (institution.agreement) ", " (span(&institution, page.tongue)) }
            dt { (desk.say(&texts::STANDING)) } dd { (standing(desk, &institution)) ". " @if institution.stands(today) { (desk.say(&texts::STANDS)) } @else { (desk.say(&texts::STANDS_NOT)) } }
            dt { (desk.say(&texts::SEES_TABLES)) } dd { (tables) }
            dt { (texts::REPORT_FOR.with(last.to_string()).text(page.tongue)) } dd { (duty_text(&duty, page.tongue)) " · " a href=(page.link("/usage", &[("period", &last.to_string()), ("institution", &institution.code)])) { (desk.say(&texts::USAGE)) } }
        }
        div.acts {
            (act(desk, &action, "change", desk.say(&texts::CHANGE), &html! { (fields(desk, Some(&institution))) (why(desk, "change", false)) }))
            @if institution.standing == Standing::Active { (act(desk, &action, "suspend", desk.say(&texts::SUSPEND), &why(desk, "suspend", true))) }
            @if is_suspended { (act(desk, &action, "reactivate", desk.say(&texts::REACTIVATE), &why(desk, "reactivate", false))) }
            @if institution.standing != Standing::Ended { (act(desk, &action, "end", desk.say(&texts::END), &why(desk, "end", false))) }
        }
        section { h2 { (desk.say(&texts::USERS)) } (users::table(desk, &people)) }
        (users::request_forms(desk, Some(&institution.code)))
        section { h2 { (desk.say(&texts::CHANGES)) } (records::change_list(desk, &changes)) }
    };
    Ok(desk.shown(&institution.code, "/admin/institutions", status, &main))
}

/// `POST /admin/institutions/{code}`
pub async fn act_on_institution(desk: Desk, Path(code): Path<String>, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let Received { desk, fields } = desk.receive(&headers, body).await?;
    let (by, reason, now) = (desk.caller.user_id.clone(), given(&fields, "reason"), Utc::now());
    let (name, act, until) = (code.clone(), given(&fields, "act"), day(&fields, "until"));
    desk.tells(&format!("{act} {name}"));
    let changed = if act == "change" { Some(read(&desk, &code, &fields)) } else { None };
    let done = desk
        .try_with(move |access| match (act.as_str(), changed) {
            (_, Some(institution)) => access.change_institution(&institution?, &by, &reason, now),
            ("suspend", _) => access.put_institution(&name, Standing::Suspended, until?, &by, &reason, now),
            ("reactivate", _) => access.put_institution(&name, Standing::Active, None, &by, &reason, now),
            ("end", _) => access.put_institution(&name, Standing::Ended, None, &by, &reason, now),
            (other, _) => Err(unknown_act(other)),
        })
        .await?;
    match done {
        Ok(()) => Ok(desk.done(&path(&code))),
        Err(error) => {
            let (status, said) = refused(error)?;
            one(&desk, &code, status, &said).await
        }
    }
}
