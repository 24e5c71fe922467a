//! A search: segment by segment from the newest, the places of its terms, and what is in all of them.

use std::fmt;
use std::ops::Range;

use jiff::Timestamp;

use super::chunk::Entries;
use super::merge::first_term;
use super::places::Places;
use super::segment::{UNIT, read_spans};
use super::shelf::{Bounds, Found, Search};
use super::{Progress, Term, TermHasher, damaged};
use crate::model::DecisionId;
use crate::store::Error;
use crate::store::column::nanoseconds;

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
pub struct Snapshot<'a> {
    shelf: Box<dyn Search + 'a>,
    progress: Progress,
    hasher: TermHasher,
}

impl fmt::Debug for Snapshot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("progress", &self.progress).finish_non_exhaustive()
    }
}

impl<'a> Snapshot<'a> {
    pub(super) fn of(shelf: Box<dyn Search + 'a>) -> Result<Self, Error> {
        let (progress, hasher) = shelf.state()?;
        Ok(Self { shelf, progress, hasher })
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
        let terms = query.terms.concat();
        Candidates { shelf: &*self.shelf, query, terms, within, base: 0, places: Places::default() }
    }
}

/// The places of a search, newest first; each segment is looked into when it is its turn.
pub struct Candidates<'a> {
    shelf: &'a dyn Search,
    query: IndexQuery,
    /// All of the query's.
    terms: Vec<Term>,
    /// What was not looked at yet.
    within: Range<u64>,
    base: u64,
    /// What is left of the segment after `base`.
    places: Places,
}

impl fmt::Debug for Candidates<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidates").field("query", &self.query).finish_non_exhaustive()
    }
}

impl Candidates<'_> {
    fn advance(&mut self) -> Result<Option<u64>, Error> {
        loop {
            if let Some(place) = self.places.pop() {
                return Ok(Some(self.base.saturating_add(place.into()).saturating_add(1)));
            }
            if self.within.is_empty() {
                return Ok(None);
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
        let bounds = Bounds { places: self.within.clone(), times: self.times(), id: self.query.id };
        self.shelf.newest(&bounds, &self.terms)
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
                one = one.or(self.places_of(segment, *term)?);
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

    fn places_of(&self, segment: &Found, term: Term) -> Result<Places, Error> {
        let Some((key, body)) = self.shelf.chunk(segment, term)? else {
            return Ok(Places::default());
        };
        for entry in Entries::new(first_term(key), &body) {
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
        // what failed would fail again
        let next = self.advance().inspect_err(|_| self.within = 0..0);
        next.transpose()
    }
}
