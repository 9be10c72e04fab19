//! Shares, ratios, changes and the rest, worked out anew from what is true of the made-up country.

use std::collections::BTreeMap;

use super::{
    get, service,
    statistics::{Dataset, dataset},
    world::{PERIODS, Truth},
};

const ALL: &str = "valueCodes[Region]=*&valueCodes[Sex]=*&valueCodes[Age]=*&valueCodes[ContentsCode]=*&valueCodes[Tid]=*";

/// What is true of a cell of the table `people`.
fn count(period: &str, [region, sex, age]: [&str; 3]) -> Truth {
    service().world.truth(period, "people", &[("Region", region), ("Sex", sex), ("Age", age)])
}

/// A number worked out from others, to so many places; `Err` tells why there is none.
type Number = Result<f64, &'static str>;

fn divide(over: f64, under: f64) -> Number {
    if under == 0.0 { Err("x") } else { Ok(over / under) }
}

/// The counts of several cells, with zeros for what cannot be; what is withheld or missing in one of them is so for all.
fn all(cells: &[Truth]) -> Result<Vec<f64>, &'static str> {
    for missing in ["x", "c"] {
        if cells.contains(&Err(missing)) {
            return Err(missing);
        }
    }
    Ok(cells.iter().map(|cell| cell.map_or(0.0, |count| count as f64)).collect())
}

fn above(region: &str) -> Option<&'static str> {
    match region {
        "TOY" => None,
        "11" | "12" => Some("TOY"),
        _ => Some(if region.starts_with("11") { "11" } else { "12" }),
    }
}

/// What the measure of a cell must be; `stub` and `heading` name the variables on either side.
fn expect(measure: &str, period: &str, cell: [&str; 3], stub: &[&str], heading: &[&str]) -> Number {
    let own = count(period, cell)? as f64;
    let [region, sex, age] = cell;
    let hundred = |whole: Truth| divide(100.0 * own, all(&[whole])?[0]);
    let totals = |side: &[&str]| {
        let placed = |id: &str, code, total| if side.contains(&id) { total } else { code };
        if side.iter().any(|id| ["Region", "Sex", "Age"].contains(id)) {
            hundred(count(period, [placed("Region", region, "TOY"), placed("Sex", sex, "T"), placed("Age", age, "T")]))
        } else {
            Err("x")
        }
    };
    let before = || {
        let at = PERIODS.iter().position(|known| *known == period).unwrap();
        let period = if at == 0 { return Err("x") } else { PERIODS[at - 1] };
        match count(period, cell) {
            Err("z") => Err("x"),
            other => other.map(|count| count as f64),
        }
    };
    let nodes = |cells: &[[&str; 3]]| all(&cells.iter().map(|cell| count(period, *cell)).collect::<Vec<_>>());
    match measure {
        "share-place" => hundred(count(period, [above(region).ok_or("x")?, sex, age])),
        "share-row" => totals(heading),
        "share-column" => totals(stub),
        "change" => Ok(own - before()?),
        "growth" => before().and_then(|before| divide(100.0 * (own - before), before)),
        "sex-ratio" if sex == "T" => {
            let parts = nodes(&[[region, "L", age], [region, "P", age]])?;
            divide(1000.0 * parts[0], parts[1])
        }
        "dependency" if age == "T" => {
            let parts = nodes(&[[region, sex, "C"], [region, sex, "O"], [region, sex, "A"]])?;
            divide(100.0 * (parts[0] + parts[1]), parts[2])
        }
        "median" if age == "T" => {
            let parts = nodes(&[[region, sex, "C"], [region, sex, "A"], [region, sex, "O"]])?;
            let half = parts.iter().sum::<f64>() / 2.0;
            match parts[..] {
                [child, ..] if child > 0.0 && child >= half => Ok(2.0 * half / child),
                [child, adult, _] if adult > 0.0 && child + adult >= half => Ok(2.0 + 2.0 * (half - child) / adult),
                _ => Err("x"),
            }
        }
        "density" => match region {
            "1101" => Ok(own / 2.5),
            "1103" => Ok(own / 0.5),
            "1201" => Ok(own / 4.0),
            "11" => Ok(own / 3.0),
            _ => Err("x"),
        },
        _ => Err("x"),
    }
}

