//! Whoever signs in sees what everybody sees, and what is granted besides: on every surface, for every pair of scopes.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::Arc,
};

use cacah::{
    access::{Access, Role},
    engine::{ServingEngine, ServingSettings},
    release::Catalogue,
    serve::ServeSettings,
    storage::Store,
    tables::{CONTENTS, CellStatus, Library, Request, Scope, Scopes, Selection, TIME, answer, resolve},
};
use chrono::Utc;

use super::{
    access::{PASSWORD, active, asked_for, everything, institution},
    admin::Browser,
    client::{Reply, request},
    portal::{EVERYTHING, files},
    serving, settings,
    sql::{PEOPLE, wire::Wire},
    world,
};

/// A query of a table that is granted, for one province.
const BANDED: &str = r#"--! title = { id = "Kelompok", en = "Bands" }
--! description = { id = "Wilayah", en = "Regions" }
--! audience = { id = "Semua", en = "Everyone" }
--!
--! [[parameter]]
--! name = "region"
--! label = { id = "Provinsi", en = "Province" }
--! kind = "region"
--! levels = ["province"]
--! default = "first"
--!
--! [[column]]
--! name = "region"
--! label = { id = "Wilayah", en = "Region" }
--! codes = "region"
--!
--! [[column]]
--! name = "value"
--! label = { id = "Nilai", en = "Value" }
--! unit = { id = "orang", en = "people" }
--! status = "status"
--!
--! [[column]]
--! name = "status"
--! label = { id = "Keterangan", en = "Status" }
SELECT region, value, status FROM bands WHERE region = $region AND age = 'T' AND period = '2024-S2'
"#;

/// A dashboard for one region, with a number of each of some tables; on a page of its own for one that is not the country.
fn dashboard(place: &str, tables: &[&str]) -> String {
    let levels = if place == "own" { "levels = [\"province\", \"regency\"]" } else { "" };
    let mut text = format!(
        r#"
title = {{ id = "Angka", en = "Numbers" }}
description = {{ id = "Beberapa", en = "Some" }}
audience = {{ id = "Semua", en = "Everyone" }}
place = "{place}"

[[filter]]
name = "region"
label = {{ id = "Wilayah", en = "Region" }}
kind = "region"
{levels}
default = "first"
"#
    );
    for table in tables {
        text.push_str(&format!(
            r#"
[[panel]]
show = "number"
title = {{ id = "Angka {table}", en = "Number of {table}" }}
table = "{table}"
select = {{ Region = "$region" }}
"#
        ));
    }
    text
}

struct World {
    address: SocketAddr,
    port: SocketAddr,
    /// The user of the province 12 who is granted `bands` alone, while `people` is open to all.
    south: String,
    south_key: String,
    all_key: String,
    administrator: String,
}

fn open_to_all() -> Scope {
    Scope { region: None, tables: Some(BTreeSet::from(["people".to_owned()])) }
}

fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let access = Arc::new(Access::open(&folder.path().join("access.sqlite")).unwrap());
    let now = Utc::now();
    access.add_institution(&institution("SOUTH", Some(&["bands"])), "tests", "", now).unwrap();
    access.add_institution(&institution("ALL", None), "tests", "", now).unwrap();
    let south = active(&access, &asked_for("SOUTH", Some("12"), "1"), now);
    let administrator = active(&access, &cacah::access::Request { role: Role::Administrator, ..asked_for("ALL", None, "2") }, now);
    let key = |user: &str| access.add_key(user, "tests", 30, "tests", now).unwrap().1;
    let (south_key, all_key) = (key(&south), key(&administrator));
    let service = serving(&ServeSettings {
        access: Some(Arc::clone(&access)),
        open: Some(open_to_all()),
        queries: files(&[("people.sql", PEOPLE), ("banded.sql", BANDED)]),
        dashboards: files(&[
            ("everything.toml", EVERYTHING),
            ("mixed.toml", &dashboard("own", &["people", "bands"])),
            ("banded.toml", &dashboard("own", &["bands"])),
            ("profile.toml", &dashboard("profile", &["people", "bands"])),
            ("comparison.toml", &dashboard("comparison", &["people", "bands"])),
        ]),
        postgres: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        ..settings()
    });
    // The files stay open; their folder may go.
    std::mem::forget(folder);
    World { address: service.address, port: service.port.unwrap(), south, south_key, all_key, administrator }
}

