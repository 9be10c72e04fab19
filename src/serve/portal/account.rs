//! Signing in and out, and what people see of their own account.

use std::{sync::Arc, time::Instant};

use axum::{
    Extension,
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use chrono::Utc;
use maud::{Markup, html};

use super::{
    Page,
    frame::sentence,
    onward::{onward, own_address},
    shown, texts,
};
use crate::{
    access::{Access, Attempt, Caller, PasswordChange, PasswordFault, SignedIn},
    error::Error,
    serve::{
        Shared, noted,
        parameters::Parameters,
        problem::Problem,
        request_body::whole_body,
        seen::Seen,
        who::{Asking, cookie_name, unauthorized},
    },
    words::{self, Phrase},
};

/// Bytes of a form, at most.
const MOST: usize = 16 << 10;

/// The cookie of a session; an empty token takes it away.
fn cookie(response: &mut Response, token: &str, secure: bool) {
    let age = if token.is_empty() { "; Max-Age=0" } else { "" };
    let safe = if secure { "; Secure" } else { "" };
    let text = format!("{}={token}; Path=/; HttpOnly; SameSite=Lax{safe}{age}", cookie_name(secure));
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// Refuses a form that another site has sent. Browsers say from where one comes.
fn is_form_of_ours(shared: &Shared, headers: &HeaderMap) -> Result<(), Problem> {
    let told = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_own = match (told("sec-fetch-site"), told("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => origin == shared.origin(headers),
        (None, None) => true,
    };
    if is_own { Ok(()) } else { Err(Problem::new(StatusCode::FORBIDDEN, "Form of another site", &words::FORM_NOT_YOURS)) }
}

/// Refuses a form that another site has sent, or that was made for another session.
pub(super) fn is_form_of(shared: &Shared, headers: &HeaderMap, session: &str, token: &str) -> Result<(), Problem> {
    is_form_of_ours(shared, headers)?;
    if access(shared)?.is_own_form(session, token) {
        return Ok(());
    }
    Err(Problem::new(StatusCode::FORBIDDEN, "Form of another session", &words::FORM_NOT_YOURS))
}

/// The fields of a form that a page of ours sent.
async fn fields(shared: &Shared, headers: &HeaderMap, body: Body) -> Result<Parameters, Problem> {
    is_form_of_ours(shared, headers)?;
    let body = whole_body(body, MOST).await?;
    Ok(Parameters::parse(std::str::from_utf8(&body).ok()))
}

fn access(shared: &Shared) -> Result<&Arc<Access>, Problem> {
    shared.access.as_ref().ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "Not found", &words::NOTHING_HERE))
}

/// Somebody with a session, and its token.
pub(super) fn signed_in(asking: &Asking) -> Result<(&Caller, &str), Problem> {
    asking.caller.as_deref().zip(asking.session.as_deref()).ok_or_else(unauthorized)
}

/// The fields of a form that this very session was given.
pub(super) async fn own_fields(shared: &Shared, session: &str, headers: &HeaderMap, body: Body) -> Result<Parameters, Problem> {
    let fields = fields(shared, headers, body).await?;
    is_form_of(shared, headers, session, fields.get("form").unwrap_or(""))?;
    Ok(fields)
}

/// What a form of an account is answered with: the page that it came from, its fields, and the user id of whoever sent it.
async fn received(
    shared: &Arc<Shared>,
    asking: &Asking,
    uri: &Uri,
    headers: &HeaderMap,
    body: Body,
) -> Result<(Page, Parameters, String), Problem> {
    let (caller, session) = signed_in(asking)?;
    let fields = own_fields(shared, session, headers, body).await?;
    Ok((Page::new(shared, uri, headers)?, fields, caller.user_id.clone()))
}

/// Work with passwords, which takes a processor for a while, away from the threads that serve connections.
pub(super) async fn apart<T: Send + 'static>(
    shared: &Shared,
    work: impl FnOnce(&Access) -> crate::error::Result<T> + Send + 'static,
) -> Result<T, Problem> {
    let access = Arc::clone(access(shared)?);
    let done = tokio::task::spawn_blocking(move || work(&access)).await;
    Ok(done.map_err(|error| Error::Internal(error.to_string()))??)
}

