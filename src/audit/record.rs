//! One event as it is verified: its place, what it commits to, its hash.

use jiff::Timestamp;

use super::chain::{Hash, Place, commitment, event_hash, sha256};
use super::trail::Item;
use super::verify::Entry;
use crate::model::{Claims, DecisionId};
use crate::store::{Body, Chain, ChainHead, JournalRow};

/// One event as it is verified.
#[derive(Clone, Debug)]
pub struct Record {
    /// The chain that it claims.
    pub(super) chain: Chain,
    /// The place in it that it claims.
    pub(super) sequence: u64,
    /// The decision.
    pub(super) id: DecisionId,
    pub(super) time: Timestamp,
    /// The hash of the event before, where the source tells.
    pub(super) previous: Option<Hash>,
    /// What everybody may see.
    pub(super) body: Body,
    /// The commitment to who called; `None` when that is damaged by itself.
    pub(super) commitment: Option<Hash>,
    /// The hash that it claims.
    pub(super) hash: Hash,
}

impl Record {
    /// True when it is what was sealed after `head`, whatever place it claims.
    pub(super) fn follows(&self, head: ChainHead) -> bool {
        let Some(commitment) = &self.commitment else { return false };
        let place = Place { previous: head.hash, sequence: head.sequence.saturating_add(1) };
        event_hash(&place, self.id, self.time, commitment, self.body.open()) == self.hash
    }

    /// The record of a row of a chain.
    pub(super) fn of(chain: Chain, row: JournalRow) -> Self {
        let JournalRow { sequence, id, time, salt, body, claims, hash } = row;
        let fits = |claims: &Claims| sha256(claims.json().as_bytes()) == *claims.hash();
        let commitment = claims
            .as_ref()
            .is_none_or(fits)
            .then(|| commitment(&salt, claims.as_ref().map(Claims::hash), body.personal()));
        // the store does not keep the hash of the event before: here it says nothing new
        Self { chain, sequence, id, time, previous: None, body, commitment, hash }
    }
}

impl From<Item> for Entry {
    fn from(item: Item) -> Self {
        match item {
            Item::Start(chain, head, record) => Self::Start(chain, head, record),
            Item::Event(chain, _, row) => Self::Event(Box::new(Record::of(chain, *row))),
            Item::Checkpoint(checkpoint) => Self::Checkpoint(checkpoint),
        }
    }
}
