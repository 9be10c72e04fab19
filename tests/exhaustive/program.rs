//! Tiny registers through the real program: definitions and snapshots as files, built, released, corrected; the oracle judges what stands in the
//! Parquet files.

use std::{fmt::Write as _, fs, path::Path};

use cacah::register::{Dimension, Members, Status, Table, TableAxis, Unit};

use super::{
    generator::register,
    knowledge::Shown,
    oracle::{Effort, judge},
    publishing::tallies,
    register::{Register, SIZE, Tree},
    report::describe,
    seeds::{each, seeds},
};
use crate::{
    common::{run, succeed},
    pipeline::cells,
};

/// Registers that are looked at.
const REGISTERS: usize = 20;
const PERIOD: &str = "2024";

/// The code of a node in files. Regions have numbers, because that is how registers write them.
fn code(dimension: &Dimension, node: u32) -> String {
    let Dimension { id, nodes, .. } = dimension;
    if id == "region" && node > 0 { format!("{node:04}") } else { nodes[node as usize].code.clone() }
}

/// Writes the definitions of a register, as far as a revision has them, into a folder.
fn write_definitions(register: &Register, revision: usize, folder: &Path) {
    if folder.exists() {
        fs::remove_dir_all(folder).unwrap();
    }
    fs::create_dir_all(folder.join("dimensions")).unwrap();
    fs::create_dir_all(folder.join("tables")).unwrap();
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    let mut text = String::from(
        "id = \"tiny\"\nlabel = { en = \"Tiny\" }\nagency = \"TINY\"\nsource = { en = \"Made up\" }\nlicense = \"https://example.org/\"\n\
         frequency = \"annual\"\n[[languages]]\nid = \"en\"\nlabel = \"English\"\n[identity]\ncolumn = \"ID\"\ndigits = [1, 6]\n",
    );
    if register.has_households() {
        text += "[household]\ncolumn = \"HOUSEHOLD\"\ndigits = [1, 6]\nrelation = \"relation\"\nheads = [\"H\"]\n";
    }
    let _ = writeln!(text, "[protection]\ncontributors = {}", register.revisions[revision].rule.contributors);
    write("register.toml", &text);
    write("dimensions/relation.csv", "level,code,parent,en\ntotal,T,,All\nrelation,H,T,H\nrelation,O,T,O\n");
    let relation = "id = \"relation\"\nvariable = \"Relation\"\nlabel = { en = \"Relation\" }\nnodes = \"relation.csv\"\n\
                    [[level]]\nid = \"total\"\nlabel = { en = \"Total\" }\n[[level]]\nid = \"relation\"\nlabel = { en = \"Relation\" }\n\
                    [source]\nkind = \"code\"\ncolumn = \"RELATION\"\n";
    write("dimensions/relation.toml", relation);
    for dimension in &register.dimensions {
        let (toml, csv) = dimension_files(dimension, &register.sizes);
        write(&format!("dimensions/{}.toml", dimension.id), &toml);
        write(&format!("dimensions/{}.csv", dimension.id), &csv);
    }
    for table in register.tables_of(revision) {
        write(&format!("tables/{}.toml", table.id), &table_file(table));
    }
    let mut text = String::new();
    for zero in &register.zeros {
        let side = |side: &cacah::register::ZeroSide| {
            let dimension = &register.dimensions[register.dimension(&side.dimension)];
            let leaves = Tree::new(dimension).leaves.into_iter().zip(&side.leaves).filter(|(_, is_in)| **is_in);
            format!(
                "{} = [{}]",
                side.dimension,
                leaves.map(|(leaf, _)| format!("\"{}\"", code(dimension, leaf))).collect::<Vec<_>>().join(", ")
            )
        };
        let sides: Vec<String> = zero.sides.iter().map(side).collect();
        let _ = writeln!(text, "[[zero]]\nid = \"{}\"\nnodes = {{ {} }}", zero.id, sides.join(", "));
    }
    write("structural-zeros.toml", &text);
    if register.has_households() {
        write("links.toml", &links_file(register));
    }
}

