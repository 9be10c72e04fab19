//! Signing in against those who try many at once, and against those who would lock others out.

use std::{
    net::SocketAddr,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use cacah::{
    access::{Access, PasswordChange, Role, SignedIn},
    serve::ServeSettings,
};
use chrono::{DateTime, Utc};
use url::form_urlencoded::Serializer;

use super::{
    access::{PASSWORD, active, asked_for, institution},
    client::{Reply, request},
    serving, settings,
    sql::wire::Wire,
};

struct World {
    address: SocketAddr,
    port: SocketAddr,
    access: Arc<Access>,
    user: String,
    administrator: String,
    _folder: tempfile::TempDir,
}

/// A service behind a proxy, which says from where each request comes.
fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let access = Arc::new(Access::open(&folder.path().join("access.sqlite")).unwrap());
    let now = Utc::now();
    access.add_institution(&institution("ALL", None), "tests", "", now).unwrap();
    let user = active(&access, &asked_for("ALL", None, "1"), now);
    let administrator = active(&access, &cacah::access::Request { role: Role::Administrator, ..asked_for("ALL", None, "2") }, now);
    let service = serving(&ServeSettings {
        access: Some(Arc::clone(&access)),
        trusted: vec!["127.0.0.0/8".parse().unwrap()],
        postgres: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        ..settings()
    });
    World { address: service.address, port: service.port.unwrap(), access, user, administrator, _folder: folder }
}

fn send(world: &World, from: &str, fields: &[(&str, &str)]) -> Reply {
    let form = Serializer::new(String::new()).extend_pairs(fields).finish();
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("x-forwarded-for", from), ("accept", "text/html")];
    request(world.address, "POST", "/sign-in?lang=en", &headers, form.as_bytes())
}

fn sign_in(world: &World, from: &str, user: &str, password: &str) -> u16 {
    send(world, from, &[("user", user), ("password", password)]).status
}

