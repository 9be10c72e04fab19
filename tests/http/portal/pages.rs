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
    let reply = page("/releases?lang=en");
    let text = said(&reply);
    assert!(text.contains("2024-S1/r2") && text.contains("are withheld") && text.contains("published numbers add up"), "{text}");
    assert!(text.contains("2024-S1/r2/audit.json") && text.contains("cacah attack"), "{text}");
    // Every revision, the newest first; why it was made says whoever made it, in a language that nobody has told.
    let place = |revision: &str| text.find(revision).unwrap();
    assert!(place("2024-S1/r2") < place("2024-S1/r1"), "{text}");
    assert!(text.contains("superseded by revision 2") && text.contains("first publication"), "{text}");
    assert!(reply.text().contains("<q lang=\"\" dir=\"auto\">counted the toys</q>"), "{}", reply.text());
    let calendar = page("/releases/calendar.ics?lang=en");
    assert_eq!(calendar.header("content-type"), Some("text/calendar; charset=utf-8"));
    assert_eq!(calendar.text().matches("BEGIN:VEVENT").count(), 4);
    assert!(calendar.text().contains("First half of 2025") && calendar.text().ends_with("END:VCALENDAR\r\n"));
}

/// The made-up country publishes within ten days, and has published all of it today.
#[test]
fn what_is_late_is_told() {
    for (address, says) in [
        ("/releases?lang=en", ["10 January 2024", "days later than planned", "10 July 2025", "not yet published", "overdue by"]),
        ("/releases", ["10 Januari 2024", "hari setelah rencana", "10 Juli 2025", "belum terbit", "terlambat"]),
    ] {
        let text = said(&page(address));
        for word in says {
            assert!(text.contains(word), "{word}: {text}");
        }
    }
}

#[test]
fn the_method_says_what_is_promised_and_what_is_not() {
    for (address, says) in [
        (
            "/method?lang=en",
            [
                "A count of 1 to 4 ",
                "3 and 18 in village 1, 28 and 17 in village 2",
                "anything from 0 to 21",
                "as low as 1 and as high as 4",
                "cacah attack",
                "whole per cents",
                "Several periods of the same register",
                "live in no counted household: where",
                "the method is public",
            ],
        ),
        (
            "/method",
            [
                "Angka 1 sampai 4 ",
                "3 dan 18 di desa 1, 28 dan 17 di desa 2",
                "dari 0 sampai 21",
                "serendah 1 dan mungkin setinggi 4",
                "cacah attack",
                "persen bulat",
                "Beberapa periode dari register yang sama",
                "tidak tinggal dalam keluarga yang dihitung: jika",
                "metodenya terbuka",
            ],
        ),
    ] {
        let reply = page(address);
        let text = said(&reply);
        for word in says {
            assert!(text.contains(word), "{word}: {text}");
        }
        // The first sentences lead to what is not covered.
        assert!(addresses(&reply, "href").contains(&"#limits".to_owned()) && reply.text().contains("id=\"limits\""), "{address}");
        assert!(!text.contains("rumah tangga"), "a household has two names: {text}");
    }
}

#[test]
fn only_the_page_of_an_entry_is_the_current_page() {
    for (path, expect) in [("/releases", "page"), ("/dashboards", "page"), ("/dashboards/everything", "true"), ("/method", "")] {
        let reply = page(path);
        let head = reply.text().split("<main").next().unwrap();
        let marked = head.split("aria-current=\"").nth(1).map_or("", |rest| rest.split('"').next().unwrap());
        assert_eq!(marked, expect, "{path}");
    }
}