fn dimension_files(dimension: &Dimension, sizes: &[Members]) -> (String, String) {
    let Dimension { id, levels, nodes, .. } = dimension;
    let mut toml = format!("id = \"{id}\"\nvariable = \"{id}\"\nlabel = {{ en = \"{id}\" }}\n");
    if id != "region" {
        let _ = writeln!(toml, "nodes = \"{id}.csv\"");
    }
    for level in levels {
        let _ = writeln!(toml, "[[level]]\nid = \"{0}\"\nlabel = {{ en = \"{0}\" }}", level.id);
    }
    let source = match id.as_str() {
        "region" => {
            "[reference]\nfile = \"region.csv\"\ncode = [\"code\"]\nname = [\"en\"]\nparent = [\"parent\"]\nlevel = [\"level\"]\n\
             [reference.root]\ncode = \"T\"\nlabel = { en = \"All\" }\n[source]\nkind = \"region\"\nparts = [{ column = \"REGION\", digits = 4 }]\n"
                .to_owned()
        }
        SIZE => "[source]\nkind = \"household-size\"\n".to_owned(),
        _ => format!("[source]\nkind = \"code\"\ncolumn = \"{}\"\n", id.to_uppercase()),
    };
    toml += &source;
    let mut csv = String::from("level,code,parent,en,from\n");
    let tree = Tree::new(dimension);
    for (at, node) in (0u32..).zip(nodes) {
        let parent = match node.parent {
            None if id == "region" => continue,
            // Regions right below the root name none.
            Some(0) if id == "region" => String::new(),
            parent => parent.map(|parent| code(dimension, parent)).unwrap_or_default(),
        };
        let leaf = tree.leaves.iter().position(|&leaf| leaf == at).filter(|_| id == SIZE);
        let from = leaf.map(|leaf| sizes[leaf].least.to_string()).unwrap_or_default();
        let _ = writeln!(csv, "{},{},{parent},{},{from}", levels[usize::from(node.level)].id, code(dimension, at), node.code);
    }
    (toml, csv)
}

fn table_file(table: &Table) -> String {
    let unit = if table.unit == Unit::Person { "person" } else { "household" };
    let mut text = format!(
        "id = \"{0}\"\nlabel = {{ en = \"{0}\" }}\ndescription = {{ en = \"{0}\" }}\nsubject = {{ en = \"All\" }}\nunit = \"{unit}\"\n\
         [contents]\ncode = \"count\"\nlabel = {{ en = \"Count\" }}\nunit = {{ en = \"number\" }}\n",
        table.id
    );
    for axis in &table.axes {
        let _ = writeln!(text, "[[axis]]\ndimension = \"{}\"\nlevel = \"{}\"", axis.dimension, axis.level);
    }
    text
}

fn links_file(register: &Register) -> String {
    let mut text = String::new();
    for link in &register.links.members {
        let shared: Vec<String> = link.shared.iter().map(|id| format!("\"{id}\"")).collect();
        let _ = writeln!(text, "[[members]]\nsize = \"{}\"\nshared = [{}]", link.size, shared.join(", "));
        if let Some(largest) = link.members.last().and_then(|last| last.most) {
            let _ = writeln!(text, "largest = {largest}");
        }
    }
    text += "[heads]\n";
    for pair in &register.links.heads {
        let _ = writeln!(text, "{} = \"{}\"", pair.head, pair.person);
    }
    text
}

/// The people of a revision as comma-separated lines.
fn snapshot(register: &Register, revision: usize) -> String {
    let columns = register.dimensions.iter().enumerate().filter(|(_, dimension)| dimension.id != SIZE);
    let columns: Vec<(usize, &Dimension, Tree)> = columns.map(|(at, dimension)| (at, dimension, Tree::new(dimension))).collect();
    let heads: Vec<String> = columns.iter().map(|(_, dimension, _)| dimension.id.to_uppercase()).collect();
    let mut text = format!("ID,HOUSEHOLD,RELATION,{}\n", heads.join(","));
    for (number, person) in (1..).zip(&register.revisions[revision].people) {
        let codes = columns.iter().map(|(at, dimension, tree)| code(dimension, tree.leaves[person.leaves[*at] as usize]));
        let relation = if person.is_head { "H" } else { "O" };
        let _ = writeln!(text, "{number},{},{relation},{}", person.household + 1, codes.collect::<Vec<_>>().join(","));
    }
    text
}

