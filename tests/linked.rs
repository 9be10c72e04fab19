//! People and households through the program: what is published of both must not give away what each withholds.

use std::{collections::BTreeMap, fs, path::Path};

use crate::{
    common::{Person, assert_says, fail, forget_proofs, regions, snapshot, succeed},
    pipeline::cells,
};

/// Sizes of households with their numbers in six villages. In the first, sizes 1 and 2 are small.
const VILLAGES: [[usize; 4]; 6] =
    [[2, 4, 80, 90], [30, 60, 90, 70], [25, 55, 85, 95], [40, 50, 100, 60], [35, 45, 95, 65], [20, 65, 75, 110]];
/// Members of the sizes that the shipped definitions tell apart: fewest and most.
const SIZES: [(i64, i64); 7] = [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, 40)];

fn people() -> Vec<Person> {
    let (mut people, mut household) = (Vec::new(), 0);
    for (village, sizes) in VILLAGES.iter().enumerate() {
        for (size, &count) in (1..).zip(sizes) {
            for _ in 0..count {
                household += 1;
                let first = people.len() as u64;
                people.extend((0..size).map(|member| {
                    let number = first + member;
                    let mut person = Person::new(number);
                    person.kk = format!("340102{household:010}");
                    person.region = ["34".into(), "1".into(), format!("{}", village / 3 + 1), format!("{}", 2001 + village % 3)];
                    person.relation = if member == 0 { "KEPALA KELUARGA" } else { "ANAK" }.into();
                    // Everybody is of an age and a sex that many are of.
                    person.born = if number.is_multiple_of(3) { "1985-03-01" } else { "1992-08-01" }.into();
                    person
                }));
            }
        }
    }
    people
}

/// All numbers of households by size that fit what a village publishes of them and of its people, who all live in households.
fn fitting(shown: &[Option<i64>; 7], total: Option<i64>, people: Option<i64>) -> Vec<[i64; 7]> {
    let most = total.unwrap_or(400);
    let mut found: Vec<[i64; 7]> = Vec::new();
    let mut go = vec![([0; 7], 0usize)];
    while let Some((counts, at)) = go.pop() {
        let households: i64 = counts.iter().sum();
        let (least, at_most) =
            SIZES.iter().zip(counts).fold((0, 0), |(least, most), (size, count)| (least + size.0 * count, most + size.1 * count));
        if households > most || people.is_some_and(|people| least > people) {
            continue;
        }
        if at == 7 {
            if total.is_none_or(|total| total == households) && people.is_none_or(|people| people <= at_most) {
                found.push(counts);
            }
            continue;
        }
        let tried = shown[at].map_or(0..=most - households, |count| count..=count);
        go.extend(tried.map(|count| {
            let mut counts = counts;
            counts[at] = count;
            (counts, at + 1)
        }));
    }
    found
}

#[test]
fn sizes_of_households_do_not_follow_from_how_many_people_there_are() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("s.csv"), snapshot(&people())).unwrap();
    fs::write(folder.join("regions.csv"), regions(&["34.01.01", "34.01.02"])).unwrap();
    succeed(&["build", "s.csv", "--period", "2024-S1", "--accept-period", "--regions", "regions.csv"], folder);
    let said = succeed(&["release", "2024-S1"], folder);
    assert_says(&said, &["no fault found"]);

    let read = |table: &str| cells(&folder.join(format!("warehouse/releases/2024-S1/r1/cells/{table}.parquet")));
    let (households, population) = (read("households"), read("population"));
    let value = |cells: &BTreeMap<String, (Option<u32>, Option<String>)>, key: &str| cells[key].0.map(i64::from);
    let village = "3401012001";
    let sizes: Vec<String> =
        households.keys().filter(|key| key.starts_with(&format!("{village}/")) && !key.ends_with("/T")).cloned().collect();
    assert_eq!(sizes.len(), 7, "{sizes:?}");
    let shown: [Option<i64>; 7] = std::array::from_fn(|at| value(&households, &sizes[at]));
    assert_eq!((shown[0], shown[1]), (None, None), "two and four households are told");
    let everybody = population.keys().find(|key| key.starts_with(&format!("{village}/T/T"))).unwrap();
    let (total, people) = (value(&households, &format!("{village}/T")), value(&population, everybody));
    let fitting = fitting(&shown, total, people);
    for size in 0..2 {
        let ends = fitting.iter().map(|counts| counts[size]);
        let (low, high) = (ends.clone().min().unwrap(), ends.max().unwrap());
        assert!(low <= 1 && high >= 4, "size {}: from {low} to {high}; {shown:?} of {total:?}, {people:?} people", size + 1);
    }

    // The attack that everybody can run finds nothing either, and its proofs hold.
    let said = succeed(&["attack", "warehouse/releases", "--out", "attack"], folder);
    assert_says(&said, &["2024-S1"]);
    succeed(&["attack", "warehouse/releases", "--check", "attack"], folder);
}

