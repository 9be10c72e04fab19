//! Users: requests, approvals, and what becomes of them.

use axum::{
    body::Body,
    extract::{FromRequest as _, Multipart, Path, Request as HttpRequest},
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use chrono::Utc;
use maud::{Markup, html};

use super::{Desk, Field, Received, act, choice, day, given, listing, path_of, records, refused, rights, texts, unknown_act, why};
use crate::{
    access::{
        Handover, Institution, Listed, MOST_REQUEST_BYTES, REQUEST_COLUMNS, Request, Role, State, User, handover_records, office_time,
        read_requests,
    },
    error::Error,
    serve::{portal::account::is_form_of, problem::Problem},
    words,
};

/// Changes that are shown of one user.
const CHANGES: usize = 20;

/// `GET /admin/users`
pub async fn users(desk: Desk) -> Result<Response, Problem> {
    list(&desk, StatusCode::OK, &html! {}).await
}

async fn list(desk: &Desk, status: StatusCode, said: &Markup) -> Result<Response, Problem> {
    let page = &desk.page;
    let get = |name: &str| page.parameters.get(name).unwrap_or("").to_owned();
    let (institution, state, text) = (get("institution"), get("state"), get("text"));
    let of = Some(institution.clone()).filter(|code| !code.is_empty());
    let (mut all, institutions, four_eyes) =
        desk.with(move |access| Ok((access.users(of.as_deref())?, access.institutions()?, access.four_eyes()?))).await?;
    let pending: Vec<User> = all.iter().filter(|user| user.state == State::Requested).cloned().collect();
    let wanted = text.to_lowercase();
    all.retain(|user| {
        let told = [&user.called(), &user.request.name, &user.request.position, &user.request.employee_number];
        (state.is_empty() || user.state.word() == state) && told.iter().any(|told| told.to_lowercase().contains(&wanted))
    });
    let every = ("", desk.say(&texts::EVERY));
    let states = [State::Requested, State::Approved, State::Active, State::Suspended, State::Removed];
    let states = states.map(|state| (state.word(), desk.say(texts::state(state))));
    let main = html! {
        (said)
        form.filters method="get" action=(page.link("/admin/users", &[])) {
            @if page.language != 0 { input type="hidden" name="lang" value=(page.lang()); }
            div { (choice("institution", desk.say(&texts::INSTITUTION), std::iter::once(every).chain(institutions.iter().map(|one| (one.code.as_str(), one.name.as_str()))), &institution)) }
            div { (choice("state", desk.say(&texts::STATE), std::iter::once(every).chain(states), &state)) }
            div { (Field { id: "text", label: desk.say(&texts::NAME), kind: "text", value: &text, required: false }.shown()) }
            button.main type="submit" { (desk.say(&texts::SEARCH)) }
        }
        @if !pending.is_empty() { section { h2 { (desk.say(&texts::PENDING)) } @if four_eyes { p { (desk.say(&texts::FOUR_EYES)) } } (self::pending(desk, &pending)) } }
        section { h2 { (desk.say(&texts::USERS)) } (table(desk, &all)) }
        (request_forms(desk, None))
    };
    Ok(desk.shown(desk.say(&texts::USERS), "/admin/users", status, &main))
}

/// Users in a table.
pub fn table(desk: &Desk, users: &[User]) -> Markup {
    let rows: Vec<Markup> = users
        .iter()
        .map(|user| {
            html! {
                th scope="row" { a href=(desk.page.link(&path_of(&user.called()), &[])) { (user.called()) } }
                td { (user.request.name) }
                td { (user.request.position) }
                td { (desk.region(user.request.region.as_deref())) }
                td { (desk.say(texts::role(user.request.role))) }
                td { (state(desk, user)) }
            }
        })
        .collect();
    let columns =
        [&texts::USER_ID, &texts::NAME, &texts::POSITION, &texts::REGION, &texts::ROLE, &texts::STATE].map(|column| desk.say(column));
    listing(&desk.page, desk.say(&texts::USERS), &columns, &rows)
}

fn state(desk: &Desk, user: &User) -> String {
    let until = user.until.map(|until| texts::UNTIL_DAY.with(words::day(until, desk.page.tongue)).text(desk.page.tongue));
    [Some(desk.say(texts::state(user.state)).to_owned()), until].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Requests that wait, to be ticked and approved together.
pub fn pending(desk: &Desk, requests: &[User]) -> Markup {
    let rows: Vec<Markup> = requests
        .iter()
        .map(|user| {
            let called = user.called();
            html! {
                th scope="row" { label.tick { input type="checkbox" name="user" value=(called); " " (called) } }
                td { a href=(desk.page.link(&path_of(&called), &[])) { (user.request.name) } }
                td { (user.request.institution) }
                td { (user.request.position) }
                td { (desk.region(user.request.region.as_deref())) }
                td { (desk.say(texts::role(user.request.role))) }
                td { (user.requested_by) }
            }
        })
        .collect();
    let columns =
        [&texts::USER_ID, &texts::NAME, &texts::INSTITUTION, &texts::POSITION, &texts::REGION, &texts::ROLE, &texts::REQUESTED_BY];
    html! {
        form method="post" action=(desk.page.link("/admin/users/approve", &[])) {
            (desk.token())
            (listing(&desk.page, desk.say(&texts::PENDING), &columns.map(|column| desk.say(column)), &rows))
            @if !requests.is_empty() { p { button.main type="submit" { (desk.say(&texts::APPROVE)) } } }
        }
    }
}

/// The forms by which users are asked for.
pub fn request_forms(desk: &Desk, institution: Option<&str>) -> Markup {
    let page = &desk.page;
    html! {
        details.act {
            summary { (desk.say(&texts::REQUEST)) }
            form.sign-in.card method="post" action=(page.link("/admin/users", &[])) {
                (desk.token())
                (Field { id: "request.institution", label: desk.say(&texts::INSTITUTION), kind: "text", value: institution.unwrap_or(""), required: true }.shown())
                (person(desk, "request", None))
                (Field { id: "request.identity", label: desk.say(&texts::IDENTITY), kind: "text", value: "", required: false }.shown())
                button type="submit" { (desk.say(&texts::REQUEST)) }
            }
        }
        details.act {
            summary { (desk.say(&texts::REQUEST_FILE)) }
            form.sign-in.card method="post" enctype="multipart/form-data" action=(page.link("/admin/users/file", &[])) {
                (desk.token())
                p { (texts::REQUEST_FILE_LEAD.with(REQUEST_COLUMNS.join(", ")).text(page.tongue)) }
                label for="file" { (desk.say(&texts::FILE)) }
                input id="file" name="file" type="file" accept=".csv,.xlsx" required;
                button type="submit" { (desk.say(&texts::REQUEST_FILE)) }
            }
        }
    }
}

/// What is told of a person, as fields.
fn person(desk: &Desk, act: &str, known: Option<&Request>) -> Markup {
    let id = |name: &str| format!("{act}.{name}");
    let text = |value: fn(&Request) -> &String| known.map_or("", |known| value(known).as_str());
    let region = known.and_then(|known| known.region.as_deref()).unwrap_or("");
    let roles = [Role::Reader, Role::Reporter, Role::Administrator].map(|role| (role.word(), desk.say(texts::role(role))));
    let dimension = desk.regions().map(|regions| regions.id.as_str());
    html! {
        (Field { id: &id("name"), label: desk.say(&texts::NAME), kind: "text", value: text(|known| &known.name), required: true }.shown())
        (Field { id: &id("employee_number"), label: desk.say(&texts::EMPLOYEE), kind: "text", value: text(|known| &known.employee_number), required: true }.shown())
        (Field { id: &id("position"), label: desk.say(&texts::POSITION), kind: "text", value: text(|known| &known.position), required: true }.shown())
        (Field { id: &id("local_id"), label: desk.say(&texts::LOCAL_ID), kind: "text", value: text(|known| &known.local_id), required: true }.shown())
        label for=(id("region")) { (desk.say(&texts::OFFICE)) }
        input type="text" id=(id("region")) name="region" value=(region) list=(id("regions")) data-suggest=[dimension] autocomplete="off" spellcheck="false";
        datalist id=(id("regions")) {}
        (choice(&id("role"), desk.say(&texts::ROLE), roles.into_iter(), known.map_or(Role::Reader, |known| known.role).word()))
    }
}

/// A person from the fields of a form. Suggested regions stand as `Name (code)`.
fn read(fields: &crate::serve::parameters::Parameters, institution: String) -> Result<Request, Error> {
    let region = given(fields, "region");
    let code = region.strip_suffix(')').and_then(|text| text.rsplit_once('(')).map_or(region.as_str(), |(_, code)| code);
    Ok(Request {
        institution,
        region: Some(code.to_owned()).filter(|code| !code.is_empty()),
        role: given(fields, "role").parse()?,
        employee_number: given(fields, "employee_number"),
        name: given(fields, "name"),
        position: given(fields, "position"),
        local_id: given(fields, "local_id"),
        identity: Some(given(fields, "identity")).filter(|number| !number.is_empty()),
    })
}

/// `POST /admin/users`
pub async fn request_user(desk: Desk, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let Received { desk, fields } = desk.receive(&headers, body).await?;
    desk.tells(&format!("request for {}", given(&fields, "institution")));
    let request = read(&fields, given(&fields, "institution")).map(|request| vec![Listed { line: None, request }]);
    request_all(&desk, request).await
}

async fn request_all(desk: &Desk, requests: Result<Vec<Listed>, Error>) -> Result<Response, Problem> {
    let (by, office) = (desk.caller.user_id.clone(), desk.office_fault());
    let done = match requests {
        Ok(requests) => desk.try_with(move |access| access.request_users(&requests, &office, &by, Utc::now())).await?,
        Err(error) => Err(error),
    };
    match done {
        Ok(_) => Ok(desk.done("/admin/users")),
        Err(error) => {
            let (status, said) = refused(error)?;
            list(desk, status, &said).await
        }
    }
}

/// `POST /admin/users/file`
pub async fn request_file(desk: Desk, request: HttpRequest) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    let length =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()).and_then(|length| length.parse::<usize>().ok());
    let too_large = || Error::Input(format!("the file is larger than {MOST_REQUEST_BYTES} bytes; divide it"));
    if length.is_some_and(|length| length > MOST_REQUEST_BYTES + (64 << 10)) {
        let (status, said) = refused(too_large())?;
        return list(&desk, status, &said).await;
    }
    let broken = || Problem::new(StatusCode::BAD_REQUEST, "Malformed request", &words::NO_HTTP);
    let mut parts = Multipart::from_request(request, &()).await.map_err(|_| broken())?;
    let (mut token, mut file) = (String::new(), Vec::new());
    while let Some(mut part) = parts.next_field().await.map_err(|_| broken())? {
        let is_file = part.name() == Some("file");
        let mut bytes = Vec::new();
        while let Some(piece) = part.chunk().await.map_err(|_| broken())? {
            bytes.extend_from_slice(&piece);
            if bytes.len() > MOST_REQUEST_BYTES {
                let (status, said) = refused(too_large())?;
                return list(&desk, status, &said).await;
            }
        }
        if is_file {
            file = bytes;
        } else {
            token = String::from_utf8_lossy(&bytes).into_owned();
        }
    }
    is_form_of(&desk.whole, &headers, &desk.session, &token)?;
    desk.tells("request by a file");
    let requests = desk.try_with(move |_| read_requests(&file)).await?;
    request_all(&desk, requests).await
}

