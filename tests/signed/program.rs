//! The commands, as operators and readers use them.

use std::{fs, path::Path};

use cacah::release::Provenance;

use crate::{
    common::{assert_says, fail, people, program, run, snapshot, succeed},
    http::client::request,
    support::{Server, ask},
};

const RELEASES: &str = "warehouse/releases";
const PUBLIC: &str = "warehouse/confidential/keys/release.pub";
const SECRET: &str = "warehouse/confidential/keys/release.key";

/// A folder in which 2024-S1 has been counted.
fn counted() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("s.csv"), snapshot(&people(200))).unwrap();
    succeed(&["build", "s.csv", "--period", "2024-S1"], folder.path());
    folder
}

/// A folder in which 2024-S1 is published and signed.
fn signed() -> tempfile::TempDir {
    let folder = counted();
    succeed(&["keys", "make"], folder.path());
    assert_says(&succeed(&["release", "2024-S1"], folder.path()), &["signed with key "]);
    folder
}

/// Counts a correction.
fn correct(here: &Path) {
    fs::write(here.join("s.csv"), snapshot(&people(220))).unwrap();
    succeed(&["build", "s.csv", "--period", "2024-S1"], here);
    succeed(&["release", "2024-S1", "--correction", "twenty people were late", "--accept-differences"], here);
}

fn change(path: &Path) {
    let mut content = fs::read(path).unwrap();
    let middle = content.len() / 2;
    content[middle] ^= 1;
    fs::write(path, content).unwrap();
}

#[test]
fn keys_are_made_used_and_trusted() {
    let folder = counted();
    let here = folder.path();
    assert_says(&succeed(&["release", "2024-S1"], here), &["not signed: there is no key; 'cacah keys make' makes one"]);
    assert_says(&fail(&["verify", RELEASES, "--key", PUBLIC], here), &["release.pub"]);
    assert_says(&fail(&["keys", "sign"], here), &["there is no key to sign with"]);
    let made = succeed(&["keys", "make"], here);
    assert_says(&made, &["release.key", "release.pub", "next: cacah release PERIOD"]);
    assert_says(&fail(&["keys", "make"], here), &["is there already"]);
    // What was published before is signed afterwards, once it was compared with its proof.
    assert_says(&fail(&["verify", RELEASES, "--key", PUBLIC], here), &["2024-S1/r1/manifest.json is not signed"]);
    assert_says(&succeed(&["keys", "sign"], here), &["2024-S1/r1 signed with key", "1 releases signed, 0 were signed already"]);
    assert_says(&succeed(&["keys", "sign"], here), &["0 releases signed, 1 were signed already"]);
    let told = succeed(&["verify", RELEASES, "--key", PUBLIC], here);
    assert_says(&told, &["2024-S1/r1", "all are what was signed", "published last: "]);
    assert_says(&succeed(&["releases"], here), &["signed with"]);
    // A release of another warehouse is nothing that this one signs.
    succeed(&["keys", "make", "--out", "elsewhere"], here);
    fs::remove_file(here.join(RELEASES).join("2024-S1/r1/manifest.sig")).unwrap();
    let refused = fail(&["keys", "sign", "--confidential", "empty", "--releases", RELEASES, "--sign-with", "elsewhere/release.key"], here);
    assert_says(&refused, &["2024-S1/r1 is not signed: the confidential side has no proof of it"]);
    // A key that is named must be there, and must be one.
    assert_says(&fail(&["keys", "sign", "--sign-with", "nowhere/release.key"], here), &["there is no key nowhere/release.key"]);
    assert_says(&fail(&["keys", "sign", "--sign-with", PUBLIC], here), &["not a secret key of releases"]);
    assert_says(&fail(&["serve", "--public", "*", "--trust", SECRET], here), &["release.key"]);
    assert_says(&fail(&["serve", "--public", "*", "--trust", PUBLIC], here), &["2024-S1/r1/manifest.json is not signed"]);
    succeed(&["keys", "sign", "--sign-with", "elsewhere/release.key"], here);
    assert_says(&fail(&["serve", "--public", "*", "--trust", PUBLIC], here), &["which is not trusted"]);
    Server::start(program().args(["serve", "--public", "*", "--trust", PUBLIC, "--trust", "elsewhere/release.pub"]).current_dir(here));
}

