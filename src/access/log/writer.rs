//! The one that writes: records are numbered, chained and flushed in the order in which they come.

use std::{
    borrow::Cow,
    fs::{self, File, OpenOptions},
    io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use arrow::{
    array::{ArrayRef, RecordBatch, StringBuilder, UInt64Array},
    datatypes::{DataType, Field, Schema},
};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    file::properties::{EnabledStatistics, WriterProperties},
};
use ring::hmac;
use serde::Deserialize;
use tokio::{sync::mpsc, time::Instant};

use super::{
    Waiting,
    files::{CHAIN, DONE, HEAD, LINE, LogFile, OPEN, files, head, hex, line, path},
};
use crate::error::{Error, Result};

/// Bytes of a file before another is begun.
const FULL: u64 = 64 << 20;
/// How long a record waits at most for those that are coming.
const PATIENCE: Duration = Duration::from_millis(1);
/// Records that are written at once, at most.
const AT_ONCE: usize = 1024;

/// The chain of a record, from what it goes over and the chain before.
pub fn chained(key: &hmac::Key, before: &[u8; CHAIN], signed: &[u8]) -> [u8; CHAIN] {
    let mut context = hmac::Context::with_key(key);
    context.update(before);
    context.update(signed);
    let mut chain = [0; CHAIN];
    chain.copy_from_slice(context.sign().as_ref());
    chain
}

/// A log and its end.
pub struct Writer {
    folder: PathBuf,
    key: hmac::Key,
    file: File,
    first: u64,
    /// Bytes of the file that are sound.
    bytes: u64,
    /// Number of the last record, and its chain.
    number: u64,
    chain: [u8; CHAIN],
    head: File,
    full: u64,
    /// The file before, while it is compressed: nobody waits for that.
    compressing: Option<JoinHandle<()>>,
    /// Keeps others from writing.
    _lock: File,
}

/// Takes the log of a folder for oneself, until what is given back is dropped.
fn locked(folder: &Path) -> Result<File> {
    let path = folder.join("lock");
    let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let lock = opened.map_err(|error| Error::storage(format!("opening {}", path.display()), error))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(_) => Err(Error::Conflict(format!("{}: another process writes this log; stop it, or name another database", folder.display()))),
    }
}

/// Makes sure that nobody writes the log of a folder, if there is one.
pub fn free(folder: &Path) -> Result<()> {
    if folder.exists() { locked(folder).map(drop) } else { Ok(()) }
}

impl Writer {
    pub fn open(folder: &Path, key: hmac::Key) -> Result<Self> {
        Self::with_size(folder, key, FULL)
    }

