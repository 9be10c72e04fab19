//! Clients that nobody here wrote read what the program serves and must see what the raw interface says, cell by cell.
//!
//! The clients run as the scripts in `tests/clients`, each against the real program over the same two semesters.
//! `tests/run` installs them and says by `CACAH_TEST_PYTHON`, `CACAH_TEST_NODE` and `CACAH_TEST_NODE_MODULES` where they are.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use crate::{
    common::{program, regions, succeed},
    support::Server,
};

/// A limit of cells that makes clients split what they ask for.
const FEW_CELLS: &str = "4000";
/// A city with all its districts, two other districts of its province, one of another province.
const REGIONS: [&str; 4] = ["34.71", "34.01.01", "34.01.02", "51.71.01"];

/// Two published semesters of people in some regions. Nothing is dropped when the tests end, so the folder has a fixed place, and the next
/// run clears it.
pub fn published(name: &str, places: &[&str], persons: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("the folder of an earlier run can be removed");
    }
    fs::create_dir_all(&folder).expect("a folder can be made");
    fs::write(folder.join("regions.csv"), regions(places)).expect("the regions can be written");
    for period in ["2024-S1", "2024-S2"] {
        let snapshot = format!("{period}.csv.gz");
        let people = ["--persons", persons, "--seed", "7", "--regions", "regions.csv"];
        succeed(&[&["sample", "--period", period, "--out", &snapshot], &people[..]].concat(), &folder);
        succeed(&["build", &snapshot, "--period", period, "--regions", "regions.csv"], &folder);
        succeed(&["release", period], &folder);
    }
    folder.join("warehouse").join("releases")
}

/// What all clients read. Enough people that most totals are published, so few in each village that many other cells are not.
fn releases() -> &'static Path {
    static RELEASES: OnceLock<PathBuf> = OnceLock::new();
    RELEASES.get_or_init(|| published("clients", &REGIONS, "100000"))
}

/// Where `tests/run` has put something.
pub fn installed(variable: &str) -> OsString {
    env::var_os(variable).unwrap_or_else(|| panic!("{variable} is not set; run tests/run, which installs the clients"))
}

/// Runs a script that succeeds only if its client agrees with the interface, cell by cell.
fn agrees(interpreter: &str, script: &str) {
    succeeds(interpreter, script, "cells agree");
}

/// Runs a client's script against two services over the same releases; at its end it must say so much.
fn succeeds(interpreter: &str, script: &str, says: &str) {
    succeeds_over(releases(), "tests/clients", interpreter, script, says);
}

/// Runs a script of a folder likewise, over other releases.
pub fn succeeds_over(releases: &Path, folder: &str, interpreter: &str, script: &str, says: &str) {
    let interpreter = installed(interpreter);
    let service =
        Server::start(program().arg("serve").args(["--public", "*"]).arg("--releases").arg(releases).args(["--sql", "127.0.0.1:0"]));
    let small =
        Server::start(program().arg("serve").args(["--public", "*"]).arg("--releases").arg(releases).args(["--max-cells", FEW_CELLS]));
    let sql = service.sql_port();
    let mut client = Command::new(&interpreter);
    client
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(script))
        .args([&service.address, &small.address])
        .arg(releases)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("CACAH_TEST_SQL", format!("postgresql://cacah@{sql}/cacah"));
    ends_well(&mut client, script, says);
}

/// Runs a script, which must end well and say so much.
pub fn ends_well(client: &mut Command, script: &str, says: &str) {
    let started = client.output();
    let output = started.unwrap_or_else(|error| panic!("{client:?}: {error}; run tests/run, which installs the clients"));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script}: {}\n{out}\n{err}", output.status);
    assert!(out.contains(says), "{script} compared nothing:\n{out}\n{err}");
    println!("{out}");
}

#[test]
fn pxstatspy_agrees() {
    agrees("CACAH_TEST_PYTHON", "pxstatspy_reads.py");
}

#[test]
fn pxwebpy_agrees() {
    agrees("CACAH_TEST_PYTHON", "pxwebpy_reads.py");
}

#[test]
fn pyjstat_agrees_and_the_documents_are_valid() {
    agrees("CACAH_TEST_PYTHON", "pyjstat_reads.py");
}

#[test]
fn duckdb_agrees_on_the_released_files() {
    agrees("CACAH_TEST_PYTHON", "duckdb_reads.py");
}

#[test]
fn openpyxl_agrees_on_workbooks() {
    agrees("CACAH_TEST_PYTHON", "openpyxl_reads.py");
}

#[test]
fn pyaxis_agrees_on_px_files() {
    agrees("CACAH_TEST_PYTHON", "pyaxis_reads.py");
}

#[test]
fn pandas_pyarrow_and_duckdb_agree_on_downloads() {
    agrees("CACAH_TEST_PYTHON", "frames_read.py");
}

#[test]
fn lxml_agrees_on_pages() {
    agrees("CACAH_TEST_PYTHON", "lxml_reads.py");
}

#[test]
fn sdmx1_agrees() {
    agrees("CACAH_TEST_PYTHON", "sdmx1_reads.py");
}

#[test]
fn pysdmx_agrees_and_the_documents_are_valid() {
    agrees("CACAH_TEST_PYTHON", "pysdmx_reads.py");
}

#[test]
fn psycopg_and_sqlalchemy_agree() {
    agrees("CACAH_TEST_PYTHON", "sql_reads.py");
}

#[test]
fn named_queries_say_what_the_cells_say() {
    agrees("CACAH_TEST_PYTHON", "queries_read.py");
}

#[test]
fn all_surfaces_agree() {
    agrees("CACAH_TEST_PYTHON", "surfaces_agree.py");
}

#[test]
fn schemathesis_finds_nothing() {
    succeeds("CACAH_TEST_PYTHON", "schemathesis_explores.py", "all are as described");
}

#[test]
fn jsonstat_toolkit_agrees() {
    // The script finds the toolkit by this.
    installed("CACAH_TEST_NODE_MODULES");
    agrees("CACAH_TEST_NODE", "jsonstat_toolkit_reads.mjs");
}
