//! Pages on which administrators decide who may see what, look into the log, and see how the service is used. The rules are those of
//! [`access`](crate::access), the same as at the terminal; a page only asks.

mod institutions;
mod overview;
mod records;
mod rights;
pub mod texts;
mod usage;
mod users;

use std::sync::Arc;

use axum::{
    Extension,
    body::Body,
    extract::FromRequestParts,
    http::{HeaderMap, Method, StatusCode, request::Parts},
    response::Response,
};
use chrono::{DateTime, NaiveDate, Utc};
use maud::{Markup, html};

pub use self::{
    institutions::{act_on_institution, add_institution, institution, institutions},
    overview::overview,
    records::{changes, hints, log, log_csv},
    rights::{seeing_as, stop_seeing_as},
    usage::{file_report, usage, usage_file},
    users::{act_on_user, approve, request_file, request_user, user, users},
};
use super::{
    Page,
    account::{apart, own_fields, refusal, signed_in},
    shown, texts as common,
};
use crate::{
    access::{Access, Caller, Role, office_fault, office_time},
    error::Error,
    register::{Frequency, Period},
    serve::{Shared, noted, parameters::Parameters, problem::Problem, renewal::Current, seen::Seen, who::Asking},
    tables::UnionDimension,
    words::Phrase,
};

/// The desk of an administrator: what every page of his is made with.
pub struct Desk {
    page: Page,
    /// The whole service, of which he may be looking at a part.
    whole: Arc<Shared>,
    caller: Arc<Caller>,
    session: String,
}

/// The page and the caller, of whoever has signed in by a session.
pub struct SignedIn {
    page: Page,
    whole: Arc<Shared>,
    caller: Arc<Caller>,
    session: String,
}

impl FromRequestParts<Current> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, current: &Current) -> Result<Self, Problem> {
        let Seen(seen) = Seen::from_request_parts(parts, current).await?;
        let internal = |_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal error", &crate::words::FAILED);
        let Extension(asking) = Extension::<Asking>::from_request_parts(parts, &()).await.map_err(internal)?;
        let (_, session) = signed_in(&asking)?;
        let session = session.to_owned();
        let Some(caller) = asking.caller.clone() else { return Err(crate::serve::who::unauthorized()) };
        Ok(Self { page: Page::new(&seen, &parts.uri, &parts.headers)?, whole: current.get(), caller, session })
    }
}

impl FromRequestParts<Current> for Desk {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, current: &Current) -> Result<Self, Problem> {
        let SignedIn { page, whole, caller, session } = SignedIn::from_request_parts(parts, current).await?;
        if caller.role != Role::Administrator {
            return Err(Problem::new(StatusCode::FORBIDDEN, "Not an administrator", &texts::ONLY_ADMINISTRATORS));
        }
        let name = caller.user_id.clone();
        let lacks_factor = apart(&whole, move |access| Ok(access.needs_second_factor()? && !access.user(&name)?.second_factor)).await?;
        if lacks_factor {
            return Err(Problem::new(StatusCode::FORBIDDEN, "Second factor needed", &texts::FACTOR_FIRST));
        }
        // Whoever looks at people and at what they did is in the log too; what he does there is told by each form.
        if parts.method == Method::GET {
            noted::note_act("administration".to_owned());
        }
        Ok(Self { page, whole, caller, session })
    }
}

/// A desk with a form that came in from one of its own pages.
struct Received {
    desk: Desk,
    fields: Parameters,
}

impl Desk {
    fn say(&self, phrase: &'static Phrase) -> &'static str {
        self.page.say(phrase)
    }

    /// Tells the log what is about to be done.
    fn tells(&self, act: &str) {
        noted::note_act(format!("administration: {act}"));
    }

    /// Does something with the accounts, away from the threads that serve connections.
    async fn with<T: Send + 'static>(&self, work: impl FnOnce(&Access) -> crate::error::Result<T> + Send + 'static) -> Result<T, Problem> {
        apart(&self.whole, work).await
    }

    /// What the rules say to something, which may be a refusal to be shown.
    async fn try_with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Access) -> crate::error::Result<T> + Send + 'static,
    ) -> Result<Result<T, Error>, Problem> {
        self.with(move |access| Ok(work(access))).await
    }

    /// The field that every form carries.
    fn token(&self) -> Markup {
        html! { input type="hidden" name="form" value=(self.caller.form_token); }
    }

    /// Takes the fields of a form of this session.
    async fn receive(self, headers: &HeaderMap, body: Body) -> Result<Received, Problem> {
        let fields = own_fields(&self.whole, &self.session, headers, body).await?;
        Ok(Received { desk: self, fields })
    }

    /// A page of the desk.
    fn shown(&self, title: &str, own: &str, status: StatusCode, main: &Markup) -> Response {
        let places = [
            ("/admin", &texts::OVERVIEW),
            ("/admin/institutions", &texts::INSTITUTIONS),
            ("/admin/users", &texts::USERS),
            ("/usage", &texts::USAGE),
            ("/admin/log", &texts::LOG),
            ("/admin/hints", &texts::HINTS),
            ("/admin/changes", &texts::CHANGES),
        ];
        let around = html! {
            nav.no-print aria-label=(self.say(&texts::ADMINISTRATION)) {
                ul.tabs { @for (path, label) in places { li { a href=(self.page.link(path, &[])) aria-current=[(path == own).then_some("page")] { (self.say(label)) } } } }
            }
            h1 { (title) }
            @if self.page.parameters.get("done").is_some() { p.note role="status" { (self.say(&texts::DONE)) } }
            (main)
        };
        shown(&self.page, title, &around, status)
    }

    /// Goes on to a page once something was done.
    fn done(&self, path: &str) -> Response {
        super::onward::onward(&self.page.link(path, &[("done", "1")]))
    }

    /// The regions of the register.
    fn regions(&self) -> Option<&UnionDimension> {
        self.whole.library.regions()
    }

    /// The name of a region with its code; the whole country where there is none.
    fn region(&self, code: Option<&str>) -> String {
        let Some(code) = code else { return self.say(&common::WHOLE_COUNTRY).to_owned() };
        let node = self.regions().and_then(|regions| Some(&regions.nodes[regions.find(code)? as usize]));
        node.map_or_else(|| code.to_owned(), |node| format!("{} ({code})", node.label.text(self.page.language)))
    }

    /// Why an office cannot be in a region.
    fn office_fault(&self) -> impl Fn(&str) -> Option<String> + Send + use<> {
        let whole = Arc::clone(&self.whole);
        move |code| {
            let regions = whole.library.regions()?;
            let node = regions.find(code).map(|at| &regions.nodes[at as usize]);
            let level = node.map(|node| (node.level, regions.levels[usize::from(node.level)].id.as_str()));
            office_fault(code, level, (regions.levels.len() - 1) as u8)
        }
    }

    /// The code of the whole country.
    fn root(&self) -> String {
        self.regions().and_then(|regions| regions.nodes.first()).map(|root| root.code.clone()).unwrap_or_default()
    }
}

