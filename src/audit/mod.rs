//! The record of every decision and change: the event, the hash chain, the journal that commits in groups, verification, export.

mod archive;
mod chain;
mod checkpoint;
mod committer;
mod event;
mod export;
mod facts;
mod fields;
mod filter;
mod follow;
mod health;
mod hex;
mod indexer;
mod journal;
mod json;
mod key;
mod lenient;
mod line;
mod list;
mod places;
mod prune;
mod queue;
mod record;
mod report;
mod several;
mod trail;
mod usage;
mod verify;

use std::time::Duration;

pub use self::archive::{Archive, Found};
pub use self::checkpoint::{Checkpoint, Head, Statement};
pub use self::event::{Event, Grant, Kind, RequestRecord};
pub use self::export::Disclosure;
pub use self::facts::credential_key;
pub use self::filter::{Filter, Outcome};
pub use self::follow::Followed;
pub use self::health::WriteState;
pub use self::hex::Hex;
pub use self::journal::{Journal, Recorded};
pub use self::line::read_export;
pub use self::list::Page;
pub use self::places::{NoPlaces, Places};
pub use self::prune::Pruned;
pub use self::record::Record;
pub use self::report::{BadPlace, ChainReport, Damage, Finding, Report};
pub use self::usage::{By, Bypass, Deed, Use};
pub use self::verify::{Entry, verify};

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

impl Error {
    /// How long to wait before the next try: until then the journal looks several times whether it can be written.
    const RETRY_AFTER: Duration = Duration::from_secs(1);

    fn unavailable(problem: impl std::fmt::Display) -> Self {
        Self::Unavailable { problem: problem.to_string(), retry_after: Self::RETRY_AFTER }
    }
}

/// Why what was recorded cannot be read, exported or pruned.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the audit journal cannot be used: {0}")]
pub struct ArchiveError(String);

impl ArchiveError {
    fn new(problem: impl std::fmt::Display) -> Self {
        Self(problem.to_string())
    }
}

impl From<ArchiveError> for Error {
    fn from(error: ArchiveError) -> Self {
        Self::unavailable(error.0)
    }
}

#[cfg(test)]
mod tests;
