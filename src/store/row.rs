//! The rows of the journal: what is sealed, appended and read back.

use jiff::Timestamp;

use super::ChainHead;
use crate::model::{Claims, DecisionId};

/// One row of the journal, sealed into its chain by `audit`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct JournalRow {
    /// Its place in the chain, from 1, without gaps.
    pub sequence: u64,
    /// The decision that it records.
    pub id: DecisionId,
    /// When; kept to the nanosecond.
    pub time: Timestamp,
    /// The salt of its commitment.
    pub salt: [u8; 16],
    /// What it says.
    pub body: Body,
    /// The claims that it refers to by their hash, kept once. The JSON is empty when the store lost it.
    pub claims: Option<Claims>,
    /// The hash of the event, which covers the one before.
    pub hash: [u8; 32],
}

impl JournalRow {
    /// The head of the chain after it.
    pub const fn head(&self) -> ChainHead {
        ChainHead { sequence: self.sequence, hash: self.hash }
    }

    /// How many bytes it takes, about; of the claims only the hash, as they are mostly known.
    pub(super) fn size(&self) -> usize {
        self.body.json.len().saturating_add(128)
    }
}

/// The two JSON objects of an event, in one piece: what everybody may see, and who called.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Body {
    json: String,
    /// Where the first ends.
    open: usize,
}

impl Body {
    /// The body of both objects, of which the first has `open` bytes.
    pub const fn new(json: String, open: usize) -> Self {
        Self { json, open }
    }

    /// The body of two objects.
    pub fn join(open: &str, personal: &str) -> Self {
        Self { json: [open, personal].concat(), open: open.len() }
    }

    /// What everybody may see.
    pub fn open(&self) -> &str {
        self.json.get(..self.open).unwrap_or_default()
    }

    /// Who called.
    pub fn personal(&self) -> &str {
        self.json.get(self.open..).unwrap_or_default()
    }
}

/// The part of an event that searches look at.
#[derive(Clone, Copy, Debug)]
pub struct Searched<'a> {
    /// Its place in the chain.
    pub sequence: u64,
    /// The decision that it records.
    pub id: DecisionId,
    /// When.
    pub time: Timestamp,
    /// The JSON of what everybody may see; empty when it was damaged.
    pub open: &'a str,
    /// The JSON of who called; empty when it was damaged.
    pub personal: &'a str,
}

/// What a durable append tells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Appended {
    /// The store's policy revision in the same transaction: newer than the snapshot that was used = decide again.
    pub policy_revision: u64,
}

/// Seals events into the chain, given its head; called inside the transaction that appends them.
pub type Seal<'a> = Box<dyn FnOnce(ChainHead) -> Vec<JournalRow> + Send + 'a>;
