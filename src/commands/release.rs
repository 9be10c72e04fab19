//! `cacah release` and `cacah releases`

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::{
    protection::{Busy, Counts, describe_faults, released_cells, say_losses},
    say::say,
    seconds,
    weights::weights,
};
use crate::cli::{Cost, Release, Releases};
use crate::{
    audit::{self, Effort},
    cube::{BuildManifest, Confidential, Quality, grouped},
    protect::{self, Protected, Settings, Trials},
    register::{Definitions, Dimension, Period, Status, Unit},
    release::{Draft, Manifest, Published, list},
    storage::Store,
    worlds::{Audited, Counted, GroupRule, Proof, Reach, Rule},
};

/// How a release is protected.
pub struct Protecting {
    /// Counts from 1 to one below this are suppressed.
    pub threshold: u32,
    /// How far the range of a small count must stay open.
    pub reach: Reach,
    /// Sensitive dimensions beside those that the definitions mark.
    pub sensitive: Vec<String>,
    /// Members below which a group of a sensitive dimension is small.
    pub small_group: u32,
    /// How hard is tried to do with fewer suppressed cells.
    pub trials: Trials,
    /// What losing cells costs, beyond what every release weighs.
    pub costs: Vec<Cost>,
    /// Whether a correction may show changes by fewer than the threshold.
    pub accept_differences: bool,
    /// Threads to work on.
    pub threads: usize,
}

impl Protecting {
    /// The rule for these definitions; refused if it names a dimension that is not there.
    fn rule(&self, definitions: &Definitions) -> Result<Rule> {
        if let Some(id) = self.sensitive.iter().find(|id| definitions.dimension(id).is_none()) {
            let known: Vec<&str> = definitions.dimensions.iter().map(|dimension| dimension.id.as_str()).collect();
            bail!("there is no dimension '{id}' that could be sensitive; there are {}", known.join(", "));
        }
        let is_sensitive = |dimension: &&Dimension| dimension.sensitive || self.sensitive.contains(&dimension.id);
        let dimensions: Vec<String> = definitions.dimensions.iter().filter(is_sensitive).map(|dimension| dimension.id.clone()).collect();
        let group = (!dimensions.is_empty()).then_some(GroupRule { below: self.small_group, dimensions });
        Ok(Rule { threshold: self.threshold, reach: self.reach, group, contributors: 1 })
    }
}

/// Runs `cacah release`.
pub async fn release(args: Release) -> Result<()> {
    let confidential = Confidential::new(Store::open(&args.stores.confidential())?);
    let store = Store::open(&args.stores.releases())?;
    let protecting = Protecting {
        threshold: args.threshold,
        reach: args.reach(),
        threads: args.threads(),
        trials: args.trials(),
        accept_differences: args.accept_differences,
        sensitive: args.sensitive,
        small_group: args.small_group,
        costs: args.costs,
    };
    release_with(&confidential, &store, args.period, &protecting, args.correction).await?;
    say!("next: cacah serve --releases {store}");
    Ok(())
}

/// Protects, audits and publishes a period.
pub async fn release_with(
    confidential: &Confidential,
    store: &Store,
    period: Period,
    protecting: &Protecting,
    correction: Option<String>,
) -> Result<(Published, Duration)> {
    let started = Instant::now();
    let (build, definitions) = confidential.load(period).await?;
    let rule = protecting.rule(&definitions)?;
    let mut draft = Draft::start(store, &definitions, period, correction).await?;
    if let Err(error) = complete(&mut draft, confidential, store, &build, &definitions, protecting, &rule).await {
        return draft.abandon().await.map_err(Into::into).and(Err(error));
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
    Ok((published, started.elapsed()))
}

/// Protects and audits, puts what passed into the draft, and keeps the proof: all that comes before publishing.
async fn complete(
    draft: &mut Draft<'_>,
    confidential: &Confidential,
    store: &Store,
    build: &BuildManifest,
    definitions: &Definitions,
    protecting: &Protecting,
    rule: &Rule,
) -> Result<()> {
    let counts = Counts::load(confidential, build, definitions).await?;
    let counted = counts.counted(definitions);
    let Protecting { trials, threads, costs, .. } = protecting;
    let settings = Settings { threads: *threads, trials: *trials, weights: weights(costs, definitions)?, ..Settings::new(rule.clone()) };
    let (started, busy) = (Instant::now(), Busy::new("protecting")?);
    let Protected { statuses, primary, proof } =
        tokio::task::block_in_place(|| protect::protect(&counted, &definitions.dimensions, &settings))?;
    drop(busy);
    say_losses(definitions, &counted, &statuses, &primary);
    say!(
        "protected in {}: {} certificates, {} alternative worlds",
        seconds(started.elapsed()),
        grouped(proof.certificates.len() as u64),
        grouped(proof.worlds.len() as u64)
    );
    let (started, busy) = (Instant::now(), Busy::new("auditing")?);
    let effort = Effort { threads: *threads, ..Effort::default() };
    let revision = Revision { definitions, counted: &counted, statuses: &statuses, proof: &proof, rule };
    if draft.is_correction() {
        check_earlier(confidential, store, build.period, &revision, &effort, protecting.accept_differences).await?;
    }
    let audited = match tokio::task::block_in_place(|| audit::certify(&counted, statuses, &proof, rule, &effort))? {
        Ok(audited) => audited,
        Err(report) => bail!("the audit found faults, so nothing is published: {}", describe_faults(&report, &counted, definitions)),
    };
    drop(busy);
    say!("audited in {}: no fault found", seconds(started.elapsed()));
    draft.fill(&counted, &audited).await?;
    let quality: Quality = serde_json::from_slice(&confidential.read(build, "quality.json").await?)?;
    draft.document("quality.json", &quality.public(shows_all_people(&counted, &audited))).await?;
    draft.complete().await?;
    // Whoever has come so far either wins or finds the same release published with a proof as good as this one.
    confidential.save_proof(build, draft.revision(), rule, &proof).await?;
    Ok(())
}

/// Whether the release shows how many people were counted: the first cell of a table of people, where every axis is a total.
fn shows_all_people(counted: &[Counted<'_>], audited: &Audited) -> bool {
    let table = counted.iter().position(|counted| counted.table.unit == Unit::Person);
    table.is_some_and(|table| audited.statuses()[table].first() == Some(&Status::Published))
}

/// A revision that is about to be published, as the earlier ones must bear it.
struct Revision<'a> {
    definitions: &'a Definitions,
    counted: &'a [Counted<'a>],
    statuses: &'a [Vec<Status>],
    proof: &'a Proof,
    rule: &'a Rule,
}

