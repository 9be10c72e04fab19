//! Certified releases through the real program: protected, audited, published, audited again, and broken on purpose.

use std::{
    fs,
    path::{Path, PathBuf},
};

use cacah::{
    cube::{Confidential, rollup},
    register::{Status, ZeroMask},
    release::write_cells,
    storage::Store,
};

use crate::{
    common::{assert_says, fail, forget_proofs, succeed},
    pipeline::{cells, counted, other_register},
};

const RELEASE: &str = "warehouse/releases/2024/r1";

/// Counts a snapshot of the other register.
fn build(snapshot: &str, folder: &Path) {
    let definitions = other_register("definitions");
    succeed(&["build", snapshot, "--period", "2024", "--definitions", &definitions, "--max-rejects", "0.05"], folder);
}

/// Counts a snapshot of the other register that lacks some of its lines.
fn build_without(lines: impl Fn(usize) -> bool, folder: &Path) {
    let text = fs::read_to_string(other_register("snapshot-2024.csv")).unwrap();
    let kept: Vec<&str> = text.lines().enumerate().filter(|(at, _)| !lines(*at)).map(|(_, line)| line).collect();
    fs::write(folder.join("part.csv"), kept.join("\n")).unwrap();
    build("part.csv", folder);
}

/// The cells of a table as they would be if small counts alone were suppressed.
fn small_counts_suppressed(folder: &Path, table: &str) -> bytes::Bytes {
    let store = Store::open(folder.join("warehouse/confidential").to_str().unwrap()).unwrap();
    let confidential = Confidential::new(store);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (build, definitions) = confidential.load("2024".parse().unwrap()).await.unwrap();
        let table = definitions.tables.iter().find(|known| known.id == table).unwrap();
        let shape = definitions.shape(table);
        let zeros = ZeroMask::new(table, &shape, &definitions.zeros);
        let counts = rollup(&shape, &confidential.cube(&build, &definitions, table).await.unwrap());
        let statuses: Vec<Status> = (0..shape.cells)
            .map(|cell| match counts[cell as usize] {
                _ if zeros.covers(&shape.coordinates(cell)) => Status::Impossible,
                1..5 => Status::Suppressed,
                _ => Status::Published,
            })
            .collect();
        write_cells(table, &definitions.dimensions, &shape, &counts, &statuses).unwrap()
    })
}

/// Changes one byte in the middle of a file.
fn damage(path: &Path) {
    let mut content = fs::read(path).unwrap();
    let middle = content.len() / 2;
    content[middle] ^= 1;
    fs::write(path, content).unwrap();
}

