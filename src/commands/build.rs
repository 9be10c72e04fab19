//! `cacah build`

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};

use super::{LoadedDefinitions, cluster::crew, load_definitions, say::say, seconds};
use crate::{
    cli::Build,
    cube::{self, BuildOptions, Built, Confidential, Quality, grouped},
    engine::{Crew, Engine, Placement},
    ingest::Progress,
    storage::Store,
};

/// What a build came to.
pub struct BuildReport {
    pub quality: Quality,
    pub elapsed: Duration,
}

/// Runs the command.
pub async fn build(args: Build) -> Result<()> {
    let loaded = load_definitions(&args.definitions, args.vintage)?;
    let options = BuildOptions {
        period: args.period,
        inputs: args.snapshot,
        codings: args.codings.into_iter().collect(),
        max_rejects: args.max_rejects,
        accept_period: args.accept_period,
        scratch: args.scratch.unwrap_or_else(std::env::temp_dir),
        memory: args.memory << 20,
    };
    let store = Store::open(&args.stores.confidential())?;
    let report = match args.engine {
        Placement::Local => build_with(&loaded, &options, Counting::Here(&Engine::new(args.threads)?), &store).await?,
        Placement::Ballista(scheduler) => build_with(&loaded, &options, Counting::By(&*crew(scheduler)?), &store).await?,
    };
    say!("{}", report.quality.page());
    say!("reports and list of rejects: {store}/{}", args.period);
    say!("next: cacah release {}{}", args.period, args.stores.typed());
    Ok(())
}

/// Who counts.
pub enum Counting<'a> {
    /// This process.
    Here(&'a Engine),
    /// Workers elsewhere.
    By(&'a dyn Crew),
}

/// Counts a snapshot and keeps the result.
pub async fn build_with(loaded: &LoadedDefinitions, options: &BuildOptions, by: Counting<'_>, store: &Store) -> Result<BuildReport> {
    let started = Instant::now();
    let definitions = &loaded.definitions;
    if options.period.frequency() != definitions.frequency {
        anyhow::bail!(
            "{} is no period of the register '{}', which is counted by {:?}",
            options.period,
            definitions.id,
            definitions.frequency
        );
    }
    let progress = Progress::default();
    let bar = tokio::spawn(draw(progress.clone(), started));
    let built = match by {
        Counting::Here(engine) => cube::build(definitions, options, engine, progress).await,
        Counting::By(crew) => cube::build_by(crew, store, definitions, &loaded.origin, options, progress).await,
    };
    bar.abort();
    let built: Built = built?;
    let counted = started.elapsed();
    let quality = Quality::new(definitions, options.period, &built);
    let kept = Confidential::new(store.clone()).save(definitions, &loaded.origin, options.period, &built, &quality).await;
    kept.context("keeping the cubes")?;
    say!(
        "{}: {} records read in {} ({} records/s), {} counted, {} rejected; {} cubes kept in {}",
        options.period,
        grouped(built.read),
        seconds(counted),
        grouped((built.read as f64 / counted.as_secs_f64().max(1e-9)) as u64),
        grouped(built.accepted),
        grouped(built.rejected()),
        built.cubes.len(),
        seconds(started.elapsed() - counted),
    );
    Ok(BuildReport { quality, elapsed: started.elapsed() })
}

/// Draws the progress bar until it is aborted.
async fn draw(progress: Progress, started: Instant) {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {bar:30} {percent:>3} %  {msg}") {
        bar.set_style(style);
    }
    let clear = ClearOnDrop(bar.clone());
    loop {
        let (done, total) = (progress.bytes.load(Ordering::Relaxed), progress.total.load(Ordering::Relaxed));
        let records = progress.records.load(Ordering::Relaxed);
        let elapsed = started.elapsed().as_secs_f64().max(1e-9);
        bar.set_length(total);
        bar.set_position(done);
        let left = match done {
            0 => "-".into(),
            done => seconds(Duration::from_secs_f64(elapsed / done as f64 * total.saturating_sub(done) as f64)),
        };
        bar.set_message(format!("{} records, {} records/s, {left} left", grouped(records), grouped((records as f64 / elapsed) as u64)));
        tokio::time::sleep(Duration::from_millis(200)).await;
        let _ = &clear;
    }
}

struct ClearOnDrop(ProgressBar);

impl Drop for ClearOnDrop {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
