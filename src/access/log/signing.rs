//! The key by which checkpoints of a log are signed (Ed25519), and its public half.
//!
//! Both are files of PEM, as other programs read and make them (`openssl genpkey -algorithm ed25519`). It is another key than that of the
//! database, because whoever can cut the log can read what lies beside it.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls::pki_types::{PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer, pem::PemObject as _};

use crate::{
    access::secrets::random,
    error::{Error, Result},
    signing::{self, KEY_LENGTH, SecretKey},
};

/// Names of the two files of a new key.
const SECRET_FILE: &str = "log.key";
const PUBLIC_FILE: &str = "log.pub";
/// How the key files begin within their PEM: version, algorithm (1.3.101.112), and the string that holds the key (RFC 8410).
const SECRET_HEAD: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
const PUBLIC_HEAD: [u8; 12] = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];

/// A key that signs.
#[derive(Debug)]
pub struct SigningKey(SecretKey);

/// A key that tells whether something was signed by the other half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(signing::PublicKey);

fn pem(name: &str, bytes: &[u8]) -> String {
    format!("-----BEGIN {name}-----\n{}\n-----END {name}-----\n", STANDARD.encode(bytes))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| Error::Input(format!("{}: {error}; name a key that 'cacah log keys' made", path.display())))
}

/// What stands behind the head of a key.
fn body(path: &Path, kind: &str, head: &[u8], bytes: Option<&[u8]>) -> Result<[u8; KEY_LENGTH]> {
    bytes.and_then(|bytes| bytes.strip_prefix(head)?.try_into().ok()).ok_or_else(|| {
        Error::Input(format!("{}: expected {kind} of Ed25519 in PEM; 'cacah log keys --out FOLDER' makes a pair of keys", path.display()))
    })
}

impl SigningKey {
    fn from_seed(seed: &[u8; KEY_LENGTH]) -> Result<Self> {
        SecretKey::from_seed(seed).map(Self).ok_or_else(|| Error::Internal("a key of Ed25519 that the library refuses".into()))
    }

    /// Makes a new key in a folder, which is made if it is not there: the secret half for its owner alone, the public half beside it.
    ///
    /// # Errors
    /// Where there is a key already, or the folder cannot be written.
    pub fn create(folder: &Path) -> Result<(PathBuf, PathBuf)> {
        let seed: [u8; KEY_LENGTH] = random()?;
        let key = Self::from_seed(&seed)?;
        let (secret, public) = (folder.join(SECRET_FILE), folder.join(PUBLIC_FILE));
        for path in [&secret, &public] {
            if path.exists() {
                return Err(Error::Conflict(format!("{}: it is there already; name another folder, or put it aside", path.display())));
            }
        }
        let failed = |path: &Path, error: std::io::Error| Error::storage(format!("writing {}", path.display()), error);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| failed(folder, error))?;
        let texts = [
            (&secret, 0o600, pem("PRIVATE KEY", &[&SECRET_HEAD[..], &seed].concat())),
            (&public, 0o644, pem("PUBLIC KEY", &[&PUBLIC_HEAD[..], key.public().0.bytes()].concat())),
        ];
        for (path, mode, text) in texts {
            let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
            opened
                .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
                .map_err(|error| failed(path, error))?;
        }
        Ok((secret, public))
    }

    /// Reads the secret half from its file.
    ///
    /// # Errors
    /// Where the file cannot be read or is no such key.
    pub fn open(path: &Path) -> Result<Self> {
        let bytes = read(path)?;
        let der = PrivatePkcs8KeyDer::from_pem_slice(&bytes).ok();
        Self::from_seed(&body(path, "a private key", &SECRET_HEAD, der.as_ref().map(PrivatePkcs8KeyDer::secret_pkcs8_der))?)
    }

    /// Signs a text.
    pub fn sign(&self, text: &[u8]) -> Vec<u8> {
        self.0.sign(text)
    }

    /// The half that may be given to anybody.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.public())
    }
}

impl PublicKey {
    /// Reads the public half from its file.
    ///
    /// # Errors
    /// Where the file cannot be read or is no such key.
    pub fn open(path: &Path) -> Result<Self> {
        let bytes = read(path)?;
        let der = SubjectPublicKeyInfoDer::from_pem_slice(&bytes).ok();
        body(path, "a public key", &PUBLIC_HEAD, der.as_ref().map(AsRef::as_ref)).map(signing::PublicKey::new).map(Self)
    }

    /// What tells this key from others: the beginning of its SHA-256.
    pub fn id(&self) -> String {
        self.0.id()
    }

    /// Whether the other half signed a text.
    pub fn has_signed(&self, text: &[u8], signature: &[u8]) -> bool {
        self.0.verifies(text, signature)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn keys_are_made_once_and_read_again() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("keys");
        let (secret, public) = SigningKey::create(&folder).unwrap();
        assert_eq!(fs::metadata(&secret).unwrap().permissions().mode() & 0o777, 0o600);
        let (key, known) = (SigningKey::open(&secret).unwrap(), PublicKey::open(&public).unwrap());
        assert_eq!(key.public(), known);
        let signature = key.sign(b"text");
        assert!(known.has_signed(b"text", &signature) && !known.has_signed(b"next", &signature) && !known.has_signed(b"text", b""));
        let said = SigningKey::create(&folder).unwrap_err().to_string();
        assert!(said.contains("log.key") && said.contains("already"), "{said}");
        // The halves are not mistaken for each other, nor anything else for either.
        let other = place.path().join("other.pem");
        fs::write(&other, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n").unwrap();
        for said in [
            SigningKey::open(&public).unwrap_err(),
            PublicKey::open(&secret).unwrap_err(),
            PublicKey::open(&other).unwrap_err(),
            PublicKey::open(&place.path().join("none")).unwrap_err(),
        ] {
            assert!(said.to_string().contains("cacah log keys"), "{said}");
        }
    }

    #[test]
    fn keys_of_other_programs_are_read() {
        // The example of RFC 8410, sections 10.1 and 10.3.
        let place = tempfile::tempdir().unwrap();
        let (secret, public) = (place.path().join("secret.pem"), place.path().join("public.pem"));
        fs::write(
            &secret,
            "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n",
        )
        .unwrap();
        fs::write(
            &public,
            "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n",
        )
        .unwrap();
        assert_eq!(SigningKey::open(&secret).unwrap().public(), PublicKey::open(&public).unwrap());
    }
}
