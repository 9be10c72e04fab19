//! `cacah attack RELEASES --check DIR`: whether the proofs of an earlier attack prove the ranges that stand beside them.

use std::{path::Path, time::Instant};

use anyhow::{Context, Result, bail};

use super::{
    assumptions::{self, Assumptions},
    compare::{Comparison, Proven},
    lines, links_of,
    load::{self, Known, PlannedGroup},
    names::Names,
    output, ranges,
    summary::number_of,
};
use crate::{
    attack::{CellRef, Checker, Facts, LineStep, Publication, Unchanged},
    cli::Attack,
    commands::{protection::Busy, say::say, seconds},
    storage::Store,
};

/// Checks everything in a folder that has to do with the periods asked for.
pub async fn check(store: &Store, folder: &Path, args: &Attack) -> Result<()> {
    let started = Instant::now();
    let given = links_of(args)?;
    let folders = output::to_check(folder)?;
    let known = load::known(store).await?;
    let mut all = Checked::default();
    let (mut is_checked, mut periods) = (false, Vec::new());
    for found in folders {
        let assumptions = Assumptions::read(&found)?;
        let period = assumptions.period()?;
        if !args.periods.is_empty() && !args.periods.contains(&period) {
            periods.push(period.to_string());
            continue;
        }
        let group = attacked(store, &known, &found, &assumptions)?;
        let busy = Busy::new("checking")?;
        let group = load::load(store, group, given.as_ref()).await?;
        let checked = tokio::task::block_in_place(|| check_group(&group, &assumptions, &found))?;
        drop(busy);
        all.lines += checked.lines;
        all.ranges += checked.ranges;
        all.files += checked.files;
        is_checked = true;
    }
    if !is_checked {
        periods.dedup();
        bail!("{} holds no attack on the periods asked for; it has {}", folder.display(), periods.join(", "));
    }
    say!(
        "{}: {} {}, and {} just that; checked in whole numbers in {}",
        folder.display(),
        number_of(all.lines, "line proves", "lines prove"),
        number_of(all.ranges, "range", "ranges"),
        number_of(all.files, "file says", "files say"),
        seconds(started.elapsed())
    );
    Ok(())
}

/// What was checked.
#[derive(Debug, Clone, Copy, Default)]
struct Checked {
    lines: u64,
    ranges: u64,
    files: u64,
}

/// The revisions that were attacked, which must be the very same.
fn attacked(store: &Store, known: &Known, folder: &Path, assumptions: &Assumptions) -> Result<PlannedGroup> {
    let (shown, period) = (folder.display(), assumptions.period()?);
    let cure = format!("name the releases that were attacked, or attack these with 'cacah attack {store}'");
    for &revision in &assumptions.revisions {
        let name = load::name(revision);
        let Some((_, digest)) = known.revisions(period).iter().find(|(manifest, _)| manifest.revision == revision) else {
            bail!("{shown} holds the results of an attack on other releases: {store} has no {name} of {period}; {cure}");
        };
        if let Some(attacked) = assumptions.manifests.get(&name).filter(|attacked| *attacked != digest) {
            bail!(
                "{shown} holds the results of an attack on another release: {name} of {period} in {store} is not the one that was attacked \
                 (its manifest has the SHA-256 {digest}, that of the attacked one {attacked}); {cure}"
            );
        }
    }
    let mut planned = load::plan(store, known, &[period], None)?;
    planned.retain_mut(|group| {
        group.releases.retain(|(manifest, _)| assumptions.revisions.contains(&manifest.revision));
        !group.releases.is_empty()
    });
    let is_same =
        |group: &PlannedGroup| group.releases.iter().map(|(manifest, _)| manifest.revision).eq(assumptions.revisions.iter().copied());
    match planned.pop().filter(|group| planned.is_empty() && is_same(group)) {
        Some(group) => Ok(group),
        None => bail!("{shown}/{}: no attack is on these revisions together; run 'cacah attack' again", assumptions::FILE),
    }
}

fn check_group(group: &load::Group, assumptions: &Assumptions, folder: &Path) -> Result<Checked> {
    let publications: Vec<Publication<'_>> = group.revisions.iter().map(load::Revision::publication).collect();
    let unchanged = Unchanged::given(&publications, &group.dimensions, assumptions.unchanged(group)?);
    let same_count = |a: CellRef, b: CellRef| unchanged.is_same(a, b);
    let facts = Facts {
        publications: &publications,
        dimensions: &group.dimensions,
        links: &group.links,
        outside: assumptions.outside(),
        same_count: &same_count,
    };
    let names = Names::new(&facts, assumptions.revisions.clone());
    if let Some(cell) = unchanged.contradiction(&publications) {
        bail!(
            "{}/{}: regions are taken to be unchanged in which published counts differ, such as r{} {}; run 'cacah attack' again",
            folder.display(),
            assumptions::FILE,
            names.revision(cell),
            facts.describe(cell)
        );
    }
    let mut checker = Checker::new(&facts, assumptions.given_up(&names)?)?;
    let proven = check_lines(&facts, &names, &mut checker, folder)?;
    let lines = proven.len() as u64;
    let mut comparison = Comparison::new(&facts, &names, checker, proven);
    let is_there = |file: &&str| folder.join(file).is_file();
    let (mut ranges, mut files) = (0, 0);
    for file in [ranges::PARQUET, ranges::CSV].into_iter().filter(is_there) {
        ranges = comparison.file(&folder.join(file), false)?;
        files += 1;
    }
    if files == 0 {
        bail!(
            "{} holds neither {} nor {}, so that there is nothing to check; run 'cacah attack' again",
            folder.display(),
            ranges::PARQUET,
            ranges::CSV
        );
    }
    if is_there(&ranges::DETERMINED) {
        comparison.file(&folder.join(ranges::DETERMINED), true)?;
        files += 1;
    }
    Ok(Checked { lines, ranges, files })
}

/// Checks the lines of all proofs; gives back what each proves.
fn check_lines<'a>(facts: &Facts<'a>, names: &Names<'a>, checker: &mut Checker<'a>, folder: &Path) -> Result<Vec<Proven>> {
    let path = folder.join(lines::FILE);
    let shown = path.display();
    if !path.is_file() {
        bail!(
            "{shown} is missing, as after an attack with --no-proofs, so that there is nothing to check; run 'cacah attack' without that"
        );
    }
    let mut proven: Vec<Proven> = Vec::new();
    let mut supposed = 0u32;
    lines::read(&path, names, &mut |number, line| {
        if number as usize != proven.len() {
            bail!("{shown}: line {number} stands where line {} should; run 'cacah attack' again", proven.len());
        }
        checker.line(&line).with_context(|| format!("{shown}: line {number} ({})", facts.describe(line.cell)))?;
        match line.step {
            LineStep::Bound => {}
            LineStep::Suppose => supposed += 1,
            LineStep::Conclude => supposed = supposed.saturating_sub(1),
        }
        proven.push(Proven { cell: line.cell, end: line.end, value: line.value, is_supposed: supposed > 0 });
        Ok(())
    })?;
    if !checker.is_complete() {
        bail!("{shown} breaks off within a proof by cases; run 'cacah attack' again");
    }
    Ok(proven)
}
