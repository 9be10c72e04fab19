//! Documents that wait to be sent: small ones in memory, larger ones in unnamed files, both within a bound for all of them together.
//!
//! A client may take minutes for what was computed in milliseconds. Until it has, its document must not hold what computing needs.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::PathBuf,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;

use crate::{
    error::{Error, Result},
    parallel::lock,
};

/// Room for documents, in memory and on disk.
#[derive(Debug, Clone)]
pub struct Spool(Arc<Room>);

#[derive(Debug)]
struct Room {
    folder: PathBuf,
    bounds: SpoolBounds,
    used: Mutex<Used>,
    /// Documents on disk that wait for their clients.
    waiting: Mutex<Vec<Weak<Document>>>,
}

/// How much may wait to be sent, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpoolBounds {
    /// In memory, all documents together.
    pub memory: u64,
    /// On disk, all documents together. Where more is needed, those give way whose clients read slowest.
    pub disk: u64,
    /// The longest document that is kept in memory while it is being written.
    pub in_memory: u64,
}

impl Default for SpoolBounds {
    /// 64 MiB in memory, 4 GiB on disk; documents beyond 1 MiB go to disk.
    fn default() -> Self {
        Self { memory: 64 << 20, disk: 4 << 30, in_memory: 1 << 20 }
    }
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Used {
    memory: u64,
    disk: u64,
}

/// A part of the room; given back when dropped.
#[derive(Debug)]
struct Lease {
    room: Arc<Room>,
    used: Used,
}

/// A document that is being written.
#[derive(Debug)]
pub struct SpoolWriter {
    lease: Lease,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Memory(Vec<u8>),
    Disk { file: File, bytes: u64 },
}

/// A whole document. It takes up its room until it is dropped, or has to give way to others.
#[derive(Debug)]
pub struct Spooled(Arc<Document>);

#[derive(Debug)]
struct Document {
    /// Nothing once it had to give way.
    content: Mutex<Option<(SpooledContent, Lease)>>,
    bytes: u64,
    began: Instant,
    /// Bytes that its client has taken.
    taken: AtomicU64,
}

/// Where a document lies.
#[derive(Debug, Clone)]
pub enum SpooledContent {
    /// In memory.
    Memory(Bytes),
    /// In a file without a name.
    Disk(Arc<File>),
}

/// Documents that have waited for less than this do not give way.
const SETTLED: Duration = Duration::from_secs(5);
/// Nor do those whose clients take more than so many bytes a second.
const FAST: u64 = 1 << 20;

impl Spool {
    /// Room of this size, with files in `folder`.
    pub fn new(folder: PathBuf, bounds: SpoolBounds) -> Self {
        Self(Arc::new(Room { folder, bounds, used: Mutex::default(), waiting: Mutex::default() }))
    }

    /// Begins a document.
    pub fn write(&self) -> SpoolWriter {
        SpoolWriter { lease: Lease { room: Arc::clone(&self.0), used: Used::default() }, content: Content::Memory(Vec::new()) }
    }

    /// Takes in a document that lies in memory already, however long, since writing it to disk would only cost time; `None` where others take up
    /// the room.
    pub fn keep_in_memory(&self, document: &Bytes) -> Option<Spooled> {
        let mut lease = Lease { room: Arc::clone(&self.0), used: Used::default() };
        let length = document.len() as u64;
        lease.take(Used { memory: length, disk: 0 }).then(|| Spooled::new(SpooledContent::Memory(document.clone()), length, lease))
    }

    /// Writes a document to disk.
    ///
    /// # Errors
    /// [`Error::Busy`] where others take up the room, [`Error::Storage`] where it cannot be written.
    pub fn keep_on_disk(&self, document: &[u8]) -> Result<Spooled> {
        let mut writer = self.write();
        writer.move_to_disk()?;
        writer.push(document)?;
        Ok(writer.finish())
    }

