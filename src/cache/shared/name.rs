//! What a value is called on Redis.

use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The names of one value, its lock and its fence on Redis: a hash of the cache's key, so that nothing of that can be read.
///
/// The part in braces decides where a cluster keeps a key: all three are on one node, so one script may touch them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Name {
    key: [u8; 32],
    value: String,
}

impl Name {
    /// In front of all keys of dockpass; the number is the version of what stands behind them.
    pub(super) const PREFIX: &str = "dockpass:cache:1:";

    const DOMAIN: &[u8] = b"dockpass cache name 1\0";

    /// The names of what is cached under `key`.
    pub(super) fn new(key: &[u8; 32]) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(Self::DOMAIN);
        context.update(key);
        let hash = URL_SAFE_NO_PAD.encode(context.finish());
        Self { key: *key, value: format!("{}{{{hash}}}", Self::PREFIX) }
    }

    /// The cache's key.
    pub(super) const fn key(&self) -> &[u8; 32] {
        &self.key
    }

    /// Where the value stands.
    pub(super) fn value(&self) -> &str {
        &self.value
    }

    /// Where it is said who mints.
    pub(super) fn lock(&self) -> String {
        format!("{}:lock", self.value)
    }

    /// Where the number of the last who was allowed to mint is.
    pub(super) fn fence(&self) -> String {
        format!("{}:fence", self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b7_every_key_has_names_of_its_own_in_which_nothing_of_it_can_be_read() {
        let (one, two) = (Name::new(&[1; 32]), Name::new(&[2; 32]));
        assert!(
            one.value() != two.value() && one.lock() != two.lock() && one.fence() != two.fence()
        );
        assert!(one.value() != one.lock() && one.lock() != one.fence());
        let plain = URL_SAFE_NO_PAD.encode([1; 32]);
        assert!(!one.value().contains(&plain) && one.value().starts_with("dockpass:cache:1:{"));
    }
}
