//! Every page can be reached, is safe to be shown, and says what it must.

use std::collections::{BTreeSet, VecDeque};

use super::{addresses, page, portal, said};
use crate::http::client::request;

/// Everything that the front page leads to, directly or not.
#[test]
fn every_link_of_the_portal_leads_somewhere() {
    let mut waiting: VecDeque<(String, String)> =
        VecDeque::from([("/".to_owned(), String::new()), ("/?lang=en".to_owned(), String::new())]);
    let mut seen: BTreeSet<String> = waiting.iter().map(|(address, _)| address.clone()).collect();
    let (mut pages, mut files) = (0, 0);
    while let Some((address, from)) = waiting.pop_front() {
        let reply = page(&address);
        // Charts that a selection does not suit are not linked to, so that nothing may fail.
        assert_eq!(reply.status, 200, "{address}, to which {from} leads: {}", reply.text());
        let media = reply.header("content-type").unwrap().to_owned();
        let is_page = media.starts_with("text/html") && !address.starts_with("/api/v2");
        if !is_page {
            files += 1;
            continue;
        }
        pages += 1;
        let found = ["href", "src", "srcset", "data-next", "data-size"].into_iter().flat_map(|attribute| addresses(&reply, attribute));
        for link in found.chain(addresses(&reply, "action")) {
            let link = link.split('#').next().unwrap().to_owned();
            if link.starts_with("mailto:") || link.is_empty() || link == "https://example.org/licence" {
                continue;
            }
            let own = format!("http://{}", portal().address);
            let link = link.strip_prefix(&own).unwrap_or(&link).to_owned();
            assert!(link.starts_with('/') && !link.starts_with("//"), "{address} leads away, to {link}");
            // The explorer has more states than can be visited: a few of each kind are enough.
            let kind = link.split(['?', '=']).next().unwrap().to_owned();
            let visited = seen.iter().filter(|known| known.split(['?', '=']).next() == Some(kind.as_str())).count();
            if visited < 25 && seen.insert(link.clone()) {
                waiting.push_back((link, address.clone()));
            }
        }
    }
    assert!(pages > 80 && files > 80, "{pages} pages, {files} files");
}

#[test]
fn pages_are_safe_to_be_shown() {
    for path in
        ["/", "/tables", "/tables/people", "/regions/11", "/dashboards/everything", "/queries/people", "/method", "/api", "/nowhere"]
    {
        let reply = page(path);
        let policy = reply.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe") && !policy.contains("http"), "{path}: {policy}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(reply.header("x-frame-options"), Some("DENY"));
        let text = reply.text();
        assert!(!text.contains("style=\"") && !text.contains("onclick") && !text.contains("<script>"), "{path}");
    }
}

#[test]
fn what_a_reader_writes_is_text() {
    let evil = "%3Cscript%3Ealert(1)%3C/script%3E%22%3E";
    for path in [
        format!("/search?q={evil}"),
        format!("/tables?q={evil}"),
        format!("/tables/people?find[Region]={evil}&valueCodes[Age]={evil}&labels={evil}&view={evil}&sort={evil}"),
        format!("/tables/people?paste[Region]={evil}"),
        format!("/regions/{evil}"),
        format!("/compare?add={evil}"),
        format!("/dashboards/everything?region={evil}"),
        format!("/queries/people?region={evil}&age={evil}"),
        format!("/dashboards/{evil}"),
    ] {
        let reply = page(&path);
        assert!(reply.status < 500, "{path}: {}", reply.status);
        assert!(!reply.text().contains("<script>alert"), "{path}");
    }
}

#[test]
fn problems_are_pages_for_people_and_documents_for_programs() {
    let reply = page("/regions/99?lang=en");
    assert_eq!((reply.status, reply.header("content-type")), (404, Some("text/html; charset=utf-8")));
    assert!(said(&reply).contains("There is no region '99'"), "{}", said(&reply));
    let reply = request(portal().address, "GET", "/regions/99?lang=en", &[("accept", "application/json")], b"");
    assert_eq!((reply.status, reply.header("content-type")), (404, Some("application/problem+json")));
    // What programs ask for is answered as they expect, whoever asks.
    let reply = page("/api/v2/tables/nothing");
    assert_eq!((reply.status, reply.header("content-type")), (404, Some("application/problem+json")));
}

