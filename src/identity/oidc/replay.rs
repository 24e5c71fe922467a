//! Tokens that are accepted once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use aws_lc_rs::digest;
use jiff::Timestamp;
use parking_lot::Mutex;

use crate::model::IssuerUrl;

/// The most tokens that are remembered, about 32 MiB. None is forgotten before it ends.
const CAPACITY: usize = 1 << 18;

/// Remembers the tokens that were used until they end.
#[derive(Debug)]
pub(super) struct UsedTokens {
    seen: Mutex<HashMap<[u8; 32], Timestamp>>,
    capacity: usize,
}

/// What became of a token's use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Use {
    /// It is the first.
    First,
    /// The token was used before.
    Again,
    /// There is no room to remember it, so it must not be accepted.
    Full,
}

impl UsedTokens {
    pub(super) fn new() -> Self {
        Self::with_capacity(CAPACITY)
    }

    fn with_capacity(capacity: usize) -> Self {
        Self { seen: Mutex::default(), capacity }
    }

    /// Uses up a token.
    pub(super) fn take(
        &self,
        issuer: &IssuerUrl,
        jti: &str,
        end: Timestamp,
        now: Timestamp,
    ) -> Use {
        let mut seen = self.seen.lock();
        if seen.len() >= self.capacity {
            seen.retain(|_, end| now < *end);
        }
        let full = seen.len() >= self.capacity;
        match seen.entry(key(issuer, jti)) {
            Entry::Occupied(_) => Use::Again,
            Entry::Vacant(_) if full => Use::Full,
            Entry::Vacant(free) => {
                free.insert(end);
                Use::First
            }
        }
    }
}

/// The length before the issuer keeps two pairs from having one key.
fn key(issuer: &IssuerUrl, jti: &str) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&issuer.as_str().len().to_be_bytes());
    context.update(issuer.as_str().as_bytes());
    context.update(jti.as_bytes());
    let mut key = [0; 32];
    key.copy_from_slice(context.finish().as_ref());
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn issuer(text: &str) -> IssuerUrl {
        text.parse().unwrap()
    }

    #[test]
    fn a_token_is_used_once_whoever_else_has_its_id() {
        let used = UsedTokens::new();
        assert_eq!(used.take(&issuer("https://a"), "1", at(10), at(0)), Use::First);
        assert_eq!(used.take(&issuer("https://a"), "1", at(10), at(5)), Use::Again);
        assert_eq!(used.take(&issuer("https://b"), "1", at(10), at(5)), Use::First);
    }

    #[test]
    fn b7_issuer_and_id_do_not_run_together() {
        let used = UsedTokens::new();
        assert_eq!(used.take(&issuer("https://a"), "b1", at(10), at(0)), Use::First);
        assert_eq!(used.take(&issuer("https://ab"), "1", at(10), at(0)), Use::First);
    }

    #[test]
    fn when_full_nothing_alive_is_forgotten() {
        let used = UsedTokens::with_capacity(2);
        assert_eq!(used.take(&issuer("https://a"), "1", at(10), at(0)), Use::First);
        assert_eq!(used.take(&issuer("https://a"), "2", at(20), at(0)), Use::First);
        assert_eq!(used.take(&issuer("https://a"), "3", at(20), at(5)), Use::Full);
        assert_eq!(used.take(&issuer("https://a"), "1", at(10), at(5)), Use::Again);
        assert_eq!(used.take(&issuer("https://a"), "3", at(20), at(10)), Use::First);
    }
}
