//! The search index of a chain of the journal: apart from it, it follows behind, and can be made anew at any time.
//!
//! It is an inverted index in segments, which never change: for each term the places of the events that have it. An event costs
//! some bytes and no row of its own. Segments of 256 places and more come as the journal grows, and become one of 4,096, and
//! sixteen of those one of 65,536; so a search of millions of events looks into some hundred segments.

mod chunk;
mod merge;
mod places;
mod search;
mod segment;
mod shelf;
mod term;

use std::fmt;

pub use self::search::{IndexQuery, Snapshot};
pub use self::segment::Segment;
use self::segment::{BLOCK, LARGEST, UNIT};
pub(super) use self::shelf::{
    Bounds, Found, Part, Search, SegmentRow, Shelf, Writing, key, segment_keys,
};
pub use self::term::{Field, Term, TermHasher};
use super::{ChainHead, Error};

/// How far the journal is indexed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Progress {
    /// Up to which place; later events, less than 256 when it is up to date, are not.
    pub place: u64,
    /// The last event that was indexed, with its hash: it tells another journal from this one.
    pub witness: ChainHead,
}

/// The search index of a chain; blocking.
pub struct SearchIndex(Box<dyn Shelf>);

impl fmt::Debug for SearchIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SearchIndex").field(&self.0).finish()
    }
}

impl SearchIndex {
    pub(super) fn new(shelf: Box<dyn Shelf>) -> Self {
        Self(shelf)
    }

    /// How far the journal is indexed, and what terms are hashed with.
    pub fn state(&self) -> Result<(Progress, TermHasher), Error> {
        self.0.state()
    }

    /// The next segment to fill, when the journal's next event that is not indexed is `next` and its newest `newest`: at most
    /// 4,096 places. `None`: there is too little yet.
    pub fn next_segment(progress: Progress, next: u64, newest: u64) -> Option<Segment> {
        let unit = u64::from(UNIT);
        // events before `next` were pruned: their places stay empty
        let base = progress.place.max(next.saturating_sub(1) / unit * unit);
        let block_end = (base / u64::from(BLOCK)).saturating_add(1).saturating_mul(BLOCK.into());
        let end = block_end.min(newest / unit * unit);
        let size = u32::try_from(end.checked_sub(base)?).ok()?;
        (size > 0).then(|| Segment::new(base, size))
    }

    /// Adds the segment that follows `after`, whose last event is `witness`. Nothing happens when somebody else was faster.
    pub fn add(
        &mut self,
        after: Progress,
        mut segment: Segment,
        witness: ChainHead,
    ) -> Result<(), Error> {
        segment.postings.sort_unstable();
        self.0.write(&mut |pages| {
            if pages.progress()? != after {
                return Ok(());
            }
            merge::write(pages, &segment)?;
            let place = segment.places().end.saturating_sub(1);
            for size in [BLOCK, LARGEST] {
                if place.is_multiple_of(size.into()) {
                    merge::merge(pages, place, size)?;
                }
            }
            pages.set_progress(Progress { place, witness })
        })
    }

    /// Forgets the segments that end before `sequence`, which the journal lost by a prune. What is left of the others is not
    /// found any more, because its rows are gone.
    pub fn prune(&mut self, sequence: u64) -> Result<(), Error> {
        self.0.write(&mut |pages| pages.prune(sequence))
    }

    /// Throws the index away and starts anew.
    pub fn reset(&mut self) -> Result<(), Error> {
        self.0.reset()
    }

    /// The index as it is now, to search in.
    pub fn snapshot(&self) -> Result<Snapshot<'_>, Error> {
        Snapshot::of(self.0.search()?)
    }
}

pub(super) fn damaged(problem: &str) -> Error {
    Error::Damaged(format!("the search index: {problem}"))
}

#[cfg(test)]
mod tests;
