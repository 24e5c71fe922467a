//! Hash chains: a journal is one or several, one a live replica.

use std::fmt;

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

const GENESIS_DOMAIN: &[u8] = b"dockpass.audit.chain.v1\0";

/// The number of a hash chain. An embedded store has chain 0 only.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(transparent)]
pub struct Chain(pub u32);

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a hash chain stands.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ChainHead {
    /// The sequence number of the last event; 0 before the first.
    pub sequence: u64,
    /// Its hash; that of [`ChainHead::genesis`] before the first.
    pub hash: [u8; 32],
}

impl ChainHead {
    /// Where a chain starts: with zeros chain 0, and each other with the hash of its number, so that an event cannot be moved to the start of
    /// another chain.
    ///
    /// ```text
    /// SHA-256("dockpass.audit.chain.v1\0" ‖ chain: u32, big-endian)
    /// ```
    pub fn genesis(chain: Chain) -> Self {
        let mut genesis = Self::default();
        if chain != Chain::default() {
            let mut context = digest::Context::new(&digest::SHA256);
            context.update(GENESIS_DOMAIN);
            context.update(&chain.0.to_be_bytes());
            genesis.hash.copy_from_slice(context.finish().as_ref());
        }
        genesis
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let pairs = text.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).unwrap());
        pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
    }

    /// Computed apart from this program, with Python's hashlib: it must never change under version 1.
    #[test]
    fn each_chain_starts_with_a_hash_of_its_own() {
        assert_eq!(ChainHead::genesis(Chain(0)), ChainHead::default());
        let hash = |chain| {
            let head = ChainHead::genesis(Chain(chain));
            assert_eq!(head.sequence, 0);
            head.hash
        };
        assert_eq!(
            hash(1).as_slice(),
            hex("fbd5e208b240e027ba7be4ef0e7b8350ae85d171d3b3e396ae73c037ef930eb8")
        );
        assert_eq!(
            hash(0x0102_0304).as_slice(),
            hex("262c4111e9f8d1071cba6e86098b11fad22b41062ddd6f2c81f0de5753497a28")
        );
    }
}