    pub fn with_size(folder: &Path, key: hmac::Key, full: u64) -> Result<Self> {
        let failed = |error: std::io::Error| Error::storage(format!("opening the log in {}", folder.display()), error);
        fs::create_dir_all(folder).map_err(failed)?;
        let lock = locked(folder)?;
        let all = files(folder)?;
        let (number, chain) = super::verify::end_before_last(&all)?;
        let last = all.last().filter(|file| !file.done);
        let first = last.map_or(number + 1, |file| file.first);
        let name = path(folder, first, OPEN);
        let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&name).map_err(failed)?;
        let told = head(folder);
        let head = OpenOptions::new().create(true).truncate(false).write(true).open(folder.join(HEAD)).map_err(failed)?;
        let (number, chain, bytes) = sound(&file, &name, &key, number, chain)?;
        // What was being written when the process was killed was answered to nobody.
        file.set_len(bytes).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        let writer = Self { folder: folder.to_owned(), key, file, first, bytes, number, chain, head, full, compressing: None, _lock: lock };
        if let Some((told, chain)) = told
            && (told > writer.number || (told == writer.number && chain != writer.chain))
        {
            return Err(Error::Input(format!(
                "{}: the log ends at record {}, but had come to record {told}; records were taken away. Restore it from a copy",
                folder.display(),
                writer.number
            )));
        }
        // An interrupted compression is done again, or its remains are taken away.
        for file in all.iter().filter(|file| file.first != first) {
            if !file.done {
                compress(file)?;
            } else if let Err(error) = fs::remove_file(file.path.with_extension(OPEN))
                && error.kind() != io::ErrorKind::NotFound
            {
                return Err(failed(error));
            }
        }
        Ok(writer)
    }

    /// Writes until nobody can send any more. Whatever waits is written and flushed together, away from the threads that answer; all of it
    /// is let go from one of them, because waking them one by one from elsewhere costs more than the writing.
    pub async fn run(mut self, mut waiting: mpsc::Receiver<Waiting>, coming: Arc<AtomicUsize>) {
        let mut batch = Vec::new();
        let mut text = Vec::new();
        while waiting.recv_many(&mut batch, AT_ONCE).await > 0 {
            gather(&mut waiting, &mut batch, &coming).await;
            let written = tokio::task::spawn_blocking(move || {
                let outcome = self.keep(&batch, &mut text);
                (self, batch, text, outcome)
            });
            let outcome;
            // Without its state nothing can be written any more: whoever waits is told that the writer has ended.
            let Ok(back) = written.await else { return };
            (self, batch, text, outcome) = back;
            for one in batch.drain(..) {
                // Whoever does not wait any more has gone; his record stays.
                let _ = one.done.send(outcome.clone());
            }
        }
        self.compressed();
    }

    /// Writes what waits, and begins another file where this one is full.
    fn keep(&mut self, batch: &[Waiting], text: &mut Vec<u8>) -> std::result::Result<(), Arc<str>> {
        text.clear();
        self.write(batch, text).map_err(|error| {
            tracing::error!(%error, "the log of accesses cannot be written; nothing is answered");
            Arc::from(error.to_string())
        })?;
        if self.bytes >= self.full
            && let Err(error) = self.turn()
        {
            tracing::error!(%error, "another file of the log cannot be begun; the present one is written on");
        }
        Ok(())
    }

    /// Waits until the file before is compressed.
    fn compressed(&mut self) {
        if let Some(under_way) = self.compressing.take()
            && under_way.join().is_err()
        {
            tracing::error!("compressing a file of the log panicked; it stays as it is");
        }
    }

    /// Writes records and flushes them to disk, all or none.
    fn write(&mut self, batch: &[Waiting], text: &mut Vec<u8>) -> std::io::Result<()> {
        let (mut number, mut chain) = (self.number, self.chain);
        for one in batch {
            number += 1;
            let begin = text.len();
            write!(text, "{number}\t")?;
            text.extend_from_slice(&one.text);
            chain = chained(&self.key, &chain, &text[begin..]);
            text.push(b'\t');
            text.extend_from_slice(&hex(&chain));
            text.push(b'\n');
        }
        let written = self.file.write_all(text).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // What was written of them is taken back, so that the file stays sound.
            self.file.set_len(self.bytes)?;
            self.file.seek(SeekFrom::Start(self.bytes))?;
            return Err(error);
        }
        self.bytes += text.len() as u64;
        (self.number, self.chain) = (number, chain);
        self.head.seek(SeekFrom::Start(0))?;
        let head = [format!("{number:020} ").as_bytes(), &hex(&chain), b"\n"].concat();
        self.head.write_all(&head)
    }

    /// Begins another file and compresses the one before.
    fn turn(&mut self) -> Result<()> {
        let failed = |error: std::io::Error| Error::storage(format!("beginning a file of the log in {}", self.folder.display()), error);
        let before = LogFile { first: self.first, done: false, path: path(&self.folder, self.first, OPEN) };
        let first = self.number + 1;
        let file = OpenOptions::new().create_new(true).read(true).write(true).open(path(&self.folder, first, OPEN)).map_err(failed)?;
        (self.file, self.first, self.bytes) = (file, first, 0);
        self.compressed();
        self.compressing = Some(std::thread::spawn(move || {
            if let Err(error) = compress(&before) {
                tracing::error!(%error, "a file of the log stays uncompressed");
            }
        }));
        Ok(())
    }
}

/// Takes the records of those who are coming, unless they are late: a flush costs the same for one record and for a thousand, and so it
/// is the rarer the more there is to do. Whoever is alone waits for nobody.
async fn gather(waiting: &mut mpsc::Receiver<Waiting>, batch: &mut Vec<Waiting>, coming: &AtomicUsize) {
    let late = Instant::now() + PATIENCE;
    // Requests that have arrived but were not read yet are coming too. Half of them is enough: the others go on while these are flushed.
    tokio::task::yield_now().await;
    while batch.len() < AT_ONCE.min(coming.load(Ordering::Relaxed).div_ceil(2)) {
        let room = AT_ONCE - batch.len();
        match tokio::time::timeout_at(late, waiting.recv_many(batch, room)).await {
            Ok(1..) => {}
            Ok(0) | Err(_) => return,
        }
    }
}

