//! Tables to measure with: those that other tools were measured on, and what any made-up table needs.

use std::{collections::BTreeMap, io::Read, path::Path};

use cacah::{
    audit::{Effort, Fault, audit},
    cube::rollup,
    error::{Error, Result},
    register::{Contents, Dimension, Label, Level, Links, Node, Role, Shape, Status, StructuralZero, Table, TableAxis, Unit, ZeroMask},
    worlds::{Census, Counted, Proof, Rule},
};

/// Tables with everything that [`Counted`] borrows.
#[derive(Debug)]
pub struct Owned {
    /// The dimensions.
    pub dimensions: Vec<Dimension>,
    /// The tables.
    pub tables: Vec<Table>,
    /// Their numberings.
    pub shapes: Vec<Shape>,
    /// Their structural zeros.
    pub zeros: Vec<ZeroMask>,
    /// Their counts.
    pub counts: Vec<Vec<u32>>,
    /// What the units tell of each other.
    pub links: Links,
    /// Members of households, one table for each of the links that are made of them.
    pub members: Vec<Members>,
}

/// A table of members.
#[derive(Debug)]
pub struct Members {
    table: Table,
    shape: Shape,
    zeros: ZeroMask,
    counts: Vec<u32>,
}

impl Members {
    /// Rolls up members of the finest nodes.
    pub fn new(table: Table, shape: Shape, leaves: &[u32]) -> Self {
        Self { zeros: ZeroMask::new(&table, &shape, &[]), counts: rollup(&shape, leaves), table, shape }
    }
}

impl Owned {
    /// Rolls up the finest counts of tables.
    pub fn new(dimensions: Vec<Dimension>, tables: Vec<Table>, zeros: &[StructuralZero], leaves: Vec<Vec<u32>>) -> Result<Self> {
        let shapes = tables
            .iter()
            .map(|table| Shape::new(table, &dimensions).map_err(|error| Error::Input(error.to_string())))
            .collect::<Result<Vec<_>>>()?;
        let masks = tables.iter().zip(&shapes).map(|(table, shape)| ZeroMask::new(table, shape, zeros)).collect();
        let counts = shapes.iter().zip(leaves).map(|(shape, leaves)| rollup(shape, &leaves)).collect();
        Ok(Self { dimensions, tables, shapes, zeros: masks, counts, links: Links::default(), members: Vec::new() })
    }

    /// The tables as protect and audit take them.
    pub fn counted(&self) -> Vec<Counted<'_>> {
        (0..self.tables.len())
            .map(|at| Counted {
                table: &self.tables[at],
                shape: &self.shapes[at],
                zeros: &self.zeros[at],
                counts: &self.counts[at],
                few: &[],
            })
            .collect()
    }
}

/// What [`census`] borrows.
pub struct Borrowed<'a> {
    owned: &'a Owned,
    counted: Vec<Counted<'a>>,
    members: Vec<Counted<'a>>,
}

impl Owned {
    /// Everything that a census borrows.
    pub fn borrowed(&self) -> Borrowed<'_> {
        let members = self.members.iter().map(|Members { table, shape, zeros, counts }| Counted { table, shape, zeros, counts, few: &[] });
        Borrowed { owned: self, counted: self.counted(), members: members.collect() }
    }
}

/// The tables as one system; without lists of records behind them.
pub fn census<'a>(borrowed: &'a Borrowed<'a>) -> Census<'a> {
    let Owned { links, dimensions, .. } = borrowed.owned;
    Census { tables: &borrowed.counted, joint: &[], members: &borrowed.members, links, dimensions }
}

/// How many ranges the audit's attack narrows in a release that was made by hand and has no certificates.
pub fn narrowed(owned: &Owned, statuses: &[Vec<Status>], rule: &Rule) -> u64 {
    let report = audit(&census(&owned.borrowed()), statuses, &Proof::default(), rule, &Effort::default(), &[]).unwrap();
    report.faults.get(&Fault::Narrowed).copied().unwrap_or(0)
}

