//! What `cacah release` and `cacah audit` need of the revisions that are published already.

use anyhow::{Context, Result, anyhow, bail};

use super::protection::{CountedTables, Counts, cell_nodes, released_cells};
use crate::{
    audit::{Difference, differences},
    cube::{Confidential, grouped},
    register::{Definitions, Period, Role, Status},
    release::list,
    storage::Store,
    worlds::{Census, Counted, Earlier, Proof, Rule},
};

/// So many regions are named.
const NAMED: usize = 10;

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
    /// Loads the revisions of a period before one.
    pub async fn load(confidential: &Confidential, store: &Store, period: Period, before: u32) -> Result<Self> {
        let mut revisions = Vec::new();
        for (manifest, _) in list(store).await?.into_iter().filter(|(manifest, _)| manifest.period == period && manifest.revision < before)
        {
            let name = format!("r{} of {period}", manifest.revision);
            let proven = confidential.proof_manifest(period, manifest.revision).await?;
            let Some(proven) = proven else { bail!("there is no proof of {name}, so that nothing can be protected beside it") };
            let definitions = confidential.definitions(&proven.build).await?;
            let counts =
                Counts::load(confidential, &proven.build, &definitions, &proven.rule).await.with_context(|| format!("counts of {name}"))?;
            let (_, statuses) = released_cells(store, &manifest, &counts.counted(&definitions).published).await?;
            let proof = confidential.proof(period, manifest.revision, &proven).await?;
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
        "the correction and what is published of {period} already would together give away {} small counts, for example {}; {}",
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
    all.push((*census, statuses));
    let known: Vec<Vec<Vec<Status>>> = (0..all.len()).map(|at| known(&all, at)).collect();
    let now = all.len() - 1;
    let mut found: Vec<Difference> = Vec::new();
    for before in 0..now {
        found.extend(differences((census, &known[now]), (&all[before].0, &known[before]), rule.threshold));
    }
    found.sort_unstable();
    found.dedup();
    let Some(first) = found.first() else { return Ok(()) };
    let what = if first.in_parts { "withheld parts of " } else { "" };
    bail!(
        "{} counts that are published or follow from what is published would change by fewer than {}, for example {what}{}: whoever knows of \
         a person that the correction adds or removes could read there what else is true of that person; {}; or, if nobody is to be \
         recognised by it, publish it with --accept-differences",
        grouped(found.len() as u64),
        rule.threshold,
        name(definitions, census, (first.table, first.cell)),
        leave_out(definitions, census, earlier, found.iter().map(|found| (found.table, found.cell)))
    )
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

fn name(definitions: &Definitions, census: &Census<'_>, (table, cell): (usize, u64)) -> String {
    let counted = &census.tables[table];
    let codes: Vec<&str> = cell_nodes(definitions, counted, cell).map(|node| node.code.as_str()).collect();
    format!("{}/{}", counted.table.id, codes.join("/"))
}

/// Names the smallest part of a correction without which cells would be as they are published: regions, as fine as any table shows them.
///
/// A cell of such a region asks for that region; one of a larger region, unless a part of it is asked for already, for the part of it
/// in which fewest people differ.
fn leave_out(definitions: &Definitions, census: &Census<'_>, earlier: &[Earlier<'_>], cells: impl Iterator<Item = (usize, u64)>) -> String {
    let fallback = || "let it take effect with the next period".to_owned();
    let Some((geo, dimension)) = definitions.dimensions.iter().enumerate().find(|(_, dimension)| dimension.role == Role::Geo) else {
        return fallback();
    };
    let place_of = |counted: &Counted<'_>| counted.table.axes.iter().position(|axis| axis.dimension == dimension.id);
    // People who differ, by the finest region in which any table shows it.
    let mut changed = vec![0u64; dimension.nodes.len()];
    let finest = census.tables.iter().filter_map(|counted| Some(counted.shape.axes[place_of(counted)?].nodes.len())).max().unwrap_or(0);
    for Earlier { census: before, .. } in earlier {
        for now in census.tables {
            let Some(at) = place_of(now).filter(|&at| now.shape.axes[at].nodes.len() == finest) else { continue };
            let Some(then) = before.tables.iter().find(|then| then.table.id == now.table.id && then.shape == now.shape) else { continue };
            let (axis, stride) = (&now.shape.axes[at], now.shape.strides[at] as usize);
            let is_leaf = |position: usize| axis.leaves.binary_search(&(position as u32)).is_ok();
            for (cell, (now, then)) in now.counts.iter().zip(then.counts).enumerate() {
                let position = cell / stride % axis.nodes.len();
                if now != then && is_leaf(position) {
                    changed[axis.nodes[position] as usize] += u64::from(now.abs_diff(*then));
                }
            }
        }
    }
    let is_within = |mut node: u32, above: u32| loop {
        match dimension.nodes[node as usize].parent {
            _ if node == above => return true,
            Some(parent) => node = parent,
            None => return false,
        }
    };
    let mut asked: Vec<u32> = cells
        .filter_map(|(table, cell)| {
            let counted = &census.tables[table];
            let at = place_of(counted)?;
            let axis = &counted.shape.axes[at];
            Some(axis.nodes[(cell / counted.shape.strides[at]) as usize % axis.nodes.len()])
        })
        .collect();
    asked.sort_unstable_by_key(|&node| (std::cmp::Reverse(dimension.nodes[node as usize].level), node));
    asked.dedup();
    let mut parts: Vec<u32> = Vec::new();
    for region in asked {
        if parts.iter().any(|&part| is_within(part, region)) {
            continue;
        }
        let inside = (0u32..).zip(&changed).filter(|(node, people)| **people > 0 && is_within(*node, region));
        parts.extend(inside.min_by_key(|(node, people)| (**people, *node)).map(|(node, _)| node));
    }
    if parts.is_empty() {
        return fallback();
    }
    parts.sort_unstable();
    let names = parts.iter().take(NAMED).map(|&node| {
        let node = &definitions.dimensions[geo].nodes[node as usize];
        format!("{} ({})", node.code, node.label.text(0))
    });
    let more = if parts.len() > NAMED { format!(" and {} more", parts.len() - NAMED) } else { String::new() };
    format!(
        "leave out what the correction changes in {}{more}, or let it take effect with the next period",
        names.collect::<Vec<_>>().join(", ")
    )
}
