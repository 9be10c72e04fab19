//! What `cacah release` and `cacah audit` need of the revisions that are published already.

use std::collections::BTreeSet;

use anyhow::{Context, Result, anyhow, bail};

use super::{
    leave_out::{leave_out, name},
    protection::{CountedTables, Counts},
};
use crate::{
    audit::{Difference, differences},
    cube::{BuildManifest, Confidential, grouped},
    protect::Protected,
    register::{Definitions, Period, Status},
    release::list,
    storage::Store,
    worlds::{Census, Counted, Earlier, Proof, Rule},
};

/// The last revision of a period that was published, here or elsewhere, before one that is to be published; 0 if there is none.
///
/// # Errors
/// There is nothing to publish, or not without saying that it is a correction.
pub async fn last_published(
    confidential: &Confidential,
    store: &Store,
    build: &BuildManifest,
    rule: &Rule,
    is_correction: bool,
) -> Result<u32> {
    let period = build.period;
    let here = list(store).await?.iter().filter(|(manifest, _)| manifest.period == period).map(|(manifest, _)| manifest.revision).max();
    let here = here.unwrap_or(0);
    let proofs = confidential.proofs(period).await?;
    if here > 0 && !is_correction {
        if proofs.get(&here).is_some_and(|proof| proof.is_of(build, rule)) {
            bail!(
                "{period} is published already as r{here}, from this build and by this rule; there is nothing to publish (--weight and --thorough choose once, what is withheld first)"
            );
        }
        bail!(
            "{period} is published already as r{here}, from another build or by another rule; if this corrects it, say why with --correction"
        );
    }
    let Some((&proven, proof)) = proofs.last_key_value().filter(|(revision, _)| **revision > here) else { return Ok(here) };
    // The same again: of a run that was stopped before it was done, or for another store.
    if proven == here + 1 && (proven > 1) == is_correction && proof.is_of(build, rule) {
        return Ok(here);
    }
    if !is_correction {
        bail!(
            "{period} is published already as r{proven}, which {store} does not hold: it was withdrawn, or lies in another folder. Both together \
             must not give away what each hides, so publish what differs as a correction (--correction REASON). If {store} is to hold the \
             same release, copy it; if nobody outside has ever seen it, remove {period}/proofs/r{proven} from the confidential folder"
        );
    }
    Ok(proven)
}

/// What protects a correction that counts just what the newest revision counts, by the same rule: the pattern stays as it is. Another one would
/// tell more of the same counts, and whether one is made would tell that nothing hidden has changed.
pub fn protected_already(census: &Census<'_>, rule: &Rule, earlier: &[Earlier<'_>]) -> Option<Protected> {
    let newest = earlier.last()?;
    let is_same = |one: &[Counted<'_>], other: &[Counted<'_>]| {
        let pairs = || one.iter().zip(other);
        one.len() == other.len()
            && pairs().all(|(one, other)| one.table.id == other.table.id && one.shape == other.shape)
            && pairs().all(|(one, other)| one.counts == other.counts && one.few == other.few)
    };
    let Census { tables, joint, members, links, .. } = census;
    let before = &newest.census;
    let same = is_same(tables, before.tables) && is_same(joint, before.joint) && is_same(members, before.members);
    if !same || *links != before.links || rule != newest.rule {
        return None;
    }
    let primary = |(counted, statuses): (&Counted<'_>, &Vec<Status>)| {
        let is_primary = |(cell, (count, status)): (u32, (&u32, &Status))| {
            *status == Status::Suppressed && (rule.is_small(*count) || counted.few.binary_search(&cell).is_ok())
        };
        (0..).zip(counted.counts.iter().zip(statuses)).map(is_primary).collect()
    };
    Some(Protected {
        statuses: newest.statuses.to_vec(),
        primary: tables.iter().zip(newest.statuses).map(primary).collect(),
        proof: newest.proof.clone(),
        unprotected: Vec::new(),
    })
}

/// Every earlier revision of a period, with what was counted and proven.
#[derive(Default)]
pub struct Revisions {
    revisions: Vec<Revision>,
}

struct Revision {
    definitions: Definitions,
    counts: Counts,
    statuses: Vec<Vec<Status>>,
    rule: Rule,
    proof: Proof,
}

impl Revisions {
    /// Loads all revisions of a period before one that were ever proven, in the store or not: whoever has seen them still knows them.
    pub async fn load(confidential: &Confidential, store: &Store, period: Period, before: u32) -> Result<Self> {
        let mut revisions = Vec::new();
        let mut proofs = confidential.proofs(period).await?;
        let shown = list(store).await?.into_iter().filter(|(manifest, _)| manifest.period == period).map(|(manifest, _)| manifest.revision);
        let numbers: BTreeSet<u32> = shown.chain(proofs.keys().copied()).filter(|revision| *revision < before).collect();
        for revision in numbers {
            let name = format!("r{revision} of {period}");
            let proven = proofs.remove(&revision);
            let Some(proven) = proven else {
                bail!(
                    "there is no proof of {name}, so that nothing can be protected beside it; restore {period}/proofs/r{revision} in the \
                     confidential folder from a backup, or publish what differs with the next period"
                );
            };
            let definitions = confidential.definitions(&proven.build).await?;
            let counts =
                Counts::load(confidential, &proven.build, &definitions, &proven.rule).await.with_context(|| format!("counts of {name}"))?;
            let withheld = confidential.withheld(period, revision, &proven).await?;
            let statuses = statuses(&counts.counted(&definitions).published, &withheld).with_context(|| format!("proof of {name}"))?;
            let proof = confidential.proof(period, revision, &proven).await?;
            revisions.push(Revision { definitions, counts, statuses, rule: proven.rule, proof });
        }
        Ok(Self { revisions })
    }

