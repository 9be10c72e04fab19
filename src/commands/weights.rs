//! What losing cells costs, as the operator says on the command line: checked against the definitions.

use crate::{
    cli::Cost,
    protect::Weights,
    register::{Definitions, Role},
};
use anyhow::{Result, bail};

/// The weights of a release: the usual ones with the operator's factors.
pub fn weights(costs: &[Cost], definitions: &Definitions) -> Result<Weights> {
    let mut weights = Weights::default();
    for Cost { table, level, factor } in costs {
        check(table, level.as_deref(), definitions)?;
        match level {
            None => weights.tables.push((table.clone(), *factor)),
            Some(level) => weights.levels.push((table.clone(), level.clone(), *factor)),
        }
    }
    Ok(weights)
}

/// Refuses a table or level that is not there, and says what is.
fn check(table: &str, level: Option<&str>, definitions: &Definitions) -> Result<()> {
    let Some(found) = definitions.tables.iter().find(|known| known.id == table) else {
        let known: Vec<&str> = definitions.tables.iter().map(|table| table.id.as_str()).collect();
        bail!("there is no table '{table}' that could be weighed; there are {}", known.join(", "));
    };
    let Some(level) = level else { return Ok(()) };
    let places = definitions.dimensions.iter().find(|dimension| dimension.role == Role::Geo);
    let axis = places.and_then(|places| found.axes.iter().find(|axis| axis.dimension == places.id));
    let (Some(places), Some(axis)) = (places, axis) else { bail!("table {table} has no regions whose levels could be weighed") };
    let shown = places.level(&axis.level).map_or(0, usize::from);
    let known: Vec<&str> = places.levels.iter().take(shown + 1).map(|level| level.id.as_str()).collect();
    if !known.contains(&level) {
        bail!("table {table} has no regions of the level '{level}'; it has {}", known.join(", "));
    }
    Ok(())
}
