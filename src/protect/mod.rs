//! Counts become statuses and certificates.
//!
//! ```text
//! counts -> primaries -> per region, from the smallest up: worlds for every primary -> statuses, worlds, certificates
//! ```
//!
//! All tables of all units are protected together, see [`frame`] and [`links`]. The work goes region by region, see [`family`]: the
//! families of one level share no cell, so threads work on them side by side and the result does not depend on how
//! many there are. What a family cannot protect within itself is left to the one above it.

mod certify;
mod family;
mod frame;
mod links;
mod plan;
mod prices;
mod records;
mod revisions;
mod search;
mod settings;
mod trials;

use std::sync::Mutex;

pub use settings::{Settings, Trials, Weights};

use crate::{
    error::{Error, Result},
    register::Status,
    worlds::{Census, Certificate, Change, Counted, Earlier, GroupCertificate, Proof, TRUE_WORLD, UnawareCertificate},
};
use certify::{Scratch, Show, Work};
use family::{Family, GROUP, HIGH, IMPOSSIBLE, LOCKED, LOW, PRIMARY, SUPPRESSED, UNAWARE, rows};
use frame::{Frame, Kind};
use revisions::{Demand, Open, Proven, Revisions, Way};

/// A protected release.
#[derive(Debug)]
pub struct Protected {
    /// Statuses of all cells, table by table.
    pub statuses: Vec<Vec<Status>>,
    /// Which suppressed cells are primary; the release must not tell them from the others.
    pub primary: Vec<Vec<bool>>,
    /// Worlds and certificates.
    pub proof: Proof,
    /// Primaries, by table and cell, that cannot be protected beside what is published already. Only a correction can have any.
    pub unprotected: Vec<(u16, u32)>,
}

/// Worlds and certificates that one family leaves.
#[derive(Debug, Default)]
struct Piece {
    /// Leaf changes of each world: position in the frame's tables, row, inner offset, change.
    worlds: Vec<Vec<(u16, u32, u32, i32)>>,
    /// Position in the frame's tables, row, inner offset, what is shown, world.
    credits: Vec<(u16, u32, u32, Show, u32)>,
}

/// Protects all tables of a release.
///
/// # Errors
/// More tables than can be protected together, or settings out of bounds.
pub fn protect(census: &Census<'_>, settings: &Settings, earlier: &[Earlier<'_>]) -> Result<Protected> {
    if settings.rule.threshold < 1 || settings.rule.threshold > 1_000_000 {
        return Err(Error::Input(format!("threshold {} is not between 1 and 1000000", settings.rule.threshold)));
    }
    settings.weights.check()?;
    let revisions = Revisions::new(census, earlier)?;
    let mut frame = Frame::new(census, settings)?;
    revisions.lock(&mut frame, census)?;
    for _ in 0..MOST_REPAIRS {
        let (mut protected, open_ends) = protect_all(census, &frame, settings)?;
        revisions.adopt(&frame, census, &settings.rule, open_ends, &mut protected);
        let proof = &protected.proof;
        let is_proven = |table: u16, cell: u32, demand: Option<&Demand>| {
            let (table, cell) = frame.owner(table, cell);
            proof.certificate(table, cell).is_some() && demand.is_none_or(|demand| frame.meets(table, cell, demand))
        };
        let is_proven_group = |group: &GroupCertificate| {
            let mut groups = proof.groups.iter();
            groups.any(|own| (own.table, own.cell, own.axis) == (group.table, group.cell, group.axis))
        };
        let is_proven_unaware = |table: u16, cell: u32| {
            let (table, cell) = frame.owner(table, cell);
            proof.unaware.binary_search_by_key(&(table, cell), |own| (own.table, own.cell)).is_ok()
        };
        let proven = Proven { primary: &is_proven, group: &is_proven_group, unaware: &is_proven_unaware };
        let open = revisions.unproven(&frame, census, &protected.statuses, &settings.rule, &proven);
        let mut is_new = false;
        for Open { table, cell, demand } in &open {
            is_new |= demand.is_some_and(|demand| frame.demand(*table, *cell, demand));
        }
        if !is_new {
            protected.unprotected.extend(open.into_iter().map(|Open { table, cell, .. }| (table, cell)));
            protected.unprotected.sort_unstable();
            protected.unprotected.dedup();
            return Ok(protected);
        }
    }
    Err(Error::Internal("earlier revisions ask for more again and again".into()))
}

