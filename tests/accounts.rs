//! Institutions, users and keys by the commands of an administrator.

use std::{
    collections::BTreeSet,
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use cacah::access::{Access, Search};
use chrono::Utc;

use crate::{
    common::{assert_says, fail, program, regions, succeed},
    http::access::{active, asked_for, institution},
    support::Server,
};

/// A small release in `warehouse/releases`.
fn published(here: &Path) {
    fs::write(here.join("regions.csv"), regions(&["34.71.01", "34.01.01"])).unwrap();
    succeed(&["sample", "--period", "2024-S1", "--persons", "5000", "--out", "s.parquet", "--regions", "regions.csv"], here);
    succeed(&["build", "s.parquet", "--period", "2024-S1", "--regions", "regions.csv"], here);
    succeed(&["release", "2024-S1"], here);
}

/// A user of the whole country, and a key of his.
fn keyed(here: &Path) -> (String, String) {
    let access = Access::open(&here.join("warehouse/access.sqlite")).unwrap();
    access.add_institution(&institution("TAX", None), "tests", "", Utc::now()).unwrap();
    let user = active(&access, &asked_for("TAX", None, "1"), Utc::now());
    let key = access.add_key(&user, "tests", 10, "tests", Utc::now()).unwrap().1;
    (user, key)
}

/// Asks on one connection again and again, for other cells each time; the service's names for the requests that were answered in full.
fn hammer(host: &str, key: &str, worker: usize, answered: &Mutex<BTreeSet<String>>, over: &AtomicBool) {
    let Ok(mut stream) = TcpStream::connect(host) else { return };
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    for at in 0.. {
        if over.load(Ordering::Relaxed) {
            return;
        }
        let name = format!("w{worker}-{at}");
        let codes = ["ID", "34", "3401", "3471", "340101", "347101"][at % 6];
        let sent = write!(
            stream,
            "GET /api/v2/tables/population/data?valueCodes[Region]={codes}&valueCodes[Tid]=*&valueCodes[ContentsCode]=persons&valueCodes[Age]=* HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\nx-request-id: {name}\r\n\r\n"
        );
        if sent.is_err() {
            return;
        }
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                _ => return,
            }
        }
        let head = String::from_utf8_lossy(&head).to_lowercase();
        assert!(head.starts_with("http/1.1 200"), "{head}");
        // The head was sent: whoever reads it has been answered, whether or not the rest comes.
        let own = head.split("x-record-id: ").nth(1).and_then(|rest| rest.split('\r').next()).unwrap().to_owned();
        assert!(head.contains(&format!("x-request-id: {name}\r")) && own != name, "{head}");
        answered.lock().unwrap().insert(own);
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split('\r').next()?.parse::<usize>().ok()).unwrap();
        let mut body = vec![0; length];
        if stream.read_exact(&mut body).is_err() {
            return;
        }
    }
}

#[test]
fn a_killed_service_has_kept_every_access_that_it_answered() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    published(here);
    let (_, key) = keyed(here);
    let (answered, over) = (Mutex::default(), AtomicBool::new(false));
    for round in 0..3 {
        let server = Server::start(program().arg("serve").current_dir(here));
        let host = server.address.trim_start_matches("http://").to_owned();
        thread::scope(|scope| {
            for worker in 0..8 {
                let (host, key, answered, over) = (&host, &key, &answered, &over);
                scope.spawn(move || hammer(host, key, 100 * round + worker, answered, over));
            }
            thread::sleep(Duration::from_millis(1500));
            // SIGKILL, in the middle of it.
            drop(server);
            over.store(true, Ordering::Relaxed);
        });
        over.store(false, Ordering::Relaxed);
        let said = succeed(&["log", "verify"], here);
        assert_says(&said, &["all are what was written"]);
        let access = Access::open(&here.join("warehouse/access.sqlite")).unwrap();
        let mut kept = BTreeSet::new();
        let mut keep = |name: String| assert!(kept.insert(name.clone()), "{name} is there twice");
        access.log_records(&Search::default(), |one| keep(one.record.request)).unwrap();
        let answered = answered.lock().unwrap();
        let lost: Vec<&String> = answered.difference(&kept).collect();
        assert!(lost.is_empty(), "{} of {} answered requests are in no record: {lost:?}", lost.len(), answered.len());
        assert!(answered.len() > 50 * (round + 1), "only {} requests were answered", answered.len());
    }
    let shown = succeed(&["log", "show", "--user", "TAX-TOY-0001", "--most", "3"], here);
    assert_says(&shown, &["TAX-TOY-0001", "api", "200", "GET /api/v2/tables/population/data"]);
}

