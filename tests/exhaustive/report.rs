//! A register for people to read: everybody, every table with what is withheld, and what is narrowed.

use std::fmt::Write as _;

use cacah::register::{Dimension, Status};

use super::{
    counting::Counts,
    knowledge::Shown,
    oracle::{End, Verdict, Violation},
    register::{Register, Tree, households},
};

/// Everything about a register, what is published of it, and what is wrong with that. Of one of which nothing is published, its people.
pub fn describe(register: &Register, shown: &[Shown], verdict: &Verdict) -> String {
    let mut text = format!("register of seed {}\n", register.seed);
    for dimension in &register.dimensions {
        let node = |node: &cacah::register::Node| match node.parent.and_then(|parent| dimension.nodes.get(parent as usize)) {
            Some(parent) => format!("{}<{}", node.code, parent.code),
            None => node.code.clone(),
        };
        let _ = writeln!(text, "  {}: {}", dimension.id, dimension.nodes.iter().map(node).collect::<Vec<_>>().join(" "));
    }
    let _ = writeln!(text, "  links: {:?}\n  zeros: {:?}", register.links, register.zeros);
    if shown.is_empty() {
        for revision in 0..register.revisions.len() {
            let _ = writeln!(text, "revision {revision}, not published: {:?}", register.revisions[revision].rule);
            describe_people(register, revision, &mut text);
        }
    }
    for of in shown {
        let _ = writeln!(text, "revision {}: {:?}", of.revision, register.revisions[of.revision].rule);
        describe_people(register, of.revision, &mut text);
        for (counts, statuses) in of.tally.tables.iter().zip(&of.statuses) {
            describe_table(register, counts, statuses, &mut text);
        }
    }
    for violation in &verdict.violations {
        let _ = writeln!(text, "{}", describe_violation(register, shown, violation));
    }
    text
}

fn codes(dimensions: &[Dimension], nodes: &[(usize, u32)]) -> String {
    nodes.iter().map(|&(at, node)| dimensions[at].nodes[node as usize].code.as_str()).collect::<Vec<_>>().join("/")
}

fn describe_people(register: &Register, revision: usize, text: &mut String) {
    let trees: Vec<Tree> = register.dimensions.iter().map(Tree::new).collect();
    for (key, members) in households(&register.revisions[revision].people) {
        let person = |person: &&super::register::Person| {
            let of_people = (0..trees.len()).filter(|&at| Some(at) != register.size());
            let nodes: Vec<(usize, u32)> = of_people.map(|at| (at, trees[at].leaves[person.leaves[at] as usize])).collect();
            format!("{}{}", codes(&register.dimensions, &nodes), if person.is_head { "*" } else { "" })
        };
        let _ = writeln!(text, "  household {key}: {}", members.iter().map(person).collect::<Vec<_>>().join("  "));
    }
}

fn describe_table(register: &Register, counts: &Counts, statuses: &[Status], text: &mut String) {
    let axes: Vec<&str> = counts.table.axes.iter().map(|axis| axis.dimension.as_str()).collect();
    let _ = write!(text, "  {} ({:?} by {}):", counts.table.id, counts.table.unit, axes.join(", "));
    for (cell, nodes) in counts.nodes.iter().enumerate() {
        let count = counts.counts[cell];
        let shown = match statuses[cell] {
            Status::Published => format!("{count}"),
            Status::Suppressed => format!("({count})"),
            Status::Impossible => "z".to_owned(),
        };
        let _ = write!(text, "  {}={shown}", codes(&register.dimensions, nodes));
    }
    text.push('\n');
}

/// What is wrong with one cell.
pub fn describe_violation(register: &Register, shown: &[Shown], violation: &Violation) -> String {
    let cell = |at: usize, table: usize, cell: usize| {
        let counts = &shown[at].tally.tables[table];
        let name = codes(&register.dimensions, &counts.nodes[cell]);
        format!("revision {} {} {name} with {}", shown[at].revision, counts.table.id, counts.counts[cell])
    };
    match violation {
        Violation::Published(at, table, of, reason) => format!("PUBLISHED: {}, which is primary: {reason:?}", cell(*at, *table, *of)),
        Violation::Impossible(at, table, of) => format!("IMPOSSIBLE: {}: its mark is wrong", cell(*at, *table, *of)),
        Violation::Narrowed(goal, nearest) => {
            let end = match goal.end {
                End::AtMost(value) => format!("could be {value} or less, and is at least {nearest}"),
                End::AtLeast(value) => format!("could be {value} or more, and is at most {nearest}"),
                End::Elsewhere => "could have somebody in another category, and has not".to_owned(),
            };
            format!("NARROWED: {} ({:?}) {end}", cell(goal.shown, goal.table, goal.cell), goal.reason)
        }
    }
}
