//! The commands that draw: `cacah chart` and `cacah boundaries`.

use std::fs;

use crate::common::{assert_says, fail, regions, succeed};

const OUTLINES: &str = r#"{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"kode":"34.01","nama":"Kulon Progo"},"geometry":{"type":"Polygon","coordinates":[[[110.0,-7.6],[110.3,-7.6],[110.3,-8.0],[110.0,-8.0],[110.0,-7.6]]]}},
{"type":"Feature","properties":{"kode":"34.71"},"geometry":{"type":"MultiPolygon","coordinates":[[[[110.35,-7.7],[110.5,-7.7],[110.5,-7.9],[110.35,-7.9],[110.35,-7.7]]]]}},
{"type":"Feature","properties":{"kode":"99.99"},"geometry":{"type":"Polygon","coordinates":[[[1,1],[2,1],[2,2],[1,1]]]}}]}"#;

/// Every kind of chart shows the rows of a query that says what its columns are.
fn rows_are_drawn(here: &std::path::Path) {
    let draw = |kind: &str, query: &str, more: &[&str]| {
        succeed(&[&["chart", kind, "--query", query, "--lang", "en", "--out", "rows.svg"], more].concat(), here);
        fs::read_to_string(here.join("rows.svg")).unwrap()
    };
    let has = |drawn: &str, needles: &[&str]| needles.iter().for_each(|needle| assert!(drawn.contains(needle), "no {needle} in {drawn}"));
    has(&draw("pyramid", "health-ages", &["--param", "region=3471"]), &["Ages of the people", "Kota Yogyakarta", "Men", "75"]);
    has(&draw("lines", "registry-development", &[]), &["2024-S1", "2024-S2", "Women"]);
    has(&draw("heat", "registry-book", &[]), &["Never married", "quantiles"]);
    has(&draw("bars", "tax-occupations", &["--with", "stacking=stacked", "--columns", "men,women"]), &["Men", "Women"]);
    let map = draw("map", "health-targets", &["--param", "region=34", "--columns", "women_15_to_49"]);
    assert_eq!(map.matches("<polygon ").count(), 2);
    has(&map, &["Women aged 15-49", "queries/health-targets/data?region=34&amp;period=2024-S2"]);
    let refused = |kind: &str, query: &str, more: &[&str], says: &[&str]| {
        assert_says(&fail(&[&["chart", kind, "--query", query, "--out", "x.svg"], more].concat(), here), says);
    };
    refused("lines", "health-targets", &[], &["a column of periods"]);
    refused("pyramid", "health-targets", &[], &["codes of ages"]);
    refused("map", "health-ages", &[], &["codes of regions"]);
    refused("heat", "tax-ranking", &[], &["two columns"]);
    refused("bars", "health-ages", &["--columns", "people"], &["no column 'people'", "men, women, sex_ratio"]);
    refused("bars", "nothing", &[], &["there is no query 'nothing'", "health-ages"]);
    refused("bars", "health-ages", &["--param", "region=zz"], &["--param", "region"]);
    refused("bars", "health-ages", &["--table", "population"], &["--table"]);
}

#[test]
fn charts_and_maps_are_drawn_from_releases() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("regions.csv"), regions(&["34.71.01", "34.01.01"])).unwrap();
    for period in ["2024-S1", "2024-S2"] {
        succeed(&["sample", "--period", period, "--persons", "20000", "--out", "s.parquet", "--regions", "regions.csv"], here);
        succeed(&["build", "s.parquet", "--period", period, "--regions", "regions.csv"], here);
        succeed(&["release", period], here);
    }
    let pyramid = ["chart", "pyramid", "--table", "population", "--select", "Region=3471", "--with", "compare=Tid:2024-S1"];
    for format in ["svg", "png", "pdf"] {
        let out = format!("pyramid.{format}");
        let said = succeed(&[&pyramid[..], &["--out", &out]].concat(), here);
        assert_says(&said, &[&out, "Penduduk menurut umur dan jenis kelamin: Kota Yogyakarta"]);
        assert!(fs::metadata(here.join(&out)).unwrap().len() > 4_000);
    }
    let first = fs::read(here.join("pyramid.svg")).unwrap();
    succeed(&[&pyramid[..], &["--out", "pyramid.svg"]].concat(), here);
    assert!(fs::read(here.join("pyramid.svg")).unwrap() == first, "the same chart has other bytes");

    let map = ["chart", "map", "--table", "population", "--codelist", "Region=vs_region_regency", "--lang", "en", "--out", "map.svg"];
    assert_says(&fail(&map, here), &["cacah boundaries add"]);
    fs::write(here.join("regencies.geojson"), OUTLINES).unwrap();
    let said = succeed(&["boundaries", "add", "regencies.geojson"], here);
    assert_says(&said, &["2 regions have an outline now", "no region has the code 99.99"]);
    succeed(&map, here);
    let drawn = fs::read_to_string(here.join("map.svg")).unwrap();
    assert_eq!(drawn.matches("<polygon ").count(), 2);
    assert!(drawn.contains("quantiles"), "{drawn}");

    assert_says(&fail(&["boundaries", "add", "s.parquet"], here), &["s.parquet"]);
    fs::write(here.join("empty.json"), "{}").unwrap();
    assert_says(&fail(&["boundaries", "add", "empty.json"], here), &["empty.json", "GeoJSON", "TopoJSON"]);
    assert_says(&fail(&["chart", "pie", "--table", "population", "--out", "x.svg"], here), &["there is no chart 'pie'", "pyramid"]);
    assert_says(&fail(&["chart", "bars", "--table", "population", "--out", "x.gif"], here), &["x.gif", "svg, png, pdf"]);
    assert_says(&fail(&["chart", "bars", "--table", "nothing", "--out", "x.svg"], here), &["there is no table 'nothing'"]);
    assert_says(
        &fail(&["chart", "bars", "--table", "population", "--with", "theme=pink", "--out", "x.svg"], here),
        &["--with", "print, light, dark"],
    );
    rows_are_drawn(here);
    assert!(!here.join("x.svg").exists() && !here.join("x.gif").exists());
}
