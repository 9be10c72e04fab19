//! Administration by pages: who may, that the rules are those of the terminal, and what the log and the reports tell.

use std::{fs, net::SocketAddr, path::Path, sync::Arc};

use cacah::{
    access::{Access, Attempt, Role, SignedIn, Standing, State},
    serve::ServeSettings,
};
use chrono::Utc;

use super::{
    access::{PASSWORD, active, asked_for, institution},
    client::{Reply, request},
    serving, settings,
};

/// A browser that somebody has signed in with.
pub struct Browser {
    address: SocketAddr,
    cookie: String,
    /// What the forms of its session carry.
    token: String,
}

impl Browser {
    pub fn new(address: SocketAddr, user: &str) -> Self {
        let form = format!("user={user}&password={}", PASSWORD.replace(' ', "+"));
        let reply = request(address, "POST", "/sign-in", &[], form.as_bytes());
        assert_eq!(reply.status, 303, "{}", reply.text());
        let cookie = reply.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        let account = request(address, "GET", "/account", &[("cookie", &cookie)], b"");
        let token = account.text().split("name=\"form\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        Self { address, cookie, token }
    }

    pub fn get(&self, path: &str) -> Reply {
        request(self.address, "GET", path, &[("cookie", &self.cookie), ("accept", "text/html")], b"")
    }

    pub fn page(&self, path: &str) -> String {
        let reply = self.get(path);
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{path}");
        reply.text().to_owned()
    }

    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let token = [("form", self.token.as_str())];
        let pairs = fields.iter().chain(&token).copied();
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let headers = [("cookie", self.cookie.as_str()), ("accept", "text/html"), ("sec-fetch-site", "same-origin")];
        request(self.address, "POST", path, &headers, form.as_bytes())
    }

    /// A form that does what it is for, and so leads on to a page.
    fn does(&self, path: &str, fields: &[(&str, &str)]) {
        let reply = self.post(path, fields);
        assert_eq!(reply.status, 303, "{path} {fields:?}: {}", reply.text());
        let next = reply.header("location").unwrap().to_owned();
        assert_eq!(self.get(&next).status, 200, "{next}");
    }

    /// A form that is refused, and says why on the page.
    fn is_refused(&self, path: &str, fields: &[(&str, &str)], says: &str) {
        let reply = self.post(path, fields);
        assert!((400..500).contains(&reply.status), "{path} {fields:?}: {}", reply.status);
        assert!(reply.text().contains(says), "{path}: no '{says}' in {}", reply.text());
    }

    fn sends_file(&self, bytes: &[u8]) -> Reply {
        let head = format!(
            "--b\r\ncontent-disposition: form-data; name=\"form\"\r\n\r\n{}\r\n--b\r\ncontent-disposition: form-data; name=\"file\"; \
             filename=\"users\"\r\n\r\n",
            self.token
        );
        let headers = [("cookie", self.cookie.as_str()), ("accept", "text/html"), ("content-type", "multipart/form-data; boundary=b")];
        request(self.address, "POST", "/admin/users/file?lang=en", &headers, &[head.as_bytes(), bytes, b"\r\n--b--\r\n"].concat())
    }
}

struct World {
    _folder: tempfile::TempDir,
    address: SocketAddr,
    access: Arc<Access>,
    admin: String,
    reporter: String,
    reader: String,
}

fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let access = Arc::new(Access::open(&folder.path().join("access.sqlite")).unwrap());
    let now = Utc::now();
    access.add_institution(&institution("SOUTH", Some(&["people"])), "tests", "", now).unwrap();
    access.add_institution(&institution("ALL", None), "tests", "", now).unwrap();
    let user = |code: &str, region: Option<&str>, number: &str, role| {
        active(&access, &cacah::access::Request { role, ..asked_for(code, region, number) }, now)
    };
    let admin = user("ALL", None, "1", Role::Administrator);
    let reporter = user("SOUTH", Some("12"), "2", Role::Reporter);
    let reader = user("SOUTH", Some("12"), "3", Role::Reader);
    let service = serving(&ServeSettings { access: Some(Arc::clone(&access)), ..settings() });
    World { _folder: folder, address: service.address, access, admin, reporter, reader }
}