/// How often a correction is protected anew because earlier revisions ask for more.
const MOST_REPAIRS: usize = 20;

/// Protects as far as it goes; also tells primaries of which an end is not shown open and nothing else is missing.
fn protect_all(census: &Census<'_>, frame: &Frame<'_>, settings: &Settings) -> Result<(Protected, Vec<(u16, u32)>)> {
    let mut open_ends = Vec::new();
    let mut protected = Protected {
        statuses: census.tables.iter().map(|counted| vec![Status::Published; counted.counts.len()]).collect(),
        primary: census.tables.iter().map(|counted| vec![false; counted.counts.len()]).collect(),
        proof: Proof::default(),
        unprotected: Vec::new(),
    };
    let tables: Vec<&Counted<'_>> = census.changeable().collect();
    let mut marks = primaries(&tables, frame, settings);
    // [low, high] world of each primary, by table and cell in the frame's layout.
    let mut ends: Vec<rustc_hash::FxHashMap<u32, [u32; 2]>> = frame.tables.iter().map(|_| Default::default()).collect();
    let tree = frame.spine_tree();
    for level in (0..frame.finest).rev() {
        let tops: Vec<u32> = (0..tree.parent.len() as u32)
            // An only child's cells are its parent's: no change can leave one alone and not the other.
            .filter(|&node| tree.level[node as usize] == level && tree.children[node as usize].len() > 1)
            .collect();
        for piece in run_families(frame, &tops, false, &mut marks, settings) {
            collect(frame, piece, &mut ends, &mut protected.proof);
        }
    }
    for piece in run_families(frame, &[0], true, &mut marks, settings) {
        collect(frame, piece, &mut ends, &mut protected.proof);
    }
    for (table, layout) in frame.tables.iter().enumerate().filter(|(_, layout)| layout.kind == Kind::Published) {
        for (at, &mark) in marks[table].iter().enumerate() {
            let (row, inner) = (at / layout.inner, at % layout.inner);
            let cell = layout.cell(row, inner);
            let status = if mark & IMPOSSIBLE != 0 {
                Status::Impossible
            } else if mark & SUPPRESSED != 0 {
                Status::Suppressed
            } else {
                Status::Published
            };
            protected.statuses[layout.input][cell as usize] = status;
            protected.primary[layout.input][cell as usize] = mark & PRIMARY != 0;
            if mark & PRIMARY == 0 || !layout.owns(row, inner) {
                continue;
            }
            if mark & (LOW | HIGH) != LOW | HIGH || mark & (GROUP | UNAWARE) != 0 {
                if frame.ways == [Way::default()] {
                    return Err(Error::Internal(format!("no alternative world for cell {cell} of table {}", layout.input)));
                }
                let left = if mark & (GROUP | UNAWARE) == 0 { &mut open_ends } else { &mut protected.unprotected };
                left.push((layout.input as u16, cell));
                continue;
            }
            let at = at as u32;
            if !settings.rule.is_small(layout.counts[at as usize])
                && layout.few.binary_search(&at).is_err()
                && !layout.demands.contains_key(&at)
            {
                continue;
            }
            let [low, high] = ends[table].get(&at).copied().unwrap_or([TRUE_WORLD; 2]);
            protected.proof.certificates.push(Certificate { table: layout.input as u16, cell, low, high });
        }
    }
    protected.proof.certificates.sort_unstable();
    // Several for a cell may stay: a world that nobody names would have to be possible to those who know, too.
    protected.proof.unaware.sort_unstable();
    protected.proof.groups.sort_unstable();
    protected.proof.groups.dedup_by_key(|group| (group.table, group.cell, group.axis));
    Ok((protected, open_ends))
}

