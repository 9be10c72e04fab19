//! The confidential store: cubes, reject lists and quality of each period.
//!
//! ```text
//! <period>/build.json            which build counts; replaced in one step
//! <period>/<build>/cubes/<table>.parquet         leaf counts of all counted tables: published, joint, and of members
//!                  contributors/<table>.parquet  cells of published tables of people that come from few households
//!                  definitions.json, quality.json, quality.txt, rejects.csv, duplicates.csv
//! <period>/proofs/                       see the module `proof`
//! ```

use std::{collections::BTreeMap, fmt::Write, sync::Arc};

use arrow::{
    array::AsArray,
    datatypes::{DataType, Field, Int32Type, Schema, UInt32Type},
};
use bytes::Bytes;
use parquet::{
    arrow::{ArrowSchemaConverter, ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder},
    basic::{Compression, ZstdLevel},
    file::properties::{EnabledStatistics, WriterProperties},
};
use serde::{Deserialize, Serialize};

use super::{
    Built,
    columns::NumberedColumn,
    contributors::{FewHouseholds, read_contributors, write_contributors},
    proof::PROOFS,
    quality::Quality,
};
use crate::{
    engine::Counts,
    error::{Error, Result},
    parallel,
    register::{Definitions, Dimension, Origin, Period, Shape, Table, Unit},
    spreadsheet::field,
    storage::{FileDigest, Store},
};

/// What a build left behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildManifest {
    /// Version of this layout.
    pub format: u32,
    /// The period counted.
    pub period: Period,
    /// Folder of the build below its period.
    pub build: String,
    /// SHA-256 of the definitions.
    pub definitions: String,
    /// Records read.
    pub read: u64,
    /// Records counted.
    pub accepted: u64,
    /// Files of the build.
    pub files: BTreeMap<String, FileDigest>,
}

const FORMAT: u32 = 1;
/// Rows that are turned into columns at a time.
const ROWS: usize = 64 * 1024;
/// What a file may take beside its columns, roughly.
const FOOTER: usize = 16 * 1024;

/// The confidential side's files.
#[derive(Debug, Clone)]
pub struct Confidential {
    store: Store,
}

impl Confidential {
    /// The confidential store in this place.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Keeps a finished build. Until the last step the period's earlier build stays in force.
    pub async fn save(
        &self,
        definitions: &Definitions,
        origin: &Origin,
        period: Period,
        built: &Built,
        quality: &Quality,
    ) -> Result<BuildManifest> {
        let internal = |error: serde_json::Error| Error::Internal(error.to_string());
        let cubes = definitions.counted_tables().zip(&built.cubes).chain(definitions.members.iter().zip(&built.members));
        let of_people = definitions.tables.iter().filter(|table| table.unit == Unit::Person);
        let cubes = cubes.map(|(table, cube)| Kept::Cube(table, cube));
        let contributors = of_people.zip(&built.contributors).map(|(table, few)| Kept::Contributors(table, few));
        let mut contents = parallel::each(cubes.chain(contributors), |kept| {
            let (path, content) = match kept {
                Kept::Cube(table, cube) => (cube_file(table), write_cube(definitions, table, cube)?),
                Kept::Contributors(table, few) => (contributors_file(table), write_contributors(few)?),
            };
            Ok((path, FileDigest::of(&content), content))
        })?;
        let mut add = |path: &str, content: Bytes| contents.push((path.to_owned(), FileDigest::of(&content), content));
        add("definitions.json", serde_json::to_vec(origin).map_err(internal)?.into());
        add("quality.json", serde_json::to_vec_pretty(quality).map_err(internal)?.into());
        add("quality.txt", quality.page().into());
        add("duplicates.csv", duplicates(built).into());
        let mut files: BTreeMap<String, FileDigest> = contents.iter().map(|(path, digest, _)| (path.clone(), digest.clone())).collect();
        let digest = FileDigest::of(&serde_json::to_vec(&files).map_err(internal)?).sha256;
        let build = digest[..16].to_owned();
        // The list of rejects may be as long as the snapshot, so it goes from disk to store without passing through memory.
        let rejects = tempfile::NamedTempFile::new().map_err(|error| Error::storage("writing the list of rejects", error))?;
        built.rejects.write(&mut std::io::BufWriter::new(rejects.as_file()))?;
        let bytes = rejects.as_file().metadata().map_err(|error| Error::storage("writing the list of rejects", error))?.len();
        files.insert("rejects.csv".into(), FileDigest { bytes, sha256: String::new() });

        let folder = format!("{period}/{build}");
        // The list of rejects is written last: a folder that has it is whole, and the same build gives the same files.
        let in_force = self.store.stat(&format!("{folder}/rejects.csv")).await?.is_some();
        let written = if in_force { Ok(()) } else { self.write_files(&folder, contents, rejects.path()).await };
        if let Err(error) = written {
            // What a full disk leaves of this build must not fill the disk further; the first error is the one to tell.
            let _ = self.store.remove_folder(&folder).await;
            return Err(error);
        }
        let manifest = BuildManifest {
            format: FORMAT,
            period,
            build,
            definitions: definitions.digest.clone(),
            read: built.read,
            accepted: built.accepted,
            files,
        };
        let text = serde_json::to_vec_pretty(&manifest).map_err(internal)?;
        self.store.write(&format!("{period}/build.json"), text).await?;
        let proven: Vec<String> = self.proofs(period).await?.into_values().map(|proof| proof.build.build).collect();
        for old in self.store.folders(&period.to_string()).await? {
            if old != manifest.build && old != PROOFS && !proven.contains(&old) {
                self.store.remove_folder(&format!("{period}/{old}")).await?;
            }
        }
        Ok(manifest)
    }

