//! Wrong input: a message that says what, where and how to mend it, and nothing half-made.

use std::{fs, io::Write, path::Path, process::Command, sync::Arc};

use arrow::{array::BooleanArray, record_batch::RecordBatch};
use parquet::arrow::ArrowWriter;

use crate::common::{HEADING, Person, assert_says, fail, people, program, snapshot, succeed};

/// Builds from this content, expects an error with these texts, and nothing kept.
#[track_caller]
fn refused(name: &str, content: &[u8], wanted: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), content).unwrap();
    let error = fail(&["build", name, "--period", "2024-S1"], folder.path());
    assert_says(&error, wanted);
    assert_nothing_kept(folder.path());
}

#[track_caller]
fn assert_nothing_kept(folder: &Path) {
    let kept = folder.join("warehouse/confidential/2024-S1");
    let left: Vec<_> = fs::read_dir(&kept).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    assert!(!kept.join("build.json").exists(), "a build was kept");
    let files: Vec<_> = left.iter().filter(|path| path.is_file()).collect();
    assert!(files.is_empty(), "{files:?}");
}

#[test]
fn not_a_text() {
    let noise: Vec<u8> = (0..5000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    refused("s.csv", &noise, &["s.csv, line 1", "not a text file", "CSV", "Parquet"]);
    refused("s.csv", b"", &["s.csv: the file is empty", "heading line"]);
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(HEADING.bytes().flat_map(|byte| [byte, 0])).collect();
    refused("s.csv", &utf16, &["UTF-16", "save it as UTF-8"]);
}

#[test]
fn a_missing_column() {
    let text = snapshot(&people(10)).replace("JENIS_PKRJN", "PEKERJAAN");
    refused("s.csv", text.as_bytes(), &["s.csv, line 1", "column JENIS_PKRJN missing", "PEKERJAAN", "definitions"]);
    let twice = snapshot(&people(10)).replace("NO_RT", "NIK");
    refused("s.csv", twice.as_bytes(), &["column 'NIK' stands there twice"]);
}

#[test]
fn a_wrong_delimiter() {
    let text = snapshot(&people(10)).replace(',', "|");
    refused("s.csv", text.as_bytes(), &["separated by '|'", "comma, semicolon or tab"]);
    let text = snapshot(&people(10)).replace(',', "^");
    refused("s.csv", text.as_bytes(), &["no delimiter found", "comma, semicolon or tab"]);
}

#[test]
fn truncated_files() {
    let text = snapshot(&people(20_000));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    refused("s.csv.gz", &gzip[..gzip.len() / 2], &["s.csv.gz", "truncated", "transfer it again"]);
    let zstd = zstd::encode_all(text.as_bytes(), 1).unwrap();
    refused("s.csv.zst", &zstd[..zstd.len() / 2], &["s.csv.zst", "truncated", "transfer it again"]);
    let mut damaged = gzip.clone();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 200].fill(0x55);
    refused("s.csv.gz", &damaged, &["s.csv.gz", "damaged", "transfer it again"]);
}

#[test]
fn parquet_of_other_types() {
    let columns = HEADING.split(',').map(|name| (name.to_owned(), Arc::new(BooleanArray::from(vec![true; 3])) as arrow::array::ArrayRef));
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    let content = writer.into_inner().unwrap();
    refused("s.parquet", &content, &["s.parquet", "has the type Boolean", "expected text, a whole number or a date"]);
    refused("s.parquet", &content[..content.len() - 20], &["s.parquet", "not a readable Parquet file", "transfer it again"]);
}