/// A table with a caption; says so where it has no row.
fn listing(page: &Page, caption: &str, columns: &[&str], rows: &[Markup]) -> Markup {
    headed(page, caption, &html! { @for column in columns { th scope="col" { (column) } } }, rows)
}

/// The same with headings of its own.
fn headed(page: &Page, caption: &str, headings: &Markup, rows: &[Markup]) -> Markup {
    html! {
        @if rows.is_empty() { p { (page.say(&texts::NOTHING)) } }
        @else {
            div.scroll tabindex="0" role="region" aria-label=(caption) {
                table.plain {
                    caption.visually-hidden { (caption) }
                    thead { tr { (headings) } }
                    tbody { @for row in rows { tr { (row) } } }
                }
            }
        }
    }
}

/// A field of a form.
struct Field<'a> {
    id: &'a str,
    label: &'a str,
    kind: &'a str,
    value: &'a str,
    required: bool,
}

impl Field<'_> {
    fn shown(&self) -> Markup {
        html! {
            label for=(self.id) { (self.label) }
            input id=(self.id) name=(self.id.rsplit('.').next().unwrap_or(self.id)) type=(self.kind) value=(self.value) required[self.required] maxlength=[(self.kind == "text").then_some(200)] autocomplete="off";
        }
    }
}

/// A choice among a few.
fn choice<'t>(id: &str, label: &str, options: impl Iterator<Item = (&'t str, &'t str)>, chosen: &str) -> Markup {
    html! {
        label for=(id) { (label) }
        select id=(id) name=(id.rsplit('.').next().unwrap_or(id)) {
            @for (value, text) in options { option value=(value) selected[value == chosen] { (text) } }
        }
    }
}

/// A form that stands behind its name until it is opened.
fn act(desk: &Desk, action: &str, act: &str, label: &str, fields: &Markup) -> Markup {
    html! {
        details.act {
            summary { (label) }
            form.sign-in.card method="post" action=(action) {
                (desk.token())
                input type="hidden" name="act" value=(act);
                (fields)
                button type="submit" { (label) }
            }
        }
    }
}

/// The field for a reason, and the one for a last day where there is one. `act` keeps identifiers of one page apart.
fn why(desk: &Desk, act: &str, with_day: bool) -> Markup {
    let (reason, until) = (format!("{act}.reason"), format!("{act}.until"));
    html! {
        (Field { id: &reason, label: desk.say(&texts::WHY), kind: "text", value: "", required: true }.shown())
        @if with_day { (Field { id: &until, label: desk.say(&texts::UNTIL), kind: "date", value: "", required: false }.shown()) }
    }
}

/// A day of a form, which may be left empty.
fn day(fields: &Parameters, name: &str) -> Result<Option<NaiveDate>, Error> {
    match fields.get(name).map(str::trim).unwrap_or("") {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| {
            Error::Input(format!("{name}: expected a day such as 2024-12-31, found '{}'", text.chars().take(20).collect::<String>()))
        }),
    }
}

/// The text of a field, without space around it.
fn given(fields: &Parameters, name: &str) -> String {
    fields.get(name).unwrap_or("").trim().to_owned()
}

/// The semester of a moment, as offices date it.
fn semester(now: DateTime<Utc>) -> Period {
    Period::containing(office_time(now).date(), Frequency::Semester)
}

/// Something that no form of ours asks for.
fn unknown_act(act: &str) -> Error {
    Error::Input(format!("'{}' is nothing that can be done", act.chars().take(20).collect::<String>()))
}

/// The path of a user's page.
fn path_of(called: &str) -> String {
    format!("/admin/users/{}", called.replace('#', "%23"))
}

/// A refusal, and the status of the page that shows it.
fn refused(error: Error) -> Result<(StatusCode, Markup), Problem> {
    let status = match &error {
        Error::NotFound(_) => StatusCode::NOT_FOUND,
        Error::Conflict(_) => StatusCode::CONFLICT,
        _ => StatusCode::BAD_REQUEST,
    };
    Ok((status, refusal(error)?))
}