/// Marks structural zeros and primaries, and the ends of their range that the true counts show already.
fn primaries(tables: &[&Counted<'_>], frame: &Frame<'_>, settings: &Settings) -> Vec<Vec<u8>> {
    let rule = &settings.rule;
    let goals = |table: usize, at: usize, count: u32| {
        let (least, most) = frame.goals(table, at, count, rule);
        let unaware = if frame.is_floored(table, at, count, rule) { UNAWARE } else { 0 };
        SUPPRESSED | PRIMARY | unaware | if count <= least { LOW } else { 0 } | if count >= most { HIGH } else { 0 }
    };
    let marks_of = |(table, layout): (usize, &frame::Layout<'_>)| {
        if layout.kind == Kind::Link {
            return vec![SUPPRESSED | LOCKED; layout.counts.len()];
        }
        let counted = tables[layout.input];
        let mark = |(at, &count): (usize, &u32)| if rule.is_small(count) { goals(table, at, count) } else { 0 };
        let mut marks: Vec<u8> = layout.counts.iter().enumerate().map(mark).collect();
        for &at in &layout.few {
            let count = layout.counts[at as usize];
            if count >= rule.threshold {
                marks[at as usize] = goals(table, at as usize, count);
            }
        }
        for (&at, demand) in &layout.demands {
            let own = if marks[at as usize] & PRIMARY == 0 { LOW | HIGH } else { marks[at as usize] & (LOW | HIGH) };
            let ends = if demand.down == 0 { LOW } else { 0 } | if demand.up == 0 { HIGH } else { 0 };
            marks[at as usize] = marks[at as usize] & !(LOW | HIGH) | SUPPRESSED | PRIMARY | own & ends;
        }
        if layout.kind == Kind::Joint {
            for (at, mark) in marks.iter_mut().enumerate() {
                if layout.is_hidden(at / layout.inner, at % layout.inner) {
                    *mark = SUPPRESSED | LOCKED;
                }
            }
        }
        if !counted.zeros.is_empty() {
            for (at, mark) in marks.iter_mut().enumerate() {
                let cell = layout.cell(at / layout.inner, at % layout.inner);
                if counted.zeros.covers(&counted.shape.coordinates(u64::from(cell))) {
                    *mark = IMPOSSIBLE;
                }
            }
        }
        for at in 0..marks.len() {
            let in_one = |&dimension: &usize| frame.group(table, at, &layout.counts, &marks, dimension).is_some();
            if marks[at] & IMPOSSIBLE == 0 && frame.sensitive.iter().any(in_one) {
                // Its range is no secret unless it is small: only that the group may have other members.
                let ends = if marks[at] & PRIMARY != 0 { 0 } else { LOW | HIGH };
                marks[at] |= SUPPRESSED | PRIMARY | GROUP | ends;
            }
        }
        marks
    };
    let mut marks: Vec<Vec<u8>> = frame.tables.iter().enumerate().map(marks_of).collect();
    // What joint tables share with published ones is marked as there.
    for (table, layout) in frame.tables.iter().enumerate().filter(|(_, layout)| layout.kind == Kind::Joint) {
        for at in 0..layout.counts.len() {
            if !layout.is_hidden(at / layout.inner, at % layout.inner)
                && let Some((other, index)) = frame.published_cell(table, at)
            {
                marks[table][at] = marks[other][index];
            }
        }
    }
    marks
}

/// Works on families that share no cell, on several threads; the pieces come in the order of the families.
fn run_families(frame: &Frame<'_>, tops: &[u32], open: bool, marks: &mut [Vec<u8>], settings: &Settings) -> Vec<Piece> {
    let mut cut: Vec<Vec<&mut [u8]>> = tops.iter().map(|_| Vec::with_capacity(frame.tables.len())).collect();
    for (table, marks) in marks.iter_mut().enumerate() {
        let inner = frame.tables[table].inner;
        let mut rest: &mut [u8] = marks;
        let mut done = 0;
        for (slices, &top) in cut.iter_mut().zip(tops) {
            let range = rows(frame, table, top, open);
            let (_, after) = std::mem::take(&mut rest).split_at_mut(range.start * inner - done);
            let (slice, after) = after.split_at_mut(range.len() * inner);
            slices.push(slice);
            rest = after;
            done = range.end * inner;
        }
    }
    let families: Vec<Family<'_>> = tops.iter().zip(cut).map(|(&top, marks)| Family::new(frame, top, open, marks)).collect();
    let queue = Mutex::new(families.into_iter().enumerate());
    let done = Mutex::new(Vec::with_capacity(tops.len()));
    let work = || {
        let mut scratch = Scratch::default();
        // A poisoned lock means that another thread panicked; the scope passes that on.
        while let Some((at, family)) = queue.lock().ok().and_then(|mut queue| queue.next()) {
            let piece = run_family(family, settings, &mut scratch);
            if let Ok(mut done) = done.lock() {
                done.push((at, piece));
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..settings.threads.clamp(1, tops.len().max(1)) {
            scope.spawn(work);
        }
        work();
    });
    let mut pieces = done.into_inner().unwrap_or_default();
    pieces.sort_by_key(|(at, _)| *at);
    pieces.into_iter().map(|(_, piece)| piece).collect()
}

fn run_family(mut family: Family<'_>, settings: &Settings, scratch: &mut Scratch) -> Piece {
    let mut work = Work::new(&mut family, settings, scratch);
    work.run();
    let settled = work.settled();
    let (worlds, credits, users) = (work.worlds, work.credits, work.users);
    let mut piece = Piece::default();
    for (world, credits) in worlds.into_iter().zip(credits) {
        if !world.alive {
            continue;
        }
        let number = piece.worlds.len() as u32;
        for (cell, show) in credits {
            let place = family.place(cell);
            piece.credits.push((place.table as u16, place.row as u32, place.inner as u32, show, number));
        }
        let changes = world.changes.iter().filter_map(|&(cell, delta)| {
            let place = family.place(cell);
            let layout = &family.frame.tables[place.table];
            if layout.kind == Kind::Link {
                return None;
            }
            let leaf = layout.inner_leaf[place.inner] && family.frame.spine_tree().is_leaf(layout.spine_nodes[place.row], layout.cut);
            leaf.then_some((place.table as u16, place.row as u32, place.inner as u32, delta))
        });
        piece.worlds.push(changes.collect());
    }
    for number in users.into_keys() {
        family.set(number, LOCKED);
    }
    for number in settled {
        family.clear(number, GROUP | UNAWARE);
    }
    piece
}

/// Numbers the worlds of a piece on.
fn collect(frame: &Frame<'_>, piece: Piece, ends: &mut [rustc_hash::FxHashMap<u32, [u32; 2]>], proof: &mut Proof) {
    let first = proof.worlds.len() as u32;
    for changes in piece.worlds {
        proof.worlds.push(changes.into_iter().map(|(table, row, inner, delta)| {
            let layout = &frame.tables[table as usize];
            Change { table: layout.input as u16, cell: layout.cell(row as usize, inner as usize), delta }
        }));
    }
    for (table, row, inner, show, world) in piece.credits {
        let layout = &frame.tables[table as usize];
        let high = match show {
            Show::Low => false,
            Show::High => true,
            Show::Unaware => {
                let cell = layout.cell(row as usize, inner as usize);
                proof.unaware.push(UnawareCertificate { table: layout.input as u16, cell, world: first + world });
                continue;
            }
            Show::Group(dimension) => {
                if let Some(axis) = layout.table_axes[dimension as usize] {
                    let cell = layout.cell(row as usize, inner as usize);
                    proof.groups.push(GroupCertificate { table: layout.input as u16, cell, axis: axis as u16, world: first + world });
                }
                continue;
            }
        };
        let at = row * layout.inner as u32 + inner;
        let entry = ends[table as usize].entry(at).or_insert([TRUE_WORLD; 2]);
        let end = &mut entry[usize::from(high)];
        // The first world found is kept; any will do.
        if *end == TRUE_WORLD {
            *end = first + world;
        }
    }
}
