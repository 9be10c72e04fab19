//! `cacah audit`

use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::{
    corrections::Revisions,
    explain::Explained,
    protection::{Busy, Counts, attack_effort, describe_faults, describe_undecided, released_cells},
    say::say,
    seconds,
};
use crate::{
    audit,
    cli::Audit,
    cube::{Confidential, grouped},
    release::{Manifest, Protection, list},
    storage::{FileDigest, Store},
    worlds::Counted,
};

/// Runs the command: what a release shows, the counts that it was made of and the proof are read from their files and
/// checked as if nobody had done so before.
pub async fn audit(args: Audit) -> Result<()> {
    let started = Instant::now();
    let confidential = Confidential::new(Store::open(&args.stores.confidential())?);
    let store = Store::open(&args.stores.releases())?;
    let period = args.period;
    let found = list(&store).await?.into_iter().map(|(manifest, _)| manifest);
    let wanted = |manifest: &Manifest| manifest.period == period && args.revision.is_none_or(|revision| manifest.revision == revision);
    let Some(manifest) = found.filter(wanted).max_by_key(|manifest| manifest.revision) else {
        bail!("{store} holds no such release of {period}; `cacah releases` lists what there is");
    };
    let name = format!("{period}/r{}", manifest.revision);
    if manifest.protection != Protection::Certified {
        bail!("{name} has {} suppression: nothing was proven that could be audited", manifest.protection.id());
    }
    let proven = confidential
        .proof_manifest(period, manifest.revision)
        .await?
        .with_context(|| format!("the confidential store {} holds no proof of {name}", args.stores.confidential()))?;
    let proof = confidential.proof(period, manifest.revision, &proven).await?;
    let definitions = confidential.definitions(&proven.build).await?;
    let counts = Counts::load(&confidential, &proven.build, &definitions, &proven.rule).await?;
    let counted = counts.counted(&definitions);
    let census = counted.census();
    let revisions = Revisions::load(&confidential, &store, period, manifest.revision).await?;
    let tables = revisions.tables();
    let earlier = revisions.earlier(&tables);
    let mut faults = Vec::new();
    if manifest.rule.as_ref() != Some(&proven.rule) {
        faults.push("the release names another rule than was proven".to_owned());
    }
    for (path, digest) in &manifest.files {
        let content = store.read(&format!("{name}/{path}")).await?.with_context(|| format!("{store}/{name}/{path} is missing"))?;
        if FileDigest::of(&content) != *digest {
            faults.push(format!("{path} is not what was published"));
        }
    }
    let (values, statuses) = released_cells(&store, &manifest, census.tables).await?;
    if let Some(cell) = &args.explain {
        if !faults.is_empty() {
            bail!("{name} is not what was proven, so that nothing of it can be explained: {}", faults.join("; "));
        }
        let changeable: Vec<Counted<'_>> = census.changeable().copied().collect();
        let (counted, statuses, proof) = (&changeable[..], &statuses[..], &proof);
        return Explained { definitions: &definitions, counted, statuses, proof, rule: &proven.rule }.explain(cell);
    }
    let busy = Busy::new("auditing")?;
    let report = tokio::task::block_in_place(|| {
        let effort = attack_effort(args.threads(), args.exact);
        let mut report = audit::audit(&census, &statuses, &proof, &proven.rule, &effort, &earlier)?;
        audit::check_values(census.tables, &statuses, &values, &mut report);
        Ok::<_, crate::error::Error>(report)
    })?;
    drop(busy);
    if !report.is_clean() {
        faults.push(describe_faults(&report, census.tables, &definitions));
    }
    let attack = &report.attack;
    say!(
        "{name}: {} cells, {} of them suppressed, {} certificates and {} alternative worlds checked, {} revisions attacked together, \
         {} exact ranges of {} unknown counts, {} sampled, {} linear programs, in {}",
        grouped(report.cells),
        grouped(report.suppressed),
        grouped(report.certificates + report.groups),
        grouped(report.worlds),
        grouped(report.revisions),
        grouped(attack.solved_unknowns + attack.determined_by_rows),
        grouped(attack.unknowns),
        grouped(attack.parts_unknowns + attack.window_unknowns),
        grouped(attack.programs),
        seconds(started.elapsed()),
    );
    if let Some(undecided) = describe_undecided(&report) {
        say!("left undecided by the attack, and covered by certificates: {undecided}");
    }
    if !faults.is_empty() {
        bail!("{name} must not be shown: {}", faults.join("; "));
    }
    say!("no fault found");
    Ok(())
}
