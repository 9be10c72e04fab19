//! The explorer: what a table on a page shows is true, and no choice of a reader's is lost.

use super::{addresses, page, portal, rows, said};

/// The cells of `/tables/people` by codes, period by period.
#[test]
fn tables_on_pages_say_what_is_true() {
    let mut marks = 0;
    for period in crate::http::world::PERIODS {
        for sex in ["T", "L", "P"] {
            let reply = page(&format!(
                "/tables/people?labels=code&valueCodes[Region]=*&valueCodes[Age]=*&valueCodes[Sex]={sex}&valueCodes[Tid]={period}&stub=Region,Age&heading=Sex,ContentsCode,Tid"
            ));
            let rows = rows(&reply);
            assert!(rows.len() > 30, "{} rows", rows.len());
            for row in rows {
                let [region, age, shown] = row.as_slice() else { panic!("{row:?}") };
                let expect = match portal().world.truth(period, "people", &[("Region", region), ("Age", age), ("Sex", sex)]) {
                    Ok(people) => people.to_string(),
                    Err(mark) => {
                        marks += 1;
                        format!("[{mark}]")
                    }
                };
                assert_eq!(shown.replace('.', ""), expect, "{period} {sex} {row:?}");
            }
        }
    }
    assert!(marks > 20, "{marks} marks");
}

#[test]
fn boxes_that_are_ticked_choose() {
    // As a form without scripts sends them.
    let reply = page(
        "/tables/people?labels=code&valueCodes[Region]=11&valueCodes[Region]=1101&valueCodes[Age]=C&valueCodes[Age]=O&codelist[Age]=&codelist[Sex]=&valueCodes[ContentsCode]=persons&valueCodes[Tid]=2024-S2&heading=Age&heading=ContentsCode&heading=Tid&stub=Region",
    );
    assert_eq!(rows(&reply).iter().map(|row| row[0].as_str()).collect::<Vec<_>>(), ["11", "1101"]);
    let ticked: Vec<&str> = reply
        .text()
        .split("<input type=\"checkbox\"")
        .skip(1)
        .filter(|rest| rest.split('>').next().unwrap().contains("checked"))
        .map(|rest| rest.split("value=\"").nth(1).unwrap().split('"').next().unwrap())
        .collect();
    assert_eq!(ticked, ["11", "1101", "C", "O", "persons", "2024-S2"]);
}

#[test]
fn another_code_list_takes_what_it_has() {
    // Ages of another list are no longer there; a province stands for the regencies in it.
    let reply = page(
        "/tables/people?labels=code&codelist[Age]=agg_age_halves&valueCodes[Age]=C,OLD&codelist[Region]=vs_region_regency&valueCodes[Region]=12&valueCodes[Tid]=2024-S2",
    );
    let rows = rows(&reply);
    assert_eq!(rows.iter().map(|row| row[0].as_str()).collect::<Vec<_>>(), ["1201", "1202"], "{rows:?}");
    assert_eq!(rows[0].len(), 2, "one group is left: {rows:?}");
}

#[test]
fn a_button_chooses_a_whole_level_within_a_place() {
    let reply = page("/tables/people?labels=code&valueCodes[Region]=11&level[Region]=vs_region_regency:12&valueCodes[Tid]=2024-S2");
    assert_eq!(rows(&reply).iter().map(|row| row[0].as_str()).collect::<Vec<_>>(), ["1201", "1202"]);
    for nothing in ["vs_region_regency:zz", "nothing:12", "", ":"] {
        let reply = page(&format!("/tables/people?level[Region]={nothing}&valueCodes[Tid]=2024-S2"));
        assert!(reply.status == 200 || reply.status == 400, "{nothing}: {}", reply.status);
    }
}

#[test]
fn codes_can_be_pasted() {
    let reply = page("/tables/people?lang=en&labels=code&paste[Region]=1101%0A1201;%20nowhere&valueCodes[Tid]=2024-S2");
    assert_eq!(rows(&reply).iter().map(|row| row[0].as_str()).collect::<Vec<_>>(), ["1101", "1201"]);
    assert!(said(&reply).contains("These codes are not in the table: nowhere"));
}

#[test]
fn what_was_placed_is_kept_as_far_as_it_goes() {
    // Sex is placed but not chosen, Age is chosen but not placed.
    let reply = page("/tables/people?labels=code&valueCodes[Region]=11,12&valueCodes[Age]=*&stub=Sex,Region&heading=Tid");
    assert_eq!(reply.status, 200);
    let rows = rows(&reply);
    assert_eq!(rows[0][0], "11");
    assert!(rows.len() > 10, "{rows:?}");
}

#[test]
fn rows_stand_in_order_and_what_is_withheld_stands_last() {
    let reply =
        page("/tables/people?labels=code&valueCodes[Region]=*&valueCodes[Age]=*&valueCodes[Tid]=2024-S2&stub=Region,Age&sort=0-desc");
    assert!(reply.text().contains("aria-sort=\"descending\""));
    let shown: Vec<Option<i64>> = rows(&reply).iter().map(|row| row.last().unwrap().replace('.', "").parse().ok()).collect();
    let numbers: Vec<i64> = shown.iter().map_while(|number| *number).collect();
    assert!(numbers.len() > 10 && numbers.is_sorted_by(|a, b| a >= b), "{shown:?}");
    assert!(shown[numbers.len()..].iter().all(Option::is_none), "{shown:?}");
    let rising = page("/tables/people?labels=code&valueCodes[Region]=*&valueCodes[Age]=*&valueCodes[Tid]=2024-S2&stub=Region,Age&sort=0");
    let first: i64 = rows(&rising)[0].last().unwrap().replace('.', "").parse().unwrap();
    assert_eq!(Some(&first), numbers.last());
}

