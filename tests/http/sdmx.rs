//! SDMX: every cell, keys, periods, references, availability, problems.

use std::collections::{BTreeSet, HashMap};

use super::{
    client::{Reply, request},
    service,
    world::{PERIODS, Truth},
};

fn ask(path: &str, headers: &[(&str, &str)]) -> Reply {
    request(service().address, "GET", &format!("/sdmx/2.1{path}"), headers, b"")
}

fn answered(path: &str) -> String {
    let reply = ask(path, &[]);
    assert_eq!(reply.status, 200, "{path}: {}", reply.text());
    reply.text().to_owned()
}

/// The lines of an answer in CSV, each a mapping from columns to fields.
fn rows(path: &str) -> Vec<HashMap<String, String>> {
    let text = answered(&format!("{path}{}format=csv", if path.contains('?') { '&' } else { '?' }));
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(|row| row.unwrap()).collect()
}

/// The different fields of a column.
fn column(path: &str, name: &str) -> BTreeSet<String> {
    rows(path).iter().map(|row| row[name].clone()).collect()
}

fn set(items: &[&str]) -> BTreeSet<String> {
    items.iter().map(|&item| item.to_owned()).collect()
}

/// Every `id` that elements of a name have.
fn ids(document: &str, element: &str) -> BTreeSet<String> {
    let open = format!("<{element} id=\"");
    document.split(&open).skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect()
}

/// An answer that must be refused, with a status and a code of the standard, in both languages.
fn refused(path: &str, status: u16, code: u16, says: &str) {
    let reply = ask(path, &[]);
    assert_eq!((reply.status, reply.header("content-type")), (status, Some("application/xml; charset=utf-8")), "{path}");
    let text = reply.text();
    assert!(text.contains(&format!("<mes:ErrorMessage code=\"{code}\"><com:Text xml:lang=\"id\">")), "{path}: {text}");
    let (_, english) = text.split_once("<com:Text xml:lang=\"en\">").unwrap_or_else(|| panic!("{path}: {text}"));
    assert!(english.contains(says), "{path}: {english}");
}

#[test]
fn every_cell_of_every_table_is_true() {
    let mut seen: HashMap<Truth, usize> = HashMap::new();
    for (flow, axes) in [("PEOPLE", &["Region", "Sex", "Age"][..]), ("BANDS", &["Region", "Age"]), ("SPARSE", &["Region", "Sex"])] {
        let rows = rows(&format!("/data/{flow}/S{}persons", ".".repeat(axes.len() + 1)));
        let keys: BTreeSet<Vec<&str>> = rows
            .iter()
            .map(|row| {
                [row["TIME_PERIOD"].as_str()].into_iter().chain(axes.iter().map(|axis| row[&axis.to_uppercase()].as_str())).collect()
            })
            .collect();
        assert_eq!(keys.len(), rows.len(), "{flow}: some cell stands there twice");
        for row in &rows {
            let codes: Vec<(&str, &str)> = axes.iter().map(|axis| (*axis, row[&axis.to_uppercase()].as_str())).collect();
            let cell: Truth = match (row["OBS_STATUS"].as_str(), row["CONF_STATUS"].as_str()) {
                ("A", "F") => Ok(row["OBS_VALUE"].parse().unwrap()),
                ("Q", "C") => Err("c"),
                ("M", "F") => Err("z"),
                ("O", "F") => Err("x"),
                other => panic!("{row:?} has the flags {other:?}"),
            };
            assert!(cell.is_ok() || row["OBS_VALUE"].is_empty(), "{row:?}");
            let period = PERIODS.into_iter().find(|period| *period == row["TIME_PERIOD"]).unwrap();
            assert_eq!(cell, service().world.truth(period, &flow.to_lowercase(), &codes), "{row:?}");
            assert_eq!(
                [&row["DATAFLOW"], &row["FREQ"], &row["CONTENTS"], &row["UNIT_MEASURE"], &row["DECIMALS"]],
                [&format!("TOY:{flow}(1.0)"), "S", "persons", "PEOPLE", "0"]
            );
            *seen.entry(cell.map(|_| 0)).or_default() += 1;
        }
    }
    assert_eq!(seen.len(), 4, "{seen:?}");
}