/// Numbers of the checkpoints that a witness has kept.
fn witnessed(file: &Path) -> Vec<u64> {
    let text = fs::read_to_string(file).unwrap_or_default();
    // The last line may be half there while it is written.
    text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok()?["number"].as_u64()).collect()
}

/// Waits until something holds.
fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..600 {
        if holds() {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("{what}: not within half a minute");
}

#[test]
fn a_witness_knows_how_far_the_log_had_come() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    published(here);
    let (_, key) = keyed(here);
    let bearer = format!("Bearer {key}");
    let ask = |server: &Server| {
        let path = "/api/v2/tables/population/data?valueCodes[Region]=34&valueCodes[Tid]=*&valueCodes[ContentsCode]=*";
        let address = server.address.trim_start_matches("http://").parse().unwrap();
        crate::http::client::request(address, "GET", path, &[("authorization", bearer.as_str())], b"").status
    };
    // Nothing that vouches for the log lies where the log does.
    assert_says(&fail(&["log", "keys", "--out", "warehouse"], here), &["beside the database", "elsewhere"]);
    assert_says(&succeed(&["log", "keys", "--out", "keys"], here), &["keys/log.key", "keys/log.pub"]);
    assert_says(&fail(&["log", "keys", "--out", "keys"], here), &["log.key", "already"]);
    fs::create_dir(here.join("auditor")).unwrap();
    let witness = here.join("auditor/witness.jsonl");
    let told = ["--log-witness", "auditor/witness.jsonl", "--checkpoint-records", "10"];
    assert_says(&fail(&[&["serve"], &told[..]].concat(), here), &["--log-key", "CACAH_LOG_KEY", "cacah log keys"]);
    fs::copy(here.join("keys/log.key"), here.join("warehouse/log.key")).unwrap();
    assert_says(&fail(&["serve", "--log-key", "warehouse/log.key"], here), &["beside the database"]);
    assert_says(&fail(&["serve", "--log-key", "keys/log.pub"], here), &["log.pub", "private key", "cacah log keys"]);
    assert_says(&fail(&["serve", "--log-key", "keys/log.key", "--log-witness", "ftp://host/"], here), &["--log-witness", "syslog"]);

    let serve = || Server::start(program().arg("serve").args(told).env("CACAH_LOG_KEY", "keys/log.key").current_dir(here));
    let end = |server: Server| {
        assert!(Command::new("sh").args(["-c", &format!("kill -TERM {}", server.pid())]).status().unwrap().success());
        until("the service ends", || !Path::new("/proc").join(server.pid().to_string()).join("exe").exists());
    };
    let server = serve();
    assert!((0..5).all(|_| ask(&server) == 200));
    end(server);
    assert_eq!(witnessed(&witness).last(), Some(&5), "the last thing a service does is to tell how far it came");
    let log = here.join("warehouse/access.log");
    let early: Vec<(std::ffi::OsString, Vec<u8>)> =
        fs::read_dir(&log).unwrap().map(|entry| entry.unwrap()).map(|entry| (entry.file_name(), fs::read(entry.path()).unwrap())).collect();
    let server = serve();
    assert!((0..27).all(|_| ask(&server) == 200));
    until("the witness is told", || witnessed(&witness).last().is_some_and(|number| *number >= 25));
    // Killed, with records that no checkpoint covers yet.
    drop(server);
    let evidence = ["log", "verify", "--key", "keys/log.pub", "--witness", "auditor/witness.jsonl"];
    assert_says(&succeed(&evidence, here), &["32 records", "all are what was written", "witness.jsonl", "signed", "records follow it"]);
    assert_says(&fail(&["log", "verify", "--witness", "auditor/witness.jsonl"], here), &["--key"]);

    // An older copy is sound by itself. The witness knows that more was there, and the service does not go on with it.
    fs::remove_dir_all(&log).unwrap();
    fs::create_dir(&log).unwrap();
    for (name, bytes) in early {
        fs::write(log.join(name), bytes).unwrap();
    }
    assert_says(&succeed(&["log", "verify", "--key", "keys/log.pub"], here), &["5 records"]);
    assert_says(&fail(&evidence, here), &["witness.jsonl:", "ends at record 5", "were taken away"]);
    let mut again = vec!["serve", "--port", "0", "--log-key", "keys/log.key"];
    again.extend(told);
    assert_says(&fail(&again, here), &["witness.jsonl", "ends at record 5", "Restore", "put this file aside"]);
    fs::remove_file(log.join("head")).unwrap();
    assert_says(&fail(&["log", "verify"], here), &["'head' is missing"]);
    assert_says(&fail(&["serve", "--port", "0"], here), &["'head' is missing"]);
}

