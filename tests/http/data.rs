//! The cells of a table: every one of them, in every form.

use std::collections::HashMap;

use super::{
    client::Reply,
    get, post, service,
    statistics::{Dataset, dataset},
    world::{PERIODS, Truth},
};

const ALL: &str = "valueCodes[Region]=*&valueCodes[Sex]=*&valueCodes[Age]=*&valueCodes[ContentsCode]=persons&valueCodes[Tid]=*";

fn read(path: &str) -> Dataset {
    dataset(get(path).json())
}

/// Checks every cell of an answer, whose selections are nodes, against what is true.
fn check_truth(table: &str, data: &Dataset) -> HashMap<Truth, usize> {
    let mut seen: HashMap<Truth, usize> = HashMap::new();
    data.each(|codes, cell| {
        let axes: Vec<(&str, &str)> = codes.iter().copied().filter(|(id, _)| *id != "Tid" && *id != "ContentsCode").collect();
        let period = codes.iter().find(|(id, _)| *id == "Tid").unwrap().1;
        assert_eq!(cell, service().world.truth(period, table, &axes), "{table} {codes:?}");
        *seen.entry(cell.map(|_| 0)).or_default() += 1;
    });
    seen
}

#[test]
fn every_cell_of_every_table_over_all_periods_is_true() {
    let data = read(&format!("/tables/people/data?{ALL}"));
    assert_eq!(data.ids, ["Region", "Sex", "Age", "ContentsCode", "Tid"]);
    assert_eq!(data.codes_of("Region"), ["TOY", "11", "1101", "1102", "1103", "12", "1201", "1202"]);
    assert_eq!(data.codes_of("Tid"), PERIODS);
    let seen = check_truth("people", &data);
    for kind in [Ok(0), Err("c"), Err("z"), Err("x")] {
        assert!(seen.contains_key(&kind), "no cell is {kind:?}");
    }
    assert!(seen[&Ok(0)] > seen[&Err("c")], "most cells are withheld, so that little is tested: {seen:?}");

    let bands = read("/tables/bands/data?valuecodes[Region]=*&valuecodes[Age]=*&valuecodes[ContentsCode]=persons&valuecodes[Tid]=*");
    check_truth("bands", &bands);
    let sparse = read("/tables/sparse/data?valuecodes[Region]=*&valuecodes[Sex]=*&valuecodes[ContentsCode]=persons&valuecodes[Tid]=*");
    assert_eq!(check_truth("sparse", &sparse)[&Err("x")], sparse.cells() / 3);
    let gone = read("/tables/gone/data?valuecodes[Region]=*&valuecodes[Sex]=*&valuecodes[ContentsCode]=persons&valuecodes[Tid]=*");
    assert_eq!(gone.codes_of("Tid"), [PERIODS[0]]);
    check_truth("gone", &gone);
}

