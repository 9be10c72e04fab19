//! Charts over HTTP: every kind in every format, what is said in them, what is refused.

use std::collections::BTreeSet;

use cacah::charts::{CHART_KINDS, PICTURE_FORMATS};

use super::{
    client::{Reply, request},
    service,
    statistics::dataset,
};

fn ask(path: &str) -> Reply {
    request(service().address, "GET", &format!("/charts/{path}"), &[], b"")
}

/// A chart of each kind that the toy register can draw.
fn drawn(kind: &str) -> String {
    let asked = match kind {
        "pyramid" => "table=people&valueCodes[Region]=11",
        "bars" => "table=people&valueCodes[Age]=*&valueCodes[Sex]=L,P",
        "lines" => "table=people&valueCodes[Region]=11,12",
        "ranking" => "table=people&valueCodes[Region]=11*&valueCodes[Age]=C",
        "heat" => "table=people&valueCodes[Region]=*&valueCodes[Age]=*",
        "map" => "table=people&valueCodes[Age]=C",
        other => panic!("there is a new kind of chart: {other}"),
    };
    asked.to_owned()
}

/// The texts of a drawing, those of its head left out.
fn texts(svg: &str) -> Vec<String> {
    let unescaped = |text: &str| {
        text.trim().replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'").replace("&amp;", "&")
    };
    svg.split("<text ").skip(1).filter_map(|rest| Some(unescaped(rest.split_once('>')?.1.split_once("</text>")?.0))).collect()
}

#[test]
fn every_kind_is_drawn_in_every_format() {
    for kind in CHART_KINDS {
        for format in PICTURE_FORMATS {
            let reply = ask(&format!("{kind}.{format}?lang=en&scale=1&{}", drawn(kind)));
            assert_eq!(reply.status, 200, "{kind}.{format}: {}", String::from_utf8_lossy(&reply.body));
            let (media, start): (&str, &[u8]) = match format {
                "svg" => ("image/svg+xml", b"<svg "),
                "png" => ("image/png", b"\x89PNG"),
                _ => ("application/pdf", b"%PDF-"),
            };
            assert_eq!(reply.header("content-type"), Some(media), "{kind}.{format}");
            assert!(reply.body.starts_with(start), "{kind}.{format}");
            assert_eq!(reply.header("content-disposition"), Some(format!("inline; filename=\"people-{kind}.{format}\"").as_str()));
            let again = request(
                service().address,
                "GET",
                &format!("/charts/{kind}.{format}?lang=en&scale=1&{}", drawn(kind)),
                &[("if-none-match", reply.header("etag").unwrap())],
                b"",
            );
            assert_eq!(again.status, 304, "{kind}.{format}");
        }
    }
}

#[test]
fn a_picture_says_what_it_shows_and_where_it_comes_from() {
    for (language, title, source) in
        [("en", "People by age and sex", "Source: "), ("id", "Penduduk menurut umur dan jenis kelamin", "Sumber: ")]
    {
        let svg = ask(&format!("pyramid.svg?lang={language}&{}", drawn("pyramid")));
        let all = texts(svg.text());
        assert!(all.iter().any(|text| text.starts_with(source) && text.contains("/r")), "{all:?}");
        let name = svg.text().split_once("<title>").unwrap().1.split_once("</title>").unwrap().0;
        assert!(name.to_lowercase().starts_with(&title.to_lowercase()), "{name}");
        assert!(svg.text().contains("role=\"img\"") && svg.text().contains("<desc>"));
        let told = svg.text().split_once("<metadata>").unwrap().1.split_once("</metadata>").unwrap().0.replace("&amp;", "&");
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        assert_eq!(told["language"], language);
        assert!(told["releases"][0]["sha256"].as_str().is_some_and(|digest| digest.len() == 64), "{told}");
        // The address inside answers with the numbers that are drawn.
        let address = told["query"].as_str().unwrap();
        let path = &address[address.find("/api/").unwrap()..];
        assert_eq!(request(service().address, "GET", path, &[], b"").status, 200, "{path}");
    }
    let png = ask(&format!("pyramid.png?lang=en&scale=1.5&width=600&{}", drawn("pyramid")));
    let reader = png::Decoder::new(std::io::Cursor::new(&png.body)).read_info().unwrap();
    assert_eq!(reader.info().width, 900);
    let words: BTreeSet<&str> = reader.info().utf8_text.iter().map(|chunk| chunk.keyword.as_str()).collect();
    assert_eq!(words, BTreeSet::from(["Description", "Provenance", "Title"]));
    let pdf = ask(&format!("pyramid.pdf?lang=en&{}", drawn("pyramid")));
    let text = String::from_utf8_lossy(&pdf.body);
    assert!(text.contains("2024-S") && text.contains("/r"), "the release is not told in the PDF");
}

