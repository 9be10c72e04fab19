//! Who sees what: two users of different scopes ask every address for everything, and find nothing that is not theirs.

use std::{collections::BTreeSet, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use cacah::{
    access::{Access, Attempt, Institution, Kind, Listed, Request, Role, Search, SignedIn, Standing},
    serve::{Rate, ServeSettings},
    tables::Scope,
};
use chrono::{DateTime, Days, Utc};

use super::{
    admin::routed,
    client::{Reply, request},
    portal::{EVERYTHING, files},
    serving, settings,
    sql::{PEOPLE, wire::Wire},
};

pub const PASSWORD: &str = "a password of mine";

/// An institution whose agreement holds today.
pub fn institution(code: &str, tables: Option<&[&str]>) -> Institution {
    let today = Utc::now().date_naive();
    Institution {
        code: code.into(),
        name: format!("Office {code}"),
        kind: Kind::Cooperation,
        agreement: format!("PKS-1/{code}"),
        valid_from: today - Days::new(30),
        valid_to: today + Days::new(300),
        reports: true,
        tables: tables.map(|tables| tables.iter().map(|table| (*table).to_owned()).collect::<BTreeSet<_>>()),
        standing: Standing::Active,
        until: None,
    }
}

/// A request for a user of an institution.
pub fn asked_for(institution: &str, region: Option<&str>, number: &str) -> Request {
    Request {
        institution: institution.into(),
        region: region.map(str::to_owned),
        role: Role::Reader,
        employee_number: number.into(),
        name: format!("User {number}"),
        position: "Analyst".into(),
        local_id: format!("local-{number}"),
        identity: Some(format!("{number:0>16}")),
    }
}

/// A user who has chosen his password: his user id.
pub fn active(access: &Access, request: &Request, now: DateTime<Utc>) -> String {
    let asked = access.request_users(&[Listed { line: None, request: request.clone() }], &|_| None, "tests", now).unwrap();
    let handed = access.approve(&asked[0].called(), "TOY", "tests", "", now).unwrap();
    let user_id = handed.user.called();
    let attempt = Attempt { from: None, user_id: &user_id, password: &handed.password, code: None, new_password: Some(PASSWORD) };
    assert!(matches!(access.sign_in(&attempt, now).unwrap(), SignedIn::Yes(_)));
    user_id
}

/// A query of a table that not everybody is granted.
const BANDS: &str = r#"--! title = { id = "Kelompok", en = "Bands" }
--! description = { id = "Wilayah", en = "Regions" }
--! audience = { id = "Semua", en = "Everyone" }
--!
--! [[parameter]]
--! name = "period"
--! label = { id = "Periode", en = "Period" }
--! kind = "period"
--! default = "newest"
--!
--! [[column]]
--! name = "region"
--! label = { id = "Wilayah", en = "Region" }
--! codes = "region"
--!
--! [[column]]
--! name = "value"
--! label = { id = "Nilai", en = "Value" }
--! unit = { id = "orang", en = "people" }
--! status = "status"
--!
--! [[column]]
--! name = "status"
--! label = { id = "Keterangan", en = "Status" }
SELECT region, value, status FROM bands WHERE period = $period
"#;

/// A dashboard that shows nothing but what not everybody is granted.
fn bands_alone() -> String {
    let head = EVERYTHING.split("[[panel]]").next().unwrap();
    format!("{head}[[panel]]\nshow = \"table\"\nquery = \"bands\"\nparameters = {{ period = \"$period\" }}\n")
}

struct World {
    address: SocketAddr,
    port: SocketAddr,
    access: Arc<Access>,
    /// The user of the province 12 who is granted `people` alone.
    south: String,
    south_key: String,
    /// The user of the whole country who is granted everything.
    all_key: String,
}

fn opened(folder: &Path) -> Arc<Access> {
    Arc::new(Access::open(&folder.join("access.sqlite")).unwrap())
}

fn world(open: Option<Scope>) -> World {
    let folder = tempfile::tempdir().unwrap();
    let access = opened(folder.path());
    let now = Utc::now();
    access.add_institution(&institution("SOUTH", Some(&["people"])), "tests", "", now).unwrap();
    access.add_institution(&institution("ALL", None), "tests", "", now).unwrap();
    let south = active(&access, &asked_for("SOUTH", Some("12"), "1"), now);
    let all = active(&access, &asked_for("ALL", None, "2"), now);
    let key = |user: &str| access.add_key(user, "tests", 30, "tests", now).unwrap().1;
    let (south_key, all_key) = (key(&south), key(&all));
    let settings = ServeSettings {
        access: Some(Arc::clone(&access)),
        open,
        queries: files(&[("people.sql", PEOPLE), ("bands.sql", BANDS)]),
        dashboards: files(&[("everything.toml", EVERYTHING), ("bands.toml", &bands_alone())]),
        postgres: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        ..settings()
    };
    let service = serving(&settings);
    let (address, port) = (service.address, service.port.unwrap());
    // The files stay open; their folder may go.
    std::mem::forget(folder);
    World { address, port, access, south, south_key, all_key }
}

fn ask(world: &World, key: Option<&str>, path: &str) -> Reply {
    let bearer = key.map(|key| format!("Bearer {key}"));
    let headers: Vec<(&str, &str)> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
    request(world.address, "GET", path, &headers, b"")
}

/// Codes and names of places outside of the province 12 and the country above it.
const OUTSIDE: [&str; 7] = ["North", "Ash", "Birch", "Dogwood", "1101", "1102", "1103"];

/// Addresses of every surface, asked for as much as they give.
pub fn everything() -> Vec<String> {
    let all = "valueCodes[Region]=*&valueCodes[Sex]=*&valueCodes[Age]=*&valueCodes[ContentsCode]=*&valueCodes[Tid]=2024-S2";
    let mut paths: Vec<String> = [
        "",
        "search?q=north",
        "search?q=1101",
        "search/suggest?q=ash",
        "tables",
        "tables/people",
        "dashboards",
        "queries",
        "releases",
        "method",
        "api",
    ]
    .map(|path| format!("/{path}"))
    .into();
    paths.extend(
        [
            "/api/v2/config",
            "/api/v2/tables",
            "/api/v2/tables/people",
            "/api/v2/tables/people/metadata",
            "/api/v2/tables/people/defaultselection",
        ]
        .map(String::from),
    );
    paths.extend(["vs_region_regency", "vs_region_province"].map(|list| format!("/api/v2/codelists/{list}")));
    for format in ["json-stat2", "csv", "px", "html"] {
        paths.push(format!("/api/v2/tables/people/data?{all}&outputFormat={format}"));
        paths.push(format!(
            "/api/v2/tables/people/data?{all}&codelist[Region]=vs_region_regency&outputFormat={format}&outputFormatParams=UseTexts"
        ));
    }
    paths.push(format!("/api/v2/tables/people/estimate?{all}"));
    paths.push(format!("/tables/people?{all}"));
    paths.push("/tables/people?view=ranking&valueCodes[Region]=*".into());
    for kind in ["ranking", "bars"] {
        paths.push(format!("/charts/{kind}.svg?table=people&codelist[Region]=vs_region_regency"));
    }
    paths.extend(
        [
            "data/people",
            "data/people/all",
            "availableconstraint/people",
            "codelist/all/all",
            "datastructure/all/all?references=all",
            "dataflow",
        ]
        .map(|path| format!("/sdmx/2.1/{path}")),
    );
    paths.extend(["queries", "queries/people", "queries/people/data?age=A&sex=T"].map(|path| format!("/api/v2/{path}")));
    paths.extend(["/queries/people?region=12", "/charts/bars.svg?query=people&age=A"].map(String::from));
    paths.extend(
        ["/dashboards/everything", "/dashboards/everything?region=12", "/dashboards/everything.zip", "/releases/calendar.ics"]
            .map(String::from),
    );
    paths.extend(["/regions/12", "/regions/TOY", "/compare", "/compare?region=12"].map(String::from));
    paths
}

#[test]
fn every_address_shows_what_is_in_scope_and_nothing_else() {
    let world = world(None);
    let mut shown = 0;
    for path in everything() {
        // First the one who sees everything, so that something is there that must not be given to the other.
        let all = ask(&world, Some(&world.all_key), &path);
        assert!(all.status < 500, "{path}: {}", all.status);
        let part = ask(&world, Some(&world.south_key), &path);
        assert!(part.status < 500 && (part.status == 200) == (all.status == 200), "{path}: {} and {}", all.status, part.status);
        if part.status == 200 {
            let text = String::from_utf8_lossy(&part.body);
            // What somebody searched for is repeated to him.
            let asked = path.contains("search");
            for outside in OUTSIDE.iter().filter(|outside| !(asked && path.contains(&outside.to_lowercase()))) {
                assert!(!text.contains(outside), "{path} shows {outside}: {text}");
            }
            assert!(!part.header("cache-control").is_some_and(|kept| kept.contains("public")), "{path} is kept for others");
            shown += usize::from(text.contains("Cedar"));
        }
        let tags = (all.header("etag"), part.header("etag"));
        assert!(tags.0.is_none() || tags.0 != tags.1, "{path}: both scopes have the tag {tags:?}");
        assert_eq!(ask(&world, None, &path).status == 200, ["/method"].contains(&path.as_str()), "{path} is open");
    }
    assert!(shown > 12, "only {shown} answers show what is in scope");
}

/// Addresses that show no cells and no places: what stands around, accounts, and what administrators have.
const WITHOUT_CELLS: [&str; 8] = ["/assets/", "/sign-in", "/account", "/admin", "/usage", "/healthz", "/readyz", "/api/openapi.json"];

#[test]
fn every_address_of_the_router_is_among_those_that_are_asked() {
    let asked: Vec<String> = everything().into_iter().map(|path| path.split('?').next().unwrap().to_owned()).collect();
    let is_like = |path: &str, route: &str| {
        let (path, route): (Vec<&str>, Vec<&str>) = (path.split('/').collect(), route.split('/').collect());
        path.len() == route.len() && path.iter().zip(&route).all(|(part, pattern)| pattern.starts_with('{') || part == pattern)
    };
    for (method, route) in routed() {
        // Saved queries have names that the service gives; they are asked below.
        let passed_over = method != "GET" || WITHOUT_CELLS.iter().any(|open| route.starts_with(open)) || route.contains("savedqueries");
        assert!(passed_over || asked.iter().any(|path| is_like(path, &route)), "{route} is routed, but no scope is tried on it");
    }
}

#[test]
fn a_saved_query_shows_its_reader_what_is_his() {
    let world = world(None);
    let body = r#"{"tableId":"people","selection":{"selection":[{"variableCode":"Region","valueCodes":["1101","12"]},
        {"variableCode":"ContentsCode","valueCodes":["*"]},{"variableCode":"Tid","valueCodes":["*"]}]}}"#;
    let key = |key: &str| format!("Bearer {key}");
    let (all, south) = (key(&world.all_key), key(&world.south_key));
    let headers = |key| [("authorization", key), ("content-type", "application/json")];
    let saved = request(world.address, "POST", "/api/v2/savedqueries", &headers(all.as_str()), body.as_bytes());
    assert_eq!(saved.status, 201, "{}", saved.text());
    let id = serde_json::from_slice::<serde_json::Value>(&saved.body).unwrap()["id"].as_str().unwrap().to_owned();
    for part in ["", "/selection", "/data"] {
        let path = format!("/api/v2/savedqueries/{id}{part}");
        assert_eq!(request(world.address, "GET", &path, &headers(all.as_str()), b"").status, 200, "{path}");
        let reply = request(world.address, "GET", &path, &headers(south.as_str()), b"");
        assert!(reply.status == 403 || !reply.text().contains("Ash"), "{path}: {}", reply.text());
    }
    assert_eq!(request(world.address, "GET", &format!("/api/v2/savedqueries/{id}/data"), &headers(south.as_str()), b"").status, 403);
}