#[test]
fn a_verifier_says_what_is_wrong_to_people_and_to_programs() {
    let folder = signed();
    let here = folder.path();
    let verify = ["verify", RELEASES, "--key", PUBLIC, "--json"];
    let report: serde_json::Value = serde_json::from_str(&succeed(&verify, here)).unwrap();
    assert_eq!((&report["sound"], &report["faults"]), (&true.into(), &serde_json::json!([])));
    let last = report["last"][0].as_str().unwrap().to_owned();
    correct(here);
    succeed(&["verify", RELEASES, "--key", PUBLIC, "--last", &last], here);
    change(&here.join(RELEASES).join("2024-S1/r1/cells/population.parquet"));
    fs::write(here.join(RELEASES).join("2024-S1/r2/note.txt"), "hello").unwrap();
    let output = run(&verify, here);
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let places: Vec<&str> = report["faults"].as_array().unwrap().iter().map(|fault| fault["place"].as_str().unwrap()).collect();
    assert_eq!(places, ["2024-S1/r1/cells/population.parquet", "2024-S1/r2/note.txt"]);
    let told = run(&["verify", RELEASES, "--key", PUBLIC], here);
    assert_says(&String::from_utf8_lossy(&told.stdout), &["FAULT: 2024-S1/r1/cells/population.parquet differs from its digest"]);
    assert_says(&String::from_utf8_lossy(&told.stderr), &["2 faults"]);
    assert_says(&fail(&["verify", "nowhere", "--key", PUBLIC], here), &["holds no release"]);
}

