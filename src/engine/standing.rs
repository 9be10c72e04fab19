//! Whether a cell file may be read: not before all of it was compared with its digest, not after somebody has touched it, and never once it is
//! withdrawn.
//!
//! ```text
//! unverified ── verify ──> sound ── touched ──> unverified
//!      └──── differs ────> damaged              any ── withdraw ──> withdrawn
//! ```

use std::{
    fs::File,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
};

use crate::{
    error::{Error, Result},
    storage::Stamp,
};

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
    now: AtomicU8,
    /// How a local file was all the time while it was verified.
    stamp: Mutex<Option<Stamp>>,
    /// One verifies at a time.
    pub turn: tokio::sync::Mutex<()>,
}

impl Standings {
    pub fn new(name: String) -> Self {
        Self { name, now: AtomicU8::new(Standing::Unverified as u8), stamp: Mutex::default(), turn: tokio::sync::Mutex::default() }
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
        *self.stamp.lock().unwrap_or_else(PoisonError::into_inner) = stamp;
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

    /// Refuses what was just read of a local file if somebody has touched the file since it was verified.
    pub fn check_untouched(&self, file: &File) -> Result<()> {
        let known = *self.stamp.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = known else { return Ok(()) };
        if Stamp::of(file).is_ok_and(|stamp| stamp == known) {
            return Ok(());
        }
        if self.get() == Standing::Sound {
            tracing::warn!("{} was touched since it was compared with its digest; it is compared again before it is served", self.name);
            self.set(Standing::Unverified);
        }
        self.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_a_withdrawal_nothing_leads_back() {
        let file = Standings::new("cells".into());
        assert!(matches!(file.check(), Err(Error::NotVerified(_))));
        file.verified(true);
        assert!(file.check().is_ok());
        file.withdraw();
        file.verified(true);
        assert!(matches!(file.check(), Err(Error::Withdrawn(_))));
    }
}
