//! Keys that sign releases, and those that are trusted to have done so (Ed25519).
//!
//! ```text
//! release.key    PKCS#8, readable by its owner alone; stays on the confidential side
//! release.pub    cacah-ed25519 <key in base64> <id>; for whoever serves or reads
//! ```
//!
//! The id of a key is the beginning of its SHA-256. It says which key to try, and proves nothing.

use std::{
    fmt,
    fs::{self, OpenOptions},
    io::{ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    str::FromStr,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    error::{Error, Result},
    signing::{self, KEY_LENGTH, SecretKey},
    storage::read_text,
};

/// Name of the file that holds the secret key.
pub const SECRET_KEY: &str = "release.key";
/// Name of the file that holds the public key.
pub const PUBLIC_KEY: &str = "release.pub";
/// First word of a public key's line.
const KIND: &str = "cacah-ed25519";

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    key: signing::PublicKey,
    id: String,
}

impl PublicKey {
    fn new(key: signing::PublicKey) -> Self {
        Self { key, id: key.id() }
    }

    /// What the key is called.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether these bytes were signed with the secret half of this key.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verifies(message, signature)
    }

    /// Reads the file of a public key.
    ///
    /// # Errors
    /// [`Error::Storage`] where it cannot be read, [`Error::Input`] where it is none.
    pub fn read(path: &Path) -> Result<Self> {
        let text = read_text(path)?;
        text.parse().map_err(|problem: String| Error::Input(format!("{}: {problem}", path.display())))
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{KIND} {} {}", STANDARD.encode(self.key.bytes()), self.id)
    }
}

impl FromStr for PublicKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected =
            || format!("no public key of releases; expected one line '{KIND} KEY ID', as 'cacah keys make' writes it to {PUBLIC_KEY}");
        let mut words = text.split_whitespace();
        let (Some(KIND), Some(key), Some(id), None) = (words.next(), words.next(), words.next(), words.next()) else {
            return Err(expected());
        };
        let bytes: [u8; KEY_LENGTH] = STANDARD.decode(key).ok().and_then(|bytes| bytes.try_into().ok()).ok_or_else(expected)?;
        let key = Self::new(signing::PublicKey::new(bytes));
        if key.id != id {
            return Err(format!("the key and its id {id} do not belong together: a letter was changed; copy the file again"));
        }
        Ok(key)
    }
}

/// The keys that are trusted to sign releases. Where nobody is named, everything is taken as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust(Vec<PublicKey>);

impl Trust {
    /// Trust in these keys; in none of them: no signature is asked for.
    pub fn new(keys: Vec<PublicKey>) -> Self {
        Self(keys)
    }

    /// Reads the files of public keys.
    ///
    /// # Errors
    /// Where one of them is no public key.
    pub fn read(files: &[PathBuf]) -> Result<Self> {
        files.iter().map(|file| PublicKey::read(file)).collect::<Result<_>>().map(Self)
    }

    /// Whether signatures are asked for.
    pub fn is_needed(&self) -> bool {
        !self.0.is_empty()
    }

    /// The keys.
    pub fn keys(&self) -> &[PublicKey] {
        &self.0
    }

    /// The key with an id.
    pub fn key(&self, id: &str) -> Option<&PublicKey> {
        self.0.iter().find(|key| key.id == id)
    }

    /// The ids of all keys, for people.
    pub fn names(&self) -> String {
        self.0.iter().map(PublicKey::id).collect::<Vec<_>>().join(", ")
    }
}

/// A secret key.
pub struct ReleaseKey {
    secret: SecretKey,
    public: PublicKey,
}

impl fmt::Debug for ReleaseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReleaseKey({})", self.public.id)
    }
}

impl ReleaseKey {
    /// A new key, and what its file keeps.
    ///
    /// # Errors
    /// Where the system has no random bytes.
    pub fn make() -> Result<(Self, Vec<u8>)> {
        let document = SecretKey::generate_pkcs8()?;
        let key = Self::from_pkcs8(&document).ok_or_else(|| Error::Internal("a new key cannot be read".into()))?;
        Ok((key, document))
    }

