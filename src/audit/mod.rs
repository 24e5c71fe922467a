//! The record of every decision and change: the event, the hash chain, the journal that commits in groups, verification, export.

mod event;
mod journal;

use std::time::Duration;

pub use self::event::{Event, Grant, Kind, RequestRecord};
pub use self::journal::{Journal, Recorded};

/// Why an event is not recorded.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The journal cannot be written now; nothing may be handed out.
    #[error("the audit journal cannot be written: {problem}")]
    Unavailable {
        /// What the store said.
        problem: String,
        /// When to try again.
        retry_after: Duration,
    },
    /// More events wait than the queue holds.
    #[error("the audit journal is behind: its queue is full")]
    Overloaded,
}
