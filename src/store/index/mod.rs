//! The search index of the journal: a file of its own that follows behind, and can be made anew at any time.
//!
//! It is an inverted index in segments, which never change: for each term the places of the events that have it. An event costs
//! some bytes and no row of its own. Segments of 256 places and more come as the journal grows, and become one of 4,096, and
//! sixteen of those one of 65,536; so a search of millions of events looks into some hundred segments.

mod chunk;
mod file;
mod merge;
mod places;
mod search;
mod segment;
mod term;

use std::fmt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior, params};

use self::file::{connect, hasher, is_damage, remove};
pub use self::search::{IndexQuery, Snapshot};
pub use self::segment::Segment;
use self::segment::{BLOCK, LARGEST, UNIT};
pub use self::term::{Field, Term, TermHasher};
use super::column::{signed, unsigned};
use super::sqlite::column::bytes;
use super::{ChainHead, Error};

/// How far the journal is indexed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Progress {
    /// Up to which place; later events, less than 256 when it is up to date, are not.
    pub place: u64,
    /// The last event that was indexed, with its hash: it tells another journal from this one.
    pub witness: ChainHead,
}

/// The search index; blocking.
pub struct SearchIndex {
    path: PathBuf,
    connection: Connection,
}

impl fmt::Debug for SearchIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SearchIndex").field("path", &self.path).finish_non_exhaustive()
    }
}

impl SearchIndex {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let connection = match connect(path) {
            Ok(connection) => connection,
            Err(error) if is_damage(&error) => {
                tracing::warn!(%error, "the search index of the audit journal is damaged and made anew");
                remove(path)?;
                connect(path)?
            }
            Err(error) => return Err(error.into()),
        };
        Ok(Self { path: path.to_owned(), connection })
    }

    /// How far the journal is indexed, and what terms are hashed with.
    pub fn state(&self) -> Result<(Progress, TermHasher), Error> {
        state(&self.connection)
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
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if state(&transaction)?.0 != after {
            return Ok(());
        }
        merge::write(&transaction, &segment)?;
        let place = segment.places().end.saturating_sub(1);
        for size in [BLOCK, LARGEST] {
            if place.is_multiple_of(size.into()) {
                merge::merge(&transaction, place, size)?;
            }
        }
        transaction
            .prepare_cached("UPDATE progress SET place = ?, witness = ?, hash = ?")?
            .execute(params![signed(place), signed(witness.sequence), witness.hash])?;
        Ok(transaction.commit()?)
    }

    /// Forgets the segments that end before `sequence`, which the journal lost by a prune. What is left of the others is not
    /// found any more, because its rows are gone.
    pub fn prune(&mut self, sequence: u64) -> Result<(), Error> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute("DELETE FROM segment WHERE base + size <= ?", [signed(sequence)])?;
        let left: i64 = transaction.query_row(
            "SELECT coalesce((SELECT min(base) FROM segment), place) FROM progress",
            [],
            |row| row.get(0),
        )?;
        merge::remove_chunks(&transaction, 0, unsigned(left))?;
        Ok(transaction.commit()?)
    }

    /// Throws the index away and starts anew.
    pub fn reset(&mut self) -> Result<(), Error> {
        self.connection = Connection::open_in_memory()?;
        remove(&self.path)?;
        self.connection = connect(&self.path)?;
        Ok(())
    }

    /// The index as it is now, to search in.
    pub fn snapshot(&self) -> Result<Snapshot<'_>, Error> {
        Snapshot::of(&self.connection)
    }
}

fn state(connection: &Connection) -> Result<(Progress, TermHasher), Error> {
    let progress = connection
        .prepare_cached("SELECT place, witness, hash FROM progress")?
        .query_row([], |row| {
            let witness = ChainHead { sequence: unsigned(row.get(1)?), hash: bytes(row, 2)? };
            Ok(Progress { place: unsigned(row.get(0)?), witness })
        })?;
    Ok((progress, hasher(connection)?))
}

fn damaged(problem: &str) -> Error {
    Error::Damaged(format!("the search index: {problem}"))
}

#[cfg(test)]
mod tests;