#[test]
fn answering_goes_on_without_the_witness() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    published(here);
    let (_, key) = keyed(here);
    succeed(&["log", "keys", "--out", "keys"], here);
    // Nobody listens there.
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://user:secret@{nowhere}/checkpoints");
    let server = Server::start(
        program()
            .args(["serve", "--log-key", "keys/log.key", "--log-witness", &url, "--checkpoint-records", "1", "--metrics", "127.0.0.1:0"])
            .current_dir(here),
    );
    let figures = server.hear(|line| Some(line.split_once("figures for Prometheus at http://")?.1.split('/').next()?.to_owned()));
    let (address, bearer) = (server.address.trim_start_matches("http://").parse().unwrap(), format!("Bearer {key}"));
    let path = "/api/v2/tables/population/data?valueCodes[Region]=34&valueCodes[Tid]=*&valueCodes[ContentsCode]=*";
    for _ in 0..20 {
        assert_eq!(crate::http::client::request(address, "GET", path, &[("authorization", bearer.as_str())], b"").status, 200);
    }
    let figure = |name: &str| {
        let page = crate::http::client::request(figures.parse().unwrap(), "GET", "/metrics", &[], b"");
        let line = page.text().lines().find(|line| line.starts_with(&format!("cacah_{name} "))).map(str::to_owned);
        line.unwrap_or_else(|| panic!("no {name} in {}", page.text())).split(' ').nth(1).unwrap().parse::<u64>().unwrap()
    };
    assert_eq!(figure("log_unwitnessed_records"), 20);
    until("failures are counted", || figure("log_witness_failures_total") > 0 && figure("log_checkpoints_total") > 20);
}

#[test]
fn without_a_log_nothing_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    published(here);
    // A log that something else writes, or that cannot be one.
    fs::create_dir_all(here.join("warehouse/access.log")).unwrap();
    fs::write(here.join("warehouse/access.log/00000000000000000001.log"), "1\t{}\tnone\n").unwrap();
    let said = fail(&["serve", "--port", "0"], here);
    assert_says(&said, &["access.log", "not what was written", "Restore"]);
}