#[test]
fn a_correction_replaces_what_it_corrects() {
    let data = read(&format!("/tables/people/data?{ALL}"));
    let releases = data.document["extension"]["releases"].as_array().unwrap();
    let ids: Vec<&str> = releases.iter().map(|release| release["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["2023-S2/r1", "2024-S1/r2", "2024-S2/r1"]);
    assert!(releases.iter().all(|release| release["sha256"].as_str().is_some_and(|digest| digest.len() == 64)));
}

#[test]
fn what_is_left_out_is_summed_away_and_said() {
    let data = read("/tables/people/data?valueCodes[Region]=1101&valueCodes[ContentsCode]=persons&valueCodes[Tid]=2024-S2");
    assert_eq!(data.ids, ["Region", "ContentsCode", "Tid"]);
    check_truth("people", &data);
    let query = &data.document["extension"]["query"];
    assert_eq!(
        query["eliminated"],
        serde_json::json!([{"variableCode": "Sex", "valueCode": "T"}, {"variableCode": "Age", "valueCode": "T"}])
    );
    assert_eq!(query["selection"][0], serde_json::json!({"variableCode": "Region", "valueCodes": ["1101"]}));
}

#[test]
fn get_and_post_mean_the_same() {
    let body = r#"{"selection":[
        {"variableCode":"region","codelist":"vs_region_regency","valueCodes":["11*"]},
        {"variableCode":"AGE","codelist":"agg_age_care","valueCodes":["*"]},
        {"variableCode":"Sex","valueCodes":["from(L)"]},
        {"variableCode":"Tid","valueCodes":["range(2024-S1,2024-S2)"]},
        {"variableCode":"ContentsCode","valueCodes":["PERSONS"]}],
        "placement":{"heading":["Tid","Sex"],"stub":["Age","Region","ContentsCode"]}}"#;
    let posted = post("/tables/people/data?lang=en", body);
    let got = get(
        "/tables/people/data?lang=en&valueCodes[Region]=11*&codelist[Region]=VS_region_regency&valuecodes[Age]=*&codeList[Age]=agg_age_care\
         &valueCodes[Sex]=from(l)&valueCodes[Tid]=[range(2024-S1,2024-S2)]&valueCodes[ContentsCode]=persons\
         &heading=Tid,Sex&stub=Age,Region,ContentsCode",
    );
    assert_eq!(posted.header("etag"), got.header("etag"));
    assert_eq!(posted.body, got.body);
    let data = dataset(got.json());
    assert_eq!(data.ids, ["Age", "Region", "ContentsCode", "Tid", "Sex"]);
    assert_eq!(data.codes_of("Region"), ["1101", "1102", "1103"]);
    assert_eq!(data.document["extension"]["px"]["heading"], serde_json::json!(["Tid", "Sex"]));
}

#[test]
fn the_order_of_variables_changes_no_cell() {
    let plain = read(&format!("/tables/people/data?{ALL}"));
    let mut cells = HashMap::new();
    plain.each(|codes, cell| {
        let mut codes: Vec<(String, String)> = codes.iter().map(|(id, code)| ((*id).to_owned(), (*code).to_owned())).collect();
        codes.sort();
        cells.insert(codes, cell);
    });
    for (stub, heading) in
        [("Tid,Age,Region", "Sex,ContentsCode"), ("Age,Tid", "ContentsCode,Sex,Region"), ("ContentsCode,Sex,Tid,Region,Age", "")]
    {
        let turned = read(&format!("/tables/people/data?{ALL}&stub={stub}&heading={heading}"));
        let order: Vec<&str> = stub.split(',').chain(heading.split(',').filter(|id| !id.is_empty())).collect();
        assert_eq!(turned.ids, order);
        turned.each(|codes, cell| {
            let mut codes: Vec<(String, String)> = codes.iter().map(|(id, code)| ((*id).to_owned(), (*code).to_owned())).collect();
            codes.sort();
            assert_eq!(cells[&codes], cell, "{codes:?}");
        });
    }
}

#[test]
fn placing_one_side_leaves_the_rest_to_the_other() {
    let stub = read(&format!("/tables/people/data?{ALL}&stub=Tid"));
    assert_eq!(stub.ids, ["Tid", "Region", "Sex", "Age", "ContentsCode"]);
    let heading = read(&format!("/tables/people/data?{ALL}&heading=time,Region"));
    assert_eq!(heading.ids, ["Sex", "Age", "ContentsCode", "Tid", "Region"]);
}

