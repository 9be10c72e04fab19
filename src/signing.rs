//! Signatures of Ed25519, whatever they are of: releases, and checkpoints of the access log.
//!
//! How a key lies in its file is for its user to say; what it is, what it is called and what it signs is the same everywhere.

use ring::{
    rand::SystemRandom,
    signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey},
};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};

/// Bytes of a public key, and of the seed of a secret one.
pub const KEY_LENGTH: usize = 32;
/// Bytes of its SHA-256 by which a key is called.
const ID: usize = 8;

/// The secret half of a key.
pub struct SecretKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

/// The half that everybody may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; KEY_LENGTH]);

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretKey").field("public", &self.public).finish_non_exhaustive()
    }
}

impl SecretKey {
    /// A new key as PKCS#8 keeps it.
    ///
    /// # Errors
    /// Where the system has no random bytes.
    pub fn generate_pkcs8() -> Result<Vec<u8>> {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new());
        document.map(|document| document.as_ref().to_vec()).map_err(|_| Error::Internal("the system has no random bytes for a key".into()))
    }

    /// The key that PKCS#8 keeps, with its public half; `None` where it keeps something else.
    pub fn from_pkcs8(bytes: &[u8]) -> Option<Self> {
        Self::new(Ed25519KeyPair::from_pkcs8(bytes).ok()?)
    }

    /// The key of a seed; `None` where the library refuses it.
    pub fn from_seed(seed: &[u8; KEY_LENGTH]) -> Option<Self> {
        Self::new(Ed25519KeyPair::from_seed_unchecked(seed).ok()?)
    }

    fn new(pair: Ed25519KeyPair) -> Option<Self> {
        let public = PublicKey(pair.public_key().as_ref().try_into().ok()?);
        Some(Self { pair, public })
    }

    /// The half that everybody may know.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// Signs bytes. The same key and bytes give the same signature.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }
}

impl PublicKey {
    /// The key of these bytes.
    pub fn new(bytes: [u8; KEY_LENGTH]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8; KEY_LENGTH] {
        &self.0
    }

    /// What it is called: the beginning of its SHA-256, in hexadecimal. It says which key to try, and proves nothing.
    pub fn id(&self) -> String {
        Sha256::digest(self.0).iter().take(ID).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether bytes were signed with the secret half.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(message, signature).is_ok()
    }
}