#[test]
fn a_withdrawn_release_is_listed_proven_and_never_served() {
    let folder = signed();
    let here = folder.path();
    correct(here);
    let server = Server::start(program().args(["serve", "--public", "*", "--refresh", "1", "--trust", PUBLIC]).current_dir(here));
    let address = server.address.trim_start_matches("http://").to_owned();
    let path = "/api/v2/tables/population?lang=en";
    assert!(ask(&address, path).starts_with("HTTP/1.1 200 "));
    assert_says(&fail(&["withdraw", "2024-S2", "--reason", "x"], here), &["holds no release 2024-S2", "2024-S1/r1, 2024-S1/r2"]);
    let told = succeed(&["withdraw", "2024-S1", "--reason", "counted twice", "--reason-id", "terhitung dua kali"], here);
    assert_says(&told, &["2024-S1 r2 withdrawn, signed with key "]);
    let patience = std::time::Instant::now();
    while !ask(&address, path).starts_with("HTTP/1.1 410 ") {
        assert!(patience.elapsed().as_secs() < 20, "it is still served");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_says(&ask(&address, "/api/v2/tables?lang=id"), &["terhitung dua kali"]);
    assert_says(&succeed(&["releases"], here), &["withdrawn on ", "counted twice"]);
    succeed(&["verify", RELEASES, "--key", PUBLIC], here);
    assert_says(&fail(&["chart", "bars", "--table", "population", "--out", "x.svg"], here), &["withdrawn"]);
    // It still counts as published: a first release of the period is refused, and a correction is judged beside it.
    assert_says(&fail(&["release", "2024-S1"], here), &["published already as r2"]);
    succeed(&["attack", RELEASES, "--out", "attacked", "--no-proofs"], here);
    fs::write(here.join("s.csv"), snapshot(&people(240))).unwrap();
    succeed(&["build", "s.csv", "--period", "2024-S1"], here);
    succeed(&["release", "2024-S1", "--correction", "counted once", "--accept-differences"], here);
    assert_says(&succeed(&["audit", "2024-S1"], here), &["no fault found"]);
    let patience = std::time::Instant::now();
    while !ask(&address, path).starts_with("HTTP/1.1 200 ") {
        assert!(patience.elapsed().as_secs() < 20, "the correction is not served");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

#[test]
fn an_exported_file_is_traced_to_its_release() {
    let folder = signed();
    let here = folder.path();
    let server = Server::start(program().args(["serve", "--public", "*", "--trust", PUBLIC]).current_dir(here));
    let data = "/api/v2/tables/population/data?lang=en&valueCodes[Sex]=*&valueCodes[ContentsCode]=*&valueCodes[Tid]=*&outputFormat=";
    let files = [
        ("people.json", format!("{data}json-stat2")),
        ("people.xlsx", format!("{data}xlsx")),
        ("people.parquet", format!("{data}parquet")),
        ("people.svg", "/charts/bars.svg?lang=en&table=population&valueCodes[Sex]=*".to_owned()),
        ("people.png", "/charts/bars.png?lang=en&table=population&valueCodes[Sex]=*&width=400".to_owned()),
        ("people.pdf", "/charts/bars.pdf?lang=en&table=population&valueCodes[Sex]=*".to_owned()),
        ("rows.parquet", "/api/v2/queries/tax-occupations/data?lang=en&outputFormat=parquet".to_owned()),
    ];
    for (name, path) in &files {
        fs::write(here.join(name), request(server.address.trim_start_matches("http://").parse().unwrap(), "GET", path, &[], b"").body)
            .unwrap();
        let told = succeed(&["verify", name, "--key", PUBLIC], here);
        assert_says(
            &told,
            &["of release 2024-S1/r1", "signed by ", "no byte was changed", "note: whether the numbers are those of the release"],
        );
        let told = succeed(&["verify", name, "--key", PUBLIC, "--releases", RELEASES], here);
        assert_says(&told, &["byte for byte what the release gives"]);
    }
    // What is drawn without a service is what a service draws.
    succeed(&["chart", "bars", "--table", "population", "--select", "Sex=*", "--with", "Title=People", "--out", "drawn.svg"], here);
    succeed(&["chart", "bars", "--query", "tax-occupations", "--lang", "en", "--out", "drawn.png"], here);
    for name in ["drawn.svg", "drawn.png"] {
        let told = succeed(&["verify", name, "--key", PUBLIC, "--releases", RELEASES], here);
        assert_says(&told, &["byte for byte what the release gives"]);
    }
    // A byte of each is changed.
    for (name, _) in &files {
        let changed = format!("changed-{name}");
        fs::copy(here.join(name), here.join(&changed)).unwrap();
        change(&here.join(&changed));
        fail(&["verify", &changed, "--key", PUBLIC], here);
    }
    // Numbers are changed and sealed anew: only the release itself tells.
    let mut document: serde_json::Value = serde_json::from_slice(&fs::read(here.join("people.json")).unwrap()).unwrap();
    let forged = forge(&mut document, |document| {
        let value = document["value"].as_array_mut().unwrap().iter_mut().find(|value| value.is_number()).unwrap();
        *value = serde_json::json!(123_456);
    });
    fs::write(here.join("forged.json"), forged).unwrap();
    succeed(&["verify", "forged.json", "--key", PUBLIC], here);
    assert_says(&fail(&["verify", "forged.json", "--key", PUBLIC, "--releases", RELEASES], here), &["is not what that release gives"]);
    // Another text around the same numbers, as of another version.
    let mut right: serde_json::Value = serde_json::from_slice(&fs::read(here.join("people.json")).unwrap()).unwrap();
    let retold = forge(&mut right, |document| document["label"] = "People, retold".into());
    fs::write(here.join("retold.json"), retold).unwrap();
    let told = succeed(&["verify", "retold.json", "--key", PUBLIC, "--releases", RELEASES], here);
    assert_says(&told, &["its numbers are the released ones", "not every byte"]);
    // Superseded, the file is still of its release; withdrawn, nobody may use it.
    correct(here);
    let told = succeed(&["verify", "people.json", "--key", PUBLIC, "--releases", RELEASES, "--json"], here);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&told["sound"], &told["whole"]), (&true.into(), &true.into()));
    assert_says(&told["notes"].to_string(), &["2024-S1/r1 is no longer in force"]);
    succeed(&["withdraw", "2024-S1", "--revision", "1", "--reason", "counted twice"], here);
    assert_says(
        &fail(&["verify", "people.json", "--key", PUBLIC, "--releases", RELEASES], here),
        &["which was withdrawn on", "counted twice"],
    );
    // Files of others.
    fs::write(here.join("letter.txt"), "hello").unwrap();
    assert_says(&fail(&["verify", "letter.txt", "--key", PUBLIC], here), &["is of no kind that says where it comes from"]);
    fs::write(here.join("own.json"), "{}").unwrap();
    assert_says(&fail(&["verify", "own.json", "--key", PUBLIC], here), &["does not say where it comes from"]);
}

/// A document with something changed, and a seal that fits again.
fn forge(document: &mut serde_json::Value, change: impl Fn(&mut serde_json::Value)) -> Vec<u8> {
    change(document);
    let told = document["extension"]["provenance"].take();
    let mut provenance: Provenance = serde_json::from_value(told).unwrap();
    provenance.seal = "0".repeat(64);
    document["extension"]["provenance"] = "HERE".into();
    let mut forged = document.to_string().replace("\"HERE\"", &provenance.text()).into_bytes();
    cacah::release::seal(&mut forged, None);
    document["extension"]["provenance"] = serde_json::to_value(&provenance).unwrap();
    forged
}
