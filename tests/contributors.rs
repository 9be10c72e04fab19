//! From how many households the people of a cell come: as somebody would count who goes through all records for every cell.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    path::Path,
};

use cacah::{
    cube::{BuildOptions, Built, FewHouseholds, build},
    engine::Engine,
    ingest::Progress,
    register::{Axis, Definitions, MOST_CONTRIBUTORS, Shape, Source, Unit, age_on, normalise, shipped},
};
use chrono::NaiveDate;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use crate::{
    common::{Person, assert_says, forget_proofs, regions, snapshot, succeed},
    pipeline::{cells, counted},
};

const VILLAGES: [[&str; 4]; 5] =
    [["34", "1", "1", "2001"], ["34", "1", "1", "2002"], ["34", "1", "2", "2001"], ["34", "71", "1", "1001"], ["34", "71", "2", "1001"]];

/// A small country of these villages and those around them.
fn definitions() -> Definitions {
    Definitions::parse(&shipped(), Some(("regions.csv", &regions(&["34.01.01", "34.01.02", "34.71.01", "34.71.02"])))).unwrap()
}

fn counted_here(definitions: &Definitions, folder: &Path, threads: usize, memory: usize) -> Built {
    let options = BuildOptions {
        period: "2024-S1".parse().unwrap(),
        inputs: vec![folder.display().to_string()],
        codings: [].into(),
        max_rejects: 1.0,
        accept_period: true,
        scratch: folder.parent().unwrap().to_owned(),
        memory,
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(build(definitions, &options, &Engine::new(threads).unwrap(), Progress::default())).unwrap()
}

/// The base leaf of somebody in a dimension; `None` where nobody is classified by it.
fn leaf(definitions: &Definitions, dimension: usize, person: &Person) -> Option<u32> {
    match &definitions.sources[dimension] {
        Source::Code { column, texts, .. } => {
            let value = match column.as_str() {
                "JENIS_KLMIN" => &person.sex,
                "AGAMA" => &person.religion,
                "STAT_KWN" => &person.marital,
                "STAT_HBKEL" => &person.relation,
                "JENIS_PKRJN" => &person.occupation,
                other => panic!("people have no {other}"),
            };
            Some(texts[&normalise(value)])
        }
        Source::Age { leaves, .. } => {
            let born: NaiveDate = person.born.parse().unwrap();
            let years = age_on(born, NaiveDate::from_ymd_opt(2024, 6, 30).unwrap()) as usize;
            Some(leaves[years.min(leaves.len() - 1)])
        }
        Source::Region { leaves, .. } => {
            let [province, regency, district, village] = &person.region;
            Some(leaves[&format!("{province}{regency:0>2}{district:0>2}{village}").parse::<u64>().unwrap()])
        }
        Source::HouseholdSize { .. } => None,
    }
}

/// Places of a base leaf on an axis: its own, and all above it.
fn places(axis: &Axis, leaf: u32) -> Vec<u32> {
    let own = axis.leaves[axis.base_to_leaf[leaf as usize] as usize];
    std::iter::successors(Some(own), |&place| axis.parents[place as usize]).collect()
}

/// All cells of a table that somebody is in.
fn cells_of(shape: &Shape, leaves: &[u32]) -> Vec<u32> {
    let mut cells = vec![0];
    for ((axis, &stride), &leaf) in shape.axes.iter().zip(&shape.strides).zip(leaves) {
        let places = places(axis, leaf);
        cells = cells.iter().flat_map(|cell| places.iter().map(move |place| cell + place * stride as u32)).collect();
    }
    cells
}

/// For each table of people the cells that come from few households. The people are those who are counted.
fn expected(definitions: &Definitions, people: &[&Person]) -> Vec<FewHouseholds> {
    let mut all = Vec::new();
    for table in definitions.tables.iter().filter(|table| table.unit == Unit::Person) {
        let shape = definitions.shape(table);
        let dimensions: Vec<usize> = table.axes.iter().map(|axis| definitions.dimension(&axis.dimension).unwrap().0).collect();
        let mut found: HashMap<u32, (u32, BTreeSet<&str>)> = HashMap::new();
        for person in people {
            let leaves: Vec<u32> = dimensions.iter().map(|&at| leaf(definitions, at, person).unwrap()).collect();
            for cell in cells_of(&shape, &leaves) {
                let (count, households) = found.entry(cell).or_default();
                *count += 1;
                households.insert(&person.kk);
            }
        }
        let few = |(cell, (count, households)): (u32, (u32, BTreeSet<&str>))| {
            let households = households.len() as u32;
            (households < MOST_CONTRIBUTORS.min(count)).then_some((cell, households as u8))
        };
        let mut few: FewHouseholds = found.into_iter().filter_map(few).collect();
        few.sort_unstable();
        all.push(few);
    }
    all
}

/// Somebody by small numbers: which identity, household, village, and kind of person.
type Numbers = (u16, u8, u8, u16);

fn person(&(number, household, village, kind): &Numbers) -> Person {
    let kind = usize::from(kind);
    let mut person = Person::new(number.into());
    // Most of a household live together.
    let at = if village < 8 { usize::from(household) } else { usize::from(village) };
    person.region = VILLAGES[at % VILLAGES.len()].map(str::to_owned);
    person.kk = format!("340102{household:010}");
    person.sex = ["LAKI-LAKI", "PEREMPUAN"][kind % 2].into();
    person.born = ["1980-01-01", "1981-05-05", "1950-12-31", "2001-07-01"][kind / 2 % 4].into();
    person.religion = ["ISLAM", "ISLAM", "HINDU"][kind / 8 % 3].into();
    person.marital = ["KAWIN", "BELUM KAWIN"][kind / 24 % 2].into();
    person.occupation = ["KARYAWAN SWASTA", "GURU", "PETANI/PEKEBUN"][kind / 48 % 3].into();
    person.relation = ["KEPALA KELUARGA", "ANAK", "ISTRI", "ANAK"][kind / 144 % 4].into();
    person
}

/// Writes files one after the other; gives whoever is the first of his identity.
fn write<'p>(folder: &Path, files: &'p [Vec<Person>]) -> Vec<&'p Person> {
    fs::create_dir(folder).unwrap();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for (at, people) in files.iter().enumerate() {
        fs::write(folder.join(format!("{at:03}.csv")), snapshot(people)).unwrap();
    }
    files.iter().flatten().filter(|person| seen.insert(&person.nik)).collect()
}

