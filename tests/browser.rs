//! A real browser reads the portal: every page for everybody, and the errands of those it was made for.
//!
//! The scripts in `tests/browser` drive Chromium through playwright-core and look at pages with axe. `tests/run` installs all three
//! and says by `CACAH_TEST_BROWSER` where the browser is. Pictures of pages are left in `tests/browser/screenshots`.

use std::{path::PathBuf, sync::OnceLock};

use crate::clients::{published, succeeds_over};

/// A province and a city of another: more regions than a list can offer, so that people walk and search through them.
const REGIONS: [&str; 2] = ["34", "51.71"];

/// Runs a script against the service; at its end it must say so much.
fn sees(script: &str, says: &str) {
    static RELEASES: OnceLock<PathBuf> = OnceLock::new();
    let releases = RELEASES.get_or_init(|| published("browser", &REGIONS, "400000"));
    succeeds_over(releases, "tests/browser", "CACAH_TEST_NODE", script, says);
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