/// The end of the sound part of a file: number and chain of its last record, and bytes. A last line that was not finished is no part of it.
fn sound(file: &File, name: &Path, key: &hmac::Key, mut number: u64, mut chain: [u8; CHAIN]) -> Result<(u64, [u8; CHAIN], u64)> {
    let mut reader = BufReader::new(file);
    let mut bytes = 0;
    let mut text = Vec::new();
    loop {
        text.clear();
        let read = reader.read_until(b'\n', &mut text).map_err(|error| Error::storage(format!("reading {}", name.display()), error))?;
        if text.pop() != Some(b'\n') {
            return Ok((number, chain, bytes));
        }
        let expected = line(&text).filter(|line| line.number == number + 1 && line.chain == chained(key, &chain, line.signed));
        let Some(found) = expected else {
            return Err(Error::Input(format!(
                "{}: the record behind number {number} is not what was written; 'cacah log verify' says more. Restore the log from a copy",
                name.display()
            )));
        };
        (number, chain) = (found.number, found.chain);
        bytes += read as u64;
    }
}

/// What the files are searched by.
#[derive(Deserialize)]
struct Columns<'a> {
    #[serde(borrow)]
    at: Cow<'a, str>,
    #[serde(borrow)]
    user: Cow<'a, str>,
    #[serde(borrow)]
    surface: Cow<'a, str>,
}

/// Puts a file of Parquet in the place of one of lines: the same records with their chain, and columns to search by. It goes piece by
/// piece, because requests are being answered on the same cores and out of the same memory.
fn compress(file: &LogFile) -> Result<()> {
    /// Records of a piece.
    const PIECE: usize = 2048;
    let failed = |error: &dyn std::fmt::Display| Error::storage(format!("compressing {}", file.path.display()), error);
    let mut reader = BufReader::new(File::open(&file.path).map_err(|error| failed(&error))?);
    let texts = ["at", "user", "surface", LINE].map(|name| Field::new(name, DataType::Utf8, false));
    let schema = Arc::new(Schema::new([vec![Field::new("number", DataType::UInt64, false)], texts.to_vec()].concat()));
    let settings = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        // No line is like another, and nobody looks for one by its first bytes.
        .set_column_dictionary_enabled(LINE.into(), false)
        .set_column_statistics_enabled(LINE.into(), EnabledStatistics::None)
        .build();
    let done = file.path.with_extension(DONE);
    let half = file.path.with_extension("half");
    let mut writer = ArrowWriter::try_new(File::create(&half).map_err(|error| failed(&error))?, Arc::clone(&schema), Some(settings))?;
    let mut text = String::new();
    loop {
        let mut numbers = Vec::with_capacity(PIECE);
        let [mut at, mut users, mut surfaces, mut lines]: [StringBuilder; 4] = Default::default();
        while numbers.len() < PIECE {
            text.clear();
            if reader.read_line(&mut text).map_err(|error| failed(&error))? == 0 {
                break;
            }
            let text = text.trim_end_matches('\n');
            let found = line(text.as_bytes()).ok_or_else(|| failed(&"a line that is none"))?;
            let columns: Columns<'_> = serde_json::from_slice(found.record).map_err(|error| failed(&error))?;
            numbers.push(found.number);
            at.append_value(columns.at);
            users.append_value(columns.user);
            surfaces.append_value(columns.surface);
            lines.append_value(text);
        }
        if numbers.is_empty() {
            break;
        }
        let texts = [at, users, surfaces, lines].map(|mut column| Arc::new(column.finish()) as ArrayRef);
        let columns = std::iter::once(Arc::new(UInt64Array::from(numbers)) as ArrayRef).chain(texts).collect();
        writer.write(&RecordBatch::try_new(Arc::clone(&schema), columns)?)?;
    }
    writer.into_inner()?.sync_all().map_err(|error| failed(&error))?;
    fs::rename(&half, &done).and_then(|()| fs::remove_file(&file.path)).map_err(|error| failed(&error))
}
