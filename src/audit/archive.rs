//! Reads what was recorded: beside running servers, or on the files alone. Its methods block.

use super::fields::event_of;
use super::trail::Trail;
use super::verify::Entry;
use super::{ArchiveError, Checkpoint, Event, Finding, Report, indexer, verify};
use crate::model::DecisionId;
use crate::store::{
    self, Chain, ChainHead, Field, IndexQuery, JournalReader, JournalRow, SearchIndex, Snapshot,
    Store,
};

/// The recorded events. Cheap to clone; every call opens what it needs.
#[derive(Clone, Debug)]
pub struct Archive {
    pub(super) store: Store,
}

/// A recorded event.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The chain that it is in: one a replica, and 0 of an embedded store.
    pub chain: Chain,
    /// Its place in the chain.
    pub sequence: u64,
    /// The event.
    pub event: Event,
}

impl Archive {
    /// The archive of a store.
    pub fn open(store: &Store) -> Self {
        Self { store: store.clone() }
    }

    /// Brings the search indexes of all chains up to date, where no server does.
    ///
    /// # Errors
    /// The journal cannot be read, or an index not be written.
    pub fn catch_up(&self) -> Result<(), ArchiveError> {
        for chain in self.chains()? {
            let mut index = self.store.search_index(chain).map_err(ArchiveError::new)?;
            indexer::catch_up(&self.reader(chain)?, &mut index).map_err(ArchiveError::new)?;
        }
        Ok(())
    }

    /// The event of a decision, found in the index of a chain or, just written, in its tail.
    ///
    /// # Errors
    /// The journal cannot be read, or the event is damaged.
    pub fn find(&self, id: DecisionId) -> Result<Option<Found>, ArchiveError> {
        for chain in self.chains()? {
            if let Some(row) = self.find_in(chain, id)? {
                return found(chain, &row).map(Some);
            }
        }
        Ok(None)
    }

    fn find_in(&self, chain: Chain, id: DecisionId) -> Result<Option<JournalRow>, ArchiveError> {
        let reader = self.reader(chain)?;
        let index = self.index(chain);
        let snapshot = snapshot(index.as_ref());
        let indexed = snapshot.as_ref().map_or(0, Snapshot::indexed);
        if let Some(snapshot) = &snapshot {
            let term = snapshot.hasher().term(Field::Id, id.as_bytes());
            let query =
                IndexQuery { id: Some(id), terms: vec![vec![term]], ..IndexQuery::default() };
            for place in snapshot.candidates(query, 0..u64::MAX) {
                let row =
                    reader.row(place.map_err(ArchiveError::new)?).map_err(ArchiveError::new)?;
                if row.as_ref().is_some_and(|row| row.id == id) {
                    return Ok(row);
                }
            }
        }
        let tail = indexed.saturating_add(1)..u64::MAX;
        let place = reader.place_of(id, &tail).map_err(ArchiveError::new)?;
        let row = place.map(|place| reader.row(place)).transpose().map_err(ArchiveError::new)?;
        Ok(row.flatten())
    }

    /// Follows all chains in the store; see [`verify()`].
    ///
    /// # Errors
    /// The first bad event, or why the store cannot be read.
    pub fn verify(&self, outside: Option<&Checkpoint>) -> Result<Report, Finding> {
        loop {
            let starts = self.starts()?;
            if starts.is_empty() && outside.is_none() {
                return Ok(Report::default());
            }
            let trail = Trail::open(self)?;
            let result = verify(trail.map(|item| item.map(Entry::from)), outside);
            // what was pruned meanwhile is no damage: the rest is followed anew
            if result.is_ok() || self.starts()? == starts {
                return result;
            }
        }
    }

    /// The chains, and after which event each starts.
    pub(super) fn starts(&self) -> Result<Vec<(Chain, ChainHead)>, ArchiveError> {
        let start = |chain| {
            let pruned = self.reader(chain)?.pruned().map_err(ArchiveError::new)?;
            Ok((chain, pruned.map_or_else(|| ChainHead::genesis(chain), |(head, _)| head)))
        };
        self.chains()?.into_iter().map(start).collect()
    }

    /// The chains, by their number.
    pub(super) fn chains(&self) -> Result<Vec<Chain>, ArchiveError> {
        self.store.chains().map_err(ArchiveError::new)
    }

    pub(super) fn reader(&self, chain: Chain) -> Result<JournalReader, ArchiveError> {
        self.store.journal_reader(chain).map_err(ArchiveError::new)
    }

    /// Without an index everything is tail.
    pub(super) fn index(&self, chain: Chain) -> Option<SearchIndex> {
        self.store.search_index(chain).inspect_err(unusable).ok()
    }
}

pub(super) fn snapshot(index: Option<&SearchIndex>) -> Option<Snapshot<'_>> {
    index?.snapshot().inspect_err(unusable).ok()
}

fn unusable(error: &store::Error) {
    tracing::warn!(%error, "the search index of the audit journal cannot be used: the journal itself is searched");
}

/// The event of a row.
pub(super) fn found(chain: Chain, row: &JournalRow) -> Result<Found, ArchiveError> {
    let sequence = row.sequence;
    let event = event_of(row).map_err(|error| {
        let place = super::report::BadPlace { chain, event: sequence };
        ArchiveError(format!("{place} is damaged: {error}; run `dockpass audit verify`"))
    })?;
    Ok(Found { chain, sequence, event })
}
