//! `cacah attack`

mod assumptions;
mod compare;
mod lines;
mod load;
mod names;
mod output;
mod ranges;
mod summary;
mod verify;

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::{load_definitions, protection::Busy, say::say, seconds};
use crate::{
    attack::{Effort, Facts, Failure, Findings, Outside, Publication, Stage, Unchanged, attack_public},
    cli::{Attack, DefinitionArgs, OutsideArg},
    cube::grouped,
    register::Links,
    storage::Store,
};
use assumptions::Assumptions;
use load::Group;
use names::Names;
use output::Output;
use ranges::RangesWriter;
use summary::{Doubt, Summary, number_of};

/// Definitions that ship with the program, by their name at the command line.
const SHIPPED: &str = "shipped";

/// Runs the command.
pub async fn attack(args: Attack) -> Result<()> {
    let started = Instant::now();
    let store = Store::open(&args.releases)?;
    if let Some(folder) = &args.check {
        return verify::check(&store, folder, &args).await;
    }
    let given = links_of(&args)?;
    let planned = load::plan(&store, &load::known(&store).await?, &args.periods, args.revision)?;
    let output = Output::begin(&args.out)?;
    let (mut given_away, mut doubt, mut left) = (0, Doubt::default(), planned.len() as u32);
    for group in planned {
        let folder = output.folder(&group.folder)?;
        let busy = Busy::new("reading")?;
        let group = load::load(&store, group, given.as_ref()).await?;
        // What is left of the time is shared by what is left to do.
        let time = args.time_budget.saturating_sub(started.elapsed()) / left;
        let summary = tokio::task::block_in_place(|| attack_group(&group, &folder, &args, time, &busy))?;
        drop(busy);
        left -= 1;
        say!("{}", summary.text);
        given_away += summary.given_away;
        doubt.add(&summary.doubt);
    }
    output.finish()?;
    say!("{}: written in {}", args.out.display(), seconds(started.elapsed()));
    if given_away > 0 {
        let found = number_of(given_away, "small count is given away", "small counts are given away");
        bail!("{found}; the ranges in {} say which", args.out.display());
    }
    match doubt.text() {
        None => say!("no small count is given away"),
        Some(doubt) => say!("found no small count that is given away, with a reservation: {doubt}"),
    }
    Ok(())
}

/// The links of the definitions that were named.
fn links_of(args: &Attack) -> Result<Option<Links>> {
    let Some(named) = &args.definitions else { return Ok(None) };
    let definitions = (named != SHIPPED).then(|| PathBuf::from(named));
    if let Some(folder) = definitions.as_ref().filter(|folder| !folder.is_dir()) {
        let what = if folder.exists() { "is no folder" } else { "is not there" };
        bail!("'{named}', named by --definitions, {what}; name a folder of definitions, or '{SHIPPED}' for those of this program");
    }
    let loaded = load_definitions(&DefinitionArgs { definitions, regions: None }, None)?;
    Ok(Some(loaded.definitions.links))
}

/// What is said of a group.
struct Said {
    text: String,
    given_away: u64,
    doubt: Doubt,
}

/// Attacks a group and writes its results.
fn attack_group(group: &Group, folder: &Path, args: &Attack, time: Duration, busy: &Busy) -> Result<Said> {
    let publications: Vec<Publication<'_>> = group.revisions.iter().map(load::Revision::publication).collect();
    let effort = Effort {
        threads: args.threads(),
        largest: args.exact,
        windows: usize::MAX,
        deadline: Instant::now().checked_add(time),
        proofs: !args.no_proofs,
        ..Effort::default()
    };
    let progress = |stage: Stage, done: u64, all: u64| {
        let what = match stage {
            Stage::Reading => "finding unknown counts",
            Stage::Narrowing => "narrowing ranges",
            Stage::Components => "solving systems",
            Stage::Windows => "solving windows",
        };
        busy.say(if all == 0 { what.into() } else { format!("{what}: {} of {}", grouped(done), grouped(all)) });
    };
    let outside = if args.outside == OutsideArg::None { Outside::Nobody } else { Outside::Unknown };
    let written =
        attack_public(&publications, &group.dimensions, &group.links, outside, &effort, &progress, |facts, findings, unchanged| {
            busy.say("writing".into());
            write(group, facts, findings, unchanged, folder, args)
        });
    match written {
        Ok(said) => said,
        Err(Failure::Input(error)) => Err(error.into()),
        Err(Failure::Contradiction { cells, what }) => {
            let (dimensions, links) = (&group.dimensions, &group.links);
            let facts = Facts { publications: &publications, dimensions, links, outside, same_count: &|_, _| false };
            let at = cells.iter().take(3).map(|cell| facts.describe(*cell)).collect::<Vec<_>>().join(", ");
            match &group.revisions[..] {
                [only] => bail!("{} r{}: {what}, at {at}; the release is damaged", group.period, only.manifest.revision),
                _ => bail!("{}: the revisions contradict themselves at {at} ({what}); one of them is damaged", group.period),
            }
        }
    }
}

fn write(group: &Group, facts: &Facts<'_>, findings: &Findings<'_>, unchanged: &Unchanged, folder: &Path, args: &Attack) -> Result<Said> {
    let names = Names::new(facts, group.revisions.iter().map(|revision| revision.manifest.revision).collect());
    let mut files = RangesWriter::create(folder, &args.formats)?;
    let mut summary = Summary::default();
    ranges::each(facts, findings, &names, &mut |row| {
        files.write(&row)?;
        summary.add(&row, facts, group.revisions[usize::from(row.cell.publication)].manifest.threshold);
        Ok(())
    })?;
    files.finish()?;
    if !args.no_proofs {
        lines::write(&folder.join(lines::FILE), &names, findings.lines())?;
    }
    Assumptions::new(group, facts, findings, &names, args.outside, unchanged).write(folder)?;
    let text = summary.text(group, facts, findings, args.outside, unchanged);
    let path = folder.join("summary.txt");
    fs::write(&path, &text).with_context(|| format!("writing {}", path.display()))?;
    Ok(Said { text, given_away: summary.given_away(), doubt: summary.doubt(findings.statistics()) })
}
