//! The append-only journal: one thread commits what queued while the last commit ran.

use std::sync::Arc;

use super::{Error, Event};
use crate::model::Clock;
use crate::store::{Seal, Store};

/// The journal. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Journal {}

/// What a recorded event tells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Recorded {
    /// The store's policy revision in the same transaction: newer than the snapshot that decided = decide again.
    pub policy_revision: u64,
}

impl Journal {
    /// Starts the journal's thread and its signed checkpoints (the key is made in `data_dir` when it is missing).
    pub async fn start(
        store: &Store,
        data_dir: &std::path::Path,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        todo!()
    }

    /// Records an event; returns when it is durable.
    pub async fn append(&self, event: Event) -> Result<Recorded, Error> {
        todo!()
    }

    /// Seals an event for a transaction of the store that is not the journal's own: a change and its event are one.
    pub fn seal(event: Event) -> Seal<'static> {
        todo!()
    }

    /// The event of a decision, found in the index or, just written, in the journal's tail.
    pub async fn find(&self, id: crate::model::DecisionId) -> Result<Option<Event>, Error> {
        todo!()
    }

    /// False while the journal cannot be written; then it tries again by itself every second.
    pub fn is_writable(&self) -> bool {
        todo!()
    }

    /// Writes what is queued and a last checkpoint, and ends the thread.
    pub async fn close(&self) {
        todo!()
    }
}
