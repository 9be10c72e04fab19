//! `cacah release` and `cacah releases`

use std::time::{Duration, Instant};

use anyhow::Result;
use cacah::{
    cube::{Confidential, Quality, grouped, rollup},
    protect,
    register::{Definitions, Period, Status, ZeroMask},
    release::{Draft, Manifest, Protection, Published, list},
    storage::Store,
};
use indicatif::{ProgressBar, ProgressStyle};

use super::{say::say, seconds};
use crate::cli::{Release, Releases};

/// Runs `cacah release`.
pub async fn release(args: Release) -> Result<()> {
    let confidential = Confidential::new(Store::open(&args.stores.confidential())?);
    let store = Store::open(&args.stores.releases())?;
    let (published, _) = release_with(&confidential, &store, args.period, args.threshold, args.correction).await?;
    say!("next: cacah serve --releases {store}");
    debug_assert_eq!(published.period, args.period);
    Ok(())
}

/// Protects and publishes a period.
pub async fn release_with(
    confidential: &Confidential,
    store: &Store,
    period: Period,
    threshold: u32,
    correction: Option<String>,
) -> Result<(Published, Duration)> {
    let started = Instant::now();
    let (build, definitions) = confidential.load(period).await?;
    let quality: Quality = serde_json::from_slice(&confidential.read(&build, "quality.json").await?)?;
    let mut draft = Draft::start(store, &definitions, period, threshold, correction).await?;
    let added = add_tables(&mut draft, confidential, &build, &definitions, threshold).await;
    let documented = match added {
        Ok(()) => draft.document("quality.json", &quality.public()).await.map_err(Into::into),
        Err(error) => Err(error),
    };
    if let Err(error) = documented {
        draft.abandon().await?;
        return Err(error);
    }
    let published = draft.publish().await?;
    say!(
        "{period} r{} published in {}: {} cells in {} tables, {:.1} MB, digest {}",
        published.revision,
        seconds(started.elapsed()),
        grouped(published.cells),
        definitions.tables.len(),
        published.bytes as f64 / 1e6,
        &published.digest[..16],
    );
    say!("protection: primary only; it is served on loopback alone until suppression is certified");
    Ok((published, started.elapsed()))
}

async fn add_tables(
    draft: &mut Draft<'_>,
    confidential: &Confidential,
    build: &cacah::cube::BuildManifest,
    definitions: &Definitions,
    threshold: u32,
) -> Result<()> {
    let bar = ProgressBar::new(definitions.tables.len() as u64);
    bar.set_style(ProgressStyle::with_template("{spinner} {bar:30} {pos}/{len} tables  {msg}")?);
    for (at, table) in definitions.tables.iter().enumerate() {
        bar.set_message(table.id.clone());
        let leaves = confidential.cube(build, definitions, table).await?;
        let shape = definitions.shape(table);
        let counts = rollup(&shape, &leaves);
        let zeros = ZeroMask::new(table, &shape, &definitions.zeros);
        let statuses = protect::primary(&shape, &zeros, &counts, threshold);
        draft.add(at, &counts, &statuses).await?;
        let suppressed = statuses.iter().filter(|status| **status == Status::Suppressed).count();
        bar.suspend(|| {
            let share = suppressed as f64 / shape.cells as f64 * 100.0;
            say!("  {:<24} {:>14} cells  {:>12} suppressed  {share:>6.2} %", table.id, grouped(shape.cells), grouped(suppressed as u64));
        });
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

/// Runs `cacah releases`.
pub async fn releases(args: Releases) -> Result<()> {
    let store = Store::open(&args.releases)?;
    let found = list(&store).await?;
    if found.is_empty() {
        say!("{store} holds no release yet; `cacah release PERIOD` publishes one");
        return Ok(());
    }
    say!("{:<10} {:<4} {:<14} {:>8} {:>14} {:>10}  {:<18} digest", "period", "rev", "protection", "tables", "cells", "MB", "vintage");
    for (manifest, digest) in found {
        let Manifest { period, revision, protection, tables, files, vintage, .. } = manifest;
        let cells: u64 = tables.iter().map(|table| table.cells).sum();
        let bytes: u64 = files.values().map(|file| file.bytes).sum();
        let protection = match protection {
            Protection::PrimaryOnly => "primary-only",
        };
        say!(
            "{period:<10} r{revision:<3} {protection:<14} {:>8} {:>14} {:>10.1}  {vintage:<18} {}",
            tables.len(),
            grouped(cells),
            bytes as f64 / 1e6,
            &digest[..16]
        );
    }
    Ok(())
}