fn ask(world: &World, key: Option<&str>, path: &str) -> Reply {
    let bearer = key.map(|key| format!("Bearer {key}"));
    let headers: Vec<(&str, &str)> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
    request(world.address, "GET", path, &headers, b"")
}

#[test]
fn whoever_signs_in_sees_what_everybody_sees() {
    let world = world();
    let (mut answered, mut same) = (0, 0);
    let more = ["/regions/1101", "/regions/11?lang=en", "/compare?region=11,1103", "/dashboards/everything?region=11", "/search?q=dogwood"];
    for path in everything().into_iter().chain(more.map(String::from)) {
        let everybody = ask(&world, None, &path);
        let signed_in = ask(&world, Some(&world.south_key), &path);
        if everybody.status != 200 {
            continue;
        }
        assert_eq!(signed_in.status, 200, "{path} is taken away: {}", signed_in.text());
        answered += 1;
        // Numbers are the same to the last byte; pages differ in what else there is to see.
        if ["/api/v2/tables/people/", "/api/v2/codelists/", "/api/v2/queries/people/data", "/charts/"].iter().any(|of| path.starts_with(of))
        {
            assert_eq!(everybody.text(), signed_in.text(), "{path}");
            same += 1;
        }
        // Which regions are compared at first is chosen among those of which every panel shows something.
        let names: &[&str] = if path.starts_with("/compare") && !path.contains("region=") { &[] } else { &["North", "Dogwood"] };
        for outside in names {
            let is_there = |reply: &Reply| String::from_utf8_lossy(&reply.body).contains(outside);
            assert!(!is_there(&everybody) || is_there(&signed_in), "{path} shows {outside} to everybody, and not to who signs in");
        }
    }
    assert!(answered > 40 && same > 12, "{answered} answers, {same} of numbers");
    // And by a session of a browser, and over SQL.
    let browser = Browser::new(world.address, &world.south);
    assert_eq!((browser.get("/regions/1101").status, browser.get("/tables/people?valueCodes[Region]=1101").status), (200, 200));
    let (mut everybody, mut south) = (Wire::connect_as(world.port, "cacah"), Wire::enter(world.port, &world.south, PASSWORD).unwrap());
    for statement in ["SELECT DISTINCT region FROM people ORDER BY region", "SELECT code FROM dim_region ORDER BY code"] {
        let (open, own) = (everybody.ask(statement), south.ask(statement));
        assert!(open.error.is_none() && open.rows.len() > 6, "{open:?}");
        assert_eq!(open.rows, own.rows, "{statement}");
    }
}

