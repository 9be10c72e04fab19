//! From snapshot to release through the real program.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::{Array, ArrayRef, AsArray, Int64Array, StringArray},
    datatypes::{Int8Type, Int32Type, UInt32Type},
    record_batch::RecordBatch,
};
use cacah::{
    cube::{Confidential, rollup},
    storage::Store,
};
use parquet::arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder};

use crate::common::{Person, assert_says, fail, people, program, run, snapshot, succeed};

/// A cell file: codes of a row, joined by '/', to value and status.
pub fn cells(path: &Path) -> BTreeMap<String, (Option<u32>, Option<String>)> {
    let mut found = BTreeMap::new();
    for batch in ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path).unwrap()).unwrap().build().unwrap() {
        let batch = batch.unwrap();
        let axes = batch.num_columns() - 2;
        let values = batch.column(axes).as_primitive::<UInt32Type>().clone();
        let statuses = batch.column(axes + 1).as_dictionary::<Int8Type>().clone();
        let texts = statuses.values().as_string::<i32>().clone();
        for row in 0..batch.num_rows() {
            let codes: Vec<String> = (0..axes)
                .map(|axis| {
                    let column = batch.column(axis).as_dictionary::<Int32Type>();
                    column.values().as_string::<i32>().value(column.key(row).unwrap()).to_owned()
                })
                .collect();
            let value = values.is_valid(row).then(|| values.value(row));
            let status = statuses.key(row).map(|key| texts.value(key).to_owned());
            assert!(found.insert(codes.join("/"), (value, status)).is_none(), "{codes:?} stands twice");
        }
    }
    found
}

fn release_of(folder: &Path, period: &str, table: &str) -> PathBuf {
    folder.join(format!("warehouse/releases/{period}/r1/cells/{table}.parquet"))
}

fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn gather(root: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                gather(root, &path, found);
            } else {
                found.insert(path.strip_prefix(root).unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    gather(folder, folder, &mut found);
    found
}

pub fn other_register(file: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data-samples/other-register").join(file).to_string_lossy().into_owned()
}

#[test]
fn another_country_is_counted_without_a_line_of_code() {
    let folder = tempfile::tempdir().unwrap();
    let (snapshot, definitions) = (other_register("snapshot-2024.csv"), other_register("definitions"));
    let args = ["build", &snapshot, "--period", "2024", "--definitions", &definitions, "--max-rejects", "0.05"];
    let page = succeed(&args, folder.path());
    assert_says(&page, &["640 records read", "622 counted, 18 rejected", "duplicate-identity"]);

    let build: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.path().join("warehouse/confidential/2024/build.json")).unwrap()).unwrap();
    let kept = folder.path().join("warehouse/confidential/2024").join(build["build"].as_str().unwrap());
    let quality: serde_json::Value = serde_json::from_slice(&fs::read(kept.join("quality.json")).unwrap()).unwrap();
    assert_eq!((&quality["read"], &quality["accepted"], &quality["rejected"]), (&640.into(), &622.into(), &18.into()));
    let mut lines: Vec<u64> = Vec::new();
    for list in ["rejects.csv", "duplicates.csv"] {
        let text = fs::read_to_string(kept.join(list)).unwrap();
        lines.extend(csv::Reader::from_reader(text.as_bytes()).records().map(|record| record.unwrap()[1].parse::<u64>().unwrap()));
    }
    lines.sort_unstable();
    assert_eq!(lines, [25, 59, 92, 133, 166, 200, 224, 253, 289, 305, 332, 367, 401, 423, 457, 482, 514, 542]);
    let duplicates = fs::read_to_string(kept.join("duplicates.csv")).unwrap();
    for (line, first) in [(367, 307), (401, 400), (423, 421)] {
        assert!(duplicates.lines().any(|row| row.ends_with(&format!(",{first}")) && row.contains(&format!(",{line},"))), "{duplicates}");
    }

    succeed(&["release", "2024", "--threshold", "5"], folder.path());
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.path().join("warehouse/releases/2024/r1/manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["protection"], "certified");
    let (mut towns, mut published) = (Vec::new(), 0);
    for (table, counts) in counted(folder.path(), "2024") {
        let file = manifest["tables"].as_array().unwrap().iter().find(|known| known["id"] == table).unwrap();
        let cells = cells(&folder.path().join("warehouse/releases/2024/r1").join(file["file"].as_str().unwrap()));
        assert_eq!(cells.len() as u64, file["cells"].as_u64().unwrap());
        assert_eq!(cells.len(), counts.len());
        for (codes, (value, status)) in cells {
            assert!(value.is_some() != status.is_some(), "{codes}");
            assert!(value.is_none_or(|value| value == counts[&codes] && !(1..5).contains(&value)), "{table} {codes}");
            published += u32::from(value.is_some_and(|value| value > 0));
            let codes: Vec<&str> = codes.split('/').collect();
            if codes[1..].iter().all(|code| ["A", "ANY", "_T", "0", "mul"].contains(code)) {
                towns.push(counts[&codes.join("/")]);
            }
        }
    }
    for expected in [622, 213, 96, 68, 58, 49, 43, 38, 27, 24, 6] {
        assert!(towns.contains(&expected), "{expected} in {towns:?}");
    }
    // Few people make few lists of people, and most of the cells tell which of them is the true one.
    assert!(published > 50, "only {published} cells with people in them are published");
}