#[test]
fn sql_shows_what_is_in_scope_and_nothing_else() {
    let world = world(None);
    let mut south = Wire::enter(world.port, &world.south, PASSWORD).unwrap();
    let regions = |wire: &mut Wire, text: &str| {
        let heard = wire.ask(text);
        assert!(heard.error.is_none(), "{text}: {heard:?}");
        heard.rows.into_iter().map(|row| row[0].clone().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(regions(&mut south, "SELECT DISTINCT region FROM people ORDER BY region"), ["12", "1201", "1202", "TOY"]);
    assert_eq!(regions(&mut south, "SELECT code FROM dim_region ORDER BY code"), ["12", "1201", "1202", "TOY"]);
    assert!(regions(&mut south, "SELECT region FROM people WHERE region = '1101'").is_empty());
    assert_eq!(south.ask("SELECT * FROM bands").error.unwrap().0, "42P01");
    let names = regions(&mut south, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'cacah'");
    assert!(names.contains(&"people".to_owned()) && !names.contains(&"bands".to_owned()), "{names:?}");
    // A key stands for the password; without either nobody comes in.
    let mut all = Wire::enter(world.port, "ALL-TOY-0001", &world.all_key).unwrap();
    assert!(regions(&mut all, "SELECT DISTINCT region FROM people").contains(&"1101".to_owned()));
    let refused = |user: &str, password: &str| Wire::enter(world.port, user, password).err().unwrap().0;
    assert_eq!(refused(&world.south, "wrong"), "28P01");
    assert_eq!(refused(&world.south, &world.all_key), "28P01");
    assert_eq!(refused("cacah", ""), "28P01");
    // Who is suspended reads no further, not even what he had prepared.
    world.access.suspend(&world.south, None, "tests", "moved", Utc::now()).unwrap();
    assert_eq!(south.ask("SELECT count(*) FROM people").error.unwrap().0, "28000");
}

#[test]
fn what_lies_outside_is_refused_with_what_may_be_asked() {
    let world = world(None);
    let south = |path: &str| ask(&world, Some(&world.south_key), path);
    let refused = |path: &str, says: &[&str]| {
        let reply = south(path);
        assert_eq!(reply.status, 403, "{path}: {}", reply.text());
        for text in says {
            assert!(reply.text().contains(text), "{path}: no '{text}' in {}", reply.text());
        }
    };
    refused("/api/v2/tables/people/data?valueCodes[Region]=1101&lang=en", &["1101 lies outside", "South (12)", "totals above"]);
    refused("/api/v2/tables/people/data?valueCodes[Region]=children(11)&lang=en", &["11 lies outside"]);
    refused("/api/v2/tables/bands/data?lang=en", &["not granted table 'bands'", "it is granted: people"]);
    refused("/api/v2/tables/bands/metadata", &["bands"]);
    refused("/charts/bars.svg?table=people&valueCodes[Region]=11&lang=en", &["11 lies outside"]);
    refused("/charts/bars.svg?table=bands&lang=en", &["bands"]);
    refused("/sdmx/2.1/data/bands", &["bands"]);
    refused("/regions/1101", &["1101"]);
    refused("/api/v2/queries/people/data?region=11&lang=en", &["11 lies outside"]);
    refused("/tables/bands", &["bands"]);
    refused(
        "/api/v2/queries/bands/data?lang=en",
        &["'bands' reads tables or regions that your institution is not granted", "may ask: people"],
    );
    refused("/queries/bands?lang=en", &["not granted"]);
    refused("/charts/bars.svg?query=bands&lang=en", &["not granted"]);
    refused("/dashboards/bands?lang=en", &["not granted", "everything"]);
    refused("/dashboards/bands.zip?lang=en", &["not granted"]);
    // What there is nowhere is missing for everybody.
    assert_eq!(south("/api/v2/tables/people/data?valueCodes[Region]=99").status, 400);
    assert_eq!(south("/api/v2/tables/nothing/data").status, 404);
    // The country above is not hidden, and its numbers are those that everybody sees.
    let path = "/api/v2/tables/people/data?valueCodes[Region]=TOY,12,1201&valueCodes[ContentsCode]=*&valueCodes[Tid]=*&outputFormat=csv";
    let all = ask(&world, Some(&world.all_key), path);
    assert_eq!((south(path).status, south(path).text()), (200, all.text()));
    // Nobody gets past by a tag of the other.
    let tag = all.header("etag").unwrap();
    let key = format!("Bearer {}", world.south_key);
    let outside = "/api/v2/tables/people/data?valueCodes[Region]=1101&valueCodes[ContentsCode]=*&valueCodes[Tid]=2024-S2";
    let stolen = ask(&world, Some(&world.all_key), outside);
    let headers = [("authorization", key.as_str()), ("if-none-match", stolen.header("etag").unwrap())];
    assert_eq!(request(world.address, "GET", outside, &headers, b"").status, 403);
    let headers = [("authorization", key.as_str()), ("if-none-match", tag)];
    assert_eq!(request(world.address, "GET", path, &headers, b"").status, 200);
}

#[test]
fn who_shows_nothing_has_to_sign_in() {
    let closed = world(None);
    let reply = ask(&closed, None, "/api/v2/tables");
    assert_eq!((reply.status, reply.header("www-authenticate")), (401, Some("Bearer realm=\"cacah\"")));
    assert!(reply.problem()["detail"].as_str().unwrap().contains("Bearer"));
    let page = request(closed.address, "GET", "/tables/people?lang=en", &[("accept", "text/html")], b"");
    assert_eq!((page.status, page.header("location")), (303, Some("/sign-in?to=%2Ftables%2Fpeople%3Flang%3Den&lang=en")));
    assert_eq!(ask(&closed, Some("cacah_wrong"), "/api/v2/tables").status, 401);
    assert_eq!(ask(&closed, Some("wrong"), "/api/v2/tables").status, 401);
    for open in ["/healthz", "/readyz", "/sign-in", "/method", "/api/openapi.json"] {
        assert_eq!(ask(&closed, None, open).status, 200, "{open}");
    }
    // Some tables may be open to all; the others then ask for a sign-in, not for another scope.
    let open = world(Some(Scope { region: None, tables: Some(BTreeSet::from(["bands".into()])) }));
    assert_eq!(ask(&open, None, "/api/v2/tables/bands/data").status, 200);
    assert_eq!(ask(&open, None, "/").status, 200);
    assert_eq!(ask(&open, None, "/api/v2/queries/people/data").status, 401);
    let reply = ask(&open, None, "/api/v2/tables/people/data");
    assert_eq!((reply.status, reply.header("www-authenticate").is_some()), (401, true));
    assert!(!ask(&open, None, "/api/v2/tables").text().contains("\"people\""));
}

#[test]
fn suspension_and_expiry_hold_at_once() {
    let world = world(None);
    let status = || ask(&world, Some(&world.south_key), "/api/v2/tables").status;
    let now = Utc::now();
    assert_eq!(status(), 200);
    world.access.suspend(&world.south, None, "tests", "moved", now).unwrap();
    assert_eq!(status(), 403);
    world.access.reactivate(&world.south, "tests", "came back", now).unwrap();
    assert_eq!(status(), 200);
    world.access.put_institution("SOUTH", Standing::Suspended, None, "tests", "no report", now).unwrap();
    assert_eq!(status(), 403);
    world.access.put_institution("SOUTH", Standing::Active, None, "tests", "reported", now).unwrap();
    assert_eq!(status(), 200);
    let mut changed = world.access.institution("SOUTH").unwrap();
    changed.valid_to = now.date_naive() - Days::new(2);
    world.access.change_institution(&changed, "tests", "ended early", now).unwrap();
    assert_eq!(status(), 403);
    changed.valid_to = now.date_naive() + Days::new(2);
    world.access.change_institution(&changed, "tests", "a mistake", now).unwrap();
    world.access.revoke_key(&world.south, "tests", "tests", "lost", now).unwrap();
    assert_eq!(status(), 401);
}

/// The cookie that an answer sets, as a browser sends it back.
fn cookie(reply: &Reply) -> Option<String> {
    Some(reply.header("set-cookie")?.split(';').next()?.to_owned())
}

fn send(world: &World, path: &str, headers: &[(&str, &str)], form: &str) -> Reply {
    let media = ("content-type", "application/x-www-form-urlencoded");
    request(world.address, "POST", path, &[&[media], headers].concat(), form.as_bytes())
}

#[test]
fn people_sign_in_by_the_form_and_out_again() {
    let world = world(None);
    let form = |password: &str| format!("user={}&password={}&to=/tables/people", world.south, password.replace(' ', "+"));
    let wrong = send(&world, "/sign-in?lang=en", &[], &form("a wrong one"));
    assert_eq!((wrong.status, wrong.header("set-cookie")), (401, None));
    let nobody = send(&world, "/sign-in?lang=en", &[], "user=NOBODY-1&password=x");
    assert!(wrong.text().contains("wrong, or your access") && nobody.text().contains("wrong, or your access"), "{}", nobody.text());
    let reply = send(&world, "/sign-in", &[], &form(PASSWORD));
    assert_eq!((reply.status, reply.header("location")), (303, Some("/tables/people")));
    let set = reply.header("set-cookie").unwrap();
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax") && set.contains("Path=/"), "{set}");
    let session = cookie(&reply).unwrap();
    let get = |path: &str| request(world.address, "GET", path, &[("cookie", &session)], b"");
    assert_eq!(get("/tables/people").status, 200);
    assert_eq!(get("/tables/bands").status, 403);
    let account = get("/account?lang=en");
    assert!(account.text().contains(&world.south) && account.text().contains("South"), "{}", account.text());
    let token = account.text().split("name=\"form\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();

    // Keys are made in the session by its own form alone.
    let made = |headers: &[(&str, &str)], token: &str| {
        send(
            &world,
            "/account/keys?lang=en",
            &[&[("cookie", session.as_str())], headers].concat(),
            &format!("form={token}&name=nightly&days=10"),
        )
    };
    assert_eq!(made(&[], "wrong").status, 403);
    assert_eq!(made(&[("sec-fetch-site", "cross-site")], &token).status, 403);
    assert_eq!(made(&[("origin", "http://elsewhere.example")], &token).status, 403);
    let key = made(&[("sec-fetch-site", "same-origin")], &token);
    assert_eq!(key.status, 201);
    let secret = key.text().split("<code>cacah_").nth(1).unwrap().split('<').next().unwrap();
    assert_eq!(ask(&world, Some(&format!("cacah_{secret}")), "/api/v2/tables").status, 200);
    assert!(!get("/account").text().contains(secret));

    // Elsewhere is not where people are sent.
    for to in
        ["//elsewhere.example", "https://elsewhere.example", "/\\elsewhere.example", "/%09/elsewhere.example", "/.%2F%2Felsewhere.example"]
    {
        let reply = send(&world, "/sign-in", &[], &format!("user={}&password={}&to={to}", world.south, PASSWORD.replace(' ', "+")));
        assert_eq!((reply.status, reply.header("location")), (303, Some("/")), "{to}");
    }

    let out = send(&world, "/sign-out", &[("cookie", &session)], &format!("form={token}"));
    assert_eq!(out.status, 303);
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(get("/api/v2/tables").status, 401);
}

#[test]
fn wrong_passwords_lock_for_longer_and_longer() {
    let world = world(None);
    let attempt = |password: &str, now: DateTime<Utc>| {
        let attempt = Attempt { from: None, user_id: &world.south, password, code: None, new_password: None };
        world.access.sign_in(&attempt, now).unwrap()
    };
    let now = Utc::now();
    for _ in 0..5 {
        assert!(matches!(attempt("wrong", now), SignedIn::No));
    }
    let SignedIn::Locked(first) = attempt(PASSWORD, now) else { panic!("it is not locked") };
    let later = now + chrono::Duration::seconds(first as i64 + 1);
    assert!(matches!(attempt("wrong", later), SignedIn::No));
    let SignedIn::Locked(second) = attempt(PASSWORD, later) else { panic!("it is not locked again") };
    assert!(second > first, "{first} and then {second} seconds");
    let later = later + chrono::Duration::seconds(second as i64 + 1);
    assert!(matches!(attempt(PASSWORD, later), SignedIn::Yes(_)));
}

#[test]
fn every_access_is_in_the_log_before_it_is_answered() {
    let world = world(None);
    let records = || {
        let mut all = Vec::new();
        world.access.log_records(&Default::default(), |kept| all.push(kept.record)).unwrap();
        all
    };
    let path = "/api/v2/tables/people/data?valueCodes[Region]=12,1201&valueCodes[ContentsCode]=*&valueCodes[Tid]=2024-S2";
    let first = ask(&world, Some(&world.south_key), path);
    assert_eq!(first.status, 200);
    let [record] = &records()[..] else { panic!("{:?}", records()) };
    assert_eq!((record.user.as_str(), record.institution.as_str(), record.by.as_str()), (world.south.as_str(), "SOUTH", "tests"));
    assert_eq!((record.surface.as_str(), record.status, record.from.as_str()), ("api", 200, "127.0.0.1"));
    assert_eq!(record.request, first.header("x-request-id").unwrap());
    assert!(record.asked.contains("Region]=12,1201") && record.means[0].contains("people: Region=12,1201"), "{record:?}");
    let document = first.json();
    assert_eq!(record.cells as usize, document["value"].as_array().unwrap().len());
    let marks = document["status"].as_object().map_or(0, |marks| marks.values().filter(|mark| *mark == "c").count());
    assert_eq!((record.suppressed as usize, record.releases.len()), (marks, 1));

    // From memory and as unchanged it is an access too; so is what is refused, and each surface has its own name.
    let key = format!("Bearer {}", world.south_key);
    let told = |path: &str, surface: &str, status: u16, cells: bool| {
        let before = records().len();
        let headers = [("authorization", key.as_str()), ("if-none-match", if status == 304 { first.header("etag").unwrap() } else { "x" })];
        assert_eq!(request(world.address, "GET", path, &headers, b"").status, status, "{path}");
        let all = records();
        assert_eq!(all.len(), before + 1, "{path} adds {} records", all.len() - before);
        let last = &all[all.len() - 1];
        assert_eq!((last.surface.as_str(), last.status, last.cells > 0), (surface, status, cells), "{last:?}");
        assert_eq!(last.user, world.south);
    };
    told(path, "api", 200, true);
    told(path, "api", 304, true);
    told("/api/v2/tables/people/data?valueCodes[Region]=1101", "api", 403, false);
    told("/api/v2/tables/bands/metadata", "api", 403, false);
    told("/charts/bars.svg?table=people&codelist[Region]=vs_region_regency", "chart", 200, true);
    told("/charts/bars.svg?query=people&age=A", "chart", 200, true);
    told("/api/v2/queries/people/data?age=A&sex=T", "query", 200, true);
    told("/sdmx/2.1/data/people", "sdmx", 200, true);
    told("/tables/people?valueCodes[Region]=12", "page", 200, true);
    told("/tables/people?valueCodes[Region]=12", "page", 200, true);
    told("/api/v2/tables/people/estimate?valueCodes[Region]=12&valueCodes[ContentsCode]=*&valueCodes[Tid]=2024-S2", "api", 200, true);
    let before = records().len();
    assert_eq!(ask(&world, Some(&world.south_key), "/api/v2/tables").status, 200);
    assert_eq!(records().len(), before, "a list of tables is no access to cells");
    assert_eq!(ask(&world, Some("cacah_wrong"), path).status, 401);
    assert_eq!(records().last().map(|record| (record.user.clone(), record.status)), Some((String::new(), 401)));
    let mut wire = Wire::enter(world.port, &world.south, PASSWORD).unwrap();
    assert!(wire.ask("SELECT region FROM people LIMIT 1").error.is_none());
    let last = records().pop().unwrap();
    assert_eq!((last.surface.as_str(), last.asked.as_str()), ("sql", "SELECT region FROM people LIMIT 1"));
    assert_eq!((last.cells, &last.tables[..], last.status, last.from.as_str()), (1, &["people".to_owned()][..], 200, "127.0.0.1"));
    assert!(wire.ask("SELECT value, status FROM people WHERE status = 'c' LIMIT 3").error.is_none());
    let last = records().pop().unwrap();
    assert_eq!((last.cells, last.suppressed), (3, 3));
    let before = records().len();
    assert!(wire.ask("SELECT 1").error.is_none() && wire.ask("SELECT code FROM dim_region").error.is_none());
    assert_eq!(records().len(), before, "what reads no table is no access to cells");
    assert!(wire.ask("SELECT * FROM bands").error.is_some());
    assert_eq!(records().pop().map(|record| (record.asked, record.status)), Some(("SELECT * FROM bands".into(), 400)));
    assert_eq!(world.access.verify_log().unwrap().records as usize, records().len());
}

#[test]
fn calls_are_counted_for_each_address_behind_a_proxy_and_for_each_user() {
    let folder = tempfile::tempdir().unwrap();
    let access = opened(folder.path());
    access.add_institution(&institution("ALL", None), "tests", "", Utc::now()).unwrap();
    let users = ["1", "2"].map(|number| active(&access, &asked_for("ALL", None, number), Utc::now()));
    let keys = users.map(|user| access.add_key(&user, "tests", 30, "tests", Utc::now()).unwrap().1);
    let service = serving(&ServeSettings {
        access: Some(Arc::clone(&access)),
        rate: Rate { calls: 3, window: Duration::from_secs(600) },
        trusted: vec!["127.0.0.0/8".parse().unwrap()],
        ..settings()
    });
    let ask = |key: &str, from: &str| {
        let headers = [("authorization", format!("Bearer {key}")), ("x-forwarded-for", format!("198.51.100.99, {from}"))];
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let path = "/api/v2/tables/people/data?valueCodes[Region]=12&valueCodes[ContentsCode]=*&valueCodes[Tid]=2024-S2";
        request(service.address, "GET", path, &headers, b"").status
    };
    // One user from ever other addresses, and then another user from one of them.
    assert_eq!(["203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4"].map(|from| ask(&keys[0], from)), [200, 200, 200, 429]);
    assert_eq!(["203.0.113.5"; 5].map(|from| ask(&keys[1], from)), [200, 200, 200, 429, 429]);
    let mut from = Vec::new();
    access.log_records(&Search { refused: true, ..Search::default() }, |kept| from.push((kept.record.from, kept.record.status))).unwrap();
    // A user who asks too often is in the log, and an address once in each window.
    assert_eq!(from, [("203.0.113.4".to_owned(), 429), ("203.0.113.5".to_owned(), 429)]);
}