#[test]
fn long_tables_come_in_parts_that_make_the_whole() {
    let address = "/tables/people?labels=both&valueCodes[Region]=*&valueCodes[Age]=*&valueCodes[Sex]=*&valueCodes[Tid]=*&valueCodes[ContentsCode]=*&stub=Region,Age,Sex,Tid&heading=ContentsCode";
    let mut next = Some(address.to_owned());
    let (mut parts, mut all) = (0, Vec::new());
    while let Some(address) = next {
        let reply = page(&address);
        all.extend(rows(&reply).into_iter().map(|row| row[..8].join("/")));
        parts += 1;
        next = addresses(&reply, "data-next").into_iter().next();
    }
    let mut once = all.clone();
    once.sort();
    once.dedup();
    assert!(parts > 2, "{parts} parts");
    assert_eq!(all.len(), once.len(), "no row comes twice");
    let regions = all.iter().map(|row| row.split('/').next().unwrap().to_owned()).collect::<std::collections::BTreeSet<_>>().len();
    assert_eq!(all.len() % regions, 0);
}

#[test]
fn only_the_marks_that_occur_are_explained() {
    let published = page("/tables/people?lang=en&valueCodes[Region]=TOY&valueCodes[Tid]=2024-S2");
    assert!(!published.text().contains("data-mark"), "{}", published.text());
    let impossible = page("/tables/people?lang=en&valueCodes[Region]=TOY&valueCodes[Age]=O&valueCodes[Sex]=L&valueCodes[Tid]=2024-S2");
    assert!(impossible.text().contains("data-mark=\"z\"") && !impossible.text().contains("data-mark=\"c\""));
}

#[test]
fn notes_that_nobody_may_overlook_stand_above_what_they_are_about() {
    let without = page("/tables/people?lang=en&valueCodes[Region]=TOY&valueCodes[Age]=C");
    assert!(said(&without).contains("Toys are no people") && !said(&without).contains("Nobody asks"));
    let with = said(&page("/tables/people?lang=en&valueCodes[Region]=TOY&valueCodes[Age]=O"));
    assert!(with.find("Nobody asks").unwrap() < with.find("Download").unwrap(), "{with}");
}

#[test]
fn a_choice_that_cannot_be_answered_is_explained_on_the_page() {
    let reply = page("/tables/people?lang=en&valueCodes[Region]=nowhere");
    assert_eq!(reply.status, 200);
    let text = said(&reply);
    assert!(text.contains("Region has no code 'nowhere'") && text.contains("Show"), "{text}");
}

#[test]
fn every_view_shows_something_of_any_selection() {
    for selection in [
        "",
        "&valueCodes[Region]=TOY",
        "&valueCodes[Region]=1101&valueCodes[Age]=*&valueCodes[Sex]=*&valueCodes[Tid]=*",
        "&valueCodes[Region]=*&codelist[Age]=agg_age_care",
        "&valueCodes[Region]=11,12&valueCodes[ContentsCode]=growth,median",
    ] {
        for view in ["pyramid", "bars", "lines", "ranking", "heat", "map"] {
            let reply = page(&format!("/tables/people?lang=en&view={view}{selection}"));
            let pictures = addresses(&reply, "src").into_iter().filter(|address| address.starts_with("/charts/")).collect::<Vec<_>>();
            // Regencies have no tiles in this world, and a single place has no map.
            if pictures.is_empty() {
                assert!(
                    view == "map" || reply.text().contains("role=\"alert\"") || reply.text().contains("class=\"alert\""),
                    "{view}{selection}"
                );
                continue;
            }
            let drawn = page(&pictures[0]);
            let no_map = view == "map" && drawn.status == 400;
            assert!(drawn.status == 200 || no_map, "{view}{selection}: {} {}", pictures[0], drawn.text());
        }
    }
}

#[test]
fn a_region_leads_to_its_parts_and_back() {
    let reply = page("/tables/people?lang=en&valueCodes[Region]=TOY,children(TOY)");
    let links = addresses(&reply, "href");
    assert!(links.iter().any(|link| link.contains("valueCodes[Region]=11,children(11)")), "{links:?}");
    let down = page("/tables/people?lang=en&valueCodes[Region]=11,children(11)");
    assert!(addresses(&down, "href").iter().any(|link| link.contains("valueCodes[Region]=TOY,children(TOY)")));
}

#[test]
fn children_and_all_within_can_be_asked_for() {
    let csv = |codes: &str| {
        let reply = page(&format!(
            "/api/v2/tables/people/data?valueCodes[Region]={codes}&valueCodes[Tid]=2024-S2&valueCodes[ContentsCode]=persons&outputFormat=csv"
        ));
        reply.text().lines().skip(1).map(|line| line.split(',').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(csv("children(TOY)"), ["11", "12"]);
    assert_eq!(csv("children(12)"), ["1201", "1202"]);
    assert_eq!(csv("within(12)"), ["12", "1201", "1202"]);
    let refused = |codes: &str| {
        page(&format!("/api/v2/tables/people/data?valueCodes[Region]={codes}&valueCodes[Tid]=2024-S2&valueCodes[ContentsCode]=persons"))
    };
    assert_eq!(refused("children(1101)").status, 400);
    assert_eq!(refused("within(nowhere)").status, 400);
}
