//! Institutions, users and keys by the commands of an administrator.

use std::fs;

use crate::common::{assert_says, fail, regions, succeed};

#[test]
fn an_administrator_works_from_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("regions.csv"), regions(&["34.71.01", "34.01.01"])).unwrap();
    succeed(&["sample", "--period", "2024-S1", "--persons", "5000", "--out", "s.parquet", "--regions", "regions.csv"], here);
    succeed(&["build", "s.parquet", "--period", "2024-S1", "--regions", "regions.csv"], here);
    succeed(&["release", "2024-S1"], here);
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