/// What a build has counted: for every table the codes of a cell, joined by '/', and its count.
pub fn counted(folder: &Path, period: &str) -> Vec<(String, BTreeMap<String, u32>)> {
    let confidential = Confidential::new(Store::open(folder.join("warehouse/confidential").to_str().unwrap()).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (build, definitions) = confidential.load(period.parse().unwrap()).await.unwrap();
        let mut found = Vec::new();
        for table in &definitions.tables {
            let shape = definitions.shape(table);
            let counts = rollup(&shape, &confidential.cube(&build, &definitions, table).await.unwrap());
            let codes = |cell: usize| {
                let positions = shape.coordinates(cell as u64).into_iter().zip(table.axes.iter().zip(&shape.axes));
                let codes = positions.map(|(position, (table_axis, axis))| {
                    let dimension = definitions.dimension(&table_axis.dimension).unwrap().1;
                    dimension.nodes[axis.nodes[position as usize] as usize].code.as_str()
                });
                codes.collect::<Vec<_>>().join("/")
            };
            found.push((table.id.clone(), counts.iter().enumerate().map(|(cell, &count)| (codes(cell), count)).collect()));
        }
        found
    })
}

#[test]
fn the_same_snapshot_gives_the_same_release_however_it_is_packed() {
    let folder = tempfile::tempdir().unwrap();
    let mut persons = people(3000);
    for (at, person) in persons.iter_mut().enumerate() {
        person.region[3] = (2001 + at % 5).to_string();
        person.religion = ["ISLAM", "KRISTEN", "HINDU"][at % 3].into();
        if at % 50 == 7 {
            person.nik = Person::new(at as u64 - 1).nik;
        }
        if at % 400 == 9 {
            person.religion = "JEDI".into();
        }
        // One to five in a household, the first of them its head.
        let place =
            [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2), (3, 0), (3, 1), (3, 2), (3, 3), (4, 0), (4, 1), (4, 2), (4, 3), (4, 4)];
        let (household, member) = place[at % 15];
        person.kk = Person::new(at as u64 / 15 * 5 + household).kk;
        person.relation = if member == 0 { "KEPALA KELUARGA" } else { "ANAK" }.into();
    }
    let plain = snapshot(&persons);
    let write = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    write("plain/a.csv", plain.as_bytes());
    write("crlf/a.csv", format!("\u{feff}{}", plain.replace('\n', "\r\n")).as_bytes());
    write("semicolon/a.csv", plain.replace(',', ";").as_bytes());
    write("tab/a.tsv", plain.replace(',', "\t").as_bytes());
    let quoted =
        plain.lines().map(|line| line.split(',').map(|field| format!("\"{field}\"")).collect::<Vec<_>>().join(",")).collect::<Vec<_>>();
    write("quoted/a.csv", quoted.join("\n").as_bytes());
    // Quotes within fields and a line break within quotes: the slow way of reading.
    write("odd/a.csv", plain.replace("JL. MERDEKA", "JL. \"MERDEKA\" 5\"").replacen("WATES", "\"WA\nTES\"", 40).as_bytes());
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(plain.as_bytes()).unwrap();
    write("gzip/a.csv.gz", &gzip.finish().unwrap());
    write("zstd/a.csv.zst", &zstd::encode_all(plain.as_bytes(), 1).unwrap());
    let (heading, rows) = plain.split_once('\n').unwrap();
    let rows: Vec<&str> = rows.lines().collect();
    for (at, piece) in rows.chunks(700).enumerate() {
        write(&format!("folder/sub{}/part-{at}.csv", at % 2), format!("{heading}\n{}\n", piece.join("\n")).as_bytes());
    }
    write("parquet/a.parquet", &parquet_of(&plain, false));
    write("numbers/a.parquet", &parquet_of(&plain, true));

    let mut expected: Option<BTreeMap<String, Vec<u8>>> = None;
    for kind in ["plain", "crlf", "semicolon", "tab", "quoted", "odd", "gzip", "zstd", "folder", "plain/../parquet", "numbers"] {
        let place = format!("{kind}-warehouse");
        let page = succeed(&["build", kind, "--period", "2024-S1", "--warehouse", &place, "--max-rejects", "0.1"], folder.path());
        assert_says(&page, &["3 000 records read"]);
        succeed(&["release", "2024-S1", "--warehouse", &place], folder.path());
        let mut files = tree(&folder.path().join(&place).join("releases"));
        files.retain(|name, _| !name.ends_with(".lock"));
        match &expected {
            None => expected = Some(files),
            Some(expected) => assert!(*expected == files, "{kind} gave another release than plain"),
        }
    }
    let households = cells(&folder.path().join("plain-warehouse/releases/2024-S1/r1/cells/households.parquet"));
    assert!(households["ID/3"].0.is_some_and(|households| households > 150), "{:?}", households["ID/3"]);
}