#[test]
fn one_line_of_three_gigabytes_needs_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let mut packed = zstd::Encoder::new(fs::File::create(folder.path().join("s.csv.zst")).unwrap(), 1).unwrap();
    packed.write_all(snapshot(&people(5)).as_bytes()).unwrap();
    let block = vec![b'x'; 1 << 20];
    for _ in 0..3 << 10 {
        packed.write_all(&block).unwrap();
    }
    packed.finish().unwrap();
    let limited = format!("ulimit -v 3000000; exec {} build s.csv.zst --period 2024-S1", env!("CARGO_BIN_EXE_cacah"));
    let output = Command::new("sh").args(["-c", &limited]).current_dir(folder.path()).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert_says(&error, &["s.csv.zst, line 7", "a line of more than 1024 KiB", "one line a person"]);
    // The same without a heading, and as it lies on disk.
    let plain = fs::File::create(folder.path().join("plain.csv")).unwrap();
    plain.set_len(3 << 30).unwrap();
    let error = fail(&["build", "plain.csv", "--period", "2024-S1"], folder.path());
    assert_says(&error, &["plain.csv, line 1"]);
    assert_nothing_kept(folder.path());
}

#[test]
fn a_quote_that_never_closes() {
    let text = snapshot(&people(20_000)).replacen("SITI", "\"SITI", 1);
    refused("s.csv", text.as_bytes(), &["s.csv, line 2", "a quotation mark opens here and is never closed"]);
}

#[test]
fn faulty_records_are_rejected_with_line_and_reason() {
    let folder = tempfile::tempdir().unwrap();
    let mut persons = people(100);
    // Newborns enough that their number is published, and with it that of all.
    for person in &mut persons[40..60] {
        (person.born, person.occupation) = ("2024-06-01".into(), "BELUM/TIDAK BEKERJA".into());
    }
    let mut spoil = |line: usize, change: &dyn Fn(&mut Person)| change(&mut persons[line - 2]);
    spoil(10, &|person| person.region[3] = "2999".into());
    spoil(11, &|person| person.region[0] = String::new());
    spoil(12, &|person| person.nik = "123".into());
    spoil(13, &|person| person.nik = "34010101019999X9".into());
    spoil(14, &|person| person.born = "2024-07-01".into());
    spoil(15, &|person| person.born = "1879-12-31".into());
    spoil(16, &|person| person.born = "2023-02-29".into());
    spoil(17, &|person| person.religion = "JEDI".into());
    spoil(18, &|person| person.sex = "  ".into());
    spoil(19, &|person| person.nik = Person::new(7).nik);
    spoil(20, &|person| {
        person.born = "2020-01-01".into();
        person.marital = "KAWIN".into();
    });
    spoil(22, &|person| person.kk = String::new());
    let mut bytes = snapshot(&persons).into_bytes();
    // Invalid UTF-8 in a needed field of line 21, and in a name, where it does not matter.
    let lines: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at] == b'\n').collect();
    let position = |bytes: &[u8], line: usize, text: &[u8]| {
        let start = lines[line - 2] + 1;
        start + bytes[start..].windows(text.len()).position(|window| window == text).unwrap()
    };
    let at = position(&bytes, 21, b"ISLAM");
    bytes[at] = 0xff;
    let at = position(&bytes, 40, b"SITI");
    bytes[at] = 0xe9;
    // A field too many in the last line, then blank lines.
    bytes.truncate(bytes.len() - 1);
    bytes.extend_from_slice(b",one,too,many\n\n\n");
    fs::write(folder.path().join("s.csv"), bytes).unwrap();

    let error = fail(&["build", "s.csv", "--period", "2024-S1"], folder.path());
    assert_says(&error, &["14 of 100 records are rejected", "--max-rejects", "most often"]);
    assert_nothing_kept(folder.path());
    // One person of a hundred born after the reference date does not make it another semester's snapshot.
    let page = succeed(&["build", "s.csv", "--period", "2024-S1", "--max-rejects", "0.2"], folder.path());
    assert_says(&page, &["100 records read", "86 counted, 14 rejected", "3401"]);
    let build: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.path().join("warehouse/confidential/2024-S1/build.json")).unwrap()).unwrap();
    let kept = folder.path().join("warehouse/confidential/2024-S1").join(build["build"].as_str().unwrap());
    let rejects = fs::read_to_string(kept.join("rejects.csv")).unwrap();
    let expected = "file,line,reason,column,shape
