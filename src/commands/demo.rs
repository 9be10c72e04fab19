//! `cacah demo`

use std::{collections::HashMap, fs, time::Instant};

use anyhow::{Context, Result};

use super::{Protecting, build_with, load_definitions, release_with, sample::sample_with, say::say, seconds, serve::psql};
use crate::cli::{DefinitionArgs, Demo, SMALL_GROUP};
use crate::{
    cube::{BuildOptions, Confidential},
    engine::Engine,
    protect::Trials,
    register::Period,
    sample::Options,
    serve::{Application, ServeSettings, signals},
    storage::Store,
    worlds::Reach,
};

/// The two semesters of the demo, and how their snapshots are packed: one of each kind that registers deliver.
const SEMESTERS: [(&str, &str); 2] = [("2024-S1", "csv.gz"), ("2024-S2", "parquet")];
/// The same people whenever the demo is run.
const SEED: u64 = 1;
/// Share of bad records, so that the quality report has something to say.
const DIRTY: f64 = 0.005;
/// Counts from 1 to one below this are suppressed.
const THRESHOLD: u32 = 5;
/// Share of rejects beyond which a snapshot would not be believed.
const MAX_REJECTS: f64 = 0.02;
/// Bytes of identities and households to hold in memory.
const MEMORY: usize = 256 << 20;

/// Runs the command: sample, build, release, serve.
pub async fn demo(args: Demo) -> Result<()> {
    let started = Instant::now();
    let folder = args.warehouse.display().to_string();
    for part in ["snapshots", "confidential", "releases"] {
        let part = args.warehouse.join(part);
        if part.exists() {
            fs::remove_dir_all(&part).with_context(|| format!("clearing what an earlier demo left in {}", part.display()))?;
        }
        fs::create_dir_all(&part).with_context(|| format!("making the folder {}", part.display()))?;
    }
    let confidential = Store::open(&format!("{folder}/confidential"))?;
    let releases = Store::open(&format!("{folder}/releases"))?;
    let engine = Engine::new(0)?;
    let protecting = Protecting {
        threshold: THRESHOLD,
        reach: Reach::Rule,
        sensitive: Vec::new(),
        small_group: SMALL_GROUP,
        trials: Trials::USUAL,
        costs: Vec::new(),
        accept_differences: false,
        threads: engine.threads(),
    };
    let mut steps = Vec::new();
    for (period, ending) in SEMESTERS {
        let period: Period = period.parse()?;
        let snapshot = args.warehouse.join("snapshots").join(format!("{period}.{ending}"));
        let options = Options { period, persons: args.persons, seed: SEED, dirty: DIRTY, out: snapshot.clone() };
        let (_, elapsed) = sample_with(load_definitions(&DefinitionArgs::default(), None)?, options).await?;
        steps.push((format!("sample {period}"), elapsed));
        let options = BuildOptions {
            period,
            inputs: vec![snapshot.display().to_string()],
            codings: HashMap::new(),
            max_rejects: MAX_REJECTS,
            accept_period: false,
            scratch: std::env::temp_dir(),
            memory: MEMORY,
        };
        let report = build_with(&load_definitions(&DefinitionArgs::default(), None)?, &options, &engine, &confidential).await?;
        steps.push((format!("build {period}"), report.elapsed));
        let (_, elapsed) = release_with(&Confidential::new(confidential.clone()), &releases, period, &protecting, None).await?;
        steps.push((format!("release {period}"), elapsed));
    }
    say!("\nstep                  time");
    for (step, elapsed) in &steps {
        say!("{step:<18} {:>8}", seconds(*elapsed));
    }
    say!("{:<18} {:>8}\n", "in all", seconds(started.elapsed()));
    if args.no_serve {
        return Ok(());
    }
    let settings = ServeSettings {
        address: ([127, 0, 0, 1], args.port).into(),
        postgres: Some(([127, 0, 0, 1], args.sql_port).into()),
        ..ServeSettings::default()
    };
    let application = Application::build(&releases, &settings).await?;
    let base = format!("http://{}", application.address());
    say!("serving at {base} (Ctrl-C ends it); try:");
    say!("  {base}/");
    say!(
        "  {base}/api/v2/tables/population/data?lang=en&valuecodes[Region]=34*&valuecodes[Age]=Y15T64&valuecodes[Sex]=*&valuecodes[Tid]=*&valuecodes[ContentsCode]=*&codelist[Region]=vs_region_regency&outputFormat=csv"
    );
    say!(
        "  {base}/api/v2/tables/labour/data?lang=id&valuecodes[Region]=5171,517101&valuecodes[Occupation]=*&valuecodes[Tid]=top(1)&valuecodes[ContentsCode]=*"
    );
    say!("  {base}/api/v2/queries/bank-market/data?lang=en&occupation=TRADE&age=Y30T44&outputFormat=csv");
    if let Some(address) = application.postgres() {
        say!("  {}", psql(address));
    }
    application.run(signals()).await?;
    Ok(())
}
