//! `cacah attack` through the real program: what it finds, that its proofs hold, and what it says of bad input.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use bytes::Bytes;
use cacah::{
    register::{Definitions, Shape, Sources, Status},
    release::{FORMAT, Manifest, Protection, Register, ReleasedTable, write_cells},
    storage::FileDigest,
};

use crate::{
    clients::{ends_well, installed},
    common::{assert_says, fail, regions, run, succeed},
    pipeline::other_register,
    s3::service::{OFFICE, S3},
};

const RELEASES: &str = "warehouse/releases";

/// Checks the proofs with the program and with a checker that shares nothing with it.
fn assert_proven(releases: &str, results: &str, folder: &Path) {
    assert_says(&succeed(&["attack", releases, "--check", results], folder), &["lines prove", "checked in whole numbers"]);
    let mut checker = Command::new(installed("CACAH_TEST_PYTHON"));
    checker
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/attack_check.py"))
        .args([releases, results])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(folder);
    ends_well(&mut checker, "attack_check.py", "proofs agree");
}

/// By revision, table and codes the smallest and the largest count, and how they were found.
type Ranges = BTreeMap<(String, String, String), (u64, Option<u64>, String)>;

/// The ranges of a period.
fn ranges(folder: &Path) -> Ranges {
    let mut reader = csv::Reader::from_path(folder.join("ranges.csv")).unwrap();
    let row = |record: csv::StringRecord| {
        let high = Some(&record[5]).filter(|high| !high.is_empty()).map(|high| high.parse().unwrap());
        let key = (record[0].to_owned(), record[1].to_owned(), record[3].to_owned());
        (key, (record[4].parse().unwrap(), high, record[6].to_owned()))
    };
    reader.records().map(|record| row(record.unwrap())).collect()
}

const REGISTER: &str = r#"
id = "village"
label = { en = "A register" }
agency = "TEST"
source = { en = "Made up" }
license = "https://example.org/licence"
frequency = "annual"
languages = [{ id = "en", label = "English" }]

[household]
column = "CARD"
digits = [4, 4]
relation = "relation"
heads = ["head"]
"#;

const VILLAGE: &str = r#"
id = "village"
variable = "Village"
label = { en = "village" }

[[level]]
id = "country"
label = { en = "Country" }

[[level]]
id = "village"
label = { en = "Village" }

[reference]
file = "villages.csv"
code = ["code"]
name = ["name"]
parent = ["parent"]
level = ["level"]

[reference.root]
code = "T"
label = { en = "Everywhere" }

[source]
kind = "region"
parts = [{ column = "VILLAGE", digits = 1 }]
"#;

/// A dimension other than regions, with one level below the total.
fn dimension(id: &str, source: &str) -> String {
    let level = |id: &str| format!("[[level]]\nid = \"{id}\"\nlabel = {{ en = \"{id}\" }}\n");
    let (total, own) = (level("total"), level(id));
    format!("id = \"{id}\"\nvariable = \"{id}\"\nlabel = {{ en = \"{id}\" }}\nnodes = \"{id}.csv\"\n{total}{own}[source]\n{source}\n")
}

fn table(id: &str, unit: &str, axes: &[(&str, &str)]) -> String {
    let mut text = format!(
        "id = \"{id}\"\nlabel = {{ en = \"{id}\" }}\ndescription = {{ en = \"{id}\" }}\nsubject = {{ en = \"all\" }}\nunit = \"{unit}\"\n\
         [contents]\ncode = \"n\"\nlabel = {{ en = \"n\" }}\nunit = {{ en = \"n\" }}\n"
    );
    for (dimension, level) in axes {
        text += &format!("[[axis]]\ndimension = \"{dimension}\"\nlevel = \"{level}\"\n");
    }
    text
}

