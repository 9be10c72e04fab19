//! What `cacah release` and `cacah audit` share: the counts of a build, the cells of a release, and what protection costs.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};

use super::say::say;
use crate::{
    attack::Statistics,
    audit::{Effort, Fault, Report},
    cube::{BuildManifest, Confidential, grouped, rollup},
    register::{Definitions, Node, Role, Shape, Status, Table, Unit, ZeroMask},
    release::{Manifest, read_cells},
    storage::Store,
    worlds::{Census, Counted, Rule},
};

/// The counts of all cells of one table.
struct TableCounts {
    shape: Shape,
    zeros: ZeroMask,
    counts: Vec<u32>,
    /// Cells that come from too few households.
    few: Vec<u32>,
}

impl TableCounts {
    fn counted<'a>(&'a self, table: &'a Table) -> Counted<'a> {
        Counted { table, shape: &self.shape, zeros: &self.zeros, counts: &self.counts, few: &self.few }
    }
}

/// The counts of all cells of all tables of a build.
pub struct Counts {
    tables: Vec<TableCounts>,
    joint: Vec<TableCounts>,
    members: Vec<TableCounts>,
}

/// The counts as protection and audit take them.
pub struct CountedTables<'a> {
    definitions: &'a Definitions,
    pub published: Vec<Counted<'a>>,
    joint: Vec<Counted<'a>>,
    members: Vec<Counted<'a>>,
}

impl Counts {
    /// Adds up the cubes of a build, and finds the cells that come from fewer households than the rule asks for.
    pub async fn load(confidential: &Confidential, build: &BuildManifest, definitions: &Definitions, rule: &Rule) -> Result<Self> {
        let mut all = Self { tables: Vec::new(), joint: Vec::new(), members: Vec::new() };
        let kinds =
            [(&definitions.tables, &mut all.tables), (&definitions.joint, &mut all.joint), (&definitions.members, &mut all.members)];
        for (tables, into) in kinds {
            for table in tables {
                let shape = definitions.shape(table);
                let counts = rollup(&shape, &confidential.cube(build, definitions, table).await?);
                let zeros = ZeroMask::new(table, &shape, &definitions.zeros);
                into.push(TableCounts { shape, zeros, counts, few: Vec::new() });
            }
        }
        if rule.contributors > 1 && definitions.household.is_some() {
            for (table, counted) in definitions.tables.iter().zip(&mut all.tables).filter(|(table, _)| table.unit == Unit::Person) {
                let contributors = confidential.contributors(build, definitions, table).await?;
                counted.few = few(&counted.counts, &contributors, rule);
            }
        }
        Ok(all)
    }

    /// The counts as protection and audit take them.
    pub fn counted<'a>(&'a self, definitions: &'a Definitions) -> CountedTables<'a> {
        let of = |counts: &'a [TableCounts], tables: &'a [Table]| {
            tables.iter().zip(counts).map(|(table, counts)| counts.counted(table)).collect()
        };
        CountedTables {
            definitions,
            published: of(&self.tables, &definitions.tables),
            joint: of(&self.joint, &definitions.joint),
            members: of(&self.members, &definitions.members),
        }
    }
}

impl CountedTables<'_> {
    /// All of it as one system.
    pub fn census(&self) -> Census<'_> {
        let Definitions { links, dimensions, .. } = self.definitions;
        Census { tables: &self.published, joint: &self.joint, members: &self.members, links, dimensions }
    }
}

/// Cells of the threshold and more that come from fewer households than the rule asks for, from those that were told: of all others each
/// person may be of another household, as far as is counted.
fn few(counts: &[u32], contributors: &[(u32, u8)], rule: &Rule) -> Vec<u32> {
    let mut told = contributors.iter().peekable();
    let mut few = Vec::new();
    for (cell, &count) in (0u32..).zip(counts) {
        let households = told.next_if(|(of, _)| *of == cell).map_or(count, |(_, households)| u32::from(*households));
        if count >= rule.threshold && households < rule.contributors {
            few.push(cell);
        }
    }
    few
}

