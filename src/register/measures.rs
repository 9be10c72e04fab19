//! Reading `measures.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::{
    Band, Measure, MeasureKind, Role, Source, Table, Unit,
    definitions::{DefinitionError, Parsed, Text},
    nodes::first_repeated,
};

/// Most decimal places; more would be noise, and fixed-point numbers have room for them.
const MOST_DECIMALS: u8 = 6;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MeasuresFile {
    #[serde(default)]
    measure: Vec<MeasureFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MeasureFile {
    code: Spanned<String>,
    label: Spanned<BTreeMap<String, String>>,
    unit: Spanned<BTreeMap<String, String>>,
    method: Spanned<BTreeMap<String, String>>,
    #[serde(default)]
    decimals: u8,
    counts: Option<Unit>,
    kind: Kind,
    dimension: Option<Spanned<String>>,
    #[serde(default)]
    of: Vec<Spanned<String>>,
    #[serde(default)]
    to: Vec<Spanned<String>>,
    per: Option<u32>,
    level: Option<Spanned<String>>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Share,
    ShareOfRow,
    ShareOfColumn,
    Change,
    Growth,
    Ratio,
    Median,
    Density,
}

/// Parses the measures of a register.
pub(super) fn read(text: &Text<'_>, parsed: &[Parsed], tables: &[Table]) -> Result<Vec<Measure>, DefinitionError> {
    let file: MeasuresFile = text.parse()?;
    let mut measures: Vec<Measure> = Vec::with_capacity(file.measure.len());
    for measure in file.measure {
        let (at, code) = (measure.code.span().start, measure.code.get_ref());
        if code.is_empty() || !code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
            return text.fault(at, format!("'{code}' is no code of a measure; expected letters, digits, '-' and '_'"));
        }
        if tables.iter().any(|table| table.contents.code.eq_ignore_ascii_case(code)) {
            return text.fault(at, format!("'{code}' is the code of a table's count already"));
        }
        if measure.decimals > MOST_DECIMALS {
            return text.fault(at, format!("expected at most {MOST_DECIMALS} decimals"));
        }
        measures.push(Measure {
            code: code.clone(),
            label: text.label(&measure.label)?,
            unit: text.label(&measure.unit)?,
            method: text.label(&measure.method)?,
            decimals: measure.decimals,
            counts: measure.counts,
            kind: kind(text, parsed, &measure)?,
        });
    }
    if let Some(code) = first_repeated(measures.iter().map(|measure| measure.code.as_str())) {
        return text.fault(0, format!("measure '{code}' is named twice"));
    }
    Ok(measures)
}

fn kind(text: &Text<'_>, parsed: &[Parsed], file: &MeasureFile) -> Result<MeasureKind, DefinitionError> {
    let at = file.code.span().start;
    let dimension = match &file.dimension {
        None => None,
        Some(id) => match parsed.iter().find(|parsed| parsed.dimension.id == *id.get_ref()) {
            Some(found) => Some(found),
            None => return text.fault(id.span().start, format!("there is no dimension '{}'", id.get_ref())),
        },
    };
    let needed = || match dimension {
        Some(found) => Ok(found),
        None => text.fault(at, "expected a dimension"),
    };
    let kind = match file.kind {
        Kind::Share => MeasureKind::Share { dimension: needed()?.dimension.id.clone() },
        Kind::ShareOfRow => MeasureKind::ShareOfRow,
        Kind::ShareOfColumn => MeasureKind::ShareOfColumn,
        Kind::Change => MeasureKind::Change,
        Kind::Growth => MeasureKind::Growth,
        Kind::Ratio => {
            let found = needed()?;
            for codes in [&file.of, &file.to] {
                found.disjoint(text, codes)?;
                if codes.is_empty() {
                    return text.fault(at, "expected nodes in 'of' and in 'to'");
                }
            }
            let codes = |codes: &[Spanned<String>]| codes.iter().map(|code| code.get_ref().clone()).collect();
            let per = file.per.unwrap_or(100);
            if per == 0 || per > 1_000_000 {
                return text.fault(at, "expected 'per' between 1 and 1000000");
            }
            MeasureKind::Ratio { dimension: found.dimension.id.clone(), of: codes(&file.of), to: codes(&file.to), per }
        }
        Kind::Median => {
            let found = needed()?;
            let level = file.level.as_ref().and_then(|id| found.dimension.level(id.get_ref()));
            let (Some(level), Source::Age { leaves, .. }) = (level, &found.source) else {
                return text.fault(at, "expected the level of a dimension of ages");
            };
            MeasureKind::Median { dimension: found.dimension.id.clone(), bands: bands(found, level, leaves) }
        }
        Kind::Density => {
            let found = needed()?;
            if found.dimension.role != Role::Geo {
                return text.fault(at, "expected the dimension of regions");
            }
            MeasureKind::Density { dimension: found.dimension.id.clone() }
        }
    };
    let superfluous = [
        ("dimension", file.dimension.is_some() && kind.dimension().is_none()),
        ("of", !file.of.is_empty() && !matches!(kind, MeasureKind::Ratio { .. })),
        ("to", !file.to.is_empty() && !matches!(kind, MeasureKind::Ratio { .. })),
        ("per", file.per.is_some() && !matches!(kind, MeasureKind::Ratio { .. })),
        ("level", file.level.is_some() && !matches!(kind, MeasureKind::Median { .. })),
    ];
    match superfluous.into_iter().find(|(_, is)| *is) {
        Some((name, _)) => text.fault(at, format!("a measure of this kind has no '{name}'")),
        None => Ok(kind),
    }
}

/// The nodes at the end of a level with the values that they stand for. `leaves` gives each value's base leaf.
fn bands(found: &Parsed, level: u8, leaves: &[u32]) -> Vec<Band> {
    let axis = found.dimension.axis(level);
    let mut bands: Vec<Band> = axis
        .leaves
        .iter()
        .map(|&leaf| {
            let bases = &axis.bases[leaf as usize];
            let code = found.dimension.nodes[axis.nodes[leaf as usize] as usize].code.clone();
            let from = leaves.iter().position(|base| bases.contains(base)).unwrap_or(0) as u32;
            Band { code, from, to: None }
        })
        .collect();
    bands.sort_by_key(|band| band.from);
    for at in 1..bands.len() {
        bands[at - 1].to = Some(bands[at].from);
    }
    bands
}
