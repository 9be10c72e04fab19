//! What `cacah release` and `cacah audit` share: the counts of a build, the cells of a release, and what protection costs.

use std::time::Duration;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};

use super::say::say;
use crate::{
    audit::{Fault, Report},
    cube::{BuildManifest, Confidential, grouped, rollup},
    register::{Definitions, Node, Role, Shape, Status, ZeroMask},
    release::{Manifest, read_cells},
    storage::Store,
    worlds::Counted,
};

/// The counts of all cells of all tables of a build.
pub struct Counts {
    shapes: Vec<Shape>,
    zeros: Vec<ZeroMask>,
    counts: Vec<Vec<u32>>,
}

impl Counts {
    /// Adds up the cubes of a build.
    pub async fn load(confidential: &Confidential, build: &BuildManifest, definitions: &Definitions) -> Result<Self> {
        let mut all = Self { shapes: Vec::new(), zeros: Vec::new(), counts: Vec::new() };
        for table in &definitions.tables {
            let shape = definitions.shape(table);
            all.counts.push(rollup(&shape, &confidential.cube(build, definitions, table).await?));
            all.zeros.push(ZeroMask::new(table, &shape, &definitions.zeros));
            all.shapes.push(shape);
        }
        Ok(all)
    }

    /// The counts as protection and audit take them.
    pub fn counted<'a>(&'a self, definitions: &'a Definitions) -> Vec<Counted<'a>> {
        let parts = definitions.tables.iter().zip(&self.shapes).zip(self.zeros.iter().zip(&self.counts));
        parts.map(|((table, shape), (zeros, counts))| Counted { table, shape, zeros, counts, few: &[] }).collect()
    }
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