/// Addresses of pages and forms as they are routed, their parts filled in: method and path.
pub fn routed() -> Vec<(&'static str, String)> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/serve/routes.rs")).unwrap();
    let mut found = Vec::new();
    for (mark, method) in [(".page(\"", "GET"), (".form(\"", "POST"), (".get(\"", "GET"), (".post(\"", "POST")] {
        for rest in text.split(mark).skip(1) {
            found.push((method, rest.split('"').next().unwrap().to_owned()));
        }
    }
    assert!(found.len() > 50, "{found:?}");
    found
}

#[test]
fn nobody_but_administrators_with_a_session_administers() {
    let world = world();
    let (admin, reporter, reader) = (&world.admin, &world.reporter, &world.reader);
    let browsers = [reporter, reader].map(|user| Browser::new(world.address, user));
    let key = world.access.add_key(admin, "tests", 30, "tests", Utc::now()).unwrap().1;
    let mut asked = 0;
    for (method, path) in routed().into_iter().filter(|(_, path)| path.starts_with("/admin")) {
        let path = path.replace("{code}", "SOUTH").replace("{name}", admin);
        for browser in &browsers {
            let reply = if method == "GET" { browser.get(&path) } else { browser.post(&path, &[("act", "suspend"), ("reason", "x")]) };
            assert_eq!(reply.status, 403, "{method} {path}");
            assert!(!reply.text().contains("PKS-1"), "{method} {path}");
        }
        let none = request(world.address, method, &path, &[], b"");
        assert_eq!(none.status, 401, "{method} {path}");
        // A program's key opens no form.
        let bearer = request(world.address, method, &path, &[("authorization", &format!("Bearer {key}"))], b"");
        assert_eq!(bearer.status, 401, "{method} {path}");
        asked += 1;
    }
    assert!(asked > 12, "{asked} addresses");
    assert_eq!(world.access.user(admin).unwrap().state, State::Active);
    let page = request(world.address, "GET", "/admin", &[("accept", "text/html")], b"");
    assert_eq!((page.status, page.header("location")), (303, Some("/sign-in?to=%2Fadmin")));
    assert_eq!(browsers[1].get("/usage").status, 403);
    assert_eq!(browsers[1].get("/usage/report.csv").status, 403);
}

