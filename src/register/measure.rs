//! Measures: numbers worked out from published counts and served beside them, such as shares and ratios.
//!
//! A measure is told by definitions and kept in the release, complete with everything that it takes to work it out, so that
//! a release means the same numbers for ever.

use serde::{Deserialize, Serialize};

use super::{Label, Unit};

/// A number that is worked out from published counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measure {
    /// Code beside that of the count, such as `sex-ratio`.
    pub code: String,
    /// Name of the measure.
    pub label: Label,
    /// Name of its unit.
    pub unit: Label,
    /// How it is worked out, in a sentence.
    pub method: Label,
    /// Decimal places that are shown.
    pub decimals: u8,
    /// Tables of which units have it; `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Unit>,
    /// How it is worked out.
    #[serde(flatten)]
    pub kind: MeasureKind,
}

/// How a measure is worked out from counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum MeasureKind {
    /// Per hundred of the count at the node above in a dimension.
    Share {
        /// Identifier of the dimension.
        dimension: String,
    },
    /// Per hundred of the row: of the count at the totals of all dimensions in the heading.
    ShareOfRow,
    /// Per hundred of the column: of the count at the totals of all dimensions in the stub.
    ShareOfColumn,
    /// The count less that of the period before.
    Change,
    /// The change per hundred of the count of the period before.
    Growth,
    /// Counts of some nodes of a dimension per so many of others, where the dimension is at its total.
    Ratio {
        /// Identifier of the dimension.
        dimension: String,
        /// Codes of the nodes that are counted.
        of: Vec<String>,
        /// Codes of the nodes that they are counted against.
        to: Vec<String>,
        /// Per how many.
        per: u32,
    },
    /// The value that half of those counted do not exceed, interpolated within a band, where the dimension is at its total.
    Median {
        /// Identifier of the dimension.
        dimension: String,
        /// The bands, ascending, without gaps.
        bands: Vec<Band>,
    },
    /// The count per square kilometre of the area of the place.
    Density {
        /// Identifier of the dimension of places.
        dimension: String,
    },
}

/// A node that stands for a range of values, such as ages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Band {
    /// Code of the node.
    pub code: String,
    /// Smallest value.
    pub from: u32,
    /// First value beyond; `None` for the last band, which is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u32>,
}

impl MeasureKind {
    /// The dimension that a table must have, if any.
    pub fn dimension(&self) -> Option<&str> {
        match self {
            Self::Share { dimension } | Self::Ratio { dimension, .. } | Self::Median { dimension, .. } | Self::Density { dimension } => {
                Some(dimension)
            }
            Self::ShareOfRow | Self::ShareOfColumn | Self::Change | Self::Growth => None,
        }
    }

    /// Codes of the nodes of that dimension that must be on the table's axis.
    pub fn nodes(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        match self {
            Self::Ratio { of, to, .. } => Box::new(of.iter().chain(to).map(String::as_str)),
            Self::Median { bands, .. } => Box::new(bands.iter().map(|band| band.code.as_str())),
            _ => Box::new(std::iter::empty()),
        }
    }
}
