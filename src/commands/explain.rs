//! `cacah audit --explain CELL`: why a cell is suppressed, for the confidential side alone.

use anyhow::{Context, Result, bail};

use super::{protection::cell_nodes, say::say};
use crate::{
    audit::Linked,
    cube::grouped,
    register::{Definitions, Status},
    worlds::{Certificate, Change, Counted, GroupCertificate, Proof, Rule, TRUE_WORLD},
};

/// So many primaries are named whose worlds change a secondary.
const NAMED: usize = 5;
/// So many changes of a world are listed.
const LISTED: usize = 40;

/// Everything that a cell is explained from.
pub struct Explained<'a> {
    pub definitions: &'a Definitions,
    pub counted: &'a [Counted<'a>],
    pub statuses: &'a [Vec<Status>],
    pub proof: &'a Proof,
    pub rule: &'a Rule,
}

/// A cell: position of its table in the release, and its number there.
type Place = (usize, u64);

impl Explained<'_> {
    /// Prints why the cell that the operator names has the status that it has.
    pub fn explain(&self, name: &str) -> Result<()> {
        let (table, cell) = self.find(name)?;
        say!("CONFIDENTIAL: true counts follow, which nobody outside may see");
        say!("{}", self.describe((table, cell)));
        let count = self.counted[table].counts[cell as usize];
        match self.statuses[table][cell as usize] {
            Status::Published => say!("published: {}", grouped(count.into())),
            Status::Impossible => say!("marked z: the combination cannot occur, which everybody knows; it protects nothing"),
            Status::Suppressed => {
                say!("suppressed; its true count is {}", grouped(count.into()));
                self.explain_suppressed((table, cell), count);
            }
        }
        Ok(())
    }

    fn explain_suppressed(&self, place: Place, count: u32) {
        let same = self.shared(place);
        let is_here = |table: u16, cell: u32| same.contains(&(usize::from(table), u64::from(cell)));
        let certificate = self.proof.certificates.iter().find(|proven| is_here(proven.table, proven.cell));
        let group = self.proof.groups.iter().find(|proven| is_here(proven.table, proven.cell));
        if let Some(Certificate { low, high, .. }) = certificate {
            let (threshold, (least, most)) = (self.rule.threshold, self.rule.goals(count));
            if self.rule.is_small(count) {
                say!(
                    "primary: {count} is below the threshold of {threshold}, and all that may be known of it is that it is from 1 to {}",
                    threshold - 1
                );
            } else if self.counted[place.0].few.binary_search(&(place.1 as u32)).is_ok() {
                say!("primary: the {count} come from fewer than {} households", self.rule.contributors);
            } else {
                say!("withheld because an earlier revision withholds it, and would be given away by what has changed since");
            }
            say!("its certificate is two worlds, either of which could be the true one for all that is published:");
            self.show_world(&format!("in which it is at most {least}"), *low);
            self.show_world(&format!("in which it is at least {most}"), *high);
        }
        if let Some(own) = self.proof.unaware.iter().find(|proven| is_here(proven.table, proven.cell)) {
            say!("who knows how many people live there outside of counted households knows of them anyway; to all others there is also:");
            self.show_world(&format!("in which it is at most {}", self.rule.goals(count).0), own.world);
        }
        if let Some(GroupCertificate { table, axis, world, .. }) = group {
            let dimension = &self.counted[usize::from(*table)].table.axes[usize::from(*axis)].dimension;
            say!("primary: it holds all {count} members of a group of the sensitive dimension {dimension}");
            self.show_world("in which another category of the group has members", *world);
        }
        if certificate.is_none() && group.is_none() {
            say!("secondary: without it a small count could be worked out");
            self.show_users(&same);
        }
    }

    /// Prints a world as a table of the finest cells that differ in it.
    fn show_world(&self, what: &str, world: u32) {
        if world == TRUE_WORLD {
            say!("- the true counts, {what} already");
            return;
        }
        let changes: Vec<Change> = self.proof.worlds.world(world).collect();
        say!("- world {world}, {what}; published cells stay as they are, and these finest counts differ:");
        say!("    {:>10} {:>10}  cell", "true", "there");
        for change in changes.iter().take(LISTED) {
            let table = usize::from(change.table);
            let count = i64::from(self.counted[table].counts[change.cell as usize]);
            say!("    {count:>10} {:>10}  {}", count + i64::from(change.delta), self.describe((table, change.cell.into())));
        }
        if changes.len() > LISTED {
            say!("    and {} more", changes.len() - LISTED);
        }
    }

    /// Prints which primaries have a world that changes a secondary.
    fn show_users(&self, same: &[Place]) {
        let proof = self.proof;
        let uses: Vec<bool> = (0..proof.worlds.len() as u32).map(|world| self.changes_one(world, same)).collect();
        let is_used = |world: u32| uses.get(world as usize) == Some(&true);
        let small = proof.certificates.iter().filter(|proven| is_used(proven.low) || is_used(proven.high));
        let groups = proof.groups.iter().filter(|proven| is_used(proven.world));
        let unaware = proof.unaware.iter().filter(|proven| is_used(proven.world));
        let mut users: Vec<Place> = small
            .map(|proven| (usize::from(proven.table), u64::from(proven.cell)))
            .chain(groups.map(|proven| (usize::from(proven.table), u64::from(proven.cell))))
            .chain(unaware.map(|proven| (usize::from(proven.table), u64::from(proven.cell))))
            .collect();
        users.sort_unstable();
        users.dedup();
        say!(
            "it differs in {} of the alternative worlds, which prove {} primary cells:",
            uses.iter().filter(|uses| **uses).count(),
            users.len()
        );
        for &(table, cell) in users.iter().take(NAMED) {
            say!("    {:>10}  {}", self.counted[table].counts[cell as usize], self.describe((table, cell)));
        }
        if users.len() > NAMED {
            say!("    and {} more", users.len() - NAMED);
        }
    }

    /// Whether a world changes a cell: whether the changes of the finest cells within it do not cancel, in any of the tables
    /// that have the cell.
    fn changes_one(&self, world: u32, same: &[Place]) -> bool {
        same.iter().any(|&(table, cell)| {
            let shape = self.counted[table].shape;
            let coordinates = shape.coordinates(cell);
            let within = |change: &Change| {
                let inner = shape.coordinates(change.cell.into());
                shape.axes.iter().zip(&coordinates).zip(inner).all(|((axis, &above), at)| {
                    let (above, at) = (&axis.spans[above as usize], &axis.spans[at as usize]);
                    above.start <= at.start && at.end <= above.end
                })
            };
            let changes = self.proof.worlds.world(world).filter(|change| usize::from(change.table) == table);
            changes.filter(within).map(|change| i64::from(change.delta)).sum::<i64>() != 0
        })
    }

    /// The same cell in every table that has it.
    fn shared(&self, (table, cell): Place) -> Vec<Place> {
        let (linked, positions) = (Linked::new(self.counted), self.counted[table].shape.coordinates(cell));
        (0..self.counted.len()).filter_map(|other| Some((other, linked.cell(table, other, &positions)?))).collect()
    }

    /// A cell as `table/code/code`, and what its codes mean.
    fn describe(&self, (table, cell): Place) -> String {
        let counted = &self.counted[table];
        let nodes: Vec<_> = cell_nodes(self.definitions, counted, cell).collect();
        let codes: Vec<&str> = nodes.iter().map(|node| node.code.as_str()).collect();
        let labels: Vec<&str> = nodes.iter().map(|node| node.label.text(0)).collect();
        format!("{}/{}  ({})", counted.table.id, codes.join("/"), labels.join(", "))
    }

    /// The cell that an operator names: a table and a code for each of its axes.
    fn find(&self, name: &str) -> Result<Place> {
        let mut parts = name.split('/');
        let id = parts.next().unwrap_or_default();
        let published = &self.counted[..self.statuses.len()];
        let known = || published.iter().map(|counted| counted.table.id.as_str()).collect::<Vec<_>>().join(", ");
        let found = published.iter().position(|counted| counted.table.id == id);
        let table = found.with_context(|| format!("there is no table '{id}'; there are {}", known()))?;
        let Counted { table: definition, shape, .. } = &self.counted[table];
        let codes: Vec<&str> = parts.collect();
        let axes: Vec<&str> = definition.axes.iter().map(|axis| axis.dimension.as_str()).collect();
        if codes.len() != axes.len() {
            bail!("'{name}' has {} codes; a cell of {id} is named {id}/{}", codes.len(), axes.join("/").to_uppercase());
        }
        let mut cell = 0;
        for ((code, id), (axis, stride)) in codes.iter().zip(axes).zip(shape.axes.iter().zip(&shape.strides)) {
            let Some((_, dimension)) = self.definitions.dimension(id) else { bail!("there is no dimension '{id}'") };
            let node = dimension.nodes.iter().position(|node| node.code == *code);
            let Some(position) = node.and_then(|node| axis.nodes.binary_search(&(node as u32)).ok()) else {
                let codes: Vec<&str> = axis.nodes.iter().take(20).map(|&node| dimension.nodes[node as usize].code.as_str()).collect();
                let more = if axis.nodes.len() > codes.len() { ", ..." } else { "" };
                bail!("{} has no {id} '{code}'; it has {}{more}", definition.id, codes.join(", "));
            };
            cell += position as u64 * stride;
        }
        Ok((table, cell))
    }
}