#[test]
fn institutions_and_users_pass_through_their_states_on_pages() {
    let world = world();
    let desk = Browser::new(world.address, &world.admin);
    let access = &world.access;
    let new = [
        ("code", "BANK"),
        ("name", "Bank <b>Satu"),
        ("kind", "memorandum"),
        ("agreement", "MOU-7"),
        ("from", "2024-01-01"),
        ("to", "2099-12-31"),
    ];
    desk.does("/admin/institutions", &[&new[..], &[("reports", "yes"), ("table", "people"), ("table", "bands")]].concat());
    let bank = access.institution("BANK").unwrap();
    assert_eq!((bank.reports, bank.tables.map(|tables| tables.len())), (true, Some(2)));
    desk.is_refused("/admin/institutions?lang=en", &new, "already");
    desk.is_refused("/admin/institutions?lang=en", &[&new[..], &[("code", "B2"), ("table", "nothing")]].concat(), "no table");
    desk.is_refused("/admin/institutions?lang=en", &[&new[..], &[("code", "B2"), ("to", "tomorrow")]].concat(), "expected a day");
    let page = desk.page("/admin/institutions/BANK?lang=en");
    assert!(page.contains("Bank &lt;b&gt;Satu") && !page.contains("Bank <b>"), "what people typed is not taken for tags");

    let person = |number: &'static str, region: &'static str| {
        [
            ("institution", "BANK"),
            ("name", "Ani"),
            ("employee_number", number),
            ("position", "Analyst"),
            ("local_id", "ani"),
            ("role", "reader"),
            ("region", region),
        ]
    };
    desk.does("/admin/users", &person("7", "South (12)"));
    desk.is_refused("/admin/users?lang=en", &person("8", "99"), "no region");
    desk.is_refused("/admin/users?lang=en", &person("7", "12"), "already");
    let file = "institution,region,employee_number,name,position,local_id\nBANK,12,9,Budi,Head,budi\nBANK,,10,Cici,Head,cici\n";
    assert_eq!(desk.sends_file(file.as_bytes()).status, 303);
    let wrong = desk.sends_file(file.replace("BANK,12,9", "BANK,99,11").replace(",10,", ",7,").as_bytes());
    assert_eq!(wrong.status, 400);
    assert!(wrong.text().contains("Line 2: there is no region") && wrong.text().contains("line 3: "), "{}", wrong.text());
    assert_eq!(Browser { token: "wrong".into(), cookie: desk.cookie.clone(), ..desk }.sends_file(file.as_bytes()).status, 403);

    // Requests that are ticked are approved together, and the passwords shown this once.
    let waiting: Vec<String> =
        access.users(Some("BANK")).unwrap().iter().filter(|user| user.state == State::Requested).map(|user| user.called()).collect();
    assert_eq!(waiting.len(), 3);
    let ticked: Vec<(&str, &str)> = waiting.iter().map(|called| ("user", called.as_str())).collect();
    let papers = desk.post("/admin/users/approve?lang=en", &ticked);
    assert_eq!(papers.status, 200, "{}", papers.text());
    for user in access.users(Some("BANK")).unwrap() {
        assert!(papers.text().contains(&user.called()), "{}", user.called());
    }
    let ani = "BANK-12-0001";
    let password =
        papers.text().split(&format!(">{ani}</a>")).nth(1).unwrap().split("<code>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let attempt = Attempt { from: None, user_id: ani, password: &password, code: None, new_password: Some(PASSWORD) };
    assert!(matches!(access.sign_in(&attempt, Utc::now()).unwrap(), SignedIn::Yes(_)));
    assert!(!desk.page("/admin/users").contains(&password));

    let path = format!("/admin/users/{ani}");
    let state = || access.user(ani).unwrap().state;
    desk.does(&path, &[("act", "suspend"), ("reason", "moved"), ("until", "2098-01-01")]);
    assert_eq!(state(), State::Suspended);
    desk.is_refused(&format!("{path}?lang=en"), &[("act", "suspend"), ("reason", "again")], "cannot be suspended");
    desk.is_refused(&format!("{path}?lang=en"), &[("act", "reactivate"), ("reason", "")], "reason");
    desk.does(&path, &[("act", "reactivate"), ("reason", "came back")]);
    desk.does(&path, &[&person("7", "")[..], &[("act", "change"), ("reason", "whole country")]].concat());
    assert_eq!(access.user(ani).unwrap().request.region, None);
    access.add_key(ani, "nightly", 3, ani, Utc::now()).unwrap();
    desk.does(&path, &[("act", "revoke"), ("key", "nightly"), ("reason", "lost")]);
    desk.does(&path, &[("act", "end-sessions"), ("reason", "left open")]);
    let reset = desk.post(&path, &[("act", "reset"), ("reason", "forgotten")]);
    assert!(reset.status == 200 && reset.text().contains("<code>"), "{}", reset.text());
    desk.is_refused(&path, &[("act", "dance"), ("reason", "x")], "dance");
    desk.does(&path, &[("act", "remove"), ("reason", "left")]);
    assert_eq!(state(), State::Removed);

    let bank = "/admin/institutions/BANK";
    desk.does(bank, &[("act", "suspend"), ("reason", "no report")]);
    desk.does(bank, &[("act", "reactivate"), ("reason", "reported")]);
    desk.does(bank, &[&new[..], &[("act", "change"), ("agreement", "MOU-8"), ("reason", "renewed")]].concat());
    assert_eq!(access.institution("BANK").unwrap().agreement, "MOU-8");
    desk.does(bank, &[("act", "end"), ("reason", "over")]);
    assert_eq!(access.institution("BANK").unwrap().standing, Standing::Ended);

    // Every act is kept with who and why, and is in the log of accesses.
    let changes = access.changes(None, 100).unwrap();
    let kept =
        |what: &str, why: &str| changes.iter().any(|change| change.by == world.admin && change.what.contains(what) && change.reason == why);
    for (what, why) in [
        ("added", "agreement"),
        ("requested", ""),
        ("approved", ""),
        ("suspended", "moved"),
        ("reactivated", "came back"),
        ("changed", "whole country"),
        ("revoked", "lost"),
        ("sessions ended", "left open"),
        ("password reset", "forgotten"),
        ("removed", "left"),
        ("ended", "over"),
    ] {
        assert!(kept(what, why), "no '{what}' because of '{why}' in {changes:?}");
    }
    let log = desk.page(&format!("/admin/log?user={}&surface=admin", world.admin));
    assert!(log.contains(&format!("administration: suspend {ani}")), "{log}");
    assert!(!log.contains(&password));
}

#[test]
fn with_four_eyes_and_a_second_factor_one_alone_does_little() {
    let world = world();
    let desk = Browser::new(world.address, &world.admin);
    let now = Utc::now();
    world.access.set_four_eyes(true, "tests", "two see more", now).unwrap();
    let person = [
        ("institution", "SOUTH"),
        ("name", "Ani"),
        ("employee_number", "7"),
        ("position", "A"),
        ("local_id", "ani"),
        ("role", "reader"),
        ("region", "12"),
    ];
    desk.does("/admin/users", &person);
    let asked = world.access.users(Some("SOUTH")).unwrap().pop().unwrap().called();
    desk.is_refused("/admin/users/approve?lang=en", &[("user", &asked)], "somebody else must approve");
    world.access.set_second_factor(true, "tests", "stronger", now).unwrap();
    let reply = desk.get("/admin?lang=en");
    assert!(reply.status == 403 && reply.text().contains("second factor"), "{}", reply.text());
    world.access.set_second_factor(false, "tests", "tried", now).unwrap();
    assert_eq!(desk.get("/admin").status, 200);
}

#[test]
fn an_administrator_sees_what_a_user_sees() {
    let world = world();
    let desk = Browser::new(world.address, &world.admin);
    let rights = desk.page(&format!("/admin/users/{}?lang=en", world.reader));
    assert!(rights.contains("South (12), 2 regions within it") && rights.contains("Not granted"), "{rights}");
    assert_eq!(desk.get("/tables/bands").status, 200);
    let reply = desk.post(&format!("/admin/users/{}", world.reader), &[("act", "see-as")]);
    assert_eq!((reply.status, reply.header("location")), (303, Some("/")));
    // From now on it is the reader's service, with a bar that says so; he stays who he is.
    let table = desk.get("/tables/people?lang=en");
    assert!(table.status == 200 && table.text().contains(&format!("You see what {} sees.", world.reader)));
    for outside in ["North", "Birch"] {
        assert!(!table.text().contains(outside), "{outside}");
    }
    assert_eq!(desk.get("/tables/bands").status, 403);
    assert_eq!(desk.get("/admin/users").status, 200);
    let mut last = Vec::new();
    world.access.log_records(&Default::default(), |kept| last.push(kept.record)).unwrap();
    let record = last.iter().rev().find(|record| record.asked.contains("/tables/people")).unwrap();
    assert_eq!((record.user.as_str(), record.by.as_str()), (world.admin.as_str(), format!("session as {}", world.reader).as_str()));
    let reply = desk.post("/admin/see-as", &[]);
    assert_eq!(reply.header("location"), Some(format!("/admin/users/{}", world.reader).as_str()));
    assert_eq!(desk.get("/tables/bands").status, 200);
    // Others do not see as anybody, whatever they send.
    assert!(world.access.see_as("x", Some(&world.admin), &world.reader, Utc::now()).is_err());
}

#[test]
fn the_log_is_searched_and_the_use_reported() {
    let world = world();
    let (desk, reporter) = (Browser::new(world.address, &world.admin), Browser::new(world.address, &world.reporter));
    for _ in 0..3 {
        assert_eq!(reporter.get("/tables/people?valueCodes[Region]=12&valueCodes[ContentsCode]=*&valueCodes[Tid]=*").status, 200);
    }
    assert_eq!(desk.get("/api/v2/tables/bands/data").status, 200);
    assert_eq!(reporter.get("/tables/bands").status, 403);
    let log = desk.page(&format!("/admin/log?lang=en&user={}", world.reporter));
    assert_eq!((log.matches("<td class=\"refused\">403").count(), log.matches("people: Region=12").count()), (1, 3), "{log}");
    let refused = desk.page("/admin/log?lang=en&refused=yes");
    assert!(refused.contains("/tables/bands") && !refused.contains("people: Region=12"), "{refused}");
    assert!(desk.page("/admin/log?since=2098-01-01").contains("Tidak ada."));
    assert_eq!(desk.get("/admin/log?since=never").status, 400);
    let file = desk.get(&format!("/admin/log.csv?user={}", world.reporter));
    assert!(file.text().lines().filter(|line| line.contains("people: Region=12")).count() == 3, "{}", file.text());

    // The report of the present semester: administrators see everybody, reporters themselves.
    let everybody = desk.page("/usage?lang=en");
    assert!(everybody.contains("SOUTH") && everybody.contains("ALL") && everybody.contains("all institutions"), "{everybody}");
    let own = reporter.page("/usage?lang=en&institution=ALL");
    assert!(own.contains(&world.reporter) && !own.contains(&world.admin) && !own.contains("Office ALL"), "{own}");
    assert!(own.contains(&world.reader), "who has not used his account is named");
    let lines = reporter.get("/usage/report.csv?institution=ALL").text().to_owned();
    let period = lines.lines().nth(1).unwrap().split(',').next().unwrap().to_owned();
    for line in
        ["SOUTH,accesses,,3", "SOUTH,refused,,1", "SOUTH,not used,,1", "SOUTH,tables,people,3", "SOUTH,regions,12,3", "SOUTH,ways,page,3"]
    {
        assert!(lines.contains(&format!("{period},{line}\n")), "no '{line}' in {lines}");
    }
    assert!(!lines.contains("ALL") && !lines.contains("bands"), "{lines}");
    assert!(reporter.get("/usage/report.xlsx").body.starts_with(b"PK"));

    // A semester that is over is reported on once.
    let last: String = period.parse::<cacah::register::Period>().unwrap().previous().to_string();
    let mut south = world.access.institution("SOUTH").unwrap();
    south.valid_from = "2020-01-01".parse().unwrap();
    world.access.change_institution(&south, "tests", "began earlier", Utc::now()).unwrap();
    let path = format!("/usage?period={last}&lang=en&institution=ALL");
    reporter.is_refused(&format!("/usage?period={period}&lang=en"), &[("note", "early")], "filed after that");
    assert!(reporter.page(&path).contains("Number of the letter"));
    reporter.does(&path, &[("note", "S-12/2024")]);
    assert!(!reporter.page(&path).contains("Number of the letter"));
    reporter.is_refused(&path, &[("note", "S-13/2024")], "already");
    let filed = world.access.reports(last.parse().unwrap()).unwrap();
    assert_eq!(
        filed.iter().map(|filed| (filed.institution.as_str(), filed.by.as_str())).collect::<Vec<_>>(),
        [("SOUTH", world.reporter.as_str())]
    );
    assert!(desk.page(&format!("/usage?period={last}&lang=en")).contains("filed on"));
}