    /// The key that a file keeps; `None` where it keeps something else.
    pub fn from_pkcs8(bytes: &[u8]) -> Option<Self> {
        let secret = SecretKey::from_pkcs8(bytes)?;
        Some(Self { public: PublicKey::new(secret.public()), secret })
    }

    /// Reads the file of a secret key; `None` where there is none.
    ///
    /// # Errors
    /// [`Error::Storage`] where it cannot be read, [`Error::Input`] where it holds something else.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::storage(path.display().to_string(), error)),
        };
        // Nothing of what was read may stand in the message.
        let none = || {
            Error::Input(format!(
                "{}: not a secret key of releases; name the file {SECRET_KEY} that 'cacah keys make' wrote, or restore it from a backup",
                path.display()
            ))
        };
        Self::from_pkcs8(&bytes).ok_or_else(none).map(Some)
    }

    /// Makes a key in a folder, which must not have one yet: `release.key` and `release.pub`.
    ///
    /// # Errors
    /// [`Error::Conflict`] where there is a key already, [`Error::Storage`] where it cannot be written.
    pub fn make_in(folder: &Path) -> Result<Self> {
        let (key, document) = Self::make()?;
        let (secret, public) = (folder.join(SECRET_KEY), folder.join(PUBLIC_KEY));
        let failed = |path: &Path, error| Error::storage(path.display().to_string(), error);
        fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
        if public.exists() {
            return Err(there_already(&public));
        }
        let mut file = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&secret) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(there_already(&secret)),
            Err(error) => return Err(failed(&secret, error)),
        };
        file.write_all(&document).and_then(|()| file.sync_all()).map_err(|error| failed(&secret, error))?;
        fs::write(&public, format!("{}\n", key.public)).map_err(|error| failed(&public, error))?;
        Ok(key)
    }

    /// The half that everybody may know.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs bytes. The same key and bytes give the same signature.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.secret.sign(message)
    }
}

fn there_already(path: &Path) -> Error {
    Error::Conflict(format!(
        "{} is there already, and what it signed can only be checked with it; keep it, or make another key elsewhere with --out",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn keys_are_kept_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys");
        let made = ReleaseKey::make_in(&keys).unwrap();
        let mode = fs::metadata(keys.join(SECRET_KEY)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let secret = ReleaseKey::read(&keys.join(SECRET_KEY)).unwrap().unwrap();
        let public = PublicKey::read(&keys.join(PUBLIC_KEY)).unwrap();
        assert_eq!((secret.public(), &public), (made.public(), made.public()));
        let signature = secret.sign(b"these bytes");
        assert_eq!(signature, made.sign(b"these bytes"));
        assert!(public.verifies(b"these bytes", &signature) && !public.verifies(b"those bytes", &signature));
        let again = ReleaseKey::make_in(&keys).unwrap_err().to_string();
        assert!(again.contains("is there already"), "{again}");
        assert!(ReleaseKey::read(&keys.join("other.key")).unwrap().is_none());
        let wrong = ReleaseKey::read(&keys.join(PUBLIC_KEY)).unwrap_err().to_string();
        assert!(wrong.contains("not a secret key") && !wrong.contains(KIND), "{wrong}");
    }

    #[test]
    fn a_public_key_with_a_letter_changed_is_none() {
        let (key, _) = ReleaseKey::make().unwrap();
        let line = key.public().to_string();
        assert_eq!(line.parse::<PublicKey>().as_ref(), Ok(key.public()));
        for at in 0..line.len() {
            let mut changed = line.clone().into_bytes();
            changed[at] = if changed[at] == b'x' { b'y' } else { b'x' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(changed.parse::<PublicKey>().is_err(), "{changed}");
        }
        assert!("".parse::<PublicKey>().is_err() && "cacah-ed25519 AAAA 00".parse::<PublicKey>().is_err());
    }
}
