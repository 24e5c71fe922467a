//! A search: segment by segment from the newest, the places of its terms, and what is in all of them.

use std::ops::Range;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::chunk::Entries;
use super::merge::{first_term, key};
use super::places::Places;
use super::segment::{UNIT, read_spans};
use super::{Progress, Term, TermHasher, damaged, state};
use crate::model::DecisionId;
use crate::store::Error;
use crate::store::column::{nanoseconds, signed, unsigned};

/// What is searched for; absent = whatever.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IndexQuery {
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// The decision; its term has to be given too.
    pub id: Option<DecisionId>,
    /// Of each of these at least one.
    pub terms: Vec<Vec<Term>>,
}

/// The index as it is at one moment.
#[derive(Debug)]
pub struct Snapshot<'a> {
    transaction: Transaction<'a>,
    progress: Progress,
    hasher: TermHasher,
}

impl<'a> Snapshot<'a> {
    pub(super) fn of(connection: &'a Connection) -> Result<Self, Error> {
        let transaction = connection.unchecked_transaction()?;
        let (progress, hasher) = state(&transaction)?;
        Ok(Self { transaction, progress, hasher })
    }

    /// Up to which place the journal is indexed.
    pub const fn indexed(&self) -> u64 {
        self.progress.place
    }

    /// Makes the terms of a query.
    pub const fn hasher(&self) -> &TermHasher {
        &self.hasher
    }

    /// The places that may hold what is searched for, newest first, within `within`. Few hold something else; none is left out.
    pub fn candidates(&self, query: IndexQuery, within: Range<u64>) -> Candidates<'_> {
        Candidates {
            connection: &self.transaction,
            query,
            within,
            base: 0,
            places: Places::default(),
        }
    }
}

/// The places of a search, newest first; each segment is looked into when it is its turn.
#[derive(Debug)]
pub struct Candidates<'a> {
    connection: &'a Connection,
    query: IndexQuery,
    /// What was not looked at yet.
    within: Range<u64>,
    base: u64,
    /// What is left of the segment after `base`.
    places: Places,
}

struct Found {
    base: u64,
    size: u32,
    spans: Vec<u8>,
}

impl Candidates<'_> {
    fn advance(&mut self) -> Result<Option<u64>, Error> {
        loop {
            if let Some(place) = self.places.pop() {
                return Ok(Some(self.base.saturating_add(place.into()).saturating_add(1)));
            }
            let Some(segment) = self.segment()? else { return Ok(None) };
            self.base = segment.base;
            self.places = self.matches(&segment)?;
            // the first place of a segment is the one after its base
            self.within.end = self.within.end.min(segment.base.saturating_add(1));
        }
    }

    /// The next segment that may hold something.
    fn segment(&self) -> Result<Option<Found>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT base, size, spans FROM segment \
             WHERE base + 1 < ?1 AND base + size >= ?2 AND latest >= ?3 AND earliest < ?4 \
             AND (?5 IS NULL OR (first_id <= ?5 AND last_id >= ?5)) ORDER BY base DESC LIMIT 1",
        )?;
        let times = self.times();
        let id = self.query.id.as_ref().map(DecisionId::as_bytes);
        let bounds =
            params![signed(self.within.end), signed(self.within.start), times.start, times.end, id];
        let found = statement.query_row(bounds, |row| {
            Ok(Found { base: unsigned(row.get(0)?), size: row.get(1)?, spans: row.get(2)? })
        });
        Ok(found.optional()?)
    }

    fn times(&self) -> Range<i64> {
        self.query.since.map_or(i64::MIN, nanoseconds)
            ..self.query.until.map_or(i64::MAX, nanoseconds)
    }

    fn matches(&self, segment: &Found) -> Result<Places, Error> {
        let mut all = self.wanted(segment).and(&self.in_time(segment));
        for any in &self.query.terms {
            if all.is_empty() {
                break;
            }
            let mut one = Places::default();
            for term in any {
                one = one.or(self.places_of(segment.base, *term)?);
            }
            all = all.and(&one);
        }
        Ok(all)
    }

    /// The part of a segment that was asked for.
    fn wanted(&self, segment: &Found) -> Places {
        let first = segment.base.saturating_add(1);
        let place = |sequence: u64| {
            u32::try_from(sequence.saturating_sub(first)).unwrap_or(u32::MAX).min(segment.size)
        };
        let mut wanted = Places::default();
        wanted.push(place(self.within.start)..place(self.within.end));
        wanted
    }

    /// The units of a segment with events of the time that was asked for.
    fn in_time(&self, segment: &Found) -> Places {
        let times = self.times();
        let units = (0_u32..).step_by(UNIT as usize).zip(read_spans(&segment.spans));
        units
            .filter(|(_, (earliest, latest))| *latest >= times.start && *earliest < times.end)
            .map(|(first, _)| first..first.saturating_add(UNIT))
            .collect()
    }

    fn places_of(&self, base: u64, term: Term) -> Result<Places, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT place, terms FROM chunk WHERE place <= ? AND place >= ? ORDER BY place DESC LIMIT 1",
        )?;
        let mut rows = statement.query([key(base, term.0), key(base, 0)])?;
        let Some(row) = rows.next()? else { return Ok(Places::default()) };
        let body = row.get_ref(1)?.as_blob().map_err(|_| damaged("a chunk is no blob"))?;
        for entry in Entries::new(first_term(row.get(0)?), body) {
            let (found, places) = entry.ok_or_else(|| damaged("a chunk cannot be read back"))?;
            if found == term.0 {
                return places.places().ok_or_else(|| damaged("a chunk cannot be read back"));
            }
            if found > term.0 {
                break;
            }
        }
        Ok(Places::default())
    }
}

impl Iterator for Candidates<'_> {
    type Item = Result<u64, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance().transpose()
    }
}
