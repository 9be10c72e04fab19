//! What the sample promises, seen from its files.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::Path,
};

use arrow::{
    array::{Array, AsArray, RecordBatch},
    compute::cast,
    datatypes::{DataType, Date32Type, Int32Type, Int64Type},
};
use chrono::NaiveDate;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{
    people::{Role, Village},
    *,
};
use crate::register::{Source, age_on, normalise, shipped};

const HEADING: [&str; 19] = [
    "NIK",
    "NO_KK",
    "NAMA_LGKP",
    "TMPT_LHR",
    "TGL_LHR",
    "JENIS_KLMIN",
    "AGAMA",
    "STAT_KWN",
    "STAT_HBKEL",
    "JENIS_PKRJN",
    "ALAMAT",
    "NO_RT",
    "NO_RW",
    "DUSUN",
    "NO_PROP",
    "NO_KAB",
    "NO_KEC",
    "NO_KEL",
    "KODE_POS",
];
const NIK: usize = 0;
const NO_KK: usize = 1;
const TGL_LHR: usize = 4;
const JENIS_KLMIN: usize = 5;
const AGAMA: usize = 6;
const STAT_KWN: usize = 7;
const STAT_HBKEL: usize = 8;
const JENIS_PKRJN: usize = 9;
const NO_PROP: usize = 14;
const NO_KEL: usize = 17;

type Line = Vec<String>;

fn definitions() -> Definitions {
    Definitions::parse(&shipped(), None).unwrap()
}

fn options(period: &str, persons: u64, dirty: f64, out: &Path) -> Options {
    Options { period: period.parse().unwrap(), persons, seed: 7, dirty, out: out.to_owned() }
}

fn read_csv(path: &Path) -> Vec<Line> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    assert_eq!(reader.headers().unwrap(), HEADING.as_slice());
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn sample(period: &str, persons: u64, dirty: f64) -> (Summary, Vec<Line>) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("s.csv");
    let summary = write(&options(period, persons, dirty, &out), &definitions(), &mut |_| {}).unwrap();
    let lines = read_csv(&out);
    assert_eq!(lines.len() as u64, summary.records);
    (summary, lines)
}

fn age(line: &Line, period: &str) -> i32 {
    let period: Period = period.parse().unwrap();
    age_on(line[TGL_LHR].parse().unwrap(), period.reference_date())
}

/// Every value of a Parquet file as a CSV field would hold it.
fn read_parquet(path: &Path) -> Vec<Line> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path).unwrap()).unwrap().build().unwrap();
    let mut lines = Vec::new();
    for batch in reader {
        let batch: RecordBatch = batch.unwrap();
        let schema = batch.schema();
        assert_eq!(schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>(), HEADING);
        let first = lines.len();
        lines.resize(first + batch.num_rows(), Line::new());
        for column in batch.columns() {
            let text = |row: usize| match column.data_type() {
                _ if column.is_null(row) => String::new(),
                DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
                DataType::Int32 => column.as_primitive::<Int32Type>().value(row).to_string(),
                DataType::Date32 => column.as_primitive::<Date32Type>().value_as_date(row).unwrap().to_string(),
                _ => {
                    let dictionary = column.as_dictionary::<Int32Type>();
                    dictionary.values().as_string::<i32>().value(dictionary.key(row).unwrap()).to_owned()
                }
            };
            for row in 0..batch.num_rows() {
                lines[first + row].push(text(row));
            }
        }
        assert!(cast(batch.column(NO_PROP), &DataType::Utf8).is_ok());
    }
    lines
}