/// Definitions of six villages, people and households by size, of which nobody believes one of more than four.
fn six_villages() -> Definitions {
    let sizes = "level,code,parent,en,from\ntotal,T,,all,\nsize,1,T,1,1\nsize,2,T,2,2\nsize,3,T,3,3\nsize,GE4,T,4 or more,4\n";
    let villages: String = (1..=6).map(|village| format!("{village},Village {village},village,\n")).collect();
    let files = [
        ("register.toml", REGISTER.to_owned()),
        ("dimensions/village.toml", VILLAGE.to_owned()),
        ("dimensions/villages.csv", format!("code,name,level,parent\n{villages}")),
        ("dimensions/relation.toml", dimension("relation", "kind = \"code\"\ncolumn = \"RELATION\"")),
        ("dimensions/relation.csv", "level,code,parent,en\ntotal,T,,all\nrelation,head,T,head\nrelation,other,T,other\n".to_owned()),
        ("dimensions/size.toml", dimension("size", "kind = \"household-size\"")),
        ("dimensions/size.csv", sizes.to_owned()),
        ("tables/people.toml", table("people", "person", &[("village", "village")])),
        ("tables/households.toml", table("households", "household", &[("village", "village"), ("size", "size")])),
        ("links.toml", "[[members]]\nsize = \"size\"\nshared = [\"village\"]\nlargest = 4\n".to_owned()),
    ];
    let sources: Sources = files.into_iter().map(|(file, text)| (file.to_owned(), text)).collect();
    Definitions::parse(&sources, None).unwrap()
}

/// Writes a release whose cells are these; `None` is withheld. Returns its folder.
fn publish(releases: &Path, revision: u32, definitions: &Definitions, cells: &[Vec<Option<u32>>]) -> PathBuf {
    let folder = releases.join(format!("2024/r{revision}"));
    fs::create_dir_all(folder.join("cells")).unwrap();
    fs::create_dir_all(folder.join("codelists")).unwrap();
    let mut manifest = Manifest {
        format: FORMAT,
        register: Register::from(definitions),
        period: "2024".parse().unwrap(),
        reference_date: "2024-12-31".into(),
        revision,
        correction: (revision > 1).then(|| "a mistake".into()),
        protection: Protection::Certified,
        threshold: 5,
        rule: None,
        audit: None,
        vintage: definitions.vintage.clone(),
        definitions: definitions.digest.clone(),
        tables: Vec::new(),
        links: definitions.links.abridged(),
        codelists: BTreeMap::new(),
        files: BTreeMap::new(),
        previous: None,
    };
    let keep = |manifest: &mut Manifest, file: &str, content: Bytes| {
        manifest.files.insert(file.to_owned(), FileDigest::of(&content));
        fs::write(folder.join(file), content).unwrap();
    };
    for (table, cells) in definitions.tables.iter().zip(cells) {
        let shape: Shape = definitions.shape(table);
        let counts: Vec<u32> = cells.iter().map(|cell| cell.unwrap_or_default()).collect();
        let status = |cell: &Option<u32>| if cell.is_some() { Status::Published } else { Status::Suppressed };
        let statuses: Vec<Status> = cells.iter().map(status).collect();
        let file = format!("cells/{}.parquet", table.id);
        keep(&mut manifest, &file, write_cells(table, &definitions.dimensions, &shape, &counts, &statuses).unwrap());
        manifest.tables.push(ReleasedTable { table: table.clone(), cells: shape.cells, file });
    }
    for dimension in definitions.dimensions.iter().filter(|dimension| dimension.id != "relation") {
        let file = format!("codelists/{}.json", dimension.id);
        keep(&mut manifest, &file, serde_json::to_vec(dimension).unwrap().into());
        manifest.codelists.insert(dimension.id.clone(), file);
    }
    fs::write(folder.join("manifest.json"), serde_json::to_vec_pretty(&manifest).unwrap()).unwrap();
    folder
}

/// Cells of households (the first table) and people. Of the first village 2 households of one person and 4 of two are withheld, and those of the
/// country with them: it has 610 people in 176 households.
fn given_away() -> Vec<Vec<Option<u32>>> {
    let row = |sizes: [u32; 4], shown: bool| {
        let small = |count: u32| shown.then_some(count);
        vec![Some(sizes.iter().sum()), small(sizes[0]), small(sizes[1]), Some(sizes[2]), Some(sizes[3])]
    };
    let other = [200, 300, 250, 100];
    let total = [2 + 5 * 200, 4 + 5 * 300, 80 + 5 * 250, 90 + 5 * 100];
    let households =
        [row(total, false), row([2, 4, 80, 90], false), row(other, true), row(other, true), row(other, true), row(other, true)];
    let households = households.into_iter().chain([row(other, true)]).flatten().collect();
    let people = [610 + 5 * 1_950, 610, 1_950, 1_950, 1_950, 1_950, 1_950].map(Some).to_vec();
    vec![households, people]
}

