//! `cacah release` and `cacah releases`

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::{
    contradictions::say_contradictions,
    corrections::{Revisions, check_differences, last_published, protected_already, refuse},
    keys::signing_key,
    protection::{Busy, CountedTables, Counts, attack_effort, describe_faults, say_losses},
    say::say,
    seconds,
    weights::weights,
};
use crate::cli::{Cost, Release, Releases};
use crate::{
    audit::{self, Effort},
    cube::{BuildManifest, Confidential, Proven, Quality, grouped},
    protect::{self, Protected, Settings, Trials},
    register::{Definitions, Dimension, Period, Status, Unit},
    release::{Draft, Manifest, Published, ReleaseKey, Signature, StoredRelease, list_stored},
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
    /// From how many households a published count of people comes at least; what the definitions say if the operator says nothing.
    pub contributors: Option<u32>,
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
        // Where nobody knows who lives with whom there is nothing to count.
        let contributors = if definitions.household.is_some() { self.contributors.unwrap_or(definitions.contributors) } else { 1 };
        Ok(Rule { threshold: self.threshold, reach: self.reach, group, contributors })
    }
}

/// Runs `cacah release`.
pub async fn release(args: Release) -> Result<()> {
    let confidential = Store::open(&args.stores.confidential())?;
    let key = signing_key(&confidential, &args.key)?;
    let confidential = Confidential::new(confidential);
    let store = Store::open(&args.stores.releases())?;
    let protecting = Protecting {
        threshold: args.threshold,
        reach: args.reach(),
        threads: args.threads(),
        trials: args.trials(),
        accept_differences: args.accept_differences,
        sensitive: args.sensitive,
        small_group: args.small_group,
        contributors: args.contributors,
        costs: args.costs,
    };
    if args.dry_run {
        return try_out(&confidential, &store, args.period, &protecting, args.correction.is_some()).await;
    }
    release_with(&confidential, &store, args.period, &protecting, args.correction, key.as_ref()).await?;
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
    key: Option<&ReleaseKey>,
) -> Result<(Published, Duration)> {
    let started = Instant::now();
    let (build, definitions) = confidential.load(period).await?;
    let rule = protecting.rule(&definitions)?;
    let published = last_published(confidential, store, &build, &rule, correction.is_some()).await?;
    let mut draft = Draft::start(store, &definitions, period, correction, published).await?;
    if let Some(key) = key {
        draft.sign_with(key);
    }
    complete(&mut draft, confidential, store, &build, &definitions, protecting, &rule).await?;
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
    match &published.key {
        Some(key) => say!("signed with key {key}"),
        None => say!("not signed: there is no key; 'cacah keys make' makes one, 'cacah keys sign' signs with it what is published already"),
    }
    Ok((published, started.elapsed()))
}

/// Protects and audits a period to see what that costs, and publishes nothing.
async fn try_out(confidential: &Confidential, store: &Store, period: Period, protecting: &Protecting, is_correction: bool) -> Result<()> {
    let (build, definitions) = confidential.load(period).await?;
    let rule = protecting.rule(&definitions)?;
    if !is_correction && let Some((revision, _)) = confidential.proofs(period).await?.last_key_value() {
        say!(
            "{period} is published already as r{revision}: this is what a first release would cost; a correction is tried with --correction"
        );
    }
    let counts = Counts::load(confidential, &build, &definitions, &rule).await?;
    let revisions = if is_correction { Revisions::load(confidential, store, period, u32::MAX).await? } else { Revisions::default() };
    protect_and_audit(&counts.counted(&definitions), period, &definitions, &revisions, protecting, &rule)?;
    say!("nothing is published, because of --dry-run");
    Ok(())
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
    let counts = Counts::load(confidential, build, definitions, rule).await?;
    let counted = counts.counted(definitions);
    let revisions = if draft.is_correction() {
        Revisions::load(confidential, store, build.period, draft.revision()).await?
    } else {
        Revisions::default()
    };
    let (audited, proof) = protect_and_audit(&counted, build.period, definitions, &revisions, protecting, rule)?;
    draft.fill(&counted.published, &audited)?;
    let quality: Quality = serde_json::from_slice(&confidential.read(build, "quality.json").await?)?;
    let quality = quality.public(shows_all_people(&counted.published, &audited), rule.threshold, draft.is_correction());
    draft.document("quality.json", &quality)?;
    draft.complete()?;
    // Before anything of it can be seen.
    let proven = Proven { build, rule, proof: &proof, statuses: audited.statuses(), cells: &draft.cells() };
    confidential.save_proof(draft.revision(), &proven).await?;
    Ok(())
}