#[test]
fn the_same_options_give_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let definitions = definitions();
    for format in Format::ALL {
        let bytes = |name: &str, seed: u64| {
            let out = folder.path().join(format!("{name}{}", format.ending()));
            write(&Options { seed, ..options("2024-S1", 3000, 0.01, &out) }, &definitions, &mut |_| {}).unwrap();
            fs::read(out).unwrap()
        };
        let first = bytes("a", 7);
        assert_eq!(first, bytes("b", 7), "{format:?}");
        assert_ne!(first, bytes("c", 8), "{format:?}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 12, "drafts are gone");
}

#[test]
fn every_format_holds_the_same_records() {
    let folder = tempfile::tempdir().unwrap();
    let definitions = definitions();
    let file = |format: Format| {
        let out = folder.path().join(format!("s{}", format.ending()));
        write(&options("2024-S2", 40_000, 0.03, &out), &definitions, &mut |_| {}).unwrap();
        out
    };
    let plain = file(Format::Csv);
    let text = fs::read(&plain).unwrap();
    let mut unpacked = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(fs::File::open(file(Format::CsvGzip)).unwrap()), &mut unpacked).unwrap();
    assert!(unpacked == text, "gzip");
    assert!(zstd::decode_all(fs::File::open(file(Format::CsvZstd)).unwrap()).unwrap() == text, "zstd");

    let mut lines = read_csv(&plain);
    // A Parquet date cannot be wrong; its field is empty.
    for line in &mut lines {
        if line[TGL_LHR].parse::<NaiveDate>().is_err() {
            line[TGL_LHR].clear();
        }
    }
    let columns = read_parquet(&file(Format::Parquet));
    assert_eq!(lines.len(), columns.len());
    for (at, (line, row)) in lines.iter().zip(&columns).enumerate() {
        assert_eq!(line, row, "record {at}");
    }
}

#[test]
fn a_folder_holds_one_file_for_each_regency() {
    let folder = tempfile::tempdir().unwrap();
    let definitions = definitions();
    let single = folder.path().join("s.parquet");
    let one = write(&options("2024-S1", 20_000, 0.01, &single), &definitions, &mut |_| {}).unwrap();
    let out = folder.path().join("many/");
    let mut told = Vec::new();
    let many = write(&options("2024-S1", 20_000, 0.01, &out), &definitions, &mut |records| told.push(records)).unwrap();
    assert_eq!(many.files.len(), 14);
    assert_eq!((many.records, &many.flaws), (one.records, &one.flaws));
    assert_eq!(told.last(), Some(&many.records));
    assert!(told.is_sorted());
    let rows: Vec<Line> = many.files.iter().flat_map(|path| read_parquet(path)).collect();
    assert!(rows == read_parquet(&single));
}

#[test]
fn there_are_about_as_many_people_as_asked_for() {
    for (period, persons) in [("2015-S1", 100_000), ("2024-S1", 2_000), ("2024-S1", 20_000), ("2024-S2", 250_000), ("2035-S2", 100_000)] {
        let (summary, _) = sample(period, persons, 0.0);
        let share = summary.records as f64 / persons as f64;
        let tolerance = if persons < 10_000 { 0.10 } else { 0.025 };
        assert!((share - 1.0).abs() < tolerance, "{period}: {persons} -> {}", summary.records);
    }
}

#[test]
fn identities_are_unique_and_say_what_identities_say() {
    let (_, lines) = sample("2024-S1", 120_000, 0.0);
    let mut seen = HashSet::new();
    for line in &lines {
        let nik = &line[NIK];
        assert_eq!(nik.len(), 16);
        assert!(seen.insert(nik), "{nik} twice");
        let born: NaiveDate = line[TGL_LHR].parse().unwrap();
        let woman = line[JENIS_KLMIN].starts_with('P');
        let day: u32 = nik[6..8].parse().unwrap();
        assert_eq!(format!("{:02}{}", day - if woman { 40 } else { 0 }, &nik[8..12]), born.format("%d%m%y").to_string());
    }
}

