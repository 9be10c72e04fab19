//! What is counted: periods, dimensions, hierarchies, tables, cell numbering.
//!
//! Everything here is pure: no files, no clock, no threads. Nothing here knows which country it counts; that is in the
//! [`Definitions`], parsed from text files that ship with the program or come from the operator:
//!
//! ```text
//! register.toml            names, languages, frequency, identity and household keys
//! dimensions/age.toml      one dimension each: levels, where its values come from, groupings
//! dimensions/age.csv       its nodes
//! tables/population.toml   one table each
//! structural-zeros.toml    combinations that cannot occur
//! links.toml               what tables of people and of households tell of each other
//! measures.toml            shares, ratios and the like, worked out from published counts
//! charts.toml              sides and ages of pyramids, tiles of maps
//! ```

mod charts;
mod definitions;
mod dimension;
mod dimensions;
mod label;
mod links;
mod measure;
mod measures;
mod nodes;
mod notes;
mod origin;
mod period;
mod shared;
mod shipped;
mod source;
mod status;
mod table;

pub use charts::{Charts, PyramidParts, Tile, Tiles};
pub use definitions::{Contact, DefinitionError, Definitions, FileSources, Household, Key, Language, MOST_CONTRIBUTORS, Sources};
pub use dimension::{Axis, Dimension, Group, Grouping, Level, Node, Role};
pub use label::Label;
pub use links::{HeadPair, Links, MOST_JOINT_CELLS, Members, MembersLink, joint_tables, member_tables};
pub use measure::{Band, Measure, MeasureKind};
pub use nodes::vintage_name;
pub use origin::Origin;
pub use period::{Frequency, NotAPeriod, Period, age_on};
pub use shared::{CoveringTable, SharedCells};
pub use shipped::{definitions_alone, shipped, shipped_queries};
pub use source::{Coding, DateFormat, DateKey, DateOrder, RegionPart, Source, coarser_ages, normalise};
pub use status::Status;
pub use table::{Contents, Note, Shape, ShapeError, StructuralZero, Table, TableAxis, Unit, ZeroMask, ZeroSide};
