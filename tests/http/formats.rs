//! Tables as files other than JSON-stat and CSV, and which of them a client gets.

use std::{collections::BTreeMap, io::Cursor};

use arrow::{
    array::{Array, AsArray, RecordBatch},
    datatypes::{DataType, Int64Type},
    ipc::reader::StreamReader,
};
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{
    client::{Reply, request},
    get, service,
    statistics::dataset,
};

/// One region that has left, one that has come: one of them cannot exist in any period.
const TWO: &str = "/tables/people/data?lang=en&valueCodes[Region]=1102,1202&valueCodes[ContentsCode]=persons&valueCodes[Tid]=2024-S1";
const SIX: &str =
    "/tables/people/data?lang=en&valueCodes[Region]=1102,1202&valueCodes[Sex]=*&valueCodes[ContentsCode]=persons&valueCodes[Tid]=2024-S1";

fn accepting(path: &str, accept: &str) -> Reply {
    request(service().address, "GET", &format!("/api/v2{path}"), &[("accept", accept)], b"")
}

fn fine(path: &str, media: &str) -> Reply {
    let reply = get(path);
    assert_eq!((reply.status, reply.header("content-type")), (200, Some(media)), "{path}");
    assert_ne!(reply.header("vary"), Some("accept"), "the address alone decides");
    reply
}

/// What stands in the cell of region 1102.
fn birch() -> u64 {
    service().world.truth("2024-S1", "people", &[("Region", "1102")]).unwrap()
}

