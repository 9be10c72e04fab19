//! `cacah attack` through the real program: what it finds, that its proofs hold, and what it says of bad input.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use arrow::{
    array::{AsArray, RecordBatch, UInt64Array},
    datatypes::UInt64Type,
};
use bytes::Bytes;
use cacah::{
    register::{Definitions, Shape, Sources, Status},
    release::{FORMAT, Manifest, Protection, Register, ReleasedTable, write_cells},
    storage::FileDigest,
};
use parquet::arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder};

use crate::{
    clients::{ends_well, installed},
    common::{assert_says, fail, program, regions, run, succeed},
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
        chain: None,
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
    let said = [
        "2024 r1: 4 withheld cells, 4 determined exactly, 2 small counts given away",
        "Everybody is taken to live in one of the households",
    ];
    assert_says(&out, &said);
    // What the two numbers are is said, and of places that contradict nothing there is no word.
    assert_says(&out, &["Determined exactly: what is published leaves a single value of the count.", "the count is small (1 to 4)"]);
    assert!(!out.contains(" places") && !out.contains("1 systems"), "{out}");
    assert_says(&out, &["Withheld cells by how many values their ranges leave:\n  a single one                    4\n"]);
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
    assert_says(
        &said,
        &["2024 r1, r2, r3: ", "Withheld counts are taken to be the same in r1 and r3 in 6 regions, where no published count"],
    );
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
    let said = fail(&["attack", "releases", "--check", "attack"], folder);
    assert_says(&said, &["attack/2024 holds the results of an attack on another release: r3 of 2024 in releases is not the one"]);
    // Also where somebody says that it is the same release.
    let manifest = FileDigest::of(&fs::read(releases.join("2024/r3/manifest.json")).unwrap()).sha256;
    let path = folder.join("attack/2024/assumptions.json");
    let mut assumed: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assumed["manifests"]["r3"] = manifest.into();
    fs::write(&path, assumed.to_string()).unwrap();
    assert_says(&fail(&["attack", "releases", "--check", "attack"], folder), &["taken to be unchanged in which published counts differ"]);
    fs::remove_dir_all(releases.join("2024/r3")).unwrap();
    let said = fail(&["attack", "releases", "--check", "attack"], folder);
    assert_says(&said, &["attack/2024 holds the results of an attack on other releases: releases has no r3 of 2024"]);
}

/// Writes a file of text anew with some text replaced, which must be there.
fn rewrite(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "'{from}' in {}:\n{text}", path.display());
    fs::write(path, text.replace(from, to)).unwrap();
}

/// Writes ranges that were written as Parquet anew, the column of this number changed at one row.
fn rewrite_parquet(path: &Path, column: usize, row: usize, value: u64) {
    let builder = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path).unwrap()).unwrap();
    let schema = Arc::clone(builder.schema());
    let batches: Vec<RecordBatch> = builder.build().unwrap().map(Result::unwrap).collect();
    let mut columns = batches[0].columns().to_vec();
    let mut values: Vec<Option<u64>> = columns[column].as_primitive::<UInt64Type>().iter().collect();
    assert_ne!(values[row], Some(value));
    values[row] = Some(value);
    columns[column] = Arc::new(UInt64Array::from(values));
    let mut writer = ArrowWriter::try_new(fs::File::create(path).unwrap(), Arc::clone(&schema), None).unwrap();
    writer.write(&RecordBatch::try_new(schema, columns).unwrap()).unwrap();
    writer.close().unwrap();
}

