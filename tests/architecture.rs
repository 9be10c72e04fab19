//! The rules of the house that a compiler does not check.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Modules from the ground up: each may use only those before it.
const ORDER: [&str; 30] = [
    "digits",
    "spreadsheet",
    "error",
    "signing",
    "parallel",
    "recent",
    "register",
    "attack",
    "words",
    "worlds",
    "storage",
    "engine",
    "ingest",
    "classify",
    "cube",
    "protect",
    "audit",
    "sample",
    "release",
    "tables",
    "sql",
    "formats",
    "sdmx",
    "charts",
    "dashboards",
    "access",
    "usage",
    "serve",
    "cli",
    "commands",
];
/// Modules that hold people or unprotected counts.
const CONFIDENTIAL: [&str; 6] = ["ingest", "classify", "cube", "protect", "audit", "sample"];
/// Modules that face the public.
const PUBLIC: [&str; 11] = ["attack", "release", "tables", "sql", "formats", "sdmx", "charts", "dashboards", "access", "usage", "serve"];

fn sources() -> BTreeMap<PathBuf, String> {
    fn gather(folder: &Path, found: &mut BTreeMap<PathBuf, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                gather(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.insert(path.clone(), fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    gather(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 20, "the sources were found");
    found
}

/// The module that a file belongs to: its folder or its own name below `src`.
fn module_of(path: &Path) -> String {
    let below = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    let first = below.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// Every `crate::module` that a file names, `use crate::{a::b, c}` included.
fn named_modules(text: &str) -> Vec<String> {
    let mut named = Vec::new();
    for mark in ["crate::", "cacah::"] {
        for (at, _) in text.match_indices(mark) {
            let rest = &text[at + mark.len()..];
            if let Some(list) = rest.strip_prefix('{') {
                let mut depth = 0;
                let mut item = String::new();
                for char in list.chars() {
                    match char {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => named.push(std::mem::take(&mut item)),
                        char if depth == 0 => item.push(char),
                        _ => {}
                    }
                }
                named.push(item);
            } else {
                named.push(rest.chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect());
            }
        }
    }
    named.iter().map(|item| item.trim().split("::").next().unwrap_or_default().trim().to_owned()).filter(|item| !item.is_empty()).collect()
}

fn rank(module: &str) -> Option<usize> {
    ORDER.iter().position(|known| *known == module)
}

#[test]
fn every_module_has_its_place() {
    for path in sources().keys() {
        let module = module_of(path);
        assert!(["lib", "main"].contains(&module.as_str()) || rank(&module).is_some(), "{} is in no known module", path.display());
    }
}

#[test]
fn arrows_point_upwards_only() {
    for (path, text) in sources() {
        let module = module_of(&path);
        let Some(own) = rank(&module) else { continue };
        for used in named_modules(&text) {
            if let Some(other) = rank(&used) {
                assert!(other <= own || module == "error", "{}: {module} uses {used}, which stands below it", path.display());
            }
        }
    }
}

#[test]
fn the_public_side_knows_nothing_confidential() {
    for (path, text) in sources() {
        let module = module_of(&path);
        if PUBLIC.contains(&module.as_str()) {
            for used in named_modules(&text) {
                assert!(!CONFIDENTIAL.contains(&used.as_str()), "{}: {module} uses {used}", path.display());
            }
        }
    }
}

#[test]
fn one_place_for_each_foreign_part() {
    let allowed: [(&str, &[&str]); 6] = [
        ("SessionContext", &["engine"]),
        ("datafusion_pg_catalog", &["engine"]),
        ("object_store::", &["storage", "engine"]),
        ("axum::", &["serve"]),
        ("pgwire::", &["serve"]),
        ("clap::", &["cli", "main"]),
    ];
    for (path, text) in sources() {
        let module = module_of(&path);
        for (part, places) in &allowed {
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//")).any(|line| line.contains(part));
            assert!(!code || places.contains(&module.as_str()), "{} names {part}", path.display());
        }
    }
}

#[test]
fn the_ground_is_pure() {
    for (path, text) in sources() {
        if ["register", "attack", "protect", "audit"].contains(&module_of(&path).as_str()) {
            for foreign in ["tokio", "datafusion", "std::fs", "std::net", "SystemTime", "async fn"] {
                assert!(!text.contains(foreign), "{} names {foreign}", path.display());
            }
        }
    }
}

#[test]
fn the_engine_knows_no_country() {
    let words = ["indonesia", "dukcapil", "nik\"", "kawin", "kelurahan", "provinsi", "semester i"];
    for (path, text) in sources() {
        // `words` speaks languages, which is not to know countries.
        if ["sample", "cli", "commands", "lib", "main", "words"].contains(&module_of(&path).as_str()) {
            continue;
        }
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            let line = line.replace("Tongue::Indonesian", "").to_lowercase();
            for word in words {
                assert!(!line.contains(word), "{}: {line}", path.display());
            }
        }
    }
}

/// Whatever opens in a spreadsheet is written by one function, so that nothing in it starts a formula. A table of commas is written by its own
/// quotation marks, by a library, or under a name that ends in csv: none of these may be anywhere without it.
#[test]
fn whatever_opens_in_a_spreadsheet_is_written_by_one_function() {
    let mut writers = Vec::new();
    for (path, text) in sources() {
        let module = module_of(&path);
        if module == "spreadsheet" {
            continue;
        }
        // Tests read and make such files as they like.
        let code = text.split("#[cfg(test)]").next().unwrap();
        for forbidden in ["csv::Writer", "WriterBuilder", "write_record(", r#"replace('"', "\"\"")"#, "write_formula", "Formula::new"] {
            assert!(!code.contains(forbidden), "{}: {forbidden}; take crate::spreadsheet", path.display());
        }
        let is_named = path.file_name().is_some_and(|name| name == "csv.rs");
        let makes = ["text/csv", ",first_file,", ",reason,column,", "fn csv("].iter().any(|mark| code.contains(mark));
        if is_named || makes {
            writers.push((path, code.contains("spreadsheet::")));
        }
    }
    // Those that only name the media type hand on what others wrote.
    let hands_on = ["formats/mod.rs", "sdmx/media.rs", "serve/portal/admin/usage.rs"];
    for (path, does) in &writers {
        assert!(*does || hands_on.iter().any(|known| path.ends_with(known)), "{} writes a table of commas by itself", path.display());
    }
    let found = writers.iter().filter(|(_, does)| *does).count();
    assert!(found >= 7, "only {found} writers were found: {writers:?}");
}

#[test]
fn files_stay_readable() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= 700, "{} has {lines} lines; give its second job a file of its own", path.display());
        assert!(!text.contains("TODO") && !text.contains("FIXME"), "{} leaves something undone", path.display());
    }
}

