//! The definitions that ship inside the program.

use include_dir::{Dir, include_dir};

use super::Sources;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/queries");

/// The shipped set of definition files.
pub fn shipped() -> Sources {
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