fn check(definitions: &Definitions, files: &[Vec<Person>], threads: usize, memory: usize) {
    let folder = tempfile::tempdir().unwrap();
    let delivered = folder.path().join("delivered");
    let people = write(&delivered, files);
    let built = counted_here(definitions, &delivered, threads, memory);
    assert_eq!(built.accepted, people.len() as u64);
    let tables = definitions.tables.iter().filter(|table| table.unit == Unit::Person);
    for ((table, found), expected) in tables.zip(&built.contributors).zip(expected(definitions, &people)) {
        let missing: Vec<_> = expected.iter().filter(|few| !found.contains(few)).collect();
        let wrong: Vec<_> = found.iter().filter(|few| !expected.contains(few)).collect();
        assert!(missing.is_empty() && wrong.is_empty(), "{}: missing {missing:?}, wrong {wrong:?}", table.id);
        assert_eq!(found, &expected);
    }
}

#[test]
fn households_of_every_cell_are_counted_as_by_hand() {
    let definitions = definitions();
    // Few households with many members each, many with few, and repeated identities; members of one are scattered over the files.
    let crowd = |households: u8, kinds: u16| {
        let numbers = (0u16..400, 0..households, 0u8..12, 0..kinds);
        prop::collection::vec(prop::collection::vec(numbers, 0..60), 1..6)
    };
    let crowds = prop_oneof![crowd(3, 600), crowd(4, 4), crowd(40, 600), crowd(200, 50)];
    let mut runner = TestRunner::new(Config::with_cases(60));
    runner
        .run(&(crowds, 1usize..4, prop::sample::select(vec![0usize, 1 << 20])), |(files, threads, memory)| {
            let mut files: Vec<Vec<Person>> = files.iter().map(|numbers| numbers.iter().map(person).collect()).collect();
            // There is always somebody.
            files.push(vec![Person::new(9999)]);
            check(&definitions, &files, threads, memory);
            Ok(())
        })
        .unwrap();
}

/// Members of a household who stand behind each other.
fn members(first: u64, household: u64, count: u64, village: usize) -> Vec<Person> {
    let member = |at: u64| {
        let mut person = Person::new(first + at);
        person.kk = format!("340102{household:010}");
        person.region = VILLAGES[village].map(str::to_owned);
        person.relation = if at == 0 { "KEPALA KELUARGA" } else { "ANAK" }.into();
        person
    };
    (0..count).map(member).collect()
}