    async fn write_files(&self, folder: &str, contents: Vec<(String, FileDigest, Bytes)>, rejects: &std::path::Path) -> Result<()> {
        for (path, _, content) in contents {
            self.store.write(&format!("{folder}/{path}"), content).await?;
        }
        self.store.upload(&format!("{folder}/rejects.csv"), rejects).await
    }

    /// The build in force for a period, and the definitions that it was made with.
    pub async fn load(&self, period: Period) -> Result<(BuildManifest, Definitions)> {
        let path = format!("{period}/build.json");
        let text =
            self.store.read(&path).await?.ok_or_else(|| {
                Error::NotFound(format!("{}: {period} has not been counted yet; run `cacah build` for it first", self.store))
            })?;
        let damaged = |path: &str, error: &dyn std::fmt::Display| {
            Error::Input(format!("{}/{path}: damaged ({error}); run `cacah build` again", self.store))
        };
        let manifest: BuildManifest = serde_json::from_slice(&text).map_err(|error| damaged(&path, &error))?;
        if manifest.format != FORMAT {
            return Err(damaged(&path, &format!("layout {} instead of {FORMAT}", manifest.format)));
        }
        let definitions = self.definitions(&manifest).await?;
        Ok((manifest, definitions))
    }

    /// The definitions that a build was made with.
    pub async fn definitions(&self, manifest: &BuildManifest) -> Result<Definitions> {
        let path = self.path(manifest, "definitions.json");
        let text = self.read(manifest, "definitions.json").await?;
        let origin: Origin = serde_json::from_slice(&text)
            .map_err(|error| Error::Input(format!("{}/{path}: damaged ({error}); run `cacah build` again", self.store)))?;
        Ok(origin.parse()?)
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    fn path(&self, manifest: &BuildManifest, file: &str) -> String {
        format!("{}/{}/{file}", manifest.period, manifest.build)
    }

    /// A file of a build, checked against its digest.
    pub async fn read(&self, manifest: &BuildManifest, file: &str) -> Result<Bytes> {
        let path = self.path(manifest, file);
        if !manifest.files.contains_key(file) {
            return Err(Error::Input(format!(
                "{}/{path}: {} was counted by an earlier version, which did not count this; run `cacah build` again",
                self.store, manifest.period
            )));
        }
        let content = self.store.read(&path).await?;
        match (content, manifest.files.get(file)) {
            (Some(content), Some(digest)) if digest.sha256.is_empty() || FileDigest::of(&content) == *digest => Ok(content),
            (Some(_), _) => Err(Error::Input(format!("{}/{path}: not what the build wrote; run `cacah build` again", self.store))),
            (None, _) => Err(Error::Input(format!("{}/{path}: missing; run `cacah build` again", self.store))),
        }
    }

    /// The leaf counts of a table, published or not.
    pub async fn cube(&self, manifest: &BuildManifest, definitions: &Definitions, table: &Table) -> Result<Vec<u32>> {
        let file = cube_file(table);
        read_cube(definitions, table, self.read(manifest, &file).await?).map_err(|error| self.damaged(manifest, &file, &error))
    }

    /// The cells of a published table, marginals included, whose households are fewer than [`crate::register::MOST_CONTRIBUTORS`] and fewer
    /// than their people: number of the cell, ascending, and of households. There are none in a table of households, and none where the
    /// register knows no households: nothing is known there of who belongs together.
    ///
    /// # Errors
    /// If the file is missing or damaged, or an earlier version did not count contributors.
    pub async fn contributors(&self, manifest: &BuildManifest, definitions: &Definitions, table: &Table) -> Result<FewHouseholds> {
        if table.unit == Unit::Household || definitions.household.is_none() {
            return Ok(FewHouseholds::new());
        }
        let file = contributors_file(table);
        read_contributors(self.read(manifest, &file).await?, definitions.shape(table).cells)
            .map_err(|error| self.damaged(manifest, &file, &error))
    }

    fn damaged(&self, manifest: &BuildManifest, file: &str, error: &Error) -> Error {
        Error::Input(format!("{}/{}: {error}; run `cacah build` again", self.store, self.path(manifest, file)))
    }
}

/// What a build keeps of a table.
enum Kept<'a> {
    Cube(&'a Table, &'a Counts),
    Contributors(&'a Table, &'a FewHouseholds),
}

