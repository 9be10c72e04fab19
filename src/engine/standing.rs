//! Whether a cell file may be read: not before all of it was compared with its digest, not after somebody has touched it, and never once it is
//! withdrawn.
//!
//! ```text
//! unverified ── verify ──> sound ── touched ──> unverified
//!      └──── differs ────> damaged              any ── withdraw ──> withdrawn
//! ```

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    sync::{
        Mutex,
        atomic::{AtomicU8, Ordering},
    },
    thread,
};

use crate::{
    error::{Error, Result},
    parallel::lock,
    storage::{Digester, FileDigest, Stamp},
};

/// A touched file of so many bytes is verified again by whoever reads it; others are refused until somebody else has done so.
const SMALL: u64 = 8 << 20;
/// Bytes that are compared at a time.
const PIECE: usize = 1 << 20;
/// How often a file is gone over again that somebody touches meanwhile.
const TRIES: usize = 3;

/// What is known of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Standing {
    /// Nothing yet.
    Unverified,
    /// It is what was published.
    Sound,
    /// It is not.
    Damaged,
    /// It must not be read any more, whatever it is.
    Withdrawn,
}

/// The standing of one file, shared by all who read it.
#[derive(Debug)]
pub struct Standings {
    /// The file, for messages.
    name: String,
    digest: FileDigest,
    now: AtomicU8,
    /// How a local file was all the time while it was verified.
    stamp: Mutex<Option<Stamp>>,
    /// One verifies at a time.
    pub turn: tokio::sync::Mutex<()>,
}

impl Standings {
    pub fn new(name: String, digest: FileDigest) -> Self {
        Self { name, digest, now: AtomicU8::new(Standing::Unverified as u8), stamp: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    pub fn get(&self) -> Standing {
        match self.now.load(Ordering::Acquire) {
            1 => Standing::Sound,
            2 => Standing::Damaged,
            3 => Standing::Withdrawn,
            _ => Standing::Unverified,
        }
    }

    /// Changes the standing, unless the file is withdrawn: from there nothing leads back.
    fn set(&self, standing: Standing) {
        let unless_withdrawn = |now| (now != Standing::Withdrawn as u8).then_some(standing as u8);
        let _ = self.now.fetch_update(Ordering::AcqRel, Ordering::Acquire, unless_withdrawn);
    }

    pub fn withdraw(&self) {
        self.now.store(Standing::Withdrawn as u8, Ordering::Release);
    }

    /// How a local file was all the time while it was compared with its digest.
    pub fn stamp(&self, stamp: Option<Stamp>) {
        *lock(&self.stamp) = stamp;
    }

    /// What came of comparing the file with its digest.
    pub fn verified(&self, is_sound: bool) {
        self.set(if is_sound { Standing::Sound } else { Standing::Damaged });
    }

    /// Refuses to read a file that may not be read.
    pub fn check(&self) -> Result<()> {
        let name = &self.name;
        match self.get() {
            Standing::Sound => Ok(()),
            Standing::Unverified => Err(Error::NotVerified(format!("{name} has not been compared with its digest yet"))),
            Standing::Damaged => Err(self.damaged()),
            Standing::Withdrawn => Err(Error::Withdrawn(format!("{name} belongs to a release that has been withdrawn"))),
        }
    }

    pub fn damaged(&self) -> Error {
        Error::NotVerified(format!("{} differs from its digest in the manifest; restore the release from a copy and start anew", self.name))
    }

    /// Reads of a local file. What was read counts only if nobody has touched the file since it was verified.
    pub fn reading<T>(&self, file: &File, read: impl Fn() -> io::Result<T>) -> Result<io::Result<T>> {
        for _ in 0..TRIES {
            let known = *lock(&self.stamp);
            let found = read();
            let Some(known) = known else { return Ok(found) };
            if Stamp::of(file).is_ok_and(|stamp| stamp == known) {
                return Ok(found);
            }
            if self.digest.bytes > SMALL {
                if self.get() == Standing::Sound {
                    tracing::warn!(
                        "{} was touched since it was compared with its digest; it is compared again before it is served",
                        self.name
                    );
                    self.set(Standing::Unverified);
                }
                return Err(self.check().err().unwrap_or_else(|| Error::NotVerified(format!("{} was touched", self.name))));
            }
            match compare(file, &self.digest)? {
                Some(stamp) => self.stamp(Some(stamp)),
                None => {
                    self.set(Standing::Damaged);
                    tracing::error!("{}", self.damaged());
                    return Err(self.damaged());
                }
            }
        }
        Err(Error::NotVerified(format!("{} is being written to", self.name)))
    }
}

/// Compares a local file with its digest: how it was all the time, if it is sound.
///
/// # Errors
/// Where it cannot be read, or somebody does not cease to write to it.
pub fn compare(file: &File, digest: &FileDigest) -> Result<Option<Stamp>> {
    let failed = |error: io::Error| Error::storage("a cell file", error);
    let mut piece = vec![0; PIECE.min(digest.bytes as usize + 1)];
    for _ in 0..TRIES {
        let mut before = Stamp::of(file).map_err(failed)?.settled();
        if before.is_none() {
            // It was written just now, so that a change by somebody else would not show.
            thread::sleep(2 * Stamp::COARSE);
            before = Stamp::of(file).map_err(failed)?.settled();
        }
        let Some(before) = before else { continue };
        let (mut digester, mut at) = (Digester::default(), 0);
        while at <= digest.bytes {
            let read = file.read_at(&mut piece, at).map_err(failed)?;
            if read == 0 {
                break;
            }
            digester.add(&piece[..read]);
            at += read as u64;
        }
        if Stamp::of(file).is_ok_and(|after| after == before) {
            return Ok((digester.finish() == *digest).then_some(before));
        }
    }
    Err(Error::NotVerified("a cell file is being written to while it is compared with its digest".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_a_withdrawal_nothing_leads_back() {
        let file = Standings::new("cells".into(), FileDigest::of(b"cells"));
        assert!(matches!(file.check(), Err(Error::NotVerified(_))));
        file.verified(true);
        assert!(file.check().is_ok());
        file.withdraw();
        file.verified(true);
        assert!(matches!(file.check(), Err(Error::Withdrawn(_))));
    }

    #[test]
    fn what_somebody_touches_is_compared_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cells");
        std::fs::write(&path, b"cells").unwrap();
        let (file, digest) = (File::open(&path).unwrap(), FileDigest::of(b"cells"));
        let standing = Standings::new("cells".into(), digest.clone());
        let stamp = compare(&file, &digest).unwrap();
        assert!(stamp.is_some());
        standing.stamp(stamp);
        standing.verified(true);
        let read = || {
            let mut bytes = [0; 5];
            file.read_exact_at(&mut bytes, 0).map(|()| bytes)
        };
        assert_eq!(&standing.reading(&file, read).unwrap().unwrap(), b"cells");
        // Another name, another mode: the content is what it was.
        std::fs::rename(&path, folder.path().join("moved")).unwrap();
        std::fs::hard_link(folder.path().join("moved"), &path).unwrap();
        assert_eq!(&standing.reading(&file, read).unwrap().unwrap(), b"cells");
        std::fs::write(&path, b"sells").unwrap();
        assert!(matches!(standing.reading(&file, read), Err(Error::NotVerified(_))));
        assert_eq!(standing.get(), Standing::Damaged);
        // It does not become sound by being restored behind the back of whoever serves.
        std::fs::write(&path, b"cells").unwrap();
        assert!(standing.check().is_err());
        assert!(compare(&file, &FileDigest::of(b"cell")).unwrap().is_none());
    }
}