/// Values and statuses that a release shows, table by table.
pub async fn released_cells(
    store: &Store,
    manifest: &Manifest,
    counted: &[Counted<'_>],
) -> Result<(Vec<Vec<Option<u32>>>, Vec<Vec<Status>>)> {
    let name = format!("{}/r{}", manifest.period, manifest.revision);
    let (mut values, mut statuses) = (Vec::new(), Vec::new());
    for counted in counted {
        let released = manifest.tables.iter().find(|released| released.table.id == counted.table.id);
        let released = released.with_context(|| format!("{name} lacks table {}", counted.table.id))?;
        let path = format!("{name}/{}", released.file);
        let content = store.read(&path).await?.with_context(|| format!("{store}/{path} is missing"))?;
        let (table_values, table_statuses) = read_cells(content, counted.shape.cells).with_context(|| format!("{store}/{path}"))?;
        values.push(table_values);
        statuses.push(table_statuses);
    }
    Ok((values, statuses))
}

/// Shows that something is being done, until it is dropped.
pub struct Busy(ProgressBar);

impl Busy {
    pub fn new(message: &'static str) -> Result<Self> {
        let bar = ProgressBar::new_spinner().with_message(message);
        bar.set_style(ProgressStyle::with_template("{spinner} {msg} {elapsed}")?);
        bar.enable_steady_tick(Duration::from_millis(100));
        Ok(Self(bar))
    }

    /// Says something else from now on.
    pub fn say(&self, message: String) {
        self.0.set_message(message);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Prints what protection costs: for every table and level of its regions the cells, those withheld by the rule and
/// those withheld to protect them, and the share of all people (or households) that stand in withheld cells.
pub fn say_losses(definitions: &Definitions, counted: &[Counted<'_>], statuses: &[Vec<Status>], primary: &[Vec<bool>]) {
    say!("{:<24} {:<10} {:>12} {:>12} {:>12} {:>8} {:>8}", "table", "level", "cells", "primary", "secondary", "% cells", "% value");
    for (at, counted) in counted.iter().enumerate() {
        let geo = definitions.dimensions.iter().find(|dimension| dimension.role == Role::Geo);
        let place = counted.table.axes.iter().position(|axis| geo.is_some_and(|geo| geo.id == axis.dimension));
        let (Some(geo), Some(place)) = (geo, place) else { continue };
        let (axis, stride) = (&counted.shape.axes[place], counted.shape.strides[place] as usize);
        let mut levels = vec![Losses::default(); geo.levels.len()];
        for (cell, &count) in counted.counts.iter().enumerate() {
            let node = axis.nodes[cell / stride % axis.nodes.len()];
            let losses = &mut levels[usize::from(geo.nodes[node as usize].level)];
            losses.cells += 1;
            losses.value += u64::from(count);
            if statuses[at][cell] == Status::Suppressed {
                losses.lost += u64::from(count);
                *(if primary[at][cell] { &mut losses.primary } else { &mut losses.secondary }) += 1;
            }
        }
        for (level, losses) in geo.levels.iter().zip(levels).filter(|(_, losses)| losses.cells > 0) {
            let share = |part: u64, whole: u64| part as f64 / whole.max(1) as f64 * 100.0;
            say!(
                "{:<24} {:<10} {:>12} {:>12} {:>12} {:>8.2} {:>8.3}",
                counted.table.id,
                level.id,
                grouped(losses.cells),
                grouped(losses.primary),
                grouped(losses.secondary),
                share(losses.primary + losses.secondary, losses.cells),
                share(losses.lost, losses.value),
            );
        }
    }
}

#[derive(Debug, Clone, Default)]
struct Losses {
    cells: u64,
    primary: u64,
    secondary: u64,
    value: u64,
    lost: u64,
}

/// After so long an audit begins no further system of the attack. Nothing that was ever measured takes as long: what an audit leaves out
/// should not depend on how busy the machine is.
const ATTACK_TIME: Duration = Duration::from_secs(1_800);

/// How much the attack of an audit that begins now may do: systems of up to so many unknowns are solved whole.
pub fn attack_effort(threads: usize, largest: usize) -> Effort {
    Effort { threads, largest, deadline: Instant::now().checked_add(ATTACK_TIME), ..Effort::default() }
}

/// What the attack of an audit left undecided; `None` if nothing.
pub fn describe_undecided(report: &Report) -> Option<String> {
    let sum = |count: fn(&Statistics) -> u64| count(&report.attack) + report.attack_unaware.as_ref().map_or(0, count);
    let left = [
        (sum(|attack| attack.left_out), "unknown counts of large systems"),
        (sum(|attack| attack.undecided + attack.unproven + attack.searches_undecided), "ends of ranges"),
        (sum(|attack| attack.out_of_time), "systems not begun in time"),
        (sum(|attack| attack.panicked), "systems at which the solver broke down"),
        (report.revisions_apart, "earlier revisions of other code lists"),
    ];
    let left: Vec<String> =
        left.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{} {what}", grouped(*count))).collect();
    (!left.is_empty()).then(|| left.join(", "))
}

/// What an audit found wrong, for the operator: kinds of faults, how many, and the first cells. Holds no count.
pub fn describe_faults(report: &Report, counted: &[Counted<'_>], definitions: &Definitions) -> String {
    let kinds: Vec<String> = report.faults.iter().map(|(fault, count)| format!("{} ({count})", name(*fault))).collect();
    let cells = report.examples.iter().take(5).map(|&(fault, table, cell)| {
        let Some(counted) = counted.get(usize::from(table)) else { return name(fault) };
        let codes: Vec<&str> = cell_nodes(definitions, counted, cell.into()).map(|node| node.code.as_str()).collect();
        format!("{} in {} at {}", name(fault), counted.table.id, codes.join("/"))
    });
    format!("{}; for example {}", kinds.join(", "), cells.collect::<Vec<_>>().join("; "))
}

/// The node of a cell on each axis of its table.
pub fn cell_nodes<'a>(definitions: &'a Definitions, counted: &Counted<'a>, cell: u64) -> impl Iterator<Item = &'a Node> {
    let Counted { table, shape, .. } = *counted;
    let positions = table.axes.iter().zip(&shape.axes).zip(shape.coordinates(cell));
    positions.filter_map(|((table_axis, axis), position)| {
        let (_, dimension) = definitions.dimension(&table_axis.dimension)?;
        dimension.nodes.get(*axis.nodes.get(position as usize)? as usize)
    })
}

fn name(fault: Fault) -> String {
    serde_json::to_value(fault).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}
