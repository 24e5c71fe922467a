//! A bearer token as it was presented.

use std::sync::{Arc, OnceLock};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest;

use crate::model::Secret;

/// What the verdict on a token is found by: its SHA-256.
pub(super) type TokenHash = [u8; 32];

/// A bearer token as it was presented, with its hash once that was needed; clones share both. So whoever presents one again and again pays
/// for the hash once.
#[derive(Clone, Debug)]
pub struct Bearer(Arc<Token>);

#[derive(Debug)]
struct Token {
    secret: Secret,
    hash: OnceLock<TokenHash>,
}

impl Bearer {
    /// Takes the token into custody.
    pub fn new(secret: Secret) -> Self {
        Self(Arc::new(Token { secret, hash: OnceLock::new() }))
    }

    /// The token.
    pub fn secret(&self) -> &Secret {
        &self.0.secret
    }

    /// True when `presented` is this token; how long that takes depends on the length alone.
    pub fn is(&self, presented: &[u8]) -> bool {
        verify_slices_are_equal(self.0.secret.expose().as_bytes(), presented).is_ok()
    }

    pub(super) fn hash(&self) -> &TokenHash {
        self.0.hash.get_or_init(|| hash(self.0.secret.expose()))
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
    fn it_does_not_print() {
        let printed = format!("{:?}", Bearer::new(Secret::new("abc.def")));
        assert!(!printed.contains("abc"), "{printed}");
    }
}