#[test]
fn a_household_is_one_wherever_its_members_stand() {
    let definitions = definitions();
    let whole = members(0, 1, 7, 0);
    // The same number in three files, in every village, and behind strangers: it is one household all the same.
    let mut scattered: Vec<Vec<Person>> = vec![whole[..3].to_vec(), whole[3..5].to_vec(), whole[5..].to_vec()];
    scattered[1].insert(1, Person::new(100));
    check(&definitions, &scattered, 2, 0);
    for (at, person) in scattered.iter_mut().flatten().enumerate() {
        person.region = VILLAGES[at % VILLAGES.len()].map(str::to_owned);
    }
    check(&definitions, &scattered, 1, 1 << 20);
    // Of many members, some of whom repeat each other and one of another household.
    let mut large = vec![members(200, 2, 60, 1), members(230, 2, 60, 2), members(255, 3, 3, 1)];
    large[0].extend(members(300, 4, 2, 1));
    check(&definitions, &large, 2, 0);
    // More than 255 people in a cell, from one household, from four, from five.
    for households in [1, 4, 5] {
        let files: Vec<Vec<Person>> = (0..households).map(|at| members(at * 1000, at, if at == 0 { 300 } else { 90 }, 3)).collect();
        check(&definitions, &files, 2, 1 << 20);
    }
    // Everybody alone: no cell comes from fewer households than it has people.
    check(&definitions, &[(0..30).map(Person::new).collect()], 1, 0);
}

/// Counts people by cell, and publishes with some number of contributors; gives the cells of `table`.
fn published(folder: &Path, table: &str, contributors: &str) -> BTreeMap<String, (Option<u32>, Option<String>)> {
    let releases = format!("releases-{contributors}");
    forget_proofs(folder, "2024-S1");
    succeed(&["release", "2024-S1", "--releases", &releases, "--contributors", contributors], folder);
    cells(&folder.join(releases).join(format!("2024-S1/r1/cells/{table}.parquet")))
}

#[test]
fn a_count_is_published_if_enough_households_are_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    // By religion in Jangkaran and elsewhere: five people, exactly the threshold, of one household, of two, of three, of five; and
    // twelve of one household. In other villages there are plenty of each, so that much can be published.
    let religions =
        [("KRISTEN", vec![5]), ("KATOLIK", vec![4, 1]), ("HINDU", vec![2, 2, 1]), ("BUDHA", vec![1; 5]), ("KONGHUCU", vec![12])];
    let (mut people, mut household, mut number) = (Vec::new(), 0, 0);
    let mut add = |count: u64, religion: &str, village: usize| {
        for mut person in members(number, household, count, village) {
            religion.clone_into(&mut person.religion);
            people.push(person);
        }
        household += 1;
        number += count;
    };
    for (religion, households) in &religions {
        households.iter().for_each(|&count| add(count, religion, 0));
    }
    for village in 0..VILLAGES.len() {
        let religions = ["ISLAM", "KRISTEN", "KATOLIK", "HINDU", "BUDHA", "KONGHUCU"];
        // In the first village these are the only ones.
        let here = if village == 0 { &religions[..1] } else { &religions };
        here.iter().for_each(|religion| (0..20).for_each(|_| add(2, religion, village)));
    }
    fs::write(folder.path().join("s.csv"), snapshot(&people)).unwrap();
    fs::write(folder.path().join("regions.csv"), regions(&["34.01.01", "34.01.02", "34.71.01", "34.71.02"])).unwrap();
    succeed(&["build", "s.csv", "--period", "2024-S1", "--accept-period", "--regions", "regions.csv"], folder.path());
    let counts: BTreeMap<String, BTreeMap<String, u32>> = counted(folder.path(), "2024-S1").into_iter().collect();
    // Of each number of contributors which of the five cells may not be told.
    for (contributors, too_few) in [("1", vec![]), ("2", vec!["2", "6"]), ("3", vec!["2", "3", "6"]), ("4", vec!["2", "3", "4", "6"])] {
        let found = published(folder.path(), "religion", contributors);
        for code in ["2", "3", "4", "5", "6"] {
            let cell = format!("3401012001/T/{code}");
            let (value, status) = &found[&cell];
            assert!(value.is_none_or(|value| value == counts["religion"][&cell]), "{cell}");
            if too_few.contains(&code) {
                assert!(value.is_none(), "{cell} is told with {contributors} contributors");
            } else if contributors == "1" {
                assert!(status.is_none(), "{cell}: {status:?}");
            }
        }
    }
}

#[test]
fn who_has_no_household_number_is_not_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut people = members(0, 1, 6, 0);
    people[4].kk.clear();
    people[5].kk = "no number".into();
    fs::write(folder.path().join("s.csv"), snapshot(&people)).unwrap();
    let args = ["build", "s.csv", "--period", "2024-S1", "--accept-period", "--max-rejects", "1"];
    let page = succeed(&args, folder.path());
    assert_says(&page, &["4 counted, 2 rejected", "missing-field", "malformed-identifier", "NO_KK"]);
}