/// `POST /admin/users/approve`
pub async fn approve(desk: Desk, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let Received { desk, fields } = desk.receive(&headers, body).await?;
    let names: Vec<String> = fields.pairs().filter(|(name, _)| *name == "user").map(|(_, value)| value.to_owned()).collect();
    desk.tells(&format!("approve {}", names.join(" ")));
    let (by, root) = (desk.caller.user_id.clone(), desk.root());
    let _turn = desk.whole.limits.hashing().await;
    let done = desk
        .with(move |access| {
            let mut papers: Vec<(Handover, Institution)> = Vec::new();
            for name in &names {
                // Those that were approved must be handed over, whatever becomes of the others.
                match access.approve(name, &root, &by, "", Utc::now()) {
                    Ok(handed) => {
                        let institution = access.institution(&handed.user.request.institution)?;
                        papers.push((handed, institution));
                    }
                    Err(error) => return Ok((papers, Some(error))),
                }
            }
            Ok((papers, None))
        })
        .await?;
    let (papers, fault) = done;
    let (status, said) = match fault {
        Some(error) => refused(error)?,
        None => (StatusCode::OK, html! {}),
    };
    if papers.is_empty() {
        return list(&desk, status, &said).await;
    }
    Ok(papers_page(&desk, &papers, &said))
}

