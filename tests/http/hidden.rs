//! Ways in which an answer could tell of a hidden count, each closed: asked of two registers that differ in hidden counts alone.

use std::collections::HashMap;

use super::{statistics::dataset, twins::shared};

const DATA: &str = "/api/v2/tables/people/data?valueCodes[ContentsCode]=*&valueCodes[Tid]=*";

/// What the service reads is the release and nothing else, so that where no byte of it depends on a hidden count, neither does
/// the work that an answer takes, nor its time.
#[test]
fn timings_cannot_depend_on_hidden_counts_as_the_releases_are_equal() {
    let twins = shared();
    assert!(twins.differing >= 4, "only {} counts differ", twins.differing);
    let [one, other] = &twins.files;
    assert!(one.contains_key("2024-S1/r1/audit.json") && one.keys().eq(other.keys()), "{:?} {:?}", one.keys(), other.keys());
    for (path, content) in one {
        assert!(*content == other[path], "{path} tells hidden counts");
    }
}

#[test]
fn what_describes_the_tables_tells_nothing() {
    let mut questions: Vec<String> = ["/", "/readyz", "/healthz", "/api/v2/config", "/api/v2/tables"].map(String::from).into();
    for list in ["vs_age_band", "agg_age_care", "agg_age_halves", "vs_region_regency"] {
        questions.push(format!("/api/v2/codelists/{list}"));
    }
    for table in ["people", "bands"] {
        for part in ["", "/metadata", "/defaultselection"] {
            questions.push(format!("/api/v2/tables/{table}{part}"));
        }
    }
    for question in questions {
        shared().ask_all_ways(&question);
    }
}

/// Shares, ratios, medians and changes; sums over what is left out or grouped, groups that cut across bands, and what is picked
/// by its place in an order.
#[test]
fn percentages_medians_sums_and_orders_tell_nothing() {
    let places = ["*", "1101", "11,12", "top(2)", "bottom(3)", "from(1101)", "range(1101,1201)", "1?0*"];
    let ages = [
        "valueCodes[Age]=*",
        "valueCodes[Age]=bottom(1)",
        "codelist[Age]=agg_age_care",
        "codelist[Age]=agg_age_halves&valueCodes[Age]=OLD",
        "",
    ];
    let formats = [
        "",
        "&outputFormat=csv",
        "&outputFormat=csv&outputFormatParams=UseTexts,IncludeTitle",
        "&outputFormat=px",
        "&outputFormat=html",
        "&outputFormat=parquet",
        "&outputFormat=arrow",
        "&outputFormat=xlsx",
    ];
    let mut answered = 0;
    for place in places {
        for age in ages {
            for sex in ["valueCodes[Sex]=*", "valueCodes[Sex]=top(1,1)", ""] {
                for format in formats {
                    let reply = shared().ask_all_ways(&format!("{DATA}&valueCodes[Region]={place}&{age}&{sex}{format}"));
                    answered += usize::from(reply.status == 200);
                }
            }
        }
    }
    assert!(answered > 400, "{answered} questions were answered");
}

/// Lengths of bars, scales of axes, classes of colours, orders and notes: whole pictures, and the pages that are made of them.
#[test]
fn chart_scales_tell_nothing() {
    let charts = [
        "pyramid.svg?table=people&valueCodes[Region]=11&share=true&compare=Region:12",
        "pyramid.svg?table=people&valueCodes[Region]=1101",
        "bars.svg?table=people&valueCodes[Age]=*&valueCodes[Region]=1*&stacking=stacked",
        "bars.svg?table=people&valueCodes[Age]=*&valueCodes[Region]=1101&valueCodes[Sex]=*&stacking=full",
        "lines.svg?table=people&valueCodes[Region]=1101&valueCodes[Age]=C,A,O",
        "ranking.svg?table=people&valueCodes[Region]=*&valueCodes[Age]=C",
        "ranking.svg?table=people&valueCodes[Region]=*&valueCodes[ContentsCode]=growth&lowest=true",
        "heat.svg?table=people&valueCodes[Region]=*&valueCodes[Age]=*",
        "heat.png?table=people&valueCodes[Region]=*&valueCodes[Age]=*&method=equal&scale=1",
        "map.pdf?table=people&valueCodes[Age]=C",
        "map.svg?table=people&valueCodes[ContentsCode]=share-region&method=fixed&bounds=10,20",
    ];
    let (mut drawn, mut marked) = (0, 0);
    for language in ["id", "en"] {
        for chart in charts {
            let reply = shared().ask_all_ways(&format!("/charts/{chart}&lang={language}"));
            drawn += usize::from(reply.status == 200);
            marked += usize::from(chart.contains(".svg") && reply.text().contains("[c]"));
        }
    }
    assert!(drawn >= 18 && marked >= 8, "{drawn} charts were drawn, {marked} with a mark");
}