#[test]
fn numbers_do_not_run_out_in_a_crowded_village() {
    let calendar = Calendar::new("2024-06-30".parse().unwrap());
    let village = Village::new(3, 300_000);
    let room = 300;
    assert!(village.births_a_day() * 2 + 2 <= room / 4);
    let (mut cards, mut births) = (HashSet::new(), HashSet::new());
    let families = village.families(calendar.reference);
    assert!(families.clone().count() > 100_000);
    for family in families {
        for kind in 0..4 {
            let serial = village.card(family, kind, &calendar, room as u32);
            assert!(serial < room as u32);
            assert!(cards.insert((calendar.day(village.turn(family)).digits, serial)), "card of {family}, {kind}");
        }
        for role in [Role::Son, Role::Daughter, Role::Third, Role::Fourth] {
            let birth = village.child(family, role).map(|child| child.birth).filter(|birth| *birth <= calendar.reference);
            let Some(birth) = birth else { continue };
            let serial = village.serial(family, role, &calendar, birth, room as u32);
            assert!(serial < room as u32);
            assert!(births.insert((calendar.day(birth).digits, serial)), "birth in {family}, {role:?}");
        }
    }
}

#[test]
fn households_stand_together_behind_their_head() {
    let (_, lines) = sample("2024-S1", 60_000, 0.0);
    let mut ended = HashSet::new();
    let mut sizes = HashMap::new();
    for household in lines.chunk_by(|a, b| a[NO_KK] == b[NO_KK]) {
        assert_eq!(household[0][NO_KK].len(), 16);
        assert!(ended.insert(&household[0][NO_KK]), "{} comes back", household[0][NO_KK]);
        assert_eq!(household[0][STAT_HBKEL], "KEPALA KELUARGA");
        assert_eq!(household.iter().filter(|line| line[STAT_HBKEL] == "KEPALA KELUARGA").count(), 1);
        assert!(household.iter().all(|line| line[NO_KEL] == household[0][NO_KEL]));
        *sizes.entry(household.len()).or_insert(0u32) += 1;
    }
    assert!((1..=6).all(|size| sizes[&size] > 50), "{sizes:?}");
    // As the censuses of Indonesia find them: 3.7 to 3.9 to a household, one household in twelve of one person.
    let households: u32 = sizes.values().sum();
    let (mean, singles) = (lines.len() as f64 / f64::from(households), f64::from(sizes[&1]) / f64::from(households));
    assert!((3.65..3.95).contains(&mean) && (0.07..0.1).contains(&singles), "{mean} {singles} {sizes:?}");
}

#[test]
fn half_a_year_later_the_same_people_are_older() {
    let (_, first) = sample("2024-S1", 150_000, 0.0);
    let (_, second) = sample("2024-S2", 150_000, 0.0);
    let (_, third) = sample("2024-S2", 150_000, 0.0);
    assert!(second == third);
    let before: HashMap<&str, &Line> = first.iter().map(|line| (line[NIK].as_str(), line)).collect();
    let mut stayed = 0;
    let mut changes: HashMap<&str, u32> = HashMap::new();
    for line in &second {
        match before.get(line[NIK].as_str()) {
            Some(known) => {
                stayed += 1;
                assert_eq!(known[2..=TGL_LHR], line[2..=TGL_LHR], "name, place and date of birth");
                assert_eq!(known[JENIS_KLMIN].starts_with('P'), line[JENIS_KLMIN].starts_with('P'));
                let mut count = |what: &'static str, changed: bool| *changes.entry(what).or_default() += u32::from(changed);
                count("moved", known[NO_PROP..=NO_KEL] != line[NO_PROP..=NO_KEL]);
                count("wedded", known[STAT_KWN] == "BELUM KAWIN" && line[STAT_KWN].starts_with("KAWIN"));
                count("widowed", known[STAT_KWN].starts_with("KAWIN") && line[STAT_KWN] == "CERAI MATI");
                count("divorced", known[STAT_KWN].starts_with("KAWIN") && line[STAT_KWN].starts_with("CERAI HIDUP"));
                count("retired", known[JENIS_PKRJN] != "PENSIUNAN" && line[JENIS_PKRJN] == "PENSIUNAN");
                assert!(known[STAT_KWN] == "BELUM KAWIN" || line[STAT_KWN] != "BELUM KAWIN", "nobody becomes unmarried");
            }
            None => {
                let born: NaiveDate = line[TGL_LHR].parse().unwrap();
                assert!(born > "2024-06-30".parse().unwrap(), "only the newborn are new: {line:?}");
                *changes.entry("born").or_default() += 1;
            }
        }
    }
    let left = first.len() - stayed;
    for what in ["moved", "wedded", "widowed", "divorced", "retired", "born"] {
        assert!(changes.get(what).is_some_and(|count| *count > 10), "{what}: {changes:?}");
    }
    assert!(left > 500 && left < first.len() / 50, "{left} died or left");
}