s.csv,10,unknown-region,NO_PROP+NO_KAB+NO_KEC+NO_KEL,digits(2) / digits(1) / digits(1) / digits(4)
s.csv,11,missing-field,NO_PROP+NO_KAB+NO_KEC+NO_KEL,empty / digits(1) / digits(1) / digits(4)
s.csv,12,malformed-identifier,NIK,digits(3)
s.csv,13,malformed-identifier,NIK,digits(14) letters(1) digits(1)
s.csv,14,born-after-reference-date,TGL_LHR,digits(4) sign digits(2) sign digits(2)
s.csv,15,born-too-early,TGL_LHR,digits(4) sign digits(2) sign digits(2)
s.csv,16,unreadable-date,TGL_LHR,digits(4) sign digits(2) sign digits(2)
s.csv,17,unknown-code,AGAMA,letters(2-4)
s.csv,18,missing-field,JENIS_KLMIN,space
s.csv,20,impossible-combination,ever-married-below-10,
s.csv,21,not-utf-8,AGAMA,bytes(5-9) not UTF-8
s.csv,22,missing-field,NO_KK,empty
s.csv,101,wrong-number-of-fields,,22 fields
";
    assert_eq!(rejects, expected);
    assert_eq!(fs::read_to_string(kept.join("duplicates.csv")).unwrap(), "file,line,first_file,first_line\ns.csv,19,s.csv,9\n");
    let quality: serde_json::Value = serde_json::from_slice(&fs::read(kept.join("quality.json")).unwrap()).unwrap();
    let regions = quality["regions"].as_array().unwrap();
    let sum = |field: &str| regions.iter().map(|region| region[field].as_u64().unwrap()).sum::<u64>();
    assert_eq!((sum("accepted"), sum("rejected")), (86, 14));
    // What the public may know of it holds no count.
    succeed(&["release", "2024-S1"], folder.path());
    let public = fs::read_to_string(folder.path().join("warehouse/releases/2024-S1/r1/quality.json")).unwrap();
    assert!(!public.contains("accepted"), "of a hundred people a share would tell how many were rejected: {public}");
    // Of very few it says nothing, because the share accepted would tell how many they are.
    let few = format!("{}{}\n", snapshot(&people(3)), Person { sex: "?".into(), ..Person::new(9) }.line(","));
    fs::write(folder.path().join("few.csv"), few).unwrap();
    succeed(&["build", "few.csv", "--period", "2024-S1", "--warehouse", "few", "--max-rejects", "1"], folder.path());
    succeed(&["release", "2024-S1", "--warehouse", "few"], folder.path());
    let public = fs::read_to_string(folder.path().join("few/releases/2024-S1/r1/quality.json")).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&public).unwrap()["rejected_per_thousand"], serde_json::json!({}));
    assert!(!public.contains("accepted"), "{public}");
}

/// Every file of a folder and of those in it, as text.
fn written(folder: &Path) -> Vec<(std::path::PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(written(&path));
        } else {
            found.push((path.clone(), String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned()));
        }
    }
    found
}

#[test]
fn columns_that_are_shifted_give_no_person_away() {
    let folder = tempfile::tempdir().unwrap();
    // In half of the records a field is missing and another stands at the end, so that names, places and dates lie in the columns of
    // codes; the others have formulas where the rejects would show them.
    let mut text = format!("{HEADING}\n");
    for (at, person) in people(400).iter().enumerate() {
        let line = person.line("\t").replace("SITI", "NIKEN SRIKANDI").replace("WATES", "ZYXOPOLIS").replace("MERDEKA", "QWERTZWEG");
        let mut fields: Vec<&str> = line.split('\t').collect();
        match at % 4 {
            1 => fields.rotate_left(1),
            2 => fields.rotate_right(3),
            3 => (fields[5], fields[6]) = ("=HYPERLINK(\"http://evil.example\";\"x\")", "@SUM(1+9)*cmd|' /C calc'!A0"),
            _ => {}
        }
        let fields: Vec<String> = fields.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
        text += &format!("{}\n", fields.join(","));
    }
    fs::write(folder.path().join("s.csv"), &text).unwrap();
    let page = succeed(&["build", "s.csv", "--period", "2024-S1", "--max-rejects", "1"], folder.path());
    assert_says(&page, &["100 counted, 300 rejected"]);
    let told = |text: &str, place: &str| {
        for secret in ["NIKEN", "SRIKANDI", "ZYXOPOLIS", "QWERTZWEG", "34010100000000", "34010200000000", "HYPERLINK", "SUM(1+9)"] {
            assert!(!text.contains(secret), "{place} tells '{secret}'");
        }
    };
    told(&page, "the report");
    for (path, text) in written(&folder.path().join("warehouse")) {
        told(&text, &path.display().to_string());
    }
    // Without a heading the first line is a person too.
    let (_, headless) = text.split_once('\n').unwrap();
    for other in [headless.to_owned(), headless.replace("\",\"", "^"), headless.replace("\",\"", "\"|\"")] {
        fs::write(folder.path().join("headless.csv"), other).unwrap();
        let said = fail(&["build", "headless.csv", "--period", "2024-S1"], folder.path());
        assert_says(&said, &["headless.csv, line 1", "no heading"]);
        told(&said, "the error");
    }
}