/// Every number of the table stands in the shaded table, written as people of the language write it, and nothing but marks
/// stands where there is none.
#[test]
fn a_shaded_table_shows_the_numbers_of_the_table() {
    let asked = "valueCodes[Region]=*&valueCodes[Age]=*&valueCodes[ContentsCode]=persons&valueCodes[Tid]=top(1)";
    let data = dataset(super::get(&format!("/tables/people/data?lang=en&{asked}")).json());
    let mut numbers: Vec<String> = Vec::new();
    let mut hidden = 0;
    data.each_place(|_, cell| match data.number(cell) {
        Ok(number) => numbers.push(number.to_string()),
        Err(_) => hidden += 1,
    });
    assert!(hidden > 3 && numbers.len() > 10, "{hidden} without a number, {} with one", numbers.len());
    let svg = ask(&format!("heat.svg?lang=en&table=people&{asked}&width=1600"));
    let mut shown = texts(svg.text());
    for number in &numbers {
        let number = number.trim_end_matches(".0");
        let at = shown.iter().position(|text| text.replace(',', "") == number);
        shown.remove(at.unwrap_or_else(|| panic!("{number} is not shown: {shown:?}")));
    }
    let left: Vec<&String> = shown.iter().filter(|text| text.parse::<f64>().is_ok()).collect();
    assert!(left.is_empty(), "numbers are shown that the table does not have: {left:?}");
}

#[test]
fn a_ranking_orders_what_has_a_number() {
    let asked = "valueCodes[Region]=*&valueCodes[Age]=C&valueCodes[ContentsCode]=persons&valueCodes[Tid]=top(1)";
    for lowest in [false, true] {
        let svg = ask(&format!("ranking.svg?lang=en&table=people&{asked}&places=50&lowest={lowest}"));
        let all = texts(svg.text());
        // Values stand behind their bars, in the order of the places.
        let places: Vec<&String> =
            all.iter().filter(|text| text.split_once(". ").is_some_and(|(place, _)| place.parse::<u32>().is_ok())).collect();
        let first = all.iter().position(|text| text.starts_with("1. ")).unwrap();
        let values: Vec<f64> = all[first..].iter().filter_map(|text| text.replace(',', "").parse().ok()).collect();
        assert!(places.len() > 2 && values.len() == places.len(), "{places:?} {values:?}");
        assert!(values.is_sorted_by(|a, b| if lowest { a <= b } else { a >= b }), "{values:?}");
    }
}

#[test]
fn what_a_client_writes_stays_text() {
    let svg = ask(&format!("bars.svg?title=%3Cscript%3Ealert(1)%3C/script%3E%26amp;&{}", drawn("bars")));
    assert_eq!(svg.status, 200);
    assert!(!svg.text().contains("<script"), "{}", svg.text());
    let shown = texts(svg.text());
    assert_eq!(shown[0], "<script>alert(1)</script>&amp;");
    // What the chart shows stands below, whatever somebody calls it.
    let own = texts(ask(&format!("bars.svg?{}", drawn("bars"))).text())[0].clone();
    assert!(shown[1].starts_with(&own), "{} {own}", shown[1]);
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let check = |path: &str, status: u16, title: &str, says: &str| {
        let reply = ask(&format!("{path}&lang=en"));
        assert_eq!(reply.status, status, "{path}");
        let problem = reply.problem();
        assert_eq!(problem["title"], title, "{path}");
        assert!(problem["detail"].as_str().unwrap().contains(says), "{path}: {}", problem["detail"]);
    };
    check("pie.svg?table=people", 404, "Non-existent chart", "there is pyramid, bars, lines");
    check("bars.gif?table=people", 404, "Non-existent chart", "svg, png, pdf");
    check("bars.svg?table=nowhere", 404, "Non-existent table", "there is no table 'nowhere'");
    check("bars.svg?table=people&valueCodes[Age]=nothing", 400, "Non-existent value", "Age has no code");
    check("pyramid.svg?table=bands", 400, "Illegal chart", "table bands has no ages and sexes");
    check("pyramid.svg?table=people&valueCodes[Region]=*", 400, "Illegal chart", "pyramid needs several ages, both sexes");
    check("heat.svg?table=people&valueCodes[Age]=*", 400, "Illegal chart", "heat needs two variables");
    check("ranking.svg?table=people&valueCodes[Age]=*&valueCodes[Sex]=*", 400, "Illegal chart", "Sex 3, Age 8");
    check("map.svg?table=people&valueCodes[Region]=1101,1102", 400, "Illegal chart", "cacah boundaries add");
    check("bars.svg?table=people&width=1e9", 400, "Illegal parameter", "between 240 and 4000");
    check("bars.svg?table=people&width=NaN", 400, "Illegal parameter", "between 240 and 4000");
    check("bars.svg?table=people&theme=pink", 400, "Illegal parameter", "print, light, dark");
    check("pyramid.svg?table=people&compare=Region:99", 400, "Non-existent value", "Region has no code '99'");
    check("bars.png?table=people&width=4000&height=4000&scale=4", 413, "Picture too large", "40000000 pixels");
}