#[test]
fn the_country_looks_like_one() {
    let (_, lines) = sample("2024-S1", 200_000, 0.0);
    let share = |of: &dyn Fn(&Line) -> bool, among: &dyn Fn(&Line) -> bool| {
        let all = lines.iter().filter(|line| among(line)).count();
        lines.iter().filter(|line| among(line) && of(line)).count() as f64 / all as f64
    };
    let all = |_: &Line| true;
    let check = |what: &str, share: f64, from: f64, to: f64| assert!((from..to).contains(&share), "{what}: {share}");
    check("women", share(&|line| line[JENIS_KLMIN].starts_with('P'), &all), 0.47, 0.53);
    check("children", share(&|line| age(line, "2024-S1") < 15, &all), 0.20, 0.29);
    check("old people", share(&|line| age(line, "2024-S1") >= 65, &all), 0.07, 0.15);
    check(
        "never married at 20-24",
        share(&|line| line[STAT_KWN] == "BELUM KAWIN", &|line| (20..25).contains(&age(line, "2024-S1"))),
        0.5,
        0.9,
    );
    check(
        "never married at 45-54",
        share(&|line| line[STAT_KWN] == "BELUM KAWIN", &|line| (45..55).contains(&age(line, "2024-S1"))),
        0.02,
        0.15,
    );
    check("Hindus in Bali", share(&|line| line[AGAMA] == "HINDU", &|line| line[NO_PROP] == "51"), 0.75, 0.95);
    check("Muslims in Yogyakarta", share(&|line| line[AGAMA] == "ISLAM", &|line| line[NO_PROP] == "34"), 0.85, 0.98);
    let sizes = lines.iter().fold(HashMap::new(), |mut sizes: HashMap<Vec<String>, u32>, line| {
        *sizes.entry(line[NO_PROP..=NO_KEL].to_vec()).or_default() += 1;
        sizes
    });
    let mut sizes: Vec<u32> = sizes.into_values().collect();
    sizes.sort_unstable();
    assert_eq!(sizes.len(), 1154, "every village has people");
    let median = sizes[sizes.len() / 2];
    assert!(sizes[sizes.len() - 1] > 8 * median && median > 50, "{median} of {:?}", sizes.last());
}

#[test]
fn sound_records_contradict_no_definition() {
    let definitions = definitions();
    let (_, lines) = sample("2025-S1", 100_000, 0.0);
    let base = |id: &str, column: usize, line: &Line| {
        let Source::Code { texts, .. } = &definitions.sources[definitions.dimension(id).unwrap().0] else { panic!("{id}") };
        *texts.get(&normalise(&line[column])).unwrap_or_else(|| panic!("{id} does not know {}", line[column]))
    };
    let Source::Region { leaves, .. } = &definitions.sources[definitions.dimension("region").unwrap().0] else { panic!("region") };
    for line in &lines {
        let part = |at: usize| line[NO_PROP + at].parse::<u64>().unwrap();
        assert!(leaves.contains_key(&(part(0) * 100_000_000 + part(1) * 1_000_000 + part(2) * 10_000 + part(3))));
        let codes = HashMap::from([
            ("age", age(line, "2025-S1").min(100) as u32),
            ("sex", base("sex", JENIS_KLMIN, line)),
            ("religion", base("religion", AGAMA, line)),
            ("marital", base("marital", STAT_KWN, line)),
            ("relation", base("relation", STAT_HBKEL, line)),
            ("occupation", base("occupation", JENIS_PKRJN, line)),
        ]);
        for zero in &definitions.zeros {
            assert!(!zero.sides.iter().all(|side| side.leaves[codes[side.dimension.as_str()] as usize]), "{}: {line:?}", zero.id);
        }
    }
}

