//! Reads what was recorded: beside a running server, or on the files alone. Its methods block.

use std::ops::{ControlFlow, Range};

use super::facts::Facts;
use super::fields::event_of;
use super::trail::Trail;
use super::verify::Entry;
use super::{ArchiveError, Checkpoint, Event, Filter, Finding, Report, indexer, verify};
use crate::model::DecisionId;
use crate::store::{
    self, Chain, ChainHead, Field, IndexQuery, JournalReader, JournalRow, SearchIndex, Searched,
    Snapshot, Store,
};

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
        let mut index = self.store.search_index(Chain::default()).map_err(ArchiveError::new)?;
        indexer::catch_up(&self.reader()?, &mut index).map_err(ArchiveError::new)
    }

    /// The event of a decision, found in the index or, just written, in the journal's tail.
    ///
    /// # Errors
    /// The journal cannot be read, or the event is damaged.
    pub fn find(&self, id: DecisionId) -> Result<Option<Found>, ArchiveError> {
        let reader = self.reader()?;
        let index = self.index();
        let snapshot = snapshot(index.as_ref());
        let indexed = snapshot.as_ref().map_or(0, Snapshot::indexed);
        if let Some(snapshot) = &snapshot {
            let term = snapshot.hasher().term(Field::Id, id.as_bytes());
            let query =
                IndexQuery { id: Some(id), terms: vec![vec![term]], ..IndexQuery::default() };
            for place in snapshot.candidates(query, 0..u64::MAX) {
                let row =
                    reader.row(place.map_err(ArchiveError::new)?).map_err(ArchiveError::new)?;
                if let Some(row) = row.filter(|row| row.id == id) {
                    return found(&row).map(Some);
                }
            }
        }
        let tail = indexed.saturating_add(1)..u64::MAX;
        let place = reader.place_of(id, &tail).map_err(ArchiveError::new)?;
        let row = place.map(|place| reader.row(place)).transpose().map_err(ArchiveError::new)?;
        row.flatten().map(|row| found(&row)).transpose()
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
        let index = self.index();
        let snapshot = snapshot(index.as_ref());
        let before = before.unwrap_or(u64::MAX);
        // one more than wanted tells whether there is a next page
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
        let mut list = Listing { reader: &reader, filter, wanted, events: Vec::new() };
        let indexed = snapshot.as_ref().map_or(0, Snapshot::indexed);
        list.add_tail(indexed.saturating_add(1)..before)?;
        if let Some(snapshot) = snapshot {
            list.add_indexed(&snapshot, before)?;
        }
        let mut events = list.events;
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
            let result = verify(trail.map(|item| item.map(Entry::from)), outside);
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
        self.store.journal_reader(Chain::default()).map_err(ArchiveError::new)
    }

    /// Without an index everything is tail.
    fn index(&self) -> Option<SearchIndex> {
        self.store.search_index(Chain::default()).inspect_err(unusable).ok()
    }
}

fn snapshot(index: Option<&SearchIndex>) -> Option<Snapshot<'_>> {
    index?.snapshot().inspect_err(unusable).ok()
}

fn unusable(error: &store::Error) {
    tracing::warn!(%error, "the search index of the audit journal cannot be used: the journal itself is searched");
}

/// A page while it is filled, newest first.
struct Listing<'a> {
    reader: &'a JournalReader,
    filter: &'a Filter,
    wanted: usize,
    events: Vec<Found>,
}

impl Listing<'_> {
    /// What is not indexed is looked at one by one.
    fn add_tail(&mut self, places: Range<u64>) -> Result<(), ArchiveError> {
        let mut fitting = Vec::new();
        let look = |event: &Searched<'_>| {
            if Facts::at_least(event).fits(self.filter) {
                fitting.push(event.sequence);
            }
            if fitting.len() < self.wanted {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        };
        self.reader.each_back(&places, look).map_err(ArchiveError::new)?;
        fitting.into_iter().try_for_each(|place| self.add(place))
    }

    fn add_indexed(&mut self, snapshot: &Snapshot<'_>, before: u64) -> Result<(), ArchiveError> {
        let pruned = self.reader.pruned().map_err(ArchiveError::new)?;
        let start = pruned.map_or(0, |(head, _)| head.sequence).saturating_add(1);
        let query = self.filter.query(snapshot.hasher());
        let mut candidates = snapshot.candidates(query, start..before);
        while self.events.len() < self.wanted
            && let Some(place) = candidates.next()
        {
            let place = place.map_err(ArchiveError::new)?;
            if self.fits(place)? {
                self.add(place)?;
            }
        }
        Ok(())
    }

    fn fits(&self, place: u64) -> Result<bool, ArchiveError> {
        let mut fits = false;
        let look = |event: &Searched<'_>| fits = Facts::at_least(event).fits(self.filter);
        self.reader.each(&(place..place.saturating_add(1)), look).map_err(ArchiveError::new)?;
        Ok(fits)
    }

    /// Adds an event, if it was not pruned meanwhile.
    fn add(&mut self, place: u64) -> Result<(), ArchiveError> {
        if let Some(row) = self.reader.row(place).map_err(ArchiveError::new)? {
            self.events.push(found(&row)?);
        }
        Ok(())
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
