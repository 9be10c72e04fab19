//! Whether a local file is still the one that was read.

use std::{
    fs::File,
    io,
    os::unix::fs::MetadataExt as _,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Size, identity and times of a file. Whoever writes to it changes them: the system sets the time of the last change by its own clock, and
/// lets nobody but itself set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    bytes: u64,
    file: (u64, u64),
    written: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// Clocks of file systems may be so coarse: of two changes within this time the second may leave no trace.
    pub const COARSE: Duration = Duration::from_millis(20);

    /// The stamp of an open file.
    ///
    /// # Errors
    /// Where the system does not tell.
    pub fn of(file: &File) -> io::Result<Self> {
        let meta = file.metadata()?;
        Ok(Self {
            bytes: meta.len(),
            file: (meta.dev(), meta.ino()),
            written: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        })
    }

    /// The stamp, if the last change is so long ago that another one would show.
    pub fn settled(self) -> Option<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let changed = Duration::new(self.changed.0.max(0).unsigned_abs(), self.changed.1.max(0) as u32);
        now.checked_sub(changed).is_some_and(|age| age > Self::COARSE).then_some(self)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_change_of_one_byte_shows_also_if_its_time_is_set_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cells");
        std::fs::write(&path, b"cells").unwrap();
        let file = File::open(&path).unwrap();
        assert_eq!(Stamp::of(&file).unwrap().settled(), None);
        std::thread::sleep(2 * Stamp::COARSE);
        let stamp = Stamp::of(&file).unwrap().settled().unwrap();
        assert_eq!(Stamp::of(&file).unwrap(), stamp);
        let mut other = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        let written = other.metadata().unwrap().modified().unwrap();
        other.write_all(b"sells").unwrap();
        other.set_modified(written).unwrap();
        assert_ne!(Stamp::of(&file).unwrap(), stamp);
    }
}