#[test]
fn an_administrator_works_from_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    published(here);
    let access = |args: &[&str]| succeed(&[&["access", "--by", "siti"], args].concat(), here);
    let refused = |args: &[&str], says: &[&str]| assert_says(&fail(&[&["access", "--by", "siti"], args].concat(), here), says);
    let paper =
        ["--name", "Kantor Pajak", "--kind", "cooperation", "--agreement", "PKS-12/2024", "--from", "2024-01-01", "--to", "2099-12-31"];

    access(&[&["add-institution", "TAX"], &paper[..]].concat());
    refused(&[&["add-institution", "TAX"], &paper[..]].concat(), &["'TAX' already"]);
    refused(&[&["add-institution", "tax"], &paper[..]].concat(), &["capital letters"]);
    refused(&[&["add-institution", "B", "--tables", "nothing"], &paper[..]].concat(), &["no table 'nothing'", "population"]);
    assert_says(&access(&["institutions"]), &["TAX", "active", "PKS-12/2024", "Kantor Pajak", "every table"]);

    let header = "institution,region,role,employee_number,name,position,local_id,identity\n";
    let good = "TAX,3471,,100,Ani,Analis,ani,3471010101900001\nTAX,,administrator,101,Budi,Kepala,budi,\n";
    fs::write(here.join("bad.csv"), format!("{header}{good}TAX,9999,,102,Cici,Analis,cici,\nTAX,3471,king,103,Didi,Analis,didi,\n"))
        .unwrap();
    refused(&["request", "--file", "bad.csv"], &["bad.csv", "line 5: role: 'king' is none of reader, reporter, administrator"]);
    fs::write(here.join("bad.csv"), format!("{header}TAX,9999,,102,Cici,Analis,cici,\nTAX,3471011001,,103,Didi,Analis,didi,\n")).unwrap();
    refused(&["request", "--file", "bad.csv"], &["line 2: there is no region '9999'", "line 3: region 3471011001 is of level village"]);
    fs::write(here.join("bad.csv"), format!("{header}{good}TAX,3471,,100,Ani,Analis,ani,12\nNONE,,,104,Eka,Analis,eka,\n")).unwrap();
    refused(&["request", "--file", "bad.csv"], &["line 4: identity", "line 5: there is no institution 'NONE'"]);
    fs::write(here.join("users.csv"), format!("{header}{good}")).unwrap();
    assert_says(&access(&["request", "--file", "users.csv"]), &["#1 Ani requested", "#2 Budi requested"]);
    refused(&["request", "--file", "users.csv"], &["'Ani' is user #1 already"]);

    access(&["four-eyes", "on", "--reason", "policy"]);
    refused(&["approve", "#1"], &["#1 was requested by siti; somebody else must approve"]);
    let said = succeed(&["access", "--by", "joko", "approve", "#1", "#2", "--handover", "handover.html"], here);
    assert_says(&said, &["2 handover records in handover.html"]);
    let page = fs::read_to_string(here.join("handover.html")).unwrap();
    assert_says(&page, &["TAX-3471-0001", "TAX-ID-0001", "Ani", "PKS-12/2024", "Kata sandi sekali pakai"]);
    refused(&["approve", "#1"], &["approved, not requested"]);
    assert_says(&access(&["users", "--institution", "TAX"]), &["TAX-3471-0001", "approved", "Ani, Analis"]);

    refused(&["suspend", "TAX-3471-0001"], &["--reason"]);
    access(&["suspend", "TAX-3471-0001", "--reason", "moved", "--until", "2098-01-01"]);
    assert_says(&access(&["users"]), &["suspended  until 2098-01-01"]);
    access(&["reactivate", "tax-3471-0001", "--reason", "came back"]);
    access(&["change-user", "TAX-3471-0001", "--region", "3401", "--reason", "moved again"]);
    refused(&["change-user", "TAX-3471-0001", "--region", "zz", "--reason", "x"], &["no region 'zz'"]);
    refused(&["add-key", "TAX-3471-0001", "--name", "nightly"], &["no active user"]);
    access(&["reset-password", "TAX-3471-0001", "--reason", "lost the paper"]);
    access(&["remove", "TAX-ID-0001", "--reason", "left"]);
    refused(&["reactivate", "TAX-ID-0001", "--reason", "x"], &["removed, not suspended"]);
    access(&["suspend-institution", "TAX", "--reason", "no report for 2024-S1"]);
    let changes = access(&["changes", "--user", "TAX-3471-0001"]);
    assert_says(
        &changes,
        &["joko", "approved (#1)", "suspended until 2098-01-01: moved", "reactivated: came back", "password reset: lost the paper"],
    );
    assert_says(&access(&["changes", "--institution", "TAX"]), &["suspended: no report for 2024-S1", "added under PKS-12/2024"]);

    // The numbers of identities and passwords are nowhere in the files.
    for entry in fs::read_dir(here.join("warehouse")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = fs::read(&path).unwrap();
            let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
            assert!(!has("3471010101900001"), "{} holds an identity number", path.display());
        }
    }
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(here.join("warehouse/access.key")).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    fs::remove_file(here.join("warehouse/access.key")).unwrap();
    refused(&["users"], &["access.key", "restore it"]);
    fs::write(here.join("none.sqlite"), "this is no database, and long enough to be looked at as one by whoever opens it").unwrap();
    fs::write(here.join("none.key"), [0; 32]).unwrap();
    refused(&["users", "--database", "none.sqlite"], &["none.sqlite", "not a database"]);
}