/// Protects what was counted beside earlier revisions, says what that costs, and audits it.
fn protect_and_audit(
    counted: &CountedTables<'_>,
    period: Period,
    definitions: &Definitions,
    revisions: &Revisions,
    protecting: &Protecting,
    rule: &Rule,
) -> Result<(Audited, Proof)> {
    let census = counted.census();
    tokio::task::block_in_place(|| say_contradictions(definitions, &census))?;
    let tables = revisions.tables();
    let earlier = revisions.earlier(&tables);
    let Protecting { trials, threads, costs, .. } = protecting;
    let settings = Settings { threads: *threads, trials: *trials, weights: weights(costs, definitions)?, ..Settings::new(rule.clone()) };
    let (started, busy) = (Instant::now(), Busy::new("protecting")?);
    let kept = protected_already(&census, rule, &earlier);
    let Protected { statuses, primary, proof, unprotected } = match kept {
        Some(kept) => kept,
        None => tokio::task::block_in_place(|| protect::protect(&census, &settings, &earlier))?,
    };
    drop(busy);
    if !unprotected.is_empty() {
        return Err(refuse(period, definitions, &census, &earlier, &unprotected));
    }
    say_losses(definitions, census.tables, &statuses, &primary);
    say!(
        "protected in {}: {} certificates, {} alternative worlds",
        seconds(started.elapsed()),
        grouped(proof.certificates.len() as u64),
        grouped(proof.worlds.len() as u64)
    );
    check_differences(definitions, &census, &statuses, &earlier, rule, protecting.accept_differences)?;
    let (started, busy) = (Instant::now(), Busy::new("auditing")?);
    let effort = attack_effort(*threads, Effort::default().largest);
    let audited = match tokio::task::block_in_place(|| audit::certify(&census, statuses, &proof, rule, &effort, &earlier))? {
        Ok(audited) => audited,
        Err(report) => bail!("the audit found faults, so nothing is published: {}", describe_faults(&report, census.tables, definitions)),
    };
    drop(busy);
    say!("audited in {}: no fault found", seconds(started.elapsed()));
    Ok((audited, proof))
}

/// Whether the release shows how many people were counted: the first cell of a table of people, where every axis is a total.
fn shows_all_people(counted: &[Counted<'_>], audited: &Audited) -> bool {
    let table = counted.iter().position(|counted| counted.table.unit == Unit::Person);
    table.is_some_and(|table| audited.statuses()[table].first() == Some(&Status::Published))
}

/// Runs `cacah releases`.
pub async fn releases(args: Releases) -> Result<()> {
    let store = Store::open(&args.releases)?;
    let found = list_stored(&store).await?;
    if found.is_empty() {
        say!("{store} holds no release yet; `cacah release PERIOD` publishes one");
        return Ok(());
    }
    say!(
        "{:<10} {:<4} {:<14} {:>8} {:>14} {:>10}  {:<18} {:<18} digest",
        "period",
        "rev",
        "protection",
        "tables",
        "cells",
        "MB",
        "vintage",
        "signed with"
    );
    for StoredRelease { manifest, sha256, signature, withdrawal, .. } in found {
        let Manifest { period, revision, protection, tables, files, vintage, .. } = manifest;
        // Whether the signature is right needs a key to trust: that is for 'cacah verify'.
        let key = signature.as_deref().and_then(Signature::parse).map_or_else(|| "-".to_owned(), |signature| signature.key);
        let cells: u64 = tables.iter().map(|table| table.cells).sum();
        let bytes: u64 = files.values().map(|file| file.bytes).sum();
        let protection = protection.id();
        say!(
            "{period:<10} r{revision:<3} {protection:<14} {:>8} {:>14} {:>10.1}  {vintage:<18} {key:<18} {}",
            tables.len(),
            grouped(cells),
            bytes as f64 / 1e6,
            &sha256[..16]
        );
        if let Some(stored) = withdrawal {
            say!("{:<10} withdrawn on {}: {}", "", stored.withdrawal.date, stored.withdrawal.reason);
        }
    }
    Ok(())
}
