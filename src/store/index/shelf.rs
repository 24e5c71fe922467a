//! Where segments and their chunks are kept: a file of SQLite, or tables of PostgreSQL.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use super::segment::{Span, UNIT};
use super::{Progress, Term, TermHasher};
use crate::model::DecisionId;
use crate::store::Error;
use crate::store::column::signed;

/// Where the index of one chain is kept.
pub(in crate::store) trait Shelf: fmt::Debug + Send {
    /// How far the chain is indexed, and what terms are hashed with.
    fn state(&self) -> Result<(Progress, TermHasher), Error>;
    /// What searches.
    fn search(&self) -> Result<Box<dyn Search + '_>, Error>;
    /// Works alone and in one transaction: all of it or nothing.
    fn write(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Writing) -> Result<(), Error>,
    ) -> Result<(), Error>;
    /// Throws everything away.
    fn reset(&mut self) -> Result<(), Error>;
}

/// Reads for a search. A segment and its chunks always fit each other.
pub(in crate::store) trait Search {
    /// How far the chain is indexed, and what terms are hashed with.
    fn state(&self) -> Result<(Progress, TermHasher), Error>;
    /// The newest segment within some bounds. What else is asked of it will be about these terms.
    fn newest(&self, bounds: &Bounds, terms: &[Term]) -> Result<Option<Found>, Error>;
    /// The chunk of a segment that has a term, if any has: its key and its body.
    fn chunk(&self, segment: &Found, term: Term) -> Result<Option<(i64, Vec<u8>)>, Error>;
}

/// Reads and writes in a transaction.
pub(in crate::store) trait Writing {
    fn progress(&mut self) -> Result<Progress, Error>;
    fn set_progress(&mut self, progress: Progress) -> Result<(), Error>;
    /// The segments that start in a range of places, in order.
    fn parts(&mut self, bases: Range<u64>) -> Result<Vec<Part>, Error>;
    /// Keys and bodies of the chunks of a segment, in order.
    fn chunks(&mut self, base: u64) -> Result<Vec<(i64, Vec<u8>)>, Error>;
    /// Adds a segment with its chunks, in place of one at the same place.
    fn add(&mut self, segment: &SegmentRow, chunks: Vec<(i64, Vec<u8>)>) -> Result<(), Error>;
    /// Removes the segments that start in a range of places, with their chunks.
    fn remove(&mut self, bases: Range<u64>) -> Result<(), Error>;
    /// Removes the segments that end before a place, with their chunks.
    fn prune(&mut self, sequence: u64) -> Result<(), Error>;
}

/// What a segment has to overlap.
#[derive(Clone, Debug)]
pub(in crate::store) struct Bounds {
    /// Places.
    pub(in crate::store) places: Range<u64>,
    /// Nanoseconds since 1970.
    pub(in crate::store) times: Range<i64>,
    /// A decision that lies between its smallest and its greatest.
    pub(in crate::store) id: Option<DecisionId>,
}

/// A segment to search in.
#[derive(Debug, Default)]
pub(in crate::store) struct Found {
    pub(in crate::store) base: u64,
    pub(in crate::store) size: u32,
    pub(in crate::store) spans: Vec<u8>,
    /// Chunks that came with it, by their terms.
    pub(in crate::store) chunks: HashMap<u32, (i64, Vec<u8>)>,
}

/// A segment to put together with others.
#[derive(Debug)]
pub(in crate::store) struct Part {
    pub(in crate::store) base: u64,
    pub(in crate::store) ids: [DecisionId; 2],
    pub(in crate::store) spans: Vec<u8>,
}

/// A segment as it is kept.
#[derive(Clone, Debug)]
pub(in crate::store) struct SegmentRow {
    pub(in crate::store) base: u64,
    pub(in crate::store) size: u32,
    pub(in crate::store) ids: [DecisionId; 2],
    pub(in crate::store) span: Span,
    pub(in crate::store) spans: Vec<u8>,
}

/// The key of the chunk of a segment that starts with a term.
pub(in crate::store) fn key(base: u64, term: u32) -> i64 {
    signed(((base / u64::from(UNIT)) << 32) | u64::from(term))
}

/// The keys that the chunks of a segment may have, both included.
pub(in crate::store) fn segment_keys(base: u64) -> (i64, i64) {
    (key(base, 0), key(base, u32::MAX))
}