fn parquet_of(text: &str, numbers: bool) -> Vec<u8> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headings = reader.headers().unwrap().clone();
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let columns = headings.iter().enumerate().map(|(at, name)| {
        let fields = || records.iter().map(move |record| record[at].to_owned());
        let array: ArrayRef = if numbers && (name.starts_with("NO_") || name == "NIK") {
            Arc::new(Int64Array::from_iter_values(fields().map(|field| field.parse::<i64>().unwrap_or(0))))
        } else {
            Arc::new(StringArray::from_iter_values(fields()))
        };
        (name.to_owned(), array)
    });
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

#[test]
fn a_repeated_release_is_byte_identical_and_refused_where_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("s.csv"), snapshot(&people(200))).unwrap();
    succeed(&["build", "s.csv", "--period", "2024-S1"], folder.path());
    succeed(&["release", "2024-S1"], folder.path());
    let first = tree(&folder.path().join("warehouse/releases"));
    assert!(first.len() > 12 && first.contains_key("2024-S1/r1/manifest.json"));

    succeed(&["build", "s.csv", "--period", "2024-S1", "--threads", "1", "--memory", "0"], folder.path());
    succeed(&["release", "2024-S1", "--releases", "again"], folder.path());
    assert!(first == tree(&folder.path().join("again")), "the second run gave other bytes");

    let error = fail(&["release", "2024-S1"], folder.path());
    assert_says(&error, &["2024-S1 is published already as r1", "there is nothing to publish"]);
    assert!(first == tree(&folder.path().join("warehouse/releases")), "a refused release left something behind");

    fs::write(folder.path().join("s.csv"), snapshot(&people(220))).unwrap();
    succeed(&["build", "s.csv", "--period", "2024-S1"], folder.path());
    let error = fail(&["release", "2024-S1"], folder.path());
    assert_says(&error, &["2024-S1 is published already as r1, from another build", "--correction"]);
    assert!(first == tree(&folder.path().join("warehouse/releases")));

    succeed(&["release", "2024-S1", "--correction", "twenty people were late", "--accept-differences"], folder.path());
    let list = succeed(&["releases"], folder.path());
    assert_says(&list, &["2024-S1    r1 ", "2024-S1    r2 ", "certified"]);
    let after = tree(&folder.path().join("warehouse/releases"));
    assert!(first.iter().all(|(name, bytes)| after[name] == *bytes), "a correction changed the first revision");
}

