//! Commands whose reader has gone: their work is done all the same, and nothing panics.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::{
    common::{assert_says, people, program, regions, snapshot, succeed},
    support::ask,
};

/// Runs the program with a standard output that nobody reads, expects success.
#[track_caller]
fn unheard(args: &[&str], folder: &Path) {
    let mut child = program().args(args).current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !error.contains("panicked") && !error.contains("error"), "{args:?} {}\n{error}", output.status);
}

#[test]
fn a_reader_who_has_read_enough_ends_no_command() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    unheard(&["--help"], here);
    fs::write(here.join("regions.csv"), regions(&["34.71.01"])).unwrap();
    let regions = ["--regions", "regions.csv"];
    unheard(&[&["sample", "--period", "2024-S1", "--persons", "2000", "--out", "s.parquet"], &regions[..]].concat(), here);
    assert!(here.join("s.parquet").exists());
    unheard(&[&["build", "s.parquet", "--period", "2024-S1"], &regions[..]].concat(), here);
    // Two tables are told before the release exists: the rest must come nevertheless.
    unheard(&["release", "2024-S1"], here);
    assert!(here.join("warehouse/releases/2024-S1/r1/manifest.json").exists());
    unheard(&["releases"], here);
    unheard(&["demo", "--no-serve", "--persons", "100", "--warehouse", "demo"], here);
    assert!(here.join("demo/releases/2024-S2/r1/manifest.json").exists());
    // As people type it.
    let line = format!("set -o pipefail; {} releases | head -1", env!("CARGO_BIN_EXE_cacah"));
    let output = Command::new("bash").args(["-c", &line]).current_dir(here).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 1);
}

#[test]
fn output_that_cannot_be_kept_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("s.csv"), snapshot(&people(10))).unwrap();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let args = ["build", "s.csv", "--period", "2024-S1"];
    let output = program().args(args).current_dir(folder.path()).stdout(full).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert_says(&error, &["error: writing to standard output", "No space left on device"]);
    // What was counted is kept: only the telling failed.
    succeed(&["release", "2024-S1"], folder.path());
}

/// A process that does not outlive its test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_service_outlives_whoever_read_its_log() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("s.csv"), snapshot(&people(10))).unwrap();
    succeed(&["build", "s.csv", "--period", "2024-S1"], folder.path());
    succeed(&["release", "2024-S1"], folder.path());
    let mut serve = program();
    serve.args(["serve", "--public", "*", "--port", "0"]).env("CACAH_LOG", "info").current_dir(folder.path());
    let Ended(child) = &mut Ended(serve.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    // Both pipes are closed now; every answer would write a line of log.
    drop(child.stderr.take());
    let address = line.split("http://").nth(1).and_then(|rest| rest.split('/').next()).expect("an address").to_owned();
    for _ in 0..3 {
        let answer = ask(&address, "/api/v2/tables");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}

#[test]
fn a_terminal_sees_how_far_a_build_is() {
    let folder = tempfile::tempdir().unwrap();
    succeed(&["sample", "--period", "2024-S1", "--persons", "300000", "--out", "s.csv"], folder.path());
    // util-linux makes a terminal, without which nothing is drawn.
    let command = format!("{} build s.csv --period 2024-S1 --threads 1", env!("CARGO_BIN_EXE_cacah"));
    let output = Command::new("script").args(["-qec", &command, "/dev/null"]).env("TERM", "xterm").current_dir(folder.path()).output();
    let output = output.expect("script (util-linux) is there");
    let drawn = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{drawn}");
    assert_says(&drawn, &[" records/s, ", " left"]);
    // Into a file or a pipe goes what was found, and no bar.
    let quiet = program().args(["build", "s.csv", "--period", "2024-S1"]).current_dir(folder.path()).output().unwrap();
    assert!(!String::from_utf8_lossy(&quiet.stderr).contains("records/s"), "a bar was drawn for nobody");
}