#[test]
fn only_what_the_audit_lets_pass_is_published() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    build(&other_register("snapshot-2024.csv"), folder);
    let said = succeed(&["release", "2024"], folder);
    assert_says(&said, &["secondary", "audited in", "no fault found", "2024 r1 published"]);
    let manifest: serde_json::Value = serde_json::from_slice(&fs::read(folder.join(RELEASE).join("manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["protection"], "certified");
    assert_eq!(manifest["rule"], serde_json::json!({ "threshold": 5, "reach": "rule", "group": null, "contributors": 1 }));
    assert_eq!(manifest["audit"], manifest["files"]["audit.json"]["sha256"]);
    let report: serde_json::Value = serde_json::from_slice(&fs::read(folder.join(RELEASE).join("audit.json")).unwrap()).unwrap();
    assert_eq!((&report["faults"], &report["rule"]), (&serde_json::json!({}), &manifest["rule"]));
    let said: Vec<&String> = report.as_object().unwrap().keys().collect();
    assert_eq!(said, ["cells", "checked", "faults", "rule", "suppressed", "system"], "what depends on hidden values is not told");

    // More is withheld than the small counts, and nothing says which of the two a cell is.
    let found: Vec<_> = fs::read_dir(folder.join(RELEASE).join("cells")).unwrap().map(|file| cells(&file.unwrap().path())).collect();
    let withheld = found.iter().flat_map(|cells| cells.values()).filter(|(_, status)| status.as_deref() == Some("c")).count() as u64;
    assert_eq!(withheld, report["suppressed"].as_u64().unwrap());
    let audited = succeed(&["audit", "2024"], folder);
    let number = |what: &str| {
        let words: Vec<&str> = audited.split(", ").find(|part| part.contains(what)).unwrap().split(' ').collect();
        words
            .iter()
            .take_while(|word| word.bytes().all(|byte| byte.is_ascii_digit()))
            .fold(0, |number, word| number * 1000 + word.parse::<u64>().unwrap())
    };
    assert!((100..withheld).contains(&number("certificates")) && number("exact ranges") > 0, "{audited}");
    assert!(found.iter().flat_map(|cells| cells.values()).all(|(value, _)| value.is_none_or(|value| value == 0 || value >= 5)));
    assert!(!folder.join("warehouse/releases/2024/proofs").exists(), "certificates stay on the confidential side");

    // The same once more gives the same, whatever the number of threads.
    succeed(&["release", "2024", "--threads", "1", "--releases", "again"], folder);
    for file in ["manifest.json", "audit.json"] {
        let read = |store: &str| fs::read(folder.join(store).join("2024/r1").join(file)).unwrap();
        assert!(read("warehouse/releases") == read("again"), "{file} differs");
    }
    assert_says(&succeed(&["releases"], folder), &["2024", "r1 ", "certified"]);
}

#[test]
fn an_audit_from_files_alone_finds_what_was_tampered_with() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    build(&other_register("snapshot-2024.csv"), folder);
    assert_says(&fail(&["audit", "2024"], folder), &["no such release of 2024"]);
    succeed(&["release", "2024"], folder);
    assert_says(&succeed(&["audit", "2024"], folder), &["2024/r1", "certificates", "no fault found"]);

    let proven = folder.join("warehouse/confidential/2024/proofs/r1");
    let manifest: serde_json::Value = serde_json::from_slice(&fs::read(proven.join("proof.json")).unwrap()).unwrap();
    let proof = proven.join(manifest["proof"].as_str().unwrap());
    let files: [(PathBuf, &[&str]); 4] = [
        (folder.join(RELEASE).join("cells/RV01.parquet"), &["RV01"]),
        (folder.join(RELEASE).join("audit.json"), &["audit.json is not what was published"]),
        (proof.join("certificates.parquet"), &["certificates.parquet", "not what was proven"]),
        (proof.join("worlds.parquet"), &["worlds.parquet", "not what was proven"]),
    ];
    for (path, says) in files {
        let good = fs::read(&path).unwrap();
        damage(&path);
        assert_says(&fail(&["audit", "2024"], folder), says);
        fs::write(&path, good).unwrap();
    }
    // Cells of the same counts with nothing suppressed but the small ones: the file is sound, the protection is not.
    let path = folder.join(RELEASE).join("cells/RV02.parquet");
    let good = fs::read(&path).unwrap();
    fs::write(&path, small_counts_suppressed(folder, "RV02")).unwrap();
    let error = fail(&["audit", "2024"], folder);
    assert_says(&error, &["must not be shown", "cells/RV02.parquet is not what was published", "world-published"]);
    fs::write(&path, good).unwrap();
    // A release of an earlier version, which proved nothing.
    let path = folder.join(RELEASE).join("manifest.json");
    let manifest = fs::read_to_string(&path).unwrap();
    fs::write(&path, manifest.replace("\"certified\"", "\"primary-only\"")).unwrap();
    assert_says(&fail(&["audit", "2024"], folder), &["primary-only", "nothing was proven"]);
}

#[test]
fn a_correction_must_not_give_away_what_the_first_revision_hides() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    build(&other_register("snapshot-2024.csv"), folder);
    succeed(&["release", "2024"], folder);

    // One person less: the pattern stays as it was, so that both revisions may stand side by side.
    build_without(|line| line == 4, folder);
    assert_says(&fail(&["release", "2024"], folder), &["published already as r1, from another build", "--correction"]);
    let one_less = ["release", "2024", "--correction", "one person had moved away"];
    assert_says(&fail(&one_less, folder), &["would change by fewer than 5", "next period", "--accept-differences"]);
    succeed(&[&one_less[..], &["--accept-differences"]].concat(), folder);
    for revision in ["1", "2"] {
        assert_says(&succeed(&["audit", "2024", "--revision", revision], folder), &["no fault found"]);
    }

    // What is withheld too late was published already.
    let error = fail(&["release", "2024", "--correction", "stricter", "--threshold", "9", "--accept-differences"], folder);
    assert_says(&error, &["would together give away", "small counts", "next period"]);

    // Without any certificate a correction would publish what the first revision hides.
    build_without(|line| line >= 330, folder);
    let error = fail(&["release", "2024", "--correction", "half of it was somebody else's", "--accept-differences"], folder);
    assert_says(&error, &["would together give away", "small counts", "next period"]);
    assert!(!folder.join("warehouse/releases/2024/r3").exists());
    assert!(!folder.join("warehouse/confidential/2024/proofs/r3").exists());
}