#[test]
fn a_range_that_was_changed_by_hand_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    publish(&folder.join("releases"), 1, &six_villages(), &given_away());
    let attack = |formats: &str| {
        succeed_in_failing(&["attack", "releases", "--format", formats], folder);
        assert_proven("releases", "attack", folder);
    };
    let of = |file: &str| folder.join("attack/2024").join(file);
    let refused = |says: &[&str]| assert_says(&fail(&["attack", "releases", "--check", "attack"], folder), says);
    // Rows of text as they are: the cell and its range, and the lines that prove both ends.
    attack("csv");
    assert!(!of("ranges.parquet").exists());
    let good = fs::read_to_string(of("ranges.csv")).unwrap();
    let rows: Vec<&str> = good.lines().collect();
    let at = rows.iter().position(|row| row.starts_with("1,households,6,1/1,2,2,")).unwrap();
    let fields: Vec<&str> = rows[at].split(',').collect();
    let (low_line, high_line) = (fields[7], fields[8]);
    assert!(rows.len() == 5 && !low_line.is_empty() && !high_line.is_empty() && low_line != high_line, "{good}");
    let place = format!("attack/2024/ranges.csv: line {} (r1 households/1/1)", at + 1);
    let with = |number: usize, field: &str| {
        let mut changed = fields.clone();
        changed[number] = field;
        changed.join(",")
    };
    let wrong = |row: &str, says: &[&str]| {
        rewrite(&of("ranges.csv"), rows[at], row);
        refused(says);
        fs::write(of("ranges.csv"), &good).unwrap();
    };
    wrong(&with(4, "1"), &[&place, "says 1 to 2, proven is just 2"]);
    wrong(&with(5, "3"), &[&place, "says 2 to 3, proven is just 2", "run 'cacah attack' again"]);
    wrong(&with(5, ""), &[&place, "says 2 or more, proven is just 2"]);
    wrong(&with(7, ""), &[&place, "names no line that proves its low end 2"]);
    wrong(&with(7, high_line), &[&place, "for its low end 2; that line proves the high end"]);
    wrong(&with(8, "99999"), &[&place, "line 99999 of derivation.parquet for its high end; there is no such line"]);
    wrong(&with(6, "guess"), &[&place, "names a method 'guess', which there is not"]);
    wrong(&with(6, "published"), &[&place, "says that its count is published, and yet names a line"]);
    let unproven = with(7, "").replace(&format!(",,{high_line}"), ",,").replace(fields[6], "published");
    wrong(&unproven, &[&place, "says that its count is published, but no other table or revision does so"]);
    wrong(&with(3, "1/2"), &["is of another cell than its number says: 6 is 1/1"]);
    wrong(&with(2, "7777"), &["is of a cell, number 7777, that the release does not have"]);
    wrong(&with(2, "8").replace("1/1", "1/3"), &["(r1 households/1/3) is of a cell that is not withheld"]);
    wrong(&with(1, "houses"), &["is of a table that the release does not have"]);
    wrong(&with(4, "two"), &["column low holds 'two', no number"]);
    wrong(&format!("{0}\n{0}", rows[at]), &["stands there for the second time"]);
    rewrite(&of("ranges.csv"), &format!("{}\n", rows[at]), "");
    refused(&["attack/2024/ranges.csv lacks a row for r1 households/1/1, proven to be just 2"]);
    rewrite(&of("ranges.csv"), "revision,table", "table,revision");
    refused(&["attack/2024/ranges.csv has other columns than an attack writes"]);
    fs::remove_file(of("ranges.csv")).unwrap();
    refused(&["attack/2024 holds neither ranges.parquet nor ranges.csv"]);
    // Those that are determined.
    attack("csv");
    rewrite(&of("determined.csv"), rows[at], &with(5, "3"));
    refused(&["attack/2024/determined.csv: line", "says 2 to 3, proven is just 2"]);
    attack("csv");
    rewrite(&of("determined.csv"), &format!("{}\n", rows[at]), "");
    refused(&["attack/2024/determined.csv lacks a row for r1 households/1/1"]);
    succeed(&["attack", "releases", "--outside", "unknown"], folder);
    let open = fs::read_to_string(of("ranges.csv")).unwrap();
    fs::write(of("determined.csv"), open).unwrap();
    refused(&["attack/2024/determined.csv: line 2", "does not belong there", "is more than one count"]);
    // Parquet, and what stands in one form only.
    attack("parquet");
    assert!(!of("ranges.csv").exists());
    for (column, value, says) in [(4, 0, "says 0 to"), (5, 5_000, "to 5000, proven is just")] {
        rewrite_parquet(&of("ranges.parquet"), column, 1, value);
        refused(&["attack/2024/ranges.parquet: row 2 (r1 households/T/2)", says]);
        attack("parquet");
    }
    attack("csv,parquet");
    rewrite(&of("ranges.csv"), rows[at], &with(5, "3"));
    refused(&[&place]);
}

#[test]
fn counts_that_are_published_elsewhere_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let releases = folder.join("releases");
    let all: Vec<Vec<Option<u32>>> = given_away();
    let mut more = all.clone();
    [1, 2, 6, 7].into_iter().zip([1_002, 1_504, 2, 4]).for_each(|(cell, count)| more[0][cell] = Some(count));
    publish(&releases, 1, &six_villages(), &all);
    publish(&releases, 2, &six_villages(), &more);
    succeed_in_failing(&["attack", "releases"], folder);
    assert_proven("releases", "attack", folder);
    let path = folder.join("attack/2024/ranges.csv");
    let good = fs::read_to_string(&path).unwrap();
    assert_says(&good, &["1,households,6,1/1,2,2,published,,"]);
    rewrite(&path, "1,households,6,1/1,2,2,published,,", "1,households,6,1/1,3,3,published,,");
    assert_says(&fail(&["attack", "releases", "--check", "attack"], folder), &["(r1 households/1/1) says just 3, proven is just 2"]);
    fs::write(&path, good.replace(",2,2,published,,", ",2,2,whole,,")).unwrap();
    assert_says(&fail(&["attack", "releases", "--check", "attack"], folder), &["names no line that proves its low end 2"]);
}

#[test]
fn the_help_says_what_is_written() {
    let help = succeed(&["attack", "--help"], Path::new(".")).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_says(&help, &["ranges.parquet, ranges.csv", "determined.csv", "derivation.parquet", "assumptions.json", "summary.txt"]);
    assert_says(
        &help,
        &["revision, table, row, cell", "low_line, high_line", "published:", "propagation:", "window:", "program:", "whole:"],
    );
    assert_says(&help, &["--check attack/2024-S1", "--outside says what is assumed"]);
}

