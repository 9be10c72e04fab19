//! Secrets: passwords, tokens, digests, one-time codes.
//!
//! Passwords are hashed by Argon2id; tokens have 256 random bits, so that a plain digest keeps them; identity numbers, of which there
//! are few enough to try, are digested with a key.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    aead, hmac,
    rand::{SecureRandom as _, SystemRandom},
};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::error::{Error, Result};

/// Letters of one-time passwords: none that can be taken for another.
const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789A";
/// Letters in each of the groups of a one-time password, and how many groups there are: 80 bits.
const GROUPS: (usize, usize) = (4, 4);
/// Seconds that a code of the second factor stands for.
pub const STEP: u64 = 30;
/// Codes of the second factor have so many digits.
const DIGITS: u32 = 6;

/// The key from which all others are derived.
pub struct Secret([u8; Self::LENGTH]);

impl Secret {
    /// Bytes of a key.
    pub const LENGTH: usize = 32;

    /// A new key.
    ///
    /// # Errors
    /// Where the system has no random bytes.
    pub fn new() -> Result<Self> {
        Ok(Self(random()?))
    }

    /// The key of a file.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// What a file keeps.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn derived(&self, purpose: &str) -> hmac::Key {
        let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.0), purpose.as_bytes());
        hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref())
    }

    /// What tells this key from others, and nothing more of it.
    pub fn name(&self) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.derived("name"), b""))
    }

    /// The digest of an identity number, by which the same person is recognised without the number being kept.
    pub fn identity(&self, number: &str) -> Vec<u8> {
        hmac::sign(&self.derived("identity number"), number.as_bytes()).as_ref().to_vec()
    }

    /// The digest by which attempts to sign in are counted: what is tried as a user id may be somebody's password.
    pub fn attempts(&self, text: &str) -> Vec<u8> {
        hmac::sign(&self.derived("attempts to sign in"), text.as_bytes()).as_ref().to_vec()
    }

    /// The key of the chain that holds the records of the log together.
    pub fn chain(&self) -> hmac::Key {
        self.derived("log of accesses")
    }

    /// The key that seals how far the log had come.
    pub fn head(&self) -> hmac::Key {
        self.derived("head of the log")
    }

    /// What the forms of a session carry, which nobody else can know.
    pub fn form_token(&self, session: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.derived("forms"), session))
    }

    /// Whether a form carries the token of its session.
    pub fn is_form_token(&self, session: &[u8], given: &str) -> bool {
        let given = URL_SAFE_NO_PAD.decode(given).unwrap_or_default();
        hmac::verify(&self.derived("forms"), session, &given).is_ok()
    }

    fn sealing(&self) -> Result<aead::LessSafeKey> {
        let derived = hmac::sign(&self.derived("second factor"), b"");
        let key = aead::UnboundKey::new(&aead::CHACHA20_POLY1305, derived.as_ref());
        Ok(aead::LessSafeKey::new(key.map_err(|_| Error::Internal("a key of another length".into()))?))
    }

    /// Encrypts the secret of a second factor.
    ///
    /// # Errors
    /// Where the system has no random bytes.
    pub fn seal(&self, plain: &[u8]) -> Result<Vec<u8>> {
        let nonce: [u8; aead::NONCE_LEN] = random()?;
        let mut sealed = plain.to_vec();
        self.sealing()?
            .seal_in_place_append_tag(aead::Nonce::assume_unique_for_key(nonce), aead::Aad::empty(), &mut sealed)
            .map_err(|_| Error::Internal("sealing failed".into()))?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// What was encrypted; `None` where it was encrypted with another key or has been changed.
    pub fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, rest) = sealed.split_at_checked(aead::NONCE_LEN)?;
        let mut rest = rest.to_vec();
        let nonce = aead::Nonce::try_assume_unique_for_key(nonce).ok()?;
        self.sealing().ok()?.open_in_place(nonce, aead::Aad::empty(), &mut rest).ok().map(|plain| plain.to_vec())
    }
}

/// Random bytes.
///
/// # Errors
/// Where the system has none.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::Internal("the system gives no random bytes".into()))?;
    Ok(bytes)
}

/// A new token, and the digest that is kept of it.
///
/// # Errors
/// Where the system has no random bytes.
pub fn token() -> Result<(String, Vec<u8>)> {
    let token = URL_SAFE_NO_PAD.encode(random::<32>()?);
    let digest = digest(&token);
    Ok((token, digest))
}