/// A grouping may cut across the bands, as `S` does: it is withheld with any of its parts, unless, like `K`, it is a published
/// cell itself.
#[test]
fn derived_numbers_come_from_published_cells_alone() {
    let world = &service().world;
    let data = read(
        "/tables/people/data?valueCodes[Region]=*&valueCodes[Sex]=*&codelist[Age]=agg_age_care&valueCodes[ContentsCode]=persons\
         &valueCodes[Tid]=2024-S1,2024-S2",
    );
    assert_eq!(data.codes_of("Age"), ["K", "S", "E"]);
    let mut seen: HashMap<&str, usize> = HashMap::new();
    data.each(|codes, cell| {
        let of = |id: &str| codes.iter().find(|(known, _)| *known == id).unwrap().1;
        let node = |age: &str| world.truth(of("Tid"), "people", &[("Region", of("Region")), ("Sex", of("Sex")), ("Age", age)]);
        let sum = |ages: [&str; 2]| match ages.map(node) {
            [Err("z"), Err("z")] => Err("z"),
            [Ok(a), Ok(b)] => Ok(a + b),
            [Ok(a), Err("z")] | [Err("z"), Ok(a)] => Ok(a),
            _ => Err("c"),
        };
        // K has the same leaves as the node C, whose published number stands even where its parts are suppressed.
        let expect = match of("Age") {
            "K" => node("C"),
            "S" => sum(["Y1", "Y2"]),
            _ => sum(["A", "O"]),
        };
        assert_eq!(cell, expect, "{codes:?}");
        let parts_hidden = [node("Y0"), node("Y1")].contains(&Err("c"));
        match (of("Age"), cell) {
            ("K", Ok(_)) if parts_hidden => *seen.entry("published though its parts are suppressed").or_default() += 1,
            ("S", Err("c")) => *seen.entry("suppressed with a part").or_default() += 1,
            ("S", Ok(_)) => *seen.entry("summed").or_default() += 1,
            _ => {}
        }
    });
    for kind in ["published though its parts are suppressed", "suppressed with a part", "summed"] {
        assert!(seen.contains_key(kind), "no group was {kind}");
    }
}

#[test]
fn notes_say_whom_they_concern_and_whether_they_must_be_shown() {
    let path = "/tables/people/data?lang=en&valueCodes[Region]=1101,1201&valueCodes[Age]=Y0,O&valueCodes[ContentsCode]=persons&valueCodes[Tid]=2024-S2";
    let data = read(path).document;
    let notes: Vec<&str> = data["note"].as_array().unwrap().iter().map(|note| note.as_str().unwrap()).collect();
    let at = notes.iter().position(|note| *note == "Toys are no people").unwrap();
    assert_eq!(data["extension"]["noteMandatory"], serde_json::json!({ at.to_string(): true }));
    let age = &data["dimension"]["Age"];
    assert_eq!(age["note"], serde_json::json!(["Ages are guessed"]));
    assert_eq!(age["extension"]["noteMandatory"], serde_json::Value::Null);
    assert_eq!(age["category"]["note"], serde_json::json!({"O": ["Nobody asks"]}));
    assert_eq!(age["extension"]["categoryNoteMandatory"], serde_json::json!({"O": {"0": true}}));
    assert_eq!(data["dimension"]["Region"]["note"], serde_json::Value::Null);
    assert_eq!(data["extension"]["contact"][0]["mail"], "toys@example.org");
    // The last count is of the end of 2024, the next one of June 2025, published ten days later.
    assert_eq!(data["extension"]["px"]["nextUpdate"], "2025-07-10T00:00:00Z");
    let page = get(&format!("{path}&outputFormat=html"));
    for text in ["Toys are no people", "age: Ages are guessed", "age, Old: Nobody asks"] {
        assert!(page.text().contains(text), "{text} is not in {}", page.text());
    }
}

#[test]
fn groups_over_a_period_that_shows_less_are_not_available() {
    // The first count shows bands only: K is a band, S is not.
    let data = read("/tables/people/data?codelist[Age]=agg_age_care&valueCodes[ContentsCode]=persons&valueCodes[Tid]=2023-S2");
    let truth = |age: &str| service().world.truth("2023-S2", "people", &[("Age", age)]);
    assert_eq!(data.at(&[("Age", "K")]), truth("C"));
    assert_eq!(data.at(&[("Age", "S")]), Err("x"));
    assert_eq!(data.at(&[("Age", "E")]), Ok(truth("A").unwrap() + truth("O").unwrap()));
}