/// Pages, orders and shades of tables on them, counters, dashboards' figures and changes.
#[test]
fn pages_tell_nothing() {
    let mut questions: Vec<String> =
        ["/tables", "/releases", "/method", "/compare", "/dashboards", "/search?q=old+north"].map(String::from).into();
    questions.extend(["11", "1101", "1201"].map(|region| format!("/regions/{region}")));
    for table in ["people", "bands"] {
        for how in ["", "&shade=on", "&sort=0", "&sort=0-desc&shade=on", "&labels=both&from=3"] {
            questions.push(format!("/tables/{table}?valueCodes[Region]=*&valueCodes[Age]=*{how}"));
        }
        for view in ["bars", "ranking", "heat", "lines"] {
            questions.push(format!("/tables/{table}?view={view}&valueCodes[Region]=*&valueCodes[Age]=*"));
        }
    }
    let mut marked = 0;
    for question in questions {
        let reply = shared().ask_all_ways(&question);
        assert_eq!(reply.status, 200, "{question}");
        marked += usize::from(reply.text().contains("[c]"));
    }
    assert!(marked > 8, "{marked} pages have a mark");
}

#[test]
fn error_texts_tell_nothing() {
    let places = ["most(1)", "99", "range(1201,1101)", "top(0)"];
    let mut questions: Vec<String> = places.map(|place| format!("{DATA}&valueCodes[Region]={place}")).into();
    questions.push(format!("{DATA}&valueCodes[Region]=*&valueCodes[Nothing]=*"));
    questions.push(format!("{DATA}&valueCodes[Region]=*&outputFormat=nothing"));
    questions.push(format!("{DATA}&valueCodes[Region]=*&codelist[Age]=nothing"));
    questions.extend(["/api/v2/nowhere", "/api/v2/tables/nowhere/data", "/api/v2/codelists/nowhere"].map(String::from));
    for question in questions {
        let reply = shared().ask_all_ways(&question);
        assert!((400..500).contains(&reply.status), "{question} is answered with {}", reply.status);
    }
}

/// A refusal for its size names a number of cells, and a length is one.
#[test]
fn numbers_of_cells_and_lengths_tell_nothing() {
    let mut refused = 0;
    for table in ["people", "bands"] {
        for sex in ["valueCodes[Sex]=*", ""] {
            let all = "valueCodes[Region]=*&valueCodes[Age]=*&valueCodes[ContentsCode]=*&valueCodes[Tid]=*";
            let reply = shared().ask_all_ways(&format!("/api/v2/tables/{table}/data?{all}&{sex}"));
            refused += usize::from(reply.text().contains("Too many cells selected"));
            assert!(reply.header("content-length").is_some() || reply.header("transfer-encoding").is_some(), "{table} {sex}");
        }
    }
    assert!(refused > 0, "nothing was too large");
}

#[test]
fn tags_tell_nothing() {
    for age in ["valueCodes[Age]=*", "codelist[Age]=agg_age_care", ""] {
        for place in ["*", "11", "1101"] {
            let question = format!("{DATA}&valueCodes[Region]={place}&{age}");
            let reply = shared().ask("GET", &question, &[]);
            let tag = reply.header("etag").unwrap_or_else(|| panic!("{question} has no tag"));
            assert_eq!(shared().ask("GET", &question, &[("if-none-match", tag)]).status, 304);
        }
    }
}

/// Whoever sees one region and the figures of the whole country finds the same cells hidden as everybody: each region asked
/// for by itself shows what it shows among all others.
#[test]
fn one_region_alone_against_the_country_tells_nothing() {
    let read = |place: &str| {
        let question = format!("{DATA}&valueCodes[Region]={place}&valueCodes[Age]=*&valueCodes[Sex]=*");
        dataset(shared().ask("GET", &question, &[]).json())
    };
    let everything = read("1*");
    let mut together = HashMap::new();
    let mut hidden = 0;
    everything.each_place(|codes, cell| {
        let number = everything.number(cell);
        hidden += usize::from(number == Err("c"));
        together.insert(format!("{codes:?}"), number);
    });
    assert!(hidden > 10, "{hidden} cells are hidden");
    let mut seen = 0;
    for place in everything.codes_of("Region") {
        let alone = read(place);
        alone.each_place(|codes, cell| {
            seen += 1;
            assert_eq!(together[&format!("{codes:?}")], alone.number(cell), "{codes:?}");
        });
    }
    assert_eq!(seen, together.len());
}