/// The digest that is kept of a token.
pub fn digest(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// A password to be used once, easy to copy from paper.
///
/// # Errors
/// Where the system has no random bytes.
pub fn one_time_password() -> Result<String> {
    let (long, groups) = GROUPS;
    let bytes: [u8; 16] = random()?;
    let letters: Vec<u8> = bytes.iter().map(|byte| LETTERS[usize::from(byte % 32)]).collect();
    let pieces: Vec<&str> = letters.chunks(long).take(groups).filter_map(|piece| std::str::from_utf8(piece).ok()).collect();
    Ok(pieces.join("-"))
}

/// Hashes a password; takes tens of milliseconds and 19 MiB.
///
/// # Errors
/// Where the system has no random bytes.
pub fn hash(password: &str) -> Result<String> {
    let salt: [u8; 16] = random()?;
    let hashed = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
    hashed.map(|hashed| hashed.to_string()).map_err(|error| Error::Internal(format!("hashing a password: {error}")))
}

/// Whether a password is the one that was hashed. Takes as long as hashing, also where there is none to compare with, so that the time
/// does not tell which user names there are.
pub fn verify(password: &str, hashed: Option<&str>) -> bool {
    /// The hash of a password that nobody has.
    const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyB0aGlz$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let parsed = PasswordHash::new(hashed.unwrap_or(NOBODY));
    parsed.is_ok_and(|parsed| Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok()) && hashed.is_some()
}

/// The code of a second factor for a moment (RFC 6238: HMAC-SHA-1, 30 seconds, six digits).
fn code(secret: &[u8], step: u64) -> u32 {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let at = usize::from(bytes[bytes.len() - 1] & 15);
    let number = u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]) & 0x7fff_ffff;
    number % 10u32.pow(DIGITS)
}

/// The step of a code, if it is the one of this moment or of the steps next to it and no older than `after`.
pub fn matching_step(secret: &[u8], given: &str, now: u64, after: u64) -> Option<u64> {
    let given: String = given.chars().filter(|char| !char.is_whitespace()).collect();
    let current = now / STEP;
    (current.saturating_sub(1)..=current + 1).filter(|&step| step > after).find(|&step| {
        let expected = format!("{:0width$}", code(secret, step), width = DIGITS as usize);
        bool::from(expected.as_bytes().ct_eq(given.as_bytes()))
    })
}

/// The secret of a second factor as authenticators read it (base 32, RFC 4648).
pub fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::new();
    for chunk in bytes.chunks(5) {
        let mut five = [0u8; 8];
        five[3..3 + chunk.len()].copy_from_slice(chunk);
        let bits = u64::from_be_bytes(five);
        let letters = (chunk.len() * 8).div_ceil(5);
        text.extend((0..letters).map(|at| char::from(LETTERS[(bits >> (35 - 5 * at) & 31) as usize])));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_recognised() {
        let hashed = hash("correct horse").unwrap();
        assert!(hashed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hashed}");
        assert!(verify("correct horse", Some(&hashed)));
        assert!(!verify("correct horse ", Some(&hashed)) && !verify("", None) && !verify("x", Some("no hash")));
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B, of which the last six digits are taken.
        let secret = b"12345678901234567890";
        for (moment, expected) in [(59, 287_082), (1_111_111_109, 81_804), (1_234_567_890, 5_924), (20_000_000_000, 353_130)] {
            assert_eq!(code(secret, moment / STEP), expected, "{moment}");
        }
        assert_eq!(matching_step(secret, "287 082", 59, 0), Some(1));
        assert_eq!(matching_step(secret, "287082", 89, 0), Some(1));
        assert_eq!((matching_step(secret, "287082", 59, 1), matching_step(secret, "287082", 120, 0)), (None, None));
        assert_eq!((base32(b"foobar"), base32(b"fo"), base32(b"")), ("MZXW6YTBOI".into(), "MZXQ".into(), String::new()));
    }

    #[test]
    fn what_is_sealed_opens_with_its_key_alone() {
        let (secret, other) = (Secret::new().unwrap(), Secret::new().unwrap());
        let mut sealed = secret.seal(b"seed").unwrap();
        assert_eq!(secret.open(&sealed).as_deref(), Some(&b"seed"[..]));
        assert_eq!(other.open(&sealed), None);
        sealed[14] ^= 1;
        assert_eq!(secret.open(&sealed), None);
        assert_eq!(secret.open(&sealed[..5]), None);
        assert!(secret.is_form_token(b"a", &secret.form_token(b"a")) && !secret.is_form_token(b"b", &secret.form_token(b"a")));
    }
}