#[test]
fn what_was_copied_is_restored() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    published(here);
    let (user, key) = keyed(here);
    let asks = |server: &Server, path: &str| {
        let headers = [("authorization", format!("Bearer {key}"))];
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let address = server.address.trim_start_matches("http://").parse().unwrap();
        crate::http::client::request(address, "GET", path, &headers, b"").status
    };
    let cells = "/api/v2/tables/population/data?valueCodes[Region]=34&valueCodes[Tid]=*&valueCodes[ContentsCode]=*";
    let server = Server::start(program().arg("serve").current_dir(here));
    for _ in 0..5 {
        assert_eq!(asks(&server, cells), 200);
    }
    // While the service goes on.
    assert_says(&succeed(&["access", "backup", "copy"], here), &["files in copy"]);
    assert_says(&fail(&["access", "backup", "copy"], here), &["copy", "there already"]);
    assert_eq!(asks(&server, cells), 200);
    succeed(&["access", "suspend", &user, "--reason", "moved"], here);
    assert_says(&fail(&["access", "restore", "copy", "--replace"], here), &["another process writes this log"]);
    drop(server);
    assert_says(&fail(&["access", "restore", "copy"], here), &["access.sqlite", "there already"]);

    // Everything is lost, as with the machine; the copy brings it back.
    for entry in fs::read_dir(here.join("warehouse")).unwrap().map(|entry| entry.unwrap()) {
        if entry.file_name().to_string_lossy().starts_with("access") {
            let path = entry.path();
            if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
        }
    }
    let said = succeed(&["access", "restore", "copy"], here);
    assert_says(&said, &["restored as it was", "the log has 5 records", "whether keys were revoked"]);
    let server = Server::start(program().arg("serve").current_dir(here));
    assert_eq!(asks(&server, cells), 200);
    drop(server);
    assert_says(&succeed(&["log", "verify"], here), &["6 records", "all are what was written"]);
    assert_says(&succeed(&["access", "changes"], here), &["restored from the copy"]);
    succeed(&["access", "restore", "copy", "--replace"], here);
    let kept = fs::read_dir(here.join("warehouse"))
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains(".before-"))
        .count();
    assert!(kept >= 3, "{kept} files were kept");
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(here.join("copy/access.key")).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn the_use_of_a_semester_is_reported_at_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    assert_says(&fail(&["report", "duties", "--period", "2024-S1"], here), &["no such database"]);
    {
        let access = Access::open(&here.join("warehouse/access.sqlite")).unwrap();
        for code in ["TAX", "BANK"] {
            let earlier = cacah::access::Institution { valid_from: "2020-01-01".parse().unwrap(), ..institution(code, None) };
            access.add_institution(&earlier, "tests", "", Utc::now()).unwrap();
        }
        active(&access, &asked_for("TAX", None, "1"), Utc::now());
    }
    let shown = succeed(&["report", "usage", "--period", "2024-S1", "--lang", "en"], here);
    assert_says(&shown, &["Use of the service in 2024-S1", "TAX", "BANK", "all institutions", "overdue since 2024-07-31", "TAX-TOY-0001"]);
    for file in ["use.csv", "use.xlsx"] {
        assert_says(&succeed(&["report", "usage", "--period", "2024-S1", "--institution", "TAX", "--out", file], here), &[file]);
    }
    assert_says(&fs::read_to_string(here.join("use.csv")).unwrap(), &["period,institution,measure,item,count", "2024-S1,TAX,accounts,,1"]);
    assert_says(&fail(&["report", "usage", "--period", "2024-S1", "--out", "use.doc"], here), &["use.doc", ".csv or .xlsx"]);
    assert_says(&fail(&["report", "usage", "--period", "2024-S1", "--institution", "NONE"], here), &["no institution 'NONE'"]);
    succeed(&["report", "file", "TAX", "--period", "2024-S1", "--note", "letter 12", "--by", "siti"], here);
    assert_says(&fail(&["report", "file", "TAX", "--period", "2024-S1", "--note", "again"], here), &["already"]);
    assert_says(&fail(&["report", "file", "TAX", "--period", "2099-S1", "--note", "early"], here), &["filed after that"]);
    let late = succeed(&["report", "duties", "--period", "2024-S1", "--overdue"], here);
    assert!(late.contains("BANK") && !late.contains("TAX"), "{late}");
    assert_says(&succeed(&["report", "duties", "--period", "2024-S1"], here), &["filed on", "by siti"]);
    succeed(&["report", "hints"], here);
}

