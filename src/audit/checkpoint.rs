//! Signed statements about the chain: how far it has come, and where it starts after a prune.
//!
//! The signature is Ed25519 over `"dockpass.audit.checkpoint.v1\0" ‖ kind: u8 ‖ time: i64 ‖ number of heads: u32 ‖ for each: chain: u32 ‖
//! sequence: u64 ‖ hash`, with numbers as in [`super::chain`]; kind is 0 for a checkpoint and 1 for a start.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::hex::Hex;
use super::key::{self, SigningKey};
use crate::store::{ChainHead, nanoseconds};

const DOMAIN: &[u8] = b"dockpass.audit.checkpoint.v1\0";

/// A signed statement about all chains of a store.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Checkpoint {
    /// What is said about the heads.
    pub kind: Statement,
    /// When it was signed.
    pub time: Timestamp,
    /// One head a chain; an embedded store has one chain, number 0.
    pub heads: Vec<Head>,
    /// The Ed25519 key that signed.
    pub public_key: Hex<32>,
    /// Its signature.
    pub signature: Hex<64>,
}

/// What a checkpoint says about its heads.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Statement {
    /// The chain had come so far.
    Checkpoint,
    /// The events up to there were pruned.
    Start,
}

/// Where one chain stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The number of the chain: one a replica.
    pub chain: u32,
    /// The sequence number of its last event.
    pub sequence: u64,
    /// The hash of that event.
    pub hash: Hex<32>,
}

impl Checkpoint {
    pub(super) fn sign(
        kind: Statement,
        time: Timestamp,
        head: ChainHead,
        key: &SigningKey,
    ) -> Self {
        let heads = vec![Head { chain: 0, sequence: head.sequence, hash: Hex(head.hash) }];
        let signature = key.sign(&message(kind, time, &heads));
        Self { kind, time, heads, public_key: Hex(key.public()), signature: Hex(signature) }
    }

    /// True when its own key signed it.
    pub fn is_signed(&self) -> bool {
        let message = message(self.kind, self.time, &self.heads);
        key::verifies(&self.public_key.0, &message, &self.signature.0)
    }

    /// The head of an embedded store's only chain.
    pub fn head(&self) -> Option<ChainHead> {
        let head = self.heads.iter().find(|head| head.chain == 0)?;
        Some(ChainHead { sequence: head.sequence, hash: head.hash.0 })
    }

    /// One line of JSON.
    pub fn to_json(&self) -> String {
        // INVARIANT: there is no map in it, so it can be written
        serde_json::to_string(self).unwrap_or_default()
    }
}

fn message(kind: Statement, time: Timestamp, heads: &[Head]) -> Vec<u8> {
    let mut message = DOMAIN.to_vec();
    message.push(match kind {
        Statement::Checkpoint => 0,
        Statement::Start => 1,
    });
    message.extend(nanoseconds(time).to_be_bytes());
    message.extend(u32::try_from(heads.len()).unwrap_or(u32::MAX).to_be_bytes());
    for head in heads {
        message.extend(head.chain.to_be_bytes());
        message.extend(head.sequence.to_be_bytes());
        message.extend(head.hash.0);
    }
    message
}