/// The handover records themselves, to be printed; what went wrong stands above them and is not.
fn papers_page(desk: &Desk, papers: &[(Handover, Institution)], said: &Markup) -> Response {
    let rows: Vec<Markup> = papers
        .iter()
        .map(|(handed, _)| {
            html! {
                th scope="row" { a href=(desk.page.link(&path_of(&handed.user.called()), &[])) { (handed.user.called()) } }
                td { (handed.user.request.name) }
                td { code { (handed.password) } }
                td { (words::day(handed.until, desk.page.tongue)) }
            }
        })
        .collect();
    let columns = [&texts::USER_ID, &texts::NAME, &super::common::PASSWORD, &texts::TO].map(|column| desk.say(column));
    let main = html! {
        (said)
        div.no-print {
            p.note role="status" { (desk.say(&texts::APPROVED_LEAD)) }
            (listing(&desk.page, desk.say(&texts::USERS), &columns, &rows))
        }
        div.papers { (handover_records(papers)) }
    };
    desk.shown(desk.say(&texts::PRINT), "/admin/users", StatusCode::OK, &main)
}

/// `GET /admin/users/{name}`
pub async fn user(desk: Desk, Path(name): Path<String>) -> Result<Response, Problem> {
    one(&desk, &name, StatusCode::OK, &html! {}).await
}

