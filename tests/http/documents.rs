//! Everything that is not data: configuration, lists, metadata, code lists, the front page.

use serde_json::{Value, json};

use super::{client::request, get, service, statistics::dataset};

#[test]
fn config_is_what_clients_look_for() {
    let config = get("/config").json();
    assert!(config["apiVersion"].as_str().unwrap() >= "2.0.0");
    assert_eq!(config["maxDataCells"], 6000);
    assert_eq!((&config["maxCallsPerTimeWindow"], &config["timeWindow"]), (&json!(0), &json!(0)));
    assert_eq!(config["languages"], json!([{"id": "id", "label": "Bahasa Indonesia"}, {"id": "en", "label": "English"}]));
    assert_eq!((config["defaultLanguage"].as_str(), config["defaultDataFormat"].as_str()), (Some("id"), Some("json-stat2")));
    assert_eq!(config["dataFormats"], json!(["json-stat2", "csv", "xlsx", "px", "parquet", "arrow", "html"]));
    assert_eq!(config["sourceReferences"][1], json!({"language": "en", "text": "Toy office"}));
    assert_eq!(config["features"][0]["params"][0]["value"], "True");
}

fn ids(list: &Value) -> Vec<&str> {
    list["tables"].as_array().unwrap().iter().map(|table| table["id"].as_str().unwrap()).collect()
}

#[test]
fn tables_are_listed_and_found() {
    let check = |query: &str, expect: &[&str]| {
        let list = get(&format!("/tables?{query}")).json();
        assert_eq!(ids(&list), expect, "{query}");
        assert_eq!(list["page"]["totalElements"], expect.len(), "{query}");
    };
    check("", &["bands", "people", "sparse"]);
    check("includeDiscontinued=True", &["bands", "people", "sparse", "gone"]);
    check("includeDiscontinued=false&unknown=1", &["bands", "people", "sparse"]);
    check("query=SPARSE", &["sparse"]);
    check("query=penduduk+umur", &["bands", "people"]);
    check("query=people+sex", &["people", "sparse"]);
    check("query=wilay*", &["bands", "people", "sparse"]);
    check("query=unicorn", &[]);
    check("pastDays=1", &["bands", "people", "sparse"]);
}

#[test]
fn lists_come_in_pages() {
    let second = get("/tables?pageSize=2&pageNumber=2&includeDiscontinued=true&lang=en").json();
    assert_eq!(ids(&second), ["sparse", "gone"]);
    let page = &second["page"];
    assert_eq!(
        (&page["pageNumber"], &page["pageSize"], &page["totalElements"], &page["totalPages"]),
        (&json!(2), &json!(2), &json!(4), &json!(2))
    );
    let links: Vec<&str> = page["links"].as_array().unwrap().iter().map(|link| link["rel"].as_str().unwrap()).collect();
    assert_eq!(links, ["first", "previous"]);
    let previous = page["links"][1]["href"].as_str().unwrap();
    let path = previous.split_once("/api/v2").unwrap().1;
    assert_eq!(ids(&get(path).json()), ["bands", "people"]);
}

#[test]
fn a_table_describes_itself() {
    let table = get("/tables/PEOPLE?lang=en").json();
    let expect = json!({
        "language": "en", "type": "Table", "id": "people", "label": "People people", "description": "Table people & more",
        "sortCode": "people", "firstPeriod": "2023-S2", "lastPeriod": "2024-S2", "category": "public",
        "variableNames": ["region", "sex", "age", "contents", "period"], "discontinued": false, "source": "Toy office",
        "subjectCode": "kependudukan-umum", "timeUnit": "Other", "paths": [[{"id": "kependudukan-umum", "label": "Kependudukan Umum"}]],
    });
    for (key, value) in expect.as_object().unwrap() {
        assert_eq!(&table[key], value, "{key}");
    }
    assert!(table["updated"].as_str().unwrap().ends_with('Z'));
    let base = format!("http://{}/api/v2/tables/people", service().address);
    let links: Vec<(&str, &str)> =
        table["links"].as_array().unwrap().iter().map(|link| (link["rel"].as_str().unwrap(), link["href"].as_str().unwrap())).collect();
    assert_eq!(
        links,
        [
            ("self", format!("{base}?lang=en").as_str()),
            ("alternate", &format!("{base}?lang=id")),
            ("metadata", &format!("{base}/metadata?lang=en")),
            ("data", &format!("{base}/data?lang=en")),
        ]
    );
    let indonesian = get("/tables/people").json();
    assert_eq!(indonesian["variableNames"], json!(["wilayah", "jenis kelamin", "umur", "ukuran", "periode"]));
    let gone = get("/tables/gone").json();
    assert_eq!((&gone["discontinued"], &gone["lastPeriod"]), (&json!(true), &json!("2023-S2")));
}