#[test]
fn what_is_granted_besides_keeps_to_the_office() {
    let world = world();
    let south = |path: &str| ask(&world, Some(&world.south_key), path);
    let all = |path: &str| ask(&world, Some(&world.all_key), path);
    let rest = "valueCodes[Age]=*&valueCodes[ContentsCode]=*&valueCodes[Tid]=*";
    // Everything of the table is what lies in the office's region, and its numbers and shares are those that everybody is told who sees more.
    for (own, whole) in [
        ("valueCodes[Region]=*", "valueCodes[Region]=TOY,12"),
        ("codelist[Region]=vs_region_province", "codelist[Region]=vs_region_province&valueCodes[Region]=12"),
        ("valueCodes[Region]=children(TOY)", "valueCodes[Region]=12"),
        ("valueCodes[Region]=within(TOY)", "valueCodes[Region]=TOY,12"),
        ("valueCodes[Region]=top(9)", "valueCodes[Region]=TOY,12"),
        ("valueCodes[Region]=1*", "valueCodes[Region]=12"),
    ] {
        let path = |of: &str| format!("/api/v2/tables/bands/data?{of}&{rest}&outputFormat=csv");
        let reply = south(&path(own));
        assert_eq!(reply.status, 200, "{own}: {}", reply.text());
        assert_eq!(reply.text(), all(&path(whole)).text(), "{own}");
    }
    for path in [
        "/api/v2/tables/bands/metadata",
        "/api/v2/tables/bands/metadata?codelist[Region]=vs_region_province",
        "/api/v2/tables/bands/defaultselection",
        "/api/v2/tables/bands/data",
        "/sdmx/2.1/data/bands",
        "/sdmx/2.1/contentconstraint/all/CC_BANDS/latest",
        "/sdmx/2.1/availableconstraint/bands",
        "/tables/bands?lang=en",
        "/tables/bands?valueCodes[Region]=12&lang=en",
        "/charts/bars.svg?table=bands&valueCodes[Region]=*",
        "/api/v2/queries/banded/data",
        "/api/v2/queries/banded?lang=en",
        "/queries/banded?lang=en",
        "/dashboards/banded?lang=en",
        "/dashboards/banded.zip",
    ] {
        let (reply, whole) = (south(path), all(path));
        assert_eq!((reply.status, whole.status), (200, 200), "{path}: {}", String::from_utf8_lossy(&reply.body));
        let text = String::from_utf8_lossy(&reply.body);
        for outside in ["North", "Ash", "Dogwood", "\"11\":", "id=\"REGION\" value=\"11\"", "<com:Value>11</com:Value>"] {
            assert!(!text.contains(outside), "{path} shows {outside}: {text}");
        }
        let tags = (reply.header("etag"), whole.header("etag"));
        assert!(tags.0.is_none() || tags.0 != tags.1, "{path}: both scopes have the tag {tags:?}");
    }
    let refused = |path: &str, says: &[&str]| {
        let reply = south(path);
        assert_eq!(reply.status, 403, "{path}: {}", reply.text());
        for text in says {
            assert!(reply.text().contains(text), "{path}: no '{text}' in {}", reply.text());
        }
    };
    let of_table = ["11 lies outside of what you may see of table bands", "South (12)"];
    for asked in ["11", "children(11)", "within(11)", "[range(11,12)]", "from(11)", "12,11"] {
        refused(&format!("/api/v2/tables/bands/data?valueCodes[Region]={asked}&{rest}&lang=en"), &of_table);
    }
    refused(&format!("/api/v2/tables/bands/data?codelist[Region]=vs_region_province&valueCodes[Region]=11&{rest}&lang=en"), &of_table);
    refused(&format!("/api/v2/tables/bands/estimate?valueCodes[Region]=11&{rest}&lang=en"), &of_table);
    refused("/charts/bars.svg?table=bands&valueCodes[Region]=11&lang=en", &of_table);
    refused("/charts/ranking.svg?table=bands&valueCodes[Region]=1101&lang=en", &["1101 lies outside"]);
    refused("/sdmx/2.1/data/bands/S.11..", &["South (12)"]);
    refused("/api/v2/queries/banded/data?region=11&lang=en", &of_table);
    refused("/charts/bars.svg?query=banded&region=11&lang=en", &["11 lies outside"]);
    refused("/dashboards/banded?region=11&lang=en", &["11 lies outside"]);
    refused("/api/v2/tables/sparse/data?lang=en", &["not granted table 'sparse'"]);
    // Pages on which something else can be chosen say it beside the form.
    for path in ["/tables/bands?valueCodes[Region]=11&lang=en", "/queries/banded?region=11&lang=en"] {
        let reply = south(path);
        assert!(reply.status == 200 && reply.text().contains(of_table[0]) && !reply.text().contains("North"), "{path}: {}", reply.text());
    }
    // What is granted in part stands beside what is open: each panel says for itself.
    for path in ["/dashboards/mixed?region=11&lang=en", "/regions/11?lang=en"] {
        let reply = south(path);
        assert!(reply.status == 200 && reply.text().contains("Number of people") && reply.text().contains(of_table[0]), "{path}");
    }
    assert!(!south("/regions/11").text().contains("/tables/bands") && south("/regions/12").text().contains("/tables/bands"));
    let own = south("/dashboards/mixed?lang=en");
    assert!(own.text().contains("South") && !own.text().contains("lies outside"), "{}", own.text());

    let mut wire = Wire::enter(world.port, &world.south, PASSWORD).unwrap();
    let mut rows = |text: &str| {
        let heard = wire.ask(text);
        assert!(heard.error.is_none(), "{text}: {heard:?}");
        heard.rows.into_iter().map(|row| row[0].clone().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(rows("SELECT DISTINCT region FROM bands ORDER BY region"), ["12", "TOY"]);
    assert_eq!(rows("SELECT count(*) FROM bands WHERE region = '11' OR region_label = 'North'"), ["0"]);
    assert_eq!(rows("SELECT DISTINCT b.region FROM people p JOIN bands b ON p.region = b.region ORDER BY 1"), ["12", "TOY"]);
}

#[test]
fn a_saved_query_is_answered_as_far_as_its_reader_sees() {
    let world = world();
    let body = r#"{"tableId":"bands","selection":{"selection":[{"variableCode":"Region","valueCodes":["11","12"]},
        {"variableCode":"ContentsCode","valueCodes":["*"]},{"variableCode":"Tid","valueCodes":["*"]}]}}"#;
    let save = |key: &str, body: &str| {
        let bearer = format!("Bearer {key}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        request(world.address, "POST", "/api/v2/savedqueries", &headers, body.as_bytes())
    };
    assert_eq!(save(&world.south_key, body).status, 403);
    for (body, status) in [(body.to_owned(), 403), (body.replace("\"11\",", ""), 200), (body.replace("bands", "people"), 200)] {
        let saved = save(&world.all_key, &body);
        assert_eq!(saved.status, 201, "{}", saved.text());
        let id = serde_json::from_slice::<serde_json::Value>(&saved.body).unwrap()["id"].as_str().unwrap().to_owned();
        let path = format!("/api/v2/savedqueries/{id}/data");
        assert_eq!(ask(&world, Some(&world.south_key), &path).status, status, "{body}");
    }
}