    /// Bytes that wait in memory, and on disk.
    pub fn used(&self) -> (u64, u64) {
        let used = *lock(&self.0.used);
        (used.memory, used.disk)
    }
}

impl SpoolWriter {
    /// Adds to the end.
    ///
    /// # Errors
    /// [`Error::Busy`] where neither memory nor disk has room, [`Error::Storage`] where the disk cannot be written to.
    pub fn push(&mut self, piece: &[u8]) -> Result<()> {
        let more = piece.len() as u64;
        if let Content::Memory(document) = &mut self.content {
            let fits = (document.len() + piece.len()) as u64 <= self.lease.room.bounds.in_memory;
            if fits && self.lease.take(Used { memory: more, disk: 0 }) {
                document.extend_from_slice(piece);
                return Ok(());
            }
            self.move_to_disk()?;
        }
        self.lease.take_disk(more)?;
        if let Content::Disk { file, bytes } = &mut self.content {
            file.write_all_at(piece, *bytes).map_err(|error| failed(&self.lease.room, error))?;
            *bytes += more;
        }
        Ok(())
    }

    /// Ends the document.
    pub fn finish(self) -> Spooled {
        match self.content {
            Content::Memory(document) => {
                let length = document.len() as u64;
                Spooled::new(SpooledContent::Memory(document.into()), length, self.lease)
            }
            Content::Disk { file, bytes } => Spooled::new(SpooledContent::Disk(Arc::new(file)), bytes, self.lease),
        }
    }

    fn move_to_disk(&mut self) -> Result<()> {
        let Content::Memory(document) = &self.content else { return Ok(()) };
        let length = document.len() as u64;
        self.lease.take_disk(length)?;
        let failed = |error| failed(&self.lease.room, error);
        let file = tempfile::tempfile_in(&self.lease.room.folder).map_err(failed)?;
        file.write_all_at(document, 0).map_err(failed)?;
        self.content = Content::Disk { file, bytes: length };
        self.lease.give_back(Used { memory: self.lease.used.memory, disk: 0 });
        Ok(())
    }
}

impl Spooled {
    fn new(content: SpooledContent, bytes: u64, lease: Lease) -> Self {
        let room = Arc::clone(&lease.room);
        let is_on_disk = matches!(content, SpooledContent::Disk(_));
        let document =
            Arc::new(Document { content: Mutex::new(Some((content, lease))), bytes, began: Instant::now(), taken: AtomicU64::new(0) });
        if is_on_disk {
            let mut waiting = lock(&room.waiting);
            waiting.retain(|known| known.strong_count() > 0);
            waiting.push(Arc::downgrade(&document));
        }
        Self(document)
    }

    /// Length of the document.
    pub fn bytes(&self) -> u64 {
        self.0.bytes
    }

    /// Where it lies.
    ///
    /// # Errors
    /// [`Error::Busy`] where it had to give way to documents of clients that read faster.
    pub fn content(&self) -> Result<SpooledContent> {
        let content = lock(&self.0.content);
        content
            .as_ref()
            .map(|(content, _)| content.clone())
            .ok_or_else(|| Error::Busy("an answer was read so slowly that it had to give way to others".into()))
    }

