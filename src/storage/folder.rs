//! Reading a local folder of text files, such as a set of definitions.

use std::{collections::BTreeMap, fs, path::Path};

use crate::error::{Error, Result};

/// Largest text file that is read; a national region reference has 4 MB.
const LARGEST: u64 = 64 << 20;

/// All `.toml`, `.csv` and `.sql` files below a folder: path with forward slashes to content.
pub fn read_folder(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    gather(folder, "", &mut files)?;
    Ok(files)
}

fn gather(folder: &Path, prefix: &str, files: &mut BTreeMap<String, String>) -> Result<()> {
    let shown = folder.display().to_string();
    for entry in fs::read_dir(folder).map_err(|error| Error::storage(&shown, error))? {
        let path = entry.map_err(|error| Error::storage(&shown, error))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|name| !name.starts_with('.')) else { continue };
        let key = format!("{prefix}{name}");
        if path.is_dir() {
            gather(&path, &format!("{key}/"), files)?;
        } else if [".toml", ".csv", ".sql"].iter().any(|ending| name.ends_with(ending)) {
            files.insert(key, read_text(&path)?);
        }
    }
    Ok(())
}

/// A local text file of moderate size.
pub fn read_text(path: &Path) -> Result<String> {
    let shown = path.display().to_string();
    let size = fs::metadata(path).map_err(|error| Error::storage(&shown, error))?.len();
    if size > LARGEST {
        return Err(Error::Input(format!("{shown}: {size} bytes; expected a text file of at most {} MiB", LARGEST >> 20)));
    }
    let bytes = fs::read(path).map_err(|error| Error::storage(&shown, error))?;
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        Error::Input(format!("{shown}:{line}: not UTF-8; save the file as UTF-8"))
    })
}
