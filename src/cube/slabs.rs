//! Entries by partition in files of a store, for workers that share nothing else.
//!
//! A slab is what one worker noted: the entries of all partitions one behind the other, as they lie in memory (little-endian).

use std::{fs::File, io::Write, ops::Range, path::Path};

use bytemuck::Pod;
use futures::{StreamExt, TryStreamExt};

use crate::{
    error::{Error, Result},
    storage::{PARTITIONS, Store},
};

/// Slabs that are read at a time.
const AT_ONCE: usize = 8;

/// Writes a slab to the scratch folder and then to its place. `entries` takes those of a partition out; gives back how many bytes lie
/// before each partition and in all.
pub async fn write<T: Pod>(store: &Store, path: &str, scratch: &Path, entries: impl Fn(usize) -> Result<Vec<Vec<T>>>) -> Result<Vec<u64>> {
    let failed = |error: std::io::Error| Error::storage("spilling to the scratch folder (--scratch DIR names another)", error);
    let file = tempfile::NamedTempFile::new_in(scratch).map_err(failed)?;
    let mut out: &File = file.as_file();
    let mut offsets = vec![0];
    let mut end = 0;
    for partition in 0..PARTITIONS {
        for entries in entries(partition)? {
            let bytes: &[u8] = bytemuck::cast_slice(&entries);
            out.write_all(bytes).map_err(failed)?;
            end += bytes.len() as u64;
        }
        offsets.push(end);
    }
    store.upload(path, file.path()).await?;
    Ok(offsets)
}

/// The slabs of some workers.
#[derive(Debug, Clone)]
pub struct Slabs {
    store: Store,
    /// Path of each, and how many bytes lie before each partition and in all.
    slabs: Vec<(String, Vec<u64>)>,
}

impl Slabs {
    /// Slabs as they were written.
    pub fn new(store: Store, slabs: Vec<(String, Vec<u64>)>) -> Self {
        Self { store, slabs }
    }

    /// The entries of one partition, of each slab that has any.
    pub async fn read<T: Pod + Send>(&self, partition: usize) -> Result<Vec<Vec<T>>> {
        let mut filled = Vec::new();
        for (path, offsets) in &self.slabs {
            let (Some(&from), Some(&to)) = (offsets.get(partition), offsets.get(partition + 1)) else {
                return Err(Error::Internal(format!("{path} is no slab")));
            };
            if from < to {
                filled.push(read_range(self.store.clone(), path.clone(), from..to));
            }
        }
        futures::stream::iter(filled).buffered(AT_ONCE).try_collect().await
    }
}

async fn read_range<T: Pod>(store: Store, path: String, range: Range<u64>) -> Result<Vec<T>> {
    let bytes = store.read_ranges(&path, &[range]).await?.pop().unwrap_or_default();
    if bytes.len() % size_of::<T>().max(1) != 0 {
        return Err(Error::Internal(format!("{path} is cut off")));
    }
    Ok(bytemuck::pod_collect_to_vec(&bytes))
}
