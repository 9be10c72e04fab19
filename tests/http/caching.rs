//! Tags, answers that are known already, other methods.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use super::{
    client::{Reply, parse, request},
    get, service,
};

const DATA: &str = "/api/v2/tables/people/data?valueCodes[Region]=11*&valueCodes[ContentsCode]=persons&valueCodes[Tid]=top(1)";

fn ask(method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
    request(service().address, method, path, headers, b"")
}

#[test]
fn what_is_known_is_not_sent_again() {
    for path in [DATA, "/api/v2/tables/people/metadata", "/api/v2/codelists/vs_sex_sex", "/api/v2/tables/people"] {
        let first = ask("GET", path, &[]);
        let tag = first.header("etag").unwrap_or_else(|| panic!("{path} has no tag"));
        assert!(tag.starts_with('"') && tag.ends_with('"'));
        assert_eq!(first.header("cache-control"), Some("public, max-age=60"));
        for known in [tag.to_owned(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            let again = ask("GET", path, &[("if-none-match", &known)]);
            assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, Some(tag)), "{path} {known}");
        }
        assert_eq!(ask("GET", path, &[("if-none-match", "\"other\"")]).body, first.body);
    }
}

#[test]
fn a_tag_stands_for_one_answer() {
    let tag = |more: &str| ask("GET", &format!("{DATA}{more}"), &[]).header("etag").unwrap().to_owned();
    let plain = tag("");
    for same in ["&unknown=1", "&lang=id", "&outputFormat=json-stat2", "&valueCodes[Sex]="] {
        assert_eq!(tag(same), plain, "{same}");
    }
    let others = [
        "&lang=en",
        "&outputFormat=csv",
        "&outputFormat=csv&outputFormatParams=UseTexts",
        "&heading=Region",
        "&valueCodes[Sex]=T",
        "&valueCodes[Region]=12",
    ];
    let mut tags: Vec<String> = others.iter().map(|other| tag(other)).collect();
    tags.push(plain);
    let count = tags.len();
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), count);
}

#[test]
fn head_is_get_without_a_body() {
    let (get, head) = (ask("GET", DATA, &[]), ask("HEAD", DATA, &[]));
    assert_eq!((head.status, head.body.len()), (200, 0));
    for name in ["etag", "content-type", "content-length", "cache-control", "content-disposition"] {
        assert_eq!(get.header(name), head.header(name), "{name}");
    }
    assert_eq!(ask("HEAD", "/api/v2/tables/nowhere", &[]).status, 404);
}

#[test]
fn browsers_of_any_origin_may_ask() {
    let check = |reply: &Reply| assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    check(&ask("GET", DATA, &[("origin", "https://example.org")]));
    check(&ask("GET", "/api/v2/tables/nowhere", &[]));
    let preflight = ask("OPTIONS", DATA, &[("origin", "https://example.org"), ("access-control-request-method", "POST")]);
    check(&preflight);
    assert_eq!((preflight.status, preflight.header("access-control-allow-methods")), (204, Some("GET, HEAD, POST")));
    assert!(preflight.header("access-control-allow-headers").unwrap().contains("content-type"));
}

#[test]
fn addresses_are_as_the_client_calls_us() {
    let metadata = request(service().address, "GET", "/api/v2/tables/people", &[], b"").json();
    assert!(metadata["links"][0]["href"].as_str().unwrap().starts_with(&format!("http://{}/", service().address)));
    // Two host lines make no sound host; nothing of it may be repeated.
    let mut stream = TcpStream::connect(service().address).unwrap();
    stream.write_all(b"GET /api/v2/tables/people HTTP/1.1\r\nhost: evil\"><x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(!parse(&answer).text().contains("evil"));
}

#[test]
fn the_index_is_written_in_order() {
    let text = get("/tables/people/data?valueCodes[Region]=*&valueCodes[ContentsCode]=persons&valueCodes[Tid]=*");
    let index = r#""index":{"TOY":0,"11":1,"1101":2,"1102":3,"1103":4,"12":5,"1201":6,"1202":7}"#;
    assert!(text.text().contains(index), "{}", text.text());
}
