//! The interface described, for programs and for people.

use std::{collections::BTreeSet, sync::LazyLock};

use serde_json::Value;

use super::{
    client::{Reply, request},
    service,
};

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| ask("/api/openapi.json?lang=en").json());

fn ask(path: &str) -> Reply {
    request(service().address, "GET", path, &[], b"")
}

#[test]
fn every_operation_is_described() {
    let document = &*DOCUMENT;
    assert_eq!(document["openapi"], "3.1.0");
    let mut identifiers = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let place = format!("{method} {path}");
            assert!(!operation["summary"].as_str().unwrap().is_empty(), "{place}");
            assert!(identifiers.insert(operation["operationId"].as_str().unwrap()), "{place}");
            // What stands in braces is a parameter of the address, and the other way round.
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let told: Vec<&str> = parameters.iter().filter(|one| one["in"] == "path").filter_map(|one| one["name"].as_str()).collect();
            let named: Vec<&str> = path.split('{').skip(1).map(|rest| rest.split_once('}').unwrap().0).collect();
            assert_eq!(told, named, "{place}");
            for parameter in &parameters {
                assert!(parameter["description"].as_str().is_some_and(|text| text.len() > 3), "{place}: {parameter}");
            }
        }
    }
    assert!(identifiers.len() > 25);
}

#[test]
fn references_lead_somewhere() {
    fn walk(value: &Value, document: &Value) {
        match value {
            Value::Object(map) => {
                if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
                    let pointer = reference.strip_prefix('#').unwrap();
                    assert!(document.pointer(pointer).is_some(), "{reference}");
                }
                map.values().for_each(|value| walk(value, document));
            }
            Value::Array(list) => list.iter().for_each(|value| walk(value, document)),
            _ => {}
        }
    }
    walk(&DOCUMENT, &DOCUMENT);
}

#[test]
fn what_a_register_has_is_told() {
    let tables = &DOCUMENT["paths"]["/api/v2/tables/{id}/data"]["get"]["parameters"][0]["schema"]["enum"];
    let listed: Vec<Value> = ask("/api/v2/tables?lang=en&includeDiscontinued=true").json()["tables"]
        .as_array()
        .unwrap()
        .iter()
        .map(|table| table["id"].clone())
        .collect();
    assert_eq!(tables.as_array().unwrap(), &listed);
    let variables = &DOCUMENT["paths"]["/api/v2/tables/{id}/data"]["get"]["parameters"][2]["schema"]["properties"];
    assert!(variables.get("Tid").is_some() && variables.as_object().unwrap().len() > 3, "{variables}");
}

#[test]
fn every_example_on_the_page_works_in_both_languages() {
    for (language, says) in [("en", "Cells (PxWebApi v2)"), ("id", "Sel (PxWebApi v2)")] {
        let page = ask(&format!("/api?lang={language}"));
        assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
        let text = page.text();
        assert!(text.contains(says) && text.contains(&format!("<html lang=\"{language}\"")), "{language}");
        let mut tried = 0;
        for link in text.split("href=\"").skip(1).filter_map(|rest| rest.split_once('"')).map(|(link, _)| link.replace("&amp;", "&")) {
            let path = match link.split_once("//") {
                // The licence lies elsewhere.
                Some((_, rest)) if !rest.starts_with(&service().address.to_string()) => continue,
                Some((_, rest)) => rest[rest.find('/').unwrap()..].to_owned(),
                None if link.starts_with('/') => link,
                None => continue,
            };
            let reply = ask(&path);
            assert_eq!(reply.status, 200, "{path}: {}", String::from_utf8_lossy(&reply.body[..reply.body.len().min(300)]));
            tried += 1;
        }
        assert!(tried > 20, "{tried} links");
    }
}

#[test]
fn both_are_kept_by_those_who_have_them() {
    for path in ["/api", "/api/openapi.json"] {
        let tag = ask(path).header("etag").unwrap().to_owned();
        let again = request(service().address, "GET", path, &[("if-none-match", &tag)], b"");
        assert_eq!(again.status, 304, "{path}");
        let head = request(service().address, "HEAD", path, &[], b"");
        assert!(head.status == 200 && head.body.is_empty(), "{path}");
    }
}
