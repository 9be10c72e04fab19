//! Certified releases through the real program: protected, audited, published, audited again, and broken on purpose.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    common::{assert_says, fail, succeed},
    pipeline::{cells, other_register},
};

const RELEASE: &str = "warehouse/releases/2024/r1";

/// Counts a snapshot of the other register.
fn build(snapshot: &str, folder: &Path) {
    let definitions = other_register("definitions");
    succeed(&["build", snapshot, "--period", "2024", "--definitions", &definitions, "--max-rejects", "0.05"], folder);
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
    let said = succeed(&["release", "2024", "--certify"], folder);
    assert_says(&said, &["secondary", "audited in", "no fault found", "2024 r1 published"]);
    let manifest: serde_json::Value = serde_json::from_slice(&fs::read(folder.join(RELEASE).join("manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["protection"], "certified");
    assert_eq!(manifest["rule"], serde_json::json!({ "threshold": 5, "reach": "rule", "group": null }));
    assert_eq!(manifest["audit"], manifest["files"]["audit.json"]["sha256"]);
    let report: serde_json::Value = serde_json::from_slice(&fs::read(folder.join(RELEASE).join("audit.json")).unwrap()).unwrap();
    assert_eq!(report["faults"], serde_json::json!({}));
    assert!(report["certificates"].as_u64().unwrap() > 100 && report["attack"]["programs"].as_u64().unwrap() > 0, "{report}");
    assert!(report.get("examples").is_none(), "cells stay on the confidential side");

    // More is withheld than the small counts, and nothing says which of the two a cell is.
    let found: Vec<_> = fs::read_dir(folder.join(RELEASE).join("cells")).unwrap().map(|file| cells(&file.unwrap().path())).collect();
    let withheld = found.iter().flat_map(|cells| cells.values()).filter(|(_, status)| status.as_deref() == Some("c")).count() as u64;
    assert_eq!(withheld, report["suppressed"].as_u64().unwrap());
    assert!(withheld > report["primaries"].as_u64().unwrap());
    assert!(found.iter().flat_map(|cells| cells.values()).all(|(value, _)| value.is_none_or(|value| value == 0 || value >= 5)));
    assert!(!folder.join("warehouse/releases/2024/proofs").exists(), "certificates stay on the confidential side");

    // The same once more gives the same, whatever the number of threads.
    succeed(&["release", "2024", "--certify", "--threads", "1", "--releases", "again"], folder);
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
    succeed(&["release", "2024", "--certify"], folder);
    assert_says(&succeed(&["audit", "2024"], folder), &["2024/r1", "certificates", "no fault found"]);

    let files: [(PathBuf, &[&str]); 4] = [
        (folder.join(RELEASE).join("cells/RV01.parquet"), &["RV01"]),
        (folder.join(RELEASE).join("audit.json"), &["audit.json is not what was published"]),
        (folder.join("warehouse/confidential/2024/proofs/r1/certificates.parquet"), &["certificates.parquet", "not what was proven"]),
        (folder.join("warehouse/confidential/2024/proofs/r1/worlds.parquet"), &["worlds.parquet", "not what was proven"]),
    ];
    for (path, says) in files {
        let good = fs::read(&path).unwrap();
        damage(&path);
        assert_says(&fail(&["audit", "2024"], folder), says);
        fs::write(&path, good).unwrap();
    }
    // Cells of a release made of the same counts without certificates: every file is sound, but the cells are not.
    succeed(&["release", "2024", "--releases", "primary"], folder);
    assert_says(&fail(&["audit", "2024", "--releases", "primary"], folder), &["primary-only", "nothing was proven"]);
    let weak = fs::read(folder.join("primary/2024/r1/cells/RV02.parquet")).unwrap();
    fs::write(folder.join(RELEASE).join("cells/RV02.parquet"), weak).unwrap();
    let error = fail(&["audit", "2024"], folder);
    assert_says(&error, &["must not be shown", "cells/RV02.parquet is not what was published", "world-published"]);
}

#[test]
fn a_correction_must_not_give_away_what_the_first_revision_hides() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let text = fs::read_to_string(other_register("snapshot-2024.csv")).unwrap();
    build(&other_register("snapshot-2024.csv"), folder);
    succeed(&["release", "2024", "--certify"], folder);

    // One person less: the pattern stays as it was, so that both revisions may stand side by side.
    let without: Vec<&str> = text.lines().enumerate().filter(|(at, _)| *at != 4).map(|(_, line)| line).collect();
    fs::write(folder.join("one-less.csv"), without.join("\n")).unwrap();
    build("one-less.csv", folder);
    assert_says(&fail(&["release", "2024", "--certify"], folder), &["published already as r1, with other cells", "--correction"]);
    succeed(&["release", "2024", "--certify", "--correction", "one person had moved away"], folder);
    for revision in ["1", "2"] {
        assert_says(&succeed(&["audit", "2024", "--revision", revision], folder), &["no fault found"]);
    }

    // Without any certificate a correction would publish what the first revision hides.
    let half: Vec<&str> = text.lines().enumerate().filter(|(at, _)| *at < 330).map(|(_, line)| line).collect();
    fs::write(folder.join("half.csv"), half.join("\n")).unwrap();
    build("half.csv", folder);
    let error = fail(&["release", "2024", "--certify", "--correction", "half of it was somebody else's"], folder);
    assert_says(&error, &["together would give away what each hides alone", "next period"]);
    assert!(!folder.join("warehouse/releases/2024/r3").exists());
    assert!(!folder.join("warehouse/confidential/2024/proofs/r3").exists());
}