fn cube_file(table: &Table) -> String {
    format!("cubes/{}.parquet", table.id)
}

fn contributors_file(table: &Table) -> String {
    format!("contributors/{}.parquet", table.id)
}

fn duplicates(built: &Built) -> String {
    let mut text = String::from("file,line,first_file,first_line\n");
    let name = |at: usize| field(built.files.get(at).map_or("", String::as_str), ',');
    for (record, first) in &built.duplicates {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{},{},{},{}", name(record.file()), record.line(), name(first.file()), first.line());
    }
    text
}

fn dimensions_of<'a>(definitions: &'a Definitions, table: &Table) -> Vec<&'a Dimension> {
    table.axes.iter().filter_map(|axis| definitions.dimension(&axis.dimension)).map(|(_, dimension)| dimension).collect()
}

/// Writes the leaf cells that are not empty: one column of codes for each axis, and the count.
fn write_cube(definitions: &Definitions, table: &Table, cube: &Counts) -> Result<Bytes> {
    let shape = definitions.shape(table);
    let dimensions = dimensions_of(definitions, table);
    let text = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let mut fields: Vec<Field> = dimensions.iter().map(|dimension| Field::new(&dimension.id, text.clone(), false)).collect();
    fields.push(Field::new("count", DataType::UInt32, false));
    let fields = Arc::new(Schema::new(fields));
    let schema = ArrowSchemaConverter::new().convert(&fields)?;
    let level = ZstdLevel::try_new(1)?;
    let mut columns: Vec<NumberedColumn> = Vec::with_capacity(dimensions.len());
    for (axis, dimension) in shape.axes.iter().zip(&dimensions) {
        let codes = axis.leaves.iter().map(|&leaf| dimension.nodes[axis.nodes[leaf as usize] as usize].code.as_str());
        columns.push(NumberedColumn::of_texts(schema.column(columns.len()), codes, level)?);
    }
    let values = cube.values();
    let mut counts = NumberedColumn::of_values(schema.column(columns.len()), &values, level)?;
    let divisors: Vec<Divisor> = shape.axes.iter().map(|axis| Divisor::new(axis.leaves.len() as u32)).collect();
    let (mut cells, mut numbers) = (Vec::with_capacity(ROWS), Vec::with_capacity(ROWS));
    let mut push = |cells: &mut Vec<u32>, numbers: &mut Vec<u32>| -> Result<()> {
        counts.push(numbers)?;
        // The last axis varies fastest.
        for (divisor, column) in divisors.iter().zip(&mut columns).rev() {
            numbers.clear();
            numbers.extend(cells.iter_mut().map(|cell| {
                let whole = divisor.divide(*cell);
                std::mem::replace(cell, whole) - whole * divisor.by
            }));
            column.push(numbers)?;
        }
        cells.clear();
        numbers.clear();
        Ok(())
    };
    cube.filled().try_for_each(|(cell, count)| {
        cells.push(cell);
        // Every count up to the first gap stands at its own place.
        let own = count.wrapping_sub(1);
        let number = if values.get(own as usize) == Some(&count) { own } else { values.partition_point(|&value| value < count) as u32 };
        numbers.push(number);
        if cells.len() == ROWS { push(&mut cells, &mut numbers) } else { Ok(()) }
    })?;
    if !cells.is_empty() {
        push(&mut cells, &mut numbers)?;
    }
    columns.push(counts);

    // Cubes are read as a whole, so that nobody looks for a page or for the least and the greatest count in it.
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        .build();
    let bytes: u64 = columns.iter().map(NumberedColumn::bytes).sum();
    let whole = Vec::with_capacity(bytes as usize + FOOTER);
    let (mut file, _) = ArrowWriter::try_new(whole, fields, Some(properties))?.into_serialized_writer()?;
    if !values.is_empty() {
        let mut group = file.next_row_group()?;
        columns.into_iter().try_for_each(|column| column.finish(&mut group))?;
        group.close()?;
    }
    Ok(file.into_inner()?.into())
}