/// `GET /sign-in`
pub async fn sign_in_form(Seen(shared): Seen, uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    access(&shared)?;
    let page = Page::new(&shared, &uri, &headers)?;
    let to = page.parameters.get("to").and_then(own_address).unwrap_or_else(|| "/".to_owned());
    Ok(entrance(&page, &to, "", None, false, false))
}

/// The form by which people come in.
fn entrance(page: &Page, to: &str, user: &str, said: Option<(StatusCode, String)>, code: bool, change: bool) -> Response {
    let (status, said) = said.map_or((StatusCode::OK, None), |(status, said)| (status, Some(said)));
    let title = page.say(&texts::SIGN_IN);
    let field = |id: &str, label: &'static Phrase, kind: &str, value: &str, complete: &str, focus: bool| {
        html! {
            label for=(id) { (page.say(label)) }
            input id=(id) name=(id) type=(kind) value=(value) autocomplete=(complete) required autofocus[focus];
        }
    };
    let main = html! {
        h1 { (title) }
        p.lead { (page.say(&texts::SIGN_IN_LEAD)) }
        @if let Some(said) = said { div.alert role="alert" { p { (said) } } }
        form.sign-in.card method="post" action=(page.link("/sign-in", &[])) {
            input type="hidden" name="to" value=(to);
            (field("user", &texts::USER_ID, "text", user, "username", user.is_empty()))
            (field("password", &texts::PASSWORD, "password", "", "current-password", !user.is_empty()))
            @if change {
                (field("new", &texts::PASSWORD_NEW, "password", "", "new-password", false))
                (field("again", &texts::PASSWORD_AGAIN, "password", "", "new-password", false))
            }
            @if code { (field("code", &texts::FACTOR_CODE, "text", "", "one-time-code", false)) }
            button.main type="submit" { (title) }
        }
    };
    shown(page, title, &main, status)
}

fn password_fault(page: &Page, fault: PasswordFault) -> String {
    let said = match fault {
        PasswordFault::Length => &texts::BAD_LENGTH,
        PasswordFault::Guessable => &texts::BAD_GUESSABLE,
    };
    page.say(said).to_owned()
}

/// `POST /sign-in`
pub async fn sign_in(
    Seen(shared): Seen,
    Extension(asking): Extension<Asking>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    access(&shared)?;
    let fields = fields(&shared, &headers, body).await?;
    let page = Page::new(&shared, &uri, &headers)?;
    let get = |name: &str| fields.get(name).unwrap_or("").to_owned();
    let (user, password, new, again, code) = (get("user"), get("password"), get("new"), get("again"), get("code"));
    let to = own_address(&get("to")).unwrap_or_else(|| "/".to_owned());
    let (name, had_new, had_code) = (user.clone(), !new.is_empty(), !code.is_empty());
    let is_same_twice = new == again;
    let from = asking.client;
    let attempt = move |access: &Access| {
        let given = Attempt { from, user_id: &user, password: &password, code: Some(code.as_str()), new_password: Some(new.as_str()) };
        Ok((access.sign_in(&given, Utc::now())?, access.user(&user).is_ok()))
    };
    let refused =
        |status: StatusCode, said: String, code: bool, change: bool| Ok(entrance(&page, &to, &name, Some((status, said)), code, change));
    if !is_same_twice {
        return refused(StatusCode::BAD_REQUEST, page.say(&texts::BAD_AGAIN).to_owned(), had_code, true);
    }
    if let Err(refusal) = shared.limits.count_sign_in(asking.client, Instant::now()) {
        return Ok(refusal.into_response());
    }
    let turn = shared.limits.hashing().await;
    let (came, is_known) = apart(&shared, attempt).await?;
    drop(turn);
    // What was typed in the place of a user id can be a password: only what is one is kept.
    let who = if is_known { name.as_str() } else { "somebody unknown" };
    let outcome = if matches!(came, SignedIn::Yes(_)) { "succeeded" } else { "did not succeed" };
    noted::note_act(format!("sign-in of {who} {outcome}"));
    match came {
        SignedIn::Yes(session) => {
            let mut response = onward(&to);
            cookie(&mut response, &session.token, shared.is_secure());
            Ok(response)
        }
        SignedIn::No => refused(StatusCode::UNAUTHORIZED, page.say(&texts::WRONG_SIGN_IN).to_owned(), had_code, had_new),
        SignedIn::Locked(seconds) => {
            let said = texts::LOCKED.with(seconds).text(page.tongue);
            let mut response = entrance(&page, &to, &name, Some((StatusCode::TOO_MANY_REQUESTS, said)), had_code, had_new);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            Ok(response)
        }
        SignedIn::ChangeFirst => refused(StatusCode::OK, page.say(&texts::CHANGE_FIRST).to_owned(), had_code, true),
        SignedIn::BadPassword(fault) => refused(StatusCode::BAD_REQUEST, password_fault(&page, fault), had_code, true),
        SignedIn::SecondFactor => refused(StatusCode::OK, page.say(&texts::NEEDS_CODE).to_owned(), true, had_new),
    }
}