async fn one(desk: &Desk, name: &str, status: StatusCode, said: &Markup) -> Result<Response, Problem> {
    let now = Utc::now();
    let wanted = name.to_owned();
    let (user, institution, keys, sessions, changes) = desk
        .with(move |access| {
            let user = access.user(&wanted)?;
            let institution = access.institution(&user.request.institution)?;
            let called = user.called();
            let keys = access.keys(Some(&called))?;
            let changes = access.changes(Some(("user", &called)), CHANGES)?;
            let sessions = access.sessions(&user, now)?;
            Ok((user, institution, keys, sessions, changes))
        })
        .await?;
    let page = &desk.page;
    let (called, request) = (user.called(), &user.request);
    let action = page.link(&path_of(&called), &[]);
    let is_in = matches!(user.state, State::Approved | State::Active);
    let key_rows: Vec<Markup> = keys
        .iter()
        .map(|key| {
            html! {
                th scope="row" { (key.name) }
                td { (words::day(key.ends.date_naive(), page.tongue)) }
                td {
                    @if key.revoked { (desk.say(&super::common::REVOKED)) }
                    @else { (act(desk, &action, "revoke", desk.say(&texts::REVOKE), &html! { input type="hidden" name="key" value=(key.name); (why(desk, &format!("revoke-{}", key.name), false)) })) }
                }
            }
        })
        .collect();
    let rights = rights::shown(desk, &user, &institution).await?;
    let stands = institution.stands(office_time(now).date());
    let main = html! {
        (said)
        dl.particulars {
            dt { (desk.say(&texts::NAME)) } dd { (request.name) ", " (request.position) }
            dt { (desk.say(&texts::INSTITUTION)) } dd { a href=(page.link(&format!("/admin/institutions/{}", institution.code), &[])) { (institution.name) } @if !stands { " · " (desk.say(&texts::STANDS_NOT)) } }
            dt { (desk.say(&texts::EMPLOYEE)) } dd { (request.employee_number) " · " (request.local_id) }
            dt { (desk.say(&texts::STATE)) } dd { (state(desk, &user)) ", " (desk.say(texts::role(request.role))) }
            dt { (desk.say(&texts::SECOND_FACTOR)) } dd { @if user.second_factor { (desk.say(&texts::YES)) } @else { (desk.say(&texts::NO)) } }
            dt { (desk.say(&texts::SESSIONS)) } dd { (texts::SESSIONS_OPEN.with(sessions).text(page.tongue)) }
            dt { (desk.say(&texts::REQUESTED_BY)) } dd { (user.requested_by) }
        }
        div.acts {
            @if user.state == State::Requested {
                form method="post" action=(page.link("/admin/users/approve", &[])) { (desk.token()) input type="hidden" name="user" value=(called); button.main type="submit" { (desk.say(&texts::APPROVE_ONE)) } }
            }
            @if user.state != State::Removed { (act(desk, &action, "change", desk.say(&texts::CHANGE), &html! { (person(desk, "change", Some(request))) (why(desk, "change", false)) })) }
            @if is_in { (act(desk, &action, "suspend", desk.say(&texts::SUSPEND), &why(desk, "suspend", true))) }
            @if user.state == State::Suspended { (act(desk, &action, "reactivate", desk.say(&texts::REACTIVATE), &why(desk, "reactivate", false))) }
            @if is_in { (act(desk, &action, "reset", desk.say(&texts::RESET), &why(desk, "reset", false))) }
            @if sessions > 0 { (act(desk, &action, "end-sessions", desk.say(&texts::END_SESSIONS), &why(desk, "end-sessions", false))) }
            @if user.state != State::Removed { (act(desk, &action, "remove", desk.say(&texts::REFUSE), &why(desk, "remove", false))) }
        }
        section {
            h2 { (desk.say(&texts::RIGHTS)) }
            (rights)
            form method="post" action=(action) { (desk.token()) input type="hidden" name="act" value="see-as"; button type="submit" { (desk.say(&texts::SEE_AS)) } }
        }
        section { h2 { (desk.say(&texts::KEYS)) } (listing(page, desk.say(&texts::KEYS), &[desk.say(&super::common::KEY_NAME), desk.say(&super::common::KEY_ENDS), desk.say(&texts::REVOKE)], &key_rows)) }
        section {
            h2 { (desk.say(&texts::CHANGES)) }
            (records::change_list(desk, &changes))
            p { a href=(page.link("/admin/log", &[("user", &called)])) { (desk.say(&texts::LOOK)) } }
        }
    };
    Ok(desk.shown(&called, "/admin/users", status, &main))
}

