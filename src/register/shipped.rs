//! The definitions and queries that ship inside the program.

use include_dir::{Dir, include_dir};

use super::Sources;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/queries");

/// The part of a set that says what is asked of releases, not what is counted.
const QUERIES: &str = "sql/";

/// The shipped set of definition files.
pub fn shipped() -> Sources {
    definitions_alone(everything())
}

/// The shipped named queries, by the names of their files.
pub fn shipped_queries() -> Sources {
    everything().into_iter().filter_map(|(path, text)| Some((path.strip_prefix(QUERIES)?.to_owned(), text))).collect()
}

/// A set without its named queries: they change nothing that is counted, and so they are no part of what counts are made from.
pub fn definitions_alone(mut sources: Sources) -> Sources {
    sources.retain(|path, _| !path.starts_with(QUERIES));
    sources
}

fn everything() -> Sources {
    let mut sources = Sources::new();
    gather(&FILES, &mut sources);
    sources
}

fn gather(folder: &Dir<'_>, sources: &mut Sources) {
    for file in folder.files() {
        if let Some(text) = file.contents_utf8() {
            sources.insert(file.path().to_string_lossy().replace('\\', "/"), text.to_owned());
        }
    }
    for below in folder.dirs() {
        gather(below, sources);
    }
}
