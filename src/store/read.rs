//! Reads one chain of the journal beside whoever writes it.

use std::ops::{ControlFlow, Range};

use super::{Chain, ChainHead, Error, JournalRow, Searched};
use crate::model::DecisionId;

/// Which rows are read, and in which order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Rows {
    /// Those after a place, oldest first.
    After(u64),
    /// The one at a place.
    At(u64),
    /// Those before a place, newest first.
    Before(u64),
}

/// In which order rows are handed over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Order {
    OldestFirst,
    NewestFirst,
}

/// What takes the rows of a scan.
pub(super) type Take<'a> = &'a mut dyn FnMut(&Searched<'_>) -> ControlFlow<()>;

/// What an engine does for a [`JournalReader`]; each method is as there.
pub(super) trait ReadJournal: Send {
    fn head(&self) -> Result<ChainHead, Error>;
    fn pruned(&self) -> Result<Option<(ChainHead, String)>, Error>;
    fn rows(&self, rows: Rows, limit: u32) -> Result<Vec<JournalRow>, Error>;
    fn among(&self, places: &[u64]) -> Result<Vec<JournalRow>, Error> {
        let rows = places.iter().map(|place| Ok(self.rows(Rows::At(*place), 1)?.pop()));
        rows.filter_map(Result::transpose).collect()
    }
    fn checkpoints_after(&self, sequence: u64, limit: u32) -> Result<Vec<(u64, String)>, Error>;
    fn last_checkpoint(&self) -> Result<u64, Error>;
    fn scan(&self, order: Order, places: &Range<u64>, take: Take<'_>) -> Result<(), Error>;
    fn place_of(&self, id: DecisionId, places: &Range<u64>) -> Result<Option<u64>, Error>;
    fn first_from(&self, place: u64) -> Result<Option<u64>, Error>;
    fn hash_of(&self, place: u64) -> Result<Option<[u8; 32]>, Error>;
}

/// Reads one chain of the journal; blocking.
pub struct JournalReader {
    chain: Chain,
    engine: Box<dyn ReadJournal>,
}

impl std::fmt::Debug for JournalReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JournalReader").field("chain", &self.chain).finish_non_exhaustive()
    }
}

impl JournalReader {
    pub(super) fn new(chain: Chain, engine: Box<dyn ReadJournal>) -> Self {
        Self { chain, engine }
    }

    /// The chain that it reads.
    pub const fn chain(&self) -> Chain {
        self.chain
    }

    /// Where the chain stands.
    pub fn head(&self) -> Result<ChainHead, Error> {
        self.engine.head()
    }

    /// Where the chain starts after a prune: the last event that was deleted, and the signed record of it.
    pub fn pruned(&self) -> Result<Option<(ChainHead, String)>, Error> {
        self.engine.pruned()
    }

    /// At most `limit` events after `sequence`, oldest first.
    pub fn after(&self, sequence: u64, limit: u32) -> Result<Vec<JournalRow>, Error> {
        self.engine.rows(Rows::After(sequence), limit)
    }

    /// At most `limit` events before `sequence`, newest first.
    pub fn before(&self, sequence: u64, limit: u32) -> Result<Vec<JournalRow>, Error> {
        self.engine.rows(Rows::Before(sequence), limit)
    }

    /// One event.
    pub fn row(&self, sequence: u64) -> Result<Option<JournalRow>, Error> {
        Ok(self.engine.rows(Rows::At(sequence), 1)?.pop())
    }

    /// The events at some places, in the order of the places, which is the newest first.
    pub fn among(&self, places: &[u64]) -> Result<Vec<JournalRow>, Error> {
        self.engine.among(places)
    }

    /// The checkpoints that cover the chain up to an event after `sequence`, oldest first, at most `limit`.
    pub fn checkpoints_after(
        &self,
        sequence: u64,
        limit: u32,
    ) -> Result<Vec<(u64, String)>, Error> {
        self.engine.checkpoints_after(sequence, limit)
    }

    /// The last event that a checkpoint covers; 0 without one.
    pub fn last_checkpoint(&self) -> Result<u64, Error> {
        self.engine.last_checkpoint()
    }

    /// Hands over the events of a range, oldest first.
    pub fn each(
        &self,
        places: &Range<u64>,
        mut take: impl FnMut(&Searched<'_>),
    ) -> Result<(), Error> {
        self.engine.scan(Order::OldestFirst, places, &mut |event| {
            take(event);
            ControlFlow::Continue(())
        })
    }

    /// Hands over the events of a range, newest first, until it is told to stop.
    pub fn each_back(
        &self,
        places: &Range<u64>,
        mut take: impl FnMut(&Searched<'_>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        self.engine.scan(Order::NewestFirst, places, &mut take)
    }

    /// The place of a decision within a range, found by looking at each.
    pub fn place_of(&self, id: DecisionId, places: &Range<u64>) -> Result<Option<u64>, Error> {
        self.engine.place_of(id, places)
    }

    /// The place of the first event at or after `place`.
    pub fn first_from(&self, place: u64) -> Result<Option<u64>, Error> {
        self.engine.first_from(place)
    }

    /// The hash of an event.
    pub fn hash_of(&self, place: u64) -> Result<Option<[u8; 32]>, Error> {
        self.engine.hash_of(place)
    }
}