    /// Notes that its client has taken so many bytes more.
    pub fn advance(&self, bytes: u64) {
        self.0.taken.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Document {
    /// Bytes a second that its client takes; `None` where it is too early to tell.
    fn speed(&self, now: Instant) -> Option<u64> {
        let waited = now.saturating_duration_since(self.began);
        (waited > SETTLED).then(|| self.taken.load(Ordering::Relaxed) / waited.as_secs().max(1))
    }
}

impl Room {
    /// Has the document give way whose client reads slowest; `false` where all are read fast enough.
    fn make_way(&self, now: Instant) -> bool {
        let waiting: Vec<Arc<Document>> = lock(&self.waiting).iter().filter_map(Weak::upgrade).collect();
        let slow = waiting.iter().filter(|document| lock(&document.content).is_some());
        let slow = slow.filter_map(|document| Some((document.speed(now).filter(|speed| *speed < FAST)?, document)));
        let Some((_, slowest)) = slow.min_by_key(|(speed, _)| *speed) else { return false };
        tracing::debug!(bytes = slowest.bytes, "an answer that is read slowly gives way");
        let gone = lock(&slowest.content).take();
        gone.is_some()
    }
}

impl Lease {
    /// Takes more of the room, if there is as much.
    fn take(&mut self, more: Used) -> bool {
        let mut used = lock(&self.room.used);
        let bounds = self.room.bounds;
        if used.memory + more.memory > bounds.memory || used.disk + more.disk > bounds.disk {
            return false;
        }
        used.memory += more.memory;
        used.disk += more.disk;
        drop(used);
        self.used.memory += more.memory;
        self.used.disk += more.disk;
        true
    }

    /// Takes room on disk, if need be that of a document whose client reads slowly.
    fn take_disk(&mut self, more: u64) -> Result<()> {
        let now = Instant::now();
        while !self.take(Used { memory: 0, disk: more }) {
            if !self.room.make_way(now) {
                return Err(Error::Busy("as much waits to be sent as there is room for".into()));
            }
        }
        Ok(())
    }

    fn give_back(&mut self, less: Used) {
        let mut used = lock(&self.room.used);
        used.memory -= less.memory;
        used.disk -= less.disk;
        drop(used);
        self.used.memory -= less.memory;
        self.used.disk -= less.disk;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.give_back(self.used);
    }
}

fn failed(room: &Room, error: io::Error) -> Error {
    Error::storage(room.folder.display().to_string(), error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spool(memory: u64, disk: u64, in_memory: u64) -> Spool {
        Spool::new(std::env::temp_dir(), SpoolBounds { memory, disk, in_memory })
    }

    fn text(spooled: &Spooled) -> Vec<u8> {
        match spooled.content().unwrap() {
            SpooledContent::Memory(document) => document.to_vec(),
            SpooledContent::Disk(file) => {
                let mut text = vec![0; spooled.bytes() as usize];
                file.read_exact_at(&mut text, 0).unwrap();
                text
            }
        }
    }

    #[test]
    fn what_is_long_goes_to_disk_and_comes_back_whole() {
        let spool = spool(1000, 1000, 10);
        let mut writer = spool.write();
        for piece in ["one ", "two ", "three ", "four"] {
            writer.push(piece.as_bytes()).unwrap();
        }
        assert_eq!(spool.used(), (0, 18));
        let document = writer.finish();
        assert_eq!((text(&document), document.bytes()), (b"one two three four".to_vec(), 18));
        let short = spool.keep_in_memory(&Bytes::from_static(b"short")).unwrap();
        assert_eq!((text(&short), spool.used()), (b"short".to_vec(), (5, 18)));
        // What lies in memory already stays there, however long.
        let whole = spool.keep_in_memory(&Bytes::from_static(b"a document that is whole")).unwrap();
        assert_eq!((text(&whole).len(), spool.used()), (24, (29, 18)));
        drop((document, short, whole));
        assert_eq!(spool.used(), (0, 0));
    }

    #[test]
    fn a_full_memory_leaves_the_disk_and_a_full_disk_refuses() {
        let spool = spool(8, 12, 8);
        let document = Bytes::from_static(b"12345678");
        let first = spool.keep_in_memory(&document).unwrap();
        assert!(spool.keep_in_memory(&document).is_none());
        let second = spool.keep_on_disk(&document).unwrap();
        assert_eq!(spool.used(), (8, 8));
        assert!(matches!(spool.keep_on_disk(b"12345"), Err(Error::Busy(_))));
        let mut writer = spool.write();
        writer.push(b"1234").unwrap();
        assert!(matches!(writer.push(b"5"), Err(Error::Busy(_))));
        drop(writer);
        assert_eq!(spool.used(), (8, 8), "what was refused takes up nothing");
        drop(first);
        assert!(spool.keep_in_memory(&document).is_some());
        assert_eq!(text(&second), b"12345678");
    }

    #[test]
    fn who_reads_slowest_gives_way() {
        let spool = spool(0, 20, 0);
        let (slow, slower) = (spool.keep_on_disk(b"12345678").unwrap(), spool.keep_on_disk(b"12345678").unwrap());
        slow.advance(100);
        assert!(!spool.0.make_way(Instant::now()), "neither has had time to read");
        let later = Instant::now() + Duration::from_secs(6);
        assert!(spool.0.make_way(later));
        assert!(slow.content().is_ok() && matches!(slower.content(), Err(Error::Busy(_))));
        assert_eq!(spool.used(), (0, 8));
        slow.advance(100 << 20);
        assert!(!spool.0.make_way(later), "whoever reads fast stays");
        drop((slow, slower));
        assert_eq!(spool.used(), (0, 0));
    }
}