#[test]
fn names_of_files_start_no_formulas() {
    let folder = tempfile::tempdir().unwrap();
    let mut persons = people(60);
    persons[9].religion = "JEDI".into();
    persons[20].nik = persons[21].nik.clone();
    fs::write(folder.path().join("=1+1.csv"), snapshot(&persons)).unwrap();
    succeed(&["build", "=1+1.csv", "--period", "2024-S1", "--max-rejects", "1"], folder.path());
    let lists: Vec<(std::path::PathBuf, String)> = written(&folder.path().join("warehouse"))
        .into_iter()
        .filter(|(path, _)| path.extension().is_some_and(|ending| ending == "csv"))
        .collect();
    assert_eq!(lists.len(), 2, "{lists:?}");
    for (path, text) in lists {
        let rows: Vec<&str> = text.lines().skip(1).collect();
        assert!(!rows.is_empty() && rows.iter().all(|row| row.starts_with("'=1+1.csv,")), "{}: {text}", path.display());
    }
}

#[test]
fn a_snapshot_of_another_semester() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("s.csv"), snapshot(&people(1500))).unwrap();
    let error = fail(&["build", "s.csv", "--period", "2024-S2"], folder.path());
    assert_says(&error, &["seems to be of 2024-S1 and not of 2024-S2", "--accept-period"]);
    let mut later = people(1500);
    for person in later.iter_mut().take(20) {
        person.born = "2024-06-01".into();
        person.occupation = "BELUM/TIDAK BEKERJA".into();
    }
    fs::write(folder.path().join("s.csv"), snapshot(&later)).unwrap();
    let error = fail(&["build", "s.csv", "--period", "2023-S2"], folder.path());
    assert_says(&error, &["of a later period than 2023-S2", "20 of 1500 people are born after 2023-12-31"]);
    succeed(&["build", "s.csv", "--period", "2024-S2", "--accept-period"], folder.path());
    let error = fail(&["build", "s.csv", "--period", "2024"], folder.path());
    assert_says(&error, &["2024 is no period of the register"]);
    let error = fail(&["build", "s.csv", "--period", "2024-S3"], folder.path());
    assert_says(&error, &["'2024-S3' is not a period", "2024-S1"]);
}

#[test]
fn files_that_are_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let error = fail(&["build", "nowhere.csv", "--period", "2024-S1"], folder.path());
    assert_says(&error, &["nowhere.csv: there is no such file or folder"]);
    fs::create_dir(folder.path().join("empty")).unwrap();
    let error = fail(&["build", "empty", "--period", "2024-S1"], folder.path());
    assert_says(&error, &["empty: no snapshot file found", ".csv"]);
    let error = fail(&["release", "2024-S1"], folder.path());
    assert_says(&error, &["2024-S1 has not been counted yet", "cacah build"]);
    fs::write(folder.path().join("s.csv"), snapshot(&people(10))).unwrap();
    let error = fail(&["build", "s.csv", "--period", "2024-S1", "--definitions", "nowhere"], folder.path());
    assert_says(&error, &["nowhere", "No such file"]);
    fs::create_dir(folder.path().join("set")).unwrap();
    fs::write(folder.path().join("set/register.toml"), "id = \"x\"\nlabels = 5\n").unwrap();
    let error = fail(&["build", "s.csv", "--period", "2024-S1", "--definitions", "set"], folder.path());
    assert_says(&error, &["set/register.toml:2", "unknown field"]);
}

