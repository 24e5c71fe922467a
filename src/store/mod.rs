//! Where definitions, their history, revocations and audit rows are kept.
//!
//! Embedded, that is two SQLite files: policy and journal in one, because a change and its event are one transaction;
//! the search index of the journal in another, which can be rebuilt. Both are in WAL mode; the first with `synchronous=FULL`.

mod error;

use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{AccessTokenId, DecisionId, Definitions};

pub use self::error::Error;

/// The `[store]` section.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `sqlite:FILE`, relative to the data folder.
    pub url: String,
}

impl Default for Config {
    fn default() -> Self {
        Self { url: "sqlite:dockpass.db".to_owned() }
    }
}

/// The store. Cheap to clone. Its async methods do not block the caller's thread.
#[derive(Clone, Debug)]
pub struct Store {}

/// Where a hash chain stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ChainHead {
    /// The sequence number of the last event; 0 before the first.
    pub sequence: u64,
    /// Its hash; zeros before the first.
    pub hash: [u8; 32],
}

/// One row of the journal, sealed into its chain by `audit`.
#[derive(Clone, Debug)]
pub struct JournalRow {
    /// Its place in the chain, from 1, without gaps.
    pub sequence: u64,
    /// The decision that it records.
    pub id: DecisionId,
    /// When.
    pub time: Timestamp,
    /// The salt of its field commitments.
    pub salt: [u8; 16],
    /// The fields, as JSON.
    pub body: Vec<u8>,
    /// The claims that it refers to by their hash, to be kept once: (SHA-256, JSON).
    pub claims: Option<([u8; 32], Vec<u8>)>,
    /// The hash of the event, which covers the one before.
    pub hash: [u8; 32],
}

/// What a durable append tells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Appended {
    /// The store's policy revision in the same transaction: newer than the snapshot that was used = decide again.
    pub policy_revision: u64,
}

/// Seals events into the chain, given its head; called inside the transaction that appends them.
pub type Seal<'a> = Box<dyn FnOnce(ChainHead) -> Vec<JournalRow> + Send + 'a>;

impl Store {
    /// Opens or makes the store, and migrates it.
    ///
    /// # Errors
    /// The URL is not one of ours, or the files cannot be used: with the file named.
    pub async fn open(config: &Config, data_dir: &Path) -> Result<Self, Error> {
        todo!()
    }

    /// The definitions as they are now.
    pub async fn definitions(&self) -> Result<Definitions, Error> {
        todo!()
    }

    /// The definitions as they were at a revision, rolled back from the history.
    pub async fn definitions_at(&self, revision: u64) -> Result<Definitions, Error> {
        todo!()
    }

    /// Replaces the definitions by `after` (whose revision is one more than the present), records what changed by whom in the history, and appends
    /// the sealed events, in one transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] when the present revision is not the one before.
    pub async fn replace_definitions(
        &self,
        after: Definitions,
        actor: String,
        now: Timestamp,
        seal: Seal<'static>,
    ) -> Result<Appended, Error> {
        todo!()
    }

    /// Records that an access token is taken back, with its event, in one transaction. The row counts as a policy revision, so that every replica looks.
    pub async fn revoke(
        &self,
        id: AccessTokenId,
        expire_time: Timestamp,
        seal: Seal<'static>,
    ) -> Result<Appended, Error> {
        todo!()
    }

    /// The access tokens that are taken back and have not ended at `now`.
    pub async fn revocations(
        &self,
        now: Timestamp,
    ) -> Result<Vec<(AccessTokenId, Timestamp)>, Error> {
        todo!()
    }

    /// The present policy revision (definitions and revocations).
    pub async fn policy_revision(&self) -> Result<u64, Error> {
        todo!()
    }

    /// The journal's own connection, for the thread that commits.
    pub fn journal(&self) -> Result<JournalWriter, Error> {
        todo!()
    }
}

/// Appends to the journal; blocking, for a thread of its own.
#[derive(Debug)]
pub struct JournalWriter {}

impl JournalWriter {
    /// Appends what `seal` makes of the chain's head, and returns when it is durable (fdatasync).
    pub fn append(&mut self, seal: Seal<'_>) -> Result<Appended, Error> {
        todo!()
    }
}