/// Refuses a correction that, together with an earlier revision of the period, would give away what each hides alone.
///
/// Whoever holds both revisions knows every cell that either of them publishes, wherever the count has not changed. The
/// alternative worlds of each must therefore keep what the other publishes.
async fn check_earlier(
    confidential: &Confidential,
    store: &Store,
    period: Period,
    new: &Revision<'_>,
    effort: &Effort,
    accept_differences: bool,
) -> Result<()> {
    for (manifest, _) in list(store).await?.into_iter().filter(|(manifest, _)| manifest.period == period) {
        let name = format!("r{}", manifest.revision);
        if manifest.definitions != new.definitions.digest || manifest.vintage != new.definitions.vintage {
            bail!("{name} of {period} was made with other definitions or regions, so that the two cannot be protected together");
        }
        let proven = confidential.proof_manifest(period, manifest.revision).await?;
        let Some(proven) = proven else { bail!("there is no proof of {name} of {period}, so that the two cannot be protected together") };
        let counts = Counts::load(confidential, &proven.build, new.definitions).await?;
        let counted = counts.counted(new.definitions);
        let (_, earlier) = released_cells(store, &manifest, &counted).await?;
        let few = differences(new, &counted, &earlier);
        if few > 0 && !accept_differences {
            bail!(
                "{} cells of {name} of {period} would change by fewer than {}: whoever knows of a person that the correction adds or removes \
                 could read there what else is true of that person; let it take effect with the next period, or, if nobody is to be \
                 recognised by it, publish it with --accept-differences",
                grouped(few),
                new.rule.threshold
            );
        }
        let proof = confidential.proof(period, manifest.revision, &proven).await?;
        let reports = tokio::task::block_in_place(|| {
            let now = audit::audit(new.counted, &known(new.counted, new.statuses, &counted, &earlier), new.proof, new.rule, effort)?;
            let before = audit::audit(&counted, &known(&counted, &earlier, new.counted, new.statuses), &proof, &proven.rule, effort)?;
            Ok::<_, crate::error::Error>([now, before])
        })?;
        if let Some(report) = reports.iter().find(|report| !report.is_clean()) {
            bail!(
                "{name} of {period} and its correction together would give away what each hides alone, so the correction is refused: {}; \
                 let it take effect with the next period",
                describe_faults(report, new.counted, new.definitions)
            );
        }
    }
    Ok(())
}

/// How many cells both revisions publish with counts that differ, but by less than the threshold.
fn differences(new: &Revision<'_>, counted: &[Counted<'_>], earlier: &[Vec<Status>]) -> u64 {
    let few = |(table, earlier): (usize, &Counted<'_>), shown: &[Status]| {
        let pairs = new.counted[table].counts.iter().zip(earlier.counts).zip(new.statuses[table].iter().zip(shown));
        let both = pairs.filter(|(_, statuses)| matches!(statuses, (Status::Published, Status::Published)));
        both.filter(|((now, then), _)| new.rule.is_small(now.abs_diff(**then))).count() as u64
    };
    counted.iter().enumerate().zip(earlier).map(|(table, shown)| few(table, shown)).sum()
}

/// What of a revision stays unknown to somebody who also holds another one, which shows other cells of other counts.
fn known(counted: &[Counted<'_>], statuses: &[Vec<Status>], others: &[Counted<'_>], shown: &[Vec<Status>]) -> Vec<Vec<Status>> {
    let mut known = statuses.to_vec();
    for (table, known) in known.iter_mut().enumerate() {
        for (cell, status) in known.iter_mut().enumerate() {
            if shown[table][cell] == Status::Published && counted[table].counts[cell] == others[table].counts[cell] {
                *status = Status::Published;
            }
        }
    }
    known
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
        let protection = protection.id();
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
