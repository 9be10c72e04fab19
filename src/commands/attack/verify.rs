//! `cacah attack RELEASES --check DIR`: whether the proofs of an earlier attack prove the ranges that stand beside them.

use std::{fs, path::Path, time::Instant};

use anyhow::{Context, Result, bail};

use super::{assumptions::Assumptions, lines, links_of, load, names::Names, ranges};
use crate::{
    attack::{CellRef, Checker, Facts, Publication, Unchanged},
    cli::Attack,
    commands::{protection::Busy, say::say, seconds},
    cube::grouped,
    register::Status,
    storage::Store,
};

/// Checks everything in a folder that has to do with the periods asked for.
pub async fn check(store: &Store, folder: &Path, args: &Attack) -> Result<()> {
    let started = Instant::now();
    let (mut lines, mut ranges, mut folders) = (0, 0, 0);
    let given = links_of(args)?;
    for found in super::output::results(folder)? {
        let shown = folder.join(&found);
        let assumptions = Assumptions::read(&shown)?;
        if !args.periods.is_empty() && !args.periods.contains(&assumptions.period()?) {
            continue;
        }
        let mut planned = load::plan(store, &[assumptions.period()?], None).await?;
        planned.retain_mut(|group| {
            group.manifests.retain(|manifest| assumptions.revisions.contains(&manifest.revision));
            !group.manifests.is_empty()
        });
        let Some(group) = planned.pop().filter(|group| planned.is_empty() && group.manifests.len() == assumptions.revisions.len()) else {
            bail!("{store} does not hold the revisions of {} that {} speaks of", assumptions.period, shown.display());
        };
        let busy = Busy::new("checking")?;
        let group = load::load(store, group, given.as_ref()).await?;
        let (of_lines, of_ranges) = tokio::task::block_in_place(|| check_group(&group, &assumptions, &shown))?;
        drop(busy);
        lines += of_lines;
        ranges += of_ranges;
        folders += 1;
    }
    if folders == 0 {
        bail!("{} holds no attack on the periods asked for", folder.display());
    }
    say!(
        "{}: {} lines prove {} ranges, checked in whole numbers in {}",
        folder.display(),
        grouped(lines),
        grouped(ranges),
        seconds(started.elapsed())
    );
    Ok(())
}

fn check_group(group: &load::Group, assumptions: &Assumptions, folder: &Path) -> Result<(u64, u64)> {
    let publications: Vec<Publication<'_>> = group.revisions.iter().map(load::Revision::publication).collect();
    let unchanged = Unchanged::given(&publications, &group.dimensions, assumptions.unchanged(group)?);
    if let Some(cell) = unchanged.contradiction(&publications) {
        bail!("{}: regions are taken to be unchanged in which published counts differ, such as {cell:?}", folder.display());
    }
    let same_count = |a: CellRef, b: CellRef| unchanged.is_same(a, b);
    let facts = Facts {
        publications: &publications,
        dimensions: &group.dimensions,
        links: &group.links,
        outside: assumptions.outside(),
        same_count: &same_count,
    };
    let names = Names::new(&facts, assumptions.revisions.clone());
    let mut checker = Checker::new(&facts, assumptions.given_up(&names)?)?;
    let (mut checked, mut proven) = (0, 0);
    let path = folder.join("derivation.parquet");
    if !fs::exists(&path)? {
        bail!("{} is missing: the attack was run with --no-proofs, so that there is nothing to check", path.display());
    }
    lines::read(&path, &names, &mut |number, line| {
        checked += 1;
        checker.line(&line).with_context(|| format!("{}: line {number} ({})", path.display(), facts.describe(line.cell)))
    })?;
    if !checker.is_complete() {
        bail!("{} breaks off within a proof by cases", path.display());
    }
    let path = folder.join("ranges.parquet");
    // Withheld cells whose range has not come yet, by revision and table.
    let is_left = |statuses: &[Status]| statuses.iter().map(|status| *status == Status::Suppressed).collect();
    let mut left: Vec<Vec<Vec<bool>>> =
        publications.iter().map(|publication| publication.tables.iter().map(|table| is_left(table.statuses)).collect()).collect();
    ranges::read(&path, &names, |cell, codes, low, high| {
        let range = checker.range(cell).with_context(|| format!("{}: {codes}", path.display()))?;
        let left = left[usize::from(cell.publication)].get_mut(usize::from(cell.table)).and_then(|left| left.get_mut(cell.cell as usize));
        let is_first = left.is_some_and(std::mem::take);
        if range != (low, high) || codes != facts.codes(cell) || !is_first {
            bail!("{}: the range of {codes} is not what the lines prove, or stands there twice", path.display());
        }
        proven += 1;
        Ok(())
    })?;
    let of_table = |publication: u16, (table, left): (u16, &Vec<bool>)| {
        left.iter().position(|is_left| *is_left).map(|cell| CellRef { publication, table, cell: cell as u32 })
    };
    let missing = (0..).zip(&left).find_map(|(publication, tables)| (0..).zip(tables).find_map(|table| of_table(publication, table)));
    match missing {
        Some(missing) => bail!("{} lacks the range of {}", path.display(), facts.describe(missing)),
        None => Ok((checked, proven)),
    }
}