#[test]
fn a_damaged_cube_is_not_published() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("s.csv"), snapshot(&people(100))).unwrap();
    succeed(&["build", "s.csv", "--period", "2024-S1"], folder.path());
    let build: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.path().join("warehouse/confidential/2024-S1/build.json")).unwrap()).unwrap();
    let cube = folder.path().join("warehouse/confidential/2024-S1").join(build["build"].as_str().unwrap()).join("cubes/labour.parquet");
    let mut bytes = fs::read(&cube).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&cube, bytes).unwrap();
    let error = fail(&["release", "2024-S1"], folder.path());
    assert_says(&error, &["cubes/labour.parquet", "not what the build wrote", "cacah build"]);
    assert!(!folder.path().join("warehouse/releases/2024-S1/r1/manifest.json").exists());
    let left = fs::read_dir(folder.path().join("warehouse/releases/2024-S1/r1/cells")).map_or(0, |entries| entries.count());
    assert_eq!(left, 0, "a failed release left files behind");
}

#[test]
fn a_disk_that_fills_up() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    fs::create_dir(&disk).unwrap();
    fs::write(folder.path().join("s.csv"), snapshot(&people(60_000))).unwrap();
    succeed(&["build", "s.csv", "--period", "2024-S1"], folder.path());
    // A file system of 256 KiB of its own, which needs the right to mount: as root, or in a user namespace.
    let script = format!(
        "set -e; mount -t tmpfs -o size=256k tmpfs disk; \
         echo == scratch; {0} build s.csv --period 2024-S1 --warehouse other --scratch disk --memory 0 2>&1 || true; ls other/confidential/2024-S1 2>/dev/null || true; \
         echo == confidential; head -c 200000 /dev/zero > disk/ballast; {0} build s.csv --period 2024-S1 --confidential disk/c 2>&1 || true; find disk/c -name build.json; \
         echo == releases; rm -r disk/*; head -c 230000 /dev/zero > disk/ballast; {0} release 2024-S1 --releases disk/r 2>&1 || true; find disk/r -type f",
        env!("CARGO_BIN_EXE_cacah")
    );
    let output = Command::new("unshare").args(["--mount", "--map-root-user", "sh", "-c", &script]).current_dir(folder.path()).output();
    let output = output.expect("unshare (util-linux) is there");
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let parts: Vec<&str> = out.split("== ").collect();
    assert_eq!(parts.len(), 4, "{out}\n{}", String::from_utf8_lossy(&output.stderr));
    for (part, wanted) in
        parts[1..].iter().zip([&["error: ", "scratch folder", "--scratch DIR"][..], &["error: ", "disk/c"], &["error: ", "disk/r"]])
    {
        assert_says(part, wanted);
        assert!(part.contains("No space left on device"), "{part}");
        assert!(!part.contains("build.json") && !part.contains("manifest.json") && !part.contains("panicked"), "{part}");
    }
    // With room again, the same commands succeed.
    succeed(&["release", "2024-S1"], folder.path());
}

#[test]
fn threads_and_memory_do_not_change_what_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut persons = people(5000);
    for at in (100..5000).step_by(97) {
        persons[at].nik = Person::new(50).nik;
    }
    fs::write(folder.path().join("s.csv"), snapshot(&persons)).unwrap();
    let mut seen = Vec::new();
    for threads in ["1", "2", "5"] {
        let place = format!("w{threads}");
        let args = ["build", "s.csv", "--period", "2024-S1", "--threads", threads, "--memory", "0", "--warehouse", &place];
        let output = program().args(args).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        seen.push(fs::read(folder.path().join(&place).join("confidential/2024-S1/build.json")).unwrap());
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]));
}