#[test]
fn keys_choose_codes() {
    let keyed = |key: &str, name: &str| column(&format!("/data/PEOPLE/{key}"), name);
    assert_eq!(keyed("S.1101+12.T.C.persons", "REGION"), set(&["1101", "12"]));
    assert_eq!(keyed("S.1101+12.T.C.persons", "SEX"), set(&["T"]));
    assert_eq!(keyed("..L+P..", "SEX"), set(&["L", "P"]));
    assert_eq!(keyed("..l..", "SEX"), set(&["L"]));
    assert_eq!(keyed("H+A.TOY.T.T.", "FREQ"), set(&["S"]));
    let everything = rows("/data/PEOPLE");
    for same in ["/data/PEOPLE/all", "/data/people/....", "/data/ANYONE,PEOPLE,latest/all/TOY"] {
        assert_eq!(rows(same), everything, "{same}");
    }
    let counts: Vec<_> = everything.into_iter().filter(|row| row["CONTENTS"] == "persons").collect();
    assert_eq!(rows("/data/TOY,PEOPLE,1.0/S....persons/all"), counts);
}

#[test]
fn keys_that_choose_nothing() {
    refused("/data/NOBODY", 404, 100, "there is no dataflow 'NOBODY'; there is ");
    refused("/data/TOY,PEOPLE,2.0", 404, 100, "there is no dataflow");
    refused("/data/a,b,c,d", 400, 140, "is no reference to a dataflow");
    refused("/data/PEOPLE/S.11", 400, 140, "has 2 parts and the keys of PEOPLE have 5: FREQ.REGION.SEX.AGE.CONTENTS");
    refused("/data/PEOPLE/S.99...", 404, 100, "Region has no code '99'; there is TOY, 11");
    refused("/data/PEOPLE/S.11+...", 400, 140, "'' is no code of REGION");
    refused("/data/PEOPLE/S.1*...", 400, 140, "'1*' is no code of REGION");
    refused("/data/PEOPLE/S.1$2A...", 400, 140, "'1$2A' is no code of REGION");
    refused("/data/PEOPLE/A....", 404, 100, "FREQ has no code 'A'; there is S");
    refused("/data/BANDS/..Y0.", 404, 100, "Age has no code 'Y0' in this table");
}

#[test]
fn periods_are_chosen_by_their_last_day() {
    let periods = |query: &str| column(&format!("/data/PEOPLE/.TOY.T.T.?{query}"), "TIME_PERIOD");
    let [first, second, third] = PERIODS;
    assert_eq!(periods(""), set(&PERIODS));
    assert_eq!(periods("startPeriod=2024"), set(&[second, third]));
    assert_eq!(periods("startPeriod=2024-03&endPeriod=2024-Q3"), set(&[second]));
    assert_eq!(periods("endPeriod=2024-S1"), set(&[first, second]));
    assert_eq!(periods("startPeriod=2023-12-31&endPeriod=2023-12-31"), set(&[first]));
    assert_eq!(periods("firstNObservations=1"), set(&[first]));
    assert_eq!(periods("lastNObservations=2"), set(&[second, third]));
    assert_eq!(periods("firstNObservations=1&lastNObservations=1"), set(&[first, third]));
    assert_eq!(periods("startPeriod=2024&firstNObservations=1"), set(&[second]));
    assert_eq!(periods("updatedAfter=2000-01-01T00:00:00%2B07:00"), set(&PERIODS));
    refused("/data/PEOPLE?updatedAfter=2999-01-01", 404, 100, "no period of PEOPLE fits");
    refused("/data/PEOPLE?startPeriod=2025", 404, 100, "there is 2023-S2, 2024-S1, 2024-S2");
    refused("/data/PEOPLE?startPeriod=soon", 400, 140, "startPeriod is 'soon'");
    refused("/data/PEOPLE?lastNObservations=0", 400, 140, "lastNObservations is '0'");
    refused("/data/PEOPLE?updatedAfter=now", 400, 140, "updatedAfter is 'now'");
}