#[test]
fn bad_records_are_as_many_as_asked_for_and_of_every_kind() {
    let (summary, lines) = sample("2024-S1", 100_000, 0.01);
    assert_eq!(summary.flaws.len(), Flaw::ALL.len());
    let share = summary.flawed() as f64 / summary.records as f64;
    assert!((0.009..0.011).contains(&share), "{share}");
    let count = |of: &dyn Fn(&Line) -> bool| lines.iter().filter(|line| of(line)).count() as u64;
    assert_eq!(count(&|line| line[NIK].len() == 15), summary.flaws[&Flaw::MalformedIdentity]);
    assert_eq!(count(&|line| line[NO_KEL] == "9999"), summary.flaws[&Flaw::UnknownRegion]);
    assert_eq!(count(&|line| line.iter().any(|field| field == "TIDAK DIKETAHUI")), summary.flaws[&Flaw::UnknownCode]);
    let born = |line: &Line| line[TGL_LHR].parse::<NaiveDate>().ok();
    let limit = |text: &str| text.parse::<NaiveDate>().unwrap();
    assert_eq!(count(&|line| born(line).is_some_and(|born| born > limit("2024-06-30"))), summary.flaws[&Flaw::BornAfter]);
    assert_eq!(count(&|line| born(line).is_some_and(|born| born < limit("1880-01-01"))), summary.flaws[&Flaw::BornBefore]);
    assert_eq!(count(&|line| born(line).is_none() && !line[TGL_LHR].is_empty()), summary.flaws[&Flaw::UnreadableDate]);
    let needed = [NIK, NO_KK, TGL_LHR, JENIS_KLMIN, AGAMA, STAT_KWN, STAT_HBKEL, JENIS_PKRJN, NO_PROP + 2];
    assert_eq!(count(&|line| needed.iter().any(|at| line[*at].is_empty())), summary.flaws[&Flaw::MissingField]);
    let mut seen = HashSet::new();
    let repeated = lines.iter().filter(|line| !line[NIK].is_empty() && !seen.insert(line[NIK].as_str())).count() as u64;
    assert_eq!(repeated, summary.flaws[&Flaw::DuplicateIdentity]);
}

#[test]
fn what_cannot_be_made_up_is_refused() {
    let definitions = definitions();
    let check = |options: &Options, expect: &str| {
        let error = write(options, &definitions, &mut |_| {}).unwrap_err().to_string();
        assert_eq!(error, expect);
    };
    check(
        &options("2024-S1", 1000, 0.0, Path::new("people.xlsx")),
        "people.xlsx has no known ending; expected one of .csv, .csv.gz, .csv.zst, .parquet, or a folder ending in /",
    );
    check(&options("2024-S1", 10, 0.0, Path::new("s.csv")), "a sample of 10 people is too small; expected at least 60");
    check(&options("2024-S1", 1000, 1.5, Path::new("s.csv")), "1.5 is no share of bad records; expected a number from 0 to 1");
    check(
        &options("2024-S1", 20_000_000_000, 0.0, Path::new("s.csv")),
        "20000000000 people are too many for 1154 villages: identity numbers would run out; give a larger region reference or fewer people",
    );
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("no/such/folder/s.csv");
    let error = write(&options("2024-S1", 1000, 0.0, &missing), &definitions, &mut |_| {}).unwrap_err();
    assert!(matches!(error, Error::Storage { .. }), "{error}");
}