#[test]
fn what_was_published_once_is_known_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    build(&other_register("snapshot-2024.csv"), folder);
    // What is only tried leaves nothing behind.
    assert_says(&succeed(&["release", "2024", "--threshold", "4", "--dry-run"], folder), &["no fault found", "nothing is published"]);
    assert!(!folder.join("warehouse/confidential/2024/proofs").exists() && !folder.join("warehouse/releases/2024").exists());
    succeed(&["release", "2024"], folder);
    assert_says(&succeed(&["release", "2024", "--threshold", "4", "--dry-run"], folder), &["nothing is published"]);
    // The same release in another folder; never another one of the same period.
    succeed(&["release", "2024", "--releases", "copy"], folder);
    assert_eq!(fs::read(folder.join("copy/2024/r1/manifest.json")).unwrap(), fs::read(folder.join(RELEASE).join("manifest.json")).unwrap());
    let error = fail(&["release", "2024", "--releases", "third", "--weight", "RV02=100"], folder);
    assert_says(&error, &["r1 of 2024 is proven already with other cells", "proofs/r1"]);
    assert!(!folder.join("third/2024").exists());
    let error = fail(&["release", "2024", "--releases", "third", "--threshold", "6"], folder);
    assert_says(&error, &["published already as r1, which", "third", "--correction", "proofs/r1"]);

    // Withdrawn, and one person less: whoever has a copy of the first revision still has it.
    fs::remove_dir_all(folder.join(RELEASE)).unwrap();
    build_without(|line| line == 4, folder);
    assert_says(&fail(&["release", "2024"], folder), &["published already as r1, which", "withdrawn", "--correction"]);
    let correction = ["release", "2024", "--correction", "one person had moved away"];
    assert_says(&fail(&correction, folder), &["would change by fewer than 5", "--accept-differences"]);
    succeed(&[&correction[..], &["--accept-differences"]].concat(), folder);
    assert!(!folder.join(RELEASE).exists() && folder.join("warehouse/releases/2024/r2/manifest.json").exists());
    assert_says(&succeed(&["audit", "2024"], folder), &["2024/r2", "2 revisions attacked together", "no fault found"]);
}

#[test]
fn a_correction_that_changes_nothing_changes_no_pattern() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    build(&other_register("snapshot-2024.csv"), folder);
    succeed(&["release", "2024"], folder);
    let again = ["release", "2024", "--correction", "nothing"];
    assert_says(&fail(&again, folder), &["published already as r1", "exactly these cells"]);
    // Another rule is something else.
    let error = fail(&[&again[..], &["--threshold", "9"]].concat(), folder);
    assert_says(&error, &["would together give away", "--accept-differences does not help"]);
}

