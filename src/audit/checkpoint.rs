//! Signed statements: how far all chains have come, and where one starts after a prune.
//!
//! The signature is Ed25519 over `"dockpass.audit.checkpoint.v1\0" ‖ kind: u8 ‖ time: i64 ‖ number of heads: u32 ‖ for each: chain: u32 ‖
//! sequence: u64 ‖ hash`, with numbers as in [`super::chain`]; kind is 0 for a checkpoint and 1 for a start.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ArchiveError;
use super::hex::Hex;
use super::key::{self, SigningKey};
use crate::store::{Chain, ChainHead, nanoseconds};

const DOMAIN: &[u8] = b"dockpass.audit.checkpoint.v1\0";

/// A signed statement about all chains of a store.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Checkpoint {
    /// What is said about the heads.
    pub kind: Statement,
    /// When it was signed.
    pub time: Timestamp,
    /// One head a chain, by its number; an embedded store has one chain, number 0.
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
    /// The chains had come so far.
    Checkpoint,
    /// The events of a chain up to there were pruned.
    Start,
}

/// Where one chain stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The number of the chain: one a replica.
    pub chain: Chain,
    /// The sequence number of its last event.
    pub sequence: u64,
    /// The hash of that event.
    pub hash: Hex<32>,
}

impl Checkpoint {
    pub(super) fn sign(
        kind: Statement,
        time: Timestamp,
        heads: impl IntoIterator<Item = (Chain, ChainHead)>,
        key: &SigningKey,
    ) -> Self {
        let heads =
            heads.into_iter().map(|(chain, head)| Head::new(chain, head)).collect::<Vec<_>>();
        let signature = key.sign(&message(kind, time, &heads));
        Self { kind, time, heads, public_key: Hex(key.public()), signature: Hex(signature) }
    }

    /// True when its own key signed it.
    pub fn is_signed(&self) -> bool {
        let message = message(self.kind, self.time, &self.heads);
        key::verifies(&self.public_key.0, &message, &self.signature.0)
    }

    /// Where it says that a chain stands.
    pub fn head(&self, chain: Chain) -> Option<ChainHead> {
        self.heads.iter().find(|head| head.chain == chain).map(Head::as_chain_head)
    }

    /// Reads a checkpoint that the store keeps for an event.
    pub(super) fn parse(event: u64, json: &str) -> Result<Self, ArchiveError> {
        let parsed = serde_json::from_str(json);
        parsed
            .map_err(|error| ArchiveError::new(format!("the checkpoint of event {event}: {error}")))
    }

    /// One line of JSON.
    pub fn to_json(&self) -> String {
        // INVARIANT: there is no map in it, so it can be written
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Head {
    const fn new(chain: Chain, head: ChainHead) -> Self {
        Self { chain, sequence: head.sequence, hash: Hex(head.hash) }
    }

    pub(super) const fn as_chain_head(&self) -> ChainHead {
        ChainHead { sequence: self.sequence, hash: self.hash.0 }
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
        message.extend(head.chain.0.to_be_bytes());
        message.extend(head.sequence.to_be_bytes());
        message.extend(head.hash.0);
    }
    message
}
