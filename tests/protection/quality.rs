//! How many cells protection takes, and how long, on tables that other tools were measured on.

use std::{path::PathBuf, time::Instant};

use cacah::{
    audit::{Effort, audit},
    protect::{Protected, Settings, Trials, Weights, protect},
    register::Status,
    worlds::Rule,
};

use super::{
    country,
    synthetic::{Owned, census, read},
};

/// The field counts cells, so here a total is hardly dearer than any other cell; every secondary is put to the test.
///
/// Reads every `T*.csv.gz` (three nested region levels, other variables, count) in the folder `CACAH_TEST_TABLES`:
/// `CACAH_TEST_TABLES=DIR cargo test --release --test all -- --ignored --nocapture tables_of_the_field`
#[test]
#[ignore = "a measurement, of tables that do not belong to this project"]
fn tables_of_the_field() {
    let folder = PathBuf::from(std::env::var("CACAH_TEST_TABLES").expect("CACAH_TEST_TABLES names the folder of tables"));
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let is_table = |name: &str| name.starts_with('T') && name.ends_with(".csv.gz");
    files.retain(|file| file.file_name().is_some_and(|name| is_table(&name.to_string_lossy())));
    files.sort();
    assert!(!files.is_empty(), "there are no tables in {}", folder.display());
    for file in files {
        let owned = read(&file).unwrap();
        let rule = Rule::threshold(5);
        let weights = Weights { per_region_level: 100, per_total: 50, ..Weights::default() };
        let settings = Settings { trials: Trials::THOROUGH, weights, ..Settings::new(rule.clone()) };
        let started = Instant::now();
        let protected = protect(&census(&owned.borrowed()), &settings, &[]).unwrap();
        let elapsed = started.elapsed();
        let report = audit(&census(&owned.borrowed()), &protected.statuses, &protected.proof, &rule, &Effort::default(), &[]).unwrap();
        assert!(report.is_clean(), "{:?}", report.faults);
        let secondary = |table: usize| {
            let statuses = protected.statuses[table].iter().zip(&protected.primary[table]).zip(&owned.counts[table]);
            statuses
                .filter(|((status, primary), _)| **status == Status::Suppressed && !**primary)
                .map(|(_, &count)| u64::from(count))
                .collect::<Vec<_>>()
        };
        let secondaries = secondary(0);
        println!(
            "{}: {} cells, {} primary, {} secondary with {} people, protected in {:.2} s, audited in {:.2} s",
            file.file_name().unwrap_or_default().to_string_lossy(),
            owned.counts[0].len(),
            report.primaries,
            secondaries.len(),
            secondaries.iter().sum::<u64>(),
            elapsed.as_secs_f64(),
            (started.elapsed() - elapsed).as_secs_f64(),
        );
    }
}

/// Protects and audits a made-up country of so many provinces, all shipped tables:
/// `CACAH_TEST_PROVINCES=1 cargo test --release --test all -- --ignored --nocapture a_made_up_country`
#[test]
#[ignore = "a measurement: seconds a province"]
fn a_made_up_country() {
    let provinces = std::env::var("CACAH_TEST_PROVINCES").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let (_, owned) = country::make(provinces, 1.0, 1).unwrap();
    let rule = Rule::threshold(5);
    let cells: usize = owned.counts.iter().map(Vec::len).sum();
    let started = Instant::now();
    let protected = protect(&census(&owned.borrowed()), &Settings::new(rule.clone()), &[]).unwrap();
    let elapsed = started.elapsed();
    let report = audit(&census(&owned.borrowed()), &protected.statuses, &protected.proof, &rule, &Effort::default(), &[]).unwrap();
    assert!(report.is_clean(), "{:?}", report.faults);
    println!(
        "{provinces} provinces: {cells} cells, {} primary, {} suppressed, {} worlds, protected in {:.1} s, audited in {:.1} s",
        report.primaries,
        report.suppressed,
        report.worlds,
        elapsed.as_secs_f64(),
        (started.elapsed() - elapsed).as_secs_f64(),
    );
    print_losses(&owned, &protected);
}

/// What each table loses at each level of its regions.
fn print_losses(owned: &Owned, protected: &Protected) {
    let region = owned.dimensions.iter().find(|dimension| dimension.id == "region").unwrap();
    println!("{:<24} {:<10} {:>10} {:>10} {:>10} {:>8} {:>8}", "table", "level", "cells", "primary", "secondary", "% cells", "% value");
    for (at, table) in owned.tables.iter().enumerate() {
        let place = table.axes.iter().position(|axis| axis.dimension == "region").unwrap();
        let (axis, stride) = (&owned.shapes[at].axes[place], owned.shapes[at].strides[place] as usize);
        let mut levels = vec![[0u64; 5]; region.levels.len()];
        for (cell, &count) in owned.counts[at].iter().enumerate() {
            let node = axis.nodes[cell / stride % axis.nodes.len()];
            let [cells, primary, secondary, value, lost] = &mut levels[usize::from(region.nodes[node as usize].level)];
            *cells += 1;
            *value += u64::from(count);
            if protected.statuses[at][cell] == Status::Suppressed {
                *(if protected.primary[at][cell] { primary } else { secondary }) += 1;
                *lost += u64::from(count);
            }
        }
        for (level, [cells, primary, secondary, value, lost]) in region.levels.iter().zip(levels).filter(|(_, of)| of[0] > 0) {
            println!(
                "{:<24} {:<10} {cells:>10} {primary:>10} {secondary:>10} {:>8.2} {:>8.3}",
                table.id,
                level.id,
                (primary + secondary) as f64 / cells as f64 * 100.0,
                lost as f64 / value.max(1) as f64 * 100.0
            );
        }
    }
}
