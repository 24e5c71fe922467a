//! Texts that must not be printed.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

/// A text that does not print and is wiped when it is dropped.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Takes the text into custody.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself: for a comparison, a hash or the wire, never for a log.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// All at once, and the barrier makes sure that it is done: `zeroize` itself writes one byte after the other, which takes longer than to
/// decide what a token of a thousand bytes may do.
impl Drop for Secret {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.0).into_bytes();
        bytes.clear();
        bytes.resize(bytes.capacity(), 0);
        zeroize::optimization_barrier(bytes.as_slice());
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// The secret of a token's password: `dpk_`, 256 random bits, a checksum.
#[derive(Clone, Debug)]
pub struct PasswordSecret(Secret);

impl PasswordSecret {
    /// What every such secret starts with.
    pub const PREFIX: &str = "dpk_";

    /// The secret made of 32 random bytes.
    pub fn from_random(bytes: &[u8; 32]) -> Self {
        Self(Secret::new(checksummed(Self::PREFIX, &URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// Reads a secret that was presented; `None` when it is not one of ours (prefix, length, alphabet or checksum).
    pub fn parse(text: &str) -> Option<Self> {
        let body = strip_checksum(Self::PREFIX, text)?;
        let bytes = URL_SAFE_NO_PAD.decode(body).ok()?;
        (bytes.len() == 32).then(|| Self(Secret::new(text)))
    }

    /// What is stored of it.
    pub fn hash(&self) -> PasswordHash {
        let digest =
            aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, self.0.expose().as_bytes());
        let mut hash = [0; 32];
        hash.copy_from_slice(digest.as_ref());
        PasswordHash(hash)
    }

    /// The last four characters, which are shown to tell passwords apart.
    pub fn last_four(&self) -> String {
        let text = self.0.expose();
        text.chars().skip(text.chars().count().saturating_sub(4)).collect()
    }

    /// The text itself, to show it once.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// SHA-256 of a password's secret. Equality takes constant time.
#[derive(Clone, Copy, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PasswordHash([u8; 32]);

impl PartialEq for PasswordHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl std::hash::Hash for PasswordHash {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

impl From<PasswordHash> for String {
    fn from(hash: PasswordHash) -> Self {
        URL_SAFE_NO_PAD.encode(hash.0)
    }
}

impl TryFrom<String> for PasswordHash {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| "a password hash is base64url")?;
        <[u8; 32]>::try_from(bytes).map(Self).map_err(|_| "a password hash has 32 bytes")
    }
}

/// `prefix` + `body` + eight hexadecimal digits of CRC-32, so that secret scanners tell a real secret from a look-alike.
pub fn checksummed(prefix: &str, body: &str) -> String {
    format!("{prefix}{body}{:08x}", crc32fast::hash(body.as_bytes()))
}

/// The body of a text made by [`checksummed`]; `None` when prefix or checksum are not right.
pub fn strip_checksum<'a>(prefix: &str, text: &'a str) -> Option<&'a str> {
    let rest = text.strip_prefix(prefix)?;
    let (body, checksum) = rest.split_at_checked(rest.len().checked_sub(8)?)?;
    (checksum == format!("{:08x}", crc32fast::hash(body.as_bytes()))).then_some(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_secret_is_read_back_and_any_change_is_refused() {
        let secret = PasswordSecret::from_random(&[7; 32]);
        let text = secret.expose();
        assert_eq!(text.len(), 4 + 43 + 8);
        assert_eq!(PasswordSecret::parse(text).unwrap().hash(), secret.hash());
        for position in 0..text.len() {
            let mut changed = text.as_bytes().to_vec();
            changed[position] ^= 1;
            if let Ok(changed) = String::from_utf8(changed) {
                assert!(PasswordSecret::parse(&changed).is_none(), "{position}");
            }
        }
        for other in [
            "",
            "dpk_",
            text.strip_prefix('d').unwrap(),
            text.split_at(text.len() - 1).0,
            &format!("{text}="),
            &format!("{text} "),
        ] {
            assert!(PasswordSecret::parse(other).is_none(), "{other:?}");
        }
    }

    #[test]
    fn secrets_do_not_print() {
        let secret = PasswordSecret::from_random(&[7; 32]);
        let printed = format!("{secret:?} {:?} {:?}", secret.hash(), Secret::new("hunter2"));
        assert!(
            !printed.contains("hunter2") && !printed.contains(&secret.last_four()),
            "{printed}"
        );
    }
}