#[test]
fn a_px_file_word_by_word() {
    let reply = fine(&format!("{TWO}&outputFormat=px"), "application/octet-stream");
    assert_eq!(reply.header("content-disposition"), Some("inline; filename=\"people.px\""));
    let text = reply.text();
    let cell = birch();
    for line in [
        "CHARSET=\"ANSI\";\nAXIS-VERSION=\"2013\";\nCODEPAGE=\"utf-8\";\nLANGUAGE=\"en\";\n",
        "DECIMALS=0;\nSHOWDECIMALS=0;\nMATRIX=\"people\";\n",
        "TITLE=\"People people\";\n",
        "CONTENTS=\"People\";\n",
        "VALUES(\"region\")=\"Birch 'upper'\",\"Elm, lower\";\n",
        "CODES(\"region\")=\"1102\",\"1202\";\n",
        "TIMEVAL(\"period\")=TLIST(H1),\"20241\";\n",
        "CONTVARIABLE=\"contents\";\n",
        "VARIABLECODE(\"region\")=\"Region\";\n",
        "SOURCE=\"Toy office\";\n",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    // What says nothing of its placement has periods and measures in the heading.
    let (_, data) = text.split_once("DATA=\n").unwrap();
    assert_eq!(data, format!("{cell} \n\".\" \n;\n"));
    let flat = get(&format!("{TWO}&outputFormat=px&heading=Region,ContentsCode,Tid"));
    assert!(flat.text().contains("\nHEADING=\"region\",\"contents\",\"period\";\n") && !flat.text().contains("\nSTUB="));
    assert!(flat.text().ends_with(&format!("DATA=\n{cell} \".\" \n;\n")));
    let refused = get(&format!("{TWO}&outputFormat=px&outputFormatParams=UseTexts")).problem();
    assert!(refused["detail"].as_str().unwrap().contains("px takes no options"));
}

#[test]
fn a_page_word_by_word() {
    let reply = fine(&format!("{TWO}&outputFormat=html&heading=ContentsCode,Tid&stub=Region"), "text/html; charset=utf-8");
    let text = reply.text();
    let cell = birch();
    assert!(cell < 1000, "no separators here");
    assert!(text.starts_with("<!doctype html>\n<html lang=\"en\">"));
    let heads = "<thead>\n<tr><th scope=\"col\" rowspan=\"2\">region</th><th scope=\"col\">People</th></tr>\n\
                 <tr><th scope=\"col\">First half of 2024</th></tr>\n</thead>\n";
    assert!(text.contains(heads), "{text}");
    assert!(text.contains(&format!("<tr><th scope=\"row\">Birch &quot;upper&quot;</th><td>{cell}</td></tr>\n")), "{text}");
    assert!(text.contains("<tr><th scope=\"row\">Elm, lower</th><td title=\"cannot exist: "), "{text}");
    assert!(text.contains("<li>[z] cannot exist: ") && !text.contains("<li>[c]"), "marks that occur are explained, others not");
    assert!(text.contains("<dd>Table people &amp; more</dd>") || !text.contains("people & more"), "text is escaped");
    assert!(text.contains("valueCodes[Region]=1102,1202&amp;valueCodes[ContentsCode]=persons"), "{text}");
    // The address on the page leads to the page.
    let (_, rest) = text.split_once("<dt>Address</dt><dd>").unwrap();
    let address = rest.split("</dd>").next().unwrap().replace("&amp;", "&");
    assert_eq!(get(address.split_once("/api/v2").unwrap().1).body, reply.body);

    let spans = get(&format!("{SIX}&outputFormat=html&outputFormatParams=UseCodes&heading=Tid,Sex,ContentsCode&stub=Region"));
    assert!(spans.text().contains("<th scope=\"colgroup\" colspan=\"3\">2024-S1</th></tr>"), "{}", spans.text());
    let bare = get(&format!("{TWO}&outputFormat=html&stub=Region,ContentsCode,Tid")).text().to_owned();
    assert!(bare.contains("<th scope=\"col\">period</th><th scope=\"col\">value</th></tr>"), "{bare}");
    let flat = get(&format!("{TWO}&outputFormat=html&heading=Tid,ContentsCode,Region")).text().to_owned();
    assert!(flat.contains(&format!("<tbody>\n<tr><td>{cell}</td><td title=")), "{flat}");
}

/// The cells of columns of codes: codes joined by '/', and the number or the mark.
fn cells(batches: &[RecordBatch]) -> Vec<(String, Result<i64, String>)> {
    let mut cells = Vec::new();
    for batch in batches {
        let plain = |name: &str| arrow_cast(batch, name);
        let names: Vec<String> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
        let codes: Vec<_> = names[..names.len() - 2].iter().map(|name| plain(name)).collect();
        let (value, status) = (batch.column_by_name("value").unwrap().as_primitive::<Int64Type>().clone(), plain("status"));
        for row in 0..batch.num_rows() {
            let key = codes.iter().map(|codes| codes[row].clone().unwrap()).collect::<Vec<_>>().join("/");
            let cell = match &status[row] {
                Some(mark) => Err(mark.clone()),
                None => Ok(value.value(row)),
            };
            assert_eq!(cell.is_err(), value.is_null(row), "{key} has a number or a mark");
            cells.push((key, cell));
        }
    }
    cells
}

/// A column of dictionary keys as the texts that they mean.
fn arrow_cast(batch: &RecordBatch, name: &str) -> Vec<Option<String>> {
    let column = batch.column_by_name(name).unwrap();
    assert!(matches!(column.data_type(), DataType::Dictionary(_, texts) if **texts == DataType::Utf8), "{name}");
    if column.null_count() == column.len() {
        return vec![None; column.len()];
    }
    let dictionary = column.as_any_dictionary();
    let texts = dictionary.values().as_string::<i32>().clone();
    let keys = dictionary.normalized_keys();
    (0..column.len()).map(|row| column.is_valid(row).then(|| texts.value(keys[row]).to_owned())).collect()
}

fn parquet(path: &str) -> (Vec<RecordBatch>, BTreeMap<String, String>) {
    let reply = fine(&format!("{path}&outputFormat=parquet"), "application/vnd.apache.parquet");
    let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(reply.body)).unwrap();
    let facts = reader.metadata().file_metadata().key_value_metadata().unwrap().clone();
    let facts = facts.into_iter().map(|fact| (fact.key, fact.value.unwrap_or_default())).collect();
    (reader.build().unwrap().map(Result::unwrap).collect(), facts)
}

#[test]
fn columns_have_the_same_cells_in_every_placement() {
    let all = "/tables/people/data?lang=en&valueCodes[Region]=*&valueCodes[Sex]=*&valueCodes[Age]=*&valueCodes[ContentsCode]=persons&valueCodes[Tid]=*";
    let placements = [
        "&stub=Region,Sex,Age,ContentsCode,Tid",
        "&heading=Tid,Age,Sex,Region,ContentsCode",
        "&stub=Tid,Region&heading=Age,ContentsCode,Sex",
    ];
    // All but what cannot be left out is summed away in the last one.
    let few = "/tables/people/data?lang=en&valueCodes[ContentsCode]=persons&valueCodes[Tid]=2024-S1".to_owned();
    for path in placements.iter().map(|placement| format!("{all}{placement}")).chain([few]) {
        let data = dataset(get(&path).json());
        let mut expect = Vec::new();
        data.each(|codes, cell| {
            let key = codes.iter().map(|(_, code)| *code).collect::<Vec<_>>().join("/");
            expect.push((key, cell.map(|number| number as i64).map_err(str::to_owned)));
        });
        let (batches, facts) = parquet(&path);
        assert_eq!(cells(&batches), expect, "{path}");
        assert_eq!((facts["table"].as_str(), facts["title"].as_str()), ("people", "People people"));
        let query: serde_json::Value = serde_json::from_str(&facts["query"]).unwrap();
        assert_eq!(query["selection"], data.document["extension"]["query"]["selection"]);
        let stream = fine(&format!("{path}&outputFormat=arrow"), "application/vnd.apache.arrow.stream");
        let reader = StreamReader::try_new(Cursor::new(stream.body), None).unwrap();
        assert_eq!(reader.schema().metadata()["releases"], facts["releases"]);
        let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
        assert_eq!(cells(&batches), expect, "{path}");
    }
}