#[test]
fn what_was_not_decided_is_said_last() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    publish(&folder.join("releases"), 1, &six_villages(), &given_away());
    let said = succeed(&["attack", "releases", "--outside", "unknown", "--time-budget", "0s"], folder);
    let last = said.lines().last().unwrap();
    assert_says(last, &["with a reservation: 4 of 4 withheld cells were not decided, 2 of which may be small", "a longer --time-budget"]);
    assert!(!said.contains("no small count is given away"), "{said}");
    assert_says(&said, &["not begun in time (--time-budget)", "\nNot decided: 4 of 4 withheld cells"]);
    assert_proven("releases", "attack", folder);
}

#[test]
fn folders_that_were_not_meant_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    publish(&folder.join("warehouse/releases"), 1, &six_villages(), &given_away());
    fs::create_dir(folder.join("empty")).unwrap();
    fs::create_dir(folder.join("other")).unwrap();
    fs::write(folder.join("other/letter.txt"), "dear").unwrap();
    let refused = |args: &[&str], says: &[&str]| assert_says(&fail(&[&["attack"], args].concat(), folder), says);
    refused(&["nowhere"], &["there is no folder 'nowhere'"]);
    refused(&["other/letter.txt"], &["'other/letter.txt' is a file"]);
    refused(&["empty"], &["'empty' is empty; publish there"]);
    refused(&["other"], &["there is no release in 'other'"]);
    refused(&["warehouse"], &["'warehouse' holds no release itself", "name 'warehouse/releases'"]);
    refused(&["warehouse/"], &["name 'warehouse/releases'"]);
    let of_period = "name 'warehouse/releases' and choose it with --period 2024";
    for named in ["warehouse/releases/2024", "warehouse/releases/2024/", "warehouse/releases/2024/r1"] {
        refused(&[named], &["is a folder of the single period 2024", of_period]);
    }
    let output = program().args(["attack", "."]).current_dir(folder.join("warehouse/releases/2024")).output().unwrap();
    assert_says(&String::from_utf8_lossy(&output.stderr), &["'.' is a folder of the single period 2024", "warehouse/releases' and choose"]);
    refused(&[RELEASES, "--definitions", "nope"], &["'nope', named by --definitions, is not there", "or 'shipped'"]);
    refused(&[RELEASES, "--definitions", "other/letter.txt"], &["'other/letter.txt', named by --definitions, is no folder"]);

    succeed_in_failing(&["attack", RELEASES, "--out", "found"], folder);
    let checked =
        |named: &str| assert_says(&succeed(&["attack", RELEASES, "--check", named], folder), &["lines prove 4 ranges, and 3 files"]);
    ["found", "found/2024", "found/2024/"].into_iter().for_each(checked);
    refused(&[RELEASES, "--check", "nope"], &["there is no folder 'nope'; 'cacah attack RELEASES --out nope' writes one"]);
    refused(&[RELEASES, "--check", "empty"], &["'empty' is empty; name the folder that 'cacah attack' wrote"]);
    refused(&[RELEASES, "--check", "found/2024/ranges.csv"], &["'found/2024/ranges.csv' is a file; name 'found/2024'"]);
    refused(&[RELEASES, "--check", "."], &["is no result of an attack; name './found'"]);
    refused(&[RELEASES, "--check", "found", "--period", "2023"], &["holds no attack on the periods asked for; it has 2024"]);
    // What an attack left below is no folder to replace.
    refused(&[RELEASES, "--out", "found/2024"], &["found/2024 is there already and holds something else than an attack"]);
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
    assert_says(&said, &["2024 r1: ", "no small count", "Nothing else was left undecided."]);
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
    assert_says(&said, &["2024-S1 r1: ", "population", "households", "Everybody is taken to live in"]);
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
    refused(&["nowhere"], &["there is no folder 'nowhere'"]);
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
    refused(&["releases", "--check", "nothing"], &["there is no folder 'nothing'"]);
    succeed_in_failing(&["attack", "releases", "--out", "bare", "--no-proofs"], folder);
    refused(&["releases", "--check", "bare"], &["derivation.parquet is missing", "--no-proofs"]);
    // A range that the lines do not prove.
    succeed_in_failing(&["attack", "releases", "--out", "less"], folder);
    fs::copy(folder.join("bare/2024/ranges.parquet"), folder.join("less/2024/derivation.parquet")).unwrap();
    refused(&["releases", "--check", "less"], &["less/2024/derivation.parquet has other columns"]);
    succeed_in_failing(&["attack", "releases", "--out", "less"], folder);
    succeed(&["attack", "releases", "--out", "more", "--outside", "unknown"], folder);
    fs::copy(folder.join("more/2024/derivation.parquet"), folder.join("less/2024/derivation.parquet")).unwrap();
    refused(&["releases", "--check", "less"], &["less/2024/ranges.parquet: row 1 (r1 households/T/1) says just", "proven is"]);
}