/// What is read of cells comes out of `serve::noted` together with the note for the log, and from nowhere else. The port for SQL gives rows batch by
/// batch, each noted in the one place that asks for them.
#[test]
fn only_one_file_of_the_service_asks_for_cells() {
    let asks = |code: &str| {
        let imported = |from: &str, name: &str| {
            let opening = format!("{from}::{{");
            let lists = code.split(&opening).skip(1).filter_map(|rest| rest.split_once('}'));
            lists.flat_map(|(list, _)| list.split(',')).any(|item| item.trim() == name)
        };
        let called =
            ["sql.run(", "tables::answer(", "charts::picture(", "session.run("].iter().filter(|call| code.contains(**call)).count();
        called + usize::from(imported("tables", "answer")) + usize::from(imported("charts", "picture"))
    };
    let mut found = Vec::new();
    for (path, text) in sources() {
        if module_of(&path) == "serve" && asks(&text) > 0 {
            found.push(path.display().to_string());
        }
    }
    found.sort();
    assert!(
        found.len() == 2 && found[0].ends_with("serve/noted.rs") && found[1].ends_with("serve/postgres/handler.rs"),
        "cells are asked for in {found:?}"
    );
}

#[test]
fn only_the_audit_lets_cells_be_certified() {
    for (path, text) in sources() {
        let module = module_of(&path);
        assert!(module == "audit" || module == "worlds" || !text.contains("Audited::new"), "{} certifies by itself", path.display());
        assert!(module != "audit" || !named_modules(&text).contains(&"protect".to_owned()), "{} knows the protection", path.display());
    }
}

#[test]
fn the_attack_knows_nothing_but_what_is_published() {
    for (path, text) in sources() {
        if module_of(&path) == "attack" {
            for used in named_modules(&text) {
                assert!(["attack", "error", "parallel", "register"].contains(&used.as_str()), "{}: attack uses {used}", path.display());
            }
        }
    }
}

/// What the list of security says must be there: files, and functions in them.
#[test]
fn what_keeps_the_service_safe_is_where_the_list_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let list = fs::read_to_string(root.join("tests/security.md")).unwrap();
    let mut named = 0;
    for line in list.lines().filter(|line| line.starts_with("| ") && line.contains('`')) {
        let proof = line.rsplit('|').nth(1).unwrap();
        for place in proof.split('`').skip(1).step_by(2) {
            let (file, function) = place.split_once("::").unwrap_or((place, ""));
            let text =
                fs::read_to_string(root.join(file)).unwrap_or_else(|_| panic!("{file} is named in tests/security.md, and is not there"));
            let is_there = function.is_empty() || text.contains(&format!("fn {function}(")) || text.contains(&format!("fn {function}<"));
            assert!(is_there, "{place} is named in tests/security.md, and is not there");
            named += 1;
        }
    }
    assert!(named > 50, "only {named} places are named");
}