/// `POST /admin/users/{name}`
pub async fn act_on_user(desk: Desk, Path(name): Path<String>, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let Received { desk, fields } = desk.receive(&headers, body).await?;
    let (by, reason, now) = (desk.caller.user_id.clone(), given(&fields, "reason"), Utc::now());
    let (act, until, key) = (given(&fields, "act"), day(&fields, "until"), given(&fields, "key"));
    desk.tells(&format!("{act} {name}"));
    if act == "see-as" {
        let (session, other) = (desk.session.clone(), name.clone());
        desk.with(move |access| access.see_as(&session, Some(&other), &by, now)).await?;
        return Ok(super::super::onward::onward(&desk.page.link("/", &[])));
    }
    let (wanted, office) = (name.clone(), desk.office_fault());
    let _turn = if act == "reset" { desk.whole.limits.hashing().await } else { None };
    let done = desk
        .try_with(move |access| {
            match act.as_str() {
                "change" => {
                    let request = Request { identity: None, ..read(&fields, access.user(&wanted)?.request.institution)? };
                    if let Some(fault) = request.region.as_deref().and_then(office) {
                        return Err(Error::Input(fault));
                    }
                    access.change_user(&wanted, &request, &by, &reason, now)?;
                }
                "suspend" => access.suspend(&wanted, until?, &by, &reason, now)?,
                "reactivate" => access.reactivate(&wanted, &by, &reason, now)?,
                "remove" => access.remove(&wanted, &by, &reason, now)?,
                "end-sessions" => access.end_sessions(&wanted, &by, &reason, now)?,
                "revoke" => access.revoke_key(&wanted, &key, &by, &reason, now)?,
                "reset" => {
                    let handed = access.reset_password(&wanted, &by, &reason, now)?;
                    let institution = access.institution(&handed.user.request.institution)?;
                    return Ok(Some((handed, institution)));
                }
                other => return Err(unknown_act(other)),
            }
            Ok(None)
        })
        .await?;
    match done {
        Ok(None) => Ok(desk.done(&path_of(&name))),
        Ok(Some(paper)) => Ok(papers_page(&desk, &[paper], &html! {})),
        Err(error) => {
            let (status, said) = refused(error)?;
            one(&desk, &name, status, &said).await
        }
    }
}
