//! Keeps the search index in a file of its own: in the journal's file it would double its commit tail.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::column::bytes;
use super::index_file::{connect, hasher, is_damage, remove};
use crate::model::DecisionId;
use crate::store::column::{signed, unsigned};
use crate::store::index::{
    Bounds, Found, Part, Search, SegmentRow, Shelf, Writing, key, segment_keys,
};
use crate::store::{ChainHead, Error, Progress, Term, TermHasher};

/// The file.
pub(super) struct IndexFile {
    path: PathBuf,
    connection: Connection,
}

impl fmt::Debug for IndexFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt(f)
    }
}

impl IndexFile {
    /// Opens the file, or makes it anew when it is missing or damaged.
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
}

impl Shelf for IndexFile {
    fn state(&self) -> Result<(Progress, TermHasher), Error> {
        state(&self.connection)
    }

    fn search(&self) -> Result<Box<dyn Search + '_>, Error> {
        Ok(Box::new(self.connection.unchecked_transaction()?))
    }

    fn write(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Writing) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        work(&mut transaction)?;
        Ok(transaction.commit()?)
    }

    fn reset(&mut self) -> Result<(), Error> {
        self.connection = Connection::open_in_memory()?;
        remove(&self.path)?;
        self.connection = connect(&self.path)?;
        Ok(())
    }
}

fn state(connection: &Connection) -> Result<(Progress, TermHasher), Error> {
    Ok((progress(connection)?, hasher(connection)?))
}

fn progress(connection: &Connection) -> Result<Progress, Error> {
    let mut statement = connection.prepare_cached("SELECT place, witness, hash FROM progress")?;
    Ok(statement.query_row([], |row| {
        let witness = ChainHead { sequence: unsigned(row.get(1)?), hash: bytes(row, 2)? };
        Ok(Progress { place: unsigned(row.get(0)?), witness })
    })?)
}

/// All that is read in a transaction is of one moment.
impl Search for Transaction<'_> {
    fn state(&self) -> Result<(Progress, TermHasher), Error> {
        state(self)
    }

    fn newest(&self, bounds: &Bounds, _terms: &[Term]) -> Result<Option<Found>, Error> {
        let mut statement = self.prepare_cached(
            "SELECT base, size, spans FROM segment \
             WHERE base + 1 < ?1 AND base + size >= ?2 AND latest >= ?3 AND earliest < ?4 \
             AND (?5 IS NULL OR (first_id <= ?5 AND last_id >= ?5)) ORDER BY base DESC LIMIT 1",
        )?;
        let (places, times) = (&bounds.places, &bounds.times);
        let id = bounds.id.as_ref().map(DecisionId::as_bytes);
        let bounds = params![signed(places.end), signed(places.start), times.start, times.end, id];
        let found = statement.query_row(bounds, |row| {
            Ok(Found {
                base: unsigned(row.get(0)?),
                size: row.get(1)?,
                spans: row.get(2)?,
                ..Found::default()
            })
        });
        Ok(found.optional()?)
    }

    fn chunk(&self, segment: &Found, term: Term) -> Result<Option<(i64, Vec<u8>)>, Error> {
        let mut statement = self.prepare_cached(
            "SELECT place, terms FROM chunk WHERE place <= ? AND place >= ? ORDER BY place DESC LIMIT 1",
        )?;
        let keys = [key(segment.base, term.0), key(segment.base, 0)];
        Ok(statement.query_row(keys, |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
    }
}

impl Writing for Transaction<'_> {
    fn progress(&mut self) -> Result<Progress, Error> {
        progress(self)
    }

    fn set_progress(&mut self, progress: Progress) -> Result<(), Error> {
        let Progress { place, witness } = progress;
        self.prepare_cached("UPDATE progress SET place = ?, witness = ?, hash = ?")?
            .execute(params![signed(place), signed(witness.sequence), witness.hash])?;
        Ok(())
    }

    fn parts(&mut self, bases: Range<u64>) -> Result<Vec<Part>, Error> {
        let mut parts = self.prepare_cached(
            "SELECT base, first_id, last_id, spans FROM segment WHERE base >= ? AND base < ? ORDER BY base",
        )?;
        let parts = parts.query_map([signed(bases.start), signed(bases.end)], |row| {
            let ids = [bytes(row, 1)?, bytes(row, 2)?].map(DecisionId::from_bytes);
            Ok(Part { base: unsigned(row.get(0)?), ids, spans: row.get(3)? })
        })?;
        Ok(parts.collect::<rusqlite::Result<_>>()?)
    }

    fn chunks(&mut self, base: u64) -> Result<Vec<(i64, Vec<u8>)>, Error> {
        let mut chunks = self.prepare_cached(
            "SELECT place, terms FROM chunk WHERE place >= ? AND place <= ? ORDER BY place",
        )?;
        let chunks = chunks.query_map(segment_keys(base), |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(chunks.collect::<rusqlite::Result<_>>()?)
    }

    fn add(&mut self, segment: &SegmentRow, chunks: Vec<(i64, Vec<u8>)>) -> Result<(), Error> {
        let [first, last] = &segment.ids;
        let (earliest, latest) = segment.span;
        self.prepare_cached("INSERT OR REPLACE INTO segment VALUES (?, ?, ?, ?, ?, ?, ?)")?
            .execute(params![
                signed(segment.base),
                segment.size,
                first.as_bytes(),
                last.as_bytes(),
                earliest,
                latest,
                segment.spans,
            ])?;
        let mut insert = self.prepare_cached("INSERT OR REPLACE INTO chunk VALUES (?, ?)")?;
        for (key, body) in chunks {
            insert.execute(params![key, body])?;
        }
        Ok(())
    }

    fn remove(&mut self, bases: Range<u64>) -> Result<(), Error> {
        self.prepare_cached("DELETE FROM segment WHERE base >= ? AND base < ?")?
            .execute([signed(bases.start), signed(bases.end)])?;
        remove_chunks(self, &bases)
    }

    fn prune(&mut self, sequence: u64) -> Result<(), Error> {
        self.execute("DELETE FROM segment WHERE base + size <= ?", [signed(sequence)])?;
        let left: i64 = self.query_row(
            "SELECT coalesce((SELECT min(base) FROM segment), place) FROM progress",
            [],
            |row| row.get(0),
        )?;
        remove_chunks(self, &(0..unsigned(left)))
    }
}

/// Deletes the chunks of the segments that start in a range of places.
fn remove_chunks(connection: &Connection, bases: &Range<u64>) -> Result<(), Error> {
    connection
        .prepare_cached("DELETE FROM chunk WHERE place >= ? AND place < ?")?
        .execute([key(bases.start, 0), key(bases.end, 0)])?;
    Ok(())
}