#[test]
fn metadata_is_a_dataset_without_numbers() {
    let metadata = dataset(get("/tables/people/metadata?outputFormat=json-stat2&defaultSelection=False").json());
    assert_eq!(metadata.ids, ["Region", "Sex", "Age", "ContentsCode", "Tid"]);
    assert_eq!(metadata.sizes, [8, 3, 8, 10, 3]);
    assert_eq!(metadata.document["value"], json!([]));
    let dimension = |id: &str| &metadata.document["dimension"][id]["extension"];
    assert_eq!(dimension("Region")["eliminationValueCode"], "TOY");
    assert_eq!(dimension("Tid")["elimination"], false);
    assert_eq!(dimension("ContentsCode")["measuringType"]["persons"], "Stock");
    let lists = |id: &str| -> Vec<(String, String)> {
        let lists = dimension(id)["codelists"].as_array().unwrap();
        lists.iter().map(|list| (list["id"].as_str().unwrap().to_owned(), list["type"].as_str().unwrap().to_owned())).collect()
    };
    let pair = |id: &str, kind: &str| (id.to_owned(), kind.to_owned());
    assert_eq!(
        lists("Age"),
        [
            pair("vs_age_total", "Valueset"),
            pair("vs_age_band", "Valueset"),
            pair("vs_age_year", "Valueset"),
            pair("agg_age_care", "Aggregation"),
            pair("agg_age_halves", "Aggregation")
        ]
    );
    let address = dimension("Sex")["codelists"][1]["links"][0]["href"].as_str().unwrap();
    assert_eq!(get(address.split_once("/api/v2").unwrap().1).json()["id"], "vs_sex_sex");
    let px = &metadata.document["extension"]["px"];
    assert_eq!((px["tableid"].as_str(), px["matrix"].as_str(), &px["decimals"]), (Some("people"), Some("people"), &json!(2)));
    assert_eq!(px["stub"], json!(["Region", "Sex", "Age"]));
}

#[test]
fn only_code_lists_that_fit_are_offered() {
    let metadata = get("/tables/bands/metadata").json();
    let lists = metadata["dimension"]["Age"]["extension"]["codelists"].as_array().unwrap();
    let ids: Vec<&str> = lists.iter().map(|list| list["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["vs_age_total", "vs_age_band", "agg_age_halves"]);
}

#[test]
fn metadata_follows_code_lists_and_the_default_selection() {
    let listed = dataset(get("/tables/people/metadata?codelist[Age]=agg_age_care&codeList[Region]=vs_region_province").json());
    assert_eq!((listed.codes_of("Age"), listed.codes_of("Region")), (vec!["K", "S", "E"], vec!["11", "12"]));
    let default = dataset(get("/tables/people/metadata?defaultSelection=True").json());
    assert_eq!(default.codes_of("Tid"), ["2024-S2"]);
}

#[test]
fn the_default_selection_names_every_variable() {
    let default = get("/tables/people/defaultselection?lang=en").json();
    assert_eq!(default["language"], "en");
    assert_eq!(
        default["selection"],
        json!([
            {"variableCode": "Region", "codelist": null, "valueCodes": ["TOY", "11", "12"]},
            {"variableCode": "Sex", "codelist": null, "valueCodes": ["T", "L", "P"]},
            {"variableCode": "Age", "codelist": null, "valueCodes": ["T", "C", "A", "O"]},
            {"variableCode": "ContentsCode", "codelist": null, "valueCodes": ["persons"]},
            {"variableCode": "Tid", "codelist": null, "valueCodes": ["2024-S2"]},
        ])
    );
    assert_eq!(default["placement"], json!({"heading": ["ContentsCode", "Tid"], "stub": ["Region", "Sex", "Age"]}));
}

#[test]
fn code_lists_map_onto_nodes() {
    let list = get("/codelists/agg_age_care?lang=en").json();
    assert_eq!((list["type"].as_str(), list["label"].as_str(), list["language"].as_str()), (Some("Aggregation"), Some("Care"), Some("en")));
    assert_eq!(list["languages"], json!(["id", "en"]));
    assert_eq!((&list["elimination"], &list["eliminationValueCode"]), (&json!(true), &json!("T")));
    assert_eq!(list["values"][1], json!({"code": "S", "label": "School", "valueMap": ["Y1", "Y2"]}));
    let regencies = get("/codelists/VS_REGION_REGENCY").json();
    assert_eq!(regencies["type"], "Valueset");
    let codes: Vec<&str> = regencies["values"].as_array().unwrap().iter().map(|value| value["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["1101", "1102", "1103", "1201", "1202"]);
    let years = get("/codelists/vs_age_year").json();
    let codes: Vec<&str> = years["values"].as_array().unwrap().iter().map(|value| value["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["Y0", "Y1", "Y2", "Y3", "O"], "a short branch ends above the level");
}

#[test]
fn health_and_readiness() {
    let at = |path: &str| request(service().address, "GET", path, &[], b"");
    assert_eq!(at("/healthz").json(), json!({"status": "ok"}));
    assert_eq!(at("/readyz").json(), json!({"status": "ready", "releases": ["2023-S2/r1", "2024-S1/r2", "2024-S2/r1"]}));
}