#[test]
fn what_is_withheld_has_no_value_in_any_form() {
    let withheld = rows("/data/PEOPLE/S....persons").into_iter().find(|row| row["OBS_STATUS"] == "Q").unwrap();
    let key = format!("S.{}.{}.{}.persons", withheld["REGION"], withheld["SEX"], withheld["AGE"]);
    let path = format!("/data/PEOPLE/{key}?startPeriod={0}&endPeriod={0}", withheld["TIME_PERIOD"]);
    let of = |format: &str, by: &str| answered(&format!("{path}&format={format}&dimensionAtObservation={by}"));
    let generic = of("genericdata", "TIME_PERIOD");
    assert!(generic.contains("<gen:Value id=\"OBS_STATUS\" value=\"Q\"/><gen:Value id=\"CONF_STATUS\" value=\"C\"/>"), "{generic}");
    assert!(!generic.contains("ObsValue"), "{generic}");
    assert!(!of("genericdata", "AllDimensions").contains("ObsValue"));
    for by in ["TIME_PERIOD", "AllDimensions"] {
        let specific = of("structurespecificdata", by);
        assert!(specific.contains("OBS_STATUS=\"Q\" CONF_STATUS=\"C\"") && !specific.contains("OBS_VALUE"), "{specific}");
    }
    assert!(of("csv2", "").contains(",,Q,C,PEOPLE,0\n"));
}

#[test]
fn details_leave_parts_out() {
    let detail = |detail: &str, format: &str| answered(&format!("/data/PEOPLE/.TOY.T.T.persons?detail={detail}&format={format}"));
    let full = detail("full", "genericdata");
    assert!(full.contains("<gen:ObsValue") && full.contains("OBS_STATUS") && full.contains("UNIT_MEASURE"));
    let only = detail("dataonly", "genericdata");
    assert!(only.contains("<gen:ObsValue") && !only.contains("gen:Attributes"), "{only}");
    let keys = detail("serieskeysonly", "genericdata");
    assert!(keys.contains("<gen:SeriesKey>") && !keys.contains("gen:Obs>") && !keys.contains("gen:Attributes"), "{keys}");
    let nodata = detail("nodata", "structurespecificdata");
    assert!(nodata.contains("UNIT_MEASURE=\"PEOPLE\"") && !nodata.contains("<Obs"), "{nodata}");
    assert_eq!(detail("serieskeysonly", "csv"), "DATAFLOW,FREQ,REGION,SEX,AGE,CONTENTS\nTOY:PEOPLE(1.0),S,TOY,T,T,persons\n");
    let labels = answered("/data/PEOPLE/.TOY.T.T.persons?format=csv2&labels=both&lang=en&startPeriod=2024-S2");
    assert!(labels.starts_with("STRUCTURE,STRUCTURE_ID,ACTION,FREQ: frequency,REGION: region,SEX: sex,AGE: age,"), "{labels}");
    assert!(labels.contains("\ndataflow,TOY:PEOPLE(1.0): People people,I,S: half-yearly,TOY: Toyland,T: Total,"), "{labels}");
    refused("/data/PEOPLE?detail=some", 400, 140, "detail is 'some'; expected one of full, dataonly, serieskeysonly, nodata");
    refused("/data/PEOPLE?dimensionAtObservation=SEX", 400, 140, "dimensionAtObservation is 'SEX'");
    refused("/data/PEOPLE?includeHistory=true", 501, 501, "earlier revisions are not offered");
}

#[test]
fn structures_name_what_the_tables_have() {
    let document = answered("/dataflow/TOY/PEOPLE/1.0?references=all");
    assert_eq!(ids(&document, "str:Dataflow"), set(&["PEOPLE"]));
    assert_eq!(ids(&document, "str:DataStructure"), set(&["DSD_PEOPLE"]));
    assert_eq!(ids(&document, "str:Dimension"), set(&["FREQ", "REGION", "SEX", "AGE", "CONTENTS"]));
    assert_eq!(ids(&document, "str:Attribute"), set(&["OBS_STATUS", "CONF_STATUS", "UNIT_MEASURE", "DECIMALS"]));
    let lists = ["CL_FREQ", "CL_REGION", "CL_SEX", "CL_AGE", "CL_CONTENTS_PEOPLE", "CL_OBS_STATUS", "CL_CONF_STATUS", "CL_UNIT_MEASURE"];
    assert_eq!(ids(&document, "str:Codelist"), set(&lists));
    assert_eq!(ids(&document, "str:Category"), set(&["KEPENDUDUKAN_UMUM", "UMUR", "LAMA"]));
    assert!(document.contains("<str:Code id=\"1102\"><com:Name xml:lang=\"id\">Birch &quot;upper&quot;</com:Name>"), "{document}");
    assert!(document.contains("<str:Code id=\"1101\"><com:Name xml:lang=\"id\">Ash</com:Name><com:Name xml:lang=\"en\">Ash</com:Name><str:Parent><Ref id=\"11\"/></str:Parent></str:Code>"));
    assert!(document.contains("Table people &amp; more"));
}

