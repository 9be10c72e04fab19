//! What a table shows to someone who has chosen nothing yet.
//!
//! The latest period; the whole and its first division by region; the same of the first two other dimensions. The rest is
//! eliminated. That is small for any table, and every number in it is a total that a reader knows how to place.

use super::{
    library::{AxisEntry, Library, TableEntry},
    request::Selection,
    resolve::{CONTENTS, TIME},
};
use crate::register::Role;

/// How many codes of one variable still read well at first sight.
const MOST: usize = 60;

/// The default selection, one for each variable; those that are eliminated choose nothing.
pub fn selection(library: &Library, entry: &TableEntry) -> Vec<Selection> {
    let mut shown = 0;
    let mut selections = Vec::with_capacity(entry.axes.len() + 2);
    for axis in &entry.axes {
        let dimension = &library.dimensions[axis.dimension];
        let is_place = dimension.role == Role::Geo;
        let show = is_place || shown < 2;
        shown += usize::from(!is_place);
        let values = if show { first_division(library, axis) } else { Vec::new() };
        selections.push(Selection { variable: dimension.variable.clone(), codelist: None, values });
    }
    let one = |variable: &str, value: &str| Selection { variable: variable.into(), codelist: None, values: vec![value.into()] };
    selections.push(one(CONTENTS, &entry.table.contents.code));
    selections.push(one(TIME, entry.span.last().map_or("", |&release| library.period(release))));
    selections
}

/// The root and the nodes right below it; only the root where those are too many.
fn first_division(library: &Library, axis: &AxisEntry) -> Vec<String> {
    let dimension = &library.dimensions[axis.dimension];
    let near = |&&at: &&u32| at == 0 || dimension.nodes[at as usize].parent == Some(0);
    let nodes: Vec<&u32> = axis.nodes.iter().filter(near).collect();
    let count = if nodes.len() > MOST { 1 } else { nodes.len() };
    nodes[..count].iter().map(|&&at| dimension.nodes[at as usize].code.clone()).collect()
}