/// What many do at the same moment.
fn at_once<T: Send>(many: usize, act: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = std::sync::Barrier::new(many);
    thread::scope(|scope| {
        let (start, act) = (&start, &act);
        let acts: Vec<_> = (0..many)
            .map(|at| {
                scope.spawn(move || {
                    start.wait();
                    act(at)
                })
            })
            .collect();
        acts.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

fn count(statuses: &[u16], wanted: u16) -> usize {
    statuses.iter().filter(|status| **status == wanted).count()
}

/// The code that an authenticator shows for a seed at a moment (RFC 6238).
fn code(seed: &str, at: DateTime<Utc>) -> String {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits: String = seed.chars().map(|letter| format!("{:05b}", LETTERS.find(letter).unwrap())).collect();
    let secret: Vec<u8> =
        bits.as_bytes().chunks_exact(8).map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap()).collect();
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &secret);
    let tag = ring::hmac::sign(&key, &(at.timestamp() as u64 / 30).to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[19] & 15);
    let number = u32::from_be_bytes(tag[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

#[test]
fn wrong_passwords_at_once_all_count() {
    let world = world();
    let statuses = at_once(16, |_| sign_in(&world, "192.0.2.1", &world.user, "a wrong one"));
    assert_eq!((count(&statuses, 401), count(&statuses, 429)), (5, 11), "{statuses:?}");
    // Now the right one waits too, and is told for how long.
    let reply = send(&world, "192.0.2.1", &[("user", &world.user), ("password", PASSWORD)]);
    let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!(reply.status == 429 && reply.header("set-cookie").is_none() && (1..=30).contains(&wait), "{} {wait}", reply.status);
    assert!(reply.text().contains(&format!("Try again in {wait} seconds")), "{}", reply.text());
    assert_eq!(sign_in(&world, "192.0.2.2", &world.user, PASSWORD), 303);
    // Over SQL, and on the page of an account, it is the same.
    let refused = at_once(12, |_| Wire::enter(world.port, &world.administrator, "a wrong one").err().unwrap().0);
    assert_eq!(refused.iter().filter(|code| *code == "28P01").count(), 5, "{refused:?}");
    assert!(Wire::enter(world.port, &world.administrator, PASSWORD).err().unwrap().1.contains("try again in"));
    let change = |old: &str| {
        let change = PasswordChange {
            user_id: &world.user,
            from: Some("192.0.2.3".parse().unwrap()),
            old,
            new: "a password of mine now",
            session: "none",
        };
        world.access.change_password(&change, Utc::now()).unwrap()
    };
    let tried = at_once(12, |_| matches!(change("a wrong one"), SignedIn::Locked(_)));
    assert_eq!(tried.iter().filter(|locked| !**locked).count(), 5);
    assert!(matches!(change(PASSWORD), SignedIn::Locked(_)));
}

#[test]
fn nobody_is_told_whether_there_is_an_account() {
    let world = world();
    let shape = |reply: &Reply| {
        let names: Vec<String> = reply.headers.iter().map(|(name, _)| name.clone()).collect();
        (reply.status, names)
    };
    let page = |reply: &Reply, user: &str| {
        let seconds = reply.header("retry-after").unwrap_or("none");
        reply.text().replace(user, "USER").replace(&format!("in {seconds} seconds"), "in N seconds")
    };
    let try_both =
        || [world.user.as_str(), "ALL-TOY-9999"].map(|user| (send(&world, "192.0.2.1", &[("user", user), ("password", "x")]), user));
    let mut statuses = Vec::new();
    for _ in 0..8 {
        let [(known, user), (unknown, nobody)] = try_both();
        assert_eq!(shape(&known), shape(&unknown));
        assert_eq!(page(&known, user), page(&unknown, nobody));
        assert_eq!(known.header("content-length").is_some(), unknown.header("content-length").is_some());
        statuses.push(known.status);
    }
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429, 429, 429]);
    // Nor by the time that it takes: the quickest of several, since everything else on the machine only adds to it.
    let quickest = |user: &str, network: u8| {
        let time = |host: u8| {
            let began = Instant::now();
            assert_eq!(sign_in(&world, &format!("198.51.{network}.{host}"), user, "x"), 401);
            began.elapsed()
        };
        (0..5).map(time).min().unwrap()
    };
    let (known, unknown) = (quickest(&world.administrator, 1), quickest("ALL-TOY-9998", 2));
    assert!(known < 2 * unknown && unknown < 2 * known, "{known:?} for an account that there is, {unknown:?} for none");
    assert!(unknown > Duration::from_millis(2), "no password was hashed");
}

#[test]
fn strangers_lock_nobody_out() {
    let world = world();
    let (own, administrator) = ("192.0.2.1", world.administrator.as_str());
    assert_eq!(sign_in(&world, own, administrator, PASSWORD), 303);
    // From everywhere, more than any single network would be let, and as fast as they can.
    let statuses: Vec<u16> = at_once(8, |worker| {
        let tries = (0..40).map(|at| sign_in(&world, &format!("198.51.{worker}.{}", at % 10), administrator, "a guess"));
        tries.collect::<Vec<u16>>()
    })
    .concat();
    assert_eq!(count(&statuses, 401) + count(&statuses, 429), statuses.len());
    assert!(count(&statuses, 429) > 100, "guessing was not slowed: {} of {} were looked at", count(&statuses, 401), statuses.len());
    // From where he always comes, and from where he never was.
    assert_eq!(sign_in(&world, own, administrator, PASSWORD), 303);
    assert_eq!(sign_in(&world, "203.0.113.9", administrator, PASSWORD), 303);
    // One of those who guessed has to wait, whatever he gives.
    assert_eq!(sign_in(&world, "198.51.0.1", administrator, PASSWORD), 429);
    // A reset by another administrator clears it.
    let handed = world.access.reset_password(administrator, "tests", "attacked", Utc::now()).unwrap();
    assert_eq!(send(&world, "198.51.0.1", &[("user", administrator), ("password", &handed.password)]).status, 200);
}

#[test]
fn a_code_is_used_once() {
    let world = world();
    let now = Utc::now();
    let seed = world.access.begin_second_factor(&world.user).unwrap();
    let earlier = code(&seed, now - chrono::Duration::seconds(30));
    let confirmed = at_once(6, |_| world.access.confirm_second_factor(&world.user, &earlier, now).unwrap());
    assert_eq!(confirmed.iter().filter(|confirmed| **confirmed).count(), 1, "{confirmed:?}");
    assert_eq!(sign_in(&world, "192.0.2.1", &world.user, PASSWORD), 200);
    let next = code(&seed, now);
    let give = |from: &str, code: &str| send(&world, from, &[("user", &world.user), ("password", PASSWORD), ("code", code)]);
    let statuses = at_once(12, |at| give(&format!("203.0.113.{at}"), &next).status);
    assert_eq!((count(&statuses, 303), count(&statuses, 200)), (1, 11), "{statuses:?}");
    assert_eq!(give("192.0.2.1", &next).status, 200);
    // Guessing codes counts as guessing passwords does; giving none at first does not.
    let guessed = at_once(12, |_| give("192.0.2.7", "000000").status);
    assert_eq!(count(&guessed, 200), 5, "{guessed:?}");
    for _ in 0..12 {
        assert_eq!(sign_in(&world, "192.0.2.8", &world.user, PASSWORD), 200);
    }
}

#[test]
fn a_password_that_holds_once_is_used_once_and_what_is_chosen_typed_twice() {
    let world = world();
    let handed = world.access.reset_password(&world.user, "tests", "lost", Utc::now()).unwrap();
    let once = handed.password.as_str();
    let choose = |from: &str, new: &str, again: &str| {
        send(&world, from, &[("user", &world.user), ("password", once), ("new", new), ("again", again), ("to", "/tables")])
    };
    let first = send(&world, "192.0.2.1", &[("user", &world.user), ("password", once)]);
    assert!(first.status == 200 && first.text().contains("name=\"new\"") && first.text().contains("name=\"again\""), "{}", first.text());
    for again in ["", "a password of mine, yes", "A password of mine, yes?"] {
        let reply = choose("192.0.2.1", "a password of mine, yes?", again);
        assert!(reply.status == 400 && reply.text().contains("not typed the same twice"), "{again}: {}", reply.text());
        assert!(reply.header("set-cookie").is_none() && reply.text().contains("name=\"again\""));
    }
    assert_eq!(choose("192.0.2.1", "short", "short").status, 400);
    let statuses = at_once(8, |at| {
        let new = format!("a password of mine, {at}");
        choose(&format!("203.0.113.{at}"), &new, &new).status
    });
    assert_eq!((count(&statuses, 303), count(&statuses, 401)), (1, 7), "{statuses:?}");
    let winner = statuses.iter().position(|status| *status == 303).unwrap();
    for at in (0..8).filter(|at| *at != winner) {
        assert_eq!(sign_in(&world, &format!("203.0.113.1{at}"), &world.user, &format!("a password of mine, {at}")), 401);
    }
    let reply = choose("192.0.2.1", "a password of mine, 9", "a password of mine, 9");
    assert_eq!(reply.status, 401, "the one-time password holds again");
    // On the page of the account too.
    let signed_in = send(&world, "192.0.2.5", &[("user", &world.user), ("password", &format!("a password of mine, {winner}"))]);
    let cookie = signed_in.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let get = request(world.address, "GET", "/account?lang=en", &[("cookie", &cookie)], b"");
    let token = get.text().split("name=\"form\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let old = format!("a password of mine, {winner}");
    let change = |again: &str| {
        let fields = [("form", token.as_str()), ("old", old.as_str()), ("new", "another one of mine"), ("again", again)];
        let form = Serializer::new(String::new()).extend_pairs(fields).finish();
        request(world.address, "POST", "/account/password?lang=en", &[("cookie", &cookie)], form.as_bytes())
    };
    let refused = change("another one of mine?");
    assert!(refused.status == 400 && refused.text().contains("not typed the same twice"), "{}", refused.text());
    assert_eq!(change("another one of mine").status, 200);
    assert_eq!(sign_in(&world, "192.0.2.6", &world.user, "another one of mine"), 303);
}

#[test]
fn nobody_is_sent_to_another_server() {
    let world = world();
    for to in [
        "//evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/\r\n/evil.example",
        "\t//evil.example",
        "/\\evil.example",
        "/\t\\evil.example",
        "/.//evil.example",
        "/%2e//evil.example",
        "/a/..//evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "evil.example",
    ] {
        let fields = [("user", world.user.as_str()), ("password", PASSWORD), ("to", to)];
        let reply = send(&world, "192.0.2.1", &fields);
        assert_eq!((reply.status, reply.header("location")), (303, Some("/")), "{to:?}");
        let asked = Serializer::new(String::new()).append_pair("to", to).finish();
        let form = request(world.address, "GET", &format!("/sign-in?{asked}"), &[("accept", "text/html")], b"");
        assert!(form.text().contains("name=\"to\" value=\"/\""), "{to:?}: {}", form.text());
    }
    let kept =
        send(&world, "192.0.2.1", &[("user", &world.user), ("password", PASSWORD), ("to", "/tables/people?valueCodes[Region]=12,1201")]);
    assert_eq!(kept.header("location"), Some("/tables/people?valueCodes[Region]=12,1201"));
    // Who is sent to sign in first, and who reads that there is nothing, is not led elsewhere by the address either.
    for path in ["//evil.example/tables", "/\\evil.example/tables", "//evil.example"] {
        let reply = request(world.address, "GET", path, &[("accept", "text/html")], b"");
        let text = String::from_utf8_lossy(&reply.body);
        assert!(!reply.header("location").is_some_and(|to| to.contains("evil")), "{path}: {:?}", reply.header("location"));
        for elsewhere in ["\"//evil", "\"/\\evil", "\"///evil"] {
            assert!(!text.contains(elsewhere), "{path} leads to {elsewhere}: {text}");
        }
    }
}