#[test]
fn references_lead_up_and_down() {
    let kinds = |path: &str| -> BTreeSet<String> {
        let document = answered(path);
        let kinds = [
            "AgencyScheme",
            "Dataflow",
            "CategoryScheme",
            "Categorisation",
            "Codelist",
            "ConceptScheme",
            "DataStructure",
            "ContentConstraint",
        ];
        kinds.into_iter().filter(|kind| document.contains(&format!("<str:{kind} "))).map(str::to_owned).collect()
    };
    let flow = |references: &str| kinds(&format!("/dataflow/all/PEOPLE/latest?references={references}"));
    assert_eq!(flow("none"), set(&["Dataflow"]));
    assert_eq!(flow("children"), set(&["Dataflow", "DataStructure"]));
    assert_eq!(flow("descendants"), set(&["Dataflow", "DataStructure", "ConceptScheme", "Codelist"]));
    assert_eq!(flow("parents"), set(&["Dataflow", "Categorisation", "ContentConstraint"]));
    assert_eq!(flow("parentsandsiblings"), set(&["Dataflow", "Categorisation", "ContentConstraint", "CategoryScheme"]));
    assert_eq!(flow("codelist"), set(&["Dataflow", "Codelist"]));
    assert_eq!(kinds("/codelist/TOY/CL_SEX?references=parents"), set(&["Codelist", "DataStructure"]));
    assert_eq!(kinds("/categoryscheme?references=parentsandsiblings"), set(&["CategoryScheme", "Categorisation", "Dataflow"]));
    assert_eq!(kinds("/structure/all/CL_SEX+PEOPLE"), set(&["Codelist", "Dataflow"]));
    assert_eq!(kinds("/agencyscheme"), set(&["AgencyScheme"]));
    assert_eq!(ids(&answered("/dataflow"), "str:Dataflow"), set(&["PEOPLE", "BANDS", "SPARSE", "GONE"]));
    refused("/dataflow?references=friends", 400, 140, "references is 'friends'");
}

#[test]
fn stubs_and_partial_lists() {
    let stubs = answered("/dataflow/all/PEOPLE/latest?references=children&detail=referencestubs");
    let address = format!("http://{}/sdmx/2.1/datastructure/TOY/DSD_PEOPLE/1.0", service().address);
    assert!(stubs.contains(&format!("isExternalReference=\"true\" structureURL=\"{address}\"")), "{stubs}");
    assert!(stubs.contains("<str:Structure>") && !stubs.contains("DimensionList"), "{stubs}");
    assert!(!answered("/dataflow?detail=allstubs").contains("com:Description"));
    assert!(answered("/dataflow?detail=allcompletestubs").contains("com:Description"));
    let codes =
        |flow: &str| ids(&answered(&format!("/dataflow/all/{flow}/latest?references=descendants&detail=referencepartial")), "str:Code");
    assert!(codes("PEOPLE").contains("1101"));
    assert!(!codes("BANDS").contains("1101") && codes("BANDS").contains("11"));
}

#[test]
fn structures_that_there_are_not() {
    refused("/dataflow/TOY/NOBODY", 404, 100, "there is no dataflow 'NOBODY'; there is");
    refused("/dataflow/TOY/PEOPLE/2.0", 404, 100, "there is no dataflow '2.0'");
    refused("/metadataflow", 501, 501, "structures of the kind 'metadataflow' are not offered; there is agencyscheme");
    refused("/codelist/TOY/CL_SEX/1.0/NOBODY", 404, 100, "no codelist has an item 'NOBODY'");
    refused("/nonsense", 400, 140, "structures of the kind 'nonsense' are not offered");
    refused("/a/b/c/d/e/f", 404, 100, "there is nothing at this address");
    let reply = request(service().address, "POST", "/sdmx/2.1/data/PEOPLE", &[], b"");
    assert_eq!((reply.status, reply.text().contains("ErrorMessage code=\"140\"")), (405, true));
}

