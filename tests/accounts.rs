//! Institutions, users and keys by the commands of an administrator.

use std::{
    collections::BTreeSet,
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use cacah::access::Access;
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

/// Asks on one connection again and again, for other cells each time; the names of the requests that were answered in full.
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
        answered.lock().unwrap().insert(name);
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
    let key = {
        let access = Access::open(&here.join("warehouse/access.sqlite")).unwrap();
        access.add_institution(&institution("TAX", None), "tests", "", Utc::now()).unwrap();
        let user = active(&access, &asked_for("TAX", None, "1"), Utc::now());
        access.add_key(&user, "tests", 10, "tests", Utc::now()).unwrap().1
    };
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
        access.log_records(|one| keep(one.record.request)).unwrap();
        let answered = answered.lock().unwrap();
        let lost: Vec<&String> = answered.difference(&kept).collect();
        assert!(lost.is_empty(), "{} of {} answered requests are in no record: {lost:?}", lost.len(), answered.len());
        assert!(answered.len() > 50 * (round + 1), "only {} requests were answered", answered.len());
    }
    let shown = succeed(&["log", "show", "--user", "TAX-TOY-0001", "--most", "3"], here);
    assert_says(&shown, &["TAX-TOY-0001", "api", "200", "GET /api/v2/tables/population/data"]);
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
    refused(&["request", "--file", "bad.csv"], &["bad.csv:5", "'king' is none of reader, reporter, administrator"]);
    fs::write(here.join("bad.csv"), format!("{header}TAX,9999,,102,Cici,Analis,cici,\nTAX,3471011001,,103,Didi,Analis,didi,\n")).unwrap();
    refused(&["request", "--file", "bad.csv"], &["1: there is no region '9999'", "2: region 3471011001 is of level village"]);
    fs::write(here.join("bad.csv"), format!("{header}{good}TAX,3471,,100,Ani,Analis,ani,12\nNONE,,,104,Eka,Analis,eka,\n")).unwrap();
    refused(&["request", "--file", "bad.csv"], &["3: identity", "4: there is no institution 'NONE'"]);
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