#[test]
fn a_cell_is_explained_on_the_confidential_side() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    build(&other_register("snapshot-2024.csv"), folder);
    succeed(&["release", "2024"], folder);
    let explain = |cell: &str| succeed(&["audit", "2024", "--explain", cell], folder);
    // In English alone, and without the program's own words for what it works with.
    let assert_plain = |said: &str| {
        for word in ["world", "joint.", "Kõik", "Mehed", "Mees", "Naine", "aastat"] {
            assert!(!said.contains(word), "'{word}' in:\n{said}");
        }
    };
    let counts = counted(folder, "2024");
    let (mut primary, mut secondary) = (0, 0);
    for (table, counts) in &counts {
        let found = cells(&folder.join(RELEASE).join(format!("cells/{table}.parquet")));
        let of_status = |mark: Option<&str>, small: bool| {
            let fits = |codes: &&String| found[*codes].1.as_deref() == mark && (1..5).contains(&counts[*codes]) == small;
            counts.keys().filter(fits).take(3).cloned().collect::<Vec<_>>()
        };
        for codes in of_status(Some("c"), true) {
            let said = explain(&format!("{table}/{codes}"));
            assert!(said.starts_with("CONFIDENTIAL"), "{said}");
            let count = format!("its true count is {}", counts[&codes]);
            assert_says(
                &said,
                &[&format!("{table}/{codes}  ("), &count, "primary: ", "below the threshold of 5", "at most 1", "at least 4"],
            );
            assert_says(&said, &["an alternative list of records is", "published cells stay as they are"]);
            assert_plain(&said);
            primary += 1;
        }
        for codes in of_status(Some("c"), false) {
            let said = explain(&format!("{table}/{codes}"));
            assert_says(&said, &["CONFIDENTIAL", "secondary: ", "an alternative list of records is", "that a rule withholds:"]);
            assert_says(&said, &["by level of their region: ", "nearest first:", "protected by alternative list of records number "]);
            assert_says(&said, &["on the way from there to the cell asked for:", "the cell asked for: ", "not further down: "]);
            assert_says(&said, &["what may open it", &format!("--weight {table}:"), "--thorough", "a lower `--"]);
            assert!(!said.contains("needed for 0 counts"), "{said}");
            assert_plain(&said);
            secondary += 1;
        }
        for codes in of_status(None, false).into_iter().take(1) {
            assert_says(&explain(&format!("{table}/{codes}")), &["CONFIDENTIAL", &format!("published: {}", counts[&codes])]);
        }
    }
    assert!(primary > 5 && secondary > 5, "{primary} primaries and {secondary} secondaries");
    let refused = |cell: &str, says: &[&str]| assert_says(&fail(&["audit", "2024", "--explain", cell], folder), says);
    refused("RV09/EE", &["there is no table 'RV09'", "RV01, RV02, RV03"]);
    refused("RV01/EE", &["has 1 code, but RV01 has 3 axes", "RV01/PLACE/GENDER/AGE"]);
    refused("RV01/XX/_T/A", &["RV01 has no place 'XX' (axis 1 of 3); it has EE (Whole state), 0037 (Harju maakond), "]);
    refused("RV01/00.38/_T/A", &["no place '00.38'", "near it: 0037 (Harju maakond), 0039 (Hiiu maakond)"]);
    refused("RV01/Tallinn/_T/A", &["near it: 0784 (Tallinn)"]);
    refused("RV01/EE/A/A", &["RV01 has no gender 'A' (axis 2 of 3)", "it is a code of age", "RV01/PLACE/GENDER/AGE"]);
    refused("RV03/0784/mul/0/A", &["Tallinn (0784, municipality) is finer than the table", "'county'"]);
    // Codes of places as people write them.
    assert_eq!(explain("RV01/00.37/_T/A"), explain("RV01/0037/_T/A"));
}

#[test]
fn settings_name_what_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    build(&other_register("snapshot-2024.csv"), folder);
    let refused = |args: &[&str], says: &[&str]| assert_says(&fail(&[&["release", "2024"], args].concat(), folder), says);
    refused(&["--weight", "RV09=3"], &["there is no table 'RV09'", "RV01, RV02, RV03"]);
    refused(&["--weight", "RV01:village=3"], &["no regions of the level 'village'", "municipality"]);
    refused(&["--weight", "RV01=1000"], &["expected TABLE=FACTOR or TABLE:LEVEL=FACTOR", "from 0.1 to 100"]);
    refused(&["--sensitive", "faith"], &["there is no dimension 'faith'", "citizenship"]);
    refused(&["--small-group", "1"], &["--small-group", "2..=1000"]);
    assert!(!folder.join("warehouse/releases/2024/r1/manifest.json").exists());
    // What is dear is kept where others do as well: the same cells are small, others go with them.
    let withheld = |releases: &str, weights: &[&str]| {
        forget_proofs(folder, "2024");
        succeed(&[&["release", "2024", "--releases", releases], weights].concat(), folder);
        let found = cells(&folder.join(releases).join("2024/r1/cells/RV01.parquet"));
        found.into_iter().filter(|(_, (_, mark))| mark.as_deref() == Some("c")).map(|(codes, _)| codes).collect::<Vec<_>>()
    };
    let (dear, cheap) = (withheld("dear", &["--weight", "RV01=100"]), withheld("cheap", &["--weight", "RV01=0.1"]));
    assert!(dear.len() < cheap.len(), "{} and {}", dear.len(), cheap.len());
    assert_ne!(withheld("level", &["--weight", "RV01:municipality=0.1"]), dear);
}