#[test]
fn two_aggregations_are_crossed() {
    let data = read(
        "/tables/people/data?codelist[Age]=agg_age_halves&valueCodes[Age]=OLD&codelist[Region]=vs_region_province&valueCodes[Sex]=P\
         &valueCodes[ContentsCode]=persons&valueCodes[Tid]=top(1)",
    );
    assert_eq!(data.codes_of("Region"), ["11", "12"]);
    for region in ["11", "12"] {
        let node = |age: &str| service().world.truth("2024-S2", "people", &[("Region", region), ("Sex", "P"), ("Age", age)]);
        assert_eq!(data.at(&[("Region", region)]), Ok(node("A").unwrap() + node("O").unwrap()));
    }
    assert_eq!(data.document["dimension"]["Age"]["extension"]["codelist"], "agg_age_halves");
    assert_eq!(data.document["extension"]["query"]["selection"][2]["codelist"], "agg_age_halves");
}

#[test]
fn hierarchies_follow_the_selection() {
    let all = read(&format!("/tables/people/data?{ALL}"));
    let child = |data: &Dataset, id: &str| data.document["dimension"][id]["category"]["child"].clone();
    assert_eq!(child(&all, "Region"), serde_json::json!({"TOY": ["11", "12"], "11": ["1101", "1102", "1103"], "12": ["1201", "1202"]}));
    assert_eq!(child(&all, "Age"), serde_json::json!({"T": ["C", "A", "O"], "C": ["Y0", "Y1"], "A": ["Y2", "Y3"]}));
    let some = read("/tables/people/data?valueCodes[Region]=TOY,1101,12,1202&valueCodes[ContentsCode]=persons&valueCodes[Tid]=*");
    assert_eq!(child(&some, "Region"), serde_json::json!({"TOY": ["1101", "12"], "12": ["1202"]}));
    let flat = read("/tables/people/data?valueCodes[Region]=1101,1202&valueCodes[ContentsCode]=persons&valueCodes[Tid]=*");
    assert!(child(&flat, "Region").is_null());
}

#[test]
fn labels_and_notes() {
    let path = "/tables/people/data?valueCodes[Region]=1102,1202&valueCodes[Sex]=L&valueCodes[Age]=O&valueCodes[ContentsCode]=persons&valueCodes[Tid]=2024-S2";
    let (id, en) = (read(path), read(&format!("{path}&lang=EN")));
    assert_eq!((id.document["label"].as_str(), en.document["label"].as_str()), (Some("Penduduk people"), Some("People people")));
    assert_eq!(
        en.document["dimension"]["Region"]["category"]["label"],
        serde_json::json!({"1102": "Birch \"upper\"", "1202": "Elm, lower"})
    );
    assert_eq!(en.document["dimension"]["Sex"]["label"], "sex");
    let notes = en.document["note"].to_string();
    assert!(notes.contains("z = ") && !notes.contains("c = ") && !notes.contains("not for publication"), "{notes}");
    let notes = id.document["note"].to_string();
    assert!(notes.contains("z = tidak mungkin ada"), "{notes}");
    let words = |document: &serde_json::Value| {
        let dimension = |code: &str| document["dimension"][code].clone();
        let (contents, time) = (dimension("ContentsCode"), dimension("Tid"));
        [&contents["label"], &contents["extension"]["refperiod"]["persons"], &time["label"], &time["category"]["label"]["2024-S2"]]
            .map(|text| text.as_str().unwrap().to_owned())
    };
    assert_eq!(words(&id.document), ["ukuran", "hari terakhir periode", "periode", "Semester II 2024"]);
    assert_eq!(words(&en.document), ["contents", "the last day of the period", "period", "Second half of 2024"]);
    let geo = &en.document["dimension"]["Region"]["extension"];
    assert_eq!((geo["vintage"].as_str(), geo["show"].as_str()), (Some("regions"), Some("code_value")));
    assert_eq!(en.document["dimension"]["Tid"]["extension"]["referenceDates"], serde_json::json!({"2024-S2": "2024-12-31"}));
    assert_eq!(en.document["extension"]["frequency"], "S");
}

fn csv(path: &str) -> Reply {
    let reply = get(path);
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/csv; charset=utf-8")), "{}", reply.text());
    reply
}

