//! A real browser reads the portal: every page for everybody, and the errands of those it was made for.
//!
//! The scripts in `tests/browser` drive Chromium through playwright-core and look at pages with axe. `tests/run` installs all three
//! and says by `CACAH_TEST_BROWSER` where the browser is. Pictures of pages are left in `tests/browser/screenshots`.

use crate::clients::succeeds_in;

/// Runs a script against the service; at its end it must say so much.
fn sees(script: &str, says: &str) {
    succeeds_in("tests/browser", "CACAH_TEST_NODE", script, says);
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