#[test]
fn pages_are_kept_and_renewed_by_tag() {
    let first = page("/tables/people");
    let tag = first.header("etag").unwrap().to_owned();
    let again = request(portal().address, "GET", "/tables/people", &[("accept", "text/html"), ("if-none-match", &tag)], b"");
    assert_eq!(again.status, 304);
    let other = page("/tables/people?lang=en");
    assert_ne!(other.header("etag"), Some(tag.as_str()));
}

#[test]
fn every_page_speaks_both_languages() {
    for (path, indonesian, english) in [
        ("/", "Cari wilayah", "Search for regions"),
        ("/tables", "Semua tabel", "All tables"),
        ("/tables/people", "Unduh", "Download"),
        ("/releases", "Kalender", "Calendar"),
        ("/method", "dirahasiakan", "withheld"),
        ("/dashboards/everything", "Catatan piramida", "A note on the pyramid"),
    ] {
        let (here, there) = (page(path), page(&format!("{path}?lang=en")));
        assert!(here.text().contains(indonesian) && here.text().contains("<html lang=\"id\">"), "{path}");
        assert!(there.text().contains(english) && there.text().contains("<html lang=\"en\">"), "{path}");
        // The switch leads to the same page.
        assert!(addresses(&here, "href").contains(&format!("{path}?lang=en")), "{path}");
    }
}

#[test]
fn words_lead_to_regions_categories_and_tables() {
    let found = |query: &str| {
        let reply = page(&format!("/search?lang=en&q={query}"));
        assert_eq!(reply.status, 200);
        addresses(&reply, "href")
    };
    assert!(found("ash").contains(&"/regions/1101?lang=en".to_owned()));
    assert!(found("1101").contains(&"/regions/1101?lang=en".to_owned()));
    // A category and a region together: a table in which both are chosen.
    let combined = found("old+north");
    let expect = "/tables/bands?valueCodes[Region]=11&valueCodes[Age]=O&lang=en";
    assert!(combined.iter().any(|link| link == expect), "{combined:?}");
    let with_parts = "/tables/people?valueCodes[Region]=11,children(11)&valueCodes[Age]=O&lang=en";
    assert!(combined.iter().any(|link| link == with_parts), "{combined:?}");
    assert!(found("bands").contains(&"/tables/bands?lang=en".to_owned()));
    assert!(said(&page("/search?lang=en&q=zzz")).contains("Nothing was found for 'zzz'"));
    let suggested = page("/search/suggest?lang=en&kind=region&q=bir").json();
    assert_eq!(suggested[0]["code"], "1102");
    assert_eq!(suggested[0]["label"], "Birch \"upper\"");
}

#[test]
fn a_region_has_a_profile_with_what_became_of_it() {
    let reply = page("/regions/11?lang=en");
    assert_eq!(reply.status, 200);
    let text = said(&reply);
    assert!(text.contains("North") && text.contains("Lost some of its parts"), "{text}");
    assert!(addresses(&reply, "href").contains(&"/regions/1101?lang=en".to_owned()));
    assert!(said(&page("/regions/1103?lang=en")).contains("New since"));
    assert!(said(&page("/regions/1102?lang=en")).contains("No longer there since"));
}

#[test]
fn regions_stand_side_by_side() {
    let reply = page("/compare?lang=en&region=11,12&add=Ash");
    let text = said(&reply);
    for name in ["North", "South", "Ash"] {
        assert!(text.contains(name), "{text}");
    }
    assert!(
        said(&page("/compare?lang=en&region=11,nothing")).contains("There is no region 'nothing'")
            || said(&page("/compare?lang=en&region=11,nothing")).contains("there is no region 'nothing'")
    );
    let six = page("/compare?lang=en&region=11,12,1101,1103,1201,1202");
    assert_eq!(six.text().split("<thead>").nth(1).unwrap().split("</thead>").next().unwrap().matches("<th ").count() - 1, 5);
}

#[test]
fn releases_tell_how_they_were_made() {
    let text = said(&page("/releases?lang=en"));
    assert!(text.contains("2024-S1/r2") && text.contains("are withheld") && text.contains("published numbers add up"), "{text}");
    let calendar = page("/releases/calendar.ics?lang=en");
    assert_eq!(calendar.header("content-type"), Some("text/calendar; charset=utf-8"));
    assert_eq!(calendar.text().matches("BEGIN:VEVENT").count(), 4);
    assert!(calendar.text().contains("First half of 2025") && calendar.text().ends_with("END:VCALENDAR\r\n"));
}