/// Division of any number by one that stays, as a multiplication (Lemire, Kaser and Kurz, "Faster remainder by direct computation",
/// Software: Practice and Experience 49, 2019): the processor divides ten times as slowly.
struct Divisor {
    by: u32,
    /// 2^64 divided by it, rounded up; 0 stands for 2^64 itself.
    factor: u64,
}

impl Divisor {
    fn new(by: u32) -> Self {
        Self { by, factor: (u64::MAX / u64::from(by.max(1))).wrapping_add(1) }
    }

    fn divide(&self, number: u32) -> u32 {
        if self.factor == 0 { number } else { ((u128::from(self.factor) * u128::from(number)) >> 64) as u32 }
    }
}

/// Reads leaf cells back into a dense array.
pub fn read_cube(definitions: &Definitions, table: &Table, content: Bytes) -> Result<Vec<u32>> {
    let shape: Shape = definitions.shape(table);
    let dimensions = dimensions_of(definitions, table);
    let damaged = |what: &str| Error::Input(format!("not a cube of table {}: {what}", table.id));
    let mut cube = vec![0; shape.leaf_cells as usize];
    for batch in ParquetRecordBatchReaderBuilder::try_new(content)?.with_batch_size(ROWS).build()? {
        let batch = batch?;
        if batch.num_columns() != dimensions.len() + 1 {
            return Err(damaged("other columns"));
        }
        let mut cells = vec![0u64; batch.num_rows()];
        for (at, (axis, dimension)) in shape.axes.iter().zip(&dimensions).enumerate() {
            let leaf_of: std::collections::HashMap<&str, u64> = axis
                .leaves
                .iter()
                .zip(0..)
                .map(|(&leaf, at)| (dimension.nodes[axis.nodes[leaf as usize] as usize].code.as_str(), at))
                .collect();
            let column = batch.column(at).as_dictionary_opt::<Int32Type>().ok_or_else(|| damaged("codes of another type"))?;
            let values = column.values().as_string_opt::<i32>().ok_or_else(|| damaged("codes of another type"))?;
            let leaves: Vec<Option<u64>> = values.iter().map(|code| code.and_then(|code| leaf_of.get(code).copied())).collect();
            for (cell, key) in cells.iter_mut().zip(column.keys()) {
                let leaf = key.and_then(|key| *leaves.get(key as usize)?).ok_or_else(|| damaged("a code that is not defined"))?;
                *cell += leaf * shape.leaf_strides[at];
            }
        }
        let counts = batch.column(dimensions.len()).as_primitive_opt::<UInt32Type>().ok_or_else(|| damaged("counts of another type"))?;
        for (cell, &count) in cells.iter().zip(counts.values()) {
            cube[*cell as usize] = count;
        }
    }
    Ok(cube)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divisions_are_exact() {
        for by in [1, 2, 3, 7, 69, 106, 1242, 83_762, 1 << 31, u32::MAX - 1, u32::MAX] {
            let divisor = Divisor::new(by);
            let near = |number: u32| [number.wrapping_sub(1), number, number.wrapping_add(1)];
            for number in [0, 1, by, by.wrapping_mul(2), by.wrapping_mul(46), u32::MAX / by * by, u32::MAX].into_iter().flat_map(near) {
                assert_eq!(divisor.divide(number), number / by, "{number} / {by}");
            }
        }
    }
}
