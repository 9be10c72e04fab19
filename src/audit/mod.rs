//! Checks what protection made, trusting none of it, and attacks it.
//!
//! ```text
//! statuses  structural zeros, primaries withheld, sums, one status and one count for a shared cell    cells
//! proofs    every primary has two worlds that keep every published cell of every revision, and        proofs
//!           every link between people and households, and reach both ends                             links
//! ranges    the attack that everybody can run, without looking at any certificate                     ranges
//! ```
//!
//! What leaves the audit is the size of what was checked and that nothing fell short, never a cell's own bounds. Nothing here is shared with the
//! protection but the data model in [`crate::worlds`].

mod cells;
mod differences;
mod links;
mod proofs;
mod ranges;
mod report;
mod revision;
mod system;

pub use differences::{Difference, differences};
pub use links::{Contradicted, Contradictions, contradictions};
pub use report::{Fault, Report};
pub use system::Linked;

pub use crate::attack::Effort;
use crate::{
    error::{Error, Result},
    register::Status,
    worlds::{Audited, Census, Counted, Earlier, Proof, Rule},
};
use revision::Revision;

/// Audits a protected release: what was counted, the statuses and the proof of protection, beside all that is published of the period already.
pub fn audit(
    census: &Census<'_>,
    statuses: &[Vec<Status>],
    proof: &Proof,
    rule: &Rule,
    effort: &Effort,
    earlier: &[Earlier<'_>],
) -> Result<Report> {
    check_sizes(census.tables, statuses)?;
    for Earlier { census, statuses, .. } in earlier {
        check_sizes(census.tables, statuses)?;
    }
    let mut report = Report::default();
    let new = Revision::new(&Earlier { census: *census, statuses, rule, proof });
    let earlier_ones: Vec<Revision<'_>> = earlier.iter().map(Revision::new).collect();
    let mut small = cells::check(&new, &mut report);
    // Counts that do not add up are nothing to attack.
    let is_sound = report.is_clean();
    let revisions: Vec<&Revision<'_>> = earlier_ones.iter().chain([&new]).collect();
    proofs::check(&revisions, &mut small, effort.threads, &mut report);
    if is_sound {
        ranges::check(&new, &earlier_ones, effort, &mut report);
    }
    report.checked = checked(census, rule, earlier);
    Ok(report)
}

/// Audits as [`audit`] does; what passes may be published, of what does not the report tells why.
pub fn certify(
    census: &Census<'_>,
    statuses: Vec<Vec<Status>>,
    proof: &Proof,
    rule: &Rule,
    effort: &Effort,
    earlier: &[Earlier<'_>],
) -> Result<std::result::Result<Audited, Report>> {
    let report = audit(census, &statuses, proof, rule, effort, earlier)?;
    if !report.is_clean() {
        return Ok(Err(report));
    }
    Ok(Ok(Audited::new(rule.clone(), statuses, report.public(rule))))
}

/// Compares what a release shows with the counts.
pub fn check_values(tables: &[Counted<'_>], statuses: &[Vec<Status>], values: &[Vec<Option<u32>>], report: &mut Report) {
    for (table, ((counted, statuses), values)) in tables.iter().zip(statuses).zip(values).enumerate() {
        for (cell, ((&count, &status), &value)) in counted.counts.iter().zip(statuses).zip(values).enumerate() {
            if value != (status == Status::Published).then_some(count) {
                report.fault(Fault::Value, table, cell as u64);
            }
        }
    }
}

/// What an audit looks at.
fn checked(census: &Census<'_>, rule: &Rule, earlier: &[Earlier<'_>]) -> Vec<&'static str> {
    let always = ["structural zeros", "statuses", "sums", "shared cells", "certificates", "alternative worlds", "linear programs"];
    let mut checked = always.to_vec();
    checked.extend((!census.links.is_empty()).then_some("links"));
    checked.extend((!earlier.is_empty()).then_some("revisions"));
    checked.extend((rule.contributors > 1).then_some("contributors"));
    checked
}

fn check_sizes(tables: &[Counted<'_>], statuses: &[Vec<Status>]) -> Result<()> {
    let sound = tables.len() == statuses.len()
        && tables
            .iter()
            .zip(statuses)
            .all(|(counted, statuses)| counted.counts.len() as u64 == counted.shape.cells && statuses.len() == counted.counts.len());
    if sound { Ok(()) } else { Err(Error::Input("counts, statuses and shapes of the tables differ in size".into())) }
}
