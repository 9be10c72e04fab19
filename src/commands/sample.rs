//! `cacah sample`

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};

use super::{LoadedDefinitions, load_definitions, say::say, seconds};
use crate::{
    cli::Sample,
    cube::grouped,
    sample::{self, Options, Summary},
};

/// Runs the command.
pub async fn sample(args: Sample) -> Result<()> {
    let loaded = load_definitions(&args.definitions, None)?;
    let options = Options { period: args.period, persons: args.persons, seed: args.seed, dirty: args.dirty, out: args.out };
    let (summary, _) = sample_with(loaded, options).await?;
    for (flaw, records) in &summary.flaws {
        say!("  {:>10} records with {flaw}", grouped(*records));
    }
    Ok(())
}

/// Writes a sample, with a progress bar.
pub async fn sample_with(loaded: LoadedDefinitions, options: Options) -> Result<(Summary, Duration)> {
    let started = Instant::now();
    let bar = ProgressBar::new(options.persons);
    bar.set_style(ProgressStyle::with_template("{spinner} {bar:30} {percent:>3} %  {human_pos} people, {per_sec}, {eta} left")?);
    let drawn = bar.clone();
    let period = options.period;
    let work = move || sample::write(&options, &loaded.definitions, &mut |records| drawn.set_position(records));
    let summary = tokio::task::spawn_blocking(work).await.context("making up people")??;
    bar.finish_and_clear();
    let elapsed = started.elapsed();
    let files = match summary.files.as_slice() {
        [file] => file.display().to_string(),
        files => format!("{} files", files.len()),
    };
    say!(
        "{period}: {} records made up in {}, {} of them bad: {files}",
        grouped(summary.records),
        seconds(elapsed),
        grouped(summary.flawed())
    );
    Ok((summary, elapsed))
}
