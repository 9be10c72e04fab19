//! Saved queries, and how large an answer would be.

use serde_json::{Value, json};

use super::{
    client::{Reply, request},
    get, post, service,
    statistics::dataset,
};

/// Saves a query of the newest two periods.
fn save(more: &Value) -> Reply {
    let mut body = json!({
        "tableId": "people",
        "language": "en",
        "selection": {
            "selection": [
                {"variableCode": "Region", "valueCodes": ["1*"]},
                {"variableCode": "Age", "codelist": "agg_age_halves", "valueCodes": []},
                {"variableCode": "ContentsCode", "valueCodes": ["persons"]},
                {"variableCode": "Tid", "valueCodes": ["2024-S1", "2024-S2"]},
            ],
            "placement": {"heading": ["Tid"], "stub": ["Region", "Age", "ContentsCode"]},
        },
    });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    post("/savedqueries", &body.to_string())
}

#[test]
fn a_saved_query_is_answered_by_its_name_alone() {
    let saved = save(&json!({"outputFormat": "csv", "outputFormatParams": ["UseTexts"]}));
    assert_eq!(saved.status, 201, "{}", saved.text());
    let document: Value = serde_json::from_slice(&saved.body).unwrap();
    let name = document["id"].as_str().unwrap();
    assert_eq!(saved.header("location").unwrap(), format!("http://{}/api/v2/savedqueries/{name}", service().address));
    let link = |rel: &str| {
        let links = document["links"].as_array().unwrap();
        links.iter().find(|link| link["rel"] == rel).unwrap()["href"].as_str().unwrap().to_owned()
    };
    assert_eq!(link("data"), format!("http://{}/api/v2/savedqueries/{name}/data?lang=en", service().address));
    assert_eq!(get(&format!("/savedqueries/{name}?lang=en")).json()["savedQuery"], document["savedQuery"]);
    assert_eq!(document["savedQuery"]["tableId"], "people");
    let selection = get(&format!("/savedqueries/{name}/selection")).json();
    assert_eq!(selection["selection"][1], json!({"variableCode": "Age", "codelist": "agg_age_halves", "valueCodes": []}));
    assert_eq!(selection["placement"]["heading"], json!(["Tid"]));

    let csv = get(&format!("/savedqueries/{name}/data"));
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    let asked = "/tables/people/data?lang=en&valueCodes[Region]=1*&codelist[Age]=agg_age_halves&valueCodes[ContentsCode]=persons\
                 &valueCodes[Tid]=2024-S1,2024-S2&heading=Tid";
    assert_eq!(csv.text(), get(&format!("{asked}&outputFormat=csv&outputFormatParams=UseTexts")).text());
    // Who names another format gets it, without the options of the saved one.
    assert_eq!(
        get(&format!("/savedqueries/{name}/data?outputFormat=json-stat2")).text(),
        get(&format!("{asked}&outputFormat=json-stat2")).text()
    );
    let metadata = dataset(get(&format!("/tables/people/metadata?savedQuery={name}")).json());
    assert_eq!(metadata.codes_of("Tid"), ["2024-S1", "2024-S2"]);
}

#[test]
fn periods_stay_grow_or_roll() {
    let periods = |mode: &str| save(&json!({"timeMode": mode})).body;
    let values = |body: &[u8]| {
        let document: Value = serde_json::from_slice(body).unwrap();
        document["savedQuery"]["selection"]["selection"][3]["valueCodes"].clone()
    };
    assert_eq!(values(&periods("fixed")), json!(["2024-S1", "2024-S2"]));
    assert_eq!(values(&periods("growing")), json!(["from(2024-S1)"]));
    assert_eq!(values(&periods("rolling")), json!(["top(2)"]));
}

#[test]
fn what_cannot_be_answered_is_not_saved() {
    let refused = |more: &Value, status: u16, says: &str| {
        let reply = save(more);
        assert!(reply.status == status && reply.text().contains(says), "{} {}", reply.status, reply.text());
    };
    refused(&json!({"tableId": "nowhere"}), 404, "Non-existent table");
    refused(&json!({"tableId": null}), 400, "No query specified");
    refused(&json!({"outputFormat": "papyrus"}), 400, "Unsupported output format");
    refused(&json!({"language": "tlh"}), 400, "Unsupported language");
    refused(&json!({"timeMode": "backwards"}), 400, "Illegal request body");
    refused(&json!({"selection": {"selection": [{"variableCode": "Planet", "valueCodes": ["*"]}]}}), 400, "Non-existent variable");
    for name in ["x", "AAAA", "..%2F..%2Fetc"] {
        let reply = get(&format!("/savedqueries/{name}/data"));
        assert!(reply.status == 404 && reply.text().contains("Saved query not found"), "{}", reply.text());
    }
}

#[test]
fn an_estimate_is_what_the_download_has() {
    let all = "valueCodes[Region]=*&valueCodes[Sex]=*&valueCodes[Age]=*&valueCodes[ContentsCode]=persons&valueCodes[Tid]=*";
    for format in ["json-stat2", "csv", "px", "html"] {
        let estimate = get(&format!("/tables/people/estimate?{all}&outputFormat={format}")).json();
        let data = get(&format!("/tables/people/data?{all}&outputFormat={format}"));
        assert_eq!(estimate["bytes"], data.body.len(), "{format}");
        assert_eq!((&estimate["fits"], &estimate["outputFormat"]), (&json!(true), &json!(format)));
        if format == "json-stat2" {
            let data = dataset(data.json());
            let count = |mark: &str| data.document["status"].as_object().unwrap().values().filter(|status| *status == mark).count();
            assert_eq!(estimate["cells"], data.cells());
            assert_eq!(estimate["suppressedCells"], count("c"));
            assert_eq!(estimate["impossibleCells"], count("z"));
            assert_eq!(estimate["unavailableCells"], count("x"));
            assert!(count("c") > 10);
        }
    }
    // More than one answer may hold is counted all the same.
    let large = get("/tables/people/estimate?valueCodes[Region]=*&valueCodes[Sex]=*&valueCodes[Age]=*&valueCodes[ContentsCode]=*&valueCodes[Tid]=*,2024-S1").json();
    assert_eq!((&large["cells"], &large["fits"]), (&json!(8 * 3 * 8 * 10 * 3), &json!(true)));
    let body = r#"{"selection":[{"variableCode":"ContentsCode","valueCodes":["persons"]},{"variableCode":"Tid","valueCodes":["top(1)"]}]}"#;
    assert_eq!(post("/tables/people/estimate", body).json()["cells"], 1);
    assert_eq!(request(service().address, "GET", "/api/v2/tables/nowhere/estimate", &[], b"").status, 404);
}
