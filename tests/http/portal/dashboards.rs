//! Dashboards: files that are wrong are refused with their line, what is shown is true, and everything can be taken away.

use cacah::{
    error::Error,
    serve::{Application, ServeSettings},
    storage::Store,
};

use super::{EVERYTHING, addresses, files, page, portal, said};
use crate::http::{settings, sql, world::World};

/// What the service says of a file instead of starting.
fn refused(text: &str) -> String {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().to_str().unwrap()).unwrap();
        World::new().publish(&store).await;
        let settings = ServeSettings { queries: sql::shared_queries(), dashboards: files(&[("boards/wrong.toml", text)]), ..settings() };
        match Application::build(&store, &settings).await {
            Err(error @ Error::Definition(_)) => error.to_string(),
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("the file was taken:\n{text}"),
        }
    })
}

#[test]
fn a_wrong_file_is_refused_with_its_line() {
    let check = |from: &str, to: &str, says: &str| {
        assert!(EVERYTHING.contains(from), "{from}");
        let text = EVERYTHING.replacen(from, to, 1);
        let error = refused(&text);
        assert!(error.starts_with("boards/wrong.toml:") && error.contains(says), "{error}");
        let told: usize = error.split(':').nth(1).unwrap().parse().unwrap();
        // What is wrong with a panel as a whole is told at its first line, some lines above.
        let start = text[..text.find(to).unwrap()].matches('\n').count() + 1;
        assert!(
            to.is_empty() || (start.saturating_sub(4)..start + to.lines().count()).contains(&told),
            "line {told} instead of {start}: {error}"
        );
    };
    check(
        "title = { id = \"Semua & lain\", en = \"Everything & more\" }",
        "title = { id = \"Semua\" }",
        "expected a text in language 'en'",
    );
    check("default = \"first\"", "default = \"nowhere\"", "'nowhere' is no default of region");
    check("default = \"newest\"", "", "expected a default");
    check("table = \"people\"", "table = \"nothing\"", "there is no table 'nothing'; there is bands, people");
    check("query = \"people\"", "query = \"nothing\"", "there is no query 'nothing'");
    check("chart = \"pyramid\"", "chart = \"cake\"", "there is no chart 'cake'; expected one of pyramid, bars");
    check("show = \"quality\"", "show = \"quality\"\nchange = true", "a panel of this kind has no 'change'");
    check("show = \"audit\"", "show = \"audit\"\nwidth = 99", "expected a width of 2 to 12 columns");
    check("show = \"audit\"", "show = \"audio\"", "unknown variant `audio`");
    check("change = true", "chnge = true", "unknown field `chnge`");
    let select = "select = { Region = \"$region\", Tid = \"$period\" }\nchange = true";
    check(select, "select = { Region = \"$place\", Tid = \"$period\" }\nchange = true", "there is nothing for $place");
    check(select, "select = { Region = \"*\", Tid = \"$period\" }\nchange = true", "expected one number, found");
    check(select, "select = { Region = \"$region\", Tid = \"$period\", Size = \"1\" }\nchange = true", "has no variable 'Size'");
    check("options = { compare = \"Region:$region.parent\" }", "options = { share = \"maybe\" }", "share is 'maybe'");
    check("parameters = { period = \"$period\" }", "parameters = { height = \"3\" }", "has no parameter 'height'");
}

#[test]
fn numbers_and_changes_are_true() {
    let world = &portal().world;
    for (region, period, before) in [("TOY", "2024-S2", "2024-S1"), ("11", "2024-S1", "2023-S2"), ("12", "2024-S2", "2024-S1")] {
        let text = said(&page(&format!("/dashboards/everything?lang=en&region={region}&period={period}")));
        let people = |period: &str| world.truth(period, "people", &[("Region", region)]);
        let (Ok(now), Ok(then)) = (people(period), people(before)) else { continue };
        assert!(text.contains(&format!("People {now} people")), "{region} {period}: {text}");
        let tenths = (now as f64 - then as f64) / then as f64 * 1000.0;
        let sign = if tenths.round() > 0.0 { "+" } else { "" };
        let change = format!("{sign}{:.1} %", tenths.round() / 10.0).replace('-', "−");
        assert!(text.contains(&change) || tenths.abs() < 0.5, "{region} {period}: {change} in {text}");
    }
}