/// `POST /sign-out`
pub async fn sign_out(
    Seen(shared): Seen,
    Extension(asking): Extension<Asking>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (_, session) = signed_in(&asking)?;
    own_fields(&shared, session, &headers, body).await?;
    let token = session.to_owned();
    apart(&shared, move |access| access.sign_out(&token)).await?;
    let mut response = onward("/");
    cookie(&mut response, "", shared.is_secure());
    Ok(response)
}

/// `GET /account`
pub async fn account(Seen(shared): Seen, Extension(asking): Extension<Asking>, uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    let page = Page::new(&shared, &uri, &headers)?;
    own_page(&page, &asking, StatusCode::OK, &html! {}).await
}

/// The page of an account; `said` stands above it.
async fn own_page(page: &Page, asking: &Asking, status: StatusCode, said: &Markup) -> Result<Response, Problem> {
    let (caller, _) = signed_in(asking)?;
    let (name, code) = (caller.user_id.clone(), caller.institution.clone());
    let (keys, user, institution) =
        apart(&page.shared, move |access| Ok((access.keys(Some(&name))?, access.user(&name)?, access.institution(&code)?))).await?;
    let library = &page.shared.library;
    let region = match &caller.granted.region {
        None => page.say(&texts::WHOLE_COUNTRY).to_owned(),
        Some(code) => {
            let found = library.regions().and_then(|regions| Some(&regions.nodes[regions.find(code)? as usize]));
            found.map_or_else(|| code.clone(), |node| node.label.text(page.language).to_owned())
        }
    };
    let listed = |is_wanted: &dyn Fn(&str) -> bool| {
        let wanted = library.tables.iter().filter(|entry| is_wanted(&entry.table.id));
        wanted.map(|entry| entry.table.label.text(page.language)).collect::<Vec<_>>().join("; ")
    };
    let open = page.shared.open.as_ref();
    let is_open = |table: &str| open.is_some_and(|open| open.grants(table));
    let tables = match &caller.granted.tables {
        None => page.say(&texts::EVERY_TABLE).to_owned(),
        Some(_) => listed(&|table| caller.granted.grants(table)),
    };
    let hidden = html! { input type="hidden" name="form" value=(caller.form_token); };
    let to = |path: &str| page.link(path, &[]);
    let title = page.say(&texts::ACCOUNT);
    let main = html! {
        h1 { (caller.name) }
        (said)
        dl.particulars {
            dt { (page.say(&texts::USER_ID)) } dd { code { (caller.user_id) } }
            dt { (page.say(&texts::YOUR_INSTITUTION)) } dd { (institution.name) " (" (institution.code) ")" }
            dt { (page.say(&texts::YOU_SEE)) } dd { (region) " · " (tables) }
            @if open.is_some() { dt { (page.say(&texts::OPEN_TO_ALL)) } dd { (listed(&is_open)) } }
        }
        form.out method="post" action=(to("/sign-out")) { (hidden) button type="submit" { (page.say(&texts::SIGN_OUT)) } }
        section {
            h2 { (page.say(&texts::CHANGE_PASSWORD)) }
            form.sign-in.card method="post" action=(to("/account/password")) {
                (hidden)
                label for="old" { (page.say(&texts::PASSWORD_NOW)) }
                input id="old" name="old" type="password" autocomplete="current-password" required;
                label for="new" { (page.say(&texts::PASSWORD_NEW)) }
                input id="new" name="new" type="password" autocomplete="new-password" required minlength="12";
                label for="again" { (page.say(&texts::PASSWORD_AGAIN)) }
                input id="again" name="again" type="password" autocomplete="new-password" required minlength="12";
                button type="submit" { (page.say(&texts::CHANGE_PASSWORD)) }
            }
        }
        section {
            h2 { (page.say(&texts::KEYS)) }
            p { (page.say(&texts::KEYS_LEAD)) }
            @if !keys.is_empty() {
                div.scroll tabindex="0" role="region" aria-label=(page.say(&texts::KEYS)) {
                    table.plain {
                        caption.visually-hidden { (page.say(&texts::KEYS)) }
                        thead { tr { th scope="col" { (page.say(&texts::KEY_NAME)) } th scope="col" { (page.say(&texts::KEY_ENDS)) } th scope="col" { (page.say(&texts::KEY_REVOKE)) } } }
                        tbody {
                            @for key in &keys {
                                tr {
                                    th scope="row" { (key.name) }
                                    td { (words::day(key.ends.date_naive(), page.tongue)) }
                                    td {
                                        @if key.revoked { (page.say(&texts::REVOKED)) }
                                        @else {
                                            form method="post" action=(to("/account/keys/revoke")) {
                                                (hidden)
                                                button.small type="submit" name="name" value=(key.name) { (page.say(&texts::KEY_REVOKE)) span.visually-hidden { " " (key.name) } }
                                            }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            form.sign-in.card method="post" action=(to("/account/keys")) {
                (hidden)
                label for="name" { (page.say(&texts::KEY_NAME)) }
                input id="name" name="name" type="text" maxlength="200" required;
                label for="days" { (page.say(&texts::KEY_DAYS)) }
                input id="days" name="days" type="number" min="1" max="366" value="90" required;
                button type="submit" { (page.say(&texts::KEY_ADD)) }
            }
        }
        section {
            h2 { (page.say(&texts::SECOND_FACTOR)) }
            @if user.second_factor { p { (page.say(&texts::SECOND_FACTOR_ON)) } }
            @else {
                p { (page.say(&texts::SECOND_FACTOR_LEAD)) }
                form method="post" action=(to("/account/second-factor")) { (hidden) button type="submit" { (page.say(&texts::SECOND_FACTOR_BEGIN)) } }
            }
        }
    };
    Ok(shown(page, title, &main, status))
}

pub(super) fn alert(text: &str) -> Markup {
    html! { div.alert role="alert" { p { (text) } } }
}

/// `POST /account/password`
pub async fn change_password(
    Seen(shared): Seen,
    Extension(asking): Extension<Asking>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (page, fields, user) = received(&shared, &asking, &uri, &headers, body).await?;
    let kept = signed_in(&asking)?.1.to_owned();
    let (old, new) = (fields.get("old").unwrap_or("").to_owned(), fields.get("new").unwrap_or("").to_owned());
    if fields.get("again").unwrap_or("") != new {
        return own_page(&page, &asking, StatusCode::BAD_REQUEST, &alert(page.say(&texts::BAD_AGAIN))).await;
    }
    let from = asking.client;
    let _turn = shared.limits.hashing().await;
    let change = move |access: &Access| {
        access.change_password(&PasswordChange { user_id: &user, from, old: &old, new: &new, session: &kept }, Utc::now())
    };
    let (status, said) = match apart(&shared, change).await? {
        SignedIn::Yes(_) => (StatusCode::OK, html! { p.note role="status" { (page.say(&texts::CHANGED)) } }),
        SignedIn::BadPassword(fault) => (StatusCode::BAD_REQUEST, alert(&password_fault(&page, fault))),
        SignedIn::Locked(seconds) => (StatusCode::TOO_MANY_REQUESTS, alert(&texts::LOCKED.with(seconds).text(page.tongue))),
        _ => (StatusCode::UNAUTHORIZED, alert(page.say(&texts::WRONG_SIGN_IN))),
    };
    own_page(&page, &asking, status, &said).await
}

/// What the rules refuse, as people read it.
pub(super) fn refusal(error: Error) -> Result<Markup, Problem> {
    match error {
        Error::Input(text) | Error::Conflict(text) | Error::NotFound(text) => Ok(alert(&sentence(&text))),
        other => Err(other.into()),
    }
}

/// `POST /account/keys`
pub async fn add_key(
    Seen(shared): Seen,
    Extension(asking): Extension<Asking>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (page, fields, user) = received(&shared, &asking, &uri, &headers, body).await?;
    let (name, days) = (fields.get("name").unwrap_or("").to_owned(), fields.get("days").and_then(|days| days.parse().ok()).unwrap_or(0));
    let made = apart(&shared, move |access| Ok(access.add_key(&user, &name, days, &user, Utc::now()))).await?;
    let (status, said) = match made {
        Ok((_, secret)) => {
            let shown = html! { div.note role="status" { p { (page.say(&texts::KEY_ONCE)) } p { code { (secret) } } } };
            (StatusCode::CREATED, shown)
        }
        Err(error) => (StatusCode::BAD_REQUEST, refusal(error)?),
    };
    own_page(&page, &asking, status, &said).await
}

/// `POST /account/keys/revoke`
pub async fn revoke_key(
    Seen(shared): Seen,
    Extension(asking): Extension<Asking>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (page, fields, user) = received(&shared, &asking, &uri, &headers, body).await?;
    let name = fields.get("name").unwrap_or("").to_owned();
    let revoked = apart(&shared, move |access| Ok(access.revoke_key(&user, &name, &user, "", Utc::now()))).await?;
    match revoked {
        Ok(()) => Ok(onward(&page.link("/account", &[]))),
        Err(error) => own_page(&page, &asking, StatusCode::BAD_REQUEST, &refusal(error)?).await,
    }
}

/// `POST /account/second-factor`
pub async fn second_factor(
    Seen(shared): Seen,
    Extension(asking): Extension<Asking>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (page, fields, user) = received(&shared, &asking, &uri, &headers, body).await?;
    let code = fields.get("code").unwrap_or("").to_owned();
    if code.is_empty() {
        let begun = apart(&shared, move |access| Ok(access.begin_second_factor(&user))).await?;
        let said = match begun {
            Err(error) => return own_page(&page, &asking, StatusCode::BAD_REQUEST, &refusal(error)?).await,
            Ok(seed) => html! {
                form.sign-in.card method="post" action=(page.link("/account/second-factor", &[])) {
                    input type="hidden" name="form" value=(signed_in(&asking)?.0.form_token);
                    p { (page.say(&texts::SECOND_FACTOR_SEED)) }
                    p { code { (seed) } }
                    label for="code" { (page.say(&texts::FACTOR_CODE)) }
                    input id="code" name="code" type="text" inputmode="numeric" autocomplete="one-time-code" required autofocus;
                    button.main type="submit" { (page.say(&texts::CONFIRM)) }
                }
            },
        };
        return own_page(&page, &asking, StatusCode::OK, &said).await;
    }
    let confirmed = apart(&shared, move |access| access.confirm_second_factor(&user, &code, Utc::now())).await?;
    if confirmed {
        return Ok(onward(&page.link("/account", &[])));
    }
    own_page(&page, &asking, StatusCode::BAD_REQUEST, &alert(page.say(&texts::SECOND_FACTOR_WRONG))).await
}