/// A dimension from (code, parent, level).
pub fn dimension(id: &str, levels: &[&str], nodes: Vec<(String, Option<u32>, u8)>) -> Dimension {
    Dimension {
        id: id.into(),
        variable: id.into(),
        label: Label::same(id),
        role: Role::Classification,
        sensitive: false,
        levels: levels.iter().map(|level| Level { id: (*level).into(), label: Label::same(*level) }).collect(),
        nodes: nodes
            .into_iter()
            .map(|(code, parent, level)| Node { label: Label::same(&code), code, parent, level, official: None, area: None })
            .collect(),
        groupings: Vec::new(),
    }
}

/// A flat dimension.
pub fn flat(id: &str, codes: &[String]) -> Dimension {
    let nodes = codes.iter().map(|code| (code.clone(), Some(0), 1));
    dimension(id, &["total", id], [("T".into(), None, 0)].into_iter().chain(nodes).collect())
}

/// A table of persons.
pub fn table(id: &str, axes: &[(&str, &str)], unit: Unit) -> Table {
    Table {
        id: id.into(),
        label: Label::same(id),
        description: Label::same(""),
        subject: Label::same(""),
        unit,
        contents: Contents { code: "persons".into(), label: Label::same(""), unit: Label::same("") },
        axes: axes.iter().map(|(dimension, level)| TableAxis { dimension: (*dimension).into(), level: (*level).into() }).collect(),
        notes: Vec::new(),
    }
}

/// Every cell that is a sum, with the cells that it is the sum of, axis by axis.
pub fn sums(shape: &Shape) -> Vec<(u64, Vec<u64>)> {
    let mut sums = Vec::new();
    for (axis, stride) in shape.axes.iter().zip(&shape.strides) {
        for cell in 0..shape.cells {
            let position = (cell / stride % axis.nodes.len() as u64) as u32;
            let parts: Vec<u64> = (0..axis.nodes.len() as u64)
                .filter(|&part| axis.parents[part as usize] == Some(position))
                .map(|part| cell + (part - u64::from(position)) * stride)
                .collect();
            if !parts.is_empty() {
                sums.push((cell, parts));
            }
        }
    }
    sums
}

/// Reads a table that other tools were measured on: `l1,l2,l3,<variables>,freq`.
pub fn read(path: &Path) -> Result<Owned> {
    let fail = |error: &dyn std::fmt::Display| Error::Input(format!("{}: {error}", path.display()));
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|error| fail(&error))?;
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).map_err(|error| fail(&error))?;
    let mut lines = text.lines();
    let heads: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let variables: Vec<&str> = heads[3..heads.len() - 1].to_vec();
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    let mut regions = vec![("T".to_owned(), None, 0u8)];
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let mut codes: Vec<Vec<String>> = vec![Vec::new(); variables.len()];
    let mut orders: Vec<BTreeMap<String, usize>> = vec![BTreeMap::new(); variables.len()];
    for row in &rows {
        let mut parent = 0;
        for (level, code) in row.iter().enumerate().take(3) {
            let next = regions.len() as u32;
            parent = *seen.entry(format!("{level}:{code}")).or_insert_with(|| {
                regions.push(((*code).to_owned(), Some(parent), level as u8 + 1));
                next
            });
        }
        for (at, codes) in codes.iter_mut().enumerate() {
            let code = row[3 + at];
            if !orders[at].contains_key(code) {
                orders[at].insert(code.to_owned(), codes.len());
                codes.push(code.to_owned());
            }
        }
    }
    let mut dimensions = vec![dimension("region", &["country", "l1", "l2", "l3"], regions)];
    dimensions.extend(variables.iter().zip(&codes).map(|(variable, codes)| flat(variable, codes)));
    let mut axes = vec![("region", "l3")];
    axes.extend(variables.iter().map(|variable| (*variable, *variable)));
    // Rows come region by region with the last variable fastest, which is the order of the leaves.
    let mut leaves = Vec::with_capacity(rows.len());
    for row in &rows {
        leaves.push(row[heads.len() - 1].parse::<u32>().map_err(|error| fail(&error))?);
    }
    let tables = vec![table("table", &axes, Unit::Person)];
    Owned::new(dimensions, tables, &[], vec![leaves])
}
