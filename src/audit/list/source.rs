//! The events of one chain that fit, newest first, read in pieces: those that are not indexed yet are looked at one by one.

use std::collections::VecDeque;
use std::ops::{ControlFlow, Range};

use super::super::archive::found;
use super::super::facts::{Facts, searched};
use super::super::{ArchiveError, Filter, Found};
use crate::store::{self, Chain, JournalReader, Searched, Snapshot};

/// How many events are read of a chain at once at least, when there are several.
const LEAST: usize = 16;

/// How many events are read at once at most.
const LARGEST: usize = 256;

/// How many events are read at once.
#[derive(Clone, Copy, Debug)]
pub(super) enum Piece {
    /// All that are wanted, of the only chain.
    All(usize),
    /// Some, of each of several.
    Some(usize),
}

impl Piece {
    /// For a list of `wanted` events of some chains. One more than wanted tells whether there is a next page.
    pub(super) fn of(wanted: usize, chains: usize) -> Self {
        let all = wanted.saturating_add(1);
        if chains < 2 { Self::All(all) } else { Self::Some((wanted / chains).max(LEAST).min(all)) }
    }

    const fn size(self) -> usize {
        match self {
            Self::All(size) | Self::Some(size) => size,
        }
    }
}

/// The places in the index that may hold what is looked for, newest first.
type Candidates<'a> = Box<dyn Iterator<Item = Result<u64, store::Error>> + 'a>;

/// The events of one chain.
pub(super) struct Source<'a> {
    chain: Chain,
    reader: &'a JournalReader,
    filter: &'a Filter,
    piece: Piece,
    /// What was read and not taken.
    found: VecDeque<Found>,
    /// What is not indexed, and was not looked at yet.
    tail: Range<u64>,
    indexed: Option<Candidates<'a>>,
}

impl<'a> Source<'a> {
    pub(super) fn open(
        (chain, reader): (Chain, &'a JournalReader),
        snapshot: Option<&'a Snapshot<'a>>,
        filter: &'a Filter,
        before: u64,
        piece: Piece,
    ) -> Result<Self, ArchiveError> {
        let pruned = reader.pruned().map_err(ArchiveError::new)?;
        let start = pruned.map_or(0, |(head, _)| head.sequence).saturating_add(1);
        let indexed = snapshot.map(|snapshot| -> Candidates<'_> {
            Box::new(snapshot.candidates(filter.query(snapshot.hasher()), start..before))
        });
        let tail = snapshot.map_or(0, Snapshot::indexed).saturating_add(1)..before;
        Ok(Self { chain, reader, filter, piece, found: VecDeque::new(), tail, indexed })
    }

    /// The next event.
    pub(super) fn peek(&mut self) -> Result<Option<&Found>, ArchiveError> {
        while self.found.is_empty() && !self.tail.is_empty() {
            self.read_tail()?;
        }
        if self.found.is_empty() {
            self.read_indexed()?;
        }
        Ok(self.found.front())
    }

    /// Takes the event that was looked at.
    pub(super) fn take(&mut self) -> Option<Found> {
        if let Piece::All(left) = &mut self.piece {
            *left = left.saturating_sub(1);
        }
        self.found.pop_front()
    }

    fn read_tail(&mut self) -> Result<(), ArchiveError> {
        let piece = self.piece.size();
        let mut fitting = Vec::new();
        let look = |event: &Searched<'_>| {
            if Facts::at_least(event).fits(self.filter) {
                fitting.push(event.sequence);
            }
            if fitting.len() < piece { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        self.reader.each_back(&self.tail, look).map_err(ArchiveError::new)?;
        let is_all = fitting.len() < piece;
        self.tail.end = fitting.last().copied().filter(|_| !is_all).unwrap_or(self.tail.start);
        self.add(&fitting)
    }

    fn read_indexed(&mut self) -> Result<(), ArchiveError> {
        while self.found.is_empty()
            && let Some(indexed) = &mut self.indexed
        {
            let places = indexed.take(self.piece.size());
            let places = places.collect::<Result<Vec<_>, _>>().map_err(ArchiveError::new)?;
            if places.is_empty() {
                break;
            }
            self.add(&places)?;
        }
        Ok(())
    }

    /// Adds the events of some places, as far as they fit and were not pruned meanwhile.
    fn add(&mut self, places: &[u64]) -> Result<(), ArchiveError> {
        for piece in places.chunks(LARGEST) {
            for row in self.reader.among(piece).map_err(ArchiveError::new)? {
                if Facts::at_least(&searched(&row)).fits(self.filter) {
                    self.found.push_back(found(self.chain, &row)?);
                }
            }
        }
        Ok(())
    }
}
