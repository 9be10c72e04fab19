//! Reading `charts.toml`: what the charts of a register are drawn from.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::definitions::{DefinitionError, Parsed, Text};

/// What the charts of a register are drawn from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charts {
    /// Population pyramids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pyramid: Option<PyramidParts>,
    /// Maps of tiles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tiles: Option<Tiles>,
}

/// What a population pyramid is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PyramidParts {
    /// Identifier of the dimension that goes upwards.
    pub ages: String,
    /// Identifier of the dimension with two sides.
    pub sides: String,
    /// Codes of the left side and the right.
    pub codes: [String; 2],
    /// Code of the ages that are marked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<String>,
}

/// Where the tiles of a map lie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tiles {
    /// Identifier of the dimension whose nodes have tiles.
    pub dimension: String,
    /// The tiles, row by row.
    pub tiles: Vec<Tile>,
}

/// One tile of a map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tile {
    /// Code of the node.
    pub code: String,
    /// Column, from the west.
    pub column: u16,
    /// Row, from the north.
    pub row: u16,
    /// A name that fits.
    pub name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChartsFile {
    pyramid: Option<PyramidFile>,
    tiles: Option<TilesFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PyramidFile {
    ages: Spanned<String>,
    sides: SidesFile,
    band: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SidesFile {
    dimension: Spanned<String>,
    codes: Spanned<[String; 2]>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TilesFile {
    dimension: Spanned<String>,
    grid: Spanned<String>,
    #[serde(default)]
    names: BTreeMap<String, String>,
}

/// Parses what charts are drawn from.
pub(super) fn read(text: &Text<'_>, parsed: &[Parsed]) -> Result<Charts, DefinitionError> {
    let file: ChartsFile = text.parse()?;
    let pyramid = file.pyramid.map(|pyramid| self::pyramid(text, parsed, &pyramid)).transpose()?;
    let tiles = file.tiles.map(|tiles| self::tiles(text, parsed, &tiles)).transpose()?;
    Ok(Charts { pyramid, tiles })
}

fn dimension<'p>(text: &Text<'_>, parsed: &'p [Parsed], id: &Spanned<String>) -> Result<&'p Parsed, DefinitionError> {
    match parsed.iter().find(|parsed| parsed.dimension.id == *id.get_ref()) {
        Some(found) => Ok(found),
        None => text.fault(id.span().start, format!("there is no dimension '{}'", id.get_ref())),
    }
}

fn pyramid(text: &Text<'_>, parsed: &[Parsed], file: &PyramidFile) -> Result<PyramidParts, DefinitionError> {
    let (ages, sides) = (dimension(text, parsed, &file.ages)?, dimension(text, parsed, &file.sides.dimension)?);
    let codes = file.sides.codes.get_ref();
    if let Some(code) = codes.iter().find(|code| sides.position(code).is_none()) {
        return text.fault(file.sides.codes.span().start, format!("dimension '{}' has no node '{code}'", sides.dimension.id));
    }
    if codes[0] == codes[1] {
        return text.fault(file.sides.codes.span().start, "expected two different sides");
    }
    if let Some(band) = &file.band
        && ages.position(band.get_ref()).is_none()
    {
        return text.fault(band.span().start, format!("dimension '{}' has no node '{}'", ages.dimension.id, band.get_ref()));
    }
    Ok(PyramidParts {
        ages: ages.dimension.id.clone(),
        sides: sides.dimension.id.clone(),
        codes: codes.clone(),
        band: file.band.as_ref().map(|band| band.get_ref().clone()),
    })
}

/// Codes are not held against the reference of regions, which may be that of a part of the country.
fn tiles(text: &Text<'_>, parsed: &[Parsed], file: &TilesFile) -> Result<Tiles, DefinitionError> {
    let dimension = dimension(text, parsed, &file.dimension)?.dimension.id.clone();
    let at = file.grid.span().start;
    let (mut tiles, mut seen) = (Vec::new(), BTreeSet::new());
    let lines = file.grid.get_ref().lines().filter(|line| !line.trim().is_empty());
    for (row, line) in (0..).zip(lines) {
        for (column, code) in (0..).zip(line.split_whitespace()) {
            if code == "." {
                continue;
            }
            if !seen.insert(code) {
                return text.fault(at, format!("'{code}' stands in the grid twice"));
            }
            let name = file.names.get(code).map_or(code, String::as_str).to_owned();
            tiles.push(Tile { code: code.to_owned(), column, row, name });
        }
    }
    if tiles.is_empty() || tiles.len() > 1000 {
        return text.fault(at, "expected a grid of 1 to 1000 codes, with '.' where there is none");
    }
    if let Some(code) = file.names.keys().find(|code| !seen.contains(code.as_str())) {
        return text.fault(at, format!("'{code}' has a name but no place in the grid"));
    }
    Ok(Tiles { dimension, tiles })
}
