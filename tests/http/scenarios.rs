//! Requests and what comes of them, from `scenarios.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{get, post, statistics::dataset};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenarios {
    scenario: Vec<Scenario>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    /// Address below `/api/v2`.
    path: String,
    /// Body of a POST; without one it is a GET.
    body: Option<String>,
    /// Codes that the answer must show, by variable.
    #[serde(default)]
    codes: BTreeMap<String, String>,
    /// What an error must say.
    error: Option<Expected>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    status: u16,
    title: String,
    /// Parts of the detail.
    says: Vec<String>,
}

#[test]
fn scenarios() {
    let Scenarios { scenario } = toml::from_str(include_str!("scenarios.toml")).unwrap();
    assert!(scenario.len() > 40);
    for Scenario { path, body, codes, error } in scenario {
        let ask = |path: &str| match &body {
            Some(body) => post(path, body),
            None => get(path),
        };
        let in_language = |id: &str| format!("{path}{}lang={id}", if path.contains('?') { '&' } else { '?' });
        let unsaid = !path.contains("lang=");
        let reply = ask(&if unsaid { in_language("en") } else { path.clone() });
        match error {
            Some(Expected { status, title, says }) => {
                let problem = reply.problem();
                assert_eq!((reply.status, problem["title"].as_str()), (status, Some(title.as_str())), "{path}: {problem}");
                let detail = problem["detail"].as_str().unwrap();
                for part in says {
                    assert!(detail.contains(&part), "{path}: '{detail}' does not say '{part}'");
                }
                let place = format!("/api/v2{}", path.split('?').next().unwrap());
                assert_eq!(problem["instance"], place.as_str());
                if unsaid {
                    // The register's first language is what those get who ask for none.
                    let [default, indonesian] = [ask(&path), ask(&in_language("id"))].map(|reply| reply.problem());
                    assert_eq!(default, indonesian);
                    assert_eq!((&default["title"], &default["status"]), (&problem["title"], &problem["status"]));
                    let said = default["detail"].as_str().unwrap();
                    assert!(!said.is_empty() && said != detail, "{path}: '{detail}' in both languages");
                }
            }
            None => {
                assert_eq!(reply.status, 200, "{path}: {}", reply.text());
                let data = dataset(reply.json());
                assert!(!codes.is_empty(), "{path} checks nothing");
                for (variable, expect) in codes {
                    assert_eq!(data.codes_of(&variable).join(" "), expect, "{path}: {variable}");
                }
            }
        }
    }
}