#[test]
fn a_panel_that_cannot_be_filled_says_why() {
    // A regency has no parts in this world.
    let text = said(&page("/dashboards/everything?lang=en&region=1101"));
    assert!(text.contains("There is nothing to show here for what was chosen") || text.contains("Halves"), "{text}");
    let reply = page("/dashboards/everything?lang=en&region=nowhere");
    assert_eq!(reply.status, 400);
    assert!(said(&reply).contains("expected a code of Region"), "{}", said(&reply));
}

#[test]
fn regions_are_chosen_by_name_too() {
    for given in ["12", "South", "south", "South (12)"] {
        let text = said(&page(&format!("/dashboards/everything?lang=en&region={}", given.replace(' ', "+"))));
        assert!(text.contains("South · Second half of 2024"), "{given}: {text}");
    }
}

#[test]
fn text_of_a_file_is_text() {
    let reply = page("/dashboards/everything?lang=en");
    assert!(reply.text().contains("Paragraph &lt;one&gt;") && said(&reply).contains("Everything & more"));
}

/// The names and the bytes of what a ZIP file holds.
fn unpacked(bytes: &[u8]) -> std::collections::BTreeMap<String, Vec<u8>> {
    use std::io::Read as _;
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    (0..archive.len())
        .map(|at| {
            let mut file = archive.by_index(at).unwrap();
            let mut content = Vec::new();
            file.read_to_end(&mut content).unwrap();
            (file.name().unwrap().into_owned(), content)
        })
        .collect()
}

#[test]
fn a_dashboard_is_one_file_with_captions_in_both_languages() {
    let reply = page("/dashboards/everything.zip?region=11&period=2024-S2");
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/zip")));
    assert_eq!(reply.header("content-disposition"), Some("attachment; filename=\"everything-11-2024-S2.zip\""));
    let files = unpacked(&reply.body);
    for language in ["id", "en"] {
        for name in [
            "pictures/03-pyramid.{}.svg",
            "pictures/03-pyramid.{}.png",
            "pictures/03-pyramid.{}.pdf",
            "pictures/04-bars.{}.svg",
            "data/01.{}.csv",
            "data/05.{}.csv",
            "data/06.{}.csv",
            "index.{}.html",
            "captions.{}.txt",
        ] {
            let name = format!("everything/{}", name.replace("{}", language));
            assert!(files.get(&name).is_some_and(|content| !content.is_empty()), "{name} among {:?}", files.keys());
        }
        let captions = String::from_utf8(files[&format!("everything/captions.{language}.txt")].clone()).unwrap();
        assert!(captions.contains(&format!("pictures/03-pyramid.{language}.svg")) && captions.contains("2024-S2/r1"), "{captions}");
        let printed = String::from_utf8(files[&format!("everything/index.{language}.html")].clone()).unwrap();
        for picture in printed.split("<img src=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(files.contains_key(&format!("everything/{picture}")), "{picture}");
        }
        assert!(!printed.contains("<script") && !printed.contains("http-equiv"));
    }
    assert!(files["everything/pictures/03-pyramid.en.png"].starts_with(b"\x89PNG"));
    // What lies in the file is what the page leads to.
    let shown = page("/dashboards/everything?lang=en&region=11&period=2024-S2");
    let csv = addresses(&shown, "href")
        .into_iter()
        .find(|link| link.contains("/api/v2/tables/people/data") && link.contains("outputFormat=csv") && link.contains("agg_age_halves"))
        .unwrap();
    assert_eq!(page(&csv).body, files["everything/data/05.en.csv"]);
    assert_eq!(page("/dashboards/nothing.zip").status, 404);
}

/// The shipped ones need the shipped register, so this only asks that each of them is read without a fault of its own.
#[test]
fn shipped_dashboards_are_well_formed() {
    let shipped = cacah::dashboards::shipped();
    assert_eq!(
        shipped.keys().map(String::as_str).collect::<Vec<_>>(),
        [
            "comparison.toml",
            "credit-market.toml",
            "data-quality.toml",
            "health-planning.toml",
            "home.toml",
            "productive-age.toml",
            "profile.toml",
            "semester-overview.toml"
        ]
    );
}