#[test]
fn ages_on_the_reference_date() {
    let folder = tempfile::tempdir().unwrap();
    let mut persons = people(60);
    // Ten of each: born on the day itself, on a leap day, and around a tenth birthday.
    for (at, person) in persons.iter_mut().enumerate() {
        person.born = ["2024-06-30", "2016-02-29", "2014-06-30", "2014-07-01", "1923-01-01", "2023-07-01"][at % 6].into();
        person.occupation = "BELUM/TIDAK BEKERJA".into();
    }
    fs::write(folder.path().join("s.csv"), snapshot(&persons)).unwrap();
    succeed(&["build", "s.csv", "--period", "2024-S1"], folder.path());
    succeed(&["release", "2024-S1"], folder.path());
    let cells = cells(&release_of(folder.path(), "2024-S1", "population-single-age"));
    for (age, expected) in [("Y0", 20), ("Y8", 10), ("Y10", 10), ("Y9", 10), ("Y_GE100", 10), ("T", 60)] {
        assert_eq!(cells[&format!("ID/T/{age}")].0, Some(expected), "{age}");
    }
}

#[test]
fn numbers_need_a_coding_where_codings_differ() {
    let folder = tempfile::tempdir().unwrap();
    let mut persons = people(40);
    for (at, person) in persons.iter_mut().enumerate() {
        person.marital = (at % 4 + 1).to_string();
        if person.born == "2024-06-01" {
            person.marital = "1".into();
        }
    }
    fs::write(folder.path().join("s.csv"), snapshot(&persons)).unwrap();
    let error = fail(&["build", "s.csv", "--period", "2024-S1"], folder.path());
    assert_says(&error, &["STAT_KWN", "means different things in the codings 4 or 6", "--coding"]);
    for (coding, married, divorced) in [("4", 10, 10), ("6", 20, 10)] {
        let place = format!("w{coding}");
        succeed(&["build", "s.csv", "--period", "2024-S1", "--warehouse", &place, "--coding", &format!("marital={coding}")], folder.path());
        succeed(&["release", "2024-S1", "--warehouse", &place], folder.path());
        let cells = cells(&folder.path().join(&place).join("releases/2024-S1/r1/cells/marital.parquet"));
        assert_eq!((cells["ID/T/M"].0, cells["ID/T/D"].0), (Some(married), Some(divorced)), "coding {coding}");
    }
    let error = fail(&["build", "s.csv", "--period", "2024-S1", "--coding", "marital=5"], folder.path());
    assert_says(&error, &["has no coding '5'", "4, 6"]);
}

#[test]
fn a_killed_run_leaves_nothing_and_can_be_run_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut persons = people(400_000);
    // Newborns enough that their number is published, and with it that of all.
    for person in &mut persons[1..20] {
        (person.born, person.occupation) = ("2024-06-01".into(), "BELUM/TIDAK BEKERJA".into());
    }
    fs::write(folder.path().join("s.csv"), snapshot(&persons)).unwrap();
    let mut killed = 0;
    for delay in [5, 20, 60, 120, 200] {
        let mut child = program()
            .args(["build", "s.csv", "--period", "2024-S1", "--scratch", "."])
            .current_dir(folder.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(delay));
        killed += u32::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        let left: Vec<_> = tree(folder.path()).into_keys().filter(|name| name != "s.csv" && !name.starts_with("warehouse/")).collect();
        assert!(left.is_empty(), "{left:?}");
        if folder.path().join("warehouse/confidential/2024-S1/build.json").exists() {
            fs::remove_dir_all(folder.path().join("warehouse")).unwrap();
        }
    }
    assert!(killed > 0, "every run was faster than the signal");
    succeed(&["build", "s.csv", "--period", "2024-S1"], folder.path());
    let page = succeed(&["release", "2024-S1"], folder.path());
    assert_says(&page, &["r1 published"]);
    assert_eq!(cells(&release_of(folder.path(), "2024-S1", "population"))["ID/T/T"].0, Some(400_000));
}

#[test]
fn every_command_shows_examples() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["demo", "sample", "build", "release", "releases", "serve"] {
        let help = succeed(&[command, "--help"], folder.path());
        assert_says(&help, &["Examples:", &format!("cacah {command}")]);
    }
    assert!(!run(&["no-such-command"], folder.path()).status.success());
}