/// What stands in the files of a release. Every published value must be the count.
fn read(register: &Register, revision: usize, folder: &Path) -> Shown {
    let tally = tallies(register).swap_remove(revision);
    let read_table = |counts: &super::counting::Counts| {
        let found = cells(&folder.join(format!("cells/{}.parquet", counts.table.id)));
        assert_eq!(found.len(), counts.counts.len());
        let status = |(nodes, &count): (&Vec<(usize, u32)>, &u32)| {
            let codes: Vec<String> = nodes.iter().map(|&(at, node)| code(&register.dimensions[at], node)).collect();
            match &found[&codes.join("/")] {
                (Some(value), None) => {
                    assert_eq!(*value, count, "seed {}: {} at {codes:?}", register.seed, counts.table.id);
                    Status::Published
                }
                (None, Some(mark)) if mark == "c" => Status::Suppressed,
                (None, Some(mark)) if mark == "z" => Status::Impossible,
                other => panic!("seed {}: {} at {codes:?} is {other:?}", register.seed, counts.table.id),
            }
        };
        counts.nodes.iter().zip(&counts.counts).map(status).collect()
    };
    Shown { revision, statuses: tally.tables.iter().map(read_table).collect(), tally }
}

/// Builds and releases every revision of a register in a folder; those that were published, and how many were refused. An error is what the
/// program says of the first revision, which must not be refused.
fn publish(register: &Register, folder: &Path) -> Result<(Vec<Shown>, usize), String> {
    let (mut shown, mut refused) = (Vec::new(), 0);
    for (revision, of) in register.revisions.iter().enumerate() {
        write_definitions(register, revision, &folder.join("definitions"));
        fs::write(folder.join("snapshot.csv"), snapshot(register, revision)).unwrap();
        succeed(&["build", "snapshot.csv", "--period", PERIOD, "--definitions", "definitions"], folder);
        let threshold = of.rule.threshold.to_string();
        let range = if of.rule.reach == cacah::worlds::Reach::Rule { "rule" } else { "beyond" };
        let mut args = vec!["release", PERIOD, "--threshold", &threshold, "--range", range, "--threads", "1"];
        let group = of.rule.group.as_ref().map(|group| (group.below.to_string(), group.dimensions.join(",")));
        if let Some((below, dimensions)) = &group {
            args.extend(["--sensitive", dimensions, "--small-group", below]);
        }
        if revision > 0 {
            args.extend(["--correction", "something was wrong", "--accept-differences"]);
        }
        let output = run(&args, folder);
        match (output.status.success(), revision) {
            (true, _) => {}
            (false, 0) => return Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            (false, _) => {
                refused += 1;
                continue;
            }
        }
        shown.push(read(register, revision, &folder.join(format!("warehouse/releases/{PERIOD}/r{}", shown.len() + 1))));
    }
    Ok((shown, refused))
}

/// The register of a seed as definitions can have it, every table with its regions first; `None` if they cannot: ages of heads are read from
/// birth dates, of which a tiny register has none.
fn writable(seed: u64) -> Option<Register> {
    let mut register = register(seed);
    if register.dimensions.iter().any(|dimension| dimension.id == "age") {
        return None;
    }
    for table in &mut register.tables {
        match table.axes.iter().position(|axis| axis.dimension == "region") {
            Some(at) => table.axes[..=at].rotate_right(1),
            None => table.axes.insert(0, TableAxis { dimension: "region".to_owned(), level: "country".to_owned() }),
        }
    }
    Some(register)
}

#[test]
fn what_the_program_publishes_keeps_every_promise() {
    let registers: Vec<Register> = seeds(400).filter_map(writable).take(REGISTERS).collect();
    let outcomes = each(0..registers.len() as u64, |at| {
        let register = &registers[at as usize];
        let folder = tempfile::tempdir().unwrap();
        let published = publish(register, folder.path());
        let verdict = published.as_ref().map(|(shown, _)| judge(register, shown, Effort::default())).unwrap_or_default();
        (published, verdict)
    });
    let (mut revisions, mut refusals, mut ends, mut broken) = (0, 0, 0, 0);
    for (register, (published, verdict)) in registers.iter().zip(&outcomes) {
        let (shown, refused) = match published {
            Ok((shown, refused)) => (shown, refused),
            Err(error) => {
                broken += 1;
                println!("seed {}: {error}", register.seed);
                continue;
            }
        };
        revisions += shown.len();
        refusals += refused;
        ends += verdict.goals;
        if !verdict.violations.is_empty() || verdict.undecided > 0 {
            broken += 1;
            println!("{}", describe(register, shown, verdict));
        }
    }
    println!("{} registers, {revisions} revisions, {refusals} refused, {ends} ends", registers.len());
    assert_eq!(broken, 0, "promises are broken of {broken} of {} registers", registers.len());
}