#[test]
fn small_counts_that_follow_from_people_and_households_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let definitions = six_villages();
    publish(&folder.join("releases"), 1, &definitions, &given_away());
    let output = run(&["attack", "releases"], folder);
    assert_eq!(output.status.code(), Some(1));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let said = ["2024 r1: 4 withheld cells, 4 determined exactly, 2 small counts given away", "Everybody lives in a counted household"];
    assert_says(&out, &said);
    assert!(err.trim_end().ends_with("2 small counts are given away; the ranges in attack say which"), "{err}");
    assert_eq!(fs::read_to_string(folder.join("attack/2024/summary.txt")).unwrap().lines().next(), Some(said[0]));
    let found = ranges(&folder.join("attack/2024"));
    let of_village = |size: &str| found[&("1".into(), "households".into(), format!("1/{size}"))].clone();
    assert_eq!([of_village("1"), of_village("2")].map(|(low, high, _)| (low, high)), [(2, Some(2)), (4, Some(4))]);
    assert_eq!(fs::read_to_string(folder.join("attack/2024/determined.csv")).unwrap().lines().count(), 5);
    assert_proven("releases", "attack", folder);

    // Whoever does not assume that everybody lives in a household learns less, and an attack on the other form replaces the first.
    let said = succeed(&["attack", "releases", "--outside", "unknown", "--format", "parquet"], folder);
    assert_says(
        &said,
        &["0 determined exactly, 0 small counts given away", "Any number of people may live", "no small count is given away"],
    );
    assert!(!folder.join("attack/2024/ranges.csv").exists());
    assert_proven("releases", "attack", folder);
    // The proofs hold for what they assume, and for nothing else.
    let path = folder.join("attack/2024/assumptions.json");
    succeed_in_failing(&["attack", "releases"], folder);
    let assumed = fs::read_to_string(&path).unwrap();
    fs::write(&path, assumed.replace("\"none\"", "\"unknown\"")).unwrap();
    assert_says(&fail(&["attack", "releases", "--check", "attack"], folder), &["derivation.parquet: line", "nobody knows how many people"]);
}

/// Runs an attack that finds something.
fn succeed_in_failing(args: &[&str], folder: &Path) {
    assert_says(&fail(args, folder), &["small counts are given away"]);
}

#[test]
fn revisions_are_attacked_together() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let definitions = six_villages();
    let withhold = |cells: &[usize]| {
        let mut of_tables = given_away();
        // All sizes of the first two villages are 4, 5, 6 and 1, those of the country are not shown at all.
        for (cell, count) in of_tables[0].iter_mut().enumerate().take(15) {
            *count = [16, 4, 5, 6, 1].get(cell % 5).copied().filter(|_| cell >= 5 && !cells.contains(&(cell % 5)));
        }
        of_tables[1].iter_mut().take(3).for_each(|people| *people = None);
        of_tables
    };
    let releases = folder.join("releases");
    publish(&releases, 1, &definitions, &withhold(&[2, 4]));
    publish(&releases, 2, &definitions, &withhold(&[1, 4]));
    publish(&releases, 3, &definitions, &withhold(&[1, 2, 4]));
    for alone in ["1", "2", "3"] {
        let said = succeed(&["attack", "releases", "--revision", alone, "--out", "alone"], folder);
        assert_says(&said, &[&format!("2024 r{alone}: "), "0 small counts given away"]);
    }
    succeed_in_failing(&["attack", "releases"], folder);
    let said = fs::read_to_string(folder.join("attack/2024/summary.txt")).unwrap();
    assert_says(&said, &["2024 r1, r2, r3: ", "Between r1 and r3 no count has changed in 6 regions"]);
    let found = ranges(&folder.join("attack/2024"));
    let of_last = |size: &str| found[&("3".into(), "households".into(), format!("1/{size}"))].clone();
    assert_eq!([of_last("1"), of_last("2")], [(4, Some(4), "published".into()), (5, Some(5), "published".into())]);
    assert_eq!(of_last("GE4"), (1, Some(1), "propagation".into()));
    assert_proven("releases", "attack", folder);
    // Regions that are said to be unchanged must be so.
    let mut changed = withhold(&[1, 2, 4]);
    changed[0][8] = Some(7);
    changed[0][5] = Some(17);
    publish(&releases, 3, &definitions, &changed);
    assert_says(&fail(&["attack", "releases", "--check", "attack"], folder), &["taken to be unchanged in which published counts differ"]);
}

