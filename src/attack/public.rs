//! The attack as anybody can run it, who does not know what a correction changed.

use super::{
    Effort, Failure, Progress,
    findings::Findings,
    input::{CellRef, Facts, Outside, Publication},
    run::attack,
    unchanged::Unchanged,
};
use crate::register::{Dimension, Links};

/// Attacks publications, taking it that nothing has changed in regions where no published count has, as far as that does not contradict what is
/// published; hands on what was found, and what was taken for unchanged in the end.
///
/// # Errors
/// What is published contradicts itself all the same.
pub fn attack_public<T>(
    publications: &[Publication<'_>],
    dimensions: &[Dimension],
    links: &Links,
    outside: Outside<'_>,
    effort: &Effort,
    progress: &Progress<'_>,
    result: impl FnOnce(&Facts<'_>, &Findings<'_>, &Unchanged) -> T,
) -> Result<T, Failure> {
    let mut unchanged = Unchanged::between(publications, dimensions);
    loop {
        let same_count = |a: CellRef, b: CellRef| unchanged.is_same(a, b);
        let facts = Facts { publications, dimensions, links, outside, same_count: &same_count };
        let (cells, what) = match attack(&facts, effort, progress) {
            Ok(findings) => return Ok(result(&facts, &findings, &unchanged)),
            Err(Failure::Contradiction { cells, what }) => (cells, what),
            Err(error) => return Err(error),
        };
        // Perhaps a region has changed in which no published count has. It need not be the one in which that shows.
        if publications.len() == 1 || !(unchanged.mark_changed(&cells) || unchanged.mark_all_changed()) {
            return Err(Failure::contradiction(cells, what));
        }
    }
}