#[test]
fn a_log_on_a_full_disk_stops_all_answers_until_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    published(here);
    let (_, key) = keyed(here);
    let log = here.join("warehouse/access.log");
    fs::create_dir(&log).unwrap();
    // The log has a file system of its own, of which others have taken most. That needs the right to mount, as in a user namespace.
    let script = format!(
        "mount -t tmpfs -o size=300k tmpfs warehouse/access.log && head -c 200000 /dev/zero > warehouse/access.log/ballast && exec {} serve \"$@\"",
        env!("CARGO_BIN_EXE_cacah")
    );
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user", "sh", "-c", &script, "sh"]).current_dir(here);
    let server = Server::start(&mut command);
    let address = server.address.trim_start_matches("http://").parse().unwrap();
    let bearer = format!("Bearer {key}");
    let ask = |name: &str| {
        let path = "/api/v2/tables/population/data?valueCodes[Region]=34&valueCodes[Tid]=*&valueCodes[ContentsCode]=*";
        let headers = [("authorization", bearer.as_str()), ("x-request-id", name)];
        crate::http::client::request(address, "GET", path, &headers, b"")
    };
    let mut answered = BTreeSet::new();
    let refusal = (0..3000).find_map(|at| {
        let name = format!("r{at}");
        let reply = ask(&name);
        if reply.status != 200 {
            return Some(reply);
        }
        answered.insert(reply.header("x-record-id").unwrap().to_owned());
        None
    });
    let refusal = refusal.expect("the disk fills up");
    assert!(refusal.status == 503 && !refusal.text().contains("value"), "{} {}", refusal.status, refusal.text());
    assert!(answered.len() > 20 && (0..5).all(|_| ask("late").status == 503), "{} were answered before", answered.len());
    // With room again it goes on by itself.
    let inside = Path::new("/proc").join(server.pid().to_string()).join("root").join(log.strip_prefix("/").unwrap());
    fs::remove_file(inside.join("ballast")).unwrap();
    let again = ask("again");
    assert_eq!(again.status, 200);
    answered.insert(again.header("x-record-id").unwrap().to_owned());
    for entry in fs::read_dir(&inside).unwrap().map(|entry| entry.unwrap()) {
        fs::copy(entry.path(), log.join(entry.file_name())).unwrap();
    }
    drop(server);
    assert_says(&succeed(&["log", "verify"], here), &["all are what was written"]);
    let mut kept = BTreeSet::new();
    let access = Access::open(&here.join("warehouse/access.sqlite")).unwrap();
    let mut keep = |name: String| assert!(kept.insert(name.clone()), "{name} is there twice");
    access.log_records(&Search::default(), |one| keep(one.record.request)).unwrap();
    assert!(answered.is_subset(&kept), "{} answered, {} kept", answered.len(), kept.len());
}