#[test]
fn releases_of_the_program_are_attacked_and_proofs_hold() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let definitions = other_register("definitions");
    succeed(
        &["build", &other_register("snapshot-2024.csv"), "--period", "2024", "--definitions", &definitions, "--max-rejects", "0.05"],
        folder,
    );
    succeed(&["release", "2024"], folder);
    let said = succeed(&["attack", RELEASES, "--out", "first"], folder);
    assert_says(&said, &["2024 r1: ", "no small count is given away", "Nothing else was left undecided."]);
    assert_proven(RELEASES, "first", folder);
    // The same once more gives the same, whatever the number of threads.
    succeed(&["attack", RELEASES, "--out", "second", "--threads", "1"], folder);
    for file in ["ranges.csv", "ranges.parquet", "determined.csv", "derivation.parquet", "assumptions.json", "summary.txt"] {
        let read = |results: &str| fs::read(folder.join(results).join("2024").join(file)).unwrap();
        assert!(read("first") == read("second"), "{file} differs");
    }

    fs::write(folder.join("regions.csv"), regions(&["34.71.01", "34.71.02", "51.71.01"])).unwrap();
    let sample = ["sample", "--period", "2024-S1", "--persons", "30000", "--regions", "regions.csv", "--out", "people.csv"];
    succeed(&sample, folder);
    succeed(&["build", "people.csv", "--period", "2024-S1", "--regions", "regions.csv", "--warehouse", "other"], folder);
    succeed(&["release", "2024-S1", "--warehouse", "other"], folder);
    // Whether something is given away is for others to say; here the proofs are in question.
    let output = run(&["attack", "other/releases", "--time-budget", "10s"], folder);
    assert!([Some(0), Some(1)].contains(&output.status.code()), "{output:?}");
    assert_proven("other/releases", "attack", folder);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_says(&said, &["2024-S1 r1: ", "population", "households", "Everybody lives in a counted household"]);
}

#[test]
fn releases_on_s3_are_attacked_alike() {
    let (s3, folder) = (S3::start(), tempfile::tempdir().unwrap());
    let folder = folder.path();
    publish(&folder.join("releases"), 1, &six_villages(), &given_away());
    let local = object_store::local::LocalFileSystem::new_with_prefix(folder.join("releases")).unwrap();
    let files = s3.files(&local, "2024").into_iter().map(|(path, content)| (format!("releases/2024/{path}"), content)).collect();
    s3.put(&s3.bucket(OFFICE), &files);
    let output = s3.program().args(["attack", &format!("s3://{OFFICE}/releases"), "--out", "of-s3"]).current_dir(folder).output().unwrap();
    assert_says(&String::from_utf8_lossy(&output.stderr), &["2 small counts are given away"]);
    succeed_in_failing(&["attack", "releases", "--out", "of-folder"], folder);
    for file in ["ranges.csv", "derivation.parquet"] {
        let read = |results: &str| fs::read(folder.join(results).join("2024").join(file)).unwrap();
        assert!(read("of-s3") == read("of-folder"), "{file} differs");
    }
}