#[test]
fn csv_has_the_same_cells() {
    let reply = csv(&format!("/tables/people/data?{ALL}&outputFormat=csv"));
    assert_eq!(reply.header("content-disposition"), Some("inline; filename=\"people.csv\""));
    let data = read(&format!("/tables/people/data?{ALL}"));
    let mut reader = csv::Reader::from_reader(&reply.body[..]);
    assert_eq!(reader.headers().unwrap(), vec!["Region", "Sex", "Age", "ContentsCode", "Tid", "value", "status"]);
    let mut lines = reader.records();
    data.each(|codes, cell| {
        let line = lines.next().unwrap().unwrap();
        let mut expect: Vec<String> = codes.iter().map(|(_, code)| (*code).to_owned()).collect();
        expect.push(cell.map(|number| number.to_string()).unwrap_or_default());
        expect.push(cell.err().unwrap_or_default().to_owned());
        assert_eq!(line, expect);
    });
    assert!(lines.next().is_none());
}

#[test]
fn csv_options() {
    let path = "/tables/people/data?lang=en&valueCodes[Region]=1102,1202&valueCodes[ContentsCode]=persons&valueCodes[Tid]=2024-S1&outputFormat=CSV";
    let cell = service().world.truth("2024-S1", "people", &[("Region", "1102")]).unwrap();
    let check =
        |options: &str, expect: String| assert_eq!(csv(&format!("{path}&outputFormatParams={options}")).text(), expect, "{options}");
    check("", format!("Region,ContentsCode,Tid,value,status\n1102,persons,2024-S1,{cell},\n1202,persons,2024-S1,,z\n"));
    check(
        "UseTexts",
        format!(
            "region,contents,period,value,status\n\"Birch \"\"upper\"\"\",People,First half of 2024,{cell},\n\"Elm, lower\",People,First half of 2024,,z\n"
        ),
    );
    check(
        "usecodesandtexts,SeparatorSemicolon",
        format!(
            "Region;Region_label;ContentsCode;ContentsCode_label;Tid;Tid_label;value;status\n\
             1102;\"Birch \"\"upper\"\"\";persons;People;2024-S1;First half of 2024;{cell};\n1202;Elm, lower;persons;People;2024-S1;First half of 2024;;z\n"
        ),
    );
    check(
        "IncludeTitle,SeparatorTab",
        format!("People people\nRegion\tContentsCode\tTid\tvalue\tstatus\n1102\tpersons\t2024-S1\t{cell}\t\n1202\tpersons\t2024-S1\t\tz\n"),
    );
    let indonesian = csv(&format!("{path}&lang=id&outputFormatParams=UseTexts"));
    assert!(indonesian.text().starts_with("wilayah,ukuran,periode,nilai,keterangan\n"), "{}", indonesian.text());
    assert!(indonesian.text().contains(",Penduduk,Semester I 2024,"), "{}", indonesian.text());
    let codes = csv(&format!("{path}&lang=id"));
    assert_eq!(codes.body, csv(path).body, "codes are the same in every language");
    check("SeparatorSpace", format!("Region ContentsCode Tid value status\n1102 persons 2024-S1 {cell} \n1202 persons 2024-S1  z\n"));
}

#[test]
fn nothing_selected_shows_the_default_selection() {
    let default = get("/tables/people/defaultselection").json();
    let body = serde_json::json!({"selection": default["selection"], "placement": default["placement"]}).to_string();
    let shown = get("/tables/people/data");
    assert_eq!(shown.body, post("/tables/people/data", &body).body);
    for empty in ["", "{}", r#"{"selection":[]}"#, r#"{"selection":null,"placement":null}"#] {
        assert_eq!(shown.body, post("/tables/people/data", empty).body, "{empty}");
    }
    let data = dataset(shown.json());
    assert_eq!(data.codes_of("Tid"), ["2024-S2"]);
    assert_eq!(data.codes_of("Region"), ["TOY", "11", "12"]);
    assert!(data.cells() <= 100);
    check_truth("people", &data);
}
