//! Appends to the journal.

use super::{Appended, Chain, ChainHead, Error, Seal};

/// What an engine does for a [`JournalWriter`]; each method is as there.
pub(super) trait WriteJournal: Send {
    fn chain(&self) -> Chain;
    fn append(&mut self, seal: Seal<'_>) -> Result<Appended, Error>;
    fn head(&mut self) -> Result<ChainHead, Error>;
    fn heads(&mut self) -> Result<Vec<(Chain, ChainHead)>, Error>;
    fn last_checkpoint(&mut self) -> Result<u64, Error>;
    fn add_checkpoint(&mut self, sequence: u64, body: &str) -> Result<(), Error>;
    fn probe(&mut self) -> Result<(), Error>;
}

/// Appends to this replica's chain of the journal; blocking, for a thread of its own.
pub struct JournalWriter(Box<dyn WriteJournal>);

impl std::fmt::Debug for JournalWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JournalWriter").field("chain", &self.chain()).finish_non_exhaustive()
    }
}

impl JournalWriter {
    pub(super) fn new(engine: Box<dyn WriteJournal>) -> Self {
        Self(engine)
    }

    /// The chain that it appends to. It is another one after an error, when the chain was lost to another replica meanwhile.
    pub fn chain(&self) -> Chain {
        self.0.chain()
    }

    /// Appends what `seal` makes of the chain's head, and returns when it is durable. It does not use the disk reserve.
    ///
    /// # Errors
    /// Nothing was appended, unless the disk or the connection failed after the commit was begun.
    pub fn append(&mut self, seal: Seal<'_>) -> Result<Appended, Error> {
        self.0.append(seal)
    }

    /// Where its chain stands.
    pub fn head(&mut self) -> Result<ChainHead, Error> {
        self.0.head()
    }

    /// Where all chains stand, by their numbers: for a checkpoint.
    pub fn heads(&mut self) -> Result<Vec<(Chain, ChainHead)>, Error> {
        self.0.heads()
    }

    /// The last event of its chain that a checkpoint covers; 0 without one.
    pub fn last_checkpoint(&mut self) -> Result<u64, Error> {
        self.0.last_checkpoint()
    }

    /// Keeps a signed checkpoint that covers its chain up to `sequence`.
    pub fn add_checkpoint(&mut self, sequence: u64, body: &str) -> Result<(), Error> {
        self.0.add_checkpoint(sequence, body)
    }

    /// Finds out whether the journal can be written: 64 KiB are written and taken back.
    pub fn probe(&mut self) -> Result<(), Error> {
        self.0.probe()
    }
}