#[test]
fn bad_input_is_named_and_nothing_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let definitions = six_villages();
    let refused = |args: &[&str], says: &[&str]| {
        assert_says(&fail(&[&["attack"], args].concat(), folder), says);
        for left in ["attack", "attack.partial"] {
            assert!(!folder.join(left).exists(), "{args:?} left {left}");
        }
    };
    refused(&["nowhere"], &["there is no release in 'nowhere'"]);
    let release = publish(&folder.join("releases"), 1, &definitions, &given_away());
    refused(&["releases", "--period", "2025"], &["holds no release of 2025; it has 2024"]);
    refused(&["releases", "--revision", "2"], &["holds no r2 of 2024; it has r1"]);
    refused(&["releases", "--time-budget", "soon"], &["expected a time such as 90s, 10m or 2h"]);
    refused(&["releases", "--definitions", "nowhere"], &["nowhere"]);

    let damaged = |file: &str, change: &dyn Fn(&mut Vec<u8>), says: &[&str]| {
        let path = release.join(file);
        let good = fs::read(&path).unwrap();
        let mut bad = good.clone();
        change(&mut bad);
        fs::write(&path, bad).unwrap();
        refused(&["releases"], says);
        fs::write(&path, good).unwrap();
    };
    let flip = |content: &mut Vec<u8>| {
        let middle = content.len() / 2;
        content[middle] ^= 1;
    };
    damaged("cells/people.parquet", &flip, &["releases/2024/r1/cells/people.parquet differs from its digest"]);
    damaged("codelists/size.json", &flip, &["releases/2024/r1/codelists/size.json differs from its digest"]);
    damaged("manifest.json", &|text| text.truncate(100), &["releases/2024/r1/manifest.json: not a manifest"]);
    let replace = |from: &'static str, to: &'static str| {
        move |text: &mut Vec<u8>| *text = String::from_utf8(std::mem::take(text)).unwrap().replace(from, to).into_bytes()
    };
    damaged("manifest.json", &replace("\"cells\": 35", "\"cells\": 36"), &["table households has 36 cells, its code lists make 35"]);
    damaged("manifest.json", &replace("\"level\": \"village\"", "\"level\": \"hamlet\""), &["has no level 'hamlet'"]);
    // A link that knows another number of sizes than there are.
    let fewer = |text: &mut Vec<u8>| {
        let mut manifest: serde_json::Value = serde_json::from_slice(text).unwrap();
        manifest["links"]["members"][0]["members"].as_array_mut().unwrap().pop();
        *text = serde_json::to_vec(&manifest).unwrap();
    };
    damaged("manifest.json", &fewer, &["the link of 'size' knows 3 sizes, the code list has 4"]);
    fs::rename(release.join("cells/people.parquet"), folder.join("elsewhere")).unwrap();
    refused(&["releases"], &["releases/2024/r1/cells/people.parquet is missing"]);
    fs::rename(folder.join("elsewhere"), release.join("cells/people.parquet")).unwrap();
    // Sums that are none.
    let mut cells = given_away();
    cells[1][0] = Some(1);
    publish(&folder.join("releases"), 1, &definitions, &cells);
    refused(&["releases"], &["published counts do not add up, at people/T", "the release is damaged"]);
    publish(&folder.join("releases"), 1, &definitions, &given_away());

    // What is there already is only replaced if it is an attack.
    fs::create_dir(folder.join("mine")).unwrap();
    fs::write(folder.join("mine/letter.txt"), "dear").unwrap();
    refused(&["releases", "--out", "mine"], &["mine is there already and holds something else than an attack"]);
    assert_eq!(fs::read_to_string(folder.join("mine/letter.txt")).unwrap(), "dear");
    refused(&["releases", "--out", "nowhere/.."], &["no name for a folder of results"]);
    refused(&["releases", "--check", "mine"], &["letter.txt is no result of an attack"]);
    refused(&["releases", "--check", "nothing"], &["reading nothing"]);
    succeed_in_failing(&["attack", "releases", "--out", "bare", "--no-proofs"], folder);
    refused(&["releases", "--check", "bare"], &["derivation.parquet is missing", "--no-proofs"]);
    // A range that the lines do not prove.
    succeed_in_failing(&["attack", "releases", "--out", "less"], folder);
    fs::copy(folder.join("bare/2024/ranges.parquet"), folder.join("less/2024/derivation.parquet")).unwrap();
    refused(&["releases", "--check", "less"], &["less/2024/derivation.parquet has other columns"]);
    succeed_in_failing(&["attack", "releases", "--out", "less"], folder);
    succeed(&["attack", "releases", "--out", "more", "--outside", "unknown"], folder);
    fs::copy(folder.join("more/2024/derivation.parquet"), folder.join("less/2024/derivation.parquet")).unwrap();
    refused(&["releases", "--check", "less"], &["less/2024/ranges.parquet: the range of", "is not what the lines prove"]);
}
