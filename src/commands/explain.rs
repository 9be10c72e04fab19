//! `cacah audit --explain CELL`: why a cell is suppressed, for the confidential side alone.
//!
//! ```text
//! a rule withholds it       the rule, and the two alternative lists of records that prove it
//! it protects other cells   the small counts whose lists change it, nearest first, and how each list gets as far as it
//! ```

mod names;
mod needs;

use anyhow::Result;

use self::names::{Names, number_of};
use super::say::say;
use crate::{
    audit::Linked,
    cube::grouped,
    register::{Definitions, Dimension, Role, Status},
    worlds::{Certificate, Change, Counted, GroupCertificate, Proof, Rule, TRUE_WORLD},
};

/// So many changes of a list are told.
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
        let names = Names::new(self.definitions, self.counted, self.statuses.len());
        let place = names.find(name)?;
        let geo = self.definitions.dimensions.iter().position(|dimension| dimension.role == Role::Geo);
        let geo = geo.map(|at| (at, &self.definitions.dimensions[at]));
        Explanation { given: self, names, linked: Linked::new(self.counted), geo }.tell(place);
        Ok(())
    }
}

/// What explaining a cell takes.
struct Explanation<'a> {
    given: &'a Explained<'a>,
    names: Names<'a>,
    linked: Linked,
    /// The dimension of places.
    geo: Option<(usize, &'a Dimension)>,
}

impl Explanation<'_> {
    fn tell(&self, (table, cell): Place) {
        let given = self.given;
        say!("CONFIDENTIAL: true counts follow, which nobody outside may see");
        say!("{}", self.names.cell((table, cell)));
        let count = given.counted[table].counts[cell as usize];
        match given.statuses[table][cell as usize] {
            Status::Published => say!("published: {}", grouped(count.into())),
            Status::Impossible => say!("marked z: the combination cannot occur, which everybody knows; it protects nothing"),
            Status::Suppressed => {
                say!("suppressed; its true count is {}", grouped(count.into()));
                say!(
                    "(an alternative list of records is a list that could be the true one for all that is published: with other people and \
                     households, but the same published counts)"
                );
                self.tell_suppressed((table, cell), count);
            }
        }
    }

    fn tell_suppressed(&self, place: Place, count: u32) {
        let Explained { counted, proof, rule, .. } = *self.given;
        let same = self.shared(place);
        let is_here = |table: u16, cell: u32| same.contains(&(usize::from(table), u64::from(cell)));
        let certificate = proof.certificates.iter().find(|proven| is_here(proven.table, proven.cell));
        let group = proof.groups.iter().find(|proven| is_here(proven.table, proven.cell));
        let mut has_joint = false;
        if let Some(Certificate { low, high, .. }) = certificate {
            let (threshold, (least, most)) = (rule.threshold, rule.goals(count));
            if rule.is_small(count) {
                say!(
                    "primary: {count} is below the threshold of {threshold}, and all that may be known of it is that it is from 1 to {}; only a \
                     lower --threshold of a release would open it",
                    threshold - 1
                );
            } else if counted[place.0].few.binary_search(&(place.1 as u32)).is_ok() {
                say!(
                    "primary: the {} come from fewer than {} households; only a lower --contributors of a release would open it",
                    grouped(count.into()),
                    rule.contributors
                );
            } else {
                say!("withheld because an earlier revision withholds it, and would be given away by what has changed since");
            }
            say!("two lists prove that no more can be known of it; either could be the true one for all that is published:");
            has_joint |= self.show_list(&format!("in which it is at most {least}"), *low);
            has_joint |= self.show_list(&format!("in which it is at least {most}"), *high);
        }
        if let Some(own) = proof.unaware.iter().find(|proven| is_here(proven.table, proven.cell)) {
            say!("who knows how many people live there outside of counted households knows of them anyway; to all others there is also:");
            has_joint |= self.show_list(&format!("in which it is at most {}", rule.goals(count).0), own.world);
        }
        if let Some(GroupCertificate { table, axis, world, .. }) = group {
            let id = &counted[usize::from(*table)].table.axes[usize::from(*axis)].dimension;
            say!(
                "primary: all members of a small group, {}, are in this one category of the sensitive dimension {}; only a lower --small-group of \
                 a release would open it",
                grouped(count.into()),
                self.names.dimension(id)
            );
            has_joint |= self.show_list("in which another category of the group has members", *world);
        }
        if has_joint {
            say!(
                "(a list that is never published holds all that the tables tell of each person or household at once; an alternative must be \
                 possible there too)"
            );
        }
        if certificate.is_none() && group.is_none() {
            self.tell_secondary(place, &same);
        }
    }

    /// Prints an alternative list as a table of the finest cells that differ in it; tells whether lists that are never published are among them.
    fn show_list(&self, what: &str, world: u32) -> bool {
        if world == TRUE_WORLD {
            say!("- the true counts, {what} already");
            return false;
        }
        let Explained { counted, statuses, proof, .. } = *self.given;
        let changes: Vec<Change> = proof.worlds.world(world).collect();
        say!("- alternative list of records number {world}, {what}; published cells stay as they are, and these finest counts differ:");
        say!("    {:>10} {:>10}  cell", "true", "there");
        for change in changes.iter().take(LISTED) {
            let table = usize::from(change.table);
            let count = i64::from(counted[table].counts[change.cell as usize]);
            say!("    {count:>10} {:>10}  {}", count + i64::from(change.delta), self.names.cell((table, change.cell.into())));
        }
        if changes.len() > LISTED {
            say!("    and {}", number_of(changes.len() - LISTED, "other", "others"));
        }
        changes.iter().take(LISTED).any(|change| usize::from(change.table) >= statuses.len())
    }

    /// The same cell in every table that has it, the first one first.
    fn shared(&self, (table, cell): Place) -> Vec<Place> {
        let counted = self.given.counted;
        let positions = counted[table].shape.coordinates(cell);
        (0..counted.len()).filter_map(|other| Some((other, self.linked.cell(table, other, &positions)?))).collect()
    }
}
