//! A bearer token as it was presented.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest;

use crate::model::Secret;

/// What the verdict on a token is found by: its SHA-256.
pub(super) type TokenHash = [u8; 32];

/// A bearer token as it was presented, with its hash once that was needed; clones share both. So whoever presents one again and again pays
/// for the hash once.
#[derive(Clone)]
pub struct Bearer(Arc<Token>);

struct Token {
    secret: Secret,
    hash: OnceLock<TokenHash>,
    was_verified: AtomicBool,
}

impl Bearer {
    /// Takes the token into custody.
    pub fn new(secret: Secret) -> Self {
        Self(Arc::new(Token {
            secret,
            hash: OnceLock::new(),
            was_verified: AtomicBool::new(false),
        }))
    }

    /// The token.
    pub fn secret(&self) -> &Secret {
        &self.0.secret
    }

    /// True when `presented` is this token; how long that takes depends on the length alone.
    pub fn is(&self, presented: &[u8]) -> bool {
        verify_slices_are_equal(self.0.secret.expose().as_bytes(), presented).is_ok()
    }

    /// True when it was an identity once. It may have ended since: it is verified each time.
    pub fn was_verified(&self) -> bool {
        self.0.was_verified.load(Ordering::Relaxed)
    }

    pub(super) fn verified(&self) {
        self.0.was_verified.store(true, Ordering::Relaxed);
    }

    pub(super) fn hash(&self) -> &TokenHash {
        self.0.hash.get_or_init(|| hash(self.0.secret.expose()))
    }
}

/// Neither the token nor its hash, by which whoever reads a log could tell it.
impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer(…)")
    }
}

pub(super) fn hash(token: &str) -> TokenHash {
    let mut hash = TokenHash::default();
    hash.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_same_token_is_it() {
        let bearer = Bearer::new(Secret::new("abc.def"));
        assert!(bearer.is(b"abc.def"));
        for other in ["", "abc.de", "abc.deg", "abc.deff", "ABC.def"] {
            assert!(!bearer.is(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn clones_share_the_hash() {
        let bearer = Bearer::new(Secret::new("abc.def"));
        let hashed = bearer.clone();
        assert_eq!(*hashed.hash(), hash("abc.def"));
        assert!(std::ptr::eq(bearer.hash(), hashed.hash()));
    }

    #[test]
    fn neither_the_token_nor_its_hash_prints() {
        let bearer = Bearer::new(Secret::new("abc.def"));
        bearer.hash();
        assert_eq!(format!("{bearer:?}"), "Bearer(…)");
    }
}