#[test]
fn an_administrator_is_told_both_and_sees_both_as_the_user_does() {
    let world = world();
    let desk = Browser::new(world.address, &world.administrator);
    let rights = desk.page(&format!("/admin/users/{}?lang=en", world.south));
    for told in ["South (12), 2 regions within it", "Open to everybody, in every region", "People people", "People bands", "Not granted"] {
        assert!(rights.contains(told), "no '{told}' in {rights}");
    }
    let reply = desk.post(&format!("/admin/users/{}", world.south), &[("act", "see-as")]);
    assert_eq!(reply.status, 303);
    for (path, status) in [
        ("/regions/1101", 200),
        ("/tables/people?valueCodes[Region]=1101", 200),
        ("/api/v2/tables/bands/data?valueCodes[Region]=12&valueCodes[ContentsCode]=*&valueCodes[Tid]=*", 200),
        ("/api/v2/tables/bands/data?valueCodes[Region]=11&valueCodes[ContentsCode]=*&valueCodes[Tid]=*", 403),
        ("/tables/sparse", 403),
    ] {
        assert_eq!(desk.get(path).status, status, "{path}");
    }
    let account = Browser::new(world.address, &world.south).page("/account?lang=en");
    assert!(account.contains("South · People bands") && account.contains("Open to everybody, in every region"), "{account}");
}

/// The library of the whole world with what reads its cells.
async fn library(folder: &std::path::Path) -> (Arc<Library>, Arc<ServingEngine>) {
    let store = Store::open(folder.to_str().unwrap()).unwrap();
    world::World::new().publish(&store).await;
    let engine = Arc::new(ServingEngine::new(&store, ServingSettings::default()).unwrap());
    let library = Arc::new(Library::open(&Catalogue::open(&store).await.unwrap(), &engine).await.unwrap());
    (library, engine)
}

/// Scopes of every kind: a region at each level, one that there is not, and the country, each with all, some or no tables.
fn scopes() -> Vec<Scope> {
    let regions = [None, Some("TOY"), Some("11"), Some("12"), Some("1101"), Some("1201"), Some("99")];
    let tables: [Option<&[&str]>; 4] = [None, Some(&["people"]), Some(&["bands", "sparse"]), Some(&[])];
    let scope = |region: Option<&str>, tables: Option<&[&str]>| Scope {
        region: region.map(str::to_owned),
        tables: tables.map(|tables| tables.iter().map(|table| (*table).to_owned()).collect()),
    };
    regions.into_iter().flat_map(|region| tables.map(|tables| scope(region, tables))).collect()
}

/// For each table the codes of regions that it shows.
fn shown(library: &Library) -> BTreeMap<String, BTreeSet<String>> {
    let codes = |entry: &cacah::tables::TableEntry| {
        let axis = &entry.axes[entry.region(library).unwrap()];
        axis.nodes.iter().map(|&node| library.dimensions[axis.dimension].nodes[node as usize].code.clone()).collect()
    };
    library.tables.iter().map(|entry| (entry.table.id.clone(), codes(entry))).collect()
}

