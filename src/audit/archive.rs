//! Reads what was recorded: beside a running server, or on the files alone. Its methods block.

use super::fields::event_of;
use super::filter::fits;
use super::trail::{Tail, Trail};
use super::verify::Entry;
use super::{ArchiveError, Checkpoint, Event, Filter, Finding, Report, indexer, verify};
use crate::model::DecisionId;
use crate::store::{ChainHead, JournalReader, JournalRow, SearchIndex, Store};

/// The recorded events. Cheap to clone; every call opens what it needs.
#[derive(Clone, Debug)]
pub struct Archive {
    pub(super) store: Store,
}

/// A recorded event.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Its place in the chain.
    pub sequence: u64,
    /// The event.
    pub event: Event,
}

/// A piece of a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The events, newest first.
    pub events: Vec<Found>,
    /// Where the next page goes on: give it as `before`; absent = there is no more.
    pub next: Option<u64>,
}

impl Archive {
    /// The archive of a store.
    pub fn open(store: &Store) -> Self {
        Self { store: store.clone() }
    }

    /// Brings the search index up to date, where no server does.
    ///
    /// # Errors
    /// The journal cannot be read, or the index not be written.
    pub fn catch_up(&self) -> Result<(), ArchiveError> {
        let mut index = self.store.search_index().map_err(ArchiveError::new)?;
        indexer::catch_up(&self.reader()?, &mut index).map_err(ArchiveError::new)
    }

    /// The event of a decision, found in the index or, just written, in the journal's tail.
    ///
    /// # Errors
    /// The journal cannot be read, or the event is damaged.
    pub fn find(&self, id: DecisionId) -> Result<Option<Found>, ArchiveError> {
        let reader = self.reader()?;
        let (index, indexed) = self.index();
        let place = index.and_then(|index| index.find(id).ok().flatten());
        if let Some(sequence) = place {
            let row = reader.row(sequence).map_err(ArchiveError::new)?;
            if let Some(row) = row.filter(|row| row.id == id) {
                return found(&row).map(Some);
            }
        }
        for row in Tail::new(&reader, u64::MAX, indexed) {
            let row = row?;
            if row.id == id {
                return found(&row).map(Some);
            }
        }
        Ok(None)
    }

    /// The events that fit, newest first: at most `limit`, before the place `before` when it is given.
    ///
    /// # Errors
    /// The journal cannot be read, or one of the events is damaged.
    pub fn list(
        &self,
        filter: &Filter,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Page, ArchiveError> {
        let reader = self.reader()?;
        let (index, indexed) = self.index();
        let query = filter.query();
        let before = before.unwrap_or(u64::MAX);
        // one more than wanted tells whether there is a next page
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
        let mut events = Vec::new();
        for row in Tail::new(&reader, before, indexed) {
            let row = row?;
            if fits(&query, &indexer::entry(&row)) {
                events.push(found(&row)?);
            }
            if events.len() == wanted {
                break;
            }
        }
        let missing = u32::try_from(wanted.saturating_sub(events.len())).unwrap_or(u32::MAX);
        if let Some(index) = index.filter(|_| missing > 0) {
            let indexed_before = before.min(indexed.saturating_add(1));
            let places =
                index.search(&query, indexed_before, missing).map_err(ArchiveError::new)?;
            for place in places {
                // an event that was pruned since is no longer there
                if let Some(row) = reader.row(place).map_err(ArchiveError::new)? {
                    events.push(found(&row)?);
                }
            }
        }
        let more = events.len() >= wanted;
        events.truncate(wanted.saturating_sub(1));
        let next = events.last().map(|last| last.sequence).filter(|_| more);
        Ok(Page { events, next })
    }

    /// Follows the whole chain on the store's files; see [`verify()`].
    ///
    /// # Errors
    /// The first bad event, or why the files cannot be read.
    pub fn verify(&self, outside: Option<&Checkpoint>) -> Result<Report, Finding> {
        loop {
            let start = self.start()?;
            let trail = Trail::open(self.reader()?)?;
            let result = verify(trail.map(|item| item.map(|item| Entry::from(item))), outside);
            // what was pruned meanwhile is no damage: the rest is followed anew
            if result.is_ok() || self.start()? == start {
                return result;
            }
        }
    }

    /// After which event the chain starts.
    fn start(&self) -> Result<Option<ChainHead>, ArchiveError> {
        let pruned = self.reader()?.pruned().map_err(ArchiveError::new)?;
        Ok(pruned.map(|(head, _)| head))
    }

    pub(super) fn reader(&self) -> Result<JournalReader, ArchiveError> {
        self.store.journal_reader().map_err(ArchiveError::new)
    }

    /// The index and how far it goes; without one everything is tail.
    fn index(&self) -> (Option<SearchIndex>, u64) {
        let index = self.store.search_index().and_then(|index| {
            let progress = index.progress()?;
            Ok((index, progress.sequence))
        });
        match index {
            Ok((index, progress)) => (Some(index), progress),
            Err(error) => {
                tracing::warn!(%error, "the search index of the audit journal cannot be used: the journal itself is searched");
                (None, 0)
            }
        }
    }
}

fn found(row: &JournalRow) -> Result<Found, ArchiveError> {
    let event = event_of(row).map_err(|error| {
        ArchiveError(format!(
            "event {} is damaged: {error}; run `dockpass audit verify`",
            row.sequence
        ))
    })?;
    Ok(Found { sequence: row.sequence, event })
}