#[test]
fn columns_may_have_names() {
    let names = |options: &str| -> Vec<String> {
        let (batches, _) = parquet(&format!("{TWO}&outputFormatParams={options}"));
        batches[0].schema().fields().iter().map(|field| field.name().clone()).collect()
    };
    assert_eq!(names("UseTexts"), ["region", "contents", "period", "value", "status"]);
    let both = ["Region", "Region_label", "ContentsCode", "ContentsCode_label", "Tid", "Tid_label", "value", "status"];
    assert_eq!(names("UseCodesAndTexts"), both);
    let (batches, _) = parquet(&format!("{TWO}&outputFormatParams=UseCodesAndTexts"));
    assert_eq!(arrow_cast(&batches[0], "Region_label"), [Some("Birch \"upper\"".into()), Some("Elm, lower".into())]);
}

#[test]
fn a_workbook_comes_as_such() {
    let media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    let reply = fine(&format!("{SIX}&outputFormat=xlsx&outputFormatParams=UseCodesAndTexts,IncludeTitle"), media);
    assert_eq!(reply.header("content-disposition"), Some("inline; filename=\"people.xlsx\""));
    assert!(reply.body.starts_with(b"PK"));
    let other = fine(&format!("{SIX}&outputFormat=xlsx&outputFormatParams=UseCodesAndTexts,IncludeTitle&lang=id"), media);
    assert_ne!(other.body, reply.body);
}

#[test]
fn csv_may_begin_with_a_byte_order_mark() {
    let plain = get(&format!("{TWO}&outputFormat=csv")).body;
    let marked = get(&format!("{TWO}&outputFormat=csv&outputFormatParams=includebom")).body;
    assert_eq!(marked, [b"\xef\xbb\xbf".as_slice(), &plain].concat());
}

#[test]
fn clients_get_what_they_accept() {
    let check = |accept: &str, format: &str| {
        let reply = accepting(TWO, accept);
        assert_eq!((reply.status, reply.header("vary")), (200, Some("accept")), "{accept}");
        let named = get(&format!("{TWO}&outputFormat={format}"));
        assert_eq!(reply.header("content-type"), named.header("content-type"), "{accept}");
        assert_eq!(reply.header("etag"), named.header("etag"), "{accept}");
        assert!(reply.body == named.body, "{accept}");
    };
    check("*/*", "json-stat2");
    check("application/json", "json-stat2");
    check("text/csv", "csv");
    check("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "html");
    check("application/vnd.apache.arrow.stream;q=0.4, application/vnd.apache.parquet", "parquet");
    assert_eq!(get(TWO).header("vary"), Some("accept"));
    // What the address names counts, whatever is accepted.
    let named = accepting(&format!("{TWO}&outputFormat=csv"), "image/png");
    assert_eq!((named.status, named.header("vary")), (200, None));
}

#[test]
fn what_there_is_not_is_not_sent() {
    let refused = accepting(TWO, "image/png, application/json;q=0");
    assert_eq!((refused.status, refused.header("vary")), (406, Some("accept")));
    let problem = refused.problem();
    assert_eq!(problem["title"], "Not acceptable");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("application/json, text/csv") && detail.contains("json-stat2, csv, xlsx"), "{detail}");
}

#[test]
fn negotiated_answers_are_kept_as_such() {
    let tag = accepting(TWO, "text/csv").header("etag").unwrap().to_owned();
    let again = |accept: &str| {
        let headers = [("accept", accept), ("if-none-match", tag.as_str())];
        request(service().address, "GET", &format!("/api/v2{TWO}"), &headers, b"")
    };
    let same = again("text/csv");
    assert_eq!((same.status, same.header("vary")), (304, Some("accept")));
    assert_eq!(again("text/html").status, 200);
}
