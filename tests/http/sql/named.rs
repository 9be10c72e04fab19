//! Named queries over HTTP, and headers that are wrong.

use cacah::{error::Error, register::FileSources, storage::Store};
use serde_json::{Value, json};

use super::{PEOPLE, asked, open, queries};
use crate::http::{
    client::{Reply, request},
    world::{PERIODS, World},
};

fn get(path: &str) -> Reply {
    request(asked().address, "GET", &format!("/api/v2{path}"), &[], b"")
}

fn rows(path: &str) -> Vec<Value> {
    get(path).json()["rows"].as_array().unwrap().clone()
}

#[test]
fn queries_are_listed_and_described_in_both_languages() {
    let listed = get("/queries?lang=en").json();
    let names: Vec<&str> = listed["queries"].as_array().unwrap().iter().map(|query| query["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["people", "sums"]);
    assert_eq!(listed["queries"][0]["title"], "People");
    let described = get("/queries/PEOPLE").json();
    assert_eq!((&described["title"], &described["notes"]), (&json!("Penduduk"), &json!(["Catatan"])));
    let parameter = |at: usize, key: &str| described["parameters"][at][key].clone();
    assert_eq!([parameter(0, "name"), parameter(0, "type"), parameter(0, "default")], [json!("region"), json!("code"), json!("11")]);
    assert_eq!([parameter(1, "levels"), parameter(1, "variable")], [json!(["total", "band"]), json!("Age")]);
    assert_eq!([parameter(2, "values"), parameter(3, "values")], [json!(["T", "L", "P"]), json!(PERIODS)]);
    assert_eq!([parameter(3, "default"), parameter(4, "from"), parameter(4, "to")], [json!("2024-S2"), json!(1.0), json!(100.0)]);
    assert_eq!(
        described["columns"][2],
        json!({"name": "people", "label": "Penduduk", "type": "integer", "unit": "orang", "status": "status"})
    );
}

#[test]
fn answers_say_what_is_true() {
    let world = &asked().world;
    for period in PERIODS {
        for age in ["T", "A", "O"] {
            for sex in ["T", "L", "P"] {
                let rows = rows(&format!("/queries/people/data?region=12&period={period}&age={age}&sex={sex}"));
                assert_eq!(rows.len(), 2);
                for row in rows {
                    let truth = world.truth(period, "people", &[("Region", row[0].as_str().unwrap()), ("Age", age), ("Sex", sex)]);
                    let said = match (row[2].as_u64(), row[3].as_str()) {
                        (Some(people), None) => Ok(people),
                        (None, Some(mark)) => Err(mark),
                        _ => panic!("{row}"),
                    };
                    assert_eq!(said, truth, "{period} {age} {sex} {row}");
                }
            }
        }
    }
    let answer = get("/queries/people/data?lang=en").json();
    assert_eq!(answer["parameters"], json!({"region": "11", "age": "T", "sex": "T", "period": "2024-S2", "top": "10", "above": "-1"}));
    assert_eq!(answer["releases"], json!(["2023-S2/r1", "2024-S1/r2", "2024-S2/r1"]));
    assert_eq!(answer["rows"][0][1], "Ash");
    assert_eq!(rows("/queries/people/data?top=1").len(), 1);
}

#[test]
fn a_sum_with_a_withheld_part_is_withheld() {
    let world = &asked().world;
    let (mut published, mut withheld) = (0, 0);
    for row in rows("/queries/sums/data") {
        let [period, region, sex] = [0, 1, 2].map(|at| row[at].as_str().unwrap());
        let parts = ["Y0", "Y1", "Y2", "Y3"].map(|age| world.truth(period, "people", &[("Region", region), ("Sex", sex), ("Age", age)]));
        let expected = if parts.contains(&Err("x")) {
            Err("x")
        } else if parts.contains(&Err("c")) {
            Err("c")
        } else if parts.iter().all(|part| *part == Err("z")) {
            Err("z")
        } else {
            Ok(parts.iter().flatten().sum::<u64>())
        };
        let said = row[3].as_u64().ok_or_else(|| row[4].as_str().unwrap());
        assert_eq!(said, expected, "{row}");
        published += u32::from(said.is_ok());
        withheld += u32::from(said == Err("c"));
    }
    assert!(published > 5 && withheld > 0, "{published} published and {withheld} withheld sums prove nothing");
}

#[test]
fn what_is_wrong_is_said_in_both_languages() {
    let check = |path: &str, status: u16, english: &[&str], indonesian: &[&str]| {
        for (lang, wanted) in [("en", english), ("id", indonesian)] {
            let mark = if path.contains('?') { '&' } else { '?' };
            let reply = get(&format!("{path}{mark}lang={lang}"));
            let problem = reply.problem();
            assert_eq!(reply.status, status, "{path}: {problem}");
            for text in wanted {
                assert!(problem["detail"].as_str().unwrap().contains(text), "{path}: '{text}' in {problem}");
            }
        }
    };
    check("/queries/nothing", 404, &["'nothing'", "people, sums"], &["tidak ada kueri"]);
    check("/queries/nothing/data", 404, &["'nothing'"], &["'nothing'"]);
    check("/queries/people/data?region=1101", 400, &["region is '1101'", "province", "11, 12"], &["parameter region berisi '1101'"]);
    check("/queries/people/data?age=Y1", 400, &["age is 'Y1'", "T, C, A, O"], &["seharusnya kode Age"]);
    check("/queries/people/data?sex=X", 400, &["one of T, L, P"], &["salah satu dari T, L, P"]);
    check("/queries/people/data?period=2020-S1", 400, &["2023-S2, 2024-S1, 2024-S2"], &["salah satu dari 2023-S2"]);
    check("/queries/people/data?top=0", 400, &["top is '0'", "from 1 to 100"], &["bilangan bulat dari 1 sampai 100"]);
    check("/queries/people/data?top=1.5", 400, &["a whole number"], &["bilangan bulat"]);
    check("/queries/people/data?above=NaN", 400, &["a number from -1 to 1000000"], &["bilangan dari -1"]);
    check("/queries/people/data?regoin=11", 400, &["no parameter 'regoin'", "region, age"], &["tidak memiliki parameter 'regoin'"]);
    check("/queries/people/data?sex=L&sex=P", 400, &["sex is given twice"], &["sex diberikan dua kali"]);
    check("/queries/people/data?outputFormat=xml", 400, &["json, csv, parquet, arrow"], &["salah satu dari json"]);
}

#[test]
fn parameters_are_values_and_never_text_of_the_statement() {
    for text in ["11' OR '1'='1", "11'; DROP TABLE people; --", "11\\' OR 1=1", "$1", "region_parent", "11/**/"] {
        let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let problem = get(&format!("/queries/people/data?region={encoded}&lang=en")).problem();
        assert_eq!(problem["title"], "Illegal parameter", "{text}: {problem}");
    }
}

#[test]
fn answers_can_be_kept() {
    let path = "/api/v2/queries/people/data?sex=P";
    let first = request(asked().address, "GET", path, &[], b"");
    let tag = first.header("etag").unwrap();
    let again = request(asked().address, "GET", path, &[("if-none-match", tag)], b"");
    assert_eq!((again.status, again.body.len()), (304, 0));
    for other in ["?sex=L", "?sex=P&lang=en", "?sex=P&outputFormat=csv", "?sex=P&period=2024-S1"] {
        assert_ne!(get(&format!("/queries/people/data{other}")).header("etag"), Some(tag), "{other}");
    }
    // The same question in other words is the same question.
    for same in ["?SEX=p&lang=id", "?sex=P&period=2024-S2&region=11"] {
        assert_eq!(get(&format!("/queries/people/data{same}")).header("etag"), Some(tag), "{same}");
    }
    let csv = get("/queries/people/data?outputFormat=csv");
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    assert!(csv.text().starts_with("region,name,people,status\n1101,"), "{}", csv.text());
}

#[test]
fn rows_are_drawn_as_bars_and_rankings() {
    let chart = |asked_for: &str| request(asked().address, "GET", &format!("/charts/{asked_for}&lang=en"), &[], b"");
    let bars = chart("bars.svg?query=people&region=12&period=2024-S1&age=A&sex=T");
    assert_eq!((bars.status, bars.header("content-type")), (200, Some("image/svg+xml")));
    let named: Vec<Value> = rows("/queries/people/data?region=12&period=2024-S1&age=A&sex=T&lang=en");
    assert_eq!(named.len(), 2);
    for row in named {
        let shown = |text: &str| assert!(bars.text().contains(&format!(">\n{text}\n<")), "{text} is not in {}", bars.text());
        shown(row[1].as_str().unwrap());
        if let Some(people) = row[2].as_u64() {
            shown(&people.to_string());
        }
    }
    assert!(bars.text().contains("A note") && bars.text().contains("/queries/people/data?region=12&amp;age=A"), "{}", bars.text());
    let tag = bars.header("etag").unwrap();
    let path = "/charts/bars.svg?query=people&region=12&period=2024-S1&age=A&sex=T&lang=en";
    assert_eq!(request(asked().address, "GET", path, &[("if-none-match", tag)], b"").status, 304);
    assert!(chart("ranking.pdf?query=people&region=11").body.starts_with(b"%PDF"));
    let refused = |asked_for: &str, status: u16, says: &str| {
        let reply = chart(asked_for);
        assert_eq!(reply.status, status, "{asked_for}");
        assert!(reply.problem()["detail"].as_str().unwrap().contains(says), "{asked_for}: {}", reply.text());
    };
    refused("bars.svg?query=nothing", 404, "there is no query 'nothing'");
    refused("map.svg?query=people", 400, "map needs a column with codes of regions; columns of numbers are: people");
    refused("bars.svg?query=people&columns=status", 400, "there is no column 'status' of numbers; there is people");
    refused("bars.svg?query=people&region=99", 400, "99");
}

/// What is said of a set of one query that is `people` with something in it replaced.
async fn fault(store: &Store, from: &str, to: &str) -> String {
    assert!(PEOPLE.contains(from), "{from}");
    match open(store, &queries(&[("people.sql", &PEOPLE.replacen(from, to, 1))])).await {
        Err(Error::Definition(error)) => error.to_string(),
        Err(other) => panic!("{from} -> {to}: {other}"),
        Ok(_) => panic!("{from} -> {to} is taken"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_a_file_are_named_with_their_line() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().to_str().unwrap()).unwrap();
    World::new().publish(&store).await;
    let faults = [
        ("--! title", "-- title", &["people.sql:1:", "expected a header"][..]),
        ("--! audience", "--! audeince", &["people.sql:3:", "audeince"]),
        ("title = { id = \"Penduduk\", en = \"People\" }", "title = { id = \"Penduduk\" }", &["people.sql:1:", "language 'en'"]),
        ("en = \"A note\"", "fr = \"Une note\"", &["people.sql:4:", "language 'en'"]),
        ("kind = \"region\"", "kind = \"place\"", &["people.sql:9:", "place"]),
        ("levels = [\"province\"]", "levels = [\"state\"]", &["people.sql:10:", "'state'", "country, province, regency"]),
        ("default = \"first\"", "default = \"99\"", &["people.sql:11:", "'99' is no default of region"]),
        ("dimension = \"age\"", "dimension = \"shoes\"", &["people.sql:16:", "one of age, region, sex"]),
        ("from = 1\n", "\n", &["people.sql:37:", "'from' and 'to'"]),
        ("values = [\"T\", \"L\", \"P\"]", "levels = [\"total\"]", &["has no 'levels'"]),
        ("name = \"sex\"", "name = \"age\"", &["'age' is there twice"]),
        ("name = \"sex\"", "name = \"lang\"", &["'lang' has a meaning of its own"]),
        ("name = \"sex\"", "name = \"chart\"", &["'chart' has a meaning of its own"]),
        ("AND sex = $sex", "AND sex = $gender", &["$gender"]),
        ("AND sex = $sex", "", &["never uses $sex"]),
        ("value AS people", "value AS persons", &["'persons' in the place of 'people'"]),
        ("value AS people, status", "value AS people, status, sex", &["nothing of column 'sex'"]),
        ("status = \"status\"", "status = \"mark\"", &["no column 'mark'"]),
        ("status = \"status\"", "codes = \"age\"", &["codes are texts", "integer"]),
        (
            "name = \"status\"\n",
            "name = \"status\"\n--! codes = \"shoes\"\n",
            &["'shoes' has no codes; expected period or one of age, region, sex"],
        ),
        ("FROM people", "FROM person", &["person"]),
        ("ORDER BY region", "ORDER BY", &["people.sql:"]),
        ("SELECT region,", "DELETE FROM people; SELECT region,", &["one statement"]),
        ("value AS people, status", "(SELECT sum(value) FROM people) AS people, status", &["sum passes over", "published_sum"]),
        ("value AS people, status", "avg(value) OVER () AS people, status", &["avg passes over"]),
    ];
    for (from, to, wanted) in faults {
        let said = fault(&store, from, to).await;
        for text in wanted {
            assert!(said.contains(text), "{from} -> {to}: '{text}' in {said}");
        }
    }
    let delete = PEOPLE[..PEOPLE.find("SELECT").unwrap()].to_owned() + "DELETE FROM people";
    let said = open(&store, &queries(&[("people.sql", &delete)])).await.unwrap_err().to_string();
    assert!(said.contains("people.sql:67") && said.contains("DELETE is not allowed"), "{said}");
    // What ships does not fit this register and is left out.
    assert!(open(&store, &FileSources::Shipped).await.unwrap().queries().is_empty());
}