#[test]
fn the_example_itself_is_found_by_whoever_counts() {
    // What the tables would tell if people and households were protected apart: the total, the people, and all but sizes 1 and 2.
    let apart = [None, None, Some(80), Some(90), Some(0), Some(0), Some(0)];
    let found = fitting(&apart, Some(176), Some(610));
    assert_eq!(found, [[2, 4, 80, 90, 0, 0, 0]]);
}

/// The shipped definitions with other links, or with none that are declared.
fn with_links(folder: &Path, links: Option<&str>) {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("queries");
    for part in ["", "dimensions", "sql", "tables"] {
        fs::create_dir_all(folder.join("definitions").join(part)).unwrap();
        for entry in fs::read_dir(shipped.join(part)).unwrap().map(|entry| entry.unwrap()).filter(|entry| entry.path().is_file()) {
            fs::copy(entry.path(), folder.join("definitions").join(part).join(entry.file_name())).unwrap();
        }
    }
    let path = folder.join("definitions/links.toml");
    match links {
        Some(links) => fs::write(path, links).unwrap(),
        None => fs::remove_file(path).unwrap(),
    }
}

#[test]
fn links_that_the_counts_contradict_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let heads = "[heads]\nregion = \"region\"\nsex = \"sex\"\nhead-age = \"age\"\n";
    let link = |rest: &str| format!("[[members]]\nsize = \"household-size\"\n{rest}\n{heads}");
    fs::write(folder.join("regions.csv"), regions(&["34.01.01", "34.01.02"])).unwrap();
    let build = |links: Option<&str>, people: &[Person]| {
        with_links(folder, links);
        forget_proofs(folder, "2024-S1");
        fs::write(folder.join("s.csv"), snapshot(people)).unwrap();
        let regions = ["--regions", "regions.csv", "--definitions", "definitions"];
        succeed(&[&["build", "s.csv", "--period", "2024-S1", "--accept-period"][..], &regions].concat(), folder);
    };
    let release = ["release", "2024-S1", "--dry-run"];
    // Members of a household are not of its head's sex.
    let mut people = people();
    for person in &mut people {
        person.sex = if person.relation == "KEPALA KELUARGA" { "LAKI-LAKI" } else { "PEREMPUAN" }.into();
    }
    build(Some(&link("shared = [\"region\", \"sex\"]\nlargest = 40")), &people);
    let error = fail(&release, folder);
    assert_says(&error, &["links.toml", "households have more members than people live there", "false at most places"]);
    assert_says(&error, &["leave in 'shared' only"]);

    // One household is larger than any is said to be.
    for member in 0..8 {
        let mut person = Person::new(1_000_000 + member);
        person.kk = "3401029999999999".into();
        person.relation = if member == 0 { "KEPALA KELUARGA" } else { "ANAK" }.into();
        person.born = "1985-03-01".into();
        people.push(person);
    }
    build(Some(&link("shared = [\"region\"]\nlargest = 7")), &people);
    let said = succeed(&release, folder);
    assert_says(&said, &["for example 3401012001, households have more members than 'household-size' and largest = 7 allow"]);
    assert_says(&said, &["no fault found"]);

    // What nobody has declared is said, too.
    build(None, &people);
    let said = succeed(&release, folder);
    assert_says(&said, &["there is no links.toml", "nobody said how many members a household can have (household-size)"]);
    build(Some(&link("shared = [\"region\"]")), &people);
    let said = succeed(&release, folder);
    assert!(!said.contains("there is no links.toml") && said.contains("nobody said how many members"), "{said}");
}
