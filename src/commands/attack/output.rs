//! The folder of results: it appears as a whole, or not at all.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use super::assumptions;

/// A folder of results in the making. What is not finished is removed.
pub struct Output {
    folder: PathBuf,
    partial: PathBuf,
}

impl Drop for Output {
    fn drop(&mut self) {
        // Once it is finished there is nothing to remove, and otherwise nobody to tell.
        let _ = fs::remove_dir_all(&self.partial);
    }
}

impl Output {
    /// Begins a folder of results, in the place of one that an earlier attack left or of none.
    pub fn begin(folder: &Path) -> Result<Self> {
        if folder.exists() && results(folder).is_err() {
            bail!("{} is there already and holds something else than an attack; name another folder with --out", folder.display());
        }
        let Some(name) = folder.file_name() else {
            bail!("{} is no name for a folder of results; name one with --out", folder.display());
        };
        let mut partial: OsString = name.to_owned();
        partial.push(".partial");
        let output = Self { folder: folder.to_owned(), partial: folder.with_file_name(partial) };
        // What a process that was killed has left.
        if output.partial.exists() {
            fs::remove_dir_all(&output.partial).with_context(|| format!("removing {}", output.partial.display()))?;
        }
        fs::create_dir_all(&output.partial).with_context(|| format!("making {}", output.partial.display()))?;
        Ok(output)
    }

    /// Makes a folder in it.
    pub fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.partial.join(name);
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        Ok(folder)
    }

    /// Gives it its name.
    pub fn finish(self) -> Result<()> {
        let failed = || format!("replacing {}", self.folder.display());
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder).with_context(failed)?;
        }
        fs::rename(&self.partial, &self.folder).with_context(failed)
    }
}

/// The folders of results of single periods or groups of revisions, below a folder and sorted; refused where anything else is there.
pub fn results(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    gather(folder, Path::new(""), 2, &mut found)?;
    found.sort();
    Ok(found)
}

/// The folders of results to be checked: those below a folder, or the folder itself if it holds those of one period or group of revisions.
pub fn to_check(folder: &Path) -> Result<Vec<PathBuf>> {
    let shown = folder.display();
    if folder.join(assumptions::FILE).is_file() {
        return Ok(vec![folder.to_owned()]);
    }
    if !folder.exists() {
        bail!("there is no folder '{shown}'; 'cacah attack RELEASES --out {shown}' writes one, which --check then checks");
    }
    let what = match folder.is_dir() {
        true => match results(folder) {
            Ok(found) if found.is_empty() => format!("'{shown}' is empty"),
            Ok(found) => return Ok(found.iter().map(|below| folder.join(below)).collect()),
            Err(error) => format!("{error:#}"),
        },
        false => format!("'{shown}' is a file"),
    };
    // What may have been meant: a folder in it, or the one around a file.
    let mut others: Vec<PathBuf> = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    others.sort();
    others.extend(folder.parent().filter(|_| !folder.is_dir()).map(Path::to_owned));
    let holds_results = |other: &&PathBuf| {
        other.is_dir() && (other.join(assumptions::FILE).is_file() || results(other).is_ok_and(|found| !found.is_empty()))
    };
    match others.iter().find(holds_results) {
        Some(other) => bail!("{what}; name '{}', which holds results of an attack", other.display()),
        None => bail!("{what}; name the folder that 'cacah attack' wrote (--out), or that of one period in it"),
    }
}

fn gather(folder: &Path, below: &Path, depth: u32, found: &mut Vec<PathBuf>) -> Result<()> {
    let here = folder.join(below);
    for entry in fs::read_dir(&here).with_context(|| format!("reading {}", here.display()))? {
        let below = below.join(entry?.file_name());
        let path = folder.join(&below);
        if path.join(assumptions::FILE).is_file() {
            found.push(below);
        } else if path.is_dir() && depth > 1 {
            gather(folder, &below, depth - 1, found)?;
        } else {
            bail!("{} is no result of an attack", path.display());
        }
    }
    Ok(())
}