fn places(measure: &str) -> i32 {
    match measure {
        "share-column" | "change" => 0,
        "share-row" | "median" => 2,
        _ => 1,
    }
}

/// Compares every cell; gives back how many numbers and how many reasons each measure had.
fn check(data: &Dataset) -> BTreeMap<(String, &'static str), usize> {
    let side = |key: &str| {
        let list = data.document["extension"]["px"][key].as_array().unwrap();
        list.iter().map(|id| id.as_str().unwrap()).collect::<Vec<_>>()
    };
    let (stub, heading) = (side("stub"), side("heading"));
    let mut seen = BTreeMap::new();
    data.each_place(|codes, cell| {
        let of = |id: &str, total| codes.iter().find(|(known, _)| *known == id).map_or(total, |(_, code)| *code);
        let measure = of("ContentsCode", "");
        let found = data.number(cell);
        let place = [of("Region", "TOY"), of("Sex", "T"), of("Age", "T")];
        let expected = match measure {
            "persons" => count(of("Tid", ""), place).map(|count| count as f64),
            _ => expect(measure, of("Tid", ""), place, &stub, &heading),
        };
        let one = 10f64.powi(places(measure));
        let same = match (found, expected) {
            (Ok(found), Ok(expected)) => (found - expected).abs() <= 0.5001 / one && (found * one - (found * one).round()).abs() < 1e-6,
            (found, expected) => found == expected,
        };
        assert!(same, "{codes:?}: {found:?} instead of {expected:?}");
        *seen.entry((measure.to_owned(), found.err().unwrap_or("number"))).or_default() += 1;
    });
    seen
}

#[test]
fn every_measure_of_every_cell_is_true() {
    for placing in ["", "&heading=Sex,Tid", "&heading=Region,ContentsCode&stub=Age,Tid,Sex", "&stub=ContentsCode"] {
        let data = dataset(get(&format!("/tables/people/data?{ALL}{placing}")).json());
        let measures = data.codes_of("ContentsCode");
        assert_eq!(
            measures,
            ["persons", "share-place", "share-row", "share-column", "change", "growth", "sex-ratio", "dependency", "median", "density"]
        );
        let seen = check(&data);
        for measure in measures {
            // Without an axis on its side a row or a column has no total to compare with.
            if placing.is_empty() && measure == "share-row" || placing == "&stub=ContentsCode" && measure == "share-column" {
                continue;
            }
            for kind in ["number", "c"] {
                assert!(seen.contains_key(&(measure.to_owned(), kind)), "{measure} was never a {kind}: {seen:?}");
            }
        }
    }
}

#[test]
fn a_measure_alone_says_its_unit_places_and_method() {
    let path = "/tables/people/data?lang=en&valueCodes[Region]=11*&valueCodes[ContentsCode]=growth,sex-ratio&valueCodes[Tid]=2024-S2";
    let data = dataset(get(path).json());
    check(&data);
    let contents = &data.document["dimension"]["ContentsCode"];
    assert_eq!(contents["category"]["unit"]["growth"], serde_json::json!({ "base": "unit growth", "decimals": 1 }));
    assert_eq!(contents["extension"]["method"]["sex-ratio"], "Method sex-ratio");
    assert_eq!(contents["extension"]["measuringType"], serde_json::json!({ "growth": "Flow", "sex-ratio": "Other" }));
    // What is left out is at its total, where ratios are.
    assert!(data.document["value"].as_array().unwrap().iter().any(serde_json::Value::is_number));
}

#[test]
fn groups_have_shares_of_the_total_and_no_ratios() {
    let path = "/tables/people/data?codelist[Age]=agg_age_care&valueCodes[ContentsCode]=dependency,growth,median&valueCodes[Tid]=2024-S2";
    let data = dataset(get(path).json());
    let mut growths = 0;
    data.each_place(|codes, cell| match data.number(cell) {
        Ok(_) => {
            assert!(codes.contains(&("ContentsCode", "growth")), "{codes:?}");
            growths += 1;
        }
        Err(mark) => assert!(mark == "x" || codes.contains(&("ContentsCode", "growth")), "{codes:?}"),
    });
    assert!(growths > 0);
}
