//! What each command does, and what it tells the person at the terminal.

mod audit;
mod build;
mod demo;
mod explain;
mod protection;
mod release;
mod sample;
pub mod say;
mod serve;
mod weights;

use std::{path::Path, time::Duration};

use anyhow::Result;
use cacah::{
    register::{Definitions, Origin, definitions_alone, shipped},
    storage::{read_folder, read_text},
};

use build::build_with;
use release::{Protecting, release_with};

pub use audit::audit;
pub use build::build;
pub use demo::demo;
pub use release::{release, releases};
pub use sample::sample;
pub use serve::serve;

use crate::cli::DefinitionArgs;

/// Definitions, and the texts they were read from.
pub struct LoadedDefinitions {
    pub definitions: Definitions,
    pub origin: Origin,
}

/// Reads the definitions that the arguments name; `vintage` names their regions, if they shall not do so themselves.
pub fn load_definitions(args: &DefinitionArgs, vintage: Option<String>) -> Result<LoadedDefinitions> {
    let sources = match &args.definitions {
        Some(folder) => definitions_alone(read_folder(folder)?),
        None => shipped(),
    };
    let regions = match &args.regions {
        Some(path) => Some((path.display().to_string(), read_text(path)?)),
        None => None,
    };
    let origin = Origin { sources, regions, vintage };
    let definitions = origin.parse().map_err(|mut error| {
        // The set names its files from its own folder; people look for them from theirs.
        if let Some(folder) = args.definitions.as_deref().filter(|_| origin.sources.contains_key(&error.file)) {
            error.file = Path::new(folder).join(&error.file).display().to_string();
        }
        error
    })?;
    Ok(LoadedDefinitions { definitions, origin })
}

/// A duration for people.
pub fn seconds(duration: Duration) -> String {
    match duration.as_secs_f64() {
        seconds if seconds < 120.0 => format!("{seconds:.1} s"),
        seconds => format!("{:.0} min {:02.0} s", (seconds / 60.0).floor(), seconds % 60.0),
    }
}
