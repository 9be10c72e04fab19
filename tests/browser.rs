//! A real browser reads the portal: every page for everybody, and the errands of those it was made for.
//!
//! The scripts in `tests/browser` drive Chromium through playwright-core and look at pages with axe. `tests/run` installs all three
//! and says by `CACAH_TEST_BROWSER` where the browser is. Pictures of pages are left in `tests/browser/screenshots`.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use cacah::access::{Access, Institution, Listed, Request, Role};
use chrono::Utc;

use crate::{
    clients::{ends_well, installed, published, succeeds_over},
    common::program,
    http::access::{PASSWORD, active, asked_for, institution},
    support::Server,
};

/// A province and a city of another: more regions than a list can offer, so that people walk and search through them.
const REGIONS: [&str; 2] = ["34", "51.71"];

fn releases() -> &'static Path {
    static RELEASES: OnceLock<PathBuf> = OnceLock::new();
    RELEASES.get_or_init(|| published("browser", &REGIONS, "400000"))
}

/// Runs a script against the service; at its end it must say so much.
fn sees(script: &str, says: &str) {
    succeeds_over(releases(), "tests/browser", "CACAH_TEST_NODE", script, says);
}

#[test]
fn people_sign_in_and_see_what_is_theirs() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("access.sqlite");
    let now = Utc::now();
    let handed = {
        let access = Access::open(&database).unwrap();
        access.add_institution(&institution("TAX", Some(&["labour", "population"])), "tests", "", now).unwrap();
        let asked =
            access.request_users(&[Listed { line: None, request: asked_for("TAX", Some("34"), "1") }], &|_| None, "tests", now).unwrap();
        access.approve(&asked[0].called(), "ID", "tests", "", now).unwrap()
    };
    let service = Server::start(program().arg("serve").arg("--releases").arg(releases()).arg("--database").arg(&database));
    let mut browser = Command::new(installed("CACAH_TEST_NODE"));
    browser
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/accounts.mjs"))
        .arg(&service.address)
        .env("CACAH_TEST_USER", handed.user.called())
        .env("CACAH_TEST_PASSWORD", &handed.password);
    ends_well(&mut browser, "accounts.mjs", "people sign in and see what is theirs");
}

#[test]
fn an_administrator_does_a_days_work() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("access.sqlite");
    let now = Utc::now();
    let user = |role, number: &str| {
        let access = Access::open(&database).unwrap();
        active(&access, &Request { role, ..asked_for("REGISTRY", None, number) }, now)
    };
    {
        let access = Access::open(&database).unwrap();
        let registry = Institution { valid_from: "2020-01-01".parse().unwrap(), ..institution("REGISTRY", None) };
        access.add_institution(&registry, "tests", "", now).unwrap();
    }
    let (administrator, reporter) = (user(Role::Administrator, "1"), user(Role::Reporter, "2"));
    let service = Server::start(program().arg("serve").arg("--releases").arg(releases()).arg("--database").arg(&database));
    let mut browser = Command::new(installed("CACAH_TEST_NODE"));
    browser
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/admin.mjs"))
        .arg(&service.address)
        .env("CACAH_TEST_USER", administrator)
        .env("CACAH_TEST_REPORTER", reporter)
        .env("CACAH_TEST_PASSWORD", PASSWORD);
    ends_well(&mut browser, "admin.mjs", "an administrator does a day's work");
}

#[test]
fn every_page_can_be_read_by_everybody() {
    sees("pages.mjs", "can be read by everybody");
}

#[test]
fn people_reach_what_they_came_for() {
    sees("stories.mjs", "people reach what they came for");
}

#[test]
fn what_is_chosen_is_shown_and_found_again() {
    sees("explorer.mjs", "what is chosen is shown and found again");
}