/// Every count of some regions of a table, by its codes.
async fn counts(library: &Arc<Library>, engine: &Arc<ServingEngine>, table: &str, regions: &BTreeSet<String>) -> Vec<(i64, CellStatus)> {
    let at = library.tables.iter().position(|entry| entry.table.id == table).unwrap();
    let choose = |variable: &str, values: Vec<String>| Selection { variable: variable.into(), codelist: None, values };
    let mut selections = vec![choose(CONTENTS, vec!["*".into()]), choose(TIME, vec!["*".into()])];
    for axis in &library.tables[at].axes {
        let variable = &library.dimensions[axis.dimension].variable;
        selections.push(choose(variable, if variable == "Region" { regions.iter().cloned().collect() } else { vec!["*".into()] }));
    }
    let query = resolve(library, at, &Request { selections, ..Request::default() }, u64::MAX).unwrap();
    let found = answer(Arc::clone(library), Arc::clone(engine), query).await.unwrap();
    found.values.into_iter().zip(found.statuses).collect()
}

#[test]
fn a_union_shows_what_its_parts_show_and_nothing_else() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    runtime.block_on(async {
        let (whole, engine) = library(folder.path()).await;
        let scopes = scopes();
        let (mut compared, mut narrowed) = (0, 0);
        for (at, one) in scopes.iter().enumerate() {
            for (place, other) in scopes.iter().enumerate() {
                let both: Scopes = [one, other].into_iter().cloned().collect();
                let turned: Scopes = [other, one].into_iter().cloned().collect();
                assert_eq!(both, turned, "{one:?} {other:?}");
                let union = Arc::new(whole.within(&both));
                let mut expected = shown(&whole.within(&one.clone().into()));
                for (table, codes) in shown(&whole.within(&other.clone().into())) {
                    expected.entry(table).or_default().extend(codes);
                }
                assert_eq!(shown(&union), expected, "{one:?} and {other:?}");
                narrowed += usize::from(union.tables.iter().any(|entry| entry.axes.iter().any(|axis| axis.seen.is_some())));
                if (at + place) % 5 == 0 {
                    for (table, regions) in &expected {
                        let (own, all) = (counts(&union, &engine, table, regions).await, counts(&whole, &engine, table, regions).await);
                        assert!(!own.is_empty() && own == all, "{table} of {one:?} and {other:?}");
                        compared += 1;
                    }
                }
            }
        }
        assert!(compared > 200 && narrowed > 100, "{compared} tables compared, {narrowed} narrowed");
    });
}

#[test]
fn a_cell_out_of_sight_is_not_read_whoever_asks() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    runtime.block_on(async {
        let (whole, engine) = library(folder.path()).await;
        let granted = Scope { region: Some("12".into()), tables: Some(BTreeSet::from(["bands".to_owned()])) };
        let part = Arc::new(whole.within(&[open_to_all(), granted].into_iter().collect()));
        let bands = |library: &Library| library.tables.iter().position(|entry| entry.table.id == "bands").unwrap();
        let choose = |(variable, value): (&str, &str)| Selection { variable: variable.into(), codelist: None, values: vec![value.into()] };
        let selections = [("Region", "*"), (CONTENTS, "persons"), (TIME, "*")].map(choose).into();
        let request = Request { selections, ..Request::default() };
        // A query that the whole library understood, and that no part of it would have made.
        let mut query = resolve(&whole, bands(&whole), &request, u64::MAX).unwrap();
        let all = answer(Arc::clone(&whole), Arc::clone(&engine), query.clone()).await.unwrap();
        query.table = bands(&part);
        let own = answer(Arc::clone(&part), Arc::clone(&engine), query.clone()).await.unwrap();
        let dimension = whole.regions().unwrap();
        let per_region = own.statuses.len() / query.size(query.variables().next().unwrap());
        let mut hidden = 0;
        for (at, code) in ["TOY", "11", "12"].into_iter().enumerate() {
            assert!(dimension.find(code).is_some());
            for cell in at * per_region..(at + 1) * per_region {
                if code == "11" {
                    assert_eq!((own.statuses[cell], own.values[cell]), (CellStatus::Unavailable, 0));
                    hidden += usize::from(all.statuses[cell] == CellStatus::Published);
                } else {
                    assert_eq!((own.statuses[cell], own.values[cell]), (all.statuses[cell], all.values[cell]));
                }
            }
        }
        assert!(hidden > 0, "there was something to hide");
    });
}