    /// The counts of all of them.
    pub fn tables(&self) -> Vec<CountedTables<'_>> {
        self.revisions.iter().map(|revision| revision.counts.counted(&revision.definitions)).collect()
    }

    /// All of them as protection and audit take them.
    pub fn earlier<'a>(&'a self, tables: &'a [CountedTables<'a>]) -> Vec<Earlier<'a>> {
        let earlier = self.revisions.iter().zip(tables);
        earlier.map(|(Revision { statuses, rule, proof, .. }, tables)| Earlier { census: tables.census(), statuses, rule, proof }).collect()
    }
}

/// Statuses of all cells, from those that are withheld.
fn statuses(counted: &[Counted<'_>], withheld: &[(u16, u32)]) -> Result<Vec<Vec<Status>>> {
    let of_table = |counted: &Counted<'_>| {
        let status = |cell| {
            let is_zero = !counted.zeros.is_empty() && counted.zeros.covers(&counted.shape.coordinates(cell));
            if is_zero { Status::Impossible } else { Status::Published }
        };
        (0..counted.shape.cells).map(status).collect()
    };
    let mut statuses: Vec<Vec<Status>> = counted.iter().map(of_table).collect();
    for &(table, cell) in withheld {
        let status = statuses.get_mut(usize::from(table)).and_then(|statuses| statuses.get_mut(cell as usize));
        *status.context("it withholds a cell that is not there")? = Status::Suppressed;
    }
    Ok(statuses)
}

/// Why a correction cannot be published beside what is published already, and what could be left out of it.
pub fn refuse(
    period: Period,
    definitions: &Definitions,
    census: &Census<'_>,
    earlier: &[Earlier<'_>],
    cells: &[(u16, u32)],
) -> anyhow::Error {
    let places = cells.iter().map(|&(table, cell)| (usize::from(table), u64::from(cell)));
    let names: Vec<String> = places.clone().take(5).map(|place| name(definitions, census, place)).collect();
    anyhow!(
        "the correction and what is published of {period} already would together give away {} small counts, for example {}: each may change \
         only together with cells that are published, and what is published cannot be taken back (--accept-differences does not help \
         here); {}",
        grouped(cells.len() as u64),
        names.join("; "),
        leave_out(definitions, census, earlier, places)
    )
}

/// Refuses a correction from which few people can be told who are new or gone, unless the operator has decided that nobody can be
/// recognised.
pub fn check_differences(
    definitions: &Definitions,
    census: &Census<'_>,
    statuses: &[Vec<Status>],
    earlier: &[Earlier<'_>],
    rule: &Rule,
    accept: bool,
) -> Result<()> {
    if accept {
        return Ok(());
    }
    let mut all: Vec<(Census<'_>, &[Vec<Status>])> = earlier.iter().map(|earlier| (earlier.census, earlier.statuses)).collect();
    // Whoever was found in the threshold of an earlier revision is found in a wider one.
    let threshold = earlier.iter().map(|earlier| earlier.rule.threshold).max().unwrap_or(0).max(rule.threshold);
    let told_before = all_differences(&all, threshold);
    all.push((*census, statuses));
    let mut found = all_differences(&all, threshold);
    // What earlier revisions told without this one was decided on when they were published.
    found.retain(|difference| !told_before.contains(difference));
    let of_new = |(_, now, difference): (usize, usize, Difference)| {
        let id = &all[now].0.tables[difference.table].table.id;
        Some(Difference { table: census.tables.iter().position(|counted| counted.table.id == *id)?, ..difference })
    };
    let mut found: Vec<Difference> = found.into_iter().filter_map(of_new).collect();
    found.sort_unstable();
    found.dedup();
    let Some(first) = found.first() else { return Ok(()) };
    let what = if first.in_parts { "withheld parts of " } else { "" };
    bail!(
        "{} counts that are published or follow from what is published would change by fewer than {}, for example {what}{}: whoever knows of \
         a person whom the correction adds, removes or changes could read there what else is true of that person; {}; or, if nobody is to be \
         recognised by it, publish it with --accept-differences",
        grouped(found.len() as u64),
        threshold,
        name(definitions, census, (first.table, first.cell)),
        leave_out(definitions, census, earlier, found.iter().map(|found| (found.table, found.cell)))
    )
}

/// The differences between any two of some revisions, by their positions, that follow from what all of them publish.
fn all_differences(all: &[(Census<'_>, &[Vec<Status>])], threshold: u32) -> BTreeSet<(usize, usize, Difference)> {
    let known: Vec<Vec<Vec<Status>>> = (0..all.len()).map(|at| known(all, at)).collect();
    let mut found = BTreeSet::new();
    for now in 1..all.len() {
        for before in 0..now {
            let differences = differences((&all[now].0, &known[now]), (&all[before].0, &known[before]), threshold);
            found.extend(differences.into_iter().map(|difference| (before, now, difference)));
        }
    }
    found
}

/// What everybody knows of a revision who holds the others too: what it publishes, and what they publish of cells that count the same.
fn known(all: &[(Census<'_>, &[Vec<Status>])], at: usize) -> Vec<Vec<Status>> {
    let (own, statuses) = all[at];
    let mut known = statuses.to_vec();
    for (other, shown) in all.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, other)| *other) {
        for (table, known) in own.tables.iter().zip(&mut known) {
            let there = other.tables.iter().position(|other| other.table.id == table.table.id && other.shape == table.shape);
            let Some(there) = there else { continue };
            for (cell, status) in known.iter_mut().enumerate() {
                if shown[there][cell] == Status::Published && other.tables[there].counts[cell] == table.counts[cell] {
                    *status = Status::Published;
                }
            }
        }
    }
    known
}
