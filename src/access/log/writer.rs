//! The one that writes: records are numbered, chained and flushed in the order in which they come.

use std::{
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

use ring::hmac;
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use super::{
    LogKeys, Waiting,
    checkpoint::sync_folder_of,
    checkpointer::Checkpointer,
    compress::compress,
    files::{CHAIN, HEAD, Head, LogFile, OPEN, files, head, hex, line, path},
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
    keys: LogKeys,
    file: File,
    first: u64,
    /// Bytes of the file that are sound.
    bytes: u64,
    /// Number of the last record, and its chain.
    number: u64,
    chain: [u8; CHAIN],
    head: File,
    full: u64,
    checkpointer: Option<Checkpointer>,
    /// Whether there was a log before, of which nothing is there any more.
    pub begins_anew: bool,
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
    /// Goes on with a log, or begins one. `is_sealed` says that its head was sealed before, and so must be.
    pub fn open(folder: &Path, keys: LogKeys, is_sealed: bool, checkpointer: Option<Checkpointer>) -> Result<Self> {
        Self::with_size(folder, keys, is_sealed, checkpointer, FULL)
    }

    pub fn with_size(folder: &Path, keys: LogKeys, is_sealed: bool, checkpointer: Option<Checkpointer>, full: u64) -> Result<Self> {
        let failed = |error: std::io::Error| Error::storage(format!("opening the log in {}", folder.display()), error);
        fs::create_dir_all(folder).map_err(failed)?;
        let lock = locked(folder)?;
        let all = files(folder)?;
        let (number, chain) = super::verify::end_before_last(&all)?;
        let last = all.last().filter(|file| !file.done);
        let first = last.map_or(number + 1, |file| file.first);
        let name = path(folder, first, OPEN);
        let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&name).map_err(failed)?;
        let (number, chain, bytes) = sound(&file, &name, &keys.chain, number, chain)?;
        let told = head(folder)?;
        // Whoever puts a damaged log aside goes on with another one; that this was done is kept among the changes.
        let begins_anew = is_sealed && all.is_empty() && matches!(told, Head::Missing);
        told.check(folder, &keys.head, is_sealed && !begins_anew, number, &|told| (told == number).then_some(chain))?;
        // What was being written when the process was killed was answered to nobody.
        file.set_len(bytes).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        let head = OpenOptions::new().create(true).truncate(false).write(true).open(folder.join(HEAD)).map_err(failed)?;
        let mut writer = Self {
            folder: folder.to_owned(),
            keys,
            file,
            first,
            bytes,
            number,
            chain,
            head,
            full,
            checkpointer,
            begins_anew,
            compressing: None,
            _lock: lock,
        };
        // From here on it is written over in place, and so never missing.
        writer.write_head().and_then(|()| writer.head.sync_all()).and_then(|()| sync_folder_of(&folder.join(HEAD))).map_err(failed)?;
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

    /// Compares the end of the log with its checkpoints, and makes another one, if there are to be any.
    ///
    /// # Errors
    /// Where the log does not come as far as was signed.
    pub fn begin_checkpoints(&mut self) -> Result<()> {
        self.checkpointer.as_mut().map_or(Ok(()), |checkpointer| checkpointer.begin(self.number, &self.chain))
    }

    /// Writes until nobody can send any more. Whatever waits is written and flushed together, away from the threads that answer; all of it
    /// is let go from one of them, because waking them one by one from elsewhere costs more than the writing. Checkpoints are made behind
    /// that, so that nobody waits for them; whoever sends to `finishing` is told the number of the last record once it is covered by one.
    pub async fn run(
        mut self,
        mut waiting: mpsc::Receiver<Waiting>,
        mut finishing: mpsc::Receiver<oneshot::Sender<u64>>,
        coming: Arc<AtomicUsize>,
    ) {
        let mut batch = Vec::new();
        let mut text = Vec::new();
        loop {
            let due = self.checkpointer.as_ref().and_then(Checkpointer::due);
            let mut asked = None;
            tokio::select! {
                biased;
                count = waiting.recv_many(&mut batch, AT_ONCE) => if count == 0 { break },
                () = until(due) => {}
                Some(done) = finishing.recv() => asked = Some(done),
            }
            if !batch.is_empty() {
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
            if self.needs_checkpoint(asked.is_some()) {
                let Ok(back) = tokio::task::spawn_blocking(move || self.checkpointed()).await else { return };
                self = back;
            }
            if let Some(done) = asked {
                // Whoever asked may have lost patience.
                let _ = done.send(self.number);
            }
        }
        if self.needs_checkpoint(true) {
            self = self.checkpointed();
        }
        self.compressed();
    }

    /// Whether a checkpoint is due, or would cover anything where the log ends.
    fn needs_checkpoint(&self, ends: bool) -> bool {
        self.checkpointer.as_ref().is_some_and(|checkpointer| checkpointer.is_open() && (ends || checkpointer.is_due(self.number)))
    }

    fn checkpointed(mut self) -> Self {
        if let Some(checkpointer) = &mut self.checkpointer {
            checkpointer.make(self.number, &self.chain);
        }
        self
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
            chain = chained(&self.keys.chain, &chain, &text[begin..]);
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
        if let Some(checkpointer) = &mut self.checkpointer {
            checkpointer.comes_to(number);
        }
        self.write_head()
    }

    /// Tells how far the log has come.
    fn write_head(&mut self) -> io::Result<()> {
        self.head.seek(SeekFrom::Start(0))?;
        self.head.write_all(&Head::line(&self.keys.head, self.number, &self.chain))
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

/// Waits until a moment, for ever if there is none.
async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
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