#[test]
fn what_is_available_follows_key_and_periods() {
    let values = |path: &str, dimension: &str| -> Vec<String> {
        let document = answered(&format!("/availableconstraint/{path}"));
        let (_, rest) = document.split_once(&format!("<com:KeyValue id=\"{dimension}\">")).unwrap_or_else(|| panic!("{path}: {document}"));
        let (values, _) = rest.split_once("</com:KeyValue>").unwrap();
        values.split("<com:Value>").skip(1).map(|value| value.split_once('<').unwrap().0.to_owned()).collect()
    };
    assert_eq!(values("PEOPLE", "REGION"), ["TOY", "11", "1101", "1102", "1103", "12", "1201", "1202"]);
    assert_eq!(values("PEOPLE/all/all/all?startPeriod=2024-S2", "REGION"), ["TOY", "11", "1101", "1103", "12", "1201", "1202"]);
    assert_eq!(values("PEOPLE/S.11+1102...", "REGION"), ["11", "1102"]);
    assert_eq!(values("PEOPLE/S.11...?mode=available", "SEX"), ["T", "L", "P"]);
    let counted = answered("/availableconstraint/PEOPLE/S.11+12.T..persons?startPeriod=2024-S1");
    let count = |id: &str, count: u32| format!("<com:Annotation id=\"{id}\"><com:AnnotationTitle>{count}</com:AnnotationTitle>");
    assert!(counted.contains(&count("series_count", 16)) && counted.contains(&count("obs_count", 32)), "{counted}");
    let one = answered("/availableconstraint/PEOPLE/all/all/TIME_PERIOD");
    assert!(one.contains("<com:StartPeriod isInclusive=\"true\">2023-07-01</com:StartPeriod>") && !one.contains("id=\"REGION\""), "{one}");
    assert!(answered("/availableconstraint/PEOPLE?references=datastructure").contains("<str:DataStructure id=\"DSD_PEOPLE\""));
    refused("/availableconstraint/PEOPLE/all/all/PLANET", 404, 100, "PEOPLE has no dimension 'PLANET'; there is FREQ, REGION");
    refused("/availableconstraint/PEOPLE?mode=some", 400, 140, "mode is 'some'");
}

#[test]
fn the_form_follows_the_accept_header() {
    let media = |accept: &str| ask("/data/PEOPLE/.TOY.T.T.", &[("accept", accept)]).header("content-type").unwrap().to_owned();
    assert_eq!(media("*/*"), "application/vnd.sdmx.genericdata+xml;version=2.1");
    assert_eq!(
        media("application/vnd.sdmx.structurespecificdata+xml;version=2.1"),
        "application/vnd.sdmx.structurespecificdata+xml;version=2.1"
    );
    let csv = "application/vnd.sdmx.data+csv;version=1.0.0;labels=both";
    assert_eq!(media(csv), format!("{csv};charset=utf-8"));
    for path in ["/data/PEOPLE", "/dataflow", "/availableconstraint/PEOPLE"] {
        let reply = ask(path, &[("accept", "application/json")]);
        assert_eq!((reply.status, reply.text().contains("ErrorMessage code=\"140\"")), (406, true), "{path}");
    }
}

#[test]
fn answers_have_tags_and_vary() {
    let csv = ("accept", "text/csv");
    let tag = |path: &str, headers: &[(&str, &str)]| ask(path, headers).header("etag").unwrap_or_else(|| panic!("{path}")).to_owned();
    let data = "/data/PEOPLE/.TOY.T.T.persons";
    let tags = [tag(data, &[]), tag(data, &[csv]), tag("/data/PEOPLE/.TOY.L.T.persons", &[]), tag(&format!("{data}?detail=dataonly"), &[])];
    assert_eq!(tags.iter().collect::<BTreeSet<_>>().len(), tags.len());
    assert_eq!(tag("/data/PEOPLE/S.TOY.T.T.persons", &[]), tags[0]);
    for path in [data, "/dataflow", "/availableconstraint/PEOPLE"] {
        let first = ask(path, &[]);
        assert_eq!(first.header("vary"), Some("accept"), "{path}");
        let again = ask(path, &[("if-none-match", first.header("etag").unwrap())]);
        assert_eq!((again.status, again.body.len(), again.header("vary")), (304, 0, Some("accept")), "{path}");
        let head = request(service().address, "HEAD", &format!("/sdmx/2.1{path}"), &[], b"");
        assert_eq!((head.status, head.body.len(), head.header("content-length")), (200, 0, first.header("content-length")), "{path}");
    }
}
